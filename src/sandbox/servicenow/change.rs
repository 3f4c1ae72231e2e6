//! Change requests: the state models, what closing wants, and the Change Management API.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{Refused, Row, Servicenow, USER_ID, no_record, query, refused, table, time};
use crate::sandbox::twin::{Call, Reply};

const STATES: &[(&str, &str)] = &[
    ("-5", "New"),
    ("-4", "Assess"),
    ("-3", "Authorize"),
    ("-2", "Scheduled"),
    ("-1", "Implement"),
    ("0", "Review"),
    ("3", "Closed"),
    ("4", "Canceled"),
];

/// What a standard template fixes.
const TEMPLATED: &[&str] = &["description", "backout_plan", "test_plan", "implementation_plan"];

fn next(kind: &str, state: &str) -> Vec<&'static str> {
    let path: &[&str] = match kind {
        "standard" => &["-5", "-2", "-1", "0", "3"],
        "emergency" => &["-5", "-3", "-2", "-1", "0", "3"],
        _ => &["-5", "-4", "-3", "-2", "-1", "0", "3"],
    };
    let at = path.iter().position(|s| *s == state);
    let mut out: Vec<&'static str> = at.and_then(|i| path.get(i + 1)).into_iter().copied().collect();
    // No cancelling in Review, nor after the end.
    if at.is_some() && !["0", "3"].contains(&state) {
        out.push("4");
    }
    out
}

/// Since Quebec the model rules where one is named; the type is a label beside it.
fn kind(row: &Row) -> &str {
    let named = |k: &str| row.get(k).map(String::as_str).filter(|v| !v.is_empty());
    named("chg_model").or_else(|| named("type")).unwrap_or("normal")
}

fn get<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn rule(name: &str) -> Refused {
    let detail = format!(
        "Operation against file 'change_request' was aborted by Business Rule '{name}^0e5b9945'. Business Rule Stack:{name}"
    );
    refused(403, "Operation Failed", &detail)
}

pub(super) fn may_start(row: &Row) -> Result<(), Refused> {
    if get(row, "state") == "-5" {
        Ok(())
    } else {
        Err(rule("Change Model: Check State Transition"))
    }
}

pub(super) fn is_open(row: &Row) -> Result<(), Refused> {
    if ["3", "4"].contains(&get(row, "state")) {
        Err(rule("Prevent changes to closed records"))
    } else {
        Ok(())
    }
}

/// May the record become so? Fills in what closing fills in.
pub(super) fn may_become(old: &Row, row: &mut Row, now: DateTime<Utc>) -> Result<(), Refused> {
    let (from, to) = (get(old, "state").to_owned(), get(row, "state").to_owned());
    if old == row {
        return Ok(());
    }
    is_open(old)?;
    if from == to {
        return Ok(());
    }
    if !next(kind(old), &from).contains(&to.as_str()) {
        return Err(rule("Change Model: Check State Transition"));
    }
    if from == "-5" && to != "4" && get(row, "assignment_group").is_empty() {
        return Err(rule("Change Model: Assignment group is required"));
    }
    if to == "3" {
        let labels = [("close_code", "Close code"), ("close_notes", "Close notes")];
        let missing: Vec<&str> = labels
            .into_iter()
            .filter(|(k, _)| get(row, k).is_empty())
            .map(|(_, l)| l)
            .collect();
        if !missing.is_empty() {
            let detail = format!(
                "Data Policy Exception: The following fields are mandatory: {}",
                missing.join(", ")
            );
            return Err(refused(403, "Operation Failed", &detail));
        }
    }
    if ["3", "4"].contains(&to.as_str()) {
        row.insert("active".into(), "false".into());
        row.insert("closed_at".into(), time(now));
        row.insert("closed_by".into(), USER_ID.into());
    }
    Ok(())
}

/// What a value is called on the screen.
pub(super) fn label(column: &str, value: &str, table: &str) -> Option<String> {
    let states = |list: &[(&str, &str)]| list.iter().find(|(v, _)| *v == value).map(|(_, l)| (*l).to_owned());
    match (column, table) {
        ("state", "change_request") => states(STATES),
        ("state" | "incident_state", _) => states(&[
            ("1", "New"),
            ("2", "In Progress"),
            ("3", "On Hold"),
            ("6", "Resolved"),
            ("7", "Closed"),
            ("8", "Canceled"),
        ]),
        ("type" | "chg_model" | "close_code", _) => {
            let mut letters = value.chars();
            letters.next().map(|c| c.to_uppercase().chain(letters).collect())
        }
        ("priority", _) => states(&[
            ("1", "1 - Critical"),
            ("2", "2 - High"),
            ("3", "3 - Moderate"),
            ("4", "4 - Low"),
            ("5", "5 - Planning"),
        ]),
        ("impact" | "urgency", _) => states(&[("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low")]),
        _ => None,
    }
}

