//! What can be done to an account: deactivate it in the way that its server knows, and take it out of groups one by one.

use serde_json::{Map, Value, json};

use super::{
    ActiveAs, ContentType, Deprovision, OpCase, Server, Settings, Switch,
    server::accept,
    wire::{self, Resource, equals, explain},
};
use crate::{
    http::{Answer, Ask, Writer, path},
    model::{Action, Failure, Held, Receipt, Repeat},
    providers::{Perform, Task},
};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub struct Hands {
    http: Writer,
    server: Server,
    settings: Settings,
}

impl Hands {
    pub fn new(http: Writer, settings: Settings) -> Self {
        Hands {
            server: Server::new(http.reader().clone(), &settings),
            http,
            settings,
        }
    }

    /// Every one of these sets a value or takes away, so each may be sent again.
    fn ask(&self, ask: Ask, body: Option<&Value>, what: &str, task: Task<'_>) -> Ask {
        let ask = match (body, self.settings.content_type) {
            (None, _) => ask,
            (Some(body), ContentType::Scim) => ask.bytes("application/scim+json", body.to_string()),
            (Some(body), ContentType::Json) => ask.json(body),
        };
        accept(ask, self.settings.content_type)
            .what(what)
            .accept(404)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent()
    }

    fn op(&self, op: &str) -> String {
        match self.settings.op_case {
            OpCase::Lower => op.to_owned(),
            OpCase::Capital => op[..1].to_uppercase() + &op[1..],
        }
    }

    fn inactive(&self) -> Value {
        match self.settings.active_as {
            ActiveAs::Bool => false.into(),
            ActiveAs::String => "False".into(),
        }
    }

    async fn deactivate(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("deactivate {id} in {}", self.server.name());
        let place = path!["Users", id];
        let answer = match self.settings.deprovision {
            Deprovision::Patch => {
                let operation = match self.settings.patch_path {
                    Switch::On => json!({"op": self.op("replace"), "path": "active", "value": self.inactive()}),
                    Switch::Off => json!({"op": self.op("replace"), "value": {"active": self.inactive()}}),
                };
                let body = patch(&operation);
                self.http
                    .patch(self.ask(place, Some(&body), &what, task))
                    .await
                    .map_err(|f| {
                        let unsupported = matches!(f.code.as_deref(), Some("405" | "501"));
                        if unsupported {
                            f.hint("set deprovision = \"put\" in the system's section")
                        } else {
                            f
                        }
                    })?
            }
            Deprovision::Put => return self.put(id, &what, task).await,
            Deprovision::Delete => self.http.delete(self.ask(place, None, &what, task)).await?,
        };
        self.done(&answer, &what)
    }

    /// The whole account as it is, but for `active`: what is left out of a PUT is wiped. Another's change in between is read first.
    async fn put(&self, id: &str, what: &str, task: Task<'_>) -> Result<Receipt, Failure> {
        let mut strict = false;
        for last in [false, true] {
            let ask = accept(path!["Users", id], self.settings.content_type)
                .what(what)
                .accept(404);
            let answer = self.http.reader().get(ask).await?;
            if answer.status == 404 {
                return self.done(&answer, what);
            }
            let there = wire::one(&answer, id, what)?;
            let tag = answer
                .header("etag")
                .map(str::to_owned)
                .or_else(|| there.at("meta.version")?.as_str().map(str::to_owned));
            let body = Value::from(self.written(there, strict));
            let mut ask = self
                .ask(path!["Users", id], Some(&body), what, task)
                .accept(400)
                .accept(412);
            if let Some(tag) = &tag {
                ask = ask.header("if-match", tag);
            }
            let answer = self.http.put(ask).await?;
            let complains =
                answer.status == 400 && wire::error(&answer).is_some_and(|(k, _)| k.as_deref() == Some("mutability"));
            match answer.status {
                412 if !last => {}
                400 if complains && !last => strict = true,
                400 | 412 => return Err(explain(&answer, what)),
                _ => return self.done(&answer, what),
            }
        }
        Err(Failure::transient(
            what,
            "the account changed twice while it was read and written",
        ))
    }

