//! The ledger on a server that several hosts share, by the real binary. Where a server is wanted, `.ci/postgres` starts one: JML_POSTGRES
//! is the URL of a superuser there.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{Config, NoTls};

use crate::{
    env::{Env, Out, Serve, filtered, small},
    generated::repository,
};

const LEE: &str = "lee@acme.example";
const LEAVER: &[&str] = &["leaver", LEE, "--confirm", LEE];

/// What `.ci/postgres` says of its server.
#[allow(
    clippy::disallowed_methods,
    reason = "a test that only runs where it is told where a server is"
)]
fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see .ci/postgres"))
}

/// A database with a ledger, as its owner makes it by the documents.
struct Database {
    root: Config,
    name: String,
}

impl Database {
    fn new() -> Database {
        let url = told("JML_POSTGRES");
        let unique = tempfile::tempdir().unwrap();
        let name = unique.path().file_name().unwrap().to_str().unwrap();
        let db = Database {
            root: url.parse().unwrap(),
            name: format!("it_{}", hex::encode(name)),
        };
        let home = db.root.get_dbname().unwrap().to_owned();
        for role in ["jml_owner", "jml"] {
            // Another test may have made it.
            let _ = db.on(&home, None, &format!("CREATE ROLE {role} LOGIN"));
        }
        let make = format!(
            "CREATE DATABASE {} OWNER jml_owner ENCODING 'UTF8' TEMPLATE template0",
            db.name
        );
        db.on(&home, None, &make).unwrap();
        let script = fs::read_to_string(repository().join("src/ledger/store/postgres/schema.sql")).unwrap();
        db.on(&db.name, Some("jml_owner"), &script.replace(":\"jml\"", "jml"))
            .unwrap();
        db
    }

    fn on(&self, database: &str, role: Option<&str>, sql: &str) -> Result<(), tokio_postgres::Error> {
        let mut config = self.root.clone();
        config.dbname(database);
        if let Some(role) = role {
            config.user(role);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, line) = config.connect(NoTls).await?;
            tokio::spawn(line);
            client.batch_execute(sql).await
        })
    }
    fn root(&self, sql: &str) {
        self.on(&self.name, None, sql).unwrap();
    }
    /// As time does it.
    fn expire(&self) {
        self.root("UPDATE jml.lease SET expires = clock_timestamp()");
    }
    fn url(&self, role: &str) -> String {
        let host = match &self.root.get_hosts()[0] {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            other => panic!("JML_POSTGRES names no host: {other:?}"),
        };
        format!("postgres://{role}@{host}:{}/{}", self.root.get_ports()[0], self.name)
    }
}

