//! The twin of SAP SuccessFactors Employee Central: the OData entities `PerPerson` and `User`, and the token endpoint.
//!
//! Written from SAP's knowledge base and recorded answers: navigations that nobody expanded are deferred, dates are `/Date(ms)/`, picklists
//! are ids, and a query of users hides the inactive. It speaks JSON alone and changes nothing.

pub mod key;
mod person;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    faults::Seen,
    staff,
    twin::{Call, Reply, Twin, blank, reason},
    world::World,
};

const NAME: &str = "successfactors";
const COMPANY: &str = "ACME";
const USER: &str = "JML_API";
const CLIENT: &str = "jml-api-key";
/// At most so many a page.
const PAGE: usize = 1000;

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    here: |w| staff::here(w, NAME),
    endpoints: |_, _| json!({"company_id": COMPANY, "client_id": CLIENT, "user": USER, "private_key": key::private()}),
    section: |_| json!({"company": COMPANY, "user": USER, "client": CLIENT, "write": null}),
    record: |w, right| (right == "read" && staff::here(w, NAME)).then(|| key::private().to_owned()),
    asks: |method, path, _| method == "POST" && path == "/oauth/token",
    manners: &[
        "page-2-fails",
        "html-503",
        "429-300",
        "population-shrunk",
        "token-expires-mid-walk",
    ],
    operation: |_, call| {
        Some(match call.parts()[..] {
            ["oauth", "token"] => "get-token".into(),
            ["odata", "v2", "PerPerson", "$count"] => "count-people".into(),
            ["odata", "v2", "PerPerson"] => "list-people".into(),
            ["odata", "v2", "User"] => "list-users".into(),
            _ => return None,
        })
    },
    refusal: of_status,
    ..blank(NAME)
};

/// Tokens that it gave, and until when.
#[derive(Default)]
pub struct Successfactors {
    tokens: Vec<(String, DateTime<Utc>)>,
    /// Given so far: what the next one is made from.
    given: usize,
    /// The fault of a token that ends between two pages has had its way.
    expired: bool,
}

fn error(status: u16, code: &str, text: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"code": code, "message": {"lang": "en-US", "value": text}}}),
    )
}

/// For a fault by name.
fn of_status(_: &Seen<'_>, status: u16) -> Reply {
    error(status, "COE_GENERAL_SERVER_ERROR", reason(status)).again("retry-after", "2")
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let parts = call.parts();
    if let ("POST", ["oauth", "token"]) = (call.method.as_str(), &parts[..]) {
        return token::answer(world, call);
    }
    let ["odata", "v2", entity, rest @ ..] = &parts[..] else {
        return Reply::empty(501);
    };
    if let Err(refused) = signed_in(world, call) {
        return refused;
    }
    let differs = |manner| staff::differs(world, NAME, manner);
    if differs("html-503") {
        return Reply {
            status: 503,
            headers: vec![("content-type".into(), "text/html".into())],
            body:
                b"<html><body>The SuccessFactors HCM suite is currently undergoing scheduled maintenance.</body></html>"
                    .to_vec(),
        };
    }
    if differs("429-300") {
        return Reply::empty(429).with("Retry-After", "300");
    }
    if call.method != "GET" {
        let text = format!("HTTP method '{}' is not allowed for this resource.", call.method);
        return error(405, "MethodNotAllowedException", &text);
    }
    match (*entity, rest) {
        ("PerPerson", ["$count"]) => Reply {
            status: 200,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: people(world).len().to_string().into_bytes(),
        },
        ("PerPerson", []) => persons(world, call),
        ("User", []) => users(world, call),
        ("EmpJob" | "EmpEmployment" | "FODepartment", _) => Reply::empty(501),
        (other, _) => error(
            404,
            "COE_ENTITY_NOT_FOUND",
            &format!("[COE0013]Invalid entity (or function) name: {other}"),
        ),
    }
}

fn signed_in(world: &mut World, call: &Call) -> Result<(), Reply> {
    let Some(token) = staff::bearer(call.header("authorization")) else {
        return Err(error(403, "LGN0003", "[LGN0003]No credentials were sent."));
    };
    let mid_walk = call.param("$skiptoken").is_some() && staff::differs(world, NAME, "token-expires-mid-walk");
    let over = || error(403, "LGN0006", "[LGN0006]The OAuth token has expired.");
    if mid_walk && !world.successfactors.expired {
        world.successfactors.expired = true;
        world.successfactors.tokens.clear();
        return Err(over());
    }
    if world.secret("successfactors.all") == Some(token) {
        return Ok(());
    }
    match world.successfactors.tokens.iter().find(|(t, _)| t == token) {
        Some((_, until)) if *until > call.now => Ok(()),
        Some(_) => Err(over()),
        None => Err(error(
            403,
            "LGN0007",
            "[LGN0007]Invalid OAuth token. Please validate the value for your OAuth token.",
        )),
    }
}

/// Those whom the API user may see.
fn people(world: &World) -> Vec<staff::Staff> {
    let mut all = staff::all(world);
    if staff::differs(world, NAME, "population-shrunk") {
        let now = world.now;
        all.retain(|s| !s.over(now, s.zone.unwrap_or(chrono_tz::UTC)));
    }
    all
}

