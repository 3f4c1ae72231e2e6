//! Who may call, how often, and in what pages the answer comes.

use chrono::TimeDelta;
use serde_json::json;

use super::super::model::{Access, Role};
use super::super::token;
use super::*;

#[test]
fn pages_have_two_links_self_first_and_a_cursor_of_their_own() {
    let mut o = Org::new();
    let first = o.get("/users?limit=3");
    let links = first.all("link");
    assert!(
        links[0].ends_with("rel=\"self\"")
            && links[1].ends_with("rel=\"next\"")
            && links[1].starts_with("<http://127.0.0.1:9/")
    );
    let mut seen: Vec<String> = first.ids().iter().map(|s| (*s).to_owned()).collect();
    let mut next = first.next();
    while let Some(url) = next {
        let page = o.call("GET", &url);
        seen.extend(page.ids().iter().map(|s| (*s).to_owned()));
        next = page.next();
    }
    seen.dedup();
    assert_eq!(seen.len(), 8);
    let foreign = first.next().unwrap().replace("/users", "/groups");
    assert_eq!(o.call("GET", &foreign).code(), (400, "E0000029"));
    assert_eq!(
        o.get("/users?after=zzz").body["errorCauses"][0]["errorSummary"],
        "Invalid cursor."
    );
    assert!(
        o.get("/users?limit=9999").all("link")[0].contains("limit=200"),
        "cut, not refused"
    );
}

#[test]
fn a_persons_groups_come_two_hundred_a_page_and_admins_page_in_the_body() {
    let mut o = Org::with(json!({"groups": [{"generated": 450, "name": "zz-"}],
        "users": [{"id": "00u00000000000000003", "profile": {"login": "sue@acme.example"}, "groups": ["zz-*"], "roles": ["ORG_ADMIN"]}]}));
    let (mut url, mut pages, mut count) = (
        Some("/api/v1/users/00u00000000000000003/groups?limit=1000".to_owned()),
        0,
        0,
    );
    while let Some(u) = url {
        let page = o.call("GET", &u);
        (pages, count, url) = (pages + 1, count + page.ids().len(), page.next());
    }
    assert_eq!((pages, count), (3, 451));
    let admins = o.get("/iam/assignees/users?limit=1");
    assert_eq!(
        (admins.body["value"].as_array().unwrap().len(), admins.all("link").len()),
        (1, 0)
    );
    let next = admins.body["_links"]["next"]["href"]
        .as_str()
        .unwrap()
        .trim_start_matches(ORIGIN)
        .to_owned();
    let last = o.call("GET", &next).body;
    assert_eq!(
        (&last["value"][0]["id"], last["_links"].get("next")),
        (&json!(ROOT), None)
    );
}

#[test]
fn every_answer_has_the_headers_and_buckets_are_shared_for_a_minute() {
    let mut o = Org::new();
    o.w.rates.insert("okta".into(), 600);
    let got = o.get("/nonsense");
    assert_eq!(got.status, 501);
    for name in [
        "date",
        "x-okta-request-id",
        "x-rate-limit-limit",
        "x-rate-limit-remaining",
        "x-rate-limit-reset",
    ] {
        assert_eq!(got.all(name).len(), 1, "{name}");
    }
    assert_eq!(got.all("date"), ["Wed, 15 Jul 2026 05:05:00 GMT"]);
    let mut limit = |target: &str| {
        let got = o.get(target);
        (
            got.all("x-rate-limit-limit")[0].to_owned(),
            got.all("x-rate-limit-remaining")[0].to_owned(),
        )
    };
    assert_eq!(limit(&format!("/users/{ANA}")), ("2000".into(), "1999".into()));
    assert_eq!(limit("/users?limit=1"), ("600".into(), "599".into()));
    assert_eq!(
        limit(&format!("/users/{ANA}/grants")),
        ("600".into(), "598".into()),
        "one bucket"
    );
    assert_eq!(limit("/groups/rules"), ("500".into(), "499".into()));
    assert_eq!(limit("/logs"), ("120".into(), "119".into()));
}

