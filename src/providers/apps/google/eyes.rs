//! What can be seen of an account: by its id, by addresses that are its own, in the list.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::TimeDelta;
use futures::future::{join4, try_join, try_join_all};
use tokio::sync::OnceCell;

use super::{
    transfers::Transfers,
    users::{Found, is_id, user},
    wire::{Asp, Code, Groups, Items, Token, Transfer, User, Users},
};
use crate::{
    http::{Ask, Reader, path, sentence},
    model::{Account, Failure, Held, Holding, Kind, Observed, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

const FIND: &str = "find the Google account";
/// Between two looks at a transfer that was just asked for.
const PAUSE: Duration = Duration::from_millis(500);

/// Each family of scopes has a token of its own: what isn't delegated makes its own part unknown, and no other.
pub struct Eyes {
    pub(super) can: Verbs,
    pub(super) directory: Reader,
    pub(super) security: Reader,
    pub(super) transfers: Transfers,
    pub(super) customer: Option<String>,
    /// As whom the service account acts.
    pub(super) admin: String,
    pub(super) groups: bool,
    pub(super) deadline: Option<Duration>,
    pub(super) wait: Duration,
    /// A known account was found: then "none" can be believed.
    pub(super) canary: OnceCell<()>,
}

type Part = Result<BTreeSet<Held>, Failure>;

enum Seen {
    User(Box<User>),
    /// By what it was asked for.
    Deleted(String),
    Nobody,
}

impl Eyes {
    /// The surest name first; one that finds nobody passes on to the next.
    async fn find(&self, who: Known<'_>) -> Result<Seen, Failure> {
        let known = who.handles;
        let mut deleted = None;
        let ids = [&known.account, &known.external_id];
        for id in ids.into_iter().flatten().filter(|id| is_id(id)) {
            match user(&self.directory, id).await? {
                Found::User(u) if u.id == *id => return Ok(Seen::User(u)),
                Found::User(u) => {
                    return Err(Failure::contradiction(
                        FIND,
                        format!("asked for {id}, got {}", sentence(&u.id)),
                    ));
                }
                Found::Deleted => deleted = Some(id.clone()),
                Found::Nobody => {}
            }
        }
        let name = known
            .user_name
            .iter()
            .chain(&known.external_id)
            .filter(|n| n.contains('@'));
        let addresses: BTreeSet<String> = name.chain(&known.addresses).map(|a| a.to_lowercase()).collect();
        let found = try_join_all(addresses.iter().map(|a| user(&self.directory, a))).await?;
        let mut users: BTreeMap<String, User> = BTreeMap::new();
        for (address, one) in addresses.iter().zip(found) {
            match one {
                Found::User(u) => drop(users.insert(u.id.clone(), *u)),
                Found::Deleted => {
                    deleted.get_or_insert_with(|| address.clone());
                }
                Found::Nobody => {}
            }
        }
        if users.len() > 1 {
            let ids = users.into_values().map(|u| sentence(&u.primary_email));
            let ids = ids.collect::<Vec<_>>().join(" and ");
            return Err(
                Failure::contradiction(FIND, format!("the person's addresses lead to {ids}"))
                    .hint("say which one is theirs: jml link LOGIN google ID"),
            );
        }
        match users.pop_first() {
            Some((_, u)) if addresses.iter().any(|a| u.is(a)) => Ok(Seen::User(Box::new(u))),
            Some((_, u)) => Err(Failure::contradiction(
                FIND,
                format!("the person's address is an alias of {}", sentence(&u.primary_email)),
            )
            .hint(format!(
                "if that account is theirs: jml link LOGIN google {}, else --not",
                sentence(&u.id)
            ))),
            None => match deleted {
                Some(known) => Ok(Seen::Deleted(known)),
                None => self.nobody(who, &addresses).await,
            },
        }
    }

    async fn nobody(&self, who: Known<'_>, tried: &BTreeSet<String>) -> Result<Seen, Failure> {
        self.canary.get_or_try_init(|| self.believe()).await?;
        if who.handles.assigned {
            let tried = tried.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Failure::contradiction(
                FIND,
                format!("Okta says that one is assigned, and Google knows none under {tried}"),
            )
            .hint("say which account is theirs, or that they have none: jml link LOGIN google ID, or --not"));
        }
        Ok(Seen::Nobody)
    }

    /// Finds an account that is surely there by the query that just found none.
    async fn believe(&self) -> Result<(), Failure> {
        self.acting().await.map(drop)
    }

    async fn acting(&self) -> Result<User, Failure> {
        match user(&self.directory, &self.admin).await? {
            Found::User(u) => Ok(*u),
            Found::Nobody | Found::Deleted => Err(Failure::new(
                Kind::Contradiction,
                "find the administrator as whom jml acts",
                "Google gives a token for them, and knows no such account: that none was found proves nothing",
            )),
        }
    }

    fn account(&self, u: &User) -> Account {
        let reason = u.suspension_reason.as_deref().unwrap_or("ADMIN");
        let (state, word) = match (u.suspended, u.archived) {
            (true, _) if reason == "ADMIN" => (State::Suspended, "suspended".to_owned()),
            (true, _) => (State::Suspended, format!("suspended by Google ({})", sentence(reason))),
            (false, true) => (State::Suspended, "archived".to_owned()),
            (false, false) => (State::Active, "active".to_owned()),
        };
        let open = state < State::Suspended;
        let blocked = if u.is(&self.admin) {
            Some("jml acts as this administrator: name another one as admin of [systems.google] first")
        } else if u.is_admin {
            Some("super administrator of Google Workspace: a super administrator takes that role away first")
        } else {
            None
        };
        let mut seat = Held::new(Holding::Seat, "account", "Google Workspace").with(
            "stays",
            "a suspended account is still billed, and deleting it would delete what it holds",
        );
        seat.via = Some("account".into());
        Account {
            id: u.id.clone(),
            login: u.primary_email.clone(),
            state,
            word,
            holds: BTreeMap::from([(Holding::Seat, Observed::Present([seat].into()))]),
            blocked: blocked.filter(|_| open).map(str::to_owned),
            known_as: u.aliases.iter().cloned().collect(),
            password_set: None,
        }
    }

    /// developers.google.com/workspace/admin/directory/reference/rest/v1/tokens/list : one page.
    async fn clients(&self, id: &str) -> Part {
        let what = format!("read which programs hold tokens of {id}");
        let ask = path!["admin/directory/v1/users", id, "tokens"].what(&what);
        let list: Items<Token> = self.security.get(ask).await?.json()?;
        let held = |t: Token| {
            let name = match t.display_text.as_str() {
                "" => &t.client_id,
                text => text,
            };
            let held = Held::new(Holding::Client, &t.client_id, sentence(name));
            if t.client_id.is_empty() {
                // Such rows exist.
                let mut held = held.with("stays", "Google gives no id by which its tokens could be revoked");
                held.id = format!("unnamed {}", held.name);
                held
            } else {
                held
            }
        };
        Ok(list.items.into_iter().map(held).collect())
    }

    /// App passwords one by one, backup codes as one.
    async fn credentials(&self, u: &User) -> Part {
        let what = format!("read the app passwords and backup codes of {}", u.id);
        let ask = |part: &str| path!["admin/directory/v1/users", u.id, part].what(&what);
        let (asps, codes) = try_join(
            self.security.get(ask("asps")),
            self.security.get(ask("verificationCodes")),
        )
        .await?;
        let (asps, codes): (Items<Asp>, Items<Code>) = (asps.json()?, codes.json()?);
        let mut held: BTreeSet<Held> = asps
            .items
            .into_iter()
            .map(|a| {
                let name = format!("app password \"{}\"", sentence(&a.name));
                Held::new(Holding::Token, format!("asp:{}", a.code_id), name)
            })
            .collect();
        if !codes.items.is_empty() {
            let codes = Held::new(Holding::Token, super::hands::CODES, "backup codes");
            let behind =
                "Google invalidates no backup codes of a suspended account; they open nothing until it is restored";
            held.insert(if u.suspended {
                codes.with("stays", behind)
            } else {
                codes
            });
        }
        Ok(held)
    }

    async fn memberships(&self, id: &str) -> Part {
        self.collect(&format!("read the Google groups of {id}"), || {
            path!["admin/directory/v1/groups"].query("userKey", id)
        })
        .await
    }

    /// developers.google.com/workspace/admin/directory/reference/rest/v1/groups/list : direct memberships.
    async fn collect(&self, what: &str, ask: impl Fn() -> Ask + Send) -> Part {
        let (mut all, mut next) = (BTreeSet::new(), None);
        loop {
            let ask = paged(ask().query("maxResults", 200), next);
            let page: Groups = self.directory.get(ask.what(what)).await?.json()?;
            all.extend(
                page.groups
                    .into_iter()
                    .map(|g| Held::new(Holding::Group, g.id, sentence(&g.email))),
            );
            next = page.next_page_token.map(Cursor);
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// What was just asked for is looked at again for a while, where the configuration says so.
    async fn moving(&self, id: &str) -> Part {
        loop {
            let all = self.transfers.of(id, None).await?;
            let now = (self.directory.clock())();
            let all: Vec<Transfer> = self.transfers.whole(all).await?;
            let all: Vec<Transfer> = all.into_iter().filter(|t| t.recent(now)).collect();
            let young = |t: &Transfer| t.running() && t.asked().is_some_and(|at| now < at + span(self.wait));
            if !all.iter().any(young) {
                return self.named(all).await;
            }
            tokio::time::sleep(PAUSE.min(self.wait)).await;
        }
    }

    async fn named(&self, all: Vec<Transfer>) -> Part {
        let owners: BTreeSet<&str> = all.iter().map(|t| t.new_owner_user_id.as_str()).collect();
        let known = try_join_all(owners.iter().map(|id| user(&self.directory, id))).await?;
        let known: BTreeMap<&str, Found> = owners.into_iter().zip(known).collect();
        let held = |t: &Transfer| {
            let until = self.deadline.and_then(|d| Some(t.asked()? + span(d)));
            match known.get(t.new_owner_user_id.as_str()) {
                Some(Found::User(u)) => t.held(&u.primary_email, &u.aliases, until),
                _ => t.held(&t.new_owner_user_id, &[], until),
            }
        };
        Ok(all.iter().map(held).collect())
    }
}

/// Gone already; for some weeks it can be restored.
fn deleted(known: String) -> Account {
    let files = Held::new(
        Holding::Owned,
        "files",
        "the files of a deleted account, which can only be had by restoring it first",
    );
    Account {
        login: known.clone(),
        id: known,
        state: State::Closed,
        word: "deleted, restorable".into(),
        holds: [(Holding::Owned, Observed::Present([files].into()))].into(),
        blocked: None,
        known_as: BTreeSet::new(),
        password_set: None,
    }
}

fn span(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or_default()
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        self.can.clone()
    }

    /// The administrator's own account says whose customer this is.
    async fn pinned(&self) -> Result<(), Failure> {
        let me = self.acting().await?;
        let _ = self.canary.set(());
        match (&self.customer, &me.customer_id) {
            (Some(pin), Some(theirs)) if pin != theirs => {
                let found = format!("{}, as {} says", sentence(theirs), self.admin);
                Err(Failure::wrong_tenant("check the Google customer", pin, &found)
                    .hint("put the key of the right customer in place, or write this one into [systems.google]"))
            }
            (Some(_), None) => Err(Failure::contradiction(
                "check the Google customer",
                "the administrator's account doesn't say of which customer it is",
            )),
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let u = match self.find(who).await? {
            Seen::User(u) => *u,
            // Of somebody who leaves it is worth a word; for everybody else there is none.
            Seen::Deleted(known) if who.parts.contains(&Holding::Owned) => {
                return Ok(Observed::Present(deleted(known)));
            }
            Seen::Deleted(_) | Seen::Nobody => return Ok(Observed::Absent),
        };
        let mut account = self.account(&u);
        let asked = |part| who.parts.contains(&part);
        let (clients, tokens, groups, transfers) = join4(
            when(asked(Holding::Client), self.clients(&u.id)),
            when(asked(Holding::Token), self.credentials(&u)),
            when(asked(Holding::Group) && self.groups, self.memberships(&u.id)),
            when(
                asked(Holding::Transfer) && self.can.contains(&crate::model::Verb::StartTransfer),
                self.moving(&u.id),
            ),
        )
        .await;
        for (part, read) in [
            (Holding::Client, clients),
            (Holding::Token, tokens),
            (Holding::Group, groups),
            (Holding::Transfer, transfers),
        ] {
            if let Some(read) = read {
                let read = read.map_or_else(Observed::Unknown, Observed::Present);
                account.holds.insert(part, read);
            }
        }
        if asked(Holding::Owned) {
            let roles = match (u.is_admin, u.is_delegated_admin) {
                (true, _) => Some("super administrator of Google Workspace"),
                (false, true) => Some("administrator's roles in Google Workspace"),
                (false, false) => None,
            };
            let roles = roles.map(|name| Held::new(Holding::Owned, "roles", name));
            account
                .holds
                .insert(Holding::Owned, Observed::Present(roles.into_iter().collect()));
        }
        Ok(Observed::Present(account))
    }

    /// developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let ask = path!["admin/directory/v1/users"]
            .query("customer", "my_customer")
            .query("maxResults", 500)
            .query("orderBy", "email")
            .what("list the Google accounts");
        let page: Users = self.directory.get(paged(ask, from)).await?.json()?;
        Ok(Page {
            items: page.users.iter().map(|u| self.account(u)).collect(),
            next: page.next_page_token.map(Cursor),
            total: None,
        })
    }

    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        if !self.groups {
            return Ok(BTreeMap::new());
        }
        let all = self
            .collect("list the Google groups", || {
                path!["admin/directory/v1/groups"].query("customer", "my_customer")
            })
            .await?;
        Ok(all.into_iter().map(|held| (held.name.clone(), held)).collect())
    }
}

async fn when(asked: bool, read: impl Future<Output = Part>) -> Option<Part> {
    if asked { Some(read.await) } else { None }
}

fn paged(ask: Ask, from: Option<Cursor>) -> Ask {
    match from {
        Some(Cursor(token)) => ask.query("pageToken", token),
        None => ask,
    }
}
