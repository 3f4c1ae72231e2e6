use std::collections::{BTreeMap, BTreeSet};

use snapbox::{assert_data_eq, str};

use super::{firm::*, sweeps::facts};
use crate::{
    model::*,
    planner::{
        drift::{Beside, Row, drift},
        guards::Distrust,
        sweep::Facts,
    },
};

const LEFT: &str = "2026-03-02T07:00Z";

fn nobody() -> Beside {
    Beside {
        roles: Observed::Present(BTreeMap::new()),
        protected: BTreeMap::new(),
    }
}

fn found(firm: &Firm, facts: &Facts, beside: &Beside) -> Vec<Row> {
    drift(facts, beside, &firm.policy, &firm.tenant, &limits(), firm.now).unwrap_or_else(|d| panic!("{d}"))
}

fn brief(rows: &[Row]) -> String {
    let line = |r: &Row| format!("{:<9} {} {}\n", r.mark.word(), r.login, r.what);
    rows.iter().map(line).collect()
}

fn told(firm: &Firm, people: &[Someone]) -> String {
    brief(&found(firm, &facts(people), &nobody()))
}

fn settled(firm: &Firm, name: &str) -> Someone {
    firm.person(name).member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
}

#[test]
fn each_kind_of_drift_has_its_row_and_who_is_as_policy_has_them_has_none() {
    let firm = firm()
        .rule("R1", "BR-ALL-EMPLOYEES", "user.userType==\"Employee\"", &["una"])
        .rule("R2", "ROLE-OPS", "user.department==\"Operations\"", &[])
        .protect("root", "break-glass");
    let people = [
        settled(&firm, "anna"),
        settled(&firm, "max").department("Sales"),
        firm.person("una").member_of(&["ROLE-ENG"]),
        settled(&firm, "ruth").member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG", "ROLE-OPS"]),
        settled(&firm, "leo").terminated(LEFT),
        settled(&firm, "zack")
            .terminated(LEFT)
            .status(Status::Deprovisioned, &[]),
        settled(&firm, "ida").hr(Hr::Missing),
        settled(&firm, "root").hr(Hr::Missing),
        settled(&firm, "sam").status(Status::Suspended, &["deactivate"]),
        settled(&firm, "vera").worker(|w| w.hired = Some(when("2026-03-09"))),
        settled(&firm, "kim").worker(|w| w.fault = Some("two rows disagree".to_owned())),
    ];
    assert_data_eq!(
        told(&firm, &people),
        str![[r#"
drift     ida@acme.example ACTIVE in Okta, not found in HR
drift     max@acme.example lacks ROLE-SALES (department Sales)
drift     max@acme.example in ROLE-ENG, which policy does not give
drift     ruth@acme.example in ROLE-OPS, which policy does not give; rule "R2" may fill it
drift     sam@acme.example SUSPENDED in Okta, while HR says active
drift     una@acme.example lacks BR-ALL-EMPLOYEES (birthright employee): on the exclusion list of rule "R1", which will not fill BR-ALL-EMPLOYEES for them
drift     zack@acme.example DEPROVISIONED in Okta, and still in BR-ALL-EMPLOYEES
drift     zack@acme.example DEPROVISIONED in Okta, and still in ROLE-ENG
unknown   kim@acme.example kim@acme.example: the sources contradict themselves: two rows disagree

"#]]
    );
}

#[test]
fn a_leaver_within_the_promise_is_under_way_and_accused_after_it() {
    let firm = firm();
    let people = |left: &str| {
        [settled(&firm, "leo")
            .terminated(left)
            .worker(|w| w.recorded = Some(at("2026-03-02T06:00Z")))]
    };
    assert_eq!(told(&firm, &people("2026-03-02T09:00Z")), "");
    assert!(told(&firm, &people("2026-03-02T08:00Z")).contains("has left"));
}

#[test]
fn an_override_explains_who_is_shut_and_accuses_who_is_back() {
    let firm = firm();
    for (status, line) in [
        (
            Status::Suspended,
            "explained leo@acme.example SUSPENDED in Okta by an override",
        ),
        (
            Status::Active,
            "drift     leo@acme.example left by override, and is ACTIVE again",
        ),
    ] {
        let mut facts = facts(&[settled(&firm, "leo").status(status, &[])]);
        facts.overridden = facts.people.iter().map(|p| p.id.clone()).collect();
        let rows = brief(&found(&firm, &facts, &nobody()));
        assert!(rows.starts_with(line) && rows.lines().count() == 1, "{rows}");
    }
}

#[test]
fn a_rule_that_keeps_somebody_out_is_named_where_they_are_hired_again() {
    let firm = firm().rule("R1", "BR-ALL-EMPLOYEES", "user.userType==\"Employee\"", &["una"]);
    let again = firm
        .person("una")
        .status(Status::Deprovisioned, &[])
        .worker(|w| w.hired = Some(when("2026-03-01")));
    let mut facts = facts(&[again]);
    let rows = brief(&found(&firm, &facts, &nobody()));
    assert!(rows.contains("HR says active, DEPROVISIONED in Okta"), "{rows}");
    assert!(rows.contains("on the exclusion list of rule \"R1\""), "{rows}");
    // An old account of which HR knows no first day.
    for p in &mut facts.people {
        if let Hr::Known(w) = &mut p.hr {
            w.hired = None;
        }
    }
    assert_eq!(found(&firm, &facts, &nobody()), []);
}

#[test]
fn a_group_that_was_not_read_is_unknown_and_accuses_nobody() {
    let firm = firm();
    let people = [firm.person("anna").member_of(&["ROLE-ENG"])];
    let mut facts = facts(&people);
    assert!(brief(&found(&firm, &facts, &nobody())).contains("lacks BR-ALL-EMPLOYEES"));
    let group = firm.tenant.group_named("BR-ALL-EMPLOYEES").unwrap().id.clone();
    facts
        .unread
        .insert(group, Failure::transient("members", "answered 500"));
    let rows = brief(&found(&firm, &facts, &nobody()));
    assert!(
        rows.lines().all(|l| l.starts_with("unknown")) && !rows.is_empty(),
        "{rows}"
    );
}

#[test]
fn an_admin_role_is_explained_by_protection_alone_and_unknown_where_unread() {
    let firm = firm();
    let people = [settled(&firm, "anna"), settled(&firm, "root")];
    let id = |n: usize| people[n].seen.person.id.clone();
    let roles = |n| (id(n), BTreeSet::from(["SUPER_ADMIN".to_owned()]));
    let mut beside = Beside {
        roles: Observed::Present([roles(0), roles(1)].into()),
        protected: [(id(1), "break-glass".to_owned())].into(),
    };
    assert_data_eq!(
        brief(&found(&firm, &facts(&people), &beside)),
        str![[r#"
drift     anna@acme.example holds the admin role SUPER_ADMIN, and [protect] does not name them
explained root@acme.example holds the admin role SUPER_ADMIN; protected: break-glass

"#]]
    );
    beside.roles = Observed::Unknown(Failure::transient("roles", "answered 500"));
    let rows = brief(&found(&firm, &facts(&people), &beside));
    assert!(rows.starts_with("unknown") && rows.lines().count() == 1, "{rows}");
}

#[test]
fn many_records_that_contradict_themselves_accuse_nobody() {
    let firm = firm();
    let mut people: Vec<Someone> = (0..40).map(|n| settled(&firm, &format!("p{n}"))).collect();
    people.extend((0..40).map(|n| settled(&firm, &format!("q{n}")).worker(|w| w.fault = Some("two rows".to_owned()))));
    people.push(settled(&firm, "fay").terminated("2026-04-01"));
    let read = drift(
        &facts(&people),
        &nobody(),
        &firm.policy,
        &firm.tenant,
        &limits(),
        firm.now,
    );
    assert!(
        matches!(read, Err(Distrust::Contradictions { found: 40, .. })),
        "{read:?}"
    );
}
