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
fn a_leaver_is_contained_before_anything_is_removed() {
    let firm = firm().slack().app("Jira", &["ROLE-ENG"]);
    let alice = firm
        .person("alice")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .assigned("Jira", "GROUP")
        .has("slack")
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&alice).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   slack      clear-sessions                       continue after
 4 remove    slack      deactivate                           owe      after 3
 5 remove    okta       remove-member BR-ALL-EMPLOYEES       owe      after 0,1
 6 remove    okta       remove-member ROLE-ENG               owe      after 0,1
 7 close     okta       deactivate                           owe      after 0,1,2,5,6
expect    loses Jira

"#]]
    );
}

#[test]
fn the_clock_runs_from_the_record_or_the_leaving_whichever_is_later() {
    let firm = firm();
    let plan = firm.leaver(&firm.person("alice").terminated(LEFT));
    assert_eq!(plan.effective, Some(at("2026-03-02T09:00Z")));
    assert_eq!(plan.clock, Some(at("2026-03-02T09:03Z")));
    assert_eq!(plan.due, Some(at("2026-03-02T09:18Z")));
    assert_eq!(
        plan.reason,
        "HR: left 2026-03-02 09:00:00Z, by terminationDate 2026-03-02 09:00:00Z (record changed 2026-03-02 09:03:00Z)"
    );
}

#[test]
fn without_a_time_of_record_nothing_says_met() {
    let firm = firm();
    let plan = firm.leaver(&firm.person("alice").terminated(LEFT).worker(|w| w.recorded = None));
    assert_eq!((plan.clock, plan.due), (None, None));
    assert!(plan.brief().contains("clock of the promise has no start"));
}

