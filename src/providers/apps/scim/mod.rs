//! SCIM 2.0 (RFC 7643, 7644, 9865): any app that provisions by it, as many as the configuration names; and, by the same client, a roster.
//!
//! Servers differ, so each deviation is a key of the section, and nothing is guessed from what a server says of itself. It makes no
//! account (the directory's provisioning does), never empties a group, and believes no answer to a change: the proof is a GET by id.

mod eyes;
mod hands;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Fixed, Scheme},
    model::{System, Verb},
    providers::{Act, Look, Need, Row, Target, hr::scim::Employees},
};

pub use eyes::Eyes;
pub use hands::Hands;
pub use server::Server;
pub use wire::{ENTERPRISE, Resource, explain};

pub const ROW: Row = Row::new("scim")
    .page("https://www.rfc-editor.org/rfc/rfc7644")
    .needs(NEEDS)
    .target::<Scim>(VERBS)
    .roster::<Employees>();

pub const VERBS: &[Verb] = &[Verb::Deactivate, Verb::RemoveMember, Verb::AddMember];

pub const NEEDS: &[Need] = &[
    Need::read("read /Users and /Groups", "see accounts and who is in which group"),
    Need::write("change /Users", "deactivate accounts"),
    Need::write("change /Groups", "take people out of groups"),
];

/// `[systems.NAME]` with `kind = "scim"`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whatever stands before `/Users`: https://wiki.acme.example/scim/v2
    pub url: BaseUrl,
    /// A token that only reads. Where the server has but one, leave it out.
    pub read: Option<SecretRef<Read>>,
    pub write: SecretRef<Write>,
    /// What an account is found by, where its id isn't known yet.
    #[serde(default = "find_by")]
    pub find_by: Vec<Key>,
    /// What the server's `externalId` holds: `id` (the directory's), or an attribute of the directory's profile (`employeeNumber`).
    #[serde(default = "id")]
    pub external_id: String,
    /// A login that surely has an account here: that it is found proves that one who isn't found has none. By default one of the list.
    pub canary: Option<String>,
    /// `off`: the server filters badly or not at all; everybody is read, and looked through here.
    #[serde(default)]
    pub filter: Switch,
    #[serde(default)]
    pub paging: Paging,
    /// How many are asked for in one page.
    #[serde(default = "page_size")]
    pub page_size: u32,
    #[serde(default)]
    pub deprovision: Deprovision,
    /// `off`: PATCH without a path, the value an object (Salesforce).
    #[serde(default)]
    pub patch_path: Switch,
    #[serde(default)]
    pub op_case: OpCase,
    /// How `active` is written. Either is understood when read.
    #[serde(default)]
    pub active_as: ActiveAs,
    #[serde(default)]
    pub gone_is: Gone,
    /// `off`: the server has no groups, or none that jml should touch.
    #[serde(default)]
    pub groups: Switch,
    /// `off`: groups never show who is in them (AWS); each is asked by its id and the person's.
    #[serde(default)]
    pub members_readable: Switch,
    #[serde(default)]
    pub content_type: ContentType,
    /// Of a roster.
    #[serde(default)]
    pub inactive_means: Inactive,
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        if self.find_by.is_empty() {
            return Err("find_by must name at least one key: userName, externalId, emails".into());
        }
        if self.page_size == 0 {
            return Err("page_size is at least 1".into());
        }
        Ok(())
    }
}

fn find_by() -> Vec<Key> {
    vec![Key::UserName, Key::ExternalId]
}
fn id() -> String {
    "id".into()
}
fn page_size() -> u32 {
    200
}

/// As filters write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    UserName,
    ExternalId,
    Emails,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    #[default]
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Paging {
    #[default]
    Index,
    /// RFC 9865
    Cursor,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deprovision {
    #[default]
    Patch,
    /// The whole account is read and written back with `active` false.
    Put,
    /// Destroys the account's history in most apps.
    Delete,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OpCase {
    /// `replace`
    #[default]
    Lower,
    /// `Replace`
    Capital,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActiveAs {
    #[default]
    Bool,
    /// "True" and "False"
    String,
}

/// What it means that the server knows the id of an account no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gone {
    /// That has to be proved: nobody may be found by the other keys either.
    #[default]
    Unknown,
    /// The server deletes whom it deactivates, or hides them (PagerDuty, GitHub).
    Deleted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentType {
    /// `application/scim+json`
    #[default]
    Scim,
    /// `application/json`
    Json,
}

/// What a roster's `active: false` says of employment: also who is suspended, on leave or not yet here is inactive in most sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inactive {
    #[default]
    Unknown,
    Terminated,
}

pub struct Scim;

impl Target for Scim {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        Eyes::new(reader(&system, &s, look), s)
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let token = Fixed::one(Scheme::Bearer, act.secret(&s.write));
        let writer = act.writer(&system, &s.url, token, explain);
        Hands::new(writer, s)
    }
}

/// The server, seen with the token that reads.
pub fn reader(system: &System, s: &Settings, look: &Look) -> Server {
    let token = Fixed::one(Scheme::Bearer, look.either(s.read.as_ref(), &s.write));
    Server::new(look.reader(system, &s.url, token, explain), s)
}
