use std::sync::Arc;

use serde_json::{Value, json};

use super::people::INTEGRATION;
use crate::sandbox::{
    engine::{Engine, Host, Request},
    twin::Reply,
};

const DOT: &str = "005x00000000048AAA";
const MIX: &str = "005x00000000049AAA";

struct Site(Arc<Engine>);

fn site() -> Site {
    let now = "2026-07-15T05:05:00Z".parse().unwrap();
    let host: Host = Arc::new(move || now);
    let given = json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 250}, "apps": {"salesforce": {"users": [
        {"generated": 250},
        {"Id": DOT, "Username": "dot.eve@acme.example", "sessions": 3, "oauth_tokens": 2},
        {"Id": MIX, "Username": "ian.o'brien@acme.example", "FederationIdentifier": "back\\slash", "IsActive": false}]}}});
    Site(Engine::in_memory(given, host).unwrap())
}

impl Site {
    async fn send(&self, method: &str, path: &str, token: &str, body: &str, kind: &str) -> Reply {
        let secret = self.0.credential(token).unwrap_or_else(|| token.to_owned());
        let request = Request {
            method: method.into(),
            target: path.into(),
            headers: vec![
                ("authorization".into(), format!("Bearer {secret}")),
                ("content-type".into(), kind.into()),
                ("sforce-query-options".into(), "batchSize=1".into()),
            ],
            body: body.as_bytes().to_vec(),
        };
        self.0.handle("salesforce", request).await.unwrap()
    }
    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("/services/data/v62.0/{path}");
        told(
            self.send(method, &path, "salesforce.all", &text, "application/json")
                .await,
        )
    }
    async fn query(&self, text: &str) -> (u16, Value) {
        let q: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        self.ask("GET", &format!("query?q={q}"), Value::Null).await
    }
    async fn rows(&self, text: &str) -> Vec<Value> {
        let (status, body) = self.query(text).await;
        assert_eq!(status, 200, "{text}: {body}");
        body["records"].as_array().unwrap().clone()
    }
    async fn form(&self, path: &str, body: &str) -> (u16, Value) {
        let path = format!("/services/oauth2/{path}");
        told(
            self.send("POST", &path, "nobody", body, "application/x-www-form-urlencoded")
                .await,
        )
    }
    fn armed(&self, faults: &Value) {
        let reply = self.0.control("POST", "/faults", faults.to_string().as_bytes());
        assert_eq!(reply.status, 200);
    }
}

