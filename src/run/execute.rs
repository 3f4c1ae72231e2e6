//! One loop: write down what ended and what starts, then act, then wait for one thing to end.
//!
//! No other code writes Started or Finished. It decides nothing: which step may start is the fold's answer, whether a postcondition holds
//! is the effect's own, what a failure does to the steps after it stands in the plan.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{Crew, Stop, observe::Target, outbox, settle};
use crate::{
    ledger::{
        LedgerError,
        entry::{Body, Draft, Entry, Envelope, Subject},
        fold::{PersonState, Progress, State, StepRecord},
    },
    model::{
        Event, Failure, Kind, Observed, OnFailure, Outcome, Phase, Receipt, Repeat, Seen, StepNo, System, Verdict,
        system::OKTA,
    },
    providers::{BoxFuture, Task},
};

/// Calls in flight of one run: below Okta's cap of 35 for a free organisation; the governor narrows further, by bucket.
const WIDTH: usize = 32;
/// How long one effect may go on being retried.
const EFFECT: chrono::TimeDelta = chrono::TimeDelta::seconds(30);
/// After a first signal, what is in flight gets this long.
const LAST_CALLS: Duration = Duration::from_secs(10);

/// Something that ended.
enum Ended {
    Effect {
        subject: Subject,
        step: StepNo,
        outcome: Outcome,
        receipt: Option<Receipt>,
        took: Duration,
    },
    Look {
        subject: Subject,
        system: System,
        seen: Seen,
        tenant: Option<Arc<crate::model::Catalogue>>,
        last: bool,
    },
}

/// Where the verification of one subject in one system stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Running,
    Over,
}

/// Runs every subject of the state to its end, verification included. What a signal cut short stays open in the ledger.
pub async fn execute(crew: &Crew, mut state: State, targets: &BTreeMap<Subject, Target>) -> Result<State, LedgerError> {
    // A run that is taken up may hold people who are finished, or whom nobody asked to go on with.
    state.people.retain(|subject, _| targets.contains_key(subject));
    let mut inflight: FuturesUnordered<BoxFuture<'_, Ended>> = FuturesUnordered::new();
    let mut ended: Vec<Ended> = vec![];
    let mut reading: BTreeMap<(Subject, System), Reading> = BTreeMap::new();
    let mut stop = crew.stop.clone();
    let begun = Instant::now();
    let mut told = false;
    let mut contained: BTreeSet<Subject> = state
        .people
        .values()
        .filter(|p| p.contained.is_some())
        .map(|p| p.subject.clone())
        .collect();
    loop {
        let mut bodies = vec![];
        for e in ended.drain(..) {
            let found = take_in(crew, &mut state, targets, &mut reading, e)?;
            bodies.extend(found);
        }
        // What can't start ends here: owed from the beginning, or behind a failure that halts.
        loop {
            let more = unstartable(&state);
            if more.is_empty() {
                break;
            }
            move_on(&mut state, crew, &more)?;
            bodies.extend(more);
        }
        let halt = *stop.borrow();
        if halt > Stop::Go && !told {
            told = true;
            crew.tell(Event::Stopping {
                waits_for: open_systems(&state),
            });
        }
        let starts = pick(&state, halt, inflight.len());
        let begins: Vec<Body> = starts
            .iter()
            .map(|(subject, step)| Body::Started {
                subject: subject.clone(),
                step: *step,
            })
            .collect();
        move_on(&mut state, crew, &begins)?;
        bodies.extend(begins);
        if !bodies.is_empty() {
            // On disk before a call leaves; a refused append (lost lease, full disk) stops the run here.
            crew.ledger.append(&crew.guard, drafts(crew, &bodies)).await?;
            announce(crew, &state, &mut contained, begun);
        }
        for (subject, step) in starts {
            let record = state.people[&subject].steps[step].clone();
            crew.tell(started(&state, &subject, step, &record));
            inflight.push(Box::pin(effect(crew, &targets[&subject], subject, step, record)));
        }
        if halt != Stop::Now {
            for (subject, system) in to_read(&state, &reading) {
                reading.insert((subject.clone(), system.clone()), Reading::Running);
                crew.tell(Event::Verifying {
                    login: state.people[&subject].login.clone(),
                    system: system.clone(),
                });
                let person = state.people[&subject].clone();
                inflight.push(Box::pin(look(crew, person, &targets[&subject], system)));
            }
            close(crew, &mut state, &reading).await?;
        }
        if inflight.is_empty() {
            return Ok(state);
        }
        let next = async {
            tokio::select! {
                e = inflight.next() => e,
                // A signal wakes the loop, so that nothing new starts; the turn then goes on waiting.
                _ = stop.changed(), if halt == Stop::Go => None,
            }
        };
        let first = if halt == Stop::Go {
            next.await
        } else {
            match tokio::time::timeout(LAST_CALLS, next).await {
                Ok(e) => e,
                // What has not answered stays in doubt, and the ledger says so.
                Err(_) => return Ok(state),
            }
        };
        ended.extend(first);
        while let Some(Some(more)) = inflight.next().now_or_never() {
            ended.push(more);
        }
    }
}