#[test]
fn every_live_status_is_shut_in_contain() {
    let firm = firm();
    let mut out = String::new();
    for status in Status::ALL {
        let offers: &[&str] = match status {
            Status::Active | Status::PasswordExpired | Status::Provisioned => &["suspend", "deactivate"],
            _ => &["deactivate"],
        };
        let who = firm.person("alice").status(status, offers).terminated(LEFT);
        out += &format!("{status}\n{}", firm.leaver(&who).brief());
    }
    assert_data_eq!(
        out,
        str![[r#"
STAGED
 0 contain   okta       deactivate                           continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
PROVISIONED
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 close     okta       deactivate                           owe      after 0,1,2
ACTIVE
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 close     okta       deactivate                           owe      after 0,1,2
RECOVERY
 0 contain   okta       deactivate                           continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
PASSWORD_EXPIRED
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 close     okta       deactivate                           owe      after 0,1,2
LOCKED_OUT
 0 contain   okta       deactivate                           continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
SUSPENDED
 0 contain   okta       clear-sessions                       continue after
 1 contain   okta       revoke-grants                        continue after
 2 close     okta       deactivate                           owe      after 0,1
DEPROVISIONED
 0 contain   okta       clear-sessions                       continue after
 1 contain   okta       revoke-grants                        continue after

"#]]
    );
}

#[test]
fn a_person_shut_by_hand_gets_what_remains() {
    let firm = firm().slack().app("BI", &[]);
    let dora = firm
        .person("dora")
        .status(Status::Deprovisioned, &[])
        .member_of(&["ROLE-OPS"])
        .assigned("BI", "USER")
        .has("slack")
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&dora).brief(),
        str![[r#"
 0 contain   okta       clear-sessions                       continue after
 1 contain   okta       revoke-grants                        continue after
 2 contain   slack      clear-sessions                       continue after
 3 remove    slack      deactivate                           owe      after 2
 4 remove    okta       remove-member ROLE-OPS               owe      after 0
 5 remove    okta       unassign-app BI                      owe      after 0
expect    loses BI

"#]]
    );
}

#[test]
fn sessions_cleared_by_our_own_run_are_not_cleared_again() {
    let firm = firm();
    let mut done = firm.person("alice").status(Status::Deprovisioned, &[]).terminated(LEFT);
    for (verb, when) in [
        (Verb::Suspend, "2026-03-02T09:05:00Z"),
        (Verb::ClearSessions, "2026-03-02T09:05:01Z"),
        (Verb::RevokeGrants, "2026-03-02T09:05:01Z"),
        (Verb::Deactivate, "2026-03-02T09:05:03Z"),
    ] {
        done.seen.done.insert((system::OKTA, verb), at(when));
    }
    done.seen.person.status_changed = Some(at("2026-03-02T09:05:02Z"));
    assert_data_eq!(firm.leaver(&done).brief(), str![""]);
    // Someone brought them back and shut them again since: a session may have begun.
    done.seen.person.status_changed = Some(at("2026-03-02T11:00:00Z"));
    let firm = firm.at("2026-03-02T11:05Z");
    assert_data_eq!(
        firm.leaver(&done).brief(),
        str![[r#"
 0 contain   okta       clear-sessions                       continue after
 1 contain   okta       revoke-grants                        continue after

"#]]
    );
}

#[test]
fn sessions_cleared_before_the_suspension_do_not_count() {
    let firm = firm();
    let mut who = firm
        .person("alice")
        .status(Status::Suspended, &["deactivate"])
        .terminated(LEFT);
    who.seen.person.status_changed = Some(at("2026-03-02T09:04Z"));
    who.seen
        .done
        .insert((system::OKTA, Verb::ClearSessions), at("2026-03-02T09:02Z"));
    who.seen
        .done
        .insert((system::OKTA, Verb::Suspend), at("2026-03-02T09:04Z"));
    assert!(firm.leaver(&who).brief().contains("clear-sessions"));
}

#[test]
fn groups_of_applications_and_built_in_ones_are_left_there() {
    // C25
    let firm = firm()
        .group("AD-Finance", GroupKind::AppGroup)
        .groups(["ROLE-FIN", "zz-legacy"]);
    let tim = firm
        .person("tim")
        .member_of(&["AD-Finance", "ROLE-FIN", "zz-legacy"])
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&tim).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    okta       remove-member ROLE-FIN               owe      after 0,1
 4 remove    okta       remove-member zz-legacy              owe      after 0,1
 5 close     okta       deactivate                           owe      after 0,1,2,3,4
note = Group AD-Finance is mastered by its application and must be left there.

"#]]
    );
}

#[test]
fn four_hundred_and_fifty_groups_go() {
    // C24
    let names: Vec<String> = (0..450).map(|n| format!("zz-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let firm = firm().groups(names.iter().copied());
    let plan = firm.leaver(&firm.person("sue").member_of(&names).terminated(LEFT));
    let removals = plan.steps.iter().filter(|s| s.phase == Phase::Remove).count();
    assert_eq!(removals, 450);
}

#[test]
fn a_rule_filled_group_is_left_by_hand_and_the_plan_says_so() {
    let firm = firm()
        .groups(["ENG-ONCALL"])
        .rule("on-call by title", "ENG-ONCALL", "user.title==\"SRE\"", &[]);
    let who = firm.person("alice").member_of(&["ENG-ONCALL"]).terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&who).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    okta       remove-member ENG-ONCALL             owe      after 0,1
 4 close     okta       deactivate                           owe      after 0,1,2,3
note ! Rule "on-call by title" may fill ENG-ONCALL. Removing them by hand adds them to the rule's exclusion list; a rehire must be taken off it.

"#]]
    );
}

#[test]
fn direct_assignments_go_after_the_groups_and_inactive_apps_too() {
    // C27
    let firm = firm()
        .app("Jira", &["ROLE-ENG"])
        .app("BI", &["ROLE-ENG"])
        .app("Old CRM", &[]);
    let vic = firm
        .person("vic")
        .member_of(&["ROLE-ENG"])
        .assigned("Jira", "GROUP")
        .assigned("BI", "USER")
        .assigned("Old CRM", "USER")
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&vic).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    okta       remove-member ROLE-ENG               owe      after 0,1
 4 remove    okta       unassign-app BI                      owe      after 0,1,3
 5 remove    okta       unassign-app Old CRM                 owe      after 0,1
 6 close     okta       deactivate                           owe      after 0,1,2,3,4,5
expect    loses BI
expect    loses Jira
expect    loses Old CRM

"#]]
    );
}

#[test]
fn an_app_that_will_not_deprovision_is_named() {
    let firm = firm()
        .slack()
        .app_with("Wiki", &["ROLE-ENG"], &[])
        .app_with("Slack", &["ROLE-ENG"], &[]);
    let who = firm
        .person("alice")
        .member_of(&["ROLE-ENG"])
        .assigned("Wiki", "GROUP")
        .assigned("Slack", "GROUP")
        .has("slack")
        .terminated(LEFT);
    let plan = firm.leaver(&who);
    let by_hand: Vec<_> = plan
        .expects
        .iter()
        .filter(|e| e.manual)
        .map(|e| &e.app.name[..])
        .collect();
    assert_eq!(by_hand, ["Wiki"], "Slack's account has eyes of its own");
    assert!(
        plan.brief()
            .contains("Okta unassigns Wiki, but does not take the account away")
    );
}

