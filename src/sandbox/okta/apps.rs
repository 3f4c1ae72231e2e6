//! Apps: who has one, directly or by a group, and how an assignment ends.

use serde_json::{Value, json};

use super::deeds::{app_party, follow_apps, group_party, unassign};
use super::error::{Refusal, about, invalid, missing};
use super::model::{App, Assignment, Person, Status, stamp};
use super::page::Page;
use super::search::{self, Op};
use super::{Answer, Ctx, Okta, auth, person};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

pub fn show(ctx: &Ctx, a: &App) -> Value {
    let own = ctx.url(&format!("/api/v1/apps/{}", a.id));
    let turn = if a.active { "deactivate" } else { "activate" };
    json!({"id": a.id, "name": a.name, "label": a.label, "status": if a.active { "ACTIVE" } else { "INACTIVE" },
        "created": stamp(a.created), "lastUpdated": stamp(a.last_updated), "features": a.features, "signOnMode": "SAML_2_0",
        "accessibility": {"selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null},
        "visibility": {"autoSubmitToolbar": false, "hide": {"iOS": false, "web": false}, "appLinks": {"login": true}},
        "credentials": {"userNameTemplate": {"template": "${source.login}", "type": "BUILT_IN"}, "signing": {}},
        "settings": {"app": {}, "notifications": {"vpn": {"network": {"connection": "DISABLED"}, "message": null, "helpUrl": null}}},
        "_links": {"self": {"href": own}, "users": {"href": format!("{own}/users")}, "groups": {"href": format!("{own}/groups")},
            "appLinks": [{"name": "login", "href": ctx.url(&format!("/home/{}/{}/1", a.name, a.id)), "type": "text/html"}],
            turn: {"href": format!("{own}/lifecycle/{turn}")}}})
}

/// The assignment, with the group that grants it where one does.
fn show_user(ctx: &Ctx, okta: &Okta, app: &App, p: &Person, a: &Assignment) -> Value {
    let pushed = app.does("PUSH_NEW_USERS");
    let status = match (pushed, app.active) {
        (true, true) => "PROVISIONED",
        (true, false) | (false, false) => "STAGED",
        (false, true) => "ACTIVE",
    };
    let mut v = json!({"id": p.id, "externalId": a.external_id, "created": stamp(a.since), "lastUpdated": stamp(a.since),
        "scope": if a.group.is_some() { "GROUP" } else { "USER" }, "status": status, "statusChanged": stamp(a.since),
        "passwordChanged": null, "syncState": if pushed { "SYNCHRONIZED" } else { "DISABLED" },
        "credentials": {"userName": a.user_name}, "profile": {},
        "_links": {"app": {"href": ctx.url(&format!("/api/v1/apps/{}", app.id))}, "user": {"href": ctx.url(&format!("/api/v1/users/{}", p.id))}}});
    if let Some(g) = a.group.as_ref().and_then(|g| okta.groups.get(g)) {
        v["_links"]["group"] = json!({"name": g.name, "href": ctx.url(&format!("/api/v1/groups/{}", g.id))});
    }
    v
}

fn found<'a>(okta: &'a Okta, id: &str) -> Result<&'a App, Refusal> {
    okta.apps.get(id).ok_or_else(|| missing(id, "AppInstance"))
}

pub fn get(w: &mut World, ctx: &Ctx) -> Answer {
    Ok(Reply::json(200, &show(ctx, found(&w.okta, ctx.part(3))?)))
}

pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let okta = &w.okta;
    let page = Page::of(ctx, 20, 200)?;
    let filter = match ctx.call.param("filter") {
        None => None,
        Some(text) => {
            let allowed =
                |name: &str, op: Op| op == Op::Eq && matches!(name, "status" | "name" | "user.id" | "group.id" | "id");
            Some(search::parse(text, false, &allowed).ok_or_else(|| about("E0000053", text))?)
        }
    };
    let embedded = match ctx.call.param("expand") {
        None => None,
        Some(e) => match e.strip_prefix("user/") {
            Some(uid) if !uid.is_empty() => Some(uid.to_owned()),
            _ => return Err(invalid("expand", "Expand query is malformed.")),
        },
    };
    let q = ctx.call.param("q").map(str::to_lowercase);
    let wanted = |a: &App| {
        let get = |name: &str| match name {
            "id" => search::Field::text(&a.id),
            "name" => search::Field::text(&a.name),
            "status" => search::Field::text(if a.active { "ACTIVE" } else { "INACTIVE" }),
            "user.id" => search::Field::Many(a.assigned.keys().map(|k| k.as_str().into()).collect()),
            "group.id" => search::Field::Many(a.groups.iter().map(|k| k.as_str().into()).collect()),
            _ => search::Field::None,
        };
        filter.as_ref().is_none_or(|x| x.holds(false, &get))
            && q.as_ref()
                .is_none_or(|q| a.label.to_lowercase().starts_with(q) || a.name.to_lowercase().starts_with(q))
    };
    let render = |a: &App| {
        let mut v = show(ctx, a);
        if let Some(uid) = &embedded
            && let (Some(p), Some(x)) = (okta.users.get(uid), a.assigned.get(uid))
        {
            v["_embedded"] = json!({"user": show_user(ctx, okta, a, p, x)});
        }
        v
    };
    let (part, next) = page.take(
        okta.apps
            .iter()
            .filter(|(_, a)| wanted(a))
            .map(|(id, a)| (id.as_str(), render(a))),
    );
    page.answer(ctx, part, next)
}

