//! What GitHub answers, and what its refusals mean: a 403 is one of four.

use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    http::{Answer, Ask, Reader, path, plain, sentence},
    model::{Failure, Kind},
};

pub(super) const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/vnd.github+json"),
    ("x-github-api-version", "2022-11-28"),
];
/// More pages than any organisation has.
const PAGES: usize = 2000;

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) login: String,
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Membership {
    pub(super) state: String,
    pub(super) role: String,
    #[serde(default)]
    pub(super) enterprise_teams_providing_indirect_membership: Vec<Value>,
    pub(super) user: Named,
}

#[derive(Deserialize)]
pub(super) struct Invitation {
    pub(super) id: u64,
    pub(super) login: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Authorization {
    pub(super) credential_id: u64,
    pub(super) credential_type: String,
    pub(super) token_last_eight: Option<String>,
    pub(super) authorized_credential_title: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Grant {
    pub(super) id: u64,
    pub(super) token_name: Option<String>,
    pub(super) owner: Named,
}

#[derive(Deserialize)]
pub(super) struct Team {
    pub(super) id: u64,
    pub(super) slug: String,
}

#[derive(Deserialize)]
struct Refused {
    message: String,
    #[serde(default)]
    errors: Vec<Value>,
}

/// 404 of GitHub's own, with its message; a proxy's is no answer.
pub(super) fn missing(answer: &Answer) -> bool {
    answer.status == 404 && answer.maybe::<Refused>().is_some_and(|r| r.message == "Not Found")
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let Some(body) = answer.maybe::<Refused>() else {
        let failure = plain(answer, what);
        // A 404 without GitHub's words is nobody's absence.
        return if answer.status == 404 {
            Failure {
                kind: Kind::Contradiction,
                ..failure
            }
        } else {
            failure
        };
    };
    let detail = body
        .errors
        .iter()
        .find_map(|e| e["message"].as_str())
        .unwrap_or(&body.message);
    let left = answer.header("x-ratelimit-remaining");
    let limited = body.message.contains("rate limit") || body.message.contains("abuse detection");
    let kind = match answer.status {
        429 => Kind::Throttled,
        403 if answer.header("retry-after").is_some() || left == Some("0") || limited => Kind::Throttled,
        401 | 403 => Kind::Auth,
        408 | 500.. => Kind::Transient,
        _ => Kind::Permanent,
    };
    let failure = Failure::new(kind, what, sentence(detail))
        .code(answer.status.to_string())
        .request(answer.header("x-github-request-id").map(sentence));
    let needed = answer.header("x-accepted-github-permissions");
    let sso = answer.header("x-github-sso").is_some();
    match (answer.status, needed) {
        (401, _) => failure.hint("put a token in place that lives, or the App's own key"),
        (403, _) if kind == Kind::Throttled => failure,
        (403, _) if sso => failure.hint("authorize the token for the organisation's single sign-on"),
        (403, Some(needed)) => failure.hint(format!(
            "grant jml's App the permission {}, and approve it",
            sentence(needed)
        )),
        (403, None) if body.message.contains("last owner") => Failure {
            kind: Kind::Permanent,
            ..failure
        }
        .hint("make somebody else an owner first"),
        (403, None) => failure.hint("the token's owner has to be an owner of the organisation; an App is surer"),
        (422, _) if detail.contains("seats") => failure.hint("buy a seat, or free one: jml audit seats"),
        _ => failure,
    }
}

/// Every page of a list, or none of it.
pub(super) async fn all<T: DeserializeOwned>(rest: &Reader, first: Ask, what: &str) -> Result<Vec<T>, Failure> {
    let answer = rest.get(first.query("per_page", 100).what(what)).await?;
    following(rest, answer, what).await
}

/// The same of a list that not every organisation has.
pub(super) async fn listed<T: DeserializeOwned>(
    rest: &Reader,
    first: Ask,
    what: &str,
) -> Result<Option<Vec<T>>, Failure> {
    let answer = rest.get(first.query("per_page", 100).accept(404).what(what)).await?;
    if missing(&answer) {
        return Ok(None);
    }
    if !answer.success() {
        return Err(explain(&answer, what));
    }
    following(rest, answer, what).await.map(Some)
}

async fn following<T: DeserializeOwned>(rest: &Reader, first: Answer, what: &str) -> Result<Vec<T>, Failure> {
    let (mut out, mut answer) = (Vec::new(), first);
    for _ in 0..PAGES {
        out.append(&mut answer.json::<Vec<T>>()?);
        match answer.next_link() {
            Some(link) => answer = rest.get(Ask::follow(link).what(what)).await?,
            None => return Ok(out),
        }
    }
    Err(Failure::contradiction(what, "the list has no end"))
}

/// GraphQL refuses with 200: what has `errors`, or no organisation, was not answered.
pub(super) async fn graph(reader: &Reader, query: &str, variables: Value, what: &str) -> Result<Value, Failure> {
    let ask = path!["graphql"]
        .json(&json!({"query": query, "variables": variables}))
        .what(what);
    let answer = reader.read_post(ask).await?;
    let mut body: Value = answer.json()?;
    if let Some(first) = body["errors"].as_array().and_then(|e| e.first()) {
        let word = first["type"].as_str().unwrap_or("error");
        let kind = match word {
            "RATE_LIMITED" => Kind::Throttled,
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Kind::Auth,
            _ => Kind::Permanent,
        };
        let message = sentence(first["message"].as_str().unwrap_or("no message"));
        let failure = Failure::new(kind, what, message).code(sentence(word));
        return Err(match kind {
            Kind::Auth => failure.hint("grant jml's App the permission members=read"),
            _ => failure,
        });
    }
    match body.pointer_mut("/data/organization").map(Value::take) {
        Some(organization @ Value::Object(_)) => Ok(organization),
        Some(_) | None => Err(Failure::contradiction(what, "the answer holds no organisation")),
    }
}

/// The nodes of a connection, page by page.
pub(super) async fn walk(
    reader: &Reader,
    query: &str,
    org: &str,
    at: &str,
    what: &str,
) -> Result<Option<Vec<Value>>, Failure> {
    let (mut out, mut after, mut seen) = (Vec::new(), Value::Null, BTreeSet::new());
    for _ in 0..PAGES {
        let mut answer = graph(reader, query, json!({"org": org, "a": after}), what).await?;
        let Some(connection) = answer.pointer_mut(at).filter(|c| !c.is_null()) else {
            return Ok(None);
        };
        let info = connection.get("pageInfo").cloned().unwrap_or_default();
        let list = ["edges", "nodes"]
            .into_iter()
            .find(|l| connection.get(l).is_some_and(Value::is_array));
        let Some(items) = list.and_then(|l| connection.get_mut(l)).and_then(Value::as_array_mut) else {
            return Err(Failure::contradiction(what, "the answer holds no list"));
        };
        out.extend(items.drain(..).map(|mut v| match v.get_mut("node") {
            Some(node) => node.take(),
            None => v,
        }));
        if info.get("hasNextPage") != Some(&Value::Bool(true)) {
            return Ok(Some(out));
        }
        after = info.get("endCursor").cloned().unwrap_or_default();
        if !seen.insert(after.to_string()) {
            break;
        }
    }
    Err(Failure::contradiction(what, "the list has no end"))
}
