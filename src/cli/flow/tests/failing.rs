//! Each step refused, broken, throttled or unanswered in turn: no other step is stopped by it, and what is left is done later.

use serde_json::{Value, json};

use super::world::{Command, World, few};
use crate::{
    cli::exit::Exit,
    ledger::fold::{PersonState, StepRecord},
    model::{PersonResult, Verb},
};

const ALICE: Command = Command::Leaver("alice@acme.example");
const BOB: Command = Command::Mover("bob@acme.example");
const KINDS: [&str; 6] = [
    "before=403",
    "before=500",
    "before=429",
    "answer=malformed",
    "before=reset",
    "after=lost-answer",
];

fn person(state: &crate::ledger::fold::State) -> &PersonState {
    let mut all = state.people.values();
    let one = all.next().expect("one person");
    assert!(all.next().is_none());
    one
}

/// Okta lists a client as long as it holds a token or a grant: with the grants still there, nobody can say that its tokens are gone.
fn shares_a_reading(step: &str, r: &StepRecord) -> bool {
    step == "okta:revoke-grants" && r.step.effect.action.verb() == Verb::RevokeClientTokens
}

fn brief(r: &StepRecord) -> String {
    let e = &r.step.effect;
    format!("{}:{}:{} {:?}", e.system, e.action.name(), r.step.target(), r.progress)
}

/// The same work without a fault, and the sweep after it.
async fn whole(cast: &[&str], command: Command) -> Value {
    let w = World::new(few(cast), 7);
    w.run(command).await;
    w.run(Command::Sweep).await;
    w.rest().await;
    w.state()
}

