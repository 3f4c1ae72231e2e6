use std::sync::Arc;

use super::*;
use crate::{
    model::{Account, Action, Effect, Failure, Held, Holding, Kind, Observed, Receipt, State},
    providers::{
        Handles, Known, Observe, Perform, Task,
        script::{Script, now, ok, person, says, with},
    },
};

fn settings(more: &str) -> Settings {
    let text = "url = \"http://127.0.0.1:1\"\nwrite = \"env:W\"\nfind_by = [\"userName\"]\ngroups = \"off\"\n";
    let mut table: toml::Table = toml::from_str(text).unwrap();
    table.extend(toml::from_str::<toml::Table>(more).unwrap());
    table.try_into().unwrap()
}

fn eyes(script: &Arc<Script>, more: &str) -> Eyes {
    let settings = settings(more);
    Eyes::new(Server::new(script.reader(explain), &settings), settings)
}

async fn find(script: &Arc<Script>, more: &str, handles: Handles) -> Result<Observed<Account>, Failure> {
    let person = person();
    let parts = [Holding::Group].into();
    let who = Known {
        person: &person,
        handles: &handles,
        parts: &parts,
    };
    eyes(script, more).observe(who).await
}

async fn act(script: &Arc<Script>, more: &str, action: Action) -> Result<Receipt, Failure> {
    let hands = Hands::new(script.writer(explain), settings(more));
    let effect = Effect {
        system: System::of("test"),
        account: "m1".into(),
        action,
    };
    let task = Task {
        effect: &effect,
        key: "r-1/00u1/3",
        deadline: now() + chrono::Duration::minutes(15),
        again: false,
    };
    hands.perform(task).await
}

const FIND: &str = "GET /Users?filter=userName%20eq%20%22mia.lund%40acme.example%22&startIndex=1&count=10";
const MIA: &str =
    r#"{"totalResults": 1, "Resources": [{"id": "m1", "userName": "Mia.Lund@acme.example", "active": true}]}"#;
const ANA: &str = r#"{"totalResults": 1, "Resources": [{"id": "a1", "userName": "ana@acme.example", "active": true}]}"#;
const NOBODY: &str = r#"{"totalResults": 0}"#;
const LOST: &str =
    r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "404", "detail": "no such user"}"#;

