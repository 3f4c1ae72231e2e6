use std::{collections::BTreeSet, sync::Arc};

use super::*;
use crate::{
    model::{Account, Action, Effect, Held, Holding, Kind, Observed, Receipt, State},
    providers::{
        Cursor, Handles, Known, Observe, Perform, Task,
        script::{Script, now, ok, person, says},
    },
};

const MIA: &str = "zJKyaiAyTNC-MWjiWC18KQ";
const SEEN: &str = r#"{"id":"zJKyaiAyTNC-MWjiWC18KQ","email":"mia.lund@acme.example","type":2,"status":"active","role_id":"2","account_id":"ACME","login_types":[100,101]}"#;
const GONE: &str =
    r#"{"id":"zJKyaiAyTNC-MWjiWC18KQ","email":"mia.lund@acme.example","type":2,"status":"inactive","role_id":"2"}"#;
const THIN: &str = r#"{"id":"zJKyaiAyTNC-MWjiWC18KQ","status":"pending","created_at":"2018-10-31T04:32:37Z"}"#;
const NOBODY: &str = r#"{"code":1001,"message":"User does not exist: mia.lund@acme.example."}"#;

async fn find(script: &Arc<Script>, handles: &Handles) -> Result<Observed<Account>, Failure> {
    let person = person();
    let parts = BTreeSet::from([Holding::Seat, Holding::Invitation]);
    let eyes = Eyes::new(script.reader(explain), Some("ACME".into()));
    let who = Known {
        person: &person,
        handles,
        parts: &parts,
    };
    eyes.observe(who).await
}

fn known(account: &str) -> Handles {
    Handles {
        account: Some(account.into()),
        addresses: ["mia.lund@acme.example".to_owned()].into(),
        ..Handles::default()
    }
}

async fn seen(body: &'static str) -> Account {
    let script = Script::of([ok("GET /v2/users/zJKyaiAyTNC-MWjiWC18KQ", body)]);
    match find(&script, &known(MIA)).await {
        Ok(Observed::Present(account)) => account,
        other => panic!("{other:?}"),
    }
}

async fn act(script: &Arc<Script>, action: Action) -> Result<Receipt, Failure> {
    let effect = Effect {
        system: System::of("zoom"),
        account: MIA.into(),
        action,
    };
    let task = Task {
        effect: &effect,
        key: "r-1/00u1/3",
        deadline: now() + chrono::Duration::minutes(15),
        again: false,
    };
    Hands::new(script.writer(explain)).perform(task).await
}

