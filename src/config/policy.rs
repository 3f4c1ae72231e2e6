//! `[policy]`, `[deadlines]` and `[groups]`, as text; `model::Policy` is what comes of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{
    ConfigError, Roster, Source,
    section::{Node, parse},
    text,
};
use crate::model::{
    Policy, PolicyRule, System,
    policy::{Day, Deadlines, Fallback, GardenLeave, GroupsOwner, LeaverDate, OnLeave, OverrideBy},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// IANA name: a bare date ends here, unless the worker's location says otherwise.
    #[serde(deserialize_with = "text::zone")]
    #[schemars(with = "String")]
    zone: Tz,
    /// By location.
    #[serde(default)]
    zones: BTreeMap<String, text::Zone>,
    #[serde(default = "termination_date")]
    #[schemars(with = "LeaverDateText")]
    leaver_date: LeaverDate,
    #[serde(default = "end")]
    #[schemars(with = "DayText")]
    termination_day: Day,
    /// A mover or joiner whose record changed more recently waits.
    #[serde(default = "settle", deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    settle: Duration,
    #[serde(default, deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    joiner_lead: Duration,
    /// Groups by worker type.
    #[serde(default)]
    birthright: BTreeMap<String, Vec<String>>,
    /// Department to code: ROLE-CODE.
    #[serde(default)]
    departments: BTreeMap<String, String>,
    #[schemars(with = "Option<FallbackText>")]
    department_fallback: Option<Fallback>,
    #[serde(default = "ignore")]
    #[schemars(with = "OnLeaveText")]
    on_leave: OnLeave,
    /// Whose last day of work is past and whose termination is to come.
    #[serde(default = "suspend")]
    #[schemars(with = "GardenLeaveText")]
    garden_leave: GardenLeave,
    /// Who may finish a leaver that HR doesn't confirm.
    #[serde(default = "approver", rename = "override")]
    #[schemars(with = "OverrideText")]
    override_by: OverrideBy,
    /// Within how long a leaver must be complete.
    #[serde(default = "promise", deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    promise: Duration,
    /// How long the group that grants an app waits until its files can be given to somebody.
    #[serde(default = "preserve_wait", deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    preserve_wait: Duration,
    /// Read apart, for a rule's keys are systems.
    #[expect(dead_code, reason = "a schema")]
    #[serde(default)]
    #[schemars(with = "Vec<RuleText>")]
    rule: Option<serde::de::IgnoredAny>,
}

/// Within these, what is owed doesn't raise the exit code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDeadlines {
    #[serde(deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    account: Duration,
    #[serde(deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    invitation: Duration,
    #[serde(deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    transfer: Duration,
    #[serde(deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    record: Duration,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGroups {
    /// `terraform`: groups are planned and compared only.
    #[schemars(with = "Option<OwnerText>")]
    owner: Option<GroupsOwner>,
}

impl Default for RawDeadlines {
    fn default() -> Self {
        RawDeadlines {
            account: hours(24),
            invitation: hours(7 * 24),
            transfer: hours(72),
            record: hours(1),
        }
    }
}

const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}
fn termination_date() -> LeaverDate {
    LeaverDate::TerminationDate
}
fn end() -> Day {
    Day::End
}
fn settle() -> Duration {
    Duration::from_secs(60)
}
fn ignore() -> OnLeave {
    OnLeave::Ignore
}
fn suspend() -> GardenLeave {
    GardenLeave::Suspend
}
fn approver() -> OverrideBy {
    OverrideBy::Approver
}
fn preserve_wait() -> Duration {
    hours(7 * 24)
}
fn promise() -> Duration {
    Duration::from_secs(15 * 60)
}

/// What may stand in a rule's `when`.
const WHEN: [&str; 4] = ["department", "title", "type", "location"];

