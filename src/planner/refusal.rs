//! Why there is no plan. Each says what a person can do; the class says what it means for an exit code, the number is `cli`'s.

use std::fmt;

use chrono::{DateTime, Utc};

use super::dates::text;
use crate::model::{Failure, GroupFault};

/// What a refusal means to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Policy says no.
    Refused,
    /// The sources contradict themselves: refused by hand; in sweep the person is set aside, the rest goes on.
    SetAside,
    /// Something that must be known could not be read: nothing was begun for this person.
    Unread,
    /// Not yet: refused by hand; in sweep listed with its instant.
    Future,
    /// A whole read that can't be true: the short-read guard, a brake.
    Unbelievable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// HR says that they work here.
    Employed {
        login: String,
        since: Option<String>,
    },
    /// They leave, but not yet.
    LeavesLater {
        login: String,
        at: DateTime<Utc>,
        source: String,
    },
    /// They start, but not yet.
    StartsLater {
        login: String,
        at: DateTime<Utc>,
        source: String,
    },
    /// A leaving date before the present hire date.
    Stale {
        login: String,
        source: String,
        hired: String,
    },
    Contradiction {
        login: String,
        what: String,
    },
    NotInRoster {
        login: String,
    },
    /// Another record of the same human lives.
    Converted {
        login: String,
        ended: String,
        live: String,
    },
    /// HR says that they have left: a leaver, whatever else was asked.
    HasLeft {
        login: String,
        source: String,
    },
    Protected {
        login: String,
        why: String,
    },
    ProtectionUnknown {
        login: String,
        failure: Box<Failure>,
    },
    Unread {
        login: String,
        what: String,
        failure: Box<Failure>,
    },
    /// The record is still being written.
    Settling {
        login: String,
        until: DateTime<Utc>,
    },
    Department {
        login: String,
        department: Option<String>,
    },
    WorkerType {
        login: String,
        worker_type: Option<String>,
    },
    Group {
        name: String,
        rule: String,
        fault: Box<GroupFault>,
    },
    /// The directory has shut the account; only a joiner with activation opens it again.
    Deprovisioned {
        login: String,
    },
    /// What nobody may be granted, or nobody needs.
    NoException {
        login: String,
        group: String,
        why: String,
    },
    /// Terraform owns the groups.
    Terraform,
    /// An answer without a single group is not believed.
    NoGroups,
    /// A plan that its own lint calls unlawful.
    Fatal {
        login: String,
        text: String,
    },
    /// Consent was given for somebody else, or not for everybody.
    NotAgreed {
        missing: Vec<String>,
    },
}

impl Refusal {
    pub fn class(&self) -> Class {
        match self {
            Refusal::LeavesLater { .. } | Refusal::StartsLater { .. } | Refusal::Settling { .. } => Class::Future,
            Refusal::Stale { .. } | Refusal::Contradiction { .. } => Class::SetAside,
            Refusal::NoGroups => Class::Unbelievable,
            Refusal::Unread { .. } | Refusal::ProtectionUnknown { .. } => Class::Unread,
            Refusal::Group { fault, .. } if matches!(**fault, GroupFault::Unread(_)) => Class::Unread,
            Refusal::Employed { .. }
            | Refusal::NotInRoster { .. }
            | Refusal::Converted { .. }
            | Refusal::HasLeft { .. }
            | Refusal::Protected { .. }
            | Refusal::Department { .. }
            | Refusal::WorkerType { .. }
            | Refusal::Group { .. }
            | Refusal::Deprovisioned { .. }
            | Refusal::NoException { .. }
            | Refusal::Terraform
            | Refusal::Fatal { .. }
            | Refusal::NotAgreed { .. } => Class::Refused,
        }
    }

