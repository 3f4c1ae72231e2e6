//! The state as `GET /state` shows it, and its entries whole, for the log on disk.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::model::{Person, stamp};
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