fn known() -> Handles {
    Handles {
        account: Some("m1".into()),
        ..Handles::default()
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_believed_only_where_somebody_else_is_found() {
    let canary = "GET /Users?filter=userName%20eq%20%22ana%40acme.example%22";
    let list = "GET /Users?startIndex=1&count=20";
    for (last, want) in [(ANA, Ok(Observed::Absent)), (NOBODY, Err(Kind::Contradiction))] {
        let script = Script::of([ok(FIND, NOBODY), ok(list, ANA), ok(canary, last)]);
        let seen = find(&script, "", Handles::default()).await;
        assert_eq!(seen.map_err(|f| f.kind), want);
        script.finished();
    }
    let script = Script::of([ok(FIND, NOBODY), ok(canary, ANA)]);
    let named = "canary = \"ana@acme.example\"";
    // the configured one is looked for, and that is the proof
    let script_again = Script::of([ok(FIND, NOBODY), ok(canary, ANA), ok(canary, ANA)]);
    assert_eq!(
        find(&script_again, named, Handles::default()).await,
        Ok(Observed::Absent)
    );
    assert!(
        find(&script, named, Handles::default()).await.is_err(),
        "a canary that is found once and then not"
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_is_ignored_is_neither_a_hit_nor_an_absence() {
    let both = r#"{"totalResults": 2, "Resources": [{"id": "m1", "userName": "mia.lund@acme.example", "active": true},
        {"id": "a1", "userName": "ana@acme.example", "active": true}]}"#;
    let f = find(&Script::of([ok(FIND, both)]), "", Handles::default())
        .await
        .unwrap_err();
    assert!(f.kind == Kind::Contradiction && f.hint.is_some_and(|h| h.text.contains("filter = \"off\"")));
    let list = "GET /Users?startIndex=1&count=200&attributes=userName";
    let seen = find(&Script::of([ok(list, both)]), "filter = \"off\"", Handles::default()).await;
    assert!(matches!(seen, Ok(Observed::Present(a)) if a.id == "m1" && a.state == State::Active));
}

#[tokio::test(start_paused = true)]
async fn active_is_read_in_any_form_and_is_not_guessed() {
    for (active, want) in [
        ("false", Some(State::Closed)),
        ("\"False\"", Some(State::Closed)),
        ("\"true\"", Some(State::Active)),
        ("null", None),
        ("0", None),
    ] {
        let body: &'static str = format!("{{\"id\": \"m1\", \"userName\": \"m\", \"Active\": {active}}}").leak();
        let seen = find(&Script::of([ok("GET /Users/m1", body)]), "", known()).await;
        assert_eq!(seen.ok().and_then(|s| s.present().map(|a| a.state)), want, "{active}");
    }
}

#[tokio::test(start_paused = true)]
async fn whom_the_server_hides_is_gone_only_where_the_section_says_so() {
    let off: &'static str = MIA.replace("\"active\": true", "\"active\": false").leak();
    let lines = || [says("GET /Users/m1", 404, LOST), ok(FIND, off)];
    assert!(find(&Script::of(lines()), "", known()).await.is_err());
    let seen = find(&Script::of(lines()), "gone_is = \"deleted\"", known()).await;
    assert!(matches!(seen, Ok(Observed::Present(a)) if a.state == State::Closed));
    let proxy = says("GET /Users/m1", 404, r#"{"status": 404, "message": "not here"}"#);
    assert!(
        find(&Script::of([proxy]), "gone_is = \"deleted\"", known())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn two_accounts_for_one_person_are_refused() {
    let two = r#"{"totalResults": 2, "Resources": [{"id": "m1", "userName": "mia.lund@acme.example"},
        {"id": "m2", "userName": "MIA.LUND@acme.example"}]}"#;
    let f = find(&Script::of([ok(FIND, two)]), "", Handles::default())
        .await
        .unwrap_err();
    assert!(f.summary.contains("m1 and m2") && f.hint.is_some_and(|h| h.text.contains("jml link")));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_add_up_is_read_twice_and_then_unknown() {
    let page = |ids: &[&str], total: usize| -> &'static str {
        let items: Vec<String> = ids
            .iter()
            .map(|i| format!("{{\"id\": \"{i}\", \"userName\": \"{i}\", \"active\": true}}"))
            .collect();
        format!("{{\"totalResults\": {total}, \"Resources\": [{}]}}", items.join(",")).leak()
    };
    let ids = |script: Arc<Script>| async move {
        let page = eyes(&script, "page_size = 2")
            .accounts(None)
            .await
            .map_err(|f| f.kind)?;
        script.finished();
        Ok::<_, Kind>(page.items.into_iter().map(|a| a.id).collect::<Vec<_>>())
    };
    let (first, second) = ("GET /Users?startIndex=1&count=2", "GET /Users?startIndex=2&count=2");
    // one of two asked for came: the next page starts behind it
    let short = Script::of([ok(first, page(&["a"], 2)), ok(second, page(&["b"], 2))]);
    assert_eq!(ids(short).await, Ok(vec!["a".to_owned(), "b".to_owned()]));
    let twice = || [ok(first, page(&["a"], 2)), ok(second, page(&["a"], 2))];
    assert_eq!(
        ids(Script::of([twice(), twice()].concat())).await,
        Err(Kind::Contradiction)
    );
    let grown = [ok(first, page(&["a"], 2)), ok(second, page(&["b"], 3))];
    let mended = [ok(first, page(&["a", "b"], 2))];
    assert_eq!(
        ids(Script::of(grown.into_iter().chain(mended))).await,
        Ok(vec!["a".to_owned(), "b".to_owned()])
    );
    let few = || [ok(first, page(&["a"], 2)), ok(second, page(&[], 2))];
    assert_eq!(ids(Script::of([few(), few()].concat())).await, Err(Kind::Contradiction));
}

#[tokio::test(start_paused = true)]
async fn each_variant_of_a_deactivation_is_sent_as_its_server_wants_it() {
    let patch = r#"PATCH /Users/m1 {"Operations":[{"op":"#;
    for (more, rest) in [
        ("", r#""replace","path":"active","value":false}]"#),
        (
            "op_case = \"capital\"\nactive_as = \"string\"",
            r#""Replace","path":"active","value":"False"}]"#,
        ),
        ("patch_path = \"off\"", r#""replace","value":{"active":false}}]"#),
    ] {
        let begins: &'static str = format!("{patch}{rest}").leak();
        let done = act(&Script::of([says(begins, 204, "")]), more, Action::Deactivate).await;
        assert!(done.is_ok_and(|r| r.status == 204 && !r.already), "{more}");
    }
    let gone = act(
        &Script::of([says("PATCH /Users/m1", 404, LOST)]),
        "",
        Action::Deactivate,
    )
    .await;
    assert!(gone.is_ok_and(|r| r.already));
    let lies = act(
        &Script::of([ok("PATCH /Users/m1", r#"{"id": "m1", "active": true}"#)]),
        "",
        Action::Deactivate,
    )
    .await;
    assert_eq!(lies.map_err(|f| f.kind), Err(Kind::Contradiction));
    let unknown = act(
        &Script::of([says("PATCH /Users/m1", 501, LOST)]),
        "",
        Action::Deactivate,
    )
    .await;
    assert!(unknown.is_err_and(|f| f.hint.is_some_and(|h| h.text.contains("deprovision = \"put\""))));
}

#[tokio::test(start_paused = true)]
async fn a_put_writes_the_whole_account_back_and_looks_again_where_it_changed() {
    let there =
        r#"{"id": "m1", "userName": "mia", "title": "Clerk", "active": true, "meta": {"version": "x"}, "groups": []}"#;
    let wanted = r#"PUT /Users/m1 {"active":false,"id":"m1","title":"Clerk","userName":"mia"}"#;
    let script = Script::of([
        with("GET /Users/m1", "etag: W/\"1\"", there),
        says(wanted, 412, LOST),
        with("GET /Users/m1", "etag: W/\"2\"", there),
        says(wanted, 200, r#"{"id": "m1", "active": false}"#),
    ]);
    let done = act(&script, "deprovision = \"put\"", Action::Deactivate).await;
    assert!(done.is_ok_and(|r| r.status == 200));
    script.finished();
}

#[tokio::test(start_paused = true)]
async fn a_member_is_taken_out_by_a_value_path_alone() {
    let group = Held::new(Holding::Group, "G1", "eng");
    let inside = r#"{"id": "G1", "displayName": "eng", "members": [{"value": "m1"}, {"value": "a1"}]}"#;
    let patch = r#"PATCH /Groups/G1 {"Operations":[{"op":"remove","path":"members[value eq \"m1\"]"}]"#;
    let script = Script::of([ok("GET /Groups/G1", inside), says(patch, 204, "")]);
    assert!(
        act(&script, "", Action::RemoveMember { group: group.clone() })
            .await
            .is_ok_and(|r| !r.already)
    );
    let outside = r#"{"id": "G1", "displayName": "eng"}"#;
    let script = Script::of([ok("GET /Groups/G1", outside)]);
    assert!(
        act(&script, "", Action::RemoveMember { group: group.clone() })
            .await
            .is_ok_and(|r| r.already)
    );
    // an id of nobody's would be taken
    let script = Script::of([says("GET /Users/m1", 404, LOST)]);
    assert!(act(&script, "", Action::AddMember { group }).await.is_err());
}
