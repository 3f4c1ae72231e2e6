//! What every twin is: a function from (world, request) to a reply, and a few more so that its state can be loaded, shown and changed.
//!
//! Synchronous and without sockets, so that tests can call a twin in memory, under virtual time, and a request is atomic: it holds the
//! world's lock for as long as it computes, never while it waits.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    faults::Seen,
    shape::Shape,
    world::{Provision, World},
};

/// One request as a twin sees it. Header names are lower case; segments are percent-decoded, the path is as received.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The servers' clock at this request.
    pub now: DateTime<Utc>,
    /// The twin's own origin, `http://127.0.0.1:PORT`, for absolute links.
    pub origin: String,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A header may come more than once (Link).
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Reply {
        Reply {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }
    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            ..Reply::default()
        }
    }
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }
    /// When to come again, where it is 429.
    pub fn again(self, header: &str, value: impl Into<String>) -> Reply {
        if self.status == 429 {
            self.with(header, value)
        } else {
            self
        }
    }
}

/// A row of the sandbox's table. `state`, `entry` and `patch` speak the shapes of `GET /state`: lists are objects by id.
pub struct Twin {
    /// The journal's `system` and the key in the endpoints file.
    pub name: &'static str,
    /// Of its address: `http`, or `ldap` where the twin speaks that.
    pub scheme: &'static str,
    /// May a world have more of them, each under a name of its own (`scim:wiki`)? Then `World::asked` says which is meant.
    pub many: bool,
    /// Ways of its own to differ, that a fault turns on (`scim:wiki:put-only`); `World::manners` says which are on.
    pub manners: &'static [&'static str],
    pub answer: fn(&mut World, &Call) -> Reply,
    /// Takes the system's part of a `given` world (null where it isn't named).
    pub load: fn(&mut World, &Value) -> Result<(), String>,
    /// The whole state, as `GET /state` shows it.
    pub state: fn(&World) -> Value,
    /// One entry (`users`, `00u…`) for the change log on disk, whole: also what `state` doesn't show. `None`: it is gone. Whatever must
    /// survive a restart (a rule that has yet to run, a token) is an entry of some list.
    pub entry: fn(&World, &str, &str) -> Option<Value>,
    /// Puts such an entry back as it was (`None`: takes it away), without side effects: no event, no rule, no touch.
    pub restore: fn(&mut World, &str, &str, Option<&Value>) -> Result<(), String>,
    /// RFC 7396 merge patch on the same shape.
    pub patch: fn(&mut World, &Value) -> Result<(), String>,
    /// What falls due as time passes (rules, provisioning, deactivation). Called with the clock before each request.
    pub tick: fn(&mut World, DateTime<Utc>),
    /// Further keys for the endpoints file, given the origin.
    pub endpoints: fn(&World, &str) -> Value,
    /// The logical name (DESIGN §9) of a mutating or reading call, `remove-member:ROLE-ENG`, for faults by name.
    pub operation: fn(&World, &Call) -> Option<String>,
    /// A refusal of that status in the vendor's own words, for faults by name. A vendor may not have the status: then what it says instead.
    pub refusal: fn(&Seen<'_>, u16) -> Reply,
    /// A call that isn't GET and changes nothing all the same, by method, path and body: a token, a query behind POST.
    pub asks: fn(&str, &str, &str) -> bool,
    /// Is it in this world? Else no port is opened for it, and nothing is configured.
    pub here: fn(&World) -> bool,
    /// What a world's file may say of it under `apps`; `None`: nothing.
    pub given: Option<&'static Shape>,
    /// A secret in the vendor's own form, of enough random letters.
    pub secret: fn(right: &str, random: &str) -> String,
    /// Credentials beside `read`, `write` and `all`.
    pub more: &'static [&'static str],
    /// What the file of its `read` or `write` credential holds; `None`: the secret itself.
    pub record: fn(&World, right: &str) -> Option<String>,
    /// Which of `more` have a file of their own beside the configuration, for its `section` to name.
    pub files: &'static [&'static str],
    /// Its section of the generated configuration, beside `url`, `read` and `write`.
    pub section: fn(&World) -> Value,
    /// Okta's push: an assignment that began or ended.
    pub provision: fn(&mut World, &Provision),
}

/// A refusal in plain words, for those whose vendor's words aren't known.
pub fn reason(status: u16) -> &'static str {
    match status {
        401 => "Invalid token provided",
        403 => "You do not have permission to perform the requested action",
        404 => "Not found: Resource not found: (sandbox fault)",
        429 => "API call exceeded rate limit due to too many requests.",
        _ => "Internal Server Error",
    }
}

/// What a twin says nothing of: every route is 501.
pub const fn blank(name: &'static str) -> Twin {
    Twin {
        name,
        scheme: "http",
        many: false,
        manners: &[],
        answer: |_, _| Reply::empty(501),
        load: |_, _| Ok(()),
        state: |_| Value::Null,
        entry: |_, _, _| None,
        restore: |_, _, _, _| Ok(()),
        patch: |_, _| Ok(()),
        tick: |_, _| {},
        endpoints: |_, _| Value::Null,
        operation: |_, _| None,
        refusal: |_, status| Reply::json(status, &json!({"errors": [reason(status)]})),
        asks: |_, _, _| false,
        here: |_| true,
        given: None,
        secret: |_, random| random.get(..86).unwrap_or(random).to_owned(),
        more: &[],
        record: |_, _| None,
        files: &[],
        section: |_| Value::Null,
        provision: |_, _| {},
    }
}
