//! What can be seen of an account: by its id, by what it is found by, in the list; and the groups that it is in.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use tokio::sync::{Mutex, OnceCell};

use super::{
    Gone, Key, Server, Settings, Switch, VERBS,
    server::{attribute, is, which},
    wire::Resource,
};
use crate::{
    http::sentence,
    model::{Account, Failure, Held, Holding, Observed, State, Verb, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

/// What a list of accounts is asked to show.
const SHOWN: &str = "userName,externalId,active,emails";
/// Servers allow few calls at once.
const AT_ONCE: usize = 4;

pub struct Eyes {
    server: Server,
    settings: Settings,
    /// By each key: somebody who is surely there was found by it, or the server keeps no such thing. Then "none" can be believed.
    proven: BTreeMap<Key, OnceCell<()>>,
    /// Somebody's membership was found by the same question.
    memberships: OnceCell<()>,
    /// Whom to prove it by.
    canaries: OnceCell<Vec<Resource>>,
    /// Without filters: everybody, as last read.
    everybody: Mutex<Option<Vec<Resource>>>,
}

impl Eyes {
    pub fn new(server: Server, settings: Settings) -> Self {
        Eyes {
            server,
            proven: settings.find_by.iter().map(|k| (*k, OnceCell::new())).collect(),
            settings,
            memberships: OnceCell::new(),
            canaries: OnceCell::new(),
            everybody: Mutex::new(None),
        }
    }

    /// The surest name first. Only where the id leads nowhere is the account looked for.
    async fn find(&self, who: Known<'_>) -> Result<Option<Resource>, Failure> {
        let known = who.handles;
        let mut lost = None;
        for id in [&known.account, &known.external_id]
            .into_iter()
            .flatten()
            .filter(|id| !id.is_empty())
        {
            match self.server.user(id).await? {
                Some(found) => return Ok(Some(found)),
                None => lost = lost.or(Some(id.as_str())),
            }
        }
        let wanted = self.wanted(who);
        let found = self.hits(&wanted).await?;
        let mut by_id: BTreeMap<String, Resource> = BTreeMap::new();
        for hit in found {
            by_id.insert(hit.id().unwrap_or_default().to_owned(), hit);
        }
        if by_id.len() > 1 {
            let ids: Vec<String> = by_id.into_keys().collect();
            let why = format!("the person's names lead to {}", sentence(&ids.join(" and ")));
            let what = format!("find the account in {}", self.server.name());
            return Err(which(Failure::contradiction(what, why), self.server.name()));
        }
        match by_id.pop_first() {
            // The list shows whom the server doesn't know by id any more.
            Some((id, hit)) if Some(id.as_str()) == lost => self.hidden(hit),
            // Some lists show whom their server hides by id; that an account is shut is believed of the server alone.
            Some((id, hit)) if hit.active() == Some(false) => match self.server.user(&id).await? {
                Some(found) => Ok(Some(found)),
                None => self.hidden(hit),
            },
            Some((_, hit)) => Ok(Some(hit)),
            None => {
                self.believe(&wanted).await?;
                if known.assigned && lost.is_none() {
                    return Err(self.missing(&wanted));
                }
                Ok(None)
            }
        }
    }

    fn hidden(&self, hit: Resource) -> Result<Option<Resource>, Failure> {
        match (self.settings.gone_is, hit.active()) {
            (Gone::Deleted, Some(false)) => Ok(Some(hit)),
            _ => Err(Failure::contradiction(
                format!("read the account in {}", self.server.name()),
                "it is in the list, and by its id the server doesn't know it",
            )
            .hint("if the server hides whom it deactivates: gone_is = \"deleted\" in its section")),
        }
    }

    /// The directory says that one is assigned: none is a contradiction, not an absence.
    fn missing(&self, wanted: &BTreeSet<(Key, String)>) -> Failure {
        let name = self.server.name();
        let tried: Vec<&str> = wanted.iter().map(|(_, v)| v.as_str()).collect();
        Failure::contradiction(
            format!("find the account in {name}"),
            format!(
                "Okta says that one is assigned, and {name} knows none under {}",
                tried.join(", ")
            ),
        )
        .hint(format!(
            "say which account is theirs, or that they have none: jml link LOGIN {name} ACCOUNT, or --not"
        ))
    }

    /// What the person may be known by, of the keys that the section allows.
    fn wanted(&self, who: Known<'_>) -> BTreeSet<(Key, String)> {
        let (person, known) = (who.person, who.handles);
        let mut out = BTreeSet::new();
        for key in &self.settings.find_by {
            let values: Vec<String> = match key {
                Key::UserName => {
                    let logins = [&person.login, &person.email].into_iter().chain(&known.user_name);
                    logins.map(|l| l.to_lowercase()).collect()
                }
                Key::ExternalId if self.settings.external_id == "id" => vec![person.id.0.clone()],
                Key::ExternalId => person
                    .profile
                    .get(&self.settings.external_id)
                    .cloned()
                    .into_iter()
                    .collect(),
                Key::Emails => known.addresses.iter().map(|a| a.to_lowercase()).collect(),
            };
            out.extend(values.into_iter().filter(|v| !v.is_empty()).map(|v| (*key, v)));
        }
        out
    }

    async fn hits(&self, wanted: &BTreeSet<(Key, String)>) -> Result<Vec<Resource>, Failure> {
        if self.server.filters() {
            let asks = wanted.iter().map(|(key, value)| self.server.by(*key, value));
            return Ok(try_join_all(asks).await?.into_iter().flatten().collect());
        }
        let fits = |r: &&Resource| wanted.iter().any(|(key, value)| is(r, *key, value));
        let mut everybody = self.everybody.lock().await;
        if let Some(found) = everybody.as_ref().and_then(|all| all.iter().find(fits)) {
            // whom an older list shows is there; its state is read by id
            let id = found.id().unwrap_or_default().to_owned();
            let more: Vec<&Resource> = everybody.iter().flatten().filter(fits).collect();
            if more.len() == 1 {
                return Ok(self.server.user(&id).await?.into_iter().collect());
            }
        }
        let all = self.server.all("Users", None, SHOWN).await?;
        let found = all.iter().filter(fits).cloned().collect();
        *everybody = Some(all);
        Ok(found)
    }

    /// That nobody was found is an absence only where somebody else is found by the very same question.
    async fn believe(&self, wanted: &BTreeSet<(Key, String)>) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Err(Failure::contradiction(
                format!("find the account in {}", self.server.name()),
                "the person has none of the names that accounts are found by here",
            )
            .hint("see find_by in the system's section"));
        }
        if !self.server.filters() {
            return self.complete().await;
        }
        let keys: BTreeSet<Key> = wanted.iter().map(|(key, _)| *key).collect();
        for (key, proven) in self.proven.iter().filter(|(k, _)| keys.contains(k)) {
            proven.get_or_try_init(|| self.prove(*key)).await?;
        }
        Ok(())
    }

    /// A list that was read whole proves it, as long as it isn't empty and holds the one who must be in it.
    async fn complete(&self) -> Result<(), Failure> {
        let everybody = self.everybody.lock().await;
        let all = everybody.as_deref().unwrap_or_default();
        let there = match &self.settings.canary {
            Some(login) => all.iter().any(|r| is(r, Key::UserName, login)),
            None => !all.is_empty(),
        };
        if there { Ok(()) } else { Err(self.nobody()) }
    }

    fn nobody(&self) -> Failure {
        let (name, canary) = (self.server.name(), &self.settings.canary);
        let why = match canary {
            Some(login) => format!("the canary {login} isn't found either: that none was found proves nothing"),
            None => "nobody is there to prove by that a search finds people".to_owned(),
        };
        Failure::contradiction(format!("find the account in {name}"), why)
            .hint("set canary in the system's section to a login that surely has an account there")
    }

    async fn prove(&self, key: Key) -> Result<(), Failure> {
        let some = self.canaries.get_or_try_init(|| self.canaries()).await?;
        let value = |r: &Resource| match key {
            Key::UserName => r.text("userName").map(str::to_owned),
            Key::ExternalId => r.text("externalId").map(str::to_owned),
            Key::Emails => r.emails().next().map(str::to_owned),
        };
        let Some((canary, value)) = some.iter().find_map(|r| Some((r, value(r)?))) else {
            // Nobody has one: it can find nobody, and nobody is missed by it. Without user names nothing is proved.
            return if key == Key::UserName {
                Err(self.nobody())
            } else {
                Ok(())
            };
        };
        match self.server.by(key, &value).await? {
            Some(found) if found.id() == canary.id() => Ok(()),
            _ => Err(Failure::contradiction(
                format!("find the account in {}", self.server.name()),
                format!(
                    "an account that is there isn't found by its {} either: that none was found proves nothing",
                    attribute(key)
                ),
            )
            .hint(format!("see find_by and filter in [systems.{}]", self.server.name()))),
        }
    }

    /// The configured one, else the first few of the list.
    async fn canaries(&self) -> Result<Vec<Resource>, Failure> {
        match &self.settings.canary {
            Some(login) => match self.server.by(Key::UserName, login).await? {
                Some(found) => Ok(vec![found]),
                None => Err(self.nobody()),
            },
            None => Ok(self.server.some("Users", 20).await?.items),
        }
    }

    async fn groups(&self, id: &str) -> Result<BTreeSet<Held>, Failure> {
        let held = |g: &Resource| Held::new(Holding::Group, g.id().unwrap_or_default(), sentence(g.name()));
        if self.settings.members_readable == Switch::Off {
            let all = self.server.all("Groups", None, "displayName").await?;
            let asks = all.iter().map(|g| async move {
                let inside = self.server.holds(g.id().unwrap_or_default(), id).await?;
                Ok::<_, Failure>(inside.then(|| held(g)))
            });
            let found: Vec<Option<Held>> = stream::iter(asks.collect::<Vec<_>>())
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            return Ok(found.into_iter().flatten().collect());
        }
        let found = self.server.groups_of(id).await?;
        if found.is_empty() && self.server.filters() {
            self.memberships.get_or_try_init(|| self.prove_memberships()).await?;
        }
        Ok(found.iter().map(held).collect())
    }

    /// No group was found: is anybody's?
    async fn prove_memberships(&self) -> Result<(), Failure> {
        let part = self.server.some("Groups", self.settings.page_size).await?;
        let whole = part.total.is_some_and(|n| n == part.items.len());
        let member = part
            .items
            .iter()
            .find_map(|g| Some((g.id()?.to_owned(), (*g.members()?.first()?).to_owned())));
        let Some((group, member)) = member else {
            if whole {
                return Ok(()); // all groups were shown, and nobody is in any
            }
            return Err(Failure::contradiction(
                format!("read the groups of an account in {}", self.server.name()),
                "no group shows a member by which to prove that the search finds any",
            )
            .hint("set members_readable = \"off\" in the system's section, or groups = \"off\""));
        };
        let found = self.server.groups_of(&member).await?;
        if found.iter().any(|g| g.id() == Some(group.as_str())) {
            return Ok(());
        }
        Err(Failure::contradiction(
            format!("read the groups of an account in {}", self.server.name()),
            "a membership that is there isn't found either: that none was found proves nothing",
        )
        .hint("set filter = \"off\" in the system's section"))
    }
}

