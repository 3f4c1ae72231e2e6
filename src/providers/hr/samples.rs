//! The vendors' sample answers that stand beside this repository, through the readers of production: no difference from what is expected
//! of them. Ignored where they are not; `.ci/outside` runs it with JML_SHARED.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{
    config::Config,
    http::Answer,
    model::{Employment, Failure, Hr, Person, When, Worker},
    planner::{
        dates,
        employment::{self, Word},
    },
    providers::script,
};

pub(super) struct Samples {
    folder: PathBuf,
    pub expected: Value,
}

impl Samples {
    #[allow(
        clippy::disallowed_methods,
        reason = "a test that only runs where it is told where the samples are"
    )]
    pub fn of(kind: &str) -> Samples {
        let shared = std::env::var("JML_SHARED").expect("JML_SHARED names the folder that holds data/");
        let folder = PathBuf::from(shared).join("data").join(kind);
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        Samples {
            folder,
            expected: serde_json::from_str(&text).unwrap(),
        }
    }
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(file)).unwrap()
    }
    pub fn answer(&self, file: &str) -> Answer {
        Answer::new(200, ::http::HeaderMap::new(), self.bytes(file))
    }
    pub fn now(&self) -> DateTime<Utc> {
        self.expected["as_of"].as_str().unwrap().parse().unwrap()
    }
    pub fn files(&self) -> Vec<(String, Value)> {
        let files = self.expected["files"].as_object().unwrap();
        files.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The verdict, and every person in every field.
    pub fn compare(&self, file: &str, want: &Value, got: Result<Vec<Worker>, Failure>) {
        let verdict = want["verdict"].as_str().unwrap();
        let workers = match (verdict, got) {
            ("ok", Ok(workers)) => workers,
            ("refuse" | "unknown", Err(f)) => {
                assert_eq!(f.kind, crate::model::Kind::Contradiction, "{file}: {f}");
                return;
            }
            (_, got) => panic!("{file}: wanted {verdict}, and got {got:?}"),
        };
        let people = want["people"].as_array().unwrap();
        assert_eq!(people.len(), workers.len(), "{file}");
        for want in people {
            let id = want["person_id"].as_str().unwrap();
            let worker = workers
                .iter()
                .find(|w| w.key == id)
                .unwrap_or_else(|| panic!("{file}: {id} is missing"));
            assert_eq!(worker.fault, None, "{file}: {id}");
            let got = self.told(worker);
            let mut want = want.as_object().unwrap().clone();
            want.remove("note");
            assert_eq!(Value::Object(got), Value::Object(want), "{file}: {id}");
        }
    }

    /// What the product makes of a record, in the form of the expectations.
    fn told(&self, w: &Worker) -> Map<String, Value> {
        let zone = self
            .expected
            .pointer("/policy/time_zone")
            .and_then(Value::as_str)
            .unwrap_or("UTC");
        let text =
            format!("[systems.okta]\nurl = \"http://127.0.0.1:1\"\nwrite = \"file:t\"\n[policy]\nzone = \"{zone}\"\n");
        let policy = Config::parse("jml.toml", text).unwrap().policy;
        let person = Person {
            hr: Hr::Known(Box::new(w.clone())),
            ..script::person()
        };
        let word = employment::judge(&person, &policy, self.now());
        let starts = dates::starting(w, &policy).is_some_and(|s| s.at > self.now());
        let status = match (&word, w.employment) {
            (Word::Left { .. }, _) => "terminated",
            (Word::Employed { .. }, _) if starts => "future",
            (Word::Employed { .. }, Employment::OnLeave) => "leave",
            (Word::Employed { .. }, Employment::GardenLeave) => "garden_leave",
            (Word::Employed { .. }, _) => "active",
            (word, _) => panic!("{}: {word:?}", w.key),
        };
        let day = |when: Option<When>| when.map(dates::date_text);
        let mut out = json!({"person_id": w.key, "login": w.login, "email": w.email, "given": w.first_name, "family": w.last_name,
            "department": w.department, "title": w.title, "manager_id": w.manager, "worker_type": w.worker_type,
            "hire_date": day(w.hired), "end_date": day(w.terminated), "last_day_of_work": day(w.last_day), "rehire": w.rehired,
            "status": status, "time_zone": w.zone.map(|z| z.name()),
            "employed_at_as_of": matches!(word, Word::Employed { .. }) && !starts});
        let instant = |t: DateTime<Utc>| t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        // Said of those whose zone HR knows; of the others policy's zone decides.
        if let (Some(end), Some(_)) = (dates::leaving(w, &policy), w.zone) {
            out["ended_at"] = instant(end.at).into();
        }
        if let Some(at) = w.recorded {
            out["hr_entered_at"] = instant(at).into();
        }
        out.as_object().unwrap().clone()
    }
}
