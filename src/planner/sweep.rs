//! Who is due, of everyone: the lanes of a sweep, from bulk reads alone.
//!
//! Sorts people and plans nobody; each of them is looked at by id before anything is decided. Absent people are named, never set to leave.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

pub use super::lanes::{Due, Facts, Future, Lanes, Shown, Why, causes, managed_groups};
use super::{
    change::{Change, change},
    dates::{self, Instant, text},
    employment::{Word, judge},
    entitle::{Managed, entitle},
    guards::{Distrust, believe, consistent},
    refusal::{Class, Refusal},
};
use crate::model::{
    Catalogue, Employment, Flow, Held, Holding, Hr, Limits, Person, Policy, Status, System, Worker,
    policy::{GardenLeave, OnLeave},
};

pub fn sort(
    facts: &Facts,
    policy: &Policy,
    tenant: &Catalogue,
    limits: &Limits,
    now: DateTime<Utc>,
) -> Result<Lanes, Distrust> {
    believe(&facts.people, policy, limits, facts.last.as_ref().map(|(_, m)| m))?;
    let mut sorter = Sorter {
        facts,
        policy,
        tenant,
        now,
        twice: twice(&facts.people),
        none: BTreeSet::new(),
        bad: Vec::new(),
        lanes: Lanes::default(),
    };
    for person in &facts.people {
        sorter.person(person);
    }
    let Sorter { mut lanes, bad, .. } = sorter;
    consistent(bad.iter().map(String::as_str), facts.people.len(), limits)?;
    for lane in [
        &mut lanes.leavers,
        &mut lanes.leave,
        &mut lanes.movers,
        &mut lanes.joiners,
    ] {
        lane.sort();
    }
    lanes.future.sort_by(|a, b| (a.at, &a.login).cmp(&(b.at, &b.login)));
    Ok(lanes)
}

/// Records that more than one person of the directory was matched to.
fn twice(people: &[Person]) -> BTreeSet<String> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for key in people.iter().filter_map(|p| p.worker()).map(|w| &w.key) {
        if !seen.insert(key) {
            twice.insert(key.clone());
        }
    }
    twice
}

struct Sorter<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    tenant: &'a Catalogue,
    now: DateTime<Utc>,
    twice: BTreeSet<String>,
    none: BTreeSet<(System, String)>,
    /// Contradictions, to be counted as one source.
    bad: Vec<String>,
    lanes: Lanes,
}

fn shown(person: &Person, text: impl Into<String>) -> Shown {
    Shown {
        id: person.id.clone(),
        login: person.login.clone(),
        text: text.into(),
        place: person.worker().and_then(|w| w.place.clone()),
    }
}

fn due(person: &Person, at: Option<DateTime<Utc>>, why: Why) -> Due {
    Due {
        at,
        id: person.id.clone(),
        login: person.login.clone(),
        why,
    }
}

