//! Groups: find by prefix, by exact name, by type; make, rename, delete. Who owns one.

use serde_json::{Value, json};

use super::deeds::{change, follow_apps, group_party};
use super::error::{Refusal, about, invalid, refuse};
use super::model::{Group, Kind, Role, stamp};
use super::page::Page;
use super::search::{self, Field, Op};
use super::{Answer, Ctx, rules};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

pub fn show(ctx: &Ctx, g: &Group) -> Value {
    let own = ctx.url(&format!("/api/v1/groups/{}", g.id));
    let class = if g.kind == Kind::AppGroup {
        "okta:windows_security_principal"
    } else {
        "okta:user_group"
    };
    let logo = |size: &str| {
        json!({"name": size, "type": "image/png",
            "href": ctx.url(&format!("/assets/img/logos/groups/okta-{size}.png"))})
    };
    let mut v = json!({"id": g.id, "created": stamp(g.created), "lastUpdated": stamp(g.last_updated),
        "lastMembershipUpdated": stamp(g.last_membership_updated), "objectClass": [class], "type": g.kind.name(),
        "profile": {"name": g.name, "description": g.description},
        "_links": {"logo": [logo("medium"), logo("large")], "users": {"href": format!("{own}/users")}, "apps": {"href": format!("{own}/apps")}}});
    if g.kind == Kind::AppGroup {
        v["source"] = json!({"id": "0oa00000000DIRECTORY"});
    }
    v
}

pub fn get(w: &mut World, ctx: &Ctx) -> Answer {
    Ok(Reply::json(200, &show(ctx, w.okta.group(ctx.part(3))?)))
}

pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let okta = &w.okta;
    let filter = match ctx.call.param("filter") {
        None => None,
        Some(text) => Some(search::parse(text, false, &filterable).ok_or_else(|| about("E0000053", text))?),
    };
    let by_search = match ctx.call.param("search") {
        None => None,
        Some(text) => Some(search::parse(text, true, &searchable).ok_or_else(|| refuse("E0000031"))?),
    };
    // One made a moment ago isn't in the index yet.
    let indexed = |g: &Group| by_search.is_none() || g.created + okta.search_lag <= ctx.now();
    let q = ctx.call.param("q").map(str::to_lowercase);
    let wanted = |g: &Group| {
        indexed(g)
            && filter.as_ref().is_none_or(|x| x.holds(false, &|name| field(g, name)))
            && by_search.as_ref().is_none_or(|x| x.holds(true, &|name| field(g, name)))
            && q.as_ref().is_none_or(|q| g.name.to_lowercase().starts_with(q))
    };
    let render = |g: &Group| {
        let mut v = show(ctx, g);
        if ctx
            .call
            .param("expand")
            .is_some_and(|e| e.split(',').any(|e| e == "stats"))
        {
            v["_embedded"] = json!({"stats": stats(okta, g)});
        }
        v
    };
    if q.is_some() {
        let page = Page::of(ctx, 300, 300)?;
        let found: Vec<Value> = okta
            .groups
            .values()
            .filter(|g| wanted(g))
            .take(page.limit)
            .map(render)
            .collect();
        return Ok(Reply::json(200, &Value::Array(found)));
    }
    let page = Page::of(ctx, 10_000, 10_000)?;
    if ctx.call.param("sortBy") == Some("profile.name") && by_search.is_some() {
        let down = ctx
            .call
            .param("sortOrder")
            .is_some_and(|o| o.eq_ignore_ascii_case("desc"));
        let mut rows: Vec<&Group> = okta.groups.values().filter(|g| wanted(g)).collect();
        rows.sort_by(|a, b| if down { b.name.cmp(&a.name) } else { a.name.cmp(&b.name) });
        let start = page.after.as_ref().map_or(0, |id| {
            rows.iter().position(|g| g.id == *id).map_or(rows.len(), |at| at + 1)
        });
        let part: Vec<&Group> = rows.iter().skip(start).take(page.limit).copied().collect();
        let next = part
            .last()
            .filter(|_| start + part.len() < rows.len())
            .map(|g| g.id.clone());
        return page.answer(ctx, part.into_iter().map(render).collect(), next);
    }
    let rows = okta
        .groups
        .iter()
        .filter(|(_, g)| wanted(g))
        .map(|(id, g)| (id.as_str(), render(g)));
    let (part, next) = page.take(rows);
    page.answer(ctx, part, next)
}

fn stats(okta: &super::Okta, g: &Group) -> Value {
    let members = if g.id == okta.everyone {
        okta.users.len()
    } else {
        okta.users.values().filter(|p| p.groups.contains_key(&g.id)).count()
    };
    let apps = okta.apps.values().filter(|a| a.groups.contains(&g.id)).count();
    json!({"usersCount": members, "appsCount": apps, "groupPushMappingsCount": 0, "hasAdminPrivlege": !g.roles.is_empty()})
}

fn field<'a>(g: &'a Group, name: &str) -> Field<'a> {
    match name {
        "id" => Field::text(&g.id),
        "type" => Field::text(g.kind.name()),
        "created" => Field::owned(stamp(g.created)),
        "lastUpdated" => Field::owned(stamp(g.last_updated)),
        "lastMembershipUpdated" => Field::owned(stamp(g.last_membership_updated)),
        "profile.name" => Field::text(&g.name),
        "profile.description" => g.description.as_deref().map_or(Field::None, Field::text),
        _ => Field::None,
    }
}

