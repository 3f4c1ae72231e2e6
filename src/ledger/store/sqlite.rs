//! One file on this machine: WAL, synced at each commit, and triggers that refuse what an append-only table must refuse.
//!
//! The triggers stop mistakes, not an owner of the file who means it: that is what the hashes and a checkpoint kept elsewhere show.

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter,
    types::Value,
};
use sha2::{Digest, Sha256};

use super::{Batch, Query, Seal, Store, image::Image, pauses_since, token};
use crate::ledger::{
    LedgerError,
    checkpoint::KeyPlace,
    entry::{Entry, Subject},
    lease::{Fence, Holder, Locks},
    pause::{Pauses, begins},
    seal::{Head, Row, Text},
};

/// Index columns of the envelope are computed from the very bytes that are hashed; those of a body lie with it, to be erased with it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS envelope (
  seq      INTEGER PRIMARY KEY,
  envelope TEXT NOT NULL,
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  run      TEXT AS (json_extract(envelope, '$.run')) VIRTUAL,
  kind     TEXT AS (json_extract(envelope, '$.kind')) VIRTUAL,
  time     TEXT AS (json_extract(envelope, '$.time')) VIRTUAL
) STRICT;
CREATE INDEX IF NOT EXISTS envelope_run ON envelope (run);
CREATE INDEX IF NOT EXISTS envelope_kind ON envelope (kind);
CREATE TABLE IF NOT EXISTS body (
  seq     INTEGER PRIMARY KEY,
  salt    BLOB NOT NULL,
  body    TEXT NOT NULL,
  subject TEXT,
  login   TEXT COLLATE NOCASE
) STRICT;
CREATE INDEX IF NOT EXISTS body_subject ON body (subject) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS body_login ON body (login) WHERE login IS NOT NULL;
CREATE TABLE IF NOT EXISTS lease (
  subject TEXT PRIMARY KEY,
  run     TEXT NOT NULL,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  since   TEXT NOT NULL,
  token   INTEGER NOT NULL,
  held    INTEGER NOT NULL,
  sum     TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS envelope_no_update BEFORE UPDATE ON envelope
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS envelope_no_delete BEFORE DELETE ON envelope
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS envelope_next BEFORE INSERT ON envelope
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM envelope)
  OR json_extract(NEW.envelope, '$.seq') IS NOT NEW.seq
  OR json_extract(NEW.envelope, '$.prev') IS NOT
     coalesce((SELECT lower(hex(hash)) FROM envelope ORDER BY seq DESC LIMIT 1), lower(hex(zeroblob(32))))
BEGIN SELECT RAISE(ABORT, 'the entry does not follow the last one'); END;
CREATE TRIGGER IF NOT EXISTS body_no_update BEFORE UPDATE ON body
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS body_belongs BEFORE INSERT ON body
WHEN NEW.seq IS NOT (SELECT max(seq) FROM envelope) OR EXISTS (SELECT 1 FROM body WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the body belongs to no new entry'); END;
";

pub struct Sqlite {
    db: Connection,
    path: PathBuf,
    key: PathBuf,
    image: Image,
}

impl Sqlite {
    /// Makes the file (0600) and its folder (0700) where they don't exist.
    pub fn open(path: &Path) -> Result<Sqlite, LedgerError> {
        let unusable = |e: std::io::Error| LedgerError::Store(format!("{}: {e}", path.display()));
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(unusable)?;
        }
        // SQLite would create with 0644; its -wal and -shm inherit the mode of the file.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(unusable)?;
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let db = Connection::open_with_flags(path, flags).map_err(failed)?;
        let version = |db: &Connection| db.pragma_query_value(None, "schema_version", |r| r.get::<_, i64>(0));
        let prepare = |db: &Connection| -> rusqlite::Result<bool> {
            db.busy_timeout(Duration::from_secs(10))?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            // WAL's usual NORMAL may lose the last commits at a power loss.
            db.pragma_update(None, "synchronous", "FULL")?;
            db.pragma_update(None, "trusted_schema", false)?;
            // Without it INSERT OR REPLACE deletes a row and the DELETE trigger never hears of it.
            db.pragma_update(None, "recursive_triggers", true)?;
            let before = version(db)?;
            db.execute_batch(SCHEMA)?;
            Ok(version(db)? != before)
        };
        let mut image = Image::open(path).map_err(unusable)?;
        // All of this is fixed text: where SQLite finds an error in it, the file is not what it seems.
        let foreign = |e: rusqlite::Error| match e.sqlite_error_code() {
            Some(ErrorCode::Unknown) => LedgerError::Corrupt {
                seq: None,
                why: e.to_string(),
            },
            _ => failed(e),
        };
        if prepare(&db).map_err(foreign)? {
            image.writes().map_err(unusable)?;
        }
        Ok(Sqlite {
            db,
            path: path.to_owned(),
            key: path.with_extension("key"),
            image,
        })
    }

    pub fn with_key(mut self, key: &Path) -> Sqlite {
        key.clone_into(&mut self.key);
        self
    }

    /// Deferred transactions that upgrade get SQLITE_BUSY at once, whatever the timeout: every write begins as one.
    fn begin(&mut self) -> Result<Transaction<'_>, LedgerError> {
        self.image
            .writes()
            .map_err(|e| LedgerError::Store(format!("{}: {e}", self.path.display())))?;
        self.db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let Sqlite { db, image, .. } = self;
        let whole = || {
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
                .is_ok_and(|busy| busy == 0)
        };
        // Without a digest less is noticed, and nothing is lost.
        drop(image.ends(whole));
    }
}

