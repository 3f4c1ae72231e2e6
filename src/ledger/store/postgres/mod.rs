//! A database that several hosts share. Its owner made the tables (`schema.sql`); jml's role may add to them and read them.
//!
//! One writer at a time: each transaction that writes begins with the same advisory lock, which ends with it. Leases live by the server's
//! clock, are refreshed from time to time, and each entry is written only while the lease it stands under is alive.

mod door;
mod rights;
#[cfg(test)]
pub(crate) mod tests;

use std::{path::PathBuf, time::Duration};

use aws_lc_rs::rand;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::try_join;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{
    Client,
    types::{ToSql, Type},
};

pub use door::{Host, Server};
pub use rights::Rights;

use super::{Batch, Query, Seal, Store, pauses_since, token};
use crate::ledger::{
    LedgerError,
    checkpoint::KeyPlace,
    entry::{Entry, Seq, Subject},
    lease::{Fence, Holder, Locks},
    pause::{Pauses, begins},
    seal::{Hash, Head, Row, Text},
};
use door::{PATIENCE, failed};

/// What the owner runs once.
pub const SCHEMA: &str = include_str!("schema.sql");

/// How long a lease lives without being refreshed: what a killed run keeps others waiting.
const LEASE: Duration = Duration::from_secs(30);
/// Three of these fit into a lease.
const PULSE: Duration = Duration::from_secs(10);

/// The number is "jml" in ASCII; locks of one database share one space.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(7040364)";

/// Rows of one page of a read: few at first, for many a question is about the first row.
const FIRST: i64 = 16;
const PAGE: i64 = 1000;

pub struct Postgres {
    runtime: Runtime,
    server: Server,
    client: Option<Client>,
    /// Whose leases are ours: no other process, on this host or another, has the same.
    session: String,
    key: PathBuf,
}

type Params<'a> = Vec<(&'a (dyn ToSql + Sync), Type)>;
type Values = Vec<(Box<dyn ToSql + Sync>, Type)>;

fn silent(server: &Server) -> LedgerError {
    LedgerError::Unreachable(format!("{server}: no answer for {} s", PATIENCE.as_secs()))
}

impl Postgres {
    /// `key` signs checkpoints. Not to be called from within a runtime: the thread of the ledger waits by itself.
    pub fn open(server: Server, key: PathBuf) -> Result<Postgres, LedgerError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| LedgerError::Store(e.to_string()))?;
        let mut session = [0; 16];
        rand::fill(&mut session).map_err(|_| LedgerError::Store("the system gives no random bytes".into()))?;
        let mut store = Postgres {
            runtime,
            server,
            client: None,
            session: hex::encode(session),
            key,
        };
        // Whether the tables are there, and ours to read, is said at once.
        let made = store.work(async |c| {
            let sql = "SELECT FROM jml.envelope, jml.body, jml.lease LIMIT 0";
            c.query_typed(sql, &[]).await.map_err(|e| failed(&e))
        });
        match made {
            Err(LedgerError::NotMade(why)) => Err(LedgerError::NotMade(format!("{}: {why}", store.server))),
            other => other.map(|_| store),
        }
    }

    /// Does it on the open connection. One that was lost is opened again, once: what `work` does must bear to be done twice.
    fn work<T>(&mut self, mut work: impl AsyncFnMut(&Client) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let Postgres {
            runtime,
            server,
            client,
            ..
        } = self;
        runtime.block_on(async {
            for again in [true, false] {
                let open = match client.take().filter(|c| !c.is_closed()) {
                    Some(open) => open,
                    // A line that was cut says nothing either while one goes in.
                    None => match tokio::time::timeout(PATIENCE, server.enter()).await {
                        Ok(entered) => entered?,
                        Err(_) => return Err(silent(server)),
                    },
                };
                // What was given up half is closed, and the server forgets it.
                let Ok(done) = tokio::time::timeout(PATIENCE, work(&open)).await else {
                    return Err(silent(server));
                };
                match done {
                    Err(LedgerError::Unreachable(_)) if again => {}
                    done => {
                        *client = Some(open);
                        return done;
                    }
                }
            }
            unreachable!("the second round returns")
        })
    }

    /// As `work`, in one transaction that excludes every other writer.
    fn alone<T>(&mut self, mut work: impl AsyncFnMut(&Client) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.work(async |c| {
            let done = match c.batch_execute(BEGIN).await.map_err(|e| failed(&e)) {
                Ok(()) => work(c).await,
                Err(e) => Err(e),
            };
            let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = c.batch_execute(end).await.map_err(|e| failed(&e));
            // The first error is the one that tells.
            done.and_then(|done| ended.map(|()| done))
        })
    }
}

