//! The twin of HiBob: the people search, one person, a lifecycle. Written from apidocs.hibob.com and help.hibob.com.
//!
//! A field that nobody asked for, or that isn't granted, is left out without a word. It has no pages, no writes, and no webhooks.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{Tz, UTC};
use serde_json::{Map, Value, json};

use super::{
    staff::{self, Staff},
    twin::{Call, Reply, Twin, blank, reason},
    world::World,
};

const NAME: &str = "hibob";
const USER: &str = "SERVICE-1";
/// Searches a minute.
const SEARCHES: usize = 50;
/// Refused logins a minute before the firewall shuts the address out.
const REFUSED: usize = 10;

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    here: |w| staff::here(w, NAME),
    endpoints: |_, _| json!({ "user": USER }),
    section: |_| json!({"user": USER, "write": null}),
    asks: |method, path, _| method == "POST" && path == "/v1/people/search",
    manners: &["no-lifecycle", "active-scope", "empty", "truncated"],
    operation: |_, call| {
        Some(match call.parts()[..] {
            ["v1", "people", "search"] => "list-people".into(),
            ["v1", "people", _, "lifecycle"] => "read-lifecycle".into(),
            ["v1", "people", _] => "find-person".into(),
            _ => return None,
        })
    },
    refusal: |seen, status| {
        let reset = (seen.now.timestamp() + 2).to_string();
        refusal(status, "sandbox.fault", reason(status)).again("x-ratelimit-reset", reset)
    },
    ..blank(NAME)
};

/// What it counts.
#[derive(Default)]
pub struct Hibob {
    searches: Vec<DateTime<Utc>>,
    refused: Vec<DateTime<Utc>>,
}

fn refusal(status: u16, key: &str, text: &str) -> Reply {
    Reply::json(status, &json!({"key": key, "error": text}))
}

/// Those of the last minute.
fn recent(times: &mut Vec<DateTime<Utc>>, now: DateTime<Utc>) -> usize {
    times.retain(|t| *t + TimeDelta::minutes(1) > now);
    times.len()
}

fn answer(world: &mut World, call: &Call) -> Reply {
    if recent(&mut world.hibob.refused, call.now) >= REFUSED {
        return Reply {
            status: 403,
            headers: vec![("content-type".into(), "text/html".into())],
            body: b"<html><title>Request blocked</title></html>".to_vec(),
        };
    }
    let login = staff::basic(call.header("authorization"));
    let right = |secret: &str| world.credential(NAME, secret).is_some();
    if !login.is_some_and(|(user, token)| user == USER && right(&token)) {
        world.hibob.refused.push(call.now);
        return refusal(401, "unauthorized", "Unauthorized");
    }
    match (call.method.as_str(), &call.parts()[..]) {
        ("POST", ["v1", "people", "search"]) => search(world, call),
        ("POST", ["v1", "people", key]) => one(world, call, key),
        ("GET", ["v1", "people", key, "lifecycle"]) => lifecycle(world, key),
        _ => Reply::empty(501),
    }
}

