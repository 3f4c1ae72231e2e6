//! What a person holds beside groups: sessions, consents, tokens, factors, devices, the manager link.
//!
//! These paths take the id, not the login, as the vendor's description has it.

use serde_json::{Value, json};

use super::deeds::{change, user_party};
use super::error::{Refusal, missing, refuse};
use super::log::Party;
use super::model::{Grant, Person, Status, stamp};
use super::page::Page;
use super::{Answer, Ctx, auth, person};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

fn subject<'a>(w: &'a World, ctx: &Ctx) -> Result<&'a Person, Refusal> {
    w.okta.person(ctx.part(3))
}

fn ours(w: &World, ctx: &Ctx) -> Result<Person, Refusal> {
    auth::may_change(&w.okta, &ctx.caller, ctx.part(3))?;
    Ok(subject(w, ctx)?.clone())
}

/// Whatever the number of sessions, again and again. Without `oauthTokens` the tokens live on.
pub fn clear_sessions(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let tokens = ctx.flag("oauthTokens", false);
    change(w, &p.id, |p| {
        p.sessions = 0;
        if tokens {
            p.tokens.clear();
        }
    });
    ctx.caller.by.note(w, "user.session.clear", vec![user_party(&p)]);
    if tokens && !p.tokens.is_empty() {
        ctx.caller
            .by
            .note(w, "app.oauth2.token.revoke.implicit.user", vec![user_party(&p)]);
    }
    Ok(Reply::empty(204))
}

fn grant_json(ctx: &Ctx, uid: &str, g: &Grant) -> Value {
    let own = ctx.url(&format!("/api/v1/users/{uid}"));
    json!({"id": g.id, "status": "ACTIVE", "created": stamp(g.created), "lastUpdated": stamp(g.created), "issuer": ctx.call.origin,
        "clientId": g.client, "userId": uid, "scopeId": g.scope, "source": "END_USER", "createdBy": {"id": uid, "type": "User"},
        "_links": {"self": {"href": format!("{own}/grants/{}", g.id)}, "user": {"href": own},
            "client": {"href": ctx.url(&format!("/oauth2/v1/clients/{}", g.client))}}})
}

fn token_json(ctx: &Ctx, uid: &str, t: &Grant) -> Value {
    let own = ctx.url(&format!("/api/v1/users/{uid}"));
    json!({"id": t.id, "status": "ACTIVE", "created": stamp(t.created), "lastUpdated": stamp(t.created),
        "expiresAt": stamp(t.created + chrono::TimeDelta::days(3650)), "issuer": ctx.call.origin, "clientId": t.client, "userId": uid,
        "scopes": ["offline_access", t.scope],
        "_links": {"self": {"href": format!("{own}/clients/{}/tokens/{}", t.client, t.id)}, "user": {"href": own}}})
}

fn held<'a>(p: &'a [Grant], client: Option<&'a str>) -> impl Iterator<Item = &'a Grant> {
    p.iter().filter(move |g| client.is_none_or(|c| c == g.client))
}

pub fn grants(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let page = Page::of(ctx, 20, 200)?;
    let scope = ctx.call.param("scopeId");
    let (part, next) = page.take(
        held(&p.grants, None)
            .filter(|g| scope.is_none_or(|s| s == g.scope))
            .map(|g| (g.id.as_str(), grant_json(ctx, &p.id, g))),
    );
    page.answer(ctx, part, next)
}

pub fn revoke_grants(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    if !p.grants.is_empty() {
        change(w, &p.id, |p| p.grants.clear());
        ctx.caller
            .by
            .note(w, "app.oauth2.as.consent.revoke.implicit.user", vec![user_party(&p)]);
    }
    Ok(Reply::empty(204))
}

pub fn grant(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let id = ctx.part(5);
    let g = p
        .grants
        .iter()
        .find(|g| g.id == id)
        .ok_or_else(|| missing(id, "OAuth2ScopeConsentGrant"))?;
    Ok(Reply::json(200, &grant_json(ctx, &p.id, g)))
}

