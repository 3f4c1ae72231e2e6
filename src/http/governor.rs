//! Pacing, by what the server says of its own limits. It never knows a limit that it wasn't told.
//!
//! A bucket is learnt, not listed: calls of one class and shape share a counter, and shapes whose answers show the same limit and the
//! same reset are taken for one bucket (if they are two, we are only more careful).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::http::Method;
use chrono::{DateTime, Utc};
use tokio::{sync::Notify, time::Instant};

use super::{Answer, retry};

/// Our own modesty, no vendor's limit: calls of one system in flight.
const WINDOW: usize = 16;
/// Good answers in a row that widen a narrowed window by one.
const WIDEN: u32 = 8;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    reads: bool,
    shape: String,
}

impl Bucket {
    pub(super) fn of(method: &Method, shape: &str) -> Self {
        Bucket {
            reads: *method == Method::GET,
            shape: shape.to_owned(),
        }
    }
}

/// What the last answer of a bucket told.
#[derive(Clone, Copy, Debug)]
struct Told {
    limit: u64,
    remaining: u64,
    /// As the server wrote it: the bucket's window has this name.
    epoch: i64,
    reset: Instant,
}

#[derive(Debug, Default)]
struct Lane {
    told: Option<Told>,
    in_flight: u64,
}

#[derive(Debug)]
struct State {
    lanes: BTreeMap<Bucket, Lane>,
    in_flight: usize,
    window: usize,
    good: u32,
    urgent_waiting: usize,
}

/// One a system, shared by its readers and writers.
#[derive(Debug)]
pub struct Governor {
    state: Mutex<State>,
    changed: Notify,
    /// The share of each limit that is left to others.
    reserve: f64,
}

impl Default for Governor {
    fn default() -> Self {
        Self::leaving(0.5)
    }
}

enum Admission {
    Go,
    /// Until somebody else's call ends.
    Queue,
    Until(Instant),
}

impl Governor {
    /// `reserve`: the share of each bucket, 0 to 1, that other users of the same limit keep.
    pub fn leaving(reserve: f64) -> Self {
        Governor {
            state: Mutex::new(State {
                lanes: BTreeMap::new(),
                in_flight: 0,
                window: WINDOW,
                good: 0,
                urgent_waiting: 0,
            }),
            changed: Notify::new(),
            reserve: reserve.clamp(0.0, 0.95),
        }
    }
    fn state(&self) -> MutexGuard<'_, State> {
        // Counters stay usable whatever happened to a thread that held them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits for its turn. Dropping the future gives the place up; dropping the permit gives it back.
    pub(super) async fn enter(&self, bucket: &Bucket, urgent: bool) -> Permit<'_> {
        let _waiting = urgent.then(|| Waiting::new(self));
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Enabled before the look: a change in between is not lost.
            changed.as_mut().enable();
            let admission = self.state().admit(bucket, urgent, self.reserve, Instant::now());
            match admission {
                Admission::Go => {
                    return Permit {
                        governor: self,
                        bucket: bucket.clone(),
                    };
                }
                Admission::Queue => changed.await,
                Admission::Until(at) => {
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
            }
        }
    }
    /// Learns from an answer.
    pub(super) fn heard(&self, bucket: &Bucket, answer: &Answer, now: DateTime<Utc>) {
        let mut state = self.state();
        if answer.status == 429 && retry::concurrency(answer) {
            state.window = (state.window / 2).max(1);
            state.good = 0;
        } else {
            if answer.status < 400 {
                state.widen();
            }
            if let Some(told) = told(answer, now) {
                let lane = state.lanes.entry(bucket.clone()).or_default();
                // Answers overtake each other: within one window the lowest count is the newest.
                let remaining = match lane.told {
                    Some(old) if old.epoch == told.epoch => old.remaining.min(told.remaining),
                    _ => told.remaining,
                };
                lane.told = Some(Told { remaining, ..told });
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl State {
    fn widen(&mut self) {
        if self.window < WINDOW {
            self.good += 1;
            if self.good >= WIDEN {
                self.good = 0;
                self.window += 1;
            }
        }
    }
    fn admit(&mut self, bucket: &Bucket, urgent: bool, reserve: f64, now: Instant) -> Admission {
        if self.in_flight >= self.window || (!urgent && self.urgent_waiting > 0) {
            return Admission::Queue;
        }
        if let Some(told) = self.lanes.get(bucket).and_then(|l| l.told)
            && told.reset > now
            && told.limit > 0
        {
            let same = |l: &&Lane| l.told.is_some_and(|t| (t.limit, t.epoch) == (told.limit, told.epoch));
            let lanes: Vec<&Lane> = self.lanes.values().filter(same).collect();
            let remaining = lanes
                .iter()
                .filter_map(|l| l.told)
                .map(|t| t.remaining)
                .min()
                .unwrap_or(told.remaining);
            let in_flight: u64 = lanes.iter().map(|l| l.in_flight).sum();
            // A leaver may use what is kept for others, but not what isn't there.
            let kept = if urgent {
                0
            } else {
                (told.limit as f64 * reserve).floor() as u64
            };
            if remaining <= kept + in_flight {
                return Admission::Until(told.reset);
            }
        }
        self.in_flight += 1;
        self.lanes.entry(bucket.clone()).or_default().in_flight += 1;
        Admission::Go
    }
}

fn told(answer: &Answer, now: DateTime<Utc>) -> Option<Told> {
    let number = |name: &str| answer.header(name)?.trim().parse::<i64>().ok();
    let either =
        |name: &str| number(&format!("x-rate-limit-{name}")).or_else(|| number(&format!("x-ratelimit-{name}")));
    let epoch = either("reset")?;
    let left = match u64::try_from(epoch) {
        Ok(seconds) if seconds < 100_000 => Duration::from_secs(seconds),
        _ => retry::until_epoch(answer, epoch, now)?,
    };
    Some(Told {
        limit: u64::try_from(either("limit")?).ok()?,
        remaining: u64::try_from(either("remaining")?).ok()?,
        epoch,
        // A second on top: the server's clock has whole seconds.
        reset: Instant::now() + left + Duration::from_secs(1),
    })
}

/// A place among the calls in flight.
pub(super) struct Permit<'a> {
    governor: &'a Governor,
    bucket: Bucket,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.governor.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if let Some(lane) = state.lanes.get_mut(&self.bucket) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
        }
        drop(state);
        self.governor.changed.notify_waiters();
    }
}

