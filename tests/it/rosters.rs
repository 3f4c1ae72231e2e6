//! HR asked directly: a whole sweep, and each command by hand, by each roster that answers over a wire.

use serde_json::{Value, json};

use crate::env::{Call, Env, Serve, mutating};

const KINDS: [&str; 3] = ["workday", "successfactors", "hibob"];

/// Who is who: the login's first letters, how the account stands, and HR's word on them.
fn cast() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "gone",
            "ACTIVE",
            json!({"active": false, "termination_date": "2026-07-10"}),
        ),
        ("later", "ACTIVE", json!({"termination_date": "2026-09-30"})),
        ("leave", "ACTIVE", json!({"on_leave": true})),
        ("stays", "ACTIVE", json!({})),
        ("rescinded", "ACTIVE", json!({"termination_date": null})),
        (
            "back",
            "ACTIVE",
            json!({"hire_date": "2026-07-01", "termination_date": "2024-06-28"}),
        ),
        ("moves", "ACTIVE", json!({"department": "Sales"})),
        ("starts", "ACTIVE", json!({"hire_date": "2026-07-14"})),
    ]
}

fn login(name: &str) -> String {
    format!("{name}@acme.example")
}

fn id(n: usize) -> String {
    format!("00u{:017}", 200 + n)
}

/// Only HR's own system says who leaves: the profiles in Okta hold no date.
fn firm(kind: &str) -> Value {
    let users: Vec<Value> = cast()
        .into_iter()
        .enumerate()
        .map(|(n, (name, status, _))| {
            let held: &[&str] = if name == "starts" { &[] } else { &["BR-ALL-EMPLOYEES", "ROLE-ENG"] };
            json!({"id": id(n), "status": status, "groups": held,
                "profile": {"login": login(name), "email": login(name), "firstName": name, "lastName": "Person",
                    "employeeNumber": format!("W{n}"), "userType": "Employee", "department": "Engineering", "hireDate": "2020-01-06"}})
        })
        .collect();
    let workers: Vec<Value> = cast()
        .into_iter()
        .enumerate()
        .map(|(n, (name, _, more))| {
            let mut w = json!({"employee_id": format!("W{n}"), "login": login(name), "worker_type": "Employee",
                "department": "Engineering"});
            for (k, v) in more.as_object().unwrap() {
                w[k] = v.clone();
            }
            // Elsewhere a rehire is another employment, with dates of its own.
            if kind != "workday" && name == "back" {
                w["termination_date"] = Value::Null;
            }
            w
        })
        .collect();
    json!({
        "now": "2026-07-15T15:05:00Z",
        "population": {"people": 40},
        "okta": {"users": users},
        "roster": {"kind": kind, "workers": workers},
    })
}

fn sweep(s: &Serve, env: &Env, exit: i32) -> Value {
    s.jml(env, &["sweep", "--yes", "-o", "json"]).exits(exit).json()
}

fn done(doc: &Value) -> Vec<String> {
    let word = |p: &Value, key: &str| p[key].as_str().unwrap().to_owned();
    let people = doc["people"].as_array().unwrap();
    let mut all: Vec<String> = people
        .iter()
        .map(|p| {
            let name = word(p, "login").replace("@acme.example", "");
            format!("{name} {} {}", word(p, "flow"), word(p, "result"))
        })
        .collect();
    all.sort();
    all
}

/// Whatever was done to anybody; recorders may be told.
fn changed(calls: &[Call]) -> Vec<String> {
    let done = calls.iter().filter(|c| c.mutates() && !c.records());
    done.map(Call::name).collect()
}

