//! The log, the search index, and the state from outside.

use serde_json::json;

use super::*;

#[test]
fn search_lags_behind_get_by_id() {
    let mut o = Org::with(json!({"search_lag": "2s"}));
    o.post(&format!("/users/{BO}/lifecycle/suspend"));
    assert_eq!(o.status(BO), "SUSPENDED");
    assert_eq!(o.find("search", "status eq \"SUSPENDED\"").ids(), Vec::<&str>::new());
    assert_eq!(
        o.find("search", "profile.login eq \"bo.ng@acme.example\"").body[0]["status"],
        "ACTIVE"
    );
    o.pass(2000);
    assert_eq!(o.find("search", "status eq \"SUSPENDED\"").ids(), [BO]);
    let made = o.send(
        "POST",
        "/api/v1/users?activate=false",
        json!({"profile": {"login": "n@acme.example", "email": "n@acme.example", "firstName": "N", "lastName": "N"}}),
    );
    assert_eq!((made.status, &made.body["status"]), (200, &json!("STAGED")));
    assert_eq!(o.find("search", "profile.login eq \"n@acme.example\"").ids().len(), 0);
    o.pass(2000);
    assert_eq!(o.find("search", "profile.login eq \"n@acme.example\"").ids().len(), 1);
}

#[test]
fn the_index_shows_what_a_world_says_it_shows() {
    let mut o = Org::with(json!({"search_index": {BO: "missing", ANA: {"status": "SUSPENDED", "city": "Rome"}}}));
    assert_eq!(o.find("search", "id eq \"00u00000000000000002\"").ids().len(), 0);
    assert_eq!(
        o.find("search", "profile.city eq \"rome\" and status eq \"SUSPENDED\"")
            .ids(),
        [ANA]
    );
    assert_eq!(o.status(ANA), "ACTIVE");
    (TWIN.patch)(&mut o.w, &json!({"search_index": {BO: null}})).unwrap();
    assert_eq!(o.find("search", "id eq \"00u00000000000000002\"").ids(), [BO]);
}

#[test]
fn search_filter_q_and_none_differ_as_they_do() {
    let mut o = Org::new();
    o.post(&format!("/users/{BO}/lifecycle/deactivate"));
    assert_eq!(
        o.find("search", "profile.login eq \"BO.NG@acme.example\"").ids(),
        [BO],
        "search: any case, deactivated too"
    );
    assert_eq!(o.find("filter", "profile.login eq \"bo.ng@acme.example\"").ids(), [BO]);
    assert_eq!(
        o.find("filter", "profile.login eq \"BO.NG@acme.example\"").ids().len(),
        0,
        "filter: case counts"
    );
    assert_eq!(o.find("q", "bo.n").ids().len(), 0, "q: nobody deactivated");
    assert_eq!(o.find("q", "ANA.r").ids(), [ANA]);
    assert_eq!(o.find("q", "p0").all("link").len(), 0, "q: no pages");
    assert!(
        !o.get("/users").ids().contains(&BO),
        "the plain list: nobody deactivated"
    );
    assert_eq!(
        o.find("search", "profile.terminationDate lt \"2026-07-14T00:00:00.000Z\"")
            .ids(),
        [ANA],
        "text, and absent never matches"
    );
    for bad in [
        "profile.shoe eq \"9\"",
        "profile.login ne \"a\"",
        "profile.title co \"a\"",
        "not (status pr)",
        "lastLogin pr",
    ] {
        assert_eq!(o.find("search", bad).code(), (400, "E0000031"), "{bad}");
    }
}

#[test]
fn the_log_is_polled_by_an_eternal_next_and_bounded_reads_end() {
    let mut o = Org::with(
        json!({"system_log": [{"uuid": "u1", "eventType": "user.session.start", "target": ANA, "published": "2026-07-15T05:00:00Z"},
        {"uuid": "u1", "eventType": "user.session.start", "target": ANA, "published": "2026-07-15T04:00:00Z"}]}),
    );
    let filter = "filter=eventType+eq+%22user.session.start%22+and+target.id+eq+%2200u00000000000000001%22";
    let first = o.get(&format!("/logs?since=2026-07-01T00:00:00Z&limit=1&{filter}"));
    assert_eq!(
        first.body[0]["published"], "2026-07-15T05:00:00.000Z",
        "as they were written down"
    );
    let next = first.next().unwrap();
    assert!(!next.contains("since="));
    let second = o.call("GET", &next);
    assert_eq!(
        (&second.body[0]["published"], &second.body[0]["uuid"]),
        (&json!("2026-07-15T04:00:00.000Z"), &json!("u1"))
    );
    let mut cursor = second.next().unwrap();
    for _ in 0..2 {
        let empty = o.call("GET", &cursor);
        assert_eq!(empty.body, json!([]));
        cursor = empty.next().unwrap();
    }
    (TWIN.patch)(
        &mut o.w,
        &json!({"system_log": [{"uuid": "u2", "eventType": "user.session.start", "target": ANA}]}),
    )
    .unwrap();
    assert_eq!(o.call("GET", &cursor).body[0]["uuid"], "u2");
    let bounded = o.get(&format!(
        "/logs?since=2026-07-01T00:00:00Z&until=2026-07-15T05:04:00Z&limit=1&{filter}"
    ));
    assert_eq!(bounded.body[0]["published"], "2026-07-15T04:00:00.000Z", "by published");
    let rest = o.call("GET", &bounded.next().unwrap());
    assert_eq!((rest.body.as_array().unwrap().len(), rest.next()), (1, None));
    assert_eq!(o.get("/logs?since=2025-01-01T00:00:00Z").code(), (400, "E0000053"));
    assert_eq!(o.get("/logs?filter=shoe+eq+%229%22").code(), (400, "E0000053"));
}

