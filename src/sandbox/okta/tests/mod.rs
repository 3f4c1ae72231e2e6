//! Each row of what the twin must mimic, by calls on `answer` under a clock that only the test moves.

mod access;
mod groups;
mod log;
mod token;
mod users;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::TWIN;
use super::model::Time;
use crate::sandbox::twin::{Call, Reply};
use crate::sandbox::world::{Credential, World};

const ORIGIN: &str = "http://127.0.0.1:9";
const ANA: &str = "00u00000000000000001";
const BO: &str = "00u00000000000000002";
const ROOT: &str = "00u00000000000000009";
const ENG: &str = "00g000000000000000EN";
const AD: &str = "00g000000000000000AD";
const EVERYONE: &str = "00g000000000000000EV";
const JIRA: &str = "0oa0000000000000JIRA";

pub struct Org {
    pub w: World,
    pub auth: String,
    pub headers: Vec<(String, String)>,
}

pub struct Got {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Got {
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .collect()
    }
    pub fn code(&self) -> (u16, &str) {
        (self.status, self.body["errorCode"].as_str().unwrap_or_default())
    }
    pub fn ids(&self) -> Vec<&str> {
        self.body
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v["id"].as_str())
            .collect()
    }
    pub fn next(&self) -> Option<String> {
        let link = self.all("link").into_iter().find(|l| l.ends_with("rel=\"next\""))?;
        Some(
            link.trim_start_matches('<')
                .split('>')
                .next()?
                .trim_start_matches(ORIGIN)
                .to_owned(),
        )
    }
}

impl Org {
    /// Ana (Engineering), Bo, a super admin and five quiet people; groups of each type; Jira by ROLE-ENG.
    pub fn with(extra: Value) -> Org {
        let mut given = json!({"users": [
            {"id": ANA, "profile": {"login": "ana.ruiz@acme.example", "department": "Engineering", "terminationDate": "2026-07-14"},
                "groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG", "AD-Finance"], "grants": 3},
            {"id": BO, "profile": {"login": "bo.ng@acme.example"}, "groups": []},
            {"id": ROOT, "profile": {"login": "root@acme.example"}, "roles": ["SUPER_ADMIN"]}],
            "groups": [{"id": ENG, "name": "ROLE-ENG"}, {"id": AD, "name": "AD-Finance", "type": "APP_GROUP"},
                {"id": EVERYONE, "name": "Everyone", "type": "BUILT_IN"}, {"id": "00g000000000000000EL", "name": "ROLE-ENG-LEADS"}],
            "apps": [{"id": JIRA, "label": "Jira", "groups": ["ROLE-ENG"], "provisions": "scim:jira"}]});
        for (k, v) in extra.as_object().into_iter().flatten() {
            match given[k].as_array_mut() {
                Some(list) => list.extend(v.as_array().into_iter().flatten().cloned()),
                None => given[k] = v.clone(),
            }
        }
        let now: Time = "2026-07-15T05:05:00Z".parse().unwrap();
        let credential = |right: &str| Credential {
            system: "okta",
            name: format!("okta.{right}"),
            secret: format!("secret-{right}"),
            write: right != "read",
        };
        let mut w = World {
            now,
            set_at: now,
            given: json!({"population": {"people": 5}, "okta": given}),
            credentials: ["read", "write", "all"].map(credential).to_vec(),
            ..World::default()
        };
        (TWIN.load)(&mut w, &given).unwrap();
        Org {
            w,
            auth: "SSWS secret-all".into(),
            headers: Vec::new(),
        }
    }

    pub fn new() -> Org {
        Org::with(json!({}))
    }

    pub fn raw(&mut self, method: &str, target: &str, body: &[u8]) -> Got {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = |s: &str| percent_encoding::percent_decode_str(s).decode_utf8_lossy().into_owned();
        let mut headers = self.headers.clone();
        if !self.auth.is_empty() {
            headers.push(("authorization".into(), self.auth.clone()));
        }
        let call = Call {
            method: method.into(),
            path: path.into(),
            segments: path.trim_start_matches('/').split('/').map(decoded).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body: body.to_vec(),
            now: self.w.now,
            origin: ORIGIN.into(),
        };
        (TWIN.tick)(&mut self.w, call.now);
        let Reply { status, headers, body } = (TWIN.answer)(&mut self.w, &call);
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Got { status, headers, body }
    }

    pub fn call(&mut self, method: &str, target: &str) -> Got {
        self.raw(method, target, b"")
    }
    pub fn send(&mut self, method: &str, target: &str, body: Value) -> Got {
        self.raw(method, target, body.to_string().as_bytes())
    }
    pub fn get(&mut self, path: &str) -> Got {
        self.call("GET", &format!("/api/v1{path}"))
    }
    pub fn post(&mut self, path: &str) -> Got {
        self.call("POST", &format!("/api/v1{path}"))
    }
    pub fn find(&mut self, what: &str, query: &str) -> Got {
        let q: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        self.get(&format!("/users?{what}={q}"))
    }
    pub fn pass(&mut self, ms: i64) {
        self.w.now += TimeDelta::milliseconds(ms);
        let now = self.w.now;
        (TWIN.tick)(&mut self.w, now);
    }
    pub fn status(&mut self, id: &str) -> String {
        self.get(&format!("/users/{id}")).body["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }
    pub fn in_group(&mut self, gid: &str, uid: &str) -> bool {
        self.get(&format!("/users/{uid}/groups")).ids().contains(&gid)
    }
    pub fn events(&mut self, kind: &str) -> Vec<Value> {
        let q: String = url::form_urlencoded::byte_serialize(format!("eventType eq \"{kind}\"").as_bytes()).collect();
        self.get(&format!("/logs?limit=1000&filter={q}"))
            .body
            .as_array()
            .cloned()
            .unwrap_or_default()
    }
    pub fn state(&self) -> Value {
        (TWIN.state)(&self.w)
    }
}

pub const RULE: &str = "0pr000000000000000R1";

pub fn ruled(expression: &str, more: Value) -> Org {
    let mut extra = json!({"rules": [{"id": RULE, "name": "R1", "expression": expression, "groups": ["ROLE-SALES"]}]});
    extra
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    Org::with(extra)
}

pub fn group_called(o: &mut Org, name: &str) -> String {
    let got = o.get(&format!("/groups?search=profile.name+eq+%22{name}%22"));
    assert_eq!(got.ids().len(), 1);
    got.ids()[0].to_owned()
}
