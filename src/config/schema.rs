//! The JSON Schema of jml.toml, published by `jml config schema`. What a system may be set to comes from the registry's rows.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use super::{Approvals, Http, Ledger, Roles, Roster, Sandbox, limits, policy};

/// A kind of system and the schema of its settings.
pub type Kind = (&'static str, fn(&mut SchemaGenerator) -> Schema);

pub fn schema(kinds: impl IntoIterator<Item = Kind>) -> Value {
    // Everything in its place: two providers may call their settings by one name.
    let mut generator = SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator();
    let (mut by_name, mut any) = (Map::new(), Vec::new());
    for (kind, settings) in kinds {
        let named = settings(&mut generator).to_value();
        by_name.insert(kind.to_owned(), with_kind(&named, kind, false));
        any.push(with_kind(&named, kind, true));
    }
    let systems = if any.is_empty() {
        Value::Bool(false)
    } else {
        json!({ "anyOf": any })
    };
    let root: Schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jml.toml",
        "type": "object",
        "additionalProperties": false,
        "required": ["policy"],
        "properties": {
            "systems": {
                "type": "object",
                "description": "One table a system. Its kind is its name, unless `kind` says otherwise.",
                "properties": by_name,
                "additionalProperties": systems
            },
            "roster": of::<Roster>(&mut generator),
            "policy": of::<policy::Raw>(&mut generator),
            "limits": of::<limits::RawLimits>(&mut generator),
            "protect": of::<limits::RawProtect>(&mut generator),
            "deadlines": of::<policy::RawDeadlines>(&mut generator),
            "groups": of::<policy::RawGroups>(&mut generator),
            "ledger": of::<Ledger>(&mut generator),
            "http": of::<Http>(&mut generator),
            "approvals": of::<Approvals>(&mut generator),
            "roles": of::<Roles>(&mut generator),
            "sandbox": of::<Sandbox>(&mut generator)
        }
    });
    root.to_value()
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// `kind` may stand in every system's table; where the table has another name it must.
fn with_kind(settings: &Value, kind: &str, required: bool) -> Value {
    let mut out = settings.clone();
    let Some(object) = out.as_object_mut() else { return out };
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("kind".into(), json!({ "const": kind }));
    }
    if required {
        let all = object.entry("required").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push("kind".into());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Settings {
        url: crate::config::BaseUrl,
        write: crate::config::SecretRef<crate::config::Write>,
    }

    fn fault(text: &str) -> Option<String> {
        let schema = schema([(
            "slack",
            (|g| g.subschema_for::<Settings>()) as fn(&mut SchemaGenerator) -> Schema,
        )]);
        let document: Value = toml::from_str(text).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let fault = validator.iter_errors(&document).next();
        fault.map(|e| e.to_string())
    }

    #[test]
    fn the_schema_takes_what_the_reader_takes() {
        let good = "[systems.slack]\nurl = \"https://a.example\"\nwrite = \"file:x\"\n[policy]\nzone = \"UTC\"\n\
            [[policy.rule]]\nwhen = { title = \"*\" }\nslack = [\"#a\"]\n[limits]\nleavers = \"25 or 2%\"\nmovers = 3\n\
            [roster]\nsource = \"csv\"\ncolumns = { id = \"ID\", manager_id = \"M\" }\n[protect]\npeople = [\"a\", { login = \"b\" }]\n";
        assert_eq!(fault(good), None);
        let chat = good.replace("[systems.slack]", "[systems.chat]\nkind = \"slack\"");
        assert_eq!(fault(&chat), None);
        for (from, to) in [
            ("[systems.slack]", "[systems.chat]"),
            ("file:x", "hunter2"),
            ("zone", "zon"),
            ("25 or 2%", "many"),
            ("slack = [\"#a\"]", "slack = 1"),
            ("[limits]", "[limit]"),
        ] {
            assert!(fault(&good.replace(from, to)).is_some(), "{to}");
        }
    }
}
