//! `jml sweep`: everyone who is due, nobody else; and nothing at all when the source lies.

use std::collections::BTreeSet;

use crate::env::{Env, Serve, mutating, small};
use serde_json::{Value, json};

const SWEEP: &[&str] = &["sweep", "--yes", "-o", "json"];

fn cast(env: &Env) -> Vec<(String, BTreeSet<String>)> {
    let rows = env.jml(&["sandbox", "people", "-o", "json"]).exits(0).json();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let rows = rows["rows"].as_array().unwrap().iter();
    rows.map(|r| {
        (
            text(&r["login"]),
            r["stories"].as_array().unwrap().iter().map(text).collect(),
        )
    })
    .collect()
}

/// What the stories' names promise of a fresh firm.
fn due(stories: &BTreeSet<String>) -> bool {
    stories.iter().any(|s| match s.as_str() {
        "leaver-future" => false,
        "rule-filled" | "app-mastered" | "no-manager" => true,
        "mover-due" | "mover-accumulated" | "joiner-due" | "joiner-contractor" | "joiner-no-slack-yet" => true,
        other => other.starts_with("leaver-"),
    })
}

fn logins(list: &Value) -> BTreeSet<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|p| p["login"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_due_story_is_handled_nobody_else_touched_and_the_second_sweep_only_reads_pages() {
    let env = Env::new();
    let s = env.serve(&[]);
    let before = s.state();
    let first = s.jml(&env, SWEEP).exits(4).json();
    let after = s.state();

    let people = first["people"].as_array().unwrap();
    let cast = cast(&env);
    let wanted: BTreeSet<String> = cast.iter().filter(|(_, s)| due(s)).map(|(l, _)| l.clone()).collect();
    let acted = people
        .iter()
        .filter(|p| p["result"] == "complete" || p["result"] == "partial");
    let acted: BTreeSet<String> = acted.map(|p| p["login"].as_str().unwrap().to_owned()).collect();
    assert_eq!(acted, wanted);
    let named = |story: &str| cast.iter().find(|(_, s)| s.contains(story)).unwrap().0.clone();
    let result = |login: &str| {
        people
            .iter()
            .find(|p| p["login"] == login)
            .map_or(json!(null), |p| p["result"].clone())
    };
    assert_eq!(result(&named("protected")), "held");
    assert_eq!(
        logins(&first["set_aside"]),
        BTreeSet::from([named("department-unknown")])
    );
    assert_eq!(logins(&first["future"]), BTreeSet::from([named("leaver-future")]));
    assert!(first["future"][0]["effective"].as_str().unwrap().ends_with('Z'));
    // all seven live statuses, and the one deactivated by hand
    for status in [
        "due",
        "locked-out",
        "password-expired",
        "recovery",
        "provisioned",
        "staged",
        "suspended",
        "deprovisioned",
    ] {
        let login = named(&format!("leaver-{status}"));
        assert_eq!(result(&login), "complete", "{login}");
    }

    let users = |state: &Value| state["okta"]["users"].as_object().unwrap().clone();
    let (was, is) = (users(&before), users(&after));
    for (id, user) in &is {
        let login = user["profile"]["login"].as_str().unwrap();
        if !wanted.contains(login) {
            assert_eq!(&was[id], user, "{login} was touched");
        } else if user["profile"]["terminationDate"].is_string() {
            // Files without an heir keep the account, shut.
            let shut = if login == named("no-manager") {
                "SUSPENDED"
            } else {
                "DEPROVISIONED"
            };
            assert_eq!(user["status"], shut, "{login}");
        }
    }

    // What vendors do in their own time is over by now, and closes.
    s.jml(&env, SWEEP).exits(4);
    let again = s.during(|| {
        let second = s.jml(&env, SWEEP).exits(4).json();
        let kept = |p: &&Value| {
            p["result"] != "held" && p["result"] != "nothing" && p["login"] != named("joiner-no-slack-yet")
        };
        let worked: Vec<_> = second["people"].as_array().unwrap().iter().filter(kept).collect();
        assert!(worked.is_empty(), "{worked:#?}");
        // Badges to bring back are counted, and no system is asked about them; the joiner's account may have come meanwhile.
        let owed = |doc: &Value| doc["totals"]["owed"].as_u64().unwrap();
        assert!(owed(&second) + 1 >= owed(&first), "{}", second["totals"]);
    });
    let looked: BTreeSet<&str> = again
        .iter()
        .filter(|c| c.is("okta GET /api/v1/users/00u.*") && !c.path.ends_with("/roles"))
        .filter_map(|c| c.path.split('/').nth(4))
        .map(|id| is[id]["profile"]["login"].as_str().unwrap())
        .collect();
    let (heirless, late, guarded) = (named("no-manager"), named("joiner-no-slack-yet"), named("protected"));
    // Whose account came meanwhile is owed nothing and not looked at.
    assert!(looked.contains(heirless.as_str()), "{looked:?}");
    assert!(
        // Who is protected and has left is looked at until somebody decides: is what is held still so?
        looked.is_subset(&BTreeSet::from([heirless.as_str(), late.as_str(), guarded.as_str()])),
        "{looked:?}"
    );
    let changed: Vec<_> = again
        .iter()
        .filter(|c| c.mutates() && !c.records())
        // The joiner's account may have come meanwhile.
        .filter(|c| !c.is("slack POST /api/conversations.invite"))
        .map(|c| c.name())
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

/// Nothing to do in a firm where nobody is due: as many calls as there are pages, and none for a person.
#[test]
fn a_quiet_sweep_asks_for_pages_only() {
    let env = Env::new();
    let mut world = small();
    world["okta"]["users"] = json!([]);
    world["okta"]["apps"] = json!([]);
    world["apps"] = json!({"slack": {}});
    let s = env.world(&world, &[]);
    s.jml(&env, SWEEP).exits(0);
    let calls = s.during(|| {
        let doc = s.jml(&env, SWEEP).exits(0).json();
        assert_eq!((&doc["people"], &doc["read"]["people"]), (&json!([]), &json!(40)));
    });
    let of_a_person: Vec<_> = calls
        .iter()
        .filter(|c| c.is("okta GET /api/v1/users/00u.*"))
        .map(|c| c.name())
        .collect();
    assert_eq!(of_a_person, Vec::<String>::new());
    let changed: Vec<_> = calls
        .iter()
        .filter(|c| c.mutates() && !c.records())
        .map(|c| c.name())
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

/// A source that lies once a good run is known; Okta and Slack must not be written to.
fn refused(s: &Serve, env: &Env, exit: i32, what: &str) {
    let calls = s.during(|| {
        let out = s.jml(env, &["sweep", "--yes"]);
        assert_eq!(out.exit, exit, "{what}: {}{}", out.stdout, out.stderr);
    });
    let changed: Vec<_> = calls
        .iter()
        .filter(|c| c.mutates() && !c.records())
        .map(|c| c.name())
        .collect();
    assert_eq!(changed, Vec::<String>::new(), "{what}");
}

#[test]
fn a_directory_that_lies_stops_the_sweep() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    s.jml(&env, &["sweep", "--yes"]).exits(0);
    // somebody is due again, so that only the refusal can be why nothing happens
    s.patch(json!({"okta": {"users": {"00uP0000000000000005": {"profile": {"terminationDate": "2026-07-13"}}}}}));
    for (what, exit, answer) in [
        (
            "200 []",
            5,
            json!({"status": 200, "headers": {"content-type": "application/json"}, "body": []}),
        ),
        (
            "HTML with 200",
            5,
            json!({"status": 200, "headers": {"content-type": "text/html"}, "body_text": "<html>maintenance</html>"}),
        ),
    ] {
        s.faults(json!([{"on": "okta GET /api/v1/users?*", "times": "all", "answer": answer}]));
        refused(&s, &env, exit, what);
    }
    s.faults(json!([]));
    s.patch(json!({"okta": {"users": {"*": {"profile": {"department": null}}}}}));
    refused(&s, &env, 5, "a column empty everywhere");
}

#[test]
fn page_two_missing_stops_the_sweep() {
    let env = Env::new();
    let mut world = small();
    world["population"] = json!({"people": 450});
    let s = env.world(&world, &[]);
    s.faults(json!([{"on": "okta GET /api/v1/users?*after=*", "times": "all", "answer": {"status": 500, "body": {}}}]));
    refused(&s, &env, 10, "page 2 missing");
}

#[test]
fn a_shifted_file_stops_the_sweep() {
    let env = Env::new();
    let mut world = small();
    let csv = "employee_id,login,status,hire_date,termination_date,department,worker_type\n\
               E1,lee@acme.example,terminated,2020-01-06,2026-07-14,Engineering,Employee\n\
               E2,mo@acme.example,active,2020-01-06,,Sales,Employee\n\
               E3,jo@acme.example,active,2026-07-15,,Engineering,Employee\n\
               E4,kim@acme.example,active,2020-01-06,,Sales,Employee\n";
    world["roster"] = json!({"kind": "csv", "csv": csv});
    let s = env.world(&world, &[]);
    let text = s.state()["roster"]["csv"].as_str().unwrap().to_owned();
    let shifted: String = text
        .lines()
        .enumerate()
        .map(|(n, l)| {
            if n == 0 {
                format!("{l}\n")
            } else {
                format!("{}\n", l.split_once(',').unwrap().1)
            }
        })
        .collect();
    s.patch(json!({"roster": {"csv": shifted}}));
    refused(&s, &env, 5, "every row without its first column");
    s.patch(json!({"roster": {"csv": text.lines().next().unwrap()}}));
    refused(&s, &env, 5, "a header and no row");
    s.patch(json!({"roster": {"csv": text}}));
    let calls = s.during(|| {
        s.jml(&env, &["sweep", "--yes"]).exits(0);
    });
    assert!(!mutating(&calls).is_empty(), "the same file, whole, has work in it");
}
