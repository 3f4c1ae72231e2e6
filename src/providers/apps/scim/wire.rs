//! What a SCIM server says, read leniently where servers vary (names without case, numbers as texts, a list without `Resources`) and
//! strictly where it matters: whose it is, whether it is active, whether the list is whole.

use serde_json::{Map, Value};

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind},
};

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A user or a group as it came.
#[derive(Clone, Debug)]
pub struct Resource(pub Map<String, Value>);

/// Names of attributes and URNs of schemas compare without case.
fn get<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v))
        .filter(|v| !v.is_null())
}

fn inside<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    get(value.as_object()?, name)
}

impl Resource {
    pub fn get(&self, name: &str) -> Option<&Value> {
        get(&self.0, name)
    }
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|t| !t.is_empty())
    }
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }
    /// `title`, `name.familyName`, `urn:...:User:manager.value`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let from = path.rfind(':').map_or(0, |i| i + 1);
        let mut value = match from {
            0 => None,
            _ => Some(self.get(&path[..from - 1])?),
        };
        for name in path[from..].split('.') {
            value = Some(match value {
                None => self.get(name)?,
                Some(v) => inside(v, name)?,
            });
        }
        value
    }
    /// `None`: it doesn't say. "False" in any case is false.
    pub fn active(&self) -> Option<bool> {
        match self.get("active")? {
            Value::Bool(b) => Some(*b),
            Value::String(t) => t.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        let list = self.get("emails").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|e| e.as_str().or_else(|| inside(e, "value")?.as_str()))
    }
    /// Ids of a group's members; `None`: it doesn't show them.
    pub fn members(&self) -> Option<Vec<&str>> {
        let list = self.get("members")?.as_array()?;
        Some(list.iter().filter_map(|m| inside(m, "value")?.as_str()).collect())
    }
    /// What the server calls it.
    pub fn name(&self) -> &str {
        self.text("displayName").or_else(|| self.id()).unwrap_or_default()
    }
}

/// One page of a list.
pub struct Part {
    pub items: Vec<Resource>,
    pub total: Option<usize>,
    pub next: Option<String>,
}

pub fn list(answer: &Answer, what: &str) -> Result<Part, Failure> {
    let body: Value = answer.json()?;
    let strange = |why: &str| Failure::contradiction(what, why).code(answer.status.to_string());
    let Some(map) = body.as_object() else {
        return Err(strange("answered with something other than a list of resources"));
    };
    let number = |v: &Value| v.as_u64().or_else(|| v.as_str()?.trim().parse().ok());
    let total = get(map, "totalResults")
        .and_then(number)
        .and_then(|n| usize::try_from(n).ok());
    let says = |urn: &str| schemas(map).any(|s| s.eq_ignore_ascii_case(urn));
    let items = match get(map, "Resources") {
        Some(Value::Array(list)) => list,
        Some(_) => return Err(strange("answered with a list that is none")),
        // an empty list may leave it out; a body that is no list does so too
        None if total == Some(0) || (says(LIST) && total.is_none()) => &Vec::new(),
        None => return Err(strange("answered with something other than a list of resources")),
    };
    let one = |v: &Value| v.as_object().cloned().map(Resource).filter(|r| r.id().is_some());
    let items: Option<Vec<Resource>> = items.iter().map(one).collect();
    Ok(Part {
        items: items.ok_or_else(|| strange("listed a resource without an id"))?,
        total,
        next: get(map, "nextCursor")
            .and_then(Value::as_str)
            .filter(|c| !c.is_empty())
            .map(str::to_owned),
    })
}

