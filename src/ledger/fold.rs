//! What happened, as one total function over entries.
//!
//! The executor, resume, the closing report, `run show`, the SLA and `-o json` all walk `next`; nobody else decides what an entry means.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::entry::{Opened, Seq, Subject};
use crate::model::{
    Expect, Failure, Flow, Manifest, Note, Outcome, PersonResult, Plan, Receipt, Record, Step, StepNo, System,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Waiting,
    /// Started, not finished: in doubt if nobody is working on it.
    Open {
        since: DateTime<Utc>,
    },
    Ended {
        outcome: Outcome,
        at: DateTime<Utc>,
        receipt: Option<Receipt>,
    },
    /// A later plan of the same run took its place.
    Superseded,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    pub step: Step,
    pub progress: Progress,
    pub verified: Option<DateTime<Utc>>,
    pub seq: Option<Seq>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExpectRecord {
    pub expect: Expect,
    pub outcome: Option<Outcome>,
}

/// One subject in one run. `steps` counts over all its plans; `after` of a later plan's steps is shifted accordingly.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonState {
    pub subject: Subject,
    pub login: String,
    pub name: String,
    pub flow: Flow,
    /// The newest plan (header, notes, apps); its steps begin at `base`.
    pub plan: Plan,
    pub base: StepNo,
    pub planned: DateTime<Utc>,
    pub manifest: Manifest,
    pub steps: Vec<StepRecord>,
    pub expects: Vec<ExpectRecord>,
    pub notes: Vec<Note>,
    /// Suspended or deactivated, and cleared afterwards.
    pub contained: Option<DateTime<Utc>>,
    /// The last access was verified gone (or given).
    pub completed: Option<DateTime<Utc>>,
    pub held: Option<String>,
    pub result: Option<PersonResult>,
    pub closed: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OutboxItem {
    pub record: Record,
    pub system: System,
    pub since: DateTime<Utc>,
    pub attempts: usize,
    pub failure: Option<Failure>,
    pub delivered: Option<(DateTime<Utc>, Receipt)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub run: String,
    pub opened: Option<(DateTime<Utc>, Opened)>,
    pub resumed: Vec<(DateTime<Utc>, String)>,
    pub people: BTreeMap<Subject, PersonState>,
    /// By (recorder, key).
    pub outbox: BTreeMap<(System, String), OutboxItem>,
    pub checkpoint: Option<String>,
    pub first: Option<Seq>,
    pub last: Option<(Seq, DateTime<Utc>)>,
    /// A body was purged, or is of a newer release: this run can be shown, not resumed.
    pub opaque: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    pub seq: Seq,
    pub why: &'static str,
}