    /// What the server keeps for itself isn't written back; `strict`: nor is the id.
    fn written(&self, Resource(mut body): Resource, strict: bool) -> Map<String, Value> {
        let mut own = vec!["meta", "groups", "password", "active"];
        if strict {
            own.push("id");
        }
        body.retain(|k, _| !own.iter().any(|o| k.eq_ignore_ascii_case(o)));
        body.insert("active".into(), self.inactive());
        body
    }

    fn done(&self, answer: &Answer, what: &str) -> Result<Receipt, Failure> {
        let receipt = Receipt {
            status: answer.status,
            request: answer.request_id(),
            ..Receipt::default()
        };
        if answer.status == 404 {
            wire::unknown(answer, what)?;
            return Ok(Receipt {
                already: true,
                ..receipt
            });
        }
        // A body is the server's word on the account: that it is active contradicts the answer, anything else proves nothing.
        let says = answer
            .maybe::<Map<String, Value>>()
            .and_then(|body| Resource(body).active());
        if says == Some(true) {
            let why = format!(
                "{} accepted it and answers that the account is active",
                self.server.name()
            );
            return Err(Failure::contradiction(what, why).request(receipt.request));
        }
        Ok(receipt)
    }

    /// By a value path: a removal that names its member beside the path empties the group at some servers.
    async fn leave(&self, task: Task<'_>, group: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("take {id} out of {} in {}", group.name, self.server.name());
        if self.inside(group, id).await? != Some(true) {
            return Ok(already());
        }
        let path = format!("members[{}]", equals("value", id));
        self.change(group, &json!({"op": self.op("remove"), "path": path}), &what, task)
            .await
    }

    /// Servers take ids of nobody: the account is looked at first.
    async fn join(&self, task: Task<'_>, group: &Held) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let what = format!("bring {id} into {} in {}", group.name, self.server.name());
        if self.server.user(id).await?.is_none() {
            return Err(Failure::permanent(what, "knows no such account").code("404"));
        }
        match self.inside(group, id).await? {
            Some(true) => Ok(already()),
            None => Err(Failure::permanent(what, "knows no such group").code("404")),
            Some(false) => {
                let operation = json!({"op": self.op("add"), "path": "members", "value": [{"value": id}]});
                let receipt = self.change(group, &operation, &what, task).await?;
                match receipt.already {
                    true => Err(Failure::permanent(what, "knows no such group").code("404")),
                    false => Ok(receipt),
                }
            }
        }
    }

    /// `Some(false)` also where the group is gone and can hold nobody; `None` only where it is asked for to join.
    async fn inside(&self, group: &Held, id: &str) -> Result<Option<bool>, Failure> {
        if self.settings.members_readable == Switch::Off {
            return self.server.holds(&group.id, id).await.map(Some);
        }
        let found = self.server.group(&group.id).await?;
        Ok(found.map(|g| g.members().unwrap_or_default().contains(&id)))
    }

    async fn change(&self, group: &Held, operation: &Value, what: &str, task: Task<'_>) -> Result<Receipt, Failure> {
        let body = patch(operation);
        let answer = self
            .http
            .patch(self.ask(path!["Groups", group.id], Some(&body), what, task))
            .await?;
        self.done(&answer, what)
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::Deactivate => self.deactivate(task).await,
            Action::RemoveMember { group } => self.leave(task, group).await,
            Action::AddMember { group } => self.join(task, group).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": [PATCH], "Operations": [operation]})
}

fn already() -> Receipt {
    Receipt {
        status: 200,
        already: true,
        ..Receipt::default()
    }
}

fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    match task.effect.account.as_str() {
        "" => Err(Failure::permanent(
            task.effect.action.name(),
            "the account isn't known yet",
        )),
        id => Ok(id),
    }
}
