//! From a `given` world to the org's state: groups that policy needs, quiet people, listed people laid over them, rules, apps, the log.
//!
//! Strict: a key or a name that isn't known is an error that says which.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value;

use super::expression::{self, Node};
use super::log::{Event, Party};
use super::model::{App, Assignment, Group, Kind, Rule, Status, Time};
use super::{Okta, deeds, import, letters, mix, page, people, token};
use crate::sandbox::quiet;
use crate::sandbox::world::World;

pub fn load(w: &mut World, given: &Value) -> Result<(), String> {
    only(given, "okta", KEYS)?;
    let mut okta = Okta {
        org_id: text(given, "org_id").unwrap_or("00o0000000000000ACME").to_owned(),
        provision_delay: TimeDelta::seconds(1),
        ..Okta::default()
    };
    for (key, slot) in [
        ("search_lag", &mut okta.search_lag),
        ("rule_delay", &mut okta.rule_delay),
        ("deactivate_delay", &mut okta.deactivate_delay),
        ("provision_delay", &mut okta.provision_delay),
    ] {
        if let Some(t) = given.get(key) {
            *slot = duration(t).ok_or_else(|| format!("okta.{key}: {t} is no duration"))?;
        }
    }
    w.okta = okta;
    token::make_clients(&mut w.okta);
    let names = groups(w, &given["groups"])?;
    rules(w, &names, &given["rules"])?;
    let unlisted = people::people(w, &names, &given["users"])?;
    fill(w, &unlisted);
    apps(w, &names, &given["apps"])?;
    for (id, shown) in given["search_index"].as_object().into_iter().flatten() {
        w.okta.search_index.insert(id.clone(), shown.clone());
    }
    for t in list(&given["api_tokens"]) {
        only(t, "okta.api_tokens", &["id", "name", "user"])?;
        let id = text(t, "id").ok_or("okta.api_tokens: an entry has no id")?;
        let entry = (
            text(t, "name").unwrap_or(id).to_owned(),
            text(t, "user").unwrap_or_default().to_owned(),
        );
        w.okta.api_tokens.insert(id.to_owned(), entry);
    }
    import::history(w);
    import::run(w, w.now);
    for e in list(&given["system_log"]) {
        let event = listed_event(w, e)?;
        w.okta.log.push(event);
    }
    Ok(())
}

const KEYS: &[&str] = &[
    "org_id",
    "users",
    "groups",
    "rules",
    "apps",
    "search_index",
    "search_lag",
    "rule_delay",
    "deactivate_delay",
    "provision_delay",
    "system_log",
    "api_tokens",
];

pub fn only(v: &Value, place: &str, known: &[&str]) -> Result<(), String> {
    match v
        .as_object()
        .into_iter()
        .flatten()
        .find(|(k, _)| !known.contains(&k.as_str()))
    {
        Some((k, _)) => Err(format!("{place}: unknown key {k}")),
        None => Ok(()),
    }
}

pub fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

pub fn text<'a>(v: &'a Value, key: &str) -> Option<&'a str> {
    v.get(key).and_then(Value::as_str)
}

pub fn texts(v: &Value) -> Vec<String> {
    list(v).iter().filter_map(|t| t.as_str().map(str::to_owned)).collect()
}

