//! Wiz: which cloud identities are this person's, which of them may do too much, and which open issues point at them.
//!
//! Wiz's reference is behind a login, and its schema moves: the questions are constants beside this file, to be tried in Wiz's API explorer
//! before this is switched on. A search brings namesakes, so only what carries the address exactly is theirs. Nothing found is said with
//! what it may mean. Facts: Wiz's own open client (wiz-sec-public/backstage-plugin-wiz).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
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
        minting::{Grant, Minting, Record},
    },
};

pub const ROW: Row = Row::new("wiz")
    .page("https://www.wiz.io/integrations")
    .needs(NEEDS)
    .watches::<Cloud>("a person's cloud identities, their privileges and open issues");

pub const NEEDS: &[Need] = &[
    Need::read("read:resources", "see cloud identities and their privileges"),
    Need::read("read:issues", "see open issues of an identity"),
];

const PRINCIPALS: &str = include_str!("wiz.graphql");
const ISSUES: &str = include_str!("wiz_issues.graphql");
/// Questions of one command.
const MOST: usize = 20;

/// `[systems.wiz]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the tenant's data centre, as its console shows it: https://api.us1.app.wiz.io, without /graphql.
    url: BaseUrl,
    /// Who makes tokens; by default the issuer of the same realm as `url`.
    token_url: Option<BaseUrl>,
    /// `wiz-api`; `beyond-api` where tokens come from the old issuers.
    #[serde(default)]
    audience: Audience,
    /// A record of `client_id` and `client_secret`: a service account.
    read: SecretRef<Read>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Audience {
    #[default]
    WizApi,
    BeyondApi,
}

impl crate::providers::Settings for Settings {}

impl Settings {
    fn issuer(&self) -> BaseUrl {
        let host = self.url.as_url().host_str().unwrap_or_default();
        let vendors = ["app.wiz.io", "gov.wiz.io", "app.wiz.us", "gov.wiz.us"]
            .into_iter()
            .find(|realm| host.ends_with(&format!(".{realm}")))
            .and_then(|realm| format!("https://auth.{realm}").parse().ok());
        self.token_url.clone().or(vendors).unwrap_or_else(|| self.url.clone())
    }
}

pub struct Cloud;

impl Watches for Cloud {
    type Settings = Settings;
    type Witness = Wiz;

    fn witness(system: System, s: Settings, look: &Look) -> Wiz {
        let issuer = look.anonymous(&system, &s.issuer(), explain);
        let minting = Minting::new(grant(s.audience), look.secret(&s.read), look.clock(), Some(issuer));
        Wiz {
            api: look.reader(&system, &s.url, minting, explain),
        }
    }
}

fn grant(audience: Audience) -> Grant {
    fn form(record: &Record, audience: &str) -> Result<crate::http::Ask, Failure> {
        Ok(path!["oauth/token"].form(&[
            ("grant_type", "client_credentials"),
            ("client_id", record.get("client_id")?),
            ("client_secret", record.get("client_secret")?),
            ("audience", audience),
        ]))
    }
    Grant {
        what: "sign in to Wiz",
        ask: match audience {
            Audience::WizApi => |record| form(record, "wiz-api"),
            Audience::BeyondApi => |record| form(record, "beyond-api"),
        },
        check: |_, _, _| Ok(()),
    }
}

