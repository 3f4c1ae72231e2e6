//! The service app's access token: minted with the first call that needs it, kept in memory, made anew five minutes before it ends.
//!
//! Refuses to go on with fewer scopes than a call can do without: Okta drops what is not granted in silence. A 401 for lack of a licence is
//! no token trouble and mints nothing.

use std::{collections::BTreeSet, fmt, sync::Arc};

use ::http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    assertion::ProofKey,
    explain::{code, explain},
    wire::Refusal,
};
use crate::{
    http::{Answer, Authorize, BoxFuture, Clock, Credential, Outgoing, Reader, path},
    model::{Failure, Kind},
    providers::signing::SigningKey,
};

const TOKEN_PATH: &str = "/oauth2/v1/token";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SIGN_IN: &str = "sign in to Okta";
/// Renewed so long before the end, as the vendor's own SDK does.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// Scopes of eyes. The first three are needed by every observation; of the rest a missing one makes its own part unknown.
pub const READ_SCOPES: &[&str] = &[
    "okta.users.read",
    "okta.groups.read",
    "okta.apps.read",
    "okta.logs.read",
    "okta.roles.read",
    "okta.apiTokens.read",
    "okta.schemas.read",
];
pub const READ_NEEDED: usize = 3;

/// Scopes of hands, and no more: apps go by groups, but for direct assignments.
pub const WRITE_SCOPES: &[&str] = &[
    "okta.users.manage",
    "okta.groups.manage",
    "okta.apps.manage",
    "okta.apiTokens.manage",
];
pub const WRITE_NEEDED: usize = 2;

pub struct ServiceApp {
    pub client: String,
    pub key_id: Option<String>,
    pub key: Credential,
    /// The organisation's own address, without a slash at its end.
    pub url: String,
    pub scopes: &'static [&'static str],
    /// How many of `scopes`, from the first, can't be done without.
    pub needed: usize,
    pub dpop: bool,
    pub clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    key: Option<SigningKey>,
    token: Option<Minted>,
    proof: Option<ProofKey>,
    nonce: Option<String>,
    /// The server's clock less ours, once it refused our time.
    skew: TimeDelta,
}

struct Minted {
    token: SecretString,
    bound: bool,
    until: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Granted {
    token_type: String,
    expires_in: i64,
    access_token: SecretString,
    #[serde(default)]
    scope: String,
}

impl fmt::Debug for ServiceApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceApp")
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Who the service app is; the rest comes from whether eyes or hands ask.
pub struct Identity {
    pub client: String,
    pub key_id: Option<String>,
    pub key: Credential,
    pub url: String,
    pub dpop: bool,
}

impl ServiceApp {
    pub fn reading(who: Identity, clock: Clock) -> Arc<Self> {
        Self::with(who, clock, READ_SCOPES, READ_NEEDED)
    }
    pub fn writing(who: Identity, clock: Clock) -> Arc<Self> {
        Self::with(who, clock, WRITE_SCOPES, WRITE_NEEDED)
    }
    fn with(who: Identity, clock: Clock, scopes: &'static [&'static str], needed: usize) -> Arc<Self> {
        Arc::new(ServiceApp {
            client: who.client,
            key_id: who.key_id,
            key: who.key,
            url: who.url.trim_end_matches('/').to_owned(),
            scopes,
            needed,
            dpop: who.dpop,
            clock,
            state: Mutex::default(),
        })
    }

    fn now(&self, state: &State) -> DateTime<Utc> {
        (self.clock)() + state.skew
    }

    /// At most four questions: the nonce, the proof and the clock may each cost one.
    async fn mint(&self, state: &mut State, http: &Reader) -> Result<Minted, Failure> {
        if state.key.is_none() {
            state.key = Some(SigningKey::read(&(self.key)().await?, self.key_id.as_deref())?);
        }
        if self.dpop && state.proof.is_none() {
            state.proof = Some(ProofKey::generate()?);
        }
        let mut left = 4;
        loop {
            left -= 1;
            let answer = self.ask(state, http).await?;
            if answer.success() {
                return self.granted(&answer, state);
            }
            if left == 0 || !self.learn(&answer, state)? {
                return Err(explain(&answer, SIGN_IN));
            }
        }
    }

    async fn ask(&self, state: &State, http: &Reader) -> Result<Answer, Failure> {
        let endpoint = format!("{}{TOKEN_PATH}", self.url);
        let now = self.now(state);
        let key = state
            .key
            .as_ref()
            .ok_or_else(|| Failure::permanent(SIGN_IN, "no key"))?;
        // A new assertion each time: the `jti` of the one before is spent.
        let assertion = key.assertion(&self.client, &endpoint, now)?;
        let scope = self.scopes.join(" ");
        let mut ask = path!["oauth2/v1/token"]
            .form(&[
                ("grant_type", "client_credentials"),
                ("scope", &scope),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", &assertion),
            ])
            .header("accept", "application/json")
            .accept(400)
            .accept(401)
            .what(SIGN_IN);
        if let Some(proof) = &state.proof {
            ask = ask.header(
                "dpop",
                proof.proof("POST", &endpoint, state.nonce.as_deref(), None, now)?,
            );
        }
        http.read_post(ask).await
    }

