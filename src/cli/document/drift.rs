//! What `audit drift`, `audit orphans`, `audit seats` and the sweep's nightly lane list.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// Something that is not as HR and policy have it.
#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The person's login; of an account that is nobody's, the account's. Empty where a system could not be read.
    pub login: String,
    /// The system's name.
    pub system: String,
    /// What is wrong.
    pub what: String,
    /// Since when, if that is known.
    pub since: Option<DateTime<Utc>>,
    /// drift, unknown, or explained: as somebody with the right to said it should be
    pub mark: String,
}
