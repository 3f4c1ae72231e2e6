//! The twin of HashiCorp Vault: AppRole, key-value engines of both versions, response wrapping, a token's calls on itself.
//!
//! Written from Vault's API pages and a recording of a real server. Two roles, `jml` and `jml-write`, as the policies beside the
//! documents give them, and an operator who may do all. Secrets are kept over a restart; tokens, secret-ids and wrapping tokens are of
//! one start, as the credentials are. No namespaces, no listing.

mod approle;
mod kv;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    credentials::hex,
    merge,
    shape::Shape,
    twin::{Call, Reply, Twin, blank},
    world::{Credential, World},
};

const NAME: &str = "vault";
/// The key-value engines: mount and version.
const MOUNTS: [(&str, u8); 2] = [("jml", 2), ("old", 1)];

pub const TWIN: Twin = Twin {
    name: NAME,
    manners: &["sealed", "standby"],
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    endpoints,
    operation,
    here: |w| w.vault.is_some(),
    given: Some(&Shape::Table(&[])),
    secret: |right, random| match right {
        "all" => format!("hvs.{}", &random[..95]),
        _ => id(&hex(random, 32)),
    },
    more: &["role", "write-role", "dana"],
    section: |_| {
        json!({
            "mount": "jml",
            "read": {"role": "jml", "role_id": "file:vault.role", "secret_id": "file:vault.read"},
            "write": {"role": "jml-write", "role_id": "file:vault.write-role", "secret_id": "file:vault.write"},
        })
    },
    files: &["role", "write-role"],
    ..blank(NAME)
};

