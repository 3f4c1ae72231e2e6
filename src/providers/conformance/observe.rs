//! What eyes and rosters say when they can't see: never "absent", never nothing.

use super::*;

/// What eyes may come to under a fault on everything that they ask. `Absent` takes the vendor's own word.
pub(super) type Blind = (&'static str, fn(&str) -> Value, &'static [Kind], bool);

const BLIND: &[Blind] = &[
    (
        "401",
        |k| json!([format!("{k}:*@all:before=401")]),
        &[Kind::Auth],
        false,
    ),
    (
        "403",
        |k| json!([format!("{k}:*@all:before=403")]),
        &[Kind::Auth],
        false,
    ),
    (
        "404 of the vendor",
        |k| json!([format!("{k}:*@all:before=404")]),
        &[Kind::Permanent, Kind::Contradiction],
        true,
    ),
    (
        "404 of a proxy",
        |k| {
            canned(
                &format!("{k} GET *"),
                404,
                "application/json",
                r#"{"status":404,"message":"Resource not found"}"#,
                false,
            )
        },
        &[Kind::Contradiction, Kind::Permanent],
        false,
    ),
    (
        "404 as a page",
        |k| canned(&format!("{k} GET *"), 404, "text/html", HTML, false),
        &[Kind::Contradiction, Kind::Permanent],
        false,
    ),
    (
        "429 for good",
        |k| json!([format!("{k}:*@all:before=429")]),
        &[Kind::Throttled],
        false,
    ),
    (
        "429 without headers",
        |k| canned(&format!("{k} GET *"), 429, "application/json", "{}", false),
        &[Kind::Throttled],
        false,
    ),
    (
        "500 for good",
        |k| json!([format!("{k}:*@all:before=500")]),
        &[Kind::Transient],
        false,
    ),
    (
        "connections that break",
        |k| json!([format!("{k}:*@all:before=reset")]),
        &[Kind::Transient],
        false,
    ),
    (
        "a page with 200",
        |k| canned(&format!("{k} GET *"), 200, "text/html", HTML, false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty body",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty list",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "[]", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "an empty object",
        |k| canned(&format!("{k} GET *"), 200, "application/json", "{}", false),
        &[Kind::Contradiction],
        false,
    ),
    (
        "a truncated body",
        |k| json!([format!("{k}:*@all:answer=malformed")]),
        &[Kind::Contradiction],
        false,
    ),
    (
        "a hostile refusal",
        |k| {
            canned(
                &format!("{k} GET *"),
                400,
                "application/json",
                &format!(
                    r#"{{"ok":false,"error":"{ESCAPE}","errorCode":"{ESCAPE}","errorSummary":"{ESCAPE}","errors":["{ESCAPE}"],"detail":"{ESCAPE}"}}"#
                ),
                false,
            )
        },
        &[Kind::Permanent, Kind::Contradiction],
        false,
    ),
    (
        "a hostile word with 200",
        |k| {
            canned(
                &format!("{k} GET *"),
                200,
                "application/json",
                &format!(r#"{{"ok":false,"error":"{ESCAPE}","needed":"{ESCAPE}","provided":"{ESCAPE}"}}"#),
                false,
            )
        },
        &[Kind::Permanent, Kind::Contradiction, Kind::Auth],
        false,
    ),
];

pub(super) async fn seen(
    row: &Row,
    id: &str,
    faults: Value,
    among: &[Kind],
    may_be_absent: bool,
) -> Result<(), String> {
    let stage = Stage::of(fixture(row));
    stage.faults(&faults);
    let failure = match stage.observe(&*stage.eyes(), id).await {
        Err(f) | Ok(Observed::Unknown(f)) => f,
        Ok(Observed::Absent) if may_be_absent => return Ok(()),
        other => return Err(format!("{other:?}")),
    };
    if !stage.fired() {
        return Err("the fault never fired".into());
    }
    decent(&failure, &stage.secrets())?;
    lies(failure.kind, among).map_err(|e| format!("{e}: {failure}"))
}

#[tokio::test(start_paused = true)]
async fn eyes_of_every_row_conform() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_target() && fixture(r).wire) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        let account = stage.account().await;
        let whole = fixture
            .parts
            .iter()
            .all(|p| matches!(account.holds.get(p), Some(Observed::Present(_))));
        table.note(
            row.kind,
            "observe, whole",
            "an account",
            whole.then_some(()).ok_or(format!("{:?}", account.holds)),
        );
        let nobody = stage.observe(&*stage.eyes(), fixture.nobody).await;
        let absent = if nobody == Ok(Observed::Absent) {
            Ok(())
        } else {
            Err(format!("{nobody:?}"))
        };
        table.note(row.kind, "absent is said", "nobody", absent);
        for (case, faults, among, may) in BLIND {
            for (subject, id) in [("an account", fixture.account), ("nobody", fixture.nobody)] {
                table.note(
                    row.kind,
                    case,
                    subject,
                    seen(row, id, faults(row.kind), among, *may).await,
                );
            }
            let stage = Stage::of(fixture);
            stage.faults(&faults(row.kind));
            let eyes = stage.eyes();
            for (subject, outcome) in [
                ("the tenant", eyes.pinned().await.err()),
                ("the list", eyes.accounts(None).await.err()),
            ] {
                let verdict = match outcome {
                    // What no credential shows can't be refused to it, and an organisation may list nobody.
                    None if ["an empty list", "401", "403"].contains(case) => Ok(()),
                    None => Err("went through".into()),
                    Some(f) => decent(&f, &stage.secrets()),
                };
                table.note(row.kind, case, subject, verdict);
            }
        }
        // A limit that is over soon is waited out.
        let stage = Stage::of(fixture);
        stage.faults(&json!([format!("{}:*:before=429", row.kind)]));
        let waited = stage.observe(&*stage.eyes(), fixture.account).await;
        let verdict = matches!(waited, Ok(Observed::Present(_)))
            .then_some(())
            .ok_or(format!("{waited:?}"));
        table.note(row.kind, "429 with its headers", "an account", verdict);
    }
    table.judge("observe");
}

