//! Google Workspace: ends a leaver's sessions, tokens and app passwords, suspends the account, and has their files moved.
//!
//! Deletes nobody: that starts a clock on their data and stops what is being moved. Touches no super administrator, whose role a person
//! takes first, and no licence (a suspended account is still billed). It acts as an administrator, by a service account with domain-wide
//! delegation, and asks for each family of scopes in a token of its own, since one scope that isn't delegated refuses the whole request.
//! Facts: developers.google.com/workspace/admin.

mod auth;
mod eyes;
mod hands;
#[cfg(test)]
mod tests;
mod transfers;
mod users;
mod wire;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write, duration, duration_opt},
    http::{Credential, Reader},
    model::{System, Verb, Verbs},
    providers::{Act, Look, Need, Row, Target},
};

use auth::ServiceAccount;
pub use eyes::Eyes;
pub use hands::Hands;
pub use wire::explain;

pub const ROW: Row = Row::new("google")
    .page("https://developers.google.com/workspace/admin")
    .okta(&["google", "Google Workspace", "Google Apps"])
    .pin("customer")
    .needs(NEEDS)
    .target::<Google>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::Suspend,
    Verb::ClearSessions,
    Verb::RevokeToken,
    Verb::RevokeClientTokens,
    Verb::RemoveMember,
    Verb::AddMember,
    Verb::StartTransfer,
];

pub const NEEDS: &[Need] = &[
    Need::read("admin.directory.user.readonly", "see accounts"),
    Need::read(
        "admin.directory.user.security",
        "see tokens and app passwords; Google has no scope that only reads them",
    ),
    Need::read("admin.datatransfer.readonly", "see how far a transfer of files is"),
    Need::read(
        "admin.directory.group.readonly",
        "see groups and memberships, where `groups = true`",
    ),
    Need::write("admin.directory.user", "suspend"),
    Need::write(
        "admin.directory.user.security",
        "sign out, revoke tokens, app passwords and backup codes",
    ),
    Need::write("admin.datatransfer", "have files moved"),
    Need::write(
        "admin.directory.group.member",
        "bring people into groups and take them out, where `groups = true`",
    ),
];

/// `[systems.google]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the Admin SDK: https://admin.googleapis.com.
    url: BaseUrl,
    /// Where tokens are asked for; by default https://oauth2.googleapis.com, or the same as `url` elsewhere.
    token_url: Option<BaseUrl>,
    /// The customer's id (C0...). Another answer is refused.
    customer: Option<String>,
    /// The administrator as whom the service account acts, by primary address.
    admin: String,
    /// The key file (JSON) of a service account to whom only read scopes are delegated.
    read: Option<SecretRef<Read>>,
    /// The key file (JSON) of the service account with the write scopes.
    write: SecretRef<Write>,
    /// Are Google's groups kept here? Not where Okta fills them.
    #[serde(default)]
    groups: bool,
    /// What is moved to somebody else, by the applications' names; none: nothing is.
    #[serde(default = "drive_and_calendar")]
    transfer: Vec<String>,
    /// Until when a transfer that runs is merely owed; by default `transfer` of `[deadlines]`.
    #[serde(default, deserialize_with = "duration_opt")]
    #[schemars(with = "Option<String>")]
    transfer_deadline: Option<Duration>,
    /// How long a command looks again at a transfer that was just started, before it leaves it to the next sweep.
    #[serde(default, deserialize_with = "duration")]
    #[schemars(with = "String")]
    transfer_wait: Duration,
}

fn drive_and_calendar() -> Vec<String> {
    vec!["Drive and Docs".into(), "Calendar".into()]
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        if self.admin.contains('@') {
            Ok(())
        } else {
            Err("admin is the primary address of the administrator as whom jml acts".into())
        }
    }
}

impl Settings {
    fn token_url(&self) -> BaseUrl {
        let googles = self
            .url
            .as_url()
            .host_str()
            .is_some_and(|h| h.ends_with("googleapis.com"));
        let vendors = googles.then(|| "https://oauth2.googleapis.com".parse().ok()).flatten();
        self.token_url.clone().or(vendors).unwrap_or_else(|| self.url.clone())
    }
    fn verbs(&self) -> Verbs {
        let off = |v: &Verb| match v {
            Verb::RemoveMember | Verb::AddMember => !self.groups,
            Verb::StartTransfer => self.transfer.is_empty(),
            _ => false,
        };
        VERBS.iter().copied().filter(|v| !off(v)).collect()
    }
    fn account(&self, key: Credential, scopes: &[&'static str], look: &Look, system: &System) -> Arc<ServiceAccount> {
        let http: Reader = look.anonymous(system, &self.token_url(), explain);
        ServiceAccount::new(key, &self.admin, scopes, http)
    }
}

pub struct Google;

impl Target for Google {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let reader = |scopes: &[&'static str]| {
            let key = look.either(s.read.as_ref(), &s.write);
            look.reader(&system, &s.url, s.account(key, scopes, look, &system), explain)
        };
        let directory: &[&str] = if s.groups {
            &["admin.directory.user.readonly", "admin.directory.group.readonly"]
        } else {
            &["admin.directory.user.readonly"]
        };
        let transfers = transfers::Transfers::new(reader(&["admin.datatransfer.readonly"]), s.transfer.clone());
        Eyes {
            can: s.verbs(),
            directory: reader(directory),
            security: reader(&["admin.directory.user.security"]),
            transfers,
            customer: s.customer,
            admin: s.admin,
            groups: s.groups,
            deadline: s.transfer_deadline,
            wait: s.transfer_wait,
            canary: Default::default(),
        }
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let writer = |scopes: &[&'static str]| {
            let key = act.secret(&s.write);
            act.writer(&system, &s.url, s.account(key, scopes, act.look(), &system), explain)
        };
        // Containment must not hang on the scopes of the rest.
        let moving = writer(&["admin.datatransfer"]);
        Hands {
            users: writer(&["admin.directory.user", "admin.directory.user.security"]),
            members: writer(&["admin.directory.group.member"]),
            transfers: transfers::Transfers::new(moving.reader().clone(), s.transfer),
            moving,
        }
    }
}
