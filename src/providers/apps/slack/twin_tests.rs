//! Against the twin: what was done is what is then seen.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    model::{Account, Action, Effect, Failure, Held, Holding, Kind, Observed, Receipt, State},
    providers::{Handles, Known, Observe, Perform, Task, script, tests::Rig},
};

const MIA: &str = "U0C130028";

fn rig(plan: &str) -> Rig {
    Rig::of(
        json!({"now": "2026-11-25T00:12:00Z", "population": {"people": 30}, "apps": {"slack": {"plan": plan,
        "users": [{"id": MIA, "email": "Mia.Lund@acme.example"},
            {"id": "U0C330047", "email": "cal.moe@acme.example", "is_primary_owner": true, "is_owner": true}],
        "channels": [{"id": "C0SRE0001", "name": "sre", "members": [MIA]}, {"id": "C0ENG0001", "name": "eng"}]}}}),
    )
}

fn eyes(rig: &Rig) -> Eyes {
    Eyes::new(
        rig.reader(Scheme::Bearer, "slack.read", explain),
        Plan::Enterprise,
        Some("T0ACME001".into()),
    )
}

async fn see(rig: &Rig, address: &str) -> Result<Observed<Account>, Failure> {
    let handles = Handles {
        addresses: BTreeSet::from([address.to_owned()]),
        ..Handles::default()
    };
    observe(rig, handles).await
}

async fn observe(rig: &Rig, handles: Handles) -> Result<Observed<Account>, Failure> {
    let parts = BTreeSet::from([Holding::Channel, Holding::Owned]);
    let person = script::person();
    eyes(rig)
        .observe(Known {
            person: &person,
            handles: &handles,
            parts: &parts,
        })
        .await
}

async fn act(rig: &Rig, account: &str, action: Action) -> Result<Receipt, Failure> {
    let writer = |name| rig.writer(Scheme::Bearer, name, explain);
    let hands = Hands::new(writer("slack.write"), writer("slack.admin"), writer("slack.admin"));
    let effect = Effect {
        system: System::of("slack"),
        account: account.into(),
        action,
    };
    hands
        .perform(Task {
            effect: &effect,
            key: "k",
            deadline: rig.engine.now() + chrono::Duration::minutes(1),
        })
        .await
}

