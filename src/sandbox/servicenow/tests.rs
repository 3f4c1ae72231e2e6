use chrono::TimeZone;

use super::*;
use crate::sandbox::world::Credential;

fn world() -> World {
    let mut w = World {
        now: Utc.with_ymd_and_hms(2026, 11, 25, 0, 12, 0).unwrap(),
        ..World::default()
    };
    for (name, write) in [("read", false), ("write", true), ("all", true)] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("servicenow.{name}"),
            secret: format!("s-{name}"),
            write,
        });
    }
    let given = json!({"change_request": [{"number": "CHG0030001", "short_description": "old"}],
        "incident": [{"number": "INC0000123", "state": "2", "short_description": "Leaver: jo.van@acme.example"}]});
    (TWIN.load)(&mut w, &given).unwrap();
    w
}

fn call(w: &World, method: &str, path: &str, query: &[(&str, &str)], body: &[u8]) -> Call {
    let own = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<Vec<_>>()
    };
    Call {
        method: method.into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: own(query),
        headers: own(&[
            ("authorization", "Bearer s-write"),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ]),
        body: body.to_vec(),
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    }
}

fn ask(w: &mut World, method: &str, path: &str, query: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let c = call(w, method, path, query, &bytes);
    let r = (TWIN.answer)(w, &c);
    (r.status, serde_json::from_slice(&r.body).unwrap_or(Value::Null))
}

const CHANGES: &str = "/api/now/table/change_request";

