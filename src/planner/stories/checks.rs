use super::firm::*;
use crate::{model::*, planner::check};

const LEFT: &str = "2026-03-02T09:00Z";

/// The fatal notes of a plan that a story has spoilt.
fn fatal(firm: &Firm, who: &Someone, plan: &Plan) -> Vec<String> {
    check(plan, &firm.policy, &who.seen)
        .into_iter()
        .filter(|n| n.severity == Severity::Fatal)
        .map(|n| n.text)
        .collect()
}

fn mover(firm: &Firm) -> (Someone, Plan) {
    let bob = firm
        .person("bob")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .department("Sales");
    let plan = firm.mover(&bob);
    (bob, plan)
}

fn leaver(firm: &Firm) -> (Someone, Plan) {
    let who = firm
        .person("leo")
        .member_of(&["ROLE-ENG"])
        .has("slack")
        .terminated(LEFT);
    let plan = firm.leaver(&who);
    (who, plan)
}

#[test]
fn adding_before_removing_is_fatal() {
    let firm = firm();
    let (bob, mut plan) = mover(&firm);
    plan.steps[1].after.clear();
    assert_eq!(
        fatal(&firm, &bob, &plan),
        ["step 1 gives before everything stale is gone"]
    );
}

#[test]
fn a_forgotten_account_is_fatal() {
    let firm = firm().slack();
    let (who, mut plan) = leaver(&firm);
    plan.steps.retain(|s| s.effect.system == system::OKTA);
    for step in &mut plan.steps {
        step.after.clear();
    }
    assert!(fatal(&firm, &who, &plan).contains(&"the account in slack is forgotten".to_owned()));
}

#[test]
fn a_leaver_who_can_still_sign_in_is_fatal() {
    let firm = firm().slack();
    let (who, mut plan) = leaver(&firm);
    plan.steps.truncate(0);
    assert_eq!(fatal(&firm, &who, &plan), ["the person can still sign in"]);
}

#[test]
fn signing_out_before_shutting_is_fatal() {
    let firm = firm().slack();
    let (who, mut plan) = leaver(&firm);
    plan.steps[1].after.clear();
    assert_eq!(
        fatal(&firm, &who, &plan),
        ["step 1 signs out somebody who can sign in again"]
    );
}

#[test]
fn closing_before_the_removals_is_fatal() {
    let firm = firm().slack();
    let (who, mut plan) = leaver(&firm);
    let last = plan.steps.len() - 1;
    plan.steps[last].after = vec![0];
    assert_eq!(
        fatal(&firm, &who, &plan),
        [format!("step {last} closes the person before the removals")]
    );
}

#[test]
fn a_later_step_a_cycle_and_a_repetition_are_fatal() {
    let firm = firm();
    let (bob, mut plan) = mover(&firm);
    plan.steps[0].after = vec![1];
    assert_eq!(fatal(&firm, &bob, &plan), ["step 0 comes after step 1, which is later"]);
    plan.steps[0].after = vec![0];
    assert_eq!(fatal(&firm, &bob, &plan), ["step 0 comes after step 0, which is later"]);
    let (bob, mut plan) = mover(&firm);
    plan.steps.push(plan.steps[1].clone());
    assert_eq!(
        fatal(&firm, &bob, &plan),
        ["step 2 does again what an earlier one does"]
    );
}

#[test]
fn a_step_after_one_that_cannot_start_is_fatal() {
    let firm = firm();
    let (bob, mut plan) = mover(&firm);
    plan.steps[0].waits = Some(Waits {
        failure: Failure::transient("x", "y"),
        until: None,
    });
    assert_eq!(
        fatal(&firm, &bob, &plan),
        ["step 1 comes after step 0, which can't start"]
    );
}

#[test]
fn touching_a_built_in_or_foreign_group_is_fatal() {
    let firm = firm().group("AD-Finance", GroupKind::AppGroup);
    let (bob, plan) = mover(&firm);
    let touching = |name: &str| {
        let mut plan = plan.clone();
        let group = Held::new(Holding::Group, format!("00g-{name}"), name);
        plan.steps[0].effect.action = Action::RemoveMember { group };
        fatal(&firm, &bob, &plan)
    };
    assert_eq!(touching("Everyone"), ["group Everyone is built in"]);
    assert_eq!(
        touching("AD-Finance"),
        ["group AD-Finance is mastered by its application"]
    );
}

#[test]
fn a_policy_group_with_an_admin_role_is_fatal() {
    let mut firm = firm();
    if let Observed::Present(groups) = &mut firm.tenant.groups {
        for group in groups.values_mut().filter(|g| g.name == "ROLE-SALES") {
            group.admin = true;
        }
    }
    let bob = firm
        .person("bob")
        .member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
        .department("Sales");
    let plan = crate::planner::mover(&bob.seen, &firm.policy, firm.now).expect("a plan");
    assert_eq!(
        fatal(&firm, &bob, &plan),
        ["group ROLE-SALES carries an admin role: policy may not give it"]
    );
}

#[test]
fn another_person_tenant_or_account_is_fatal() {
    let firm = firm();
    let (bob, plan) = mover(&firm);
    let mut other = plan.clone();
    other.person = Some(PersonId("00u-eve".to_owned()));
    assert_eq!(fatal(&firm, &bob, &other), ["the plan is for another person"]);
    let mut other = plan.clone();
    other.tenant = "00o2".to_owned();
    assert_eq!(fatal(&firm, &bob, &other), ["the plan is for another tenant"]);
    let mut other = plan.clone();
    other.steps[0].effect.account = "00u-eve".to_owned();
    assert_eq!(
        fatal(&firm, &bob, &other),
        ["step 0 acts on an account that is not theirs"]
    );
}

#[test]
fn moving_a_protected_person_is_fatal() {
    let free = firm();
    let (bob, plan) = mover(&free);
    let firm = firm().protect("bob", "super admin");
    let bob = Someone {
        seen: Observation {
            tenant: std::sync::Arc::new(firm.tenant.clone()),
            ..bob.seen
        },
    };
    assert_eq!(fatal(&firm, &bob, &plan), ["the person is protected: super admin"]);
}
