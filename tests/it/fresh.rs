//! What a sweep asks before it believes anything: this host's clock, and the age of HR's word.

use serde_json::{Value, json};

use crate::env::{Env, Serve, mutating};

const VIC: &str = "00u00000000000000101";
const MAY: &str = "00u00000000000000102";

/// Vic has left, May has moved.
fn firm() -> Value {
    let person = |id: &str, login: &str, more: Value| {
        let mut profile = json!({"login": login, "email": login, "firstName": "A", "lastName": "B", "department": "Engineering",
            "title": "Engineer", "userType": "Employee", "employeeNumber": id, "hireDate": "2020-01-06"});
        for (k, v) in more.as_object().unwrap() {
            profile[k] = v.clone();
        }
        json!({"id": id, "status": "ACTIVE", "profile": profile, "groups": ["BR-ALL-EMPLOYEES", "ROLE-SALES"]})
    };
    json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 40},
    "okta": {"users": [
        person(VIC, "vic@acme.example", json!({"terminationDate": "2026-07-13"})),
        person(MAY, "may@acme.example", json!({})),
    ]}})
}

fn said(doc: &Value, login: &str) -> String {
    let people = doc["people"].as_array().unwrap();
    let found = people.iter().find(|p| p["login"] == login);
    found.map_or("nothing".into(), |p| p["result"].as_str().unwrap().to_owned())
}

fn sweep(s: &Serve, env: &Env, exit: i32) -> Value {
    s.jml(env, &["sweep", "--yes", "-o", "json"]).exits(exit).json()
}

#[test]
fn a_host_whose_clock_is_off_changes_nobody() {
    for (skew, way) in [("90s", "ahead of"), ("-1h", "behind")] {
        let env = Env::new();
        let mut world = firm();
        world["clock_skew"] = json!(skew);
        let s = env.world(&world, &[]);
        let calls = s.during(|| {
            let all: [&[&str]; 4] = [
                &["sweep", "--yes"],
                &["leaver", "vic@acme.example", "--confirm", "vic@acme.example"],
                &["mover", "may@acme.example", "--yes"],
                &["joiner", "may@acme.example", "--yes"],
            ];
            for args in all {
                let out = s.jml(&env, args).exits(10);
                assert!(out.stderr.contains(way), "{args:?}: {}", out.stderr);
            }
            let doctor = s.jml(&env, &["doctor"]).exits(10);
            assert!(doctor.stdout.contains(way), "{}", doctor.stdout);
        });
        assert_eq!(mutating(&calls), Vec::<String>::new());
    }
    let env = Env::new();
    let mut world = firm();
    world["clock_skew"] = json!("50s");
    // Vic left days ago: late, and done.
    env.world(&world, &[]).jml(&env, &["sweep", "--yes"]).exits(12);
}

/// Leavers go on by what is known; nobody moves by old or half-written news.
#[test]
fn movers_wait_for_hrs_import_and_leavers_do_not() {
    for (why, events) in [
        (
            "the import of HRIS runs since",
            json!([{"eventType": "system.import.start", "published": "2026-07-15T05:04:00Z"}]),
        ),
        (
            "the import of HRIS is blocked by Okta's import safeguard since",
            json!([{"eventType": "system.import.roadblock", "published": "2026-07-15T05:04:00Z"}]),
        ),
    ] {
        let env = Env::new();
        let s = env.world(&firm(), &[]);
        let mut events = events;
        for e in events.as_array_mut().unwrap() {
            e["uuid"] = json!("00000000-0000-4000-8000-0000000000f1");
            e["target"] = json!("0oa0000000000000HRIS");
        }
        s.patch(json!({"okta": {"system_log": events}}));
        let doc = sweep(&s, &env, 10);
        assert_eq!(said(&doc, "vic@acme.example"), "complete", "{doc:#}");
        assert_eq!(said(&doc, "may@acme.example"), "nothing", "{doc:#}");
        assert!(
            doc["read"]["stale"].as_str().unwrap().starts_with(why),
            "{}",
            doc["read"]
        );
    }
}
