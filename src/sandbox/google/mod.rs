//! The twin of Google Workspace: the token endpoint at `/token`, the Directory API and the Data Transfer API under `/admin`, one port.
//!
//! Written from Google's discovery documents and pages. It knows neither Gmail nor Drive: files are two numbers of an account. A user
//! who is deleted is kept, as there, but nothing ever purges them. No mobile devices, roles or organisational units.

mod groups;
mod route;
mod shape;
#[cfg(test)]
mod tests;
mod token;
mod transfers;
mod users;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    groups::Group,
    transfers::Transfer,
    users::{Files, User},
};
use super::{
    given, merge, quiet,
    twin::{Reply, Twin, blank},
    world::World,
};

const NAME: &str = "google";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer: route::answer,
    load,
    state,
    entry,
    restore,
    patch,
    tick,
    endpoints,
    operation: route::operation,
    asks: |method, path, _| method == "GET" || path == "/token",
    here: |w| w.google.is_some(),
    given: Some(&shape::WORKSPACE),
    secret: |_, random| format!("ya29.{}", random.get(..86).unwrap_or(random)),
    record: |w, _| w.google.as_ref().map(|_| token::service_account().to_string()),
    section: |w| {
        let Some(g) = &w.google else { return Value::Null };
        json!({"customer": g.customer, "admin": g.admin(), "groups": g.groups_managed})
    },
    provision: users::provision,
    refusal: |seen, status| refusal(seen.path, status),
    ..blank(NAME)
};

