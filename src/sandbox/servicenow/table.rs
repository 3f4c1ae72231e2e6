//! The Table API and the Attachment API.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Refused, Row, Servicenow, USER, USER_ID, change, no_record, query, refused, time};
use crate::sandbox::twin::{Call, Reply};

/// Tables that hold the instance's own furniture: never changed through here, never shown in the state.
pub(super) const FIXED: &[&str] = &["sys_user_group", "sys_user", "std_change_record_producer"];

/// The group Identity, to which the firm has these changes assigned.
pub(super) const GROUP_ID: &str = "287ebd7da9fe198100f92cc8d1d2154e";

const EVERY: &[&str] = &[
    "sys_id",
    "sys_created_on",
    "sys_created_by",
    "sys_updated_on",
    "sys_updated_by",
    "sys_mod_count",
    "sys_class_name",
];
const TASK: &[&str] = &[
    "number",
    "short_description",
    "description",
    "state",
    "active",
    "priority",
    "impact",
    "urgency",
    "category",
    "assignment_group",
    "assigned_to",
    "opened_by",
    "opened_at",
    "closed_at",
    "closed_by",
    "close_code",
    "close_notes",
    "correlation_id",
    "correlation_display",
    "work_notes",
    "comments",
    "approval",
    "due_date",
    "upon_approval",
    "upon_reject",
    "parent",
    "sys_domain_path",
];
const CHANGE: &[&str] = &[
    "type",
    "chg_model",
    "risk",
    "start_date",
    "end_date",
    "requested_by",
    "std_change_producer_version",
    "backout_plan",
    "implementation_plan",
    "test_plan",
    "justification",
    "phase",
    "phase_state",
    "on_hold",
    "reason",
    "work_start",
    "work_end",
];
const INCIDENT: &[&str] = &[
    "caller_id",
    "subcategory",
    "severity",
    "incident_state",
    "resolved_at",
    "resolved_by",
    "contact_type",
];

/// The columns of a table; `None` where there is no such table.
pub(super) fn columns(table: &str) -> Option<Vec<&'static str>> {
    let own: Vec<&'static str> = match table {
        "change_request" => [TASK, CHANGE].concat(),
        "incident" => [TASK, INCIDENT].concat(),
        "sys_user_group" => vec!["name", "description", "active"],
        "sys_user" => vec!["name", "user_name", "email", "active"],
        "std_change_record_producer" => vec!["name", "short_description", "active", "template"],
        "sys_journal_field" => vec!["element_id", "element", "name", "value"],
        "sys_attachment" => {
            vec![
                "file_name",
                "content_type",
                "size_bytes",
                "hash",
                "table_name",
                "table_sys_id",
                "compressed",
                "download_link",
            ]
        }
        _ => return None,
    };
    Some([EVERY, &own[..]].concat())
}

/// The table that a column points into.
pub(super) fn reference(column: &str) -> Option<&'static str> {
    Some(match column {
        "assignment_group" => "sys_user_group",
        "assigned_to" | "opened_by" | "closed_by" | "requested_by" | "caller_id" | "resolved_by" => "sys_user",
        "std_change_producer_version" => "std_change_record_producer",
        _ => return None,
    })
}

pub(super) fn furnish(now: &mut Servicenow) {
    let rows = [
        ("sys_user_group", GROUP_ID, "Identity"),
        ("sys_user_group", "8a4dde73c6112278017a6a4baf547aa7", "Service Desk"),
        ("sys_user", USER_ID, USER),
        (
            "std_change_record_producer",
            "16c2273c47010200e90d87e8dee49006",
            "Identity lifecycle change",
        ),
    ];
    for (table, id, name) in rows {
        let row = [
            ("sys_id", id),
            ("name", name),
            ("user_name", name),
            ("active", "true"),
            ("sys_created_on", "2024-01-08 09:00:00"),
        ];
        let known = columns(table).unwrap_or_default();
        let row: Row = row
            .iter()
            .filter(|(k, _)| known.contains(k))
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        now.tables.entry(table.into()).or_default().insert(id.into(), row);
    }
}

