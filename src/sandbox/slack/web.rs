//! The Web API's front door: who calls, may they, which method; and the methods about people and user groups.
//!
//! Every refusal but rate limiting is HTTP 200 with `ok: false`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BOT, BOT_ID, NAME, Plan, Slack, admin, args::Args, conversations};
use crate::sandbox::{
    faults::Seen,
    twin::{Call, Reply},
    world::World,
};

/// Slack's word for why not, and what it says beside it.
pub(super) struct Refusal(pub &'static str, pub Vec<(&'static str, Value)>);

impl From<&'static str> for Refusal {
    fn from(word: &'static str) -> Refusal {
        Refusal(word, Vec::new())
    }
}

pub(super) type Answer = Result<Value, Refusal>;

/// Whose token it is. The token of the endpoints file is a bot's and a user's at once.
pub(super) struct Caller {
    pub user: bool,
    scopes: BTreeSet<&'static str>,
    /// As a member: the app, or the owner who made the user token.
    pub id: String,
}

impl Caller {
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}

const BOT_READS: &[&str] = &[
    "users:read",
    "users:read.email",
    "channels:read",
    "groups:read",
    "im:read",
    "usergroups:read",
];
const BOT_WRITES: &[&str] = &[
    "channels:write.invites",
    "groups:write.invites",
    "channels:manage",
    "groups:write",
    "im:write",
    "im:history",
    "chat:write",
    "usergroups:write",
];

pub(super) struct Method {
    name: &'static str,
    /// One of these is needed.
    scopes: &'static [&'static str],
    json: bool,
    run: fn(&mut Slack, &Caller, &Args, &Call) -> Answer,
}

const READ_CHANNELS: &[&str] = &["channels:read", "groups:read", "im:read"];

const METHODS: &[Method] = &[
    Method {
        name: "auth.test",
        scopes: &[],
        json: true,
        run: auth_test,
    },
    Method {
        name: "users.lookupByEmail",
        scopes: &["users:read.email"],
        json: false,
        run: lookup,
    },
    Method {
        name: "users.info",
        scopes: &["users:read"],
        json: false,
        run: info,
    },
    Method {
        name: "users.list",
        scopes: &["users:read"],
        json: false,
        run: list,
    },
    Method {
        name: "users.conversations",
        scopes: READ_CHANNELS,
        json: false,
        run: conversations::of_user,
    },
    Method {
        name: "conversations.list",
        scopes: READ_CHANNELS,
        json: false,
        run: conversations::list,
    },
    Method {
        name: "conversations.info",
        scopes: READ_CHANNELS,
        json: false,
        run: conversations::info,
    },
    Method {
        name: "conversations.members",
        scopes: READ_CHANNELS,
        json: false,
        run: conversations::members,
    },
    Method {
        name: "conversations.history",
        scopes: &["im:history"],
        json: true,
        run: conversations::history,
    },
    Method {
        name: "conversations.invite",
        scopes: &[
            "channels:write.invites",
            "groups:write.invites",
            "channels:manage",
            "groups:write",
        ],
        json: true,
        run: conversations::invite,
    },
    Method {
        name: "conversations.kick",
        scopes: &["channels:manage", "groups:write"],
        json: true,
        run: conversations::kick,
    },
    Method {
        name: "conversations.open",
        scopes: &["im:write"],
        json: true,
        run: conversations::open,
    },
    Method {
        name: "chat.postMessage",
        scopes: &["chat:write"],
        json: true,
        run: conversations::post,
    },
    Method {
        name: "usergroups.list",
        scopes: &["usergroups:read"],
        json: false,
        run: usergroups,
    },
    Method {
        name: "usergroups.users.list",
        scopes: &["usergroups:read"],
        json: false,
        run: usergroup_users,
    },
    Method {
        name: "usergroups.users.update",
        scopes: &["usergroups:write"],
        json: true,
        run: usergroup_update,
    },
    Method {
        name: "admin.users.list",
        scopes: &["admin.users:read"],
        json: true,
        run: admin::list,
    },
    Method {
        name: "admin.users.remove",
        scopes: &["admin.users:write"],
        json: true,
        run: admin::remove,
    },
    Method {
        name: "admin.users.deactivate",
        scopes: &["admin.users:write"],
        json: true,
        run: admin::deactivate,
    },
    Method {
        name: "admin.users.session.list",
        scopes: &["admin.users:read"],
        json: true,
        run: admin::sessions,
    },
    Method {
        name: "admin.users.session.reset",
        scopes: &["admin.users:write"],
        json: true,
        run: admin::reset,
    },
    Method {
        name: "admin.users.session.resetBulk",
        scopes: &["admin.users:write"],
        json: true,
        run: admin::reset_bulk,
    },
    Method {
        name: "admin.users.session.invalidate",
        scopes: &["admin.users:write"],
        json: true,
        run: admin::invalidate,
    },
];

