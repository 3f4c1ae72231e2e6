use std::sync::Arc;

use ::http::{HeaderMap, header::AUTHORIZATION};

use super::{wire::correlation, *};
use crate::http::{Answer, Outgoing};
use crate::model::{Failure, Kind, Manifest, Observed, Receipt, Record, What};
use crate::providers::script::{Line, Script, lost, now, ok, says, with};
use crate::providers::{Deliver, Tickets};

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

/// Looked for, and counted as none.
fn none(begins: &'static str) -> Line {
    with(begins, "x-total-count: 0", NONE)
}

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
        none(LOOK),
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
    let silent = Script::of([ok(LOOK, NONE)]);
    let f = deliver(&silent, Form::default(), &change()).await.unwrap_err();
    assert_eq!((f.kind, silent.asked().len()), (Kind::Contradiction, 1), "{f}");
    let papers = Script::of([ok(LOOK, fixture!("found.json")), with(LIST, "x-total-count: 1", NONE)]);
    let f = deliver(&papers, Form::default(), &change()).await.unwrap_err();
    assert_eq!(
        (f.kind, papers.asked().len()),
        (Kind::Auth, 2),
        "a second manifest: {f}"
    );
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
    let script = Script::of([none(LOOK), lost(MAKE)]);
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

const PATCH: &str = "PATCH /api/now/table/change_request/1c87?";

fn close() -> Record {
    Record {
        key: "r-1/00u1/record-close".into(),
        what: What::Close {
            change: "r-1/00u1/record".into(),
            checkpoint: "jml.acme\n48213\nn5w=".into(),
        },
        ..change()
    }
}

fn row(state: &str) -> String {
    format!(
        r#"{{"sys_id": "1c87", "number": "CHG0030004", "state": "{state}", "correlation_id": "jml-r-1-00u1-record"}}"#
    )
}

fn found(state: &str) -> Line {
    ok(LOOK, format!(r#"{{"result": [{}]}}"#, row(state)).leak())
}

fn moved(to: &str) -> Line {
    ok(PATCH, format!(r#"{{"result": {}}}"#, row(to)).leak())
}

#[tokio::test(start_paused = true)]
async fn a_record_is_closed_step_by_step_and_a_refusal_leaves_the_rest_owed() {
    let script = Script::of([found("-5"), moved("-2"), moved("-1"), moved("0"), moved("3")]);
    let receipt = deliver(&script, Form::default(), &close()).await.unwrap();
    assert_eq!((receipt.made.as_deref(), receipt.already), (Some("CHG0030004"), false));
    let last = script.asked().pop().unwrap();
    assert!(
        last.contains(r#""close_code":"successful""#) && last.contains("48213"),
        "{last}"
    );
    script.finished();
    let refused = Script::of([
        found("-5"),
        moved("-2"),
        says(PATCH, 403, fixture!("business_rule.json")),
    ]);
    let f = deliver(&refused, Form::default(), &close()).await.unwrap_err();
    assert!(
        f.what.contains("move CHG0030004 to state -1") && f.summary.contains("Prevent closure"),
        "{f}"
    );
    refused.finished();
    // It goes on from there, and what is closed is left alone.
    let again = Script::of([found("-2"), moved("-1"), moved("0"), moved("3")]);
    deliver(&again, Form::default(), &close()).await.unwrap();
    again.finished();
    for state in ["3", "4"] {
        let closed = Script::of([found(state)]);
        assert!(deliver(&closed, Form::default(), &close()).await.unwrap().already);
        closed.finished();
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_a_rule_puts_back_or_that_waits_for_a_person_is_not_closed() {
    for script in [
        Script::of([found("-5"), moved("-5")]),
        Script::of([found("-4")]),
        Script::of([none(LOOK)]),
        Script::of([ok(LOOK, NONE)]),
    ] {
        let f = deliver(&script, Form::default(), &close()).await.unwrap_err();
        assert!(!f.summary.is_empty(), "{f}");
        script.finished();
    }
}

#[test]
fn what_can_never_leave_new_is_not_owed_a_closing() {
    let takes = |form| Clerk::new(Script::of([]).writer(explain), form).takes(&close().what);
    let some = || Some("1c87".to_owned());
    assert!(!takes(Form::default()));
    assert!(takes(Form {
        assignment_group: some(),
        ..Form::default()
    }));
    assert!(takes(Form {
        template: some(),
        ..Form::default()
    }));
}

#[tokio::test(start_paused = true)]
async fn a_template_is_filled_by_the_change_api_and_what_it_ignores_is_set_on_the_record() {
    const FILL: &str = "POST /api/sn_chg_rest/change/standard/16c2273c47010200e90d87e8dee49006 ";
    let form = || Form {
        template: Some("16c2273c47010200e90d87e8dee49006".into()),
        ..Form::default()
    };
    let attach = || {
        [
            ok("GET /api/now/attachment?", NONE),
            says("POST /api/now/attachment/file?", 201, fixture!("attached.json")),
        ]
    };
    let script = Script::of(
        [none(LOOK), ok(FILL, fixture!("templated.json"))]
            .into_iter()
            .chain(attach()),
    );
    let receipt = deliver(&script, form(), &change()).await.unwrap();
    assert_eq!((receipt.made.as_deref(), receipt.already), (Some("CHG0030004"), false));
    let sent = &script.asked()[1];
    assert!(
        sent.contains(r#""work_notes":"okta verified"#)
            && !sent.contains(r#""description""#)
            && !sent.contains("chg_model"),
        "{sent}"
    );
    script.finished();
    // Wrapped in a list, as the vendor's examples have it, and without our mark.
    let bare = r#"{"result": [{"sys_id": {"value": "1c87"}, "number": {"value": "CHG0030004"}, "state": {"value": "-5"},
        "correlation_id": {"value": ""}, "__meta": {"ignoredFields": ["correlation_id"]}}]}"#;
    let set = ok(
        PATCH,
        r#"{"result": {"sys_id": "1c87", "number": "CHG0030004", "state": "-5", "correlation_id": "jml-r-1-00u1-record"}}"#,
    );
    let script = Script::of([none(LOOK), ok(FILL, bare), set].into_iter().chain(attach()));
    deliver(&script, form(), &change()).await.unwrap();
    script.finished();
    let script = Script::of([
        none(LOOK),
        ok(FILL, bare),
        ok(
            PATCH,
            r#"{"result": {"sys_id": "1c87", "number": "CHG0030004", "state": "-5", "correlation_id": ""}}"#,
        ),
    ]);
    let f = deliver(&script, form(), &change()).await.unwrap_err();
    assert_eq!(f.kind, Kind::Contradiction);
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
    let script = Script::of([none(look), says("POST /api/now/table/incident", 201, made)]);
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
    let script = Script::of([none(LOOK), says(MAKE, 403, fixture!("business_rule.json"))]);
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
        desk(with(ask, "x-total-count: 0", r#"{"result": []}"#))
            .ticket("INC0000123")
            .await,
        Ok(Observed::Absent)
    );
    let all = r#"{"result": [{"number": "INC0000999", "active": "true"}]}"#;
    assert_eq!(
        desk(ok(ask, all)).ticket("INC0000123").await,
        Ok(Observed::Absent),
        "another's ticket isn't this one"
    );
    for hidden in [
        with(ask, "x-total-count: 1", r#"{"result": []}"#),
        ok(ask, r#"{"result": []}"#),
    ] {
        assert!(matches!(
            desk(hidden).ticket("INC0000123").await,
            Ok(Observed::Unknown(_))
        ));
    }
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
