//! `jml joiner`: the birthright of the worker's type, what an account must first exist for, and not a day early.

use crate::env::{Env, Serve, mutating, person};
use serde_json::{Value, json};

fn groups(s: &Serve, run: &Value, login: &str) -> Value {
    s.state()["okta"]["users"][person(run, login)["id"].as_str().unwrap()]["groups"].clone()
}

#[test]
fn each_kind_of_worker_gets_its_birthright_and_nobody_before_the_day() {
    let env = Env::new();
    let s = env.serve(&[]);
    let join = |login: &str| s.jml(&env, &["joiner", login, "--yes", "-o", "json"]).exits(0).json();
    let nora = join("nora@acme.example");
    assert_eq!(person(&nora, "nora@acme.example")["result"], "complete");
    assert_eq!(
        groups(&s, &nora, "nora@acme.example"),
        json!(["BR-ALL-EMPLOYEES", "Everyone", "ROLE-ENG"])
    );
    let cy = join("cy.dent@acme.example");
    assert_eq!(
        groups(&s, &cy, "cy.dent@acme.example"),
        json!(["BR-CONTRACTORS", "Everyone", "ROLE-OPS"])
    );
    let calls = s.during(|| {
        let out = s.jml(&env, &["joiner", "jo.next@acme.example", "--yes"]);
        assert!([0, 6].contains(&out.exit), "{}{}", out.stdout, out.stderr);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
}

#[test]
fn what_waits_for_an_account_is_owed_and_a_later_sweep_pays_it() {
    let env = Env::new();
    let s = env.serve(&[]);
    let nina = "nina@acme.example";
    let out = s.jml(&env, &["joiner", nina, "--yes", "-o", "json"]).exits(0).json();
    let p = person(&out, nina);
    let owed = p["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["action"] == "join-channel")
        .unwrap();
    assert_eq!((&p["result"], &owed["outcome"]), (&json!("partial"), &json!("owed")));
    // SCIM gets round to it
    s.patch(json!({"slack": {"users": {"U0NINA00001": {"email": nina}}}}));
    s.jml(&env, &["sweep", "--lane", "joiners", "--yes"]);
    let state = s.state();
    let eng = state["slack"]["channels"]
        .as_object()
        .unwrap()
        .values()
        .find(|c| c["name"] == "eng")
        .unwrap();
    assert!(eng["members"].to_string().contains("U0NINA00001"), "{eng}");
}
