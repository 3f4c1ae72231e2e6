//! Who is asking. A credential is fetched when the first call needs it, never before, and is never printed.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use url::Url;

use super::{Answer, BoxFuture, Reader};
use crate::model::Failure;

/// Gives the secret when it is wanted.
pub type Credential = Arc<dyn Fn() -> BoxFuture<'static, Result<SecretString, Failure>> + Send + Sync>;

/// What is about to be sent (a proof of possession signs it).
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub method: &'a Method,
    pub url: &'a Url,
}

/// Gives the headers of one attempt. `http` has no credential and the same wire: with it a token can be fetched (`read_post`).
pub trait Authorize: Send + Sync {
    fn headers<'a>(&'a self, call: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>>;
    /// The answer refused the credential (401, or a 400 that names the proof): forget it. True: one more try is worth it.
    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        let _ = answer;
        Box::pin(async { false })
    }
}

/// How a secret that stays the same is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer SECRET`
    Bearer,
    /// `Authorization: SSWS SECRET` (Okta)
    Ssws,
    /// `Authorization: Basic base64(user:SECRET)`
    Basic { user: String },
    /// The secret alone under a name of the vendor's own (`dd-api-key`), lower case.
    Header(&'static str),
}

/// One or more secrets, each under its scheme (Datadog has two).
pub struct Fixed(Vec<(Scheme, Credential, OnceCell<HeaderValue>)>);

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(s, ..)| s)).finish()
    }
}

impl Fixed {
    pub fn one(scheme: Scheme, credential: Credential) -> Arc<Self> {
        Self::several([(scheme, credential)])
    }
    pub fn several(all: impl IntoIterator<Item = (Scheme, Credential)>) -> Arc<Self> {
        Arc::new(Fixed(all.into_iter().map(|(s, c)| (s, c, OnceCell::new())).collect()))
    }
}

impl Authorize for Fixed {
    fn headers<'a>(&'a self, _: Outgoing<'a>, _: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut out = HeaderMap::new();
            for (scheme, credential, cell) in &self.0 {
                let value = cell
                    .get_or_try_init(|| async { value(scheme, &credential().await?) })
                    .await?;
                let name = match scheme {
                    Scheme::Header(name) => HeaderName::from_static(name),
                    Scheme::Bearer | Scheme::Ssws | Scheme::Basic { .. } => AUTHORIZATION,
                };
                out.insert(name, value.clone());
            }
            Ok(out)
        })
    }
}

fn value(scheme: &Scheme, secret: &SecretString) -> Result<HeaderValue, Failure> {
    let secret = secret.expose_secret();
    let text = match scheme {
        Scheme::Bearer => format!("Bearer {secret}"),
        Scheme::Ssws => format!("SSWS {secret}"),
        Scheme::Basic { user } => format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}"))),
        Scheme::Header(_) => secret.to_owned(),
    };
    sensitive(&text)
}

/// A header value that Debug shows as `Sensitive`.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(
            crate::model::Kind::Auth,
            "read the credential",
            "it holds characters that no header can carry",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_in_debug() {
        let secret = SecretString::from("hunter2");
        let v = value(&Scheme::Ssws, &secret).unwrap();
        assert_eq!(v.to_str().unwrap(), "SSWS hunter2");
        assert!(!format!("{v:?} {secret:?}").contains("hunter2"));
        let fixed = Fixed::one(
            Scheme::Bearer,
            Arc::new(|| Box::pin(async { Ok("hunter2".to_owned().into()) })),
        );
        assert!(!format!("{fixed:?}").contains("hunter2"));
        assert!(value(&Scheme::Bearer, &SecretString::from("a\nb")).is_err());
    }
}
