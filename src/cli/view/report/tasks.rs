//! What of a run waits for people, and how it is named on the command line.

use crate::{
    ledger::{PersonState, State},
    model::{StepNo, Verb},
};

/// A task that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// As it is typed: `r-5k2m9q/alice@acme.example/7`.
    pub name: String,
    pub subject: String,
    pub step: StepNo,
    pub what: String,
}

/// What of a run waits for people.
pub fn open(state: &State, person: &PersonState) -> Vec<Open> {
    (0..)
        .zip(&person.steps)
        .filter(|(_, s)| s.step.effect.action.verb() == Verb::ByHand && !s.superseded() && !s.settled())
        .map(|(step, s)| Open {
            name: format!("{}/{}/{step}", state.run, person.login),
            subject: person.subject.clone(),
            step,
            what: s.step.target().to_owned(),
        })
        .collect()
}
