//! The tenant's groups at one time: what `groups export --format json` writes and `groups diff` reads.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::GroupKind;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub taken: DateTime<Utc>,
    /// Sorted by name.
    pub groups: Vec<GroupEntry>,
}

/// Lists are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: GroupKind,
    pub description: Option<String>,
    pub managed: bool,
    /// Logins.
    pub members: Vec<String>,
    /// Names of the rules that fill it.
    pub rules: Vec<String>,
    /// Labels of the apps that it grants.
    pub apps: Vec<String>,
}
