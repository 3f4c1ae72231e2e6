//! What becomes of the model when a plan's steps do what they say.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{
    model::{system::OKTA, *},
    planner::leaver::startable,
};

pub fn state_of(status: Status) -> State {
    match status {
        Status::Staged => State::Pending,
        Status::Provisioned | Status::Active | Status::Recovery | Status::PasswordExpired | Status::LockedOut => {
            State::Active
        }
        Status::Suspended => State::Suspended,
        Status::Deprovisioned => State::Closed,
    }
}

/// The world as it is once every step that can start has done what it says.
pub fn apply(plan: &Plan, seen: &mut Observation, now: DateTime<Utc>) {
    for effect in startable(plan) {
        seen.owed.retain(|(owed, _)| owed != effect);
        let verb = effect.action.verb();
        seen.done.insert((effect.system.clone(), verb), now);
        if effect.system == OKTA {
            let status = [
                (Action::Suspend, Status::Suspended),
                (Action::Deactivate, Status::Deprovisioned),
                (Action::Activate, Status::Active),
                (Action::Unsuspend, Status::Active),
            ]
            .into_iter()
            .find_map(|(action, status)| (action == effect.action).then_some(status));
            if let Some(status) = status {
                seen.person.status = status;
                seen.person.status_changed = Some(now);
                seen.person.offers = BTreeSet::new();
            }
        }
        if let (Action::Invite { address }, Some(there)) = (&effect.action, seen.systems.get_mut(&effect.system)) {
            let account = Account::new("invited", address, State::Pending, "pending");
            there.account = Observed::Present(account);
        }
        let Some(Observed::Present(account)) = seen.systems.get_mut(&effect.system).map(|s| &mut s.account) else {
            continue;
        };
        let mut part = |kind: Holding, change: &dyn Fn(&mut BTreeSet<Held>)| {
            if let Some(Observed::Present(set)) = account.holds.get_mut(&kind) {
                change(set);
            }
        };
        match &effect.action {
            Action::Suspend | Action::Freeze => account.state = account.state.max(State::Suspended),
            Action::Deactivate => account.state = State::Closed,
            Action::Activate | Action::Unsuspend => account.state = State::Active,
            Action::RevokeGrants => part(Holding::Grant, &BTreeSet::clear),
            Action::ClearSessions => part(Holding::Session, &BTreeSet::clear),
            Action::ResetPassword { .. } => account.password_set = Some(now.to_rfc3339()),
            Action::StartTransfer { to } => part(Holding::Transfer, &|set| {
                let started = Held::new(Holding::Transfer, "t1", "files").with("to", to.clone());
                set.insert(started.with("status", "inProgress"));
            }),
            other => match other.held() {
                Some(held) if other.gives() => {
                    seen.given.insert((effect.system.clone(), held.id.clone()));
                    part(held.kind, &|set| {
                        set.insert(held.clone());
                    });
                }
                Some(held) => part(held.kind, &|set| set.retain(|h| h.id != held.id)),
                None => {}
            },
        }
    }
    // What the plan expects of others happens too.
    for expect in plan.expects.iter().filter(|e| !e.assigned) {
        if let Some(Observed::Present(account)) = seen.systems.get_mut(&OKTA).map(|s| &mut s.account)
            && let Some(Observed::Present(set)) = account.holds.get_mut(&expect.app.kind)
        {
            set.retain(|h| h.id != expect.app.id);
        }
    }
}
