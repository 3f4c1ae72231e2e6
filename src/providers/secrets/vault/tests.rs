//! Against the twin, over a socket: the vendor's crate speaks no other way.

use std::sync::Mutex as Lock;

use serde_json::json;

use super::*;
use crate::{
    config::{Config, Read, SecretRef, Write},
    providers::secrets::Secrets,
    sandbox::{
        engine::{Engine, Host, Request},
        net::{self, Served},
    },
};

struct Rig {
    engine: Arc<Engine>,
    ahead: Arc<Lock<TimeDelta>>,
    origin: String,
    _served: Served,
}

impl Rig {
    fn new() -> Rig {
        let ahead: Arc<Lock<TimeDelta>> = Arc::default();
        let (theirs, start) = (ahead.clone(), "2026-07-15T05:05:00Z".parse::<DateTime<Utc>>().unwrap());
        let host: Host = Arc::new(move || start + *theirs.lock().unwrap());
        let given =
            json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 5}, "apps": {"vault": {}, "datadog": {}}});
        let engine = Engine::in_memory(given, host).unwrap();
        let served = net::start(&engine).unwrap();
        Rig {
            origin: engine.origin("vault").unwrap(),
            engine,
            ahead,
            _served: served,
        }
    }
    fn later(&self, seconds: i64) {
        *self.ahead.lock().unwrap() += TimeDelta::seconds(seconds);
    }
    /// `more` stands in `[systems.vault]`; `proof` and `write` are the lines of the two roles.
    fn secrets(&self, more: &str, proof: &str, env: &[(&str, String)]) -> Secrets {
        let text = format!(
            "[systems.vault]\nurl = \"{}\"\nmount = \"jml\"\n{more}\n[systems.vault.read]\nrole_id = \"env:ROLE\"\n{proof}\n\
             [systems.vault.write]\nrole_id = \"env:WROLE\"\nsecret_id = \"env:WRITE\"\n[policy]\nzone = \"UTC\"\n[roster]\nsource = \"vault\"\n",
            self.origin
        );
        let config = Config::parse("jml.toml", text).unwrap();
        let of = |name: &str| self.engine.credential(&format!("vault.{name}")).unwrap();
        let mut all = BTreeMap::from([
            ("ROLE".to_owned(), of("role").into()),
            ("READ".to_owned(), of("read").into()),
            ("WROLE".to_owned(), of("write-role").into()),
            ("WRITE".to_owned(), of("write").into()),
        ]);
        all.extend(env.iter().map(|(k, v)| ((*k).to_owned(), v.clone().into())));
        let engine = self.engine.clone();
        Secrets::configured(&config, Path::new("/"), all, Arc::new(move || engine.now())).unwrap()
    }
    fn usual(&self) -> Secrets {
        self.secrets("", "secret_id = \"env:READ\"", &[])
    }
    fn patch(&self, vault: Value) {
        let body = json!({ "vault": vault }).to_string();
        let reply = self.engine.control("PATCH", "/state", body.as_bytes());
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }
    fn tokens(&self) -> usize {
        let reply = self.engine.control("GET", "/state", b"");
        let state: Value = serde_json::from_slice(&reply.body).unwrap();
        state["vault"]["tokens"].as_object().unwrap().len()
    }
    fn asked(&self) -> Vec<String> {
        let reply = self.engine.control("GET", "/journal", b"");
        let text = String::from_utf8(reply.body).unwrap();
        let lines = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        lines
            .map(|l| format!("{} {}", l["method"].as_str().unwrap(), l["path"].as_str().unwrap()))
            .collect()
    }
    async fn post(&self, target: &str, headers: &[(&str, String)], body: Value) -> Value {
        let request = Request {
            method: "POST".into(),
            target: target.into(),
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            body: body.to_string().into_bytes(),
        };
        let reply = self.engine.handle("vault", request).await.unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }
    /// As `vault login` keeps it.
    async fn logged_in(&self, place: &str, body: Value) -> String {
        let body = self.post(&format!("/v1/auth/{place}"), &[], body).await;
        body["auth"]["client_token"].as_str().unwrap().to_owned()
    }
    async fn wrapped(&self, role: &str) -> String {
        let request = Request {
            method: "POST".into(),
            target: format!("/v1/auth/approle/role/{role}/secret-id"),
            headers: vec![
                ("x-vault-token".into(), self.engine.credential("vault.all").unwrap()),
                ("x-vault-wrap-ttl".into(), "120s".into()),
            ],
            body: vec![],
        };
        let reply = self.engine.handle("vault", request).await.unwrap();
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["wrap_info"]["token"].as_str().unwrap().to_owned()
    }
}

