//! `jml policy`: which rule gives what, and what another policy would change.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::env::{Env, mutating};

#[test]
fn each_group_has_its_rule() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let out = s.jml(&env, &["policy", "explain", "mia.toller@acme.example"]).exits(0);
    assert_eq!(
        out.stdout.lines().skip(1).collect::<Vec<_>>(),
        [
            "mia.toller@acme.example",
            "group             rule",
            "BR-ALL-EMPLOYEES  birthright employee",
            "ROLE-ENG          department Engineering",
            "slack #eng        rule 1: department Engineering",
        ]
    );
    let left = s.jml(&env, &["policy", "explain", "alice@acme.example"]).exits(0);
    assert!(left.stdout.contains("Policy gives nothing"), "{}", left.stdout);
    s.jml(&env, &["policy", "explain", "nobody@acme.example"]).exits(11);
}

#[test]
fn a_new_policy_is_held_against_everyone_and_nothing_is_done() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let text = fs::read_to_string(&s.config).unwrap();
    let new = env.path("new.toml");
    let text = text
        .replace("Engineering = \"ENG\"", "Engineering = \"SALES\"")
        .replace("Finance = \"FIN\"", "Finance = \"NOWHERE\"");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    let new = new.to_str().unwrap();
    let calls = s.during(|| {
        let diff = s.jml(&env, &["policy", "diff", new, "-o", "json"]).exits(0).json();
        let people = diff["people"].as_array().unwrap();
        let mia = people.iter().find(|p| p["login"] == "mia.toller@acme.example").unwrap();
        assert_eq!(
            (&mia["gains"][0], &mia["loses"][0]),
            (&"ROLE-SALES".into(), &"ROLE-ENG".into())
        );
        assert!(
            people.iter().all(|p| p["login"] != "alice@acme.example"),
            "who left gains nothing"
        );
        let why = diff["refused"][0]["why"].as_str().unwrap();
        assert!(why.contains("ROLE-NOWHERE") && why.contains("does not exist"), "{why}");
        let shown = s.jml(&env, &["policy", "diff", new]).exits(0);
        assert!(
            shown
                .stdout
                .contains("~ mia.toller@acme.example -ROLE-ENG +ROLE-SALES\n"),
            "{}",
            shown.stdout
        );
        assert!(
            shown.stdout.contains(" would be refused: group ROLE-NOWHERE"),
            "{}",
            shown.stdout
        );
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    // By pages, never a call a person.
    assert!(
        !calls.iter().any(|c| c.is("okta GET /api/v1/users/[^/]+")),
        "a call a person"
    );
    let same = s.jml(&env, &["policy", "diff", s.config.to_str().unwrap()]).exits(0);
    assert!(same.stdout.contains("0 people would change."), "{}", same.stdout);
}

#[test]
fn a_changed_policy_is_told_once_and_names_the_run_before() {
    let env = Env::new();
    let s = env.world(&crate::env::small(), &[]);
    let said = "! The policy changed since run ";
    let first = s.jml(&env, &["sweep", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!(first["policy_changed"], Value::Null);
    let text = std::fs::read_to_string(&s.config).unwrap();
    // Another wording, or another limit, is no other policy.
    std::fs::write(&s.config, format!("# reworded\n{text}")).unwrap();
    assert!(!s.jml(&env, &["sweep", "--yes"]).exits(0).stdout.contains(said));
    let last = s.jml(&env, &["sweep", "--yes", "-o", "json"]).exits(0).json();

    let mut config: toml::Table = toml::from_str(&text).unwrap();
    let policy = config["policy"].as_table_mut().unwrap();
    policy.insert("settle".into(), "77s".into());
    std::fs::write(&s.config, toml::to_string(&config).unwrap()).unwrap();
    let quiet = s.jml(&env, &["sweep", "--yes", "--quiet"]).exits(0).stdout;
    let since = format!("{said}{}: ", last["run"].as_str().unwrap());
    assert!(quiet.starts_with(&since), "{quiet}");
    assert!(!s.jml(&env, &["sweep", "--yes"]).exits(0).stdout.contains(said), "once");

    // By hand too; and a link, which applies no policy, uses the telling up for nobody.
    std::fs::write(&s.config, &text).unwrap();
    s.jml(&env, &["link", "kim@acme.example", "slack", "U000000KIM"])
        .exits(0);
    let late = serde_json::json!({"okta": {"users": {"00u00000000000000kim": {"profile": {"terminationDate": "2026-07-14"}}}}});
    s.patch(late);
    let argv = ["leaver", "kim@acme.example", "--confirm", "kim@acme.example"];
    let out = s.jml(&env, &argv);
    assert_eq!(out.stdout.matches(said).count(), 1, "{}", out.stdout);
}
