//! A sweep that is held: the brake, a read that is not believed, and who is told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{bulk::Read, contained::Held, telling::Telling};
use crate::{
    cli::{
        context::Context,
        document,
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::{errors, resume, say},
        view,
    },
    ledger::{
        Guard,
        entry::{Body, Draft, Opened, Swept},
    },
    model::{PersonResult, Record, What},
    planner::{
        brake::{Facts as BrakeFacts, Recent, Trip},
        guards::Distrust,
        sweep::{self, Lanes},
    },
    run::observe::Tenant,
};

pub(super) async fn brake_facts(
    firm: &Firm,
    read: &Read,
    tenant: &Tenant,
    lanes: &Lanes,
) -> Result<BrakeFacts, CliError> {
    let mut members: BTreeMap<String, usize> = BTreeMap::new();
    for group in read.facts.held.values().flatten() {
        *members.entry(group.clone()).or_default() += 1;
    }
    let rules = tenant
        .catalogue
        .rules
        .present()
        .into_iter()
        .flatten()
        .map(|r| (r.name.clone(), r.groups.clone(), r.excluded.len()))
        .collect();
    Ok(BrakeFacts {
        by_hand: false,
        recent: Recent {
            leavers_24h: firm.leavers_24h().await?,
        },
        members,
        rules,
        causes: sweep::causes(&read.facts, lanes, &firm.config.policy_digest()),
    })
}

pub fn unbelieved(distrust: &Distrust) -> CliError {
    CliError::brake(distrust.to_string())
        .hint("Nothing was done: no change is planned from a read that can't be believed.")
        .run("See what the directory and HR answer", "jml doctor")
}

/// A sweep whose brake tripped.
pub(super) struct Braked<'a> {
    pub read: &'a Read,
    pub trip: &'a Trip,
    /// The run in which everything is held.
    pub run: &'a str,
    /// A dry run: nothing is contained, held or told.
    pub looks: bool,
}

/// The plans are held, nothing destructive is done, somebody is told.
pub(super) async fn braked(
    cx: &Context,
    firm: &Firm,
    mut tell: Telling,
    braked: &Braked<'_>,
    held: Held,
) -> Result<Exit, CliError> {
    let &Braked { read, trip, run, looks } = braked;
    let Held {
        work,
        contained,
        states,
    } = held;
    if trip.fatal() {
        return Err(errors::trip(trip));
    }
    let causes = trip.causes.clone();
    if !looks {
        let mut bodies: Vec<Body> = work
            .iter()
            .filter_map(|s| {
                let plan = s.plan.clone().ok()?;
                Some(Body::Held {
                    subject: s.id().0.clone(),
                    plan,
                    why: trip.to_string(),
                })
            })
            .collect();
        bodies.extend(alarm(firm, run, &format!("brake: {trip}"))?);
        let memory = Swept {
            people: read.facts.people.len(),
            pages: read.pages,
            good: false,
            ..Swept::default()
        };
        remember(firm, run, &tell.guard, memory, bodies).await?;
        resume::pay(firm, &resume::empty(firm)?).await?;
    }
    let held = (!looks).then(|| run.to_owned());
    let mut lines = vec![];
    for state in &states {
        for p in state.people.values().filter(|p| contained.contains(&p.subject)) {
            lines.push(view::report::line(state, p, &cx.out.screen));
            tell.people.push(view::json::person(state, p, &cx.flags()));
        }
    }
    tell.brake = Some(document::Brake {
        rule: trip.rule.to_owned(),
        found: trip.found,
        limit: trip.limit,
        held: held.clone(),
        contained: contained.len(),
        causes: causes.clone(),
    });
    let shown = view::sweep::Brake {
        rule: trip.rule,
        subject: trip.subject.as_deref(),
        found: trip.found,
        limit: trip.limit,
        share: None,
        read: Some(&tell.read),
        last_good: read.facts.last.as_ref().map(|(_, m)| m.people),
        causes: &causes,
        contained: contained.len(),
        would: looks,
        lines: &lines,
        held: held.as_deref(),
        approvals: firm.config.approvals.is_some(),
    };
    let screen = view::sweep::brake(&shown, &cx.flags(), &cx.out.screen);
    let told: BTreeSet<&str> = states
        .iter()
        .flat_map(|s| s.people.keys().map(String::as_str))
        .collect();
    let others = work.iter().filter(|s| !told.contains(s.id().0.as_str()));
    let others = others.filter_map(|s| {
        let plan = s.plan.as_ref().ok()?;
        Some(view::json::planned(plan, PersonResult::Held, None, vec![]))
    });
    tell.people.extend(others);
    if cx.global.output.json() {
        tell.write(cx, firm, Exit::Brake);
        return Ok(Exit::Brake);
    }
    Err(CliError::brake(trip.to_string()).screen(screen))
}

/// An event and a metric for whoever watches.
pub(super) fn alarm(firm: &Firm, run: &str, text: &str) -> Result<Vec<Body>, CliError> {
    let at = firm.now();
    let told = [
        (
            "event",
            What::Event {
                title: "jml sweep held".into(),
                text: text.to_owned(),
                tags: firm.tags("sweep"),
                alert: true,
            },
        ),
        (
            "brake",
            What::Metric {
                name: "jml.brake.tripped".into(),
                value: 1.0,
                tags: firm.tags("sweep"),
            },
        ),
    ];
    let mut bodies = vec![];
    for (key, what) in told {
        bodies.extend(owe(firm, run, &format!("jml-{run}-{key}"), what, at)?);
    }
    Ok(bodies)
}

pub(super) fn owe(firm: &Firm, run: &str, key: &str, what: What, at: DateTime<Utc>) -> Result<Vec<Body>, CliError> {
    let (_, recorders) = firm.hands(&resume::empty(firm)?)?;
    let record = Record {
        key: key.to_owned(),
        run: run.to_owned(),
        login: None,
        at,
        what,
    };
    Ok(recorders
        .into_iter()
        .filter(|(_, r)| r.takes(&record.what))
        .map(|(system, _)| Body::Owed {
            record: record.clone(),
            system,
        })
        .collect())
}

/// A run begins once, whichever of its entries comes first.
pub(super) async fn open(firm: &Firm, run: &str) -> Result<(), CliError> {
    if firm.ledger.run(run).await?.is_some_and(|s| s.opened.is_some()) {
        return Ok(());
    }
    let operator = firm.operator.name().await?;
    let body = Body::Opened(Opened {
        kind: "sweep".into(),
        operator: operator.clone(),
        consent: "--yes".into(),
        config: firm.config.digest(),
        policy: firm.config.policy_digest(),
        version: env!("CARGO_PKG_VERSION").into(),
        reason: None,
        ticket: None,
        role: say::role(firm),
        former: firm.former().await?,
    });
    let draft = Draft {
        run: run.to_owned(),
        operator: operator.clone(),
        body,
    };
    firm.ledger.append(&Guard::default(), vec![draft]).await?;
    Ok(())
}

pub(super) async fn remember(
    firm: &Firm,
    run: &str,
    guard: &Guard,
    swept: Swept,
    bodies: Vec<Body>,
) -> Result<(), CliError> {
    open(firm, run).await?;
    let operator = firm.operator.name().await?;
    let drafts = std::iter::once(Body::Swept(swept))
        .chain(bodies)
        .map(|body| Draft {
            run: run.to_owned(),
            operator: operator.clone(),
            body,
        })
        .collect();
    firm.ledger.append(guard, drafts).await?;
    Ok(())
}
