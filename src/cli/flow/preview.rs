//! From people to plans: look at each one, decide, lint. Holds nothing that could write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt, stream};

use crate::{
    cli::{error::CliError, firm::Firm},
    ledger::{
        History, PersonState,
        fold::{Progress, State, StepRecord},
    },
    model::{
        Catalogue, Effect, Flow, Holding, Observation, Observed, Outcome, Person, PersonId, Plan, System, Verb,
        system::OKTA,
    },
    planner::{self, refusal::Refusal},
    providers::Handles,
    run::observe::{self, Need, Tenant},
};

/// How many people are looked at side by side; the governor paces the calls below.
const WIDTH: usize = 16;

/// Which planner, and what the operator adds to the facts.
#[derive(Clone, Debug)]
pub enum Ask {
    Leaver(planner::leaver::Ask),
    Mover,
    Joiner(planner::joiner::Welcome),
    /// On leave, where policy suspends.
    Leave,
}

impl Ask {
    pub fn flow(&self) -> Flow {
        match self {
            Ask::Leaver(_) => Flow::Leaver,
            Ask::Mover => Flow::Mover,
            Ask::Joiner(_) => Flow::Joiner,
            Ask::Leave => Flow::Leave,
        }
    }
    pub fn gives(&self) -> bool {
        match self {
            Ask::Leaver(_) | Ask::Leave => false,
            Ask::Mover | Ask::Joiner(_) => true,
        }
    }
    /// What of the tenant the planner looks at.
    pub fn need(&self) -> Need {
        Need {
            groups: true,
            rules: true,
            apps: true,
            admins: true,
            tokens: !self.gives(),
            offers: self.gives(),
        }
    }
}

/// One person of a command: what was seen, and what follows from it.
pub struct Subject {
    pub ask: Ask,
    pub seen: Observation,
    pub handles: BTreeMap<System, Handles>,
    /// The unfinished run of this person, if there is one: it is taken up, not begun anew.
    pub open: Option<State>,
    pub plan: Result<Plan, Refusal>,
}

impl Subject {
    pub fn id(&self) -> &PersonId {
        &self.seen.person.id
    }
    pub fn login(&self) -> &str {
        &self.seen.person.login
    }
    /// How this person stands in the run that is taken up.
    pub fn state(&self) -> Option<&PersonState> {
        self.open.as_ref()?.people.get(&self.id().0)
    }
}

/// Looks at each person and plans. The tenant's catalogue grows by what these people need of it.
pub async fn look(firm: &Firm, tenant: &mut Tenant, people: Vec<(Person, Ask)>) -> Result<Vec<Subject>, CliError> {
    let leaving: BTreeSet<PersonId> = people
        .iter()
        .filter(|(_, ask)| ask.flow() == Flow::Leaver)
        .map(|(p, _)| p.id.clone())
        .collect();
    tenant.catalogue.leaving.extend(leaving);
    let catalogue = Arc::new(tenant.catalogue.clone());
    let tokens = &tenant.tokens;
    let parts = observe::directory_parts();
    let looked: Vec<Result<Looked, CliError>> = stream::iter(people)
        .map(|(person, ask)| {
            let (catalogue, parts) = (&catalogue, &parts);
            async move {
                let (history, open) = remembered(firm, &person.id).await?;
                let wanted = observe::app_parts(ask.gives());
                let (seen, handles) =
                    observe::person(&firm.look, catalogue, tokens, person, &history, parts, &wanted).await;
                Ok(Looked {
                    ask,
                    seen,
                    handles,
                    open,
                })
            }
        })
        .buffered(WIDTH)
        .collect()
        .await;
    decided(firm, tenant, looked.into_iter().collect::<Result<Vec<_>, _>>()?).await
}

/// The fresh look under the lease, in one round trip, so that containment leaves in the next.
pub async fn look_again(firm: &Firm, tenant: &mut Tenant, before: &[Subject]) -> Result<Vec<Subject>, CliError> {
    let tokens = &tenant.tokens;
    let parts = BTreeSet::from([Holding::Group, Holding::App]);
    let looked: Vec<Result<Looked, CliError>> = stream::iter(before)
        .map(|s| {
            let parts = &parts;
            async move {
                let (history, open) = remembered(firm, s.id()).await?;
                let wanted = if s.ask.gives() {
                    observe::app_parts(true)
                } else {
                    BTreeSet::new()
                };
                let read =
                    observe::person_again(&firm.look, tokens, &s.seen, &s.handles, &history, parts, &wanted).await;
                let mut seen = match read {
                    Ok(Observed::Present(seen)) => seen,
                    Ok(Observed::Absent) => return Err(CliError::nobody(s.login())),
                    Ok(Observed::Unknown(f)) | Err(f) => return Err(CliError::unread(&f)),
                };
                // HR's word was read a moment ago; only the directory's facts are fresh, unless it is the roster itself.
                seen.person = firm.with_same_hr(seen.person, &s.seen.person);
                Ok(Looked {
                    ask: s.ask.clone(),
                    seen,
                    handles: s.handles.clone(),
                    open,
                })
            }
        })
        .buffered(WIDTH)
        .collect()
        .await;
    decided(firm, tenant, looked.into_iter().collect::<Result<Vec<_>, _>>()?).await
}

