//! What was asked and answered: one NDJSON line an exchange, in memory or in a file.
//!
//! No secret is written: a credential is named (`SSWS <okta.write>`), other secrets are `<redacted>`.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::{files, twin::Reply, world::Credential};

/// So much is kept in memory at the most; the oldest go first.
const KEPT: usize = 64 << 20;

pub enum Journal {
    Memory { lines: VecDeque<String>, size: usize },
    File(File),
}

/// An exchange as the engine saw it. No reply: the connection ended without one.
pub struct Exchange<'a> {
    pub system: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    pub reply: Option<&'a Reply>,
}

#[derive(Serialize)]
struct Line<'a> {
    system: &'a str,
    method: &'a str,
    path: &'a str,
    query: Cow<'a, str>,
    request_headers: Map<String, Value>,
    request_body: Option<Cow<'a, RawValue>>,
    status: u16,
    response_headers: Map<String, Value>,
    response_body: Option<Cow<'a, RawValue>>,
}

impl Journal {
    pub fn memory() -> Journal {
        Journal::Memory {
            lines: VecDeque::new(),
            size: 0,
        }
    }

    /// Appends to the file, 0600, made where it isn't there.
    pub fn file(path: &Path) -> io::Result<Journal> {
        files::append(path).map(Journal::File)
    }

    pub fn write(&mut self, mut line: String) -> io::Result<()> {
        match self {
            Journal::File(file) => {
                line.push('\n');
                file.write_all(line.as_bytes())
            }
            Journal::Memory { lines, size } => {
                *size += line.len();
                lines.push_back(line);
                while *size > KEPT {
                    *size -= lines.pop_front().map_or(*size, |l| l.len());
                }
                Ok(())
            }
        }
    }

    /// Everything, as NDJSON.
    pub fn text(&mut self) -> io::Result<String> {
        match self {
            Journal::Memory { lines, .. } => Ok(lines.iter().flat_map(|l| [l.as_str(), "\n"]).collect()),
            Journal::File(file) => {
                let mut text = String::new();
                file.seek(SeekFrom::Start(0))?;
                file.read_to_string(&mut text)?;
                Ok(text) // appending goes to the end wherever the cursor stands
            }
        }
    }
}

/// An exchange as a line, without its end.
pub fn line(x: &Exchange<'_>, credentials: &[Credential]) -> String {
    let reply = x.reply;
    let line = Line {
        system: x.system,
        method: x.method,
        path: x.path,
        query: form(x.query),
        request_headers: headers(x.headers, credentials),
        request_body: body(x.body),
        status: reply.map_or(0, |r| r.status),
        response_headers: headers(reply.map(|r| r.headers.as_slice()).unwrap_or_default(), credentials),
        response_body: body(reply.map(|r| r.body.as_slice()).unwrap_or_default()),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    for c in credentials {
        if text.contains(&c.secret) {
            text = text.replace(&c.secret, &format!("<{}>", c.name)); // wherever else it may stand
        }
    }
    text
}

/// A value is a text, or a list where the header came more than once.
fn headers(list: &[(String, String)], credentials: &[Credential]) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in list {
        let value = Value::from(header(name, value, credentials));
        match out.get_mut(name) {
            None => {
                out.insert(name.clone(), value);
            }
            Some(Value::Array(more)) => more.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    out
}

fn header(name: &str, value: &str, credentials: &[Credential]) -> String {
    let named = |secret: &str| {
        let known = credentials.iter().find(|c| c.secret == secret).map(|c| c.name.as_str());
        format!("<{}>", known.unwrap_or("unknown"))
    };
    match name {
        "authorization" => match value.split_once(' ') {
            Some((scheme, secret)) => format!("{scheme} {}", named(secret.trim())),
            None => match value.strip_prefix("SSWS") {
                Some(secret) => format!("SSWS{}", named(secret)), // as the vendor's SDK writes it
                None => named(value),
            },
        },
        "x-vault-token" | "dd-api-key" | "dd-application-key" | "x-sn-apikey" => named(value),
        "cookie" | "set-cookie" | "dpop" | "x-api-key" => "<redacted>".into(),
        _ => value.into(),
    }
}

const SECRETS: &[&str] = &[
    "password",
    "client_secret",
    "client_assertion",
    "assertion",
    "access_token",
    "DeleteToken",
    "refresh_token",
    "id_token",
    "token",
    "activationToken",
    "activationUrl",
    "recoveryToken",
    "resetPasswordUrl",
    "tempPassword",
    "private_key",
    "api_key",
    "app_key",
    "verificationCode",
    "client_token",
    "secret_id",
];

fn is_secret(key: &str) -> bool {
    SECRETS.iter().any(|s| s.eq_ignore_ascii_case(key))
}

/// JSON stays JSON, all else is a text, nothing is null.
fn body(bytes: &[u8]) -> Option<Cow<'_, RawValue>> {
    if bytes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let quoted = |t: &str| serde_json::value::to_raw_value(t).ok().map(Cow::Owned);
    let Ok(raw) = serde_json::from_slice::<&RawValue>(bytes) else {
        return quoted(&form(&text));
    };
    // one line, and nothing to hide: as it came. A key escaped so that it hides from this look is found by no vendor either.
    if !SECRETS.iter().any(|s| text.contains(s)) && !text.contains(['\n', '\r']) {
        return Some(Cow::Borrowed(raw));
    }
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    redact(&mut value, false);
    serde_json::value::to_raw_value(&value).ok().map(Cow::Owned)
}

fn redact(value: &mut Value, secret: bool) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(k, v)| redact(v, secret || is_secret(k))),
        Value::Array(list) => list.iter_mut().for_each(|v| redact(v, secret)),
        Value::String(text) if secret => *text = "<redacted>".into(),
        _ => {}
    }
}

