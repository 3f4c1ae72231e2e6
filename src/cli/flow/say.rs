//! What joiner, mover, leaver, sweep and resume write, and the exit that follows. The words are `view`'s; here is which of them, when.

use std::{io::Write, os::unix::fs::OpenOptionsExt};

use chrono::{DateTime, Utc};

use super::{by_hand::Typed, preview::Subject};
use crate::{
    cli::{
        args::{Gate, Output},
        context::Context,
        document::{self, Document, JML, Person},
        error::CliError,
        exit::Exit,
        firm::Firm,
        view::{self, Tenant},
    },
    ledger::fold::{PersonState, State},
    model::{Flow, Manifest, PersonResult, Plan},
};

/// The plans, before anything is asked: on standard output for people, in the document at the end for programs.
pub fn preview(
    cx: &Context,
    firm: &Firm,
    subjects: &[Subject],
    gate: &Gate,
    typed: Option<&Typed>,
) -> Result<(), CliError> {
    if let Some(path) = &gate.save_plan {
        let plans: Vec<&Plan> = subjects.iter().filter_map(|s| s.plan.as_ref().ok()).collect();
        save(path, &plans)?;
    }
    if cx.global.output != Output::Human {
        return Ok(());
    }
    let records = firm.told();
    let shown: Vec<view::plan::Preview<'_>> = subjects
        .iter()
        .filter_map(|s| {
            let plan = s.plan.as_ref().ok()?;
            Some(view::plan::Preview {
                plan,
                seen: Some(&s.seen),
                records: &records,
                now: firm.now(),
                dry_run: gate.dry_run,
                apply: typed
                    .filter(|_| gate.dry_run && !plan.is_empty())
                    .map(|t| cx.command(&format!("{} --expect {}", t.again(&plan.login), plan.id().short()))),
            })
        })
        .collect();
    if !shown.is_empty() {
        cx.out
            .data(&view::plan::previews(&tenant(firm), &shown, &cx.out.screen));
    }
    for s in subjects {
        if let Err(refusal) = &s.plan {
            cx.out.warn(&format!("! {refusal}"));
        }
    }
    Ok(())
}

pub fn tenant(firm: &Firm) -> Tenant {
    Tenant {
        host: firm.place.clone(),
        org: firm.organisation.clone(),
        sandbox: firm.sandbox,
    }
}

