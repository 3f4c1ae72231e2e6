//! Where a secret is, never the secret. What it is good for is part of its type: eyes can't be given what hands hold.

use std::{borrow::Cow, fmt, marker::PhantomData, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Marks a credential that can only look.
pub enum Read {}
/// Marks a credential that can change things.
pub enum Write {}

/// What a credential is good for: Vault hands the two out to two roles.
pub trait Right {
    const WRITES: bool;
}
impl Right for Read {
    const WRITES: bool = false;
}
impl Right for Write {
    const WRITES: bool = true;
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference {
    /// A file of mode 0600; a relative path starts at the configuration's folder.
    File(PathBuf),
    /// A program by its absolute path, and its arguments; its standard output is the secret.
    Command(Vec<String>),
    /// A record in the Vault of `[systems.vault]`, or one field of it.
    Vault { path: String, field: Option<String> },
    /// An environment variable; only where every base URL is loopback.
    Env(String),
}

/// What was written in a reference's place may be the secret itself.
pub(super) const FORMS: &str = "write a reference: vault:PATH#FIELD, file:PATH, command:[\"/absolute/path\",\"argument\"] or, for a sandbox, env:NAME";

pub struct SecretRef<K>(Reference, PhantomData<fn() -> K>);

impl<K> SecretRef<K> {
    pub fn reference(&self) -> &Reference {
        &self.0
    }
}

impl SecretRef<Write> {
    /// The vendor has one credential and `read` was left out: it serves both, and `doctor` says so.
    pub fn serves_reads(&self) -> SecretRef<Read> {
        SecretRef(self.0.clone(), PhantomData)
    }
}

impl<K> Clone for SecretRef<K> {
    fn clone(&self) -> Self {
        SecretRef(self.0.clone(), PhantomData)
    }
}

impl<K> fmt::Debug for SecretRef<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Reference {
    /// A command's arguments are left out: nobody can be sure that none is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::File(path) => write!(f, "file:{}", path.display()),
            Reference::Command(argv) => write!(f, "command:{}", argv.first().map_or("", String::as_str)),
            Reference::Vault { path, field: None } => write!(f, "vault:{path}"),
            Reference::Vault {
                path,
                field: Some(field),
            } => write!(f, "vault:{path}#{field}"),
            Reference::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl std::str::FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text itself is never repeated: who writes a secret in its place must not find it in a log.
        let (scheme, rest) = text.split_once(':').ok_or(FORMS)?;
        match scheme {
            "file" if rest.is_empty() => Err("file: needs a path".into()),
            "file" => Ok(Reference::File(rest.into())),
            "env" if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                Ok(Reference::Env(rest.to_owned()))
            }
            "env" => Err("env: needs the name of a variable".into()),
            "command" => {
                let argv: Vec<String> = serde_json::from_str(rest)
                    .map_err(|_| "command: is written command:[\"/absolute/path\",\"argument\"]")?;
                match argv.first() {
                    Some(program) if program.starts_with('/') => Ok(Reference::Command(argv)),
                    Some(_) | None => Err("command: starts with the absolute path of a program".into()),
                }
            }
            "vault" => vault(rest),
            _ => Err(FORMS.into()),
        }
    }
}

/// The crate that speaks to Vault puts a path into the address as it is: what could lead out of it is refused here.
fn vault(rest: &str) -> Result<Reference, String> {
    const FORM: &str =
        "vault: is written vault:PATH#FIELD, as in vault:jml/prod/okta#token; a path has letters, digits, . _ - and /";
    let (path, field) = match rest.split_once('#') {
        Some((path, field)) => (path, Some(field)),
        None => (rest, None),
    };
    let plain = |s: &str| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let segment = |s: &str| plain(s) && s != "." && s != "..";
    if !path.split('/').all(segment) || !field.is_none_or(plain) {
        return Err(FORM.into());
    }
    Ok(Reference::Vault {
        path: path.to_owned(),
        field: field.map(str::to_owned),
    })
}

impl<'de, K> Deserialize<'de> for SecretRef<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let reference = text.parse().map_err(de::Error::custom)?;
        Ok(SecretRef(reference, PhantomData))
    }
}

impl<K> JsonSchema for SecretRef<K> {
    fn schema_name() -> Cow<'static, str> {
        "SecretReference".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "vault:PATH#FIELD, file:PATH (0600), command:[\"/absolute/path\",\"argument\"], or env:NAME where every base URL is loopback",
            "pattern": "^(vault:[A-Za-z0-9._/-]+(#[A-Za-z0-9._-]+)?|file:.+|command:\\[.+\\]|env:[A-Za-z0-9_]+)$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        assert_eq!("file:/run/t".parse(), Ok(Reference::File("/run/t".into())));
        assert_eq!("env:A_1".parse(), Ok(Reference::Env("A_1".into())));
        let argv = vec!["/bin/pass".to_owned(), "a:b".to_owned()];
        assert_eq!("command:[\"/bin/pass\",\"a:b\"]".parse(), Ok(Reference::Command(argv)));
        let vault = |field: Option<&str>| Reference::Vault {
            path: "jml/prod/okta".into(),
            field: field.map(str::to_owned),
        };
        assert_eq!("vault:jml/prod/okta".parse(), Ok(vault(None)));
        assert_eq!("vault:jml/prod/okta#token".parse(), Ok(vault(Some("token"))));
        assert_eq!(vault(Some("token")).to_string(), "vault:jml/prod/okta#token");
    }

    #[test]
    fn a_path_cannot_lead_out_of_its_place() {
        for bad in [
            "", "/a", "a/", "a//b", "a/../b", "a/.", "a?b", "a b", "a#", "a#b#c", "a%2fb",
        ] {
            let why = format!("vault:{bad}").parse::<Reference>().unwrap_err();
            assert!(why.contains("vault:PATH#FIELD"), "{bad}");
        }
    }

    #[test]
    fn a_secret_in_place_of_a_reference_is_not_repeated() {
        for bad in [
            "hunter2",
            "xoxb:hunter2",
            "command:hunter2",
            "command:[\"hunter2\"]",
            "env:hunter2!",
        ] {
            let e = bad.parse::<Reference>().unwrap_err();
            assert!(!e.contains("hunter2"), "{e}");
        }
    }
}
