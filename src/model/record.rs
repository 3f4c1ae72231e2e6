//! What is told to the systems of record after the fact: late is allowed, lost is not.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Account, System};

/// What a person held before the change: kept with the change record, so that a successor can see what was taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub accounts: BTreeMap<System, Account>,
    /// What will stop or be orphaned.
    pub owned: Vec<String>,
    /// Systems that were not read, with why.
    pub unread: BTreeMap<System, String>,
}

/// One item of the outbox. `key` is its correlation id: whoever delivers it twice finds the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub key: String,
    pub run: String,
    pub login: Option<String>,
    pub at: DateTime<Utc>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum What {
    /// One change record a person and run.
    Change {
        flow: String,
        result: String,
        title: String,
        /// The closing report, as text.
        report: String,
        manifest: Manifest,
        checkpoint: String,
        started: DateTime<Utc>,
        finished: DateTime<Utc>,
    },
    /// The change record of key `change` is at its end. Owed apart from it: closing wants rights that filing doesn't.
    Close { change: String, checkpoint: String },
    /// What failed or is overdue, once.
    Incident { title: String, text: String },
    Event {
        title: String,
        text: String,
        tags: Vec<String>,
        alert: bool,
    },
    Metric {
        name: String,
        value: f64,
        tags: Vec<String>,
    },
}

/// What is watched over where figures go: one that every sweep sends, above its bound or silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    pub metric: String,
    /// Of which place's figures: `env:prod`.
    pub scope: String,
    pub above_seconds: u64,
    pub silent_minutes: u64,
}

impl What {
    /// The name in JSON, faults and the audit log.
    pub const fn name(&self) -> &'static str {
        match self {
            What::Change { .. } => "create-record",
            What::Close { .. } => "close-record",
            What::Incident { .. } => "create-incident",
            What::Event { .. } => "send-event",
            What::Metric { .. } => "send-metric",
        }
    }
    /// Late past `[deadlines] record`; the rest has no deadline of its own.
    pub const fn is_due(&self) -> bool {
        match self {
            What::Change { .. } | What::Close { .. } => true,
            What::Incident { .. } | What::Event { .. } | What::Metric { .. } => false,
        }
    }
}
