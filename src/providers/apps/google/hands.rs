//! What can be done to an account: one effect, one mutating call.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    transfers::Transfers,
    users::{Found, is_id, user},
    wire::{Asp, Items, Transfer, User, explain, is, reason},
};
use crate::{
    http::{Answer, Ask, Writer, path},
    model::{Action, Failure, Held, Kind, Receipt, Repeat},
    providers::{Perform, Task},
};

/// By which backup codes are held, all of a person's at once.
pub(super) const CODES: &str = "backup-codes";

pub struct Hands {
    /// Users and what lets them in.
    pub(super) users: Writer,
    pub(super) members: Writer,
    /// The token that asks for a transfer.
    pub(super) moving: Writer,
    pub(super) transfers: Transfers,
}

impl Hands {
    /// Ends web and device sessions; tokens and app passwords go on, and are taken one by one.
    async fn sign_out(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("sign {id} out of Google everywhere");
        let ask = path!["admin/directory/v1/users", id, "signOut"];
        let answer = self.users.post(prepared(ask, &what, task).repeat(Repeat::Safe)).await?;
        emptied(&answer, &what, gone(&answer))
    }

    async fn revoke_client(&self, task: Task<'_>, client: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("revoke the tokens that {} holds of {id}", client.name);
        let ask = path!["admin/directory/v1/users", id, "tokens", client.id];
        let answer = self.users.delete(prepared(ask, &what, task)).await?;
        emptied(&answer, &what, gone(&answer))
    }

    async fn revoke_token(&self, task: Task<'_>, token: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("revoke the {} of {id}", token.name);
        if token.id == CODES {
            let ask = path!["admin/directory/v1/users", id, "verificationCodes", "invalidate"];
            let answer = self
                .users
                .post(prepared(ask, &what, task).accept(400).repeat(Repeat::Safe))
                .await?;
            if is(&answer, 400, "invalid") {
                return Err(Failure::permanent(&what, "refuses: most likely the account is suspended")
                    .code("invalid")
                    .hint("backup codes open nothing while the account is suspended; whoever restores it invalidates them first"));
            }
            return emptied(&answer, &what, gone(&answer));
        }
        let code = token
            .id
            .strip_prefix("asp:")
            .ok_or_else(|| Failure::permanent(&what, "isn't a credential of Google's"))?;
        let ask = path!["admin/directory/v1/users", id, "asps", code];
        let answer = self.users.delete(prepared(ask, &what, task).accept(400)).await?;
        // Of one that is gone Google says either.
        let already = gone(&answer) || (is(&answer, 400, "invalid") && !self.has_asp(id, code, &what).await?);
        emptied(&answer, &what, already)
    }

    async fn has_asp(&self, id: &str, code: &str, what: &str) -> Result<bool, Failure> {
        let ask = path!["admin/directory/v1/users", id, "asps"].what(what);
        let list: Items<Asp> = self.users.reader().get(ask).await?.json()?;
        Ok(list.items.iter().any(|a| a.code_id.to_string() == code))
    }

    /// PUT has patch semantics here, and a value that is set may be set again.
    async fn suspend(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("suspend the Google account {id}");
        let ask = path!["admin/directory/v1/users", id].json(&json!({"suspended": true}));
        let answer = self.users.put(prepared(ask, &what, task).repeat(Repeat::Safe)).await?;
        if gone(&answer) {
            return Ok(already(&answer));
        }
        if !answer.success() {
            return Err(explain(&answer, &what));
        }
        match answer.json::<User>()? {
            u if u.suspended && u.id == id => Ok(receipt(&answer)),
            _ => Err(Failure::contradiction(
                &what,
                "Google accepted it, and answers with an account that is not that one, suspended",
            )),
        }
    }

    async fn leave(&self, task: Task<'_>, group: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("take {id} out of {}", group.name);
        let ask = path!["admin/directory/v1/groups", group.id, "members", id];
        let answer = self.members.delete(prepared(ask, &what, task)).await?;
        emptied(&answer, &what, gone(&answer))
    }

