use std::collections::BTreeMap;

use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{
    model::*,
    planner::{Class, Welcome, create},
};

const ACTIVATE: Welcome = Welcome {
    activate: true,
    rehire: false,
    restore: false,
};
const REHIRE: Welcome = Welcome {
    activate: true,
    rehire: true,
    restore: false,
};

fn nora(firm: &Firm) -> Someone {
    firm.person("nora").worker(|w| w.hired = Some(when("2026-03-02")))
}

#[test]
fn a_joiner_gets_birthright_and_role_at_once() {
    let firm = firm().app("Zoom", &["BR-ALL-EMPLOYEES"]).app("Jira", &["ROLE-ENG"]);
    let plan = firm.joiner(&nora(&firm), Welcome::default());
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 add       okta       add-member BR-ALL-EMPLOYEES          owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after
expect    gains Jira
expect    gains Zoom

"#]]
    );
    assert_eq!(plan.effective, Some(at("2026-03-02T06:00Z")));
    assert_eq!(plan.apps.gained, ["Jira", "Zoom"]);
}

#[test]
fn a_contractor_gets_the_contractors_birthright() {
    let firm = firm();
    let who = nora(&firm).worker(|w| w.worker_type = Some("Contractor".to_owned()));
    assert_data_eq!(
        firm.joiner(&who, Welcome::default()).brief(),
        str![[r#"
 0 add       okta       add-member BR-CONTRACTORS            owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after

"#]]
    );
}

#[test]
fn nothing_before_the_start_where_the_worker_is() {
    let firm = firm().policy(|p| {
        p.zones.insert("Honolulu".to_owned(), chrono_tz::Pacific::Honolulu);
    });
    let who = nora(&firm).worker(|w| w.location = Some("Honolulu".to_owned()));
    let refusal = firm.no_joiner(&who);
    assert_eq!(refusal.class(), Class::Future);
    assert_data_eq!(
        refusal.to_string(),
        str!["nora@acme.example does not start yet: due at 2026-03-02 10:00:00Z (hireDate 2026-03-02)"]
    );
}

#[test]
fn policy_may_grant_a_lead() {
    let firm = firm().policy(|p| p.joiner_lead = std::time::Duration::from_secs(2 * 86400));
    let who = nora(&firm).worker(|w| w.hired = Some(when("2026-03-04")));
    assert!(!firm.joiner(&who, Welcome::default()).is_empty());
}

#[test]
fn a_staged_person_is_activated_only_when_asked() {
    let firm = firm();
    let who = nora(&firm).status(Status::Staged, &["activate"]);
    assert_data_eq!(
        firm.joiner(&who, Welcome::default()).brief(),
        str![[r#"
 0 add       okta       add-member BR-ALL-EMPLOYEES          owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after
note ! STAGED: they can't sign in before they are activated (--activate).

"#]]
    );
    assert_data_eq!(
        firm.joiner(&who, ACTIVATE).brief(),
        str![[r#"
 0 activate  okta       activate                             continue after
 1 add       okta       add-member BR-ALL-EMPLOYEES          owe      after 0
 2 add       okta       add-member ROLE-ENG                  owe      after 0

"#]]
    );
    let who = nora(&firm).status(Status::Provisioned, &["suspend", "reactivate", "deactivate"]);
    assert_data_eq!(
        firm.joiner(&who, ACTIVATE).brief(),
        str![[r#"
 0 add       okta       add-member BR-ALL-EMPLOYEES          owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after
note = PROVISIONED: activated, and waiting for their first sign-in.

"#]]
    );
}

#[test]
fn a_rehire_is_put_on_no_rule_and_loses_the_former_job_first() {
    // C26
    let firm = firm().rule("R1", "BR-ALL-EMPLOYEES", "user.userType==\"Employee\"", &["una"]);
    let una = firm
        .person("una")
        .status(Status::Deprovisioned, &[])
        .member_of(&["ROLE-SALES"])
        .worker(|w| w.hired = Some(when("2026-03-02")));
    assert_eq!(firm.no_joiner(&una).class(), Class::Refused);
    assert_data_eq!(
        firm.joiner(&una, REHIRE).brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-SALES             halt     after
 1 activate  okta       activate                             halt     after 0
 2 add       okta       add-member BR-ALL-EMPLOYEES          owe      after 1
 3 add       okta       add-member ROLE-ENG                  owe      after 1
note ! Rule "R1" will not fill BR-ALL-EMPLOYEES for them: they are on its exclusion list. jml adds the membership itself; the exclusion stays until it is lifted in Okta.

"#]]
    );
}

#[test]
fn a_joiner_takes_nothing_away() {
    let firm = firm();
    let who = nora(&firm).member_of(&["ROLE-OPS"]);
    assert_data_eq!(
        firm.joiner(&who, Welcome::default()).brief(),
        str![[r#"
 0 add       okta       add-member BR-ALL-EMPLOYEES          owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after
note ! Groups ROLE-OPS are of another job; a joiner takes nothing away: jml mover nora@acme.example

"#]]
    );
}

#[test]
fn a_channel_without_an_account_yet_is_owed_for_a_day() {
    let firm = firm().slack().channels(&["eng"]).policy(|p| {
        p.rules.push(PolicyRule {
            when: [("department".to_owned(), "Engineering".to_owned())].into(),
            groups: vec![],
            gives: [(System::of("slack"), vec!["#eng".to_owned()])].into(),
        });
    });
    let plan = firm.joiner(&nora(&firm), Welcome::default());
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 add       okta       add-member BR-ALL-EMPLOYEES          owe      after
 1 add       okta       add-member ROLE-ENG                  owe      after
 2 add       slack      join-channel eng                     owe      after  owed
note ? slack: #eng is owed: no account yet.

"#]]
    );
    let there = nora(&firm).member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"]).has("slack");
    assert_data_eq!(
        firm.joiner(&there, Welcome::default()).brief(),
        str![[r#"
 0 add       slack      join-channel eng                     owe      after

"#]]
    );
}

#[test]
fn a_joiner_with_everything_has_nothing_to_do() {
    let firm = firm();
    let who = nora(&firm).member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"]);
    assert!(firm.joiner(&who, Welcome::default()).is_empty());
}

#[test]
fn absent_from_hr_is_no_joiner() {
    let firm = firm();
    assert_data_eq!(
        firm.no_joiner(&nora(&firm).hr(Hr::Missing)).to_string(),
        str!["nora@acme.example is not in the roster, which does not say that they have left"]
    );
    let left = nora(&firm).terminated("2026-03-02T08:00Z");
    assert_data_eq!(
        firm.no_joiner(&left).hint().unwrap_or_default(),
        str!["jml leaver nora@acme.example"]
    );
}

#[test]
fn a_person_of_hrs_file_is_made_first_and_with_nothing() {
    // C11: an identifier is text.
    let firm = firm();
    let seen = firm.person("jan").seen;
    let mut worker = seen.person.worker().expect("a worker").clone();
    worker.key = "00042".to_owned();
    worker.place = Some("people.csv line 2".to_owned());
    let plan = create(&worker, &firm.policy, &firm.tenant, firm.now).expect("a plan");
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 activate  okta       create-person                        halt     after

"#]]
    );
    let Action::CreatePerson { profile } = &plan.steps[0].effect.action else {
        panic!("another step");
    };
    assert_eq!(profile["employeeNumber"], "00042");
    assert_eq!(plan.person, None);
    worker.department = Some("Basket Weaving".to_owned());
    assert!(create(&worker, &firm.policy, &firm.tenant, firm.now).is_err());
}

#[test]
fn who_is_not_in_yet_is_invited_and_what_follows_is_owed() {
    let rule = PolicyRule {
        when: BTreeMap::from([("department".to_owned(), "Engineering".to_owned())]),
        groups: Vec::new(),
        gives: BTreeMap::from([(System::of("github"), vec!["core".to_owned(), "infra".to_owned()])]),
    };
    let mut firm = firm()
        .target("github", &[Verb::Invite, Verb::JoinTeam, Verb::LeaveTeam])
        .policy(|p| p.rules.push(rule));
    let teams = ["core", "infra"].map(|t| (t.to_owned(), Held::new(Holding::Team, t, t)));
    firm.tenant
        .offers
        .insert(System::of("github"), Observed::Present(teams.into()));
    let brief = |who: &Someone| {
        let brief = firm.joiner(who, Welcome::default()).brief();
        let lines: Vec<&str> = brief.lines().filter(|l| l.contains("github")).collect();
        lines.join("\n")
    };
    assert_data_eq!(
        brief(&nora(&firm)),
        str![[r#"
 2 add       github     invite nora@acme.example             owe      after
 3 add       github     join-team core                       owe      after  owed
 4 add       github     join-team infra                      owe      after  owed
note ? github: core is owed: the invitation has to be accepted first.
note ? github: infra is owed: the invitation has to be accepted first.
"#]]
    );
    let invited = nora(&firm)
        .has("github")
        .account("github", |a| a.state = State::Pending);
    assert_data_eq!(
        brief(&invited),
        str![[r#"
 2 add       github     join-team core                       owe      after  owed
 3 add       github     join-team infra                      owe      after  owed
note ? github: core is owed: the invitation has to be accepted first.
note ? github: infra is owed: the invitation has to be accepted first.
"#]]
    );
    let member = nora(&firm).has("github").account("github", |a| {
        a.holds.insert(Holding::Team, Observed::Present(Default::default()));
    });
    assert_data_eq!(
        brief(&member),
        str![[r#"
 2 add       github     join-team core                       owe      after
 3 add       github     join-team infra                      owe      after
"#]]
    );
}
