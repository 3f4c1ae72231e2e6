//! Who calls, and may they: SSWS tokens (with and without the space), Bearer and DPoP tokens of service apps, scopes, roles.

use std::collections::BTreeSet;

use super::deeds::By;
use super::error::{Refusal, refuse};
use super::log::Party;
use super::model::{Role, Status};
use super::{Okta, letters, mix, page, token};
use crate::sandbox::twin::Call;
use crate::sandbox::world::World;

#[derive(Clone)]
pub struct Caller {
    pub by: By,
    pub write: bool,
    /// Of a service app; an API token has none and is held by its admin's role alone.
    pub scopes: Option<BTreeSet<String>>,
    pub role: Role,
}

/// The admin who made the API tokens: no person of the firm, so in no list, but what `/users/me` gives.
pub const ADMIN: &str = "00u0000000000SERVICE";

pub fn admin_party() -> Party {
    Party::new(ADMIN, "User", "jml-service@acme.example", "Lifecycle Service")
}

/// An API token's own id, as `/api-tokens` lists it.
pub fn api_token_id(name: &str) -> String {
    letters("00T", 20, mix(page::text_hash(name)))
}

pub fn caller(w: &mut World, call: &Call) -> Result<Caller, Refusal> {
    let Some(header) = call.header("authorization") else {
        return Err(refuse("E0000005"));
    };
    if let Some(secret) = header.strip_prefix("SSWS") {
        return api_token(w, secret.trim());
    }
    match header.split_once(' ') {
        Some(("Bearer", t)) => service(&w.okta, call, t.trim(), None),
        Some(("DPoP", t)) => {
            let key = token::proof(&mut w.okta, call, Some(t.trim()))?.key;
            service(&w.okta, call, t.trim(), Some(key))
        }
        _ => Err(refuse("E0000005")),
    }
}

fn api_token(w: &World, secret: &str) -> Result<Caller, Refusal> {
    let c = w.credential("okta", secret).ok_or_else(|| refuse("E0000011"))?;
    if w.okta.revoked.contains(&c.name) {
        return Err(refuse("E0000011"));
    }
    Ok(Caller {
        by: By {
            actor: admin_party(),
            token: Some(api_token_id(&c.name)),
        },
        write: c.write,
        scopes: None,
        role: if c.name.ends_with(".all") {
            Role::Super
        } else {
            Role::Custom
        },
    })
}

fn service(okta: &Okta, call: &Call, secret: &str, key: Option<String>) -> Result<Caller, Refusal> {
    let scheme = if key.is_some() { "DPoP" } else { "Bearer" };
    let refused = |what: &str| {
        let header = format!(
            "{scheme} authorization_uri=\"{o}/oauth2/v1/authorize\", realm=\"{o}\", scope=\"\", error=\"invalid_token\", error_description=\"{what}\", resource=\"{}\"",
            call.path,
            o = call.origin
        );
        refuse("E0000011").with("www-authenticate", header)
    };
    let access = okta
        .access
        .get(secret)
        .ok_or_else(|| refused("The access token is invalid."))?;
    if access.expires <= call.now {
        return Err(refused("The access token expired."));
    }
    if access.key != key {
        return Err(refused("The access token is bound to another key."));
    }
    let client = okta
        .clients
        .get(&access.client)
        .ok_or_else(|| refused("The access token is invalid."))?;
    Ok(Caller {
        by: By {
            actor: Party::new(&client.id, "PublicClientApp", &client.id, client.name.clone()),
            token: None,
        },
        write: true,
        scopes: Some(access.scopes.clone()),
        role: client.role,
    })
}

pub fn bare(status: u16, header: &str) -> Refusal {
    Refusal {
        status,
        bare: true,
        ..refuse("E0000011")
    }
    .with("www-authenticate", header)
}

/// The scope that the route names, and the right to change anything where it would.
pub fn admit(caller: &Caller, call: &Call, scope: &str) -> Result<(), Refusal> {
    if let Some(scopes) = &caller.scopes
        && !scopes.contains(scope)
    {
        let header = format!(
            "Bearer authorization_uri=\"{o}/oauth2/v1/authorize\", realm=\"{o}\", scope=\"{scope}\", error=\"insufficient_scope\", error_description=\"The access token provided does not contain the required scopes.\", resource=\"{}\"",
            call.path,
            o = call.origin
        );
        return Err(bare(403, &header));
    }
    if call.method != "GET" && (!caller.write || caller.role == Role::None) {
        return Err(refuse("E0000006"));
    }
    Ok(())
}

/// Only a super admin changes a super admin.
pub fn may_change(okta: &Okta, caller: &Caller, uid: &str) -> Result<(), Refusal> {
    let p = okta.person(uid)?;
    let guarded = super::org::roles_of(okta, p)
        .iter()
        .any(|(role, _)| *role == "SUPER_ADMIN");
    if guarded && caller.role != Role::Super && p.status != Status::Deprovisioned {
        return Err(refuse("E0000006"));
    }
    Ok(())
}
