use std::sync::Arc;

use ::http::{HeaderMap, header::AUTHORIZATION};

use super::{wire::correlation, *};
use crate::http::{Answer, Outgoing};
use crate::model::{Failure, Kind, Manifest, Observed, Receipt, Record, What};
use crate::providers::Deliver;
use crate::providers::script::{Script, lost, now, ok, says, with};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/servicenow/", $name))
    };
}

const LOOK: &str =
    "GET /api/now/table/change_request?sysparm_query=correlation_id%3Djml-r-1-00u1-record%5EORDERBYsys_created_on&";
const MAKE: &str = "POST /api/now/table/change_request?sysparm_fields=";
const LIST: &str = "GET /api/now/attachment?sysparm_query=table_name%3Dchange_request%5Etable_sys_id%3D1c87d925c0a801640119d4a4b1d2f3a4%5Efile_name";
const ATTACH: &str = "POST /api/now/attachment/file?table_name=change_request&table_sys_id=1c87d925c0a801640119d4a4b1d2f3a4&file_name=manifest-";
const NONE: &str = r#"{"result": []}"#;

fn change() -> Record {
    let what = What::Change {
        flow: "leaver".into(),
        result: "complete".into(),
        title: "Leaver: alice@acme.example".into(),
        report: "okta verified".into(),
        manifest: Manifest::default(),
        checkpoint: "jml.acme\n48213\nn5w=".into(),
        started: now(),
        finished: now(),
    };
    Record {
        key: "r-1/00u1/record".into(),
        run: "r-1".into(),
        login: Some("alice@acme.example".into()),
        at: now(),
        what,
    }
}

async fn deliver(script: &Arc<Script>, form: Form, record: &Record) -> Result<Receipt, Failure> {
    Clerk::new(script.writer(explain), form).deliver(record).await
}

