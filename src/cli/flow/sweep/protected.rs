//! Protected people whom HR says have left: protection stops mistakes, not leavings. Each is planned and held, an incident tells of it, and one
//! approver's signature lets it be applied. Nobody is acted on here.

use std::collections::BTreeMap;

use super::{
    held::{open, owe},
    telling::{Telling, without},
};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        firm::Firm,
        flow::preview::{self, Ask},
        text,
    },
    ledger::entry::{Body, Draft},
    model::{Observed, PersonId, What},
    planner::{
        leaver as leaving,
        sweep::{Lanes, Shown},
    },
    run::observe::Tenant,
};

/// `writes`: no dry run. Heads the report.
pub(super) async fn hold(
    cx: &Context,
    firm: &Firm,
    tenant: &mut Tenant,
    lanes: &Lanes,
    tell: &mut Telling,
    writes: bool,
) -> Result<(), CliError> {
    let mut people = vec![];
    for d in &lanes.protected_leavers {
        match firm.look.directory.person(&d.id.0).await {
            Ok(Observed::Present(p)) => people.push(p),
            Ok(Observed::Absent) => {}
            Ok(Observed::Unknown(f)) | Err(f) => tell.failed(&d.login, &f),
        }
    }
    let asked = firm.employ(people).await?.into_iter().map(|p| {
        let ask = leaving::Ask {
            approved: true,
            ..leaving::Ask::default()
        };
        (p, Ask::Leaver(ask))
    });
    let subjects = preview::look(firm, tenant, asked.collect()).await?;
    let (mut bodies, mut names) = (vec![], BTreeMap::<&PersonId, String>::new());
    for s in &subjects {
        let Ok(plan) = s.plan.as_ref() else {
            tell.refused(s);
            continue;
        };
        let shown = lanes.protected.iter().find(|p| p.id == *s.id());
        let (Some(shown), false) = (shown, plan.is_empty()) else {
            continue;
        };
        names.insert(s.id(), plan.id().short());
        // Every sweep finds them again: what is held already is held.
        if !writes || held(firm, &plan.id().0).await? {
            continue;
        }
        let Some(run) = &tell.run else { continue };
        let why = without(&shown.login, &shown.text);
        let what = What::Incident {
            title: format!("{} is protected and has left: an approver is needed", shown.login),
            text: format!("{why}. Plan {}: jml run approve {}", plan.id(), plan.id()),
        };
        bodies.extend(owe(firm, run, &format!("protected-{}", s.id().0), what, firm.now())?);
        bodies.push(Body::Held {
            subject: s.id().0.clone(),
            plan: plan.clone(),
            why,
        });
    }
    if !bodies.is_empty()
        && let Some(run) = tell.run.clone()
    {
        open(firm, &run).await?;
        let operator = firm.operator.name().await?;
        let drafts = bodies.into_iter().map(|body| Draft {
            run: run.clone(),
            operator: operator.clone(),
            body,
        });
        firm.ledger.append(&tell.guard, drafts.collect()).await?;
    }
    let shown: Vec<Shown> = lanes
        .protected
        .iter()
        .map(|s| with(cx, firm, s, names.get(&s.id)))
        .collect();
    tell.held(&shown);
    Ok(())
}

/// The line, with what an approver gives.
fn with(cx: &Context, firm: &Firm, shown: &Shown, plan: Option<&String>) -> Shown {
    let next = match (plan, &firm.config.approvals) {
        (Some(plan), Some(_)) => format!(": {}", cx.command(&format!("run approve {}", text::shell(plan)))),
        (Some(_), None) => ", and no [approvals] are configured".to_owned(),
        (None, _) => String::new(),
    };
    Shown {
        text: format!("{}{next}", shown.text),
        ..shown.clone()
    }
}

/// By a run that has not been applied.
async fn held(firm: &Firm, plan: &str) -> Result<bool, CliError> {
    for stored in firm.ledger.plans(plan).await?.iter().filter(|s| s.held) {
        if firm.ledger.holds(&stored.run).await?.contains_key(&stored.subject) {
            return Ok(true);
        }
    }
    Ok(false)
}
