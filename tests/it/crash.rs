//! Killed at a named point, by a signal that nobody can catch; then taken up again. The end is that of a run that was never killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
};

use crate::env::{Env, Serve, person, small};
use serde_json::{Value, json};

/// What a world comes to: who holds what, and what was recorded and told.
#[derive(PartialEq)]
struct End {
    access: Vec<String>,
    changes: usize,
    manifests: usize,
    messages: usize,
}

impl End {
    fn of(s: &Serve) -> End {
        let state = s.state();
        let said = |what: &str| {
            s.journal()
                .iter()
                .filter(|c| c.is(what) && (200..300).contains(&c.status))
                .count()
        };
        End {
            access: access(&state),
            changes: state["servicenow"]["change_request"].as_object().unwrap().len(),
            manifests: said("servicenow POST /api/now/attachment/file"),
            messages: said("slack POST /api/chat.postMessage"),
        }
    }
}

/// A line for each person, account, app and channel, without the instants at which it became so.
fn access(state: &Value) -> Vec<String> {
    let of = |at: &str, keys: &'static [&'static str]| {
        let all = state.pointer(at).unwrap().as_object().unwrap().clone();
        all.into_iter().map(move |(id, e)| {
            let facts: Vec<_> = keys.iter().map(|k| format!("{k} {}", e[k])).collect();
            format!("{id} {}", facts.join(" "))
        })
    };
    of("/okta/users", &["status", "groups", "sessions", "grants", "tokens"])
        .chain(of("/okta/apps", &["assigned"]))
        .chain(of("/slack/users", &["active", "sessions"]))
        .chain(of("/slack/channels", &["members"]))
        .collect()
}

/// Every effect and every record of a command, by the name that a fault hits, and how it ends when nobody kills it.
fn undisturbed(argv: &[&str], login: &str) -> (Vec<String>, End) {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let run = s.jml(&env, &[argv, &["-o", "json"]].concat()).exits(0).json();
    let steps = person(&run, login)["steps"].as_array().unwrap();
    let mut points: Vec<String> = vec![];
    for step in steps.iter().filter(|s| s["phase"] != "verify") {
        let (system, action, target) = (&step["system"], &step["action"], step["target"].as_str().unwrap());
        let (system, action) = (system.as_str().unwrap(), action.as_str().unwrap());
        points.push(match action {
            "remove-member" | "add-member" | "unassign-app" | "join-channel" | "leave-channel" => {
                format!("{system}:{action}:{target}")
            }
            _ => format!("{system}:{action}"),
        });
    }
    for record in [
        "servicenow:create-record",
        "servicenow:attach-manifest",
        "servicenow:close-record",
        "datadog:send-event",
        "datadog:send-metric",
    ] {
        points.push(record.to_owned());
    }
    (points, End::of(&s))
}

/// Kills the command while `point` is held, takes it up with `again`, and compares.
fn killed(point: &str, argv: &[&str], again: &[&str], wanted: &End) {
    let env = Env::new();
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let mut child = s
        .command(&env, argv)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(s.hit(&mut child), point);
    child.kill().unwrap();
    child.wait().unwrap();
    s.release();
    let out = s.jml(&env, again).exits(0);
    let end = End::of(&s);
    let other: Vec<_> = end.access.iter().filter(|l| !wanted.access.contains(l)).collect();
    assert!(
        &end == wanted,
        "{point}: {other:?} changes {} manifests {} messages {}\n{}{}",
        end.changes,
        end.manifests,
        end.messages,
        out.stdout,
        out.stderr
    );
    once_each(&env, point);
    // and then there is nothing left
    let calls = s.during(|| {
        s.jml(&env, again).exits(0);
    });
    let changed: Vec<_> = crate::env::mutating(&calls)
        .into_iter()
        .filter(|c| !c.starts_with("datadog "))
        .collect();
    assert_eq!(changed, Vec::<String>::new(), "{point}");
}

