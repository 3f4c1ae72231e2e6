//! Salesforce: freezes a leaver's login, ends sessions and OAuth tokens, takes permission sets, licences and groups, deactivates.
//!
//! Makes no user (the directory's provisioning does), never thaws or reactivates, moves no records and clears no setting that names a
//! user: where such a one blocks the deactivation it is owed, with the vendor's sentence, and the login stays frozen.
//! Facts: developer.salesforce.com, REST API and Object Reference.

mod auth;
mod eyes;
mod hands;
mod soql;
#[cfg(test)]
mod tests;
mod wire;

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use self::{auth::Mint, soql::Soql, wire::Found};
use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Ask, Reader, path},
    model::{Failure, System, Verb},
    providers::{Act, Look, Need, Row, Target},
};

pub use eyes::Eyes;
pub use hands::Hands;
pub use wire::explain;

pub const ROW: Row = Row::new("salesforce")
    .page("https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/")
    .pin("org")
    .needs(NEEDS)
    .target::<Salesforce>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::Freeze,
    Verb::ClearSessions,
    Verb::RevokeClientTokens,
    Verb::RemoveMember,
    Verb::RevokeRole,
    Verb::ReleaseSeat,
    Verb::Deactivate,
];

pub const NEEDS: &[Need] = &[
    Need::read("API Enabled", "any call"),
    Need::read("View All Users", "see users"),
    Need::read(
        "View Setup and Configuration",
        "see permission sets, licences, groups and queues",
    ),
    Need::read(
        "Manage Users",
        "see whether a login is frozen, and its sessions; without it they are unknown",
    ),
    Need::read(
        "Customize Application",
        "see OAuth tokens of others; without it an empty list is all that is shown",
    ),
    Need::read(
        "View All on Opportunity, Account, Lead and Case",
        "count what a leaver owns",
    ),
    Need::write("Manage Users", "freeze, end sessions, take assignments"),
    Need::write("Manage Internal Users", "deactivate (it comes with Manage Users)"),
    Need::write("Customize Application", "revoke OAuth tokens of others"),
];

/// `[systems.salesforce]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The org's own address (My Domain): https://acme.my.salesforce.com
    url: BaseUrl,
    /// The organisation's id (00D...). Another answer is refused.
    org: Option<String>,
    /// The version of the API.
    #[serde(default = "version")]
    api: String,
    /// Whom a signed assertion is for: by default https://login.salesforce.com, of a sandbox https://test.salesforce.com
    audience: Option<String>,
    /// A credential that only reads, in the same form.
    read: Option<SecretRef<Read>>,
    /// A record of `client_id` and `client_secret` (client credentials), or of `client_id`, `username` and `private_key` (JWT bearer).
    write: SecretRef<Write>,
}

fn version() -> String {
    "62.0".into()
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        let versioned = self.api.split_once('.').is_some_and(|(a, b)| number(a) && number(b));
        if !versioned {
            return Err("api is a version such as \"62.0\"".into());
        }
        match &self.org {
            Some(org) if !soql::is_id(org) => Err("org is an id of 15 or 18 letters and digits (00D...)".into()),
            Some(_) | None => Ok(()),
        }
    }
}

impl Settings {
    fn audience(&self) -> String {
        let host = self.url.as_url().host_str().unwrap_or_default();
        let login = if host.ends_with(".sandbox.my.salesforce.com") || host == "test.salesforce.com" {
            "https://test.salesforce.com"
        } else {
            "https://login.salesforce.com"
        };
        self.audience.clone().unwrap_or_else(|| login.to_owned())
    }
}

pub struct Salesforce;

impl Target for Salesforce {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let mint = Mint::new(look.either(s.read.as_ref(), &s.write), s.audience());
        let http = look.reader(&system, &s.url, mint, explain);
        Eyes::new(Data::new(http, &s.api), s.org)
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let mint = Mint::new(act.secret(&s.write), s.audience());
        Hands::new(act.writer(&system, &s.url, mint, explain), &s.api)
    }
}

/// Queries under one version of the API.
pub(crate) struct Data {
    http: Reader,
    /// `v62.0`
    version: String,
}

impl Data {
    pub(crate) fn new(http: Reader, api: &str) -> Self {
        let version = format!("v{api}");
        Data { http, version }
    }

    fn ask(&self, query: &Soql, what: &str) -> Ask {
        path!["services/data", self.version, "query"]
            .query("q", query)
            .what(what)
    }

    /// The first page, or the one behind a link of the answer before it.
    async fn page<T: DeserializeOwned>(&self, ask: Ask) -> Result<Found<T>, Failure> {
        self.http
            .get(ask.header("sforce-query-options", "batchSize=2000"))
            .await?
            .json()
    }

    /// Every row, or a failure: as many as the answer says there are.
    async fn all<T: DeserializeOwned>(&self, query: &Soql, what: &str) -> Result<Vec<T>, Failure> {
        let mut page: Found<T> = self.page(self.ask(query, what)).await?;
        let (total, mut rows) = (page.total_size, page.records);
        while let (false, Some(link)) = (page.done, &page.next_records_url) {
            page = self.page(Ask::follow(link).what(what)).await?;
            if page.records.is_empty() {
                break;
            }
            rows.append(&mut page.records);
        }
        if rows.len() as u64 == total && page.done {
            return Ok(rows);
        }
        Err(Failure::contradiction(
            what,
            format!("{} of {total} rows came: the list is not whole", rows.len()),
        ))
    }

    /// `SELECT COUNT() ...`
    async fn count(&self, query: &Soql, what: &str) -> Result<u64, Failure> {
        let found: Found<serde_json::Value> = self.page(self.ask(query, what)).await?;
        Ok(found.total_size)
    }
}
