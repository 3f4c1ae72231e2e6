//! On a real server, which `.ci/postgres` starts: JML_POSTGRES is the URL of a superuser there. Each test makes a database of its own.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio_postgres::{Client, Config, NoTls, config};

use super::*;
use crate::ledger::{Filter, Guard, Ledger, tests::*};

/// A database with a ledger in it, made by its owner as the documents say.
pub(crate) struct Fresh {
    root: Config,
    database: String,
    key: tempfile::TempDir,
}

const OWNER: &str = "jml_owner";
const JML: &str = "jml";

impl Fresh {
    pub(crate) async fn made() -> Fresh {
        let fresh = Fresh::bare("UTF8").await;
        let owner = fresh.enter(OWNER).await;
        owner.batch_execute(&script(JML)).await.unwrap();
        fresh
    }

    async fn bare(encoding: &str) -> Fresh {
        #[allow(
            clippy::disallowed_methods,
            reason = "a test that only runs where it is told where a server is"
        )]
        let url = std::env::var("JML_POSTGRES").expect("JML_POSTGRES is the URL of a superuser");
        let mut name = [0; 8];
        rand::fill(&mut name).unwrap();
        let fresh = Fresh {
            root: url.parse().unwrap(),
            database: format!("jml_{}", hex::encode(name)),
            key: tempfile::tempdir().unwrap(),
        };
        let (root, line) = fresh.root.connect(NoTls).await.unwrap();
        tokio::spawn(line);
        for role in [OWNER, JML] {
            // Another test may have made it.
            let _ = root.batch_execute(&format!("CREATE ROLE {role} LOGIN")).await;
        }
        let make = format!(
            "CREATE DATABASE {} OWNER {OWNER} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0",
            fresh.database
        );
        root.batch_execute(&make).await.unwrap();
        fresh
    }

    /// As that role, past jml.
    async fn enter(&self, role: &str) -> Client {
        let mut config = self.root.clone();
        let (client, line) = config.user(role).dbname(&self.database).connect(NoTls).await.unwrap();
        tokio::spawn(line);
        client
    }
    async fn root(&self) -> Client {
        let role = self.root.get_user().unwrap().to_owned();
        self.enter(&role).await
    }

    fn server(&self, role: &str) -> Server {
        Server {
            host: match &self.root.get_hosts()[0] {
                config::Host::Tcp(name) => Host::Name(name.clone()),
                config::Host::Unix(folder) => Host::Socket(folder.clone()),
            },
            port: self.root.get_ports().first().copied().unwrap_or(5432),
            user: role.into(),
            database: self.database.clone(),
            password: None,
            tls: None,
        }
    }
    fn opened(&self, role: &str) -> Result<Ledger, LedgerError> {
        let key = self.key.path().join("ledger.key");
        Ledger::shared(self.server(role), key, meta(), clock())
    }
    pub(crate) fn ledger(&self) -> Ledger {
        self.opened(JML).unwrap()
    }
}

/// Without psql.
fn script(role: &str) -> String {
    SCHEMA.replace(":\"jml\"", role)
}

async fn wrote(ledger: &Ledger) {
    let bodies = drafts("r-1", [opened("leaver"), planned(leaver())]);
    ledger.append(&Guard::default(), bodies).await.unwrap();
}

