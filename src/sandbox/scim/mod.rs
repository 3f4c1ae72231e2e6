//! The twin of a SCIM 2.0 server (RFC 7643, 7644, 9865): any number of them in one world, each under its own name (`scim:wiki`).
//!
//! Written from the RFCs and from traffic of servers that we did not write. It answers under its root and under `/scim/v2`. How it errs is
//! told by the world (`bugs`, `page_sizes`, `pages`, `active_as`) or by a fault (`scim:wiki:put-only`). It knows no `/Bulk`, `/Me` or `.search`,
//! doesn't sort, and keeps no password.

mod filter;
mod list;
mod schema;
mod shape;
mod site;
mod state;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::{
    schema::Kind,
    site::{Change, Site},
    write::Refused,
};
use super::{
    faults::Seen,
    twin::{Call, Reply, Twin, blank, reason},
    world::{Provision, ProvisionKind, World},
};

const NAME: &str = "scim";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    load: state::load,
    state: state::state,
    entry: state::entry,
    restore: state::restore,
    patch: state::patch,
    endpoints,
    operation,
    many: true,
    manners: MANNERS,
    here: |w| w.scim.contains_key(&w.asked),
    given: Some(&shape::SERVER),
    provision,
    refusal,
    ..blank(NAME)
};

fn scim_json(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".into(), "application/scim+json".into())],
        body: body.to_string().into_bytes(),
    }
}

/// For a fault by name.
fn refusal(_: &Seen<'_>, status: u16) -> Reply {
    let body = json!({"schemas": [ERROR], "status": status.to_string(), "detail": reason(status)});
    scim_json(status, &body).again("retry-after", "2")
}

/// Ways to differ that a fault by name turns on.
pub const MANNERS: &[&str] = &[
    "put-only",
    "no-filter",
    "ignore-filter",
    "small-pages",
    "cursor",
    "aws",
    "snowflake",
    "pagerduty",
    "string-active",
    "lost-204",
    "html-200",
];

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// What a page holds where the world doesn't say.
const CAP: usize = 200;

/// A user or a group. `attributes` are canonical, `id` among them.
#[derive(Clone, Debug)]
struct Resource {
    /// Its place in lists.
    order: u64,
    version: u64,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    attributes: Map<String, Value>,
}

impl Resource {
    fn text(&self, key: &str) -> &str {
        self.attributes.get(key).and_then(Value::as_str).unwrap_or_default()
    }
    fn inactive(&self) -> bool {
        matches!(self.attributes.get("active"), Some(Value::Bool(false)))
            || self.text("active").eq_ignore_ascii_case("false")
    }
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
    fn member(&self, id: &str) -> bool {
        let list = self.attributes.get("members").and_then(Value::as_array);
        list.into_iter().flatten().any(|m| m["value"] == id)
    }
}

/// One server.
#[derive(Clone, Debug, Default)]
pub struct Scim {
    users: BTreeMap<String, Resource>,
    groups: BTreeMap<String, Resource>,
    page_cap: usize,
    page_sizes: Vec<usize>,
    pages: BTreeMap<String, Vec<usize>>,
    /// `active` is kept and shown as "True" or "False".
    text_active: bool,
    bugs: BTreeSet<String>,
    next: u64,
}

impl Scim {
    fn resources(&self, kind: Kind) -> &BTreeMap<String, Resource> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }
    fn resources_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Resource> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    fn add(&mut self, kind: Kind, id: &str, mut attributes: Map<String, Value>, now: DateTime<Utc>) {
        self.next += 1;
        attributes.insert("id".into(), id.into());
        self.worded(&mut attributes);
        let resource = Resource {
            order: self.next,
            version: 1,
            created: now,
            modified: now,
            attributes,
        };
        self.resources_mut(kind).insert(id.into(), resource);
    }

    fn worded(&self, attributes: &mut Map<String, Value>) {
        if let Some(Value::Bool(active)) = attributes.get("active").filter(|_| self.text_active) {
            let word = if *active { "True" } else { "False" };
            attributes.insert("active".into(), word.into());
        }
    }

    /// An id that nobody has, of the form that this server makes.
    fn fresh(&self, kind: Kind) -> String {
        let letter = if kind == Kind::User { 'N' } else { 'G' };
        let taken = |id: &String| self.users.contains_key(id) || self.groups.contains_key(id);
        let mut n = self.next + 1;
        loop {
            let id = format!("{letter}{n:04}");
            if !taken(&id) {
                return id;
            }
            n += 1;
        }
    }

    fn taken(&self, user_name: &str, but: &str) -> bool {
        let same = |r: &Resource| r.text("userName").to_lowercase() == user_name.to_lowercase();
        self.users.iter().any(|(id, r)| id != but && same(r))
    }
}

fn rest<'a>(parts: &'a [&'a str]) -> (&'static str, &'a [&'a str]) {
    match parts {
        ["scim", "v2", rest @ ..] => ("/scim/v2", rest),
        all => ("", all),
    }
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let name = world.asked.clone();
    let Some(scim) = world.scim.get(&name) else {
        return Reply::empty(501);
    };
    let parts = call.parts();
    let (prefix, rest) = rest(&parts);
    let site = Site {
        scim,
        told: world.manners.get(&name),
        call,
        base: format!("{}{prefix}", call.origin),
    };
    if let Some(reply) = site.discovery(rest) {
        let read = call.method == "GET";
        return if read {
            reply
        } else {
            site.refuse(Refused(405, None, "it is read only".into()))
                .with("allow", "GET")
        };
    }
    let secret = call.header("authorization").and_then(|h| h.strip_prefix("Bearer "));
    let of = format!("{name}.");
    let key = world
        .credentials
        .iter()
        .find(|c| Some(c.secret.as_str()) == secret && c.name.starts_with(&of));
    let denied = match key {
        None => Some((
            401,
            "Authorization failure. The authorization header is invalid or missing",
        )),
        Some(key) if !key.write && call.method != "GET" => Some((403, "The token may read only")),
        Some(_) => None,
    };
    if let Some((status, why)) = denied {
        return site.refuse(Refused(status, None, why.into()));
    }
    let (reply, changes) = match site.answer(rest) {
        Ok(both) => both,
        Err(refused) => return site.refuse(refused),
    };
    keep(world, &name, changes);
    reply
}

