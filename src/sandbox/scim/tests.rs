use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    state::{entry, load, patch, restore, state},
    *,
};
use crate::sandbox::{quiet, world::Credential};

const WIKI: &str = "scim:wiki";

fn world(given: Value) -> World {
    let mut w = World {
        now: "2026-07-15T05:05:00Z".parse().unwrap(),
        given: json!({"population": {"people": 300}}),
        asked: WIKI.into(),
        ..World::default()
    };
    for (name, write) in [
        ("scim:wiki.read", false),
        ("scim:wiki.write", true),
        ("scim:other.write", true),
    ] {
        w.credentials.push(Credential {
            system: NAME,
            name: name.into(),
            secret: name.to_uppercase(),
            write,
        });
    }
    load(&mut w, &given).unwrap();
    w.dirty.clear();
    w
}

fn told(manner: &str, given: Value) -> World {
    let mut w = world(given);
    w.manners.insert(WIKI.into(), BTreeSet::from([manner.to_owned()]));
    w
}

struct Seen {
    status: u16,
    body: Value,
    etag: Option<String>,
}

fn ask(w: &mut World, method: &str, target: &str, body: Option<Value>) -> Seen {
    ask_as(w, "SCIM:WIKI.WRITE", &[], method, target, body)
}

fn ask_as(w: &mut World, token: &str, more: &[(&str, &str)], method: &str, target: &str, body: Option<Value>) -> Seen {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let call = Call {
        method: method.into(),
        path: path.into(),
        segments: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers
            .chain([("authorization".to_owned(), format!("Bearer {token}"))])
            .collect(),
        body: body.map(|b| b.to_string().into_bytes()).unwrap_or_default(),
        now: w.now,
        origin: "http://127.0.0.1:9".into(),
    };
    let reply = answer(w, &call);
    let etag = reply.headers.iter().find(|(k, _)| k == "etag").map(|(_, v)| v.clone());
    Seen {
        status: reply.status,
        body: serde_json::from_slice(&reply.body).unwrap_or_default(),
        etag,
    }
}

fn off() -> Value {
    json!({"Operations": [{"op": "replace", "path": "active", "value": false}]})
}

fn one() -> Value {
    json!({"users": [{"id": "K1", "userName": "amy@acme.example", "externalId": "hr-1"}], "page_sizes": [9],
        "groups": [{"id": "G1", "name": "ENG", "members": ["K1", "K2"]}]})
}

fn ids(seen: &Seen) -> Vec<&str> {
    let list = seen.body["Resources"].as_array();
    list.into_iter().flatten().filter_map(|r| r["id"].as_str()).collect()
}

#[test]
fn a_token_of_another_instance_or_that_only_reads_is_refused() {
    let mut w = world(one());
    assert_eq!(
        ask_as(&mut w, "SCIM:OTHER.WRITE", &[], "GET", "/Users", None).status,
        401
    );
    assert_eq!(
        ask_as(&mut w, "SCIM:WIKI.READ", &[], "PATCH", "/Users/K1", Some(off())).status,
        403
    );
    assert_eq!(
        ask_as(&mut w, "", &[], "GET", "/scim/v2/ServiceProviderConfig", None).status,
        200
    );
    assert_eq!(state(&w)["users"]["K1"]["active"], true);
}

#[test]
fn a_change_moves_the_version_and_a_repeat_does_not() {
    let mut w = world(one());
    let first = ask(&mut w, "PATCH", "/scim/v2/Users/K1", Some(off()));
    let second = ask(&mut w, "PATCH", "/scim/v2/Users/K1", Some(off()));
    assert_eq!(
        (first.status, first.etag.as_deref(), second.etag),
        (204, Some("W/\"2\""), first.etag.clone())
    );
    let put = json!({"userName": "amy@acme.example", "active": true});
    let stale = ask_as(
        &mut w,
        "SCIM:WIKI.WRITE",
        &[("if-match", "W/\"1\"")],
        "PUT",
        "/Users/K1",
        Some(put.clone()),
    );
    assert_eq!((stale.status, &stale.body["status"]), (412, &json!("412")));
    let bare = ask(&mut w, "PUT", "/Users/K1", Some(put));
    assert_eq!(
        (bare.status, bare.body.get("externalId")),
        (200, None),
        "a bare PUT wipes the rest"
    );
    assert!(w.dirty.contains(&(WIKI.into(), "users".into(), "K1".into())));
}

