use std::{collections::BTreeSet, sync::Arc};

use super::*;
use crate::{
    model::{Account, Action, Effect, Failure, Held, Holding, Kind, Observed, Receipt, State},
    providers::{
        Handles, Known, Observe, Perform, Task,
        script::{Script, lost, now, ok, person, says},
    },
};

const MIA: &str = r#"{"kind":"admin#directory#user","id":"107629341234567890123","primaryEmail":"mia.lund@acme.example","aliases":["m.lund@acme.example"],"isAdmin":false,"isDelegatedAdmin":false,"suspended":false,"archived":false,"customerId":"C01acme"}"#;
const BOSS: &str =
    r#"{"id":"107629341234567890777","primaryEmail":"boss@acme.example","suspended":false,"isAdmin":false}"#;
const ADMIN: &str = r#"{"id":"107629341234567890999","primaryEmail":"admin@acme.example","suspended":false,"isAdmin":true,"customerId":"C01acme"}"#;
const NOBODY: &str = r#"{"error":{"code":404,"message":"Resource Not Found: userKey","errors":[{"message":"Resource Not Found: userKey","domain":"global","reason":"notFound"}]}}"#;
const DELETED: &str = r#"{"error":{"code":412,"message":"User is deleted.","errors":[{"reason":"conditionNotMet"}]}}"#;
const SLOWER: &str = r#"{"error":{"code":403,"message":"User Rate Limit Exceeded","errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded"}]}}"#;
const APPS: &str = r#"{"kind":"admin#datatransfer#applicationsList","applications":[{"id":"55656082996","name":"Drive and Docs","transferParams":[{"key":"PRIVACY_LEVEL","value":["PRIVATE","SHARED"]}]},{"id":"435070579839","name":"Google Calendar"}]}"#;
const NO_TRANSFERS: &str = r#"{"kind":"admin#datatransfer#dataTransfersList"}"#;
const RUNNING: &str = r#"{"kind":"admin#datatransfer#dataTransfersList","dataTransfers":[{"id":"AKrEtI1","oldOwnerUserId":"107629341234567890123","newOwnerUserId":"107629341234567890777","applicationDataTransfers":[{"applicationId":"55656082996"},{"applicationId":"435070579839"}],"overallTransferStatusCode":"inProgress","requestTime":"2026-11-25T00:10:00.000Z"},{"id":"AKrEtI2","oldOwnerUserId":"107629341234567890123","newOwnerUserId":"107629341234567890777","applicationDataTransfers":[{"applicationId":"435070579839"}],"overallTransferStatusCode":"inProgress","requestTime":"2026-11-25T00:10:00.000Z"}]}"#;
const ID: &str = "107629341234567890123";
const BY_ID: &str = "GET /admin/directory/v1/users/107629341234567890123?";
const BY_ADDRESS: &str = "GET /admin/directory/v1/users/mia.lund%40acme.example?";
const BY_ALIAS: &str = "GET /admin/directory/v1/users/m.lund%40acme.example?";
const BY_ADMIN: &str = "GET /admin/directory/v1/users/admin%40acme.example?";
const BY_BOSS: &str = "GET /admin/directory/v1/users/boss%40acme.example?";

fn names() -> Vec<String> {
    drive_and_calendar()
}

fn eyes(script: &Arc<Script>) -> Eyes {
    Eyes {
        can: VERBS.iter().copied().collect(),
        directory: script.reader(explain),
        security: script.reader(explain),
        transfers: transfers::Transfers::new(script.reader(explain), names()),
        customer: Some("C01acme".into()),
        admin: "admin@acme.example".into(),
        groups: true,
        deadline: Some(Duration::from_secs(7200)),
        wait: Duration::ZERO,
        canary: Default::default(),
    }
}

async fn find(script: &Arc<Script>, handles: Handles, parts: &[Holding]) -> Result<Observed<Account>, Failure> {
    let person = person();
    let parts = parts.iter().copied().collect();
    let who = Known {
        person: &person,
        handles: &handles,
        parts: &parts,
    };
    eyes(script).observe(who).await
}

fn addresses(all: &[&str]) -> Handles {
    Handles {
        addresses: all.iter().map(|a| (*a).to_owned()).collect(),
        ..Handles::default()
    }
}