/// `8-4-4-4-12` of 32 digits.
fn id(digits: &str) -> String {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[derive(Default)]
pub struct Vault {
    sealed: bool,
    /// Logins are led to the active node: the same port under the name `localhost`.
    standby: bool,
    /// By mount and path: `jml/prod/okta`.
    secrets: BTreeMap<String, kv::Secret>,
    roles: BTreeMap<String, approle::Role>,
    secret_ids: BTreeMap<String, approle::SecretId>,
    /// User name to password.
    people: BTreeMap<String, String>,
    tokens: BTreeMap<String, token::Token>,
    wraps: BTreeMap<String, approle::Wrap>,
    /// What new ids are made of, with a count.
    seed: String,
    made: u64,
    changed: Vec<String>,
}

impl Vault {
    /// Letters that nobody outside can guess: the seed is of this start.
    fn fresh(&mut self) -> String {
        self.made += 1;
        ::hex::encode(Sha256::digest(format!("{}/{}", self.seed, self.made)))
    }
    fn fresh_id(&mut self) -> String {
        id(&self.fresh())
    }
}

/// Who asks.
enum Who {
    Operator,
    /// A role's token, by its text.
    Role(String),
}

fn error(status: u16, words: &str) -> Reply {
    Reply::json(status, &json!({ "errors": [words] }))
}

/// Of a token: missing, unknown, expired, revoked.
fn denied() -> Reply {
    error(403, "permission denied")
}

/// Of a policy, and of a path where nothing is mounted.
fn forbidden() -> Reply {
    error(403, "1 error occurred:\n\t* permission denied\n\n")
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// All eight keys, on every 200.
fn envelope(vault: &mut Vault, part: Value) -> Reply {
    let mut body = json!({"request_id": vault.fresh_id(), "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": null, "wrap_info": null, "warnings": null, "auth": null});
    for (key, value) in part.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    Reply::json(200, &body)
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut vault) = world.vault.take() else {
        return Reply::empty(501);
    };
    let manners = world.manners.get(NAME).cloned().unwrap_or_default();
    let (sealed, standby) = (
        vault.sealed || manners.contains("sealed"),
        vault.standby || manners.contains("standby"),
    );
    let known: Vec<String> = vault.tokens.keys().chain(vault.wraps.keys()).cloned().collect();
    let reply = route(&mut vault, call, world, sealed, standby);
    // The journal names what it knows: a token of Vault's is in headers and bodies.
    let fresh = vault
        .tokens
        .keys()
        .chain(vault.wraps.keys())
        .filter(|t| !known.contains(t));
    for secret in fresh.cloned().collect::<Vec<_>>() {
        world.credentials.push(Credential {
            system: NAME,
            name: format!("vault.token-{}", vault.made),
            secret,
            write: false,
        });
    }
    let changed = std::mem::take(&mut vault.changed);
    world.vault = Some(vault);
    for path in changed {
        world.touch(NAME, "secrets", &path);
    }
    reply.with("cache-control", "no-store")
}

fn route(vault: &mut Vault, call: &Call, world: &World, sealed: bool, standby: bool) -> Reply {
    let parts = call.parts();
    let Some((&"v1", below)) = parts.split_first() else {
        return Reply::json(404, &json!({"errors": []}));
    };
    if below.iter().any(|p| p.is_empty()) {
        let clean: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
        return Reply::empty(307).with("location", format!("/{}", clean.join("/")));
    }
    let method = call.method.as_str();
    match (method, below) {
        ("GET" | "HEAD", ["sys", "health"]) => return health(call, sealed, standby),
        ("GET", ["sys", "seal-status"]) => {
            return Reply::json(
                200,
                &json!({"type": "shamir", "initialized": true, "sealed": sealed, "t": 1, "n": 1, "progress": 0, "nonce": "",
                    "version": VERSION, "migration": false, "recovery_seal": false, "storage_type": "raft"}),
            );
        }
        _ if sealed => return error(503, "Vault is sealed"),
        ("POST" | "PUT", ["auth", _, "login"]) if standby && !call.header("host").is_some_and(local) => {
            let active = call.origin.replace("127.0.0.1", "localhost");
            return Reply::empty(307).with("location", format!("{active}{}", call.path));
        }
        ("POST" | "PUT", ["auth", "userpass", "login", name]) => return token::userpass(vault, name, call),
        ("POST" | "PUT", ["auth", mount, "login"]) => return approle::login(vault, mount, call),
        ("POST" | "PUT", ["sys", "wrapping", "lookup"]) => return approle::wrapped(vault, call),
        ("POST" | "PUT", ["sys", "wrapping", "unwrap"]) => return approle::unwrap(vault, call),
        _ => {}
    }
    if call
        .header("x-vault-namespace")
        .is_some_and(|n| !n.trim_matches('/').is_empty())
    {
        return error(404, "namespace not found");
    }
    let Some(who) = who(vault, call, world) else {
        return denied();
    };
    match (method, below) {
        (_, ["auth", "token", what]) => token::of_itself(vault, &who, method, what, call),
        ("POST" | "PUT", ["sys", "capabilities-self"]) => token::capabilities(vault, &who, call),
        (_, ["auth", "approle", "role", role, rest @ ..]) => match who {
            Who::Operator => approle::administer(vault, method, role, rest, call),
            Who::Role(_) => forbidden(),
        },
        ("GET", ["sys", "internal", "ui", "mounts", mount, rest @ ..]) => {
            kv::probe(vault, &who, mount, &rest.join("/"))
        }
        ("GET" | "POST" | "PUT" | "DELETE", [mount, rest @ ..]) if !["sys", "auth"].contains(mount) => {
            kv::answer(vault, &who, mount, rest, call)
        }
        _ => Reply::empty(501),
    }
}

fn local(host: &str) -> bool {
    host.split(':').next() == Some("localhost")
}

const VERSION: &str = "1.21.0";

fn health(call: &Call, sealed: bool, standby: bool) -> Reply {
    let standby = standby && !call.header("host").is_some_and(local);
    let body = json!({"initialized": true, "sealed": sealed, "standby": standby || sealed, "performance_standby": false,
        "replication_performance_mode": "disabled", "replication_dr_mode": "disabled", "server_time_utc": call.now.timestamp(),
        "version": VERSION, "cluster_name": "vault-cluster-acme", "cluster_id": "6b294800-29ef-3d83-9e92-ccbd7412d48d"});
    let status = match (sealed, standby && call.param("standbyok") != Some("true")) {
        (true, _) => 503,
        (false, true) => 429,
        (false, false) => 200,
    };
    if call.method == "HEAD" {
        return Reply::empty(status);
    }
    Reply::json(status, &body)
}

fn presented(call: &Call) -> Option<&str> {
    let bearer = || call.header("authorization").and_then(|a| a.strip_prefix("Bearer "));
    call.header("x-vault-token").or_else(bearer).filter(|t| !t.is_empty())
}

fn who(vault: &Vault, call: &Call, world: &World) -> Option<Who> {
    let token = presented(call)?;
    if world.credential(NAME, token).is_some_and(|c| c.name == "vault.all") {
        return Some(Who::Operator);
    }
    let lives = vault.tokens.get(token).is_some_and(|t| t.ends > call.now);
    lives.then(|| Who::Role(token.to_owned()))
}

impl Vault {
    /// May it, at this path as policies write it (`jml/data/prod/okta`)?
    fn may(&self, who: &Who, path: &str, capability: &str) -> bool {
        let token = match who {
            Who::Operator => return true,
            Who::Role(token) => token,
        };
        let Some(role) = self.tokens.get(token).and_then(|t| match &t.of {
            token::Of::Role(role) => self.roles.get(role),
            token::Of::Person(_) => None,
        }) else {
            return false;
        };
        capability == "read" && role.reads.iter().any(|prefix| path.starts_with(prefix.as_str()))
    }
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.vault = None;
        return Ok(());
    }
    let of = |name: &str| world.secret(name).unwrap_or_default().to_owned();
    let mut vault = Vault {
        seed: of("vault.all"),
        ..Vault::default()
    };
    for (name, role_id, secret_id, reads) in [
        (
            "jml",
            "vault.role",
            "vault.read",
            vec!["jml/data/prod/", "jml/metadata/prod/", "old/prod/"],
        ),
        (
            "jml-write",
            "vault.write-role",
            "vault.write",
            vec!["jml/data/prod-write/"],
        ),
    ] {
        let role = approle::Role {
            role_id: of(role_id),
            reads: reads.into_iter().map(str::to_owned).collect(),
            ttl: 600,
            max: 1800,
            batch: false,
        };
        vault.roles.insert(name.into(), role);
        let accessor = vault.fresh_id();
        vault
            .secret_ids
            .insert(of(secret_id), approle::SecretId::new(name, accessor, world.now));
    }
    vault.people.insert("dana".into(), of("vault.dana"));
    // What the firm keeps here of others: Datadog's keys.
    let keys = json!({"api_key": of("datadog.read"), "app_key": of("datadog.app")});
    let write = json!({"api_key": of("datadog.write")});
    for (path, data) in [("jml/prod/datadog", keys), ("jml/prod-write/datadog", write)] {
        vault
            .secrets
            .insert(path.into(), kv::Secret::first(data, world.now - TimeDelta::days(30)));
    }
    world.vault = Some(vault);
    Ok(())
}

