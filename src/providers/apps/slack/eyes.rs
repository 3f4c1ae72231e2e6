//! What can be seen of an account: by its id, by its addresses, in the list.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use tokio::sync::OnceCell;

use super::{
    Plan, by_address, is_id,
    wire::{Channel, Channels, Me, Member, Members, Meta, heard, one, unreadable_addresses},
};
use crate::{
    http::{Ask, Reader, path, sentence},
    model::{Account, Failure, Held, Holding, Observed, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

pub struct Eyes {
    web: Reader,
    plan: Plan,
    /// The workspace (or the organisation) that the configuration pins.
    team: Option<String>,
    /// A known account was found by address: then "none" can be believed.
    canary: OnceCell<()>,
}

impl Eyes {
    pub fn new(web: Reader, plan: Plan, team: Option<String>) -> Self {
        Eyes {
            web,
            plan,
            team,
            canary: OnceCell::new(),
        }
    }

    /// docs.slack.dev/reference/methods/users.info . Deactivated accounts are found too.
    async fn by_id(&self, id: &str) -> Result<Option<Member>, Failure> {
        let what = format!("read the Slack account {id}");
        let answer = self
            .web
            .get(path!["api/users.info"].query("user", id).what(&what))
            .await?;
        one(&answer, &what, "user_not_found")
    }

    async fn by_address(&self, address: &str) -> Result<Option<Member>, Failure> {
        by_address(&self.web, address).await
    }

    /// The surest name first; one that finds nobody passes on to the next.
    async fn find(&self, who: Known<'_>) -> Result<Option<Member>, Failure> {
        let known = who.handles;
        for id in [&known.account, &known.external_id]
            .into_iter()
            .flatten()
            .filter(|id| is_id(id))
        {
            if let Some(member) = self.by_id(id).await? {
                return Ok(Some(member));
            }
        }
        let name = known
            .user_name
            .as_deref()
            .filter(|n| n.contains('@'))
            .map(str::to_lowercase);
        if let Some(name) = &name
            && let Some(member) = self.by_address(name).await?
        {
            return Ok(Some(member));
        }
        let mut addresses: BTreeSet<String> = known.addresses.iter().map(|a| a.to_lowercase()).collect();
        if let Some(name) = &name {
            addresses.remove(name);
        }
        let found = try_join_all(addresses.iter().map(|a| self.by_address(a))).await?;
        let mut members: BTreeMap<String, Member> = found.into_iter().flatten().map(|m| (m.id.clone(), m)).collect();
        if members.len() > 1 {
            let ids = members.into_keys().collect::<Vec<_>>().join(" and ");
            return Err(Failure::contradiction(
                "find the Slack account",
                format!("the person's addresses lead to {ids}"),
            )
            .hint("say which one is theirs: jml link LOGIN slack ACCOUNT"));
        }
        match members.pop_first() {
            Some((_, member)) => Ok(Some(member)),
            None => {
                addresses.extend(name);
                self.nobody(who, &addresses).await
            }
        }
    }

    /// No live account answers. Where the directory says that one is assigned it may be deactivated, which only the list shows.
    async fn nobody(&self, who: Known<'_>, addresses: &BTreeSet<String>) -> Result<Option<Member>, Failure> {
        if !who.handles.assigned {
            self.canary.get_or_try_init(|| self.believe()).await?;
            return Ok(None);
        }
        let mut from = None;
        loop {
            let (members, next) = self.list(from, 1000).await?;
            let theirs = |m: &Member| {
                m.deleted
                    && m.profile
                        .email
                        .as_ref()
                        .is_some_and(|e| addresses.contains(&e.to_lowercase()))
            };
            if let Some(member) = members.into_iter().find(theirs) {
                return Ok(Some(member));
            }
            from = next;
            if from.is_none() {
                let tried = addresses.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                return Err(Failure::contradiction(
                    "find the Slack account",
                    format!("Okta says that one is assigned, and Slack knows none under {tried}"),
                )
                .hint("say which account is theirs, or that they have none: jml link LOGIN slack ACCOUNT, or --not"));
            }
        }
    }

    /// Finds an account that is surely there by the query that just found none.
    async fn believe(&self) -> Result<(), Failure> {
        let (members, _) = self.list(None, 200).await?;
        let someone = members
            .iter()
            .find(|m| m.person() && !m.deleted && m.profile.email.is_some());
        let Some((someone, address)) = someone.and_then(|m| Some((m, m.profile.email.as_deref()?))) else {
            return Err(unreadable_addresses());
        };
        match self.by_address(address).await? {
            Some(m) if m.id == someone.id => Ok(()),
            _ => Err(Failure::contradiction(
                "find the Slack account",
                "a known account isn't found by its address either: that none was found proves nothing",
            )),
        }
    }

    /// docs.slack.dev/reference/methods/users.list . Only an empty cursor ends it.
    async fn list(&self, from: Option<Cursor>, limit: u32) -> Result<(Vec<Member>, Option<Cursor>), Failure> {
        let what = "list the Slack accounts";
        let ask = path!["api/users.list"].query("limit", limit).what(what);
        let answer = self.web.get(paged(ask, from)).await?;
        let list: Members = heard(&answer, what)?;
        Ok((list.members, next(list.response_metadata)))
    }

    /// docs.slack.dev/reference/methods/users.conversations : of private channels, those that the app shares.
    async fn channels(&self, id: &str) -> Result<BTreeSet<Held>, Failure> {
        let ask = || path!["api/users.conversations"].query("user", id);
        self.collect(&format!("read the channels of {id}"), ask).await
    }

    async fn collect(&self, what: &str, ask: impl Fn() -> Ask + Send) -> Result<BTreeSet<Held>, Failure> {
        let (mut all, mut from) = (BTreeSet::new(), None);
        loop {
            let ask = ask()
                .query("types", "public_channel,private_channel")
                .query("exclude_archived", true)
                .query("limit", 200);
            let answer = self.web.get(paged(ask.what(what), from)).await?;
            let page: Channels = heard(&answer, what)?;
            all.extend(page.channels.into_iter().map(Channel::held));
            from = next(page.response_metadata);
            if from.is_none() {
                return Ok(all);
            }
        }
    }

    fn account(&self, m: &Member) -> Account {
        let state = match m {
            Member { deleted: true, .. } => State::Closed,
            Member {
                is_invited_user: true, ..
            } => State::Pending,
            Member { .. } => State::Active,
        };
        let word = match (m.deleted, m.is_restricted || m.is_ultra_restricted) {
            (true, _) => "deactivated",
            (false, true) => "guest",
            (false, false) => "active",
        };
        Account {
            id: m.id.clone(),
            login: m.profile.email.clone().unwrap_or_else(|| m.name.clone()),
            state,
            word: word.into(),
            holds: BTreeMap::new(),
            blocked: (m.is_primary_owner && !m.deleted)
                .then(|| "primary owner of the Slack workspace: transfer the ownership first".into()),
            known_as: BTreeSet::new(),
            password_set: None,
        }
    }
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        self.plan.verbs()
    }

    /// docs.slack.dev/reference/methods/auth.test
    async fn pinned(&self) -> Result<(), Failure> {
        let what = "ask Slack which workspace this is";
        let answer = self.web.get(path!["api/auth.test"].what(what)).await?;
        let me: Me = heard(&answer, what)?;
        match &self.team {
            Some(team) if *team != me.team_id && Some(team) != me.enterprise_id.as_ref() => {
                let found = format!("{} ({})", me.team_id, sentence(&me.team));
                Err(Failure::wrong_tenant("check the Slack workspace", team, &found)
                    .hint("put the token of the right workspace in place, or write this one into [systems.slack]"))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let Some(member) = self.find(who).await? else {
            return Ok(Observed::Absent);
        };
        let mut account = self.account(&member);
        if who.parts.contains(&Holding::Channel) {
            // A deactivated member is in no channel.
            let seen = if member.deleted {
                Ok(BTreeSet::new())
            } else {
                self.channels(&member.id).await
            };
            account
                .holds
                .insert(Holding::Channel, seen.map_or_else(Observed::Unknown, Observed::Present));
        }
        if who.parts.contains(&Holding::Owned) {
            account.holds.insert(Holding::Owned, Observed::Present(member.owned()));
        }
        Ok(Observed::Present(account))
    }

    /// People only: no apps, no guests of connected organisations, not Slackbot (which doesn't call itself a bot).
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let (members, next) = self.list(from, 200).await?;
        let people: Vec<&Member> = members.iter().filter(|m| m.person()).collect();
        if !people.is_empty() && people.iter().all(|m| m.profile.email.is_none()) {
            return Err(unreadable_addresses());
        }
        Ok(Page {
            items: people.into_iter().map(|m| self.account(m)).collect(),
            next,
            total: None,
        })
    }

    /// docs.slack.dev/reference/methods/conversations.list
    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        let all = self
            .collect("list the Slack channels", || path!["api/conversations.list"])
            .await?;
        Ok(all.into_iter().map(|held| (held.name.clone(), held)).collect())
    }
}

fn paged(ask: Ask, from: Option<Cursor>) -> Ask {
    match from {
        Some(Cursor(cursor)) => ask.query("cursor", cursor),
        None => ask,
    }
}

fn next(meta: Option<Meta>) -> Option<Cursor> {
    meta.and_then(|m| m.next_cursor).filter(|c| !c.is_empty()).map(Cursor)
}
