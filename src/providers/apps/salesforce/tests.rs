use std::sync::Arc;

use super::*;
use crate::{
    model::{Account, Action, Effect, Held, Holding, Kind, Observed, Receipt, State},
    providers::{
        Handles, Known, Observe, Perform, Task,
        script::{Script, now, ok, person, says},
    },
};

const Q: &str = "GET /services/data/v62.0/query?q=SELECT%20";
const MIA: &str = "0050Y00000MiaLundQ";
const NONE: &str = r#"{"totalSize": 0, "done": true, "records": []}"#;
const ME: &str = r#"{"totalSize": 1, "done": true, "records": [{"Id": "0050Y00000AnaRuizQ", "Username": "ana.ruiz@acme.example", "Email": null,
    "FederationIdentifier": null, "IsActive": true, "Profile": null}]}"#;

/// Lines of the script begin so.
macro_rules! query {
    ($rest:literal) => {
        concat!("GET /services/data/v62.0/query?q=SELECT%20", $rest)
    };
}

fn eyes(script: &Arc<Script>) -> Eyes {
    Eyes::new(
        Data::new(script.reader(explain), "62.0"),
        Some("00DAC0000000001".into()),
    )
}

async fn find(script: &Arc<Script>, handles: Handles, parts: &[Holding]) -> Result<Observed<Account>, Failure> {
    let (person, parts) = (person(), parts.iter().copied().collect());
    let known = Known {
        person: &person,
        handles: &handles,
        parts: &parts,
    };
    eyes(script).observe(known).await
}

fn called(all: &[&str]) -> Handles {
    Handles {
        addresses: all.iter().map(|a| (*a).to_owned()).collect(),
        ..Handles::default()
    }
}

async fn act(script: &Arc<Script>, action: Action) -> Result<Receipt, Failure> {
    let effect = Effect {
        system: System::of("salesforce"),
        account: MIA.into(),
        action,
    };
    let task = Task {
        effect: &effect,
        key: "r-1/00u1/3",
        deadline: now() + chrono::Duration::minutes(15),
        again: false,
    };
    Hands::new(script.writer(explain), "62.0").perform(task).await
}

fn user(id: &str, username: &str, email: &str, federation: Option<&str>) -> serde_json::Value {
    serde_json::json!({"Id": id, "Username": username, "Email": email, "FederationIdentifier": federation, "IsActive": true,
        "Profile": {"UserLicense": {"Name": "Salesforce"}}})
}

/// A script's text lives as long as the tests.
fn listed(rows: &[serde_json::Value]) -> &'static str {
    let body = serde_json::json!({"totalSize": rows.len(), "done": true, "records": rows});
    Box::leak(body.to_string().into_boxed_str())
}

const BY_NAMES: &str = query!("Id%2C%20Username");

