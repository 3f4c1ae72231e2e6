//! Witnesses: what they say when they can be asked, and that they say why not when they can't; and that they change nothing, ever.

use super::*;
use crate::{
    model::{Person, PersonId},
    providers::{Handles, Known, Sight, Witness, script},
    sandbox::quiet,
};

type Blind = (&'static str, fn(&str) -> Value, &'static [Kind]);

fn everything(k: &str, status: u16, kind: &str, body: &str) -> Value {
    canned(&format!("{k} * *"), status, kind, body, false)
}

const BLIND: &[Blind] = &[
    ("401", |k| json!([format!("{k}:*@all:before=401")]), &[Kind::Auth]),
    ("403", |k| json!([format!("{k}:*@all:before=403")]), &[Kind::Auth]),
    (
        "404 of the vendor",
        |k| json!([format!("{k}:*@all:before=404")]),
        &[Kind::Permanent],
    ),
    (
        "404 as a page",
        |k| everything(k, 404, "text/html", HTML),
        &[Kind::Permanent, Kind::Contradiction],
    ),
    (
        "429 for good",
        |k| json!([format!("{k}:*@all:before=429")]),
        &[Kind::Throttled],
    ),
    (
        "500 for good",
        |k| json!([format!("{k}:*@all:before=500")]),
        &[Kind::Transient],
    ),
    (
        "connections that break",
        |k| json!([format!("{k}:*@all:before=reset")]),
        &[Kind::Transient],
    ),
    (
        "a truncated body",
        |k| json!([format!("{k}:*@all:answer=malformed")]),
        &[Kind::Contradiction],
    ),
    (
        "a page with 200",
        |k| everything(k, 200, "text/html", HTML),
        &[Kind::Contradiction],
    ),
    (
        "an empty body",
        |k| everything(k, 200, "application/json", ""),
        &[Kind::Contradiction],
    ),
    (
        "an empty object",
        |k| everything(k, 200, "application/json", "{}"),
        &[Kind::Contradiction],
    ),
    (
        "a hostile refusal",
        |k| {
            let body = format!(
                r#"{{"errors":[{{"message":"{ESCAPE}","code":400}}],"error":"{ESCAPE}","error_description":"{ESCAPE}","title":"{ESCAPE}","detail":"{ESCAPE}"}}"#
            );
            everything(k, 400, "application/json", &body)
        },
        &[Kind::Permanent, Kind::Contradiction],
    ),
];

/// The third of the quiet people knows no sign-in; the second does.
async fn about(witness: &dyn Witness, n: usize, left: bool) -> Result<Vec<Sight>, Failure> {
    let login = if n == 0 {
        "nobody@acme.example".to_owned()
    } else {
        quiet::login(n)
    };
    let person = Person {
        id: PersonId(if n == 0 {
            "00uNOBODY00000000000".into()
        } else {
            quiet::id(n)
        }),
        login: login.clone(),
        email: login.clone(),
        ..script::person()
    };
    let handles = Handles {
        addresses: [login].into(),
        ..Handles::default()
    };
    let who = Known {
        person: &person,
        handles: &handles,
        parts: &Default::default(),
    };
    let since = "2026-07-15T04:00:00Z".parse().unwrap();
    witness.about(who, left.then_some(since)).await
}

fn witnesses() -> impl Iterator<Item = &'static Row> {
    REGISTRY.iter().filter(|r| r.is_witness())
}

#[tokio::test(start_paused = true)]
async fn witnesses_of_every_row_conform() {
    let mut table = Table::default();
    for row in witnesses() {
        let people = row.kind != "akamai";
        for n in [0, 2, 3] {
            let stage = Stage::of(fixture(row));
            let said = about(&*stage.witness(), n, true).await;
            let verdict = match &said {
                Ok(sights) if sights.is_empty() == people => Err(format!("{sights:?}")),
                Ok(sights) if n == 0 && sights.iter().any(|s| s.finding) => Err(format!("accuses nobody: {sights:?}")),
                Ok(sights) if people && n == 2 && !sights.iter().any(|s| s.finding) => Err(format!("{sights:?}")),
                Ok(_) => Ok(()),
                Err(f) => Err(f.to_string()),
            };
            table.note(row.kind, "asked", &format!("person {n}"), verdict);
        }
        let stage = Stage::of(fixture(row));
        let verdict = stage.witness().place().await.map(drop).map_err(|f| f.to_string());
        table.note(row.kind, "asked", "the place", verdict);
        for (case, faults, among) in BLIND {
            let stage = Stage::of(fixture(row));
            stage.faults(&faults(row.kind));
            let witness = stage.witness();
            let mut outcomes = vec![("the place", witness.place().await)];
            if people {
                outcomes.push(("a person", about(&*witness, 2, true).await));
            }
            for (subject, outcome) in outcomes {
                let verdict = match outcome {
                    Ok(sights) => Err(format!("went through: {sights:?}")),
                    Err(f) => {
                        decent(&f, &stage.secrets()).and_then(|()| lies(f.kind, among).map_err(|e| format!("{e}: {f}")))
                    }
                };
                table.note(row.kind, case, subject, verdict);
            }
        }
        let stage = Stage::of(fixture(row));
        stage.faults(&json!([format!("{}:*:before=429", row.kind)]));
        let waited = stage.witness().place().await.map(drop).map_err(|f| f.to_string());
        table.note(row.kind, "429 with its headers", "the place", waited);
    }
    table.judge("testify");
}

#[tokio::test(start_paused = true)]
async fn witnesses_write_nothing() {
    for row in witnesses() {
        let stage = Stage::knowing(fixture(row), |name| name != "WRITE");
        let witness = stage.witness();
        witness.place().await.unwrap();
        about(&*witness, 2, true).await.unwrap();
        assert_eq!(stage.writes(), Vec::<String>::new(), "{}", row.kind);
    }
}
