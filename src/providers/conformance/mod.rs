//! What is asked of every row of the registry alike. A row without a fixture fails here by name; nothing here knows a vendor.
//!
//! In memory and under virtual time. Each case is a fresh firm; what a case finds wrong is said with its row, its subject and its name, and
//! the table that is printed shows which cases ran (`cargo test --lib conformance -- --nocapture`).

mod fixtures;
mod stage;

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use self::{
    fixtures::{FIXTURES, Fixture, sample},
    stage::Stage,
};
use super::registry::{REGISTRY, Row};
use crate::{
    model::{Action, Effect, Failure, Kind, Observed, Receipt, Repeat, Verb, Verdict},
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
    format!("{kind} POST|PUT|PATCH|DELETE *")
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

/// As the provider may send it: the model knows no vendor, and is the more careful.
fn repeat(stage: &Stage, effect: &Effect) -> Repeat {
    if stage.fixture.safe.contains(&effect.action.verb()) {
        Repeat::Safe
    } else {
        effect.action.repeat()
    }
}

async fn prepared(stage: &Stage, verb: Verb) -> Effect {
    let effect = stage.fixture.act(verb, &stage.account().await);
    if let Some(action) = (stage.fixture.first)(verb) {
        let first = Effect {
            action,
            ..effect.clone()
        };
        stage.perform(&first).await.unwrap();
    }
    effect
}

/// One verb under one fault.
async fn tried(row: &Row, verb: Verb, case: &Case) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let effect = prepared(&stage, verb).await;
    let repeat = repeat(&stage, &effect);
    stage.faults(&(case.faults)(row.kind, verb.name()));
    let before = stage.writes().len();
    let outcome = stage.perform(&effect).await;
    let sent = stage.writes().len() - before;
    if !stage.fired() {
        return Err(format!("the fault never fired: {:?}", stage.engine.faults()));
    }
    stage.faults(&json!([]));
    if let Err(failure) = &outcome {
        decent(failure, &stage.secrets())?;
    }
    let made = outcome.as_ref().ok().and_then(|r| r.made.clone());
    let verdict = stage
        .comes_to_hold(&effect, made.as_deref().or(born(&stage, &effect).await.as_deref()))
        .await;
    let done = |v: &Verdict| not(v, &Verdict::Lacks);
    let undone = |v: &Verdict| not(v, &Verdict::Holds);
    match case.want {
        Want::Done => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Refused(among) | Want::NoWord(among) => failed(&outcome, among).and_then(|()| undone(&verdict)),
        Want::Waits => failed(&outcome, &[Kind::Throttled]).and_then(|()| undone(&verdict)),
        Want::Unknown => match &outcome {
            Ok(receipt) if receipt.already && !effect.action.gives() => Ok(()),
            outcome => failed(outcome, &[Kind::Permanent]).and_then(|()| undone(&verdict)),
        },
        Want::Spoilt => match &outcome {
            Ok(_) => Ok(()),
            Err(f) if repeat == Repeat::LookFirst => lies(f.kind, &[Kind::Doubt, Kind::Permanent]),
            Err(f) => lies(f.kind, &[Kind::Contradiction, Kind::Doubt, Kind::Permanent]),
        },
        Want::Broke if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Broke | Want::Broken => {
            if repeat == Repeat::LookFirst && sent > 2 {
                return Err(format!("sent {sent} times"));
            }
            failed(&outcome, &[Kind::Transient, Kind::Doubt]).and_then(|()| undone(&verdict))
        }
        Want::Lost if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Vanished if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Lost => {
            failed(&outcome, &[Kind::Doubt])?;
            done(&verdict)?;
            if verdict == Verdict::Unobservable {
                return Ok(()); // nobody may send it again: it stays in doubt
            }
            again(&stage, &effect).await
        }
        Want::Vanished => {
            failed(&outcome, &[Kind::Doubt])?;
            undone(&verdict)?;
            stage.perform(&effect).await.map(drop).map_err(|f| f.to_string())
        }
    }
}

/// The id of a person whom a create may have made, as the vendor knows them by what they were made of.
async fn born(stage: &Stage, effect: &Effect) -> Option<String> {
    let Action::CreatePerson { profile } = &effect.action else {
        return None;
    };
    match stage.observe(&*stage.eyes(), profile.get("login")?).await {
        Ok(Observed::Present(account)) => Some(account.id),
        _ => None,
    }
}

/// Performed once more it is so already, or harmless, and holds still.
async fn again(stage: &Stage, effect: &Effect) -> Result<(), String> {
    let second = stage.perform(effect).await.map_err(|f| format!("again: {f}"))?;
    if repeat(stage, effect) == Repeat::LookFirst && !second.already {
        return Err(format!("again was a second time: {second:?}"));
    }
    let verdict = stage.holds(effect, second.made.as_deref()).await;
    not(&verdict, &Verdict::Lacks)
}

