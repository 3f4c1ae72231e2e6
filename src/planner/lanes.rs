//! What a sweep is given and what it finds: the facts of bulk reads, and the lanes that people are sorted into.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    dates::text,
    entitle::{ROLE, policy_groups},
    guards::Memory,
};
use crate::model::{Catalogue, Failure, Flow, Grant, GroupKind, Person, PersonId, Policy, System, system::OKTA};

/// Everything that bulk reads and the ledger tell.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub people: Vec<Person>,
    /// Ids of the groups that each person is in, of the groups that were read.
    pub held: BTreeMap<PersonId, BTreeSet<String>>,
    /// Groups whose members could not be read whole, by id.
    pub unread: BTreeMap<String, Failure>,
    /// What the ledger says jml gave.
    pub given: BTreeMap<PersonId, BTreeSet<(System, String)>>,
    /// Exceptions, those that ended and were not taken back yet among them.
    pub grants: BTreeMap<PersonId, Vec<Grant>>,
    /// People with an unfinished or owed run, and its flow.
    pub open: BTreeMap<PersonId, Flow>,
    /// When a leaver's run last closed complete.
    pub finished: BTreeMap<PersonId, DateTime<Utc>>,
    /// With an unfinished run that somebody signed for.
    pub approved: BTreeSet<PersonId>,
    /// Leavers by override, whom HR has not confirmed yet.
    pub overridden: BTreeSet<PersonId>,
    /// When the last good sweep was, and what it remembers.
    pub last: Option<(DateTime<Utc>, Memory)>,
    /// People of the directory that the roster lacked, since when.
    pub missing: BTreeMap<PersonId, DateTime<Utc>>,
}

impl Facts {
    pub fn grants(&self, who: &PersonId) -> &[Grant] {
        self.grants.get(who).map_or(&[], Vec::as_slice)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// HR says so, and they are live.
    Left,
    /// Shut by someone else, and not finished.
    Shut,
    /// A run is not finished.
    Open,
    /// An override, and somebody brought them back.
    Reversed,
}

/// Somebody in a lane that acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The leaving or starting instant, where known: the order of the lane.
    pub at: Option<DateTime<Utc>>,
    pub id: PersonId,
    pub login: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Future {
    pub at: DateTime<Utc>,
    pub id: PersonId,
    pub login: String,
    pub flow: Flow,
    pub source: String,
    pub zoneless: Option<String>,
}

/// Somebody who is shown, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub id: PersonId,
    pub login: String,
    pub text: String,
    /// The roster's file and line, where there is one.
    pub place: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    pub leavers: Vec<Due>,
    pub leave: Vec<Due>,
    pub movers: Vec<Due>,
    pub joiners: Vec<Due>,
    pub future: Vec<Future>,
    /// Contradictions, and what policy can't give: exit 4.
    pub set_aside: Vec<Shown>,
    /// Protected leavers (and movers): held, exit 4.
    pub protected: Vec<Shown>,
    /// Of those: whom HR says have left. Each is planned, and held for an approver.
    pub protected_leavers: Vec<Due>,
    /// What they depend on was not read: nobody changed.
    pub unread: Vec<Shown>,
    /// The record is still being written: the next sweep looks again.
    pub settling: Vec<Shown>,
    /// Worth a line, no reason for an exit code.
    pub named: Vec<Shown>,
    /// People of the directory that the roster lacks, since when: for the next sweep's memory.
    pub missing: BTreeMap<PersonId, DateTime<Utc>>,
}

impl Lanes {
    /// Nobody moves or joins by old news; how many wait.
    pub fn hold_movers_and_joiners(&mut self) -> usize {
        std::mem::take(&mut self.movers).len() + std::mem::take(&mut self.joiners).len()
    }

    /// To whom nothing may be handed over, and no message goes.
    pub fn leaving(&self) -> BTreeSet<PersonId> {
        self.leavers.iter().map(|d| d.id.clone()).collect()
    }
}

impl Future {
    pub fn text(&self) -> String {
        let verb = if self.flow == Flow::Joiner { "starts" } else { "leaves" };
        let zone = match &self.zoneless {
            Some(place) => format!("; no zone for location \"{place}\", the policy's zone decides"),
            None => String::new(),
        };
        format!("{} {verb} at {} ({}{zone})", self.login, text(self.at), self.source)
    }
}

/// The groups whose members a sweep reads page by page: what policy names, accumulated roles, what jml ever gave, and exceptions.
pub fn managed_groups(
    policy: &Policy,
    tenant: &Catalogue,
    given: &BTreeMap<PersonId, BTreeSet<(System, String)>>,
    grants: &BTreeMap<PersonId, Vec<Grant>>,
) -> BTreeSet<String> {
    let named = policy_groups(policy);
    let gave: BTreeSet<&str> = given
        .values()
        .flatten()
        .filter(|(system, _)| *system == OKTA)
        .map(|(_, id)| id.as_str())
        .chain(grants.values().flatten().map(|g| g.group.as_str()))
        .collect();
    tenant
        .groups
        .present()
        .into_iter()
        .flat_map(|all| all.values())
        .filter(|g| g.kind == GroupKind::OktaGroup)
        .filter(|g| g.name.starts_with(ROLE) || named.contains(&g.name) || gave.contains(g.id.as_str()))
        .map(|g| g.id.clone())
        .collect()
}

/// What may explain that so many are due: for the brake's report.
pub fn causes(facts: &Facts, lanes: &Lanes, digest: &str) -> Vec<String> {
    let mut out = Vec::new();
    let changed = facts
        .last
        .as_ref()
        .is_some_and(|(_, m)| !m.policy.is_empty() && m.policy != digest);
    let by_id: BTreeMap<&PersonId, &Person> = facts.people.iter().map(|p| (&p.id, p)).collect();
    let recorded = |d: &Due| by_id.get(&d.id).and_then(|p| p.worker()).and_then(|w| w.recorded);
    if changed {
        let since = facts.last.as_ref().map(|(at, _)| *at);
        let moved = lanes
            .movers
            .iter()
            .filter(|d| recorded(d).is_some_and(|at| Some(at) > since))
            .count();
        out.push(format!(
            "the policy's digest changed since the last sweep; {} of the {} movers changed in HR since",
            moved,
            lanes.movers.len()
        ));
    }
    let mut minutes: BTreeMap<String, usize> = BTreeMap::new();
    for at in lanes.leavers.iter().filter_map(recorded) {
        *minutes.entry(at.format("%Y-%m-%d %H:%MZ").to_string()).or_default() += 1;
    }
    if let Some((minute, n)) = minutes.into_iter().max_by_key(|(_, n)| *n)
        && n > 1
        && n * 2 > lanes.leavers.len()
    {
        out.push(format!(
            "{n} of the {} leavers were recorded in the same minute ({minute})",
            lanes.leavers.len()
        ));
    }
    let canaries = facts.last.iter().flat_map(|(_, m)| &m.canaries);
    for canary in canaries.filter(|c| lanes.leavers.iter().any(|d| d.login == **c)) {
        out.push(format!("canary {canary} is among the leavers"));
    }
    out
}
