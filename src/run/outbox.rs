//! Records on their way: late is allowed, lost is not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream::FuturesUnordered};

use super::{AllRecorders, Crew};
use crate::{
    ledger::{
        Guard, Ledger, LedgerError,
        entry::{Body, Draft},
        fold::{OutboxItem, PersonState, Progress, State},
    },
    model::{Failure, Flow, Kind, Outcome, PersonResult, Receipt, Record, System, What},
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
    if matches!(result, PersonResult::Complete | PersonResult::Nothing) {
        told.push((
            format!("{key}-close"),
            What::Close {
                change: key.clone(),
                checkpoint: checkpoint.to_owned(),
            },
        ));
    }
    let late = p.plan.due.is_some_and(|due| p.completed.is_none_or(|c| c > due));
    // A cause is a system that refuses: an incident each, of which its key makes one however often the run is taken up.
    let mut broken: BTreeMap<&System, Vec<String>> = BTreeMap::new();
    for r in p.steps.iter().filter(|r| r.verified.is_none()) {
        let Progress::Ended { outcome, .. } = &r.progress else {
            continue;
        };
        let failure = match outcome {
            Outcome::Failed { failure } | Outcome::InDoubt { failure } => failure,
            Outcome::Owed { failure, until } if until.is_none_or(|u| u < now) => failure,
            Outcome::Owed { .. }
            | Outcome::Verified
            | Outcome::Done
            | Outcome::Already
            | Outcome::Unassigned
            | Outcome::NotTried { .. } => continue,
        };
        broken
            .entry(&r.step.effect.system)
            .or_default()
            .push(failure.to_string());
    }
    for (system, said) in &broken {
        told.push((
            format!("{key}-incident-{system}"),
            What::Incident {
                title: format!("{} {}: {system} needs a person", p.flow, p.login),
                text: said.join("\n"),
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
        .flat_map(|(key, what)| {
            let record = Record {
                key,
                run: crew.run.clone(),
                login: Some(p.login.clone()),
                at: now,
                what,
            };
            addressed(&crew.recorders, &record)
        })
        .collect()
}

/// One entry a recorder that takes it.
pub fn addressed(recorders: &AllRecorders, record: &Record) -> Vec<Body> {
    recorders
        .iter()
        .filter(|(_, r)| r.takes(&record.what))
        .map(|(system, _)| Body::Owed {
            record: record.clone(),
            system: system.clone(),
        })
        .collect()
}

/// Tries each item once. What fails stays owed, with why; the next sweep tries again. A change record says all it has to say before
/// it is closed: a closed one takes no more.
pub async fn deliver(
    recorders: &AllRecorders,
    ledger: &Ledger,
    guard: &Guard,
    operator: &str,
    items: Vec<OutboxItem>,
) -> Result<(), LedgerError> {
    // Whoever has lost the lease sends nothing either.
    ledger.append(guard, vec![]).await?;
    let (closing, rest): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|i| matches!(i.record.what, What::Close { .. }));
    let mut failed: BTreeSet<(System, String)> = BTreeSet::new();
    for wave in [rest, closing] {
        let mut waiting = wave.into_iter();
        let mut inflight = FuturesUnordered::new();
        loop {
            while inflight.len() < WIDTH {
                let Some(item) = waiting.next() else { break };
                let unfiled = match &item.record.what {
                    What::Close { change, .. } => failed.contains(&(item.system.clone(), change.clone())),
                    What::Change { .. } | What::Incident { .. } | What::Event { .. } | What::Metric { .. } => false,
                };
                let recorder = recorders.get(&item.system).cloned();
                inflight.push(async move {
                    let sent: Result<Receipt, Failure> = match recorder {
                        _ if unfiled => Err(Failure::new(
                            Kind::Transient,
                            "close the change record",
                            "waits until it is filed",
                        )),
                        Some(r) => r.deliver(&item.record).await,
                        None => Err(missing(&item.system)),
                    };
                    (item, sent)
                });
            }
            let Some((item, sent)) = inflight.next().await else {
                break;
            };
            let (system, key, run) = (item.system, item.record.key, item.record.run);
            let body = match sent {
                Ok(receipt) => Body::Delivered { key, system, receipt },
                Err(failure) => {
                    failed.insert((system.clone(), key.clone()));
                    Body::Undelivered { key, system, failure }
                }
            };
            let draft = Draft {
                run,
                operator: operator.to_owned(),
                body,
            };
            ledger.append(guard, vec![draft]).await?;
        }
    }
    Ok(())
}

fn missing(system: &System) -> Failure {
    Failure::permanent(format!("deliver to {system}"), "no such recorder is configured")
}
