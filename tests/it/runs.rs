//! `jml run` through the real binary: the report again, and what a brake held.

use serde_json::Value;

use crate::desk::{Desk, run_of};

const ALICE: &str = "alice@acme.example";

#[test]
fn a_run_is_shown_as_it_was_reported() {
    let desk = Desk::new();
    let closing = desk.ran(0, &["leaver", ALICE, "--confirm", ALICE]).stdout;
    let run = run_of(&closing);
    let again = desk.ran(0, &["run", "show", &run]).stdout;
    assert!(closing.ends_with(&again), "{closing}\n---\n{again}");
    let record = again.lines().find(|l| l.starts_with("Record")).unwrap();
    let words: Vec<&str> = record.split_whitespace().collect();
    assert!(
        matches!(words[..], [_, change, "ledger", "checkpoint", _] if change.starts_with("CHG")),
        "{record}"
    );
    let plan = again_plan(&desk, &run);
    assert_eq!(desk.ran(0, &["run", "show", &plan]).stdout, again);

    let doc = desk.document(0, &["run", "show", &run]);
    assert_eq!(doc["people"][0]["result"], "complete");
    assert_eq!(doc["run"], run);
    let lines = desk.ran(0, &["run", "show", &run, "-o", "ndjson"]).stdout;
    let kinds: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["person", "summary"]);
    desk.ran(2, &["run", "show", &run, "-o", "csv"]);

    let list = desk.document(0, &["run", "list"]);
    assert_eq!(list["rows"][0]["run"], run);
    assert_eq!(list["rows"][0]["kind"], "leaver");
    assert_eq!(list["rows"][0]["exit"], 0);
    let list = desk.ran(0, &["run", "list", "-o", "csv"]).stdout;
    assert!(list.starts_with("run,kind,people,exit,started\n"), "{list}");
}

fn again_plan(desk: &Desk, run: &str) -> String {
    let doc = desk.document(0, &["run", "show", run]);
    doc["people"][0]["plan"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_not_there_is_no_run() {
    let desk = Desk::new();
    assert!(desk.ran(0, &["run", "list"]).stdout.ends_with("(none)\n"));
    desk.ran(11, &["run", "show", "r-000000"]);
    desk.ran(11, &["run", "show", "0123-4567-89ab"]);
    desk.ran(11, &["run", "apply", "0123-4567-89ab", "--yes"]);
}

#[test]
fn a_held_plan_is_shown_and_applied_as_far_as_it_is_true() {
    let desk = Desk::new();
    let braked = desk.ran(5, &["sweep", "--yes", "--max-leavers", "2"]);
    let run = run_of(&braked.stderr);
    let doc = desk.document(0, &["run", "show", &run]);
    let held: Vec<(String, String)> = doc["people"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|p| assert_eq!(p["result"], "held"))
        .filter(|p| p["flow"] == "leaver" && p["steps"].to_string().contains("\"slack\""))
        .map(|p| (p["login"].as_str().unwrap().into(), p["plan"].as_str().unwrap().into()))
        .collect();
    let [(first, one), (second, other), ..] = &held[..] else {
        panic!("two leavers with Slack: {held:?}")
    };

    let all = desk.ran(0, &["run", "show", &run]).stdout;
    assert!(
        all.contains(first.as_str()) && all.contains(&format!("jml run apply {run} --yes --sandbox")),
        "{all}"
    );
    // By the id as screens write it: that plan alone, as it was shown.
    let short = format!("{}-{}-{}", &one[..4], &one[4..8], &one[8..12]);
    let shown = desk.ran(0, &["run", "show", &short]).stdout;
    assert!(
        shown.contains(&format!("plan {short}"))
            && shown.contains("HELD ")
            && shown.contains(&format!("jml run apply {short} --yes --sandbox"))
            && !shown.contains(second.as_str()),
        "{shown}"
    );

    // It asks nothing, and does nothing without the flag.
    let no = desk.ran(2, &["run", "apply", &short]);
    assert!(no.stderr.contains("--yes"), "{}", no.stderr);
    let done = desk.document(0, &["run", "apply", &short, "--yes"]);
    let people = done["people"].as_array().unwrap();
    assert_eq!(people.len(), 1, "{done:#}");
    assert_eq!(
        (&people[0]["login"], &people[0]["result"]),
        (&first.as_str().into(), &"complete".into())
    );
    assert_eq!(done["run"], run);
    // Spent.
    desk.ran(7, &["run", "apply", &short, "--yes"]);

    // The world moves: one account is somebody else's after all.
    let account = account(&desk, second);
    desk.ran(0, &["link", second, "slack", &account, "--not"]);
    let stale = desk.ran(7, &["run", "apply", &other[..12], "--yes"]);
    assert!(
        stale.stderr.contains(&format!("! {second} has another plan now")),
        "{}",
        stale.stderr
    );
    assert!(!stale.stdout.contains("COMPLETE"), "{}", stale.stdout);
    // Everybody else's is still true, but for who is protected: that takes an approver, and none is configured.
    let rest = desk.document(6, &["run", "apply", &run, "--yes"]);
    let of = |result: &str| {
        rest["people"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["result"] == result)
            .count()
    };
    assert_eq!(of("refused"), 2, "{rest:#}");
    assert!(of("complete") > 5, "{rest:#}");
}

/// As Slack numbers it: a saved plan says so, screens name the account as people do.
fn account(desk: &Desk, login: &str) -> String {
    let file = desk.file("folder", "") + ".plan";
    desk.ran(0, &["leaver", login, "--dry-run", "--save-plan", &file]);
    let plans: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let steps = plans[0]["steps"].as_array().unwrap();
    let of_slack = steps.iter().find(|s| s["effect"]["system"] == "slack").unwrap();
    of_slack["effect"]["account"].as_str().unwrap().to_owned()
}
