//! Who could rewrite it, and whether the tables are as the owner's script makes them.

use tokio_postgres::Client;

use super::{SCHEMA, Server, failed, get};
use crate::ledger::LedgerError;

/// What a ledger on a server says of its keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub server: String,
    pub owner: String,
    /// What jml's own role could do and must not be able to, in words.
    pub excess: Vec<String>,
    /// The server writes through to its disk.
    pub durable: bool,
    pub encrypted: bool,
}

pub(super) async fn of(c: &Client, server: &Server) -> Result<Rights, LedgerError> {
    let sql = "
        SELECT pg_get_userbyid(relowner)::text,
          (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
          pg_has_role(current_user, relowner, 'MEMBER'),
          ARRAY (SELECT p || ' on ' || t FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p,
            unnest(ARRAY['jml.envelope', 'jml.body']) t WHERE has_table_privilege(t, p)),
          current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
          coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
        FROM pg_class WHERE oid = 'jml.envelope'::regclass";
    let r = c.query_typed_one(sql, &[]).await.map_err(|e| failed(&e))?;
    let mut excess = vec![];
    if get(&r, 1)? {
        excess.push("it is a superuser".to_owned());
    } else if get(&r, 2)? {
        excess.push("it owns the tables".to_owned());
    }
    let granted: Vec<String> = get(&r, 3)?;
    if excess.is_empty() && !granted.is_empty() {
        excess.push(format!("it may {}", granted.join(", ")));
    }
    Ok(Rights {
        server: server.to_string(),
        owner: get(&r, 0)?,
        excess,
        durable: get(&r, 4)?,
        encrypted: get(&r, 5)?,
    })
}

/// Every trigger, by table, name, when it fires, that it does, and what it calls. Held against `schema.sql` by a test.
pub(super) const TRIGGERS: [&str; 6] = [
    "body append_only 19 O body_append_only",
    "body append_only 34 O body_no_truncate",
    "body belongs 7 O body_belongs",
    "envelope append_only 27 O envelope_append_only",
    "envelope append_only 34 O envelope_no_truncate",
    "envelope follows 7 O envelope_follows",
];

/// The words between the dollars are what the server keeps of a function.
fn bodies() -> Vec<&'static str> {
    SCHEMA.split("$$").skip(1).step_by(2).collect()
}

pub(super) async fn triggers(c: &Client) -> Result<Vec<String>, LedgerError> {
    let sql = "
        SELECT concat_ws(' ', r.relname, p.proname, t.tgtype, t.tgenabled, t.tgname) FROM pg_trigger t
        JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid IN ('jml.envelope'::regclass, 'jml.body'::regclass)";
    let rows = c.query_typed(sql, &[]).await.map_err(|e| failed(&e))?;
    let mut found = rows.iter().map(|r| get(r, 0)).collect::<Result<Vec<String>, _>>()?;
    found.sort();
    Ok(found)
}

pub(super) async fn sound(c: &Client) -> Result<(), LedgerError> {
    let damaged = |why: &str| LedgerError::Corrupt {
        seq: None,
        why: why.to_owned(),
    };
    let sql = "SELECT prosrc FROM pg_proc WHERE pronamespace = 'jml'::regnamespace";
    let rows = c.query_typed(sql, &[]).await.map_err(|e| failed(&e))?;
    let mut sources = rows.iter().map(|r| get(r, 0)).collect::<Result<Vec<String>, _>>()?;
    let mut ours = bodies();
    sources.sort();
    ours.sort_unstable();
    if sources != ours || triggers(c).await? != TRIGGERS {
        return Err(damaged("its triggers are not as jml's script makes them"));
    }
    let sql = "SELECT seq FROM jml.body b WHERE NOT EXISTS (SELECT FROM jml.envelope e WHERE e.seq = b.seq) LIMIT 1";
    match c.query_typed_opt(sql, &[]).await.map_err(|e| failed(&e))? {
        None => Ok(()),
        Some(r) => Err(LedgerError::corrupt(
            get(&r, 0)?,
            "its envelope is gone, its body is still there",
        )),
    }
}
