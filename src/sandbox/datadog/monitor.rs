//! Monitors: the server rewrites what it is given, and creating twice makes two.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{Datadog, error};
use crate::sandbox::{
    merge,
    twin::{Call, Reply},
};

pub(super) fn answer(dog: &mut Datadog, below: &[&str], call: &Call) -> Reply {
    match (call.method.as_str(), below) {
        ("GET", []) => list(dog, call),
        ("POST", []) => match checked(call) {
            Ok(body) => create(dog, &body, call),
            Err(reply) => reply,
        },
        ("POST", ["validate"]) => match checked(call) {
            Ok(_) => Reply::json(200, &json!({})),
            Err(reply) => reply,
        },
        (method, [id]) => {
            let Some(there) = dog.monitors.get(*id).cloned() else {
                return error(404, "Monitor not found");
            };
            match method {
                "GET" => Reply::json(200, &there),
                "PUT" => {
                    let Some(body) = call.json().filter(Value::is_object) else {
                        return error(400, "Invalid JSON");
                    };
                    let mut changed = there;
                    merge::merge(&mut changed, &body);
                    changed["modified"] = json!(call.now.to_rfc3339_opts(SecondsFormat::Micros, false));
                    dog.monitors.insert((*id).into(), changed.clone());
                    dog.touch("monitors", id);
                    Reply::json(200, &changed)
                }
                "DELETE" => {
                    dog.monitors.remove(*id);
                    dog.touch("monitors", id);
                    Reply::json(200, &json!({"deleted_monitor_id": there["id"]}))
                }
                _ => Reply::empty(501),
            }
        }
        _ => Reply::empty(501),
    }
}

/// A query is `…(window):… operator number`.
fn checked(call: &Call) -> Result<Value, Reply> {
    let body = call
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| error(400, "Invalid JSON"))?;
    let Some(query) = body["query"].as_str() else {
        return Err(error(400, "Missing required attribute: query"));
    };
    if body["type"].as_str().is_none() {
        return Err(error(400, "Missing required attribute: type"));
    }
    let threshold = [" > ", " >= ", " < ", " <= "].iter().find_map(|o| query.rsplit_once(o));
    match threshold.map(|(_, n)| n.trim().parse::<f64>()) {
        Some(Ok(_)) => Ok(body),
        _ => Err(error(
            400,
            "The value provided for parameter 'query' is invalid: invalid operator specified: ",
        )),
    }
}

fn create(dog: &mut Datadog, body: &Value, call: &Call) -> Reply {
    let highest = dog.monitors.keys().filter_map(|id| id.parse::<u64>().ok()).max();
    let id = highest.unwrap_or(107_235_709) + 1;
    let at = call.now.to_rfc3339_opts(SecondsFormat::Micros, false);
    let kind = match body["type"].as_str() {
        Some("metric alert") | None => "query alert",
        Some(other) => other,
    };
    let mut options = json!({"notify_no_data": false, "notify_audit": false, "new_host_delay": 300, "include_tags": true, "silenced": {}});
    merge::merge(&mut options, &body["options"]);
    let text = |key: &str| body[key].as_str().unwrap_or("");
    let tags = if body["tags"].is_array() {
        body["tags"].clone()
    } else {
        json!([])
    };
    let monitor = json!({"id": id, "org_id": 321_813, "type": kind, "name": text("name"), "message": text("message"), "tags": tags,
        "query": text("query"), "options": options, "multi": false, "created_at": call.now.timestamp_millis(), "created": at,
        "modified": at, "deleted": null, "restricted_roles": null, "priority": body["priority"], "overall_state_modified": null,
        "overall_state": "No Data",
        "creator": {"name": null, "handle": "jml@acme.example", "email": "jml@acme.example", "id": 1_445_416}});
    dog.monitors.insert(id.to_string(), monitor.clone());
    dog.touch("monitors", &id.to_string());
    Reply::json(200, &monitor)
}

/// A bare array; the page after the last is empty.
fn list(dog: &Datadog, call: &Call) -> Reply {
    let wanted: Vec<&str> = call
        .param("monitor_tags")
        .unwrap_or("")
        .split(',')
        .filter(|t| !t.is_empty())
        .collect();
    let tagged = |m: &Value| {
        wanted
            .iter()
            .all(|w| m["tags"].as_array().is_some_and(|t| t.iter().any(|t| t == w)))
    };
    let named = |m: &Value| {
        call.param("name")
            .is_none_or(|n| m["name"].as_str().is_some_and(|have| have.contains(n)))
    };
    let found = dog.monitors.values().filter(|m| tagged(m) && named(m));
    let number = |name: &str| call.param(name).and_then(|v| v.parse::<usize>().ok());
    let size = number("page_size").unwrap_or(100).clamp(1, 1000);
    let page: Vec<&Value> = match number("page") {
        Some(n) => found.skip(n * size).take(size).collect(),
        None => found.collect(),
    };
    Reply::json(200, &json!(page))
}
