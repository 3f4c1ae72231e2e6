//! The twin of ServiceNow: Table API, Change Management API, Attachment API, OAuth.
//!
//! Written from the vendor's documentation repository. It runs the default change models and nothing else: no approvals, no tasks, no
//! scripts of anyone's. Every scalar is text, as there.

mod change;
mod query;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    faults::Seen,
    merge,
    shape::Shape,
    twin::{Call, Reply, Twin, blank},
    world::World,
};

const NAME: &str = "servicenow";
/// The service user of Basic and the OAuth client; their secret is that of the credential with all rights.
const USER: &str = "jml.service";
const CLIENT: &str = "7f5a1c0e94d84ab0a1d2c5b7e0f3a96d";
const USER_ID: &str = "6816f79cc0a8016401c5a33be04be441";
/// Seconds that an access token lives.
const LIFE: i64 = 1799;

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    tick,
    endpoints,
    operation,
    section: |_| json!({"assignment_group": table::GROUP_ID}),
    given: Some(&Shape::Table(&[
        ("incident", &Shape::List(&RECORD)),
        ("change_request", &Shape::List(&RECORD)),
    ])),
    refusal,
    ..blank(NAME)
};

const RECORD: Shape = Shape::Also(&Shape::Map(|_| true, &Shape::Text), |r| {
    r.get("number").is_none().then(|| "number is missing".into())
});

/// Column to text; a column that isn't there is empty.
pub type Row = BTreeMap<String, String>;

#[derive(Default)]
pub struct Servicenow {
    /// Table to rows by sys_id.
    pub tables: BTreeMap<String, BTreeMap<String, Row>>,
    /// System properties, and `hidden`: tables whose rows an ACL hides, separated by commas.
    pub properties: BTreeMap<String, String>,
    /// Access tokens: until when, and may they write.
    tokens: BTreeMap<String, (DateTime<Utc>, bool)>,
    /// Highest number given out by table.
    numbers: BTreeMap<String, u64>,
    changed: Vec<(String, String)>,
}

/// Status, message, detail.
pub(super) type Refused = (u16, String, Option<String>);

fn refused(status: u16, message: &str, detail: &str) -> Refused {
    (status, message.into(), Some(detail.into()))
}

fn refuse((status, message, detail): Refused) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": message, "detail": detail}, "status": "failure"}),
    )
}

/// For a fault by name.
fn refusal(_: &Seen<'_>, status: u16) -> Reply {
    let message = match status {
        401 => "User Not Authenticated",
        403 => "User Not Authorized",
        404 => "No Record found",
        429 => "Rate limit exceeded",
        _ => "Transaction cancelled: maximum execution time exceeded",
    };
    refuse((status, message.into(), None)).again("retry-after", "2")
}

fn no_record() -> Refused {
    refused(
        404,
        "No Record found",
        "Record doesn't exist or ACL restricts the record retrieval",
    )
}

impl Servicenow {
    fn touch(&mut self, table: &str, id: &str) {
        self.changed.push((table.into(), id.into()));
    }
    fn row(&self, table: &str, id: &str) -> Option<&Row> {
        if self.hides(table) {
            return None;
        }
        self.tables.get(table)?.get(id)
    }
    fn hides(&self, table: &str) -> bool {
        self.properties
            .get("hidden")
            .is_some_and(|h| h.split(',').any(|t| t.trim() == table))
    }
    /// 32 hex digits that no row of the table has.
    fn fresh_id(&self, table: &str, now: DateTime<Utc>) -> String {
        let mut n = self.tables.get(table).map_or(0, BTreeMap::len);
        loop {
            let id = hex::encode(&Sha256::digest(format!("{table} {n} {now}"))[..16]);
            if self.tables.get(table).is_none_or(|rows| !rows.contains_key(&id)) {
                return id;
            }
            n += 1;
        }
    }
    fn next_number(&mut self, table: &str) -> Option<String> {
        let (prefix, first) = match table {
            "change_request" => ("CHG", 30_000),
            "incident" => ("INC", 10_000),
            _ => return None,
        };
        let there = self.tables.get(table).into_iter().flat_map(BTreeMap::values);
        let highest = there
            .filter_map(|r| r.get("number")?.strip_prefix(prefix)?.parse::<u64>().ok())
            .max()
            .unwrap_or(0);
        let n = highest.max(first).max(*self.numbers.get(table).unwrap_or(&0)) + 1;
        self.numbers.insert(table.into(), n);
        Some(format!("{prefix}{n:07}"))
    }
}

