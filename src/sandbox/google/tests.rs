use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::{
    twin::Call,
    world::{Credential, ProvisionKind},
};

const AMY: &str = "100000000000000000050";
const BOB: &str = "100000000000000000051";
const SUE: &str = "100000000000000000052";

fn world() -> World {
    let mut world = World {
        now: "2026-07-15T05:05:00Z".parse().unwrap(),
        given: json!({"population": {"people": 6}}),
        ..World::default()
    };
    for (right, write) in [("all", true), ("read", false)] {
        world.credentials.push(Credential {
            system: NAME,
            name: format!("google.{right}"),
            secret: format!("ya29.{right}"),
            write,
        });
    }
    let given = json!({"transfer_time": "10s", "users": [
        {"id": AMY, "primaryEmail": "amy@acme.example", "aliases": ["a.lee@acme.example"], "backupCodes": 10, "files": {"private": 3, "shared": 4},
            "tokens": [{"clientId": "1.apps"}], "asps": [{"codeId": 7, "name": "Mail"}]},
        {"id": BOB, "primaryEmail": "bob@acme.example"},
        {"id": SUE, "primaryEmail": "sue@acme.example", "suspended": true, "suspensionReason": "ABUSE"},
    ]});
    load(&mut world, &given).unwrap();
    world
}

fn ask(world: &mut World, right: &str, method: &str, target: &str, body: Value) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let call = Call {
        method: method.into(),
        path: path.into(),
        segments: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: vec![("authorization".into(), format!("Bearer ya29.{right}"))],
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
        now: world.now,
        origin: "http://127.0.0.1:1".into(),
    };
    let reply = (TWIN.answer)(world, &call);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn all(world: &mut World, method: &str, target: &str, body: Value) -> (u16, Value) {
    ask(world, "all", method, &format!("/admin/{target}"), body)
}

fn reason(answer: &(u16, Value)) -> (u16, &str) {
    (
        answer.0,
        answer.1["error"]["errors"][0]["reason"].as_str().unwrap_or(""),
    )
}

#[test]
fn an_alias_leads_to_its_owner_and_an_empty_list_has_no_key() {
    let mut w = world();
    let (_, user) = all(&mut w, "GET", "directory/v1/users/a.lee@acme.example", Value::Null);
    assert_eq!(
        (&user["id"], &user["primaryEmail"]),
        (&json!(AMY), &json!("amy@acme.example"))
    );
    let tokens = format!("directory/v1/users/{AMY}/tokens");
    assert_eq!(
        all(&mut w, "GET", &tokens, Value::Null).1["items"][0]["clientId"],
        "1.apps"
    );
    assert_eq!(all(&mut w, "DELETE", &format!("{tokens}/1.apps"), Value::Null).0, 204);
    assert_eq!(
        reason(&all(&mut w, "DELETE", &format!("{tokens}/1.apps"), Value::Null)),
        (404, "notFound")
    );
    assert_eq!(all(&mut w, "GET", &tokens, Value::Null).1.get("items"), None);
}

#[test]
fn codes_are_not_taken_from_whoever_is_suspended() {
    let mut w = world();
    let user = format!("directory/v1/users/{AMY}");
    let suspended = all(&mut w, "PUT", &user, json!({"suspended": true})).1;
    assert_eq!(
        (&suspended["suspended"], &suspended["suspensionReason"]),
        (&json!(true), &json!("ADMIN"))
    );
    let codes = format!("{user}/verificationCodes/invalidate");
    assert_eq!(reason(&all(&mut w, "POST", &codes, Value::Null)), (400, "invalid"));
    all(&mut w, "PUT", &user, json!({"suspended": false}));
    assert_eq!(all(&mut w, "POST", &codes, Value::Null).0, 204);
    let google_did_it = all(
        &mut w,
        "PUT",
        &format!("directory/v1/users/{SUE}"),
        json!({"suspended": false}),
    );
    assert_eq!(reason(&google_did_it), (403, "adminCannotUnsuspend"));
}

fn transfer(to: &str, params: Value) -> Value {
    json!({"oldOwnerUserId": AMY, "newOwnerUserId": to,
        "applicationDataTransfers": [{"applicationId": "55656082996", "applicationTransferParams": params}]})
}

