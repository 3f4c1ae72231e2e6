//! HR's word arrives spoilt: an empty list, half of it, rows twice, columns shifted, a column filled down. Nobody who is employed loses
//! anything by it, and the next good read ends in the same world as ever.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    crash::differs,
    dice::Dice,
    schedules::lost,
    wire::Spoil,
    world::{Command, World, few},
};

const SEEDS: u64 = 4;
/// Fewer people than this are no roster.
const FEW: usize = 5;

/// The firm with HR's word in a file, which also has somebody whom nobody has made yet.
pub fn hr_in_a_file(cast: &[&str]) -> Value {
    let mut given = few(cast);
    let columns = [
        ("employee_id", "employeeNumber"),
        ("login", "login"),
        ("email", "email"),
        ("first_name", "firstName"),
        ("last_name", "lastName"),
        ("department", "department"),
        ("title", "title"),
        ("worker_type", "userType"),
        ("hire_date", "hireDate"),
        ("termination_date", "terminationDate"),
    ];
    let mut csv: String = columns.map(|(c, _)| format!("{c},")).concat() + "status\r\n";
    for u in given["okta"]["users"].as_array().unwrap() {
        for (_, name) in columns {
            csv += u["profile"][name].as_str().unwrap_or_default();
            csv.push(',');
        }
        csv += "active\r\n";
    }
    csv +=
        "00043,new.one@acme.example,new.one@acme.example,New,One,Engineering,Engineer,Employee,2026-11-23,,active\r\n";
    given["roster"] = json!({"kind": "csv", "csv": csv});
    given
}

fn firm(source: &str) -> Value {
    let mut given = match source {
        "csv" => hr_in_a_file(&["bob@acme.example"]),
        _ => few(&["bob@acme.example"]),
    };
    if source != "csv" {
        given["roster"] = json!({"kind": source});
    }
    given["limits"] = json!({"leavers": "3"});
    given
}

