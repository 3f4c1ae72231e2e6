use std::collections::{BTreeMap, BTreeSet};

use super::firm::*;
use crate::{
    model::*,
    planner::{
        brake::{Facts, PlanSet, Recent, clear, containable},
        consent::{Consent, agree},
    },
};

fn leavers(firm: &Firm, n: usize) -> PlanSet {
    let plans = (0..n)
        .map(|i| {
            let who = firm.person(&format!("p{i}")).member_of(&["ROLE-ENG"]);
            firm.leaver(&who.terminated("2026-03-02T09:00Z"))
        })
        .collect();
    PlanSet {
        plans,
        population: 2200,
    }
}

fn typed(names: &[&str]) -> Consent {
    Consent::Typed(names.iter().map(|n| format!("{n}@acme.example")).collect())
}

#[test]
fn the_smaller_of_count_and_share_trips() {
    let firm = firm();
    let wide = Limits {
        removals_per_group: Limit {
            count: None,
            percent: None,
        },
        ..limits()
    };
    assert!(clear(leavers(&firm, 25), &wide, &Facts::default()).is_ok());
    let trip = clear(leavers(&firm, 26), &wide, &Facts::default()).expect_err("a trip");
    assert_eq!((trip.rule, trip.found, trip.limit), ("leavers", 26, 25));
    assert_eq!(trip.to_string(), "leavers: 26 found; the limit is 25");
    let small = PlanSet {
        population: 60,
        ..leavers(&firm, 3)
    };
    assert!(
        clear(small, &wide, &Facts::default()).is_ok(),
        "a share never trips below 3"
    );
    let small = PlanSet {
        population: 60,
        ..leavers(&firm, 4)
    };
    assert_eq!(clear(small, &wide, &Facts::default()).expect_err("a trip").limit, 3);
}

#[test]
fn the_last_day_counts_over_all_runs() {
    let firm = firm();
    let mut facts = Facts::default();
    facts.recent.leavers_24h = (100..149).map(|i| PersonId(format!("00u-p{i}"))).collect();
    assert!(clear(leavers(&firm, 1), &limits(), &facts).is_ok());
    let trip = clear(leavers(&firm, 2), &limits(), &facts).expect_err("a trip");
    assert_eq!((trip.rule, trip.found), ("leavers_24h", 51));
    // The same person twice is one leaver.
    facts.recent.leavers_24h.insert(PersonId("00u-p0".to_owned()));
    assert!(clear(leavers(&firm, 1), &limits(), &facts).is_ok());
}

#[test]
fn one_group_that_empties_trips_and_is_named() {
    // C39
    let firm = firm();
    let facts = Facts {
        members: BTreeMap::from([("00g-ROLE-ENG".to_owned(), 30)]),
        causes: vec!["the policy's digest changed since the last sweep".to_owned()],
        ..Facts::default()
    };
    let trip = clear(leavers(&firm, 7), &limits(), &facts).expect_err("a trip");
    assert_eq!(
        (trip.rule, trip.subject.as_deref(), trip.found, trip.limit),
        ("removals_per_group", Some("ROLE-ENG"), 7, 6)
    );
    assert_eq!(trip.causes, facts.causes);
}

#[test]
fn a_rules_exclusion_list_has_an_end() {
    let firm = firm();
    let facts = Facts {
        rules: vec![("eng".to_owned(), BTreeSet::from(["00g-ROLE-ENG".to_owned()]), 89)],
        ..Facts::default()
    };
    assert!(clear(leavers(&firm, 1), &limits(), &facts).is_ok());
    let trip = clear(leavers(&firm, 2), &limits(), &facts).expect_err("a trip");
    assert_eq!((trip.rule, trip.found, trip.limit), ("exclusions_per_rule", 91, 90));
}

#[test]
fn containing_one_person_by_hand_never_brakes() {
    let firm = firm();
    let shut = Limits {
        leavers: Limit {
            count: Some(0),
            percent: None,
        },
        ..limits()
    };
    assert!(clear(leavers(&firm, 1), &shut, &Facts::default()).is_err());
    let facts = Facts {
        by_hand: true,
        ..Facts::default()
    };
    assert!(clear(leavers(&firm, 1), &shut, &facts).is_ok());
}