async fn performed(row: &Row, verb: Verb) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let effect = prepared(&stage, verb).await;
    let before = stage.holds(&effect, None).await;
    if !matches!(before, Verdict::Lacks | Verdict::Unobservable) {
        return Err(format!("the fixture's effect is so already: {before:?}"));
    }
    let receipt = stage.perform(&effect).await.map_err(|f| f.to_string())?;
    if receipt.already {
        return Err(format!("already, the first time: {receipt:?}"));
    }
    let after = stage.comes_to_hold(&effect, receipt.made.as_deref()).await;
    not(&after, &Verdict::Lacks)?;
    if let Verdict::Unknown(f) = after {
        return Err(format!("the fresh read failed: {f}"));
    }
    if verb == Verb::SendMessage {
        return Ok(()); // a second one would be a second one: nobody asks for it
    }
    again(&stage, &effect).await
}

/// On an account that the vendor doesn't know nothing is ever given, and a removal is at most "so already".
async fn on_nobody(row: &Row, verb: Verb) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let mut effect = stage.fixture.act(verb, &stage.account().await);
    if effect.account.is_empty() {
        return Ok(());
    }
    if verb == Verb::RevokeToken {
        return Ok(()); // a token is revoked by its own id, whoever has it
    }
    effect.account = stage.fixture.nobody.into();
    match stage.perform(&effect).await {
        Ok(receipt) if receipt.already && !effect.action.gives() => Ok(()),
        Ok(receipt) => Err(format!("went through on nobody: {receipt:?}")),
        Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, &[Kind::Permanent])),
    }
}

#[tokio::test(start_paused = true)]
async fn every_verb_of_every_row_conforms() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target()) {
        for verb in row.verbs {
            let name = verb.name();
            table.note(
                row.kind,
                "perform, read afresh, again",
                name,
                performed(row, *verb).await,
            );
            table.note(row.kind, "on nobody's account", name, on_nobody(row, *verb).await);
            for case in CASES {
                table.note(row.kind, case.name, name, tried(row, *verb, case).await);
            }
        }
    }
    table.judge("perform");
}

#[tokio::test(start_paused = true)]
async fn a_verb_outside_the_row_is_refused_unasked() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target()) {
        let stage = Stage::of(fixture(row));
        for verb in Verb::ALL.iter().filter(|v| !row.verbs.contains(v)) {
            let effect = Effect {
                system: stage.system.clone(),
                account: stage.fixture.account.into(),
                action: sample(*verb),
            };
            let verdict = match stage.perform(&effect).await {
                Err(f) if f.kind == Kind::Cannot => Ok(()),
                other => Err(format!("{other:?}")),
            };
            table.note(row.kind, "outside the row", verb.name(), verdict);
        }
        let asked = stage.asked();
        assert!(asked.is_empty(), "{}: {asked:?}", row.kind);
    }
    table.judge("perform");
}