/// The dashboard: active apps alone, and nothing once deactivated.
pub fn links(w: &mut World, ctx: &Ctx) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    let p = w.okta.person(&uid)?;
    let shown = w
        .okta
        .apps
        .values()
        .filter(|a| a.active && p.status != Status::Deprovisioned && a.assigned.contains_key(&uid));
    let rows: Vec<Value> = shown
        .enumerate()
        .map(|(n, a)| {
            json!({"id": p.id, "label": a.label, "linkUrl": ctx.url(&format!("/home/{}/{}/1", a.name, a.id)),
                "logoUrl": ctx.url(&format!("/img/logos/{}.png", a.name)), "appName": a.name, "appInstanceId": a.id,
                "appAssignmentId": format!("0ua{}", &p.id[3..]), "credentialsSetup": false, "hidden": false, "sortOrder": n})
        })
        .collect();
    Ok(Reply::json(200, &Value::Array(rows)))
}

pub fn of_group(w: &mut World, ctx: &Ctx) -> Answer {
    let gid = w.okta.group(ctx.part(3))?.id.clone();
    let page = Page::of(ctx, 20, 200)?;
    let (part, next) = page.take(
        w.okta
            .apps
            .iter()
            .filter(|(_, a)| a.groups.contains(&gid))
            .map(|(id, a)| (id.as_str(), show(ctx, a))),
    );
    page.answer(ctx, part, next)
}

pub fn users(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?;
    let page = Page::of(ctx, 50, 500)?;
    let q = ctx.call.param("q").map(str::to_lowercase);
    let rows = a.assigned.iter().filter_map(|(uid, x)| {
        let p = w.okta.users.get(uid)?;
        let fits = q.as_ref().is_none_or(|q| {
            x.user_name.to_lowercase().starts_with(q)
                || ["firstName", "lastName", "email"]
                    .iter()
                    .any(|n| p.text(n).to_lowercase().starts_with(q))
        });
        fits.then(|| (uid.as_str(), show_user(ctx, &w.okta, a, p, x)))
    });
    let (part, next) = page.take(rows);
    page.answer(ctx, part, next)
}

pub fn user(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?;
    let p = w.okta.person(ctx.part(5))?;
    let x = a.assigned.get(&p.id).ok_or_else(|| missing(&p.id, "AppUser"))?;
    Ok(Reply::json(200, &show_user(ctx, &w.okta, a, p, x)))
}

/// Only a direct assignment ends so; while a group grants it, the group is the way.
pub fn unassign_user(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?;
    let p = w.okta.person(ctx.part(5))?;
    let x = a.assigned.get(&p.id).ok_or_else(|| missing(&p.id, "AppUser"))?;
    let granted = x.group.is_some() || a.groups.iter().any(|g| p.groups.contains_key(g));
    let (aid, uid) = (a.id.clone(), p.id.clone());
    if granted {
        return Err(invalid(
            "user",
            "This user is assigned to the app by a group and can't be unassigned individually.",
        ));
    }
    auth::may_change(&w.okta, &ctx.caller, &uid)?;
    unassign(w, &ctx.caller.by, &aid, &uid);
    Ok(Reply::empty(204))
}

fn show_group(ctx: &Ctx, a: &App, gid: &str, priority: usize) -> Value {
    let app = ctx.url(&format!("/api/v1/apps/{}", a.id));
    json!({"id": gid, "lastUpdated": stamp(a.last_updated), "priority": priority, "profile": {},
        "_links": {"app": {"href": app}, "self": {"href": format!("{app}/groups/{gid}")},
            "group": {"href": ctx.url(&format!("/api/v1/groups/{gid}"))}}})
}

pub fn groups(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?;
    let page = Page::of(ctx, 20, 200)?;
    let mut rows: Vec<(&str, Value)> = a
        .groups
        .iter()
        .enumerate()
        .map(|(n, g)| (g.as_str(), show_group(ctx, a, g, n)))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(b.0));
    let (part, next) = page.take(rows.into_iter());
    page.answer(ctx, part, next)
}

pub fn assign_group(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?.clone();
    let g = w.okta.group(ctx.part(5))?.clone();
    if !a.groups.contains(&g.id) {
        if let Some(a) = w.okta.apps.get_mut(&a.id) {
            a.groups.push(g.id.clone());
        }
        w.touch("okta", "apps", &a.id);
        ctx.caller.by.note(
            w,
            "group.application_assignment.add",
            vec![group_party(&g), app_party(&a)],
        );
        everyone_in(w, &g.id)
            .iter()
            .for_each(|uid| follow_apps(w, &ctx.caller.by, uid));
    }
    let a = found(&w.okta, &a.id)?;
    let at = a.groups.iter().position(|x| *x == g.id).unwrap_or_default();
    Ok(Reply::json(200, &show_group(ctx, a, &g.id, at)))
}

pub fn unassign_group(w: &mut World, ctx: &Ctx) -> Answer {
    let a = found(&w.okta, ctx.part(3))?.clone();
    let gid = ctx.part(5);
    if !a.groups.iter().any(|g| g == gid) {
        return Err(missing(gid, "ApplicationGroupAssignment"));
    }
    let g = w.okta.group(gid)?.clone();
    if let Some(a) = w.okta.apps.get_mut(&a.id) {
        a.groups.retain(|x| *x != g.id);
    }
    w.touch("okta", "apps", &a.id);
    ctx.caller.by.note(
        w,
        "group.application_assignment.remove",
        vec![group_party(&g), app_party(&a)],
    );
    everyone_in(w, &g.id)
        .iter()
        .for_each(|uid| follow_apps(w, &ctx.caller.by, uid));
    Ok(Reply::empty(204))
}

fn everyone_in(w: &World, gid: &str) -> Vec<String> {
    let all = gid == w.okta.everyone;
    w.okta
        .users
        .values()
        .filter(|p| all || p.groups.contains_key(gid))
        .map(|p| p.id.clone())
        .collect()
}
