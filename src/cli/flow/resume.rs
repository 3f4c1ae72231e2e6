//! `jml run resume`: finish what was agreed and left undone. Looks first; nothing is run from storage.

use std::{collections::BTreeSet, time::Duration};

use super::{
    act::{self, Cause},
    errors, pause,
    preview::{self, Ask, Subject},
    runs, say,
};
use crate::{
    cli::{command::run::ResumeArgs, context::Context, error::CliError, exit::Exit, firm::Firm},
    ledger::{Guard, LedgerError, PersonState, fold::State},
    model::{Flow, Limits, Observed, Person},
    planner::{
        brake::{self, Facts, PlanSet, Recent},
        consent::{self, Agreed, Consent},
        leaver as leaving,
    },
    run::outbox,
};

pub async fn resume(cx: &Context, firm: &Firm, args: ResumeArgs) -> Result<Exit, CliError> {
    let states = match &args.run {
        Some(run) => {
            let state = named(firm, run).await?;
            // What waited for an approver goes on by the approval, and nothing else.
            if state.people.values().any(PersonState::waits_for_approver) && !state.approvals.is_empty() {
                return runs::go_on(cx, firm, &state.run).await;
            }
            vec![state]
        }
        None => unfinished(firm).await?,
    };
    let mut done: Vec<State> = vec![];
    let mut worst = Exit::Done;
    for state in states {
        if state.opaque {
            return Err(CliError::refused(format!(
                "run {} has entries that this release can't read, or that were purged: it can be shown, not resumed",
                state.run
            )));
        }
        match one(cx, firm, state).await {
            Ok(finished) => done.extend(finished),
            // One run that can't go on (its person is being worked on elsewhere) keeps no other from being finished.
            Err(e) if args.run.is_none() => {
                worst = worst.worse(e.exit);
                cx.out.warn(&e.to_string());
            }
            Err(e) => return Err(e),
        }
    }
    pay(firm, &empty(firm)?).await?;
    let mut shown = vec![];
    for state in done {
        shown.push(firm.ledger.run(&state.run).await?.unwrap_or(state));
    }
    Ok(worst.worse(say::resumed(cx, firm, &shown)))
}

/// The one run whose name begins so.
pub async fn named(firm: &Firm, run: &str) -> Result<State, CliError> {
    let found = firm.ledger.run_by_prefix(run).await?;
    match found.as_slice() {
        [one] => firm.ledger.run(one).await?.ok_or_else(|| errors::no_run(run)),
        [] => Err(errors::no_run(run)),
        several => Err(errors::many_runs(run, several)),
    }
}

async fn unfinished(firm: &Firm) -> Result<Vec<State>, CliError> {
    let runs: BTreeSet<String> = firm.ledger.open_subjects().await?.into_iter().map(|o| o.run).collect();
    let mut states = vec![];
    for run in runs {
        states.extend(firm.ledger.run(&run).await?);
    }
    Ok(states)
}

async fn one(cx: &Context, firm: &Firm, state: State) -> Result<Vec<State>, CliError> {
    let opened = state.opened.as_ref().map(|(_, o)| o.clone());
    let mut people = continuing(firm, &state).await?;
    if people.is_empty() {
        return Ok(vec![state]);
    }
    let paused = firm.ledger.paused().await?;
    if let Some(pause) = &paused {
        people.retain(|(_, ask)| !pause.all && ask.flow() == Flow::Leaver);
        if people.is_empty() {
            return Err(errors::paused(pause));
        }
    }
    let mut tenant = firm
        .tenant(people.iter().map(|(_, a)| a.need()).fold(Default::default(), merge))
        .await?;
    let subjects = preview::look(firm, &mut tenant, people).await?;
    if let Some(refusal) = subjects.iter().find_map(|s| s.plan.as_ref().err()) {
        return Err(errors::refusal(refusal));
    }
    let plans: Vec<_> = subjects.iter().filter_map(|s| s.plan.clone().ok()).collect();
    if let Some(pause) = paused.filter(|_| !plans.iter().any(pause::contains)) {
        return Err(errors::paused(&pause));
    }
    let logins = plans.iter().map(|p| p.login.clone()).collect();
    let population = firm.population().await;
    let facts = Facts {
        by_hand: true,
        recent: Recent {
            leavers_24h: firm.leavers_24h().await?,
        },
        ..Facts::default()
    };
    let cleared =
        brake::clear(PlanSet { plans, population }, &firm.config.limits, &facts).map_err(|t| errors::trip(&t))?;
    // Agreed when the run began; the entry says so.
    let agreed = consent::agree(cleared, Consent::Typed(logins)).map_err(|r| errors::refusal(&r))?;
    let cause = Cause {
        kind: "resume",
        consent: "agreed when the run began".to_owned(),
        reason: opened.as_ref().and_then(|o| o.reason.clone()),
        ticket: opened.and_then(|o| o.ticket),
        population,
        under: Guard::default(),
        spends: vec![],
    };
    waited(cx, firm, &state.run, &subjects).await?;
    let parties = act::parties(&state.run, subjects);
    act::act(cx, firm, &mut tenant, parties, agreed, &cause, None).await
}

