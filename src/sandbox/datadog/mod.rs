//! The twin of Datadog: events (v1 and v2), series, distribution points, monitors. Both of the vendor's hosts on one port.
//!
//! Written from the vendor's OpenAPI and recorded traffic. A late point is accepted and dropped, as there: `GET /state` shows what was
//! kept. Compressed bodies are refused.

mod monitor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{
    credentials::hex,
    merge,
    shape::Shape,
    twin::{Call, Reply, Twin, blank, reason},
    world::{Credential, World},
};

const NAME: &str = "datadog";
const MAX_PAYLOAD: usize = 512_000;
/// Real ids are larger than 2^53.
const FIRST_ID: u64 = 6_327_818_702_635_911_000;

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
    given: Some(&Shape::Table(&[])),
    secret: |right, random| hex(random, if APP_KEYS.contains(&right) { 40 } else { 32 }),
    more: APP_KEYS,
    files: &["monitor"],
    record: |w, right| {
        let keys = |api, app| Some(json!({"api_key": w.secret(api), "app_key": w.secret(app)}).to_string());
        match right {
            "read" => keys("datadog.read", "datadog.app"),
            "monitor" => keys("datadog.write", "datadog.monitor"),
            _ => None,
        }
    },
    // The firm keeps these in Vault, where it has one.
    section: |w| match w.vault {
        Some(_) => {
            json!({"read": "vault:jml/prod/datadog", "write": "vault:jml/prod-write/datadog#api_key",
                "write_monitor": "file:datadog.monitor"})
        }
        None => json!({"write_monitor": "file:datadog.monitor"}),
    },
    refusal: |_, status| Reply::json(status, &json!({"errors": [reason(status)]})).again("x-ratelimit-reset", "2"),
    ..blank(NAME)
};

/// Application keys: `app` has monitors_read and events_read, `monitor` monitors_write beside them.
const APP_KEYS: &[&str] = &["app", "monitor"];

#[derive(Default)]
pub struct Datadog {
    /// By number in order of arrival; the state shows lists.
    pub events: BTreeMap<String, Value>,
    /// One entry a stored point.
    pub metrics: BTreeMap<String, Value>,
    pub monitors: BTreeMap<String, Value>,
    changed: Vec<(&'static str, String)>,
}

pub(super) fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"errors": [text]}))
}

impl Datadog {
    fn touch(&mut self, list: &'static str, id: &str) {
        self.changed.push((list, id.into()));
    }
    fn keep(&mut self, list: &'static str, entry: Value) {
        let rows = if list == "events" {
            &mut self.events
        } else {
            &mut self.metrics
        };
        let id = format!(
            "{:08}",
            rows.last_key_value()
                .and_then(|(k, _)| k.parse::<u64>().ok())
                .unwrap_or(0)
                + 1
        );
        rows.insert(id.clone(), entry);
        self.touch(list, &id);
    }
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let mut dog = std::mem::take(&mut world.datadog);
    let reply = route(&mut dog, world, call);
    let changed = std::mem::take(&mut dog.changed);
    world.datadog = dog;
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    reply
}

