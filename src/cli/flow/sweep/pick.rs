//! Whom a sweep looks at by id: lists and search lag, and nobody is acted on from a list.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};

use super::telling::Telling;
use crate::{
    cli::{
        args::Most,
        command::sweep::{Args, Lane},
        error::CliError,
        firm::Firm,
        flow::{preview::Ask, resume},
    },
    model::{Flow, Limit, Limits, Observed, Person, PersonId},
    planner::{
        leaver as leaving,
        sweep::{Due, Lanes, Shown, Why},
    },
};

/// A flag may only lower a limit.
pub(super) fn limits(configured: &Limits, most: Option<Most>, people: usize) -> Limits {
    let mut limits = configured.clone();
    let lower = match most {
        None => return limits,
        Some(Most::Count(n)) => Limit {
            count: Some(n),
            percent: None,
        },
        Some(Most::Percent(p)) => Limit {
            count: None,
            percent: Some(p),
        },
    };
    if lower.of(people) < limits.leavers.of(people) {
        limits.leavers = lower;
    }
    limits
}

/// Whom the chosen lanes name, leavers first, each person once.
pub(super) fn due<'a>(args: &Args, lanes: &'a Lanes) -> Vec<(&'a Due, Ask)> {
    let mut all: Vec<(&Due, Ask)> = vec![];
    for lane in args.lanes() {
        let (found, ask): (Vec<&Due>, fn() -> Ask) = match lane {
            Lane::Leavers => (lanes.leavers.iter().collect(), || Ask::Leaver(leaving::Ask::default())),
            Lane::Movers => (lanes.movers.iter().collect(), || Ask::Mover),
            Lane::Joiners => (lanes.joiners.iter().collect(), || Ask::Joiner(Default::default())),
            // Reported beside the others: it changes nothing.
            Lane::Orphans => continue,
        };
        all.extend(found.into_iter().map(|d| (d, ask())));
        if lane == Lane::Leavers {
            all.extend(lanes.leave.iter().map(|d| (d, Ask::Leave)));
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|(d, _)| seen.insert(d.id.clone()));
    all
}

/// Each of them by id: lists and search lag, and nobody is acted on from a list.
pub(super) async fn fetch(
    firm: &Firm,
    due: Vec<(&Due, Ask)>,
    tell: &mut Telling,
) -> Result<Vec<(Person, Ask)>, CliError> {
    let read: Vec<_> = stream::iter(due)
        .map(|(d, ask)| async move { (d, ask, firm.look.directory.person(&d.id.0).await) })
        .buffered(16)
        .collect()
        .await;
    let mut found = vec![];
    for (d, ask, person) in read {
        match person {
            Ok(Observed::Present(p)) => {
                let ask = match ask {
                    Ask::Leaver(_) if matches!(d.why, Why::Reversed | Why::Open) => overruled(firm, &d.id).await?,
                    ask => ask,
                };
                found.push((p, ask));
            }
            Ok(Observed::Absent) => tell.note(&d.login, "is no longer in Okta"),
            Ok(Observed::Unknown(f)) | Err(f) => tell.failed(&d.login, &f),
        }
    }
    let (people, asks): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(firm.employ(people).await?.into_iter().zip(asks).collect())
}

/// An operator's word against HR's holds until HR agrees: what it began, or what somebody undid of it, is finished as what it was.
pub(super) async fn overruled(firm: &Firm, id: &PersonId) -> Result<Ask, CliError> {
    let history = firm.ledger.history(&id.0).await?;
    let last = history.plans.iter().rev().find(|p| p.flow == Flow::Leaver);
    let state = match last {
        Some(p) => firm.ledger.run(&p.run).await?,
        None => None,
    };
    Ok(Ask::Leaver(leaving::Ask {
        overrule: state.as_ref().and_then(resume::overrule),
        approved: state.is_some_and(|s| s.approved(&id.0)),
        ..leaving::Ask::default()
    }))
}

/// Leavers whom a run has finished and whom lists still show, or HR still calls active: read by id, and no more is said of those who
/// are shut.
pub(super) async fn without_converged(
    firm: &Firm,
    finished: &BTreeMap<PersonId, DateTime<Utc>>,
    shown: &[Shown],
) -> Vec<Shown> {
    let mut left = vec![];
    for s in shown {
        let shut = finished.contains_key(&s.id)
            && matches!(
                firm.look.directory.person(&s.id.0).await,
                Ok(Observed::Present(p)) if !p.status.live()
            );
        if !shut {
            left.push(s.clone());
        }
    }
    left
}
