//! Apps of the organisation, which group grants which, and what one person is assigned.
//!
//! Read from the assignments themselves, not from the dashboard's links: those leave out hidden and inactive apps, whose accounts live on.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Directory, filter,
    pages::{self, LIMIT},
    wire::{self, Link},
};
use crate::{
    http::path,
    model::{App, Failure, Held, Holding, PersonId},
};

/// What `Held::facts` says of an assignment.
pub mod fact {
    /// Name and id of the group that grants it.
    pub const GROUP: &str = "group";
    pub const GROUP_ID: &str = "group_id";
    /// What the app calls the person.
    pub const USER_NAME: &str = "user_name";
    /// The app's own id of the account.
    pub const EXTERNAL_ID: &str = "external_id";
    /// Present, and `INACTIVE`, where the app is switched off: deactivation leaves such an assignment alone.
    pub const APP_STATUS: &str = "app_status";
}

fn app(read: wire::App) -> App {
    App {
        active: read.status == "ACTIVE",
        label: if read.label.is_empty() {
            read.name.clone()
        } else {
            read.label
        },
        features: read.features.into_iter().collect(),
        id: read.id,
        name: read.name,
    }
}

fn assignment(read: wire::App) -> Held {
    let label = if read.label.is_empty() { &read.name } else { &read.label };
    let mut held = Held::new(Holding::App, &read.id, label);
    if !read.status.is_empty() && read.status != "ACTIVE" {
        held.facts.insert(fact::APP_STATUS.to_owned(), read.status);
    }
    let Some(user) = read.embedded.user else {
        return held;
    };
    held.via = user.scope;
    let group = Link::of(&user.links, "group");
    for (key, value) in [
        (fact::GROUP, group.as_ref().and_then(|l| l.name.clone())),
        (fact::GROUP_ID, group.as_ref().and_then(|l| l.id().map(str::to_owned))),
        (fact::USER_NAME, user.credentials.and_then(|c| c.user_name)),
        (fact::EXTERNAL_ID, user.external_id),
    ] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            held.facts.insert(key.to_owned(), value);
        }
    }
    held
}

impl Directory {
    pub async fn apps(&self) -> Result<BTreeMap<String, App>, Failure> {
        let ask = path!["api/v1/apps"].query("limit", LIMIT);
        let read: Vec<wire::App> = pages::all(&self.api, ask, "read the apps of Okta").await?;
        Ok(read.into_iter().map(|a| (a.id.clone(), app(a))).collect())
    }

    /// Ids of the apps that membership of the group grants.
    pub async fn apps_of_group(&self, group: &str) -> Result<BTreeSet<String>, Failure> {
        let ask = path!["api/v1/groups", group, "apps"].query("limit", LIMIT);
        let read: Vec<wire::App> = pages::all(&self.api, ask, "read the apps that a group grants").await?;
        Ok(read.into_iter().map(|a| a.id).collect())
    }

    pub(super) async fn apps_of(&self, id: &PersonId) -> Result<BTreeSet<Held>, Failure> {
        let ask = path!["api/v1/apps"]
            .query("filter", filter::eq("user.id", &id.0))
            .query("expand", format!("user/{id}"))
            .query("limit", LIMIT);
        let read: Vec<wire::App> = pages::all(&self.api, ask, "read the apps of a person").await?;
        Ok(read.into_iter().map(assignment).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_says_through_which_group_and_under_which_name() {
        let read: Vec<wire::App> =
            serde_json::from_str(include_str!("../../../tests/data/okta/apps_of_user.json")).unwrap();
        let held: Vec<Held> = read.iter().cloned().map(assignment).collect();
        assert_eq!(
            (held[0].name.as_str(), held[0].via.as_deref()),
            ("Slack", Some("GROUP"))
        );
        let facts: Vec<(&str, &str)> = held[0].facts.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            facts,
            [
                ("external_id", "U0AMY"),
                ("group", "BR-ALL-EMPLOYEES"),
                ("group_id", "00g00000000000000010"),
                ("user_name", "amy.stone@acme.example")
            ]
        );
        assert_eq!(held[1].via.as_deref(), Some("USER"));
        assert_eq!(
            held[1].facts.get(fact::APP_STATUS).map(String::as_str),
            Some("INACTIVE")
        );
        let apps: Vec<App> = read.into_iter().map(app).collect();
        assert!(apps[0].active && apps[0].deprovisions());
        assert!(!apps[1].active && apps[1].features.is_empty());
    }
}
