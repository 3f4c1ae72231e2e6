//! May a read be believed at all? Content is guarded, not only count: a column that is empty everywhere finds no leavers for ever.
//!
//! Says no for the whole read; a single person's contradiction is `employment`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::model::{Employment, Hr, Limit, Limits, Person, PersonId, Policy, Worker, policy::LeaverDate};

/// What the last good sweep left behind, as the ledger keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub people: usize,
    /// How many had each field that policy branches on.
    pub fill: BTreeMap<String, usize>,
    /// Digest of the policy.
    pub policy: String,
    /// Logins of known people.
    pub canaries: Vec<String>,
}

/// Why nothing may be planned from this read: exit 5, whatever `on_brake` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    Empty {
        before: usize,
    },
    Short {
        now: usize,
        before: usize,
    },
    Fill {
        field: String,
        now: usize,
        before: usize,
    },
    Unfilled {
        field: String,
        of: usize,
    },
    Canaries {
        missing: Vec<String>,
    },
    Contradictions {
        found: usize,
        of: usize,
        limit: usize,
        first: String,
    },
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distrust::Empty { before: 0 } => f.write_str("the roster answered with nobody at all"),
            Distrust::Empty { before } => write!(
                f,
                "the roster answered with 0 people, {before} in the last good read; likely cause: jml's app has no admin role"
            ),
            Distrust::Short { now, before } => {
                write!(f, "{now} people were read, {before} in the last good read")
            }
            Distrust::Fill { field, now, before } => write!(
                f,
                "{field} is filled for {now} people, for {before} in the last good read; policy branches on it"
            ),
            Distrust::Unfilled { field, of } => write!(
                f,
                "{field} is filled for 0 of {of} people, and policy branches on it: is it mapped?"
            ),
            Distrust::Canaries { missing } => {
                write!(f, "known people are missing from the read: {}", missing.join(", "))
            }
            Distrust::Contradictions {
                found,
                of,
                limit,
                first,
            } => write!(
                f,
                "{found} of {of} people contradict themselves; the limit is {limit}. First: {first}"
            ),
        }
    }
}

impl std::error::Error for Distrust {}

/// A firm may be too small to say anything of shares.
const FEW: usize = 20;

/// Fields that policy branches on, with how many people have each.
pub fn fill<'a>(workers: impl Iterator<Item = &'a Worker>, policy: &Policy) -> BTreeMap<String, usize> {
    let branches = |key: &str| policy.rules.iter().any(|r| r.when.contains_key(key));
    let dates: &[&str] = match policy.leaver_date {
        LeaverDate::TerminationDate => &["terminationDate"],
        LeaverDate::LastDayOfWork => &["lastDayOfWork"],
        LeaverDate::Earlier => &["terminationDate", "lastDayOfWork"],
    };
    let mut counts: BTreeMap<String, usize> = ["department", "workerType"]
        .iter()
        .chain(dates)
        .map(|f| ((*f).to_owned(), 0))
        .collect();
    if branches("title") {
        counts.insert("title".to_owned(), 0);
    }
    if branches("location") || !policy.zones.is_empty() {
        counts.insert("location".to_owned(), 0);
    }
    let text = |v: &Option<String>| v.as_deref().is_some_and(|s| !s.trim().is_empty());
    for w in workers {
        for (field, n) in &mut counts {
            let filled = match field.as_str() {
                "department" => text(&w.department),
                "workerType" => text(&w.worker_type),
                "title" => text(&w.title),
                "location" => text(&w.location),
                "terminationDate" => w.terminated.is_some() || left_without_date(w),
                "lastDayOfWork" => w.last_day.is_some() || left_without_date(w),
                _ => false,
            };
            *n += usize::from(filled);
        }
    }
    counts
}

/// A source that says "terminated" in so many words needs no date to find its leavers.
fn left_without_date(worker: &Worker) -> bool {
    matches!(worker.employment, Employment::Terminated | Employment::Cancelled)
}

/// Count, fill and canaries against the last good read.
pub fn believe(people: &[Person], policy: &Policy, limits: &Limits, last: Option<&Memory>) -> Result<(), Distrust> {
    let before = last.map_or(0, |l| l.people);
    if people.is_empty() {
        return Err(Distrust::Empty { before });
    }
    let now = people.len();
    if before.saturating_sub(now) > limits.short_read.of(before) {
        return Err(Distrust::Short { now, before });
    }
    if let Some(last) = last {
        let logins: BTreeSet<&str> = people.iter().map(|p| p.login.as_str()).collect();
        let missing: Vec<String> = last
            .canaries
            .iter()
            .filter(|c| !logins.contains(c.as_str()))
            .cloned()
            .collect();
        // One of them may have been deleted; not most of them at once.
        if missing.len() * 2 > last.canaries.len() {
            return Err(Distrust::Canaries { missing });
        }
    }
    let counts = fill(people.iter().filter_map(Person::worker), policy);
    for (field, now) in counts {
        let before = last.and_then(|l| l.fill.get(&field)).copied();
        match before {
            Some(before) if before.saturating_sub(now) > fall(&limits.short_read, before, people.len()) => {
                return Err(Distrust::Fill { field, now, before });
            }
            None if now == 0 && people.len() >= FEW => {
                return Err(Distrust::Unfilled {
                    field,
                    of: people.len(),
                });
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// How far a fill may fall. Dates of the few who leave come and go with the people; every department does not.
fn fall(limit: &Limit, before: usize, people: usize) -> usize {
    let sparse = before * 10 < people;
    limit.of(before).max(if sparse { before / 2 } else { 0 })
}

/// Many rows that contradict themselves are one bad source.
pub fn consistent<'a>(
    set_aside: impl Iterator<Item = &'a str>,
    people: usize,
    limits: &Limits,
) -> Result<(), Distrust> {
    let all: Vec<&str> = set_aside.collect();
    let limit = limits.rejected.of(people);
    match all.first() {
        Some(first) if all.len() > limit => Err(Distrust::Contradictions {
            found: all.len(),
            of: people,
            limit,
            first: (*first).to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Known people whom the next read must find again: spread over the roster, employed, active.
pub fn canaries(people: &[Person]) -> Vec<String> {
    let steady = |p: &&Person| {
        p.status == crate::model::Status::Active
            && matches!(&p.hr, Hr::Known(w) if w.employment == Employment::Active && w.terminated.is_none())
    };
    let known: BTreeMap<&PersonId, &Person> = people.iter().filter(steady).map(|p| (&p.id, p)).collect();
    let all: Vec<&&Person> = known.values().collect();
    let mut out: Vec<String> = [0, all.len() / 2, all.len().saturating_sub(1)]
        .into_iter()
        .filter_map(|n| all.get(n).map(|p| p.login.clone()))
        .collect();
    out.dedup();
    out
}
