//! LDAP: Active Directory, OpenLDAP, 389 Directory Server, FreeIPA. Shuts a leaver's account, resets its password, takes it out of groups.
//!
//! Makes no account, deletes and moves none, never binds as anybody but its own two accounts, and speaks without TLS to loopback alone. It
//! acts by an id that stays when somebody is renamed or moved, never by a remembered name. Kerberos tickets and open sessions live on until
//! they end by themselves: no directory can call them back.

mod directory;
mod eyes;
mod fault;
mod few;
mod hands;
mod profile;
#[cfg(test)]
mod tests;
mod value;

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::{
    config::{Read, SecretRef, Write},
    http::Credential,
    model::{System, Verb},
    providers::{Act, Look, Need, Row, Settings as Check, Target, field},
};

pub use eyes::Eyes;
pub use hands::Hands;

use directory::{Door, Reader, Writer};
use profile::Kind;

pub const ROW: Row = Row::new("ldap")
    .page("https://learn.microsoft.com/openspecs/windows_protocols/ms-adts")
    .okta(&["active_directory"])
    .needs(NEEDS)
    .target::<Directory>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::Suspend,
    Verb::Activate,
    Verb::ResetPassword,
    Verb::RemoveMember,
    Verb::AddMember,
];

pub const NEEDS: &[Need] = &[
    Need::read(
        "read people and groups",
        "see accounts, what shuts them, and memberships",
    ),
    Need::write(
        "write userAccountControl",
        "disable and enable (OpenLDAP: pwdAccountLockedTime)",
    ),
    Need::write("control right Reset Password", "set a password that nobody knows"),
    Need::write("write member", "take people out of each managed group, and put them in"),
];

/// `[systems.ad]` with `kind = "ldap"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// One server by its full name: ldaps://dc1.corp.acme.example; ldap:// with starttls, or to loopback alone.
    url: String,
    /// TLS begins on the connection itself wherever a url is ldap://; a server that doesn't offer it is told nothing.
    #[serde(default)]
    starttls: bool,
    /// Further servers of the same domain, tried in this order where the first doesn't answer.
    #[serde(default)]
    fallback: Vec<String>,
    /// Servers that must show the same before anything counts as so. They are read, never written to.
    #[serde(default)]
    verify_on: Vec<String>,
    #[serde(default)]
    profile: Kind,
    /// Under which people stand.
    base: String,
    /// Under which the groups stand that jml may change; others are only named. Default: `base`.
    groups: Option<String>,
    /// A PEM file of the authority that signed the servers' certificates; then no other is believed. Default: the platform's.
    ca: Option<PathBuf>,
    /// The SID of the domain. Another answer is refused.
    domain: Option<String>,
    /// By which attributes people are found, the surest first. Default: by the profile.
    find: Option<Vec<Find>>,
    /// An account that is surely there, by its id, with every attribute of `find`. Default: anybody who has the attribute.
    canary: Option<String>,
    /// How long one operation may take.
    #[serde(default = "patience")]
    timeout: String,
    /// A record of `user` and `password` that can only look.
    read: Option<SecretRef<Read>>,
    /// A record of `user` and `password`.
    write: SecretRef<Write>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    attribute: String,
    /// Of the person in the directory: `login`, `email`, `local part of login`, or an attribute of their profile.
    from: String,
}

fn patience() -> String {
    "10s".into()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// To loopback alone.
    None,
    FromTheStart,
    /// By StartTLS, before anything else is said.
    Begun,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub url: String,
    pub host: String,
    pub tls: Tls,
}

impl Server {
    fn parse(text: &str, starttls: bool) -> Result<Server, String> {
        let url = Url::parse(text).map_err(|e| format!("{text:?} is no URL: {e}"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let tls = match url.scheme() {
            "ldaps" => Tls::FromTheStart,
            "ldap" if starttls => Tls::Begun,
            "ldap" => Tls::None,
            _ => return Err(format!("{text:?}: ldaps://HOST is wanted")),
        };
        let numbers: Option<std::net::Ipv4Addr> = host.parse().ok();
        if tls == Tls::None && host != "localhost" && !numbers.is_some_and(|ip| ip.is_loopback()) {
            return Err(format!(
                "{text:?}: a password would travel in clear: ldaps:// is wanted, or starttls = true"
            ));
        }
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if host.is_empty() || !bare || !["", "/"].contains(&url.path()) {
            return Err(format!(
                "{text:?}: a server is a scheme, a name and a port, and nothing else"
            ));
        }
        let url = text.trim_end_matches('/').to_owned();
        Ok(Server { url, host, tls })
    }
}

fn is_attribute(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && text.bytes().all(plain)
}

impl Settings {
    fn patience(&self) -> Option<Duration> {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(120));
        humantime::parse_duration(&self.timeout)
            .ok()
            .filter(|d| (least..=most).contains(d))
    }
    fn servers(&self) -> Vec<Server> {
        let all = std::iter::once(&self.url).chain(&self.fallback);
        self.parsed(all)
    }
    fn parsed<'a>(&self, urls: impl IntoIterator<Item = &'a String>) -> Vec<Server> {
        let parsed = urls.into_iter().map(|u| Server::parse(u, self.starttls));
        parsed.filter_map(Result::ok).collect()
    }
    fn find(&self) -> Vec<Find> {
        let usual = |(attribute, from): &(&str, &str)| Find {
            attribute: (*attribute).to_owned(),
            from: (*from).to_owned(),
        };
        self.find
            .clone()
            .unwrap_or_else(|| self.profile.profile().find.iter().map(usual).collect())
    }
    fn door(&self, system: &System, servers: Vec<Server>, folder: &std::path::Path, record: &Credential) -> Door {
        Door {
            system: system.clone(),
            servers,
            ca: self.ca.as_ref().map(|ca| folder.join(ca)),
            user: field(record.clone(), "user"),
            password: field(record.clone(), "password"),
            patience: self.patience().unwrap_or(Duration::from_secs(10)),
        }
    }
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        for url in [&self.url].into_iter().chain(&self.fallback).chain(&self.verify_on) {
            Server::parse(url, self.starttls)?;
        }
        if !self.base.contains('=') {
            return Err("base: a DN is wanted, such as OU=People,DC=corp,DC=acme,DC=example".into());
        }
        if self.patience().is_none() {
            return Err(format!("timeout: {:?} is no duration from 100ms to 2min", self.timeout));
        }
        let find = self.find();
        if find.is_empty() {
            return Err("find: nobody can be found by nothing".into());
        }
        if let Some(odd) = find.iter().find(|f| !is_attribute(&f.attribute)) {
            return Err(format!("find: {:?} is no attribute's name", odd.attribute));
        }
        if self.domain.is_some() && self.profile != Kind::Ad {
            return Err("domain: only Active Directory has a SID; other directories are pinned by their base".into());
        }
        Ok(())
    }
}

pub struct Directory;

impl Target for Directory {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let record = look.either(s.read.as_ref(), &s.write);
        let reader = |servers| Reader::new(s.door(&system, servers, look.folder(), &record));
        let main = reader(s.servers());
        let others = s.parsed(&s.verify_on).into_iter();
        let others = others.map(|server| reader(vec![server])).collect();
        Eyes::new(main, others, s)
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let record = act.secret(&s.write);
        let writer = Writer::open(s.door(&system, s.servers(), act.look().folder(), &record));
        Hands::new(writer, &s)
    }
}
