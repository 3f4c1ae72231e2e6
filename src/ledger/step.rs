//! One step in one run: how far it is, and what may still become of it.

use chrono::{DateTime, Utc};

use super::entry::Seq;
use crate::model::{Failure, Flow, OnFailure, Outcome, Phase, Receipt, Step, StepNo, Verb, system::OKTA};

/// Which entry, and when.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub seq: Seq,
    pub time: DateTime<Utc>,
}

// Nearly every step ends: a box would be one more allocation for each.
#[allow(clippy::large_enum_variant)]
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
    /// Of its (last) Started.
    pub seq: Option<Seq>,
    /// Of its Finished, else of what settled it.
    pub ended: Option<Seq>,
}

impl StepRecord {
    pub(super) fn new(mut step: Step, base: StepNo) -> Self {
        for a in &mut step.after {
            *a += base;
        }
        StepRecord {
            step,
            progress: Progress::Waiting,
            verified: None,
            seq: None,
            ended: None,
        }
    }

    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.progress {
            Progress::Ended { outcome, .. } => Some(outcome),
            Progress::Waiting | Progress::Open { .. } | Progress::Superseded => None,
        }
    }
    /// Nothing is left to do for it.
    pub fn settled(&self) -> bool {
        self.outcome().is_some_and(Outcome::settled)
    }
    pub fn superseded(&self) -> bool {
        self.progress == Progress::Superseded
    }
    /// When it was known to be so: the fresh read, else the vendor's answer.
    pub(super) fn known(&self) -> Option<DateTime<Utc>> {
        match &self.progress {
            Progress::Ended { at, .. } => Some(self.verified.unwrap_or(*at)),
            Progress::Waiting | Progress::Open { .. } | Progress::Superseded => None,
        }
    }
    /// Is it about access? Files, messages, records and what people do by hand are not.
    pub(super) fn access(&self) -> bool {
        match self.step.phase {
            _ if self.step.effect.action.verb() == Verb::ByHand => false,
            Phase::Contain | Phase::Activate | Phase::Remove | Phase::Add | Phase::Close | Phase::Verify => true,
            Phase::Preserve | Phase::Tell | Phase::Record => false,
        }
    }
    pub(super) fn does(&self, verbs: &[Verb]) -> bool {
        self.step.effect.system == OKTA && verbs.contains(&self.step.effect.action.verb())
    }

    /// `taken_up`: when the run was last resumed. Only then may a step that is in doubt be sent again, after a look.
    pub(super) fn start(&mut self, at: At, taken_up: Option<Seq>) -> Result<(), &'static str> {
        match self.progress {
            Progress::Waiting => {}
            Progress::Open { .. } if taken_up > self.seq => {}
            Progress::Open { .. } => return Err("the step is under way"),
            Progress::Ended { .. } => return Err("the step has ended"),
            Progress::Superseded => return Err("a later plan took the step's place"),
        }
        self.progress = Progress::Open { since: at.time };
        self.seq = Some(at.seq);
        Ok(())
    }

    pub(super) fn finish(&mut self, outcome: &Outcome, receipt: Option<&Receipt>, at: At) -> Result<(), &'static str> {
        match self.progress {
            Progress::Open { .. } => {}
            Progress::Waiting => match outcome {
                Outcome::Already | Outcome::Failed { .. } | Outcome::Owed { .. } | Outcome::NotTried { .. } => {}
                Outcome::Verified | Outcome::Done | Outcome::Unassigned | Outcome::InDoubt { .. } => {
                    return Err("the step never started");
                }
            },
            Progress::Ended { .. } => return Err("the step has ended"),
            Progress::Superseded => return Err("a later plan took the step's place"),
        }
        if *outcome == Outcome::Verified {
            self.verified = Some(at.time);
        }
        self.end(outcome.clone(), receipt.cloned(), at);
        Ok(())
    }

    pub(super) fn verify(&mut self, at: At) -> Result<(), &'static str> {
        match &mut self.progress {
            Progress::Waiting => return Err("the step never started"),
            Progress::Superseded => return Err("a later plan took the step's place"),
            Progress::Open { .. } => self.end(Outcome::Verified, None, at),
            Progress::Ended { outcome, .. } => match outcome {
                // It was so before we came, and that is still the better word.
                Outcome::Already => {}
                Outcome::Verified
                | Outcome::Done
                | Outcome::Unassigned
                | Outcome::Failed { .. }
                | Outcome::InDoubt { .. }
                | Outcome::Owed { .. }
                | Outcome::NotTried { .. } => *outcome = Outcome::Verified,
            },
        }
        self.verified = Some(at.time);
        Ok(())
    }

    pub(super) fn refute(&mut self, failure: &Failure, at: At) -> Result<(), &'static str> {
        let failed = Outcome::Failed {
            failure: failure.clone(),
        };
        match &mut self.progress {
            Progress::Waiting => return Err("the step never started"),
            Progress::Superseded => return Err("a later plan took the step's place"),
            Progress::Open { .. } => self.end(failed, None, at),
            Progress::Ended { outcome, .. } => *outcome = failed,
        }
        self.verified = None;
        Ok(())
    }

    /// A task that a person did. Nothing reads it back: it is done, by their word and their evidence.
    pub(super) fn tick(&mut self, evidence: &str, at: At) -> Result<(), &'static str> {
        if self.step.effect.action.verb() != Verb::ByHand {
            return Err("that step is none for a person");
        }
        match self.progress {
            Progress::Ended {
                outcome: Outcome::Owed { .. },
                ..
            }
            | Progress::Waiting => {}
            Progress::Open { .. } | Progress::Ended { .. } => return Err("the task is not open"),
            Progress::Superseded => return Err("a later plan took the step's place"),
        }
        let receipt = Receipt {
            made: Some(evidence.to_owned()),
            ..Receipt::default()
        };
        self.end(Outcome::Done, Some(receipt), at);
        Ok(())
    }

    pub(super) fn end(&mut self, outcome: Outcome, receipt: Option<Receipt>, at: At) {
        self.ended = Some(at.seq);
        self.progress = Progress::Ended {
            outcome,
            at: at.time,
            receipt,
        };
    }

    /// It ended, but not well, and nothing may come after it.
    pub(super) fn stops(&self) -> bool {
        matches!(self.step.on_failure, OnFailure::Halt | OnFailure::Hold)
            && self.outcome().is_some_and(|o| !o.settled())
    }

    /// May still be owed while the person is complete: a leaver's running transfer, a record on its way.
    pub(super) fn may_be_late(&self, flow: Flow) -> bool {
        let owed = match self.outcome() {
            Some(Outcome::Owed { until, .. }) => until.is_some(),
            _ => false,
        };
        let kind = match self.step.phase {
            _ if self.step.effect.action.verb() == Verb::ByHand => flow == Flow::Leaver,
            Phase::Preserve => flow == Flow::Leaver,
            Phase::Record => true,
            Phase::Contain
            | Phase::Activate
            | Phase::Remove
            | Phase::Add
            | Phase::Tell
            | Phase::Close
            | Phase::Verify => false,
        };
        owed && kind
    }
}
