//! Who is a leaver, and since when.

use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{
    model::{policy::OverrideBy, *},
    planner::{Ask, Class, Override, employment},
};

const LEFT: &str = "2026-03-02T09:00Z";

fn overrule() -> Ask {
    Ask {
        overrule: Some(Override {
            reason: "for cause".to_owned(),
            ticket: "INC0000123".to_owned(),
        }),
        ..Ask::default()
    }
}

#[test]
fn a_bare_date_ends_with_the_day_in_chicago() {
    // C01
    let firm = firm().at("2026-07-15T04:57Z");
    let ana = firm.person("ana").terminated("2026-07-14");
    let refusal = firm.no_leaver(&ana);
    assert_eq!(refusal.class(), Class::Future);
    assert_data_eq!(
        refusal.to_string(),
        str!["ana@acme.example is not yet terminated: leaves at 2026-07-15 05:00:00Z (terminationDate 2026-07-14)"]
    );
    let firm = firm.at("2026-07-15T05:00:30Z");
    assert_eq!(firm.leaver(&ana).effective, Some(at("2026-07-15T05:00Z")));
}

#[test]
fn the_day_ends_where_the_worker_is() {
    // C02
    let firm = firm().at("2026-07-14T14:02Z").policy(|p| {
        p.zones.insert("Sydney".to_owned(), chrono_tz::Australia::Sydney);
    });
    let there = |city: &'static str| {
        firm.person("bo")
            .terminated("2026-07-14")
            .worker(|w| w.location = Some(city.to_owned()))
    };
    assert_eq!(firm.leaver(&there("Sydney")).effective, Some(at("2026-07-14T14:00Z")));
    assert_eq!(firm.no_leaver(&there("Atlantis")).class(), Class::Future);
    let firm = firm.at("2026-07-15T05:00Z");
    let brief = firm.leaver(
        &firm
            .person("cy")
            .terminated("2026-07-14")
            .worker(|w| w.location = Some("Atlantis".to_owned())),
    );
    assert!(brief.brief().contains("No zone for location \"Atlantis\""));
}

#[test]
fn a_source_may_mean_the_start_of_the_day() {
    let firm = firm().at("2026-07-14T05:00Z");
    let who = firm
        .person("alice")
        .terminated("2026-07-14")
        .worker(|w| w.day_is_end = Some(false));
    assert_eq!(firm.leaver(&who).effective, Some(at("2026-07-14T05:00Z")));
}

#[test]
fn terminated_with_a_date_to_come_is_not_a_leaver_yet() {
    // C03
    let firm = firm().at("2026-07-15T05:05Z");
    let refusal = firm.no_leaver(&firm.person("dee").terminated("2026-08-31"));
    assert_eq!(refusal.class(), Class::Future);
    assert_data_eq!(
        refusal.to_string(),
        str!["dee@acme.example is not yet terminated: leaves at 2026-09-01 05:00:00Z (terminationDate 2026-08-31)"]
    );
    assert_data_eq!(
        refusal.hint().unwrap_or_default(),
        str!["--reason TEXT and --ticket ID override HR."]
    );
}

#[test]
fn a_leaving_before_the_hiring_is_nobodys_permission() {
    // C04 row 4, C07
    let firm = firm().at("2026-07-15T05:05Z");
    let who = firm
        .person("fay")
        .worker(|w| (w.hired, w.terminated) = (Some(when("2026-07-06")), Some(when("2024-02-29"))));
    let refusal = firm.no_leaver(&who);
    assert_eq!(refusal.class(), Class::SetAside);
    assert_data_eq!(
        refusal.to_string(),
        str![
            "fay@acme.example: terminationDate 2024-02-29 is stale, it lies before the present hire date; HR says active since 2026-07-06"
        ]
    );
}

