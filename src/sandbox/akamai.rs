//! The twin of Akamai's Network Lists v2, behind EdgeGrid: each request's signature is worked out again, within 30 s.
//!
//! An edited list is not in force until it is activated, which takes a minute of the world's time. It removes no address and knows no
//! staging network.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    merge,
    shape::Shape,
    twin::{Call, Reply, Twin, blank},
    world::World,
};

const NAME: &str = "akamai";
const LIST: &str = "25614_GENERALLIST";
const SHARED: &str = "25615_SHAREDLIST";
/// So long an activation is pending.
const ACTIVATION: Duration = Duration::minutes(1);
const SKEW: i64 = 30;
/// Where everybody asks from.
const CLIENT: &str = "203.0.113.7";

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    load,
    state: |w| w.akamai.as_ref().map_or(Value::Null, |a| json!({"lists": a.lists})),
    entry: |w, list, id| {
        let a = w.akamai.as_ref()?;
        (list == "lists").then(|| a.lists.get(id).map(|l| json!(l))).flatten()
    },
    restore: |w, list, id, entry| {
        let a = w.akamai.as_mut().ok_or("akamai: not in this world")?;
        match list {
            "lists" => merge::restore(&mut a.lists, id, entry),
            _ => Err(format!("akamai: no list {list}")),
        }
    },
    patch,
    endpoints: |w, _| record(w, "all").unwrap_or_default(),
    operation: |_, call| (call.method == "GET").then(|| "read-list".into()),
    here: |w| w.akamai.is_some(),
    given: Some(&Shape::Table(&[])),
    secret: |_, random| random.chars().take(44).collect(),
    record: |w, right| record(w, right).filter(|_| right == "read").map(|r| r.to_string()),
    section: |_| json!({"write": null, "list": LIST}),
    refusal: |_, status| refusal(status),
    ..blank(NAME)
};

fn record(w: &World, right: &str) -> Option<Value> {
    let secret = w.secret(&format!("{NAME}.{right}"))?;
    Some(
        json!({"client_token": client_token(right), "client_secret": secret, "access_token": format!("akab-access-{right}")}),
    )
}

fn client_token(right: &str) -> String {
    format!("akab-client-{right}")
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub id: String,
    pub name: String,
    pub elements: Vec<String>,
    /// Grows with each edit.
    pub point: u64,
    /// What is in force: that version, and its elements.
    pub active: u64,
    pub enforced: Vec<String>,
    #[serde(default)]
    pub read_only: bool,
    /// An activation that runs.
    #[serde(default)]
    pub pending: Option<DateTime<Utc>>,
}

impl List {
    fn status(&self) -> &'static str {
        match (self.pending, self.active, self.point) {
            (Some(_), ..) => "PENDING_ACTIVATION",
            (None, 0, _) => "INACTIVE",
            (None, active, point) if active == point => "ACTIVE",
            _ => "MODIFIED",
        }
    }
}

#[derive(Default)]
pub struct Akamai {
    pub lists: BTreeMap<String, List>,
    nonces: BTreeSet<String>,
}

/// A world says nothing of it; the firm may say what is on the list.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    elements: Option<Vec<String>>,
    /// Appended since the last activation.
    edited: Vec<String>,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    world.akamai = None;
    if given.is_null() {
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| e.to_string())?;
    let enforced = given.elements.unwrap_or_else(|| {
        // Host bits may be set.
        ["203.0.113.5/29", "2001:db8::/32", "198.51.100.7"]
            .map(str::to_owned)
            .to_vec()
    });
    let mut elements = enforced.clone();
    elements.extend(given.edited.iter().cloned());
    let list = |id: &str, name: &str, read_only: bool| List {
        id: id.into(),
        name: name.into(),
        elements: elements.clone(),
        point: if given.edited.is_empty() { 22 } else { 23 },
        active: 22,
        enforced: enforced.clone(),
        read_only,
        pending: None,
    };
    let lists = [list(LIST, "Okta API allow list", false), list(SHARED, "Partners", true)];
    world.akamai = Some(Akamai {
        lists: lists.into_iter().map(|l| (l.id.clone(), l)).collect(),
        nonces: BTreeSet::new(),
    });
    Ok(())
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let a = world.akamai.as_mut().ok_or("akamai: not in this world")?;
    let part = patch.get("lists").ok_or("akamai: lists is wanted")?;
    let made = |id: &str| json!({"id": id, "name": id, "elements": [], "point": 0, "active": 0, "enforced": []});
    for id in merge::entries(&mut a.lists, part, made)? {
        world.touch(NAME, "lists", &id);
    }
    Ok(())
}

