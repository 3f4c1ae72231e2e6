//! People: statuses, look-ups, creating and changing.

use serde_json::json;

use super::*;

#[test]
fn every_status_offers_its_links_and_suspend_goes_by_them() {
    let rows = [
        ("STAGED", vec!["activate"], 400),
        ("PROVISIONED", vec!["deactivate", "reactivate", "suspend"], 200),
        (
            "ACTIVE",
            vec!["deactivate", "expirePassword", "resetPassword", "suspend"],
            200,
        ),
        ("PASSWORD_EXPIRED", vec!["deactivate", "expirePassword", "suspend"], 200),
        ("RECOVERY", vec!["deactivate", "reactivate", "suspend"], 200),
        ("LOCKED_OUT", vec!["deactivate", "unlock"], 400),
        ("SUSPENDED", vec!["deactivate", "unsuspend"], 400),
        ("DEPROVISIONED", vec!["activate", "delete"], 404),
    ];
    for (status, links, suspend) in rows {
        let mut o = Org::new();
        (TWIN.patch)(&mut o.w, &json!({"users": {BO: {"status": status}}})).unwrap();
        let p = o.get(&format!("/users/{BO}")).body;
        let offered: Vec<&String> = p["_links"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, l)| l.get("method").is_some())
            .map(|(k, _)| k)
            .collect();
        assert_eq!(offered, links, "{status}");
        assert_eq!(
            o.post(&format!("/users/{BO}/lifecycle/suspend")).status,
            suspend,
            "{status}"
        );
        let want = if status == "DEPROVISIONED" { 404 } else { 200 };
        assert_eq!(
            o.post(&format!("/users/{BO}/lifecycle/deactivate")).status,
            want,
            "{status}"
        );
        assert_eq!(o.status(BO), "DEPROVISIONED");
    }
}

#[test]
fn a_second_deactivate_finds_nobody_though_the_person_is_there() {
    let mut o = Org::new();
    assert_eq!(o.post(&format!("/users/{ANA}/lifecycle/deactivate")).body, json!({}));
    let again = o.post(&format!("/users/{ANA}/lifecycle/deactivate"));
    assert_eq!(again.code(), (404, "E0000007"));
    assert_eq!(
        again.body["errorSummary"],
        format!("Not found: Resource not found: {ANA} (User)")
    );
    assert_eq!(o.get(&format!("/users/{ANA}")).status, 200);
    assert!(o.in_group(ENG, ANA), "membership survives");
    assert_eq!(
        o.send(
            "POST",
            &format!("/api/v1/users/{ANA}"),
            json!({"profile": {"city": "Rome"}})
        )
        .code(),
        (403, "E0000038")
    );
    assert_eq!(
        o.call("PUT", &format!("/api/v1/groups/{ENG}/users/{ANA}")).code(),
        (403, "E0000038")
    );
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/groups/{ENG}/users/{ANA}")).status,
        204
    );
}

#[test]
fn deactivation_takes_its_time_and_the_apps_more() {
    let mut o = Org::with(json!({"deactivate_delay": "2s"}));
    o.post(&format!("/users/{ANA}/lifecycle/suspend"));
    o.post(&format!("/users/{ANA}/lifecycle/deactivate"));
    let p = o.get(&format!("/users/{ANA}")).body;
    assert_eq!(
        (&p["status"], &p["transitioningToStatus"]),
        (&json!("SUSPENDED"), &json!("DEPROVISIONED"))
    );
    assert_eq!(p["_links"].get("unsuspend"), None);
    o.pass(2000);
    let p = o.get(&format!("/users/{ANA}")).body;
    assert_eq!(
        (&p["status"], p.get("transitioningToStatus")),
        (&json!("DEPROVISIONED"), None)
    );
    assert_eq!(
        o.get(&format!("/apps/{JIRA}/users/{ANA}")).status,
        200,
        "the background task has yet to run"
    );
    o.pass(2000);
    assert_eq!(o.get(&format!("/apps/{JIRA}/users/{ANA}")).code(), (404, "E0000007"));
    assert_eq!(o.events("application.user_membership.remove").len(), 1);
}

