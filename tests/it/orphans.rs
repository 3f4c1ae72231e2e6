//! `jml audit orphans`, `audit seats` and the sweep's nightly lane: who is left over in the apps.

use serde_json::Value;

use crate::desk::Desk;

const CARL: &str = "carl.diaz@acme.example";

fn accused<'a>(rows: &'a Value, login: &'a str) -> impl Iterator<Item = &'a Value> {
    rows.as_array().unwrap().iter().filter(move |r| r["login"] == login)
}

#[test]
fn accounts_of_people_who_left_are_listed_and_one_who_is_due_is_not() {
    let desk = Desk::new();
    let doc = desk.document(3, &["audit", "orphans"]);
    assert!(
        accused(&doc["rows"], CARL).any(|r| r["system"] == "slack" && r["mark"] == "drift"),
        "{doc:#}"
    );
    // Due, and not late yet: the leavers' lane has them.
    assert_eq!(accused(&doc["rows"], "alice@acme.example").count(), 0);
    let one = desk.document(3, &["audit", "orphans", "--system", "slack"]);
    assert!(one["rows"].as_array().unwrap().iter().all(|r| r["system"] == "slack"));
    desk.ran(2, &["audit", "orphans", "--system", "nosuch"]);
}

#[test]
fn the_nightly_lane_reports_them_opens_incidents_and_changes_nothing() {
    let desk = Desk::new();
    let doc = desk.document(4, &["sweep", "--lane", "orphans", "--yes"]);
    assert!(accused(&doc["orphans"], CARL).count() > 0, "{doc:#}");
    let log = desk.ran(0, &["audit", "log", "-o", "csv"]).stdout;
    assert!(log.contains("create-incident"), "{log}");
    assert!(!log.contains(",started,"), "{log}");
    let again = desk.document(3, &["audit", "orphans"]);
    assert!(accused(&again["rows"], CARL).count() > 0);
}
