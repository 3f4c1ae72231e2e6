use snapbox::{assert_data_eq, str};

use super::{firm::*, sweeps::facts};
use crate::{
    model::*,
    planner::{
        drift::{Beside, drift},
        exceptions::{self, Ask},
        sweep::{Facts, Lanes, sort},
    },
};

fn grant(name: &str, until: &str) -> Grant {
    Grant {
        group: format!("00g-{name}"),
        name: name.to_owned(),
        until: at(until),
        ticket: "CHG7".to_owned(),
        by: "dana".to_owned(),
    }
}

const RUNS: &str = "2026-03-31T09:00Z";
const ENDED: &str = "2026-03-02T09:00Z";

fn with(mut who: Someone, grant: Grant) -> Someone {
    who.seen.grants.push(grant);
    who
}

fn eng(firm: &Firm) -> Someone {
    firm.person("ann").member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
}

fn known(people: &[Someone]) -> Facts {
    let mut facts = facts(people);
    for Someone { seen } in people {
        facts.grants.insert(seen.person.id.clone(), seen.grants.clone());
    }
    facts
}

fn sorted(firm: &Firm, people: &[Someone]) -> Lanes {
    sort(&known(people), &firm.policy, &firm.tenant, &limits(), firm.now).unwrap_or_else(|d| panic!("{d}"))
}

fn drifted(firm: &Firm, people: &[Someone]) -> Vec<String> {
    let nobody = Beside {
        roles: Observed::Present(Default::default()),
        protected: Default::default(),
    };
    let rows = drift(&known(people), &nobody, &firm.policy, &firm.tenant, &limits(), firm.now);
    let rows = rows.unwrap_or_else(|d| panic!("{d}")).into_iter();
    rows.map(|r| format!("{} {}", r.mark.word(), r.what)).collect()
}

