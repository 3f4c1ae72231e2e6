//! What is shown, kept, replayed and patched.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Github, Invitation, Member, NAME, Team, direct_member,
    given::{GivenInvitation, GivenMember, Named, numbered},
    key,
};
use crate::sandbox::{merge, world::World};

/// As a world's file would say it.
fn shown(m: &Member) -> Value {
    json!({"id": m.id, "login": m.login, "role": m.role, "credentials": m.credentials.len(), "pats": m.pats.len()})
}

pub(super) fn state(world: &World) -> Value {
    let Some(g) = &world.github else { return Value::Null };
    let by_login = |m: &Member| (m.login.clone(), shown(m));
    let invitation = |i: &Invitation| {
        (
            i.id.to_string(),
            json!({"id": i.id, "login": i.login, "email": i.email}),
        )
    };
    let account = |(id, login): (&u64, &String)| (id.to_string(), json!({"id": id, "login": login}));
    json!({
        "org": g.org,
        "members": g.members.values().map(by_login).collect::<Map<_, _>>(),
        "accounts": g.accounts.iter().map(account).collect::<Map<_, _>>(),
        "invitations": g.invitations.values().map(invitation).collect::<Map<_, _>>(),
        "teams": g.teams.iter().map(|(slug, t)| (slug.clone(), json!(t.members))).collect::<Map<_, _>>(),
        "outside": g.outside,
        "saml": g.saml,
    })
}

fn whole<T: Serialize>(entry: Option<&T>) -> Option<Value> {
    serde_json::to_value(entry?).ok()
}

pub(super) fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let g = world.github.as_ref()?;
    match list {
        "members" => whole(g.members.get(id)),
        "invitations" => whole(g.invitations.get(&id.parse().ok()?)),
        "teams" => whole(g.teams.get(id)),
        "accounts" => whole(g.accounts.get(&id.parse().ok()?)),
        "outside" => whole(Some(&g.outside)),
        "cancelled" => whole(Some(&g.cancelled)),
        "saml" => whole(Some(&g.saml)),
        _ => None,
    }
}

pub(super) fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    fn put<K: Ord, T: serde::de::DeserializeOwned>(
        map: &mut BTreeMap<K, T>,
        key: K,
        entry: Option<&Value>,
    ) -> Result<(), String> {
        match entry {
            Some(v) => drop(map.insert(key, serde_json::from_value(v.clone()).map_err(|e| e.to_string())?)),
            None => drop(map.remove(&key)),
        }
        Ok(())
    }
    fn one<T: Default + serde::de::DeserializeOwned>(at: &mut T, entry: Option<&Value>) -> Result<(), String> {
        let kept = entry.map(|v| serde_json::from_value(v.clone())).transpose();
        *at = kept.map_err(|e| e.to_string())?.unwrap_or_default();
        Ok(())
    }
    let Some(g) = &mut world.github else { return Ok(()) };
    let number = || id.parse::<u64>().map_err(|e| format!("{id}: {e}"));
    match list {
        "members" => put(&mut g.members, id.to_owned(), entry),
        "invitations" => put(&mut g.invitations, number()?, entry),
        "teams" => put(&mut g.teams, id.to_owned(), entry),
        "accounts" => put(&mut g.accounts, number()?, entry),
        "outside" => one(&mut g.outside, entry),
        "cancelled" => one(&mut g.cancelled, entry),
        "saml" => one(&mut g.saml, entry),
        _ => Err(format!("github.{list}: no such list")),
    }
}

