//! What can be done to a user: one effect, one mutating call; what it is done to is read first, so that it is theirs.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    Data, explain,
    eyes::{there, tokens},
    soql::{Escaped, Soql, is_id},
    wire::{Composite, Login, OauthRefusal, Refusal, Session, part, refusal},
};
use crate::{
    http::{Answer, Writer, path},
    model::{Action, Failure, Held, Kind, Receipt, Repeat},
    providers::{Perform, Task},
};

/// Parts of one composite call.
const PARTS: usize = 25;
/// Sessions that keep coming are not chased for ever.
const ROUNDS: usize = 4;

pub struct Hands {
    http: Writer,
    data: Data,
}

impl Hands {
    pub(crate) fn new(http: Writer, api: &str) -> Self {
        let data = Data::new(http.reader().clone(), api);
        Hands { http, data }
    }

    /// The login has an id of its own. Setting a value may be sent again.
    async fn freeze(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let who = account(task)?;
        let what = format!("freeze the Salesforce login of {who}");
        let query =
            Soql::new("SELECT Id, UserId, IsFrozen FROM UserLogin WHERE UserId = ").value(&Escaped::id(who, &what)?);
        let login: Option<Login> = self.data.all(&query, &what).await?.pop();
        let login = login.ok_or_else(|| {
            Failure::permanent(&what, "there is no login to freeze: this user has never signed in")
                .hint("the deactivation shuts it")
        })?;
        if login.is_frozen {
            return Ok(already());
        }
        let answer = self
            .patch(task, "UserLogin", &login.id, &json!({"IsFrozen": true}), &what, &[])
            .await?;
        unbodied(&answer, &what)
    }

    /// Refused where a setting names the user: then the vendor's sentence is what to do.
    async fn deactivate(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let who = account(task)?;
        let what = format!("deactivate the Salesforce user {who}");
        let id = Escaped::id(who, &what)?;
        let answer = self
            .patch(task, "User", who, &json!({"IsActive": false}), &what, &[400, 404])
            .await?;
        if !matches!(answer.status, 400 | 404) {
            return unbodied(&answer, &what);
        }
        let listed: Vec<Refusal> = answer.maybe().unwrap_or_default();
        let Some(refused) = listed.first() else {
            return Err(explain(&answer, &what));
        };
        let live = Soql::new("SELECT Id FROM User WHERE IsActive = true AND Id = ").value(&id);
        if answer.status == 400 && !there(&self.data, &live, &what).await? {
            return Ok(already());
        }
        let failure = refusal(refused, &what);
        Err(if answer.status == 400 {
            failure.hint(blocker(&refused.message))
        } else {
            failure
        })
    }

    /// All of them in one call; children die with their parents. More than a call holds, or new ones, go in the next round.
    async fn clear_sessions(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let who = account(task)?;
        let what = format!("end the Salesforce sessions of {who}");
        let id = Escaped::id(who, &what)?;
        let query =
            Soql::new("SELECT Id, ParentId, SessionType, SourceIp FROM AuthSession WHERE UsersId = ").value(&id);
        let mut receipt = already();
        for _ in 0..ROUNDS {
            let mut rows: Vec<Session> = self.data.all(&query, &what).await?;
            if rows.is_empty() {
                return Ok(receipt);
            }
            rows.sort_by_key(|s| s.parent_id.is_some());
            receipt = self.end(task, &rows[..rows.len().min(PARTS)], &what).await?;
        }
        Err(Failure::transient(&what, "new sessions keep coming"))
    }

    async fn end(&self, task: Task<'_>, rows: &[Session], what: &str) -> Result<Receipt, Failure> {
        let version = &self.data.version;
        let parts: Vec<Value> = rows
            .iter()
            .filter(|s| is_id(&s.id))
            .enumerate()
            .map(|(n, s)| {
                let url = format!("/services/data/{version}/sobjects/AuthSession/{}", s.id);
                json!({"method": "DELETE", "url": url, "referenceId": format!("s{n}")})
            })
            .collect();
        let ask = path!["services/data", *version, "composite"]
            .json(&json!({"allOrNone": false, "compositeRequest": parts}))
            .what(what)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let answer = self.http.post(ask).await?;
        let all: Composite = answer.json()?;
        if all.composite_response.len() != parts.len() {
            return Err(Failure::new(
                Kind::Doubt,
                what,
                "answered other parts than were asked for",
            ));
        }
        // What is gone already is gone.
        let failed = all
            .composite_response
            .iter()
            .find(|p| !matches!(p.http_status_code, 200..=299 | 404));
        match failed {
            Some(failed) => Err(part(failed, what)),
            None => Ok(receipt(&answer)),
        }
    }

    /// The secret by which it is revoked was never kept: it is read again.
    async fn revoke(&self, task: Task<'_>, client: &Held) -> Result<Receipt, Failure> {
        let who = account(task)?;
        let what = format!("revoke the token of {} for {who}", client.name);
        let id = Escaped::id(who, &what)?;
        let all = tokens(&self.data, &id, who).await?;
        let Some(token) = all.into_iter().find(|t| t.fingerprint() == client.id) else {
            return Ok(already());
        };
        let ask = path!["services/oauth2/revoke"]
            .form(&[("token", token.delete_token.expose_secret())])
            .what(&what)
            .accept(400)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let answer = self.http.post(ask).await?;
        if answer.status != 400 {
            return empty(&answer, &what, 200);
        }
        let failure = explain(&answer, &what);
        let so = answer
            .maybe::<OauthRefusal>()
            .is_some_and(|r| r.error == "invalid_token");
        let left = tokens(&self.data, &id, who).await?;
        if so && left.iter().all(|t| t.fingerprint() != client.id) {
            return Ok(already());
        }
        Err(Failure {
            kind: Kind::Permanent,
            ..failure
        })
    }

