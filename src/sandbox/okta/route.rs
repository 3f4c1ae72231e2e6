//! Which call is which: one table of (method, path) to scope and handler.

use serde_json::Value;

use super::error::{missing, refuse};
use super::model::Role;
use super::{Answer, Ctx, access, apps, auth, groups, lifecycle, log, members, org, rules, token, users};
use crate::sandbox::twin::{Call, Reply};
use crate::sandbox::world::World;

type Handler = fn(&mut World, &Ctx) -> Answer;

pub fn run(w: &mut World, call: &Call, parts: Vec<&str>) -> Answer {
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", [".well-known", "okta-organization"]) => return org::well_known(w, call),
        ("POST", ["oauth2", "v1", "token"]) => return Ok(token::mint(w, call)),
        ("POST", ["oauth2", "v1", "revoke"]) => return Ok(token::revoke(w, call)),
        _ => {}
    }
    let Some((scope, handler)) = find(&call.method, &parts) else {
        return other_method(&call.method, &parts);
    };
    let caller = auth::caller(w, call)?;
    auth::admit(&caller, call, scope)?;
    if caller.role == Role::None {
        return outside(call, &parts);
    }
    handler(w, &Ctx { call, parts, caller })
}

/// No admin role: lists are empty, a read by id finds nothing.
fn outside(call: &Call, parts: &[&str]) -> Answer {
    let list = !matches!(
        parts,
        ["api", "v1", "users" | "groups" | "apps", _] | ["api", "v1", "groups", "rules", _]
    );
    if list || parts.last() == Some(&"rules") {
        return Ok(Reply::json(200, &Value::Array(Vec::new()))
            .with("link", format!("<{}{}>; rel=\"self\"", call.origin, call.path)));
    }
    Err(missing(parts.last().copied().unwrap_or_default(), "User"))
}

/// A path that we have under another method is 405. One that we don't have at all is no answer of Okta's.
fn other_method(method: &str, parts: &[&str]) -> Answer {
    let known = ["GET", "POST", "PUT", "DELETE"]
        .iter()
        .any(|m| *m != method && find(m, parts).is_some());
    if known {
        return Err(refuse("E0000022"));
    }
    let mut reply = Reply::empty(501).with("content-type", "text/plain");
    reply.body = b"the twin of Okta has no such route\n".to_vec();
    Ok(reply)
}

fn find(method: &str, parts: &[&str]) -> Option<(&'static str, Handler)> {
    let ["api", "v1", rest @ ..] = parts else {
        return match (method, parts) {
            ("GET", ["oauth2", "v1", "clients", _, "roles"]) => Some(("okta.roles.read", org::client_roles)),
            _ => None,
        };
    };
    match rest {
        ["users", rest @ ..] => user(method, rest),
        ["groups", "rules", rest @ ..] => rule(method, rest),
        ["groups", rest @ ..] => group(method, rest),
        ["apps", rest @ ..] => app(method, rest),
        _ => others(method, rest),
    }
}

fn user(method: &str, rest: &[&str]) -> Option<(&'static str, Handler)> {
    const READ: &str = "okta.users.read";
    const MANAGE: &str = "okta.users.manage";
    Some(match (method, rest) {
        ("GET", []) => (READ, users::list),
        ("POST", []) => (MANAGE, users::create),
        ("GET", [_]) => (READ, users::get),
        ("POST", [_]) => (MANAGE, users::update),
        ("PUT", [_]) => (MANAGE, users::replace),
        ("DELETE", [_]) => (MANAGE, lifecycle::delete),
        ("POST", [_, "lifecycle", deed]) => (MANAGE, lifecycle::handler(deed)?),
        ("GET", [_, "groups"]) => (READ, members::groups_of_user),
        ("GET", [_, "appLinks"]) => (READ, apps::links),
        ("GET", [_, "blocks"]) => (READ, |_, _| Err(refuse("E0000015"))),
        ("GET", [_, "devices"]) => (READ, access::devices),
        ("GET", [_, "factors"]) => (READ, access::factors),
        ("GET", [_, "factors", _]) => (READ, access::factor),
        ("DELETE", [_, "factors", _]) => (MANAGE, access::unenroll),
        ("GET", [_, "roles"]) => ("okta.roles.read", org::user_roles),
        ("GET", [_, "linkedObjects", _]) => (READ, access::linked),
        ("DELETE", [_, "sessions"]) => (MANAGE, access::clear_sessions),
        ("GET", [_, "grants"]) => (READ, access::grants),
        ("DELETE", [_, "grants"]) => (MANAGE, access::revoke_grants),
        ("GET", [_, "grants", _]) => (READ, access::grant),
        ("DELETE", [_, "grants", _]) => (MANAGE, access::revoke_grant),
        ("GET", [_, "clients"]) => (READ, access::clients),
        ("GET", [_, "clients", _, "grants"]) => (READ, access::client_grants),
        ("DELETE", [_, "clients", _, "grants"]) => (MANAGE, access::revoke_client_grants),
        ("GET", [_, "clients", _, "tokens"]) => (READ, access::client_tokens),
        ("DELETE", [_, "clients", _, "tokens"]) => (MANAGE, access::revoke_client_tokens),
        ("GET", [_, "clients", _, "tokens", _]) => (READ, access::client_token),
        ("DELETE", [_, "clients", _, "tokens", _]) => (MANAGE, access::revoke_client_token),
        _ => return None,
    })
}

