//! People: find, create, change. `POST` merges, `PUT` erases what isn't named; search asks an index that may lag.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::deeds::{By, change, follow_apps, join, user_party};
use super::error::{Refusal, about, invalid, refuse};
use super::model::{Kind, Person, Status, stamp};
use super::page::Page;
use super::search::{self, Field, Op};
use super::{Answer, Ctx, Okta, auth, org, person, rules};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

pub fn get(w: &mut World, ctx: &Ctx) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    if ctx.call.param("expand").is_some_and(|e| e.contains("blocks")) {
        return Err(refuse("E0000015"));
    }
    if uid == auth::ADMIN {
        return Ok(Reply::json(200, &person::admin(ctx)));
    }
    let p = w.okta.person(&uid)?;
    Ok(Reply::json(200, &person::whole(ctx, p)).with("etag", person::etag(p)))
}

pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let okta = &w.okta;
    let show = |p: &Person| {
        let v = person::listed(ctx, p);
        match ctx.call.param("fields") {
            None => Some(v),
            Some(fields) => person::project(&v, fields),
        }
    };
    let bad_fields = || invalid("fields", "The fields parameter is not valid.");
    if let Some(q) = ctx.call.param("q") {
        return by_prefix(okta, ctx, q);
    }
    let page = Page::of(ctx, 200, 200)?;
    if let Some(text) = ctx.call.param("search") {
        let expr = search::parse(text, true, &searchable).ok_or_else(|| refuse("E0000031"))?;
        let holds = |p: &Person| expr.holds(true, &|name| field(p, name));
        let (found, next) = if let Some(sort) = ctx.call.param("sortBy") {
            let down = ctx
                .call
                .param("sortOrder")
                .is_some_and(|o| o.eq_ignore_ascii_case("desc"));
            let indexed: Vec<_> = okta
                .users
                .values()
                .filter_map(|p| indexed(okta, p, ctx.now()))
                .collect();
            let mut rows: Vec<(String, &Person)> = indexed
                .iter()
                .filter(|p| holds(p))
                .map(|p| (sort_key(p, sort), p.as_ref()))
                .collect();
            rows.sort_by(|a, b| if down { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
            let start = match &page.after {
                None => 0,
                Some(id) => rows
                    .iter()
                    .position(|(_, p)| p.id == *id)
                    .map_or(rows.len(), |at| at + 1),
            };
            let part: Vec<_> = rows.iter().skip(start).take(page.limit).map(|(_, p)| show(p)).collect();
            let last = rows
                .get(start + part.len())
                .and(rows.get((start + part.len()).wrapping_sub(1)));
            (part, last.map(|(_, p)| p.id.clone()))
        } else {
            let one = expr
                .required("id")
                .map(|id| okta.users.iter().find(|(k, _)| k.eq_ignore_ascii_case(id)));
            let from = page.after.clone().unwrap_or_default();
            let rows: Box<dyn Iterator<Item = (&String, &Person)>> = match one {
                Some(hit) => Box::new(hit.into_iter()),
                None => Box::new(okta.users.range(from..)),
            };
            page.take(rows.filter_map(|(id, p)| {
                indexed(okta, p, ctx.now())
                    .filter(|p| holds(p))
                    .map(|p| (id.as_str(), show(&p)))
            }))
        };
        let found = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(bad_fields)?;
        return page.answer(ctx, found, next);
    }
    let expr = match ctx.call.param("filter") {
        None => None,
        Some(text) => Some(search::parse(text, false, &filterable).ok_or_else(|| about("E0000053", text))?),
    };
    let from = page.after.clone().unwrap_or_default();
    let (found, next) = page.take(
        okta.users
            .range(from..)
            .filter(|(_, p)| match &expr {
                None => p.status != Status::Deprovisioned,
                Some(x) => x.holds(false, &|name| field(p, name)),
            })
            .map(|(id, p)| (id.as_str(), show(p))),
    );
    let found = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(bad_fields)?;
    page.answer(ctx, found, next)
}

/// `q`: the beginning of a first name, last name or address; ten unless asked for more, never a second page.
fn by_prefix(okta: &Okta, ctx: &Ctx, q: &str) -> Answer {
    let page = Page::of(ctx, 10, 200)?;
    let q = q.to_lowercase();
    let found: Vec<Value> = okta
        .users
        .values()
        .filter(|p| p.status != Status::Deprovisioned)
        .filter(|p| {
            ["firstName", "lastName", "email"]
                .iter()
                .any(|a| p.text(a).to_lowercase().starts_with(&q))
        })
        .take(page.limit)
        .map(|p| person::listed(ctx, p))
        .collect();
    Ok(Reply::json(200, &Value::Array(found)))
}

fn sort_key(p: &Person, name: &str) -> String {
    match field(p, name) {
        Field::One(t) => t.to_lowercase(),
        _ => String::new(),
    }
}

/// The person as the index has them: a former version while it lags, what the world says it shows, or nothing.
fn indexed<'a>(okta: &'a Okta, p: &'a Person, now: super::Time) -> Option<std::borrow::Cow<'a, Person>> {
    use std::borrow::Cow;
    let shown = match okta
        .stale
        .get(&p.id)
        .and_then(|v| v.iter().find(|(until, _)| *until > now))
    {
        Some((_, None)) => return None,
        Some((_, Some(former))) => former,
        None => p,
    };
    let Some(over) = okta.search_index.get(&p.id) else {
        return Some(Cow::Borrowed(shown));
    };
    if over == "missing" {
        return None;
    }
    let mut shown = shown.clone();
    for (k, v) in over.as_object().into_iter().flatten() {
        match v.as_str().filter(|_| k == "status").and_then(Status::parse) {
            Some(status) => shown.status = status,
            None if v.is_null() => drop(shown.profile.remove(k)),
            None => drop(shown.profile.insert(k.clone(), v.clone())),
        }
    }
    Some(Cow::Owned(shown))
}

fn field<'a>(p: &'a Person, name: &str) -> Field<'a> {
    match name {
        "id" => Field::text(&p.id),
        "status" => Field::text(p.status.name()),
        "created" => Field::owned(stamp(p.created)),
        "lastUpdated" => Field::owned(stamp(p.last_updated)),
        "activated" => p.activated.map_or(Field::None, |t| Field::owned(stamp(t))),
        "statusChanged" => p.status_changed.map_or(Field::None, |t| Field::owned(stamp(t))),
        "type.id" => Field::text(org::USER_TYPE),
        _ => match name.strip_prefix("profile.").and_then(|a| p.profile.get(a)) {
            None | Some(Value::Null) => Field::None,
            Some(Value::String(s)) => Field::text(s),
            Some(Value::Array(all)) => Field::Many(all.iter().filter_map(Value::as_str).map(Into::into).collect()),
            Some(other) => Field::owned(other.to_string()),
        },
    }
}

