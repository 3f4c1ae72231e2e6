//! Takes away everything that a person can reach: contain, remove, close, read top to bottom.
//!
//! A failed or unread part never stops another one. Nothing is planned from a part that could not be read: it is owed, and named.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    draft::{DIRECTORY, Draft, Place, apps_of, foreign, list},
    employment::{Word, judge},
    grounds::{Cause, cause, unprotected},
    preserve::Kept,
    refusal::Refusal,
    unseen::lasts,
};
use crate::model::{
    Action, Effect, Expect, Failure, Flow, GroupKind, Held, Holding, Observation, Observed, OnFailure, Person, Phase,
    Plan, Policy, Status, Step, StepNo, Verb, system::OKTA,
};

/// Somebody's word against HR's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub reason: String,
    pub ticket: String,
}

/// What the operator adds to the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub overrule: Option<Override>,
    /// Every account is shut in contain, before anyone can react.
    pub hostile: bool,
    /// Who gets the files, against the manager chain.
    pub transfer_to: Option<String>,
    /// Contained and nothing more, and why: the rest is somebody's to decide.
    pub contain_only: Option<String>,
    /// An approver signed for it: for protected people, and for what an override may do beyond containing.
    pub approved: bool,
}

/// Does a leaver of this person go against HR's word, or beside it?
pub fn overrules(person: &Person, policy: &Policy, now: DateTime<Utc>) -> bool {
    !matches!(judge(person, policy, now), Word::Left { .. })
}

pub fn leaver(seen: &Observation, policy: &Policy, now: DateTime<Utc>, ask: &Ask) -> Result<Plan, Refusal> {
    let cause = cause(seen, policy, now, ask)?;
    if !ask.approved {
        unprotected(&seen.person, &seen.tenant)?;
    }
    let mut l = Leaver {
        seen,
        ask,
        policy,
        now,
        why: cause.why.clone(),
        draft: Draft::default(),
    };
    l.warn_first(&cause);
    let contained = l.contain();
    for (system, s) in &seen.systems {
        if *system != OKTA {
            l.shut(system, s, cause.contain_only.is_some());
        }
    }
    if let Some(why) = &cause.contain_only {
        l.draft.warn(None, None, format!("Contained only: {why}."));
    } else {
        let kept = seen.systems.iter().filter_map(|(system, s)| {
            // Whether or not the directory grants the app, its files come first.
            let kept = l.preserve(system, s)?;
            Some((s.app.clone()?, kept))
        });
        let kept: BTreeMap<String, Kept> = kept.collect();
        l.remove(&contained, &kept);
    }
    l.will_stop();
    let mut plan = l.draft.plan(seen, Flow::Leaver, cause.why);
    plan.held = cause.contain_only;
    plan.effective = cause.effective;
    plan.clock = cause.clock;
    plan.due = cause
        .clock
        .map(|c| c + TimeDelta::from_std(policy.promise).unwrap_or_default());
    Ok(plan)
}

pub(super) struct Leaver<'a> {
    pub seen: &'a Observation,
    pub ask: &'a Ask,
    pub policy: &'a Policy,
    pub now: DateTime<Utc>,
    pub why: String,
    pub draft: Draft,
}

