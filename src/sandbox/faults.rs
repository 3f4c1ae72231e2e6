//! What goes wrong on purpose: route patterns of a world (`okta GET /api/v1/users*`) and names of operations
//! (`okta:remove-member:ROLE-ENG@1:after=reset`). Both end in one `Fate`, which the engine carries out.
//!
//! Deterministic: a fault counts the requests that it matches, and nothing else decides.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    given,
    member::row,
    named::Named,
    quiet::wild,
    twin::{Reply, blank},
};

/// What becomes of one request.
#[derive(Default)]
pub struct Fate {
    /// Waits so long before anything.
    pub delay: TimeDelta,
    /// Is the thing not done?
    pub undone: bool,
    pub end: End,
    /// Keeps the request (`true`: before the effect) or its answer back until it is released.
    pub hold: Option<(String, bool)>,
}

/// How the exchange ends.
#[derive(Default)]
pub enum End {
    #[default]
    Answer,
    /// Something else is sent.
    Instead(Reply),
    /// The twin's own answer, cut in the middle.
    Malformed,
    /// The twin's own answer without its body.
    Empty,
    /// The connection is closed without an answer.
    Lost,
    /// The connection stays open and no answer comes.
    Silence,
}

/// A request as faults see it.
pub struct Seen<'a> {
    pub system: &'a str,
    pub method: &'a str,
    /// As received, without the query.
    pub path: &'a str,
    pub query: &'a str,
    pub authorization: &'a str,
    pub operation: Option<&'a str>,
    pub now: DateTime<Utc>,
}

impl Seen<'_> {
    /// A refusal in the vendor's own words.
    pub fn refusal(&self, status: u16) -> Reply {
        let said = row(self.system).map_or(blank("").refusal, |twin| twin.refusal);
        said(self, status)
    }
}

#[derive(Default)]
pub struct Faults {
    list: Vec<Armed>,
}

struct Armed {
    what: What,
    nth: u64,
    /// `None`: all.
    times: Option<u64>,
    met: u64,
    fired: u64,
}

enum What {
    Route { on: String, fault: Value },
    Named(Named),
}

impl Faults {
    /// The list of a world, or of `POST /faults`; a text in it is a fault by name.
    pub fn arm(list: &Value) -> Result<Faults, String> {
        let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let routes: Vec<Value> = entries.iter().filter(|f| !f.is_string()).cloned().collect();
        given::faults(&routes.into())?;
        let mut faults = Faults::default();
        for f in entries {
            match f.as_str() {
                Some(text) => faults.add(Named::parse(text)?),
                None => faults.list.push(Armed {
                    nth: f["nth"].as_u64().unwrap_or(1),
                    times: if f["times"] == "all" {
                        None
                    } else {
                        Some(f["times"].as_u64().unwrap_or(1))
                    },
                    met: 0,
                    fired: 0,
                    what: What::Route {
                        on: f["on"].as_str().unwrap_or_default().into(),
                        fault: f.clone(),
                    },
                }),
            }
        }
        Ok(faults)
    }

    pub fn add(&mut self, named: Named) {
        let (nth, times) = named.attempts;
        self.list.push(Armed {
            what: What::Named(named),
            nth,
            times,
            met: 0,
            fired: 0,
        });
    }

    /// Every fault counts the requests that it matches; the first that applies wins.
    pub fn meet(&mut self, seen: &Seen<'_>) -> Fate {
        let mut fate = None;
        for armed in &mut self.list {
            let fits = match &armed.what {
                What::Route { on, .. } => matches(on, seen),
                What::Named(n) => match n.manner() {
                    Some((system, _)) => system == seen.system,
                    None => n.fits(seen.system, seen.operation),
                },
            };
            if !fits {
                continue;
            }
            armed.met += 1;
            let due = armed.met >= armed.nth && armed.times.is_none_or(|t| armed.met < armed.nth + t);
            if matches!(&armed.what, What::Named(n) if n.manner().is_some()) {
                armed.fired += 1; // the twin itself differs: nothing becomes of the request here
                continue;
            }
            if due && fate.is_none() {
                armed.fired += 1;
                fate = Some(match &armed.what {
                    What::Route { fault, .. } => route(fault, seen),
                    What::Named(n) => n.fate(seen),
                });
            }
        }
        fate.unwrap_or_default()
    }

    /// Ways to differ that are on, by system.
    pub fn manners(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for armed in &self.list {
            if let What::Named(n) = &armed.what
                && let Some((system, word)) = n.manner()
            {
                out.entry(system.into()).or_default().insert(word.into());
            }
        }
        out
    }

    /// Each fault with how often it fired: a test asserts that its fault did.
    pub fn shown(&self) -> Value {
        let one = |a: &Armed| {
            let on = match &a.what {
                What::Route { on, .. } => on,
                What::Named(n) => &n.text,
            };
            json!({"on": on, "met": a.met, "fired": a.fired})
        };
        self.list.iter().map(one).collect()
    }
}

fn route(fault: &Value, seen: &Seen<'_>) -> Fate {
    let answer = &fault["answer"];
    let end = if fault["lose_answer"] == true {
        End::Lost
    } else if answer.is_object() {
        End::Instead(canned(answer, seen))
    } else {
        End::Answer
    };
    Fate {
        delay: given::span(&fault["delay"]),
        undone: answer.is_object() && fault["effect"] != true,
        end,
        hold: None,
    }
}