fn problem(status: u16, kind: &str, title: &str, detail: &str, call: &Call) -> Reply {
    let body = json!({"type": format!("https://problems.luna.akamaiapis.net/-/{kind}"), "title": title, "status": status, "detail": detail,
        "instance": call.path, "method": call.method, "serverIp": "23.41.0.1", "clientIp": CLIENT, "requestId": "4ec255bc",
        "requestTime": call.now.format("%Y-%m-%dT%H:%M:%SZ").to_string()});
    let mut reply = Reply::json(status, &body);
    reply.headers = vec![("content-type".into(), "application/problem+json".into())];
    reply
}

/// A refusal in Akamai's own form, for faults by name.
fn refusal(status: u16) -> Reply {
    let title = match status {
        401 => "Not authorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too many requests",
        _ => "Internal Server Error",
    };
    let body = json!({"type": "https://problems.luna.akamaiapis.net/-/fault", "title": title, "status": status, "detail": "(sandbox fault)",
        "instance": "/", "clientIp": CLIENT, "requestId": "4ec255bc"});
    let reply = Reply::json(status, &body);
    if status == 429 {
        reply.with("retry-after", "2")
    } else {
        reply
    }
}

fn mac(key: &[u8], text: &str) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()))
}

/// Whose credential signed it, or the refusal.
fn signed(akamai: &mut Akamai, world: &World, call: &Call) -> Result<String, Reply> {
    let deny = |detail: &str| problem(401, "pep-authn/deny", "Not authorized", detail, call);
    let bad = |detail: &str| problem(400, "pep-authn/request-error", "Bad request", detail, call);
    let header = call.header("authorization").unwrap_or_default();
    let Some((auth, signature)) = header.split_once("signature=") else {
        return Err(bad("Invalid authorization header"));
    };
    let fields = auth
        .strip_prefix("EG1-HMAC-SHA256 ")
        .ok_or_else(|| bad("Invalid authorization header"))?;
    let of: BTreeMap<&str, &str> = fields.split(';').filter_map(|f| f.split_once('=')).collect();
    let get = |name: &str| of.get(name).copied().unwrap_or_default();
    let at = NaiveDateTime::parse_from_str(get("timestamp"), "%Y%m%dT%H:%M:%S+0000")
        .map_err(|_| bad("Invalid timestamp"))?;
    if (call.now - at.and_utc()).num_seconds().abs() > SKEW {
        return Err(bad("Invalid timestamp"));
    }
    let credential = world.credentials.iter().find(|c| {
        let right = c.name.rsplit('.').next().unwrap_or_default();
        c.system == NAME
            && client_token(right) == get("client_token")
            && format!("akab-access-{right}") == get("access_token")
    });
    let Some(credential) = credential else {
        return Err(deny("Invalid client token"));
    };
    let hash = match call.method == "POST" && !call.body.is_empty() {
        true => STANDARD.encode(digest::digest(
            &digest::SHA256,
            &call.body[..call.body.len().min(131_072)],
        )),
        false => String::new(),
    };
    let host = call
        .header("host")
        .map(str::to_owned)
        .unwrap_or_else(|| call.origin.replacen("http://", "", 1));
    let query = call.query.is_empty();
    let encode = |t: &str| percent_encoding::utf8_percent_encode(t, percent_encoding::NON_ALPHANUMERIC).to_string();
    // As received would be better; the engine hands on what was decoded, and our marks are those that nobody encodes.
    let plain = |t: &str| {
        if t.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:".contains(c)) {
            t.to_owned()
        } else {
            encode(t)
        }
    };
    let pairs: Vec<String> = call
        .query
        .iter()
        .map(|(k, v)| format!("{}={}", plain(k), plain(v)))
        .collect();
    let target = if query {
        call.path.clone()
    } else {
        format!("{}?{}", call.path, pairs.join("&"))
    };
    let key = mac(credential.secret.as_bytes(), get("timestamp"));
    let fits = ["http", "https"].iter().any(|scheme| {
        let data = format!("{}\t{scheme}\t{host}\t{target}\t\t{hash}\t{auth}", call.method);
        mac(key.as_bytes(), &data) == signature
    });
    if !fits {
        return Err(deny("The signature does not match"));
    }
    if !akamai.nonces.insert(get("nonce").to_owned()) {
        return Err(bad("Duplicate nonce"));
    }
    Ok(credential.name.clone())
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut akamai) = world.akamai.take() else {
        return Reply::empty(501);
    };
    let mut changed = None;
    let reply = match signed(&mut akamai, world, call) {
        Err(refused) => refused,
        Ok(credential) => {
            let writes = world.credentials.iter().any(|c| c.name == credential && c.write);
            for list in akamai
                .lists
                .values_mut()
                .filter(|l| l.pending.is_some_and(|at| at <= call.now))
            {
                (list.pending, list.active) = (None, list.point);
                list.enforced = list.elements.clone();
                changed = Some(list.id.clone());
            }
            route(&mut akamai, call, writes, &mut changed)
        }
    };
    world.akamai = Some(akamai);
    if let Some(id) = changed {
        world.touch(NAME, "lists", &id);
    }
    reply
}

