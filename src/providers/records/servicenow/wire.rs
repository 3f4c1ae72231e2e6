//! What goes into a query and a record, and what comes back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind, Receipt},
};

/// The columns that are asked for: what is missing from an answer was hidden, not empty.
pub(super) const FIELDS: &str = "sys_id,number,state,correlation_id,short_description";
/// Descriptions are cut there by the instance.
const LONGEST: usize = 4000;

/// Values of a query aren't quoted there: `^` ends one and `javascript:` is run. So nothing but these characters goes in.
pub(super) fn correlation(key: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let id: String = ["jml-", key.strip_prefix("jml-").unwrap_or(key)]
        .concat()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    // Two keys must not become one by what was replaced or cut.
    if key.chars().all(|c| fits(c) || c == '/') && id.len() <= 100 {
        return id;
    }
    let tail = hex::encode(&Sha256::digest(key)[..6]);
    format!("{}-{tail}", &id[..id.len().min(87)])
}

/// Mostly 32 hex digits, but hand-made ones occur; nothing that could end a value of a query.
pub(super) fn hex_id(id: &str) -> Result<&str, Failure> {
    let fits = !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if fits {
        Ok(id)
    } else {
        Err(Failure::contradiction(
            "read a record's id",
            "the instance gave an id that is none",
        ))
    }
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A record as the instance has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Filed {
    pub(super) sys_id: String,
    pub(super) number: String,
    pub(super) state: String,
    pub(super) correlation_id: String,
    /// `None`: hidden.
    pub(super) short_description: Option<String>,
}

impl Filed {
    pub(super) fn closed(&self) -> bool {
        ["3", "4"].contains(&self.state.as_str())
    }
    /// As the desk knows it.
    pub(super) fn receipt(self, status: u16, already: bool) -> Receipt {
        Receipt {
            status,
            already,
            made: Some(self.number),
            ..Receipt::default()
        }
    }
}

/// What the Change API gave: each column as `{"value", "display_value"}`, the whole sometimes in a list.
pub(super) fn made(answer: &Answer) -> Result<Filed, Failure> {
    let said: Value = result(answer)?;
    let row = match &said {
        Value::Array(rows) => rows.first().unwrap_or(&Value::Null),
        one => one,
    };
    let bare: Map<String, Value> = row
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.get("value").unwrap_or(v).clone()))
        .collect();
    serde_json::from_value(bare.into())
        .map_err(|e| Failure::contradiction("read the change request made", e.to_string()))
}

/// Nothing shown is nothing there only where the instance also counted nothing: it counts before its access rules hide rows. One that
/// doesn't say how many it counted can't be believed either.
pub(super) fn none_there(answer: &Answer, what: &str) -> Result<(), Failure> {
    let counted: Option<u64> = answer.header("x-total-count").and_then(|n| n.parse().ok());
    match counted {
        Some(0) => Ok(()),
        Some(n) => Err(
            Failure::new(Kind::Auth, what, format!("{n} are there and none may be seen"))
                .hint("give jml's user the right to read them (itil, or sn_change_read)"),
        ),
        None => Err(Failure::contradiction(
            what,
            "shows nothing, and doesn't say whether something is hidden (no X-Total-Count)",
        )),
    }
}

#[derive(Deserialize)]
pub(super) struct Attachment {
    pub(super) file_name: String,
    #[serde(default)]
    pub(super) table_sys_id: String,
}

/// A sleeping instance, a maintenance page and a login page all say 200: only `result` is an answer.
pub(super) fn result<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        result: T,
    }
    let envelope: Result<Envelope<T>, Failure> = answer.json();
    envelope
        .map(|e| e.result)
        .map_err(|f| f.hint("the instance sleeps, is under maintenance, or stands behind a login page"))
}

/// `{"error": {"message", "detail"}}` and what it means.
pub fn explain(answer: &Answer, what: &str) -> Failure {
    #[derive(Deserialize)]
    struct Envelope {
        error: Said,
    }
    #[derive(Deserialize)]
    struct Said {
        message: String,
        detail: Option<String>,
    }
    let Some(Envelope { error }) = answer.maybe::<Envelope>() else {
        return plain(answer, what);
    };
    let detail = error.detail.unwrap_or_default();
    let summary = if detail.is_empty() {
        sentence(&error.message)
    } else {
        sentence(&format!("{}: {detail}", error.message))
    };
    let (kind, hint) = match answer.status {
        401 => (
            Kind::Auth,
            "the credential is wrong, or its OAuth client lacks the scope useraccount",
        ),
        403 if detail.contains("Business Rule") || detail.contains("Data Policy") => (
            Kind::Permanent,
            "a rule of the instance refuses this; its name is above",
        ),
        403 if detail.contains("API level ACL") => (Kind::Auth, "open the table to web services"),
        403 => (
            Kind::Auth,
            "give jml's user the role itil, or sn_change_write and sn_change_read",
        ),
        404 => (Kind::Permanent, "the record is gone, or may not be seen"),
        429 => (Kind::Throttled, ""),
        500.. => (Kind::Transient, ""),
        _ => (Kind::Permanent, ""),
    };
    let failure = Failure::new(kind, what, summary)
        .code(answer.status.to_string())
        .request(answer.request_id());
    if hint.is_empty() { failure } else { failure.hint(hint) }
}

pub(super) fn noun(table: &str) -> &'static str {
    if table == "incident" {
        "incident"
    } else {
        "change request"
    }
}
