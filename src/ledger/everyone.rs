//! What memory has of everybody at once, for the sweep: one pass, never a question a person.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Ledger, LedgerError, PersonState, State,
    entry::{Body, Subject},
    query::History,
    store::Query,
};
use crate::model::{Flow, Grant, PersonResult, System};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Everyone {
    /// What was given and not taken away again: (system, holding id).
    pub given: BTreeMap<Subject, BTreeSet<(System, String)>>,
    /// Exceptions, those that ended and were not taken back yet among them.
    pub grants: BTreeMap<Subject, Vec<Grant>>,
    /// When a leaver's run last closed complete.
    pub finished: BTreeMap<Subject, DateTime<Utc>>,
    /// Leavers by an operator's word against HR's.
    pub overridden: BTreeSet<Subject>,
    /// By system and account: whose it was seen or said to be.
    pub accounts: BTreeMap<(System, String), Subject>,
    /// Whom an operator said it isn't.
    pub not: BTreeSet<(Subject, System, String)>,
    /// Logins of people whom a run took leave of, lower case, and when.
    pub former: BTreeMap<String, DateTime<Utc>>,
    /// With an unfinished run: its flow.
    pub open: BTreeMap<Subject, Flow>,
    /// Of those: for whom somebody signed.
    pub approved: BTreeSet<Subject>,
    /// With nothing left but what people do by hand, as it stands in the run.
    pub by_hand: Vec<PersonState>,
}

impl Ledger {
    pub async fn everyone(&self) -> Result<Everyone, LedgerError> {
        self.ask(|k| {
            let mut runs: BTreeMap<String, State> = BTreeMap::new();
            let mut histories: BTreeMap<Subject, History> = BTreeMap::new();
            let mut all = Everyone::default();
            k.each(&Query::default(), |e| {
                let state = runs.entry(e.envelope.run.clone()).or_default();
                state.take(&e).map_err(LedgerError::from)?;
                let at = e.envelope.time;
                match &e.body {
                    Some(
                        Body::Finished { subject, step, .. }
                        | Body::Verified { subject, step }
                        | Body::Ticked { subject, step, .. },
                    ) => {
                        if let Some(record) = state.people.get(subject).and_then(|p| p.steps.get(*step)) {
                            histories.entry(subject.clone()).or_default().learn(record, at);
                        }
                    }
                    Some(Body::Planned {
                        subject,
                        plan,
                        manifest,
                    }) => {
                        for (system, account) in &manifest.accounts {
                            all.accounts
                                .insert((system.clone(), account.id.clone()), subject.clone());
                        }
                        if plan.flow == Flow::Leaver {
                            all.former.insert(plan.login.to_lowercase(), at);
                            if let Some(history) = histories.get_mut(subject) {
                                history.grants.clear();
                            }
                        }
                    }
                    Some(Body::Granted { subject, grant }) => {
                        histories.entry(subject.clone()).or_default().grant(grant.clone());
                    }
                    Some(Body::Linked {
                        subject,
                        system,
                        account,
                        is,
                    }) => {
                        let key = (system.clone(), account.clone());
                        let not = (subject.clone(), system.clone(), account.clone());
                        if *is {
                            all.not.remove(&not);
                            all.accounts.insert(key, subject.clone());
                        } else {
                            all.not.insert(not);
                            all.accounts.retain(|k, s| *k != key || s != subject);
                        }
                    }
                    Some(Body::Lifted { subject, .. }) => {
                        all.overridden.remove(subject);
                    }
                    Some(Body::Closed { subject, result })
                        if state.people.get(subject).is_some_and(|p| p.flow == Flow::Leaver) =>
                    {
                        if *result == PersonResult::Complete {
                            all.finished.insert(subject.clone(), at);
                        }
                        let ended = matches!(result, PersonResult::Complete | PersonResult::Held);
                        if ended && state.opened.as_ref().is_some_and(|(_, o)| o.reason.is_some()) {
                            all.overridden.insert(subject.clone());
                        }
                    }
                    _ => {}
                }
                Ok(true)
            })?;
            for (subject, history) in histories {
                if !history.given.is_empty() {
                    all.given.insert(subject.clone(), history.given);
                }
                if !history.grants.is_empty() {
                    all.grants.insert(subject, history.grants);
                }
            }
            for (_, mut state) in runs {
                for (subject, p) in std::mem::take(&mut state.people) {
                    let approved = state.approved(&subject);
                    match p {
                        p if p.finished() || p.held.is_some() => {}
                        p if p.waits_for_people() => all.by_hand.push(p),
                        p => {
                            if approved {
                                all.approved.insert(subject.clone());
                            }
                            all.open.insert(subject, p.flow);
                        }
                    }
                }
            }
            Ok(all)
        })
        .await
    }
}
