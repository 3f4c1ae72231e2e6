//! Entries as they lie there, and those of them that count.

use super::{Entry, Keeper, LedgerError, store::Query};

impl Keeper {
    /// What counts: without what came too late to mean anything.
    pub(super) fn each(
        &mut self,
        query: &Query,
        mut f: impl FnMut(Entry) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        self.every(query, |e| if e.envelope.moot() { Ok(true) } else { f(e) })
    }

    /// As it lies there.
    pub(super) fn every(
        &mut self,
        query: &Query,
        mut f: impl FnMut(Entry) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let bare = query.bare;
        self.store.read(query, &mut |mut row| {
            if bare {
                row.text = None;
            }
            f(row.entry()?)
        })
    }
}
