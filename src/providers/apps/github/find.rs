//! Which account is theirs: by the number the ledger keeps, the login in the profile, the SAML identity, an address at a verified domain.
//!
//! One that finds nobody passes on to the next. Finding nobody at all is an absence only where somebody would have been found. Two that lead
//! to two members are nobody's account until an operator says whose they are: a profile may be edited by the person themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::wire::{Membership, Named, graph, missing, walk};
use crate::{
    http::{Reader, path, sentence},
    model::Failure,
    providers::Known,
};

const IDENTITY: &str = "query($org:String!,$u:String){organization(login:$org){samlIdentityProvider{\
externalIdentities(first:100,userName:$u){pageInfo{hasNextPage endCursor} \
edges{node{samlIdentity{nameId username} user{login databaseId}}}}}}}";

const IDENTITIES: &str = "query($org:String!,$a:String){organization(login:$org){samlIdentityProvider{\
externalIdentities(first:100,after:$a){pageInfo{hasNextPage endCursor} \
edges{node{samlIdentity{nameId username} user{login databaseId}}}}}}}";

const ADDRESSES: &str = "query($org:String!,$a:String){organization(login:$org){membersWithRole(first:100,after:$a){\
pageInfo{hasNextPage endCursor} nodes{login databaseId organizationVerifiedDomainEmails(login:$org)}}}}";

/// An account at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: u64,
    pub(super) login: String,
}

/// A SAML identity of the person's, and whose account it is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) of: Found,
}

pub(super) struct Finder {
    pub(super) rest: Reader,
    pub(super) graph: Reader,
    pub(super) org: String,
    /// By login, lower case: other names of members. Read once a process.
    names: OnceCell<BTreeMap<String, BTreeSet<String>>>,
}

/// Nobody was found, and whether that proves that nobody is there.
pub(super) enum Search {
    Found(Found),
    Nobody { proved: bool },
}

impl Finder {
    pub(super) fn new(rest: Reader, graph: Reader, org: String) -> Self {
        Finder {
            rest,
            graph,
            org,
            names: OnceCell::new(),
        }
    }

    pub(super) async fn account(&self, who: Known<'_>) -> Result<Search, Failure> {
        if let Some(id) = who.handles.account.as_deref().and_then(|id| id.parse::<u64>().ok()) {
            return Ok(match self.by_number(id).await? {
                Some(found) => Search::Found(found),
                None => Search::Nobody { proved: true },
            });
        }
        let attribute = who
            .person
            .profile
            .get("githubLogin")
            .map(|l| l.trim())
            .filter(|l| !l.is_empty());
        let names = [
            who.handles.external_id.as_deref(),
            attribute,
            who.handles.user_name.as_deref(),
        ];
        let (mut named, mut stranger) = (None, None);
        for login in names.into_iter().flatten().filter(|l| is_login(l)) {
            named = self.membership(login).await?.map(|m| Found::from(m.user));
            if named.is_some() {
                break;
            }
            // There is such an account, and it is no member: perhaps an outside collaborator, if nothing else is found.
            if stranger.is_none() {
                stranger = self.by_login(login).await?;
            }
        }
        let saml = self.identities(who).await?;
        if let Some(found) = self.one(who, named, saml.as_deref().unwrap_or_default()).await? {
            return Ok(Search::Found(found));
        }
        if let Some(found) = stranger {
            return Ok(Search::Found(found));
        }
        // Where everybody signs in by SAML, who has no identity has no account.
        if saml.is_some() {
            return Ok(Search::Nobody { proved: true });
        }
        let names = self.names().await?;
        let theirs = |known: &BTreeSet<String>| who.handles.addresses.iter().any(|a| known.contains(&a.to_lowercase()));
        match names.iter().find(|(_, known)| theirs(known)) {
            Some((login, _)) => Ok(match self.by_login(login).await? {
                Some(found) => Search::Found(found),
                None => Search::Nobody { proved: false },
            }),
            None => Ok(Search::Nobody {
                proved: names.values().any(|known| !known.is_empty()),
            }),
        }
    }

    pub(super) async fn by_number(&self, id: u64) -> Result<Option<Found>, Failure> {
        let what = format!("find account {id} at GitHub");
        let answer = self.rest.get(path!["user", id].accept(404).what(&what)).await?;
        named(&answer, &what)
    }

    async fn by_login(&self, login: &str) -> Result<Option<Found>, Failure> {
        let what = format!("find {login} at GitHub");
        let answer = self.rest.get(path!["users", login].accept(404).what(&what)).await?;
        named(&answer, &what)
    }

