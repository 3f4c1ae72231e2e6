//! Somebody's word against HR's, and protected people who have left: what one person may do, and what waits for a second one.

use serde_json::{Value, json};

use crate::{
    approve::{DANA, FINN, Office},
    desk::run_of,
    env::{Out, small, stands_for_two},
};

const KIM: &str = "kim@acme.example";
const KIMS: &str = "00u00000000000000kim";

fn office(approvals: bool, protect: &[&str]) -> Office {
    let mut world = small();
    world["apps"]["servicenow"] = json!({"incident": [
        {"number": "INC0000123", "state": "2", "short_description": "Kim Boss left on the spot", "description": "shut her out"},
        {"number": "INC0000124", "state": "7", "active": "false", "short_description": "Leaver: kim@acme.example"},
        {"number": "INC0000125", "state": "2", "short_description": "Leaver: joakim@acme.example"},
    ]});
    if !protect.is_empty() {
        let people: Vec<Value> = protect
            .iter()
            .map(|login| json!({"login": login, "owner": "it", "reason": "break-glass"}))
            .collect();
        world["protect"] = json!({"people": people});
    }
    Office::on(world, approvals)
}

impl Office {
    fn contain(&self, ticket: &str) -> Out {
        self.by(
            DANA,
            &[
                "leaver",
                KIM,
                "--confirm",
                KIM,
                "--reason",
                "left on the spot",
                "--ticket",
                ticket,
            ],
        )
    }
    fn stands(&self, id: &str) -> String {
        let user = &self.serve.state()["okta"]["users"][id];
        user["status"].as_str().unwrap().to_owned()
    }
}

#[test]
fn what_comes_after_containment_waits_for_a_second_key() {
    if !stands_for_two() {
        return;
    }
    let office = office(true, &[]);
    let out = office.contain("INC0000123").exits(4);
    let run = run_of(&out.stdout);
    for line in [
        format!("a second person:  jml run approve {run}"),
        format!("then:             jml run apply {run} --yes"),
    ] {
        assert!(out.stdout.contains(&line), "{}", out.stdout);
    }
    assert_eq!(office.stands(KIMS), "SUSPENDED");
    let changed = office.changed(|| {
        let none = office.by(FINN, &["run", "apply", &run, "--yes"]).exits(6);
        assert!(none.stderr.contains("needs an approval"), "{}", none.stderr);
        office.approve(&run, "dana").exits(6);
        // A sweep leaves it at that.
        office.by(DANA, &["sweep", "--yes", "--lane", "leavers"]);
    });
    let _ = changed;
    assert_eq!(office.stands(KIMS), "SUSPENDED");
    let text = office.by(DANA, &["run", "approve", &run, "--print"]).exits(0).stdout;
    assert!(text.contains("\nwhat comes after plan "), "{text}");
    office.approve(&run, "erin").exits(0);
    let done = office.by(FINN, &["run", "resume", &run, "-o", "json"]).exits(0).json();
    let kim = &done["people"][0];
    assert_eq!(
        (&kim["login"], &kim["result"]),
        (&json!(KIM), &json!("complete")),
        "{done:#}"
    );
    assert_eq!(office.stands(KIMS), "DEPROVISIONED");

    // It outranks HR until it is lifted.
    let overruled = |office: &Office| {
        let out = office.by(DANA, &["sweep", "--yes", "--lane", "leavers"]);
        out.stdout.contains("left by override, which HR has not confirmed yet")
    };
    assert!(overruled(&office));
    let lifted = office
        .by(DANA, &["run", "lift", &run, "--reason", "HR was right"])
        .exits(0);
    assert!(
        lifted.stdout.starts_with(&format!("The override of {KIM} is lifted")),
        "{}",
        lifted.stdout
    );
    assert!(!overruled(&office));
    office.by(DANA, &["run", "lift", &run, "--reason", "again"]).exits(7);
    assert_eq!(office.stands(KIMS), "DEPROVISIONED");
}

