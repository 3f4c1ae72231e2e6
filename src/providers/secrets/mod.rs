//! From a reference to the secret, when the first call needs it. Never before, and never printed.

mod command;
pub mod file;
pub mod vault;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretString;

use self::vault::Vault;
use crate::{
    config::{Config, ConfigError, Reference, Right, SecretRef},
    http::{Clock, Credential, Trust},
    model::{Failure, Kind},
};

/// The places that a reference may name. `env` is handed in by `cli/context`, the only reader of the environment, and is empty unless
/// every base URL is loopback.
#[derive(Clone)]
pub struct Secrets(Arc<Places>);

struct Places {
    local: Arc<Local>,
    vault: Option<Vault>,
}

/// What is on this machine.
struct Local {
    /// The configuration's folder, where relative paths start.
    folder: PathBuf,
    env: BTreeMap<String, SecretString>,
}

/// Whose personal login to Vault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// As the login method names them: for eyes.
    pub name: String,
    /// Who they are to Vault.
    pub entity: String,
}

impl fmt::Display for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (Vault entity {})", self.name, self.entity)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secrets beside {}", self.0.local.folder.display())
    }
}

impl Secrets {
    pub fn new(folder: impl Into<PathBuf>, env: BTreeMap<String, SecretString>) -> Self {
        let local = Arc::new(Local {
            folder: folder.into(),
            env,
        });
        Secrets(Arc::new(Places { local, vault: None }))
    }
    /// With the Vault that the configuration names, if it names one. Nothing is opened before the first secret is wanted from it.
    pub fn configured(
        config: &Config,
        folder: &Path,
        env: BTreeMap<String, SecretString>,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let local = Arc::new(Local {
            folder: folder.to_owned(),
            env,
        });
        let vault = match config.vault() {
            None => None,
            Some(section) => {
                let trust = Trust {
                    ca: config.http.authorities(folder)?,
                    proxy: config.http.proxy.as_ref().map(|p| p.as_url().clone()),
                    egress: config.http.egress.clone(),
                };
                Some(Vault::of(section, trust, local.clone(), clock)?)
            }
        };
        Ok(Secrets(Arc::new(Places { local, vault })))
    }
    pub(super) fn folder(&self) -> &Path {
        &self.0.local.folder
    }
    pub fn vault(&self) -> Option<&Vault> {
        self.0.vault.as_ref()
    }
    /// Fetches anew at each call, but from Vault, which is asked once a run; whoever authorises keeps what it got.
    pub(super) fn lazily<K: Right>(&self, secret: &SecretRef<K>) -> Credential {
        let (places, reference) = (self.0.clone(), secret.reference().clone());
        Arc::new(move || {
            let (places, reference) = (places.clone(), reference.clone());
            Box::pin(async move { fetch(&places, &reference, K::WRITES).await })
        })
    }
    /// Who logged in to Vault for themselves; `None`: nobody did, or nowhere is said where they would.
    pub async fn operator(&self) -> Result<Option<LoggedIn>, Failure> {
        match &self.0.vault {
            Some(vault) => vault.operator().await,
            None => Ok(None),
        }
    }
    /// The end of a command, however it came: what was opened to get secrets is closed. Told is what could not be.
    pub async fn close(&self) -> Vec<Failure> {
        match &self.0.vault {
            Some(vault) => vault.close().await,
            None => vec![],
        }
    }
}

async fn fetch(places: &Places, reference: &Reference, writes: bool) -> Result<SecretString, Failure> {
    match (reference, &places.vault) {
        (Reference::Vault { path, field }, Some(vault)) => vault.fetch(writes, path, field.as_deref()).await,
        (reference, _) => places.local.fetch(reference).await,
    }
}

impl Local {
    async fn fetch(&self, reference: &Reference) -> Result<SecretString, Failure> {
        let what = format!("read the credential {reference}");
        let secret = match reference {
            Reference::File(path) => file::read(&self.folder.join(path)).await,
            Reference::Command(argv) => command::run(argv).await,
            Reference::Env(name) => self
                .env
                .get(name)
                .cloned()
                .ok_or_else(|| "the variable is not set".to_owned()),
            // The configuration was refused if a reference wants it and there is none.
            Reference::Vault { .. } => Err("there is no [systems.vault]".to_owned()),
        };
        secret.map_err(|why| Failure::new(Kind::Auth, what, why))
    }
}

/// One trailing line end belongs to the file, not to the secret.
fn trimmed(mut bytes: Vec<u8>) -> Result<SecretString, String> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_line_end_is_not_part_of_a_secret() {
        assert_eq!(trimmed(b"a b\r\n".to_vec()).unwrap().expose_secret(), "a b");
        assert_eq!(trimmed(b"a\n\n".to_vec()).unwrap().expose_secret(), "a\n");
        assert!(trimmed(b"\n".to_vec()).is_err());
    }

    #[tokio::test]
    async fn a_variable_is_handed_in_or_not_there() {
        let secrets = Secrets::new("/", BTreeMap::from([("T".to_owned(), "hunter2".into())]));
        assert!(!format!("{secrets:?}").contains("hunter2"));
        assert_eq!(
            fetch(&secrets.0, &Reference::Env("T".into()), false)
                .await
                .unwrap()
                .expose_secret(),
            "hunter2"
        );
        assert!(fetch(&secrets.0, &Reference::Env("PATH".into()), false).await.is_err());
    }
}
