//! The kill switch, as programs read it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ledger::Pause;

/// The kill switch.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Pausing {
    /// The entry that this command wrote; null: there was nothing to lift.
    pub entry: Option<i64>,
    /// Who paused; null where nothing is paused now.
    pub by: Option<String>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// Containment too.
    pub all: bool,
    /// In their words.
    pub reason: Option<String>,
}

impl Pausing {
    pub fn of(entry: Option<i64>, pause: Option<&Pause>) -> Pausing {
        Pausing {
            entry,
            by: pause.map(|p| p.by.clone()),
            until: pause.map(|p| p.until),
            all: pause.is_some_and(|p| p.all),
            reason: pause.map(|p| p.reason.clone()),
        }
    }
}

/// The pause that a command met.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Paused {
    /// Who paused.
    pub by: String,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
    /// Containment too.
    pub all: bool,
    /// In their words.
    pub reason: String,
    /// It kept this command from something.
    pub stopped: bool,
}
