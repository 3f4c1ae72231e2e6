//! The twin of GitHub: one organisation of an enterprise with SAML, REST and GraphQL on one port.
//!
//! Written from GitHub's own description and pages. It knows no repositories: an outside collaborator is a name on a list. It mails
//! nobody, so an invitation is pending until somebody says otherwise (`PATCH /state`). Unknown routes are 501.

mod app;
mod credentials;
mod graphql;
mod members;
mod route;
pub mod seed;
mod shape;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    merge, quiet,
    twin::{Reply, Twin, blank},
    world::World,
};

const NAME: &str = "github";
/// The organisation's number.
const ORG_ID: u64 = 90_001;
/// The credential that is an owner's token, which may do less than an App.
const PERSONAL: &str = "personal";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer: route::answer,
    load,
    state,
    entry,
    restore,
    patch,
    tick,
    endpoints: |w, _| {
        let org = w.github.as_ref().map(|g| g.org.clone());
        json!({"org": org, "app_id": app::ID, "app_private_key": app::key()})
    },
    operation: route::operation,
    asks: |_, path, _| path == "/graphql" || path.ends_with("/access_tokens"),
    here: |w| w.github.is_some(),
    given: Some(&shape::ORGANISATION),
    more: &[PERSONAL],
    secret: |right, random| {
        let random = random.get(..36).unwrap_or(random);
        match right {
            PERSONAL => format!("github_pat_{random}"),
            _ => format!("ghs_{random}"),
        }
    },
    record: |_, _| Some(json!({"app_id": app::ID.to_string(), "private_key": app::key()}).to_string()),
    section: |w| {
        let org = w.given.pointer("/apps/github/org").and_then(Value::as_str);
        json!({"org": org.unwrap_or("acme"), "id": ORG_ID.to_string()})
    },
    refusal: |seen, status| refusal(status, seen.now),
    ..blank(NAME)
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub id: u64,
    pub login: String,
    #[serde(default = "member")]
    pub role: String,
    /// SSO credential authorizations, by number.
    #[serde(default)]
    pub credentials: BTreeSet<u64>,
    /// Grants of fine-grained tokens, by number.
    #[serde(default)]
    pub pats: BTreeSet<u64>,
    /// A revocation that was accepted takes effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_end: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pats_end: Option<(DateTime<Utc>, BTreeSet<u64>)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    pub id: u64,
    pub login: Option<String>,
    pub email: Option<String>,
    #[serde(default = "direct_member")]
    pub role: String,
    #[serde(default)]
    pub teams: BTreeSet<String>,
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub id: u64,
    pub name: String,
    pub members: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub name_id: String,
    /// Nobody has claimed it yet where there is none.
    pub login: Option<String>,
}