fn failed(e: rusqlite::Error) -> LedgerError {
    match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LedgerError::Corrupt {
            seq: None,
            why: e.to_string(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            LedgerError::Store("another process has kept it locked for 10 s".into())
        }
        _ => LedgerError::Store(e.to_string()),
    }
}

fn head(tx: &Transaction<'_>) -> Result<Head, LedgerError> {
    let last = tx
        .prepare_cached("SELECT seq, hash, json_extract(envelope, '$.tenant') FROM envelope ORDER BY seq DESC LIMIT 1")
        .and_then(|mut s| {
            s.query_row([], |r| {
                Ok(Head {
                    seq: r.get(0)?,
                    hash: r.get(1)?,
                    tenant: r.get(2)?,
                })
            })
            .optional()
        });
    Ok(last.map_err(failed)?.unwrap_or_default())
}

fn fenced(tx: &Transaction<'_>, fence: &Fence) -> Result<bool, LedgerError> {
    tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM lease WHERE subject = ?1 AND token = ?2 AND held = 1)")
        .and_then(|mut s| s.query_row(params![fence.subject, fence.token], |r| r.get(0)))
        .map_err(failed)
}

/// The last holder of the subject, its token, and whether it still holds.
fn leased(db: &Connection, subject: &str) -> rusqlite::Result<Option<(Holder, i64, bool)>> {
    db.prepare_cached("SELECT run, host, pid, since, token, held FROM lease WHERE subject = ?1")?
        .query_row([subject], |r| {
            let holder = Holder {
                run: r.get(0)?,
                host: r.get(1)?,
                pid: r.get(2)?,
                since: r.get::<_, String>(3)?.parse().unwrap_or(DateTime::UNIX_EPOCH),
            };
            Ok((holder, r.get(4)?, r.get(5)?))
        })
        .optional()
}

