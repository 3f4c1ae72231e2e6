//! What no read can show, and the ledger remembers: when sessions were ended, since when something is owed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Effect, Observation, Status, System, Verb, system::OKTA};

/// Must what no read can show be done (again)? While they can sign in, always. Once shut, only if the ledger does not show it done
/// for this shutting: afterwards, or shortly before our own deactivation, which never comes first.
pub(super) fn lasts(seen: &Observation, system: &System, verb: Verb) -> bool {
    let done = |s: &System, v| seen.done.get(&(s.clone(), v)).copied();
    let person = &seen.person;
    if !matches!(person.status, Status::Suspended | Status::Deprovisioned) {
        return true;
    }
    let (Some(then), Some(changed)) = (done(system, verb), person.status_changed) else {
        return true;
    };
    let day = TimeDelta::days(1);
    // Two clocks may differ by a minute (SAFETY §4).
    let ours = |at: DateTime<Utc>| changed <= at + TimeDelta::minutes(1);
    let suspended = done(&OKTA, Verb::Suspend);
    let after_ours = [suspended, done(&OKTA, Verb::Deactivate)]
        .into_iter()
        .flatten()
        .any(|at| ours(at) && then + day >= at)
        && suspended.is_none_or(|s| then >= s);
    let elsewhere = *system != OKTA && then + day >= changed;
    !(then >= changed || after_ours || elsewhere)
}

/// Since when it is owed: a deadline must not start anew at each look.
pub(super) fn since(seen: &Observation, effect: &Effect, now: DateTime<Utc>) -> DateTime<Utc> {
    let same = |e: &Effect| {
        // A transfer gets its id only when it runs.
        let moving = |e: &Effect| e.action.verb() == Verb::FinishTransfer;
        e.system == effect.system && (e.action == effect.action || (moving(e) && moving(effect)))
    };
    seen.owed
        .iter()
        .filter(|(e, _)| same(e))
        .map(|(_, at)| *at)
        .min()
        .unwrap_or(now)
}
