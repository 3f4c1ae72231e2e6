//! The service account's access token: an assertion signed with its key, on behalf of an administrator (RFC 7523), kept in memory and
//! made anew five minutes before it ends.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::wire::{Oauth, explain};
use crate::{
    http::{Answer, Authorize, BoxFuture, Credential, Outgoing, Reader, path},
    model::{Failure, Kind},
    providers::signing::SigningKey,
};

const SIGN_IN: &str = "sign in to Google";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A constant, whatever address the token endpoint is reached by.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const PREFIX: &str = "https://www.googleapis.com/auth/";
const EARLY: TimeDelta = TimeDelta::minutes(5);

pub struct ServiceAccount {
    key: Credential,
    admin: String,
    scopes: Vec<&'static str>,
    /// To the token endpoint, without a credential.
    http: Reader,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    key: Option<(String, SigningKey)>,
    token: Option<(SecretString, DateTime<Utc>)>,
    /// Google's clock less ours, once it refused our time.
    skew: TimeDelta,
}

/// Of the key file, what is needed.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key_id: Option<String>,
    private_key: SecretString,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    scope: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: i64,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("admin", &self.admin)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl ServiceAccount {
    pub fn new(key: Credential, admin: &str, scopes: &[&'static str], http: Reader) -> Arc<Self> {
        Arc::new(ServiceAccount {
            key,
            admin: admin.to_owned(),
            scopes: scopes.to_vec(),
            http,
            state: Mutex::default(),
        })
    }

    fn now(&self) -> DateTime<Utc> {
        (self.http.clock())()
    }

    async fn read_key(&self) -> Result<(String, SigningKey), Failure> {
        let text = (self.key)().await?;
        let file: KeyFile = serde_json::from_str(text.expose_secret()).map_err(|_| {
            Failure::new(
                Kind::Auth,
                "read the service account's key",
                "it isn't the JSON file of a service account's key",
            )
            .hint("put the file in place that Google Cloud gives: IAM > Service accounts > Keys > Add key > JSON")
        })?;
        let key = SigningKey::read(&file.private_key, file.private_key_id.as_deref())?;
        Ok((file.client_email, key))
    }

    /// At most two questions: the clock may cost one.
    async fn mint(&self, state: &mut State) -> Result<(SecretString, DateTime<Utc>), Failure> {
        if state.key.is_none() {
            state.key = Some(self.read_key().await?);
        }
        for first in [true, false] {
            let answer = self.ask(state).await?;
            if answer.success() {
                let granted: Granted = answer.json()?;
                let until = self.now() + TimeDelta::seconds(granted.expires_in.clamp(0, 3600));
                return Ok((granted.access_token, until));
            }
            if !(first && self.learn(&answer, state)) {
                return Err(self.refusal(&answer));
            }
        }
        Err(Failure::permanent(SIGN_IN, "refuses our clock, and its own too"))
    }

    async fn ask(&self, state: &State) -> Result<Answer, Failure> {
        let (email, key) = state
            .key
            .as_ref()
            .ok_or_else(|| Failure::permanent(SIGN_IN, "no key"))?;
        // Slightly in the past: a clock that is ahead by seconds is no reason to be refused.
        let iat = (self.now() + state.skew).timestamp() - 10;
        let scopes: Vec<String> = self.scopes.iter().map(|s| format!("{PREFIX}{s}")).collect();
        let assertion = key.sign(&Claims {
            iss: email,
            sub: &self.admin,
            scope: scopes.join(" "),
            aud: AUDIENCE,
            iat,
            exp: iat + 3600,
        })?;
        let ask = path!["token"]
            .form(&[("grant_type", GRANT), ("assertion", &assertion)])
            .accept(400)
            .accept(401)
            .what(SIGN_IN);
        self.http.read_post(ask).await
    }

    /// Google refused our time: its own stands in the same answer.
    fn learn(&self, answer: &Answer, state: &mut State) -> bool {
        let about_time = Oauth::of(answer).is_some_and(|o| o.error_description.contains("iat and exp"));
        let theirs = answer.header("date").and_then(|d| DateTime::parse_from_rfc2822(d).ok());
        match theirs {
            Some(theirs) if about_time => {
                state.skew = theirs.with_timezone(&Utc) - self.now();
                true
            }
            _ => false,
        }
    }

    fn refusal(&self, answer: &Answer) -> Failure {
        let failure = explain(answer, SIGN_IN);
        let Some(said) = Oauth::of(answer) else { return failure };
        let text = said.error_description.as_str();
        let scopes = self.scopes.join(", ");
        let hint = match said.error.as_str() {
            "unauthorized_client" => format!(
                "delegate {scopes} to the service account's client id: Google Admin > Security > API controls > Domain-wide delegation"
            ),
            "invalid_grant" if text.contains("email or User ID") => format!(
                "admin must be the primary address of an administrator who can sign in: {}",
                self.admin
            ),
            "invalid_grant" if text.contains("Signature") || text.contains("account not found") => {
                "the key was deleted, or the account: make a new one in Google Cloud and put its JSON file in place"
                    .to_owned()
            }
            "invalid_grant" if text.contains("iat and exp") => "set this host's clock".to_owned(),
            _ => return failure,
        };
        Failure {
            kind: Kind::Auth,
            ..failure
        }
        .hint(hint)
    }

    async fn give(&self) -> Result<HeaderMap, Failure> {
        let mut state = self.state.lock().await;
        let fresh = state.token.as_ref().filter(|(_, until)| self.now() + EARLY < *until);
        let token = match fresh {
            Some((token, _)) => token.clone(),
            None => {
                let minted = self.mint(&mut state).await?;
                state.token.insert(minted).0.clone()
            }
        };
        let text = format!("Bearer {}", token.expose_secret());
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Failure::permanent(SIGN_IN, "the token holds characters that no header can carry"))?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }
}

impl Authorize for ServiceAccount {
    fn headers<'a>(&'a self, _: Outgoing<'a>, _: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(self.give())
    }
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move { answer.status == 401 && self.state.lock().await.token.take().is_some() })
    }
}
