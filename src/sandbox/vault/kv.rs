//! The key-value engines. Version 2 keeps versions, and says of a deleted one that it is there no more without calling it an error.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{MOUNTS, Vault, Who, envelope, error, forbidden, instant};
use crate::sandbox::twin::{Call, Reply};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    created: DateTime<Utc>,
    /// The first is version 1.
    versions: Vec<Version>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    data: Value,
    created: DateTime<Utc>,
    #[serde(default)]
    deleted: Option<DateTime<Utc>>,
    #[serde(default)]
    destroyed: bool,
}

impl Version {
    fn new(data: Value, created: DateTime<Utc>) -> Version {
        Version {
            data,
            created,
            deleted: None,
            destroyed: false,
        }
    }
    fn shown(&self, number: usize) -> Value {
        json!({"created_time": instant(self.created), "custom_metadata": null, "deletion_time": self.deletion(),
            "destroyed": self.destroyed, "version": number})
    }
    fn deletion(&self) -> String {
        self.deleted.map_or(String::new(), instant)
    }
}

impl Secret {
    pub(super) fn first(data: Value, created: DateTime<Utc>) -> Secret {
        Secret {
            created,
            versions: vec![Version::new(data, created)],
        }
    }
    pub(super) fn metadata(&self) -> Value {
        let versions: serde_json::Map<String, Value> = self
            .versions
            .iter()
            .enumerate()
            .map(|(n, v)| {
                let shown = json!({"created_time": instant(v.created), "deletion_time": v.deletion(), "destroyed": v.destroyed});
                ((n + 1).to_string(), shown)
            })
            .collect();
        let updated = self.versions.last().map_or(self.created, |v| v.created);
        json!({"current_version": self.versions.len(), "oldest_version": 1, "created_time": instant(self.created),
            "updated_time": instant(updated), "max_versions": 0, "cas_required": false, "delete_version_after": "0s",
            "custom_metadata": null, "versions": versions})
    }
}

fn none() -> Reply {
    Reply::json(404, &json!({"errors": []}))
}

pub(super) fn answer(vault: &mut Vault, who: &Who, mount: &str, below: &[&str], call: &Call) -> Reply {
    let version = MOUNTS.iter().find(|(m, _)| *m == mount).map(|(_, v)| *v);
    let path = below.join("/");
    let full = format!("{mount}/{path}");
    let reads = call.method == "GET";
    if !vault.may(who, &full, if reads { "read" } else { "update" }) {
        return forbidden();
    }
    match (version, below) {
        (None, _) => error(404, &format!("no handler for route \"{full}\". route entry not found.")),
        (Some(1), _) => one(vault, &full, call),
        (
            Some(_),
            [
                what @ ("data" | "metadata" | "delete" | "undelete" | "destroy"),
                rest @ ..,
            ],
        ) if !rest.is_empty() => two(vault, mount, what, &rest.join("/"), call),
        (Some(_), _) => {
            let warning = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. \
                If using the Vault CLI, use 'vault kv get' for this operation.";
            let mut reply = envelope(vault, json!({"warnings": [warning]}));
            reply.status = 404;
            reply
        }
    }
}

fn one(vault: &mut Vault, full: &str, call: &Call) -> Reply {
    match call.method.as_str() {
        "GET" => match vault.secrets.get(full).and_then(|s| s.versions.last()) {
            Some(v) => {
                let data = v.data.clone();
                envelope(vault, json!({"lease_duration": 2_764_800, "data": data}))
            }
            None => none(),
        },
        "DELETE" => {
            vault.secrets.remove(full);
            vault.changed.push(full.into());
            Reply::empty(204)
        }
        _ => {
            let Some(data) = call.json().filter(Value::is_object) else {
                return error(400, "missing data fields");
            };
            vault.secrets.insert(full.into(), Secret::first(data, call.now));
            vault.changed.push(full.into());
            Reply::empty(204)
        }
    }
}

fn two(vault: &mut Vault, mount: &str, what: &str, path: &str, call: &Call) -> Reply {
    let key = format!("{mount}/{path}");
    match (call.method.as_str(), what) {
        ("GET", "data") => read(vault, &key, call),
        ("GET", "metadata") => match vault.secrets.get(&key).map(Secret::metadata) {
            Some(data) => envelope(vault, json!({ "data": data })),
            None => none(),
        },
        ("POST" | "PUT", "data") => {
            let Some(data) = call.json().map(|b| b["data"].clone()).filter(Value::is_object) else {
                return error(400, "no data provided");
            };
            let secret = vault.secrets.entry(key.clone()).or_insert_with(|| Secret {
                created: call.now,
                versions: vec![],
            });
            secret.versions.push(Version::new(data, call.now));
            let number = secret.versions.len();
            let shown = secret.versions[number - 1].shown(number);
            vault.changed.push(key);
            envelope(vault, json!({ "data": shown }))
        }
        ("DELETE", "data") => {
            if let Some(last) = vault.secrets.get_mut(&key).and_then(|s| s.versions.last_mut()) {
                last.deleted.get_or_insert(call.now);
                vault.changed.push(key);
            }
            Reply::empty(204)
        }
        ("POST" | "PUT", "delete" | "undelete" | "destroy") => {
            let wanted = call.json().unwrap_or_default();
            for n in wanted["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_u64)
            {
                let at = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
                let found = vault
                    .secrets
                    .get_mut(&key)
                    .zip(at)
                    .and_then(|(s, n)| s.versions.get_mut(n));
                let Some(version) = found else { continue };
                match what {
                    "delete" => drop(version.deleted.get_or_insert(call.now)),
                    "undelete" => version.deleted = None,
                    _ => {
                        version.destroyed = true;
                        version.data = Value::Null;
                    }
                }
            }
            vault.changed.push(key);
            Reply::empty(204)
        }
        ("DELETE", "metadata") => {
            vault.secrets.remove(&key);
            vault.changed.push(key);
            Reply::empty(204)
        }
        _ => Reply::empty(501),
    }
}

fn read(vault: &mut Vault, key: &str, call: &Call) -> Reply {
    let Some(secret) = vault.secrets.get(key) else {
        return none();
    };
    let asked = call
        .param("version")
        .and_then(|v| v.parse::<usize>().ok())
        .filter(|v| *v > 0);
    let number = asked.unwrap_or(secret.versions.len());
    let Some(version) = number.checked_sub(1).and_then(|n| secret.versions.get(n)) else {
        return none();
    };
    let gone = version.destroyed || version.deleted.is_some();
    let data = if gone { Value::Null } else { version.data.clone() };
    let shown = version.shown(number);
    let mut reply = envelope(vault, json!({"data": {"data": data, "metadata": shown}}));
    if gone {
        reply.status = 404;
    }
    reply
}

/// Which version an engine has, for whoever may read below it.
pub(super) fn probe(vault: &mut Vault, who: &Who, mount: &str, path: &str) -> Reply {
    let version = MOUNTS.iter().find(|(m, _)| *m == mount).map(|(_, v)| *v);
    let may = ["data/", ""]
        .iter()
        .any(|d| vault.may(who, &format!("{mount}/{d}{path}"), "read"));
    match version.filter(|_| may) {
        Some(v) => envelope(
            vault,
            json!({"data": {"type": "kv", "path": format!("{mount}/"), "options": {"version": v.to_string()}}}),
        ),
        None => error(
            403,
            &format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path \"{mount}/{path}/\""
            ),
        ),
    }
}
