//! What happens to people, groups and apps, whoever asked: memberships, assignments and what follows from them, with their log events.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::log::{Party, note};
use super::model::{App, Assignment, Due, Group, Person, Status, Time};
use super::rules;
use crate::sandbox::world::{Provision, ProvisionKind, World};

/// Who does it, and by which API token.
#[derive(Clone)]
pub struct By {
    pub actor: Party,
    pub token: Option<String>,
}

impl By {
    pub fn system() -> By {
        By {
            actor: Party::system(),
            token: None,
        }
    }
    pub fn note(&self, w: &mut World, kind: &'static str, targets: Vec<Party>) {
        note(w, &self.actor, self.token.as_deref(), kind, targets);
    }
}

pub fn user_party(p: &Person) -> Party {
    Party::new(&p.id, "User", p.login(), p.display())
}

pub fn group_party(g: &Group) -> Party {
    Party::new(&g.id, "UserGroup", "unknown", g.name.clone())
}

pub fn app_party(a: &App) -> Party {
    Party::new(&a.id, "AppInstance", &a.label, a.label.clone())
}

/// Changes a person: the old version stays in the search index for as long as it lags.
pub fn change(w: &mut World, uid: &str, deed: impl FnOnce(&mut Person)) {
    let (now, lag) = (w.now, w.okta.search_lag);
    let Some(p) = w.okta.users.get_mut(uid) else { return };
    if lag > TimeDelta::zero() {
        w.okta
            .stale
            .entry(uid.to_owned())
            .or_default()
            .push((now + lag, Some(p.clone())));
    }
    let before = p.login().to_lowercase();
    deed(p);
    p.version += 1;
    let after = p.login().to_lowercase();
    if before != after {
        w.okta.logins.remove(&before);
        w.okta.logins.insert(after, uid.to_owned());
    }
    w.touch("okta", "users", uid);
}

pub fn schedule(w: &mut World, at: Time, due: Due) {
    let n = w.okta.next_serial();
    let key = super::due_key(at, n);
    w.okta.due.insert(key.clone(), due);
    w.touch("okta", "due", &key);
}

/// Puts a person into a group: by hand where `rules` is empty. Already there by hand stays by hand; by a rule, a hand makes it manual.
pub fn join(w: &mut World, by: &By, gid: &str, uid: &str, filled: BTreeSet<String>) {
    let now = w.now;
    let manual = filled.is_empty();
    let Some(p) = w.okta.users.get(uid) else { return };
    let known = p.groups.get(gid).cloned();
    match known {
        Some(had) if had.is_empty() || had == filled => return,
        Some(_) => {
            change_quietly(w, uid, |p| {
                p.groups.insert(gid.into(), filled);
            });
            return;
        }
        None => change_quietly(w, uid, |p| {
            p.groups.insert(gid.into(), filled);
        }),
    }
    touch_membership(w, gid, now);
    by.note(w, "group.user_membership.add", both(w, uid, gid));
    follow_apps(w, by, uid);
    if manual || rules::any_by_group(w) {
        rules::rerun(w, uid);
    }
}

pub fn leave(w: &mut World, by: &By, gid: &str, uid: &str) {
    let now = w.now;
    if w.okta.users.get(uid).is_none_or(|p| !p.groups.contains_key(gid)) {
        return;
    }
    let targets = both(w, uid, gid);
    change_quietly(w, uid, |p| {
        p.groups.remove(gid);
    });
    touch_membership(w, gid, now);
    by.note(w, "group.user_membership.remove", targets);
    follow_apps(w, by, uid);
    if rules::any_by_group(w) {
        rules::rerun(w, uid);
    }
}

/// A membership is no change of the profile: neither `lastUpdated` nor the ETag moves, and the index doesn't hold it.
fn change_quietly(w: &mut World, uid: &str, deed: impl FnOnce(&mut Person)) {
    if let Some(p) = w.okta.users.get_mut(uid) {
        deed(p);
    }
    w.touch("okta", "users", uid);
}

fn touch_membership(w: &mut World, gid: &str, now: Time) {
    if let Some(g) = w.okta.groups.get_mut(gid) {
        g.last_membership_updated = now;
    }
    w.touch("okta", "groups", gid);
}

fn both(w: &World, uid: &str, gid: &str) -> Vec<Party> {
    let user = w.okta.users.get(uid).map(user_party);
    let group = w.okta.groups.get(gid).map(group_party);
    user.into_iter().chain(group).collect()
}

