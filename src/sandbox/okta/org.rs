//! The org itself: who it is, its schema and mappings, admin roles, API tokens.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::{missing, refuse};
use super::log::Party;
use super::model::{Person, Role};
use super::page::Page;
use super::{Answer, Ctx, Okta, auth, person};
use crate::sandbox::twin::{Call, Reply};
use crate::sandbox::world::World;

pub const USER_TYPE: &str = "oty00000000000000000";
pub const SCHEMA: &str = "osc00000000000000000";
/// The HR app that profiles are imported from.
pub const HR_APP: &str = "0oa0000000000000HRIS";
const MAPPING: &str = "prm0000000000000HRIS";
const THEN: &str = "2020-01-06T09:00:00.000Z";

/// Attributes that every org has.
const BASE: &[&str] = &[
    "login",
    "email",
    "secondEmail",
    "firstName",
    "lastName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "primaryPhone",
    "mobilePhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
    "preferredLanguage",
    "locale",
    "timezone",
    "userType",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "managerId",
    "manager",
];

/// Attributes of this org's own, with a type; the last says whether HR is their master.
const CUSTOM: &[(&str, &str, bool)] = &[
    ("terminationDate", "string", true),
    ("lastDayOfWork", "string", true),
    ("hireDate", "string", true),
    ("employmentStatus", "string", true),
    ("leaveStart", "string", true),
    ("isRescinded", "boolean", true),
    ("githubLogin", "string", false),
];

pub fn attribute_known(name: &str) -> bool {
    BASE.contains(&name) || CUSTOM.iter().any(|(n, _, _)| *n == name)
}

/// Attributes that only HR may write.
pub fn mastered(name: &str) -> bool {
    CUSTOM.iter().any(|(n, _, hr)| *n == name && *hr)
}

pub fn well_known(w: &World, call: &Call) -> Answer {
    let body = json!({"id": w.okta.org_id, "pipeline": "idx", "settings": {"analyticsCollectionEnabled": false, "bugReportingEnabled": true,
        "omEnabled": false}, "_links": {"organization": {"href": call.origin}, "alternate": {"href": call.origin}}});
    Ok(Reply::json(200, &body))
}

pub fn settings(w: &mut World, ctx: &Ctx) -> Answer {
    let own = ctx.url("/api/v1/org");
    let mut body = json!({"id": w.okta.org_id, "subdomain": "acme", "companyName": "Acme", "status": "ACTIVE", "created": THEN,
        "lastUpdated": THEN, "website": ctx.call.origin, "phoneNumber": "", "endUserSupportHelpURL": "", "supportPhoneNumber": ""});
    for empty in [
        "expiresAt",
        "address1",
        "address2",
        "city",
        "state",
        "country",
        "postalCode",
    ] {
        body[empty] = Value::Null;
    }
    body["_links"] = json!({"preferences": {"href": format!("{own}/preferences")},
        "uploadLogo": {"href": format!("{own}/logo"), "hints": {"allow": ["POST"]}}});
    Ok(Reply::json(200, &body))
}

pub fn threats(_: &mut World, ctx: &Ctx) -> Answer {
    let own = ctx.url("/api/v1/threats/configuration");
    let body = json!({"action": "audit", "excludeZones": [], "created": "2020-01-06 09:00:00", "lastUpdated": "2020-01-06 09:00:00",
        "_links": {"self": {"href": own, "hints": {"allow": ["GET", "POST"]}}}});
    Ok(Reply::json(200, &body))
}

pub fn user_types(_: &mut World, ctx: &Ctx) -> Answer {
    let body = json!([{"id": USER_TYPE, "displayName": "User", "name": "user", "description": "Okta user profile template with default permission settings",
        "createdBy": "sprt0000000000000000", "lastUpdatedBy": "sprt0000000000000000", "created": THEN, "lastUpdated": THEN, "default": true,
        "_links": {"schema": {"rel": "schema", "href": ctx.url(&format!("/api/v1/meta/schemas/user/{SCHEMA}")), "method": "GET"},
            "self": {"rel": "self", "href": ctx.url(&format!("/api/v1/meta/types/user/{USER_TYPE}")), "method": "GET"}}}]);
    Ok(Reply::json(200, &body))
}