fn searchable(name: &str, op: Op) -> bool {
    let known = matches!(
        name,
        "id" | "status" | "created" | "activated" | "statusChanged" | "lastUpdated" | "type.id"
    ) || name.strip_prefix("profile.").is_some_and(org::attribute_known);
    let contains = matches!(
        name,
        "profile.firstName" | "profile.lastName" | "profile.email" | "profile.login"
    );
    known
        && match op {
            Op::Ne | Op::Ew => false,
            Op::Co => contains,
            Op::Eq | Op::Sw | Op::Pr | Op::Gt | Op::Ge | Op::Lt | Op::Le => true,
        }
}

fn filterable(name: &str, op: Op) -> bool {
    match name {
        "lastUpdated" => matches!(op, Op::Eq | Op::Gt | Op::Ge | Op::Lt | Op::Le),
        "status" | "id" | "profile.login" | "profile.email" | "profile.firstName" | "profile.lastName" => op == Op::Eq,
        _ => false,
    }
}

/// Attributes that no org's schema has are refused, and so is a value that isn't one.
fn check_profile(profile: &Map<String, Value>, what: &str) -> Result<(), Refusal> {
    for (name, value) in profile {
        if !org::attribute_known(name) {
            return Err(invalid(
                what,
                format!("Property name '{name}' is not defined in profile"),
            ));
        }
        if value.as_str().is_some_and(|t| t.chars().any(|c| u32::from(c) > 0xFFFF)) {
            return Err(invalid(name, format!("{name}: Does not match required pattern")));
        }
    }
    Ok(())
}

fn check_required(okta: &Okta, profile: &Map<String, Value>, own: Option<&str>) -> Result<(), Refusal> {
    for name in ["login", "email", "firstName", "lastName"] {
        if profile.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(invalid(name, format!("{name}: The field cannot be left blank")));
        }
    }
    let login = profile["login"].as_str().unwrap_or_default();
    if !login.contains('@') {
        return Err(invalid(
            "login",
            "login: Username must be in the form of an email address",
        ));
    }
    if okta
        .logins
        .get(&login.to_lowercase())
        .is_some_and(|id| Some(id.as_str()) != own)
    {
        return Err(invalid(
            "login",
            "login: An object with this field already exists in the current organization",
        ));
    }
    Ok(())
}

fn sent_profile(body: &Value) -> Result<Map<String, Value>, Refusal> {
    body.get("profile")
        .and_then(Value::as_object)
        .cloned()
        .ok_or_else(|| refuse("E0000003"))
}