async fn head(c: &Client) -> Result<Head, LedgerError> {
    let sql = "SELECT seq, hash, envelope::json ->> 'tenant' FROM jml.envelope ORDER BY seq DESC LIMIT 1";
    let Some(r) = c.query_typed_opt(sql, &[]).await.map_err(|e| failed(&e))? else {
        return Ok(Head::default());
    };
    let seq = get(&r, 0)?;
    Ok(Head {
        seq,
        hash: get::<Vec<u8>>(&r, 1)?
            .try_into()
            .map_err(|_| LedgerError::corrupt(seq, "the hash is not 32 bytes long"))?,
        tenant: get(&r, 2)?,
    })
}

/// Which of these are still alive.
async fn fenced(c: &Client, batches: &[Batch]) -> Result<Vec<Fence>, LedgerError> {
    let all: Vec<&Fence> = batches.iter().flat_map(|(guard, _)| &guard.fences).collect();
    if all.is_empty() {
        return Ok(vec![]);
    }
    let subjects: Vec<&[u8]> = all.iter().map(|f| f.subject.as_bytes()).collect();
    let tokens: Vec<i64> = all.iter().map(|f| f.token).collect();
    let sql = "
        SELECT f.subject, f.token FROM unnest($1, $2) AS f (subject, token)
        JOIN jml.lease l ON l.subject = f.subject AND l.token = f.token AND l.expires > clock_timestamp()";
    let rows = c
        .query_typed(sql, &[(&subjects, Type::BYTEA_ARRAY), (&tokens, Type::INT8_ARRAY)])
        .await
        .map_err(|e| failed(&e))?;
    rows.iter()
        .map(|r| {
            Ok(Fence {
                subject: word(get(r, 0)?),
                token: get(r, 1)?,
            })
        })
        .collect()
}

/// What was said of pauses so far: asked only where something begins.
async fn pauses(c: &Client, batches: &[Batch], now: DateTime<Utc>) -> Result<Pauses, LedgerError> {
    let mut pauses = Pauses::default();
    if !batches.iter().any(|(_, drafts)| begins(drafts)) {
        return Ok(pauses);
    }
    let (text, values) = sql(&pauses_since(now), PAGE);
    let params: Params<'_> = values.iter().map(|(v, kind)| (v.as_ref(), kind.clone())).collect();
    for r in c.query_typed(&text, &params).await.map_err(|e| failed(&e))? {
        pauses.take(&row(&r)?.entry()?);
    }
    Ok(pauses)
}

async fn insert(c: &Client, rows: &[Row]) -> Result<(), LedgerError> {
    // Canonical JSON is UTF-8: it is written as the text that the columns are computed from.
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let seqs: Vec<i64> = rows.iter().map(|r| r.seq).collect();
    let envelopes: Vec<String> = rows.iter().map(|r| text(&r.envelope)).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|r| r.hash.as_slice()).collect();
    let bodies: Vec<(i64, &Text)> = rows.iter().filter_map(|r| Some((r.seq, r.text.as_ref()?))).collect();
    let of: Vec<i64> = bodies.iter().map(|(seq, _)| *seq).collect();
    let salts: Vec<&[u8]> = bodies.iter().map(|(_, t)| t.salt.as_slice()).collect();
    let texts: Vec<String> = bodies.iter().map(|(_, t)| text(&t.body)).collect();
    let subjects: Vec<_> = bodies
        .iter()
        .map(|(_, t)| t.subject.as_deref().map(str::as_bytes))
        .collect();
    let logins: Vec<_> = bodies
        .iter()
        .map(|(_, t)| t.login.as_deref().map(str::as_bytes))
        .collect();
    let envelope: Params<'_> = vec![
        (&seqs, Type::INT8_ARRAY),
        (&envelopes, Type::TEXT_ARRAY),
        (&hashes, Type::BYTEA_ARRAY),
    ];
    let body: Params<'_> = vec![
        (&of, Type::INT8_ARRAY),
        (&salts, Type::BYTEA_ARRAY),
        (&texts, Type::TEXT_ARRAY),
        (&subjects, Type::BYTEA_ARRAY),
        (&logins, Type::BYTEA_ARRAY),
    ];
    // Both leave at once; the server does the first one first.
    let written = try_join!(
        c.execute_typed(
            "INSERT INTO jml.envelope (seq, envelope, hash) SELECT * FROM unnest($1, $2, $3) AS e (seq, envelope, hash) ORDER BY seq",
            &envelope,
        ),
        c.execute_typed(
            "INSERT INTO jml.body (seq, salt, body, subject, login) SELECT * FROM unnest($1, $2, $3, $4, $5)",
            &body,
        ),
    );
    written.map(drop).map_err(|e| failed(&e))
}

