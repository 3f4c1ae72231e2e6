//! What happened, as one total function over entries.
//!
//! The executor, resume, the closing report, `run show`, the SLA and `-o json` all walk `next`; nobody else decides what an entry means.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    approval::Approved,
    entry::{Body, Entry, Opened, Seq, Subject, Swept},
    step::At,
};
use crate::model::{Failure, Manifest, Plan, Receipt, Record, StepNo, System};

pub use super::{
    person::{ExpectRecord, PersonState, StillOpen, Totals},
    step::{Progress, StepRecord},
};

#[derive(Clone, Debug, PartialEq)]
pub struct OutboxItem {
    pub record: Record,
    pub system: System,
    pub since: DateTime<Utc>,
    pub attempts: usize,
    pub failure: Option<Failure>,
    pub delivered: Option<(DateTime<Utc>, Receipt)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalRecord {
    pub approved: Approved,
    pub at: DateTime<Utc>,
    pub spent: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub run: String,
    pub opened: Option<(DateTime<Utc>, Opened)>,
    pub resumed: Vec<(DateTime<Utc>, String)>,
    pub people: BTreeMap<Subject, PersonState>,
    /// By (recorder, key).
    pub outbox: BTreeMap<(System, String), OutboxItem>,
    /// By the entry that wrote each down.
    pub approvals: BTreeMap<Seq, ApprovalRecord>,
    pub swept: Option<Swept>,
    pub checkpoint: Option<String>,
    /// The last time that the ledger was out of reach in the middle of it.
    pub away: Option<Away>,
    pub first: Option<Seq>,
    pub last: Option<(Seq, DateTime<Utc>)>,
    /// Of the last Resumed.
    pub taken_up: Option<Seq>,
    /// A body was purged, or is of a newer release: this run can be shown, not resumed.
    pub opaque: bool,
}

/// A while without the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    pub since: DateTime<Utc>,
    pub host: String,
    pub why: String,
    /// When what that host wrote meanwhile was brought in, and how much of it counted; `None`: it lies there still.
    pub merged: Option<(DateTime<Utc>, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    pub seq: Seq,
    pub why: &'static str,
}

impl std::fmt::Display for Illegal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ledger entry {} can't follow the ones before it: {}",
            self.seq, self.why
        )
    }
}

impl std::error::Error for Illegal {}

/// Total: every (state, entry) moves or is illegal.
pub fn next(mut state: State, entry: &Entry) -> Result<State, Illegal> {
    state.take(entry)?;
    Ok(state)
}

/// Many, in order.
pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<State, Illegal> {
    entries.into_iter().try_fold(State::default(), next)
}

/// What a body that is about to be written will mean, in a copy of the state.
pub fn apply(state: &mut State, body: &Body, time: DateTime<Utc>) -> Result<(), &'static str> {
    let seq = state.last.map_or(1, |(seq, _)| seq + 1);
    state.body(body, At { seq, time })
}

