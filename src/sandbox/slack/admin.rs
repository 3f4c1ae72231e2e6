//! `admin.users.*`: Enterprise only, by an owner's user token.

use chrono::Duration;
use serde_json::{Value, json};

use super::{
    Slack, User,
    args::Args,
    people,
    web::{Answer, Caller, Refusal},
};
use crate::sandbox::twin::Call;

/// How long a queued wipe of many people's sessions takes.
const QUEUE: Duration = Duration::seconds(1);

fn target<'a>(slack: &'a Slack, args: &Args) -> Result<&'a User, Refusal> {
    slack
        .users
        .get(args.get("user_id"))
        .ok_or_else(|| "user_not_found".into())
}

fn resettable(user: &User) -> Result<(), Refusal> {
    if user.is_bot {
        return Err("cannot_reset_bot".into());
    }
    if user.is_primary_owner {
        return Err("cannot_reset_primary_owner".into());
    }
    Ok(())
}

pub(super) fn reset(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let user = target(slack, args)?;
    resettable(user)?;
    let id = user.id.clone();
    if let Some(u) = slack.users.get_mut(&id) {
        u.sessions = 0;
    }
    slack.touch("users", &id);
    Ok(json!({}))
}

/// Queues: `ok` is not done.
pub(super) fn reset_bulk(slack: &mut Slack, _: &Caller, args: &Args, call: &Call) -> Answer {
    let ids = args.ids("user_ids");
    let mut failed = false;
    for id in ids {
        match slack.users.get_mut(&id) {
            Some(u) if resettable(u).is_ok() => u.reset_at = Some(call.now + QUEUE),
            _ => {
                failed = true;
                continue;
            }
        }
        slack.touch("users", &id);
    }
    if failed {
        Err("failed_for_some_users".into())
    } else {
        Ok(json!({}))
    }
}

/// Sessions are only counted, so their ids follow from whose and which.
fn session(user: &User, n: u32) -> u64 {
    let seed = user
        .id
        .bytes()
        .fold(7_u64, |h, b| (h * 31 + u64::from(b)) % 1_000_000_007);
    1_000_000_000_000 + seed * 100 + u64::from(n)
}

pub(super) fn sessions(slack: &mut Slack, _: &Caller, args: &Args, call: &Call) -> Answer {
    match (args.has("user_id"), args.has("team_id")) {
        (true, false) => return Err("missing_team".into()),
        (false, true) => return Err("missing_user".into()),
        (true, true) if args.get("team_id") != slack.team => return Err("team_not_found".into()),
        (true, true) => drop(target(slack, args)?.id.clone()),
        (false, false) => {}
    }
    let device =
        json!({"device_hardware": "", "os": "", "os_version": "", "slack_client_version": "", "ip": "192.0.2.1"});
    let rows: Vec<(String, Value)> = slack
        .users
        .values()
        .filter(|u| !args.has("user_id") || u.id == args.get("user_id"))
        .flat_map(|u| (0..u.sessions).map(move |n| (u, session(u, n))))
        .map(|(u, id)| {
            let row =
                json!({"user_id": u.id, "team_id": slack.team, "session_id": id, "created": device, "recent": device});
            (format!("{id}"), row)
        })
        .collect();
    if rows.is_empty() {
        return Err("no_active_sessions".into());
    }
    let mut ids: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    let (page, next) = args.page("session", &ids, 1000)?;
    let active: Vec<&Value> = rows
        .iter()
        .filter(|(id, _)| page.contains(id))
        .map(|(_, row)| row)
        .collect();
    Ok(json!({"active_sessions": active, "response_metadata": {"next_cursor": next, "at": call.now.timestamp()}}))
}

pub(super) fn invalidate(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let user = target(slack, args)?;
    if user.is_primary_owner {
        return Err("cannot_invalidate_primary_owner".into());
    }
    if !(0..user.sessions).any(|n| session(user, n).to_string() == args.get("session_id")) {
        return Err("session_not_found".into());
    }
    let id = user.id.clone();
    if let Some(u) = slack.users.get_mut(&id) {
        u.sessions -= 1;
    }
    slack.touch("users", &id);
    Ok(json!({}))
}

pub(super) fn list(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    if args.has("team_id") && args.get("team_id") != slack.team {
        return Err("team_not_found".into());
    }
    let active = !matches!(args.get("is_active"), "false" | "False" | "0");
    let ids: Vec<String> = slack
        .users
        .values()
        .filter(|u| u.active == active && !u.is_bot)
        .map(|u| u.id.clone())
        .collect();
    let (page, next) = args.page("person", &ids, 100)?;
    let users: Vec<Value> = page
        .iter()
        .filter_map(|id| slack.users.get(id))
        .map(|u| row(slack, u))
        .collect();
    Ok(json!({"users": users, "response_metadata": {"next_cursor": next}}))
}

fn row(slack: &Slack, u: &User) -> Value {
    let workspaces = if u.removed { vec![] } else { vec![&slack.team] };
    json!({"id": u.id, "email": u.email, "is_admin": u.is_admin, "is_owner": u.is_owner, "is_primary_owner": u.is_primary_owner,
        "is_restricted": u.is_restricted, "is_ultra_restricted": u.is_ultra_restricted, "is_bot": u.is_bot,
        "username": people::handle(&u.email), "full_name": people::real_name(&u.email), "is_active": u.active, "date_created": 1_566_922_090,
        "deactivated_ts": u.deactivated_at.map_or(0, |t| t.timestamp()), "expiration_ts": 0, "workspaces": workspaces,
        "has_2fa": false, "has_sso": true})
}

/// Out of one workspace; the org account stays active.
pub(super) fn remove(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    if args.get("team_id") != slack.team {
        return Err("team_not_found".into());
    }
    let user = target(slack, args)?;
    if user.is_primary_owner {
        return Err("cannot_modify_primary_owner".into());
    }
    if !user.active || user.removed {
        return Err("user_already_deleted".into());
    }
    let id = user.id.clone();
    if let Some(u) = slack.users.get_mut(&id) {
        (u.removed, u.sessions) = (true, 0);
    }
    slack.touch("users", &id);
    Ok(json!({}))
}

pub(super) fn deactivate(slack: &mut Slack, _: &Caller, args: &Args, call: &Call) -> Answer {
    let id = target(slack, args)?.id.clone();
    slack
        .set_active(&id, false, call.now)
        .map_err(|_| "deactivation_failed")?;
    Ok(json!({}))
}