type Answers = Vec<Result<Vec<Entry>, LedgerError>>;

/// What each batch comes to, and the rows that make it so.
fn sealed(
    now: DateTime<Utc>,
    seal: Seal<'_>,
    mut at: Head,
    alive: &[Fence],
    mut pauses: Pauses,
    batches: Vec<Batch>,
) -> Result<(Vec<Row>, Answers), LedgerError> {
    let mut rows = vec![];
    let mut answers = vec![];
    for (guard, drafts) in batches {
        if let Some(lost) = guard.fences.iter().find(|f| !alive.contains(f)) {
            answers.push(Err(LedgerError::LeaseLost {
                subject: lost.subject.clone(),
            }));
            continue;
        }
        if let Some(pause) = pauses.refuses(&guard, &drafts, now) {
            answers.push(Err(LedgerError::Paused(pause)));
            continue;
        }
        let mut entries = vec![];
        for draft in drafts {
            let fence = token(&guard, &draft);
            let (row, entry) = seal(&at, fence, draft)?;
            at = row.head()?;
            rows.push(row);
            pauses.take(&entry);
            entries.push(entry);
        }
        answers.push(Ok(entries));
    }
    Ok((rows, answers))
}

async fn written(c: &Client, seq: Seq, hash: &Hash) -> Result<bool, LedgerError> {
    let sql = "SELECT FROM jml.envelope WHERE seq = $1 AND hash = $2";
    let hash = hash.as_slice();
    let params: Params<'_> = vec![(&seq, Type::INT8), (&hash, Type::BYTEA)];
    let found = c.query_typed_opt(sql, &params).await.map_err(|e| failed(&e))?;
    Ok(found.is_some())
}

/// One page of a read; the caller goes on after the last row.
fn sql(query: &Query, most: i64) -> (String, Values) {
    let body = if query.bare { "''" } else { "b.body" };
    let mut wheres = vec!["e.seq > $1".to_owned()];
    let mut values: Values = vec![(Box::new(query.after), Type::INT8)];
    let mut put = |what: &str, value: Box<dyn ToSql + Sync>, kind: Type| {
        values.push((value, kind));
        wheres.push(what.replace("??", &format!("${}", values.len())));
    };
    if let Some(t) = query.since {
        // Fractions vary in length and don't sort as text: whole seconds here, the rest by the caller.
        let whole = t.to_rfc3339_opts(SecondsFormat::Secs, true);
        let what = "substr(e.time, 1, 19) COLLATE \"C\" >= substr(??, 1, 19)";
        put(what, Box::new(whole), Type::TEXT);
    }
    if let Some(run) = &query.run {
        put("e.run = ??", Box::new(run.clone()), Type::TEXT);
    }
    if let Some(prefix) = &query.prefix {
        put("starts_with(e.run, ??)", Box::new(prefix.clone()), Type::TEXT);
    }
    if let Some(subject) = &query.subject {
        put("b.subject = ??", Box::new(subject.clone().into_bytes()), Type::BYTEA);
    }
    if let Some(login) = &query.login {
        let what = "lower(encode(b.login, 'escape') COLLATE \"C\") = lower(encode(??, 'escape') COLLATE \"C\")";
        put(what, Box::new(login.clone().into_bytes()), Type::BYTEA);
    }
    if !query.kinds.is_empty() {
        put("e.kind = ANY (??)", Box::new(query.kinds.clone()), Type::TEXT_ARRAY);
    }
    let text = format!(
        "SELECT e.seq, e.envelope, e.hash, b.salt, {body}, b.subject, b.login, b.seq FROM jml.envelope e
         LEFT JOIN jml.body b ON b.seq = e.seq WHERE {} ORDER BY e.seq LIMIT {most}",
        wheres.join(" AND ")
    );
    (text, values)
}

