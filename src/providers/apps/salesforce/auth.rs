//! A session by JWT bearer or client credentials. It says nothing of its life: it is used until it is refused, then made anew, once.

use std::{collections::BTreeMap, sync::Arc};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    http::{Answer, Authorize, BoxFuture, Credential, Outgoing, Reader, path},
    model::{Failure, Kind},
};

/// An assertion is good for so long; three minutes are the vendor's most.
const SECONDS: i64 = 170;
const WHAT: &str = "fetch a session from Salesforce";

/// The credential is a record: `client_id` with `client_secret`, or with `username` and `private_key` (PEM). Anything else is a session.
pub struct Mint {
    secret: Credential,
    /// The login host that an assertion is for.
    audience: String,
    session: Mutex<Option<Session>>,
}

struct Session {
    header: HeaderValue,
    renewable: bool,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    instance_url: String,
}

fn unusable(summary: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Kind::Auth, WHAT, summary).hint(hint)
}

fn header(secret: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("Bearer {secret}")).map_err(|_| {
        unusable(
            "the session holds characters that no header can carry",
            "write the credential down again, without line ends",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Mint {
    pub fn new(secret: Credential, audience: String) -> Arc<Self> {
        Arc::new(Mint {
            secret,
            audience,
            session: Mutex::new(None),
        })
    }

    async fn fetch(&self, http: &Reader) -> Result<Session, Failure> {
        let secret = (self.secret)().await?;
        let text = secret.expose_secret().trim();
        if !text.starts_with('{') {
            let (header, renewable) = (header(text)?, false);
            return Ok(Session { header, renewable });
        }
        let fields: BTreeMap<String, SecretString> = serde_json::from_str(text)
            .map_err(|_| unusable("the credential is no JSON object of texts", "write it as one"))?;
        let field = |name: &str| {
            fields.get(name).map(ExposeSecret::expose_secret).ok_or_else(|| {
                let text = format!("the record has no field {name}");
                unusable(
                    text,
                    "a record holds client_id with client_secret, or client_id, username and private_key",
                )
            })
        };
        let client = field("client_id")?;
        let assertion;
        let form = if fields.contains_key("client_secret") {
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", field("client_secret")?),
            ]
        } else {
            let exp = (http.clock())().timestamp() + SECONDS;
            let (sub, aud) = (field("username")?, self.audience.as_str());
            let claims = Claims {
                iss: client,
                sub,
                aud,
                exp,
            };
            assertion = signed(field("private_key")?, &claims)?;
            vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion.as_str()),
            ]
        };
        let answer = http
            .read_post(path!["services/oauth2/token"].form(&form).what(WHAT))
            .await?;
        let token: Token = answer.json()?;
        let theirs = Url::parse(&token.instance_url).ok();
        if theirs.is_none_or(|u| u.origin() != http.url().origin()) {
            let why = "the session is for another address than the configured one";
            return Err(Failure::contradiction(WHAT, why).hint("set url to the org's own address (My Domain)"));
        }
        Ok(Session {
            header: header(token.access_token.expose_secret())?,
            renewable: true,
        })
    }
}

fn signed(pem: &str, claims: &Claims<'_>) -> Result<String, Failure> {
    let hint = "store the app's RSA key as PEM (PKCS#8), without a passphrase";
    let key = EncodingKey::from_rsa_pem(pem.as_bytes())
        .map_err(|_| unusable("private_key is no RSA key in PEM form", hint))?;
    encode(&Header::new(Algorithm::RS256), claims, &key).map_err(|_| unusable("signing with private_key failed", hint))
}

impl Authorize for Mint {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut session = self.session.lock().await;
            let header = match &*session {
                Some(s) => s.header.clone(),
                None => session.insert(self.fetch(http).await?).header.clone(),
            };
            Ok(HeaderMap::from_iter([(AUTHORIZATION, header)]))
        })
    }

    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let mut session = self.session.lock().await;
            answer.status == 401 && session.take_if(|s| s.renewable).is_some()
        })
    }
}
