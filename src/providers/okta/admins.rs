//! Who administers the organisation, in bulk: assignees, then the roles of each. A handful of calls a run in place of one a person.
//!
//! A read that is not whole is a failure: then nobody may be taken for unprotected.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::{
    Directory,
    pages::Seen,
    wire::{self, Link},
};
use crate::{
    http::{Ask, path},
    model::{Failure, Group, Held, Holding, PersonId},
    providers::Cursor,
};

pub const SUPER_ADMIN: &str = "SUPER_ADMIN";

/// Types of the roles that each admin holds, by person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admins(pub BTreeMap<PersonId, BTreeSet<String>>);

impl Admins {
    /// Whom only another super admin may change: protected.
    pub fn supers(&self) -> impl Iterator<Item = &PersonId> {
        self.0
            .iter()
            .filter(|(_, roles)| roles.contains(SUPER_ADMIN))
            .map(|(id, _)| id)
    }
}

fn role(read: wire::Role) -> Option<Held> {
    if read.status.as_deref() == Some("INACTIVE") {
        return None;
    }
    let kind = read.kind.unwrap_or_default();
    let mut held = Held::new(Holding::Role, read.id, read.label.unwrap_or_else(|| kind.clone()));
    if let Some(how) = read.assignment_type {
        held.facts.insert("assignment".to_owned(), how);
    }
    held.via = Some(kind).filter(|k| !k.is_empty());
    Some(held)
}

impl Directory {
    /// One person's roles, by group too.
    pub(super) async fn roles_of(&self, id: &PersonId) -> Result<BTreeSet<Held>, Failure> {
        let ask = path!["api/v1/users", id, "roles"].what("read the admin roles of a person");
        let read: Vec<wire::Role> = self.api.get(ask).await?.json()?;
        Ok(read.into_iter().filter_map(role).collect())
    }

    /// Everyone with an admin role: assigned directly, and through the groups that carry a super admin's.
    pub async fn admins(&self, groups: &BTreeMap<String, Group>) -> Result<Admins, Failure> {
        let ids = self.assignees().await?;
        let direct = try_join_all(ids.iter().map(|id| self.roles_of(id)));
        let through = try_join_all(groups.values().filter(|g| g.admin).map(|g| self.supers_through(g)));
        let (direct, through) = futures::try_join!(direct, through)?;
        let mut out = Admins::default();
        for (id, roles) in ids.into_iter().zip(direct) {
            out.0
                .entry(id)
                .or_default()
                .extend(roles.into_iter().filter_map(|r| r.via));
        }
        for id in through.into_iter().flatten() {
            out.0.entry(id).or_default().insert(SUPER_ADMIN.to_owned());
        }
        Ok(out)
    }

    async fn supers_through(&self, group: &Group) -> Result<Vec<PersonId>, Failure> {
        let ask = path!["api/v1/groups", group.id, "roles"].what("read the admin roles of a group");
        let roles: Vec<wire::Role> = self.api.get(ask).await?.json()?;
        if !roles.iter().any(|r| r.kind.as_deref() == Some(SUPER_ADMIN)) {
            return Ok(Vec::new());
        }
        Ok(self.all_members(&group.id).await?.into_iter().map(|p| p.id).collect())
    }

    /// This list names its next page in the body.
    async fn assignees(&self) -> Result<BTreeSet<PersonId>, Failure> {
        let what = "read who administers Okta";
        let (mut out, mut seen) = (BTreeSet::new(), Seen::default());
        let mut ask = path!["api/v1/iam/assignees/users"].query("limit", 100);
        loop {
            let page: wire::Assignees = self.api.get(ask.what(what)).await?.json()?;
            out.extend(page.value.into_iter().map(|a| PersonId(a.id)));
            let Some(next) = Link::of(&page.links, "next") else {
                return Ok(out);
            };
            ask = Ask::follow(&seen.new_place(Cursor(next.href), what)?.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_its_type() {
        let read: Vec<wire::Role> = serde_json::from_str(
            r#"[{"id":"r1","label":"Super Administrator","type":"SUPER_ADMIN","status":"ACTIVE","assignmentType":"GROUP"},
                {"id":"r2","label":"Group Administrator","type":"USER_ADMIN","status":"INACTIVE","assignmentType":"USER"},
                {"id":"r3","type":"CUSTOM","label":null}]"#,
        )
        .unwrap();
        let held: Vec<Held> = read.into_iter().filter_map(role).collect();
        let seen: Vec<_> = held.iter().map(|h| (h.name.as_str(), h.via.as_deref())).collect();
        assert_eq!(
            seen,
            [("Super Administrator", Some("SUPER_ADMIN")), ("CUSTOM", Some("CUSTOM"))]
        );
    }

    #[test]
    fn supers_are_those_with_that_role() {
        let one = |id: &str, roles: &[&str]| (PersonId(id.into()), roles.iter().map(|r| (*r).to_owned()).collect());
        let admins = Admins(
            [
                one("00u1", &["SUPER_ADMIN", "APP_ADMIN"]),
                one("00u2", &["HELP_DESK_ADMIN"]),
            ]
            .into(),
        );
        assert_eq!(admins.supers().map(|p| p.0.as_str()).collect::<Vec<_>>(), ["00u1"]);
    }
}
