//! Users, and what lets them in beside the password: tokens of other programs, app passwords, backup codes.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Google, NAME, forbidden,
    groups::{listed, page},
    not_found, refuse,
    route::Caller,
};
use crate::sandbox::{
    twin::{Call, Reply},
    world::{Provision, ProvisionKind, World},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    pub client_id: String,
    #[serde(default)]
    pub display_text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asp {
    pub code_id: i64,
    #[serde(default)]
    pub name: String,
}

/// How many files lie in their Drive, by whether anybody else sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    pub private: u64,
    pub shared: u64,
}

impl Files {
    fn none(&self) -> bool {
        *self == Files::default()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    pub id: String,
    pub primary_email: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub suspended: bool,
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub licences: Vec<String>,
    #[serde(default)]
    pub tokens: Vec<Token>,
    #[serde(default)]
    pub asps: Vec<Asp>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub backup_codes: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_delegated_admin: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// Who suspended them, where it wasn't an administrator: `ABUSE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_out_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_unit_path: Option<String>,
    #[serde(default, skip_serializing_if = "Files::none")]
    pub files: Files,
    /// Nothing more goes into their Drive: what is being moved there gets stuck.
    #[serde(default, skip_serializing_if = "is_false")]
    pub storage_full: bool,
}

fn is_false(b: &bool) -> bool {
    !b
}
fn is_zero(n: &u32) -> bool {
    *n == 0
}

pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl User {
    pub(super) fn new(id: String, primary_email: String) -> User {
        User {
            id,
            primary_email,
            aliases: Vec::new(),
            suspended: false,
            is_admin: false,
            licences: Vec::new(),
            tokens: Vec::new(),
            asps: Vec::new(),
            backup_codes: 0,
            is_delegated_admin: false,
            archived: false,
            suspension_reason: None,
            suspended_at: None,
            signed_out_at: None,
            deleted: None,
            name: None,
            org_unit_path: None,
            files: Files::default(),
            storage_full: false,
        }
    }

    fn names(&self) -> (String, String) {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let local = self.primary_email.split('@').next().unwrap_or_default();
        let capital = |w: &str| {
            let mut letters = w.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        };
        match local.split_once('.') {
            Some((first, last)) => (capital(first), capital(last)),
            None => (capital(local), capital(local)),
        }
    }

    fn shown(&self, customer: &str) -> Value {
        let (given, family) = self.names();
        let mut out = json!({"kind": "admin#directory#user", "id": self.id, "etag": "\"u\"", "primaryEmail": self.primary_email,
            "name": {"givenName": given, "familyName": family, "fullName": format!("{given} {family}")},
            "isAdmin": self.is_admin, "isDelegatedAdmin": self.is_delegated_admin, "suspended": self.suspended,
            "archived": self.archived, "agreedToTerms": true, "changePasswordAtNextLogin": false, "customerId": customer,
            "creationTime": "2020-01-06T08:00:00.000Z", "lastLoginTime": "2026-07-01T08:01:02.000Z",
            "orgUnitPath": self.org_unit_path.as_deref().unwrap_or("/"), "isMailboxSetup": true, "isEnrolledIn2Sv": true,
            "isEnforcedIn2Sv": false, "includeInGlobalAddressList": true,
            "emails": [{"address": self.primary_email, "primary": true}]});
        if !self.aliases.is_empty() {
            out["aliases"] = json!(self.aliases);
        }
        if self.suspended {
            out["suspensionReason"] = json!(self.suspension_reason.as_deref().unwrap_or("ADMIN"));
            out["suspensionTime"] = json!(
                self.suspended_at
                    .map(instant)
                    .unwrap_or("2026-01-02T00:00:00.000Z".into())
            );
        }
        if let Some(at) = self.deleted {
            out["deletionTime"] = instant(at).into();
        }
        out
    }

    pub(super) fn suspend(&mut self, now: DateTime<Utc>) {
        if !self.suspended {
            self.suspended = true;
            self.suspension_reason = None;
            self.suspended_at = Some(now);
        }
    }
    fn wake(&mut self) {
        self.suspended = false;
        self.suspension_reason = None;
        self.suspended_at = None;
    }
}

pub(super) fn answer(google: &mut Google, caller: &Caller, call: &Call, rest: &[&str]) -> Result<Reply, Reply> {
    let method = call.method.as_str();
    let [key, below @ ..] = rest else {
        return match method {
            "GET" => list(google, call),
            _ => insert(google, call),
        };
    };
    if (method, below) == ("POST", &["undelete"][..]) {
        return undelete(google, key);
    }
    let user = google.find(key).cloned().ok_or_else(|| not_found("userKey"))?;
    if method != "GET" && (user.is_admin || user.is_delegated_admin) && !caller.super_admin {
        return Err(forbidden());
    }
    let there = user.clone();
    let mut u = user;
    let reply = match (method, below) {
        ("GET", []) => return Ok(Reply::json(200, &u.shown(&google.customer))),
        ("PUT" | "PATCH", []) => {
            update(google, &mut u, call)?;
            Reply::json(200, &u.shown(&google.customer))
        }
        ("DELETE", []) => {
            u.deleted = Some(call.now);
            for group in google.groups.values_mut() {
                group.members.retain(|m| *m != u.id);
            }
            Reply::empty(204)
        }
        ("POST", ["signOut"]) => {
            u.signed_out_at = Some(call.now);
            Reply::empty(204)
        }
        ("POST", ["makeAdmin"]) => {
            u.is_admin = call.json().is_some_and(|b| b["status"] == true);
            Reply::empty(204)
        }
        ("POST", ["twoStepVerification", "turnOff"]) => Reply::empty(204),
        (_, [part, below @ ..]) => return credentials(google, u, method, part, below),
        _ => return Ok(Reply::empty(501)),
    };
    store(google, &there, u);
    Ok(reply)
}

fn store(google: &mut Google, before: &User, after: User) {
    if json!(before) != json!(after) {
        google.touch("users", &after.id);
        google.users.insert(after.id.clone(), after);
    }
}

fn credentials(google: &mut Google, mut u: User, method: &str, part: &str, below: &[&str]) -> Result<Reply, Reply> {
    let before = u.clone();
    let kind = |name: &str| format!("admin#directory#{name}");
    let token = |t: &Token| {
        json!({"kind": kind("token"), "etag": "\"t\"", "clientId": t.client_id, "displayText": t.display_text, "anonymous": false,
            "nativeApp": false, "userKey": before.id, "scopes": ["openid", "https://www.googleapis.com/auth/userinfo.email"]})
    };
    let reply = match (method, part, below) {
        ("GET", "tokens", []) => {
            let items = u.tokens.iter().map(token).collect();
            return Ok(listed(&kind("tokenList"), "items", items, None));
        }
        ("GET", "tokens", [client]) => {
            let found = u.tokens.iter().find(|t| t.client_id == *client);
            return found
                .map(|t| Reply::json(200, &token(t)))
                .ok_or_else(|| not_found("clientId"));
        }
        ("DELETE", "tokens", [client]) => {
            let all = u.tokens.len();
            u.tokens.retain(|t| t.client_id != *client);
            if u.tokens.len() == all {
                return Err(not_found("clientId"));
            }
            Reply::empty(204)
        }
        ("GET", "asps", []) => {
            let one = |a: &Asp| {
                json!({"kind": kind("asp"), "etag": "\"a\"", "codeId": a.code_id, "name": a.name, "userKey": before.id,
                    "creationTime": "1577865600", "lastTimeUsed": "0"})
            };
            return Ok(listed(
                &kind("aspList"),
                "items",
                u.asps.iter().map(one).collect(),
                None,
            ));
        }
        ("DELETE", "asps", [code]) => {
            let all = u.asps.len();
            u.asps.retain(|a| a.code_id.to_string() != *code);
            if u.asps.len() == all {
                return Err(not_found("codeId"));
            }
            Reply::empty(204)
        }
        ("GET", "verificationCodes", []) => {
            let one = |n: u32| {
                let code = format!("{:08}", 10_000_019 + u64::from(n) * 8_765_431);
                json!({"kind": kind("verificationCode"), "etag": "\"v\"", "userId": before.id, "verificationCode": code})
            };
            let items = (0..u.backup_codes).map(one).collect();
            return Ok(listed(&kind("verificationCodesList"), "items", items, None));
        }
        ("POST", "verificationCodes", ["invalidate"]) => {
            if u.suspended {
                return Err(refuse(400, "invalid", "Invalid Input"));
            }
            u.backup_codes = 0;
            Reply::empty(204)
        }
        ("POST", "verificationCodes", ["generate"]) => {
            u.backup_codes = 10;
            Reply::empty(204)
        }
        _ => return Ok(Reply::empty(501)),
    };
    store(google, &before, u);
    Ok(reply)
}

/// PUT has patch semantics: what is absent stays.
fn update(google: &Google, u: &mut User, call: &Call) -> Result<(), Reply> {
    let body = call
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| refuse(400, "badRequest", "Bad Request"))?;
    if body["archived"] == true && !u.archived {
        let text = "Insufficient Archived User licenses";
        return Err(refuse(412, "insufficientArchivedUserLicenses", text));
    }
    match body.get("suspended") {
        Some(Value::Bool(true)) => u.suspend(call.now),
        Some(Value::Bool(false)) => {
            if u.suspension_reason.as_deref().is_some_and(|r| r != "ADMIN") {
                return Err(refuse(403, "adminCannotUnsuspend", "Admin cannot unsuspend the user"));
            }
            u.wake();
        }
        Some(_) => return Err(refuse(400, "invalid", "Invalid Input: suspended")),
        None => {}
    }
    if let Some(name) = body["name"].as_object() {
        let (given, family) = u.names();
        let text = |key: &str, old: String| name.get(key).and_then(Value::as_str).map_or(old, str::to_owned);
        u.name = Some((text("givenName", given), text("familyName", family)));
    }
    if let Some(path) = body["orgUnitPath"].as_str() {
        u.org_unit_path = Some(path.into());
    }
    if let Some(email) = body["primaryEmail"].as_str().filter(|e| *e != u.primary_email) {
        if google.find(email).is_some_and(|other| other.id != u.id) {
            return Err(refuse(409, "duplicate", "Entity already exists."));
        }
        // The old address stays as an alias.
        let old = std::mem::replace(&mut u.primary_email, email.into());
        u.aliases.retain(|a| a != email);
        u.aliases.push(old);
    }
    Ok(())
}

