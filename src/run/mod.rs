//! Effects, in order: look, act, look again, tell.
//!
//! Decides nothing: what a step means is the planner's, what an entry means is the ledger's. Knows no system by name.

pub mod book;
pub mod execute;
pub mod observe;
pub mod outbox;
pub mod settle;
mod step;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};

use crate::{
    ledger::{
        Guard, Ledger, Spool,
        fold::{PersonState, State},
    },
    model::{Event, System},
    providers::{Eyes, Hands, Recorder},
};

pub type AllEyes = BTreeMap<System, Arc<dyn Eyes>>;
pub type AllHands = BTreeMap<System, Arc<dyn Hands>>;
pub type AllRecorders = BTreeMap<System, Arc<dyn Recorder>>;

/// The one clock of a run; made in cli/context.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How the closing report of a person is worded: cli's, handed in, so that the record and the screen say the same.
pub type Wording = Arc<dyn Fn(&State, &PersonState) -> String + Send + Sync>;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    Go,
    /// SIGTERM: containment is finished first.
    Contain,
    /// Ctrl-C: no new step starts.
    Now,
}

/// All that one run needs to act. Made only after consent, since it holds hands.
pub struct Crew {
    pub run: String,
    pub operator: String,
    pub eyes: AllEyes,
    pub hands: AllHands,
    pub recorders: AllRecorders,
    pub wording: Wording,
    /// Tags of every event and metric: environment, what triggered the run.
    pub tags: Vec<String>,
    pub ledger: Ledger,
    pub guard: Guard,
    /// Where containment is written if the ledger is lost; `None`: with a ledger on this host nothing goes on.
    pub spool: Option<Spool>,
    pub host: String,
    pub clock: Clock,
    pub events: mpsc::UnboundedSender<Event>,
    pub stop: watch::Receiver<Stop>,
    /// How long a verification goes on reading before it calls an accepted effect owed.
    pub patience: Duration,
}

impl Crew {
    fn tell(&self, event: Event) {
        // A view that is gone (closed pipe) never stops a run.
        let _ = self.events.send(event);
    }
}
