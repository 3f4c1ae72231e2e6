//! Access tokens for a client's id and secret: minted with the first call that needs one, kept in memory for the process, made anew before
//! they end, and once when they are refused.
//!
//! It keeps no token on disk and prints none; what a vendor says back of the secret is taken out of the failure.

use std::{collections::BTreeMap, fmt, sync::Arc};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    http::{Answer, Ask, Authorize, BoxFuture, Clock, Credential, Outgoing, Reader},
    model::{Failure, Kind},
};

/// A credential that is a record, by its fields.
pub struct Record(BTreeMap<String, SecretString>);

impl Record {
    pub async fn of(credential: &Credential) -> Result<Record, Failure> {
        let text = credential().await?;
        let fields = serde_json::from_str(text.expose_secret().trim());
        fields.map(Record).map_err(|_| {
            Failure::new(Kind::Auth, "read the credential", "it is no JSON object of texts")
                .hint("write the credential as the record that docs/DEPLOYMENT.md shows for this system")
        })
    }
    pub fn get(&self, name: &str) -> Result<&str, Failure> {
        self.0.get(name).map(ExposeSecret::expose_secret).ok_or_else(|| {
            Failure::new(
                Kind::Auth,
                "read the credential",
                format!("the record has no field {name}"),
            )
            .hint(format!("write it as a JSON object with the field {name}"))
        })
    }
    /// Words of a vendor's that hold none of ours.
    fn hush(&self, text: &mut String) {
        for secret in self
            .0
            .values()
            .map(ExposeSecret::expose_secret)
            .filter(|s| s.len() >= 8)
        {
            if text.contains(secret) {
                *text = text.replace(secret, "[credential]");
            }
        }
    }
}

/// What a token endpoint grants.
#[derive(Deserialize)]
pub struct Granted {
    access_token: SecretString,
    expires_in: i64,
    /// Where this client's API is, where the vendor says so.
    pub api_url: Option<String>,
}

/// How a vendor is asked for a token.
pub struct Grant {
    /// `sign in to Zoom`
    pub what: &'static str,
    pub ask: fn(&Record) -> Result<Ask, Failure>,
    /// What else must hold of the answer, given where the API is said to be.
    pub check: fn(&Answer, &Granted, &Reader) -> Result<(), Failure>,
}

pub struct Minting {
    grant: Grant,
    record: Credential,
    clock: Clock,
    /// Where tokens are made, if not where the API is.
    elsewhere: Option<Reader>,
    token: Mutex<Option<(HeaderValue, DateTime<Utc>)>>,
}

impl fmt::Debug for Minting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minting")
            .field("what", &self.grant.what)
            .finish_non_exhaustive()
    }
}

impl Minting {
    pub fn new(grant: Grant, record: Credential, clock: Clock, elsewhere: Option<Reader>) -> Arc<Self> {
        Arc::new(Minting {
            grant,
            record,
            clock,
            elsewhere,
            token: Mutex::default(),
        })
    }

    async fn mint(&self, http: &Reader) -> Result<(HeaderValue, DateTime<Utc>), Failure> {
        let record = Record::of(&self.record).await?;
        let asked = (self.clock)();
        let ask = (self.grant.ask)(&record)?.what(self.grant.what);
        let at = self.elsewhere.as_ref().unwrap_or(http);
        let minted = async {
            let answer = at.read_post(ask).await?;
            let granted: Granted = answer.json()?;
            (self.grant.check)(&answer, &granted, http)?;
            let text = format!("Bearer {}", granted.access_token.expose_secret());
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Failure::contradiction(self.grant.what, "the token holds characters that no header can carry")
            })?;
            value.set_sensitive(true);
            // A tenth of its life before the end: calls take time, and clocks differ.
            let life = TimeDelta::seconds(granted.expires_in.clamp(0, 86_400) * 9 / 10);
            Ok((value, asked + life))
        };
        minted.await.map_err(|mut failure: Failure| {
            let texts = [
                Some(&mut failure.summary),
                failure.code.as_mut(),
                failure.hint.as_mut().map(|h| &mut h.text),
            ];
            for text in texts.into_iter().flatten() {
                record.hush(text);
            }
            failure
        })
    }
}

impl Authorize for Minting {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            // Held while it is minted: many calls at once are one token.
            let mut kept = self.token.lock().await;
            let value = match &*kept {
                Some((value, until)) if *until > (self.clock)() => value.clone(),
                _ => kept.insert(self.mint(http).await?).0.clone(),
            };
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }

    /// 401 alone: the caller tries once more, and never a second time.
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if answer.status != 401 {
                return false;
            }
            self.token.lock().await.take().is_some()
        })
    }
}
