//! A system is a name: an instance from the configuration, so that a new app edits no enum.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct System(Cow<'static, str>);

/// The directory, behind which everything else stands. The one system that the planner knows by name.
pub const OKTA: System = System::of("okta");

impl System {
    pub const fn of(name: &'static str) -> Self {
        System(Cow::Borrowed(name))
    }
    pub fn named(name: impl Into<String>) -> Self {
        System(Cow::Owned(name.into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
