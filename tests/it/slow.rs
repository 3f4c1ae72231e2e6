//! A system that is down: contain what can be contained, say what is open, and finish when it is back.

use crate::env::{Env, person, small};
use serde_json::json;

const LEE: &str = "lee@acme.example";
const LEAVER: &[&str] = &["leaver", LEE, "--confirm", LEE, "-o", "json"];

fn down(system: &str) -> serde_json::Value {
    json!([{"on": format!("{system} * *"), "times": "all", "may_not_fire": false,
            "answer": {"status": 503, "headers": {"retry-after": "0"}, "body": {"error": "down"}}}])
}

#[test]
fn slack_down_for_good_leaves_one_thing_open_and_the_next_sweep_closes_it() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    s.faults(json!([{"on": "slack PATCH|POST /scim/*", "times": "all", "answer": {"status": 503, "headers": {"retry-after": "0"}, "body": {}}}]));
    let run = s.jml(&env, LEAVER).exits(4).json();
    let p = person(&run, LEE);
    assert_eq!(p["result"], "partial");
    assert!(p["contained"].is_string(), "{p:#}");
    assert_eq!(p["open"].as_array().unwrap().len(), 1, "{p:#}");
    assert_eq!(p["open"][0]["system"], "slack");
    assert_eq!(
        s.state()["okta"]["users"]["00u00000000000000lee"]["status"],
        "DEPROVISIONED"
    );
    let shown = s.jml(&env, &["run", "show", run["run"].as_str().unwrap()]);
    assert!(shown.stdout.contains("Still open: slack"), "{}", shown.stdout);
    s.faults(json!([]));
    s.jml(&env, &["sweep", "--lane", "leavers", "--yes"]).exits(0);
    assert_eq!(s.state()["slack"]["users"]["U000000LEE"]["active"], json!(false));
    // the same run was finished: one leaving, one change request
    assert_eq!(s.state()["servicenow"]["change_request"].as_object().unwrap().len(), 1);
    let shown = s.jml(&env, &["run", "show", run["run"].as_str().unwrap()]).stdout;
    assert!(shown.contains("COMPLETE"), "{shown}");
}

#[test]
fn servicenow_down_owes_the_record_and_a_sweep_pays_it_once() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    s.faults(down("servicenow"));
    let run = s.jml(&env, LEAVER).exits(0).json();
    assert_eq!(person(&run, LEE)["result"], "complete");
    let changes = || s.state()["servicenow"]["change_request"].as_object().unwrap().len();
    assert_eq!(changes(), 0);
    s.faults(json!([]));
    for _ in 0..2 {
        s.jml(&env, &["sweep", "--lane", "leavers", "--yes"]).exits(0);
        assert_eq!(changes(), 1);
    }
}