fn status(s: &Serve, name: &str) -> String {
    let state = s.state();
    let users = state["okta"]["users"].as_object().unwrap();
    let of = |u: &&Value| u["profile"]["login"] == login(name).as_str();
    users.values().find(of).unwrap()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_sweep_by_each_roster_finds_who_left_and_nobody_else() {
    for kind in KINDS {
        let env = Env::new();
        let s = env.world(&firm(kind), &[]);
        let doc = sweep(&s, &env, 0);
        assert_eq!(
            done(&doc),
            ["gone leaver complete", "moves mover complete", "starts joiner complete"],
            "{kind}: {doc:#}"
        );
        let future: Vec<&str> = doc["future"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|f| f["login"].as_str())
            .collect();
        assert!(future.contains(&"later@acme.example"), "{kind}: {future:?}");
        assert_eq!(status(&s, "gone"), "DEPROVISIONED", "{kind}");
        for (name, _, _) in cast().into_iter().filter(|(name, _, _)| *name != "gone") {
            assert_eq!(status(&s, name), "ACTIVE", "{kind}: {name}");
        }
        // Once more: nothing to do, and nobody is touched.
        let calls = s.during(|| assert_eq!(done(&sweep(&s, &env, 0)), Vec::<String>::new(), "{kind}"));
        assert_eq!(changed(&calls), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn by_hand_each_command_takes_hrs_own_word() {
    for kind in KINDS {
        let env = Env::new();
        let s = env.world(&firm(kind), &[]);
        let (gone, stays, later) = (login("gone"), login("stays"), login("later"));
        s.jml(&env, &["leaver", &stays, "--confirm", &stays]).exits(6);
        s.jml(&env, &["leaver", &later, "--confirm", &later]).exits(6);
        s.jml(&env, &["mover", &gone, "--yes"]).exits(6);
        s.jml(&env, &["joiner", &gone, "--yes"]).exits(6);
        assert_eq!(
            (status(&s, "stays"), status(&s, "later")),
            ("ACTIVE".into(), "ACTIVE".into()),
            "{kind}"
        );
        s.jml(&env, &["leaver", &gone, "--confirm", &gone]).exits(0);
        s.jml(&env, &["mover", &login("moves"), "--yes"]).exits(0);
        s.jml(&env, &["joiner", &login("starts"), "--yes"]).exits(0);
        assert_eq!(status(&s, "gone"), "DEPROVISIONED", "{kind}");
    }
}

/// After a good read, so that only the lie can be why nothing happens; `stays` is due by the truth.
#[test]
fn a_roster_that_fails_or_lies_removes_nobody() {
    let json = |body: Value| json!({"status": 200, "headers": {"content-type": "application/json"}, "body": body});
    let html =
        json!({"status": 200, "headers": {"content-type": "text/html"}, "body_text": "<html>maintenance</html>"});
    for kind in KINDS {
        let empty = match kind {
            "workday" => json(json!({"Report_Entry": []})),
            "successfactors" => json(json!({"d": {"results": []}})),
            _ => json(json!({"employees": []})),
        };
        let env = Env::new();
        let s = env.world(&firm(kind), &[]);
        sweep(&s, &env, 0);
        s.patch(json!({"roster": {"workers": {"W3": {"active": false, "termination_date": "2026-07-13"}}}}));
        for (exit, answer) in [
            (9, json!({"status": 401, "body": {"error": "no"}})),
            (10, json!({"status": 500, "body_text": "oops"})),
            (5, empty),
            (5, html.clone()),
        ] {
            s.faults(json!([{"on": format!("{kind} * *"), "times": "all", "answer": answer}]));
            let calls = s.during(|| {
                s.jml(&env, &["sweep", "--yes"]).exits(exit);
                s.jml(&env, &["leaver", &login("stays"), "--confirm", &login("stays")])
                    .exits(exit);
            });
            let changed: Vec<String> = calls
                .iter()
                .filter(|c| c.mutates() && !c.records())
                .map(|c| c.name())
                .collect();
            assert_eq!(changed, Vec::<String>::new(), "{kind} {exit}");
        }
        s.faults(json!([]));
        assert_eq!(done(&sweep(&s, &env, 0)), ["stays leaver complete"], "{kind}");
    }
}

#[test]
fn a_column_that_workday_lost_removes_nobody() {
    let env = Env::new();
    let s = env.world(&firm("workday"), &["--fault", "workday:domain-lost"]);
    let calls = s.during(|| {
        let out = s.jml(&env, &["sweep", "--yes"]).exits(5);
        assert!(out.stderr.contains("no value in any row"), "{}", out.stderr);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
}

/// Okta feeds movers and joiners, Workday says who leaves: without an import between.
#[test]
fn the_leavers_lane_may_read_hr_directly() {
    let env = Env::new();
    let mut world = firm("workday");
    world["config"] = json!({"roster": {"source": "okta", "leavers": "workday"}});
    let s = env.world(&world, &[]);
    let doc = sweep(&s, &env, 0);
    // Okta's profile of "moves" says Engineering, whatever Workday says.
    assert_eq!(
        done(&doc),
        ["gone leaver complete", "starts joiner complete"],
        "{doc:#}"
    );
    let stays = login("stays");
    s.jml(&env, &["leaver", &stays, "--confirm", &stays]).exits(6);
    s.patch(json!({"roster": {"workers": {"W3": {"active": false, "termination_date": "2026-07-13"}}}}));
    s.jml(&env, &["leaver", &stays, "--confirm", &stays]).exits(0);
    assert_eq!(status(&s, "stays"), "DEPROVISIONED");
    // What Okta says of a leaving, and Workday doesn't, is nobody's permission.
    s.patch(json!({"okta": {"users": {id(4): {"profile": {"terminationDate": "2026-07-12"}}}}}));
    let doc = sweep(&s, &env, 4);
    assert_eq!(status(&s, "rescinded"), "ACTIVE");
    let aside = doc["set_aside"].to_string();
    assert!(aside.contains("workday that they work here"), "{aside}");
    // Half written profiles hold nobody who leaves.
    s.patch(
        json!({"roster": {"workers": {"W2": {"active": false, "on_leave": false, "termination_date": "2026-07-13"}}},
        "okta": {"system_log": [{"uuid": "00000000-0000-4000-8000-0000000000f2", "eventType": "system.import.start",
            "target": "0oa0000000000000HRIS"}]}}),
    );
    let doc = sweep(&s, &env, 10);
    assert_eq!(done(&doc), ["leave leaver complete"], "{doc:#}");
    // Without Workday nobody leaves by Okta's word.
    s.faults(json!([{"on": "workday * *", "times": "all", "answer": {"status": 503}}]));
    let calls = s.during(|| drop(s.jml(&env, &["sweep", "--yes"]).exits(10)));
    assert_eq!(mutating(&calls), Vec::<String>::new());
}

/// In the written file of the firm that comes with jml, `[roster] source` is all that has to be changed.
#[test]
fn the_source_is_one_line_of_the_configuration() {
    let env = Env::new();
    let s = env.serve(&[]);
    let people = env.jml(&["sandbox", "people", "-o", "json"]).exits(0).json();
    let rows = people["rows"].as_array().unwrap();
    let due = |p: &&Value| p["stories"].as_array().unwrap().contains(&json!("leaver-due"));
    let leaver = rows.iter().find(due).unwrap()["login"].as_str().unwrap();
    let text = std::fs::read_to_string(&s.config).unwrap();
    assert!(text.contains("source = \"okta\""), "{text}");
    for kind in KINDS {
        let changed = text.replace("source = \"okta\"", &format!("source = \"{kind}\""));
        std::fs::write(&s.config, changed).unwrap();
        let calls = s.during(|| {
            let doc = s
                .jml(&env, &["leaver", leaver, "--dry-run", "-o", "json"])
                .exits(0)
                .json();
            assert_eq!(done(&doc).len(), 1, "{kind}: {doc:#}");
        });
        let asked: Vec<&str> = KINDS
            .into_iter()
            .filter(|k| calls.iter().any(|c| c.system == *k))
            .collect();
        assert_eq!(asked, [kind]);
    }
}

/// SCIM says of a leaving no more than `active: false`, and only the configuration makes that mean it.
#[test]
fn a_scim_roster_makes_somebody_leave_only_where_inactive_means_it() {
    let env = Env::new();
    let mut world = firm("okta");
    let named: Vec<Value> = cast()
        .into_iter()
        .enumerate()
        .map(|(n, (name, _, _))| json!({"id": format!("P{n}"), "userName": login(name), "externalId": format!("W{n}"), "active": name != "gone"}))
        .collect();
    let users: Vec<Value> = [json!({"generated": 40})].into_iter().chain(named).collect();
    world.as_object_mut().unwrap().remove("roster");
    world["apps"] = json!({"scim:people": {"users": users}});
    world["config"] = json!({"roster": {"source": "people"}});
    let s = env.world(&world, &[]);
    let kept: serde_json::Map<String, Value> = cast()
        .into_iter()
        .enumerate()
        .map(|(n, (name, _, more))| {
            let department = more["department"].as_str().unwrap_or("Engineering");
            let extension = json!({"employeeNumber": format!("W{n}"), "department": department});
            let user = json!({"userType": "Employee", "name": {"givenName": name, "familyName": "Person"},
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": extension});
            (format!("P{n}"), user)
        })
        .collect();
    s.patch(json!({"scim:people": { "users": kept }}));
    // Inactive may mean anything: this source says of nobody that they left, and no sweep goes by such a one.
    let calls = s.during(|| {
        let refused = sweep(&s, &env, 5);
        assert!(
            refused["message"]
                .as_str()
                .unwrap()
                .contains("terminationDate is filled for 0 of"),
            "{refused:#}"
        );
    });
    assert_eq!(changed(&calls), Vec::<String>::new());

    let text = std::fs::read_to_string(&s.config).unwrap();
    let means = text.replace(
        "[systems.people]\n",
        "[systems.people]\ninactive_means = \"terminated\"\n",
    );
    assert_ne!(means, text);
    std::fs::write(&s.config, means).unwrap();
    let doc = sweep(&s, &env, 0);
    assert_eq!(
        done(&doc),
        ["gone leaver complete", "moves mover complete", "starts joiner complete"],
        "{doc:#}"
    );
    assert_eq!(status(&s, "gone"), "DEPROVISIONED");
    let calls = s.during(|| assert_eq!(done(&sweep(&s, &env, 0)), Vec::<String>::new()));
    assert_eq!(changed(&calls), Vec::<String>::new());

    // A list that doesn't add up is nobody's.
    for (fault, exit) in [
        (json!({"status": 401, "body": {}}), 9),
        (json!({"status": 500}), 10),
        (
            json!({"status": 200, "body": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "Resources": []}}),
            5,
        ),
        (
            json!({"status": 200, "headers": {"content-type": "text/html"}, "body_text": "<html>Sign in</html>"}),
            5,
        ),
    ] {
        s.faults(json!([{"on": "scim:people GET *", "times": "all", "answer": fault}]));
        let calls = s.during(|| drop(s.jml(&env, &["sweep", "--yes"]).exits(exit)));
        assert_eq!(changed(&calls), Vec::<String>::new());
    }
}
