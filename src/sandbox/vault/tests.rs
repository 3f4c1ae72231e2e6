//! What no vendor's client asks: faults, the clock, what is shown.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::sandbox::engine::{Engine, Host, Request};

fn engine() -> Arc<Engine> {
    let host: Host = Arc::new(|| "2026-07-15T05:05:00Z".parse().unwrap());
    let given =
        json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 5}, "apps": {"vault": {}, "datadog": {}}});
    Engine::in_memory(given, host).unwrap()
}

async fn ask(engine: &Engine, method: &str, target: &str, token: &str, body: Value) -> (u16, Value) {
    let request = Request {
        method: method.into(),
        target: target.into(),
        headers: vec![
            ("x-vault-token".into(), token.into()),
            ("host".into(), "127.0.0.1:1".into()),
        ],
        body: body.to_string().into_bytes(),
    };
    let reply = engine.handle("vault", request).await.unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

async fn login(engine: &Engine) -> (u16, Value) {
    let of = |name: &str| engine.credential(name).unwrap();
    let body = json!({"role_id": of("vault.role"), "secret_id": of("vault.read")});
    ask(engine, "POST", "/v1/auth/approle/login", "", body).await
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_is_capped() {
    let engine = engine();
    let (status, body) = login(&engine).await;
    assert_eq!((status, &body["auth"]["lease_duration"]), (200, &json!(600)));
    let token = body["auth"]["client_token"].as_str().unwrap().to_owned();
    let (_, renewed) = ask(
        &engine,
        "POST",
        "/v1/auth/token/renew-self",
        &token,
        json!({"increment": "48h"}),
    )
    .await;
    assert_eq!(renewed["auth"]["lease_duration"], 1800);
    assert!(renewed["warnings"][0].as_str().unwrap().contains("capped"));
    engine.control("PUT", "/clock", br#"{"now": "2026-07-15T05:40:00Z"}"#);
    let (status, _) = ask(&engine, "GET", "/v1/jml/data/prod/datadog", &token, Value::Null).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_secret_id_with_one_use_is_used_up() {
    let engine = engine();
    let operator = engine.credential("vault.all").unwrap();
    let target = "/v1/auth/approle/role/jml/secret-id";
    let (_, body) = ask(&engine, "POST", target, &operator, json!({"num_uses": 1})).await;
    let login = json!({"role_id": engine.credential("vault.role").unwrap(), "secret_id": body["data"]["secret_id"]});
    let first = ask(&engine, "POST", "/v1/auth/approle/login", "", login.clone())
        .await
        .0;
    let second = ask(&engine, "POST", "/v1/auth/approle/login", "", login).await.0;
    assert_eq!((first, second), (200, 400));
}

#[tokio::test]
async fn no_secret_is_shown_in_journal_or_state() {
    let engine = engine();
    let (_, body) = login(&engine).await;
    let token = body["auth"]["client_token"].as_str().unwrap().to_owned();
    ask(&engine, "GET", "/v1/auth/token/lookup-self", &token, Value::Null).await;
    ask(&engine, "GET", "/v1/jml/data/prod/datadog", &token, Value::Null).await;
    let key = engine.credential("datadog.read").unwrap();
    for place in ["/journal", "/state"] {
        let text = String::from_utf8(engine.control("GET", place, b"").body).unwrap();
        let secret = engine.credential("vault.read").unwrap();
        for hidden in [&token, &key, &secret] {
            assert!(!text.contains(hidden.as_str()), "{place} shows a secret");
        }
    }
}

#[tokio::test]
async fn sealed_it_says_nothing_else_and_a_standby_leads_on() {
    let engine = engine();
    let patch = |v: Value| {
        engine
            .control("PATCH", "/state", json!({ "vault": v }).to_string().as_bytes())
            .status
    };
    assert_eq!(patch(json!({"standby": true})), 200);
    assert_eq!(login(&engine).await.0, 307);
    assert_eq!(patch(json!({"standby": false, "sealed": true})), 200);
    let (status, body) = login(&engine).await;
    assert_eq!((status, &body["errors"][0]), (503, &json!("Vault is sealed")));
    assert_eq!(ask(&engine, "GET", "/v1/sys/health", "", Value::Null).await.0, 503);
}
