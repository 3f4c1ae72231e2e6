//! Nouns: plain data. No I/O, no async, no clock; everything else in the tree may name what is here.

pub mod age;
pub mod effect;
pub mod event;
pub mod failure;
pub mod grant;
pub mod observation;
pub mod outcome;
pub mod person;
pub mod plan;
pub mod policy;
pub mod record;
pub mod snapshot;
pub mod system;

pub use age::Age;
pub use effect::{Action, Effect, Repeat, Verb, Verbs, Verdict};
pub use event::{Call, Event};
pub use failure::{Failure, Hint, Kind};
pub use grant::Grant;
pub use observation::{
    Account, App, Brief, Catalogue, Group, GroupFault, GroupKind, Held, Holding, Observation, Observed, Rule,
    RuleStatus, Seen, State, Transfer,
};
pub use outcome::{Outcome, PersonResult, Receipt};
pub use person::{Employment, Hr, Person, PersonId, Status, When, Worker};
pub use plan::{AppChanges, Expect, Flow, Mark, Note, OnFailure, Phase, Plan, PlanId, Severity, Step, StepNo, Waits};
pub use policy::{Limit, Limits, Policy, PolicyRule, Protected};
pub use record::{Alarm, Manifest, Record, What};
pub use snapshot::{GroupEntry, Snapshot};
pub use system::System;
