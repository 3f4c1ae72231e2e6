//! The ledger lost at every append of a leaver, and before it: containment is done and written down on this host, nothing else starts,
//! and once the line is mended the record is as if nothing had been.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    line::Cut,
    world::{Command, World, few},
};
use crate::{
    cli::exit::Exit,
    ledger::{Body, fold::PersonState},
    model::{PersonResult, Phase},
};

const ALICE: Command = Command::Leaver("alice@acme.example");

fn world() -> World {
    World::new(few(&[]), 7).on_a_server()
}

/// How it ends with a line that holds, and how many appends that takes.
struct Whole {
    state: Value,
    effects: BTreeSet<(String, String)>,
    appends: usize,
}

async fn whole() -> Whole {
    let w = world();
    assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Done));
    let appends = w.line().appends();
    w.run(Command::Sweep).await;
    w.rest().await;
    Whole {
        state: w.state(),
        effects: w.effects().await.into_keys().collect(),
        appends,
    }
}

fn shut(w: &World) -> bool {
    let users = &w.state()["users"];
    let all = users
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, u)| u)
        .chain(users.as_array().into_iter().flatten());
    all.filter(|u| u["profile"]["login"] == "alice@acme.example")
        .all(|u| ["SUSPENDED", "DEPROVISIONED"].contains(&u["status"].as_str().unwrap_or_default()))
}

async fn alice(w: &World) -> Vec<PersonState> {
    let runs = w.runs().await;
    runs.into_iter()
        .flat_map(|r| r.people.into_values())
        .filter(|p| p.login == "alice@acme.example")
        .collect()
}

/// What is wrong once the line was cut, the person contained, and the line mended.
async fn mended(w: &World, whole: &Whole) -> Vec<String> {
    let mut wrong = vec![];
    w.line().mend();
    let end = w.run(Command::Resume).await;
    if end.exit() != Some(Exit::Done) {
        wrong.push(format!("resume ends {end:?}"));
    }
    if !w.spooled().is_empty() {
        wrong.push(format!("{:?} are spooled still", w.spooled()));
    }
    w.run(Command::Sweep).await;
    w.rest().await;
    let state = w.state();
    if without_events(&state) != without_events(&whole.state) {
        wrong.push(super::crash::differs(
            "",
            &without_events(&whole.state),
            &without_events(&state),
        ));
    }
    let effects = w.effects().await;
    wrong.extend(
        effects
            .iter()
            .filter(|((_, effect), n)| **n > 1 && !effect.starts_with("clear-sessions "))
            .map(|(e, n)| format!("{e:?} {n} times")),
    );
    let done: BTreeSet<_> = effects.into_keys().collect();
    if done != whole.effects {
        wrong.push(format!(
            "other effects: {:?}",
            done.symmetric_difference(&whole.effects)
        ));
    }
    wrong.extend(w.unannounced().await.into_iter().map(|c| format!("{c} unannounced")));
    wrong.extend(w.verified().await.bad.map(|b| format!("{b:?}")));
    wrong.extend(
        alice(w)
            .await
            .iter()
            .filter(|p| p.result != Some(PersonResult::Complete))
            .map(|p| format!("ends {:?}", p.result)),
    );
    wrong
}

/// That the ledger was lost is told too; nobody else's event differs.
fn without_events(state: &Value) -> Value {
    let mut state = state.clone();
    if let Some(all) = state["events"].as_array_mut() {
        all.retain(|e| {
            !e.as_str()
                .is_some_and(|e| e.starts_with("jml went on without its ledger"))
        });
    }
    state
}

