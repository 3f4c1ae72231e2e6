//! One leaver at 60 ms a call, in exact time: round trips on the critical path, and calls counted.

use std::time::Duration;

use serde_json::json;

use super::{
    wire::Sent,
    world::{Command, World, few},
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