fn rows(w: &mut World, query: &str) -> Vec<String> {
    let (status, body) = ask(w, "GET", CHANGES, &[("sysparm_query", query)], &Value::Null);
    assert_eq!(status, 200);
    body["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["number"].as_str().unwrap().to_owned())
        .collect()
}

fn make(w: &mut World, kind: &str) -> String {
    let body = json!({"type": kind, "chg_model": kind, "correlation_id": "jml-1", "no_such_field": "x"});
    let (status, made) = ask(w, "POST", CHANGES, &[], &body);
    assert_eq!(
        (status, &made["result"]["state"], made["result"].get("no_such_field")),
        (201, &json!("-5"), None)
    );
    made["result"]["sys_id"].as_str().unwrap().to_owned()
}

fn step(w: &mut World, id: &str, body: Value) -> (u16, String) {
    let (status, answer) = ask(w, "PATCH", &format!("{CHANGES}/{id}"), &[], &body);
    let said = answer["error"]["detail"]
        .as_str()
        .or_else(|| answer["result"]["state"].as_str())
        .unwrap_or("");
    (status, said.to_owned())
}

#[test]
fn an_invalid_part_of_a_query_is_ignored_and_finds_everything() {
    let mut w = world();
    make(&mut w, "standard");
    assert_eq!(rows(&mut w, "correlation_id=jml-1"), ["CHG0030002"]);
    assert_eq!(rows(&mut w, "correlation_id=nothing").len(), 0);
    assert_eq!(rows(&mut w, "no_such_field=zzz").len(), 2);
    assert_eq!(rows(&mut w, "correlation_id=nothing^ORnumberISNOTEMPTY").len(), 2);
    assert_eq!(
        rows(&mut w, "correlation_id=nothing^NQshort_descriptionLIKEOLD"),
        ["CHG0030001"]
    );
    assert_eq!(rows(&mut w, "ORDERBYDESCnumber"), ["CHG0030002", "CHG0030001"]);
    assert_eq!(rows(&mut w, "correlation_id=javascript:gs.getUserID()").len(), 0);
    (TWIN.patch)(
        &mut w,
        &json!({"properties": {"glide.invalid_query.returns_no_rows": "true"}}),
    )
    .unwrap();
    assert_eq!(rows(&mut w, "no_such_field=zzz").len(), 0);
}

#[test]
fn a_second_create_makes_a_second_record() {
    let mut w = world();
    let (first, second) = (make(&mut w, "standard"), make(&mut w, "standard"));
    assert_ne!(first, second);
    assert_eq!(rows(&mut w, "correlation_id=jml-1"), ["CHG0030002", "CHG0030003"]);
}

#[test]
fn a_standard_change_walks_one_state_a_call() {
    let mut w = world();
    let id = make(&mut w, "standard");
    let skipped = step(
        &mut w,
        &id,
        json!({"state": "3", "close_code": "successful", "close_notes": "x"}),
    );
    assert!(skipped.0 == 403 && skipped.1.contains("Business Rule"), "{skipped:?}");
    assert_eq!(step(&mut w, &id, json!({"state": "-2"})).0, 403, "nobody is assigned");
    let group = "287ebd7da9fe198100f92cc8d1d2154e";
    for state in ["-2", "-1", "0"] {
        assert_eq!(
            step(&mut w, &id, json!({"state": state, "assignment_group": group})),
            (200, state.into())
        );
    }
    let bare = step(&mut w, &id, json!({"state": "3"}));
    assert_eq!(
        bare,
        (
            403,
            "Data Policy Exception: The following fields are mandatory: Close code, Close notes".into()
        )
    );
    assert_eq!(
        step(
            &mut w,
            &id,
            json!({"state": "3", "close_code": "successful", "close_notes": "done"})
        ),
        (200, "3".into())
    );
    assert_eq!(step(&mut w, &id, json!({"short_description": "late"})).0, 403);
    let query = [
        ("table_name", "change_request"),
        ("table_sys_id", id.as_str()),
        ("file_name", "late.json"),
    ];
    assert_eq!(
        ask(&mut w, "POST", "/api/now/attachment/file", &query, &json!({})).0,
        403,
        "closed records take no attachment"
    );
    assert_eq!(w.servicenow.tables["change_request"][&id]["active"], "false");
}

#[test]
fn a_normal_change_is_assessed_and_authorised() {
    let mut w = world();
    let id = make(&mut w, "normal");
    let group = json!({"state": "-2", "assignment_group": "287ebd7da9fe198100f92cc8d1d2154e"});
    assert_eq!(step(&mut w, &id, group).0, 403);
    let (_, next) = ask(
        &mut w,
        "GET",
        &format!("/api/sn_chg_rest/change/{id}/nextstates"),
        &[],
        &Value::Null,
    );
    assert_eq!(next["result"]["available_states"], json!(["-4", "4", "-5"]));
    assert_eq!(next["result"]["state_transitions"][0][0]["transition_available"], false);
}

#[test]
fn notes_go_to_the_journal_and_attachments_keep_their_bytes() {
    let mut w = world();
    let id = make(&mut w, "standard");
    ask(
        &mut w,
        "PATCH",
        &format!("{CHANGES}/{id}"),
        &[],
        &json!({"work_notes": "opened"}),
    );
    let (_, journal) = ask(
        &mut w,
        "GET",
        "/api/now/table/sys_journal_field",
        &[("sysparm_query", &format!("element_id={id}"))],
        &Value::Null,
    );
    assert_eq!(journal["result"][0]["value"], "opened");
    let bytes: Vec<u8> = (0..=255).collect();
    let query = [
        ("table_name", "change_request"),
        ("table_sys_id", id.as_str()),
        ("file_name", "m.bin"),
    ];
    let mut c = call(&w, "POST", "/api/now/attachment/file", &query, &bytes);
    c.headers[2].1 = "application/octet-stream".into();
    let made = (TWIN.answer)(&mut w, &c);
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    assert_eq!(made["result"]["hash"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(made["result"].get("content"), None);
    let path = format!(
        "/api/now/attachment/{}/file",
        made["result"]["sys_id"].as_str().unwrap()
    );
    let c = call(&w, "GET", &path, &[], b"");
    assert_eq!((TWIN.answer)(&mut w, &c).body, bytes);
}

#[test]
fn hidden_rows_are_counted_and_not_shown() {
    let mut w = world();
    (TWIN.patch)(&mut w, &json!({"properties": {"hidden": "change_request"}})).unwrap();
    let c = call(&w, "GET", CHANGES, &[], b"");
    let r = (TWIN.answer)(&mut w, &c);
    let total = r.headers.iter().find(|(k, _)| k == "x-total-count").unwrap();
    assert_eq!((r.status, total.1.as_str()), (200, "1"));
    assert_eq!(serde_json::from_slice::<Value>(&r.body).unwrap(), json!({"result": []}));
}

#[test]
fn refusals_are_the_vendors_own() {
    let mut w = world();
    let unknown = format!("{CHANGES}/{}", "0".repeat(32));
    assert_eq!(
        ask(&mut w, "GET", &unknown, &[], &Value::Null).1["error"]["message"],
        "No Record found"
    );
    let (status, table) = ask(&mut w, "GET", "/api/now/table/no_such_table", &[], &Value::Null);
    assert_eq!(
        (status, &table["error"]["message"], &table["error"]["detail"]),
        (400, &json!("Invalid table no_such_table"), &Value::Null)
    );
    let mut c = call(&w, "POST", CHANGES, &[], b"{");
    assert_eq!((TWIN.answer)(&mut w, &c).status, 400);
    c.headers[0].1 = "Bearer s-read".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 403);
    c.headers[0].1 = "Bearer wrong".into();
    assert_eq!((TWIN.answer)(&mut w, &c).status, 401);
    c.headers[0].1 = format!("Basic {}", STANDARD.encode("jml.service:s-all"));
    c.headers[1].1 = "text/html".into();
    assert_eq!(
        (TWIN.answer)(&mut w, &c).status,
        400,
        "Accept: application/json is wanted"
    );
}

#[test]
fn client_credentials_give_a_token_that_ends() {
    let mut w = world();
    let form = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=s-all");
    let c = call(&w, "POST", "/oauth_token.do", &[], form.as_bytes());
    let made: Value = serde_json::from_slice(&(TWIN.answer)(&mut w, &c).body).unwrap();
    assert_eq!((&made["expires_in"], made.get("refresh_token")), (&json!(1799), None));
    let mut c = call(&w, "GET", CHANGES, &[], b"");
    c.headers[0].1 = format!("Bearer {}", made["access_token"].as_str().unwrap());
    assert_eq!((TWIN.answer)(&mut w, &c).status, 200);
    c.now += Duration::seconds(1800);
    assert_eq!((TWIN.answer)(&mut w, &c).status, 401);
    let wrong = call(
        &w,
        "POST",
        "/oauth_token.do",
        &[],
        form.replace("s-all", "guess").as_bytes(),
    );
    assert_eq!((TWIN.answer)(&mut w, &wrong).status, 401);
}

#[test]
fn the_change_api_says_what_it_ignored() {
    let mut w = world();
    let template = "/api/sn_chg_rest/change/standard/16c2273c47010200e90d87e8dee49006";
    let body = json!({"correlation_id": "jml-2", "description": "fixed by the template", "no_such_field": "x"});
    let (status, made) = ask(&mut w, "POST", template, &[], &body);
    assert_eq!(
        (status, &made["result"]["state"]),
        (200, &json!({"value": "-5", "display_value": "New"}))
    );
    assert_eq!(
        made["result"]["__meta"]["ignoredFields"],
        json!(["description", "no_such_field"])
    );
    assert_eq!(rows(&mut w, "correlation_id=jml-2").len(), 1);
}

#[test]
fn what_changed_is_restored_elsewhere() {
    let mut w = world();
    make(&mut w, "standard");
    let mut again = world();
    for (_, list, id) in &w.dirty {
        (TWIN.restore)(&mut again, list, id, (TWIN.entry)(&w, list, id).as_ref()).unwrap();
    }
    assert_eq!((TWIN.state)(&again), (TWIN.state)(&w));
    assert_eq!((TWIN.state)(&w)["incident"].as_object().unwrap().len(), 1);
    assert!((TWIN.state)(&w).get("sys_user").is_none());
    assert!(
        (TWIN.load)(&mut w, &json!({"incident": [{"state": "1"}]}))
            .unwrap_err()
            .contains("number")
    );
}
