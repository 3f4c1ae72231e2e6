//! `jml link` through the real binary: an operator's word, kept.

use serde_json::Value;

use crate::{
    desk::Desk,
    env::{Env, Out, mutating},
};

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

/// A token that somebody left is asked before a word is written, never for a look; whom sudo let in needs none.
#[test]
fn who_logged_in_to_vault_is_asked_only_where_something_is_written_and_not_over_sudo() {
    use std::os::unix::fs::PermissionsExt;

    let env = Env::new();
    let s = env.serve(&["--people", "80"]);
    let text = std::fs::read_to_string(&s.config).unwrap();
    let named = text.replace("[systems.vault]\n", "[systems.vault]\noperator = \"file:mine\"\n");
    assert_ne!(named, text);
    std::fs::write(&s.config, named).unwrap();
    let token = s.config.with_file_name("mine");
    std::fs::write(&token, "hvs.gone").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();

    let who = "alice@acme.example";
    s.jml(&env, &["leaver", who, "--dry-run"]).exits(0);
    let calls = s.during(|| {
        let refused = s.jml(&env, &["leaver", who, "--confirm", who]).exits(9);
        assert!(
            refused.stderr.contains("has expired or was revoked"),
            "{}",
            refused.stderr
        );
        s.jml(&env, &["link", who, "slack", "U0OTHER", "--not"]).exits(9);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    let log = s.jml(&env, &["audit", "log", "-o", "csv"]).exits(0);
    assert_eq!(log.stdout.lines().count(), 1, "{}", log.stdout);
}

/// sudo itself is used by `.ci/deployment`; here are those who only write its variables.
#[test]
fn a_name_written_into_the_environment_is_nobodys_and_nothing_is_recorded() {
    let env = Env::new();
    let s = env.world(&crate::env::small(), &[]);
    let mut forged = s.command(&env, &["link", "lee@acme.example", "slack", "U0OTHER", "--not"]);
    let out = Out::of(forged.env("SUDO_USER", "dana").output().unwrap()).exits(6);
    assert!(out.stderr.contains("nobody can be held to answer"), "{}", out.stderr);
    let log = s.jml(&env, &["audit", "log", "-o", "csv"]).exits(0);
    assert_eq!(log.stdout.lines().count(), 1, "{}", log.stdout);
}
