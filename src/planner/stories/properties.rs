//! What holds of every plan, whoever the person is.

use proptest::prelude::*;

use super::firm::*;
use crate::{
    model::*,
    planner::{Ask, Welcome, check, joiner, leaver, mover},
};

const GROUPS: [&str; 7] = [
    "BR-ALL-EMPLOYEES",
    "BR-CONTRACTORS",
    "ROLE-ENG",
    "ROLE-SALES",
    "ROLE-OPS",
    "zz-club",
    "AD-Finance",
];
const APPS: [&str; 4] = ["Jira", "GitHub", "BI", "Old CRM"];

fn world() -> Firm {
    firm()
        .slack()
        .target("zoom", &[Verb::Deactivate])
        .target("wiki", &[])
        .channels(&["sre", "sales"])
        .groups(["zz-club"])
        .group("AD-Finance", GroupKind::AppGroup)
        .app("Jira", &["ROLE-ENG", "ROLE-SALES"])
        .app("GitHub", &["ROLE-ENG"])
        .app_with("BI", &["zz-club"], &[])
        .app("Old CRM", &[])
        .rule("clubs", "zz-club", "isMemberOfGroupName(\"ROLE-OPS\")", &[])
        .policy(|p| {
            p.rules.push(PolicyRule {
                when: [("department".to_owned(), "Sales".to_owned())].into(),
                groups: vec![],
                gives: [(System::of("slack"), vec!["#sales".to_owned()])].into(),
            });
        })
}

prop_compose! {
    /// Anybody: some groups, some apps, some accounts, some of it unread.
    fn somebody()(
        groups in proptest::sample::subsequence(GROUPS.to_vec(), 0..=GROUPS.len()),
        apps in proptest::sample::subsequence(APPS.to_vec(), 0..=APPS.len()),
        direct in any::<bool>(),
        status in proptest::sample::select(Status::ALL.to_vec()),
        suspendable in any::<bool>(),
        accounts in proptest::collection::vec(0..4u8, 3),
        channel in any::<bool>(),
        unread in proptest::option::of(proptest::sample::select(vec![Holding::Group, Holding::App, Holding::Token])),
        department in proptest::sample::select(vec!["Engineering", "Sales", "Operations"]),
        contractor in any::<bool>(),
    ) -> Someone {
        let firm = world();
        let offers: &[&str] = if suspendable { &["suspend", "deactivate"] } else { &["deactivate"] };
        let mut who = firm.person("any").member_of(&groups).status(status, offers).department(department);
        for app in apps {
            who = who.assigned(app, if direct { "USER" } else { "GROUP" });
        }
        for (system, how) in ["slack", "zoom", "wiki"].into_iter().zip(accounts) {
            who = match how {
                0 => who,
                1 => who.unreadable(system),
                2 => who.has(system),
                _ => who.has(system).account(system, |a| a.blocked = Some("an owner".to_owned())),
            };
            if system == "slack" && channel && how >= 2 {
                who = who.in_channels(&["sales", "sre"]);
            }
        }
        if let Some(kind) = unread {
            who = who.part_unknown(kind, Failure::transient("okta", "503"));
        }
        if contractor {
            who = who.worker(|w| w.worker_type = Some("contractor".to_owned()));
        }
        who
    }
}

fn plans(firm: &Firm, who: &Someone) -> Vec<Plan> {
    let gone = who.clone().terminated("2026-03-02T09:00Z");
    let ask = |hostile| Ask {
        hostile,
        ..Ask::default()
    };
    let welcome = Welcome {
        activate: true,
        rehire: true,
        restore: false,
    };
    [
        Some(firm.leaver_asking(&gone, &ask(false))),
        Some(firm.leaver_asking(&gone, &ask(true))),
        mover(&who.seen, &firm.policy, firm.now).ok().map(|_| firm.mover(who)),
        joiner(&who.seen, &firm.policy, firm.now, welcome)
            .ok()
            .map(|_| firm.joiner(who, welcome)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The builder applies each plan, lints it, plans again and demands nothing: this runs that over everybody.
    #[test]
    fn every_plan_converges_and_none_is_unlawful(who in somebody()) {
        let firm = world();
        let all = plans(&firm, &who);
        prop_assert!(all.len() >= 2);
        for plan in all {
            let fatal = check(&plan, &firm.policy, &who.seen).into_iter().filter(|n| n.severity == Severity::Fatal).count();
            prop_assert_eq!(fatal, 0, "{}", plan.brief());
        }
    }

    #[test]
    fn a_leaver_touches_every_present_account(who in somebody()) {
        let firm = world();
        let plan = firm.leaver(&who.clone().terminated("2026-03-02T09:00Z"));
        for (system, seen) in &who.seen.systems {
            let live = match &seen.account {
                Observed::Present(a) => a.state != State::Closed,
                Observed::Unknown(_) => true,
                Observed::Absent => false,
            };
            let touched = plan.steps.iter().any(|s| s.effect.system == *system);
            prop_assert!(!live || touched, "{system} is forgotten:\n{}", plan.brief());
        }
    }

    #[test]
    fn removals_come_before_adds(who in somebody()) {
        let firm = world();
        if mover(&who.seen, &firm.policy, firm.now).is_err() {
            return Ok(());
        }
        let plan = firm.mover(&who);
        let ready = |phase| move |(no, s): (usize, &Step)| (s.phase == phase && s.waits.is_none()).then_some(no);
        let removals: Vec<usize> = plan.steps.iter().enumerate().filter_map(ready(Phase::Remove)).collect();
        for add in plan.steps.iter().enumerate().filter_map(ready(Phase::Add)) {
            prop_assert!(removals.iter().all(|r| plan.steps[add].after.contains(r)), "{}", plan.brief());
        }
    }

    #[test]
    fn a_plans_id_depends_on_the_facts_alone(who in somebody(), minutes in 0i64..600) {
        let firm = world();
        let gone = who.terminated("2026-03-02T09:00Z");
        let later = firm.now + chrono::TimeDelta::minutes(minutes);
        let (a, b) = (
            leaver(&gone.seen, &firm.policy, firm.now, &Ask::default()),
            leaver(&gone.seen, &firm.policy, later, &Ask::default()),
        );
        prop_assert_eq!(a.expect("a plan").id(), b.expect("a plan").id());
    }
}