/// What `serve` wrote, with another ledger.
fn keep_at(env: &Env, s: &mut Serve, url: &str) {
    let text = fs::read_to_string(&s.config).unwrap();
    let there = format!("url = \"{url}\"\nkey = \"file:{}\"", env.path("ledger.key").display());
    let path = Regex::new(r#"(?m)^path = ".*ledger\.db"$"#).unwrap();
    assert!(path.is_match(&text), "{text}");
    fs::write(&s.config, path.replace(&text, &there).as_ref()).unwrap();
}

/// A small firm whose ledger is on a server.
fn shared(args: &[&str]) -> (Env, Serve, Database) {
    shared_by(&small(), args)
}

fn shared_by(world: &serde_json::Value, args: &[&str]) -> (Env, Serve, Database) {
    let (env, db) = (Env::new(), Database::new());
    let mut s = env.world(world, args);
    keep_at(&env, &mut s, &db.url("jml"));
    (env, s, db)
}

fn begin(env: &Env, s: &Serve, argv: &[&str]) -> Child {
    s.command(env, argv)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(child: Child) -> Out {
    Out::of(child.wait_with_output().unwrap())
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn entries(env: &Env, s: &Serve) -> usize {
    let out = s.jml(env, &["audit", "log", "-o", "ndjson"]).exits(0);
    out.ndjson().iter().filter(|v| v.get("seq").is_some()).count()
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn the_same_commands_say_the_same_on_both_ledgers() {
    let said = |env: &Env, s: &Serve| -> Vec<String> {
        let signed = Regex::new(r"[A-Za-z0-9+/]{40,}=*").unwrap();
        let say = |argv: &[&str]| {
            let out = s.jml(env, argv);
            // Calls that run side by side end in any order.
            let mut talk: Vec<&str> = out.stderr.lines().collect();
            talk.sort_unstable();
            let all = filtered(&format!("{argv:?}: {}\n{}{}", out.exit, out.stdout, talk.join("\n")));
            signed.replace_all(&all, "[SIGNED]").into_owned()
        };
        let mut all = vec![
            say(&["leaver", LEE, "--dry-run"]),
            say(LEAVER),
            say(&["mover", "mo@acme.example", "--yes"]),
        ];
        let runs = s.jml(env, &["run", "list", "-o", "csv"]).exits(0).stdout;
        for run in Regex::new(r"\br-[0-9a-hjkmnp-tv-z]{6}\b").unwrap().find_iter(&runs) {
            all.push(say(&["run", "show", run.as_str()]));
        }
        assert_eq!(all.len(), 5, "{runs}");
        all.extend(
            [
                &["sweep", "--yes"][..],
                &["run", "list"],
                &["show", LEE],
                &["audit", "verify"],
                &["audit", "sla"],
                &["run", "show", "r-nothing"],
            ]
            .map(say),
        );
        all
    };
    // Signing out ends a client's tokens too: which of the two calls finds something to do is a race, and no ledger's matter.
    let mut world = small();
    world["okta"]["users"][0]["grants"] = 0.into();
    let env = Env::new();
    let s = env.world(&world, &[]);
    let embedded = said(&env, &s);
    assert!(embedded[1].contains("COMPLETE"), "{}", embedded[1]);
    let (env, s, _db) = shared_by(&world, &[]);
    for (here, there) in embedded.iter().zip(said(&env, &s)) {
        assert_eq!(*here, there);
    }
    assert!(!env.path("ledger.db").exists());
}

/// Stopped past its lease, and woken when another has finished its work.
#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_host_that_slept_past_its_lease_records_nothing_more_and_says_why() {
    let (env, s, db) = shared(&["--fault", "okta:deactivate:before=hold"]);
    let mut slept = begin(&env, &s, LEAVER);
    assert_eq!(s.hit(&mut slept), "okta:deactivate:before");
    signal(&slept, Signal::STOP);
    db.expire();
    s.release();
    s.jml(&env, &["run", "resume"]).exits(0);
    let before = entries(&env, &s);
    signal(&slept, Signal::CONT);
    let out = end(slept).exits(8);
    assert!(out.stderr.contains("has lost its lease"), "{}", out.stderr);
    assert_eq!(entries(&env, &s), before);
    s.jml(&env, &["audit", "verify"]).exits(0);
}

/// One host pulls the switch, another one stops.
#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_pause_on_one_host_stops_another_between_two_effects() {
    let (env, s, _db) = shared(&["--fault", &format!("{}=hold", crate::pause::POINT)]);
    crate::pause::stopped_between_two_effects(&env, &s);
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn two_hosts_make_one_sweep_at_a_time() {
    let (env, s, db) = shared(&["--fault", "okta:suspend:before=hold"]);
    let mut first = begin(&env, &s, &["sweep", "--yes"]);
    assert_eq!(s.hit(&mut first), "okta:suspend:before");
    let second = s.jml(&env, &["sweep", "--yes"]).exits(8);
    assert!(
        second.stderr.contains("has been working on sweep since"),
        "{}",
        second.stderr
    );
    assert!(
        second.stderr.contains("s from now if that process is gone"),
        "{}",
        second.stderr
    );
    // The first one's lease on the sweep is lost while those on its people are not: it does nothing more to them either.
    db.root("UPDATE jml.lease SET expires = clock_timestamp() WHERE subject = 'sweep'");
    s.release();
    let out = end(first).exits(8);
    assert!(out.stderr.contains("has lost its lease on sweep"), "{}", out.stderr);
    s.jml(&env, &["sweep", "--yes"]).exits(0);
    s.jml(&env, &["audit", "verify"]).exits(0);
}

/// A leaver whose process was killed between two effects; its leases stand.
fn killed() -> (Env, Serve, Database) {
    let (env, s, db) = shared(&["--fault", "okta:clear-sessions:after=hold"]);
    let mut child = begin(&env, &s, LEAVER);
    assert_eq!(s.hit(&mut child), "okta:clear-sessions:after");
    child.kill().unwrap();
    child.wait().unwrap();
    s.release();
    (env, s, db)
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_killed_run_is_taken_up_on_another_host() {
    let (env, s, db) = killed();
    // Until it has expired, nobody can know that its holder is dead.
    let held = s.jml(&env, LEAVER).exits(8);
    assert!(held.stderr.contains("if that process is gone"), "{}", held.stderr);
    db.expire();
    let out = s.jml(&env, &["run", "resume"]).exits(0);
    assert!(out.stdout.contains("COMPLETE"), "{}", out.stdout);
    s.jml(&env, &["audit", "verify"]).exits(0);
}

/// Whoever waits at the prompt of another host is told so, and goes on once the lease has ended.
#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_resume_waits_for_the_lease_of_a_dead_host() {
    let (env, s, db) = killed();
    db.root("UPDATE jml.lease SET expires = clock_timestamp() + interval '2 s'");
    let out = s.jml(&env, &["run", "resume"]).exits(0);
    assert!(out.stderr.contains("for its lease to end"), "{}", out.stderr);
}

/// Between jml and its server: passes everything on until it is cut.
struct Wire {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Wire {
    fn to(port: u16) -> Wire {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire {
            port: door.local_addr().unwrap().port(),
            cut: Arc::default(),
        };
        let cut = wire.cut.clone();
        thread::spawn(move || {
            for near in door.incoming().map_while(Result::ok) {
                // Refused, as nearly as an open port can.
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let cut = cut.clone();
                    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                    thread::spawn(move || {
                        let mut chunk = [0; 1 << 16];
                        loop {
                            match from.read(&mut chunk) {
                                _ if cut.load(Ordering::SeqCst) => break,
                                Ok(n @ 1..) if to.write_all(&chunk[..n]).is_ok() => {}
                                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                                _ => break,
                            }
                        }
                        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    });
                }
            }
        });
        wire
    }
    #[allow(clippy::disallowed_methods, reason = "a test that waits has a thread to itself")]
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        // Longer than a reader of it waits.
        thread::sleep(Duration::from_millis(100));
    }
    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

/// A small firm whose ledger is on a server behind a wire.
fn wired(args: &[&str]) -> (Env, Serve, Database, Wire) {
    let (env, db) = (Env::new(), Database::new());
    let wire = Wire::to(db.root.get_ports()[0]);
    let mut s = env.world(&small(), args);
    let url = db
        .url("jml")
        .replace(&format!(":{}/", db.root.get_ports()[0]), &format!(":{}/", wire.port));
    keep_at(&env, &mut s, &url);
    (env, s, db, wire)
}

/// What is in the ledger of a run that went on without it, once it is there.
fn brought_in(env: &Env, s: &Serve) -> Vec<serde_json::Value> {
    let all = s.jml(env, &["audit", "log", "-o", "ndjson"]).exits(0).ndjson();
    all.into_iter().filter(|e| e["spooled"].is_object()).collect()
}

/// The server goes away in the middle, and comes back.
#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn with_its_server_stopped_in_the_middle_contain_is_complete_and_recorded_when_it_is_back() {
    let (env, s, db, wire) = wired(&["--fault", "okta:suspend:after=hold"]);
    let mut child = begin(&env, &s, LEAVER);
    assert_eq!(s.hit(&mut child), "okta:suspend:after");
    wire.cut();
    s.release();
    let out = end(child).exits(4);
    assert!(
        out.stderr
            .contains("Containment goes on and is written down on this host"),
        "{}",
        out.stderr
    );
    assert!(out.stdout.contains("PARTIAL, contained"), "{}", out.stdout);
    assert!(out.stdout.contains("jml run resume"), "{}", out.stdout);
    let changed = crate::env::mutating(&s.journal());
    for done in ["/lifecycle/suspend", "/sessions", "/grants"] {
        assert!(changed.iter().any(|c| c.contains(done)), "{changed:?}");
    }
    // Messages, groups and records wait for the ledger.
    for later in ["deactivate", "/groups/", "chat.", "change_request", "/events"] {
        assert!(!changed.iter().any(|c| c.contains(later)), "{later}: {changed:?}");
    }
    let spool = env.path("state/jml/spool");
    let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spool), 0o700);
    wire.mend();
    // Its lease may still stand for a while: what was spooled waits for it.
    db.root("UPDATE jml.lease SET expires = clock_timestamp() + interval '4 s'");
    let doctor = s.jml(&env, &["doctor"]);
    assert!(
        doctor.stdout.contains("written on this host and not in the ledger yet"),
        "{}",
        doctor.stdout
    );
    assert_eq!(brought_in(&env, &s).len(), 0);
    let before = changed.len();
    let out = s.jml(&env, &["run", "resume"]).exits(0);
    assert!(out.stderr.contains("for a lease to end"), "{}", out.stderr);
    assert!(
        out.stderr
            .contains("while the ledger was out of reach, were brought into it"),
        "{}",
        out.stderr
    );
    assert!(out.stdout.contains("COMPLETE"), "{}", out.stdout);
    assert!(out.stdout.contains("Ledger  out of reach from"), "{}", out.stdout);
    let entries = brought_in(&env, &s);
    assert_eq!(entries[0]["kind"], "spooled");
    assert!(
        entries.len() > 4 && entries.iter().all(|e| e["spooled"]["moot"] == false),
        "{entries:?}"
    );
    // What was done without the ledger is done once; sessions alone can't be read, and are ended again.
    let again = crate::env::mutating(&s.journal()).split_off(before);
    assert!(
        !again
            .iter()
            .any(|c| c.contains("/lifecycle/suspend") || c.contains("/grants")),
        "{again:?}"
    );
    assert!(again.iter().any(|c| c.contains("/events")), "{again:?}");
    s.jml(&env, &["audit", "verify"]).exits(0);
    assert!(
        fs::read_dir(spool)
            .unwrap()
            .flatten()
            .all(|org| fs::read_dir(org.path()).unwrap().count() == 0)
    );
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn with_its_server_down_a_leaver_is_contained_and_a_sweep_waits() {
    let (env, s, _db, wire) = wired(&[]);
    wire.cut();
    let calls = s.during(|| {
        for argv in [&["leaver", LEE, "--dry-run"][..], &["sweep", "--yes"], &["run", "list"]] {
            let out = s.jml(&env, argv).exits(10);
            assert!(out.stderr.contains("the ledger can't be reached"), "{}", out.stderr);
        }
    });
    assert_eq!(crate::env::mutating(&calls), Vec::<String>::new());
    let out = s.jml(&env, LEAVER).exits(4);
    assert!(out.stderr.contains("What it knows is unknown now"), "{}", out.stderr);
    assert!(out.stdout.contains("PARTIAL, contained"), "{}", out.stdout);
    wire.mend();
    let out = s.jml(&env, &["sweep", "--yes"]);
    assert!(out.stderr.contains("were brought into it"), "{}", out.stderr);
    let shown = s.jml(&env, &["show", LEE]).exits(0);
    assert!(shown.stdout.contains("DEPROVISIONED"), "{}", shown.stdout);
    s.jml(&env, &["audit", "verify"]).exits(0);
    assert_eq!(
        s.jml(&env, &["run", "resume"]).exits(0).stdout,
        "No run is unfinished.\n"
    );
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn doctor_says_who_could_rewrite_it() {
    let (env, s, db) = shared(&[]);
    let ledger = |s: &Serve| {
        let doctor = s.jml(&env, &["doctor", "-o", "json"]).json();
        let systems = doctor["systems"].as_array().unwrap().clone();
        let block = systems.into_iter().find(|b| b["system"] == "ledger").unwrap();
        let checks = block["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|c| c["check"] == "keeper").unwrap()
    };
    let keeper = ledger(&s);
    assert_eq!(
        (&keeper["result"], &keeper["subject"]),
        (
            &"ok".into(),
            &"jml_owner owns the tables; jml's role may add and read".into()
        )
    );
    let text = fs::read_to_string(&s.config).unwrap();
    fs::write(&s.config, text.replace(&db.url("jml"), &db.url("jml_owner"))).unwrap();
    let keeper = ledger(&s);
    assert_eq!(keeper["result"], "look");
    assert!(
        keeper["subject"].as_str().unwrap().contains("it owns the tables"),
        "{keeper}"
    );
}

/// The certificate is for the name, and its authority is one that nobody knows but `[http] ca`.
#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_server_is_believed_by_its_certificate_and_then_gets_the_password() {
    let (env, s, db) = shared(&[]);
    // A role may be there already: then it has this password.
    let _ = db.on(
        &db.name,
        None,
        "CREATE ROLE jml_password LOGIN PASSWORD 'hunter2' IN ROLE jml",
    );
    let before = fs::read_to_string(&s.config).unwrap();
    fs::write(env.path("pg.password"), "hunter2\n").unwrap();
    fs::set_permissions(env.path("pg.password"), fs::Permissions::from_mode(0o600)).unwrap();
    let ca = format!("[http]\nca = \"{}\"\n", told("JML_POSTGRES_CA"));
    let with = |host: &str, ca: &str| {
        let verified =
            db.url("jml_password").replace("127.0.0.1", host) + "?sslmode=verify-full\"\npassword = \"file:pg.password";
        fs::write(&s.config, before.replace(&db.url("jml"), &verified) + ca).unwrap();
        s.jml(&env, &["run", "list"])
    };
    with("localhost", &ca).exits(0);
    for unknown in [with("127.0.0.1", &ca), with("localhost", "")] {
        let out = unknown.exits(10);
        assert!(out.stderr.contains("certificate"), "{}", out.stderr);
    }
    fs::write(env.path("pg.password"), "wrong").unwrap();
    let out = with("localhost", &ca).exits(9);
    assert!(
        out.stderr.contains("password authentication failed") && !out.stderr.contains("wrong\""),
        "{}",
        out.stderr
    );
}

#[test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
fn a_database_without_a_ledger_says_what_to_do() {
    let (env, s, db) = shared(&[]);
    db.on(&db.name, Some("jml_owner"), "DROP SCHEMA jml CASCADE").unwrap();
    let out = s.jml(&env, &["run", "list"]).exits(2);
    assert!(out.stderr.contains("the ledger has not been made"), "{}", out.stderr);
    assert!(out.stderr.contains("docs/DEPLOYMENT.md"), "{}", out.stderr);
}

/// Nobody listens on the first port.
#[test]
fn a_ledger_that_is_not_there_is_unavailable_and_nothing_is_begun() {
    let env = Env::new();
    let mut s = env.world(&small(), &[]);
    keep_at(&env, &mut s, "postgres://jml@127.0.0.1:1/jml");
    let calls = s.during(|| {
        let dry = &["leaver", LEE, "--dry-run"][..];
        for argv in [dry, &["run", "list"], &["sweep", "--yes"], &["mover", LEE, "--yes"]] {
            let out = s.jml(&env, argv).exits(10);
            let why = "the ledger can't be reached: jml at 127.0.0.1:1 as jml: error connecting to server: Connection refused";
            assert!(out.stderr.contains(why), "{}", out.stderr);
        }
    });
    assert_eq!(crate::env::mutating(&calls), Vec::<String>::new());
}

/// Whoever stops the database must not keep a door open.
#[test]
fn a_leaver_by_hand_is_contained_without_a_ledger() {
    let env = Env::new();
    let mut s = env.world(&small(), &[]);
    keep_at(&env, &mut s, "postgres://jml@127.0.0.1:1/jml");
    let out = s.jml(&env, LEAVER).exits(4);
    assert!(
        out.stderr.contains("Containment is done and written down on this host"),
        "{}",
        out.stderr
    );
    assert!(out.stdout.contains("PARTIAL, contained"), "{}", out.stdout);
    assert!(
        out.stderr
            .contains("lies in this host's spool, and not in the ledger yet"),
        "{}",
        out.stderr
    );
    let changed = crate::env::mutating(&s.journal());
    assert!(changed.iter().any(|c| c.contains("/lifecycle/suspend")), "{changed:?}");
    assert!(
        !changed
            .iter()
            .any(|c| c.contains("deactivate") || c.contains("/groups/")),
        "{changed:?}"
    );
}

#[test]
fn a_url_that_could_leak_is_refused_and_never_repeated() {
    let env = Env::new();
    let mut s = env.world(&small(), &[]);
    let before = fs::read_to_string(&s.config).unwrap();
    for (url, why) in [
        (
            "postgres://jml:hunter2@127.0.0.1/jml",
            "a password doesn't belong in a URL",
        ),
        (
            "postgres://jml@127.0.0.1/jml?password=hunter2",
            "a password doesn't belong in a URL",
        ),
        (
            "postgres://jml@127.0.0.1/jml?sslmode=prefer",
            "falls back to plain text",
        ),
        ("postgres://jml@db.acme.example/jml?sslmode=disable", "in clear"),
    ] {
        fs::write(&s.config, &before).unwrap();
        keep_at(&env, &mut s, url);
        let out = s.jml(&env, &["run", "list"]).exits(2);
        assert!(
            out.stderr.contains(why) && !out.stderr.contains("hunter2"),
            "{}",
            out.stderr
        );
    }
}

#[test]
fn a_password_is_a_private_file() {
    let env = Env::new();
    let mut s = env.world(&small(), &[]);
    let url = "postgres://jml@127.0.0.1:1/jml\"\npassword = \"file:pg.password";
    keep_at(&env, &mut s, url);
    let out = s.jml(&env, &["run", "list"]).exits(9);
    assert!(out.stderr.contains("pg.password: No such file"), "{}", out.stderr);
    fs::write(env.path("pg.password"), "hunter2").unwrap();
    let out = s.jml(&env, &["run", "list"]).exits(9);
    assert!(
        out.stderr.contains("others can open it") && !out.stderr.contains("hunter2"),
        "{}",
        out.stderr
    );
}
