//! One person in one run: how each step stands, and what follows from it for the person.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    entry::Subject,
    step::{At, Progress, StepRecord},
};
use crate::model::{
    self, Expect, Flow, Manifest, Note, Outcome, PersonResult, Plan, StepNo, System, Verb, system::OKTA,
};

#[derive(Clone, Debug, PartialEq)]
pub struct ExpectRecord {
    pub expect: Expect,
    pub outcome: Option<Outcome>,
}

/// One subject in one run. `steps` counts over all its plans; `after` of a later plan's steps is shifted accordingly.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonState {
    pub subject: Subject,
    pub login: String,
    pub name: String,
    pub flow: Flow,
    /// The newest plan (header, notes, apps); its steps begin at `base`.
    pub plan: Plan,
    pub base: StepNo,
    pub planned: DateTime<Utc>,
    pub manifest: Manifest,
    pub steps: Vec<StepRecord>,
    pub expects: Vec<ExpectRecord>,
    pub notes: Vec<Note>,
    /// Suspended or deactivated, and cleared afterwards.
    pub contained: Option<DateTime<Utc>>,
    /// The last access was verified gone (or given).
    pub completed: Option<DateTime<Utc>>,
    pub held: Option<String>,
    /// Somebody's word against HR's, which was taken back.
    pub lifted: bool,
    /// As it was closed; `result()` is what the steps say.
    pub result: Option<PersonResult>,
    pub closed: Option<DateTime<Utc>>,
    /// The directory's account could not sign in before any step of ours.
    pub(super) shut: bool,
}

/// Access that is not known to be gone, one account of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillOpen {
    pub system: System,
    /// The account's id; empty where the system was not read.
    pub account: String,
    /// As people know the account, if it was read.
    pub login: Option<String>,
    pub steps: Vec<StepNo>,
    /// Apps whose assignment was to end and has not.
    pub apps: Vec<String>,
    /// Why the system could not be read.
    pub unread: Option<String>,
}

/// How many steps ended how. Superseded ones don't count; `waiting` are neither started nor given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub steps: usize,
    pub verified: usize,
    pub done: usize,
    pub already: usize,
    pub unassigned: usize,
    pub failed: usize,
    pub in_doubt: usize,
    pub owed: usize,
    pub not_tried: usize,
    pub waiting: usize,
}

impl PersonState {
    pub(super) fn new(subject: &str, plan: &Plan, at: At) -> Self {
        PersonState {
            subject: subject.to_owned(),
            login: plan.login.clone(),
            name: plan.name.clone(),
            flow: plan.flow,
            plan: plan.clone(),
            base: 0,
            planned: at.time,
            manifest: Manifest::default(),
            steps: Vec::new(),
            expects: Vec::new(),
            notes: plan.notes.clone(),
            contained: None,
            completed: None,
            held: None,
            lifted: false,
            result: None,
            closed: None,
            shut: false,
        }
    }

    /// The first plan, or what is left, planned anew.
    pub(super) fn plan(&mut self, plan: &Plan, manifest: &Manifest, at: At) {
        let base = self.steps.len();
        self.supersede();
        self.steps
            .extend(plan.steps.iter().map(|s| StepRecord::new(s.clone(), base)));
        // What was looked at and is as it should be stays told, unless the new plan speaks of the same app.
        let again = |r: &ExpectRecord| plan.expects.iter().any(|e| e.app.id == r.expect.app.id);
        self.expects
            .retain(|r| r.outcome.as_ref().is_some_and(Outcome::settled) && !again(r));
        self.expects.extend(plan.expects.iter().map(|expect| {
            let mut expect = expect.clone();
            for by in &mut expect.by {
                *by = by.saturating_add(base);
            }
            ExpectRecord { expect, outcome: None }
        }));
        // The clock of the promise runs from the first plan: our own changes may hide when HR recorded the leaving.
        let first = (self.plan.effective, self.plan.clock, self.plan.due);
        if base == 0 {
            self.planned = at.time;
            self.manifest = manifest.clone();
        } else {
            // What the person held before anything was taken away stays; only what was unread then can be added.
            self.manifest.unread.clone_from(&manifest.unread);
            for (system, account) in &manifest.accounts {
                self.manifest
                    .accounts
                    .entry(system.clone())
                    .or_insert_with(|| account.clone());
            }
        }
        self.shut |= manifest
            .accounts
            .get(&OKTA)
            .is_some_and(|a| a.state >= model::State::Suspended);
        self.login.clone_from(&plan.login);
        self.name.clone_from(&plan.name);
        self.flow = plan.flow;
        self.plan = plan.clone();
        if base > 0 && first.1.is_some() {
            (self.plan.effective, self.plan.clock, self.plan.due) = first;
        }
        self.base = base;
        self.notes.clone_from(&plan.notes);
        self.held = None;
        self.lifted = false;
        self.result = None;
        self.closed = None;
        self.reckon(at);
    }