struct Looked {
    ask: Ask,
    seen: Observation,
    handles: BTreeMap<System, Handles>,
    open: Option<State>,
}

/// What the ledger knows of the person, and the run that is not finished.
async fn remembered(firm: &Firm, id: &PersonId) -> Result<(History, Option<State>), CliError> {
    let history = firm.ledger.history(&id.0).await?;
    let open = match history.open_runs.last() {
        Some(run) => firm.ledger.run(run).await?,
        None => None,
    };
    Ok((history, open))
}

async fn decided(firm: &Firm, tenant: &mut Tenant, looked: Vec<Looked>) -> Result<Vec<Subject>, CliError> {
    // What only movers and joiners need: their managers, and which apps their groups give.
    let giving = || looked.iter().filter(|l| l.ask.gives()).map(|l| &l.seen);
    let managers = giving().filter_map(|s| s.person.worker()?.manager.clone()).collect();
    observe::managers(&firm.look, &mut tenant.catalogue, managers).await;
    // Who gets a leaver's files.
    let moves = |l: &&Looked| {
        l.seen
            .systems
            .values()
            .any(|s| s.can.contains(&Verb::StartTransfer) && s.account.present().is_some())
    };
    let leavers = || looked.iter().filter(|l| l.ask.flow() == Flow::Leaver).filter(moves);
    let above = leavers().filter_map(|l| l.seen.person.worker()?.manager.clone());
    let named = leavers().filter_map(|l| match &l.ask {
        Ask::Leaver(a) => a.transfer_to.clone(),
        Ask::Mover | Ask::Joiner(_) | Ask::Leave => None,
    });
    let heirs = above.chain(named).collect();
    observe::chain(&firm.look, &mut tenant.catalogue, heirs).await;
    let groups = giving().flat_map(|s| concerned(firm, s, &tenant.catalogue)).collect();
    observe::apps_of(&firm.look, &mut tenant.catalogue, groups).await;
    let catalogue: Arc<Catalogue> = Arc::new(tenant.catalogue.clone());
    let now = firm.now();
    Ok(looked
        .into_iter()
        .map(|mut l| {
            l.seen.tenant = catalogue.clone();
            l.seen.owed = l.open.as_ref().map(|s| owed(s, &l.seen.person.id)).unwrap_or_default();
            let plan = decide(firm, &l.ask, &l.seen, now);
            Subject {
                ask: l.ask,
                seen: l.seen,
                handles: l.handles,
                open: l.open,
                plan,
            }
        })
        .collect())
}

/// The plan and what its lint says of it.
pub(super) fn decide(
    firm: &Firm,
    ask: &Ask,
    seen: &Observation,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Plan, Refusal> {
    let policy = &firm.config.policy;
    let mut plan = match ask {
        Ask::Leaver(a) => planner::leaver::leaver(seen, policy, now, a),
        Ask::Mover => planner::mover::mover(seen, policy, now),
        Ask::Joiner(a) => planner::joiner::joiner(seen, policy, now, *a),
        Ask::Leave => planner::leave::leave(seen, policy, now),
    }?;
    let lint = planner::check(&plan, policy, seen);
    plan.notes.extend(lint);
    Ok(plan)
}

/// What an unfinished run still owes the person, and since when. A message that had not left when the run broke off is owed too: no read
/// of the world would tell that it is missing.
fn owed(state: &State, id: &PersonId) -> Vec<(Effect, chrono::DateTime<chrono::Utc>)> {
    let Some(person) = state.people.get(&id.0) else {
        return vec![];
    };
    let message = |r: &StepRecord| r.step.effect.action.verb() == Verb::SendMessage;
    person
        .steps
        .iter()
        .filter_map(|r| match &r.progress {
            Progress::Ended {
                outcome: Outcome::Owed { .. },
                at,
                ..
            } => Some((r.step.effect.clone(), *at)),
            Progress::Waiting | Progress::Open { .. } if message(r) => Some((r.step.effect.clone(), person.planned)),
            Progress::Ended { .. } | Progress::Waiting | Progress::Open { .. } | Progress::Superseded => None,
        })
        .collect()
}

/// Groups whose apps a preview names: what is held and managed, and what policy gives.
fn concerned(firm: &Firm, seen: &Observation, catalogue: &Catalogue) -> BTreeSet<String> {
    let held = seen
        .account(&OKTA)
        .into_iter()
        .flat_map(|a| a.held(Holding::Group))
        .map(|g| g.id.clone());
    let wanted = planner::entitle::policy_groups(&firm.config.policy)
        .into_iter()
        .filter_map(|name| catalogue.group_named(&name).ok().map(|g| g.id.clone()));
    let managed = |id: &String| {
        catalogue
            .group(id)
            .is_some_and(|g| g.kind == crate::model::GroupKind::OktaGroup)
    };
    held.chain(wanted).filter(managed).collect()
}
