//! `jml groups`: what is there, the scaffold that policy needs, the snapshot and Terraform.

use std::fs;

use crate::env::{Env, Serve, mutating};
use jsonschema::validator_for;
use serde_json::{Value, json};

const HOSTILE: &str = "a \"${file(\"/etc/passwd\")}\" %{ if x }\n\u{1b}[2J";

/// The configuration that was served, with something replaced, as a file of its own.
fn changed(env: &Env, s: &Serve, name: &str, from: &str, to: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let text = fs::read_to_string(&s.config).unwrap();
    assert!(text.contains(from), "{from} is not in\n{text}");
    let path = env.path(name);
    fs::write(&path, text.replace(from, to)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

fn fits(env: &Env, kind: &str, document: &Value) {
    let schemas = env.jml(&["config", "schema", "--output-schemas"]).exits(0).json();
    let schema = schemas.get(kind).unwrap_or_else(|| panic!("no schema of {kind}"));
    let faults: Vec<String> = validator_for(schema)
        .unwrap()
        .iter_errors(document)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{kind}: {faults:?}\n{document:#}");
}

#[test]
fn lists_name_members_rules_and_apps_and_change_nothing() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let calls = s.during(|| {
        let list = s.jml(&env, &["groups", "list", "-o", "json"]).exits(0).json();
        fits(&env, "groups-list", &list);
        let rows = list["rows"].as_array().unwrap();
        let of = |name: &str| rows.iter().find(|r| r["name"] == name).unwrap();
        assert_eq!(of("ENG-ONCALL")["rules"], json!(["on-call by title"]));
        assert_eq!(of("ROLE-ENG")["managed"], json!(true));
        assert_eq!(of("PROJ-ATLAS")["managed"], json!(false));
        assert_eq!(of("Everyone")["members"], json!(60));
        assert!(of("ROLE-ENG")["apps"].as_array().unwrap().contains(&json!("GitHub")));

        let who = s
            .jml(&env, &["groups", "who", "ENG-ONCALL", "-o", "json"])
            .exits(0)
            .json();
        fits(&env, "groups-who", &who);
        let by: Vec<&str> = who["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["by"].as_str().unwrap())
            .collect();
        assert!(by.contains(&"rule (may): on-call by title"), "{by:?}");

        let rules = s.jml(&env, &["groups", "rules", "-o", "csv"]).exits(0);
        assert_eq!(
            rules.stdout,
            "rule,status,groups,apps\non-call by title,ACTIVE,ENG-ONCALL,\n"
        );
        let none = s.jml(&env, &["groups", "who", "role-eng"]).exits(11);
        assert!(
            none.stderr.contains("jml groups who ROLE-ENG --config"),
            "{}",
            none.stderr
        );
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
}

#[test]
fn the_scaffold_is_planned_made_verified_recorded_and_then_there() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let c = changed(
        &env,
        &s,
        "new.toml",
        "Sales = \"SALES\"",
        "Sales = \"SALES\"\nLegal = \"LEGAL\"",
    );
    let jml = |args: &[&str]| env.jml(&[&["--config", c.as_str()], args].concat());

    let plan = jml(&["groups", "plan", "--exit-code", "-o", "json"]).exits(3).json();
    fits(&env, "groups-plan", &plan);
    assert_eq!(plan["changes"][0]["group"], "ROLE-LEGAL");
    let asked = jml(&["groups", "apply"]).exits(2);
    assert!(asked.stderr.contains("--yes") && asked.stdout.is_empty());
    let stale = jml(&["groups", "apply", "--yes", "--expect", "000000000000"]).exits(7);
    assert!(stale.stderr.contains("not 000000000000"), "{}", stale.stderr);
    let dry = jml(&["groups", "apply", "-n", "-o", "json"]).exits(0).json();
    fits(&env, "groups-apply", &dry);
    assert_eq!(dry["run"], Value::Null);
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());

    let done = jml(&["groups", "apply", "--yes", "-o", "json"]).exits(0).json();
    fits(&env, "groups-apply", &done);
    assert_eq!(done["people"][0]["result"], "complete");
    assert_eq!(done["people"][0]["steps"][0]["outcome"], "verified");
    let made = s
        .journal()
        .into_iter()
        .filter(|c| c.is("okta POST /api/v1/groups"))
        .count();
    assert_eq!(made, 1);
    assert!(s.journal().iter().any(|c| c.is("servicenow POST .*change_request")));

    let calls = s.during(|| {
        let again = jml(&["groups", "apply", "--yes"]).exits(0);
        assert!(again.stdout.contains("NOTHING TO DO"), "{}", again.stdout);
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());

    // Policy names it no more: jml made it and it is empty, so it goes; a group that holds people never does.
    let old = |args: &[&str]| s.jml(&env, args);
    let gone = old(&["groups", "apply", "--yes"]).exits(0);
    assert!(gone.stdout.contains("- group ROLE-LEGAL"), "{}", gone.stdout);
    let c = changed(&env, &s, "less.toml", "Sales = \"SALES\"", "");
    let kept = env.jml(&["--config", &c, "groups", "apply", "--yes"]).exits(0);
    assert!(kept.stdout.contains("never deleted"), "{}", kept.stdout);
    assert!(
        !s.journal()
            .iter()
            .any(|c| c.is("okta DELETE .*") && c.about("ROLE-SALES"))
    );
}

#[test]
fn terraforms_groups_are_shown_and_not_touched() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let c = changed(
        &env,
        &s,
        "tf.toml",
        "[policy]",
        "[groups]\nowner = \"terraform\"\n[policy]",
    );
    let c = {
        let text = fs::read_to_string(&c).unwrap();
        fs::write(&c, text.replace("Sales = \"SALES\"", "Legal = \"LEGAL\"")).unwrap();
        c
    };
    let plan = env.jml(&["--config", &c, "groups", "plan"]).exits(0);
    assert!(plan.stdout.contains("+ group ROLE-LEGAL"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("groups apply"), "{}", plan.stdout);
    env.jml(&["--config", &c, "groups", "apply", "--yes"]).exits(6);
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());
}

#[test]
fn no_groups_at_all_are_not_believed() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    s.faults(json!([{"on": "okta GET /api/v1/groups*", "times": "all", "answer": {"status": 200, "body": []}}]));
    for args in [&["groups", "plan"][..], &["groups", "list"], &["groups", "export"]] {
        let out = s.jml(&env, args).exits(5);
        assert!(out.stderr.contains("without a single group"), "{}", out.stderr);
    }
    s.jml(&env, &["groups", "apply", "--yes"]).exits(5);
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());
}

#[test]
fn a_snapshot_is_equal_to_itself_and_a_tripwire_after_a_change() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let kept = s.jml(&env, &["groups", "export"]).exits(0);
    fits(&env, "groups-export", &kept.json());
    let file = env.path("kept.json");
    fs::write(&file, &kept.stdout).unwrap();
    let file = file.to_str().unwrap();
    let same = s.jml(&env, &["groups", "diff", file]).exits(0);
    assert!(same.stdout.contains("no change since "), "{}", same.stdout);

    let mut old = kept.json();
    for g in old["groups"].as_array_mut().unwrap() {
        if g["name"] == "ROLE-ENG" {
            g["members"]
                .as_array_mut()
                .unwrap()
                .retain(|m| m != "alice@acme.example");
        }
    }
    fs::write(file, old.to_string()).unwrap();
    let out = s.jml(&env, &["groups", "diff", file]).exits(3);
    assert!(
        out.stdout.contains("~ ROLE-ENG + alice@acme.example\n"),
        "{}",
        out.stdout
    );
    let diff = s.jml(&env, &["groups", "diff", file, "-o", "json"]).exits(3).json();
    fits(&env, "groups-diff", &diff);
    assert_eq!(diff["changes"].as_array().unwrap().len(), 1);

    old["tenant"] = json!("00oOTHER");
    fs::write(file, old.to_string()).unwrap();
    s.jml(&env, &["groups", "diff", file]).exits(2);
    fs::write(file, "{}").unwrap();
    s.jml(&env, &["groups", "diff", file]).exits(2);
}

#[test]
fn hostile_names_reach_terraform_as_text() {
    let env = Env::new();
    let s = env.world(
        &json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 25}, "okta": {"groups": [
            {"id": "00g000000000000000H1", "name": HOSTILE},
            {"id": "00g000000000000000H2", "name": "role eng"}]}}),
        &[],
    );
    let out = s.jml(&env, &["groups", "export", "--format", "terraform"]).exits(0);
    let body: hcl::Body = hcl::from_str(&out.stdout).unwrap();
    let groups: Vec<&hcl::Block> = body.blocks().filter(|b| b.identifier() == "resource").collect();
    let names: Vec<&str> = groups.iter().map(|b| b.labels()[1].as_str()).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    assert!(
        names.contains(&"role_eng") && names.contains(&"role_eng_2"),
        "{names:?}"
    );
    assert_eq!(
        body.blocks().filter(|b| b.identifier() == "import").count(),
        groups.len()
    );
    assert!(
        out.stdout.contains("$${file(") && !out.stdout.contains("\"${"),
        "{}",
        out.stdout
    );
    assert!(!out.stdout.contains('\u{1b}'));
}
