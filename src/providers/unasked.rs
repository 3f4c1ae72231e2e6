//! A system that could not say whose it is: nothing that it answers later is believed in this command. What is owed there stays owed.
//!
//! The tenant is compared before anything else. A failure of that one question and an answer to the next would lead a plan, and then a
//! write credential, to whatever tenant it was.

use std::collections::BTreeMap;

use super::{Cursor, Known, Observe, Page};
use crate::model::{Account, Failure, Held, Observed, Verbs};

pub struct Unasked {
    can: Verbs,
    why: Failure,
}

impl Unasked {
    pub fn new(can: Verbs, why: Failure) -> Unasked {
        Unasked { can, why }
    }
}

impl Observe for Unasked {
    fn can(&self) -> Verbs {
        self.can.clone()
    }
    async fn pinned(&self) -> Result<(), Failure> {
        Err(self.why.clone())
    }
    async fn observe(&self, _: Known<'_>) -> Result<Observed<Account>, Failure> {
        Err(self.why.clone())
    }
    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        Err(self.why.clone())
    }
    async fn accounts(&self, _: Option<Cursor>) -> Result<Page<Account>, Failure> {
        Err(self.why.clone())
    }
}