fn route(dog: &mut Datadog, world: &World, call: &Call) -> Reply {
    let parts = call.parts();
    let (method, parts) = (call.method.as_str(), &parts[..]);
    if !matches!(parts, ["api", "v1" | "v2", ..]) {
        return Reply::empty(501);
    }
    let key = call.header("dd-api-key").unwrap_or("");
    let Some(credential) = world.credential(NAME, key) else {
        return match (parts, key) {
            (["api", "v1", "validate"], "") => error(403, "API key required"),
            (["api", "v1", "validate"], _) => Reply::json(
                403,
                &json!({"status": "error", "code": 403, "errors": ["Forbidden"], "statuspage": "http://status.datadoghq.com",
                    "twitter": "http://twitter.com/datadogops", "email": "support@datadoghq.com"}),
            ),
            _ => error(403, "Forbidden"),
        };
    };
    if method != "GET" && !credential.write {
        return error(403, "Forbidden");
    }
    let reads = !matches!(
        (method, parts),
        ("GET", ["api", "v1", "validate"])
            | (
                "POST",
                ["api", "v1", "events" | "distribution_points"] | ["api", "v2", "events" | "series"]
            )
    );
    let app = call.header("dd-application-key").unwrap_or("");
    let writes = method != "GET" && matches!(parts, ["api", "v1", "monitor", ..]);
    let may = |c: &Credential| match c.name.as_str() {
        "datadog.monitor" => true,
        "datadog.app" => !writes,
        _ => false,
    };
    if reads && !world.credential(NAME, app).is_some_and(may) {
        return error(
            if app.is_empty() { 401 } else { 403 },
            if app.is_empty() { "Unauthorized" } else { "Forbidden" },
        );
    }
    match (method, parts) {
        ("GET", ["api", "v1", "validate"]) => Reply::json(200, &json!({"valid": true})),
        ("POST", ["api", "v1", "events"]) => event_1(dog, call),
        ("GET", ["api", "v1", "events", id]) => match dog.events.values().find(|e| e["id_str"] == *id) {
            Some(e) => Reply::json(200, &json!({"event": e})),
            None => error(404, "Event not found"),
        },
        ("POST", ["api", "v2", "events"]) => event_2(dog, call),
        ("POST", ["api", "v2", "events", "search"]) => search(dog, call),
        ("POST", ["api", "v2", "series"]) => series(dog, call),
        ("POST", ["api", "v1", "distribution_points"]) => distribution(dog, call),
        (_, ["api", "v1", "monitor", below @ ..]) => monitor::answer(dog, below, call),
        _ => Reply::empty(501),
    }
}

/// The body of a submission: JSON, not too long.
fn body(call: &Call) -> Result<Value, Reply> {
    if call.body.len() > MAX_PAYLOAD {
        return Err(error(413, "Payload too big"));
    }
    call.json()
        .filter(Value::is_object)
        .ok_or_else(|| error(400, "Payload is not in the expected format"))
}

fn plain(status: u16, text: &str) -> Reply {
    let body = json!({"errors": [text]}).to_string().into_bytes();
    Reply {
        status,
        headers: vec![("content-type".into(), "text/plain; charset=utf-8".into())],
        body,
    }
}

/// The same event twice is two events. `id` has already lost its digits, `id_str` has them.
fn event_1(dog: &mut Datadog, call: &Call) -> Reply {
    let b = match body(call) {
        Ok(b) => b,
        Err(r) => return r,
    };
    let (Some(title), Some(text)) = (b["title"].as_str(), b["text"].as_str()) else {
        return error(400, "Both 'title' and 'text' are required");
    };
    if text.chars().count() > 4000 || b["aggregation_key"].as_str().is_some_and(|k| k.chars().count() > 100) {
        return error(400, "The payload's text or aggregation_key is too long");
    }
    let at = b["date_happened"].as_i64().unwrap_or_else(|| call.now.timestamp());
    if call.now.timestamp() - at > 18 * 3600 {
        return plain(400, "Event too far in the past");
    }
    if at - call.now.timestamp() > 2 * 3600 {
        return plain(400, "Event too far in the future");
    }
    let id = FIRST_ID + dog.events.len() as u64 * 2077 + 562;
    let event = json!({"id": id / 1000 * 1000, "id_str": id.to_string(), "title": title, "text": text, "date_happened": at, "handle": null,
        "priority": b["priority"], "related_event_id": null, "tags": b["tags"],
        "url": format!("https://app.datadoghq.com/event/event?id={id}")});
    let mut kept = event.clone();
    for key in ["alert_type", "aggregation_key", "source_type_name"] {
        kept[key] = b[key].clone();
    }
    dog.keep("events", kept);
    Reply::json(202, &json!({"status": "ok", "event": event}))
}

/// Here `errors` are objects.
fn invalid(detail: &str) -> Reply {
    let text = format!("JSON validation failed at {detail}");
    Reply::json(
        400,
        &json!({"errors": [{"status": "400", "title": "Bad Request", "detail": text}]}),
    )
}