/// The list of people in an answer, wherever it stands.
fn rows(v: &mut Value) -> Option<&mut Vec<Value>> {
    fn longest(v: &Value) -> usize {
        match v {
            Value::Array(all) if all.iter().all(Value::is_object) => all.len(),
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
            Value::Object(map) => map.values().map(longest).max().unwrap_or(0),
        }
    }
    let n = longest(v);
    if n < FEW {
        return None;
    }
    match v {
        Value::Array(all) => Some(all),
        Value::Object(map) => map.values_mut().find(|v| longest(v) == n).and_then(rows),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Every plain value in a row, by its place.
fn leaves(row: &Value, at: &str, out: &mut Vec<String>) {
    for (k, v) in row.as_object().into_iter().flatten() {
        let here = format!("{at}/{}", k.replace('~', "~0").replace('/', "~1"));
        if v.is_object() {
            leaves(v, &here, out)
        } else {
            out.push(here)
        }
    }
}

fn put(row: &mut Value, at: &str, value: Value) {
    if let Some(place) = row.pointer_mut(at) {
        *place = value;
    } else if let Some((parent, key)) = at.rsplit_once('/')
        && let Some(Value::Object(map)) = row.pointer_mut(parent)
    {
        map.insert(key.replace("~1", "/").replace("~0", "~"), value);
    }
}

const HOWS: u64 = 9;

/// One way in which a list of people is not what it was.
fn spoil(rows: &mut Vec<Value>, dice: &mut Dice) {
    let mut places = vec![];
    for row in rows.iter() {
        leaves(row, "", &mut places);
    }
    places.sort();
    places.dedup();
    let (place, some) = (places[dice.index(places.len())].clone(), dice.index(rows.len()));
    match dice.below(HOWS) {
        0 => rows.clear(),
        1 => rows.truncate(rows.len() / 2),
        2 => *rows = rows.iter().flat_map(|r| [r.clone(), r.clone()]).collect(),
        // Twice, and the second time with somebody else's word.
        3 => {
            let word = rows[some].pointer(&place).cloned().unwrap_or_default();
            let mut again = rows.clone();
            again.iter_mut().for_each(|r| put(r, &place, word.clone()));
            rows.append(&mut again);
        }
        4 => rows.iter_mut().for_each(|r| put(r, &place, Value::Null)),
        // One cell, filled down.
        5 | 6 => {
            let word = rows[some].pointer(&place).cloned().unwrap_or_default();
            rows.iter_mut().for_each(|r| put(r, &place, word.clone()));
        }
        // Each value in its neighbour's place.
        7 => {
            let by = 1 + dice.index(places.len());
            for row in rows.iter_mut() {
                let words: Vec<Value> = places
                    .iter()
                    .map(|p| row.pointer(p).cloned().unwrap_or_default())
                    .collect();
                for (n, p) in places.iter().enumerate() {
                    put(row, p, words[(n + by) % words.len()].clone());
                }
            }
        }
        _ => {
            let first = rows[0].clone();
            rows.iter_mut().for_each(|r| *r = first.clone());
        }
    }
}

/// The same way for every answer of the process.
fn over_the_wire(seed: u64) -> Spoil {
    Arc::new(move |body, headers| {
        let mut dice = Dice(seed);
        match dice.below(12) {
            0 => body.truncate(body.len() / 2),
            1 => *body = b"<html>Sign in</html>".to_vec(),
            _ => {
                let Ok(mut v) = serde_json::from_slice::<Value>(body) else {
                    return false;
                };
                let Some(rows) = rows(&mut v) else { return false };
                spoil(rows, &mut dice);
                *body = v.to_string().into_bytes();
                // A short list says that there is no more.
                headers.remove("link");
            }
        }
        true
    })
}

/// The file as a person, a spreadsheet or a copy that broke off leaves it.
fn in_the_file(csv: &str, dice: &mut Dice) -> Vec<u8> {
    let lines: Vec<&str> = csv.split_inclusive("\r\n").collect();
    let cells: Vec<Vec<&str>> = lines.iter().map(|l| l.trim_end().split(',').collect()).collect();
    let (column, row) = (dice.index(cells[0].len()), 1 + dice.index(cells.len() - 1));
    let word = cells[row][column];
    let each = |change: &dyn for<'a> Fn(&mut Vec<&'a str>, usize)| -> Vec<u8> {
        let mut out = String::new();
        for (n, cells) in cells.iter().enumerate() {
            let mut own = cells.clone();
            change(&mut own, n);
            out += &(own.join(",") + "\r\n");
        }
        out.into_bytes()
    };
    match dice.below(13) {
        0 => vec![],
        1 => lines[0].as_bytes().to_vec(),
        2 => lines[..lines.len() / 2].concat().into_bytes(),
        3 => csv.as_bytes()[..csv.len() / 2 + dice.index(40)].to_vec(),
        // A cell too many in front of every row, or of one.
        4 => each(&|r, n| {
            if n > 0 {
                r.insert(0, "")
            }
        }),
        5 => each(&|r, n| {
            if n == row {
                r.insert(0, "x")
            }
        }),
        // The same, and as many cells as ever.
        6 => each(&|r, n| {
            if n > 0 {
                r.rotate_left(1);
            }
        }),
        7 => each(&|r, n| {
            if n == 0 {
                r.rotate_right(1);
            }
        }),
        8 => [lines.concat(), lines[1..].concat()].concat().into_bytes(),
        9 => each(&|r, n| {
            if n > 0 {
                r[column] = ""
            }
        }),
        10 => {
            let mut rows = cells.clone();
            rows.iter_mut().skip(1).for_each(|r| r[column] = word);
            rows.iter()
                .map(|r| r.join(",") + "\r\n")
                .collect::<String>()
                .into_bytes()
        }
        11 => csv.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => csv.replace("2026-", "26/").into_bytes(),
    }
}

/// What was taken from people who are employed, and what else was wrong.
pub async fn play(source: &str, seed: u64) -> (Vec<String>, Vec<String>) {
    let given = firm(source);
    let whole = World::new(given.clone(), 7);
    let before = whole.state();
    for _ in 0..2 {
        whole.run(Command::Sweep).await;
        whole.rest().await;
    }
    let want = whole.state();

    let (mut dice, w) = (Dice(seed), World::new(given, seed));
    let known = dice.below(2) == 0;
    if known {
        w.run(Command::Sweep).await;
        w.rest().await;
    }
    let mut wrong = vec![];
    let good = w.everything()["roster"]["csv"].as_str().map(str::to_owned);
    match &good {
        Some(csv) => w.roster(&in_the_file(csv, &mut dice)),
        None => w.wire.spoil(Some((source.to_owned(), over_the_wire(seed)))),
    }
    let bad = w.run(Command::Sweep).await;
    if good.is_none() && w.wire.spoilt() == 0 {
        wrong.push("nothing was spoilt".to_owned());
    }
    w.rest().await;
    let taken = lost("", &before, &want, &w.state());
    w.wire.spoil(None);
    if let Some(csv) = good {
        w.roster(csv.as_bytes());
    }
    let mut ends = vec![];
    for _ in 0..2 {
        ends.push(w.run(Command::Sweep).await.exit());
        w.rest().await;
    }
    let state = w.state();
    for part in ["users", "apps", "slack"] {
        if state[part] != want[part] {
            wrong.push(differs(part, &want[part], &state[part]));
        }
    }
    wrong.extend(w.broken().await);
    let told = |e: String| {
        format!(
            "{source} seed {seed}, known {known}, {:?} then {ends:?}: {e}",
            bad.exit()
        )
    };
    (
        taken.into_iter().map(told).collect(),
        wrong.into_iter().map(told).collect(),
    )
}

async fn of(source: &str) {
    let mut all = vec![];
    for seed in 0..SEEDS {
        let (taken, wrong) = play(source, seed).await;
        all.extend(
            taken
                .into_iter()
                .map(|t| format!("taken from the employed: {t}"))
                .chain(wrong),
        );
    }
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn nobody_employed_loses_anything_by_a_directory_that_lies() {
    of("okta").await;
}

#[tokio::test(start_paused = true)]
async fn nobody_employed_loses_anything_by_an_hr_system_that_lies() {
    for source in ["workday", "successfactors", "hibob"] {
        of(source).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_employed_loses_anything_by_a_file_that_lies() {
    of("csv").await;
}

#[test]
fn a_list_of_people_is_found_wherever_it_stands() {
    let people: Vec<Value> = (0..FEW).map(|n| json!({"id": n})).collect();
    for mut v in [
        json!(people),
        json!({"d": {"results": people}, "n": [1, 2, 3, 4, 5, 6]}),
    ] {
        assert_eq!(rows(&mut v).unwrap().len(), FEW);
    }
    assert!(rows(&mut json!({"Items": [1, 2]})).is_none() && rows(&mut Value::Object(Map::new())).is_none());
}