fn schemas(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let list = get(map, "schemas").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// The one that was asked for by id; another one is none.
pub fn one(answer: &Answer, id: &str, what: &str) -> Result<Resource, Failure> {
    let resource = Resource(answer.json()?);
    match resource.id() {
        Some(found) if found == id => Ok(resource),
        _ => Err(Failure::contradiction(
            what,
            "answered with another resource than the one asked for",
        )),
    }
}

/// The server itself says that it knows no such id; a proxy's 404 says nothing.
pub fn unknown(answer: &Answer, what: &str) -> Result<(), Failure> {
    match error(answer) {
        Some(_) => Ok(()),
        None => {
            Err(Failure::contradiction(what, "404, and not in SCIM's words: a proxy, or another address").code("404"))
        }
    }
}

/// `scimType` and `detail`.
pub fn error(answer: &Answer) -> Option<(Option<String>, String)> {
    let body: Value = answer.maybe()?;
    let map = body.as_object()?;
    let text = |name: &str| get(map, name).and_then(Value::as_str).map(str::to_owned);
    let detail = text("detail");
    let ours = schemas(map).any(|s| s.eq_ignore_ascii_case(ERROR));
    let alike = detail.is_some() && get(map, "status").is_some();
    if !(ours || alike) {
        return None;
    }
    Some((text("scimType"), detail.unwrap_or_default()))
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    if let Some((kind, detail)) = error(answer) {
        failure.code = kind.map(|k| sentence(&k)).or(failure.code);
        if !detail.is_empty() && failure.kind != Kind::Auth {
            failure.summary = format!("says: {}", sentence(&detail));
        }
    }
    // A feature that is off is no defect of ours: the section has a key for it.
    if answer.status == 501 {
        failure.kind = Kind::Permanent;
    }
    match answer.status {
        401 => failure.hint("the token is wrong, was revoked or has run out: put a new one in place"),
        403 => failure.hint("let the app's owner give the token the right, or put another token in place"),
        415 => failure.hint("set content_type = \"json\" in the system's section"),
        405 | 501 => failure.hint(
            "the server doesn't know this way: see filter, paging, deprovision and groups in the system's section",
        ),
        _ => failure,
    }
}

/// `userName eq "..."`, the value as JSON writes a text.
pub fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", Value::from(value))
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer::new(status, HeaderMap::new(), body.to_string())
    }

    #[test]
    fn names_fold_and_texts_may_be_flags() {
        let r = Resource(
            json!({"ID": "1", "ACTIVE": "False", "eMails": [{"Value": "a@x"}, "b@x"],
                "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"Manager": {"value": "m"}}})
            .as_object()
            .unwrap()
            .clone(),
        );
        assert_eq!((r.id(), r.active()), (Some("1"), Some(false)));
        assert_eq!(r.emails().collect::<Vec<_>>(), ["a@x", "b@x"]);
        assert_eq!(r.at(&format!("{ENTERPRISE}:manager.value")), Some(&json!("m")));
        assert_eq!(Resource(Map::new()).active(), None);
    }

    #[test]
    fn only_a_list_is_a_list() {
        for (body, want) in [
            (json!({"totalResults": 0}), Some(0)),
            (json!({"schemas": [LIST]}), Some(0)),
            (json!({"totalResults": "1", "Resources": [{"id": "a"}]}), Some(1)),
            (json!({"totalResults": 3}), None),
            (json!({}), None),
            (json!([]), None),
            (json!({"Resources": {}}), None),
            (json!({"Resources": [{"userName": "nobody's id"}]}), None),
        ] {
            let got = list(&answer(200, &body), "list").ok().map(|p| p.items.len());
            assert_eq!(got, want, "{body}");
        }
    }

    #[test]
    fn a_proxys_404_is_no_word_of_the_server() {
        assert!(unknown(&answer(404, &json!({"schemas": [ERROR], "status": "404"})), "read").is_ok());
        assert!(unknown(&answer(404, &json!({"detail": "no such user", "status": 404})), "read").is_ok());
        assert!(
            unknown(
                &answer(404, &json!({"status": 404, "message": "Resource not found"})),
                "read"
            )
            .is_err()
        );
    }

    #[test]
    fn a_value_can_not_leave_its_quotes() {
        assert_eq!(equals("userName", "q\"uo\\te"), r#"userName eq "q\"uo\\te""#);
        assert_eq!(equals("userName", "o'b\u{7}"), "userName eq \"o'b\\u0007\"");
    }
}
