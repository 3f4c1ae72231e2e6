//! Takes what the old job gave, then gives what the new one gives, never the other way round: nobody piles up access.
//!
//! What policy does not name is shown and kept. Groups that a rule may fill are left to the rule.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    change::{self, Change, app, granted},
    channels,
    draft::{DIRECTORY, Draft, Place, list},
    employment::works_here,
    entitle::{Managed, entitle},
    exceptions,
    grounds::unprotected,
    refusal::Refusal,
};
use crate::model::{
    Account, Action, Expect, Failure, Flow, Held, Holding, Observation, Observed, OnFailure, Phase, Plan, Policy,
    RuleStatus, Status, StepNo, Verb, Worker, system::OKTA,
};

pub fn mover(seen: &Observation, policy: &Policy, now: DateTime<Utc>) -> Result<Plan, Refusal> {
    unprotected(&seen.person, &seen.tenant)?;
    let worker = works_here(&seen.person, policy, now)?;
    let login = &seen.person.login;
    if seen.person.status == Status::Deprovisioned {
        return Err(Refusal::Deprovisioned { login: login.clone() });
    }
    let desired = entitle(login, worker, policy, &seen.tenant)?.beside(&seen.grants, &seen.tenant, now);
    let managed = Managed::new(policy, &seen.given).granted(&seen.grants);
    let groups = groups(seen)?;
    let change = change::change(&seen.tenant, &seen.person.id, groups, &desired, &managed);

    let mut draft = Draft::default();
    let mut removed = remove(seen, &change, &mut draft);
    let stale = removed.len();
    removed.extend(channels::leave(seen, &desired, &managed, &mut draft));
    let mut added = add(seen, &change, &removed, &mut draft);
    let fresh = added.clone();
    added.extend(channels::join(seen, policy, &desired, &removed, now, &mut draft));
    let apps = seen
        .account(&OKTA)
        .map(|a| change::apps(&seen.tenant, &held(a), &change))
        .unwrap_or_default();
    expect(
        seen,
        &change,
        removed.get(..stale).unwrap_or_default(),
        &fresh,
        &mut draft,
    );
    tell(seen, worker, &change, &[removed, added].concat(), &mut draft);
    keep(seen, &change, &mut draft);

    let reason = format!(
        "HR: department {}, title {}",
        worker.department.as_deref().unwrap_or("none"),
        worker.title.as_deref().unwrap_or("none")
    );
    let mut plan = draft.plan(seen, Flow::Mover, reason);
    plan.apps = apps;
    Ok(plan)
}

/// The person's groups, or why nothing may be decided.
pub(super) fn groups(seen: &Observation) -> Result<impl Iterator<Item = &Held>, Refusal> {
    let unread = |failure| Refusal::Unread {
        login: seen.person.login.clone(),
        what: "their groups".to_owned(),
        failure: Box::new(failure),
    };
    let nothing = || Failure::transient("okta", "was not read");
    match seen.systems.get(&OKTA).map(|s| &s.account) {
        Some(Observed::Present(a)) => match a.holds.get(&Holding::Group) {
            Some(Observed::Present(_) | Observed::Absent) => Ok(a.held(Holding::Group)),
            Some(Observed::Unknown(f)) => Err(unread(f.clone())),
            None => Err(unread(nothing())),
        },
        Some(Observed::Unknown(f)) => Err(unread(f.clone())),
        Some(Observed::Absent) | None => Err(unread(nothing())),
    }
}

pub(super) fn held(account: &Account) -> BTreeSet<Held> {
    account.held(Holding::App).cloned().collect()
}

fn okta<'a>(seen: &'a Observation, phase: Phase, on_failure: OnFailure) -> Place<'a> {
    Place {
        phase,
        system: &DIRECTORY,
        account: &seen.person.id.0,
        on_failure,
    }
}

pub(super) fn remove(seen: &Observation, change: &Change, draft: &mut Draft) -> Vec<StepNo> {
    let place = okta(seen, Phase::Remove, OnFailure::Halt);
    change
        .remove
        .iter()
        .map(|g| {
            let why = match exceptions::of(&seen.grants, &g.id) {
                Some(grant) => exceptions::ended(grant),
                None => "policy gives it no more".to_owned(),
            };
            draft.put(place, Action::RemoveMember { group: g.clone() }, &[], why)
        })
        .collect()
}

