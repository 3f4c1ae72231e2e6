//! The scaffold of groups that policy stands on, and what changed between two snapshots.
//!
//! Never deletes a group that holds people, or that jml did not make; moves nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    draft::Draft,
    draft::{DIRECTORY, Place},
    entitle::{ROLE, policy_groups},
    refusal::Refusal,
};
use crate::model::{
    Action, Catalogue, Flow, GroupEntry, GroupFault, Held, Holding, Observed, OnFailure, Phase, Plan, Policy, Snapshot,
    policy::GroupsOwner,
};

/// What is known of the tenant's groups beside the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How many people each group holds, by id; a group whose members were not read is missing.
    pub members: BTreeMap<String, usize>,
    /// Ids of groups that jml made, by the ledger.
    pub made: BTreeSet<String>,
}

/// May jml change groups at all? Where Terraform owns them it plans and compares only.
pub fn may_apply(policy: &Policy) -> Result<(), Refusal> {
    match policy.groups_owner {
        GroupsOwner::Jml => Ok(()),
        GroupsOwner::Terraform => Err(Refusal::Terraform),
    }
}

pub fn groups(policy: &Policy, tenant: &Catalogue, known: &Known) -> Result<Plan, Refusal> {
    let all = match &tenant.groups {
        // No tenant is without groups: an empty answer is a rights problem, not a reason to make every group anew.
        Observed::Present(all) if !all.is_empty() => all,
        Observed::Present(_) | Observed::Absent => return Err(Refusal::NoGroups),
        Observed::Unknown(f) => {
            return Err(Refusal::Unread {
                login: "groups".to_owned(),
                what: "the tenant's groups".to_owned(),
                failure: Box::new(f.clone()),
            });
        }
    };
    let mut draft = Draft::default();
    let place = |phase| Place {
        phase,
        system: &DIRECTORY,
        account: "",
        on_failure: OnFailure::Continue,
    };
    for (name, why) in scaffold(policy) {
        match tenant.group_named(&name) {
            Ok(group) => {
                if known.members.get(&group.id) == Some(&0) {
                    draft.keep(None, format!("Group {name} is empty ({why})."));
                }
            }
            Err(GroupFault::Missing) => {
                let action = Action::CreateGroup {
                    description: format!("jml: {why}"),
                    name,
                };
                draft.put(place(Phase::Add), action, &[], why);
            }
            Err(fault) => {
                return Err(Refusal::Group {
                    name,
                    rule: why,
                    fault: Box::new(fault),
                });
            }
        }
    }
    let named = policy_groups(policy);
    for name in policy.rules.iter().flat_map(|r| &r.groups) {
        if matches!(tenant.group_named(name), Err(GroupFault::Missing)) {
            draft.warn(
                None,
                None,
                format!("Group {name} is named by a rule of policy and does not exist."),
            );
        }
    }
    let ours = |name: &str| name.starts_with(ROLE) || name.starts_with("BR-");
    for group in all.values().filter(|g| ours(&g.name) && !named.contains(&g.name)) {
        let held = Held::new(Holding::Group, &group.id, &group.name);
        match known.members.get(&group.id) {
            Some(0) if known.made.contains(&group.id) => {
                draft.put(
                    place(Phase::Remove),
                    Action::DeleteGroup { group: held },
                    &[],
                    "policy names it no more, and it is empty",
                );
            }
            Some(0) => draft.keep(
                None,
                format!(
                    "Group {} is empty and not in policy; jml did not make it and leaves it.",
                    group.name
                ),
            ),
            Some(n) => draft.warn(
                None,
                None,
                format!(
                    "Group {} is not in policy and holds {n} people: never deleted.",
                    group.name
                ),
            ),
            None => draft.unknown(
                &DIRECTORY,
                None,
                format!("Group {} is not in policy; its members were not read.", group.name),
            ),
        }
    }
    if policy.groups_owner == GroupsOwner::Terraform && !draft.steps.is_empty() {
        draft.keep(None, "Terraform owns groups: shown, not applied.");
    }
    Ok(Plan {
        held: None,
        tenant: tenant.tenant.clone(),
        flow: Flow::Groups,
        person: None,
        login: "groups".to_owned(),
        name: String::new(),
        steps: draft.steps,
        expects: Vec::new(),
        notes: draft.notes,
        effective: None,
        clock: None,
        due: None,
        reason: "policy".to_owned(),
        apps: Default::default(),
    })
}

