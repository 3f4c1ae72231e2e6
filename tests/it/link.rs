//! `jml link` through the real binary: an operator's word, kept.

use serde_json::Value;

use crate::desk::Desk;

const ALICE: &str = "alice@acme.example";

#[test]
fn a_link_is_recorded_with_its_entrys_number() {
    let desk = Desk::new();
    let said = desk.ran(0, &["link", ALICE, "slack", "U0NEW"]).stdout;
    assert_eq!(
        said,
        format!("Account U0NEW in slack is {ALICE}'s from now on: ledger entry 2.\n")
    );
    let not = desk.ran(0, &["link", ALICE, "slack", "U0NEW", "--not"]).stdout;
    assert!(
        not.contains(&format!("is not {ALICE}'s")) && not.ends_with("ledger entry 4.\n"),
        "{not}"
    );
    let doc = desk.document(0, &["link", ALICE, "slack", "U0OTHER"]);
    assert_eq!((&doc["kind"], &doc["entry"]), (&"link".into(), &6.into()));
    assert_eq!(
        desk.ran(0, &["link", ALICE, "slack", "U1", "-o", "csv"]).stdout,
        "entry\n8\n"
    );

    let log = desk.ran(0, &["audit", "log", "-o", "ndjson"]).stdout;
    let linked: Vec<Value> = log
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter(|e| e["kind"] == "linked")
        .collect();
    let told: Vec<[&str; 3]> = linked
        .iter()
        .map(|e| ["system", "target", "outcome"].map(|k| e[k].as_str().unwrap()))
        .collect();
    assert_eq!(
        told[..2],
        [["slack", "U0NEW", "theirs"], ["slack", "U0NEW", "not theirs"]]
    );
    desk.ran(0, &["audit", "verify"]);
}

/// Who says so takes part in what is planned: a run that follows looks there.
#[test]
fn an_account_that_is_not_theirs_is_left_alone() {
    let desk = Desk::new();
    let slack = |doc: &Value| -> Vec<Value> {
        let steps = doc["people"][0]["steps"].as_array().unwrap();
        steps.iter().filter(|s| s["system"] == "slack").cloned().collect()
    };
    let before = desk.document(0, &["leaver", ALICE, "--dry-run"]);
    assert!(!slack(&before).is_empty());
    desk.ran(0, &["link", ALICE, "slack", "U0C0000001", "--not"]);
    let after = desk.document(0, &["leaver", ALICE, "--dry-run"]);
    assert_eq!(slack(&after), Vec::<Value>::new());
}

#[test]
fn what_makes_no_sense_is_not_recorded() {
    let desk = Desk::new();
    for args in [
        &["link", ALICE, "okta", "00u1"][..],
        &["link", ALICE, "nosuch", "U1"],
        &["link", ALICE, "slack", "a b"],
        &["link", ALICE, "slack", ""],
    ] {
        let no = desk.ran(2, args);
        assert!(no.stderr.contains("nothing was done"), "{}", no.stderr);
    }
    desk.ran(11, &["link", "nobody.at.all@acme.example", "slack", "U1"]);
    assert!(desk.ran(0, &["run", "list"]).stdout.ends_with("(none)\n"));
}