#[test]
fn a_system_that_was_not_read_is_owed_and_nothing_waits_for_it() {
    // C28
    let firm = firm().slack();
    let wes = firm.person("wes").has("slack").unreadable("slack").terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&wes).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    slack      deactivate                           owe      after  owed
 4 close     okta       deactivate                           owe      after 0,1,2
note ? slack was not read (503 after 3 tries). Its steps are owed.

"#]]
    );
}

#[test]
fn groups_that_were_not_read_are_owed_and_the_person_is_shut_all_the_same() {
    let firm = firm();
    let who = firm
        .person("alice")
        .part_unknown(Holding::Group, Failure::transient("groups", "503"))
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&who).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    okta       remove-member all groups             owe      after  owed
 4 close     okta       deactivate                           owe      after 0,1,2
note ? The groups were not read (503); they are owed.

"#]]
    );
}

#[test]
fn slack_without_sessions_is_shut_in_contain() {
    let firm = firm().target("slack", &[Verb::Deactivate]);
    let who = firm.person("alice").has("slack").terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&who).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   slack      deactivate                           continue after
 4 close     okta       deactivate                           owe      after 0,1,2
note ! slack: sessions end only by themselves.

"#]]
    );
}

#[test]
fn the_primary_owner_of_a_workspace_is_owed_with_the_reason() {
    // C33
    let firm = firm().slack();
    let cal = firm
        .person("cal")
        .has("slack")
        .account("slack", |a| {
            a.blocked = Some("primary owner of the workspace".to_owned())
        })
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&cal).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   slack      clear-sessions                       continue after
 4 remove    slack      deactivate                           owe      after  owed
 5 close     okta       deactivate                           owe      after 0,1,2
note ! slack: cal@acme.example is not taken away: primary owner of the workspace.

"#]]
    );
}

#[test]
fn a_plan_without_an_api_for_accounts_is_owed() {
    let firm = firm().target("slack", &[Verb::JoinChannel]);
    let who = firm.person("alice").has("slack").terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&who).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 remove    slack      deactivate                           owe      after  owed
 4 close     okta       deactivate                           owe      after 0,1,2
note ! slack: sessions end only by themselves.
note ! slack: alice@acme.example is not taken away: the API of this instance has no way to do it; a person has to.

"#]]
    );
}

#[test]
fn a_hostile_leaver_loses_every_account_at_once() {
    let firm = firm().slack();
    let ask = Ask {
        hostile: true,
        ..Ask::default()
    };
    let plan = firm.leaver_asking(&firm.person("eve").has("slack").terminated(LEFT), &ask);
    let late = |s: &&Step| s.phase != Phase::Contain && s.effect.system != system::OKTA;
    assert_eq!(plan.steps.iter().filter(late).count(), 0, "{}", plan.brief());
}

#[test]
fn tokens_and_roles_are_shown_before_they_stop() {
    let firm = firm();
    let who = firm
        .person("alice")
        .holds(Holding::Token, Held::new(Holding::Token, "00T1", "nightly-export"))
        .holds(Holding::Client, Held::new(Holding::Client, "0oc1", "Reporting"))
        .holds(Holding::Role, Held::new(Holding::Role, "ra1", "GROUP_MEMBERSHIP_ADMIN"))
        .holds(Holding::Owned, Held::new(Holding::Owned, "00g9", "group zz-export"))
        .terminated(LEFT);
    assert_data_eq!(
        firm.leaver(&who).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   okta       revoke-client-tokens Reporting       continue after 0
 4 contain   okta       revoke-token nightly-export          continue after 0
 5 close     okta       deactivate                           owe      after 0,1,2,3,4
note ! Will stop: the API token "nightly-export".
note ! Will stop: what runs by the admin role GROUP_MEMBERSHIP_ADMIN.
note ! Will stop or be orphaned in okta: group zz-export.

"#]]
    );
}

#[test]
fn an_active_directory_account_is_named() {
    let firm = firm();
    let mut who = firm.person("alice").terminated(LEFT);
    who.seen.person.credentials = "ACTIVE_DIRECTORY".to_owned();
    assert!(firm.leaver(&who).brief().contains("stays alive outside Okta"));
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
            .contains("Protected (break-glass")
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
