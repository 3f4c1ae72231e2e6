//! Memory: append-only, hash-chained, durable. A call may leave only after `append` has returned.
//!
//! One thread (or one task) owns the store; a `Ledger` is a handle to it. What waits in the queue is written in one transaction.
//! Nothing here decides what to do: `fold` says what happened, `proof` that nobody edited it, `lease` who may work on whom.

pub mod approval;
pub mod checkpoint;
pub mod entry;
mod error;
mod everyone;
pub mod fold;
mod former;
pub mod lease;
pub mod mirror;
pub mod pause;
mod person;
mod plans;
pub mod proof;
pub mod query;
mod reading;
pub mod seal;
pub mod spool;
mod step;
pub mod store;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::{mpsc, oneshot};

pub use approval::{Approval, Approved};
pub use entry::{Body, Draft, Entry, Envelope, Opened, Origin, Seq, Subject, Swept};
pub use error::LedgerError;
pub use everyone::Everyone;
pub use fold::{Illegal, PersonState, Progress, State};
pub use lease::{Fence, Guard, Lease, Unpaused};
pub use mirror::{Held, Mirror, Standing, Target};
pub use pause::Pause;
pub use plans::{Hold, Stored};
pub use proof::{Bad, Proof, Verdict};
pub use query::{Filter, History, Owing, Planned, RunHead, SlaRow};
pub use seal::Meta;
pub use spool::{Merged, Spool, Spooling};
pub use store::{Memory, Postgres, Rights, Sqlite, Store, postgres};

use checkpoint::KeyPlace;
use lease::{Holder, Lock};
use proof::Frontier;
use seal::{Head, Pending, Row, seal};
use store::{Batch, Query};

/// Time comes from whoever reads the clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

type Answer = oneshot::Sender<Result<Vec<Entry>, LedgerError>>;

enum Job {
    Append(Batch, Answer),
    Do(Box<dyn FnOnce(&mut Keeper) + Send>),
}

