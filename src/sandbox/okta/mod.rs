//! The twin of Okta: one org, written from the vendor's pages and recordings, never from our client.
//!
//! A request is counted, admitted, carried out and answered in one step; what happens by itself (rules, the end of a deactivation,
//! HR's imports) happens in `tick`. It refuses what Okta refuses, with Okta's words; what it doesn't know is 501, never a guess.

mod access;
mod apps;
mod auth;
mod deeds;
mod error;
mod expression;
mod groups;
mod import;
mod lifecycle;
mod load;
mod log;
mod members;
mod model;
mod operation;
mod org;
mod page;
mod patch;
mod people;
mod person;
mod rate;
mod route;
mod rules;
mod search;
mod shape;
mod token;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use crate::sandbox::quiet::mix;
use crate::sandbox::twin::{Call, Reply, Twin, blank};
use crate::sandbox::world::World;
use auth::Caller;
use error::{Refusal, refuse};
use model::{Access, App, Client, Due, Group, Person, Rule, Time};

pub const TWIN: Twin = Twin {
    name: "okta",
    answer,
    load: load::load,
    state: shape::state,
    entry: shape::entry,
    restore: shape::restore,
    patch: patch::patch,
    tick,
    endpoints: token::endpoints,
    operation: operation::name,
    secret: |_, random| format!("00{}", &random[..40]),
    section: |w| {
        let org = w.given.pointer("/okta/org_id").and_then(Value::as_str);
        json!({"org": org.unwrap_or("00o0000000000000ACME")})
    },
    refusal: error::of_status,
    ..blank("okta")
};

#[derive(Default)]
pub struct Okta {
    org_id: String,
    users: BTreeMap<String, Person>,
    /// Login, folded, to id.
    logins: BTreeMap<String, String>,
    groups: BTreeMap<String, Group>,
    /// The id of the group that everyone is in.
    everyone: String,
    rules: BTreeMap<String, Rule>,
    apps: BTreeMap<String, App>,
    log: Vec<log::Event>,
    /// By instant, then in the order of asking.
    due: BTreeMap<String, Due>,
    search_lag: TimeDelta,
    rule_delay: TimeDelta,
    deactivate_delay: TimeDelta,
    provision_delay: TimeDelta,
    /// What search shows instead of the truth: `"missing"`, or attributes laid over it.
    search_index: BTreeMap<String, Value>,
    /// Former versions of people, each shown by search until its instant; none: not there yet.
    stale: BTreeMap<String, Vec<(Time, Option<Person>)>>,
    clients: BTreeMap<String, Client>,
    client_key: OnceLock<token::Key>,
    access: BTreeMap<String, Access>,
    /// Assertions and proofs that were used, until they expire.
    spent: BTreeMap<String, Time>,
    /// API tokens that were revoked, by name.
    revoked: BTreeSet<String>,
    /// API tokens that people of the firm made: id to name and person.
    api_tokens: BTreeMap<String, (String, String)>,
    buckets: rate::Buckets,
    /// Requests that came and whose answer hasn't left; the engine counts them.
    pub in_flight: u32,
    /// Group rules are being reconciled until then: a second write meets 423.
    reconciling: Option<Time>,
    serial: u64,
    /// How deep rules have set off rules.
    chained: u32,
    /// For which setting of the clock HR has imported.
    set_at: Option<Time>,
    /// When HR's last import ended.
    imported: Option<Time>,
}

impl Okta {
    /// For other systems, which know people by what the directory says of them.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.users.values()
    }
}

/// Requests at a time that an org is granted.
const CONCURRENT: u32 = 75;

/// A call on its way through.
pub struct Ctx<'a> {
    pub call: &'a Call,
    pub parts: Vec<&'a str>,
    pub caller: Caller,
}

pub type Answer = Result<Reply, Refusal>;

impl Ctx<'_> {
    pub fn now(&self) -> Time {
        self.call.now
    }
    /// The path's segment, `me` and logins not yet resolved.
    pub fn part(&self, n: usize) -> &str {
        self.parts.get(n).copied().unwrap_or_default()
    }
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.call.origin)
    }
    pub fn body(&self) -> Result<Value, Refusal> {
        self.call
            .json()
            .filter(Value::is_object)
            .ok_or_else(|| refuse("E0000003"))
    }
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.call
            .param(name)
            .map_or(default, |v| v.eq_ignore_ascii_case("true"))
    }
}

