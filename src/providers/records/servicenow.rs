//! ServiceNow: one change request a person and run with the manifest attached, one incident for what failed.
//!
//! Looks before it creates (the correlation id isn't unique there: idempotence is ours), changes nothing on the strength of a query
//! alone, and deletes nothing. Facts: the vendor's Table, Attachment and Change Management APIs.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::{
    http::{Answer, Authorize, BoxFuture, Credential, Outgoing, Reader, Writer, path, plain, sentence},
    model::{Failure, Kind, Manifest, Receipt, Record, Repeat, What},
    providers::Deliver,
};

/// How records are to look here. Values, not names: names are translated and shift times into the user's zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// The sys_id of the group that the records are assigned to. Without one a change can't leave the state New.
    pub assignment_group: Option<String>,
    /// The sys_id of the user in whose name the change is requested.
    pub requested_by: Option<String>,
    /// The sys_id of a standard change template's version.
    pub template: Option<String>,
    /// A value of the instance's own list.
    pub category: Option<String>,
}

pub struct Servicenow {
    http: Writer,
    form: Form,
}

/// The columns that are asked for: what is missing from an answer was hidden, not empty.
const FIELDS: &str = "sys_id,number,state,correlation_id";
/// Descriptions are cut there by the instance.
const LONGEST: usize = 4000;

impl Servicenow {
    pub fn new(http: Writer, form: Form) -> Self {
        Servicenow { http, form }
    }

    async fn change(&self, record: &Record) -> Result<Receipt, Failure> {
        let What::Change {
            result,
            title,
            report,
            manifest,
            checkpoint,
            started,
            finished,
            ..
        } = &record.what
        else {
            return Err(Failure::new(Kind::Cannot, record.what.name(), "is no change record"));
        };
        let id = correlation(&record.key);
        let (row, already) = match self.find("change_request", &id).await? {
            Some(row) => (row, true),
            None => {
                let mut body = Map::new();
                let mut put = |k: &str, v: &str| drop(body.insert(k.into(), v.into()));
                put("type", "standard");
                put("chg_model", "standard");
                put("short_description", &sentence(title));
                put(
                    "description",
                    &cut(&format!(
                        "{}\n\nledger checkpoint:\n{}",
                        report.trim_end(),
                        checkpoint.trim_end()
                    )),
                );
                put("start_date", &time(*started));
                put("end_date", &time(*finished));
                put("correlation_id", &id);
                put("correlation_display", "jml");
                let f = &self.form;
                for (k, v) in [
                    ("assignment_group", &f.assignment_group),
                    ("requested_by", &f.requested_by),
                    ("std_change_producer_version", &f.template),
                    ("category", &f.category),
                ] {
                    if let Some(v) = v {
                        put(k, v);
                    }
                }
                (self.create("change_request", &id, &Value::Object(body)).await?, false)
            }
        };
        if !row.closed() {
            self.attach(&row, record, manifest).await?;
            if ["complete", "nothing"].contains(&result.as_str()) && self.form.assignment_group.is_some() {
                self.close(&row, checkpoint).await;
            }
        }
        Ok(Receipt {
            status: 200,
            already,
            made: Some(row.number),
            ..Receipt::default()
        })
    }

    async fn incident(&self, record: &Record, title: &str, text: &str) -> Result<Receipt, Failure> {
        let id = correlation(&record.key);
        if let Some(row) = self.find("incident", &id).await? {
            return Ok(Receipt {
                status: 200,
                already: true,
                made: Some(row.number),
                ..Receipt::default()
            });
        }
        let mut body = json!({"short_description": sentence(title), "description": cut(text), "urgency": "2", "impact": "2",
            "correlation_id": id, "correlation_display": "jml"});
        if let Some(group) = &self.form.assignment_group {
            body["assignment_group"] = json!(group);
        }
        let row = self.create("incident", &id, &body).await?;
        Ok(Receipt {
            status: 201,
            already: false,
            made: Some(row.number),
            ..Receipt::default()
        })
    }

