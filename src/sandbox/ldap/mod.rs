//! The twin of an Active Directory domain controller, over LDAP on loopback: bind, search, modify.
//!
//! Written from Microsoft's pages and what real servers answered. Plain, as the other twins speak http; a password is set there all the
//! same. It knows no referrals, replicates with nobody, moves and makes no entries, and its bind takes jml's own accounts alone.

mod ber;
mod model;
mod modify;
mod search;
pub mod serve;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    merge,
    twin::{Call, Reply, Twin, blank},
    world::World,
};

pub use model::{Group, Ldap, User, guid_text};

const NAME: &str = "ldap";
/// The result code of a reply whose body stands for messages.
const OURS: &str = "ldap-result";
const BASE: &str = "DC=corp,DC=acme,DC=example";
/// Between 1601 and 1970, in seconds.
const EPOCH: i64 = 11_644_473_600;

pub const TWIN: Twin = Twin {
    name: NAME,
    scheme: "ldap",
    asks: |method, _, _| method != "modify",
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    endpoints,
    operation,
    here: |w| w.ldap.is_some(),
    given: Some(&shape::DOMAIN),
    record: |w, right| {
        let password = w.secret(&format!("{NAME}.{right}"))?;
        Some(json!({"user": user(right), "password": password}).to_string())
    },
    section: |w| {
        let base = w.ldap.as_ref().map_or(BASE, |l| &l.base);
        json!({"profile": "ad", "base": format!("OU=Acme,{base}"), "groups": format!("OU=Groups,OU=Acme,{base}"), "domain": search::DOMAIN})
    },
    refusal: |_, status| refusal(status),
    ..blank(NAME)
};

fn user(right: &str) -> String {
    format!("svc-jml-{right}@corp.acme.example")
}

fn said(rc: u16, body: Value) -> Reply {
    Reply::json(rc, &body).with(OURS, rc.to_string())
}

/// What a fault's status is in this protocol.
pub fn refusal(status: u16) -> Reply {
    let (rc, text) = match status {
        401 => (
            49,
            "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1\0",
        ),
        403 => (
            50,
            "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0",
        ),
        404 => (
            32,
            "0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0\n\0",
        ),
        429 => (51, "00002024: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0\n\0"),
        _ => (
            52,
            "000020EE: SvcErr: DSID-03210EB1, problem 5002 (UNAVAILABLE), data 0\n\0",
        ),
    };
    said(rc, json!({ "text": text }))
}

/// Who is bound: the secret must be one of ours and the name its own.
fn bound<'w>(world: &'w World, call: &Call) -> Option<&'w super::world::Credential> {
    let secret = call.header("authorization")?.strip_prefix("Simple ")?;
    let found = world.credential(NAME, secret)?;
    let right = found.name.strip_prefix("ldap.")?;
    (call.header("user")? == user(right)).then_some(found)
}

fn dn(call: &Call) -> String {
    call.segments.join("/")
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let who = bound(world, call).map(|c| c.write);
    let body = call.json().unwrap_or_default();
    let now = (call.now.timestamp() + EPOCH) * 10_000_000 + i64::from(call.now.timestamp_subsec_nanos() / 100);
    let Some(mut ldap) = world.ldap.take() else {
        return Reply::empty(501);
    };
    let (reply, changed) = match call.method.as_str() {
        "bind" if who.is_some() => (said(0, json!({"text": ""})), None),
        "bind" => (refusal(401), None),
        "search" => {
            let time = call.now.format("%Y%m%d%H%M%S.0Z").to_string();
            (search::answer(&mut ldap, &dn(call), &body, who.is_some(), &time), None)
        }
        "modify" => modify::answer(&mut ldap, &dn(call), &body, who == Some(true), now),
        _ => (
            said(
                2,
                json!({"text": "00000057: LdapErr: DSID-0C090FD5, comment: not in this twin\0"}),
            ),
            None,
        ),
    };
    world.ldap = Some(ldap);
    if let Some((list, id)) = changed {
        world.touch(NAME, list, &id);
    }
    reply
}