/// What the instance fills in where the client says nothing.
pub(super) fn default(row: &mut Row, table: &str, now: DateTime<Utc>) {
    let at = time(now);
    let mut all = vec![
        ("sys_created_on", at.as_str()),
        ("sys_updated_on", &at),
        ("sys_created_by", USER),
        ("sys_updated_by", USER),
        ("sys_mod_count", "0"),
        ("sys_class_name", table),
    ];
    match table {
        "change_request" => all.extend([
            ("state", "-5"),
            ("type", "normal"),
            ("phase", "requested"),
            ("phase_state", "open"),
            ("risk", "3"),
            ("impact", "3"),
            ("urgency", "3"),
            ("priority", "4"),
            ("active", "true"),
            ("approval", "not requested"),
            ("on_hold", "false"),
            ("opened_at", &at),
            ("opened_by", USER_ID),
        ]),
        "incident" => all.extend([
            ("state", "1"),
            ("incident_state", "1"),
            ("impact", "3"),
            ("urgency", "3"),
            ("active", "true"),
            ("severity", "3"),
            ("opened_at", &at),
            ("opened_by", USER_ID),
            ("category", "inquiry"),
        ]),
        _ => {}
    }
    for (k, v) in all {
        row.entry(k.into()).or_insert_with(|| v.into());
    }
    if table == "incident" {
        prioritise(row);
    }
}

/// Priority is computed from impact and urgency.
fn prioritise(row: &mut Row) {
    let level = |k: &str| row.get(k).and_then(|v| v.parse::<u8>().ok()).unwrap_or(3);
    let priority = (level("impact") + level("urgency")).saturating_sub(1).clamp(1, 5);
    row.insert("priority".into(), priority.to_string());
}

fn known(table: &str) -> Result<Vec<&'static str>, Refused> {
    columns(table).ok_or_else(|| (400, format!("Invalid table {table}"), None))
}

