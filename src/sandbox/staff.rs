//! Who works here, as HR knows it: a world's own workers and the quiet people, or, where Okta is the roster, the same people as there.
//! Each HR twin shows them in its vendor's own shape and by its vendor's own midnight.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::{merge, okta::Okta, quiet, world::World};

/// HR systems that answer over a wire.
pub const KINDS: &[&str] = &["workday", "successfactors", "hibob"];

#[derive(Clone, Debug, Default)]
pub struct Staff {
    pub id: String,
    pub universal: Option<String>,
    pub login: Option<String>,
    pub email: Option<String>,
    pub first: String,
    pub last: String,
    pub department: String,
    pub title: String,
    /// The manager's id.
    pub manager: Option<String>,
    pub contractor: bool,
    pub on_leave: bool,
    /// HR said so, whatever the date.
    pub ended: bool,
    /// Never began.
    pub rescinded: Option<bool>,
    pub hired: Option<NaiveDate>,
    pub terminated: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub entered: Option<DateTime<Utc>>,
    pub site: String,
    pub zone: Option<Tz>,
}

impl Staff {
    /// Is that person's employment over at this instant, where days end in `zone`?
    pub fn over(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        // A date from before the present employment is the earlier one's.
        let own = self.terminated.filter(|day| self.hired.is_none_or(|h| *day >= h));
        self.ended || own.is_some_and(|day| midnight_after(day, zone) <= now)
    }
    pub fn starts_later(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        self.hired
            .is_some_and(|day| day > now.with_timezone(&zone).date_naive())
    }
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last).trim().to_owned()
    }
}

/// The first instant of the next day there.
pub fn midnight_after(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let next = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
    zone.from_local_datetime(&next)
        .earliest()
        .map_or_else(|| Utc.from_utc_datetime(&next), |t| t.to_utc())
}

/// Is this system one of the world's HR systems?
pub fn here(world: &World, kind: &str) -> bool {
    let roster = &world.given["roster"];
    let also = roster["also"].as_array().into_iter().flatten();
    roster["kind"] == kind || also.into_iter().any(|k| k == kind)
}

/// Everybody, in HR's order.
pub fn all(world: &World) -> Vec<Staff> {
    let given = &world.given;
    let listed = given.pointer("/roster/workers").and_then(Value::as_array);
    let mut out: Vec<Staff> = match listed {
        Some(workers) => {
            let quiet = (1..=quiet::count(given)).map(|n| {
                let mut s = of_profile(given, &quiet::profile(given, n));
                s.manager = (n != 1).then(|| quiet::employee_number(1));
                s
            });
            workers.iter().map(|w| of_worker(given, w)).chain(quiet).collect()
        }
        None => of_directory(given, &world.okta),
    };
    // Names of managers are ids in HR.
    let by_login: BTreeMap<String, String> = out
        .iter()
        .filter_map(|s| Some((s.login.clone()?.to_lowercase(), s.id.clone())))
        .collect();
    for s in &mut out {
        if let Some(id) = s.manager.as_ref().and_then(|m| by_login.get(&m.to_lowercase())) {
            s.manager = Some(id.clone());
        }
    }
    out
}

fn of_directory(given: &Value, okta: &Okta) -> Vec<Staff> {
    okta.profiles().map(|p| of_profile(given, p)).collect()
}

fn of_profile(given: &Value, p: &Map<String, Value>) -> Staff {
    let text = |key: &str| p.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let some = |key: &str| Some(text(key)).filter(|t| !t.is_empty());
    let status = text("employmentStatus");
    Staff {
        id: some("employeeNumber").unwrap_or_else(|| text("login")),
        universal: None,
        login: some("login"),
        email: some("email"),
        first: text("firstName"),
        last: text("lastName"),
        department: text("department"),
        title: text("title"),
        manager: some("managerId"),
        contractor: text("userType").eq_ignore_ascii_case("contractor"),
        on_leave: status == "On Leave",
        ended: status == "Terminated",
        rescinded: (status == "Cancelled").then_some(true),
        hired: day(&text("hireDate")),
        terminated: day(&text("terminationDate")),
        last_day: day(&text("lastDayOfWork")),
        entered: None,
        site: text("city"),
        zone: zone(given, &text("city")),
    }
}

