use serde_json::{Value, json};

use super::*;
use crate::model::{Employment, When};

/// A row as the contract has it.
fn row(id: &str, change: Value) -> Value {
    let mut row = json!({"Employee_ID": id, "Worker_WID": format!("{id:0>32}"), "User_Name": format!("user{id}"),
        "Work_Email": format!("user{id}@acme.example"), "First_Name": "Ann", "Last_Name": "Li", "Department": "Sales",
        "Worker_Type": "Employee", "Worker_Status": "Active", "Active_Status": "1", "Hire_Date": "2019-07-01", "Rehire": "0",
        "Location_Time_Zone": "America/New_York"});
    for (k, v) in change.as_object().unwrap() {
        row[k] = v.clone();
    }
    row
}

/// With somebody who has left, for without one the column is blank.
fn of(mut rows: Vec<Value>, contract_end: ContractEnd) -> Result<Vec<Worker>, Failure> {
    let gone = json!({"Worker_Status": "Terminated", "Active_Status": "0", "Termination_Date": "2026-01-30"});
    rows.push(row("9", gone));
    let body = serde_json::from_value(json!({ "Report_Entry": rows })).unwrap();
    let now = "2026-03-10T01:00:00Z".parse().unwrap();
    rows::read(body, contract_end, &Roster::default(), now)
}

fn one(change: Value) -> Worker {
    of(vec![row("1", change)], ContractEnd::Terminate).unwrap().remove(0)
}

fn day(text: &str) -> Option<When> {
    Some(When::Day(text.parse().unwrap()))
}

#[test]
fn a_leaving_date_is_the_last_day_and_its_zone_is_the_workers() {
    let w = one(
        json!({"Termination_Date": "2026-03-09-08:00", "Last_Day_of_Work": "2026-03-06", "Location_Time_Zone": "Asia/Tokyo",
        "Termination_Entered": "2026-02-13T09:41:07.123-08:00"}),
    );
    assert_eq!(
        (w.terminated, w.last_day, w.day_is_end),
        (day("2026-03-09"), day("2026-03-06"), Some(true))
    );
    assert_eq!((w.zone, w.fault.clone()), (Some(chrono_tz::Asia::Tokyo), None));
    assert_eq!(w.recorded, Some("2026-02-13T17:41:07.123Z".parse().unwrap()));
}

#[test]
fn a_date_from_before_the_hire_is_the_earlier_employments() {
    let w = one(
        json!({"Hire_Date": "2026-01-12", "Termination_Date": "2024-06-28", "Last_Day_of_Work": "2024-06-28", "Rehire": "1"}),
    );
    assert_eq!((w.terminated, w.last_day, w.rehired, w.fault), (None, None, true, None));
    // Terminated with nothing but that date: nobody is let go by it.
    let w = one(
        json!({"Hire_Date": "2026-01-12", "Termination_Date": "2024-06-28", "Worker_Status": "Terminated", "Active_Status": "0"}),
    );
    assert!(w.fault.unwrap().contains("before the hire date"));
}

#[test]
fn inactive_is_not_terminated() {
    let w = one(json!({"Active_Status": "0", "Hire_Date": "2026-04-01"}));
    assert_eq!((w.employment, w.fault), (Employment::Active, None));
    let w = one(json!({"Active_Status": "0"}));
    assert!(w.employment.employed() && w.fault.unwrap().contains("Active_Status is 0"));
    let w = one(json!({"Active_Status": "0", "Hire_Rescinded": "1"}));
    assert_eq!((w.employment, w.fault), (Employment::Cancelled, None));
    let w = one(json!({"Hire_Rescinded": "1"}));
    assert_eq!((w.employment, w.fault), (Employment::Active, None));
    let w = one(json!({"Worker_Status": "On Leave"}));
    assert_eq!((w.employment, w.fault), (Employment::OnLeave, None));
}

