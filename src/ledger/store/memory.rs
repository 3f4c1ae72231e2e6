//! The same contract without a disk: for tests on virtual time. A clone is another handle on the same memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

use super::{Batch, Query, Seal, Store, token};
use crate::ledger::{
    LedgerError,
    checkpoint::KeyPlace,
    entry::{Entry, Subject},
    lease::{Fence, Holder, Locks},
    pause::Pauses,
    seal::{Head, Row},
};

#[derive(Clone)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    key: KeyPlace,
    locks: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Default)]
struct Inner {
    rows: Vec<Row>,
    pauses: Pauses,
    /// The last holder, its token, and whether it still holds.
    leases: BTreeMap<Subject, (Holder, i64, bool)>,
}

impl Memory {
    pub fn new() -> Self {
        Memory {
            inner: Arc::default(),
            key: KeyPlace::memory(),
            locks: Arc::default(),
        }
    }
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic of another holder leaves whole rows: they are pushed one at a time, sealed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn head(&self) -> Result<Head, LedgerError> {
        self.rows.last().map_or(Ok(Head::default()), Row::head)
    }
    fn one(&mut self, now: DateTime<Utc>, seal: Seal<'_>, (guard, drafts): Batch) -> Result<Vec<Entry>, LedgerError> {
        for f in &guard.fences {
            match self.leases.get(&f.subject) {
                Some((_, token, true)) if *token == f.token => {}
                _ => {
                    return Err(LedgerError::LeaseLost {
                        subject: f.subject.clone(),
                    });
                }
            }
        }
        if let Some(pause) = self.pauses.refuses(&guard, &drafts, now) {
            return Err(LedgerError::Paused(pause));
        }
        let mut head = self.head()?;
        let mut sealed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let fence = token(&guard, &draft);
            let (row, entry) = seal(&head, fence, draft)?;
            head = row.head()?;
            sealed.push((row, entry));
        }
        let (rows, entries): (Vec<_>, Vec<_>) = sealed.into_iter().unzip();
        self.rows.extend(rows);
        entries.iter().for_each(|e| self.pauses.take(e));
        Ok(entries)
    }
}

impl Store for Memory {
    fn append(
        &mut self,
        now: DateTime<Utc>,
        seal: Seal<'_>,
        batches: Vec<Batch>,
    ) -> Vec<Result<Vec<Entry>, LedgerError>> {
        let mut inner = self.inner();
        batches.into_iter().map(|b| inner.one(now, seal, b)).collect()
    }

    fn read(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(Row) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let rows = self.inner().rows.clone();
        for mut row in rows {
            let envelope = row.envelope()?;
            let text = row.text.as_ref();
            let wanted = row.seq > query.after
                && query.since.is_none_or(|t| envelope.time >= t)
                && query.run.as_ref().is_none_or(|r| envelope.run == *r)
                && query.prefix.as_ref().is_none_or(|p| envelope.run.starts_with(p))
                && (query.kinds.is_empty() || query.kinds.contains(&envelope.kind.as_str()))
                && query
                    .subject
                    .as_ref()
                    .is_none_or(|s| text.and_then(|t| t.subject.as_ref()) == Some(s))
                && query.login.as_ref().is_none_or(|l| {
                    text.and_then(|t| t.login.as_ref())
                        .is_some_and(|x| x.eq_ignore_ascii_case(l))
                });
            if !wanted {
                continue;
            }
            if query.bare
                && let Some(text) = &mut row.text
            {
                text.body = Vec::new();
            }
            if !each(row)? {
                break;
            }
        }
        Ok(())
    }

    fn lease(
        &mut self,
        subjects: &[Subject],
        holder: &Holder,
        dead: &dyn Fn(&Holder) -> bool,
    ) -> Result<Vec<Fence>, LedgerError> {
        let mut inner = self.inner();
        for subject in subjects {
            if let Some((other, _, true)) = inner.leases.get(subject)
                && other.run != holder.run
                && !dead(other)
            {
                return Err(other.holds(subject, None));
            }
        }
        Ok(subjects
            .iter()
            .map(|subject| {
                let token = inner.leases.get(subject).map_or(1, |(_, t, _)| t + 1);
                inner.leases.insert(subject.clone(), (holder.clone(), token, true));
                Fence {
                    subject: subject.clone(),
                    token,
                }
            })
            .collect())
    }

    fn release(&mut self, fences: &[Fence]) -> Result<(), LedgerError> {
        let mut inner = self.inner();
        for f in fences {
            if let Some((_, token, held)) = inner.leases.get_mut(&f.subject)
                && *token == f.token
            {
                *held = false;
            }
        }
        Ok(())
    }

    fn locks(&self) -> Locks {
        Locks::Memory(self.locks.clone())
    }

    fn key(&self) -> KeyPlace {
        self.key.clone()
    }

    fn sound(&mut self) -> Result<(), LedgerError> {
        Ok(())
    }
}
