//! The twin of a SCIM 2.0 server (RFC 7643, 7644, 9865): any number of them in one world, each under its own name (`scim:wiki`).
//!
//! Written from the RFCs and from traffic of servers that we did not write. It answers under its root and under `/scim/v2`. How it errs is
//! told by the world (`bugs`, `page_sizes`, `pages`, `active_as`) or by a fault (`scim:wiki:put-only`). It knows no `/Bulk`, `/Me` or `.search`,
//! doesn't sort, and keeps no password.

mod filter;
mod list;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::{
    schema::Kind,
    write::{Refused, invalid},
};
use super::{
    faults::Seen,
    merge, quiet,
    twin::{Call, Reply, Twin, blank, reason},
    world::{Provision, ProvisionKind, World},
};

const NAME: &str = "scim";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    load,
    state,
    entry,
    restore,
    patch,
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

/// One request at one server.
struct Site<'a> {
    scim: &'a Scim,
    told: Option<&'a BTreeSet<String>>,
    call: &'a Call,
    base: String,
}

/// What a request changes.
enum Change {
    Put(Kind, String, Resource),
    Gone(Kind, String),
}

impl Site<'_> {
    fn is(&self, manner: &str) -> bool {
        self.scim.bugs.contains(manner) || self.told.is_some_and(|t| t.contains(manner))
    }

    fn ok(&self, status: u16, body: &Value) -> Reply {
        scim_json(status, body)
    }

    fn refuse(&self, Refused(status, kind, detail): Refused) -> Reply {
        let mut body = json!({"schemas": [ERROR], "status": status.to_string(), "detail": detail});
        if let Some(kind) = kind {
            body["scimType"] = kind.into();
        }
        let reply = self.ok(status, &body);
        match status {
            401 => reply.with("www-authenticate", "Bearer realm=\"SCIM\""),
            _ => reply,
        }
    }

    fn location(&self, kind: Kind, id: &str) -> String {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        format!("{}/{}/{id}", self.base, kind.place())
    }

    fn shown(&self, kind: Kind, r: &Resource) -> Value {
        let mut out = Map::new();
        out.insert("schemas".into(), schema::used(kind, &r.attributes).into());
        out.extend(r.attributes.clone());
        if self.is("aws") && kind == Kind::Group {
            out.insert("members".into(), json!([]));
        }
        if let Some(active) = out
            .get("active")
            .and_then(Value::as_bool)
            .filter(|_| self.is("string-active"))
        {
            out.insert("active".into(), if active { "True" } else { "False" }.into());
        }
        let stamp = |t: DateTime<Utc>| t.to_rfc3339_opts(SecondsFormat::Millis, true);
        let meta = json!({"resourceType": kind.name(), "created": stamp(r.created), "lastModified": stamp(r.modified),
            "location": self.location(kind, r.text("id")), "version": r.etag()});
        out.insert("meta".into(), meta);
        self.chosen(out).into()
    }

    fn one(&self, status: u16, kind: Kind, r: &Resource) -> Reply {
        self.ok(status, &self.shown(kind, r))
            .with("etag", r.etag())
            .with("location", self.location(kind, r.text("id")))
    }

    fn discovery(&self, rest: &[&str]) -> Option<Reply> {
        let pick = |all: Vec<Value>, id: &str| match all.into_iter().find(|x| x["id"] == id) {
            Some(x) => self.ok(200, &x),
            None => self.refuse(Refused(404, None, format!("'{id}' not found"))),
        };
        Some(match rest {
            ["ServiceProviderConfig" | "ServiceProviderConfigs"] => {
                let says = schema::Says {
                    patch: !self.puts_only(),
                    filter: !self.is("no-filter"),
                    most: self.most(),
                    cursor: self.is("cursor") || self.is("aws"),
                    index: !self.is("aws"),
                };
                self.ok(200, &schema::config(&self.base, &says))
            }
            ["Schemas"] => self.few(&schema::schemas(&self.base)),
            ["Schemas", id] => pick(schema::schemas(&self.base), id),
            ["ResourceTypes"] => self.few(&schema::types(&self.base)),
            ["ResourceTypes", id] => pick(schema::types(&self.base), id),
            _ => return None,
        })
    }

    fn puts_only(&self) -> bool {
        self.is("put-only") || self.is("no-patch")
    }

    fn body(&self) -> Result<Value, Refused> {
        self.call
            .json()
            .ok_or_else(|| invalid("invalidSyntax", "the body is no JSON"))
    }

    fn there(&self, kind: Kind, id: &str) -> Result<&Resource, Refused> {
        let found = self.scim.resources(kind).get(id);
        found
            .filter(|r| !(self.is("gone-after-inactive") && r.inactive()))
            .ok_or_else(|| Refused(404, None, format!("{} '{id}' not found", kind.name())))
    }

    /// The one that is meant, in the version that is meant.
    fn meant(&self, kind: Kind, id: &str) -> Result<&Resource, Refused> {
        let there = self.there(kind, id)?;
        match self.call.header("if-match") {
            Some(tag) if tag != "*" && !tag.split(',').any(|t| t.trim() == there.etag()) => Err(Refused(
                412,
                None,
                "Failed to update. Resource has changed on the server".into(),
            )),
            _ => Ok(there),
        }
    }

    fn answer(&self, rest: &[&str]) -> Result<(Reply, Vec<Change>), Refused> {
        let (kind, id) = match rest {
            [place] => (Kind::of(place), None),
            [place, id] if *id != ".search" => (Kind::of(place), Some(*id)),
            _ => (None, None),
        };
        let unknown = || match rest.last() {
            Some(&(".search" | "Bulk" | "Me")) => Refused(501, None, "the server has no way to do that".into()),
            _ => Refused(404, None, "no such place".into()),
        };
        let kind = kind.ok_or_else(unknown)?;
        let write = ["PUT", "PATCH", "DELETE"].contains(&self.call.method.as_str());
        if write && self.is("lost-204") && id.is_some() {
            return Ok((Reply::empty(204), Vec::new()));
        }
        match (self.call.method.as_str(), id) {
            ("GET", None) => Ok((self.list(kind)?, Vec::new())),
            ("POST", None) => self.create(kind),
            ("GET", Some(id)) => Ok((self.one(200, kind, self.there(kind, id)?), Vec::new())),
            ("PUT", Some(id)) => {
                let there = self.meant(kind, id)?;
                let new = write::whole(kind, &self.body()?)?;
                write::complete(kind, &new)?;
                self.changed(kind, there, new, true)
            }
            ("PATCH", Some(_)) if self.puts_only() => Err(Refused(501, None, "PATCH is not supported".into())),
            ("PATCH", Some(id)) => {
                let there = self.meant(kind, id)?;
                let body = self.body()?;
                let mut new = write::patched(kind, &there.attributes, &body)?;
                let path = |o: &Value| o["path"].as_str().is_some_and(|p| p.starts_with("members["));
                let removes = body["Operations"].as_array().into_iter().flatten().any(path);
                if removes && self.is("remove-clears-members") {
                    new.remove("members");
                }
                self.changed(kind, there, new, false)
            }
            ("DELETE", Some(id)) => {
                let id = self.meant(kind, id)?.text("id").to_owned();
                Ok((Reply::empty(204), self.gone(kind, &id)))
            }
            _ => Err(unknown()),
        }
    }

    fn create(&self, kind: Kind) -> Result<(Reply, Vec<Change>), Refused> {
        let mut new = write::whole(kind, &self.body()?)?;
        write::complete(kind, &new)?;
        let id = self.scim.fresh(kind);
        self.free(kind, &new, &id)?;
        if kind == Kind::User {
            new.entry("active").or_insert(true.into());
        }
        let mut scim = Scim {
            next: self.scim.next,
            text_active: self.scim.text_active,
            ..Scim::default()
        };
        scim.add(kind, &id, new, self.call.now);
        let made = scim.resources(kind)[&id].clone();
        Ok((self.one(201, kind, &made), vec![Change::Put(kind, id, made)]))
    }

    fn free(&self, kind: Kind, new: &Map<String, Value>, id: &str) -> Result<(), Refused> {
        let name = new.get("userName").and_then(Value::as_str).unwrap_or_default();
        if kind == Kind::User && self.scim.taken(name, id) {
            let detail = "One or more of the attribute values are already in use or are reserved";
            return Err(Refused(409, Some("uniqueness"), detail.into()));
        }
        Ok(())
    }

    fn changed(
        &self,
        kind: Kind,
        there: &Resource,
        mut new: Map<String, Value>,
        whole: bool,
    ) -> Result<(Reply, Vec<Change>), Refused> {
        let id = there.text("id").to_owned();
        self.free(kind, &new, &id)?;
        new.insert("id".into(), id.clone().into());
        self.scim.worded(&mut new);
        let mut after = there.clone();
        if after.attributes != new {
            after.attributes = new;
            after.version += 1;
            after.modified = self.call.now;
        }
        let reply = if whole {
            self.one(200, kind, &after)
        } else {
            Reply::empty(204)
                .with("etag", after.etag())
                .with("location", self.location(kind, &id))
        };
        let changes = if self.is("pagerduty") && after.inactive() {
            self.gone(kind, &id)
        } else {
            vec![Change::Put(kind, id, after)]
        };
        Ok((reply, changes))
    }

    /// Whoever is gone is in no group.
    fn gone(&self, kind: Kind, id: &str) -> Vec<Change> {
        let mut changes = vec![Change::Gone(kind, id.to_owned())];
        for (group, r) in self.scim.groups.iter().filter(|(_, r)| r.member(id)) {
            let mut r = r.clone();
            if let Some(list) = r.attributes.get_mut("members").and_then(Value::as_array_mut) {
                list.retain(|m| m["value"] != id);
            }
            r.version += 1;
            changes.push(Change::Put(Kind::Group, group.clone(), r));
        }
        changes
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

fn load(world: &mut World, given: &Value) -> Result<(), String> {
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
fn generated(given: &Value, n: usize) -> Map<String, Value> {
    let profile = quiet::profile(given, n);
    let mut out = provisioned(&profile, &quiet::login(n));
    out.insert("externalId".into(), quiet::id(n).into());
    out
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

/// An entry of a world or of `GET /state`: a group's `name` and `members` by id, all else as SCIM calls it.
fn taken(kind: Kind, entry: &Value) -> Result<(String, Map<String, Value>), String> {
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

fn given(kind: Kind, r: &Resource) -> Value {
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

fn state(world: &World) -> Value {
    let Some(scim) = world.scim.get(&world.asked) else {
        return Value::Null;
    };
    let list = |kind: Kind| -> Map<String, Value> {
        let all = scim.resources(kind).iter();
        all.map(|(id, r)| (id.clone(), given(kind, r))).collect()
    };
    json!({"users": list(Kind::User), "groups": list(Kind::Group)})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let kind = kind_of(list)?;
    let r = world.scim.get(&world.asked)?.resources(kind).get(id)?;
    let mut out = given(kind, r);
    out["meta"] = json!({"order": r.order, "version": r.version, "created": r.created, "modified": r.modified});
    Some(out)
}

fn kind_of(list: &str) -> Option<Kind> {
    [Kind::User, Kind::Group].into_iter().find(|k| k.list() == list)
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
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

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
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

fn endpoints(_: &World, origin: &str) -> Value {
    json!({"base_url": format!("{origin}/scim/v2")})
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
