//! Encoded queries: `a=b^c!=d^ORe=f^NQ…^ORDERBYx`.
//!
//! A part that names no column is ignored, not refused: the query then finds more, unless the instance says otherwise.

use std::cmp::Ordering;

use super::{Row, Servicenow, USER_ID, table};

#[derive(Debug)]
struct Condition {
    field: String,
    operator: &'static str,
    value: String,
}

/// Alternatives of conjunctions of alternatives, and the order.
#[derive(Debug, Default)]
pub(super) struct Query {
    groups: Vec<Vec<Vec<Condition>>>,
    order: Vec<(String, bool)>,
    /// Something was ignored.
    pub invalid: bool,
}

/// The longer ones first, so that `NOT LIKE` isn't taken for another.
const OPERATORS: &[&str] = &[
    "ISNOTEMPTY",
    "ISEMPTY",
    "STARTSWITH",
    "ENDSWITH",
    "NOT LIKE",
    "NOT IN",
    "LIKE",
    "IN",
    "!=",
    ">=",
    "<=",
    "=",
    ">",
    "<",
];

pub(super) fn parse(text: &str, table: &str) -> Query {
    let mut q = Query::default();
    for group in text.split("^NQ") {
        let mut all: Vec<Vec<Condition>> = Vec::new();
        for part in group.split('^').filter(|p| !p.is_empty() && *p != "EQ") {
            if let Some(field) = part.strip_prefix("ORDERBYDESC") {
                q.order.push((field.into(), false));
            } else if let Some(field) = part.strip_prefix("ORDERBY") {
                q.order.push((field.into(), true));
            } else if let Some(condition) = condition(part.strip_prefix("OR").unwrap_or(part), table) {
                match all.last_mut() {
                    Some(last) if part.starts_with("OR") => last.push(condition),
                    _ => all.push(vec![condition]),
                }
            } else {
                q.invalid = true;
            }
        }
        q.groups.push(all);
    }
    q
}

fn condition(part: &str, table: &str) -> Option<Condition> {
    let end = part.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'))?;
    let (field, rest) = part.split_at(end);
    let root = field.split('.').next()?;
    if !table::columns(table)?.contains(&root) {
        return None;
    }
    let operator = OPERATORS.iter().find(|o| rest.starts_with(**o))?;
    let value = &rest[operator.len()..];
    // The server runs this; of all scripts it knows the caller's own id.
    let value = match value.strip_prefix("javascript:") {
        Some("gs.getUserID()") => USER_ID,
        Some(_) => "",
        None => value,
    };
    Some(Condition {
        field: field.into(),
        operator,
        value: value.into(),
    })
}

impl Condition {
    fn holds(&self, now: &Servicenow, row: &Row) -> bool {
        let have = field(now, row, &self.field);
        let (a, b) = (have.to_lowercase(), self.value.to_lowercase());
        match self.operator {
            "=" => a == b,
            "!=" => a != b,
            "LIKE" => a.contains(&b),
            "NOT LIKE" => !a.contains(&b),
            "STARTSWITH" => a.starts_with(&b),
            "ENDSWITH" => a.ends_with(&b),
            "IN" => b.split(',').any(|x| x == a),
            "NOT IN" => !b.split(',').any(|x| x == a),
            "ISEMPTY" => a.is_empty(),
            "ISNOTEMPTY" => !a.is_empty(),
            ">" => compare(&a, &b) == Ordering::Greater,
            ">=" => compare(&a, &b) != Ordering::Less,
            "<" => compare(&a, &b) == Ordering::Less,
            _ => compare(&a, &b) != Ordering::Greater,
        }
    }
}

/// A column, or one of the record it points at (`assignment_group.name`).
fn field(now: &Servicenow, row: &Row, name: &str) -> String {
    let get = |row: &Row, name: &str| row.get(name).cloned().unwrap_or_default();
    match name.split_once('.') {
        None => get(row, name),
        Some((root, rest)) => table::reference(root)
            .and_then(|t| now.tables.get(t)?.get(row.get(root)?))
            .map_or_else(String::new, |r| get(r, rest)),
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) if a.to_string().len() < 10 => a.cmp(&b),
        _ => a.cmp(b),
    }
}

impl Query {
    /// Ids of the rows that fit, in order. Without an order: as they were made.
    pub(super) fn find(&self, now: &Servicenow, table: &str) -> Vec<String> {
        if self.invalid
            && now
                .properties
                .get("glide.invalid_query.returns_no_rows")
                .is_some_and(|v| v == "true")
        {
            return Vec::new();
        }
        let fits = |row: &Row| {
            self.groups.iter().any(|all| {
                all.iter()
                    .all(|any| any.iter().any(|condition| condition.holds(now, row)))
            })
        };
        let mut rows: Vec<&Row> = now
            .tables
            .get(table)
            .into_iter()
            .flat_map(|t| t.values())
            .filter(|r| fits(r))
            .collect();
        let made = [("sys_created_on".to_owned(), true), ("number".to_owned(), true)];
        let order = if self.order.is_empty() {
            &made[..]
        } else {
            &self.order[..]
        };
        rows.sort_by(|a, b| {
            let by = order.iter().map(|(name, up)| {
                let o = compare(&field(now, a, name), &field(now, b, name));
                if *up { o } else { o.reverse() }
            });
            by.fold(Ordering::Equal, Ordering::then)
        });
        rows.iter().filter_map(|r| r.get("sys_id").cloned()).collect()
    }
}
