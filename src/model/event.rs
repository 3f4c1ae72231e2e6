//! What happens while it happens: for the live views only. The closing report is never made from events but from the ledger.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Effect, Outcome, Phase, System};

#[derive(Clone, Debug)]
pub enum Event {
    /// Reading is silent unless slow.
    Reading {
        what: String,
        done: usize,
        total: Option<usize>,
    },
    Started {
        login: String,
        step: usize,
        of: usize,
        phase: Phase,
        effect: Effect,
    },
    Waiting {
        login: String,
        step: usize,
        system: System,
        why: String,
    },
    Ended {
        login: String,
        step: usize,
        phase: Phase,
        effect: Effect,
        outcome: Outcome,
        took: Duration,
    },
    Contained {
        login: String,
        at: DateTime<Utc>,
        took: Duration,
    },
    Verifying {
        login: String,
        system: System,
    },
    Person {
        login: String,
        flow: String,
        result: String,
        line: String,
    },
    /// The ledger; contain goes on.
    Lost {
        why: String,
    },
    /// Somebody pulled the kill switch: who, until when, and why.
    Paused(String),
    Stopping {
        waits_for: Vec<System>,
    },
    Call(Call),
}

/// One call, for `-v`: no body, no secret.
#[derive(Clone, Debug)]
pub struct Call {
    pub system: System,
    pub method: String,
    /// The route with its query left out.
    pub route: String,
    pub status: Option<u16>,
    pub took: Duration,
    pub request: Option<String>,
}
