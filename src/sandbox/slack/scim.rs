//! SCIM 1.1 and 2.0 at Slack: Business+ and Enterprise only, by a user token with `admin`.
//!
//! Nobody is ever deleted: DELETE deactivates. Version 2 knows no filter.

use serde_json::{Value, json};

use super::{NAME, Plan, Slack, User, people, web};
use crate::sandbox::{
    twin::{Call, Reply},
    world::World,
};

const USER_2: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const LIST_2: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const PATCH_2: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ERROR_2: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const CORE_1: &str = "urn:scim:schemas:core:1.0";

/// Writes to single users, a minute and at once (docs.slack.dev/reference/scim-api/rate-limits), unless the firm grants another rate.
const WRITES_A_MINUTE: u32 = 180;
const BURST: f64 = 20.0;

struct Scim<'a> {
    two: bool,
    call: &'a Call,
}

/// Status and Slack's word for it.
type Refused = (u16, &'static str);

pub(super) fn answer(slack: &mut Slack, world: &World, two: bool, rest: &[&str], call: &Call) -> Reply {
    let s = Scim { two, call };
    let may = match web::caller(slack, world, call) {
        Err(web::Refusal("not_authed", _)) => Err((401, "missing_authentication")),
        Err(_) => Err((401, "invalid_authentication")),
        Ok(c) if !c.user => Err((403, "permission_denied")),
        Ok(_) if slack.plan == Plan::Pro => Err((403, "plus_teams_only")),
        Ok(_) => Ok(()),
    };
    if let Err(refused) = may {
        return s.refuse(refused);
    }
    let single = rest.len() == 2 && rest[0] == "Users" && call.method != "GET";
    if single && !paced(slack, world, call) {
        return s.refuse((429, "too_many_requests")).with("retry-after", "1");
    }
    match (call.method.as_str(), rest) {
        ("GET", ["ServiceProviderConfigs" | "ServiceProviderConfig"]) => s.ok(200, &json!({"patch": {"supported": true},
            "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0}, "filter": {"supported": !two, "maxResults": 1000},
            "changePassword": {"supported": false}, "sort": {"supported": false}, "etag": {"supported": false},
            "authenticationSchemes": [{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "primary": true}]})),
        ("GET", ["Groups"]) => s.list(&[]),
        ("GET", ["Users"]) => {
            let filter = if two { None } else { call.param("filter") };
            let found: Vec<&User> = slack.users.values().filter(|u| !u.is_bot && filter.is_none_or(|f| matches(u, f))).collect();
            s.list(&found)
        }
        ("POST", ["Users"]) => s.create(slack),
        (_, ["Users", id]) => match s.single(slack, id) {
            Ok(reply) => reply,
            Err(refused) => s.refuse(refused),
        },
        _ => s.refuse((404, "bad_endpoint")),
    }
}

/// A bucket of writes that fills with time.
fn paced(slack: &mut Slack, world: &World, call: &Call) -> bool {
    let rate = f64::from(*world.rates.get(NAME).unwrap_or(&WRITES_A_MINUTE)) / 60.0;
    let (left, at) = slack.bucket.unwrap_or((BURST, call.now));
    let seconds = (call.now - at).num_milliseconds().max(0) as f64 / 1000.0;
    let left = (left + seconds * rate).min(BURST);
    let go = left >= 1.0;
    slack.bucket = Some((if go { left - 1.0 } else { left }, call.now));
    go
}

/// What a PATCH or PUT wants of `active`, in either version's form.
pub(super) fn wanted(body: &Value) -> Option<bool> {
    let truth = |v: &Value| {
        v.as_bool()
            .or_else(|| v.as_str().and_then(|s| s.to_lowercase().parse().ok()))
    };
    if let Some(v) = body.get("active") {
        return truth(v);
    }
    body["Operations"]
        .as_array()?
        .iter()
        .find_map(|op| match op["path"].as_str() {
            Some("active") => truth(&op["value"]),
            Some(_) => None,
            None => truth(&op["value"]["active"]),
        })
}

/// `email eq "x"` or `username eq "x"`; any other filter finds nobody.
fn matches(user: &User, filter: &str) -> bool {
    let Some((attribute, value)) = filter.split_once(" eq ") else {
        return false;
    };
    let value = value.trim().trim_matches('"');
    match attribute.trim().to_lowercase().as_str() {
        "email" => user.email.eq_ignore_ascii_case(value),
        "username" => people::handle(&user.email) == value.to_lowercase(),
        _ => false,
    }
}

fn refuse(two: bool, (status, detail): Refused) -> Reply {
    let body = if two {
        json!({"schemas": [ERROR_2], "detail": detail, "status": status})
    } else {
        json!({"Errors": {"description": detail, "code": status}})
    };
    Reply::json(status, &body)
}

/// For a fault by name.
pub(super) fn of_status(path: &str, status: u16) -> Reply {
    let word = match status {
        401 => "invalid_authentication",
        403 => "access_denied",
        404 => "no_such_user",
        429 => "ratelimited",
        _ => "internal_error",
    };
    refuse(!path.starts_with("/scim/v1/"), (status, word)).again("retry-after", "2")
}

impl Scim<'_> {
    fn ok(&self, status: u16, body: &Value) -> Reply {
        Reply::json(status, body)
    }

    fn refuse(&self, refused: Refused) -> Reply {
        refuse(self.two, refused)
    }

    fn single(&self, slack: &mut Slack, id: &str) -> Result<Reply, Refused> {
        if !slack.users.contains_key(id) {
            return Err((404, "no_such_user"));
        }
        let active = match self.call.method.as_str() {
            "GET" => None,
            "DELETE" => Some(false),
            "PATCH" | "PUT" => self.asked()?,
            _ => return Err((405, "method_not_allowed")),
        };
        if let Some(active) = active {
            slack
                .set_active(id, active, self.call.now)
                .map_err(|word| (403, word))?;
        }
        if self.call.method == "DELETE" {
            return Ok(Reply::empty(204));
        }
        let user = slack.users.get(id).ok_or((404, "no_such_user"))?;
        Ok(self.ok(200, &self.resource(user)))
    }

    fn asked(&self) -> Result<Option<bool>, Refused> {
        let body = self
            .call
            .json()
            .filter(Value::is_object)
            .ok_or((400, "invalid_request_payload"))?;
        let schema = match (self.two, self.call.method.as_str()) {
            (true, "PATCH") => PATCH_2,
            (true, _) => USER_2,
            (false, _) => CORE_1,
        };
        let named = body["schemas"]
            .as_array()
            .is_some_and(|s| s.iter().any(|x| x == schema));
        if !named {
            // The vendor's own client for 1.1 sends bare attributes.
            if self.two || body.get("schemas").is_some() {
                return Err((400, "missing_schema_element"));
            }
        }
        Ok(wanted(&body))
    }

    fn create(&self, slack: &mut Slack) -> Reply {
        let Some(body) = self.call.json() else {
            return self.refuse((400, "invalid_request_payload"));
        };
        let email = body["emails"]
            .as_array()
            .and_then(|e| e.first())
            .and_then(|e| e["value"].as_str());
        let Some(email) = email.or_else(|| body["userName"].as_str()) else {
            return self.refuse((400, "invalid_request_payload"));
        };
        if slack.by_email(email).is_some() {
            return self.refuse((409, "email_taken"));
        }
        let id = slack.create(email);
        match slack.users.get(&id) {
            Some(user) => self.ok(201, &self.resource(user)),
            None => self.refuse((500, "user_creation_failed")),
        }
    }

    fn list(&self, found: &[&User]) -> Reply {
        let number = |name: &str, or: usize| self.call.param(name).and_then(|v| v.parse().ok()).unwrap_or(or);
        let start = number("startIndex", 1).max(1);
        let count = number("count", 10).min(1000);
        let page: Vec<Value> = found
            .iter()
            .skip(start - 1)
            .take(count)
            .map(|u| self.resource(u))
            .collect();
        let schema = if self.two { LIST_2 } else { CORE_1 };
        self.ok(
            200,
            &json!({"schemas": [schema], "totalResults": found.len(), "itemsPerPage": page.len(), "startIndex": start,
            "Resources": page}),
        )
    }

    fn resource(&self, u: &User) -> Value {
        let name = people::real_name(&u.email);
        let (given, family) = name.split_once(' ').unwrap_or((&name, ""));
        let (schema, version, guest) = if self.two {
            (
                USER_2,
                "v2",
                "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
            )
        } else {
            (CORE_1, "v1", "urn:scim:schemas:extension:slack:guest:1.0")
        };
        let handle = people::handle(&u.email);
        let mut out = json!({"schemas": [schema], "id": u.id, "externalId": "",
            "meta": {"created": "2022-08-16T12:49:47-07:00", "location": format!("{}/scim/{version}/Users/{}", self.call.origin, u.id)},
            "userName": handle, "nickName": handle, "name": {"givenName": given, "familyName": family}, "displayName": name,
            "profileUrl": format!("https://acme.slack.com/team/{handle}"), "title": "", "timezone": "America/Chicago", "active": u.active,
            "emails": [{"value": u.email, "primary": true}], "photos": [], "groups": []});
        if u.is_restricted || u.is_ultra_restricted {
            let kind = if u.is_ultra_restricted { "single" } else { "multi" };
            out["schemas"] = json!([schema, guest]);
            out[guest] = json!({"type": kind});
        }
        out
    }
}
