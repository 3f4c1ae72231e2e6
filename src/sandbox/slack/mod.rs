//! The twin of Slack: the Web API under `/api/`, SCIM under `/scim/v1/` and `/scim/v2/`, one port for both.
//!
//! Written from docs.slack.dev. What the plan doesn't sell is refused as Slack refuses it: no SCIM below Business+, no `admin.*` below
//! Enterprise. It sends no notification, keeps no message but the text as it came, and knows neither threads nor shared channels.

mod admin;
mod args;
mod conversations;
mod people;
mod scim;
mod shape;
mod web;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    merge, quiet,
    twin::{Call, Reply, Twin, blank},
    world::{Credential, ProvisionKind, World},
};

pub use people::provision;

const NAME: &str = "slack";
/// The app that jml's bot token belongs to, as a member of the workspace.
const BOT: &str = "U0JMLBOT01";
const BOT_ID: &str = "B0JMLBOT01";
/// Another app's bot: nobody's account, and SCIM won't touch it.
const OTHER_BOT: &str = "U0DEPLOYB0";
const SLACKBOT: &str = "USLACKBOT";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    tick,
    endpoints,
    operation: args::operation,
    here: |w| w.slack.is_some(),
    given: Some(&shape::WORKSPACE),
    secret: |right, random| {
        let person = ["all", "admin"].contains(&right);
        format!("{}-{}", if person { "xoxp" } else { "xoxb" }, &random[..48])
    },
    more: &["admin"],
    record: |w, right| {
        let of = |name| w.secret(name);
        (right == "write")
            .then(|| json!({"bot_token": of("slack.write"), "admin_token": of("slack.admin")}).to_string())
    },
    section: |w| {
        let said = |key: &str, default: &str| {
            let given = w.given.pointer(&format!("/apps/slack/{key}")).and_then(Value::as_str);
            given.unwrap_or(default).to_owned()
        };
        json!({"team": said("team", "T0ACME001"), "plan": said("plan", "business")})
    },
    // Slack knows people by address: the assignment's name, which may be older than the directory's.
    provision: |w, push| {
        let _ = provision(w, &push.user_name, push.kind == ProvisionKind::Create);
    },
    refusal: web::of_status,
    ..blank(NAME)
};

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    Pro,
    #[default]
    Business,
    Enterprise,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub id: String,
    pub email: String,
    #[serde(default = "yes")]
    pub active: bool,
    #[serde(default)]
    pub is_primary_owner: bool,
    #[serde(default)]
    pub is_owner: bool,
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default = "one")]
    pub sessions: u32,
    /// Guests: of several channels, of one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_restricted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_ultra_restricted: bool,
    /// Taken out of this workspace by `admin.users.remove`; the org account lives on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
    /// A queued wipe of sessions falls due here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub is_private: bool,
    #[serde(default)]
    pub members: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_archived: bool,
    /// Everyone who is active is a member, whatever `members` says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_general: bool,
    /// Is jml's app in it? Without that nobody can be invited.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub bot: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usergroup {
    pub id: String,
    pub handle: String,
    pub users: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub channel: String,
    pub text: String,
    pub user: String,
    /// Of the app that sent it, for apps.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
}

#[derive(Default)]
pub struct Slack {
    pub team: String,
    pub plan: Plan,
    pub users: BTreeMap<String, User>,
    pub channels: BTreeMap<String, Channel>,
    pub usergroups: BTreeMap<String, Usergroup>,
    /// By their `ts`, which rises.
    pub messages: BTreeMap<String, Message>,
    /// Direct messages that have been opened.
    opened: BTreeSet<String>,
    /// SCIM writes that may still be sent at once, and when that was so.
    bucket: Option<(f64, DateTime<Utc>)>,
    /// (list, id) changed by the call at hand.
    changed: Vec<(&'static str, String)>,
}

fn yes() -> bool {
    true
}
fn one() -> u32 {
    1
}
fn is_false(b: &bool) -> bool {
    !b
}
fn is_true(b: &bool) -> bool {
    *b
}

impl Slack {
    fn touch(&mut self, list: &'static str, id: &str) {
        self.changed.push((list, id.to_owned()));
    }
    /// Who is in it, as the Web API shows it: deactivated people are not, apps are.
    fn members(&self, channel: &Channel) -> BTreeSet<String> {
        let live = |u: &User| u.active && !u.removed;
        let mut all: BTreeSet<String> = if channel.is_general {
            self.users.values().filter(|u| live(u)).map(|u| u.id.clone()).collect()
        } else {
            channel
                .members
                .iter()
                .filter(|id| self.users.get(*id).is_none_or(live))
                .cloned()
                .collect()
        };
        if channel.bot {
            all.insert(BOT.into());
        }
        all
    }
}

/// Runs one call on the workspace and notes what it changed.
fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut slack) = world.slack.take() else {
        return Reply::empty(501);
    };
    let reply = match call.parts()[..] {
        ["api", method] => web::answer(&mut slack, world, method, call),
        ["scim", version @ ("v1" | "v2"), ref rest @ ..] => {
            scim::answer(&mut slack, world, version == "v2", rest, call)
        }
        _ => Reply::empty(501),
    };
    let changed = std::mem::take(&mut slack.changed);
    world.slack = Some(slack);
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    reply
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    team: Option<String>,
    #[serde(default)]
    plan: Plan,
    #[serde(default)]
    users: Vec<GivenUser>,
    #[serde(default)]
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenUser {
    Generated(Generated),
    Listed(User),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    generated: usize,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.slack = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| format!("slack: {e}"))?;
    let mut slack = Slack {
        team: given.team.unwrap_or_else(|| "T0ACME001".into()),
        plan: given.plan,
        ..Slack::default()
    };
    let there = quiet::count(&world.given);
    let quiet = |n: usize| (1..=n.min(there)).map(people::quiet);
    if !given.users.iter().any(|u| matches!(u, GivenUser::Generated(_))) {
        slack.users.extend(quiet(20).map(|u| (u.id.clone(), u)));
    }
    for user in given.users {
        match user {
            GivenUser::Generated(g) => slack.users.extend(quiet(g.generated).map(|u| (u.id.clone(), u))),
            GivenUser::Listed(u) => drop(slack.users.insert(u.id.clone(), u)),
        }
    }
    for channel in given.channels {
        slack.channels.insert(channel.id.clone(), channel);
    }
    people::furnish(&mut slack);
    world.slack = Some(slack);
    // The engine's three tokens a system are bot tokens here; SCIM and admin.* want a user's.
    if world.credentials.iter().all(|c| c.name != "slack.admin") {
        let seed = world
            .credentials
            .iter()
            .find(|c| c.name == "slack.write")
            .map_or("", |c| c.secret.as_str());
        let secret = format!("xoxp-{}", seed.trim_start_matches("xoxb-"));
        world.credentials.push(Credential {
            system: NAME,
            name: "slack.admin".into(),
            secret,
            write: true,
        });
    }
    Ok(())
}

