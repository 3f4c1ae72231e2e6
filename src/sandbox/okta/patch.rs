//! The merge patch (RFC 7396) on the shape of `GET /state`: what happens outside of us.
//!
//! It acts on the truth at once and sets nothing off, but for the System Log's line that HR's import would leave.

use std::collections::BTreeSet;

use serde_json::Value;

use super::deeds::{By, user_party};
use super::lifecycle::{forget, import_event};
use super::load::{self, Names, duration, instant, list, meant, only, text, texts};
use super::log::append;
use super::model::{Assignment, Group, Kind, Rule, Status};
use super::people::{self, Told, grant};
use crate::sandbox::quiet;
use crate::sandbox::world::World;

pub fn patch(w: &mut World, v: &Value) -> Result<(), String> {
    let known = [
        "org_id",
        "users",
        "groups",
        "rules",
        "apps",
        "search_index",
        "system_log",
        "search_lag",
        "rule_delay",
        "deactivate_delay",
        "provision_delay",
    ];
    only(v, "okta", &known)?;
    for (key, part) in v.as_object().into_iter().flatten() {
        match key.as_str() {
            "users" => each(w, part, |w| w.okta.users.keys().cloned().collect(), patch_person)?,
            "groups" => each(w, part, |w| w.okta.groups.keys().cloned().collect(), patch_group)?,
            "rules" => each(w, part, |w| w.okta.rules.keys().cloned().collect(), patch_rule)?,
            "apps" => each(w, part, |w| w.okta.apps.keys().cloned().collect(), patch_app)?,
            "search_index" => patch_index(w, part),
            "system_log" => {
                for e in list(part) {
                    let event = load::listed_event(w, e)?;
                    append(w, event);
                }
            }
            "org_id" => {
                w.okta.org_id = part.as_str().unwrap_or_default().to_owned();
                w.touch("okta", "settings", "org_id");
            }
            _ => {
                let t = duration(part).ok_or_else(|| format!("okta.{key}: {part} is no duration"))?;
                match key.as_str() {
                    "search_lag" => w.okta.search_lag = t,
                    "rule_delay" => w.okta.rule_delay = t,
                    "deactivate_delay" => w.okta.deactivate_delay = t,
                    _ => w.okta.provision_delay = t,
                }
            }
        }
    }
    Ok(())
}

type PatchOne = fn(&mut World, &str, &Value) -> Result<(), String>;

/// `*` stands for every entry that is there, before the entries that are named.
fn each(w: &mut World, part: &Value, all: fn(&World) -> Vec<String>, one: PatchOne) -> Result<(), String> {
    let map = part
        .as_object()
        .ok_or("okta: a list is patched by an object of its ids")?;
    if let Some(v) = map.get("*") {
        for id in all(w) {
            one(w, &id, v)?;
        }
    }
    map.iter()
        .filter(|(id, _)| *id != "*")
        .try_for_each(|(id, v)| one(w, id, v))
}

fn names(w: &World) -> Names {
    let mut names = Names::new();
    for g in w.okta.groups.values() {
        if g.kind == Kind::OktaGroup || !names.contains_key(&g.name) {
            names.insert(g.name.clone(), g.id.clone());
        }
    }
    names
}

