//! Groups, rules and apps: membership, what fills and empties it, what it grants.

use serde_json::json;

use super::*;
use crate::sandbox::world::ProvisionKind;

#[test]
fn some_groups_refuse_and_the_others_say_204_however_often() {
    let mut o = Org::new();
    for (gid, code) in [(EVERYONE, (501, "E0000060")), (AD, (403, "E0000006"))] {
        for method in ["PUT", "DELETE"] {
            assert_eq!(
                o.call(method, &format!("/api/v1/groups/{gid}/users/{ANA}")).code(),
                code
            );
        }
    }
    for (method, there) in [("PUT", true), ("PUT", true), ("DELETE", false), ("DELETE", false)] {
        let got = o.call(method, &format!("/api/v1/groups/{ENG}/users/{BO}"));
        assert_eq!(
            (got.status, got.all("content-type").len()),
            (204, 0),
            "the vendor's SDK parses what calls itself JSON"
        );
        assert_eq!(o.in_group(ENG, BO), there);
        assert_eq!(o.get(&format!("/groups/{ENG}/users")).ids().contains(&BO), there);
    }
    assert_eq!(
        o.events("group.user_membership.add").len(),
        1,
        "only what changed something"
    );
    let gone = o.call("PUT", &format!("/api/v1/groups/00gzzzzzzzzzzzzzzzzz/users/{BO}"));
    assert!(gone.body["errorSummary"].as_str().unwrap().ends_with("(UserGroup)"));
    assert!(o.in_group(EVERYONE, BO));
}

#[test]
fn rules_fill_on_a_changed_profile_after_their_delay_and_empty_again() {
    let mut o = ruled("user.department==\"Sales\"", json!({"rule_delay": "3s"}));
    let sales = group_called(&mut o, "ROLE-SALES");
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"department": "Sales"}}),
    );
    assert!(!o.in_group(&sales, BO));
    o.pass(3000);
    assert!(o.in_group(&sales, BO));
    assert_eq!(
        o.events("group.user_membership.add")[0]["actor"]["type"],
        "SystemPrincipal"
    );
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"department": "Finance"}}),
    );
    o.pass(3000);
    assert!(!o.in_group(&sales, BO));
    o.call("PUT", &format!("/api/v1/groups/{sales}/users/{BO}"));
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"title": "Boss"}}),
    );
    o.pass(3000);
    assert!(o.in_group(&sales, BO), "what a hand put there stays");
}

#[test]
fn a_deactivation_runs_no_rule() {
    let mut o = ruled(
        "user.getInternalProperty(\"status\")==\"ACTIVE\" and String.startsWith(user.login, \"bo\")",
        json!({}),
    );
    let sales = group_called(&mut o, "ROLE-SALES");
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"title": "Boss"}}),
    );
    assert!(o.in_group(&sales, BO));
    o.post(&format!("/users/{BO}/lifecycle/deactivate"));
    assert!(o.in_group(&sales, BO));
}

#[test]
fn removing_whom_a_rule_put_there_excludes_them() {
    let mut o = ruled("user.department==\"Sales\"", json!({}));
    let sales = group_called(&mut o, "ROLE-SALES");
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"department": "Sales"}}),
    );
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/groups/{sales}/users/{BO}")).status,
        204
    );
    assert_eq!(o.state()["rules"][RULE]["exclude_users"], json!([BO]));
    let log = o.get("/logs?limit=1000").body;
    let kinds: Vec<&str> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["eventType"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds[kinds.len() - 2..],
        [
            "group.user_membership.rule.add_exclusion",
            "group.user_membership.remove"
        ]
    );
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"title": "Boss"}}),
    );
    assert!(!o.in_group(&sales, BO), "a rule doesn't fill whom it excludes");
}

#[test]
fn an_exclusion_list_holds_a_hundred() {
    let mut o = ruled("user.department==\"Sales\"", json!({}));
    let sales = group_called(&mut o, "ROLE-SALES");
    o.send(
        "POST",
        &format!("/api/v1/users/{BO}"),
        json!({"profile": {"department": "Sales"}}),
    );
    let full: Vec<String> = (0..100).map(|n| format!("00uX{n:016}")).collect();
    (TWIN.patch)(&mut o.w, &json!({"rules": {RULE: {"exclude_users": full}}})).unwrap();
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/groups/{sales}/users/{BO}")).code(),
        (400, "E0000093")
    );
    assert!(o.in_group(&sales, BO));
}

#[test]
fn rules_chain_through_groups_and_a_deleted_group_makes_them_invalid() {
    let mut o = ruled("isMemberOfGroupName(\"ROLE-ENG\")", json!({"rule_delay": "3s"}));
    let sales = group_called(&mut o, "ROLE-SALES");
    o.call("PUT", &format!("/api/v1/groups/{ENG}/users/{BO}"));
    o.pass(3000);
    assert!(o.in_group(&sales, BO));
    o.call("DELETE", &format!("/api/v1/groups/{ENG}/users/{BO}"));
    assert!(o.in_group(&sales, BO), "not before the rule has run");
    o.pass(3000);
    assert!(!o.in_group(&sales, BO));
    assert_eq!(o.state()["rules"][RULE]["exclude_users"], json!([]));
    assert_eq!(o.call("DELETE", &format!("/api/v1/groups/{sales}")).status, 204);
    let r = o.get(&format!("/groups/rules/{RULE}")).body;
    assert_eq!((&r["status"], &r["allGroupsValid"]), (&json!("INVALID"), &json!(false)));
}

