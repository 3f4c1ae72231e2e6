use super::*;
use crate::sandbox::world::Credential;

const OLA: &str = "zC45000000000000000064";
const BOSS: &str = "zADM000000000000000001";
const IKE: &str = "zIKE000000000000000001";

fn world() -> World {
    let mut w = World {
        now: "2026-07-15T05:05:00Z".parse().unwrap(),
        ..World::default()
    };
    for (name, write) in [("read", false), ("write", true), ("all", true)] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("zoom.{name}"),
            secret: format!("secret-of-{name}"),
            write,
        });
    }
    let given = json!({"users": [{"generated": 4}, {"id": OLA, "email": "Ola.Rx@acme.example"},
        {"id": BOSS, "email": "boss@acme.example", "role_id": "1"},
        {"id": IKE, "email": "ike.po@acme.example", "status": "pending"}]});
    w.given = json!({"population": {"people": 9}});
    (TWIN.load)(&mut w, &given).unwrap();
    w
}

fn call(w: &World, method: &str, target: &str, authorization: &str, body: &str) -> Call {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Call {
        method: method.into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: vec![("authorization".into(), authorization.into())],
        body: body.as_bytes().to_vec(),
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    }
}

fn sign_in(w: &mut World, right: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let basic = STANDARD.encode(format!("{}:secret-of-{right}", oauth::client_id(right)));
    let form = format!("grant_type=account_credentials&account_id={ACCOUNT}");
    let c = call(w, "POST", "/oauth/token", &format!("Basic {basic}"), &form);
    let reply = (TWIN.answer)(w, &c);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    format!("Bearer {}", body["access_token"].as_str().unwrap())
}