/// The body's columns, as text. Unknown ones are dropped without a word.
pub(super) fn fields(call: &Call, table: &str) -> Result<Row, Refused> {
    let broken = || refused(400, "Exception while reading request", "The payload is not valid JSON");
    let Some(Value::Object(body)) = call.json() else {
        return Err(broken());
    };
    let known = columns(table).unwrap_or_default();
    let text = |v: &Value| match v {
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(body
        .iter()
        .filter(|(k, _)| known.contains(&k.as_str()))
        .map(|(k, v)| (k.clone(), text(v)))
        .collect())
}

pub(super) fn many(now: &mut Servicenow, table: &str, call: &Call) -> Result<Reply, Refused> {
    known(table)?;
    match call.method.as_str() {
        "GET" => Ok(list(now, table, call)),
        "POST" => {
            let id = insert(now, table, fields(call, table)?, call)?;
            let row = now.row(table, &id).cloned().unwrap_or_default();
            let location = format!("{}/api/now/table/{table}/{id}", call.origin);
            Ok(Reply::json(201, &json!({"result": shown(now, table, &row, call)})).with("location", location))
        }
        _ => Err(refused(405, "Method not supported", "GET and POST are")),
    }
}

pub(super) fn insert(now: &mut Servicenow, table: &str, mut row: Row, call: &Call) -> Result<String, Refused> {
    for own in ["sys_id", "number", "sys_created_on", "sys_mod_count", "closed_at"] {
        row.remove(own);
    }
    let note = row.remove("work_notes");
    default(&mut row, table, call.now);
    if table == "change_request" {
        change::may_start(&row)?;
    }
    let id = now.fresh_id(table, call.now);
    row.insert("sys_id".into(), id.clone());
    if let Some(number) = now.next_number(table) {
        row.insert("number".into(), number);
    }
    now.tables.entry(table.into()).or_default().insert(id.clone(), row);
    now.touch(table, &id);
    journal(now, table, &id, note, call);
    Ok(id)
}

/// A work note is an entry of the journal; the column itself reads back empty.
fn journal(now: &mut Servicenow, table: &str, id: &str, note: Option<String>, call: &Call) {
    let Some(note) = note.filter(|n| !n.is_empty()) else {
        return;
    };
    let entry = now.fresh_id("sys_journal_field", call.now);
    let mut row: Row = [
        ("sys_id", entry.as_str()),
        ("element_id", id),
        ("element", "work_notes"),
        ("name", table),
        ("value", &note),
    ]
    .into_iter()
    .map(|(k, v)| (k.into(), v.into()))
    .collect();
    default(&mut row, "sys_journal_field", call.now);
    now.tables
        .entry("sys_journal_field".into())
        .or_default()
        .insert(entry.clone(), row);
    now.touch("sys_journal_field", &entry);
}

pub(super) fn one(now: &mut Servicenow, table: &str, id: &str, call: &Call) -> Result<Reply, Refused> {
    known(table)?;
    let old = now.row(table, id).cloned().ok_or_else(no_record)?;
    match call.method.as_str() {
        "GET" => {}
        "PATCH" | "PUT" => update(now, table, id, &old, call)?,
        "DELETE" => {
            if let Some(rows) = now.tables.get_mut(table) {
                rows.remove(id);
            }
            now.touch(table, id);
            return Ok(Reply::empty(204));
        }
        _ => return Err(refused(405, "Method not supported", "GET, PUT, PATCH and DELETE are")),
    }
    let row = now.row(table, id).cloned().unwrap_or_default();
    Ok(Reply::json(200, &json!({"result": shown(now, table, &row, call)})))
}

pub(super) fn update(now: &mut Servicenow, table: &str, id: &str, old: &Row, call: &Call) -> Result<(), Refused> {
    let mut change = fields(call, table)?;
    for own in ["sys_id", "number", "sys_created_on", "sys_mod_count"] {
        change.remove(own);
    }
    let note = change.remove("work_notes");
    let mut row = old.clone();
    row.extend(change);
    if table == "change_request" {
        change::may_become(old, &mut row, call.now)?;
    }
    if table == "incident" {
        prioritise(&mut row);
    }
    if row != *old || note.is_some() {
        let count = old
            .get("sys_mod_count")
            .and_then(|n| n.parse::<u32>().ok())
            .unwrap_or(0)
            + 1;
        row.insert("sys_mod_count".into(), count.to_string());
        row.insert("sys_updated_on".into(), time(call.now));
        now.tables.entry(table.into()).or_default().insert(id.into(), row);
        now.touch(table, id);
        journal(now, table, id, note, call);
    }
    Ok(())
}

/// `X-Total-Count` counts before ACLs; the limit cuts before them too.
fn list(now: &Servicenow, table: &str, call: &Call) -> Reply {
    let ids = query::parse(call.param("sysparm_query").unwrap_or(""), table).find(now, table);
    let number = |name: &str, or: usize| call.param(name).and_then(|v| v.parse().ok()).unwrap_or(or);
    let (limit, offset) = (number("sysparm_limit", 10_000).max(1), number("sysparm_offset", 0));
    let page = ids.iter().skip(offset).take(limit);
    let rows: Vec<Value> = page
        .filter_map(|id| now.row(table, id))
        .map(|row| shown(now, table, row, call))
        .collect();
    let reply = Reply::json(200, &json!({"result": rows})).with("x-total-count", ids.len().to_string());
    if call.param("sysparm_suppress_pagination_header") == Some("true") {
        return reply;
    }
    let to = |at: usize, rel: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(k, _)| k != "sysparm_offset"));
        query.append_pair("sysparm_offset", &at.to_string());
        format!("<{}{}?{}>;rel=\"{rel}\"", call.origin, call.path, query.finish())
    };
    let mut links = vec![to(0, "first")];
    if offset > 0 {
        links.push(to(offset.saturating_sub(limit), "prev"));
    }
    if offset + limit < ids.len() {
        links.push(to(offset + limit, "next"));
    }
    links.push(to(ids.len().saturating_sub(1) / limit * limit, "last"));
    reply.with("link", links.join(","))
}