pub fn linked_objects(_: &mut World, ctx: &Ctx) -> Answer {
    let body = json!([{"primary": {"name": "manager", "title": "Manager", "description": "Manager link", "type": "USER"},
        "associated": {"name": "subordinate", "title": "Subordinate", "description": "Subordinate link", "type": "USER"},
        "_links": {"self": {"href": ctx.url("/api/v1/meta/schemas/user/linkedObjects/manager")}}}]);
    Ok(Reply::json(200, &body))
}

pub fn schema(_: &mut World, ctx: &Ctx) -> Answer {
    let id = ctx.part(5);
    if id != "default" && id != SCHEMA {
        return Err(missing(id, "Schema"));
    }
    let property = |name: &str, kind: &str, hr: bool, required: bool| {
        let master = if hr { "PROFILE_MASTER" } else { "OKTA" };
        json!({"title": name, "type": kind, "scope": "NONE", "required": required, "mutability": "READ_WRITE",
            "permissions": [{"principal": "SELF", "action": if hr { "READ_ONLY" } else { "READ_WRITE" }}], "master": {"type": master}})
    };
    let needed = ["login", "email", "firstName", "lastName"];
    let base: Map<String, Value> = BASE
        .iter()
        .map(|n| ((*n).to_owned(), property(n, "string", false, needed.contains(n))))
        .collect();
    let custom: Map<String, Value> = CUSTOM
        .iter()
        .map(|(n, kind, hr)| ((*n).to_owned(), property(n, kind, *hr, false)))
        .collect();
    let body = json!({"id": ctx.url(&format!("/meta/schemas/user/{SCHEMA}")), "$schema": "http://json-schema.org/draft-04/schema#",
        "name": "user", "title": "User", "lastUpdated": THEN, "created": THEN, "type": "object",
        "definitions": {"base": {"id": "#base", "type": "object", "properties": base, "required": needed},
            "custom": {"id": "#custom", "type": "object", "properties": custom, "required": []}},
        "properties": {"profile": {"allOf": [{"$ref": "#/definitions/custom"}, {"$ref": "#/definitions/base"}]}},
        "_links": {"self": {"href": ctx.url(&format!("/api/v1/meta/schemas/user/{SCHEMA}")), "rel": "self", "method": "GET"}}});
    Ok(Reply::json(200, &body))
}

fn mapping_row(ctx: &Ctx) -> Value {
    json!({"id": MAPPING,
        "source": {"id": HR_APP, "name": "hris", "type": "appuser", "_links": {"self": {"href": ctx.url(&format!("/api/v1/apps/{HR_APP}"))},
            "schema": {"href": ctx.url(&format!("/api/v1/meta/schemas/apps/{HR_APP}/default"))}}},
        "target": {"id": USER_TYPE, "name": "user", "type": "user", "_links": {"self": {"href": ctx.url(&format!("/api/v1/meta/types/user/{USER_TYPE}"))},
            "schema": {"href": ctx.url(&format!("/api/v1/meta/schemas/user/{SCHEMA}"))}}},
        "_links": {"self": {"href": ctx.url(&format!("/api/v1/mappings/{MAPPING}"))}}})
}

pub fn mappings(_: &mut World, ctx: &Ctx) -> Answer {
    let page = Page::of(ctx, 20, 200)?;
    let fits = ctx.call.param("sourceId").is_none_or(|s| s == HR_APP)
        && ctx.call.param("targetId").is_none_or(|t| t == USER_TYPE);
    page.answer(ctx, fits.then(|| mapping_row(ctx)).into_iter().collect(), None)
}

