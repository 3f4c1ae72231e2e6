//! `on_brake = "contain"` through the real binary: shut out at most the limit, hold the rest of theirs and everybody else.

use serde_json::{Value, json};

use crate::env::{Env, Serve, person, small};

const LIMIT: usize = 4;
const LEAVERS: usize = 6;

fn login(n: usize) -> String {
    format!("gone{n}@acme.example")
}

fn firm(env: &Env, on_brake: &str) -> Serve {
    let mut world = small();
    let users = world["okta"]["users"].as_array_mut().unwrap();
    let lee = users[0].clone();
    // Lee of the small firm leaves too.
    users.extend((1..LEAVERS).map(|n| {
        let mut one = lee.clone();
        one["id"] = json!(format!("00uG{n:016}"));
        one["profile"]["login"] = json!(login(n));
        one["profile"]["email"] = json!(login(n));
        one["profile"]["terminationDate"] = json!(format!("2026-07-{}", 12 + (n - 1) / 2));
        one
    }));
    world["limits"] = json!({"leavers": LIMIT.to_string(), "on_brake": on_brake});
    env.world(&world, &[])
}

fn sweep(env: &Env, firm: &Serve, more: &[&str]) -> Value {
    let args = [&["sweep", "-o", "json"], more].concat();
    let doc = firm.jml(env, &args).exits(5).json();
    if let Err(e) = jsonschema::validate(&jml::cli::document::schemas()["sweep"], &doc) {
        panic!("{e}\n{doc:#}");
    }
    doc
}

fn suspended(firm: &Serve) -> Vec<String> {
    let state = firm.state();
    let users = state["okta"]["users"].as_object().unwrap().values();
    let mut all: Vec<String> = users
        .filter(|u| u["status"] == "SUSPENDED")
        .map(|u| u["profile"]["login"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

fn groups(firm: &Serve, id: &str) -> usize {
    firm.state()["okta"]["users"][id]["groups"].as_array().unwrap().len()
}

#[test]
fn the_first_leavers_are_contained_and_the_rest_of_theirs_is_held() {
    let env = Env::new();
    let firm = firm(&env, "contain");
    let looked = sweep(&env, &firm, &["--dry-run"]);
    assert_eq!(
        (&looked["brake"]["contained"], suspended(&firm).len()),
        (&json!(LIMIT), 0)
    );

    let doc = sweep(&env, &firm, &["--yes"]);
    assert_eq!(
        (
            &doc["brake"]["rule"],
            &doc["brake"]["found"],
            &doc["brake"]["contained"]
        ),
        (&json!("leavers"), &json!(LEAVERS), &json!(LIMIT))
    );
    // Whose date is the longest past first.
    assert_eq!(suspended(&firm), [login(1), login(2), login(3), login(4)]);
    let first = person(&doc, &login(1));
    assert_eq!(first["result"], "held");
    assert!(first["contained"].is_string(), "{first:#}");
    assert_eq!(person(&doc, &login(5))["contained"], Value::Null);
    assert_eq!(groups(&firm, &format!("00uG{:016}", 1)), 4, "nothing was removed");

    // Each sweep of that day finds them again, and contains nobody more.
    let again = sweep(&env, &firm, &["--yes"]);
    assert_eq!(
        (&again["brake"]["contained"], suspended(&firm).len()),
        (&json!(0), LIMIT)
    );

    // What is held fits what is left of those who were contained.
    let run = doc["brake"]["held"].as_str().unwrap();
    let applied = firm
        .jml(&env, &["run", "apply", run, "--yes", "-o", "json"])
        .exits(0)
        .json();
    for n in 1..LEAVERS {
        assert_eq!(person(&applied, &login(n))["result"], "complete", "{applied:#}");
    }
    assert_eq!(groups(&firm, &format!("00uG{:016}", 1)), 1, "none but Everyone");
    // One record a leaving, and nobody who was only contained counts as done before.
    let sla = firm.jml(&env, &["audit", "sla", "-o", "json"]).exits(0).json();
    let rows = sla["rows"].as_array().unwrap();
    let of = |n: usize| rows.iter().filter(|r| r["login"] == login(n)).collect::<Vec<_>>();
    assert_eq!(of(1).len(), 1, "{rows:#?}");
    assert!(
        of(1)[0]["contained_ms"].is_number() && of(1)[0]["complete_ms"].is_number(),
        "{rows:#?}"
    );
    firm.jml(&env, &["audit", "verify"]).exits(0);
}

#[test]
fn the_screen_says_who_was_contained_and_hold_contains_nobody() {
    let env = Env::new();
    let contain = firm(&env, "contain");
    let said = contain.jml(&env, &["sweep", "--yes"]).exits(5).stderr;
    assert!(
        said.contains("4 leavers were contained all the same, by on_brake = \"contain\".")
            && said.contains(&format!("{} leaver HELD contained", login(1))),
        "{said}"
    );
    let env = Env::new();
    let hold = firm(&env, "hold");
    hold.jml(&env, &["sweep", "--yes"]).exits(5);
    assert_eq!(suspended(&hold), Vec::<String>::new());
}
