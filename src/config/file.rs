//! The file as a whole: its tables, each read by its owner, and the rules that hold between them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toml::de::DeTable;
use url::Url;

use super::{
    Approvals, ConfigError, DatabaseUrl, Http, Ledger, Reference, Roles, Roster, Sandbox, Section, Source, address,
    error,
    limits::{RawLimits, RawProtect},
    policy,
    section::{Node, parse, texts},
    trust,
};
use crate::model::{Limits, Policy, Protected, System};

#[derive(Clone, Debug)]
pub struct Config {
    pub systems: BTreeMap<System, Section>,
    pub roster: Roster,
    pub policy: Policy,
    pub limits: Limits,
    pub protected: Vec<Protected>,
    pub ledger: Ledger,
    pub http: Http,
    /// Without it whoever may run jml may apply what was held.
    pub approvals: Option<Approvals>,
    /// None: everybody may do everything.
    pub roles: Option<Roles>,
    pub sandbox: Option<Sandbox>,
    loopback: bool,
    source: Arc<Source>,
}

/// A secret that is in Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub system: System,
    /// Under `write`: eyes have no use for it.
    pub writes: bool,
    pub path: String,
}

const TABLES: [&str; 12] = [
    "systems",
    "roster",
    "policy",
    "limits",
    "protect",
    "deadlines",
    "groups",
    "ledger",
    "http",
    "approvals",
    "roles",
    "sandbox",
];
/// The design names them; this release doesn't have them. Passing over one would promise what nobody keeps.
const LATER: [&str; 1] = ["freeze"];
/// The kind of the one system that keeps secrets.
const VAULT: &str = "vault";
/// No configuration is longer.
const MOST: u64 = 4 << 20;