fn insert(google: &mut Google, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or_default();
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let missing = |what: &str| refuse(400, "required", &format!("Missing required field: {what}"));
    let email = text(&body["primaryEmail"]).ok_or_else(|| missing("primaryEmail"))?;
    let given = text(&body["name"]["givenName"]).ok_or_else(|| missing("name.givenName"))?;
    let family = text(&body["name"]["familyName"]).ok_or_else(|| missing("name.familyName"))?;
    if text(&body["password"]).is_none_or(|p| p.chars().count() < 8) {
        return Err(refuse(400, "invalid", "Invalid Password"));
    }
    if google.find(&email).is_some() {
        return Err(refuse(409, "duplicate", "Entity already exists."));
    }
    if !email.to_lowercase().ends_with("@acme.example") {
        return Err(refuse(404, "notFound", "Domain not found."));
    }
    let mut u = User::new(google.fresh("13"), email);
    u.name = Some((given, family));
    u.suspended = body["suspended"] == true;
    let shown = u.shown(&google.customer);
    google.touch("users", &u.id);
    google.users.insert(u.id.clone(), u);
    Ok(Reply::json(200, &shown))
}

/// By id alone: the address may be somebody else's by now.
fn undelete(google: &mut Google, id: &str) -> Result<Reply, Reply> {
    let gone = google.users.get(id).filter(|u| u.deleted.is_some());
    let email = gone.ok_or_else(|| not_found("userKey"))?.primary_email.clone();
    if google.find(&email).is_some() {
        return Err(refuse(412, "conditionNotMet", "User creation is not complete."));
    }
    if let Some(u) = google.users.get_mut(id) {
        u.deleted = None;
    }
    google.touch("users", id);
    Ok(Reply::empty(204))
}

