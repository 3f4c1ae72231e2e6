//! The kill switch: one process pulls it, another one stops between two effects.

use std::process::Stdio;

use serde_json::Value;

use crate::env::{Env, Out, Serve, mutating, small, stands_for_two};

pub const LEE: &str = "lee@acme.example";
const LEAVER: &[&str] = &["leaver", LEE, "--confirm", LEE, "--no-color"];
/// Between containment and what comes after it.
pub const POINT: &str = "okta:remove-member:PROJ-ONE:before";
const PAUSE: &[&str] = &["pause", "--for", "1h", "--reason", "HR is wrong about people"];

/// As somebody whom sudo let in.
pub fn other(env: &Env, s: &Serve, args: &[&str]) -> Out {
    let mut c = s.command(env, args);
    c.env("SUDO_USER", "kim").env("SUDO_UID", "4242");
    Out::of(c.output().unwrap())
}

fn status(s: &Serve) -> Value {
    s.state()["okta"]["users"]["00u00000000000000lee"]["status"].clone()
}

/// On any ledger: one that stands at `POINT` is stopped there by another process, and is finished when somebody else lifts the pause.
pub fn stopped_between_two_effects(env: &Env, s: &Serve) {
    if !stands_for_two() {
        return;
    }
    let mut leaver = s
        .command(env, LEAVER)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(s.hit(&mut leaver), POINT);
    let said = s.jml(env, PAUSE).exits(0).stdout;
    assert!(
        said.contains("only containment begins") && said.contains("ledger entry"),
        "{said}"
    );
    s.release();
    let out = Out::of(leaver.wait_with_output().unwrap()).exits(14);
    for word in ["paused by", "until", "HR is wrong about people", "jml run resume r-"] {
        assert!(out.stdout.contains(word), "{word}: {}", out.stdout);
    }
    assert_eq!(status(s), "SUSPENDED", "contained, and no more");
    // What was in flight is recorded, and nothing was begun after it.
    let entries = crate::env::ledger(env, s);
    let after: Vec<&str> = entries
        .iter()
        .skip_while(|e| e["kind"] != "paused")
        .filter_map(|e| e["kind"].as_str())
        .collect();
    assert!(after.contains(&"finished") && !after.contains(&"started"), "{after:?}");
    // Not by whoever paused.
    let own = s.jml(env, &["unpause"]).exits(6);
    assert!(own.stderr.contains("whoever paused can't lift it"), "{}", own.stderr);
    s.jml(env, &["run", "resume"]).exits(14);
    let lifted = other(env, s, &["unpause"]).exits(0);
    assert!(lifted.stdout.contains("is lifted: ledger entry"), "{}", lifted.stdout);
    s.jml(env, &["run", "resume"]).exits(0);
    assert_eq!(status(s), "DEPROVISIONED");
    let again = s.jml(env, &["unpause"]).exits(0);
    assert_eq!(again.stdout, "Nothing is paused.\n");
    s.jml(env, &["audit", "verify"]).exits(0);
}

#[test]
fn a_pause_from_another_process_stops_a_leaver_between_two_effects() {
    if !stands_for_two() {
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &["--fault", &format!("{POINT}=hold")]);
    stopped_between_two_effects(&env, &s);
    let told: Vec<String> = s
        .journal()
        .iter()
        .filter(|c| c.is("datadog POST .*/events.*"))
        .map(|c| c.request_body.to_string())
        .collect();
    assert!(
        told.iter()
            .any(|t| t.contains("jml paused by") && t.contains("HR is wrong about people")),
        "{told:?}"
    );
}