    /// Whether the refusal tells how to do better.
    fn learn(&self, answer: &Answer, state: &mut State) -> Result<bool, Failure> {
        let Some(refusal) = Refusal::of(&answer.body) else {
            return Ok(false);
        };
        let said = refusal.error_description.as_str();
        match refusal.error.as_str() {
            "use_dpop_nonce" => {
                let nonce = answer.header("dpop-nonce").map(str::to_owned);
                let new = nonce.is_some() && nonce != state.nonce;
                state.nonce = nonce;
                if state.proof.is_none() {
                    state.proof = Some(ProofKey::generate()?);
                }
                Ok(new)
            }
            "invalid_dpop_proof" if state.proof.is_none() => {
                state.proof = Some(ProofKey::generate()?);
                Ok(true)
            }
            // A retry below us may have sent the same assertion twice.
            "invalid_client" if said.contains("already been used") => Ok(true),
            // Okta refused our time: its own stands in the same answer.
            "invalid_client" | "invalid_dpop_proof" if state.skew.is_zero() && skewed(said) => {
                let Some(theirs) = date(answer) else { return Ok(false) };
                state.skew = theirs - (self.clock)();
                Ok(!state.skew.is_zero())
            }
            _ => Ok(false),
        }
    }

    fn granted(&self, answer: &Answer, state: &State) -> Result<Minted, Failure> {
        let granted: Granted = answer.json()?;
        let have: BTreeSet<&str> = granted.scope.split_whitespace().collect();
        let missing: Vec<&str> = self
            .scopes
            .iter()
            .take(self.needed)
            .copied()
            .filter(|s| !have.contains(s))
            .collect();
        if !missing.is_empty() {
            return Err(
                Failure::new(Kind::Auth, SIGN_IN, format!("the token lacks {}", missing.join(", ")))
                    .code("insufficient_scope")
                    .request(answer.request_id())
                    .hint(format!(
                        "grant {} to {}: Okta admin > Applications > the app > Okta API Scopes",
                        missing.join(", "),
                        self.client
                    )),
            );
        }
        let bound = granted.token_type.eq_ignore_ascii_case("DPoP");
        if bound && state.proof.is_none() {
            return Err(Failure::contradiction(
                SIGN_IN,
                "the token is bound to a key that was never shown",
            ));
        }
        Ok(Minted {
            token: granted.access_token,
            bound,
            until: (self.clock)() + TimeDelta::seconds(granted.expires_in.clamp(0, 86_400)),
        })
    }

    async fn give(&self, call: Outgoing<'_>, http: &Reader) -> Result<HeaderMap, Failure> {
        let mut state = self.state.lock().await;
        let fresh = state.token.as_ref().is_some_and(|t| (self.clock)() + EARLY < t.until);
        if !fresh {
            let minted = self.mint(&mut state, http).await?;
            state.token = Some(minted);
        }
        let token = state
            .token
            .as_ref()
            .ok_or_else(|| Failure::permanent(SIGN_IN, "no token"))?;
        let mut out = HeaderMap::new();
        if let (true, Some(proof)) = (token.bound, &state.proof) {
            let now = self.now(&state);
            let signed = proof.proof(call.method.as_str(), call.url.as_str(), None, Some(&token.token), now)?;
            out.insert(HeaderName::from_static("dpop"), secret(&signed)?);
            out.insert(AUTHORIZATION, secret(&format!("DPoP {}", token.token.expose_secret()))?);
        } else {
            out.insert(
                AUTHORIZATION,
                secret(&format!("Bearer {}", token.token.expose_secret()))?,
            );
        }
        Ok(out)
    }
}

impl Authorize for ServiceApp {
    fn headers<'a>(&'a self, call: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(self.give(call, http))
    }
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if !about_credential(answer) {
                return false;
            }
            let mut state = self.state.lock().await;
            if let (true, Some(theirs)) = (state.skew.is_zero(), date(answer)) {
                let skew = theirs - (self.clock)();
                // A proof of possession may be five minutes old at most.
                if skew.abs() > TimeDelta::minutes(1) {
                    state.skew = skew;
                }
            }
            state.token.take().is_some()
        })
    }
}

/// A 400 is the credential's only where it speaks of the proof; a 401 always, but for E0000015: a feature that was not bought.
fn about_credential(answer: &Answer) -> bool {
    match answer.status {
        401 => code(answer).as_deref() != Some("E0000015"),
        400 => answer.all("www-authenticate").any(|field| field.starts_with("DPoP")),
        _ => false,
    }
}

fn skewed(said: &str) -> bool {
    ["before the current time", "in the future", "expired", "iat", "issued"]
        .iter()
        .any(|sign| said.contains(sign))
}

fn date(answer: &Answer) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(answer.header("date")?)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}

fn secret(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(
            Kind::Auth,
            SIGN_IN,
            "the token holds characters that no header can carry",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
