//! A bearer token that a source's own authorization server gives: fetched with the first call, kept in memory, fetched once more when it
//! is refused, never printed.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    http::{Answer, Ask, Authorize, BoxFuture, Clock, Outgoing, Reader},
    model::{Failure, Kind},
};

/// How a token is asked for.
pub(super) trait Grant: Send + Sync + 'static {
    fn ask(&self) -> BoxFuture<'_, Result<Ask, Failure>>;
    /// Does this refusal say that the token is over?
    fn over(&self, answer: &Answer) -> bool {
        answer.status == 401
    }
}

pub(super) struct Token<G> {
    grant: G,
    clock: Clock,
    held: Mutex<Option<(HeaderValue, DateTime<Utc>)>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: Option<i64>,
}

/// Where the server doesn't say how long.
const USUAL: i64 = 3600;
/// Renewed so long before the end.
const EARLY: i64 = 60;

impl<G: Grant> Token<G> {
    pub(super) fn by(grant: G, clock: Clock) -> Arc<Self> {
        Arc::new(Token {
            grant,
            clock,
            held: Mutex::default(),
        })
    }

    async fn mint(&self, http: &Reader) -> Result<(HeaderValue, DateTime<Utc>), Failure> {
        let answer = http.read_post(self.grant.ask().await?).await?;
        let granted: Granted = answer.json()?;
        let unfit = |_| {
            Failure::new(
                Kind::Contradiction,
                "get a token",
                "the token is none that a header can carry",
            )
        };
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", granted.access_token.expose_secret())).map_err(unfit)?;
        value.set_sensitive(true);
        let lasts = granted.expires_in.unwrap_or(USUAL).clamp(0, 7 * 86_400) - EARLY;
        Ok((value, (self.clock)() + TimeDelta::seconds(lasts)))
    }
}

impl<G: Grant> Authorize for Token<G> {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut held = self.held.lock().await;
            let value = match &*held {
                Some((value, until)) if *until > (self.clock)() => value.clone(),
                Some(_) | None => held.insert(self.mint(http).await?).0.clone(),
            };
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.grant.over(answer) && self.held.lock().await.take().is_some() })
    }
}
