use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{
    model::*,
    planner::{Class, leaver::startable},
};

/// Bob was an engineer; HR says Sales.
fn bob(firm: &Firm) -> Someone {
    firm.person("bob")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .department("Sales")
}

#[test]
fn remove_comes_before_add() {
    let firm = firm();
    assert_data_eq!(
        firm.mover(&bob(&firm)).brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0

"#]]
    );
}

#[test]
fn the_manager_is_told_once_after_everything() {
    let firm = firm().slack().manager("erin", true);
    let bob = bob(&firm).worker(|w| w.manager = Some("erin@acme.example".to_owned()));
    let plan = firm.mover(&bob);
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
 2 tell      slack      send-message                         owe      after 0,1

"#]]
    );
    let message = plan.steps.iter().find_map(|s| {
        let Action::SendMessage { text } = &s.effect.action else {
            return None;
        };
        Some((s.effect.account.as_str(), text.as_str()))
    });
    assert_eq!(
        message,
        Some((
            "erin@acme.example",
            "bob Berg (bob@acme.example) changed jobs. Lost: ROLE-ENG. Gained: ROLE-SALES."
        ))
    );
}

#[test]
fn a_message_that_an_earlier_run_owes_is_told() {
    let firm = firm().slack();
    let mut bob = firm
        .person("bob")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-SALES"])
        .department("Sales");
    let owed = Effect {
        system: System::of("slack"),
        account: "erin@acme.example".to_owned(),
        action: Action::SendMessage {
            text: "Bob changed jobs.".to_owned(),
        },
    };
    bob.seen.owed.push((owed, at("2026-03-02T08:00Z")));
    assert_data_eq!(
        firm.mover(&bob).brief(),
        str![[r#"
 0 tell      slack      send-message                         owe      after

"#]]
    );
}

#[test]
fn no_message_goes_to_somebody_who_leaves_or_left() {
    let mut firm = firm().slack().manager("mid", true).manager("old", false);
    firm.tenant.leaving.insert(PersonId("00u-mid".to_owned()));
    let to = |name: &str| {
        let name = name.to_owned();
        firm.mover(&bob(&firm).worker(|w| w.manager = Some(name))).brief()
    };
    assert!(to("mid@acme.example").contains("note ! The manager is not told: mid@acme.example is leaving."));
    assert!(to("old@acme.example").contains("old@acme.example is deactivated"));
    assert!(to("4711").contains("nobody is called 4711"));
}

#[test]
fn accumulated_roles_go() {
    let firm = firm().groups(["ROLE-LEGACY"]);
    let plan = firm.mover(&bob(&firm).member_of(&["ROLE-OPS", "ROLE-LEGACY"]));
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 remove    okta       remove-member ROLE-LEGACY            halt     after
 2 remove    okta       remove-member ROLE-OPS               halt     after
 3 add       okta       add-member ROLE-SALES                owe      after 0,1,2

"#]]
    );
}

#[test]
fn a_title_that_policy_does_not_branch_on_is_no_move() {
    let firm = firm();
    let who = firm
        .person("tia")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .worker(|w| w.title = Some("Principal Engineer".to_owned()));
    assert!(firm.mover(&who).is_empty());
}

#[test]
fn apps_are_named_by_what_happens_to_them() {
    let firm = firm()
        .app("GitHub", &["ROLE-ENG"])
        .app("Jira", &["ROLE-ENG", "ROLE-SALES"])
        .app("Gong", &["ROLE-SALES"])
        .app("Zoom", &["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .app("BI", &["ROLE-ENG"]);
    let who = bob(&firm)
        .assigned("GitHub", "GROUP")
        .assigned("Jira", "GROUP")
        .assigned("Zoom", "GROUP")
        .assigned("BI", "USER");
    let plan = firm.mover(&who);
    let names = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        plan.apps,
        AppChanges {
            lost: names(&["GitHub"]),
            gained: names(&["Gong"]),
            lost_then_back: names(&["Jira"]),
            kept: names(&["BI", "Zoom"]),
        }
    );
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
expect    loses GitHub
expect    gains Gong
expect    gains Jira
note = Kept, assigned directly: apps BI.

"#]]
    );
}

#[test]
fn what_policy_does_not_name_is_kept_and_shown() {
    let firm = firm().groups(["zz-book-club"]).group("AD-Sales", GroupKind::AppGroup);
    let who = bob(&firm)
        .member_of(&["zz-book-club", "AD-Sales"])
        .assigned("Old CRM", "USER")
        .holds(Holding::Role, Held::new(Holding::Role, "ra1", "APP_ADMIN"));
    assert_data_eq!(
        firm.mover(&who).brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
note = Kept, outside policy: groups AD-Sales, zz-book-club.
note = Kept, assigned directly: apps Old CRM.
note = Kept, outside policy: admin roles APP_ADMIN.

"#]]
    );
}

#[test]
fn what_jml_gave_by_the_ledger_it_takes_back() {
    let firm = firm().groups(["zz-project"]);
    let mut who = bob(&firm).member_of(&["zz-project"]);
    who.seen.given.insert((system::OKTA, "00g-zz-project".to_owned()));
    assert!(firm.mover(&who).brief().contains("remove-member zz-project"));
}

#[test]
fn a_group_that_a_rule_may_fill_is_left_to_the_rule() {
    let firm = firm().rule("ops by site", "ROLE-OPS", "user.city==\"Austin\"", &[]);
    let who = bob(&firm).member_of(&["ROLE-OPS"]);
    assert_data_eq!(
        firm.mover(&who).brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
note ! Group ROLE-OPS is left to rule "ops by site", which may fill it.

"#]]
    );
    // What jml gave by hand no rule takes back.
    let mut given = who;
    given.seen.given.insert((system::OKTA, "00g-ROLE-OPS".to_owned()));
    assert!(firm.mover(&given).brief().contains("remove-member ROLE-OPS"));
}

#[test]
fn groups_filled_from_a_group_follow_by_themselves() {
    // C46
    let firm = firm()
        .groups(["APP-GITHUB"])
        .rule("github for eng", "APP-GITHUB", "isMemberOfGroupName(\"ROLE-ENG\")", &[])
        .app("GitHub", &["APP-GITHUB"]);
    let pip = bob(&firm).member_of(&["APP-GITHUB"]).assigned("GitHub", "GROUP");
    let plan = firm.mover(&pip);
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
expect    loses APP-GITHUB
note = Group APP-GITHUB goes by itself, by rule "github for eng".

"#]]
    );
    assert_eq!(plan.apps.lost, ["GitHub"]);
}

