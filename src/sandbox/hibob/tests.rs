use base64::Engine as _;
use serde_json::{Value, json};

use crate::sandbox::engine::{Engine, Request};

fn engine() -> std::sync::Arc<Engine> {
    let given = json!({"now": "2026-07-15T05:30:00Z", "population": {"people": 3}, "roster": {"kind": "hibob", "workers": [
        {"employee_id": "1", "login": "vic.oz@acme.example", "termination_date": "2026-07-14"},
        {"employee_id": "2", "login": "ann.li@acme.example", "on_leave": true},
        {"employee_id": "3", "login": "jo.no@acme.example", "hire_date": "2026-09-01"},
        {"employee_id": "4", "login": "kim.ka@acme.example", "last_day_of_work": "2026-07-10", "termination_date": "2026-09-30"}]}});
    let now = "2026-07-15T05:30:00Z".parse().unwrap();
    Engine::in_memory(given, std::sync::Arc::new(move || now)).unwrap()
}

async fn search(engine: &Engine, token: Option<&str>, body: Value) -> (u16, Value) {
    let token = token.map_or_else(|| engine.credential("hibob.read").unwrap(), str::to_owned);
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("SERVICE-1:{token}"));
    let request = Request {
        method: "POST".into(),
        target: "/v1/people/search".into(),
        headers: vec![("authorization".into(), format!("Basic {basic}"))],
        body: body.to_string().into_bytes(),
    };
    let reply = engine.handle("hibob", request).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn inactive_people_hide_until_they_are_asked_for() {
    let e = engine();
    let fields = json!([
        "root.email",
        "internal.lifecycleStatus",
        "internal.terminationDate",
        "no.such"
    ]);
    let (_, default) = search(&e, None, json!({ "fields": fields })).await;
    assert_eq!(default["employees"].as_array().unwrap().len(), 3);
    let (_, every) = search(&e, None, json!({"fields": fields, "showInactive": true})).await;
    let words: Vec<&str> = every["employees"]
        .as_array()
        .unwrap()
        .iter()
        .take(4)
        .map(|r| r["internal"]["lifecycleStatus"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["terminated", "leave", "hired", "gardenLeave"]);
    let first = &every["employees"][0];
    // The first day out.
    assert_eq!(first["/internal/terminationDate"], json!({"value": "2026-07-15"}));
    assert_eq!(first.get("/no/such"), None);
    let (_, bare) = search(&e, None, json!({"showInactive": true})).await;
    assert_eq!(bare["employees"][0].get("internal"), None);
}

#[tokio::test(start_paused = true)]
async fn filters_are_few_and_wrong_logins_are_shut_out() {
    let e = engine();
    assert_eq!(search(&e, None, json!({"filters": []})).await.0, 400);
    for _ in 0..10 {
        assert_eq!(search(&e, Some("wrong"), json!({})).await.0, 401);
    }
    assert_eq!(search(&e, None, json!({})).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn fifty_searches_a_minute() {
    let e = engine();
    for _ in 0..50 {
        assert_eq!(search(&e, None, json!({})).await.0, 200);
    }
    assert_eq!(search(&e, None, json!({})).await.0, 429);
}
