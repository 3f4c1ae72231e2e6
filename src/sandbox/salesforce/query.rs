//! What a query answers: names and kinds checked against the object, rows filtered, ordered, cut into pages.

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::{
    Org, Refused, Right, ids, refused,
    rows::{self, Kind, Object},
    soql::{self, Expr, Literal, Op},
};
use crate::sandbox::twin::{Call, Reply};

/// A result that is longer than a page, and how much of it has been given.
pub(super) struct Cursor {
    pub locator: String,
    rows: Vec<Value>,
    size: usize,
}

/// A user keeps so many open; another one closes the oldest.
const CURSORS: usize = 10;
const PAGE: usize = 2000;
/// Of OAuth tokens a page holds no more.
const TOKENS: usize = 500;

pub(super) fn run(org: &mut Org, right: &Right, text: &str, size: usize, version: &str) -> Result<Value, Refused> {
    let malformed = |why: String| refused(400, "MALFORMED_QUERY", &format!("\n{text}\n{why}"));
    let query = soql::parse(text).map_err(malformed)?;
    let no_object = || {
        let why = format!(
            "\nFROM {}\nsObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name.",
            query.from, query.from
        );
        refused(400, "INVALID_TYPE", &why)
    };
    let object = rows::object(&query.from).ok_or_else(no_object)?;
    let columns: Vec<&str> = query
        .columns
        .iter()
        .map(|c| column(object, c).map(|(n, _)| n))
        .collect::<Result<_, _>>()?;
    if let Some(filter) = &query.filter {
        check(object, filter)?;
    }
    let mut found = rows::rows(org, right, object).ok_or_else(no_object)?;
    if let Some(filter) = &query.filter {
        found.retain(|row| holds(object, filter, row));
    }
    if object.column("Id").is_some() {
        found.sort_by(|a, b| a["Id"].as_str().cmp(&b["Id"].as_str()));
    }
    for by in query.order.iter().rev() {
        let (name, _) = column(object, &by.column)?;
        found.sort_by(|a, b| {
            let (a, b) = (at(a, name), at(b, name));
            match (a.is_null(), b.is_null()) {
                (false, false) if by.descending => compare(b, a),
                (false, false) => compare(a, b),
                (true, false) if by.nulls_last => Ordering::Greater,
                (false, true) if by.nulls_last => Ordering::Less,
                (a, b) => b.cmp(&a),
            }
        });
    }
    let found: Vec<Value> = found
        .into_iter()
        .skip(query.offset)
        .take(query.limit.unwrap_or(usize::MAX))
        .collect();
    if columns.is_empty() {
        return Ok(json!({"totalSize": found.len(), "done": true, "records": []}));
    }
    let shown: Vec<Value> = found.iter().map(|row| show(object, &columns, row, version)).collect();
    let size = if object.name == "OauthToken" {
        size.min(TOKENS)
    } else {
        size
    };
    if shown.len() <= size {
        return Ok(json!({"totalSize": shown.len(), "done": true, "records": shown}));
    }
    org.queries += 1;
    let locator = ids::numbered("01g", org.queries);
    if org.cursors.len() == CURSORS {
        org.cursors.remove(0);
    }
    let cursor = Cursor {
        locator,
        rows: shown,
        size,
    };
    let page = page(&cursor, 0, version);
    org.cursors.push(cursor);
    Ok(page)
}

fn page(cursor: &Cursor, from: usize, version: &str) -> Value {
    let to = (from + cursor.size).min(cursor.rows.len());
    let mut page =
        json!({"totalSize": cursor.rows.len(), "done": to == cursor.rows.len(), "records": cursor.rows[from..to]});
    if to < cursor.rows.len() {
        page["nextRecordsUrl"] = format!("/services/data/{version}/query/{}-{to}", cursor.locator).into();
    }
    page
}

/// The page behind a `nextRecordsUrl`.
pub(super) fn more(org: &Org, locator: &str, version: &str) -> Result<Value, Refused> {
    let gone = || refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    let (id, from) = locator.rsplit_once('-').ok_or_else(gone)?;
    let cursor = org.cursors.iter().find(|c| c.locator == id).ok_or_else(gone)?;
    let from: usize = from.parse().map_err(|_| gone())?;
    if from >= cursor.rows.len() {
        return Err(gone());
    }
    Ok(page(cursor, from, version))
}

/// `Sforce-Query-Options: batchSize=500`, between 200 and 2000.
pub(super) fn size(call: &Call) -> usize {
    let asked = call.header("sforce-query-options").and_then(|h| {
        h.split(',')
            .find_map(|o| o.trim().strip_prefix("batchSize=")?.trim().parse().ok())
    });
    asked.unwrap_or(PAGE).clamp(200, PAGE)
}

fn column(object: &Object, name: &str) -> Result<(&'static str, Kind), Refused> {
    object.column(name).ok_or_else(|| {
        let why = format!(
            "\nNo such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            object.name
        );
        refused(400, "INVALID_FIELD", &why)
    })
}

/// Are all names columns, and do the literals fit them?
fn check(object: &Object, expr: &Expr) -> Result<(), Refused> {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().try_for_each(|e| check(object, e)),
        Expr::Not(inner) => check(object, inner),
        Expr::Is(name, _, literal) => fits(object, name, literal),
        Expr::In(name, all, _) => all.iter().try_for_each(|l| fits(object, name, l)),
    }
}