fn row(r: &tokio_postgres::Row) -> Result<Row, LedgerError> {
    Ok(Row {
        seq: get(r, 0)?,
        envelope: get::<String>(r, 1)?.into_bytes(),
        hash: get(r, 2)?,
        text: match get::<Option<i64>>(r, 7)? {
            None => None,
            Some(_) => Some(Text {
                salt: get(r, 3)?,
                body: get::<String>(r, 4)?.into_bytes(),
                subject: get::<Option<Vec<u8>>>(r, 5)?.map(word),
                login: get::<Option<Vec<u8>>>(r, 6)?.map(word),
            }),
        },
    })
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(r: &'a tokio_postgres::Row, i: usize) -> Result<T, LedgerError> {
    r.try_get(i).map_err(|e| LedgerError::Store(e.to_string()))
}

/// What was changed behind our back may be no UTF-8; `proof` finds it.
fn word(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Somebody else who works on one of the subjects, or on the run, now.
async fn held(c: &Client, subjects: &[&[u8]], run: &str, session: &str) -> Result<Option<LedgerError>, LedgerError> {
    let sql = "
        SELECT subject, run, host, pid, since, ceil(extract(epoch FROM expires - clock_timestamp()))::bigint FROM jml.lease
        WHERE expires > clock_timestamp()
          AND (subject = ANY ($1) AND (run <> $2 OR session <> $3) OR run = $2 AND session <> $3)
        ORDER BY subject = ANY ($1) DESC, subject LIMIT 1";
    let params: Params<'_> = vec![
        (&subjects, Type::BYTEA_ARRAY),
        (&run, Type::TEXT),
        (&session, Type::TEXT),
    ];
    let Some(r) = c.query_typed_opt(sql, &params).await.map_err(|e| failed(&e))? else {
        return Ok(None);
    };
    let holder = Holder {
        run: get(&r, 1)?,
        host: get(&r, 2)?,
        pid: u32::try_from(get::<i64>(&r, 3)?).unwrap_or(0),
        since: get::<DateTime<Utc>>(&r, 4)?,
    };
    let ends = Duration::from_secs(u64::try_from(get::<i64>(&r, 5)?).unwrap_or(0));
    Ok(Some(holder.holds(&word(get(&r, 0)?), Some(ends))))
}

async fn take(c: &Client, subjects: &[&[u8]], holder: &Holder, session: &str) -> Result<Vec<Fence>, LedgerError> {
    let sql = "
        INSERT INTO jml.lease AS l (subject, token, run, host, pid, since, session, expires)
        SELECT s, 1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7) FROM unnest($1) AS s
        ON CONFLICT (subject) DO UPDATE SET token = l.token + 1, run = excluded.run, host = excluded.host, pid = excluded.pid,
          since = excluded.since, session = excluded.session, expires = excluded.expires
        RETURNING subject, token";
    let (pid, lives) = (i64::from(holder.pid), LEASE.as_secs_f64());
    let params: Params<'_> = vec![
        (&subjects, Type::BYTEA_ARRAY),
        (&holder.run, Type::TEXT),
        (&holder.host, Type::TEXT),
        (&pid, Type::INT8),
        (&holder.since, Type::TIMESTAMPTZ),
        (&session, Type::TEXT),
        (&lives, Type::FLOAT8),
    ];
    let rows = c.query_typed(sql, &params).await.map_err(|e| failed(&e))?;
    let mut fences = rows
        .iter()
        .map(|r| {
            Ok(Fence {
                subject: word(get(r, 0)?),
                token: get(r, 1)?,
            })
        })
        .collect::<Result<Vec<_>, LedgerError>>()?;
    fences.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(fences)
}

