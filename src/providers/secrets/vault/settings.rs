//! `[systems.vault]`: where it is, and the two roles by which jml logs in.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    providers::build,
};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// scheme://HOST:PORT, and no path.
    pub url: BaseUrl,
    /// Further nodes of the same cluster: asked where the first doesn't answer, and the only ones that a standby may lead to.
    #[serde(default)]
    pub addresses: Vec<BaseUrl>,
    /// Where the key-value engine is mounted. Without it: the first segment of a reference's path.
    pub mount: Option<String>,
    /// The key-value engine's version: 2, or the older 1.
    #[serde(default)]
    #[schemars(with = "u8", range(min = 1, max = 2))]
    pub kv: Kv,
    /// Where AppRole is mounted.
    #[serde(default = "approle")]
    pub auth: String,
    pub namespace: Option<String>,
    /// A PEM file of the authority that signs Vault's certificate, beside the platform's.
    pub ca: Option<PathBuf>,
    /// Reads what eyes need.
    pub read: Reading,
    /// Reads what hands need; logs in only after somebody agreed to a plan.
    pub write: Option<Writing>,
    /// The token of whoever sits at the keyboard, as `vault login` keeps it in a file: they are the operator in the record, unless sudo
    /// says who it is. Where there is none, the account is.
    pub operator: Option<SecretRef<Read>>,
}

fn approle() -> String {
    "approle".into()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum Kv {
    One,
    #[default]
    Two,
}

impl TryFrom<u8> for Kv {
    type Error = String;

    fn try_from(n: u8) -> Result<Self, String> {
        match n {
            1 => Ok(Kv::One),
            2 => Ok(Kv::Two),
            _ => Err("kv is 1 or 2".into()),
        }
    }
}

/// An AppRole: `secret_id`, or `wrapped`, a token that gives it once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub role_id: SecretRef<Read>,
    pub secret_id: Option<SecretRef<Read>>,
    pub wrapped: Option<SecretRef<Read>>,
    /// The role's name: a wrapping token made for another is refused.
    pub role: Option<String>,
}

/// The same, for what hands need.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writing {
    pub role_id: SecretRef<Write>,
    pub secret_id: Option<SecretRef<Write>>,
    pub wrapped: Option<SecretRef<Write>>,
    /// The role's name: a wrapping token made for another is refused.
    pub role: Option<String>,
}

impl build::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        for url in self.addresses.iter().chain([&self.url]) {
            if url.as_url().path() != "/" {
                return Err(format!("{url}: Vault's address is scheme://HOST:PORT without a path"));
            }
        }
        let one = |secret: bool, wrapped: bool| match (secret, wrapped) {
            (true, false) | (false, true) => Ok(()),
            (true, true) => Err("secret_id and wrapped exclude each other".to_owned()),
            (false, false) => Err("each role needs secret_id or wrapped".to_owned()),
        };
        one(self.read.secret_id.is_some(), self.read.wrapped.is_some())?;
        if let Some(w) = &self.write {
            one(w.secret_id.is_some(), w.wrapped.is_some())?;
            if w.role_id.reference() == self.read.role_id.reference() {
                return Err("read and write are one role: then a preview could fetch what changes things".into());
            }
        }
        let plain = |s: &str| {
            s.split('/').all(|p| {
                !p.is_empty()
                    && p != "."
                    && p != ".."
                    && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            })
        };
        for (key, value) in [("mount", self.mount.as_deref()), ("auth", Some(self.auth.as_str()))] {
            if value.is_some_and(|v| !plain(v.trim_end_matches('/'))) {
                return Err(format!("{key} is the name of a mount, as in kv or teams/kv"));
            }
        }
        if self
            .namespace
            .as_deref()
            .is_some_and(|n| !plain(n.trim_end_matches('/')))
        {
            return Err("namespace is a path, as in team/".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::build::Settings as _;

    fn check(more: &str, read: &str, write: &str) -> Result<(), String> {
        let text = format!("url = \"https://vault.acme.example:8200\"\n{more}\n[read]\n{read}\n[write]\n{write}\n");
        let settings: Settings = toml::from_str(&text).map_err(|e| e.to_string())?;
        settings.check()
    }
    const READ: &str = "role_id = \"file:a\"\nsecret_id = \"file:b\"";
    const WRITE: &str = "role_id = \"file:c\"\nwrapped = \"file:d\"";

    #[test]
    fn one_role_for_both_is_refused() {
        assert_eq!(check("", READ, WRITE), Ok(()));
        assert!(check("", READ, READ).unwrap_err().contains("one role"));
    }

    #[test]
    fn what_the_crate_cannot_take_is_refused_here() {
        assert!(
            check("addresses = [\"https://gw.example/vault\"]", READ, WRITE)
                .unwrap_err()
                .contains("without a path")
        );
        assert!(check("mount = \"a/../b\"", READ, WRITE).is_err());
        assert!(check("kv = 3", READ, WRITE).is_err());
        assert_eq!(
            check("kv = 1\nmount = \"teams/kv/\"\nnamespace = \"team/\"", READ, WRITE),
            Ok(())
        );
        assert!(
            check("", "role_id = \"file:a\"", WRITE)
                .unwrap_err()
                .contains("secret_id or wrapped")
        );
        assert!(
            check("", &format!("{READ}\nwrapped = \"file:x\""), WRITE)
                .unwrap_err()
                .contains("exclude")
        );
    }
}