    /// Of several accounts the one that is in the organisation: an identity stays linked to a login that left.
    async fn one(
        &self,
        who: Known<'_>,
        named: Option<Found>,
        identities: &[Identity],
    ) -> Result<Option<Found>, Failure> {
        let mut all: Vec<Found> = Vec::new();
        for found in named.into_iter().chain(identities.iter().map(|i| i.of.clone())) {
            if !all.contains(&found) {
                all.push(found);
            }
        }
        if all.len() < 2 {
            return Ok(all.pop());
        }
        let mut members = Vec::new();
        for found in &all {
            if self.membership(&found.login).await?.is_some() {
                members.push(found.clone());
            }
        }
        match members.as_slice() {
            [] => Ok(all.into_iter().next()),
            [one] => Ok(Some(one.clone())),
            several => {
                let logins: Vec<&str> = several.iter().map(|f| f.login.as_str()).collect();
                let why = format!(
                    "their profile and SAML identities lead to several members: {}",
                    sentence(&logins.join(", "))
                );
                let what = format!("find {} at GitHub", who.person.login);
                Err(Failure::contradiction(what, why).run(
                    "say which account is theirs",
                    format!("jml link {} {} ACCOUNT", who.person.login, self.rest.system()),
                ))
            }
        }
    }

    /// `None`: neither a member nor invited by that login.
    pub(super) async fn membership(&self, login: &str) -> Result<Option<Membership>, Failure> {
        let what = format!("ask for {login}'s membership of {}", self.org);
        let ask = path!["orgs", self.org, "memberships", login].accept(404).what(&what);
        let answer = self.rest.get(ask).await?;
        if answer.success() {
            return answer.json().map(Some);
        }
        if missing(&answer) {
            return Ok(None);
        }
        Err(super::explain(&answer, &what))
    }

    /// Those of the person's that an account is linked to. `None`: the organisation has no SAML.
    pub(super) async fn identities(&self, who: Known<'_>) -> Result<Option<Vec<Identity>>, Failure> {
        let names: BTreeSet<&String> = who.handles.user_name.iter().chain(&who.handles.addresses).collect();
        let what = format!("find a SAML identity in {}", self.org);
        let mut out = Vec::new();
        for name in names {
            let variables = json!({"org": self.org, "u": name});
            let answer = graph(&self.graph, IDENTITY, variables, &what).await?;
            let provider = &answer["samlIdentityProvider"];
            if provider.is_null() {
                return Ok(None);
            }
            let Some(edges) = provider["externalIdentities"]["edges"].as_array() else {
                return Err(Failure::contradiction(what, "the answer holds no list of identities"));
            };
            for of in edges.iter().filter_map(|e| user(&e["node"], name)) {
                let name = name.clone();
                out.push(Identity { name, of });
            }
        }
        Ok(Some(out))
    }

    /// What members are called beside their login: identities and verified addresses, lower case.
    pub(super) async fn names(&self) -> Result<&BTreeMap<String, BTreeSet<String>>, Failure> {
        self.names
            .get_or_try_init(|| async {
                let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                let at = "/samlIdentityProvider/externalIdentities";
                let what = format!("read the SAML identities of {}", self.org);
                for node in walk(&self.graph, IDENTITIES, &self.org, at, &what)
                    .await?
                    .into_iter()
                    .flatten()
                {
                    if let (Some(login), Some(name)) =
                        (node["user"]["login"].as_str(), node["samlIdentity"]["nameId"].as_str())
                    {
                        out.entry(login.to_lowercase()).or_default().insert(name.to_lowercase());
                    }
                }
                let what = format!("read the verified addresses of {}", self.org);
                let nodes = walk(&self.graph, ADDRESSES, &self.org, "/membersWithRole", &what).await?;
                for node in nodes.into_iter().flatten() {
                    let Some(login) = node["login"].as_str() else { continue };
                    let known = out.entry(login.to_lowercase()).or_default();
                    let all = node["organizationVerifiedDomainEmails"]
                        .as_array()
                        .into_iter()
                        .flatten();
                    known.extend(all.filter_map(Value::as_str).map(str::to_lowercase));
                }
                Ok(out)
            })
            .await
    }
}

impl From<Named> for Found {
    fn from(n: Named) -> Self {
        Found {
            id: n.id,
            login: n.login,
        }
    }
}

fn named(answer: &crate::http::Answer, what: &str) -> Result<Option<Found>, Failure> {
    if answer.success() {
        return Ok(Some(answer.json::<Named>()?.into()));
    }
    if missing(answer) {
        return Ok(None);
    }
    Err(super::explain(answer, what))
}

/// The account of an identity, if the identity is of that name: servers have ignored filters before.
fn user(node: &Value, name: &str) -> Option<Found> {
    let saml = &node["samlIdentity"];
    let same = |v: &Value| v.as_str().is_some_and(|have| have.eq_ignore_ascii_case(name));
    if !same(&saml["nameId"]) && !same(&saml["username"]) {
        return None;
    }
    Some(Found {
        id: node["user"]["databaseId"].as_u64()?,
        login: node["user"]["login"].as_str()?.to_owned(),
    })
}

/// As GitHub makes them: an address in its place is no login.
fn is_login(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