#[tokio::test(start_paused = true)]
async fn another_tenants_answer_is_told_from_one_that_can_t_be_read() {
    for row in REGISTRY.iter().filter(|r| r.is_target()) {
        let fixture = fixture(row);
        assert_eq!(
            fixture.pin.is_empty(),
            row.pin.is_empty() || !fixture.wire,
            "{}",
            row.kind
        );
        if fixture.pin.is_empty() {
            continue;
        }
        assert!(
            fixture.settings.contains(&format!("{} = \"{}\"", row.pin, fixture.pin)),
            "{}",
            row.kind
        );
        assert_eq!(Stage::of(fixture).eyes().pinned().await, Ok(()), "{}", row.kind);
        let other = Stage::elsewhere(fixture).eyes().pinned().await.unwrap_err();
        assert!(other.is_wrong_tenant(), "{}: {other}", row.kind);
        let stage = Stage::of(fixture);
        stage.faults(&canned(&format!("{} * *", row.kind), 200, "text/html", HTML, false));
        let unread = stage.eyes().pinned().await.unwrap_err();
        assert!(!unread.is_wrong_tenant(), "{}: {unread}", row.kind);
    }
}

#[tokio::test(start_paused = true)]
async fn eyes_alone_write_nothing_and_read_no_write_credential() {
    for row in REGISTRY.iter().filter(|r| r.is_target() && fixture(r).wire) {
        let stage = Stage::knowing(fixture(row), |name| name != "WRITE");
        let eyes = stage.eyes();
        eyes.pinned().await.unwrap();
        stage.account().await;
        eyes.accounts(None).await.unwrap();
        eyes.offers().await.unwrap();
        assert!(
            eyes.can().iter().all(|v| row.verbs.contains(v)),
            "{}: more than its row",
            row.kind
        );
        assert!(!stage.asked().is_empty());
        assert_eq!(stage.writes(), Vec::<String>::new(), "{}", row.kind);
    }
}

/// `jml audit seats` has the lists alone.
#[tokio::test(start_paused = true)]
async fn a_licence_that_hangs_on_an_account_is_in_the_list_of_accounts_too() {
    let mut met = 0;
    for row in REGISTRY.iter().filter(|r| r.is_target() && fixture(r).wire) {
        let stage = Stage::of(fixture(row));
        let account = stage.account().await;
        let hang = |a: &Account| -> Vec<Held> {
            let seats = a.held(Holding::Seat);
            seats.filter(|s| s.via.as_deref() == Some("account")).cloned().collect()
        };
        let seats = hang(&account);
        if seats.is_empty() {
            continue;
        }
        met += 1;
        let eyes = stage.eyes();
        let (mut listed, mut from) = (Vec::new(), None);
        loop {
            let page = eyes.accounts(from).await.unwrap();
            listed.extend(page.items.iter().filter(|a| a.id == account.id).flat_map(hang));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(listed, seats, "{}", row.kind);
    }
    assert!(met > 0, "no fixture holds a licence");
}

/// Some rosters are read by a POST.
fn of_any_method(faults: &Value) -> Value {
    serde_json::from_str(&faults.to_string().replace(" GET *\"", " * *\"")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn rosters_that_are_asked_conform() {
    let mut table = Table::default();
    for row in REGISTRY.iter().filter(|r| r.is_roster()) {
        let fixture = fixture(row);
        let stage = Stage::of(fixture);
        let page = stage.roster().page(None).await;
        let some = page.as_ref().is_ok_and(|p| !p.items.is_empty());
        table.note(
            row.kind,
            "page",
            "the roster",
            some.then_some(()).ok_or(format!("{page:?}")),
        );
        if !TWINS.iter().any(|t| t.name == row.kind) {
            continue; // a file: what may be wrong with one stands beside its reader
        }
        for (case, faults, among, _) in BLIND {
            let stage = Stage::of(fixture);
            stage.faults(&of_any_method(&faults(row.kind)));
            let verdict = match stage.roster().page(None).await {
                Ok(page) => Err(format!("{} people", page.items.len())),
                Err(f) => decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, among)),
            };
            table.note(row.kind, case, "the roster", verdict);
        }
    }
    table.judge("employ");
}
