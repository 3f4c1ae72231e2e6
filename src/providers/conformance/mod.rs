//! What is asked of every row of the registry alike. A row without a fixture fails here by name; nothing here knows a vendor.
//!
//! In memory and under virtual time. Each case is a fresh firm; what a case finds wrong is said with its row, its subject and its name, and
//! the table that is printed shows which cases ran (`cargo test --lib conformance -- --nocapture`).

mod deliver;
mod fixtures;
mod ldap;
mod observe;
mod own;
mod perform;
mod stage;
mod testify;

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use self::{
    fixtures::{FIXTURES, Fixture, sample},
    stage::Stage,
};
use super::registry::{REGISTRY, Row};
use crate::{
    model::{Account, Action, Effect, Failure, Held, Holding, Kind, Observed, Receipt, Repeat, Verb, Verdict},
    sandbox::TWINS,
};

/// Row x case: how many subjects passed, and what did not.
#[derive(Default)]
struct Table {
    ran: BTreeMap<(&'static str, &'static str), usize>,
    wrong: Vec<String>,
}

impl Table {
    fn note(&mut self, row: &'static str, case: &'static str, subject: &str, verdict: Result<(), String>) {
        *self.ran.entry((row, case)).or_default() += 1;
        if let Err(why) = verdict {
            self.wrong.push(format!("{row}: {subject}: {case}: {why}"));
        }
    }

    /// Prints it, and fails if anything was wrong.
    #[allow(clippy::disallowed_macros, reason = "a test's own table")]
    fn judge(self, name: &str) {
        let mut out = String::new();
        for ((row, case), n) in &self.ran {
            let bad = self
                .wrong
                .iter()
                .filter(|w| w.starts_with(&format!("{row}: ")) && w.contains(&format!(": {case}: ")))
                .count();
            let word = if bad == 0 { "ok".into() } else { format!("{bad} WRONG") };
            writeln!(out, "{name:9} {row:11} {case:34} {n:3}  {word}").unwrap();
        }
        println!("\n{out}");
        assert!(
            self.wrong.is_empty(),
            "{} wrong:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
    }
}

fn fixture(row: &Row) -> &'static Fixture {
    FIXTURES.iter().find(|f| f.kind == row.kind).unwrap_or_else(|| {
        panic!(
            "the row {} has no fixture in providers/conformance/fixtures.rs",
            row.kind
        )
    })
}

const ESCAPE: &str = "\\u001b[31m \\u0007 \\u202eevil\\u2066 \\r\\n {authorization}";

/// An answer in place of the twin's, to every call that fits.
fn canned(on: &str, status: u16, content_type: &str, body: &str, effect: bool) -> Value {
    json!([{"on": on, "times": "all", "effect": effect,
        "answer": {"status": status, "headers": {"content-type": content_type}, "body_text": body}}])
}

fn lies(kind: Kind, among: &[Kind]) -> Result<(), String> {
    among
        .contains(&kind)
        .then_some(())
        .ok_or_else(|| format!("kind is {kind:?}, wanted {among:?}"))
}