#[tokio::test(start_paused = true)]
async fn each_step_of_a_leaver_fails_alone() {
    let want = whole(&[], ALICE).await;
    let mut wrong = vec![];
    for (step, contains) in [
        ("okta:suspend", true),
        ("okta:clear-sessions", true),
        ("okta:revoke-grants", false),
        ("okta:revoke-token", false),
        ("okta:remove-member:ROLE-ENG", false),
        ("okta:unassign-app:Figma", false),
        ("okta:deactivate", false),
        ("slack:deactivate", false),
    ] {
        for kind in KINDS {
            let fault = format!("{step}@all:{kind}");
            let w = World::new(few(&[]), 7);
            w.faults(&json!([fault]));
            let end = w.run(ALICE).await;
            if w.fired().iter().sum::<u64>() == 0 {
                wrong.push(format!("{fault}: did not fire"));
            }
            let run = w.run_of("leaver").await;
            let p = person(&run);
            let (system, rest) = step.split_once(':').unwrap();
            let (action, target) = rest.split_once(':').unwrap_or((rest, ""));
            let hit = |r: &&StepRecord| {
                let e = &r.step.effect;
                e.system.as_str() == system && e.action.name() == action && r.step.target().contains(target)
            };
            wrong.extend(
                p.live()
                    .filter(|r| !hit(r) && !r.settled() && !shares_a_reading(step, r))
                    .map(|r| format!("{fault}: stopped {}", brief(r))),
            );
            if !contains && p.contained.is_none() {
                wrong.push(format!("{fault}: not contained"));
            }
            let failed = p.live().filter(hit).any(|r| !r.settled());
            if failed != (end.exit() == Some(Exit::Partial)) {
                wrong.push(format!("{fault}: failed {failed}, and {end:?}"));
            }
            w.faults(&json!([]));
            w.rest().await;
            w.run(Command::Sweep).await;
            w.rest().await;
            let state = w.state();
            for part in ["users", "apps", "slack"] {
                if state[part] != want[part] {
                    wrong.push(format!(
                        "{fault}: {}",
                        super::crash::differs(part, &want[part], &state[part])
                    ));
                }
            }
            if state["changes"].as_array().map(Vec::len) != Some(1) {
                wrong.push(format!("{fault}: {}", state["changes"]));
            }
            let run = w.run_of("leaver").await;
            if person(&run).result != Some(PersonResult::Complete) {
                wrong.push(format!("{fault}: ends as {:?}", person(&run).result));
            }
            wrong.extend(
                w.unannounced()
                    .await
                    .into_iter()
                    .map(|c| format!("{fault}: {c} unannounced")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_mover_whose_removal_fails_gets_nothing_new() {
    let want = whole(&["bob@acme.example"], BOB).await;
    for kind in ["before=403", "before=500", "before=429", "before=reset"] {
        let w = World::new(few(&["bob@acme.example"]), 7);
        w.faults(&json!([format!("okta:remove-member:ROLE-ENG@all:{kind}")]));
        assert_eq!(w.run(BOB).await.exit(), Some(Exit::Partial), "{kind}");
        assert!(w.fired()[0] > 0, "{kind}");
        let added = w
            .changes()
            .iter()
            .any(|c| c.method == "PUT" || c.path.contains("invite"));
        assert!(!added, "{kind}: something was added");
        w.faults(&json!([]));
        w.rest().await;
        w.run(Command::Sweep).await;
        w.rest().await;
        let state = w.state();
        for part in ["users", "slack", "messages"] {
            assert_eq!(
                state[part],
                want[part],
                "{kind}: {}",
                super::crash::differs("", &want[part], &state[part])
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slack_gone_for_good_keeps_nothing_else_open() {
    let want = whole(&[], ALICE).await;
    let w = World::new(few(&[]), 7);
    let down = json!([{"on": "slack * *", "times": "all", "answer": {"status": 503, "body": {"ok": false, "error": "service_unavailable"}}}]);
    w.faults(&down);
    assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Partial));
    assert!(w.fired()[0] > 0);
    let run = w.run_of("leaver").await;
    let p = person(&run);
    assert!(p.contained.is_some());
    let open: Vec<String> = p.still_open().iter().map(|o| o.system.to_string()).collect();
    assert_eq!(open, ["slack"]);
    for r in p.live().filter(|r| r.step.effect.system.as_str() == "okta") {
        assert!(r.settled(), "{}", brief(r));
    }
    // Still down: the same word, and no second run.
    assert_eq!(w.run(Command::Sweep).await.exit(), Some(Exit::Partial));
    w.faults(&json!([]));
    w.rest().await;
    w.run(Command::Sweep).await;
    let run = w.run_of("leaver").await;
    assert_eq!(person(&run).result, Some(PersonResult::Complete));
    w.rest().await;
    let state = w.state();
    for part in ["users", "apps", "slack"] {
        assert_eq!(state[part], want[part]);
    }
}

#[tokio::test(start_paused = true)]
async fn servicenow_gone_is_owed_and_paid_once() {
    let w = World::new(few(&[]), 7);
    w.faults(&json!([{"on": "servicenow * *", "times": "all", "answer": {"status": 503, "body": {}}}]));
    assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Done));
    assert!(w.fired()[0] > 0);
    assert_eq!(w.state()["changes"], json!([]));
    let run = w.run_of("leaver").await;
    assert_eq!(person(&run).result, Some(PersonResult::Complete));
    assert!(run.undelivered().any(|o| o.system.as_str() == "servicenow"));
    w.faults(&json!([]));
    for _ in 0..2 {
        w.rest().await;
        w.run(Command::Sweep).await;
        let state = w.state();
        assert_eq!(
            (state["changes"].as_array().map(Vec::len), &state["attached"]),
            (Some(1), &json!(1))
        );
    }
}

/// By the table, and of a standard template by the Change API.
#[tokio::test(start_paused = true)]
async fn a_change_that_can_not_be_closed_is_filed_and_its_closing_is_paid_once() {
    let template = json!({"template": "16c2273c47010200e90d87e8dee49006", "assignment_group": null});
    for filed in [json!({}), template] {
        let mut firm = few(&[]);
        firm["config"]["systems"]["servicenow"] = filed;
        let w = World::new(firm, 7);
        let refused = json!({"error": {"message": "Operation Failed",
            "detail": "Operation against file 'change_request' was aborted by Business Rule 'Freeze^0e5b'. Business Rule Stack:Freeze"}, "status": "failure"});
        w.faults(&json!([{"on": "servicenow PATCH /api/now/table/change_request/*", "nth": 2, "times": "all", "answer": {"status": 403, "body": refused}}]));
        assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Done));
        assert!(w.fired()[0] > 0);
        let run = w.run_of("leaver").await;
        assert_eq!(person(&run).result, Some(PersonResult::Complete));
        let owed: Vec<&str> = run.undelivered().map(|o| o.record.what.name()).collect();
        assert_eq!(owed, ["close-record"]);
        assert_eq!(w.state()["changes"][0]["state"], "-2", "as far as it may go");
        // Still refused past its deadline: the sweep says so, and walks nothing twice.
        w.rest().await;
        tokio::time::advance(std::time::Duration::from_secs(7200)).await;
        assert_eq!(w.run(Command::Sweep).await.exit(), Some(Exit::Partial));
        w.faults(&json!([]));
        for _ in 0..2 {
            w.rest().await;
            w.run(Command::Sweep).await;
            let state = w.state();
            assert_eq!(state["changes"].as_array().map(Vec::len), Some(1));
            assert_eq!(
                (&state["changes"][0]["state"], &state["attached"]),
                (&json!("3"), &json!(1))
            );
        }
        assert!(w.run_of("leaver").await.finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_not_closed_before_it_says_all_it_has_to_say() {
    let w = World::new(few(&[]), 7);
    w.faults(&json!([{"on": "servicenow POST /api/now/attachment/file", "times": "all", "answer": {"status": 503, "body": {}}}]));
    assert_eq!(w.run(ALICE).await.exit(), Some(Exit::Done));
    assert!(w.fired()[0] > 0);
    let state = w.state();
    assert_eq!(
        (&state["changes"][0]["state"], &state["attached"]),
        (&json!("-5"), &json!(0))
    );
    w.faults(&json!([]));
    w.rest().await;
    w.run(Command::Sweep).await;
    let state = w.state();
    assert_eq!(
        (&state["changes"][0]["state"], &state["attached"]),
        (&json!("3"), &json!(1))
    );
}