fn keep(world: &mut World, name: &str, changes: Vec<Change>) {
    for change in changes {
        let Some(scim) = world.scim.get_mut(name) else { return };
        let (kind, id) = match change {
            Change::Put(kind, id, r) => {
                scim.next = scim.next.max(r.order);
                scim.resources_mut(kind).insert(id.clone(), r);
                (kind, id)
            }
            Change::Gone(kind, id) => {
                scim.resources_mut(kind).remove(&id);
                (kind, id)
            }
        };
        world.touch(name, kind.list(), &id);
    }
}

fn endpoints(_: &World, origin: &str) -> Value {
    json!({"base_url": format!("{origin}/scim/v2")})
}

fn provisioned(profile: &Map<String, Value>, user_name: &str) -> Map<String, Value> {
    let text = |key: &str| profile.get(key).and_then(Value::as_str).unwrap_or_default();
    let (first, last) = (text("firstName"), text("lastName"));
    let all = format!("{first} {last}");
    let mut body = json!({
        "userName": user_name, "active": true, "displayName": all,
        "name": {"givenName": first, "familyName": last, "formatted": all},
        "emails": [{"value": if text("email").is_empty() { user_name } else { text("email") }, "type": "work", "primary": true}],
    });
    let mut extension = Map::new();
    for (theirs, ours) in [("employeeNumber", "employeeNumber"), ("department", "department")] {
        if !text(ours).is_empty() {
            extension.insert(theirs.into(), text(ours).into());
        }
    }
    body[schema::ENTERPRISE] = extension.into();
    for (theirs, ours) in [("title", "title"), ("userType", "userType")] {
        body[theirs] = text(ours).into();
    }
    write::whole(Kind::User, &body).unwrap_or_default()
}

/// What Okta's provisioning does here: the account is made or comes back, or is set inactive. Whom it never knew it can't deactivate.
pub fn provision(world: &mut World, push: &Provision) {
    let now = world.now;
    let Some(scim) = world.scim.get(&push.system) else {
        return;
    };
    let known = scim.users.values().find(|r| {
        let by_id = push.external_id.as_deref() == Some(r.text("id")) || r.text("externalId") == push.user_id;
        by_id || r.text("userName").eq_ignore_ascii_case(&push.user_name)
    });
    let active = push.kind == ProvisionKind::Create;
    let r = match known {
        Some(r) => {
            let mut r = r.clone();
            r.attributes.insert("active".into(), active.into());
            scim.worded(&mut r.attributes);
            (r.version, r.modified) = (r.version + 1, now);
            r
        }
        None if active => {
            let mut attributes = provisioned(&push.profile, &push.user_name);
            attributes.insert("externalId".into(), push.user_id.clone().into());
            let id = scim.fresh(Kind::User);
            let mut one = scim.clone();
            one.add(Kind::User, &id, attributes, now);
            one.users[&id].clone()
        }
        None => return,
    };
    let id = r.text("id").to_owned();
    keep(world, &push.system, vec![Change::Put(Kind::User, id, r)]);
}

/// The name by which faults hit a call.
fn operation(world: &World, call: &Call) -> Option<String> {
    let scim = world.scim.get(&world.asked)?;
    let parts = call.parts();
    let (_, rest) = rest(&parts);
    Some(match (call.method.as_str(), rest) {
        (
            "GET",
            [
                "ServiceProviderConfig" | "ServiceProviderConfigs" | "Schemas" | "ResourceTypes",
                ..,
            ],
        ) => "read-tenant".into(),
        ("GET", ["Users"]) if call.param("filter").is_some() => "find-account".into(),
        ("GET", ["Users"]) => "list-accounts".into(),
        ("GET", ["Users", _]) => "read-account".into(),
        ("GET", ["Groups"]) => "list-groups".into(),
        ("GET", ["Groups", _]) => "read-group".into(),
        ("POST", ["Users"]) => "create-person".into(),
        ("DELETE", ["Users", id]) => format!("deactivate:{id}"),
        ("PUT" | "PATCH", ["Users", id]) => {
            let on = call.json().and_then(|body| wanted(&body));
            format!("{}:{id}", if on == Some(true) { "activate" } else { "deactivate" })
        }
        ("PUT" | "PATCH", ["Groups", id]) => {
            let name = scim.groups.get(*id).map_or(*id, |g| g.text("displayName"));
            let body = call.json().unwrap_or_default();
            let adds = body["Operations"][0]["op"]
                .as_str()
                .is_some_and(|op| op.eq_ignore_ascii_case("add"));
            format!("{}:{name}", if adds { "add-member" } else { "remove-member" })
        }
        _ => return None,
    })
}

/// What a body would set `active` to.
fn wanted(body: &Value) -> Option<bool> {
    let flag = |v: &Value| v.as_bool().or_else(|| v.as_str()?.to_ascii_lowercase().parse().ok());
    let operation = |o: &Value| flag(&o["value"]).or_else(|| flag(&o["value"]["active"]));
    flag(&body["active"]).or_else(|| body["Operations"].as_array()?.iter().find_map(operation))
}
