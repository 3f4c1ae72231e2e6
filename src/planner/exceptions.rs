//! Exceptions to policy: what may be granted, how it stands beside what policy gives, and how it ends.
//!
//! A grant is desired state with an end, so that mover, sweep and drift need no word of their own for it. It gives nobody a group that
//! carries an admin role, and none that isn't the directory's own.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    dates::{self, text},
    employment::works_here,
    entitle::{Desired, Given, entitle},
    grounds::unprotected,
    refusal::Refusal,
};
use crate::model::{Catalogue, Grant, GroupFault, GroupKind, Held, Holding, Person, Policy, Status, When};

/// Whoever needs it longer needs a rule.
pub const LONGEST: TimeDelta = TimeDelta::days(366);

impl Desired {
    /// What was granted and runs, where policy does not give it anyway. A group that is gone from the tenant, or is another's now, gives
    /// nothing.
    pub fn beside(mut self, grants: &[Grant], tenant: &Catalogue, now: DateTime<Utc>) -> Desired {
        for grant in grants.iter().filter(|g| g.runs(now)) {
            let usable = |kind| kind == GroupKind::OktaGroup;
            let Some(group) = tenant.group(&grant.group).filter(|g| usable(g.kind) && !g.admin) else {
                continue;
            };
            if self.groups.values().any(|g| g.held.id == group.id) {
                continue;
            }
            let held = Held::new(Holding::Group, &group.id, &group.name);
            self.groups.insert(group.name.clone(), Given { held, why: why(grant) });
        }
        self
    }
}

/// The grant of that group, the newest word on it.
pub fn of<'a>(grants: &'a [Grant], group: &str) -> Option<&'a Grant> {
    grants.iter().find(|g| g.group == group)
}

/// `an exception until 2026-12-31 23:00:00Z (CHG0031, granted by dana)`.
pub fn why(grant: &Grant) -> String {
    format!(
        "an exception until {} ({}, granted by {})",
        text(grant.until),
        grant.ticket,
        grant.by
    )
}

pub fn ended(grant: &Grant) -> String {
    format!("an exception that ended {} ({})", text(grant.until), grant.ticket)
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub group: &'a str,
    /// A day is granted whole, where the worker is.
    pub until: When,
    pub ticket: &'a str,
    pub by: &'a str,
}

/// Something that a person should know before they rely on it.
pub type Warning = Option<String>;

/// Only whoever works here is given an exception, and only what jml could take back.
pub fn grant(
    person: &Person,
    ask: Ask<'_>,
    policy: &Policy,
    tenant: &Catalogue,
    now: DateTime<Utc>,
) -> Result<(Grant, Warning), Refusal> {
    let login = &person.login;
    unprotected(person, tenant)?;
    let worker = works_here(person, policy, now)?;
    if person.status == Status::Deprovisioned {
        return Err(Refusal::Deprovisioned { login: login.clone() });
    }
    let no = |why: String| Refusal::NoException {
        login: login.clone(),
        group: ask.group.to_owned(),
        why,
    };
    let group = tenant.group_named(ask.group).map_err(|fault| match fault {
        GroupFault::Missing => no("Okta has no group of that name".to_owned()),
        fault => Refusal::Group {
            name: ask.group.to_owned(),
            rule: "the exception".to_owned(),
            fault: Box::new(fault),
        },
    })?;
    if group.admin {
        return Err(no("it carries an admin role in Okta".to_owned()));
    }
    if let Ok(desired) = entitle(login, worker, policy, tenant)
        && let Some(given) = desired.groups.values().find(|g| g.held.id == group.id)
    {
        return Err(no(format!("policy gives it already ({})", given.why)));
    }
    let until = dates::through(worker, policy, ask.until);
    if until <= now {
        return Err(no(format!("{} is past", text(until))));
    }
    if until - now > LONGEST {
        return Err(no(format!(
            "{} is more than a year away; what somebody needs longer is a rule of the policy",
            text(until)
        )));
    }
    let rules: Vec<&str> = tenant
        .rules_filling(&group.id, &person.id)
        .map(|r| r.name.as_str())
        .collect();
    let warning = (!rules.is_empty()).then(|| {
        format!(
            "rule \"{}\" may fill {}: taken back at the end, they land on its exclusion list",
            rules.join(", "),
            group.name
        )
    });
    let grant = Grant {
        group: group.id.clone(),
        name: group.name.clone(),
        until,
        ticket: ask.ticket.to_owned(),
        by: ask.by.to_owned(),
    };
    Ok((grant, warning))
}
