//! The nightly lane: who is left over in the apps. It reports and opens incidents; taking anything away is a leaver's business.

use super::{held::owe, telling::Telling};
use crate::{
    cli::{error::CliError, firm::Firm, flow::orphans},
    ledger::{
        Guard,
        entry::{Body, Draft},
    },
    model::What,
    planner::orphans::{Accused, Found},
};

pub(super) async fn look(firm: &Firm, tell: &mut Telling, writes: bool) -> Result<(), CliError> {
    let all = orphans::look(firm, None).await?;
    let (found, blind) = all.orphans(firm);
    if writes && let Some(run) = tell.run.clone() {
        let operator = firm.operator.name().await?;
        let mut bodies = vec![];
        for f in &found {
            bodies.extend(incident(firm, &run, f)?);
        }
        let drafts = bodies.into_iter().map(|body| Draft {
            run: run.clone(),
            operator: operator.clone(),
            body,
        });
        let drafts: Vec<Draft> = drafts.collect();
        if !drafts.is_empty() {
            super::held::open(firm, &run).await?;
            firm.ledger.append(&Guard::default(), drafts).await?;
        }
    }
    let rows = found.iter().map(orphans::row);
    tell.orphans(rows.chain(blind.iter().map(|(s, f)| orphans::unread(s, f))).collect());
    Ok(())
}

/// A live account of somebody who left. Its key is the account's, so that every night finds the first one.
fn incident(firm: &Firm, run: &str, found: &Found) -> Result<Vec<Body>, CliError> {
    let Accused::Survivor { who, .. } = &found.accused else {
        return Ok(vec![]);
    };
    let row = orphans::row(found);
    let what = What::Incident {
        title: format!("{who} has left and still has an account in {}", found.system),
        text: format!("{}: {}. jml leaver {who} takes it away.", found.system, row.what),
    };
    let key = format!("survivor-{}-{}", found.system, found.account.id);
    owe(firm, run, &key, what, firm.now())
}