async fn act(script: &Arc<Script>, action: Action) -> Result<Receipt, Failure> {
    let moving = script.writer(explain);
    let hands = Hands {
        users: script.writer(explain),
        members: script.writer(explain),
        transfers: transfers::Transfers::new(moving.reader().clone(), names()),
        moving,
    };
    let effect = Effect {
        system: System::of("google"),
        account: ID.into(),
        action,
    };
    hands
        .perform(Task {
            effect: &effect,
            key: "r-1/00u1/3",
            deadline: now() + chrono::Duration::minutes(15),
            again: false,
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_leads_elsewhere_is_not_believed() {
    let script = Script::of([ok(BY_ALIAS, MIA)]);
    let f = find(&script, addresses(&["m.lund@acme.example"]), &[])
        .await
        .unwrap_err();
    assert_eq!(f.kind, Kind::Contradiction);
    assert!(f.summary.contains("alias of mia.lund@acme.example"), "{f}");
    // Where the owner's address is theirs too, it is one account.
    let script = Script::of([ok(BY_ALIAS, MIA), ok(BY_ADDRESS, MIA)]);
    let both = addresses(&["m.lund@acme.example", "mia.lund@acme.example"]);
    let Ok(Observed::Present(a)) = find(&script, both, &[]).await else {
        panic!("not found")
    };
    assert_eq!((a.id.as_str(), a.state, a.word.as_str()), (ID, State::Active, "active"));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_account_is_absent_and_nobody_only_beside_somebody() {
    let script = Script::of([says(BY_ADDRESS, 412, DELETED)]);
    let seen = find(&script, addresses(&["mia.lund@acme.example"]), &[]).await;
    assert_eq!(seen, Ok(Observed::Absent));
    let script = Script::of([says(BY_ADDRESS, 412, DELETED)]);
    let addressed = addresses(&["mia.lund@acme.example"]);
    let Ok(Observed::Present(gone)) = find(&script, addressed, &[Holding::Owned]).await else {
        panic!("a leaver's deleted account is worth a word")
    };
    assert_eq!((gone.state, gone.word.as_str()), (State::Closed, "deleted, restorable"));
    let script = Script::of([says(BY_ADDRESS, 404, NOBODY), ok(BY_ADMIN, ADMIN)]);
    let seen = find(&script, addresses(&["mia.lund@acme.example"]), &[]).await;
    assert_eq!(seen, Ok(Observed::Absent));
    script.finished();
    let script = Script::of([says(BY_ADDRESS, 404, NOBODY), says(BY_ADMIN, 404, NOBODY)]);
    let f = find(&script, addresses(&["mia.lund@acme.example"]), &[])
        .await
        .unwrap_err();
    assert_eq!(f.kind, Kind::Contradiction);
    let script = Script::of([says(
        BY_ADDRESS,
        412,
        r#"{"error":{"code":412,"errors":[{"reason":"other"}]}}"#,
    )]);
    assert!(find(&script, addresses(&["mia.lund@acme.example"]), &[]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_lets_in_beside_the_password_is_seen_one_by_one_and_no_code_is_kept() {
    let script = Script::of([
        ok(
            BY_ID,
            &MIA.replace("\"suspended\":false", "\"suspended\":true").leak()[..],
        ),
        ok(
            "GET /admin/directory/v1/users/107629341234567890123/tokens",
            r#"{"kind":"admin#directory#tokenList","items":[{"clientId":"1.apps","displayText":"Figma"},{"clientId":"","displayText":"Old"}]}"#,
        ),
        ok(
            "GET /admin/directory/v1/users/107629341234567890123/asps",
            r#"{"kind":"admin#directory#aspList","items":[{"codeId":7,"name":"Mail"}]}"#,
        ),
        ok(
            "GET /admin/directory/v1/users/107629341234567890123/verificationCodes",
            r#"{"kind":"admin#directory#verificationCodesList","items":[{"verificationCode":"hunter22"}]}"#,
        ),
    ]);
    let handles = Handles {
        account: Some(ID.into()),
        ..Handles::default()
    };
    let Ok(Observed::Present(a)) = find(&script, handles, &[Holding::Client, Holding::Token]).await else {
        panic!("not found")
    };
    let ids = |kind| {
        a.held(kind)
            .map(|h| (h.id.as_str(), h.stays().is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(Holding::Client), [("1.apps", false), ("unnamed Old", true)]);
    assert_eq!(ids(Holding::Token), [("asp:7", false), ("backup-codes", true)]);
    assert!(!format!("{a:?}").contains("hunter22"));
}

#[tokio::test(start_paused = true)]
async fn only_a_transfer_of_everything_is_one_and_it_says_until_when_it_is_owed() {
    let script = Script::of([
        ok(BY_ID, MIA),
        ok(
            "GET /admin/datatransfer/v1/transfers?customerId=my_customer&oldOwnerUserId=107629341234567890123",
            RUNNING,
        ),
        ok("GET /admin/datatransfer/v1/applications", APPS),
        ok("GET /admin/directory/v1/users/107629341234567890777", BOSS),
    ]);
    let handles = Handles {
        account: Some(ID.into()),
        ..Handles::default()
    };
    let Ok(Observed::Present(a)) = find(&script, handles, &[Holding::Transfer]).await else {
        panic!("not found")
    };
    let all: Vec<&Held> = a.held(Holding::Transfer).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].id.as_str(), all[0].fact("to"), all[0].fact("status")),
        ("AKrEtI1", "boss@acme.example", "inProgress")
    );
    assert_eq!(all[0].fact("until"), "2026-11-25T02:10:00+00:00");
}

#[tokio::test(start_paused = true)]
async fn an_administrator_is_named_before_anything_is_tried() {
    let script = Script::of([ok(BY_ADMIN, ADMIN)]);
    let Ok(Observed::Present(a)) = find(&script, addresses(&["admin@acme.example"]), &[Holding::Owned]).await else {
        panic!("not found")
    };
    assert!(a.blocked.is_some_and(|why| why.contains("jml acts")));
    assert!(
        a.holds[&Holding::Owned]
            .present()
            .is_some_and(|o: &BTreeSet<Held>| o.len() == 1)
    );
    let other = ADMIN.replace("C01acme", "C02other");
    let script = Script::of([ok(BY_ADMIN, other.leak())]);
    let f = eyes(&script).pinned().await.unwrap_err();
    assert!(f.summary.contains("C01acme") && f.summary.contains("C02other"), "{f}");
}

fn start() -> Action {
    Action::StartTransfer {
        to: "boss@acme.example".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn files_are_asked_for_once_private_ones_too_by_number() {
    let post = r#"POST /admin/datatransfer/v1/transfers {"applicationDataTransfers":[{"applicationId":"55656082996","applicationTransferParams":[{"key":"PRIVACY_LEVEL","value":["PRIVATE","SHARED"]}]},{"applicationId":"435070579839","applicationTransferParams":[{"key":"RELEASE_RESOURCES","value":["TRUE"]}]}],"newOwnerUserId":"107629341234567890777","oldOwnerUserId":"107629341234567890123"}"#;
    let before = || {
        [
            ok(BY_BOSS, BOSS),
            ok("GET /admin/datatransfer/v1/transfers", NO_TRANSFERS),
            ok("GET /admin/datatransfer/v1/applications", APPS),
        ]
    };
    let made = r#"{"id":"AKrEtI3","oldOwnerUserId":"1","newOwnerUserId":"2","overallTransferStatusCode":"inProgress"}"#;
    let script = Script::of(before().into_iter().chain([ok(post, made)]));
    let receipt = act(&script, start()).await.unwrap();
    assert_eq!((receipt.already, receipt.made.as_deref()), (false, Some("AKrEtI3")));
    let script = Script::of(before().into_iter().chain([lost(post), ok(post, made)]));
    assert_eq!(act(&script, start()).await.unwrap_err().kind, Kind::Doubt);
    assert_eq!(script.asked().len(), 4, "never sent again unseen");
    let script = Script::of([
        ok(BY_BOSS, BOSS),
        ok("GET /admin/datatransfer/v1/transfers", RUNNING),
        ok("GET /admin/datatransfer/v1/applications", APPS),
    ]);
    let adopted = act(&script, start()).await.unwrap();
    assert_eq!((adopted.already, adopted.made.as_deref()), (true, Some("AKrEtI1")));
}

#[tokio::test(start_paused = true)]
async fn nobody_who_is_shut_is_given_files() {
    let shut = BOSS.replace("\"suspended\":false", "\"suspended\":true");
    let script = Script::of([ok(BY_BOSS, shut.leak())]);
    let f = act(&script, start()).await.unwrap_err();
    assert_eq!(f.kind, Kind::Permanent);
    assert!(f.hint.is_some_and(|h| h.text.contains("--transfer-to")));
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_are_no_missing_right() {
    let put = r#"PUT /admin/directory/v1/users/107629341234567890123 {"suspended":true}"#;
    let suspended = MIA.replace("\"suspended\":false", "\"suspended\":true");
    let script = Script::of([says(put, 403, SLOWER), ok(put, suspended.leak())]);
    assert!(act(&script, Action::Suspend).await.is_ok());
    script.finished();
    let still = act(&Script::of([ok(put, MIA)]), Action::Suspend).await;
    assert_eq!(still.unwrap_err().kind, Kind::Contradiction);
    let super_admin = r#"{"error":{"code":403,"message":"Not Authorized to access this resource/api","errors":[{"domain":"global","reason":"forbidden"}]}}"#;
    let f = act(&Script::of([says(put, 403, super_admin)]), Action::Suspend)
        .await
        .unwrap_err();
    assert_eq!((f.kind, f.code.as_deref()), (Kind::Auth, Some("forbidden")));
    assert!(f.hint.is_some_and(|h| h.text.contains("super administrator")));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_gone_and_codes_behind_a_suspension_are_named() {
    let token = |id: &str| Action::RevokeToken {
        token: Held::new(Holding::Token, id, "credential"),
    };
    let invalid =
        r#"{"error":{"code":400,"message":"Invalid Input","errors":[{"domain":"global","reason":"invalid"}]}}"#;
    let delete = "DELETE /admin/directory/v1/users/107629341234567890123/asps/7";
    let script = Script::of([
        says(delete, 400, invalid),
        ok(
            "GET /admin/directory/v1/users/107629341234567890123/asps",
            r#"{"kind":"admin#directory#aspList"}"#,
        ),
    ]);
    assert_eq!(act(&script, token("asp:7")).await.map(|r| r.already), Ok(true));
    let codes = "POST /admin/directory/v1/users/107629341234567890123/verificationCodes/invalidate";
    let f = act(&Script::of([says(codes, 400, invalid)]), token("backup-codes"))
        .await
        .unwrap_err();
    assert!(f.summary.contains("suspended") && f.hint.is_some());
    let client = Action::RevokeClientTokens {
        client: Held::new(Holding::Client, "1.apps", "Figma"),
    };
    let delete = "DELETE /admin/directory/v1/users/107629341234567890123/tokens/1.apps";
    let gone = act(&Script::of([says(delete, 404, NOBODY)]), client).await;
    assert_eq!(gone.map(|r| r.already), Ok(true));
}

#[test]
fn the_settings_decide_the_verbs_and_where_tokens_come_from() {
    let with = |more: &str| {
        let text = format!("admin = \"a@acme.example\"\nwrite = \"file:/k\"\n{more}");
        toml::from_str::<Settings>(&text).unwrap()
    };
    let plain = with("url = \"https://admin.googleapis.com\"");
    assert!(!plain.verbs().contains(&Verb::RemoveMember) && plain.verbs().contains(&Verb::StartTransfer));
    assert_eq!(plain.token_url().as_url().as_str(), "https://oauth2.googleapis.com/");
    let other = with("url = \"http://127.0.0.1:1\"\ngroups = true\ntransfer = []\ntransfer_deadline = \"2h\"");
    assert!(other.verbs().contains(&Verb::RemoveMember) && !other.verbs().contains(&Verb::StartTransfer));
    assert_eq!(other.token_url().as_url().as_str(), "http://127.0.0.1:1/");
    assert_eq!(other.transfer_deadline, Some(Duration::from_secs(7200)));
}
