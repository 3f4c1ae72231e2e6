//! Group rules: run when a profile is made or changed (and when memberships move, where an expression asks about them), never on a
//! deactivation. What a rule put into a group it also takes out again; what a hand put there stays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::deeds::{By, group_party, join, leave, schedule};
use super::error::{Refusal, invalid, missing, refuse};
use super::log::Party;
use super::model::{Due, Group, Kind, Rule, Status, stamp};
use super::page::Page;
use super::{Answer, Ctx, Okta, expression};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

pub fn party(r: &Rule) -> Party {
    Party::new(&r.id, "GroupRule", "unknown", r.name.clone())
}

pub fn show(ctx: &Ctx, okta: &Okta, r: &Rule) -> Value {
    let valid = r.groups.iter().all(|g| okta.groups.contains_key(g));
    let mut v = json!({"type": "group_rule", "id": r.id, "status": r.status, "name": r.name, "created": stamp(r.created),
        "lastUpdated": stamp(r.last_updated),
        "conditions": {"expression": {"value": r.expression, "type": "urn:okta:expression:1.0"}},
        "actions": {"assignUserToGroups": {"groupIds": r.groups}}, "allGroupsValid": valid});
    if r.people {
        v["conditions"]["people"] =
            json!({"users": {"exclude": r.exclude_users}, "groups": {"exclude": r.exclude_groups}});
    }
    if ctx.call.param("expand") == Some("groupIdToGroupNameMap") {
        let names: BTreeMap<&str, &str> = r
            .groups
            .iter()
            .filter_map(|g| okta.groups.get(g))
            .map(|g| (g.id.as_str(), g.name.as_str()))
            .collect();
        v["_embedded"] = json!({"groupIdToGroupNameMap": names});
    }
    v
}

fn found<'a>(okta: &'a Okta, ctx: &Ctx) -> Result<&'a Rule, Refusal> {
    let id = ctx.part(4);
    okta.rules.get(id).ok_or_else(|| missing(id, "GroupRule"))
}

pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let page = Page::of(ctx, 50, 200)?;
    let word = ctx.call.param("search").map(str::to_lowercase);
    let wanted = |r: &Rule| {
        word.as_ref().is_none_or(|word| {
            r.name.to_lowercase().contains(word)
                || r.expression.to_lowercase().contains(word)
                || r.groups.iter().any(|g| g.to_lowercase() == *word)
        })
    };
    let rows = w
        .okta
        .rules
        .iter()
        .filter(|(_, r)| wanted(r))
        .map(|(id, r)| (id.as_str(), show(ctx, &w.okta, r)));
    let (part, next) = page.take(rows);
    page.answer(ctx, part, next)
}

pub fn get(w: &mut World, ctx: &Ctx) -> Answer {
    Ok(Reply::json(200, &show(ctx, &w.okta, found(&w.okta, ctx)?)))
}

/// One writes rules at a time: whoever comes while the last write is still being reconciled is told to come again.
fn alone(w: &mut World) -> Result<(), Refusal> {
    if w.okta.reconciling.is_some_and(|until| w.now < until) {
        return Err(refuse("E0000239"));
    }
    Ok(())
}

fn reconcile(w: &mut World) {
    w.okta.reconciling = Some(w.now + TimeDelta::milliseconds(20));
}

