//! Against the twin, over its own protocol: what the conformance suite doesn't ask.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{Account, Failure, Held, Holding, Kind as Sort, Observed, Person, State},
    providers::{Handles, Known, Observe, Settings as _, script::person},
    sandbox::{
        engine::{Engine, Host},
        net::{self, Served},
    },
};

struct Domain {
    engine: Arc<Engine>,
    _served: Served,
}

impl Domain {
    fn of(ldap: Value) -> Domain {
        let now: DateTime<Utc> = "2026-07-15T05:05:00Z".parse().unwrap();
        let host: Host = Arc::new(move || now);
        let given = json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 1}, "apps": {"ldap": ldap}});
        let engine = Engine::in_memory(given, host).unwrap();
        let served = net::start(&engine).unwrap();
        Domain {
            engine,
            _served: served,
        }
    }
    fn settings(&self, more: &str) -> Settings {
        let text = format!(
            "url = \"{}\"\nbase = \"OU=Acme,DC=corp,DC=acme,DC=example\"\ntimeout = \"10s\"\nwrite = \"file:w\"\n{more}",
            self.engine.origin("ldap").unwrap()
        );
        let settings: Settings = toml::from_str(&text).unwrap();
        settings.check().unwrap();
        settings
    }
    fn eyes(&self, more: &str) -> Eyes {
        let settings = self.settings(more);
        let record =
            json!({"user": "svc-jml-read@corp.acme.example", "password": self.engine.credential("ldap.read").unwrap()});
        let record: Credential = Arc::new(move || {
            let text = record.to_string();
            Box::pin(async move { Ok(SecretString::from(text)) })
        });
        let door = settings.door(
            &System::of("ad"),
            settings.servers(),
            std::path::Path::new("/"),
            &record,
        );
        Eyes::new(Reader::new(door), vec![], settings)
    }
}

async fn seen(eyes: &Eyes, login: &str) -> Result<Observed<Account>, Failure> {
    let person = Person {
        login: login.into(),
        email: login.into(),
        ..person()
    };
    let parts = BTreeSet::from([Holding::Group, Holding::Owned]);
    let handles = Handles::default();
    let who = Known {
        person: &person,
        handles: &handles,
        parts: &parts,
    };
    eyes.observe(who).await
}

fn present(seen: Result<Observed<Account>, Failure>) -> Account {
    match seen {
        Ok(Observed::Present(account)) => account,
        other => panic!("{other:?}"),
    }
}

const BY_MAIL: &str = "find = [{ attribute = \"mail\", from = \"email\" }]";

fn firm() -> Value {
    json!({
        "users": [
            {"login": "alice", "name": "Chen, Alice (Eng) *", "mail": "alice@acme.example", "services": ["HTTP/x"]},
            {"login": "hugo", "name": "Hugo", "mail": "hugo@acme.example", "admin_count": 1},
            {"login": "ivan", "name": "Ivan", "mail": "jones@acme.example"},
            {"login": "iris", "name": "Iris", "mail": "jones@acme.example"},
            {"login": "gone", "name": "Gone", "mail": "gone@acme.example", "user_account_control": 66050}
        ],
        "groups": [
            {"name": "ENG", "members": ["alice"]},
            {"name": "VPN", "members": ["ENG"], "managed_by": "alice"}
        ]
    })
}

#[tokio::test]
async fn an_account_is_seen_with_what_it_holds_and_what_stays() {
    let domain = Domain::of(firm());
    let account = present(seen(&domain.eyes(BY_MAIL), "alice@acme.example").await);
    assert_eq!((account.login.as_str(), account.state), ("alice", State::Active));
    let groups: Vec<(&str, bool)> = account
        .held(Holding::Group)
        .map(|g: &Held| (g.name.as_str(), g.stays().is_some()))
        .collect();
    let groups: BTreeSet<(&str, bool)> = groups.into_iter().collect();
    assert_eq!(groups, BTreeSet::from([("ENG", false), ("Domain Users", true)]));
    let owned: Vec<&str> = account.held(Holding::Owned).map(|o| o.name.as_str()).collect();
    let text = owned.join("; ");
    assert!(
        text.contains("HTTP/x") && text.contains("VPN, managed by them") && text.contains("nested membership of VPN"),
        "{text}"
    );
    let hugo = present(seen(&domain.eyes(BY_MAIL), "hugo@acme.example").await);
    assert!(hugo.blocked.unwrap().contains("adminCount"));
    let gone = present(seen(&domain.eyes(BY_MAIL), "gone@acme.example").await);
    assert_eq!(gone.state, State::Suspended);
}

#[tokio::test]
async fn nobody_is_believed_only_where_a_known_account_is_found() {
    let nobody = "nobody@acme.example";
    let domain = Domain::of(firm());
    assert_eq!(seen(&domain.eyes(BY_MAIL), nobody).await, Ok(Observed::Absent));
    let mut hidden = firm();
    hidden["hidden"] = json!(["mail"]);
    let domain = Domain::of(hidden);
    for login in [nobody, "alice@acme.example"] {
        let failure = seen(&domain.eyes(BY_MAIL), login).await.unwrap_err();
        assert_eq!(failure.kind, Sort::Contradiction, "{failure}");
    }
}

