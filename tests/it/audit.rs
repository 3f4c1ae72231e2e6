//! `jml audit` through the real binary: what was done, and that nobody touched the record of it.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, run_of};

const ALICE: &str = "alice@acme.example";
/// DESIGN: the keys of a line of `audit log -o ndjson`.
const KEYS: [&str; 12] = [
    "seq", "time", "kind", "run", "step", "login", "phase", "system", "action", "target", "outcome", "operator",
];

fn left() -> (Desk, String) {
    let desk = Desk::new();
    let ran = desk.ran(0, &["leaver", ALICE, "--confirm", ALICE]);
    let run = run_of(&ran.stdout);
    (desk, run)
}

#[test]
fn what_was_done_is_told_entry_by_entry() {
    let (desk, run) = left();

    let log = desk.document(0, &["audit", "log"]);
    let entries = log["entries"].as_array().unwrap();
    for (n, e) in entries.iter().enumerate() {
        assert_eq!(e["seq"], n + 1);
    }
    let done = |action: &str| {
        entries
            .iter()
            .any(|e| e["action"] == action && e["kind"] == "finished" && e["login"] == ALICE)
    };
    assert!(done("suspend") && done("remove-member") && done("deactivate"));

    let lines = desk.ran(0, &["audit", "log", "--person", ALICE, "-o", "ndjson"]).stdout;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["jml"], 1);
        for key in KEYS {
            assert!(line.get(key).is_some(), "{key}: {line}");
        }
        assert_eq!(line["login"], ALICE);
    }
    // All but the first entry of the run are about her; she is found by her id as well.
    assert_eq!(lines.lines().count(), entries.len() - 1);
    let mut theirs = entries
        .iter()
        .filter(|e| e["system"] == "okta" && e["action"] == "suspend");
    let id = theirs.next().unwrap()["target"].as_str().unwrap();
    let hers = desk.ran(0, &["audit", "log", "--person", id, "-o", "ndjson"]).stdout;
    assert!(hers.lines().count() > 20);

    let sheet = desk.ran(0, &["audit", "log", "--run", &run, "-o", "csv"]).stdout;
    assert!(
        sheet.starts_with("seq,time,kind,run,login,phase,system,action,target,outcome,operator\n1,"),
        "{sheet}"
    );
    let later = desk.ran(0, &["audit", "log", "--since", "2999-01-01"]);
    assert!(later.stdout.ends_with("(none)\n"), "{}", later.stdout);

    let shown = desk.ran(0, &["audit", "show", &run]).stdout;
    assert!(
        shown.contains(&format!("run {run}   leaver {ALICE}   COMPLETE")) && shown.contains("more; -v shows all"),
        "{shown}"
    );
    let all = desk.ran(0, &["audit", "show", &run, "-v"]).stdout;
    assert!(all.contains("change request CHG") && !all.contains("more;"), "{all}");
    desk.document(0, &["audit", "show", &run]);

    let sla = desk.document(0, &["audit", "sla"]);
    assert_eq!(sla["rows"][0]["login"], ALICE);
    assert_eq!(sla["rows"][0]["late"], false);
    let sla = desk.ran(0, &["audit", "sla", "--since", "2020-01-01"]).stdout;
    assert!(
        sla.contains("1 person   deadline 15m00s   0 late, 0 open")
            && sla.contains(&format!("jml audit show {run} --sandbox")),
        "{sla}"
    );
}

#[test]
fn who_is_unknown_to_the_ledger_is_said_to_be() {
    let desk = Desk::new();
    let nobody = desk.ran(0, &["audit", "log", "--person", "nobody@acme.example"]);
    assert!(
        nobody
            .stderr
            .starts_with("The ledger has nothing about nobody@acme.example"),
        "{}",
        nobody.stderr
    );
    desk.ran(11, &["audit", "show", "r-000000"]);
    desk.ran(11, &["audit", "log", "--run", "r-000000"]);
    desk.ran(2, &["audit", "log", "--since", "yesterday"]);
}

/// A ledger that was whole, and its folder's bytes.
fn whole() -> (Desk, String) {
    let (desk, _) = left();
    let kept = desk.ran(0, &["audit", "verify"]).stdout;
    assert!(kept.contains("entries, chain and checkpoint hold."), "{kept}");
    let kept = desk.file("kept", &kept);
    desk.ran(0, &["audit", "verify", "--checkpoint", &kept]);
    (desk, kept)
}

fn sql(desk: &Desk, statements: &str) {
    let db = rusqlite::Connection::open(desk.ledger()).unwrap();
    db.execute_batch(statements).unwrap();
    db.close().unwrap();
}

#[test]
fn one_byte_of_the_file_is_noticed() {
    let (desk, _) = whole();
    let mut bytes = fs::read(desk.ledger()).unwrap();
    // Wherever it stands: some of these are leftovers that no entry uses any more.
    let name = b"\"APP-ONCALL\"";
    let places: Vec<usize> = (0..bytes.len() - name.len())
        .filter(|at| bytes[*at..].starts_with(name))
        .collect();
    assert!(!places.is_empty(), "the plan names the group");
    for at in places {
        bytes[at + 1] ^= 1;
    }
    fs::write(desk.ledger(), bytes).unwrap();
    let doc = desk.document(13, &["audit", "verify"]);
    assert!(doc["bad"]["seq"].is_i64() && doc["checkpoint"].is_null(), "{doc:#}");
    let said = desk.ran(13, &["audit", "verify"]).stdout;
    assert!(
        said.contains(&format!("FAILED: entry {}: ", doc["bad"]["seq"])),
        "{said}"
    );
    desk.ran(13, &["audit", "sla"]);
}

