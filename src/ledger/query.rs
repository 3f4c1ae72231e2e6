//! Questions to memory. Each reads only the kinds of entries it needs; what an entry means is the fold's to say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Body, Entry, Keeper, Ledger, LedgerError, Seq, State, Subject, Swept,
    fold::Progress,
    fold::{OutboxItem, PersonState, StepRecord},
    store::Query,
};
use crate::model::{Flow, Grant, Outcome, PersonResult, PlanId, System, Verb, system::OKTA};

/// Which entries to list, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub after: Seq,
    pub since: Option<DateTime<Utc>>,
    pub run: Option<String>,
    pub subject: Option<Subject>,
    pub limit: Option<usize>,
}

/// One line of `run list`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHead {
    pub run: String,
    /// The command; empty where the run's first entry was of another kind.
    pub kind: String,
    pub operator: String,
    pub started: DateTime<Utc>,
    pub last: DateTime<Utc>,
    /// Logins, or subjects where the login was erased.
    pub people: Vec<String>,
    pub results: BTreeMap<PersonResult, usize>,
    /// Somebody in it is not finished, or a record is not delivered.
    pub open: bool,
}

/// Somebody whom a run planned for and did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owing {
    pub run: String,
    pub subject: Subject,
    pub flow: Flow,
    pub login: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub run: String,
    pub flow: Flow,
    pub plan: PlanId,
    pub at: DateTime<Utc>,
    pub held: Option<String>,
}

/// What memory has of one person, over all runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Effects that no read can show, when they last went well.
    pub done: BTreeMap<(System, Verb), DateTime<Utc>>,
    /// What was given and not taken away again: (system, holding id).
    pub given: BTreeSet<(System, String)>,
    /// Exceptions, by group: those that run, and those that ended and were not taken back yet. A leaving ends them all.
    pub grants: Vec<Grant>,
    /// The account of each system: linked by an operator, else as last seen.
    pub accounts: BTreeMap<System, String>,
    /// Accounts that an operator said are somebody else's.
    pub not: BTreeSet<(System, String)>,
    /// Runs that planned for the person and did not finish.
    pub open_runs: Vec<String>,
    pub last_closed: Option<(Flow, PersonResult, DateTime<Utc>)>,
    pub plans: Vec<Planned>,
}

/// One leaver: where the time went.
#[derive(Clone, Debug, PartialEq)]
pub struct SlaRow {
    pub run: String,
    pub subject: Subject,
    pub login: String,
    pub effective: Option<DateTime<Utc>>,
    /// When the clock of the promise started; `None`: HR's time of record can't be read, and nothing can be said to be met.
    pub clock: Option<DateTime<Utc>>,
    pub due: Option<DateTime<Utc>>,
    /// Planned, by us.
    pub found: DateTime<Utc>,
    pub contained: Option<DateTime<Utc>>,
    pub completed: Option<DateTime<Utc>>,
    pub result: PersonResult,
    /// The first thing that went wrong.
    pub why: Option<String>,
    /// The entries it is made of.
    pub entries: (Seq, Seq),
}

impl Ledger {
    /// A run as the fold sees it.
    pub async fn run(&self, id: &str) -> Result<Option<State>, LedgerError> {
        let id = id.to_owned();
        self.ask(move |k| k.fold(&id)).await
    }
    /// Runs whose id begins so. One is meant, several are ambiguous.
    pub async fn run_by_prefix(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let query = Query {
            prefix: Some(prefix.to_owned()),
            bare: true,
            ..Query::default()
        };
        self.ask(move |k| {
            let mut runs = BTreeSet::new();
            k.each(&query, |e| {
                runs.insert(e.envelope.run);
                Ok(true)
            })?;
            Ok(runs.into_iter().collect())
        })
        .await
    }
    /// Newest last.
    pub async fn runs(&self) -> Result<Vec<RunHead>, LedgerError> {
        self.ask(Keeper::runs).await
    }
    /// Planned for, and not closed as complete: what resume and the sweep look at again.
    pub async fn open_subjects(&self) -> Result<Vec<Owing>, LedgerError> {
        self.ask(Keeper::open_subjects).await
    }
    pub async fn history(&self, subject: &str) -> Result<History, LedgerError> {
        let subject = subject.to_owned();
        self.ask(move |k| k.history(&subject)).await
    }
    /// Records owed and not delivered, over all runs, oldest first.
    pub async fn outbox(&self) -> Result<Vec<OutboxItem>, LedgerError> {
        self.ask(Keeper::outbox).await
    }
    /// The newest sweep, of whatever quality, and the newest whose roster was read whole and believed.
    pub async fn last_sweep(&self) -> Result<Option<(DateTime<Utc>, Swept)>, LedgerError> {
        self.ask(|k| k.swept(|_| true)).await
    }
    pub async fn last_good_sweep(&self) -> Result<Option<(DateTime<Utc>, Swept)>, LedgerError> {
        self.ask(|k| k.swept(|s| s.good)).await
    }
    /// Whom a leaver was begun for since then.
    pub async fn leavers_since(&self, since: DateTime<Utc>) -> Result<BTreeSet<Subject>, LedgerError> {
        self.ask(move |k| k.leavers_since(since)).await
    }
    /// Oldest first. Page on with `after`.
    pub async fn entries(&self, filter: Filter) -> Result<Vec<Entry>, LedgerError> {
        self.ask(move |k| k.entries(&filter)).await
    }
    /// People for whom a plan with this login was ever made.
    pub async fn subjects_of(&self, login: &str) -> Result<BTreeSet<Subject>, LedgerError> {
        let query = Query {
            login: Some(login.to_owned()),
            ..Query::default()
        };
        self.ask(move |k| {
            let mut found = BTreeSet::new();
            k.each(&query, |e| {
                found.extend(e.body.as_ref().and_then(Body::subject).map(str::to_owned));
                Ok(true)
            })?;
            Ok(found)
        })
        .await
    }
    /// Leavers planned since then, in the order in which they were found.
    pub async fn sla(&self, since: DateTime<Utc>) -> Result<Vec<SlaRow>, LedgerError> {
        self.ask(move |k| k.sla(since)).await
    }
}

