//! One outside system a file, by role: directory (`okta/`), roster (`hr/`), target (`apps/`), recorder (`records/`), witness (`watch/`), secret source (`secrets/`).
//!
//! A provider file writes plain `async fn` in `Observe`, `Perform`, `Deliver`, `Employ` or `Testify`; their boxed twins below are implemented once
//! for all of them. Before anyone agreed there is only `Look`, which makes Readers; `Act`, which makes Writers, wants an `Agreed`.

pub mod apps;
mod build;
#[cfg(test)]
mod conformance;
mod field;
pub mod hr;
pub mod minting;
pub mod okta;
pub mod records;
pub mod registry;
#[cfg(test)]
pub(crate) mod script;
pub mod secrets;
mod signing;
mod unasked;
pub mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
};

use chrono::{DateTime, Utc};

use crate::model::{
    Account, Age, Alarm, Effect, Failure, Held, Holding, Observed, Person, Receipt, Record, Verbs, What, Worker,
};

pub use build::{Act, Look, Records, Settings, Source, Target, Watches};
pub use field::field;
pub use registry::{Need, Row};
pub use unasked::Unasked;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opaque: where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page, not a stream: a short read stays visible, and "collect, then act" is natural.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
    /// What the source says there are in all, where it says so.
    pub total: Option<u64>,
}

/// Ids and names under which a person may be known in a system, the surest first.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// The account id that the ledger keeps once seen, or an operator linked.
    pub account: Option<String>,
    /// What the directory's assignment of that app says: the app's own id, the user name that the app knows.
    pub external_id: Option<String>,
    pub user_name: Option<String>,
    /// The directory says that an account is assigned: finding none is a contradiction, not an absence.
    pub assigned: bool,
    /// The directory's app that is assigned.
    pub app: Option<String>,
    /// Present and former addresses.
    pub addresses: BTreeSet<String>,
}

/// Whom to look for, and which parts of the account to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub person: &'a Person,
    pub handles: &'a Handles,
    pub parts: &'a BTreeSet<Holding>,
}

/// One effect to bring about.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub effect: &'a Effect,
    /// `run/person/step`: the correlation id of what must not happen twice.
    pub key: &'a str,
    /// Retries end here.
    pub deadline: DateTime<Utc>,
    /// It was begun before in this run, and nobody knows how that ended: what can't be read back must be looked for first.
    pub again: bool,
}

/// Eyes of a target.
pub trait Observe: Send + Sync + 'static {
    /// What this instance can do, by its plan and settings; the row's verbs are the most it may be.
    fn can(&self) -> Verbs;
    /// Is it the tenant that the configuration pins? The failure names both.
    fn pinned(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    fn observe(&self, who: Known<'_>) -> impl Future<Output = Result<Observed<Account>, Failure>> + Send;
    /// Every account, page by page.
    fn accounts(&self, from: Option<Cursor>) -> impl Future<Output = Result<Page<Account>, Failure>> + Send;
    /// What policy may give here, by name: channels, teams.
    fn offers(&self) -> impl Future<Output = Result<BTreeMap<String, Held>, Failure>> + Send {
        async { Ok(BTreeMap::new()) }
    }
}

/// Hands of a target: one effect, one mutating call.
pub trait Perform: Send + Sync + 'static {
    fn perform(&self, task: Task<'_>) -> impl Future<Output = Result<Receipt, Failure>> + Send;
}

/// A recorder. Delivering twice finds the first (the record's key).
pub trait Deliver: Send + Sync + 'static {
    fn takes(&self, what: &What) -> bool;
    fn deliver(&self, record: &Record) -> impl Future<Output = Result<Receipt, Failure>> + Send;
}

/// What became of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Made,
    /// Which of its parts were not as they should be.
    Mended(Vec<String>),
    Same,
}

/// Read back, under its id there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarmed {
    pub id: String,
    pub how: Kept,
}

/// Keeps an alarm where the figures go: makes it once, mends it, and reads it back.
pub trait Alarms: Send + Sync {
    fn keep<'a>(&'a self, alarm: &'a Alarm) -> BoxFuture<'a, Result<Alarmed, Failure>>;
}

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: String,
    pub open: bool,
    /// Its short description and description: whoever reads it looks for the person.
    pub text: String,
}

/// A desk whose tickets may ask for what HR doesn't say. It reads and changes nothing.
pub trait Tickets: Send + Sync {
    fn ticket<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<Observed<Ticket>, Failure>>;
}

/// What a witness saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// A sentence's worth, without a stop.
    pub what: String,
    /// When it happened, where it did at an instant.
    pub at: Option<DateTime<Utc>>,
    /// It should not be so.
    pub finding: bool,
}

