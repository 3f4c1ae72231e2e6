use chrono::TimeZone;

use super::*;

fn world(plan: &str) -> World {
    let mut w = World {
        now: Utc.with_ymd_and_hms(2026, 11, 25, 0, 12, 0).unwrap(),
        ..World::default()
    };
    for (name, write) in [("read", false), ("write", true), ("all", true)] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("slack.{name}"),
            secret: format!("xoxb-{name}"),
            write,
        });
    }
    let given = json!({"plan": plan, "users": [{"id": "U0C130028", "email": "Mia.Lund@acme.example"}],
        "channels": [{"id": "C0SRE0001", "name": "sre", "members": ["U0C130028"]}]});
    (TWIN.load)(&mut w, &given).unwrap();
    w
}

fn call(w: &World, method: &str, path: &str, token: &str, form: &[(&str, &str)]) -> Call {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/x-www-form-urlencoded".into()),
    ];
    Call {
        method: method.into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: Vec::new(),
        headers: headers.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        body: body.into_bytes(),
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    }
}

fn web(w: &mut World, token: &str, method: &str, form: &[(&str, &str)]) -> Value {
    let c = call(w, "POST", &format!("/api/{method}"), token, form);
    let r = (TWIN.answer)(w, &c);
    assert_eq!(r.status, 200, "every outcome is 200");
    serde_json::from_slice(&r.body).unwrap()
}

fn scim(w: &mut World, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
    let mut c = call(w, method, path, token, &[]);
    c.headers.retain(|(k, _)| k != "content-type");
    c.headers.push(("content-type".into(), "application/json".into()));
    c.body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let r = (TWIN.answer)(w, &c);
    (r.status, serde_json::from_slice(&r.body).unwrap_or(Value::Null))
}

const MIA: &str = "U0C130028";
const ADMIN: &str = "xoxp-write";

fn off() -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "active", "value": false}]})
}

#[test]
fn a_deactivated_account_hides_from_the_lookup_and_not_from_its_id() {
    let mut w = world("business");
    let found = web(
        &mut w,
        "xoxb-read",
        "users.lookupByEmail",
        &[("email", "mia.lund@ACME.example")],
    );
    assert_eq!(found["user"]["id"], MIA);
    let (status, user) = scim(&mut w, "PATCH", &format!("/scim/v2/Users/{MIA}"), ADMIN, &off());
    assert_eq!((status, &user["active"]), (200, &json!(false)));
    assert_eq!(
        web(
            &mut w,
            "xoxb-read",
            "users.lookupByEmail",
            &[("email", "Mia.Lund@acme.example")]
        )["error"],
        "users_not_found"
    );
    let info = web(&mut w, "xoxb-read", "users.info", &[("user", MIA)]);
    assert_eq!(
        (&info["user"]["deleted"], info["user"].get("is_admin")),
        (&json!(true), None)
    );
    assert!(w.dirty.contains(&("slack".into(), "users".into(), MIA.into())));
}

#[test]
fn the_plan_decides_what_is_sold() {
    for (plan, sessions, status) in [
        ("pro", "feature_not_enabled", 403),
        ("business", "feature_not_enabled", 200),
        ("enterprise", "", 200),
    ] {
        let mut w = world(plan);
        let reset = web(&mut w, ADMIN, "admin.users.session.reset", &[("user_id", MIA)]);
        assert_eq!(reset["error"].as_str().unwrap_or(""), sessions, "{plan}");
        let (got, body) = scim(&mut w, "PATCH", &format!("/scim/v2/Users/{MIA}"), ADMIN, &off());
        assert_eq!(got, status, "{plan} {body}");
    }
}

#[test]
fn tokens_have_their_own_powers() {
    let mut w = world("enterprise");
    let refused = web(
        &mut w,
        "xoxb-read",
        "conversations.invite",
        &[("channel", "C0SRE0001"), ("users", MIA)],
    );
    assert_eq!(
        (&refused["error"], &refused["needed"]),
        (&json!("missing_scope"), &json!("channels:write.invites"))
    );
    assert!(refused["provided"].as_str().unwrap().contains("users:read.email"));
    assert_eq!(
        web(&mut w, "xoxb-write", "admin.users.list", &[])["error"],
        "not_allowed_token_type"
    );
    assert_eq!(
        web(&mut w, ADMIN, "chat.postMessage", &[("channel", MIA), ("text", "x")])["error"],
        "missing_scope"
    );
    assert_eq!(web(&mut w, "xoxb-nobody", "auth.test", &[])["error"], "invalid_auth");
    assert_eq!(
        scim(&mut w, "GET", "/scim/v2/Users", "xoxb-write", &Value::Null).1["detail"],
        "permission_denied"
    );
}