/// What a secret holds is not shown: its versions are.
fn state(world: &World) -> Value {
    let Some(v) = &world.vault else { return Value::Null };
    let secrets: BTreeMap<&String, Value> = v.secrets.iter().map(|(path, s)| (path, s.metadata())).collect();
    let tokens: BTreeMap<&String, Value> = v
        .tokens
        .values()
        .map(|t| (&t.accessor, json!({"role": t.of.name(), "ends": instant(t.ends)})))
        .collect();
    json!({"sealed": v.sealed, "standby": v.standby, "secrets": secrets, "tokens": tokens})
}

fn entry(world: &World, list: &str, path: &str) -> Option<Value> {
    let v = world.vault.as_ref()?;
    match list {
        "secrets" => v.secrets.get(path).map(|s| json!(s)),
        "state" => Some(json!({"sealed": v.sealed, "standby": v.standby})),
        _ => None,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    sealed: Option<bool>,
    standby: Option<bool>,
    /// By accessor; `null` revokes.
    #[serde(default)]
    tokens: BTreeMap<String, Option<Value>>,
}

fn restore(world: &mut World, list: &str, path: &str, entry: Option<&Value>) -> Result<(), String> {
    let Some(v) = &mut world.vault else {
        return Err("vault: not in this world".into());
    };
    match (list, entry) {
        ("secrets", _) => merge::restore(&mut v.secrets, path, entry),
        ("state", Some(said)) => stand(v, said),
        _ => Err(format!("vault: unknown list {list}")),
    }
}

fn stand(vault: &mut Vault, said: &Value) -> Result<(), String> {
    let said: Standing = serde_json::from_value(said.clone()).map_err(|e| format!("vault: {e}"))?;
    vault.sealed = said.sealed.unwrap_or(vault.sealed);
    vault.standby = said.standby.unwrap_or(vault.standby);
    for (accessor, now) in said.tokens {
        if now.is_some() {
            return Err("vault: a token can only be taken away".into());
        }
        vault.tokens.retain(|_, t| accessor != "*" && t.accessor != accessor);
    }
    Ok(())
}

/// `sealed`, `standby`, and `tokens` by accessor, where null revokes (`*`: all of them).
fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let v = world.vault.as_mut().ok_or("vault: not in this world")?;
    stand(v, patch)?;
    world.touch(NAME, "state", "");
    Ok(())
}

fn endpoints(world: &World, _origin: &str) -> Value {
    json!({"role": "jml", "role_id": world.secret("vault.role"), "secret_id": world.secret("vault.read"),
        "mount": "jml", "prefix": "prod", "denied": "other/x"})
}

/// The name by which faults hit a call.
fn operation(_: &World, call: &Call) -> Option<String> {
    match (call.method.as_str(), &call.parts()[..]) {
        ("POST" | "PUT", ["v1", "auth", _, "login"]) => Some("login".into()),
        ("POST" | "PUT", ["v1", "auth", "token", "revoke-self"]) => Some("revoke".into()),
        ("POST" | "PUT", ["v1", "auth", "token", "renew-self"]) => Some("renew".into()),
        ("POST" | "PUT", ["v1", "sys", "wrapping", "unwrap"]) => Some("unwrap".into()),
        ("GET", ["v1", "jml", "data", path @ ..]) => Some(format!("read-secret:{}", path.join("/"))),
        _ => None,
    }
}
