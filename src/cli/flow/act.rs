//! From permission to the end of a run: lease, look again, act, settle, tell.
//!
//! The one way that joiner, mover, leaver, sweep and resume share; they differ in how they found the people and how consent was given.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;

use super::{
    errors, fresh,
    preview::{Subject, look_again},
    spooled, stage,
};
use crate::{
    cli::{context::Context, error::CliError, firm::Firm, signal::Stage},
    ledger::{
        Guard, Lease, Seq,
        entry::{Body, Draft, Opened, Subject as Id},
        fold::State,
    },
    model::{Manifest, Observed, Plan, Seen, System},
    planner::{brake::PlanSet, consent::Agreed},
    run::{
        self, Crew,
        book::Book,
        observe::{Target, Tenant},
        outbox, settle,
    },
};

/// How the run is named in its first entry.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The command.
    pub kind: &'static str,
    /// `typed the login`, `--confirm`, `--yes`.
    pub consent: String,
    pub reason: Option<String>,
    pub ticket: Option<String>,
    /// How many people were read: what percentages are of.
    pub population: usize,
    /// What must hold beside the leases on its people: a sweep's own.
    pub under: Guard,
    /// Approvals that this uses up.
    pub spends: Vec<Spend>,
}

/// An approval, and the run that it was given in.
#[derive(Clone, Debug)]
pub struct Spend {
    pub run: String,
    pub approval: Seq,
}

/// People of one run: a new one, or one that was left unfinished.
pub struct Party {
    pub run: String,
    pub before: Option<State>,
    pub subjects: Vec<Subject>,
}

/// Whoever has an unfinished run of the same flow is taken up in it, so that a leaving has one record; all others share a new run.
pub fn parties(run: &str, subjects: Vec<Subject>) -> Vec<Party> {
    let mut all: BTreeMap<String, Party> = BTreeMap::new();
    for mut s in subjects {
        let flow = s.ask.flow();
        let open = s.open.take().filter(|state| {
            !state.opaque
                && state
                    .people
                    .get(&s.id().0)
                    .is_some_and(|p| p.flow == flow && p.held.is_none())
        });
        let name = open.as_ref().map_or(run, |o| o.run.as_str()).to_owned();
        let party = all.entry(name.clone()).or_insert_with(|| Party {
            run: name,
            before: open,
            subjects: vec![],
        });
        party.subjects.push(s);
    }
    all.into_values().collect()
}

/// Whom a sweep passed over, and why: somebody else works on them, or the fresh look refuses.
pub type Passed = Vec<(Subject, CliError)>;

/// Leases first, then a fresh look, then the same plans again; only then are write credentials fetched. By hand the first person who
/// can't be worked on ends the command; a sweep (`passed` is given) goes on with the others.
pub async fn act(
    cx: &Context,
    firm: &Firm,
    tenant: &mut Tenant,
    parties: Vec<Party>,
    agreed: Agreed,
    cause: &Cause,
    mut passed: Option<&mut Passed>,
) -> Result<Vec<State>, CliError> {
    let mut fresh = vec![];
    for mut p in parties {
        let (mut leases, mut held) = (vec![], vec![]);
        for s in std::mem::take(&mut p.subjects) {
            match (firm.ledger.lease(&[s.id().0.clone()], &p.run).await, &mut passed) {
                (Ok(lease), _) => {
                    leases.push(lease);
                    held.push(s);
                }
                (Err(e), Some(passed)) => passed.push((s, e.into())),
                (Err(e), None) => return Err(e.into()),
            }
        }
        let (ready, refused): (Vec<_>, Vec<_>) = look_again(firm, tenant, &held)
            .await?
            .into_iter()
            .partition(|s| s.plan.is_ok());
        for s in refused {
            let e = s
                .plan
                .as_ref()
                .err()
                .map_or_else(|| CliError::internal("a refusal without a reason"), errors::refusal);
            match &mut passed {
                Some(passed) => passed.push((s, e)),
                None => return Err(e),
            }
        }
        if !ready.is_empty() {
            fresh.push((Party { subjects: ready, ..p }, leases));
        }
    }
    let plans = fresh
        .iter()
        .flat_map(|(p, _)| p.subjects.iter())
        .filter_map(|s| s.plan.clone().ok())
        .collect();
    let agreed = agreed
        .renew(PlanSet {
            plans,
            population: cause.population,
        })
        .map_err(|stale| errors::stale(&stale))?;
    apply(cx, firm, tenant, fresh, &agreed, cause).await
}

