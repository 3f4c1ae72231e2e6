//! What policy gives beside the directory's groups: channels and teams, which no app assignment brings.
//!
//! An account that isn't there yet, or wasn't read, makes the step owed; it never makes it vanish.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    draft::{Draft, Place},
    entitle::{Desired, Managed, plain},
    unseen::since,
};
use crate::model::{
    Action, Effect, Failure, Held, Holding, Kind, Observation, Observed, OnFailure, Phase, Policy, State, StepNo,
    System, Verb, system::OKTA,
};

/// Stale channels, to be left before anything is joined. A failed one stops what comes after.
pub(super) fn leave(seen: &Observation, desired: &Desired, managed: &Managed<'_>, draft: &mut Draft) -> Vec<StepNo> {
    let mut steps = Vec::new();
    for (system, s) in seen.systems.iter().filter(|(system, _)| **system != OKTA) {
        let Some(account) = s.account.present() else {
            continue;
        };
        let wanted: BTreeSet<&str> = desired
            .gives
            .get(system)
            .into_iter()
            .flatten()
            .map(|(n, _)| plain(n))
            .collect();
        let held = [Holding::Channel, Holding::Team, Holding::Group]
            .into_iter()
            .flat_map(|k| account.held(k));
        for channel in held.filter(|h| managed.elsewhere(system, h) && !wanted.contains(plain(&h.name))) {
            let place = Place {
                phase: Phase::Remove,
                system,
                account: &account.id,
                on_failure: OnFailure::Halt,
            };
            let action = Action::taking(channel.clone());
            if s.can.contains(&action.verb()) {
                steps.push(draft.put(place, action, &[], "policy gives it no more"));
            } else {
                let failure = Failure::new(
                    Kind::Cannot,
                    format!("leave {} in {system}", channel.name),
                    "the API of this instance has no way to do it; a person has to",
                );
                draft.owe(place, action, "policy gives it no more", failure, None);
            }
        }
    }
    steps
}

/// What policy gives and the account lacks.
pub(super) fn join(
    seen: &Observation,
    policy: &Policy,
    desired: &Desired,
    after: &[StepNo],
    now: DateTime<Utc>,
    draft: &mut Draft,
) -> Vec<StepNo> {
    let mut steps = Vec::new();
    for (system, names) in &desired.gives {
        let mut invited = None;
        for (name, why) in names {
            match find(seen, policy, system, name, now) {
                Found::Holds => {}
                Found::Ready { account, channel } => {
                    let place = Place {
                        phase: Phase::Add,
                        system,
                        account: &account,
                        on_failure: OnFailure::Owe,
                    };
                    steps.push(draft.put(place, Action::giving(channel), after, why.clone()));
                }
                Found::Outside { channel } => {
                    let place = Place {
                        phase: Phase::Add,
                        system,
                        account: "",
                        on_failure: OnFailure::Owe,
                    };
                    let address = seen.person.email.clone();
                    invited.get_or_insert_with(|| {
                        let no = draft.put(place, Action::Invite { address }, after, why.clone());
                        steps.push(no);
                    });
                    let action = Action::giving(channel);
                    let failure = Failure::transient(
                        format!("join {name} in {system}"),
                        "the invitation has to be accepted first",
                    );
                    let until = invitation(seen, policy, system, &action, now);
                    let text = format!("{system}: {name} is owed: {}.", failure.summary);
                    let no = draft.owe(place, action, why.clone(), failure, Some(until));
                    draft.unknown(system, Some(no), text);
                }
                Found::Waits {
                    account,
                    channel,
                    failure,
                    until,
                } => {
                    let place = Place {
                        phase: Phase::Add,
                        system,
                        account: &account,
                        on_failure: OnFailure::Owe,
                    };
                    let text = format!("{system}: {name} is owed: {}.", failure.summary);
                    let no = draft.owe(place, Action::giving(channel), why.clone(), failure, until);
                    draft.unknown(system, Some(no), text);
                }
            }
        }
    }
    steps
}

/// Until when an invitation may stay unanswered.
fn invitation(
    seen: &Observation,
    policy: &Policy,
    system: &System,
    action: &Action,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let effect = Effect {
        system: system.clone(),
        account: String::new(),
        action: action.clone(),
    };
    since(seen, &effect, now) + TimeDelta::from_std(policy.deadlines.invitation).unwrap_or_default()
}

enum Found {
    Holds,
    /// Nobody there yet, and they can be asked in.
    Outside {
        channel: Held,
    },
    Ready {
        account: String,
        channel: Held,
    },
    Waits {
        account: String,
        channel: Held,
        failure: Failure,
        until: Option<DateTime<Utc>>,
    },
}

fn find(seen: &Observation, policy: &Policy, system: &System, name: &str, now: DateTime<Utc>) -> Found {
    let what = format!("join {name} in {system}");
    // What kind of thing it is, only the system's own list says.
    let kind = if seen
        .systems
        .get(system)
        .is_some_and(|s| s.can.contains(&Verb::JoinTeam))
    {
        Holding::Team
    } else {
        Holding::Channel
    };
    let mut channel = Held::new(kind, "", name);
    let mut account = String::new();
    let mut until = None;
    let failure = 'why: {
        let Some(s) = seen.systems.get(system) else {
            break 'why Failure::new(Kind::Cannot, what, "the system is not configured");
        };
        let offered = match seen.tenant.offers.get(system) {
            Some(Observed::Present(all)) => all.get(name).or_else(|| all.get(plain(name))),
            Some(Observed::Unknown(f)) => break 'why f.clone(),
            Some(Observed::Absent) | None => None,
        };
        match offered {
            Some(held) => channel = held.clone(),
            None => break 'why Failure::permanent(what, format!("no {name} there")),
        }
        let there = match &s.account {
            Observed::Present(a) => a,
            Observed::Absent if s.can.contains(&Verb::Invite) => return Found::Outside { channel },
            // Okta has assigned the app and nobody is there: for one who starts, the account is on its way.
            Observed::Unknown(f) if f.kind != Kind::Contradiction => break 'why f.clone(),
            Observed::Unknown(_) | Observed::Absent => {
                let effect = Effect {
                    system: system.clone(),
                    account,
                    action: Action::giving(channel.clone()),
                };
                until =
                    Some(since(seen, &effect, now) + TimeDelta::from_std(policy.deadlines.account).unwrap_or_default());
                account = String::new();
                break 'why Failure::transient(what, "no account yet");
            }
        };
        account.clone_from(&there.id);
        if there.state == State::Closed {
            break 'why Failure::permanent(what, format!("the account {} is {}", there.login, there.word));
        }
        if there.state == State::Pending && s.can.contains(&Verb::Invite) {
            let action = Action::giving(channel.clone());
            until = Some(invitation(seen, policy, system, &action, now));
            break 'why Failure::transient(what, "the invitation has to be accepted first");
        }
        match there.holds.get(&channel.kind) {
            Some(Observed::Unknown(f)) => break 'why f.clone(),
            Some(Observed::Present(set)) if set.iter().any(|h| h.id == channel.id) => return Found::Holds,
            Some(Observed::Present(_) | Observed::Absent) | None => {}
        }
        if !s.can.contains(&Action::giving(channel.clone()).verb()) {
            break 'why Failure::new(
                Kind::Cannot,
                what,
                "the API of this instance has no way to do it; a person has to",
            );
        }
        return Found::Ready { account, channel };
    };
    Found::Waits {
        account,
        channel,
        failure,
        until,
    }
}
