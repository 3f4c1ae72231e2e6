//! What Zoom answers, and each of its codes with what to do about it.

use serde::Deserialize;

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind},
};

/// `GET /v2/users/{id}`: of a pending person only id, status and an instant come back.
#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) role_id: Option<String>,
    pub(super) account_id: Option<String>,
    #[serde(default)]
    pub(super) login_types: Vec<i64>,
}

/// A row of the list. Pending people may have no id there.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) role_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Users {
    pub(super) users: Vec<Listed>,
    pub(super) total_records: u64,
    #[serde(default)]
    pub(super) next_page_token: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) code: i64,
    #[serde(default)]
    pub(super) message: String,
    /// Of the token endpoint.
    error: Option<String>,
    reason: Option<String>,
}

pub(super) const UNKNOWN: i64 = 1001;
/// Exists at Zoom, in another account.
pub(super) const ELSEWHERE: i64 = 1010;

/// Zoom's own word that there is no such person here.
pub(super) fn nobody(answer: &Answer) -> bool {
    answer.status == 404
        && answer
            .maybe::<Refusal>()
            .is_some_and(|r| [UNKNOWN, ELSEWHERE].contains(&r.code))
}

/// A refusal may come as HTTP 200: then the code tells.
pub(super) fn accepted(answer: &Answer, what: &str) -> Result<(), Failure> {
    match answer.maybe::<Refusal>() {
        Some(refusal) if refusal.code != 0 => Err(explain(answer, what)),
        Some(_) | None => Ok(()),
    }
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let refusal = match answer.maybe::<Refusal>() {
        Some(r) if r.code != 0 || (r.error.is_some() && r.reason.is_some()) => r,
        Some(_) | None => return told(plain(answer, what)),
    };
    let failure = match &refusal.error {
        Some(error) => unsigned(error, refusal.reason.as_deref().unwrap_or_default(), what),
        None => told(refused(&refusal, answer, what)),
    };
    failure.request(answer.request_id())
}

/// Every refused credential says what to look at.
fn told(failure: Failure) -> Failure {
    match (failure.kind, &failure.hint) {
        (Kind::Auth, None) => failure.hint(
            "is the server-to-server app active in the Zoom marketplace, its owner still there, and the record in place?",
        ),
        _ => failure,
    }
}

fn unsigned(error: &str, reason: &str, what: &str) -> Failure {
    let hint = match error {
        "invalid_client" => {
            "the record's client_id and client_secret must be those of an activated server-to-server app"
        }
        "invalid_request" | "invalid_grant" => "the record's account_id must be the account of the app",
        _ => "the record must be of a server-to-server OAuth app",
    };
    Failure::new(Kind::Auth, what, format!("refuses the app: {}", sentence(reason)))
        .code(sentence(error))
        .hint(hint)
}

fn refused(refusal: &Refusal, answer: &Answer, what: &str) -> Failure {
    let said = sentence(&refusal.message);
    let of = |kind, summary: &str| Failure::new(kind, what, summary).code(refusal.code.to_string());
    // 400, not 403; the code has changed over the years, the words have not.
    if let Some((_, scopes)) = said.split_once("does not contain scopes") {
        let scopes = scopes.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        return of(Kind::Auth, "misses a scope").hint(format!(
            "add the scope {scopes} to the app in the Zoom marketplace; it counts from the next token on, minutes later at times"
        ));
    }
    match (answer.status, refusal.code) {
        (401, _) | (_, 124) => of(Kind::Auth, &format!("refuses the token: {said}")),
        (403, _) => of(Kind::Auth, &format!("refuses: {said}")),
        (429, _) => {
            let until = answer.header("retry-after").map(sentence);
            let daily = answer
                .header("x-ratelimit-type")
                .is_some_and(|t| t.starts_with("Daily"));
            match (daily, until) {
                (true, Some(at)) => of(Kind::Throttled, "has used up the day's calls of the account")
                    .hint(format!("Zoom takes calls again from {at} on")),
                (true, None) => of(Kind::Throttled, "has used up the day's calls of the account"),
                (false, _) => of(Kind::Throttled, "asks for fewer calls"),
            }
        }
        (_, 200) => of(Kind::Permanent, &format!("refuses: {said}"))
            .hint("an owner or admin becomes a plain member first, in Zoom's own user management"),
        (_, UNKNOWN | ELSEWHERE) => of(Kind::Permanent, &format!("knows nobody so: {said}")),
        (500.., _) => of(Kind::Transient, "has a fault of its own"),
        _ => of(Kind::Permanent, &format!("refuses: {said}")),
    }
}
