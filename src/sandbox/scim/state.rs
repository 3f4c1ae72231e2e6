//! What a world gives, what `GET /state` shows, and what a restart brings back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{CAP, Resource, Scim, keep, provisioned, schema::Kind, site::Change, write};
use crate::sandbox::{merge, quiet, world::World};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    users: Vec<Value>,
    #[serde(default)]
    groups: Vec<Value>,
    page_cap: Option<usize>,
    #[serde(default)]
    page_sizes: Vec<usize>,
    #[serde(default)]
    pages: BTreeMap<String, Vec<usize>>,
    active_as: Option<String>,
    #[serde(default)]
    bugs: BTreeSet<String>,
}

pub(super) fn load(world: &mut World, given: &Value) -> Result<(), String> {
    let name = world.asked.clone();
    if given.is_null() {
        world.scim.remove(&name);
        return Ok(());
    }
    let mut given: Given = serde_json::from_value(given.clone()).map_err(|e| e.to_string())?;
    let mut scim = Scim {
        page_cap: given.page_cap.unwrap_or(CAP),
        text_active: given.active_as.as_deref() == Some("string"),
        page_sizes: std::mem::take(&mut given.page_sizes),
        pages: std::mem::take(&mut given.pages),
        bugs: std::mem::take(&mut given.bugs),
        ..Scim::default()
    };
    let paged = !scim.page_sizes.is_empty() || !scim.pages.is_empty();
    if !paged && given.users.iter().all(|u| u.get("generated").is_none()) {
        given.users.insert(0, json!({"generated": 20}));
    }
    let began = DateTime::from_timestamp(1_578_301_200, 0).unwrap_or_default();
    for user in &given.users {
        if let Some(n) = user.get("generated").and_then(Value::as_u64) {
            for n in 1..=quiet::count(&world.given).min(n as usize) {
                scim.add(Kind::User, &format!("W{n:04}"), generated(&world.given, n), began);
            }
            continue;
        }
        let (id, attributes) = taken(Kind::User, user)?;
        scim.add(Kind::User, &id, attributes, began);
    }
    for group in &given.groups {
        let (id, attributes) = taken(Kind::Group, group)?;
        scim.add(Kind::Group, &id, attributes, began);
    }
    world.scim.insert(name, scim);
    Ok(())
}

/// The account that the directory's provisioning made of quiet person n.
pub(super) fn generated(given: &Value, n: usize) -> Map<String, Value> {
    let profile = quiet::profile(given, n);
    let mut out = provisioned(&profile, &quiet::login(n));
    out.insert("externalId".into(), quiet::id(n).into());
    out
}

/// An entry of a world or of `GET /state`: a group's `name` and `members` by id, all else as SCIM calls it.
pub(super) fn taken(kind: Kind, entry: &Value) -> Result<(String, Map<String, Value>), String> {
    let id = entry["id"].as_str().ok_or("an entry has no id")?.to_owned();
    let mut body = entry.clone();
    if kind == Kind::Group {
        body["displayName"] = entry["name"].clone();
        let ids = entry["members"].as_array().cloned().unwrap_or_default();
        body["members"] = ids.into_iter().map(|id| json!({ "value": id })).collect();
    } else if body.get("active").is_none() {
        body["active"] = true.into();
    }
    let mut out = write::whole(kind, &body).map_err(|r| format!("{id}: {}", r.2))?;
    write::complete(kind, &out).map_err(|r| format!("{id}: {}", r.2))?;
    out.insert("id".into(), id.clone().into());
    Ok((id, out))
}

pub(super) fn given(kind: Kind, r: &Resource) -> Value {
    let mut out = r.attributes.clone();
    if kind == Kind::Group {
        let name = out.remove("displayName").unwrap_or_default();
        let members = out.remove("members").unwrap_or_default();
        let mut ids: Vec<&str> = members
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m["value"].as_str())
            .collect();
        ids.sort_unstable();
        out.insert("members".into(), ids.into());
        out.insert("name".into(), name);
    }
    out.into()
}

pub(super) fn state(world: &World) -> Value {
    let Some(scim) = world.scim.get(&world.asked) else {
        return Value::Null;
    };
    let list = |kind: Kind| -> Map<String, Value> {
        let all = scim.resources(kind).iter();
        all.map(|(id, r)| (id.clone(), given(kind, r))).collect()
    };
    json!({"users": list(Kind::User), "groups": list(Kind::Group)})
}

pub(super) fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let kind = kind_of(list)?;
    let r = world.scim.get(&world.asked)?.resources(kind).get(id)?;
    let mut out = given(kind, r);
    out["meta"] = json!({"order": r.order, "version": r.version, "created": r.created, "modified": r.modified});
    Some(out)
}

pub(super) fn kind_of(list: &str) -> Option<Kind> {
    [Kind::User, Kind::Group].into_iter().find(|k| k.list() == list)
}

pub(super) fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let kind = kind_of(list).ok_or_else(|| format!("no list {list}"))?;
    let name = world.asked.clone();
    let scim = world.scim.get_mut(&name).ok_or("not in this world")?;
    let Some(entry) = entry else {
        scim.resources_mut(kind).remove(id);
        return Ok(());
    };
    let (_, mut attributes) = taken(kind, entry)?;
    scim.worded(&mut attributes);
    let time = |key: &str| serde_json::from_value(entry["meta"][key].clone()).map_err(|e| format!("{id}: {e}"));
    let number = |key: &str| entry["meta"][key].as_u64().ok_or_else(|| format!("{id}: no {key}"));
    let resource = Resource {
        order: number("order")?,
        version: number("version")?,
        created: time("created")?,
        modified: time("modified")?,
        attributes,
    };
    scim.next = scim.next.max(resource.order);
    scim.resources_mut(kind).insert(id.into(), resource);
    Ok(())
}

pub(super) fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let (name, now) = (world.asked.clone(), world.now);
    let mut changes = Vec::new();
    for (key, part) in patch.as_object().ok_or("an object is wanted")? {
        let kind = kind_of(key).ok_or_else(|| format!("unknown key {key}"))?;
        let scim = world.scim.get(&name).ok_or("not in this world")?;
        let mut list: BTreeMap<String, Value> = scim
            .resources(kind)
            .iter()
            .map(|(id, r)| (id.clone(), given(kind, r)))
            .collect();
        let made = |id: &str| match kind {
            Kind::User => json!({"id": id, "userName": format!("{}@acme.example", id.to_lowercase())}),
            Kind::Group => json!({"id": id, "name": id, "members": []}),
        };
        let mut order = scim.next;
        for id in merge::entries(&mut list, part, made)? {
            let Some(entry) = list.get(&id) else {
                changes.push(Change::Gone(kind, id));
                continue;
            };
            let (_, mut attributes) = taken(kind, entry)?;
            scim.worded(&mut attributes);
            let r = match scim.resources(kind).get(&id) {
                Some(there) => Resource {
                    version: there.version + 1,
                    modified: now,
                    attributes,
                    ..there.clone()
                },
                None => {
                    order += 1;
                    Resource {
                        order,
                        version: 1,
                        created: now,
                        modified: now,
                        attributes,
                    }
                }
            };
            changes.push(Change::Put(kind, id, r));
        }
    }
    keep(world, &name, changes);
    Ok(())
}