fn write_lease(db: &Connection, subject: &str, holder: &Holder, token: i64, held: bool) -> rusqlite::Result<()> {
    let sum = lease_sum(subject, holder, token, held);
    let Holder { run, host, pid, since } = holder;
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    db.prepare_cached("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![subject, run, host, pid, since, token, held, sum])?;
    Ok(())
}

/// Leases are no evidence and lie outside the chain; a damaged one is still told from a good one.
fn lease_sum(subject: &str, holder: &Holder, token: i64, held: bool) -> String {
    let Holder { run, host, pid, since } = holder;
    let since = since.timestamp_millis();
    hex::encode(Sha256::digest(format!(
        "{subject}\n{run}\n{host}\n{pid}\n{since}\n{token}\n{held}"
    )))
}

/// Every table, index and trigger as this release makes them.
fn guards(db: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect()
}

fn insert(tx: &Transaction<'_>, row: &Row) -> rusqlite::Result<()> {
    // Canonical JSON is UTF-8: it is written as the text that the columns are computed from.
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    tx.prepare_cached("INSERT INTO envelope (seq, envelope, hash) VALUES (?1, ?2, ?3)")?
        .execute(params![row.seq, text(&row.envelope), row.hash])?;
    if let Some(t) = &row.text {
        tx.prepare_cached("INSERT INTO body (seq, salt, body, subject, login) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row.seq, t.salt, text(&t.body), t.subject, t.login])?;
    }
    Ok(())
}

/// What was said of pauses so far, in this transaction too.
fn pauses(db: &Connection, now: DateTime<Utc>) -> Result<Pauses, LedgerError> {
    let mut pauses = Pauses::default();
    each_row(db, &pauses_since(now), &mut |row| {
        pauses.take(&row.entry()?);
        Ok(true)
    })?;
    Ok(pauses)
}

fn one(
    tx: &Transaction<'_>,
    now: DateTime<Utc>,
    seal: Seal<'_>,
    at: &mut Head,
    (guard, drafts): Batch,
) -> Result<Result<Vec<Entry>, LedgerError>, LedgerError> {
    for fence in &guard.fences {
        if !fenced(tx, fence)? {
            return Ok(Err(LedgerError::LeaseLost {
                subject: fence.subject.clone(),
            }));
        }
    }
    if begins(&drafts)
        && let Some(pause) = pauses(tx, now)?.refuses(&guard, &drafts, now)
    {
        return Ok(Err(LedgerError::Paused(pause)));
    }
    let mut entries = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let fence = token(&guard, &draft);
        let (row, entry) = seal(at, fence, draft)?;
        insert(tx, &row).map_err(failed)?;
        *at = row.head()?;
        entries.push(entry);
    }
    Ok(Ok(entries))
}

/// Joined from `body` where a body's column is asked for, so that its index is used.
fn sql(query: &Query) -> (String, Vec<Value>) {
    let body = if query.bare { "''" } else { "b.body" };
    let join = if query.subject.is_some() || query.login.is_some() {
        "body b CROSS JOIN envelope e ON e.seq = b.seq"
    } else {
        "envelope e LEFT JOIN body b ON b.seq = e.seq"
    };
    let mut wheres = vec!["e.seq > ?1".to_owned()];
    let mut values = vec![Value::Integer(query.after)];
    let mut put = |what: &str, value: String| {
        values.push(Value::Text(value));
        wheres.push(what.replace("??", &format!("?{}", values.len())));
    };
    if let Some(t) = query.since {
        // Fractions vary in length and don't sort as text: whole seconds here, the rest by the caller.
        put(
            "substr(e.time, 1, 19) >= substr(??, 1, 19)",
            t.to_rfc3339_opts(SecondsFormat::Secs, true),
        );
    }
    if let Some(run) = &query.run {
        put("e.run = ??", run.clone());
    }
    if let Some(prefix) = &query.prefix {
        put("substr(e.run, 1, length(??)) = ??", prefix.clone());
    }
    if let Some(subject) = &query.subject {
        put("b.subject = ??", subject.clone());
    }
    if let Some(login) = &query.login {
        put("b.login = ??", login.clone());
    }
    if !query.kinds.is_empty() {
        // Names of ours, out of `Body::kind`.
        let kinds: Vec<String> = query.kinds.iter().map(|k| format!("'{k}'")).collect();
        wheres.push(format!("e.kind IN ({})", kinds.join(", ")));
    }
    let text = format!(
        "SELECT e.seq, e.envelope, e.hash, b.salt, {body}, b.subject, b.login, b.seq FROM {join} WHERE {} ORDER BY e.seq",
        wheres.join(" AND ")
    );
    (text, values)
}

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    // As bytes: a damaged text is no UTF-8, and it is `proof` that has to say so.
    let bytes =
        |i: usize| -> rusqlite::Result<Vec<u8>> { Ok(r.get_ref(i)?.as_bytes_or_null()?.unwrap_or_default().to_vec()) };
    let word = |i: usize| -> rusqlite::Result<Option<String>> {
        Ok(r.get_ref(i)?
            .as_bytes_or_null()?
            .map(|b| String::from_utf8_lossy(b).into_owned()))
    };
    Ok(Row {
        seq: r.get(0)?,
        envelope: bytes(1)?,
        hash: bytes(2)?,
        text: match r.get::<_, Option<i64>>(7)? {
            None => None,
            Some(_) => Some(Text {
                salt: bytes(3)?,
                body: bytes(4)?,
                subject: word(5)?,
                login: word(6)?,
            }),
        },
    })
}

