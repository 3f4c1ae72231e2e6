//! Slack: ends a leaver's sessions and account, moves people between channels, tells a manager.
//!
//! Does not delete anybody (Slack can't), makes no account (the directory's provisioning does), changes no guest's kind (that would wake
//! a deactivated account) and writes to nobody but one person at a time. Two bases, two tokens: the Web API speaks with a bot's, SCIM and
//! `admin.*` with an owner's. Facts: docs.slack.dev, methods and admins/scim-api.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{
    http::{Ask, Reader, Writer, path, sentence},
    model::{Account, Action, Failure, Held, Holding, Kind, Observed, Receipt, Repeat, State, Verb, Verbs},
    providers::{Cursor, Known, Observe, Page, Perform, Task},
};

use wire::{
    Channel, Channels, Me, Member, Members, Meta, Nothing, Opened, Resource, heard, one, scim_word,
    unreadable_addresses,
};

pub use wire::explain;

pub const VERBS: &[Verb] = &[
    Verb::ClearSessions,
    Verb::Deactivate,
    Verb::JoinChannel,
    Verb::LeaveChannel,
    Verb::SendMessage,
];

/// What the workspace has bought decides what can be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// No way to deactivate by API.
    Pro,
    /// SCIM deactivates, and that ends the sessions.
    #[default]
    Business,
    /// Sessions end by themselves too.
    Enterprise,
}

impl Plan {
    fn verbs(self) -> Verbs {
        let not_sold: &[Verb] = match self {
            Plan::Pro => &[Verb::ClearSessions, Verb::Deactivate],
            Plan::Business => &[Verb::ClearSessions],
            Plan::Enterprise => &[],
        };
        VERBS.iter().copied().filter(|v| !not_sold.contains(v)).collect()
    }
}

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

    /// docs.slack.dev/reference/methods/users.lookupByEmail . Deactivated accounts are not found.
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
                Err(Failure::contradiction(
                    "check the Slack workspace",
                    format!(
                        "the configuration pins {team}, the token is of {} ({})",
                        me.team_id,
                        sentence(&me.team)
                    ),
                )
                .run(
                    "put the token of the right workspace in place, or pin this one anew",
                    "jml config init",
                ))
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

pub struct Hands {
    /// As the bot.
    bot: Writer,
    /// As an owner: `admin.*`.
    admin: Writer,
    /// As an owner, at SCIM's own address.
    scim: Writer,
}

impl Hands {
    pub fn new(bot: Writer, admin: Writer, scim: Writer) -> Self {
        Hands { bot, admin, scim }
    }

    /// docs.slack.dev/reference/methods/admin.users.session.reset : no flag is all sessions, and a second time is as good.
    async fn clear_sessions(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("sign {id} out of Slack everywhere");
        let ask = path!["api/admin.users.session.reset"].form(&[("user_id", id)]).urgent();
        said(&self.admin, ask, &what, task, None).await
    }

