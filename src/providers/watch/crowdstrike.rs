//! CrowdStrike Falcon Identity Protection: a person's risk, which accounts are still enabled, and who signed in after the end.
//!
//! Reads alone, though its credential could do more: each question is a constant beside this file, and none of them changes anything.
//! Nothing seen is never taken for nothing happened; Falcon learns of cloud accounts minutes or hours later. Facts: CrowdStrike's own
//! clients (falconpy, falcon-mcp).

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    graphql::{self, PageInfo},
    names,
};
use crate::{
    config::{BaseUrl, Read, SecretRef},
    http::{Answer, Reader, path, plain, sentence},
    model::{Failure, Kind, System},
    providers::{
        Known, Look, Need, Row, Sight, Testify, Watches,
        minting::{Grant, Granted, Minting, Record},
    },
};

pub const ROW: Row = Row::new("crowdstrike")
    .page("https://www.falconpy.io/Service-Collections/Identity-Protection.html")
    .needs(NEEDS)
    .watches::<CrowdStrike>("a person's risk, enabled accounts, sign-ins after the leaving instant");

pub const NEEDS: &[Need] = &[
    Need::read("Identity Protection Entities:read", "see a person's risk and accounts"),
    Need::read(
        "Identity Protection Timeline:read",
        "see sign-ins after the leaving instant",
    ),
    Need::read(
        "Identity Protection GraphQL:write",
        "ask at all: every question is a POST; jml sends no mutation",
    ),
];

const IDENTITY: &str = include_str!("crowdstrike.graphql");
const AFTER: &str = include_str!("crowdstrike_after.graphql");
/// Pages of one question: a person has no more accounts than this, and more sign-ins need not be listed.
const PAGES: usize = 5;
/// Sign-ins that are shown by themselves.
const SHOWN: usize = 10;

/// `[systems.crowdstrike]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the cloud: https://api.crowdstrike.com, https://api.us-2.crowdstrike.com, https://api.eu-1.crowdstrike.com.
    url: BaseUrl,
    /// The Active Directory domain, as in ACME.EXAMPLE: people whom Falcon knows by `DOMAIN\name` alone are found by it.
    domain: Option<String>,
    /// A record of `client_id` and `client_secret`; of a provider of services also `member_cid`.
    read: SecretRef<Read>,
}

impl crate::providers::Settings for Settings {}

pub struct CrowdStrike;

impl Watches for CrowdStrike {
    type Settings = Settings;
    type Witness = Falcon;

    fn witness(system: System, s: Settings, look: &Look) -> Falcon {
        let minting = Minting::new(grant(), look.secret(&s.read), look.clock(), None);
        Falcon {
            api: look.reader(&system, &s.url, minting, explain),
            domain: s.domain,
        }
    }
}

/// A form, and no grant type.
fn grant() -> Grant {
    Grant {
        what: "sign in to Falcon",
        ask: |record: &Record| {
            let mut form = vec![
                ("client_id", record.get("client_id")?),
                ("client_secret", record.get("client_secret")?),
            ];
            if let Ok(member) = record.get("member_cid") {
                form.push(("member_cid", member));
            }
            Ok(path!["oauth2/token"].form(&form))
        },
        check: region,
    }
}

/// The cloud that a client belongs to: a redirect would take the credential to another origin.
fn region(answer: &Answer, _: &Granted, http: &Reader) -> Result<(), Failure> {
    let (Some(region), Some(host)) = (answer.header("x-cs-region"), http.url().host_str()) else {
        return Ok(());
    };
    let home = match region {
        "us-1" => "api.crowdstrike.com".to_owned(),
        other => format!("api.{}.crowdstrike.com", sentence(other)),
    };
    if home == host || !host.ends_with(".crowdstrike.com") {
        return Ok(());
    }
    Err(Failure::contradiction(
        "sign in to Falcon",
        format!("this client belongs to {}", sentence(region)),
    )
    .hint(format!("set url = \"https://{home}\" in [systems.{}]", http.system())))
}

pub struct Falcon {
    api: Reader,
    domain: Option<String>,
}