/// Gives rows until told `false`.
fn each_row(
    db: &Connection,
    query: &Query,
    each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
) -> Result<(), LedgerError> {
    let (text, values) = sql(query);
    let mut statement = db.prepare_cached(&text).map_err(failed)?;
    let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
    while let Some(r) = rows.next().map_err(failed)? {
        let row = row(r).map_err(failed)?;
        if let Some(since) = query.since
            && row.envelope()?.time < since
        {
            continue;
        }
        // NOCASE looks no further than a NUL.
        if let Some(login) = &query.login
            && !row
                .text
                .as_ref()
                .and_then(|t| t.login.as_ref())
                .is_some_and(|l| l.eq_ignore_ascii_case(login))
        {
            continue;
        }
        if !each(row)? {
            break;
        }
    }
    Ok(())
}

impl Store for Sqlite {
    fn append(
        &mut self,
        now: DateTime<Utc>,
        seal: Seal<'_>,
        batches: Vec<Batch>,
    ) -> Vec<Result<Vec<Entry>, LedgerError>> {
        let count = batches.len();
        let written = self.begin().and_then(|tx| {
            let mut at = head(&tx)?;
            let answers = batches
                .into_iter()
                .map(|b| one(&tx, now, seal, &mut at, b))
                .collect::<Result<Vec<_>, _>>()?;
            tx.commit().map_err(failed)?;
            Ok(answers)
        });
        written.unwrap_or_else(|e| vec![Err(e); count])
    }

    fn read(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        each_row(&self.db, query, each)
    }

