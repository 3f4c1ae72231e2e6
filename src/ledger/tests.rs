//! One suite over every store, and what only a file can show.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::DateTime;

use super::*;
use crate::model::{
    Account, Action, AppChanges, Effect, Flow, Grant, Held, Holding, Manifest, OnFailure, Outcome, PersonId,
    PersonResult, Phase, Plan, Record, Step, System, What, system::OKTA,
};

pub(super) fn step(action: Action, phase: Phase, after: &[usize]) -> Step {
    Step {
        phase,
        effect: Effect {
            system: OKTA,
            account: "00u1".into(),
            action,
        },
        after: after.to_vec(),
        on_failure: OnFailure::Continue,
        why: "leaves".into(),
        waits: None,
    }
}

pub(super) fn group(name: &str) -> Held {
    Held::new(Holding::Group, format!("00g{name}"), name)
}

pub(super) fn plan(flow: Flow, steps: Vec<Step>) -> Plan {
    Plan {
        held: None,
        tenant: "00o1".into(),
        flow,
        person: Some(PersonId("00u1".into())),
        login: "alice@acme.example".into(),
        name: "Alice Andersson".into(),
        steps,
        expects: vec![],
        notes: vec![],
        effective: None,
        clock: None,
        due: None,
        reason: "HR: terminated".into(),
        apps: AppChanges::default(),
    }
}

pub(super) fn leaver() -> Plan {
    plan(
        Flow::Leaver,
        vec![
            step(Action::Suspend, Phase::Contain, &[]),
            step(Action::ClearSessions, Phase::Contain, &[0]),
            step(
                Action::RemoveMember {
                    group: group("ROLE-ENG"),
                },
                Phase::Remove,
                &[1],
            ),
            step(Action::Deactivate, Phase::Close, &[2]),
        ],
    )
}

pub(super) fn planned(plan: Plan) -> Body {
    Body::Planned {
        subject: "00u1".into(),
        plan,
        manifest: Manifest::default(),
    }
}
pub(super) fn started(step: usize) -> Body {
    Body::Started {
        subject: "00u1".into(),
        step,
    }
}
pub(super) fn finished(step: usize, outcome: Outcome) -> Body {
    Body::Finished {
        subject: "00u1".into(),
        step,
        outcome,
        receipt: None,
    }
}
pub(super) fn verified(step: usize) -> Body {
    Body::Verified {
        subject: "00u1".into(),
        step,
    }
}
pub(super) fn closed(result: PersonResult) -> Body {
    Body::Closed {
        subject: "00u1".into(),
        result,
    }
}
pub(super) fn opened(kind: &str) -> Body {
    Body::Opened(Opened {
        kind: kind.into(),
        operator: "dana".into(),
        consent: "--yes".into(),
        config: String::new(),
        policy: String::new(),
        version: "0".into(),
        reason: None,
        ticket: None,
        role: None,
        former: None,
    })
}
pub(super) fn account(state: crate::model::State) -> Account {
    Account {
        id: "00u1".into(),
        login: "alice@acme.example".into(),
        state,
        word: String::new(),
        holds: Default::default(),
        blocked: None,
        known_as: Default::default(),
        password_set: None,
    }
}
pub(super) fn record(key: &str) -> Record {
    Record {
        key: key.into(),
        run: "r-1".into(),
        login: None,
        at: DateTime::UNIX_EPOCH,
        what: What::Incident {
            title: "left open".into(),
            text: String::new(),
        },
    }
}
pub(super) fn draft(run: &str, body: Body) -> Draft {
    Draft {
        run: run.into(),
        operator: "dana".into(),
        body,
    }
}
pub(super) fn drafts(run: &str, bodies: impl IntoIterator<Item = Body>) -> Vec<Draft> {
    bodies.into_iter().map(|b| draft(run, b)).collect()
}

/// A second an hour of reading it.
pub(super) fn clock() -> Clock {
    let n = Arc::new(AtomicI64::new(1_772_000_000));
    Arc::new(move || DateTime::from_timestamp(n.fetch_add(1, Ordering::SeqCst), 123_456_789).unwrap())
}
pub(super) fn meta() -> Meta {
    Meta {
        tenant: "00o1".into(),
        host: "ops-1".into(),
    }
}

