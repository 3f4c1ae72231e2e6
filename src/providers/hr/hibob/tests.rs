use serde_json::{Value, json};

use super::*;
use crate::model::{Employment, When};

/// An employee in the slash form alone.
fn employee(id: &str, change: Value) -> Value {
    let fields = json!({"root.id": id, "root.email": format!("e{id}@acme.example"), "root.firstName": "Ann", "root.surname": "Li",
        "work.startDate": "2019-07-01", "work.title": "t2", "work.department": "209192163", "work.site": "New York",
        "work.reportsTo": null, "internal.status": "active", "internal.lifecycleStatus": "employed", "internal.terminationDate": null,
        "payroll.employment.type": "Permanent"});
    let mut out =
        json!({"humanReadable": {"work": {"department": "Sales", "title": "Engineer", "startDate": "01/07/2019"}}});
    for (k, v) in fields.as_object().unwrap().iter().chain(change.as_object().unwrap()) {
        out[format!("/{}", k.replace('.', "/"))] = json!({ "value": v });
    }
    out
}

fn of(employees: Vec<Value>) -> Result<Vec<Worker>, Failure> {
    let words = Roster::default();
    let zones = BTreeMap::from([("Tokyo".to_owned(), chrono_tz::Asia::Tokyo)]);
    let body = serde_json::from_value(json!({ "employees": employees })).unwrap();
    people::read(body, &people::Fields::of(&words), &zones, &words)
}
fn one(change: Value) -> Worker {
    of(vec![employee("1", change)]).unwrap().remove(0)
}

#[test]
fn names_come_readable_and_dates_never_do() {
    let w = one(
        json!({"work.site": "Tokyo", "internal.terminationDate": "2026-04-01", "work.reportsTo": {"id": "7", "email": "b@acme.example"}}),
    );
    assert_eq!(
        (w.department.as_deref(), w.title.as_deref(), w.manager.as_deref()),
        (Some("Sales"), Some("Engineer"), Some("7"))
    );
    assert_eq!(w.hired, Some(When::Day("2019-07-01".parse().unwrap())));
    assert_eq!(w.terminated, Some(When::Day("2026-04-01".parse().unwrap())));
    assert_eq!(
        (w.day_is_end, w.zone, w.fault),
        (Some(false), Some(chrono_tz::Asia::Tokyo), None)
    );
    assert_eq!(one(json!({"work.reportsTo": "8"})).manager.as_deref(), Some("8"));
}

#[test]
fn the_lifecycle_decides_and_access_to_bob_does_not() {
    for (word, want) in [
        ("employed", Employment::Active),
        ("hired", Employment::Active),
        ("On leave", Employment::OnLeave),
        ("parentalLeave", Employment::OnLeave),
        ("Garden leave", Employment::GardenLeave),
        ("terminated", Employment::Terminated),
    ] {
        let w = one(json!({"internal.status": "inactive", "internal.lifecycleStatus": word}));
        assert_eq!((w.employment, w.fault), (want, None), "{word}");
    }
    let fault = one(json!({"internal.lifecycleStatus": "sabbatical"})).fault;
    assert!(fault.unwrap().contains("nobody explains"));
}

#[test]
fn the_nested_form_is_read_where_the_other_is_absent() {
    let mut e = employee("1", json!({}));
    e.as_object_mut().unwrap().remove("/internal/lifecycleStatus");
    e["internal"] = json!({"lifecycleStatus": "terminated"});
    assert_eq!(of(vec![e]).unwrap()[0].employment, Employment::Terminated);
}

#[test]
fn a_search_that_cant_be_whole_is_refused() {
    let refused = |all: Vec<Value>| of(all).unwrap_err().summary;
    assert!(refused(vec![]).contains("nobody"));
    assert!(refused(vec![employee("1", json!({})), employee("1", json!({}))]).contains("came twice"));
    let mut e = employee("1", json!({}));
    e.as_object_mut().unwrap().remove("/internal/terminationDate");
    assert!(refused(vec![e.clone()]).contains("internal.terminationDate"));
    // One row that has it shows that the category is granted.
    assert!(of(vec![e, employee("2", json!({}))]).is_ok());
    assert!(
        refused(vec![
            employee("1", json!({"internal.status": null})),
            employee("2", json!({}))
        ])
        .contains("internal.status")
    );
    assert!(refused(vec![employee("1", json!({"root.id": 1}))]).contains("id that is text"));
}

#[test]
#[ignore = "wants JML_SHARED: .ci/outside runs it"]
fn the_samples_read_as_expected() {
    let samples = crate::providers::hr::samples::Samples::of("hibob");
    let words = Roster::default();
    for (file, want) in samples.files() {
        let got = read(
            &samples.answer(&file),
            &people::Fields::of(&words),
            &BTreeMap::new(),
            &words,
        );
        if want["verdict"] == "trap" {
            // Nobody is gone by being missing from it; and we always ask for everybody.
            assert!(got.unwrap().iter().all(|w| w.employment.employed()), "{file}");
            continue;
        }
        samples.compare(&file, &want, got);
    }
    let asked: Value = serde_json::from_slice(&samples.bytes("search_request.json")).unwrap();
    let known: Vec<&str> = asked["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap())
        .collect();
    assert!(people::Fields::of(&words).asked().iter().all(|f| known.contains(f)));
}