fn state(world: &World) -> Value {
    let Some(s) = &world.slack else { return Value::Null };
    json!({"team": s.team, "plan": s.plan, "users": s.users, "channels": s.channels, "usergroups": s.usergroups, "messages": s.messages})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let s = world.slack.as_ref()?;
    match list {
        "users" => s.users.get(id).map(|x| json!(x)),
        "channels" => s.channels.get(id).map(|x| json!(x)),
        "usergroups" => s.usergroups.get(id).map(|x| json!(x)),
        "messages" => s.messages.get(id).map(|x| json!(x)),
        "workspace" => Some(json!({"team": s.team, "plan": s.plan})),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let Some(s) = &mut world.slack else {
        return Err("slack: not in this world".into());
    };
    match (list, entry) {
        ("users", _) => merge::restore(&mut s.users, id, entry),
        ("channels", _) => merge::restore(&mut s.channels, id, entry),
        ("usergroups", _) => merge::restore(&mut s.usergroups, id, entry),
        ("messages", _) => merge::restore(&mut s.messages, id, entry),
        ("workspace", Some(w)) => {
            s.team = w["team"].as_str().ok_or("slack.team: text is wanted")?.into();
            s.plan = serde_json::from_value(w["plan"].clone()).map_err(|e| format!("slack.plan: {e}"))?;
            Ok(())
        }
        _ => Err(format!("slack: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let Some(s) = &mut world.slack else {
        return Err("slack: not in this world".into());
    };
    let mut changed = vec![("workspace", "workspace".to_owned())];
    for (key, part) in patch.as_object().ok_or("slack: an object is wanted")? {
        match key.as_str() {
            "team" => s.team = part.as_str().ok_or("slack.team: text is wanted")?.into(),
            "plan" => s.plan = serde_json::from_value(part.clone()).map_err(|e| format!("slack.plan: {e}"))?,
            "users" => {
                let made = |id: &str| json!({"id": id, "email": format!("{}@acme.example", id.to_lowercase())});
                changed.extend(
                    merge::entries(&mut s.users, part, made)?
                        .into_iter()
                        .map(|id| ("users", id)),
                );
            }
            "channels" => {
                let made = |id: &str| json!({"id": id, "name": id.to_lowercase()});
                changed.extend(
                    merge::entries(&mut s.channels, part, made)?
                        .into_iter()
                        .map(|id| ("channels", id)),
                );
            }
            "usergroups" => {
                let made = |id: &str| json!({"id": id, "handle": id.to_lowercase(), "users": []});
                changed.extend(
                    merge::entries(&mut s.usergroups, part, made)?
                        .into_iter()
                        .map(|id| ("usergroups", id)),
                );
            }
            "messages" => {
                let made = |_: &str| json!({"channel": "", "text": "", "user": BOT});
                changed.extend(
                    merge::entries(&mut s.messages, part, made)?
                        .into_iter()
                        .map(|id| ("messages", id)),
                );
            }
            _ => return Err(format!("slack: unknown key {key}")),
        }
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

/// Queued wipes of sessions.
fn tick(world: &mut World, now: DateTime<Utc>) {
    let Some(s) = &mut world.slack else { return };
    let mut done = Vec::new();
    for u in s.users.values_mut().filter(|u| u.reset_at.is_some_and(|at| at <= now)) {
        u.reset_at = None;
        u.sessions = 0;
        done.push(u.id.clone());
    }
    for id in done {
        world.touch(NAME, "users", &id);
    }
}

fn endpoints(world: &World, _origin: &str) -> Value {
    let secret = |name: &str| {
        world
            .credentials
            .iter()
            .find(|c| c.name == name)
            .map(|c| c.secret.clone())
    };
    json!({"bot_token": secret("slack.write"), "admin_token": secret("slack.admin")})
}

#[cfg(test)]
mod tests;
