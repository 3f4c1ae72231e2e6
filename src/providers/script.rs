//! A wire that answers from a script, for the tests of providers: what was asked is kept, and what nobody expected is 501.

use std::sync::{Arc, Mutex};

use ::http::{HeaderMap, HeaderName};
use chrono::{DateTime, Utc};
use url::Url;

use crate::{
    http::{Answer, BoxFuture, Client, Explain, Fixed, Reader, Request, Scheme, Wire, WireError, Writer},
    model::{Hr, Person, PersonId, Status, System},
};

/// `METHOD PATH?QUERY BODY` begins so; then the answer. Each line is used once, in order of the script.
pub type Line = (&'static str, Result<(u16, &'static str, &'static str), WireError>);

pub struct Script {
    left: Mutex<Vec<Line>>,
    asked: Mutex<Vec<String>>,
}

pub const NOW: &str = "2026-11-25T00:12:00Z";

pub fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// Somebody; what matters of them stands in the handles.
pub fn person() -> Person {
    Person {
        id: PersonId("00u00000000000000001".into()),
        login: "mia.lund@acme.example".into(),
        email: "mia.lund@acme.example".into(),
        first_name: "Mia".into(),
        last_name: "Lund".into(),
        status: Status::Active,
        offers: Default::default(),
        transitioning: false,
        credentials: "OKTA".into(),
        created: None,
        status_changed: None,
        last_updated: None,
        profile: Default::default(),
        hr: Hr::Missing,
    }
}

/// A 200 with a JSON body.
pub fn ok(begins: &'static str, body: &'static str) -> Line {
    says(begins, 200, body)
}

pub fn says(begins: &'static str, status: u16, body: &'static str) -> Line {
    (begins, Ok((status, "", body)))
}

/// Headers as `name: value` lines.
pub fn with(begins: &'static str, headers: &'static str, body: &'static str) -> Line {
    (begins, Ok((200, headers, body)))
}

pub fn lost(begins: &'static str) -> Line {
    (begins, Err(WireError::Cut("connection reset".into())))
}

impl Script {
    pub fn of(lines: impl IntoIterator<Item = Line>) -> Arc<Script> {
        Arc::new(Script {
            left: Mutex::new(lines.into_iter().collect()),
            asked: Mutex::default(),
        })
    }
    /// What was asked, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
    /// Everything in the script was asked for.
    pub fn finished(&self) {
        let left: Vec<&str> = self.left.lock().unwrap().iter().map(|l| l.0).collect();
        assert!(left.is_empty(), "never asked: {left:?}");
    }
    fn client(self: &Arc<Self>) -> Client {
        Client::over(self.clone(), Arc::new(now), Arc::new(|_| {}), 7)
    }
    pub fn reader(self: &Arc<Self>, explain: Explain) -> Reader {
        self.client().reader(&System::of("test"), &url(), fixed(), explain)
    }
    pub fn writer(self: &Arc<Self>, explain: Explain) -> Writer {
        self.client().writer(&System::of("test"), &url(), fixed(), explain)
    }
}

fn url() -> Url {
    Url::parse("http://127.0.0.1:1").unwrap()
}

fn fixed() -> Arc<Fixed> {
    Fixed::one(
        Scheme::Bearer,
        Arc::new(|| Box::pin(async { Ok("secret".to_owned().into()) })),
    )
}

impl Wire for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        let query = request.url.query().map_or_else(String::new, |q| format!("?{q}"));
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let asked = format!("{} {}{query} {body}", request.method, request.url.path());
        self.asked.lock().unwrap().push(asked.trim_end().to_owned());
        let mut left = self.left.lock().unwrap();
        let answer = match left.iter().position(|(begins, _)| asked.starts_with(begins)) {
            Some(i) => left.remove(i).1,
            None => Ok((501, "", "not in the script")),
        };
        Box::pin(async move {
            answer.map(|(status, headers, body)| {
                let mut map = HeaderMap::new();
                map.insert("content-type", "application/json".parse().unwrap());
                for (name, value) in headers.lines().filter_map(|l| l.split_once(": ")) {
                    map.insert(HeaderName::from_static(name), value.parse().unwrap());
                }
                Answer::new(status, map, body)
            })
        })
    }
}
