//! The directory and its hands against the twin, in memory: the same door as production, below it no socket.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::{
    auth::{Identity, ServiceApp},
    *,
};
use crate::{
    http::{Answer, Authorize, BoxFuture, Client, Clock, Credential, Fixed, Request, Scheme, Wire, WireError},
    model::{Account, Action, Effect, Held, Holding, Kind, Person, PersonId, Receipt, State, Status, system::OKTA},
    providers::{Handles, Perform, Task, secrets::Secrets},
    sandbox::engine::{self, Engine},
};

const AMY: &str = "00u00000000000000101";
const VIC: &str = "00u00000000000000102";
const ROOT: &str = "00u00000000000000103";

/// The wire that ends in the twin.
struct Mem(Arc<Engine>);

impl Wire for Mem {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        Box::pin(async move {
            let query = request.url.query().map(|q| format!("?{q}")).unwrap_or_default();
            let asked = engine::Request {
                method: request.method.to_string(),
                target: format!("{}{query}", request.url.path()),
                headers: request
                    .headers
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned()))
                    .collect(),
                body: request.body.to_vec(),
            };
            let Some(reply) = self.0.handle("okta", asked).await else {
                return Err(WireError::Cut("closed without an answer".into()));
            };
            let mut headers = HeaderMap::new();
            for (k, v) in reply.headers {
                headers.append(HeaderName::try_from(k).unwrap(), HeaderValue::try_from(v).unwrap());
            }
            Ok(Answer::new(reply.status, headers, reply.body))
        })
    }
}

struct Rig {
    engine: Arc<Engine>,
    client: Client,
    url: Url,
    eyes: Directory,
    hands: Hands,
}

fn firm() -> Value {
    json!({
        "now": "2026-07-15T05:05:00Z",
        "population": {"people": 40},
        "okta": {
            "users": [
                {"id": AMY, "profile": {"login": "amy.lee@acme.example", "firstName": "Zoe\u{301}", "lastName": "O'Brien \"Al\"",
                    "department": "Engineering", "terminationDate": "2026-07-14"}, "groups": ["zz-*", "AD-Finance"], "grants": 1},
                {"id": VIC, "profile": {"login": "vic.oz@acme.example"}, "groups": ["ROLE-ENG"]},
                {"id": ROOT, "profile": {"login": "root@acme.example"}, "roles": ["SUPER_ADMIN"]}
            ],
            "groups": [
                {"generated": 230, "name": "zz-"},
                {"id": "00g000000000000000EN", "name": "ROLE-ENG"},
                {"id": "00g000000000000000AD", "name": "AD-Finance", "type": "APP_GROUP"}
            ],
            "rules": [{"id": "0pr000000000000000R1", "name": "R1", "expression": "user.department==\"Nowhere\"",
                "groups": ["ROLE-ENG"], "exclude_users": [AMY]}],
            "apps": [
                {"id": "0oa0000000000000JIRA", "label": "Jira", "groups": ["ROLE-ENG"], "features": ["PUSH_USER_DEACTIVATION"],
                    "assigned": [{"user": VIC, "scope": "GROUP", "group": "ROLE-ENG", "credentials_user_name": "victor", "external_id": "X1"}]},
                {"id": "0oa000000000000000BI", "label": "BI", "assigned": [{"user": VIC, "scope": "USER"}]}
            ],
            "api_tokens": [{"id": "00T00000000000000001", "name": "nightly-export", "user": VIC}]
        }
    })
}