fn lists(account: &Account) -> Vec<&str> {
    account.held(Holding::Channel).map(|c| c.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_leavers_account_is_seen_signed_out_shut_and_seen_shut() {
    let rig = rig("enterprise");
    eyes(&rig).pinned().await.unwrap();
    let Ok(Observed::Present(mia)) = see(&rig, "mia.lund@acme.example").await else {
        panic!("not seen")
    };
    assert_eq!(
        (mia.id.as_str(), mia.state, lists(&mia)),
        (MIA, State::Active, vec!["#general", "#sre"])
    );
    act(&rig, MIA, Action::ClearSessions).await.unwrap();
    assert_eq!(rig.state()["slack"]["users"][MIA]["sessions"], 0);
    assert!(!act(&rig, MIA, Action::Deactivate).await.unwrap().already);
    act(&rig, MIA, Action::Deactivate)
        .await
        .expect("a second time is as good");
    assert_eq!(
        see(&rig, "mia.lund@acme.example").await,
        Ok(Observed::Absent),
        "the lookup hides it"
    );
    let known = Handles {
        account: Some(MIA.into()),
        ..Handles::default()
    };
    assert!(matches!(observe(&rig, known).await, Ok(Observed::Present(a)) if a.state == State::Closed));
    let assigned = Handles {
        assigned: true,
        addresses: BTreeSet::from(["mia.lund@acme.example".to_owned()]),
        ..Handles::default()
    };
    assert!(
        matches!(observe(&rig, assigned).await, Ok(Observed::Present(a)) if a.id == MIA && a.state == State::Closed)
    );
}

#[tokio::test(start_paused = true)]
async fn channels_are_joined_and_left_and_a_second_time_is_already() {
    let rig = rig("business");
    let offers = eyes(&rig).offers().await.unwrap();
    let (eng, sre) = (offers["#eng"].clone(), offers["#sre"].clone());
    for already in [false, true] {
        assert_eq!(
            act(&rig, MIA, Action::LeaveChannel { channel: sre.clone() })
                .await
                .unwrap()
                .already,
            already
        );
        assert_eq!(
            act(&rig, MIA, Action::JoinChannel { channel: eng.clone() })
                .await
                .unwrap()
                .already,
            already
        );
    }
    let Ok(Observed::Present(mia)) = see(&rig, "mia.lund@acme.example").await else {
        panic!("not seen")
    };
    assert_eq!(lists(&mia), ["#eng", "#general"]);
    let outside = act(
        &rig,
        MIA,
        Action::JoinChannel {
            channel: offers["#lunches"].clone(),
        },
    )
    .await
    .unwrap_err();
    assert_eq!(outside.code.as_deref(), Some("not_in_channel"));
    assert!(
        !offers.contains_key("#board"),
        "a private channel without the app isn't there"
    );
}

#[tokio::test(start_paused = true)]
async fn one_message_is_one_message() {
    let rig = rig("business");
    let text = "ROLE-ENG & <ROLE-OPS>".to_owned();
    act(
        &rig,
        "mia.lund@acme.example",
        Action::SendMessage { text: text.clone() },
    )
    .await
    .unwrap();
    rig.faults(json!([{"on": "slack POST /api/chat.postMessage", "lose_answer": true}]));
    assert_eq!(
        act(&rig, MIA, Action::SendMessage { text }).await.unwrap_err().kind,
        Kind::Doubt
    );
    let state = rig.state();
    let said: Vec<&Value> = state["slack"]["messages"].as_object().unwrap().values().collect();
    assert_eq!(
        (said.len(), &said[0]["text"]),
        (2, &json!("ROLE-ENG &amp; &lt;ROLE-OPS&gt;"))
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_keep_slacks_word_and_say_what_now() {
    let rig = rig("business");
    let Ok(Observed::Present(cal)) = see(&rig, "cal.moe@acme.example").await else {
        panic!("not seen")
    };
    assert!(cal.blocked.is_some());
    for (account, action, kind, code) in [
        (
            "U0C330047",
            Action::Deactivate,
            Kind::Permanent,
            "cannot_disable_primary_owner",
        ),
        (MIA, Action::ClearSessions, Kind::Cannot, "feature_not_enabled"),
        (
            "U0NOSUCHID",
            Action::JoinChannel {
                channel: Held::new(Holding::Channel, "C0SRE0001", "#sre"),
            },
            Kind::Permanent,
            "user_not_found",
        ),
    ] {
        let f = act(&rig, account, action).await.unwrap_err();
        assert_eq!((f.kind, f.code.as_deref()), (kind, Some(code)));
    }
    assert!(
        act(&rig, "U0NOSUCHID", Action::Deactivate).await.unwrap().already,
        "nobody to deactivate"
    );
}

#[tokio::test(start_paused = true)]
async fn outages_are_unknown_and_never_absence() {
    for (answer, kind) in [
        (json!({"status": 503}), Kind::Transient),
        (
            json!({"status": 200, "body": {"ok": false, "error": "invalid_auth"}}),
            Kind::Auth,
        ),
        (
            json!({"status": 200, "body_text": "<html>Sign in</html>"}),
            Kind::Contradiction,
        ),
        (
            json!({"status": 200, "body": {"ok": false, "error": "ratelimited"}}),
            Kind::Throttled,
        ),
    ] {
        let rig = rig("business");
        rig.faults(json!([{"on": "slack GET *", "times": "all", "answer": answer}]));
        assert_eq!(
            see(&rig, "mia.lund@acme.example").await.unwrap_err().kind,
            kind,
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_is_listed_once() {
    let rig = rig("business");
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let page = eyes(&rig).accounts(from).await.unwrap();
        ids.extend(page.items.into_iter().map(|a| a.id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(
        (ids.len(), ids.iter().collect::<BTreeSet<_>>().len()),
        (22, 22),
        "20 by themselves and two listed, no app"
    );
}