/// An urgent call in the queue: the others let it pass.
struct Waiting<'a>(&'a Governor);

impl<'a> Waiting<'a> {
    fn new(governor: &'a Governor) -> Self {
        governor.state().urgent_waiting += 1;
        Waiting(governor)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.urgent_waiting = state.urgent_waiting.saturating_sub(1);
        drop(state);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }
    fn answer(limit: u64, remaining: u64, reset: i64) -> Answer {
        let mut h = HeaderMap::new();
        h.insert("x-rate-limit-limit", limit.into());
        h.insert("x-rate-limit-remaining", remaining.into());
        h.insert("x-rate-limit-reset", reset.into());
        h.insert("date", "Tue, 24 Nov 2026 10:00:00 GMT".parse().unwrap());
        Answer::new(200, h, "")
    }
    const RESET: i64 = 1_795_514_430;

    async fn waits(governor: &Governor, bucket: &Bucket, urgent: bool) -> Duration {
        let start = Instant::now();
        drop(governor.enter(bucket, urgent).await);
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn half_is_left_to_others_but_not_against_a_leaver() {
        let (g, b) = (Governor::default(), Bucket::of(&Method::GET, "/users/*"));
        g.heard(&b, &answer(600, 301, RESET), now());
        assert_eq!(waits(&g, &b, false).await, Duration::ZERO);
        g.heard(&b, &answer(600, 300, RESET), now());
        assert_eq!(waits(&g, &b, true).await, Duration::ZERO);
        assert_eq!(waits(&g, &b, false).await, Duration::from_secs(31));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_in_flight_count_and_shapes_of_one_bucket_share() {
        let g = Governor::default();
        let (a, b) = (
            Bucket::of(&Method::GET, "/users/*"),
            Bucket::of(&Method::POST, "/users/*/lifecycle/suspend"),
        );
        g.heard(&a, &answer(600, 302, RESET), now());
        g.heard(&b, &answer(600, 302, RESET), now());
        let _one = g.enter(&a, false).await;
        let _two = g.enter(&b, false).await;
        assert_eq!(waits(&g, &a, false).await, Duration::from_secs(31));
        let other = Bucket::of(&Method::GET, "/groups/*");
        g.heard(&other, &answer(1000, 999, RESET), now());
        assert_eq!(waits(&g, &other, false).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_at_once_halves_the_window_and_good_answers_widen_it() {
        let (g, b) = (Governor::default(), Bucket::of(&Method::GET, "/x"));
        let mut narrow = answer(0, 0, RESET);
        narrow.status = 429;
        for _ in 0..9 {
            g.heard(&b, &narrow, now());
        }
        assert_eq!(g.state().window, 1);
        for _ in 0..WIDEN {
            g.heard(&b, &answer(600, 599, RESET), now());
        }
        assert_eq!(g.state().window, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leaver_jumps_the_queue() {
        let (g, b) = (Governor::default(), Bucket::of(&Method::GET, "/x"));
        g.state().window = 1;
        let held = g.enter(&b, false).await;
        let order = Mutex::new(Vec::new());
        let plain = async {
            let _p = g.enter(&b, false).await;
            order.lock().unwrap().push("plain");
        };
        let urgent = async {
            let _p = g.enter(&b, true).await;
            order.lock().unwrap().push("urgent");
        };
        let free = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        futures::join!(plain, urgent, free);
        assert_eq!(*order.lock().unwrap(), ["urgent", "plain"]);
    }
}
