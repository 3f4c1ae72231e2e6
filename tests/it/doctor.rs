//! `jml doctor`: what is wrong, what follows from it, what repairs it; and nothing is changed by looking.

use std::fs;

use crate::env::{Env, Out, mutating};
use serde_json::{Value, json};

fn checks(out: &Out) -> Vec<Value> {
    let doc = out.json();
    let systems = doc["systems"].as_array().unwrap();
    systems
        .iter()
        .flat_map(|s| s["checks"].as_array().unwrap().clone())
        .collect()
}

/// Every fault says what follows and what helps.
#[track_caller]
fn failed(out: &Out) -> Vec<Value> {
    let all: Vec<Value> = checks(out).into_iter().filter(|c| c["result"] == "failed").collect();
    for c in &all {
        assert!(c["consequence"].is_string() && c["repair"].is_string(), "{c:#}");
    }
    all
}

#[test]
fn a_firm_in_order_is_zero_and_no_write_credential_is_touched() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let calls = s.during(|| {
        let out = s.jml(&env, &["doctor"]).exits(0);
        assert!(out.stdout.contains("0000000000ACME, as pinned"), "{}", out.stdout);
        assert!(out.stdout.contains("ledger\n  ok      place"), "{}", out.stdout);
        let json = s.jml(&env, &["doctor", "-o", "json"]).exits(0);
        assert_eq!(failed(&json), Vec::<Value>::new());
        let one = s.jml(&env, &["doctor", "slack", "-o", "json"]).exits(0).json();
        assert_eq!(one["systems"].as_array().unwrap().len(), 1);
        s.jml(&env, &["doctor", "fax"]).exits(2);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    let wrote = |c: &crate::env::Call| c.request_headers.to_string().contains(".write>");
    assert!(!calls.iter().any(wrote));
}

#[test]
fn one_refused_credential_is_nine_and_named() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    s.faults(json!([{"on": "slack * *", "times": "all", "answer": {"status": 200, "body": {"ok": false, "error": "token_expired"}}}]));
    let out = s.jml(&env, &["doctor", "-o", "json"]).exits(9);
    let all = failed(&out);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(all[0]["consequence"].as_str().unwrap().contains("slack"), "{all:#?}");
}

#[test]
fn an_empty_column_that_decides_is_two_and_outranks_a_refused_credential() {
    let env = Env::new();
    let given = json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 25}, "apps": {"slack": {}}});
    let s = env.world(&given, &[]);
    s.patch(json!({"okta": {"users": {"*": {"profile": {"terminationDate": null}}}}}));
    s.faults(json!([{"on": "slack * *", "times": "all", "answer": {"status": 200, "body": {"ok": false, "error": "invalid_auth"}}}]));
    let out = s.jml(&env, &["doctor", "-o", "json"]).exits(2);
    let all = failed(&out);
    let attribute = all.iter().find(|c| c["check"] == "attribute").unwrap();
    let said = attribute["subject"].as_str().unwrap();
    assert!(said.contains("terminationDate is filled for 0 of "), "{said}");
    assert!(
        attribute["repair"]
            .as_str()
            .unwrap()
            .contains("[roster.attributes] termination_date")
    );
    assert_eq!(all.len(), 2);
}

#[test]
fn a_wrong_clock_is_ten() {
    let env = Env::new();
    let given = json!({"now": "2026-07-15T05:05:00Z", "clock_skew": "5m", "population": {"people": 25}});
    let s = env.world(&given, &[]);
    let out = s.jml(&env, &["doctor", "okta", "-o", "json"]).exits(10);
    let all = failed(&out);
    assert!(
        all[0]["subject"].as_str().unwrap().ends_with("ahead of Okta"),
        "{all:#?}"
    );
}

#[test]
fn another_tenant_is_two_with_both_ids() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let text = fs::read_to_string(&s.config).unwrap();
    fs::write(
        &s.config,
        text.replace("org = \"00o0000000000000ACME\"", "org = \"00oPROD\""),
    )
    .unwrap();
    let out = s.jml(&env, &["doctor"]).exits(2);
    assert!(
        out.stderr.contains("00oPROD") && out.stderr.contains("00o0000000000000ACME"),
        "{}",
        out.stderr
    );
}