    /// docs.slack.dev/admins/scim-api : setting a value, so it may be sent again. GovSlack has version 1 alone.
    async fn deactivate(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("deactivate the Slack account {id}");
        let old = self
            .scim
            .reader()
            .url()
            .host_str()
            .is_some_and(|h| h.ends_with("slack-gov.com"));
        let ask = if old {
            path!["scim/v1/Users", id].json(&json!({"schemas": ["urn:scim:schemas:core:1.0"], "active": false}))
        } else {
            path!["scim/v2/Users", id].json(&json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "active", "value": false}]}))
        };
        let ask = ask
            .what(&what)
            .accept(404)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let answer = self.scim.patch(ask).await?;
        let receipt = Receipt {
            status: answer.status,
            request: answer.request_id(),
            ..Receipt::default()
        };
        if answer.status == 404 {
            return match scim_word(&answer).as_deref() {
                Some("no_such_user" | "unknown_user") => Ok(Receipt {
                    already: true,
                    ..receipt
                }),
                _ => Err(explain(&answer, &what)),
            };
        }
        match answer.json::<Resource>()? {
            Resource { active: false } => Ok(receipt),
            Resource { active: true } => Err(Failure::contradiction(
                &what,
                "Slack accepted it and answers that the account is active",
            )
            .request(receipt.request)),
        }
    }

    /// docs.slack.dev/reference/methods/conversations.invite : one person a call, so that the answer is about them.
    async fn join(&self, task: Task<'_>, channel: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("bring {id} into {}", channel.name);
        let ask = path!["api/conversations.invite"].form(&[("channel", &channel.id), ("users", id)]);
        said(&self.bot, ask, &what, task, Some("already_in_channel")).await
    }

    /// docs.slack.dev/reference/methods/conversations.kick
    async fn leave(&self, task: Task<'_>, channel: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("take {id} out of {}", channel.name);
        let ask = path!["api/conversations.kick"].form(&[("channel", &channel.id), ("user", id)]);
        said(&self.bot, ask, &what, task, Some("not_in_channel")).await
    }

    /// Opens the direct message (always the same one, so this changes nothing that matters) and says it, once.
    async fn tell(&self, task: Task<'_>, text: &str) -> Result<Receipt, Failure> {
        let to = account(task)?;
        let what = format!("send {to} a message");
        let id = if is_id(to) {
            to.to_owned()
        } else {
            let found = by_address(self.bot.reader(), to).await?;
            found
                .ok_or_else(|| Failure::permanent(&what, "has no live Slack account").code("users_not_found"))?
                .id
        };
        let open = path!["api/conversations.open"].form(&[("users", &id)]);
        let answer = self
            .bot
            .post(open.what(&what).repeat(Repeat::Safe).until(task.deadline))
            .await?;
        let direct: Opened = heard(&answer, &what)?;
        let ask = path!["api/chat.postMessage"].form(&[
            ("channel", &direct.channel.id),
            ("text", &escape(text)),
            ("mrkdwn", "false"),
        ]);
        said(&self.bot, ask, &what, task, None).await
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::ClearSessions => self.clear_sessions(task).await,
            Action::Deactivate => self.deactivate(task).await,
            Action::JoinChannel { channel } => self.join(task, channel).await,
            Action::LeaveChannel { channel } => self.leave(task, channel).await,
            Action::SendMessage { text } => self.tell(task, text).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    match task.effect.account.as_str() {
        "" => Err(Failure::permanent(
            task.effect.action.name(),
            "the Slack account isn't known yet",
        )),
        id => Ok(id),
    }
}

/// A write to the Web API; `so` is Slack's word for "it was so before".
async fn said(to: &Writer, ask: Ask, what: &str, task: Task<'_>, so: Option<&str>) -> Result<Receipt, Failure> {
    let once = task.effect.action.repeat();
    let answer = to.post(ask.what(what).repeat(once).until(task.deadline)).await?;
    let receipt = Receipt {
        status: answer.status,
        request: answer.request_id(),
        ..Receipt::default()
    };
    match heard::<Nothing>(&answer, what) {
        Ok(Nothing {}) => Ok(receipt),
        Err(f) if so.is_some() && f.code.as_deref() == so => Ok(Receipt {
            already: true,
            ..receipt
        }),
        // "Some aspect may have succeeded", says Slack of these.
        Err(f) if f.kind == Kind::Transient && once == Repeat::LookFirst => Err(Failure { kind: Kind::Doubt, ..f }),
        Err(f) => Err(f),
    }
}

async fn by_address(web: &Reader, address: &str) -> Result<Option<Member>, Failure> {
    let what = format!("find {address} in Slack");
    let answer = web
        .get(path!["api/users.lookupByEmail"].query("email", address).what(&what))
        .await?;
    one(&answer, &what, "users_not_found")
}

/// An id begins with U or W. Anything else in its place is a name.
fn is_id(text: &str) -> bool {
    text.len() >= 9
        && text.starts_with(['U', 'W'])
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Nothing else needs it, and it disarms `<!channel>`, mentions and links that come from HR's data.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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