async fn read(secrets: &Secrets, reference: &str) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct R {
        r: SecretRef<Read>,
    }
    let r: R = serde_json::from_value(json!({ "r": reference })).unwrap();
    secrets.lazily(&r.r)().await.map(|s| s.expose_secret().to_owned())
}

async fn write(secrets: &Secrets, reference: &str) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct R {
        r: SecretRef<Write>,
    }
    let r: R = serde_json::from_value(json!({ "r": reference })).unwrap();
    secrets.lazily(&r.r)().await.map(|s| s.expose_secret().to_owned())
}

fn hint(f: &Failure) -> &str {
    f.hint.as_ref().map_or("", |h| &h.text)
}

#[tokio::test]
async fn a_secret_is_read_once_and_the_tokens_are_given_back() {
    let rig = Rig::new();
    let secrets = rig.usual();
    let key = rig.engine.credential("datadog.read").unwrap();
    assert_eq!(read(&secrets, "vault:jml/prod/datadog#api_key").await.unwrap(), key);
    // Below the mount too, and as a whole.
    let whole = read(&secrets, "vault:jml/prod/datadog").await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&whole).unwrap()["api_key"], key);
    let why = read(&secrets, "vault:jml/prod/datadog#tok").await.unwrap_err();
    assert!(
        why.summary.contains("keys: api_key, app_key") && !why.summary.contains(&key),
        "{why}"
    );
    write(&secrets, "vault:jml/prod-write/datadog#api_key").await.unwrap();
    assert_eq!(rig.tokens(), 2, "a role each");
    assert_eq!(secrets.close().await, []);
    assert_eq!(rig.tokens(), 0);
    let reads = |asked: &[String]| asked.iter().filter(|a| a.starts_with("GET /v1/jml/data/")).count();
    assert_eq!(reads(&rig.asked()), 2, "{:?}", rig.asked());
    // Nothing was opened: nothing is to be closed.
    let before = rig.asked().len();
    assert_eq!(rig.usual().close().await, []);
    assert_eq!(rig.asked().len(), before);
}

#[tokio::test]
async fn eyes_cannot_read_what_hands_hold() {
    let rig = Rig::new();
    let secrets = rig.usual();
    let why = read(&secrets, "vault:jml/prod-write/datadog#api_key")
        .await
        .unwrap_err();
    assert_eq!((why.kind, why.code.as_deref()), (Kind::Auth, Some("403")));
    assert!(hint(&why).contains("no read on jml/data/prod-write/datadog"), "{why:?}");
    let why = read(&secrets, "vault:jml/prod/nothing#x").await.unwrap_err();
    assert!(why.summary.contains("no such secret"), "{why}");
}

#[tokio::test]
async fn a_token_that_died_is_replaced_and_an_old_one_renewed() {
    let rig = Rig::new();
    let secrets = rig.usual();
    read(&secrets, "vault:jml/prod/datadog").await.unwrap();
    rig.patch(json!({"tokens": {"*": null}}));
    let why = read(&secrets, "vault:jml/prod/other").await.unwrap_err();
    assert!(why.summary.contains("no such secret"), "it logged in again: {why}");
    rig.later(500);
    read(&secrets, "vault:jml/prod/another").await.unwrap_err();
    let asked = rig.asked();
    let count = |what: &str| asked.iter().filter(|a| a.ends_with(what)).count();
    assert_eq!((count("/login"), count("/renew-self")), (2, 1), "{asked:?}");
    // Past its life there is nothing to renew.
    rig.later(700);
    read(&secrets, "vault:jml/prod/more").await.unwrap_err();
    assert_eq!(rig.asked().iter().filter(|a| a.ends_with("/login")).count(), 3);
}

#[tokio::test]
async fn a_wrapped_secret_id_is_opened_once_and_only_if_it_is_one() {
    let rig = Rig::new();
    let wrapped = "wrapped = \"env:WRAP\"\nrole = \"jml\"";
    let token = rig.wrapped("jml").await;
    let env = [("WRAP", token.clone())];
    let first = rig.secrets("", wrapped, &env);
    read(&first, "vault:jml/prod/datadog").await.unwrap();
    let second = rig.secrets("", wrapped, &env);
    let why = read(&second, "vault:jml/prod/datadog").await.unwrap_err();
    assert!(hint(&why).contains("somebody else has unwrapped it"), "{why:?}");
    assert!(!format!("{why:?}").contains(&token));
    // Made for another role: it is not opened.
    let other = rig.wrapped("jml-write").await;
    let third = rig.secrets("", wrapped, &[("WRAP", other)]);
    let before = rig.asked().iter().filter(|a| a.ends_with("/unwrap")).count();
    let why = read(&third, "vault:jml/prod/datadog").await.unwrap_err();
    assert!(why.summary.contains("auth/approle/role/jml-write/secret-id"), "{why}");
    assert_eq!(rig.asked().iter().filter(|a| a.ends_with("/unwrap")).count(), before);
}