pub(super) fn answer(slack: &mut Slack, world: &World, method: &str, call: &Call) -> Reply {
    let caller = caller(slack, world, call);
    let scopes = caller
        .as_ref()
        .ok()
        .map(|c| c.scopes.iter().copied().collect::<Vec<_>>().join(","));
    let body = match caller.and_then(|c| run(slack, &c, method, call)) {
        Ok(mut body) => {
            body["ok"] = json!(true);
            body
        }
        Err(Refusal(word, beside)) => {
            let mut body = json!({"ok": false, "error": word});
            for (key, value) in beside {
                body[key] = value;
            }
            body
        }
    };
    let reply = Reply::json(200, &body);
    match scopes {
        Some(s) => reply.with("x-oauth-scopes", s),
        None => reply,
    }
}

fn run(slack: &mut Slack, caller: &Caller, name: &str, call: &Call) -> Answer {
    let Some(method) = METHODS.iter().find(|m| m.name == name) else {
        return Err(Refusal("unknown_method", vec![("req_method", json!(name))]));
    };
    if name.starts_with("admin.") {
        if !caller.user {
            return Err("not_allowed_token_type".into());
        }
        if slack.plan != Plan::Enterprise {
            return Err("feature_not_enabled".into());
        }
    }
    if !method.scopes.is_empty() && !method.scopes.iter().any(|s| caller.has(s)) {
        let provided = caller.scopes.iter().copied().collect::<Vec<_>>().join(",");
        return Err(Refusal(
            "missing_scope",
            vec![("needed", json!(method.scopes[0])), ("provided", json!(provided))],
        ));
    }
    (method.run)(slack, caller, &Args::of(call, method.json), call)
}

/// A token in the query or the form is taken too, as Slack does.
pub(super) fn caller(slack: &Slack, world: &World, call: &Call) -> Result<Caller, Refusal> {
    let args = Args::of(call, false);
    let token = match call.header("authorization") {
        Some(h) => h.strip_prefix("Bearer ").unwrap_or(h).trim(),
        None => args.get("token"),
    };
    if token.is_empty() {
        return Err("not_authed".into());
    }
    let credential = world.credential(NAME, token).ok_or("invalid_auth")?;
    let (bot, user) = match credential.name.rsplit('.').next() {
        Some("read" | "write") => (true, false),
        Some("admin") => (false, true),
        _ => (true, true),
    };
    let mut scopes = BTreeSet::new();
    if bot {
        scopes.extend(BOT_READS);
    }
    if bot && credential.write {
        scopes.extend(BOT_WRITES);
    }
    if user {
        scopes.insert("admin");
        if slack.plan == Plan::Enterprise {
            scopes.extend(["admin.users:read", "admin.users:write"]);
        }
    }
    let owner = slack.users.values().find(|u| u.is_primary_owner);
    let id = if bot {
        BOT.into()
    } else {
        owner.map_or_else(|| BOT.to_owned(), |u| u.id.clone())
    };
    Ok(Caller { user, scopes, id })
}

fn auth_test(slack: &mut Slack, caller: &Caller, _: &Args, _: &Call) -> Answer {
    let mut body = json!({"url": "https://acme.slack.com/", "team": "Acme", "user": "jml", "team_id": slack.team, "user_id": caller.id,
        "is_enterprise_install": slack.plan == Plan::Enterprise});
    if caller.id == BOT {
        body["bot_id"] = json!(BOT_ID);
    } else if let Some(u) = slack.users.get(&caller.id) {
        body["user"] = json!(super::people::handle(&u.email));
    }
    if slack.plan == Plan::Enterprise {
        body["enterprise_id"] = json!("E0ACME0001");
    }
    Ok(body)
}

