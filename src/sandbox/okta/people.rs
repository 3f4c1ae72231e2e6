//! Quiet people, and listed people laid over them: who is in the org when a world begins.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::load::{Names, instant, list, meant, only, text, texts};
use super::model::{Grant, Person, Status, Time};
use super::{letters, mix, page};
use crate::sandbox::quiet;
use crate::sandbox::world::World;

/// One person as a world tells of them; `known`: the profile, complete.
pub struct Told {
    pub id: String,
    pub status: Status,
    pub profile: Map<String, Value>,
    pub groups: Vec<String>,
    pub recorded: Time,
}

pub fn person(told: Told) -> Person {
    let since = super::load::beginning();
    let s = told.status;
    let fresh = matches!(s, Status::Staged | Status::Provisioned);
    let live = !fresh && s != Status::Deprovisioned;
    let moved = if matches!(s, Status::Active | Status::Staged) {
        since
    } else {
        told.recorded
    };
    Person {
        status: s,
        transition: None,
        profile: told.profile,
        groups: told.groups.into_iter().map(|g| (g, BTreeSet::new())).collect(),
        roles: Vec::new(),
        sessions: u64::from(live),
        grants: Vec::new(),
        tokens: Vec::new(),
        factors: if live {
            vec![format!("opf{}", told.id.get(3..).unwrap_or_default())]
        } else {
            Vec::new()
        },
        provider: "OKTA".into(),
        mastered: true,
        created: since,
        activated: (s != Status::Staged).then_some(since),
        status_changed: (s != Status::Staged).then_some(moved),
        last_updated: told.recorded,
        password_changed: live.then_some(since),
        last_login: live.then_some(told.recorded),
        version: 1,
        id: told.id,
    }
}

/// People without a `groups` key: the rules run for them.
pub fn people(w: &mut World, names: &Names, given: &Value) -> Result<BTreeSet<String>, String> {
    let mut unlisted = BTreeSet::new();
    let yesterday = w.now - TimeDelta::days(1);
    let listed: BTreeSet<&str> = list(given).iter().filter_map(|u| text(u, "id")).collect();
    let mut made: Vec<Person> = Vec::new();
    let mut cache: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let simple = w.given.pointer("/policy/rule").is_none();
    for n in 1..=quiet::count(&w.given) {
        let id = quiet::id(n);
        if listed.contains(id.as_str()) {
            continue;
        }
        let profile = quiet::profile(&w.given, n);
        let status = Status::parse(quiet::status(&w.given, n)).ok_or("population: unknown status")?;
        let groups = match quiet::groups(&w.given, n) {
            Some(names_given) => meant(names, &names_given)?,
            None => {
                unlisted.insert(id.clone());
                policy_groups(w, names, &profile, status, simple.then_some(&mut cache))?
            }
        };
        made.push(person(Told {
            id,
            status,
            profile,
            groups,
            recorded: yesterday,
        }));
    }
    for u in list(given) {
        let keys = [
            "id",
            "status",
            "profile",
            "groups",
            "roles",
            "sessions",
            "grants",
            "recorded",
            "credentials_provider",
        ];
        only(u, "okta.users", &keys)?;
        let id = text(u, "id").ok_or("okta.users: an entry has no id")?;
        let status = match text(u, "status") {
            None => Status::Active,
            Some(s) => Status::parse(s).ok_or_else(|| format!("okta.users: {id} has an unknown status"))?,
        };
        let profile = quiet::listed(id, &u["profile"]);
        let groups = match u.get("groups") {
            Some(g) => meant(names, &texts(g))?,
            None => {
                unlisted.insert(id.to_owned());
                policy_groups(w, names, &profile, status, None)?
            }
        };
        let recorded = match text(u, "recorded") {
            None => yesterday,
            Some(t) => instant(t)?,
        };
        let mut p = person(Told {
            id: id.to_owned(),
            status,
            profile,
            groups,
            recorded,
        });
        p.roles = texts(&u["roles"]);
        if let Some(n) = u.get("sessions").and_then(Value::as_u64) {
            p.sessions = n;
        }
        grant(&mut p, u.get("grants").and_then(Value::as_u64).unwrap_or_default());
        if let Some(kind) = text(u, "credentials_provider") {
            p.provider = kind.to_owned();
        }
        made.push(p);
    }
    made.sort_by(|a, b| a.id.cmp(&b.id));
    w.okta.logins = made.iter().map(|p| (p.login().to_lowercase(), p.id.clone())).collect();
    w.okta.users = made.into_iter().map(|p| (p.id.clone(), p)).collect();
    Ok(unlisted)
}

/// Ids of what policy gives; nothing before the first day and after the last.
fn policy_groups(
    w: &World,
    names: &Names,
    profile: &Map<String, Value>,
    status: Status,
    cache: Option<&mut BTreeMap<String, Vec<String>>>,
) -> Result<Vec<String>, String> {
    if matches!(status, Status::Staged | Status::Provisioned | Status::Deprovisioned) {
        return Ok(Vec::new());
    }
    let Some(cache) = cache else {
        return meant(names, &quiet::policy_groups(&w.given, profile));
    };
    let key = format!("{:?} {:?}", profile.get("userType"), profile.get("department"));
    if let Some(hit) = cache.get(&key) {
        return Ok(hit.clone());
    }
    let ids = meant(names, &quiet::policy_groups(&w.given, profile))?;
    cache.insert(key, ids.clone());
    Ok(ids)
}

/// Consents, two an app, and a refresh token for each app.
pub fn grant(p: &mut Person, n: u64) {
    const SCOPES: &[&str] = &["openid", "profile"];
    let tail = p.id.get(3..).unwrap_or_default();
    let entry = |prefix: &str, i: u64| Grant {
        id: letters(prefix, 20, mix(page::text_hash(tail) ^ i)),
        client: format!("0oaCLIENT{:011}", i / 2 + 1),
        scope: SCOPES[(i % 2) as usize].to_owned(),
        created: p.created,
    };
    let mut grants: Vec<Grant> = (0..n).map(|i| entry("oag", i)).collect();
    let mut tokens: Vec<Grant> = (0..n).step_by(2).map(|i| entry("oar", i)).collect();
    grants.sort_by(|a, b| a.id.cmp(&b.id));
    tokens.sort_by(|a, b| a.id.cmp(&b.id));
    p.grants = grants;
    p.tokens = tokens;
}
