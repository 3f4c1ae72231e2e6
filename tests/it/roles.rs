//! `[roles]` through the real binary. Whoever runs the tests is the operator: by login and by group, as the machine knows them.

use std::process::Command;

use serde_json::{Value, json};

use crate::env::{Env, Serve, mutating, small};

const LEE: &str = "lee@acme.example";

fn id(flags: &str) -> String {
    let out = Command::new("id").arg(flags).output().unwrap();
    let name = String::from_utf8(out.stdout).unwrap().trim().to_owned();
    assert!(out.status.success() && !name.is_empty(), "id {flags}");
    name
}

fn firm(env: &Env, roles: Value) -> Serve {
    let mut world = small();
    world["config"] = json!({ "roles": roles });
    env.world(&world, &[])
}

#[test]
fn a_help_desk_sees_leavers_out_and_does_nothing_else() {
    let env = Env::new();
    let s = firm(&env, json!({"helpdesk": [id("-un")]}));
    // What it may not do is refused before anything is asked or fetched: credentials of both kinds are gone.
    let gone: Vec<_> = ["okta.read", "okta.write", "slack.read", "slack.write"]
        .into_iter()
        .filter_map(|name| {
            std::fs::rename(env.path(name), env.path("hidden.").with_extension(name))
                .ok()
                .map(|()| name)
        })
        .collect();
    assert!(!gone.is_empty());
    let refused: [&[&str]; 12] = [
        &["mover", "mo@acme.example", "--dry-run"],
        &["mover", "mo@acme.example", "--yes"],
        &[
            "leaver",
            "kim@acme.example",
            "--confirm",
            "kim@acme.example",
            "--reason",
            "x",
            "--ticket",
            "INC1",
        ],
        &["sweep", "--yes"],
        &["sweep", "--dry-run"],
        &["groups", "list"],
        &["groups", "apply", "--yes"],
        &["link", LEE, "slack", "U000000LEE"],
        &["doctor"],
        &["run", "apply", "7f3a-91c2-d04e", "--yes"],
        &["audit", "log"],
        &["audit", "drift"],
    ];
    let asked = s.during(|| {
        for argv in refused {
            let out = s.jml(&env, argv).exits(6);
            assert!(
                out.stderr.contains("this needs the role ") && out.stderr.contains("engineer"),
                "{argv:?}: {}",
                out.stderr
            );
        }
    });
    assert!(asked.is_empty(), "nobody was asked: {asked:?}");
    assert!(!env.path("ledger.db").exists(), "and nothing was written");
    for name in gone {
        std::fs::rename(env.path("hidden.").with_extension(name), env.path(name)).unwrap();
    }

    let out = s.jml(&env, &["sweep", "--yes", "-o", "json"]).exits(6).json();
    assert_eq!((&out["kind"], &out["exit"]), (&"error".into(), &6.into()));
    s.jml(&env, &["show", LEE]).exits(0);
    s.jml(&env, &["joiner", "jo@acme.example", "--dry-run"]).exits(0);
    // HR calls her active: without the words that overrule HR the planner refuses, whoever asks.
    let active = ["leaver", "kim@acme.example", "--confirm", "kim@acme.example"];
    let calls = s.during(|| {
        s.jml(&env, &active).exits(6);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    let run = s
        .jml(&env, &["leaver", LEE, "--confirm", LEE, "-o", "json"])
        .exits(0)
        .json();
    assert_eq!((&run["role"], &run["exit"]), (&"helpdesk".into(), &0.into()));
    s.jml(&env, &["run", "list"]).exits(0);
    let shown = s.jml(&env, &["run", "show", run["run"].as_str().unwrap()]).exits(0);
    assert!(!shown.stdout.contains("No roles are configured"), "{}", shown.stdout);
}

#[test]
fn a_group_of_the_machine_gives_a_role() {
    let env = Env::new();
    let s = firm(&env, json!({"engineer": [format!("%{}", id("-gn"))]}));
    let run = s
        .jml(&env, &["mover", "mo@acme.example", "--yes", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(run["role"], "engineer");
    // What this machine doesn't know is no membership, and the refusal says so.
    let other = Env::new();
    let s = firm(&other, json!({"engineer": ["%no-such-group-here"]}));
    let out = s.jml(&other, &["mover", "mo@acme.example", "--yes"]).exits(6);
    assert!(out.stderr.contains("no group no-such-group-here"), "{}", out.stderr);
}

#[test]
fn an_auditor_reads_the_record_and_an_empty_table_lets_nobody_in() {
    let env = Env::new();
    let s = firm(&env, json!({"auditor": [id("-un")]}));
    s.jml(&env, &["audit", "log"]).exits(0);
    s.jml(&env, &["audit", "verify"]).exits(0);
    s.jml(&env, &["run", "list"]).exits(0);
    s.jml(&env, &["show", LEE]).exits(0);
    for argv in [
        &["leaver", LEE, "--dry-run"][..],
        &["run", "resume"],
        &["sweep", "--dry-run"],
    ] {
        s.jml(&env, argv).exits(6);
    }
    let other = Env::new();
    let s = firm(&other, json!({}));
    for argv in [
        &["show", LEE][..],
        &["audit", "log"],
        &["run", "list"],
        &["leaver", LEE, "--dry-run"],
    ] {
        s.jml(&other, argv).exits(6);
    }
    s.jml(&other, &["help", "exit-codes"]).exits(0);
}

#[test]
fn without_roles_everything_is_allowed_and_the_report_says_so() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let said = "No roles are configured: whoever runs jml may do everything.\n";
    let out = s.jml(&env, &["leaver", LEE, "--confirm", LEE]).exits(0);
    assert_eq!(out.stdout.matches(said).count(), 1, "{}", out.stdout);
    let swept = s.jml(&env, &["sweep", "--yes"]).exits(0);
    assert_eq!(swept.stdout.matches(said).count(), 1, "{}", swept.stdout);
    let run = s.jml(&env, &["sweep", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!(run["role"], Value::Null);
}
