//! A small domain: people, groups, and the attributes that each shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Attribute in lower case: its name as the server spells it, and its values.
pub type Entry = BTreeMap<String, (&'static str, Vec<Vec<u8>>)>;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// sAMAccountName
    pub login: String,
    pub name: String,
    #[serde(default)]
    pub upn: String,
    #[serde(default)]
    pub mail: String,
    #[serde(default)]
    pub employee_id: String,
    #[serde(default = "normal")]
    pub user_account_control: u32,
    #[serde(default = "domain_users")]
    pub primary_group: u32,
    #[serde(default)]
    pub admin_count: u32,
    /// FILETIME
    #[serde(default = "long_ago")]
    pub pwd_last_set: i64,
    #[serde(default)]
    pub services: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    /// Logins of people and names of groups.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// jml's account has no right on it.
    #[serde(default)]
    pub locked: bool,
    #[serde(default)]
    pub managed_by: Option<String>,
    #[serde(default)]
    pub rid: u32,
}

fn normal() -> u32 {
    512
}
fn domain_users() -> u32 {
    513
}
fn long_ago() -> i64 {
    134_000_000_000_000_000
}

#[derive(Default)]
pub struct Ldap {
    pub base: String,
    /// By login.
    pub users: BTreeMap<String, User>,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// Attributes that nobody may read.
    pub hidden: BTreeSet<String>,
    /// Lists that were begun: how far each came, by the cookie that stays the same to its end.
    pub lists: Vec<usize>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Domain,
    Unit(&'static str),
    User(String),
    Group(String),
}

pub const UNITS: [&str; 4] = [
    "OU=Acme",
    "OU=People,OU=Acme",
    "OU=Groups,OU=Acme",
    "OU=Leavers,OU=Acme",
];

fn digest(of: &str) -> [u8; 32] {
    Sha256::digest(of).into()
}

/// The same in each start.
pub fn guid(of: &str) -> [u8; 16] {
    let mut out = [0; 16];
    out.iter_mut().zip(digest(of)).for_each(|(o, b)| *o = b);
    out
}

/// As people write it.
pub fn guid_text(of: &str) -> String {
    let g = guid(of);
    let turned = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|i: usize| g[i]);
    let h = hex::encode(turned);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

fn sid(rid: Option<u32>) -> Vec<u8> {
    let subs = [21, 1_111_111_111, 2_222_222_222, 3_333_333_333].into_iter().chain(rid);
    let subs: Vec<u32> = subs.collect();
    let mut out = vec![1, subs.len() as u8, 0, 0, 0, 0, 0, 5];
    subs.iter().for_each(|s| out.extend(s.to_le_bytes()));
    out
}

pub const SID: &str = "S-1-5-21-1111111111-2222222222-3333333333";

/// RFC 4514.
fn rdn(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if ",\\+\"<>;=".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Ldap {
    pub fn dn(&self, node: &Node) -> String {
        let base = &self.base;
        match node {
            Node::Domain => base.clone(),
            Node::Unit(unit) => format!("{unit},{base}"),
            Node::User(login) => {
                let name = self.users.get(login).map_or(login, |u| &u.name);
                format!("CN={},OU=People,OU=Acme,{base}", rdn(name))
            }
            Node::Group(name) if name == "Domain Users" => format!("CN={},CN=Users,{base}", rdn(name)),
            Node::Group(name) => format!("CN={},OU=Groups,OU=Acme,{base}", rdn(name)),
        }
    }

    pub fn nodes(&self) -> Vec<Node> {
        let units = UNITS.iter().map(|u| Node::Unit(u));
        let users = self.users.keys().cloned().map(Node::User);
        let groups = self.groups.keys().cloned().map(Node::Group);
        std::iter::once(Node::Domain)
            .chain(units)
            .chain(users)
            .chain(groups)
            .collect()
    }

    /// By DN in any case, or `<GUID=...>`.
    pub fn node(&self, dn: &str) -> Option<Node> {
        if let Some(id) = dn.strip_prefix("<GUID=").and_then(|d| d.strip_suffix('>')) {
            return self.nodes().into_iter().find(|n| self.id(n).eq_ignore_ascii_case(id));
        }
        let plain = |t: &str| t.to_lowercase();
        self.nodes().into_iter().find(|n| plain(&self.dn(n)) == plain(dn))
    }

    pub fn id(&self, node: &Node) -> String {
        guid_text(&self.seed(node))
    }

    fn seed(&self, node: &Node) -> String {
        match node {
            Node::Domain => "domain".into(),
            Node::Unit(unit) => format!("unit {unit}"),
            Node::User(login) => format!("user {login}"),
            Node::Group(name) => format!("group {name}"),
        }
    }

    fn called(node: &Node) -> &str {
        match node {
            Node::User(login) => login,
            Node::Group(name) => name,
            Node::Domain | Node::Unit(_) => "",
        }
    }

    pub fn holds(&self, group: &str, node: &Node) -> bool {
        self.groups
            .get(group)
            .is_some_and(|g| g.members.contains(Self::called(node)))
    }

    /// At any depth.
    pub fn reaches(&self, group: &str, node: &Node) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![group.to_owned()];
        while let Some(name) = left.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if self.holds(&name, node) {
                return true;
            }
            let members = self.groups.get(&name).into_iter().flat_map(|g| &g.members);
            left.extend(members.filter(|m| self.groups.contains_key(*m)).cloned());
        }
        false
    }

