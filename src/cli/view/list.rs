//! Lists, in whichever form was asked for: a table, a document, a line a row, or a sheet. The columns are the keys of the rows.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use super::{Out, Screen};
use crate::cli::{
    args::Output,
    document::{Document, JML, Noted, Person},
    error::CliError,
    exit::Exit,
    text,
};

/// What kind of list, and whose.
pub struct List<'a> {
    pub kind: &'a str,
    pub tenant: &'a super::Tenant,
    pub exit: Exit,
    /// In the order of their worth: a narrow terminal drops from the right.
    pub columns: &'a [&'a str],
    /// Rows whose own keys include `kind` (ledger entries): in ndjson theirs stands.
    pub own_kind: bool,
}

/// One entry of the ledger was written, and what it says: a sentence without its full stop.
pub fn noted(out: &Out, tenant: &super::Tenant, kind: &str, said: &str, entry: i64) -> Result<Exit, CliError> {
    let list = List {
        kind,
        tenant,
        exit: Exit::Done,
        columns: &["entry"],
        own_kind: false,
    };
    match out.screen.format {
        Output::Human => out.data(&format!("{said}: ledger entry {entry}.\n")),
        Output::Json | Output::Ndjson => out.document(&list.document(Noted { entry })),
        Output::Csv => list.show(out, &[Noted { entry }], "", || Noted { entry })?,
    }
    Ok(Exit::Done)
}

impl List<'_> {
    /// `body` makes the document's own keys of the rows; `after` is what a person reads below the table.
    pub fn show<T: Serialize, B: Serialize>(
        &self,
        out: &Out,
        rows: &[T],
        after: &str,
        body: impl FnOnce() -> B,
    ) -> Result<(), CliError> {
        let defect = |e: &dyn std::fmt::Display| CliError::internal("a list could not be written").why(e.to_string());
        match out.screen.format {
            Output::Human => {
                let mut cells = cells(rows, self.columns).map_err(|e| defect(&e))?;
                for cell in cells.iter_mut().flatten() {
                    *cell = eyes(cell).into_owned();
                }
                out.data(&format!(
                    "{}\n{}{after}",
                    self.tenant.line(&out.screen),
                    table(self.columns, &cells, &out.screen)
                ));
            }
            Output::Json => out.document(&self.document(body())),
            Output::Ndjson => {
                for row in rows {
                    let line = if self.own_kind {
                        serde_json::to_string(&Own { jml: JML, row })
                    } else {
                        serde_json::to_string(&Line {
                            jml: JML,
                            kind: self.kind,
                            row,
                        })
                    };
                    out.data(&(line.map_err(|e| defect(&e))? + "\n"));
                    if out.data_closed() {
                        break;
                    }
                }
            }
            Output::Csv => {
                let cells = cells(rows, self.columns).map_err(|e| defect(&e))?;
                out.data(&csv(self.columns, &cells).map_err(|e| defect(&e))?);
            }
        }
        Ok(())
    }

    pub fn document<B>(&self, body: B) -> Document<B> {
        Document {
            jml: JML,
            kind: self.kind.to_owned(),
            tenant: Some(self.tenant.org.clone()).filter(|o| !o.is_empty()),
            sandbox: self.tenant.sandbox,
            exit: self.exit.code(),
            body,
        }
    }
}

/// A run for a spreadsheet: a line a step, a person without steps on one of their own.
pub fn steps(people: &[Person]) -> Result<String, CliError> {
    const COLUMNS: &[&str] = &[
        "login", "flow", "result", "phase", "system", "action", "target", "outcome", "code", "hint",
    ];
    let mut rows = vec![];
    for p in people {
        let who = [p.login.clone(), p.flow.clone(), p.result.clone()];
        let text = |v: &Option<String>| v.clone().unwrap_or_default();
        for s in &p.steps {
            let step = [&s.phase, &s.system, &s.action, &s.target, &s.outcome].map(Clone::clone);
            rows.push(
                who.iter()
                    .cloned()
                    .chain(step)
                    .chain([text(&s.code), text(&s.hint)])
                    .collect(),
            );
        }
        if p.steps.is_empty() {
            let why = p.notes.first().map(|n| n.text.clone()).unwrap_or_default();
            let blank = (0..COLUMNS.len() - who.len() - 1).map(|_| String::new());
            rows.push(who.iter().cloned().chain(blank).chain([why]).collect::<Vec<String>>());
        }
    }
    csv(COLUMNS, &rows).map_err(|e| CliError::internal("a list could not be written").why(e.to_string()))
}

#[derive(Serialize)]
struct Line<'a, T> {
    jml: u32,
    kind: &'a str,
    #[serde(flatten)]
    row: &'a T,
}

#[derive(Serialize)]
struct Own<'a, T> {
    jml: u32,
    #[serde(flatten)]
    row: &'a T,
}

fn cells<T: Serialize>(rows: &[T], columns: &[&str]) -> Result<Vec<Vec<String>>, serde_json::Error> {
    rows.iter()
        .map(|row| {
            let row = serde_json::to_value(row)?;
            Ok(columns.iter().map(|c| cell(&row[*c])).collect())
        })
        .collect()
}

