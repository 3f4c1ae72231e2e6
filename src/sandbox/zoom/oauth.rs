//! `/oauth/token` with grant `account_credentials`, and who holds a bearer: each credential of the sandbox is an app of its own.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Duration;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{ACCOUNT, NAME, ONE_TOKEN, Zoom, error, hex};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

const READ: &[&str] = &[
    "user:read:user:admin",
    "user:read:list_users:admin",
    "user:read:email:admin",
];
const WRITE: &[&str] = &[
    "user:update:status:admin",
    "user:delete:token:admin",
    "user:update:user:admin",
    "user:delete:user:admin",
];
const LIFE: Duration = Duration::seconds(3600);

/// 22 letters, as Zoom's are.
pub(super) fn client_id(right: &str) -> String {
    format!("jmlSandboxApp0{:_<8}", right)
}

fn refuse(status: u16, word: &str, reason: &str) -> Reply {
    Reply::json(status, &json!({"reason": reason, "error": word}))
}

pub(super) fn token(zoom: &mut Zoom, world: &World, call: &Call) -> Reply {
    if call.method != "POST" {
        return refuse(405, "invalid_request", "Method Not Allowed");
    }
    // The form's word or the query's: both are taken.
    let mut said: BTreeMap<String, String> = call.query.iter().cloned().collect();
    said.extend(url::form_urlencoded::parse(&call.body).into_owned());
    let get = |name: &str| said.get(name).map_or("", String::as_str);
    let basic = call
        .header("authorization")
        .and_then(|h| h.strip_prefix("Basic "))
        .and_then(|b| STANDARD.decode(b.trim()).ok())
        .and_then(|b| String::from_utf8(b).ok());
    let known = basic
        .as_deref()
        .and_then(|b| b.split_once(':'))
        .and_then(|(id, secret)| {
            let credential = world.credential(NAME, secret)?;
            let right = credential.name.rsplit('.').next()?;
            (client_id(right) == id).then(|| credential.name.clone())
        });
    let Some(credential) = known else {
        return refuse(400, "invalid_client", "Invalid client_id or client_secret");
    };
    if get("grant_type") != "account_credentials" {
        return refuse(400, "unsupported_grant_type", "unsupported grant type");
    }
    if get("account_id") != ACCOUNT {
        return refuse(400, "invalid_request", "Bad Request");
    }
    zoom.minted += 1;
    let seed = format!(
        "{} {} {}",
        world.secret(&credential).unwrap_or_default(),
        zoom.minted,
        call.now
    );
    let token = format!("eyJ{}", hex(&Sha256::digest(seed)));
    let one = world.manners.get(NAME).is_some_and(|m| m.contains(ONE_TOKEN));
    zoom.tokens
        .retain(|_, (whose, until)| *until > call.now && !(one && *whose == credential));
    let scope = scopes(world, &credential).join(" ");
    zoom.tokens.insert(token.clone(), (credential, call.now + LIFE));
    Reply::json(
        200,
        &json!({"access_token": token, "token_type": "bearer", "expires_in": LIFE.num_seconds() - 1, "scope": scope,
            "api_url": call.origin}),
    )
}

fn scopes(world: &World, credential: &str) -> Vec<&'static str> {
    let write = world.credentials.iter().any(|c| c.name == credential && c.write);
    let more: &[&str] = if write { WRITE } else { &[] };
    READ.iter().chain(more).copied().collect()
}

/// May the call be made? `Err`: Zoom's refusal.
pub(super) fn may(zoom: &Zoom, world: &World, call: &Call, scope: &str) -> Result<(), Reply> {
    let bearer = call.header("authorization").and_then(|h| h.strip_prefix("Bearer "));
    let bearer = bearer.unwrap_or_default().trim();
    let credential = match zoom.tokens.get(bearer) {
        Some((_, until)) if *until <= call.now => return Err(error(401, 124, "Access token is expired.")),
        Some((credential, _)) => credential.clone(),
        // the endpoints file's ready token
        None if world.secret("zoom.all").is_some_and(|s| s == bearer) => "zoom.all".into(),
        None => return Err(error(401, 124, "Invalid access token.")),
    };
    if scopes(world, &credential).contains(&scope) {
        return Ok(());
    }
    let message = format!("Invalid access token, does not contain scopes:[{scope}].");
    Err(error(400, 4711, &message))
}