#[test]
fn beyond_the_limit_is_429_until_the_window_ends() {
    let mut o = Org::new();
    o.w.rates.insert("okta".into(), 5); // of groups: 4
    for _ in 0..4 {
        assert_eq!(o.get("/groups?limit=1").status, 200);
    }
    o.auth = "SSWS secret-read".into();
    let over = o.get("/groups?limit=1");
    assert_eq!(
        (
            over.code(),
            over.all("x-rate-limit-remaining"),
            over.all("retry-after").len()
        ),
        ((429, "E0000047"), vec!["0"], 0)
    );
    let reset: i64 = over.all("x-rate-limit-reset")[0].parse().unwrap();
    assert_eq!(reset, o.w.now.timestamp() + 60);
    o.pass(60_000);
    assert_eq!(o.get("/groups?limit=1").status, 200);
}

#[test]
fn too_many_at_a_time_is_429_with_two_noughts() {
    let mut o = Org::new();
    o.w.okta.in_flight = 76;
    let got = o.get("/groups");
    assert_eq!(
        (
            got.code(),
            got.all("x-rate-limit-limit"),
            got.all("x-rate-limit-remaining")
        ),
        ((429, "E0000047"), vec!["0"], vec!["0"])
    );
    o.w.okta.in_flight = 75;
    assert_eq!(o.get("/groups").status, 200);
}

#[test]
fn tokens_are_taken_with_and_without_the_space_and_held_to_their_rights() {
    let mut o = Org::new();
    for (auth, want) in [
        ("SSWS secret-read", (200, "")),
        ("SSWSsecret-read", (200, "")),
        ("SSWS nobody", (401, "E0000011")),
        ("Bearer nobody", (401, "E0000011")),
        ("Basic abc", (403, "E0000005")),
        ("", (403, "E0000005")),
    ] {
        o.auth = auth.into();
        assert_eq!(o.get(&format!("/users/{ANA}")).code(), want, "{auth}");
    }
    o.auth = "SSWS secret-read".into();
    assert_eq!(
        o.post(&format!("/users/{BO}/lifecycle/suspend")).code(),
        (403, "E0000006")
    );
    o.auth = "SSWS secret-write".into();
    assert_eq!(o.post(&format!("/users/{BO}/lifecycle/suspend")).status, 200);
    assert_eq!(
        o.post(&format!("/users/{ROOT}/lifecycle/suspend")).code(),
        (403, "E0000006"),
        "a super admin"
    );
    o.auth = "SSWS secret-all".into();
    assert_eq!(o.post(&format!("/users/{ROOT}/lifecycle/suspend")).status, 200);
    assert_eq!(
        o.call("GET", "/.well-known/okta-organization").body["id"],
        "00o0000000000000ACME"
    );
}

#[test]
fn an_api_token_can_be_revoked_and_is_then_no_token() {
    let mut o = Org::with(json!({"api_tokens": [{"id": "00TX0000000000000001", "name": "export", "user": ANA}]}));
    let all = o.get("/api-tokens").body;
    let own = all
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "okta.read")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(all.as_array().unwrap().iter().any(|t| t["userId"] == ANA));
    assert_eq!(o.call("DELETE", "/api/v1/api-tokens/00TX0000000000000001").status, 204);
    assert_eq!(
        o.call("DELETE", "/api/v1/api-tokens/00TX0000000000000001").code(),
        (404, "E0000007")
    );
    assert_eq!(o.call("DELETE", &format!("/api/v1/api-tokens/{own}")).status, 204);
    o.auth = "SSWS secret-read".into();
    assert_eq!(o.get("/users").code(), (401, "E0000011"));
}

