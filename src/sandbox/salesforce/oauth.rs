//! `/services/oauth2/`: both grants of `token`, and `revoke`. Refusals are objects here, not lists.
//!
//! An assertion's signature is not checked (the twin keeps no certificate); who, for whom, to whom and until when are.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CLIENT, NAME, Org, people};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

/// An assertion may be good for so long.
const LIFE: i64 = 300;

fn wrong(error: &str, why: &str) -> Reply {
    Reply::json(400, &json!({"error": error, "error_description": why}))
}

fn form(call: &Call) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&call.body).into_owned().collect()
}

pub(super) fn token(org: &mut Org, world: &World, call: &Call) -> Reply {
    if call.method != "POST" {
        return Reply::empty(405);
    }
    let form = form(call);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let write = match field("grant_type") {
        "client_credentials" if field("client_id") != CLIENT => {
            return wrong("invalid_client_id", "client identifier invalid");
        }
        "client_credentials" => match world.credential(NAME, field("client_secret")) {
            Some(c) => c.write,
            None => return wrong("invalid_client", "invalid client credentials"),
        },
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => match asserted(call, field("assertion")) {
            Ok(()) => true,
            Err((error, why)) => return wrong(error, why),
        },
        _ => return wrong("unsupported_grant_type", "grant type not supported"),
    };
    let Some(us) = org.users.values().find(|u| u.username == people::INTEGRATION) else {
        return wrong("invalid_grant", "no client credentials user enabled");
    };
    if us.frozen || !us.active {
        return wrong("invalid_grant", "user is frozen or inactive");
    }
    let random = Sha256::digest(format!("{} {} {}", org.minted.len(), call.now, field("client_secret")));
    let token = format!("{}!AQ{}", &org.org_id[..15], hex::encode(random));
    let id = format!("{}/id/{}/{}", call.origin, org.org_id, us.id);
    org.minted.insert(token.clone(), write);
    let issued = call.now.timestamp_millis().to_string();
    let body = json!({"access_token": token, "scope": "web api", "instance_url": call.origin, "id": id, "token_type": "Bearer",
        "issued_at": issued});
    Reply::json(200, &body)
}

fn asserted(call: &Call, assertion: &str) -> Result<(), (&'static str, &'static str)> {
    let mut parts = assertion
        .split('.')
        .map(|p| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(p).ok()?).ok() });
    let (Some(Some(header)), Some(Some(claims))) = (parts.next(), parts.next()) else {
        return Err(("invalid_grant", "invalid assertion"));
    };
    if header["alg"] != "RS256" {
        return Err(("invalid_grant", "algorithm not supported"));
    }
    if claims["iss"] != CLIENT {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    let logins = ["https://login.salesforce.com", "https://test.salesforce.com"];
    let audience = claims["aud"].as_str().unwrap_or_default().trim_end_matches('/');
    if !logins.contains(&audience) && audience != call.origin {
        return Err(("invalid_grant", "audience is invalid"));
    }
    let left = claims["exp"].as_i64().unwrap_or(0) - call.now.timestamp();
    if !(0..=LIFE).contains(&left) {
        return Err(("invalid_grant", "expired authorization code"));
    }
    let name = claims["sub"].as_str().unwrap_or_default();
    if !name.eq_ignore_ascii_case(people::INTEGRATION) {
        return Err(("invalid_grant", "user hasn't approved this consumer"));
    }
    Ok(())
}

/// Whoever holds the token may revoke it: there is no other credential.
pub(super) fn revoke(org: &mut Org, call: &Call) -> Reply {
    let form = form(call);
    let token = form.get("token").map(String::as_str).or(call.param("token"));
    let Some(token) = token.filter(|t| !t.is_empty()) else {
        return wrong("unsupported_token_type", "this token type is not supported");
    };
    if org.minted.remove(token).is_some() {
        return Reply::empty(200);
    }
    let found = org.tokens.iter().find(|(_, t)| t.delete_token == token);
    let Some((id, user)) = found.map(|(id, t)| (id.clone(), t.user.clone())) else {
        return wrong("invalid_token", "invalid token");
    };
    org.tokens.remove(&id);
    org.changed.push(("oauth_tokens", id));
    org.count(&user);
    Reply::empty(200)
}
