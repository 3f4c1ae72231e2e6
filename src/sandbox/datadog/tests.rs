use chrono::TimeZone;

use super::*;

fn world() -> World {
    let mut w = World {
        now: Utc.with_ymd_and_hms(2026, 11, 25, 0, 12, 0).unwrap(),
        ..World::default()
    };
    for (name, write) in [("read", false), ("write", true), ("all", true)] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("datadog.{name}"),
            secret: format!("k-{name}"),
            write,
        });
    }
    (TWIN.load)(&mut w, &json!({})).unwrap();
    w
}

fn call(w: &World, method: &str, path: &str, body: &Value) -> Call {
    let headers = [("dd-api-key", "k-write"), ("dd-application-key", "monitor-k-all")];
    Call {
        method: method.into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: Vec::new(),
        headers: headers.map(|(k, v)| (k.into(), v.into())).to_vec(),
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    }
}

fn ask(w: &mut World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let c = call(w, method, path, body);
    let r = (TWIN.answer)(w, &c);
    (r.status, serde_json::from_slice(&r.body).unwrap_or(Value::Null))
}

fn point(metric: &str, at: i64, value: f64) -> Value {
    json!({"series": [{"metric": metric, "type": 3, "points": [{"timestamp": at, "value": value}], "tags": ["env:prod"]}]})
}

#[test]
fn the_same_event_twice_is_two_events_and_ids_lose_digits() {
    let mut w = world();
    let body = json!({"title": "t", "text": "x", "aggregation_key": "r-1", "tags": ["service:jml"]});
    let (status, first) = ask(&mut w, "POST", "/api/v1/events", &body);
    let (_, second) = ask(&mut w, "POST", "/api/v1/events", &body);
    assert_eq!(status, 202);
    assert_ne!(first["event"]["id_str"], second["event"]["id_str"]);
    let exact: u64 = first["event"]["id_str"].as_str().unwrap().parse().unwrap();
    assert!(exact > 1 << 53 && first["event"]["id"] == json!(exact / 1000 * 1000) && !exact.is_multiple_of(1000));
    assert_eq!((TWIN.state)(&w)["events"][1]["aggregation_key"], "r-1");
    let found = ask(
        &mut w,
        "POST",
        "/api/v2/events/search",
        &json!({"filter": {"query": "service:jml @aggregation_key:r-1"}}),
    )
    .1;
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
}

#[test]
fn an_event_of_yesterday_is_refused_in_plain_text() {
    let mut w = world();
    let old = json!({"title": "t", "text": "x", "date_happened": w.now.timestamp() - 19 * 3600});
    let c = call(&w, "POST", "/api/v1/events", &old);
    let r = (TWIN.answer)(&mut w, &c);
    assert_eq!((r.status, r.headers[0].1.as_str()), (400, "text/plain; charset=utf-8"));
    assert_eq!(r.body, br#"{"errors":["Event too far in the past"]}"#);
}

#[test]
fn a_late_point_is_accepted_and_dropped_and_the_same_second_overwrites() {
    let mut w = world();
    let now = w.now.timestamp();
    for (at, value) in [
        (now - 3601, 1.0),
        (now + 601, 2.0),
        (now - 3600, 3.0),
        (now, 4.0),
        (now, 5.0),
    ] {
        let (status, body) = ask(&mut w, "POST", "/api/v2/series", &point("jml.x", at, value));
        assert_eq!((status, body), (202, json!({"errors": []})));
    }
    let kept: Vec<f64> = (TWIN.state)(&w)["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["value"].as_f64().unwrap())
        .collect();
    assert_eq!(kept, [3.0, 5.0]);
    let mut big = call(&w, "POST", "/api/v2/series", &Value::Null);
    big.body = vec![b' '; MAX_PAYLOAD + 1];
    assert_eq!((TWIN.answer)(&mut w, &big).status, 413);
}

#[test]
fn a_key_is_wanted_everywhere_and_an_application_key_to_read() {
    let mut w = world();
    let mut c = call(&w, "GET", "/api/v1/validate", &Value::Null);
    c.headers.remove(1);
    assert_eq!((TWIN.answer)(&mut w, &c).status, 200);
    c.headers[0].1 = "nobody".into();
    assert!(
        String::from_utf8((TWIN.answer)(&mut w, &c).body)
            .unwrap()
            .contains("statuspage")
    );
    c.headers.clear();
    assert_eq!((TWIN.answer)(&mut w, &c).body, br#"{"errors":["API key required"]}"#);
    let mut c = call(&w, "GET", "/api/v1/monitor", &Value::Null);
    assert_eq!((TWIN.answer)(&mut w, &c).status, 200);
    c.headers[1].1 = "wrong".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 403);
    // One that may read monitors may not write them.
    c.headers[1].1 = "app-k-all".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 200);
    c.method = "POST".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 403);
    let mut c = call(&w, "POST", "/api/v1/events", &json!({"title": "t", "text": "x"}));
    c.headers[0].1 = "k-read".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 403);
}

