//! `/v2/users`: the list by status, one person, status, type, SSO token, disassociation and deletion.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{
    DAILY_LIMIT, DELETE_LOCKED, Deleted, LICENSED, NAME, REFUSES_WITH_200, Status, User, Zoom, error, instant, oauth,
    people,
};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

const PAGE: usize = 30;
const LARGEST: usize = 300;
/// So long a page's token is good.
const TOKEN_LIFE: Duration = Duration::minutes(15);

pub(super) fn answer(zoom: &mut Zoom, world: &World, rest: &[&str], call: &Call) -> Reply {
    let manner = |word: &str| world.manners.get(NAME).is_some_and(|m| m.contains(word));
    let may = |scope: &str| oauth::may(zoom, world, call, scope);
    let allowed = match (call.method.as_str(), rest) {
        ("GET", []) => may("user:read:list_users:admin"),
        ("GET", ["email"]) => may("user:read:email:admin"),
        ("GET", [_]) => may("user:read:user:admin"),
        ("PATCH", [_]) => may("user:update:user:admin"),
        ("PUT", [_, "status"]) => may("user:update:status:admin"),
        ("DELETE", [_, "token"]) => may("user:delete:token:admin"),
        ("DELETE", [_]) => may("user:delete:user:admin"),
        _ => return Reply::empty(501),
    };
    if let Err(refused) = allowed {
        return refused;
    }
    if manner(DAILY_LIMIT) {
        let text = "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you can make another request.";
        let tomorrow = (call.now + Duration::days(1)).date_naive().and_hms_opt(0, 0, 0);
        let at = tomorrow.map_or(call.now, |t| t.and_utc());
        return error(429, 429, text)
            .with("x-ratelimit-category", "Light")
            .with("x-ratelimit-type", "Daily-limit")
            .with("x-ratelimit-limit", "6000")
            .with("x-ratelimit-remaining", "0")
            .with("retry-after", instant(at));
    }
    let done = match (call.method.as_str(), rest) {
        ("GET", []) => list(zoom, call),
        ("GET", ["email"]) => {
            let email = call.param("email").unwrap_or_default();
            let known = zoom.users.values().any(|u| u.email.eq_ignore_ascii_case(email));
            Ok(Reply::json(200, &json!({ "existed_email": known })))
        }
        (method, [named, below @ ..]) => match zoom.find(named).cloned() {
            None => Err(error(404, 1001, &format!("User does not exist: {named}."))),
            Some(_) if method != "GET" && manner(REFUSES_WITH_200) => Err(error(200, 300, "Validation Failed.")),
            Some(user) => match (method, below) {
                ("GET", _) => Ok(Reply::json(200, &people::whole(&user))),
                ("PATCH", _) => change(zoom, user, call),
                ("PUT", _) => status(zoom, user, call),
                ("DELETE", ["token"]) => {
                    zoom.touch("users", &user.id);
                    if let Some(u) = zoom.users.get_mut(&user.id) {
                        u.sso_session = false;
                    }
                    Ok(Reply::empty(204))
                }
                _ if manner(DELETE_LOCKED) => Err(error(
                    429,
                    429,
                    "Too many concurrent requests. A request to disassociate this user has already been made.",
                )),
                _ => delete(zoom, &user, call),
            },
        },
        _ => Ok(Reply::empty(501)),
    };
    done.unwrap_or_else(|refused| refused)
}

fn invalid(field: &str) -> Reply {
    let body = json!({"code": 300, "message": "Validation Failed.", "errors": [{"field": field, "message": "Invalid field."}]});
    Reply::json(400, &body)
}