fn told(reply: Reply) -> (u16, Value) {
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1[0]["errorCode"].as_str().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_list_comes_in_pages_that_a_locator_continues() {
    let s = site();
    let (_, first) = s.query("SELECT Id FROM User ORDER BY Id").await;
    assert_eq!((&first["done"], &first["totalSize"]), (&json!(false), &json!(258)));
    let (_, last) = told(
        s.send(
            "GET",
            first["nextRecordsUrl"].as_str().unwrap(),
            "salesforce.read",
            "",
            "",
        )
        .await,
    );
    assert_eq!(
        (&last["done"], last["records"].as_array().unwrap().len()),
        (&json!(true), 58)
    );
    assert_eq!(last.get("nextRecordsUrl"), None);
    let gone = s.ask("GET", "query/01gAC0000000099AAA-200", Value::Null).await;
    assert_eq!(code(&gone), (400, "INVALID_QUERY_LOCATOR"));
    assert_eq!(s.query("SELECT COUNT() FROM User").await.1["totalSize"], 258);
}

#[tokio::test(start_paused = true)]
async fn queries_find_what_they_say_and_refuse_what_is_none() {
    let s = site();
    for (filter, want) in [
        ("Username = 'DOT.EVE@ACME.EXAMPLE'", 1),
        ("Username = 'ian.o\\'brien@acme.example'", 1),
        ("FederationIdentifier = 'back\\\\slash'", 1),
        ("Id = '005x00000000048'", 1),
        ("Id = '005X00000000048'", 0),
        (
            "Id IN ('005x00000000048AAA', '005x00000000049AAA') AND IsActive = true",
            1,
        ),
        ("NOT (UserType != 'Standard' OR IsActive = true)", 2),
        ("FederationIdentifier = null AND Username LIKE 'dot%'", 1),
        ("CreatedDate > 2026-05-01T00:00:00Z AND Username LIKE 'dot%'", 1),
    ] {
        let found = s
            .rows(&format!("SELECT Id, Profile.Name FROM User WHERE {filter}"))
            .await;
        assert_eq!(found.len(), want, "{filter}");
    }
    for (text, want) in [
        ("SELECT Id FROM User WHERE", "MALFORMED_QUERY"),
        ("SELECT Nope FROM User", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE IsActive = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Nope__c", "INVALID_TYPE"),
    ] {
        assert_eq!(code(&s.query(text).await), (400, want), "{text}");
    }
    let one = &s
        .rows("SELECT Id, Profile.UserLicense.Name FROM User WHERE Username = 'dot.eve@acme.example'")
        .await[0];
    assert_eq!(one["Profile"]["UserLicense"]["Name"], "SFDC");
    assert_eq!(
        one["attributes"]["url"],
        format!("/services/data/v62.0/sobjects/User/{DOT}")
    );
}

#[tokio::test(start_paused = true)]
async fn a_freeze_is_set_on_the_login_and_ends_nothing() {
    let s = site();
    let login = s
        .rows(&format!("SELECT Id FROM UserLogin WHERE UserId = '{DOT}'"))
        .await[0]["Id"]
        .clone();
    let path = format!("sobjects/UserLogin/{}", login.as_str().unwrap());
    assert!(path.contains("/0Yw"));
    for _ in 0..2 {
        assert_eq!(
            s.ask("PATCH", &path, json!({"IsFrozen": true})).await,
            (204, Value::Null)
        );
    }
    let read_only = s.ask("PATCH", &path, json!({"UserId": DOT})).await;
    assert_eq!(code(&read_only), (400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    let other = s
        .ask("PATCH", &format!("sobjects/UserLogin/{DOT}"), json!({"IsFrozen": true}))
        .await;
    assert_eq!(code(&other), (404, "NOT_FOUND"));
    let sessions = format!("SELECT Id, ParentId FROM AuthSession WHERE UsersId = '{DOT}'");
    let had = s.rows(&sessions).await;
    assert_eq!(had.len(), 3);
    let parent = had.iter().find(|r| r["ParentId"].is_null()).unwrap()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("sobjects/AuthSession/{parent}");
    assert_eq!(s.ask("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(s.rows(&sessions).await.len(), 1, "the child died too");
    assert_eq!(
        code(&s.ask("DELETE", &path, Value::Null).await),
        (404, "ENTITY_IS_DELETED")
    );
    let never = s
        .rows("SELECT Id FROM User WHERE Username = 'p00006@acme.example'")
        .await[0]["Id"]
        .clone();
    let none = s
        .rows(&format!(
            "SELECT Id FROM UserLogin WHERE UserId = '{}'",
            never.as_str().unwrap()
        ))
        .await;
    assert!(none.is_empty());
}

#[tokio::test(start_paused = true)]
async fn some_users_stay() {
    let s = site();
    let id = |name: &'static str| {
        let q = format!("SELECT Id FROM User WHERE Username = '{name}'");
        let s = &s;
        async move { s.rows(&q).await[0]["Id"].as_str().unwrap().to_owned() }
    };
    let off = json!({"IsActive": false});
    let mentor = s
        .ask(
            "PATCH",
            &format!("sobjects/User/{}", id("p00005@acme.example").await),
            off.clone(),
        )
        .await;
    assert_eq!(code(&mentor), (400, "FIELD_INTEGRITY_EXCEPTION"));
    assert!(
        mentor.1[0]["message"]
            .as_str()
            .unwrap()
            .starts_with("Cannot inactivate user that is the value of a hierarchy field")
    );
    let admin = format!("sobjects/User/{}", id("p00001@acme.example").await);
    let us = format!("sobjects/User/{}", id(INTEGRATION).await);
    assert_eq!(s.ask("PATCH", &admin, off.clone()).await.0, 204);
    assert_eq!(
        code(&s.ask("PATCH", &us, off).await),
        (400, "CANNOT_DISABLE_LAST_ADMIN")
    );
    assert_eq!(s.ask("DELETE", &admin, Value::Null).await.0, 403);
    assert_eq!(
        code(&s.ask("PATCH", &us, json!({"Nope": 1})).await),
        (400, "INVALID_FIELD")
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_are_revoked_by_themselves_and_hidden_without_the_right() {
    let s = site();
    let q = format!("SELECT Id, DeleteToken FROM OauthToken WHERE UserId = '{DOT}'");
    let had = s.rows(&q).await;
    assert_eq!((had.len(), &had[0]["Id"]), (2, &Value::Null));
    let token = had[0]["DeleteToken"].as_str().unwrap();
    let row = s
        .ask("DELETE", &format!("sobjects/OauthToken/{token}"), Value::Null)
        .await;
    assert_eq!(code(&row), (405, "METHOD_NOT_ALLOWED"));
    s.armed(&json!(["salesforce:tokens-hidden"]));
    assert!(s.rows(&q).await.is_empty());
    assert_eq!(s.rows("SELECT UserId FROM OauthToken").await.len(), 1, "its own");
    s.armed(&json!(["salesforce:setup-hidden"]));
    assert_eq!(code(&s.query("SELECT Id FROM UserLogin").await), (400, "INVALID_TYPE"));
    s.armed(&json!([]));
    let body = format!("token={token}");
    assert_eq!(s.form("revoke", &body).await, (200, Value::Null));
    let again = s.form("revoke", &body).await;
    assert_eq!((again.0, &again.1["error"]), (400, &json!("invalid_token")));
    assert_eq!(s.rows(&q).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rows_of_permission_sets_go_but_for_the_profile_s_shadow() {
    let s = site();
    let user = s
        .rows("SELECT Id FROM User WHERE Username = 'p00003@acme.example'")
        .await[0]["Id"]
        .clone();
    let q = format!(
        "SELECT Id, PermissionSet.IsOwnedByProfile FROM PermissionSetAssignment WHERE AssigneeId = '{}'",
        user.as_str().unwrap()
    );
    let (shadows, own): (Vec<Value>, Vec<Value>) = s
        .rows(&q)
        .await
        .into_iter()
        .partition(|r| r["PermissionSet"]["IsOwnedByProfile"] == true);
    let path = |r: &Value| format!("sobjects/PermissionSetAssignment/{}", r["Id"].as_str().unwrap());
    assert_eq!(s.ask("DELETE", &path(&shadows[0]), Value::Null).await.0, 400);
    assert_eq!(
        s.ask(
            "PATCH",
            &format!("sobjects/User/{}", user.as_str().unwrap()),
            json!({"IsActive": false})
        )
        .await
        .0,
        204
    );
    assert_eq!(s.rows(&q).await.len(), 2, "they outlive a deactivation");
    assert_eq!(s.ask("DELETE", &path(&own[0]), Value::Null).await.0, 204);
    assert_eq!(
        code(&s.ask("DELETE", &path(&own[0]), Value::Null).await),
        (404, "ENTITY_IS_DELETED")
    );
}

#[tokio::test(start_paused = true)]
async fn a_composite_answers_part_by_part_and_may_roll_back() {
    let s = site();
    let login = s
        .rows(&format!("SELECT Id FROM UserLogin WHERE UserId = '{DOT}'"))
        .await[0]["Id"]
        .clone();
    let login = login.as_str().unwrap();
    let mut body = json!({"allOrNone": true, "compositeRequest": [
        {"method": "PATCH", "url": format!("/services/data/v62.0/sobjects/UserLogin/{login}"), "referenceId": "freeze", "body": {"IsFrozen": true}},
        {"method": "PATCH", "url": "/services/data/v62.0/sobjects/User/005000000000000AAA", "referenceId": "ghost", "body": {"IsActive": false}}]});
    let frozen = format!("SELECT IsFrozen FROM UserLogin WHERE UserId = '{DOT}'");
    let (status, halted) = s.ask("POST", "composite", body.clone()).await;
    assert_eq!(
        (status, &halted["compositeResponse"][0]["body"][0]["errorCode"]),
        (200, &json!("PROCESSING_HALTED"))
    );
    assert_eq!(s.rows(&frozen).await[0]["IsFrozen"], false);
    body["allOrNone"] = false.into();
    let (_, parts) = s.ask("POST", "composite", body).await;
    let status = |n: usize| parts["compositeResponse"][n]["httpStatusCode"].as_u64().unwrap();
    assert_eq!((status(0), status(1)), (204, 404));
    assert_eq!(s.rows(&frozen).await[0]["IsFrozen"], true);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_for_a_secret_or_an_assertion() {
    let s = site();
    let secret = s.0.credential("salesforce.read").unwrap();
    let form = |secret: &str| {
        let mut f = url::form_urlencoded::Serializer::new(String::new());
        f.extend_pairs([
            ("grant_type", "client_credentials"),
            ("client_id", super::CLIENT),
            ("client_secret", secret),
        ]);
        f.finish()
    };
    let (status, body) = s.form("token", &form(&secret)).await;
    assert_eq!(
        (status, body.get("refresh_token"), body.get("expires_in")),
        (200, None, None)
    );
    assert_eq!(body["instance_url"], s.0.origin("salesforce").unwrap());
    let token = body["access_token"].as_str().unwrap();
    let limits = s.send("GET", "/services/data/v62.0/limits", token, "", "").await;
    assert_eq!(limits.status, 200);
    assert!(
        limits
            .headers
            .iter()
            .any(|(k, v)| k == "sforce-limit-info" && v.starts_with("api-usage=1/"))
    );
    let may_not = s
        .send(
            "PATCH",
            &format!("/services/data/v62.0/sobjects/User/{DOT}"),
            token,
            "{\"IsActive\":false}",
            "",
        )
        .await;
    assert_eq!(code(&told(may_not)), (403, "INSUFFICIENT_ACCESS_OR_READONLY"));
    assert_eq!(s.form("token", &form("wrong")).await.1["error"], "invalid_client");
    let body = s
        .form(
            "token",
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=e30.e30.x",
        )
        .await;
    assert_eq!((body.0, &body.1["error"]), (400, &json!("invalid_grant")));
    let us = format!(
        "sobjects/UserLogin/{}",
        s.rows(&format!(
            "SELECT Id FROM UserLogin WHERE UserId = '{}'",
            s.rows(&format!("SELECT Id FROM User WHERE Username = '{INTEGRATION}'"))
                .await[0]["Id"]
                .as_str()
                .unwrap()
        ))
        .await[0]["Id"]
            .as_str()
            .unwrap()
    );
    assert_eq!(s.ask("PATCH", &us, json!({"IsFrozen": true})).await.0, 204);
    assert_eq!(s.form("token", &form(&secret)).await.1["error"], "invalid_grant");
    assert_eq!(
        code(&s.ask("GET", "limits", Value::Null).await),
        (401, "INVALID_SESSION_ID")
    );
}

#[tokio::test(start_paused = true)]
async fn the_state_speaks_in_counts_and_a_patch_of_them_makes_rows() {
    let s = site();
    let state = |s: &Site| -> Value { serde_json::from_slice(&s.0.control("GET", "/state", b"").body).unwrap() };
    let dot = |v: &Value| v["salesforce"]["users"][DOT].clone();
    assert_eq!(dot(&state(&s))["sessions"], 3);
    let patch = json!({"salesforce": {"users": {DOT: {"sessions": 1, "IsFrozen": true}, "005x00000000050AAA": {"sessions": 2}}}});
    assert_eq!(s.0.control("PATCH", "/state", patch.to_string().as_bytes()).status, 200);
    assert_eq!(
        s.rows(&format!("SELECT Id FROM AuthSession WHERE UsersId = '{DOT}'"))
            .await
            .len(),
        1
    );
    assert_eq!(
        s.rows("SELECT Id FROM AuthSession WHERE UsersId = '005x00000000050AAA'")
            .await
            .len(),
        2
    );
    assert_eq!(dot(&state(&s))["IsFrozen"], true);
}
