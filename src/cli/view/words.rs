//! What an effect is called: before it (`group ROLE-ENG`), and after (`out of ROLE-ENG`). One table for preview, live lines and report.

use chrono::{DateTime, Utc};

use super::Screen;
use crate::{
    cli::text,
    model::{Action, Effect, Outcome, System, Verb, system::OKTA},
};

/// In a plan, under its phase and mark.
pub fn plan(effect: &Effect, screen: &Screen) -> String {
    many(effect.action.verb(), &effect.system, &[&effect.action], screen)
}

/// Several of one kind, on one line.
pub fn many(verb: Verb, system: &System, actions: &[&Action], screen: &Screen) -> String {
    let names: Vec<String> = actions
        .iter()
        .filter_map(|a| a.object())
        .map(|o| screen.fit(o, 40))
        .collect();
    let names = names.join(", ");
    let s = if actions.len() == 1 { "" } else { "s" };
    match verb {
        Verb::Suspend => "suspend".into(),
        Verb::Freeze => "freeze".into(),
        Verb::Deactivate => "deactivate".into(),
        // Okta's own call ends both.
        Verb::ClearSessions if *system == OKTA => "clear sessions and OAuth tokens".into(),
        Verb::ClearSessions => "sign out everywhere".into(),
        Verb::RevokeGrants => "revoke grants".into(),
        Verb::RevokeToken if *system == OKTA => format!("revoke API token{s} {names}"),
        Verb::RevokeToken => format!("revoke {names}"),
        Verb::RevokeClientTokens => format!("revoke tokens of {names}"),
        Verb::ResetPassword if actions.len() > 1 => "reset the password, twice".into(),
        Verb::ResetPassword => "reset the password".into(),
        Verb::RemoveMember | Verb::AddMember => format!("group{s} {names}"),
        Verb::UnassignApp => format!("app{s} {names}, assigned directly"),
        Verb::Activate => "activate".into(),
        Verb::Unsuspend => "lift the suspension".into(),
        Verb::CreatePerson => "create the account".into(),
        Verb::RevokeRole => format!("role{s} {names}"),
        Verb::ReleaseSeat => format!("licence{s} {names}"),
        Verb::JoinChannel | Verb::LeaveChannel => channels(actions, screen),
        Verb::JoinTeam | Verb::LeaveTeam => format!("team{s} {names}"),
        Verb::Invite => format!("invite {names}"),
        Verb::CancelInvitation => format!("cancel invitation{s} {names}"),
        Verb::LeaveOrg => format!("membership of {names}"),
        Verb::StartTransfer => format!("files to {names}"),
        Verb::FinishTransfer => "the transfer of files ends".into(),
        Verb::ByHand => format!("by hand: {names}"),
        Verb::SendMessage => "message to the manager".into(),
        Verb::CreateGroup => format!("new group{s} {names}"),
        Verb::DeleteGroup => format!("group{s} {names}, empty"),
    }
}

fn channels(actions: &[&Action], screen: &Screen) -> String {
    let names: Vec<String> = actions
        .iter()
        .filter_map(|a| a.object())
        .map(|o| format!("#{}", screen.fit(o.trim_start_matches('#'), 40)))
        .collect();
    names.join(", ")
}

/// What is so afterwards, or what was tried: of several effects of one verb on one system that ended alike.
pub fn report(
    verb: Verb,
    system: &System,
    actions: &[&Action],
    outcome: &Outcome,
    at: Option<(DateTime<Utc>, DateTime<Utc>)>,
    screen: &Screen,
) -> String {
    if !outcome.settled() {
        return many(verb, system, actions, screen);
    }
    // What could not be read and is gone by now was not taken by us.
    let unread = |a: &&Action| a.held().is_some_and(|h| h.id.is_empty());
    let gives = matches!(verb, Verb::AddMember | Verb::JoinChannel | Verb::JoinTeam);
    if !gives && !actions.is_empty() && actions.iter().all(unread) {
        return format!("no {} left", some(actions, screen).trim_start_matches("all "));
    }
    let names = || some(actions, screen);
    let when = at
        .map(|(t, beside)| format!(" {}", text::clock(t, beside)))
        .unwrap_or_default();
    // What nothing can read back says when it was done: that is all the evidence there is.
    let unread = if *outcome == Outcome::Done {
        " (can't be read back)"
    } else {
        ""
    };
    match verb {
        Verb::Suspend => "suspended".into(),
        Verb::Freeze => "frozen".into(),
        Verb::Deactivate if *system == OKTA => "DEPROVISIONED".into(),
        Verb::Deactivate => "deactivated".into(),
        Verb::ClearSessions => format!("sessions cleared{when}{unread}"),
        Verb::RevokeGrants => "grants revoked".into(),
        Verb::RevokeToken if *system == OKTA => format!("API token revoked: {}", names()),
        Verb::RevokeToken => format!("revoked: {}", names()),
        Verb::RevokeClientTokens => format!("tokens revoked: {}", names()),
        Verb::ResetPassword => format!("password reset{when}{unread}"),
        Verb::RemoveMember => format!("out of {}", names()),
        Verb::AddMember => format!("in {}", names()),
        Verb::UnassignApp => format!("unassigned from {}", names()),
        Verb::Activate => "activated".into(),
        Verb::Unsuspend => "let in again".into(),
        Verb::CreatePerson => "account created".into(),
        Verb::JoinChannel => format!("in {}", channels(actions, screen)),
        Verb::LeaveChannel => format!("out of {}", channels(actions, screen)),
        Verb::RevokeRole => format!("without {}", names()),
        Verb::ReleaseSeat => format!("licence freed: {}", names()),
        Verb::JoinTeam => format!("in team {}", names()),
        Verb::LeaveTeam => format!("out of team {}", names()),
        Verb::Invite => format!("invited: {}", names()),
        Verb::CancelInvitation => format!("invitation cancelled: {}", names()),
        Verb::LeaveOrg => format!("out of {}", names()),
        Verb::StartTransfer => format!("transfer to {} started", names()),
        Verb::FinishTransfer => "transfer completed".into(),
        Verb::ByHand => format!("done by hand{when}: {}", names()),
        Verb::SendMessage => format!("message sent{when}"),
        Verb::CreateGroup => format!("group made: {}", names()),
        Verb::DeleteGroup => format!("group deleted: {}", names()),
    }
}

/// Up to four by name; beyond that a number says more.
fn some(actions: &[&Action], screen: &Screen) -> String {
    let names: Vec<String> = actions
        .iter()
        .filter_map(|a| a.object())
        .map(|o| screen.fit(o, 40))
        .collect();
    match names.len() {
        0..=4 => names.join(", "),
        n => format!("{n}: {}, ...", names[..3].join(", ")),
    }
}

/// As screens write an outcome: two words where JSON has a hyphen.
pub fn outcome(o: &Outcome) -> &'static str {
    match o {
        Outcome::InDoubt { .. } => "in doubt",
        Outcome::NotTried { .. } => "not tried",
        Outcome::Verified
        | Outcome::Done
        | Outcome::Already
        | Outcome::Unassigned
        | Outcome::Failed { .. }
        | Outcome::Owed { .. } => o.name(),
    }
}

/// `-ROLE-ENG`, `+#sales`: a step on a sweep's line.
pub fn short(effect: &Effect, screen: &Screen) -> String {
    let mark = if effect.action.gives() { '+' } else { '-' };
    match effect.action.object() {
        Some(o) => format!("{mark}{}", screen.fit(o, 40)),
        None if effect.action.verb() == Verb::SendMessage => "message".into(),
        None => format!("{mark}{}", effect.action.name()),
    }
}
