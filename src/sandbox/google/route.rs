//! Who calls, may they, which method: each method's scopes as the discovery documents list them.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Google, NAME, forbidden, groups, not_found, refuse, token, transfers, users};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

/// Queries a minute where nobody set another rate.
const A_MINUTE: u32 = 2400;

/// Who calls: an administrator, by a token that carries scopes.
pub(super) struct Caller {
    scopes: Scopes,
    /// May touch other administrators.
    pub super_admin: bool,
}

enum Scopes {
    All,
    /// Of the ready read token.
    Reading,
    These(BTreeSet<String>),
}

impl Caller {
    fn has(&self, any: &[&str]) -> bool {
        match &self.scopes {
            Scopes::All => true,
            Scopes::Reading => any.iter().any(|s| s.ends_with(".readonly")),
            Scopes::These(have) => any.iter().any(|s| have.contains(&format!("{}{s}", token::PREFIX))),
        }
    }
}

/// Runs one call on the workspace and notes what it changed.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut google) = world.google.take() else {
        return Reply::empty(501);
    };
    let reply = match (call.method.as_str(), &call.parts()[..]) {
        ("POST", ["token"]) => token::mint(&mut google, call),
        (_, ["admin", "directory" | "datatransfer", ..]) => {
            served(&mut google, world, call).unwrap_or_else(|refused| refused)
        }
        _ => Reply::empty(501),
    };
    let changed = std::mem::take(&mut google.changed);
    world.google = Some(google);
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    reply
}

fn served(google: &mut Google, world: &World, call: &Call) -> Result<Reply, Reply> {
    let caller = caller(google, world, call)?;
    limited(google, world, call)?;
    let parts = call.parts();
    let directory = ["admin", "directory", "v1"];
    let transfer = ["admin", "datatransfer", "v1"];
    let method = call.method.as_str();
    if let Some(rest) = parts.strip_prefix(&directory[..]) {
        let Some(scopes) = scopes(method, rest) else {
            return Ok(Reply::empty(501));
        };
        admit(&caller, scopes)?;
        return match rest {
            ["users", ..] => users::answer(google, &caller, call, &rest[1..]),
            ["groups", ..] => groups::answer(google, call, &rest[1..]),
            ["customers", key] if *key == google.customer || *key == "my_customer" => Ok(Reply::json(
                200,
                &json!({"kind": "admin#directory#customer", "id": google.customer, "customerDomain": "acme.example"}),
            )),
            _ => Err(not_found("customerKey")),
        };
    }
    match parts.strip_prefix(&transfer[..]) {
        Some(rest) => {
            let write = method != "GET";
            admit(
                &caller,
                if write {
                    &["admin.datatransfer"]
                } else {
                    &["admin.datatransfer", "admin.datatransfer.readonly"]
                },
            )?;
            transfers::answer(google, call, rest)
        }
        None => Ok(Reply::empty(501)),
    }
}

/// `None`: no method of ours.
fn scopes(method: &str, rest: &[&str]) -> Option<&'static [&'static str]> {
    Some(match (method, rest) {
        ("GET", ["users"] | ["users", _]) => &["admin.directory.user", "admin.directory.user.readonly"],
        ("POST", ["users"] | ["users", _, "makeAdmin" | "undelete"]) | ("PUT" | "PATCH" | "DELETE", ["users", _]) => {
            &["admin.directory.user"]
        }
        (
            "POST",
            ["users", _, "signOut"]
            | ["users", _, "verificationCodes", "invalidate" | "generate"]
            | ["users", _, "twoStepVerification", "turnOff"],
        )
        | ("GET", ["users", _, "tokens" | "asps" | "verificationCodes"] | ["users", _, "tokens", _])
        | ("DELETE", ["users", _, "tokens" | "asps", _]) => &["admin.directory.user.security"],
        ("GET", ["groups"] | ["groups", _]) => &["admin.directory.group", "admin.directory.group.readonly"],
        ("GET", ["groups", _, "members"] | ["groups", _, "members" | "hasMember", _]) => &[
            "admin.directory.group",
            "admin.directory.group.readonly",
            "admin.directory.group.member",
            "admin.directory.group.member.readonly",
        ],
        ("POST", ["groups", _, "members"]) | ("DELETE", ["groups", _, "members", _]) => {
            &["admin.directory.group", "admin.directory.group.member"]
        }
        ("GET", ["customers", _]) => &["admin.directory.customer", "admin.directory.customer.readonly"],
        _ => return None,
    })
}