pub fn revoke_grant(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let id = ctx.part(5);
    if !p.grants.iter().any(|g| g.id == id) {
        return Err(missing(id, "OAuth2ScopeConsentGrant"));
    }
    change(w, &p.id, |p| p.grants.retain(|g| g.id != id));
    ctx.caller
        .by
        .note(w, "app.oauth2.as.consent.revoke.implicit.user", vec![user_party(&p)]);
    Ok(Reply::empty(204))
}

/// Apps to which the person gave anything that still holds.
pub fn clients(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let mut ids: Vec<&str> = p.grants.iter().chain(&p.tokens).map(|g| g.client.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows: Vec<Value> = ids
        .iter()
        .map(|id| {
            let own = ctx.url(&format!("/api/v1/users/{}/clients/{id}", p.id));
            json!({"client_id": id, "client_name": client_name(id), "client_uri": null, "logo_uri": null,
                "_links": {"grants": {"href": format!("{own}/grants")}, "tokens": {"href": format!("{own}/tokens")}}})
        })
        .collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

fn client_name(id: &str) -> String {
    format!(
        "Personal app {}",
        id.trim_start_matches("0oaCLIENT").trim_start_matches('0')
    )
}

/// The person and the client, where they have anything to do with each other.
fn with_client<'a>(p: &Person, ctx: &'a Ctx) -> Result<&'a str, Refusal> {
    let cid = ctx.part(5);
    if p.grants.iter().chain(&p.tokens).any(|g| g.client == cid) {
        return Ok(cid);
    }
    Err(missing(cid, "PublicClientApp"))
}

pub fn client_grants(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let cid = with_client(p, ctx)?;
    let page = Page::of(ctx, 20, 200)?;
    let (part, next) = page.take(held(&p.grants, Some(cid)).map(|g| (g.id.as_str(), grant_json(ctx, &p.id, g))));
    page.answer(ctx, part, next)
}

pub fn client_tokens(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let cid = with_client(p, ctx)?;
    let page = Page::of(ctx, 20, 200)?;
    let (part, next) = page.take(held(&p.tokens, Some(cid)).map(|t| (t.id.as_str(), token_json(ctx, &p.id, t))));
    page.answer(ctx, part, next)
}

pub fn revoke_client_grants(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let cid = with_client(&p, ctx)?;
    change(w, &p.id, |p| p.grants.retain(|g| g.client != cid));
    ctx.caller
        .by
        .note(w, "app.oauth2.as.consent.revoke.implicit.user", vec![user_party(&p)]);
    Ok(Reply::empty(204))
}

pub fn revoke_client_tokens(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let cid = with_client(&p, ctx)?;
    change(w, &p.id, |p| p.tokens.retain(|t| t.client != cid));
    ctx.caller
        .by
        .note(w, "app.oauth2.token.revoke.implicit.user", vec![user_party(&p)]);
    Ok(Reply::empty(204))
}

pub fn client_token(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let (cid, tid) = (with_client(p, ctx)?, ctx.part(7));
    let t = held(&p.tokens, Some(cid))
        .find(|t| t.id == tid)
        .ok_or_else(|| missing(tid, "OAuth2RefreshTokenTx"))?;
    Ok(Reply::json(200, &token_json(ctx, &p.id, t)))
}

pub fn revoke_client_token(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let (cid, tid) = (with_client(&p, ctx)?, ctx.part(7));
    if !held(&p.tokens, Some(cid)).any(|t| t.id == tid) {
        return Err(missing(tid, "OAuth2RefreshTokenTx"));
    }
    change(w, &p.id, |p| p.tokens.retain(|t| t.id != tid));
    ctx.caller
        .by
        .note(w, "app.oauth2.token.revoke.implicit.user", vec![user_party(&p)]);
    Ok(Reply::empty(204))
}

