use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{model::*, planner::Ask};

const LEFT: &str = "2026-03-02T09:00Z";

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

/// What a group grants need not be asked: each assignment says through which group it came.
#[test]
fn a_membership_says_which_apps_go_with_it() {
    let firm = firm();
    let dora = firm
        .person("dora")
        .member_of(&["ROLE-OPS", "PROJ-X"])
        .assigned_through("BI", "ROLE-OPS")
        .assigned_through("Jira", "ROLE-OPS")
        .terminated(LEFT);
    let plan = firm.leaver(&dora);
    let why = |group: &str| {
        let step = plan.steps.iter().find(|s| s.effect.action.object() == Some(group));
        step.map(|s| s.why.as_str())
    };
    assert_eq!(why("ROLE-OPS"), Some("loses BI, Jira"));
    assert_eq!(why("PROJ-X"), Some("every membership goes"));
    let step = plan
        .steps
        .iter()
        .position(|s| s.effect.action.object() == Some("ROLE-OPS"));
    assert!(
        plan.expects.iter().all(|e| step.is_some_and(|n| e.by == [n])),
        "{plan:#?}"
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
