//! What to ask: a path whose parts can't leave their place, a query, and how the call is to be treated.

use std::{fmt::Display, time::Duration};

use ::http::{HeaderName, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use crate::model::{Failure, Repeat};

/// Everything but RFC 3986 "unreserved" is escaped, so a login can't leave its path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One call, before it is known where it goes. Made by `path![…]`.
#[derive(Clone)]
pub struct Ask {
    path: String,
    /// The path with every variable part as `*`: what rate limits are learnt by.
    pub(super) shape: String,
    query: String,
    fault: Option<String>,
    /// A link that the server gave: path and query as they are, on our own origin.
    followed: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) what: Option<String>,
    pub(super) accepted: Vec<u16>,
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) urgent: bool,
    pub(super) patience: Option<Duration>,
    pub(super) repeat: Option<Repeat>,
}

impl Default for Ask {
    fn default() -> Self {
        Self::new()
    }
}

impl Ask {
    pub fn new() -> Self {
        Ask {
            path: String::new(),
            shape: String::new(),
            query: String::new(),
            fault: None,
            followed: false,
            headers: Vec::new(),
            body: Bytes::new(),
            what: None,
            accepted: Vec::new(),
            deadline: None,
            urgent: false,
            patience: None,
            repeat: None,
        }
    }
    /// A link from an answer (`Link: …; rel="next"`). Its host is ignored: an org has more than one name, the credential has one home.
    pub fn follow(link: &str) -> Self {
        let mut ask = Self::new();
        ask.followed = true;
        let anywhere = Url::parse("http://localhost/").and_then(|u| u.join(link));
        match anywhere {
            Ok(u) => {
                ask.path = u.path().to_owned();
                ask.shape = shape(u.path());
                ask.query = u.query().unwrap_or_default().to_owned();
            }
            Err(e) => ask.fault = Some(format!("a link that is none ({e})")),
        }
        ask
    }
    /// Segments of the call's own shape; a literal may hold several, by `/`.
    pub fn fixed(mut self, literal: &str) -> Self {
        for s in literal.split('/').filter(|s| !s.is_empty()) {
            self.shape.push('/');
            self.shape.push_str(s);
            self.push(s);
        }
        self
    }
    /// One variable segment.
    pub fn part(mut self, segment: &(impl Display + ?Sized)) -> Self {
        self.shape.push_str("/*");
        let s = segment.to_string();
        self.push(&s);
        self
    }
    fn push(&mut self, segment: &str) {
        // "." and ".." are unreserved, yet URL parsing drops them.
        if matches!(segment, "" | "." | "..") {
            self.fault = Some(format!("{segment:?} can't be a part of a path"));
        }
        self.path.push('/');
        self.path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    pub fn query(mut self, key: &str, value: impl Display) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(key, SEGMENT));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(&value.to_string(), SEGMENT));
        self
    }
    /// A header of this call alone; never a credential (`Authorize` gives those).
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(value.as_ref()) {
            Ok(v) => self.headers.push((HeaderName::from_static(name), v)),
            Err(_) => self.fault = Some(format!("the header {name} can't hold that value")),
        }
        self
    }
    /// Who asks for a token: a token endpoint is asked without `Authorize`. It is marked as a secret, and taken out of answers.
    pub fn basic(mut self, user: &str, secret: &str) -> Self {
        match super::auth::sensitive(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}")))) {
            Ok(v) => self.headers.push((::http::header::AUTHORIZATION, v)),
            Err(f) => self.fault = Some(f.summary),
        }
        self
    }
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(b) => self.body = b.into(),
            Err(e) => self.fault = Some(format!("a body that is no JSON ({e})")),
        }
        self.content("application/json")
    }
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut s = url::form_urlencoded::Serializer::new(String::new());
        s.extend_pairs(pairs);
        self.body = s.finish().into_bytes().into();
        self.content("application/x-www-form-urlencoded")
    }
    pub fn bytes(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.content(content_type)
    }
    fn content(mut self, kind: &'static str) -> Self {
        self.headers
            .push((::http::header::CONTENT_TYPE, HeaderValue::from_static(kind)));
        self
    }
    /// The subject of a failure: `remove alice from ROLE-ENG`. Without it, method and shape.
    pub fn what(mut self, what: impl Into<String>) -> Self {
        self.what = Some(what.into());
        self
    }
    /// A status other than 2xx that is an answer here (404: absent), not a failure.
    pub fn accept(mut self, status: u16) -> Self {
        self.accepted.push(status);
        self
    }
    /// Retries end here.
    pub fn until(mut self, deadline: DateTime<Utc>) -> Self {
        self.deadline = Some(deadline);
        self
    }
    /// One attempt may take so long: an answer whose making takes minutes.
    pub fn patient(mut self, attempt: Duration) -> Self {
        self.patience = Some(attempt);
        self
    }
    /// A leaver's call: it jumps the queue and may use the reserve.
    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }
    /// May it be sent again without looking? Else: GET, PUT, DELETE and read-POSTs may, POST and PATCH may not.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = Some(repeat);
        self
    }
    pub(super) fn url(&self, base: &Url, what: &str) -> Result<Url, Failure> {
        if let Some(fault) = &self.fault {
            return Err(Failure::permanent(what, fault));
        }
        let root = base.path().trim_end_matches('/');
        let mut url = base.clone();
        if self.followed {
            let under = self
                .path
                .strip_prefix(root)
                .is_some_and(|rest| rest.starts_with('/') || rest.is_empty());
            if !under {
                return Err(Failure::contradiction(
                    what,
                    "the next page lies outside the API's own address",
                ));
            }
            url.set_path(&self.path);
        } else {
            url.set_path(&format!("{root}{}", self.path));
        }
        url.set_query((!self.query.is_empty()).then_some(&self.query));
        Ok(url)
    }
}

