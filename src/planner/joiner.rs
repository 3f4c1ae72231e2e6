//! Gives what policy gives, no earlier than the first day. What the former job of a rehire gave goes first.
//!
//! Relies on no rule to fill a group, and on no account that isn't there yet: those steps are owed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    change, channels, dates,
    draft::{DIRECTORY, Draft, Place, list},
    employment::works_here,
    entitle::{Managed, entitle},
    grounds::unprotected,
    mover::{add, expect, groups, held, remove},
    refusal::Refusal,
};
use crate::model::{
    Action, Catalogue, Effect, Flow, Observation, OnFailure, Phase, Plan, Policy, Status, Step, StepNo, When, Worker,
    system::OKTA,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// Activate an account that never was, or (with `rehire`) one that was shut.
    pub activate: bool,
    pub rehire: bool,
    /// A run of ours shut them, and is to be undone: a suspension is lifted.
    pub restore: bool,
}

pub fn joiner(seen: &Observation, policy: &Policy, now: DateTime<Utc>, welcome: Welcome) -> Result<Plan, Refusal> {
    unprotected(&seen.person, &seen.tenant)?;
    let worker = works_here(&seen.person, policy, now)?;
    let person = &seen.person;
    let login = &person.login;
    let shut = person.status == Status::Deprovisioned;
    if shut && !(welcome.activate && (welcome.rehire || welcome.restore)) {
        return Err(Refusal::Deprovisioned { login: login.clone() });
    }
    let start = dates::starting(worker, policy);
    let desired = entitle(login, worker, policy, &seen.tenant)?.beside(&seen.grants, &seen.tenant, now);
    let managed = Managed::new(policy, &seen.given).granted(&seen.grants);
    let change = change::change(&seen.tenant, &person.id, groups(seen)?, &desired, &managed);

    let mut draft = Draft::default();
    if let Some(place) = start.as_ref().and_then(|s| s.zoneless.as_deref()) {
        draft.warn(
            None,
            None,
            format!("No zone for location \"{place}\": the policy's zone decided."),
        );
    }
    let former: Vec<StepNo> = if shut || welcome.rehire {
        let mut steps = remove(seen, &change, &mut draft);
        steps.extend(channels::leave(seen, &desired, &managed, &mut draft));
        steps
    } else {
        let stale = list(change.remove.iter().map(|g| g.name.as_str()));
        if !stale.is_empty() {
            draft.warn(
                Some(&OKTA),
                None,
                format!("Groups {stale} are of another job; a joiner takes nothing away: jml mover {login}"),
            );
        }
        Vec::new()
    };
    let before_adds: Vec<StepNo> = match activation(seen, welcome, &former, &mut draft) {
        Some(no) => vec![no],
        None => former.clone(),
    };
    let added = add(seen, &change, &before_adds, &mut draft);
    channels::join(seen, policy, &desired, &before_adds, now, &mut draft);
    let removed = former.get(..change.remove.len()).unwrap_or_default();
    let mut given = change.clone();
    if former.is_empty() {
        given.keep.append(&mut given.remove);
    }
    expect(seen, &given, removed, &added, &mut draft);

    let reason = match &start {
        Some(s) => format!("HR: starts {}, by {}", dates::text(s.at), s.source()),
        None => "HR: active, without a hire date".to_owned(),
    };
    let mut plan = draft.plan(seen, Flow::Joiner, reason);
    plan.effective = start.map(|s| s.at);
    plan.apps = seen
        .account(&OKTA)
        .map(|a| change::apps(&seen.tenant, &held(a), &given))
        .unwrap_or_default();
    Ok(plan)
}

