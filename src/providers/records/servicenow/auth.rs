//! OAuth client credentials, as ServiceNow gives them.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, Duration, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    http::{Answer, Authorize, BoxFuture, Credential, Outgoing, Reader, path},
    model::{Failure, Kind},
};

/// Client credentials: a token of half an hour, fetched when it is wanted and forgotten when it is refused.
pub struct OAuth {
    client: String,
    secret: Credential,
    token: Mutex<Option<(HeaderValue, DateTime<Utc>)>>,
}

impl OAuth {
    pub fn new(client: String, secret: Credential) -> Arc<Self> {
        Arc::new(OAuth {
            client,
            secret,
            token: Mutex::new(None),
        })
    }

    async fn fetch(&self, http: &Reader) -> Result<(HeaderValue, DateTime<Utc>), Failure> {
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            expires_in: Value,
        }
        let what = "fetch a token from ServiceNow";
        let secret = (self.secret)().await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client.as_str()),
            ("client_secret", secret.expose_secret()),
        ];
        let answer = http.read_post(path!["oauth_token.do"].form(&form).what(what)).await?;
        let token: Token = answer.json()?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.access_token.expose_secret()))
            .map_err(|_| Failure::new(Kind::Auth, what, "it holds characters that no header can carry"))?;
        value.set_sensitive(true);
        let seconds = token
            .expires_in
            .as_i64()
            .or_else(|| token.expires_in.as_str()?.parse().ok())
            .unwrap_or(0);
        Ok((value, (http.clock())() + Duration::seconds(seconds - 60)))
    }
}

impl Authorize for OAuth {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut token = self.token.lock().await;
            let now = (http.clock())();
            let value = match &*token {
                Some((value, until)) if *until > now => value.clone(),
                Some(_) | None => token.insert(self.fetch(http).await?).0.clone(),
            };
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }

    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move { answer.status == 401 && self.token.lock().await.take().is_some() })
    }
}
