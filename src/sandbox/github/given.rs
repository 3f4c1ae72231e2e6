//! An organisation as a world's file gives it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use super::{Github, Identity, Invitation, Member, Team, direct_member, key, member, quiet_login, quiet_member};
use crate::sandbox::{quiet, world::World};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenMember {
    pub(super) id: u64,
    pub(super) login: String,
    #[serde(default = "member")]
    pub(super) role: String,
    #[serde(default)]
    pub(super) credentials: u64,
    #[serde(default)]
    pub(super) pats: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenEntry {
    Generated { generated: usize },
    Listed(GivenMember),
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: u64,
    pub(super) login: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenInvitation {
    pub(super) id: u64,
    pub(super) login: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    org: Option<String>,
    #[serde(default)]
    accounts: Vec<Named>,
    #[serde(default)]
    members: Vec<GivenEntry>,
    #[serde(default)]
    invitations: Vec<GivenInvitation>,
    #[serde(default)]
    teams: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    outside: Vec<String>,
    #[serde(default)]
    saml: Option<Vec<Identity>>,
    #[serde(default)]
    seats: Option<u64>,
}

pub(super) fn numbered(id: u64, count: u64) -> BTreeSet<u64> {
    (1..=count).map(|n| id * 100 + n).collect()
}

pub(super) fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.github = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| format!("github: {e}"))?;
    let mut g = Github {
        org: given.org.unwrap_or_else(|| "acme".into()),
        seats: given.seats,
        ..Github::default()
    };
    let there = quiet::count(&world.given);
    for n in 1..=there {
        let m = quiet_member(n);
        g.accounts.insert(m.id, m.login);
    }
    let quiet = |n: usize| (1..=n.min(there)).map(quiet_member);
    let mut add = |m: Member| {
        g.accounts.insert(m.id, m.login.clone());
        g.members.insert(key(&m.login), m);
    };
    if !given.members.iter().any(|m| matches!(m, GivenEntry::Generated { .. })) {
        quiet(20).for_each(&mut add);
    }
    for entry in given.members {
        match entry {
            GivenEntry::Generated { generated } => quiet(generated).for_each(&mut add),
            GivenEntry::Listed(m) => add(Member {
                credentials: numbered(m.id, m.credentials),
                pats: numbered(m.id + 500_000, m.pats),
                id: m.id,
                login: m.login,
                role: m.role,
                credentials_end: None,
                pats_end: None,
            }),
        }
    }
    // An organisation has an owner.
    if g.owners() == 0
        && let Some(m) = g.members.get_mut(&quiet_login(1))
    {
        m.role = "admin".into();
    }
    for a in given.accounts {
        g.accounts.insert(a.id, a.login);
    }
    for i in given.invitations {
        if let Some(login) = &i.login
            && g.account(login).is_none()
        {
            g.accounts.insert(800_000 + i.id, login.clone());
        }
        let invitation = Invitation {
            id: i.id,
            login: i.login,
            email: i.email,
            role: direct_member(),
            teams: BTreeSet::new(),
            at: Some(world.now - TimeDelta::days(1)),
        };
        g.invitations.insert(i.id, invitation);
    }
    for (n, (slug, members)) in given.teams.into_iter().enumerate() {
        let team = Team {
            id: 7001 + n as u64,
            name: slug.clone(),
            members: members.iter().map(|l| key(l)).collect(),
        };
        g.teams.insert(slug, team);
    }
    for (n, login) in given.outside.into_iter().enumerate() {
        if g.account(&login).is_none() {
            g.accounts.insert(600_000 + n as u64, login.clone());
        }
        g.outside.insert(key(&login));
    }
    g.saml = given.saml.map(|listed| {
        let claimed: BTreeSet<String> = listed.iter().filter_map(|i| i.login.as_deref()).map(key).collect();
        // Quiet members signed in by SAML as everybody does.
        let members = (1..=there).filter(|n| g.members.contains_key(&quiet_login(*n)));
        let quiet = members
            .filter(|n| !claimed.contains(&quiet_login(*n)))
            .map(|n| Identity {
                name_id: quiet::login(n),
                login: Some(quiet_login(n)),
            });
        quiet.chain(listed.iter().cloned()).collect()
    });
    world.github = Some(g);
    Ok(())
}
