//! One suite over every store, and what only a file can show.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::DateTime;

use super::*;
use crate::model::{
    Action, AppChanges, Effect, Flow, Held, Holding, Manifest, OnFailure, Outcome, PersonId, PersonResult, Phase, Plan,
    Step, system::OKTA,
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
    })
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

/// Both stores, each as a task and as a thread.
macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
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
                super::$name(|| Ledger::open(&path, meta(), clock()).unwrap()).await;
            })*
            use super::*;
        }
    };
}

over_both!(a_leaver_is_remembered);

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
