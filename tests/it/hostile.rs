//! Text of an attacker in every field, and secrets that must not be seen again.

use std::fs;

use crate::env::{Env, Out};
use serde_json::{Value, json};

const EVE: &str = "eve/..%2f?x=#y@acme.example";

/// What no terminal may be sent: controls but the line's end, and what turns the reading order.
fn wild(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[track_caller]
fn tame(args: &[&str], out: &Out) {
    for (name, text) in [("stdout", &out.stdout), ("stderr", &out.stderr)] {
        // a row of CSV ends as its standard says
        let text = text.replace("\r\n", "\n");
        if let Some(at) = text.find(wild) {
            let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
            panic!("{args:?} {name}: {:?}", text[line..].lines().next());
        }
    }
    assert!(!out.stderr.contains("panicked"), "{args:?}: {}", out.stderr);
}

#[test]
fn no_field_reaches_a_terminal_or_a_path_raw() {
    let env = Env::new();
    let s = env.serve(&["--people", "80"]);
    let id = |s: &crate::env::Serve| {
        let state = s.state();
        let users = state["okta"]["users"].as_object().unwrap();
        users
            .iter()
            .find(|(_, u)| u["profile"]["login"] == EVE)
            .unwrap()
            .0
            .clone()
    };
    let eve = id(&s);
    let look = |args: &[&str]| {
        let out = s.jml(&env, args);
        tame(args, &out);
        assert_ne!(out.exit, 1, "{args:?}: {}{}", out.stdout, out.stderr);
        out
    };
    for output in ["human", "json", "ndjson", "csv"] {
        for args in [["show", EVE], ["mover", EVE], ["joiner", EVE], ["leaver", EVE]] {
            let dry: &[&str] = if args[0] == "show" { &[] } else { &["--dry-run"] };
            look(&[&args, dry, &["-o", output]].concat());
        }
        look(&["sandbox", "people", "-o", output]);
    }
    s.patch(json!({"slack": {"users": {"U0EVE000001": {"email": EVE}}}}));
    s.patch(json!({"okta": {"users": {&eve: {"profile": {"employmentStatus": "Terminated", "terminationDate": "2020-02-03", "department": "x\u{1b}[2J\u{202e}y"}}}}}));
    look(&[
        "leaver",
        EVE,
        "--dry-run",
        "--reason",
        "r\u{1b}[31m\u{202e}",
        "--ticket",
        "T\u{9b}1",
    ]);
    look(&["leaver", EVE, "--dry-run"]);
    // Okta assigns apps in which nobody of that name is known: those stay open, by name.
    let out = look(&["leaver", EVE, "--confirm", EVE]).exits(4);
    assert!(out.stdout.contains("PARTIAL, contained"), "{}", out.stdout);
    assert_eq!(s.state()["okta"]["users"][&eve]["status"], "DEPROVISIONED");
    for output in ["human", "json", "ndjson", "csv"] {
        for args in [
            &["audit", "log"][..],
            &["run", "list"],
            &["audit", "sla"],
            &["show", EVE],
        ] {
            look(&[args, &["-o", output]].concat());
        }
    }
    look(&["sweep", "--dry-run"]);
    for c in s.journal() {
        assert_ne!(c.status, 501, "outside every route: {}", c.name());
        assert!(!c.path.contains("/../") && !c.path.contains("//"), "{}", c.name());
        assert!(c.path.chars().all(|c| c.is_ascii_graphic()), "{:?}", c.path);
        if c.system == "okta" && c.method == "GET" && c.path.starts_with("/api/v1/users/") {
            assert!(
                c.is("okta GET /api/v1/users/[^/]+(/(groups|grants|clients|roles))?"),
                "{}",
                c.name()
            );
        }
    }
}

fn strings(v: &Value, out: &mut Vec<String>) {
    match v {
        Value::String(s) => out.push(s.clone()),
        Value::Array(a) => a.iter().for_each(|v| strings(v, out)),
        Value::Object(o) => o.values().for_each(|v| strings(v, out)),
        _ => {}
    }
}

#[test]
fn no_secret_is_ever_seen_again() {
    let env = Env::new();
    let alice = "alice@acme.example";
    let mut said = String::new();
    for args in [
        &["leaver", alice, "--confirm", alice, "--sandbox", "-v"][..],
        &["sweep", "--yes", "--sandbox", "-v", "-o", "json"],
        &["audit", "log", "--sandbox", "-o", "json", "-v"],
        &["show", alice, "--sandbox", "-v"],
        &["sandbox", "journal", "-o", "json"],
    ] {
        let out = env.jml(args);
        said.push_str(&out.stdout);
        said.push_str(&out.stderr);
    }
    let folder = env.path("state/jml/sandbox");
    let mut secrets = vec![];
    for e in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let name = e.file_name().into_string().unwrap();
        if name.ends_with(".read") || name.ends_with(".write") {
            let text = fs::read_to_string(e.path()).unwrap();
            match serde_json::from_str(&text) {
                Ok(v) => strings(&secret_part(v), &mut secrets),
                Err(_) => secrets.push(text.trim().to_owned()),
            }
        }
    }
    secrets.retain(|s| s.len() >= 16);
    assert!(secrets.len() >= 8, "{}", secrets.len());
    let ledger = String::from_utf8_lossy(&fs::read(folder.join("ledger.db")).unwrap()).into_owned();
    let journal = fs::read_to_string(folder.join("journal.ndjson")).unwrap();
    for (n, secret) in secrets.iter().enumerate() {
        for (place, text) in [("output", &said), ("ledger", &ledger), ("journal", &journal)] {
            assert!(!text.contains(secret.as_str()), "secret {n} is in the {place}");
        }
    }
}

/// Of a credential's record what is secret: who asks stands in every request for a token, and is no secret.
fn secret_part(mut record: Value) -> Value {
    if let Some(all) = record.as_object_mut() {
        let open = ["_id", "email", "_uri", "type", "user", "username"];
        all.retain(|name, _| !open.iter().any(|end| name.ends_with(end)));
    }
    record
}
