//! Consent: what turns a cleared set of plans into permission to act.
//!
//! Nobody agrees to a plan that they were not shown: after the lease the plans are made again, and another id ends here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    brake::{Cleared, PlanSet},
    refusal::Refusal,
};
use crate::model::{Flow, Plan, PlanId};

/// How somebody agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// y at the prompt, or `--yes`, to exactly what was shown. Not enough for a leaver by hand.
    Yes,
    /// Logins typed at the prompt, or given by `--confirm`.
    Typed(BTreeSet<String>),
    /// An unattended sweep: whatever a person's fresh plan is, within the brake, of the same flow.
    Standing,
}

/// Proof that somebody agreed to exactly these plans. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Agreed {
    set: PlanSet,
    standing: bool,
}

pub fn agree(cleared: Cleared, consent: Consent) -> Result<Agreed, Refusal> {
    let needs_login = |p: &&Plan| p.flow == Flow::Leaver && !p.is_empty();
    let missing: Vec<String> = match &consent {
        Consent::Standing => Vec::new(),
        Consent::Yes => logins(cleared.plans().iter().filter(needs_login)),
        Consent::Typed(typed) => logins(
            cleared
                .plans()
                .iter()
                .filter(|p| !p.is_empty() && !typed.contains(&p.login)),
        ),
    };
    if !missing.is_empty() {
        return Err(Refusal::NotAgreed { missing });
    }
    Ok(Agreed {
        set: cleared.into_set(),
        standing: consent == Consent::Standing,
    })
}

fn logins<'a>(plans: impl Iterator<Item = &'a Plan>) -> Vec<String> {
    plans.map(|p| p.login.clone()).collect()
}

/// The world moved between the plan and the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    pub login: String,
    pub was: PlanId,
    pub is: PlanId,
    /// The steps that came and went: `- remove-member ROLE-ENG in okta`.
    pub moved: Vec<String>,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the plan for {} was {} and is {} now: {}",
            self.login,
            self.was,
            self.is,
            self.moved.join(", ")
        )
    }
}

impl std::error::Error for Stale {}

impl Agreed {
    pub fn plans(&self) -> &[Plan] {
        &self.set.plans
    }

    /// The same plans, made again under the lease. A person for whom nothing is left to do any more needs nobody's consent.
    pub fn renew(self, fresh: PlanSet) -> Result<Agreed, Stale> {
        let old: BTreeMap<&str, &Plan> = self.set.plans.iter().map(|p| (p.login.as_str(), p)).collect();
        for plan in &fresh.plans {
            if plan.is_empty() {
                continue;
            }
            let was = old.get(plan.login.as_str()).copied();
            let agreed = was.is_some_and(|w| {
                let same = w.person == plan.person && w.tenant == plan.tenant && w.flow == plan.flow;
                same && (self.standing || w.id() == plan.id())
            });
            if !agreed {
                return Err(Stale {
                    login: plan.login.clone(),
                    was: was.map_or_else(|| PlanId(String::new()), Plan::id),
                    is: plan.id(),
                    moved: was.map_or_else(Vec::new, |w| moved(w, plan)),
                });
            }
        }
        Ok(Agreed {
            set: fresh,
            standing: self.standing,
        })
    }
}

/// What differs, in words.
pub fn moved(was: &Plan, is: &Plan) -> Vec<String> {
    let lines = |p: &Plan| -> BTreeSet<String> {
        p.steps
            .iter()
            .map(|s| {
                let object = s.effect.action.object().map(|o| format!(" {o}")).unwrap_or_default();
                let owed = if s.waits.is_some() { " (owed)" } else { "" };
                format!("{}{object} in {}{owed}", s.effect.action.name(), s.effect.system)
            })
            .collect()
    };
    let (a, b) = (lines(was), lines(is));
    let mut out: Vec<String> = a.difference(&b).map(|l| format!("no longer {l}")).collect();
    out.extend(b.difference(&a).map(|l| format!("now {l}")));
    if out.is_empty() {
        out.push("the order of steps".to_owned());
    }
    out
}
