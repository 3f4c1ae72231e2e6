//! `[limits]` and `[protect]`.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::model::{Limit, Limits, Protected, policy::OnBrake};

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    leavers: Option<Text>,
    leavers_24h: Option<Text>,
    movers: Option<Text>,
    joiners: Option<Text>,
    removals_per_group: Option<Text>,
    adds_per_group: Option<Text>,
    exclusions_per_rule: Option<Text>,
    rejected: Option<Text>,
    short_read: Option<Text>,
    #[schemars(with = "Option<OnBrakeText>")]
    on_brake: Option<OnBrake>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code, reason = "a schema")]
enum OnBrakeText {
    Hold,
    Contain,
}

/// `"25 or 2%"`, `"25"`, `"2%"`, `25`.
struct Text(Limit);

/// The same for a flag, which may only lower it.
pub fn parse_limit(text: &str) -> Result<Limit, String> {
    let mut limit = Limit {
        count: None,
        percent: None,
    };
    for part in text.split(" or ").map(str::trim) {
        let twice = match part.strip_suffix('%') {
            Some(share) => {
                let share: f64 = share.trim().parse().map_err(|_| FORM)?;
                if !(0.0..=100.0).contains(&share) {
                    return Err("a share is from 0% to 100%".into());
                }
                limit.percent.replace(share).is_some()
            }
            None => limit.count.replace(part.parse().map_err(|_| FORM)?).is_some(),
        };
        if twice {
            return Err(FORM.into());
        }
    }
    Ok(limit)
}

const FORM: &str = "a limit is a number, a share, or the smaller of both: \"25\", \"2%\", \"25 or 2%\"";

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FORM)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Limit, E> {
                parse_limit(text).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Limit, E> {
                let count = u32::try_from(n).map_err(|_| E::custom(FORM))?;
                Ok(Limit {
                    count: Some(count),
                    percent: None,
                })
            }
        }
        d.deserialize_any(Form).map(Text)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+$|^[0-9.]+ ?%$|^[0-9]+ or [0-9.]+ ?%$" }
            ]
        })
    }
}

impl From<RawLimits> for Limits {
    fn from(raw: RawLimits) -> Limits {
        let of = |text: Option<Text>, count: Option<u32>, percent: Option<f64>| match text {
            Some(Text(limit)) => limit,
            None => Limit { count, percent },
        };
        let leavers = of(raw.leavers, Some(25), Some(2.0));
        // Whoever allows more leavers has allowed what they lose, and what they add up to in a day.
        let twice = |n: Option<u32>| n.map(|n| n.saturating_mul(2));
        let share = |p: Option<f64>, times: f64| p.map(|p| (p * times).min(100.0));
        let removals = Limit {
            count: leavers.count.map(|n| n.max(50)),
            percent: leavers.percent.map(|p| p.max(25.0)),
        };
        Limits {
            leavers_24h: of(raw.leavers_24h, twice(leavers.count), share(leavers.percent, 2.0)),
            movers: of(raw.movers, Some(100), Some(10.0)),
            joiners: of(raw.joiners, Some(100), Some(10.0)),
            removals_per_group: raw.removals_per_group.map_or(removals, |t| t.0),
            adds_per_group: of(raw.adds_per_group, Some(100), Some(10.0)),
            // Okta holds 100 people a rule.
            exclusions_per_rule: of(raw.exclusions_per_rule, Some(80), None),
            rejected: of(raw.rejected, Some(10), Some(1.0)),
            short_read: of(raw.short_read, None, Some(10.0)),
            on_brake: raw.on_brake.unwrap_or(OnBrake::Hold),
            leavers,
        }
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawProtect {
    people: Vec<Entry>,
}

/// A login, or a table that also says whose it is and why.
struct Entry(Protected);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whole {
    login: String,
    owner: Option<String>,
    reason: Option<String>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // By hand: an untagged enum would lose the place of an error.
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a login, or { login, owner, reason }")
            }
            fn visit_str<E: de::Error>(self, login: &str) -> Result<Whole, E> {
                Ok(Whole {
                    login: login.to_owned(),
                    owner: None,
                    reason: None,
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Whole, A::Error> {
                Whole::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Whole { login, owner, reason } = d.deserialize_any(Form)?;
        Ok(Entry(Protected { login, owner, reason }))
    }
}

impl JsonSchema for Entry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Protected".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let whole = generator.subschema_for::<Whole>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, whole] })
    }
}

impl From<RawProtect> for Vec<Protected> {
    fn from(raw: RawProtect) -> Vec<Protected> {
        raw.people.into_iter().map(|e| e.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share_or_the_smaller() {
        let l = |s: &str| parse_limit(s).map(|l| (l.count, l.percent));
        assert_eq!(l("25 or 2%"), Ok((Some(25), Some(2.0))));
        assert_eq!(l("25"), Ok((Some(25), None)));
        assert_eq!(l("2.5%"), Ok((None, Some(2.5))));
        for bad in ["", "25%%", "-1", "25 or 3", "1 or 2% or 3", "200%", "NaN%", "all"] {
            assert!(l(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn allowing_more_leavers_allows_what_they_lose() {
        let raw = RawLimits {
            leavers: Some(Text(parse_limit("450 or 100%").unwrap())),
            ..RawLimits::default()
        };
        let limits = Limits::from(raw);
        assert_eq!(limits.removals_per_group.of(450), 450);
        assert_eq!(limits.leavers_24h.of(450), 450);
        let usual = Limits::from(RawLimits::default());
        assert_eq!((usual.leavers.of(2200), usual.removals_per_group.of(700)), (25, 50));
    }
}
