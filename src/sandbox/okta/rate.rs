//! Rate limits: the buckets of Okta's counters, 60 s from the first call of each, shared by everyone who calls.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::model::Time;

/// The vendor's usual figures hold where the world names a rate (`600` is just them); else the org has bought fifty times as much, so
/// that pacing is no part of what a world doesn't speak of.
const BOUGHT: u32 = 50;
/// What the figure of `--rate` stands for: the bucket of `/api/v1/users`.
const USUAL: u32 = 600;

#[derive(Default)]
pub struct Buckets {
    windows: BTreeMap<&'static str, Window>,
}

struct Window {
    start: Time,
    used: u32,
}

/// What the three headers say after this call.
pub struct Quota {
    pub limit: u32,
    pub remaining: u32,
    pub reset: i64,
    pub exceeded: bool,
}

pub fn bucket(method: &str, parts: &[&str]) -> (&'static str, u32) {
    match (method, parts) {
        ("GET", ["api", "v1", "users", _]) => ("GET user", 2000),
        ("DELETE", ["api", "v1", "users", _]) => ("DELETE user", 600),
        (_, ["api", "v1", "users", ..]) => ("users", USUAL),
        (_, ["api", "v1", "groups", id]) if *id != "rules" => ("group", 1000),
        (_, ["api", "v1", "groups", ..]) => ("groups", 500),
        ("GET", ["api", "v1", "apps", _]) => ("app", 500),
        (_, ["api", "v1", "apps", ..]) => ("apps", 100),
        (_, ["api", "v1", "logs", ..]) => ("logs", 120),
        (_, ["api", "v1", "meta", ..]) => ("meta", 1000),
        (_, ["api", "v1", "mappings", ..]) => ("mappings", 500),
        (_, ["oauth2", "v1", "token"]) => ("token", 150),
        _ => ("other", 100),
    }
}

impl Buckets {
    /// Counts the call. One that is refused for the limit costs nothing more.
    pub fn count(&mut self, bucket: (&'static str, u32), rate: Option<u32>, now: Time) -> Quota {
        let limit = match rate {
            Some(rate) => {
                (u64::from(bucket.1) * u64::from(rate) / u64::from(USUAL)).clamp(1, u64::from(u32::MAX)) as u32
            }
            None => bucket.1 * BOUGHT,
        };
        let minute = TimeDelta::seconds(60);
        let window = self.windows.entry(bucket.0).or_insert(Window { start: now, used: 0 });
        if now >= window.start + minute || now < window.start {
            *window = Window { start: now, used: 0 };
        }
        let exceeded = window.used >= limit;
        if !exceeded {
            window.used += 1;
        }
        let end = window.start + minute;
        Quota {
            limit,
            remaining: limit - window.used,
            reset: end.timestamp() + i64::from(end.timestamp_subsec_nanos() > 0),
            exceeded,
        }
    }
}
