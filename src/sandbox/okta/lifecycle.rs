//! Suspend, unsuspend, activate, deactivate and their kin: what each status allows, and with which words it is refused.

use chrono::TimeDelta;
use serde_json::json;

use super::deeds::{change, deprovision, follow_apps, schedule, user_party};
use super::error::{Refusal, invalid, missing, refuse};
use super::model::{Due, Person, Status};
use super::{Answer, Ctx, auth, letters, mix, person, rules};
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

pub fn handler(deed: &str) -> Option<fn(&mut World, &Ctx) -> Answer> {
    Some(match deed {
        "suspend" => suspend,
        "unsuspend" => unsuspend,
        "activate" => activate,
        "reactivate" => reactivate,
        "deactivate" => deactivate,
        "unlock" => unlock,
        "reset_factors" => reset_factors,
        _ => return None,
    })
}

fn done() -> Answer {
    Ok(Reply::json(200, &json!({})))
}

/// The person meant, if this caller may change them. To a lifecycle call someone deactivated doesn't exist.
fn subject(w: &World, ctx: &Ctx) -> Result<Person, Refusal> {
    let uid = person::resolve(&w.okta, ctx.part(3))?;
    auth::may_change(&w.okta, &ctx.caller, &uid)?;
    Ok(w.okta.person(&uid)?.clone())
}

fn live(w: &World, ctx: &Ctx) -> Result<Person, Refusal> {
    let p = subject(w, ctx)?;
    if p.status == Status::Deprovisioned {
        return Err(missing(&p.id, "User"));
    }
    Ok(p)
}

fn become_status(w: &mut World, ctx: &Ctx, p: &Person, to: Status, event: &'static str) {
    let now = w.now;
    change(w, &p.id, |p| {
        p.status = to;
        p.transition = None;
        p.status_changed = Some(now);
        p.last_updated = now;
        if p.activated.is_none() && matches!(to, Status::Provisioned | Status::Active) {
            p.activated = Some(now);
        }
    });
    ctx.caller.by.note(w, event, vec![user_party(p)]);
}

fn suspend(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    let may = matches!(
        p.status,
        Status::Active | Status::PasswordExpired | Status::Provisioned | Status::Recovery
    );
    if !may || p.transition.is_some() {
        return Err(invalid("suspendUser", "Cannot suspend a user that is not active"));
    }
    become_status(w, ctx, &p, Status::Suspended, "user.lifecycle.suspend");
    done()
}

fn unsuspend(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    if p.status != Status::Suspended {
        return Err(invalid(
            "unsuspendUser",
            "Cannot unsuspend a user that is not suspended",
        ));
    }
    become_status(w, ctx, &p, Status::Active, "user.lifecycle.unsuspend");
    done()
}

/// Accepted of every live status, STAGED too; behind it the status may take its time, and the apps more.
fn deactivate(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    end(w, ctx, &p);
    done()
}

fn end(w: &mut World, ctx: &Ctx, p: &Person) {
    if p.ended() {
        return;
    }
    let (now, delay) = (w.now, w.okta.deactivate_delay);
    ctx.caller.by.note(w, "user.lifecycle.deactivate", vec![user_party(p)]);
    if delay > TimeDelta::zero() {
        change(w, &p.id, |p| {
            p.transition = Some(Status::Deprovisioned);
            p.last_updated = now;
        });
        schedule(w, now + delay, Due::Deprovision(p.id.clone()));
    } else {
        deprovision(w, &p.id);
    }
}

fn activate(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    if !matches!(p.status, Status::Staged | Status::Deprovisioned) {
        return Err(refuse("E0000016"));
    }
    let to = if p.password_changed.is_some() && p.status == Status::Staged {
        Status::Active
    } else {
        Status::Provisioned
    };
    become_status(w, ctx, &p, to, "user.lifecycle.activate");
    follow_apps(w, &ctx.caller.by, &p.id);
    rules::rerun(w, &p.id);
    token(w, ctx)
}

fn reactivate(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    if !matches!(p.status, Status::Provisioned | Status::Recovery) {
        return Err(refuse("E0000038"));
    }
    ctx.caller.by.note(w, "user.lifecycle.reactivate", vec![user_party(&p)]);
    token(w, ctx)
}

/// The welcome mail goes to the person unless the caller says otherwise; only then is the token in the answer.
fn token(w: &mut World, ctx: &Ctx) -> Answer {
    if ctx.flag("sendEmail", true) {
        return done();
    }
    let n = w.okta.next_serial();
    let token = letters("", 20, mix(n ^ w.now.timestamp_micros() as u64));
    let url = ctx.url(&format!("/welcome/{token}"));
    Ok(Reply::json(
        200,
        &json!({"activationUrl": url, "activationToken": token}),
    ))
}

fn unlock(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    if p.status != Status::LockedOut {
        return Err(refuse("E0000032").because("The user is not locked out."));
    }
    become_status(w, ctx, &p, Status::Active, "user.account.unlock");
    done()
}

fn reset_factors(w: &mut World, ctx: &Ctx) -> Answer {
    let p = live(w, ctx)?;
    change(w, &p.id, |p| p.factors.clear());
    ctx.caller.by.note(w, "user.mfa.factor.reset_all", vec![user_party(&p)]);
    done()
}

/// `DELETE /users/{id}` deactivates the living and destroys the deactivated, with one and the same answer.
pub fn delete(w: &mut World, ctx: &Ctx) -> Answer {
    let p = subject(w, ctx)?;
    if p.status != Status::Deprovisioned {
        end(w, ctx, &p);
        return Ok(Reply::empty(204));
    }
    ctx.caller
        .by
        .note(w, "user.lifecycle.delete.initiated", vec![user_party(&p)]);
    forget(w, &p.id);
    ctx.caller
        .by
        .note(w, "user.lifecycle.delete.completed", vec![user_party(&p)]);
    Ok(Reply::empty(204))
}

/// Everything but the places in the rules' exclusion lists, which outlive the person.
pub fn forget(w: &mut World, uid: &str) {
    if let Some(p) = w.okta.users.remove(uid) {
        w.okta.logins.remove(&p.login().to_lowercase());
    }
    w.okta.stale.remove(uid);
    w.touch("okta", "users", uid);
    let held: Vec<String> = w
        .okta
        .apps
        .iter()
        .filter(|(_, a)| a.assigned.contains_key(uid))
        .map(|(id, _)| id.clone())
        .collect();
    for aid in held {
        if let Some(a) = w.okta.apps.get_mut(&aid) {
            a.assigned.remove(uid);
        }
        w.touch("okta", "apps", &aid);
    }
}

/// What an HR import would have left of such a change, for the System Log.
pub fn import_event(from: Status, to: Status) -> &'static str {
    match (from, to) {
        (_, Status::Suspended) => "user.lifecycle.suspend",
        (_, Status::Deprovisioned) => "user.lifecycle.deactivate",
        (Status::Suspended, _) => "user.lifecycle.unsuspend",
        (Status::Deprovisioned, _) => "user.lifecycle.reactivate",
        (Status::LockedOut, _) => "user.account.unlock",
        (_, Status::LockedOut) => "user.account.lock",
        _ => "user.lifecycle.activate",
    }
}
