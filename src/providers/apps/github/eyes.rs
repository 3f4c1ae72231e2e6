//! What can be seen of an account: membership, teams, invitations, credentials. Absent wants proof that members can be seen at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;
use tokio::sync::OnceCell;

use super::{
    auth::App,
    find::{Finder, Found, Identity, Search},
    wire::{Authorization, Grant, Invitation, Membership, Named, Team, all, graph, listed},
};
use crate::{
    http::{Ask, Reader, path, sentence},
    model::{Account, Failure, Held, Holding, Kind, Observed, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

const TEAMS: &str = "query($org:String!,$logins:[String!]){organization(login:$org){teams(first:100,userLogins:$logins){\
pageInfo{hasNextPage endCursor} nodes{slug databaseId}}}}";

/// An account that has no login yet is known by its invitation.
pub(super) const INVITED: &str = "invitation ";

pub struct Eyes {
    find: Finder,
    org: String,
    id: Option<String>,
    app: Arc<App>,
    /// Members were listed with this token: a 404 is then an absence.
    sees: OnceCell<()>,
}

impl Eyes {
    pub(super) fn new(rest: Reader, graph: Reader, org: String, id: Option<String>, app: Arc<App>) -> Self {
        Eyes {
            find: Finder::new(rest, graph, org.clone()),
            org,
            id,
            app,
            sees: OnceCell::new(),
        }
    }

    fn org(&self, rest: &str) -> Ask {
        path!["orgs", self.org].fixed(rest)
    }

    async fn proved(&self) -> Result<(), Failure> {
        let what = format!("list members of {}", self.org);
        self.sees
            .get_or_try_init(|| async {
                let some: Vec<Named> = self
                    .find
                    .rest
                    .get(self.org("members").query("per_page", 1).what(&what))
                    .await?
                    .json()?;
                match some.is_empty() {
                    false => Ok(()),
                    true => Err(Failure::contradiction(
                        &what,
                        "the list is empty, which is not believed",
                    )),
                }
            })
            .await
            .copied()
    }

    async fn membership(&self, login: &str) -> Result<Option<Membership>, Failure> {
        let membership = self.find.membership(login).await?;
        if membership.is_none() {
            self.proved().await?;
        }
        Ok(membership)
    }

    /// SAML identities that stay linked after the membership: there is no call that unlinks one.
    async fn linked(&self, found: &Found, member: bool, who: Known<'_>) -> Result<BTreeSet<Held>, Failure> {
        let held = |i: Identity| {
            let name = match (i.of.id == found.id, member) {
                (true, true) => format!("the SAML identity {}, which a person has to unlink", i.name),
                (true, false) => format!("the stale SAML identity {}, which a person has to unlink", i.name),
                (false, _) => format!("the SAML identity {}, linked to the login {}", i.name, i.of.login),
            };
            Held::new(Holding::Owned, format!("saml:{}:{}", i.name, i.of.id), sentence(&name))
        };
        let identities = self.find.identities(who).await?.unwrap_or_default();
        Ok(identities.into_iter().map(held).collect())
    }

    /// By their login, or by one of their addresses: such a one has no login, whatever GitHub knows.
    async fn invitations(&self, login: Option<&str>, who: Known<'_>) -> Result<BTreeSet<Held>, Failure> {
        let addresses = &who.handles.addresses;
        let kept = who.handles.account.as_deref().and_then(|a| a.strip_prefix(INVITED));
        let what = format!("list invitations of {}", self.org);
        let list: Vec<Invitation> = all(&self.find.rest, self.org("invitations"), &what).await?;
        let theirs = |i: &&Invitation| {
            let by_login = i
                .login
                .as_deref()
                .zip(login)
                .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
            let by_address = |e: &String| i.email.as_ref().is_some_and(|have| have.eq_ignore_ascii_case(e));
            by_login || kept == Some(i.id.to_string().as_str()) || addresses.iter().any(by_address)
        };
        let held = |i: &Invitation| {
            let to = i.email.as_ref().or(i.login.as_ref()).cloned().unwrap_or_default();
            Held::new(Holding::Invitation, i.id.to_string(), format!("to {to}"))
        };
        Ok(list.iter().filter(theirs).map(held).collect())
    }

    async fn outside(&self, login: &str) -> Result<bool, Failure> {
        let what = format!("list outside collaborators of {}", self.org);
        let list: Vec<Named> = all(&self.find.rest, self.org("outside_collaborators"), &what).await?;
        Ok(list.iter().any(|n| n.login.eq_ignore_ascii_case(login)))
    }

    async fn teams(&self, login: &str) -> Result<BTreeSet<Held>, Failure> {
        let what = format!("ask for {login}'s teams");
        let answer = graph(
            &self.find.graph,
            TEAMS,
            json!({"org": self.org, "logins": [login]}),
            &what,
        )
        .await?;
        let teams = &answer["teams"];
        if teams["pageInfo"]["hasNextPage"] == true {
            return Err(Failure::contradiction(what, "in more teams than one page holds"));
        }
        let Some(nodes) = teams["nodes"].as_array() else {
            return Err(Failure::contradiction(what, "the answer holds no list of teams"));
        };
        let held = |n: &serde_json::Value| {
            Some(Held::new(
                Holding::Team,
                n["databaseId"].as_u64()?.to_string(),
                n["slug"].as_str()?,
            ))
        };
        Ok(nodes.iter().filter_map(held).collect())
    }

    /// What they sign in with beside the browser.
    async fn credentials(&self, login: &str) -> Result<BTreeSet<Held>, Failure> {
        let mut out = BTreeSet::new();
        let what = format!("list what {login} authorized for single sign-on");
        let ask = self.org("credential-authorizations").query("login", login);
        // An organisation without SAML has no such list.
        let authorized: Option<Vec<Authorization>> = listed(&self.find.rest, ask, &what).await?;
        let saml = authorized.is_some();
        for c in authorized.into_iter().flatten() {
            let title = c.authorized_credential_title.or(c.token_last_eight).unwrap_or_default();
            let name = format!("{} {title}", c.credential_type);
            out.insert(Held::new(
                Holding::Token,
                format!("sso:{}", c.credential_id),
                name.trim(),
            ));
        }
        let what = format!("list {login}'s fine-grained tokens");
        if self.app.is_app().await? {
            let ask = self.org("personal-access-tokens").query("owner[]", login);
            let grants: Vec<Grant> = all(&self.find.rest, ask, &what).await?;
            for g in grants.into_iter().filter(|g| g.owner.login.eq_ignore_ascii_case(login)) {
                let name = format!("fine-grained token {}", g.token_name.unwrap_or_default());
                out.insert(Held::new(Holding::Token, format!("pat:{}", g.id), name.trim()));
            }
        } else if !saml {
            // Nothing at all shows them: an empty set would say that there are none.
            return Err(Failure::new(Kind::Cannot, what, "GitHub shows them to an App alone")
                .hint("make jml an App of the organisation: docs/DEPLOYMENT.md, Rights"));
        }
        Ok(out)
    }

    /// Why they can't be taken out, before anything is tried.
    async fn blocked(&self, m: &Membership) -> Result<Option<String>, Failure> {
        if let Some(team) = m.enterprise_teams_providing_indirect_membership.first() {
            let name = team["name"]
                .as_str()
                .or(team["slug"].as_str())
                .unwrap_or("an enterprise team");
            return Ok(Some(format!(
                "a member through the enterprise team {name}: take them out of it there"
            )));
        }
        if m.role != "admin" {
            return Ok(None);
        }
        let what = format!("count the owners of {}", self.org);
        let ask = self
            .org("members")
            .query("role", "admin")
            .query("per_page", 2)
            .what(&what);
        let owners: Vec<Named> = self.find.rest.get(ask).await?.json()?;
        Ok((owners.len() == 1).then(|| format!("the last owner of {}: make somebody else an owner first", self.org)))
    }

    /// Who is out of the organisation and left an identity behind, which nothing but a look at identities shows.
    async fn left(&self, found: &Found, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        if !who.parts.contains(&Holding::Owned) {
            return Ok(Observed::Absent);
        }
        let linked = self.linked(found, false, who).await?;
        if linked.is_empty() {
            return Ok(Observed::Absent);
        }
        let mut account = Account::new(
            found.id.to_string(),
            &found.login,
            State::Closed,
            "out; SAML identity stays",
        );
        let nothing = who.parts.iter().map(|part| (*part, Observed::Present(BTreeSet::new())));
        account.holds.extend(nothing);
        account.holds.insert(Holding::Owned, Observed::Present(linked));
        Ok(Observed::Present(account))
    }

    async fn account(&self, found: &Found, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let asks = |part| who.parts.contains(&part);
        let login = found.login.as_str();
        let membership = self.membership(login).await?;
        let active = membership.as_ref().is_some_and(|m| m.state == "active");
        let pending = membership.as_ref().is_some_and(|m| m.state == "pending");
        let outside = !active && self.outside(login).await?;
        let invitations = self.invitations(Some(login), who).await;
        let invited = pending || invitations.as_ref().is_ok_and(|i| !i.is_empty());
        if !active && !outside && !invited {
            invitations?;
            return self.left(found, who).await;
        }
        let (state, word) = match (active, outside) {
            (true, _) => (State::Active, "active"),
            (false, true) => (State::Active, "outside collaborator"),
            (false, false) => (State::Pending, "pending"),
        };
        let mut account = Account::new(found.id.to_string(), login, state, word);
        let mut put = |part: Holding, read: Result<BTreeSet<Held>, Failure>| {
            account
                .holds
                .insert(part, read.map_or_else(Observed::Unknown, Observed::Present));
        };
        if asks(Holding::Org) {
            let mut orgs = BTreeSet::new();
            if active {
                orgs.insert(Held::new(Holding::Org, "member", self.org.clone()));
            }
            if outside {
                let name = format!("{} as an outside collaborator", self.org);
                let mut held = Held::new(Holding::Org, "outside", name);
                held.via = Some("outside".to_owned());
                orgs.insert(held);
            }
            put(Holding::Org, Ok(orgs));
        }
        if asks(Holding::Invitation) {
            let mut read = invitations;
            if let (true, Ok(set)) = (pending, &mut read)
                && set.is_empty()
            {
                set.insert(Held::new(
                    Holding::Invitation,
                    format!("@{login}"),
                    format!("to {login}"),
                ));
            }
            put(Holding::Invitation, read);
        }
        if asks(Holding::Team) {
            put(
                Holding::Team,
                if active {
                    self.teams(login).await
                } else {
                    Ok(BTreeSet::new())
                },
            );
        }
        if asks(Holding::Token) {
            put(
                Holding::Token,
                if active {
                    self.credentials(login).await
                } else {
                    Ok(BTreeSet::new())
                },
            );
        }
        if asks(Holding::Owned) {
            put(Holding::Owned, self.linked(found, active, who).await);
        }
        if let Some(m) = membership.as_ref().filter(|_| active) {
            account.blocked = self.blocked(m).await?;
        }
        Ok(Observed::Present(account))
    }
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        super::VERBS.iter().copied().collect()
    }

    async fn pinned(&self) -> Result<(), Failure> {
        let what = format!("ask GitHub for {}", self.org);
        let org: Named = self.find.rest.get(path!["orgs", self.org].what(&what)).await?.json()?;
        match &self.id {
            Some(id) if *id != org.id.to_string() => {
                let found = format!("{} ({})", org.id, crate::http::sentence(&org.login));
                Err(Failure::wrong_tenant("check the GitHub organisation", id, &found)
                    .hint("put the right organisation in place, or write this one into [systems.github]"))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        match self.find.account(who).await? {
            Search::Found(found) => self.account(&found, who).await,
            Search::Nobody { proved } => {
                let invitations = self.invitations(None, who).await?;
                if let Some(first) = invitations.first() {
                    let address = first.name.trim_start_matches("to ").to_owned();
                    let mut account =
                        Account::new(format!("{INVITED}{}", first.id), address, State::Pending, "invited");
                    account
                        .holds
                        .insert(Holding::Invitation, Observed::Present(invitations));
                    account.holds.insert(Holding::Org, Observed::Present(BTreeSet::new()));
                    return Ok(Observed::Present(account));
                }
                self.proved().await?;
                if proved || !who.handles.assigned {
                    return Ok(Observed::Absent);
                }
                Err(Failure::new(
                    Kind::Contradiction,
                    format!("find {} at GitHub", who.person.login),
                    "the directory assigns GitHub, and no profile, identity or verified address tells the account",
                )
                .run(
                    "say which account is theirs",
                    format!("jml link {} {} ACCOUNT", who.person.login, self.find.rest.system()),
                ))
            }
        }
    }

    /// Members, then outside collaborators, then invitations.
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let at = from.map_or_else(|| "members".to_owned(), |c| c.0);
        let (list, link) = at.split_once(' ').map_or((at.as_str(), None), |(l, u)| (l, Some(u)));
        let what = format!("list {list} of {}", self.org);
        let ask = match link {
            Some(link) => Ask::follow(link),
            None => self.org(list).query("per_page", 100),
        };
        let answer = self.find.rest.get(ask.what(&what)).await?;
        let items: Vec<Account> = if list == "invitations" {
            let of = |i: Invitation| {
                let to = i.email.or(i.login).unwrap_or_default();
                Account::new(format!("{INVITED}{}", i.id), to, State::Pending, "invited")
            };
            answer.json::<Vec<Invitation>>()?.into_iter().map(of).collect()
        } else {
            let names = self.find.names().await?;
            let word = if list == "members" {
                "active"
            } else {
                "outside collaborator"
            };
            let of = |n: Named| {
                let mut account = Account::new(n.id.to_string(), n.login.clone(), State::Active, word);
                account.known_as = names.get(&n.login.to_lowercase()).cloned().unwrap_or_default();
                account
            };
            answer.json::<Vec<Named>>()?.into_iter().map(of).collect()
        };
        let next = match (answer.next_link(), list) {
            (Some(link), _) => Some(format!("{list} {link}")),
            (None, "members") => Some("outside_collaborators".to_owned()),
            (None, "outside_collaborators") => Some("invitations".to_owned()),
            (None, _) => None,
        };
        Ok(Page {
            items,
            next: next.map(Cursor),
            total: None,
        })
    }

    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        let what = format!("list teams of {}", self.org);
        let teams: Vec<Team> = all(&self.find.rest, self.org("teams"), &what).await?;
        let held = |t: Team| (t.slug.clone(), Held::new(Holding::Team, t.id.to_string(), t.slug));
        Ok(teams.into_iter().map(held).collect())
    }
}