pub(super) fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let now = state(world);
    let Some(g) = &mut world.github else {
        return Err("github: not in this world".into());
    };
    let before = g.lists();
    for (list, part) in patch.as_object().ok_or("github: an object is wanted")? {
        let mut shown = now[list].clone();
        if let (Some(entries), Some(all)) = (part.as_object(), shown.as_object_mut())
            && let Some(each) = entries.get("*")
        {
            for v in all.values_mut() {
                merge::merge(v, each);
            }
        }
        let mut rest = part.clone();
        if let Some(entries) = rest.as_object_mut() {
            entries.remove("*");
        }
        merge::merge(&mut shown, &rest);
        let wrong = |e: serde_json::Error| format!("github.{list}: {e}");
        match list.as_str() {
            "members" => {
                let all: BTreeMap<String, GivenMember> = serde_json::from_value(shown).map_err(wrong)?;
                g.members = all
                    .into_values()
                    .map(|m| {
                        let old = g.members.get(&key(&m.login)).cloned();
                        let kept = |had: Option<BTreeSet<u64>>, n: u64, id| match had {
                            Some(set) if set.len() as u64 == n => set,
                            Some(_) | None => numbered(id, n),
                        };
                        let member = Member {
                            credentials: kept(old.as_ref().map(|o| o.credentials.clone()), m.credentials, m.id),
                            pats: kept(old.map(|o| o.pats), m.pats, m.id + 500_000),
                            id: m.id,
                            login: m.login,
                            role: m.role,
                            credentials_end: None,
                            pats_end: None,
                        };
                        (key(&member.login), member)
                    })
                    .collect();
                for m in g.members.values() {
                    g.accounts.insert(m.id, m.login.clone());
                }
            }
            "accounts" => {
                let all: BTreeMap<String, Named> = serde_json::from_value(shown).map_err(wrong)?;
                for a in all.into_values() {
                    if let Some(old) = g.accounts.insert(a.id, a.login.clone()).filter(|old| *old != a.login) {
                        g.rename(&old, &a.login);
                    }
                }
            }
            "invitations" => {
                let all: BTreeMap<String, GivenInvitation> = serde_json::from_value(shown).map_err(wrong)?;
                g.invitations = all
                    .into_values()
                    .map(|i| {
                        let old = g.invitations.get(&i.id).cloned();
                        let invitation = Invitation {
                            id: i.id,
                            login: i.login,
                            email: i.email,
                            role: direct_member(),
                            teams: old.as_ref().map(|o| o.teams.clone()).unwrap_or_default(),
                            at: old.and_then(|o| o.at),
                        };
                        (invitation.id, invitation)
                    })
                    .collect();
            }
            "teams" => {
                let all: BTreeMap<String, BTreeSet<String>> = serde_json::from_value(shown).map_err(wrong)?;
                let next = g.teams.values().map(|t| t.id).max().unwrap_or(7000) + 1;
                g.teams = all
                    .into_iter()
                    .zip(next..)
                    .map(|((slug, members), fresh)| {
                        let team = Team {
                            id: g.teams.get(&slug).map_or(fresh, |t| t.id),
                            name: slug.clone(),
                            members,
                        };
                        (slug, team)
                    })
                    .collect();
            }
            "outside" => g.outside = serde_json::from_value(shown).map_err(wrong)?,
            "saml" => g.saml = serde_json::from_value(part.clone()).map_err(wrong)?,
            _ => return Err(format!("github.{list}: no such list")),
        }
    }
    // What was there and is gone has to be noted as well; a rename changes lists that nobody named.
    let after = g.lists();
    for (list, id) in before.keys().chain(after.keys()) {
        let at = (*list, id.clone());
        if before.get(&at) != after.get(&at) {
            world.touch(NAME, list, id);
        }
    }
    Ok(())
}

impl Github {
    /// Every entry of every list that a patch may change.
    fn lists(&self) -> BTreeMap<(&'static str, String), Option<Value>> {
        let members = self
            .members
            .iter()
            .map(|(k, v)| (("members", k.clone()), whole(Some(v))));
        let invited = self.invitations.iter();
        let invitations = invited.map(|(k, v)| (("invitations", k.to_string()), whole(Some(v))));
        let teams = self.teams.iter().map(|(k, v)| (("teams", k.clone()), whole(Some(v))));
        let known = self.accounts.iter();
        let accounts = known.map(|(k, v)| (("accounts", k.to_string()), whole(Some(v))));
        let all = "all".to_owned();
        let sets = [
            (("outside", all.clone()), whole(Some(&self.outside))),
            (("saml", all), whole(Some(&self.saml))),
        ];
        members
            .chain(invitations)
            .chain(teams)
            .chain(accounts)
            .chain(sets)
            .collect()
    }
    /// A renamed account takes its membership, team entries and identity along.
    fn rename(&mut self, old: &str, new: &str) {
        if let Some(mut m) = self.members.remove(&key(old)) {
            m.login = new.to_owned();
            self.members.insert(key(new), m);
        }
        for t in self.teams.values_mut() {
            if t.members.remove(&key(old)) {
                t.members.insert(key(new));
            }
        }
        for i in self.saml.iter_mut().flatten() {
            if i.login.as_deref().is_some_and(|l| l.eq_ignore_ascii_case(old)) {
                i.login = Some(new.to_owned());
            }
        }
    }
}
