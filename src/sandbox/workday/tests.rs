use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sandbox::engine::{Engine, Request};

async fn ask(given: Value, fault: Option<&str>, target: &str, user: &str) -> (u16, Value) {
    let now: DateTime<Utc> = given["now"].as_str().unwrap().parse().unwrap();
    let engine = Engine::in_memory(given, std::sync::Arc::new(move || now)).unwrap();
    if let Some(fault) = fault {
        let reply = engine.control("POST", "/faults", json!([fault]).to_string().as_bytes());
        assert_eq!(reply.status, 200, "{fault}");
    }
    use base64::Engine as _;
    let pair = format!("{user}:{}", engine.credential("workday.read").unwrap());
    let basic = base64::prelude::BASE64_STANDARD.encode(pair);
    let request = Request {
        method: "GET".into(),
        target: target.into(),
        headers: vec![("authorization".into(), format!("Basic {basic}"))],
        body: vec![],
    };
    let reply = engine.handle("workday", request).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

const REPORT: &str = "/ccx/service/customreport2/acme/ISU_JML/JML_Workers?format=json";

fn world() -> Value {
    json!({"now": "2026-07-15T05:30:00Z", "population": {"people": 12}, "roster": {"kind": "workday", "workers": [
        {"employee_id": "1", "login": "vic.oz@acme.example", "termination_date": "2026-07-14"},
        {"employee_id": "2", "login": "ann.li@acme.example", "worker_type": "Contractor"},
        {"employee_id": "3", "login": "jo.no@acme.example", "hire_date": "2026-09-01"}]}})
}

#[tokio::test(start_paused = true)]
async fn the_day_ends_in_the_pacific() {
    let status = |now: &str| {
        let mut given = world();
        given["now"] = now.into();
        async move {
            let (_, body) = ask(given, None, REPORT, "ISU_JML@acme").await;
            let row = &body["Report_Entry"][0];
            (row["Worker_Status"].clone(), row["Active_Status"].clone())
        }
    };
    // Past midnight in Chicago, not yet there.
    assert_eq!(status("2026-07-15T05:30:00Z").await, (json!("Active"), json!("1")));
    assert_eq!(status("2026-07-15T07:00:00Z").await, (json!("Terminated"), json!("0")));
}

#[tokio::test(start_paused = true)]
async fn it_prints_text_and_refuses_what_it_does_not_know() {
    let (status, body) = ask(world(), None, REPORT, "ISU_JML@acme").await;
    let rows = body["Report_Entry"].as_array().unwrap();
    assert_eq!((status, rows.len()), (200, 15));
    let text = |v: &Value| v.is_string() || v.is_null();
    assert!(rows.iter().flat_map(|r| r.as_object().unwrap().values()).all(text));
    assert_eq!(rows[1]["Contingent_Worker_ID"], "2");
    assert_eq!(
        (&rows[2]["Active_Status"], &rows[2]["Worker_Status"]),
        (&json!("0"), &json!("Active"))
    );
    assert_eq!(ask(world(), None, REPORT, "someone").await.0, 401);
    assert_eq!(
        ask(world(), None, &format!("{REPORT}&limit=1"), "ISU_JML@acme").await.0,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn its_ways_to_err_are_the_vendors() {
    let with = |fault| ask(world(), Some(fault), REPORT, "ISU_JML@acme");
    assert_eq!(with("workday:empty").await.1, json!({"Report_Entry": []}));
    assert_eq!(with("workday:truncated").await, (200, Value::Null));
    assert_eq!(with("workday:not-authorized-500").await.0, 500);
    let (_, lost) = with("workday:domain-lost").await;
    assert_eq!(lost["Report_Entry"][0].get("Worker_Status"), None);
    assert_eq!(
        with("workday:constrained").await.1["Report_Entry"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
}
