//! Who asks: a token as it is, or an App, whose installation gives a token of an hour narrowed to what is needed.
//!
//! docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use super::wire::HEADERS;
use crate::{
    http::{Answer, Authorize, BoxFuture, Clock, Credential, Outgoing, Reader, path},
    model::{Failure, Kind},
    providers::signing::SigningKey,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Read,
    Write,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Write => "write",
        }
    }
}

pub(super) struct App {
    credential: Credential,
    org: String,
    level: Level,
    clock: Clock,
    token: Mutex<Option<(SecretString, Option<DateTime<Utc>>)>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("org", &self.org).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Record {
    app_id: String,
    private_key: SecretString,
}

#[derive(Serialize)]
struct Claims<'a> {
    iat: i64,
    exp: i64,
    iss: &'a str,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Minted {
    token: SecretString,
    expires_at: DateTime<Utc>,
}

impl App {
    pub(super) fn new(credential: Credential, org: String, level: Level, clock: Clock) -> Self {
        App {
            credential,
            org,
            level,
            clock,
            token: Mutex::default(),
        }
    }

    /// An App sees fine-grained tokens; a token does not.
    pub(super) async fn is_app(&self) -> Result<bool, Failure> {
        Ok(record(&(self.credential)().await?)?.is_some())
    }

    async fn fetch(&self, http: &Reader) -> Result<(SecretString, Option<DateTime<Utc>>), Failure> {
        let secret = (self.credential)().await?;
        let Some(record) = record(&secret)? else {
            return Ok((secret, None));
        };
        let now = (self.clock)().timestamp();
        let claims = Claims {
            // Clocks differ: a little in the past, and less than the ten minutes that are allowed.
            iat: now - 60,
            exp: now + 540,
            iss: &record.app_id,
        };
        let jwt = SigningKey::read(&record.private_key, None)?.sign(&claims)?;
        let bearer = format!("Bearer {jwt}");
        let ask = |ask: crate::http::Ask| {
            HEADERS
                .iter()
                .fold(ask, |a, (k, v)| a.header(k, v))
                .header("authorization", &bearer)
        };
        let installed = path!["orgs", self.org, "installation"].what(format!("find jml's App in {}", self.org));
        let installation: Installation = http.get(ask(installed)).await?.json()?;
        let word = self.level.word();
        let wanted = json!({"permissions": {"members": word, "organization_administration": word,
            "organization_personal_access_tokens": word}});
        let mint = path!["app/installations", installation.id, "access_tokens"]
            .json(&wanted)
            .what("get a token for jml's App at GitHub");
        let minted: Minted = http.read_post(ask(mint)).await?.json()?;
        Ok((minted.token, Some(minted.expires_at)))
    }
}

fn record(secret: &SecretString) -> Result<Option<Record>, Failure> {
    let text = secret.expose_secret().trim();
    if !text.starts_with('{') {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|_| {
        Failure::new(
            Kind::Auth,
            "read the GitHub App's record",
            "it lacks app_id or private_key",
        )
        .hint("store app_id and private_key (PEM) as texts")
    })
}

impl Authorize for App {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut kept = self.token.lock().await;
            let soon = (self.clock)() + TimeDelta::minutes(1);
            let fresh = |t: &&(SecretString, Option<DateTime<Utc>>)| t.1.is_none_or(|end| end > soon);
            let token = match kept.as_ref().filter(fresh) {
                Some((token, _)) => token.clone(),
                None => {
                    let fetched = self.fetch(http).await?;
                    let token = fetched.0.clone();
                    *kept = Some(fetched);
                    token
                }
            };
            let wrong = |_| {
                Failure::new(
                    Kind::Auth,
                    "read the credential",
                    "it holds characters that no header can carry",
                )
            };
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", token.expose_secret().trim())).map_err(wrong)?;
            value.set_sensitive(true);
            let mut out = HeaderMap::new();
            out.insert(header::AUTHORIZATION, value);
            for (name, value) in HEADERS {
                out.insert(*name, HeaderValue::from_static(value));
            }
            Ok(out)
        })
    }

    /// A token that has ended is fetched anew, once; one that was given to us stays as it is.
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let mut kept = self.token.lock().await;
            let minted = kept.as_ref().is_some_and(|(_, end)| end.is_some());
            if answer.status == 401 && minted {
                *kept = None;
                return true;
            }
            false
        })
    }
}
