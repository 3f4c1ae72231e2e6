//! Which configuration counts, and what is refused before anything is read with it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::env::{Env, Out, small};
use serde_json::json;

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

#[track_caller]
fn says(out: &Out, words: &[&str]) {
    for word in words {
        assert!(out.stderr.contains(word), "{word:?} is not in: {}", out.stderr);
    }
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let dry = ["leaver", "lee@acme.example", "--dry-run"];
    s.jml(&env, &dry).exits(0);
    let asked = s.during(|| {
        mode(&s.config, 0o666);
        says(&s.jml(&env, &dry).exits(2), &["c.toml"]);
        mode(&s.config, 0o600);
        let above = s.config.parent().unwrap();
        mode(above, 0o777);
        says(&s.jml(&env, &dry).exits(2), &[above.to_str().unwrap()]);
        mode(above, 0o700);
    });
    assert!(asked.is_empty(), "refused before anybody is asked: {asked:?}");
    s.jml(&env, &dry).exits(0);
}

#[test]
fn another_tenant_is_refused_before_a_write_credential_is_read() {
    let env = Env::new();
    let mut world = small();
    world["config"] = json!({"systems": {"okta": {"org": "00o0000000000000MINE"}}});
    let s = env.world(&world, &[]);
    // were it read, it would be missed: exit 9 or 1, not 2
    for system in ["okta", "slack", "servicenow", "datadog"] {
        fs::remove_file(env.path(&format!("{system}.write"))).unwrap();
    }
    let out = s
        .jml(&env, &["leaver", "lee@acme.example", "--confirm", "lee@acme.example"])
        .exits(2);
    says(&out, &["00o0000000000000MINE", "00o0000000000000ACME"]);
    assert_eq!(crate::env::mutating(&s.journal()), Vec::<String>::new());
}

#[test]
fn another_tenant_of_any_app_is_refused_before_a_write_credential_is_read() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let text = fs::read_to_string(&s.config).unwrap();
    let systems = ["slack", "github", "google", "salesforce", "zoom"];
    for system in systems.iter().chain(&["okta", "servicenow", "datadog"]) {
        // were it read, it would be missed
        let named = |f: &fs::DirEntry| f.file_name().to_string_lossy() == format!("{system}.write");
        let folder = s.config.parent().unwrap();
        for file in fs::read_dir(folder).unwrap().flatten().filter(named) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let pins = [
        ("slack", "team", "T0OTHER01"),
        ("github", "id", "90002"),
        ("google", "customer", "C02other"),
        ("salesforce", "org", "00DXX0000000001"),
        ("zoom", "account", "AnotherJVO5TzexKYTb_I"),
    ];
    for (system, key, other) in pins {
        let mut config: toml::Table = toml::from_str(&text).unwrap();
        let table = config["systems"][system].as_table_mut().unwrap();
        let ours = table.insert(key.into(), other.into()).unwrap();
        fs::write(&s.config, toml::to_string(&config).unwrap()).unwrap();
        let argv = ["leaver", "alice@acme.example", "--confirm", "alice@acme.example"];
        let calls = s.during(|| says(&s.jml(&env, &argv).exits(2), &[other, ours.as_str().unwrap()]));
        assert_eq!(crate::env::mutating(&calls), Vec::<String>::new(), "{system}");
    }
}

#[test]
fn an_app_that_could_not_say_whose_it_is_is_not_touched() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    s.faults(json!([{"on": "slack * /api/auth.test", "times": "all", "answer": {"status": 403}}]));
    let calls = s.during(|| {
        let argv = [
            "leaver",
            "lee@acme.example",
            "--confirm",
            "lee@acme.example",
            "-o",
            "json",
        ];
        let run = s.jml(&env, &argv).exits(4).json();
        let steps = run["people"][0]["steps"].as_array().unwrap();
        assert!(
            steps.iter().any(|s| s["system"] == "slack" && s["outcome"] == "owed"),
            "{steps:#?}"
        );
    });
    let slack: Vec<String> = calls
        .iter()
        .filter(|c| c.system == "slack")
        .map(crate::env::Call::name)
        .filter(|name| !name.contains("auth.test"))
        .collect();
    assert_eq!(slack, Vec::<String>::new());
}

#[test]
fn proxies_and_trust_come_from_the_file_alone() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let dry = ["leaver", "lee@acme.example", "--dry-run"];
    // towards this machine there is nothing to lead astray
    let out = s
        .command(&env, &dry)
        .env("HTTPS_PROXY", "http://192.0.2.1:3128")
        .output()
        .unwrap();
    Out::of(out).exits(0);
    let text = fs::read_to_string(&s.config).unwrap();
    let okta = s.endpoints["okta"]["base_url"].as_str().unwrap();
    let sandbox = text.find("[sandbox]").unwrap();
    let end = sandbox + text[sandbox + 1..].find("\n[").unwrap() + 1;
    let abroad = format!("{}{}", &text[..sandbox], &text[end..]).replace(okta, "https://acme.okta.example");
    let path = env.path("abroad.toml");
    fs::write(&path, abroad).unwrap();
    mode(&path, 0o600);
    for name in ["HTTPS_PROXY", "SSL_CERT_FILE"] {
        let mut c = env.command(&["--config", path.to_str().unwrap()]);
        let out = Out::of(c.args(dry).env(name, "/nowhere").output().unwrap()).exits(2);
        says(&out, &[name]);
    }
}

#[test]
fn without_a_file_it_says_how_to_get_one() {
    let env = Env::new();
    // the working folder is not looked into
    fs::write(env.path("jml.toml"), "[roster]\nsource = \"okta\"\n").unwrap();
    let out = env.jml(&["leaver", "lee@acme.example", "--dry-run"]).exits(2);
    says(&out, &["jml config init", "--sandbox"]);
    let out = env
        .jml(&[
            "leaver",
            "x@acme.example",
            "--sandbox",
            "--config",
            "c.toml",
            "--dry-run",
        ])
        .exits(2);
    says(&out, &["--sandbox", "--config"]);
}
