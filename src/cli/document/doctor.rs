//! What `jml doctor` found, and what became of the monitor that it writes.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Doctor {
    /// One a system of the configuration, and the ledger.
    pub systems: Vec<DoctorSystem>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct DoctorSystem {
    /// Name.
    pub system: String,
    /// Where it is.
    pub url: Option<String>,
    /// How far the system's clock is from this host's.
    pub clock_ms: Option<i64>,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub check: String,
    /// ok, look, failed or unknown
    pub result: String,
    /// What was found.
    pub subject: String,
    /// Which command needs it.
    pub needed_by: Option<String>,
    /// What does not work without it.
    pub consequence: Option<String>,
    /// How to put it right.
    pub repair: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Monitor {
    /// Which system keeps it.
    pub system: String,
    /// planned (--dry-run: nothing was sent), made, changed or unchanged
    pub result: String,
    /// Its id there, once it was read back.
    pub id: Option<String>,
    /// Which of its parts were not as they should be.
    pub changed: Vec<String>,
    /// What is sent, in that system's own form.
    pub monitor: serde_json::Value,
}
