//! Takes away everything that a person can reach: contain, remove, close, read top to bottom.
//!
//! A failed or unread part never stops another one. Nothing is planned from a part that could not be read: it is owed, and named.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    dates::{self, Instant},
    draft::{DIRECTORY, Draft, Place, apps_of, foreign, list},
    employment::{Word, judge},
    refusal::Refusal,
};
use crate::model::{
    Account, Action, Effect, Expect, Failure, Flow, GroupKind, Held, Holding, Hr, Kind, Observation, Observed,
    OnFailure, Phase, Plan, Policy, Seen, State, Status, StepNo, System, Verb, policy::OverrideBy, system::OKTA,
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
    /// An approver signed for it: for protected people, and for what an override may do beyond containing.
    pub approved: bool,
}

pub fn leaver(seen: &Observation, policy: &Policy, now: DateTime<Utc>, ask: &Ask) -> Result<Plan, Refusal> {
    let cause = cause(seen, policy, now, ask)?;
    if !ask.approved {
        unprotected(seen)?;
    }
    let mut l = Leaver {
        seen,
        ask,
        why: cause.why.clone(),
        draft: Draft::default(),
    };
    l.warn_first(&cause);
    let contained = l.contain();
    for (system, s) in &seen.systems {
        if *system != OKTA {
            l.shut(system, s, cause.contain_only);
        }
    }
    if cause.contain_only {
        l.draft.warn(
            None,
            None,
            "Contained only: HR has not confirmed, so what comes after waits for an approver.",
        );
    } else {
        l.remove(&contained);
    }
    l.will_stop();
    let mut plan = l.draft.plan(seen, Flow::Leaver, cause.why);
    plan.effective = cause.effective;
    plan.clock = cause.clock;
    plan.due = cause
        .clock
        .map(|c| c + TimeDelta::from_std(policy.promise).unwrap_or_default());
    Ok(plan)
}

/// Why they are a leaver, and since when the clock runs.
struct Cause {
    why: String,
    effective: Option<DateTime<Utc>>,
    clock: Option<DateTime<Utc>>,
    zoneless: Option<String>,
    contain_only: bool,
}

fn cause(seen: &Observation, policy: &Policy, now: DateTime<Utc>, ask: &Ask) -> Result<Cause, Refusal> {
    let person = &seen.person;
    let login = person.login.clone();
    let refusal = match judge(person, policy, now) {
        Word::Left { leaving } => return Ok(confirmed(seen, leaving)),
        Word::Employed { leaves: Some(l) } => Refusal::LeavesLater {
            login,
            at: l.at,
            source: l.source(),
        },
        Word::Employed { leaves: None } => match &person.hr {
            Hr::Converted { worker, ended } => Refusal::Converted {
                login,
                ended: ended.clone(),
                live: worker.key.clone(),
            },
            Hr::Known(w) => Refusal::Employed {
                login,
                since: w.hired.map(|h| dates::day(w, policy, h).to_string()),
            },
            Hr::Missing | Hr::Contradiction(_) => Refusal::Employed { login, since: None },
        },
        Word::Missing => Refusal::NotInRoster { login },
        Word::SetAside(refusal) => refusal,
    };
    match &ask.overrule {
        None => Err(refusal),
        Some(Override { reason, ticket }) => Ok(Cause {
            why: format!("overrides HR: {reason} ({ticket})"),
            effective: Some(now),
            clock: Some(now),
            zoneless: None,
            contain_only: policy.override_by == OverrideBy::Approver && !ask.approved,
        }),
    }
}

fn confirmed(seen: &Observation, leaving: Option<Instant>) -> Cause {
    let recorded = seen.person.worker().and_then(|w| w.recorded);
    let effective = leaving.as_ref().map(|l| l.at);
    let changed = match recorded {
        Some(at) => format!(" (record changed {})", dates::text(at)),
        None => String::new(),
    };
    Cause {
        why: match &leaving {
            Some(l) => format!("HR: left {}, by {}{changed}", dates::text(l.at), l.source()),
            None => format!("HR: no longer employed, without a leaving date{changed}"),
        },
        effective,
        clock: recorded.map(|r| effective.map_or(r, |e| e.max(r))),
        zoneless: leaving.and_then(|l| l.zoneless),
        contain_only: false,
    }
}