#[tokio::test]
async fn a_standby_leads_only_to_an_address_that_is_listed() {
    let rig = Rig::new();
    rig.patch(json!({"standby": true}));
    let why = read(&rig.usual(), "vault:jml/prod/datadog").await.unwrap_err();
    let active = rig.origin.replace("127.0.0.1", "localhost");
    assert!(why.summary.contains(&format!("the active one is {active}")), "{why}");
    assert_eq!((why.kind, rig.tokens()), (Kind::Transient, 0));
    let listed = rig.secrets(&format!("addresses = [\"{active}\"]"), "secret_id = \"env:READ\"", &[]);
    read(&listed, "vault:jml/prod/datadog").await.unwrap();
}

#[tokio::test]
async fn a_sealed_vault_and_a_wrong_secret_id_are_told_apart() {
    let rig = Rig::new();
    let wrong = rig.secrets("", "secret_id = \"env:WRONG\"", &[("WRONG", "not-one".into())]);
    let why = read(&wrong, "vault:jml/prod/datadog").await.unwrap_err();
    assert_eq!((why.kind, why.code.as_deref()), (Kind::Auth, Some("400")));
    rig.patch(json!({"sealed": true}));
    let why = read(&rig.usual(), "vault:jml/prod/datadog").await.unwrap_err();
    assert_eq!((why.kind, why.summary.as_str()), (Kind::Transient, "Vault is sealed"));
}

#[tokio::test]
async fn doctor_learns_rights_and_age_without_a_value() {
    let rig = Rig::new();
    let secrets = rig.usual();
    let paths = ["jml/prod/datadog".to_owned(), "jml/prod-write/datadog".to_owned()];
    let report = secrets.vault().unwrap().inspect(&paths).await;
    assert!(report.health.unwrap().starts_with("Vault "));
    assert_eq!(
        report.token.unwrap(),
        (600, vec!["default".to_owned(), "jml-read".to_owned()])
    );
    let found = report.paths.unwrap();
    assert_eq!(found[0].capabilities, ["read"]);
    assert_eq!(found[0].version.map(|v| v.0), Some(1));
    assert_eq!(
        (found[1].capabilities.as_slice(), found[1].version),
        (["deny".to_owned()].as_slice(), None)
    );
    assert!(rig.asked().iter().all(|a| !a.contains("/data/")), "no value was read");
}

#[tokio::test]
async fn who_logged_in_for_themselves_is_the_operator_and_a_role_is_nobody() {
    let rig = Rig::new();
    let place = "operator = \"env:MINE\"";
    let usual = "secret_id = \"env:READ\"";
    // Nobody logged in: a timer. Nowhere is said where: the same.
    assert_eq!(rig.secrets(place, usual, &[]).operator().await.unwrap(), None);
    assert_eq!(rig.usual().operator().await.unwrap(), None);

    let password = rig.engine.credential("vault.dana").unwrap();
    let token = rig
        .logged_in("userpass/login/dana", json!({ "password": password }))
        .await;
    let secrets = rig.secrets(place, usual, &[("MINE", token.clone())]);
    let who = secrets.operator().await.unwrap().unwrap();
    let name = who.to_string();
    assert!(
        name.starts_with("userpass-dana (Vault entity ") && !name.contains(&token),
        "{name}"
    );
    // It is theirs: it isn't revoked with ours.
    read(&secrets, "vault:jml/prod/datadog").await.unwrap();
    assert_eq!(secrets.close().await, []);
    assert_eq!(secrets.operator().await.unwrap(), Some(who));

    let of = |name: &str| rig.engine.credential(&format!("vault.{name}")).unwrap();
    let role = json!({"role_id": of("role"), "secret_id": of("read")});
    let role = rig.logged_in("approle/login", role).await;
    for (token, why) in [
        (role, "the token is an AppRole's, which is nobody"),
        (of("all"), "the token has no entity, which is nobody"),
        ("hvs.made-up".into(), "has expired or was revoked"),
    ] {
        let refused = rig
            .secrets(place, usual, &[("MINE", token)])
            .operator()
            .await
            .unwrap_err();
        assert!(refused.summary.contains(why), "{refused}");
        assert!(
            refused.kind == Kind::Auth && hint(&refused).contains("vault login"),
            "{refused:?}"
        );
    }
    rig.patch(json!({"tokens": {"*": null}}));
    let dead = secrets.operator().await.unwrap_err();
    assert!(dead.summary.contains("has expired or was revoked"), "{dead}");
}