#[tokio::test(start_paused = true)]
async fn a_licence_goes_with_the_account_until_the_account_is_gone() {
    let active = seen(SEEN).await;
    assert_eq!((active.state, active.blocked.as_deref()), (State::Active, None));
    assert!(active.word.contains("password"), "{}", active.word);
    assert_eq!(
        active.held(Holding::Seat).next().unwrap().via.as_deref(),
        Some("account")
    );
    let gone = seen(GONE).await;
    assert_eq!(gone.state, State::Closed);
    assert_eq!(gone.held(Holding::Seat).next().unwrap().via, None);
    let pending = seen(THIN).await;
    assert_eq!(
        (pending.state, pending.held(Holding::Invitation).count()),
        (State::Pending, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn owner_and_admin_are_blocked_before_anything_is_tried() {
    for (role, said) in [("0", "owner"), ("1", "admin")] {
        let body = SEEN.replace(r#""role_id":"2""#, &format!(r#""role_id":"{role}""#));
        let account = seen(body.leak()).await;
        assert!(account.blocked.is_some_and(|b| b.starts_with(said)), "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_as_me_and_absent_is_zooms_own_word() {
    let script = Script::of([says("GET /v2/users/mia.lund%40acme.example", 404, NOBODY)]);
    assert_eq!(find(&script, &known("me")).await, Ok(Observed::Absent));
    assert_eq!(script.asked().len(), 1);
    let script = Script::of([says(
        "GET /v2/users/mia.lund%40acme.example",
        404,
        r#"{"message":"no route"}"#,
    )]);
    assert_eq!(find(&script, &known("")).await.unwrap_err().kind, Kind::Permanent);
    let assigned = Handles {
        assigned: true,
        ..known("")
    };
    let script = Script::of([says("GET /v2/users/mia.lund%40acme.example", 404, NOBODY)]);
    assert_eq!(find(&script, &assigned).await.unwrap_err().kind, Kind::Contradiction);
}

#[tokio::test(start_paused = true)]
async fn a_missing_scope_is_named_though_it_is_a_400() {
    let body = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[user:read:user:admin]."}"#;
    let script = Script::of([says("GET /v2/users/", 400, body)]);
    let f = find(&script, &known(MIA)).await.unwrap_err();
    assert_eq!(f.kind, Kind::Auth);
    assert!(f.hint.is_some_and(|h| h.text.contains("scope user:read:user:admin to")));
}

#[tokio::test(start_paused = true)]
async fn a_code_in_a_200_is_a_refusal() {
    let put = r#"PUT /v2/users/zJKyaiAyTNC-MWjiWC18KQ/status {"action":"deactivate"}"#;
    let refused = r#"{"code":300,"message":"Validation Failed."}"#;
    let script = Script::of([ok(put, refused), ok("GET /v2/users/", SEEN)]);
    assert_eq!(
        act(&script, Action::Deactivate).await.unwrap_err().kind,
        Kind::Permanent
    );
    let script = Script::of([ok(put, refused), ok("GET /v2/users/", GONE)]);
    assert_eq!(act(&script, Action::Deactivate).await.map(|r| r.already), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn an_invitation_that_was_accepted_is_not_withdrawn() {
    let action = || Action::CancelInvitation {
        invitation: Held::new(Holding::Invitation, MIA, "the invitation to Zoom"),
    };
    let script = Script::of([ok("GET /v2/users/", SEEN)]);
    assert_eq!(act(&script, action()).await.unwrap_err().kind, Kind::Permanent);
    let end = "DELETE /v2/users/zJKyaiAyTNC-MWjiWC18KQ?action=disassociate";
    let script = Script::of([ok("GET /v2/users/", THIN), says(end, 204, "")]);
    assert_eq!(act(&script, action()).await.map(|r| r.already), Ok(false));
    script.finished();
}

#[tokio::test(start_paused = true)]
async fn all_three_lists_are_read_and_a_short_one_is_not_believed() {
    let one = |status: &str, total: u32| -> &'static str {
        format!(r#"{{"page_size":300,"total_records":{total},"next_page_token":"","users":[{{"id":"{MIA}","email":"m@acme.example","type":1,"status":"{status}"}}]}}"#)
            .leak()
    };
    let script = Script::of([
        ok("GET /v2/users?status=active&page_size=300", one("active", 1)),
        ok("GET /v2/users?status=inactive&page_size=300", one("inactive", 1)),
        ok("GET /v2/users?status=pending&page_size=300", one("pending", 1)),
    ]);
    let eyes = Eyes::new(script.reader(explain), None);
    let (mut from, mut states) = (None, Vec::new());
    let total = loop {
        let page = eyes.accounts(from).await.unwrap();
        states.extend(page.items.iter().map(|a| a.state));
        from = page.next;
        if from.is_none() {
            break page.total;
        }
    };
    assert_eq!(states, [State::Active, State::Closed, State::Pending]);
    assert_eq!(
        total,
        Some(3),
        "of all lists, to be held against the accounts that came"
    );
    let script = Script::of([ok("GET /v2/users?status=active", one("active", 2))]);
    let short = Eyes::new(script.reader(explain), None).accounts(None).await;
    assert_eq!(short.unwrap_err().kind, Kind::Contradiction);
    let none = r#"{"page_size":300,"total_records":0,"next_page_token":"","users":[]}"#;
    let script = Script::of([ok("GET /v2/users?status=inactive", none)]);
    let empty = Eyes::new(script.reader(explain), None);
    assert!(empty.accounts(Some(Cursor("inactive 0 1 ".into()))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused() {
    let list = r#"{"total_records":1,"users":[{"id":"zJKyaiAyTNC-MWjiWC18KQ"}]}"#;
    let script = Script::of([
        ok("GET /v2/users?status=active&page_size=1", list),
        ok("GET /v2/users/z", SEEN),
    ]);
    let f = Eyes::new(script.reader(explain), Some("OTHER".into()))
        .pinned()
        .await
        .unwrap_err();
    assert!(f.summary.contains("OTHER") && f.summary.contains("ACME"), "{f}");
}

#[test]
fn an_odd_id_is_encoded_twice() {
    assert_eq!(eyes::segment("/a//b="), "%2Fa%2F%2Fb%3D");
    assert_eq!(eyes::segment(MIA), MIA);
}
