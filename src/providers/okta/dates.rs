//! Dates as HR feeds write them into profiles: text, in whatever form the mapping gave.
//!
//! Refuses to guess: `03/02/2026` is two days, a time without a zone is an hour somewhere. Such a text is a fault of the record, never "no date".

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::model::When;

/// `Ok(None)`: HR's ways of saying that there is none.
pub fn parse(text: &str) -> Result<Option<When>, String> {
    let text = text.trim();
    let day_part = text.get(..10).unwrap_or(text);
    if text.is_empty() || matches!(day_part, "0000-00-00" | "9999-12-31") {
        return Ok(None);
    }
    let refuse = || format!("{text:?} is not a date that can be read (YYYY-MM-DD, or an instant with its offset)");
    let day = iso_day(day_part).ok_or_else(refuse)?;
    let rest = text.get(10..).unwrap_or_default();
    // A bare day; XML Schema lets one carry the zone in which it was written down.
    if rest.is_empty() || rest == "Z" || offset(rest).is_some() {
        return Ok(Some(When::Day(day)));
    }
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or_else(refuse)?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let time = clock(time.trim_end()).ok_or_else(refuse)?;
    let east = match zone {
        "Z" | "z" => 0,
        "" if time == NaiveTime::MIN => return Ok(Some(When::Day(day))),
        "" => return Err(format!("{text:?} has a time but no zone")),
        zone => offset(zone).ok_or_else(refuse)?,
    };
    let local = NaiveDateTime::new(day, time);
    local
        .checked_sub_signed(chrono::TimeDelta::seconds(east))
        .map(|utc| Some(When::Instant(DateTime::<Utc>::from_naive_utc_and_offset(utc, Utc))))
        .ok_or_else(refuse)
}

fn iso_day(text: &str) -> Option<NaiveDate> {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (y, m, d) = (text.get(..4)?, text.get(5..7)?, text.get(8..10)?);
    if text.len() != 10 || !digits(y) || !digits(m) || !digits(d) || text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    NaiveDate::from_ymd_opt(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
}

fn clock(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// Seconds east of Greenwich: `+09:00`, `-0800`, `+09`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits: String = match rest.len() {
        5 if rest.as_bytes()[2] == b':' => rest.replacen(':', "", 1),
        2 | 4 => rest.to_owned(),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = if digits.len() == 4 {
        digits[2..].parse().ok()?
    } else {
        0
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<When> {
        Some(When::Day(text.parse().unwrap()))
    }
    fn instant(text: &str) -> Option<When> {
        Some(When::Instant(text.parse().unwrap()))
    }

    #[test]
    fn a_bare_date_stays_a_day() {
        for text in [
            "2026-03-02",
            "  2026-03-02 ",
            "2026-03-02Z",
            "2026-03-02-08:00",
            "2026-03-02T00:00:00",
        ] {
            assert_eq!(parse(text), Ok(day("2026-03-02")), "{text}");
        }
    }

    #[test]
    fn an_instant_keeps_its_offset() {
        assert_eq!(parse("2026-03-02T17:00:00.000Z"), Ok(instant("2026-03-02T17:00:00Z")));
        assert_eq!(parse("2026-03-02T09:00:00+09:00 "), Ok(instant("2026-03-02T00:00:00Z")));
        assert_eq!(parse("2026-03-02 00:30+0100"), Ok(instant("2026-03-01T23:30:00Z")));
        assert_eq!(parse("2026-03-02T00:00:00-08:00"), Ok(instant("2026-03-02T08:00:00Z")));
    }

    #[test]
    fn none_has_several_spellings() {
        for text in ["", "   ", "0000-00-00", "9999-12-31", "9999-12-31T00:00:00.000Z"] {
            assert_eq!(parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_may_mean_two_things_is_refused() {
        for text in [
            "03/02/2026",
            "02.03.2026",
            "2026-3-2",
            "2026-02-30",
            "20260302",
            "soon",
            "2026-03-02T17:00:00",
            "2026-03-02T25:00Z",
            "2026-03-02T10:00+99:00",
            "2026-03-02x",
            "\u{661}026-03-02",
            "2026-03-0\u{e9}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
