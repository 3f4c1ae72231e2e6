//! Membership: who is in a group, and a person's groups. Adding and removing say 204 however often they are asked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::deeds::{By, group_party, join, leave, user_party};
use super::error::{Refusal, refuse};
use super::model::Status;
use super::page::Page;
use super::{Answer, Ctx, auth, groups, person};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

/// People whom a rule's exclusion list can hold.
const EXCLUDED: usize = 100;

pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let g = w.okta.group(ctx.part(3))?;
    let page = Page::of(ctx, 1000, 1000)?;
    let everyone = g.id == w.okta.everyone;
    let from = page.after.clone().unwrap_or_default();
    let rows = w
        .okta
        .users
        .range(from..)
        .filter(|(_, p)| everyone || p.groups.contains_key(&g.id))
        .map(|(id, p)| (id.as_str(), person::listed(ctx, p)));
    let (part, next) = page.take(rows);
    page.answer(ctx, part, next)
}

/// 200 a page, whatever is asked.
pub fn groups_of_user(w: &mut World, ctx: &Ctx) -> Answer {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    let page = Page::of(ctx, 200, 200)?;
    if uid == auth::ADMIN {
        return page.answer(ctx, Vec::new(), None);
    }
    let p = w.okta.person(&uid)?;
    let mut ids: BTreeSet<&str> = p.groups.keys().map(String::as_str).collect();
    ids.insert(&w.okta.everyone);
    let rows: Vec<(&str, Value)> = ids
        .iter()
        .filter_map(|id| w.okta.groups.get(*id))
        .map(|g| (g.id.as_str(), groups::show(ctx, g)))
        .collect();
    let (part, next) = page.take(rows.into_iter());
    page.answer(ctx, part, next)
}

fn ids(ctx: &Ctx) -> (String, String) {
    (ctx.part(3).to_owned(), ctx.part(5).to_owned())
}

/// Someone deactivated can be taken out of groups, not put into one.
pub fn add(w: &mut World, ctx: &Ctx) -> Answer {
    let (gid, uid) = ids(ctx);
    groups::ours(w, ctx, &gid)?;
    auth::may_change(&w.okta, &ctx.caller, &uid)?;
    if w.okta.person(&uid)?.status == Status::Deprovisioned {
        return Err(refuse("E0000038"));
    }
    join(w, &ctx.caller.by, &gid, &uid, BTreeSet::new());
    Ok(Reply::empty(204))
}

pub fn remove(w: &mut World, ctx: &Ctx) -> Answer {
    let (gid, uid) = ids(ctx);
    groups::ours(w, ctx, &gid)?;
    auth::may_change(&w.okta, &ctx.caller, &uid)?;
    exclude(w, &gid, &uid)?;
    leave(w, &ctx.caller.by, &gid, &uid);
    Ok(Reply::empty(204))
}

/// A member whom a rule put there is named in that rule's exclusion list, lest it put them back; a full list refuses.
fn exclude(w: &mut World, gid: &str, uid: &str) -> Result<(), Refusal> {
    let p = w.okta.person(uid)?;
    let runs = |rid: &&String| w.okta.rules.get(*rid).is_some_and(|r| r.status == "ACTIVE");
    let fillers: Vec<String> = p.groups.get(gid).into_iter().flatten().filter(runs).cloned().collect();
    let full = |rid: &String| {
        w.okta
            .rules
            .get(rid)
            .is_some_and(|r| r.exclude_users.len() >= EXCLUDED && !r.exclude_users.iter().any(|u| u == uid))
    };
    if fillers.iter().any(full) {
        return Err(refuse("E0000093").because("The rule's list of excluded users is full."));
    }
    let targets: Vec<_> = w
        .okta
        .users
        .get(uid)
        .map(user_party)
        .into_iter()
        .chain(w.okta.groups.get(gid).map(group_party))
        .collect();
    for rid in fillers {
        let Some(r) = w.okta.rules.get_mut(&rid) else { continue };
        if !r.exclude_users.iter().any(|u| u == uid) {
            r.exclude_users.push(uid.to_owned());
            r.people = true;
            let mut targets = targets.clone();
            targets.push(super::rules::party(r));
            w.touch("okta", "rules", &rid);
            By::system().note(w, "group.user_membership.rule.add_exclusion", targets);
        }
    }
    Ok(())
}