#[test]
fn a_stale_date_in_the_directory_is_nobodys_permission_either() {
    // C07
    let firm = firm().at("2026-07-15T05:05Z");
    let mut fay = firm.person("fay").worker(|w| w.hired = Some(when("2026-07-06")));
    fay.seen
        .person
        .profile
        .insert("terminationDate".to_owned(), "2024-02-29".to_owned());
    let refusal = firm.no_leaver(&fay);
    assert_eq!(refusal.class(), Class::SetAside);
    assert_data_eq!(
        refusal.to_string(),
        str![
            "fay@acme.example: terminationDate 2024-02-29 in the directory's profile is stale, it lies before the present hire date; HR says active since 2026-07-06"
        ]
    );
}

#[test]
fn active_beside_a_leaving_date_long_past_is_a_contradiction() {
    // C05
    let firm = firm();
    let who = |date: &'static str| firm.person("alice").worker(|w| w.terminated = Some(when(date)));
    let refusal = firm.no_leaver(&who("2020-01-06"));
    assert_eq!(refusal.class(), Class::SetAside);
    assert_data_eq!(
        refusal.to_string(),
        str![
            "alice@acme.example: the sources contradict themselves: HR says active, and terminationDate 2020-01-06 has passed"
        ]
    );
    // HR's word flips late: within the grace the date decides.
    assert_eq!(firm.leaver(&who("2026-02-28")).effective, Some(at("2026-03-01T06:00Z")));
}

#[test]
fn the_last_day_of_work_counts_where_policy_says_so() {
    // C06
    let eli = |f: &Firm| {
        f.person("eli").worker(|w| {
            w.last_day = Some(when("2026-07-14"));
            w.terminated = Some(when("2026-10-31"));
        })
    };
    let early = firm()
        .at("2026-07-15T05:05Z")
        .policy(|p| p.leaver_date = policy::LeaverDate::Earlier);
    assert!(early.leaver(&eli(&early)).reason.contains("lastDayOfWork 2026-07-14"));
    let late = firm().at("2026-07-15T05:05Z");
    assert_eq!(late.no_leaver(&eli(&late)).class(), Class::Future);
    // Months on the payroll after the last day are no contradiction.
    let later = early.at("2026-09-01T05:05Z");
    assert!(later.leaver(&eli(&later)).reason.contains("lastDayOfWork"));
}

#[test]
fn a_conversion_is_no_leaver() {
    // C08
    let firm = firm().at("2026-07-15T05:05Z");
    let gil = firm.person("gil");
    let record = |key: &str, employment, universal: Option<&str>| {
        let mut w = gil.seen.person.worker().expect("a worker").clone();
        w.key = key.to_owned();
        w.employment = employment;
        w.universal = universal.map(str::to_owned);
        if employment == Employment::Terminated {
            w.terminated = Some(when("2026-07-14"));
        }
        w
    };
    let both = |universal| {
        employment::settle(vec![
            record("C-310", Employment::Terminated, universal),
            record("20555", Employment::Active, universal),
        ])
    };
    let refusal = firm.no_leaver(&gil.clone().hr(both(Some("U-9001"))));
    assert_eq!(refusal.class(), Class::Refused);
    assert_data_eq!(
        refusal.to_string(),
        str!["gil@acme.example was converted, and has not left: record C-310 ended, record 20555 is live"]
    );
    let refusal = firm.no_leaver(&gil.clone().hr(both(None)));
    assert_eq!(refusal.class(), Class::SetAside);
    assert_data_eq!(
        refusal.to_string(),
        str![
            "gil@acme.example: the sources contradict themselves: records C-310 and 20555 share a login, and no universal id ties them"
        ]
    );
}

#[test]
fn two_live_records_are_nobody() {
    let firm = firm();
    let worker = firm.person("alice").seen.person.worker().expect("a worker").clone();
    let mut other = worker.clone();
    other.key = "W-2".to_owned();
    assert!(matches!(employment::settle(vec![worker, other]), Hr::Contradiction(_)));
}

#[test]
fn absent_from_the_roster_is_not_terminated() {
    // C09
    let firm = firm();
    let refusal = firm.no_leaver(&firm.person("ida").hr(Hr::Missing));
    assert_data_eq!(
        refusal.to_string(),
        str!["ida@acme.example is not in the roster, which does not say that they have left"]
    );
}

