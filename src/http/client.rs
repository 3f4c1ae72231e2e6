//! What all calls of a run share: the wire, the clock, the dice, an ear for `-v`, and a governor a system.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use url::Url;

use super::{
    Authorize, Explain, Reader, Wire, Writer,
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