fn says_that_it_was_lost(w: &World) -> bool {
    let state = w.state();
    state["events"]
        .as_array()
        .unwrap()
        .iter()
        .any(|e| e.as_str().unwrap().starts_with("jml went on without its ledger"))
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_lost_at_any_append_of_a_leaver_stops_no_containment() {
    let whole = whole().await;
    assert!(whole.appends > 8, "{}", whole.appends);
    let (mut wrong, mut spooled) = (vec![], 0);
    for n in 0..whole.appends {
        for how in [Cut::Before, Cut::After] {
            let w = world();
            w.line().cut_at(n, how);
            let end = w.run(ALICE).await;
            let mut found = vec![];
            if !w.line().is_cut() {
                found.push("was not cut".into());
            }
            if end.exit() != Some(Exit::Partial) {
                found.push(format!("{end:?}"));
            }
            if !shut(&w) {
                found.push("is not contained".into());
            }
            spooled += usize::from(!w.spooled().is_empty());
            let before = w.changes().len();
            found.extend(mended(&w, &whole).await);
            // Nothing but containment had started without the ledger.
            let late: Vec<_> = starts_away(&w).await;
            found.extend(late.into_iter().map(|p| format!("{p:?} was started")));
            if w.entries().await.iter().any(|e| e.envelope.spooled.is_some()) && !says_that_it_was_lost(&w) {
                found.push("nobody was told".into());
            }
            assert!(before > 0);
            wrong.extend(found.into_iter().map(|f| format!("{n} {how:?}: {f}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(spooled > whole.appends, "{spooled}");
}

/// Phases of what was started on the spool, other than the first.
async fn starts_away(w: &World) -> Vec<Phase> {
    let runs = w.runs().await;
    w.entries()
        .await
        .into_iter()
        .filter(|e| e.envelope.spooled.is_some())
        .filter_map(|e| match &e.body {
            Some(Body::Started { subject, step }) => {
                let run = runs.iter().find(|r| r.run == e.envelope.run)?;
                Some(run.people.get(subject)?.steps.get(*step)?.step.phase)
            }
            _ => None,
        })
        .filter(|phase| *phase != Phase::Contain)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn with_its_ledger_down_a_leaver_is_contained_all_the_same() {
    let whole = whole().await;
    let w = world();
    w.line().cut();
    assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Partial));
    assert!(shut(&w));
    assert_eq!(w.spooled().len(), 1);
    let before = w.changes();
    assert!(before.len() > 3, "{before:?}");
    assert!(
        !before
            .iter()
            .any(|c| c.path.contains("deactivate") || c.path.contains("/groups/")),
        "{before:?}"
    );
    // A sweep can't know how many left in the last day: it waits.
    assert_eq!(w.run(Command::Sweep).await.exit(), Some(Exit::Unavailable));
    assert_eq!(w.changes().len(), before.len());
    assert_eq!(mended(&w, &whole).await, Vec::<String>::new());
    assert!(says_that_it_was_lost(&w));
    let entries = w.entries().await;
    let spooled: Vec<_> = entries
        .iter()
        .filter_map(|e| Some((e, e.envelope.spooled.as_ref()?)))
        .collect();
    assert!(spooled.len() > 4);
    assert!(spooled.iter().map(|(_, o)| o.seq).eq(1..=spooled.len() as i64));
    assert!(
        spooled.iter().all(|(e, o)| !o.moot && e.envelope.time <= o.merged),
        "{spooled:?}"
    );
}

/// Nobody who is offline knows of the other: two runs, and neither is lost.
#[tokio::test(start_paused = true)]
async fn two_that_contained_somebody_apart_are_both_recorded() {
    let whole = whole().await;
    let w = world();
    w.line().cut();
    for _ in 0..2 {
        assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Partial));
    }
    assert_eq!(w.spooled().len(), 2);
    w.line().mend();
    assert_eq!(w.run(Command::Resume).await.exit(), Some(Exit::Done));
    w.run(Command::Sweep).await;
    w.rest().await;
    assert_eq!(w.spooled(), Vec::<String>::new());
    assert_eq!(w.state()["users"], whole.state["users"]);
    let runs = w.runs().await;
    let open: Vec<_> = runs.iter().filter(|r| !r.finished()).map(|r| &r.run).collect();
    assert_eq!(open, Vec::<&String>::new());
    assert_eq!(alice(&w).await.len(), 2);
    assert_eq!(w.unannounced().await, Vec::<String>::new());
    assert_eq!(w.verified().await.bad, None);
}