/// Every store: as a task, as a thread, and on a server where there is one. What is `embedded` needs locks that only one host has.
macro_rules! over_all {
    (embedded: $($name:ident),*; shared: $($both:ident),* $(,)?) => {
        over_all!(@ $($name,)* $($both),*);
        mod postgres {
            $(#[tokio::test]
            #[ignore = "wants JML_POSTGRES: .ci/postgres starts a server"]
            async fn $both() {
                let fresh = Fresh::made().await;
                super::$both(|| fresh.ledger()).await;
            })*
            use crate::ledger::store::postgres::tests::Fresh;
        }
    };
    (@ $($name:ident),*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                let store = Memory::new();
                super::$name(|| Ledger::local(store.clone(), meta(), clock()).unwrap()).await;
            })*
            use super::*;
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("state/00o1.db");
                super::$name(|| Ledger::open(&path, None, meta(), clock()).unwrap()).await;
            })*
            use super::*;
        }
    };
}

over_all!(
    embedded: a_dead_run_is_taken_over_at_once;
    shared: a_leaver_is_remembered,
    a_lease_has_one_holder_and_the_next_a_higher_token,
    names_from_outside_may_hold_anything,
    many_entries_are_read_page_by_page,
    a_run_is_worked_on_by_one_process,
    a_refused_batch_leaves_no_trace,
    two_writers_make_one_chain,
    a_pause_refuses_what_begins_and_takes_what_ended,
    another_tenants_ledger_is_refused,
    time_is_kept_to_the_millisecond,
    history_is_what_was_done_to_a_person,
    links_outrank_what_was_seen,
    an_exception_lasts_until_it_is_taken_back_or_they_leave,
    the_outbox_spans_runs,
    a_sweep_finds_the_last_good_one,
    runs_are_listed_with_what_is_open,
    the_sla_tells_where_the_time_went,
    entries_are_paged_and_filtered,
);

const ALICE: &str = "00u1";

fn person(id: &str) -> Vec<Subject> {
    vec![id.to_owned()]
}

async fn write(ledger: &Ledger, run: &str, bodies: impl IntoIterator<Item = Body>) -> Vec<Seq> {
    ledger.append(&Guard::default(), drafts(run, bodies)).await.unwrap()
}