#[test]
fn pages_are_cut_as_the_world_says() {
    let mut given = one();
    given["users"] = json!([{"generated": 249}, {"id": "K250", "userName": "lou@acme.example"}]);
    given["page_sizes"] = json!([99, 100, 51]);
    let mut w = world(given);
    let sizes: Vec<usize> = [1, 100, 200, 251]
        .iter()
        .map(|n| ids(&ask(&mut w, "GET", &format!("/Users?startIndex={n}&count=200"), None)).len())
        .collect();
    assert_eq!(sizes, [99, 100, 51, 0]);
    let last = ask(&mut w, "GET", "/Users?startIndex=200&count=200", None);
    assert_eq!(
        (ids(&last).last(), &last.body["totalResults"]),
        (Some(&"K250"), &json!(250))
    );

    let given = json!({"users": [{"id": "a", "userName": "a"}, {"id": "b", "userName": "b"}, {"id": "c", "userName": "c"}],
        "pages": {"1": [1, 2], "3": [2]}});
    let mut w = world(given);
    assert_eq!(ids(&ask(&mut w, "GET", "/Users?startIndex=3&count=2", None)), ["b"]);
    assert!(ids(&ask(&mut w, "GET", "/Users?startIndex=2&count=2", None)).is_empty());
}

#[test]
fn a_cursor_belongs_to_its_question() {
    let users: Vec<Value> = (0..25)
        .map(|n| json!({"id": format!("u{n:02}"), "userName": format!("u{n}")}))
        .collect();
    let mut w = told("cursor", json!({"users": users, "page_sizes": [9]}));
    let first = ask(&mut w, "GET", "/Users?cursor=&count=10", None);
    let next = first.body["nextCursor"].as_str().unwrap().to_owned();
    assert_eq!((ids(&first).len(), first.body.get("startIndex")), (10, None));
    let second = ask(&mut w, "GET", &format!("/Users?cursor={next}&count=10"), None);
    assert_eq!(ids(&second)[0], "u10");
    for (query, kind) in [
        (format!("cursor={next}&count=9"), "invalidCount"),
        (format!("cursor={next}&count=10&filter=userName+pr"), "invalidCursor"),
        ("cursor=junk&count=10".to_owned(), "invalidCursor"),
    ] {
        assert_eq!(
            ask(&mut w, "GET", &format!("/Users?{query}"), None).body["scimType"],
            kind,
            "{query}"
        );
    }
    assert_eq!(ask(&mut world(one()), "GET", "/Users?cursor=", None).status, 501);
}

#[test]
fn each_manner_differs_as_it_is_told() {
    let find = "/Users?filter=userName+eq+%22nobody%22&startIndex=1&count=2";
    let external = "/Users?filter=externalId+eq+%22hr-1%22";
    assert_eq!(
        ask(&mut told("put-only", one()), "PATCH", "/Users/K1", Some(off())).status,
        501
    );
    assert_eq!(ask(&mut told("no-filter", one()), "GET", find, None).status, 501);
    assert_eq!(ids(&ask(&mut told("ignore-filter", one()), "GET", find, None)), ["K1"]);
    assert_eq!(ids(&ask(&mut told("snowflake", one()), "GET", "/Users", None)), ["1"]);
    assert!(ids(&ask(&mut told("snowflake", one()), "GET", external, None)).is_empty());
    assert_eq!(ids(&ask(&mut told("aws", one()), "GET", external, None)), ["K1"]);
    let pr = ask(&mut told("aws", one()), "GET", "/Users?filter=userName+pr", None);
    assert_eq!((pr.status, &pr.body["scimType"]), (400, &json!("invalidFilter")));
    let both = "/Groups?filter=id+eq+%22G1%22+and+members+eq+%22K1%22";
    assert_eq!(
        ask(&mut told("aws", one()), "GET", both, None).body["Resources"][0]["members"],
        json!([])
    );
    assert_eq!(
        ask(&mut told("string-active", one()), "GET", "/Users/K1", None).body["active"],
        "True"
    );
    assert_eq!(
        ask(&mut told("html-200", one()), "GET", "/Users", None).body,
        Value::Null
    );
    let mut w = told("pagerduty", one());
    assert_eq!(ask(&mut w, "PATCH", "/Users/K1", Some(off())).status, 204);
    assert_eq!(ask(&mut w, "GET", "/Users/K1", None).status, 404);
    assert_eq!(state(&w)["groups"]["G1"]["members"], json!(["K2"]));
    let mut w = told("lost-204", one());
    assert_eq!(ask(&mut w, "PATCH", "/Users/K1", Some(off())).status, 204);
    assert_eq!(state(&w)["users"]["K1"]["active"], true);
}

