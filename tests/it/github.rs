//! GitHub, where a person meets it: whose account it is, what stays behind, and what a token does not show.

use std::fs;

use serde_json::{Value, json};

use crate::env::{Env, Serve, mutating};

const LEE: &str = "lee@acme.example";

/// Lee leaves and says to be `lee-ash`; the rest of the organisation is given.
fn world(github: &Value) -> Value {
    json!({
        "now": "2026-07-15T15:00:00Z",
        "population": {"people": 25},
        "okta": {"users": [
            {"id": "00u00000000000000lee", "profile": {"login": LEE, "firstName": "Lee", "lastName": "Ash", "department": "Engineering",
                "managerId": "kim@acme.example", "terminationDate": "2026-07-14", "githubLogin": "lee-ash"},
             "recorded": "2026-07-15T14:58:00Z", "groups": ["BR-ALL-EMPLOYEES"]},
            {"id": "00u00000000000000kim", "profile": {"login": "kim@acme.example", "firstName": "Kim", "lastName": "Boss",
                "department": "Sales"}}
        ]},
        "apps": {"github": github}
    })
}

fn leave(s: &Serve, env: &Env, exit: i32) -> Value {
    let out = s.jml(env, &["leaver", LEE, "--confirm", LEE, "-o", "json"]);
    out.exits(exit).json()["people"][0].clone()
}

fn shown(s: &Serve, env: &Env) -> Value {
    let doc = s.jml(env, &["show", LEE, "-o", "json"]).exits(0).json();
    let rows = doc["systems"].as_array().unwrap();
    rows.iter().find(|r| r["system"] == "github").unwrap().clone()
}

#[test]
fn an_identity_that_outlives_the_membership_is_named_before_and_after() {
    let env = Env::new();
    let s = env.world(
        &world(&json!({"members": [{"id": 4711, "login": "lee-ash"}], "saml": [{"name_id": LEE, "login": "lee-ash"}]})),
        &[],
    );
    let plan = s.jml(&env, &["leaver", LEE, "--dry-run"]).exits(0).stdout;
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plan.contains("orphaned in github: the SAML identity lee@acme.example, which a person has to unlink."),
        "{plan}"
    );
    assert_eq!(leave(&s, &env, 0)["result"], "complete");
    assert_eq!(s.state()["github"]["members"]["lee-ash"], Value::Null);
    let row = shown(&s, &env);
    assert_eq!(
        (&row["state"], &row["mark"]),
        (&json!("out; SAML identity stays"), &json!("ok"))
    );
    // Nothing is left that a call could do.
    let again = s.during(|| {
        leave(&s, &env, 0);
    });
    assert_eq!(mutating(&again), Vec::<String>::new());
}

#[test]
fn an_identity_of_a_login_that_left_is_named_and_the_member_goes() {
    let env = Env::new();
    let s = env.world(
        &world(
            &json!({"members": [{"id": 4711, "login": "lee-ash"}], "accounts": [{"id": 4712, "login": "lee-old"}],
            "saml": [{"name_id": LEE, "login": "lee-old"}]}),
        ),
        &[],
    );
    let plan = s.jml(&env, &["leaver", LEE, "--dry-run"]).exits(0).stdout;
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plan.contains("the SAML identity lee@acme.example, linked to the login lee-old."),
        "{plan}"
    );
    assert_eq!(leave(&s, &env, 0)["result"], "complete");
    assert_eq!(s.state()["github"]["members"]["lee-ash"], Value::Null);
}

#[test]
fn a_profile_and_an_identity_of_two_members_take_nobody_out_until_somebody_says_who_it_is() {
    let env = Env::new();
    let s = env.world(
        &world(
            &json!({"members": [{"id": 4711, "login": "lee-ash"}, {"id": 4712, "login": "lee-two"}],
            "saml": [{"name_id": LEE, "login": "lee-two"}]}),
        ),
        &[],
    );
    leave(&s, &env, 4);
    let members = &s.state()["github"]["members"];
    assert!(
        members["lee-ash"].is_object() && members["lee-two"].is_object(),
        "{members}"
    );
    let row = shown(&s, &env);
    let said = row["detail"].as_str().unwrap();
    assert!(said.contains("lee-ash, lee-two"), "{said}");
    s.jml(&env, &["link", LEE, "github", "4712"]).exits(0);
    leave(&s, &env, 0);
    let members = &s.state()["github"]["members"];
    assert!(
        members["lee-ash"].is_object() && members["lee-two"].is_null(),
        "{members}"
    );
}

#[test]
fn of_a_hundred_credentials_and_more_none_is_left_behind() {
    let env = Env::new();
    let s = env.world(
        &world(&json!({"members": [{"id": 4711, "login": "lee-ash", "credentials": 130}], "saml": []})),
        &[],
    );
    let calls = s.during(|| {
        leave(&s, &env, 0);
    });
    let did = mutating(&calls);
    let at = |what: &str| did.iter().position(|c| c.contains(what));
    let revoked = did.iter().filter(|c| c.contains("/credential-authorizations/"));
    assert_eq!(revoked.count(), 130);
    let last = did.iter().rposition(|c| c.contains("/credential-authorizations/"));
    assert!(last < at("/memberships/lee-ash"), "the keys go before the membership");
}

#[test]
fn tokens_that_nothing_shows_are_unknown_and_an_app_revokes_them() {
    let env = Env::new();
    let given = json!({"members": [{"id": 4711, "login": "lee-ash", "pats": 1}]});
    let s = env.world(&world(&given), &[]);
    // A token as it is, in place of the App's record.
    for right in ["read", "write"] {
        let token = s.endpoints["github"]["token"].as_str().unwrap();
        fs::write(s.config.with_file_name(format!("github.{right}")), token).unwrap();
    }
    let row = shown(&s, &env);
    assert_eq!(row["mark"], "drift");
    let plan = s.jml(&env, &["leaver", LEE, "--dry-run"]).exits(0).stdout;
    assert!(plan.contains("owed: GitHub shows them to an App alone"), "{plan}");
    // Out of the organisation a token opens nothing there, and nobody says that it was revoked.
    let report = s.jml(&env, &["leaver", LEE, "--confirm", LEE]).exits(0).stdout;
    assert!(report.contains("out of acme, no credentials left"), "{report}");

    let env = Env::new();
    let s = env.world(&world(&given), &[]);
    let calls = s.during(|| {
        leave(&s, &env, 0);
    });
    let did = mutating(&calls);
    assert!(did.iter().any(|c| c.contains("/personal-access-tokens/")), "{did:?}");
}