async fn a_lease_has_one_holder_and_the_next_a_higher_token(open: impl Fn() -> Ledger) {
    let (one, two) = (open(), open());
    write(&one, "r-1", [opened("leaver")]).await;
    let first = one.lease(&person(ALICE), "r-1").await.unwrap();
    let error = two.lease(&person(ALICE), "r-2").await.unwrap_err();
    let LedgerError::LeaseHeld { by, host, run, pid, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((by.as_str(), host.as_str(), run.as_str()), ("dana", "ops-1", "r-1"));
    assert_eq!(*pid, std::process::id());
    assert!(
        error.to_string().starts_with("run r-1 by dana on ops-1 (process "),
        "{error}"
    );
    // Nothing of a lease is granted where one subject is held; others are free.
    two.lease(&["00u0".into(), ALICE.into()], "r-2").await.unwrap_err();
    let other = two.lease(&person("00u0"), "r-3").await.unwrap();
    assert_eq!(other.guard().fences[0].token, 1);

    let lost = first.guard();
    first.release().await.unwrap();
    let second = two.lease(&person(ALICE), "r-2").await.unwrap();
    assert_eq!(second.guard().fences[0].token, 2);
    let refused = one.append(&lost, drafts("r-1", [opened("leaver")])).await;
    assert_eq!(refused, Err(LedgerError::LeaseLost { subject: ALICE.into() }));
    let bodies = drafts("r-2", [planned(leaver())]);
    let entry = two.append_entries(&second.guard(), bodies).await.unwrap().remove(0);
    assert_eq!(entry.envelope.fence, Some(2));
}

async fn a_dead_run_is_taken_over_at_once(open: impl Fn() -> Ledger) {
    let one = open();
    let mut lease = one.lease(&person(ALICE), "r-1").await.unwrap();
    let stale = lease.guard();
    // As a kill leaves it: the row says held, and nobody holds the lock.
    lease.forget();
    one.ask(|k| {
        k.locks.clear();
        Ok(())
    })
    .await
    .unwrap();
    let two = open();
    let taken = two.lease(&person(ALICE), "r-1").await.unwrap();
    assert_eq!(taken.guard().fences[0].token, 2);
    taken.release().await.unwrap();
    let third = two.lease(&person(ALICE), "r-2").await.unwrap();
    assert_eq!(third.guard().fences[0].token, 3);
    one.append(&stale, drafts("r-1", [opened("leaver")])).await.unwrap_err();
}

async fn a_run_is_worked_on_by_one_process(open: impl Fn() -> Ledger) {
    let (one, two) = (open(), open());
    write(&one, "r-1", [opened("leaver")]).await;
    let lease = one.lease(&person(ALICE), "r-1").await.unwrap();
    // Its own run is no reason to let a second process in.
    let error = two.lease(&person(ALICE), "r-1").await.unwrap_err();
    assert!(matches!(error, LedgerError::LeaseHeld { .. }), "{error}");
    two.lease(&person("00u2"), "r-1").await.unwrap_err();
    // In one process a run may take its people one by one.
    let more = one.lease(&person("00u2"), "r-1").await.unwrap();
    lease.release().await.unwrap();
    two.lease(&person("00u2"), "r-2").await.unwrap_err();
    drop(more);
    one.runs().await.unwrap();
    two.lease(&person("00u2"), "r-2").await.unwrap();
}

async fn a_refused_batch_leaves_no_trace(open: impl Fn() -> Ledger) {
    let ledger = open();
    let guard = Guard {
        fences: vec![Fence {
            subject: ALICE.into(),
            token: 7,
        }],
        ..Guard::default()
    };
    let nothing = Guard::default();
    // Queued together, so that one transaction has to carry the good ones and refuse the bad one.
    let (a, b, c) = tokio::join!(
        ledger.append(&nothing, drafts("r-1", [opened("leaver")])),
        ledger.append(&guard, drafts("r-2", [opened("leaver"), planned(leaver())])),
        ledger.append(&nothing, drafts("r-3", [opened("leaver"), planned(leaver())])),
    );
    assert_eq!(a.unwrap(), [1]);
    assert!(matches!(b, Err(LedgerError::LeaseLost { .. })));
    assert_eq!(c.unwrap(), [2, 3]);
    assert_eq!(ledger.run("r-2").await.unwrap(), None);
    assert_eq!(ledger.verify(None).await.unwrap().bad, None);
}

async fn a_pause_refuses_what_begins_and_takes_what_ended(open: impl Fn() -> Ledger) {
    let (one, two) = (open(), open());
    write(&one, "r-1", [opened("leaver"), planned(leaver()), started(0)]).await;
    let paused = |all| Body::Paused {
        until: DateTime::from_timestamp(1_772_000_000 + 3600, 0).unwrap(),
        reason: "unsure".into(),
        all,
    };
    let containing = Guard {
        unpaused: Unpaused::ForContainment,
        ..Guard::default()
    };
    let wholly = Guard::default();
    let append = async |guard: &Guard, bodies: &[Body]| one.append(guard, drafts("r-1", bodies.to_vec())).await;
    write(&two, "r-2", [paused(false)]).await;
    // What ended and what begins in one batch: all or none.
    let both = append(&wholly, &[finished(0, Outcome::Done), started(1)]).await;
    assert!(
        matches!(&both, Err(LedgerError::Paused(p)) if p.reason == "unsure" && !p.all),
        "{both:?}"
    );
    append(&wholly, &[finished(0, Outcome::Done)]).await.unwrap();
    append(&containing, &[started(1)]).await.unwrap();
    write(&two, "r-3", [paused(true)]).await;
    append(&wholly, &[finished(1, Outcome::Done)]).await.unwrap();
    let all = append(&containing, &[started(2)]).await;
    assert!(matches!(&all, Err(LedgerError::Paused(p)) if p.all), "{all:?}");
    assert!(one.paused().await.unwrap().unwrap().all);
    // Told in one transaction: lifted, begun, paused, and refused again.
    let (lift, begin, pause, refused) = tokio::join!(
        one.append(&wholly, drafts("r-4", [Body::Unpaused])),
        one.append(&wholly, drafts("r-1", [started(2)])),
        one.append(&wholly, drafts("r-5", [paused(false)])),
        one.append(&wholly, drafts("r-1", [started(3)])),
    );
    assert!(lift.is_ok() && begin.is_ok() && pause.is_ok());
    assert!(matches!(refused, Err(LedgerError::Paused(_))), "{refused:?}");
    assert_eq!(one.verify(None).await.unwrap().bad, None);
}

async fn two_writers_make_one_chain(open: impl Fn() -> Ledger) {
    let (one, two) = (open(), open());
    let many = async |ledger: &Ledger, run: &str| {
        for _ in 0..20 {
            write(
                ledger,
                run,
                [closed(PersonResult::Nothing), closed(PersonResult::Nothing)],
            )
            .await;
        }
    };
    tokio::join!(many(&one, "r-1"), many(&two, "r-2"));
    let verdict = one.verify(None).await.unwrap();
    assert_eq!((verdict.entries, verdict.bad), (80, None));
    let all = two.entries(Filter::default()).await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.envelope.seq).collect::<Vec<_>>(),
        (1..=80).collect::<Vec<_>>()
    );
    // Entries of one append stay together.
    assert!(all.chunks(2).all(|c| c[0].envelope.run == c[1].envelope.run));
}

