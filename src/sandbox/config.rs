//! The generated jml.toml as a document: what of the world it says, and where the twins are.
//!
//! Credentials stand in it as references to files; it holds no secret but the nonce of this start.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use super::{member, quiet, roster, staff, world::World};

/// What the document points at.
pub struct Places<'a> {
    /// The folder that it stands in, absolute: credentials and roster.csv are beside it.
    pub folder: &'a Path,
    pub ledger: &'a Path,
    pub origins: &'a BTreeMap<String, String>,
    pub control: &'a str,
    pub nonce: &'a str,
}

/// `given.config` is merged over the whole at the end.
pub fn document(world: &mut World, places: &Places<'_>) -> Value {
    let mut doc = json!({
        "systems": systems(world, places),
        "roster": {"source": "okta"},
        "policy": policy(&world.given),
        "limits": over(json!({"leavers": "25 or 2%"}), &world.given["limits"]),
        "ledger": {"path": places.ledger.to_string_lossy()},
        "sandbox": {"control": places.control, "nonce": places.nonce},
    });
    if let Some(people) = world.given.pointer("/protect/people") {
        doc["protect"] = json!({ "people": people });
    }
    if let Some(csv) = world.given.pointer("/roster/csv").and_then(Value::as_str) {
        doc["roster"] = csv_mapping(csv);
        doc["systems"]["csv"] = json!({"path": places.folder.join("roster.csv").to_string_lossy()});
    }
    if let Some(kind) = world.given.pointer("/roster/kind").and_then(Value::as_str)
        && staff::KINDS.contains(&kind)
    {
        doc["roster"] = json!({"source": kind});
    }
    merge(&mut doc, &world.given["config"]);
    doc
}

/// TOML of it, plain values before tables.
pub fn toml(document: &Value) -> Result<String, String> {
    toml::to_string(document).map_err(|e| format!("the configuration can't be written as TOML: {e}"))
}

/// The files of credentials beside it: name and content.
pub fn credentials(world: &mut World) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for member in member::all(world) {
        for right in ["read", "write"].iter().chain(member.twin.files) {
            let name = format!("{}.{right}", member.name);
            let record = member.record(world, right);
            out.extend(
                record
                    .or_else(|| world.secret(&name).map(str::to_owned))
                    .map(|c| (name, c)),
            );
        }
    }
    out
}

fn systems(world: &mut World, places: &Places<'_>) -> Map<String, Value> {
    let file = |name: String| format!("file:{}", places.folder.join(name).to_string_lossy());
    let mut out = Map::new();
    for (name, origin) in places.origins {
        let Some(member) = member::named_so(name) else {
            continue;
        };
        let mut table = json!({"url": origin});
        if member.name != member.twin.name {
            table["kind"] = member.twin.name.into();
        }
        for right in ["read", "write"] {
            table[right] = file(format!("{}.{right}", member.name)).into();
        }
        // null takes a key away
        merge(&mut table, &member.section(world));
        out.insert(member.configured().into(), table);
    }
    out
}

fn policy(given: &Value) -> Value {
    let departments = quiet::departments(given);
    over(
        json!({
            "zone": "America/Chicago",
            "termination_day": "end",
            "settle": "0s",
            "joiner_lead": "0d",
            "birthright": {"employee": ["BR-ALL-EMPLOYEES"], "contractor": ["BR-CONTRACTORS"]},
            "departments": departments,
        }),
        &given["policy"],
    )
}

/// Whole keys of the one over the other: a world's `departments` replace the default ones, they don't add to them.
fn over(mut under: Value, top: &Value) -> Value {
    for (k, v) in top.as_object().into_iter().flatten() {
        under[k] = v.clone();
    }
    under
}

