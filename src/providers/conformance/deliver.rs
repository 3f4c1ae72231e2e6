//! Every record of every row: delivered, found again, and under each fault.

use super::*;

/// One record under one fault.
async fn delivered(row: &Row, name: &str, place: &str, case: &Case) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    let record = stage.fixture.record(name);
    let kept = stage.kept(place);
    stage.faults(&(case.faults)(row.kind, name));
    let outcome = stage.deliver(&record).await;
    if !stage.fired() {
        return Err("the fault never fired".into());
    }
    stage.faults(&json!([]));
    if let Err(failure) = &outcome {
        decent(failure, &stage.secrets())?;
    }
    let now = stage.kept(place) - kept;
    let count = |n: usize| (now == n).then_some(()).ok_or_else(|| format!("{now} are kept"));
    // A gauge's point replaces itself; all else must not be sent twice unlooked.
    let safe = name == "send-metric";
    let through = |o: &Result<Receipt, Failure>| o.as_ref().map(drop).map_err(|f| f.to_string());
    match case.want {
        Want::Done => through(&outcome).and_then(|()| count(1)),
        Want::Refused(among) | Want::NoWord(among) => failed(&outcome, among).and_then(|()| count(0)),
        Want::Waits => failed(&outcome, &[Kind::Throttled]).and_then(|()| count(0)),
        Want::Unknown => failed(&outcome, &[Kind::Permanent]).and_then(|()| count(0)),
        Want::Spoilt => match &outcome {
            Ok(_) => Ok(()),
            Err(f) if !safe => lies(f.kind, &[Kind::Doubt, Kind::Permanent]),
            Err(f) => lies(f.kind, &[Kind::Contradiction, Kind::Doubt]),
        },
        Want::Broke if safe => through(&outcome).and_then(|()| count(1)),
        Want::Broke | Want::Broken => failed(&outcome, &[Kind::Transient, Kind::Doubt]).and_then(|()| count(0)),
        Want::Lost | Want::Vanished if safe => through(&outcome).and_then(|()| count(1)),
        Want::Lost => failed(&outcome, &[Kind::Doubt]).and_then(|()| count(1)),
        Want::Vanished => failed(&outcome, &[Kind::Doubt]).and_then(|()| count(0)),
    }
}

#[tokio::test(start_paused = true)]
async fn every_record_of_every_row_conforms() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_recorder()) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        for name in ["create-record", "create-incident", "send-event", "send-metric"] {
            let takes = stage.recorder().takes(&fixture.record(name).what);
            assert_eq!(
                takes,
                fixture.records.iter().any(|r| r.0 == name),
                "{}: {name}",
                row.kind
            );
        }
        assert_eq!(
            stage.asked(),
            Vec::<String>::new(),
            "{}: asked before anything was told",
            row.kind
        );
        for (name, place) in fixture.records {
            let stage = Stage::of(fixture);
            let (record, kept) = (fixture.record(name), stage.kept(place));
            let first = stage.deliver(&record).await;
            let fine = |r: &Result<Receipt, Failure>, already: bool| match r {
                Ok(r) if r.already == already => Ok(()),
                other => Err(format!("{other:?}")),
            };
            table.note(row.kind, "deliver", name, fine(&first, false));
            // An event can't be found again; whoever sends a second one knows that.
            if *name != "send-event" {
                let second = stage.deliver(&record).await;
                table.note(row.kind, "deliver again", name, fine(&second, *name != "send-metric"));
                let now = stage.kept(place) - kept;
                table.note(
                    row.kind,
                    "kept once",
                    name,
                    (now == 1).then_some(()).ok_or(format!("{now} are kept")),
                );
            }
            for case in CASES {
                table.note(row.kind, case.name, name, delivered(row, name, place, case).await);
            }
        }
    }
    table.judge("deliver");
}
