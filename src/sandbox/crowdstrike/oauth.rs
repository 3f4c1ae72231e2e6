//! `/oauth2/token` and `/oauth2/revoke`: a form, 201, half an hour.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Duration;
use serde_json::json;

use super::{CrowdStrike, NAME, OTHER_CLOUD, error};
use crate::sandbox::{
    tokens,
    twin::{Call, Reply},
    world::World,
};

fn form(call: &Call, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(&call.body);
    pairs
        .find(|(k, _)| k == name)
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

fn is_form(call: &Call) -> bool {
    call.header("content-type")
        .is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"))
}

pub(super) fn token(falcon: &mut CrowdStrike, world: &World, call: &Call) -> Reply {
    if world.manners.get(NAME).is_some_and(|m| m.contains(OTHER_CLOUD)) {
        return Reply::empty(308)
            .with("location", "https://api.us-2.crowdstrike.com/oauth2/token")
            .with("x-cs-region", "us-2");
    }
    let id = form(call, "client_id");
    if !is_form(call) || id.is_empty() {
        return error(
            400,
            &format!("Failed to generate access token for clientID={id}"),
            "csam",
        );
    }
    let Some(credential) = tokens::known(world, NAME, &id, &form(call, "client_secret")) else {
        return error(
            403,
            "Failed to issue access token - Client authentication failed",
            "csam",
        );
    };
    let secret = world.secret(&credential).unwrap_or_default().to_owned();
    let token = falcon
        .tokens
        .mint(&credential, &secret, call.now, Duration::seconds(1799));
    Reply::json(
        201,
        &json!({"access_token": token, "expires_in": 1799, "token_type": "bearer"}),
    )
}

pub(super) fn revoke(falcon: &mut CrowdStrike, world: &World, call: &Call) -> Reply {
    let basic = call
        .header("authorization")
        .and_then(|h| h.strip_prefix("Basic ").or_else(|| h.strip_prefix("basic ")))
        .and_then(|b| STANDARD.decode(b.trim()).ok())
        .and_then(|b| String::from_utf8(b).ok());
    let known = basic.as_deref().and_then(|b| b.split_once(':'));
    if known
        .and_then(|(id, secret)| tokens::known(world, NAME, id, secret))
        .is_none()
    {
        return error(403, "access denied, authorization failed", "csam");
    }
    falcon.tokens.revoke(&form(call, "token"));
    Reply::json(
        200,
        &json!({"meta": {"query_time": 0.000_1, "powered_by": "csam", "trace_id": "t"}}),
    )
}
