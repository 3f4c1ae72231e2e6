//! `jml mover`: what the old job gave goes before what the new one gives comes.

use crate::env::{Env, person};
use serde_json::json;

const BOB: &str = "bob@acme.example";

#[test]
fn removals_end_before_additions_begin_and_the_manager_is_told_once() {
    let env = Env::new();
    let s = env.serve(&[]);
    let plan = s.jml(&env, &["mover", BOB, "--dry-run"]).exits(0).stdout;
    for word in [
        "remove first",
        "then add",
        "then tell",
        "lost, then back",
        "kept",
        "gained",
        "lost  ",
        "Sales",
    ] {
        assert!(plan.contains(word), "{word}:\n{plan}");
    }
    let mut run = json!(null);
    let calls = s.during(|| run = s.jml(&env, &["mover", BOB, "--yes", "-o", "json"]).exits(0).json());
    assert_eq!(person(&run, BOB)["result"], "complete");
    let last = calls
        .iter()
        .rposition(|c| c.is("okta DELETE /api/v1/groups/.*|slack POST /api/conversations.kick"))
        .unwrap();
    let first = calls
        .iter()
        .position(|c| c.is("okta PUT /api/v1/groups/.*|slack POST /api/conversations.invite"))
        .unwrap();
    assert!(last < first, "{} after {}", calls[last].name(), calls[first].name());
    let told: Vec<_> = calls
        .iter()
        .filter(|c| c.is("slack POST /api/chat.postMessage"))
        .collect();
    assert_eq!(told.len(), 1, "one message, to the manager");
    let groups = s.state()["okta"]["users"][person(&run, BOB)["id"].as_str().unwrap()]["groups"].clone();
    assert_eq!(
        groups,
        json!(["BR-ALL-EMPLOYEES", "Everyone", "PROJ-ATLAS", "ROLE-SALES"])
    );
    let again = s.during(|| {
        assert!(
            s.jml(&env, &["mover", BOB, "--yes"])
                .exits(0)
                .stdout
                .contains("NOTHING TO DO")
        )
    });
    assert_eq!(crate::env::mutating(&again), Vec::<String>::new());
}

#[test]
fn a_failed_removal_means_no_addition() {
    let env = Env::new();
    let s = env.serve(&["--fault", "okta:remove-member:ROLE-ENG@all:before=403"]);
    let calls = s.during(|| {
        let run = s.jml(&env, &["mover", BOB, "--yes", "-o", "json"]).exits(4).json();
        let p = person(&run, BOB);
        assert_eq!(p["result"], "partial");
        for step in p["steps"].as_array().unwrap().iter().filter(|s| s["phase"] == "add") {
            assert_eq!(step["outcome"], "not-tried", "{step:#}");
        }
    });
    assert!(
        calls
            .iter()
            .any(|c| c.is("okta DELETE /api/v1/groups/.*") && c.status == 403),
        "the fault fired"
    );
    assert!(
        !calls
            .iter()
            .any(|c| c.is("okta PUT /api/v1/groups/.*|slack POST /api/conversations.invite"))
    );
}

#[test]
fn what_has_piled_up_goes_and_a_title_alone_changes_nothing() {
    let env = Env::new();
    let s = env.serve(&[]);
    let max = "max.lund@acme.example";
    let run = s.jml(&env, &["mover", max, "--yes", "-o", "json"]).exits(0).json();
    let groups = s.state()["okta"]["users"][person(&run, max)["id"].as_str().unwrap()]["groups"].clone();
    assert_eq!(groups, json!(["BR-ALL-EMPLOYEES", "Everyone", "ROLE-FIN"]));
    let calls = s.during(|| {
        assert!(
            s.jml(&env, &["mover", "mia.toller@acme.example", "--yes"])
                .exits(0)
                .stdout
                .contains("NOTHING TO DO")
        );
    });
    assert_eq!(crate::env::mutating(&calls), Vec::<String>::new());
}
