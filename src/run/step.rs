//! What the loop waits for: one effect, and the look at one system after its last one.
//!
//! Nothing else gives the word "verified", and a call that left without an answer is looked at before anything else happens.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Crew, Stop, observe::Target, settle};
use crate::{
    ledger::{
        entry::Subject,
        fold::{PersonState, Progress, StepRecord},
    },
    model::{
        Failure, Kind, Observed, OnFailure, Outcome, Receipt, Repeat, Seen, StepNo, System, Verdict, system::OKTA,
    },
    providers::Task,
};

/// How long one effect may go on being retried.
const EFFECT: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

/// Something that ended.
pub(super) enum Ended {
    Effect {
        subject: Subject,
        step: StepNo,
        outcome: Outcome,
        receipt: Option<Receipt>,
        took: Duration,
    },
    Look {
        subject: Subject,
        system: System,
        seen: Seen,
        tenant: Option<Arc<crate::model::Catalogue>>,
        last: bool,
    },
}

/// One effect. A call that left and got no answer is looked at before anything else happens.
pub(super) async fn effect(
    crew: &Crew,
    target: &Target,
    subject: Subject,
    step: StepNo,
    record: StepRecord,
    again: bool,
) -> Ended {
    let begun = Instant::now();
    let e = &record.step.effect;
    let key = format!("{}/{subject}/{step}", crew.run);
    let deadline: DateTime<Utc> = (crew.clock)() + EFFECT;
    let mut tries = 0;
    let answer = loop {
        tries += 1;
        let answer = match crew.hands.get(&e.system) {
            Some(hands) => {
                hands
                    .perform(Task {
                        effect: e,
                        key: &key,
                        deadline,
                        again,
                    })
                    .await
            }
            None => Err(Failure::permanent(
                e.action.name(),
                format!("{} is not configured", e.system),
            )),
        };
        match answer {
            Err(f) if f.kind == Kind::Doubt => {
                let parts = e.action.part().into_iter().collect();
                let (seen, tenant) = super::observe::again(&crew.eyes, target, &e.system, &parts).await;
                let systems = BTreeMap::from([(e.system.clone(), seen)]);
                let tenant = tenant.unwrap_or_else(|| target.tenant().clone());
                match e.holds(&systems, &tenant) {
                    Verdict::Holds => break Ok(Receipt::default()),
                    Verdict::Lacks if tries < 3 => continue,
                    Verdict::Unobservable if tries < 3 && e.action.repeat() == Repeat::Safe => continue,
                    Verdict::Lacks | Verdict::Unobservable | Verdict::Unknown(_) => break Err(f),
                }
            }
            other => break other,
        }
    };
    let (outcome, receipt) = match answer {
        Ok(r) if r.already => (Outcome::Already, Some(r)),
        Ok(r) => (Outcome::Done, Some(r)),
        Err(failure) if failure.kind == Kind::Doubt => (Outcome::InDoubt { failure }, None),
        Err(failure) => match record.step.on_failure {
            // A refusal needs repair; what may pass by itself is owed and tried again by the sweep.
            OnFailure::Owe | OnFailure::Hold if matches!(failure.kind, Kind::Transient | Kind::Throttled) => {
                (Outcome::Owed { failure, until: None }, None)
            }
            OnFailure::Owe | OnFailure::Hold | OnFailure::Continue | OnFailure::Halt => {
                (Outcome::Failed { failure }, None)
            }
        },
    };
    Ended::Effect {
        subject,
        step,
        outcome,
        receipt,
        took: begun.elapsed(),
    }
}

/// Reads until every accepted effect shows, or patience ends. Nothing else gives the word "verified".
pub(super) async fn look(crew: &Crew, person: PersonState, target: &Target, system: System) -> Ended {
    let subject = person.subject.clone();
    let parts = settle::parts(&person, &system);
    let begun = Instant::now();
    let mut wait = Duration::from_millis(500);
    loop {
        let (seen, tenant) = super::observe::again(&crew.eyes, target, &system, &parts).await;
        let systems = BTreeMap::from([(system.clone(), seen.clone())]);
        let catalogue = tenant.clone().unwrap_or_else(|| target.tenant().clone());
        let settled = settle::settle(&person, &systems, &catalogue, Some(&system))
            .into_iter()
            .all(|(step, v)| {
                let accepted = matches!(
                    &person.steps[step].progress,
                    Progress::Ended {
                        outcome: Outcome::Done | Outcome::Already,
                        ..
                    }
                );
                match v {
                    Verdict::Holds | Verdict::Unobservable => true,
                    // What was refused is not waited for.
                    Verdict::Lacks | Verdict::Unknown(_) => !accepted,
                }
            });
        // What rules and provisioning do after our own steps takes a while: waited for, but not as long.
        let met = system != OKTA
            || begun.elapsed() > crew.patience / 4
            || settle::expectations(&person, Some(&seen))
                .iter()
                .all(|(_, o)| o.settled());
        let unread = matches!(seen.account, Observed::Unknown(_));
        let over = begun.elapsed() + wait > crew.patience || (unread && begun.elapsed() > crew.patience / 4);
        if (settled && met) || over || *crew.stop.borrow() == Stop::Now {
            return Ended::Look {
                subject,
                system,
                seen,
                tenant,
                last: true,
            };
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}