fn activation(seen: &Observation, welcome: Welcome, former: &[StepNo], draft: &mut Draft) -> Option<StepNo> {
    let place = |on_failure| Place {
        phase: Phase::Activate,
        system: &DIRECTORY,
        account: &seen.person.id.0,
        on_failure,
    };
    match (seen.person.status, welcome.activate) {
        // Okta adds nobody who is shut to a group.
        (Status::Deprovisioned, true) => Some(draft.put(
            place(OnFailure::Halt),
            Action::Activate,
            former,
            match welcome.restore {
                true => "asked for, of whom a run shut",
                false => "asked for, of a rehire",
            },
        )),
        (Status::Staged, true) => Some(draft.put(place(OnFailure::Continue), Action::Activate, former, "asked for")),
        (Status::Staged, false) => {
            draft.warn(
                Some(&OKTA),
                None,
                "STAGED: they can't sign in before they are activated (--activate).",
            );
            None
        }
        (Status::Provisioned, _) => {
            draft.keep(
                Some(&OKTA),
                "PROVISIONED: activated, and waiting for their first sign-in.",
            );
            None
        }
        (Status::Suspended, _) if welcome.restore => Some(draft.put(
            place(OnFailure::Halt),
            Action::Unsuspend,
            former,
            "asked for, of whom a run shut",
        )),
        (Status::Suspended, _) => {
            draft.warn(
                Some(&OKTA),
                None,
                "SUSPENDED: they can't sign in; jml does not lift it.",
            );
            None
        }
        _ => None,
    }
}

/// A person whom HR has and the directory lacks: made first, with nothing; what policy gives follows from a fresh look.
pub fn create(worker: &Worker, policy: &Policy, tenant: &Catalogue, now: DateTime<Utc>) -> Result<Plan, Refusal> {
    let login = worker
        .login
        .as_ref()
        .or(worker.email.as_ref())
        .cloned()
        .ok_or_else(|| Refusal::Contradiction {
            login: worker.key.clone(),
            what: "HR gives no login".to_owned(),
        })?;
    super::employment::of_employee(&login, worker, policy, now)?;
    // Refused before anything is made, not after.
    entitle(&login, worker, policy, tenant)?;
    let start = dates::starting(worker, policy);
    let name = [&worker.first_name, &worker.last_name]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>();
    let step = Step {
        phase: Phase::Activate,
        effect: Effect {
            system: OKTA,
            account: String::new(),
            action: Action::CreatePerson {
                profile: profile(&login, worker),
            },
        },
        after: Vec::new(),
        on_failure: OnFailure::Halt,
        why: match &worker.place {
            Some(place) => format!("in HR ({place}), not in Okta"),
            None => "in HR, not in Okta".to_owned(),
        },
        waits: None,
    };
    Ok(Plan {
        held: None,
        tenant: tenant.tenant.clone(),
        flow: Flow::Joiner,
        person: None,
        login,
        name: name.join(" "),
        steps: vec![step],
        expects: Vec::new(),
        notes: Vec::new(),
        effective: start.as_ref().map(|s| s.at),
        clock: None,
        due: None,
        reason: match &start {
            Some(s) => format!("HR: starts {}, by {}", dates::text(s.at), s.source()),
            None => "HR: active, without a hire date".to_owned(),
        },
        apps: Default::default(),
    })
}

/// Under Okta's own attribute names.
fn profile(login: &str, worker: &Worker) -> BTreeMap<String, String> {
    let date = worker.hired.map(|h| match h {
        When::Day(d) => d.to_string(),
        When::Instant(t) => t.date_naive().to_string(),
    });
    [
        ("login", Some(login.to_owned())),
        ("email", worker.email.clone().or_else(|| Some(login.to_owned()))),
        ("firstName", worker.first_name.clone()),
        ("lastName", worker.last_name.clone()),
        ("employeeNumber", Some(worker.key.clone())),
        ("department", worker.department.clone()),
        ("title", worker.title.clone()),
        ("userType", worker.worker_type.clone()),
        ("city", worker.location.clone()),
        ("managerId", worker.manager.clone()),
        ("hireDate", date),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect()
}