impl Okta {
    /// What HR would know of everyone.
    pub fn profiles(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.users.values().map(|p| &p.profile)
    }
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new 20-character id of that type.
    fn fresh(&mut self, prefix: &str, now: Time) -> String {
        let n = self.next_serial();
        letters(prefix, 20, mix(n ^ now.timestamp_micros() as u64))
    }

    fn person(&self, id: &str) -> Result<&Person, Refusal> {
        self.users.get(id).ok_or_else(|| error::missing(id, "User"))
    }
    fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.groups.get(id).ok_or_else(|| error::missing(id, "UserGroup"))
    }
}

fn letters(prefix: &str, length: usize, seed: u64) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = prefix.to_owned();
    let mut r = seed;
    while out.len() < length {
        r = mix(r);
        out.push(char::from(ALPHABET[(r % 62) as usize]));
    }
    out
}

/// Sorts by instant, then by order.
fn due_key(at: Time, n: u64) -> String {
    format!("{:016}.{n:08}", at.timestamp_millis())
}

fn answer(w: &mut World, call: &Call) -> Reply {
    w.now = call.now;
    let parts = call.parts();
    let limit = rate::bucket(&call.method, &parts);
    let rate = w.rates.get("okta").copied();
    let quota = w.okta.buckets.count(limit, rate, call.now);
    let crowded = w.okta.in_flight > CONCURRENT;
    let outcome = if quota.exceeded || crowded {
        Err(refuse("E0000047"))
    } else {
        route::run(w, call, parts)
    };
    let n = w.okta.next_serial() ^ call.now.timestamp_micros() as u64;
    let reply = outcome.unwrap_or_else(|refusal| refusal.reply(&letters("oae", 25, n)));
    let (limit, remaining) = if crowded {
        (0, 0)
    } else {
        (quota.limit, quota.remaining)
    };
    // The vendor's SDK parses whatever calls itself JSON, so an empty answer doesn't.
    let reply = if reply.body.is_empty() || reply.headers.iter().any(|(k, _)| k == "content-type") {
        reply
    } else {
        reply.with("content-type", "application/json")
    };
    reply
        .with("date", call.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .with("x-okta-request-id", format!("{:016x}{:016x}", mix(n), mix(!n)))
        .with("x-rate-limit-limit", limit.to_string())
        .with("x-rate-limit-remaining", remaining.to_string())
        .with("x-rate-limit-reset", quota.reset.to_string())
}

/// Whatever falls due by `now`, in its order; the imports that HR runs.
fn tick(w: &mut World, now: Time) {
    w.now = now;
    import::run(w, now);
    let limit = due_key(now + TimeDelta::milliseconds(1), 0);
    while let Some(key) = w.okta.due.range(..limit.clone()).next().map(|(k, _)| k.clone()) {
        let due = w.okta.due.remove(&key);
        w.touch("okta", "due", &key);
        match due {
            Some(Due::Rules(uid)) => rules::run(w, &uid),
            Some(Due::Rule(rid)) => rules::run_everyone(w, &rid),
            Some(Due::Deprovision(uid)) => deeds::deprovision(w, &uid),
            Some(Due::Provision(push)) => w.provisioning.push(push),
            Some(Due::Unassign(uid)) => deeds::drop_apps(w, &uid),
            None => {}
        }
    }
    if !w.okta.stale.is_empty() {
        w.okta.stale.retain(|_, versions| {
            versions.retain(|(until, _)| *until > now);
            !versions.is_empty()
        });
    }
    w.okta.spent.retain(|_, until| *until > now);
}

/// Since when somebody can't sign in any more: for whoever watches from outside.
pub(super) fn ended(world: &World, id: &str) -> Option<Time> {
    let person = world.okta.users.get(id)?;
    let shut = matches!(person.status, model::Status::Suspended | model::Status::Deprovisioned);
    shut.then_some(person.status_changed).flatten()
}

#[cfg(test)]
mod tests;