#[test]
fn an_invitation_is_all_or_nothing_unless_forced() {
    let mut w = world("business");
    let users = format!("{MIA},U0P0000002");
    let refused = web(
        &mut w,
        "xoxb-write",
        "conversations.invite",
        &[("channel", "C0SRE0001"), ("users", &users)],
    );
    assert_eq!(
        (&refused["error"], &refused["errors"][0]["user"]),
        (&json!("already_in_channel"), &json!(MIA))
    );
    assert!(
        !w.slack.as_ref().unwrap().channels["C0SRE0001"]
            .members
            .contains("U0P0000002")
    );
    web(
        &mut w,
        "xoxb-write",
        "conversations.invite",
        &[("channel", "C0SRE0001"), ("users", &users), ("force", "1")],
    );
    assert!(
        w.slack.as_ref().unwrap().channels["C0SRE0001"]
            .members
            .contains("U0P0000002")
    );
    assert_eq!(
        web(
            &mut w,
            "xoxb-write",
            "conversations.kick",
            &[("channel", "C0SRE0001"), ("user", MIA)]
        )["ok"],
        true
    );
    assert_eq!(
        web(
            &mut w,
            "xoxb-write",
            "conversations.kick",
            &[("channel", "C0SRE0001"), ("user", MIA)]
        )["error"],
        "not_in_channel"
    );
    assert_eq!(
        web(
            &mut w,
            "xoxb-write",
            "conversations.invite",
            &[("channel", "C0LUNCHES0"), ("users", MIA)]
        )["error"],
        "not_in_channel"
    );
}