#[tokio::test(start_paused = true)]
async fn the_identity_outranks_the_username_and_both_the_address() {
    let old = user("0050Y00000MiaOldQQ", "mia.old@acme.example", "mia@acme.example", None);
    let named = user("0050Y00000MiaNameQ", "mia@acme.example", "x@acme.example", None);
    let federated = user(MIA, "mia.sf@acme.example", "mia@acme.example", Some("Mia@Acme.example"));
    for (rows, want) in [
        (vec![old.clone(), named.clone(), federated], Ok(MIA)),
        (vec![old.clone(), named], Ok("0050Y00000MiaNameQ")),
        (vec![old.clone()], Ok("0050Y00000MiaOldQQ")),
        (
            vec![
                old,
                user("0050Y00000MiaTwoQQ", "m2@acme.example", "mia@acme.example", None),
            ],
            Err(Kind::Contradiction),
        ),
    ] {
        let script = Script::of([ok(BY_NAMES, listed(&rows)), ok(query!("Id%2C%20UserId"), NONE)]);
        let found = find(&script, called(&["mia@acme.example"]), &[]).await;
        let got = match &found {
            Ok(Observed::Present(a)) => Ok(a.id.as_str()),
            Ok(other) => panic!("{other:?}"),
            Err(f) => Err(f.kind),
        };
        assert_eq!(got, want);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_text_in_the_query_whatever_it_holds() {
    let script = Script::of([ok(BY_NAMES, NONE), ok(BY_NAMES, ME), ok(BY_NAMES, ME)]);
    let found = find(&script, called(&["x' OR IsActive=true OR Email='"]), &[]).await;
    assert_eq!(
        found,
        Ok(Observed::Absent),
        "and a known user is found by the same query"
    );
    let asked = script.asked();
    assert!(
        asked[0].contains("%28%27x%5C%27%20or%20isactive%3Dtrue%20or%20email%3D%5C%27%27%29"),
        "{}",
        asked[0]
    );
    let script = Script::of([ok(BY_NAMES, NONE), ok(BY_NAMES, ME), ok(BY_NAMES, NONE)]);
    assert_eq!(
        find(&script, called(&["a@acme.example"]), &[]).await.unwrap_err().kind,
        Kind::Contradiction
    );
}

#[tokio::test(start_paused = true)]
async fn a_frozen_login_is_suspended_and_an_inactive_user_closed() {
    let mia = user(MIA, "mia@acme.example", "mia@acme.example", None);
    let frozen = format!(
        r#"{{"totalSize": 1, "done": true, "records": [{{"Id": "0Yw0Y00000MiaLundQ", "UserId": "{MIA}", "IsFrozen": true}}]}}"#
    );
    let frozen: &'static str = Box::leak(frozen.into_boxed_str());
    for (answer, want) in [(frozen, State::Suspended), (NONE, State::Active)] {
        let script = Script::of([
            ok(BY_NAMES, listed(std::slice::from_ref(&mia))),
            ok(query!("Id%2C%20UserId"), answer),
        ]);
        let Ok(Observed::Present(a)) = find(&script, called(&["mia@acme.example"]), &[]).await else {
            panic!("not found")
        };
        assert_eq!(a.state, want);
    }
    let hidden = r#"[{"message": "sObject type 'UserLogin' is not supported.", "errorCode": "INVALID_TYPE"}]"#;
    let script = Script::of([
        ok(BY_NAMES, listed(&[mia])),
        says(query!("Id%2C%20UserId"), 400, hidden),
        says(query!("Id%2C%20ParentId"), 400, hidden),
    ]);
    let Ok(Observed::Present(a)) = find(&script, called(&["mia@acme.example"]), &[Holding::Session]).await else {
        panic!("not found")
    };
    assert!(a.word.contains("not read"));
    assert_eq!(a.holds[&Holding::Session].unknown().map(|f| f.kind), Some(Kind::Auth));
}

#[tokio::test(start_paused = true)]
async fn no_tokens_are_believed_only_where_tokens_of_others_are_shown() {
    let mia = || {
        ok(
            BY_NAMES,
            listed(&[user(MIA, "mia@acme.example", "mia@acme.example", None)]),
        )
    };
    let login = || ok(query!("Id%2C%20UserId"), NONE);
    let none = || ok(query!("AppName"), NONE);
    let own = r#"{"totalSize": 1, "done": true, "records": [{"UserId": "0050Y00000AnaRuizQ"}]}"#;
    let first = || ok(query!("UserId%20FROM%20OauthToken%20LIMIT"), own);
    let other = |answer| ok(query!("UserId%20FROM%20OauthToken%20WHERE%20UserId%20%21%3D"), answer);
    for (answer, shown) in [(NONE, false), (own, true)] {
        let script = Script::of([mia(), login(), none(), first(), other(answer)]);
        let Ok(Observed::Present(a)) = find(&script, called(&["mia@acme.example"]), &[Holding::Client]).await else {
            panic!("not found")
        };
        assert_eq!(a.holds[&Holding::Client].present().is_some(), shown);
    }
    let secret = r#"{"totalSize": 1, "done": true, "records": [{"AppName": "iOS", "DeleteToken": "5Aep861hunter2"}]}"#;
    let script = Script::of([mia(), login(), ok(query!("AppName"), secret)]);
    let found = find(&script, called(&["mia@acme.example"]), &[Holding::Client]).await;
    let Ok(Observed::Present(a)) = &found else {
        panic!("{found:?}")
    };
    assert_eq!(a.held(Holding::Client).next().map(|c| c.name.as_str()), Some("iOS"));
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_shorter_than_it_says_is_no_list() {
    let short = r#"{"totalSize": 2, "done": true, "records": [{"Id": "00DAC00000000012AA", "Name": "Acme"}]}"#;
    let f = eyes(&Script::of([ok(Q, short)])).pinned().await.unwrap_err();
    assert_eq!((f.kind, f.summary.contains("1 of 2")), (Kind::Contradiction, true));
    let other = r#"{"totalSize": 1, "done": true, "records": [{"Id": "00DXX00000000012AA", "Name": "Other"}]}"#;
    let f = eyes(&Script::of([ok(Q, other)])).pinned().await.unwrap_err();
    assert!(
        f.summary.contains("00DAC0000000001") && f.summary.contains("Other"),
        "{f}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_deactivation_is_told_in_the_vendor_s_words_and_one_that_holds_is_done() {
    let patch = "PATCH /services/data/v62.0/sobjects/User/0050Y00000MiaLundQ {\"IsActive\":false}";
    let refused = r#"[{"message": "You cannot deactivate this user. This user is the default workflow user.", "errorCode": "FIELD_INTEGRITY_EXCEPTION"}]"#;
    let live = query!("Id%20FROM%20User%20WHERE%20IsActive");
    let me = r#"{"totalSize": 1, "done": true, "records": [{"Id": "0050Y00000MiaLundQ"}]}"#;
    let f = act(
        &Script::of([says(patch, 400, refused), ok(live, me)]),
        Action::Deactivate,
    )
    .await
    .unwrap_err();
    assert_eq!(f.kind, Kind::Permanent);
    assert!(f.summary.contains("default workflow user") && f.hint.unwrap().text.contains("Process Automation"));
    let so = act(
        &Script::of([says(patch, 400, refused), ok(live, NONE)]),
        Action::Deactivate,
    )
    .await;
    assert_eq!(so.map(|r| r.already), Ok(true));
    let done = act(&Script::of([says(patch, 204, "")]), Action::Deactivate).await;
    assert_eq!(done.map(|r| r.status), Ok(204));
    assert_eq!(
        act(&Script::of([ok(patch, "{}")]), Action::Deactivate)
            .await
            .unwrap_err()
            .kind,
        Kind::Doubt
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_end_in_one_call_parents_first_and_are_looked_for_again() {
    let rows = r#"{"totalSize": 2, "done": true, "records": [
        {"Id": "0Ak0Y00000ChildQQQ", "ParentId": "0Ak0Y00000ParentQQ", "SessionType": "SubstituteUser", "SourceIp": null},
        {"Id": "0Ak0Y00000ParentQQ", "ParentId": null, "SessionType": "UI", "SourceIp": "198.51.100.7"}]}"#;
    let list = query!("Id%2C%20ParentId");
    let one = r#"POST /services/data/v62.0/composite {"allOrNone":false,"compositeRequest":[{"method":"DELETE","referenceId":"s0","url":"/services/data/v62.0/sobjects/AuthSession/0Ak0Y00000ParentQQ"},"#;
    let gone = r#"{"compositeResponse": [{"body": null, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "s0"},
        {"body": [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}], "httpHeaders": {}, "httpStatusCode": 404, "referenceId": "s1"}]}"#;
    let script = Script::of([ok(list, rows), ok(one, gone), ok(list, NONE)]);
    assert_eq!(act(&script, Action::ClearSessions).await.map(|r| r.already), Ok(false));
    script.finished();
    let no = r#"{"compositeResponse": [{"body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], "httpHeaders": {}, "httpStatusCode": 403, "referenceId": "s0"},
        {"body": null, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "s1"}]}"#;
    let f = act(
        &Script::of([ok(list, rows), ok("POST /services/data/v62.0/composite", no)]),
        Action::ClearSessions,
    )
    .await;
    assert_eq!(f.unwrap_err().kind, Kind::Auth, "200 says nothing of the parts");
}