pub(super) fn policy(
    source: &Arc<Source>,
    mut node: Node<'_>,
    deadlines: RawDeadlines,
    groups: RawGroups,
    roster: &Roster,
    systems: &[System],
) -> Result<Policy, ConfigError> {
    let rules = match node.get_mut() {
        DeValue::Table(table) => table.remove("rule"),
        _ => None,
    };
    let raw: Raw = parse(source, node)?;
    let rules = match rules {
        None => Vec::new(),
        Some(rules) => {
            let span = rules.span();
            match rules.into_inner() {
                DeValue::Array(all) => {
                    let mut out = Vec::new();
                    for rule in all {
                        out.push(self::rule(source, rule, systems)?);
                    }
                    out
                }
                _ => return Err(ConfigError::at(source, Some(span), "rules are written [[policy.rule]]")),
            }
        }
    };
    let lower = |k: &str| k.to_lowercase();
    Ok(Policy {
        // A source that knows where its own dates end outranks us.
        zone: roster.time_zone.unwrap_or(raw.zone),
        zones: raw.zones.into_iter().map(|(k, v)| (k, v.0)).collect(),
        leaver_date: raw.leaver_date,
        termination_day: raw.termination_day,
        settle: raw.settle,
        joiner_lead: raw.joiner_lead,
        birthright: raw.birthright.into_iter().map(|(k, v)| (lower(&k), v)).collect(),
        departments: raw.departments,
        department_fallback: raw.department_fallback,
        rules,
        on_leave: raw.on_leave,
        garden_leave: raw.garden_leave,
        override_by: raw.override_by,
        grace: roster.grace,
        promise: raw.promise,
        deadlines: Deadlines {
            account: deadlines.account,
            invitation: deadlines.invitation,
            transfer: deadlines.transfer,
            record: deadlines.record,
        },
        preserve_wait: raw.preserve_wait,
        groups_owner: groups.owner.unwrap_or(GroupsOwner::Jml),
    })
}

fn rule(source: &Arc<Source>, node: Node<'_>, systems: &[System]) -> Result<PolicyRule, ConfigError> {
    let span = node.span();
    let DeValue::Table(table) = node.into_inner() else {
        return Err(ConfigError::at(source, Some(span), "rules are written [[policy.rule]]"));
    };
    let mut rule = PolicyRule {
        when: BTreeMap::new(),
        groups: Vec::new(),
        gives: BTreeMap::new(),
    };
    for (key, value) in table {
        let at = key.span();
        match key.get_ref().as_ref() {
            "when" => rule.when = when(source, value)?,
            "groups" => rule.groups = parse(source, value)?,
            name => match systems.iter().find(|s| s.as_str() == name) {
                Some(system) => {
                    let gives: Vec<String> = parse(source, value)?;
                    rule.gives.insert(system.clone(), gives);
                }
                None => {
                    let message =
                        format!("a rule has `when`, `groups` and names of systems; there is no [systems.{name}]");
                    return Err(ConfigError::at(source, Some(at), message));
                }
            },
        }
    }
    if rule.when.is_empty() {
        return Err(
            ConfigError::at(source, Some(span), "a rule needs `when`, with at least one condition")
                .help("what everybody gets belongs in birthright"),
        );
    }
    Ok(rule)
}

fn when(source: &Arc<Source>, node: Node) -> Result<BTreeMap<String, String>, ConfigError> {
    if let Some(table) = node.get_ref().as_table() {
        for (key, _) in table.iter() {
            if !WHEN.contains(&key.get_ref().as_ref()) {
                let message = format!("`{}` is nothing that a rule can ask for", key.get_ref());
                let help = format!("known: {}", WHEN.join(", "));
                return Err(ConfigError::at(source, Some(key.span()), message).help(help));
            }
        }
    }
    parse(source, node)
}

/// The shapes of these for the schema alone; `model` has the types.
macro_rules! words {
    ($($name:ident: $($word:ident)+;)+) => {$(
        #[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case", inline)]
        #[expect(dead_code, reason = "a schema")]
        enum $name { $($word),+ }
    )+};
}
words! {
    LeaverDateText: TerminationDate LastDayOfWork Earlier;
    DayText: Start End;
    FallbackText: Upper;
    OnLeaveText: Ignore Suspend;
    GardenLeaveText: Suspend Terminate Ignore;
    OverrideText: Approver Operator;
    OwnerText: Jml Terraform;
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "a schema")]
struct RuleText {
    /// department, title, type, location; `*` is a wildcard.
    when: BTreeMap<String, String>,
    #[schemars(default)]
    groups: Vec<String>,
    /// By the name of a system: channels, teams.
    #[schemars(flatten)]
    gives: BTreeMap<String, Vec<String>>,
}