/// Acts on what was agreed, under leases that are held already.
async fn apply(
    cx: &Context,
    firm: &Firm,
    tenant: &Tenant,
    parties: Vec<(Party, Vec<Lease>)>,
    agreed: &Agreed,
    cause: &Cause,
) -> Result<Vec<State>, CliError> {
    let jobs = parties
        .into_iter()
        .map(|(party, leases)| (job(tenant, party), leases))
        .collect();
    carry_out(cx, firm, jobs, agreed, cause).await
}

/// One subject of a run: whom or what to act on, what was read of it, and how to read it again.
pub struct Work {
    pub subject: Id,
    pub plan: Plan,
    pub manifest: Manifest,
    pub systems: BTreeMap<System, Seen>,
    pub target: Target,
}

/// Subjects of one run, a new one or one that was left unfinished.
pub struct Job {
    pub run: String,
    pub before: Option<State>,
    pub work: Vec<Work>,
}

fn job(tenant: &Tenant, party: Party) -> Job {
    let shared = Arc::new(tenant.catalogue.clone());
    let work = party.subjects.into_iter().filter_map(|s| {
        let plan = s.plan.ok()?;
        Some(Work {
            subject: s.seen.person.id.0.clone(),
            manifest: manifest(&s.seen.systems, &plan),
            plan,
            systems: s.seen.systems,
            target: Target::Person {
                person: Box::new(s.seen.person),
                handles: s.handles,
                tenant: shared.clone(),
            },
        })
    });
    Job {
        run: party.run,
        before: party.before,
        work: work.collect(),
    }
}

/// Fetches write credentials and carries out every job side by side, each to its end, its records included.
pub async fn carry_out(
    cx: &Context,
    firm: &Firm,
    jobs: Vec<(Job, Vec<Lease>)>,
    agreed: &Agreed,
    cause: &Cause,
) -> Result<Vec<State>, CliError> {
    fresh::clock(firm)?;
    let operator = firm.operator.name().await?;
    let (hands, recorders) = firm.hands(agreed)?;
    if let Some((job, _)) = jobs.first() {
        cx.run.get_or_init(|| job.run.clone());
    }
    cx.signals.enter(Stage::Applying);
    spend(firm, cause, &operator).await?;
    let stop = stage::stop(cx);
    let (events, view) = stage::view(cx);
    let work = jobs.into_iter().map(|(job, leases)| {
        let crew = Crew {
            run: job.run.clone(),
            operator: operator.clone(),
            eyes: firm.look.eyes.clone(),
            hands: hands.clone(),
            recorders: recorders.clone(),
            wording: stage::wording(cx, firm),
            tags: firm.tags(cause.kind),
            ledger: firm.ledger.clone(),
            spool: firm.spool.clone(),
            host: cx.host(),
            guard: Guard {
                fences: cause
                    .under
                    .fences
                    .iter()
                    .cloned()
                    .chain(leases.iter().flat_map(|l| l.guard().fences))
                    .collect(),
                ..Guard::default()
            },
            clock: firm.clock.clone(),
            events: events.clone(),
            stop: stop.clone(),
            patience: firm.patience,
        };
        async move {
            let run = job.run.clone();
            let mut book = match &firm.away {
                None => Book::new(&crew),
                Some(away) => Book::away(&crew, away.why.clone()),
            };
            let (state, targets) = begin(firm, &crew, &mut book, job, cause).await?;
            let reached = run::execute::execute(&crew, &mut book, state, &targets)
                .await
                .map_err(|e| errors::begun(e.into()))?;
            if let Some(pause) = reached.paused {
                cx.pause.stopped(pause);
            }
            let state = reached.state;
            if book.is_away() {
                return spooled::end(cx, firm, book.into_spool(), state).await;
            }
            let ended = async {
                let owed: Vec<_> = state.undelivered().cloned().collect();
                outbox::deliver(&crew.recorders, &crew.ledger, &crew.guard, &crew.operator, owed).await?;
                for lease in leases {
                    lease.release().await?;
                }
                firm.ledger.run(&run).await
            };
            ended
                .await
                .map_err(|e| errors::begun(e.into()))?
                .ok_or_else(|| CliError::internal(format!("run {run} left no trace in the ledger")))
        }
    });
    // Each run ends by itself: one whose ledger fails takes no other with it.
    let done = join_all(work.collect::<Vec<_>>()).await;
    drop(events);
    view.close().await;
    done.into_iter().collect()
}