#[test]
fn a_correlation_id_holds_nothing_that_a_query_reads() {
    assert_eq!(correlation("r-1/00u1/record"), "jml-r-1-00u1-record");
    assert_eq!(correlation("jml-r-1-00u1"), "jml-r-1-00u1");
    let odd = correlation("r-1/R&D^Ops\njavascript:x");
    assert!(
        odd.starts_with("jml-r-1-R-D-Ops-javascript-x-")
            && odd.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    );
    assert_ne!(correlation("a/b"), correlation("a b"), "two keys stay two");
    assert_ne!(
        correlation(&format!("{}a", "x".repeat(200))),
        correlation(&format!("{}b", "x".repeat(200)))
    );
    assert!(correlation(&"x".repeat(200)).len() <= 100);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_looked_for_made_and_given_its_manifest() {
    let script = Script::of([
        ok(LOOK, NONE),
        says(MAKE, 201, fixture!("made.json")),
        ok(LIST, NONE),
        says(ATTACH, 201, fixture!("attached.json")),
    ]);
    let receipt = deliver(&script, Form::default(), &change()).await.unwrap();
    assert_eq!((receipt.made.as_deref(), receipt.already), (Some("CHG0030004"), false));
    let asked = script.asked();
    assert!(
        asked[1].contains(r#""description":"okta verified\n\nledger checkpoint:\njml.acme\n48213"#),
        "{}",
        asked[1]
    );
    assert!(asked[3].contains(r#""record": "change""#) && asked[3].contains(r#""jml": 1"#));
    script.finished();
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_used_the_oldest_of_two_and_only_what_lacks_is_added() {
    let script = Script::of([
        ok(LOOK, fixture!("found.json")),
        ok(
            LIST,
            r#"{"result": [{"file_name": "manifest-jml-r-1-00u1-record.json", "table_sys_id": "1c87d925c0a801640119d4a4b1d2f3a4"}]}"#,
        ),
    ]);
    let receipt = deliver(&script, Form::default(), &change()).await.unwrap();
    assert_eq!(
        (receipt.made.as_deref(), receipt.already, script.asked().len()),
        (Some("CHG0030004"), true, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_run_that_went_on_says_so_once() {
    const PATCH: &str = "PATCH /api/now/table/change_request/1c87d925c0a801640119d4a4b1d2f3a4?";
    // The script takes static texts.
    let of = |title: &str, state: &str| {
        format!(
            r#"{{"sys_id": "1c87d925c0a801640119d4a4b1d2f3a4", "number": "CHG0030004", "state": "{state}", "correlation_id": "jml-r-1-00u1-record", "short_description": "{title}"}}"#
        )
    };
    let found =
        |title: &str, state: &str| -> &'static str { format!(r#"{{"result": [{}]}}"#, of(title, state)).leak() };
    let changed = |title: &str| -> &'static str { format!(r#"{{"result": {}}}"#, of(title, "-5")).leak() };
    let attached = r#"{"result": [{"file_name": "manifest-jml-r-1-00u1-record.json", "table_sys_id": "1c87d925c0a801640119d4a4b1d2f3a4"}]}"#;
    let title = "Leaver: alice@acme.example";
    let script = Script::of([
        ok(LOOK, found("Leaver: alice, partial", "-5")),
        ok(PATCH, changed(title)),
        ok(LIST, attached),
    ]);
    deliver(&script, Form::default(), &change()).await.unwrap();
    let asked = &script.asked()[1];
    assert!(
        asked.contains("Before: Leaver: alice, partial") && asked.contains("okta verified"),
        "{asked}"
    );
    script.finished();
    // The same again, and a closed one: no note is added.
    let same = Script::of([ok(LOOK, found(title, "-5")), ok(LIST, attached)]);
    deliver(&same, Form::default(), &change()).await.unwrap();
    same.finished();
    let closed = Script::of([ok(LOOK, found("Leaver: alice, partial", "3"))]);
    deliver(&closed, Form::default(), &change()).await.unwrap();
    closed.finished();
    // A rule that puts it back: told, not passed over.
    let back = Script::of([
        ok(LOOK, found("Leaver: alice, partial", "-5")),
        ok(PATCH, changed("Leaver: alice, partial")),
    ]);
    let f = deliver(&back, Form::default(), &change()).await.unwrap_err();
    assert_eq!(f.kind, Kind::Permanent);
}

#[tokio::test(start_paused = true)]
async fn hidden_records_are_unknown_and_nothing_is_made() {
    let script = Script::of([with(LOOK, "x-total-count: 1", NONE)]);
    let f = deliver(&script, Form::default(), &change()).await.unwrap_err();
    assert_eq!((f.kind, script.asked().len()), (Kind::Auth, 1));
    let ignored = Script::of([ok(
        LOOK,
        r#"{"result": [{"sys_id": "a", "number": "CHG1", "state": "-5", "correlation_id": ""}]}"#,
    )]);
    let f = deliver(&ignored, Form::default(), &change()).await.unwrap_err();
    assert_eq!(
        (f.kind, ignored.asked().len()),
        (Kind::Contradiction, 1),
        "the instance ignored the query"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_in_doubt_and_the_next_delivery_finds_it() {
    let script = Script::of([ok(LOOK, NONE), lost(MAKE)]);
    assert_eq!(
        deliver(&script, Form::default(), &change()).await.unwrap_err().kind,
        Kind::Doubt
    );
    assert_eq!(script.asked().len(), 2, "never sent again blindly");
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_instance_is_no_answer() {
    let script = Script::of([ok(LOOK, "<!DOCTYPE html><html>This instance is hibernating</html>")]);
    let f = deliver(&script, Form::default(), &change()).await.unwrap_err();
    assert!(f.kind == Kind::Contradiction && f.hint.is_some_and(|h| h.text.contains("sleeps")));
    let cut = Script::of([ok(LOOK, r#"{"result": [{"sys_id": "1c87"#)]);
    assert_eq!(
        deliver(&cut, Form::default(), &change()).await.unwrap_err().kind,
        Kind::Contradiction
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_is_closed_step_by_step_and_a_refusal_leaves_it_open() {
    let form = || Form {
        assignment_group: Some("287ebd7da9fe198100f92cc8d1d2154e".into()),
        ..Form::default()
    };
    let made = || {
        [
            ok(LOOK, NONE),
            says(MAKE, 201, fixture!("made.json")),
            ok(LIST, NONE),
            says(ATTACH, 201, fixture!("attached.json")),
        ]
    };
    let patch = "PATCH /api/now/table/change_request/1c87d925c0a801640119d4a4b1d2f3a4";
    let row = |state: &str| {
        format!(
            r#"{{"result": {{"sys_id": "1c87", "number": "CHG0030004", "state": "{state}", "correlation_id": "x"}}}}"#
        )
    };
    let steps = ["-2", "-1", "0", "3"].map(|s| ok(patch, String::leak(row(s))));
    let script = Script::of(made().into_iter().chain(steps));
    deliver(&script, form(), &change()).await.unwrap();
    assert!(script.asked().last().unwrap().contains(r#""close_code":"successful""#));
    script.finished();
    let script = Script::of(
        made()
            .into_iter()
            .chain([says(patch, 403, fixture!("business_rule.json"))]),
    );
    assert_eq!(
        deliver(&script, form(), &change()).await.unwrap().made.as_deref(),
        Some("CHG0030004")
    );
    assert_eq!(script.asked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_incident_is_opened_once() {
    let what = What::Incident {
        title: "Leaver: github failed".into(),
        text: "403".into(),
    };
    let record = Record { what, ..change() };
    let look = "GET /api/now/table/incident?sysparm_query=correlation_id%3Djml-r-1-00u1-record";
    let made = r#"{"result": {"sys_id": "1c87", "number": "INC0010002", "state": "1", "correlation_id": "jml-r-1-00u1-record"}}"#;
    let script = Script::of([ok(look, NONE), says("POST /api/now/table/incident", 201, made)]);
    assert_eq!(
        deliver(&script, Form::default(), &record)
            .await
            .unwrap()
            .made
            .as_deref(),
        Some("INC0010002")
    );
    let there = r#"{"result": [{"sys_id": "1c87", "number": "INC0010002", "state": "2", "correlation_id": "jml-r-1-00u1-record"}]}"#;
    let again = deliver(&Script::of([ok(look, there)]), Form::default(), &record)
        .await
        .unwrap();
    assert!(again.already);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_refuses_is_named() {
    let script = Script::of([ok(LOOK, NONE), says(MAKE, 403, fixture!("business_rule.json"))]);
    let f = deliver(&script, Form::default(), &change()).await.unwrap_err();
    assert!(
        f.kind == Kind::Permanent && f.summary.contains("Prevent closure"),
        "{f}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_once_and_anew_when_refused() {
    let secret: Credential = Arc::new(|| Box::pin(async { Ok("s3".to_owned().into()) }));
    let oauth = OAuth::new("client".into(), secret);
    let token = |t| {
        ok(
            "POST /oauth_token.do grant_type=client_credentials&client_id=client&client_secret=s3",
            t,
        )
    };
    let script = Script::of([
        token(r#"{"access_token": "first", "expires_in": 1799}"#),
        token(r#"{"access_token": "second", "expires_in": "1799"}"#),
    ]);
    let http = script.reader(explain);
    let url = url::Url::parse("http://127.0.0.1:1/").unwrap();
    let call = Outgoing {
        method: &::http::Method::GET,
        url: &url,
    };
    let bearer = |h: HeaderMap| h[AUTHORIZATION].to_str().unwrap().to_owned();
    for _ in 0..2 {
        assert_eq!(bearer(oauth.headers(call, &http).await.unwrap()), "Bearer first");
    }
    assert!(oauth.refused(&Answer::new(401, HeaderMap::new(), "")).await);
    assert_eq!(bearer(oauth.headers(call, &http).await.unwrap()), "Bearer second");
    assert!(!oauth.refused(&Answer::new(400, HeaderMap::new(), "")).await);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_read_back_by_its_number_alone() {
    let ask = "GET /api/now/table/incident?sysparm_query=number%3DINC0000123&";
    let body = r#"{"result": [{"number": "INC0000123", "active": "true", "short_description": "Leaver: jo.van@acme.example", "description": ""}]}"#;
    let desk = |line| Desk::new(Script::of([line]).reader(explain));
    let Ok(Observed::Present(t)) = desk(ok(ask, body)).ticket("INC0000123").await else {
        panic!("not read")
    };
    assert!(t.open && t.text.contains("jo.van@acme.example"));
    assert_eq!(
        desk(ok(ask, r#"{"result": []}"#)).ticket("INC0000123").await,
        Ok(Observed::Absent)
    );
    let all = r#"{"result": [{"number": "INC0000999", "active": "true"}]}"#;
    assert_eq!(
        desk(ok(ask, all)).ticket("INC0000123").await,
        Ok(Observed::Absent),
        "another's ticket isn't this one"
    );
    assert!(matches!(
        desk(with(ask, "x-total-count: 1", r#"{"result": []}"#))
            .ticket("INC0000123")
            .await,
        Ok(Observed::Unknown(_))
    ));
    for odd in ["INC1^ORactive=true", "JIRA-12", ""] {
        assert_eq!(desk(ok("GET", body)).ticket(odd).await, Ok(Observed::Absent), "{odd}");
    }
}

#[test]
fn one_says_who_the_credential_belongs_to() {
    use crate::providers::Settings as _;
    let settings = |extra: &str| {
        toml::from_str::<Settings>(&format!(
            "url = \"https://acme.service-now.com\"\nwrite = \"file:s\"\n{extra}"
        ))
        .unwrap()
    };
    assert!(settings("user = \"jml\"").check().is_ok());
    assert!(settings("user = \"jml\"\nclient_id = \"c\"").check().is_err());
}
