//! Merge patch (RFC 7396) over a twin's lists, which `GET /state` shows as objects by id.
//!
//! `null` takes an entry away, an unknown id makes one with the defaults, and the key `*` stands for every entry that is there.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (key, part) in patch {
        if part.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), part);
        }
    }
}

/// Patches one list and says which ids it touched. Nothing is changed when any part doesn't fit.
pub fn entries<T: Serialize + DeserializeOwned>(
    list: &mut BTreeMap<String, T>,
    patch: &Value,
    made: impl Fn(&str) -> Value,
) -> Result<Vec<String>, String> {
    let patch = patch.as_object().ok_or("an object by id is wanted")?;
    let mut fresh: Vec<(String, Option<T>)> = Vec::new();
    for (key, part) in patch {
        let ids: Vec<String> = if key == "*" {
            list.keys().cloned().collect()
        } else {
            vec![key.clone()]
        };
        for id in ids {
            if part.is_null() {
                fresh.push((id, None));
                continue;
            }
            let mut whole = match list.get(&id) {
                Some(there) => serde_json::to_value(there).map_err(|e| e.to_string())?,
                None => made(&id),
            };
            merge(&mut whole, part);
            let entry = serde_json::from_value(whole).map_err(|e| format!("{id}: {e}"))?;
            fresh.push((id, Some(entry)));
        }
    }
    Ok(fresh
        .into_iter()
        .map(|(id, entry)| {
            match entry {
                Some(entry) => drop(list.insert(id.clone(), entry)),
                None => drop(list.remove(&id)),
            }
            id
        })
        .collect())
}

/// Puts one entry back as the change log has it; `None` takes it away.
pub fn restore<T: DeserializeOwned>(
    list: &mut BTreeMap<String, T>,
    id: &str,
    entry: Option<&Value>,
) -> Result<(), String> {
    match entry {
        Some(v) => drop(list.insert(
            id.into(),
            serde_json::from_value(v.clone()).map_err(|e| format!("{id}: {e}"))?,
        )),
        None => drop(list.remove(id)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list() -> BTreeMap<String, Value> {
        BTreeMap::from([
            ("a".into(), json!({"x": 1, "y": {"z": 2}})),
            ("b".into(), json!({"x": 3})),
        ])
    }

    #[test]
    fn null_takes_away_and_an_unknown_id_starts_from_the_defaults() {
        let mut l = list();
        let patch = json!({"a": {"x": null, "y": {"w": 4}}, "b": null, "c": {"x": 5}});
        let touched = entries(&mut l, &patch, |id| json!({"id": id})).unwrap();
        assert_eq!(touched, ["a", "b", "c"]);
        assert_eq!(l["a"], json!({"y": {"z": 2, "w": 4}}));
        assert!(!l.contains_key("b"));
        assert_eq!(l["c"], json!({"id": "c", "x": 5}));
    }

    #[test]
    fn a_star_stands_for_every_entry_that_is_there() {
        let mut l = list();
        entries(&mut l, &json!({"*": {"x": 9}}), |_| json!({})).unwrap();
        assert_eq!(
            (l["a"]["x"].clone(), l["b"]["x"].clone(), l.len()),
            (json!(9), json!(9), 2)
        );
    }

    #[test]
    fn one_bad_part_changes_nothing() {
        let mut l: BTreeMap<String, u32> = BTreeMap::from([("a".into(), 1)]);
        assert!(entries(&mut l, &json!({"a": 2, "b": "no number"}), |_| json!(0)).is_err());
        assert_eq!(l["a"], 1);
    }
}
