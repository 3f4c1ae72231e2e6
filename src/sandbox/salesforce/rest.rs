//! `/services/data/vNN.0/`: who may come in, the resources, and the composite ones, which are many calls in one.

use serde_json::{Value, json};

use super::{DAILY, NAME, Org, Refused, Right, VERSIONS, people, query, refused, rows, write};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

pub(super) fn versions() -> Reply {
    let all = VERSIONS.map(|(v, label)| json!({"label": label, "url": format!("/services/data/v{v}"), "version": v}));
    Reply::json(200, &json!(all))
}

pub(super) fn answer(org: &mut Org, world: &World, version: &str, rest: &[&str], call: &Call) -> Reply {
    org.used += 1;
    let rest = rest.strip_suffix(&[""]).unwrap_or(rest);
    let reply = match (known(version), right(org, world, call)) {
        (true, Some(right)) => route(org, &right, version, rest, call),
        (false, _) => nothing().reply(),
        (_, None) => refused(401, "INVALID_SESSION_ID", "Session expired or invalid").reply(),
    };
    reply.with("sforce-limit-info", format!("api-usage={}/{DAILY}", org.used))
}

fn known(version: &str) -> bool {
    version
        .strip_prefix('v')
        .is_some_and(|v| VERSIONS.iter().any(|(known, _)| *known == v))
}

fn nothing() -> Refused {
    refused(404, "NOT_FOUND", "The requested resource does not exist")
}

/// Whose session it is. The integration user's own freeze ends what it may do here.
fn right(org: &Org, world: &World, call: &Call) -> Option<Right> {
    let token = call.header("authorization")?.strip_prefix("Bearer ")?;
    let write = match org.minted.get(token) {
        Some(write) => *write,
        None => world.credential(NAME, token)?.write,
    };
    let us = org.users.values().find(|u| u.username == people::INTEGRATION);
    let us = us.filter(|u| u.active && !u.frozen)?;
    let told = |manner: &str| world.manners.get(NAME).is_some_and(|m| m.contains(manner));
    Some(Right {
        user: us.id.clone(),
        write,
        customize: !told("tokens-hidden"),
        manage_users: !told("setup-hidden"),
    })
}

fn route(org: &mut Org, right: &Right, version: &str, rest: &[&str], call: &Call) -> Reply {
    match (call.method.as_str(), rest) {
        ("GET", ["limits"]) => {
            let left = DAILY.saturating_sub(org.used);
            Reply::json(200, &json!({"DailyApiRequests": {"Max": DAILY, "Remaining": left}}))
        }
        ("GET", ["query"]) => query::answer(match call.param("q") {
            Some(text) => query::run(org, right, text, query::size(call), version),
            None => Err(refused(400, "MALFORMED_QUERY", "A query string has to be specified")),
        }),
        ("GET", ["query", locator]) => query::answer(query::more(org, locator, version)),
        (method, ["sobjects", object, id]) => {
            let body = call.json();
            let (status, body) = one(org, right, version, method, object, id, body.as_ref());
            reply(status, body)
        }
        ("POST", ["composite"]) => composite(org, right, version, call),
        ("PATCH", ["composite", "sobjects"]) => collection(org, right, call),
        ("DELETE", ["composite", "sobjects"]) => deletions(org, right, call),
        _ => nothing().reply(),
    }
}

fn reply(status: u16, body: Value) -> Reply {
    if body.is_null() {
        Reply::empty(status)
    } else {
        Reply::json(status, &body)
    }
}

