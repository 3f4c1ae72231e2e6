//! The pretend firm: each system's own state side by side, and what of it changed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{datadog::Datadog, okta::Okta, servicenow::Servicenow, slack::Slack};

#[derive(Default)]
pub struct World {
    /// The servers' clock at the present request; the engine sets it.
    pub now: DateTime<Utc>,
    /// `policy`, `limits`, `protect`, `config` as given: what the generated jml.toml says.
    pub given: Value,
    pub okta: Okta,
    /// `None`: the world doesn't name the system, no port is opened for it.
    pub slack: Option<Slack>,
    pub servicenow: Servicenow,
    pub datadog: Datadog,
    /// Entries changed since the change log was last written: (system, list, id).
    pub dirty: BTreeSet<(String, String, String)>,
}

impl World {
    /// A twin says what it changed; the engine writes it down before the answer leaves.
    pub fn touch(&mut self, system: &str, list: &str, id: &str) {
        self.dirty.insert((system.into(), list.into(), id.into()));
    }
}
