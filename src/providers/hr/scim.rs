//! A SCIM server as the source of employment: whoever it lists works here, as far as SCIM can tell.
//!
//! It has no leaving date and no hire date; `active: false` is its only sign, and that means suspended, on leave or not yet here as well.
//! So unless the section says `inactive_means = "terminated"`, an inactive person is set aside and nobody leaves by it. Nobody leaves by not
//! being listed either. Facts: RFC 7643 section 4; a manager is the id of another resource.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use crate::{
    config::{Fields, Roster},
    http::sentence,
    model::{Age, Employment, Failure, System, When, Worker},
    providers::{
        Cursor, Employ, Look, Page, Source,
        apps::scim::{ENTERPRISE, Inactive, Resource, Server, Settings, reader},
    },
};

pub struct Employees;

impl Source for Employees {
    type Settings = Settings;
    type Roster = Listed;
    fn roster(system: System, settings: Settings, words: &Roster, look: &Look) -> Listed {
        Listed {
            server: reader(&system, &settings, look),
            inactive: settings.inactive_means,
            words: words.clone(),
        }
    }
}

pub struct Listed {
    server: Server,
    inactive: Inactive,
    words: Roster,
}

impl Employ for Listed {
    /// All in one page: a manager may stand on any other, and a list that doesn't add up is nobody's.
    async fn page(&self, _: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let all = self.server.all("Users", None, "").await?;
        if all.is_empty() {
            let what = format!("list the people of {}", self.server.name());
            return Err(Failure::contradiction(
                what,
                "lists nobody: a token that sees too little looks like this",
            ));
        }
        let reader = Reading {
            words: &self.words,
            inactive: self.inactive,
            logins: logins(&all, &self.words.attributes),
        };
        let mut items: Vec<Worker> = all.iter().map(|r| reader.worker(r)).collect();
        shared(&mut items);
        Ok(Page {
            total: Some(items.len() as u64),
            items,
            next: None,
        })
    }

    /// As it is at this moment.
    async fn age(&self) -> Result<Age, Failure> {
        Ok(Age::Live)
    }
}

/// An attribute as the configuration names it; a bare name may be the enterprise extension's.
fn text(r: &Resource, path: &str) -> Option<String> {
    let found = r.at(path).or_else(|| {
        let bare = !path.contains(':');
        bare.then(|| r.at(&format!("{ENTERPRISE}:{path}"))).flatten()
    })?;
    let said = match found {
        Value::String(t) => t.trim().to_owned(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => return None,
    };
    (!said.is_empty()).then_some(said)
}

fn login(r: &Resource, fields: &Fields) -> Option<String> {
    text(r, fields.login.as_deref().unwrap_or("userName"))
}

fn logins(all: &[Resource], fields: &Fields) -> BTreeMap<String, String> {
    let pair = |r: &Resource| Some((r.id()?.to_owned(), login(r, fields)?));
    all.iter().filter_map(pair).collect()
}

struct Reading<'a> {
    words: &'a Roster,
    inactive: Inactive,
    /// By the resource's id: what `manager.value` points at.
    logins: BTreeMap<String, String>,
}

impl Reading<'_> {
    fn worker(&self, r: &Resource) -> Worker {
        let fields = &self.words.attributes;
        let of = |named: &Option<String>, default: &str| text(r, named.as_deref().unwrap_or(default));
        let only = |named: &Option<String>| named.as_deref().and_then(|n| text(r, n));
        let mut faults = Vec::new();
        let id = r.id().unwrap_or_default();
        let key = of(&fields.id, "externalId").unwrap_or_else(|| {
            let wanted = fields.id.as_deref().unwrap_or("externalId");
            faults.push(format!("it has no {wanted}, which is the number of a person here"));
            id.to_owned()
        });
        let manager = of(&fields.manager, "manager.value").map(|m| self.logins.get(&m).cloned().unwrap_or(m));
        let worker_type = of(&fields.worker_type, "userType").map(|t| self.words.values.worker_type(&t));
        let email = match &fields.email {
            Some(named) => text(r, named),
            None => r.emails().next().map(str::to_owned),
        };
        let hired = self.date(only(&fields.hire_date), "hire date", &mut faults);
        let terminated = self.date(only(&fields.termination_date), "termination date", &mut faults);
        let last_day = self.date(only(&fields.last_day_of_work), "last day of work", &mut faults);
        let employment = self.employment(r, &mut faults);
        Worker {
            key,
            universal: only(&fields.universal_id),
            login: login(r, fields),
            email,
            first_name: of(&fields.first_name, "name.givenName"),
            last_name: of(&fields.last_name, "name.familyName"),
            department: of(&fields.department, "department"),
            title: of(&fields.title, "title"),
            location: only(&fields.location),
            worker_type,
            manager,
            employment,
            hired,
            terminated,
            last_day,
            recorded: None,
            rehired: false,
            zone: None,
            changed: None,
            day_is_end: None,
            place: Some(format!("SCIM id {}", sentence(id))),
            fault: faults.into_iter().next(),
        }
    }

    /// A word of HR's own outranks `active`, where the configuration names one.
    fn employment(&self, r: &Resource, faults: &mut Vec<String>) -> Employment {
        if let Some(named) = &self.words.attributes.status
            && !named.eq_ignore_ascii_case("active")
        {
            let word = text(r, named);
            let known = word.as_deref().and_then(|w| self.words.values.employment(w));
            return known.unwrap_or_else(|| {
                let word = word.map_or("is empty".to_owned(), |w| format!("{:?} isn't explained", sentence(&w)));
                faults.push(format!("{named} {word}: see [roster.values.status]"));
                Employment::Active
            });
        }
        match (r.active(), self.inactive) {
            (Some(true), _) => Employment::Active,
            (Some(false), Inactive::Terminated) => Employment::Terminated,
            (Some(false), Inactive::Unknown) => {
                faults.push("it is inactive, which may mean gone, suspended, on leave or not yet here".to_owned());
                Employment::Active
            }
            (None, _) => {
                faults.push("it doesn't say whether it is active".to_owned());
                Employment::Active
            }
        }
    }

    fn date(&self, said: Option<String>, what: &str, faults: &mut Vec<String>) -> Option<When> {
        let said = said.filter(|s| !self.words.empty_dates.contains(s))?;
        let format = &self.words.date_format;
        // chrono takes 7 where the form has 07; we don't
        let day = NaiveDate::parse_from_str(&said, format).ok();
        match day.filter(|d| d.format(format).to_string() == said) {
            Some(day) => Some(When::Day(day)),
            None => {
                faults.push(format!("its {what} {:?} isn't in the form {format}", sentence(&said)));
                None
            }
        }
    }
}