    async fn join(&self, task: Task<'_>, group: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("bring {id} into {}", group.name);
        let Found::User(u) = user(self.users.reader(), id).await? else {
            return Err(Failure::permanent(&what, "has no Google account"));
        };
        let ask = path!["admin/directory/v1/groups", group.id, "members"]
            .json(&json!({"email": u.primary_email, "role": "MEMBER"}))
            .what(&what)
            .until(task.deadline)
            .accept(409)
            .repeat(Repeat::Safe);
        let answer = self.members.post(ask).await?;
        if answer.success() {
            #[derive(serde::Deserialize)]
            struct Member {
                #[serde(rename = "email")]
                _email: String,
            }
            answer.json::<Member>()?;
            return Ok(receipt(&answer));
        }
        match reason(&answer) {
            Some((word, _)) if word == "duplicate" || word == "memberExists" => Ok(already(&answer)),
            _ => Err(explain(&answer, &what)),
        }
    }

    /// Asked for once: a second request would make a second transfer. One of the same that runs, or has just ended, is taken for ours.
    async fn transfer(&self, task: Task<'_>, to: &str) -> Result<Receipt, Failure> {
        let old = account(task)?;
        let what = format!("have the files of {old} moved to {to}");
        let heir = match user(self.users.reader(), to).await? {
            Found::User(u) => u,
            Found::Nobody | Found::Deleted => {
                return Err(Failure::permanent(&what, format!("{to} has no Google account"))
                    .hint("name somebody who has one: --transfer-to LOGIN"));
            }
        };
        if heir.id == old {
            return Err(Failure::permanent(&what, format!("{to} is the same account")));
        }
        if heir.suspended || heir.archived {
            return Err(
                Failure::permanent(&what, format!("the Google account of {to} can't be signed in to"))
                    .hint("name somebody who can: --transfer-to LOGIN"),
            );
        }
        let there = self.transfers.of(old, Some(&heir.id)).await?;
        let there = self.transfers.whole(there).await?;
        let now = (self.users.reader().clock())();
        let ours =
            |t: &&Transfer| t.running() || (t.completed() && t.asked().is_some_and(|at| now - at < TimeDelta::days(1)));
        if let Some(found) = there.iter().find(ours) {
            return Ok(Receipt {
                status: 200,
                already: true,
                made: Some(found.id.clone()),
                ..Receipt::default()
            });
        }
        let body = self.transfers.request(old, &heir.id).await?;
        let ask = path!["admin/datatransfer/v1/transfers"]
            .json(&body)
            .what(&what)
            .until(task.deadline)
            .repeat(Repeat::LookFirst);
        let answer = self.moving.post(ask).await?;
        let made: Transfer = answer.json()?;
        Ok(Receipt {
            made: Some(made.id),
            ..receipt(&answer)
        })
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::ClearSessions => self.sign_out(task).await,
            Action::RevokeClientTokens { client } => self.revoke_client(task, client).await,
            Action::RevokeToken { token } => self.revoke_token(task, token).await,
            Action::Suspend => self.suspend(task).await,
            Action::RemoveMember { group } => self.leave(task, group).await,
            Action::AddMember { group } => self.join(task, group).await,
            Action::StartTransfer { to } => self.transfer(task, to).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

/// Never by address: it may be an alias by now.
fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    let id = task.effect.account.as_str();
    if is_id(id) {
        return Ok(id);
    }
    let summary = match id {
        "" => "the Google account isn't known yet".to_owned(),
        other => format!("{other} is no id of a Google account"),
    };
    Err(Failure::permanent(task.effect.action.name(), summary))
}

/// A leaver's call, to whom "it is gone" is an answer: 412 is Google's word for a deleted account.
fn prepared(ask: Ask, what: &str, task: Task<'_>) -> Ask {
    ask.what(what).until(task.deadline).accept(404).accept(412).urgent()
}

fn gone(answer: &Answer) -> bool {
    is(answer, 404, "notFound") || is(answer, 412, "conditionNotMet")
}

fn receipt(answer: &Answer) -> Receipt {
    Receipt {
        status: answer.status,
        request: answer.request_id(),
        ..Receipt::default()
    }
}

fn already(answer: &Answer) -> Receipt {
    Receipt {
        already: true,
        ..receipt(answer)
    }
}

/// Where Google answers with nothing at all.
fn emptied(answer: &Answer, what: &str, so: bool) -> Result<Receipt, Failure> {
    match answer.status {
        204 => Ok(receipt(answer)),
        200..=299 if answer.empty() => Ok(receipt(answer)),
        200..=299 => Err(Failure::new(
            Kind::Doubt,
            what,
            "answered with something other than Google's nothing",
        )),
        _ if so => Ok(already(answer)),
        _ => Err(explain(answer, what)),
    }
}