    /// The node of a member: a person's login before a group's name.
    fn member(&self, called: &str) -> Node {
        match self.users.contains_key(called) {
            true => Node::User(called.into()),
            false => Node::Group(called.into()),
        }
    }

    pub fn entry(&self, node: &Node) -> Entry {
        let mut e = Entry::new();
        let mut put = |name: &'static str, values: Vec<Vec<u8>>| {
            if !values.is_empty() && !self.hidden.contains(&name.to_lowercase()) {
                e.insert(name.to_lowercase(), (name, values));
            }
        };
        let text = |t: &str| {
            if t.is_empty() {
                vec![]
            } else {
                vec![t.as_bytes().to_vec()]
            }
        };
        put("distinguishedName", text(&self.dn(node)));
        put("objectGUID", vec![guid(&self.seed(node)).to_vec()]);
        let of = |classes: &[&str]| classes.iter().map(|c| c.as_bytes().to_vec()).collect::<Vec<_>>();
        let groups = |n: &Node| {
            let all = self.groups.keys().filter(|g| self.holds(g, n));
            all.map(|g| self.dn(&Node::Group(g.clone())).into_bytes())
                .collect::<Vec<_>>()
        };
        match node {
            Node::Domain => {
                put("objectClass", of(&["top", "domain", "domainDNS"]));
                put("objectSid", vec![sid(None)]);
            }
            Node::Unit(_) => put("objectClass", of(&["top", "organizationalUnit"])),
            Node::User(login) => {
                let Some(u) = self.users.get(login) else { return e };
                put("objectClass", of(&["top", "person", "organizationalPerson", "user"]));
                put("objectCategory", text("person"));
                put("cn", text(&u.name));
                put("sAMAccountName", text(&u.login));
                put("userPrincipalName", text(&u.upn));
                put("mail", text(&u.mail));
                put("employeeID", text(&u.employee_id));
                put("userAccountControl", text(&u.user_account_control.to_string()));
                put("msDS-User-Account-Control-Computed", text("0"));
                put("accountExpires", text("9223372036854775807"));
                put("pwdLastSet", text(&u.pwd_last_set.to_string()));
                put("primaryGroupID", text(&u.primary_group.to_string()));
                let rid = u32::from_le_bytes([digest(login)[0], digest(login)[1], 1, 0]);
                put("objectSid", vec![sid(Some(rid))]);
                if u.admin_count > 0 {
                    put("adminCount", text(&u.admin_count.to_string()));
                }
                put(
                    "servicePrincipalName",
                    u.services.iter().map(|s| s.as_bytes().to_vec()).collect(),
                );
                let managed = self.groups.values().filter(|g| g.managed_by.as_ref() == Some(login));
                let managed = managed.map(|g| self.dn(&Node::Group(g.name.clone())).into_bytes());
                put("managedObjects", managed.collect());
                put("memberOf", groups(node));
            }
            Node::Group(name) => {
                let Some(g) = self.groups.get(name) else { return e };
                put("objectClass", of(&["top", "group"]));
                put("objectCategory", text("group"));
                put("cn", text(&g.name));
                put("sAMAccountName", text(&g.name));
                put("objectSid", vec![sid(Some(g.rid))]);
                let members = g.members.iter().map(|m| self.dn(&self.member(m)).into_bytes());
                put("member", members.collect());
                put("memberOf", groups(node));
            }
        }
        e
    }
}
