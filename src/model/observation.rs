//! What was seen. Each part of an account may be unknown by itself; absent is a positive statement.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Effect, Failure, Grant, Person, PersonId, System, Verb, Verbs};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed<T> {
    Present(T),
    Absent,
    Unknown(Failure),
}

impl<T> Observed<T> {
    pub fn present(&self) -> Option<&T> {
        match self {
            Observed::Present(t) => Some(t),
            Observed::Absent | Observed::Unknown(_) => None,
        }
    }
    pub fn unknown(&self) -> Option<&Failure> {
        match self {
            Observed::Unknown(f) => Some(f),
            Observed::Present(_) | Observed::Absent => None,
        }
    }
}

/// Ordered by how much is shut: `>= Suspended` can't sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Exists, was never activated.
    Pending,
    Active,
    Suspended,
    Closed,
}

/// What kind of thing a person can hold in a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    Group,
    App,
    Team,
    Channel,
    Org,
    Invitation,
    Grant,
    /// API tokens of the person's own.
    Token,
    /// OAuth clients that hold tokens for the person.
    Client,
    Role,
    Seat,
    /// What would stop or be orphaned: shown, captured in the manifest.
    Owned,
    /// Live sessions, where the vendor lists them.
    Session,
    /// A transfer of files, running or over: facts `to` (an address) and `status` (the vendor's word).
    Transfer,
    /// What only a person can do: facts `owner` and `due` (a duration).
    Task,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    Running,
    Completed,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    pub kind: Holding,
    pub id: String,
    pub name: String,
    /// How it is held, where that matters: an app assignment's scope (`USER`, `GROUP`), a role's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What stands behind: the group that grants an app, the user name the app knows, the external id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Held {
    pub fn new(kind: Holding, id: impl Into<String>, name: impl Into<String>) -> Self {
        Held {
            kind,
            id: id.into(),
            name: name.into(),
            via: None,
            facts: BTreeMap::new(),
        }
    }
    /// Empty where there is none.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map_or("", String::as_str)
    }
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
    /// Of a transfer. A word that nobody knows is not the end of it.
    pub fn transfer(&self) -> Transfer {
        match self.fact("status").to_lowercase().as_str() {
            "completed" => Transfer::Completed,
            "failed" => Transfer::Failed,
            _ => Transfer::Running,
        }
    }
    /// Of a transfer: is it that address's, by its first name or by another (`aliases`, parted by spaces)?
    pub fn goes_to(&self, address: &str) -> bool {
        let mut names = self.fact("aliases").split(' ');
        self.fact("to").eq_ignore_ascii_case(address) || names.any(|n| n.eq_ignore_ascii_case(address))
    }
    /// Why it can't be taken away and is only named: a primary group.
    pub fn stays(&self) -> Option<&str> {
        self.facts.get("stays").map(String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    pub login: String,
    pub state: State,
    /// The vendor's own word for the state: `DEPROVISIONED`, `deactivated`.
    pub word: String,
    /// A key that is absent was not asked for.
    pub holds: BTreeMap<Holding, Observed<BTreeSet<Held>>>,
    /// Why this account can't be taken away by us, before anything is tried: `primary owner of the workspace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// Other names that it goes by there: addresses, an identity of the directory's, an employee's number. For finding whose it is.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub known_as: BTreeSet<String>,
    /// When the password was last set, as the system writes it: what a reset is proved by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_set: Option<String>,
}

impl Account {
    /// An account of which no part was asked for.
    pub fn new(id: impl Into<String>, login: impl Into<String>, state: State, word: impl Into<String>) -> Self {
        Account {
            id: id.into(),
            login: login.into(),
            state,
            word: word.into(),
            holds: BTreeMap::new(),
            blocked: None,
            known_as: BTreeSet::new(),
            password_set: None,
        }
    }
    /// What is held of that kind, as far as it was read.
    pub fn held(&self, kind: Holding) -> impl Iterator<Item = &Held> {
        self.holds.get(&kind).and_then(Observed::present).into_iter().flatten()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What this instance can do (its plan, its settings), as data for the planner.
    pub can: Verbs,
    pub account: Observed<Account>,
    /// The directory's app that stands for this system, where it is assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

impl Seen {
    pub fn new(can: Verbs, account: Observed<Account>) -> Self {
        Seen {
            can,
            account,
            app: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupKind {
    OktaGroup,
    AppGroup,
    BuiltIn,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: GroupKind,
    /// Carries an admin role: never a policy group.
    pub admin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleStatus {
    Active,
    Inactive,
    Invalid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub name: String,
    pub status: RuleStatus,
    /// Ids of the groups it fills.
    pub groups: BTreeSet<String>,
    pub excluded: BTreeSet<PersonId>,
    pub expression: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub id: String,
    pub label: String,
    pub name: String,
    pub active: bool,
    /// Provisioning features: `PUSH_USER_DEACTIVATION` says that an unassigned account is deactivated downstream.
    pub features: BTreeSet<String>,
}

impl App {
    pub fn deprovisions(&self) -> bool {
        self.features.contains("PUSH_USER_DEACTIVATION")
    }
}

/// What a manager chain and a brake need of other people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub id: PersonId,
    pub login: String,
    pub name: String,
    pub live: bool,
    /// Their own manager, as their profile calls them.
    pub manager: Option<String>,
}

/// Read once a run and shared by everyone's observation. A part that could not be read is Unknown, and plans that need it hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// Organisation id: the tenant.
    pub tenant: String,
    pub groups: Observed<BTreeMap<String, Group>>,
    pub rules: Observed<Vec<Rule>>,
    pub apps: Observed<BTreeMap<String, App>>,
    /// Group id to app ids, for the groups that were asked about.
    pub apps_of_group: BTreeMap<String, Observed<BTreeSet<String>>>,
    /// What policy may give in a system beside Okta's groups, by its name there: channels, teams.
    pub offers: BTreeMap<System, Observed<BTreeMap<String, Held>>>,
    /// Whom protection names, and why: policy's list, super admins, the operator.
    pub protected: BTreeMap<PersonId, String>,
    /// The protected list could not be read whole: nobody may be assumed unprotected.
    pub protection_unknown: Option<Failure>,
    /// Managers by what profiles call them (login, id, number), lower case.
    pub managers: BTreeMap<String, Observed<Brief>>,
    /// People who leave in this same run: no transfer or message goes to them.
    pub leaving: BTreeSet<PersonId>,
}

impl Catalogue {
    pub fn group_named(&self, name: &str) -> Result<&Group, GroupFault> {
        let groups = match &self.groups {
            Observed::Present(g) => g,
            Observed::Absent => return Err(GroupFault::Missing),
            Observed::Unknown(f) => return Err(GroupFault::Unread(f.clone())),
        };
        let mut found = groups
            .values()
            .filter(|g| g.name == name && g.kind == GroupKind::OktaGroup);
        match (found.next(), found.next()) {
            (Some(g), None) => Ok(g),
            (Some(_), Some(_)) => Err(GroupFault::Twice),
            (None, _) if groups.values().any(|g| g.name == name) => Err(GroupFault::WrongKind),
            (None, _) => Err(GroupFault::Missing),
        }
    }
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.present().and_then(|g| g.get(id))
    }
    /// Active rules that may fill the group for this person.
    pub fn rules_filling<'a>(&'a self, group: &'a str, who: &'a PersonId) -> impl Iterator<Item = &'a Rule> {
        self.rules
            .present()
            .into_iter()
            .flatten()
            .filter(move |r| r.status == RuleStatus::Active && r.groups.contains(group) && !r.excluded.contains(who))
    }
}

/// Why a group that policy names can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupFault {
    Missing,
    Twice,
    WrongKind,
    Unread(Failure),
}

/// Everything a planner may look at.
#[derive(Clone, Debug)]
pub struct Observation {
    pub person: Person,
    pub tenant: Arc<Catalogue>,
    pub systems: BTreeMap<System, Seen>,
    /// From the ledger: when each verb was last done for this person in that system. Sessions and messages can't be read back; whether
    /// the sign-out came after the shutting is told by the instants of suspend and deactivate beside it.
    pub done: BTreeMap<(System, Verb), DateTime<Utc>>,
    /// What the ledger says jml itself gave: (system, holding id).
    pub given: BTreeSet<(System, String)>,
    /// Exceptions, those that ended and were not taken back yet among them.
    pub grants: Vec<Grant>,
    /// What an unfinished run of the ledger still owes this person, and since when: an owed message would else be forgotten, and a
    /// deadline start anew at each sweep.
    pub owed: Vec<(Effect, DateTime<Utc>)>,
}

impl Observation {
    pub fn account(&self, system: &System) -> Option<&Account> {
        self.systems.get(system).and_then(|s| s.account.present())
    }
}
