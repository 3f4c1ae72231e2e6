//! `on_brake = "contain"`: though a brake tripped, the first leavers are shut out, no more of them within a day than may leave. What comes
//! after is held like everybody else's, planned anew, so that an approval fits what is left.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use super::held::Braked;
use crate::{
    cli::{
        context::Context,
        error::CliError,
        firm::Firm,
        flow::{
            act::{self, Cause, Passed},
            errors,
            preview::{self, Ask, Subject},
        },
    },
    ledger::{Guard, State, Subject as Id},
    model::{Flow, Limits, Observed, Person, PersonId, Plan, policy::OnBrake},
    planner::{
        brake::{self, Facts, PlanSet, Recent},
        consent::{self, Consent},
        leaver as leaving,
    },
    run::observe::Tenant,
};

/// What a tripped brake leaves: everybody's plan to be held, and whom it contained first.
pub(super) struct Held {
    pub work: Vec<Subject>,
    pub contained: BTreeSet<Id>,
    pub states: Vec<State>,
}

#[expect(
    clippy::too_many_arguments,
    reason = "a sweep's own, none of which another could stand for"
)]
pub(super) async fn first(
    cx: &Context,
    firm: &Firm,
    tenant: &mut Tenant,
    work: Vec<Subject>,
    limits: &Limits,
    recent: &Recent,
    braked: &Braked<'_>,
    under: &Guard,
) -> Result<Held, CliError> {
    let population = braked.read.facts.people.len();
    let chosen = match limits.on_brake {
        OnBrake::Contain if !braked.trip.fatal() => choose(firm, &work, limits, population, recent),
        OnBrake::Contain | OnBrake::Hold => vec![],
    };
    let ids = |all: &[Subject]| -> BTreeSet<Id> { all.iter().map(|s| s.id().0.clone()).collect() };
    if chosen.is_empty() || braked.looks {
        return Ok(Held {
            contained: ids(&chosen),
            work,
            states: vec![],
        });
    }
    let plans: Vec<Plan> = chosen.iter().filter_map(|s| s.plan.clone().ok()).collect();
    let facts = Facts {
        recent: recent.clone(),
        ..Facts::default()
    };
    let cleared = brake::clear(PlanSet { plans, population }, limits, &facts).map_err(|t| errors::trip(&t))?;
    let agreed = consent::agree(cleared, Consent::Standing).map_err(|r| errors::refusal(&r))?;
    let cause = Cause {
        kind: "sweep",
        consent: "--yes, on_brake = \"contain\"".to_owned(),
        reason: None,
        ticket: None,
        population,
        under: under.clone(),
        spends: vec![],
    };
    let mut passed: Passed = vec![];
    // In the run that holds what is left of them: a leaving has one record.
    let parties = act::parties(braked.run, chosen);
    let states = act::act(cx, firm, tenant, parties, agreed, &cause, Some(&mut passed)).await?;
    let contained: BTreeSet<Id> = states.iter().flat_map(|s| s.people.keys().cloned()).collect();
    let work = again(firm, tenant, work, &contained).await?;
    Ok(Held {
        work,
        contained,
        states,
    })
}

/// Whoever has an unfinished run was begun before: it is not cut short by a smaller plan.
fn choose(firm: &Firm, work: &[Subject], limits: &Limits, population: usize, recent: &Recent) -> Vec<Subject> {
    let now = firm.now();
    let fresh = |s: &&Subject| s.ask.flow() == Flow::Leaver && s.open.is_none();
    let contains = |s: &Subject| {
        let Ask::Leaver(ask) = &s.ask else { return None };
        let ask = Ask::Leaver(leaving::Ask {
            contain_only: Some("a brake tripped, and the rest is held".to_owned()),
            ..ask.clone()
        });
        let plan = preview::decide(firm, &ask, &s.seen, now);
        plan.as_ref().is_ok_and(|p| !p.is_empty()).then(|| Subject {
            ask,
            seen: s.seen.clone(),
            handles: s.handles.clone(),
            open: None,
            plan,
        })
    };
    let able: Vec<Subject> = work.iter().filter(fresh).filter_map(contains).collect();
    let chosen = brake::containable(able.iter().map(Subject::id), limits, population, recent);
    able.into_iter().filter(|s| chosen.contains(s.id())).collect()
}

/// What is left of those who were contained. Who can't be read again keeps the plan that was made before.
async fn again(
    firm: &Firm,
    tenant: &mut Tenant,
    work: Vec<Subject>,
    contained: &BTreeSet<Id>,
) -> Result<Vec<Subject>, CliError> {
    let ids: Vec<PersonId> = contained.iter().cloned().map(PersonId).collect();
    let read: Vec<Option<Person>> = stream::iter(&ids)
        .map(|id| async move {
            match firm.look.directory.person(&id.0).await {
                Ok(Observed::Present(person)) => Some(person),
                Ok(Observed::Absent | Observed::Unknown(_)) | Err(_) => None,
            }
        })
        .buffered(16)
        .collect()
        .await;
    let people = firm.employ(read.into_iter().flatten().collect()).await?;
    let ask = |p: &Person| work.iter().find(|s| s.id() == &p.id).map(|s| s.ask.clone());
    let asked = people.into_iter().filter_map(|p| ask(&p).map(|ask| (p, ask))).collect();
    let mut fresh = preview::look(firm, tenant, asked).await?;
    let anew = |s: Subject| match fresh.iter().position(|f| f.id() == s.id() && f.plan.is_ok()) {
        Some(at) => fresh.swap_remove(at),
        None => s,
    };
    Ok(work.into_iter().map(anew).collect())
}