pub(super) fn scope_missing() -> Reply {
    let message = "Request had insufficient authentication scopes.";
    let error = json!({"code": 403, "message": message, "status": "PERMISSION_DENIED",
        "errors": [{"message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"}],
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com", "metadata": {"service": "admin.googleapis.com"}}]});
    Reply::json(403, &json!({ "error": error }))
}

fn admit(caller: &Caller, scopes: &[&str]) -> Result<(), Reply> {
    if caller.has(scopes) {
        Ok(())
    } else {
        Err(scope_missing())
    }
}

fn caller(google: &Google, world: &World, call: &Call) -> Result<Caller, Reply> {
    let Some(header) = call.header("authorization") else {
        return Err(refuse(401, "required", "Login Required."));
    };
    let wrong = || refuse(401, "authError", "Invalid Credentials");
    let secret = header.strip_prefix("Bearer ").ok_or_else(wrong)?.trim();
    if let Some(ready) = world.credential(NAME, secret) {
        let scopes = if ready.write { Scopes::All } else { Scopes::Reading };
        return Ok(Caller {
            scopes,
            super_admin: true,
        });
    }
    let access = google
        .access
        .get(secret)
        .filter(|a| a.until > call.now)
        .ok_or_else(wrong)?;
    let subject = access.subject.as_ref().and_then(|id| google.users.get(id));
    let subject = subject.ok_or_else(forbidden)?;
    if subject.suspended || subject.deleted.is_some() {
        return Err(wrong());
    }
    if !subject.is_admin && !subject.is_delegated_admin {
        return Err(forbidden());
    }
    Ok(Caller {
        scopes: Scopes::These(access.scopes.clone()),
        super_admin: subject.is_admin,
    })
}

/// Over the limit Google says 403, not 429.
fn limited(google: &mut Google, world: &World, call: &Call) -> Result<(), Reply> {
    let minute = call.now.timestamp() / 60;
    if google.spent.0 != minute {
        google.spent = (minute, 0);
    }
    google.spent.1 += 1;
    if google.spent.1 > world.rates.get(NAME).copied().unwrap_or(A_MINUTE) {
        return Err(refuse(403, "userRateLimitExceeded", "User Rate Limit Exceeded"));
    }
    Ok(())
}

/// The name by which faults hit a call.
pub(super) fn operation(world: &World, call: &Call) -> Option<String> {
    let g = world.google.as_ref()?;
    let parts = call.parts();
    let email = |key: &str| g.find(key).map_or(key.to_owned(), |u| u.primary_email.clone());
    let group = |key: &str| g.group(key).map_or(key.to_owned(), |group| group.email.clone());
    let method = call.method.as_str();
    Some(match (method, parts.get(3..).unwrap_or_default()) {
        _ if parts == ["token"] => "token".into(),
        ("GET", ["users"]) => "read:users".into(),
        ("GET", ["users", _]) => "read:user".into(),
        ("GET", ["users", _, part, ..]) => format!("read:user-{part}"),
        ("GET", ["groups", ..]) => "read:groups".into(),
        ("GET", ["customers", ..]) => "read:customer".into(),
        ("GET", ["applications" | "transfers", ..]) => "read:transfers".into(),
        ("POST", ["transfers"]) => {
            let to = call.json().and_then(|b| Some(b["newOwnerUserId"].as_str()?.to_owned()));
            format!("start-transfer:{}", email(&to?))
        }
        ("POST", ["users", key, "signOut"]) => format!("clear-sessions:{}", email(key)),
        ("DELETE", ["users", _, "tokens", client]) => format!("revoke-client-tokens:{client}"),
        ("DELETE", ["users", _, "asps", code]) => format!("revoke-token:{code}"),
        ("POST", ["users", _, "verificationCodes", "invalidate"]) => "revoke-token:backup-codes".into(),
        ("PUT" | "PATCH", ["users", key]) => {
            let wakes = call.json().is_some_and(|b| b["suspended"] == false);
            format!("{}:{}", if wakes { "activate" } else { "suspend" }, email(key))
        }
        ("POST", ["groups", key, "members"]) => format!("add-member:{}", group(key)),
        ("DELETE", ["groups", key, "members", _]) => format!("remove-member:{}", group(key)),
        _ => return None,
    })
}