/// A process that was killed on another host leaves leases that expire: waited for, once. Whoever lives refreshes them, and is told of
/// when they are asked for again.
async fn waited(cx: &Context, firm: &Firm, run: &str, subjects: &[Subject]) -> Result<(), CliError> {
    let ids: Vec<_> = subjects.iter().map(|s| s.id().0.clone()).collect();
    match firm.ledger.lease(&ids, run).await {
        Ok(lease) => lease.release().await?,
        Err(e @ LedgerError::LeaseHeld { ends: Some(ends), .. }) => {
            cx.out.talk(&format!(
                "{e}. Waiting {} s for its lease to end ...",
                ends.as_secs() + 1
            ));
            let mut stop = cx.signals.stop();
            tokio::select! {
                () = tokio::time::sleep(ends + Duration::from_secs(1)) => {}
                _ = stop.wait_for(Option::is_some) => {}
            }
        }
        Err(e) => return Err(e.into()),
    }
    Ok(())
}

/// Who of a run is not finished, each with the planner that the run was for.
pub async fn continuing(firm: &Firm, state: &State) -> Result<Vec<(Person, Ask)>, CliError> {
    let mut found = vec![];
    for p in state.people.values().filter(|p| !p.finished() && p.held.is_none()) {
        let ask = match p.flow {
            Flow::Leaver => Ask::Leaver(leaving::Ask {
                overrule: overrule(state),
                approved: state.approved(&p.subject),
                ..leaving::Ask::default()
            }),
            Flow::Mover => Ask::Mover,
            Flow::Joiner => Ask::Joiner(Default::default()),
            // Asked for again by policy, or by hand: nothing to take up.
            Flow::Leave | Flow::Groups => continue,
        };
        match firm.look.directory.person(&p.subject).await {
            Ok(Observed::Present(person)) => found.push((person, ask)),
            Ok(Observed::Absent) => {
                return Err(CliError::new(
                    Exit::Who,
                    format!("{} of run {} is no longer in Okta", p.login, state.run),
                ));
            }
            Ok(Observed::Unknown(f)) | Err(f) => return Err(CliError::unread(&f)),
        }
    }
    let (people, asks): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(firm.employ(people).await?.into_iter().zip(asks).collect())
}

pub fn overrule(state: &State) -> Option<leaving::Override> {
    let (_, o) = state.opened.as_ref()?;
    Some(leaving::Override {
        reason: o.reason.clone()?,
        ticket: o.ticket.clone()?,
    })
}

pub fn merge(a: crate::run::observe::Need, b: crate::run::observe::Need) -> crate::run::observe::Need {
    crate::run::observe::Need {
        groups: a.groups || b.groups,
        rules: a.rules || b.rules,
        apps: a.apps || b.apps,
        admins: a.admins || b.admins,
        tokens: a.tokens || b.tokens,
        offers: a.offers || b.offers,
    }
}

/// Permission to do nothing but deliver what is owed: agreed to long ago, and no plan is in it.
pub fn empty(firm: &Firm) -> Result<Agreed, CliError> {
    nothing(&firm.config.limits)
}

pub fn nothing(limits: &Limits) -> Result<Agreed, CliError> {
    let cleared = brake::clear(PlanSet::default(), limits, &Facts::default()).map_err(|t| errors::trip(&t))?;
    consent::agree(cleared, Consent::Standing).map_err(|r| errors::refusal(&r))
}

/// Delivers every record that is owed, whatever run it is of. Returns how many are owed still.
pub async fn pay(firm: &Firm, agreed: &Agreed) -> Result<usize, CliError> {
    let owed = firm.ledger.outbox().await?;
    if owed.is_empty() {
        return Ok(0);
    }
    let (_, recorders) = firm.hands(agreed)?;
    outbox::deliver(
        &recorders,
        &firm.ledger,
        &Guard::default(),
        &firm.operator.name().await?,
        owed,
    )
    .await?;
    Ok(firm.ledger.outbox().await?.len())
}