#[test]
fn an_unlawful_plan_is_never_cleared() {
    let firm = firm();
    let mut set = leavers(&firm, 1);
    set.plans[0].notes.push(Note {
        mark: Mark::Attention,
        severity: Severity::Fatal,
        system: None,
        text: "adds before it removes".to_owned(),
        step: None,
    });
    let facts = Facts {
        by_hand: true,
        ..Facts::default()
    };
    let trip = clear(set, &limits(), &facts).expect_err("refused");
    assert!(trip.fatal());
    assert_eq!(
        trip.to_string(),
        "the plan of p0@acme.example is unlawful: adds before it removes"
    );
}

#[test]
fn a_leaver_needs_the_login_typed_and_it_is_that_persons() {
    // C15
    let firm = firm();
    let cleared = || clear(leavers(&firm, 2), &limits(), &Facts::default()).expect("cleared");
    assert_eq!(
        agree(cleared(), Consent::Yes).expect_err("refused").to_string(),
        "not confirmed: p0@acme.example, p1@acme.example"
    );
    assert!(agree(cleared(), typed(&["p0"])).is_err());
    assert_eq!(agree(cleared(), typed(&["p0", "p1"])).expect("agreed").plans().len(), 2);
}

#[test]
fn another_plan_under_the_lease_is_stale_and_says_what_moved() {
    let firm = firm();
    let cleared = clear(leavers(&firm, 1), &limits(), &Facts::default()).expect("cleared");
    let agreed = agree(cleared, typed(&["p0"])).expect("agreed");
    assert!(agreed.clone().renew(leavers(&firm, 1)).is_ok());
    let who = firm
        .person("p0")
        .member_of(&["ROLE-OPS"])
        .terminated("2026-03-02T09:00Z");
    let fresh = |plan| PlanSet {
        plans: vec![plan],
        population: 2200,
    };
    let stale = agreed.clone().renew(fresh(firm.leaver(&who))).expect_err("stale");
    assert_eq!(
        stale.moved,
        [
            "no longer remove-member ROLE-ENG in okta",
            "now remove-member ROLE-OPS in okta"
        ]
    );
    // Done meanwhile by somebody else: nothing to agree to.
    let mut empty = firm.leaver(&who);
    empty.steps.clear();
    assert!(agreed.clone().renew(fresh(empty)).is_ok());
    // Somebody whom nobody was asked about.
    assert!(agreed.renew(leavers(&firm, 2)).is_err());
}

#[test]
fn a_standing_consent_follows_the_person_but_never_another_flow() {
    let firm = firm();
    let cleared = clear(leavers(&firm, 1), &limits(), &Facts::default()).expect("cleared");
    let agreed = agree(cleared, Consent::Standing).expect("agreed");
    let who = firm
        .person("p0")
        .member_of(&["ROLE-OPS"])
        .terminated("2026-03-02T09:00Z");
    let mut plan = firm.leaver(&who);
    let fresh = |plan: &Plan| PlanSet {
        plans: vec![plan.clone()],
        population: 2200,
    };
    assert!(agreed.clone().renew(fresh(&plan)).is_ok());
    plan.flow = Flow::Mover;
    assert!(agreed.renew(fresh(&plan)).is_err());
}

#[test]
fn at_a_brake_no_more_are_contained_within_a_day_than_may_leave() {
    let id = |n: usize| PersonId(format!("p{n}"));
    let all: Vec<PersonId> = (0..40).map(id).collect();
    let chosen = |begun: &[usize]| {
        let recent = Recent {
            leavers_24h: begun.iter().copied().map(id).collect(),
        };
        containable(&all, &limits(), 2200, &recent)
    };
    assert_eq!(
        chosen(&[]),
        (0..25).map(id).collect(),
        "the first ones, as they are due"
    );
    let begun: Vec<usize> = (0..25).collect();
    assert_eq!(chosen(&begun), (0..25).map(id).collect(), "who was begun counts once");
    assert_eq!(chosen(&[100, 101]).len(), 23, "others of that day count");
    let many: Vec<usize> = (100..130).collect();
    assert!(chosen(&many).is_empty());
}
