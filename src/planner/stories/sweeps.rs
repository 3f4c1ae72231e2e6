use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use snapbox::{assert_data_eq, str};

use super::firm::*;
use crate::{
    model::{policy::OnLeave, system::OKTA, *},
    planner::{
        employment,
        guards::{Distrust, Memory, canaries, fill},
        leave,
        sweep::{Facts, Lanes, Shown, causes, managed_groups, sort},
    },
};

const LEFT: &str = "2026-03-02T09:00Z";

pub(super) fn facts(people: &[Someone]) -> Facts {
    let mut facts = Facts::default();
    for Someone { seen } in people {
        let groups = seen.account(&OKTA).into_iter().flat_map(|a| a.held(Holding::Group));
        facts
            .held
            .insert(seen.person.id.clone(), groups.map(|g| g.id.clone()).collect());
        facts.people.push(seen.person.clone());
    }
    facts
}

fn sorted(firm: &Firm, facts: &Facts) -> Lanes {
    sort(facts, &firm.policy, &firm.tenant, &limits(), firm.now).unwrap_or_else(|d| panic!("{d}"))
}

/// One line a person and lane, as a reviewer reads it.
fn brief(lanes: &Lanes) -> String {
    let mut out = String::new();
    for (lane, all) in [
        ("leaver", &lanes.leavers),
        ("leave", &lanes.leave),
        ("mover", &lanes.movers),
        ("joiner", &lanes.joiners),
    ] {
        for d in all {
            out += &format!("{lane:<9} {} {:?}\n", d.login, d.why);
        }
    }
    for f in &lanes.future {
        out += &format!("future    {}\n", f.text());
    }
    let shown: [(&str, &[Shown]); 5] = [
        ("aside", &lanes.set_aside),
        ("protected", &lanes.protected),
        ("unread", &lanes.unread),
        ("settling", &lanes.settling),
        ("named", &lanes.named),
    ];
    for (lane, all) in shown {
        for s in all {
            out += &format!("{lane:<9} {}: {}\n", s.login, s.text);
        }
    }
    out
}

fn due(firm: &Firm, people: &[Someone]) -> String {
    brief(&sorted(firm, &facts(people)))
}

fn settled(firm: &Firm, name: &str) -> Someone {
    firm.person(name).member_of(&["BR-ALL-EMPLOYEES", "ROLE-ENG"])
}