async fn another_tenants_ledger_is_refused(open: impl Fn() -> Ledger) {
    let ledger = open();
    write(&ledger, "r-1", [opened("leaver")]).await;
    let refused = ledger
        .ask(|k| {
            k.meta.tenant = "00o2".into();
            k.owned()
        })
        .await;
    let error = refused.unwrap_err();
    assert_eq!(
        error.to_string(),
        "this ledger belongs to organisation 00o1, not to 00o2"
    );
    // Nor can one who opened it while it was empty add to another's.
    let late = ledger
        .append(&Guard::default(), drafts("r-1", [opened("leaver")]))
        .await;
    assert_eq!(late, Err(error));
}

async fn time_is_kept_to_the_millisecond(open: impl Fn() -> Ledger) {
    let ledger = open();
    let made = ledger
        .append_entries(&Guard::default(), drafts("r-1", [opened("leaver")]))
        .await
        .unwrap();
    assert_eq!(made[0].envelope.time.timestamp_subsec_nanos(), 123_000_000);
    assert_eq!(ledger.entries(Filter::default()).await.unwrap(), made);
}

async fn names_from_outside_may_hold_anything(open: impl Fn() -> Ledger) {
    let ledger = open();
    let hostile = "a\0'; DROP TABLE jml.body; --\u{202e}Ä\\x41@acme.example";
    let mut plan = leaver();
    plan.login = hostile.into();
    let planned = Body::Planned {
        subject: hostile.into(),
        plan,
        manifest: Manifest::default(),
    };
    let lease = ledger.lease(&person(hostile), "r-1").await.unwrap();
    let all = drafts("r-1", [opened("leaver"), planned]);
    let made = ledger.append_entries(&lease.guard(), all).await.unwrap();
    assert_eq!(made[1].envelope.fence, Some(1));
    assert_eq!(ledger.entries(Filter::default()).await.unwrap(), made);
    assert_eq!(ledger.verify(None).await.unwrap().bad, None);
    assert_eq!(ledger.history(hostile).await.unwrap().plans.len(), 1);
    // Case of ASCII letters alone doesn't count.
    let typed = hostile.replace("ACME", "acme").replace("DROP", "drop");
    assert_eq!(ledger.subjects_of(&typed).await.unwrap(), [hostile.to_owned()].into());
    assert!(ledger.subjects_of(&hostile.replace('Ä', "ä")).await.unwrap().is_empty());
}

