//! An entry is an envelope, which is hashed and holds no names, and a body, which can be erased later while every proof still holds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::approval::Approved;
use crate::model::{Failure, Grant, Manifest, Outcome, PersonResult, Plan, Receipt, Record, StepNo, System};

pub type Seq = i64;

/// Whom an entry is about: a person's directory id, or `groups` for the tenant's groups. An index column beside the chain.
pub type Subject = String;

/// What happened. A variant's name in kebab case is the entry's `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "entry")]
pub enum Body {
    /// A command began.
    Opened(Opened),
    /// The plan for one subject, before its first effect. Again for the same subject: what is left of it, made anew; the steps
    /// that had not ended well are superseded.
    Planned {
        subject: Subject,
        plan: Plan,
        manifest: Manifest,
    },
    /// A plan that a brake, protection or a missing approval holds back.
    Held {
        subject: Subject,
        plan: Plan,
        why: String,
    },
    /// On disk before the call leaves. `step` counts over all plans of the subject in this run.
    Started {
        subject: Subject,
        step: StepNo,
    },
    Finished {
        subject: Subject,
        step: StepNo,
        outcome: Outcome,
        #[serde(default)]
        receipt: Option<Receipt>,
    },
    /// A fresh read showed the step's postcondition.
    Verified {
        subject: Subject,
        step: StepNo,
    },
    /// A fresh read contradicts what the vendor accepted, or shows that an in-doubt step never happened. Beside `Verified`
    /// the only thing that may follow a `Finished`: a step never has two of those.
    Refuted {
        subject: Subject,
        step: StepNo,
        failure: Failure,
    },
    /// An expectation was looked at.
    Expected {
        subject: Subject,
        expect: usize,
        outcome: Outcome,
    },
    /// A record for a recorder, to be delivered.
    Owed {
        record: Record,
        system: System,
    },
    /// An attempt that failed; the record stays owed. This and `Delivered` are written under the run that owes the record,
    /// whoever delivers it.
    Undelivered {
        key: String,
        system: System,
        failure: Failure,
    },
    Delivered {
        key: String,
        system: System,
        receipt: Receipt,
    },
    /// Somebody who may signed for what this run holds. Written under that run.
    Approved(Approved),
    /// An approval is used: before the first effect that it allows, and never again.
    Spent {
        approval: Seq,
    },
    /// An override ends: HR's word on this person counts again.
    Lifted {
        subject: Subject,
        reason: String,
    },
    /// Someone took the run up again.
    Resumed {
        operator: String,
    },
    /// The subject's work in this run has ended for now. A partial one stays open for the sweep.
    Closed {
        subject: Subject,
        result: PersonResult,
    },
    /// A person did what only a person can do, and says by what it can be seen.
    Ticked {
        subject: Subject,
        step: StepNo,
        evidence: String,
    },
    Linked {
        subject: Subject,
        system: System,
        account: String,
        is: bool,
    },
    /// An exception to policy, with its end. A later one for the same group takes its place; one whose end is past ends it.
    Granted {
        subject: Subject,
        grant: Grant,
    },
    /// Sweep's memory.
    Swept(Swept),
    /// Until then no run of this tenant begins an effect, on any host: but containment, unless it is `all`.
    Paused {
        until: DateTime<Utc>,
        reason: String,
        all: bool,
    },
    /// Somebody else than whoever paused has lifted it.
    Unpaused,
    Checkpoint {
        text: String,
    },
    /// The ledger could not be reached: from here on the run wrote on this host's own disk.
    Spooled {
        host: String,
        why: String,
        /// The leases under which the run worked until then.
        fences: BTreeMap<Subject, i64>,
    },
    /// A kind of a newer release: verifies, folds as opaque, blocks only its own run.
    #[serde(other)]
    Opaque,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The command: joiner, mover, leaver, sweep, groups-apply, resume, …
    pub kind: String,
    pub operator: String,
    /// How consent was given: `typed the login`, `--confirm`, `--yes`.
    pub consent: String,
    /// Digests of the whole configuration and of the policy in it.
    pub config: String,
    pub policy: String,
    pub version: String,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub ticket: Option<String>,
    /// By which role it was allowed. None: no roles were configured, or there were none yet.
    #[serde(default)]
    pub role: Option<String>,
    /// Where this is the first run under its policy: the last one under another.
    #[serde(default)]
    pub former: Option<Former>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    pub run: String,
    /// Its policy's digest.
    pub policy: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Swept {
    pub people: usize,
    pub pages: usize,
    /// Was the whole roster read and believed?
    pub good: bool,
    /// How many had each field that policy branches on.
    pub fill: BTreeMap<String, usize>,
    pub policy: String,
    /// Where the directory's log was left.
    pub cursor: Option<String>,
    /// Known people who must be found by the next read.
    pub canaries: Vec<String>,
    /// People of the directory that the roster lacked, since when.
    pub missing: BTreeMap<String, DateTime<Utc>>,
}

impl Body {
    pub const fn kind(&self) -> &'static str {
        match self {
            Body::Opened(_) => "opened",
            Body::Planned { .. } => "planned",
            Body::Held { .. } => "held",
            Body::Started { .. } => "started",
            Body::Finished { .. } => "finished",
            Body::Verified { .. } => "verified",
            Body::Refuted { .. } => "refuted",
            Body::Expected { .. } => "expected",
            Body::Owed { .. } => "owed",
            Body::Undelivered { .. } => "undelivered",
            Body::Delivered { .. } => "delivered",
            Body::Approved(_) => "approved",
            Body::Spent { .. } => "spent",
            Body::Lifted { .. } => "lifted",
            Body::Resumed { .. } => "resumed",
            Body::Closed { .. } => "closed",
            Body::Ticked { .. } => "ticked",
            Body::Linked { .. } => "linked",
            Body::Granted { .. } => "granted",
            Body::Swept(_) => "swept",
            Body::Paused { .. } => "paused",
            Body::Unpaused => "unpaused",
            Body::Checkpoint { .. } => "checkpoint",
            Body::Spooled { .. } => "spooled",
            Body::Opaque => "opaque",
        }
    }
    pub fn subject(&self) -> Option<&str> {
        match self {
            Body::Planned { subject, .. }
            | Body::Held { subject, .. }
            | Body::Started { subject, .. }
            | Body::Finished { subject, .. }
            | Body::Verified { subject, .. }
            | Body::Refuted { subject, .. }
            | Body::Expected { subject, .. }
            | Body::Closed { subject, .. }
            | Body::Ticked { subject, .. }
            | Body::Lifted { subject, .. }
            | Body::Linked { subject, .. }
            | Body::Granted { subject, .. } => Some(subject),
            Body::Opened(_)
            | Body::Owed { .. }
            | Body::Undelivered { .. }
            | Body::Delivered { .. }
            | Body::Approved(_)
            | Body::Spent { .. }
            | Body::Resumed { .. }
            | Body::Swept(_)
            | Body::Paused { .. }
            | Body::Unpaused
            | Body::Checkpoint { .. }
            | Body::Spooled { .. }
            | Body::Opaque => None,
        }
    }
    /// The login that a plan is for: an index column beside the body, erased with it.
    pub fn login(&self) -> Option<&str> {
        match self {
            Body::Planned { plan, .. } | Body::Held { plan, .. } => Some(&plan.login),
            Body::Opened(_)
            | Body::Started { .. }
            | Body::Finished { .. }
            | Body::Verified { .. }
            | Body::Refuted { .. }
            | Body::Expected { .. }
            | Body::Owed { .. }
            | Body::Undelivered { .. }
            | Body::Delivered { .. }
            | Body::Approved(_)
            | Body::Spent { .. }
            | Body::Lifted { .. }
            | Body::Resumed { .. }
            | Body::Closed { .. }
            | Body::Ticked { .. }
            | Body::Linked { .. }
            | Body::Granted { .. }
            | Body::Swept(_)
            | Body::Paused { .. }
            | Body::Unpaused
            | Body::Checkpoint { .. }
            | Body::Spooled { .. }
            | Body::Opaque => None,
        }
    }
    pub const fn step(&self) -> Option<StepNo> {
        match self {
            Body::Started { step, .. }
            | Body::Finished { step, .. }
            | Body::Verified { step, .. }
            | Body::Refuted { step, .. }
            | Body::Ticked { step, .. } => Some(*step),
            Body::Opened(_)
            | Body::Planned { .. }
            | Body::Held { .. }
            | Body::Expected { .. }
            | Body::Owed { .. }
            | Body::Undelivered { .. }
            | Body::Delivered { .. }
            | Body::Approved(_)
            | Body::Spent { .. }
            | Body::Lifted { .. }
            | Body::Resumed { .. }
            | Body::Closed { .. }
            | Body::Linked { .. }
            | Body::Granted { .. }
            | Body::Swept(_)
            | Body::Paused { .. }
            | Body::Unpaused
            | Body::Checkpoint { .. }
            | Body::Spooled { .. }
            | Body::Opaque => None,
        }
    }
}