#[tokio::test(start_paused = true)]
async fn who_never_signed_in_has_nothing_to_freeze() {
    let f = act(&Script::of([ok(query!("Id%2C%20UserId"), NONE)]), Action::Freeze)
        .await
        .unwrap_err();
    assert_eq!((f.kind, f.hint.is_some()), (Kind::Permanent, true));
}

#[tokio::test(start_paused = true)]
async fn an_assignment_of_somebody_else_is_not_touched() {
    let role = Held::new(Holding::Role, "0Pa0Y00000RoleOneQ", "Sales Console");
    let script = Script::of([ok(query!("Id%20FROM%20PermissionSetAssignment"), NONE)]);
    assert_eq!(
        act(&script, Action::RevokeRole { role }).await.map(|r| r.already),
        Ok(true)
    );
    assert_eq!(script.asked().len(), 1);
}

#[test]
fn settings_say_what_they_want() {
    use crate::providers::Settings as _;
    let read =
        |more: &str| toml::from_str::<Settings>(&format!("write = \"env:W\"\n{more}")).map_err(|e| e.to_string());
    let acme = read("url = \"https://acme.my.salesforce.com\"").unwrap();
    assert_eq!(
        (acme.check(), acme.audience().as_str(), acme.api.as_str()),
        (Ok(()), "https://login.salesforce.com", "62.0")
    );
    let test = read("url = \"https://acme--dev.sandbox.my.salesforce.com\"").unwrap();
    assert_eq!(test.audience(), "https://test.salesforce.com");
    for wrong in ["api = \"latest\"", "org = \"acme\""] {
        assert!(
            read(&format!("url = \"https://acme.my.salesforce.com\"\n{wrong}"))
                .unwrap()
                .check()
                .is_err(),
            "{wrong}"
        );
    }
}