fn event_2(dog: &mut Datadog, call: &Call) -> Reply {
    let b = match body(call) {
        Ok(b) => b,
        Err(r) => return r,
    };
    let a = &b["data"]["attributes"];
    let length = |v: &Value| v.as_str().map_or(0, |s| s.chars().count());
    if !["alert", "change"].iter().any(|c| a["category"] == *c) {
        return invalid("$.data.attributes.category: value must be one of: [\"alert\", \"change\"].");
    }
    for (key, most, required) in [
        ("title", 500, true),
        ("message", 4000, false),
        ("aggregation_key", 100, false),
    ] {
        if (required || !a[key].is_null()) && !(1..=most).contains(&length(&a[key])) {
            return invalid(&format!(
                "$.data.attributes.{key}: length must be between 1 and {most}."
            ));
        }
    }
    if a["tags"].as_array().is_some_and(|t| t.is_empty() || t.len() > 100) {
        return invalid("$.data.attributes.tags: there must be between 1 and 100 items.");
    }
    if let Some(at) = a["timestamp"].as_str() {
        match DateTime::parse_from_rfc3339(at) {
            Ok(at) if call.now - at.to_utc() <= Duration::hours(18) => {}
            _ => return invalid("$.data.attributes.timestamp: must be at most 18 hours old."),
        }
    }
    if a["category"] == "alert" && !["ok", "warn", "error"].iter().any(|s| a["attributes"]["status"] == *s) {
        return invalid("$.data.attributes.attributes.status: value must be one of: [\"warn\", \"error\", \"ok\"].");
    }
    let n = dog.events.len() as u64;
    let uid = format!("AZsKLCxv{n:016X}");
    let mut kept = a.clone();
    kept["uid"] = json!(uid);
    dog.keep("events", kept);
    let evt = json!({"id": (FIRST_ID + n * 2077).to_string(), "uid": uid});
    Reply::json(
        202,
        &json!({"data": {"attributes": {"attributes": {"evt": evt}}, "id": "_", "type": "event"},
            "links": {"self": format!("https://app.datadoghq.com/event/event?uid={uid}")}}),
    )
}

/// Finds `service:x` among the tags and `@aggregation_key:x`; other words of the query must occur in title or text.
fn search(dog: &Datadog, call: &Call) -> Reply {
    let b = match body(call) {
        Ok(b) => b,
        Err(r) => return r,
    };
    let words: Vec<&str> = b["filter"]["query"].as_str().unwrap_or("").split_whitespace().collect();
    let fits = |e: &Value| {
        words.iter().all(|w| match w.strip_prefix("@aggregation_key:") {
            Some(key) => e["aggregation_key"] == key,
            None if w.contains(':') => e["tags"].as_array().is_some_and(|t| t.iter().any(|t| t == w)),
            None => [&e["title"], &e["text"], &e["message"]]
                .iter()
                .any(|v| v.as_str().is_some_and(|s| s.contains(*w))),
        })
    };
    let limit = b["page"]["limit"].as_u64().unwrap_or(10) as usize;
    let data: Vec<Value> = dog
        .events
        .iter()
        .filter(|(_, e)| fits(e))
        .take(limit)
        .map(|(id, e)| json!({"id": id, "type": "event", "attributes": {"tags": e["tags"], "attributes": e}}))
        .collect();
    Reply::json(200, &json!({"data": data}))
}

/// Well-formed points are accepted; those older than an hour or more than ten minutes ahead are then dropped without a word.
fn series(dog: &mut Datadog, call: &Call) -> Reply {
    let b = match body(call) {
        Ok(b) => b,
        Err(r) => return r,
    };
    let Some(all) = b["series"].as_array().filter(|s| !s.is_empty()) else {
        return error(400, "Missing series");
    };
    let mut points = Vec::new();
    for s in all {
        let (Some(metric), Some(list)) = (s["metric"].as_str(), s["points"].as_array()) else {
            return error(400, "Payload is not in the expected format");
        };
        for p in list {
            let (Some(at), Some(value)) = (p["timestamp"].as_i64(), p["value"].as_f64()) else {
                return error(400, "Payload is not in the expected format");
            };
            points.push(json!({"metric": metric, "type": s["type"], "unit": s["unit"], "tags": s["tags"], "timestamp": at, "value": value}));
        }
    }
    for p in points {
        let age = call.now.timestamp() - p["timestamp"].as_i64().unwrap_or(0);
        if !(-600..=3600).contains(&age) {
            continue;
        }
        // Same metric, tags and second: the later one stands.
        let same = |old: &Value| ["metric", "tags", "timestamp"].iter().all(|k| old[*k] == p[*k]);
        match dog.metrics.iter().find(|(_, old)| same(old)).map(|(id, _)| id.clone()) {
            Some(id) => {
                dog.metrics.insert(id.clone(), p);
                dog.touch("metrics", &id);
            }
            None => dog.keep("metrics", p),
        }
    }
    Reply::json(202, &json!({"errors": []}))
}