/// What holds of every failure: it has words, a hint where a credential is at fault, and nothing that a terminal or a thief could use.
fn decent(failure: &Failure, secrets: &[String]) -> Result<(), String> {
    let text = serde_json::to_string(failure).unwrap() + &format!("{failure} {failure:?}");
    let words = [
        Some(&failure.what),
        Some(&failure.summary),
        failure.code.as_ref(),
        failure.request.as_ref(),
    ];
    let hint = failure.hint.as_ref().map(|h| &h.text);
    for word in words.into_iter().chain([hint]).flatten() {
        let hostile = |c: char| {
            c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        if word.contains(hostile) {
            return Err(format!("a control character is in {word:?}"));
        }
    }
    if failure.what.is_empty() || failure.summary.is_empty() {
        return Err(format!("it says nothing: {failure:?}"));
    }
    if failure.kind == Kind::Auth && failure.hint.is_none() {
        return Err(format!("no hint: {failure}"));
    }
    if failure.kind == Kind::Cannot {
        return Err(format!("the row lists it, and: {failure}"));
    }
    match secrets.iter().find(|s| text.contains(s.as_str())) {
        Some(_) => Err(format!("the credential is told: {}", failure.what)),
        None => Ok(()),
    }
}

/// How an attempt under a fault may end.
#[derive(Clone, Copy)]
enum Want {
    /// It went through in the end, and holds.
    Done,
    /// It failed so, and did nothing.
    Refused(&'static [Kind]),
    /// Nothing was answered by the vendor: never a success, never "already", and nothing was done.
    NoWord(&'static [Kind]),
    /// It was done, and the answer was spoilt: through, or a failure that does not call it undone for good where a repeat would do it twice.
    Spoilt,
    /// It was done and the answer lost: through if it may be repeated, else in doubt; never sent twice then.
    Lost,
    /// The call did not arrive and nobody can tell: as before, but it is not done.
    Vanished,
    /// A server broke before it did anything: through by repeating, or a doubt.
    Broke,
    /// It breaks for good.
    Broken,
    Waits,
    /// The vendor knows no such thing: to take it away is at most "so already", to give it is refused.
    Unknown,
}

struct Case {
    name: &'static str,
    faults: fn(kind: &str, operation: &str) -> Value,
    want: Want,
}

fn named(kind: &str, operation: &str, rest: &str) -> Value {
    json!([format!("{kind}:{operation}{rest}")])
}
fn writes(kind: &str) -> String {
    let api = FIXTURES.iter().find(|f| f.kind == kind).map_or("*", |f| f.api);
    format!("{kind} POST|PUT|PATCH|DELETE {api}")
}

const HTML: &str = "<html><title>Sign in</title></html>";

/// Of every verb, and of every record.
const CASES: &[Case] = &[
    Case {
        name: "401",
        faults: |k, o| named(k, o, "@all:before=401"),
        want: Want::Refused(&[Kind::Auth]),
    },
    Case {
        name: "403",
        faults: |k, o| named(k, o, "@all:before=403"),
        want: Want::Refused(&[Kind::Auth]),
    },
    Case {
        name: "429 with its headers",
        faults: |k, o| named(k, o, ":before=429"),
        want: Want::Done,
    },
    Case {
        name: "429 without headers",
        faults: |k, o| {
            let _ = o;
            json!([{"on": writes(k), "answer": {"status": 429, "body": {}}}])
        },
        want: Want::Done,
    },
    Case {
        name: "429 for good",
        faults: |k, o| named(k, o, "@all:before=429"),
        want: Want::Waits,
    },
    Case {
        name: "500 once",
        faults: |k, o| named(k, o, ":before=500"),
        want: Want::Broke,
    },
    Case {
        name: "500 for good",
        faults: |k, o| named(k, o, "@all:before=500"),
        want: Want::Broken,
    },
    Case {
        name: "503 for good",
        faults: |k, o| named(k, o, "@all:before=503"),
        want: Want::Broken,
    },
    Case {
        name: "404 of the vendor",
        faults: |k, o| named(k, o, "@all:before=404"),
        want: Want::Unknown,
    },
    Case {
        name: "404 of a proxy",
        faults: |k, _| {
            canned(
                &writes(k),
                404,
                "application/json",
                r#"{"status":404,"message":"Resource not found"}"#,
                false,
            )
        },
        want: Want::NoWord(&[Kind::Contradiction, Kind::Permanent]),
    },
    Case {
        name: "404 as a page",
        faults: |k, _| canned(&writes(k), 404, "text/html", HTML, false),
        want: Want::NoWord(&[Kind::Contradiction, Kind::Permanent]),
    },
    Case {
        name: "a page with 200",
        faults: |k, _| canned(&writes(k), 200, "text/html", HTML, false),
        want: Want::NoWord(&[Kind::Contradiction, Kind::Doubt]),
    },
    Case {
        name: "a redirect",
        faults: |k, _| canned(&writes(k), 302, "text/html", "", false),
        want: Want::NoWord(&[Kind::Permanent, Kind::Contradiction]),
    },
    Case {
        name: "a body that is none of theirs",
        faults: |k, o| {
            let _ = o;
            canned(&writes(k), 200, "application/json", "{\"not\": ", true)
        },
        want: Want::Spoilt,
    },
    Case {
        name: "a truncated body",
        faults: |k, o| named(k, o, ":answer=malformed"),
        want: Want::Spoilt,
    },
    Case {
        name: "an empty body",
        faults: |k, o| named(k, o, ":answer=empty"),
        want: Want::Spoilt,
    },
    Case {
        name: "the answer lost",
        faults: |k, o| named(k, o, ":after=lost-answer"),
        want: Want::Lost,
    },
    Case {
        name: "no answer in time",
        faults: |k, o| named(k, o, ":after=timeout"),
        want: Want::Lost,
    },
    Case {
        name: "the call lost",
        faults: |k, o| named(k, o, ":before=reset"),
        want: Want::Vanished,
    },
    Case {
        name: "a hostile refusal",
        faults: |k, _| {
            let body = format!(
                r#"{{"ok":false,"errorCode":"{ESCAPE}","errorSummary":"{ESCAPE}","errorCauses":[{{"errorSummary":"{ESCAPE}"}}],"error":{{"message":"{ESCAPE}","detail":"{ESCAPE}"}},"errors":["{ESCAPE}"],"detail":"{ESCAPE}"}}"#
            );
            canned(&writes(k), 400, "application/json", &body, false)
        },
        want: Want::Refused(&[Kind::Permanent, Kind::Auth, Kind::Contradiction]),
    },
    Case {
        name: "a hostile word with 200",
        faults: |k, _| {
            let body = format!(r#"{{"ok":false,"error":"{ESCAPE}","needed":"{ESCAPE}","provided":"{ESCAPE}"}}"#);
            canned(&writes(k), 200, "application/json", &body, false)
        },
        want: Want::Spoilt,
    },
];

fn failed(outcome: &Result<Receipt, Failure>, among: &[Kind]) -> Result<(), String> {
    match outcome {
        Ok(receipt) => Err(format!("it went through: {receipt:?}")),
        Err(f) => lies(f.kind, among),
    }
}

fn not(verdict: &Verdict, bad: &Verdict) -> Result<(), String> {
    (verdict != bad).then_some(()).ok_or_else(|| format!("{verdict:?}"))
}

#[test]
fn each_row_has_a_fixture_and_what_is_asked_over_a_wire_a_twin() {
    for row in REGISTRY {
        let fixture = fixture(row);
        assert_eq!(row.is_recorder(), !fixture.records.is_empty(), "{}", row.kind);
        assert_eq!(row.is_target(), !fixture.account.is_empty(), "{}", row.kind);
        let asked =
            row.keeps_secrets() || row.is_target() || row.is_recorder() || row.is_witness() || fixture.files.is_empty();
        let wired = (fixture.wire || fixture.port) && asked;
        assert_eq!(
            TWINS.iter().any(|t| t.name == row.kind),
            wired,
            "{} and its twin",
            row.kind
        );
    }
    for fixture in FIXTURES {
        assert!(
            REGISTRY.iter().any(|r| r.kind == fixture.kind),
            "the fixture {} has no row",
            fixture.kind
        );
    }
    for twin in TWINS {
        assert!(
            REGISTRY.iter().any(|r| r.kind == twin.name),
            "the twin {} has no row",
            twin.name
        );
    }
}