#[derive(Default)]
pub struct Github {
    pub org: String,
    /// Who exists at GitHub: number to login.
    pub accounts: BTreeMap<u64, String>,
    /// By login, lower case.
    pub members: BTreeMap<String, Member>,
    pub invitations: BTreeMap<u64, Invitation>,
    /// By slug.
    pub teams: BTreeMap<String, Team>,
    /// Logins, lower case.
    pub outside: BTreeSet<String>,
    /// Numbers of invitations that were cancelled: to cancel one again is no error.
    pub cancelled: BTreeSet<u64>,
    /// `None`: no SAML.
    pub saml: Option<Vec<Identity>>,
    pub seats: Option<u64>,
    /// Installation tokens that were minted.
    minted: BTreeMap<String, app::Minted>,
    /// The hour that is counted, and its requests by token.
    spent: BTreeMap<String, (i64, u32)>,
    /// The minute that is counted, where a rate is granted by the minute.
    minute: (i64, u32),
    changed: Vec<(&'static str, String)>,
}

fn member() -> String {
    "member".into()
}
fn direct_member() -> String {
    "direct_member".into()
}

fn key(login: &str) -> String {
    login.to_lowercase()
}

/// Their numbers and logins at GitHub.
fn quiet_member(n: usize) -> Member {
    Member {
        id: 100_000 + n as u64,
        login: quiet_login(n),
        role: member(),
        credentials: BTreeSet::new(),
        pats: BTreeSet::new(),
        credentials_end: None,
        pats_end: None,
    }
}
fn quiet_login(n: usize) -> String {
    format!("p{n:05}")
}

impl Github {
    fn touch(&mut self, list: &'static str, id: impl Into<String>) {
        self.changed.push((list, id.into()));
    }
    /// GitHub's own spelling.
    fn account(&self, login: &str) -> Option<(u64, &str)> {
        self.accounts
            .iter()
            .find(|(_, l)| l.eq_ignore_ascii_case(login))
            .map(|(id, l)| (*id, l.as_str()))
    }
    /// An invitation to that login.
    fn invited(&self, login: &str) -> Option<&Invitation> {
        let to = |i: &&Invitation| i.login.as_deref().is_some_and(|l| l.eq_ignore_ascii_case(login));
        self.invitations.values().find(to)
    }
    fn owners(&self) -> usize {
        self.members.values().filter(|m| m.role == "admin").count()
    }
    fn next_invitation(&self) -> u64 {
        self.invitations.keys().max().copied().unwrap_or(5000) + 1
    }
    /// Addresses at a domain that the organisation verified, of a member.
    fn emails(&self, login: &str, directory: &BTreeMap<String, String>) -> Vec<String> {
        if !self.members.contains_key(&key(login)) {
            return Vec::new();
        }
        directory.get(&key(login)).cloned().into_iter().collect()
    }
}

/// Who in the firm goes by which login there: the profile says so, and quiet people by their number.
fn directory(world: &World) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = (1..=quiet::count(&world.given))
        .map(|n| (quiet_login(n), quiet::login(n)))
        .collect();
    for p in world.okta.people() {
        let login = p.text("githubLogin");
        if !login.is_empty() {
            out.insert(key(login), p.text("email").to_owned());
        }
    }
    out
}

/// GitHub's error body.
fn refuse(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
    )
}

fn not_found() -> Reply {
    refuse(404, "Not Found")
}

fn invalid(code: &str, field: &str, message: &str) -> Reply {
    Reply::json(
        422,
        &json!({"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest", "status": "422",
            "errors": [{"resource": "OrganizationInvitation", "code": code, "field": field, "message": message}]}),
    )
}

/// For a fault by name: what GitHub says with that status.
fn refusal(status: u16, now: DateTime<Utc>) -> Reply {
    match status {
        401 => refuse(401, "Bad credentials"),
        403 => refuse(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", "members=write")
            .with("x-ratelimit-remaining", "4999"),
        404 => not_found(),
        429 => refuse(
            429,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        )
        .with("retry-after", "2")
        .with("x-ratelimit-reset", (now.timestamp() + 2).to_string()),
        _ => refuse(status, "Server Error"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenMember {
    id: u64,
    login: String,
    #[serde(default = "member")]
    role: String,
    #[serde(default)]
    credentials: u64,
    #[serde(default)]
    pats: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenEntry {
    Generated { generated: usize },
    Listed(GivenMember),
}

#[derive(Deserialize)]
struct Named {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenInvitation {
    id: u64,
    login: Option<String>,
    email: Option<String>,
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

fn numbered(id: u64, count: u64) -> BTreeSet<u64> {
    (1..=count).map(|n| id * 100 + n).collect()
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
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

/// As a world's file would say it.
fn shown(m: &Member) -> Value {
    json!({"id": m.id, "login": m.login, "role": m.role, "credentials": m.credentials.len(), "pats": m.pats.len()})
}

fn state(world: &World) -> Value {
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

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
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

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
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

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
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

/// What was accepted takes effect some time later.
fn tick(world: &mut World, now: DateTime<Utc>) {
    let Some(g) = &mut world.github else { return };
    let mut ended = Vec::new();
    for (login, m) in &mut g.members {
        if m.credentials_end.is_some_and(|t| t <= now) {
            m.credentials.clear();
            m.credentials_end = None;
            ended.push(login.clone());
        }
        if m.pats_end.as_ref().is_some_and(|(t, _)| *t <= now)
            && let Some((_, gone)) = m.pats_end.take()
        {
            m.pats.retain(|p| !gone.contains(p));
            ended.push(login.clone());
        }
    }
    for login in ended {
        world.touch(NAME, "members", &login);
    }
}