#[test]
fn a_contract_that_ended_is_the_policys_to_judge() {
    let change = json!({"Worker_Type": "Contingent Worker", "Contract_End_Date": "2026-03-08"});
    let w = one(change.clone());
    assert_eq!(
        (w.terminated, w.worker_type.as_deref(), w.fault),
        (day("2026-03-08"), Some("contractor"), None)
    );
    let w = of(vec![row("1", change)], ContractEnd::Report).unwrap().remove(0);
    assert!(w.fault.unwrap().contains("Contract_End_Date has passed"));
}

#[test]
fn what_is_unclear_sets_one_person_aside() {
    for (change, part) in [
        (json!({"Active_Status": "true"}), "Active_Status is \"true\""),
        (json!({"Active_Status": true}), "something other than text"),
        (json!({"Worker_Status": "Paused"}), "nobody explains"),
        (json!({"Worker_Status": "Terminated"}), "Active_Status is 1"),
        (json!({"Termination_Date": "31/03/2026"}), "is no date"),
        (json!({"Work_Email": "user9@acme.example"}), "of several workers"),
    ] {
        let fault = one(change.clone()).fault.unwrap_or_default();
        assert!(fault.contains(part), "{change}: {fault:?}");
    }
}

#[test]
fn a_report_that_cant_be_whole_is_refused() {
    let refused = |rows: Vec<Value>| of(rows, ContractEnd::Terminate).unwrap_err().summary;
    assert!(refused(vec![row("1", json!({})), row("1", json!({}))]).contains("two rows are of worker"));
    assert!(refused(vec![row("", json!({}))]).contains("neither"));
    let read = |body: Value| {
        let now = "2026-03-10T01:00:00Z".parse().unwrap();
        rows::read(
            serde_json::from_value(body).unwrap(),
            ContractEnd::Terminate,
            &Roster::default(),
            now,
        )
    };
    assert!(read(json!({"Report_Entry": []})).unwrap_err().summary.contains("empty"));
    // A lost domain: nobody leaves, and nobody is said to.
    let blank = read(json!({"Report_Entry": [row("1", json!({"Termination_Date": "", "Contract_End_Date": null}))]}));
    assert!(
        blank
            .unwrap_err()
            .summary
            .contains("Termination_Date or Contract_End_Date")
    );
}

#[test]
fn two_workers_of_one_human_are_tied() {
    let ended = json!({"Worker_WID": "f".repeat(32), "User_Name": "user1", "Work_Email": null, "Worker_Status": "Terminated",
        "Active_Status": "0", "Termination_Date": "2026-02-28", "Worker_Type": "Contingent Worker"});
    // The same number and two workers, or two numbers and one user name.
    for other in ["1", "C-1"] {
        let w = of(
            vec![row("1", json!({})), row(other, ended.clone())],
            ContractEnd::Terminate,
        )
        .unwrap();
        assert!(w[0].universal.is_some() && w[0].universal == w[1].universal, "{other}");
        let hr = crate::planner::employment::settle(w[..2].to_vec());
        assert!(matches!(hr, crate::model::Hr::Converted { .. }), "{hr:?}");
    }
}

#[test]
#[ignore = "wants JML_SHARED: .ci/outside runs it"]
fn the_samples_read_as_expected() {
    let samples = crate::providers::hr::samples::Samples::of("workday");
    let settings = |contract_end| Settings {
        url: "https://services1.myworkday.com".parse().unwrap(),
        tenant: "acme".into(),
        report: "ISU_JML/JML_Workers".into(),
        user: Some("ISU_JML@acme".into()),
        client: None,
        read: serde_json::from_value(json!("file:x")).unwrap(),
        contract_end,
    };
    assert_eq!(samples.expected["policy"]["contract_end"], "terminate");
    for (file, want) in samples.files() {
        let answer = samples.answer(&file);
        let got = read(
            &answer,
            &settings(ContractEnd::Terminate),
            &Roster::default(),
            samples.now(),
        );
        samples.compare(&file, &want, got);
    }
}