fn patch_person(w: &mut World, id: &str, v: &Value) -> Result<(), String> {
    if v.is_null() {
        forget(w, id);
        return Ok(());
    }
    let keys = [
        "status",
        "profile",
        "groups",
        "roles",
        "sessions",
        "grants",
        "tokens",
        "recorded",
        "credentials_provider",
    ];
    only(v, "okta.users", &keys)?;
    let now = w.now;
    let status = match v.get("status") {
        None => None,
        Some(s) => Some(
            s.as_str()
                .and_then(Status::parse)
                .ok_or_else(|| format!("okta.users.{id}: unknown status {s}"))?,
        ),
    };
    if !w.okta.users.contains_key(id) {
        newcomer(w, id, v, status.unwrap_or(Status::Active))?;
    }
    let groups = match v.get("groups") {
        Some(g) if !g.is_null() => Some(meant(&names(w), &texts(g))?),
        Some(_) => Some(Vec::new()),
        None => None,
    };
    let recorded = v.get("recorded").and_then(Value::as_str).map(instant).transpose()?;
    let Some(p) = w.okta.users.get_mut(id) else {
        return Ok(());
    };
    let before = (p.status, p.profile.clone(), p.sessions, p.login().to_lowercase());
    if let Some(to) = status.filter(|s| *s != p.status) {
        p.status = to;
        p.transition = None;
        p.status_changed = Some(now);
        p.last_updated = now;
        p.activated = p.activated.or((to != Status::Staged).then_some(now));
    }
    for (k, over) in v.get("profile").and_then(Value::as_object).into_iter().flatten() {
        if over.is_null() {
            p.profile.remove(k);
        } else {
            p.profile.insert(k.clone(), over.clone());
        }
    }
    if p.profile != before.1 {
        p.last_updated = now;
    }
    if let Some(at) = recorded {
        p.last_updated = at;
    }
    if let Some(ids) = groups {
        let kept = std::mem::take(&mut p.groups);
        p.groups = ids
            .into_iter()
            .map(|g| (g.clone(), kept.get(&g).cloned().unwrap_or_default()))
            .collect();
    }
    if let Some(r) = v.get("roles") {
        p.roles = texts(r);
    }
    if let Some(n) = v.get("sessions") {
        p.sessions = n.as_u64().unwrap_or_default();
    }
    if let Some(n) = v.get("grants") {
        grant(p, n.as_u64().unwrap_or_default());
    }
    if let Some(n) = v.get("tokens").and_then(Value::as_u64) {
        p.tokens.truncate(n as usize);
    }
    if let Some(kind) = text(v, "credentials_provider") {
        p.provider = kind.to_owned();
    }
    p.version += 1;
    let (to, changed, in_again, login) = (
        p.status,
        p.profile != before.1,
        p.sessions > before.2,
        p.login().to_lowercase(),
    );
    let party = user_party(p);
    if login != before.3 {
        w.okta.logins.remove(&before.3);
        w.okta.logins.insert(login, id.to_owned());
    }
    w.touch("okta", "users", id);
    if changed {
        By::system().note(w, "user.account.update_profile", vec![party.clone()]);
    }
    if to != before.0 {
        By::system().note(w, import_event(before.0, to), vec![party.clone()]);
    }
    if in_again {
        let own = By {
            actor: party.clone(),
            token: None,
        };
        own.note(w, "user.session.start", vec![party]);
    }
    Ok(())
}

/// Whom HR has just made.
fn newcomer(w: &mut World, id: &str, v: &Value, status: Status) -> Result<(), String> {
    let profile = quiet::listed(id, &v["profile"]);
    if profile.get("login").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(format!("okta.users.{id}: a new person needs profile.login"));
    }
    let given = matches!(status, Status::Staged | Status::Provisioned | Status::Deprovisioned);
    let policy = if given {
        Vec::new()
    } else {
        quiet::policy_groups(&w.given, &profile)
    };
    let names = names(w);
    let groups = policy.iter().filter_map(|n| names.get(n).cloned()).collect();
    let mut p = people::person(Told {
        id: id.to_owned(),
        status,
        profile,
        groups,
        recorded: w.now,
    });
    p.created = w.now;
    let party = user_party(&p);
    w.okta.logins.insert(p.login().to_lowercase(), id.to_owned());
    w.okta.users.insert(id.to_owned(), p);
    By::system().note(w, "user.lifecycle.create", vec![party]);
    Ok(())
}

fn patch_group(w: &mut World, id: &str, v: &Value) -> Result<(), String> {
    w.touch("okta", "groups", id);
    if v.is_null() {
        w.okta.groups.remove(id);
        let members: Vec<String> = w
            .okta
            .users
            .values()
            .filter(|p| p.groups.contains_key(id))
            .map(|p| p.id.clone())
            .collect();
        for uid in members {
            set_member(w, id, &uid, false);
        }
        return Ok(());
    }
    only(
        v,
        "okta.groups",
        &["name", "type", "members", "roles", "owners", "description"],
    )?;
    let now = w.now;
    let fresh = || Group {
        id: id.to_owned(),
        name: id.to_owned(),
        description: None,
        kind: Kind::OktaGroup,
        roles: Vec::new(),
        owners: Vec::new(),
        created: now,
        last_updated: now,
        last_membership_updated: now,
    };
    let g = w.okta.groups.entry(id.to_owned()).or_insert_with(fresh);
    if let Some(name) = text(v, "name") {
        g.name = name.to_owned();
    }
    if let Some(kind) = load::kind(text(v, "type")).filter(|_| v.get("type").is_some()) {
        g.kind = kind;
    }
    if let Some(r) = v.get("roles") {
        g.roles = texts(r);
    }
    if let Some(o) = v.get("owners") {
        g.owners = texts(o);
    }
    if let Some(d) = v.get("description") {
        g.description = d.as_str().map(str::to_owned);
    }
    g.last_updated = now;
    if let Some(m) = v.get("members") {
        let wanted: BTreeSet<String> = texts(m).into_iter().collect();
        let all: Vec<String> = w.okta.users.keys().cloned().collect();
        for uid in all {
            set_member(w, id, &uid, wanted.contains(&uid));
        }
    }
    Ok(())
}