fn fits(object: &Object, name: &str, literal: &Literal) -> Result<(), Refused> {
    let (name, kind) = column(object, name)?;
    match (kind, literal) {
        (_, Literal::Null)
        | (Kind::Text, Literal::Text(_) | Literal::Pattern(_))
        | (Kind::Bool, Literal::Bool(_))
        | (Kind::Number, Literal::Number(_))
        | (Kind::Time, Literal::Instant(_)) => Ok(()),
        (Kind::Id, Literal::Text(id)) if id.is_empty() || ids::is_id(id) => Ok(()),
        (Kind::Id, Literal::Text(id)) => Err(refused(
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
            &format!("invalid ID field: {id}"),
        )),
        (kind, _) => {
            let wanted = match kind {
                Kind::Bool => "boolean and should not be enclosed in quotes",
                Kind::Number => "double and should not be enclosed in quotes",
                Kind::Time => "dateTime and should not be enclosed in quotes",
                Kind::Id | Kind::Text => "string and should be enclosed in quotes",
            };
            let why = format!("value of filter criterion for field '{name}' must be of type {wanted}");
            Err(refused(400, "INVALID_FIELD", &why))
        }
    }
}

fn holds(object: &Object, expr: &Expr, row: &Value) -> bool {
    match expr {
        Expr::And(all) => all.iter().all(|e| holds(object, e, row)),
        Expr::Or(all) => all.iter().any(|e| holds(object, e, row)),
        Expr::Not(inner) => !holds(object, inner, row),
        Expr::Is(name, op, literal) => is(object, name, *op, literal, row),
        Expr::In(name, all, wanted) => all.iter().any(|l| is(object, name, Op::Equal, l, row)) == *wanted,
    }
}

fn is(object: &Object, name: &str, op: Op, literal: &Literal, row: &Value) -> bool {
    let Some((name, kind)) = object.column(name) else {
        return false;
    };
    let value = at(row, name);
    let order = match (literal, value) {
        (Literal::Pattern(pattern), v) => return v.as_str().is_some_and(|t| soql::like(pattern, t)),
        (Literal::Null, v) => v.is_null().then_some(Ordering::Equal),
        // an empty text and none are the same
        (Literal::Text(t), Value::Null) => t.is_empty().then_some(Ordering::Equal),
        (Literal::Text(t), Value::String(v)) if kind == Kind::Id => {
            Some(if ids::same(v, t) { Ordering::Equal } else { v.cmp(t) })
        }
        (Literal::Text(t), Value::String(v)) => Some(v.to_lowercase().cmp(&t.to_lowercase())),
        (Literal::Bool(b), Value::Bool(v)) => Some(v.cmp(b)),
        (Literal::Number(n), v) => v.as_f64().and_then(|v| v.partial_cmp(n)),
        (Literal::Instant(t), Value::String(v)) => time(v).and_then(|v| Some(v.cmp(&time(t)?))),
        _ => None,
    };
    match op {
        Op::Equal => order == Some(Ordering::Equal),
        Op::Unequal => order != Some(Ordering::Equal),
        Op::Less => order == Some(Ordering::Less),
        Op::More => order == Some(Ordering::Greater),
        Op::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Op::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Op::Like => false,
    }
}

/// Answers write `+0000`, queries `Z` or `+00:00`.
fn time(text: &str) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
}

fn at<'a>(row: &'a Value, name: &str) -> &'a Value {
    name.split('.').fold(row, |v, part| &v[part])
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// The columns asked for; a dotted one comes back nested, each object with its `attributes`.
fn show(object: &Object, columns: &[&str], row: &Value, version: &str) -> Value {
    let mut out = attributes(object.name, &row["Id"], version);
    for name in columns {
        put(&mut out, name, row, version);
    }
    out.into()
}

fn put(out: &mut Map<String, Value>, name: &str, row: &Value, version: &str) {
    let Some((parent, rest)) = name.split_once('.') else {
        out.insert(name.to_owned(), row[name].clone());
        return;
    };
    let below = &row[parent];
    let inner = out
        .entry(parent)
        .or_insert_with(|| attributes(parent, &below["Id"], version).into());
    if let Some(inner) = inner.as_object_mut() {
        put(inner, rest, below, version);
    }
}

fn attributes(kind: &str, id: &Value, version: &str) -> Map<String, Value> {
    let id = id.as_str().unwrap_or("000000000000000AAA");
    let url = format!("/services/data/{version}/sobjects/{kind}/{id}");
    Map::from_iter([("attributes".to_owned(), json!({"type": kind, "url": url}))])
}

/// One record with every column, as a retrieve gives it.
pub(super) fn retrieve(org: &Org, right: &Right, object: &Object, id: &str, version: &str) -> Option<Value> {
    let rows = rows::rows(org, right, object)?;
    let row = rows
        .iter()
        .find(|r| r["Id"].as_str().is_some_and(|i| ids::same(i, id)))?;
    let columns: Vec<&str> = object
        .columns
        .iter()
        .map(|(n, _)| *n)
        .filter(|n| !n.contains('.'))
        .collect();
    Some(show(object, &columns, row, version))
}

pub(super) fn answer(found: Result<Value, Refused>) -> Reply {
    match found {
        Ok(body) => Reply::json(200, &body),
        Err(refused) => refused.reply(),
    }
}
