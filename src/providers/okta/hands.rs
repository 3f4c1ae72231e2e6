//! The hands: each action is exactly one mutating call, by id.
//!
//! Refuses to repeat a lifecycle call blindly: after a refusal it reads the person afresh, and what is so already is no failure. Refuses to
//! revoke the API token that it works with, and to delete a group that holds people. Links and tokens that answers carry are dropped unread.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{
    explain::{absent, explain},
    groups, wire,
};
use crate::{
    http::{Answer, Ask, Writer, path},
    model::{Action, Failure, Held, Kind, Receipt, Status},
    providers::{Perform, Task},
};

pub struct Hands {
    api: Writer,
    /// Whether an activated person is mailed the link with which they set a password.
    welcome: bool,
    /// With an API token of a person's, one of their tokens is ours.
    by_token: bool,
    whose: OnceCell<Option<String>>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

fn done(answer: &Answer) -> Receipt {
    Receipt {
        status: answer.status,
        request: answer.request_id(),
        already: false,
        made: None,
    }
}

/// Okta ends sessions and grants without a word (204). No read tells whether it did, so that an answer with a body, which somebody in
/// between must have given, is not believed.
fn said_nothing(answer: &Answer, action: &Action) -> Result<Receipt, Failure> {
    if answer.empty() {
        return Ok(done(answer));
    }
    let summary = "the answer has a body where Okta sends none: something else may have answered";
    Err(Failure::new(Kind::Doubt, action.name(), summary).request(answer.request_id()))
}

fn already(failure: &Failure) -> Receipt {
    Receipt {
        status: failure.code.as_deref().and_then(|c| c.parse().ok()).unwrap_or_default(),
        request: failure.request.clone(),
        already: true,
        made: None,
    }
}

/// The vendor refused: nothing was done, and a look can tell whether there was anything to do.
fn refused(failure: &Failure) -> bool {
    match failure.kind {
        Kind::Permanent | Kind::Auth | Kind::Cannot => true,
        Kind::Transient | Kind::Throttled | Kind::Doubt | Kind::Contradiction => false,
    }
}

fn is(failure: &Failure, code: &str) -> bool {
    failure.code.as_deref() == Some(code)
}

impl Hands {
    pub fn new(api: Writer, welcome: bool, by_token: bool) -> Self {
        Hands {
            api,
            welcome,
            by_token,
            whose: OnceCell::new(),
        }
    }

    /// A lifecycle call. What Okta refuses because it is so already looks like any other refusal, even like "no such person".
    async fn lifecycle(&self, task: &Task<'_>, ask: Ask, so: fn(&wire::User) -> bool) -> Result<Receipt, Failure> {
        let failure = match self.api.post(ask.until(task.deadline)).await {
            Ok(answer) => return Ok(done(&answer)),
            Err(failure) => failure,
        };
        if !refused(&failure) {
            return Err(failure);
        }
        match self.read(&task.effect.account, task).await {
            Ok(user) if so(&user) => Ok(already(&failure)),
            Ok(_) => Err(about_admins(failure)),
            // The first failure is the one to tell.
            Err(_) => Err(failure),
        }
    }

    /// A removal whose object Okta does not know is done already.
    async fn gone(&self, ask: Ask) -> Result<Receipt, Failure> {
        match self.api.delete(ask).await {
            Ok(answer) => Ok(done(&answer)),
            Err(failure) if is(&failure, "E0000007") => Ok(already(&failure)),
            Err(failure) => Err(failure),
        }
    }

    async fn read(&self, id: &str, task: &Task<'_>) -> Result<wire::User, Failure> {
        self.api
            .reader()
            .get(path!["api/v1/users", id].until(task.deadline))
            .await?
            .json()
    }

    /// Whose token the calls are made with; nobody's, where Okta knows no person behind it.
    async fn owner(&self) -> Result<Option<&str>, Failure> {
        let read = self.whose.get_or_try_init(|| async {
            let ask = path!["api/v1/users/me"]
                .what("read whose API token this is")
                .accept(404);
            let answer = self.api.reader().get(ask).await?;
            match answer.status {
                404 if absent(&answer) => Ok(None),
                404 => Err(explain(&answer, "read whose API token this is")),
                _ => answer.json::<wire::User>().map(|me| Some(me.id)),
            }
        });
        read.await.map(Option::as_deref)
    }