/// A record as `sysparm_fields`, `sysparm_display_value` and `sysparm_exclude_reference_link` want it.
pub(super) fn shown(now: &Servicenow, table: &str, row: &Row, call: &Call) -> Value {
    let wanted: Option<Vec<&str>> = call
        .param("sysparm_fields")
        .filter(|f| !f.is_empty())
        .map(|f| f.split(',').map(str::trim).collect());
    let bare = call.param("sysparm_exclude_reference_link") == Some("true");
    let display = call.param("sysparm_display_value").unwrap_or("false");
    let mut out = Map::new();
    for column in columns(table).unwrap_or_default() {
        if wanted.as_ref().is_some_and(|w| !w.contains(&column)) {
            continue;
        }
        let value = row.get(column).map_or("", String::as_str);
        let label = change::label(column, value, table).unwrap_or_else(|| name(now, column, value));
        let link = reference(column)
            .filter(|_| !value.is_empty() && !bare)
            .map(|t| format!("{}/api/now/table/{t}/{value}", call.origin));
        let shown = match (display, link) {
            ("all", Some(link)) => json!({"display_value": label, "value": value, "link": link}),
            ("all", None) => json!({"display_value": label, "value": value}),
            ("true", Some(link)) => json!({"display_value": label, "link": link}),
            ("true", None) => json!(label),
            (_, Some(link)) => json!({"link": link, "value": value}),
            (_, None) => json!(value),
        };
        out.insert(column.into(), shown);
    }
    Value::Object(out)
}

/// A reference reads as the name of what it points at.
fn name(now: &Servicenow, column: &str, value: &str) -> String {
    let there = reference(column).and_then(|t| now.tables.get(t)?.get(value)?.get("name"));
    there.cloned().unwrap_or_else(|| value.to_owned())
}

pub(super) fn attachment(now: &mut Servicenow, below: &[&str], call: &Call) -> Result<Reply, Refused> {
    const TABLE: &str = "sys_attachment";
    match (call.method.as_str(), below) {
        ("GET", []) => Ok(list(now, TABLE, call)),
        ("POST", ["file"]) => attach(now, call),
        ("GET", [id]) => {
            let row = now.row(TABLE, id).ok_or_else(no_record)?;
            Ok(Reply::json(200, &json!({"result": shown(now, TABLE, row, call)})))
        }
        ("GET", [id, "file"]) => {
            let row = now.row(TABLE, id).ok_or_else(no_record)?;
            let body = row
                .get("content")
                .and_then(|c| STANDARD.decode(c).ok())
                .unwrap_or_default();
            let kind = row.get("content_type").cloned().unwrap_or_default();
            Ok(Reply {
                status: 200,
                headers: vec![("content-type".into(), kind)],
                body,
            })
        }
        ("DELETE", [id]) => {
            now.row(TABLE, id).ok_or_else(no_record)?;
            if let Some(rows) = now.tables.get_mut(TABLE) {
                rows.remove(*id);
            }
            now.touch(TABLE, id);
            Ok(Reply::empty(204))
        }
        _ => Err(refused(
            404,
            "Requested URI does not represent any resource",
            &call.path,
        )),
    }
}

fn attach(now: &mut Servicenow, call: &Call) -> Result<Reply, Refused> {
    let param = |name: &str| call.param(name).filter(|v| !v.is_empty());
    let missing = |name: &str| refused(400, "Missing parameter", &format!("{name} is required"));
    let table = param("table_name").ok_or_else(|| missing("table_name"))?;
    let record = param("table_sys_id").ok_or_else(|| missing("table_sys_id"))?;
    let file = param("file_name").ok_or_else(|| missing("file_name"))?;
    let target = now.row(table, record).ok_or_else(no_record)?;
    if table == "change_request" {
        change::is_open(target)?;
    }
    let id = now.fresh_id("sys_attachment", call.now);
    let size = call.body.len().to_string();
    let hash = hex::encode(Sha256::digest(&call.body));
    let link = format!("{}/api/now/attachment/{id}/file", call.origin);
    let content = STANDARD.encode(&call.body);
    let mut row: Row = [
        ("sys_id", id.as_str()),
        ("table_name", table),
        ("table_sys_id", record),
        ("file_name", file),
        (
            "content_type",
            call.header("content-type").unwrap_or("application/octet-stream"),
        ),
        ("size_bytes", &size),
        ("hash", &hash),
        ("compressed", "true"),
        ("download_link", &link),
        ("content", &content),
    ]
    .into_iter()
    .map(|(k, v)| (k.into(), v.into()))
    .collect();
    default(&mut row, "sys_attachment", call.now);
    let shown = shown(now, "sys_attachment", &row, call);
    now.tables
        .entry("sys_attachment".into())
        .or_default()
        .insert(id.clone(), row);
    now.touch("sys_attachment", &id);
    let location = format!("{}/api/now/attachment/{id}", call.origin);
    Ok(Reply::json(201, &json!({"result": shown})).with("location", location))
}
