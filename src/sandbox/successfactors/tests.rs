use serde_json::{Value, json};

use crate::sandbox::engine::{Engine, Request};

fn engine() -> std::sync::Arc<Engine> {
    let given = json!({"now": "2026-07-15T05:30:00Z", "population": {"people": 120}, "roster": {"kind": "successfactors", "workers": [
        {"employee_id": "1", "login": "vic.oz@acme.example", "termination_date": "2026-07-14"},
        {"employee_id": "o'2", "login": "ann.li@acme.example"},
        {"employee_id": "3", "login": "jo.no@acme.example", "hire_date": "2026-09-01"}]}});
    let now = "2026-07-15T05:30:00Z".parse().unwrap();
    Engine::in_memory(given, std::sync::Arc::new(move || now)).unwrap()
}

async fn get(engine: &Engine, target: &str) -> (u16, Value) {
    let token = engine.credential("successfactors.all").unwrap();
    let request = Request {
        method: "GET".into(),
        target: format!("/odata/v2/{target}"),
        headers: vec![("authorization".into(), format!("Bearer {token}"))],
        body: vec![],
    };
    let reply = engine.handle("successfactors", request).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn pages_lead_on_and_what_is_not_expanded_is_deferred() {
    let e = engine();
    let (_, first) = get(&e, "PerPerson?$format=json&customPageSize=100").await;
    let person = &first["d"]["results"][0];
    assert!(person["employmentNav"]["__deferred"]["uri"].is_string());
    let next = first["d"]["__next"].as_str().unwrap();
    let (_, second) = get(&e, next.split_once("/odata/v2/").unwrap().1).await;
    assert_eq!(
        (
            second["d"]["results"].as_array().unwrap().len(),
            second["d"].get("__next")
        ),
        (23, None)
    );
    assert_eq!(get(&e, "PerPerson/%24count").await.1, 123);
}

#[tokio::test(start_paused = true)]
async fn quotes_are_doubled_and_what_is_unknown_is_refused() {
    let e = engine();
    let ids = |v: Value| -> Vec<String> {
        let rows = v["d"]["results"].as_array().unwrap().clone();
        rows.iter()
            .map(|r| r["personIdExternal"].as_str().unwrap().to_owned())
            .collect()
    };
    let one = |f: &str| format!("PerPerson?$format=json&$filter={f}");
    assert_eq!(ids(get(&e, &one("personIdExternal%20eq%20'o''2'")).await.1), ["o'2"]);
    assert_eq!(
        ids(get(&e, &one("personIdExternal%20in%20'1','3'")).await.1),
        ["1", "3"]
    );
    assert_eq!(
        get(&e, &one("personIdExternal%20eq%20'1'%20or%201%20eq%201")).await.0,
        400
    );
    assert_eq!(
        get(&e, "PerPerson?$format=json&$select=nosuch").await.1["error"]["code"],
        "COE_PROPERTY_NOT_FOUND"
    );
    assert_eq!(get(&e, "Nobody").await.1["error"]["code"], "COE_ENTITY_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_query_of_users_hides_the_inactive() {
    let e = engine();
    let names = |v: Value| v["d"]["results"].as_array().unwrap().len();
    // Neither who left nor who has not begun.
    assert_eq!(names(get(&e, "User").await.1), 121);
    assert_eq!(names(get(&e, "User?$filter=status%20in%20't','f'").await.1), 122);
}

#[tokio::test(start_paused = true)]
async fn an_assertion_that_nobody_signed_gives_no_token() {
    let e = engine();
    let form = "company_id=ACME&client_id=jml-api-key&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Asaml2-bearer&assertion=bm9uc2Vuc2U%3D";
    let request = Request {
        method: "POST".into(),
        target: "/oauth/token".into(),
        headers: vec![],
        body: form.as_bytes().to_vec(),
    };
    assert_eq!(e.handle("successfactors", request).await.unwrap().status, 401);
}