#[test]
fn a_lifted_override_can_not_be_finished() {
    if !stands_for_two() {
        return;
    }
    let office = office(true, &[]);
    let run = run_of(&office.contain("INC0000123").exits(4).stdout);
    office.approve(&run, "erin").exits(0);
    office
        .by(DANA, &["run", "lift", &run, "--reason", "a mistake"])
        .exits(0);
    let changed = office.changed(|| {
        office.by(FINN, &["run", "apply", &run, "--yes"]).exits(7);
        office.approve(&run, "erin").exits(7);
    });
    assert_eq!((changed, office.stands(KIMS).as_str()), (0, "SUSPENDED"));
}

#[test]
fn without_approvals_nobody_finishes_an_override() {
    if !stands_for_two() {
        return;
    }
    let office = office(false, &[]);
    let run = run_of(&office.contain("INC0000123").exits(4).stdout);
    let out = office.by(FINN, &["run", "apply", &run, "--yes"]).exits(6);
    assert!(
        out.stderr
            .contains("waits for an approver, and no [approvals] are configured"),
        "{}",
        out.stderr
    );
    assert_eq!(office.stands(KIMS), "SUSPENDED");
}

#[test]
fn a_ticket_that_is_none_overrules_nobody_and_a_desk_that_is_down_stops_nobody() {
    if !stands_for_two() {
        return;
    }
    let office = office(true, &[]);
    let changed = office.changed(|| {
        for (ticket, why) in [
            ("INC0000124", "is closed"),
            ("INC0000125", "does not name kim@acme.example"),
            ("INC0000999", "there is no ticket INC0000999"),
            ("SEC-4711", "there is no ticket SEC-4711"),
        ] {
            let out = office.contain(ticket).exits(6);
            assert!(out.stderr.contains(why), "{ticket}: {}", out.stderr);
        }
    });
    assert_eq!((changed, office.stands(KIMS).as_str()), (0, "ACTIVE"));
    office
        .serve
        .faults(json!([{"on": "servicenow GET *", "times": "all", "answer": {"status": 503, "body": {}}}]));
    let out = office.contain("INC0000123");
    assert!(out.stderr.contains("was not read"), "{}", out.stderr);
    assert_eq!(office.stands(KIMS), "SUSPENDED");
}

#[test]
fn nobody_gives_themselves_the_files() {
    if !stands_for_two() {
        return;
    }
    let office = office(true, &[]);
    let lee = "lee@acme.example";
    let out = office
        .by(
            FINN,
            &["leaver", lee, "--confirm", lee, "--transfer-to", "finn@acme.example"],
        )
        .exits(6);
    assert!(out.stderr.contains("the operator's own login"), "{}", out.stderr);
    assert_eq!(office.stands("00u00000000000000lee"), "ACTIVE");
}

