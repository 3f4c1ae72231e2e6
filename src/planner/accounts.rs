//! A leaver's accounts beside the directory's.
//!
//! None waits for another system, and none is forgotten: what can't be read, or can't be done, is owed by name.

use super::{
    draft::{Place, list},
    leaver::Leaver,
    unseen::lasts,
};
use crate::model::{
    Account, Action, Failure, Holding, Kind, Observed, OnFailure, Phase, Seen, State, StepNo, System, Verb,
};

impl Leaver<'_> {
    /// Another system's account: its sessions end in contain, the account in remove, unless ending sessions is beyond it.
    pub(super) fn shut(&mut self, system: &System, seen: &Seen, contain_only: bool) {
        let account = match &seen.account {
            Observed::Absent => return,
            Observed::Unknown(f) => return self.owe_unread(system, f),
            Observed::Present(a) if a.state == State::Closed => return,
            Observed::Present(a) => a,
        };
        let can = |v| seen.can.contains(&v);
        let place = |phase| Place {
            phase,
            system,
            account: &account.id,
            on_failure: if phase == Phase::Contain {
                OnFailure::Continue
            } else {
                OnFailure::Owe
            },
        };
        let suspends = can(Verb::Suspend) && account.state < State::Suspended;
        let clears = can(Verb::ClearSessions) && lasts(self.seen, system, Verb::ClearSessions);
        let mut after: Vec<StepNo> = Vec::new();
        // Signed out first, since much can't be revoked behind a suspension; of somebody hostile the door is shut first.
        let mut order = [(clears, Action::ClearSessions), (suspends, Action::Suspend)];
        if self.ask.hostile {
            order.reverse();
        }
        for (_, action) in order.into_iter().filter(|(planned, _)| *planned) {
            let why = if action == Action::Suspend {
                self.why.clone()
            } else {
                "live sessions outlast Okta's".to_owned()
            };
            after.push(self.draft.put(place(Phase::Contain), action, &after, why));
        }
        // Shutting the account at once ends them too.
        if !can(Verb::ClearSessions) && !can(Verb::Deactivate) {
            self.draft.warn(
                Some(system),
                None,
                format!("{system}: sessions end only by themselves."),
            );
        }
        let holds_still = can(Verb::ClearSessions) || can(Verb::Suspend);
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
        let blocked = match &account.blocked {
            Some(why) => Some(Failure::new(
                Kind::Permanent,
                format!("deactivate {} in {system}", account.login),
                why.clone(),
            )),
            None if !can(Verb::Deactivate) => Some(Failure::new(
                Kind::Cannot,
                format!("deactivate {} in {system}", account.login),
                "the API of this instance has no way to do it; a person has to",
            )),
            None => None,
        };
        match blocked {
            None => {
                let why = format!("the account {}", account.login);
                if self.ask.hostile {
                    after.clear();
                }
                self.draft.put(place(phase), Action::Deactivate, &after, why);
            }
            Some(failure) => {
                let text = format!("{system}: {} is not taken away: {}.", account.login, failure.summary);
                let no = self.draft.owe(
                    place(Phase::Remove),
                    Action::Deactivate,
                    self.why.clone(),
                    failure,
                    None,
                );
                self.draft.warn(Some(system), Some(no), text);
            }
        }
        self.owned(system, account);
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
