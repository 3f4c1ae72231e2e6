//! Where entries lie. A store keeps rows and leases; it decides nothing about what they mean.

mod image;
pub mod memory;
pub mod postgres;
pub mod sqlite;

pub use memory::Memory;
pub use postgres::{Postgres, Rights};
pub use sqlite::Sqlite;

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    LedgerError,
    checkpoint::KeyPlace,
    entry::{Entry, Seq, Subject},
    lease::{Fence, Guard, Holder, Locks},
    pause::{KINDS, LONGEST},
    seal::{Head, Pending, Row},
};

/// Seals one draft after the head, under the store's lock. The number is the lease's token, if it is written under one.
pub type Seal<'a> = &'a dyn Fn(&Head, Option<i64>, Pending) -> Result<(Row, Entry), LedgerError>;

/// One caller's entries, all or none.
pub type Batch = (Guard, Vec<Pending>);

/// Which rows, oldest first. Every part that is set must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub after: Seq,
    /// Time of the entry, at or after.
    pub since: Option<DateTime<Utc>>,
    pub run: Option<String>,
    /// Every run whose id begins so.
    pub prefix: Option<String>,
    pub subject: Option<Subject>,
    /// Plans for this login, without regard to case.
    pub login: Option<String>,
    /// None: all kinds.
    pub kinds: Vec<&'static str>,
    /// Leave the bodies where they are.
    pub bare: bool,
}

/// What memory rests on:
///
/// - `append` has returned: what it says was written survives a power loss. Until then nothing may be done that it announces.
/// - Entries lie in one order without a gap; nobody can change, remove or insert one through the store.
/// - Head, fences, pauses and rows of one `append` are read and written in one transaction that excludes every other writer, in this
///   process or another: a lost lease can't race with an entry written under it, nor a pause with an intent.
/// - A lease has one holder, and each new holder a higher token.
pub trait Store: Send {
    /// An answer for each batch. One whose fence is lost, or that begins something in a pause, is refused alone; a failure of the store
    /// refuses them all. `now` is by the clock of whoever writes: it tells whether a pause has ended.
    fn append(
        &mut self,
        now: DateTime<Utc>,
        seal: Seal<'_>,
        batches: Vec<Batch>,
    ) -> Vec<Result<Vec<Entry>, LedgerError>>;
    /// Gives rows until told `false`.
    fn read(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError>;
    /// All of the subjects or none. A holder that `dead` knows to be gone is replaced at once.
    fn lease(
        &mut self,
        subjects: &[Subject],
        holder: &Holder,
        dead: &dyn Fn(&Holder) -> bool,
    ) -> Result<Vec<Fence>, LedgerError>;
    fn release(&mut self, fences: &[Fence]) -> Result<(), LedgerError>;
    /// How one sees whether the holder of a lease lives.
    fn locks(&self) -> Locks;
    /// Where the key is that signs its checkpoints.
    fn key(&self) -> KeyPlace;
    /// The store's own opinion of its file, beside what the hashes say.
    fn sound(&mut self) -> Result<(), LedgerError>;
    /// How often leases want to be refreshed; `None` where they live as long as their holder.
    fn pulse(&self) -> Option<Duration> {
        None
    }
    /// Every lease that this store has granted and that is still alive.
    fn refresh(&mut self) -> Result<(), LedgerError> {
        Ok(())
    }
    /// Who keeps it, where that is somebody else than the owner of a file.
    fn rights(&mut self) -> Result<Option<Rights>, LedgerError> {
        Ok(None)
    }
}

/// Entries that can tell of a pause which is in force: what is older has ended.
pub(super) fn pauses_since(now: DateTime<Utc>) -> Query {
    Query {
        since: Some(now - LONGEST),
        kinds: KINDS.to_vec(),
        ..Query::default()
    }
}

/// The token under which an entry about `subject` is written.
fn token(guard: &Guard, pending: &Pending) -> Option<i64> {
    let subject = pending.draft.body.subject()?;
    guard.fences.iter().find(|f| f.subject == subject).map(|f| f.token)
}
