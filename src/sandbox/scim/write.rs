//! What a client sends, held against the table: whole resources, and PATCH operations (RFC 7644 section 3.5.2).
//!
//! Pure: from attributes to attributes. Whether a name is taken, whether the version fits, is asked elsewhere.

use serde_json::{Map, Value};

use super::{
    filter::Filter,
    schema::{self, At, Attribute, Kind, Type},
};

/// Status, `scimType`, and a sentence.
#[derive(Debug, PartialEq)]
pub struct Refused(pub u16, pub Option<&'static str>, pub String);

pub fn invalid(kind: &'static str, detail: impl Into<String>) -> Refused {
    Refused(400, Some(kind), detail.into())
}

/// The attributes of a POST or PUT body: what nobody knows or may write is left out.
pub fn whole(kind: Kind, body: &Value) -> Result<Map<String, Value>, Refused> {
    let body = body
        .as_object()
        .ok_or_else(|| invalid("invalidSyntax", "an object is wanted"))?;
    let mut out = Map::new();
    for (key, value) in body {
        set(kind, &mut out, key, value)?;
    }
    Ok(out)
}

/// Every required attribute is there.
pub fn complete(kind: Kind, attributes: &Map<String, Value>) -> Result<(), Refused> {
    let there = |a: &Attribute| {
        attributes
            .get(a.name)
            .and_then(Value::as_str)
            .is_some_and(|t| !t.is_empty())
    };
    match kind.attributes().iter().find(|a| a.required && !there(a)) {
        Some(a) => Err(invalid(
            "invalidValue",
            format!("Field '{}' is required but value is missing, null or empty", a.name),
        )),
        None => Ok(()),
    }
}

fn set(kind: Kind, out: &mut Map<String, Value>, key: &str, value: &Value) -> Result<(), Refused> {
    if let Some((urn, _)) = kind.extension()
        && key.eq_ignore_ascii_case(urn)
    {
        for (key, value) in value.as_object().into_iter().flatten() {
            set(kind, out, &format!("{urn}:{key}"), value)?;
        }
        return Ok(());
    }
    if let Some(at) = schema::find(kind, key).filter(|at| !at.attribute.read_only) {
        put(out, at, shaped(at.attribute, value)?);
    }
    Ok(())
}

/// An attribute as it is stored; `None`: nothing.
fn shaped(a: &'static Attribute, value: &Value) -> Result<Option<Value>, Refused> {
    if !a.many {
        return one(a, value);
    }
    let list = match value {
        Value::Array(list) => list.iter().map(|v| one(a, v)).collect::<Result<Vec<_>, _>>()?,
        single => vec![one(a, single)?],
    };
    let list: Vec<Value> = list.into_iter().flatten().collect();
    Ok((!list.is_empty()).then(|| list.into()))
}

fn one(a: &'static Attribute, value: &Value) -> Result<Option<Value>, Refused> {
    let wrong = || invalid("invalidValue", format!("'{}' takes no such value", a.name));
    Ok(match (a.kind, value) {
        (_, Value::Null) => None,
        (Type::Text, Value::String(_)) | (Type::Bool, Value::Bool(_)) => Some(value.clone()),
        (Type::Bool, Value::String(t)) => Some(t.to_ascii_lowercase().parse::<bool>().map_err(|_| wrong())?.into()),
        (Type::Complex, Value::Object(map)) => {
            let mut out = Map::new();
            for (key, value) in map {
                if let Some(part) = schema::part(a, key)
                    && let Some(value) = one(part, value)?
                {
                    out.insert(part.name.into(), value);
                }
            }
            (!out.is_empty()).then_some(out.into())
        }
        (Type::Complex, Value::String(_)) if schema::part(a, "value").is_some() => {
            Some(serde_json::json!({ "value": value }))
        }
        _ => return Err(wrong()),
    })
}

fn put(out: &mut Map<String, Value>, at: At, value: Option<Value>) {
    let name = at.attribute.name;
    match (at.under, value) {
        (None, Some(value)) => drop(out.insert(name.into(), value)),
        (None, None) => drop(out.remove(name)),
        (Some(urn), value) => {
            let mut inner = out.remove(urn).and_then(|v| v.as_object().cloned()).unwrap_or_default();
            match value {
                Some(value) => drop(inner.insert(name.into(), value)),
                None => drop(inner.remove(name)),
            }
            if !inner.is_empty() {
                out.insert(urn.into(), inner.into());
            }
        }
    }
}

fn get(whole: &Map<String, Value>, at: At) -> Option<&Value> {
    match at.under {
        Some(urn) => whole.get(urn)?.get(at.attribute.name),
        None => whole.get(at.attribute.name),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// What a path means: an attribute, those of its elements that a filter chooses, a part of it.
struct Target {
    at: At,
    chosen: Option<Filter>,
    part: Option<&'static Attribute>,
}

impl Target {
    fn read(kind: Kind, path: &str) -> Result<Target, Refused> {
        let unknown = || invalid("invalidPath", format!("'{path}' is not an attribute of the schema"));
        let (name, inside, rest) = match path.split_once('[') {
            Some((name, rest)) => {
                let (inside, rest) = rest.rsplit_once(']').ok_or_else(unknown)?;
                (name, Some(inside), rest)
            }
            None => (path, None, ""),
        };
        let from = name.rfind(':').map_or(0, |i| i + 1);
        let (name, part) = match (inside, name[from..].split_once('.')) {
            (None, Some((head, part))) => (&name[..from + head.len()], Some(part)),
            _ => (name, rest.strip_prefix('.')),
        };
        let at = schema::find(kind, name).ok_or_else(unknown)?;
        if at.attribute.read_only {
            return Err(invalid("mutability", format!("'{}' is read-only", at.attribute.name)));
        }
        let part = part
            .map(|p| schema::part(at.attribute, p).ok_or_else(unknown))
            .transpose()?;
        let chosen = inside
            .map(|text| Filter::within(at.attribute, text).map_err(|e| invalid("invalidFilter", e)))
            .transpose()?;
        if chosen.is_some() && !at.attribute.many {
            return Err(unknown());
        }
        Ok(Target { at, chosen, part })
    }
}

/// All operations or none.
pub fn patched(kind: Kind, before: &Map<String, Value>, body: &Value) -> Result<Map<String, Value>, Refused> {
    let operations = body
        .as_object()
        .and_then(|b| b.iter().find(|(k, _)| k.eq_ignore_ascii_case("Operations")))
        .and_then(|(_, v)| v.as_array())
        .filter(|list| !list.is_empty())
        .ok_or_else(|| invalid("invalidSyntax", "Operations is missing"))?;
    let mut after = before.clone();
    for operation in operations {
        let op = match operation["op"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "add" => Op::Add,
            "replace" => Op::Replace,
            "remove" => Op::Remove,
            other => return Err(invalid("invalidSyntax", format!("no operation {other:?}"))),
        };
        match operation["path"].as_str() {
            Some(path) => apply(kind, &mut after, op, path, &operation["value"])?,
            None if op == Op::Remove => return Err(invalid("noTarget", "a remove operation wants a path")),
            None => {
                let parts = operation["value"].as_object();
                let parts = parts.ok_or_else(|| invalid("invalidValue", "without a path the value is an object"))?;
                for (path, value) in parts {
                    apply(kind, &mut after, op, path, value)?;
                }
            }
        }
    }
    complete(kind, &after)?;
    Ok(after)
}

fn apply(kind: Kind, whole: &mut Map<String, Value>, op: Op, path: &str, value: &Value) -> Result<(), Refused> {
    if path.eq_ignore_ascii_case("schemas") {
        return Ok(()); // it follows from what is there
    }
    if let Some((urn, _)) = kind.extension()
        && path.eq_ignore_ascii_case(urn)
    {
        if op == Op::Remove {
            whole.remove(urn);
        }
        for (key, value) in value.as_object().into_iter().flatten().filter(|(k, _)| *k != "schemas") {
            apply(kind, whole, op, &format!("{urn}:{key}"), value)?;
        }
        return Ok(());
    }
    let target = Target::read(kind, path)?;
    if op == Op::Remove && !value.is_null() {
        // what some clients send for a member; a server that overlooks the value empties the list
        return Err(invalid(
            "invalidValue",
            "a remove operation carries no value, a filter in the path selects what to remove",
        ));
    }
    let there = get(whole, target.at).cloned();
    let new = if target.at.attribute.many {
        listed(&target, op, there, value)?
    } else {
        single(&target, op, there, value)?
    };
    put(whole, target.at, new);
    Ok(())
}

fn single(target: &Target, op: Op, there: Option<Value>, value: &Value) -> Result<Option<Value>, Refused> {
    let a = target.at.attribute;
    let Some(part) = target.part else {
        return match (op, shaped(a, value)?) {
            (Op::Remove, _) => Ok(None),
            (_, Some(Value::Object(new))) => Ok(Some(merged(there, new).into())),
            (_, new) => Ok(new),
        };
    };
    let mut object = there.and_then(|v| v.as_object().cloned()).unwrap_or_default();
    place(
        &mut object,
        part,
        if op == Op::Remove { None } else { one(part, value)? },
    );
    Ok((!object.is_empty()).then_some(object.into()))
}

fn merged(there: Option<Value>, new: Map<String, Value>) -> Map<String, Value> {
    let mut object = there.and_then(|v| v.as_object().cloned()).unwrap_or_default();
    object.extend(new);
    object
}

fn place(object: &mut Map<String, Value>, part: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(part.name.into(), value)),
        None => drop(object.remove(part.name)),
    }
}

fn listed(target: &Target, op: Op, there: Option<Value>, value: &Value) -> Result<Option<Value>, Refused> {
    let a = target.at.attribute;
    let mut list: Vec<Value> = there.and_then(|v| v.as_array().cloned()).unwrap_or_default();
    let hit = |e: &Value| {
        target
            .chosen
            .as_ref()
            .is_none_or(|f| e.as_object().is_some_and(|o| f.holds(o)))
    };
    match (op, target.part) {
        (Op::Remove, None) => list.retain(|e| !hit(e)),
        (_, Some(part)) => {
            let new = if op == Op::Remove { None } else { one(part, value)? };
            let mut met = false;
            for object in list.iter_mut().filter(|e| hit(e)).filter_map(Value::as_object_mut) {
                place(object, part, new.clone());
                met = true;
            }
            if !met && op == Op::Replace && target.chosen.is_some() {
                return Err(invalid("noTarget", "the filter in the path selects nothing"));
            }
        }
        (_, None) if target.chosen.is_some() => {
            let new = one(a, value)?.and_then(|v| v.as_object().cloned()).unwrap_or_default();
            let mut met = false;
            for element in list.iter_mut().filter(|e| hit(e)) {
                *element = merged(Some(element.take()), new.clone()).into();
                met = true;
            }
            if !met {
                return Err(invalid("noTarget", "the filter in the path selects nothing"));
            }
        }
        (Op::Replace, None) => return shaped(a, value),
        (_, None) => {
            let new = shaped(a, value)?
                .and_then(|v| v.as_array().cloned())
                .unwrap_or_default();
            let key = |e: &Value| e.get("value").cloned();
            for element in new {
                if !list
                    .iter()
                    .any(|e| *e == element || (key(e).is_some() && key(e) == key(&element)))
                {
                    list.push(element);
                }
            }
        }
    }
    Ok((!list.is_empty()).then(|| list.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user() -> Map<String, Value> {
        whole(
            Kind::User,
            &json!({"USERNAME": "bob", "active": "True", "nosuch": 1, "id": "mine", "emails": [{"value": "b@x", "type": "work"}],
                schema::ENTERPRISE: {"department": "Sales", "manager": {"value": "m"}}}),
        )
        .unwrap()
    }

    fn change(kind: Kind, from: &Map<String, Value>, operation: Value) -> Result<Value, (u16, Option<&'static str>)> {
        patched(kind, from, &json!({ "Operations": [operation] }))
            .map(Value::from)
            .map_err(|r| (r.0, r.1))
    }

    #[test]
    fn names_fold_and_what_is_not_the_clients_is_left_out() {
        assert_eq!(
            Value::from(user()),
            json!({"userName": "bob", "active": true, "emails": [{"value": "b@x", "type": "work"}],
                schema::ENTERPRISE: {"department": "Sales", "manager": {"value": "m"}}})
        );
    }

    #[test]
    fn every_form_of_active_is_understood() {
        for operation in [
            json!({"op": "replace", "path": "active", "value": false}),
            json!({"op": "Replace", "path": "active", "value": "False"}),
            json!({"op": "replace", "value": {"active": false}}),
            json!({"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false}),
        ] {
            assert_eq!(
                change(Kind::User, &user(), operation.clone()).unwrap()["active"],
                false,
                "{operation}"
            );
        }
        let maybe = json!({"op": "replace", "path": "active", "value": "maybe"});
        assert_eq!(change(Kind::User, &user(), maybe), Err((400, Some("invalidValue"))));
    }

    #[test]
    fn parts_and_chosen_elements_are_reached() {
        let department = format!("{}:department", schema::ENTERPRISE);
        let after = change(
            Kind::User,
            &user(),
            json!({"op": "replace", "path": department, "value": "Finance"}),
        )
        .unwrap();
        assert_eq!(
            after[schema::ENTERPRISE],
            json!({"department": "Finance", "manager": {"value": "m"}})
        );
        let work = json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "c@x"});
        assert_eq!(
            change(Kind::User, &user(), work).unwrap()["emails"][0],
            json!({"value": "c@x", "type": "work"})
        );
        for (operation, why) in [
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "c@x"}),
                "noTarget",
            ),
            (json!({"op": "replace", "path": "nosuch", "value": 1}), "invalidPath"),
            (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
            (json!({"op": "remove", "path": "userName"}), "invalidValue"),
            (json!({"op": "remove"}), "noTarget"),
            (json!({"op": "swap", "path": "active"}), "invalidSyntax"),
        ] {
            assert_eq!(
                change(Kind::User, &user(), operation.clone()),
                Err((400, Some(why))),
                "{operation}"
            );
        }
    }

    #[test]
    fn a_member_comes_once_goes_alone_and_is_never_taken_by_a_bare_value() {
        let group = whole(
            Kind::Group,
            &json!({"displayName": "G", "members": [{"value": "a"}, {"value": "b"}]}),
        )
        .unwrap();
        let members = |operation| change(Kind::Group, &group, operation).map(|g| g["members"].clone());
        let one = json!([{"value": "a"}]);
        assert_eq!(
            members(json!({"op": "remove", "path": "members[value eq \"b\"]"})),
            Ok(one)
        );
        assert_eq!(
            members(json!({"op": "remove", "path": "members[value eq \"c\"]"})),
            Ok(group["members"].clone())
        );
        assert_eq!(
            members(json!({"op": "add", "path": "members", "value": [{"value": "b"}]})),
            Ok(group["members"].clone())
        );
        assert_eq!(members(json!({"op": "remove", "path": "members"})), Ok(Value::Null));
        let bare = json!({"op": "remove", "path": "members", "value": [{"value": "a"}]});
        assert_eq!(members(bare), Err((400, Some("invalidValue"))));
    }
}
