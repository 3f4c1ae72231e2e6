//! Channels, direct messages and what is said in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    BOT, BOT_ID, Channel, Message, Slack,
    args::Args,
    web::{Answer, Caller, Refusal},
};
use crate::sandbox::twin::Call;

fn shown(slack: &Slack, c: &Channel, caller: &Caller) -> Value {
    let members = slack.members(c);
    json!({"id": c.id, "name": c.name, "name_normalized": c.name, "created": 1_449_252_889, "creator": BOT, "is_channel": !c.is_private,
        "is_group": false, "is_im": false, "is_mpim": false, "is_private": c.is_private, "is_archived": c.is_archived,
        "is_general": c.is_general, "is_member": members.contains(&caller.id), "is_shared": false, "is_ext_shared": false,
        "is_org_shared": false, "is_pending_ext_shared": false, "pending_shared": [], "previous_names": [], "unlinked": 0,
        "topic": {"value": "", "creator": "", "last_set": 0}, "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": members.len()})
}

/// A private channel doesn't exist for those who aren't in it.
fn seen<'a>(slack: &'a Slack, id: &str, caller: &Caller) -> Result<&'a Channel, Refusal> {
    let c = slack.channels.get(id).ok_or("channel_not_found")?;
    if c.is_private && !slack.members(c).contains(&caller.id) {
        return Err("channel_not_found".into());
    }
    Ok(c)
}

fn types(args: &Args) -> Result<(bool, bool), Refusal> {
    let mut wanted = args.ids("types");
    if wanted.is_empty() {
        wanted.push("public_channel".into());
    }
    if wanted
        .iter()
        .any(|t| !["public_channel", "private_channel", "im", "mpim"].contains(&t.as_str()))
    {
        return Err("invalid_types".into());
    }
    let has = |t: &str| wanted.iter().any(|w| w == t);
    Ok((has("public_channel"), has("private_channel")))
}

/// The page is cut first and thinned out afterwards: a short or empty page isn't the last.
fn listing(slack: &Slack, caller: &Caller, args: &Args, of: &str, keep: impl Fn(&Channel) -> bool) -> Answer {
    let (public, private) = types(args)?;
    let ids: Vec<String> = slack.channels.keys().cloned().collect();
    let (page, next) = args.page(of, &ids, 100)?;
    let channels: Vec<Value> = page
        .iter()
        .filter_map(|id| seen(slack, id, caller).ok())
        .filter(|c| if c.is_private { private } else { public })
        .filter(|c| !(c.is_archived && args.is("exclude_archived")))
        .filter(|c| keep(c))
        .map(|c| shown(slack, c, caller))
        .collect();
    Ok(json!({"channels": channels, "response_metadata": {"next_cursor": next}}))
}

pub(super) fn list(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    listing(slack, caller, args, "channel", |_| true)
}

pub(super) fn of_user(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let user = if args.has("user") { args.get("user") } else { &caller.id };
    listing(slack, caller, args, "membership", |c| slack.members(c).contains(user))
}

pub(super) fn info(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let c = seen(slack, args.get("channel"), caller)?;
    Ok(json!({"channel": shown(slack, c, caller)}))
}

pub(super) fn members(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let c = seen(slack, args.get("channel"), caller)?;
    let ids: Vec<String> = slack.members(c).into_iter().collect();
    let (page, next) = args.page("member", &ids, 100)?;
    Ok(json!({"members": page, "response_metadata": {"next_cursor": next}}))
}

