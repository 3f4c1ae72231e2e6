//! From persons to workers: which employment speaks for a human, and what it says. A navigation that was not expanded does not parse.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::{
    super::cells::{self, doubtful, shown},
    WHAT,
};
use crate::{
    config::{EndIs, Roster},
    model::{Employment as State, Failure, When, Worker},
};

#[derive(Deserialize)]
pub(super) struct Body {
    d: Results,
}
#[derive(Deserialize)]
struct Results {
    results: Vec<Person>,
    #[serde(rename = "__next")]
    next: Option<String>,
}

impl Body {
    pub(super) fn parts(self) -> (Vec<Person>, Option<String>) {
        (self.d.results, self.d.next)
    }
}

#[derive(Deserialize)]
struct Many<T> {
    results: Vec<T>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    person_id_external: String,
    last_modified_date_time: Option<String>,
    personal_info_nav: Many<Personal>,
    email_nav: Many<Email>,
    employment_nav: Many<Employment>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Personal {
    start_date: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Email {
    email_address: Option<String>,
    email_type_nav: Option<Pick>,
}
/// Of a picklist, whose ids differ by tenant and whose codes don't.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pick {
    external_code: String,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Employment {
    user_id: String,
    start_date: Option<String>,
    end_date: Option<String>,
    last_date_worked: Option<String>,
    assignment_class: Option<String>,
    is_contingent_worker: Option<bool>,
    last_modified_date_time: Option<String>,
    user_nav: Option<User>,
    job_info_nav: Many<Job>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    time_zone: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    start_date: Option<String>,
    seq_number: Option<String>,
    job_title: Option<String>,
    manager_id: Option<String>,
    timezone: Option<String>,
    empl_status_nav: Option<Pick>,
    department_nav: Option<Department>,
}
#[derive(Deserialize)]
struct Department {
    name_localized: Option<String>,
    name: Option<String>,
}

/// `/Date(1735603200000)/`, `/Date(1442289263000+0000)/`.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = inner.char_indices().skip(1).find(|(_, c)| ['+', '-'].contains(c));
    let digits = sign.map_or(inner, |(i, _)| &inner[..i]);
    DateTime::from_timestamp_millis(digits.parse().ok()?)
}

/// The calendar day in UTC; the time of it means nothing.
fn day(text: &Option<String>) -> Result<Option<NaiveDate>, String> {
    let Some(text) = text.as_deref().map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    match moment(text) {
        Some(t) => cells::checked(t.date_naive(), text),
        None => Err(format!("{} is no date", shown(text))),
    }
}

fn text(of: &Option<String>) -> Option<String> {
    of.as_deref()
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

impl Employment {
    fn class(&self) -> &str {
        self.assignment_class.as_deref().unwrap_or("ST")
    }
    /// The record that is in force; the order in which they come means nothing.
    fn job(&self) -> Option<&Job> {
        let number = |j: &Job| j.seq_number.as_deref().and_then(|n| n.parse::<i64>().ok());
        let since = |j: &Job| j.start_date.as_deref().and_then(moment);
        self.job_info_nav.results.iter().max_by_key(|j| (since(j), number(j)))
    }
    fn code(&self) -> Option<&str> {
        Some(self.job()?.empl_status_nav.as_ref()?.external_code.as_str())
    }
    /// Whatever isn't clearly over.
    fn lives(&self, today: NaiveDate) -> bool {
        let open = !matches!(day(&self.end_date), Ok(Some(end)) if end < today);
        open && !matches!(self.code(), Some("T" | "R" | "O"))
    }
    fn starts(&self) -> Option<NaiveDate> {
        day(&self.start_date).ok().flatten()
    }
}

pub(super) fn read(people: Vec<Person>, words: &Roster, now: DateTime<Utc>) -> Result<Vec<Worker>, Failure> {
    if people.is_empty() {
        return Err(doubtful(WHAT, "SuccessFactors shows nobody: never an empty firm")
            .hint("the API user's role needs a target population of everyone, inactive included"));
    }
    filled(&people)?;
    cells::repeated(WHAT, people.iter().map(|p| p.person_id_external.as_str()))?;
    // A manager is a user; HR's id is a person's.
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for p in &people {
        for e in &p.employment_nav.results {
            owners.insert(&e.user_id, &p.person_id_external);
        }
    }
    let mut workers: Vec<Worker> = people.iter().map(|p| worker(p, &owners, words, now)).collect();
    cells::tie(&mut workers);
    cells::shared_addresses(&mut workers);
    Ok(workers)
}

/// A right that is missing leaves its field out of every row.
fn filled(people: &[Person]) -> Result<(), Failure> {
    let employments = || people.iter().flat_map(|p| &p.employment_nav.results);
    let login = employments().any(|e| e.user_nav.is_some());
    let email = people.iter().any(|p| !p.email_nav.results.is_empty());
    let required = [
        ("username or an e-mail address", login || email),
        ("startDate", employments().any(|e| e.start_date.is_some())),
        ("endDate", employments().any(|e| e.end_date.is_some())),
        ("emplStatus", employments().any(|e| e.code().is_some())),
    ];
    let blank: Vec<&str> = required
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    if blank.is_empty() {
        return Ok(());
    }
    Err(doubtful(WHAT, format!("no row has {}", blank.join(", ")))
        .hint("give the API user's role Employment Details and Job Information, for everyone, inactive included"))
}

fn worker(p: &Person, owners: &BTreeMap<&str, &str>, words: &Roster, now: DateTime<Utc>) -> Worker {
    let mut faults = Vec::new();
    let zone_of = |e: &Employment| {
        let own = e.user_nav.as_ref().and_then(|u| u.time_zone.as_deref());
        let name = own.or(e.job().and_then(|j| j.timezone.as_deref()))?;
        name.parse::<Tz>().ok()
    };
    let today = |e: &Employment| match zone_of(e).or(words.time_zone) {
        Some(tz) => now.with_timezone(&tz).date_naive(),
        None => now.date_naive(),
    };
    // A global assignment is beside the employment, not one.
    let standing: Vec<&Employment> = p.employment_nav.results.iter().filter(|e| e.class() != "GA").collect();
    let chosen = standing.iter().copied().max_by_key(|e| (e.lives(today(e)), e.starts()));
    let mut date = |name: &str, of: &Option<String>| {
        day(of).unwrap_or_else(|why| {
            faults.push(format!("{name}: {why}"));
            None
        })
    };
    let (hired, end, last_day) = match chosen {
        None => (None, None, None),
        Some(e) => (
            date("startDate", &e.start_date),
            date("endDate", &e.end_date),
            date("lastDateWorked", &e.last_date_worked),
        ),
    };
    let rehired = chosen.is_some_and(|c| {
        let before = |e: &&&Employment| matches!(day(&e.end_date), Ok(Some(end)) if hired.is_some_and(|h| end < h));
        standing.iter().filter(|e| e.user_id != c.user_id).any(|e| before(&e))
    });
    let job = chosen.and_then(Employment::job);
    let starts_later = chosen.is_some_and(|e| hired.is_some_and(|h| h > today(e)));
    let employment = match (chosen, chosen.and_then(Employment::code)) {
        (None, _) => {
            faults.push("there is no employment of theirs".into());
            State::Active
        }
        // Before the first day there may be no job yet.
        (Some(_), None) if starts_later => State::Active,
        (Some(_), None) => {
            faults.push("their employment has no status".into());
            State::Active
        }
        (Some(_), Some(code)) => words
            .values
            .employment(code)
            .or_else(|| usual(code))
            .unwrap_or_else(|| {
                faults.push(format!("the status {} is a word that nobody explains", shown(code)));
                State::Active
            }),
    };
    if employment == State::Terminated && end.is_none() {
        faults.push("HR says terminated, and the employment has no endDate".into());
    }
    let name = p
        .personal_info_nav
        .results
        .iter()
        .max_by_key(|n| n.start_date.as_deref().and_then(moment));
    let business = |e: &&Email| e.email_type_nav.as_ref().is_some_and(|t| t.external_code == "B");
    let manager = job.and_then(|j| text(&j.manager_id)).filter(|m| m != "NO_MANAGER");
    let changed = chosen
        .and_then(|e| e.last_modified_date_time.as_deref())
        .and_then(moment)
        .max(p.last_modified_date_time.as_deref().and_then(moment));
    let mut worker = Worker {
        key: p.person_id_external.clone(),
        universal: None,
        login: chosen.and_then(|e| e.user_nav.as_ref()).map(|u| u.username.clone()),
        email: p
            .email_nav
            .results
            .iter()
            .find(business)
            .and_then(|e| text(&e.email_address)),
        first_name: name.and_then(|n| text(&n.first_name)),
        last_name: name.and_then(|n| text(&n.last_name)),
        department: job
            .and_then(|j| j.department_nav.as_ref())
            .and_then(|d| text(&d.name_localized).or_else(|| text(&d.name))),
        title: job.and_then(|j| text(&j.job_title)),
        location: None,
        zone: chosen.and_then(zone_of),
        worker_type: chosen.and_then(|e| e.is_contingent_worker).map(|contingent| {
            let word = if contingent { "contractor" } else { "employee" };
            cells::worker_type(word, words)
        }),
        manager: manager.map(|m| owners.get(m.as_str()).map_or(m.clone(), |id| (*id).to_owned())),
        employment,
        hired: hired.map(When::Day),
        terminated: end.map(When::Day),
        last_day: last_day.map(When::Day),
        rehired,
        recorded: None,
        changed,
        day_is_end: Some(words.end_is.is_none_or(|e| e == EndIs::LastDay)),
        place: Some(format!("SuccessFactors, person {}", shown(&p.person_id_external))),
        fault: None,
    };
    faults.extend(cells::contradiction(&worker));
    worker.fault = (!faults.is_empty()).then(|| faults.join("; "));
    worker
}

/// SAP's codes: active, dormant (works elsewhere in the firm); leaves, suspended, furlough; retired, terminated; discarded, no-show.
fn usual(code: &str) -> Option<State> {
    match code {
        "A" | "D" => Some(State::Active),
        "U" | "P" | "S" | "F" => Some(State::OnLeave),
        "T" | "R" => Some(State::Terminated),
        "O" | "RNS" => Some(State::Cancelled),
        _ => None,
    }
}