fn search(world: &mut World, call: &Call) -> Reply {
    let used = recent(&mut world.hibob.searches, call.now);
    let reset = call.now.timestamp() + 60;
    let limited = |reply: Reply, left: usize| {
        reply
            .with("X-RateLimit-Limit", SEARCHES.to_string())
            .with("X-RateLimit-Remaining", left.to_string())
            .with("X-RateLimit-Reset", reset.to_string())
    };
    if used >= SEARCHES {
        return limited(Reply::json(429, &json!({"error": "Too many requests"})), 0);
    }
    world.hibob.searches.push(call.now);
    let body = call.json().unwrap_or_default();
    let mut people = staff::all(world);
    if let Some(filters) = body.get("filters") {
        let invalid = || refusal(400, "validations.invalid", "Invalid filter");
        let Some([filter]) = filters.as_array().map(Vec::as_slice) else {
            return invalid();
        };
        let values: Vec<&str> = filter["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let field = filter["fieldPath"].as_str().unwrap_or_default();
        if filter["operator"] != "equals" || values.is_empty() || !["root.id", "root.email"].contains(&field) {
            return invalid();
        }
        people.retain(|s| match field {
            "root.id" => values.contains(&id(&s.id).as_str()),
            _ => s.email.as_deref().is_some_and(|e| values.contains(&e)),
        });
    }
    let inactive = body["showInactive"] == true && !staff::differs(world, NAME, "active-scope");
    people.retain(|s| inactive || access(s, call.now) == "active");
    if staff::differs(world, NAME, "empty") {
        people.clear();
    }
    let shape = Shape::of(world, &body);
    let rows: Vec<Value> = people
        .iter()
        .enumerate()
        .map(|(i, s)| shape.employee(s, i, call.now))
        .collect();
    let mut reply = Reply::json(200, &json!({ "employees": rows }));
    if staff::differs(world, NAME, "truncated") {
        reply.body.truncate(reply.body.len() / 2);
    }
    limited(reply, SEARCHES - used - 1)
}

fn one(world: &World, call: &Call, key: &str) -> Reply {
    let people = staff::all(world);
    match people.iter().enumerate().find(|(_, s)| is(s, key)) {
        Some((i, s)) => {
            let shape = Shape::of(world, &call.json().unwrap_or_default());
            Reply::json(200, &shape.employee(s, i, call.now))
        }
        None => refusal(404, "not.found", "Not found"),
    }
}

fn is(s: &Staff, key: &str) -> bool {
    id(&s.id) == key || s.email.as_deref() == Some(key)
}

fn lifecycle(world: &World, key: &str) -> Reply {
    let people = staff::all(world);
    let Some(s) = people.iter().find(|s| is(s, key)) else {
        return refusal(404, "not.found", "Not found");
    };
    let mut values = Vec::new();
    if let Some(day) = s.hired {
        values.push(json!({"id": 1, "effectiveDate": day.to_string(), "status": "Employed", "reason": null, "reasonType": null}));
    }
    if let Some(day) = leaves(s) {
        values.push(json!({"id": 2, "effectiveDate": day, "status": "Terminated", "reason": null, "reasonType": null}));
    }
    Reply::json(200, &json!({ "values": values }))
}

/// Digits beyond 2^53, always the same.
fn id(of: &str) -> String {
    format!("33{:017}", staff::hash(of) % 100_000_000_000_000_000)
}

/// Bob's date is the first day out, at whose start the lifecycle changes.
fn leaves(s: &Staff) -> Option<String> {
    Some(s.terminated?.succ_opt()?.to_string())
}

fn lifecycle_word(s: &Staff, now: DateTime<Utc>) -> &'static str {
    let zone: Tz = s.zone.unwrap_or(UTC);
    if s.over(now, zone) || s.rescinded == Some(true) {
        return "terminated";
    }
    if s.starts_later(now, zone) {
        return "hired";
    }
    match s.on_leave {
        true => "leave",
        false if s.last_day.is_some_and(|d| staff::midnight_after(d, zone) <= now) => "gardenLeave",
        false => "employed",
    }
}

/// Access to Bob.
fn access(s: &Staff, now: DateTime<Utc>) -> &'static str {
    match lifecycle_word(s, now) {
        "employed" => "active",
        _ => "inactive",
    }
}

/// What was asked for and is granted.
struct Shape {
    fields: Vec<String>,
    readable: String,
}

/// Without `fields`: nothing internal.
const DEFAULT: [&str; 11] = [
    "root.id",
    "root.email",
    "root.firstName",
    "root.surname",
    "root.displayName",
    "work.startDate",
    "work.title",
    "work.department",
    "work.site",
    "work.reportsTo",
    "work.employeeIdInCompany",
];