fn time(now: DateTime<Utc>) -> String {
    now.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let mut now = std::mem::take(&mut world.servicenow);
    let reply = route(&mut now, world, call);
    let changed = std::mem::take(&mut now.changed);
    world.servicenow = now;
    for (table, id) in changed {
        world.touch(NAME, &table, &id);
    }
    reply
}

fn route(now: &mut Servicenow, world: &World, call: &Call) -> Reply {
    let parts = call.parts();
    if parts[..] == ["oauth_token.do"] {
        return token(now, world, call);
    }
    // `/api/now/v1/…` and `/api/now/v2/…` are the same tables.
    let rest = match parts[..] {
        ["api", "now", "v1" | "v2", ref rest @ ..] | ["api", "now", ref rest @ ..] => ("now", rest),
        ["api", "sn_chg_rest", "v1", ref rest @ ..] | ["api", "sn_chg_rest", ref rest @ ..] => ("change", rest),
        _ => return Reply::empty(501),
    };
    let write = match rights(now, world, call) {
        Some(write) => write,
        None => {
            return refuse(refused(
                401,
                "User Not Authenticated",
                "Required to provide Auth information",
            ));
        }
    };
    if let Err(why) = headers(call, rest.1) {
        return refuse(why);
    }
    if call.method != "GET" && !write {
        return refuse(refused(
            403,
            "Operation Failed",
            "ACL Exception Insert Failed due to security constraints",
        ));
    }
    let done = match rest {
        ("now", ["table", table]) => table::many(now, table, call),
        ("now", ["table", table, id]) => table::one(now, table, id, call),
        ("now", ["attachment", below @ ..]) => table::attachment(now, below, call),
        ("change", ["change", below @ ..]) => change::answer(now, below, call),
        _ => return Reply::empty(501),
    };
    done.unwrap_or_else(refuse)
}

/// Without these the vendor answers 400; a file's download takes any Accept.
fn headers(call: &Call, rest: &[&str]) -> Result<(), Refused> {
    let accept = call.header("accept").unwrap_or("");
    if !accept.contains("json") && !accept.contains("*/*") && rest.last() != Some(&"file") {
        return Err(refused(
            400,
            "Requested content type is not supported",
            "Accept: application/json is wanted",
        ));
    }
    if !call.body.is_empty() && call.header("content-type").is_none() {
        return Err(refused(
            400,
            "Content-Type missing",
            "Content-Type: application/json is wanted",
        ));
    }
    Ok(())
}

/// Whether the caller may write; `None` is nobody.
fn rights(now: &Servicenow, world: &World, call: &Call) -> Option<bool> {
    if let Some(key) = call.header("x-sn-apikey") {
        return world.credential(NAME, key).map(|c| c.write);
    }
    let header = call.header("authorization")?;
    if let Some(basic) = header.strip_prefix("Basic ") {
        let pair = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        return world
            .credential(NAME, password)
            .filter(|_| user == USER)
            .map(|c| c.write);
    }
    let token = header.strip_prefix("Bearer ")?;
    match now.tokens.get(token) {
        Some((until, write)) => (*until > call.now).then_some(*write),
        None => world.credential(NAME, token).map(|c| c.write),
    }
}

/// Both grants of `/oauth_token.do`: client credentials, and password (which also gives a refresh token).
fn token(now: &mut Servicenow, world: &World, call: &Call) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let denied = Reply::json(
        401,
        &json!({"error_description": "access_denied", "error": "server_error"}),
    );
    let Some(client) = world.credential(NAME, field("client_secret")) else {
        return denied;
    };
    let write = match field("grant_type") {
        "client_credentials" => client.write,
        "password" => match world.credential(NAME, field("password")) {
            Some(c) if field("username") == USER => c.write,
            _ => return denied,
        },
        "refresh_token" if field("refresh_token").starts_with("refresh-") => client.write,
        _ => return denied,
    };
    if field("client_id") != CLIENT {
        return denied;
    }
    let secret = hex::encode(Sha256::digest(format!(
        "{} {} {}",
        now.tokens.len(),
        client.secret,
        call.now
    )));
    let mut body = json!({"access_token": secret, "scope": "useraccount", "token_type": "Bearer", "expires_in": LIFE});
    if field("grant_type") != "client_credentials" {
        body["refresh_token"] = json!(format!("refresh-{secret}"));
    }
    now.tokens.insert(secret, (call.now + Duration::seconds(LIFE), write));
    Reply::json(200, &body)
}