/// A handle; clones share the store. The last one to be dropped waits until everything queued is written and the file is closed.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Option<mpsc::UnboundedSender<Job>>,
    /// The writer, and the one who reminds it of leases that expire. Dropped together with `queue`.
    threads: Vec<JoinHandle<()>>,
    pulse: Option<Sender<()>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop((self.queue.take(), self.pulse.take()));
        for thread in self.threads.drain(..) {
            // A writer that panicked has written nothing half: its transaction was rolled back.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

/// The one owner of the store.
pub(crate) struct Keeper {
    store: Box<dyn Store>,
    meta: Meta,
    clock: Clock,
    /// Lock files of the runs of this process, with how many leases need each.
    locks: BTreeMap<String, (Lock, usize)>,
    key: KeyPlace,
    /// How far checkpoints of this process have walked.
    walked: (Head, Frontier),
    mirror: Option<Mirror>,
}

impl Ledger {
    /// The embedded ledger, on its own thread. Refuses a ledger of another tenant. `key` signs checkpoints instead of the one beside it.
    pub fn open(path: &Path, key: Option<&Path>, meta: Meta, clock: Clock) -> Result<Ledger, LedgerError> {
        let (path, key) = (path.to_owned(), key.map(Path::to_owned));
        let store = move || {
            let store = Sqlite::open(&path)?;
            Ok(match key {
                Some(key) => store.with_key(&key),
                None => store,
            })
        };
        Self::threaded(store, meta, clock)
    }

    /// One that several hosts share.
    pub fn shared(server: postgres::Server, key: PathBuf, meta: Meta, clock: Clock) -> Result<Ledger, LedgerError> {
        Self::threaded(move || Postgres::open(server, key), meta, clock)
    }

    /// The store is opened where it is used: one that waits for a network has a runtime of its own, which no other may be around.
    fn threaded<S: Store + 'static>(
        store: impl FnOnce() -> Result<S, LedgerError> + Send + 'static,
        meta: Meta,
        clock: Clock,
    ) -> Result<Ledger, LedgerError> {
        let (queue, mut jobs) = mpsc::unbounded_channel();
        let (opened, open) = channel();
        let unstarted = |e: std::io::Error| LedgerError::Store(e.to_string());
        let work = move || {
            let made = store().and_then(|store| Keeper::new(store, meta, clock));
            let mut keeper = match made {
                Ok(keeper) => keeper,
                Err(e) => return drop(opened.send(Err(e))),
            };
            drop(opened.send(Ok(keeper.store.pulse())));
            while let Some(job) = jobs.blocking_recv() {
                keeper.work(job, &mut jobs);
            }
        };
        let writer = Builder::new().name("ledger".into()).spawn(work).map_err(unstarted)?;
        let mut threads = vec![writer];
        let mut pulse = None;
        if let Some(every) = open.recv().map_err(|_| stopped())?? {
            let (alive, ended) = channel();
            let jobs = queue.downgrade();
            let beat = move || remind(&jobs, &ended, every);
            threads.push(Builder::new().name("leases".into()).spawn(beat).map_err(unstarted)?);
            pulse = Some(alive);
        }
        Ok(Ledger {
            shared: Arc::new(Shared {
                queue: Some(queue),
                threads,
                pulse,
            }),
        })
    }

    /// As a task of the current runtime: a paused clock runs on while a foreign thread works, and every timeout would fire.
    pub fn local(store: impl Store + 'static, meta: Meta, clock: Clock) -> Result<Ledger, LedgerError> {
        let mut keeper = Keeper::new(store, meta, clock)?;
        let (queue, mut jobs) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(job) = jobs.recv().await {
                keeper.work(job, &mut jobs);
            }
        });
        Ok(Ledger {
            shared: Arc::new(Shared {
                queue: Some(queue),
                threads: vec![],
                pulse: None,
            }),
        })
    }

    /// All of them or none, in this order. **When it has returned they survive a power loss**, and only then may a call leave
    /// that they announce. Refused as `LeaseLost` where another run has taken over a subject of the guard, as `Paused` where an intent
    /// is among them and somebody has pulled the kill switch.
    pub async fn append(&self, guard: &Guard, drafts: Vec<Draft>) -> Result<Vec<Seq>, LedgerError> {
        let entries = self.append_entries(guard, drafts).await?;
        Ok(entries.iter().map(|e| e.envelope.seq).collect())
    }

    /// As `append`, and gives the entries back for `fold::next`.
    pub async fn append_entries(&self, guard: &Guard, drafts: Vec<Draft>) -> Result<Vec<Entry>, LedgerError> {
        self.write(guard, drafts.into_iter().map(Pending::from).collect()).await
    }

    async fn write(&self, guard: &Guard, entries: Vec<Pending>) -> Result<Vec<Entry>, LedgerError> {
        let (answer, written) = oneshot::channel();
        self.send(Job::Append((guard.clone(), entries), answer))?;
        written.await.map_err(|_| stopped())?
    }

    /// Who could rewrite it, where it is not a file.
    pub async fn rights(&self) -> Result<Option<Rights>, LedgerError> {
        self.ask(|k| k.store.rights()).await
    }

    /// All of the subjects or none: `LeaseHeld` names who has one. A dead run's lease is taken over at once.
    pub async fn lease(&self, subjects: &[Subject], run: &str) -> Result<Lease, LedgerError> {
        let mut subjects = subjects.to_vec();
        // One order for everybody, and nobody twice.
        subjects.sort();
        subjects.dedup();
        let run = run.to_owned();
        let fences = {
            let run = run.clone();
            self.ask(move |k| k.lease(&subjects, &run)).await?
        };
        Ok(Lease::new(self.clone(), run, fences))
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Keeper) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone: then nobody needs the answer.
        self.send(Job::Do(Box::new(move |k| drop(answer.send(f(k))))))?;
        answered.await.map_err(|_| stopped())?
    }

    /// Does not wait, and does not learn how it went.
    pub(crate) fn tell(&self, f: impl FnOnce(&mut Keeper) + Send + 'static) {
        drop(self.send(Job::Do(Box::new(f))));
    }

    fn send(&self, job: Job) -> Result<(), LedgerError> {
        let queue = self.shared.queue.as_ref().ok_or_else(stopped)?;
        queue.send(job).map_err(|_| stopped())
    }
}

/// Until the ledger is dropped.
fn remind(jobs: &mpsc::WeakUnboundedSender<Job>, ended: &Receiver<()>, every: Duration) {
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let Some(jobs) = jobs.upgrade() else { return };
        if jobs.send(Job::Do(Box::new(Keeper::refresh))).is_err() {
            return;
        }
    }
}

fn stopped() -> LedgerError {
    LedgerError::Store("its writer has stopped".into())
}

impl Keeper {
    fn new(store: impl Store + 'static, meta: Meta, clock: Clock) -> Result<Keeper, LedgerError> {
        let mut keeper = Keeper {
            key: store.key(),
            store: Box::new(store),
            meta,
            clock,
            locks: BTreeMap::new(),
            walked: Default::default(),
            mirror: None,
        };
        keeper.owned()?;
        Ok(keeper)
    }

    /// An empty ledger is nobody's yet: `seal` asks again, under the store's lock.
    fn owned(&mut self) -> Result<(), LedgerError> {
        let query = Query {
            bare: true,
            ..Query::default()
        };
        let meta = &self.meta;
        self.store.read(&query, &mut |row| {
            belongs(meta, &row)?;
            Ok(false)
        })
    }

