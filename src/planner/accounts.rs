//! A leaver's accounts beside the directory's.
//!
//! None waits for another system, and none is forgotten: what can't be read, or can't be done, is owed by name. What a system can do is
//! data; no system is known here by name.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{
    draft::{Place, list},
    leaver::Leaver,
    unseen::{lasts, since},
};
use crate::model::{
    Account, Action, Effect, Failure, Held, Holding, Kind, Observed, OnFailure, Phase, Seen, State, StepNo, System,
    Verb,
};

/// How long a task has where nobody says.
const DAY: i64 = 24 * 3600;

/// Another system's account, while its steps are written.
struct Shut<'a> {
    system: &'a System,
    seen: &'a Seen,
    account: &'a Account,
}

impl<'a> Shut<'a> {
    fn can(&self, verb: Verb) -> bool {
        self.seen.can.contains(&verb)
    }
    fn place(&self, phase: Phase) -> Place<'a> {
        Place {
            phase,
            system: self.system,
            account: &self.account.id,
            on_failure: if phase == Phase::Contain {
                OnFailure::Continue
            } else {
                OnFailure::Owe
            },
        }
    }
    /// What bars the door without closing the account, where the system has such a thing.
    fn door(&self) -> Option<Action> {
        match (self.can(Verb::Suspend), self.can(Verb::Freeze)) {
            (true, _) => Some(Action::Suspend),
            (false, true) => Some(Action::Freeze),
            (false, false) => None,
        }
    }
    /// What takes the account away, beside memberships: where there is nothing but the door, it is the door.
    fn closes(&self) -> bool {
        self.can(Verb::Deactivate)
    }
}

