//! What a token may ask about itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Vault, Who, denied, envelope, error, instant};
use crate::sandbox::twin::{Call, Reply};

/// Whose it is.
#[derive(Clone, Debug)]
pub(super) enum Of {
    Role(String),
    /// By user name and password.
    Person(String),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) of: Of,
    pub(super) accessor: String,
    pub(super) entity: String,
    pub(super) batch: bool,
    pub(super) created: DateTime<Utc>,
    pub(super) ttl: i64,
    pub(super) ends: DateTime<Utc>,
    /// It can't be renewed beyond.
    pub(super) last: DateTime<Utc>,
}

impl Token {
    pub(super) fn auth(&self, token: &str, lease: i64) -> Value {
        let policies = self.policies();
        json!({"client_token": token, "accessor": self.accessor, "policies": policies,
            "token_policies": policies, "metadata": self.of.meta(), "lease_duration": lease,
            "renewable": !self.batch, "entity_id": self.entity, "token_type": if self.batch { "batch" } else { "service" },
            "orphan": true, "mfa_requirement": null, "num_uses": 0})
    }
    fn policies(&self) -> Vec<&str> {
        match &self.of {
            Of::Role(role) if role == "jml" => vec!["default", "jml-read"],
            Of::Role(role) => vec!["default", role],
            Of::Person(_) => vec!["default"],
        }
    }
}

impl Of {
    fn meta(&self) -> Value {
        match self {
            Of::Role(role) => json!({ "role_name": role }),
            Of::Person(name) => json!({ "username": name }),
        }
    }
    pub(super) fn name(&self) -> &str {
        match self {
            Of::Role(name) | Of::Person(name) => name,
        }
    }
    fn display(&self) -> String {
        match self {
            Of::Role(_) => "approle".into(),
            Of::Person(name) => format!("userpass-{name}"),
        }
    }
    fn path(&self) -> String {
        match self {
            Of::Role(_) => "auth/approle/login".into(),
            Of::Person(name) => format!("auth/userpass/login/{name}"),
        }
    }
}

/// `POST /v1/auth/userpass/login/{name}`: developer.hashicorp.com/vault/api-docs/auth/userpass
pub(super) fn userpass(vault: &mut Vault, name: &str, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let known = vault.people.get(name).filter(|p| body["password"] == p.as_str());
    if known.is_none() {
        return error(400, "invalid username or password");
    }
    let ttl = 3600;
    let text = format!("hvs.{}", vault.fresh());
    let token = Token {
        of: Of::Person(name.into()),
        accessor: vault.fresh()[..24].to_owned(),
        entity: vault.fresh_id(),
        batch: false,
        created: call.now,
        ttl,
        ends: call.now + TimeDelta::seconds(ttl),
        last: call.now + TimeDelta::seconds(ttl),
    };
    let auth = token.auth(&text, ttl);
    vault.tokens.insert(text, token);
    envelope(vault, json!({ "auth": auth }))
}

pub(super) fn of_itself(vault: &mut Vault, who: &Who, method: &str, what: &str, call: &Call) -> Reply {
    let Who::Role(text) = who else {
        return match (method, what) {
            ("GET", "lookup-self") => envelope(
                vault,
                json!({"data": {"display_name": "root", "path": "auth/token/root", "policies": ["root"], "ttl": 0, "creation_ttl": 0,
                    "renewable": false, "type": "service"}}),
            ),
            _ => Reply::empty(501),
        };
    };
    let Some(token) = vault.tokens.get(text).cloned() else {
        return denied();
    };
    let left = (token.ends - call.now).num_seconds();
    match (method, what) {
        ("GET", "lookup-self") => {
            let data = json!({"accessor": token.accessor, "creation_time": token.created.timestamp(), "creation_ttl": token.ttl,
                "display_name": token.of.display(), "entity_id": token.entity, "expire_time": instant(token.ends), "explicit_max_ttl": 0,
                "id": text, "issue_time": instant(token.created), "meta": token.of.meta(), "num_uses": 0, "orphan": true,
                "path": token.of.path(), "policies": token.policies(), "renewable": !token.batch,
                "ttl": left, "type": if token.batch { "batch" } else { "service" }});
            envelope(vault, json!({ "data": data }))
        }
        ("POST" | "PUT", "renew-self") if token.batch => error(400, "batch tokens cannot be renewed"),
        ("POST" | "PUT", "renew-self") => renew(vault, text, token, call),
        ("POST" | "PUT", "revoke-self") if token.batch => error(400, "batch tokens cannot be revoked"),
        ("POST" | "PUT", "revoke-self") => {
            vault.tokens.remove(text);
            Reply::empty(204)
        }
        _ => Reply::empty(501),
    }
}

fn renew(vault: &mut Vault, text: &str, mut token: Token, call: &Call) -> Reply {
    let asked = call.json().and_then(|b| span(&b["increment"]));
    let most = (token.last - call.now).num_seconds();
    let lease = asked.unwrap_or(token.ttl).min(most).max(0);
    let capped = asked.filter(|a| *a > most).map(|a| {
        format!("TTL of \"{a}s\" exceeded the effective max_ttl of \"{most}s\"; TTL value is capped accordingly")
    });
    token.ends = call.now + TimeDelta::seconds(lease);
    let auth = token.auth(text, lease);
    vault.tokens.insert(text.into(), token);
    envelope(vault, json!({"auth": auth, "warnings": capped.map(|w| [w])}))
}

/// `120s`, `30m`, `48h`, or seconds.
pub(super) fn span(value: &Value) -> Option<i64> {
    if let Some(n) = value.as_i64() {
        return Some(n);
    }
    let text = value.as_str()?;
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        _ => (text, 1),
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

pub(super) fn capabilities(vault: &mut Vault, who: &Who, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let Some(paths) = body["paths"].as_array() else {
        return error(400, "paths must be supplied");
    };
    let mut found = Map::new();
    for path in paths.iter().filter_map(Value::as_str) {
        let may = match who {
            Who::Operator => "root",
            Who::Role(_) if vault.may(who, path, "read") => "read",
            Who::Role(_) => "deny",
        };
        found.insert(path.to_owned(), json!([may]));
    }
    let mut whole = found.clone();
    whole.insert("data".into(), found.into());
    envelope(vault, whole.into())
}