/// A new file, for its owner alone; links are not followed and nothing is overwritten.
pub fn save(path: &std::path::Path, plans: &[&Plan]) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(plans).map_err(|e| CliError::internal(e.to_string()))?;
    let fail = |e: std::io::Error| CliError::usage(format!("--save-plan {}: {e}", path.display()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .map_err(fail)
}

/// A dry run ends here.
pub fn planned(cx: &Context, firm: &Firm, typed: &Typed, subjects: &[Subject], gate: &Gate) -> Exit {
    let now = firm.now();
    let mut exit = Exit::Done;
    let mut people = vec![];
    for s in subjects {
        match &s.plan {
            Ok(plan) if plan.is_empty() => people.push(of_plan(s, plan, PersonResult::Nothing, vec![])),
            Ok(plan) => {
                if gate.exit_code {
                    exit = exit.worse(Exit::Changes);
                }
                let next = cx.command(&format!("{} --expect {}", typed.again(&plan.login), plan.id().short()));
                people.push(of_plan(s, plan, PersonResult::Planned, vec![next]));
            }
            Err(refusal) => {
                exit = exit.worse(super::errors::refusal(refusal).exit);
                people.push(refused(s, &refusal.to_string()));
            }
        }
    }
    document(cx, firm, typed.kind, None, None, true, now, people, exit);
    exit
}

/// Nobody has anything to do.
pub fn nothing(cx: &Context, firm: &Firm, kind: &str, subjects: &[Subject]) -> Exit {
    let mut exit = Exit::Done;
    let people = subjects
        .iter()
        .map(|s| match &s.plan {
            Ok(plan) => of_plan(s, plan, PersonResult::Nothing, vec![]),
            Err(refusal) => {
                exit = exit.worse(super::errors::refusal(refusal).exit);
                refused(s, &refusal.to_string())
            }
        })
        .collect();
    document(cx, firm, kind, None, None, false, firm.now(), people, exit);
    exit
}

/// The closing report: a fold over what is in the ledger, the same text that `run show` prints.
pub fn closing(cx: &Context, firm: &Firm, kind: &str, states: &[State], idle: &[Subject]) -> Exit {
    let mut exit = nothing_or_refused(idle);
    let mut people: Vec<Person> = vec![];
    for state in states {
        exit = exit.worse(exit_of(firm, state));
        people.extend(state.people.values().map(|p| view::json::person(state, p, &cx.flags())));
    }
    for s in idle {
        people.push(match &s.plan {
            Ok(plan) => of_plan(s, plan, PersonResult::Nothing, vec![]),
            Err(refusal) => refused(s, &refusal.to_string()),
        });
    }
    exit = exit.worse(interrupted(cx));
    if cx.global.output == Output::Human {
        for state in states {
            cx.out.data("\n");
            cx.out
                .data(&view::report::report(&tenant(firm), state, &cx.flags(), &cx.out.screen));
        }
    }
    stopped(cx);
    let run = states.first().map(|s| s.run.clone());
    let started = states.iter().filter_map(|s| s.opened.as_ref().map(|(t, _)| *t)).min();
    document(
        cx,
        firm,
        kind,
        run,
        states.iter().find_map(view::json::change),
        false,
        started.unwrap_or_else(|| firm.now()),
        people,
        exit,
    );
    exit
}

/// Runs that were taken up, each with its report.
pub fn resumed(cx: &Context, firm: &Firm, states: &[State]) -> Exit {
    let mut exit = interrupted(cx);
    let mut people = vec![];
    for state in states {
        exit = exit.worse(exit_of(firm, state));
        people.extend(state.people.values().map(|p| view::json::person(state, p, &cx.flags())));
        if cx.global.output == Output::Human {
            cx.out
                .data(&view::report::report(&tenant(firm), state, &cx.flags(), &cx.out.screen));
        }
    }
    if states.is_empty() && cx.global.output == Output::Human {
        cx.out.data("No run is unfinished.\n");
    }
    stopped(cx);
    let run = states.first().map(|s| s.run.clone());
    let changed = states.iter().find_map(view::json::change);
    document(cx, firm, "resume", run, changed, false, firm.now(), people, exit);
    exit
}

fn nothing_or_refused(idle: &[Subject]) -> Exit {
    idle.iter()
        .filter_map(|s| s.plan.as_ref().err())
        .map(|r| super::errors::refusal(r).exit)
        .fold(Exit::Done, Exit::worse)
}

/// A signal that cut the run short is its exit, and so is a pause.
pub fn interrupted(cx: &Context) -> Exit {
    let signal = cx.signals.stop().borrow().unwrap_or(Exit::Done);
    match cx.pause.stop() {
        Some(_) => signal.worse(Exit::Paused),
        None => signal,
    }
}

/// Who paused, until when, and why: where a report would else only show that something waits.
pub fn stopped(cx: &Context) {
    if let Some(pause) = cx.pause.stop().filter(|_| cx.global.output == Output::Human) {
        cx.out.data(&format!(
            "! {}. What is left waits for its end.\n",
            cx.out.screen.safe(pause.sentence().trim_end_matches('.'))
        ));
    }
}

pub fn exit_of(firm: &Firm, state: &State) -> Exit {
    let now = firm.now();
    let people = state
        .people
        .values()
        .map(|p| exit_of_person(p, now))
        .fold(Exit::Done, Exit::worse);
    let deadline = chrono::TimeDelta::from_std(firm.config.policy.deadlines.record).unwrap_or_default();
    // A record on its way is counted, and raises the code only past its own deadline.
    let late = state
        .undelivered()
        .any(|i| i.record.what.is_due() && i.since + deadline < now);
    // Without its ledger a run does less than was agreed to.
    let apart = state.away.is_some() && state.people.values().any(|p| p.closed.is_none());
    if late || apart {
        people.worse(Exit::Partial)
    } else {
        people
    }
}

pub fn exit_of_person(p: &PersonState, now: DateTime<Utc>) -> Exit {
    if p.held.is_some() {
        return Exit::Partial;
    }
    match p.result() {
        PersonResult::Complete if missed(p) => Exit::Late,
        PersonResult::Complete | PersonResult::Nothing | PersonResult::Planned => Exit::Done,
        // Contained, and it waits for somebody who may agree to the rest.
        PersonResult::Held => Exit::Partial,
        PersonResult::Partial | PersonResult::Refused => {
            if p.overdue(now) {
                Exit::Partial
            } else {
                Exit::Done
            }
        }
    }
}

/// The promise is about leavers.
fn missed(p: &PersonState) -> bool {
    p.flow == Flow::Leaver && matches!((p.plan.due, p.completed), (Some(due), Some(done)) if done > due)
}

fn of_plan(s: &Subject, plan: &Plan, result: PersonResult, next: Vec<String>) -> Person {
    let accounts = s
        .seen
        .systems
        .iter()
        .filter_map(|(system, seen)| Some((system.clone(), seen.account.present()?.clone())))
        .collect();
    let manifest = Manifest {
        accounts,
        ..Manifest::default()
    };
    view::json::planned(plan, result, Some(&manifest), next)
}

pub fn refused(s: &Subject, why: &str) -> Person {
    let p = &s.seen.person;
    Person {
        login: p.login.clone(),
        id: Some(p.id.0.clone()),
        flow: s.ask.flow().to_string(),
        result: PersonResult::Refused.name().into(),
        plan: None,
        effective: None,
        due: None,
        contained: None,
        completed: None,
        open: vec![],
        steps: vec![],
        notes: vec![document::Note {
            mark: "attention".into(),
            system: None,
            text: why.to_owned(),
        }],
        next: vec![],
    }
}

#[expect(clippy::too_many_arguments, reason = "the keys of one document")]
fn document(
    cx: &Context,
    firm: &Firm,
    kind: &str,
    run: Option<String>,
    changed: Option<document::PolicyChanged>,
    dry_run: bool,
    started: DateTime<Utc>,
    people: Vec<Person>,
    exit: Exit,
) {
    write(
        cx,
        firm,
        kind,
        exit,
        document::Run {
            run,
            dry_run,
            role: role(firm),
            policy_changed: changed,
            started,
            finished: firm.now(),
            sweep: None,
            paused: None,
            totals: view::json::totals(&people, firm.now()),
            people: Some(people),
        },
    );
}

/// By which the operator was let in.
pub fn role(firm: &Firm) -> Option<String> {
    firm.operator.role().map(|r| r.to_string())
}

/// One document; under ndjson a line a person, then the summary.
pub fn write(cx: &Context, firm: &Firm, kind: &str, exit: Exit, body: document::Run) {
    emit(cx, &tenant(firm), kind, exit, body);
}

pub fn emit(cx: &Context, tenant: &Tenant, kind: &str, exit: Exit, mut body: document::Run) {
    body.paused = cx.pause.known().map(|(p, stopped)| document::Paused {
        by: p.by,
        until: p.until,
        all: p.all,
        reason: p.reason,
        stopped,
    });
    let whole = |kind: &str, body| Document {
        jml: JML,
        kind: kind.to_owned(),
        tenant: Some(tenant.org.clone()),
        sandbox: tenant.sandbox,
        exit: exit.code(),
        body,
    };
    match cx.global.output {
        Output::Json => cx.out.document(&whole(kind, body)),
        Output::Ndjson => {
            for person in body.people.take().into_iter().flatten() {
                cx.out.document(&view::json::person_line(person));
            }
            cx.out.document(&whole("summary", body));
        }
        Output::Csv => match view::list::steps(body.people.as_deref().unwrap_or_default()) {
            Ok(sheet) => cx.out.data(&sheet),
            Err(e) => cx.out.warn(&e.human(cx.env.utf8)),
        },
        Output::Human => {}
    }
}