#[test]
fn files_move_by_the_clock_and_private_ones_only_when_told() {
    let both = json!([{"key": "PRIVACY_LEVEL", "value": ["PRIVATE", "SHARED"]}]);
    for (params, left) in [(both, json!(null)), (json!([]), json!({"private": 3, "shared": 0}))] {
        let mut w = world();
        let (_, begun) = all(&mut w, "POST", "datatransfer/v1/transfers", transfer(BOB, params));
        let id = begun["id"].as_str().unwrap().to_owned();
        let mut seen = Vec::new();
        for _ in 0..12 {
            let now = w.now;
            tick(&mut w, now);
            let (_, t) = all(&mut w, "GET", &format!("datatransfer/v1/transfers/{id}"), Value::Null);
            let word = t["overallTransferStatusCode"].as_str().unwrap().to_owned();
            if seen.last() != Some(&word) {
                seen.push(word);
            }
            w.now += TimeDelta::seconds(1);
        }
        assert_eq!(seen, ["new", "inProgress", "completed"]);
        let state = state(&w);
        assert_eq!(state["users"][AMY].get("files").cloned().unwrap_or_default(), left);
    }
}

#[test]
fn a_transfer_wants_numbers_and_living_owners_and_is_made_twice_when_asked_twice() {
    let mut w = world();
    for wrong in ["bob@acme.example", AMY] {
        let refused = all(&mut w, "POST", "datatransfer/v1/transfers", transfer(wrong, json!([])));
        assert_eq!(refused.0, 400, "{wrong}");
    }
    let shut = all(&mut w, "POST", "datatransfer/v1/transfers", transfer(SUE, json!([])));
    assert_eq!(shut.0, 403);
    for _ in 0..2 {
        let begun = all(&mut w, "POST", "datatransfer/v1/transfers", transfer(BOB, json!([])));
        assert_eq!(begun.0, 200);
    }
    let query = format!("datatransfer/v1/transfers?oldOwnerUserId={AMY}&newOwnerUserId={BOB}");
    let (_, listed) = all(&mut w, "GET", &query, Value::Null);
    assert_eq!(listed["dataTransfers"].as_array().map(Vec::len), Some(2));
    all(&mut w, "DELETE", &format!("directory/v1/users/{BOB}"), Value::Null);
    let now = w.now + TimeDelta::seconds(60);
    tick(&mut w, now);
    let (_, listed) = all(&mut w, "GET", &query, Value::Null);
    assert_eq!(listed["dataTransfers"][0]["overallTransferStatusCode"], "failed");
}

#[test]
fn where_the_new_owner_has_no_room_it_never_ends() {
    let mut w = world();
    patch(&mut w, &json!({"users": {BOB: {"storageFull": true}}})).unwrap();
    all(&mut w, "POST", "datatransfer/v1/transfers", transfer(BOB, json!([])));
    let now = w.now + TimeDelta::days(9);
    tick(&mut w, now);
    let (_, listed) = all(&mut w, "GET", "datatransfer/v1/transfers", Value::Null);
    assert_eq!(listed["dataTransfers"][0]["overallTransferStatusCode"], "inProgress");
}

#[test]
fn a_reading_token_changes_nothing_and_pages_end() {
    let mut w = world();
    let refused = ask(
        &mut w,
        "read",
        "PUT",
        &format!("/admin/directory/v1/users/{AMY}"),
        json!({"suspended": true}),
    );
    assert_eq!(reason(&refused), (403, "insufficientPermissions"));
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let query = format!("directory/v1/users?customer=my_customer&maxResults=4&orderBy=email&pageToken={token}");
        let (_, page) = all(&mut w, "GET", &query, Value::Null);
        ids.extend(page["users"].as_array().unwrap().iter().map(|u| u["id"].clone()));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(ids.len(), 9);
    assert_eq!(
        reason(&all(&mut w, "GET", "directory/v1/users", Value::Null)),
        (400, "badRequest")
    );
}

#[test]
fn over_the_limit_it_is_403_and_the_reason_tells() {
    let mut w = world();
    w.rates.insert(NAME.into(), 2);
    let user = format!("directory/v1/users/{AMY}");
    for _ in 0..2 {
        assert_eq!(all(&mut w, "GET", &user, Value::Null).0, 200);
    }
    assert_eq!(
        reason(&all(&mut w, "GET", &user, Value::Null)),
        (403, "userRateLimitExceeded")
    );
    w.now += TimeDelta::minutes(1);
    assert_eq!(all(&mut w, "GET", &user, Value::Null).0, 200);
}

#[test]
fn what_is_kept_comes_back_and_okta_suspends_whom_it_unassigns() {
    let mut w = world();
    let push = crate::sandbox::world::Provision {
        system: NAME.into(),
        kind: ProvisionKind::Deactivate,
        user_id: String::new(),
        email: String::new(),
        user_name: "amy@acme.example".into(),
        external_id: None,
        profile: serde_json::Map::new(),
    };
    users::provision(&mut w, &push);
    let kept = entry(&w, "users", AMY).unwrap();
    assert_eq!(kept["suspended"], true);
    let mut fresh = world();
    restore(&mut fresh, "users", AMY, Some(&kept)).unwrap();
    assert_eq!(entry(&fresh, "users", AMY), Some(kept));
}