async fn many_entries_are_read_page_by_page(open: impl Fn() -> Ledger) {
    let ledger = open();
    let many = || drafts("r-1", (0..1500).map(|_| closed(PersonResult::Nothing)));
    ledger.append(&Guard::default(), many()).await.unwrap();
    ledger.append(&Guard::default(), many()).await.unwrap();
    let verdict = ledger.verify(None).await.unwrap();
    assert_eq!((verdict.entries, verdict.bad), (3000, None));
    let all = ledger.entries(Filter::default()).await.unwrap();
    assert!(all.iter().map(|e| e.envelope.seq).eq(1..=3000));
    let of_run = Filter {
        run: Some("r-1".into()),
        after: 2998,
        ..Filter::default()
    };
    assert_eq!(ledger.entries(of_run).await.unwrap().len(), 2);
}

async fn history_is_what_was_done_to_a_person(open: impl Fn() -> Ledger) {
    let ledger = open();
    let add = |name: &str| Action::AddMember { group: group(name) };
    let joiner = plan(
        Flow::Joiner,
        vec![
            step(add("BR-ALL"), Phase::Add, &[]),
            step(add("ROLE-ENG"), Phase::Add, &[]),
            step(add("ROLE-OLD"), Phase::Add, &[]),
        ],
    );
    let planned_with = |plan: Plan| {
        let mut manifest = Manifest::default();
        manifest.accounts.insert(OKTA, account(crate::model::State::Active));
        Body::Planned {
            subject: ALICE.into(),
            plan,
            manifest,
        }
    };
    write(&ledger, "r-1", [opened("joiner"), planned_with(joiner)]).await;
    write(&ledger, "r-1", [started(0), finished(0, Outcome::Done), verified(0)]).await;
    write(&ledger, "r-1", [started(1), finished(1, Outcome::Done)]).await;
    // It was so before: not given by us.
    write(
        &ledger,
        "r-1",
        [finished(2, Outcome::Already), closed(PersonResult::Complete)],
    )
    .await;
    let history = ledger.history(ALICE).await.unwrap();
    let given = |h: &History| h.given.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    assert_eq!(given(&history), ["00gBR-ALL", "00gROLE-ENG"]);
    assert_eq!(history.accounts[&OKTA], "00u1");
    assert!(history.open_runs.is_empty());
    assert_eq!(history.last_closed.unwrap().0, Flow::Joiner);

    write(&ledger, "r-2", [opened("leaver"), planned(leaver()), started(0)]).await;
    let resumed = Body::Resumed {
        operator: "dana".into(),
    };
    write(&ledger, "r-2", [resumed, started(0), finished(0, Outcome::Done)]).await;
    write(&ledger, "r-2", [started(1), finished(1, Outcome::Done)]).await;
    write(&ledger, "r-2", [started(2), finished(2, Outcome::Done)]).await;
    write(&ledger, "r-2", [closed(PersonResult::Partial)]).await;
    let history = ledger.history(ALICE).await.unwrap();
    assert_eq!(given(&history), ["00gBR-ALL"]);
    assert!(history.done.contains_key(&(OKTA, crate::model::Verb::ClearSessions)));
    assert!(!history.done.contains_key(&(OKTA, crate::model::Verb::Deactivate)));
    assert_eq!(history.open_runs, ["r-2"]);
    assert_eq!(history.plans.len(), 2);
    assert_eq!(ledger.history("00u2").await.unwrap(), History::default());
    assert_eq!(
        ledger.open_subjects().await.unwrap(),
        [Owing {
            run: "r-2".into(),
            subject: ALICE.into(),
            flow: Flow::Leaver,
            login: "alice@acme.example".into()
        }]
    );
}

async fn links_outrank_what_was_seen(open: impl Fn() -> Ledger) {
    let ledger = open();
    let mut manifest = Manifest::default();
    let slack = System::named("slack");
    manifest
        .accounts
        .insert(slack.clone(), account(crate::model::State::Active));
    let link = |account: &str, is| Body::Linked {
        subject: ALICE.into(),
        system: System::named("slack"),
        account: account.into(),
        is,
    };
    write(&ledger, "r-1", [link("U2", true)]).await;
    let seen = Body::Planned {
        subject: ALICE.into(),
        plan: leaver(),
        manifest,
    };
    write(&ledger, "r-2", [seen]).await;
    assert_eq!(ledger.history(ALICE).await.unwrap().accounts[&slack], "U2");
    write(&ledger, "r-3", [link("U2", false)]).await;
    assert_eq!(ledger.history(ALICE).await.unwrap().accounts[&slack], "00u1");
    write(&ledger, "r-4", [link("00u1", false)]).await;
    let history = ledger.history(ALICE).await.unwrap();
    assert!(history.accounts.is_empty());
    assert_eq!(history.not.len(), 2);
}

