//! What HR's record amounts to. One function, so that no flow has an opinion of its own about who works here.
//!
//! Absent is not terminated, and a record that contradicts itself is nobody's permission: both come out as words of their own.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{
    dates::{self, Instant},
    refusal::Refusal,
};
use crate::model::{Employment, Hr, Person, Policy, When, Worker, policy::GardenLeave};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Works here (or is on leave); a leaving date to come may be known.
    Employed {
        leaves: Option<Instant>,
    },
    /// Has left: by a date, or by HR's word alone.
    Left {
        leaving: Option<Instant>,
    },
    Missing,
    /// Shown, never changed.
    SetAside(Refusal),
}

pub fn judge(person: &Person, policy: &Policy, now: DateTime<Utc>) -> Word {
    word(person, &person.hr, policy, now)
}

/// What one of two systems says of the person.
pub struct Says<'a> {
    pub system: &'a str,
    pub hr: Hr,
}

/// Two systems' words on one person: `leavers` decides who leaves and when, `source` all else. Who isn't in `leavers` is `source`'s alone,
/// for absent is not terminated; and a leaving that the deciding one contradicts is nobody's permission.
pub fn both(person: &Person, source: Says<'_>, leavers: Says<'_>, policy: &Policy, now: DateTime<Utc>) -> Hr {
    let of = |says: &Says<'_>| word(person, &says.hr, policy, now);
    match (of(&leavers), of(&source)) {
        (Word::Missing, _) => source.hr,
        (Word::Left { .. } | Word::SetAside(_), _) => leavers.hr,
        (Word::Employed { .. }, Word::Left { leaving }) => {
            let when = leaving.map_or_else(|| "without a date".to_owned(), |l| l.source());
            Hr::Contradiction(format!(
                "{} says that they left ({when}), {} that they work here",
                source.system, leavers.system
            ))
        }
        (Word::Employed { .. }, Word::Missing | Word::SetAside(_)) => source.hr,
        (Word::Employed { .. }, Word::Employed { .. }) => leaving_by(source.hr, leavers.hr),
    }
}

/// The one record, with what the other says of its end.
fn leaving_by(mut source: Hr, leavers: Hr) -> Hr {
    if let (
        Hr::Known(ours) | Hr::Converted { worker: ours, .. },
        Hr::Known(theirs) | Hr::Converted { worker: theirs, .. },
    ) = (&mut source, leavers)
    {
        ours.employment = theirs.employment;
        ours.terminated = theirs.terminated;
        ours.last_day = theirs.last_day;
        ours.day_is_end = theirs.day_is_end;
        ours.zone = theirs.zone.or(ours.zone);
        ours.recorded = theirs.recorded;
    }
    source
}

fn word(person: &Person, hr: &Hr, policy: &Policy, now: DateTime<Utc>) -> Word {
    match hr {
        Hr::Missing => Word::Missing,
        Hr::Contradiction(what) => contradiction(&person.login, what.clone()),
        Hr::Converted { worker, .. } => of_worker(&person.login, worker, policy, now),
        Hr::Known(worker) => match stale_profile(person, worker, policy) {
            Some(refusal) => Word::SetAside(refusal),
            None => of_worker(&person.login, worker, policy, now),
        },
    }
}

/// Settles several records of one human, as the roster gave them. Two live ones, or the same login without HR's own number to tie them, are
/// a contradiction: enough to hold, never enough to act.
pub fn settle(mut records: Vec<Worker>) -> Hr {
    let Some(first) = records.pop() else {
        return Hr::Missing;
    };
    if records.is_empty() {
        return Hr::Known(Box::new(first));
    }
    records.push(first);
    let keys = records.iter().map(|w| w.key.clone()).collect::<Vec<_>>().join(" and ");
    let one_human = records[0].universal.is_some() && records.iter().all(|w| w.universal == records[0].universal);
    let (live, ended): (Vec<_>, Vec<_>) = records.into_iter().partition(|w| w.employment.employed());
    match (<[Worker; 1]>::try_from(live), one_human) {
        (Ok([worker]), true) => Hr::Converted {
            worker: Box::new(worker),
            ended: ended.iter().map(|w| w.key.clone()).collect::<Vec<_>>().join(", "),
        },
        (Ok(_), false) => Hr::Contradiction(format!("records {keys} share a login, and no universal id ties them")),
        (Err(live), _) if live.is_empty() && one_human => latest(ended),
        (Err(_), _) => Hr::Contradiction(format!("records {keys} are for one person")),
    }
}

/// All ended: the employment that ended last counts.
fn latest(ended: Vec<Worker>) -> Hr {
    let day = |w: &Worker| match w.terminated {
        None => None,
        Some(When::Day(d)) => Some(d),
        Some(When::Instant(t)) => Some(t.date_naive()),
    };
    match ended.into_iter().max_by_key(day) {
        Some(w) => Hr::Known(Box::new(w)),
        None => Hr::Missing,
    }
}

