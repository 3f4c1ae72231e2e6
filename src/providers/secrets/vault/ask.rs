//! One question to Vault over its own crate: which node, how often, and what went wrong in words that help.
//!
//! The crate's settings would fill every gap from the environment (`VAULT_TOKEN`, `VAULT_SKIP_VERIFY`), and its types show tokens in
//! `Debug`: all of them are set here, and none is ever formatted.

use std::{
    error::Error,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;
use vaultrs::{
    api::{self, AuthInfo, EndpointMiddleware},
    client::{Client as _, VaultClient, VaultClientSettingsBuilder},
    error::ClientError,
};

use crate::http::{Lent, Lost, Trust, sentence};

/// Between attempts: without a header Vault says nothing of when to come back.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

pub(super) enum Call<'a> {
    Login {
        auth: &'a str,
        role_id: &'a SecretString,
        secret_id: &'a SecretString,
    },
    ReadTwo {
        mount: &'a str,
        path: &'a str,
    },
    ReadOne {
        mount: &'a str,
        path: &'a str,
    },
    Renew,
    Revoke,
    Other(Plain),
}

impl Call<'_> {
    /// Asked twice, does it do no more than once? A login makes a token each time and may use up a secret_id; unwrapping works once.
    fn repeatable(&self) -> bool {
        match self {
            Call::Login { .. } => false,
            Call::Other(plain) => plain.repeatable,
            Call::ReadTwo { .. } | Call::ReadOne { .. } | Call::Renew | Call::Revoke => true,
        }
    }
}

pub(super) enum Answer {
    Auth(AuthInfo),
    /// A secret's fields, or the `data` of another answer.
    Data(Value),
    Nothing,
}

/// What the crate has no function for.
#[derive(Debug)]
pub(super) struct Plain {
    path: String,
    body: Option<Value>,
    /// The answer is `data` of an envelope, and the call one of the namespace's: the server's own health is neither.
    enveloped: bool,
    repeatable: bool,
}

impl Plain {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Plain {
            path: path.into(),
            body: None,
            enveloped: true,
            repeatable: true,
        }
    }
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Plain {
            body: Some(body),
            ..Plain::get(path)
        }
    }
    pub(super) fn bare(mut self) -> Self {
        self.enveloped = false;
        self
    }
    pub(super) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}

impl Endpoint for &Plain {
    type Response = Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }
    fn method(&self) -> RequestMethod {
        match self.body {
            Some(_) => RequestMethod::POST,
            None => RequestMethod::GET,
        }
    }
    fn body(&self) -> Result<Option<Vec<u8>>, rustify::errors::ClientError> {
        let written = |v: &Value| v.to_string().into_bytes();
        Ok(self.body.as_ref().filter(|v| !v.is_null()).map(written))
    }
}

/// What came instead of an answer.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Lost(Lost),
    Refused {
        code: u16,
        /// Vault's own words, a line each.
        words: Vec<String>,
        /// Of an answer that is no error by form: a deleted version.
        body: Option<Value>,
    },
    Nonsense,
    /// No client could be made: the trust store, the address.
    Unmade(String),
}

impl Trouble {
    /// The token is gone, as opposed to: it may not.
    pub(super) fn dead_token(&self) -> bool {
        matches!(self, Trouble::Refused { code: 403, words, .. } if words == &["permission denied"])
    }
    fn next_node(&self) -> bool {
        match self {
            Trouble::Lost(Lost::NeverSent(_)) => true,
            Trouble::Refused { code, .. } => [472, 501, 503].contains(code),
            Trouble::Lost(_) | Trouble::Nonsense | Trouble::Unmade(_) => false,
        }
    }
    /// May the same question go through a little later?
    fn passing(&self, repeatable: bool) -> bool {
        match self {
            Trouble::Lost(Lost::TimedOut | Lost::Cut(_)) => repeatable,
            // Done nothing: a quota, a node that lags.
            Trouble::Refused { code: 429 | 412, .. } => true,
            Trouble::Refused { code: 502 | 504, .. } => repeatable,
            Trouble::Refused { code: 500, words, .. } => {
                repeatable && !words.iter().any(|w| w.contains("missing role_id"))
            }
            Trouble::Lost(Lost::NeverSent(_) | Lost::Elsewhere { .. })
            | Trouble::Refused { .. }
            | Trouble::Nonsense
            | Trouble::Unmade(_) => false,
        }
    }
}

pub(super) struct Nodes {
    urls: Vec<Url>,
    clients: Vec<OnceLock<Result<Lent, String>>>,
    namespace: Option<String>,
    trust: Trust,
    /// The one that answered last.
    at: AtomicUsize,
}

impl Nodes {
    pub(super) fn new(urls: Vec<Url>, namespace: Option<String>, trust: Trust) -> Self {
        Nodes {
            clients: urls.iter().map(|_| OnceLock::new()).collect(),
            urls,
            namespace,
            trust,
            at: AtomicUsize::new(0),
        }
    }