pub(super) fn answer(now: &mut Servicenow, below: &[&str], call: &Call) -> Result<Reply, Refused> {
    match (call.method.as_str(), below) {
        ("GET", ["standard", "template"]) => Ok(templates(now, call)),
        ("POST", []) => create(now, None, None, call),
        ("POST", [model @ ("normal" | "emergency")]) => create(now, Some(model), None, call),
        ("POST", ["standard", template]) => {
            now.row("std_change_record_producer", template).ok_or_else(no_record)?;
            create(now, Some("standard"), Some(template), call)
        }
        ("GET", []) => {
            let ids =
                query::parse(call.param("sysparm_query").unwrap_or(""), "change_request").find(now, "change_request");
            let rows: Vec<Value> = ids
                .iter()
                .filter_map(|id| now.row("change_request", id))
                .map(|r| pairs(now, r))
                .collect();
            Ok(Reply::json(200, &json!({"result": rows})))
        }
        ("GET", [id, "nextstates"]) => {
            let row = now.row("change_request", id).ok_or_else(no_record)?;
            Ok(Reply::json(200, &json!({"result": next_states(row)})))
        }
        ("GET", [id]) => {
            let row = now.row("change_request", id).ok_or_else(no_record)?;
            Ok(Reply::json(200, &json!({"result": pairs(now, row)})))
        }
        ("PATCH", [id]) => {
            let old = now.row("change_request", id).cloned().ok_or_else(no_record)?;
            table::update(now, "change_request", id, &old, call)?;
            let row = now.row("change_request", id).ok_or_else(no_record)?;
            Ok(Reply::json(200, &json!({"result": pairs(now, row)})))
        }
        _ => Err(refused(
            404,
            "Requested URI does not represent any resource",
            &call.path,
        )),
    }
}

/// 200, not 201. What was not taken is listed.
fn create(now: &mut Servicenow, model: Option<&str>, template: Option<&str>, call: &Call) -> Result<Reply, Refused> {
    let body = match call.json() {
        Some(Value::Object(body)) => body,
        _ if call.body.is_empty() => Map::new(),
        _ => {
            return Err(refused(
                400,
                "Exception while reading request",
                "The payload is not valid JSON",
            ));
        }
    };
    let known = table::columns("change_request").unwrap_or_default();
    let fixed = |k: &str| template.is_some() && TEMPLATED.contains(&k);
    let mut ignored: Vec<&str> = Vec::new();
    let mut row = Row::new();
    for (k, v) in &body {
        match v.as_str() {
            Some(text) if known.contains(&k.as_str()) && !fixed(k) => drop(row.insert(k.clone(), text.into())),
            _ => ignored.push(k),
        }
    }
    if let Some(model) = model.or_else(|| call.param("chg_model")).or_else(|| call.param("type")) {
        row.insert("type".into(), model.into());
        row.insert("chg_model".into(), model.into());
    }
    if let Some(template) = template {
        row.insert("std_change_producer_version".into(), template.into());
        row.entry("assignment_group".into())
            .or_insert_with(|| table::GROUP_ID.into());
    }
    let id = table::insert(now, "change_request", row, call)?;
    let row = now.row("change_request", &id).ok_or_else(no_record)?;
    let mut result = pairs(now, row);
    result["__meta"] = json!({"ignoredFields": ignored});
    Ok(Reply::json(200, &json!({"result": result})))
}

fn pairs(now: &Servicenow, row: &Row) -> Value {
    let mut call_for_all = Map::new();
    for column in table::columns("change_request").unwrap_or_default() {
        let value = get(row, column);
        let display = label(column, value, "change_request").unwrap_or_else(|| {
            let there = table::reference(column).and_then(|t| now.tables.get(t)?.get(value)?.get("name"));
            there.cloned().unwrap_or_else(|| value.to_owned())
        });
        call_for_all.insert(column.into(), json!({"value": value, "display_value": display}));
    }
    Value::Object(call_for_all)
}

fn templates(now: &Servicenow, call: &Call) -> Reply {
    const TABLE: &str = "std_change_record_producer";
    let ids = query::parse(call.param("sysparm_query").unwrap_or(""), TABLE).find(now, TABLE);
    let rows: Vec<Value> = ids
        .iter()
        .filter_map(|id| now.row(TABLE, id))
        .map(|r| {
            r.iter()
                .map(|(k, v)| (k.clone(), json!({"value": v, "display_value": v})))
                .collect::<Map<_, _>>()
                .into()
        })
        .collect();
    Reply::json(200, &json!({"result": rows}))
}

fn next_states(row: &Row) -> Value {
    let state = get(row, "state");
    let there = next(kind(row), state);
    let title = |s: &str| STATES.iter().find(|(v, _)| *v == s).map_or(s, |(_, l)| l).to_owned();
    let moves: Vec<Value> = there
        .iter()
        .map(|to| {
            let wants_group = state == "-5" && *to != "4";
            let ready = !wants_group || !get(row, "assignment_group").is_empty();
            let condition = json!({"passed": ready, "condition": {"name": "Assignment group is filled", "description": null,
                "sys_id": "2132deb6c303101035ae3f52c1d3ae8c"}});
            json!([{"sys_id": "db401481c343101035ae3f52c1d3aedd", "display_value": format!("{} to {}", title(state), title(to)),
                "from_state": state, "to_state": to, "transition_available": ready, "automatic_transition": false,
                "conditions": if wants_group { json!([condition]) } else { json!([]) }}])
        })
        .collect();
    let mut labels: Map<String, Value> = there.iter().map(|s| ((*s).to_owned(), json!(title(s)))).collect();
    labels.insert(state.into(), json!(title(state)));
    let available: Vec<&str> = there.iter().copied().chain([state]).collect();
    json!({"available_states": available, "state_transitions": moves, "state_label": labels})
}
