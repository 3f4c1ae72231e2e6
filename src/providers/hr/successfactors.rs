//! SAP SuccessFactors Employee Central: everybody by OData, from the person down to each of their employments.
//!
//! The root is `PerPerson`, for one human may own several employments and users: a rehire, a global assignment or a conversion is no
//! leaving, and a query of users hides the inactive. It refuses half a read: a page that fails, a link that leaves the server, a
//! navigation that was not expanded, a count that differs. Facts: SAP's knowledge base and Microsoft's integration reference.

mod persons;
mod saml;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{
    cells::doubtful,
    token::{Grant, Token},
};
use crate::{
    config::{BaseUrl, Read, Roster, SecretRef},
    http::{Answer, Ask, Authorize, BoxFuture, Clock, Credential, Fixed, Reader, Scheme, path, plain, sentence},
    model::{Age, Failure, Kind, System, Worker},
    providers::{Cursor, Employ, Look, Need, Page, Row, Settings as Check, Source},
};

pub const ROW: Row = Row::new("successfactors")
    .roster::<SuccessFactors>()
    .needs(NEEDS)
    .page("https://learn.microsoft.com/entra/identity/app-provisioning/sap-successfactors-integration-reference");

/// Permissions of the API user's role, for everyone, inactive included.
pub const NEEDS: &[Need] = &[
    Need::read("Employee Central HRIS OData API (read-only)", "see employments"),
    Need::read(
        "Employee Central Foundation OData API (read-only)",
        "names of departments",
    ),
    Need::read("Access to OData API", "ask at all"),
    Need::read(
        "Employee Data: Employment Details, Job Information, Email, Biographical",
        "each person's own",
    ),
];

/// `[systems.successfactors]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The API server, not the one that people sign in to: https://api4.successfactors.com
    url: BaseUrl,
    /// The company id; its case matters.
    company: String,
    /// The API user.
    user: String,
    /// The API key of the OAuth2 client; then `read` is the private key (PEM) of its certificate. Without it `read` is the user's
    /// password: SAP ends Basic authentication.
    client: Option<String>,
    read: SecretRef<Read>,
}

impl Check for Settings {}

pub struct SuccessFactors;

impl Source for SuccessFactors {
    type Settings = Settings;
    type Roster = Persons;
    fn roster(system: System, s: Settings, words: &Roster, look: &Look) -> Persons {
        let secret = look.secret(&s.read);
        let authorize: Arc<dyn Authorize> = match s.client {
            None => {
                let user = format!("{}@{}", s.user, s.company);
                Fixed::one(Scheme::Basic { user }, secret)
            }
            Some(client) => {
                let assertion = Assertion {
                    recipient: format!("{}/oauth/token", s.url.as_url().as_str().trim_end_matches('/')),
                    company: s.company,
                    client,
                    user: s.user,
                    key: secret,
                    clock: look.clock(),
                };
                Token::by(assertion, look.clock())
            }
        };
        Persons {
            api: look.reader(&system, &s.url, authorize, explain),
            words: words.clone(),
            clock: look.clock(),
        }
    }
}

/// OAuth 2.0 by a SAML assertion that we sign ourselves: the private key never leaves.
struct Assertion {
    recipient: String,
    company: String,
    client: String,
    user: String,
    key: Credential,
    clock: Clock,
}

impl Grant for Assertion {
    fn ask(&self) -> BoxFuture<'_, Result<Ask, Failure>> {
        Box::pin(async move {
            let key: SecretString = (self.key)().await?;
            let assertion = saml::assertion(&self.user, &self.client, &self.recipient, (self.clock)(), &key)?;
            let form = [
                ("company_id", self.company.as_str()),
                ("client_id", &self.client),
                ("grant_type", "urn:ietf:params:oauth:grant-type:saml2-bearer"),
                ("assertion", &assertion),
            ];
            Ok(path!["oauth/token"].form(&form).what("get a token of SuccessFactors"))
        })
    }
    /// A token that is over is 403 here.
    fn over(&self, answer: &Answer) -> bool {
        let code = refusal(answer).map(|r| r.code);
        answer.status == 401 || code.is_some_and(|c| ["LGN0005", "LGN0006", "LGN0007"].contains(&c.as_str()))
    }
}

