//! A line to the ledger's server that can be cut: before an append, or after it, when its answer is lost.

use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex};

use crate::ledger::{
    Entry, LedgerError, Store, Subject,
    checkpoint::KeyPlace,
    lease::{Fence, Holder, Locks},
    seal::Row,
    store::{Batch, Memory, Query, Seal},
};

/// Where it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Before,
    /// It was written, and nobody hears of it.
    After,
}

#[derive(Clone, Debug, Default)]
pub struct Line(Arc<Mutex<At>>);

#[derive(Debug, Default)]
struct At {
    cut: bool,
    /// So many appends from now.
    plan: Option<(usize, Cut)>,
    appends: usize,
}

pub struct Far {
    line: Line,
    store: Memory,
}

impl Line {
    pub fn to(&self, store: Memory) -> Far {
        Far {
            line: self.clone(),
            store,
        }
    }
    pub fn cut(&self) {
        self.0.lock().unwrap().cut = true;
    }
    pub fn cut_at(&self, append: usize, how: Cut) {
        self.0.lock().unwrap().plan = Some((append, how));
    }
    pub fn mend(&self) {
        let mut at = self.0.lock().unwrap();
        (at.cut, at.plan) = (false, None);
    }
    pub fn is_cut(&self) -> bool {
        self.0.lock().unwrap().cut
    }
    /// How many appends arrived.
    pub fn appends(&self) -> usize {
        self.0.lock().unwrap().appends
    }
    fn open(&self) -> Result<(), LedgerError> {
        match self.0.lock().unwrap().cut {
            false => Ok(()),
            true => Err(LedgerError::Unreachable("the line is cut".into())),
        }
    }
    /// What becomes of the next append.
    fn next(&self) -> Option<Cut> {
        let mut at = self.0.lock().unwrap();
        let hit = at.plan.filter(|(n, _)| *n == at.appends).map(|(_, how)| how);
        at.appends += 1;
        at.cut |= hit.is_some();
        hit
    }
}

impl Store for Far {
    fn append(
        &mut self,
        now: DateTime<Utc>,
        seal: Seal<'_>,
        batches: Vec<Batch>,
    ) -> Vec<Result<Vec<Entry>, LedgerError>> {
        let count = batches.len();
        let lost = || vec![Err(LedgerError::Unreachable("the line was cut".into())); count];
        if self.line.is_cut() {
            return lost();
        }
        match self.line.next() {
            None => self.store.append(now, seal, batches),
            Some(Cut::Before) => lost(),
            Some(Cut::After) => {
                self.store.append(now, seal, batches);
                lost()
            }
        }
    }
    fn read(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        self.line.open()?;
        self.store.read(query, each)
    }
    fn lease(
        &mut self,
        subjects: &[Subject],
        holder: &Holder,
        dead: &dyn Fn(&Holder) -> bool,
    ) -> Result<Vec<Fence>, LedgerError> {
        self.line.open()?;
        self.store.lease(subjects, holder, dead)
    }
    fn release(&mut self, fences: &[Fence]) -> Result<(), LedgerError> {
        self.line.open()?;
        self.store.release(fences)
    }
    fn locks(&self) -> Locks {
        self.store.locks()
    }
    fn key(&self) -> KeyPlace {
        self.store.key()
    }
    fn sound(&mut self) -> Result<(), LedgerError> {
        self.line.open()
    }
}