/// Finds no deactivated account, whatever the address.
fn lookup(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let user = slack
        .by_email(args.get("email"))
        .filter(|u| u.active && !u.removed)
        .ok_or("users_not_found")?;
    Ok(json!({"user": slack.member(user, caller.has("users:read.email"))}))
}

fn info(slack: &mut Slack, caller: &Caller, args: &Args, _: &Call) -> Answer {
    let id = args.get("user");
    if let Some(app) = slack.apps().into_iter().find(|a| a["id"] == id) {
        return Ok(json!({"user": app}));
    }
    let user = slack.users.get(id).ok_or("user_not_found")?;
    Ok(json!({"user": slack.member(user, caller.has("users:read.email"))}))
}

fn list(slack: &mut Slack, caller: &Caller, args: &Args, call: &Call) -> Answer {
    let apps = slack.apps();
    let app = |id: &String| apps.iter().find(|a| a["id"] == id.as_str());
    let mut ids: Vec<String> = slack.users.keys().cloned().collect();
    ids.extend(apps.iter().filter_map(|a| a["id"].as_str()).map(str::to_owned));
    ids.sort();
    let (page, next) = args.page("user", &ids, 1000)?;
    let email = caller.has("users:read.email");
    let members: Vec<Value> = page
        .iter()
        .filter_map(|id| {
            app(id)
                .cloned()
                .or_else(|| slack.users.get(id).map(|u| slack.member(u, email)))
        })
        .collect();
    Ok(json!({"members": members, "cache_ts": call.now.timestamp(), "response_metadata": {"next_cursor": next}}))
}

fn usergroup(slack: &Slack, id: &str, users: bool) -> Result<Value, Refusal> {
    let g = slack.usergroups.get(id).ok_or("no_such_subteam")?;
    let mut out = json!({"id": g.id, "team_id": slack.team, "is_usergroup": true, "is_subteam": true, "name": g.handle,
        "description": "", "handle": g.handle, "is_external": false, "auto_provision": false, "enterprise_subteam_id": "", "date_create": 1_446_598_059, "date_update": 1_446_670_362,
        "date_delete": 0, "auto_type": null, "created_by": BOT, "updated_by": BOT, "deleted_by": null,
        "prefs": {"channels": [], "groups": []}, "user_count": g.users.len()});
    if users {
        out["users"] = json!(g.users);
    }
    Ok(out)
}

fn usergroups(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let all: Result<Vec<Value>, Refusal> = slack
        .usergroups
        .keys()
        .map(|id| usergroup(slack, id, args.is("include_users")))
        .collect();
    Ok(json!({"usergroups": all?}))
}

fn usergroup_users(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let g = slack.usergroups.get(args.get("usergroup")).ok_or("no_such_subteam")?;
    Ok(json!({"users": g.users}))
}

/// The whole list is replaced; none at all is refused.
fn usergroup_update(slack: &mut Slack, _: &Caller, args: &Args, _: &Call) -> Answer {
    let users = args.ids("users");
    if users.is_empty() {
        return Err("no_users_provided".into());
    }
    if users.iter().any(|u| !slack.users.contains_key(u)) {
        return Err("invalid_users".into());
    }
    let id = args.get("usergroup").to_owned();
    slack.usergroups.get_mut(&id).ok_or("no_such_subteam")?.users = users;
    slack.touch("usergroups", &id);
    Ok(json!({"usergroup": usergroup(slack, &id, true)?}))
}

/// For a fault by name: what Slack says with that status. SCIM's form is not the Web API's: there the status speaks.
pub(super) fn of_status(seen: &Seen<'_>, status: u16) -> Reply {
    if seen.path.starts_with("/scim/") {
        return super::scim::of_status(seen.path, status);
    }
    let refused = |word: &str| Reply::json(200, &json!({"ok": false, "error": word}));
    match status {
        401 => refused("invalid_auth"),
        403 => Reply::json(
            200,
            &json!({"ok": false, "error": "missing_scope", "needed": "admin", "provided": "users:read"}),
        ),
        404 => refused("user_not_found"),
        429 => Reply::json(429, &json!({"ok": false, "error": "ratelimited"})).with("retry-after", "2"),
        _ => Reply::json(status, &json!({"ok": false, "error": "internal_error"})),
    }
}
