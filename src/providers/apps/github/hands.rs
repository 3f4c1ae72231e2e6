//! What can be done to an account: one effect, one mutating call. A role is never sent to somebody who has one.

use serde_json::json;

use super::{
    eyes::INVITED,
    wire::{Named, missing},
};
use crate::{
    http::{Ask, Writer, path},
    model::{Action, Failure, Held, Receipt, Repeat},
    providers::{Perform, Task},
};

pub struct Hands {
    rest: Writer,
    org: String,
}

impl Hands {
    pub(super) fn new(rest: Writer, org: String) -> Self {
        Hands { rest, org }
    }

    /// The login that goes with the number today.
    async fn login(&self, task: Task<'_>) -> Result<String, Failure> {
        let id = task.effect.account.as_str();
        let what = format!("find account {id} at GitHub");
        if id.parse::<u64>().is_err() {
            return Err(Failure::permanent(what, "the GitHub account isn't known yet"));
        }
        let answer = self
            .rest
            .reader()
            .get(path!["user", id].accept(404).what(&what))
            .await?;
        if missing(&answer) {
            return Err(Failure::permanent(what, "GitHub knows no such account").code("404"));
        }
        if !answer.success() {
            return Err(super::explain(&answer, &what));
        }
        Ok(answer.json::<Named>()?.login)
    }

    async fn gone(&self, ask: Ask, what: String, task: Task<'_>) -> Result<Receipt, Failure> {
        let ask = ask
            .accept(404)
            .what(&what)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let answer = self.rest.delete(ask).await?;
        let receipt = Receipt {
            status: answer.status,
            request: answer.header("x-github-request-id").map(crate::http::sentence),
            already: answer.status == 404,
            ..Receipt::default()
        };
        // Nothing comes with it: a page with 200 is a proxy's.
        match answer.status {
            204 => Ok(receipt),
            404 if missing(&answer) => Ok(receipt),
            404 => Err(super::explain(&answer, &what)),
            _ => Err(Failure::contradiction(
                what,
                "accepted, with an answer that is none of GitHub's",
            )),
        }
    }

    async fn revoke(&self, task: Task<'_>, token: &Held) -> Result<Receipt, Failure> {
        let what = format!("revoke {} at GitHub", token.name);
        if let Some(id) = token.id.strip_prefix("sso:") {
            return self
                .gone(path!["orgs", self.org, "credential-authorizations", id], what, task)
                .await;
        }
        let Some(id) = token.id.strip_prefix("pat:") else {
            return Err(Failure::permanent(what, "is no credential of GitHub's"));
        };
        let ask = path!["orgs", self.org, "personal-access-tokens", id]
            .json(&json!({"action": "revoke"}))
            .accept(404)
            .what(&what)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let answer = self.rest.post(ask).await?;
        let already = missing(&answer);
        if answer.status != 204 && !already {
            return Err(if answer.success() {
                Failure::contradiction(what, "accepted, with an answer that is none of GitHub's")
            } else {
                super::explain(&answer, &what)
            });
        }
        Ok(Receipt {
            status: answer.status,
            request: answer.header("x-github-request-id").map(crate::http::sentence),
            already,
            ..Receipt::default()
        })
    }

    async fn join(&self, task: Task<'_>, team: &Held) -> Result<Receipt, Failure> {
        #[derive(serde::Deserialize)]
        struct Joined {
            state: String,
        }
        let login = self.login(task).await?;
        let what = format!("bring {login} into the team {}", team.name);
        let ask = path!["orgs", self.org, "teams", team.name, "memberships", login]
            .json(&json!({"role": "member"}))
            .what(&what)
            .repeat(Repeat::Safe)
            .until(task.deadline);
        let answer = self.rest.put(ask).await?;
        match answer.json::<Joined>()?.state.as_str() {
            "active" => Ok(receipt(&answer, None)),
            _ => Err(Failure::transient(what, "the invitation has to be accepted first")),
        }
    }

    /// The same address again gives the same invitation.
    async fn invite(&self, task: Task<'_>, address: &str) -> Result<Receipt, Failure> {
        #[derive(serde::Deserialize)]
        struct Invited {
            id: u64,
        }
        let what = format!("invite {address} into {}", self.org);
        let ask = path!["orgs", self.org, "invitations"]
            .json(&json!({"email": address, "role": "direct_member"}))
            .what(&what)
            .repeat(Repeat::Safe)
            .until(task.deadline);
        let answer = self.rest.post(ask).await?;
        let invited: Invited = answer.json()?;
        Ok(receipt(&answer, Some(format!("{INVITED}{}", invited.id))))
    }
}

fn receipt(answer: &crate::http::Answer, made: Option<String>) -> Receipt {
    Receipt {
        status: answer.status,
        request: answer.header("x-github-request-id").map(crate::http::sentence),
        made,
        ..Receipt::default()
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::RevokeToken { token } => self.revoke(task, token).await,
            Action::JoinTeam { team } => self.join(task, team).await,
            Action::LeaveTeam { team } => {
                let login = self.login(task).await?;
                let what = format!("take {login} out of the team {}", team.name);
                self.gone(
                    path!["orgs", self.org, "teams", team.name, "memberships", login],
                    what,
                    task,
                )
                .await
            }
            Action::Invite { address } => self.invite(task, address).await,
            Action::CancelInvitation { invitation } => {
                let what = format!("cancel the invitation {}", invitation.name);
                let ask = match invitation.id.strip_prefix('@') {
                    Some(login) => path!["orgs", self.org, "memberships", login],
                    None => path!["orgs", self.org, "invitations", invitation.id],
                };
                self.gone(ask, what, task).await
            }
            Action::LeaveOrg { org } => {
                let login = self.login(task).await?;
                let what = format!("take {login} out of {}", org.name);
                let ask = match org.via.as_deref() {
                    Some("outside") => path!["orgs", self.org, "outside_collaborators", login],
                    _ => path!["orgs", self.org, "memberships", login],
                };
                self.gone(ask, what, task).await
            }
            other => Err(Failure::cannot(other)),
        }
    }
}
