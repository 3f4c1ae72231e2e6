//! A linter for plans, shared by the planners' tests, the operator and the brake: what no plan may ever do is fatal, whoever wrote it.
//!
//! It judges the plan as it stands and plans nothing itself.

use std::collections::BTreeSet;

use crate::model::{
    Action, Flow, GroupKind, Mark, Note, Observation, Observed, Phase, Plan, Policy, Severity, State, Status, Step,
    StepNo, Verb, system::OKTA,
};

/// To be added to the plan's notes: a fatal one keeps it out of `Cleared`.
pub fn check(plan: &Plan, policy: &Policy, seen: &Observation) -> Vec<Note> {
    let mut lint = Lint {
        plan,
        seen,
        notes: Vec::new(),
    };
    lint.identity();
    lint.graph();
    lint.groups(policy);
    lint.order();
    if plan.flow == Flow::Leaver {
        lint.leaver();
    }
    lint.notes
}

struct Lint<'a> {
    plan: &'a Plan,
    seen: &'a Observation,
    notes: Vec<Note>,
}

impl Lint<'_> {
    fn fatal(&mut self, step: Option<StepNo>, text: impl Into<String>) {
        self.notes.push(Note {
            mark: Mark::Attention,
            severity: Severity::Fatal,
            system: None,
            text: text.into(),
            step,
        });
    }

    fn identity(&mut self) {
        if self.plan.person.as_ref() != Some(&self.seen.person.id) {
            self.fatal(None, "the plan is for another person");
        }
        if self.plan.tenant != self.seen.tenant.tenant {
            self.fatal(None, "the plan is for another tenant");
        }
        // A leaver's approver is asked for where the plan is made: leaver() refuses without one.
        if self.plan.flow != Flow::Leaver
            && !self.plan.is_empty()
            && let Some(why) = self.seen.tenant.protected.get(&self.seen.person.id)
        {
            self.fatal(None, format!("the person is protected: {why}"));
        }
        for (no, step) in self.plan.steps.iter().enumerate() {
            let known = self.seen.account(&step.effect.system).map(|a| a.id.as_str());
            let message = matches!(step.effect.action, Action::SendMessage { .. });
            let id = step.effect.account.as_str();
            if step.waits.is_none() && !message && known.is_some_and(|k| k != id) && id != self.seen.person.id.0 {
                self.fatal(Some(no), format!("step {no} acts on an account that is not theirs"));
            }
        }
    }

    /// Steps come after earlier ones only, never after one that can't start, and never twice.
    fn graph(&mut self) {
        let steps = &self.plan.steps;
        for (no, step) in steps.iter().enumerate() {
            for after in &step.after {
                match steps.get(*after) {
                    Some(before) if *after < no && before.waits.is_some() => {
                        self.fatal(
                            Some(no),
                            format!("step {no} comes after step {after}, which can't start"),
                        );
                    }
                    Some(_) if *after < no => {}
                    Some(_) | None => {
                        self.fatal(Some(no), format!("step {no} comes after step {after}, which is later"))
                    }
                }
            }
            if steps.iter().take(no).any(|s| s.effect == step.effect) {
                self.fatal(Some(no), format!("step {no} does again what an earlier one does"));
            }
        }
    }

    fn groups(&mut self, policy: &Policy) {
        let seen = self.seen;
        for (no, step) in self.plan.steps.iter().enumerate() {
            let (Action::AddMember { group } | Action::RemoveMember { group }) = &step.effect.action else {
                continue;
            };
            let Some(known) = seen.tenant.group(&group.id) else {
                continue;
            };
            match known.kind {
                GroupKind::OktaGroup => {}
                GroupKind::BuiltIn => self.fatal(Some(no), format!("group {} is built in", known.name)),
                GroupKind::AppGroup => {
                    self.fatal(Some(no), format!("group {} is mastered by its application", known.name))
                }
            }
            if known.admin && step.effect.action.gives() {
                self.fatal(
                    Some(no),
                    format!("group {} carries an admin role: policy may not give it", known.name),
                );
            }
        }
        let named = super::entitle::policy_groups(policy);
        let admin = seen.tenant.groups.present().into_iter().flatten();
        for (_, group) in admin.filter(|(_, g)| g.admin && named.contains(&g.name)) {
            let given = self
                .plan
                .steps
                .iter()
                .any(|s| s.effect.action.object() == Some(&group.name));
            if !given && self.plan.flow != Flow::Leaver {
                self.notes.push(Note {
                    mark: Mark::Attention,
                    severity: Severity::Warn,
                    system: Some(OKTA),
                    text: format!("Policy names {}, which carries an admin role.", group.name),
                    step: None,
                });
            }
        }
    }

    /// Remove before add; sign-out after the shutting; the person last.
    fn order(&mut self) {
        let steps = &self.plan.steps;
        let ready = |s: &&(StepNo, &Step)| s.1.waits.is_none();
        let all: Vec<(StepNo, &Step)> = steps.iter().enumerate().collect();
        let removals: Vec<StepNo> = all
            .iter()
            .filter(ready)
            .filter(|(_, s)| s.phase == Phase::Remove)
            .map(|(no, _)| *no)
            .collect();
        let mut wrong = Vec::new();
        for (no, step) in all.iter().filter(ready) {
            let before = ancestors(steps, *no);
            let missing = removals.iter().find(|r| !before.contains(r));
            if step.phase == Phase::Add && step.effect.action.gives() && missing.is_some() {
                wrong.push((*no, format!("step {no} gives before everything stale is gone")));
            }
            let okta = |n: &&StepNo| steps.get(**n).is_some_and(|s| s.effect.system == OKTA);
            if step.phase == Phase::Close
                && step.effect.action == Action::Deactivate
                && removals.iter().filter(okta).any(|r| !before.contains(r))
            {
                wrong.push((*no, format!("step {no} closes the person before the removals")));
            }
            if step.effect.action == Action::ClearSessions && step.effect.system == OKTA {
                let shut = all.iter().filter(ready).find(|(_, s)| {
                    s.effect.system == OKTA
                        && s.phase == Phase::Contain
                        && matches!(s.effect.action, Action::Suspend | Action::Deactivate)
                });
                if shut.is_some_and(|(n, _)| !before.contains(n)) {
                    wrong.push((*no, format!("step {no} signs out somebody who can sign in again")));
                }
            }
        }
        for (no, text) in wrong {
            self.fatal(Some(no), text);
        }
    }

    /// Shut, and no present account forgotten.
    fn leaver(&mut self) {
        let okta = |a: &Action| {
            self.plan
                .steps
                .iter()
                .any(|s| s.effect.system == OKTA && s.effect.action == *a)
        };
        let (suspends, closes) = (okta(&Action::Suspend), okta(&Action::Deactivate));
        let status = self.seen.person.status;
        if !suspends && !closes && !matches!(status, Status::Suspended | Status::Deprovisioned) {
            self.fatal(None, "the person can still sign in");
        }
        // Contained only, for an override that waits: the rest comes with the approver.
        if status.live() && !closes {
            return;
        }
        let mut forgotten = Vec::new();
        for (system, s) in &self.seen.systems {
            let live = match &s.account {
                // Where suspending is all that can be done, suspended is done.
                Observed::Present(a) => match a.state {
                    State::Closed => false,
                    State::Suspended => s.can.contains(&Verb::Deactivate),
                    State::Pending | State::Active => !s.can.contains(&Verb::ByHand),
                },
                Observed::Unknown(_) => true,
                Observed::Absent => false,
            };
            if live && !self.plan.steps.iter().any(|step| step.effect.system == *system) {
                forgotten.push(system.clone());
            }
        }
        for system in forgotten {
            self.fatal(None, format!("the account in {system} is forgotten"));
        }
    }
}

/// Everything that has ended when the step starts.
fn ancestors(steps: &[Step], no: StepNo) -> BTreeSet<StepNo> {
    let mut all = BTreeSet::new();
    let mut next: Vec<StepNo> = steps.get(no).map(|s| s.after.clone()).unwrap_or_default();
    while let Some(n) = next.pop() {
        if all.insert(n) {
            next.extend(steps.get(n).into_iter().flat_map(|s| &s.after));
        }
    }
    all
}