    async fn revoke_token(&self, id: &str, token: &Held, task: &Task<'_>) -> Result<Receipt, Failure> {
        let what = format!("revoke the API token {}", token.name);
        // Which of an admin's tokens is in use can't be told from outside: none of theirs is touched.
        if self.by_token && self.owner().await? == Some(id) {
            return Err(Failure::permanent(what, "it may be the very token that jml works with")
                .hint("give jml another credential, then revoke it: Okta admin > Security > API > Tokens"));
        }
        self.gone(
            path!["api/v1/api-tokens", token.id]
                .what(what)
                .until(task.deadline)
                .urgent(),
        )
        .await
    }

    async fn member(&self, id: &str, group: &Held, gives: bool, task: &Task<'_>) -> Result<Receipt, Failure> {
        let ask = path!["api/v1/groups", group.id, "users", id].until(task.deadline);
        let outcome = if gives {
            let ask = ask.what(format!("add {id} to {}", group.name));
            self.api.put(ask).await.map(|a| done(&a))
        } else {
            self.gone(ask.what(format!("remove {id} from {}", group.name))).await
        };
        outcome.map_err(about_group)
    }

    async fn create_person(&self, profile: &BTreeMap<String, String>, task: &Task<'_>) -> Result<Receipt, Failure> {
        let login = profile.get("login").map_or("", String::as_str);
        let what = format!("create {login}");
        let ask = path!["api/v1/users"]
            .query("activate", false)
            .json(&json!({ "profile": profile }))
            .what(&what)
            .until(task.deadline);
        match self.api.post(ask).await {
            Ok(answer) => Ok(Receipt {
                made: answer.maybe::<Made>().map(|m| m.id),
                ..done(&answer)
            }),
            // `login: An object with this field already exists`: an earlier try of ours may have made them.
            Err(failure) if is(&failure, "E0000001") && !login.is_empty() && !login.contains('/') => {
                match self.read(login, task).await {
                    Ok(user) if user.text("login").is_some_and(|l| l.eq_ignore_ascii_case(login)) => Ok(Receipt {
                        made: Some(user.id),
                        ..already(&failure)
                    }),
                    Ok(_) | Err(_) => Err(failure),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    async fn create_group(&self, name: &str, description: &str, task: &Task<'_>) -> Result<Receipt, Failure> {
        let ask = path!["api/v1/groups"]
            .json(&json!({ "profile": { "name": name, "description": description } }))
            .what(format!("create the group {name}"))
            .until(task.deadline);
        match self.api.post(ask).await {
            Ok(answer) => Ok(Receipt {
                made: answer.maybe::<Made>().map(|m| m.id),
                ..done(&answer)
            }),
            Err(failure) if is(&failure, "E0000001") => match groups::named(self.api.reader(), name).await.as_deref() {
                Ok([one]) => Ok(Receipt {
                    made: Some(one.id.clone()),
                    ..already(&failure)
                }),
                Ok(_) | Err(_) => Err(failure),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn delete_group(&self, group: &Held, task: &Task<'_>) -> Result<Receipt, Failure> {
        let what = format!("delete the group {}", group.name);
        let look = path!["api/v1/groups", group.id, "users"]
            .query("limit", 1)
            .what(&what)
            .until(task.deadline);
        match self.api.reader().get(look).await {
            Ok(answer) if answer.json::<Vec<serde::de::IgnoredAny>>()?.is_empty() && answer.next_link().is_none() => {
                self.gone(path!["api/v1/groups", group.id].what(what).until(task.deadline))
                    .await
            }
            Ok(_) => Err(Failure::permanent(what, "it holds people")),
            Err(failure) if is(&failure, "E0000007") => Ok(already(&failure)),
            Err(failure) => Err(failure),
        }
    }
}

/// Lifecycle refused for lack of a role: the person may be an admin themselves.
fn about_admins(failure: Failure) -> Failure {
    if is(&failure, "E0000006") {
        failure.hint(
            "the person may be a super admin, whom only another super admin may change: take the admin role away in Okta, or give \
             jml's credential a role that covers them",
        )
    } else {
        failure
    }
}

fn about_group(failure: Failure) -> Failure {
    if is(&failure, "E0000006") {
        failure.hint(
            "jml's credential may not change this group's members (okta.groups.members.manage): its admin role does not cover the \
             group, or the group carries an admin role",
        )
    } else {
        failure
    }
}

fn closed(user: &wire::User) -> bool {
    user.status == Status::Deprovisioned || user.transitioning_to_status.as_deref() == Some("DEPROVISIONED")
}

fn suspended(user: &wire::User) -> bool {
    user.status == Status::Suspended || closed(user)
}

fn active(user: &wire::User) -> bool {
    match user.status {
        Status::Provisioned | Status::Active | Status::Recovery | Status::PasswordExpired | Status::LockedOut => {
            !closed(user)
        }
        Status::Staged | Status::Suspended | Status::Deprovisioned => {
            matches!(user.transitioning_to_status.as_deref(), Some("ACTIVE" | "PROVISIONED"))
        }
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = task.effect.account.as_str();
        let person = |verb: &str| format!("{verb} {id}");
        let until = |ask: Ask| ask.until(task.deadline);
        match &task.effect.action {
            Action::Suspend => {
                let ask = path!["api/v1/users", id, "lifecycle/suspend"]
                    .what(person("suspend"))
                    .urgent();
                self.lifecycle(&task, ask, suspended).await
            }
            Action::Deactivate => {
                let ask = path!["api/v1/users", id, "lifecycle/deactivate"]
                    .query("sendEmail", false)
                    .what(person("deactivate"))
                    .urgent();
                self.lifecycle(&task, ask, closed).await
            }
            Action::Activate => {
                let ask = path!["api/v1/users", id, "lifecycle/activate"]
                    .query("sendEmail", self.welcome)
                    .what(person("activate"));
                self.lifecycle(&task, ask, active).await
            }
            Action::Unsuspend => {
                let ask = path!["api/v1/users", id, "lifecycle/unsuspend"].what(person("unsuspend"));
                self.lifecycle(&task, ask, active).await
            }
            Action::ClearSessions => {
                let ask = path!["api/v1/users", id, "sessions"]
                    .query("oauthTokens", true)
                    .query("forgetDevices", true)
                    .what(person("clear the sessions of"))
                    .urgent();
                self.api
                    .delete(until(ask))
                    .await
                    .and_then(|a| said_nothing(&a, &task.effect.action))
                    .map_err(about_admins)
            }
            Action::RevokeGrants => {
                let ask = path!["api/v1/users", id, "grants"]
                    .what(person("revoke the grants of"))
                    .urgent();
                self.api
                    .delete(until(ask))
                    .await
                    .and_then(|a| said_nothing(&a, &task.effect.action))
                    .map_err(about_admins)
            }
            Action::RevokeClientTokens { client } => {
                let ask = path!["api/v1/users", id, "clients", client.id, "tokens"]
                    .what(format!("revoke the tokens of {} for {id}", client.name))
                    .urgent();
                self.gone(until(ask)).await
            }
            Action::RevokeToken { token } => self.revoke_token(id, token, &task).await,
            Action::RemoveMember { group } => self.member(id, group, false, &task).await,
            Action::AddMember { group } => self.member(id, group, true, &task).await,
            Action::UnassignApp { app } => {
                let ask = path!["api/v1/apps", app.id, "users", id].what(format!("unassign {} from {id}", app.name));
                self.gone(until(ask)).await.map_err(|f| about_app(f, app))
            }
            Action::CreatePerson { profile } => self.create_person(profile, &task).await,
            Action::CreateGroup { name, description } => self.create_group(name, description, &task).await,
            Action::DeleteGroup { group } => self.delete_group(group, &task).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

/// Whether an assignment can be ended while its app is switched off, no page of Okta's says.
fn about_app(failure: Failure, app: &Held) -> Failure {
    let off = app
        .facts
        .get(super::apps::fact::APP_STATUS)
        .is_some_and(|s| s == "INACTIVE");
    if off && refused(&failure) {
        failure.hint("the app is inactive: activate it and run again, or clear the assignment in Okta's console")
    } else {
        failure
    }
}
