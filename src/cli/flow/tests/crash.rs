//! Killed at every named point, then taken up: the same end, each effect once, no change without its intent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    wire::{Point, WHENS, When},
    world::{Command, End, World, few},
};
use crate::cli::exit::Exit;

const SEED: u64 = 7;
const LEAVER: Command = Command::Leaver("alice@acme.example");
const MOVER: Command = Command::Mover("bob@acme.example");
const JOINER: Command = Command::Joiner("nora@acme.example");

/// How it ends when nobody kills it.
struct Baseline {
    state: Value,
    effects: BTreeSet<(String, String)>,
    points: Vec<Point>,
    exit: Option<Exit>,
}

async fn undisturbed(given: &Value, command: Command, then: Command) -> Baseline {
    let w = World::new(given.clone(), SEED);
    w.run(command).await;
    let points = w.wire.points();
    let exit = w.run(then).await.exit();
    w.rest().await;
    assert_eq!(w.unannounced().await, Vec::<String>::new());
    Baseline {
        state: w.state(),
        effects: w.effects().await.into_keys().collect(),
        points,
        exit,
    }
}

/// What is wrong after the kill, if anything is.
async fn killed(
    given: &Value,
    command: Command,
    then: Command,
    point: &Point,
    when: When,
    whole: &Baseline,
) -> Vec<String> {
    let w = World::new(given.clone(), SEED);
    w.kill_at(point, when);
    let mut wrong = vec![];
    if !matches!(w.run(command).await, End::Killed) {
        return vec!["the point was not hit".into()];
    }
    let end = w.run(then).await;
    if end.exit() != whole.exit {
        wrong.push(format!("{end:?} instead of {:?}", whole.exit));
    }
    w.rest().await;
    let state = w.state();
    if state != whole.state {
        wrong.push(differs("", &whole.state, &state));
    }
    // Sessions can't be read: as long as an account is live they are ended again.
    let effects: BTreeMap<(String, String), usize> = w.effects().await;
    wrong.extend(
        effects
            .iter()
            .filter(|((_, effect), n)| **n > 1 && !effect.starts_with("clear-sessions "))
            .map(|(e, n)| format!("{e:?} {n} times")),
    );
    let done: BTreeSet<_> = effects.into_keys().collect();
    wrong.extend(
        whole
            .effects
            .difference(&done)
            .map(|e| format!("{e:?} is not recorded")),
    );
    wrong.extend(
        done.difference(&whole.effects)
            .map(|e| format!("{e:?} was not asked for")),
    );
    wrong.extend(
        w.unannounced()
            .await
            .into_iter()
            .map(|c| format!("{c} left unannounced")),
    );
    wrong
}

/// Where two worlds part.
pub fn differs(at: &str, a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x
            .keys()
            .chain(y.keys())
            .find(|k| x.get(*k) != y.get(*k))
            .map(|k| differs(&format!("{at}/{k}"), &a[k], &b[k]))
            .unwrap_or_default(),
        _ => format!("{at}: {b} instead of {a}"),
    }
}

/// Every point in every way where `whole`, else each in one of the three ways, by turns.
async fn at_every_point(given: Value, command: Command, then: Command, whole: bool) {
    let baseline = undisturbed(&given, command, then).await;
    assert!(!baseline.points.is_empty());
    let mut wrong = vec![];
    for (i, point) in baseline.points.iter().enumerate() {
        for (turn, when) in WHENS.into_iter().enumerate() {
            if whole || i % WHENS.len() == turn {
                let found = killed(&given, command, then, point, when, &baseline).await;
                wrong.extend(found.into_iter().map(|w| format!("{point} {when:?}: {w}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_leaver_killed_at_every_point_is_resumed() {
    at_every_point(few(&[]), LEAVER, Command::Resume, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_leaver_killed_at_every_point_is_finished_by_the_next_sweep() {
    at_every_point(few(&[]), LEAVER, Command::Sweep, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_killed_at_every_point_is_resumed() {
    at_every_point(few(&["bob@acme.example"]), MOVER, Command::Resume, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_killed_at_every_point_is_finished_by_the_next_sweep() {
    at_every_point(few(&["bob@acme.example"]), MOVER, Command::Sweep, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_joiner_killed_at_every_point_is_resumed() {
    at_every_point(few(&["nora@acme.example"]), JOINER, Command::Resume, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_sweep_killed_at_every_point_is_finished_by_the_next() {
    let given = few(&["ben.cole@acme.example", "bob@acme.example", "nora@acme.example"]);
    at_every_point(given, Command::Sweep, Command::Sweep, false).await;
}