    fn lease(
        &mut self,
        subjects: &[Subject],
        holder: &Holder,
        dead: &dyn Fn(&Holder) -> bool,
    ) -> Result<Vec<Fence>, LedgerError> {
        let tx = self.begin()?;
        let mut fences = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let token = match leased(&tx, subject).map_err(failed)? {
                Some((other, _, true)) if other.run != holder.run && !dead(&other) => {
                    return Err(other.holds(subject, None));
                }
                Some((_, token, _)) => token + 1,
                None => 1,
            };
            write_lease(&tx, subject, holder, token, true).map_err(failed)?;
            fences.push(Fence {
                subject: subject.clone(),
                token,
            });
        }
        tx.commit().map_err(failed)?;
        Ok(fences)
    }

    fn release(&mut self, fences: &[Fence]) -> Result<(), LedgerError> {
        let tx = self.begin()?;
        for f in fences {
            if let Some((holder, token, true)) = leased(&tx, &f.subject).map_err(failed)?
                && token == f.token
            {
                write_lease(&tx, &f.subject, &holder, token, false).map_err(failed)?;
            }
        }
        tx.commit().map_err(failed)
    }

    fn key(&self) -> KeyPlace {
        KeyPlace::File(self.key.clone())
    }

    fn locks(&self) -> Locks {
        Locks::Files(self.path.with_extension("locks"))
    }

    fn sound(&mut self) -> Result<(), LedgerError> {
        let whole = |why: String| LedgerError::Corrupt { seq: None, why };
        let damaged = |e: rusqlite::Error| whole(e.to_string());
        let said: String = self
            .db
            .query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))
            .map_err(damaged)?;
        if said != "ok" {
            return Err(whole(said));
        }
        let fresh = Connection::open_in_memory().map_err(failed)?;
        fresh.execute_batch(SCHEMA).map_err(failed)?;
        if guards(&self.db).map_err(damaged)? != guards(&fresh).map_err(failed)? {
            return Err(whole("its tables or triggers are not as jml made them".into()));
        }
        let stray: Option<i64> = self
            .db
            .query_row(
                "SELECT seq FROM body WHERE seq NOT IN (SELECT seq FROM envelope) LIMIT 1",
                [],
                |r| r.get(0),
            )
            .optional()
            .map_err(damaged)?;
        if let Some(seq) = stray {
            return Err(LedgerError::corrupt(
                seq,
                "its envelope is gone, its body is still there",
            ));
        }
        let leases = || -> rusqlite::Result<bool> {
            let mut statement = self.db.prepare("SELECT subject, sum FROM lease")?;
            let all: Vec<(String, String)> = statement
                .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (subject, sum) in all {
                match leased(&self.db, &subject)? {
                    Some((holder, token, held)) if lease_sum(&subject, &holder, token, held) == sum => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        };
        if !leases().map_err(damaged)? {
            return Err(whole("a lease is not as it was written".into()));
        }
        match self.image.holds() {
            Ok(true) => Ok(()),
            Ok(false) => Err(whole(
                "bytes of it have changed since jml last wrote it, though every entry holds".into(),
            )),
            Err(e) => Err(LedgerError::Store(format!("{}: {e}", self.path.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ledger::{Guard, Ledger, tests::*};

    #[tokio::test]
    async fn entries_can_only_be_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("00o1.db");
        let ledger = Ledger::open(&path, None, meta(), clock()).unwrap();
        ledger
            .append(&Guard::default(), drafts("r-1", [opened("leaver"), planned(leaver())]))
            .await
            .unwrap();
        drop(ledger);
        let store = Sqlite::open(&path).unwrap();
        for (sql, why) in [
            ("UPDATE envelope SET envelope = '{}' WHERE seq = 1", "append-only"),
            ("DELETE FROM envelope WHERE seq = 2", "append-only"),
            ("UPDATE body SET body = '{}' WHERE seq = 1", "append-only"),
            (
                "INSERT OR REPLACE INTO envelope (seq, envelope, hash) SELECT seq, envelope, zeroblob(32) FROM envelope WHERE seq = 2",
                "does not follow",
            ),
            (
                "INSERT INTO envelope (seq, envelope, hash) SELECT 4, envelope, hash FROM envelope WHERE seq = 2",
                "does not follow",
            ),
            (
                "INSERT INTO envelope (seq, envelope, hash) SELECT 3, envelope, hash FROM envelope WHERE seq = 2",
                "does not follow",
            ),
            (
                "INSERT OR REPLACE INTO body SELECT * FROM body WHERE seq = 2",
                "no new entry",
            ),
            (
                "INSERT INTO body (seq, salt, body) VALUES (3, x'00', '{}')",
                "no new entry",
            ),
        ] {
            let error = store.db.execute_batch(sql).unwrap_err().to_string();
            assert!(error.contains(why), "{sql}: {error}");
        }
    }

    #[tokio::test]
    async fn only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/00o1.db");
        let ledger = Ledger::open(&path, None, meta(), clock()).unwrap();
        let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
        ledger.checkpoint().await.unwrap();
        let mode = |p: &str| {
            let meta = std::fs::metadata(folder.path().join(p)).unwrap();
            meta.permissions().mode() & 0o777
        };
        for file in ["00o1.db", "00o1.db-wal", "00o1.key", "00o1.locks/r-1"] {
            assert_eq!(mode(&format!("state/{file}")), 0o600, "{file}");
        }
        assert_eq!((mode("state"), mode("state/00o1.locks")), (0o700, 0o700));
        drop((lease, ledger));
        // One file to back up, and no lock of a run that has ended.
        let left: Vec<_> = std::fs::read_dir(folder.path().join("state"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .filter(|n| n.to_string_lossy().contains('-'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(!folder.path().join("state/00o1.locks/r-1").exists());
    }

    #[test]
    fn what_is_no_ledger_is_damaged_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("00o1.db");
        std::fs::write(
            &path,
            "not a database, and quite long enough to be told from one".repeat(20),
        )
        .unwrap();
        let error = Sqlite::open(&path).map(drop).unwrap_err();
        assert!(matches!(error, LedgerError::Corrupt { seq: None, .. }), "{error}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a database"));
    }
}
