//! Who belongs to the organisation: memberships, invitations, outside collaborators. Pending is not in.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    Github, Invitation, Member, ORG_ID, direct_member, invalid, key, member, not_found, refuse,
    route::{Caller, account, organisation, page},
};
use crate::sandbox::twin::{Call, Reply};

pub(super) fn answer(
    g: &mut Github,
    directory: &BTreeMap<String, String>,
    caller: &Caller,
    call: &Call,
    rest: &[&str],
    body: &Value,
) -> Result<Reply, Reply> {
    let level = if call.method == "GET" { "read" } else { "write" };
    caller.needs("members", level)?;
    Ok(match (call.method.as_str(), rest) {
        ("GET", ["members"]) => list(g, call),
        ("GET", ["members", login]) => match g.members.contains_key(&key(login)) {
            true => Reply::empty(204),
            false => not_found(),
        },
        ("DELETE", ["members", login]) => match g.members.contains_key(&key(login)) {
            true => leave(g, login),
            false => not_found(),
        },
        ("GET", ["memberships", login]) => membership(g, call, login),
        ("PUT", ["memberships", login]) => put(g, call, login, body),
        ("DELETE", ["memberships", login]) => leave(g, login),
        ("GET", ["invitations"]) => {
            let all: Vec<Value> = g.invitations.values().map(|i| shown(call, i)).collect();
            page(call, &all)
        }
        ("GET", ["failed_invitations"]) => page(call, &[]),
        ("POST", ["invitations"]) => invite(g, directory, call, body),
        ("GET", ["invitations", id, "teams"]) => of_invitation(g, call, id),
        ("DELETE", ["invitations", id]) => cancel(g, id),
        ("GET", ["outside_collaborators"]) => {
            let all: Vec<Value> = g
                .outside
                .iter()
                .filter_map(|l| g.account(l))
                .map(|(id, login)| account(call, id, login))
                .collect();
            page(call, &all)
        }
        ("DELETE", ["outside_collaborators", login]) => outside(g, login),
        _ => Reply::empty(501),
    })
}

fn list(g: &Github, call: &Call) -> Reply {
    let role = call.param("role").unwrap_or("all");
    let fits = |m: &&Member| role == "all" || m.role == role;
    let mut all: Vec<&Member> = g.members.values().filter(fits).collect();
    all.sort_by_key(|m| m.id);
    let all: Vec<Value> = all.into_iter().map(|m| account(call, m.id, &m.login)).collect();
    page(call, &all)
}

fn membership_of(g: &Github, call: &Call, state: &str, role: &str, id: u64, login: &str) -> Value {
    json!({"url": format!("{}/orgs/{}/memberships/{login}", call.origin, g.org), "state": state, "role": role,
        "direct_membership": state == "active", "enterprise_teams_providing_indirect_membership": [],
        "organization_url": format!("{}/orgs/{}", call.origin, g.org),
        "organization": organisation(g, call), "user": account(call, id, login)})
}

fn membership(g: &Github, call: &Call, login: &str) -> Reply {
    if let Some(m) = g.members.get(&key(login)) {
        return Reply::json(200, &membership_of(g, call, "active", &m.role, m.id, &m.login));
    }
    match (g.invited(login), g.account(login)) {
        (Some(i), Some((id, login))) => {
            let role = if i.role == "admin" { "admin" } else { "member" };
            Reply::json(200, &membership_of(g, call, "pending", role, id, login))
        }
        _ => not_found(),
    }
}

fn put(g: &mut Github, call: &Call, login: &str, body: &Value) -> Reply {
    let role = body["role"].as_str().unwrap_or("member").to_owned();
    if !["member", "admin"].contains(&role.as_str()) {
        return invalid("invalid", "role", "role is not a known role");
    }
    let Some((id, login)) = g.account(login).map(|(id, l)| (id, l.to_owned())) else {
        return not_found();
    };
    let last = g.owners() == 1;
    if let Some(m) = g.members.get_mut(&key(&login)) {
        if m.role == "admin" && role == "member" && last {
            return refuse(403, "Cannot demote the last owner of an organization.");
        }
        m.role.clone_from(&role);
        g.touch("members", key(&login));
        return membership(g, call, &login);
    }
    if g.invited(&login).is_none()
        && let Err(refused) = ask(g, call, Some(login.clone()), None, &role)
    {
        return refused;
    }
    Reply::json(200, &membership_of(g, call, "pending", &role, id, &login))
}

/// A fresh invitation, where seats and the daily limit allow.
pub(super) fn ask(
    g: &mut Github,
    call: &Call,
    login: Option<String>,
    email: Option<String>,
    role: &str,
) -> Result<u64, Reply> {
    let day = call.now - TimeDelta::days(1);
    let today = g.invitations.values().filter(|i| i.at.is_some_and(|t| t > day)).count();
    if today >= 500 {
        return Err(invalid("unprocessable", "data", "Over invitation rate limit"));
    }
    let taken = (g.members.len() + g.invitations.len()) as u64;
    if g.seats.is_some_and(|s| taken >= s) {
        return Err(invalid(
            "unprocessable",
            "data",
            "There are no available seats in your organization.",
        ));
    }
    let id = g.next_invitation();
    let invitation = Invitation {
        id,
        login,
        email,
        role: if role == "member" {
            direct_member()
        } else {
            role.to_owned()
        },
        teams: Default::default(),
        at: Some(call.now),
    };
    g.invitations.insert(id, invitation);
    g.touch("invitations", id.to_string());
    Ok(id)
}

