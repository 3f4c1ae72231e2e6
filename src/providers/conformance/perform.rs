//! Every verb of every row: done, read afresh, done again, and under each fault.

use super::*;

/// As the provider may send it: the model knows no vendor, and is the more careful.
fn repeat(stage: &Stage, effect: &Effect) -> Repeat {
    if stage.fixture.safe.contains(&effect.action.verb()) {
        Repeat::Safe
    } else {
        effect.action.repeat()
    }
}

async fn prepared(stage: &Stage, verb: Verb) -> Effect {
    let effect = stage.fixture.act(verb, &stage.account().await);
    if let Some(action) = (stage.fixture.first)(verb) {
        let first = Effect {
            action,
            ..effect.clone()
        };
        stage.perform(&first).await.unwrap();
    }
    effect
}

/// One verb under one fault.
pub(super) async fn tried(row: &Row, verb: Verb, case: &Case) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let effect = prepared(&stage, verb).await;
    let repeat = repeat(&stage, &effect);
    stage.faults(&(case.faults)(row.kind, verb.name()));
    let before = stage.writes().len();
    let outcome = stage.perform(&effect).await;
    let sent = stage.writes().len() - before;
    if !stage.fired() {
        return Err(format!("the fault never fired: {:?}", stage.engine.faults()));
    }
    stage.faults(&json!([]));
    if let Err(failure) = &outcome {
        decent(failure, &stage.secrets())?;
    }
    let made = outcome.as_ref().ok().and_then(|r| r.made.clone());
    let verdict = stage
        .comes_to_hold(&effect, made.as_deref().or(born(&stage, &effect).await.as_deref()))
        .await;
    let done = |v: &Verdict| not(v, &Verdict::Lacks);
    let undone = |v: &Verdict| not(v, &Verdict::Holds);
    match case.want {
        Want::Done => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Refused(among) | Want::NoWord(among) => failed(&outcome, among).and_then(|()| undone(&verdict)),
        Want::Waits => failed(&outcome, &[Kind::Throttled]).and_then(|()| undone(&verdict)),
        Want::Unknown => match &outcome {
            Ok(receipt) if receipt.already && !effect.action.gives() => Ok(()),
            outcome => failed(outcome, &[Kind::Permanent]).and_then(|()| undone(&verdict)),
        },
        Want::Spoilt => match &outcome {
            Ok(_) => Ok(()),
            Err(f) if repeat == Repeat::LookFirst => lies(f.kind, &[Kind::Doubt, Kind::Permanent]),
            Err(f) => lies(f.kind, &[Kind::Contradiction, Kind::Doubt, Kind::Permanent]),
        },
        Want::Broke if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Broke | Want::Broken => {
            if repeat == Repeat::LookFirst && sent > 2 {
                return Err(format!("sent {sent} times"));
            }
            failed(&outcome, &[Kind::Transient, Kind::Doubt]).and_then(|()| undone(&verdict))
        }
        Want::Lost if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        Want::Vanished if repeat == Repeat::Safe => outcome
            .map(drop)
            .map_err(|f| f.to_string())
            .and_then(|()| done(&verdict)),
        // Looked for by the hands themselves, and found: one left, beside the opening of the conversation.
        Want::Lost if outcome.is_ok() && verb == Verb::SendMessage && sent <= 2 => done(&verdict),
        Want::Lost => {
            failed(&outcome, &[Kind::Doubt])?;
            done(&verdict)?;
            if verdict == Verdict::Unobservable {
                return Ok(()); // nobody may send it again: it stays in doubt
            }
            again(&stage, &effect).await
        }
        Want::Vanished => {
            // Transient: looked for, and not there.
            let looked = verb == Verb::SendMessage;
            failed(&outcome, if looked { &[Kind::Transient] } else { &[Kind::Doubt] })?;
            undone(&verdict)?;
            stage.perform(&effect).await.map(drop).map_err(|f| f.to_string())
        }
    }
}

