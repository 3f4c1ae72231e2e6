//! The cast's numbers in each system, by their place in the list, and the days of their stories.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// `00uC` and their place in the cast, from 1.
pub(in crate::sandbox) fn okta_id(place: usize) -> String {
    format!("00uC{:016}", place + 1)
}

pub(in crate::sandbox) fn slack_id(place: usize) -> String {
    format!("U0C{:07}", place + 1)
}

pub(in crate::sandbox) fn google_id(place: usize) -> String {
    format!("12{:019}", place + 1)
}

pub(in crate::sandbox) fn salesforce_id(place: usize) -> String {
    format!("005AF{:010}YAA", place + 1)
}

/// A day in Chicago, from its winter clock: never later than it is there.
pub(super) fn day(now: DateTime<Utc>, days: i64) -> NaiveDate {
    let today = (now - TimeDelta::hours(6)).date_naive();
    let off = Days::new(days.unsigned_abs());
    let then = if days < 0 {
        today.checked_sub_days(off)
    } else {
        today.checked_add_days(off)
    };
    then.unwrap_or(today)
}
