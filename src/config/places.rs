//! `[ledger]`, `[http]` and `[sandbox]`: where things are.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{BaseUrl, ConfigError, DatabaseUrl, Mirror, SecretRef, Write};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// Default: ORG.db in jml's state folder, ORG being the pinned organisation.
    pub path: Option<PathBuf>,
    /// A PostgreSQL that several hosts share, in place of a file.
    pub url: Option<DatabaseUrl>,
    /// Where the password of its user is: a file.
    pub password: Option<SecretRef<Write>>,
    /// The Ed25519 key that signs checkpoints; without it one is made beside the ledger, or in jml's state folder.
    pub key: Option<SecretRef<Write>>,
    /// Where number, hash, run, step and outcome of each entry are told besides, for a SIEM: `file:PATH`, `syslog` or `journald`.
    pub mirror: Option<Mirror>,
}

/// From here alone, never from the environment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// What https goes through, but for loopback.
    pub proxy: Option<BaseUrl>,
    /// A PEM file of authorities to trust beside the platform's.
    pub ca: Option<PathBuf>,
    /// The addresses, or blocks of them, that others see this host at: an edge's refusal is explained with them.
    pub egress: Vec<String>,
}

impl Http {
    /// The authorities' PEM. A relative path starts at the configuration's folder.
    pub fn authorities(&self, folder: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(ca) = &self.ca else { return Ok(None) };
        let path = folder.join(ca);
        std::fs::read(&path).map(Some).map_err(|e| {
            ConfigError::whole(
                path.display().to_string(),
                format!("the authorities of [http] ca can't be read: {e}"),
            )
        })
    }
}

/// Written by `jml sandbox serve`: this configuration belongs to that start of it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    pub control: BaseUrl,
    pub nonce: String,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox at {}", self.control)
    }
}
