//! A person as the directory knows them, and what the roster says of their employment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The directory's own id. People are acted on by it; every other string only finds candidates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Okta's user status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    PasswordExpired,
    LockedOut,
    Suspended,
    Deprovisioned,
}

impl Status {
    pub const ALL: [Status; 8] = [
        Status::Staged,
        Status::Provisioned,
        Status::Active,
        Status::Recovery,
        Status::PasswordExpired,
        Status::LockedOut,
        Status::Suspended,
        Status::Deprovisioned,
    ];
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Staged => "STAGED",
            Status::Provisioned => "PROVISIONED",
            Status::Active => "ACTIVE",
            Status::Recovery => "RECOVERY",
            Status::PasswordExpired => "PASSWORD_EXPIRED",
            Status::LockedOut => "LOCKED_OUT",
            Status::Suspended => "SUSPENDED",
            Status::Deprovisioned => "DEPROVISIONED",
        }
    }
    pub fn live(self) -> bool {
        self != Status::Deprovisioned
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A bare date stays a date until the planner, who knows the policy, turns it into an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum When {
    Instant(DateTime<Utc>),
    Day(NaiveDate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Employment {
    Active,
    OnLeave,
    /// The last day of work is past, the termination is to come.
    GardenLeave,
    Terminated,
    /// Rescinded, no-show: employment that never began.
    Cancelled,
}

impl Employment {
    /// On somebody's payroll by HR's word; a date may say otherwise.
    pub fn employed(self) -> bool {
        matches!(self, Employment::Active | Employment::OnLeave | Employment::GardenLeave)
    }
}

/// What the roster says of one employment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// HR's own id of the record (the Okta id where Okta is the roster).
    pub key: String,
    /// The same human across records, where HR has such a number.
    pub universal: Option<String>,
    pub login: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub location: Option<String>,
    /// Where their dates end, where HR itself says so; it outranks policy's zones.
    #[serde(default)]
    pub zone: Option<Tz>,
    /// `employee`, `contractor`, … as policy's birthright table names them, lower case.
    pub worker_type: Option<String>,
    /// Login, id or number of the manager: whatever the source maps.
    pub manager: Option<String>,
    pub employment: Employment,
    pub hired: Option<When>,
    pub terminated: Option<When>,
    pub last_day: Option<When>,
    /// HR tells of an earlier employment; its dates are not among these.
    #[serde(default)]
    pub rehired: bool,
    /// When HR's record got this state; `None` where the source can't tell.
    pub recorded: Option<DateTime<Utc>>,
    /// The record was still being written at the read (mover and joiner wait, `settle`).
    pub changed: Option<DateTime<Utc>>,
    /// A source's own meaning of a bare leaving date, outranking `termination_day`: true = the day's end.
    pub day_is_end: Option<bool>,
    /// `roster.csv line 17`, for messages.
    pub place: Option<String>,
    /// The source's own contradiction (two rows that disagree, a date that is none): the person is set aside for it.
    pub fault: Option<String>,
}

/// The roster's word on a person of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hr {
    Known(Box<Worker>),
    /// Two records of one human by HR's own number, of which one ended (its key): a conversion, not a leaving.
    Converted {
        worker: Box<Worker>,
        ended: String,
    },
    /// Read whole, and not there. Unknown, never "terminated".
    Missing,
    /// More than one live record, or two that disagree.
    Contradiction(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub login: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub status: Status,
    /// Lifecycle operations that the directory offers now (`suspend`, `deactivate`, `activate`, …): its `_links`.
    pub offers: BTreeSet<String>,
    /// An asynchronous change of status still runs.
    pub transitioning: bool,
    /// Where the password lives: OKTA, ACTIVE_DIRECTORY, …
    pub credentials: String,
    pub created: Option<DateTime<Utc>>,
    pub status_changed: Option<DateTime<Utc>>,
    pub last_updated: Option<DateTime<Utc>>,
    /// The directory's profile, text values only: what policy and display read.
    pub profile: BTreeMap<String, String>,
    pub hr: Hr,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
    pub fn worker(&self) -> Option<&Worker> {
        match &self.hr {
            Hr::Known(w) | Hr::Converted { worker: w, .. } => Some(w),
            Hr::Missing | Hr::Contradiction(_) => None,
        }
    }
}
