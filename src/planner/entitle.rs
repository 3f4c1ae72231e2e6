//! Policy to desired state: which groups, channels and teams somebody is given, and which rule gives each.
//!
//! Refuses before anything changes: a department without a code, a worker type without a birthright, a group that can't be used.

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::Refusal;
use crate::model::{
    Catalogue, Grant, Group, GroupFault, GroupKind, Held, Holding, Policy, System, Worker, policy::Fallback,
    system::OKTA,
};

pub const ROLE: &str = "ROLE-";

/// One thing that policy gives, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub held: Held,
    pub why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// By name.
    pub groups: BTreeMap<String, Given>,
    /// By system and name there; resolved only where somebody's account is at hand.
    pub gives: BTreeMap<System, BTreeMap<String, String>>,
}

/// A row of `policy explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub system: System,
    pub name: String,
    pub rule: String,
}

impl Desired {
    pub fn explain(&self) -> Vec<Row> {
        let groups = self.groups.iter().map(|(name, g)| Row {
            system: OKTA,
            name: name.clone(),
            rule: g.why.clone(),
        });
        let rest = self.gives.iter().flat_map(|(system, names)| {
            names.iter().map(|(name, why)| Row {
                system: system.clone(),
                name: name.clone(),
                rule: why.clone(),
            })
        });
        groups.chain(rest).collect()
    }
}

pub fn entitle(login: &str, worker: &Worker, policy: &Policy, tenant: &Catalogue) -> Result<Desired, Refusal> {
    let mut desired = Desired::default();
    let mut give = |name: &str, why: String| -> Result<(), Refusal> {
        let group = tenant.group_named(name).map_err(|fault| Refusal::Group {
            name: name.to_owned(),
            rule: why.clone(),
            fault: Box::new(fault),
        })?;
        let held = Held::new(Holding::Group, &group.id, &group.name);
        desired.groups.entry(name.to_owned()).or_insert(Given { held, why });
        Ok(())
    };
    let worker_type = worker.worker_type.as_deref().map(str::to_lowercase);
    let birthright = worker_type
        .as_ref()
        .and_then(|t| policy.birthright.get(t))
        .ok_or_else(|| Refusal::WorkerType {
            login: login.to_owned(),
            worker_type: worker.worker_type.clone(),
        })?;
    for name in birthright {
        give(
            name,
            format!("birthright {}", worker_type.as_deref().unwrap_or_default()),
        )?;
    }
    let (role, department) = role(login, worker, policy, tenant)?;
    give(&role, format!("department {department}"))?;
    for (n, rule) in policy.rules.iter().enumerate() {
        if !matches(&rule.when, worker) {
            continue;
        }
        let when = rule
            .when
            .iter()
            .map(|(k, v)| format!("{k} {v}"))
            .collect::<Vec<_>>()
            .join(", ");
        let why = format!("rule {}: {when}", n + 1);
        for name in &rule.groups {
            give(name, why.clone())?;
        }
        for (system, names) in &rule.gives {
            let of = desired.gives.entry(system.clone()).or_default();
            for name in names {
                of.entry(name.clone()).or_insert_with(|| why.clone());
            }
        }
    }
    Ok(desired)
}

fn role(login: &str, worker: &Worker, policy: &Policy, tenant: &Catalogue) -> Result<(String, String), Refusal> {
    let department = worker.department.as_deref().map(str::trim).filter(|d| !d.is_empty());
    let unknown = || Refusal::Department {
        login: login.to_owned(),
        department: department.map(str::to_owned),
    };
    let department = department.ok_or_else(unknown)?;
    if let Some(code) = policy.departments.get(department) {
        return Ok((format!("{ROLE}{code}"), department.to_owned()));
    }
    // Only where that group exists: a guess that makes groups is none.
    match policy.department_fallback {
        Some(Fallback::Upper) => {
            let name = format!("{ROLE}{}", department.to_uppercase());
            match tenant.group_named(&name) {
                Err(GroupFault::Missing) => Err(unknown()),
                Ok(_) | Err(_) => Ok((name, department.to_owned())),
            }
        }
        None => Err(unknown()),
    }
}

fn matches(when: &BTreeMap<String, String>, worker: &Worker) -> bool {
    when.iter().all(|(key, pattern)| {
        let value = match key.as_str() {
            "department" => worker.department.as_deref(),
            "title" => worker.title.as_deref(),
            "location" => worker.location.as_deref(),
            "type" => worker.worker_type.as_deref(),
            _ => None,
        };
        // Worker types are words of the configuration, written in any case.
        let fold = |s: &str| if key == "type" { s.to_lowercase() } else { s.to_owned() };
        value.is_some_and(|v| glob(&fold(pattern), &fold(v.trim())))
    })
}

/// `*` stands for any run of characters, all else for itself.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(tail)
}

/// Every group that policy names, by whatever rule: what jml owns the membership of.
pub fn policy_groups(policy: &Policy) -> BTreeSet<String> {
    let birthright = policy.birthright.values().flatten().cloned();
    let roles = policy.departments.values().map(|code| format!("{ROLE}{code}"));
    let rules = policy.rules.iter().flat_map(|r| &r.groups).cloned();
    birthright.chain(roles).chain(rules).collect()
}

/// What jml may take away again: accumulated roles, what policy names, and what the ledger says jml gave.
pub struct Managed<'a> {
    names: BTreeSet<String>,
    gives: BTreeMap<&'a System, BTreeSet<&'a str>>,
    given: &'a BTreeSet<(System, String)>,
    granted: BTreeSet<&'a str>,
}

impl<'a> Managed<'a> {
    pub fn new(policy: &'a Policy, given: &'a BTreeSet<(System, String)>) -> Self {
        let mut gives: BTreeMap<&System, BTreeSet<&str>> = BTreeMap::new();
        for (system, names) in policy.rules.iter().flat_map(|r| &r.gives) {
            gives.entry(system).or_default().extend(names.iter().map(|n| plain(n)));
        }
        Managed {
            names: policy_groups(policy),
            gives,
            given,
            granted: BTreeSet::new(),
        }
    }
    /// An exception makes the group jml's to take back, whoever put them in.
    pub fn granted(mut self, grants: &'a [Grant]) -> Self {
        self.granted = grants.iter().map(|g| g.group.as_str()).collect();
        self
    }
    pub fn group(&self, group: &Group) -> bool {
        let ours = || self.name(&group.name) || self.gave(&OKTA, &group.id) || self.granted.contains(group.id.as_str());
        group.kind == GroupKind::OktaGroup && ours()
    }
    pub fn name(&self, name: &str) -> bool {
        name.starts_with(ROLE) || self.names.contains(name)
    }
    /// A channel, a team.
    pub fn elsewhere(&self, system: &System, held: &Held) -> bool {
        self.gives.get(system).is_some_and(|n| n.contains(plain(&held.name))) || self.gave(system, &held.id)
    }
    pub fn gave(&self, system: &System, id: &str) -> bool {
        self.given.contains(&(system.clone(), id.to_owned()))
    }
    /// Systems in which policy gives anything at all.
    pub fn systems(&self) -> impl Iterator<Item = &'a System> + '_ {
        self.gives.keys().copied()
    }
}

/// A channel is `#sre` in policy and `sre` in Slack.
pub fn plain(name: &str) -> &str {
    name.strip_prefix('#').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, text, is) in [
            ("*SRE*", "Senior SRE II", true),
            ("*SRE*", "SRE", true),
            ("SRE", "Senior SRE", false),
            ("Senior*", "Senior", true),
            ("*ab", "aab", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern, text), is, "{pattern} {text}");
        }
    }
}
