//! From Bob's employees to workers. The slash form of a field (`/internal/status`) is read first, the nested one second.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::cells::{self, doubtful, folded, shown},
    WHAT,
};
use crate::{
    config::{EndIs, Roster},
    model::{Employment, Failure, When, Worker},
};

#[derive(Deserialize)]
pub(super) struct Body {
    employees: Vec<Value>,
}

/// Ids of fields, in the dotted form; `[roster.columns]` may name others (a custom field for the login).
pub(super) struct Fields {
    login: Option<String>,
    email: String,
    first_name: String,
    last_name: String,
    department: String,
    title: String,
    site: String,
    manager: String,
    worker_type: String,
    status: String,
    hired: String,
    terminated: String,
    last_day: Option<String>,
    universal: Option<String>,
}

const ID: &str = "root.id";
const ACCESS: &str = "internal.status";

impl Fields {
    pub(super) fn of(words: &Roster) -> Self {
        let f = &words.attributes;
        let or = |name: &Option<String>, usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
        Fields {
            login: f.login.clone(),
            email: or(&f.email, "root.email"),
            first_name: or(&f.first_name, "root.firstName"),
            last_name: or(&f.last_name, "root.surname"),
            department: or(&f.department, "work.department"),
            title: or(&f.title, "work.title"),
            site: or(&f.location, "work.site"),
            manager: or(&f.manager, "work.reportsTo"),
            worker_type: or(&f.worker_type, "payroll.employment.type"),
            status: or(&f.status, "internal.lifecycleStatus"),
            hired: or(&f.hire_date, "work.startDate"),
            terminated: or(&f.termination_date, "internal.terminationDate"),
            last_day: f.last_day_of_work.clone(),
            universal: f.universal_id.clone(),
        }
    }

    pub(super) fn asked(&self) -> Vec<&str> {
        let always = [
            ID,
            &self.email,
            &self.first_name,
            &self.last_name,
            &self.department,
            &self.title,
            &self.site,
            &self.manager,
            &self.worker_type,
            ACCESS,
            &self.status,
            &self.hired,
            &self.terminated,
        ];
        let some = [&self.login, &self.last_day, &self.universal];
        always
            .into_iter()
            .chain(some.into_iter().flatten().map(String::as_str))
            .collect()
    }
}

pub(super) fn read(
    body: Body,
    fields: &Fields,
    zones: &BTreeMap<String, Tz>,
    words: &Roster,
) -> Result<Vec<Worker>, Failure> {
    if body.employees.is_empty() {
        return Err(doubtful(WHAT, "HiBob shows nobody: never an empty firm")
            .hint("put the service user into a permission group that may view everyone, inactive included"));
    }
    // A category that isn't granted is left out without a word.
    let missing: Vec<&str> = fields
        .asked()
        .into_iter()
        .filter(|f| !body.employees.iter().any(|e| there(e, f)))
        .collect();
    if !missing.is_empty() {
        let why = format!("no row has {}", missing.join(", "));
        return Err(doubtful(WHAT, why).hint(
            "grant the service user's permission group the categories of these fields (Lifecycle for internal.*)",
        ));
    }
    if let Some(e) = body.employees.iter().find(|e| text(e, ACCESS).is_none()) {
        let id = text(e, ID).unwrap_or_default();
        return Err(doubtful(WHAT, format!("employee {} has no {ACCESS}", shown(&id)))
            .hint("let the service user's permission group view everyone, inactive included"));
    }
    let reader = People { fields, zones, words };
    let mut workers = Vec::with_capacity(body.employees.len());
    for e in &body.employees {
        workers.push(reader.worker(e)?);
    }
    cells::repeated(WHAT, workers.iter().map(|w| w.key.as_str()))?;
    cells::shared_addresses(&mut workers);
    Ok(workers)
}

fn slash<'a>(e: &'a Value, field: &str) -> Option<&'a Value> {
    e.get(format!("/{}", field.replace('.', "/")))
}

fn nested<'a>(e: &'a Value, field: &str) -> Option<&'a Value> {
    let field = field.strip_prefix("root.").unwrap_or(field);
    field.split('.').try_fold(e, |at, part| at.get(part))
}