/// `60ms`, `3s`, `15m`, `1h`, `90d`.
pub fn duration(v: &Value) -> Option<TimeDelta> {
    let t = v.as_str()?;
    let at = t.find(|c: char| c.is_ascii_alphabetic())?;
    let n: f64 = t[..at].parse().ok()?;
    let ms = match &t[at..] {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    TimeDelta::try_milliseconds((n * ms) as i64)
}

/// Groups by name; of one name, an OKTA_GROUP outranks an app's.
pub type Names = BTreeMap<String, String>;

/// When everything began that the world says nothing about.
pub fn beginning() -> Time {
    Time::from_timestamp(1_578_301_200, 0).unwrap_or_default()
}

fn group(id: &str, name: &str, kind: Kind) -> Group {
    Group {
        id: id.into(),
        name: name.into(),
        description: (kind == Kind::BuiltIn).then(|| "All users in your organization".into()),
        kind,
        roles: Vec::new(),
        owners: Vec::new(),
        created: beginning(),
        last_updated: beginning(),
        last_membership_updated: beginning(),
    }
}

fn made_id(name: &str) -> String {
    letters("00g", 20, mix(page::text_hash(name)))
}

pub fn kind(name: Option<&str>) -> Option<Kind> {
    name.map_or(Some(Kind::OktaGroup), |n| serde_json::from_value(n.into()).ok())
}

fn groups(w: &mut World, given: &Value) -> Result<Names, String> {
    let mut names = Names::new();
    let mut apart = Vec::new();
    let mut put = |okta: &mut Okta, g: Group| {
        match g.kind {
            Kind::BuiltIn if g.name == "Everyone" => okta.everyone = g.id.clone(),
            Kind::AppGroup => apart.push((g.name.clone(), g.id.clone())),
            Kind::BuiltIn | Kind::OktaGroup => drop(names.insert(g.name.clone(), g.id.clone())),
        }
        okta.groups.insert(g.id.clone(), g);
    };
    for g in list(given) {
        let name = text(g, "name").ok_or("okta.groups: an entry has no name")?;
        if let Some(n) = g.get("generated").and_then(Value::as_u64) {
            only(g, "okta.groups", &["generated", "name"])?;
            for i in 1..=n {
                let name = format!("{name}{i:04}");
                put(&mut w.okta, group(&made_id(&name), &name, Kind::OktaGroup));
            }
            continue;
        }
        only(
            g,
            "okta.groups",
            &["id", "name", "type", "roles", "owners", "description"],
        )?;
        let id = text(g, "id").ok_or_else(|| format!("okta.groups: {name} has no id"))?;
        let kind = kind(text(g, "type")).ok_or_else(|| format!("okta.groups: {name} has an unknown type"))?;
        let mut made = group(id, name, kind);
        made.roles = texts(&g["roles"]);
        made.owners = texts(&g["owners"]);
        if let Some(d) = text(g, "description") {
            made.description = Some(d.to_owned());
        }
        put(&mut w.okta, made);
    }
    let policy = &w.given["policy"];
    let mut needed: BTreeSet<String> = quiet::departments(&w.given)
        .values()
        .map(|c| format!("ROLE-{c}"))
        .collect();
    match policy.get("birthright").and_then(Value::as_object) {
        Some(b) => needed.extend(b.values().flat_map(texts)),
        None => needed.extend(["BR-ALL-EMPLOYEES".to_owned(), "BR-CONTRACTORS".to_owned()]),
    }
    needed.extend(list(&policy["rule"]).iter().flat_map(|r| texts(&r["groups"])));
    for name in needed {
        if !w
            .okta
            .groups
            .values()
            .any(|g| g.kind == Kind::OktaGroup && g.name == name)
        {
            put(&mut w.okta, group(&made_id(&name), &name, Kind::OktaGroup));
        }
    }
    if w.okta.everyone.is_empty() {
        put(&mut w.okta, group(&made_id("Everyone"), "Everyone", Kind::BuiltIn));
    }
    for (name, id) in apart {
        names.entry(name).or_insert(id);
    }
    Ok(names)
}

fn group_id(names: &Names, name: &str) -> Result<String, String> {
    names
        .get(name)
        .cloned()
        .ok_or_else(|| format!("okta: no group is called {name}"))
}

/// Ids of the groups that these names and wildcards mean. Everyone is there by itself.
pub fn meant(names: &Names, given: &[String]) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    for name in given.iter().filter(|n| *n != "Everyone") {
        if name.contains('*') {
            out.extend(
                names
                    .iter()
                    .filter(|(n, _)| quiet::wild(name, n))
                    .map(|(_, id)| id.clone()),
            );
        } else {
            out.push(group_id(names, name)?);
        }
    }
    Ok(out)
}

fn rules(w: &mut World, names: &Names, given: &Value) -> Result<(), String> {
    for r in list(given) {
        only(
            r,
            "okta.rules",
            &["id", "name", "status", "expression", "groups", "exclude_users"],
        )?;
        let id = text(r, "id").ok_or("okta.rules: an entry has no id")?;
        let expression = text(r, "expression").unwrap_or_default();
        let valid = expression::parse(expression).is_some();
        let rule = Rule {
            id: id.into(),
            name: text(r, "name").unwrap_or(id).into(),
            status: if valid {
                text(r, "status").unwrap_or("ACTIVE")
            } else {
                "INVALID"
            }
            .into(),
            expression: expression.into(),
            groups: meant(names, &texts(&r["groups"]))?,
            exclude_users: texts(&r["exclude_users"]),
            exclude_groups: Vec::new(),
            people: true,
            created: beginning(),
            last_updated: beginning(),
        };
        w.okta.rules.insert(id.into(), rule);
    }
    Ok(())
}

pub fn instant(t: &str) -> Result<Time, String> {
    chrono::DateTime::parse_from_rfc3339(t)
        .map(|t| t.to_utc())
        .map_err(|_| format!("okta: {t} is no instant"))
}