#[test]
fn an_entry_that_was_taken_out_is_named() {
    let (desk, _) = whole();
    sql(
        &desk,
        "DROP TRIGGER envelope_no_delete; DELETE FROM envelope WHERE seq = 5;",
    );
    let doc = desk.document(13, &["audit", "verify"]);
    assert_eq!(doc["bad"]["seq"], 5, "{doc:#}");
}

#[test]
fn a_tail_that_was_cut_shows_against_a_checkpoint_kept_outside() {
    let (desk, kept) = whole();
    sql(
        &desk,
        "DROP TRIGGER envelope_no_delete;
         DELETE FROM envelope WHERE seq = (SELECT max(seq) FROM envelope);
         DELETE FROM body WHERE seq NOT IN (SELECT seq FROM envelope);",
    );
    let doc = desk.document(13, &["audit", "verify", "--checkpoint", &kept]);
    assert!(doc["bad"]["why"].as_str().is_some_and(|w| !w.is_empty()), "{doc:#}");
}

#[test]
fn a_file_that_is_no_ledger_is_told_as_such() {
    let (desk, _) = whole();
    for beside in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(desk.ledger().with_file_name(beside));
    }
    fs::write(desk.ledger(), "not a database at all ".repeat(1000)).unwrap();
    let doc = desk.document(13, &["audit", "verify"]);
    assert_eq!(doc["kind"], "audit-verify");
    assert!(
        doc["bad"]["why"]
            .as_str()
            .unwrap()
            .contains("the ledger file is damaged"),
        "{doc:#}"
    );
    let list = desk.ran(13, &["run", "list"]);
    assert!(list.stderr.contains("jml audit verify"), "{}", list.stderr);
}

#[test]
fn a_checkpoint_that_is_none_is_a_slip_and_a_false_one_is_not() {
    let (desk, kept) = whole();
    let none = desk.file("none", "what is this\n");
    desk.ran(2, &["audit", "verify", "--checkpoint", &none]);
    desk.ran(2, &["audit", "verify", "--checkpoint", "/nowhere/at/all"]);
    let mut forged: Vec<String> = fs::read_to_string(&kept).unwrap().lines().map(String::from).collect();
    let size = forged
        .iter()
        .position(|l| l.parse::<u64>().is_ok())
        .expect("a line with the size");
    forged[size] = "1".into();
    let forged = desk.file("forged", &(forged.join("\n") + "\n"));
    let doc = desk.document(13, &["audit", "verify", "--checkpoint", &forged]);
    assert!(
        doc["bad"]["why"]
            .as_str()
            .unwrap()
            .contains("the kept checkpoint is false"),
        "{doc:#}"
    );
}

#[test]
fn a_mirror_shows_what_was_cut_off() {
    let env = crate::env::Env::new();
    let s = env.world(&crate::env::small(), &[]);
    let text = fs::read_to_string(&s.config).unwrap();
    let told = text.replacen(
        "[ledger]\n",
        &format!("[ledger]\nmirror = \"file:{}\"\n", env.path("siem.ndjson").display()),
        1,
    );
    assert_ne!(text, told);
    fs::write(&s.config, told).unwrap();
    let lee = "lee@acme.example";
    s.jml(&env, &["leaver", lee, "--confirm", lee]).exits(0);
    let file = env.path("siem.ndjson");
    let siem = file.to_str().unwrap();
    let held = fs::read_to_string(siem).unwrap();
    assert!(held.lines().count() > 20 && !held.contains("lee@"), "{held}");
    let out = s.jml(&env, &["audit", "verify", "--mirror", siem]).exits(0);
    assert!(out.stdout.contains("entries, and none differs."), "{}", out.stdout);
    let doctor = s.jml(&env, &["doctor"]);
    assert!(doctor.stdout.contains("has every entry"), "{}", doctor.stdout);
    // As a SIEM gives it back, with one entry that the ledger has not.
    let more = held.lines().next_back().unwrap().replace("\"seq\":", "\"seq\":9");
    fs::write(
        siem,
        format!("<110>1 2026-07-15T15:00:00Z ops-1 jml 1 entry - {more}\n"),
    )
    .unwrap();
    let out = s.jml(&env, &["audit", "verify", "--mirror", siem]).exits(13);
    assert!(
        out.stdout.contains("it is missing: the mirror holds entry 9"),
        "{}",
        out.stdout
    );
    fs::write(siem, "nothing\n").unwrap();
    let out = s.jml(&env, &["audit", "verify", "--mirror", siem]).exits(2);
    assert!(
        out.stderr.contains("there is no entry of organisation"),
        "{}",
        out.stderr
    );
}