/// Was it answered at all? null is an answer.
fn there(e: &Value, field: &str) -> bool {
    slash(e, field).is_some() || nested(e, field).is_some()
}

fn value<'a>(e: &'a Value, field: &str) -> Option<&'a Value> {
    let found = match slash(e, field) {
        Some(wrapped) => wrapped.get("value"),
        None => nested(e, field),
    };
    found.filter(|v| !v.is_null())
}

/// Ids are larger than what a number holds: a number is no text.
fn text(e: &Value, field: &str) -> Option<String> {
    let text = value(e, field)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The name of a list's value; the value itself is an id.
fn named(e: &Value, field: &str) -> Option<String> {
    let readable = e
        .get("humanReadable")
        .and_then(|h| nested(h, field))
        .and_then(Value::as_str);
    let name = readable.map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
    value(e, field).and(name.or_else(|| text(e, field)))
}

struct People<'a> {
    fields: &'a Fields,
    zones: &'a BTreeMap<String, Tz>,
    words: &'a Roster,
}

impl People<'_> {
    fn worker(&self, e: &Value) -> Result<Worker, Failure> {
        let f = self.fields;
        let Some(key) = text(e, ID) else {
            return Err(doubtful(WHAT, "an employee has no id that is text"));
        };
        let mut faults = Vec::new();
        let mut day = |field: &str| self.day(e, field, &mut faults);
        let (hired, terminated) = (day(&f.hired), day(&f.terminated));
        let last_day = f.last_day.as_deref().and_then(&mut day);
        let word = text(e, &f.status).unwrap_or_default();
        let employment = self.employment(&word).unwrap_or_else(|| {
            faults.push(format!("{} {} is a word that nobody explains", f.status, shown(&word)));
            Employment::Active
        });
        let site = named(e, &f.site);
        let zone = site.as_ref().and_then(|s| self.zones.get(s)).copied();
        let mut worker = Worker {
            place: Some(format!("HiBob, employee {}", shown(&key))),
            key,
            universal: f.universal.as_deref().and_then(|u| text(e, u)),
            login: f.login.as_deref().and_then(|l| text(e, l)),
            email: text(e, &f.email),
            first_name: text(e, &f.first_name),
            last_name: text(e, &f.last_name),
            department: named(e, &f.department),
            title: named(e, &f.title),
            location: site,
            zone,
            worker_type: named(e, &f.worker_type).map(|w| cells::worker_type(&w, self.words)),
            manager: manager(e, &f.manager),
            employment,
            hired: hired.map(When::Day),
            terminated: terminated.map(When::Day),
            last_day: last_day.map(When::Day),
            rehired: false,
            recorded: None,
            changed: None,
            day_is_end: Some(self.words.end_is == Some(EndIs::LastDay)),
            fault: None,
        };
        faults.extend(cells::contradiction(&worker));
        worker.fault = (!faults.is_empty()).then(|| faults.join("; "));
        Ok(worker)
    }

    fn day(&self, e: &Value, field: &str, faults: &mut Vec<String>) -> Option<NaiveDate> {
        let found = match value(e, field)?.as_str() {
            Some(text) => cells::day(text, self.words),
            None => Err("it is no text".to_owned()),
        };
        found.unwrap_or_else(|why| {
            faults.push(format!("{field}: {why}"));
            None
        })
    }

    /// `internal.status` is only access to Bob.
    fn employment(&self, word: &str) -> Option<Employment> {
        self.words
            .values
            .employment(word)
            .or_else(|| match folded(word).as_str() {
                "hired" | "employed" | "active" => Some(Employment::Active),
                "leave" | "onleave" | "parentalleave" => Some(Employment::OnLeave),
                "gardenleave" => Some(Employment::GardenLeave),
                "terminated" => Some(Employment::Terminated),
                _ => None,
            })
    }
}

/// An object, an id, or nothing.
fn manager(e: &Value, field: &str) -> Option<String> {
    let found = value(e, field)?;
    let id = found.get("id").unwrap_or(found).as_str()?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}
