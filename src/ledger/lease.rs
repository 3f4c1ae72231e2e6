//! Who may work on whom. A run holds a lock file for its life; the lease rows say which subjects are its own.
//!
//! A lock file that can be locked belongs to a dead run: its leases are taken over at once, so a resume after a kill never waits.
//! Where several hosts share a ledger no host can try another's locks: there a lease expires unless it is refreshed.
//! A lease protects the ledger, not the vendor: a call that was in flight may still land, and the next reader sees it.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{Ledger, LedgerError, entry::Subject};

/// A subject is ours as long as its newest token is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub subject: Subject,
    pub token: i64,
}

/// What must still hold when an entry is written; looked at in the same transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub fences: Vec<Fence>,
    pub unpaused: Unpaused,
}

/// Which pauses refuse the intents of a batch; results are always taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unpaused {
    /// Any of them.
    #[default]
    Wholly,
    /// What begins contains somebody: only a pause of everything refuses it.
    ForContainment,
}

/// Whose lease it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub run: String,
    pub host: String,
    pub pid: u32,
    pub since: DateTime<Utc>,
}

impl Holder {
    /// `ends`: how long its lease lives unless it is refreshed, where leases expire.
    pub(super) fn holds(&self, subject: &str, ends: Option<Duration>) -> LedgerError {
        LedgerError::LeaseHeld {
            subject: subject.to_owned(),
            // Told by the run's first entry; the caller adds it.
            by: String::new(),
            host: self.host.clone(),
            run: self.run.clone(),
            since: self.since,
            pid: self.pid,
            ends,
        }
    }
}

/// Subjects that this run may work on, until it is dropped or released.
#[derive(Debug)]
pub struct Lease {
    ledger: Ledger,
    run: String,
    fences: Vec<Fence>,
}

impl Lease {
    pub(super) fn new(ledger: Ledger, run: String, fences: Vec<Fence>) -> Self {
        Lease { ledger, run, fences }
    }
    /// For every entry about these subjects.
    pub fn guard(&self) -> Guard {
        Guard {
            fences: self.fences.clone(),
            ..Guard::default()
        }
    }
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.fences.iter().map(|f| f.subject.as_str())
    }
    /// As a killed process leaves it.
    #[cfg(test)]
    pub(super) fn forget(&mut self) {
        self.fences.clear();
    }
    /// Waits until others may have them. Dropping does the same without waiting.
    pub async fn release(mut self) -> Result<(), LedgerError> {
        let fences = std::mem::take(&mut self.fences);
        let run = self.run.clone();
        self.ledger.ask(move |k| k.release(&run, &fences)).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.fences.is_empty() {
            let (run, fences) = (std::mem::take(&mut self.run), std::mem::take(&mut self.fences));
            // A release that fails leaves a lease without a living holder, which is as good as none.
            self.ledger.tell(move |k| drop(k.release(&run, &fences)));
        }
    }
}

/// How a living run is told from a dead one.
#[derive(Clone, Debug)]
pub enum Locks {
    /// A folder beside the ledger, with a file a run.
    Files(PathBuf),
    Memory(Arc<Mutex<BTreeSet<String>>>),
    /// Nothing to hold: who is not heard of for a while is gone, and the store itself tells one process from another.
    Expiring,
}

/// Held for a run's life. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub enum Lock {
    File {
        _file: File,
        path: PathBuf,
    },
    Memory {
        run: String,
        of: Arc<Mutex<BTreeSet<String>>>,
    },
    Expiring,
}

impl Locks {
    /// `None`: somebody holds it.
    pub fn take(&self, run: &str) -> Result<Option<Lock>, LedgerError> {
        match self {
            Locks::Files(folder) => {
                let path = folder.join(file_name(run));
                let lock = lock(folder, &path);
                lock.map_err(|e| LedgerError::Store(format!("{}: {e}", path.display())))
            }
            Locks::Memory(of) => {
                let new = of.lock().unwrap_or_else(PoisonError::into_inner).insert(run.to_owned());
                Ok(new.then(|| Lock::Memory {
                    run: run.to_owned(),
                    of: of.clone(),
                }))
            }
            Locks::Expiring => Ok(Some(Lock::Expiring)),
        }
    }
    /// A lock that can't be tried is not known to be free.
    pub fn dead(&self, run: &str) -> bool {
        match self {
            Locks::Files(folder) if !folder.join(file_name(run)).exists() => true,
            Locks::Expiring => false,
            Locks::Files(_) | Locks::Memory(_) => matches!(self.take(run), Ok(Some(_))),
        }
    }
}

/// Run ids are ours, but one is also typed by hand.
pub(super) fn file_name(run: &str) -> String {
    if !run.is_empty() && run.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        run.to_owned()
    } else {
        format!("x{}", hex::encode(run))
    }
}

fn lock(folder: &Path, path: &Path) -> io::Result<Option<Lock>> {
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    loop {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e),
        }
        // Its last holder may have removed it between our open and our lock: then another can lock a new file of that name.
        let ours = file.metadata()?;
        match fs::metadata(path) {
            Ok(named) if named.ino() == ours.ino() && named.dev() == ours.dev() => {
                return Ok(Some(Lock::File {
                    _file: file,
                    path: path.to_owned(),
                }));
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match self {
            // Removed while still locked; a file that stays is locked by nobody and says the same.
            Lock::File { path, .. } => drop(fs::remove_file(path)),
            Lock::Memory { run, of } => {
                of.lock().unwrap_or_else(PoisonError::into_inner).remove(run);
            }
            Lock::Expiring => {}
        }
    }
}