#[derive(Deserialize)]
struct Entities {
    entities: Found,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    page_info: PageInfo,
    nodes: Vec<Entity>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    entity_id: String,
    #[serde(default)]
    primary_display_name: String,
    #[serde(default)]
    secondary_display_name: String,
    risk_score: f64,
    risk_score_severity: String,
    #[serde(default)]
    risk_factors: Vec<Factor>,
    accounts: Vec<Account>,
    #[serde(default)]
    email_addresses: Vec<String>,
    most_recent_activity: Option<String>,
}
#[derive(Deserialize)]
struct Factor {
    r#type: String,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    data_source: String,
    enabled: bool,
    archived: bool,
    domain: Option<String>,
    sam_account_name: Option<String>,
    data_source_participant_identifier: Option<String>,
    data_source_login_identifier: Option<String>,
}
#[derive(Deserialize)]
struct Timeline {
    timeline: Events,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    page_info: PageInfo,
    nodes: Vec<Event>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_type: String,
    timestamp: DateTime<Utc>,
    authentication_type: Option<String>,
    data_source: Option<String>,
    ip_address: Option<String>,
    host_name: Option<String>,
    target_service_display_name: Option<String>,
}

impl Falcon {
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        document: &'static str,
        variables: Value,
        what: &str,
    ) -> Result<T, Failure> {
        let path = path!["identity-protection/combined/graphql/v1"];
        graphql::ask(&self.api, path, document, variables, what, means).await
    }

    /// Who of those found is them: a query's words are the vendor's to read, so each hit is looked at again.
    async fn entities(&self, who: Known<'_>) -> Result<Vec<Entity>, Failure> {
        let addresses = names(who);
        let okta = who.person.id.0.as_str();
        let local = |a: &String| a.split('@').next().map(str::to_owned);
        let domain_names: BTreeSet<String> = match &self.domain {
            Some(domain) => addresses
                .iter()
                .filter_map(local)
                .map(|l| format!("{domain}\\{l}"))
                .collect(),
            None => BTreeSet::new(),
        };
        // Never an empty list: whether that means nobody or everybody is told nowhere.
        let mut any =
            vec![json!({"accountQuery": {"dataSources": ["OKTA"], "dataSourceParticipantIdentifiers": [okta]}})];
        if !addresses.is_empty() {
            any.push(json!({ "emailAddresses": addresses }));
        }
        if !domain_names.is_empty() {
            any.push(json!({ "secondaryDisplayNames": domain_names }));
        }
        let theirs = |e: &Entity| {
            e.email_addresses.iter().any(|a| addresses.contains(&a.to_lowercase()))
                || domain_names
                    .iter()
                    .any(|d| d.eq_ignore_ascii_case(&e.secondary_display_name))
                || e.accounts
                    .iter()
                    .any(|a| a.data_source_participant_identifier.as_deref() == Some(okta))
        };
        let what = format!("find {} in Falcon", who.person.login);
        let (mut all, mut after): (Vec<Entity>, Option<String>) = (Vec::new(), None);
        for _ in 0..PAGES {
            let mut variables = json!({ "any": any });
            if let Some(cursor) = &after {
                variables["after"] = json!(cursor);
            }
            let found: Entities = self.ask(IDENTITY, variables, &what).await?;
            all.extend(found.entities.nodes.into_iter().filter(theirs));
            after = found.entities.page_info.next(after.as_deref());
            if after.is_none() {
                return Ok(all);
            }
        }
        Err(Failure::contradiction(what, "finds more accounts than a person has"))
    }

    /// Sign-ins from that instant on, and whether there are more than were read.
    async fn after(&self, entity: &Entity, since: DateTime<Utc>) -> Result<(Vec<Event>, bool), Failure> {
        let what = format!("read what {} did after the end", sentence(&entity.primary_display_name));
        let from = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (mut all, mut after): (Vec<Event>, Option<String>) = (Vec::new(), None);
        for _ in 0..PAGES {
            let mut variables = json!({"id": [entity.entity_id], "from": from});
            if let Some(cursor) = &after {
                variables["after"] = json!(cursor);
            }
            let page: Timeline = self.ask(AFTER, variables, &what).await?;
            all.extend(page.timeline.nodes.into_iter().filter(|e| e.timestamp >= since));
            after = page.timeline.page_info.next(after.as_deref());
            if after.is_none() {
                return Ok((all, false));
            }
        }
        Ok((all, true))
    }
}

impl Testify for Falcon {
    async fn about(&self, who: Known<'_>, since: Option<DateTime<Utc>>) -> Result<Vec<Sight>, Failure> {
        let entities = self.entities(who).await?;
        if entities.is_empty() {
            return Ok(vec![Sight::fact("knows nobody by these addresses and this Okta id")]);
        }
        let mut out = Vec::new();
        if entities.len() > 1 {
            let all: Vec<String> = entities.iter().map(|e| sentence(&e.secondary_display_name)).collect();
            out.push(Sight::fact(format!(
                "knows them as {} entities that it does not link: {}",
                all.len(),
                all.join(", ")
            )));
        }
        for entity in &entities {
            out.push(risk(entity));
            // Gone by either word.
            let live = entity.accounts.iter().filter(|a| a.enabled && !a.archived);
            for account in live {
                let what = format!("{} is enabled", account.name());
                out.push(if since.is_some() {
                    Sight::finding(what)
                } else {
                    Sight::fact(what)
                });
            }
            let Some(since) = since else { continue };
            let (events, more) = self.after(entity, since).await?;
            if events.is_empty() {
                out.push(Sight::fact(
                    "saw no sign-in after the leaving instant, which is not to say that there was none",
                ));
            }
            out.extend(events.iter().take(SHOWN).map(Event::sight));
            if events.len() > SHOWN {
                let least = if more { "at least " } else { "" };
                out.push(Sight::finding(format!(
                    "saw {least}{} more after the leaving instant",
                    events.len() - SHOWN
                )));
            }
        }
        Ok(out)
    }

