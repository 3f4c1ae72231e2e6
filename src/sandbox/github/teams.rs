//! Teams, by slug or by number.

use serde_json::{Value, json};

use super::{
    Github, ORG_ID, key, members, not_found, refuse,
    route::{Caller, account, page},
};
use crate::sandbox::twin::{Call, Reply};

pub(super) fn shown(g: &Github, call: &Call, slug: &str) -> Option<Value> {
    let t = g.teams.get(slug)?;
    let url = format!("{}/organizations/{ORG_ID}/team/{}", call.origin, t.id);
    Some(
        json!({"id": t.id, "node_id": format!("T_{}", t.id), "slug": slug, "name": t.name, "description": null, "privacy": "closed",
        "permission": "pull", "notification_setting": "notifications_enabled", "parent": null, "type": "organization",
        "html_url": format!("https://github.com/orgs/{}/teams/{slug}", g.org), "organization_id": ORG_ID, "url": url, "members_url": format!("{url}/members{{/member}}"),
        "repositories_url": format!("{url}/repos")}),
    )
}

pub(super) fn answer(
    g: &mut Github,
    caller: &Caller,
    call: &Call,
    rest: &[&str],
    body: &Value,
) -> Result<Reply, Reply> {
    let level = if call.method == "GET" { "read" } else { "write" };
    caller.needs("members", level)?;
    let (slug, rest) = match rest {
        ["teams"] => {
            let all: Vec<Value> = g.teams.keys().filter_map(|s| shown(g, call, s)).collect();
            return Ok(page(call, &all));
        }
        ["teams", slug, rest @ ..] => ((*slug).to_owned(), rest),
        ["team", id, rest @ ..] => {
            let found = g.teams.iter().find(|(_, t)| t.id.to_string() == *id);
            (found.map(|(s, _)| s.clone()).unwrap_or_default(), rest)
        }
        _ => return Ok(Reply::empty(501)),
    };
    let Some(team) = g.teams.get(&slug) else {
        return Ok(not_found());
    };
    Ok(match (call.method.as_str(), rest) {
        ("GET", []) => Reply::json(200, &shown(g, call, &slug).unwrap_or_default()),
        ("GET", ["members"]) => {
            let of = |login: &String| g.members.get(login).map(|m| account(call, m.id, &m.login));
            let all: Vec<Value> = team.members.iter().filter_map(of).collect();
            page(call, &all)
        }
        ("GET", ["external-groups"]) => {
            caller.needs("members", "write")?;
            Reply::json(200, &json!({"groups": []}))
        }
        ("GET", ["memberships", login]) => membership(g, call, &slug, login),
        ("PUT", ["memberships", login]) => join(g, call, &slug, login, body)?,
        ("DELETE", ["memberships", login]) => leave(g, &slug, login),
        _ => Reply::empty(501),
    })
}

fn told(call: &Call, slug: &str, login: &str, state: &str, role: &str) -> Reply {
    let url = format!(
        "{}/organizations/{ORG_ID}/teams/{slug}/memberships/{login}",
        call.origin
    );
    Reply::json(200, &json!({"state": state, "role": role, "url": url}))
}

fn membership(g: &Github, call: &Call, slug: &str, login: &str) -> Reply {
    let Some(team) = g.teams.get(slug) else {
        return not_found();
    };
    if team.members.contains(&key(login)) {
        let owner = g.members.get(&key(login)).is_some_and(|m| m.role == "admin");
        return told(call, slug, login, "active", if owner { "maintainer" } else { "member" });
    }
    match g.invited(login) {
        Some(i) if i.teams.contains(slug) => told(call, slug, login, "pending", "member"),
        Some(_) | None => not_found(),
    }
}

fn join(g: &mut Github, call: &Call, slug: &str, login: &str, body: &Value) -> Result<Reply, Reply> {
    let role = body["role"].as_str().unwrap_or("member");
    if !["member", "maintainer"].contains(&role) {
        return Err(refuse(422, "Validation Failed"));
    }
    let Some(login) = g.account(login).map(|(_, l)| l.to_owned()) else {
        return Err(not_found());
    };
    if !g.members.contains_key(&key(&login)) {
        members::seat(g, call, &login, slug)?;
        return Ok(told(call, slug, &login, "pending", role));
    }
    if let Some(t) = g.teams.get_mut(slug) {
        t.members.insert(key(&login));
    }
    g.touch("teams", slug);
    Ok(told(call, slug, &login, "active", role))
}

fn leave(g: &mut Github, slug: &str, login: &str) -> Reply {
    let gone = g.teams.get_mut(slug).is_some_and(|t| t.members.remove(&key(login)));
    let invited = g.invited(login).map(|i| i.id);
    let asked = invited
        .and_then(|id| g.invitations.get_mut(&id))
        .is_some_and(|i| i.teams.remove(slug));
    if !gone && !asked {
        return not_found();
    }
    g.touch("teams", slug);
    Reply::empty(204)
}
