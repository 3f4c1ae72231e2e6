//! Plans by their id: what was held, and what was applied.

use std::collections::BTreeMap;

use super::{Body, Ledger, LedgerError, Subject, store::Query};
use crate::model::{Flow, PlanId};

/// Where a plan of that id stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub run: String,
    pub subject: Subject,
    pub plan: PlanId,
    pub held: bool,
}

/// A plan that a run holds, and the entry that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub plan: PlanId,
    pub flow: Flow,
    pub login: String,
    pub hash: String,
    /// Who ran what was held.
    pub by: String,
    /// The plan is done as far as it went, and what comes after it waits.
    pub rest: bool,
}

impl Ledger {
    /// What a run still holds, person by person.
    pub async fn holds(&self, run: &str) -> Result<BTreeMap<Subject, Hold>, LedgerError> {
        let query = Query {
            run: Some(run.to_owned()),
            kinds: vec!["planned", "held", "lifted"],
            ..Query::default()
        };
        self.ask(move |k| {
            let mut holds = BTreeMap::new();
            k.each(&query, |e| {
                let (subject, plan, rest) = match e.body {
                    Some(Body::Held { subject, plan, .. }) => (subject, plan, false),
                    Some(Body::Planned { subject, plan, .. }) if plan.held.is_some() => (subject, plan, true),
                    Some(Body::Planned { subject, .. } | Body::Lifted { subject, .. }) => {
                        holds.remove(&subject);
                        return Ok(true);
                    }
                    _ => return Ok(true),
                };
                let hold = Hold {
                    plan: plan.id(),
                    flow: plan.flow,
                    login: plan.login,
                    hash: e.hash,
                    by: e.envelope.operator,
                    rest,
                };
                holds.insert(subject, hold);
                Ok(true)
            })?;
            Ok(holds)
        })
        .await
    }

    /// Plans with this id, whole or short, oldest first; the same plan may have been held more than once.
    pub async fn plans(&self, typed: &str) -> Result<Vec<Stored>, LedgerError> {
        let typed = typed.to_owned();
        self.ask(move |k| {
            let query = Query {
                kinds: vec!["planned", "held"],
                ..Query::default()
            };
            let mut found = vec![];
            k.each(&query, |e| {
                let (subject, plan, held) = match e.body {
                    Some(Body::Planned { subject, plan, .. }) => (subject, plan, false),
                    Some(Body::Held { subject, plan, .. }) => (subject, plan, true),
                    _ => return Ok(true),
                };
                let id = plan.id();
                if id.is(&typed) {
                    found.push(Stored {
                        run: e.envelope.run,
                        subject,
                        plan: id,
                        held,
                    });
                }
                Ok(true)
            })?;
            Ok(found)
        })
        .await
    }
}