pub(super) fn add(seen: &Observation, change: &Change, after: &[StepNo], draft: &mut Draft) -> Vec<StepNo> {
    let place = okta(seen, Phase::Add, OnFailure::Owe);
    let mut steps = Vec::new();
    for given in &change.add {
        let group = given.held.clone();
        let excluded: Vec<&str> = seen
            .tenant
            .rules
            .present()
            .into_iter()
            .flatten()
            .filter(|r| r.status == RuleStatus::Active)
            .filter(|r| r.groups.contains(&group.id) && r.excluded.contains(&seen.person.id))
            .map(|r| r.name.as_str())
            .collect();
        let no = draft.put(
            place,
            Action::AddMember { group: group.clone() },
            after,
            given.why.clone(),
        );
        if !excluded.is_empty() {
            draft.warn(
                Some(&OKTA),
                Some(no),
                format!(
                    "Rule \"{}\" will not fill {} for them: they are on its exclusion list. jml adds the membership itself; the \
                     exclusion stays until it is lifted in Okta.",
                    list(excluded),
                    group.name
                ),
            );
        }
        steps.push(no);
    }
    steps
}

/// What should follow by itself: apps, and groups that rules fill from groups.
pub(super) fn expect(seen: &Observation, change: &Change, removed: &[StepNo], added: &[StepNo], draft: &mut Draft) {
    let tenant = &seen.tenant;
    let held = seen.account(&OKTA).map(held).unwrap_or_default();
    let by = |groups: Vec<&Held>, steps: &[StepNo], app: &str| -> Vec<StepNo> {
        groups
            .iter()
            .zip(steps)
            .filter(|(g, _)| granted(tenant, &g.id).any(|a| a == app))
            .map(|(_, no)| *no)
            .collect()
    };
    let come: Vec<&Held> = change.add.iter().map(|g| &g.held).collect();
    let gone: Vec<&Held> = change.remove.iter().collect();
    for (group, rule) in &change.follows {
        draft.expects.push(Expect {
            app: group.clone(),
            assigned: false,
            manual: false,
            by: removed.to_vec(),
        });
        draft.keep(
            Some(&OKTA),
            format!("Group {} goes by itself, by rule \"{rule}\".", group.name),
        );
    }
    let ids = |groups: &[&Held]| -> BTreeSet<String> {
        groups.iter().flat_map(|g| granted(tenant, &g.id)).cloned().collect()
    };
    let (lose, gain) = (ids(&gone), ids(&come));
    let stays: Vec<&Held> = change
        .keep
        .iter()
        .chain(&change.outside)
        .chain(change.left_to_rule.iter().map(|(g, _)| g))
        .collect();
    let stay = ids(&stays);
    for id in lose.difference(&gain).filter(|id| !stay.contains(*id)) {
        let app = app(tenant, &held, id);
        if !held.contains(&app) || app.via.as_deref() == Some("USER") {
            continue;
        }
        let known = tenant.apps.present().and_then(|all| all.get(id));
        draft.expects.push(Expect {
            manual: !known.is_some_and(|a| a.deprovisions()),
            assigned: false,
            by: by(gone.clone(), removed, id),
            app,
        });
    }
    for id in gain.difference(&stay) {
        let active = tenant
            .apps
            .present()
            .and_then(|all| all.get(id))
            .is_none_or(|a| a.active);
        if active {
            draft.expects.push(Expect {
                app: app(tenant, &held, id),
                assigned: true,
                manual: false,
                by: by(come.clone(), added, id),
            });
        }
    }
}