    /// The record of this correlation id, the oldest where two hosts raced. Counted and not shown is a matter of rights: not "none".
    async fn find(&self, table: &str, id: &str) -> Result<Option<Row>, Failure> {
        let what = format!("look for the {} {id}", noun(table));
        let query = format!("correlation_id={id}^ORDERBYsys_created_on");
        let ask = path!["api/now/table", table]
            .query("sysparm_query", query)
            .query("sysparm_fields", FIELDS)
            .query("sysparm_limit", 2)
            .query("sysparm_display_value", "false")
            .query("sysparm_exclude_reference_link", "true");
        let answer = self.http.reader().get(ask.what(&what)).await?;
        let rows: Vec<Row> = result(&answer)?;
        let counted: u64 = answer.header("x-total-count").and_then(|n| n.parse().ok()).unwrap_or(0);
        if rows.is_empty() && counted > 0 {
            return Err(
                Failure::new(Kind::Auth, what, format!("{counted} are there and none may be seen"))
                    .hint("give jml's user the right to read them (itil, or sn_change_read)"),
            );
        }
        // An instance that doesn't know the column ignores that part of the query and answers with everything.
        if rows.iter().any(|r| r.correlation_id != id) {
            return Err(Failure::contradiction(
                what,
                "answered with records of another correlation id",
            ));
        }
        Ok(rows.into_iter().next())
    }

    /// Sent once: a lost answer is in doubt, and whoever comes again looks first.
    async fn create(&self, table: &str, id: &str, body: &Value) -> Result<Row, Failure> {
        let what = format!("create the {} {id}", noun(table));
        let ask = path!["api/now/table", table]
            .query("sysparm_fields", FIELDS)
            .query("sysparm_exclude_reference_link", "true")
            .json(body)
            .what(&what)
            .repeat(Repeat::LookFirst);
        let row: Row = result(&self.http.post(ask).await?)?;
        if row.correlation_id != id {
            return Err(
                Failure::contradiction(what, "the record was made, but without its correlation id")
                    .hint("a rule of the instance rewrites or drops correlation_id on that table"),
            );
        }
        Ok(row)
    }

    async fn attach(&self, row: &Row, record: &Record, manifest: &Manifest) -> Result<(), Failure> {
        let file = format!("manifest-{}.json", correlation(&record.key));
        let body = serde_json::to_vec_pretty(&Paper {
            jml: 1,
            key: &record.key,
            run: &record.run,
            at: record.at,
            what: &record.what,
        })
        .map_err(|e| Failure::permanent("write the manifest", e.to_string()))?;
        let what = format!(
            "attach the manifest to {} ({} systems)",
            row.number,
            manifest.accounts.len()
        );
        let query = format!(
            "table_name=change_request^table_sys_id={}^file_name={file}",
            hex_id(&row.sys_id)?
        );
        let ask = path!["api/now/attachment"].query("sysparm_query", query).what(&what);
        let there: Vec<Attachment> = result(&self.http.reader().get(ask).await?)?;
        if there
            .iter()
            .any(|a| a.table_sys_id == row.sys_id && a.file_name == file)
        {
            return Ok(());
        }
        let ask = path!["api/now/attachment/file"]
            .query("table_name", "change_request")
            .query("table_sys_id", &row.sys_id)
            .query("file_name", &file)
            .bytes("application/json", body)
            .what(&what)
            .repeat(Repeat::LookFirst);
        let made: Attachment = result(&self.http.post(ask).await?)?;
        if made.file_name == file {
            Ok(())
        } else {
            Err(Failure::contradiction(what, "was kept under another name"))
        }
    }

