//! Where a secret is, never the secret. What it is good for is part of its type: eyes can't be given what hands hold.

use std::{borrow::Cow, fmt, marker::PhantomData, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Marks a credential that can only look.
pub enum Read {}
/// Marks a credential that can change things.
pub enum Write {}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference {
    /// A file of mode 0600; a relative path starts at the configuration's folder.
    File(PathBuf),
    /// A program by its absolute path, and its arguments; its standard output is the secret.
    Command(Vec<String>),
    /// An environment variable; only where every base URL is loopback.
    Env(String),
}

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
            Reference::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl std::str::FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text itself is never repeated: who writes a secret in its place must not find it in a log.
        let forms =
            "write a reference: file:PATH, command:[\"/absolute/path\",\"argument\"] or, for a sandbox, env:NAME";
        let (scheme, rest) = text.split_once(':').ok_or(forms)?;
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
            "vault" => Err(
                "vault: references are not in this release; let an agent write a file (file:PATH) or use command:[...]"
                    .into(),
            ),
            _ => Err(forms.into()),
        }
    }
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
            "description": "file:PATH (0600), command:[\"/absolute/path\",\"argument\"], or env:NAME where every base URL is loopback",
            "pattern": "^(file:.+|command:\\[.+\\]|env:[A-Za-z0-9_]+)$"
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
        assert!(
            "vault:jml/okta#key"
                .parse::<Reference>()
                .unwrap_err()
                .contains("not in this release")
        );
    }
}
