//! Rows that don't ask over HTTP: programs, sockets of another protocol, people. The same questions, in real time, and in place of HTTP's
//! faults those of the fixture.

use super::{
    perform::{on_nobody, outside, performed},
    *,
};

fn rows() -> impl Iterator<Item = &'static Row> {
    REGISTRY.iter().filter(|r| r.is_target() && !fixture(r).wire)
}

fn fine(yes: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    yes.then_some(()).ok_or_else(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eyes_of_their_own_conform() {
    let mut table = Table::default();
    for row in rows() {
        let stage = Stage::knowing(fixture(row), |name| name != "WRITE");
        let eyes = stage.eyes();
        table.note(
            row.kind,
            "the tenant",
            "eyes",
            eyes.pinned().await.map_err(|f| f.to_string()),
        );
        table.note(
            row.kind,
            "the list",
            "eyes",
            eyes.accounts(None).await.map(drop).map_err(|f| f.to_string()),
        );
        let offers = eyes.offers().await.map(drop).map_err(|f| f.to_string());
        table.note(row.kind, "what it offers", "eyes", offers);
        let within = eyes.can().iter().all(|v| row.verbs.contains(v));
        table.note(
            row.kind,
            "no more than its row",
            "eyes",
            fine(within, || format!("{:?}", eyes.can())),
        );
        let account = stage.account().await;
        let parts = &stage.fixture.parts;
        let whole = parts
            .iter()
            .all(|p| matches!(account.holds.get(p), Some(Observed::Present(all)) if !all.is_empty()));
        table.note(
            row.kind,
            "observe, whole",
            "an account",
            fine(whole, || format!("{:?}", account.holds)),
        );
        if !stage.fixture.nobody.is_empty() {
            let nobody = stage.observe(&*eyes, stage.fixture.nobody).await;
            table.note(
                row.kind,
                "absent is said",
                "nobody",
                fine(nobody == Ok(Observed::Absent), || format!("{nobody:?}")),
            );
        }
    }
    table.judge("observe");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_of_their_own_conforms() {
    let mut table = Table::default();
    for row in rows() {
        for verb in row.verbs.iter().filter(|v| **v != Verb::ByHand) {
            let name = verb.name();
            table.note(
                row.kind,
                "perform, read afresh, again",
                name,
                performed(row, *verb).await,
            );
            table.note(row.kind, "on nobody's account", name, on_nobody(row, *verb).await);
        }
        outside(row, &mut table).await;
        let by_hand = stage_refuses_by_hand(row).await;
        table.note(row.kind, "by hand is not performed", "by-hand", by_hand);
    }
    table.judge("perform");
}

/// What a person does is never done by hands, whether or not the row lists it.
async fn stage_refuses_by_hand(row: &Row) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let effect = Effect {
        system: stage.system.clone(),
        account: stage.fixture.account.into(),
        action: sample(Verb::ByHand),
    };
    match stage.perform(&effect).await {
        Err(f) if f.kind == Kind::Cannot => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_break_are_told_as_such() {
    let mut table = Table::default();
    for row in rows() {
        for broken in fixture(row).broken {
            let stage = Stage::with_program(fixture(row), broken.program);
            for (subject, id) in [("an account", stage.fixture.account), ("nobody", stage.fixture.nobody)] {
                let verdict = match stage.observe(&*stage.eyes(), id).await {
                    Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, broken.seen)),
                    other => Err(format!("{other:?}")),
                };
                table.note(row.kind, broken.name, subject, verdict);
            }
            for verb in row.verbs {
                let whole = Stage::of(fixture(row)).account().await;
                let effect = stage.fixture.act(*verb, &whole);
                let verdict = match stage.perform(&effect).await {
                    Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, broken.done)),
                    other => Err(format!("{other:?}")),
                };
                table.note(row.kind, broken.name, verb.name(), verdict);
            }
        }
    }
    table.judge("broken");
}
