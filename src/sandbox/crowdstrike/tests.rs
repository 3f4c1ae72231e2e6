use super::*;
use crate::sandbox::world::Credential;

fn world(given: Value) -> World {
    let mut w = World {
        now: "2026-07-15T05:05:00Z".parse().unwrap(),
        given: json!({"population": {"people": 6}}),
        ..World::default()
    };
    w.credentials.push(Credential {
        system: NAME,
        name: "crowdstrike.all".into(),
        secret: "a-secret-of-falcon".into(),
        write: true,
    });
    (TWIN.load)(&mut w, &given).unwrap();
    w
}

fn post(w: &mut World, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let call = Call {
        method: "POST".into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: Vec::new(),
        headers: headers.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        body: body.as_bytes().to_vec(),
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    };
    let reply = (TWIN.answer)(w, &call);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn ask(w: &mut World, query: &str, variables: Value) -> Value {
    let form = format!(
        "client_id={}&client_secret=a-secret-of-falcon",
        tokens::client_id(NAME, "all")
    );
    let (status, granted) = post(
        w,
        "/oauth2/token",
        &[("content-type", "application/x-www-form-urlencoded")],
        &form,
    );
    assert_eq!((status, granted["expires_in"].as_i64()), (201, Some(1799)));
    let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let body = json!({"query": query, "variables": variables}).to_string();
    post(w, GRAPHQL, &[("authorization", &bearer)], &body).1
}

#[test]
fn people_are_found_by_address_by_domain_and_by_okta() {
    let mut w = world(json!({"no_address": ["p00003@acme.example"], "unlinked": ["p00004@acme.example"]}));
    let find = |w: &mut World, filter: Value| {
        let query = "query ($any: [EntityQueryInput!]!) { entities(types: [USER], any: $any, first: 9) { nodes { secondaryDisplayName } } }";
        let found = ask(w, query, json!({"any": [filter]}));
        found["data"]["entities"]["nodes"].as_array().map(Vec::len)
    };
    assert_eq!(
        find(&mut w, json!({"emailAddresses": ["P00002@acme.example"]})),
        Some(1)
    );
    assert_eq!(
        find(&mut w, json!({"emailAddresses": ["p00003@acme.example"]})),
        Some(0)
    );
    assert_eq!(
        find(&mut w, json!({"secondaryDisplayNames": ["ACME.EXAMPLE\\p00003"]})),
        Some(1)
    );
    assert_eq!(
        find(&mut w, json!({"emailAddresses": ["p00004@acme.example"]})),
        Some(2)
    );
    let okta = json!({"accountQuery": {"dataSourceParticipantIdentifiers": [quiet::id(2)]}});
    assert_eq!(find(&mut w, okta), Some(1));
    assert_eq!(find(&mut w, json!({"mails": ["x"]})), None);
}

#[test]
fn errors_are_answers_too() {
    let mut w = world(json!({}));
    for query in [
        "{ entities(first: 1) { nodes { noSuchField } } }",
        "{ entities(types: [USER]) { nodes { entityId } } }",
        "{ entities(first: 1) { nodes { entityId }",
    ] {
        assert!(ask(&mut w, query, Value::Null)["errors"].is_array(), "{query}");
    }
    w.manners.insert(NAME.into(), [NO_POINTS.to_owned()].into());
    let tired = ask(&mut w, "{ domains }", Value::Null);
    assert_eq!(
        (tired["extensions"]["remainingPoints"].as_i64(), tired["data"].is_null()),
        (Some(0), true)
    );
    assert_eq!(post(&mut w, GRAPHQL, &[("authorization", "Bearer no")], "{}").0, 401);
    w.manners.insert(NAME.into(), [OTHER_CLOUD.to_owned()].into());
    assert_eq!(post(&mut w, "/oauth2/token", &[], "").0, 308);
}

#[test]
fn sign_ins_come_in_order_and_the_state_goes_there_and_back() {
    let mut w = world(json!({}));
    let query = "query ($from: DateTimeInput!) { timeline(startTime: $from, sortOrder: ASCENDING, first: 9) { nodes { eventType timestamp } } }";
    let all = ask(&mut w, query, json!({"from": "2026-07-15T04:00:00Z"}));
    let nodes = all["data"]["timeline"]["nodes"].as_array().unwrap().clone();
    assert_eq!(
        (nodes.len(), nodes[0]["eventType"].as_str()),
        (2, Some("SUCCESSFUL_AUTHENTICATION"))
    );
    let state = (TWIN.state)(&w);
    (TWIN.patch)(&mut w, &state).unwrap();
    assert_eq!((TWIN.state)(&w), state);
    let id = state["entities"].as_object().unwrap().keys().next().unwrap().clone();
    let whole = (TWIN.entry)(&w, "entities", &id);
    (TWIN.restore)(&mut w, "entities", &id, whole.as_ref()).unwrap();
    assert!((TWIN.patch)(&mut w, &json!({"people": {}})).is_err());
}