fn list(google: &Google, call: &Call) -> Result<Reply, Reply> {
    match (call.param("customer"), call.param("domain")) {
        (Some(c), _) if c == "my_customer" || c == google.customer => {}
        (None, Some("acme.example")) => {}
        (None, Some(_)) => return Err(refuse(404, "domainNotFound", "Domain not found.")),
        _ => return Err(refuse(400, "badRequest", "Bad Request")),
    }
    let deleted = call.param("showDeleted") == Some("true");
    let clauses: Vec<Clause> = call
        .param("query")
        .unwrap_or_default()
        .split_whitespace()
        .map(|c| Clause::parse(c).ok_or_else(|| refuse(400, "invalid", "Invalid Input: query")))
        .collect::<Result<_, _>>()?;
    let fits = |u: &User| u.deleted.is_some() == deleted && clauses.iter().all(|c| c.fits(u));
    let mut all: Vec<(String, &User)> = google
        .users
        .values()
        .filter(|u| fits(u))
        .map(|u| match call.param("orderBy") {
            Some("email") => (u.primary_email.to_lowercase(), u),
            _ => (u.id.clone(), u),
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let (page, next) = page(call, "users", (100, 500), all.iter().map(|(k, u)| (k, *u)))?;
    let shown = page.into_iter().map(|u| u.shown(&google.customer)).collect();
    Ok(listed("admin#directory#users", "users", shown, next))
}

/// `email=…`, `email:start*`, `isSuspended=true`: what this twin knows of Google's search.
struct Clause {
    field: String,
    prefix: bool,
    value: String,
}

impl Clause {
    fn parse(text: &str) -> Option<Clause> {
        let (field, value) = text.split_once(['=', ':'])?;
        let known = ["email", "isSuspended", "isAdmin", "isDelegatedAdmin", "isArchived"];
        let value = value.trim_matches(['\'', '"']);
        let flag = field != "email";
        if !known.contains(&field) || (flag && !["true", "false"].contains(&value)) {
            return None;
        }
        Some(Clause {
            field: field.into(),
            prefix: value.ends_with('*'),
            value: value.trim_end_matches('*').to_lowercase(),
        })
    }
    fn fits(&self, u: &User) -> bool {
        let flag = |b: bool| b.to_string() == self.value;
        match self.field.as_str() {
            "isSuspended" => flag(u.suspended),
            "isAdmin" => flag(u.is_admin),
            "isDelegatedAdmin" => flag(u.is_delegated_admin),
            "isArchived" => flag(u.archived),
            _ => std::iter::once(&u.primary_email).chain(&u.aliases).any(|a| {
                let a = a.to_lowercase();
                if self.prefix {
                    a.starts_with(&self.value)
                } else {
                    a == self.value
                }
            }),
        }
    }
}

/// What Okta's provisioning does here: an account is made or woken, or suspended; it deletes nobody.
pub(super) fn provision(world: &mut World, push: &Provision) {
    let now = world.now;
    let Some(g) = &mut world.google else { return };
    let known = push.external_id.as_deref().and_then(|id| g.find(id));
    let id = known.or_else(|| g.find(&push.user_name)).map(|u| u.id.clone());
    let id = match (id, push.kind) {
        (Some(id), _) => id,
        (None, ProvisionKind::Deactivate) => return,
        (None, ProvisionKind::Create) => {
            let u = User::new(g.fresh("13"), push.user_name.clone());
            let id = u.id.clone();
            g.users.insert(id.clone(), u);
            id
        }
    };
    if let Some(u) = g.users.get_mut(&id) {
        match push.kind {
            ProvisionKind::Create => u.wake(),
            ProvisionKind::Deactivate => u.suspend(now),
        }
    }
    world.touch(NAME, "users", &id);
}