fn csv_mapping(csv: &str) -> Value {
    let header = roster::header(csv);
    let known = [
        ("employee_id", "id"),
        ("universal_id", "universal_id"),
        ("login", "login"),
        ("email", "email"),
        ("first_name", "first_name"),
        ("last_name", "last_name"),
        ("department", "department"),
        ("title", "title"),
        ("manager_id", "manager_id"),
        ("worker_type", "worker_type"),
        ("status", "status"),
        ("hire_date", "hire_date"),
        ("termination_date", "termination_date"),
        ("last_day_of_work", "last_day_of_work"),
        ("location", "location"),
    ];
    // the required ones even where the file lacks them: then jml has to say so
    let mapped = |column: &str| {
        ["employee_id", "status", "termination_date"].contains(&column) || header.iter().any(|h| h == column)
    };
    let columns: Map<String, Value> = known
        .iter()
        .filter(|(c, _)| mapped(c))
        .map(|(c, name)| ((*name).to_owned(), Value::from(*c)))
        .collect();
    let mut values = json!({
        "status": {"active": "active", "leave": "leave", "terminated": "terminated", "cancelled": "cancelled"},
    });
    if mapped("worker_type") {
        values["worker_type"] = json!({"Employee": "employee", "Contractor": "contractor"});
    }
    json!({"source": "csv", "date_format": "%Y-%m-%d", "columns": columns, "values": values})
}

/// RFC 7396.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *target = patch.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (k, v) in patch {
        if v.is_null() {
            if let Some(map) = target.as_object_mut() {
                map.remove(k);
            }
        } else {
            merge(&mut target[k], v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(given: Value) -> Value {
        let mut world = World {
            given,
            ..World::default()
        };
        let origins = BTreeMap::from([("okta".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let places = Places {
            folder: Path::new("/f"),
            ledger: Path::new("/f/ledger.db"),
            origins: &origins,
            control: "http://127.0.0.1:2",
            nonce: "n",
        };
        document(&mut world, &places)
    }

    #[test]
    fn a_bare_world_has_the_documented_defaults() {
        let text = toml(&doc(json!({"now": "2026-07-15T05:05:00Z"}))).unwrap();
        let back: Value = toml::from_str(&text).unwrap();
        assert_eq!(
            back["systems"]["okta"],
            json!({"url": "http://127.0.0.1:1", "org": "00o0000000000000ACME",
            "read": "file:/f/okta.read", "write": "file:/f/okta.write"})
        );
        assert_eq!(back["policy"]["departments"]["People"], "HR");
        assert_eq!(
            (&back["policy"]["settle"], &back["limits"]["leavers"]),
            (&json!("0s"), &json!("25 or 2%"))
        );
        assert_eq!((back.get("protect"), &back["roster"]["source"]), (None, &json!("okta")));
    }

    #[test]
    fn what_is_given_replaces_and_config_merges() {
        let d = doc(json!({
            "policy": {"departments": {"Sales": "SALES"}, "rule": [{"when": {"title": "*"}, "slack": ["#all"]}]},
            "config": {"systems": {"okta": {"org": "00o1"}}, "roster": null},
            "roster": {"kind": "csv", "csv": "employee_id,login,worker_type\n"},
        }));
        assert_eq!(d["policy"]["departments"], json!({"Sales": "SALES"}));
        assert_eq!((&d["systems"]["okta"]["org"], d.get("roster")), (&json!("00o1"), None));
        assert_eq!(d["systems"]["csv"]["path"], "/f/roster.csv");
        assert!(toml(&d).unwrap().contains("[[policy.rule]]"));
    }

    #[test]
    fn only_columns_that_the_file_has_are_mapped_but_for_the_required() {
        let m = csv_mapping("employee_id,login,worker_type,odd\n");
        let columns: Vec<&String> = m["columns"].as_object().unwrap().keys().collect();
        assert_eq!(columns, ["id", "login", "status", "termination_date", "worker_type"]);
        let doc = json!({ "roster": m });
        assert_eq!(toml::from_str::<Value>(&toml(&doc).unwrap()).unwrap(), doc);
    }

    #[test]
    fn merge_is_rfc_7396() {
        for (target, patch, want) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "c": 1}), json!({"a": null}), json!({"c": 1})),
            (
                json!({"a": ["b"]}),
                json!({"a": {"b": {"c": null}}}),
                json!({"a": {"b": {}}}),
            ),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut t = target;
            merge(&mut t, &patch);
            assert_eq!(t, want);
        }
    }
}
