//! Workday: a report (RaaS) as JSON, one read of everybody. The column contract is the report's; the words are `[roster]`'s.
//!
//! Refuses what it can't believe whole: an empty report, a required column that is blank in every row (a revoked domain blanks it for
//! everyone, without an error), an id twice. REST and SOAP aren't used: the one tells of no termination, the other of none to come.
//! Facts: Workday's Report-as-a-Service and OAuth 2.0, and Microsoft's integration reference for what dates mean.

mod rows;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::token::{Grant, Token};
use crate::{
    config::{BaseUrl, Read, Roster, SecretRef},
    http::{Answer, Ask, BoxFuture, Clock, Credential, Fixed, Reader, Scheme, path, plain},
    model::{Age, Failure, Kind, System, Worker},
    providers::{Cursor, Employ, Look, Need, Page, Row, Settings as Check, Source, field},
};

pub const ROW: Row = Row::new("workday")
    .roster::<Workday>()
    .needs(NEEDS)
    .page("https://learn.microsoft.com/entra/identity/app-provisioning/workday-integration-reference");

/// Security domains, all with Get, of an unconstrained integration security group.
pub const NEEDS: &[Need] = &[
    Need::read("Worker Data: Public Worker Reports", "run the report"),
    Need::read("Worker Data: Workers", "see workers"),
    Need::read(
        "Worker Data: Current Staffing Information",
        "department, title, manager",
    ),
    Need::read("Worker Data: Active and Terminated Workers", "leaving dates"),
    Need::read("Worker Data: Work Email", "addresses"),
    Need::read("Workday Accounts", "user names"),
];

/// `[systems.workday]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The services host of "View URLs" on the report: https://services1.myworkday.com
    url: BaseUrl,
    tenant: String,
    /// `OWNER/NAME` of the report.
    report: String,
    /// The integration system user for Basic authentication, as Workday wants it: `ISU_JML@TENANT`.
    user: Option<String>,
    /// The API client for OAuth 2.0; then `read` is a record of `client_secret` and `refresh_token`.
    client: Option<String>,
    /// The user's password, or the record.
    read: SecretRef<Read>,
    /// A contract that ended while Workday says active: `terminate` by the date, or `report` (set aside: extensions are entered late).
    #[serde(default)]
    contract_end: ContractEnd,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContractEnd {
    #[default]
    Terminate,
    Report,
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        let (owner, name) = self.report.split_once('/').unwrap_or_default();
        if owner.is_empty() || name.is_empty() || name.contains('/') {
            return Err("report is written OWNER/NAME, as in the report's URL".into());
        }
        match (&self.user, &self.client) {
            (Some(_), Some(_)) => Err("user (Basic) and client (OAuth 2.0) exclude each other".into()),
            (None, None) => Err("one of user (Basic) and client (OAuth 2.0) is wanted".into()),
            _ => Ok(()),
        }
    }
}

pub struct Workday;

impl Source for Workday {
    type Settings = Settings;
    type Roster = Report;
    fn roster(system: System, settings: Settings, words: &Roster, look: &Look) -> Report {
        let secret = look.secret(&settings.read);
        let api = match &settings.client {
            None => {
                let user = settings.user.clone().unwrap_or_default();
                let basic = Fixed::one(Scheme::Basic { user }, secret);
                look.reader(&system, &settings.url, basic, explain)
            }
            Some(client) => {
                let refresh = Refresh {
                    tenant: settings.tenant.clone(),
                    client: client.clone(),
                    secret: field(secret.clone(), "client_secret"),
                    token: field(secret, "refresh_token"),
                };
                look.reader(&system, &settings.url, Token::by(refresh, look.clock()), explain)
            }
        };
        Report {
            api,
            settings,
            words: words.clone(),
            clock: look.clock(),
        }
    }
}

/// OAuth 2.0 for an API client for integrations: a refresh token that doesn't expire.
struct Refresh {
    tenant: String,
    client: String,
    secret: Credential,
    token: Credential,
}

impl Grant for Refresh {
    fn ask(&self) -> BoxFuture<'_, Result<Ask, Failure>> {
        use secrecy::ExposeSecret;
        Box::pin(async move {
            let (secret, token) = ((self.secret)().await?, (self.token)().await?);
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.expose_secret()),
            ];
            Ok(path!["ccx/oauth2", self.tenant, "token"]
                .form(&form)
                .basic(&self.client, secret.expose_secret())
                .what("get a token of Workday"))
        })
    }
}

/// The first byte of a large report comes when the last row is made.
const PATIENCE: Duration = Duration::from_secs(300);
const WHAT: &str = "run Workday's report";

pub struct Report {
    api: Reader,
    settings: Settings,
    words: Roster,
    clock: Clock,
}

impl Report {
    async fn run(&self) -> Result<Answer, Failure> {
        let (owner, name) = self.settings.report.split_once('/').unwrap_or_default();
        let ask = path!["ccx/service/customreport2", self.settings.tenant, owner, name]
            .query("format", "json")
            .patient(PATIENCE)
            .what(WHAT);
        self.api.get(ask).await
    }
}

impl Employ for Report {
    async fn page(&self, _: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let answer = self.run().await?;
        let workers = read(&answer, &self.settings, &self.words, (self.clock)())?;
        Ok(Page {
            total: Some(workers.len() as u64),
            items: workers,
            next: None,
        })
    }
    /// A report is of the moment at which it runs.
    async fn age(&self) -> Result<Age, Failure> {
        Ok(Age::Live)
    }
}

/// What a report says of everybody; nothing of it where it can't be believed.
fn read(answer: &Answer, settings: &Settings, words: &Roster, now: DateTime<Utc>) -> Result<Vec<Worker>, Failure> {
    rows::read(answer.json::<rows::Body>()?, settings.contract_end, words, now)
}

/// Bodies differ by tenant and by format; the status decides, but for one 500, which no retry mends.
fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    let unauthorized = answer.status == 500 && answer.text().contains("is not authorized");
    if unauthorized {
        failure.kind = Kind::Auth;
        failure.summary = "refuses: the task submitted is not authorized".into();
    }
    match (failure.kind, answer.status) {
        (Kind::Auth, 401) => failure.hint("the user name is ISU@TENANT, its password must not expire, and the account must not be locked"),
        (Kind::Auth, _) => failure.hint("share the report with the integration system user, and give its security group Get on every domain of the report"),
        (_, 400) => failure.hint("jml asks for format=json alone: a prompt of the report must have a default or be optional"),
        (_, 404) => failure.hint("report is OWNER/NAME, and tenant the tenant's, as in View URLs of the report"),
        _ => failure,
    }
}