impl Leaver<'_> {
    fn okta(&self, phase: Phase) -> Place<'static> {
        Place {
            phase,
            system: &DIRECTORY,
            account: "",
            on_failure: if phase == Phase::Contain {
                OnFailure::Continue
            } else {
                OnFailure::Owe
            },
        }
    }
    fn put(&mut self, phase: Phase, action: Action, after: &[StepNo], why: impl Into<String>) -> StepNo {
        let seen = self.seen;
        let place = Place {
            account: &seen.person.id.0,
            ..self.okta(phase)
        };
        self.draft.put(place, action, after, why)
    }

    fn warn_first(&mut self, cause: &Cause) {
        if let Some(place) = &cause.zoneless {
            self.draft.warn(
                None,
                None,
                format!("No zone for location \"{place}\": the policy's zone decided."),
            );
        }
        if cause.clock.is_none() {
            self.draft.warn(
                None,
                None,
                "HR's time of record can't be read: the clock of the promise has no start.",
            );
        }
        if let Some(why) = self.seen.tenant.protected.get(&self.seen.person.id) {
            self.draft.warn(
                None,
                None,
                format!("Protected ({why}): only an approver lets this be applied."),
            );
        }
        let credentials = &self.seen.person.credentials;
        if !credentials.is_empty() && credentials != "OKTA" {
            self.draft.warn(
                Some(&OKTA),
                None,
                format!("Credentials live in {credentials}: that account stays alive outside Okta."),
            );
        }
    }

    /// No fresh sign-in first, then no live session: in this order, else a sign-in slips between them.
    fn contain(&mut self) -> Vec<StepNo> {
        let seen = self.seen;
        let person = &self.seen.person;
        let shut = match person.status {
            Status::Suspended | Status::Deprovisioned => None,
            _ if person.offers.contains("suspend") => {
                Some(self.put(Phase::Contain, Action::Suspend, &[], self.why.clone()))
            }
            status => Some(self.put(
                Phase::Contain,
                Action::Deactivate,
                &[],
                format!("Okta does not suspend a person who is {status}"),
            )),
        };
        let first: Vec<StepNo> = shut.into_iter().collect();
        let mut contained = first.clone();
        if lasts(seen, &DIRECTORY, Verb::ClearSessions) {
            let clear = self.put(
                Phase::Contain,
                Action::ClearSessions,
                &first,
                "live sessions outlast a suspension",
            );
            contained.push(clear);
        }
        let account = self.seen.account(&OKTA);
        let grants = account.and_then(|a| a.holds.get(&Holding::Grant));
        let found = grants.and_then(Observed::present).is_some_and(|g| !g.is_empty());
        if found || lasts(seen, &DIRECTORY, Verb::RevokeGrants) {
            self.put(Phase::Contain, Action::RevokeGrants, &first, "apps act on these grants");
        }
        let held = |kind| {
            account
                .into_iter()
                .flat_map(move |a| a.held(kind))
                .cloned()
                .collect::<Vec<_>>()
        };
        for client in held(Holding::Client) {
            self.put(
                Phase::Contain,
                Action::RevokeClientTokens { client },
                &first,
                "live tokens",
            );
        }
        let can = self
            .seen
            .systems
            .get(&OKTA)
            .is_some_and(|s| s.can.contains(&Verb::RevokeToken));
        for token in held(Holding::Token) {
            self.draft.warn(
                Some(&OKTA),
                None,
                format!("Will stop: the API token \"{}\".", token.name),
            );
            if can {
                self.put(
                    Phase::Contain,
                    Action::RevokeToken { token },
                    &first,
                    "an API token of their own",
                );
            }
        }
        for (kind, what) in [(Holding::Client, "OAuth clients"), (Holding::Token, "API tokens")] {
            if let Some(f) = account.and_then(|a| a.holds.get(&kind)).and_then(Observed::unknown) {
                self.draft
                    .unknown(&OKTA, None, format!("{what} were not read ({}).", f.summary));
            }
        }
        contained
    }

    /// Memberships, then direct assignments, then the person: last, so that apps saw their removals.
    fn remove(&mut self, contained: &[StepNo], kept: &BTreeMap<String, Kept>) {
        let seen = self.seen;
        let account = seen.account(&OKTA);
        let mut gone: Vec<(String, StepNo)> = Vec::new();
        match account.map(|a| (a, a.holds.get(&Holding::Group))) {
            Some((_, Some(Observed::Present(groups)))) => {
                for group in groups {
                    match foreign(seen, group) {
                        None | Some(GroupKind::OktaGroup) => {
                            gone.push((group.id.clone(), self.leave_group(group, contained, kept)));
                        }
                        Some(GroupKind::BuiltIn) => {}
                        Some(GroupKind::AppGroup) => self.draft.keep(
                            Some(&OKTA),
                            format!(
                                "Group {} is mastered by its application and must be left there.",
                                group.name
                            ),
                        ),
                    }
                }
            }
            Some((_, Some(Observed::Absent))) => {}
            Some((_, Some(Observed::Unknown(f)))) => self.owe_part("groups", Holding::Group, &f.clone()),
            Some((_, None)) => self.owe_part("groups", Holding::Group, &unread(seen)),
            None => self.owe_part("groups", Holding::Group, &unread(seen)),
        }
        let apps: Vec<Held> = account
            .into_iter()
            .flat_map(|a| a.held(Holding::App))
            .cloned()
            .collect();
        let mut direct = Vec::new();
        for app in apps.iter().filter(|a| a.via.as_deref() == Some("USER")) {
            // Okta refuses while a group still grants it.
            let mut after = contained.to_vec();
            after.extend(granting(seen, &gone, app));
            let why = "assigned directly, no group takes it away";
            let no = self.put(Phase::Remove, Action::UnassignApp { app: app.clone() }, &after, why);
            self.wait_for(no, [app.id.as_str()], kept);
            direct.push((app.id.clone(), no));
        }
        if let Some(f) = account
            .and_then(|a| a.holds.get(&Holding::App))
            .and_then(Observed::unknown)
        {
            self.owe_part("apps", Holding::App, &f.clone());
        }
        let closes = seen.person.status.live()
            && !self
                .draft
                .steps
                .iter()
                .any(|s| s.effect.system == OKTA && matches!(s.effect.action, Action::Deactivate));
        let close = closes.then(|| {
            let after: Vec<StepNo> = (0..self.draft.steps.len())
                .filter(|n| {
                    let ready = |s: &Step| s.effect.system == OKTA && s.waits.is_none();
                    self.draft.steps.get(*n).is_some_and(ready)
                })
                .collect();
            let no = self.put(Phase::Close, Action::Deactivate, &after, self.why.clone());
            // Closing the person ends every assignment: files first here too. Meanwhile they are suspended.
            self.wait_for(no, kept.keys().map(String::as_str), kept);
            no
        });
        self.expect(&apps, &gone, &direct, close);
    }

    /// Memberships and assignments that take an app away come after its files were given to somebody.
    fn wait_for<'k>(&mut self, no: StepNo, apps: impl IntoIterator<Item = &'k str>, kept: &BTreeMap<String, Kept>) {
        for app in apps {
            match kept.get(app) {
                Some(Kept::After(step)) => self.draft.after(no, *step),
                Some(Kept::Waits(waits)) => self.draft.wait(no, waits.clone()),
                None => {}
            }
        }
    }

    fn leave_group(&mut self, group: &Held, contained: &[StepNo], kept: &BTreeMap<String, Kept>) -> StepNo {
        let seen = self.seen;
        let mut apps = apps_of(seen, &group.id);
        let held = seen.account(&OKTA).into_iter().flat_map(|a| a.held(Holding::App));
        apps.extend(
            held.filter(|a| through(a, &group.id))
                .map(|a| (a.id.clone(), a.name.clone())),
        );
        let why = if apps.is_empty() {
            "every membership goes".to_owned()
        } else {
            format!("loses {}", list(apps.values().map(String::as_str)))
        };
        let no = self.put(
            Phase::Remove,
            Action::RemoveMember { group: group.clone() },
            contained,
            why,
        );
        self.wait_for(no, apps.keys().map(String::as_str), kept);
        let rules = seen.tenant.rules_filling(&group.id, &seen.person.id);
        let rules = list(rules.map(|r| r.name.as_str()));
        if !rules.is_empty() {
            self.draft.warn(
                Some(&OKTA),
                Some(no),
                format!(
                    "Rule \"{rules}\" may fill {}. Removing them by hand adds them to the rule's exclusion list; a rehire must be \
                     taken off it.",
                    group.name
                ),
            );
        }
        no
    }

    fn owe_part(&mut self, what: &str, kind: Holding, failure: &Failure) {
        let held = Held::new(kind, "", format!("all {what}"));
        let action = match kind {
            Holding::App => Action::UnassignApp { app: held },
            _ => Action::RemoveMember { group: held },
        };
        let place = Place {
            account: &self.seen.person.id.0,
            ..self.okta(Phase::Remove)
        };
        let no = self.draft.owe(place, action, self.why.clone(), failure.clone(), None);
        self.draft.unknown(
            &OKTA,
            Some(no),
            format!("The {what} were not read ({}); they are owed.", failure.summary),
        );
    }

    fn expect(&mut self, apps: &[Held], gone: &[(String, StepNo)], direct: &[(String, StepNo)], close: Option<StepNo>) {
        let mut by_hand = Vec::new();
        for app in apps {
            let mut by: Vec<StepNo> = granting(self.seen, gone, app).collect();
            by.extend(direct.iter().filter(|(id, _)| *id == app.id).map(|(_, no)| *no));
            if by.is_empty() {
                by.extend(close);
            }
            let known = self.seen.tenant.apps.present().and_then(|all| all.get(&app.id));
            let eyes = self.seen.systems.values().any(|s| s.app.as_ref() == Some(&app.id));
            // Its own steps and its own read say what became of the account.
            if eyes {
                continue;
            }
            let manual = !known.is_some_and(|a| a.deprovisions());
            if manual {
                by_hand.push(app.name.as_str());
            }
            self.draft.expects.push(Expect {
                app: app.clone(),
                assigned: false,
                manual,
                by,
            });
        }
        if !by_hand.is_empty() {
            let text = format!(
                "Okta unassigns {}, but does not take the account away there: a person has to.",
                list(by_hand)
            );
            self.draft.warn(Some(&OKTA), None, text);
        }
    }

    fn will_stop(&mut self) {
        let Some(account) = self.seen.account(&OKTA) else {
            return;
        };
        let roles = list(account.held(Holding::Role).map(|r| r.name.as_str()));
        if !roles.is_empty() {
            self.draft.warn(
                Some(&OKTA),
                None,
                format!("Will stop: what runs by the admin role {roles}."),
            );
        }
        self.owned(&OKTA, account);
    }
}

/// The removals that take this app away.
/// The directory says of an assignment through which group it came.
fn through(app: &Held, group: &str) -> bool {
    app.facts.get("group_id").is_some_and(|id| id == group)
}

fn granting<'a>(
    seen: &'a Observation,
    gone: &'a [(String, StepNo)],
    app: &'a Held,
) -> impl Iterator<Item = StepNo> + 'a {
    gone.iter()
        .filter(|(group, _)| {
            let granted = seen.tenant.apps_of_group.get(group).and_then(Observed::present);
            granted.is_some_and(|apps| apps.contains(&app.id)) || through(app, group)
        })
        .map(|(_, no)| *no)
}

fn unread(seen: &Observation) -> Failure {
    let of_account = seen.systems.get(&OKTA).and_then(|s| s.account.unknown()).cloned();
    of_account.unwrap_or_else(|| Failure::transient("okta", "was not read"))
}

/// Does this plan hold anything that could be started?
pub fn startable(plan: &Plan) -> impl Iterator<Item = &Effect> {
    plan.steps.iter().filter(|s| s.waits.is_none()).map(|s| &s.effect)
}
