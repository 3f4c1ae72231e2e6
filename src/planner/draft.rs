//! A plan while it is written. `put` gives the number that later steps come `after`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::{
    Action, Effect, Expect, Failure, Flow, GroupKind, Held, Holding, Mark, Note, Observation, OnFailure, Person, Phase,
    Plan, Severity, Step, StepNo, System, Waits, system::OKTA,
};

/// The directory, as a place to point at.
pub(super) static DIRECTORY: System = OKTA;

#[derive(Default)]
pub(super) struct Draft {
    pub steps: Vec<Step>,
    pub expects: Vec<Expect>,
    pub notes: Vec<Note>,
}

/// Where and how a step stands; what it does is the action.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub phase: Phase,
    pub system: &'a System,
    pub account: &'a str,
    pub on_failure: OnFailure,
}

impl Draft {
    pub fn put(&mut self, place: Place<'_>, action: Action, after: &[StepNo], why: impl Into<String>) -> StepNo {
        self.steps.push(Step {
            phase: place.phase,
            effect: Effect {
                system: place.system.clone(),
                account: place.account.to_owned(),
                action,
            },
            after: after.to_vec(),
            on_failure: place.on_failure,
            why: why.into(),
            waits: None,
        });
        self.steps.len() - 1
    }

    /// A step that can't be started: nothing comes after it.
    pub fn owe(
        &mut self,
        place: Place<'_>,
        action: Action,
        why: impl Into<String>,
        failure: Failure,
        until: Option<DateTime<Utc>>,
    ) -> StepNo {
        let no = self.put(place, action, &[], why);
        if let Some(step) = self.steps.get_mut(no) {
            step.waits = Some(Waits { failure, until });
        }
        no
    }

    fn note(&mut self, mark: Mark, severity: Severity, system: Option<&System>, step: Option<StepNo>, text: String) {
        self.notes.push(Note {
            mark,
            severity,
            system: system.cloned(),
            text,
            step,
        });
    }
    pub fn warn(&mut self, system: Option<&System>, step: Option<StepNo>, text: impl Into<String>) {
        self.note(Mark::Attention, Severity::Warn, system, step, text.into());
    }
    pub fn unknown(&mut self, system: &System, step: Option<StepNo>, text: impl Into<String>) {
        self.note(Mark::Unknown, Severity::Warn, Some(system), step, text.into());
    }
    pub fn keep(&mut self, system: Option<&System>, text: impl Into<String>) {
        self.note(Mark::Keep, Severity::Info, system, None, text.into());
    }

    pub fn plan(self, seen: &Observation, flow: Flow, reason: String) -> Plan {
        let Person { id, login, .. } = &seen.person;
        Plan {
            tenant: seen.tenant.tenant.clone(),
            flow,
            person: Some(id.clone()),
            login: login.clone(),
            name: seen.person.name(),
            steps: self.steps,
            expects: self.expects,
            notes: self.notes,
            effective: None,
            clock: None,
            due: None,
            held: None,
            reason,
            apps: Default::default(),
        }
    }
}

/// Names, sorted, as a list for people.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = names.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}

/// What the directory says of a group that somebody is in: whose it is. The catalogue knows, else the membership itself.
pub(super) fn foreign(seen: &Observation, group: &Held) -> Option<GroupKind> {
    let kind = seen
        .tenant
        .group(&group.id)
        .map(|g| g.kind)
        .or(match group.via.as_deref() {
            Some("APP_GROUP") => Some(GroupKind::AppGroup),
            Some("BUILT_IN") => Some(GroupKind::BuiltIn),
            _ => None,
        });
    kind.filter(|k| *k != GroupKind::OktaGroup)
}

/// Labels of the apps that a group grants, as far as they were read.
pub(super) fn apps_of(seen: &Observation, group: &str) -> BTreeMap<String, String> {
    let label = |id: &String| {
        let known = seen
            .tenant
            .apps
            .present()
            .and_then(|apps| apps.get(id))
            .map(|a| a.label.clone());
        let held = || {
            let account = seen.account(&OKTA)?;
            account.held(Holding::App).find(|h| h.id == *id).map(|h| h.name.clone())
        };
        (id.clone(), known.or_else(held).unwrap_or_else(|| id.clone()))
    };
    seen.tenant
        .apps_of_group
        .get(group)
        .and_then(|a| a.present())
        .into_iter()
        .flatten()
        .map(label)
        .collect()
}