#[test]
fn an_empty_page_is_not_the_last() {
    let mut w = world("business");
    let (mut cursor, mut names, mut empty) = (String::new(), Vec::new(), 0);
    loop {
        let form = [
            ("types", "public_channel"),
            ("exclude_archived", "true"),
            ("limit", "1"),
            ("cursor", &cursor),
        ];
        let page = web(&mut w, "xoxb-read", "conversations.list", &form);
        let channels = page["channels"].as_array().unwrap();
        empty += usize::from(channels.is_empty());
        names.extend(channels.iter().map(|c| c["name"].as_str().unwrap().to_owned()));
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(empty, 2, "the archived one and the private one leave empty pages");
    assert_eq!(names, ["general", "help-desk", "lunches", "sre"]);
    assert_eq!(
        web(&mut w, "xoxb-read", "users.list", &[("cursor", "bm90LWEtY3Vyc29y")])["error"],
        "invalid_cursor"
    );
}

#[test]
fn messages_are_told_apart_and_kept_as_sent() {
    let mut w = world("business");
    let dm = web(&mut w, "xoxb-write", "conversations.open", &[("users", MIA)])["channel"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = |w: &mut World| {
        web(
            w,
            "xoxb-write",
            "chat.postMessage",
            &[("channel", &dm), ("text", "R&amp;D &lt;eng&gt;")],
        )
    };
    let (first, second) = (said(&mut w), said(&mut w));
    assert!(first["ts"].as_str() < second["ts"].as_str());
    assert_eq!(second["message"]["text"], "R&amp;D &lt;eng&gt;");
    assert_eq!(w.slack.as_ref().unwrap().messages.len(), 2);
    assert_eq!(
        web(&mut w, "xoxb-write", "chat.postMessage", &[("channel", &dm)])["error"],
        "no_text"
    );
    let marked = r#"{"event_type": "told", "event_payload": {"mark": "m1"}}"#;
    for (metadata, word) in [
        (marked, Value::Null),
        ("{", json!("invalid_metadata_format")),
        (r#"{"event_type": "told"}"#, json!("invalid_metadata_schema")),
    ] {
        let message = [("channel", dm.as_str()), ("text", "hi"), ("metadata", metadata)];
        assert_eq!(web(&mut w, "xoxb-write", "chat.postMessage", &message)["error"], word);
    }
    let look = |w: &mut World, all: &str| {
        let asked = [("channel", dm.as_str()), ("include_all_metadata", all)];
        web(w, "xoxb-write", "conversations.history", &asked)["messages"].clone()
    };
    let shown = look(&mut w, "true");
    assert_eq!(shown[0]["metadata"]["event_payload"]["mark"], "m1");
    assert!(shown[1].get("metadata").is_none() && look(&mut w, "false")[0].get("metadata").is_none());
}

#[test]
fn nobody_deactivates_the_primary_owner_or_a_bot() {
    let mut w = world("business");
    let owner = "/scim/v2/Users/U0P0000001";
    assert_eq!(
        scim(&mut w, "DELETE", owner, ADMIN, &Value::Null),
        (
            403,
            json!({"schemas":
        ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "cannot_disable_primary_owner", "status": 403})
        )
    );
    let one = "/scim/v1/Users/U0P0000001";
    assert_eq!(
        scim(&mut w, "DELETE", one, ADMIN, &Value::Null).1["Errors"]["description"],
        "cannot_disable_primary_owner"
    );
    assert_eq!(
        provision(&mut w, "p00001@acme.example", false),
        Err("cannot_disable_primary_owner")
    );
}

#[test]
fn scim_writes_are_paced_and_the_pace_comes_back_with_time() {
    let mut w = world("business");
    let path = format!("/scim/v2/Users/{MIA}");
    let codes: Vec<u16> = (0..21).map(|_| scim(&mut w, "PATCH", &path, ADMIN, &off()).0).collect();
    assert_eq!((codes[19], codes[20]), (200, 429));
    w.now += chrono::Duration::seconds(1);
    assert_eq!(scim(&mut w, "PATCH", &path, ADMIN, &off()).0, 200);
}

#[test]
fn a_directory_provisions_revives_and_deactivates() {
    let mut w = world("business");
    let id = provision(&mut w, "new.hire@acme.example", true).unwrap().unwrap();
    assert_eq!(
        web(
            &mut w,
            "xoxb-read",
            "users.lookupByEmail",
            &[("email", "new.hire@acme.example")]
        )["user"]["id"],
        json!(id)
    );
    assert_eq!(
        provision(&mut w, "New.Hire@acme.example", false).unwrap(),
        Some(id.clone())
    );
    assert_eq!(
        provision(&mut w, "new.hire@acme.example", true).unwrap(),
        Some(id),
        "an address is taken for good: the account comes back"
    );
    assert_eq!(provision(&mut w, "never.was@acme.example", false).unwrap(), None);
}

#[test]
fn a_queued_wipe_of_sessions_falls_due() {
    let mut w = world("enterprise");
    let live = |w: &mut World| {
        web(
            w,
            ADMIN,
            "admin.users.session.list",
            &[("user_id", MIA), ("team_id", "T0ACME001")],
        )
    };
    assert_eq!(live(&mut w)["active_sessions"].as_array().unwrap().len(), 1);
    web(&mut w, ADMIN, "admin.users.session.resetBulk", &[("user_ids", MIA)]);
    assert_eq!(live(&mut w)["ok"], true, "ok is queued, not done");
    w.now += chrono::Duration::seconds(2);
    let now = w.now;
    (TWIN.tick)(&mut w, now);
    assert_eq!(live(&mut w)["error"], "no_active_sessions");
}

#[test]
fn what_is_patched_is_what_is_shown_and_replayed() {
    let mut w = world("business");
    (TWIN.patch)(
        &mut w,
        &json!({"users": {MIA: {"email": "mia@acme.example"}, "U0NEW0001": {}}, "channels": {"C0SRE0001": null}}),
    )
    .unwrap();
    assert_eq!((TWIN.entry)(&w, "users", MIA).unwrap()["email"], "mia@acme.example");
    assert_eq!((TWIN.state)(&w)["users"]["U0NEW0001"]["active"], true);
    assert_eq!((TWIN.entry)(&w, "channels", "C0SRE0001"), None);
    let mut again = world("business");
    for (_, list, id) in &w.dirty {
        (TWIN.restore)(&mut again, list, id, (TWIN.entry)(&w, list, id).as_ref()).unwrap();
    }
    assert_eq!((TWIN.state)(&again), (TWIN.state)(&w));
    (TWIN.patch)(&mut again, &(TWIN.state)(&w)).unwrap();
    assert_eq!((TWIN.state)(&again)["users"], (TWIN.state)(&w)["users"]);
    assert!((TWIN.patch)(&mut w, &json!({"users": {MIA: {"emial": "x"}}})).is_err());
    assert!(
        (TWIN.load)(&mut w, &json!({"plam": "pro"}))
            .unwrap_err()
            .contains("plam")
    );
}

#[test]
fn faults_find_calls_by_their_meaning() {
    let w = world("business");
    let name =
        |method: &str, path: &str, form: &[(&str, &str)]| (TWIN.operation)(&w, &call(&w, method, path, "x", form));
    assert_eq!(
        name("POST", "/api/conversations.invite", &[("channel", "C0SRE0001")]).unwrap(),
        "join-channel:#sre"
    );
    assert_eq!(
        name("POST", "/api/conversations.kick", &[("channel", "C0SRE0001")]).unwrap(),
        "leave-channel:#sre"
    );
    assert_eq!(
        name("POST", "/api/admin.users.session.reset", &[]).unwrap(),
        "clear-sessions"
    );
    assert_eq!(name("DELETE", "/scim/v2/Users/U1", &[]).unwrap(), "deactivate");
    assert_eq!(name("POST", "/api/chat.postMessage", &[]).unwrap(), "send-message");
}
