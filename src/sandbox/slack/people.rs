//! Who is in the workspace: generated people, the furniture every workspace has, what another system provisions, and how a member
//! looks in an answer.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{BOT, BOT_ID, Channel, NAME, OTHER_BOT, SLACKBOT, Slack, User, Usergroup};
use crate::sandbox::{quiet, world::World};

/// The account of quiet person n.
pub(super) fn quiet(n: usize) -> User {
    fresh(quiet::slack_id(n), quiet::login(n))
}

fn fresh(id: String, email: String) -> User {
    User {
        id,
        email,
        active: true,
        is_primary_owner: false,
        is_owner: false,
        is_admin: false,
        is_bot: false,
        sessions: 1,
        is_restricted: false,
        is_ultra_restricted: false,
        removed: false,
        reset_at: None,
        deactivated_at: None,
    }
}

/// What no workspace is without: a primary owner (the first generated person, where nobody is named), #general, a channel of every
/// kind that a client must tell apart, and a user group.
pub(super) fn furnish(slack: &mut Slack) {
    if slack.users.values().all(|u| !u.is_primary_owner)
        && let Some(u) = slack.users.get_mut(&self::quiet(1).id)
    {
        (u.is_primary_owner, u.is_owner, u.is_admin) = (true, true, true);
    }
    let some: BTreeSet<String> = (2..=4)
        .map(|n| self::quiet(n).id)
        .filter(|id| slack.users.contains_key(id))
        .collect();
    let plain = |id: &str, name: &str| Channel {
        id: id.into(),
        name: name.into(),
        is_private: false,
        members: some.clone(),
        is_archived: false,
        is_general: false,
        bot: true,
    };
    let furniture = [
        Channel {
            is_general: true,
            members: BTreeSet::new(),
            ..plain("C0GENERAL0", "general")
        },
        plain("C0HELPDESK", "help-desk"),
        Channel {
            bot: false,
            ..plain("C0LUNCHES0", "lunches")
        },
        Channel {
            is_archived: true,
            ..plain("C0OLDMOVE0", "office-move-2019")
        },
        Channel {
            is_private: true,
            bot: false,
            ..plain("C0BOARD000", "board")
        },
    ];
    for c in furniture {
        if slack
            .channels
            .values()
            .all(|there| there.name != c.name && there.id != c.id)
        {
            slack.channels.insert(c.id.clone(), c);
        }
    }
    let oncall = Usergroup {
        id: "S0ONCALL00".into(),
        handle: "oncall".into(),
        users: some.into_iter().collect(),
    };
    slack.usergroups.insert(oncall.id.clone(), oncall);
}

/// What a directory's provisioning does here: an account exists and is active, or is deactivated. Returns its id.
///
/// Slack's own words where it refuses. An account that never was is nothing to deactivate.
pub fn provision(world: &mut World, email: &str, active: bool) -> Result<Option<String>, &'static str> {
    let now = world.now;
    let Some(slack) = &mut world.slack else {
        return Err("no_workspace");
    };
    let id = match slack.by_email(email) {
        Some(u) => u.id.clone(),
        None if active => slack.create(email),
        None => return Ok(None),
    };
    slack.set_active(&id, active, now)?;
    slack.changed.clear();
    world.touch(NAME, "users", &id);
    Ok(Some(id))
}

impl Slack {
    /// Addresses differ in nothing but capital letters: one account. Deactivated ones count, so an address stays taken.
    pub(super) fn by_email(&self, email: &str) -> Option<&User> {
        self.users
            .values()
            .find(|u| !u.is_bot && u.email.eq_ignore_ascii_case(email))
    }

    pub(super) fn create(&mut self, email: &str) -> String {
        let mut n = self.users.len();
        let id = loop {
            let id = format!("U0N{n:07}");
            if !self.users.contains_key(&id) {
                break id;
            }
            n += 1;
        };
        let mut user = fresh(id.clone(), email.to_owned());
        // Nobody has signed in yet.
        user.sessions = 0;
        self.users.insert(id.clone(), user);
        self.touch("users", &id);
        id
    }

    /// Deactivation ends sessions and keeps channels on file; activation gives the channels back, not the sessions.
    pub(super) fn set_active(&mut self, id: &str, active: bool, now: DateTime<Utc>) -> Result<(), &'static str> {
        let user = self.users.get_mut(id).ok_or("no_such_user")?;
        if user.is_bot {
            return Err("cannot_disable_bot_user_with_scim");
        }
        if user.is_primary_owner && !active {
            return Err("cannot_disable_primary_owner");
        }
        if user.active != active {
            user.active = active;
            user.deactivated_at = (!active).then_some(now);
            user.reset_at = None;
            if !active {
                user.sessions = 0;
            }
            self.touch("users", id);
        }
        Ok(())
    }

    /// A member as `users.info` and `users.list` show one. The address only to who may see it: otherwise the field isn't there.
    pub(super) fn member(&self, user: &User, email: bool) -> Value {
        let name = real_name(&user.email);
        let mut profile = json!({"real_name": name, "real_name_normalized": name, "display_name": handle(&user.email),
            "display_name_normalized": handle(&user.email), "status_text": "", "status_emoji": "", "team": self.team});
        if email && !user.is_bot {
            profile["email"] = json!(user.email);
        }
        let deleted = !user.active || user.removed;
        let mut m = json!({"id": user.id, "team_id": self.team, "name": handle(&user.email), "deleted": deleted, "profile": profile,
            "is_bot": user.is_bot, "is_app_user": false, "updated": 1_502_138_686});
        if !deleted {
            // Slack leaves these out of deactivated members.
            for (key, value) in [
                ("real_name", json!(name)),
                ("color", json!("9f69e7")),
                ("tz", json!("America/Chicago")),
                ("tz_label", json!("Central Daylight Time")),
                ("tz_offset", json!(-18000)),
                ("is_admin", json!(user.is_admin)),
                ("is_owner", json!(user.is_owner)),
                ("is_primary_owner", json!(user.is_primary_owner)),
                ("is_restricted", json!(user.is_restricted || user.is_ultra_restricted)),
                ("is_ultra_restricted", json!(user.is_ultra_restricted)),
                ("has_2fa", json!(false)),
            ] {
                m[key] = value;
            }
        }
        m
    }

    /// Members that are nobody's account: apps, and Slackbot, which doesn't call itself a bot.
    pub(super) fn apps(&self) -> Vec<Value> {
        let app = |id: &str, name: &str, bot: bool| {
            json!({"id": id, "team_id": self.team, "name": name, "deleted": false, "color": "757575", "real_name": name,
                "is_admin": false, "is_owner": false, "is_primary_owner": false, "is_restricted": false, "is_ultra_restricted": false,
                "is_bot": bot, "is_app_user": false, "updated": 0, "profile": {"real_name": name, "display_name": name, "team": self.team}})
        };
        let mut jml = app(BOT, "jml", true);
        jml["profile"]["bot_id"] = json!(BOT_ID);
        vec![jml, app(OTHER_BOT, "deploys", true), app(SLACKBOT, "slackbot", false)]
    }
}

/// `ana.ruiz@acme.example` is Ana Ruiz.
pub(super) fn real_name(email: &str) -> String {
    let capital = |w: &str| {
        let mut letters = w.chars();
        letters
            .next()
            .map(|c| c.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    handle(email)
        .split(['.', '_', '-'])
        .map(capital)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(super) fn handle(email: &str) -> String {
    email.split('@').next().unwrap_or("").to_lowercase()
}
