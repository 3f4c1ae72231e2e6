//! Which policy the last run had: whoever runs under another one is told, once.

use super::{
    Ledger, LedgerError,
    entry::{Body, Former},
    store::Query,
};

/// Kinds of runs that do what policy says. A mere note (a link, a grant) applies none, and has no report in which a change of policy could be
/// told.
const APPLIES: [&str; 5] = ["joiner", "mover", "leaver", "sweep", "groups-apply"];

impl Ledger {
    /// The newest run that a policy was applied in.
    pub async fn last_policy(&self) -> Result<Option<Former>, LedgerError> {
        self.ask(|k| {
            let query = Query {
                kinds: vec!["opened"],
                ..Query::default()
            };
            let mut last = None;
            k.each(&query, |e| {
                if let Some(Body::Opened(opened)) = e.body
                    && APPLIES.contains(&opened.kind.as_str())
                {
                    last = Some(Former {
                        run: e.envelope.run,
                        policy: opened.policy,
                    });
                }
                Ok(true)
            })?;
            Ok(last)
        })
        .await
    }
}
