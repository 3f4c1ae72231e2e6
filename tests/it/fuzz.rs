//! Bytes that are nearly right, for whatever reads them: the corpus in `fuzz/corpus/`, and so many changes of it by seed. Bodies of systems
//! are changed in `src/cli/flow/tests/bodies.rs`, where there is somebody to be hurt.

use std::{collections::BTreeSet, fs};

use jml::{
    cli::text,
    config::Config,
    ledger::checkpoint::{KeyPlace, Signer},
    model::Plan,
    providers::hr::csv,
};

use crate::{
    dice::{Dice, mutate},
    generated::repository,
};

/// Of each target, in each run of the tests; `JML_FUZZ` says another number.
const CHANGES: u64 = 400;

#[allow(clippy::disallowed_methods, reason = "a test that somebody gives more time or less")]
fn changes() -> u64 {
    let told = std::env::var("JML_FUZZ").ok();
    told.and_then(|n| n.parse().ok()).unwrap_or(CHANGES)
}

/// Each case as it is, and changed.
#[allow(clippy::disallowed_macros, reason = "how many cases and changes a target had")]
fn over(target: &str, more: &[Vec<u8>], check: impl Fn(&[u8])) {
    let folder = repository().join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut cases: Vec<Vec<u8>> = files.iter().map(|f| fs::read(f).unwrap()).collect();
    assert!(!cases.is_empty(), "{target} has no corpus");
    cases.extend(more.iter().cloned());
    cases.iter().for_each(|c| check(c));
    let n = changes();
    for seed in 0..n {
        let mut dice = Dice(seed);
        let from = dice.index(cases.len());
        check(&mutate(&mut dice, &cases[from]));
    }
    println!("figure fuzzed {target} {}", n + cases.len() as u64);
}

/// Nothing that moves a cursor, rings, or turns the direction of a line.
fn printable(shown: &str) -> bool {
    let hostile =
        |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !shown.contains(hostile)
}

#[test]
fn a_configuration_of_any_bytes_is_read_or_refused_in_words() {
    over("configuration", &[], |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match Config::parse("jml.toml", text) {
            Ok(config) => assert!(config.systems.len() < 100),
            Err(e) => assert!(e.to_string().len() > "jml.toml: ".len()),
        }
    });
}

const WORDS: &str = r#"
[systems.okta]
url = "http://127.0.0.1:1"
org = "00o0000000000000ACME"
read = "file:/etc/jml/okta-read"
write = "file:/etc/jml/okta-write"

[systems.csv]
path = "roster.csv"

[roster]
source = "csv"

[roster.columns]
id = "employee_id"
login = "login"
first_name = "first_name"
last_name = "last_name"
department = "department"
worker_type = "worker_type"
status = "status"
hire_date = "hire_date"
termination_date = "termination_date"

[roster.values.status]
active = "active"
leave = "leave"
terminated = "terminated"

[roster.values.worker_type]
Employee = "employee"
Contractor = "contractor"

[policy]
zone = "America/Chicago"
"#;

#[test]
fn a_roster_of_any_bytes_is_believed_whole_or_not_at_all() {
    let config = Config::parse("jml.toml", WORDS.to_owned()).unwrap_or_else(|e| panic!("{e}"));
    let now = "2026-11-25T17:00:00Z".parse().unwrap();
    let settings = csv::Settings::plain("roster.csv");
    let read = |bytes: &[u8]| csv::read("roster.csv", bytes, &settings, &config.roster, now);
    let good = fs::read(repository().join("fuzz/corpus/roster/whole.csv")).unwrap();
    assert_eq!(read(&good).unwrap().workers.len(), 3);
    over("roster", &[], |bytes| match read(bytes) {
        Ok(reading) => {
            let keys: BTreeSet<&str> = reading.workers.iter().map(|w| w.key.as_str()).collect();
            assert_eq!(keys.len(), reading.workers.len(), "somebody is there twice");
            assert!(!keys.contains(""), "somebody has no number");
            assert!(reading.rows >= reading.workers.len());
        }
        Err(f) => assert!(!f.summary.is_empty()),
    });
}

#[test]
fn a_plan_of_any_bytes_is_the_one_that_was_written_or_none() {
    over("plan", &[], |bytes| {
        if let Ok(plans) = serde_json::from_slice::<Vec<Plan>>(bytes) {
            let again: Vec<Plan> = serde_json::from_slice(&serde_json::to_vec(&plans).unwrap()).unwrap();
            assert_eq!(again, plans);
            assert!(again.iter().zip(&plans).all(|(a, b)| a.id() == b.id()));
        }
    });
}

#[test]
fn a_checkpoint_of_any_bytes_says_what_was_signed_or_nothing() {
    let signer = Signer::load(&KeyPlace::memory(), "00o0000000000000ACME").unwrap();
    let (size, root) = (3, [7; 32]);
    let note = signer.sign(size, &root).into_bytes();
    // Other sizes and roots under the same key are other checkpoints: none is in the corpus, and no change makes one.
    over("checkpoint", &[note.clone(), note.clone(), note], |bytes| {
        if let Ok(said) = signer.open(&String::from_utf8_lossy(bytes)) {
            assert_eq!(said, (size, root));
        }
    });
}

#[test]
fn text_of_any_bytes_is_printed_without_what_a_terminal_obeys() {
    over("text", &[], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        for utf8 in [true, false] {
            let shown = text::safe(&text, utf8).to_string();
            assert!(printable(&shown), "{shown:?}");
            assert!(utf8 || shown.is_ascii(), "{shown:?}");
        }
    });
}
