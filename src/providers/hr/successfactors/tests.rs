use serde_json::{Value, json};

use super::*;
use crate::model::{Employment, When};

fn date(day: &str) -> String {
    let day: chrono::NaiveDate = day.parse().unwrap();
    format!(
        "/Date({})/",
        day.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_millis()
    )
}

fn employment(user: &str, from: &str, to: Option<&str>, code: &str) -> Value {
    json!({"userId": user, "startDate": date(from), "endDate": to.map(date), "lastDateWorked": null, "assignmentClass": "ST",
        "isContingentWorker": false, "userNav": {"username": user, "timeZone": "US/Eastern"},
        "jobInfoNav": {"results": [{"seqNumber": "1", "startDate": date(from), "jobTitle": "Engineer", "managerId": "boss",
            "emplStatusNav": {"externalCode": code}, "departmentNav": {"name_localized": "Sales"}}]}})
}

fn person(id: &str, employments: Vec<Value>) -> Value {
    json!({"personIdExternal": id, "personalInfoNav": {"results": [{"firstName": "Ann", "lastName": "Li"}]},
        "emailNav": {"results": [
            {"emailAddress": "home@x.example", "isPrimary": true, "emailTypeNav": {"externalCode": "P"}},
            {"emailAddress": format!("{id}@acme.example"), "isPrimary": false, "emailTypeNav": {"externalCode": "B"}}]},
        "employmentNav": {"results": employments}})
}

/// With a manager and with somebody who has left.
fn of(mut people: Vec<Value>) -> Result<Vec<Worker>, Failure> {
    people.push(person("100", vec![employment("boss", "2015-01-05", None, "A")]));
    people.push(person(
        "101",
        vec![employment("gone", "2015-01-05", Some("2026-01-30"), "T")],
    ));
    let body: persons::Body = serde_json::from_value(json!({"d": {"results": people}})).unwrap();
    persons::read(
        body.parts().0,
        &Roster::default(),
        "2026-03-10T01:00:00Z".parse().unwrap(),
    )
}
fn one(employments: Vec<Value>) -> Worker {
    of(vec![person("1", employments)]).unwrap().remove(0)
}
fn day(text: &str) -> Option<When> {
    Some(When::Day(text.parse().unwrap()))
}

#[test]
fn an_employment_says_what_a_person_is() {
    let w = one(vec![employment("ann", "2019-07-01", Some("2026-03-31"), "A")]);
    assert_eq!(
        (w.employment, w.hired, w.terminated),
        (Employment::Active, day("2019-07-01"), day("2026-03-31"))
    );
    assert_eq!((w.day_is_end, w.zone), (Some(true), Some(chrono_tz::US::Eastern)));
    assert_eq!(
        (w.email.as_deref(), w.manager.as_deref(), w.login.as_deref()),
        (Some("1@acme.example"), Some("100"), Some("ann"))
    );
    assert_eq!((w.fault, w.rehired), (None, false));
}

#[test]
fn an_earlier_employment_and_a_global_assignment_are_no_leaving() {
    let mut assignment = employment("ann_ga", "2022-01-01", Some("2025-12-31"), "T");
    assignment["assignmentClass"] = json!("GA");
    let w = one(vec![assignment, employment("ann", "2016-04-14", None, "A")]);
    assert_eq!(
        (w.employment, w.terminated, w.rehired),
        (Employment::Active, None, false)
    );
    let mut old = employment("ann", "2017-05-02", Some("2024-06-28"), "T");
    old["userNav"] = Value::Null;
    for order in [[0, 1], [1, 0]] {
        let both = [employment("ann2", "2026-01-12", None, "A"), old.clone()];
        let w = one(order.iter().map(|i| both[*i].clone()).collect());
        assert_eq!(
            (w.employment, w.terminated, w.rehired, w.fault),
            (Employment::Active, None, true, None)
        );
    }
}

#[test]
fn codes_are_more_than_two() {
    for (code, want) in [
        ("U", Employment::OnLeave),
        ("P", Employment::OnLeave),
        ("RNS", Employment::Cancelled),
    ] {
        assert_eq!(
            one(vec![employment("ann", "2019-07-01", None, code)]).employment,
            want,
            "{code}"
        );
    }
    let fault = |code, to| {
        one(vec![employment("ann", "2019-07-01", to, code)])
            .fault
            .unwrap_or_default()
    };
    assert!(fault("X", None).contains("nobody explains"));
    assert!(fault("T", None).contains("no endDate"));
    let mut ahead = employment("ann", "2026-04-01", None, "A");
    ahead["jobInfoNav"] = json!({"results": []});
    let w = one(vec![ahead]);
    assert_eq!((w.employment, w.fault), (Employment::Active, None));
}

#[test]
fn what_was_not_expanded_does_not_read_as_empty() {
    let mut p = person("1", vec![]);
    p["employmentNav"] = json!({"__deferred": {"uri": "https://x"}});
    assert!(serde_json::from_value::<persons::Body>(json!({"d": {"results": [p]}})).is_err());
    let mut e = employment("ann", "2019-07-01", None, "A");
    e["userNav"] = json!({"__deferred": {"uri": "https://x"}});
    assert!(serde_json::from_value::<persons::Body>(json!({"d": {"results": [person("1", vec![e])]}})).is_err());
}

#[test]
fn a_read_that_cant_be_whole_is_refused() {
    let ann = || person("1", vec![employment("ann", "2019-07-01", None, "A")]);
    assert!(of(vec![ann(), ann()]).unwrap_err().summary.contains("came twice"));
    let read = |people: Vec<Value>| {
        let body: persons::Body = serde_json::from_value(json!({"d": {"results": people}})).unwrap();
        persons::read(
            body.parts().0,
            &Roster::default(),
            "2026-03-10T01:00:00Z".parse().unwrap(),
        )
    };
    assert!(read(vec![]).unwrap_err().summary.contains("nobody"));
    assert!(read(vec![ann()]).unwrap_err().summary.contains("endDate"));
}

#[test]
#[ignore = "wants JML_SHARED: .ci/outside runs it"]
fn the_samples_read_as_expected() {
    let samples = crate::providers::hr::samples::Samples::of("successfactors");
    let page = |file: &str| samples.answer(file).json::<persons::Body>().map(persons::Body::parts);
    for (file, want) in samples.files() {
        match want["verdict"].as_str().unwrap() {
            "ok" => {
                let mut people = Vec::new();
                let mut more = true;
                for file in file.split('+') {
                    assert!(more, "{file} follows the last page");
                    let (some, next) = page(file).unwrap();
                    people.extend(some);
                    more = next.is_some();
                }
                assert!(!more, "{file}: the last page leads on");
                samples.compare(&file, &want, persons::read(people, &Roster::default(), samples.now()));
            }
            // What leads on is never the whole.
            "unknown" => assert!(page(file.split(' ').next().unwrap()).unwrap().1.is_some(), "{file}"),
            "trap" => assert!(page(&file).is_err(), "{file}: users are no persons"),
            other => panic!("{file}: {other}"),
        }
    }
}
