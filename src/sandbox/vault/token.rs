//! What a token may ask about itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Vault, Who, denied, envelope, error, instant};
use crate::sandbox::twin::{Call, Reply};

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) role: String,
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
        json!({"client_token": token, "accessor": self.accessor, "policies": ["default", self.policy()],
            "token_policies": ["default", self.policy()], "metadata": {"role_name": self.role}, "lease_duration": lease,
            "renewable": !self.batch, "entity_id": self.entity, "token_type": if self.batch { "batch" } else { "service" },
            "orphan": true, "mfa_requirement": null, "num_uses": 0})
    }
    fn policy(&self) -> &str {
        if self.role == "jml" { "jml-read" } else { &self.role }
    }
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
                "display_name": "approle", "entity_id": token.entity, "expire_time": instant(token.ends), "explicit_max_ttl": 0,
                "id": text, "issue_time": instant(token.created), "meta": {"role_name": token.role}, "num_uses": 0, "orphan": true,
                "path": "auth/approle/login", "policies": ["default", token.policy()], "renewable": !token.batch,
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
