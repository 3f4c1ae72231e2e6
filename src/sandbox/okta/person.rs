//! A person as Okta shows them: by id with the links that their status offers, in lists with less; and who a path segment means.

use serde_json::{Map, Value, json};

use super::error::{Refusal, missing};
use super::model::{Person, Status, stamp, stamp_or_null};
use super::{Ctx, Okta, auth, org, page};

/// Rendered in full: a get by id.
pub fn whole(ctx: &Ctx, p: &Person) -> Value {
    let mut v = listed(ctx, p);
    let own = format!("{}/api/v1/users/{}", ctx.call.origin, p.id);
    let mut links = json!({"self": {"href": own}, "schema": {"href": ctx.url(&format!("/api/v1/meta/schemas/user/{}", org::SCHEMA))},
        "type": {"href": ctx.url(&format!("/api/v1/meta/types/user/{}", org::USER_TYPE))}});
    if p.transition.is_none() {
        for (name, path, method) in offered(p.status) {
            links[*name] = json!({"href": format!("{own}{path}"), "method": method});
        }
    }
    v["_links"] = links;
    v
}

/// As lists show them.
pub fn listed(ctx: &Ctx, p: &Person) -> Value {
    let mut profile = p.profile.clone();
    for absent in ["mobilePhone", "secondEmail"] {
        profile.entry(absent).or_insert(Value::Null);
    }
    let mut v = json!({"id": p.id, "status": p.status.name(), "created": stamp(p.created), "activated": stamp_or_null(p.activated),
        "statusChanged": stamp_or_null(p.status_changed), "lastLogin": stamp_or_null(p.last_login), "lastUpdated": stamp(p.last_updated),
        "passwordChanged": stamp_or_null(p.password_changed), "type": {"id": org::USER_TYPE}, "profile": profile,
        "credentials": {"provider": {"type": p.provider, "name": p.provider}},
        "_links": {"self": {"href": format!("{}/api/v1/users/{}", ctx.call.origin, p.id)}}});
    if p.password_changed.is_some() {
        v["credentials"]["password"] = json!({});
    }
    if let Some(to) = p.transition {
        v["transitioningToStatus"] = to.name().into();
    }
    v
}

/// The lifecycle links of the vendor's recordings, a status.
fn offered(status: Status) -> &'static [(&'static str, &'static str, &'static str)] {
    const SUSPEND: (&str, &str, &str) = ("suspend", "/lifecycle/suspend", "POST");
    const DEACTIVATE: (&str, &str, &str) = ("deactivate", "/lifecycle/deactivate", "POST");
    const ACTIVATE: (&str, &str, &str) = ("activate", "/lifecycle/activate", "POST");
    const REACTIVATE: (&str, &str, &str) = ("reactivate", "/lifecycle/reactivate", "POST");
    const EXPIRE: (&str, &str, &str) = ("expirePassword", "/lifecycle/expire_password", "POST");
    const RESET: (&str, &str, &str) = ("resetPassword", "/lifecycle/reset_password", "POST");
    match status {
        Status::Staged => &[ACTIVATE],
        Status::Provisioned => &[SUSPEND, REACTIVATE, DEACTIVATE],
        Status::Active => &[SUSPEND, RESET, EXPIRE, DEACTIVATE],
        Status::PasswordExpired => &[SUSPEND, EXPIRE, DEACTIVATE],
        Status::Recovery => &[SUSPEND, REACTIVATE, DEACTIVATE],
        Status::LockedOut => &[("unlock", "/lifecycle/unlock", "POST"), DEACTIVATE],
        Status::Suspended => &[("unsuspend", "/lifecycle/unsuspend", "POST"), DEACTIVATE],
        Status::Deprovisioned => &[ACTIVATE, ("delete", "", "DELETE")],
    }
}

/// Weak, and of get by id alone.
pub fn etag(p: &Person) -> String {
    format!(
        "W/\"{:016x}\"",
        page::text_hash(&p.id) ^ p.version.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    )
}

/// Id, login in any case, or the part before `@` while only one person has it.
pub fn resolve(okta: &Okta, segment: &str) -> Result<String, Refusal> {
    if okta.users.contains_key(segment) {
        return Ok(segment.to_owned());
    }
    if segment == "me" {
        return Ok(auth::ADMIN.to_owned());
    }
    let folded = segment.to_lowercase();
    if let Some(id) = okta.logins.get(&folded) {
        return Ok(id.clone());
    }
    if !folded.contains('@') {
        let start = format!("{folded}@");
        let mut hits = okta
            .logins
            .range(start.clone()..)
            .take_while(|(login, _)| login.starts_with(&start));
        if let (Some((_, id)), None) = (hits.next(), hits.next()) {
            return Ok(id.clone());
        }
    }
    Err(missing(segment, "User"))
}

/// The tokens' own admin.
pub fn admin(ctx: &Ctx) -> Value {
    let login = "jml-service@acme.example";
    let own = ctx.url(&format!("/api/v1/users/{}", auth::ADMIN));
    let then = "2024-01-08T09:00:00.000Z";
    json!({"id": auth::ADMIN, "status": "ACTIVE", "created": then, "activated": then, "statusChanged": then, "lastLogin": null,
        "lastUpdated": then, "passwordChanged": then, "type": {"id": org::USER_TYPE},
        "profile": {"login": login, "email": login, "firstName": "Lifecycle", "lastName": "Service", "mobilePhone": null, "secondEmail": null},
        "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}}, "_links": {"self": {"href": own}}})
}

/// `fields=id,status,profile:(login,terminationDate)`; nothing where it isn't so written.
pub fn project(v: &Value, fields: &str) -> Option<Value> {
    let (plain, profile) = match fields.split_once("profile:(") {
        None => (fields.to_owned(), None),
        Some((before, rest)) => {
            let (inner, after) = rest.split_once(')')?;
            (format!("{before}{after}"), Some(inner))
        }
    };
    let mut out = Map::new();
    for name in plain.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        if name.contains(['(', ')', ':']) {
            return None;
        }
        if let Some(x) = v.get(name) {
            out.insert(name.to_owned(), x.clone());
        }
    }
    if let Some(inner) = profile {
        let all = v.get("profile")?;
        let part: Map<String, Value> = inner
            .split(',')
            .map(str::trim)
            .filter_map(|n| Some((n.to_owned(), all.get(n)?.clone())))
            .collect();
        out.insert("profile".into(), part.into());
    }
    out.insert("id".into(), v["id"].clone());
    Some(out.into())
}