pub fn mapping(_: &mut World, ctx: &Ctx) -> Answer {
    if ctx.part(3) != MAPPING {
        return Err(missing(ctx.part(3), "ProfileMapping"));
    }
    let mut body = mapping_row(ctx);
    let properties: Map<String, Value> = CUSTOM
        .iter()
        .filter(|(_, _, hr)| *hr)
        .map(|(n, _, _)| {
            (
                (*n).to_owned(),
                json!({"expression": format!("appuser.{n}"), "pushStatus": "DONT_PUSH"}),
            )
        })
        .collect();
    body["properties"] = properties.into();
    Ok(Reply::json(200, &body))
}

/// (vendor's type, label)
const ROLES: &[(&str, &str)] = &[
    ("SUPER_ADMIN", "Super Administrator"),
    ("ORG_ADMIN", "Organization Administrator"),
    ("APP_ADMIN", "Application Administrator"),
    ("USER_ADMIN", "Group Administrator"),
    ("HELP_DESK_ADMIN", "Help Desk Administrator"),
    ("GROUP_MEMBERSHIP_ADMIN", "Group Membership Administrator"),
    ("READ_ONLY_ADMIN", "Read-only Administrator"),
    ("REPORT_ADMIN", "Report Administrator"),
    ("API_ACCESS_MANAGEMENT_ADMIN", "API Access Management Administrator"),
];

/// A person's admin roles, each with how it came: of their own, or by a group.
pub fn roles_of<'a>(okta: &'a Okta, p: &'a Person) -> Vec<(&'a str, &'static str)> {
    let own = p.roles.iter().map(|r| (r.as_str(), "USER"));
    let by_group = p
        .groups
        .keys()
        .filter_map(|g| okta.groups.get(g))
        .flat_map(|g| g.roles.iter().map(|r| (r.as_str(), "GROUP")));
    own.chain(by_group).collect()
}

fn role_row(kind: &str, how: &str, assignee: &str) -> Value {
    let label = ROLES.iter().find(|(t, _)| *t == kind).map_or(kind, |(_, l)| *l);
    let id = super::letters(
        "ra1",
        20,
        super::mix(super::page::text_hash(&format!("{kind}{assignee}"))),
    );
    json!({"id": id, "label": label, "type": kind, "status": "ACTIVE", "created": THEN, "lastUpdated": THEN, "assignmentType": how,
        "_links": {"assignee": {"href": assignee}}})
}

pub fn user_roles(w: &mut World, ctx: &Ctx) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    let own = ctx.url(&format!("/api/v1/users/{uid}"));
    if uid == auth::ADMIN {
        return Ok(Reply::json(200, &json!([role_row("SUPER_ADMIN", "USER", &own)])));
    }
    let rows: Vec<Value> = roles_of(&w.okta, w.okta.person(&uid)?)
        .iter()
        .map(|(kind, how)| role_row(kind, how, &own))
        .collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

