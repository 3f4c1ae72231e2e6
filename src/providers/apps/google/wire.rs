//! What Google answers, read strictly where it matters; and each of its reasons with what to do about it. The status alone says little:
//! 403 is a missing right and too many calls. A list that is empty lacks its key, so `kind` says that it is a list at all.

use serde::{Deserialize, Serialize};

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind},
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) primary_email: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    #[serde(default)]
    pub(super) is_admin: bool,
    #[serde(default)]
    pub(super) is_delegated_admin: bool,
    pub(super) suspended: bool,
    pub(super) suspension_reason: Option<String>,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) customer_id: Option<String>,
}

impl User {
    /// Is it the person's own name here, and not an alias that leads to it?
    pub(super) fn is(&self, address: &str) -> bool {
        self.primary_email.eq_ignore_ascii_case(address)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Users {
    /// Asked for, not looked at: without it the answer is none of theirs.
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    pub(super) users: Vec<User>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Items<T> {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default = "Vec::new")]
    pub(super) items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    #[serde(default)]
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) display_text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asp {
    pub(super) code_id: i64,
    #[serde(default)]
    pub(super) name: String,
}

/// A code is a secret: that there is one is all that is read.
#[derive(Deserialize)]
pub(super) struct Code {}

#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Groups {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) transfer_params: Vec<Param>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Applications {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    pub(super) applications: Vec<Application>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Param {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    pub(super) application_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    pub(super) id: String,
    pub(super) new_owner_user_id: String,
    #[serde(default)]
    pub(super) application_data_transfers: Vec<Part>,
    #[serde(default)]
    pub(super) overall_transfer_status_code: String,
    pub(super) request_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferList {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    pub(super) data_transfers: Vec<Transfer>,
    pub(super) next_page_token: Option<String>,
}

/// The token endpoint's own form.
#[derive(Deserialize)]
pub(super) struct Oauth {
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: String,
}

impl Oauth {
    /// `None` where it is none of the words that the token endpoint has.
    pub(super) fn of(answer: &Answer) -> Option<Oauth> {
        const WORDS: [&str; 10] = [
            "unauthorized_client",
            "invalid_grant",
            "invalid_client",
            "invalid_scope",
            "invalid_request",
            "access_denied",
            "admin_policy_enforced",
            "internal_failure",
            "temporarily_unavailable",
            "rate_limit_exceeded",
        ];
        let said: Oauth = answer.maybe()?;
        (answer.status != 404 && WORDS.contains(&said.error.as_str())).then_some(said)
    }
}

#[derive(Deserialize)]
struct Refused {
    error: Fault,
}
#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Reason>,
    #[serde(default)]
    details: Vec<Reason>,
}
#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// The first reason that Google gives, and its sentence; `None` where the answer is none of its own.
pub(super) fn reason(answer: &Answer) -> Option<(String, String)> {
    let fault = answer.maybe::<Refused>()?.error;
    let mut all = fault.errors.into_iter().chain(fault.details);
    let first = all.find(|r| !r.reason.is_empty())?;
    Some((first.reason, fault.message))
}

pub(super) fn is(answer: &Answer, status: u16, wanted: &str) -> bool {
    answer.status == status && reason(answer).is_some_and(|(r, _)| r == wanted)
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    if let Some((word, said)) = reason(answer) {
        return refusal(&word, &said, answer, what);
    }
    match Oauth::of(answer) {
        Some(said) => {
            let kind = match said.error.as_str() {
                "internal_failure" | "temporarily_unavailable" => Kind::Transient,
                "rate_limit_exceeded" => Kind::Throttled,
                _ => Kind::Auth,
            };
            let summary = match sentence(&said.error_description) {
                text if text.is_empty() => "refuses the service account".to_owned(),
                text => text,
            };
            let failure = Failure::new(kind, what, summary).code(sentence(&said.error));
            match kind {
                Kind::Auth => failure.hint("look at the key, its delegation and the administrator it acts as"),
                _ => failure,
            }
        }
        None => {
            let failure = plain(answer, what);
            match failure.kind {
                Kind::Auth => failure.hint("Google itself did not say so: look at what stands between here and Google"),
                _ => failure,
            }
        }
    }
}

fn refusal(word: &str, said: &str, answer: &Answer, what: &str) -> Failure {
    let (kind, summary, hint) = match word {
        "userRateLimitExceeded" | "rateLimitExceeded" | "quotaExceeded" | "dailyLimitExceeded" => {
            (Kind::Throttled, "asks for fewer calls", "")
        }
        "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => (
            Kind::Auth,
            "refuses: the token lacks a scope",
            "delegate the scopes of docs/DEPLOYMENT.md: Google Admin > Security > API controls > Domain-wide delegation",
        ),
        "accessNotConfigured" => (
            Kind::Auth,
            "refuses: the Admin SDK API is off in the service account's project",
            "turn it on in Google Cloud: APIs & Services > Library > Admin SDK API",
        ),
        "authError" | "required" if answer.status == 401 => (
            Kind::Auth,
            "refuses the token",
            "look at the service account's key and delegation",
        ),
        "forbidden" => (
            Kind::Auth,
            "refuses: the administrator as whom jml acts may not do this",
            "give that administrator the right; an administrator's own account is only touched by a super administrator",
        ),
        "domainNotFound" => (Kind::Permanent, "doesn't have that domain", ""),
        "notFound" => (Kind::Permanent, "knows no such thing", ""),
        "conditionNotMet" => (
            Kind::Permanent,
            "refuses: the account is deleted, or its state forbids it",
            "",
        ),
        "backendError" | "internalError" | "serviceUnavailable" | "unknownError" if answer.status >= 500 => {
            (Kind::Transient, "has a fault of its own", "")
        }
        _ if answer.status == 401 || answer.status == 403 => (
            Kind::Auth,
            "refuses the call",
            "look at the rights of the administrator as whom jml acts",
        ),
        _ => (plain(answer, what).kind, "refuses the call", ""),
    };
    let said = sentence(said);
    let summary = match kind {
        Kind::Permanent if !said.is_empty() => format!("{summary} ({said})"),
        _ => summary.to_owned(),
    };
    let failure = Failure::new(kind, what, summary).code(sentence(word));
    if hint.is_empty() { failure } else { failure.hint(hint) }
}
