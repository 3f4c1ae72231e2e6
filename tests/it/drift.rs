//! `jml audit drift`: everybody against HR and policy, from pages alone.

use serde_json::{Value, json};

use crate::env::{Env, Serve, mutating, small};

fn drift(env: &Env, firm: &Serve, exit: i32) -> Value {
    let doc = firm.jml(env, &["audit", "drift", "-o", "json"]).exits(exit).json();
    if let Err(e) = jsonschema::validate(&jml::cli::document::schemas()["audit-drift"], &doc) {
        panic!("{e}\n{doc:#}");
    }
    doc
}

/// HR told of the leaver longer ago than a leaver may take.
fn late() -> Value {
    let mut world = small();
    world["okta"]["users"][0]["recorded"] = json!("2026-07-15T10:00:00Z");
    world
}

/// (login, what, mark), as a line each.
fn lines(doc: &Value) -> Vec<String> {
    let text = |r: &Value, key: &str| r[key].as_str().unwrap().to_owned();
    let rows = doc["rows"].as_array().unwrap().iter();
    rows.map(|r| format!("{} {} {}", text(r, "mark"), text(r, "login"), text(r, "what")))
        .collect()
}

#[test]
fn what_differs_is_listed_without_a_write_and_a_sweep_leaves_nothing() {
    let env = Env::new();
    let firm = env.world(&late(), &[]);
    let mut found = Value::Null;
    let calls = firm.during(|| found = drift(&env, &firm, 3));
    assert_eq!(mutating(&calls), Vec::<String>::new());
    assert_eq!(
        lines(&found),
        [
            "drift jo@acme.example lacks BR-ALL-EMPLOYEES (birthright employee)",
            "drift jo@acme.example lacks ROLE-ENG (department Engineering)",
            "drift lee@acme.example has left (terminationDate 2026-07-14), ACTIVE in Okta",
            "drift mo@acme.example lacks ROLE-SALES (department Sales)",
            "drift mo@acme.example in ROLE-ENG, which policy does not give",
        ]
    );
    firm.jml(&env, &["sweep", "--yes", "--no-input"]);
    assert_eq!(lines(&drift(&env, &firm, 0)), Vec::<String>::new());
}

#[test]
fn ten_times_the_people_cost_pages_and_no_call_a_person() {
    let asked = |people: &str| {
        let env = Env::new();
        let firm = env.serve(&["--people", people]);
        let calls = firm.during(|| {
            firm.jml(&env, &["audit", "drift", "-o", "json"]);
        });
        assert_eq!(mutating(&calls), Vec::<String>::new());
        calls.len()
    };
    let (few, many) = (asked("60"), asked("600"));
    assert!(many < few + 60, "{few} calls for 60 people, {many} for 600");
}

#[test]
fn what_was_not_read_is_unknown_and_accuses_nobody() {
    let env = Env::new();
    let firm = env.world(&late(), &[]);
    firm.faults(json!([{"on": "okta GET /api/v1/groups/*/users*", "times": "all", "answer": {"status": 403}}]));
    let doc = drift(&env, &firm, 4);
    let found = lines(&doc);
    assert!(
        found.iter().any(|l| l.starts_with("unknown  the members of")),
        "{found:#?}"
    );
    // The one who left is accused by HR's and the directory's word on them; of groups, nobody is.
    let accused: Vec<_> = found.iter().filter(|l| l.starts_with("drift")).collect();
    assert_eq!(
        accused,
        ["drift lee@acme.example has left (terminationDate 2026-07-14), ACTIVE in Okta"]
    );
    firm.faults(json!([{"on": "okta GET /api/v1/users*", "times": "all", "answer": {"status": 500}}]));
    firm.jml(&env, &["audit", "drift"]).exits(10);
}
