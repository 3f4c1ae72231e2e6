//! Signals, closed pipes, and a question on a terminal.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use crate::env::{Env, Serve, code, mutating, small};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const LEE: &str = "lee@acme.example";
const LEAVER: &[&str] = &["leaver", LEE, "--confirm", LEE];

/// A leaver that stands at a held point, and what it says.
fn held(env: &Env, s: &Serve, point: &str) -> (Child, Receiver<String>) {
    let mut child = s.command(env, LEAVER).stdout(Stdio::null()).spawn().unwrap();
    let (tx, lines) = mpsc::channel();
    let err = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || err.lines().map_while(Result::ok).for_each(|l| drop(tx.send(l))));
    assert_eq!(s.hit(&mut child), point);
    (child, lines)
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn stopping(lines: &Receiver<String>) -> String {
    lines
        .iter()
        .find(|l| l.contains("Stopping"))
        .expect("it ended without a word")
}

fn status(s: &Serve) -> String {
    s.state()["okta"]["users"]["00u00000000000000lee"]["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn ctrl_c_lets_open_steps_end_and_starts_no_other() {
    let env = Env::new();
    let point = "okta:remove-member:PROJ-ONE:before";
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let (mut child, lines) = held(&env, &s, point);
    send(&child, Signal::INT);
    let said = stopping(&lines);
    assert!(said.contains("okta") && said.contains("Ctrl-C again"), "{said}");
    s.release();
    assert_eq!(code(child.wait().unwrap()), 130);
    assert_eq!(status(&s), "SUSPENDED", "no new step starts");
    s.jml(&env, &["run", "resume"]).exits(0);
    assert_eq!(status(&s), "DEPROVISIONED");
}

#[test]
fn ctrl_c_again_leaves_at_once() {
    let env = Env::new();
    let point = "okta:remove-member:PROJ-ONE:before";
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let (mut child, lines) = held(&env, &s, point);
    send(&child, Signal::INT);
    stopping(&lines);
    // within a second of the first it counts as the same one
    let mut said = vec![];
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        send(&child, Signal::INT);
        said.extend(lines.recv_timeout(Duration::from_millis(200)));
    };
    said.extend(lines.iter());
    assert_eq!(code(ended), 130);
    assert!(said.last().is_some_and(|l| l.contains("jml run resume r-")), "{said:?}");
    s.release();
    s.jml(&env, &["run", "resume"]).exits(0);
    assert_eq!(status(&s), "DEPROVISIONED");
}

#[test]
fn a_termination_inside_contain_finishes_contain() {
    let env = Env::new();
    let point = "okta:suspend:before";
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let (mut child, lines) = held(&env, &s, point);
    send(&child, Signal::TERM);
    stopping(&lines);
    s.release();
    assert_eq!(code(child.wait().unwrap()), 143);
    assert_eq!(status(&s), "SUSPENDED");
    let calls = s.journal();
    assert!(
        calls.iter().any(|c| c.is("okta DELETE .*/sessions")),
        "sessions are cleared still"
    );
    assert!(
        !calls.iter().any(|c| c.is("okta DELETE /api/v1/groups/.*")),
        "and nothing else begins"
    );
}

/// Ten seconds from the signal, not from each call.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test that waits has a thread to itself")]
fn a_termination_waits_no_longer_for_what_begins_after_it() {
    let env = Env::new();
    let point = "okta:suspend:before";
    let hold = |p: &str| format!("{p}=hold");
    let faults = [hold(point), hold("okta:clear-sessions:before")];
    let s = env.world(&small(), &["--fault", &faults[0], "--fault", &faults[1]]);
    let (mut child, lines) = held(&env, &s, point);
    send(&child, Signal::TERM);
    stopping(&lines);
    std::thread::sleep(Duration::from_secs(7));
    s.release();
    std::thread::sleep(Duration::from_secs(6));
    s.release();
    assert_eq!(code(child.wait().unwrap()), 143);
    let log = s.jml(&env, &["audit", "log", "-o", "ndjson"]).exits(0).ndjson();
    let of = |action: &str, kind: &str| log.iter().any(|e| e["action"] == action && e["kind"] == kind);
    assert!(of("suspend", "finished") && of("clear-sessions", "started"));
    assert!(
        !of("clear-sessions", "finished"),
        "it was left in doubt when the time was over"
    );
    s.jml(&env, &["run", "resume"]).exits(0);
    assert_eq!(status(&s), "DEPROVISIONED");
}

#[test]
fn a_closed_terminal_stops_nothing() {
    let env = Env::new();
    let point = "okta:suspend:after";
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let (mut child, _lines) = held(&env, &s, point);
    send(&child, Signal::HUP);
    s.release();
    assert_eq!(code(child.wait().unwrap()), 0);
    assert_eq!(status(&s), "DEPROVISIONED");
}

#[test]
fn a_closed_pipe_is_silent_and_stops_no_apply() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let cut = |args: &[&str]| {
        let mut child = s.command(&env, args).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code(child.wait().unwrap()), said)
    };
    assert_eq!(cut(&["leaver", LEE, "--dry-run"]), (0, String::new()));
    let (exit, said) = cut(LEAVER);
    assert_eq!((exit, status(&s).as_str()), (0, "DEPROVISIONED"), "{said}");
    assert!(!said.contains("panic"), "{said}");
}

/// On a terminal of its own: what is typed once the question stands, and how that ends.
fn asked(s: &Serve, env: &Env, typed: &str) -> (i32, String) {
    let jml = s.command(env, &["leaver", LEE]);
    let words = std::iter::once(jml.get_program()).chain(jml.get_args());
    let line: Vec<_> = words.map(|w| format!("'{}'", w.to_str().unwrap())).collect();
    let mut script = Command::new("script");
    script.args(["-qefc", &line.join(" "), "/dev/null"]).env_clear();
    script
        .envs(jml.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm");
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (vec![], [0]);
    while !String::from_utf8_lossy(&shown).contains("stops):\r\n> ") && output.read(&mut byte).unwrap() > 0 {
        shown.push(byte[0]);
    }
    input.write_all(typed.as_bytes()).unwrap();
    let mut rest = vec![];
    output.read_to_end(&mut rest).unwrap();
    shown.extend(rest);
    (
        code(child.wait().unwrap()),
        String::from_utf8_lossy(&shown).into_owned(),
    )
}

#[test]
fn at_the_question_only_the_login_is_a_yes() {
    if !std::path::Path::new("/usr/bin/script").exists() {
        #[expect(clippy::disallowed_macros, reason = "a skip is said aloud")]
        let () = eprintln!("SKIPPED: script(1) is not here, so there is no terminal to ask on");
        return;
    }
    let env = Env::new();
    let s = env.world(&small(), &[]);
    for no in ["\r", "yes\r\r", "\u{3}"] {
        let (exit, shown) = asked(&s, &env, no);
        assert_eq!(exit, 15, "{no:?}: {shown}");
    }
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());
    let (exit, shown) = asked(&s, &env, &format!("{LEE}\r"));
    assert_eq!(exit, 0, "{shown}");
    assert_eq!(
        s.state()["okta"]["users"]["00u00000000000000lee"]["status"],
        json!("DEPROVISIONED")
    );
}
