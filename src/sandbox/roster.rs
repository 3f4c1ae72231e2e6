//! HR as a file: the exact text of the world, then a row for each quiet person in the header's columns and line end.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quiet;

/// HR's columns that a quiet person fills, each with the profile's name for it.
const COLUMNS: &[(&str, &str)] = &[
    ("employee_id", "employeeNumber"),
    ("login", "login"),
    ("email", "email"),
    ("first_name", "firstName"),
    ("last_name", "lastName"),
    ("department", "department"),
    ("title", "title"),
    ("worker_type", "userType"),
    ("hire_date", "hireDate"),
    ("termination_date", "terminationDate"),
    ("last_day_of_work", "lastDayOfWork"),
    ("location", "city"),
];

/// The text of `roster.csv`; `None` where HR is no file.
pub fn text(given: &Value) -> Option<String> {
    let csv = given.pointer("/roster/csv").and_then(Value::as_str)?;
    if given["roster"]["whole"] == true {
        return Some(csv.into());
    }
    let header = header(csv);
    let end = if csv.split_inclusive('\n').next().is_some_and(|l| l.ends_with("\r\n")) {
        "\r\n"
    } else {
        "\n"
    };
    let mut out = csv.to_owned();
    for n in 1..=quiet::count(given) {
        let row = row(given, n);
        let cells = header
            .iter()
            .map(|h| quoted(row.get(h.as_str()).map_or("", String::as_str)));
        out.push_str(&cells.collect::<Vec<_>>().join(","));
        out.push_str(end);
    }
    Some(out)
}

/// The names in the first line.
pub fn header(csv: &str) -> Vec<String> {
    let first = csv.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    first
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .collect()
}

fn row(given: &Value, n: usize) -> BTreeMap<String, String> {
    let profile = quiet::profile(given, n);
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let mut row: BTreeMap<String, String> = COLUMNS
        .iter()
        .filter_map(|(column, name)| Some(((*column).to_owned(), text(profile.get(*name)?))))
        .collect();
    let status = match profile.get("employmentStatus").and_then(Value::as_str) {
        Some("On Leave") => "leave",
        Some("Terminated") => "terminated",
        Some("Cancelled") => "cancelled",
        _ => "active",
    };
    row.insert("status".into(), status.into());
    if let Some(manager) = profile.get("managerId").and_then(Value::as_str) {
        let number = if manager == quiet::login(1) {
            quiet::employee_number(1)
        } else {
            manager.to_owned()
        };
        row.insert("manager_id".into(), number);
    }
    for (column, value) in quiet::hr(given, n) {
        let value = match value.as_str().and_then(|v| v.strip_prefix('=')) {
            Some(other) => row.get(other).cloned().unwrap_or_default(),
            None => text(&value),
        };
        row.insert(column, value);
    }
    row
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quiet_people_follow_in_the_headers_columns() {
        let given = json!({"roster": {"kind": "csv", "csv": "employee_id,login,status,odd,termination_date,manager_id\r\nx,y\r\n"},
            "population": {"people": 2, "hr": {"termination_date": "=hire_date"}, "some": [{"from": 2, "to": 2, "profile": {"login": "a,b"}}]}});
        assert_eq!(
            text(&given).unwrap(),
            "employee_id,login,status,odd,termination_date,manager_id\r\nx,y\r\n\
             P00001,p00001@acme.example,active,,2020-01-06,\r\nP00002,\"a,b\",active,,2020-01-06,P00001\r\n"
        );
        assert_eq!(text(&json!({"roster": {"kind": "okta"}})), None);
    }
}
