//! Plans by their id: what was held, and what was applied.

use super::{Body, Ledger, LedgerError, Subject, store::Query};
use crate::model::PlanId;

/// Where a plan of that id stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub run: String,
    pub subject: Subject,
    pub plan: PlanId,
    pub held: bool,
}

impl Ledger {
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
