//! What a leaver loses in systems of every build: what each can do is data.

use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{model::*, planner::Ask};

const LEFT: &str = "2026-03-02T09:00Z";

fn held(kind: Holding, id: &str) -> Held {
    Held::new(kind, id, id)
}

fn of(firm: &Firm, system: &'static str, holds: &[Held]) -> Someone {
    let person = firm.person("alice").has(system).terminated(LEFT);
    person.account(system, |a| {
        a.holds.clear();
        for h in holds {
            let part = a.holds.entry(h.kind);
            if let Observed::Present(set) = part.or_insert_with(|| Observed::Present(Default::default())) {
                set.insert(h.clone());
            }
        }
    })
}

#[test]
fn credentials_go_before_a_suspension_and_nothing_is_closed_where_nothing_can_be() {
    use Verb::*;
    let firm = firm().target("google", &[ClearSessions, RevokeClientTokens, RevokeToken, Suspend]);
    let alice = of(
        &firm,
        "google",
        &[held(Holding::Client, "figma"), held(Holding::Token, "mail")],
    );
    assert_data_eq!(
        only(&firm.leaver(&alice), "google"),
        str![[r#"
 3 contain   google     clear-sessions                       continue after
 4 contain   google     revoke-client-tokens figma           continue after
 5 contain   google     revoke-token mail                    continue after
 6 contain   google     suspend                              continue after 3,4,5

"#]]
    );
}

#[test]
fn a_freeze_comes_first_and_an_account_behind_a_blocker_is_closed_last() {
    use Verb::*;
    let can = [
        Freeze,
        ClearSessions,
        RevokeClientTokens,
        RevokeRole,
        ReleaseSeat,
        Deactivate,
    ];
    let firm = firm().target("salesforce", &can);
    let holds = [
        held(Holding::Session, "s1"),
        held(Holding::Client, "loader"),
        held(Holding::Role, "ops"),
        held(Holding::Seat, "cpq"),
    ];
    assert_data_eq!(
        only(&firm.leaver(&of(&firm, "salesforce", &holds)), "salesforce"),
        str![[r#"
 3 contain   salesforce freeze                               continue after
 4 contain   salesforce clear-sessions                       continue after 3
 5 contain   salesforce revoke-client-tokens loader          continue after 3
 6 remove    salesforce revoke-role ops                      owe      after 3,4,5
 7 remove    salesforce release-seat cpq                     owe      after 3,4,5,6
 8 remove    salesforce deactivate                           owe      after 3,4,5

"#]]
    );
}

#[test]
fn a_membership_is_left_after_its_credentials_and_an_invitation_is_cancelled() {
    use Verb::*;
    let firm = firm().target(
        "github",
        &[RevokeToken, LeaveOrg, CancelInvitation, JoinTeam, LeaveTeam],
    );
    let member = of(
        &firm,
        "github",
        &[
            held(Holding::Token, "ssh"),
            held(Holding::Org, "acme"),
            held(Holding::Team, "core"),
        ],
    );
    assert_data_eq!(
        only(&firm.leaver(&member), "github"),
        str![[r#"
 3 contain   github     revoke-token ssh                     continue after
 4 contain   github     leave-org acme                       continue after 3

"#]]
    );
    let invited =
        of(&firm, "github", &[held(Holding::Invitation, "501")]).account("github", |a| a.state = State::Pending);
    assert_data_eq!(
        only(&firm.leaver(&invited), "github"),
        str![[r#"
 3 remove    github     cancel-invitation 501                owe      after

"#]]
    );
}

#[test]
fn the_last_owner_is_named_and_loses_the_keys_all_the_same() {
    use Verb::*;
    let firm = firm().target("github", &[RevokeToken, LeaveOrg]);
    let owner = of(
        &firm,
        "github",
        &[held(Holding::Token, "ssh"), held(Holding::Org, "acme")],
    )
    .account("github", |a| a.blocked = Some("the last owner of acme".into()));
    let plan = firm.leaver(&owner);
    assert_data_eq!(
        only(&plan, "github"),
        str![[r#"
 3 contain   github     revoke-token ssh                     continue after
 4 remove    github     leave-org acme                       owe      after  owed

"#]]
    );
    assert!(plan.notes.iter().any(|n| n.text.contains("the last owner of acme")));
}

#[test]
fn a_directory_on_the_premises_is_disabled_then_given_a_password_nobody_knows() {
    use Verb::*;
    let firm = firm().target("ad", &[Suspend, ResetPassword, RemoveMember]);
    let mut primary = held(Holding::Group, "Domain Users");
    primary = primary.with("stays", "it is the primary group");
    let alice = of(&firm, "ad", &[held(Holding::Group, "engineers"), primary])
        .account("ad", |a| a.password_set = Some("2026-01-01".into()));
    assert_data_eq!(
        only(&firm.leaver(&alice), "ad"),
        str![[r#"
 3 contain   ad         suspend                              continue after
 4 contain   ad         reset-password                       continue after 3
 5 contain   ad         reset-password                       continue after 4
 6 remove    ad         remove-member engineers              owe      after 3,4,5
note = Domain Users in ad stays: it is the primary group.

"#]]
    );
}

#[test]
fn a_password_is_reset_once_where_nothing_shows_when_it_was_set() {
    use Verb::*;
    let firm = firm().target("ldap", &[Suspend, ResetPassword]);
    assert_data_eq!(
        only(&firm.leaver(&of(&firm, "ldap", &[])), "ldap"),
        str![[r#"
 3 contain   ldap       suspend                              continue after
 4 contain   ldap       reset-password                       continue after 3

"#]]
    );
}

#[test]
fn a_task_for_people_is_owed_with_its_time() {
    let firm = firm().target("badge", &[Verb::ByHand]);
    let task = held(Holding::Task, "return badge")
        .with("owner", "reception")
        .with("within", "3600");
    let plan = firm.leaver(&of(&firm, "badge", &[task]));
    assert_data_eq!(
        only(&plan, "badge"),
        str![[r#"
 3 close     badge      by-hand return badge                 owe      after  owed

"#]]
    );
    let waits = plan.steps.iter().find_map(|s| s.waits.clone()).unwrap();
    assert_eq!(waits.until, Some(firm.now + chrono::TimeDelta::hours(1)));
}

#[test]
fn what_could_not_be_read_is_owed_by_name() {
    use Verb::*;
    let firm = firm().target("salesforce", &[Freeze, RevokeClientTokens, Deactivate]);
    let alice = of(&firm, "salesforce", &[]).account("salesforce", |a| {
        let why = Failure::new(Kind::Auth, "OAuth tokens", "Customize Application is missing");
        a.holds.insert(Holding::Client, Observed::Unknown(why));
    });
    assert_data_eq!(
        only(&firm.leaver(&alice), "salesforce"),
        str![[r#"
 3 contain   salesforce freeze                               continue after
 4 remove    salesforce revoke-client-tokens all OAuth tokens owe      after  owed
 5 remove    salesforce deactivate                           owe      after 3
note ? The OAuth tokens in salesforce were not read (Customize Application is missing); they are owed.

"#]]
    );
}

fn drive(firm: &Firm) -> Someone {
    of(firm, "google", &[])
        .account("google", |a| {
            a.holds.insert(Holding::Transfer, Observed::Present(Default::default()));
        })
        .member_of(&["ROLE-ENG", "BR-ALL-EMPLOYEES"])
        .assigned("google", "GROUP")
}

fn storing() -> Firm {
    firm()
        .target("google", &[Verb::StartTransfer, Verb::Suspend])
        .app("google", &["ROLE-ENG"])
}

#[test]
fn files_are_given_away_before_the_group_that_grants_the_app_goes() {
    let firm = storing().manager("bob", true);
    let alice = drive(&firm).worker(|w| w.manager = Some("bob@acme.example".into()));
    assert_data_eq!(
        firm.leaver(&alice).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   google     suspend                              continue after
 4 preserve  google     start-transfer bob@acme.example      hold     after
 5 preserve  google     finish-transfer files to bob@acme.example owe      after  owed
 6 remove    okta       remove-member BR-ALL-EMPLOYEES       owe      after 0,1
 7 remove    okta       remove-member ROLE-ENG               owe      after 0,1,4
 8 close     okta       deactivate                           owe      after 0,1,2,6,7,4
note ! google: sessions end only by themselves.

"#]]
    );
}

#[test]
fn nobody_to_give_them_to_keeps_that_group_alone() {
    let firm = storing().manager("bob", false);
    let alice = drive(&firm).worker(|w| w.manager = Some("bob@acme.example".into()));
    assert_data_eq!(
        firm.leaver(&alice).brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0
 2 contain   okta       revoke-grants                        continue after 0
 3 contain   google     suspend                              continue after
 4 preserve  google     start-transfer nobody                hold     after  owed
 5 remove    okta       remove-member BR-ALL-EMPLOYEES       owe      after 0,1
 6 remove    okta       remove-member ROLE-ENG               owe      after  owed
 7 close     okta       deactivate                           owe      after  owed
note ! google: sessions end only by themselves.
note ! google: no transfer of files: no manager up the chain can take them (bob@acme.example is not active). --transfer-to names a recipient.

"#]]
    );
}

#[test]
fn the_first_up_the_chain_who_stays_gets_them_or_whom_the_operator_names() {
    let mut firm = storing()
        .manager("bob", false)
        .manager("eve", true)
        .manager("zoe", true);
    let above = |b: &mut Brief| b.manager = Some("eve@acme.example".into());
    if let Some(Observed::Present(b)) = firm.tenant.managers.get_mut("bob@acme.example") {
        above(b);
    }
    let alice = drive(&firm).worker(|w| w.manager = Some("bob@acme.example".into()));
    let to = |plan: &Plan| {
        plan.steps.iter().find_map(|s| match &s.effect.action {
            Action::StartTransfer { to } => Some(to.clone()),
            _ => None,
        })
    };
    assert_eq!(to(&firm.leaver(&alice)).as_deref(), Some("eve@acme.example"));
    let ask = Ask {
        transfer_to: Some("zoe@acme.example".into()),
        ..Ask::default()
    };
    assert_eq!(
        to(&firm.leaver_asking(&alice, &ask)).as_deref(),
        Some("zoe@acme.example")
    );
}

#[test]
fn a_transfer_that_runs_is_waited_for_and_one_that_is_over_is_not_begun_again() {
    let firm = storing().manager("bob", true);
    let with = |status: &str| {
        let transfer = held(Holding::Transfer, "t-1")
            .with("to", "bob@acme.example")
            .with("status", status);
        drive(&firm)
            .account("google", |a| {
                a.holds.insert(Holding::Transfer, Observed::Present([transfer].into()));
            })
            .worker(|w| w.manager = Some("bob@acme.example".into()))
    };
    assert_data_eq!(
        only(&firm.leaver(&with("inProgress")), "google"),
        str![[r#"
 3 contain   google     suspend                              continue after
 4 preserve  google     finish-transfer t-1                  owe      after  owed

"#]]
    );
    assert_data_eq!(
        only(&firm.leaver(&with("completed")), "google"),
        str![[r#"
 3 contain   google     suspend                              continue after

"#]]
    );
    assert!(only(&firm.leaver(&with("failed")), "google").contains("start-transfer"));
}

/// The lines of one system.
fn only(plan: &Plan, system: &str) -> String {
    let brief = plan.brief();
    let lines = brief.lines().filter(|l| l.contains(&format!(" {system} ")));
    lines.map(|l| format!("{}\n", l.trim_end())).collect()
}

#[test]
fn what_can_only_be_suspended_is_not_forgotten_once_it_is() {
    use Verb::*;
    let firm = firm().target("google", &[ClearSessions, Suspend]);
    let done = of(&firm, "google", &[])
        .account("google", |a| a.state = State::Suspended)
        .status(Status::Deprovisioned, &[]);
    // The lint of `leaver` would panic here.
    let plan = firm.leaver(&done);
    assert!(
        plan.steps.iter().all(|s| s.effect.action.verb() != Suspend),
        "{}",
        plan.brief()
    );
}

#[test]
fn a_licence_goes_with_its_account_or_its_stay_is_told() {
    use Verb::*;
    let firm = firm()
        .target("zoom", &[ReleaseSeat, Deactivate])
        .target("google", &[Suspend]);
    let mut seat = held(Holding::Seat, "Zoom");
    seat.via = Some("account".into());
    let plan = firm.leaver(&of(&firm, "zoom", &[seat]));
    let why = |verb| {
        plan.steps
            .iter()
            .find(|s| s.effect.action.verb() == verb)
            .map(|s| s.why.as_str())
    };
    assert_eq!(
        why(Deactivate),
        Some("the account alice@acme.example and the licence Zoom")
    );
    assert_eq!(why(ReleaseSeat), None);

    let seat = held(Holding::Seat, "Workspace").with("stays", "a suspended account is still billed");
    let plan = firm.leaver(&of(&firm, "google", &[seat]));
    let told = "The licence Workspace in google stays: a suspended account is still billed.";
    assert!(plan.notes.iter().any(|n| n.text == told), "{:?}", plan.notes);
}