/// Brings assignments by group in line with a person's memberships: what a group no longer grants ends, what it newly grants begins.
pub fn follow_apps(w: &mut World, by: &By, uid: &str) {
    let Some(p) = w.okta.users.get(uid) else { return };
    let live = !p.ended() && p.status != Status::Staged;
    let mut begin = Vec::new();
    let mut end = Vec::new();
    let mut moved = Vec::new();
    for (aid, app) in &w.okta.apps {
        let granting = app
            .groups
            .iter()
            .find(|g| p.groups.contains_key(*g) || **g == w.okta.everyone);
        match (app.assigned.get(uid), granting) {
            (None, Some(g)) if live && app.active => begin.push((aid.clone(), g.clone())),
            (Some(Assignment { group: Some(_), .. }), None) => end.push(aid.clone()),
            (Some(Assignment { group: Some(was), .. }), Some(g)) if was != g => moved.push((aid.clone(), g.clone())),
            _ => {}
        }
    }
    for (aid, gid) in begin {
        assign(w, by, &aid, uid, Some(gid));
    }
    for (aid, gid) in moved {
        if let Some(a) = w.okta.apps.get_mut(&aid).and_then(|a| a.assigned.get_mut(uid)) {
            a.group = Some(gid);
        }
        w.touch("okta", "apps", &aid);
    }
    for aid in end {
        unassign(w, by, &aid, uid);
    }
}

pub fn assign(w: &mut World, by: &By, aid: &str, uid: &str, group: Option<String>) {
    let now = w.now;
    let (Some(p), Some(app)) = (w.okta.users.get(uid), w.okta.apps.get_mut(aid)) else {
        return;
    };
    let user_name = p.login().to_owned();
    let targets = vec![user_party(p), app_party(app)];
    app.assigned.insert(
        uid.into(),
        Assignment {
            group,
            user_name,
            external_id: None,
            since: now,
        },
    );
    let pushes = app.does("PUSH_NEW_USERS");
    w.touch("okta", "apps", aid);
    by.note(w, "application.user_membership.add", targets.clone());
    if pushes {
        provision(w, aid, uid, ProvisionKind::Create, None);
        note(
            w,
            &Party::system(),
            None,
            "application.user_membership.provision",
            targets,
        );
    }
}

pub fn unassign(w: &mut World, by: &By, aid: &str, uid: &str) {
    let (Some(p), Some(app)) = (w.okta.users.get(uid), w.okta.apps.get_mut(aid)) else {
        return;
    };
    let Some(had) = app.assigned.remove(uid) else { return };
    let targets = vec![user_party(p), app_party(app)];
    let pushes = app.does("PUSH_USER_DEACTIVATION");
    w.touch("okta", "apps", aid);
    by.note(w, "application.user_membership.remove", targets.clone());
    if pushes {
        provision(w, aid, uid, ProvisionKind::Deactivate, Some(had));
        note(
            w,
            &Party::system(),
            None,
            "application.user_membership.deprovision",
            targets,
        );
    }
}

/// Tells the app's own twin, a little later.
fn provision(w: &mut World, aid: &str, uid: &str, kind: ProvisionKind, had: Option<Assignment>) {
    let at = w.now + w.okta.provision_delay;
    let (Some(app), Some(p)) = (w.okta.apps.get(aid), w.okta.users.get(uid)) else {
        return;
    };
    let Some(system) = app.provisions.clone() else { return };
    let event = Provision {
        system,
        kind,
        user_id: uid.into(),
        email: p.text("email").into(),
        user_name: had.as_ref().map_or_else(|| p.login().into(), |a| a.user_name.clone()),
        external_id: had.and_then(|a| a.external_id),
        profile: p.profile.clone(),
    };
    schedule(w, at, Due::Provision(event));
}

/// The end of a deactivation, up to the status.
pub fn deprovision(w: &mut World, uid: &str) {
    let (now, delay) = (w.now, w.okta.deactivate_delay);
    change(w, uid, |p| {
        p.status = Status::Deprovisioned;
        p.transition = None;
        p.status_changed = Some(now);
        p.last_updated = now;
        p.sessions = 0;
    });
    if delay > TimeDelta::zero() {
        schedule(w, now + delay, Due::Unassign(uid.into()));
    } else {
        drop_apps(w, uid);
    }
}

/// The background task behind a deactivation. Apps that are INACTIVE keep their assignments.
pub fn drop_apps(w: &mut World, uid: &str) {
    if w.okta.users.get(uid).is_some_and(|p| !p.ended()) {
        return;
    }
    let held: Vec<String> = w
        .okta
        .apps
        .iter()
        .filter(|(_, a)| a.active && a.assigned.contains_key(uid))
        .map(|(id, _)| id.clone())
        .collect();
    for aid in held {
        unassign(w, &By::system(), &aid, uid);
    }
}
