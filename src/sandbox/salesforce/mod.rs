//! The twin of Salesforce: SOQL, sObjects, composite requests, OAuth.
//!
//! Written from developer.salesforce.com. It knows what an administrator's client touches: users, logins, sessions, tokens, assignments,
//! and records by their owner. No describe calls, no triggers, no sharing: whoever may query sees every row but other people's tokens.

mod ids;
mod oauth;
mod people;
mod query;
mod rest;
mod rows;
mod shape;
mod soql;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    merge, quiet,
    twin::{Call, Reply, Twin, blank},
    world::World,
};

const NAME: &str = "salesforce";
const CLIENT: &str = "3MVG9JMLSANDBOXCONSUMERKEY";
/// When whatever has no instant of its own was made and used.
const TIME: &str = "2026-06-01T09:00:00.000+0000";
/// Versions that are on offer.
const VERSIONS: [(&str, &str); 4] = [
    ("61.0", "Summer '24"),
    ("62.0", "Winter '25"),
    ("63.0", "Spring '25"),
    ("64.0", "Summer '25"),
];
/// Calls a day.
const DAILY: u64 = 100_000;

pub const TWIN: Twin = Twin {
    name: NAME,
    // The run-as user without Customize Application, and without Manage Users.
    manners: &["tokens-hidden", "setup-hidden"],
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    endpoints,
    operation: rest::operation,
    asks: |method, path, _| method == "POST" && path == "/services/oauth2/token",
    here: |w| w.salesforce.is_some(),
    given: Some(&shape::ORG),
    secret: |_, random| format!("00DAC0000000001!AQ{}", &random[..80]),
    record: |w, right| {
        let secret = w.secret(&format!("{NAME}.{right}"))?;
        Some(json!({"client_id": CLIENT, "client_secret": secret}).to_string())
    },
    section: |w| json!({"org": w.salesforce.as_ref().map(|o| o.org_id.as_str())}),
    provision: people::provision,
    refusal: |_, status| of_status(status),
    ..blank(NAME)
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    #[serde(rename = "Id")]
    pub id: String,
    #[serde(rename = "Username")]
    pub username: String,
    #[serde(rename = "Email")]
    pub email: String,
    #[serde(rename = "FederationIdentifier", default)]
    pub federation: Option<String>,
    #[serde(rename = "IsActive", default = "yes")]
    pub active: bool,
    #[serde(rename = "IsFrozen", default)]
    pub frozen: bool,
    #[serde(rename = "UserType", default = "standard")]
    pub kind: String,
    #[serde(default)]
    pub sessions: u32,
    #[serde(default)]
    pub oauth_tokens: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub admin: bool,
    /// Never signed in: there is no UserLogin.
    #[serde(default, skip_serializing_if = "is_false")]
    pub never: bool,
    /// A custom hierarchy field: the user above this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentor: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    user: String,
    kind: String,
    parent: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    user: String,
    app: String,
    delete_token: String,
}

/// A row that ties a user to something: a permission set, a licence of one, a group or queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    user: String,
    object: String,
    what: String,
    name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    owner: String,
    object: String,
    name: String,
    /// Closed, converted.
    over: bool,
}

