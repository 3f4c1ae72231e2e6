//! An exception: a group that somebody is given beside policy, until an end that was set when it was given.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The group's id: found by its name once, when it was granted.
    pub group: String,
    pub name: String,
    pub until: DateTime<Utc>,
    pub ticket: String,
    /// The operator who granted it.
    pub by: String,
}

impl Grant {
    pub fn runs(&self, now: DateTime<Utc>) -> bool {
        now < self.until
    }
}
