//! AppRole: logging in, and an operator who issues and destroys secret-ids, wrapped where a lifetime is asked for.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Vault, denied, envelope, error, instant, presented,
    token::{Of, Token, span},
};
use crate::sandbox::twin::{Call, Reply};

#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) role_id: String,
    /// Prefixes of what its policy reads.
    pub(super) reads: Vec<String>,
    pub(super) ttl: i64,
    pub(super) max: i64,
    pub(super) batch: bool,
}

#[derive(Clone, Debug)]
pub(super) struct SecretId {
    role: String,
    accessor: String,
    created: DateTime<Utc>,
    ends: DateTime<Utc>,
    /// `None`: any number.
    left: Option<u64>,
}

const DAY: i64 = 86_400;

impl SecretId {
    pub(super) fn new(role: &str, accessor: String, now: DateTime<Utc>) -> SecretId {
        SecretId {
            role: role.to_owned(),
            accessor,
            created: now,
            // Years: the clock of a sandbox is moved about.
            ends: now + TimeDelta::days(3650),
            left: None,
        }
    }
}

pub(super) struct Wrap {
    data: Value,
    path: String,
    created: DateTime<Utc>,
    ttl: i64,
}

impl Wrap {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        now < self.created + TimeDelta::seconds(self.ttl)
    }
}

pub(super) fn login(vault: &mut Vault, mount: &str, call: &Call) -> Reply {
    if mount != "approle" {
        return denied();
    }
    let body = call.json().unwrap_or_default();
    let text = |key: &str| body[key].as_str().filter(|t| !t.is_empty());
    let Some(role_id) = text("role_id") else {
        return error(500, "missing role_id");
    };
    let Some(secret) = text("secret_id") else {
        return error(400, "missing secret_id");
    };
    // The same words whatever is wrong: no oracle for either.
    let wrong = || error(400, "invalid role or secret ID");
    let Some((name, role)) = vault.roles.iter().find(|(_, r)| r.role_id == role_id) else {
        return wrong();
    };
    let (name, role) = (name.clone(), role.clone());
    let Some(found) = vault.secret_ids.get_mut(secret) else {
        return wrong();
    };
    if found.role != name || found.ends <= call.now {
        return wrong();
    }
    if let Some(left) = &mut found.left {
        *left -= 1;
        if *left == 0 {
            vault.secret_ids.remove(secret);
        }
    }
    let kind = if role.batch { "hvb" } else { "hvs" };
    let text = format!("{kind}.{}", vault.fresh());
    let token = Token {
        of: Of::Role(name),
        accessor: if role.batch {
            String::new()
        } else {
            vault.fresh()[..24].to_owned()
        },
        entity: vault.fresh_id(),
        batch: role.batch,
        created: call.now,
        ttl: role.ttl,
        ends: call.now + TimeDelta::seconds(role.ttl),
        last: call.now + TimeDelta::seconds(role.max),
    };
    let auth = token.auth(&text, role.ttl);
    vault.tokens.insert(text, token);
    envelope(vault, json!({ "auth": auth }))
}

/// Looks without opening; needs no token.
pub(super) fn wrapped(vault: &mut Vault, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let token = body["token"].as_str().or_else(|| presented(call)).unwrap_or_default();
    match vault.wraps.get(token).filter(|w| w.lives(call.now)) {
        Some(w) => {
            let data = json!({"creation_path": w.path, "creation_time": instant(w.created), "creation_ttl": w.ttl});
            envelope(vault, json!({ "data": data }))
        }
        None => error(400, "wrapping token is not valid or does not exist"),
    }
}

/// Works once. The token is the one of the header: in the body alone it is nobody's.
pub(super) fn unwrap(vault: &mut Vault, call: &Call) -> Reply {
    let Some(token) = presented(call) else { return denied() };
    match vault.wraps.remove(token).filter(|w| w.lives(call.now)) {
        Some(w) => envelope(vault, json!({ "data": w.data })),
        None => error(400, "wrapping token is not valid or does not exist"),
    }
}

pub(super) fn administer(vault: &mut Vault, method: &str, name: &str, below: &[&str], call: &Call) -> Reply {
    let Some(role) = vault.roles.get(name).cloned() else {
        return Reply::json(404, &json!({"errors": []}));
    };
    let body = call.json().unwrap_or_default();
    match (method, below) {
        ("GET", ["role-id"]) => envelope(vault, json!({"data": {"role_id": role.role_id}})),
        ("POST" | "PUT", []) => {
            if let Some(role) = vault.roles.get_mut(name) {
                role.ttl = span(&body["token_ttl"]).unwrap_or(role.ttl);
                role.max = span(&body["token_max_ttl"]).unwrap_or(role.max);
                role.batch = body["token_type"].as_str().map_or(role.batch, |t| t == "batch");
            }
            Reply::empty(204)
        }
        ("POST" | "PUT", ["secret-id"]) => issue(vault, name, &body, call),
        ("POST" | "PUT", ["secret-id-accessor", "destroy"]) => {
            let accessor = body["secret_id_accessor"].as_str().unwrap_or_default();
            vault.secret_ids.retain(|_, s| s.accessor != accessor);
            Reply::empty(204)
        }
        ("POST" | "PUT", ["secret-id", "destroy"]) => {
            vault.secret_ids.remove(body["secret_id"].as_str().unwrap_or_default());
            Reply::empty(204)
        }
        ("POST" | "PUT", ["secret-id", "lookup"]) => {
            let found = vault
                .secret_ids
                .get(body["secret_id"].as_str().unwrap_or_default())
                .cloned();
            match found {
                Some(s) => envelope(
                    vault,
                    json!({"data": {"creation_time": instant(s.created), "expiration_time": instant(s.ends),
                        "secret_id_accessor": s.accessor, "secret_id_num_uses": s.left.unwrap_or(0), "cidr_list": [], "metadata": {}}}),
                ),
                None => Reply::empty(204),
            }
        }
        _ => Reply::empty(501),
    }
}

fn issue(vault: &mut Vault, role: &str, body: &Value, call: &Call) -> Reply {
    let (secret, accessor) = (vault.fresh_id(), vault.fresh_id());
    let ttl = span(&body["ttl"]).unwrap_or(DAY);
    let uses = body["num_uses"].as_u64().unwrap_or(0);
    let made = SecretId {
        left: (uses > 0).then_some(uses),
        ends: call.now + TimeDelta::seconds(ttl),
        ..SecretId::new(role, accessor.clone(), call.now)
    };
    vault.secret_ids.insert(secret.clone(), made);
    let data =
        json!({"secret_id": secret, "secret_id_accessor": accessor, "secret_id_num_uses": uses, "secret_id_ttl": ttl});
    let Some(life) = call.header("x-vault-wrap-ttl").and_then(|t| span(&t.into())) else {
        return envelope(vault, json!({ "data": data }));
    };
    let token = format!("hvs.{}", vault.fresh());
    let path = format!("auth/approle/role/{role}/secret-id");
    let info = json!({"token": token, "accessor": vault.fresh()[..24], "ttl": life, "creation_time": instant(call.now),
        "creation_path": path, "wrapped_accessor": accessor});
    let wrap = Wrap {
        data,
        path,
        created: call.now,
        ttl: life,
    };
    vault.wraps.insert(token, wrap);
    envelope(vault, json!({"wrap_info": info, "request_id": ""}))
}