/// Subjects whose steps have ended and whose systems have been read: closed, and what is to be told of them owed, in one append.
async fn close(
    crew: &Crew,
    state: &mut State,
    reading: &BTreeMap<(Subject, System), Reading>,
) -> Result<(), LedgerError> {
    let over: Vec<Subject> = state
        .people
        .iter()
        .filter(|(_, p)| p.closed.is_none() && p.held.is_none())
        .filter(|(_, p)| {
            p.steps
                .iter()
                .all(|r| !matches!(r.progress, Progress::Waiting | Progress::Open { .. }))
        })
        .filter(|(subject, _)| {
            !reading
                .iter()
                .any(|((s, _), r)| s == *subject && *r == Reading::Running)
        })
        .map(|(subject, _)| subject.clone())
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let checkpoint = crew.ledger.checkpoint().await?;
    let mut bodies = vec![];
    for subject in over {
        let result = state.people[&subject].result();
        let closed = Body::Closed {
            subject: subject.clone(),
            result,
        };
        move_on(state, crew, std::slice::from_ref(&closed))?;
        bodies.push(closed);
        let told = outbox::owed(crew, state, &state.people[&subject], &checkpoint, (crew.clock)());
        move_on(state, crew, &told)?;
        bodies.extend(told);
    }
    crew.ledger.append(&crew.guard, drafts(crew, &bodies)).await?;
    Ok(())
}

/// What ended, as entries.
fn take_in(
    crew: &Crew,
    state: &mut State,
    targets: &BTreeMap<Subject, Target>,
    reading: &mut BTreeMap<(Subject, System), Reading>,
    ended: Ended,
) -> Result<Vec<Body>, LedgerError> {
    match ended {
        Ended::Effect {
            subject,
            step,
            outcome,
            receipt,
            took,
        } => {
            let person = &state.people[&subject];
            let s = &person.steps[step].step;
            crew.tell(Event::Ended {
                login: person.login.clone(),
                step,
                phase: s.phase,
                effect: s.effect.clone(),
                outcome: outcome.clone(),
                took,
            });
            let finished = vec![Body::Finished {
                subject,
                step,
                outcome,
                receipt,
            }];
            move_on(state, crew, &finished)?;
            Ok(finished)
        }
        Ended::Look {
            subject,
            system,
            seen,
            tenant,
            last,
        } => {
            let person = &state.people[&subject];
            let systems = BTreeMap::from([(system.clone(), seen)]);
            let tenant = tenant.unwrap_or_else(|| targets[&subject].tenant().clone());
            let verdicts = settle::settle(person, &systems, &tenant, Some(&system));
            if last {
                reading.insert((subject.clone(), system.clone()), Reading::Over);
            }
            let mut bodies: Vec<Body> = verdicts
                .iter()
                .filter(|(_, v)| *v == Verdict::Holds)
                .map(|(step, _)| Body::Verified {
                    subject: subject.clone(),
                    step: *step,
                })
                .collect();
            if last {
                let lacking = verdicts
                    .into_iter()
                    .filter(|(_, v)| *v == Verdict::Lacks)
                    .collect::<Vec<_>>();
                bodies.extend(settle::entries(person, &lacking));
            }
            move_on(state, crew, &bodies)?;
            if last && system == OKTA {
                // The expectations stand on the steps that this very look verified.
                let met: Vec<Body> = settle::expectations(&state.people[&subject], systems.get(&system))
                    .into_iter()
                    .map(|(expect, outcome)| Body::Expected {
                        subject: subject.clone(),
                        expect,
                        outcome,
                    })
                    .collect();
                move_on(state, crew, &met)?;
                bodies.extend(met);
            }
            Ok(bodies)
        }
    }
}

