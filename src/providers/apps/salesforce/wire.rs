//! What Salesforce answers: rows of queries, and its three shapes of a refusal, a parser each.

use serde::Deserialize;

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found<T> {
    pub(super) total_size: u64,
    pub(super) done: bool,
    pub(super) next_records_url: Option<String>,
    pub(super) records: Vec<T>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) federation_identifier: Option<String>,
    pub(super) is_active: bool,
    pub(super) profile: Option<Profile>,
}
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Profile {
    pub(super) user_license: Option<Licence>,
}
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Licence {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Login {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) is_frozen: bool,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    pub(super) session_type: Option<String>,
    pub(super) source_ip: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Assigned {
    pub(super) id: String,
    pub(super) permission_set: PermissionSet,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PermissionSet {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) is_owned_by_profile: bool,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Licensed {
    pub(super) id: String,
    pub(super) permission_set_license: MasterLabel,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MasterLabel {
    pub(super) master_label: String,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) group: Group,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group {
    pub(super) name: Option<String>,
    pub(super) developer_name: String,
    #[serde(rename = "Type")]
    pub(super) kind: String,
}
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) name: String,
}
/// Any row whose id is all that matters.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row {
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Composite {
    pub(super) composite_response: Vec<Part>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    pub(super) http_status_code: u16,
    pub(super) body: Option<serde_json::Value>,
}

/// The REST API refuses with a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) error_code: String,
}
/// OAuth with an object: an error and what it means, both.
#[derive(Deserialize)]
pub(super) struct OauthRefusal {
    pub(super) error: String,
    error_description: String,
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let listed: Option<Vec<Refusal>> = answer.maybe();
    if let Some(first) = listed.as_deref().and_then(|l| l.first()) {
        return refusal(first, what).request(answer.request_id());
    }
    match answer.maybe::<OauthRefusal>() {
        Some(refused) if answer.status == 400 => oauth(&refused, what),
        Some(_) | None => {
            let failure = plain(answer, what);
            if failure.kind == Kind::Auth && failure.hint.is_none() {
                return failure.hint("check the credential and the rights of the integration user");
            }
            failure
        }
    }
}

/// A part of a composite answer: its body is the list.
pub(super) fn part(part: &Part, what: &str) -> Failure {
    let listed: Option<Vec<Refusal>> = part.body.clone().and_then(|b| serde_json::from_value(b).ok());
    match listed.as_deref().and_then(|l| l.first()) {
        Some(first) => refusal(first, what),
        None => Failure::permanent(what, "refuses a part of the call").code(part.http_status_code.to_string()),
    }
}

/// A missing right looks like a missing table or column here.
pub(super) fn refusal(refused: &Refusal, what: &str) -> Failure {
    let said = sentence(refused.message.trim());
    let (kind, hint) = match refused.error_code.as_str() {
        "INVALID_SESSION_ID" => (
            Kind::Auth,
            "the session is refused: is the integration user frozen, or its address not allowed?",
        ),
        "INSUFFICIENT_ACCESS_OR_READONLY" | "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" => {
            (
                Kind::Auth,
                "give the integration user Manage Users (and Manage Internal Users) by a permission set",
            )
        }
        "INVALID_TYPE" | "INVALID_FIELD" => (
            Kind::Auth,
            "give the integration user Manage Users and View Setup and Configuration, or set api to a version that knows it",
        ),
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => (Kind::Auth, "give the integration user API Enabled"),
        "REQUEST_LIMIT_EXCEEDED" if said.starts_with("ConcurrentRequests") => (Kind::Throttled, ""),
        "REQUEST_LIMIT_EXCEEDED" => (
            Kind::Throttled,
            "the org's calls of 24 hours are used up: it goes on when some have grown older",
        ),
        "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW" | "UNKNOWN_EXCEPTION" | "QUERY_TIMEOUT" => (Kind::Transient, ""),
        "INVALID_QUERY_LOCATOR" => (Kind::Transient, ""),
        _ => (Kind::Permanent, ""),
    };
    let summary = if said.is_empty() {
        "refuses the call".to_owned()
    } else {
        said
    };
    let failure = Failure::new(kind, what, summary).code(sentence(&refused.error_code));
    if hint.is_empty() { failure } else { failure.hint(hint) }
}

fn oauth(refused: &OauthRefusal, what: &str) -> Failure {
    let said = refused.error_description.as_str();
    let hint = match (refused.error.as_str(), said) {
        ("invalid_client_id", _) => "check client_id; a new app is known after some minutes",
        ("invalid_client", _) => "check client_secret",
        (_, "audience is invalid") => {
            "set audience to the login host: https://login.salesforce.com, of a sandbox https://test.salesforce.com"
        }
        (_, "no client credentials user enabled") => "name a run-as user in the app's client credentials flow",
        (_, "expired authorization code") => "set this host's clock: an assertion is good for three minutes",
        _ => "let admins pre-authorize the app, and give it to the integration user by profile or permission set",
    };
    Failure::new(Kind::Auth, what, sentence(said))
        .code(sentence(&refused.error))
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderMap;

    fn of(status: u16, body: &'static str) -> Failure {
        explain(&Answer::new(status, HeaderMap::new(), body), "look")
    }

    #[test]
    fn each_shape_has_its_parser() {
        for (status, body, kind, code) in [
            (
                401,
                r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
                Kind::Auth,
                "INVALID_SESSION_ID",
            ),
            (
                403,
                r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#,
                Kind::Throttled,
                "REQUEST_LIMIT_EXCEEDED",
            ),
            (
                503,
                r#"[{"message":"","errorCode":"SERVER_UNAVAILABLE"}]"#,
                Kind::Transient,
                "SERVER_UNAVAILABLE",
            ),
            (
                400,
                r#"[{"message":"sObject type 'UserLogin' is not supported.","errorCode":"INVALID_TYPE"}]"#,
                Kind::Auth,
                "INVALID_TYPE",
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}"#,
                Kind::Auth,
                "invalid_grant",
            ),
            (404, "<html>", Kind::Permanent, "404"),
        ] {
            let f = of(status, body);
            assert_eq!((f.kind, f.code.as_deref()), (kind, Some(code)), "{body}");
            assert_eq!(f.kind == Kind::Auth, f.kind == Kind::Auth && f.hint.is_some(), "{body}");
        }
        let one = Part {
            http_status_code: 403,
            body: Some(serde_json::json!([{"message": "no", "errorCode": "INSUFFICIENT_ACCESS"}])),
        };
        assert_eq!(part(&one, "look").kind, Kind::Auth);
    }
}