const WHAT: &str = "read SuccessFactors' people";
const EXPAND: &str = "employmentNav/userNav,employmentNav/jobInfoNav/departmentNav,employmentNav/jobInfoNav/emplStatusNav,\
                      personalInfoNav,emailNav/emailTypeNav";
/// Wide expansions take their time.
const PATIENCE: Duration = Duration::from_secs(300);
/// More pages than any firm has: a link that leads in a circle.
const PAGES: usize = 5000;

pub struct Persons {
    api: Reader,
    words: Roster,
    clock: Clock,
}

impl Persons {
    async fn count(&self) -> Result<u64, Failure> {
        let ask = path!["odata/v2/PerPerson", "$count"].what("count SuccessFactors' people");
        let answer = self.api.get(ask).await?;
        let text = answer.text();
        text.trim()
            .parse()
            .map_err(|_| doubtful("count SuccessFactors' people", "the count is no number"))
    }

    async fn walk(&self) -> Result<Vec<persons::Person>, Failure> {
        let mut ask = path!["odata/v2/PerPerson"]
            .query("$format", "json")
            .query("customPageSize", 200)
            .query("paging", "snapshot")
            .query("$expand", EXPAND);
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let answer = self.api.get(ask.patient(PATIENCE).what(WHAT)).await?;
            let (people, next) = answer.json::<persons::Body>()?.parts();
            all.extend(people);
            match next {
                None => return Ok(all),
                Some(next) => ask = self.follow(&next)?,
            }
        }
        Err(doubtful(WHAT, "the links from page to page never end"))
    }

    /// As given, and only on the API's own server.
    fn follow(&self, link: &str) -> Result<Ask, Failure> {
        match Url::parse(link) {
            Ok(url) if url.origin() == self.api.url().origin() => Ok(Ask::follow(link)),
            Ok(_) | Err(_) => Err(doubtful(WHAT, "the link to the next page leads to another server")),
        }
    }
}

impl Employ for Persons {
    /// Managers are users of any page, so that all pages make one.
    async fn page(&self, _: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let before = self.count().await?;
        let people = self.walk().await?;
        let came = people.len() as u64;
        // Somebody may have been made meanwhile.
        if came != before && self.count().await? != came {
            return Err(doubtful(
                WHAT,
                format!("{came} people came, and SuccessFactors counts {before}"),
            ));
        }
        let workers = persons::read(people, &self.words, (self.clock)())?;
        Ok(Page {
            total: Some(workers.len() as u64),
            items: workers,
            next: None,
        })
    }
    async fn age(&self) -> Result<Age, Failure> {
        Ok(Age::Live)
    }
}

struct Refusal {
    code: String,
    text: String,
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        code: String,
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        value: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Token {
        error_message: String,
    }
    answer
        .maybe::<Body>()
        .map(|b| Refusal {
            code: b.error.code,
            text: b.error.message.value,
        })
        .or_else(|| {
            let token = answer.maybe::<Token>()?;
            Some(Refusal {
                code: answer.status.to_string(),
                text: token.error_message,
            })
        })
}

fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    let Some(said) = refusal(answer) else {
        return match failure.kind {
            Kind::Auth => failure.hint("allow this address in Password & Login Policy, and name the API server, not the one that people sign in to"),
            _ => failure,
        };
    };
    let hint = match said.code.as_str() {
        "LGN0002" => "give the API user's role Access to OData API",
        "LGN0004" => "url must be the API server, not the one that people sign in to",
        "LGN0005" | "LGN0006" | "LGN0007" => {
            "the token is no good: check client, and that read is the key of its certificate"
        }
        "LGN0008" => "company is unknown; its case matters",
        "LGN0009" => "turn OData on in the Provisioning settings of the company",
        "LGN0010" => {
            "Basic authentication is off, or this address isn't allowed: register an OAuth2 client and set client"
        }
        "LGN0015" => "the user or the password is wrong, expired, or the user may sign in by SSO only",
        "COE_GENERAL_FORBIDDEN" => {
            "give the API user's role the read-only OData permissions, for everyone, inactive included"
        }
        _ if failure.kind == Kind::Auth => "check client, user and key of the OAuth2 client, and the API user's role",
        _ => "",
    };
    failure.code = Some(sentence(&said.code));
    failure.summary = sentence(&said.text);
    if failure.kind == Kind::Permanent && !hint.is_empty() {
        failure.kind = Kind::Auth;
    }
    if hint.is_empty() { failure } else { failure.hint(hint) }
}
