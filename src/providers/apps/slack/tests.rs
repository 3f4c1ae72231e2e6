use std::{collections::BTreeSet, sync::Arc};

use super::*;
use crate::{
    model::{Account, Action, Effect, Held, Holding, Kind, Observed, Receipt, State},
    providers::{
        Cursor, Handles, Known, Observe, Perform, Task,
        script::{Line, Script, lost, now, ok, person, says},
    },
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/slack/", $name))
    };
}

const MIA: &str = fixture!("user.json");
const GONE: &str = fixture!("deactivated.json");
const NOBODY: &str = r#"{"ok": false, "error": "users_not_found"}"#;

fn eyes(script: &Arc<Script>) -> Eyes {
    Eyes::new(script.reader(explain), Plan::Business, Some("T0ACME001".into()))
}

async fn find(script: &Arc<Script>, handles: Handles, parts: &[Holding]) -> Result<Observed<Account>, Failure> {
    let person = person();
    let parts = parts.iter().copied().collect();
    eyes(script)
        .observe(Known {
            person: &person,
            handles: &handles,
            parts: &parts,
        })
        .await
}

fn addresses(all: &[&str]) -> Handles {
    Handles {
        addresses: all.iter().map(|a| (*a).to_owned()).collect(),
        ..Handles::default()
    }
}

async fn act(script: &Arc<Script>, account: &str, action: Action) -> Result<Receipt, Failure> {
    tried(script, account, action, "r-1/00u1/3", false).await
}