fn cell(v: &Value) -> String {
    match v {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        Value::Bool(b) => if *b { "yes" } else { "no" }.into(),
        Value::Array(all) => all.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => v.to_string(),
    }
}

/// An instant as all screens write it.
fn eyes(cell: &str) -> Cow<'_, str> {
    match cell.parse::<DateTime<Utc>>() {
        Ok(t) if cell.ends_with('Z') => text::instant(t).into(),
        _ => cell.into(),
    }
}

/// Aligned, without lines. Off a terminal nothing is cut; on one, columns are dropped from the right until it fits, and below 60
/// columns each row is a block.
pub fn table(columns: &[&str], rows: &[Vec<String>], screen: &Screen) -> String {
    let safe: Vec<Vec<String>> = rows
        .iter()
        .map(|r| r.iter().map(|c| screen.safe(c)).collect())
        .collect();
    if safe.is_empty() {
        return "(none)\n".into();
    }
    match screen.width {
        Some(w) if w < 60 => blocks(columns, &safe),
        Some(w) => {
            let wide = |n: usize| {
                (0..n)
                    .map(|i| {
                        safe.iter()
                            .map(|r| text::width(&r[i]))
                            .max()
                            .unwrap_or(0)
                            .max(columns[i].len())
                    })
                    .map(|c| c.min(40) + 3)
                    .sum::<usize>()
            };
            let mut n = columns.len();
            while n > 2 && wide(n) > w + 3 {
                n -= 1;
            }
            let cut = |c: &String| text::middle_cut(c, 40).into_owned();
            let rows = safe.iter().map(|r| r[..n].iter().map(cut).collect());
            aligned(&columns[..n], rows)
        }
        None => aligned(columns, safe.into_iter()),
    }
}

fn aligned(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|l| l.trim_end().to_owned() + "\n").collect()
}

fn blocks(columns: &[&str], rows: &[Vec<String>]) -> String {
    let head = columns.iter().map(|c| c.len()).max().unwrap_or(0) + 2;
    let mut out = String::new();
    for (n, row) in rows.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        for (c, cell) in columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            out += &format!("{}{cell}\n", text::pad(c, head));
        }
    }
    out
}

fn csv(columns: &[&str], rows: &[Vec<String>]) -> Result<String, Box<dyn std::error::Error>> {
    let mut w = csv::Writer::from_writer(vec![]);
    w.write_record(columns)?;
    for row in rows {
        w.write_record(row.iter().map(|c| text::neutral(c).into_owned()))?;
    }
    Ok(String::from_utf8(w.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    const COLUMNS: &[&str] = &["login", "name", "by"];

    #[test]
    fn a_run_is_a_line_a_step_that_no_spreadsheet_runs() {
        let plan = crate::cli::view::samples::alice();
        let mut p = crate::cli::view::json::planned(&plan, crate::model::PersonResult::Planned, None, vec![]);
        p.steps[0].target = "=cmd()".into();
        let sheet = steps(&[p.clone()]).unwrap();
        assert_eq!(sheet.lines().count(), p.steps.len() + 1);
        assert!(sheet.starts_with("login,flow,result,phase,system,action,target,outcome,code,hint\n"));
        assert!(sheet.contains(",'=cmd(),"), "{sheet}");
        p.steps.clear();
        assert_eq!(steps(&[p]).unwrap().lines().count(), 2);
    }

    fn rows() -> Vec<Vec<String>> {
        [
            ["alice@acme.example", "Alice Andersson", "hand"],
            ["zoe@acme.example", "Zoé 山田", "=cmd()"],
        ]
        .map(|r| r.map(String::from).to_vec())
        .to_vec()
    }

    #[test]
    fn a_table_is_aligned_by_what_is_seen() {
        assert_data_eq!(
            table(COLUMNS, &rows(), &Screen::PLAIN),
            str![[r#"
login               name             by
alice@acme.example  Alice Andersson  hand
zoe@acme.example    Zoé 山田         =cmd()

"#]]
        );
    }

    #[test]
    fn columns_drop_from_the_right_and_then_rows_become_blocks() {
        let narrow = Screen {
            width: Some(64),
            ..Screen::PLAIN
        };
        let mut long = rows();
        long[0][2] = "x".repeat(60);
        let t = table(COLUMNS, &long, &narrow);
        assert!(
            t.starts_with("login") && !t.contains("by") && t.lines().all(|l| text::width(l) <= 64),
            "{t}"
        );
        let phone = Screen {
            width: Some(40),
            ..Screen::PLAIN
        };
        let t = table(COLUMNS, &rows(), &phone);
        assert!(
            t.starts_with("login  alice@acme.example\nname   Alice Andersson\n"),
            "{t}"
        );
        let file = Screen {
            width: None,
            ..Screen::PLAIN
        };
        assert!(table(COLUMNS, &long, &file).contains(&"x".repeat(60)));
    }

    #[test]
    fn a_sheet_runs_nothing() {
        let sheet = csv(COLUMNS, &rows()).unwrap();
        assert_eq!(
            sheet,
            "login,name,by\nalice@acme.example,Alice Andersson,hand\nzoe@acme.example,Zoé 山田,'=cmd()\n"
        );
    }
}
