//! What a sweep learned, the watchers' figures, and every record that is owed from before.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    bulk::Read,
    held::{owe, remember},
    telling::Telling,
};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::{resume, say},
        view,
    },
    ledger::{entry::Swept, fold::State},
    model::{Flow, Person, What},
    planner::{guards, sweep::Lanes},
};

/// What the sweep learned, the watchers' figures, and every record that is owed from before.
pub(super) async fn settle_up(
    cx: &Context,
    firm: &Firm,
    mut tell: Telling,
    read: &Read,
    lanes: &Lanes,
    states: Vec<State>,
) -> Result<Exit, CliError> {
    let run = tell.run.clone().unwrap_or_default();
    let now = firm.now();
    let workers = read.facts.people.iter().filter_map(Person::worker);
    let swept = Swept {
        people: read.facts.people.len(),
        pages: read.pages,
        good: read.facts.unread.is_empty(),
        fill: guards::fill(workers, &firm.config.policy),
        policy: firm.config.policy_digest(),
        cursor: None,
        canaries: guards::canaries(&read.facts.people),
        missing: lanes.missing.iter().map(|(id, at)| (id.0.clone(), *at)).collect(),
    };
    let mut bodies = vec![];
    if swept.good {
        let open = still_open(firm).await?;
        let oldest = open
            .iter()
            .map(|at| (now - *at).num_milliseconds() as f64 / 1000.0)
            .fold(0.0, f64::max);
        let figures = [
            ("jml.sweep.heartbeat", 1.0),
            ("jml.leavers.open", open.len() as f64),
            ("jml.leavers.oldest_open_seconds", oldest),
            ("jml.outbox.owed", firm.ledger.outbox().await?.len() as f64),
        ];
        for (name, value) in figures {
            let what = What::Metric {
                name: name.into(),
                value,
                tags: firm.tags("sweep"),
            };
            bodies.extend(owe(firm, &run, &format!("jml-{run}-{name}"), what, now)?);
        }
    }
    remember(firm, &run, &tell.guard, swept, bodies).await?;
    let owed = resume::pay(firm, &resume::empty(firm)?).await?;
    let mut fresh = vec![];
    for s in states {
        fresh.push(firm.ledger.run(&s.run).await?.unwrap_or(s));
    }
    let mut exit = tell.exit;
    for state in &fresh {
        // A run that was taken up holds people whom an earlier sweep has answered for.
        for p in state.people.values().filter(|p| tell.touched.contains(&p.subject)) {
            exit = exit.worse(say::exit_of_person(p, now));
            tell.lines.push(view::report::line(state, p, &cx.out.screen));
            tell.people.push(view::json::person(state, p, &cx.flags()));
        }
    }
    if owed > 0 && overdue(firm, now).await? {
        exit = exit.worse(Exit::Partial);
    }
    exit = exit.worse(say::interrupted(cx));
    tell.write(cx, firm, exit);
    Ok(exit)
}

/// Since when the clock of each leaver runs who is not complete.
pub(super) async fn still_open(firm: &Firm) -> Result<Vec<DateTime<Utc>>, CliError> {
    let mut open = vec![];
    for o in firm
        .ledger
        .open_subjects()
        .await?
        .into_iter()
        .filter(|o| o.flow == Flow::Leaver)
    {
        if let Some(p) = firm
            .ledger
            .run(&o.run)
            .await?
            .and_then(|s| s.people.get(&o.subject).cloned())
        {
            open.push(p.plan.clock.unwrap_or(p.planned));
        }
    }
    Ok(open)
}

/// A record past its own deadline.
pub(super) async fn overdue(firm: &Firm, now: DateTime<Utc>) -> Result<bool, CliError> {
    let deadline = TimeDelta::from_std(firm.config.policy.deadlines.record).unwrap_or_default();
    Ok(firm
        .ledger
        .outbox()
        .await?
        .iter()
        .any(|i| i.record.what.is_due() && i.since + deadline < now))
}
