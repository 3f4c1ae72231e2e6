use std::collections::{BTreeMap, BTreeSet};

use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{
    model::{policy::GroupsOwner, *},
    planner::{
        Class,
        groups::{Known, diff, groups, may_apply},
    },
};

fn counted(firm: &Firm, n: usize) -> Known {
    let all = firm.tenant.groups.present().expect("groups");
    Known {
        members: all.keys().map(|id| (id.clone(), n)).collect(),
        made: BTreeSet::new(),
    }
}

#[test]
fn a_missing_group_of_the_scaffold_is_made() {
    let firm = firm().without_group("ROLE-SALES").without_group("BR-CONTRACTORS");
    let plan = groups(&firm.policy, &firm.tenant, &counted(&firm, 3)).expect("a plan");
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 add       okta       create-group BR-CONTRACTORS          continue after
 1 add       okta       create-group ROLE-SALES              continue after

"#]]
    );
    let whole = super::firm::firm();
    assert!(
        groups(&whole.policy, &whole.tenant, &counted(&whole, 3))
            .expect("a plan")
            .is_empty()
    );
}

#[test]
fn a_group_that_holds_people_is_never_deleted() {
    let firm = firm().groups(["ROLE-OLD"]);
    let mut known = counted(&firm, 3);
    known.made.insert("00g-ROLE-OLD".to_owned());
    assert_data_eq!(
        groups(&firm.policy, &firm.tenant, &known).expect("a plan").brief(),
        str![[r#"
note ! Group ROLE-OLD is not in policy and holds 3 people: never deleted.

"#]]
    );
    known.members.insert("00g-ROLE-OLD".to_owned(), 0);
    assert_data_eq!(
        groups(&firm.policy, &firm.tenant, &known).expect("a plan").brief(),
        str![[r#"
 0 remove    okta       delete-group ROLE-OLD                continue after

"#]]
    );
    known.made.clear();
    assert_data_eq!(
        groups(&firm.policy, &firm.tenant, &known).expect("a plan").brief(),
        str![[r#"
note = Group ROLE-OLD is empty and not in policy; jml did not make it and leaves it.

"#]]
    );
    known.members.remove("00g-ROLE-OLD");
    assert_data_eq!(
        groups(&firm.policy, &firm.tenant, &known).expect("a plan").brief(),
        str![[r#"
note ? Group ROLE-OLD is not in policy; its members were not read.

"#]]
    );
}

#[test]
fn a_new_code_points_to_a_group_and_moves_nobody() {
    // C39
    let firm = firm().groups(["ROLE-SALE"]).policy(|p| {
        p.departments.insert("Sales".to_owned(), "SALE".to_owned());
    });
    let mut known = counted(&firm, 700);
    known.members.insert("00g-ROLE-SALE".to_owned(), 0);
    assert_data_eq!(
        groups(&firm.policy, &firm.tenant, &known).expect("a plan").brief(),
        str![[r#"
note = Group ROLE-SALE is empty (department Sales).
note ! Group ROLE-SALES is not in policy and holds 700 people: never deleted.

"#]]
    );
}

#[test]
fn an_answer_without_groups_makes_none_anew() {
    // C20
    let mut firm = firm();
    firm.tenant.groups = Observed::Present(BTreeMap::new());
    let refusal = groups(&firm.policy, &firm.tenant, &Known::default()).expect_err("a refusal");
    assert_eq!(refusal.class(), Class::Unbelievable);
    firm.tenant.groups = Observed::Unknown(Failure::transient("groups", "503"));
    let refusal = groups(&firm.policy, &firm.tenant, &Known::default()).expect_err("a refusal");
    assert_eq!(refusal.class(), Class::Unread);
}

#[test]
fn terraform_owns_groups_where_policy_says_so() {
    let firm = firm()
        .without_group("ROLE-OPS")
        .policy(|p| p.groups_owner = GroupsOwner::Terraform);
    let plan = groups(&firm.policy, &firm.tenant, &counted(&firm, 1)).expect("a plan");
    assert!(plan.brief().contains("Terraform owns groups: shown, not applied."));
    assert!(may_apply(&firm.policy).is_err());
    assert!(may_apply(&super::firm::policy()).is_ok());
}

#[test]
fn a_snapshot_differs_by_members_rules_apps_and_names() {
    let entry = |id: &str, name: &str, members: &[&str]| GroupEntry {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: GroupKind::OktaGroup,
        description: None,
        managed: true,
        members: members.iter().map(|m| (*m).to_owned()).collect(),
        rules: Vec::new(),
        apps: vec!["Zoom".to_owned()],
    };
    let snapshot = |groups| Snapshot {
        taken: at("2026-03-02T09:00Z"),
        groups,
    };
    let before = snapshot(vec![
        entry("1", "ROLE-ENG", &["a@x", "b@x"]),
        entry("2", "ROLE-OPS", &[]),
        entry("3", "zz-gone", &[]),
    ]);
    let mut ops = entry("2", "ROLE-OPERATIONS", &[]);
    ops.rules.push("ops by site".to_owned());
    ops.apps.clear();
    let after = snapshot(vec![
        entry("1", "ROLE-ENG", &["b@x", "c@x"]),
        ops,
        entry("4", "zz-new", &[]),
    ]);
    let lines: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
    assert_data_eq!(
        lines.join("\n"),
        str![[r#"
~ ROLE-ENG - a@x
~ ROLE-ENG + c@x
~ ROLE-OPERATIONS app - Zoom
~ ROLE-OPERATIONS name: ROLE-OPS -> ROLE-OPERATIONS
~ ROLE-OPERATIONS rule + ops by site
- group zz-gone
+ group zz-new
"#]]
    );
    assert!(diff(&after, &after).is_empty());
}