/// `incident` and `change_request` as lists of columns; `number` is required, everything else has the vendor's default.
fn load(world: &mut World, given: &Value) -> Result<(), String> {
    let mut now = Servicenow::default();
    table::furnish(&mut now);
    for (key, rows) in given.as_object().into_iter().flatten() {
        if !["incident", "change_request"].contains(&key.as_str()) {
            return Err(format!("servicenow: unknown key {key}"));
        }
        for row in rows
            .as_array()
            .ok_or_else(|| format!("servicenow.{key}: a list is wanted"))?
        {
            let mut row: Row = serde_json::from_value(row.clone()).map_err(|e| format!("servicenow.{key}: {e}"))?;
            if !row.contains_key("number") {
                return Err(format!("servicenow.{key}: number is required"));
            }
            table::default(&mut row, key, world.now);
            let id = row
                .get("sys_id")
                .cloned()
                .unwrap_or_else(|| now.fresh_id(key, world.now));
            row.insert("sys_id".into(), id.clone());
            now.tables.entry(key.clone()).or_default().insert(id, row);
        }
    }
    world.servicenow = now;
    Ok(())
}

fn state(world: &World) -> Value {
    let now = &world.servicenow;
    let mut all = json!({"change_request": {}, "incident": {}, "properties": now.properties});
    for (table, rows) in now.tables.iter().filter(|(t, _)| !table::FIXED.contains(&t.as_str())) {
        all[table] = json!(rows);
    }
    all
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    if list == "properties" {
        return world.servicenow.properties.get(id).map(|v| json!(v));
    }
    world.servicenow.tables.get(list)?.get(id).map(|row| json!(row))
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    if list == "properties" {
        return merge::restore(&mut world.servicenow.properties, id, entry);
    }
    merge::restore(world.servicenow.tables.entry(list.into()).or_default(), id, entry)
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let at = world.now;
    for (list, part) in patch.as_object().ok_or("servicenow: an object is wanted")? {
        let now = &mut world.servicenow;
        let changed = if list == "properties" {
            merge::entries(&mut now.properties, part, |_| json!(""))?
        } else if table::columns(list).is_some() {
            let made = |id: &str| {
                let mut row = Row::from([
                    ("sys_id".to_owned(), id.to_owned()),
                    ("number".to_owned(), id.to_owned()),
                ]);
                table::default(&mut row, list, at);
                json!(row)
            };
            merge::entries(now.tables.entry(list.clone()).or_default(), part, made)?
        } else {
            return Err(format!("servicenow: unknown key {list}"));
        };
        for id in changed {
            world.touch(NAME, list, &id);
        }
    }
    Ok(())
}

fn tick(world: &mut World, now: DateTime<Utc>) {
    world.servicenow.tokens.retain(|_, (until, _)| *until > now);
}

fn endpoints(world: &World, _origin: &str) -> Value {
    let all = world
        .credentials
        .iter()
        .find(|c| c.name == "servicenow.all")
        .map(|c| c.secret.clone());
    json!({"username": USER, "password": all, "client_id": CLIENT, "client_secret": all})
}

/// The name by which faults hit a call.
fn operation(_: &World, call: &Call) -> Option<String> {
    let parts = call.parts();
    let rest: &[&str] = match parts[..] {
        ["api", "now", "v1" | "v2", ref rest @ ..] | ["api", "now", ref rest @ ..] => rest,
        ["api", "sn_chg_rest", ref rest @ ..] => rest,
        ["oauth_token.do"] => return Some("fetch-token".into()),
        _ => return None,
    };
    let name = match (call.method.as_str(), rest) {
        ("POST", ["table", "incident"]) => "create-incident",
        ("POST", ["table", _] | ["change", ..] | ["v1", "change", ..]) => "create-record",
        ("PATCH" | "PUT", ["table", ..] | ["change", ..]) => match call.json().map(|b| b["state"].clone()) {
            Some(Value::String(state)) if state == "3" => "close-record",
            Some(Value::String(state)) => return Some(format!("move-record:{state}")),
            _ => "update-record",
        },
        ("DELETE", ["table", ..]) => "delete-record",
        ("POST", ["attachment", ..]) => "attach-manifest",
        ("GET", ["attachment", ..]) => "list-attachments",
        ("GET", ["table", table]) => return Some(format!("find-record:{table}")),
        ("GET", _) => "read-record",
        _ => return None,
    };
    Some(name.into())
}
