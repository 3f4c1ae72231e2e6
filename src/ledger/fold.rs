//! What happened, as one total function over entries.
//!
//! The executor, resume, the closing report, `run show`, the SLA and `-o json` all walk `next`; nobody else decides what an entry means.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    entry::{Body, Entry, Opened, Seq, Subject, Swept},
    person::At,
};
use crate::model::{Failure, Manifest, Plan, Receipt, Record, StepNo, System};

pub use super::person::{ExpectRecord, PersonState, Progress, StepRecord, StillOpen, Totals};

#[derive(Clone, Debug, PartialEq)]
pub struct OutboxItem {
    pub record: Record,
    pub system: System,
    pub since: DateTime<Utc>,
    pub attempts: usize,
    pub failure: Option<Failure>,
    pub delivered: Option<(DateTime<Utc>, Receipt)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub run: String,
    pub opened: Option<(DateTime<Utc>, Opened)>,
    pub resumed: Vec<(DateTime<Utc>, String)>,
    pub people: BTreeMap<Subject, PersonState>,
    /// By (recorder, key).
    pub outbox: BTreeMap<(System, String), OutboxItem>,
    pub swept: Option<Swept>,
    pub checkpoint: Option<String>,
    pub first: Option<Seq>,
    pub last: Option<(Seq, DateTime<Utc>)>,
    /// Of the last Resumed.
    pub taken_up: Option<Seq>,
    /// A body was purged, or is of a newer release: this run can be shown, not resumed.
    pub opaque: bool,
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
                person.held = Some(why.clone());
                person.result = None;
                person.closed = None;
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
            Body::Linked { .. } => {}
            Body::Swept(swept) => self.swept = Some(swept.clone()),
            Body::Checkpoint { text } => self.checkpoint = Some(text.clone()),
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
    pub fn totals(&self) -> Totals {
        self.people.values().fold(Totals::default(), |mut sum, p| {
            sum.add(&p.totals());
            sum
        })
    }
}