impl Shape {
    fn of(world: &World, body: &Value) -> Shape {
        let asked = body["fields"].as_array().filter(|f| !f.is_empty());
        let mut fields: Vec<String> = match asked {
            Some(fields) => fields.iter().filter_map(|f| Some(f.as_str()?.to_owned())).collect(),
            None => DEFAULT.iter().map(|f| (*f).to_owned()).collect(),
        };
        if staff::differs(world, NAME, "no-lifecycle") {
            fields.retain(|f| !f.starts_with("internal."));
        }
        Shape {
            fields,
            readable: body["humanReadable"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn employee(&self, s: &Staff, place: usize, now: DateTime<Utc>) -> Value {
        let mut out = Map::new();
        let mut readable = json!({});
        // The default categories come nested whatever was asked for, as long as anything of theirs was.
        out.insert("id".into(), id(&s.id).into());
        for field in &self.fields {
            let Some((machine, human)) = fact(s, field, place, now) else {
                continue;
            };
            let replaced = self.readable == "REPLACE";
            let shown = if replaced { human.clone() } else { machine };
            out.insert(format!("/{}", field.replace('.', "/")), json!({ "value": shown }));
            let path = field.strip_prefix("root.").unwrap_or(field);
            nest(&mut out, path, shown);
            if let Some(readable) = readable.as_object_mut()
                && path.contains('.')
            {
                nest(readable, path, human);
            }
        }
        if self.readable == "APPEND" {
            out.insert("humanReadable".into(), readable);
        }
        out.into()
    }
}

fn nest(out: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(out.insert(path.into(), value)),
        Some((head, rest)) => {
            let below = out.entry(head).or_insert_with(|| json!({}));
            if let Some(below) = below.as_object_mut() {
                nest(below, rest, value);
            }
        }
    }
}

/// The value, and what a person would read: lists hold ids, dates turn round. `None`: Bob has no such field.
fn fact(s: &Staff, field: &str, place: usize, now: DateTime<Utc>) -> Option<(Value, Value)> {
    let same = |text: String| (Value::from(text.clone()), Value::from(text));
    let or_null = |text: Option<String>| text.map_or((Value::Null, Value::Null), same);
    let listed = |text: &str| match text {
        "" => (Value::Null, Value::Null),
        _ => ((staff::hash(text) % 1_000_000_000).to_string().into(), text.into()),
    };
    let date = |day: Option<String>| match day {
        None => (Value::Null, Value::Null),
        Some(day) => {
            let turned = day.split('-').rev().collect::<Vec<_>>().join("/");
            (day.into(), turned.into())
        }
    };
    let word = lifecycle_word(s, now);
    Some(match field {
        "root.id" => same(id(&s.id)),
        "root.email" => or_null(s.email.clone()),
        "root.firstName" => same(s.first.clone()),
        "root.surname" => same(s.last.clone()),
        "root.displayName" => same(s.name()),
        "work.startDate" => date(s.hired.map(|d| d.to_string())),
        "work.title" => listed(&s.title),
        "work.department" => listed(&s.department),
        "work.site" => same(s.site.clone()),
        "work.reportsTo" => match &s.manager {
            Some(m) => (json!({"id": id(m)}), m.clone().into()),
            None => (Value::Null, Value::Null),
        },
        "work.employeeIdInCompany" => ((place + 1).into(), (place + 1).into()),
        "internal.status" => {
            let access = access(s, now);
            (
                access.into(),
                if access == "active" { "Active" } else { "Inactive" }.into(),
            )
        }
        "internal.lifecycleStatus" => {
            let human = match word {
                "gardenLeave" => "Garden leave",
                "leave" => "On leave",
                "hired" => "Hired",
                "terminated" => "Terminated",
                _ => "Employed",
            };
            (word.into(), human.into())
        }
        "internal.terminationDate" => date(leaves(s)),
        "payroll.employment.type" => same(if s.contractor { "Contractor" } else { "Permanent" }.into()),
        "payroll.employment.contract" => same("Full time".into()),
        _ => return None,
    })
}