pub fn group_roles(w: &mut World, ctx: &Ctx) -> Answer {
    let g = w.okta.group(ctx.part(3))?;
    let own = ctx.url(&format!("/api/v1/groups/{}", g.id));
    let rows: Vec<Value> = g.roles.iter().map(|r| role_row(r, "GROUP", &own)).collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

pub fn client_roles(w: &mut World, ctx: &Ctx) -> Answer {
    let id = ctx.part(3);
    let client = w.okta.clients.get(id).ok_or_else(|| missing(id, "PublicClientApp"))?;
    let own = ctx.url(&format!("/oauth2/v1/clients/{id}"));
    let rows: Vec<Value> = match client.role {
        Role::Super => vec![role_row("SUPER_ADMIN", "CLIENT", &own)],
        Role::Custom => vec![role_row("USER_ADMIN", "CLIENT", &own)],
        Role::None => Vec::new(),
    };
    Ok(Reply::json(200, &Value::Array(rows)))
}

pub fn custom_roles(_: &mut World, ctx: &Ctx) -> Answer {
    let own = ctx.url("/api/v1/iam/roles");
    let body = json!({"roles": [], "_links": {"self": {"href": own}}});
    Ok(Reply::json(200, &body).with("link", format!("<{own}>; rel=\"self\"")))
}

/// People with a role of their own; those who have one by a group aren't here. Pages in the body.
pub fn assignees(w: &mut World, ctx: &Ctx) -> Answer {
    let page = Page::of(ctx, 100, 100)?;
    let rows = w.okta.users.iter().filter(|(_, p)| !p.roles.is_empty()).map(|(id, _)| {
        let own = ctx.url(&format!("/api/v1/users/{id}"));
        (
            id.as_str(),
            json!({"id": id, "orn": format!("orn:okta:directory:{}:users:{id}", w.okta.org_id),
            "_links": {"self": {"href": own}, "roles": {"href": format!("{own}/roles")}}}),
        )
    });
    let (part, next) = page.take(rows);
    let mut body = json!({"value": part, "_links": {}});
    if let Some(key) = next {
        body["_links"]["next"] = json!({"href": page.next(ctx, &key, &[])});
    }
    Ok(Reply::json(200, &body))
}

fn token_row(ctx: &Ctx, name: &str) -> Value {
    let id = auth::api_token_id(name);
    json!({"id": id, "name": name, "userId": auth::ADMIN, "clientName": "Okta API", "created": THEN, "lastUpdated": THEN,
        "expiresAt": super::model::stamp(ctx.now() + chrono::TimeDelta::days(30)), "network": {"connection": "ANYWHERE"},
        "_link": {"self": {"href": ctx.url(&format!("/api/v1/api-tokens/{id}")), "hints": {"allow": ["GET", "DELETE"]}}}})
}

/// The tokens that the world's credentials are, and those that people of the firm made (`okta.api_tokens`).
fn tokens(w: &World, ctx: &Ctx) -> Vec<Value> {
    let live: BTreeSet<&str> = w
        .credentials
        .iter()
        .filter(|c| c.system == "okta" && !w.okta.revoked.contains(&c.name))
        .map(|c| c.name.as_str())
        .collect();
    let personal = w.okta.api_tokens.iter().map(|(id, (name, uid))| {
        let mut v = token_row(ctx, name);
        v["id"] = id.as_str().into();
        v["userId"] = uid.as_str().into();
        v
    });
    live.iter().map(|n| token_row(ctx, n)).chain(personal).collect()
}

pub fn api_tokens(w: &mut World, ctx: &Ctx) -> Answer {
    Ok(Reply::json(200, &Value::Array(tokens(w, ctx))))
}

pub fn api_token(w: &mut World, ctx: &Ctx) -> Answer {
    let id = ctx.part(3);
    let row = tokens(w, ctx)
        .into_iter()
        .find(|t| t["id"] == id)
        .ok_or_else(|| missing(id, "ApiToken"))?;
    Ok(Reply::json(200, &row))
}

pub fn revoke_api_token(w: &mut World, ctx: &Ctx) -> Answer {
    let id = ctx.part(3).to_owned();
    let row = tokens(w, ctx)
        .into_iter()
        .find(|t| t["id"] == id.as_str())
        .ok_or_else(|| missing(&id, "ApiToken"))?;
    let name = row["name"].as_str().unwrap_or_default().to_owned();
    if ctx.caller.scopes.is_some() && ctx.caller.role != Role::Super {
        return Err(refuse("E0000006"));
    }
    if w.okta.api_tokens.remove(&id).is_none() {
        w.okta.revoked.insert(name.clone());
        w.touch("okta", "revoked", &name);
    }
    w.touch("okta", "api_tokens", &id);
    let target = Party::new(&id, "Token", "unknown", name);
    ctx.caller.by.note(w, "system.api_token.revoke", vec![target]);
    Ok(Reply::empty(204))
}