    pub(super) fn step(&mut self, step: StepNo) -> Result<&mut StepRecord, &'static str> {
        self.steps.get_mut(step).ok_or("no such step was planned")
    }

    /// What follows from the steps, after one has moved.
    pub(super) fn reckon(&mut self, at: At) {
        if self.flow == Flow::Leaver && self.contained.is_none() && self.is_contained() {
            self.contained = Some(at.time);
        }
        let access = || self.live().filter(|s| s.access());
        // A plan that leaves the rest to somebody's decision completes nobody.
        let all = self.held.is_none() && self.plan.held.is_none();
        self.completed = if all && access().all(StepRecord::settled) && self.expects_met() {
            access().filter_map(StepRecord::known).max().or(Some(self.planned))
        } else {
            None
        };
    }

    /// What had not ended well: another plan takes its place.
    fn supersede(&mut self) {
        for step in &mut self.steps {
            if !step.settled() {
                step.progress = Progress::Superseded;
            }
        }
    }

    /// What is left, held: planned, and nothing of it may start.
    pub(super) fn hold(&mut self, plan: &Plan, why: &str, at: At) {
        let first = (self.plan.effective, self.plan.clock, self.plan.due);
        self.plan = plan.clone();
        if !self.steps.is_empty() && first.1.is_some() {
            (self.plan.effective, self.plan.clock, self.plan.due) = first;
        }
        self.supersede();
        self.base = self.steps.len();
        self.held = Some(why.to_owned());
        self.result = None;
        self.closed = None;
        self.reckon(at);
    }

    /// No way in, and then nobody in: sessions that were cleared before the door was shut may have come back.
    fn is_contained(&self) -> bool {
        let well = |verbs: &'static [Verb]| self.steps.iter().filter(move |s| s.does(verbs) && s.settled());
        let shut = if self.shut {
            Some(0)
        } else {
            well(&[Verb::Suspend, Verb::Deactivate]).filter_map(|s| s.ended).min()
        };
        let Some(shut) = shut else { return false };
        let clear = &[Verb::ClearSessions];
        match self.live().any(|s| s.does(clear)) {
            true => well(clear).any(|s| s.seq.or(s.ended).is_some_and(|n| n > shut)),
            // Planned for nobody whose sessions are known to be gone.
            false => self.shut,
        }
    }

    /// Those that count: not superseded.
    pub fn live(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|s| !s.superseded())
    }

    fn numbered(&self, wanted: impl Fn(&StepRecord) -> bool) -> Vec<StepNo> {
        (0..)
            .zip(&self.steps)
            .filter(|(_, s)| wanted(s))
            .map(|(n, _)| n)
            .collect()
    }

    fn halts(&self, step: &StepRecord) -> bool {
        step.step
            .after
            .iter()
            .filter_map(|a| self.steps.get(*a))
            .any(StepRecord::stops)
    }

    /// Steps that may start now.
    pub fn ready(&self) -> Vec<StepNo> {
        let over = |a: &StepNo| {
            self.steps
                .get(*a)
                .is_none_or(|s| matches!(s.progress, Progress::Ended { .. } | Progress::Superseded))
        };
        self.numbered(|s| {
            s.progress == Progress::Waiting && s.step.waits.is_none() && s.step.after.iter().all(over) && !self.halts(s)
        })
    }
    /// Steps that can't be tried, because one they come after ended badly and halts.
    pub fn halted(&self) -> Vec<StepNo> {
        self.numbered(|s| s.progress == Progress::Waiting && self.halts(s))
    }
    /// Steps that wait for something outside: to be ended as owed.
    pub fn owing(&self) -> Vec<StepNo> {
        self.numbered(|s| s.progress == Progress::Waiting && s.step.waits.is_some() && !self.halts(s))
    }
    /// Started, not finished: in doubt if nobody works on them.
    pub fn open_steps(&self) -> Vec<StepNo> {
        self.numbered(|s| matches!(s.progress, Progress::Open { .. }))
    }

    /// Looked at, and as they should be.
    fn expects_met(&self) -> bool {
        self.expects
            .iter()
            .all(|e| e.outcome.as_ref().is_some_and(Outcome::settled))
    }

    /// What the steps say, whatever was closed.
    pub fn result(&self) -> PersonResult {
        if self.held.is_some() {
            return PersonResult::Held;
        }
        if self.steps.is_empty() {
            return PersonResult::Nothing;
        }
        let done = self.live().all(|s| s.settled() || s.may_be_late(self.flow));
        if done && self.plan.held.is_some() {
            PersonResult::Held
        } else if done && self.expects_met() {
            PersonResult::Complete
        } else {
            PersonResult::Partial
        }
    }

    /// Closed as complete: no more entries about its steps.
    pub fn complete(&self) -> bool {
        self.closed.is_some() && self.result == Some(PersonResult::Complete) && self.finished()
    }

    /// Was the same effect begun before, by a step that nobody saw end well? It may have happened.
    pub fn began(&self, step: StepNo) -> bool {
        let effect = &self.steps[step].step.effect;
        let same = |r: &&StepRecord| r.step.effect == *effect;
        self.steps.iter().filter(same).any(|r| r.seq.is_some() && !r.settled())
    }

    /// Contained, and what comes after waits for somebody who may agree to it.
    pub fn waits_for_approver(&self) -> bool {
        self.plan.held.is_some() && self.result == Some(PersonResult::Held) && !self.lifted
    }

    /// Nothing of it is left for resume or the sweep. A plan that was only held is judged anew each time.
    pub fn finished(&self) -> bool {
        if self.held.is_some() {
            return true;
        }
        match self.result {
            // What is owed in the vendor's own time is looked at until it is there.
            Some(PersonResult::Complete) => self.live().all(StepRecord::settled),
            Some(PersonResult::Nothing | PersonResult::Refused) => true,
            // What could be done now is done; the sweep watches over it, and an approver is asked for the rest.
            Some(PersonResult::Held) => true,
            Some(PersonResult::Partial | PersonResult::Planned) | None => self.steps.is_empty(),
        }
    }

    /// Nothing is left but what people do by hand: no system can say anything about it.
    pub fn waits_for_people(&self) -> bool {
        let mut left = self.live().filter(|s| !s.settled()).peekable();
        self.complete_but_late() && left.peek().is_some() && left.all(|s| s.step.effect.action.verb() == Verb::ByHand)
    }

    fn complete_but_late(&self) -> bool {
        self.result == Some(PersonResult::Complete) && self.expects_met()
    }

    /// Something raises the exit code: not settled, and not owed within its own deadline.
    pub fn overdue(&self, now: DateTime<Utc>) -> bool {
        let late = |outcome: Option<&Outcome>| match outcome {
            Some(Outcome::Owed { until, .. }) => until.is_none_or(|t| t < now),
            Some(o) => !o.settled(),
            None => true,
        };
        self.live().any(|s| late(s.outcome())) || self.expects.iter().any(|e| late(e.outcome.as_ref()))
    }

    /// Access that is not known to be gone. Manual tasks and unassigned apps are told beside it.
    pub fn still_open(&self) -> Vec<StillOpen> {
        let mut open: BTreeMap<(System, String), StillOpen> = BTreeMap::new();
        let login = |system: &System, account: &str| {
            let known = self.manifest.accounts.get(system)?;
            (known.id == account || account.is_empty()).then(|| known.login.clone())
        };
        let new = |system: &System, account: &str| StillOpen {
            system: system.clone(),
            account: account.to_owned(),
            login: login(system, account),
            steps: Vec::new(),
            apps: Vec::new(),
            unread: None,
        };
        let lacks = |s: &&StepRecord| s.access() && !s.step.effect.action.gives() && !s.settled();
        for (n, s) in (0..)
            .zip(&self.steps)
            .filter(|(_, s)| !s.superseded())
            .filter(|(_, s)| lacks(s))
        {
            let effect = &s.step.effect;
            open.entry((effect.system.clone(), effect.account.clone()))
                .or_insert_with(|| new(&effect.system, &effect.account))
                .steps
                .push(n);
        }
        let stays = |e: &&ExpectRecord| !e.expect.assigned && matches!(e.outcome, Some(Outcome::Failed { .. }));
        for e in self.expects.iter().filter(stays) {
            let account = self.manifest.accounts.get(&OKTA).map_or("", |a| a.id.as_str());
            open.entry((OKTA, account.to_owned()))
                .or_insert_with(|| new(&OKTA, account))
                .apps
                .push(e.expect.app.name.clone());
        }
        if self.flow == Flow::Leaver {
            for (system, why) in &self.manifest.unread {
                open.entry((system.clone(), String::new()))
                    .or_insert_with(|| new(system, ""))
                    .unread = Some(why.clone());
            }
        }
        open.into_values().collect()
    }

    pub fn totals(&self) -> Totals {
        let mut t = Totals::default();
        for s in self.live() {
            t.steps += 1;
            match s.outcome() {
                Some(Outcome::Verified) => t.verified += 1,
                Some(Outcome::Done) => t.done += 1,
                Some(Outcome::Already) => t.already += 1,
                Some(Outcome::Unassigned) => t.unassigned += 1,
                Some(Outcome::Failed { .. }) => t.failed += 1,
                Some(Outcome::InDoubt { .. }) => t.in_doubt += 1,
                Some(Outcome::Owed { .. }) => t.owed += 1,
                Some(Outcome::NotTried { .. }) => t.not_tried += 1,
                None if matches!(s.progress, Progress::Open { .. }) => t.in_doubt += 1,
                None => t.waiting += 1,
            }
        }
        t
    }

    /// Systems in which something was done or tried, for the report's order.
    pub fn systems(&self) -> BTreeSet<&System> {
        self.live().map(|s| &s.step.effect.system).collect()
    }
}

impl Totals {
    pub fn add(&mut self, other: &Totals) {
        self.steps += other.steps;
        self.verified += other.verified;
        self.done += other.done;
        self.already += other.already;
        self.unassigned += other.unassigned;
        self.failed += other.failed;
        self.in_doubt += other.in_doubt;
        self.owed += other.owed;
        self.not_tried += other.not_tried;
        self.waiting += other.waiting;
    }
}
