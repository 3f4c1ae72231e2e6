//! Okta as the roster: a profile that HR feeds, read as a worker.
//!
//! Refuses to decide: a date stays what HR wrote, a word that is none of HR's known ones is a fault, and nobody is "terminated" here by
//! anything but the status word or the date that the planner weighs.

use chrono::{DateTime, NaiveDate, Utc};

use super::{dates, log::LogEvent};
use crate::{
    config::{EndIs, Roster},
    model::{Employment, Person, When, Worker},
};

const USER_TYPE: &str = "userType";
const EMPLOYEE_TYPE: &str = "employeeType";
/// The event that says when HR's import (or anyone) changed a profile.
pub const PROFILE_CHANGED: &str = "user.account.update_profile";

/// `[roster]` as far as it concerns a profile: which attribute says what, and what its words mean.
#[derive(Clone, Debug)]
pub struct Attributes {
    pub department: String,
    pub title: String,
    pub location: String,
    /// Login, id or number of the manager.
    pub manager: String,
    /// `userType`; where that is empty and nothing else is named, `employeeType`.
    pub worker_type: String,
    pub termination_date: String,
    pub last_day_of_work: String,
    pub hire_date: String,
    pub employment_status: String,
    pub rescinded: String,
    /// Only where it is named: two accounts of one human share a number, and each leaves by itself.
    pub universal: Option<String>,
    words: Roster,
}

impl Default for Attributes {
    fn default() -> Self {
        Self::of(&Roster::default())
    }
}

impl Attributes {
    pub fn of(words: &Roster) -> Self {
        let named = &words.attributes;
        let or = |name: &Option<String>, usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
        Attributes {
            department: or(&named.department, "department"),
            title: or(&named.title, "title"),
            location: or(&named.location, "city"),
            manager: or(&named.manager, "managerId"),
            worker_type: or(&named.worker_type, USER_TYPE),
            termination_date: or(&named.termination_date, "terminationDate"),
            last_day_of_work: or(&named.last_day_of_work, "lastDayOfWork"),
            hire_date: or(&named.hire_date, "hireDate"),
            employment_status: or(&named.status, "employmentStatus"),
            rescinded: or(&named.rescinded, "isRescinded"),
            universal: named.universal_id.clone(),
            words: words.clone(),
        }
    }

    /// All that are read, for doctor: is each in the schema, and filled?
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [
            &self.department,
            &self.title,
            &self.location,
            &self.manager,
            &self.worker_type,
            &self.termination_date,
            &self.last_day_of_work,
            &self.hire_date,
            &self.employment_status,
            &self.rescinded,
        ]
        .into_iter()
        .chain(&self.universal)
        .map(String::as_str)
    }

    /// The app whose imports are HR's, where the operator named it.
    pub fn importer(&self) -> Option<&str> {
        self.words.import.as_deref()
    }

    fn date(&self, text: &str) -> Result<Option<When>, String> {
        if self.words.empty_dates.iter().any(|none| none.trim() == text) {
            return Ok(None);
        }
        // The form that the operator declared outranks what we can tell apart ourselves.
        if let Ok(day) = NaiveDate::parse_from_str(text, &self.words.date_format)
            && dates::parse(&day.to_string()) != Ok(None)
        {
            return Ok(Some(When::Day(day)));
        }
        dates::parse(text)
    }

    fn employment(&self, word: Option<&str>) -> Option<Employment> {
        let Some(word) = word else {
            return Some(Employment::Active);
        };
        self.words.values.employment(word).or_else(|| usual(word))
    }
}