#[test]
fn a_secret_that_is_missing_or_open_and_a_group_that_is_not_there() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let text = fs::read_to_string(&s.config).unwrap();
    let text = text
        .replace("Sales = \"SALES\"", "Sales = \"SALES\"\nLegal = \"LEGAL\"")
        .replace("slack.write\"", "gone.write\"");
    fs::write(&s.config, text).unwrap();
    let out = s.jml(&env, &["doctor", "-o", "json"]).exits(2);
    let all = failed(&out);
    let subjects: Vec<&str> = all.iter().map(|c| c["subject"].as_str().unwrap()).collect();
    assert!(subjects.contains(&"ROLE-LEGAL does not exist"), "{subjects:?}");
    assert!(subjects.iter().any(|s| s.contains("gone.write")), "{subjects:?}");
}

const MONITOR: [&str; 3] = ["doctor", "--write-monitor", "--yes"];

#[test]
fn the_monitor_is_written_once_mended_and_read_back() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let dry = s.during(|| {
        let out = s.jml(&env, &["doctor", "--write-monitor", "--dry-run"]).exits(0);
        assert!(
            out.stdout.contains("Nothing was sent.") && out.stdout.contains("tells nobody"),
            "{}",
            out.stdout
        );
        s.jml(&env, &["doctor", "--write-monitor"]).exits(2);
        s.jml(&env, &["doctor", "slack", "--write-monitor", "--yes"]).exits(2);
        s.jml(&env, &["doctor", "--dry-run"]).exits(2);
    });
    assert!(!dry.iter().any(|c| c.system == "datadog"), "a look sends nothing");
    let made = s.jml(&env, &MONITOR).exits(0).stdout;
    assert!(made.contains("made, and read back"), "{made}");
    let calls = s.during(|| {
        let again = s.jml(&env, &[&MONITOR[..], &["-o", "json"]].concat()).exits(0).json();
        assert_eq!(
            (&again["kind"], &again["result"]),
            (&json!("doctor-monitor"), &json!("unchanged"))
        );
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    let monitors = s.state()["datadog"]["monitors"].as_object().unwrap().clone();
    let (id, _) = monitors.iter().next().unwrap();
    s.patch(json!({"datadog": {"monitors": {id: {"options": {"notify_no_data": false}}}}}));
    let out = s.jml(&env, &MONITOR).exits(0).stdout;
    assert!(out.contains("changed (options.notify_no_data)"), "{out}");
    let after = s.state()["datadog"]["monitors"].as_object().unwrap().clone();
    assert_eq!(
        (after.len(), &after[id]["options"]["notify_no_data"]),
        (1, &json!(true))
    );
    // A key that may read and not write is nine, and says which right is missing.
    s.patch(json!({"datadog": {"monitors": {id: {"message": "x"}}}}));
    s.faults(json!([{"on": "datadog PUT /api/v1/monitor/*", "times": "all", "answer": {"status": 403, "body": {"errors": ["Forbidden"]}}}]));
    let out = s.jml(&env, &MONITOR).exits(9);
    assert!(out.stderr.contains("monitors_write"), "{}", out.stderr);
}

/// docs/DEPLOYMENT.md shows the monitor, for whoever keeps such things elsewhere.
#[test]
fn the_documented_monitor_is_the_one_that_is_written() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let out = s
        .jml(&env, &["doctor", "--write-monitor", "--dry-run", "-o", "json"])
        .exits(0);
    let sent: Value =
        serde_json::from_str(&out.json()["monitor"].to_string().replace("env:sandbox", "env:prod")).unwrap();
    let text = fs::read_to_string(crate::generated::repository().join("docs/DEPLOYMENT.md")).unwrap();
    let block = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(block).unwrap(), sent);
}