/// What eyes may come to under a fault on everything that they ask. `Absent` takes the vendor's own word.
const BLIND: &[(&str, fn(&str) -> Value, &[Kind], bool)] = &[
    (
        "401",
        |k| json!([format!("{k}:*@all:before=401")]),
        &[Kind::Auth],
        false,
    ),
    (
        "403",
        |k| json!([format!("{k}:*@all:before=403")]),
        &[Kind::Auth],
        false,
    ),
    (
        "404 of the vendor",
        |k| json!([format!("{k}:*@all:before=404")]),
        &[Kind::Permanent, Kind::Contradiction],
        true,
    ),
    (
        "404 of a proxy",
        |k| {
            canned(
                &format!("{k} GET *"),
                404,
                "application/json",
                r#"{"status":404,"message":"Resource not found"}"#,
                false,
            )
        },
        &[Kind::Contradiction, Kind::Permanent],
        false,
    ),
    (
        "404 as a page",
        |k| canned(&format!("{k} GET *"), 404, "text/html", HTML, false),
        &[Kind::Contradiction, Kind::Permanent],
        false,
    ),
    (
        "429 for good",
        |k| json!([format!("{k}:*@all:before=429")]),
        &[Kind::Throttled],
        false,
    ),
    (
        "429 without headers",
        |k| canned(&format!("{k} GET *"), 429, "application/json", "{}", false),
        &[Kind::Throttled],
        false,
    ),
    (
        "500 for good",
        |k| json!([format!("{k}:*@all:before=500")]),
        &[Kind::Transient],
        false,
    ),
    (
        "connections that break",
        |k| json!([format!("{k}:*@all:before=reset")]),
        &[Kind::Transient],
        false,
    ),
    (
        "a page with 200",
        |k| canned(&format!("{k} GET *"), 200, "text/html", HTML, false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty body",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty list",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "[]", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty object",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "{}", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "a truncated body",
        |k| json!([format!("{k}:*@all:answer=malformed")]),
        &[Kind::Contradiction],
        false,
    ),
    (
        "a hostile refusal",
        |k| {
            canned(
                &format!("{k} GET *"),
                400,
                "application/json",
                &format!(
                    r#"{{"ok":false,"error":"{ESCAPE}","errorCode":"{ESCAPE}","errorSummary":"{ESCAPE}","errors":["{ESCAPE}"],"detail":"{ESCAPE}"}}"#
                ),
                false,
            )
        },
        &[Kind::Permanent, Kind::Contradiction],
        false,
    ),
    (
        "a hostile word with 200",
        |k| {
            canned(
                &format!("{k} GET *"),
                200,
                "application/json",
                &format!(r#"{{"ok":false,"error":"{ESCAPE}","needed":"{ESCAPE}","provided":"{ESCAPE}"}}"#),
                false,
            )
        },
        &[Kind::Permanent, Kind::Contradiction, Kind::Auth],
        false,
    ),
];

async fn seen(row: &Row, id: &str, faults: Value, among: &[Kind], may_be_absent: bool) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    stage.faults(&faults);
    let failure = match stage.observe(&*stage.eyes(), id).await {
        Err(f) | Ok(Observed::Unknown(f)) => f,
        Ok(Observed::Absent) if may_be_absent => return Ok(()),
        other => return Err(format!("{other:?}")),
    };
    if !stage.fired() {
        return Err("the fault never fired".into());
    }
    decent(&failure, &stage.secrets())?;
    lies(failure.kind, among).map_err(|e| format!("{e}: {failure}"))
}

#[tokio::test(start_paused = true)]
async fn eyes_of_every_row_conform() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target()) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        let account = stage.account().await;
        let whole = fixture
            .parts
            .iter()
            .all(|p| matches!(account.holds.get(p), Some(Observed::Present(_))));
        table.note(
            row.kind,
            "observe, whole",
            "an account",
            whole.then_some(()).ok_or(format!("{:?}", account.holds)),
        );
        let nobody = stage.observe(&*stage.eyes(), fixture.nobody).await;
        let absent = if nobody == Ok(Observed::Absent) {
            Ok(())
        } else {
            Err(format!("{nobody:?}"))
        };
        table.note(row.kind, "absent is said", "nobody", absent);
        for (case, faults, among, may) in BLIND {
            for (subject, id) in [("an account", fixture.account), ("nobody", fixture.nobody)] {
                table.note(
                    row.kind,
                    case,
                    subject,
                    seen(row, id, faults(row.kind), among, *may).await,
                );
            }
            let stage = Stage::of(fixture);
            stage.faults(&faults(row.kind));
            let eyes = stage.eyes();
            for (subject, outcome) in [
                ("the tenant", eyes.pinned().await.err()),
                ("the list", eyes.accounts(None).await.err()),
            ] {
                let verdict = match outcome {
                    // What no credential shows can't be refused to it, and an organisation may list nobody.
                    None if ["an empty list", "401", "403"].contains(case) => Ok(()),
                    None => Err("went through".into()),
                    Some(f) => decent(&f, &stage.secrets()),
                };
                table.note(row.kind, case, subject, verdict);
            }
        }
        // A limit that is over soon is waited out.
        let stage = Stage::of(fixture);
        stage.faults(&json!([format!("{}:*:before=429", row.kind)]));
        let waited = stage.observe(&*stage.eyes(), fixture.account).await;
        let verdict = matches!(waited, Ok(Observed::Present(_)))
            .then_some(())
            .ok_or(format!("{waited:?}"));
        table.note(row.kind, "429 with its headers", "an account", verdict);
    }
    table.judge("observe");
}

#[tokio::test(start_paused = true)]
async fn eyes_alone_write_nothing_and_read_no_write_credential() {
    for row in REGISTRY.iter().filter(|r| r.is_target()) {
        let stage = Stage::knowing(fixture(row), |name| name != "WRITE");
        let eyes = stage.eyes();
        eyes.pinned().await.unwrap();
        stage.account().await;
        eyes.accounts(None).await.unwrap();
        eyes.offers().await.unwrap();
        assert!(
            eyes.can().iter().all(|v| row.verbs.contains(v)),
            "{}: more than its row",
            row.kind
        );
        assert!(!stage.asked().is_empty());
        assert_eq!(stage.writes(), Vec::<String>::new(), "{}", row.kind);
    }
}

