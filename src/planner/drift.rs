//! What differs from HR and policy, of everybody, from bulk reads alone: lives, groups, admin roles.
//!
//! Accuses by what was read. What was not read is unknown, and a record that may still be written accuses nobody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    change::change,
    dates,
    employment::{Word, judge},
    entitle::{Desired, Managed, entitle},
    exceptions,
    guards::Distrust,
    orphans::{Standing, standing},
    sweep::{self, Facts, Shown},
};
use crate::model::{
    Catalogue, Employment, Flow, Held, Holding, Limits, Observed, Person, PersonId, Policy, RuleStatus, Status, System,
    Worker,
    policy::{GardenLeave, OnLeave},
};

/// What is held against policy beside the facts of a sweep.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Types of the admin roles that people hold.
    pub roles: Observed<BTreeMap<PersonId, BTreeSet<String>>>,
    /// Whom `[protect]` names, and why.
    pub protected: BTreeMap<PersonId, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Drift,
    /// It was not read, or the sources contradict each other: nobody is accused.
    Unknown,
    /// As somebody with the right to said it should be.
    Explained,
}

impl Mark {
    pub const fn word(self) -> &'static str {
        match self {
            Mark::Drift => "drift",
            Mark::Unknown => "unknown",
            Mark::Explained => "explained",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Empty where it is about nobody.
    pub login: String,
    pub what: String,
    pub since: Option<DateTime<Utc>>,
    pub mark: Mark,
}

/// By mark, then by login. A read that a sweep would not believe accuses nobody.
pub fn drift(
    facts: &Facts,
    beside: &Beside,
    policy: &Policy,
    tenant: &Catalogue,
    limits: &Limits,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Distrust> {
    let lanes = sweep::sort(facts, policy, tenant, limits, now)?;
    let mut look = Look {
        facts,
        policy,
        tenant,
        now,
        none: BTreeSet::new(),
        rows: Vec::new(),
    };
    look.unread(beside);
    let undecided = lanes.set_aside.iter().chain(&lanes.unread);
    let mut skip: BTreeSet<&PersonId> = lanes.settling.iter().map(|s| &s.id).collect();
    for Shown { id, login, text, .. } in undecided {
        look.put(login, text.clone(), None, Mark::Unknown);
        skip.insert(id);
    }
    for person in &facts.people {
        if !skip.contains(&person.id) {
            look.person(person, lanes.missing.get(&person.id).copied());
        }
        look.roles(person, beside);
    }
    let mut rows = look.rows;
    rows.sort_by(|a, b| (a.mark, &a.login).cmp(&(b.mark, &b.login)));
    Ok(rows)
}

struct Look<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    tenant: &'a Catalogue,
    now: DateTime<Utc>,
    none: BTreeSet<(System, String)>,
    rows: Vec<Row>,
}

impl Look<'_> {
    fn put(&mut self, login: &str, what: String, since: Option<DateTime<Utc>>, mark: Mark) {
        self.rows.push(Row {
            login: login.to_owned(),
            what,
            since,
            mark,
        });
    }

    fn accuse(&mut self, person: &Person, what: String) {
        self.put(&person.login, what, None, Mark::Drift);
    }

    /// The parts of the directory that nobody can be held against.
    fn unread(&mut self, beside: &Beside) {
        for (id, failure) in &self.facts.unread {
            let name = self.tenant.group(id).map_or(id.as_str(), |g| &g.name);
            let line = format!("the members of {name} were not read, so nobody is accused: {failure}");
            self.put("", line, None, Mark::Unknown);
        }
        let rules = self.tenant.rules.unknown().map(|f| ("group rules", f));
        let roles = beside.roles.unknown().map(|f| ("admin roles", f));
        for (what, failure) in rules.into_iter().chain(roles) {
            let line = format!("{what} were not read, so nobody is accused: {failure}");
            self.put("", line, None, Mark::Unknown);
        }
    }

