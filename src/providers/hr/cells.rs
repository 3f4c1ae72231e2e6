//! What the readers of HR's answers share: dates as vendors write them, words that every HR system has, and what makes a read doubtful.
//!
//! It never guesses: a text that isn't a date in the vendor's form is a fault of that person, never "no date".

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use crate::{
    config::Roster,
    http::sentence,
    model::{Employment, Failure, When, Worker},
};

/// No firm's oldest and longest employments lie outside.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// A calendar day: `2026-02-27`, or that with the offset of whoever asked (`2026-02-27-08:00`, `…Z`), which says nothing of the worker.
pub(super) fn day(text: &str, words: &Roster) -> Result<Option<NaiveDate>, String> {
    let text = text.trim();
    if text.is_empty() || words.empty_dates.iter().any(|none| none.trim() == text) {
        return Ok(None);
    }
    let bad = || format!("{} is no date", shown(text));
    let (head, tail) = text.split_at_checked(10).ok_or_else(bad)?;
    let offset = |t: &str| {
        let digits = t.strip_prefix(['+', '-']).and_then(|t| t.split_once(':'));
        let two = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
        digits.is_some_and(|(h, m)| two(h) && two(m))
    };
    if !(tail.is_empty() || tail == "Z" || offset(tail)) {
        return Err(bad());
    }
    let day = NaiveDate::parse_from_str(head, "%Y-%m-%d").map_err(|_| bad())?;
    checked(day, text)
}

/// `9999-12-31` is how several vendors write "open".
pub(super) fn checked(day: NaiveDate, text: &str) -> Result<Option<NaiveDate>, String> {
    match day.year() {
        9999 => Ok(None),
        year if YEARS.contains(&year) => Ok(Some(day)),
        _ => Err(format!("{} is no day of anybody's employment", shown(text))),
    }
}

/// Letters and digits alone, in lower case: `Garden leave` and `gardenLeave` are one word.
pub(super) fn folded(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// `[roster.values.worker_type]` first, then what vendors usually call them.
pub(super) fn worker_type(word: &str, words: &Roster) -> String {
    let said = words.values.worker_type(word);
    if said != word.to_lowercase() {
        return said;
    }
    match folded(word).as_str() {
        "contingentworker" | "contractor" | "freelancer" | "external" => "contractor".into(),
        "regular" | "permanent" => "employee".into(),
        _ => said,
    }
}

/// A value as messages show it: one line, not too long.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = sentence(text).chars().take(40).collect();
    if short.chars().count() < text.chars().count() {
        short.push_str("...");
    }
    format!("{short:?}")
}

/// A read that can't be believed as a whole.
pub(super) fn doubtful(what: &str, summary: impl Into<String>) -> Failure {
    Failure::contradiction(what, summary)
}

/// The same id twice is no id.
pub(super) fn repeated<'a>(what: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match ids.into_iter().find(|id| !seen.insert(*id)) {
        None => Ok(()),
        Some(id) => Err(doubtful(
            what,
            format!("the id {} came twice: pages overlap, or it is no id", shown(id)),
        )),
    }
}

/// Gone, and by which facts that can't both be true.
pub(super) fn contradiction(w: &Worker) -> Option<String> {
    let day = |when: Option<When>| match when {
        Some(When::Day(d)) => Some(d),
        Some(When::Instant(t)) => Some(t.date_naive()),
        None => None,
    };
    match (day(w.hired), day(w.terminated)) {
        (Some(hired), Some(end)) if end < hired => {
            Some(format!("the leaving date {end} is before the hire date {hired}"))
        }
        (Some(hired), None) if w.employment == Employment::Terminated && w.rehired => Some(format!(
            "HR says terminated, and its only leaving date is from before the hire date {hired}"
        )),
        _ => None,
    }
}

/// Several records under one name of the vendor's own (two workers of one human: a conversion) are tied to each other; what vendors
/// keep unique for a human is the login, never an address.
pub(super) fn tie(workers: &mut [Worker]) {
    let mut by_login: BTreeMap<String, usize> = BTreeMap::new();
    for w in workers.iter() {
        if let Some(login) = &w.login {
            *by_login.entry(login.to_lowercase()).or_default() += 1;
        }
    }
    for w in workers.iter_mut().filter(|w| w.universal.is_none()) {
        let login = w.login.as_ref().map(|l| l.to_lowercase());
        if login.as_ref().is_some_and(|l| by_login.get(l).is_some_and(|n| *n > 1)) {
            w.universal = login;
        }
    }
}

/// An address of two ids is nobody's, unless HR's own number ties them.
pub(super) fn shared_addresses(workers: &mut [Worker]) {
    let mut by_email: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, w) in workers.iter().enumerate() {
        if let Some(email) = &w.email {
            by_email.entry(email.to_lowercase()).or_default().push(i);
        }
    }
    for (email, holders) in by_email {
        let numbers: BTreeSet<&Option<String>> = holders.iter().map(|i| &workers[*i].universal).collect();
        let one_human = numbers.len() == 1 && !numbers.contains(&None);
        if holders.len() < 2 || one_human {
            continue;
        }
        for i in holders {
            let fault = format!("the address {} is of several workers", shown(&email));
            workers[i].fault.get_or_insert(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_ten_characters_and_the_offset_is_nobodys() {
        let words = Roster::default();
        let day = |t: &str| day(t, &words);
        let feb: NaiveDate = "2026-02-27".parse().unwrap();
        for text in ["2026-02-27", "2026-02-27-08:00", "2026-02-27Z", " 2026-02-27+05:30 "] {
            assert_eq!(day(text), Ok(Some(feb)), "{text}");
        }
        assert_eq!((day(""), day("9999-12-31")), (Ok(None), Ok(None)));
        for text in [
            "27/02/2026",
            "2026-02-27T00:00:00",
            "2026-02-30",
            "2026-2-7",
            "soon",
            "0026-02-27",
        ] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_compared_by_their_letters() {
        let words = Roster::default();
        assert_eq!(folded("Garden leave"), folded("gardenLeave"));
        assert_eq!(worker_type("Contingent Worker", &words), "contractor");
        assert_eq!(worker_type("Employee", &words), "employee");
        let mut own = Roster::default();
        own.values.worker_type.insert("Contractor".into(), "temp".into());
        assert_eq!(worker_type("contractor", &own), "temp");
    }
}