/// What a body says of a rule, held against the org.
fn sent(w: &World, ctx: &Ctx, own: Option<&Rule>) -> Result<Rule, Refusal> {
    let body = ctx.body()?;
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |at: &str| -> Vec<String> {
        body.pointer(at)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let name = text("/name");
    if name.is_empty() || name.chars().count() > 50 {
        return Err(invalid("name", "name: The field must have 1 to 50 characters"));
    }
    let twin = |r: &Rule| r.name == name && own.is_none_or(|o| o.id != r.id);
    if w.okta.rules.values().any(twin) {
        return Err(invalid("name", "name: Duplicate group rule name"));
    }
    let expression = text("/conditions/expression/value");
    if expression::parse(&expression).is_none() {
        return Err(invalid(
            "conditions.expression.value",
            format!("Invalid expression: {expression}"),
        ));
    }
    let groups = list("/actions/assignUserToGroups/groupIds");
    if own.is_some_and(|o| o.groups != groups) {
        return Err(invalid("actions", "actions: The actions of a rule can't be changed"));
    }
    let fit = |g: &String| w.okta.groups.get(g).is_some_and(|g| g.kind == Kind::OktaGroup);
    if groups.is_empty() || !groups.iter().all(fit) {
        return Err(invalid("groupIds", "groupIds: Invalid group"));
    }
    let exclude_users = list("/conditions/people/users/exclude");
    // Ids of people who were deleted since are no longer taken.
    if let Some(gone) = exclude_users.iter().find(|u| !w.okta.users.contains_key(*u)) {
        return Err(invalid("exclude", format!("exclude: Invalid user {gone}")));
    }
    if exclude_users.len() > 100 {
        return Err(refuse("E0000093"));
    }
    Ok(Rule {
        id: own.map(|o| o.id.clone()).unwrap_or_default(),
        name,
        status: "INACTIVE".into(),
        expression,
        groups,
        exclude_users,
        exclude_groups: list("/conditions/people/groups/exclude"),
        people: body.pointer("/conditions/people").is_some(),
        created: own.map_or(w.now, |o| o.created),
        last_updated: w.now,
    })
}

fn keep(w: &mut World, ctx: &Ctx, r: Rule, event: &'static str) -> Answer {
    let id = r.id.clone();
    ctx.caller.by.note(w, event, vec![party(&r)]);
    w.okta.rules.insert(id.clone(), r);
    w.touch("okta", "rules", &id);
    reconcile(w);
    Ok(Reply::json(200, &show(ctx, &w.okta, &w.okta.rules[&id])))
}

pub fn create(w: &mut World, ctx: &Ctx) -> Answer {
    alone(w)?;
    let mut r = sent(w, ctx, None)?;
    let now = w.now;
    r.id = w.okta.fresh("0pr", now);
    keep(w, ctx, r, "group.rule.create")
}

/// Only while it rests, and never what it does.
pub fn replace(w: &mut World, ctx: &Ctx) -> Answer {
    alone(w)?;
    let own = found(&w.okta, ctx)?.clone();
    if own.status == "ACTIVE" {
        return Err(invalid("status", "The rule must be inactive to be changed"));
    }
    let r = sent(w, ctx, Some(&own))?;
    keep(w, ctx, r, "group.rule.update")
}

pub fn delete(w: &mut World, ctx: &Ctx) -> Answer {
    alone(w)?;
    let r = found(&w.okta, ctx)?.clone();
    w.okta.rules.remove(&r.id);
    w.touch("okta", "rules", &r.id);
    reconcile(w);
    ctx.caller.by.note(w, "group.rule.delete", vec![party(&r)]);
    let empty = ctx.flag("removeUsers", false);
    release(w, &r, empty);
    Ok(Reply::json(202, &json!({})))
}

/// The members that a rule filled are its no more: they leave, or stay as if by hand.
fn release(w: &mut World, r: &Rule, out: bool) {
    for gid in &r.groups {
        let filled: Vec<String> = w
            .okta
            .users
            .values()
            .filter(|p| p.groups.get(gid).is_some_and(|f| f.contains(&r.id)))
            .map(|p| p.id.clone())
            .collect();
        for uid in filled {
            let alone = w
                .okta
                .users
                .get_mut(&uid)
                .and_then(|p| p.groups.get_mut(gid))
                .is_some_and(|f| {
                    f.remove(&r.id);
                    f.is_empty()
                });
            w.touch("okta", "users", &uid);
            if out && alone {
                leave(w, &By::system(), gid, &uid);
            }
        }
    }
}

fn set(w: &mut World, id: &str, status: &str) {
    let now = w.now;
    if let Some(r) = w.okta.rules.get_mut(id) {
        r.status = status.into();
        r.last_updated = now;
    }
    w.touch("okta", "rules", id);
}

pub fn activate(w: &mut World, ctx: &Ctx) -> Answer {
    alone(w)?;
    let r = found(&w.okta, ctx)?.clone();
    if !r.groups.iter().all(|g| w.okta.groups.contains_key(g)) {
        return Err(invalid("groupIds", "groupIds: Invalid group"));
    }
    if r.status != "ACTIVE" {
        set(w, &r.id, "ACTIVE");
        ctx.caller.by.note(w, "group.rule.activate", vec![party(&r)]);
        let at = w.now + w.okta.rule_delay;
        schedule(w, at, Due::Rule(r.id.clone()));
        reconcile(w);
    }
    Ok(Reply::empty(204))
}

pub fn deactivate(w: &mut World, ctx: &Ctx) -> Answer {
    alone(w)?;
    let r = found(&w.okta, ctx)?.clone();
    if r.status == "ACTIVE" {
        set(w, &r.id, "INACTIVE");
        ctx.caller
            .by
            .note(w, "group.user_membership.rule.deactivated", vec![party(&r)]);
        reconcile(w);
    }
    Ok(Reply::empty(204))
}

/// A group is gone: rules that fill it no longer can.
pub fn invalidate(w: &mut World, g: &Group) {
    let named: Vec<Rule> = w
        .okta
        .rules
        .values()
        .filter(|r| r.groups.contains(&g.id))
        .cloned()
        .collect();
    for r in named {
        set(w, &r.id, "INVALID");
        By::system().note(
            w,
            "group.user_membership.rule.invalidate",
            vec![party(&r), group_party(g)],
        );
    }
}

/// Does any rule that runs ask about memberships?
pub fn any_by_group(w: &World) -> bool {
    w.okta
        .rules
        .values()
        .any(|r| r.status == "ACTIVE" && expression::parse(&r.expression).is_some_and(|e| e.by_group()))
}

/// Has the rules run for a person, after the org's delay.
pub fn rerun(w: &mut World, uid: &str) {
    if w.okta.rules.values().all(|r| r.status != "ACTIVE") {
        return;
    }
    if w.okta.rule_delay > TimeDelta::zero() {
        let at = w.now + w.okta.rule_delay;
        schedule(w, at, Due::Rules(uid.into()));
    } else {
        run(w, uid);
    }
}

/// Which groups the active rules fill for a person, and which of the rules.
pub fn fills(okta: &Okta, uid: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Some(p) = okta.users.get(uid) else { return out };
    for r in okta.rules.values().filter(|r| r.status == "ACTIVE") {
        let excluded =
            r.exclude_users.iter().any(|u| u == uid) || r.exclude_groups.iter().any(|g| p.groups.contains_key(g));
        if !excluded && expression::parse(&r.expression).is_some_and(|e| e.holds(okta, p)) {
            for g in r.groups.iter().filter(|g| okta.groups.contains_key(*g)) {
                out.entry(g.clone()).or_default().insert(r.id.clone());
            }
        }
    }
    out
}

/// Rules that chain through groups end here, lest two of them chase each other.
const LONGEST: u32 = 8;

pub fn run(w: &mut World, uid: &str) {
    let Some(p) = w.okta.users.get(uid) else { return };
    if p.status == Status::Deprovisioned {
        return;
    }
    let wanted = fills(&w.okta, uid);
    let active = |rules: &BTreeSet<String>| {
        rules
            .iter()
            .any(|r| w.okta.rules.get(r).is_some_and(|r| r.status == "ACTIVE"))
    };
    let lost: Vec<String> = p
        .groups
        .iter()
        .filter(|(gid, by)| !by.is_empty() && active(by) && !wanted.contains_key(*gid))
        .map(|(gid, _)| gid.clone())
        .collect();
    if w.okta.chained >= LONGEST {
        return;
    }
    w.okta.chained += 1;
    let system = By::system();
    for gid in lost {
        leave(w, &system, &gid, uid);
    }
    for (gid, by) in wanted {
        join(w, &system, &gid, uid, by);
    }
    w.okta.chained -= 1;
}

/// A rule was activated: everyone is looked at once.
pub fn run_everyone(w: &mut World, rid: &str) {
    if w.okta.rules.get(rid).is_none_or(|r| r.status != "ACTIVE") {
        return;
    }
    let everyone: Vec<String> = w.okta.users.keys().cloned().collect();
    for uid in everyone {
        run(w, &uid);
    }
}
