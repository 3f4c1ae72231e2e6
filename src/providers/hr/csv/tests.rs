use super::*;
use crate::model::{Employment, When};

const GOOD: &str = "ID,Login,Mail,Name,Type,Hired,Left,Status\r\n\
    007,ann,ann@acme.example,\"Ames, Ann\",Staff,2015-01-05,,Active\r\n\
    008,bob,bob@acme.example,\"Bell, Bob\",Staff,2019-07-01,,Active\r\n\
    009,cy,cy@acme.example,\"Cole, Cy\",Temp,2018-03-12,2026-02-27,Gone\r\n";

fn words() -> Roster {
    serde_json::from_value(serde_json::json!({
        "source": "csv",
        "columns": {
            "id": "id", "login": "Login", "email": "Mail", "full_name_last_first": "Name", "worker_type": "Type",
            "hire_date": "Hired", "termination_date": "Left", "status": "Status"
        },
        "values": {"status": {"active": "active", "gone": "terminated"}, "worker_type": {"Staff": "employee"}},
        "end_is": "last_day"
    }))
    .unwrap()
}
fn now() -> DateTime<Utc> {
    "2026-03-10T01:00:00Z".parse().unwrap()
}
fn with(bytes: &[u8], settings: &Settings, words: &Roster) -> Result<Reading, Fault> {
    understand("w.csv", bytes, settings, words, now())
}
fn plain(text: &str) -> Result<Reading, Fault> {
    with(text.as_bytes(), &Settings::plain("w.csv"), &words())
}
fn good(from: &str, to: &str) -> Result<Reading, Fault> {
    assert!(GOOD.contains(from), "{from}");
    plain(&GOOD.replace(from, to))
}
/// Line and column of a refusal.
fn place(got: Result<Reading, Fault>) -> (Option<usize>, Option<String>) {
    let fault = got.unwrap_err();
    (fault.line, fault.column)
}
fn faults(got: Result<Reading, Fault>) -> Vec<(String, String)> {
    let workers = got.unwrap().workers;
    workers.into_iter().filter_map(|w| Some((w.key, w.fault?))).collect()
}

#[test]
fn a_good_file_is_read_as_text() {
    let r = plain(GOOD).unwrap();
    assert_eq!(r.rows, 3);
    let cy = &r.workers[2];
    assert_eq!(
        (cy.key.as_str(), cy.employment, cy.day_is_end),
        ("009", Employment::Terminated, Some(true))
    );
    assert_eq!(cy.terminated, Some(When::Day("2026-02-27".parse().unwrap())));
    assert_eq!(
        (cy.first_name.as_deref(), cy.last_name.as_deref()),
        (Some("Cy"), Some("Cole"))
    );
    assert_eq!(
        (cy.worker_type.as_deref(), r.workers[0].worker_type.as_deref()),
        (Some("temp"), Some("employee"))
    );
    assert_eq!(cy.place.as_deref(), Some("w.csv line 4"));
    assert!(r.workers.iter().all(|w| w.fault.is_none()));
}