/// One number or one login for two records: nobody knows whose it is.
fn shared(workers: &mut [Worker]) {
    type Of = fn(&Worker) -> Option<String>;
    let names: [(&str, Of); 2] = [
        ("number", |w| Some(w.key.clone())),
        ("login", |w| w.login.as_ref().map(|l| l.to_lowercase())),
    ];
    for (what, of) in names {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for w in workers.iter() {
            if let Some(name) = of(w) {
                *seen.entry(name).or_default() += 1;
            }
        }
        for w in workers.iter_mut() {
            let name = of(w).filter(|n| seen.get(n).is_some_and(|n| *n > 1));
            if let Some(name) = name {
                w.fault
                    .get_or_insert(format!("its {what} {} is another record's too", sentence(&name)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(inactive: Inactive, words: Roster, people: Value) -> Vec<Worker> {
        let all: Vec<Resource> = people
            .as_array()
            .unwrap()
            .iter()
            .map(|p| Resource(p.as_object().unwrap().clone()))
            .collect();
        let reading = Reading {
            words: &words,
            inactive,
            logins: logins(&all, &words.attributes),
        };
        let mut out: Vec<Worker> = all.iter().map(|r| reading.worker(r)).collect();
        shared(&mut out);
        out
    }

    fn people() -> Value {
        json!([
            {"id": "a1", "externalId": "hr-1", "userName": "alice@acme.example", "active": true,
             "name": {"givenName": "Alice", "familyName": "Anders"}, "userType": "Employee", "emails": [{"value": "alice@acme.example"}],
             ENTERPRISE: {"department": "Engineering", "employeeNumber": "10001"}},
            {"id": "b1", "externalId": "hr-2", "userName": "bob@acme.example", "active": "False",
             ENTERPRISE: {"manager": {"value": "a1"}, "employeeNumber": "10002"}},
            {"id": "c1", "userName": "carol@acme.example"},
        ])
    }

    #[test]
    fn a_manager_is_another_resource_and_the_extension_is_read_by_bare_names() {
        let all = read(Inactive::Terminated, Roster::default(), people());
        assert_eq!(
            (all[0].key.as_str(), all[0].first_name.as_deref()),
            ("hr-1", Some("Alice"))
        );
        assert_eq!(
            (all[0].department.as_deref(), all[0].worker_type.as_deref()),
            (Some("Engineering"), Some("employee"))
        );
        assert_eq!(all[1].manager.as_deref(), Some("alice@acme.example"));
        let by_number = Fields {
            id: Some("employeeNumber".into()),
            ..Fields::default()
        };
        let words = Roster {
            attributes: by_number,
            ..Roster::default()
        };
        assert_eq!(read(Inactive::Terminated, words, people())[1].key, "10002");
    }

    #[test]
    fn inactive_is_a_leaving_only_where_the_section_says_so() {
        let (careful, told) = (
            read(Inactive::Unknown, Roster::default(), people()),
            read(Inactive::Terminated, Roster::default(), people()),
        );
        assert_eq!((told[1].employment, &told[1].fault), (Employment::Terminated, &None));
        assert_eq!(careful[1].employment, Employment::Active);
        assert!(careful[1].fault.as_ref().is_some_and(|f| f.contains("inactive")));
        for all in [&careful, &told] {
            assert!(all[2].fault.is_some(), "neither a number nor active");
            assert_eq!(all[2].employment, Employment::Active);
        }
    }

    #[test]
    fn dates_and_words_come_from_attributes_that_the_configuration_names() {
        let own = "urn:acme:hr:1.0:Worker";
        let mut all = people();
        all[0][own] = json!({"lastDay": "2026-07-14", "state": "T"});
        all[1][own] = json!({"lastDay": "14.07.2026", "state": "?"});
        let mut words = Roster::default();
        words.attributes.termination_date = Some(format!("{own}:lastDay"));
        words.attributes.status = Some(format!("{own}:state"));
        words.values.status.insert("t".into(), crate::config::Word::Terminated);
        let read = read(Inactive::Unknown, words, all);
        let day = NaiveDate::from_ymd_opt(2026, 7, 14).unwrap();
        assert_eq!(
            (read[0].terminated, read[0].employment),
            (Some(When::Day(day)), Employment::Terminated)
        );
        assert!(read[1].fault.as_ref().is_some_and(|f| f.contains("isn't in the form")));
    }

    #[test]
    fn what_two_records_share_is_nobodys() {
        let mut all = people();
        all[1]["externalId"] = json!("hr-1");
        let read = read(Inactive::Terminated, Roster::default(), all);
        assert!(
            read[..2]
                .iter()
                .all(|w| w.fault.as_ref().is_some_and(|f| f.contains("another record's")))
        );
    }
}