/// One device a person who has signed in, with the factor that lives on it.
pub fn devices(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let then = stamp(p.created);
    let rows: Vec<Value> = p
        .factors
        .iter()
        .map(|f| {
            let id = f.replacen("opf", "guo", 1);
            let own = ctx.url(&format!("/api/v1/devices/{id}"));
            json!({"created": then, "deviceUserId": f.replacen("opf", "lnk", 1), "device": {"id": id, "status": "ACTIVE", "created": then,
                "lastUpdated": then, "resourceId": id, "resourceType": "UDDevice",
                "resourceDisplayName": {"value": "Phone", "sensitive": false},
                "profile": {"displayName": "Phone", "platform": "IOS", "registered": true, "secureHardwarePresent": true},
                "_links": {"self": {"href": own, "hints": {"allow": ["GET", "PUT"]}},
                    "users": {"href": format!("{own}/users"), "hints": {"allow": ["GET"]}}}}})
        })
        .collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

fn factor_json(ctx: &Ctx, p: &Person, id: &str) -> Value {
    let own = ctx.url(&format!("/api/v1/users/{}", p.id));
    json!({"id": id, "factorType": "push", "provider": "OKTA", "vendorName": "OKTA", "status": "ACTIVE", "created": stamp(p.created),
        "lastUpdated": stamp(p.created), "profile": {"credentialId": p.login(), "deviceType": "SmartPhone_IPhone", "name": "Phone",
            "platform": "IOS", "version": "17.0"},
        "_links": {"self": {"href": format!("{own}/factors/{id}"), "hints": {"allow": ["GET", "DELETE"]}},
            "user": {"href": own, "hints": {"allow": ["GET"]}}}})
}

pub fn factors(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let rows: Vec<Value> = p.factors.iter().map(|f| factor_json(ctx, p, f)).collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

pub fn factor(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    let id = ctx.part(5);
    if !p.factors.iter().any(|f| f == id) {
        return Err(missing(id, "UserFactor"));
    }
    Ok(Reply::json(200, &factor_json(ctx, p, id)))
}

/// Of someone deactivated no factor can be unenrolled any more.
pub fn unenroll(w: &mut World, ctx: &Ctx) -> Answer {
    let p = ours(w, ctx)?;
    let id = ctx.part(5);
    if !p.factors.iter().any(|f| f == id) {
        return Err(missing(id, "UserFactor"));
    }
    if p.status == Status::Deprovisioned {
        return Err(refuse("E0000038"));
    }
    change(w, &p.id, |p| p.factors.retain(|f| f != id));
    let factor = Party::new(id, "UserFactor", "unknown", "Okta Verify");
    ctx.caller
        .by
        .note(w, "user.mfa.factor.deactivate", vec![user_party(&p), factor]);
    Ok(Reply::empty(204))
}

/// `linkedObjects/manager` and the other way round, read off `managerId`; logins are allowed here.
pub fn linked(w: &mut World, ctx: &Ctx) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    let p = w.okta.person(&uid)?;
    let ids: Vec<String> = match ctx.part(5) {
        "manager" => {
            let named = p.text("managerId");
            if named.is_empty() {
                Vec::new()
            } else {
                person::resolve(&w.okta, named).into_iter().collect()
            }
        }
        "subordinate" => w
            .okta
            .users
            .values()
            .filter(|s| s.text("managerId").eq_ignore_ascii_case(p.login()) || s.text("managerId") == p.id)
            .map(|s| s.id.clone())
            .collect(),
        other => return Err(missing(other, "LinkedObject")),
    };
    let rows: Vec<Value> = ids
        .iter()
        .map(|id| json!({"_links": {"self": {"href": ctx.url(&format!("/api/v1/users/{id}"))}}}))
        .collect();
    let here = format!("<{}{}?limit=1000>; rel=\"self\"", ctx.call.origin, ctx.call.path);
    Ok(Reply::json(200, &Value::Array(rows)).with("link", here))
}