/// `suspend:alice.chen`, `remove-member:ROLE-ENG`
fn operation(world: &World, call: &Call) -> Option<String> {
    let ldap = world.ldap.as_ref()?;
    if call.method != "modify" {
        return Some(call.method.clone());
    }
    let body = call.json()?;
    let change = &body["changes"][0];
    let attribute = change["attribute"].as_str()?.to_lowercase();
    let called = match ldap.node(&dn(call)) {
        Some(model::Node::User(name) | model::Node::Group(name)) => name,
        _ => return Some("modify".into()),
    };
    let action = match (attribute.as_str(), change["do"].as_str()) {
        ("useraccountcontrol", _) => {
            let flags: u32 = change["values"][0].as_str()?.parse().ok()?;
            if flags & 2 == 0 { "activate" } else { "suspend" }
        }
        ("unicodepwd", _) => "reset-password",
        ("member", Some("add")) => "add-member",
        ("member", _) => "remove-member",
        _ => "modify",
    };
    Some(format!("{action}:{called}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    base_dn: Option<String>,
    #[serde(default)]
    hidden: BTreeSet<String>,
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    groups: Vec<Group>,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.ldap = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| format!("ldap: {e}"))?;
    let users = given.users.into_iter().map(|u| (u.login.clone(), u));
    let mut groups: BTreeMap<String, Group> = given.groups.into_iter().map(|g| (g.name.clone(), g)).collect();
    // Everybody's primary group, whose members no list shows.
    let everybody = json!({"name": "Domain Users", "rid": 513, "locked": true});
    groups.insert(
        "Domain Users".into(),
        serde_json::from_value(everybody).map_err(|e| e.to_string())?,
    );
    for (i, group) in groups.values_mut().filter(|g| g.rid == 0).enumerate() {
        group.rid = 1100 + i as u32;
    }
    world.ldap = Some(Ldap {
        base: given.base_dn.unwrap_or_else(|| BASE.into()),
        users: users.collect(),
        groups,
        hidden: given.hidden.iter().map(|h| h.to_lowercase()).collect(),
        lists: Vec::new(),
    });
    Ok(())
}

fn state(world: &World) -> Value {
    let Some(l) = &world.ldap else { return Value::Null };
    json!({"base_dn": l.base, "users": l.users, "groups": l.groups})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let l = world.ldap.as_ref()?;
    match list {
        "users" => l.users.get(id).map(|u| json!(u)),
        "groups" => l.groups.get(id).map(|g| json!(g)),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let Some(l) = &mut world.ldap else {
        return Err("ldap: not in this world".into());
    };
    match list {
        "users" => merge::restore(&mut l.users, id, entry),
        "groups" => merge::restore(&mut l.groups, id, entry),
        _ => Err(format!("ldap: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let Some(l) = &mut world.ldap else {
        return Err("ldap: not in this world".into());
    };
    let mut changed = Vec::new();
    for (key, part) in patch.as_object().ok_or("ldap: an object is wanted")? {
        match key.as_str() {
            "users" => {
                let ids = merge::entries(&mut l.users, part, |id| json!({"login": id, "name": id}))?;
                changed.extend(ids.into_iter().map(|id| ("users", id)));
            }
            "groups" => {
                let ids = merge::entries(&mut l.groups, part, |id| json!({"name": id}))?;
                changed.extend(ids.into_iter().map(|id| ("groups", id)));
            }
            _ => return Err(format!("ldap: unknown key {key}")),
        }
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

fn endpoints(world: &World, _origin: &str) -> Value {
    let base = world.ldap.as_ref().map(|l| l.base.clone());
    json!({"profile": "ad", "base_dn": base, "bind_dn": user("all"), "bind_password": world.secret("ldap.all")})
}
