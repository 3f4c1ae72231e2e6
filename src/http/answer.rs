//! What came back, and the plain reading of a status where a vendor says nothing better.

use std::fmt;

use ::http::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::redact::sentence;
use crate::model::{Failure, Kind};

#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What was asked for, for the failures below.
    pub(super) what: String,
    /// The call was to change something: an answer that can't be read leaves open whether it did.
    pub(super) changes: bool,
}

impl fmt::Debug for Answer {
    /// A body may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

/// Under these names vendors tell the id of a request.
const REQUEST_IDS: [&str; 7] = [
    "x-okta-request-id",
    "x-slack-req-id",
    "x-github-request-id",
    "x-zm-trackingid",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-requestid",
];

impl Answer {
    pub fn new(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Answer {
            status,
            headers,
            body: body.into(),
            what: String::new(),
            changes: false,
        }
    }
    pub fn success(&self) -> bool {
        (200..300).contains(&self.status)
    }
    /// Of a header that came more than once, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
    /// Every field of that name, in order (Link).
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|v| v.to_str().ok())
    }
    /// The target of `rel="next"`.
    pub fn next_link(&self) -> Option<&str> {
        self.all("link").flat_map(split_links).find_map(|link| {
            let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let next = parameters
                .split(';')
                .filter_map(|p| p.trim().split_once('='))
                .any(|(k, v)| k.trim() == "rel" && v.trim().trim_matches('"').split(' ').any(|r| r == "next"));
            next.then_some(target)
        })
    }
    pub fn request_id(&self) -> Option<String> {
        REQUEST_IDS.iter().find_map(|n| self.header(n)).map(sentence)
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// Nobody's business: 204, or a body of nothing.
    pub fn empty(&self) -> bool {
        self.body.is_empty()
    }
    /// A 2xx that isn't the JSON that was asked for is no answer at all: a proxy's login page says 200 too.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|e| self.unread(Some(&e)))
    }
    pub(super) fn unread(&self, error: Option<&serde_json::Error>) -> Failure {
        let summary = match error {
            _ if self.looks_like_html() => {
                "answered with a web page (a login or proxy page) in place of data".to_owned()
            }
            Some(e) if !self.body.is_empty() => format!(
                "answered with something other than the data asked for (line {}, column {})",
                e.line(),
                e.column()
            ),
            Some(_) | None => "answered with an empty body in place of data".to_owned(),
        };
        let kind = if self.changes { Kind::Doubt } else { Kind::Contradiction };
        Failure::new(kind, &self.what, summary)
            .code(self.status.to_string())
            .request(self.request_id())
    }
    /// For an answer whose body matters only where it is a refusal.
    pub fn maybe<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
    pub(super) fn looks_like_html(&self) -> bool {
        self.header("content-type").is_some_and(|t| t.starts_with("text/html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// A comma separates links, but may stand inside a target.
fn split_links(field: &str) -> Vec<&str> {
    let (mut out, mut start, mut inside) = (Vec::new(), 0, false);
    for (i, c) in field.char_indices() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            ',' if !inside => {
                out.push(&field[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&field[start..]);
    out
}

/// What a status alone says: the reading of a provider that knows no better, and of a body that isn't its vendor's.
pub fn plain(answer: &Answer, what: &str) -> Failure {
    let (kind, summary) = match answer.status {
        300..=399 => (Kind::Permanent, "points elsewhere; redirects are not followed"),
        401 => (Kind::Auth, "refuses the credential"),
        403 => (Kind::Auth, "refuses: the credential lacks a right"),
        404 => (Kind::Permanent, "knows no such thing"),
        408 => (Kind::Transient, "gave up waiting for the request"),
        429 => (Kind::Throttled, "asks for fewer calls"),
        501 => (Kind::Cannot, "has no way to do that"),
        500.. => (Kind::Transient, "has a fault of its own"),
        _ => (Kind::Permanent, "refuses the call"),
    };
    Failure::new(kind, what, summary)
        .code(answer.status.to_string())
        .request(answer.request_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, values: &[&str], body: &'static str) -> Answer {
        let mut h = HeaderMap::new();
        for v in values {
            h.append(name, v.parse().unwrap());
        }
        Answer::new(200, h, body)
    }

    #[test]
    fn next_is_found_in_two_fields_or_in_one() {
        let two = with(
            "link",
            &[
                "<https://o/x?a=1,2>; rel=\"self\"",
                "<https://o/x?after=3,4>; rel=\"next\"",
            ],
            "",
        );
        assert_eq!(two.next_link(), Some("https://o/x?after=3,4"));
        let one = with(
            "link",
            &["<https://o/1>; rel=\"prev\", <https://o/2>; rel=\"next\""],
            "",
        );
        assert_eq!(one.next_link(), Some("https://o/2"));
        assert_eq!(with("link", &["<https://o/1>; rel=\"self\""], "").next_link(), None);
    }

    #[test]
    fn a_login_page_is_a_contradiction() {
        let f = with("content-type", &["text/html"], "<html>Sign in</html>")
            .json::<Vec<u8>>()
            .unwrap_err();
        assert_eq!(f.kind, Kind::Contradiction);
        assert!(f.summary.contains("login"), "{f}");
    }

    #[test]
    fn a_body_is_never_in_debug() {
        assert_eq!(format!("{:?}", with("x", &[], "token=hunter2")), "200 with 13 bytes");
    }
}