#[test]
fn marks_decide_the_encoding_and_nothing_guesses_one() {
    let marked = [b"\xef\xbb\xbf", GOOD.as_bytes()].concat();
    assert_eq!(with(&marked, &Settings::plain("w"), &words()).unwrap().rows, 3);
    // The name's own comma keeps its quotes where tabs separate.
    let tabs = GOOD.replace(", ", "; ").replace(',', "\t").replace("; ", ", ");
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(tabs.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(with(&wide, &Settings::plain("w"), &words()).unwrap().rows, 3);
    let latin: Vec<u8> = GOOD.replace("Bob", "B\u{f6}b").chars().map(|c| c as u8).collect();
    assert_eq!(with(&latin, &Settings::plain("w"), &words()).unwrap_err().line, Some(3));
    let named = Settings {
        encoding: Some("windows-1252".into()),
        ..Settings::plain("w")
    };
    assert_eq!(
        with(&latin, &named, &words()).unwrap().workers[1].first_name.as_deref(),
        Some("B\u{f6}b")
    );
}

#[test]
fn a_broken_structure_refuses_the_file_and_names_the_line() {
    let line = |from: &str, to: &str| place(good(from, to)).0;
    assert_eq!(line("\"Bell, Bob\"", "Bell, Bob"), Some(3), "an unquoted comma");
    assert_eq!(line("\"Bell, Bob\"", "\"Bell\" Bob"), Some(3), "text after a quote");
    assert_eq!(line("\"Bell, Bob\"", "Bell \"B\" Bob"), Some(3), "a quote inside");
    assert_eq!(
        line("Bob\",", "Bob,"),
        Some(4),
        "a quote left out ends where the next one opens"
    );
    assert_eq!(line("Cy\",", "Cy,"), Some(4), "a quote never closed");
    assert_eq!(line("bob,", "b\0b,"), Some(3), "NUL");
    assert_eq!(line("Gone\r\n", "Gone"), Some(4), "no last line end");
    assert_eq!(line("2026-02-27,Gone\r\n", "2026"), Some(4), "cut in the middle");
    assert!(plain("").is_err() && plain("<html>Sign in</html>").is_err() && plain("PK\u{3}\u{4}x").is_err());
    assert!(
        plain(GOOD.split_inclusive('\n').next().unwrap()).is_err(),
        "nobody in it"
    );
    let semicolons = plain(&GOOD.replace(',', ";")).unwrap_err().failure("w.csv");
    assert!(semicolons.hint.unwrap().text.contains("delimiter = ';'"));
}

#[test]
fn columns_are_known_by_name_whatever_their_order() {
    assert_eq!(place(good("Left,", "Ended,")).1.as_deref(), Some("Left"));
    assert_eq!(place(good("Name,", "login,")).1.as_deref(), Some("login"));
    let titled = format!("Workers\n\n{GOOD}");
    assert!(plain(&titled).is_err());
    let settings = Settings {
        header_line: 3,
        ..Settings::plain("w")
    };
    let r = with(titled.as_bytes(), &settings, &words()).unwrap();
    assert_eq!(r.workers[0].place.as_deref(), Some("w.csv line 4"));
}

#[test]
fn what_a_spreadsheet_spoils_refuses_the_file() {
    let at = |from: &str, to: &str| place(good(from, to));
    assert_eq!(at("008,", "8.00E+00,"), (Some(3), Some("ID".into())));
    assert_eq!(at("bob@acme.example", "Bob"), (Some(3), Some("Mail".into())));
    assert_eq!(at("2026-02-27", "02/27/2026"), (Some(4), Some("Left".into())));
    assert_eq!(at("2026-02-27", "46080"), (Some(4), Some("Left".into())));
    assert_eq!(at("008,", "007,"), (Some(3), Some("ID".into())));
    let shown = good("2026-02-27", "02/27/2026")
        .unwrap_err()
        .failure("w.csv")
        .to_string();
    assert!(shown.contains("line 4") && shown.contains("02/27/2026"), "{shown}");
}

#[test]
fn a_footer_is_nobody_and_its_count_must_be_true() {
    assert_eq!(plain(&format!("{GOOD}Total,,,,,,,3\r\n")).unwrap().rows, 3);
    assert_eq!(place(plain(&format!("{GOOD}Total,,,,,,,4\r\n"))).0, Some(5));
    assert_eq!(plain(&format!("{GOOD}End of report,,,,,,,\r\n")).unwrap().rows, 3);
}

#[test]
fn a_bad_value_sets_one_person_aside_and_names_it() {
    let one = |from: &str, to: &str, key: &str, part: &str| {
        let all = faults(good(from, to));
        assert!(
            all.len() == 1 && all[0].0 == key && all[0].1.contains(part),
            "{to}: {all:?}"
        );
    };
    one("2026-02-27,Gone", "NULL,Gone", "009", "\"NULL\" is no date");
    one("2026-02-27,Gone", "0000-00-00,Gone", "009", "no day of the calendar");
    one("2026-02-27,Gone", ",Gone", "009", "Left is empty");
    one("2026-02-27,Gone", "2026-02-27,Active", "009", "HR says active");
    one("2026-02-27,Gone", "1970-01-01,Gone", "009", "before Hired");
    one("2026-02-27,Gone", "2026-02-27,Left us", "009", "doesn't explain");
    one("008,", ",", "line 3", "no id");
    // Within the grace, and ahead: the planner's to judge.
    assert_eq!(faults(good("2026-02-27,Gone", "2026-03-09,Active")), []);
    assert_eq!(faults(good("2026-02-27,Gone", "2026-12-31,Gone")), []);
}

#[test]
fn an_address_of_two_is_nobodys_unless_hr_ties_them() {
    let all = faults(good("bob@acme.example", "Ann@acme.example"));
    assert_eq!(all.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["007", "008"]);
    let text = GOOD
        .replace("bob,bob@", "ann,ann@")
        .replace("Type", "Human")
        .replace("Staff", "U-1");
    let mut words = words();
    words.attributes.worker_type = None;
    words.attributes.universal_id = Some("Human".into());
    assert_eq!(faults(with(text.as_bytes(), &Settings::plain("w"), &words)), []);
}

#[test]
fn positions_are_folded_where_the_mapping_says_so() {
    let mut words = words();
    words.group_by = Some(crate::config::GroupBy::Id);
    let second = |row: &str| {
        let r = with(format!("{GOOD}{row}\r\n").as_bytes(), &Settings::plain("w"), &words).unwrap();
        (r.rows, r.workers.len(), r.workers[2].clone())
    };
    let (rows, people, cy) = second("009,cy,cy@acme.example,\"Cole, Cy\",Staff,2020-01-01,2026-03-01,Gone");
    assert_eq!((rows, people, cy.employment), (4, 3, Employment::Terminated));
    assert_eq!(cy.terminated, Some(When::Day("2026-03-01".parse().unwrap())));
    let (_, _, cy) = second("009,cy,cy@acme.example,\"Cole, Cy\",Staff,2020-01-01,,Active");
    assert_eq!(
        (cy.employment, cy.terminated, cy.worker_type.as_deref()),
        (Employment::Active, None, Some("employee"))
    );
    let (_, _, cy) = second("009,cy,other@acme.example,\"Cole, Cy\",Staff,2020-01-01,2026-03-01,Gone");
    assert!(cy.fault.unwrap().contains("different addresses"));
}

#[test]
fn no_byte_lost_or_doubled_makes_a_leaver() {
    let bytes = GOOD.as_bytes();
    for i in 0..bytes.len() {
        let lost = [&bytes[..i], &bytes[i + 1..]].concat();
        let doubled = [&bytes[..=i], &bytes[i..]].concat();
        for changed in [lost, doubled] {
            let Ok(r) = with(&changed, &Settings::plain("w"), &words()) else {
                continue;
            };
            let gone = r
                .workers
                .iter()
                .filter(|w| w.employment == Employment::Terminated && w.fault.is_none());
            for w in gone {
                assert!(w.key == "009" || w.login.as_deref() == Some("cy"), "byte {i}: {w:?}");
            }
            assert_eq!(r.workers.len(), 3, "byte {i}");
        }
    }
}

#[test]
fn a_mapping_names_what_decides() {
    assert_eq!(people::mapped(&words()), Ok(()));
    let mut without = words();
    without.attributes.termination_date = None;
    assert!(people::mapped(&without).unwrap_err().contains("termination_date"));
    without = words();
    without.values.status.clear();
    assert!(people::mapped(&without).is_err());
}

#[test]
fn a_young_or_miscounted_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.csv");
    std::fs::write(&path, GOOD).unwrap();
    let changed = DateTime::from_timestamp(std::fs::metadata(&path).unwrap().mtime(), 0).unwrap();
    let read = |after: i64| {
        read_file(
            dir.path(),
            &Settings::plain("w.csv"),
            &words(),
            changed + TimeDelta::seconds(after),
        )
    };
    assert!(read(5).unwrap_err().summary.contains("may still be written"));
    assert_eq!(read(3600).unwrap().taken, Some(changed));
    std::fs::write(dir.path().join("w.csv.count"), "4\n").unwrap();
    assert!(read(3600).unwrap_err().summary.contains(".count says 4"));
    std::fs::write(dir.path().join("w.csv.count"), "3\n").unwrap();
    assert_eq!(read(3600).unwrap().rows, 3);
}