/// A guess for a path that we didn't make: what has a digit and isn't a version is an id.
fn shape(path: &str) -> String {
    let variable = |s: &str| s.len() > 3 && s.bytes().any(|b| b.is_ascii_digit());
    let parts = path.split('/').map(|s| if variable(s) { "*" } else { s });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::path;

    fn url(a: &Ask) -> Result<String, Failure> {
        let base = Url::parse("https://acme.example/scim/v2/").unwrap();
        a.url(&base, "read").map(String::from)
    }

    #[test]
    fn a_segment_stays_in_its_place() {
        let login = "a/b?c#d\u{e9}..%2F";
        let ask = path!["users", login, "groups"];
        assert_eq!(
            url(&ask).unwrap(),
            "https://acme.example/scim/v2/users/a%2Fb%3Fc%23d%C3%A9..%252F/groups"
        );
        assert_eq!(ask.shape, "/users/*/groups");
        for bad in ["", ".", ".."] {
            assert!(url(&path!["users", bad]).is_err(), "{bad:?}");
        }
        let n = 7;
        assert_eq!(
            url(&path!["a/b", n, login.len(),]).unwrap(),
            "https://acme.example/scim/v2/a/b/7/14"
        );
    }

    #[test]
    fn a_query_is_encoded() {
        let ask = path!["users"]
            .query("search", "profile.login eq \"a&b=c\"")
            .query("limit", 200);
        assert_eq!(
            url(&ask).unwrap(),
            "https://acme.example/scim/v2/users?search=profile.login%20eq%20%22a%26b%3Dc%22&limit=200"
        );
    }

    #[test]
    fn a_link_is_followed_on_our_own_origin_only() {
        let ask = Ask::follow("https://evil.example/scim/v2/users?after=%3D1");
        assert_eq!(url(&ask).unwrap(), "https://acme.example/scim/v2/users?after=%3D1");
        assert!(url(&Ask::follow("https://acme.example/scim/v20/users")).is_err());
        assert!(url(&Ask::follow("/scim/v2/../../admin")).is_err());
    }

    #[test]
    fn a_header_can_not_be_split() {
        assert!(url(&path!["x"].header("x-a", "1\r\nx-b: 2")).is_err());
    }
}