fn canned(answer: &Value, seen: &Seen<'_>) -> Reply {
    let mut reply = Reply::empty(
        answer["status"]
            .as_u64()
            .and_then(|s| u16::try_from(s).ok())
            .unwrap_or(500),
    );
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        reply = reply.with(&name.to_lowercase(), fill(value.as_str().unwrap_or_default(), seen));
    }
    let typed = reply.headers.iter().any(|(k, _)| k == "content-type");
    if let Some(text) = answer["body_text"].as_str() {
        reply.body = fill(text, seen).into_bytes();
    } else if let Some(body) = answer.get("body") {
        reply.body = body.to_string().into_bytes();
        if !typed {
            reply = reply.with("content-type", "application/json");
        }
    }
    reply
}

/// `{authorization}`, `{epoch}`, `{epoch+5}`.
fn fill(text: &str, seen: &Seen<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let name = from.find('}').map(|end| &from[1..end]);
        let filled = match name {
            Some("authorization") => Some(seen.authorization.to_owned()),
            Some("epoch") => Some(seen.now.timestamp().to_string()),
            Some(n) => n
                .strip_prefix("epoch")
                .filter(|d| d.starts_with(['+', '-']))
                .and_then(|d| d.parse::<i64>().ok())
                .map(|d| (seen.now.timestamp() + d).to_string()),
            None => None,
        };
        match (filled, name) {
            (Some(text), Some(name)) => {
                out.push_str(&text);
                rest = &from[name.len() + 2..];
            }
            _ => {
                out.push('{');
                rest = &from[1..];
            }
        }
    }
    out + rest
}

/// `SYSTEM METHOD PATH[?QUERY]` against a request: path and query as received, and decoded.
fn matches(on: &str, seen: &Seen<'_>) -> bool {
    let mut parts = on.splitn(3, ' ');
    let (Some(system), Some(methods), Some(target)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    if !wild(system, seen.system) || !methods.split('|').any(|m| wild(m, seen.method)) {
        return false;
    }
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    (wild(path, seen.path) || wild(path, &decoded(seen.path)))
        && query.is_none_or(|q| wild(q, seen.query) || wild(q, &decoded(&seen.query.replace('+', " "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(method: &'a str, path: &'a str, query: &'a str) -> Seen<'a> {
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        Seen {
            system: "okta",
            method,
            path,
            query,
            authorization: "SSWS x",
            operation: Some("remove-member:ROLE-ENG"),
            now,
        }
    }

    #[test]
    fn a_pattern_matches_as_received_and_decoded() {
        for (on, method, path, query, want) in [
            ("okta GET /api/v1/users*", "GET", "/api/v1/users", "limit=1", true),
            ("okta GET /api/v1/users", "GET", "/api/v1/users", "limit=1", true),
            ("okta PUT|DELETE *", "DELETE", "/x", "", true),
            ("okta P* *", "PATCH", "/x", "", true),
            ("slack * *", "GET", "/x", "", false),
            ("okta GET /users/a@b", "GET", "/users/a%40b", "", true),
            ("okta GET /users?*after=x*", "GET", "/users", "limit=2&after=x", true),
            ("okta GET /users?after=x", "GET", "/users", "limit=2&after=x", false),
            ("okta GET /users?search=a b", "GET", "/users", "search=a+b", true),
        ] {
            assert_eq!(matches(on, &seen(method, path, query)), want, "{on}");
        }
    }

    #[test]
    fn a_fault_counts_its_own_requests_and_the_first_that_applies_wins() {
        let mut f = Faults::arm(&json!([
            {"on": "okta GET /a", "nth": 2, "answer": {"status": 503, "body": []}},
            {"on": "okta GET *", "times": "all", "lose_answer": true},
        ]))
        .unwrap();
        let kinds: Vec<&str> = (0..3)
            .map(|_| match f.meet(&seen("GET", "/a", "")).end {
                End::Instead(r) if r.status == 503 => "503",
                End::Lost => "lost",
                _ => "other",
            })
            .collect();
        assert_eq!(kinds, ["lost", "503", "lost"]);
        assert_eq!(f.shown()[0], json!({"on": "okta GET /a", "met": 3, "fired": 1}));
        assert_eq!(f.shown()[1]["fired"], 2);
    }

    #[test]
    fn an_answer_undoes_the_effect_unless_it_says_otherwise() {
        let answer = json!({"status": 429, "headers": {"X-Reset": "{epoch+5}", "x-who": "{authorization}", "x-odd": "{other} {"},
            "body_text": "at {epoch}"});
        for (effect, undone) in [(false, true), (true, false)] {
            let mut f =
                Faults::arm(&json!([{"on": "* * *", "answer": answer, "effect": effect, "delay": "2s"}])).unwrap();
            let fate = f.meet(&seen("GET", "/", ""));
            assert_eq!((fate.undone, fate.delay), (undone, TimeDelta::seconds(2)));
            let End::Instead(reply) = fate.end else {
                panic!("an answer was asked for")
            };
            let header = |name: &str| reply.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
            assert_eq!((header("x-odd"), header("x-who")), (Some("{other} {"), Some("SSWS x")));
            assert_eq!(
                (header("x-reset"), reply.body.as_slice()),
                (Some("1005"), b"at 1000".as_slice())
            );
        }
    }

    #[test]
    fn a_text_in_the_list_is_a_fault_by_name() {
        let mut f = Faults::arm(&json!(["okta:remove-member:ROLE-ENG@2:before=503"])).unwrap();
        assert!(matches!(f.meet(&seen("DELETE", "/x", "")).end, End::Answer));
        assert!(matches!(f.meet(&seen("DELETE", "/x", "")).end, End::Instead(_)));
        assert!(Faults::arm(&json!([{"on": "* * *", "delay": "1s", "oops": 1}])).is_err());
    }
}
