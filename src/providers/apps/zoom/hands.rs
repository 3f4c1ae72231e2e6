//! What can be done to an account: one effect, one mutating call.

use serde_json::json;

use super::{
    explain,
    eyes::{by_name, segment},
    wire::{accepted, nobody},
};
use crate::{
    http::{Answer, Ask, Writer, path},
    model::{Action, Failure, Kind, Receipt, Repeat},
    providers::{Perform, Task},
};

pub struct Hands {
    zoom: Writer,
}

impl Hands {
    pub fn new(zoom: Writer) -> Self {
        Hands { zoom }
    }

    /// `PUT /v2/users/{id}/status`: a value that is set, so it may be sent again.
    async fn status(&self, task: Task<'_>, active: bool) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let (word, status) = if active {
            ("activate", "active")
        } else {
            ("deactivate", "inactive")
        };
        let what = format!("{word} the Zoom account {id}");
        let ask = path!["v2/users", segment(id), "status"].json(&json!({ "action": word }));
        let answer = self.zoom.put(treated(ask, &what, task).accept(400)).await?;
        match said(&answer, &what, !active) {
            // Zoom doesn't say what a second call answers: how it stands does.
            Err(f) if f.kind == Kind::Permanent => match by_name(self.zoom.reader(), id).await {
                Ok(Some(user)) if user.status.as_deref() == Some(status) => Ok(receipt(&answer, true)),
                _ => Err(f),
            },
            other => other,
        }
    }

    /// `DELETE /v2/users/{id}/token`: of SSO sign-ins alone; twice is as good.
    async fn clear_sessions(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("sign {id} out of Zoom");
        let ask = treated(path!["v2/users", segment(id), "token"], &what, task);
        said(&self.zoom.delete(ask).await?, &what, true)
    }

    /// `PATCH /v2/users/{id}`: basic is the type without a licence.
    async fn release_seat(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("free the Zoom licence of {id}");
        let ask = path!["v2/users", segment(id)].json(&json!({"type": 1}));
        said(&self.zoom.patch(treated(ask, &what, task)).await?, &what, true)
    }

    /// `DELETE /v2/users/{id}?action=disassociate`, which is how a pending person's invitation ends. One who came meanwhile would lose
    /// the account to themselves by it, so the status is read first.
    async fn cancel(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("withdraw the Zoom invitation of {id}");
        let Some(user) = by_name(self.zoom.reader(), id).await? else {
            return Ok(Receipt {
                status: 404,
                already: true,
                ..Receipt::default()
            });
        };
        if user.status.as_deref() != Some("pending") {
            return Err(Failure::permanent(
                what,
                "was accepted in the meantime: the account is no invitation any more",
            )
            .run(
                "plan it anew",
                format!("jml leaver {}", user.email.as_deref().unwrap_or("LOGIN")),
            ));
        }
        let ask = path!["v2/users", segment(id)].query("action", "disassociate");
        said(&self.zoom.delete(treated(ask, &what, task)).await?, &what, true)
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::ClearSessions => self.clear_sessions(task).await,
            Action::Deactivate => self.status(task, false).await,
            Action::Activate => self.status(task, true).await,
            Action::ReleaseSeat { .. } => self.release_seat(task).await,
            Action::CancelInvitation { .. } => self.cancel(task).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

/// Never `me`: that is the owner of the token.
fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    match task.effect.account.as_str() {
        id if id.is_empty() || id.eq_ignore_ascii_case("me") => Err(Failure::permanent(
            task.effect.action.name(),
            "the Zoom account isn't known yet",
        )),
        id => Ok(id),
    }
}

fn treated(ask: Ask, what: &str, task: Task<'_>) -> Ask {
    ask.what(what)
        .accept(404)
        .repeat(Repeat::Safe)
        .until(task.deadline)
        .urgent()
}

fn receipt(answer: &Answer, already: bool) -> Receipt {
    Receipt {
        status: answer.status,
        request: answer.request_id(),
        already,
        ..Receipt::default()
    }
}

/// 204 without a body is done. `gone`: is nobody there as good as done?
fn said(answer: &Answer, what: &str, gone: bool) -> Result<Receipt, Failure> {
    if gone && nobody(answer) {
        return Ok(receipt(answer, true));
    }
    if !answer.success() {
        return Err(explain(answer, what));
    }
    if answer.empty() {
        return Ok(receipt(answer, false));
    }
    accepted(answer, what)?;
    Err(Failure::new(
        Kind::Doubt,
        what,
        "was answered with something other than Zoom's empty answer",
    )
    .code(answer.status.to_string())
    .request(answer.request_id()))
}