#[test]
fn it_is_given_beside_policy_and_kept_until_its_end() {
    let firm = firm().groups(["APP-LEGAL"]);
    let lacks = with(eng(&firm), grant("APP-LEGAL", RUNS));
    assert_data_eq!(
        firm.mover(&lacks).brief(),
        str![[r#"
 0 add       okta       add-member APP-LEGAL                 owe      after

"#]]
    );
    assert_eq!(sorted(&firm, std::slice::from_ref(&lacks)).movers.len(), 1);
    assert_eq!(
        drifted(&firm, &[lacks]),
        ["drift lacks APP-LEGAL (an exception until 2026-03-31 09:00:00Z (CHG7, granted by dana))"]
    );
    let has = with(eng(&firm).member_of(&["APP-LEGAL"]), grant("APP-LEGAL", RUNS));
    assert!(firm.mover(&has).is_empty());
    assert!(sorted(&firm, std::slice::from_ref(&has)).movers.is_empty());
    assert_eq!(
        drifted(&firm, &[has]),
        ["explained in APP-LEGAL by an exception until 2026-03-31 09:00:00Z (CHG7, granted by dana)"]
    );
}

#[test]
fn a_sweep_after_the_end_takes_it_back_whoever_put_them_in() {
    let firm = firm().groups(["APP-LEGAL"]);
    let over = with(eng(&firm).member_of(&["APP-LEGAL"]), grant("APP-LEGAL", ENDED));
    assert_eq!(sorted(&firm, std::slice::from_ref(&over)).movers.len(), 1);
    let plan = firm.mover(&over);
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 remove    okta       remove-member APP-LEGAL              halt     after

"#]]
    );
    assert_eq!(plan.steps[0].why, "an exception that ended 2026-03-02 09:00:00Z (CHG7)");
    assert_eq!(
        drifted(&firm, &[over]),
        ["drift in APP-LEGAL, an exception that ended 2026-03-02 09:00:00Z (CHG7)"]
    );
}

#[test]
fn an_accumulated_role_is_explained_and_a_new_job_does_not_take_it() {
    let firm = firm();
    let who = with(eng(&firm).member_of(&["ROLE-OPS"]), grant("ROLE-OPS", RUNS)).department("Sales");
    assert_data_eq!(
        firm.mover(&who).brief(),
        str![[r#"
 0 remove    okta       remove-member ROLE-ENG               halt     after
 1 add       okta       add-member ROLE-SALES                owe      after 0

"#]]
    );
}

#[test]
fn where_policy_gives_it_the_end_takes_nothing() {
    let firm = firm();
    let who = with(eng(&firm), grant("ROLE-ENG", ENDED));
    assert!(firm.mover(&who).is_empty());
    assert_eq!(drifted(&firm, &[who]), Vec::<String>::new());
}

#[test]
fn a_group_that_is_gone_or_became_an_admins_gives_nothing() {
    let mut firm = firm().groups(["APP-ADMIN"]);
    if let Observed::Present(groups) = &mut firm.tenant.groups {
        groups.get_mut("00g-APP-ADMIN").unwrap().admin = true;
    }
    for name in ["APP-ADMIN", "APP-GONE"] {
        assert!(firm.mover(&with(eng(&firm), grant(name, RUNS))).is_empty(), "{name}");
    }
}

#[test]
fn a_leaver_keeps_no_exception() {
    let firm = firm().groups(["APP-LEGAL"]);
    let who = with(eng(&firm).member_of(&["APP-LEGAL"]), grant("APP-LEGAL", RUNS)).terminated("2026-03-01");
    assert!(firm.leaver(&who).brief().contains("remove-member APP-LEGAL"));
}

#[test]
fn who_may_be_granted_what() {
    let mut firm = firm()
        .groups(["APP-LEGAL", "APP-ADMIN", "APP-RULE"])
        .rule("R", "APP-RULE", "user.title==\"x\"", &[])
        .protect("root", "break-glass");
    if let Observed::Present(groups) = &mut firm.tenant.groups {
        groups.get_mut("00g-APP-ADMIN").unwrap().admin = true;
    }
    let said = |who: &Someone, group: &str, until: &str| {
        let ask = Ask {
            group,
            until: when(until),
            ticket: "CHG7",
            by: "dana",
        };
        match exceptions::grant(&who.seen.person, ask, &firm.policy, &firm.tenant, firm.now) {
            Ok((grant, warning)) => format!("{} {}", grant.until, warning.unwrap_or_default()),
            Err(refusal) => refusal.to_string(),
        }
    };
    let ann = eng(&firm);
    let lines = [
        // The day is granted whole, where the worker is (Chicago).
        said(&ann, "APP-LEGAL", "2026-03-31"),
        said(&ann, "APP-LEGAL", "2026-03-02T09:06Z"),
        said(&ann, "APP-RULE", "2026-03-31"),
        said(&ann, "APP-LEGAL", "2026-03-01"),
        said(&ann, "APP-LEGAL", "2062-03-31"),
        said(&ann, "ROLE-ENG", "2026-03-31"),
        said(&ann, "APP-ADMIN", "2026-03-31"),
        said(&ann, "Everyone", "2026-03-31"),
        said(&ann, "APP-NOWHERE", "2026-03-31"),
        said(&eng(&firm).terminated("2026-03-01"), "APP-LEGAL", "2026-03-31"),
        said(&eng(&firm).hr(Hr::Missing), "APP-LEGAL", "2026-03-31"),
        said(&firm.person("root"), "APP-LEGAL", "2026-03-31"),
        said(
            &eng(&firm).status(Status::Deprovisioned, &[]),
            "APP-LEGAL",
            "2026-03-31",
        ),
    ];
    assert_data_eq!(
        lines.join("\n"),
        str![[r#"
2026-04-01 05:00:00 UTC 
2026-03-02 09:06:00 UTC 
2026-04-01 05:00:00 UTC rule "R" may fill APP-RULE: taken back at the end, they land on its exclusion list
ann@acme.example is granted no exception for APP-LEGAL: 2026-03-02 06:00:00Z is past
ann@acme.example is granted no exception for APP-LEGAL: 2062-04-01 05:00:00Z is more than a year away; what somebody needs longer is a rule of the policy
ann@acme.example is granted no exception for ROLE-ENG: policy gives it already (department Engineering)
ann@acme.example is granted no exception for APP-ADMIN: it carries an admin role in Okta
group Everyone (the exception) is not an Okta group
ann@acme.example is granted no exception for APP-NOWHERE: Okta has no group of that name
ann@acme.example has left by HR (terminationDate 2026-03-01)
ann@acme.example is not in the roster, which does not say that they have left
root@acme.example is protected: break-glass
ann@acme.example is DEPROVISIONED
"#]]
    );
}
