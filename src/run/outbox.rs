//! Records on their way: late is allowed, lost is not.

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream::FuturesUnordered};

use super::{AllRecorders, Crew};
use crate::{
    ledger::{
        Guard, Ledger, LedgerError,
        entry::{Body, Draft},
        fold::{OutboxItem, PersonState, State},
    },
    model::{Failure, Flow, Outcome, Record, System, What},
};

/// How many records travel at once.
const WIDTH: usize = 8;

/// What is to be told of a person whose work has ended, as entries of the same append that closes it: a crash can't come between.
pub fn owed(crew: &Crew, state: &State, p: &PersonState, checkpoint: &str, now: DateTime<Utc>) -> Vec<Body> {
    let Some(result) = p.result else { return vec![] };
    let key = format!("jml-{}-{}", crew.run, p.subject);
    let title = format!("{} {}: {}", p.flow, p.login, result.name());
    let report = (crew.wording)(state, p);
    let mut told = vec![(
        key.clone(),
        What::Change {
            flow: p.flow.to_string(),
            result: result.name().to_owned(),
            title: title.clone(),
            report: report.clone(),
            manifest: p.manifest.clone(),
            checkpoint: checkpoint.to_owned(),
            started: p.planned,
            finished: now,
        },
    )];
    let late = p.plan.due.is_some_and(|due| p.completed.is_none_or(|c| c > due));
    let broken: Vec<String> = p
        .steps
        .iter()
        .filter_map(|r| match &r.progress {
            crate::ledger::fold::Progress::Ended { outcome, .. } if r.verified.is_none() => match outcome {
                Outcome::Failed { failure } | Outcome::InDoubt { failure } => Some(failure.to_string()),
                Outcome::Owed { failure, until } if until.is_none_or(|u| u < now) => Some(failure.to_string()),
                Outcome::Owed { .. }
                | Outcome::Verified
                | Outcome::Done
                | Outcome::Already
                | Outcome::Unassigned
                | Outcome::NotTried { .. } => None,
            },
            _ => None,
        })
        .collect();
    if !broken.is_empty() {
        told.push((
            format!("{key}-incident"),
            What::Incident {
                title: format!("{} {}: needs a person", p.flow, p.login),
                text: broken.join("\n"),
            },
        ));
    }
    let mut tags = crew.tags.clone();
    tags.push(format!("flow:{}", p.flow));
    tags.push(format!("result:{}", result.name()));
    told.push((
        format!("{key}-event"),
        What::Event {
            title,
            text: report,
            tags: tags.clone(),
            alert: !broken.is_empty() || late,
        },
    ));
    if p.flow == Flow::Leaver
        && let Some(clock) = p.plan.clock
    {
        // A leaver that is not complete has no duration: jml.leavers.oldest_open_seconds is what tells of it.
        if let Some(done) = p.completed {
            tags.push(format!("sla:{}", if late { "missed" } else { "met" }));
            let value = (done - clock).num_milliseconds() as f64 / 1000.0;
            told.push((
                format!("{key}-seconds"),
                What::Metric {
                    name: "jml.offboarding.seconds".into(),
                    value,
                    tags: tags.clone(),
                },
            ));
        }
        if let Some(effective) = p.plan.effective {
            let value = ((clock - effective).num_milliseconds() as f64 / 1000.0).max(0.0);
            told.push((
                format!("{key}-lag"),
                What::Metric {
                    name: "jml.hr_lag.seconds".into(),
                    value,
                    tags,
                },
            ));
        }
    }
    told.into_iter()
        .flat_map(|(key, what)| addressed(crew, key, Some(p.login.clone()), what, now))
        .collect()
}

/// One entry a recorder that takes it.
pub fn addressed(crew: &Crew, key: String, login: Option<String>, what: What, at: DateTime<Utc>) -> Vec<Body> {
    let record = Record {
        key,
        run: crew.run.clone(),
        login,
        at,
        what,
    };
    crew.recorders
        .iter()
        .filter(|(_, r)| r.takes(&record.what))
        .map(|(system, _)| Body::Owed {
            record: record.clone(),
            system: system.clone(),
        })
        .collect()
}

/// Tries each item once. What fails stays owed, with why; the next sweep tries again.
pub async fn deliver(
    recorders: &AllRecorders,
    ledger: &Ledger,
    guard: &Guard,
    operator: &str,
    items: Vec<OutboxItem>,
) -> Result<(), LedgerError> {
    // One change record before another of the same person; systems side by side.
    let mut waiting = items.into_iter();
    let mut inflight = FuturesUnordered::new();
    loop {
        while inflight.len() < WIDTH {
            let Some(item) = waiting.next() else { break };
            let recorder = recorders.get(&item.system).cloned();
            inflight.push(async move {
                let sent = match recorder {
                    Some(r) => r.deliver(&item.record).await,
                    None => Err(missing(&item.system)),
                };
                (item, sent)
            });
        }
        let Some((item, sent)) = inflight.next().await else {
            return Ok(());
        };
        let (system, key, run) = (item.system, item.record.key, item.record.run);
        let body = match sent {
            Ok(receipt) => Body::Delivered { key, system, receipt },
            Err(failure) => Body::Undelivered { key, system, failure },
        };
        ledger
            .append(
                guard,
                vec![Draft {
                    run,
                    operator: operator.to_owned(),
                    body,
                }],
            )
            .await?;
    }
}

fn missing(system: &System) -> Failure {
    Failure::permanent(format!("deliver to {system}"), "no such recorder is configured")
}