/// What the profile says of the employment. `recorded` holds only what the profile itself can show; `fill_recorded` improves on it.
pub fn worker(person: &Person, attributes: &Attributes) -> Worker {
    let text = |name: &str| {
        let value = person.profile.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let mut faults = Vec::new();
    let mut date = |name: &str| -> Option<When> {
        match attributes.date(&text(name)?) {
            Ok(when) => when,
            Err(fault) => {
                faults.push(format!("{name}: {fault}"));
                None
            }
        }
    };
    let terminated = date(&attributes.termination_date);
    let last_day = date(&attributes.last_day_of_work);
    let hired = date(&attributes.hire_date);
    let word = text(&attributes.employment_status);
    let employment = attributes.employment(word.as_deref()).unwrap_or_else(|| {
        let word = word.as_deref().unwrap_or_default();
        faults.push(format!(
            "{}: {word:?} is not a known status",
            attributes.employment_status
        ));
        Employment::Active
    });
    // HR sets the flag for a corrected start as well as for a hire that never was: alone it says nothing.
    // Beside a leaving date it may mean that the leaving was taken back.
    let rescinded = text(&attributes.rescinded).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    if rescinded && employment != Employment::Cancelled && (terminated.is_some() || last_day.is_some()) {
        faults.push(format!("{} is true beside a leaving date", attributes.rescinded));
    }
    let worker_type = text(&attributes.worker_type)
        .or_else(|| {
            (attributes.worker_type == USER_TYPE)
                .then(|| text(EMPLOYEE_TYPE))
                .flatten()
        })
        .map(|t| attributes.words.values.worker_type(&t));
    Worker {
        key: person.id.0.clone(),
        universal: attributes.universal.as_deref().and_then(text),
        login: Some(person.login.clone()),
        email: Some(person.email.clone()).filter(|e| !e.is_empty()),
        first_name: Some(person.first_name.clone()).filter(|n| !n.is_empty()),
        last_name: Some(person.last_name.clone()).filter(|n| !n.is_empty()),
        department: text(&attributes.department),
        title: text(&attributes.title),
        location: text(&attributes.location),
        zone: None,
        worker_type,
        manager: text(&attributes.manager),
        employment,
        hired,
        terminated,
        last_day,
        rehired: false,
        recorded: recorded(person),
        changed: person.last_updated,
        day_is_end: attributes.words.end_is.map(|end| end == EndIs::LastDay),
        place: None,
        fault: (!faults.is_empty()).then(|| faults.join("; ")),
    }
}

/// What HR systems usually call it.
fn usual(word: &str) -> Option<Employment> {
    let word: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    match word.as_str() {
        "active" => Some(Employment::Active),
        "onleave" | "leave" => Some(Employment::OnLeave),
        "terminated" => Some(Employment::Terminated),
        "cancelled" | "canceled" => Some(Employment::Cancelled),
        _ => None,
    }
}

/// `lastUpdated` moves with every change of status too (our own suspension among them), so it tells HR's time only where the profile was
/// written last, or with the person's creation.
fn recorded(person: &Person) -> Option<DateTime<Utc>> {
    let updated = person.last_updated?;
    let by_status = person.status_changed.is_some_and(|s| s >= updated);
    let by_creation = person.created.is_some_and(|c| c >= updated);
    (!by_status || by_creation).then_some(updated)
}

/// The System Log's word on when the profile got its present state: it outranks the profile's own timestamp, which other changes move too.
/// Returns whether any of the events was about them.
pub fn fill_recorded<'a>(worker: &mut Worker, events: impl IntoIterator<Item = &'a LogEvent>) -> bool {
    // Events come in order of persistence; `published` may jump back.
    let last = events
        .into_iter()
        .filter(|e| e.kind == PROFILE_CHANGED && e.succeeded && e.people.contains(&worker.key))
        .filter_map(|e| e.published)
        .max();
    if last.is_some() {
        worker.recorded = last;
    }
    last.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::okta::{users, wire};

    fn person(profile: &str) -> Person {
        let body = format!(
            r#"{{"id":"00u1","status":"ACTIVE","created":"2024-01-01T00:00:00.000Z","statusChanged":"2024-01-02T00:00:00.000Z",
                "lastUpdated":"2026-03-01T08:00:00.000Z","profile":{{"login":"amy.lee@acme.example",{profile}}}}}"#
        );
        users::person(serde_json::from_str::<wire::User>(&body).unwrap(), None).unwrap()
    }

    #[test]
    fn the_profile_is_the_record() {
        let it = worker(
            &person(
                r#""email":"amy.lee@acme.example","firstName":"Amy","lastName":"Lee","department":" Engineering ","title":"SRE","city":"Chicago",
                "managerId":"p00001@acme.example","userType":"Contractor","employeeNumber":"30001","terminationDate":"2026-03-02",
                "lastDayOfWork":"2026-03-01T17:00:00+09:00 ","hireDate":"2020-01-06","employmentStatus":null"#,
            ),
            &Attributes::default(),
        );
        assert_eq!(it.fault, None);
        assert_eq!(
            (it.key.as_str(), it.department.as_deref()),
            ("00u1", Some("Engineering"))
        );
        assert_eq!(it.worker_type.as_deref(), Some("contractor"));
        assert_eq!(it.location.as_deref(), Some("Chicago"));
        assert_eq!(it.employment, Employment::Active);
        assert_eq!(it.terminated, Some(When::Day("2026-03-02".parse().unwrap())));
        assert_eq!(
            it.last_day,
            Some(When::Instant("2026-03-01T08:00:00Z".parse().unwrap()))
        );
        assert_eq!(it.recorded, Some("2026-03-01T08:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_and_never_no_date() {
        let it = worker(&person(r#""terminationDate":"03/02/2026""#), &Attributes::default());
        assert!(it.fault.unwrap().starts_with("terminationDate: \"03/02/2026\""));
        let it = worker(&person(r#""employmentStatus":"Sabbatical""#), &Attributes::default());
        assert_eq!(
            it.fault.as_deref(),
            Some("employmentStatus: \"Sabbatical\" is not a known status")
        );
    }

    #[test]
    fn status_words_and_the_rescinded_flag() {
        for (word, means) in [
            ("On Leave", Employment::OnLeave),
            ("terminated", Employment::Terminated),
            ("Cancelled", Employment::Cancelled),
        ] {
            let it = worker(
                &person(&format!(r#""employmentStatus":"{word}""#)),
                &Attributes::default(),
            );
            assert_eq!((it.employment, it.fault), (means, None));
        }
        let moved = worker(
            &person(r#""isRescinded":true,"hireDate":"2026-08-03""#),
            &Attributes::default(),
        );
        assert_eq!((moved.employment, moved.fault), (Employment::Active, None));
        let both = worker(
            &person(r#""isRescinded":true,"terminationDate":"2026-08-03""#),
            &Attributes::default(),
        );
        assert!(both.fault.is_some());
    }

    #[test]
    fn another_attribute_may_be_named() {
        let words: Roster = serde_json::from_str(
            r#"{"attributes":{"termination_date":"endDate","worker_type":"kind","status":"hrStatus"},"date_format":"%d.%m.%Y",
                "empty_dates":["31.12.2099"],"end_is":"first_day_out","values":{"status":{"ausgeschieden":"terminated"}}}"#,
        )
        .unwrap();
        let attributes = Attributes::of(&words);
        let it = worker(
            &person(
                r#""endDate":"01.05.2026","hireDate":"31.12.2099","kind":"Employee","employeeType":"X","hrStatus":"Ausgeschieden""#,
            ),
            &attributes,
        );
        assert_eq!(
            (it.employment, it.hired, it.day_is_end),
            (Employment::Terminated, None, Some(false))
        );
        assert_eq!(it.worker_type.as_deref(), Some("employee"));
        assert_eq!(it.terminated, Some(When::Day("2026-05-01".parse().unwrap())));
        let fallback = worker(&person(r#""employeeType":"Contractor""#), &Attributes::default());
        assert_eq!(fallback.worker_type.as_deref(), Some("contractor"));
    }

    #[test]
    fn our_own_suspension_is_not_when_hr_recorded_it() {
        let mut suspended = person(r#""department":"Sales""#);
        suspended.status_changed = suspended.last_updated;
        let mut it = worker(&suspended, &Attributes::default());
        assert_eq!(it.recorded, None);
        let at = "2026-02-28T12:00:00Z".parse().unwrap();
        let event = LogEvent {
            uuid: "e1".into(),
            kind: PROFILE_CHANGED.into(),
            published: Some(at),
            succeeded: true,
            actor: None,
            people: ["00u1".to_owned()].into(),
            groups: Default::default(),
            apps: Default::default(),
        };
        let older = LogEvent {
            published: Some("2026-02-01T00:00:00Z".parse().unwrap()),
            ..event.clone()
        };
        let other = LogEvent {
            people: ["00u2".to_owned()].into(),
            ..event.clone()
        };
        assert!(!fill_recorded(&mut it, [&other]));
        assert!(fill_recorded(&mut it, [&event, &older, &other]));
        assert_eq!(it.recorded, Some(at));
    }
}