/// One record under one fault.
async fn delivered(row: &Row, name: &str, place: &str, case: &Case) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let record = stage.fixture.record(name);
    let kept = stage.kept(place);
    stage.faults(&(case.faults)(row.kind, name));
    let outcome = stage.deliver(&record).await;
    if !stage.fired() {
        return Err("the fault never fired".into());
    }
    stage.faults(&json!([]));
    if let Err(failure) = &outcome {
        decent(failure, &stage.secrets())?;
    }
    let now = stage.kept(place) - kept;
    let count = |n: usize| (now == n).then_some(()).ok_or_else(|| format!("{now} are kept"));
    // A gauge's point replaces itself; all else must not be sent twice unlooked.
    let safe = name == "send-metric";
    let through = |o: &Result<Receipt, Failure>| o.as_ref().map(drop).map_err(|f| f.to_string());
    match case.want {
        Want::Done => through(&outcome).and_then(|()| count(1)),
        Want::Refused(among) | Want::NoWord(among) => failed(&outcome, among).and_then(|()| count(0)),
        Want::Waits => failed(&outcome, &[Kind::Throttled]).and_then(|()| count(0)),
        Want::Unknown => failed(&outcome, &[Kind::Permanent]).and_then(|()| count(0)),
        Want::Spoilt => match &outcome {
            Ok(_) => Ok(()),
            Err(f) if !safe => lies(f.kind, &[Kind::Doubt, Kind::Permanent]),
            Err(f) => lies(f.kind, &[Kind::Contradiction, Kind::Doubt]),
        },
        Want::Broke if safe => through(&outcome).and_then(|()| count(1)),
        Want::Broke | Want::Broken => failed(&outcome, &[Kind::Transient, Kind::Doubt]).and_then(|()| count(0)),
        Want::Lost | Want::Vanished if safe => through(&outcome).and_then(|()| count(1)),
        Want::Lost => failed(&outcome, &[Kind::Doubt]).and_then(|()| count(1)),
        Want::Vanished => failed(&outcome, &[Kind::Doubt]).and_then(|()| count(0)),
    }
}

#[tokio::test(start_paused = true)]
async fn every_record_of_every_row_conforms() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_recorder()) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        for name in ["create-record", "create-incident", "send-event", "send-metric"] {
            let takes = stage.recorder().takes(&fixture.record(name).what);
            assert_eq!(
                takes,
                fixture.records.iter().any(|r| r.0 == name),
                "{}: {name}",
                row.kind
            );
        }
        assert_eq!(
            stage.asked(),
            Vec::<String>::new(),
            "{}: asked before anything was told",
            row.kind
        );
        for (name, place) in fixture.records {
            let stage = Stage::of(fixture);
            let (record, kept) = (fixture.record(name), stage.kept(place));
            let first = stage.deliver(&record).await;
            let fine = |r: &Result<Receipt, Failure>, already: bool| match r {
                Ok(r) if r.already == already => Ok(()),
                other => Err(format!("{other:?}")),
            };
            table.note(row.kind, "deliver", name, fine(&first, false));
            // An event can't be found again; whoever sends a second one knows that.
            if *name != "send-event" {
                let second = stage.deliver(&record).await;
                table.note(row.kind, "deliver again", name, fine(&second, *name != "send-metric"));
                let now = stage.kept(place) - kept;
                table.note(
                    row.kind,
                    "kept once",
                    name,
                    (now == 1).then_some(()).ok_or(format!("{now} are kept")),
                );
            }
            for case in CASES {
                table.note(row.kind, case.name, name, delivered(row, name, place, case).await);
            }
        }
    }
    table.judge("deliver");
}

#[tokio::test(start_paused = true)]
async fn rosters_that_are_asked_conform() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_roster()) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        let page = stage.roster().page(None).await;
        let some = page.as_ref().is_ok_and(|p| !p.items.is_empty());
        table.note(
            row.kind,
            "page",
            "the roster",
            some.then_some(()).ok_or(format!("{page:?}")),
        );
        if !TWINS.iter().any(|t| t.name == row.kind) {
            continue; // a file: what may be wrong with one stands beside its reader
        }
        for (case, faults, among, _) in BLIND.iter().filter(|b| b.0 != "an empty list") {
            let stage = Stage::of(fixture);
            stage.faults(&faults(row.kind));
            let verdict = match stage.roster().page(None).await {
                Ok(page) => Err(format!("{} people", page.items.len())),
                Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, among)),
            };
            table.note(row.kind, case, "the roster", verdict);
        }
    }
    table.judge("employ");
}

#[test]
fn each_row_has_a_fixture_and_what_is_asked_over_a_wire_a_twin() {
    for row in REGISTRY {
        let fixture = fixture(row);
        assert_eq!(row.is_recorder(), !fixture.records.is_empty(), "{}", row.kind);
        assert_eq!(row.is_target(), !fixture.account.is_empty(), "{}", row.kind);
        let wired = row.is_target() || row.is_recorder();
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