fn contradiction(login: &str, what: String) -> Word {
    Word::SetAside(Refusal::Contradiction {
        login: login.to_owned(),
        what,
    })
}

fn at_place(worker: &Worker, what: &str) -> String {
    match &worker.place {
        Some(place) => format!("{what} ({place})"),
        None => what.to_owned(),
    }
}

fn of_worker(login: &str, worker: &Worker, policy: &Policy, now: DateTime<Utc>) -> Word {
    if let Some(fault) = &worker.fault {
        return contradiction(login, at_place(worker, fault));
    }
    let leaving = dates::leaving(worker, policy);
    let hired = worker.hired.map(|h| dates::day(worker, policy, h));
    if let (Some(l), Some(hired)) = (&leaving, hired)
        && dates::day(worker, policy, l.date) < hired
    {
        return Word::SetAside(Refusal::Stale {
            login: login.to_owned(),
            source: at_place(worker, &l.source()),
            hired: hired.to_string(),
        });
    }
    match (worker.employment, leaving) {
        // Employment that never began has no leaving date.
        (Employment::Cancelled, _) | (Employment::Terminated, None) => Word::Left { leaving: None },
        (Employment::GardenLeave, leaving) if policy.garden_leave == GardenLeave::Terminate => Word::Left {
            leaving: leaving.filter(|l| l.at <= now),
        },
        (Employment::Terminated, Some(l)) if l.at <= now => Word::Left { leaving: Some(l) },
        (Employment::Active | Employment::OnLeave | Employment::GardenLeave, Some(l)) if l.at <= now => {
            let end = terminated_for(worker, policy, hired, &l);
            let grace = TimeDelta::from_std(policy.grace).unwrap_or_default();
            match end {
                Some(at) if at + grace < now => contradiction(
                    login,
                    at_place(worker, &format!("HR says active, and {} has passed", l.source())),
                ),
                Some(_) | None => Word::Left { leaving: Some(l) },
            }
        }
        (_, leaves) => Word::Employed { leaves },
    }
}

/// Since when HR's status word should have said so. A last day of work that has passed leaves people on the payroll, and is no
/// contradiction; one that merely copies the hire date is.
fn terminated_for(
    worker: &Worker,
    policy: &Policy,
    hired: Option<NaiveDate>,
    leaving: &Instant,
) -> Option<DateTime<Utc>> {
    let copied = hired == Some(dates::day(worker, policy, leaving.date));
    if leaving.field == "terminationDate" || copied {
        return Some(leaving.at);
    }
    None
}

/// A leaving date in the directory's profile, from before the employment that HR tells of: HR cleared nothing on rehire.
fn stale_profile(person: &Person, worker: &Worker, policy: &Policy) -> Option<Refusal> {
    let hired = dates::day(worker, policy, worker.hired?);
    let date = person.profile.get("terminationDate")?;
    let day: NaiveDate = date.get(..10)?.parse().ok()?;
    (worker.terminated.is_none() && day < hired).then(|| Refusal::Stale {
        login: person.login.clone(),
        source: format!("terminationDate {day} in the directory's profile"),
        hired: hired.to_string(),
    })
}

/// For joiners and movers: somebody who works here today.
pub(super) fn works_here<'a>(person: &'a Person, policy: &Policy, now: DateTime<Utc>) -> Result<&'a Worker, Refusal> {
    let login = person.login.clone();
    match (judge(person, policy, now), person.worker()) {
        (Word::Employed { .. }, Some(worker)) => started(&login, worker, policy, now).map(|()| worker),
        (Word::Employed { .. } | Word::Missing, _) => Err(Refusal::NotInRoster { login }),
        (Word::Left { leaving }, _) => Err(left(login, leaving)),
        (Word::SetAside(refusal), _) => Err(refusal),
    }
}

/// The same for a record whose person the directory lacks.
pub(super) fn of_employee(login: &str, worker: &Worker, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    match of_worker(login, worker, policy, now) {
        Word::Employed { .. } => started(login, worker, policy, now),
        Word::Missing => Err(Refusal::NotInRoster {
            login: login.to_owned(),
        }),
        Word::Left { leaving } => Err(left(login.to_owned(), leaving)),
        Word::SetAside(refusal) => Err(refusal),
    }
}

fn left(login: String, leaving: Option<Instant>) -> Refusal {
    Refusal::HasLeft {
        login,
        source: leaving.map_or_else(|| "no leaving date".to_owned(), |l| l.source()),
    }
}

fn started(login: &str, worker: &Worker, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    match dates::starting(worker, policy) {
        Some(start) if start.at > now => Err(Refusal::StartsLater {
            login: login.to_owned(),
            at: start.at,
            source: start.source(),
        }),
        Some(_) | None => Ok(()),
    }
}