#[test]
fn the_worlds_own_bugs_and_words() {
    let with = |key: &str, value: Value| {
        let mut given = one();
        given[key] = value;
        world(given)
    };
    let mut w = with("active_as", json!("string"));
    assert_eq!(ask(&mut w, "PATCH", "/Users/K1", Some(off())).status, 204);
    assert_eq!(state(&w)["users"]["K1"]["active"], "False");
    let mut w = with("bugs", json!(["remove-clears-members"]));
    let remove = json!({"Operations": [{"op": "remove", "path": "members[value eq \"K1\"]"}]});
    ask(&mut w, "PATCH", "/Groups/G1", Some(remove));
    assert_eq!(state(&w)["groups"]["G1"]["members"], json!([]));
    let mut w = with("bugs", json!(["empty-without-paging", "gone-after-inactive"]));
    assert_eq!(ask(&mut w, "GET", "/Users", None).body["totalResults"], 0);
    assert_eq!(ids(&ask(&mut w, "GET", "/Users?startIndex=1", None)), ["K1"]);
    ask(&mut w, "PATCH", "/Users/K1", Some(off()));
    assert_eq!(ask(&mut w, "GET", "/Users/K1", None).status, 404);
}

#[test]
fn a_restart_brings_everything_back() {
    let mut w = world(one());
    ask(
        &mut w,
        "POST",
        "/Users",
        Some(json!({"userName": "new", "title": "Clerk"})),
    );
    ask(&mut w, "PATCH", "/Users/K1", Some(off()));
    let again = ask(&mut w, "POST", "/Users", Some(json!({"userName": "NEW"})));
    assert_eq!((again.status, &again.body["scimType"]), (409, &json!("uniqueness")));
    let mut fresh = world(one());
    for (_, list, id) in w.dirty.clone() {
        let kept = entry(&w, &list, &id);
        restore(&mut fresh, &list, &id, kept.as_ref()).unwrap();
        assert_eq!(entry(&fresh, &list, &id), kept);
    }
    assert_eq!(state(&fresh), state(&w));
}

#[test]
fn a_patch_of_the_state_and_a_push_of_the_directory_are_seen() {
    let mut w = world(one());
    patch(
        &mut w,
        &json!({"users": {"*": {"active": false}, "K9": {}}, "groups": {"G1": {"members": []}}}),
    )
    .unwrap();
    assert_eq!(state(&w)["users"]["K9"]["userName"], "k9@acme.example");
    assert_eq!(
        (
            &state(&w)["users"]["K1"]["active"],
            &state(&w)["groups"]["G1"]["members"]
        ),
        (&json!(false), &json!([]))
    );
    let mut push = Provision {
        system: WIKI.into(),
        kind: ProvisionKind::Create,
        user_id: "00u1".into(),
        email: "new@acme.example".into(),
        user_name: "new@acme.example".into(),
        external_id: None,
        profile: quiet::profile(&w.given, 3),
    };
    provision(&mut w, &push);
    let state_of = |w: &World| {
        let all = state(w)["users"].as_object().cloned().unwrap();
        all.into_iter()
            .find(|(_, u)| u["externalId"] == "00u1")
            .map(|(_, u)| u["active"].clone())
    };
    assert_eq!(state_of(&w), Some(json!(true)));
    push.kind = ProvisionKind::Deactivate;
    provision(&mut w, &push);
    assert_eq!(state_of(&w), Some(json!(false)));
}