async fn tried(
    script: &Arc<Script>,
    account: &str,
    action: Action,
    key: &str,
    again: bool,
) -> Result<Receipt, Failure> {
    let hands = Hands::new(script.writer(explain), script.writer(explain), script.writer(explain));
    let effect = Effect {
        system: System::of("slack"),
        account: account.into(),
        action,
    };
    hands
        .perform(Task {
            effect: &effect,
            key,
            deadline: now() + chrono::Duration::minutes(15),
            again,
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn the_ledgers_id_outranks_addresses_and_shows_the_deactivated() {
    let script = Script::of([ok("GET /api/users.info?user=U0MIA00001", GONE)]);
    let handles = Handles {
        account: Some("U0MIA00001".into()),
        ..addresses(&["mia.lund@acme.example"])
    };
    let Ok(Observed::Present(a)) = find(&script, handles, &[Holding::Channel]).await else {
        panic!("not found")
    };
    assert_eq!((a.state, a.word.as_str()), (State::Closed, "deactivated"));
    assert_eq!(
        a.holds[&Holding::Channel],
        Observed::Present(BTreeSet::new()),
        "and is in no channel, unasked"
    );
    script.finished();
}

#[tokio::test(start_paused = true)]
async fn an_old_address_finds_what_the_new_one_does_not() {
    let script = Script::of([
        ok("GET /api/users.lookupByEmail?email=mia.lund%40acme.example", MIA),
        ok("GET /api/users.lookupByEmail?email=mia.moe%40acme.example", NOBODY),
        ok(
            "GET /api/users.conversations?user=U0MIA00001&types=public_channel%2Cprivate_channel",
            fixture!("channels.json"),
        ),
    ]);
    let found = find(
        &script,
        addresses(&["mia.moe@acme.example", "Mia.Lund@acme.example"]),
        &[Holding::Channel],
    )
    .await;
    let Ok(Observed::Present(a)) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (a.id.as_str(), a.login.as_str(), a.state),
        ("U0MIA00001", "Mia.Lund@acme.example", State::Active)
    );
    assert_eq!(
        a.held(Holding::Channel).map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["#sre"]
    );
    script.finished();
}

#[tokio::test(start_paused = true)]
async fn none_is_believed_once_a_known_account_is_found_the_same_way() {
    let script = Script::of([
        ok("GET /api/users.lookupByEmail?email=new%40acme.example", NOBODY),
        ok("GET /api/users.list?limit=200", fixture!("users_first.json")),
        ok(
            "GET /api/users.lookupByEmail?email=ana.ruiz%40acme.example",
            r#"{"ok": true, "user": {"id": "U0ANA00001"}}"#,
        ),
    ]);
    assert_eq!(
        find(&script, addresses(&["new@acme.example"]), &[]).await,
        Ok(Observed::Absent)
    );
    script.finished();
    let blind = Script::of([
        ok("GET /api/users.lookupByEmail?email=new%40acme.example", NOBODY),
        ok("GET /api/users.list?limit=200", fixture!("users_first.json")),
        ok("GET /api/users.lookupByEmail?email=ana.ruiz%40acme.example", NOBODY),
    ]);
    assert_eq!(
        find(&blind, addresses(&["new@acme.example"]), &[])
            .await
            .unwrap_err()
            .kind,
        Kind::Contradiction
    );
}

#[tokio::test(start_paused = true)]
async fn an_assigned_account_that_nobody_finds_is_looked_for_among_the_deactivated_and_then_unknown() {
    let pages = || {
        [
            ok("GET /api/users.lookupByEmail", NOBODY),
            ok(
                "GET /api/users.list?limit=1000&cursor=dXNlcjpVMEFOQQ%3D%3D",
                fixture!("users_last.json"),
            ),
            ok("GET /api/users.list?limit=1000", fixture!("users_first.json")),
        ]
    };
    let assigned = |a: &str| Handles {
        assigned: true,
        ..addresses(&[a])
    };
    let script = Script::of(pages());
    let found = find(&script, assigned("nia.berg@acme.example"), &[]).await;
    assert!(
        matches!(&found, Ok(Observed::Present(a)) if a.id == "U0NIA00001" && a.state == State::Closed),
        "{found:?}"
    );
    let nobody = find(&Script::of(pages()), assigned("nia.cole@acme.example"), &[])
        .await
        .unwrap_err();
    assert_eq!(nobody.kind, Kind::Contradiction);
    assert!(nobody.summary.contains("nia.cole@acme.example"));
}

#[tokio::test(start_paused = true)]
async fn two_accounts_are_nobodys() {
    let script = Script::of([
        ok("GET /api/users.lookupByEmail?email=a%40acme.example", MIA),
        ok(
            "GET /api/users.lookupByEmail?email=b%40acme.example",
            fixture!("owner.json"),
        ),
    ]);
    let two = find(&script, addresses(&["a@acme.example", "b@acme.example"]), &[])
        .await
        .unwrap_err();
    assert!(
        two.kind == Kind::Contradiction && two.summary.contains("U0CAL00001 and U0MIA00001"),
        "{two}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_primary_owner_is_named_before_anything_is_tried() {
    let script = Script::of([ok("GET /api/users.lookupByEmail", fixture!("owner.json"))]);
    let Ok(Observed::Present(a)) = find(&script, addresses(&["cal.moe@acme.example"]), &[Holding::Owned]).await else {
        panic!()
    };
    assert!(a.blocked.as_ref().is_some_and(|b| b.contains("primary owner")));
    assert_eq!(a.held(Holding::Owned).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_missing_scope_says_which_and_what_is_there() {
    let script = Script::of([ok("GET /api/users.lookupByEmail", fixture!("missing_scope.json"))]);
    let f = find(&script, addresses(&["a@acme.example"]), &[]).await.unwrap_err();
    assert_eq!((f.kind, f.code.as_deref()), (Kind::Auth, Some("missing_scope")));
    assert!(
        f.hint
            .is_some_and(|h| h.text.contains("users:read.email") && h.text.contains("channels:read,users:read"))
    );
}

#[tokio::test(start_paused = true)]
async fn people_are_told_from_apps_and_strangers() {
    let script = Script::of([ok("GET /api/users.list?limit=200", fixture!("users_first.json"))]);
    let page = eyes(&script).accounts(None).await.unwrap();
    assert_eq!(
        page.items.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(),
        ["U0ANA00001"]
    );
    assert_eq!(page.next, Some(Cursor("dXNlcjpVMEFOQQ==".into())));
}

#[tokio::test(start_paused = true)]
async fn another_workspace_is_refused() {
    let me = r#"{"ok": true, "team": "Other", "team_id": "T0OTHER01", "user": "jml", "user_id": "U1", "url": "https://o.slack.com/"}"#;
    let f = eyes(&Script::of([ok("GET /api/auth.test", me)]))
        .pinned()
        .await
        .unwrap_err();
    assert!(
        f.summary.contains("T0ACME001") && f.summary.contains("T0OTHER01"),
        "{f}"
    );
}

#[test]
fn the_plan_decides_the_verbs() {
    assert!(!Plan::Pro.verbs().contains(&Verb::Deactivate));
    assert!(
        Plan::Business.verbs().contains(&Verb::Deactivate) && !Plan::Business.verbs().contains(&Verb::ClearSessions)
    );
    assert_eq!(Plan::Enterprise.verbs().len(), VERBS.len());
}

#[tokio::test(start_paused = true)]
async fn deactivation_is_believed_only_by_the_state_that_comes_back() {
    let patch =
        r#"PATCH /scim/v2/Users/U0MIA00001 {"Operations":[{"op":"replace","path":"active","value":false}],"schemas":"#;
    let done = act(
        &Script::of([ok(patch, fixture!("scim_user.json"))]),
        "U0MIA00001",
        Action::Deactivate,
    )
    .await;
    assert_eq!(done.map(|r| (r.status, r.already)), Ok((200, false)));
    let still = act(
        &Script::of([ok(patch, r#"{"active": true}"#)]),
        "U0MIA00001",
        Action::Deactivate,
    )
    .await;
    assert_eq!(still.unwrap_err().kind, Kind::Contradiction);
    let never = act(
        &Script::of([says(patch, 404, fixture!("scim_v1_refused.json"))]),
        "U0MIA00001",
        Action::Deactivate,
    )
    .await;
    assert_eq!(never.map(|r| r.already), Ok(true));
    let owner = act(
        &Script::of([says(patch, 403, fixture!("scim_refused.json"))]),
        "U0MIA00001",
        Action::Deactivate,
    )
    .await;
    let owner = owner.unwrap_err();
    assert_eq!(
        (owner.kind, owner.code.as_deref()),
        (Kind::Permanent, Some("cannot_disable_primary_owner"))
    );
    assert!(owner.hint.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_again_where_that_is_safe() {
    let patch = "PATCH /scim/v2/Users/U0MIA00001";
    let script = Script::of([lost(patch), ok(patch, fixture!("scim_user.json"))]);
    assert!(act(&script, "U0MIA00001", Action::Deactivate).await.is_ok());
    script.finished();
}

fn sre() -> Held {
    Held::new(Holding::Channel, "C0SRE00001", "#sre")
}

#[tokio::test(start_paused = true)]
async fn being_there_already_is_no_failure_and_a_foreign_channel_is() {
    let invite = "POST /api/conversations.invite channel=C0SRE00001&users=U0MIA00001";
    let refused = |body| act_owned(invite, body, Action::JoinChannel { channel: sre() });
    assert_eq!(
        refused(r#"{"ok": false, "error": "already_in_channel"}"#)
            .await
            .map(|r| r.already),
        Ok(true)
    );
    let outside = refused(r#"{"ok": false, "error": "not_in_channel"}"#)
        .await
        .unwrap_err();
    assert!(outside.hint.is_some_and(|h| h.text.contains("invite jml's app")));
    let kick = "POST /api/conversations.kick channel=C0SRE00001&user=U0MIA00001";
    let gone = act_owned(
        kick,
        r#"{"ok": false, "error": "not_in_channel"}"#,
        Action::LeaveChannel { channel: sre() },
    );
    assert_eq!(gone.await.map(|r| r.already), Ok(true));
}

async fn act_owned(begins: &'static str, body: &'static str, action: Action) -> Result<Receipt, Failure> {
    act(&Script::of([ok(begins, body)]), "U0MIA00001", action).await
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_one_person_with_markup_disarmed_and_is_never_sent_twice() {
    let text = "<!channel> R&D".to_owned();
    let opened = || {
        [
            ok(
                "GET /api/users.lookupByEmail?email=erin%40acme.example",
                r#"{"ok": true, "user": {"id": "U0ERIN0001"}}"#,
            ),
            ok(
                "POST /api/conversations.open users=U0ERIN0001",
                r#"{"ok": true, "channel": {"id": "D0ERIN0001"}}"#,
            ),
        ]
    };
    let said = "POST /api/chat.postMessage channel=D0ERIN0001&text=%26lt%3B%21channel%26gt%3B+R%26amp%3BD&mrkdwn=false&metadata=%7B%22event_payload%22%3A%7B%22mark%22%3A%22";
    let script = Script::of(
        opened()
            .into_iter()
            .chain([ok(said, r#"{"ok": true, "channel": "D0ERIN0001", "ts": "1.2"}"#)]),
    );
    assert!(
        act(&script, "erin@acme.example", Action::SendMessage { text: text.clone() })
            .await
            .is_ok()
    );
    for doubtful in [lost(said), ok(said, r#"{"ok": false, "error": "internal_error"}"#)] {
        let script = Script::of(opened().into_iter().chain([doubtful]));
        let f = act(&script, "erin@acme.example", Action::SendMessage { text: text.clone() })
            .await
            .unwrap_err();
        assert_eq!((f.kind, script.asked().len()), (Kind::Doubt, 4), "looked for, in vain");
    }
    let gone = act(
        &Script::of([ok("GET /api/users.lookupByEmail", NOBODY)]),
        "erin@acme.example",
        Action::SendMessage { text },
    )
    .await;
    assert_eq!(gone.unwrap_err().kind, Kind::Permanent);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_gone_out_is_looked_for_and_never_sent_blindly() {
    const OPEN: Line = (
        "POST /api/conversations.open users=U0ERIN0001",
        Ok((200, "", r#"{"ok": true, "channel": {"id": "D0ERIN0001"}}"#)),
    );
    const SAY: &str = "POST /api/chat.postMessage channel=D0ERIN0001&text=moved&";
    const LOOK: &str = "GET /api/conversations.history?channel=D0ERIN0001&include_all_metadata=true&oldest=";
    const TAKEN: &str = r#"{"ok": true, "channel": "D0ERIN0001", "ts": "1.2"}"#;
    let told = || Action::SendMessage { text: "moved".into() };
    let said = |mark: &str, cursor: &str| -> &'static str {
        format!(
            r#"{{"ok": true, "messages": [{{"text": "hello"}}, {{"text": "moved", "metadata": {{"event_type": "jml_message", "event_payload": {{"mark": "{mark}"}}}}}}],
            "response_metadata": {{"next_cursor": "{cursor}"}}}}"#
        )
        .leak()
    };
    // What is sent bears the mark by which it is found: of the person's run, whatever the number of the step.
    let script = Script::of([OPEN, ok(SAY, TAKEN)]);
    act(&script, "U0ERIN0001", told()).await.unwrap();
    let sent = script.asked().pop().unwrap();
    let (_, mark) = sent.split_once("%22mark%22%3A%22").unwrap();
    let mark = &mark[..32];
    let script = Script::of([OPEN, ok(LOOK, said("of another", "p2")), ok(LOOK, said(mark, ""))]);
    tried(&script, "U0ERIN0001", told(), "r-1/00u1/9", true).await.unwrap();
    assert!(script.asked()[2].contains("cursor=p2"));
    script.finished();
    // Another run's is not it; then it is sent.
    let script = Script::of([OPEN, ok(LOOK, said(mark, "")), ok(SAY, TAKEN)]);
    tried(&script, "U0ERIN0001", told(), "r-2/00u1/3", true).await.unwrap();
    script.finished();
    // Nobody may look: in doubt, with what would help, and not sent.
    let closed = r#"{"ok": false, "error": "missing_scope", "needed": "im:history", "provided": "chat:write"}"#;
    let script = Script::of([OPEN, ok(LOOK, closed)]);
    let f = tried(&script, "U0ERIN0001", told(), "r-1/00u1/3", true)
        .await
        .unwrap_err();
    assert!(f.kind == Kind::Doubt && f.hint.is_some_and(|h| h.text.contains("im:history")));
    script.finished();
    // A lost answer: there it is; not there yet, so it is looked for again later; and nobody may look.
    let script = Script::of([OPEN, lost(SAY), ok(LOOK, said(mark, ""))]);
    assert!(act(&script, "U0ERIN0001", told()).await.is_ok());
    let script = Script::of([OPEN, lost(SAY), ok(LOOK, said("of another", ""))]);
    assert_eq!(
        act(&script, "U0ERIN0001", told()).await.unwrap_err().kind,
        Kind::Transient
    );
    let script = Script::of([OPEN, lost(SAY), ok(LOOK, closed)]);
    let f = act(&script, "U0ERIN0001", told()).await.unwrap_err();
    assert!(f.kind == Kind::Doubt && f.hint.is_some_and(|h| h.text.contains("im:history")));
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_does_not_sell_is_said_so() {
    let reset = "POST /api/admin.users.session.reset user_id=U0MIA00001";
    let f = act_owned(
        reset,
        r#"{"ok": false, "error": "feature_not_enabled"}"#,
        Action::ClearSessions,
    )
    .await
    .unwrap_err();
    assert_eq!(f.kind, Kind::Cannot);
    let page = act_owned(reset, "<html>Sign in</html>", Action::ClearSessions)
        .await
        .unwrap_err();
    assert_eq!(page.kind, Kind::Doubt, "nobody says whether it happened");
    let never = act(&Script::of([]), "U0MIA00001", Action::Suspend).await.unwrap_err();
    assert_eq!(never.kind, Kind::Cannot);
}