/// Protection stops mistakes. Where the list could not be read whole, nobody may be assumed unprotected.
pub(super) fn unprotected(seen: &Observation) -> Result<(), Refusal> {
    let login = seen.person.login.clone();
    if let Some(why) = seen.tenant.protected.get(&seen.person.id) {
        return Err(Refusal::Protected {
            login,
            why: why.clone(),
        });
    }
    match &seen.tenant.protection_unknown {
        Some(failure) => Err(Refusal::ProtectionUnknown {
            login,
            failure: Box::new(failure.clone()),
        }),
        None => Ok(()),
    }
}

struct Leaver<'a> {
    seen: &'a Observation,
    ask: &'a Ask,
    why: String,
    draft: Draft,
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
            self.draft
                .warn(None, None, format!("Protected ({why}); an approver signed."));
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
        if self.lasts(&OKTA, Verb::ClearSessions) {
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
        if found || self.lasts(&OKTA, Verb::RevokeGrants) {
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

    /// Must what no read can show be done (again)? While they can sign in, always. Once shut, only if the ledger does not show it done
    /// for this shutting: afterwards, or shortly before our own deactivation, which never comes first.
    fn lasts(&self, system: &System, verb: Verb) -> bool {
        let done = |s: &System, v| self.seen.done.get(&(s.clone(), v)).copied();
        let person = &self.seen.person;
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
            && suspended.is_none_or(|s| then >= s || then + day < s);
        let elsewhere = *system != OKTA && then + day >= changed;
        !(then >= changed || after_ours || elsewhere)
    }

    /// Another system's account: its sessions end in contain, the account in remove, unless ending sessions is beyond it.
    fn shut(&mut self, system: &System, seen: &Seen, contain_only: bool) {
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
        let clears = can(Verb::ClearSessions) && self.lasts(system, Verb::ClearSessions);
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
        if !can(Verb::ClearSessions) {
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

    /// Memberships, then direct assignments, then the person: last, so that apps saw their removals.
    fn remove(&mut self, contained: &[StepNo]) {
        let seen = self.seen;
        let account = seen.account(&OKTA);
        let mut gone: Vec<(String, StepNo)> = Vec::new();
        match account.map(|a| (a, a.holds.get(&Holding::Group))) {
            Some((_, Some(Observed::Present(groups)))) => {
                for group in groups {
                    match foreign(seen, group) {
                        None | Some(GroupKind::OktaGroup) => {
                            gone.push((group.id.clone(), self.leave_group(group, contained)));
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
                    self.draft
                        .steps
                        .get(*n)
                        .is_some_and(|s| s.effect.system == OKTA && s.waits.is_none())
                })
                .collect();
            self.put(Phase::Close, Action::Deactivate, &after, self.why.clone())
        });
        self.expect(&apps, &gone, &direct, close);
    }

    fn leave_group(&mut self, group: &Held, contained: &[StepNo]) -> StepNo {
        let seen = self.seen;
        let apps = apps_of(seen, &group.id);
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
            let name = known.map_or(app.name.as_str(), |a| a.name.as_str());
            let eyes = self.seen.systems.keys().any(|s| {
                *s != OKTA && (s.as_str().eq_ignore_ascii_case(name) || s.as_str().eq_ignore_ascii_case(&app.name))
            });
            let manual = !eyes && !known.is_some_and(|a| a.deprovisions());
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

    fn owned(&mut self, system: &System, account: &Account) {
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

/// The removals that take this app away.
fn granting<'a>(
    seen: &'a Observation,
    gone: &'a [(String, StepNo)],
    app: &'a Held,
) -> impl Iterator<Item = StepNo> + 'a {
    gone.iter()
        .filter(|(group, _)| {
            let granted = seen.tenant.apps_of_group.get(group).and_then(Observed::present);
            granted.is_some_and(|apps| apps.contains(&app.id)) || app.facts.get("group") == Some(group)
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
