//! Asked as the engine asks it, without a socket; the bytes are tried by the provider's own suite.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::world::Credential;

fn world() -> World {
    let mut w = World {
        now: "2026-07-15T05:05:00Z".parse().unwrap(),
        ..World::default()
    };
    for (right, write) in [("read", false), ("write", true)] {
        w.credentials.push(Credential {
            system: NAME,
            name: format!("ldap.{right}"),
            secret: format!("secret-{right}"),
            write,
        });
    }
    let given = json!({
        "users": [
            {"login": "alice", "name": "Chen, Alice", "mail": "alice@acme.example", "employee_id": "1001"},
            {"login": "hugo", "name": "Hugo", "admin_count": 1}
        ],
        "groups": [
            {"name": "ENG", "members": ["alice"]}, {"name": "VPN", "members": ["ENG"]}, {"name": "LOCKED", "members": ["alice"], "locked": true}
        ]
    });
    load(&mut w, &given).unwrap();
    w
}

fn asked(w: &mut World, right: &str, method: &str, dn: &str, body: Value) -> (u16, Value) {
    let headers = [
        ("authorization".to_owned(), format!("Simple secret-{right}")),
        ("user".to_owned(), user(right)),
    ];
    let call = Call {
        method: method.into(),
        path: String::new(),
        segments: vec![dn.to_owned()],
        query: vec![],
        headers: headers.to_vec(),
        body: body.to_string().into_bytes(),
        now: w.now,
        origin: String::new(),
    };
    let reply = answer(w, &call);
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

const ALICE: &str = "CN=Chen\\, Alice,OU=People,OU=Acme,DC=corp,DC=acme,DC=example";

fn found(w: &mut World, filter: Value) -> Vec<String> {
    let (rc, body) = asked(
        w,
        "read",
        "search",
        BASE,
        json!({"scope": "sub", "filter": filter, "attributes": ["cn"]}),
    );
    assert_eq!(rc, 0, "{body}");
    let names = body["entries"].as_array().unwrap().iter();
    names
        .map(|e| e["attributes"]["cn"][0].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn change(attribute: &str, word: &str, key: &str, value: Value) -> Value {
    json!({"changes": [{"do": word, "attribute": attribute, key: [value]}]})
}

#[test]
fn before_a_bind_only_the_server_itself_is_shown() {
    let mut w = world();
    let (rc, body) = asked(&mut w, "none", "search", "", json!({"scope": "base"}));
    assert_eq!(
        (rc, &body["entries"][0]["attributes"]["defaultNamingContext"][0]),
        (0, &json!(BASE))
    );
    assert_eq!(asked(&mut w, "none", "search", BASE, json!({"scope": "sub"})).0, 1);
    assert_eq!(asked(&mut w, "none", "bind", &user("none"), json!({})).0, 49);
    assert_eq!(asked(&mut w, "read", "bind", &user("read"), json!({})).0, 0);
}

#[test]
fn filters_match_as_the_directory_matches() {
    let mut w = world();
    let group = |rest: Value| json!(["and", ["is", "objectClass", "group"], rest]);
    for (filter, want) in [
        (json!(["is", "mail", "ALICE@acme.example"]), vec!["Chen, Alice"]),
        (json!(["is", "mail", "*"]), vec![]),
        (json!(["like", "cn", [[0, "che"], [2, "ALICE"]]]), vec!["Chen, Alice"]),
        (
            json!(["and", ["has", "adminCount"], ["not", ["has", "mail"]]]),
            vec!["Hugo"],
        ),
        (
            json!(["or", ["is", "employeeID", "1001"], ["is", "cn", "hugo"]]),
            vec!["Chen, Alice", "Hugo"],
        ),
        (group(json!(["is", "member", ALICE])), vec!["ENG", "LOCKED"]),
        (
            group(json!(["rule", "1.2.840.113556.1.4.1941", "member", ALICE])),
            vec!["ENG", "LOCKED", "VPN"],
        ),
        (
            json!(["rule", "1.2.840.113556.1.4.803", "userAccountControl", "2"]),
            vec![],
        ),
        (json!(["is", "noSuchAttribute", "1"]), vec![]),
    ] {
        assert_eq!(found(&mut w, filter.clone()), want, "{filter}");
    }
    w.ldap.as_mut().unwrap().hidden.insert("employeeid".into());
    assert_eq!(found(&mut w, json!(["is", "employeeID", "1001"])), Vec::<String>::new());
}

#[test]
fn an_unpaged_list_stops_at_a_thousand_and_pages_go_on() {
    let mut w = world();
    let ldap = w.ldap.as_mut().unwrap();
    let alice = ldap.users["alice"].clone();
    for n in 0..1100 {
        let login = format!("bulk{n:04}");
        let name = login.clone();
        ldap.users.insert(
            login.clone(),
            User {
                login,
                name,
                ..alice.clone()
            },
        );
    }
    let ask = |w: &mut World, page: Value| {
        let body =
            json!({"scope": "sub", "filter": ["has", "userAccountControl"], "attributes": ["1.1"], "page": page});
        let (rc, body) = asked(w, "read", "search", BASE, body);
        (
            rc,
            body["entries"].as_array().unwrap().len(),
            body["cookie"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(ask(&mut w, Value::Null), (4, 1000, None));
    let mut all = 0;
    let mut cookie = Some(String::new());
    while let Some(from) = cookie.filter(|c| all == 0 || !c.is_empty()) {
        let (rc, n, next) = ask(&mut w, json!({"size": 500, "cookie": from}));
        assert_eq!(rc, 0);
        all += n;
        cookie = next;
    }
    assert_eq!(all, 1102);
}

#[test]
fn what_was_not_given_is_refused_and_nothing_is_half_done() {
    let mut w = world();
    let flags = |n: &str| change("userAccountControl", "replace", "values", json!(n));
    assert_eq!(asked(&mut w, "read", "modify", ALICE, flags("514")).0, 50);
    assert_eq!(asked(&mut w, "write", "modify", "CN=Nobody,DC=x", flags("514")).0, 32);
    assert_eq!(
        asked(
            &mut w,
            "write",
            "modify",
            ALICE,
            change("title", "replace", "values", json!("x"))
        )
        .0,
        50
    );
    let hugo = "CN=Hugo,OU=People,OU=Acme,DC=corp,DC=acme,DC=example";
    assert_eq!(asked(&mut w, "write", "modify", hugo, flags("514")).0, 50);
    let quoted = |p: &str| {
        let wide: Vec<u8> = p.encode_utf16().flat_map(u16::to_le_bytes).collect();
        ber::value(&wide)
    };
    let set = |p: &str| change("unicodePwd", "replace", "password", quoted(p));
    assert_eq!(asked(&mut w, "write", "modify", ALICE, set("\"short\"")).0, 19);
    assert_eq!(asked(&mut w, "write", "modify", ALICE, set("Abcdefgh-12345")).0, 53);
    let both = json!({"changes": [flags("514")["changes"][0], set("\"short\"")["changes"][0]]});
    assert_eq!(asked(&mut w, "write", "modify", ALICE, both).0, 19);
    assert_eq!(w.ldap.as_ref().unwrap().users["alice"].user_account_control, 512);
    let before = w.ldap.as_ref().unwrap().users["alice"].pwd_last_set;
    assert_eq!(asked(&mut w, "write", "modify", ALICE, set("\"Abcdefgh-12345\"")).0, 0);
    assert!(w.ldap.as_ref().unwrap().users["alice"].pwd_last_set > before);
}

#[test]
fn members_come_and_go_once_and_by_id_too() {
    let mut w = world();
    let member = |word: &str| change("member", word, "values", json!(ALICE));
    let eng = format!("<GUID={}>", guid_text("group ENG"));
    for (dn, word, rc) in [
        (eng.as_str(), "delete", 0),
        (&eng, "delete", 53),
        (&eng, "add", 0),
        (&eng, "add", 68),
        ("CN=LOCKED,OU=Groups,OU=Acme,DC=corp,DC=acme,DC=example", "delete", 50),
    ] {
        assert_eq!(asked(&mut w, "write", "modify", dn, member(word)).0, rc, "{word} {dn}");
    }
    assert_eq!(
        asked(
            &mut w,
            "write",
            "modify",
            &eng,
            change("member", "add", "values", json!("CN=x"))
        )
        .0,
        32
    );
}
