//! One loop: write down what ended and what starts, then act, then wait for one thing to end.
//!
//! No other code writes Started or Finished. It decides nothing: which step may start is the fold's answer, whether a postcondition holds
//! is the effect's own, what a failure does to the steps after it stands in the plan.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    Crew, Stop,
    book::{Book, Start},
    observe::Target,
    outbox, settle,
    step::{Ended, effect, look},
};
use crate::{
    ledger::{
        Guard, LedgerError, Pause, Unpaused,
        entry::{Body, Entry, Envelope, Subject},
        fold::{PersonState, Progress, State, StepRecord},
    },
    model::{Event, Holding, Outcome, Phase, StepNo, System, Verb, Verdict, system::OKTA},
    providers::BoxFuture,
};

/// Calls in flight of one run: below Okta's cap of 35 for a free organisation; the governor narrows further, by bucket.
const WIDTH: usize = 32;
/// After a first signal, what is in flight gets this long.
const LAST_CALLS: Duration = Duration::from_secs(10);

/// Where the verification of one subject in one system stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Running,
    Over,
}

/// How far a run came.
pub struct Reached {
    pub state: State,
    /// Somebody paused: nothing but containment was begun after that, or nothing at all.
    pub paused: Option<Pause>,
}

/// What may still begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    Anything,
    Containment,
    Nothing,
}

impl Begin {
    /// A signal, a pause and a lost ledger narrow each other.
    fn of(stop: Stop, paused: Option<&Pause>, away: bool) -> Begin {
        match (stop, paused) {
            (Stop::Now, _) | (_, Some(Pause { all: true, .. })) => Begin::Nothing,
            (Stop::Contain, _) | (_, Some(Pause { all: false, .. })) => Begin::Containment,
            (Stop::Go, None) if away => Begin::Containment,
            (Stop::Go, None) => Begin::Anything,
        }
    }
    fn may(self, phase: Phase) -> bool {
        match self {
            Begin::Anything => true,
            Begin::Containment => phase == Phase::Contain,
            Begin::Nothing => false,
        }
    }
}

