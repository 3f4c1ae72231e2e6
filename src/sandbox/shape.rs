//! A small checker of JSON against a table of shapes: strict (an unknown key is an error), and it names the path of the first fault.
//!
//! The tables themselves are in `given.rs`. It fills in no default and changes nothing.

use serde_json::Value;

/// What a value may be.
pub enum Shape {
    Any,
    /// What this build has no twin of.
    Never,
    Object,
    Bool,
    Text,
    /// A text that the function takes; the words say what it should be.
    Like(&'static str, fn(&str) -> bool),
    OneOf(&'static [&'static str]),
    /// A whole number, at least so large.
    Whole(i64),
    /// A text, a number, true, false, null, or a list of texts: what a profile attribute can be.
    Attribute,
    Null(&'static Shape),
    List(&'static Shape),
    /// An object of free keys that the function takes.
    Map(fn(&str) -> bool, &'static Shape),
    /// An object of known keys; those marked `!` are required.
    Table(&'static [(&'static str, &'static Shape)]),
    /// The first shape where the object has the key, else the second.
    Where(&'static str, &'static Shape, &'static Shape),
    /// By the text of the object's `kind`.
    Kind(&'static [(&'static str, &'static Shape)]),
    /// The first of them that fits.
    Either(&'static [&'static Shape]),
    /// A shape, and a rule over the whole value that says what is wrong with it.
    Also(&'static Shape, fn(&Value) -> Option<String>),
}

/// `Err`: the path of the fault and what is wrong there.
pub fn check(shape: &Shape, value: &Value, at: &str) -> Result<(), String> {
    let fault = |what: &str| Err(format!("{}: {what}", if at.is_empty() { "the world" } else { at }));
    match shape {
        Shape::Any => Ok(()),
        Shape::Never => fault("this version has no twin of it"),
        Shape::Object if value.is_object() => Ok(()),
        Shape::Object => fault("a table is wanted"),
        Shape::Bool if value.is_boolean() => Ok(()),
        Shape::Bool => fault("true or false is wanted"),
        Shape::Text if value.is_string() => Ok(()),
        Shape::Text => fault("a text is wanted"),
        Shape::Like(what, fits) => match value.as_str() {
            Some(text) if fits(text) => Ok(()),
            Some(text) => fault(&format!("{text:?} is not {what}")),
            None => fault(&format!("{what} is wanted")),
        },
        Shape::OneOf(words) => match value.as_str() {
            Some(text) if words.contains(&text) => Ok(()),
            _ => fault(&format!("{value} is none of {}", words.join(", "))),
        },
        Shape::Whole(least) => match value.as_i64() {
            Some(n) if n >= *least => Ok(()),
            _ => fault(&format!("{value} is not a whole number from {least}")),
        },
        Shape::Attribute => match value {
            Value::Object(_) => fault("a plain value or a list of texts is wanted"),
            Value::Array(list) if !list.iter().all(Value::is_string) => fault("a list of texts is wanted"),
            _ => Ok(()),
        },
        Shape::Null(_) if value.is_null() => Ok(()),
        Shape::Null(inner) => check(inner, value, at),
        Shape::List(inner) => {
            let Some(list) = value.as_array() else {
                return fault("a list is wanted");
            };
            list.iter()
                .enumerate()
                .try_for_each(|(i, v)| check(inner, v, &format!("{at}[{i}]")))
        }
        Shape::Map(fits, inner) => {
            let Some(map) = value.as_object() else {
                return fault("a table is wanted");
            };
            map.iter().try_for_each(|(k, v)| match fits(k) {
                true => check(inner, v, &below(at, k)),
                false => Err(format!("{}: unknown key", below(at, k))),
            })
        }
        Shape::Table(fields) => table(fields, value, at),
        Shape::Where(key, with, without) => check(if value.get(key).is_some() { with } else { without }, value, at),
        Shape::Kind(kinds) => match kinds.iter().find(|(k, _)| value["kind"].as_str() == Some(k)) {
            Some((_, inner)) => check(inner, value, at),
            None => fault("its kind is missing or unknown"),
        },
        Shape::Either(shapes) => {
            let mut last = Ok(());
            for s in *shapes {
                last = check(s, value, at);
                if last.is_ok() {
                    break;
                }
            }
            last
        }
        Shape::Also(inner, rule) => {
            check(inner, value, at)?;
            rule(value).map_or(Ok(()), |what| fault(&what))
        }
    }
}

fn table(fields: &[(&str, &Shape)], value: &Value, at: &str) -> Result<(), String> {
    let Some(map) = value.as_object() else {
        return Err(format!(
            "{}: a table is wanted",
            if at.is_empty() { "the world" } else { at }
        ));
    };
    for (key, inner) in map {
        match fields.iter().find(|(name, _)| name.trim_end_matches('!') == key) {
            Some((_, shape)) => check(shape, inner, &below(at, key))?,
            None => return Err(format!("{}: unknown key", below(at, key))),
        }
    }
    match fields
        .iter()
        .filter_map(|(name, _)| name.strip_suffix('!'))
        .find(|name| !map.contains_key(*name))
    {
        Some(missing) => Err(format!("{}: missing", below(at, missing))),
        None => Ok(()),
    }
}

fn below(at: &str, key: &str) -> String {
    let key = key.escape_debug();
    if at.is_empty() {
        key.to_string()
    } else {
        format!("{at}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INNER: Shape = Shape::Table(&[("id!", &Shape::Text), ("n", &Shape::Whole(1))]);
    const OUTER: Shape = Shape::Table(&[
        ("list", &Shape::List(&INNER)),
        ("map", &Shape::Map(|k| k.len() == 1, &Shape::Attribute)),
    ]);

    #[test]
    fn the_fault_is_named_by_its_path() {
        for (value, want) in [
            (
                json!({"list": [{"id": "a", "n": 1}], "map": {"k": ["x"], "j": null}}),
                "",
            ),
            (json!({"lost": 1}), "lost: unknown key"),
            (
                json!({"list": [{"id": "a"}, {"id": "b", "m": 1}]}),
                "list[1].m: unknown key",
            ),
            (json!({"list": [{"n": 1}]}), "list[0].id: missing"),
            (
                json!({"list": [{"id": "a", "n": 0}]}),
                "list[0].n: 0 is not a whole number from 1",
            ),
            (json!({"map": {"kk": 1}}), "map.kk: unknown key"),
            (json!({"map": {"k": [1]}}), "map.k: a list of texts is wanted"),
            (json!([]), "the world: a table is wanted"),
            (json!({"a\u{1b}": 1}), "a\\u{1b}: unknown key"),
        ] {
            assert_eq!(check(&OUTER, &value, "").err().unwrap_or_default(), want, "{value}");
        }
    }
}