impl Sorter<'_> {
    fn person(&mut self, person: &Person) {
        let word = match person.worker() {
            Some(w) if self.twice.contains(&w.key) => Word::SetAside(Refusal::Contradiction {
                login: person.login.clone(),
                what: format!("record {} matches more than one person", w.key),
            }),
            Some(_) | None => judge(person, self.policy, self.now),
        };
        match word {
            Word::Left { leaving } => self.left(person, leaving),
            Word::Missing => self.missing(person),
            Word::SetAside(refusal) => {
                // Nobody needs a decision about an account that is shut and empty.
                if person.status.live() || self.holds(person) {
                    self.bad.push(refusal.to_string());
                    self.lanes.set_aside.push(shown(person, refusal.to_string()));
                }
            }
            Word::Employed { leaves } => {
                if let Some(l) = leaves
                    && person.status.live()
                {
                    self.future(person, Flow::Leaver, l);
                }
                if let Some(worker) = person.worker() {
                    self.employed(person, worker);
                }
            }
        }
    }

    fn future(&mut self, person: &Person, flow: Flow, instant: Instant) {
        self.lanes.future.push(Future {
            at: instant.at,
            id: person.id.clone(),
            login: person.login.clone(),
            flow,
            source: instant.source(),
            zoneless: instant.zoneless,
        });
    }

    /// In any group that policy manages?
    fn holds(&self, person: &Person) -> bool {
        let managed = Managed::new(self.policy, &self.none);
        let held = self.facts.held.get(&person.id).into_iter().flatten();
        held.filter_map(|id| self.tenant.group(id)).any(|g| managed.group(g))
    }

    fn left(&mut self, person: &Person, leaving: Option<Instant>) {
        let at = leaving.as_ref().map(|l| l.at);
        let why = if self.facts.open.get(&person.id) == Some(&Flow::Leaver) {
            Why::Open
        } else if person.status.live() {
            if let Some(closed) = self.facts.finished.get(&person.id) {
                let line = format!(
                    "was closed {}, and is {} again: somebody gave access back",
                    text(*closed),
                    person.status
                );
                self.lanes.named.push(shown(person, line));
            }
            Why::Left
        } else if self.holds(person) || self.shut_unseen(person) {
            Why::Shut
        } else {
            return;
        };
        if let Some(protection) = self.tenant.protected.get(&person.id)
            && !self.facts.approved.contains(&person.id)
        {
            let since = at.map(|at| format!(" at {}", text(at))).unwrap_or_default();
            let line = format!("protected ({protection}), and HR says that they left{since}: needs an approver");
            self.lanes.protected.push(shown(person, line));
            self.lanes.protected_leavers.push(due(person, at, why));
            return;
        }
        if let Some(place) = leaving.and_then(|l| l.zoneless) {
            let line = format!("no zone for location \"{place}\": the policy's zone decided");
            self.lanes.named.push(shown(person, line));
        }
        self.lanes.leavers.push(due(person, at, why));
    }

    /// Shut since the last sweep, and no run of ours finished since.
    fn shut_unseen(&self, person: &Person) -> bool {
        let (Some(changed), Some((last, _))) = (person.status_changed, &self.facts.last) else {
            return false;
        };
        // Two clocks may differ by a minute (SAFETY §4).
        let slack = TimeDelta::minutes(1);
        let finished = self
            .facts
            .finished
            .get(&person.id)
            .is_some_and(|at| *at + slack >= changed);
        changed + slack >= *last && !finished
    }

    fn missing(&mut self, person: &Person) {
        if !person.status.live() {
            return;
        }
        let since = self.facts.missing.get(&person.id).copied().unwrap_or(self.now);
        self.lanes.missing.insert(person.id.clone(), since);
        // Break-glass and service accounts are nobody's employees.
        if !self.tenant.protected.contains_key(&person.id) {
            let line = format!(
                "{} in Okta, missing from the roster since {}",
                person.status,
                text(since)
            );
            self.lanes.named.push(shown(person, line));
        }
    }

    fn employed(&mut self, person: &Person, worker: &Worker) {
        if let Hr::Converted { ended, .. } = &person.hr {
            let line = format!(
                "a conversion, not a leaving: record {ended} ended, record {} is live",
                worker.key
            );
            self.lanes.named.push(shown(person, line));
        }
        if self.facts.overridden.contains(&person.id) {
            return self.overridden(person);
        }
        if self.facts.open.get(&person.id) == Some(&Flow::Leaver) && person.status == Status::Suspended {
            // Contained by an override whose approver has not spoken.
            return;
        }
        let start = dates::starting(worker, self.policy);
        if let Some(start) = start.clone()
            && start.at > self.now
        {
            return self.future(person, Flow::Joiner, start);
        }
        if !person.status.live() {
            let since = |s: &Instant| person.status_changed.is_some_and(|changed| s.at > changed);
            if start.as_ref().is_some_and(since) {
                let line = format!(
                    "HR says active, DEPROVISIONED in Okta: jml joiner {} --rehire --activate",
                    person.login
                );
                self.lanes.named.push(shown(person, line));
            }
            return;
        }
        match worker.employment {
            Employment::OnLeave => return self.on_leave(person, "on leave", self.policy.on_leave == OnLeave::Suspend),
            Employment::GardenLeave => {
                let suspends = self.policy.garden_leave != GardenLeave::Ignore;
                return self.on_leave(person, "on garden leave", suspends);
            }
            Employment::Active | Employment::Terminated | Employment::Cancelled => {}
        }
        if person.status == Status::Suspended {
            self.lanes.named.push(shown(
                person,
                "SUSPENDED in Okta, while HR says active; jml does not lift it",
            ));
        }
        self.differs(person, worker, start.map(|s| s.at));
    }

    fn overridden(&mut self, person: &Person) {
        if matches!(person.status, Status::Suspended | Status::Deprovisioned) {
            self.lanes
                .named
                .push(shown(person, "left by override, which HR has not confirmed yet"));
        } else {
            let line = format!(
                "left by override, and is {} again: the override outranks HR",
                person.status
            );
            self.lanes.named.push(shown(person, line));
            self.lanes.leavers.push(due(person, None, Why::Reversed));
        }
    }

    fn on_leave(&mut self, person: &Person, word: &str, suspends: bool) {
        if !suspends {
            let line = format!("{word}: nothing is done, by policy");
            return self.lanes.named.push(shown(person, line));
        }
        if person.status == Status::Suspended {
            return self.lanes.named.push(shown(person, format!("{word}, suspended")));
        }
        match self.tenant.protected.get(&person.id) {
            Some(why) => self
                .lanes
                .protected
                .push(shown(person, format!("protected ({why}), and {word}"))),
            None => self.lanes.leave.push(due(person, None, Why::Left)),
        }
    }

    /// Groups that differ from policy: a joiner holds none of them yet, a mover does.
    fn differs(&mut self, person: &Person, worker: &Worker, start: Option<DateTime<Utc>>) {
        let grants = self.facts.grants(&person.id);
        let desired = match entitle(&person.login, worker, self.policy, self.tenant) {
            Ok(desired) => desired.beside(grants, self.tenant, self.now),
            Err(refusal) => {
                let lane = if refusal.class() == Class::Unread {
                    &mut self.lanes.unread
                } else {
                    &mut self.lanes.set_aside
                };
                lane.push(shown(person, refusal.to_string()));
                return;
            }
        };
        for given in desired.groups.values() {
            if let Some(failure) = self.facts.unread.get(&given.held.id) {
                let line = format!("the members of {} were not read ({})", given.held.name, failure.summary);
                self.lanes.unread.push(shown(person, line));
                return;
            }
        }
        let open = self.facts.open.get(&person.id).copied();
        let held: Vec<Held> = self.held(person);
        let given = self.facts.given.get(&person.id).unwrap_or(&self.none);
        let managed = Managed::new(self.policy, given).granted(grants);
        let change: Change = change(self.tenant, &person.id, held.iter(), &desired, &managed);
        if change.is_empty() && !matches!(open, Some(Flow::Mover | Flow::Joiner)) {
            return;
        }
        let settle = TimeDelta::from_std(self.policy.settle).unwrap_or_default();
        if let Some(changed) = worker.changed
            && changed + settle > self.now
        {
            let line = format!("the record changed {}, and may still be written", text(changed));
            self.lanes.settling.push(shown(person, line));
            return;
        }
        if let Some(why) = self.tenant.protected.get(&person.id) {
            let line = format!("protected ({why}), and their groups differ from policy");
            self.lanes.protected.push(shown(person, line));
            return;
        }
        let new = change.keep.is_empty() && change.remove.is_empty() && change.left_to_rule.is_empty();
        let why = if open.is_some() { Why::Open } else { Why::Left };
        let lane = match open {
            Some(Flow::Joiner) => &mut self.lanes.joiners,
            Some(Flow::Mover) => &mut self.lanes.movers,
            Some(Flow::Leaver | Flow::Leave | Flow::Groups) | None if new => &mut self.lanes.joiners,
            Some(Flow::Leaver | Flow::Leave | Flow::Groups) | None => &mut self.lanes.movers,
        };
        lane.push(due(person, start, why));
    }

    fn held(&self, person: &Person) -> Vec<Held> {
        let ids = self.facts.held.get(&person.id).into_iter().flatten();
        ids.filter_map(|id| self.tenant.group(id))
            .map(|g| Held::new(Holding::Group, &g.id, &g.name))
            .collect()
    }
}