/// As time does it.
async fn expire(fresh: &Fresh) {
    let root = fresh.root().await;
    root.batch_execute("UPDATE jml.lease SET expires = clock_timestamp()")
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn the_role_of_jml_can_only_add() {
    let fresh = Fresh::made().await;
    wrote(&fresh.ledger()).await;
    let jml = fresh.enter(JML).await;
    for sql in [
        "UPDATE jml.envelope SET hash = hash",
        "DELETE FROM jml.envelope",
        "TRUNCATE jml.envelope",
        "UPDATE jml.body SET body = '{}'",
        "DELETE FROM jml.body",
        "TRUNCATE jml.body",
        "DELETE FROM jml.lease",
        "ALTER TABLE jml.envelope DISABLE TRIGGER ALL",
        "DROP TRIGGER envelope_follows ON jml.envelope",
        "CREATE OR REPLACE FUNCTION jml.follows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TABLE jml.other ()",
        "SET session_replication_role = replica",
        "SELECT setval('jml.x', 1)",
    ] {
        let error = jml.batch_execute(sql).await.unwrap_err();
        let said = error.as_db_error().unwrap().message().to_owned();
        let refused = ["permission denied", "must be owner", "does not exist"];
        assert!(refused.iter().any(|r| said.contains(r)), "{sql}: {said}");
    }
    assert_eq!(fresh.ledger().verify(None).await.unwrap().bad, None);
}

/// Its owner, by mistake: who means it can drop the triggers, which is what hashes and checkpoints are for.
#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn entries_can_only_be_added_and_only_in_order() {
    let fresh = Fresh::made().await;
    wrote(&fresh.ledger()).await;
    let owner = fresh.enter(OWNER).await;
    for (sql, why) in [
        ("UPDATE jml.envelope SET hash = hash WHERE seq = 1", "append-only"),
        ("DELETE FROM jml.envelope WHERE seq = 2", "append-only"),
        ("TRUNCATE jml.envelope", "append-only"),
        ("UPDATE jml.body SET body = '{}' WHERE seq = 1", "append-only"),
        ("TRUNCATE jml.body", "append-only"),
        (
            "INSERT INTO jml.envelope (seq, envelope, hash) SELECT 4, envelope, hash FROM jml.envelope WHERE seq = 2",
            "does not follow",
        ),
        (
            "INSERT INTO jml.envelope (seq, envelope, hash) SELECT 3, envelope, hash FROM jml.envelope WHERE seq = 2",
            "does not follow",
        ),
        (
            "INSERT INTO jml.envelope (seq, envelope, hash) SELECT 2, envelope, hash FROM jml.envelope WHERE seq = 2
             ON CONFLICT (seq) DO UPDATE SET hash = excluded.hash",
            "does not follow",
        ),
        (
            "DELETE FROM jml.body WHERE seq = 2; INSERT INTO jml.body (seq, salt, body) VALUES (2, '', '{}')",
            "no new entry",
        ),
        (
            "INSERT INTO jml.body (seq, salt, body) VALUES (3, '', '{}')",
            "no new entry",
        ),
    ] {
        let error = owner.batch_execute(sql).await.unwrap_err();
        let said = error.as_db_error().unwrap().message().to_owned();
        assert!(said.contains(why), "{sql}: {said}");
    }
    assert_eq!(fresh.ledger().verify(None).await.unwrap().bad, None);
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn a_ledger_whose_triggers_were_changed_is_unsound() {
    for sql in [
        "ALTER TABLE jml.envelope DISABLE TRIGGER envelope_append_only",
        "DROP TRIGGER body_belongs ON jml.body",
        "CREATE OR REPLACE FUNCTION jml.follows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER more BEFORE INSERT ON jml.body FOR EACH ROW EXECUTE FUNCTION jml.belongs()",
    ] {
        let fresh = Fresh::made().await;
        let ledger = fresh.ledger();
        wrote(&ledger).await;
        assert_eq!(ledger.verify(None).await.unwrap().bad, None);
        fresh.enter(OWNER).await.batch_execute(sql).await.unwrap();
        let bad = ledger.verify(None).await.unwrap().bad.expect(sql);
        assert_eq!(bad.why, "its triggers are not as jml's script makes them", "{sql}");
    }
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn what_was_rewritten_by_the_owner_is_found_by_the_hashes() {
    for sql in [
        "UPDATE jml.body SET body = replace(body, 'dana', 'eve') WHERE seq = 1",
        "UPDATE jml.body SET login = 'bob@acme.example' WHERE seq = 2",
        "UPDATE jml.envelope SET envelope = replace(envelope, 'ops-1', 'ops-2') WHERE seq = 1",
        "DELETE FROM jml.envelope WHERE seq = 2",
    ] {
        let fresh = Fresh::made().await;
        wrote(&fresh.ledger()).await;
        let root = fresh.root().await;
        let past = format!("SET session_replication_role = replica; {sql}");
        root.batch_execute(&past).await.unwrap();
        assert!(fresh.ledger().verify(None).await.unwrap().bad.is_some(), "{sql}");
    }
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn an_expired_lease_is_lost_and_the_next_holder_has_a_higher_token() {
    let fresh = Fresh::made().await;
    let (one, two) = (fresh.ledger(), fresh.ledger());
    let alice = ["00u1".to_owned()];
    let lease = one.lease(&alice, "r-1").await.unwrap();
    let held = two.lease(&alice, "r-2").await.unwrap_err();
    let LedgerError::LeaseHeld { ends: Some(ends), .. } = held else {
        panic!("{held}")
    };
    assert!(ends <= LEASE && ends > LEASE / 2, "{ends:?}");
    expire(&fresh).await;
    // Though nobody has taken it: who was away can't know.
    let lost = Err(LedgerError::LeaseLost { subject: "00u1".into() });
    let write = || drafts("r-1", [planned(leaver())]);
    assert_eq!(one.append(&lease.guard(), write()).await, lost);
    // Nor does it come back by being refreshed.
    one.ask(|k| k.store.refresh()).await.unwrap();
    assert_eq!(one.append(&lease.guard(), write()).await, lost);
    let taken = two.lease(&alice, "r-2").await.unwrap();
    assert_eq!(taken.guard().fences[0].token, 2);
    one.ask(|k| k.store.refresh()).await.unwrap();
    assert_eq!(one.append(&lease.guard(), write()).await, lost);
    assert_eq!(
        two.append(&taken.guard(), drafts("r-2", [planned(leaver())])).await,
        Ok(vec![1])
    );
    // What it gives back is not the other's.
    lease.release().await.unwrap();
    two.append(&taken.guard(), drafts("r-2", [started(0)])).await.unwrap();
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn a_lease_that_is_refreshed_lives_on() {
    let fresh = Fresh::made().await;
    let ledger = fresh.ledger();
    let lease = ledger.lease(&["00u1".to_owned()], "r-1").await.unwrap();
    let root = fresh.root().await;
    root.batch_execute("UPDATE jml.lease SET expires = clock_timestamp() + interval '5 s'")
        .await
        .unwrap();
    ledger.ask(|k| k.store.refresh()).await.unwrap();
    let left = "SELECT expires > clock_timestamp() + interval '20 s' FROM jml.lease";
    assert!(root.query_one_scalar::<bool, _>(left, &[]).await.unwrap());
    lease.release().await.unwrap();
    let left = "SELECT expires < clock_timestamp() FROM jml.lease";
    assert!(root.query_one_scalar::<bool, _>(left, &[]).await.unwrap());
}

/// Each connection of jml is cut between two calls and in the middle of one.
#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn a_connection_that_is_cut_is_opened_again() {
    let fresh = Fresh::made().await;
    let ledger = fresh.ledger();
    wrote(&ledger).await;
    let root = fresh.root().await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'jml' AND datname = current_database()";
    assert_eq!(root.query_one_scalar::<i64, _>(cut, &[]).await.unwrap(), 1);
    wrote(&ledger).await;
    // Somebody keeps the lock; whoever waits in line for it is cut off there.
    root.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7040364)")
        .await
        .unwrap();
    let other = fresh.root().await;
    let waiting = async {
        let here = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'jml' AND datname = current_database() AND wait_event_type = 'Lock'";
        while other.query_one_scalar::<i64, _>(here, &[]).await.unwrap() == 0 {}
        other.query_one_scalar::<i64, _>(cut, &[]).await.unwrap();
        root.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(wrote(&ledger), waiting);
    let verdict = ledger.verify(None).await.unwrap();
    assert_eq!((verdict.entries, verdict.bad), (6, None));
}

type See = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Passes everything on, but for the answer to the first COMMIT: then it hangs up. Gives its port.
fn lossy(server: &Server) -> u16 {
    let Host::Name(name) = &server.host else {
        panic!("JML_POSTGRES names no host")
    };
    let to = (name.clone(), server.port);
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = door.local_addr().unwrap().port();
    let committed = Arc::new(AtomicU8::new(0));
    std::thread::spawn(move || {
        for client in door.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&to).unwrap();
            let (mut up, mut down) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (asked, answered) = (committed.clone(), committed.clone());
            let copy = |mut from: TcpStream, mut see: See| {
                std::thread::spawn(move || {
                    let mut chunk = [0; 1 << 16];
                    while let Ok(n @ 1..) = from.read(&mut chunk)
                        && see(&chunk[..n])
                    {}
                    let _ = from.shutdown(Shutdown::Both);
                })
            };
            copy(
                client,
                Box::new(move |bytes| {
                    if bytes.ends_with(b"COMMIT\0") {
                        let _ = asked.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
                    }
                    up.write_all(bytes).is_ok()
                }),
            );
            copy(
                server,
                Box::new(move |bytes| {
                    if answered
                        .compare_exchange(1, 2, Ordering::SeqCst, Ordering::SeqCst)
                        .is_ok()
                    {
                        let _ = down.shutdown(Shutdown::Both);
                        return false;
                    }
                    down.write_all(bytes).is_ok()
                }),
            );
        }
    });
    port
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn a_commit_whose_answer_was_lost_is_not_written_twice() {
    let fresh = Fresh::made().await;
    let mut server = fresh.server(JML);
    server.port = lossy(&server);
    let lost = Ledger::shared(server, fresh.key.path().join("ledger.key"), meta(), clock()).unwrap();
    let bodies = || drafts("r-1", [opened("leaver"), planned(leaver())]);
    let made = lost.append_entries(&Guard::default(), bodies()).await.unwrap();
    assert_eq!(fresh.ledger().entries(Filter::default()).await.unwrap(), made);
    let after = lost.append(&Guard::default(), bodies()).await.unwrap();
    assert_eq!(after, [3, 4]);
    assert_eq!(fresh.ledger().verify(None).await.unwrap().bad, None);
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn what_is_no_ledger_is_told_from_a_server_that_is_not_there() {
    let bare = Fresh::bare("UTF8").await;
    let refused = |fresh: &Fresh, role| fresh.opened(role).map(drop).unwrap_err();
    let e = refused(&bare, JML);
    assert!(matches!(e, LedgerError::NotMade(_)), "{e}");
    let e = refused(&bare, "nobody_of_that_name");
    assert!(matches!(e, LedgerError::Denied(_)), "{e}");
    let made = Fresh::made().await;
    let owner = made.enter(OWNER).await;
    owner.batch_execute("REVOKE SELECT ON jml.body FROM jml").await.unwrap();
    let e = refused(&made, JML);
    assert!(matches!(e, LedgerError::Denied(_)), "{e}");
    let e = refused(&Fresh::bare("SQL_ASCII").await, JML);
    assert!(e.to_string().contains("a ledger needs UTF8"), "{e}");
    let e = refused(
        &Fresh {
            database: "none_of_that_name".into(),
            ..bare
        },
        JML,
    );
    assert!(matches!(e, LedgerError::NotMade(_)), "{e}");
}

/// Nobody listens on the first port.
#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let server = Server {
        host: Host::Name("127.0.0.1".into()),
        port: 1,
        user: JML.into(),
        database: "ledger".into(),
        password: None,
        tls: None,
    };
    let e = Ledger::shared(server, "k".into(), meta(), clock())
        .map(drop)
        .unwrap_err();
    assert_eq!(
        e.to_string(),
        "the ledger can't be reached: ledger at 127.0.0.1:1 as jml: error connecting to server: Connection refused"
    );
}

#[tokio::test]
#[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
async fn whoever_could_rewrite_it_is_named() {
    let fresh = Fresh::made().await;
    let rights = async |role| fresh.opened(role).unwrap().rights().await.unwrap().unwrap();
    let good = rights(JML).await;
    assert_eq!((good.owner.as_str(), good.excess.as_slice()), (OWNER, [].as_slice()));
    assert_eq!(rights(OWNER).await.excess, ["it owns the tables"]);
    let root = fresh.root.get_user().unwrap().to_owned();
    assert_eq!(rights(&root).await.excess, ["it is a superuser"]);
    let owner = fresh.enter(OWNER).await;
    owner.batch_execute("GRANT DELETE ON jml.body TO jml").await.unwrap();
    assert_eq!(rights(JML).await.excess, ["it may DELETE on jml.body"]);
}
