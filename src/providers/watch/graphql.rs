//! One GraphQL question over HTTP: refusals come as 200 with `errors`, and are failures all the same.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    http::{Ask, Reader, sentence},
    model::Failure,
};

/// What a vendor's `errors[0]` means.
pub(super) type Means = fn(code: &str, message: &str, what: &str) -> Failure;

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    errors: Vec<Fault>,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page starts. One that doesn't move would never end.
    pub(super) fn next(&self, before: Option<&str>) -> Option<String> {
        self.end_cursor
            .clone()
            .filter(|c| self.has_next_page && Some(c.as_str()) != before)
    }
}

/// `document` is a constant of ours, and people go in as variables only.
pub(super) async fn ask<T: DeserializeOwned>(
    at: &Reader,
    path: Ask,
    document: &'static str,
    variables: Value,
    what: &str,
    means: Means,
) -> Result<T, Failure> {
    let ask = path
        .json(&json!({"query": document, "variables": variables}))
        .what(what);
    // A query: every one of these interfaces reads by POST.
    let answer = at.read_post(ask).await?;
    let answered: Answered = answer.json()?;
    if let Some(fault) = answered.errors.first() {
        let code = fault.extensions.code.as_deref().map(sentence).unwrap_or_default();
        return Err(means(&code, &sentence(&fault.message), what).request(answer.request_id()));
    }
    let Some(data) = answered.data.filter(Value::is_object) else {
        return Err(Failure::contradiction(
            what,
            "answered without data and without an error",
        ));
    };
    serde_json::from_value(data)
        .map_err(|e| Failure::contradiction(what, format!("answered in another form than it was asked for ({e})")))
}