fn of_worker(given: &Value, w: &Value) -> Staff {
    let text = |key: &str| w[key].as_str().unwrap_or_default().to_owned();
    let some = |key: &str| w[key].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let login = some("login");
    let local = login.as_deref().and_then(|l| l.split('@').next()).unwrap_or("no.name");
    let mut names = local.split('.').map(|n| {
        let mut letters = n.chars();
        letters
            .next()
            .map(|c| c.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    let (first, last) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let ends = w["future_action"]
        .as_str()
        .is_some_and(|a| a.to_lowercase().contains("terminat"));
    let active = w["active"].as_bool().unwrap_or(true);
    let rescinded = w["is_rescinded"].as_bool();
    let hired = match &w["hire_date"] {
        Value::Null if w.get("hire_date").is_some() => None,
        Value::Null => day("2020-01-06"),
        other => day(other.as_str().unwrap_or_default()),
    };
    let terminated = day(&text("termination_date")).or_else(|| ends.then(|| day(&text("future_date"))).flatten());
    let or = |key: &str, usual: &str| some(key).unwrap_or_else(|| usual.to_owned());
    Staff {
        id: text("employee_id"),
        universal: some("universal_id"),
        email: some("email").or_else(|| login.clone()),
        login,
        first: some("first_name").unwrap_or(first.clone()),
        last: some("last_name").unwrap_or(if last.is_empty() { first } else { last }),
        department: or("department", "Operations"),
        title: or("title", "Worker"),
        manager: some("manager_id"),
        contractor: ["contractor", "contingent worker"].contains(&text("worker_type").to_lowercase().as_str()),
        on_leave: w["on_leave"].as_bool().unwrap_or(false),
        ended: !active && rescinded != Some(true) && terminated.is_none_or(|d| d <= world_day(given)),
        rescinded: rescinded.map(|r| r && !active),
        hired,
        terminated,
        last_day: day(&text("last_day_of_work")),
        entered: w["entered_at"].as_str().and_then(super::given::instant),
        site: "Chicago".into(),
        zone: zone(given, "Chicago"),
    }
}

/// A worker whom HR calls inactive before their first day has not ended.
fn world_day(given: &Value) -> NaiveDate {
    let now = given["now"]
        .as_str()
        .and_then(super::given::instant)
        .unwrap_or_default();
    now.date_naive().succ_opt().unwrap_or_default()
}

fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

/// By the site, else the policy's own.
fn zone(given: &Value, site: &str) -> Option<Tz> {
    let by_site = given["policy"]["zones"][site].as_str();
    let own = given["policy"]["zone"].as_str().unwrap_or("America/Chicago");
    by_site.unwrap_or(own).parse().ok()
}

/// `GET /state`: the listed ones by id.
pub fn state(given: &Value) -> Option<Value> {
    let workers = given.pointer("/roster/workers")?.as_array()?;
    let by_id: Map<String, Value> = workers
        .iter()
        .filter_map(|w| Some((w["employee_id"].as_str()?.to_owned(), w.clone())))
        .collect();
    Some(json!({"kind": given["roster"]["kind"], "workers": by_id}))
}

/// `PATCH /state` on them.
pub fn patch(given: &mut Value, part: &Value) -> Result<(), String> {
    let Some(workers) = given.pointer("/roster/workers").and_then(Value::as_array) else {
        return Err("roster: HR has no workers of its own in this world".into());
    };
    let mut order: Vec<String> = Vec::new();
    let mut by_id: BTreeMap<String, Value> = BTreeMap::new();
    for w in workers {
        let id = w["employee_id"].as_str().unwrap_or_default().to_owned();
        order.push(id.clone());
        by_id.insert(id, w.clone());
    }
    let made = |id: &str| json!({"employee_id": id});
    for id in merge::entries(&mut by_id, part, made)? {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    let list: Vec<Value> = order.iter().filter_map(|id| by_id.remove(id)).collect();
    given["roster"]["workers"] = list.into();
    Ok(())
}

/// Text in, digits out, the same for the same text: ids that vendors make themselves.
pub fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    quiet::mix(fnv)
}

/// Basic credentials of a request.
pub fn basic(header: Option<&str>) -> Option<(String, String)> {
    use base64::Engine as _;
    let text = header?.strip_prefix("Basic ")?;
    let bytes = base64::prelude::BASE64_STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.into(), password.into()))
}

pub fn bearer(header: Option<&str>) -> Option<&str> {
    header?.strip_prefix("Bearer ")
}

/// Has a fault turned this way to differ on?
pub fn differs(world: &World, kind: &str, manner: &str) -> bool {
    world.manners.get(kind).is_some_and(|m| m.contains(manner))
}
