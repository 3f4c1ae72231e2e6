//! Each system of the estate out of order in turn: the others are verified all the same, and no word is false.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{Command, World, estate, only};
use crate::{
    cli::exit::Exit,
    ledger::{PersonState, fold::State},
    model::{Outcome, PersonResult, Verb, system::OKTA},
};

const ALICE: Command = Command::Leaver("alice@acme.example");

fn person(state: &State) -> &PersonState {
    state.people.values().next().expect("one person")
}

/// Every system in which the leaver has something, beside the directory.
async fn systems() -> (BTreeSet<String>, Value) {
    let w = World::new(only(estate(60), &[]), 7);
    let end = w.run(ALICE).await;
    assert_eq!(end.exit(), Some(Exit::Done), "{end:?}");
    let run = w.run_of("leaver").await;
    let p = person(&run);
    let told = |verb: Verb| verb != Verb::ByHand;
    let systems = p
        .live()
        .filter(|r| told(r.step.effect.action.verb()))
        .map(|r| r.step.effect.system.clone());
    let systems = systems.filter(|s| *s != OKTA).map(|s| s.to_string()).collect();
    w.rest().await;
    w.run(Command::Sweep).await;
    w.rest().await;
    (systems, w.state())
}

/// How a system can be out of order for as long as the command runs.
fn ills(system: &str) -> Vec<(&'static str, Value)> {
    let all = |answer: Value| json!([{"on": format!("{system} * *"), "times": "all", "answer": answer}]);
    let page = json!({"status": 200, "headers": {"content-type": "text/html"}, "body_text": "<html>Sign in</html>"});
    vec![
        ("401", json!([format!("{system}:*@all:before=401")])),
        ("403", json!([format!("{system}:*@all:before=403")])),
        ("500", json!([format!("{system}:*@all:before=500")])),
        ("a page", all(page)),
        (
            "nothing",
            json!([{"on": format!("{system} * *"), "times": "all", "lose_answer": true}]),
        ),
        ("an empty object", all(json!({"status": 200, "body": {}}))),
        ("an empty list", all(json!({"status": 200, "body": []}))),
    ]
}

#[tokio::test(start_paused = true)]
async fn any_one_system_out_of_order_keeps_no_other_open_and_is_never_called_done() {
    let (systems, want) = systems().await;
    assert!(systems.contains("slack"), "{systems:?}");
    let mut wrong = vec![];
    for system in &systems {
        let twin = World::new(only(estate(60), &[]), 7).twin(system);
        for (ill, faults) in ills(&twin) {
            let case = format!("{system}: {ill}");
            let w = World::new(only(estate(60), &[]), 7);
            w.faults(&faults);
            let end = w.run(ALICE).await;
            if w.fired().iter().sum::<u64>() == 0 {
                wrong.push(format!("{case}: did not fire"));
            }
            if end.exit() != Some(Exit::Partial) {
                wrong.push(format!("{case}: {end:?}"));
                continue;
            }
            let run = w.run_of("leaver").await;
            let p = person(&run);
            if p.contained.is_none() {
                wrong.push(format!("{case}: not contained"));
            }
            for r in p.live() {
                let (e, outcome) = (&r.step.effect, r.outcome());
                let name = format!(
                    "{case}: {}:{} {:?}",
                    e.system,
                    e.action.name(),
                    outcome.map(Outcome::name)
                );
                let ours = e.system.as_str() == system.as_str();
                let by_hand = e.action.verb() == Verb::ByHand;
                // What waits for its files waits for that system.
                let late = matches!(outcome, Some(Outcome::Owed { until: Some(_), .. }));
                if ours && matches!(outcome, Some(Outcome::Verified | Outcome::Done)) {
                    wrong.push(format!("{name}, and nothing was read or done"));
                }
                if !ours && !r.settled() && !by_hand && !late {
                    wrong.push(name);
                }
            }
            let open: Vec<String> = p.still_open().iter().map(|o| o.system.to_string()).collect();
            if !open.contains(system) {
                wrong.push(format!("{case}: still open is {open:?}"));
            }
            if ["401", "403"].contains(&ill) {
                let hints = p.live().filter_map(|r| r.outcome()?.failure()?.hint.clone());
                if hints.count() == 0 {
                    wrong.push(format!("{case}: no hint says what to do"));
                }
            }
            w.faults(&json!([]));
            w.rest().await;
            let swept = w.run(Command::Sweep).await;
            w.rest().await;
            let run = w.run_of("leaver").await;
            if person(&run).result != Some(PersonResult::Complete) {
                let p = person(&run);
                let left = p.live().filter(|r| !r.settled());
                let left: Vec<String> = left
                    .map(|r| {
                        format!(
                            "{}:{} {:?}",
                            r.step.effect.system,
                            r.step.effect.action.name(),
                            r.progress
                        )
                    })
                    .collect();
                wrong.push(format!("{case}: ends as {:?} after {swept:?}: {left:?}", p.result));
            }
            let state = w.state();
            for part in ["users", "apps", "slack"] {
                if state[part] != want[part] {
                    wrong.push(format!(
                        "{case}: {}",
                        super::crash::differs(part, &want[part], &state[part])
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