async fn an_exception_lasts_until_it_is_taken_back_or_they_leave(open: impl Fn() -> Ledger) {
    // The test's clock counts from 1,772,000,000.
    let (past, later) = (
        DateTime::UNIX_EPOCH,
        DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
    );
    let ledger = open();
    let granted = |name: &str, until| Body::Granted {
        subject: ALICE.into(),
        grant: Grant {
            group: format!("00g{name}"),
            name: name.into(),
            until,
            ticket: "CHG1".into(),
            by: "dana".into(),
        },
    };
    let known = async || ledger.history(ALICE).await.unwrap().grants;
    write(&ledger, "r-1", [granted("ROLE-ENG", later), granted("APP-X", later)]).await;
    write(&ledger, "r-2", [granted("ROLE-ENG", past)]).await;
    let grants = known().await;
    let ends: Vec<_> = grants.iter().map(|g| (g.name.as_str(), g.until)).collect();
    assert_eq!(ends, [("APP-X", later), ("ROLE-ENG", past)]);
    let out = plan(
        Flow::Mover,
        vec![step(
            Action::RemoveMember {
                group: group("ROLE-ENG"),
            },
            Phase::Remove,
            &[],
        )],
    );
    let taken = [planned(out), started(0), finished(0, Outcome::Done)];
    write(&ledger, "r-3", taken).await;
    assert_eq!(known().await.len(), 1, "what ended and was taken back is done with");
    assert_eq!(ledger.everyone().await.unwrap().grants[ALICE], known().await);
    write(&ledger, "r-4", [planned(leaver())]).await;
    assert_eq!(known().await, []);
    assert!(ledger.everyone().await.unwrap().grants.is_empty());
}

async fn the_outbox_spans_runs(open: impl Fn() -> Ledger) {
    let ledger = open();
    let now = System::named("servicenow");
    let owe = |key: &str| Body::Owed {
        record: record(key),
        system: System::named("servicenow"),
    };
    write(&ledger, "r-1", [owe("r-1/00u1")]).await;
    write(&ledger, "r-2", [owe("r-2/00u2")]).await;
    let delivered = Body::Delivered {
        key: "r-1/00u1".into(),
        system: now.clone(),
        receipt: Default::default(),
    };
    let failed = Body::Undelivered {
        key: "r-2/00u2".into(),
        system: now,
        failure: crate::model::Failure::transient("servicenow", "503"),
    };
    write(&ledger, "r-1", [delivered]).await;
    write(&ledger, "r-2", [failed]).await;
    let outbox = ledger.outbox().await.unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!((outbox[0].record.key.as_str(), outbox[0].attempts), ("r-2/00u2", 1));
}

async fn a_sweep_finds_the_last_good_one(open: impl Fn() -> Ledger) {
    let ledger = open();
    assert_eq!(ledger.last_sweep().await.unwrap(), None);
    let swept = |people, good| {
        Body::Swept(Swept {
            people,
            good,
            ..Swept::default()
        })
    };
    write(&ledger, "r-1", [swept(2200, true)]).await;
    write(&ledger, "r-2", [swept(7, false)]).await;
    assert_eq!(ledger.last_sweep().await.unwrap().unwrap().1.people, 7);
    assert_eq!(ledger.last_good_sweep().await.unwrap().unwrap().1.people, 2200);
}