impl Sight {
    pub fn fact(what: impl Into<String>) -> Sight {
        Sight {
            what: what.into(),
            at: None,
            finding: false,
        }
    }
    pub fn finding(what: impl Into<String>) -> Sight {
        Sight {
            finding: true,
            ..Sight::fact(what)
        }
    }
    pub fn at(self, at: DateTime<Utc>) -> Sight {
        Sight { at: Some(at), ..self }
    }
}

/// A witness: it reads, and nothing waits for it.
pub trait Testify: Send + Sync + 'static {
    /// Of a person; `since` is the leaving instant of who has left. Nothing at all where it knows nothing of people.
    fn about(
        &self,
        who: Known<'_>,
        since: Option<DateTime<Utc>>,
    ) -> impl Future<Output = Result<Vec<Sight>, Failure>> + Send;
    /// Of this host's own place in the world; of one that knows people alone, whether it can be asked at all.
    fn place(&self) -> impl Future<Output = Result<Vec<Sight>, Failure>> + Send;
}

/// A roster: who is employed. A file or an answer that can't be believed as a whole is a failure of kind Contradiction.
pub trait Employ: Send + Sync + 'static {
    fn page(&self, from: Option<Cursor>) -> impl Future<Output = Result<Page<Worker>, Failure>> + Send;
    /// How old what it says is, by what the source itself tells.
    fn age(&self) -> impl Future<Output = Result<Age, Failure>> + Send;
}

pub trait Eyes: Send + Sync {
    fn can(&self) -> Verbs;
    fn pinned(&self) -> BoxFuture<'_, Result<(), Failure>>;
    fn observe<'a>(&'a self, who: Known<'a>) -> BoxFuture<'a, Result<Observed<Account>, Failure>>;
    fn accounts(&self, from: Option<Cursor>) -> BoxFuture<'_, Result<Page<Account>, Failure>>;
    fn offers(&self) -> BoxFuture<'_, Result<BTreeMap<String, Held>, Failure>>;
}
impl<T: Observe> Eyes for T {
    fn can(&self) -> Verbs {
        Observe::can(self)
    }
    fn pinned(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(Observe::pinned(self))
    }
    fn observe<'a>(&'a self, who: Known<'a>) -> BoxFuture<'a, Result<Observed<Account>, Failure>> {
        Box::pin(Observe::observe(self, who))
    }
    fn accounts(&self, from: Option<Cursor>) -> BoxFuture<'_, Result<Page<Account>, Failure>> {
        Box::pin(Observe::accounts(self, from))
    }
    fn offers(&self) -> BoxFuture<'_, Result<BTreeMap<String, Held>, Failure>> {
        Box::pin(Observe::offers(self))
    }
}

pub trait Hands: Send + Sync {
    fn perform<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Result<Receipt, Failure>>;
}
impl<T: Perform> Hands for T {
    fn perform<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(Perform::perform(self, task))
    }
}

pub trait Recorder: Send + Sync {
    fn takes(&self, what: &What) -> bool;
    fn deliver<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Result<Receipt, Failure>>;
}
impl<T: Deliver> Recorder for T {
    fn takes(&self, what: &What) -> bool {
        Deliver::takes(self, what)
    }
    fn deliver<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(Deliver::deliver(self, record))
    }
}

pub trait Roster: Send + Sync {
    fn page(&self, from: Option<Cursor>) -> BoxFuture<'_, Result<Page<Worker>, Failure>>;
    fn age(&self) -> BoxFuture<'_, Result<Age, Failure>>;
}
impl<T: Employ> Roster for T {
    fn page(&self, from: Option<Cursor>) -> BoxFuture<'_, Result<Page<Worker>, Failure>> {
        Box::pin(Employ::page(self, from))
    }
    fn age(&self) -> BoxFuture<'_, Result<Age, Failure>> {
        Box::pin(Employ::age(self))
    }
}

pub trait Witness: Send + Sync {
    fn about<'a>(&'a self, who: Known<'a>, since: Option<DateTime<Utc>>) -> BoxFuture<'a, Result<Vec<Sight>, Failure>>;
    fn place(&self) -> BoxFuture<'_, Result<Vec<Sight>, Failure>>;
}
impl<T: Testify> Witness for T {
    fn about<'a>(&'a self, who: Known<'a>, since: Option<DateTime<Utc>>) -> BoxFuture<'a, Result<Vec<Sight>, Failure>> {
        Box::pin(Testify::about(self, who, since))
    }
    fn place(&self) -> BoxFuture<'_, Result<Vec<Sight>, Failure>> {
        Box::pin(Testify::place(self))
    }
}