fn ask(w: &mut World, method: &str, target: &str, bearer: &str, body: &str) -> (u16, Value) {
    let c = call(w, method, target, bearer, body);
    let reply = (TWIN.answer)(w, &c);
    assert!(reply.headers.iter().any(|(k, _)| k == "x-zm-trackingid"));
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

const END: &str = r#"{"action":"deactivate"}"#;

#[test]
fn deactivation_takes_the_licence_and_activation_gives_none_back() {
    let mut w = world();
    let all = sign_in(&mut w, "all");
    let at = format!("/v2/users/{OLA}/status");
    assert_eq!(ask(&mut w, "PUT", &at, &all, END).0, 204);
    let (_, user) = ask(&mut w, "GET", "/v2/users/ola.rx@acme.example", &all, "");
    assert_eq!((&user["status"], &user["type"]), (&json!("inactive"), &json!(1)));
    assert_eq!(ask(&mut w, "PUT", &at, &all, r#"{"action":"activate"}"#).0, 204);
    let (_, user) = ask(&mut w, "GET", &format!("/v2/users/{OLA}"), &all, "");
    assert_eq!((&user["status"], &user["type"]), (&json!("active"), &json!(1)));
}

#[test]
fn owner_and_admins_are_refused_and_the_invited_are_only_disassociated() {
    let mut w = world();
    let all = sign_in(&mut w, "all");
    let (status, body) = ask(&mut w, "PUT", &format!("/v2/users/{BOSS}/status"), &all, END);
    assert_eq!((status, &body["code"]), (400, &json!(200)));
    let (status, body) = ask(&mut w, "PUT", &format!("/v2/users/{IKE}/status"), &all, END);
    assert_eq!((status, &body["code"]), (404, &json!(1001)));
    let (_, thin) = ask(&mut w, "GET", &format!("/v2/users/{IKE}"), &all, "");
    assert_eq!((thin.get("email"), &thin["status"]), (None, &json!("pending")));
    let gone = format!("/v2/users/{IKE}?action=disassociate");
    assert_eq!(ask(&mut w, "DELETE", &gone, &all, "").0, 204);
    assert_eq!(ask(&mut w, "DELETE", &gone, &all, "").0, 404);
}

#[test]
fn a_transfer_by_a_name_that_zoom_does_not_know_saves_nothing() {
    let mut w = world();
    let all = sign_in(&mut w, "all");
    let to = "transfer_email=p00002@acme.example";
    let target = format!("/v2/users/{OLA}?action=delete&{to}&transfer_meetings=true&transfer_recording=true");
    assert_eq!(ask(&mut w, "DELETE", &target, &all, "").0, 204);
    let kept = &w.zoom.as_ref().unwrap().deleted[OLA].transferred;
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["recording"]);
}

#[test]
fn the_lists_are_three_and_their_pages_add_up() {
    let mut w = world();
    let read = sign_in(&mut w, "read");
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let target = format!("/v2/users?page_size=2&next_page_token={token}");
        let (status, page) = ask(&mut w, "GET", &target, &read, "");
        assert_eq!((status, &page["total_records"]), (200, &json!(6)));
        seen.extend(page["users"].as_array().unwrap().iter().map(|u| u["id"].to_string()));
        token = page["next_page_token"].as_str().unwrap().into();
        if token.is_empty() {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 6);
    let (_, pending) = ask(&mut w, "GET", "/v2/users?status=pending", &read, "");
    assert_eq!(pending["users"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&mut w, "GET", "/v2/users?page_size=301", &read, "").0, 400);
}

#[test]
fn a_token_has_an_hour_and_the_scopes_of_its_app() {
    let mut w = world();
    let read = sign_in(&mut w, "read");
    let (status, body) = ask(&mut w, "DELETE", &format!("/v2/users/{OLA}/token"), &read, "");
    assert_eq!((status, &body["code"]), (400, &json!(4711)));
    assert!(body["message"].to_string().contains("[user:delete:token:admin]"));
    w.now += chrono::Duration::minutes(61);
    let (status, body) = ask(&mut w, "GET", "/v2/users", &read, "");
    assert_eq!((status, &body["message"]), (401, &json!("Access token is expired.")));
}

#[test]
fn its_own_ways_to_differ_are_zooms() {
    let mut w = world();
    let all = sign_in(&mut w, "all");
    let on = |w: &mut World, word: &str| drop(w.manners.insert(NAME.into(), [word.to_owned()].into()));
    on(&mut w, DAILY_LIMIT);
    let c = call(&w, "GET", "/v2/users", &all, "");
    let reply = (TWIN.answer)(&mut w, &c);
    let header = |name: &str| reply.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
    assert_eq!(header("retry-after").as_deref(), Some("2026-07-16T00:00:00Z"));
    on(&mut w, REFUSES_WITH_200);
    let (status, body) = ask(&mut w, "PUT", &format!("/v2/users/{OLA}/status"), &all, END);
    assert_eq!((status, &body["code"]), (200, &json!(300)));
    on(&mut w, DELETE_LOCKED);
    assert_eq!(ask(&mut w, "DELETE", &format!("/v2/users/{IKE}"), &all, "").0, 429);
    on(&mut w, ONE_TOKEN);
    sign_in(&mut w, "all");
    assert_eq!(ask(&mut w, "GET", "/v2/users", &all, "").0, 401);
}

#[test]
fn licences_run_out_and_the_state_goes_there_and_back() {
    let mut w = world();
    let all = sign_in(&mut w, "all");
    (TWIN.patch)(&mut w, &json!({"licences": 5, "users": {OLA: {"type": 1}}})).unwrap();
    let (status, body) = ask(&mut w, "PATCH", &format!("/v2/users/{OLA}"), &all, r#"{"type":2}"#);
    assert_eq!((status, &body["code"]), (400, &json!(2034)));
    for (list, id) in [("users", OLA), ("account", "account")] {
        let whole = (TWIN.entry)(&w, list, id);
        (TWIN.restore)(&mut w, list, id, whole.as_ref()).unwrap();
    }
    assert_eq!((TWIN.state)(&w)["licences"], 5);
    assert!((TWIN.patch)(&mut w, &json!({"users": {OLA: {"typ": 1}}})).is_err());
}
