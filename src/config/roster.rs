//! `[roster]`: where employment comes from, and what its words mean. Empty where nothing is said: a source's own defaults apply.

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::text;
use crate::model::{Employment, System};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = |s: &mut Schema| also(s, "attributes", "columns"))]
pub struct Roster {
    /// The system that says who is employed: `okta` where HR feeds Okta, else a system of kind workday, successfactors, hibob, scim, csv.
    #[serde(default = "okta")]
    pub source: System,
    /// Who leaves may be read in another one, by that kind's usual names: what is mapped here is the source's.
    pub leavers: Option<System>,
    /// What each thing is called in the source (`[roster.columns]` is the same, for a file).
    #[serde(default, alias = "columns")]
    pub attributes: Fields,
    #[serde(default)]
    pub values: Values,
    /// As strftime writes it; the one form of every date. Default `%Y-%m-%d`.
    #[serde(default = "iso", deserialize_with = "text::date_format")]
    pub date_format: String,
    /// Dates that mean none; `9999-12-31` always does.
    #[serde(default)]
    pub empty_dates: Vec<String>,
    /// Where the source's bare dates end; outranks `[policy] zone`.
    #[serde(default, deserialize_with = "text::zone_opt")]
    #[schemars(with = "Option<String>")]
    pub time_zone: Option<Tz>,
    /// What the source means by a leaving date; outranks `[policy] termination_day`.
    pub end_is: Option<EndIs>,
    /// `id`: one row a position, folded into one person a row id.
    pub group_by: Option<GroupBy>,
    /// `partial`: the source doesn't hold everyone.
    #[serde(default)]
    pub scope: Scope,
    /// How long the status word may lag behind its own leaving date.
    #[serde(default = "grace", deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    pub grace: Duration,
    /// Id of the app in Okta whose imports are HR's (`0oa…`), where Okta is the source; else every app's imports count.
    pub import: Option<String>,
    /// What HR's last import, or its file, may be old; past that movers and joiners hold, and leavers go on.
    #[serde(default = "max_age", deserialize_with = "text::duration")]
    #[schemars(with = "String")]
    pub max_age: Duration,
}

/// Names of attributes or columns, by what they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = |s: &mut Schema| also(s, "manager", "manager_id"))]
pub struct Fields {
    pub id: Option<String>,
    /// The same human across records, where HR has such a number.
    pub universal_id: Option<String>,
    pub login: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// `Last, First M` in one cell.
    pub full_name_last_first: Option<String>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub location: Option<String>,
    #[serde(alias = "manager_id")]
    pub manager: Option<String>,
    pub worker_type: Option<String>,
    pub status: Option<String>,
    pub hire_date: Option<String>,
    pub termination_date: Option<String>,
    pub last_day_of_work: Option<String>,
    pub rescinded: Option<String>,
}

/// The source's words, compared without case, and ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Values {
    #[serde(default)]
    pub status: BTreeMap<String, Word>,
    /// To a worker type of `[policy] birthright`.
    #[serde(default)]
    pub worker_type: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Active,
    Leave,
    Terminated,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndIs {
    /// Gone at the next midnight.
    LastDay,
    /// Gone at that day's own midnight.
    FirstDayOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Id,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Everyone,
    Partial,
}

impl From<Word> for Employment {
    fn from(word: Word) -> Employment {
        match word {
            Word::Active => Employment::Active,
            Word::Leave => Employment::OnLeave,
            Word::Terminated => Employment::Terminated,
            Word::Cancelled => Employment::Cancelled,
        }
    }
}

impl Values {
    /// `None`: a word that nobody explained, so Unknown.
    pub fn employment(&self, word: &str) -> Option<Employment> {
        let word = word.to_lowercase();
        let found = self.status.iter().find(|(k, _)| k.to_lowercase() == word);
        found.map(|(_, v)| Employment::from(*v))
    }
    /// Unexplained words stand for themselves, in lower case.
    pub fn worker_type(&self, word: &str) -> String {
        let word = word.to_lowercase();
        let found = self.worker_type.iter().find(|(k, _)| k.to_lowercase() == word);
        found.map_or(word, |(_, v)| v.to_lowercase())
    }
}

impl Default for Roster {
    fn default() -> Self {
        Roster {
            source: okta(),
            leavers: None,
            attributes: Fields::default(),
            values: Values::default(),
            date_format: iso(),
            empty_dates: Vec::new(),
            time_zone: None,
            end_is: None,
            group_by: None,
            scope: Scope::Everyone,
            grace: grace(),
            import: None,
            max_age: max_age(),
        }
    }
}

/// A schema knows nothing of serde's aliases.
fn also(schema: &mut Schema, name: &str, alias: &str) {
    if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut())
        && let Some(same) = properties.get(name).cloned()
    {
        properties.insert(alias.to_owned(), same);
    }
}

fn okta() -> System {
    crate::model::System::of("okta")
}
fn iso() -> String {
    "%Y-%m-%d".into()
}
fn grace() -> Duration {
    Duration::from_secs(3 * 86_400)
}
fn max_age() -> Duration {
    Duration::from_secs(26 * 3_600)
}
