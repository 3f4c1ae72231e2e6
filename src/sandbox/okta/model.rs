//! What Okta keeps: people, groups, rules, apps. Plain data, in the order of its ids; everything here survives a restart.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sandbox::world::Provision;

pub type Time = DateTime<Utc>;

pub fn stamp(t: Time) -> String {
    t.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn stamp_or_null(t: Option<Time>) -> Value {
    t.map_or(Value::Null, |t| stamp(t).into())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    PasswordExpired,
    LockedOut,
    Suspended,
    Deprovisioned,
}

impl Status {
    pub fn parse(text: &str) -> Option<Status> {
        serde_json::from_value(text.into()).ok()
    }
    pub fn name(self) -> &'static str {
        match self {
            Status::Staged => "STAGED",
            Status::Provisioned => "PROVISIONED",
            Status::Active => "ACTIVE",
            Status::Recovery => "RECOVERY",
            Status::PasswordExpired => "PASSWORD_EXPIRED",
            Status::LockedOut => "LOCKED_OUT",
            Status::Suspended => "SUSPENDED",
            Status::Deprovisioned => "DEPROVISIONED",
        }
    }
}

/// One consent of a person for an app of theirs, or a refresh token that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    pub client: String,
    pub scope: String,
    pub created: Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub status: Status,
    /// While a deactivation runs behind the answer.
    pub transition: Option<Status>,
    pub profile: Map<String, Value>,
    /// Group id to the rules that fill the membership; none: a person or the API put them there. Everyone isn't listed.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    pub roles: Vec<String>,
    pub sessions: u64,
    pub grants: Vec<Grant>,
    pub tokens: Vec<Grant>,
    pub factors: Vec<String>,
    /// OKTA, ACTIVE_DIRECTORY, …
    pub provider: String,
    /// HR owns some of their attributes.
    pub mastered: bool,
    pub created: Time,
    pub activated: Option<Time>,
    pub status_changed: Option<Time>,
    pub last_updated: Time,
    pub password_changed: Option<Time>,
    pub last_login: Option<Time>,
    /// Counts changes: what the ETag is made of.
    pub version: u64,
}

impl Person {
    pub fn text(&self, attribute: &str) -> &str {
        self.profile.get(attribute).and_then(Value::as_str).unwrap_or_default()
    }
    pub fn login(&self) -> &str {
        self.text("login")
    }
    pub fn display(&self) -> String {
        format!("{} {}", self.text("firstName"), self.text("lastName"))
    }
    /// Deactivated, or about to be.
    pub fn ended(&self) -> bool {
        self.status == Status::Deprovisioned || self.transition == Some(Status::Deprovisioned)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    OktaGroup,
    AppGroup,
    BuiltIn,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::OktaGroup => "OKTA_GROUP",
            Kind::AppGroup => "APP_GROUP",
            Kind::BuiltIn => "BUILT_IN",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: Kind,
    pub roles: Vec<String>,
    /// Ids of people or groups.
    pub owners: Vec<String>,
    pub created: Time,
    pub last_updated: Time,
    pub last_membership_updated: Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub name: String,
    /// ACTIVE, INACTIVE, INVALID
    pub status: String,
    pub expression: String,
    pub groups: Vec<String>,
    pub exclude_users: Vec<String>,
    pub exclude_groups: Vec<String>,
    /// Whether its body came with `conditions.people`.
    pub people: bool,
    pub created: Time,
    pub last_updated: Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The group that grants it; none: assigned to the person directly.
    pub group: Option<String>,
    pub user_name: String,
    pub external_id: Option<String>,
    pub since: Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct App {
    pub id: String,
    pub label: String,
    pub name: String,
    pub active: bool,
    pub features: Vec<String>,
    /// The system whose accounts Okta makes and ends.
    pub provisions: Option<String>,
    /// Groups it is assigned to, in order of priority.
    pub groups: Vec<String>,
    /// By person.
    pub assigned: BTreeMap<String, Assignment>,
    pub created: Time,
    pub last_updated: Time,
}

impl App {
    pub fn does(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }
}

/// What has yet to happen by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// The rules run for a person.
    Rules(String),
    /// A rule was activated: it runs for everyone.
    Rule(String),
    /// A deactivation reaches its end.
    Deprovision(String),
    /// The background task takes the apps away.
    Unassign(String),
    /// An app is told of a person.
    Provision(Provision),
}

/// A service app: what `/oauth2/v1/token` knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub name: String,
    /// Granted, whatever is asked for.
    pub scopes: BTreeSet<String>,
    /// Must every call prove possession of a key?
    pub dpop: bool,
    pub role: Role,
}

/// The admin role of a caller, beside scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May touch super admins and what they guard.
    Super,
    /// A custom role over everyone else.
    Custom,
    /// None: lists are empty, everything else is refused.
    None,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Access {
    pub client: String,
    pub scopes: BTreeSet<String>,
    pub expires: Time,
    /// Thumbprint of the key that a DPoP token is bound to.
    pub key: Option<String>,
}