/// What a writer hands in; the store seals it under its lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub run: String,
    pub operator: String,
    pub body: Body,
}

/// What is hashed: no names, no values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub v: u32,
    pub seq: Seq,
    pub time: DateTime<Utc>,
    pub run: String,
    pub step: Option<StepNo>,
    pub kind: String,
    pub operator: String,
    pub host: String,
    pub tenant: String,
    pub fence: Option<i64>,
    /// sha256(salt || canonical body), hex; the salt lies with the body.
    pub body: String,
    pub prev: String,
    /// Of an entry that was first written elsewhere: then `time` and `host` are those of its first writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spooled: Option<Origin>,
}

/// Where an entry stood before it was brought into the ledger: in the spool of a host that could not reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its number and hash there.
    pub seq: Seq,
    pub hash: String,
    pub merged: DateTime<Utc>,
    /// It stands here already, or somebody had gone on meanwhile: evidence of what that host did, which changes nothing any more.
    pub moot: bool,
}

impl Envelope {
    pub fn moot(&self) -> bool {
        self.spooled.as_ref().is_some_and(|o| o.moot)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub envelope: Envelope,
    /// sha256(prev || canonical envelope), hex.
    pub hash: String,
    /// `None`: erased by a purge.
    pub body: Option<Body>,
}