fn set_member(w: &mut World, gid: &str, uid: &str, member: bool) {
    let Some(p) = w.okta.users.get_mut(uid) else { return };
    if p.groups.contains_key(gid) == member {
        return;
    }
    if member {
        p.groups.insert(gid.to_owned(), BTreeSet::new());
    } else {
        p.groups.remove(gid);
    }
    w.touch("okta", "users", uid);
}

fn patch_rule(w: &mut World, id: &str, v: &Value) -> Result<(), String> {
    w.touch("okta", "rules", id);
    if v.is_null() {
        w.okta.rules.remove(id);
        return Ok(());
    }
    only(
        v,
        "okta.rules",
        &["name", "status", "expression", "groups", "exclude_users"],
    )?;
    let groups = v.get("groups").map(|g| meant(&names(w), &texts(g))).transpose()?;
    let now = w.now;
    let r = w.okta.rules.entry(id.to_owned()).or_insert_with(|| Rule {
        id: id.to_owned(),
        name: id.to_owned(),
        status: "ACTIVE".into(),
        expression: String::new(),
        groups: Vec::new(),
        exclude_users: Vec::new(),
        exclude_groups: Vec::new(),
        people: true,
        created: now,
        last_updated: now,
    });
    for (key, slot) in [
        ("name", &mut r.name),
        ("status", &mut r.status),
        ("expression", &mut r.expression),
    ] {
        if let Some(t) = text(v, key) {
            *slot = t.to_owned();
        }
    }
    if let Some(ids) = groups {
        r.groups = ids;
    }
    if let Some(x) = v.get("exclude_users") {
        r.exclude_users = texts(x);
    }
    r.last_updated = now;
    Ok(())
}

fn patch_app(w: &mut World, id: &str, v: &Value) -> Result<(), String> {
    w.touch("okta", "apps", id);
    if v.is_null() {
        w.okta.apps.remove(id);
        return Ok(());
    }
    only(
        v,
        "okta.apps",
        &[
            "label",
            "name",
            "status",
            "features",
            "groups",
            "provisions",
            "assigned",
        ],
    )?;
    let groups = v.get("groups").map(|g| meant(&names(w), &texts(g))).transpose()?;
    let now = w.now;
    let Some(a) = w.okta.apps.get_mut(id) else {
        return Err(format!("okta.apps: no app {id}"));
    };
    if let Some(t) = text(v, "label") {
        a.label = t.to_owned();
    }
    if let Some(t) = text(v, "name") {
        a.name = t.to_owned();
    }
    if let Some(t) = text(v, "status") {
        a.active = t == "ACTIVE";
    }
    if let Some(f) = v.get("features") {
        a.features = texts(f);
    }
    if let Some(p) = v.get("provisions") {
        a.provisions = p.as_str().map(str::to_owned);
    }
    if let Some(ids) = groups {
        a.groups = ids;
    }
    if let Some(x) = v.get("assigned") {
        let wanted: BTreeSet<String> = texts(x).into_iter().collect();
        a.assigned.retain(|uid, _| wanted.contains(uid));
        for uid in wanted {
            let Some(p) = w.okta.users.get(&uid) else {
                return Err(format!("okta.apps.{id}: no user {uid}"));
            };
            a.assigned.entry(uid).or_insert_with(|| Assignment {
                group: None,
                user_name: p.login().to_owned(),
                external_id: None,
                since: now,
            });
        }
    }
    Ok(())
}

fn patch_index(w: &mut World, part: &Value) {
    for (id, v) in part.as_object().into_iter().flatten() {
        match (v, w.okta.search_index.get_mut(id)) {
            (Value::Null, _) => drop(w.okta.search_index.remove(id)),
            (Value::Object(over), Some(Value::Object(under))) => {
                for (k, x) in over {
                    if x.is_null() {
                        under.remove(k);
                    } else {
                        under.insert(k.clone(), x.clone());
                    }
                }
            }
            _ => drop(w.okta.search_index.insert(id.clone(), v.clone())),
        }
        w.touch("okta", "search_index", id);
    }
}