#[test]
fn a_person_is_found_by_id_login_in_any_case_and_short_name() {
    let mut o = Org::new();
    for name in [ANA, "ana.ruiz@acme.example", "ANA.RUIZ%40acme.example", "ana.ruiz"] {
        assert_eq!(o.get(&format!("/users/{name}")).body["id"], ANA, "{name}");
    }
    (TWIN.patch)(
        &mut o.w,
        &json!({"users": {BO: {"profile": {"login": "ana.ruiz@other.example"}}}}),
    )
    .unwrap();
    assert_eq!(o.get("/users/ana.ruiz").code(), (404, "E0000007"), "ambiguous");
    assert_eq!(o.get("/users/bo.ng@acme.example").status, 404, "the old login is free");
    assert_eq!(o.get("/users/me").body["profile"]["login"], "jml-service@acme.example");
}

#[test]
fn a_reactivated_person_gets_the_old_groups_apps_back() {
    let mut o = Org::new();
    o.post(&format!("/users/{ANA}/lifecycle/deactivate"));
    assert_eq!(o.get(&format!("/apps/{JIRA}/users/{ANA}")).status, 404);
    let mailed = o.post(&format!("/users/{ANA}/lifecycle/activate"));
    assert_eq!((mailed.status, mailed.body), (200, json!({})), "the token goes by mail");
    assert_eq!(o.get(&format!("/apps/{JIRA}/users/{ANA}")).status, 200);
    assert_eq!(
        o.post(&format!("/users/{BO}/lifecycle/activate")).code(),
        (403, "E0000016")
    );
    assert_eq!(
        o.post(&format!("/users/{BO}/lifecycle/reactivate")).code(),
        (403, "E0000038")
    );
    assert_eq!(
        o.post(&format!("/users/{BO}/lifecycle/unlock")).code(),
        (403, "E0000032")
    );
}

#[test]
fn create_post_and_put_do_what_each_does() {
    let mut o = Org::new();
    let new = |login: &str| json!({"profile": {"login": login, "email": login, "firstName": "N", "lastName": "N", "title": "T"}, "groupIds": [ENG]});
    let made = o.send("POST", "/api/v1/users", new("n@acme.example"));
    assert_eq!((made.status, &made.body["status"]), (200, &json!("PROVISIONED")));
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 20 && o.in_group(ENG, &id));
    let twice = o.send("POST", "/api/v1/users", new("N@acme.example"));
    assert_eq!(twice.body["errorSummary"], "Api validation failed: login");
    let mut odd = new("odd@acme.example");
    odd["profile"]["notValid"] = "x".into();
    assert_eq!(
        o.send("POST", "/api/v1/users", odd).body["errorCauses"][0]["errorSummary"],
        "Property name 'notValid' is not defined in profile"
    );
    let merged = o.send(
        "POST",
        &format!("/api/v1/users/{id}"),
        json!({"profile": {"city": "Rome"}}),
    );
    assert_eq!(
        (&merged.body["profile"]["title"], &merged.body["profile"]["city"]),
        (&json!("T"), &json!("Rome"))
    );
    let erased = o.send(
        "PUT",
        &format!("/api/v1/users/{id}"),
        json!({"profile": {"login": "n@acme.example", "email": "n@acme.example", "firstName": "N", "lastName": "N"}}),
    );
    assert_eq!(erased.body["profile"].get("title"), None);
    assert_eq!(
        o.send(
            "POST",
            &format!("/api/v1/users/{BO}"),
            json!({"profile": {"terminationDate": "2026-01-01"}})
        )
        .code(),
        (403, "E0000023")
    );
    assert_eq!(o.raw("POST", "/api/v1/users", b"{").code(), (400, "E0000003"));
    assert_eq!(o.call("DELETE", &format!("/api/v1/users/{id}")).status, 204);
    assert_eq!(o.status(&id), "DEPROVISIONED");
    assert_eq!(o.call("DELETE", &format!("/api/v1/users/{id}")).status, 204);
    assert_eq!(o.get(&format!("/users/{id}")).status, 404);
}

#[test]
fn an_etag_guards_a_write() {
    let mut o = Org::new();
    let tag = o.get(&format!("/users/{BO}")).all("etag")[0].to_owned();
    o.headers = vec![("if-match".into(), tag)];
    assert_eq!(
        o.send(
            "POST",
            &format!("/api/v1/users/{BO}"),
            json!({"profile": {"city": "Rome"}})
        )
        .status,
        200
    );
    assert_eq!(
        o.send(
            "POST",
            &format!("/api/v1/users/{BO}"),
            json!({"profile": {"city": "Oslo"}})
        )
        .code(),
        (412, "E0000231")
    );
}
