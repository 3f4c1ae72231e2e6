//! The one clock of the world: set to an instant, it runs on in real time from there.
//!
//! Reads nothing itself: the host's clock is handed in.

use chrono::{DateTime, TimeDelta, Utc};

/// Runs on in real time from the last time it was set.
pub struct Clock {
    set: DateTime<Utc>,
    at: DateTime<Utc>,
    /// How far the host's clock is ahead of the servers'.
    pub skew: TimeDelta,
}

impl Clock {
    pub fn new(now: DateTime<Utc>, host: DateTime<Utc>, skew: TimeDelta) -> Clock {
        Clock {
            set: now,
            at: host,
            skew,
        }
    }

    pub fn now(&self, host: DateTime<Utc>) -> DateTime<Utc> {
        self.set + (host - self.at).max(TimeDelta::zero())
    }

    pub fn set(&mut self, now: DateTime<Utc>, host: DateTime<Utc>) {
        (self.set, self.at) = (now, host);
    }
}
