//! The twin of CrowdStrike Falcon Identity Protection: OAuth, and one GraphQL endpoint over people, their accounts and their sign-ins.
//!
//! It knows the questions that clients send, not the whole schema; a name that isn't in it is refused as the vendor refuses it. What Okta
//! ends shows here with delay, as it does there.

mod entities;
mod oauth;
mod query;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    merge, quiet,
    shape::Shape,
    tokens::{self, Tokens},
    twin::{Call, Reply, Twin, blank},
    world::World,
};

const NAME: &str = "crowdstrike";
const GRAPHQL: &str = "/identity-protection/combined/graphql/v1";
/// The client belongs to another cloud.
const OTHER_CLOUD: &str = "other-cloud";
/// The questions of the hour are used up.
const NO_POINTS: &str = "no-points";
/// How long a disabling in Okta takes to be seen here.
const LAG: Duration = Duration::seconds(30);

pub const TWIN: Twin = Twin {
    name: NAME,
    manners: &[OTHER_CLOUD, NO_POINTS],
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    endpoints,
    operation: |_, call| {
        let asked = call.method == "POST" && call.path == GRAPHQL;
        let text = String::from_utf8_lossy(&call.body);
        asked.then(|| {
            if text.contains("timeline") {
                "read-signins"
            } else {
                "find-account"
            }
            .into()
        })
    },
    asks: |method, path, body| {
        method == "POST" && (path.starts_with("/oauth2/") || (path == GRAPHQL && !body.contains("mutation")))
    },
    here: |w| w.crowdstrike.is_some(),
    given: Some(&Shape::Table(&[])),
    secret: |_, random| random.chars().take(40).collect(),
    record: |w, right| {
        let secret = w.secret(&format!("{NAME}.{right}"))?;
        (right == "read")
            .then(|| json!({"client_id": tokens::client_id(NAME, right), "client_secret": secret}).to_string())
    },
    // a witness has nothing to write with
    section: |_| json!({"write": null, "domain": "ACME.EXAMPLE"}),
    refusal: |seen, status| refusal(status, seen.now),
    ..blank(NAME)
};

/// Somebody whom Falcon knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    pub id: String,
    pub okta: String,
    pub login: String,
    #[serde(default)]
    pub watched: bool,
    /// Active Directory people may have no address here.
    #[serde(default = "yes")]
    pub email: bool,
    /// The account in Active Directory stays enabled whatever Okta does.
    #[serde(default)]
    pub stays: bool,
    /// Of a person with two entities that aren't linked, this one is the cloud's.
    #[serde(default)]
    pub cloud: bool,
    #[serde(default)]
    pub risk: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub entity: String,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub address: String,
}

fn yes() -> bool {
    true
}

#[derive(Default)]
pub struct CrowdStrike {
    pub entities: BTreeMap<String, Entity>,
    pub events: BTreeMap<String, Event>,
    tokens: Tokens,
    /// When a leaver of the story ended, and who signed in after it.
    after: DateTime<Utc>,
    busy: String,
    quiet: String,
    changed: BTreeSet<String>,
}

/// The vendor's error body.
fn error(status: u16, message: &str, by: &str) -> Reply {
    let trace = "5d2f2f4a-0000-4000-8000-000000000000";
    Reply::json(
        status,
        &json!({"meta": {"query_time": 0.000_2, "powered_by": by, "trace_id": trace}, "errors": [{"code": status, "message": message}]}),
    )
}

/// A refusal in Falcon's own words, for faults by name.
fn refusal(status: u16, now: DateTime<Utc>) -> Reply {
    let message = match status {
        401 => "access denied, invalid bearer token",
        403 => "access denied, authorization failed",
        404 => "Not Found",
        429 => "API rate limit exceeded.",
        _ => "Internal Server Error: Please provide trace-id to support",
    };
    let reply = error(status, message, "crowdstrike-api-gateway");
    match status {
        429 => reply
            .with("x-ratelimit-limit", "6000")
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-retryafter", (now.timestamp() + 2).to_string()),
        _ => reply,
    }
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut falcon) = world.crowdstrike.take() else {
        return Reply::empty(501);
    };
    let reply = match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/oauth2/token") => oauth::token(&mut falcon, world, call),
        ("POST", "/oauth2/revoke") => oauth::revoke(&mut falcon, world, call),
        ("POST", GRAPHQL) => query::answer(&mut falcon, world, call),
        _ => Reply::empty(501),
    };
    for id in std::mem::take(&mut falcon.changed) {
        world.touch(NAME, "entities", &id);
    }
    world.crowdstrike = Some(falcon);
    reply
        .with("x-ratelimit-limit", "6000")
        .with("x-ratelimit-remaining", "5999")
}

