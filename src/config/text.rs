//! Texts of the file that stand for something: durations, time zones, date formats.

use std::{fmt::Write, time::Duration};

use chrono::{
    NaiveDate,
    format::{Item, StrftimeItems},
};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

/// A time zone among others, each with its own place in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Zone(
    #[serde(deserialize_with = "zone")]
    #[schemars(with = "String")]
    pub(super) Tz,
);

/// `60s`, `15m`, `26h`, `3d`.
pub fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(d)?;
    humantime::parse_duration(&text)
        .map_err(|e| D::Error::custom(format!("{e}; write a duration as 60s, 15m, 26h or 3d")))
}

/// For a key that may be left out.
pub fn duration_opt<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    duration(d).map(Some)
}

pub(super) fn zone<'de, D: Deserializer<'de>>(d: D) -> Result<Tz, D::Error> {
    let text = String::deserialize(d)?;
    text.parse()
        .map_err(|_| D::Error::custom("not a time zone of the IANA list; for example Europe/Berlin or UTC"))
}

pub(super) fn zone_opt<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Tz>, D::Error> {
    zone(d).map(Some)
}

pub(super) fn date_format<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    // It must read back what it writes: a form without a year, or with an hour, is none of a date.
    let sample = NaiveDate::from_ymd_opt(2026, 11, 28).unwrap_or_default();
    let mut written = String::new();
    let lawful = !StrftimeItems::new(&text).any(|i| matches!(i, Item::Error))
        && write!(written, "{}", sample.format(&text)).is_ok()
        && NaiveDate::parse_from_str(&written, &text) == Ok(sample);
    if !lawful {
        return Err(D::Error::custom(
            "not a date format; for example %Y-%m-%d, %d.%m.%Y or %m/%d/%Y",
        ));
    }
    Ok(text)
}
