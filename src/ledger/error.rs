//! What can go wrong with memory. The caller chooses the exit code; the words are for people.

use std::{fmt, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    Pause,
    entry::{Seq, Subject},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// Another run took the subject over: nothing more may be done to it by this one.
    LeaseLost {
        subject: Subject,
    },
    /// Another run works on the subject now.
    LeaseHeld {
        subject: Subject,
        by: String,
        host: String,
        run: String,
        since: DateTime<Utc>,
        pid: u32,
        /// It expires then, unless it is refreshed.
        ends: Option<Duration>,
    },
    /// Somebody pulled the kill switch: what would have begun now was not written.
    Paused(Pause),
    WrongTenant {
        ledger: String,
        asked: String,
    },
    /// It could not be read or written: full disk, rights, another process that never lets go.
    Store(String),
    /// The server of the ledger can't be reached, or went away.
    Unreachable(String),
    /// The server lets this role not in, or not do what a ledger needs.
    Denied(String),
    /// The server is there, and no ledger is on it.
    NotMade(String),
    /// What is stored contradicts itself.
    Corrupt {
        seq: Option<Seq>,
        why: String,
    },
}

impl LedgerError {
    /// Whoever keeps the server, or stands between, is in the way: nothing that jml itself may not do.
    pub fn lost(&self) -> bool {
        match self {
            LedgerError::Unreachable(_) | LedgerError::Store(_) | LedgerError::Denied(_) | LedgerError::NotMade(_) => {
                true
            }
            LedgerError::LeaseLost { .. }
            | LedgerError::LeaseHeld { .. }
            | LedgerError::WrongTenant { .. }
            | LedgerError::Paused(_)
            | LedgerError::Corrupt { .. } => false,
        }
    }
    pub(super) fn corrupt(seq: Seq, why: impl Into<String>) -> Self {
        LedgerError::Corrupt {
            seq: Some(seq),
            why: why.into(),
        }
    }
}

/// An entry that can't follow the ones before it: written by somebody else, or a defect.
impl From<super::Illegal> for LedgerError {
    fn from(e: super::Illegal) -> Self {
        LedgerError::corrupt(e.seq, e.why)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LedgerError::LeaseLost { subject } => write!(
                f,
                "this run has lost its lease on {subject}: it was away for too long, or another process took over; it does nothing more"
            ),
            LedgerError::LeaseHeld {
                subject,
                by,
                host,
                run,
                since,
                pid,
                ends: _,
            } => write!(
                f,
                "run {run} by {by} on {host} (process {pid}) has been working on {subject} since {}",
                since.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ")
            ),
            LedgerError::Paused(pause) => f.write_str(&pause.sentence()),
            LedgerError::WrongTenant { ledger, asked } => {
                write!(f, "this ledger belongs to organisation {ledger}, not to {asked}")
            }
            LedgerError::Store(why) => write!(f, "the ledger can't be used: {why}"),
            LedgerError::Unreachable(why) => write!(f, "the ledger can't be reached: {why}"),
            LedgerError::Denied(why) => write!(f, "the ledger's server refuses jml: {why}"),
            LedgerError::NotMade(why) => write!(f, "the ledger has not been made: {why}"),
            LedgerError::Corrupt { seq: Some(seq), why } => write!(f, "ledger entry {seq}: {why}"),
            LedgerError::Corrupt { seq: None, why } => write!(f, "the ledger file is damaged: {why}"),
        }
    }
}

impl std::error::Error for LedgerError {}