/// Runs every subject of the state to its end, verification included. What a signal or a pause cut short stays open in the ledger, and so
/// does what does not contain where the ledger is lost.
pub async fn execute(
    crew: &Crew,
    book: &mut Book<'_>,
    mut state: State,
    targets: &BTreeMap<Subject, Target>,
) -> Result<Reached, LedgerError> {
    // A run that is taken up may hold people who are finished, or whom nobody asked to go on with.
    state.people.retain(|subject, _| targets.contains_key(subject));
    let mut inflight: FuturesUnordered<BoxFuture<'_, Ended>> = FuturesUnordered::new();
    let mut ended: Vec<Ended> = vec![];
    let mut reading: BTreeMap<(Subject, System), Reading> = BTreeMap::new();
    let mut stop = crew.stop.clone();
    let begun = Instant::now();
    // One deadline, from the first signal on: what begins after it gets no time of its own.
    let mut last: Option<Instant> = None;
    let mut paused: Option<Pause> = None;
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
        if halt > Stop::Go && last.is_none() {
            last = Some(Instant::now() + LAST_CALLS);
            crew.tell(Event::Stopping {
                waits_for: open_systems(&state),
            });
        }
        // On disk before a call leaves; a refused append (lost lease, full disk) stops the run here. A pause refuses what would begin:
        // what ended is then written all the same, with what may begin still.
        let starts = loop {
            let may = Begin::of(halt, paused.as_ref(), book.is_away());
            let starts: Vec<Start> = pick(&state, may, inflight.len())
                .into_iter()
                .map(|(subject, step)| Start {
                    again: state.people[&subject].began(step),
                    subject,
                    step,
                })
                .collect();
            if bodies.is_empty() && starts.is_empty() {
                break starts;
            }
            let guard = under(crew, &state, &starts);
            match book.write(&guard, &mut state, &bodies, starts).await {
                Ok(starts) => {
                    announce(crew, &state, &mut contained, begun);
                    break starts;
                }
                Err(LedgerError::Paused(pause)) => {
                    crew.tell(Event::Paused(pause.sentence()));
                    paused = Some(pause);
                }
                Err(e) => return Err(e),
            }
        };
        for Start { subject, step, again } in starts {
            let record = state.people[&subject].steps[step].clone();
            crew.tell(started(&state, &subject, step, &record));
            inflight.push(Box::pin(effect(crew, &targets[&subject], subject, step, record, again)));
        }
        // Whoever closes somebody, and whoever reads for it, needs the ledger.
        if halt != Stop::Now && !book.is_away() {
            for (subject, system) in to_read(&state, &reading) {
                reading.insert((subject.clone(), system.clone()), Reading::Running);
                crew.tell(Event::Verifying {
                    login: state.people[&subject].login.clone(),
                    system: system.clone(),
                });
                let person = state.people[&subject].clone();
                inflight.push(Box::pin(look(crew, person, &targets[&subject], system)));
            }
            close(crew, book, &mut state, &reading).await?;
        }
        if inflight.is_empty() {
            return Ok(Reached { state, paused });
        }
        let next = async {
            tokio::select! {
                e = inflight.next() => e,
                // A signal wakes the loop, so that nothing new starts; the turn then goes on waiting.
                _ = stop.changed(), if halt == Stop::Go => None,
            }
        };
        let first = match last {
            None => next.await,
            Some(at) => match tokio::time::timeout_at(at, next).await {
                Ok(e) => e,
                // What has not answered stays in doubt, and the ledger says so.
                Err(_) => return Ok(Reached { state, paused }),
            },
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
    book: &mut Book<'_>,
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
    let checkpoint = match crew.ledger.checkpoint().await {
        Ok(checkpoint) => checkpoint,
        Err(e) => return lose(book, state, e).await,
    };
    let before = state.clone();
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
    match crew
        .ledger
        .append(&crew.guard, super::book::drafts(crew, &bodies))
        .await
    {
        Ok(_) => Ok(()),
        Err(e) => {
            // Nobody is closed, and nothing is owed, by an entry that nobody can read.
            *state = before;
            lose(book, state, e).await
        }
    }
}

async fn lose(book: &mut Book<'_>, state: &mut State, e: LedgerError) -> Result<(), LedgerError> {
    book.leave(e).await?;
    book.write(&Guard::default(), state, &[], vec![]).await.map(drop)
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
fn pick(state: &State, begin: Begin, busy: usize) -> Vec<(Subject, StepNo)> {
    let mut ready: Vec<_> = state
        .people
        .iter()
        .flat_map(|(subject, p)| {
            p.ready().into_iter().map(move |step| {
                let phase = p.steps[step].step.phase;
                (phase, Reverse(p.plan.due.is_some()), p.plan.due, subject.clone(), step)
            })
        })
        .filter(|(phase, ..)| begin.may(*phase))
        .collect();
    ready.sort();
    ready.truncate(WIDTH.saturating_sub(busy));
    ready
        .into_iter()
        .map(|(_, _, _, subject, step)| (subject, step))
        .collect()
}

/// The guard of what begins: where all of it contains somebody, an ordinary pause lets it through.
fn under(crew: &Crew, state: &State, starts: &[Start]) -> Guard {
    let contains = |s: &Start| state.people[&s.subject].steps[s.step].step.phase == Phase::Contain;
    Guard {
        unpaused: if starts.iter().all(contains) {
            Unpaused::ForContainment
        } else {
            Unpaused::Wholly
        },
        ..crew.guard.clone()
    }
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
                Progress::Ended { outcome, .. } => *worth |= r.verified.is_none() && readable(p, outcome, r),
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
fn readable(person: &PersonState, outcome: &Outcome, r: &StepRecord) -> bool {
    let attempted = match outcome {
        Outcome::Done | Outcome::Already | Outcome::InDoubt { .. } | Outcome::Failed { .. } => true,
        Outcome::Owed { .. } => r.step.waits.is_none(),
        Outcome::Verified | Outcome::Unassigned | Outcome::NotTried { .. } => false,
    };
    let effect = &r.step.effect;
    // Sessions can be read back where the system listed them before.
    let listed = || {
        let account = person.manifest.accounts.get(&effect.system);
        account.is_some_and(|a| a.holds.contains_key(&Holding::Session))
    };
    attempted && !effect.action.verb().unseen() && (effect.action.verb() != Verb::ClearSessions || listed())
}

/// Moves the state as these entries will. They are on disk before anything depends on them; the report is folded from there.
pub fn move_on(state: &mut State, crew: &Crew, bodies: &[Body]) -> Result<(), LedgerError> {
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
                spooled: None,
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