fn filterable(name: &str, op: Op) -> bool {
    match name {
        "id" | "type" => op == Op::Eq,
        "lastUpdated" | "lastMembershipUpdated" => matches!(op, Op::Eq | Op::Gt | Op::Ge | Op::Lt | Op::Le),
        _ => false,
    }
}

fn searchable(name: &str, op: Op) -> bool {
    let known = matches!(
        name,
        "id" | "type" | "created" | "lastUpdated" | "lastMembershipUpdated" | "profile.name" | "profile.description"
    );
    known && !matches!(op, Op::Ne | Op::Ew)
}

/// The name and description that were sent.
fn sent(ctx: &Ctx) -> Result<(String, Option<String>), Refusal> {
    let body = ctx.body()?;
    let profile = body["profile"].as_object().ok_or_else(|| refuse("E0000003"))?;
    let name = profile.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(invalid("name", "name: The field cannot be left blank"));
    }
    let description = profile.get("description").and_then(Value::as_str).map(str::to_owned);
    Ok((name.to_owned(), description))
}

fn taken(w: &World, name: &str, own: &str) -> Result<(), Refusal> {
    let another = |g: &Group| g.id != own && g.kind != Kind::AppGroup && g.name.eq_ignore_ascii_case(name);
    if w.okta.groups.values().any(another) {
        return Err(invalid(
            "name",
            "name: An object with this field already exists in the current organization",
        ));
    }
    Ok(())
}

pub fn create(w: &mut World, ctx: &Ctx) -> Answer {
    let (name, description) = sent(ctx)?;
    taken(w, &name, "")?;
    let now = w.now;
    let id = w.okta.fresh("00g", now);
    let g = Group {
        id: id.clone(),
        name,
        description,
        kind: Kind::OktaGroup,
        roles: Vec::new(),
        owners: Vec::new(),
        created: now,
        last_updated: now,
        last_membership_updated: now,
    };
    ctx.caller.by.note(w, "group.lifecycle.create", vec![group_party(&g)]);
    let body = show(ctx, &g);
    w.okta.groups.insert(id.clone(), g);
    w.touch("okta", "groups", &id);
    Ok(Reply::json(200, &body))
}

/// The group, if this caller may change it: Everyone nobody, an app's own only the app, one with an admin role a super admin.
pub fn ours(w: &World, ctx: &Ctx, gid: &str) -> Result<Group, Refusal> {
    let g = w.okta.group(gid)?;
    match g.kind {
        Kind::BuiltIn => return Err(refuse("E0000060")),
        Kind::AppGroup => return Err(refuse("E0000006")),
        Kind::OktaGroup => {}
    }
    if !g.roles.is_empty() && ctx.caller.role != Role::Super {
        return Err(refuse("E0000006"));
    }
    Ok(g.clone())
}

pub fn replace(w: &mut World, ctx: &Ctx) -> Answer {
    let g = ours(w, ctx, ctx.part(3))?;
    let (name, description) = sent(ctx)?;
    taken(w, &name, &g.id)?;
    let now = w.now;
    if let Some(g) = w.okta.groups.get_mut(&g.id) {
        g.name = name;
        g.description = description;
        g.last_updated = now;
    }
    w.touch("okta", "groups", &g.id);
    ctx.caller.by.note(w, "group.profile.update", vec![group_party(&g)]);
    Ok(Reply::json(200, &show(ctx, w.okta.group(&g.id)?)))
}

/// Memberships and app assignments go with it; rules that name it become INVALID.
pub fn delete(w: &mut World, ctx: &Ctx) -> Answer {
    let g = ours(w, ctx, ctx.part(3))?;
    ctx.caller.by.note(w, "group.lifecycle.delete", vec![group_party(&g)]);
    let members: Vec<String> = w
        .okta
        .users
        .values()
        .filter(|p| p.groups.contains_key(&g.id))
        .map(|p| p.id.clone())
        .collect();
    w.okta.groups.remove(&g.id);
    w.touch("okta", "groups", &g.id);
    let granting: Vec<String> = w
        .okta
        .apps
        .values()
        .filter(|a| a.groups.contains(&g.id))
        .map(|a| a.id.clone())
        .collect();
    for aid in &granting {
        if let Some(a) = w.okta.apps.get_mut(aid) {
            a.groups.retain(|x| *x != g.id);
        }
        w.touch("okta", "apps", aid);
    }
    for uid in members {
        change(w, &uid, |p| drop(p.groups.remove(&g.id)));
        follow_apps(w, &ctx.caller.by, &uid);
    }
    rules::invalidate(w, &g);
    Ok(Reply::empty(204))
}

pub fn owners(w: &mut World, ctx: &Ctx) -> Answer {
    let g = w.okta.group(ctx.part(3))?;
    let page = Page::of(ctx, 1000, 1000)?;
    let rows: Vec<Value> = g
        .owners
        .iter()
        .map(|id| {
            let (kind, name) = match (w.okta.users.get(id), w.okta.groups.get(id)) {
                (Some(p), _) => ("USER", p.display()),
                (None, Some(g)) => ("GROUP", g.name.clone()),
                (None, None) => ("UNKNOWN", String::new()),
            };
            json!({"id": id, "type": kind, "displayName": name, "originType": "OKTA_DIRECTORY", "originId": null, "resolved": kind != "UNKNOWN",
                "lastUpdated": stamp(g.last_updated)})
        })
        .collect();
    page.answer(ctx, rows, None)
}