async fn runs_are_listed_with_what_is_open(open: impl Fn() -> Ledger) {
    let ledger = open();
    write(&ledger, "r-5k", [opened("leaver"), planned(leaver())]).await;
    write(&ledger, "r-5m", [opened("sweep")]).await;
    write(
        &ledger,
        "r-6a",
        [opened("leaver"), planned(leaver()), closed(PersonResult::Complete)],
    )
    .await;
    let runs = ledger.runs().await.unwrap();
    let brief: Vec<_> = runs.iter().map(|r| (r.run.as_str(), r.kind.as_str(), r.open)).collect();
    assert_eq!(
        brief,
        [
            ("r-5k", "leaver", true),
            ("r-5m", "sweep", false),
            ("r-6a", "leaver", false)
        ]
    );
    assert_eq!(runs[2].people, ["alice@acme.example"]);
    assert_eq!(runs[2].results[&PersonResult::Complete], 1);
    assert_eq!(ledger.run_by_prefix("r-5").await.unwrap(), ["r-5k", "r-5m"]);
    assert_eq!(ledger.run_by_prefix("r-6").await.unwrap(), ["r-6a"]);
    assert!(ledger.run_by_prefix("r_").await.unwrap().is_empty());
    assert_eq!(ledger.subjects_of("Alice@ACME.example").await.unwrap().len(), 1);
    assert!(ledger.subjects_of("alice").await.unwrap().is_empty());
}

async fn the_sla_tells_where_the_time_went(open: impl Fn() -> Ledger) {
    let ledger = open();
    write(&ledger, "r-1", [opened("leaver"), planned(leaver())]).await;
    for n in 0..4 {
        write(&ledger, "r-1", [started(n)]).await;
        write(&ledger, "r-1", [finished(n, Outcome::Done)]).await;
    }
    write(&ledger, "r-1", [closed(PersonResult::Complete)]).await;
    let mover = plan(Flow::Mover, vec![]);
    write(&ledger, "r-2", [opened("mover"), planned(mover)]).await;
    let all = ledger.sla(DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(all.len(), 1);
    let row = &all[0];
    assert_eq!(
        (row.run.as_str(), row.result, row.entries),
        ("r-1", PersonResult::Complete, (1, 11))
    );
    assert!(row.found < row.contained.unwrap() && row.contained < row.completed);
    let after = row.found + chrono::TimeDelta::milliseconds(1);
    assert!(ledger.sla(after).await.unwrap().is_empty());
    assert_eq!(ledger.leavers_since(row.found).await.unwrap().len(), 1);
    assert!(ledger.leavers_since(after).await.unwrap().is_empty());
}

async fn entries_are_paged_and_filtered(open: impl Fn() -> Ledger) {
    let ledger = open();
    write(&ledger, "r-1", [opened("leaver"), planned(leaver()), started(0)]).await;
    write(&ledger, "r-2", [opened("sweep")]).await;
    let seqs = async |filter: Filter| -> Vec<Seq> {
        let found = ledger.entries(filter).await.unwrap();
        found.iter().map(|e| e.envelope.seq).collect()
    };
    let all = Filter::default;
    assert_eq!(seqs(all()).await, [1, 2, 3, 4]);
    assert_eq!(
        seqs(Filter {
            after: 1,
            limit: Some(2),
            ..all()
        })
        .await,
        [2, 3]
    );
    assert_eq!(
        seqs(Filter {
            run: Some("r-2".into()),
            ..all()
        })
        .await,
        [4]
    );
    assert_eq!(
        seqs(Filter {
            subject: Some(ALICE.into()),
            ..all()
        })
        .await,
        [2, 3]
    );
    let last = ledger.entries(all()).await.unwrap()[3].envelope.time;
    assert_eq!(
        seqs(Filter {
            since: Some(last),
            ..all()
        })
        .await,
        [4]
    );
}

async fn a_leaver_is_remembered(open: impl Fn() -> Ledger) {
    let ledger = open();
    let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
    let guard = lease.guard();
    let seqs = ledger
        .append(&guard, drafts("r-1", [opened("leaver"), planned(leaver()), started(0)]))
        .await
        .unwrap();
    assert_eq!(seqs, [1, 2, 3]);
    ledger
        .append(&guard, drafts("r-1", [finished(0, Outcome::Done), started(1)]))
        .await
        .unwrap();
    lease.release().await.unwrap();
    drop(ledger);
    let state = open().run("r-1").await.unwrap().unwrap();
    assert_eq!(state.last.unwrap().0, 5);
    assert_eq!(state.open_steps(), [("00u1".to_owned(), 1)]);
    assert_eq!(open().run("r-2").await.unwrap(), None);
    assert_eq!(open().open_subjects().await.unwrap()[0].run, "r-1");
}
