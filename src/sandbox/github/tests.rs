use super::*;
use crate::sandbox::{twin::Call, world::Credential};

fn world() -> World {
    let mut w = World {
        now: "2026-11-25T09:00:00Z".parse().unwrap(),
        given: json!({"population": {"people": 25}}),
        ..World::default()
    };
    for right in ["read", "write"] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("github.{right}"),
            secret: format!("ghs_{right}"),
            write: right == "write",
        });
    }
    let given = json!({"members": [{"id": 7, "login": "Mia", "role": "admin", "credentials": 2, "pats": 1}], "teams": {"core": ["mia"]},
        "outside": ["ext"], "saml": [{"name_id": "mia@acme.example", "login": "Mia"}]});
    (TWIN.load)(&mut w, &given).unwrap();
    w
}

fn ask(w: &mut World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let call = Call {
        method: method.into(),
        path: path.into(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: vec![
            ("authorization".into(), "Bearer ghs_write".into()),
            ("user-agent".into(), "t".into()),
        ],
        body: if body.is_null() {
            vec![]
        } else {
            body.to_string().into_bytes()
        },
        now: w.now,
        origin: "http://127.0.0.1:1".into(),
    };
    let reply = (TWIN.answer)(w, &call);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

#[test]
fn pending_is_not_in_and_leaving_empties_the_teams() {
    let mut w = world();
    let put = ask(&mut w, "PUT", "/orgs/acme/memberships/EXT", &json!({"role": "member"}));
    assert_eq!((put.0, &put.1["state"]), (200, &json!("pending")));
    assert_eq!(ask(&mut w, "GET", "/orgs/acme/members/ext", &Value::Null).0, 404);
    assert_eq!(ask(&mut w, "DELETE", "/orgs/acme/memberships/ext", &Value::Null).0, 204);
    assert_eq!(ask(&mut w, "GET", "/orgs/acme/memberships/ext", &Value::Null).0, 404);
    // The last owner stays.
    assert_eq!(ask(&mut w, "DELETE", "/orgs/acme/memberships/mia", &Value::Null).0, 403);
    ask(
        &mut w,
        "PUT",
        "/orgs/acme/memberships/p00002",
        &json!({"role": "admin"}),
    );
    assert_eq!(ask(&mut w, "DELETE", "/orgs/acme/memberships/mia", &Value::Null).0, 204);
    assert_eq!(
        ask(&mut w, "GET", "/orgs/acme/teams/core/memberships/mia", &Value::Null).0,
        404
    );
}

#[test]
fn a_members_address_is_not_invited_and_a_cancelled_invitation_stays_known() {
    let mut w = world();
    let invite = |w: &mut World, email: &str| ask(w, "POST", "/orgs/acme/invitations", &json!({"email": email}));
    let member = invite(&mut w, "P00003@acme.example");
    assert_eq!(member.0, 422);
    assert!(
        member.1["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("already a part")
    );
    let (status, made) = invite(&mut w, "new@acme.example");
    assert_eq!((status, &made["login"]), (201, &Value::Null));
    assert_eq!(invite(&mut w, "new@acme.example").1["id"], made["id"]);
    let at = format!("/orgs/acme/invitations/{}", made["id"]);
    assert_eq!(ask(&mut w, "DELETE", &at, &Value::Null).0, 204);
    // As after a restart: only what was noted is there.
    let kept = (TWIN.entry)(&w, "cancelled", "all").unwrap();
    (TWIN.restore)(&mut w, "cancelled", "all", None).unwrap();
    assert_eq!(ask(&mut w, "DELETE", &at, &Value::Null).0, 404);
    (TWIN.restore)(&mut w, "cancelled", "all", Some(&kept)).unwrap();
    assert_eq!(ask(&mut w, "DELETE", &at, &Value::Null).0, 204);
}

#[test]
fn an_owners_token_sees_no_tokens_of_others() {
    let mut w = world();
    let tokens = "/orgs/acme/personal-access-tokens";
    assert_eq!(ask(&mut w, "GET", tokens, &Value::Null).0, 200);
    w.credentials[1].name = format!("{NAME}.{PERSONAL}");
    let (status, refused) = ask(&mut w, "GET", tokens, &Value::Null);
    assert_eq!(
        (status, &refused["message"]),
        (403, &json!("Resource not accessible by personal access token"))
    );
    assert_eq!(ask(&mut w, "GET", "/orgs/acme/members", &Value::Null).0, 200);
}

#[test]
fn what_a_patch_takes_away_or_renames_is_noted() {
    let mut w = world();
    w.dirty.clear();
    (TWIN.patch)(&mut w, &json!({"accounts": {"7": {"login": "mia-dev"}}})).unwrap();
    let noted = |w: &World, list: &str, id: &str| w.dirty.contains(&(NAME.into(), list.into(), id.into()));
    for (list, id) in [
        ("members", "mia"),
        ("members", "mia-dev"),
        ("teams", "core"),
        ("saml", "all"),
    ] {
        assert!(noted(&w, list, id), "{list} {id}");
    }
    assert!(!noted(&w, "members", "p00003"));
    let saml = (TWIN.entry)(&w, "saml", "all").unwrap();
    assert!(saml.to_string().contains("mia-dev"));
    (TWIN.patch)(&mut w, &json!({"members": {"p00003": null}})).unwrap();
    assert!(noted(&w, "members", "p00003"));
}

#[test]
fn what_is_patched_is_what_is_shown_and_replayed() {
    let mut w = world();
    (TWIN.patch)(&mut w, &json!({"accounts": {"7": {"login": "mia-dev"}}})).unwrap();
    let shown = (TWIN.state)(&w);
    assert_eq!(shown["members"]["mia-dev"]["id"], 7);
    assert_eq!(shown["teams"]["core"], json!(["mia-dev"]));
    let kept = (TWIN.entry)(&w, "members", "mia-dev").unwrap();
    (TWIN.restore)(&mut w, "members", "mia-dev", None).unwrap();
    assert!((TWIN.state)(&w)["members"]["mia-dev"].is_null());
    (TWIN.restore)(&mut w, "members", "mia-dev", Some(&kept)).unwrap();
    assert_eq!((TWIN.state)(&w)["members"]["mia-dev"]["credentials"], 2);
}