    pub(super) async fn ask(&self, token: Option<&SecretString>, call: &Call<'_>) -> Result<Answer, Trouble> {
        let mut waits = WAITS.iter();
        loop {
            let trouble = match self.round(token, call).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            match waits.next().filter(|_| trouble.passing(call.repeatable())) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(trouble),
            }
        }
    }

    /// Every node once, beginning with the one that answered last.
    async fn round(&self, token: Option<&SecretString>, call: &Call<'_>) -> Result<Answer, Trouble> {
        let first = self.at.load(Ordering::Relaxed);
        let mut worst = Trouble::Unmade("no address".into());
        for n in 0..self.urls.len() {
            let at = (first + n) % self.urls.len();
            match self.once(at, token, call).await {
                Err(trouble) if trouble.next_node() => {
                    // What the configured address says outranks what the others do.
                    if n == 0 {
                        worst = trouble;
                    }
                }
                answered => {
                    self.at.store(at, Ordering::Relaxed);
                    return answered;
                }
            }
        }
        Err(worst)
    }

    async fn once(&self, at: usize, token: Option<&SecretString>, call: &Call<'_>) -> Result<Answer, Trouble> {
        let of_server = matches!(call, Call::Other(Plain { enveloped: false, .. }));
        let namespace = self.namespace.clone().filter(|_| !of_server);
        let client = self.client(at, token, namespace).map_err(Trouble::Unmade)?;
        match call {
            Call::Login {
                auth,
                role_id,
                secret_id,
            } => vaultrs::auth::approle::login(&client, auth, role_id.expose_secret(), secret_id.expose_secret())
                .await
                .map(Answer::Auth),
            Call::ReadTwo { mount, path } => vaultrs::kv2::read(&client, mount, path).await.map(Answer::Data),
            Call::ReadOne { mount, path } => vaultrs::kv1::get(&client, mount, path).await.map(Answer::Data),
            Call::Renew => client.renew(None).await.map(Answer::Auth),
            Call::Revoke => client.revoke().await.map(|()| Answer::Nothing),
            Call::Other(plain) if plain.enveloped => api::exec_with_result(&client, plain).await.map(Answer::Data),
            Call::Other(plain) => api::exec_with_no_result(&client, plain).await.map(Answer::Data),
        }
        .map_err(trouble)
    }

    fn client(
        &self,
        at: usize,
        token: Option<&SecretString>,
        namespace: Option<String>,
    ) -> Result<VaultClient, String> {
        let url = &self.urls[at];
        let lent = self.clients[at].get_or_init(|| Lent::new(&self.trust, url, &self.urls));
        let token = token.map_or("", |t| t.expose_secret());
        // A token is a header: the crate would panic on one that can't be.
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the token holds characters that no header can carry".into());
        }
        let settings = VaultClientSettingsBuilder::default()
            .address(url.as_str())
            .token("")
            .ca_certs(vec![])
            .identity(None)
            .verify(true)
            .namespace(namespace.clone())
            .build()
            .map_err(|_| "Vault's address can't be used".to_owned())?;
        Ok(VaultClient {
            http: lent.as_ref().map_err(Clone::clone)?.client(),
            middle: EndpointMiddleware {
                token: token.to_owned(),
                version: "v1".into(),
                wrap: None,
                namespace,
            },
            settings,
        })
    }
}

/// Vault's words are in the error's fields; its Display leaves them out.
fn trouble(e: ClientError) -> Trouble {
    use rustify::errors::ClientError as Rest;
    match e {
        ClientError::APIError { code, errors } => Trouble::Refused {
            code,
            // `1 error occurred: * permission denied` stays apart from a bare `permission denied`, which alone speaks of the token.
            words: errors.iter().map(|w| sentence(w)).collect(),
            body: None,
        },
        ClientError::RestClientError { source } => match source {
            Rest::ServerResponseError { code, content } => Trouble::Refused {
                code,
                words: vec![],
                body: content.and_then(|c| serde_json::from_str(&c).ok()),
            },
            Rest::RequestError { source, .. } | Rest::ResponseError { source } => {
                let cause: &(dyn Error + 'static) = source.as_ref();
                Trouble::Lost(Lost::of(cause))
            }
            _ => Trouble::Nonsense,
        },
        _ => Trouble::Nonsense,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_token_and_a_path_outside_the_policy_are_told_apart() {
        let refused = |words: &str| {
            trouble(ClientError::APIError {
                code: 403,
                errors: vec![words.to_owned()],
            })
        };
        assert!(refused("permission denied").dead_token());
        assert!(!refused("1 error occurred:\n\t* permission denied\n\n").dead_token());
    }

    #[test]
    fn what_may_have_happened_is_not_asked_again() {
        let lost = Trouble::Lost(Lost::TimedOut);
        assert!(lost.passing(true) && !lost.passing(false));
        let role = Trouble::Refused {
            code: 500,
            words: vec!["missing role_id".into()],
            body: None,
        };
        assert!(!role.passing(true));
        let quota = Trouble::Refused {
            code: 429,
            words: vec![],
            body: None,
        };
        assert!(quota.passing(false));
    }
}