/// `a=b&c=d`, the secrets' values taken out.
fn form(text: &str) -> Cow<'_, str> {
    let hides = |pair: &str| pair.split_once('=').is_some_and(|(k, _)| is_secret(k));
    if !text.split('&').any(hides) {
        return Cow::Borrowed(text);
    }
    let shown = |pair: &str| match pair.split_once('=') {
        Some((k, _)) if is_secret(k) => format!("{k}=<redacted>"),
        _ => pair.to_owned(),
    };
    Cow::Owned(text.split('&').map(shown).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(headers: &[(&str, &str)], query: &str, body: &[u8], reply: Option<&Reply>) -> Value {
        let credentials = [Credential {
            system: "okta",
            name: "okta.write".into(),
            secret: "00sEcReT".into(),
            write: true,
        }];
        let headers: Vec<_> = headers
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut journal = Journal::memory();
        let exchange = Exchange {
            system: "okta",
            method: "POST",
            path: "/p",
            query,
            headers: &headers,
            body,
            reply,
        };
        journal.write(line(&exchange, &credentials)).unwrap();
        serde_json::from_str(&journal.text().unwrap()).unwrap()
    }

    #[test]
    fn a_credential_is_named_and_never_written() {
        for (value, want) in [
            ("SSWS 00sEcReT", "SSWS <okta.write>"),
            ("SSWS00sEcReT", "SSWS<okta.write>"),
            ("Bearer other", "Bearer <unknown>"),
            ("other", "<unknown>"),
        ] {
            assert_eq!(
                written(&[("authorization", value)], "", b"", None)["request_headers"]["authorization"],
                want
            );
        }
        let line = written(&[("x-odd", "a 00sEcReT b")], "q=00sEcReT", b"00sEcReT", None).to_string();
        assert!(
            !line.contains("00sEcReT") && line.contains("a <okta.write> b"),
            "{line}"
        );
    }

    #[test]
    fn secrets_in_bodies_and_queries_are_taken_out() {
        let line = written(&[], "token=abc&limit=1", b"grant_type=x&client_assertion=ey.J", None);
        assert_eq!(line["query"], "token=<redacted>&limit=1");
        assert_eq!(line["request_body"], "grant_type=x&client_assertion=<redacted>");
        let line = written(
            &[],
            "",
            br#"{"credentials": {"password": {"value": "pw"}}, "n": 1}"#,
            None,
        );
        assert_eq!(
            line["request_body"],
            json!({"credentials": {"password": {"value": "<redacted>"}}, "n": 1})
        );
    }

    #[test]
    fn the_shape_is_the_documented_one() {
        let reply = Reply::json(200, &json!([1]))
            .with("link", "a")
            .with("link", "b")
            .with("link", "c");
        let line = written(&[("accept", "x")], "a=b", b"{\n\"k\": null}", Some(&reply));
        assert_eq!(
            line,
            json!({"system": "okta", "method": "POST", "path": "/p", "query": "a=b", "request_headers": {"accept": "x"},
                "request_body": {"k": null}, "status": 200,
                "response_headers": {"content-type": "application/json", "link": ["a", "b", "c"]}, "response_body": [1]})
        );
        let lost = written(&[], "", b"", None);
        assert_eq!(
            (&lost["status"], &lost["request_body"], &lost["response_body"]),
            (&json!(0), &Value::Null, &Value::Null)
        );
    }

    #[test]
    fn a_file_is_appended_to_and_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.ndjson");
        for _ in 0..2 {
            let mut journal = Journal::file(&path).unwrap();
            let exchange = Exchange {
                system: "okta",
                method: "GET",
                path: "/",
                query: "",
                headers: &[],
                body: b"",
                reply: None,
            };
            journal.write(line(&exchange, &[])).unwrap();
            journal.text().unwrap();
            journal.write(line(&exchange, &[])).unwrap();
        }
        assert_eq!(Journal::file(&path).unwrap().text().unwrap().lines().count(), 4);
    }
}