/// The ledger: each step finished once at the most, whatever was started has an end, and what was owed was delivered, once.
fn once_each(env: &Env, point: &str) {
    let db = rusqlite::Connection::open(env.path("ledger.db")).unwrap();
    let mut q = db
        .prepare("SELECT envelope.run, envelope.kind, body.body FROM envelope JOIN body USING (seq) ORDER BY seq")
        .unwrap();
    let rows = q.query_map([], |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?))
    });
    let (mut finished, mut started, mut settled) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let (mut owed, mut delivered) = (BTreeSet::new(), BTreeMap::new());
    let mut runs = BTreeSet::new();
    // an effect, by its step's number: the numbers run on over all plans of a person in this run
    let (mut effects, mut held): (BTreeMap<String, Vec<String>>, BTreeMap<String, BTreeSet<u64>>) = Default::default();
    for (run, kind, body) in rows.unwrap().map(Result::unwrap) {
        let body: Value = serde_json::from_str(&body).unwrap();
        let person = format!("{run} {}", body["subject"]);
        let number = body["step"].as_u64();
        let step = format!("{person} {number:?}");
        runs.insert(run);
        match kind.as_str() {
            "planned" => {
                // what had not ended well is superseded
                started.retain(|s: &String| !s.starts_with(&person));
                let steps = body["plan"]["steps"].as_array().unwrap().iter();
                effects
                    .entry(person)
                    .or_default()
                    .extend(steps.map(|s| s["effect"].to_string()));
            }
            "started" => drop(started.insert(step)),
            "finished" | "verified" => {
                if kind == "finished" {
                    *finished.entry(step.clone()).or_insert(0) += 1;
                }
                let effect = &effects[&person][number.unwrap() as usize];
                if kind == "verified" || body["outcome"]["outcome"] == "done" {
                    held.entry(effect.clone()).or_default().extend(number);
                }
                settled.insert(step);
            }
            "owed" => drop(owed.insert(body["record"]["key"].to_string())),
            "delivered" => *delivered.entry(body["key"].to_string()).or_insert(0) += 1,
            _ => {}
        }
    }
    assert!(finished.values().all(|n| *n == 1), "{point}: {finished:#?}");
    let open: Vec<_> = started.difference(&settled).collect();
    assert!(open.is_empty(), "{point}: {open:?}");
    // nobody can see whether sessions were cleared, nor for sure whether a client still holds tokens while grants stand:
    // where that is in doubt, it is done again
    let twice: Vec<_> = held
        .iter()
        .filter(|(e, n)| n.len() > 1 && !e.contains("clear-sessions") && !e.contains("revoke-client-tokens"))
        .collect();
    assert!(twice.is_empty(), "{point}: {twice:#?}");
    assert_eq!(owed, delivered.keys().cloned().collect(), "{point}");
    assert!(delivered.values().all(|n| *n == 1), "{point}: {delivered:#?}");
    assert_eq!(runs.len(), 1, "{point}: one change, one run: {runs:?}");
}

const LEE: &str = "lee@acme.example";
const LEAVER: &[&str] = &["leaver", LEE, "--confirm", LEE];

fn every_point_of_the_leaver(when: &str) {
    let (points, end) = undisturbed(LEAVER, LEE);
    assert!(points.len() >= 12, "{points:?}");
    for p in points {
        killed(&format!("{p}:{when}"), LEAVER, &["run", "resume"], &end);
    }
}

#[test]
fn a_leaver_killed_before_any_effect_ends_the_same() {
    every_point_of_the_leaver("before");
}

#[test]
fn a_leaver_killed_after_any_effect_ends_the_same() {
    every_point_of_the_leaver("after");
}

/// Three points each, and the next sweep instead of a resume.
fn sample(argv: &[&str], login: &str, points: [&str; 3], again: &[&str]) {
    let (all, end) = undisturbed(argv, login);
    for p in points {
        let name = p.rsplit_once(':').unwrap().0;
        assert!(all.iter().any(|a| a == name), "{p} is none of {all:?}");
        killed(p, argv, again, &end);
    }
}

