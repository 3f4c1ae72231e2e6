//! How a step ended, and a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Failure;

/// Lower case in one column on every screen. Believe only a fresh read: nothing but `settle` gives `Verified`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// An independent read after the effect shows its postcondition.
    Verified,
    /// The vendor accepted it.
    Done,
    /// It was so before we came.
    Already,
    /// Gone from Okta; the app's own account was not read.
    Unassigned,
    /// Refused, or given up: something needs repair.
    Failed {
        failure: Failure,
    },
    /// It left and no answer came.
    InDoubt {
        failure: Failure,
    },
    /// Waits for something named; sweep tries again. Past `until`, or without one, it raises the exit code.
    Owed {
        failure: Failure,
        until: Option<DateTime<Utc>>,
    },
    NotTried {
        why: String,
    },
}

impl Outcome {
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Verified => "verified",
            Outcome::Done => "done",
            Outcome::Already => "already",
            Outcome::Unassigned => "unassigned",
            Outcome::Failed { .. } => "failed",
            Outcome::InDoubt { .. } => "in-doubt",
            Outcome::Owed { .. } => "owed",
            Outcome::NotTried { .. } => "not-tried",
        }
    }
    /// Nothing is left to do for it.
    pub const fn settled(&self) -> bool {
        matches!(
            self,
            Outcome::Verified | Outcome::Done | Outcome::Already | Outcome::Unassigned
        )
    }
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Failed { failure } | Outcome::InDoubt { failure } | Outcome::Owed { failure, .. } => Some(failure),
            Outcome::Verified | Outcome::Done | Outcome::Already | Outcome::Unassigned | Outcome::NotTried { .. } => {
                None
            }
        }
    }
}

/// What a provider gives for an effect that was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The vendor said that it was so before.
    #[serde(default)]
    pub already: bool,
    /// What the vendor made: a record's number, a new account's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonResult {
    Planned,
    Complete,
    Partial,
    Held,
    Refused,
    Nothing,
}

impl PersonResult {
    /// As screens write it.
    pub const fn word(self) -> &'static str {
        match self {
            PersonResult::Planned => "PLANNED",
            PersonResult::Complete => "COMPLETE",
            PersonResult::Partial => "PARTIAL",
            PersonResult::Held => "HELD",
            PersonResult::Refused => "REFUSED",
            PersonResult::Nothing => "NOTHING TO DO",
        }
    }
    pub const fn name(self) -> &'static str {
        match self {
            PersonResult::Planned => "planned",
            PersonResult::Complete => "complete",
            PersonResult::Partial => "partial",
            PersonResult::Held => "held",
            PersonResult::Refused => "refused",
            PersonResult::Nothing => "nothing",
        }
    }
}