#[test]
fn sessions_tokens_and_consents_end_apart() {
    let mut o = Org::new();
    assert_eq!(
        o.get(&format!("/users/{ANA}/clients")).body.as_array().unwrap().len(),
        2
    );
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/users/{ANA}/sessions?oauthTokens=true"))
            .status,
        204
    );
    assert_eq!(
        (&o.state()["users"][ANA]["sessions"], &o.state()["users"][ANA]["tokens"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        o.get(&format!("/users/{ANA}/grants")).ids().len(),
        3,
        "consent outlives tokens"
    );
    assert_eq!(o.call("DELETE", &format!("/api/v1/users/{ANA}/grants")).status, 204);
    assert_eq!(o.get(&format!("/users/{ANA}/clients")).body, json!([]));
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/users/{ANA}/sessions")).status,
        204,
        "again and again"
    );
    (TWIN.patch)(&mut o.w, &json!({"users": {ANA: {"sessions": 1}}})).unwrap();
    assert_eq!(
        o.events("user.session.start")[0]["actor"]["id"],
        ANA,
        "they have signed in again"
    );
    assert_eq!(
        o.call("DELETE", "/api/v1/users/ana.ruiz@acme.example/sessions").status,
        404,
        "by id alone"
    );
}

#[test]
fn calls_have_the_names_that_faults_use() {
    let o = Org::new();
    let name = |method: &str, target: &str| {
        let call = Call {
            method: method.into(),
            path: target.into(),
            segments: target.trim_start_matches('/').split('/').map(str::to_owned).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            now: o.w.now,
            origin: ORIGIN.into(),
        };
        (TWIN.operation)(&o.w, &call)
    };
    for (method, target, want) in [
        ("POST", format!("/api/v1/users/{ANA}/lifecycle/suspend"), "suspend"),
        ("DELETE", format!("/api/v1/users/{ANA}/sessions"), "clear-sessions"),
        (
            "DELETE",
            format!("/api/v1/groups/{ENG}/users/{ANA}"),
            "remove-member:ROLE-ENG",
        ),
        (
            "PUT",
            format!("/api/v1/groups/{ENG}/users/{ANA}"),
            "add-member:ROLE-ENG",
        ),
        (
            "DELETE",
            format!("/api/v1/apps/{JIRA}/users/{ANA}"),
            "unassign-app:Jira",
        ),
        ("POST", "/api/v1/users".into(), "create-person"),
        ("GET", format!("/api/v1/users/{ANA}"), "read:user"),
        ("GET", format!("/api/v1/users/{ANA}/groups"), "read:user-groups"),
        ("POST", "/oauth2/v1/token".into(), "token"),
    ] {
        assert_eq!(name(method, &target).as_deref(), Some(want));
    }
}

#[test]
fn without_an_admin_role_lists_are_empty_and_nobody_is_found() {
    let mut o = Org::new();
    if let Some(c) = o.w.okta.clients.get_mut(token::SERVICE) {
        c.role = Role::None;
    }
    let scopes = ["okta.users.read", "okta.users.manage"].map(str::to_owned).into();
    let access = Access {
        client: token::SERVICE.into(),
        scopes,
        expires: o.w.now + TimeDelta::hours(1),
        key: None,
    };
    o.w.okta.access.insert("t".into(), access);
    o.auth = "Bearer t".into();
    assert_eq!((o.get("/users").status, o.get("/users").body), (200, json!([])));
    assert_eq!(o.get(&format!("/users/{ANA}")).code(), (404, "E0000007"));
    assert_eq!(
        o.post(&format!("/users/{ANA}/lifecycle/suspend")).code(),
        (403, "E0000006")
    );
    let out = o.get("/groups");
    assert_eq!((out.status, out.body.is_null()), (403, true));
    assert!(out.all("www-authenticate")[0].contains("scope=\"okta.groups.read\", error=\"insufficient_scope\""));
    o.pass(3_600_000);
    let late = o.get("/users");
    assert_eq!(late.status, 401);
    assert!(late.all("www-authenticate")[0].contains("invalid_token"));
}