#[test]
fn a_protected_leaver_heads_the_sweep_and_is_contained_by_one_approval() {
    if !stands_for_two() {
        return;
    }
    let lee = "lee@acme.example";
    let office = office(true, &[lee]);
    let out = office.by(DANA, &["sweep", "--yes"]).exits(4);
    let first = out.stdout.lines().find(|l| l.contains(" leaver ")).unwrap();
    assert!(
        first.starts_with(&format!("! {lee} leaver HELD protected (")),
        "{}",
        out.stdout
    );
    let plan = first
        .split("run approve ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let incidents = |office: &Office| {
        let all = office.serve.state()["servicenow"]["incident"]
            .as_object()
            .unwrap()
            .clone();
        let ours = |i: &&Value| {
            i["short_description"]
                .as_str()
                .unwrap()
                .contains("is protected and has left")
        };
        all.values().filter(ours).count()
    };
    assert_eq!(incidents(&office), 1);
    // The next sweep finds it held, and tells nobody twice.
    office.by(DANA, &["sweep", "--yes"]).exits(4);
    assert_eq!(incidents(&office), 1);
    let held = crate::env::ledger(&office.env, &office.serve);
    assert_eq!(held.iter().filter(|e| e["kind"] == "held").count(), 1);

    // Not by hand, not by the author's key, not by a flag.
    office.by(FINN, &["leaver", lee, "--confirm", lee]).exits(6);
    office.by(FINN, &["run", "apply", &plan, "--yes"]).exits(6);
    office.approve(&plan, "dana").exits(6);
    assert_eq!(office.stands("00u00000000000000lee"), "ACTIVE");
    office.approve(&plan, "erin").exits(0);
    let done = office
        .by(FINN, &["run", "apply", &plan, "--yes", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(done["people"][0]["result"], "complete", "{done:#}");
    assert_eq!(office.stands("00u00000000000000lee"), "DEPROVISIONED");
    let after = office.by(DANA, &["sweep", "--yes"]);
    assert!(!after.stdout.contains("HELD"), "{}", after.stdout);
}

#[test]
fn a_restore_gives_what_policy_gives_today_and_nothing_while_hr_says_terminated() {
    if !stands_for_two() {
        return;
    }
    let (lee, id) = ("lee@acme.example", "00u00000000000000lee");
    let office = office(true, &[]);
    let out = office.by(DANA, &["leaver", lee, "--confirm", lee]);
    let run = run_of(&out.stdout);
    assert_eq!(office.stands(id), "DEPROVISIONED");
    let changed = office.changed(|| {
        let no = office.by(FINN, &["run", "restore", &run, "--yes"]).exits(6);
        assert!(no.stderr.contains("has left by HR"), "{}", no.stderr);
    });
    assert_eq!(changed, 0);
    // HR takes it back.
    office
        .serve
        .patch(json!({"okta": {"users": {id: {"profile": {"terminationDate": null}}}}}));
    let changed = office.changed(|| {
        let shown = office.by(FINN, &["run", "restore", &run, "--dry-run"]).exits(0).stdout;
        assert!(shown.contains("activate") && shown.contains("ROLE-ENG"), "{shown}");
        assert!(shown.contains(&format!("jml run restore {run} --expect ")), "{shown}");
        assert!(!shown.contains("PROJ-ONE"), "{shown}");
        office.by(FINN, &["run", "restore", &run]).exits(2);
    });
    assert_eq!(changed, 0);
    let doc = office.by(FINN, &["run", "restore", &run, "--yes", "-o", "json"]).json();
    assert_eq!(
        (&doc["kind"], &doc["people"][0]["login"]),
        (&json!("restore"), &json!(lee))
    );
    assert!(["PROVISIONED", "ACTIVE"].contains(&office.stands(id).as_str()));
    let state = office.serve.state();
    let groups = state["okta"]["users"][id]["groups"].to_string();
    assert!(groups.contains("ROLE-ENG") && !groups.contains("PROJ-ONE"), "{groups}");
    let runs = office.by(DANA, &["run", "list", "-o", "json"]).exits(0).json();
    let kinds: Vec<&Value> = runs["rows"].as_array().unwrap().iter().map(|r| &r["kind"]).collect();
    assert_eq!(kinds, ["leaver", "restore"]);
}

#[test]
fn an_override_is_restored_once_it_is_lifted() {
    if !stands_for_two() {
        return;
    }
    let office = office(true, &[]);
    let run = run_of(&office.contain("INC0000123").exits(4).stdout);
    let no = office.by(FINN, &["run", "restore", &run, "--yes"]).exits(6);
    assert!(no.stderr.contains("outranks HR until it is lifted"), "{}", no.stderr);
    office
        .by(DANA, &["run", "lift", &run, "--reason", "a mistake"])
        .exits(0);
    // Let in again; what Slack deactivated, no call of ours brings back: it is owed, by name.
    let back = office.by(FINN, &["run", "restore", &run, "--yes"]).exits(4).stdout;
    assert!(
        back.contains("let in again") && back.contains("is deactivated"),
        "{back}"
    );
    assert_eq!(office.stands(KIMS), "ACTIVE");
    office.by(FINN, &["run", "restore", "r-000000", "--yes"]).exits(11);
}