pub struct Wiz {
    api: Reader,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Principals {
    #[serde(rename = "cloudResourcesV2")]
    found: Page<Principal>,
}
#[derive(Deserialize)]
struct Issues {
    issues: Page<Issue>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    page_info: PageInfo,
    nodes: Vec<T>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Principal {
    name: String,
    #[serde(default)]
    native_type: Option<String>,
    deleted_at: Option<String>,
    has_admin_privileges: Option<bool>,
    has_high_privileges: Option<bool>,
    has_access_to_sensitive_data: Option<bool>,
    graph_entity: Option<Node>,
    cloud_account: Option<CloudAccount>,
}
#[derive(Deserialize)]
struct Node {
    id: String,
    #[serde(default)]
    properties: Value,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CloudAccount {
    name: String,
    cloud_provider: String,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue {
    id: String,
    severity: String,
    source_rule: Option<Rule>,
}
#[derive(Deserialize)]
struct Rule {
    name: Option<String>,
}

impl Principal {
    /// Its name, or a property of it, is one of the addresses, whole. `smtp:` stands before some.
    fn is(&self, names: &BTreeSet<String>) -> bool {
        fn any(value: &Value, fits: &dyn Fn(&str) -> bool) -> bool {
            match value {
                Value::String(text) => fits(text),
                Value::Array(all) => all.iter().any(|v| any(v, fits)),
                Value::Object(map) => map.values().any(|v| any(v, fits)),
                Value::Null | Value::Bool(_) | Value::Number(_) => false,
            }
        }
        let fits = |text: &str| {
            let text = text.to_lowercase();
            names.contains(text.strip_prefix("smtp:").unwrap_or(&text))
        };
        fits(&self.name) || self.graph_entity.as_ref().is_some_and(|g| any(&g.properties, &fits))
    }

    fn sight(&self, left: bool) -> Sight {
        let at = self
            .cloud_account
            .as_ref()
            .map(|c| format!("{} {}: ", c.cloud_provider, c.name))
            .unwrap_or_default();
        let kind = self.native_type.as_deref().unwrap_or("identity");
        let rights = match (self.has_admin_privileges, self.has_high_privileges) {
            (Some(true), _) => ", with admin privileges",
            (_, Some(true)) => ", with high privileges",
            _ => "",
        };
        let data = match self.has_access_to_sensitive_data {
            Some(true) => ", reaching sensitive data",
            _ => "",
        };
        let gone = if self.deleted_at.is_some() { ", deleted" } else { "" };
        let what = sentence(&format!("{at}{} ({kind}){rights}{data}{gone}", self.name));
        // Of who has left any identity that is still there; of anybody one that may do too much.
        match self.deleted_at.is_none() && (left || !rights.is_empty()) {
            true => Sight::finding(what),
            false => Sight::fact(what),
        }
    }
}

impl Wiz {
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        left: &mut usize,
        document: &'static str,
        variables: Value,
        what: &str,
    ) -> Result<T, Failure> {
        if *left == 0 {
            return Err(Failure::contradiction(
                what,
                format!("takes more than {MOST} questions"),
            ));
        }
        *left -= 1;
        graphql::ask(&self.api, path!["graphql"], document, variables, what, means).await
    }

    async fn principals(&self, left: &mut usize, address: &str) -> Result<Vec<Principal>, Failure> {
        let what = format!("find the cloud identities of {address} in Wiz");
        let (mut all, mut after): (Vec<Principal>, Option<String>) = (Vec::new(), None);
        loop {
            let filter = json!({"type": {"equalsAnyOf": ["USER_ACCOUNT"]}, "search": address});
            let variables = json!({"first": 100, "after": after, "filterBy": filter});
            let page: Principals = self.ask(left, PRINCIPALS, variables, &what).await?;
            all.extend(page.found.nodes);
            after = page.found.page_info.next(after.as_deref());
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    async fn issues(&self, left: &mut usize, of: &str, name: &str) -> Result<Vec<Issue>, Failure> {
        let what = format!("read the open issues of {} in Wiz", sentence(name));
        let (mut all, mut after): (Vec<Issue>, Option<String>) = (Vec::new(), None);
        loop {
            let filter = json!({"status": ["OPEN", "IN_PROGRESS"], "relatedEntity": {"id": of}});
            let order = json!({"field": "SEVERITY", "direction": "DESC"});
            let variables = json!({"first": 50, "after": after, "filterBy": filter, "orderBy": order});
            let page: Issues = self.ask(left, ISSUES, variables, &what).await?;
            all.extend(page.issues.nodes);
            after = page.issues.page_info.next(after.as_deref());
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}

impl Testify for Wiz {
    async fn about(&self, who: Known<'_>, since: Option<DateTime<Utc>>) -> Result<Vec<Sight>, Failure> {
        let (names, mut left) = (names(who), MOST);
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for address in &names {
            for principal in self.principals(&mut left, address).await? {
                if !principal.is(&names) {
                    continue;
                }
                let node = principal.graph_entity.as_ref().map(|g| g.id.clone());
                if !seen.insert(node.clone().unwrap_or_else(|| principal.name.clone())) {
                    continue;
                }
                out.push(principal.sight(since.is_some()));
                let Some(node) = node else { continue };
                for issue in self.issues(&mut left, &node, &principal.name).await? {
                    let rule = issue
                        .source_rule
                        .and_then(|r| r.name)
                        .unwrap_or_else(|| "a rule without a name".into());
                    out.push(Sight::finding(sentence(&format!(
                        "{}: {rule} (issue {})",
                        issue.severity, issue.id
                    ))));
                }
            }
        }
        if out.is_empty() {
            out.push(Sight::fact("knows no cloud identity by these addresses: none, not scanned yet, or outside the projects of this account"));
        }
        Ok(out)
    }

    async fn place(&self) -> Result<Vec<Sight>, Failure> {
        self.principals(&mut { MOST }, "nobody@jml.invalid").await?;
        Ok(vec![Sight::fact("can be asked")])
    }
}

/// Wiz's own table of codes. An old question must never read like a clean answer.
fn means(code: &str, message: &str, what: &str) -> Failure {
    let (kind, summary, hint) = match code {
        "UNAUTHENTICATED" => (
            Kind::Auth,
            "refuses the token",
            "is the service account still there, and its secret in place?",
        ),
        "UNAUTHORIZED" => (
            Kind::Auth,
            "misses a right",
            "give the service account read:resources and read:issues",
        ),
        "FORBIDDEN_IP" => (
            Kind::Auth,
            "refuses this host's address",
            "ask whoever runs Wiz to allowlist this host's egress address",
        ),
        "RATE_LIMIT_EXCEEDED" => (Kind::Throttled, "asks for fewer calls", ""),
        "INTERNAL" => (Kind::Transient, "has a fault of its own", ""),
        "NOT_FOUND" => (Kind::Permanent, "knows no such thing", ""),
        "BAD_USER_INPUT" => (
            Kind::Permanent,
            "doesn't know this question any more: its schema has moved",
            "this release's questions to Wiz are out of date; take [systems.wiz] out until they are renewed",
        ),
        _ => (Kind::Permanent, "refuses the question", ""),
    };
    let failure = Failure::new(kind, what, format!("{summary}: {message}"));
    let failure = if code.is_empty() { failure } else { failure.code(code) };
    if hint.is_empty() { failure } else { failure.hint(hint) }
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    if let Some(refusal) = answer.maybe::<Refusal>() {
        failure.code = Some(sentence(&refusal.error));
        failure.summary = format!("{}: {}", failure.summary, sentence(&refusal.error_description));
    }
    match failure.kind {
        Kind::Auth => failure.hint("the record needs client_id and client_secret of a service account with read:resources and read:issues, and the audience its issuer wants"),
        _ => failure,
    }
}