#[test]
fn rules_that_chase_each_other_come_to_an_end() {
    let mut o = ruled("!isMemberOfGroupName(\"ROLE-SALES\")", json!({}));
    assert_eq!(
        o.send(
            "POST",
            &format!("/api/v1/users/{BO}"),
            json!({"profile": {"title": "Boss"}})
        )
        .status,
        200
    );
}

#[test]
fn writing_rules_at_once_is_told_to_come_again() {
    let mut o = Org::new();
    let rule = |name: &str| {
        json!({"type": "group_rule", "name": name, "conditions": {"expression": {"value": "user.city==\"Rome\"", "type": "urn:okta:expression:1.0"}},
        "actions": {"assignUserToGroups": {"groupIds": [ENG]}}})
    };
    let made = o.send("POST", "/api/v1/groups/rules", rule("a"));
    assert_eq!((made.status, &made.body["status"]), (200, &json!("INACTIVE")));
    assert_eq!(
        o.send("POST", "/api/v1/groups/rules", rule("b")).code(),
        (423, "E0000239")
    );
    o.pass(1000);
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(o.post(&format!("/groups/rules/{id}/lifecycle/activate")).status, 204);
    o.pass(1000);
    assert_eq!(
        o.send("PUT", &format!("/api/v1/groups/rules/{id}"), rule("c")).status,
        400,
        "only while it rests"
    );
    let gone = o.call("DELETE", &format!("/api/v1/groups/rules/{id}"));
    assert_eq!((gone.status, gone.body), (202, json!({})));
}

#[test]
fn apps_follow_groups_and_a_direct_assignment_ends_alone() {
    let mut o = Org::with(
        json!({"apps": [{"id": "0oa000000000000000BI", "label": "BI", "assigned": [{"user": ANA, "scope": "USER"}]},
        {"id": "0oa00000000000000OLD", "label": "Old", "status": "INACTIVE", "assigned": [{"user": ANA, "scope": "USER"}]}]}),
    );
    let mine = o.get(&format!(
        "/apps?filter=user.id+eq+%22{ANA}%22&expand=user/{ANA}&limit=200"
    ));
    let scope = |a: &Value| format!("{} {}", a["label"], a["_embedded"]["user"]["scope"]).replace('"', "");
    let mut scopes: Vec<String> = mine.body.as_array().unwrap().iter().map(scope).collect();
    scopes.sort();
    assert_eq!(scopes, ["BI USER", "Jira GROUP", "Old USER"]);
    let jira = o.get(&format!("/apps/{JIRA}/users/{ANA}")).body;
    assert_eq!(
        jira["_links"]["group"],
        json!({"name": "ROLE-ENG", "href": format!("{ORIGIN}/api/v1/groups/{ENG}")})
    );
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/apps/{JIRA}/users/{ANA}")).status,
        400,
        "a group still grants it"
    );
    assert_eq!(o.get(&format!("/groups/{ENG}/apps")).ids(), [JIRA]);
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/groups/{ENG}/users/{ANA}")).status,
        204
    );
    assert_eq!(o.get(&format!("/apps/{JIRA}/users/{ANA}")).code(), (404, "E0000007"));
    assert_eq!(
        o.get(&format!("/users/{ANA}/appLinks")).body[0]["label"],
        "BI",
        "the dashboard hides inactive apps"
    );
    o.post(&format!("/users/{ANA}/lifecycle/deactivate"));
    let left = o.get(&format!("/apps?filter=user.id+eq+%22{ANA}%22"));
    assert_eq!(left.ids(), ["0oa00000000000000OLD"], "an inactive app keeps its own");
    assert_eq!(
        o.call("DELETE", &format!("/api/v1/apps/0oa00000000000000OLD/users/{ANA}"))
            .status,
        204
    );
    assert_eq!(
        o.get("/apps?expand=users").body["errorCauses"][0]["errorSummary"],
        "Expand query is malformed."
    );
}

#[test]
fn the_app_is_told_a_little_later() {
    let mut o = Org::with(json!({"provision_delay": "5s"}));
    o.call("DELETE", &format!("/api/v1/groups/{ENG}/users/{ANA}"));
    o.call("PUT", &format!("/api/v1/groups/{ENG}/users/{BO}"));
    o.pass(4999);
    assert!(o.w.provisioning.is_empty());
    o.pass(1);
    let told: Vec<_> =
        o.w.provisioning
            .iter()
            .map(|p| (p.system.as_str(), p.kind, p.user_name.as_str()))
            .collect();
    assert_eq!(
        told,
        [
            ("scim:jira", ProvisionKind::Deactivate, "ana.ruiz@acme.example"),
            ("scim:jira", ProvisionKind::Create, "bo.ng@acme.example")
        ]
    );
}

#[test]
fn group_names_match_by_prefix_with_q_and_exactly_with_search() {
    let mut o = Org::new();
    assert_eq!(o.get("/groups?q=role-eng").ids().len(), 2);
    assert_eq!(o.get("/groups?search=profile.name+eq+%22role-eng%22").ids(), [ENG]);
    assert_eq!(o.get("/groups?filter=type+eq+%22APP_GROUP%22").ids(), [AD]);
    let made = o.send("POST", "/api/v1/groups", json!({"profile": {"name": "New"}}));
    assert_eq!((made.status, &made.body["profile"]["description"]), (200, &Value::Null));
    assert_eq!(
        o.send("POST", "/api/v1/groups", json!({"profile": {"name": "New"}}))
            .code(),
        (400, "E0000001")
    );
    assert_eq!(o.call("PATCH", "/api/v1/groups").code(), (405, "E0000022"));
}