impl Leaver<'_> {
    /// Sessions and credentials end in contain, what is held and the account in remove, unless ending sessions is beyond the system.
    pub(super) fn shut(&mut self, system: &System, seen: &Seen, contain_only: bool) {
        let account = match &seen.account {
            Observed::Absent => return,
            Observed::Unknown(f) => return self.owe_unread(system, f),
            Observed::Present(a) => a,
        };
        let shut = Shut { system, seen, account };
        let contained = self.shut_out(&shut);
        if account.state == State::Closed {
            self.free_seats(&shut, &[]);
            self.owned(system, account);
            return;
        }
        // Shutting the account at once ends sessions too.
        if [Verb::ClearSessions, Verb::Deactivate, Verb::ByHand]
            .iter()
            .all(|v| !shut.can(*v))
        {
            self.draft.warn(
                Some(system),
                None,
                format!("{system}: sessions end only by themselves."),
            );
        }
        // Deactivating is how such a system contains.
        let holds_still = shut.can(Verb::ClearSessions) || shut.door().is_some();
        let phase = if self.ask.hostile || !holds_still {
            Phase::Contain
        } else {
            Phase::Remove
        };
        if contain_only && phase == Phase::Remove {
            return;
        }
        let known = [&self.seen.person.login, &self.seen.person.email];
        if account.login.contains('@') && !known.iter().any(|k| k.eq_ignore_ascii_case(&account.login)) {
            let text = format!("{system} knows them as {} ({}).", account.login, account.id);
            self.draft.keep(Some(system), text);
        }
        if !contain_only {
            self.take_away(&shut, &contained);
            self.by_hand(&shut);
        }
        let after = if self.ask.hostile { Vec::new() } else { contained };
        self.close(&shut, phase, &after);
        self.owned(system, account);
    }

    /// No sign-in, no session, no credential of their own.
    fn shut_out(&mut self, shut: &Shut<'_>) -> Vec<StepNo> {
        let (system, account) = (shut.system, shut.account);
        let place = shut.place(Phase::Contain);
        let door = shut
            .door()
            .filter(|_| account.state < State::Suspended && account.blocked.is_none());
        // Signed out first, since much can't be revoked behind a suspension; but a freeze bars the door alone, and of somebody hostile
        // the door is shut first.
        let first = self.ask.hostile || matches!(door, Some(Action::Freeze)) || shut.can(Verb::ResetPassword);
        let mut contained: Vec<StepNo> = Vec::new();
        let why = self.why.clone();
        if let Some(action) = door.clone().filter(|_| first) {
            contained.push(self.draft.put(place, action, &[], why.clone()));
        }
        let live = account.state < State::Suspended;
        if shut.can(Verb::ResetPassword) && account.state != State::Closed && account.blocked.is_none() {
            let round = |from: Option<String>| Action::ResetPassword { changed_from: from };
            if live || lasts(self.seen, system, Verb::ResetPassword) {
                let mut after = contained.clone();
                // Twice: a hash that lagged behind in replication is then two passwords old. Where nothing shows when it was set, one
                // reset can't be told from the next.
                for from in account.password_set.iter().cloned().map(Some).chain([None]) {
                    let no = self
                        .draft
                        .put(place, round(from), &after, "the old password opens nothing");
                    after = vec![no];
                    contained.push(no);
                }
            }
        }
        let before = contained.clone();
        let listed = account.holds.get(&Holding::Session);
        let clears = match listed {
            Some(Observed::Present(sessions)) => !sessions.is_empty(),
            Some(Observed::Absent) => false,
            Some(Observed::Unknown(_)) | None => {
                account.state != State::Closed && lasts(self.seen, system, Verb::ClearSessions)
            }
        };
        if shut.can(Verb::ClearSessions) && clears {
            let why = "live sessions outlast Okta's";
            contained.push(self.draft.put(place, Action::ClearSessions, &before, why));
        }
        for (kind, verb, why) in [
            (Holding::Client, Verb::RevokeClientTokens, "live tokens"),
            (Holding::Token, Verb::RevokeToken, "a credential of their own"),
        ] {
            if !shut.can(verb) {
                continue;
            }
            for held in account.held(kind).filter(|h| h.stays().is_none()) {
                contained.push(self.draft.put(place, Action::taking(held.clone()), &before, why));
            }
        }
        if shut.can(Verb::RevokeGrants) && account.held(Holding::Grant).next().is_some() {
            let why = "apps act on these grants";
            contained.push(self.draft.put(place, Action::RevokeGrants, &before, why));
        }
        if let Some(action) = door.filter(|_| !first) {
            let no = self.draft.put(place, action, &contained.clone(), why);
            contained.push(no);
        }
        self.unread_parts(shut);
        contained
    }

    /// Parts that we would act on and that could not be read: owed, never taken for empty.
    fn unread_parts(&mut self, shut: &Shut<'_>) {
        for (kind, verb, what) in [
            (Holding::Session, Verb::ClearSessions, "sessions"),
            (Holding::Client, Verb::RevokeClientTokens, "OAuth tokens"),
            (Holding::Token, Verb::RevokeToken, "credentials"),
            (Holding::Grant, Verb::RevokeGrants, "grants"),
            (Holding::Group, Verb::RemoveMember, "groups"),
            (Holding::Role, Verb::RevokeRole, "roles"),
            (Holding::Seat, Verb::ReleaseSeat, "licences"),
            (Holding::Invitation, Verb::CancelInvitation, "invitations"),
            (Holding::Org, Verb::LeaveOrg, "memberships"),
        ] {
            let Some(failure) = shut.account.holds.get(&kind).and_then(Observed::unknown) else {
                continue;
            };
            // Sessions are ended blind.
            if !shut.can(verb) || kind == Holding::Session {
                continue;
            }
            let action = match kind {
                Holding::Grant => Action::RevokeGrants,
                _ => Action::taking(Held::new(kind, "", format!("all {what}"))),
            };
            let why = self.why.clone();
            let no = self
                .draft
                .owe(shut.place(Phase::Remove), action, why, failure.clone(), None);
            let text = format!(
                "The {what} in {} were not read ({}); they are owed.",
                shut.system, failure.summary
            );
            self.draft.unknown(shut.system, Some(no), text);
        }
    }

    /// What doesn't go with the account.
    fn take_away(&mut self, shut: &Shut<'_>, contained: &[StepNo]) {
        let mut roles = contained.to_vec();
        for (kind, verb) in [
            (Holding::Group, Verb::RemoveMember),
            (Holding::Role, Verb::RevokeRole),
            (Holding::Invitation, Verb::CancelInvitation),
        ] {
            if !shut.can(verb) {
                continue;
            }
            for held in shut.account.held(kind) {
                match held.stays() {
                    Some(why) => self.draft.keep(
                        Some(shut.system),
                        format!("{} in {} stays: {why}.", held.name, shut.system),
                    ),
                    None => {
                        let why = match kind {
                            Holding::Invitation => "an open invitation is a way in",
                            Holding::Role => "every role goes",
                            _ => "every membership goes",
                        };
                        let action = Action::taking(held.clone());
                        roles.push(self.draft.put(shut.place(Phase::Remove), action, contained, why));
                    }
                }
            }
        }
        // A licence may hang on the role that needs it.
        self.free_seats(shut, &roles);
    }

    fn free_seats(&mut self, shut: &Shut<'_>, after: &[StepNo]) {
        for (seat, why) in shut.account.held(Holding::Seat).filter_map(|s| Some((s, s.stays()?))) {
            let text = format!("The licence {} in {} stays: {why}.", seat.name, shut.system);
            self.draft.keep(Some(shut.system), text);
        }
        let account_goes = |seat: &&Held| seat.via.as_deref() != Some("account") && seat.stays().is_none();
        if !shut.can(Verb::ReleaseSeat) {
            return;
        }
        for seat in shut.account.held(Holding::Seat).filter(account_goes) {
            let action = Action::taking(seat.clone());
            self.draft
                .put(shut.place(Phase::Remove), action, after, "a licence that would go on");
        }
    }

    /// The account itself, or each membership where there is no account to close.
    fn close(&mut self, shut: &Shut<'_>, phase: Phase, after: &[StepNo]) {
        let (system, account) = (shut.system, shut.account);
        let orgs: Vec<&Held> = account.held(Holding::Org).collect();
        let invited = account.state == State::Pending && account.held(Holding::Invitation).next().is_some();
        let ways: Vec<Action> = match () {
            () if shut.closes() && !(invited && shut.can(Verb::CancelInvitation)) => vec![Action::Deactivate],
            () if shut.can(Verb::LeaveOrg) => orgs.iter().map(|o| Action::taking((*o).clone())).collect(),
            () if shut.can(Verb::CancelInvitation) && invited => Vec::new(),
            () if shut.door().is_some() || shut.can(Verb::ByHand) => Vec::new(),
            () => {
                let failure = Failure::new(
                    Kind::Cannot,
                    format!("deactivate {} in {system}", account.login),
                    "the API of this instance has no way to do it; a person has to",
                );
                return self.not_ours(shut, Action::Deactivate, failure);
            }
        };
        if let Some(why) = &account.blocked {
            let action = ways.into_iter().next().or(shut.door()).unwrap_or(Action::Deactivate);
            let what = format!("{} {} in {system}", action.name(), account.login);
            return self.not_ours(shut, action, Failure::new(Kind::Permanent, what, why.clone()));
        }
        let mut before = after.to_vec();
        let with = |seat: &&Held| seat.via.as_deref() == Some("account") && seat.stays().is_none();
        let frees = account.held(Holding::Seat).filter(with);
        let frees: String = frees.map(|s| format!(" and the licence {}", s.name)).collect();
        for action in ways {
            let why = match action.held() {
                Some(org) => format!("{} is left", org.name),
                None => format!("the account {}{frees}", account.login),
            };
            // One after the other: who is a member can't be taken for an outsider.
            let no = self.draft.put(shut.place(phase), action, &before, why);
            before.push(no);
        }
    }

    fn not_ours(&mut self, shut: &Shut<'_>, action: Action, failure: Failure) {
        let (system, login) = (shut.system, &shut.account.login);
        let text = format!("{system}: {login} is not taken away: {}.", failure.summary);
        let why = self.why.clone();
        let no = self.draft.owe(shut.place(Phase::Remove), action, why, failure, None);
        self.draft.warn(Some(system), Some(no), text);
    }

    /// Tasks for people: owed until they are ticked. One that was ticked is not asked for again.
    fn by_hand(&mut self, shut: &Shut<'_>) {
        if !shut.can(Verb::ByHand) {
            return;
        }
        let ticked = !lasts_by_hand(self.seen, shut.system);
        let owed: BTreeSet<&str> = self
            .seen
            .owed
            .iter()
            .filter(|(e, _)| e.system == *shut.system)
            .filter_map(|(e, _)| Some(e.action.held()?.id.as_str()))
            .collect();
        for task in shut.account.held(Holding::Task) {
            if ticked && !owed.contains(task.id.as_str()) {
                continue;
            }
            let action = Action::ByHand { task: task.clone() };
            let effect = Effect {
                system: shut.system.clone(),
                account: shut.account.id.clone(),
                action: action.clone(),
            };
            let within = task.fact("within").parse().unwrap_or(DAY);
            let until = since(self.seen, &effect, self.now) + TimeDelta::seconds(within);
            let owner = task.fact("owner");
            let failure = Failure::new(
                Kind::Cannot,
                format!("{} in {}", task.name, shut.system),
                format!("waits for {owner}, who does it by hand"),
            );
            let why = format!("a task for {owner}");
            self.draft
                .owe(shut.place(Phase::Close), action, why, failure, Some(until));
        }
    }

    fn owe_unread(&mut self, system: &System, failure: &Failure) {
        let place = Place {
            phase: Phase::Remove,
            system,
            account: "",
            on_failure: OnFailure::Owe,
        };
        let code = failure.code.as_deref().map(|c| format!("{c} ")).unwrap_or_default();
        let text = format!("{system} was not read ({code}{}). Its steps are owed.", failure.summary);
        let no = self
            .draft
            .owe(place, Action::Deactivate, self.why.clone(), failure.clone(), None);
        self.draft.unknown(system, Some(no), text);
    }

    pub(super) fn owned(&mut self, system: &System, account: &Account) {
        let owned = list(account.held(Holding::Owned).map(|o| o.name.as_str()));
        if !owned.is_empty() {
            self.draft.warn(
                Some(system),
                None,
                format!("Will stop or be orphaned in {system}: {owned}."),
            );
        }
    }
}

fn lasts_by_hand(seen: &crate::model::Observation, system: &System) -> bool {
    !seen.done.contains_key(&(system.clone(), Verb::ByHand))
}