#[derive(Default)]
pub struct Org {
    pub org_id: String,
    pub users: BTreeMap<String, User>,
    pub sessions: BTreeMap<String, Session>,
    pub tokens: BTreeMap<String, Token>,
    pub assignments: BTreeMap<String, Assignment>,
    pub records: BTreeMap<String, Record>,
    /// The last number that an id was made of.
    serial: u64,
    /// Access tokens: may they write?
    minted: BTreeMap<String, bool>,
    cursors: Vec<query::Cursor>,
    queries: u64,
    /// Calls of this day.
    used: u64,
    changed: Vec<(&'static str, String)>,
}

/// What the caller may see and do.
struct Right {
    user: String,
    write: bool,
    /// Customize Application: other people's tokens are seen.
    customize: bool,
    manage_users: bool,
}

/// A refusal of the REST API: always a list.
#[derive(Clone, Debug)]
struct Refused {
    status: u16,
    code: String,
    message: String,
    fields: Vec<String>,
}

fn refused(status: u16, code: &str, message: &str) -> Refused {
    let (code, message, fields) = (code.to_owned(), message.to_owned(), vec![]);
    Refused {
        status,
        code,
        message,
        fields,
    }
}

/// For a fault by name. No 429 there: the limit of concurrent calls is a 403.
fn of_status(status: u16) -> Reply {
    let said = match status {
        401 => refused(401, "INVALID_SESSION_ID", "Session expired or invalid"),
        403 => refused(
            403,
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "insufficient access rights on object id",
        ),
        404 => refused(404, "NOT_FOUND", "The requested resource does not exist"),
        429 => refused(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
        503 => refused(503, "SERVER_UNAVAILABLE", "Server Unavailable"),
        _ => refused(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    };
    said.reply()
}

impl Refused {
    fn body(&self) -> Value {
        let mut one = json!({"message": self.message, "errorCode": self.code});
        if !self.fields.is_empty() {
            one["fields"] = json!(self.fields);
        }
        json!([one])
    }
    fn reply(&self) -> Reply {
        Reply::json(self.status, &self.body())
    }
}

fn yes() -> bool {
    true
}
fn is_false(b: &bool) -> bool {
    !b
}
fn standard() -> String {
    "Standard".into()
}

/// Runs one call on the org and notes what it changed.
fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut org) = world.salesforce.take() else {
        return Reply::empty(501);
    };
    let reply = match call.parts()[..] {
        ["services", "oauth2", "token"] => oauth::token(&mut org, world, call),
        ["services", "oauth2", "revoke"] => oauth::revoke(&mut org, call),
        ["services", "data"] => rest::versions(),
        ["services", "data", version, ref rest @ ..] => rest::answer(&mut org, world, version, rest, call),
        _ => Reply::empty(501),
    };
    let changed = std::mem::take(&mut org.changed);
    world.salesforce = Some(org);
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    reply
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    org_id: Option<String>,
    #[serde(default)]
    users: Vec<Value>,
}

/// What the default firm says beside a world's keys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holds {
    #[serde(default)]
    permission_sets: Vec<String>,
    #[serde(default)]
    licences: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    opportunities: Vec<String>,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.salesforce = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| format!("salesforce: {e}"))?;
    let mut org = Org {
        org_id: given.org_id.unwrap_or_else(|| ids::numbered("00D", 1)),
        ..Org::default()
    };
    let there = quiet::count(&world.given);
    let mut generated: Vec<String> = Vec::new();
    let mut generate = |org: &mut Org, n: usize| {
        let user = people::quiet(n);
        generated.push(user.id.clone());
        org.users.insert(user.id.clone(), user);
    };
    if given.users.iter().all(|u| u.get("generated").is_none()) {
        (1..=20.min(there)).for_each(|n| generate(&mut org, n));
    }
    let mut held = Vec::new();
    for mut user in given.users {
        if let Some(n) = user.get("generated").and_then(Value::as_u64) {
            (1..=(n as usize).min(there)).for_each(|n| generate(&mut org, n));
            continue;
        }
        let holds = user.as_object_mut().and_then(|u| u.remove("holds")).unwrap_or_default();
        if user.get("Email").is_none() {
            user["Email"] = user["Username"].clone();
        }
        let user: User = serde_json::from_value(user).map_err(|e| format!("salesforce.users: {e}"))?;
        if !holds.is_null() {
            let holds: Holds = serde_json::from_value(holds).map_err(|e| format!("salesforce.users: {e}"))?;
            held.push((user.id.clone(), holds));
        }
        org.users.insert(user.id.clone(), user);
    }
    people::furnish(&mut org, &generated);
    for (id, holds) in held {
        for (object, names) in [
            ("PermissionSetAssignment", &holds.permission_sets),
            ("PermissionSetLicenseAssign", &holds.licences),
            ("GroupMember", &holds.groups),
        ] {
            for (n, name) in names.iter().enumerate() {
                org.assign(&id, object, 10 + n as u64, name);
            }
        }
        for name in &holds.opportunities {
            org.own(&id, "Opportunity", "006", name);
        }
    }
    let all: Vec<String> = org.users.keys().cloned().collect();
    for id in all {
        org.settle(&id);
    }
    world.salesforce = Some(org);
    Ok(())
}