#[test]
fn a_command_that_begins_in_a_pause_says_so_and_only_contains() {
    if !stands_for_two() {
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let groups = |s: &Serve| s.state()["okta"]["users"]["00u00000000000000joi"]["groups"].clone();
    let before = groups(&s);
    s.jml(&env, PAUSE).exits(0);
    let refused = s.during(|| {
        for argv in [
            &["mover", "mo@acme.example", "--yes"][..],
            &["joiner", "jo@acme.example", "--yes"],
            &["groups", "apply", "--yes"],
            &["run", "apply", "r-000000", "--yes"],
        ] {
            let out = s.jml(&env, argv).exits(14);
            assert!(
                out.stderr.contains("paused by") && out.stderr.contains("jml unpause"),
                "{argv:?} {}",
                out.stderr
            );
        }
    });
    assert_eq!(mutating(&refused), Vec::<String>::new());
    // Who only looks is told, and looks.
    for argv in [
        &["leaver", LEE, "--dry-run"][..],
        &["sweep", "--dry-run"],
        &["run", "list"],
        &["show", LEE],
        &["audit", "log"],
    ] {
        let out = s.jml(&env, argv).exits(0);
        assert!(out.stderr.contains("! paused by"), "{argv:?} {}", out.stderr);
    }
    let swept = s.jml(&env, &["sweep", "--yes", "-o", "json"]).exits(14).json();
    assert_eq!(swept["paused"]["stopped"], true, "{swept:#}");
    assert_eq!(swept["paused"]["reason"], "HR is wrong about people");
    assert_eq!(status(&s), "SUSPENDED");
    assert_eq!(groups(&s), before, "nobody joins");
    // Later it ends by itself.
    s.set_clock("2026-07-15T16:30:00Z");
    s.jml(&env, &["run", "resume"]);
    assert_eq!(status(&s), "DEPROVISIONED");
    s.jml(&env, &["mover", "mo@acme.example", "--yes"]).exits(0);
}

#[test]
fn a_pause_of_everything_keeps_even_a_leaver_from_anything() {
    if !stands_for_two() {
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let argv = [PAUSE, &["--all"]].concat();
    let said = s.jml(&env, &argv).exits(0).stdout;
    assert!(said.contains("not even containment"), "{said}");
    let calls = s.during(|| {
        s.jml(&env, LEAVER).exits(14);
        let swept = s.jml(&env, &["sweep", "--yes", "--no-color"]).exits(14);
        assert!(
            swept
                .stdout
                .contains("lee@acme.example leaver HELD, not contained: paused"),
            "{}",
            swept.stdout
        );
    });
    let changed: Vec<_> = mutating(&calls)
        .into_iter()
        .filter(|c| !c.starts_with("datadog "))
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

#[test]
fn a_pause_is_short_has_a_reason_and_is_never_shortened() {
    if !stands_for_two() {
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &[]);
    for argv in [
        &["pause", "--for", "5h", "--reason", "x"][..],
        &["pause", "--for", "0s", "--reason", "x"],
        &["pause", "--for", "1h", "--reason", " "],
        &["pause", "--for", "1h"],
        &["pause", "--reason", "x"],
    ] {
        s.jml(&env, argv).exits(2);
    }
    let long = s
        .jml(&env, &["pause", "--for", "3h", "--reason", "long", "-o", "json"])
        .exits(0)
        .json();
    let short = s
        .jml(&env, &["pause", "--for", "1m", "--reason", "short", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(long["until"], short["until"], "{short:#}");
    assert_eq!(short["reason"], "long");
    assert!(short["entry"].as_i64() > long["entry"].as_i64());
}

/// It has to work while the directory does not.
#[test]
fn a_pause_asks_no_system_before_it_holds() {
    if !stands_for_two() {
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &[]);
    s.faults(serde_json::json!([
        {"on": "okta * *", "times": "all", "answer": {"status": 503}},
        {"on": "datadog * *", "times": "all", "answer": {"status": 503}}
    ]));
    let out = s.jml(&env, PAUSE).exits(0);
    assert!(out.stderr.contains("datadog has not been told yet"), "{}", out.stderr);
    s.faults(serde_json::json!([]));
    s.jml(&env, &["mover", "mo@acme.example", "--yes"]).exits(14);
}
