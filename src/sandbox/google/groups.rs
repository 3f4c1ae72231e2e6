//! Groups and who is in them: direct memberships only, as `groups.list` shows them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Google, not_found, refuse};
use crate::sandbox::twin::{Call, Reply};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub id: String,
    pub email: String,
    #[serde(default)]
    pub name: String,
    /// Ids of users.
    #[serde(default)]
    pub members: Vec<String>,
}

impl Google {
    pub(super) fn group(&self, key: &str) -> Option<&Group> {
        let is = |g: &&Group| g.email.eq_ignore_ascii_case(key);
        self.groups.get(key).or_else(|| self.groups.values().find(is))
    }
}

/// One page of what a list holds, by ids that rise; and the token of the next one.
pub(super) fn page<'a, T>(
    call: &Call,
    list: &str,
    most: (usize, usize),
    all: impl Iterator<Item = (&'a String, T)>,
) -> Result<(Vec<T>, Option<String>), Reply> {
    let (default, most) = most;
    let wanted = call.param("maxResults").map_or(Some(default), |n| n.parse().ok());
    let wanted = wanted
        .filter(|n| (1..=most).contains(n))
        .ok_or_else(|| refuse(400, "badRequest", "Bad Request"))?;
    let after = match call.param("pageToken").filter(|t| !t.is_empty()) {
        None => String::new(),
        Some(token) => {
            let text = URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|t| String::from_utf8(t).ok());
            text.as_deref()
                .and_then(|t| t.strip_prefix(list)?.strip_prefix(' '))
                .ok_or_else(|| refuse(400, "invalid", "Invalid Input: pageToken"))?
                .to_owned()
        }
    };
    let mut rest = all.filter(|(key, _)| after.is_empty() || **key > after);
    let (mut items, mut last) = (Vec::new(), String::new());
    for (key, item) in rest.by_ref().take(wanted) {
        last.clone_from(key);
        items.push(item);
    }
    let more = rest.next().is_some();
    Ok((items, more.then(|| URL_SAFE_NO_PAD.encode(format!("{list} {last}")))))
}

fn shown(g: &Group) -> Value {
    json!({"kind": "admin#directory#group", "id": g.id, "etag": "\"g\"", "email": g.email, "name": g.name,
        "directMembersCount": g.members.len().to_string(), "description": "", "adminCreated": true})
}

fn member(google: &Google, id: &str) -> Option<Value> {
    let u = google.users.get(id)?;
    Some(
        json!({"kind": "admin#directory#member", "etag": "\"m\"", "id": u.id, "email": u.primary_email, "role": "MEMBER",
        "type": "USER", "status": if u.suspended { "SUSPENDED" } else { "ACTIVE" }}),
    )
}

/// The key of a list is absent where it is empty.
pub(super) fn listed(kind: &str, key: &str, items: Vec<Value>, next: Option<String>) -> Reply {
    let mut body = json!({"kind": kind, "etag": "\"l\""});
    if !items.is_empty() {
        body[key] = items.into();
    }
    if let Some(next) = next {
        body["nextPageToken"] = next.into();
    }
    Reply::json(200, &body)
}

pub(super) fn answer(google: &mut Google, call: &Call, rest: &[&str]) -> Result<Reply, Reply> {
    let [key, below @ ..] = rest else {
        return list(google, call);
    };
    let group = google.group(key).cloned().ok_or_else(|| not_found("groupKey"))?;
    let user = |key: &str| google.find(key).map(|u| u.id.clone());
    match (call.method.as_str(), below) {
        ("GET", []) => Ok(Reply::json(200, &shown(&group))),
        ("GET", ["members"]) => {
            let all = group.members.iter().map(|id| (id, id));
            let (page, next) = page(call, &format!("members {}", group.id), (200, 200), all)?;
            let page = page.into_iter().filter_map(|id| member(google, id)).collect();
            Ok(listed("admin#directory#members", "members", page, next))
        }
        ("GET", ["members", key]) => {
            let found = user(key).filter(|id| group.members.contains(id));
            let shown = found.and_then(|id| member(google, &id));
            shown
                .map(|m| Reply::json(200, &m))
                .ok_or_else(|| not_found("memberKey"))
        }
        ("GET", ["hasMember", key]) => {
            let id = user(key).ok_or_else(|| not_found("memberKey"))?;
            Ok(Reply::json(200, &json!({"isMember": group.members.contains(&id)})))
        }
        ("POST", ["members"]) => {
            let body = call.json().unwrap_or_default();
            let wanted = body["email"].as_str().or(body["id"].as_str());
            let wanted = wanted.ok_or_else(|| refuse(400, "required", "Missing required field: member"))?;
            let id = user(wanted).ok_or_else(|| not_found("memberKey"))?;
            if group.members.contains(&id) {
                return Err(refuse(409, "duplicate", "Member already exists."));
            }
            if let Some(g) = google.groups.get_mut(&group.id) {
                g.members.push(id.clone());
                g.members.sort();
            }
            google.touch("groups", &group.id);
            let mut shown = member(google, &id).unwrap_or_default();
            shown["role"] = body.get("role").cloned().unwrap_or_else(|| "MEMBER".into());
            Ok(Reply::json(200, &shown))
        }
        ("DELETE", ["members", key]) => {
            let id = user(key).filter(|id| group.members.contains(id));
            let id = id.ok_or_else(|| not_found("memberKey"))?;
            if let Some(g) = google.groups.get_mut(&group.id) {
                g.members.retain(|m| *m != id);
            }
            google.touch("groups", &group.id);
            Ok(Reply::empty(204))
        }
        _ => Ok(Reply::empty(501)),
    }
}

fn list(google: &Google, call: &Call) -> Result<Reply, Reply> {
    let user = match call.param("userKey") {
        Some(key) => Some(google.find(key).ok_or_else(|| not_found("userKey"))?),
        None if call.param("customer").is_none() && call.param("domain").is_none() => {
            return Err(refuse(400, "badRequest", "Bad Request"));
        }
        None => None,
    };
    let fits = |g: &Group| user.is_none_or(|u| g.members.contains(&u.id));
    let all = google.groups.iter().filter(|(_, g)| fits(g));
    let (page, next) = page(call, "groups", (200, 200), all)?;
    Ok(listed(
        "admin#directory#groups",
        "groups",
        page.into_iter().map(shown).collect(),
        next,
    ))
}