/// The id of a person whom a create may have made, as the vendor knows them by what they were made of.
async fn born(stage: &Stage, effect: &Effect) -> Option<String> {
    let Action::CreatePerson { profile } = &effect.action else {
        return None;
    };
    match stage.observe(&*stage.eyes(), profile.get("login")?).await {
        Ok(Observed::Present(account)) => Some(account.id),
        _ => None,
    }
}

/// Performed once more it is so already, or harmless, and holds still.
async fn again(stage: &Stage, effect: &Effect) -> Result<(), String> {
    let second = stage.perform(effect).await.map_err(|f| format!("again: {f}"))?;
    if repeat(stage, effect) == Repeat::LookFirst && !second.already {
        return Err(format!("again was a second time: {second:?}"));
    }
    let verdict = stage.holds(effect, second.made.as_deref()).await;
    not(&verdict, &Verdict::Lacks)
}

pub(super) async fn performed(row: &Row, verb: Verb) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let effect = prepared(&stage, verb).await;
    let before = stage.holds(&effect, None).await;
    if !matches!(before, Verdict::Lacks | Verdict::Unobservable) {
        return Err(format!("the fixture's effect is so already: {before:?}"));
    }
    let receipt = stage.perform(&effect).await.map_err(|f| f.to_string())?;
    if receipt.already {
        return Err(format!("already, the first time: {receipt:?}"));
    }
    let after = stage.comes_to_hold(&effect, receipt.made.as_deref()).await;
    not(&after, &Verdict::Lacks)?;
    if let Verdict::Unknown(f) = after {
        return Err(format!("the fresh read failed: {f}"));
    }
    if verb == Verb::SendMessage {
        return Ok(()); // a second one would be a second one: nobody asks for it
    }
    again(&stage, &effect).await
}

/// On an account that the vendor doesn't know nothing is ever given, and a removal is at most "so already".
pub(super) async fn on_nobody(row: &Row, verb: Verb) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let mut effect = stage.fixture.act(verb, &stage.account().await);
    if effect.account.is_empty() {
        return Ok(());
    }
    if matches!(verb, Verb::RevokeToken | Verb::CancelInvitation) {
        return Ok(()); // taken back by its own id, whoever has it
    }
    effect.account = stage.fixture.nobody.into();
    match stage.perform(&effect).await {
        Ok(receipt) if receipt.already && !effect.action.gives() => Ok(()),
        Ok(receipt) => Err(format!("went through on nobody: {receipt:?}")),
        Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, &[Kind::Permanent])),
    }
}

#[tokio::test(start_paused = true)]
async fn every_verb_of_every_row_conforms() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target() && fixture(r).wire) {
        for verb in row.verbs {
            let name = verb.name();
            table.note(
                row.kind,
                "perform, read afresh, again",
                name,
                performed(row, *verb).await,
            );
            table.note(row.kind, "on nobody's account", name, on_nobody(row, *verb).await);
            for case in CASES {
                table.note(row.kind, case.name, name, tried(row, *verb, case).await);
            }
        }
    }
    table.judge("perform");
}

#[tokio::test(start_paused = true)]
async fn a_verb_outside_the_row_is_refused_unasked() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target() && fixture(r).wire) {
        outside(row, &mut table).await;
    }
    table.judge("perform");
}

pub(super) async fn outside(row: &'static Row, table: &mut Table) {
    let stage = Stage::of(fixture(row));
    for verb in Verb::ALL.iter().filter(|v| !row.verbs.contains(v)) {
        let effect = Effect {
            system: stage.system.clone(),
            account: stage.fixture.account.into(),
            action: sample(*verb),
        };
        let verdict = match stage.perform(&effect).await {
            Err(f) if f.kind == Kind::Cannot => Ok(()),
            other => Err(format!("{other:?}")),
        };
        table.note(row.kind, "outside the row", verb.name(), verdict);
    }
    let asked = stage.asked();
    assert!(asked.is_empty(), "{}: {asked:?}", row.kind);
}
