//! The names by which faults call a call: `suspend`, `remove-member:ROLE-ENG`, `read:user`.

use super::Okta;
use crate::sandbox::twin::Call;
use crate::sandbox::world::World;

pub fn name(w: &World, call: &Call) -> Option<String> {
    let parts = call.parts();
    let ["api", "v1", rest @ ..] = parts.as_slice() else {
        return match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["oauth2", "v1", "token"]) => Some("token".into()),
            ("GET", [".well-known", "okta-organization"]) => Some("read:org".into()),
            ("GET", ["oauth2", "v1", "clients", _, "roles"]) => Some("read:client-roles".into()),
            _ => None,
        };
    };
    if call.method == "GET" {
        read(rest)
    } else {
        write(&w.okta, &call.method, rest)
    }
}

fn read(rest: &[&str]) -> Option<String> {
    let name = match rest {
        ["users"] => "users",
        ["users", _] => "user",
        [
            "users",
            _,
            what @ ("groups" | "appLinks" | "blocks" | "devices" | "factors" | "roles" | "grants" | "clients"),
        ] => {
            return Some(format!("read:user-{what}"));
        }
        ["users", _, "linkedObjects", _] => "user-manager",
        ["users", _, "grants", _] => "user-grants",
        ["users", _, "factors", _] => "user-factors",
        ["users", _, "clients", _, "grants"] => "client-grants",
        ["users", _, "clients", _, "tokens", ..] => "client-tokens",
        ["groups"] => "groups",
        ["groups", "rules"] => "rules",
        ["groups", "rules", _] => "rule",
        ["groups", _] => "group",
        ["groups", _, "users"] => "members",
        ["groups", _, what @ ("apps" | "owners" | "roles")] => return Some(format!("read:group-{what}")),
        ["apps"] => "apps",
        ["apps", _] => "app",
        ["apps", _, "users"] => "app-users",
        ["apps", _, "users", _] => "app-user",
        ["apps", _, "groups"] => "app-groups",
        ["logs"] => "log",
        ["iam", "assignees", "users"] => "admins",
        ["iam", "roles"] => "admin-roles",
        ["api-tokens", ..] => "api-tokens",
        ["meta", "schemas", ..] => "schema",
        ["meta", "types", ..] => "user-types",
        ["mappings", ..] => "mappings",
        ["org"] => "org",
        _ => return None,
    };
    Some(format!("read:{name}"))
}

fn write(okta: &Okta, method: &str, rest: &[&str]) -> Option<String> {
    let group = |id: &str| okta.groups.get(id).map_or_else(|| id.to_owned(), |g| g.name.clone());
    let app = |id: &str| okta.apps.get(id).map_or_else(|| id.to_owned(), |a| a.label.clone());
    let rule = |id: &str| okta.rules.get(id).map_or_else(|| id.to_owned(), |r| r.name.clone());
    Some(match (method, rest) {
        ("POST", ["users"]) => "create-person".into(),
        ("POST" | "PUT", ["users", _]) => "update-person".into(),
        ("DELETE", ["users", _]) => "delete-person".into(),
        ("POST", ["users", _, "lifecycle", deed]) => deed.replace('_', "-"),
        ("DELETE", ["users", _, "sessions"]) => "clear-sessions".into(),
        ("DELETE", ["users", _, "grants", ..]) => "revoke-grants".into(),
        ("DELETE", ["users", _, "clients", _, "grants"]) => "revoke-grants".into(),
        ("DELETE", ["users", _, "clients", client, "tokens", ..]) => format!("revoke-client-tokens:{client}"),
        ("DELETE", ["users", _, "factors", _]) => "unenroll-factor".into(),
        ("DELETE", ["api-tokens", id]) => format!("revoke-token:{id}"),
        ("PUT", ["groups", id, "users", _]) => format!("add-member:{}", group(id)),
        ("DELETE", ["groups", id, "users", _]) => format!("remove-member:{}", group(id)),
        ("POST", ["groups"]) => "create-group".into(),
        ("POST", ["groups", "rules"]) => "create-rule".into(),
        ("PUT", ["groups", "rules", id]) => format!("update-rule:{}", rule(id)),
        ("DELETE", ["groups", "rules", id]) => format!("delete-rule:{}", rule(id)),
        ("POST", ["groups", "rules", id, "lifecycle", deed]) => format!("{deed}-rule:{}", rule(id)),
        ("PUT", ["groups", id]) => format!("update-group:{}", group(id)),
        ("DELETE", ["groups", id]) => format!("delete-group:{}", group(id)),
        ("DELETE", ["apps", id, "users", _]) => format!("unassign-app:{}", app(id)),
        ("PUT", ["apps", id, "groups", _]) => format!("assign-app-group:{}", app(id)),
        ("DELETE", ["apps", id, "groups", _]) => format!("unassign-app-group:{}", app(id)),
        _ => return None,
    })
}