/// An account that doesn't say whether it is active can't be judged.
fn account(r: &Resource, what: &str) -> Result<Account, Failure> {
    let active = r
        .active()
        .ok_or_else(|| Failure::contradiction(what, "the account doesn't say whether it is active"))?;
    Ok(shown(
        r,
        if active { State::Active } else { State::Closed },
        if active { "active" } else { "inactive" },
    ))
}

fn shown(r: &Resource, state: State, word: &str) -> Account {
    let id = r.id().unwrap_or_default();
    let mut account = Account::new(id, r.text("userName").unwrap_or(id), state, word);
    account.known_as = r.emails().chain(r.text("externalId")).map(str::to_owned).collect();
    account
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        let groups = |v: &Verb| *v == Verb::Deactivate || self.settings.groups == Switch::On;
        VERBS.iter().copied().filter(groups).collect()
    }

    /// A token names no tenant, and the address is the pin: that the list of accounts answers is all there is to ask.
    async fn pinned(&self) -> Result<(), Failure> {
        self.server.some("Users", 1).await.map(drop)
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let Some(found) = self.find(who).await? else {
            return Ok(Observed::Absent);
        };
        let mut account = account(&found, &format!("read the account in {}", self.server.name()))?;
        if who.parts.contains(&Holding::Group) && self.settings.groups == Switch::On {
            let seen = self.groups(&account.id).await;
            account
                .holds
                .insert(Holding::Group, seen.map_or_else(Observed::Unknown, Observed::Present));
        }
        Ok(Observed::Present(account))
    }

    /// All in one page of ours: whether a list adds up is known at its end, and before that it is nobody's.
    async fn accounts(&self, _: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let all = self.server.all("Users", None, SHOWN).await?;
        let items: Vec<Account> = all
            .iter()
            // who doesn't say that they are inactive may sign in
            .map(|r| account(r, "").unwrap_or_else(|_| shown(r, State::Active, "unknown")))
            .collect();
        Ok(Page {
            total: Some(items.len() as u64),
            items,
            next: None,
        })
    }
}
