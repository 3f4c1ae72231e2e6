//! `/token`: access for the service account by an assertion signed with its key (RFC 7523), on behalf of an administrator.
//!
//! Refuses the whole request where one scope isn't delegated. Its refusals have OAuth's shape. Time is the request's.

use std::collections::BTreeSet;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Google;
use crate::sandbox::{
    keys,
    twin::{Call, Reply},
};

/// Before each scope's own name.
pub(super) const PREFIX: &str = "https://www.googleapis.com/auth/";
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EMAIL: &str = "jml-lifecycle@acme-jml.iam.gserviceaccount.com";
const CLIENT: &str = "104857600000000000077";
const KEY_ID: &str = "5f3a9c0d1e2b4a6875f3a9c0d1e2b4a687b1c2d3";

/// What the administrators of the firm delegate to the service account.
const DELEGATED: &[&str] = &[
    "admin.directory.user",
    "admin.directory.user.readonly",
    "admin.directory.user.security",
    "admin.directory.group",
    "admin.directory.group.readonly",
    "admin.directory.group.member",
    "admin.directory.group.member.readonly",
    "admin.directory.customer.readonly",
    "admin.datatransfer",
    "admin.datatransfer.readonly",
];

/// What a minted token may do, and as whom.
pub(super) struct Access {
    pub scopes: BTreeSet<String>,
    /// An id; `None`: as the service account itself, whom the directory doesn't know.
    pub subject: Option<String>,
    pub until: DateTime<Utc>,
}

/// The file that Google's console gives for a key.
pub(super) fn service_account() -> Value {
    json!({"type": "service_account", "project_id": "acme-jml", "private_key_id": KEY_ID, "private_key": keys::private(),
        "client_email": EMAIL, "client_id": CLIENT, "token_uri": AUDIENCE})
}

fn wrong(status: u16, error: &str, text: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": text}))
}

pub(super) fn mint(google: &mut Google, call: &Call) -> Reply {
    granted(google, call).unwrap_or_else(|refused| refused)
}

fn granted(google: &mut Google, call: &Call) -> Result<Reply, Reply> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let value = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if value("grant_type") != GRANT {
        return Err(wrong(400, "unsupported_grant_type", "Invalid grant_type"));
    }
    let claims = signed(value("assertion")).ok_or_else(|| wrong(400, "invalid_grant", "Invalid JWT Signature."))?;
    if claims["iss"] != EMAIL {
        return Err(wrong(400, "invalid_grant", "Invalid grant: account not found"));
    }
    if claims["aud"] != AUDIENCE {
        let text = "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token";
        return Err(wrong(400, "invalid_grant", text));
    }
    let (now, instant) = (call.now.timestamp(), |name: &str| claims[name].as_i64());
    let fits = |iat: i64, exp: i64| (now - 3600..=now + 60).contains(&iat) && exp > now && exp - iat <= 3600;
    if !instant("iat")
        .zip(instant("exp"))
        .is_some_and(|(iat, exp)| fits(iat, exp))
    {
        let text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
        return Err(wrong(400, "invalid_grant", text));
    }
    let scopes: BTreeSet<String> = claims["scope"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err(wrong(400, "invalid_scope", "Empty or missing scope not allowed."));
    }
    let subject = match claims["sub"].as_str() {
        None => None,
        Some(sub) => {
            let delegated = |s: &String| s.strip_prefix(PREFIX).is_some_and(|s| DELEGATED.contains(&s));
            if !scopes.iter().all(delegated) {
                let text = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.";
                return Err(wrong(401, "unauthorized_client", text));
            }
            let user = google.find(sub).filter(|u| !u.suspended && !u.archived);
            let unknown = || wrong(400, "invalid_grant", "Invalid email or User ID");
            Some(user.ok_or_else(unknown)?.id.clone())
        }
    };
    let mut random = [0_u8; 96];
    if rand::fill(&mut random).is_err() {
        return Err(Reply::empty(500));
    }
    let token = format!("ya29.{}", URL_SAFE_NO_PAD.encode(random));
    let access = Access {
        scopes,
        subject,
        until: call.now + TimeDelta::seconds(3599),
    };
    google.access.retain(|_, a| a.until > call.now);
    google.access.insert(token.clone(), access);
    let body = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
    Ok(Reply::json(200, &body).with("cache-control", "private"))
}

/// The claims, where our key signed them.
fn signed(jwt: &str) -> Option<Value> {
    let (header, claims) = keys::signed(jwt)?;
    (header["kid"] == KEY_ID).then_some(claims)
}
