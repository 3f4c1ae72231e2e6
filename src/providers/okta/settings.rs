//! `[systems.okta]`: where the organisation is and who asks. A service app with a key, or API tokens; never both.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::auth::{Identity, ServiceApp};
use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Authorize, Credential, Fixed, Scheme},
    model::{Failure, Kind},
    providers::{Act, Look},
};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://acme.okta.com`, as Okta itself names it.
    pub url: BaseUrl,
    /// The organisation's id (`00o...`), which `jml config init` writes: another organisation's answer is refused.
    pub org: Option<String>,
    /// An API token that looks (SSWS). Left out: `write` serves both.
    pub read: Option<SecretRef<Read>>,
    /// An API token that changes.
    pub write: Option<SecretRef<Write>>,
    /// A service app, in place of tokens: it is given read scopes for looking and write scopes for changing.
    pub client_id: Option<String>,
    /// Its private key in PEM form (PKCS#8).
    pub key: Option<SecretRef<Write>>,
    /// The key's id, where the app has several.
    pub key_id: Option<String>,
    /// The app demands proof of possession; it is found out anyway, this saves a call.
    #[serde(default)]
    pub dpop: bool,
    /// Okta mails an activated person the link to set a password.
    #[serde(default = "yes")]
    pub welcome_mail: bool,
}

const fn yes() -> bool {
    true
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        match (&self.client_id, &self.key, &self.write) {
            (Some(_), Some(_), None) if self.read.is_none() => Ok(()),
            (None, None, Some(_)) => Ok(()),
            (None, None, None) => Err("needs write (an API token), or client_id and key (a service app)".into()),
            (Some(_), None, _) => Err("client_id needs key: the service app's private key".into()),
            (None, Some(_), _) => Err("key needs client_id: the service app's id".into()),
            (Some(_), Some(_), _) => Err("takes client_id and key, or read and write, not both".into()),
        }
    }
}

impl Settings {
    pub fn is_service_app(&self) -> bool {
        self.client_id.is_some()
    }

    fn identity(&self, key: Credential) -> Identity {
        Identity {
            client: self.client_id.clone().unwrap_or_default(),
            key_id: self.key_id.clone(),
            key,
            url: self.url.as_url().to_string(),
            dpop: self.dpop,
        }
    }

    pub(super) fn eyes(&self, look: &Look) -> Arc<dyn Authorize> {
        match (&self.key, &self.write) {
            (Some(key), _) => ServiceApp::reading(self.identity(look.secret(&key.serves_reads())), look.clock()),
            (None, Some(write)) => Fixed::one(Scheme::Ssws, look.either(self.read.as_ref(), write)),
            (None, None) => Fixed::one(Scheme::Ssws, missing()),
        }
    }

    pub(super) fn hands(&self, act: &Act) -> Arc<dyn Authorize> {
        match (&self.key, &self.write) {
            (Some(key), _) => ServiceApp::writing(self.identity(act.secret(key)), act.clock()),
            (None, Some(write)) => Fixed::one(Scheme::Ssws, act.secret(write)),
            (None, None) => Fixed::one(Scheme::Ssws, missing()),
        }
    }
}

/// `check` has refused such settings; should they come here all the same, the first call says so.
fn missing() -> Credential {
    Arc::new(|| {
        Box::pin(async {
            Err(Failure::new(
                Kind::Auth,
                "read the credential of Okta",
                "the configuration names none",
            ))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Settings as _;

    fn check(keys: &str) -> Result<(), String> {
        let text = format!(r#"{{"url":"https://acme.okta.com"{keys}}}"#);
        serde_json::from_str::<Settings>(&text)
            .map_err(|e| e.to_string())?
            .check()
    }

    #[test]
    fn one_way_to_ask_and_only_one() {
        assert_eq!(check(r#","read":"file:/r","write":"file:/w","org":"00o1""#), Ok(()));
        assert_eq!(check(r#","write":"file:/w""#), Ok(()));
        assert_eq!(
            check(r#","client_id":"0oa1","key":"file:/k","key_id":"k1","dpop":true"#),
            Ok(())
        );
        for (keys, says) in [
            ("", "needs write"),
            (r#","read":"file:/r""#, "needs write"),
            (r#","client_id":"0oa1""#, "needs key"),
            (r#","key":"file:/k""#, "needs client_id"),
            (r#","client_id":"0oa1","key":"file:/k","write":"file:/w""#, "not both"),
            (r#","write":"file:/w","tokens":"x""#, "unknown field"),
            (r#","write":"hunter2""#, "write a reference"),
        ] {
            let refused = check(keys).unwrap_err();
            assert!(
                refused.contains(says) && !refused.contains("hunter2"),
                "{keys}: {refused}"
            );
        }
    }
}