fn kinds(kinds: &[&'static str]) -> Query {
    Query {
        kinds: kinds.to_vec(),
        ..Query::default()
    }
}

impl Keeper {
    pub(super) fn fold(&mut self, run: &str) -> Result<Option<State>, LedgerError> {
        let query = Query {
            run: Some(run.to_owned()),
            ..Query::default()
        };
        let mut state = State::default();
        self.each(&query, |e| {
            follow(&mut state, &e)?;
            Ok(true)
        })?;
        Ok(state.first.is_some().then_some(state))
    }

    fn runs(&mut self) -> Result<Vec<RunHead>, LedgerError> {
        let mut heads: BTreeMap<String, (Seq, RunHead)> = BTreeMap::new();
        let mut closed: BTreeMap<(String, Subject), PersonResult> = BTreeMap::new();
        let mut named: BTreeMap<(String, Subject), String> = BTreeMap::new();
        let mut owed: BTreeSet<(String, System, String)> = BTreeSet::new();
        self.each(&Query::default(), |e| {
            let run = e.envelope.run;
            let (_, head) = heads.entry(run.clone()).or_insert_with(|| {
                let head = RunHead {
                    run: run.clone(),
                    kind: String::new(),
                    operator: e.envelope.operator.clone(),
                    started: e.envelope.time,
                    last: e.envelope.time,
                    people: Vec::new(),
                    results: BTreeMap::new(),
                    open: false,
                };
                (e.envelope.seq, head)
            });
            head.last = e.envelope.time;
            match e.body {
                Some(Body::Opened(opened)) => head.kind = opened.kind,
                Some(Body::Planned { subject, plan, .. } | Body::Held { subject, plan, .. }) => {
                    closed.remove(&(run.clone(), subject.clone()));
                    named.insert((run, subject), plan.login);
                }
                Some(Body::Closed { subject, result }) => {
                    closed.insert((run, subject), result);
                }
                Some(Body::Owed { record, system }) => {
                    owed.insert((run, system, record.key));
                }
                Some(Body::Delivered { key, system, .. }) => {
                    owed.remove(&(run, system, key));
                }
                _ => {}
            }
            Ok(true)
        })?;
        for (run, ..) in owed {
            if let Some((_, head)) = heads.get_mut(&run) {
                head.open = true;
            }
        }
        for ((run, subject), login) in named {
            if let Some((_, head)) = heads.get_mut(&run) {
                head.people.push(login);
                match closed.get(&(run, subject)) {
                    Some(result) => {
                        *head.results.entry(*result).or_default() += 1;
                        head.open |= matches!(result, PersonResult::Partial | PersonResult::Planned);
                    }
                    None => head.open = true,
                }
            }
        }
        let mut list: Vec<_> = heads.into_values().collect();
        list.sort_by_key(|(seq, _)| *seq);
        Ok(list.into_iter().map(|(_, h)| h).collect())
    }

    fn open_subjects(&mut self) -> Result<Vec<Owing>, LedgerError> {
        let mut open: BTreeMap<(String, Subject), (Seq, Flow, String)> = BTreeMap::new();
        self.each(&kinds(&["planned", "closed"]), |e| {
            let run = e.envelope.run;
            match e.body {
                Some(Body::Planned { subject, plan, .. }) => {
                    open.insert((run, subject), (e.envelope.seq, plan.flow, plan.login));
                }
                Some(Body::Closed { subject, result }) => match result {
                    PersonResult::Complete | PersonResult::Nothing | PersonResult::Refused => {
                        open.remove(&(run, subject));
                    }
                    PersonResult::Planned | PersonResult::Partial | PersonResult::Held => {}
                },
                _ => {}
            }
            Ok(true)
        })?;
        let mut list: Vec<_> = open.into_iter().collect();
        list.sort_by_key(|(_, (seq, ..))| *seq);
        Ok(list
            .into_iter()
            .map(|((run, subject), (_, flow, login))| Owing {
                run,
                subject,
                flow,
                login,
            })
            .collect())
    }

    fn history(&mut self, subject: &str) -> Result<History, LedgerError> {
        let query = Query {
            subject: Some(subject.to_owned()),
            ..Query::default()
        };
        // Resumed is about a run, not a subject, but it decides whether a step may be started again.
        let mut resumed: Vec<(String, Seq)> = Vec::new();
        let mut query_resumed = kinds(&["resumed"]);
        query_resumed.bare = true;
        self.each(&query_resumed, |e| {
            resumed.push((e.envelope.run, e.envelope.seq));
            Ok(true)
        })?;
        let mut runs: BTreeMap<String, State> = BTreeMap::new();
        let mut history = History::default();
        let mut linked: BTreeMap<System, String> = BTreeMap::new();
        self.each(&query, |e| {
            let state = runs.entry(e.envelope.run.clone()).or_default();
            state.taken_up = resumed
                .iter()
                .filter(|(run, seq)| *run == e.envelope.run && *seq < e.envelope.seq)
                .map(|(_, seq)| *seq)
                .max();
            follow(state, &e)?;
            let (run, at) = (e.envelope.run, e.envelope.time);
            match e.body {
                Some(Body::Granted { grant, .. }) => history.grant(grant),
                Some(Body::Planned { plan, manifest, .. }) => {
                    for (system, account) in manifest.accounts {
                        history.accounts.insert(system, account.id);
                    }
                    if plan.flow == Flow::Leaver {
                        history.grants.clear();
                    }
                    history.plans.push(Planned {
                        run,
                        flow: plan.flow,
                        plan: plan.id(),
                        at,
                        held: None,
                    });
                }
                Some(Body::Held { plan, why, .. }) => history.plans.push(Planned {
                    run,
                    flow: plan.flow,
                    plan: plan.id(),
                    at,
                    held: Some(why),
                }),
                Some(Body::Linked {
                    system, account, is, ..
                }) => {
                    if is {
                        history.not.remove(&(system.clone(), account.clone()));
                        linked.insert(system, account);
                    } else {
                        if linked.get(&system) == Some(&account) {
                            linked.remove(&system);
                        }
                        history.not.insert((system, account));
                    }
                }
                Some(Body::Closed { result, .. }) => {
                    if let Some(person) = state.people.get(subject) {
                        history.last_closed = Some((person.flow, result, at));
                    }
                }
                Some(Body::Finished { step, .. } | Body::Verified { step, .. } | Body::Ticked { step, .. }) => {
                    if let Some(record) = state.people.get(subject).and_then(|p| p.steps.get(step)) {
                        history.learn(record, at);
                    }
                }
                _ => {}
            }
            Ok(true)
        })?;
        history.accounts.extend(linked);
        let not = std::mem::take(&mut history.not);
        history.accounts.retain(|s, a| !not.contains(&(s.clone(), a.clone())));
        history.not = not;
        history.open_runs = runs
            .into_iter()
            .filter(|(_, state)| !state.people.values().all(PersonState::finished))
            .map(|(run, _)| run)
            .collect();
        Ok(history)
    }

    fn outbox(&mut self) -> Result<Vec<OutboxItem>, LedgerError> {
        let mut state: BTreeMap<String, State> = BTreeMap::new();
        self.each(&kinds(&["owed", "undelivered", "delivered"]), |e| {
            follow(state.entry(e.envelope.run.clone()).or_default(), &e)?;
            Ok(true)
        })?;
        let mut items: Vec<_> = state
            .into_values()
            .flat_map(|s| s.outbox.into_values())
            .filter(|i| i.delivered.is_none())
            .collect();
        items.sort_by(|a, b| (a.since, &a.record.key).cmp(&(b.since, &b.record.key)));
        Ok(items)
    }

    fn swept(&mut self, wanted: impl Fn(&Swept) -> bool) -> Result<Option<(DateTime<Utc>, Swept)>, LedgerError> {
        let mut last = None;
        self.each(&kinds(&["swept"]), |e| {
            if let Some(Body::Swept(swept)) = e.body
                && wanted(&swept)
            {
                last = Some((e.envelope.time, swept));
            }
            Ok(true)
        })?;
        Ok(last)
    }

    fn leavers_since(&mut self, since: DateTime<Utc>) -> Result<BTreeSet<Subject>, LedgerError> {
        let mut query = kinds(&["planned"]);
        query.since = Some(since);
        let mut found = BTreeSet::new();
        self.each(&query, |e| {
            if let Some(Body::Planned { subject, plan, .. }) = e.body
                && plan.flow == Flow::Leaver
            {
                found.insert(subject);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Entry>, LedgerError> {
        let query = Query {
            after: filter.after,
            since: filter.since,
            run: filter.run.clone(),
            subject: filter.subject.clone(),
            ..Query::default()
        };
        let mut list = Vec::new();
        self.every(&query, |e| {
            if filter.limit.is_some_and(|n| list.len() >= n) {
                return Ok(false);
            }
            list.push(e);
            Ok(true)
        })?;
        Ok(list)
    }

    fn sla(&mut self, since: DateTime<Utc>) -> Result<Vec<SlaRow>, LedgerError> {
        let mut query = kinds(&["planned"]);
        query.since = Some(since);
        let mut wanted: Vec<(String, Subject)> = Vec::new();
        self.each(&query, |e| {
            if let Some(Body::Planned { subject, plan, .. }) = e.body
                && plan.flow == Flow::Leaver
            {
                wanted.push((e.envelope.run, subject));
            }
            Ok(true)
        })?;
        let mut seen = BTreeSet::new();
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        let mut rows = Vec::new();
        for (run, subject) in wanted {
            if !seen.insert((run.clone(), subject.clone())) {
                continue;
            }
            if !states.contains_key(&run)
                && let Some(state) = self.fold(&run)?
            {
                states.insert(run.clone(), state);
            }
            let Some(state) = states.get(&run) else { continue };
            // One that was found earlier and only planned anew since belongs to the earlier window.
            if let Some(person) = state.people.get(&subject).filter(|p| p.planned >= since) {
                rows.push(SlaRow::of(state, person));
            }
        }
        Ok(rows)
    }
}

/// A run that contradicts itself can't be told; nor may it be guessed at.
fn follow(state: &mut State, entry: &Entry) -> Result<(), LedgerError> {
    state
        .take(entry)
        .map_err(|illegal| LedgerError::corrupt(illegal.seq, illegal.why))
}

impl History {
    pub(super) fn grant(&mut self, grant: Grant) {
        self.grants.retain(|g| g.group != grant.group);
        self.grants.push(grant);
    }
    pub(super) fn learn(&mut self, record: &StepRecord, at: DateTime<Utc>) {
        if !record.settled() {
            return;
        }
        let effect = &record.step.effect;
        // When it was done, not when it was read back: what came after what is told by these instants.
        let done = match &record.progress {
            Progress::Ended { at, .. } => *at,
            Progress::Waiting | Progress::Open { .. } | Progress::Superseded => at,
        };
        self.done.insert((effect.system.clone(), effect.action.verb()), done);
        let (action, key) = (&effect.action, |id: &str| (effect.system.clone(), id.to_owned()));
        match action.held() {
            // What was there before we came was not given by us.
            Some(held) if action.gives() && record.outcome() != Some(&Outcome::Already) => {
                self.given.insert(key(&held.id));
            }
            Some(held) if !action.gives() => {
                self.given.remove(&key(&held.id));
                // What was taken back at its end is nobody's business any more.
                self.grants
                    .retain(|g| effect.system != OKTA || g.group != held.id || g.runs(at));
            }
            Some(_) | None => {}
        }
    }
}

impl SlaRow {
    fn of(state: &State, person: &PersonState) -> SlaRow {
        let why = person
            .steps
            .iter()
            .filter_map(|s| s.outcome().and_then(Outcome::failure))
            .chain(
                person
                    .expects
                    .iter()
                    .filter_map(|e| e.outcome.as_ref().and_then(Outcome::failure)),
            )
            .next();
        let first = state.first.unwrap_or_default();
        SlaRow {
            run: state.run.clone(),
            subject: person.subject.clone(),
            login: person.login.clone(),
            effective: person.plan.effective,
            clock: person.plan.clock,
            due: person.plan.due,
            found: person.planned,
            contained: person.contained,
            completed: person.completed,
            result: person.result.unwrap_or_else(|| person.result()),
            why: why.map(ToString::to_string),
            entries: (first, state.last.map_or(first, |(seq, _)| seq)),
        }
    }
}