#[test]
fn errors_of_version_two_are_objects() {
    let mut w = world();
    let event = |category: &str, tags: Value| json!({"data": {"type": "event", "attributes": {"category": category, "title": "t", "tags": tags, "attributes": {"status": "error"}}}});
    let (status, body) = ask(&mut w, "POST", "/api/v2/events", &event("invalid", json!(["a:b"])));
    assert_eq!(status, 400);
    assert!(
        body["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("$.data.attributes.category")
    );
    assert_eq!(ask(&mut w, "POST", "/api/v2/events", &event("alert", json!([]))).0, 400);
    assert_eq!(
        ask(&mut w, "POST", "/api/v2/events", &event("alert", json!(["a:b"]))).0,
        202
    );
}

#[test]
fn a_monitor_comes_back_rewritten_and_goes_once() {
    let mut w = world();
    let body = json!({"name": "m", "type": "metric alert", "query": "max(last_10m):max:jml.x{*} > 900", "message": "m",
        "tags": ["service:jml"], "options": {"thresholds": {"critical": 900.0}}});
    let (status, made) = ask(&mut w, "POST", "/api/v1/monitor", &body);
    assert_eq!(
        (status, &made["type"], &made["options"]["new_host_delay"]),
        (200, &json!("query alert"), &json!(300))
    );
    let path = format!("/api/v1/monitor/{}", made["id"]);
    assert_eq!(
        ask(&mut w, "DELETE", &path, &Value::Null).1,
        json!({"deleted_monitor_id": made["id"]})
    );
    assert_eq!(
        ask(&mut w, "DELETE", &path, &Value::Null),
        (404, json!({"errors": ["Monitor not found"]}))
    );
    assert_eq!(
        ask(
            &mut w,
            "POST",
            "/api/v1/monitor/validate",
            &json!({"type": "query alert", "query": "query"})
        )
        .0,
        400
    );
}

#[test]
fn what_changed_is_restored_elsewhere() {
    let mut w = world();
    let body = point("jml.sweep.heartbeat", w.now.timestamp(), 1.0);
    assert_eq!(
        (TWIN.operation)(&w, &call(&w, "POST", "/api/v2/series", &body)).unwrap(),
        "send-metric:jml.sweep.heartbeat"
    );
    ask(&mut w, "POST", "/api/v2/series", &body);
    let mut again = world();
    for (_, list, id) in &w.dirty {
        (TWIN.restore)(&mut again, list, id, (TWIN.entry)(&w, list, id).as_ref()).unwrap();
    }
    assert_eq!((TWIN.state)(&again), (TWIN.state)(&w));
    (TWIN.patch)(&mut w, &json!({"metrics": []})).unwrap();
    assert_eq!((TWIN.state)(&w)["metrics"], json!([]));
    assert!((TWIN.load)(&mut w, &json!({"events": []})).is_err());
}
