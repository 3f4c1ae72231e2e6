//! Dates in one declared form. Another form is never tried: where 03/04 may be March or April, nothing is decided.

use chrono::{Datelike, NaiveDate};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell {
    None,
    Day(NaiveDate),
    /// In the declared form or in none: this person alone is set aside.
    Bad(String),
    /// A date in another form: the whole file may mean something else.
    Other,
}

pub(super) fn read(cell: &str, format: &str, empty: &[String], this_year: i32) -> Cell {
    if cell.is_empty() || empty.iter().any(|e| e == cell) {
        return Cell::None;
    }
    let day = NaiveDate::parse_from_str(cell, format).ok();
    // chrono takes 7 where the form has 07; we don't.
    match day.filter(|d| d.format(format).to_string() == cell) {
        Some(day) if (day.year(), day.month(), day.day()) == (9999, 12, 31) => Cell::None,
        Some(day) if (1950..=this_year + 10).contains(&day.year()) => Cell::Day(day),
        Some(_) => Cell::Bad("lies outside 1950 to ten years from now".into()),
        None if shape(cell) == shape(&SAMPLE.format(format).to_string()) => {
            Cell::Bad("is no day of the calendar".into())
        }
        None if date_like(cell) => Cell::Other,
        None => Cell::Bad("is no date".into()),
    }
}

const SAMPLE: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 28) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Digits and what stands between them, an Excel day number, a month by name.
fn date_like(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let named = words.map(str::to_lowercase).all(|w| {
        let month = w.get(..3).is_some_and(|head| MONTHS.contains(&head));
        month || ["t", "z", "utc", "am", "pm"].contains(&w.as_str())
    });
    let plain = text.chars().all(|c| c.is_alphanumeric() || " -/.,:+'".contains(c));
    digits >= 3 && named && plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(cell: &str) -> Cell {
        read(cell, "%Y-%m-%d", &[], 2026)
    }

    #[test]
    fn only_the_declared_form_is_a_date() {
        assert_eq!(
            iso("2026-07-14"),
            Cell::Day(NaiveDate::from_ymd_opt(2026, 7, 14).unwrap())
        );
        for other in [
            "03/04/2026",
            "14.07.2026",
            "2026-7-14",
            "45747",
            "20260714",
            "14 July 2026",
            "2026-07-14T00:00:00Z",
            "Jul 14, 2026",
        ] {
            assert_eq!(iso(other), Cell::Other, "{other}");
        }
        let us = read("07/04/2026", "%m/%d/%Y", &[], 2026);
        assert_eq!(us, Cell::Day(NaiveDate::from_ymd_opt(2026, 7, 4).unwrap()));
        assert_eq!(read("2026-07-04", "%m/%d/%Y", &[], 2026), Cell::Other);
    }

    #[test]
    fn what_is_no_date_sets_one_person_aside() {
        for bad in [
            "NULL",
            "n/a",
            "0000-00-00",
            "2026-02-30",
            "1900-01-01",
            "2096-01-01",
            "see note",
        ] {
            assert!(matches!(iso(bad), Cell::Bad(_)), "{bad}: {:?}", iso(bad));
        }
    }

    #[test]
    fn forever_and_never_are_none() {
        assert_eq!((iso(""), iso("9999-12-31")), (Cell::None, Cell::None));
        assert_eq!(read("0000-00-00", "%Y-%m-%d", &["0000-00-00".into()], 2026), Cell::None);
    }
}
