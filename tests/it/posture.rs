//! What witnesses say: `jml audit posture`, `jml show`, `jml doctor`.

use serde_json::Value;

use crate::desk::Desk;

const BEN: &str = "ben.cole@acme.example";

fn of<'a>(rows: &'a Value, system: &'a str, mark: &'a str) -> impl Iterator<Item = &'a Value> {
    let rows = rows.as_array().unwrap().iter();
    rows.filter(move |r| r["system"] == system && r["mark"] == mark)
}

#[test]
fn a_sign_in_after_the_end_is_a_finding_in_posture_and_in_show() {
    let desk = Desk::new();
    let doc = desk.document(3, &["audit", "posture", BEN]);
    assert!(
        of(&doc["rows"], "crowdstrike", "finding").any(|r| !r["at"].is_null()),
        "{doc:#}"
    );
    assert!(of(&doc["rows"], "wiz", "finding").count() > 0, "{doc:#}");
    let shown = desk.document(0, &["show", BEN]);
    assert!(
        of(&shown["witnesses"], "crowdstrike", "finding").count() > 0,
        "{shown:#}"
    );
    let quiet = desk.document(0, &["audit", "posture", "p00005@acme.example"]);
    assert_eq!(of(&quiet["rows"], "crowdstrike", "finding").count(), 0, "{quiet:#}");
}

#[test]
fn doctor_tells_the_address_in_force_from_the_one_that_is_only_written_down() {
    let desk = Desk::new();
    let said = desk.ran(0, &["doctor", "akamai"]).stdout;
    assert!(said.contains("203.0.113.7 is on"), "{said}");
    assert!(
        said.contains("192.0.2.44 is on") && said.contains("not active"),
        "{said}"
    );
}
