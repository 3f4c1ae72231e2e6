//! The GitHub App's way in: a signed JWT gives an installation token of an hour, narrowed to what was asked.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Github, not_found, refuse,
    route::{SINCE, account},
};
use crate::sandbox::{
    files, keys,
    twin::{Call, Reply},
};

pub(super) const ID: u64 = 314_159;
const INSTALLATION: u64 = 2_566_401;

/// What the App was granted.
const GRANTED: &[(&str, &str)] = &[
    ("members", "write"),
    ("organization_administration", "write"),
    ("organization_personal_access_tokens", "write"),
    ("organization_personal_access_token_requests", "write"),
];

#[derive(Clone)]
pub(super) struct Minted {
    pub permissions: BTreeMap<String, String>,
    pub until: DateTime<Utc>,
}

pub(super) fn key() -> &'static str {
    keys::private()
}

fn level(word: &str) -> u8 {
    match word {
        "write" => 2,
        "read" => 1,
        _ => 0,
    }
}

/// Everything, at that level.
pub(super) fn everything(write: bool) -> BTreeMap<String, String> {
    let word = if write { "write" } else { "read" };
    GRANTED
        .iter()
        .map(|(p, _)| ((*p).to_owned(), word.to_owned()))
        .collect()
}

/// What an owner's token may: everything but other people's tokens, which Apps alone manage.
pub(super) fn personal() -> BTreeMap<String, String> {
    let mut all = everything(true);
    all.retain(|permission, _| !permission.starts_with("organization_personal"));
    all
}

pub(super) fn may(permissions: &BTreeMap<String, String>, need: &str, word: &str) -> bool {
    permissions.get(need).is_some_and(|have| level(have) >= level(word))
}

/// The App itself, by its JWT.
fn signed(call: &Call) -> Result<(), Reply> {
    let jwt = call.header("authorization").and_then(|h| h.strip_prefix("Bearer "));
    let bad = || refuse(401, "A JSON web token could not be decoded");
    let (_, claims) = keys::signed(jwt.unwrap_or_default()).ok_or_else(bad)?;
    let issuer = match &claims["iss"] {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    if issuer != ID.to_string() {
        return Err(refuse(401, "'Issuer' claim ('iss') must be an Integer"));
    }
    let (now, at) = (call.now.timestamp(), |name: &str| {
        claims[name].as_i64().unwrap_or_default()
    });
    if at("exp") <= now || at("exp") > now + 660 {
        return Err(refuse(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    }
    if at("iat") > now + 60 {
        return Err(refuse(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    Ok(())
}

pub(super) fn installation(g: &Github, call: &Call, org: &str) -> Reply {
    if let Err(refused) = signed(call) {
        return refused;
    }
    if !org.eq_ignore_ascii_case(&g.org) {
        return not_found();
    }
    let granted: BTreeMap<_, _> = GRANTED.iter().copied().collect();
    Reply::json(
        200,
        &json!({"id": INSTALLATION, "app_id": ID, "app_slug": "jml", "client_id": "Iv1.314159", "target_id": super::ORG_ID,
            "target_type": "Organization", "account": account(call, super::ORG_ID, &g.org), "single_file_name": null,
            "repository_selection": "all", "permissions": granted, "events": [], "suspended_by": null, "suspended_at": null,
            "created_at": SINCE, "updated_at": SINCE,
            "html_url": format!("https://github.com/organizations/{}/settings/installations/{INSTALLATION}", g.org),
            "repositories_url": format!("{}/installation/repositories", call.origin),
            "access_tokens_url": format!("{}/app/installations/{INSTALLATION}/access_tokens", call.origin)}),
    )
}

pub(super) fn mint(g: &mut Github, call: &Call, installation: &str) -> Reply {
    if let Err(refused) = signed(call) {
        return refused;
    }
    if installation != INSTALLATION.to_string() {
        return not_found();
    }
    let mut permissions: BTreeMap<String, String> = GRANTED
        .iter()
        .map(|(p, l)| ((*p).to_owned(), (*l).to_owned()))
        .collect();
    if let Some(asked) = call.json().as_ref().and_then(|b| b["permissions"].as_object()) {
        let mut narrowed = BTreeMap::new();
        for (name, word) in asked {
            let word = word.as_str().unwrap_or_default();
            if level(word) == 0 || !may(&permissions, name, word) {
                return refuse(422, "The permissions requested are not granted to this installation.");
            }
            narrowed.insert(name.clone(), word.to_owned());
        }
        permissions = narrowed;
    }
    let Ok(random) = files::secret(36) else {
        return refuse(500, "Server Error");
    };
    let (secret, until) = (format!("ghs_{random}"), call.now + TimeDelta::hours(1));
    let body = json!({"token": secret, "expires_at": until.to_rfc3339_opts(SecondsFormat::Secs, true),
        "permissions": permissions, "repository_selection": "all"});
    g.minted.insert(secret, Minted { permissions, until });
    Reply::json(201, &body)
}