impl Config {
    /// Reads a file that can be trusted.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        trust::trusted(path)?;
        let name = path.display().to_string();
        let fail = |e: std::io::Error| ConfigError::whole(name.clone(), format!("it can't be read: {e}"));
        let mut bytes = Vec::new();
        File::open(path)
            .map_err(fail)?
            .take(MOST + 1)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        if bytes.len() as u64 > MOST {
            return Err(ConfigError::whole(name, format!("it is over {MOST} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| ConfigError::whole(name.clone(), "it is not UTF-8 text"))?;
        Self::parse(&name, text)
    }

    /// Reads a text, wherever it comes from. `path` is what errors call it.
    pub fn parse(path: &str, text: String) -> Result<Self, ConfigError> {
        let source = &Arc::new(Source {
            path: path.to_owned(),
            text,
        });
        let root = DeTable::parse(&source.text).map_err(|e| ConfigError::from_toml(source, &e))?;
        let mut tables = BTreeMap::new();
        for (key, value) in root.into_inner() {
            known(source, key.get_ref(), key.span())?;
            tables.insert(key.into_inner(), value);
        }
        let mut table = |name: &str| tables.remove(name);
        let nodes = table("systems");
        let systems = systems(source, nodes.as_ref())?;
        let roster: Roster = optional(source, table("roster"))?;
        let Some(policy) = table("policy") else {
            return Err(ConfigError::at(source, None, "it has no [policy]")
                .help("a bare date ends somewhere: [policy] needs at least zone = \"Europe/Berlin\", or where your people are"));
        };
        let names: Vec<System> = systems.keys().cloned().collect();
        let deadlines = optional(source, table("deadlines"))?;
        let groups = optional(source, table("groups"))?;
        let limits: RawLimits = optional(source, table("limits"))?;
        let protect: RawProtect = optional(source, table("protect"))?;
        let ledger = ledger(source, table("ledger"))?;
        let config = Config {
            policy: policy::policy(source, policy, deadlines, groups, &roster, &names)?,
            limits: limits.into(),
            protected: protect.into(),
            loopback: nodes.as_ref().is_none_or(loopback) && ledger.url.as_ref().is_none_or(DatabaseUrl::is_loopback),
            ledger,
            http: optional(source, table("http"))?,
            approvals: table("approvals").map(|n| parse(source, n)).transpose()?,
            roles: table("roles").map(|n| parse(source, n)).transpose()?,
            sandbox: table("sandbox").map(|n| parse(source, n)).transpose()?,
            systems,
            roster,
            source: source.clone(),
        };
        config.between(nodes.as_ref())?;
        Ok(config)
    }

    /// Rules between tables.
    fn between(&self, systems: Option<&Node<'_>>) -> Result<(), ConfigError> {
        for system in [Some(&self.roster.source), self.roster.leavers.as_ref()]
            .into_iter()
            .flatten()
        {
            if !self.systems.contains_key(system) {
                let message = format!("[roster] names {system}, and there is no [systems.{system}]");
                return Err(ConfigError::at(&self.source, None, message));
            }
        }
        let sandbox = self.sandbox.as_ref();
        if sandbox.is_some_and(|s| !self.loopback || !s.control.is_loopback()) {
            let message = "a sandbox's configuration speaks to loopback alone, and this one names another address";
            return Err(ConfigError::at(&self.source, None, message));
        }
        let mut fault = None;
        if let Some(second) = self.systems.values().filter(|s| s.kind == VAULT).nth(1) {
            return Err(second.fault("there is one Vault: a reference doesn't say which"));
        }
        let tables = systems.and_then(|n| n.get_ref().as_table());
        for (name, table) in tables.into_iter().flat_map(|t| t.iter()) {
            let vaults_own = self
                .vault()
                .is_some_and(|v| v.system.as_str() == name.get_ref().as_ref());
            texts(table, &mut |text, span| {
                let refused = if text.starts_with("vault:") && self.vault().is_none() {
                    "vault: needs [systems.vault]: where it is, and how jml logs in"
                } else if text.starts_with("vault:") && vaults_own {
                    "what opens Vault can't be in Vault; write file:PATH or command:[...]"
                } else if text.starts_with("env:") && !self.loopback {
                    "env: is for a sandbox: every base URL must be loopback; write file:PATH or command:[...]"
                } else if text.starts_with("command:") && sandbox.is_some() {
                    "a sandbox's configuration runs no program; write file:PATH"
                } else {
                    return;
                };
                fault.get_or_insert_with(|| ConfigError::at(&self.source, Some(span), refused));
            });
        }
        fault.map_or(Ok(()), Err)
    }

    /// The table that says where Vault is.
    pub fn vault(&self) -> Option<&Section> {
        self.systems.values().find(|s| s.kind == VAULT)
    }

    /// What the configuration says is in Vault, for whom to check.
    pub fn kept_in_vault(&self) -> Vec<Kept> {
        let mut out = vec![];
        // Read anew: the tree borrows from the text. It was read once, so it can be read.
        let Ok(root) = DeTable::parse(&self.source.text) else {
            return out;
        };
        let systems = root.get_ref().get("systems").and_then(|s| s.get_ref().as_table());
        for (name, table) in systems.into_iter().flat_map(|t| t.iter()) {
            for (key, value) in table.get_ref().as_table().into_iter().flat_map(|t| t.iter()) {
                texts(value, &mut |text, _| {
                    if let Ok(Reference::Vault { path, .. }) = text.parse() {
                        out.push(Kept {
                            system: System::named(name.get_ref().as_ref()),
                            writes: key.get_ref().starts_with("write"),
                            path,
                        });
                    }
                });
            }
        }
        out
    }

    /// Does any secret come from a program? (One that is a system of its own names no address, so it is not loopback.)
    pub fn runs_programs(&self) -> bool {
        let mut runs = false;
        self.texts(&mut |text| runs |= text.starts_with("command:"));
        runs
    }
    /// Every file of this machine that its text names, wherever relative ones start.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut out = vec![];
        self.texts(&mut |text| {
            let named = text.strip_prefix("file:").map(Path::new);
            if let Some(path) = named.or_else(|| text.starts_with('/').then_some(Path::new(text))) {
                out.push(self.folder().join(path));
            }
        });
        // A path that a key of its own holds may be relative, and then it looks like any text.
        let own = [self.ledger.path.as_ref(), self.http.ca.as_ref()];
        out.extend(own.into_iter().flatten().map(|p| self.folder().join(p)));
        out
    }
    fn texts(&self, seen: &mut impl FnMut(&str)) {
        // Read anew: the tree borrows from the text. It was read once, so it can be read.
        let Ok(root) = DeTable::parse(&self.source.text) else {
            return;
        };
        root.get_ref()
            .iter()
            .for_each(|(_, node)| texts(node, &mut |text, _| seen(text)));
    }

    /// Every base URL is loopback. A system that names none has its vendor's, which isn't.
    pub fn loopback_only(&self) -> bool {
        self.loopback
    }
    pub fn path(&self) -> &str {
        &self.source.path
    }
    /// Where relative paths start.
    pub fn folder(&self) -> PathBuf {
        let path = Path::new(&self.source.path);
        path.parent().map(Path::to_owned).unwrap_or_default()
    }
    /// SHA-256 of the file.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.source.text.as_bytes()))
    }
    /// SHA-256 of what decides who gets what: changes with its meaning, never with its wording or the limits.
    pub fn policy_digest(&self) -> String {
        // Strings, integers and lists of them: always representable.
        let bytes = serde_json_canonicalizer::to_vec(&self.policy).unwrap_or_default();
        hex::encode(Sha256::digest(&bytes))
    }
}

fn known(source: &Arc<Source>, name: &str, span: std::ops::Range<usize>) -> Result<(), ConfigError> {
    if TABLES.contains(&name) {
        return Ok(());
    }
    if LATER.contains(&name) {
        let message = format!("[{name}] is not in this release: it would be ignored, so it is refused");
        return Err(ConfigError::at(source, Some(span), message));
    }
    let tables = TABLES.map(String::from);
    let error = ConfigError::at(source, Some(span), format!("there is no table [{name}]"));
    Err(match error::nearest(name, &tables) {
        Some(near) => error.help(format!("did you mean [{near}]?")),
        None => error.help(format!("tables: {}", TABLES.join(", "))),
    })
}

fn optional<T: DeserializeOwned + Default>(source: &Arc<Source>, node: Option<Node<'_>>) -> Result<T, ConfigError> {
    node.map_or_else(|| Ok(T::default()), |n| parse(source, n))
}

fn systems(source: &Arc<Source>, node: Option<&Node<'_>>) -> Result<BTreeMap<System, Section>, ConfigError> {
    let mut out = BTreeMap::new();
    let Some(node) = node else { return Ok(out) };
    let Some(table) = node.get_ref().as_table() else {
        return Err(ConfigError::at(
            source,
            Some(node.span()),
            "systems are tables: [systems.NAME]",
        ));
    };
    for (key, value) in table.iter() {
        let section = Section::new(source, key.get_ref(), key.span(), value)?;
        out.insert(section.system.clone(), section);
    }
    Ok(out)
}

fn loopback(systems: &Node<'_>) -> bool {
    let Some(table) = systems.get_ref().as_table() else {
        return false;
    };
    table.iter().all(|(_, system)| {
        let has = |key: &str| system.get_ref().as_table().is_some_and(|t| t.contains_key(key));
        let mut all = true;
        texts(system, &mut |text, _| {
            // Schemes are case-blind, and a URL that we can't read is not loopback.
            let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
            if ["http:", "https:", "ldap:", "ldaps:"]
                .iter()
                .any(|s| head.starts_with(s))
            {
                all &= Url::parse(text).is_ok_and(|url| address::loopback(&url));
            }
        });
        // Tasks for people speak to nobody.
        all && (has("url") || has("path") || has("tasks"))
    })
}

fn ledger(source: &Arc<Source>, node: Option<Node<'_>>) -> Result<Ledger, ConfigError> {
    let span = |key: &str| {
        let table = node.as_ref()?.get_ref().as_table()?;
        table.iter().find(|(k, _)| k.get_ref() == key).map(|(k, _)| k.span())
    };
    let (url, path, password) = (span("url"), span("path"), span("password"));
    let ledger: Ledger = optional(source, node)?;
    match (&ledger.url, path, password) {
        (Some(_), Some(path), _) => {
            Err(
                ConfigError::at(source, Some(path), "a ledger is in a file or on a server, not both")
                    .help("leave out path or url"),
            )
        }
        (Some(_), ..) if ledger.key.is_none() => Err(ConfigError::at(
            source,
            url,
            "a ledger on a server needs key: all its hosts sign checkpoints with the same one",
        )
        .help("key = \"file:ledger.key\": made where it doesn't exist; copy it to the other hosts")),
        (None, _, Some(password)) => {
            Err(
                ConfigError::at(source, Some(password), "a password is for a ledger on a server")
                    .help("url names the server"),
            )
        }
        _ => Ok(ledger),
    }
}

#[cfg(test)]
mod tests;