#[test]
fn a_mover_killed_midway_ends_the_same() {
    sample(
        &["mover", "mo@acme.example", "--yes"],
        "mo@acme.example",
        [
            "okta:remove-member:ROLE-ENG:after",
            "okta:add-member:ROLE-SALES:before",
            "servicenow:create-record:after",
        ],
        &["run", "resume"],
    );
}

/// Killed between the message and its answer, it is looked for among what was said and not said again.
#[test]
fn a_message_whose_sender_was_killed_is_sent_once() {
    let mover = ["mover", "mo@acme.example", "--yes"];
    let (all, end) = undisturbed(&mover, "mo@acme.example");
    assert!(
        all.contains(&"slack:send-message".to_owned()) && end.messages == 1,
        "{all:?}"
    );
    for when in ["before", "after"] {
        killed(&format!("slack:send-message:{when}"), &mover, &["run", "resume"], &end);
    }
}

/// Where nobody may look, it stays in doubt, and that is said.
#[test]
fn a_message_that_nobody_may_look_for_stays_in_doubt() {
    let mover = ["mover", "mo@acme.example", "--yes"];
    let env = Env::new();
    let s = env.world(&small(), &["--fault", "slack:send-message:after=hold"]);
    let mut child = s
        .command(&env, &mover)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    s.hit(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    s.release();
    s.faults(json!([{"on": "slack GET /api/conversations.history", "times": "all",
        "answer": {"status": 200, "body": {"ok": false, "error": "missing_scope", "needed": "im:history", "provided": "chat:write"}}}]));
    let out = s.jml(&env, &["run", "resume", "--no-color"]).exits(4);
    assert!(
        out.stdout.contains("in doubt") && out.stdout.contains("im:history"),
        "{}",
        out.stdout
    );
    assert_eq!(End::of(&s).messages, 1);
}

#[test]
fn a_joiner_killed_midway_ends_the_same() {
    sample(
        &["joiner", "jo@acme.example", "--yes"],
        "jo@acme.example",
        [
            "okta:add-member:BR-ALL-EMPLOYEES:before",
            "okta:add-member:ROLE-ENG:after",
            "slack:join-channel:#eng:after",
        ],
        &["run", "resume"],
    );
}

/// Everybody who is due: whatever the first sweep left, the next one finishes in the same run's name.
#[test]
fn a_sweep_killed_midway_is_finished_by_the_next() {
    let (_, end) = swept(None);
    for p in [
        "okta:suspend:before",
        "okta:remove-member:PROJ-ONE:after",
        "servicenow:create-record@2:after",
    ] {
        let (open, got) = swept(Some(p));
        assert_eq!(open, 0, "{p}: records owed");
        assert!(
            got == end,
            "{p}: {:?}",
            got.access
                .iter()
                .filter(|l| !end.access.contains(l))
                .collect::<Vec<_>>()
        );
    }
}

fn swept(point: Option<&str>) -> (i64, End) {
    let env = Env::new();
    let fault = point.map(|p| format!("{p}=hold"));
    let args: Vec<&str> = fault.iter().flat_map(|f| ["--fault", f]).collect();
    let s = env.world(&small(), &args);
    let sweep = ["sweep", "--yes"];
    if let Some(point) = point {
        let mut child = s
            .command(&env, &sweep)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert_eq!(s.hit(&mut child), point);
        child.kill().unwrap();
        child.wait().unwrap();
        s.release();
    }
    s.jml(&env, &sweep).exits(0);
    let db = rusqlite::Connection::open(env.path("ledger.db")).unwrap();
    let count = |kind: &str| {
        db.query_row("SELECT count(*) FROM envelope WHERE kind = ?", [kind], |r| {
            r.get::<_, i64>(0)
        })
        .unwrap()
    };
    (count("owed") - count("delivered"), End::of(&s))
}
