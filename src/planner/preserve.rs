//! What would be lost with the account goes to somebody else first: a transfer of files, started before the app that holds them is taken
//! away.
//!
//! Nobody who is leaving, shut, or the leaver's own self is given anything. A transfer that runs takes as long as the vendor takes: it is
//! owed, and holds up neither containment nor the promise.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    draft::{Draft, Place, list},
    leaver::Leaver,
    unseen::since,
};
use crate::model::{
    Action, Effect, Failure, Held, Holding, Observation, Observed, OnFailure, Phase, Seen, StepNo, System, Transfer,
    Verb, Waits,
};

/// How an app's files stand, for the group that grants the app.
pub(super) enum Kept {
    /// Its membership may go once this step has ended well.
    After(StepNo),
    /// It may not go yet.
    Waits(Waits),
}

impl Leaver<'_> {
    pub(super) fn preserve(&mut self, system: &System, seen: &Seen) -> Option<Kept> {
        let account = seen.account.present()?;
        if !seen.can.contains(&Verb::StartTransfer) {
            return None;
        }
        let place = Place {
            phase: Phase::Preserve,
            system,
            account: &account.id,
            on_failure: OnFailure::Hold,
        };
        match account.holds.get(&Holding::Transfer)? {
            Observed::Unknown(f) => {
                let to = heir(self.seen, self.ask.transfer_to.as_deref()).unwrap_or_default();
                let no = self.draft.owe(
                    place,
                    Action::StartTransfer { to },
                    "files would be lost",
                    f.clone(),
                    None,
                );
                let text = format!("Transfers in {system} were not read ({}).", f.summary);
                self.draft.unknown(system, Some(no), text);
                return Some(Kept::Waits(waits(self.seen, self.policy, self.now, system, f.clone())));
            }
            Observed::Absent => {}
            Observed::Present(all) => {
                if let Some(running) = all.iter().find(|t| t.transfer() == Transfer::Running) {
                    self.runs(place, running);
                    return None;
                }
                // One that is over was this leaving's: nothing is started twice.
                if all.iter().any(|t| t.transfer() == Transfer::Completed) {
                    return None;
                }
            }
        }
        match heir(self.seen, self.ask.transfer_to.as_deref()) {
            Ok(to) => {
                let why = match &self.ask.transfer_to {
                    Some(_) => "as asked for, outside the manager chain".to_owned(),
                    None => format!("{to} is the first in the manager chain who stays"),
                };
                let no = self
                    .draft
                    .put(place, Action::StartTransfer { to: to.clone() }, &[], why);
                let moving = Held::new(Holding::Transfer, "", format!("files to {to}"));
                self.runs(place, &moving);
                Some(Kept::After(no))
            }
            Err(why) => {
                let failure = Failure::permanent(format!("transfer files in {system}"), why)
                    .hint("say who gets them: --transfer-to LOGIN");
                let to = "nobody".to_owned();
                let no = self.draft.owe(
                    place,
                    Action::StartTransfer { to },
                    "files would be lost",
                    failure.clone(),
                    None,
                );
                let text = format!(
                    "{system}: no transfer of files: {}. --transfer-to names a recipient.",
                    failure.summary
                );
                self.draft.warn(Some(system), Some(no), text);
                Some(Kept::Waits(waits(self.seen, self.policy, self.now, system, failure)))
            }
        }
    }

    /// Owed until it is over; a sweep looks.
    fn runs(&mut self, place: Place<'_>, transfer: &Held) {
        let action = Action::FinishTransfer {
            transfer: transfer.clone(),
        };
        let told = transfer.fact("until").parse::<DateTime<Utc>>().ok();
        let until = told.unwrap_or_else(|| {
            let effect = Effect {
                system: place.system.clone(),
                account: place.account.to_owned(),
                action: action.clone(),
            };
            since(self.seen, &effect, self.now) + span(self.policy.deadlines.transfer)
        });
        let failure = Failure::transient(
            format!("{} in {}", transfer.name, place.system),
            "runs in the vendor's own time",
        );
        let place = Place {
            on_failure: OnFailure::Owe,
            ..place
        };
        self.draft.owe(
            place,
            action,
            "a request accepted is not a transfer done",
            failure,
            Some(until),
        );
    }
}

fn span(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or_default()
}

/// The group that grants the app waits for its files, but not for ever.
fn waits(
    seen: &Observation,
    policy: &crate::model::Policy,
    now: DateTime<Utc>,
    system: &System,
    failure: Failure,
) -> Waits {
    let begun = seen
        .owed
        .iter()
        .filter(|(e, _)| e.system == *system && matches!(e.action, Action::StartTransfer { .. }))
        .map(|(_, at)| *at)
        .min()
        .unwrap_or(now);
    Waits {
        failure,
        until: Some(begun + span(policy.preserve_wait)),
    }
}

/// Who gets the files: the first up the chain who is active and isn't leaving too.
pub(super) fn heir(seen: &Observation, asked: Option<&str>) -> Result<String, String> {
    if let Some(login) = asked {
        return match seen.tenant.managers.get(&login.to_lowercase()) {
            Some(Observed::Present(b)) if b.live && !seen.tenant.leaving.contains(&b.id) && b.id != seen.person.id => {
                Ok(b.login.clone())
            }
            Some(Observed::Present(_)) => Err(format!(
                "{login} can't be given files: not active, leaving too, or the same person"
            )),
            Some(Observed::Unknown(f)) => Err(format!("{login} was not read ({})", f.summary)),
            Some(Observed::Absent) | None => Err(format!("nobody is called {login}")),
        };
    }
    let mut passed: Vec<String> = Vec::new();
    let mut name = seen.person.worker().and_then(|w| w.manager.clone());
    while let Some(next) = name.take() {
        match seen.tenant.managers.get(&next.to_lowercase()) {
            Some(Observed::Present(b)) => {
                let why = if b.id == seen.person.id {
                    "themselves"
                } else if seen.tenant.leaving.contains(&b.id) {
                    "is leaving too"
                } else if !b.live {
                    "is not active"
                } else {
                    return Ok(b.login.clone());
                };
                passed.push(format!("{} {why}", b.login));
                // A chain that goes in a circle ends where it began.
                if passed.len() > 10 {
                    break;
                }
                name = b.manager.clone();
            }
            Some(Observed::Unknown(f)) => return Err(format!("{next} was not read ({})", f.summary)),
            Some(Observed::Absent) | None => passed.push(format!("nobody is called {next}")),
        }
    }
    Err(if passed.is_empty() {
        "HR names no manager".to_owned()
    } else {
        format!(
            "no manager up the chain can take them ({})",
            list(passed.iter().map(String::as_str))
        )
    })
}

impl Draft {
    /// A removal that may not come yet.
    pub(super) fn wait(&mut self, no: StepNo, waits: Waits) {
        if let Some(step) = self.steps.get_mut(no) {
            step.after.clear();
            step.waits = Some(waits);
        }
    }
    pub(super) fn after(&mut self, no: StepNo, before: StepNo) {
        if let Some(step) = self.steps.get_mut(no).filter(|s| !s.after.contains(&before)) {
            step.after.push(before);
        }
    }
}
