//! `jml audit orphans`, `audit seats` and the sweep's nightly lane: who is left over in the apps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    desk::Desk,
    env::{Env, Serve},
};

const CARL: &str = "carl.diaz@acme.example";

/// Whom the firm's HR has let go for longer than a leaver may take.
const LEFT: [&str; 11] = [
    CARL,
    "emil.foss@acme.example",
    "gus.hale@acme.example",
    "hana.ito@acme.example",
    "ivo.juna@acme.example",
    "kim.lasker@acme.example",
    "lou.lock@acme.example",
    "pat.pass@acme.example",
    "pia.vance@acme.example",
    "ray.cover@acme.example",
    "sue.pend@acme.example",
];

fn accused<'a>(rows: &'a Value, login: &'a str) -> impl Iterator<Item = &'a Value> {
    rows.as_array().unwrap().iter().filter(move |r| r["login"] == login)
}

/// (system, login) of the rows with that mark.
fn named(doc: &Value, mark: &str) -> BTreeSet<(String, String)> {
    let rows = doc["rows"].as_array().unwrap().iter().filter(|r| r["mark"] == mark);
    let text = |r: &Value, key: &str| r[key].as_str().unwrap().to_owned();
    rows.map(|r| (text(r, "system"), text(r, "login"))).collect()
}

type Lives = fn(&Value) -> bool;

/// Whose account can be used and is theirs who left, or nobody's, by what the systems themselves have.
fn wanted(state: &Value) -> BTreeSet<(String, String)> {
    let all = |system: &str, list: &str| state[system][list].as_object().unwrap().values();
    let people: BTreeSet<&str> = all("okta", "users")
        .map(|u| u["profile"]["login"].as_str().unwrap())
        .collect();
    let protected = state["config"]["protect"]["people"].as_array().unwrap();
    let spared = |login: &str| protected.iter().any(|p| p["login"] == login);
    let open: [(&str, &str, Lives); 4] = [
        ("slack", "email", |a| a["active"] == true),
        ("google", "primaryEmail", |a| a["suspended"] == false),
        ("zoom", "email", |a| a["status"] != "inactive"),
        // The vendor's own users, guests and partners are nobody's login.
        ("salesforce", "Username", |a| {
            a["IsActive"] == true && a["UserType"] == "Standard"
        }),
    ];
    let mut out = BTreeSet::new();
    for (system, key, lives) in open {
        for account in all(system, "users").filter(|a| lives(a)) {
            let login = account[key].as_str().unwrap();
            if LEFT.contains(&login) || !people.contains(login) && !spared(login) {
                out.insert((system.to_owned(), login.to_owned()));
            }
        }
    }
    let outside = state["github"]["outside"].as_array().unwrap();
    out.extend(
        outside
            .iter()
            .map(|l| ("github".to_owned(), l.as_str().unwrap().to_owned())),
    );
    out
}

fn orphans(env: &Env, firm: &Serve, exit: i32) -> Value {
    firm.jml(env, &["audit", "orphans", "-o", "json"]).exits(exit).json()
}

#[test]
fn exactly_the_survivors_and_the_orphans_are_listed() {
    let env = Env::new();
    let firm = env.serve(&[]);
    let doc = orphans(&env, &firm, 3);
    let wanted = wanted(&firm.state());
    assert_eq!(named(&doc, "drift"), wanted);
    assert_eq!(
        doc["rows"].as_array().unwrap().len(),
        wanted.len(),
        "an account twice: {doc:#}"
    );
    let sold = |who: &&str| wanted.contains(&("salesforce".to_owned(), (*who).to_owned()));
    assert_eq!(LEFT.iter().filter(|who| sold(who)).count(), 4, "the auditor's four");
}

#[test]
fn a_system_that_is_not_read_whole_is_unknown_and_accuses_nobody() {
    let env = Env::new();
    let firm = env.serve(&["--people", "400"]);
    let all = named(&orphans(&env, &firm, 3), "drift");
    for (system, page, nth) in [
        ("zoom", "zoom GET /v2/users*", 2),
        ("slack", "slack * */users.list*", 2),
        ("google", "google GET /admin/directory/v1/users*", 1),
        ("salesforce", "salesforce GET */query*", 1),
        ("github", "github GET /organizations/*/members*", 1),
    ] {
        firm.faults(json!([{"on": page, "nth": nth, "times": "all", "answer": {"status": 403}}]));
        let doc = orphans(&env, &firm, 4);
        let others: BTreeSet<_> = all.iter().filter(|(s, _)| s != system).cloned().collect();
        assert_eq!(named(&doc, "drift"), others, "{system}");
        assert_eq!(
            named(&doc, "unknown"),
            [(system.to_owned(), String::new())].into(),
            "{doc:#}"
        );
    }
    // Without the directory nobody can be told apart.
    firm.faults(json!([{"on": "okta GET /api/v1/users*", "nth": 2, "times": "all", "answer": {"status": 500}}]));
    firm.jml(&env, &["audit", "orphans"]).exits(10);
}

#[test]
fn it_asks_for_pages_and_for_no_person() {
    let asked = |people: &str| {
        let env = Env::new();
        let firm = env.serve(&["--people", people]);
        let calls = firm.during(|| drop(orphans(&env, &firm, 3)));
        let mut by_system: BTreeMap<String, usize> = BTreeMap::new();
        for call in &calls {
            *by_system.entry(call.system.clone()).or_default() += 1;
        }
        by_system
    };
    let (small, large) = (asked("400"), asked("2200"));
    // 1,800 people more, in pages of 100 at least. GitHub's are of several lists, and 600 of the people are there.
    for (system, calls) in &large {
        let more = calls - small[system];
        assert!(more <= 18, "{system}: {more} calls more");
    }
    assert!(large["okta"] > small["okta"], "{large:?}");
}

#[test]
fn one_who_is_due_is_not_listed_and_one_system_can_be_asked_for() {
    let desk = Desk::new();
    let doc = desk.document(3, &["audit", "orphans"]);
    assert!(
        accused(&doc["rows"], CARL).any(|r| r["system"] == "slack" && r["mark"] == "drift"),
        "{doc:#}"
    );
    // Due, and not late yet: the leavers' lane has them.
    assert_eq!(accused(&doc["rows"], "alice@acme.example").count(), 0);
    let one = desk.document(3, &["audit", "orphans", "--system", "slack"]);
    assert!(one["rows"].as_array().unwrap().iter().all(|r| r["system"] == "slack"));
    desk.ran(2, &["audit", "orphans", "--system", "nosuch"]);
}

#[test]
fn the_nightly_lane_reports_them_opens_incidents_and_changes_nothing() {
    let desk = Desk::new();
    let doc = desk.document(4, &["sweep", "--lane", "orphans", "--yes"]);
    assert!(accused(&doc["orphans"], CARL).count() > 0, "{doc:#}");
    let log = desk.ran(0, &["audit", "log", "-o", "csv"]).stdout;
    assert!(log.contains("create-incident"), "{log}");
    assert!(!log.contains(",started,"), "{log}");
    let again = desk.document(3, &["audit", "orphans"]);
    assert!(accused(&again["rows"], CARL).count() > 0);
}