/// Every value is kept: sent twice, it counts twice.
fn distribution(dog: &mut Datadog, call: &Call) -> Reply {
    let b = match body(call) {
        Ok(b) => b,
        Err(r) => return r,
    };
    let Some(all) = b["series"].as_array() else {
        return error(400, "Missing series");
    };
    for s in all {
        for p in s["points"].as_array().into_iter().flatten() {
            let at = p[0].as_f64().unwrap_or(0.0) as i64;
            if (-600..=3600).contains(&(call.now.timestamp() - at)) {
                dog.keep("metrics", json!({"metric": s["metric"], "type": "distribution", "tags": s["tags"], "timestamp": at, "value": p[1]}));
            }
        }
    }
    Reply::json(202, &json!({"status": "ok"}))
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if let Some(key) = given.as_object().and_then(|o| o.keys().next()) {
        return Err(format!("datadog: unknown key {key}"));
    }
    world.datadog = Datadog::default();
    // The engine's tokens are API keys; reading wants an application key beside one.
    for right in APP_KEYS {
        let name = format!("datadog.{right}");
        if world.secret(&name).is_none() {
            let seed = world.secret("datadog.all").unwrap_or_default();
            let secret = format!("{right}-{seed}");
            world.credentials.push(Credential {
                system: NAME,
                name,
                secret,
                write: true,
            });
        }
    }
    Ok(())
}

fn state(world: &World) -> Value {
    let d = &world.datadog;
    let list = |rows: &BTreeMap<String, Value>| rows.values().cloned().collect::<Vec<_>>();
    json!({"events": list(&d.events), "metrics": list(&d.metrics), "monitors": d.monitors})
}

fn rows<'a>(dog: &'a mut Datadog, list: &str) -> Result<&'a mut BTreeMap<String, Value>, String> {
    match list {
        "events" => Ok(&mut dog.events),
        "metrics" => Ok(&mut dog.metrics),
        "monitors" => Ok(&mut dog.monitors),
        _ => Err(format!("datadog: unknown key {list}")),
    }
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let d = &world.datadog;
    match list {
        "events" => d.events.get(id).cloned(),
        "metrics" => d.metrics.get(id).cloned(),
        "monitors" => d.monitors.get(id).cloned(),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    merge::restore(rows(&mut world.datadog, list)?, id, entry)
}

/// A list is replaced by a list (RFC 7396), or patched by number.
fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    for (key, part) in patch.as_object().ok_or("datadog: an object is wanted")? {
        let there = rows(&mut world.datadog, key)?;
        let changed = match part.as_array() {
            Some(all) => {
                let mut ids: Vec<String> = there.keys().cloned().collect();
                *there = all
                    .iter()
                    .enumerate()
                    .map(|(n, v)| (format!("{:08}", n + 1), v.clone()))
                    .collect();
                ids.extend(there.keys().cloned());
                ids
            }
            None => merge::entries(there, part, |_| json!({}))?,
        };
        for id in changed {
            world.touch(NAME, key, &id);
        }
    }
    Ok(())
}

fn tick(_: &mut World, _: DateTime<Utc>) {}

fn endpoints(world: &World, _origin: &str) -> Value {
    json!({"app_key": world.secret("datadog.monitor")})
}

/// The name by which faults hit a call.
fn operation(_: &World, call: &Call) -> Option<String> {
    let name = match (call.method.as_str(), &call.parts()[..]) {
        ("POST", ["api", "v1" | "v2", "events"]) => "send-event",
        ("POST", ["api", "v2", "series"] | ["api", "v1", "distribution_points"]) => {
            let b = call.json()?;
            return Some(format!("send-metric:{}", b["series"][0]["metric"].as_str()?));
        }
        ("GET", ["api", "v1", "validate"]) => "validate-key",
        ("POST", ["api", "v1", "monitor"]) => "create-monitor",
        ("PUT", ["api", "v1", "monitor", _]) => "update-monitor",
        ("GET", ["api", "v1", "monitor", ..]) => "read-monitor",
        ("GET", ["api", "v1", "events", ..]) | ("POST", ["api", "v2", "events", "search"]) => "read-event",
        _ => return None,
    };
    Some(name.into())
}
