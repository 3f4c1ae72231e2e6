//! ServiceNow: one change request a person and run with the manifest attached, one incident for what failed; and a ticket read back.
//!
//! Looks before it creates (the correlation id isn't unique there: idempotence is ours), changes nothing on the strength of a query
//! alone, and deletes nothing. Facts: the vendor's Table, Attachment and Change Management APIs.

mod auth;
mod deliver;
mod desk;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Authorize, Credential, Fixed, Scheme},
    model::System,
    providers::{Act, Need, Records, Row},
};

use auth::OAuth;

pub use deliver::Clerk;
use desk::Desk;
pub use wire::explain;

pub const ROW: Row = Row::new("servicenow")
    .page("https://github.com/ServiceNow/ServiceNowDocs")
    .needs(NEEDS)
    .records::<Servicenow>("ServiceNow change request")
    .tickets(|section, look| Ok(Box::new(Desk::of(section, look)?)));

pub const NEEDS: &[Need] = &[
    Need::read(
        "itil or sn_change_read",
        "find a run's change request, read a ticket back",
    ),
    Need::write(
        "itil or sn_change_write",
        "create and close change requests, open incidents; with a template itil or change_manager",
    ),
    Need::write("create on sys_attachment", "attach the manifest"),
];

/// `[systems.servicenow]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// https://INSTANCE.service-now.com
    url: BaseUrl,
    /// Where a second credential only reads.
    read: Option<SecretRef<Read>>,
    /// A bearer token; the password of `user`; or the secret of `client_id`.
    write: SecretRef<Write>,
    /// Basic authentication as this user.
    user: Option<String>,
    /// OAuth client credentials of this client.
    client_id: Option<String>,
    /// The sys_id of the group that records are assigned to. Without one, and without a template, a change can't leave the state New,
    /// and stays open.
    assignment_group: Option<String>,
    /// The sys_id of the user in whose name a change is requested.
    requested_by: Option<String>,
    /// The sys_id of a standard change template: changes are then made of it, by the Change Management API. Without one they are rows
    /// of the table, of the type standard.
    template: Option<String>,
    /// A value of the instance's own list.
    category: Option<String>,
}

/// How records are to look here. Values, not names: names are translated and shift times into the user's zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub assignment_group: Option<String>,
    pub requested_by: Option<String>,
    pub template: Option<String>,
    pub category: Option<String>,
}

impl Form {
    /// Nothing leaves the state New without a group; a template brings its own.
    fn closes(&self) -> bool {
        self.assignment_group.is_some() || self.template.is_some()
    }
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        match (&self.user, &self.client_id) {
            (Some(_), Some(_)) => {
                Err("user and client_id exclude each other: one says who the credential belongs to".into())
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }
}

impl Settings {
    fn authorize(&self, secret: Credential) -> Arc<dyn Authorize> {
        match (&self.client_id, &self.user) {
            (Some(client), _) => OAuth::new(client.clone(), secret),
            (None, Some(user)) => Fixed::one(Scheme::Basic { user: user.clone() }, secret),
            (None, None) => Fixed::one(Scheme::Bearer, secret),
        }
    }
    fn form(self) -> Form {
        Form {
            assignment_group: self.assignment_group,
            requested_by: self.requested_by,
            template: self.template,
            category: self.category,
        }
    }
}

pub struct Servicenow;

impl Records for Servicenow {
    type Settings = Settings;
    type Recorder = Clerk;

    fn recorder(system: System, s: Settings, act: &Act) -> Clerk {
        let http = act.writer(&system, &s.url, s.authorize(act.secret(&s.write)), explain);
        Clerk::new(http, s.form())
    }
}