/// Used once, whatever comes after: on disk before the first effect.
async fn spend(firm: &Firm, cause: &Cause, operator: &str) -> Result<(), CliError> {
    let draft = |s: &Spend| Draft {
        run: s.run.clone(),
        operator: operator.to_owned(),
        body: Body::Spent { approval: s.approval },
    };
    if !cause.spends.is_empty() {
        let drafts = cause.spends.iter().map(draft).collect();
        firm.ledger.append(&cause.under, drafts).await?;
    }
    Ok(())
}

/// The first entries of a run, or of its continuation: what is now known of the old steps, then the plan of what is left.
async fn begin(
    firm: &Firm,
    crew: &Crew,
    book: &mut Book<'_>,
    job: Job,
    cause: &Cause,
) -> Result<(State, BTreeMap<Id, Target>), CliError> {
    let mut bodies = vec![];
    let mut state = job.before.unwrap_or_default();
    if state.opened.is_none() {
        state.run = job.run.clone();
        bodies.push(Body::Opened(Opened {
            kind: cause.kind.to_owned(),
            operator: crew.operator.clone(),
            consent: cause.consent.clone(),
            config: firm.config.digest(),
            policy: firm.config.policy_digest(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reason: cause.reason.clone(),
            ticket: cause.ticket.clone(),
            role: super::say::role(firm),
            former: firm.former().await?,
        }));
    } else {
        bodies.push(Body::Resumed {
            operator: crew.operator.clone(),
        });
    }
    let mut targets = BTreeMap::new();
    for w in job.work {
        if let Some(old) = state.people.get(&w.subject) {
            let verdicts = settle::settle(old, &w.systems, w.target.tenant(), None);
            bodies.extend(settle::entries(old, &verdicts));
            // Apps that are gone already are not in the new plan: said now, or never.
            let met = settle::expectations(old, w.systems.get(&crate::model::system::OKTA)).into_iter();
            bodies.extend(
                met.filter(|(_, o)| o.settled())
                    .map(|(expect, outcome)| Body::Expected {
                        subject: w.subject.clone(),
                        expect,
                        outcome,
                    }),
            );
        }
        bodies.push(Body::Planned {
            subject: w.subject.clone(),
            plan: w.plan,
            manifest: w.manifest,
        });
        targets.insert(w.subject, w.target);
    }
    run::execute::move_on(&mut state, crew, &bodies)?;
    book.write(&crew.guard, &mut state, &bodies, vec![]).await?;
    Ok((state, targets))
}

/// What was held before the change.
fn manifest(systems: &BTreeMap<System, Seen>, plan: &Plan) -> Manifest {
    let mut m = Manifest::default();
    for (system, seen) in systems {
        match &seen.account {
            Observed::Present(a) => {
                m.accounts.insert(system.clone(), a.clone());
            }
            Observed::Unknown(f) => {
                m.unread.insert(system.clone(), f.to_string());
            }
            Observed::Absent => {}
        }
    }
    m.owned = plan
        .notes
        .iter()
        .filter(|n| n.text.starts_with("Will stop"))
        .map(|n| n.text.clone())
        .collect();
    m
}