fn leave(g: &mut Github, login: &str) -> Reply {
    let name = key(login);
    if let Some(m) = g.members.get(&name) {
        if m.role == "admin" && g.owners() == 1 {
            return refuse(403, "Cannot remove the last owner of an organization.");
        }
        g.members.remove(&name);
        g.touch("members", name.clone());
        let mut left = Vec::new();
        for (slug, t) in &mut g.teams {
            if t.members.remove(&name) {
                left.push(slug.clone());
            }
        }
        for slug in left {
            g.touch("teams", slug);
        }
        return Reply::empty(204);
    }
    match g.invited(login).map(|i| i.id) {
        Some(id) => {
            g.invitations.remove(&id);
            g.touch("invitations", id.to_string());
            Reply::empty(204)
        }
        None => not_found(),
    }
}

fn shown(call: &Call, i: &Invitation) -> Value {
    json!({"id": i.id, "login": i.login, "email": i.email, "role": i.role, "created_at": i.at, "failed_at": null,
        "failed_reason": null, "inviter": account(call, 1, "jml-app"), "team_count": i.teams.len(), "node_id": format!("OI_{}", i.id),
        "invitation_teams_url": format!("{}/organizations/{ORG_ID}/invitations/{}/teams", call.origin, i.id), "invitation_source": "member"})
}

fn invite(g: &mut Github, directory: &BTreeMap<String, String>, call: &Call, body: &Value) -> Reply {
    let role = body["role"].as_str().unwrap_or("direct_member").to_owned();
    let slugs: Vec<String> = body["team_ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .filter_map(|id| g.teams.iter().find(|(_, t)| t.id == id))
        .map(|(slug, _)| slug.clone())
        .collect();
    let id = match (body["email"].as_str(), body["invitee_id"].as_u64()) {
        (Some(email), _) => {
            let same = |i: &&Invitation| i.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email));
            match g.invitations.values().find(same).map(|i| i.id) {
                Some(id) => id,
                None if g
                    .members
                    .keys()
                    .any(|l| directory.get(l).is_some_and(|e| e.eq_ignore_ascii_case(email))) =>
                {
                    let why = "A user with this email address is already a part of this organization";
                    return invalid("unprocessable", "data", why);
                }
                None => match ask(g, call, None, Some(email.to_owned()), &role) {
                    Ok(id) => id,
                    Err(refused) => return refused,
                },
            }
        }
        (None, Some(id)) => {
            let Some(login) = g.accounts.get(&id).cloned() else {
                return invalid("invalid", "invitee_id", "Invitee could not be found");
            };
            if g.members.contains_key(&key(&login)) {
                let why = "Invitee is already a part of this organization";
                return invalid("unprocessable", "data", why);
            }
            match ask(g, call, Some(login), None, &role) {
                Ok(id) => id,
                Err(refused) => return refused,
            }
        }
        (None, None) => return invalid("missing_field", "email", "email or invitee_id is needed"),
    };
    g.touch("invitations", id.to_string());
    match g.invitations.get_mut(&id) {
        Some(i) => {
            i.teams.extend(slugs);
            let mut shown = shown(call, i);
            if i.email.is_some() {
                shown["login"] = Value::Null;
            }
            Reply::json(201, &shown)
        }
        None => not_found(),
    }
}

fn of_invitation(g: &Github, call: &Call, id: &str) -> Reply {
    let Some(i) = id.parse().ok().and_then(|id: u64| g.invitations.get(&id)) else {
        return not_found();
    };
    let all: Vec<Value> = i.teams.iter().filter_map(|s| super::teams::shown(g, call, s)).collect();
    page(call, &all)
}

/// Again is 204 too: a number that was once given.
fn cancel(g: &mut Github, id: &str) -> Reply {
    let Ok(number) = id.parse::<u64>() else {
        return not_found();
    };
    if g.invitations.remove(&number).is_some() {
        g.cancelled.insert(number);
        g.touch("invitations", id);
        g.touch("cancelled", "all");
        return Reply::empty(204);
    }
    if g.cancelled.contains(&number) {
        return Reply::empty(204);
    }
    not_found()
}

fn outside(g: &mut Github, login: &str) -> Reply {
    if g.members.contains_key(&key(login)) {
        return refuse(
            422,
            "You cannot specify an organization member to remove as an outside collaborator.",
        );
    }
    g.outside.remove(&key(login));
    g.touch("outside", "all");
    Reply::empty(204)
}

/// Who is asked into a team without being a member is asked into the organisation.
pub(super) fn seat(g: &mut Github, call: &Call, login: &str, slug: &str) -> Result<(), Reply> {
    let id = match g.invited(login).map(|i| i.id) {
        Some(id) => id,
        None => ask(g, call, Some(login.to_owned()), None, &member())?,
    };
    if let Some(i) = g.invitations.get_mut(&id) {
        i.teams.insert(slug.to_owned());
    }
    g.touch("invitations", id.to_string());
    Ok(())
}
