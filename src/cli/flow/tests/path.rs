//! One leaver at 60 ms a call, in exact time: round trips on the critical path, and calls counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    wire::Sent,
    world::{Command, World, estate, few, only},
};
use crate::{cli::exit::Exit, ledger::fold::PersonState};

const CALL: Duration = Duration::from_millis(60);

/// The longest chain of steps that wait for one another.
fn depth(p: &PersonState) -> usize {
    let mut depths: Vec<usize> = vec![];
    for r in &p.steps {
        let before = r.step.after.iter().map(|a| depths[*a]).max().unwrap_or(0);
        depths.push(before + 1);
    }
    depths.into_iter().max().unwrap_or(0)
}

fn is(c: &Sent, method: &str, end: &str) -> bool {
    c.system == "okta" && c.method == method && c.path.ends_with(end)
}

#[tokio::test(start_paused = true)]
async fn a_leaver_takes_its_round_trips_and_no_more() {
    let mut given = few(&[]);
    given["latency"] = json!("60ms");
    given["okta"]["deactivate_delay"] = json!("0s");
    let w = World::new(given, 7);
    assert_eq!(
        w.run(Command::Leaver("alice@acme.example")).await.exit(),
        Some(Exit::Done)
    );
    let sent = w.wire.sent();
    let run = w.run_of("leaver").await;
    let p = run.people.values().next().unwrap();

    // From the first effect to the last fresh read: the plan's own chain, one verification, nothing else.
    let okta: Vec<&Sent> = sent.iter().filter(|c| c.system == "okta").collect();
    let begun = okta.iter().find(|c| is(c, "POST", "/lifecycle/suspend")).unwrap().at;
    let over = okta.iter().map(|c| c.at).max().unwrap() + CALL;
    let trips = u32::try_from(depth(p)).unwrap() + 1;
    assert_eq!((over - begun, trips), (CALL * trips, 5));

    // Suspended first, and signed out in the very next round trip.
    let cleared = okta.iter().find(|c| is(c, "DELETE", "/sessions")).unwrap().at;
    assert_eq!(cleared - begun, CALL);

    // The containing calls leave in the second round trip after approval: the fresh look is the first.
    let looks: Vec<_> = okta.iter().filter(|c| is(c, "GET", &p.subject)).map(|c| c.at).collect();
    assert!(looks.contains(&(begun - CALL)), "{looks:?} {begun:?}");
    let fresh = sent.iter().filter(|c| c.at >= begun - CALL && c.at < begun);
    assert!(fresh.clone().count() > 3 && fresh.clone().all(|c| c.at == begun - CALL));

    // DESIGN 10 counts 9 + G + D, + 3 fresh, + apps again, + grants again, + clients, + 2 a client with tokens.
    let of_alice = |c: &&&Sent| {
        c.path.contains(&p.subject)
            || c.path.contains("/alice%40")
            || (c.path == "/api/v1/apps" && c.query.contains(&p.subject))
    };
    let calls = okta.iter().filter(of_alice).count();
    let groups = okta
        .iter()
        .filter(|c| c.method == "DELETE" && c.path.contains("/groups/"))
        .count();
    let direct = okta
        .iter()
        .filter(|c| c.method == "DELETE" && c.path.contains("/apps/"))
        .count();
    assert_eq!((groups, direct), (8, 3));
    assert_eq!(calls, 9 + groups + direct + 3 + 1 + 1 + 1 + 2);
}

/// The directory and five apps, and who keeps the record.
const SIX: [&str; 6] = ["okta", "slack", "github", "google", "salesforce", "zoom"];

fn six() -> Value {
    let mut given = only(estate(60), &[]);
    given["latency"] = json!("60ms");
    given["okta"]["deactivate_delay"] = json!("0s");
    let apps = given["apps"].as_object_mut().unwrap();
    apps.retain(|name, _| SIX.contains(&name.as_str()) || ["servicenow", "datadog"].contains(&name.as_str()));
    given["config"]["systems"].as_object_mut().unwrap().remove("badge");
    given
}

#[tokio::test(start_paused = true)]
async fn six_systems_take_as_long_as_the_longest_chain_among_them() {
    let w = World::new(six(), 7);
    let end = w.run(Command::Leaver("alice@acme.example")).await;
    assert_eq!(end.exit(), Some(Exit::Done));
    let (run, times) = (w.run_of("leaver").await, w.times("leaver").await);
    let p = run.people.values().next().unwrap();
    let sent = w.wire.sent();
    let calls = |system: &str, from: Instant, to: Instant| -> BTreeSet<Instant> {
        let of = sent.iter().filter(|c| c.system == system && c.at >= from && c.at < to);
        of.map(|c| c.at).collect()
    };
    let begun = times.values().map(|(started, _)| *started).min().unwrap();
    let reported = sent.iter().find(|c| c.system == "datadog").unwrap().at;

    // What each step costs is its own calls, one after another; what it waits for is what the plan names, and nothing else.
    let mut chain: Vec<Duration> = vec![];
    for (n, r) in p.steps.iter().enumerate() {
        let before = r.step.after.iter().map(|a| chain[*a]).max().unwrap_or_default();
        let Some((started, ended)) = times.get(&n) else {
            chain.push(before);
            continue;
        };
        let own = calls(r.step.effect.system.as_str(), *started, *ended).len();
        let cost = CALL * u32::try_from(own).unwrap();
        assert_eq!(
            (*started - begun, *ended - *started),
            (before, cost),
            "step {n}: {:?}",
            r.step
        );
        chain.push(before + cost);
    }
    // Each is read again as soon as its own last step has ended.
    let mut paths = BTreeMap::new();
    for system in SIX {
        let own = p
            .steps
            .iter()
            .zip(&chain)
            .filter(|(r, _)| r.step.effect.system.as_str() == system);
        let last = own.map(|(_, end)| *end).max().unwrap();
        let reads = calls(system, begun + last, reported).len();
        assert!(reads > 0, "{system} was not read again");
        paths.insert(system, last + CALL * u32::try_from(reads).unwrap());
    }
    let (longest, path) = paths.iter().max_by_key(|(_, path)| **path).unwrap();
    let wall = reported - begun;
    assert_eq!(wall, *path, "{longest} is the longest of {paths:?}");

    // One call after another, as a script makes them, would take so many times as long.
    let applying = sent
        .iter()
        .filter(|c| SIX.contains(&c.system.as_str()) && c.at >= begun);
    let script = CALL * u32::try_from(applying.count()).unwrap();
    assert!(script >= wall * 5, "{script:?} one after another, {wall:?} here");
}