/// One bad user and nobody is added, unless `force` lets the good ones in.
pub(super) fn invite(slack: &mut Slack, caller: &Caller, args: &Args, call: &Call) -> Answer {
    let c = seen(slack, args.get("channel"), caller)?.clone();
    let users = args.ids("users");
    let inside = slack.members(&c);
    if users.is_empty() {
        return Err("no_user".into());
    }
    if users.len() > 100 {
        return Err("too_many_users".into());
    }
    if c.is_archived {
        return Err("is_archived".into());
    }
    if !inside.contains(&caller.id) {
        return Err("not_in_channel".into());
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for id in users {
        let why = match slack.users.get(&id) {
            _ if id == caller.id => "cant_invite_self",
            None => "user_not_found",
            Some(_) if inside.contains(&id) => "already_in_channel",
            Some(u) if !u.active || u.removed => "cant_invite",
            Some(u) if u.is_ultra_restricted && in_any(slack, &id) => "ura_max_channels",
            Some(_) => {
                good.push(id);
                continue;
            }
        };
        bad.push((id, why));
    }
    let errors: Vec<Value> = bad
        .iter()
        .map(|(id, why)| json!({"user": id, "ok": false, "error": why}))
        .collect();
    if let Some((_, first)) = bad.first()
        && (good.is_empty() || !args.is("force"))
    {
        return Err(Refusal(first, vec![("errors", json!(errors))]));
    }
    if let Some(there) = slack.channels.get_mut(&c.id) {
        there.members.extend(good);
    }
    slack.touch("channels", &c.id);
    let mut body = info(slack, caller, args, call)?;
    if !errors.is_empty() {
        body["errors"] = json!(errors);
    }
    Ok(body)
}

fn in_any(slack: &Slack, user: &str) -> bool {
    slack
        .channels
        .values()
        .any(|c| !c.is_general && c.members.contains(user))
}

pub(super) fn kick(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let c = seen(slack, args.get("channel"), caller)?.clone();
    let user = args.get("user").to_owned();
    let inside = slack.members(&c);
    if user == caller.id {
        return Err("cant_kick_self".into());
    }
    if !slack.users.contains_key(&user) {
        return Err("user_not_found".into());
    }
    if c.is_general {
        return Err("cant_kick_from_general".into());
    }
    if !inside.contains(&user) || !inside.contains(&caller.id) {
        return Err("not_in_channel".into());
    }
    if let Some(there) = slack.channels.get_mut(&c.id) {
        there.members.remove(&user);
    }
    slack.touch("channels", &c.id);
    Ok(json!({}))
}

/// The direct message between the caller's app and this person: always the same id.
fn direct(user: &str) -> String {
    format!("D{}", user.get(1..).unwrap_or_default())
}

pub(super) fn open(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let users = args.ids("users");
    let [user] = &users[..] else {
        return Err(if users.is_empty() {
            "users_list_not_supplied"
        } else {
            "invalid_user_combination"
        }
        .into());
    };
    let there = slack.users.get(user).ok_or("user_not_found")?;
    if !there.active {
        return Err("user_disabled".into());
    }
    if there.removed || *user == caller.id {
        return Err("user_not_visible".into());
    }
    let id = direct(user);
    let again = !slack.opened.insert(id.clone());
    if args.is("return_im") {
        let channel = json!({"id": id, "created": 1_460_147_748, "is_im": true, "is_org_shared": false, "user": user,
            "last_read": "0000000000.000000", "latest": null, "unread_count": 0, "unread_count_display": 0, "is_open": true, "priority": 0});
        return Ok(json!({"no_op": again, "already_open": again, "channel": channel}));
    }
    Ok(json!({"channel": {"id": id}}))
}

/// Not idempotent: each call is a message.
pub(super) fn post(slack: &mut Slack, caller: &Caller, args: &Args, call: &Call) -> Answer {
    let wanted = args.get("channel");
    if !["text", "blocks", "attachments", "markdown_text"]
        .iter()
        .any(|k| args.has(k))
    {
        return Err("no_text".into());
    }
    if args.get("text").chars().count() > 40_000 {
        return Err("msg_too_long".into());
    }
    // A person's id stands for the direct message with them.
    let channel = match slack.users.values().find(|u| u.id == wanted || direct(&u.id) == wanted) {
        Some(u) if !u.active || u.removed => return Err("channel_not_found".into()),
        Some(u) => direct(&u.id),
        None => {
            let c = seen(slack, wanted, caller)?;
            if c.is_archived {
                return Err("is_archived".into());
            }
            if !slack.members(c).contains(&caller.id) {
                return Err("not_in_channel".into());
            }
            c.id.clone()
        }
    };
    let mut micros = call.now.timestamp_micros();
    if let Some((last, _)) = slack.messages.last_key_value() {
        micros = micros.max(last.replace('.', "").parse().unwrap_or(0) + 1);
    }
    let ts = format!("{:010}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let metadata = metadata(args)?;
    let text = args.get("text").to_owned();
    let message = json!({"type": "message", "subtype": "bot_message", "text": text, "ts": ts, "username": "jml", "bot_id": BOT_ID});
    slack.messages.insert(
        ts.clone(),
        Message {
            channel: channel.clone(),
            text,
            user: caller.id.clone(),
            metadata,
        },
    );
    slack.touch("messages", &ts);
    Ok(json!({"channel": channel, "ts": ts, "message": message}))
}

/// An object of an event's type and its payload, as JSON in a form.
fn metadata(args: &Args) -> Result<Value, Refusal> {
    if !args.has("metadata") {
        return Ok(Value::Null);
    }
    let given: Value = serde_json::from_str(args.get("metadata")).map_err(|_| "invalid_metadata_format")?;
    if given["event_type"].is_string() && given["event_payload"].is_object() {
        Ok(given)
    } else {
        Err("invalid_metadata_schema".into())
    }
}

/// Newest first.
pub(super) fn history(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let channel = args.get("channel");
    let known: BTreeSet<String> = slack.users.keys().map(|u| direct(u)).collect();
    if !known.contains(channel) && !slack.channels.contains_key(channel) {
        return Err("channel_not_found".into());
    }
    let oldest = args.get("oldest");
    let mut messages: Vec<Value> = slack
        .messages
        .iter()
        .filter(|(ts, m)| m.channel == channel && ts.as_str() > oldest)
        .map(|(ts, m)| {
            let mut shown = json!({"type": "message", "text": m.text, "ts": ts, "user": m.user});
            if args.is("include_all_metadata") && !m.metadata.is_null() {
                shown["metadata"] = m.metadata.clone();
            }
            shown
        })
        .collect();
    messages.reverse();
    messages.truncate(args.get("limit").parse().unwrap_or(100));
    Ok(json!({"messages": messages, "has_more": false}))
}
