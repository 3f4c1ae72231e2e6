//! What all calls of a run share: the wire, the clock, the dice, an ear for `-v`, and a governor a system.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use url::Url;

use super::{
    Answer, Authorize, Explain, Reader, Wire, Writer,
    base::{Base, Parts},
    governor::Governor,
    net::Net,
};
use crate::model::{Call, System};

pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
pub type Observer = Arc<dyn Fn(Call) + Send + Sync>;

/// Whom we trust and through what we go; from the configuration alone, never from the environment.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM, beside the platform's roots.
    pub ca: Option<Vec<u8>>,
    pub proxy: Option<Url>,
    /// The addresses that others see us at.
    pub egress: Vec<String>,
}

pub struct Client {
    wire: Arc<dyn Wire>,
    clock: Clock,
    observer: Observer,
    dice: Arc<Dice>,
    reserve: f64,
    egress: Arc<[String]>,
    governors: Mutex<BTreeMap<System, Arc<Governor>>>,
    clocks: Arc<Clocks>,
}

/// How far each system's clock is ahead of ours, by the `Date` of its last answer; to the second.
#[derive(Default)]
pub(super) struct Clocks(Mutex<BTreeMap<System, TimeDelta>>);

impl Clocks {
    pub(super) fn heard(&self, system: &System, answer: &Answer, now: DateTime<Utc>) {
        let said = answer.header("date").and_then(|d| DateTime::parse_from_rfc2822(d).ok());
        if let Some(theirs) = said {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(system.clone(), theirs.to_utc() - now.trunc_subsecs(0));
        }
    }
    fn median(&self) -> Option<TimeDelta> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<TimeDelta> = all.values().copied().collect();
        sorted.sort_unstable();
        // Of an even number, the one nearer to ours: a single system that is off refuses nothing.
        let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
        sorted.get(low..=high)?.iter().copied().min_by_key(|d| d.abs())
    }
}

impl Client {
    /// Over the network. Nothing is opened, and no certificate read, before the first call.
    pub fn net(trust: Trust, clock: Clock, observer: Observer, seed: u64) -> Self {
        let egress = trust.egress.clone();
        Self::over(Arc::new(Net::new(trust)), clock, observer, seed).seen_at(egress)
    }
    /// Over any wire: tests give one that ends in the sandbox's twins, without a socket.
    pub fn over(wire: Arc<dyn Wire>, clock: Clock, observer: Observer, seed: u64) -> Self {
        Client {
            wire,
            clock,
            observer,
            dice: Arc::new(Dice(AtomicU64::new(seed))),
            reserve: 0.5,
            egress: Arc::new([]),
            governors: Mutex::default(),
            clocks: Arc::default(),
        }
    }
    /// The share of every limit that is left to others.
    pub fn reserving(mut self, share: f64) -> Self {
        self.reserve = share;
        self
    }
    /// For what an edge's refusal is explained with.
    pub fn seen_at(mut self, egress: Vec<String>) -> Self {
        self.egress = egress.into();
        self
    }
    pub fn egress(&self) -> &[String] {
        &self.egress
    }
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }
    /// How far the systems that have answered are ahead of this host: the median. `None`: no answer carried a Date.
    pub fn ahead(&self) -> Option<TimeDelta> {
        self.clocks.median()
    }
    pub fn reader(&self, system: &System, url: &Url, authorize: Arc<dyn Authorize>, explain: Explain) -> Reader {
        Reader::new(self.base(system, url, Some(authorize), explain))
    }
    /// Without a credential: what is public (`/.well-known/…`).
    pub fn anonymous(&self, system: &System, url: &Url, explain: Explain) -> Reader {
        Reader::new(self.base(system, url, None, explain))
    }
    /// Only `providers::Act` asks for one, and only consent makes an `Act`.
    pub(crate) fn writer(&self, system: &System, url: &Url, authorize: Arc<dyn Authorize>, explain: Explain) -> Writer {
        Writer::new(self.base(system, url, Some(authorize), explain))
    }
    fn base(&self, system: &System, url: &Url, authorize: Option<Arc<dyn Authorize>>, explain: Explain) -> Base {
        let governor = self
            .governors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(system.clone())
            .or_insert_with(|| Arc::new(Governor::leaving(self.reserve)))
            .clone();
        Base::new(Parts {
            system: system.clone(),
            url: url.clone(),
            wire: self.wire.clone(),
            governor,
            clock: self.clock.clone(),
            egress: self.egress.clone(),
            observer: self.observer.clone(),
            clocks: self.clocks.clone(),
            dice: self.dice.clone(),
            authorize,
            explain,
        })
    }
}

/// Chance from a seed (splitmix64): the same run in virtual time is the same run again. For jitter, never for a key.
pub(super) struct Dice(AtomicU64);

impl Dice {
    /// From 0 to 1.
    pub(super) fn roll(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;

    use super::*;

    #[test]
    fn one_clock_that_is_off_does_not_outvote_the_others() {
        let now: DateTime<Utc> = "2026-07-15T05:05:00Z".parse().unwrap();
        let clocks = Clocks::default();
        assert_eq!(clocks.median(), None);
        let heard = |system: &str, date: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("date", date.parse().unwrap());
            clocks.heard(&System::named(system), &Answer::new(200, headers, ""), now);
            clocks.median().unwrap().num_seconds()
        };
        assert_eq!(heard("okta", "Wed, 15 Jul 2026 05:05:01 GMT"), 1);
        assert_eq!(heard("slack", "Wed, 15 Jul 2026 06:05:00 GMT"), 1);
        assert_eq!(heard("zoom", "Wed, 15 Jul 2026 06:05:00 GMT"), 3600);
        assert_eq!(heard("zoom", "yesterday"), 3600);
    }
}
