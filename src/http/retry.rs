//! May this call be sent again, and when? Pure: the loop that obeys is `base`.
//!
//! It never sends again what may have happened and must not happen twice. A 429 is the server's word that it did nothing; a connection
//! that never came about is the network's.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Answer, WireError};
use crate::model::Repeat;

/// What one attempt came to.
#[derive(Debug)]
pub(super) enum Attempt<'a> {
    Answered(&'a Answer),
    /// The vendor's own words say that it was too much at once, whatever the status: it did nothing.
    Limited(&'a Answer),
    Failed(&'a WireError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An answer to hand up: good, or a refusal that another try won't change.
    Stop,
    /// Exponential back-off.
    Again,
    /// The server named the time.
    After(Duration),
    /// Too many at once, not too many a minute: back off briefly, and the governor narrows its window.
    Narrow,
}

/// Tries, counting the first, of what fails by itself.
pub(super) const TRIES: u32 = 3;
/// The same where the step's deadline leaves room.
pub(super) const TRIES_UNTIL_DEADLINE: u32 = 6;
/// Waits for a rate limit are not tries; this only ends a limit that never lifts.
pub(super) const WAITS: u32 = 12;

pub(super) fn judge(attempt: &Attempt<'_>, repeat: Repeat, now: DateTime<Utc>) -> Next {
    match (attempt, repeat) {
        (Attempt::Failed(WireError::NeverSent(_)), _) => Next::Again,
        (Attempt::Failed(WireError::TooLarge(_)), _) => Next::Stop,
        (Attempt::Failed(WireError::TimedOut | WireError::Cut(_)), Repeat::Safe) => Next::Again,
        (Attempt::Failed(WireError::TimedOut | WireError::Cut(_)), Repeat::LookFirst) => Next::Stop,
        (Attempt::Limited(a), _) if concurrency(a) => Next::Narrow,
        (Attempt::Limited(a), _) => asked_to_wait(a, now).map_or(Next::Again, Next::After),
        (Attempt::Answered(a), repeat) => match (a.status, repeat) {
            (403 | 429, _) if concurrency(a) => Next::Narrow,
            (429, _) => asked_to_wait(a, now).map_or(Next::Again, Next::After),
            (501, _) => Next::Stop,
            (408 | 500.., Repeat::Safe) => asked_to_wait(a, now).map_or(Next::Again, Next::After),
            _ => Next::Stop,
        },
    }
}

/// Okta: limit and remaining both 0 mean too many in flight; the reset is then only a guess. Salesforce says it with a 403.
pub(super) fn concurrency(a: &Answer) -> bool {
    const SALESFORCE: &[u8] = b"ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    if a.status == 403 {
        return a.body.windows(SALESFORCE.len()).any(|w| w == SALESFORCE);
    }
    a.header("x-rate-limit-limit") == Some("0") && a.header("x-rate-limit-remaining") == Some("0")
}

/// By the answer's own clock where it has one: ours may be off.
pub(super) fn servers_now(a: &Answer, now: DateTime<Utc>) -> DateTime<Utc> {
    a.header("date")
        .and_then(|d| DateTime::parse_from_rfc2822(d).ok())
        .map_or(now, |d| d.with_timezone(&Utc))
}

/// How long until the instant (epoch seconds) that the server names.
pub(super) fn until_epoch(a: &Answer, epoch: i64, now: DateTime<Utc>) -> Option<Duration> {
    let left = DateTime::from_timestamp(epoch, 0)?.signed_duration_since(servers_now(a, now));
    // A window is a minute, an hour at most: more is a broken clock.
    left.to_std()
        .ok()
        .or(Some(Duration::ZERO))
        .filter(|d| *d <= Duration::from_secs(3700))
}

fn asked_to_wait(a: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    const ONE: Duration = Duration::from_secs(1);
    if let Some(text) = a.header("retry-after") {
        if let Ok(seconds) = text.trim().parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        // Zoom writes an instant as RFC 3339 does.
        let at = DateTime::parse_from_rfc2822(text).or_else(|_| DateTime::parse_from_rfc3339(text.trim()));
        let at = at.ok()?;
        let left = at.with_timezone(&Utc).signed_duration_since(servers_now(a, now));
        return left.to_std().ok().or(Some(Duration::ZERO));
    }
    // CrowdStrike's gateway, as an instant.
    if let Some(epoch) = a.header("x-ratelimit-retryafter").and_then(|t| t.trim().parse().ok()) {
        return until_epoch(a, epoch, now).map(|d| d + ONE);
    }
    let reset = a
        .header("x-rate-limit-reset")
        .or_else(|| a.header("x-ratelimit-reset"))?;
    let number: i64 = reset.trim().parse().ok()?;
    // Datadog and others give seconds from now, Okta and GitHub an instant.
    match u64::try_from(number) {
        Ok(seconds) if seconds < 100_000 => Some(Duration::from_secs(seconds) + ONE),
        _ => until_epoch(a, number, now).map(|d| d + ONE),
    }
}

/// Full jitter: anything from nothing to the whole of a doubling step, so that many who failed at once don't return at once.
pub(super) fn backoff(tries: u32, dice: f64) -> Duration {
    const FIRST: f64 = 0.25;
    const MOST: f64 = 10.0;
    let step = (FIRST * 2f64.powi(tries.min(16) as i32)).min(MOST);
    Duration::from_secs_f64(step * dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let mut h = HeaderMap::new();
        for (k, v) in headers {
            h.insert(*k, v.parse().unwrap());
        }
        Answer::new(status, h, "")
    }
    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }
    fn of(status: u16, headers: &[(&'static str, &str)], repeat: Repeat) -> Next {
        judge(&Attempt::Answered(&answer(status, headers)), repeat, now())
    }

    #[test]
    fn what_may_have_happened_is_not_sent_again() {
        for error in [WireError::TimedOut, WireError::Cut(String::new())] {
            assert_eq!(judge(&Attempt::Failed(&error), Repeat::LookFirst, now()), Next::Stop);
            assert_eq!(judge(&Attempt::Failed(&error), Repeat::Safe, now()), Next::Again);
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(of(status, &[], Repeat::LookFirst), Next::Stop);
            assert_eq!(of(status, &[], Repeat::Safe), Next::Again);
        }
    }

    #[test]
    fn what_surely_did_not_happen_is() {
        let never = WireError::NeverSent(String::new());
        assert_eq!(judge(&Attempt::Failed(&never), Repeat::LookFirst, now()), Next::Again);
        assert_eq!(
            of(429, &[("retry-after", "7")], Repeat::LookFirst),
            Next::After(Duration::from_secs(7))
        );
    }

    #[test]
    fn a_limit_may_be_said_with_403() {
        let said = answer(403, &[]);
        assert_eq!(judge(&Attempt::Limited(&said), Repeat::LookFirst, now()), Next::Again);
        let named = answer(403, &[("retry-after", "7")]);
        let wait = Next::After(Duration::from_secs(7));
        assert_eq!(judge(&Attempt::Limited(&named), Repeat::LookFirst, now()), wait);
    }

    #[test]
    fn refusals_are_final() {
        for status in [200, 204, 301, 400, 401, 403, 404, 409, 501] {
            assert_eq!(of(status, &[], Repeat::Safe), Next::Stop, "{status}");
        }
    }

    #[test]
    fn a_limit_is_waited_out_by_the_servers_own_clock() {
        // Our clock is ten minutes behind: the answer's Date counts.
        let okta = [
            ("date", "Tue, 24 Nov 2026 10:10:00 GMT"),
            ("x-rate-limit-reset", "1795515024"),
        ];
        assert_eq!(of(429, &okta, Repeat::Safe), Next::After(Duration::from_secs(25)));
        let datadog = [("x-ratelimit-reset", "12")];
        assert_eq!(of(429, &datadog, Repeat::Safe), Next::After(Duration::from_secs(13)));
        for instant in ["2026-11-24T10:00:09Z", "Tue, 24 Nov 2026 10:00:09 GMT"] {
            let zoom = [("retry-after", instant)];
            assert_eq!(
                of(429, &zoom, Repeat::Safe),
                Next::After(Duration::from_secs(9)),
                "{instant}"
            );
        }
        let past = [("x-rate-limit-reset", "1795514300")];
        assert_eq!(of(429, &past, Repeat::Safe), Next::After(Duration::from_secs(1)));
        assert_eq!(
            of(429, &[("x-rate-limit-reset", "9999999999")], Repeat::Safe),
            Next::Again
        );
    }

    #[test]
    fn too_many_at_once_is_another_thing() {
        let both = [
            ("x-rate-limit-limit", "0"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1795515024"),
        ];
        assert_eq!(of(429, &both, Repeat::Safe), Next::Narrow);
    }

    #[test]
    fn jitter_is_full_and_bounded() {
        assert_eq!(backoff(1, 0.0), Duration::ZERO);
        assert_eq!(backoff(1, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(30, 1.0), Duration::from_secs(10));
    }
}
