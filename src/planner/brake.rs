//! The brakes: on the whole set of plans, before anything that could mutate exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::model::{Action, Flow, Limits, PersonId, Plan, Severity};

/// All plans of one run.
#[derive(Clone, Debug, Default)]
pub struct PlanSet {
    pub plans: Vec<Plan>,
    /// How many people were read (percentages are of these).
    pub population: usize,
}

/// What the last day holds already, over all runs and hosts, from the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// Leavers whose containment began within 24 h.
    pub leavers_24h: BTreeSet<PersonId>,
}

/// What is known beside the plans: causes to name, sizes to take shares of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// One person, named by hand: containing them never brakes.
    pub by_hand: bool,
    pub recent: Recent,
    /// Members a group, by id, where known.
    pub members: BTreeMap<String, usize>,
    /// People on each rule's exclusion list, with the groups it fills: (rule name, group ids, excluded now).
    pub rules: Vec<(String, BTreeSet<String>, usize)>,
    /// What may explain a mass: a changed policy digest, one minute, one source.
    pub causes: Vec<String>,
}

/// Proof that no brake tripped. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Cleared(PlanSet);

impl Cleared {
    pub fn plans(&self) -> &[Plan] {
        &self.0.plans
    }
    pub(super) fn into_set(self) -> PlanSet {
        self.0
    }
}

/// A brake that tripped: nothing destructive was done, the plans are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// The limit's name in `[limits]`, or the lint that found the plan unlawful.
    pub rule: &'static str,
    /// What was counted: `ROLE-SALES`, a rule's name, a login.
    pub subject: Option<String>,
    pub found: usize,
    pub limit: usize,
    pub causes: Vec<String>,
}

impl Trip {
    /// A plan that its own lint calls unlawful is refused (6), not braked (5).
    pub fn fatal(&self) -> bool {
        self.rule == FATAL
    }
}

const FATAL: &str = "fatal";

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.subject.as_deref().map(|s| format!(" of {s}")).unwrap_or_default();
        match self.rule {
            FATAL => write!(f, "the plan{of} is unlawful: {}", self.causes.join("; ")),
            rule => write!(f, "{rule}{of}: {} found; the limit is {}", self.found, self.limit),
        }
    }
}

impl std::error::Error for Trip {}

pub fn clear(set: PlanSet, limits: &Limits, facts: &Facts) -> Result<Cleared, Trip> {
    for plan in &set.plans {
        let fatal: Vec<String> = plan
            .notes
            .iter()
            .filter(|n| n.severity == Severity::Fatal)
            .map(|n| n.text.clone())
            .collect();
        if !fatal.is_empty() {
            return Err(Trip {
                rule: FATAL,
                subject: Some(plan.login.clone()),
                found: fatal.len(),
                limit: 0,
                causes: fatal,
            });
        }
    }
    if let [only] = &set.plans[..]
        && facts.by_hand
        && only.flow == Flow::Leaver
    {
        return Ok(Cleared(set));
    }
    let trip = |rule, subject: Option<&str>, found: usize, limit: usize| {
        if found <= limit {
            return Ok(());
        }
        Err(Trip {
            rule,
            subject: subject.map(str::to_owned),
            found,
            limit,
            causes: facts.causes.clone(),
        })
    };
    let people = |flow: Flow| -> BTreeSet<&PersonId> {
        set.plans
            .iter()
            .filter(|p| p.flow == flow && !p.is_empty())
            .filter_map(|p| p.person.as_ref())
            .collect()
    };
    let all = set.population;
    let leavers: BTreeSet<&PersonId> = people(Flow::Leaver).union(&people(Flow::Leave)).copied().collect();
    trip("leavers", None, leavers.len(), limits.leavers.of(all))?;
    let day = leavers
        .iter()
        .copied()
        .chain(&facts.recent.leavers_24h)
        .collect::<BTreeSet<_>>();
    if !leavers.is_empty() {
        trip("leavers_24h", None, day.len(), limits.leavers_24h.of(all))?;
    }
    let movers = people(Flow::Mover).len();
    let joiners = people(Flow::Joiner).len();
    let (mut removals, mut adds) = (Counts::new(), Counts::new());
    for step in set.plans.iter().flat_map(|p| &p.steps) {
        if let Action::RemoveMember { group } = &step.effect.action
            && !group.id.is_empty()
        {
            *removals.entry((&group.id, &group.name)).or_default() += 1;
        }
        if let Action::AddMember { group } = &step.effect.action {
            *adds.entry((&group.id, &group.name)).or_default() += 1;
        }
    }
    // The group first: it names the cause more closely than the number of movers does.
    for ((id, name), n) in &removals {
        let size = facts.members.get(*id).copied().unwrap_or(all);
        trip("removals_per_group", Some(name), *n, limits.removals_per_group.of(size))?;
    }
    for ((_, name), n) in &adds {
        trip("adds_per_group", Some(name), *n, limits.adds_per_group.of(all))?;
    }
    for (name, groups, excluded) in &facts.rules {
        let new: usize = removals
            .iter()
            .filter(|((id, _), _)| groups.contains(*id))
            .map(|(_, n)| n)
            .sum();
        if new > 0 {
            trip(
                "exclusions_per_rule",
                Some(name),
                excluded + new,
                limits.exclusions_per_rule.of(all),
            )?;
        }
    }
    trip("movers", None, movers, limits.movers.of(all))?;
    trip("joiners", None, joiners, limits.joiners.of(all))?;
    Ok(Cleared(set))
}

/// Whom `on_brake = "contain"` contains though a brake tripped: in this order, and within a day no more than leavers may be begun. Who was
/// begun already counts once.
pub fn containable<'a>(
    leavers: impl IntoIterator<Item = &'a PersonId>,
    limits: &Limits,
    population: usize,
    recent: &Recent,
) -> BTreeSet<PersonId> {
    let most = limits.leavers.of(population).min(limits.leavers_24h.of(population));
    let mut left = most.saturating_sub(recent.leavers_24h.len());
    let mut chosen = BTreeSet::new();
    for id in leavers {
        if !recent.leavers_24h.contains(id) {
            let Some(fewer) = left.checked_sub(1) else { continue };
            left = fewer;
        }
        chosen.insert(id.clone());
    }
    chosen
}

type Counts<'a> = BTreeMap<(&'a String, &'a String), usize>;
