//! The pretend firm: each system's own state side by side, and what of it changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    akamai::Akamai, crowdstrike::CrowdStrike, datadog::Datadog, github::Github, google::Google, hibob::Hibob,
    ldap::Ldap, okta::Okta, salesforce::Org, scim::Scim, servicenow::Servicenow, slack::Slack,
    successfactors::Successfactors, vault::Vault, wiz::Wiz, zoom::Zoom,
};

/// A token of one system. The journal writes its name, never the secret.
#[derive(Clone)]
pub struct Credential {
    pub system: &'static str,
    /// `okta.read`
    pub name: String,
    pub secret: String,
    /// May it change anything? A mutating call with a credential that may not is the vendor's 403.
    pub write: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProvisionKind {
    /// Make the account, or bring it back.
    Create,
    Deactivate,
}

/// One push of Okta's provisioning to an app: whom it is about, as the assignment names them and as the directory does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provision {
    /// `slack`, `scim:wiki`: the journal's name of the system.
    pub system: String,
    pub kind: ProvisionKind,
    pub user_id: String,
    pub email: String,
    pub user_name: String,
    pub external_id: Option<String>,
    pub profile: Map<String, Value>,
}

#[derive(Default)]
pub struct World {
    /// The servers' clock at the present request; the engine sets it.
    pub now: DateTime<Utc>,
    /// To what instant the clock was last set: HR's import completed 10 minutes before it.
    pub set_at: DateTime<Utc>,
    /// The whole `given` document as loaded (`policy`, `population`, `roster` … where a key is absent its default holds): twins read
    /// from it who is a quiet person and what policy gives them.
    pub given: Value,
    /// Who may call: three a system (`okta.read`, `okta.write`, `okta.all`). Made by the engine before `load`.
    pub credentials: Vec<Credential>,
    /// Requests a minute that a system grants (`serve --rate okta:600/min`); a system that isn't named has the vendor's own limits.
    pub rates: BTreeMap<String, u32>,
    /// Under which name the row at hand is asked, its own or an instance's (`scim:wiki`); `member` sets it.
    pub asked: String,
    /// Ways to differ that faults have turned on, by system.
    pub manners: BTreeMap<String, BTreeSet<String>>,
    pub okta: Okta,
    /// What Okta tells other systems at this moment: the engine hands each to its system's twin.
    pub provisioning: Vec<Provision>,
    /// `None`: the world doesn't name the system, no port is opened for it.
    pub slack: Option<Slack>,
    pub google: Option<Google>,
    pub salesforce: Option<Org>,
    /// The domain on the firm's own premises.
    pub ldap: Option<Ldap>,
    /// By name: `scim:wiki`.
    pub scim: BTreeMap<String, Scim>,
    pub zoom: Option<Zoom>,
    pub github: Option<Github>,
    pub crowdstrike: Option<CrowdStrike>,
    pub wiz: Option<Wiz>,
    pub akamai: Option<Akamai>,
    pub servicenow: Servicenow,
    pub datadog: Datadog,
    pub hibob: Hibob,
    pub successfactors: Successfactors,
    pub vault: Option<Vault>,
    /// Entries changed since the change log was last written: (system, list, id).
    pub dirty: BTreeSet<(String, String, String)>,
}

impl World {
    /// The credential of that system with this secret: none means 401.
    pub fn credential(&self, system: &str, secret: &str) -> Option<&Credential> {
        self.credentials
            .iter()
            .find(|c| c.system == system && c.secret == secret)
    }
    pub fn secret(&self, name: &str) -> Option<&str> {
        let found = self.credentials.iter().find(|c| c.name == name);
        found.map(|c| c.secret.as_str())
    }
    /// A twin says what it changed; the engine writes it down before the answer leaves.
    pub fn touch(&mut self, system: &str, list: &str, id: &str) {
        self.dirty.insert((system.into(), list.into(), id.into()));
    }
}