/// Active people only, where nothing else is asked for.
fn list(zoom: &Zoom, call: &Call) -> Result<Reply, Reply> {
    let wanted = match call.param("status").unwrap_or("active") {
        "active" | "" => Status::Active,
        "inactive" => Status::Inactive,
        "pending" => Status::Pending,
        _ => return Err(invalid("status")),
    };
    let size = match call.param("page_size").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(n)) if (1..=LARGEST).contains(&n) => n,
        Some(_) => return Err(invalid("page_size")),
    };
    let role = call.param("role_id").filter(|r| !r.is_empty());
    let all: Vec<&User> = zoom
        .users
        .values()
        .filter(|u| u.status == wanted && role.is_none_or(|r| u.role_id == r))
        .collect();
    let from = match call.param("next_page_token").unwrap_or_default() {
        "" => call
            .param("page_number")
            .and_then(|n| n.parse::<usize>().ok())
            .map_or(0, |n| n.saturating_sub(1) * size),
        token => {
            let id = after(token, wanted, call.now)
                .ok_or_else(|| error(400, 300, "The next page token is either invalid or expired."))?;
            all.partition_point(|u| u.id <= id)
        }
    };
    let page: Vec<&User> = all.iter().skip(from).take(size).copied().collect();
    let next = match page.last() {
        Some(last) if from + page.len() < all.len() => {
            let until = (call.now + TOKEN_LIFE).timestamp();
            URL_SAFE_NO_PAD.encode(format!("{}|{until}|{}", wanted.word(), last.id))
        }
        _ => String::new(),
    };
    let users: Vec<Value> = page.into_iter().map(people::row).collect();
    Ok(Reply::json(
        200,
        &json!({"page_count": all.len().div_ceil(size), "page_number": from / size + 1, "page_size": size,
            "total_records": all.len(), "next_page_token": next, "users": users}),
    ))
}

fn after(token: &str, wanted: Status, now: DateTime<Utc>) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '|');
    let (status, until, id) = (parts.next()?, parts.next()?, parts.next()?);
    (status == wanted.word() && until.parse::<i64>().ok()? > now.timestamp()).then(|| id.to_owned())
}

fn change(zoom: &mut Zoom, user: User, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().filter(Value::is_object).ok_or_else(|| invalid("body"))?;
    if let Some(kind) = body.get("type") {
        let kind = kind
            .as_i64()
            .filter(|k| [1, 2, 4, 99].contains(k))
            .ok_or_else(|| invalid("type"))?;
        if kind == LICENSED && user.kind != LICENSED && !zoom.free() {
            return Err(error(
                400,
                2034,
                "Your account has reached the maximum number of licensed users.",
            ));
        }
        if let Some(u) = zoom.users.get_mut(&user.id) {
            u.kind = kind;
        }
    }
    zoom.touch("users", &user.id);
    Ok(Reply::empty(204))
}

fn status(zoom: &mut Zoom, user: User, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or_default();
    let active = match body["action"].as_str() {
        Some("activate") => true,
        Some("deactivate") => false,
        _ => return Err(invalid("action")),
    };
    if user.rules() {
        let text = "Zoom Room and Admin users' status can not be activated or deactivated.";
        return Err(error(400, 200, text));
    }
    // Nobody is there yet who could be shut out.
    if user.status == Status::Pending {
        return Err(error(404, 1001, &format!("User does not exist: {}.", user.id)));
    }
    if let Some(u) = zoom.users.get_mut(&user.id) {
        people::set_active(u, active);
    }
    zoom.touch("users", &user.id);
    Ok(Reply::empty(204))
}

/// What isn't named exactly is destroyed: `transfer_meetings` is no name of Zoom's.
fn delete(zoom: &mut Zoom, user: &User, call: &Call) -> Result<Reply, Reply> {
    let action = call.param("action").unwrap_or("disassociate");
    if !["disassociate", "delete"].contains(&action) {
        return Err(invalid("action"));
    }
    let to = call.param("transfer_email").unwrap_or_default();
    if to.eq_ignore_ascii_case(&user.email) {
        let text = "The transfer-to email address cannot be the same as the unlinked or deleted user's email address.";
        return Err(error(400, 300, text));
    }
    if user.rules() {
        return Err(error(
            400,
            200,
            "Cannot delete this user: the account's owner and admins can not be deleted.",
        ));
    }
    if user.status == Status::Pending && action == "delete" {
        return Err(error(400, 200, "Cannot delete a pending user."));
    }
    let heir = zoom.find(to).cloned();
    if !to.is_empty() && heir.is_none() {
        return Err(error(404, 1001, &format!("User does not exist: {to}.")));
    }
    let mut transferred = BTreeMap::new();
    if let Some(heir) = heir {
        for what in ["meeting", "webinar", "recording", "whiteboard"] {
            // Recordings and webinars want an heir with a licence.
            let fits = heir.kind == LICENSED || !["webinar", "recording"].contains(&what);
            if fits && call.param(&format!("transfer_{what}")) == Some("true") {
                transferred.insert(what.to_owned(), heir.email.clone());
            }
        }
    }
    zoom.users.remove(&user.id);
    let gone = Deleted {
        email: user.email.clone(),
        action: action.into(),
        transferred,
    };
    zoom.deleted.insert(user.id.clone(), gone);
    zoom.touch("users", &user.id);
    zoom.touch("deleted", &user.id);
    Ok(Reply::empty(204))
}