    /// The failed read behind it, where that is the cause.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Refusal::Unread { failure, .. } | Refusal::ProtectionUnknown { failure, .. } => Some(failure),
            Refusal::Group { fault, .. } => match fault.as_ref() {
                GroupFault::Unread(failure) => Some(failure),
                GroupFault::Missing | GroupFault::Twice | GroupFault::WrongKind => None,
            },
            _ => None,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Refusal::Employed { .. } | Refusal::LeavesLater { .. } | Refusal::NotInRoster { .. } => {
                Some("--reason TEXT and --ticket ID override HR.".to_owned())
            }
            Refusal::Stale { .. } | Refusal::Contradiction { .. } => Some("Correct the record in HR.".to_owned()),
            Refusal::Protected { .. } => {
                Some("Protection ends in [protect] of the configuration, or by an approver.".to_owned())
            }
            Refusal::HasLeft { login, .. } => Some(format!("jml leaver {login}")),
            Refusal::Department { .. } => {
                Some("Give the department a code in [policy] departments, or correct it in HR.".to_owned())
            }
            Refusal::WorkerType { .. } => {
                Some("Give the worker type its groups in [policy] birthright, or correct it in HR.".to_owned())
            }
            Refusal::Group { fault, .. } => match &**fault {
                GroupFault::Missing => Some("jml groups plan".to_owned()),
                GroupFault::Twice => Some("Rename all but one of them in Okta.".to_owned()),
                GroupFault::WrongKind => Some("Policy's groups must be Okta groups, not an application's.".to_owned()),
                GroupFault::Unread(f) => f.hint.as_ref().map(|h| h.text.clone()),
            },
            Refusal::Deprovisioned { login } => Some(format!("jml joiner {login} --rehire --activate")),
            Refusal::Unread { failure, .. } | Refusal::ProtectionUnknown { failure, .. } => {
                failure.hint.as_ref().map(|h| h.text.clone())
            }
            Refusal::Terraform => Some("jml groups export --format terraform".to_owned()),
            Refusal::NoGroups => Some("Has jml's app an admin role that sees groups?  jml doctor okta".to_owned()),
            Refusal::StartsLater { .. }
            | Refusal::Converted { .. }
            | Refusal::NoException { .. }
            | Refusal::Settling { .. }
            | Refusal::Fatal { .. }
            | Refusal::NotAgreed { .. } => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Employed { login, since: None } => write!(f, "{login}: HR says active"),
            Refusal::Employed {
                login,
                since: Some(since),
            } => write!(f, "{login}: HR says active since {since}"),
            Refusal::LeavesLater { login, at, source } => {
                write!(f, "{login} is not yet terminated: leaves at {} ({source})", text(*at))
            }
            Refusal::StartsLater { login, at, source } => {
                write!(f, "{login} does not start yet: due at {} ({source})", text(*at))
            }
            Refusal::Stale { login, source, hired } => write!(
                f,
                "{login}: {source} is stale, it lies before the present hire date; HR says active since {hired}"
            ),
            Refusal::Contradiction { login, what } => write!(f, "{login}: the sources contradict themselves: {what}"),
            Refusal::NotInRoster { login } => {
                write!(
                    f,
                    "{login} is not in the roster, which does not say that they have left"
                )
            }
            Refusal::Converted { login, ended, live } => write!(
                f,
                "{login} was converted, and has not left: record {ended} ended, record {live} is live"
            ),
            Refusal::HasLeft { login, source } => write!(f, "{login} has left by HR ({source})"),
            Refusal::Protected { login, why } => write!(f, "{login} is protected: {why}"),
            Refusal::ProtectionUnknown { login, failure } => {
                write!(f, "{login}: who is protected could not be read: {failure}")
            }
            Refusal::Unread { login, what, failure } => write!(f, "{login}: {what} could not be read: {failure}"),
            Refusal::Settling { login, until } => write!(
                f,
                "{login}: the record is still being written; looked at again at {}",
                text(*until)
            ),
            Refusal::Department {
                login,
                department: Some(d),
            } => write!(f, "{login}: department \"{d}\" has no code in policy"),
            Refusal::Department {
                login,
                department: None,
            } => write!(f, "{login} has no department"),
            Refusal::WorkerType {
                login,
                worker_type: Some(t),
            } => write!(f, "{login}: worker type \"{t}\" has no birthright in policy"),
            Refusal::WorkerType {
                login,
                worker_type: None,
            } => write!(f, "{login} has no worker type"),
            Refusal::Group { name, rule, fault } => match &**fault {
                GroupFault::Missing => write!(f, "group {name} ({rule}) does not exist"),
                GroupFault::Twice => write!(f, "group {name} ({rule}) exists more than once"),
                GroupFault::WrongKind => write!(f, "group {name} ({rule}) is not an Okta group"),
                GroupFault::Unread(e) => write!(f, "group {name} ({rule}) could not be read: {e}"),
            },
            Refusal::Deprovisioned { login } => write!(f, "{login} is DEPROVISIONED"),
            Refusal::NoException { login, group, why } => {
                write!(f, "{login} is granted no exception for {group}: {why}")
            }
            Refusal::Terraform => f.write_str("groups are owned by Terraform: jml plans and compares them only"),
            Refusal::NoGroups => f.write_str("the tenant answered without a single group, which is not believed"),
            Refusal::Fatal { login, text } => write!(f, "{login}: {text}"),
            Refusal::NotAgreed { missing } => write!(f, "not confirmed: {}", missing.join(", ")),
        }
    }
}

impl std::error::Error for Refusal {}
