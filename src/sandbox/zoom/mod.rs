//! The twin of Zoom: server-to-server OAuth and `/v2/users`, one port for both.
//!
//! Written from Zoom's reference and its published tables. It holds no meeting and no recording: what a delete destroys is only counted. An
//! access token lives in memory, an hour at most, and not beyond a restart.

mod oauth;
mod people;
mod shape;
mod users;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    merge, quiet,
    twin::{Call, Reply, Twin, blank},
    world::{ProvisionKind, World},
};

const NAME: &str = "zoom";
const ACCOUNT: &str = "ACMEq6gBJVO5TzexKYTb_I";
/// One DELETE of a person at a time: while it is on, another one is said to be under way.
const DELETE_LOCKED: &str = "delete-locked";
/// A refusal of a change comes as HTTP 200 with a code.
const REFUSES_WITH_200: &str = "refuses-with-200";
/// The day's calls are used up.
const DAILY_LIMIT: &str = "daily-limit";
/// A new token kills the one before, as it did in 2023.
const ONE_TOKEN: &str = "one-token";

pub const TWIN: Twin = Twin {
    name: NAME,
    manners: &[DELETE_LOCKED, REFUSES_WITH_200, DAILY_LIMIT, ONE_TOKEN],
    answer,
    load,
    state,
    entry,
    restore,
    patch,
    endpoints,
    operation,
    asks: |method, path, _| method == "POST" && path == "/oauth/token",
    here: |w| w.zoom.is_some(),
    given: Some(&shape::ACCOUNT),
    secret: |_, random| random.chars().take(32).collect(),
    record: |w, right| {
        let secret = w.secret(&format!("{NAME}.{right}"))?;
        Some(json!({"account_id": ACCOUNT, "client_id": oauth::client_id(right), "client_secret": secret}).to_string())
    },
    section: |_| json!({ "account": ACCOUNT }),
    // Okta's app knows people by the assignment's user name.
    provision: |w, push| people::provision(w, &push.user_name, push.kind == ProvisionKind::Create),
    refusal: |seen, status| refusal(status, seen.now),
    ..blank(NAME)
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Active,
    Inactive,
    /// Invited; never came.
    Pending,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Inactive => "inactive",
            Status::Pending => "pending",
        }
    }
}

/// "2": a licence.
const LICENSED: i64 = 2;
const BASIC: i64 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub id: String,
    pub email: String,
    #[serde(rename = "type", default = "licensed")]
    pub kind: i64,
    #[serde(default)]
    pub status: Status,
    /// "0" owner, "1" admin, "2" member, else a role of the firm's own.
    #[serde(default = "member")]
    pub role_id: String,
    /// 101 is SSO, 100 a password of Zoom's own.
    #[serde(default = "sso")]
    pub login_types: Vec<u32>,
    /// Is somebody signed in by SSO?
    #[serde(default = "yes")]
    pub sso_session: bool,
}

fn licensed() -> i64 {
    LICENSED
}
fn member() -> String {
    "2".into()
}
fn sso() -> Vec<u32> {
    vec![101]
}
fn yes() -> bool {
    true
}

impl User {
    fn new(id: String, email: String) -> User {
        User {
            id,
            email,
            kind: LICENSED,
            status: Status::Active,
            role_id: member(),
            login_types: sso(),
            sso_session: true,
        }
    }
    /// Owner or admin: their status is nobody's to change by API.
    fn rules(&self) -> bool {
        ["0", "1"].contains(&self.role_id.as_str())
    }
}