/// Birthright and role groups, each with what it is for.
fn scaffold(policy: &Policy) -> BTreeMap<String, String> {
    let birthright = policy
        .birthright
        .iter()
        .flat_map(|(kind, names)| names.iter().map(move |n| (n.clone(), format!("birthright {kind}"))));
    let roles = policy
        .departments
        .iter()
        .map(|(department, code)| (format!("{ROLE}{code}"), format!("department {department}")));
    birthright.chain(roles).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    Added,
    Removed,
    Changed,
}

impl Sign {
    pub const fn mark(self) -> &'static str {
        match self {
            Sign::Added => "+",
            Sign::Removed => "-",
            Sign::Changed => "~",
        }
    }
}

/// One line of `groups diff`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    pub group: String,
    pub mark: Sign,
    /// `group`, `member`, `rule` or `app`.
    pub what: &'static str,
    pub subject: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { group, what, .. } = self;
        let sign = if self.after.is_some() { "+" } else { "-" };
        match (self.mark, *what, &self.subject) {
            (Sign::Added | Sign::Removed, ..) => write!(f, "{} group {group}", self.mark.mark()),
            (Sign::Changed, "member", Some(login)) => write!(f, "~ {group} {sign} {login}"),
            (Sign::Changed, _, Some(subject)) if *what != "group" => write!(f, "~ {group} {what} {sign} {subject}"),
            (Sign::Changed, ..) => write!(
                f,
                "~ {group} {}: {} -> {}",
                self.subject.as_deref().unwrap_or(what),
                self.before.as_deref().unwrap_or("none"),
                self.after.as_deref().unwrap_or("none")
            ),
        }
    }
}

/// By id: a group that was renamed is the same group.
pub fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Difference> {
    let by_id = |s: &'_ Snapshot| -> BTreeMap<String, GroupEntry> {
        s.groups.iter().map(|g| (g.id.clone(), g.clone())).collect()
    };
    let (old, new) = (by_id(before), by_id(after));
    let mut out = Vec::new();
    let whole = |g: &GroupEntry, mark| Difference {
        group: g.name.clone(),
        mark,
        what: "group",
        subject: None,
        before: (mark == Sign::Removed).then(|| g.name.clone()),
        after: (mark == Sign::Added).then(|| g.name.clone()),
    };
    out.extend(
        old.iter()
            .filter(|(id, _)| !new.contains_key(*id))
            .map(|(_, g)| whole(g, Sign::Removed)),
    );
    for (id, g) in &new {
        match old.get(id) {
            None => out.push(whole(g, Sign::Added)),
            Some(was) => compare(was, g, &mut out),
        }
    }
    out.sort();
    out
}

fn compare(was: &GroupEntry, is: &GroupEntry, out: &mut Vec<Difference>) {
    let facts = [
        ("name", Some(was.name.clone()), Some(is.name.clone())),
        ("description", was.description.clone(), is.description.clone()),
        ("type", Some(format!("{:?}", was.kind)), Some(format!("{:?}", is.kind))),
    ];
    for (subject, before, after) in facts {
        if before != after {
            out.push(Difference {
                group: is.name.clone(),
                mark: Sign::Changed,
                what: "group",
                subject: Some(subject.to_owned()),
                before,
                after,
            });
        }
    }
    for (what, a, b) in [
        ("member", &was.members, &is.members),
        ("rule", &was.rules, &is.rules),
        ("app", &was.apps, &is.apps),
    ] {
        let (a, b): (BTreeSet<&String>, BTreeSet<&String>) = (a.iter().collect(), b.iter().collect());
        for subject in a.symmetric_difference(&b) {
            let there = |set: &BTreeSet<&String>| set.contains(*subject).then(|| (*subject).clone());
            out.push(Difference {
                group: is.name.clone(),
                mark: Sign::Changed,
                what,
                subject: Some((*subject).clone()),
                before: there(&a),
                after: there(&b),
            });
        }
    }
}