impl State {
    /// As `next`, in place. An illegal entry leaves the state as it was.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Illegal> {
        let at = At {
            seq: entry.envelope.seq,
            time: entry.envelope.time,
        };
        let illegal = |why| Illegal { seq: at.seq, why };
        if self.first.is_some() && self.run != entry.envelope.run {
            return Err(illegal("it belongs to another run"));
        }
        if self.last.is_some_and(|(seq, _)| seq >= at.seq) {
            return Err(illegal("it is older than the one before it"));
        }
        match &entry.body {
            Some(body) => self.body(body, at).map_err(illegal)?,
            None => self.opaque = true,
        }
        if self.first.is_none() {
            self.first = Some(at.seq);
            entry.envelope.run.clone_into(&mut self.run);
        }
        self.last = Some((at.seq, at.time));
        if let (Some(away), Some(origin)) = (&mut self.away, &entry.envelope.spooled) {
            let count = away.merged.map_or(0, |(_, n)| n) + 1;
            away.merged = Some((origin.merged, count));
        }
        Ok(())
    }

    fn body(&mut self, body: &Body, at: At) -> Result<(), &'static str> {
        match body {
            Body::Opened(opened) => {
                if self.first.is_some() {
                    return Err("a run begins once");
                }
                self.opened = Some((at.time, opened.clone()));
            }
            Body::Planned {
                subject,
                plan,
                manifest,
            } => self.planned(subject, plan, manifest, at)?,
            Body::Held { subject, plan, why } => {
                let person = self
                    .people
                    .entry(subject.clone())
                    .or_insert_with(|| PersonState::new(subject, plan, at));
                person.hold(plan, why, at);
            }
            Body::Started { subject, step } => {
                let taken_up = self.taken_up;
                self.person(subject)?.step(*step)?.start(at, taken_up)?;
            }
            Body::Finished {
                subject,
                step,
                outcome,
                receipt,
            } => {
                let person = self.person(subject)?;
                person.step(*step)?.finish(outcome, receipt.as_ref(), at)?;
                person.reckon(at);
            }
            Body::Verified { subject, step } => {
                let person = self.person(subject)?;
                person.step(*step)?.verify(at)?;
                person.reckon(at);
            }
            Body::Refuted { subject, step, failure } => {
                let person = self.person(subject)?;
                person.step(*step)?.refute(failure, at)?;
                person.reckon(at);
            }
            Body::Ticked {
                subject,
                step,
                evidence,
            } => {
                let person = self.person(subject)?;
                person.step(*step)?.tick(evidence, at)?;
                person.reckon(at);
            }
            Body::Expected {
                subject,
                expect,
                outcome,
            } => {
                let person = self.person(subject)?;
                let record = person.expects.get_mut(*expect).ok_or("no such expectation")?;
                record.outcome = Some(outcome.clone());
                person.reckon(at);
            }
            Body::Owed { record, system } => self.owe(record, system, at),
            Body::Undelivered { key, system, failure } => {
                let item = self.item(system, key)?;
                item.attempts += 1;
                item.failure = Some(failure.clone());
            }
            Body::Delivered { key, system, receipt } => {
                let item = self.item(system, key)?;
                item.attempts += 1;
                item.failure = None;
                item.delivered = Some((at.time, receipt.clone()));
            }
            Body::Approved(approved) => {
                let record = ApprovalRecord {
                    approved: approved.clone(),
                    at: at.time,
                    spent: None,
                };
                self.approvals.insert(at.seq, record);
            }
            Body::Spent { approval } => {
                let record = self.approvals.get_mut(approval).ok_or("no such approval was given")?;
                if record.spent.is_some() {
                    return Err("that approval was spent");
                }
                record.spent = Some(at.time);
            }
            Body::Lifted { subject, .. } => {
                let person = self
                    .people
                    .get_mut(subject)
                    .ok_or("nothing was planned for that person")?;
                person.lifted = true;
            }
            Body::Resumed { operator } => {
                self.resumed.push((at.time, operator.clone()));
                self.taken_up = Some(at.seq);
            }
            Body::Closed { subject, result } => {
                let person = self
                    .people
                    .get_mut(subject)
                    .ok_or("nothing was planned for that person")?;
                if person.complete() {
                    return Err("that person was complete");
                }
                person.result = Some(*result);
                person.closed = Some(at.time);
            }
            // Beside the runs: `query` reads these.
            Body::Linked { .. } | Body::Granted { .. } | Body::Paused { .. } | Body::Unpaused => {}
            Body::Swept(swept) => self.swept = Some(swept.clone()),
            Body::Checkpoint { text } => self.checkpoint = Some(text.clone()),
            Body::Spooled { host, why, .. } => {
                self.away = Some(Away {
                    since: at.time,
                    host: host.clone(),
                    why: why.clone(),
                    merged: None,
                });
            }
            Body::Opaque => self.opaque = true,
        }
        Ok(())
    }

    fn planned(&mut self, subject: &str, plan: &Plan, manifest: &Manifest, at: At) -> Result<(), &'static str> {
        let later = |(i, step): (usize, &crate::model::Step)| step.after.iter().any(|a| *a >= i);
        if plan.steps.iter().enumerate().any(later) {
            return Err("a step comes after itself or a later one");
        }
        match self.people.get_mut(subject) {
            Some(person) if person.complete() => return Err("that person was complete"),
            Some(person) => person.plan(plan, manifest, at),
            None => {
                let mut person = PersonState::new(subject, plan, at);
                person.plan(plan, manifest, at);
                self.people.insert(subject.to_owned(), person);
            }
        }
        Ok(())
    }

    /// A second one of the same key, before or after delivery, is what the record says now: it is delivered again, onto the first.
    fn owe(&mut self, record: &Record, system: &System, at: At) {
        let key = (system.clone(), record.key.clone());
        let since = self
            .outbox
            .get(&key)
            .filter(|i| i.delivered.is_none())
            .map_or(at.time, |i| i.since);
        self.outbox.insert(
            key,
            OutboxItem {
                record: record.clone(),
                system: system.clone(),
                since,
                attempts: 0,
                failure: None,
                delivered: None,
            },
        );
    }

    fn item(&mut self, system: &System, key: &str) -> Result<&mut OutboxItem, &'static str> {
        let item = self
            .outbox
            .get_mut(&(system.clone(), key.to_owned()))
            .ok_or("no such record is owed")?;
        if item.delivered.is_some() {
            return Err("that record was delivered");
        }
        Ok(item)
    }

    /// Somebody about whom steps may still be written. A partial one is taken up again by it.
    fn person(&mut self, subject: &str) -> Result<&mut PersonState, &'static str> {
        let person = self
            .people
            .get_mut(subject)
            .ok_or("nothing was planned for that person")?;
        if person.complete() {
            return Err("that person was complete");
        }
        Ok(person)
    }

    /// Steps that may start now.
    pub fn ready(&self, subject: &str) -> Vec<StepNo> {
        self.people.get(subject).map(PersonState::ready).unwrap_or_default()
    }
    /// Steps that can't be tried, because one they come after ended badly and halts.
    pub fn halted(&self, subject: &str) -> Vec<StepNo> {
        self.people.get(subject).map(PersonState::halted).unwrap_or_default()
    }
    /// Steps that wait for something outside: to be ended as owed.
    pub fn owing(&self, subject: &str) -> Vec<StepNo> {
        self.people.get(subject).map(PersonState::owing).unwrap_or_default()
    }
    /// Started, not finished: in doubt if nobody works on them.
    pub fn open_steps(&self) -> Vec<(Subject, StepNo)> {
        self.people
            .values()
            .flat_map(|p| p.open_steps().into_iter().map(|n| (p.subject.clone(), n)))
            .collect()
    }
    pub fn undelivered(&self) -> impl Iterator<Item = &OutboxItem> {
        self.outbox.values().filter(|i| i.delivered.is_none())
    }
    /// Everyone in it is complete (or there was nothing to do) and every record is delivered.
    pub fn finished(&self) -> bool {
        self.people.values().all(PersonState::finished) && self.undelivered().next().is_none()
    }
    /// Somebody signed for this person, and the run has begun by it: what is left of it needs no second signature.
    pub fn approved(&self, subject: &str) -> bool {
        let used = |a: &&ApprovalRecord| a.spent.is_some();
        let all = self.approvals.values().filter(used);
        all.into_iter()
            .any(|a| a.approved.approval.people.contains_key(subject))
    }
    pub fn totals(&self) -> Totals {
        self.people.values().fold(Totals::default(), |mut sum, p| {
            sum.add(&p.totals());
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ledger::{Approval, Meta, seal::Head, tests::*},
        model::{Action, Expect, Flow, OnFailure, Outcome, PersonResult, Phase, Step, Waits, system::OKTA},
    };

    /// As a store would seal them, a second apart.
    fn entries(bodies: impl IntoIterator<Item = Body>) -> Vec<Entry> {
        let meta: Meta = meta();
        let mut head = Head::default();
        let mut made = Vec::new();
        for body in bodies {
            let time = DateTime::from_timestamp(1_772_000_000 + head.seq, 0).unwrap();
            let (row, entry) = super::super::seal::seal(&head, &meta, time, None, draft("r-1", body)).unwrap();
            head = row.head().unwrap();
            made.push(entry);
        }
        made
    }
    fn told(bodies: impl IntoIterator<Item = Body>) -> Result<State, &'static str> {
        replay(&entries(bodies)).map_err(|i| i.why)
    }
    fn alice(bodies: impl IntoIterator<Item = Body>) -> PersonState {
        told(bodies).unwrap().people.remove("00u1").unwrap()
    }
    fn failure() -> Failure {
        Failure::transient("slack", "503")
    }
    fn failed() -> Outcome {
        Outcome::Failed { failure: failure() }
    }
    fn doubt() -> Outcome {
        Outcome::InDoubt { failure: failure() }
    }
    fn done(n: usize) -> [Body; 2] {
        [started(n), finished(n, Outcome::Done)]
    }
    fn whole() -> Vec<Body> {
        let mut bodies = vec![opened("leaver"), planned(leaver())];
        bodies.extend((0..4).flat_map(done));
        bodies
    }
    fn at(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_000_000 + n, 0).unwrap()
    }
    fn refuted(step: usize) -> Body {
        Body::Refuted {
            subject: "00u1".into(),
            step,
            failure: failure(),
        }
    }
    fn resumed() -> Body {
        Body::Resumed {
            operator: "dana".into(),
        }
    }

    #[test]
    fn a_step_starts_when_those_before_it_have_ended() {
        let mut bodies = vec![opened("leaver"), planned(leaver())];
        assert_eq!(alice(bodies.clone()).ready(), [0]);
        bodies.push(started(0));
        assert!(alice(bodies.clone()).ready().is_empty());
        // It failed, and the rest goes on.
        bodies.push(finished(0, failed()));
        assert_eq!(alice(bodies).ready(), [1]);
    }

    #[test]
    fn nothing_comes_after_a_failure_that_halts() {
        let mut plan = leaver();
        plan.steps[2].on_failure = OnFailure::Halt;
        let mut bodies = vec![planned(plan)];
        bodies.extend([done(0), done(1)].concat());
        bodies.extend([started(2), finished(2, failed())]);
        let person = alice(bodies.clone());
        assert_eq!((person.ready(), person.halted()), (vec![], vec![3]));
        bodies.push(finished(3, Outcome::NotTried { why: "halted".into() }));
        let person = alice(bodies);
        assert!(person.halted().is_empty());
        assert_eq!(person.totals().not_tried, 1);
        assert_eq!(person.result(), PersonResult::Partial);
    }

    #[test]
    fn a_step_that_waits_is_owed_and_never_ready() {
        let mut plan = leaver();
        plan.steps[2].waits = Some(Waits {
            failure: failure(),
            until: None,
        });
        let mut bodies = vec![planned(plan)];
        bodies.extend([done(0), done(1)].concat());
        let person = alice(bodies.clone());
        assert_eq!((person.ready(), person.owing()), (vec![], vec![2]));
        bodies.push(finished(
            2,
            Outcome::Owed {
                failure: failure(),
                until: None,
            },
        ));
        assert_eq!(alice(bodies).ready(), [3]);
    }

    #[test]
    fn contained_is_shut_and_then_cleared() {
        let whole = whole();
        assert_eq!(alice(whole[..5].to_vec()).contained, None);
        // Entry 6, a second each, from 0.
        assert_eq!(alice(whole.clone()).contained, Some(at(5)));
        // Cleared while still open: they may have signed in again.
        let early = [planned(leaver()), started(0), started(1), finished(1, Outcome::Done)];
        let mut early = early.to_vec();
        early.push(finished(0, Outcome::Done));
        assert_eq!(alice(early).contained, None);
    }

    #[test]
    fn who_was_shut_before_is_contained_once_cleared_or_at_once() {
        let mut manifest = Manifest::default();
        manifest.accounts.insert(OKTA, account(crate::model::State::Closed));
        let of = |plan: Plan| Body::Planned {
            subject: "00u1".into(),
            plan,
            manifest: manifest.clone(),
        };
        let clear = plan(Flow::Leaver, vec![step(Action::ClearSessions, Phase::Contain, &[])]);
        assert_eq!(alice([of(clear.clone())]).contained, None);
        assert_eq!(
            alice([vec![of(clear)], done(0).to_vec()].concat()).contained,
            Some(at(2))
        );
        let remove = Action::RemoveMember {
            group: group("ROLE-ENG"),
        };
        let later = plan(Flow::Leaver, vec![step(remove, Phase::Remove, &[])]);
        assert_eq!(alice([of(later)]).contained, Some(at(0)));
    }

    #[test]
    fn complete_is_never_more_than_was_read() {
        let mut bodies = whole();
        let person = alice(bodies.clone());
        assert_eq!(person.result(), PersonResult::Complete);
        assert_eq!(person.completed, Some(at(9)));
        // A read says that the group is still held.
        bodies.push(refuted(2));
        let person = alice(bodies.clone());
        assert_eq!((person.result(), person.completed), (PersonResult::Partial, None));
        let open = person.still_open();
        assert_eq!((open.len(), &open[0].system, &open[0].steps[..]), (1, &OKTA, &[2][..]));
        // Later it is gone.
        bodies.push(verified(2));
        let person = alice(bodies);
        assert_eq!(person.result(), PersonResult::Complete);
        assert_eq!(person.completed, Some(at(11)));
        assert_eq!(person.still_open(), []);
    }

    #[test]
    fn an_expectation_nobody_looked_at_is_not_met() {
        let mut plan = leaver();
        plan.expects.push(Expect {
            app: crate::model::Held::new(crate::model::Holding::App, "0oa1", "Slack"),
            assigned: false,
            manual: false,
            by: vec![2],
        });
        let mut bodies = whole();
        bodies[1] = planned(plan);
        assert_eq!(alice(bodies.clone()).result(), PersonResult::Partial);
        let looked = |outcome| Body::Expected {
            subject: "00u1".into(),
            expect: 0,
            outcome,
        };
        let with = |outcome| alice([bodies.clone(), vec![looked(outcome)]].concat());
        assert_eq!(with(Outcome::Unassigned).result(), PersonResult::Complete);
        assert_eq!(with(failed()).still_open()[0].apps, ["Slack"]);
    }

    #[test]
    fn a_leavers_transfer_and_any_record_may_be_late_until_their_time() {
        let owed = |until| Outcome::Owed {
            failure: failure(),
            until,
        };
        let of = |flow, phase, until| {
            let message = Action::SendMessage { text: "hi".into() };
            let one: Vec<Step> = vec![step(message, phase, &[])];
            alice([planned(plan(flow, one)), finished(0, owed(until))])
        };
        let late = of(Flow::Leaver, Phase::Preserve, Some(at(60)));
        assert_eq!(late.result(), PersonResult::Complete);
        assert_eq!((late.overdue(at(60)), late.overdue(at(61))), (false, true));
        assert_eq!(
            of(Flow::Mover, Phase::Record, Some(at(60))).result(),
            PersonResult::Complete
        );
        assert_eq!(
            of(Flow::Mover, Phase::Preserve, Some(at(60))).result(),
            PersonResult::Partial
        );
        assert_eq!(of(Flow::Leaver, Phase::Preserve, None).result(), PersonResult::Partial);
        let add = of(Flow::Joiner, Phase::Add, Some(at(60)));
        assert_eq!((add.result(), add.overdue(at(1))), (PersonResult::Partial, false));
    }

    #[test]
    fn a_later_plan_takes_the_place_of_what_had_not_ended_well() {
        let mut bodies = vec![planned(leaver())];
        bodies.extend(done(0));
        bodies.extend([started(1), resumed()]);
        let mut rest = leaver();
        rest.steps.remove(0);
        for s in &mut rest.steps {
            s.after = s.after.iter().filter_map(|a| a.checked_sub(1)).collect();
        }
        bodies.push(planned(rest));
        let person = alice(bodies.clone());
        assert_eq!((person.base, person.ready()), (4, vec![4]));
        let superseded: Vec<_> = (0..7).filter(|n| person.steps[*n].superseded()).collect();
        assert_eq!(superseded, [1, 2, 3]);
        assert_eq!(person.steps[6].step.after, [5]);
        bodies.extend([4, 5, 6].into_iter().flat_map(done));
        let person = alice(bodies.clone());
        assert_eq!(person.result(), PersonResult::Complete);
        assert!(person.contained.is_some());
        bodies.push(started(2));
        assert_eq!(told(bodies).unwrap_err(), "a later plan took the step's place");
    }

    #[test]
    fn who_is_contained_and_held_is_complete_only_once_the_rest_was_applied() {
        let contain = Plan {
            held: Some("the rest waits".into()),
            ..plan(Flow::Leaver, leaver().steps[..2].to_vec())
        };
        let rest = plan(Flow::Leaver, vec![leaver().steps[3].clone()]);
        let rest = Plan {
            steps: rest.steps.into_iter().map(|s| Step { after: vec![], ..s }).collect(),
            ..rest
        };
        let mut bodies = vec![opened("sweep"), planned(contain)];
        bodies.extend([done(0).to_vec(), done(1).to_vec(), vec![closed(PersonResult::Held)]].concat());
        let person = alice(bodies.clone());
        assert!(person.contained.is_some());
        assert_eq!((person.completed, person.result()), (None, PersonResult::Held));
        bodies.push(Body::Held {
            subject: "00u1".into(),
            plan: rest.clone(),
            why: "brake".into(),
        });
        let held = alice(bodies.clone());
        assert_eq!((held.plan.id(), held.ready()), (rest.id(), vec![]));
        assert_eq!((held.contained, held.completed), (person.contained, None));
        assert!(held.finished(), "judged anew by each sweep");
        bodies.extend([vec![resumed(), planned(rest)], done(2).to_vec(), vec![verified(2)]].concat());
        let whole = alice(bodies);
        assert_eq!(
            (whole.result(), whole.contained),
            (PersonResult::Complete, person.contained)
        );
        assert!(whole.completed.is_some());
    }

    #[test]
    fn a_step_in_doubt_gets_one_word_more() {
        let begun = [planned(leaver()), started(0)];
        let with = |more: &[Body]| told([&begun[..], more].concat());
        assert_eq!(with(&[]).unwrap().open_steps(), [("00u1".to_owned(), 0)]);
        assert!(with(&[verified(0)]).unwrap().people["00u1"].steps[0].settled());
        assert!(with(&[finished(0, Outcome::Already)]).unwrap().people["00u1"].steps[0].settled());
        let twice = [finished(0, doubt()), finished(0, Outcome::Done)];
        assert_eq!(with(&twice).unwrap_err(), "the step has ended");
        assert!(with(&[finished(0, doubt()), verified(0)]).unwrap().people["00u1"].steps[0].settled());
        assert!(!with(&[finished(0, doubt()), refuted(0)]).unwrap().people["00u1"].steps[0].settled());
        // Sent again only by whoever took the run up.
        assert_eq!(with(&[started(0)]).unwrap_err(), "the step is under way");
        assert!(with(&[resumed(), started(0)]).is_ok());
        assert_eq!(
            with(&[resumed(), started(0), started(0)]).unwrap_err(),
            "the step is under way"
        );
    }

    #[test]
    fn what_can_not_have_happened_is_illegal() {
        for (bodies, why) in [
            (vec![opened("a"), opened("a")], "a run begins once"),
            (vec![started(0)], "nothing was planned for that person"),
            (vec![planned(leaver()), started(4)], "no such step was planned"),
            (
                vec![planned(leaver()), finished(0, Outcome::Done)],
                "the step never started",
            ),
            (vec![planned(leaver()), verified(0)], "the step never started"),
            (
                vec![closed(PersonResult::Nothing)],
                "nothing was planned for that person",
            ),
            (
                [whole(), vec![closed(PersonResult::Complete), refuted(0)]].concat(),
                "that person was complete",
            ),
            (
                vec![planned(plan(
                    Flow::Leaver,
                    vec![step(Action::Suspend, Phase::Contain, &[0])],
                ))],
                "a step comes after itself or a later one",
            ),
        ] {
            assert_eq!(told(bodies).unwrap_err(), why);
        }
        let two = entries([opened("a"), resumed()]);
        assert!(replay([&two[1], &two[0]]).is_err());
        let mut other = two[1].clone();
        other.envelope.run = "r-2".into();
        assert!(replay([&two[0], &other]).is_err());
    }

    #[test]
    fn a_record_is_owed_until_it_is_delivered() {
        let key = "r-1/00u1".to_owned();
        let system = System::named("servicenow");
        let owed = Body::Owed {
            record: record(&key),
            system: system.clone(),
        };
        let failed = Body::Undelivered {
            key: key.clone(),
            system: system.clone(),
            failure: failure(),
        };
        let delivered = Body::Delivered {
            key,
            system,
            receipt: Receipt::default(),
        };
        let state = told([owed.clone(), failed.clone(), failed.clone()]).unwrap();
        let item = state.undelivered().next().unwrap();
        assert_eq!((item.attempts, item.since), (2, at(0)));
        assert!(!state.finished());
        assert!(told([owed.clone(), delivered.clone()]).unwrap().finished());
        let twice = [owed, delivered.clone(), delivered.clone()];
        assert_eq!(told(twice).unwrap_err(), "that record was delivered");
        assert_eq!(told([delivered]).unwrap_err(), "no such record is owed");
        assert_eq!(told([failed]).unwrap_err(), "no such record is owed");
    }

    #[test]
    fn an_erased_or_newer_body_leaves_the_run_readable() {
        let mut all = entries([opened("leaver"), resumed()]);
        all[1].body = None;
        assert!(replay(&all).unwrap().opaque);
        let newer: Body = serde_json::from_str(r#"{"entry":"abolished","until":"2026-01-01T00:00:00Z"}"#).unwrap();
        assert_eq!(newer, Body::Opaque);
        assert!(told([opened("leaver"), newer]).unwrap().opaque);
    }

    fn approved() -> Approved {
        Approved {
            approval: Approval {
                tenant: "00o1".into(),
                run: "r-1".into(),
                people: BTreeMap::new(),
                expires: at(60),
            },
            signer: "erin".into(),
            key: "SHA256:x".into(),
            signature: String::new(),
        }
    }

    #[test]
    fn an_approval_is_spent_once() {
        let given = [opened("sweep"), Body::Approved(approved())];
        let state = told(given.clone()).unwrap();
        let (seq, record) = state.approvals.iter().next().unwrap();
        assert_eq!((record.at, record.spent), (at(1), None));
        let spent = Body::Spent { approval: *seq };
        let once = told([&given[..], std::slice::from_ref(&spent)].concat()).unwrap();
        assert_eq!(once.approvals[seq].spent, Some(at(2)));
        let twice = [&given[..], &[spent.clone(), spent]].concat();
        assert_eq!(told(twice).unwrap_err(), "that approval was spent");
        let none = [&given[..], &[Body::Spent { approval: seq + 1 }]].concat();
        assert_eq!(told(none).unwrap_err(), "no such approval was given");
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Verified),
            Just(Outcome::Done),
            Just(Outcome::Already),
            Just(Outcome::Unassigned),
            Just(failed()),
            Just(doubt()),
            Just(Outcome::Owed {
                failure: failure(),
                until: None
            }),
            Just(Outcome::NotTried { why: "halted".into() }),
        ]
    }

    fn body() -> impl Strategy<Value = Body> {
        let system = || System::named("servicenow");
        let expected = |(expect, outcome)| Body::Expected {
            subject: "00u1".into(),
            expect,
            outcome,
        };
        prop_oneof![
            1 => Just(opened("leaver")),
            2 => Just(planned(leaver())),
            1 => Just(planned(plan(Flow::Leaver, vec![]))),
            1 => Just(Body::Held { subject: "00u1".into(), plan: leaver(), why: "brake".into() }),
            8 => (0..6usize).prop_map(started),
            8 => (0..6usize, outcome()).prop_map(|(n, o)| finished(n, o)),
            3 => (0..6usize).prop_map(verified),
            2 => (0..6usize).prop_map(refuted),
            1 => (0..2usize, outcome()).prop_map(expected),
            1 => Just(Body::Owed { record: record("k"), system: system() }),
            1 => Just(Body::Undelivered { key: "k".into(), system: system(), failure: failure() }),
            1 => Just(Body::Delivered { key: "k".into(), system: system(), receipt: Receipt::default() }),
            1 => Just(Body::Approved(approved())),
            1 => (0..40i64).prop_map(|approval| Body::Spent { approval }),
            1 => Just(Body::Lifted { subject: "00u1".into(), reason: "HR was right".into() }),
            1 => Just(resumed()),
            1 => Just(closed(PersonResult::Partial)),
            1 => Just(closed(PersonResult::Complete)),
            1 => Just(Body::Swept(Swept::default())),
            1 => any::<bool>().prop_map(|all| Body::Paused { until: at(60), reason: "unsure".into(), all }),
            1 => Just(Body::Unpaused),
            1 => Just(Body::Checkpoint { text: "text".into() }),
            1 => Just(Body::Spooled { host: "ops-1".into(), why: "gone".into(), fences: Default::default() }),
            1 => Just(Body::Opaque),
        ]
    }

    proptest! {
        /// Whatever comes, the fold moves or refuses; what it let pass means the same when it is read again.
        #[test]
        fn the_fold_is_total(bodies in prop::collection::vec(body(), 0..40)) {
            let mut state = State::default();
            let mut legal = Vec::new();
            for entry in entries(bodies) {
                let before = state.clone();
                match state.take(&entry) {
                    Ok(()) => legal.push(entry),
                    Err(_) => prop_assert_eq!(&state, &before),
                }
                for p in state.people.values() {
                    let lists = [p.ready(), p.halted(), p.owing(), p.open_steps()].concat();
                    prop_assert_eq!(lists.len(), lists.iter().collect::<std::collections::BTreeSet<_>>().len());
                    if p.completed.is_some() || p.result() == PersonResult::Complete {
                        prop_assert_eq!(p.still_open(), vec![]);
                    }
                    let t = p.totals();
                    prop_assert_eq!(
                        t.steps,
                        t.verified + t.done + t.already + t.unassigned + t.failed + t.in_doubt + t.owed + t.not_tried
                            + t.waiting
                    );
                }
            }
            prop_assert_eq!(replay(&legal), Ok(state));
            // And from what is stored, not only from what was in hand.
            for entry in &legal {
                let text = serde_json_canonicalizer::to_vec(&entry.body).unwrap();
                prop_assert_eq!(&serde_json::from_slice::<Option<Body>>(&text).unwrap(), &entry.body);
            }
        }
    }
}
