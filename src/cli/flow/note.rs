//! An operator's word that changes the ledger alone: a run of two entries, who said it and what.

use crate::{
    cli::{error::CliError, firm::Firm},
    ledger::{
        Guard, Seq,
        entry::{Body, Draft, Opened},
    },
};

/// The number of the entry that says it.
pub(super) async fn write(firm: &Firm, kind: &str, ticket: Option<String>, body: Body) -> Result<Seq, CliError> {
    let run = firm.new_run().await?;
    let operator = firm.operator.name().await?;
    let opened = Body::Opened(Opened {
        kind: kind.to_owned(),
        operator: operator.clone(),
        consent: "asks nothing".to_owned(),
        config: firm.config.digest(),
        policy: firm.config.policy_digest(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        reason: None,
        ticket,
        role: super::say::role(firm),
        former: None,
    });
    let draft = |body| Draft {
        run: run.clone(),
        operator: operator.clone(),
        body,
    };
    let written = firm
        .ledger
        .append(&Guard::default(), vec![draft(opened), draft(body)])
        .await?;
    written
        .last()
        .copied()
        .ok_or_else(|| CliError::internal("an entry was written and has no number"))
}