#[derive(Default)]
pub struct Zoom {
    pub users: BTreeMap<String, User>,
    /// How many licences the account has bought; `None`: enough.
    pub licences: Option<usize>,
    /// Access tokens: which credential they came from, and until when.
    tokens: BTreeMap<String, (String, DateTime<Utc>)>,
    minted: u64,
    /// Accounts that were deleted, and whether their data went to somebody.
    pub deleted: BTreeMap<String, Deleted>,
    changed: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deleted {
    pub email: String,
    pub action: String,
    /// To whom meetings, webinars, recordings went; what isn't here is destroyed (or, on disassociation, went with the person).
    #[serde(default)]
    pub transferred: BTreeMap<String, String>,
}

impl Zoom {
    fn touch(&mut self, list: &'static str, id: &str) {
        self.changed.push((list, id.to_owned()));
    }
    /// By id, or by address whatever its capital letters.
    fn find(&self, named: &str) -> Option<&User> {
        self.users
            .get(named)
            .or_else(|| self.users.values().find(|u| u.email.eq_ignore_ascii_case(named)))
    }
    /// Licences that nobody holds.
    fn free(&self) -> bool {
        let held = self.users.values().filter(|u| u.kind == LICENSED).count();
        self.licences.is_none_or(|all| held < all)
    }
}

/// Zoom's error body.
fn error(status: u16, code: i64, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "message": message}))
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut zoom) = world.zoom.take() else {
        return Reply::empty(501);
    };
    let reply = match call.parts()[..] {
        ["oauth", "token"] => oauth::token(&mut zoom, world, call),
        ["v2", "users", ref rest @ ..] => users::answer(&mut zoom, world, rest, call),
        _ => Reply::empty(501),
    };
    for (list, id) in std::mem::take(&mut zoom.changed) {
        world.touch(NAME, list, &id);
    }
    world.zoom = Some(zoom);
    let mark = Sha256::digest(format!("{} {} {}", call.now, call.method, call.path));
    reply.with(
        "x-zm-trackingid",
        format!("v=2.0;clid=us02;rid=WEB_{}", &hex(&mark)[..32]),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A refusal in Zoom's own words, for faults by name.
fn refusal(status: u16, now: DateTime<Utc>) -> Reply {
    match status {
        401 => error(401, 124, "Invalid access token."),
        // a missing scope is no 403 at Zoom
        403 => error(
            400,
            4711,
            "Invalid access token, does not contain scopes:[user:read:user:admin].",
        ),
        404 => error(404, 1001, "User does not exist: (sandbox fault)."),
        429 => error(
            429,
            429,
            "You have reached the maximum per-second rate limit for this API. Try again later.",
        )
        .with("x-ratelimit-category", "Light")
        .with("x-ratelimit-type", "QPS")
        .with("x-ratelimit-limit", "80")
        .with("x-ratelimit-remaining", "0")
        .with("retry-after", instant(now + chrono::Duration::seconds(2))),
        _ => error(status, status.into(), "Internal Server Error"),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    licences: Option<usize>,
    #[serde(default)]
    users: Vec<GivenUser>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenUser {
    Generated(Generated),
    Listed(User),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    generated: usize,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    if given.is_null() {
        world.zoom = None;
        return Ok(());
    }
    let given: Given = serde_json::from_value(given.clone()).map_err(|e| e.to_string())?;
    let mut zoom = Zoom {
        licences: given.licences,
        ..Zoom::default()
    };
    let there = quiet::count(&world.given);
    let quiet = |n: usize| (1..=n.min(there)).map(people::quiet).map(|u| (u.id.clone(), u));
    if !given.users.iter().any(|u| matches!(u, GivenUser::Generated(_))) {
        zoom.users.extend(quiet(20));
    }
    for user in given.users {
        match user {
            GivenUser::Generated(g) => zoom.users.extend(quiet(g.generated)),
            GivenUser::Listed(u) => drop(zoom.users.insert(u.id.clone(), u)),
        }
    }
    people::furnish(&mut zoom);
    world.zoom = Some(zoom);
    Ok(())
}

fn state(world: &World) -> Value {
    let Some(z) = &world.zoom else { return Value::Null };
    json!({"licences": z.licences, "users": z.users, "deleted": z.deleted})
}

fn entry(world: &World, list: &str, id: &str) -> Option<Value> {
    let z = world.zoom.as_ref()?;
    match list {
        "users" => z.users.get(id).map(|x| json!(x)),
        "deleted" => z.deleted.get(id).map(|x| json!(x)),
        "account" => Some(json!({"licences": z.licences})),
        _ => None,
    }
}

fn restore(world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
    let z = world.zoom.as_mut().ok_or("zoom: not in this world")?;
    match (list, entry) {
        ("users", _) => merge::restore(&mut z.users, id, entry),
        ("deleted", _) => merge::restore(&mut z.deleted, id, entry),
        ("account", Some(a)) => {
            z.licences = serde_json::from_value(a["licences"].clone()).map_err(|e| format!("zoom.licences: {e}"))?;
            Ok(())
        }
        _ => Err(format!("zoom: no list {list}")),
    }
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let z = world.zoom.as_mut().ok_or("zoom: not in this world")?;
    let mut changed = vec![("account", "account".to_owned())];
    for (key, part) in patch.as_object().ok_or("zoom: an object is wanted")? {
        match key.as_str() {
            "licences" => {
                z.licences = serde_json::from_value(part.clone()).map_err(|e| format!("zoom.licences: {e}"))?;
            }
            "users" => {
                let made = |id: &str| json!({"id": id, "email": format!("{}@acme.example", id.to_lowercase())});
                let ids = merge::entries(&mut z.users, part, made)?;
                changed.extend(ids.into_iter().map(|id| ("users", id)));
            }
            _ => return Err(format!("zoom: unknown key {key}")),
        }
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

fn endpoints(world: &World, origin: &str) -> Value {
    json!({"account_id": ACCOUNT, "client_id": oauth::client_id("all"), "client_secret": world.secret("zoom.all"),
        "oauth_url": format!("{origin}/oauth/token")})
}

fn operation(_: &World, call: &Call) -> Option<String> {
    let parts = call.parts();
    Some(match (call.method.as_str(), &parts[..]) {
        ("GET", ["v2", "users"]) => "list-accounts".into(),
        ("GET", ["v2", "users", "email"]) => "find-account".into(),
        ("GET", ["v2", "users", _]) => "read-account".into(),
        ("PATCH", ["v2", "users", _]) => "release-seat".into(),
        ("DELETE", ["v2", "users", _]) => "cancel-invitation".into(),
        ("DELETE", ["v2", "users", _, "token"]) => "clear-sessions".into(),
        ("PUT", ["v2", "users", _, "status"]) => match call.json()?["action"].as_str()? {
            "activate" => "activate".into(),
            _ => "deactivate".into(),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
