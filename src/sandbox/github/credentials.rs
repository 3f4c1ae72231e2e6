//! What a member signs in with beside the browser: credentials authorized for SSO, and grants of fine-grained tokens.
//!
//! A revocation is accepted (202) and takes effect a little later.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    Github, Member, key, not_found, refuse,
    route::{Caller, account, page},
};
use crate::sandbox::twin::{Call, Reply};

/// Until what was accepted is so.
const LATER: TimeDelta = TimeDelta::milliseconds(300);
const KINDS: [&str; 4] = [
    "personal access token",
    "SSH key",
    "OAuth app token",
    "GitHub app token",
];

pub(super) fn answer(
    g: &mut Github,
    caller: &Caller,
    call: &Call,
    rest: &[&str],
    body: &Value,
) -> Result<Reply, Reply> {
    let level = if call.method == "GET" { "read" } else { "write" };
    if rest.first() == Some(&"credential-authorizations") {
        caller.needs("organization_administration", level)?;
        if g.saml.is_none() {
            return Ok(not_found());
        }
    } else {
        caller.needs("organization_personal_access_tokens", level)?;
    }
    Ok(match (call.method.as_str(), rest) {
        ("GET", ["credential-authorizations"]) => {
            let wanted = |m: &&Member| call.param("login").is_none_or(|l| l.eq_ignore_ascii_case(&m.login));
            let all: Vec<Value> = g.members.values().filter(wanted).flat_map(authorizations).collect();
            page(call, &all)
        }
        ("DELETE", ["credential-authorizations", id]) => one(g, id),
        ("POST", ["credential-authorizations", login, "revoke"]) => match g.members.get_mut(&key(login)) {
            Some(m) => {
                m.credentials_end = Some(call.now + LATER);
                g.touch("members", key(login));
                Reply::json(202, &json!({}))
            }
            None => not_found(),
        },
        ("GET", ["personal-access-tokens"]) => {
            let owners: Vec<&str> = call
                .query
                .iter()
                .filter(|(k, _)| k == "owner[]")
                .map(|(_, v)| v.as_str())
                .collect();
            let wanted = |m: &&Member| owners.is_empty() || owners.iter().any(|o| o.eq_ignore_ascii_case(&m.login));
            let all: Vec<Value> = g
                .members
                .values()
                .filter(wanted)
                .flat_map(|m| grants(call, m))
                .collect();
            page(call, &all)
        }
        ("GET", ["personal-access-token-requests"]) => page(call, &[]),
        ("POST", ["personal-access-tokens"]) => {
            let ids: Vec<u64> = body["pat_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_u64)
                .collect();
            revoke(g, call, body, &ids, 202)
        }
        ("POST", ["personal-access-tokens", id]) => match id.parse() {
            Ok(id) => revoke(g, call, body, &[id], 204),
            Err(_) => not_found(),
        },
        _ => Reply::empty(501),
    })
}

fn authorizations(m: &Member) -> Vec<Value> {
    let of = |(n, id): (usize, &u64)| {
        json!({"login": m.login, "credential_id": id, "credential_type": KINDS[n % 2], "token_last_eight": format!("{:08x}", id % 0xffff_ffff),
            "credential_authorized_at": "2026-03-01T10:00:00Z", "credential_accessed_at": null, "authorized_credential_id": id + 7,
            "authorized_credential_title": format!("laptop {}", n + 1), "authorized_credential_expires_at": null, "scopes": ["repo"]})
    };
    m.credentials.iter().enumerate().map(of).collect()
}

fn grants(call: &Call, m: &Member) -> Vec<Value> {
    let of = |id: &u64| {
        json!({"id": id, "owner": account(call, m.id, &m.login), "repository_selection": "all", "permissions": {"organization": {"members": "read"}},
            "repositories_url": format!("{}/organizations/{}/personal-access-tokens/{id}/repositories", call.origin, super::ORG_ID),
            "access_granted_at": "2026-03-01T10:00:00Z", "token_expired": false, "token_expires_at": null, "token_id": id + 11,
            "token_name": format!("release job {}", id % 1000), "token_last_used_at": null})
    };
    m.pats.iter().map(of).collect()
}

fn one(g: &mut Github, id: &str) -> Reply {
    let Ok(id) = id.parse::<u64>() else {
        return not_found();
    };
    let owner = g.members.iter_mut().find(|(_, m)| m.credentials.contains(&id));
    let Some((login, m)) = owner else {
        return not_found();
    };
    m.credentials.remove(&id);
    let login = login.clone();
    g.touch("members", login);
    Reply::empty(204)
}

fn revoke(g: &mut Github, call: &Call, body: &Value, ids: &[u64], status: u16) -> Reply {
    if body["action"] != "revoke" {
        return refuse(422, "Validation Failed");
    }
    if ids.is_empty() || ids.len() > 100 {
        return refuse(422, "Validation Failed");
    }
    let mut touched = Vec::new();
    for (login, m) in &mut g.members {
        let theirs: Vec<u64> = ids.iter().copied().filter(|id| m.pats.contains(id)).collect();
        if !theirs.is_empty() {
            let (_, set) = m.pats_end.get_or_insert((call.now + LATER, Default::default()));
            set.extend(theirs);
            touched.push(login.clone());
        }
    }
    if touched.is_empty() && status == 204 {
        return not_found();
    }
    for login in touched {
        g.touch("members", login);
    }
    if status == 202 {
        Reply::json(202, &json!({}))
    } else {
        Reply::empty(204)
    }
}
