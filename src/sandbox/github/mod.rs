//! The twin of GitHub: one organisation of an enterprise with SAML, REST and GraphQL on one port.
//!
//! Written from GitHub's own description and pages. It knows no repositories: an outside collaborator is a name on a list. It mails
//! nobody, so an invitation is pending until somebody says otherwise (`PATCH /state`). Unknown routes are 501.

mod app;
mod credentials;
mod given;
mod graphql;
mod members;
mod route;
pub mod seed;
mod shape;
mod state;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    quiet,
    twin::{Reply, Twin, blank},
    world::World,
};

const NAME: &str = "github";
/// The organisation's number.
const ORG_ID: u64 = 90_001;
/// The credential that is an owner's token, which may do less than an App.
const PERSONAL: &str = "personal";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer: route::answer,
    load: given::load,
    state: state::state,
    entry: state::entry,
    restore: state::restore,
    patch: state::patch,
    tick,
    endpoints: |w, _| {
        let org = w.github.as_ref().map(|g| g.org.clone());
        json!({"org": org, "app_id": app::ID, "app_private_key": app::key()})
    },
    operation: route::operation,
    asks: |_, path, _| path == "/graphql" || path.ends_with("/access_tokens"),
    here: |w| w.github.is_some(),
    given: Some(&shape::ORGANISATION),
    more: &[PERSONAL],
    secret: |right, random| {
        let random = random.get(..36).unwrap_or(random);
        match right {
            PERSONAL => format!("github_pat_{random}"),
            _ => format!("ghs_{random}"),
        }
    },
    record: |_, _| Some(json!({"app_id": app::ID.to_string(), "private_key": app::key()}).to_string()),
    section: |w| {
        let org = w.given.pointer("/apps/github/org").and_then(Value::as_str);
        json!({"org": org.unwrap_or("acme"), "id": ORG_ID.to_string()})
    },
    refusal: |seen, status| refusal(status, seen.now),
    ..blank(NAME)
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub id: u64,
    pub login: String,
    #[serde(default = "member")]
    pub role: String,
    /// SSO credential authorizations, by number.
    #[serde(default)]
    pub credentials: BTreeSet<u64>,
    /// Grants of fine-grained tokens, by number.
    #[serde(default)]
    pub pats: BTreeSet<u64>,
    /// A revocation that was accepted takes effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_end: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pats_end: Option<(DateTime<Utc>, BTreeSet<u64>)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    pub id: u64,
    pub login: Option<String>,
    pub email: Option<String>,
    #[serde(default = "direct_member")]
    pub role: String,
    #[serde(default)]
    pub teams: BTreeSet<String>,
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub id: u64,
    pub name: String,
    pub members: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub name_id: String,
    /// Nobody has claimed it yet where there is none.
    pub login: Option<String>,
}

#[derive(Default)]
pub struct Github {
    pub org: String,
    /// Who exists at GitHub: number to login.
    pub accounts: BTreeMap<u64, String>,
    /// By login, lower case.
    pub members: BTreeMap<String, Member>,
    pub invitations: BTreeMap<u64, Invitation>,
    /// By slug.
    pub teams: BTreeMap<String, Team>,
    /// Logins, lower case.
    pub outside: BTreeSet<String>,
    /// Numbers of invitations that were cancelled: to cancel one again is no error.
    pub cancelled: BTreeSet<u64>,
    /// `None`: no SAML.
    pub saml: Option<Vec<Identity>>,
    pub seats: Option<u64>,
    /// Installation tokens that were minted.
    minted: BTreeMap<String, app::Minted>,
    /// The hour that is counted, and its requests by token.
    spent: BTreeMap<String, (i64, u32)>,
    /// The minute that is counted, where a rate is granted by the minute.
    minute: (i64, u32),
    changed: Vec<(&'static str, String)>,
}

fn member() -> String {
    "member".into()
}
fn direct_member() -> String {
    "direct_member".into()
}

fn key(login: &str) -> String {
    login.to_lowercase()
}

/// Their numbers and logins at GitHub.
fn quiet_member(n: usize) -> Member {
    Member {
        id: 100_000 + n as u64,
        login: quiet_login(n),
        role: member(),
        credentials: BTreeSet::new(),
        pats: BTreeSet::new(),
        credentials_end: None,
        pats_end: None,
    }
}
fn quiet_login(n: usize) -> String {
    format!("p{n:05}")
}

impl Github {
    fn touch(&mut self, list: &'static str, id: impl Into<String>) {
        self.changed.push((list, id.into()));
    }
    /// GitHub's own spelling.
    fn account(&self, login: &str) -> Option<(u64, &str)> {
        self.accounts
            .iter()
            .find(|(_, l)| l.eq_ignore_ascii_case(login))
            .map(|(id, l)| (*id, l.as_str()))
    }
    /// An invitation to that login.
    fn invited(&self, login: &str) -> Option<&Invitation> {
        let to = |i: &&Invitation| i.login.as_deref().is_some_and(|l| l.eq_ignore_ascii_case(login));
        self.invitations.values().find(to)
    }
    fn owners(&self) -> usize {
        self.members.values().filter(|m| m.role == "admin").count()
    }
    fn next_invitation(&self) -> u64 {
        self.invitations.keys().max().copied().unwrap_or(5000) + 1
    }
    /// Addresses at a domain that the organisation verified, of a member.
    fn emails(&self, login: &str, directory: &BTreeMap<String, String>) -> Vec<String> {
        if !self.members.contains_key(&key(login)) {
            return Vec::new();
        }
        directory.get(&key(login)).cloned().into_iter().collect()
    }
}

/// Who in the firm goes by which login there: the profile says so, and quiet people by their number.
fn directory(world: &World) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = (1..=quiet::count(&world.given))
        .map(|n| (quiet_login(n), quiet::login(n)))
        .collect();
    for p in world.okta.people() {
        let login = p.text("githubLogin");
        if !login.is_empty() {
            out.insert(key(login), p.text("email").to_owned());
        }
    }
    out
}

/// GitHub's error body.
fn refuse(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
    )
}

fn not_found() -> Reply {
    refuse(404, "Not Found")
}

fn invalid(code: &str, field: &str, message: &str) -> Reply {
    Reply::json(
        422,
        &json!({"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest", "status": "422",
            "errors": [{"resource": "OrganizationInvitation", "code": code, "field": field, "message": message}]}),
    )
}

/// For a fault by name: what GitHub says with that status.
fn refusal(status: u16, now: DateTime<Utc>) -> Reply {
    match status {
        401 => refuse(401, "Bad credentials"),
        403 => refuse(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", "members=write")
            .with("x-ratelimit-remaining", "4999"),
        404 => not_found(),
        429 => refuse(
            429,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        )
        .with("retry-after", "2")
        .with("x-ratelimit-reset", (now.timestamp() + 2).to_string()),
        _ => refuse(status, "Server Error"),
    }
}

/// What was accepted takes effect some time later.
fn tick(world: &mut World, now: DateTime<Utc>) {
    let Some(g) = &mut world.github else { return };
    let mut ended = Vec::new();
    for (login, m) in &mut g.members {
        if m.credentials_end.is_some_and(|t| t <= now) {
            m.credentials.clear();
            m.credentials_end = None;
            ended.push(login.clone());
        }
        if m.pats_end.as_ref().is_some_and(|(t, _)| *t <= now)
            && let Some((_, gone)) = m.pats_end.take()
        {
            m.pats.retain(|p| !gone.contains(p));
            ended.push(login.clone());
        }
    }
    for login in ended {
        world.touch(NAME, "members", &login);
    }
}