    /// A row that ties the user to something.
    async fn take(&self, task: Task<'_>, table: &Table, held: &Held) -> Result<Receipt, Failure> {
        let who = account(task)?;
        let what = format!("take {} from {who}", held.name);
        let (row, user) = (Escaped::id(&held.id, &what)?, Escaped::id(who, &what)?);
        let theirs = Soql::new(table.select).value(&row).then(table.and).value(&user);
        if !there(&self.data, &theirs, &what).await? {
            return Ok(already());
        }
        let ask = path!["services/data", self.data.version, "sobjects", table.name, held.id]
            .what(&what)
            .accept(404)
            .until(task.deadline);
        let answer = self.http.delete(ask).await?;
        if answer.status != 404 {
            return unbodied(&answer, &what);
        }
        if there(&self.data, &theirs, &what).await? {
            let failure = explain(&answer, &what);
            return Err(Failure {
                kind: Kind::Permanent,
                ..failure
            });
        }
        Ok(already())
    }

    async fn patch(
        &self,
        task: Task<'_>,
        object: &'static str,
        id: &str,
        body: &Value,
        what: &str,
        accepted: &[u16],
    ) -> Result<Answer, Failure> {
        let ask = path!["services/data", self.data.version, "sobjects", object, id]
            .json(body)
            .what(what)
            .repeat(Repeat::Safe)
            .until(task.deadline)
            .urgent();
        let ask = accepted.iter().fold(ask, |ask, status| ask.accept(*status));
        self.http.patch(ask).await
    }
}

/// A table of assignments, and how a row is found with its user.
struct Table {
    name: &'static str,
    select: &'static str,
    and: &'static str,
}

const ROLES: Table = Table {
    name: "PermissionSetAssignment",
    select: "SELECT Id FROM PermissionSetAssignment WHERE Id = ",
    and: " AND AssigneeId = ",
};
const SEATS: Table = Table {
    name: "PermissionSetLicenseAssign",
    select: "SELECT Id FROM PermissionSetLicenseAssign WHERE Id = ",
    and: " AND AssigneeId = ",
};
const GROUPS: Table = Table {
    name: "GroupMember",
    select: "SELECT Id FROM GroupMember WHERE Id = ",
    and: " AND UserOrGroupId = ",
};

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::Freeze => self.freeze(task).await,
            Action::ClearSessions => self.clear_sessions(task).await,
            Action::RevokeClientTokens { client } => self.revoke(task, client).await,
            Action::RemoveMember { group } => self.take(task, &GROUPS, group).await,
            Action::RevokeRole { role } => self.take(task, &ROLES, role).await,
            Action::ReleaseSeat { seat } => self.take(task, &SEATS, seat).await,
            Action::Deactivate => self.deactivate(task).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    match task.effect.account.as_str() {
        "" => Err(Failure::permanent(
            task.effect.action.name(),
            "the Salesforce user isn't known yet",
        )),
        id => Ok(id),
    }
}

fn already() -> Receipt {
    Receipt {
        already: true,
        ..Receipt::default()
    }
}

fn receipt(answer: &Answer) -> Receipt {
    Receipt {
        status: answer.status,
        request: answer.request_id(),
        ..Receipt::default()
    }
}

fn unbodied(answer: &Answer, what: &str) -> Result<Receipt, Failure> {
    empty(answer, what, 204)
}

/// Done is told by a status and nothing else. Another word is nobody's.
fn empty(answer: &Answer, what: &str, status: u16) -> Result<Receipt, Failure> {
    if answer.status == status && answer.empty() {
        return Ok(receipt(answer));
    }
    Err(
        Failure::new(Kind::Doubt, what, "answered with something other than an empty body")
            .code(answer.status.to_string()),
    )
}

/// Where what names the user is changed, by the vendor's sentence: its codes vary.
fn blocker(message: &str) -> &'static str {
    let said = message.to_lowercase();
    let places = [
        (
            "hierarchy field",
            "clear that field on the users whom it shows below this one",
        ),
        (
            "default workflow user",
            "name another one in Setup > Process Automation Settings",
        ),
        ("web to lead", "name another creator in Setup > Web-to-Lead"),
        (
            "default owner of cases",
            "name another owner in Setup > Support Settings",
        ),
        ("case", "name another user in Setup > Support Settings"),
        ("lead", "name another user in Setup > Lead Settings"),
        ("email alert", "name another recipient in Setup > Email Alerts"),
        ("portal", "name another administrator in the portal's settings"),
        ("approval", "name another user in Setup > Approval Processes"),
        ("territory", "take them out of the territory"),
        ("administrator", "make somebody else an administrator first"),
    ];
    let found = places.into_iter().find(|(word, _)| said.contains(word));
    found.map_or(
        "reassign in Setup what names this user; the next sweep tries again",
        |(_, hint)| hint,
    )
}