/// A world says nothing of it; the firm says who is in which story.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    signed_in: Vec<String>,
    stays_enabled: Vec<String>,
    unknown: Vec<String>,
    no_address: Vec<String>,
    unlinked: Vec<String>,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    world.crowdstrike = None;
    if given.is_null() {
        return Ok(());
    }
    let mut given: Given = serde_json::from_value(given.clone()).map_err(|e| e.to_string())?;
    let mut people: Vec<(String, String)> = (1..=quiet::count(&world.given).min(30))
        .map(|n| (quiet::id(n), quiet::login(n)))
        .collect();
    for user in world.given["okta"]["users"].as_array().into_iter().flatten() {
        if let (Some(id), Some(login)) = (user["id"].as_str(), user["profile"]["login"].as_str()) {
            people.push((id.into(), login.into()));
        }
    }
    if given.signed_in.is_empty() {
        given.signed_in.extend(people.get(1).map(|p| p.1.clone()));
    }
    let mut falcon = CrowdStrike {
        after: world.now - Duration::minutes(20),
        ..CrowdStrike::default()
    };
    let has = |list: &[String], login: &str| list.iter().any(|l| l == login);
    for (okta, login) in people {
        if has(&given.unknown, &login) {
            continue;
        }
        let mut add = |cloud: bool| {
            let id = entities::id(&format!("{login} {cloud}"));
            let entity = Entity {
                id: id.clone(),
                okta: okta.clone(),
                login: login.clone(),
                watched: false,
                email: cloud || !has(&given.no_address, &login),
                stays: has(&given.stays_enabled, &login),
                cloud,
                risk: if has(&given.stays_enabled, &login) { 0.81 } else { 0.2 },
            };
            falcon.entities.insert(id.clone(), entity);
            id
        };
        let id = add(false);
        if has(&given.unlinked, &login) {
            add(true);
        }
        if has(&given.signed_in, &login) {
            falcon.busy = login.clone();
            for (n, kind) in ["SUCCESSFUL_AUTHENTICATION", "SERVICE_ACCESS"].into_iter().enumerate() {
                let event = Event {
                    entity: id.clone(),
                    kind: kind.into(),
                    at: world.now - Duration::seconds(30 - n as i64),
                    address: "203.0.113.99".into(),
                };
                falcon.events.insert(entities::id(&format!("{login} {kind}")), event);
            }
        } else if falcon.quiet.is_empty() {
            falcon.quiet = login;
        }
    }
    world.crowdstrike = Some(falcon);
    Ok(())
}

fn state(world: &World) -> Value {
    let Some(f) = &world.crowdstrike else {
        return Value::Null;
    };
    json!({"entities": f.entities, "events": f.events})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let f = world.crowdstrike.as_ref()?;
    match list {
        "entities" => f.entities.get(id).map(|e| json!(e)),
        "events" => f.events.get(id).map(|e| json!(e)),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let f = world.crowdstrike.as_mut().ok_or("crowdstrike: not in this world")?;
    match list {
        "entities" => merge::restore(&mut f.entities, id, entry),
        "events" => merge::restore(&mut f.events, id, entry),
        _ => Err(format!("crowdstrike: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let f = world.crowdstrike.as_mut().ok_or("crowdstrike: not in this world")?;
    let mut changed = Vec::new();
    for (key, part) in patch.as_object().ok_or("crowdstrike: an object is wanted")? {
        let (list, ids) = match key.as_str() {
            "entities" => {
                let made = |id: &str| json!({"id": id, "okta": "", "login": ""});
                ("entities", merge::entries(&mut f.entities, part, made)?)
            }
            "events" => {
                let made = |_: &str| json!({"kind": "SUCCESSFUL_AUTHENTICATION", "address": "203.0.113.99"});
                ("events", merge::entries(&mut f.events, part, made)?)
            }
            _ => return Err(format!("crowdstrike: unknown key {key}")),
        };
        changed.extend(ids.into_iter().map(|id| (list, id)));
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

fn endpoints(world: &World, _: &str) -> Value {
    let Some(f) = &world.crowdstrike else {
        return Value::Null;
    };
    json!({"client_id": tokens::client_id(NAME, "all"), "client_secret": world.secret("crowdstrike.all"),
        "user": f.busy, "quiet_user": f.quiet, "sam": entities::sam(&f.busy),
        "after": f.after.format("%Y-%m-%dT%H:%M:%SZ").to_string()})
}

#[cfg(test)]
mod tests;