    /// From New to Closed, a state a call, as the standard model has it. A refusal leaves the record open in the farthest state: it
    /// exists, which is what was owed.
    async fn close(&self, row: &Row, checkpoint: &str) {
        const WALK: [&str; 5] = ["-5", "-2", "-1", "0", "3"];
        let from = WALK.iter().position(|s| *s == row.state).unwrap_or(WALK.len());
        for state in WALK.iter().skip(from + 1) {
            let body = if *state == "3" {
                json!({"state": "3", "close_code": "successful", "close_notes": "Carried out and verified by jml.",
                    "work_notes": cut(&format!("ledger checkpoint:\n{checkpoint}"))})
            } else {
                json!({"state": state})
            };
            let ask = path!["api/now/table/change_request", row.sys_id]
                .query("sysparm_fields", FIELDS)
                .json(&body)
                .what(format!("move {} to state {state}", row.number))
                .repeat(Repeat::LookFirst);
            let moved = self.http.patch(ask).await.and_then(|a| result::<Row>(&a));
            // Rules may put it back with 200.
            if moved.map_or(true, |r| r.state != *state) {
                return;
            }
        }
    }
}

impl Deliver for Servicenow {
    fn takes(&self, what: &What) -> bool {
        match what {
            What::Change { .. } | What::Incident { .. } => true,
            What::Event { .. } | What::Metric { .. } => false,
        }
    }

    async fn deliver(&self, record: &Record) -> Result<Receipt, Failure> {
        match &record.what {
            What::Change { .. } => self.change(record).await,
            What::Incident { title, text } => self.incident(record, title, text).await,
            What::Event { .. } | What::Metric { .. } => {
                Err(Failure::new(Kind::Cannot, record.what.name(), "ServiceNow takes none"))
            }
        }
    }
}

/// The attached paper: everything that the record says, for whoever has to know later what was taken away.
#[derive(Serialize)]
struct Paper<'a> {
    jml: u8,
    key: &'a str,
    run: &'a str,
    at: DateTime<Utc>,
    what: &'a What,
}

fn noun(table: &str) -> &'static str {
    if table == "incident" {
        "incident"
    } else {
        "change request"
    }
}

/// Values of a query aren't quoted there: `^` ends one and `javascript:` is run. So nothing but these characters goes in.
fn correlation(key: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let id: String = ["jml-", key]
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
fn hex_id(id: &str) -> Result<&str, Failure> {
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

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Row {
    sys_id: String,
    number: String,
    state: String,
    correlation_id: String,
}

impl Row {
    fn closed(&self) -> bool {
        ["3", "4"].contains(&self.state.as_str())
    }
}

#[derive(Deserialize)]
struct Attachment {
    file_name: String,
    #[serde(default)]
    table_sys_id: String,
}

/// A sleeping instance, a maintenance page and a login page all say 200: only `result` is an answer.
fn result<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
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

/// Client credentials: a token of half an hour, fetched when it is wanted and forgotten when it is refused.
pub struct OAuth {
    client: String,
    secret: Credential,
    token: Mutex<Option<(HeaderValue, DateTime<Utc>)>>,
}

impl OAuth {
    pub fn new(client: String, secret: Credential) -> Arc<Self> {
        Arc::new(OAuth {
            client,
            secret,
            token: Mutex::new(None),
        })
    }

    async fn fetch(&self, http: &Reader) -> Result<(HeaderValue, DateTime<Utc>), Failure> {
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            expires_in: Value,
        }
        let what = "fetch a token from ServiceNow";
        let secret = (self.secret)().await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client.as_str()),
            ("client_secret", secret.expose_secret()),
        ];
        let answer = http.read_post(path!["oauth_token.do"].form(&form).what(what)).await?;
        let token: Token = answer.json()?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.access_token.expose_secret()))
            .map_err(|_| Failure::new(Kind::Auth, what, "it holds characters that no header can carry"))?;
        value.set_sensitive(true);
        let seconds = token
            .expires_in
            .as_i64()
            .or_else(|| token.expires_in.as_str()?.parse().ok())
            .unwrap_or(0);
        Ok((value, (http.clock())() + Duration::seconds(seconds - 60)))
    }
}

impl Authorize for OAuth {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let mut token = self.token.lock().await;
            let now = (http.clock())();
            let value = match &*token {
                Some((value, until)) if *until > now => value.clone(),
                Some(_) | None => token.insert(self.fetch(http).await?).0.clone(),
            };
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }

    fn refused<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async move { answer.status == 401 && self.token.lock().await.take().is_some() })
    }
}

#[cfg(test)]
#[path = "servicenow_tests.rs"]
mod tests;
