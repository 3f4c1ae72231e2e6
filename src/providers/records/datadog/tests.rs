use super::*;
use crate::providers::script::{Script, lost, now, ok, says};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/datadog/", $name))
    };
}

const EVENTS: &str = "POST /api/v1/events";
const SERIES: &str = "POST /api/v2/series";
const TAKEN: &str = r#"{"errors": []}"#;

fn record(ago: Duration, what: What) -> Record {
    Record {
        key: "r-1/00u1/event".into(),
        run: "r-1".into(),
        login: Some("alice@acme.example".into()),
        at: now() - ago,
        what,
    }
}

fn event(text: &str) -> What {
    What::Event {
        title: "jml leaver completed".into(),
        text: text.into(),
        tags: vec!["Flow:Leaver".into(), "sla:met".into()],
        alert: false,
    }
}

fn metric(value: f64, tags: &[&str]) -> What {
    What::Metric {
        name: "jml.offboarding.seconds".into(),
        value,
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
    }
}

async fn sent(begins: &'static str, body: &'static str, record: &Record) -> (Result<Receipt, Failure>, Value) {
    let script = Script::of([says(begins, 202, body)]);
    let receipt = Sender::new(script.writer(explain)).deliver(record).await;
    let asked = script.asked();
    let body = asked
        .first()
        .and_then(|a| a.split_once(" {"))
        .map(|(_, b)| serde_json::from_str(&format!("{{{b}")).unwrap());
    (receipt, body.unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn an_events_exact_id_is_kept() {
    let (receipt, body) = sent(EVENTS, fixture!("event.json"), &record(Duration::zero(), event("done"))).await;
    assert_eq!(receipt.unwrap().made.as_deref(), Some("6327818702635911562"));
    assert_eq!(
        (&body["aggregation_key"], &body["date_happened"]),
        (&json!("r-1"), &json!(now().timestamp()))
    );
    assert_eq!(body["tags"], json!(["service:jml", "flow:leaver", "sla:met"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_late_is_sent_as_of_now_and_says_so() {
    let (_, body) = sent(
        EVENTS,
        fixture!("event.json"),
        &record(Duration::hours(20), event("done")),
    )
    .await;
    assert_eq!(body["date_happened"], now().timestamp());
    assert_eq!(body["text"], "Happened 2026-11-24T04:12:00Z, delivered late.\ndone");
    let (_, body) = sent(
        SERIES,
        TAKEN,
        &record(Duration::minutes(56), metric(412.0, &["env:prod"])),
    )
    .await;
    let series = &body["series"][0];
    assert_eq!(
        (&series["points"][0], &series["type"]),
        (&json!({"timestamp": now().timestamp(), "value": 412.0}), &json!(3))
    );
    assert_eq!(series["tags"], json!(["service:jml", "env:prod", "late:true"]));
    let (_, body) = sent(SERIES, TAKEN, &record(Duration::minutes(54), metric(412.0, &[]))).await;
    assert_eq!(
        body["series"][0]["points"][0]["timestamp"],
        (now() - Duration::minutes(54)).timestamp()
    );
}

#[tokio::test(start_paused = true)]
async fn no_address_becomes_a_tag_and_no_nan_a_point() {
    let (_, body) = sent(
        SERIES,
        TAKEN,
        &record(
            Duration::zero(),
            metric(1.0, &["login:alice@acme.example", "Env:R&D prod", "7"]),
        ),
    )
    .await;
    assert_eq!(body["series"][0]["tags"], json!(["service:jml", "env:r_d_prod"]));
    let script = Script::of([]);
    let nan = Sender::new(script.writer(explain))
        .deliver(&record(Duration::zero(), metric(f64::NAN, &[])))
        .await;
    assert_eq!((nan.unwrap_err().kind, script.asked().len()), (Kind::Permanent, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_text_is_cut_to_what_is_taken() {
    let (_, body) = sent(
        EVENTS,
        fixture!("event.json"),
        &record(Duration::zero(), event(&"é".repeat(5000))),
    )
    .await;
    assert_eq!(body["text"].as_str().map(|t| t.chars().count()), Some(LONGEST));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_never_sent_again_blindly_and_a_gauge_may_be() {
    let script = Script::of([lost(EVENTS)]);
    let f = Sender::new(script.writer(explain))
        .deliver(&record(Duration::zero(), event("x")))
        .await
        .unwrap_err();
    assert_eq!((f.kind, script.asked().len()), (Kind::Doubt, 1));
    let script = Script::of([lost(SERIES), ok(SERIES, TAKEN)]);
    assert!(
        Sender::new(script.writer(explain))
            .deliver(&record(Duration::zero(), metric(1.0, &[])))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn errors_are_read_in_each_of_their_forms() {
    for (body, want) in [
        (
            r#"{"errors": ["Event too far in the past"]}"#,
            "Event too far in the past",
        ),
        (
            fixture!("errors_v2.json"),
            "JSON validation failed at $.data.attributes.category",
        ),
        ("<html><body><h1>403 Forbidden</h1></body></html>", "refuses the call"),
    ] {
        let script = Script::of([says(EVENTS, 400, body)]);
        let f = Sender::new(script.writer(explain))
            .deliver(&record(Duration::zero(), event("x")))
            .await
            .unwrap_err();
        assert!(f.summary.contains(want), "{f}");
    }
    let script = Script::of([says(EVENTS, 403, r#"{"errors": ["Forbidden"]}"#)]);
    let f = Sender::new(script.writer(explain))
        .deliver(&record(Duration::zero(), event("x")))
        .await
        .unwrap_err();
    assert!(f.kind == Kind::Auth && f.hint.is_some_and(|h| h.text.contains("another site")));
}

#[test]
fn the_rest_goes_elsewhere() {
    let d = Sender::new(Script::of([]).writer(explain));
    assert!(
        d.takes(&metric(1.0, &[]))
            && !d.takes(&What::Incident {
                title: String::new(),
                text: String::new()
            })
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_site_knows_is_told_from_one_that_is() {
    let asked = async |line| valid(&Script::of([line]).reader(explain)).await;
    assert_eq!(asked(ok("GET /api/v1/validate", r#"{"valid": true}"#)).await, Ok(()));
    let refused = says(
        "GET /api/v1/validate",
        403,
        r#"{"status": "error", "code": 403, "errors": ["Forbidden"]}"#,
    );
    let f = asked(refused).await;
    assert_eq!(f.unwrap_err().kind, Kind::Auth);
}