fn shown(list: &List, elements: bool) -> Value {
    let mut out = json!({"networkListType": "extendedNetworkListResponse", "name": list.name, "uniqueId": list.id, "type": "IP",
        "syncPoint": list.point, "elementCount": list.elements.len(), "readOnly": list.read_only, "shared": list.read_only,
        "productionActivationStatus": list.status(), "stagingActivationStatus": "INACTIVE"});
    if elements {
        out["list"] = json!(list.elements);
    }
    out
}

fn activation(list: &List) -> Reply {
    Reply::json(
        200,
        &json!({"activationId": 12345, "activationComments": "", "activationStatus": list.status(), "syncPoint": list.active,
            "uniqueId": list.id, "fast": false, "dispatchCount": 1}),
    )
}

fn route(akamai: &mut Akamai, call: &Call, writes: bool, changed: &mut Option<String>) -> Reply {
    let parts = call.parts();
    let ["network-list", "v2", "network-lists", ref rest @ ..] = parts[..] else {
        return Reply::empty(501);
    };
    let whole = call.param("includeElements") == Some("true");
    let forbidden = |detail: &str| problem(403, "pep-authz/deny", "Forbidden", detail, call);
    if let ("GET", []) = (call.method.as_str(), rest) {
        let search = call.param("search").unwrap_or_default();
        let fits = |l: &&List| l.name.contains(search) || l.elements.iter().any(|e| e.contains(search));
        let all: Vec<Value> = akamai.lists.values().filter(fits).map(|l| shown(l, whole)).collect();
        return Reply::json(200, &json!({ "networkLists": all }));
    }
    let Some(list) = rest.first().and_then(|id| akamai.lists.get_mut(*id)) else {
        return problem(
            404,
            "error-types/NOT-FOUND",
            "Not Found",
            "The network list does not exist",
            call,
        );
    };
    match (call.method.as_str(), &rest[1..]) {
        ("GET", []) => Reply::json(200, &shown(list, whole)),
        ("GET", ["environments", "PRODUCTION", "status"]) => activation(list),
        ("GET", ["sync-points", point, "history"]) => {
            let elements = match point.parse::<u64>() {
                Ok(n) if n == list.point => &list.elements,
                Ok(n) if n == list.active => &list.enforced,
                _ => return problem(404, "error-types/NOT-FOUND", "Not Found", "No such sync point", call),
            };
            Reply::json(200, &json!({"name": list.name, "uniqueId": list.id, "list": elements}))
        }
        _ if !writes || list.read_only => forbidden("The list is read-only to this client"),
        ("POST", ["append"]) => {
            let new = call.json().unwrap_or_default();
            for element in new["list"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !list.elements.iter().any(|e| e == element) {
                    list.elements.push(element.to_owned());
                }
            }
            list.point += 1;
            *changed = Some(list.id.clone());
            Reply::json(202, &shown(list, true))
        }
        ("POST", ["environments", "PRODUCTION", "activate"]) if list.pending.is_some() => problem(
            409,
            "error-types/CONFLICT",
            "Conflict",
            "An activation is pending",
            call,
        ),
        ("POST", ["environments", "PRODUCTION", "activate"]) => {
            list.pending = Some(call.now + ACTIVATION);
            *changed = Some(list.id.clone());
            activation(list)
        }
        _ => Reply::empty(501),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Credential;

    fn world() -> World {
        let mut w = World {
            now: "2026-07-15T05:05:00Z".parse().unwrap(),
            ..World::default()
        };
        for (name, write) in [("read", false), ("write", true)] {
            w.credentials.push(Credential {
                system: NAME,
                name: format!("akamai.{name}"),
                secret: format!("secret-of-{name}"),
                write,
            });
        }
        load(&mut w, &json!({})).unwrap();
        w
    }

    fn ask(w: &mut World, right: &str, method: &str, rest: &str, body: &str, nonce: &str, late: i64) -> (u16, Value) {
        let path = format!("/network-list/v2/network-lists{rest}");
        let at = (w.now - Duration::seconds(late))
            .format("%Y%m%dT%H:%M:%S+0000")
            .to_string();
        let auth = format!(
            "EG1-HMAC-SHA256 client_token=akab-client-{right};access_token=akab-access-{right};timestamp={at};nonce={nonce};"
        );
        let hash = match body {
            "" => String::new(),
            body => STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes())),
        };
        let data = format!("{method}\thttp\t127.0.0.1:1\t{path}\t\t{hash}\t{auth}");
        let key = mac(format!("secret-of-{right}").as_bytes(), &at);
        let call = Call {
            method: method.into(),
            segments: path.split('/').skip(1).map(str::to_owned).collect(),
            path,
            query: Vec::new(),
            headers: vec![(
                "authorization".into(),
                format!("{auth}signature={}", mac(key.as_bytes(), &data)),
            )],
            body: body.as_bytes().to_vec(),
            now: w.now,
            origin: "http://127.0.0.1:1".into(),
        };
        let reply = answer(w, &call);
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    #[test]
    fn a_signature_counts_once_and_for_half_a_minute() {
        let mut w = world();
        assert_eq!(ask(&mut w, "read", "GET", "", "", "n1", 0).0, 200);
        assert_eq!(
            ask(&mut w, "read", "GET", "", "", "n1", 0).1["detail"],
            "Duplicate nonce"
        );
        let late = ask(&mut w, "read", "GET", "", "", "n2", 31);
        assert_eq!((late.0, &late.1["clientIp"]), (400, &json!(CLIENT)));
        w.credentials[0].secret = "another".into();
        assert_eq!(ask(&mut w, "read", "GET", "", "", "n3", 0).0, 401);
    }

    #[test]
    fn an_edit_is_in_force_once_it_is_activated() {
        let mut w = world();
        let append = r#"{"list":["192.0.2.1"]}"#;
        let at = format!("/{LIST}");
        assert_eq!(
            ask(&mut w, "read", "POST", &format!("{at}/append"), append, "a", 0).0,
            403
        );
        assert_eq!(
            ask(&mut w, "write", "POST", &format!("{at}/append"), append, "b", 0).0,
            202
        );
        let status = format!("{at}/environments/PRODUCTION/status");
        let modified = ask(&mut w, "read", "GET", &status, "", "c", 0).1;
        assert_eq!(
            (&modified["activationStatus"], &modified["syncPoint"]),
            (&json!("MODIFIED"), &json!(22))
        );
        let old = ask(
            &mut w,
            "read",
            "GET",
            &format!("{at}/sync-points/22/history"),
            "",
            "d",
            0,
        )
        .1;
        assert!(!old["list"].to_string().contains("192.0.2.1"));
        let activate = format!("{at}/environments/PRODUCTION/activate");
        assert_eq!(
            ask(&mut w, "write", "POST", &activate, "{}", "e", 0).1["activationStatus"],
            "PENDING_ACTIVATION"
        );
        assert_eq!(ask(&mut w, "write", "POST", &activate, "{}", "f", 0).0, 409);
        w.now += Duration::minutes(2);
        assert_eq!(
            ask(&mut w, "read", "GET", &status, "", "g", 0).1["activationStatus"],
            "ACTIVE"
        );
        assert_eq!(
            ask(&mut w, "write", "POST", &format!("/{SHARED}/append"), append, "h", 0).0,
            403
        );
        let state = (TWIN.state)(&w);
        patch(&mut w, &state).unwrap();
        assert_eq!((TWIN.state)(&w), state);
    }
}
