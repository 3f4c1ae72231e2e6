//! Who may be a leaver, and since when the clock runs: HR's word, or somebody's against it.

use chrono::{DateTime, Utc};

use super::{
    dates::{self, Instant},
    employment::{Word, judge},
    leaver::{Ask, Override},
    refusal::Refusal,
};
use crate::model::{Catalogue, Hr, Observation, Person, Policy, policy::OverrideBy};

/// Why they are a leaver, and since when the clock runs.
pub(super) struct Cause {
    pub why: String,
    pub effective: Option<DateTime<Utc>>,
    pub clock: Option<DateTime<Utc>>,
    pub zoneless: Option<String>,
    /// Why nothing comes after containment for now.
    pub contain_only: Option<String>,
}

pub(super) fn cause(seen: &Observation, policy: &Policy, now: DateTime<Utc>, ask: &Ask) -> Result<Cause, Refusal> {
    let person = &seen.person;
    let login = person.login.clone();
    let refusal = match judge(person, policy, now) {
        Word::Left { leaving } => {
            return Ok(Cause {
                contain_only: ask.contain_only.clone(),
                ..confirmed(seen, leaving)
            });
        }
        Word::Employed { leaves: Some(l) } => Refusal::LeavesLater {
            login,
            at: l.at,
            source: l.source(),
        },
        Word::Employed { leaves: None } => match &person.hr {
            Hr::Converted { worker, ended } => Refusal::Converted {
                login,
                ended: ended.clone(),
                live: worker.key.clone(),
            },
            Hr::Known(w) => Refusal::Employed {
                login,
                since: w.hired.map(|h| dates::day(w, policy, h).to_string()),
            },
            Hr::Missing | Hr::Contradiction(_) => Refusal::Employed { login, since: None },
        },
        Word::Missing => Refusal::NotInRoster { login },
        Word::SetAside(refusal) => refusal,
    };
    match &ask.overrule {
        None => Err(refusal),
        Some(Override { reason, ticket }) => Ok(Cause {
            why: format!("overrides HR: {reason} ({ticket})"),
            effective: Some(now),
            clock: Some(now),
            zoneless: None,
            contain_only: (policy.override_by == OverrideBy::Approver && !ask.approved)
                .then(|| "HR has not confirmed, so what comes after waits for an approver".to_owned())
                .or_else(|| ask.contain_only.clone()),
        }),
    }
}

fn confirmed(seen: &Observation, leaving: Option<Instant>) -> Cause {
    let recorded = seen.person.worker().and_then(|w| w.recorded);
    let effective = leaving.as_ref().map(|l| l.at);
    let changed = match recorded {
        Some(at) => format!(" (record changed {})", dates::text(at)),
        None => String::new(),
    };
    Cause {
        why: match &leaving {
            Some(l) => format!("HR: left {}, by {}{changed}", dates::text(l.at), l.source()),
            None => format!("HR: no longer employed, without a leaving date{changed}"),
        },
        effective,
        clock: recorded.map(|r| effective.map_or(r, |e| e.max(r))),
        zoneless: leaving.and_then(|l| l.zoneless),
        contain_only: None,
    }
}

/// Protection stops mistakes. Where the list could not be read whole, nobody may be assumed unprotected.
pub(super) fn unprotected(person: &Person, tenant: &Catalogue) -> Result<(), Refusal> {
    let login = person.login.clone();
    if let Some(why) = tenant.protected.get(&person.id) {
        return Err(Refusal::Protected {
            login,
            why: why.clone(),
        });
    }
    match &tenant.protection_unknown {
        Some(failure) => Err(Refusal::ProtectionUnknown {
            login,
            failure: Box::new(failure.clone()),
        }),
        None => Ok(()),
    }
}
