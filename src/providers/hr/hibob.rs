//! HiBob: one search of everybody, inactive ones included. There are no pages; what says that a read is whole are its fields.
//!
//! Refuses a read in which a category that was asked for is in no row (its permission is missing, and Bob says nothing of it), and takes
//! `inactive` for nothing: people on leave and before their first day are so too. A refused credential is never tried again: Bob's firewall
//! shuts out addresses that do. Facts: apidocs.hibob.com, people read API, and help.hibob.com on lifecycle statuses.

mod people;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::{BaseUrl, Read, Roster, SecretRef},
    http::{Answer, Fixed, Reader, Scheme, path, plain},
    model::{Age, Failure, Kind, System, Worker},
    providers::{Cursor, Employ, Look, Need, Page, Row, Settings as Check, Source},
};

pub const ROW: Row = Row::new("hibob")
    .roster::<HiBob>()
    .needs(NEEDS)
    .page("https://apidocs.hibob.com/docs/people-read-api-contract");

/// People's data that the service user's permission group may view, of everyone, inactive included.
pub const NEEDS: &[Need] = &[
    Need::read("Basic info", "names and addresses"),
    Need::read("Work", "department, title, manager, first day"),
    Need::read("Employment", "worker type"),
    Need::read("Lifecycle", "who left and when"),
];

/// `[systems.hibob]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// https://api.hibob.com
    url: BaseUrl,
    /// The service user's id.
    user: String,
    /// The service user's token.
    read: SecretRef<Read>,
    /// Bob sends names of sites, not zones: where each site's days begin. A site without one is in policy's zone.
    #[serde(default)]
    zones: BTreeMap<String, String>,
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        match self.zones.iter().find(|(_, zone)| zone.parse::<Tz>().is_err()) {
            None => Ok(()),
            Some((site, zone)) => Err(format!("zones: {site} is in {zone:?}, which is no IANA time zone")),
        }
    }
}

pub struct HiBob;

impl Source for HiBob {
    type Settings = Settings;
    type Roster = Search;
    fn roster(system: System, settings: Settings, words: &Roster, look: &Look) -> Search {
        let basic = Scheme::Basic { user: settings.user };
        let api = look.reader(
            &system,
            &settings.url,
            Fixed::one(basic, look.secret(&settings.read)),
            explain,
        );
        Search {
            api,
            zones: settings
                .zones
                .into_iter()
                .filter_map(|(site, zone)| Some((site, zone.parse().ok()?)))
                .collect(),
            words: words.clone(),
        }
    }
}

const WHAT: &str = "search HiBob's people";
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Search {
    api: Reader,
    zones: BTreeMap<String, Tz>,
    words: Roster,
}

impl Employ for Search {
    async fn page(&self, _: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let fields = people::Fields::of(&self.words);
        let body = json!({"fields": fields.asked(), "showInactive": true, "humanReadable": "APPEND"});
        let ask = path!["v1/people/search"].json(&body).patient(PATIENCE).what(WHAT);
        let answer = self.api.read_post(ask).await?;
        let workers = read(&answer, &fields, &self.zones, &self.words)?;
        Ok(Page {
            total: Some(workers.len() as u64),
            items: workers,
            next: None,
        })
    }
    /// As of now, or of twenty seconds ago.
    async fn age(&self) -> Result<Age, Failure> {
        Ok(Age::Live)
    }
}

fn read(
    answer: &Answer,
    fields: &people::Fields,
    zones: &BTreeMap<String, Tz>,
    words: &Roster,
) -> Result<Vec<Worker>, Failure> {
    people::read(answer.json()?, fields, zones, words)
}

fn explain(answer: &Answer, what: &str) -> Failure {
    let failure = plain(answer, what);
    match (failure.kind, answer.status) {
        (Kind::Auth, 401) => failure.hint("user is the service user's id and read its token; don't try again before both are right, or Bob blocks this address"),
        (Kind::Auth, _) => failure.hint("put the service user into a permission group that may view everyone, inactive included"),
        _ => failure,
    }
}