/// One message to the manager of the new job. An owed one of an interrupted run is told as it was meant: it knows of what is done
/// already, and is told although nothing is left to change.
fn tell(seen: &Observation, worker: &Worker, change: &Change, after: &[StepNo], draft: &mut Draft) {
    let owed = seen.owed.iter().find_map(|(e, _)| {
        let Action::SendMessage { text } = &e.action else {
            return None;
        };
        Some((e.account.clone(), text.clone()))
    });
    let systems: Vec<_> = seen
        .systems
        .iter()
        .filter(|(_, s)| s.can.contains(&Verb::SendMessage))
        .map(|(system, _)| system)
        .collect();
    let known = |text: &String| {
        let gone = change.remove.iter().map(|g| &g.name);
        gone.chain(change.add.iter().map(|g| &g.held.name))
            .all(|name| text.contains(name.as_str()))
    };
    let message = if owed.as_ref().is_some_and(|(_, text)| known(text)) {
        owed
    } else if change.is_empty() {
        None
    } else {
        match manager(seen, worker) {
            Manager::None => None,
            Manager::Told(address) => Some((address, text(seen, change))),
            Manager::Not(why) => {
                if !systems.is_empty() {
                    draft.warn(None, None, format!("The manager is not told: {why}."));
                }
                None
            }
        }
    };
    let Some((address, text)) = message else {
        return;
    };
    for system in systems {
        let place = Place {
            phase: Phase::Tell,
            system,
            account: &address,
            on_failure: OnFailure::Owe,
        };
        draft.put(
            place,
            Action::SendMessage { text: text.clone() },
            after,
            format!("message to {address}"),
        );
    }
}

enum Manager {
    None,
    Told(String),
    Not(String),
}

fn manager(seen: &Observation, worker: &Worker) -> Manager {
    let Some(name) = worker.manager.as_deref().map(str::trim).filter(|m| !m.is_empty()) else {
        return Manager::None;
    };
    match seen.tenant.managers.get(&name.to_lowercase()) {
        Some(Observed::Present(m)) if m.id == seen.person.id => Manager::None,
        Some(Observed::Present(m)) if seen.tenant.leaving.contains(&m.id) => {
            Manager::Not(format!("{} is leaving", m.login))
        }
        Some(Observed::Present(m)) if !m.live => Manager::Not(format!("{} is deactivated", m.login)),
        Some(Observed::Present(m)) => Manager::Told(m.login.clone()),
        Some(Observed::Unknown(f)) => Manager::Not(format!("{name} was not read ({})", f.summary)),
        Some(Observed::Absent) | None => Manager::Not(format!("nobody is called {name}")),
    }
}

fn text(seen: &Observation, change: &Change) -> String {
    let person = &seen.person;
    let by_policy = |id: &str| exceptions::of(&seen.grants, id).is_none();
    let moved = change.remove.iter().any(|g| by_policy(&g.id)) || change.add.iter().any(|g| by_policy(&g.held.id));
    let what = if moved { "changed jobs" } else { "has other access" };
    let mut text = format!("{} ({}) {what}.", person.name(), person.login);
    if !change.remove.is_empty() {
        text += &format!(" Lost: {}.", list(change.remove.iter().map(|g| g.name.as_str())));
    }
    if !change.add.is_empty() {
        text += &format!(" Gained: {}.", list(change.add.iter().map(|g| g.held.name.as_str())));
    }
    text
}

fn keep(seen: &Observation, change: &Change, draft: &mut Draft) {
    for (group, rules) in &change.left_to_rule {
        let text = format!("Group {} is left to rule \"{rules}\", which may fill it.", group.name);
        draft.warn(Some(&OKTA), None, text);
    }
    let outside = list(change.outside.iter().map(|g| g.name.as_str()));
    if !outside.is_empty() {
        draft.keep(Some(&OKTA), format!("Kept, outside policy: groups {outside}."));
    }
    let Some(account) = seen.account(&OKTA) else {
        return;
    };
    let direct = account.held(Holding::App).filter(|a| a.via.as_deref() == Some("USER"));
    let direct = list(direct.map(|a| a.name.as_str()));
    if !direct.is_empty() {
        draft.keep(Some(&OKTA), format!("Kept, assigned directly: apps {direct}."));
    }
    let roles = list(account.held(Holding::Role).map(|r| r.name.as_str()));
    if !roles.is_empty() {
        draft.keep(Some(&OKTA), format!("Kept, outside policy: admin roles {roles}."));
    }
}
