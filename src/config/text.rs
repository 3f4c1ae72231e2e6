//! Texts of the file that stand for something: durations, time zones, date formats.

use std::time::Duration;

use chrono::format::{Item, StrftimeItems};
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
pub(super) fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(d)?;
    humantime::parse_duration(&text)
        .map_err(|e| D::Error::custom(format!("{e}; write a duration as 60s, 15m, 26h or 3d")))
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
    if StrftimeItems::new(&text).any(|i| matches!(i, Item::Error)) {
        return Err(D::Error::custom(
            "not a date format; for example %Y-%m-%d, %d.%m.%Y or %m/%d/%Y",
        ));
    }
    Ok(text)
}