/// Rules at load: they fill groups for those of whom no groups are told, and own what they would fill of everyone's.
fn fill(w: &mut World, unlisted: &BTreeSet<String>) {
    let active: Vec<(Rule, Node)> = w
        .okta
        .rules
        .values()
        .filter(|r| r.status == "ACTIVE")
        .filter_map(|r| Some((r.clone(), expression::parse(&r.expression)?)))
        .collect();
    if active.is_empty() {
        return;
    }
    // Twice, for rules that chain through a group.
    for _ in 0..2 {
        let mut filled: Vec<(String, String, String)> = Vec::new();
        for p in w.okta.users.values().filter(|p| p.status != Status::Deprovisioned) {
            for (r, e) in &active {
                if r.exclude_users.contains(&p.id) || !e.holds(&w.okta, p) {
                    continue;
                }
                let has = |g: &&String| unlisted.contains(&p.id) || p.groups.contains_key(*g);
                filled.extend(
                    r.groups
                        .iter()
                        .filter(has)
                        .map(|g| (p.id.clone(), g.clone(), r.id.clone())),
                );
            }
        }
        for (uid, gid, rid) in filled {
            if let Some(p) = w.okta.users.get_mut(&uid) {
                p.groups.entry(gid).or_default().insert(rid);
            }
        }
    }
}

fn apps(w: &mut World, names: &Names, given: &Value) -> Result<(), String> {
    for a in list(given) {
        only(
            a,
            "okta.apps",
            &[
                "id",
                "label",
                "name",
                "status",
                "features",
                "groups",
                "assigned",
                "provisions",
            ],
        )?;
        let id = text(a, "id").ok_or("okta.apps: an entry has no id")?;
        let label = text(a, "label").unwrap_or(id);
        let provisions = text(a, "provisions").map(str::to_owned);
        let by_default = ["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION"].map(str::to_owned).to_vec();
        let features = match a.get("features") {
            Some(f) => texts(f),
            None if provisions.is_some() => by_default,
            None => Vec::new(),
        };
        let mut app = App {
            id: id.into(),
            label: label.into(),
            name: text(a, "name").map_or_else(|| label.to_lowercase().replace(' ', "_"), str::to_owned),
            active: text(a, "status") != Some("INACTIVE"),
            features,
            provisions,
            groups: meant(names, &texts(&a["groups"]))?,
            assigned: BTreeMap::new(),
            created: beginning(),
            last_updated: beginning(),
        };
        for x in list(&a["assigned"]) {
            only(
                x,
                "okta.apps.assigned",
                &["user", "scope", "group", "credentials_user_name", "external_id"],
            )?;
            let uid = text(x, "user").ok_or("okta.apps.assigned: an entry has no user")?;
            let p = w
                .okta
                .users
                .get(uid)
                .ok_or_else(|| format!("okta.apps: no user {uid}"))?;
            let group = match (text(x, "scope"), text(x, "group")) {
                (Some("GROUP"), Some(name)) => Some(group_id(names, name)?),
                (Some("GROUP"), None) => app.groups.iter().find(|g| p.groups.contains_key(*g)).cloned(),
                _ => None,
            };
            app.groups.extend(
                group
                    .iter()
                    .filter(|g| !app.groups.contains(g))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            let assignment = Assignment {
                group,
                user_name: text(x, "credentials_user_name").unwrap_or(p.login()).to_owned(),
                external_id: text(x, "external_id").map(str::to_owned),
                since: beginning(),
            };
            app.assigned.insert(uid.to_owned(), assignment);
        }
        let holders = w
            .okta
            .users
            .values()
            .filter(|p| app.active && !p.ended() && p.status != Status::Staged);
        for p in holders {
            let Some(gid) = app
                .groups
                .iter()
                .find(|g| p.groups.contains_key(*g) || **g == w.okta.everyone)
            else {
                continue;
            };
            app.assigned.entry(p.id.clone()).or_insert_with(|| Assignment {
                group: Some(gid.clone()),
                user_name: p.login().to_owned(),
                external_id: None,
                since: beginning(),
            });
        }
        w.okta.apps.insert(id.into(), app);
    }
    Ok(())
}

/// An event as a world lists it.
pub fn listed_event(w: &World, e: &Value) -> Result<Event, String> {
    only(
        e,
        "okta.system_log",
        &["uuid", "eventType", "target", "actor", "published"],
    )?;
    let party = |id: &str| match (w.okta.users.get(id), w.okta.groups.get(id), w.okta.apps.get(id)) {
        (Some(p), _, _) => deeds::user_party(p),
        (_, Some(g), _) => deeds::group_party(g),
        (_, _, Some(a)) => deeds::app_party(a),
        _ if id == super::org::HR_APP => Party::new(id, "AppInstance", "HRIS", "HRIS"),
        _ if id.starts_with("00u") => Party::new(id, "User", "unknown", "unknown"),
        _ => Party {
            id: id.to_owned().into(),
            ..Party::system()
        },
    };
    Ok(Event {
        uuid: text(e, "uuid")
            .ok_or("okta.system_log: an entry has no uuid")?
            .to_owned(),
        published: text(e, "published").map_or(Ok(w.now), instant)?,
        kind: text(e, "eventType")
            .ok_or("okta.system_log: an entry has no eventType")?
            .to_owned()
            .into(),
        actor: text(e, "actor").map_or_else(Party::system, party),
        targets: text(e, "target").map(party).into_iter().collect(),
        token: None,
    })
}