#[test]
fn an_employment_that_never_began_is_a_leaver() {
    // C44
    let firm = firm();
    let len = firm
        .person("len")
        .status(Status::Staged, &["activate"])
        .worker(|w| w.employment = Employment::Cancelled);
    assert_data_eq!(
        firm.leaver(&len).brief(),
        str![[r#"
 0 contain   okta       deactivate                           continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0

"#]]
    );
}

#[test]
fn someone_whom_hr_calls_active_is_refused() {
    let firm = firm();
    let refusal = firm.no_leaver(&firm.person("bob"));
    assert_eq!(refusal.class(), Class::Refused);
    assert_data_eq!(
        refusal.to_string(),
        str!["bob@acme.example: HR says active since 2020-01-06"]
    );
}

#[test]
fn an_override_contains_and_waits_for_an_approver() {
    let firm = firm().slack();
    let jo = firm.person("jo").member_of(&["ROLE-ENG"]).has("slack");
    assert_data_eq!(
        firm.leaver_asking(&jo, &overrule()).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   slack      clear-sessions                       continue after
note ! Contained only: HR has not confirmed, so what comes after waits for an approver.

"#]]
    );
}

#[test]
fn an_override_goes_to_the_end_where_policy_lets_the_operator() {
    // C42
    let firm = firm().policy(|p| p.override_by = OverrideBy::Operator);
    let plan = firm.leaver_asking(&firm.person("jo").member_of(&["ROLE-ENG"]), &overrule());
    assert_eq!(plan.reason, "overrides HR: for cause (INC0000123)");
    assert!(plan.steps.iter().any(|s| s.phase == Phase::Close));
    let approved = Ask {
        approved: true,
        ..overrule()
    };
    let firm = super::firm::firm();
    let plan = firm.leaver_asking(&firm.person("jo"), &approved);
    assert!(plan.steps.iter().any(|s| s.phase == Phase::Close));
}

#[test]
fn protection_stops_even_a_leaver_whom_hr_confirms() {
    let firm = firm().protect("root", "break-glass, owner dana");
    let root = firm.person("root").terminated(LEFT);
    assert_data_eq!(
        firm.no_leaver(&root).to_string(),
        str!["root@acme.example is protected: break-glass, owner dana"]
    );
    let approved = Ask {
        approved: true,
        ..Ask::default()
    };
    assert!(
        firm.leaver_asking(&root, &approved)
            .brief()
            .contains("Protected (break-glass, owner dana): only an approver lets this be applied.")
    );
}

#[test]
fn nobody_is_assumed_unprotected() {
    let mut firm = firm();
    firm.tenant.protection_unknown = Some(Failure::transient("super admins", "503"));
    let refusal = firm.no_leaver(&firm.person("alice").terminated(LEFT));
    assert_eq!(refusal.class(), Class::Unread);
}

#[test]
fn a_fault_of_the_row_sets_the_person_aside() {
    let firm = firm();
    let who = firm.person("alice").terminated(LEFT).worker(|w| {
        w.fault = Some("terminationDate \"NULL\" is not a date".to_owned());
        w.place = Some("roster.csv line 6".to_owned());
    });
    assert_data_eq!(
        firm.no_leaver(&who).to_string(),
        str![[
            r#"alice@acme.example: the sources contradict themselves: terminationDate "NULL" is not a date (roster.csv line 6)"#
        ]]
    );
}

#[test]
fn the_plans_id_does_not_know_the_time() {
    let one = firm();
    let two = firm().at("2026-03-02T17:45Z");
    let who = |f: &Firm| f.person("alice").member_of(&["ROLE-ENG"]).terminated(LEFT);
    assert_eq!(one.leaver(&who(&one)).id(), two.leaver(&who(&two)).id());
    let other = one.leaver(&who(&one).member_of(&["ROLE-OPS"]));
    assert_ne!(one.leaver(&who(&one)).id(), other.id());
}
