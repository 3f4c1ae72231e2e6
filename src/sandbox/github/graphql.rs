//! The few questions that only GraphQL answers: SAML identities, and addresses at a verified domain. Refusals are HTTP 200.
//!
//! It reads which fields a query names, not its grammar: what it doesn't know is an error, as with GitHub.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Github, Identity, key, refuse};
use crate::sandbox::twin::Reply;

pub(super) fn answer(g: &Github, directory: &BTreeMap<String, String>, body: &Value) -> Reply {
    let Some(query) = body["query"].as_str() else {
        return refuse(400, "A query attribute must be specified and must be a string.");
    };
    let v = &body["variables"];
    let org = v["org"].as_str().unwrap_or_default();
    if !org.eq_ignore_ascii_case(&g.org) {
        let message = format!("Could not resolve to an Organization with the login of '{org}'.");
        return Reply::json(
            200,
            &json!({"data": {"organization": null}, "errors": [{"type": "NOT_FOUND", "path": ["organization"], "message": message}]}),
        );
    }
    let rate = json!({"cost": 1, "remaining": 9999, "resetAt": "2030-01-01T00:00:00Z"});
    let organization = if query.contains("externalIdentities") {
        json!({"samlIdentityProvider": provider(g, query, v)})
    } else if query.contains("membersWithRole") {
        json!({"membersWithRole": members(g, directory, query, v)})
    } else if query.contains("userLogins") {
        json!({"teams": teams(g, query, v)})
    } else {
        return Reply::json(
            200,
            &json!({"errors": [{"type": "undefinedField", "message": "Field doesn't exist"}]}),
        );
    };
    Reply::json(200, &json!({"data": {"organization": organization, "rateLimit": rate}}))
}

/// The number behind `first:`.
fn first(query: &str) -> usize {
    let at = query.find("first:").map_or("", |i| &query[i + 6..]);
    let digits: String = at.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().unwrap_or(100).clamp(1, 100)
}

fn paged(all: Vec<Value>, query: &str, after: Option<&str>) -> (Vec<Value>, Value) {
    let from: usize = after
        .and_then(|a| a.strip_prefix("c:"))
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let (count, total) = (first(query), all.len());
    let shown: Vec<Value> = all.into_iter().skip(from).take(count).collect();
    let end = from + shown.len();
    let info = json!({"hasNextPage": end < total, "endCursor": (!shown.is_empty()).then(|| format!("c:{end}"))});
    (shown, info)
}

fn provider(g: &Github, query: &str, v: &Value) -> Value {
    let Some(saml) = &g.saml else { return Value::Null };
    let text = |name: &str| v[name].as_str().filter(|_| query.contains(&format!("${name}")));
    let (user, login) = (text("u"), text("l"));
    let members_only = v["m"].as_bool().unwrap_or(false);
    let fits = |i: &&Identity| {
        user.is_none_or(|u| i.name_id.eq_ignore_ascii_case(u))
            && login.is_none_or(|l| i.login.as_deref().is_some_and(|have| have.eq_ignore_ascii_case(l)))
            && (!members_only || i.login.as_deref().is_some_and(|l| g.members.contains_key(&key(l))))
    };
    let edge = |i: &Identity| {
        let user = i
            .login
            .as_deref()
            .and_then(|l| g.account(l))
            .map(|(id, l)| json!({"login": l, "databaseId": id}));
        let name =
            json!({"nameId": i.name_id, "username": i.name_id, "emails": [{"value": i.name_id, "primary": true}]});
        json!({"node": {"guid": format!("guid-{}", i.name_id), "samlIdentity": name, "scimIdentity": null, "user": user,
            "organizationInvitation": null}})
    };
    let all: Vec<Value> = saml.iter().filter(fits).map(edge).collect();
    let (edges, info) = paged(all, query, v["a"].as_str());
    json!({"ssoUrl": "https://acme.okta.com/app/githubcloud/sso/saml", "externalIdentities": {"pageInfo": info, "edges": edges}})
}

/// The teams that all of these logins are in.
fn teams(g: &Github, query: &str, v: &Value) -> Value {
    let logins: Vec<String> = v["logins"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(key)
        .collect();
    let fits = |t: &super::Team| logins.iter().all(|l| t.members.contains(l));
    let teams = g.teams.iter().filter(|(_, t)| fits(t));
    let all: Vec<Value> = teams
        .map(|(slug, t)| json!({"slug": slug, "databaseId": t.id}))
        .collect();
    let (nodes, info) = paged(all, query, v["a"].as_str());
    json!({"pageInfo": info, "nodes": nodes})
}

fn members(g: &Github, directory: &BTreeMap<String, String>, query: &str, v: &Value) -> Value {
    let node = |m: &super::Member| json!({"login": m.login, "databaseId": m.id, "organizationVerifiedDomainEmails": g.emails(&m.login, directory)});
    let all: Vec<Value> = g.members.values().map(node).collect();
    let (nodes, info) = paged(all, query, v["a"].as_str());
    json!({"pageInfo": info, "nodes": nodes})
}