/// One customer of Google's.
#[derive(Default)]
pub struct Google {
    customer: String,
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    transfers: BTreeMap<String, Transfer>,
    /// From request to completed.
    transfer_time: TimeDelta,
    /// What the configuration says of groups: are they filled by Google alone?
    groups_managed: bool,
    /// Access tokens that were minted.
    access: BTreeMap<String, token::Access>,
    /// The minute that is counted, and its requests.
    spent: (i64, u32),
    /// (list, id) changed by the call at hand.
    changed: Vec<(&'static str, String)>,
}

impl Google {
    fn touch(&mut self, list: &'static str, id: &str) {
        self.changed.push((list, id.to_owned()));
    }
    /// Whom the endpoints file names to impersonate: the first super administrator who can sign in.
    fn admin(&self) -> Option<&str> {
        let fits = |u: &&User| u.is_admin && !u.suspended && u.deleted.is_none();
        self.users.values().find(fits).map(|u| u.primary_email.as_str())
    }
    /// By id, primary address or alias. Deleted users are not found.
    fn find(&self, key: &str) -> Option<&User> {
        let live = |u: &&User| u.deleted.is_none();
        if let Some(u) = self.users.get(key) {
            return Some(u).filter(live);
        }
        let is = |a: &String| a.eq_ignore_ascii_case(key);
        let mut all = self.users.values().filter(live);
        all.find(|u| is(&u.primary_email) || u.aliases.iter().any(is))
    }
    /// The number after the highest of one kind of id.
    fn fresh(&self, prefix: &str) -> String {
        let mut n = self.users.len();
        loop {
            let id = format!("{prefix}{n:0width$}", width = 21 - prefix.len());
            if !self.users.contains_key(&id) {
                return id;
            }
            n += 1;
        }
    }
}

/// Google's error body; `domain` is `usageLimits` for limits.
fn refuse(status: u16, reason: &str, message: &str) -> Reply {
    let limit = reason.ends_with("LimitExceeded") || reason == "quotaExceeded";
    let domain = if limit { "usageLimits" } else { "global" };
    let mut error = json!({"code": status, "message": message,
        "errors": [{"message": message, "domain": domain, "reason": reason}]});
    if status == 401 {
        error["status"] = "UNAUTHENTICATED".into();
        error["errors"][0]["location"] = "Authorization".into();
        error["errors"][0]["locationType"] = "header".into();
    }
    Reply::json(status, &json!({ "error": error }))
}

fn not_found(what: &str) -> Reply {
    refuse(404, "notFound", &format!("Resource Not Found: {what}"))
}

fn forbidden() -> Reply {
    refuse(403, "forbidden", "Not Authorized to access this resource/api")
}

/// For a fault by name: what Google says with that status.
fn refusal(path: &str, status: u16) -> Reply {
    if path == "/token" {
        let (error, text) = match status {
            401 | 403 => (
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
            ),
            429 => ("rate_limit_exceeded", "Too many requests"),
            500.. => ("internal_failure", "Internal Failure"),
            _ => ("invalid_grant", "Invalid grant: account not found"),
        };
        return Reply::json(status, &json!({"error": error, "error_description": text}));
    }
    match status {
        401 => refuse(401, "authError", "Invalid Credentials"),
        403 => route::scope_missing(),
        404 => not_found("userKey"),
        429 => refuse(429, "rateLimitExceeded", "Rate Limit Exceeded"),
        503 => refuse(503, "backendError", "Service unavailable. Please try again"),
        _ => refuse(status, "backendError", "Backend Error"),
    }
}

/// The account of quiet person n.
fn quiet_id(n: usize) -> String {
    format!("11{n:019}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    customer: Option<String>,
    transfer_time: Option<String>,
    #[serde(default)]
    users: Vec<GivenUser>,
    groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenUser {
    Generated(Generated),
    Listed(Box<User>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    generated: usize,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.google = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| format!("google: {e}"))?;
    let mut google = Google {
        customer: given.customer.unwrap_or_else(|| "C01acme".into()),
        transfer_time: match &given.transfer_time {
            Some(text) => given::duration(text).ok_or("google.transfer_time: a duration is wanted")?,
            None => TimeDelta::seconds(1),
        },
        groups_managed: given.groups.is_some(),
        ..Google::default()
    };
    let there = quiet::count(&world.given);
    let quiet = |n: usize| (1..=n.min(there)).map(|n| User::new(quiet_id(n), quiet::login(n)));
    if !given.users.iter().any(|u| matches!(u, GivenUser::Generated(_))) {
        google.users.extend(quiet(20).map(|u| (u.id.clone(), u)));
    }
    for user in given.users {
        match user {
            GivenUser::Generated(g) => google.users.extend(quiet(g.generated).map(|u| (u.id.clone(), u))),
            GivenUser::Listed(u) => drop(google.users.insert(u.id.clone(), *u)),
        }
    }
    google.furnish();
    for group in given.groups.into_iter().flatten() {
        google.groups.insert(group.id.clone(), group);
    }
    world.google = Some(google);
    Ok(())
}

impl Google {
    /// What a workspace is not without: a super administrator (the first generated person, where nobody is one), some who use other
    /// programs, and two groups.
    fn furnish(&mut self) {
        let admin = self.admin().is_some();
        if let Some(u) = self.users.get_mut(&quiet_id(1)).filter(|_| !admin) {
            u.is_admin = true;
        }
        for n in 2..=5 {
            let Some(u) = self.users.get_mut(&quiet_id(n)) else {
                continue;
            };
            u.tokens = vec![users::Token {
                client_id: "118242.apps.googleusercontent.com".into(),
                display_text: "Figma".into(),
            }];
            u.asps = vec![users::Asp {
                code_id: 1,
                name: "Mail on my phone".into(),
            }];
            u.backup_codes = 10;
            u.files = Files {
                private: 40,
                shared: 60,
            };
        }
        let some = (2..=5).map(quiet_id).filter(|id| self.users.contains_key(id)).collect();
        for (n, name, members) in [(1, "everyone-reads", some), (2, "help-desk", Vec::new())] {
            let group = Group {
                id: format!("01staff{n:04}"),
                email: format!("{name}@acme.example"),
                name: name.into(),
                members,
            };
            self.groups.insert(group.id.clone(), group);
        }
    }
}

fn state(world: &World) -> Value {
    let Some(g) = &world.google else { return Value::Null };
    let live: BTreeMap<&String, &User> = g.users.iter().filter(|(_, u)| u.deleted.is_none()).collect();
    json!({"customer": g.customer, "users": live, "groups": g.groups, "transfers": g.transfers})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let g = world.google.as_ref()?;
    match list {
        "users" => g.users.get(id).map(|x| json!(x)),
        "groups" => g.groups.get(id).map(|x| json!(x)),
        "transfers" => g.transfers.get(id).map(|x| json!(x)),
        "customer" => Some(json!(g.customer)),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let Some(g) = &mut world.google else {
        return Err("google: not in this world".into());
    };
    match (list, entry) {
        ("users", _) => merge::restore(&mut g.users, id, entry),
        ("groups", _) => merge::restore(&mut g.groups, id, entry),
        ("transfers", _) => merge::restore(&mut g.transfers, id, entry),
        ("customer", Some(c)) => {
            g.customer = c.as_str().ok_or("google.customer: text is wanted")?.into();
            Ok(())
        }
        _ => Err(format!("google: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let now = world.now;
    let Some(g) = &mut world.google else {
        return Err("google: not in this world".into());
    };
    let mut changed = Vec::new();
    for (key, part) in patch.as_object().ok_or("google: an object is wanted")? {
        let (list, ids) = match key.as_str() {
            "customer" => {
                g.customer = part.as_str().ok_or("google.customer: text is wanted")?.into();
                ("customer", vec!["customer".into()])
            }
            "users" => {
                let made = |id: &str| json!({"id": id, "primaryEmail": format!("u{id}@acme.example")});
                ("users", merge::entries(&mut g.users, part, made)?)
            }
            "groups" => {
                let made = |id: &str| json!({"id": id, "email": format!("{id}@acme.example"), "name": id});
                ("groups", merge::entries(&mut g.groups, part, made)?)
            }
            "transfers" => {
                let made = |id: &str| json!({"id": id, "oldOwnerUserId": "", "newOwnerUserId": "", "status": "inProgress", "requested": now});
                ("transfers", merge::entries(&mut g.transfers, part, made)?)
            }
            _ => return Err(format!("google: unknown key {key}")),
        };
        changed.extend(ids.into_iter().map(|id| (list, id)));
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

/// Files move as time passes.
fn tick(world: &mut World, now: DateTime<Utc>) {
    let Some(g) = &mut world.google else { return };
    transfers::run(g, now);
    for (list, id) in std::mem::take(&mut g.changed) {
        world.touch(NAME, list, &id);
    }
}

fn endpoints(world: &World, _origin: &str) -> Value {
    let Some(g) = &world.google else { return Value::Null };
    json!({"admin": g.admin(), "customer": g.customer, "service_account": token::service_account()})
}