#[tokio::test]
async fn two_of_one_address_are_nobodys() {
    let domain = Domain::of(firm());
    let failure = seen(&domain.eyes(BY_MAIL), "jones@acme.example").await.unwrap_err();
    assert_eq!(failure.kind, Sort::Contradiction);
    assert!(
        failure.summary.contains("Iris") && failure.summary.contains("Ivan"),
        "{failure}"
    );
}

#[tokio::test]
async fn another_domain_is_refused_and_a_wrong_base_is_no_absence() {
    let domain = Domain::of(firm());
    assert_eq!(
        domain
            .eyes("domain = \"S-1-5-21-1111111111-2222222222-3333333333\"")
            .pinned()
            .await,
        Ok(())
    );
    let other = domain.eyes("domain = \"S-1-5-21-1-2-3\"").pinned().await.unwrap_err();
    assert!(other.is_wrong_tenant(), "{other}");
    let mut settings = domain.settings(BY_MAIL);
    settings.base = "OU=Nowhere,DC=corp,DC=acme,DC=example".into();
    let record: Credential = {
        let text = json!({"user": "svc-jml-read@corp.acme.example", "password": domain.engine.credential("ldap.read").unwrap()});
        Arc::new(move || {
            let text = text.to_string();
            Box::pin(async move { Ok(SecretString::from(text)) })
        })
    };
    let door = settings.door(
        &System::of("ad"),
        settings.servers(),
        std::path::Path::new("/"),
        &record,
    );
    let eyes = Eyes::new(Reader::new(door), vec![], settings);
    let failure = seen(&eyes, "nobody@acme.example").await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (Sort::Permanent, Some("32")));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_to_its_end() {
    let users: Vec<Value> = (0..1203)
        .map(|n| json!({"login": format!("bulk{n:04}"), "name": format!("Bulk {n:04}")}))
        .collect();
    let domain = Domain::of(json!({ "users": users }));
    let eyes = domain.eyes(BY_MAIL);
    let (mut all, mut from, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = eyes.accounts(from).await.unwrap();
        all.extend(page.items.into_iter().map(|a| a.id));
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), pages), (1203, 3));
}

#[test]
fn a_password_never_travels_in_clear() {
    for (url, plain, starttls) in [
        (
            "ldaps://dc1.corp.acme.example",
            Some(Tls::FromTheStart),
            Some(Tls::FromTheStart),
        ),
        (
            "ldaps://dc1.corp.acme.example:3269/",
            Some(Tls::FromTheStart),
            Some(Tls::FromTheStart),
        ),
        ("ldap://127.0.0.1:389", Some(Tls::None), Some(Tls::Begun)),
        ("ldap://localhost", Some(Tls::None), Some(Tls::Begun)),
        ("ldap://dc1.corp.acme.example", None, Some(Tls::Begun)),
        ("ldap://127.0.0.1.acme.example", None, Some(Tls::Begun)),
        ("https://dc1.corp.acme.example", None, None),
        ("ldaps://svc:pw@dc1.corp.acme.example", None, None),
        ("ldaps://dc1.corp.acme.example/DC=corp", None, None),
    ] {
        let tls = |start| Server::parse(url, start).ok().map(|s| s.tls);
        assert_eq!((tls(false), tls(true)), (plain, starttls), "{url}");
    }
}

#[tokio::test]
async fn a_server_that_begins_no_tls_gets_no_password() {
    let domain = Domain::of(firm());
    let failure = domain.eyes("starttls = true").pinned().await.unwrap_err();
    assert!(failure.summary.contains("begins no TLS"), "{failure}");
    let asked = domain.engine.control("GET", "/journal", b"").body;
    let asked = String::from_utf8(asked).unwrap();
    assert!(!asked.contains("bind"), "{asked}");
}

#[test]
fn settings_that_find_nobody_or_pin_nothing_are_refused() {
    let text =
        |more: &str| format!("url = \"ldaps://dc1.acme.example\"\nbase = \"DC=acme\"\nwrite = \"file:w\"\n{more}");
    let check = |more: &str| {
        toml::from_str::<Settings>(&text(more))
            .map_err(|e| e.to_string())?
            .check()
    };
    assert_eq!(check(""), Ok(()));
    for (more, why) in [
        ("find = []", "find"),
        ("find = [{ attribute = \"mail)(x=*\", from = \"email\" }]", "find"),
        ("profile = \"openldap\"\ndomain = \"S-1-5-21-1-2-3\"", "domain"),
        ("timeout = \"1h\"", "timeout"),
        ("fallback = [\"ldap://dc2.acme.example\"]", "clear"),
        ("profile = \"novell\"", "novell"),
    ] {
        let said = check(more).unwrap_err();
        assert!(said.contains(why), "{more}: {said}");
    }
}