fn rig(given: Value) -> Rig {
    let start: DateTime<Utc> = "2026-07-15T05:05:00Z".parse().unwrap();
    let engine = Engine::in_memory(given, Arc::new(move || start)).unwrap();
    let ours = engine.clone();
    let clock: Clock = Arc::new(move || ours.now());
    let client = Client::over(Arc::new(Mem(engine.clone())), clock, Arc::new(|_| {}), 7);
    let url: Url = engine.origin("okta").unwrap().parse().unwrap();
    let reader = client.reader(&OKTA, &url, token(&engine, "okta.read"), explain);
    let eyes = Directory {
        api: reader,
        open: client.anonymous(&OKTA, &url, explain),
        org: Some("00o0000000000000ACME".into()),
        roster: Some(Attributes::default()),
    };
    let writer = client.writer(&OKTA, &url, token(&engine, "okta.write"), explain);
    let hands = Hands::new(writer, false, true);
    Rig {
        engine,
        client,
        url,
        eyes,
        hands,
    }
}

fn token(engine: &Engine, name: &str) -> Arc<dyn Authorize> {
    let secret = engine.credential(name).unwrap();
    let credential: Credential = Arc::new(move || {
        let secret = secret.clone();
        Box::pin(async move { Ok(secret.into()) })
    });
    Fixed::one(Scheme::Ssws, credential)
}

impl Rig {
    async fn person(&self, id: &str) -> Person {
        self.eyes.person(id).await.unwrap().present().unwrap().clone()
    }
    async fn see(&self, id: &str, parts: &[Holding]) -> Account {
        let (person, parts) = (self.person(id).await, parts.iter().copied().collect());
        let who = Known {
            person: &person,
            handles: &Handles::default(),
            parts: &parts,
        };
        self.eyes.observe(who).await.unwrap().present().unwrap().clone()
    }
    async fn act(&self, account: &str, action: Action) -> Result<Receipt, Failure> {
        let effect = Effect {
            system: OKTA,
            account: account.into(),
            action,
        };
        let task = Task {
            effect: &effect,
            key: "r-1/1/1",
            deadline: self.engine.now() + chrono::TimeDelta::seconds(20),
            again: false,
        };
        self.hands.perform(task).await
    }
    fn faults(&self, faults: Value) {
        let reply = self.engine.control("POST", "/faults", faults.to_string().as_bytes());
        assert_eq!(reply.status, 200);
    }
    /// `GET /api/v1/users` for each request, in order.
    fn calls(&self) -> Vec<String> {
        let reply = self.engine.control("GET", "/journal", b"");
        let text = String::from_utf8(reply.body).unwrap();
        let lines: Vec<Value> = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Array(all)) => all,
            Ok(one) => vec![one],
            Err(_) => text.lines().map(|l| serde_json::from_str(l).unwrap()).collect(),
        };
        lines
            .iter()
            .map(|l| format!("{} {}", l["method"].as_str().unwrap(), l["path"].as_str().unwrap()))
            .collect()
    }
}

fn group(id: &str, name: &str) -> Held {
    Held::new(Holding::Group, id, name)
}

#[tokio::test(start_paused = true)]
async fn the_tenant_is_compared_before_any_credential_is_shown() {
    let mut rig = rig(firm());
    assert_eq!(rig.eyes.organisation().await.unwrap(), "00o0000000000000ACME");
    rig.eyes.pinned().await.unwrap();
    rig.eyes.org = Some("00o000000000000OTHER".into());
    let refused = rig.eyes.pinned().await.unwrap_err();
    assert!(refused.summary.contains("00o000000000000OTHER") && refused.summary.contains("00o0000000000000ACME"));
    let journal = String::from_utf8(rig.engine.control("GET", "/journal", b"").body).unwrap();
    assert!(!journal.contains("okta.read"), "{journal}");
    rig.person(VIC).await;
    let journal = String::from_utf8(rig.engine.control("GET", "/journal", b"").body).unwrap();
    assert!(journal.contains("okta.read"));
}

