//! `jml grant` through the real binary: given by the next sweep, explained meanwhile, taken back after its end.

use serde_json::{Value, json};

use crate::env::{Env, Serve, mutating, small};

const MO: &str = "mo@acme.example";

fn firm(env: &Env) -> Serve {
    let mut world = small();
    let groups = world["okta"]["groups"].as_array_mut().unwrap();
    groups.push(json!({"id": "00g000000000000legal", "name": "APP-LEGAL"}));
    let firm = env.world(&world, &[]);
    firm.jml(env, &["sweep", "--yes", "--no-input"]);
    firm
}

fn drift(env: &Env, firm: &Serve, exit: i32) -> Vec<String> {
    let doc = firm.jml(env, &["audit", "drift", "-o", "json"]).exits(exit).json();
    let text = |r: &Value, key: &str| r[key].as_str().unwrap().to_owned();
    let rows = doc["rows"].as_array().unwrap().iter();
    rows.map(|r| format!("{} {} {}", text(r, "mark"), text(r, "login"), text(r, "what")))
        .collect()
}

fn members(firm: &Serve) -> Vec<String> {
    let state = firm.state();
    let users = state["okta"]["users"].as_object().unwrap().values();
    let inside = users.filter(|u| u["groups"].as_array().unwrap().contains(&json!("APP-LEGAL")));
    inside
        .map(|u| u["profile"]["login"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_exception_is_given_explained_and_taken_back_by_sweeps() {
    let env = Env::new();
    let firm = firm(&env);
    let said = firm
        .jml(
            &env,
            &["grant", MO, "APP-LEGAL", "--until", "2026-07-31", "--ticket", "CHG7"],
        )
        .exits(0);
    assert!(
        said.stdout
            .starts_with(&format!("{MO} is given APP-LEGAL until 2026-0")),
        "{}",
        said.stdout
    );
    assert_eq!(members(&firm), Vec::<String>::new(), "it changes the ledger alone");
    let given = firm.during(|| drop(firm.jml(&env, &["sweep", "--yes", "--no-input"]).exits(0)));
    assert_eq!(
        mutating(&given).iter().filter(|c| c.starts_with("okta")).count(),
        1,
        "{given:#?}"
    );
    assert_eq!(members(&firm), [MO]);
    let rows = drift(&env, &firm, 0);
    assert!(
        rows.len() == 1 && rows[0].starts_with(&format!("explained {MO} in APP-LEGAL by an exception until ")),
        "{rows:#?}"
    );
    let shown = firm.jml(&env, &["show", MO]).exits(0).stdout;
    assert!(shown.contains("APP-LEGAL by an exception until"), "{shown}");
    let explained = firm.jml(&env, &["policy", "explain", MO]).exits(0).stdout;
    assert!(
        explained.contains("APP-LEGAL") && explained.contains("CHG7"),
        "{explained}"
    );

    firm.set_clock("2026-08-02T09:00:00Z");
    assert!(drift(&env, &firm, 3)[0].starts_with(&format!("drift {MO} in APP-LEGAL, an exception that ended ")));
    let taken = firm.during(|| drop(firm.jml(&env, &["sweep", "--yes", "--no-input"])));
    assert_eq!(members(&firm), Vec::<String>::new(), "{taken:#?}");
    assert_eq!(drift(&env, &firm, 0), Vec::<String>::new());
    let log = firm.jml(&env, &["audit", "log", "-o", "ndjson"]).exits(0).ndjson();
    let granted = log.iter().find(|e| e["kind"] == "granted").unwrap();
    assert_eq!(
        (&granted["target"], &granted["system"]),
        (&json!("APP-LEGAL"), &json!("okta"))
    );
    firm.jml(&env, &["audit", "verify"]).exits(0);
}

#[test]
fn it_is_ended_before_its_time_and_only_where_one_runs() {
    let env = Env::new();
    let firm = firm(&env);
    let end = ["grant", MO, "APP-LEGAL", "--end", "--ticket", "CHG8"];
    let no = firm.jml(&env, &end).exits(6);
    assert!(
        no.stderr
            .contains("no exception for \"APP-LEGAL\" runs; nothing was done"),
        "{}",
        no.stderr
    );
    firm.jml(
        &env,
        &["grant", MO, "APP-LEGAL", "--until", "2026-07-31", "--ticket", "CHG7"],
    )
    .exits(0);
    firm.jml(&env, &["mover", MO, "--yes"]).exits(0);
    assert_eq!(members(&firm), [MO]);
    let said = firm.jml(&env, &end).exits(0).stdout;
    assert!(
        said.contains("exception for APP-LEGAL has ended: ledger entry"),
        "{said}"
    );
    firm.jml(&env, &["sweep", "--yes", "--no-input"]);
    assert_eq!(members(&firm), Vec::<String>::new());
    firm.jml(&env, &end).exits(6);
}

#[test]
fn what_may_not_be_granted_is_refused_and_not_recorded() {
    let env = Env::new();
    let firm = firm(&env);
    let grant = |group: &str, until: &str, exit| {
        firm.jml(&env, &["grant", MO, group, "--until", until, "--ticket", "CHG7"])
            .exits(exit)
            .stderr
    };
    assert!(grant("APP-LEGAL", "2020-01-01", 6).contains("is past"));
    assert!(grant("APP-NOWHERE", "2026-07-31", 6).contains("APP-NOWHERE"));
    assert!(grant("ROLE-SALES", "2026-07-31", 6).contains("policy gives it already"));
    grant("APP-LEGAL", "soon", 2);
    firm.jml(&env, &["grant", MO, "APP-LEGAL", "--until", "2026-07-31"])
        .exits(2);
    firm.jml(
        &env,
        &[
            "grant",
            "nobody.at.all",
            "APP-LEGAL",
            "--until",
            "2026-07-31",
            "--ticket",
            "C",
        ],
    )
    .exits(11);
    let log = firm.jml(&env, &["audit", "log", "-o", "ndjson"]).exits(0).ndjson();
    assert!(log.iter().all(|e| e["kind"] != "granted"));
}