    fn person(&mut self, person: &Person, missing: Option<DateTime<Utc>>) {
        match judge(person, self.policy, self.now) {
            // The rest is in the lane of those whom nobody can judge.
            Word::SetAside(_) => return,
            Word::Left { leaving } => {
                if let (true, Standing::Gone(since)) = (person.status.live(), standing(person, self.policy, self.now)) {
                    let by = leaving.map_or_else(|| "HR says so".to_owned(), |l| l.source());
                    self.put(
                        &person.login,
                        format!("has left ({by}), {} in Okta", person.status),
                        since,
                        Mark::Drift,
                    );
                }
            }
            Word::Missing => self.missing(person, missing),
            Word::Employed { .. } => {
                if let Some(worker) = person.worker() {
                    self.employed(person, worker);
                }
            }
        }
        if !person.status.live() {
            for group in self.managed(person) {
                self.accuse(
                    person,
                    format!("{} in Okta, and still in {}", person.status, group.name),
                );
            }
        }
    }

    fn missing(&mut self, person: &Person, since: Option<DateTime<Utc>>) {
        if !person.status.live() || self.tenant.protected.contains_key(&person.id) {
            return;
        }
        let start = person.profile.get("hireDate").and_then(|d| d.get(..10)?.parse().ok());
        let never = match (person.status, start) {
            (Status::Staged | Status::Provisioned, Some(start)) => never_came(start, self.now),
            _ => String::new(),
        };
        let line = format!("{} in Okta, not found in HR{never}", person.status);
        self.put(&person.login, line, since, Mark::Drift);
    }

    fn employed(&mut self, person: &Person, worker: &Worker) {
        let start = dates::starting(worker, self.policy);
        if start.as_ref().is_some_and(|s| s.at > self.now) {
            return;
        }
        let open = self.facts.open.get(&person.id) == Some(&Flow::Leaver);
        let overridden = self.facts.overridden.contains(&person.id);
        match person.status {
            Status::Suspended | Status::Deprovisioned if overridden || (open && person.status == Status::Suspended) => {
                let line = format!("{} in Okta by an override that HR has not confirmed yet", person.status);
                return self.put(&person.login, line, None, Mark::Explained);
            }
            _ if overridden => {
                return self.accuse(person, format!("left by override, and is {} again", person.status));
            }
            _ => {}
        }
        let grants = self.facts.grants(&person.id);
        let given = entitle(&person.login, worker, self.policy, self.tenant).ok();
        let desired = given.clone().map(|d| d.beside(grants, self.tenant, self.now));
        if !person.status.live() {
            // Without a first day HR may only have forgotten them.
            if start.is_some() {
                let line = format!("HR says active, {} in Okta", person.status);
                self.put(&person.login, line, person.status_changed, Mark::Drift);
                let excluded = desired.map(|d| self.excluded(person, &d)).unwrap_or_default();
                for (group, rules) in excluded {
                    self.accuse(person, exclusion(&group, &rules));
                }
            }
            return;
        }
        let (word, suspends) = match worker.employment {
            Employment::OnLeave => ("on leave", self.policy.on_leave == OnLeave::Suspend),
            Employment::GardenLeave => ("on garden leave", self.policy.garden_leave != GardenLeave::Ignore),
            Employment::Active | Employment::Terminated | Employment::Cancelled => {
                if person.status == Status::Suspended {
                    self.accuse(person, "SUSPENDED in Okta, while HR says active".to_owned());
                }
                if let (Some(given), Some(desired)) = (given, desired) {
                    self.groups(person, &desired);
                    self.exceptions(person, &given);
                }
                return;
            }
        };
        if suspends && person.status != Status::Suspended {
            self.accuse(person, format!("{word}, {} in Okta: policy suspends", person.status));
        }
    }

