//! Policy is data: what a person of some department, title, type and place is given.

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::System;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Where a bare date ends (or starts) …
    pub zone: Tz,
    /// … or where the worker is, by location.
    pub zones: BTreeMap<String, Tz>,
    pub leaver_date: LeaverDate,
    pub termination_day: Day,
    /// A mover or joiner whose record changed more recently waits.
    pub settle: Duration,
    pub joiner_lead: Duration,
    /// By worker type, lower case.
    pub birthright: BTreeMap<String, Vec<String>>,
    /// Department to code: ROLE-<code>.
    pub departments: BTreeMap<String, String>,
    pub department_fallback: Option<Fallback>,
    pub rules: Vec<PolicyRule>,
    pub on_leave: OnLeave,
    pub garden_leave: GardenLeave,
    /// Who may finish a leaver that HR doesn't confirm.
    pub override_by: OverrideBy,
    /// How long HR's status word may lag behind its own leaving date.
    pub grace: Duration,
    /// Within how long a leaver must be complete.
    pub promise: Duration,
    pub deadlines: Deadlines,
    /// How long the group that grants an app waits for its files to be given to somebody.
    pub preserve_wait: Duration,
    /// `terraform`: groups plan and diff only.
    pub groups_owner: GroupsOwner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaverDate {
    TerminationDate,
    LastDayOfWork,
    Earlier,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Start,
    End,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    Upper,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLeave {
    Ignore,
    Suspend,
}
/// Somebody who no longer works and is not yet terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GardenLeave {
    Suspend,
    /// A leaver at once.
    Terminate,
    Ignore,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideBy {
    Approver,
    Operator,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupsOwner {
    Jml,
    Terraform,
}

/// Owed within its own deadline never raises the exit code (DESIGN: settled questions).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deadlines {
    pub account: Duration,
    pub invitation: Duration,
    pub transfer: Duration,
    pub record: Duration,
}

/// `when`: department, title, type, location; `*` as wildcard. Every key must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRule {
    pub when: BTreeMap<String, String>,
    pub groups: Vec<String>,
    /// What else the rule gives, by system: `slack = ["#sre"]`.
    pub gives: BTreeMap<System, Vec<String>>,
}

/// `"25 or 2%"`: the smaller trips; a percentage never trips below 3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    pub count: Option<u32>,
    pub percent: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    pub leavers: Limit,
    pub leavers_24h: Limit,
    pub movers: Limit,
    pub joiners: Limit,
    pub removals_per_group: Limit,
    pub adds_per_group: Limit,
    pub exclusions_per_rule: Limit,
    pub rejected: Limit,
    /// How far a read may fall short of the last good one.
    pub short_read: Limit,
    pub on_brake: OnBrake,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBrake {
    Hold,
    Contain,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protected {
    pub login: String,
    pub owner: Option<String>,
    pub reason: Option<String>,
}

impl Limit {
    /// The number that may not be passed, of so many people.
    pub fn of(&self, population: usize) -> usize {
        let by_count = self.count.map(|n| n as usize);
        // Small firms: two per cent of 60 people would stop at the second leaver.
        let by_share = self
            .percent
            .map(|p| ((population as f64 * p / 100.0).floor() as usize).max(3));
        match (by_count, by_share) {
            (Some(a), Some(b)) => a.min(b),
            (Some(n), None) | (None, Some(n)) => n,
            (None, None) => usize::MAX,
        }
    }
}
