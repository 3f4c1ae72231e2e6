//! `jml audit drift`: everybody against HR and policy, from the reads of a sweep. Changes nothing.

use super::{
    orphans,
    sweep::{need, read, unbelieved, without},
};
use crate::{
    cli::{context::Context, document::Drift, error::CliError, exit::Exit, firm::Firm, text},
    model::system::OKTA,
    planner::drift::{self, Beside, Mark, Row},
};

pub async fn drift(cx: &Context) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let mut tenant = firm.bare_tenant(need()).await?;
    let read = read(&firm, &tenant).await?;
    let people = &read.facts.people;
    firm.protect(&mut tenant, people);
    let beside = Beside {
        roles: tenant.roles,
        protected: firm.listed(people),
    };
    let config = &firm.config;
    let found = drift::drift(
        &read.facts,
        &beside,
        &config.policy,
        &tenant.catalogue,
        &config.limits,
        firm.now(),
    )
    .map_err(|d| unbelieved(&d))?;
    let count = |mark| found.iter().filter(|r| r.mark == mark).count();
    let (drifted, unknown, explained) = (count(Mark::Drift), count(Mark::Unknown), count(Mark::Explained));
    let mut after = format!(
        "{drifted} drifted, {unknown} unknown, {explained} explained; {} read.\n",
        text::count(people.len(), "person")
    );
    if drifted > 0 {
        after += &format!("What a sweep would do about it:  jml sweep --dry-run{}\n", cx.flags());
    }
    let rows = found.into_iter().map(row).collect();
    orphans::show(cx, &firm, "audit-drift", rows, unknown > 0, drifted == 0, &after)
}

fn row(row: Row) -> Drift {
    Drift {
        what: without(&row.login, &row.what),
        login: row.login,
        system: OKTA.to_string(),
        since: row.since,
        mark: row.mark.word().to_owned(),
    }
}