#[test]
fn a_conversion_swaps_the_birthright_and_keeps_the_role() {
    // C08
    let firm = firm();
    let gil = firm.person("gil").member_of(&["BR-CONTRACTORS", "ROLE-ENG"]);
    let worker = gil.seen.person.worker().expect("a worker").clone();
    let hr = Hr::Converted {
        worker: Box::new(worker),
        ended: "C-310".to_owned(),
    };
    assert_data_eq!(
        firm.mover(&gil.hr(hr)).brief(),
        str![[r#"
 0 remove    okta       remove-member BR-CONTRACTORS         halt     after
 1 add       okta       add-member BR-ALL-EMPLOYEES          owe      after 0

"#]]
    );
}

fn sre() -> Firm {
    firm()
        .slack()
        .channels(&["eng", "sre", "sales"])
        .groups(["APP-ONCALL"])
        .policy(|p| {
            for (key, value, group, channel) in [
                ("title", "*SRE*", Some("APP-ONCALL"), "#sre"),
                ("department", "Sales", None, "#sales"),
            ] {
                p.rules.push(PolicyRule {
                    when: [(key.to_owned(), value.to_owned())].into(),
                    groups: group.into_iter().map(str::to_owned).collect(),
                    gives: [(System::of("slack"), vec![channel.to_owned()])].into(),
                });
            }
        })
}

#[test]
fn channels_go_and_come_like_groups() {
    let firm = sre();
    let who = bob(&firm)
        .member_of(&["APP-ONCALL"])
        .has("slack")
        .in_channels(&["eng", "sre"]);
    assert_data_eq!(
        firm.mover(&who).brief(),
        str![[r#"
 0 remove    okta       remove-member APP-ONCALL             halt     after
 1 remove    okta       remove-member ROLE-ENG               halt     after
 2 remove    slack      leave-channel sre                    halt     after
 3 add       okta       add-member ROLE-SALES                owe      after 0,1,2
 4 add       slack      join-channel sales                   owe      after 0,1,2

"#]]
    );
}

#[test]
fn a_channel_waits_for_its_account_and_the_groups_do_not() {
    let firm = sre();
    let who = bob(&firm);
    let plan = firm.mover(&who);
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0
 2 add       slack      join-channel sales                   owe      after  owed
note ? slack: #sales is owed: no account yet.

"#]]
    );
    let waits = plan.steps.iter().find_map(|s| s.waits.as_ref()).expect("an owed step");
    assert_eq!(waits.until, Some(at("2026-03-03T09:05Z")));
    // The deadline does not start anew at the next look.
    let mut later = who;
    let owed = plan.steps.iter().find(|s| s.waits.is_some()).expect("an owed step");
    later.seen.owed.push((owed.effect.clone(), at("2026-03-01T06:00Z")));
    let plan = firm.mover(&later);
    let waits = plan.steps.iter().find_map(|s| s.waits.as_ref()).expect("an owed step");
    assert_eq!(waits.until, Some(at("2026-03-02T06:00Z")));
}

#[test]
fn a_channel_that_is_not_there_is_owed_without_a_deadline() {
    let mut firm = sre();
    firm.tenant
        .offers
        .insert(System::of("slack"), Observed::Present([].into()));
    let plan = firm.mover(&bob(&firm).has("slack"));
    let waits = plan.steps.iter().find_map(|s| s.waits.as_ref()).expect("an owed step");
    assert_eq!((waits.failure.summary.as_str(), waits.until), ("no #sales there", None));
}

#[test]
fn unread_groups_change_nobody() {
    // C21
    let firm = firm();
    let who = bob(&firm).part_unknown(Holding::Group, Failure::transient("groups", "503"));
    let refusal = firm.no_mover(&who);
    assert_eq!(refusal.class(), Class::Unread);
    assert_data_eq!(
        refusal.to_string(),
        str!["bob@acme.example: their groups could not be read: groups: 503"]
    );
    let mut blind = super::firm::firm();
    blind.tenant.groups = Observed::Unknown(Failure::transient("groups", "503"));
    assert_eq!(blind.no_mover(&bob(&blind)).class(), Class::Unread);
}

#[test]
fn what_policy_cannot_give_is_refused_before_any_change() {
    let firm = firm();
    let text = |who: Someone| firm.no_mover(&who).to_string();
    assert_data_eq!(
        text(bob(&firm).department("Basket Weaving")),
        str![[r#"bob@acme.example: department "Basket Weaving" has no code in policy"#]]
    );
    assert_data_eq!(
        text(bob(&firm).worker(|w| w.department = None)),
        str!["bob@acme.example has no department"]
    );
    assert_data_eq!(
        text(bob(&firm).worker(|w| w.worker_type = Some("Intern".to_owned()))),
        str![[r#"bob@acme.example: worker type "Intern" has no birthright in policy"#]]
    );
}

#[test]
fn a_policy_group_must_be_there_once_and_be_oktas() {
    let missing = firm().without_group("ROLE-SALES");
    assert_data_eq!(
        missing.no_mover(&bob(&missing)).to_string(),
        str!["group ROLE-SALES (department Sales) does not exist"]
    );
    let foreign = firm()
        .without_group("ROLE-SALES")
        .group("ROLE-SALES", GroupKind::AppGroup);
    assert_data_eq!(
        foreign.no_mover(&bob(&foreign)).to_string(),
        str!["group ROLE-SALES (department Sales) is not an Okta group"]
    );
    let mut twice = firm();
    if let Observed::Present(groups) = &mut twice.tenant.groups {
        let mut again = groups["00g-ROLE-SALES"].clone();
        again.id = "00g-other".to_owned();
        groups.insert(again.id.clone(), again);
    }
    assert_data_eq!(
        twice.no_mover(&bob(&twice)).to_string(),
        str!["group ROLE-SALES (department Sales) exists more than once"]
    );
}

#[test]
fn upper_case_is_a_fallback_only_where_the_group_exists() {
    let firm = firm()
        .groups(["ROLE-LEGAL"])
        .policy(|p| p.department_fallback = Some(policy::Fallback::Upper));
    assert!(
        firm.mover(&bob(&firm).department("Legal"))
            .brief()
            .contains("add-member ROLE-LEGAL")
    );
    assert!(
        firm.no_mover(&bob(&firm).department("Basket"))
            .to_string()
            .contains("no code")
    );
}

#[test]
fn a_leaver_is_no_mover() {
    let firm = firm();
    let who = bob(&firm).terminated("2026-03-02T09:00Z");
    assert_data_eq!(
        firm.no_mover(&who).to_string(),
        str!["bob@acme.example has left by HR (terminationDate 2026-03-02 09:00:00Z)"]
    );
    let shut = bob(&firm).status(Status::Deprovisioned, &[]);
    assert_data_eq!(
        firm.no_mover(&shut).to_string(),
        str!["bob@acme.example is DEPROVISIONED"]
    );
}

#[test]
fn every_removal_halts_and_every_add_waits_for_all_of_them() {
    let firm = sre();
    let who = bob(&firm)
        .member_of(&["ROLE-OPS", "APP-ONCALL"])
        .has("slack")
        .in_channels(&["sre"]);
    let plan = firm.mover(&who);
    let removals: Vec<StepNo> = (0..plan.steps.len())
        .filter(|n| plan.steps[*n].phase == Phase::Remove)
        .collect();
    assert_eq!(removals.len(), 4);
    for step in &plan.steps {
        match step.phase {
            Phase::Remove => assert_eq!(step.on_failure, OnFailure::Halt),
            Phase::Add => assert!(removals.iter().all(|n| step.after.contains(n))),
            _ => {}
        }
    }
    assert_eq!(startable(&plan).count(), plan.steps.len());
}