#[test]
#[ignore = "wants JML_SHARED: .ci/outside runs it"]
fn the_samples_read_as_expected() {
    use serde_json::Value;
    let samples = crate::providers::hr::samples::Samples::of("csv");
    let texts = |v: &Value| -> Vec<String> {
        let list = v.as_array().into_iter().flatten();
        list.map(|t| t.as_str().unwrap().to_owned()).collect()
    };
    for (file, want) in samples.files() {
        let usual = &samples.expected["default_mapping"];
        let own = want["mapping"].as_object();
        let of = |key: &str| own.and_then(|m| m.get(key)).unwrap_or(&usual[key]).clone();
        let mut words = serde_json::json!({"source": "csv", "end_is": "last_day", "date_format": of("date_format"),
            "columns": of("columns"), "values": of("values")});
        for key in ["group_by", "empty_dates"] {
            if let Some(value) = own.and_then(|m| m.get(key)) {
                words[key] = value.clone();
            }
        }
        let words: Roster = serde_json::from_value(words).unwrap();
        let delimiter = own.and_then(|m| m.get("delimiter")?.as_str()?.chars().next());
        let settings = Settings {
            delimiter,
            ..Settings::plain(&file)
        };
        let bytes = samples.bytes(&file);
        let of = |settings: &Settings| understand(&file, &bytes, settings, &words, samples.now());
        match (want["verdict"].as_str().unwrap(), of(&settings)) {
            ("ok" | "partial", Ok(r)) => {
                assert_eq!(r.rows as u64, want["rows"].as_u64().unwrap(), "{file}");
                let keys = |f: &dyn Fn(&Worker) -> bool| -> Vec<String> {
                    let some = r.workers.iter().filter(|w| f(w));
                    some.map(|w| w.key.clone()).collect()
                };
                let (mut aside, mut wanted) = (keys(&|w| w.fault.is_some()), texts(&want["set_aside"]));
                aside.sort();
                wanted.sort();
                assert_eq!(aside, wanted, "{file}");
                if want.get("ids").is_some() {
                    let gone = keys(&|w| w.employment == Employment::Terminated);
                    assert_eq!(
                        (keys(&|_| true), gone),
                        (texts(&want["ids"]), texts(&want["terminated"])),
                        "{file}"
                    );
                }
            }
            ("refuse", Err(fault)) => {
                let line = want.get("line").or(want.get("offending_line")).and_then(Value::as_u64);
                if line.is_some() {
                    assert_eq!(fault.line.map(|l| l as u64), line, "{file}");
                }
                if let Some(column) = want["column"].as_str() {
                    assert_eq!(fault.column.as_deref(), Some(column), "{file}");
                }
                let named = Settings {
                    encoding: Some("windows-1252".into()),
                    ..settings.clone()
                };
                let lower = Settings {
                    header_line: 4,
                    ..settings.clone()
                };
                for (key, settings) in [
                    ("rows_when_encoding_named", named),
                    ("rows_when_header_line_named", lower),
                ] {
                    if let Some(rows) = want[key].as_u64() {
                        assert_eq!(of(&settings).unwrap().rows as u64, rows, "{file}");
                    }
                }
            }
            (verdict, got) => panic!("{file}: wanted {verdict}, and got {got:?}"),
        }
    }
}