#[tokio::test(start_paused = true)]
async fn a_person_is_found_by_login_id_and_name_and_never_by_half_a_login() {
    let rig = rig(firm());
    assert_eq!(rig.person("AMY.Lee@acme.example").await.id.0, AMY);
    assert_eq!(rig.person(AMY).await.login, "amy.lee@acme.example");
    for nobody in ["amy.lee", "me", "", "nobody@acme.example", "a/b@acme.example"] {
        assert_eq!(rig.eyes.person(nobody).await.unwrap(), Observed::Absent, "{nobody}");
    }
    for name in [
        "Zo\u{e9} O'Brien \"Al\"",
        "zoe\u{301}  o'brien \"al\"",
        "amy.lee@acme.example",
    ] {
        let found = rig.eyes.find(name).await.unwrap();
        assert_eq!(
            found.iter().map(|p| p.id.0.as_str()).collect::<Vec<_>>(),
            [AMY],
            "{name}"
        );
    }
    assert!(rig.eyes.find("amy.lee").await.unwrap().is_empty());
    assert!(rig.eyes.find("Nobody Here").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_404_of_a_proxy_is_unknown() {
    let rig = rig(firm());
    rig.faults(json!([{"on": "okta GET /api/v1/users/*", "answer": {"status": 404, "body": {"status": 404, "message": "Resource not found"}}}]));
    let seen = rig.eyes.person(AMY).await.unwrap();
    assert_eq!(seen.unknown().unwrap().kind, Kind::Contradiction);
}

#[tokio::test(start_paused = true)]
async fn an_account_is_read_in_the_parts_that_were_asked_for() {
    let rig = rig(firm());
    let account = rig
        .see(
            VIC,
            &[
                Holding::Group,
                Holding::App,
                Holding::Token,
                Holding::Role,
                Holding::Client,
            ],
        )
        .await;
    assert_eq!((account.state, account.word.as_str()), (State::Active, "ACTIVE"));
    let groups: Vec<&str> = account.held(Holding::Group).map(|h| h.name.as_str()).collect();
    assert!(
        groups.contains(&"ROLE-ENG") && groups.contains(&"Everyone"),
        "{groups:?}"
    );
    let jira = account.held(Holding::App).find(|h| h.name == "Jira").unwrap();
    assert_eq!(
        (jira.via.as_deref(), jira.facts[fact::GROUP].as_str()),
        (Some("GROUP"), "ROLE-ENG")
    );
    assert_eq!(
        (
            jira.facts[fact::USER_NAME].as_str(),
            jira.facts[fact::EXTERNAL_ID].as_str()
        ),
        ("victor", "X1")
    );
    assert_eq!(
        account
            .held(Holding::App)
            .find(|h| h.name == "BI")
            .unwrap()
            .via
            .as_deref(),
        Some("USER")
    );
    assert_eq!(
        account
            .held(Holding::Token)
            .map(|h| h.name.as_str())
            .collect::<Vec<_>>(),
        ["nightly-export"]
    );
    assert!(!account.holds.contains_key(&Holding::Grant));
    // 230 generated ones, AD-Finance, Everyone: two pages.
    let amy = rig.see(AMY, &[Holding::Group]).await;
    assert_eq!(amy.held(Holding::Group).count(), 232);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_is_unknown_by_itself() {
    let rig = rig(firm());
    rig.faults(
        json!([{"on": "okta GET /api/v1/users/*/groups?*after=*", "times": "all", "answer": {"status": 500,
        "body": {"errorCode": "E0000009", "errorSummary": "Internal Server Error"}}}]),
    );
    let amy = rig.see(AMY, &[Holding::Group, Holding::App]).await;
    assert_eq!(
        amy.holds[&Holding::Group].unknown().unwrap().code.as_deref(),
        Some("E0000009")
    );
    assert!(amy.holds[&Holding::App].present().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_leavers_reads_stay_within_the_budget() {
    let rig = rig(firm());
    rig.see(VIC, &[Holding::Group, Holding::App, Holding::Client]).await;
    let users = format!("GET /api/v1/users/{VIC}");
    // Once by `see` itself, then the observation: one person and its parts, together.
    let mut calls = rig.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "GET /api/v1/apps".to_owned(),
            users.clone(),
            users.clone(),
            format!("{users}/clients"),
            format!("{users}/groups")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_is_read_whole() {
    let rig = rig(firm());
    let groups = rig.eyes.groups().await.unwrap();
    assert!(groups.len() > 232, "{}", groups.len());
    assert_eq!(groups["00g000000000000000AD"].kind, crate::model::GroupKind::AppGroup);
    let rules = rig.eyes.rules().await.unwrap();
    assert!(rules[0].groups.contains("00g000000000000000EN"));
    assert!(rules[0].excluded.iter().any(|p| p.0 == AMY));
    let apps = rig.eyes.apps().await.unwrap();
    assert!(apps["0oa0000000000000JIRA"].deprovisions());
    let granted = rig.eyes.apps_of_group("00g000000000000000EN").await.unwrap();
    assert_eq!(granted, ["0oa0000000000000JIRA".to_owned()].into());
    let admins = rig.eyes.admins(&groups).await.unwrap();
    assert_eq!(admins.supers().map(|p| p.0.as_str()).collect::<Vec<_>>(), [ROOT]);
    let members = rig.eyes.all_members("00g000000000000000EN").await.unwrap();
    assert_eq!(members.iter().map(|p| p.id.0.as_str()).collect::<Vec<_>>(), [VIC]);
    let mut everyone = BTreeSet::new();
    let mut from = None;
    loop {
        let page = rig.eyes.people(from).await.unwrap();
        everyone.extend(page.items.into_iter().map(|p| p.id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert!(everyone.len() >= 43, "{}", everyone.len());
    assert!(rig.person(AMY).await.worker().unwrap().terminated.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_schema_says_which_attributes_there_are() {
    let rig = rig(firm());
    let attributes = rig.eyes.attributes().await.unwrap();
    for name in Attributes::default().names() {
        assert!(attributes.contains_key(name), "{name}");
    }
    assert!(!attributes.contains_key("noSuchThing"));
    assert_eq!(attributes["department"].kind.as_deref(), Some("string"));
}

#[tokio::test(start_paused = true)]
async fn a_deactivation_that_still_runs_is_accepted_and_not_closed() {
    let mut slow = firm();
    slow["okta"]["deactivate_delay"] = json!("30s");
    let rig = rig(slow);
    assert!(!rig.act(VIC, Action::Deactivate).await.unwrap().already);
    let now = rig.see(VIC, &[]).await;
    assert!(now.state < State::Closed, "{}", now.word);
    let again = rig.act(VIC, Action::Deactivate).await;
    assert!(again.is_ok(), "{again:?}");
    let later = br#"{"now": "2026-07-15T05:06:00Z"}"#;
    assert_eq!(rig.engine.control("PUT", "/clock", later).status, 200);
    assert_eq!(rig.see(VIC, &[]).await.state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_leaver_from_first_to_last_and_again() {
    let rig = rig(firm());
    let direct = Held::new(Holding::App, "0oa000000000000000BI", "BI");
    let role = group("00g000000000000000EN", "ROLE-ENG");
    let token = Held::new(Holding::Token, "00T00000000000000001", "nightly-export");
    let steps = [
        Action::Suspend,
        Action::ClearSessions,
        Action::RevokeGrants,
        Action::RevokeToken { token },
        Action::RemoveMember { group: role },
        Action::UnassignApp { app: direct },
        Action::Deactivate,
    ];
    for step in &steps {
        let receipt = rig.act(VIC, step.clone()).await.unwrap();
        assert!(!receipt.already && receipt.request.is_some(), "{}", step.name());
    }
    let parts = [Holding::Group, Holding::App, Holding::Grant, Holding::Token];
    let after = rig.see(VIC, &parts).await;
    assert_eq!((after.state, after.word.as_str()), (State::Closed, "DEPROVISIONED"));
    assert_eq!(
        after.held(Holding::Group).map(|h| h.name.as_str()).collect::<Vec<_>>(),
        ["Everyone"]
    );
    for part in &parts[1..] {
        assert_eq!(after.held(*part).count(), 0, "{part:?}");
    }
    // Okta says 404 to the second deactivation, and refuses the suspension: it is so already.
    for step in [Action::Suspend, Action::Deactivate] {
        assert!(rig.act(VIC, step).await.unwrap().already);
    }
    for step in steps {
        rig.act(VIC, step).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_is_doubt_and_a_look_settles_it() {
    let rig = rig(firm());
    rig.faults(json!([{"on": "okta POST */lifecycle/suspend", "lose_answer": true}]));
    assert_eq!(rig.act(VIC, Action::Suspend).await.unwrap_err().kind, Kind::Doubt);
    assert_eq!(rig.person(VIC).await.status, Status::Suspended);
    assert!(rig.act(VIC, Action::Suspend).await.unwrap().already);
}

#[tokio::test(start_paused = true)]
async fn groups_that_the_api_may_not_touch_say_why() {
    let rig = rig(firm());
    let groups = rig.eyes.groups().await.unwrap();
    let everyone = groups.values().find(|g| g.name == "Everyone").unwrap();
    let refused = rig
        .act(
            AMY,
            Action::RemoveMember {
                group: group(&everyone.id, "Everyone"),
            },
        )
        .await
        .unwrap_err();
    assert_eq!(
        (refused.kind, refused.code.as_deref()),
        (Kind::Permanent, Some("E0000060"))
    );
    let refused = rig
        .act(
            AMY,
            Action::RemoveMember {
                group: group("00g000000000000000AD", "AD-Finance"),
            },
        )
        .await
        .unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("E0000006"));
    assert!(refused.hint.unwrap().text.contains("okta.groups.members.manage"));
    let gone = rig
        .act(
            AMY,
            Action::RemoveMember {
                group: group("00g0000000000000GONE", "GONE"),
            },
        )
        .await
        .unwrap();
    assert!(gone.already);
}

#[tokio::test(start_paused = true)]
async fn a_super_admin_needs_a_super_admin() {
    let rig = rig(firm());
    let refused = rig.act(ROOT, Action::Suspend).await.unwrap_err();
    assert_eq!((refused.kind, refused.code.as_deref()), (Kind::Auth, Some("E0000006")));
    assert!(refused.hint.unwrap().text.contains("super admin"));
    assert_eq!(rig.person(ROOT).await.status, Status::Active);
}

#[tokio::test(start_paused = true)]
async fn people_and_groups_are_made_once() {
    let rig = rig(firm());
    let profile: BTreeMap<String, String> = [
        ("login", "new@acme.example"),
        ("email", "new@acme.example"),
        ("firstName", "N"),
        ("lastName", "W"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    let made = rig
        .act(
            "",
            Action::CreatePerson {
                profile: profile.clone(),
            },
        )
        .await
        .unwrap();
    let id = made.made.unwrap();
    assert_eq!(rig.person(&id).await.status, Status::Staged);
    let again = rig.act("", Action::CreatePerson { profile }).await.unwrap();
    assert_eq!((again.already, again.made.as_deref()), (true, Some(id.as_str())));
    rig.act(&id, Action::Activate).await.unwrap();
    assert!(rig.act(&id, Action::Activate).await.unwrap().already);

    let create = Action::CreateGroup {
        name: "ROLE-NEW".into(),
        description: "made by policy".into(),
    };
    let made = rig.act("", create.clone()).await.unwrap().made.unwrap();
    let new = group(&made, "ROLE-NEW");
    rig.act(&id, Action::AddMember { group: new.clone() }).await.unwrap();
    rig.act(&id, Action::AddMember { group: new.clone() }).await.unwrap();
    let refused = rig
        .act("", Action::DeleteGroup { group: new.clone() })
        .await
        .unwrap_err();
    assert_eq!(refused.summary, "it holds people");
    rig.act(&id, Action::RemoveMember { group: new.clone() }).await.unwrap();
    assert!(
        !rig.act("", Action::DeleteGroup { group: new.clone() })
            .await
            .unwrap()
            .already
    );
    assert!(rig.act("", Action::DeleteGroup { group: new }).await.unwrap().already);
}

#[tokio::test(start_paused = true)]
async fn what_only_other_systems_have_is_refused() {
    let rig = rig(firm());
    let channel = Held::new(Holding::Channel, "C1", "sre");
    let refused = rig.act(VIC, Action::LeaveChannel { channel }).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Cannot);
}

#[tokio::test(start_paused = true)]
async fn the_log_is_polled_by_its_cursor() {
    let rig = rig(firm());
    let start = rig.engine.now() - chrono::TimeDelta::hours(1);
    let filter = any_of(SWEPT);
    let (_, cursor) = rig.eyes.events_since(From::Since(start), &filter).await.unwrap();
    rig.act(VIC, Action::Suspend).await.unwrap();
    let (new, next) = rig
        .eyes
        .events_since(From::Cursor(cursor.unwrap()), &filter)
        .await
        .unwrap();
    let seen: Vec<(&str, bool)> = new.iter().map(|e| (e.kind.as_str(), e.people.contains(VIC))).collect();
    assert_eq!(seen, [("user.lifecycle.suspend", true)]);
    let (none, _) = rig
        .eyes
        .events_since(From::Cursor(next.unwrap()), &filter)
        .await
        .unwrap();
    assert!(none.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_who_did_it_last_and_how_fresh_hr_is() {
    let rig = rig(firm());
    let since = rig.engine.now() - chrono::TimeDelta::days(7);
    rig.act(VIC, Action::Suspend).await.unwrap();
    let later = br#"{"now": "2026-07-15T05:06:00Z"}"#;
    assert_eq!(rig.engine.control("PUT", "/clock", later).status, 200);
    rig.act(VIC, Action::Deactivate).await.unwrap();
    let kinds = ["user.lifecycle.suspend", "user.lifecycle.deactivate"];
    let last = rig
        .eyes
        .latest(&PersonId(VIC.into()), &kinds, since)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last.kind, "user.lifecycle.deactivate");
    assert!(last.actor.is_some());
    assert_eq!(
        rig.eyes.latest(&PersonId(ROOT.into()), &kinds, since).await.unwrap(),
        None
    );
    let recorded = rig
        .eyes
        .latest(&PersonId(AMY.into()), &[PROFILE_CHANGED], since)
        .await
        .unwrap()
        .unwrap();
    let mut worker = rig.person(AMY).await.worker().unwrap().clone();
    assert!(fill_recorded(&mut worker, [&recorded]));
    assert_eq!(worker.recorded, recorded.published);
    let feed = Feed(rig.eyes);
    assert_eq!(
        feed.age().await.unwrap(),
        Age::Made("2026-07-15T04:56:00Z".parse().unwrap())
    );
    let workers = feed.page(None).await.unwrap().items;
    assert!(workers.iter().any(|w| w.key == AMY && w.terminated.is_some()));
}

#[tokio::test(start_paused = true)]
async fn settings_give_eyes_and_the_roster() {
    let rig = rig(firm());
    let read = rig.engine.credential("okta.read").unwrap();
    let secrets = Secrets::new("/", [("OKTA_READ".to_owned(), read.into())].into());
    let look = Look::new(Arc::new(rig.client), secrets);
    let settings = || -> Settings {
        let keys = json!({"url": rig.url.as_str(), "org": "00o0000000000000ACME", "read": "env:OKTA_READ", "write": "env:OKTA_WRITE"});
        serde_json::from_value(keys).unwrap()
    };
    let eyes = <Okta as Target>::eyes(OKTA, settings(), &look);
    eyes.pinned().await.unwrap();
    let page = eyes.accounts(None).await.unwrap();
    assert!(page.items.iter().any(|a| a.id == VIC && a.holds.is_empty()));
    assert_eq!(Observe::can(&eyes).len(), VERBS.len());
    let feed = <Okta as Source>::roster(OKTA, settings(), &Roster::default(), &look);
    assert_eq!(feed.page(None).await.unwrap().items.len(), page.items.len());
}

/// The directory by a service app of the firm's, and how many tokens were asked for.
fn by_service_app(rig: &Rig, which: &str, clock: Clock) -> Directory {
    let told = rig.engine.endpoints("")["okta"].clone();
    let key = told["private_key"].as_str().unwrap().to_owned();
    let who = Identity {
        client: told[which].as_str().unwrap().into(),
        key_id: told["key_id"].as_str().map(str::to_owned),
        key: Arc::new(move || {
            let key = key.clone();
            Box::pin(async move { Ok(key.into()) })
        }),
        url: rig.url.to_string(),
        dpop: false,
    };
    Directory {
        api: rig
            .client
            .reader(&OKTA, &rig.url, ServiceApp::reading(who, clock), explain),
        open: rig.client.anonymous(&OKTA, &rig.url, explain),
        org: None,
        roster: None,
    }
}

fn minted(rig: &Rig) -> usize {
    rig.calls().iter().filter(|c| *c == "POST /oauth2/v1/token").count()
}

#[tokio::test(start_paused = true)]
async fn a_service_app_is_given_one_token_for_many_calls() {
    let rig = rig(firm());
    let eyes = by_service_app(&rig, "client_id", rig.client.clock());
    for _ in 0..3 {
        assert!(eyes.person(VIC).await.unwrap().present().is_some());
    }
    assert_eq!(minted(&rig), 1);
    // Five minutes before its hour is over.
    let later = br#"{"now": "2026-07-15T06:00:30Z"}"#;
    assert_eq!(rig.engine.control("PUT", "/clock", later).status, 200);
    assert!(eyes.person(VIC).await.unwrap().present().is_some());
    assert_eq!(minted(&rig), 2);
}

#[tokio::test(start_paused = true)]
async fn proof_of_possession_is_given_where_the_app_demands_it() {
    let rig = rig(firm());
    let eyes = by_service_app(&rig, "dpop_client_id", rig.client.clock());
    assert!(eyes.person(VIC).await.unwrap().present().is_some());
    let groups = eyes.groups().await.unwrap();
    assert!(groups.len() > 232);
    // Without a proof, with one, with the nonce: then the token.
    assert_eq!(minted(&rig), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_set_by_the_answer() {
    let rig = rig(firm());
    let engine = rig.engine.clone();
    let slow: Clock = Arc::new(move || engine.now() - chrono::TimeDelta::minutes(20));
    let eyes = by_service_app(&rig, "client_id", slow);
    assert!(eyes.person(VIC).await.unwrap().present().is_some());
    assert_eq!(minted(&rig), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_was_dropped_in_silence_is_named() {
    let rig = rig(firm());
    rig.faults(json!([{"on": "okta POST /oauth2/v1/token", "answer": {"status": 200, "body": {"token_type": "Bearer", "expires_in": 3600,
        "access_token": "x", "scope": "okta.users.read okta.apps.read"}}}]));
    let refused = by_service_app(&rig, "client_id", rig.client.clock())
        .person(VIC)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.kind, refused.code.as_deref()),
        (Kind::Auth, Some("insufficient_scope"))
    );
    assert!(refused.summary.contains("okta.groups.read") && !refused.summary.contains("okta.users.read"));
}

#[tokio::test(start_paused = true)]
async fn a_licence_that_was_not_bought_costs_no_new_token() {
    let rig = rig(firm());
    let eyes = by_service_app(&rig, "client_id", rig.client.clock());
    rig.faults(json!([{"on": "okta GET /api/v1/api-tokens", "times": "all", "answer": {"status": 401,
        "body": {"errorCode": "E0000015", "errorSummary": "You do not have permission to access the feature you are requesting"}}}]));
    assert_eq!(eyes.api_tokens().await.unwrap_err().kind, Kind::Cannot);
    assert_eq!(minted(&rig), 1);
}
