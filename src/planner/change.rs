//! Desired against held, over everything that is managed: what goes, what comes, what is left to a rule, what stays outside.

use std::collections::{BTreeMap, BTreeSet};

use super::entitle::{Desired, Given, Managed};
use crate::model::{AppChanges, Catalogue, GroupKind, Held, Holding, PersonId, Rule, RuleStatus, system::OKTA};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub remove: Vec<Held>,
    pub add: Vec<Given>,
    /// Stale, but an active rule may fill it: taken by hand, the person would land on that rule's exclusion list.
    pub left_to_rule: Vec<(Held, String)>,
    /// Goes by itself, because a rule fills it from a group that goes.
    pub follows: Vec<(Held, String)>,
    /// Not policy's business.
    pub outside: Vec<Held>,
    pub keep: Vec<Held>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

pub fn change<'a>(
    tenant: &Catalogue,
    who: &PersonId,
    held: impl Iterator<Item = &'a Held>,
    desired: &Desired,
    managed: &Managed<'_>,
) -> Change {
    let mut out = Change::default();
    let mut ids = BTreeSet::new();
    for group in held {
        ids.insert(group.id.clone());
        let known = tenant.group(&group.id);
        let foreign = match known {
            Some(g) => g.kind != GroupKind::OktaGroup,
            None => matches!(group.via.as_deref(), Some("APP_GROUP" | "BUILT_IN")),
        };
        let mine = match known {
            Some(g) => managed.group(g),
            None => !foreign && managed.name(&group.name),
        };
        if foreign || !mine {
            let built_in =
                known.is_some_and(|g| g.kind == GroupKind::BuiltIn) || group.via.as_deref() == Some("BUILT_IN");
            if !built_in {
                out.outside.push(group.clone());
            }
        } else if desired.groups.values().any(|g| g.held.id == group.id) {
            out.keep.push(group.clone());
        } else {
            let rules: Vec<&str> = tenant.rules_filling(&group.id, who).map(|r| r.name.as_str()).collect();
            // What jml gave by hand, no rule takes back.
            if rules.is_empty() || managed.gave(&OKTA, &group.id) {
                out.remove.push(group.clone());
            } else {
                out.left_to_rule.push((group.clone(), rules.join(", ")));
            }
        }
    }
    out.add = desired
        .groups
        .values()
        .filter(|g| !ids.contains(&g.held.id))
        .cloned()
        .collect();
    follow(tenant, &mut out);
    out
}

/// Rules may chain: a group filled from a group. What chains from a group that goes, goes a little later.
fn follow(tenant: &Catalogue, change: &mut Change) {
    let stays: Vec<&Held> = change.keep.iter().chain(change.add.iter().map(|g| &g.held)).collect();
    let mut follows = Vec::new();
    change.outside.retain(|group| {
        let fills: Vec<&Rule> = tenant
            .rules
            .present()
            .into_iter()
            .flatten()
            .filter(|r| r.status == RuleStatus::Active && r.groups.contains(&group.id))
            .collect();
        let rule = fills
            .iter()
            .find(|r| change.remove.iter().any(|g| mentions(&r.expression, g)));
        let still = fills.iter().any(|r| stays.iter().any(|g| mentions(&r.expression, g)));
        match rule {
            Some(rule) if !still => {
                follows.push((group.clone(), rule.name.clone()));
                false
            }
            Some(_) | None => true,
        }
    });
    change.follows = follows;
}

/// `isMemberOfGroupName("ROLE-ENG")`, `isMemberOfGroup("00g…")`.
fn mentions(expression: &str, group: &Held) -> bool {
    expression.contains("isMemberOf")
        && [&group.id, &group.name]
            .iter()
            .any(|s| expression.contains(&format!("\"{s}\"")))
}

/// Which apps the change costs and brings, by the groups' app assignments.
pub fn apps(tenant: &Catalogue, held: &BTreeSet<Held>, change: &Change) -> AppChanges {
    let of = |groups: &mut dyn Iterator<Item = &Held>| -> BTreeSet<String> {
        groups
            .filter_map(|g| tenant.apps_of_group.get(&g.id).and_then(|a| a.present()))
            .flatten()
            .cloned()
            .collect()
    };
    let gone = of(&mut change.remove.iter().chain(change.follows.iter().map(|(g, _)| g)));
    let come = of(&mut change.add.iter().map(|g| &g.held));
    let direct = held
        .iter()
        .filter(|a| a.via.as_deref() == Some("USER"))
        .map(|a| a.id.clone());
    let mut stay = of(&mut change
        .keep
        .iter()
        .chain(&change.outside)
        .chain(change.left_to_rule.iter().map(|(g, _)| g)));
    stay.extend(direct);
    let has: BTreeSet<&String> = held.iter().map(|a| &a.id).collect();
    let mut labels: BTreeMap<&String, String> = held.iter().map(|a| (&a.id, a.name.clone())).collect();
    if let Some(all) = tenant.apps.present() {
        labels.extend(all.iter().map(|(id, a)| (id, a.label.clone())));
    }
    let named = |ids: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let mut names: Vec<String> = ids
            .map(|id| labels.get(id).cloned().unwrap_or_else(|| id.clone()))
            .collect();
        names.sort();
        names
    };
    AppChanges {
        lost: named(&mut gone.iter().filter(|a| !come.contains(*a) && !stay.contains(*a))),
        gained: named(
            &mut come
                .iter()
                .filter(|a| !gone.contains(*a) && !stay.contains(*a) && !has.contains(a)),
        ),
        lost_then_back: named(&mut gone.iter().filter(|a| come.contains(*a) && !stay.contains(*a))),
        kept: named(&mut has.iter().copied().filter(|a| !gone.contains(*a) || stay.contains(*a))),
    }
}

/// Ids of the apps that a group grants.
pub fn granted<'a>(tenant: &'a Catalogue, group: &str) -> impl Iterator<Item = &'a String> {
    tenant
        .apps_of_group
        .get(group)
        .and_then(|a| a.present())
        .into_iter()
        .flatten()
}

/// An app as something held, by its id.
pub fn app(tenant: &Catalogue, held: &BTreeSet<Held>, id: &str) -> Held {
    let known = tenant
        .apps
        .present()
        .and_then(|all| all.get(id))
        .map(|a| a.label.clone());
    held.iter()
        .find(|a| a.id == id)
        .cloned()
        .unwrap_or_else(|| Held::new(Holding::App, id, known.unwrap_or_else(|| id.to_owned())))
}