fn one(
    org: &mut Org,
    right: &Right,
    version: &str,
    method: &str,
    object: &str,
    id: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let done = match method {
        "GET" => {
            let row = rows::object(object).and_then(|o| query::retrieve(org, right, o, id, version));
            return match row {
                Some(row) => (200, row),
                None => refuse(&nothing()),
            };
        }
        "PATCH" => match body {
            Some(body) => write::update(org, right, object, id, body),
            None => Err(refused(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body is required, but this request has no entity body.",
            )),
        },
        "DELETE" => write::delete(org, right, object, id),
        _ => Err(refused(
            405,
            "METHOD_NOT_ALLOWED",
            &format!("HTTP Method '{method}' not allowed. Allowed are HEAD,GET,PATCH,DELETE"),
        )),
    };
    match done {
        Ok(()) => (204, Value::Null),
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &Refused) -> (u16, Value) {
    (why.status, why.body())
}

/// 25 calls in one, at most 5 of them queries. 200 whatever became of them.
fn composite(org: &mut Org, right: &Right, version: &str, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let Some(parts) = body["compositeRequest"].as_array() else {
        return refused(400, "JSON_PARSER_ERROR", "compositeRequest is missing").reply();
    };
    let is_query = |p: &&Value| p["url"].as_str().is_some_and(|u| u.contains("/query"));
    let over = parts.len() > 25 || parts.iter().filter(is_query).count() > 5;
    let names: Vec<&str> = parts.iter().filter_map(|p| p["referenceId"].as_str()).collect();
    let word = |n: &&str| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if over || names.len() != parts.len() || !names.iter().all(word) {
        return refused(
            400,
            "INVALID_INPUT",
            "at most 25 subrequests, 5 of them queries, each with a referenceId",
        )
        .reply();
    }
    let before = Kept::of(org);
    let mut results: Vec<(u16, Value)> = parts.iter().map(|p| part(org, right, version, p)).collect();
    let failed = results.iter().any(|(status, _)| *status >= 400);
    if body["allOrNone"] == true && failed {
        before.back(org);
        let halted = refused(
            400,
            "PROCESSING_HALTED",
            "The transaction was rolled back since another operation in the same transaction failed.",
        );
        for result in results.iter_mut().filter(|(status, _)| *status < 400) {
            *result = refuse(&halted);
        }
    }
    let shown: Vec<Value> = results
        .into_iter()
        .zip(names)
        .map(|((status, body), name)| {
            json!({"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name})
        })
        .collect();
    Reply::json(200, &json!({ "compositeResponse": shown }))
}

fn part(org: &mut Org, right: &Right, version: &str, part: &Value) -> (u16, Value) {
    let url = part["url"].as_str().unwrap_or_default();
    let (path, search) = url.split_once('?').unwrap_or((url, ""));
    let method = part["method"].as_str().unwrap_or_default();
    let names: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["services", "data", v, rest @ ..] = names.as_slice() else {
        return refuse(&nothing());
    };
    if !known(v) {
        return refuse(&nothing());
    }
    match (method, rest) {
        ("GET", ["query"]) => {
            let q = url::form_urlencoded::parse(search.as_bytes()).find(|(k, _)| k == "q");
            let text = q.map(|(_, v)| v.into_owned()).unwrap_or_default();
            match query::run(org, right, &text, 2000, version) {
                Ok(body) => (200, body),
                Err(why) => refuse(&why),
            }
        }
        (method, ["sobjects", object, id]) => one(org, right, version, method, object, id, part.get("body")),
        _ => refuse(&nothing()),
    }
}

/// What a transaction may have to put back.
struct Kept {
    users: std::collections::BTreeMap<String, super::User>,
    sessions: std::collections::BTreeMap<String, super::Session>,
    assignments: std::collections::BTreeMap<String, super::Assignment>,
    records: std::collections::BTreeMap<String, super::Record>,
}

impl Kept {
    fn of(org: &Org) -> Kept {
        Kept {
            users: org.users.clone(),
            sessions: org.sessions.clone(),
            assignments: org.assignments.clone(),
            records: org.records.clone(),
        }
    }
    fn back(self, org: &mut Org) {
        (org.users, org.sessions) = (self.users, self.sessions);
        (org.assignments, org.records) = (self.assignments, self.records);
    }
}

/// In collections a refusal says `statusCode`, not `errorCode`.
fn outcome(id: &str, done: Result<(), Refused>) -> Value {
    match done {
        Ok(()) => json!({"id": id, "success": true, "errors": []}),
        Err(why) => {
            json!({"success": false, "errors": [{"statusCode": why.code, "message": why.message, "fields": why.fields}]})
        }
    }
}

fn collection(org: &mut Org, right: &Right, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let Some(records) = body["records"].as_array().filter(|r| r.len() <= 200) else {
        return refused(400, "INVALID_INPUT", "up to 200 records are wanted").reply();
    };
    let mut out = Vec::new();
    for record in records {
        let mut fields = record.clone();
        let kind = record["attributes"]["type"].as_str().unwrap_or_default();
        let id = record["id"].as_str().unwrap_or_default();
        if let Some(map) = fields.as_object_mut() {
            map.retain(|k, _| k != "attributes" && k != "id");
        }
        out.push(outcome(id, write::update(org, right, kind, id, &fields)));
    }
    Reply::json(200, &out.into())
}

fn deletions(org: &mut Org, right: &Right, call: &Call) -> Reply {
    let ids: Vec<&str> = call.param("ids").unwrap_or_default().split(',').collect();
    if ids.len() > 200 {
        return refused(400, "INVALID_INPUT", "up to 200 ids are wanted").reply();
    }
    let kind = |id: &str| match id.get(..3) {
        Some("0Ak") => "AuthSession",
        Some("0Pa") => "PermissionSetAssignment",
        Some("2LA") => "PermissionSetLicenseAssign",
        Some("011") => "GroupMember",
        _ => "User",
    };
    let out: Vec<Value> = ids
        .iter()
        .map(|id| outcome(id, write::delete(org, right, kind(id), id)))
        .collect();
    Reply::json(200, &out.into())
}

/// The name by which faults hit a call; of a query, what it asks about.
pub(super) fn operation(_: &World, call: &Call) -> Option<String> {
    let parts = call.parts();
    let rest = match parts[..] {
        ["services", "oauth2", "token"] => return Some("fetch-token".into()),
        ["services", "oauth2", "revoke"] => return Some("revoke-client-tokens".into()),
        ["services", "data", _, ref rest @ ..] => rest.strip_suffix(&[""]).unwrap_or(rest),
        _ => return None,
    };
    let name = match (call.method.as_str(), rest) {
        ("GET", ["limits"]) => "read-limits",
        ("GET", ["query", _]) => "list-accounts",
        ("GET", ["query"]) => {
            let q = call.param("q").unwrap_or_default();
            let has = |text: &str| q.contains(text);
            if has("FROM Organization") {
                "read-tenant"
            } else if has("FROM UserLogin") {
                "read-login"
            } else if has("FROM AuthSession") {
                "list-sessions"
            } else if has("FROM OauthToken") {
                "list-tokens"
            } else if has("FROM PermissionSet") {
                "list-roles"
            } else if has("FROM GroupMember") {
                "list-groups"
            } else if has("FROM User ") && has("ORDER BY") {
                "list-accounts"
            } else if has("FROM User ") {
                "find-account"
            } else {
                "list-owned"
            }
        }
        ("GET", ["sobjects", ..]) => "read-account",
        ("PATCH", ["sobjects", "UserLogin", _]) => match call.json()?["IsFrozen"].as_bool() {
            Some(false) => "unfreeze",
            _ => "freeze",
        },
        ("PATCH", ["sobjects", "User", _]) => match call.json()?["IsActive"].as_bool() {
            Some(true) => "activate",
            _ => "deactivate",
        },
        ("DELETE", ["sobjects", "AuthSession", _]) => "clear-sessions",
        ("DELETE", ["sobjects", "PermissionSetAssignment", _]) => "revoke-role",
        ("DELETE", ["sobjects", "PermissionSetLicenseAssign", _]) => "release-seat",
        ("DELETE", ["sobjects", "GroupMember", _]) => "remove-member",
        ("POST", ["composite"]) => "clear-sessions",
        _ => return None,
    };
    Some(name.into())
}
