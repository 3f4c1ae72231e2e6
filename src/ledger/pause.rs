//! The kill switch, as the store asks it before an intent is written.
//!
//! Each pause ends by itself. A later one never shortens what stands: only `unpaused` does, which its author may not write.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    Keeper, Ledger, LedgerError,
    entry::{Body, Entry, Seq},
    lease::{Guard, Unpaused},
    seal::Pending,
    store::pauses_since,
};

/// No pause lasts longer, whatever its entry says.
pub const LONGEST: TimeDelta = TimeDelta::hours(4);

/// Beside the runs: about the whole tenant.
pub const KINDS: [&str; 2] = ["paused", "unpaused"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub seq: Seq,
    pub by: String,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub reason: String,
    /// Not even containment begins.
    pub all: bool,
}

impl Pause {
    /// `paused by dana until 2026-03-02 13:00:00Z: REASON`
    pub fn sentence(&self) -> String {
        let until = self.until.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ");
        let all = if self.all { ", containment included," } else { "" };
        format!("paused{all} by {} until {until}: {}", self.by, self.reason)
    }
}

/// The pauses since somebody last lifted them, as their entries come.
#[derive(Clone, Debug, Default)]
pub struct Pauses(Vec<Pause>);

impl Pauses {
    pub fn take(&mut self, entry: &Entry) {
        let envelope = &entry.envelope;
        if envelope.kind == KINDS[1] {
            self.0.clear();
        }
        if envelope.kind != KINDS[0] {
            return;
        }
        let longest = envelope.time + LONGEST;
        // One whose body was erased, or is of a newer release, is believed to be the longest: unknown is not absent.
        let (until, reason, all) = match &entry.body {
            Some(Body::Paused { until, reason, all }) => (*until, reason.as_str(), *all),
            Some(_) | None => (longest, "its reason can't be read", false),
        };
        self.0.push(Pause {
            seq: envelope.seq,
            by: envelope.operator.clone(),
            since: envelope.time,
            until: until.min(longest),
            reason: reason.to_owned(),
            all,
        });
    }

    /// What is in force: the one that lasts longest tells until when and why; `all` holds as long as any that said so.
    pub fn at(&self, now: DateTime<Utc>) -> Option<Pause> {
        let alive = || self.0.iter().filter(|p| p.until > now);
        let mut longest = alive().max_by_key(|p| (p.until, p.seq))?.clone();
        longest.all = alive().any(|p| p.all);
        Some(longest)
    }

    /// Why these may not be written now.
    pub fn refuses(&self, guard: &Guard, drafts: &[Pending], now: DateTime<Utc>) -> Option<Pause> {
        let pause = self.at(now)?;
        let stops = match guard.unpaused {
            Unpaused::Wholly => true,
            Unpaused::ForContainment => pause.all,
        };
        (stops && begins(drafts)).then_some(pause)
    }
}

impl Ledger {
    /// The kill switch, where somebody has pulled it.
    pub async fn paused(&self) -> Result<Option<Pause>, LedgerError> {
        self.ask(Keeper::paused).await
    }
}

impl Keeper {
    fn paused(&mut self) -> Result<Option<Pause>, LedgerError> {
        let now = (self.clock)();
        let mut pauses = Pauses::default();
        self.each(&pauses_since(now), |e| {
            pauses.take(&e);
            Ok(true)
        })?;
        Ok(pauses.at(now))
    }
}

/// Is an intent among them? What only says how something ended is always taken, and so is what a spool brings: it was begun.
pub fn begins(drafts: &[Pending]) -> bool {
    drafts
        .iter()
        .any(|p| p.first.is_none() && matches!(p.draft.body, Body::Started { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        entry::Draft,
        seal::{Head, seal},
        tests::{draft, meta, started},
    };

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_000_000, 0).unwrap() + TimeDelta::minutes(minute)
    }

    /// Who, when, and what they said.
    fn told(said: Vec<(&str, i64, Body)>) -> Pauses {
        let mut head = Head::default();
        let mut pauses = Pauses::default();
        for (by, minute, body) in said {
            let draft = Draft {
                operator: by.into(),
                ..draft("r-1", body)
            };
            let (row, entry) = seal(&head, &meta(), at(minute), None, draft).unwrap();
            head = row.head().unwrap();
            pauses.take(&entry);
        }
        pauses
    }

    fn paused(until: i64, all: bool) -> Body {
        Body::Paused {
            until: at(until),
            reason: "too many leavers".into(),
            all,
        }
    }

    #[test]
    fn it_ends_by_itself_and_never_later_than_the_longest() {
        let p = told(vec![("dana", 0, paused(60, false))]);
        assert_eq!(p.at(at(59)).unwrap().by, "dana");
        assert_eq!(p.at(at(60)), None);
        let forged = told(vec![("dana", 0, paused(10_000, false))]);
        assert!(forged.at(at(239)).is_some());
        assert_eq!(forged.at(at(240)), None);
    }

    #[test]
    fn a_later_one_lengthens_and_never_shortens() {
        let p = told(vec![("dana", 0, paused(120, true)), ("kim", 10, paused(20, false))]);
        let now = p.at(at(15)).unwrap();
        assert_eq!((now.by.as_str(), now.until, now.all), ("dana", at(120), true));
        let longer = told(vec![("dana", 0, paused(60, true)), ("kim", 10, paused(90, false))]);
        assert!(longer.at(at(59)).unwrap().all);
        let rest = longer.at(at(61)).unwrap();
        assert_eq!((rest.by.as_str(), rest.all), ("kim", false));
    }

    #[test]
    fn lifting_ends_all_of_them() {
        let p = told(vec![
            ("dana", 0, paused(120, true)),
            ("kim", 1, paused(90, false)),
            ("erin", 2, Body::Unpaused),
        ]);
        assert_eq!(p.at(at(3)), None);
    }

    #[test]
    fn intents_are_refused_and_what_ended_is_taken() {
        let p = told(vec![("dana", 0, paused(60, false))]);
        let refused = |unpaused, body, minute| {
            let guard = Guard {
                unpaused,
                ..Guard::default()
            };
            p.refuses(&guard, &[draft("r-2", body).into()], at(minute)).is_some()
        };
        let finished = crate::ledger::tests::finished(0, crate::model::Outcome::Done);
        assert!(refused(Unpaused::Wholly, started(0), 1));
        assert!(!refused(Unpaused::ForContainment, started(0), 1));
        assert!(!refused(Unpaused::Wholly, finished, 1));
        assert!(!refused(Unpaused::Wholly, started(0), 60));
        let all = told(vec![("dana", 0, paused(60, true))]);
        let contain = Guard {
            unpaused: Unpaused::ForContainment,
            ..Guard::default()
        };
        assert!(
            all.refuses(&contain, &[draft("r-2", started(0)).into()], at(1))
                .is_some()
        );
    }

    #[test]
    fn a_body_that_is_gone_is_the_longest() {
        let (_, mut entry) = seal(&Head::default(), &meta(), at(0), None, draft("r-1", paused(1, false))).unwrap();
        entry.body = None;
        let mut p = Pauses::default();
        p.take(&entry);
        assert!(p.at(at(239)).is_some());
    }
}