    fn groups(&mut self, person: &Person, desired: &Desired) {
        let given = self.facts.given.get(&person.id).unwrap_or(&self.none);
        let managed = Managed::new(self.policy, given).granted(self.facts.grants(&person.id));
        let held = self.managed(person);
        let change = change(self.tenant, &person.id, held.iter(), desired, &managed);
        let excluded = self.excluded(person, desired);
        for given in &change.add {
            let (group, why) = (&given.held.name, &given.why);
            let line = match excluded.get(group) {
                Some(rules) => format!("lacks {group} ({why}): {}", exclusion(group, rules)),
                None => format!("lacks {group} ({why})"),
            };
            self.accuse(person, line);
        }
        for group in &change.remove {
            let why = match exceptions::of(self.facts.grants(&person.id), &group.id) {
                Some(grant) => exceptions::ended(grant),
                None => "which policy does not give".to_owned(),
            };
            self.accuse(person, format!("in {}, {why}", group.name));
        }
        for (group, rules) in &change.left_to_rule {
            let line = format!(
                "in {}, which policy does not give; rule \"{rules}\" may fill it",
                group.name
            );
            self.accuse(person, line);
        }
    }

    /// What they are in by an exception, and nothing else.
    fn exceptions(&mut self, person: &Person, policy: &Desired) {
        let held = self.facts.held.get(&person.id);
        for grant in self.facts.grants(&person.id) {
            let by_policy = policy.groups.values().any(|g| g.held.id == grant.group);
            if grant.runs(self.now) && !by_policy && held.is_some_and(|ids| ids.contains(&grant.group)) {
                let line = format!("in {} by {}", grant.name, exceptions::why(grant));
                self.put(&person.login, line, None, Mark::Explained);
            }
        }
    }

    /// Of what policy gives and the person lacks: the active rules that would fill it, but for their exclusion lists.
    fn excluded(&self, person: &Person, desired: &Desired) -> BTreeMap<String, String> {
        let held = self.facts.held.get(&person.id);
        let rules = self.tenant.rules.present().into_iter().flatten();
        let excluding: Vec<_> = rules
            .filter(|r| r.status == RuleStatus::Active && r.excluded.contains(&person.id))
            .collect();
        let lacked = desired
            .groups
            .values()
            .map(|g| &g.held)
            .filter(|g| held.is_none_or(|all| !all.contains(&g.id)));
        lacked
            .filter_map(|g| {
                let names = excluding.iter().filter(|r| r.groups.contains(&g.id));
                let names: Vec<&str> = names.map(|r| r.name.as_str()).collect();
                (!names.is_empty()).then(|| (g.name.clone(), names.join(", ")))
            })
            .collect()
    }

    /// The groups in which jml may change this person's membership.
    fn managed(&self, person: &Person) -> Vec<Held> {
        let given = self.facts.given.get(&person.id).unwrap_or(&self.none);
        let managed = Managed::new(self.policy, given).granted(self.facts.grants(&person.id));
        let held = self.facts.held.get(&person.id).into_iter().flatten();
        held.filter_map(|id| self.tenant.group(id))
            .filter(|g| managed.group(g))
            .map(|g| Held::new(Holding::Group, &g.id, &g.name))
            .collect()
    }

    /// Policy gives no roles: whoever holds one is named with its reason, or drifts.
    fn roles(&mut self, person: &Person, beside: &Beside) {
        let roles = beside.roles.present().and_then(|all| all.get(&person.id));
        let Some(roles) = roles.filter(|r| !r.is_empty()) else {
            return;
        };
        let roles = roles.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match beside.protected.get(&person.id) {
            Some(why) => {
                let line = format!("holds the admin role {roles}; protected: {why}");
                self.put(&person.login, line, None, Mark::Explained);
            }
            None => self.accuse(
                person,
                format!("holds the admin role {roles}, and [protect] does not name them"),
            ),
        }
    }
}

fn never_came(start: NaiveDate, now: DateTime<Utc>) -> String {
    match (now.date_naive() - start).num_days() {
        days @ 1.. => format!(", and never signed in: the start, {start}, was {days} days ago"),
        _ => ", and never signed in".to_owned(),
    }
}

fn exclusion(group: &str, rules: &str) -> String {
    format!("on the exclusion list of rule \"{rules}\", which will not fill {group} for them")
}
