//! A day becomes an instant: where the worker is, and by the policy's meaning of a leaving day.
//!
//! Refuses to guess: no date gives no instant, and a location without a zone says so.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::{
    Policy, When, Worker,
    policy::{Day, LeaverDate},
};

/// When someone leaves or starts, and what said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instant {
    pub at: DateTime<Utc>,
    /// HR's date as it stood there.
    pub date: When,
    /// The field that decided: `terminationDate`, `lastDayOfWork`, `hireDate`.
    pub field: &'static str,
    /// A location that has no zone of its own, so that the policy's zone decided.
    pub zoneless: Option<String>,
}

impl Instant {
    /// `lastDayOfWork 2026-07-14`.
    pub fn source(&self) -> String {
        format!("{} {}", self.field, date_text(self.date))
    }
}

pub fn date_text(when: When) -> String {
    match when {
        When::Day(d) => d.to_string(),
        When::Instant(t) => text(t),
    }
}

/// `2026-03-02 09:04:31Z`, as every screen writes an instant.
pub fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn zone_of(policy: &Policy, worker: &Worker) -> (Tz, Option<String>) {
    match worker.zone {
        Some(tz) => (tz, None),
        None => zone(policy, worker.location.as_deref()),
    }
}

/// The worker's zone, and the location that had none (a firm without a table of zones has one zone and nothing to say).
pub fn zone(policy: &Policy, location: Option<&str>) -> (Tz, Option<String>) {
    match location.map(str::trim).filter(|l| !l.is_empty()) {
        None => (policy.zone, None),
        Some(l) => match policy.zones.get(l) {
            Some(tz) => (*tz, None),
            None if policy.zones.is_empty() => (policy.zone, None),
            None => (policy.zone, Some(l.to_owned())),
        },
    }
}

/// The first instant of that day there. Where clocks skip midnight, the day starts later.
fn first_instant(day: NaiveDate, tz: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..24)
        .find_map(|quarter| {
            tz.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarter)))
                .earliest()
        })
        .map_or_else(|| Utc.from_utc_datetime(&midnight), |t| t.with_timezone(&Utc))
}

fn instant(worker: &Worker, policy: &Policy, date: When, field: &'static str, end: bool) -> Instant {
    let (at, zoneless) = match date {
        When::Instant(t) => (t, None),
        When::Day(d) => {
            let (tz, zoneless) = zone_of(policy, worker);
            let day = if end {
                d.checked_add_days(Days::new(1)).unwrap_or(d)
            } else {
                d
            };
            (first_instant(day, tz), zoneless)
        }
    };
    Instant {
        at,
        date,
        field,
        zoneless,
    }
}

/// The leaving instant, by the date that policy names. A source without a last day of work falls back on its termination date, else its
/// people would never leave.
pub fn leaving(worker: &Worker, policy: &Policy) -> Option<Instant> {
    let end = worker.day_is_end.unwrap_or(policy.termination_day == Day::End);
    let terminated = worker
        .terminated
        .map(|d| instant(worker, policy, d, "terminationDate", end));
    let last = worker
        .last_day
        .map(|d| instant(worker, policy, d, "lastDayOfWork", end));
    match policy.leaver_date {
        LeaverDate::TerminationDate => terminated,
        LeaverDate::LastDayOfWork => last.or(terminated),
        LeaverDate::Earlier => match (terminated, last) {
            (Some(t), Some(l)) => Some(if l.at < t.at { l } else { t }),
            (t, l) => t.or(l),
        },
    }
}

/// The start of the first day, minus the lead that policy grants.
pub fn starting(worker: &Worker, policy: &Policy) -> Option<Instant> {
    let mut start = instant(worker, policy, worker.hired?, "hireDate", false);
    start.at -= TimeDelta::from_std(policy.joiner_lead).unwrap_or_default();
    Some(start)
}

/// The end of a day where the worker is, or the instant itself.
pub fn through(worker: &Worker, policy: &Policy, when: When) -> DateTime<Utc> {
    instant(worker, policy, when, "", true).at
}

/// The day of a date, for comparing dates of one record with each other (both are the worker's own).
pub fn day(worker: &Worker, policy: &Policy, when: When) -> NaiveDate {
    match when {
        When::Day(d) => d,
        When::Instant(t) => t.with_timezone(&zone_of(policy, worker).0).date_naive(),
    }
}
