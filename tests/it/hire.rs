//! `jml joiner --from`: whoever HR's file has and Okta lacks is made first.

use std::fs;

use crate::env::{Env, mutating};
use serde_json::json;

const FILE: &str = "\u{feff}employee_id,login,first_name,last_name,department,worker_type,status,hire_date,termination_date\r\n\
    00042,jan.orr@acme.example,Jan,Orr,Finance,Employee,active,2026-07-13,\r\n\
    00043,new.one@acme.example,New,One,Engineering,Employee,active,2026-07-13,\r\n";

#[test]
fn a_number_is_text_and_the_missing_one_is_made_once() {
    let env = Env::new();
    let given = json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 25},
        "roster": {"kind": "csv", "csv": FILE},
        "okta": {"users": [
            {"id": "00u00000000000000025", "status": "STAGED", "profile": {"login": "jan.orr@acme.example", "employeeNumber": "00042", "department": "Finance", "hireDate": "2026-07-13"}},
            {"id": "00u00000000000000026", "profile": {"login": "kai.sol@acme.example", "employeeNumber": "43"}}]}});
    let s = env.world(&given, &[]);
    fs::write(env.path("people.csv"), FILE).unwrap();
    let from = ["--from", "people.csv"];
    let jml = |args: &[&str]| s.jml(&env, &[&["joiner"], args, &from[..]].concat());

    jml(&["43", "--yes"]).exits(11);
    let dry = jml(&["00043", "-n"]).exits(0);
    assert!(dry.stdout.contains("create the account"), "{}", dry.stdout);
    assert!(
        dry.stdout
            .contains("Then policy gives new.one@acme.example: BR-ALL-EMPLOYEES, ROLE-ENG."),
        "{}",
        dry.stdout
    );
    jml(&["00043"]).exits(2);
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());

    jml(&["00043", "00042", "--yes", "--activate"]).exits(0);
    let users = s.state()["okta"]["users"].clone();
    let made: Vec<_> = users
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, u)| u["profile"]["login"] == "new.one@acme.example")
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].1["profile"]["employeeNumber"], "00043");
    assert!(users["00u00000000000000025"]["groups"].to_string().contains("ROLE-FIN"));
    assert!(
        !s.journal()
            .iter()
            .any(|c| c.mutates() && !c.records() && c.about("00u00000000000000026"))
    );

    let calls = s.during(|| {
        let again = jml(&["00043", "--yes"]).exits(0);
        assert!(again.stdout.contains("NOTHING TO DO"), "{}", again.stdout);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
}

#[test]
fn a_file_that_is_not_whole_and_a_roster_that_is_no_file_make_nobody() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    fs::write(env.path("people.csv"), FILE).unwrap();
    let out = s
        .jml(&env, &["joiner", "00043", "--from", "people.csv", "--yes"])
        .exits(6);
    assert!(out.stderr.contains("comes from okta"), "{}", out.stderr);
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());
}