fn state(world: &World) -> Value {
    let Some(o) = &world.salesforce else { return Value::Null };
    json!({"org_id": o.org_id, "users": o.users, "assignments": o.assignments, "records": o.records})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let o = world.salesforce.as_ref()?;
    match list {
        "users" => o.users.get(id).map(|x| json!(x)),
        "sessions" => o.sessions.get(id).map(|x| json!(x)),
        "oauth_tokens" => o.tokens.get(id).map(|x| json!(x)),
        "assignments" => o.assignments.get(id).map(|x| json!(x)),
        "records" => o.records.get(id).map(|x| json!(x)),
        "org" => Some(json!({"org_id": o.org_id, "serial": o.serial})),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let Some(o) = &mut world.salesforce else {
        return Err("salesforce: not in this world".into());
    };
    match (list, entry) {
        ("users", _) => merge::restore(&mut o.users, id, entry),
        ("sessions", _) => merge::restore(&mut o.sessions, id, entry),
        ("oauth_tokens", _) => merge::restore(&mut o.tokens, id, entry),
        ("assignments", _) => merge::restore(&mut o.assignments, id, entry),
        ("records", _) => merge::restore(&mut o.records, id, entry),
        ("org", Some(e)) => {
            o.org_id = e["org_id"].as_str().ok_or("salesforce.org_id: text is wanted")?.into();
            o.serial = e["serial"].as_u64().ok_or("salesforce.serial: a number is wanted")?;
            Ok(())
        }
        _ => Err(format!("salesforce: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let Some(o) = &mut world.salesforce else {
        return Err("salesforce: not in this world".into());
    };
    let mut changed = vec![("org", o.org_id.clone())];
    for (key, part) in patch.as_object().ok_or("salesforce: an object is wanted")? {
        match key.as_str() {
            "org_id" => o.org_id = part.as_str().ok_or("salesforce.org_id: text is wanted")?.into(),
            "users" => {
                let made = |id: &str| {
                    let name = format!("{}@acme.example", id.to_lowercase());
                    json!({"Id": id, "Username": name, "Email": name})
                };
                for id in merge::entries(&mut o.users, part, made)? {
                    changed.extend(o.settle(&id));
                    changed.push(("users", id));
                }
            }
            "assignments" => {
                let made = |_: &str| json!({"user": "", "object": "GroupMember", "what": "", "name": ""});
                let ids = merge::entries(&mut o.assignments, part, made)?;
                changed.extend(ids.into_iter().map(|id| ("assignments", id)));
            }
            "records" => {
                let made = |_: &str| json!({"owner": "", "object": "Opportunity", "name": "", "over": false});
                let ids = merge::entries(&mut o.records, part, made)?;
                changed.extend(ids.into_iter().map(|id| ("records", id)));
            }
            _ => return Err(format!("salesforce: unknown key {key}")),
        }
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

fn endpoints(world: &World, _origin: &str) -> Value {
    let blocked = world.salesforce.as_ref().and_then(people::undeactivatable);
    json!({"token": world.secret("salesforce.all"), "client_id": CLIENT, "client_secret": world.secret("salesforce.all"),
        "undeactivatable": blocked, "username": people::INTEGRATION})
}