    /// One job, and with it every append that waits behind it.
    fn work(&mut self, first: Job, jobs: &mut mpsc::UnboundedReceiver<Job>) {
        let (mut batches, mut answers) = (Vec::new(), Vec::new());
        let mut job = Some(first);
        while let Some(now) = job.take() {
            match now {
                Job::Append(batch, answer) => {
                    batches.push(batch);
                    answers.push(answer);
                }
                Job::Do(f) => {
                    self.commit(std::mem::take(&mut batches), std::mem::take(&mut answers));
                    f(self);
                }
            }
            job = jobs.try_recv().ok();
        }
        self.commit(batches, answers);
    }

    fn commit(&mut self, batches: Vec<Batch>, answers: Vec<Answer>) {
        if batches.is_empty() {
            return;
        }
        let (meta, now) = (&self.meta, (self.clock)());
        let written = self
            .store
            .append(now, &|head, fence, draft| seal(head, meta, now, fence, draft), batches);
        let new = written
            .iter()
            .any(|w| w.as_ref().is_ok_and(|entries| !entries.is_empty()));
        for (result, answer) in written.into_iter().zip(answers) {
            // Whoever asked may have gone: it is written all the same.
            drop(answer.send(result));
        }
        // Nobody waits for it.
        if new {
            self.reflect();
        }
    }

    /// What can't be refreshed now may still be at the next beat; what has expired is told by the next append that is refused.
    fn refresh(&mut self) {
        if !self.locks.is_empty() {
            drop(self.store.refresh());
        }
    }

    fn lease(&mut self, subjects: &[Subject], run: &str) -> Result<Vec<Fence>, LedgerError> {
        let holder = Holder {
            run: run.to_owned(),
            host: self.meta.host.clone(),
            pid: std::process::id(),
            since: (self.clock)().trunc_subsecs(3),
        };
        let locks = self.store.locks();
        if !self.locks.contains_key(run) {
            match locks.take(run)? {
                Some(lock) => {
                    self.locks.insert(run.to_owned(), (lock, 0));
                }
                None => return Err(self.held_elsewhere(subjects, run)),
            }
        }
        let result = self.store.lease(subjects, &holder, &|other| locks.dead(&other.run));
        match result {
            Ok(fences) => {
                if let Some((_, users)) = self.locks.get_mut(run) {
                    *users += 1;
                }
                Ok(fences)
            }
            Err(e) => {
                if self.locks.get(run).is_some_and(|(_, users)| *users == 0) {
                    self.locks.remove(run);
                }
                Err(self.named(e))
            }
        }
    }
    fn release(&mut self, run: &str, fences: &[Fence]) -> Result<(), LedgerError> {
        let result = self.store.release(fences);
        if let Some((_, users)) = self.locks.get_mut(run) {
            *users = users.saturating_sub(1);
            if *users == 0 {
                self.locks.remove(run);
            }
        }
        result
    }

    /// Another process works on this very run.
    fn held_elsewhere(&mut self, subjects: &[Subject], run: &str) -> LedgerError {
        let nobody = Holder {
            run: String::new(),
            host: String::new(),
            pid: 0,
            since: DateTime::UNIX_EPOCH,
        };
        // Nobody is dead here, so that the store answers with the holder and grants nothing that counts.
        match self.store.lease(subjects, &nobody, &|_| false) {
            Err(e) => self.named(e),
            Ok(fences) => {
                drop(self.store.release(&fences));
                LedgerError::Store(format!("run {run} is being worked on by another process"))
            }
        }
    }

    /// The operator of the run that holds it, as its first entry tells.
    fn named(&mut self, mut error: LedgerError) -> LedgerError {
        if let LedgerError::LeaseHeld { by, run, .. } = &mut error {
            let query = Query {
                run: Some(run.clone()),
                bare: true,
                ..Query::default()
            };
            let read = self.store.read(&query, &mut |row| {
                *by = row.envelope()?.operator;
                Ok(false)
            });
            if read.is_err() || by.is_empty() {
                "an unknown operator".clone_into(by);
            }
        }
        error
    }
}

/// By its first entry, if that is what was hashed.
fn belongs(meta: &Meta, first: &Row) -> Result<(), LedgerError> {
    let envelope = first.envelope()?;
    if envelope.tenant == meta.tenant {
        return Ok(());
    }
    if seal::chain(&Head::default().hash, &first.envelope) != first.hash()? {
        return Err(LedgerError::corrupt(first.seq, "its envelope is not what was hashed"));
    }
    Err(LedgerError::WrongTenant {
        ledger: envelope.tenant,
        asked: meta.tenant.clone(),
    })
}
