//! Groups of the organisation and their members.
//!
//! One listing of all beats a look-up per name: `q` is a prefix, `search` is stale and blind to case. Names are compared by the caller, byte
//! for byte.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Directory, filter,
    pages::{self, LIMIT},
    wire,
};
use crate::{
    http::{Reader, path},
    model::{Failure, Group, GroupKind, Held, Holding, Person, PersonId},
    providers::{Cursor, Page},
};

pub(super) fn group(read: wire::Group) -> Group {
    let kind = match read.kind.as_deref() {
        Some("OKTA_GROUP") => GroupKind::OktaGroup,
        Some("BUILT_IN") => GroupKind::BuiltIn,
        // Whatever else there may be is not ours to change.
        Some(_) | None => GroupKind::AppGroup,
    };
    let admin = read
        .embedded
        .and_then(|e| e.stats)
        .and_then(|s| s.admin)
        .unwrap_or(false);
    Group {
        id: read.id,
        name: read.profile.name,
        description: read.profile.description.filter(|d| !d.is_empty()),
        kind,
        admin,
    }
}

/// Groups of exactly that name, by search: for a look before a create is repeated, never for a plan.
pub(super) async fn named(reader: &Reader, name: &str) -> Result<Vec<Group>, Failure> {
    let ask = path!["api/v1/groups"]
        .query("search", filter::eq("profile.name", name))
        .query("limit", LIMIT);
    let found: Vec<wire::Group> = pages::all(reader, ask, "search a group in Okta").await?;
    Ok(found
        .into_iter()
        .map(group)
        .filter(|g| g.name == name && g.kind == GroupKind::OktaGroup)
        .collect())
}

impl Directory {
    /// Every group of every type, by id. None at all means that our admin role is too small: there is always Everyone.
    pub async fn groups(&self) -> Result<BTreeMap<String, Group>, Failure> {
        let ask = path!["api/v1/groups"].query("limit", LIMIT).query("expand", "stats");
        let read: Vec<wire::Group> = pages::all(&self.api, ask, "read the groups of Okta").await?;
        Ok(read.into_iter().map(|g| (g.id.clone(), group(g))).collect())
    }

    /// Members, deactivated people among them: full records, so that a bulk read needs no call a person.
    pub async fn members(&self, group: &str, from: Option<Cursor>) -> Result<Page<Person>, Failure> {
        let first = || path!["api/v1/groups", group, "users"].query("limit", LIMIT);
        let read = pages::page(&self.api, first, from.as_ref(), "read the members of a group").await?;
        Ok(Page {
            items: self.people_of(read.items)?,
            next: read.next,
            total: read.total,
        })
    }

    /// The groups of one person, all of them: the server pages at 200 though its description says otherwise.
    pub(super) async fn groups_of(&self, id: &PersonId) -> Result<BTreeSet<Held>, Failure> {
        let ask = path!["api/v1/users", id, "groups"];
        let read: Vec<wire::Group> = pages::all(&self.api, ask, "read the groups of a person").await?;
        Ok(read
            .into_iter()
            .map(|g| Held::new(Holding::Group, g.id, g.profile.name))
            .collect())
    }

    /// Every member of the group, or a failure.
    pub async fn all_members(&self, group: &str) -> Result<Vec<Person>, Failure> {
        let ask = path!["api/v1/groups", group, "users"].query("limit", LIMIT);
        self.people_of(pages::all(&self.api, ask, "read the members of a group").await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_each_type() {
        let read: Vec<wire::Group> =
            serde_json::from_str(include_str!("../../../tests/data/okta/groups.json")).unwrap();
        let all: Vec<Group> = read.into_iter().map(group).collect();
        let seen: Vec<_> = all.iter().map(|g| (g.name.as_str(), g.kind, g.admin)).collect();
        assert_eq!(
            seen,
            [
                ("ROLE-ENG", GroupKind::OktaGroup, false),
                ("AD-Finance", GroupKind::AppGroup, false),
                ("Everyone", GroupKind::BuiltIn, false),
                ("Help desk ", GroupKind::OktaGroup, true),
            ]
        );
        assert_eq!(all[0].description, None);
    }
}