/// Steps that end without a call: what waits for something named is owed, what stands behind a halt is not tried.
fn unstartable(state: &State) -> Vec<Body> {
    state
        .people
        .iter()
        .flat_map(|(subject, p)| {
            let owed = p.owing().into_iter().filter_map(|i| {
                let w = p.steps[i].step.waits.clone()?;
                Some((
                    i,
                    Outcome::Owed {
                        failure: w.failure,
                        until: w.until,
                    },
                ))
            });
            let halted = p.halted().into_iter().map(|i| {
                (
                    i,
                    Outcome::NotTried {
                        why: "a step before it failed".into(),
                    },
                )
            });
            owed.chain(halted)
                .map(|(step, outcome)| Body::Finished {
                    subject: subject.clone(),
                    step,
                    outcome,
                    receipt: None,
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Contain everyone first, then by due time: what falls out of the order (phase, due).
fn pick(state: &State, halt: Stop, busy: usize) -> Vec<(Subject, StepNo)> {
    if halt == Stop::Now {
        return vec![];
    }
    let mut ready: Vec<_> = state
        .people
        .iter()
        .flat_map(|(subject, p)| {
            p.ready().into_iter().map(move |step| {
                let phase = p.steps[step].step.phase;
                (phase, Reverse(p.plan.due.is_some()), p.plan.due, subject.clone(), step)
            })
        })
        .filter(|(phase, ..)| halt == Stop::Go || *phase == Phase::Contain)
        .collect();
    ready.sort();
    ready.truncate(WIDTH.saturating_sub(busy));
    ready
        .into_iter()
        .map(|(_, _, _, subject, step)| (subject, step))
        .collect()
}

/// Systems whose own steps have all ended, and that nobody has read since.
fn to_read(state: &State, reading: &BTreeMap<(Subject, System), Reading>) -> Vec<(Subject, System)> {
    let mut out = vec![];
    for (subject, p) in &state.people {
        let mut systems: BTreeMap<&System, (bool, bool)> = BTreeMap::new();
        for r in &p.steps {
            let (over, worth) = systems.entry(&r.step.effect.system).or_insert((true, false));
            match &r.progress {
                Progress::Waiting | Progress::Open { .. } => *over = false,
                Progress::Ended { outcome, .. } => *worth |= r.verified.is_none() && readable(outcome, r),
                Progress::Superseded => {}
            }
        }
        for (system, (over, worth)) in systems {
            if over && worth && !reading.contains_key(&(subject.clone(), system.clone())) {
                out.push((subject.clone(), system.clone()));
            }
        }
    }
    out
}

/// Was anything attempted that a read could show?
fn readable(outcome: &Outcome, r: &StepRecord) -> bool {
    let attempted = match outcome {
        Outcome::Done | Outcome::Already | Outcome::InDoubt { .. } | Outcome::Failed { .. } => true,
        Outcome::Owed { .. } => r.step.waits.is_none(),
        Outcome::Verified | Outcome::Unassigned | Outcome::NotTried { .. } => false,
    };
    use crate::model::Verb as V;
    attempted && !matches!(r.step.effect.action.verb(), V::ClearSessions | V::SendMessage)
}

/// One effect. A call that left and got no answer is looked at before anything else happens.
async fn effect(crew: &Crew, target: &Target, subject: Subject, step: StepNo, record: StepRecord) -> Ended {
    let begun = Instant::now();
    let e = &record.step.effect;
    let key = format!("{}/{subject}/{step}", crew.run);
    let deadline: DateTime<Utc> = (crew.clock)() + EFFECT;
    let mut tries = 0;
    let answer = loop {
        tries += 1;
        let answer = match crew.hands.get(&e.system) {
            Some(hands) => {
                hands
                    .perform(Task {
                        effect: e,
                        key: &key,
                        deadline,
                    })
                    .await
            }
            None => Err(Failure::permanent(
                e.action.name(),
                format!("{} is not configured", e.system),
            )),
        };
        match answer {
            Err(f) if f.kind == Kind::Doubt => {
                let parts = parts_of(&record);
                let (seen, tenant) = super::observe::again(&crew.eyes, target, &e.system, &parts).await;
                let systems = BTreeMap::from([(e.system.clone(), seen)]);
                let tenant = tenant.unwrap_or_else(|| target.tenant().clone());
                match e.holds(&systems, &tenant) {
                    Verdict::Holds => break Ok(Receipt::default()),
                    Verdict::Lacks if tries < 3 => continue,
                    Verdict::Unobservable if tries < 3 && e.action.repeat() == Repeat::Safe => continue,
                    Verdict::Lacks | Verdict::Unobservable | Verdict::Unknown(_) => break Err(f),
                }
            }
            other => break other,
        }
    };
    let (outcome, receipt) = match answer {
        Ok(r) if r.already => (Outcome::Already, Some(r)),
        Ok(r) => (Outcome::Done, Some(r)),
        Err(failure) if failure.kind == Kind::Doubt => (Outcome::InDoubt { failure }, None),
        Err(failure) => match record.step.on_failure {
            // A refusal needs repair; what may pass by itself is owed and tried again by the sweep.
            OnFailure::Owe if matches!(failure.kind, Kind::Transient | Kind::Throttled) => {
                (Outcome::Owed { failure, until: None }, None)
            }
            OnFailure::Owe | OnFailure::Continue | OnFailure::Halt => (Outcome::Failed { failure }, None),
        },
    };
    Ended::Effect {
        subject,
        step,
        outcome,
        receipt,
        took: begun.elapsed(),
    }
}

fn parts_of(record: &StepRecord) -> BTreeSet<crate::model::Holding> {
    use crate::model::Action as A;
    match &record.step.effect.action {
        A::RemoveMember { group: held }
        | A::AddMember { group: held }
        | A::UnassignApp { app: held }
        | A::JoinChannel { channel: held }
        | A::LeaveChannel { channel: held }
        | A::RevokeToken { token: held }
        | A::RevokeClientTokens { client: held } => BTreeSet::from([held.kind]),
        A::RevokeGrants => BTreeSet::from([crate::model::Holding::Grant]),
        A::Suspend
        | A::Deactivate
        | A::ClearSessions
        | A::Activate
        | A::CreatePerson { .. }
        | A::SendMessage { .. }
        | A::CreateGroup { .. }
        | A::DeleteGroup { .. } => BTreeSet::new(),
    }
}

/// Reads until every accepted effect shows, or patience ends. Nothing else gives the word "verified".
async fn look(crew: &Crew, person: PersonState, target: &Target, system: System) -> Ended {
    let subject = person.subject.clone();
    let parts = settle::parts(&person, &system);
    let begun = Instant::now();
    let mut wait = Duration::from_millis(500);
    loop {
        let (seen, tenant) = super::observe::again(&crew.eyes, target, &system, &parts).await;
        let systems = BTreeMap::from([(system.clone(), seen.clone())]);
        let catalogue = tenant.clone().unwrap_or_else(|| target.tenant().clone());
        let settled = settle::settle(&person, &systems, &catalogue, Some(&system))
            .into_iter()
            .all(|(step, v)| {
                let accepted = matches!(
                    &person.steps[step].progress,
                    Progress::Ended {
                        outcome: Outcome::Done | Outcome::Already,
                        ..
                    }
                );
                match v {
                    Verdict::Holds | Verdict::Unobservable => true,
                    // What was refused is not waited for.
                    Verdict::Lacks | Verdict::Unknown(_) => !accepted,
                }
            });
        // What rules and provisioning do after our own steps takes a while: waited for, but not as long.
        let met = system != OKTA
            || begun.elapsed() > crew.patience / 4
            || settle::expectations(&person, Some(&seen))
                .iter()
                .all(|(_, o)| o.settled());
        let unread = matches!(seen.account, Observed::Unknown(_));
        let over = begun.elapsed() + wait > crew.patience || (unread && begun.elapsed() > crew.patience / 4);
        if (settled && met) || over || *crew.stop.borrow() == Stop::Now {
            return Ended::Look {
                subject,
                system,
                seen,
                tenant,
                last: true,
            };
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

fn drafts(crew: &Crew, bodies: &[Body]) -> Vec<Draft> {
    bodies
        .iter()
        .map(|b| Draft {
            run: crew.run.clone(),
            operator: crew.operator.clone(),
            body: b.clone(),
        })
        .collect()
}

/// Moves the state as these entries will. They are on disk before anything depends on them; the report is folded from there.
fn move_on(state: &mut State, crew: &Crew, bodies: &[Body]) -> Result<(), LedgerError> {
    for body in bodies {
        let entry = Entry {
            envelope: Envelope {
                v: 1,
                seq: state.last.map_or(1, |(seq, _)| seq + 1),
                time: (crew.clock)(),
                run: crew.run.clone(),
                step: body.step(),
                kind: body.kind().to_owned(),
                operator: crew.operator.clone(),
                host: String::new(),
                tenant: String::new(),
                fence: None,
                body: String::new(),
                prev: String::new(),
            },
            hash: String::new(),
            body: Some(body.clone()),
        };
        state.take(&entry).map_err(LedgerError::from)?;
    }
    Ok(())
}

fn open_systems(state: &State) -> Vec<System> {
    let open: BTreeSet<System> = state
        .people
        .values()
        .flat_map(|p| &p.steps)
        .filter(|r| matches!(r.progress, Progress::Open { .. }))
        .map(|r| r.step.effect.system.clone())
        .collect();
    open.into_iter().collect()
}

fn started(state: &State, subject: &str, step: StepNo, r: &StepRecord) -> Event {
    let p = &state.people[subject];
    Event::Started {
        login: p.login.clone(),
        step,
        of: p.steps.len(),
        phase: r.step.phase,
        effect: r.step.effect.clone(),
    }
}

/// "Contained" is said once, when the fold says so.
fn announce(crew: &Crew, state: &State, told: &mut BTreeSet<Subject>, begun: Instant) {
    for (subject, p) in &state.people {
        if let Some(at) = p.contained
            && told.insert(subject.clone())
        {
            crew.tell(Event::Contained {
                login: p.login.clone(),
                at,
                took: begun.elapsed(),
            });
        }
    }
}
