//! Paused at every moment of a run, from another process, then taken up: nothing begins but containment, and the end is the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    crash::differs,
    world::{Command, World, few, given},
};
use crate::{cli::exit::Exit, model::Phase};

const LEAVER: Command = Command::Leaver("alice@acme.example");
const MOVER: Command = Command::Mover("bob@acme.example");
const LENGTH: TimeDelta = TimeDelta::minutes(30);

/// How far it was when the pause came.
struct Cut {
    exit: Option<Exit>,
    begun: BTreeSet<Phase>,
    world: World,
}

async fn cut(given: &Value, command: Command, after: Duration, all: bool) -> Cut {
    let world = World::new(given.clone(), 7);
    let (end, ()) = tokio::join!(world.run(command), async {
        tokio::time::sleep(after).await;
        world.pause(LENGTH, all).await;
    });
    Cut {
        exit: end.exit(),
        begun: world.begun_in_pause().await,
        world,
    }
}

fn once_each(effects: &BTreeMap<(String, String), usize>) -> bool {
    effects
        .iter()
        .all(|((_, effect), n)| *n == 1 || effect.starts_with("clear-sessions "))
}

/// Every 40 ms of the run; when the pause has ended by itself, `then` finishes it. Returns how often it was cut short.
async fn at_every_moment(mut given: Value, command: Command, then: Command, all: bool) -> usize {
    given["latency"] = json!("60ms");
    let whole = World::new(given.clone(), 7);
    let exit = whole.run(command).await.exit();
    whole.run(then).await;
    whole.rest().await;
    let (state, effects) = (whole.state(), whole.effects().await);
    let mut stopped = 0;
    for moment in 0..30 {
        let at = Duration::from_millis(40 * moment);
        let Cut {
            exit: ended,
            begun,
            world,
        } = cut(&given, command, at, all).await;
        match ended {
            Some(Exit::Paused) => stopped += 1,
            // It came too late.
            other => assert_eq!(other, exit, "{at:?}"),
        }
        let may = if all {
            BTreeSet::new()
        } else {
            BTreeSet::from([Phase::Contain])
        };
        assert!(begun.is_subset(&may), "{at:?}: {begun:?}");
        let begun = world.runs().await.iter().any(|r| !r.people.is_empty());
        // Still paused: taken up, it gets no further than before.
        if begun && ended == Some(Exit::Paused) {
            let points = world.run(then).await;
            assert_eq!(points.exit(), Some(Exit::Paused), "{at:?}");
            assert!(world.begun_in_pause().await.is_subset(&may), "{at:?}");
        }
        tokio::time::sleep(LENGTH.to_std().unwrap()).await;
        // Whoever was refused before anything began gives the command again.
        if !begun {
            world.run(command).await;
        }
        let end = world.run(then).await;
        // The promise is broken by then where the pause was longer than it.
        assert!(matches!(end.exit(), Some(Exit::Done | Exit::Late)), "{at:?}: {end:?}");
        world.rest().await;
        let now = world.state();
        assert!(
            now["users"] == state["users"] && now["slack"] == state["slack"] && now["apps"] == state["apps"],
            "{at:?}: {}",
            differs("", &state, &now)
        );
        let done = world.effects().await;
        assert!(once_each(&done), "{at:?}: {done:?}");
        assert_eq!(
            done.keys().collect::<Vec<_>>(),
            effects.keys().collect::<Vec<_>>(),
            "{at:?}"
        );
        assert_eq!(world.unannounced().await, Vec::<String>::new(), "{at:?}");
    }
    stopped
}

#[tokio::test(start_paused = true)]
async fn a_leaver_paused_at_any_moment_is_contained_and_then_resumed() {
    assert!(at_every_moment(few(&[]), LEAVER, Command::Resume, false).await > 5);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_everything_stops_containment_too() {
    assert!(at_every_moment(few(&[]), LEAVER, Command::Resume, true).await > 5);
}

#[tokio::test(start_paused = true)]
async fn a_mover_paused_at_any_moment_is_resumed() {
    assert!(at_every_moment(few(&["bob@acme.example"]), MOVER, Command::Resume, false).await > 5);
}

/// The leavers who are due are contained, everybody else waits, and the next sweep after it does the rest.
#[tokio::test(start_paused = true)]
async fn a_sweep_in_a_pause_contains_and_the_next_one_does_the_rest() {
    let undisturbed = World::new(given(60), 7);
    undisturbed.run(Command::Sweep).await;
    undisturbed.run(Command::Sweep).await;
    undisturbed.rest().await;
    let world = World::new(given(60), 7);
    world.pause(LENGTH, false).await;
    for _ in 0..2 {
        assert_eq!(world.run(Command::Sweep).await.exit(), Some(Exit::Paused));
    }
    assert_eq!(world.begun_in_pause().await, BTreeSet::from([Phase::Contain]));
    let people = world.runs().await.into_iter().flat_map(|r| r.people);
    // Who is protected waits for an approver, pause or not.
    let leavers: Vec<_> = people.filter(|(_, p)| p.held.is_none()).collect();
    assert!(!leavers.is_empty() && leavers.iter().all(|(_, p)| p.contained.is_some()));
    tokio::time::sleep(LENGTH.to_std().unwrap()).await;
    world.run(Command::Sweep).await;
    world.run(Command::Sweep).await;
    world.rest().await;
    // What no read can show may be ended again; nothing else is.
    let unseen = |effect: &str| effect.starts_with("clear-sessions ") || effect.starts_with("revoke-grants ");
    let effects = world.effects().await.into_iter();
    let twice: Vec<_> = effects.filter(|((_, e), n)| *n > 1 && !unseen(e)).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let (was, is) = (undisturbed.state(), world.state());
    assert!(
        was["users"] == is["users"],
        "{}",
        differs("", &was["users"], &is["users"])
    );
}

/// Before anything: nobody is even told that a run began.
#[tokio::test(start_paused = true)]
async fn what_gives_access_is_refused_before_anything() {
    let world = World::new(few(&["bob@acme.example", "nora@acme.example"]), 7);
    world.pause(LENGTH, false).await;
    for command in [MOVER, Command::Joiner("nora@acme.example")] {
        assert_eq!(world.run(command).await.exit(), Some(Exit::Paused), "{command:?}");
    }
    assert!(world.changes().is_empty());
    assert_eq!(world.runs().await.len(), 1, "the pause's own");
}