#[test]
fn everybody_has_a_lane() {
    let firm = firm().protect("root", "break-glass");
    let people = [
        settled(&firm, "anna"),
        settled(&firm, "leo").terminated(LEFT),
        settled(&firm, "fay").terminated("2026-04-01"),
        settled(&firm, "max").department("Sales"),
        firm.person("nora").worker(|w| w.hired = Some(when("2026-03-02"))),
        firm.person("vera").worker(|w| w.hired = Some(when("2026-03-09"))),
        settled(&firm, "root").terminated(LEFT),
        settled(&firm, "dan").department("Basket Weaving"),
        settled(&firm, "ida").hr(Hr::Missing),
        settled(&firm, "kim").worker(|w| w.fault = Some("two rows disagree".to_owned())),
        settled(&firm, "pat").worker(|w| w.employment = Employment::OnLeave),
        settled(&firm, "sam").status(Status::Suspended, &["deactivate"]),
    ];
    assert_data_eq!(
        due(&firm, &people),
        str![[r#"
leaver    leo@acme.example Left
mover     max@acme.example Left
joiner    nora@acme.example Left
future    vera@acme.example starts at 2026-03-09 05:00:00Z (hireDate 2026-03-09)
future    fay@acme.example leaves at 2026-04-02 05:00:00Z (terminationDate 2026-04-01)
aside     dan@acme.example: dan@acme.example: department "Basket Weaving" has no code in policy
aside     kim@acme.example: kim@acme.example: the sources contradict themselves: two rows disagree
protected root@acme.example: protected (break-glass), and HR says that they left at 2026-03-02 09:00:00Z: needs an approver
named     ida@acme.example: ACTIVE in Okta, missing from the roster since 2026-03-02 09:05:00Z
named     pat@acme.example: on leave: nothing is done, by policy
named     sam@acme.example: SUSPENDED in Okta, while HR says active; jml does not lift it

"#]]
    );
}

#[test]
fn all_seven_live_statuses_are_caught() {
    let firm = firm();
    let people: Vec<Someone> = Status::ALL
        .iter()
        .map(|s| {
            firm.person(&format!("p-{s}").to_lowercase())
                .status(*s, &[])
                .terminated(LEFT)
        })
        .collect();
    let lanes = sorted(&firm, &facts(&people));
    assert_eq!(lanes.leavers.len(), 7, "{}", brief(&lanes));
    assert_eq!(lanes.leaving().len(), 7);
}

#[test]
fn the_earliest_leaving_comes_first() {
    let firm = firm();
    let people = [
        settled(&firm, "b").terminated("2026-03-02T09:00Z"),
        settled(&firm, "a").terminated("2026-03-02T09:04Z"),
        settled(&firm, "c").terminated("2026-03-01T09:00Z"),
    ];
    let lanes = sorted(&firm, &facts(&people));
    let order: Vec<&str> = lanes.leavers.iter().map(|d| &d.login[..1]).collect();
    assert_eq!(order, ["c", "b", "a"]);
}

#[test]
fn shut_by_hand_with_groups_left_is_a_leaver_and_an_old_one_is_not() {
    let firm = firm();
    let shut = |name: &str| {
        firm.person(name)
            .status(Status::Deprovisioned, &[])
            .terminated("2026-02-01")
    };
    let people = [shut("dora").member_of(&["ROLE-OPS"]), shut("old")];
    assert_data_eq!(
        due(&firm, &people),
        str![[r#"
leaver    dora@acme.example Shut

"#]]
    );
}

#[test]
fn shut_since_the_last_sweep_without_a_finished_run_is_looked_at_once() {
    let firm = firm();
    let mut dora = firm.person("dora").status(Status::Deprovisioned, &[]).terminated(LEFT);
    dora.seen.person.status_changed = Some(at("2026-03-02T09:02Z"));
    let mut facts = facts(&[dora]);
    let last = |text: &str| Some((at(text), Memory::default()));
    facts.last = last("2026-03-02T09:00Z");
    assert_eq!(sorted(&firm, &facts).leavers.len(), 1);
    let id = PersonId("00u-dora".to_owned());
    facts.finished.insert(id.clone(), at("2026-03-02T09:03Z"));
    assert_eq!(sorted(&firm, &facts).leavers.len(), 0, "finished");
    facts.finished.clear();
    facts.last = last("2026-03-02T09:04Z");
    assert_eq!(sorted(&firm, &facts).leavers.len(), 0, "seen before");
    facts.open.insert(id, Flow::Leaver);
    assert_eq!(sorted(&firm, &facts).leavers.len(), 1, "an owed run stays due");
}

#[test]
fn whoever_was_closed_and_is_live_again_is_named_and_due() {
    let firm = firm();
    let jo = settled(&firm, "jo").terminated(LEFT);
    let mut facts = facts(&[jo]);
    facts
        .finished
        .insert(PersonId("00u-jo".to_owned()), at("2026-03-01T09:00Z"));
    let shown = brief(&sorted(&firm, &facts));
    assert!(
        shown.contains("was closed 2026-03-01 09:00:00Z, and is ACTIVE again: somebody gave access back"),
        "{shown}"
    );
    assert!(shown.contains("leaver    jo@acme.example"), "{shown}");
}

#[test]
fn an_override_outranks_hr_until_hr_agrees() {
    // C42
    let firm = firm();
    let mut again = facts(&[settled(&firm, "jo")]);
    again.overridden.insert(PersonId("00u-jo".to_owned()));
    assert_data_eq!(
        brief(&sorted(&firm, &again)),
        str![[r#"
leaver    jo@acme.example Reversed
named     jo@acme.example: left by override, and is ACTIVE again: the override outranks HR

"#]]
    );
    let mut shut = facts(&[firm.person("jo").status(Status::Deprovisioned, &[])]);
    shut.overridden.insert(PersonId("00u-jo".to_owned()));
    assert_data_eq!(
        brief(&sorted(&firm, &shut)),
        str![[r#"
named     jo@acme.example: left by override, which HR has not confirmed yet

"#]]
    );
}

#[test]
fn absent_from_the_roster_since_the_first_sweep_that_missed_them() {
    // C09
    let firm = firm();
    let mut facts = facts(&[settled(&firm, "ida").hr(Hr::Missing)]);
    let since: DateTime<Utc> = at("2026-02-27T08:00Z");
    facts.missing.insert(PersonId("00u-ida".to_owned()), since);
    let lanes = sorted(&firm, &facts);
    assert_eq!(lanes.missing.values().collect::<Vec<_>>(), [&since]);
    assert_data_eq!(
        brief(&lanes),
        str![[r#"
named     ida@acme.example: ACTIVE in Okta, missing from the roster since 2026-02-27 08:00:00Z

"#]]
    );
}

#[test]
fn a_conversion_is_named_and_moves() {
    // C08
    let firm = firm();
    let gil = firm.person("gil").member_of(&["BR-CONTRACTORS", "ROLE-ENG"]);
    let hr = Hr::Converted {
        worker: Box::new(gil.seen.person.worker().expect("a worker").clone()),
        ended: "C-310".to_owned(),
    };
    assert_data_eq!(
        due(&firm, &[gil.hr(hr)]),
        str![[r#"
mover     gil@acme.example Left
named     gil@acme.example: a conversion, not a leaving: record C-310 ended, record W-gil is live

"#]]
    );
}

#[test]
fn one_record_for_two_people_is_nobodys() {
    let firm = firm();
    let people = ["a", "b"].map(|n| {
        settled(&firm, n)
            .terminated(LEFT)
            .worker(|w| w.key = "10077".to_owned())
    });
    let lanes = sorted(&firm, &facts(&people));
    assert_eq!((lanes.leavers.len(), lanes.set_aside.len()), (0, 2));
}

#[test]
fn a_record_that_is_still_written_waits_but_a_leaver_never_does() {
    let firm = firm().policy(|p| p.settle = std::time::Duration::from_secs(60));
    let fresh = |s: Someone| s.worker(|w| w.changed = Some(at("2026-03-02T09:04:30Z")));
    let people = [
        fresh(settled(&firm, "max").department("Sales")),
        fresh(settled(&firm, "leo").terminated(LEFT)),
    ];
    assert_data_eq!(
        due(&firm, &people),
        str![[r#"
leaver    leo@acme.example Left
settling  max@acme.example: the record changed 2026-03-02 09:04:30Z, and may still be written

"#]]
    );
}

#[test]
fn leave_is_not_leaving() {
    // C43
    let firm = firm().policy(|p| p.on_leave = OnLeave::Suspend);
    let kaz = settled(&firm, "kaz").worker(|w| w.employment = Employment::OnLeave);
    assert_data_eq!(
        due(&firm, std::slice::from_ref(&kaz)),
        str![[r#"
leave     kaz@acme.example Left

"#]]
    );
    let plan = firm.converges(&kaz, |seen, now| leave(seen, &firm.policy, now));
    assert_data_eq!(
        plan.brief(),
        str![[r#"
 0 contain   okta       suspend                              continue after
 1 contain   okta       clear-sessions                       continue after 0

"#]]
    );
    assert!(
        due(&firm, &[kaz.status(Status::Suspended, &[])]).contains("named     kaz@acme.example: on leave, suspended")
    );
    let refusal = leave(&settled(&firm, "bob").seen, &firm.policy, firm.now).expect_err("a refusal");
    assert_data_eq!(refusal.to_string(), str!["bob@acme.example: HR says active"]);
}

#[test]
fn a_rehire_is_named_not_done() {
    let firm = firm();
    let una = firm
        .person("una")
        .status(Status::Deprovisioned, &[])
        .worker(|w| w.hired = Some(when("2026-03-01")));
    assert_data_eq!(
        due(&firm, &[una]),
        str![[r#"
named     una@acme.example: HR says active, DEPROVISIONED in Okta: jml joiner una@acme.example --rehire --activate

"#]]
    );
    let former = firm.person("otto").status(Status::Deprovisioned, &[]);
    assert_data_eq!(due(&firm, &[former]), str![""]);
}

#[test]
fn a_group_that_was_not_read_changes_nobody_who_needs_it() {
    // C21
    let firm = firm();
    let mut facts = facts(&[
        settled(&firm, "max").department("Sales"),
        settled(&firm, "ops").department("Operations"),
    ]);
    facts
        .unread
        .insert("00g-ROLE-SALES".to_owned(), Failure::transient("page 2", "500"));
    assert_data_eq!(
        brief(&sorted(&firm, &facts)),
        str![[r#"
mover     ops@acme.example Left
unread    max@acme.example: the members of ROLE-SALES were not read (500)

"#]]
    );
}

#[test]
fn nobody_at_all_is_not_believed() {
    // C20
    let firm = firm();
    let facts = Facts {
        last: Some((
            at(LEFT),
            Memory {
                people: 2200,
                ..Memory::default()
            },
        )),
        ..Facts::default()
    };
    let distrust = sort(&facts, &firm.policy, &firm.tenant, &limits(), firm.now).expect_err("distrust");
    assert_data_eq!(
        distrust.to_string(),
        str![
            "the roster answered with 0 people, 2200 in the last good read; likely cause: jml's app has no admin role"
        ]
    );
}

fn crowd(firm: &Firm, n: usize, change: impl Fn(usize, &mut Worker)) -> Facts {
    facts(
        &(0..n)
            .map(|i| settled(firm, &format!("p{i:04}")).worker(|w| change(i, w)))
            .collect::<Vec<_>>(),
    )
}

fn memory(facts: &Facts, firm: &Firm) -> Memory {
    Memory {
        people: facts.people.len(),
        fill: fill(facts.people.iter().filter_map(Person::worker), &firm.policy),
        policy: "one".to_owned(),
        canaries: canaries(&facts.people),
    }
}

#[test]
fn a_short_read_is_not_believed_and_a_few_less_are() {
    // C22
    let firm = firm();
    let leaves = |i: usize, w: &mut Worker| w.terminated = (i < 30).then(|| when("2026-12-31"));
    let all = crowd(&firm, 300, leaves);
    let with = |mut facts: Facts| {
        facts.last = Some((at(LEFT), memory(&all, &firm)));
        sort(&facts, &firm.policy, &firm.tenant, &limits(), firm.now)
    };
    assert!(with(crowd(&firm, 290, leaves)).is_ok());
    assert_eq!(
        with(crowd(&firm, 250, leaves)),
        Err(Distrust::Short { now: 250, before: 300 })
    );
}

#[test]
fn a_column_that_is_empty_everywhere_is_not_believed() {
    // C10
    let firm = firm();
    let before = crowd(&firm, 500, |i, w| w.terminated = (i < 41).then(|| when("2026-12-31")));
    let mut after = crowd(&firm, 500, |_, _| {});
    // A first read of nothing is an error as well.
    let distrust = sort(&after, &firm.policy, &firm.tenant, &limits(), firm.now).expect_err("distrust");
    assert_data_eq!(
        distrust.to_string(),
        str!["terminationDate is filled for 0 of 500 people, and policy branches on it: is it mapped?"]
    );
    after.last = Some((at(LEFT), memory(&before, &firm)));
    let distrust = sort(&after, &firm.policy, &firm.tenant, &limits(), firm.now).expect_err("distrust");
    assert_data_eq!(
        distrust.to_string(),
        str!["terminationDate is filled for 0 people, for 41 in the last good read; policy branches on it"]
    );
    // A third of those who were to leave are gone: nothing strange.
    let mut less = crowd(&firm, 500, |i, w| w.terminated = (i < 28).then(|| when("2026-12-31")));
    less.last = after.last;
    assert!(sort(&less, &firm.policy, &firm.tenant, &limits(), firm.now).is_ok());
}

#[test]
fn many_rows_that_contradict_themselves_are_one_bad_source() {
    // C05
    let firm = firm();
    let copied = crowd(&firm, 500, |_, w| w.terminated = w.hired);
    let distrust = sort(&copied, &firm.policy, &firm.tenant, &limits(), firm.now).expect_err("distrust");
    assert_data_eq!(
        distrust.to_string(),
        str![
            "500 of 500 people contradict themselves; the limit is 5. First: p0000@acme.example: the sources contradict themselves: HR says active, and terminationDate 2020-01-06 has passed"
        ]
    );
    // C04: a few are set aside, each by name.
    let few = crowd(&firm, 500, |i, w| {
        w.terminated = if i < 3 {
            w.hired
        } else {
            (i < 40).then(|| when("2026-12-31"))
        };
    });
    assert_eq!(sorted(&firm, &few).set_aside.len(), 3);
}

#[test]
fn canaries_must_be_found_again() {
    let firm = firm();
    let mut facts = crowd(&firm, 40, |i, w| w.terminated = (i > 30).then(|| when("2026-12-31")));
    let known = canaries(&facts.people);
    assert_eq!(known.len(), 3);
    let mut memory = memory(&facts, &firm);
    memory.canaries = vec![
        "x@acme.example".to_owned(),
        "y@acme.example".to_owned(),
        known[0].clone(),
    ];
    facts.last = Some((at(LEFT), memory));
    assert!(matches!(
        sort(&facts, &firm.policy, &firm.tenant, &limits(), firm.now),
        Err(Distrust::Canaries { missing }) if missing.len() == 2
    ));
}

#[test]
fn causes_name_the_minute_the_policy_and_the_canary() {
    // C39, and the screen of the brake
    let firm = firm();
    let people: Vec<Someone> = (0..5)
        .map(|i| settled(&firm, &format!("p{i}")).terminated(LEFT))
        .collect();
    let mut facts = facts(&people);
    let memory = Memory {
        people: 5,
        policy: "one".to_owned(),
        canaries: vec!["p3@acme.example".to_owned()],
        ..Memory::default()
    };
    facts.last = Some((at(LEFT), memory));
    let lanes = sorted(&firm, &facts);
    assert_data_eq!(
        causes(&facts, &lanes, "two").join("\n"),
        str![[r#"
the policy's digest changed since the last sweep; 0 of the 0 movers changed in HR since
5 of the 5 leavers were recorded in the same minute (2026-03-02 09:03Z)
canary p3@acme.example is among the leavers
"#]]
    );
    assert_eq!(causes(&facts, &lanes, "one").len(), 2);
}

#[test]
fn the_groups_to_read_are_the_managed_ones() {
    let firm = firm()
        .groups(["ROLE-LEGACY", "zz-other", "zz-given"])
        .group("ROLE-AD", GroupKind::AppGroup);
    let given = BTreeMap::from([(
        PersonId("00u-x".to_owned()),
        BTreeSet::from([(OKTA, "00g-zz-given".to_owned())]),
    )]);
    let names = managed_groups(&firm.policy, &firm.tenant, &given, &BTreeMap::new());
    assert_data_eq!(
        names.into_iter().collect::<Vec<_>>().join("\n"),
        str![[r#"
00g-BR-ALL-EMPLOYEES
00g-BR-CONTRACTORS
00g-ROLE-ENG
00g-ROLE-LEGACY
00g-ROLE-OPS
00g-ROLE-SALES
00g-zz-given
"#]]
    );
}

#[test]
fn ended_records_of_one_human_leave_the_latest() {
    let firm = firm();
    let record = |key: &str, date: &str| {
        let mut w = firm.person("x").seen.person.worker().expect("a worker").clone();
        w.key = key.to_owned();
        w.universal = Some("U-1".to_owned());
        w.employment = Employment::Terminated;
        w.terminated = Some(when(date));
        w
    };
    let hr = employment::settle(vec![record("A", "2026-03-01"), record("B", "2019-03-01")]);
    assert!(matches!(hr, Hr::Known(w) if w.key == "A"));
    assert_eq!(employment::settle(vec![]), Hr::Missing);
}