pub fn create(w: &mut World, ctx: &Ctx) -> Answer {
    let body = ctx.body()?;
    let mut profile = sent_profile(&body)?;
    check_profile(&profile, "newUser")?;
    profile.retain(|_, v| !v.is_null());
    check_required(&w.okta, &profile, None)?;
    let groups: Vec<String> = body["groupIds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|g| g.as_str().map(str::to_owned))
        .collect();
    if groups.len() > 20 {
        return Err(refuse("E0000093"));
    }
    for gid in &groups {
        if w.okta.group(gid)?.kind != Kind::OktaGroup {
            return Err(refuse("E0000006"));
        }
    }
    let secret = body
        .pointer("/credentials/password")
        .is_some_and(|p| p.get("value").is_some() || p.get("hash").is_some());
    let active = ctx.flag("activate", true);
    let status = match (active, secret) {
        (false, _) => Status::Staged,
        (true, true) => Status::Active,
        (true, false) => Status::Provisioned,
    };
    let now = w.now;
    let uid = w.okta.fresh("00u", now);
    let p = Person {
        id: uid.clone(),
        status,
        transition: None,
        profile,
        groups: BTreeMap::new(),
        roles: Vec::new(),
        sessions: 0,
        grants: Vec::new(),
        tokens: Vec::new(),
        factors: Vec::new(),
        provider: "OKTA".into(),
        mastered: false,
        created: now,
        activated: active.then_some(now),
        status_changed: active.then_some(now),
        last_updated: now,
        password_changed: secret.then_some(now),
        last_login: None,
        version: 1,
    };
    let party = user_party(&p);
    w.okta.logins.insert(p.login().to_lowercase(), uid.clone());
    w.okta.users.insert(uid.clone(), p);
    if w.okta.search_lag > chrono::TimeDelta::zero() {
        let until = now + w.okta.search_lag;
        w.okta.stale.entry(uid.clone()).or_default().push((until, None));
    }
    w.touch("okta", "users", &uid);
    ctx.caller.by.note(w, "user.lifecycle.create", vec![party.clone()]);
    if active {
        ctx.caller.by.note(w, "user.lifecycle.activate", vec![party]);
    }
    for gid in groups {
        join(w, &ctx.caller.by, &gid, &uid, BTreeSet::new());
    }
    follow_apps(w, &ctx.caller.by, &uid);
    rules::rerun(w, &uid);
    Ok(Reply::json(200, &person::whole(ctx, w.okta.person(&uid)?)))
}

pub fn update(w: &mut World, ctx: &Ctx) -> Answer {
    write(w, ctx, false)
}

pub fn replace(w: &mut World, ctx: &Ctx) -> Answer {
    write(w, ctx, true)
}

fn write(w: &mut World, ctx: &Ctx, erase: bool) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    auth::may_change(&w.okta, &ctx.caller, &uid)?;
    let p = w.okta.person(&uid)?;
    if ctx.call.header("if-match").is_some_and(|tag| tag != person::etag(p)) {
        return Err(refuse("E0000231"));
    }
    if p.ended() {
        return Err(refuse("E0000038"));
    }
    let body = ctx.body()?;
    let sent = match sent_profile(&body) {
        Ok(sent) => sent,
        Err(_) if !erase && body.get("credentials").is_some() => Map::new(),
        Err(e) => return Err(e),
    };
    check_profile(&sent, "user")?;
    let mut profile = if erase { kept(p) } else { p.profile.clone() };
    for (k, v) in sent {
        if p.mastered && org::mastered(&k) && p.profile.get(&k).unwrap_or(&Value::Null) != &v {
            return Err(refuse("E0000023"));
        }
        if v.is_null() {
            profile.remove(&k);
        } else {
            profile.insert(k, v);
        }
    }
    check_required(&w.okta, &profile, Some(&uid))?;
    let secret = body.pointer("/credentials/password/value").is_some();
    let now = w.now;
    save(w, &ctx.caller.by, &uid, profile);
    if secret {
        change(w, &uid, |p| p.password_changed = Some(now));
    }
    rules::rerun(w, &uid);
    Ok(Reply::json(200, &person::whole(ctx, w.okta.person(&uid)?)))
}

/// What a `PUT` can't erase: HR's own attributes.
fn kept(p: &Person) -> Map<String, Value> {
    p.profile
        .iter()
        .filter(|(k, _)| p.mastered && org::mastered(k))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn save(w: &mut World, by: &By, uid: &str, profile: Map<String, Value>) {
    let now = w.now;
    change(w, uid, |p| {
        p.profile = profile;
        p.last_updated = now;
    });
    let party = w.okta.users.get(uid).map(user_party);
    by.note(w, "user.account.update_profile", party.into_iter().collect());
}
