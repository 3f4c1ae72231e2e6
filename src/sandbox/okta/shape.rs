//! The state as `GET /state` shows it, the merge patch that changes it, and its entries whole, for the log on disk.
//!
//! A patch acts on the truth at once and sets nothing off, but for the System Log's line that HR's import would leave.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::deeds::{By, user_party};
use super::lifecycle::{forget, import_event};
use super::load::{self, Names, Told, duration, grant, instant, list, meant, only, text, texts};
use super::log::append;
use super::model::{Assignment, Group, Kind, Person, Rule, Status, stamp};
use crate::sandbox::quiet;
use crate::sandbox::world::World;

pub fn state(w: &World) -> Value {
    let okta = &w.okta;
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for p in okta.users.values() {
        for g in p.groups.keys() {
            members.entry(g).or_default().push(&p.id);
        }
    }
    members.insert(&okta.everyone, okta.users.keys().map(String::as_str).collect());
    let users: Map<String, Value> = okta
        .users
        .iter()
        .map(|(id, p)| (id.clone(), show_person(w, p)))
        .collect();
    let groups: Map<String, Value> = okta
        .groups
        .iter()
        .map(|(id, g)| {
            let members = members.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let row = json!({"name": g.name, "type": g.kind.name(), "members": members, "roles": g.roles, "owners": g.owners, "description": g.description});
            (id.clone(), row)
        })
        .collect();
    let rules: Map<String, Value> = okta
        .rules
        .iter()
        .map(|(id, r)| {
            let row = json!({"name": r.name, "status": r.status, "expression": r.expression, "groups": names_of(w, r.groups.iter()),
                "exclude_users": r.exclude_users});
            (id.clone(), row)
        })
        .collect();
    let apps: Map<String, Value> = okta
        .apps
        .iter()
        .map(|(id, a)| {
            let row = json!({"label": a.label, "name": a.name, "status": if a.active { "ACTIVE" } else { "INACTIVE" }, "features": a.features,
                "groups": names_of(w, a.groups.iter()), "provisions": a.provisions, "assigned": a.assigned.keys().collect::<Vec<_>>()});
            (id.clone(), row)
        })
        .collect();
    json!({"org_id": okta.org_id, "users": users, "groups": groups, "rules": rules, "apps": apps, "search_index": okta.search_index,
        "system_log": okta.log.iter().map(super::log::Event::given).collect::<Vec<_>>()})
}

fn names_of<'a>(w: &World, ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = ids
        .filter_map(|id| w.okta.groups.get(id))
        .map(|g| g.name.clone())
        .collect();
    names.sort();
    names
}

fn show_person(w: &World, p: &Person) -> Value {
    let mut groups = names_of(w, p.groups.keys());
    groups.extend(w.okta.groups.get(&w.okta.everyone).map(|g| g.name.clone()));
    groups.sort();
    let mut v = json!({"status": p.status.name(), "profile": p.profile, "groups": groups, "roles": p.roles, "sessions": p.sessions,
        "grants": p.grants.len(), "tokens": p.tokens.len(), "recorded": stamp(p.last_updated), "credentials_provider": p.provider});
    if let Some(to) = p.transition {
        v["transitioning"] = to.name().into();
    }
    v
}

pub fn entry(w: &World, list: &str, id: &str) -> Option<Value> {
    let okta = &w.okta;
    match list {
        "users" => serde_json::to_value(okta.users.get(id)?).ok(),
        "groups" => serde_json::to_value(okta.groups.get(id)?).ok(),
        "rules" => serde_json::to_value(okta.rules.get(id)?).ok(),
        "apps" => serde_json::to_value(okta.apps.get(id)?).ok(),
        "due" => serde_json::to_value(okta.due.get(id)?).ok(),
        "system_log" => serde_json::to_value(okta.log.get(id.parse::<usize>().ok()?)?).ok(),
        "search_index" => okta.search_index.get(id).cloned(),
        "api_tokens" => serde_json::to_value(okta.api_tokens.get(id)?).ok(),
        "revoked" => okta.revoked.contains(id).then_some(Value::Bool(true)),
        "settings" => (id == "org_id").then(|| okta.org_id.as_str().into()),
        _ => None,
    }
}

pub fn restore(w: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let okta = &mut w.okta;
    match list {
        "users" => {
            if let Some(former) = okta.users.get(id) {
                okta.logins.remove(&former.login().to_lowercase());
            }
            put(&mut okta.users, id, entry)?;
            if let Some(p) = okta.users.get(id) {
                okta.logins.insert(p.login().to_lowercase(), id.to_owned());
            }
            Ok(())
        }
        "groups" => put(&mut okta.groups, id, entry),
        "rules" => put(&mut okta.rules, id, entry),
        "apps" => put(&mut okta.apps, id, entry),
        "due" => put(&mut okta.due, id, entry),
        "search_index" => put(&mut okta.search_index, id, entry),
        "api_tokens" => put(&mut okta.api_tokens, id, entry),
        "revoked" => {
            okta.revoked.insert(id.to_owned());
            Ok(())
        }
        "settings" => {
            okta.org_id = entry.and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(())
        }
        "system_log" => {
            let at: usize = id.parse().map_err(|_| format!("okta.system_log: {id}"))?;
            let Some(v) = entry else { return Ok(()) };
            let event = serde_json::from_value(v.clone()).map_err(|e| format!("okta.system_log.{id}: {e}"))?;
            match okta.log.get_mut(at) {
                Some(slot) => *slot = event,
                None => okta.log.push(event),
            }
            Ok(())
        }
        _ => Err(format!("okta: no list {list}")),
    }
}

fn put<T: serde::de::DeserializeOwned>(
    map: &mut BTreeMap<String, T>,
    id: &str,
    entry: Option<&Value>,
) -> Result<(), String> {
    match entry {
        None => drop(map.remove(id)),
        Some(v) => {
            let value = serde_json::from_value(v.clone()).map_err(|e| format!("okta: {id}: {e}"))?;
            map.insert(id.to_owned(), value);
        }
    }
    Ok(())
}

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
    let mut p = load::person(Told {
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
