//! What has no API: two programs of the firm's own, one that looks and one that acts. docs/EXEC.md is their protocol.
//!
//! No shell, no search path, no environment: an absolute path whose bytes have the pinned digest, JSON in, JSON out, a time limit and a
//! limit on what may be said. The program that looks is never given the credential that may write. What a program writes on its standard
//! error is shown to nobody: it may be the secret.

mod eyes;
mod hands;
mod program;
#[cfg(test)]
mod tests;
mod wire;

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{Read, SecretRef, Write},
    model::{System, Verb, Verbs},
    providers::{Act, Look, Row, Settings as Check, Target},
};

pub use eyes::Eyes;
pub use hands::Hands;

use program::Program;

pub const ROW: Row = Row::new("exec").page("docs/EXEC.md").target::<Exec>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::Suspend,
    Verb::Activate,
    Verb::Deactivate,
    Verb::ClearSessions,
    Verb::RevokeToken,
    Verb::ResetPassword,
    Verb::RemoveMember,
    Verb::AddMember,
    Verb::RevokeRole,
    Verb::ReleaseSeat,
];

/// One program and the bytes that it must consist of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// Its absolute path. Neither it nor any folder above it may be writable by others.
    program: PathBuf,
    /// Of its bytes, in hexadecimal digits: `sha256sum FILE`.
    sha256: String,
    /// Handed over as they stand.
    #[serde(default)]
    args: Vec<String>,
}

/// `[systems.NAME]` with `kind = "exec"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    observe: Pinned,
    perform: Pinned,
    /// What the second program can do.
    can: Verbs,
    /// An account that is surely there, by its id. Only where it is found is it believed that another one isn't.
    canary: String,
    /// What the program must call its system. Another answer is refused.
    tenant: Option<String>,
    /// How long one call may take.
    #[serde(default = "patience")]
    timeout: String,
    /// Handed to the program that looks, on its standard input.
    read: Option<SecretRef<Read>>,
    /// Handed to the program that acts, and to no other.
    write: Option<SecretRef<Write>>,
}

fn patience() -> String {
    "30s".into()
}

impl Settings {
    fn patience(&self) -> Option<Duration> {
        let most = Duration::from_secs(600);
        humantime::parse_duration(&self.timeout)
            .ok()
            .filter(|d| !d.is_zero() && *d <= most)
    }
    fn program(&self, of: &Pinned, system: &System) -> Program {
        Program {
            system: system.clone(),
            path: of.program.clone(),
            sha256: of.sha256.to_lowercase(),
            args: of.args.clone(),
            patience: self.patience().unwrap_or(Duration::from_secs(30)),
        }
    }
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        for (key, pinned) in [("observe", &self.observe), ("perform", &self.perform)] {
            if !pinned.program.is_absolute() {
                return Err(format!("{key}.program: an absolute path is wanted"));
            }
            if pinned.sha256.len() != 64 || !pinned.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!(
                    "{key}.sha256: 64 hexadecimal digits are wanted, as sha256sum prints them"
                ));
            }
        }
        if self.patience().is_none() {
            return Err(format!("timeout: {:?} is no duration up to 10 minutes", self.timeout));
        }
        if self.canary.trim().is_empty() {
            return Err("canary: the id of an account that is surely there is wanted".into());
        }
        if let Some(verb) = self.can.iter().find(|v| !VERBS.contains(v)) {
            return Err(format!("can: no program is ever asked for {}", verb.name()));
        }
        Ok(())
    }
}

pub struct Exec;

impl Target for Exec {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let program = s.program(&s.observe, &system);
        Eyes::new(program, s.read.as_ref().map(|r| look.secret(r)), s)
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let program = s.program(&s.perform, &system);
        Hands::new(program, s.write.as_ref().map(|w| act.secret(w)))
    }
}