    async fn place(&self) -> Result<Vec<Sight>, Failure> {
        let any = json!([{"emailAddresses": ["nobody@jml.invalid"]}]);
        let found: Entities = self.ask(IDENTITY, json!({ "any": any }), "ask Falcon").await?;
        match found.entities.nodes.len() {
            0 => Ok(vec![Sight::fact("can be asked")]),
            n => Err(Failure::contradiction(
                "ask Falcon",
                format!("finds {n} entities under an address that nobody has"),
            )),
        }
    }
}

fn risk(e: &Entity) -> Sight {
    let factors: BTreeSet<String> = e.risk_factors.iter().map(|f| sentence(&f.r#type)).collect();
    let because = match factors.is_empty() {
        true => String::new(),
        false => format!(": {}", factors.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let as_of = e
        .most_recent_activity
        .as_deref()
        .map(|t| match t.parse::<DateTime<Utc>>() {
            Ok(at) => format!(", last active {}", at.format("%Y-%m-%d %H:%M:%SZ")),
            Err(_) => format!(", last active {}", sentence(t)),
        });
    let severity = sentence(&e.risk_score_severity);
    let what = format!(
        "risk {:.2} {severity}{because}{}",
        e.risk_score,
        as_of.unwrap_or_default()
    );
    if severity == "HIGH" {
        Sight::finding(what)
    } else {
        Sight::fact(what)
    }
}

impl Account {
    fn name(&self) -> String {
        let sam = self.sam_account_name.as_ref().map(|sam| match &self.domain {
            Some(domain) => format!("{domain}\\{sam}"),
            None => sam.clone(),
        });
        let name = sam
            .or_else(|| self.data_source_login_identifier.clone())
            .or_else(|| self.data_source_participant_identifier.clone());
        sentence(&format!(
            "the account {} of {}",
            name.unwrap_or_default(),
            self.data_source
        ))
    }
}

impl Event {
    fn sight(&self) -> Sight {
        let how = match self.event_type.as_str() {
            "SUCCESSFUL_AUTHENTICATION" => "signed in",
            "SERVICE_ACCESS" => "used a service with what was signed in before",
            other => other,
        };
        let mut what = sentence(how);
        for (before, part) in [
            (" by ", &self.authentication_type),
            (" at ", &self.target_service_display_name),
            (" seen by ", &self.data_source),
            (" from ", &self.ip_address),
            (" on ", &self.host_name),
        ] {
            if let Some(part) = part.as_deref().map(sentence).filter(|p| !p.is_empty()) {
                what += before;
                what += &part;
            }
        }
        Sight::finding(what).at(self.timestamp)
    }
}

fn means(code: &str, message: &str, what: &str) -> Failure {
    let points = message.to_lowercase().contains("points");
    let failure = match points {
        true => Failure::new(Kind::Throttled, what, "has used up the questions of this hour"),
        false => Failure::permanent(what, format!("refuses the question: {message}")),
    };
    if code.is_empty() { failure } else { failure.code(code) }
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Said>,
    meta: Option<Meta>,
}
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
}
#[derive(Deserialize)]
struct Meta {
    trace_id: Option<String>,
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    if answer.status == 308
        && let Some(region) = answer.header("x-cs-region")
    {
        failure.summary = format!("this client belongs to the cloud {}", sentence(region));
    }
    if let Some(refusal) = answer.maybe::<Refusal>()
        && let Some(said) = refusal.errors.first().filter(|s| !s.message.is_empty())
    {
        failure.summary = format!("refuses: {}", sentence(&said.message));
        failure.request = refusal.meta.and_then(|m| m.trace_id).map(|t| sentence(&t));
    }
    match failure.kind {
        Kind::Auth => failure.hint(
            "the API client needs the scopes of docs/DEPLOYMENT.md, GraphQL:write among them, without which nothing can be asked",
        ),
        _ => failure,
    }
}
