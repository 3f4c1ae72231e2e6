//! What can be done to an account: one effect, one mutating call.

use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    by_address, explain, is_id,
    wire::{Nothing, Opened, Resource, Said, heard, scim_word},
};
use crate::{
    http::{Ask, Writer, path},
    model::{Action, Failure, Held, Kind, Receipt, Repeat},
    providers::{Perform, Task},
};

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

    /// Opens the direct message (always the same one, so this changes nothing that matters) and says it, once: where it may have been
    /// said before, the conversation is looked through first.
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
        let mark = mark(task, text);
        if task.again
            && let Some(receipt) = self.sent(&direct.channel.id, &mark, &what).await.map_err(doubted)?
        {
            return Ok(receipt);
        }
        let ask = path!["api/chat.postMessage"].form(&[
            ("channel", &direct.channel.id),
            ("text", &escape(text)),
            ("mrkdwn", "false"),
            (
                "metadata",
                &json!({"event_type": EVENT, "event_payload": {"mark": mark}}).to_string(),
            ),
        ]);
        match said(&self.bot, ask, &what, task, None).await {
            Err(lost) if lost.kind == Kind::Doubt => match self.sent(&direct.channel.id, &mark, &what).await {
                Ok(Some(receipt)) => Ok(receipt),
                // It may still be on its way: whoever comes again looks again.
                Ok(None) => Err(Failure {
                    kind: Kind::Transient,
                    ..lost
                }),
                Err(unseen) => Err(match unseen.hint {
                    Some(hint) => Failure {
                        hint: Some(hint),
                        ..lost
                    },
                    None => lost,
                }),
            },
            other => other,
        }
    }

    /// docs.slack.dev/reference/methods/conversations.history : is the message with that mark among what was said there of late? Slack
    /// knows no key that makes a second one the same; the metadata of the first is what tells.
    async fn sent(&self, channel: &str, mark: &str, what: &str) -> Result<Option<Receipt>, Failure> {
        let oldest = ((self.bot.reader().clock())() - LOOKED_BACK).timestamp().to_string();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut ask = path!["api/conversations.history"]
                .query("channel", channel)
                .query("include_all_metadata", "true")
                .query("oldest", &oldest)
                .query("limit", 200);
            if !cursor.is_empty() {
                ask = ask.query("cursor", &cursor);
            }
            let answer = self.bot.reader().get(ask.what(what)).await?;
            let page: Said = heard(&answer, what)?;
            if page.messages.iter().any(|m| m.is(EVENT, mark)) {
                return Ok(Some(Receipt {
                    status: answer.status,
                    request: answer.request_id(),
                    ..Receipt::default()
                }));
            }
            match page
                .response_metadata
                .and_then(|m| m.next_cursor)
                .filter(|c| !c.is_empty())
            {
                Some(next) => cursor = next,
                None => return Ok(None),
            }
        }
        Err(Failure::permanent(
            what,
            "more was said there than can be looked through",
        ))
    }
}

/// The kind of our messages' metadata.
const EVENT: &str = "jml_message";
/// As far back as a run is taken up again.
const LOOKED_BACK: TimeDelta = TimeDelta::days(30);
const PAGES: usize = 10;

/// The same for each attempt at one message of a run, and for no other message.
fn mark(task: Task<'_>, text: &str) -> String {
    let (person, _) = task.key.rsplit_once('/').unwrap_or((task.key, ""));
    let all = [person, task.effect.account.as_str(), text].join("\0");
    hex::encode(&Sha256::digest(all)[..16])
}

/// What can't be looked for because nobody may is in doubt, and is not sent again; what may pass by itself is tried again.
fn doubted(f: Failure) -> Failure {
    match f.kind {
        Kind::Transient | Kind::Throttled => f,
        Kind::Permanent | Kind::Auth | Kind::Doubt | Kind::Cannot | Kind::Contradiction => Failure {
            kind: Kind::Doubt,
            summary: format!(
                "it may have been sent before, and its conversation can't be looked through: {}",
                f.summary
            ),
            ..f
        },
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

/// Nothing else needs it, and it disarms `<!channel>`, mentions and links that come from HR's data.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