/// Literals of `field eq 'x'` or `field in 'x','y'`, doubled quotes undone. `None`: another filter.
fn literals(filter: &str, field: &str) -> Option<Vec<String>> {
    let rest = filter.trim().strip_prefix(field)?.trim_start();
    let (rest, many) = match (rest.strip_prefix("eq "), rest.strip_prefix("in ")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return None,
    };
    let mut out = Vec::new();
    let mut chars = rest.trim().chars().peekable();
    loop {
        if chars.next()? != '\'' {
            return None;
        }
        let mut text = String::new();
        loop {
            match chars.next()? {
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    text.push('\'');
                }
                '\'' => break,
                c => text.push(c),
            }
        }
        out.push(text);
        while chars.peek() == Some(&' ') {
            chars.next();
        }
        match chars.next() {
            None => return Some(out),
            Some(',') if many => {
                while chars.peek() == Some(&' ') {
                    chars.next();
                }
            }
            Some(_) => return None,
        }
    }
}

fn unknown_property(call: &Call, entity: &str, known: &[&str]) -> Option<Reply> {
    let select = call.param("$select")?;
    let wrong = select
        .split(',')
        .map(|p| p.trim().split('/').next().unwrap_or_default())
        .find(|p| !p.is_empty() && !known.contains(p))?;
    let text = format!(
        "[COE0021]Invalid property names: {entity}/{wrong}. Please check the property name, it is case sensitive."
    );
    Some(error(400, "COE_PROPERTY_NOT_FOUND", &text))
}

fn bad_filter() -> Reply {
    error(
        400,
        "COE_GENERAL_BAD_REQUEST",
        "[COE0018]Unable to understand the filter",
    )
}

fn persons(world: &World, call: &Call) -> Reply {
    if call.param("$format") != Some("json") {
        return Reply::empty(501);
    }
    if let Some(refused) = unknown_property(call, "PerPerson", person::PROPERTIES) {
        return refused;
    }
    let mut all = people(world);
    if let Some(filter) = call.param("$filter") {
        let Some(ids) = literals(filter, "personIdExternal") else {
            return bad_filter();
        };
        all.retain(|s| ids.contains(&s.id));
    }
    // A manager is a user.
    let names: std::collections::BTreeMap<String, String> = staff::all(world)
        .iter()
        .map(|s| (s.id.clone(), person::user_id(s)))
        .collect();
    for s in &mut all {
        s.manager = s.manager.as_ref().and_then(|m| names.get(m)).cloned();
    }
    let expand: BTreeSet<String> = call
        .param("$expand")
        .unwrap_or_default()
        .split(',')
        .flat_map(|path| {
            // `a/b` expands a, too.
            let path = path.trim().to_owned();
            let parts: Vec<String> = path.match_indices('/').map(|(i, _)| path[..i].to_owned()).collect();
            parts.into_iter().chain([path])
        })
        .collect();
    let size = call
        .param("customPageSize")
        .and_then(|n| n.parse().ok())
        .unwrap_or(PAGE)
        .clamp(1, PAGE);
    let start = match call.param("$skiptoken") {
        None => 0,
        Some(token) => match skipped(token) {
            Some(start) => start,
            None => return error(400, "COE_GENERAL_BAD_REQUEST", "[COE0018]Invalid skiptoken"),
        },
    };
    if start > 0 && staff::differs(world, NAME, "page-2-fails") {
        return error(500, "COE_GENERAL_SERVER_ERROR", "The request has timed out.");
    }
    let place = |s: &staff::Staff| staff::hash(&s.id);
    let rows: Vec<Value> = all
        .iter()
        .skip(start)
        .take(size)
        .map(|s| person::shown(s, place(s), &expand, call))
        .collect();
    let mut d = json!({ "results": rows });
    if start + size < all.len() {
        let token = BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"startRow\":{},\"endRow\":9999}}", start + size));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (k, v) in call.query.iter().filter(|(k, _)| k != "$skiptoken") {
            query.append_pair(k, v);
        }
        query.append_pair("$skiptoken", &token);
        d["__next"] = format!("{}{}?{}", call.origin, call.path, query.finish()).into();
    }
    Reply::json(200, &json!({ "d": d }))
}

fn skipped(token: &str) -> Option<usize> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let inner: Value = serde_json::from_slice(&bytes).ok()?;
    usize::try_from(inner["startRow"].as_u64()?).ok()
}

/// The default shows the active alone.
fn users(world: &World, call: &Call) -> Reply {
    if let Some(refused) = unknown_property(call, "User", person::USER_PROPERTIES) {
        return refused;
    }
    let statuses: Vec<String> = match call.param("$filter") {
        None => vec!["t".into(), "T".into()],
        Some(filter) => match (literals(filter, "status"), literals(filter, "username")) {
            (Some(statuses), _) => statuses,
            (None, Some(_)) => vec!["t".into(), "T".into()],
            (None, None) => return bad_filter(),
        },
    };
    let names = call.param("$filter").and_then(|f| literals(f, "username"));
    let rows: Vec<Value> = people(world)
        .iter()
        .filter(|s| {
            names
                .as_ref()
                .is_none_or(|n| s.login.as_ref().is_some_and(|l| n.contains(l)))
        })
        .filter_map(|s| person::user(s, call))
        .filter(|u| statuses.iter().any(|status| u["status"] == status.as_str()))
        .collect();
    Reply::json(200, &json!({"d": {"results": rows}}))
}