impl Store for Postgres {
    fn append(&mut self, now: DateTime<Utc>, seal: Seal<'_>, batches: Vec<Batch>) -> Answers {
        let count = batches.len();
        // What the last attempt tried to write: a commit whose answer was lost may have happened all the same.
        let mut tried: Option<(Seq, Hash, Answers)> = None;
        let done = self.alone(async |c| {
            if let Some((seq, hash, answers)) = tried.take()
                && written(c, seq, &hash).await?
            {
                return Ok(answers);
            }
            let (at, alive, pauses) = try_join!(head(c), fenced(c, &batches), pauses(c, &batches, now))?;
            let (rows, answers) = sealed(now, seal, at, &alive, pauses, batches.clone())?;
            if let Some(last) = rows.last() {
                tried = Some((last.seq, last.hash()?, answers.clone()));
                insert(c, &rows).await?;
            }
            Ok(answers)
        });
        done.unwrap_or_else(|e| vec![Err(e); count])
    }

    fn read(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut query = query.clone();
        let mut most = FIRST;
        loop {
            let (text, values) = sql(&query, most);
            let page = self.work(async |c| {
                let values: Params<'_> = values.iter().map(|(v, kind)| (v.as_ref(), kind.clone())).collect();
                c.query_typed(&text, &values).await.map_err(|e| failed(&e))
            })?;
            for r in &page {
                let row = row(r)?;
                query.after = row.seq;
                if let Some(since) = query.since
                    && row.envelope()?.time < since
                {
                    continue;
                }
                if !each(row)? {
                    return Ok(());
                }
            }
            // Entries are never changed: the next page may as well be read later.
            if (page.len() as i64) < most {
                return Ok(());
            }
            most = PAGE;
        }
    }

    fn lease(
        &mut self,
        subjects: &[Subject],
        holder: &Holder,
        _: &dyn Fn(&Holder) -> bool,
    ) -> Result<Vec<Fence>, LedgerError> {
        let session = self.session.clone();
        let subjects: Vec<&[u8]> = subjects.iter().map(|s| s.as_bytes()).collect();
        self.alone(async |c| match held(c, &subjects, &holder.run, &session).await? {
            Some(held) => Err(held),
            None => take(c, &subjects, holder, &session).await,
        })
    }

    fn release(&mut self, fences: &[Fence]) -> Result<(), LedgerError> {
        let subjects: Vec<&[u8]> = fences.iter().map(|f| f.subject.as_bytes()).collect();
        let tokens: Vec<i64> = fences.iter().map(|f| f.token).collect();
        let sql = "
            UPDATE jml.lease l SET expires = '-infinity' FROM unnest($1, $2) AS f (subject, token)
            WHERE l.subject = f.subject AND l.token = f.token";
        self.alone(async |c| {
            let params: Params<'_> = vec![(&subjects, Type::BYTEA_ARRAY), (&tokens, Type::INT8_ARRAY)];
            c.execute_typed(sql, &params).await.map(drop).map_err(|e| failed(&e))
        })
    }

    fn pulse(&self) -> Option<Duration> {
        Some(PULSE)
    }

    /// One that has expired stays lost, though nobody may have taken it: its entries are refused.
    fn refresh(&mut self) -> Result<(), LedgerError> {
        let (session, lives) = (self.session.clone(), LEASE.as_secs_f64());
        let sql = "
            UPDATE jml.lease SET expires = clock_timestamp() + make_interval(secs => $2)
            WHERE session = $1 AND expires > clock_timestamp()";
        self.alone(async |c| {
            let params: Params<'_> = vec![(&session, Type::TEXT), (&lives, Type::FLOAT8)];
            c.execute_typed(sql, &params).await.map(drop).map_err(|e| failed(&e))
        })
    }

    fn locks(&self) -> Locks {
        Locks::Expiring
    }

    fn key(&self) -> KeyPlace {
        KeyPlace::File(self.key.clone())
    }

    fn sound(&mut self) -> Result<(), LedgerError> {
        self.work(async |c| rights::sound(c).await)
    }

    fn rights(&mut self) -> Result<Option<Rights>, LedgerError> {
        let server = self.server.clone();
        self.work(async |c| rights::of(c, &server).await).map(Some)
    }
}