#[test]
fn hr_has_imported_ten_minutes_before_the_clock_whenever_it_is_set() {
    let mut o = Org::new();
    let ends = |o: &mut Org| -> Vec<String> {
        o.events("system.import.complete")
            .iter()
            .map(|e| e["published"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ends(&mut o), ["2026-07-15T04:55:00.000Z"]);
    o.w.now = "2026-07-15T12:00:00Z".parse().unwrap();
    o.w.set_at = o.w.now;
    assert_eq!(ends(&mut o), ["2026-07-15T04:55:00.000Z", "2026-07-15T11:50:00.000Z"]);
    assert_eq!(
        o.events("user.account.update_profile").len(),
        8,
        "everyone's last change"
    );
}

#[test]
fn a_patch_acts_at_once_and_leaves_what_an_import_would() {
    let mut o = Org::new();
    (TWIN.patch)(
        &mut o.w,
        &json!({"users": {"*": {"profile": {"city": null}}, BO: {"status": "SUSPENDED"},
        "00u00000000000000077": {"profile": {"login": "new.hire@acme.example"}}}}),
    )
    .unwrap();
    let s = o.state();
    assert_eq!(s["users"][ANA]["profile"].get("city"), None);
    assert_eq!(
        s["users"]["00u00000000000000077"]["groups"],
        json!(["BR-ALL-EMPLOYEES", "Everyone", "ROLE-OPS"])
    );
    let suspended = o.events("user.lifecycle.suspend");
    assert_eq!(
        (suspended.len(), &suspended[0]["actor"]["type"]),
        (1, &json!("SystemPrincipal"))
    );
    (TWIN.patch)(&mut o.w, &json!({"users": {BO: {"status": "ACTIVE"}}})).unwrap();
    assert_eq!(o.events("user.lifecycle.unsuspend").len(), 1);
    assert!(
        (TWIN.patch)(&mut o.w, &json!({"users": {BO: {"shoe": 9}}}))
            .unwrap_err()
            .contains("shoe")
    );
    (TWIN.patch)(&mut o.w, &json!({"groups": {ENG: {"members": [BO]}}})).unwrap();
    assert_eq!(o.state()["groups"][ENG]["members"], json!([BO]));
}

#[test]
fn what_changed_can_be_put_back_elsewhere() {
    let mut o = Org::with(
        json!({"rule_delay": "3s", "rules": [{"id": RULE, "name": "R1", "expression": "user.department==\"Sales\"", "groups": ["ROLE-SALES"]}]}),
    );
    o.w.dirty.clear();
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"department": "Sales"}}),
    );
    o.call("DELETE", &format!("/api/v1/groups/{ENG}/users/{ANA}"));
    o.post(&format!("/users/{ANA}/lifecycle/deactivate"));
    let mut other = Org::with(
        json!({"rule_delay": "3s", "rules": [{"id": RULE, "name": "R1", "expression": "user.department==\"Sales\"", "groups": ["ROLE-SALES"]}]}),
    );
    for (_, list, id) in std::mem::take(&mut o.w.dirty) {
        let entry = (TWIN.entry)(&o.w, &list, &id);
        (TWIN.restore)(&mut other.w, &list, &id, entry.as_ref()).unwrap();
    }
    assert_eq!(other.state(), o.state());
    other.pass(3000);
    let sales = group_called(&mut other, "ROLE-SALES");
    assert!(other.in_group(&sales, BO), "a rule that had yet to run still runs");
}

#[test]
fn an_unknown_key_is_named() {
    let mut w = World::default();
    let wrong = (TWIN.load)(&mut w, &json!({"shoes": []})).unwrap_err();
    assert_eq!(wrong, "okta: unknown key shoes");
}