fn group(method: &str, rest: &[&str]) -> Option<(&'static str, Handler)> {
    const READ: &str = "okta.groups.read";
    const MANAGE: &str = "okta.groups.manage";
    Some(match (method, rest) {
        ("GET", []) => (READ, groups::list),
        ("POST", []) => (MANAGE, groups::create),
        ("GET", [_]) => (READ, groups::get),
        ("PUT", [_]) => (MANAGE, groups::replace),
        ("DELETE", [_]) => (MANAGE, groups::delete),
        ("GET", [_, "users"]) => (READ, members::list),
        ("PUT", [_, "users", _]) => (MANAGE, members::add),
        ("DELETE", [_, "users", _]) => (MANAGE, members::remove),
        ("GET", [_, "apps"]) => (READ, apps::of_group),
        ("GET", [_, "owners"]) => (READ, groups::owners),
        ("GET", [_, "roles"]) => ("okta.roles.read", org::group_roles),
        _ => return None,
    })
}

fn rule(method: &str, rest: &[&str]) -> Option<(&'static str, Handler)> {
    const READ: &str = "okta.groups.read";
    const MANAGE: &str = "okta.groups.manage";
    Some(match (method, rest) {
        ("GET", []) => (READ, rules::list),
        ("POST", []) => (MANAGE, rules::create),
        ("GET", [_]) => (READ, rules::get),
        ("PUT", [_]) => (MANAGE, rules::replace),
        ("DELETE", [_]) => (MANAGE, rules::delete),
        ("POST", [_, "lifecycle", "activate"]) => (MANAGE, rules::activate),
        ("POST", [_, "lifecycle", "deactivate"]) => (MANAGE, rules::deactivate),
        _ => return None,
    })
}

fn app(method: &str, rest: &[&str]) -> Option<(&'static str, Handler)> {
    const READ: &str = "okta.apps.read";
    const MANAGE: &str = "okta.apps.manage";
    Some(match (method, rest) {
        ("GET", []) => (READ, apps::list),
        ("GET", [_]) => (READ, apps::get),
        ("GET", [_, "users"]) => (READ, apps::users),
        ("GET", [_, "users", _]) => (READ, apps::user),
        ("DELETE", [_, "users", _]) => (MANAGE, apps::unassign_user),
        ("GET", [_, "groups"]) => (READ, apps::groups),
        ("PUT", [_, "groups", _]) => (MANAGE, apps::assign_group),
        ("DELETE", [_, "groups", _]) => (MANAGE, apps::unassign_group),
        _ => return None,
    })
}

fn others(method: &str, rest: &[&str]) -> Option<(&'static str, Handler)> {
    Some(match (method, rest) {
        ("GET", ["logs"]) => ("okta.logs.read", log::list),
        ("GET", ["iam", "assignees", "users"]) => ("okta.roles.read", org::assignees),
        ("GET", ["iam", "roles"]) => ("okta.roles.read", org::custom_roles),
        ("GET", ["org"]) => ("okta.orgs.read", org::settings),
        ("GET", ["threats", "configuration"]) => ("okta.threatInsights.read", org::threats),
        ("GET", ["api-tokens"]) => ("okta.apiTokens.read", org::api_tokens),
        ("GET", ["api-tokens", _]) => ("okta.apiTokens.read", org::api_token),
        ("DELETE", ["api-tokens", _]) => ("okta.apiTokens.manage", org::revoke_api_token),
        ("GET", ["meta", "types", "user"]) => ("okta.userTypes.read", org::user_types),
        ("GET", ["meta", "schemas", "user", "linkedObjects"]) => ("okta.linkedObjects.read", org::linked_objects),
        ("GET", ["meta", "schemas", "user", _]) => ("okta.schemas.read", org::schema),
        ("GET", ["mappings"]) => ("okta.profileMappings.read", org::mappings),
        ("GET", ["mappings", _]) => ("okta.profileMappings.read", org::mapping),
        _ => return None,
    })
}
