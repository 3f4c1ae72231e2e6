//! LDAP's result codes and broken connections, in place of HTTP's faults, for whatever speaks it. In real time: a case waits for nobody
//! but its own server, so some run beside each other.

use futures::{StreamExt, stream};

use super::{
    observe::{Blind, seen},
    perform::tried,
    *,
};

const BESIDE: usize = 8;

fn rows() -> impl Iterator<Item = &'static Row> {
    REGISTRY.iter().filter(|r| r.is_target() && fixture(r).port)
}

/// A search is based at a name, a change is told by an id, and who is bound is neither.
const SEARCHES: &str = "/*DC=*";
const CHANGES: &str = "/<GUID=*";

/// A result in place of the twin's, to every operation that fits.
fn result(kind: &str, on: &str, rc: u16, text: &str) -> Value {
    json!([{"on": format!("{kind} * {on}"), "times": "all",
        "answer": {"status": 200, "headers": {"ldap-result": rc.to_string()}, "body": {"text": text}}}])
}

const HOSTILE: &str = "\u{1b}[31m \u{7} \u{202e}evil\u{2066} \r\n\0";

const BLIND: &[Blind] = &[
    (
        "49 at the bind",
        |k| named(k, "bind", "@all:before=401"),
        &[Kind::Auth],
        false,
    ),
    (
        "50 no right",
        |k| named(k, "search", "@all:before=403"),
        &[Kind::Auth],
        false,
    ),
    (
        "32 no such object",
        |k| named(k, "search", "@all:before=404"),
        &[Kind::Permanent],
        false,
    ),
    (
        "51 busy for good",
        |k| named(k, "search", "@all:before=429"),
        &[Kind::Transient],
        false,
    ),
    (
        "52 unavailable for good",
        |k| named(k, "search", "@all:before=503"),
        &[Kind::Transient],
        false,
    ),
    (
        "4 a part of the list",
        |k| result(k, SEARCHES, 4, ""),
        &[Kind::Permanent],
        false,
    ),
    (
        "10 a referral",
        |k| result(k, SEARCHES, 10, ""),
        &[Kind::Permanent],
        false,
    ),
    (
        "53 unwilling",
        |k| result(k, SEARCHES, 53, ""),
        &[Kind::Permanent],
        false,
    ),
    (
        "80 with a hostile text",
        |k| result(k, SEARCHES, 80, HOSTILE),
        &[Kind::Permanent],
        false,
    ),
    (
        "0 and no entry",
        |k| result(k, SEARCHES, 0, ""),
        &[Kind::Contradiction],
        false,
    ),
    (
        "connections that break",
        |k| named(k, "search", "@all:before=reset"),
        &[Kind::Transient],
        false,
    ),
    (
        "no answer in time",
        |k| named(k, "search", "@all:before=timeout"),
        &[Kind::Transient],
        false,
    ),
    (
        "BER that is none",
        |k| named(k, "search", "@all:answer=malformed"),
        &[Kind::Transient],
        false,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eyes_on_a_directory_conform() {
    let mut table = Table::default();
    for row in rows() {
        let cases = BLIND.iter().map(async |(case, faults, among, may)| {
            let faults = faults(row.kind);
            let ids = [("an account", fixture(row).account), ("nobody", fixture(row).nobody)];
            let mut verdicts = Vec::new();
            for (subject, id) in ids {
                verdicts.push((subject, seen(row, id, faults.clone(), among, *may).await));
            }
            let stage = Stage::of(fixture(row));
            stage.faults(&faults);
            let eyes = stage.eyes();
            for (subject, outcome) in [
                ("the tenant", eyes.pinned().await.err()),
                ("the list", eyes.accounts(None).await.err()),
            ] {
                let verdict = match outcome {
                    None if subject == "the list" && *case == "0 and no entry" => Ok(()), // a part of a tree may hold nobody
                    None => Err("went through".into()),
                    Some(f) => decent(&f, &stage.secrets()),
                };
                verdicts.push((subject, verdict));
            }
            (*case, verdicts)
        });
        let all: Vec<_> = stream::iter(cases).buffer_unordered(BESIDE).collect().await;
        for (case, verdicts) in all {
            for (subject, verdict) in verdicts {
                table.note(row.kind, case, subject, verdict);
            }
        }
        // What is over soon is waited out, and a connection that broke is made again.
        for (case, fault) in [
            ("51 busy once", "429"),
            ("52 unavailable once", "503"),
            ("a connection that breaks once", "reset"),
        ] {
            let stage = Stage::of(fixture(row));
            stage.faults(&named(row.kind, "search", &format!(":before={fault}")));
            let seen = stage.observe(&*stage.eyes(), fixture(row).account).await;
            let fine = matches!(seen, Ok(Observed::Present(_))) && stage.fired();
            let verdict = fine.then_some(()).ok_or(format!("{seen:?}"));
            table.note(row.kind, case, "an account", verdict);
        }
    }
    table.judge("observe");
}

/// Of every verb.
const DONE: &[Case] = &[
    case(
        "49 at the bind",
        |k, _| named(k, "bind", "@all:before=401"),
        Want::Refused(&[Kind::Auth]),
    ),
    case(
        "50 no right",
        |k, o| named(k, o, "@all:before=403"),
        Want::Refused(&[Kind::Auth]),
    ),
    case(
        "32 no such object",
        |k, o| named(k, o, "@all:before=404"),
        Want::Unknown,
    ),
    case("51 busy once", |k, o| named(k, o, ":before=429"), Want::Done),
    case(
        "51 busy for good",
        |k, o| named(k, o, "@all:before=429"),
        Want::Refused(&[Kind::Transient]),
    ),
    case("52 unavailable once", |k, o| named(k, o, ":before=503"), Want::Done),
    case(
        "52 unavailable for good",
        |k, o| named(k, o, "@all:before=503"),
        Want::Refused(&[Kind::Transient]),
    ),
    case(
        "10 a referral",
        |k, _| result(k, CHANGES, 10, ""),
        Want::Refused(&[Kind::Permanent]),
    ),
    case(
        "19 a policy",
        |k, _| result(k, CHANGES, 19, ""),
        Want::Refused(&[Kind::Permanent]),
    ),
    case(
        "53 unwilling",
        |k, _| result(k, CHANGES, 53, ""),
        Want::Refused(&[Kind::Permanent]),
    ),
    case(
        "80 with a hostile text",
        |k, _| result(k, CHANGES, 80, HOSTILE),
        Want::Refused(&[Kind::Permanent]),
    ),
    case("the call lost", |k, o| named(k, o, ":before=reset"), Want::Vanished),
    case(
        "connections that break",
        |k, o| named(k, o, "@all:before=reset"),
        Want::Broken,
    ),
    case("the answer lost", |k, o| named(k, o, ":after=lost-answer"), Want::Lost),
    case("no answer in time", |k, o| named(k, o, ":after=timeout"), Want::Lost),
    case(
        "never an answer",
        |k, o| named(k, o, "@all:before=timeout"),
        Want::Broken,
    ),
    case(
        "BER that is none",
        |k, o| named(k, o, ":answer=malformed"),
        Want::Spoilt,
    ),
];

const fn case(name: &'static str, faults: fn(&str, &str) -> Value, want: Want) -> Case {
    Case { name, faults, want }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_of_a_directory_conforms() {
    let mut table = Table::default();
    for row in rows() {
        let all = DONE
            .iter()
            .flat_map(|case| row.verbs.iter().map(move |verb| (case, *verb)));
        let tries = all.map(async |(case, verb)| (case.name, verb.name(), tried(row, verb, case).await));
        let all: Vec<_> = stream::iter(tries).buffer_unordered(BESIDE).collect().await;
        for (case, verb, verdict) in all {
            table.note(row.kind, case, verb, verdict);
        }
    }
    table.judge("perform");
}
