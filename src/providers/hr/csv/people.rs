//! From records to people. What makes the file as a whole doubtful refuses it; what concerns one person sets that person aside.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{
    date::{self, Cell},
    fault::{Fault, shown},
    table::{Record, Table},
};
use crate::{
    config::{EndIs, Fields, GroupBy, Roster},
    model::{Employment, When, Worker},
};

/// Without these columns nothing can be decided.
pub(super) fn mapped(words: &Roster) -> Result<(), String> {
    let fields = &words.attributes;
    let missing = match fields {
        Fields { id: None, .. } => "id",
        Fields {
            login: None,
            email: None,
            ..
        } => "login (or email)",
        Fields { status: None, .. } => "status",
        Fields {
            termination_date: None, ..
        } => "termination_date",
        _ if words.values.status.is_empty() => {
            return Err("[roster.values.status] must say which words mean active, leave, terminated, cancelled".into());
        }
        _ => return Ok(()),
    };
    Err(format!("[roster.columns] must name the column of {missing}"))
}

/// Where each thing stands in a record.
struct Columns<'a> {
    header: &'a [String],
    at: BTreeMap<&'static str, usize>,
}

const FOOTER: [&str; 6] = [
    "total",
    "totals",
    "grand total",
    "count",
    "end of report",
    "record count",
];

pub(super) fn read(
    name: &str,
    table: &Table,
    footer: &[String],
    words: &Roster,
    now: DateTime<Utc>,
) -> Result<(Vec<Worker>, usize), Fault> {
    let columns = Columns::of(table, &words.attributes)?;
    let reader = Reader {
        name,
        columns: &columns,
        words,
        now,
    };
    let mut people: Vec<(usize, Worker)> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = 0;
    for (i, record) in table.records.iter().enumerate() {
        if reader.is_footer(record, footer) {
            reader.count(record, rows)?;
            continue;
        }
        rows += 1;
        let worker = reader.person(record)?;
        match by_id.get(&worker.key).copied() {
            None => {
                by_id.insert(worker.key.clone(), people.len());
                people.push((i, worker));
            }
            Some(at) if words.group_by == Some(GroupBy::Id) => fold(&mut people[at].1, worker),
            Some(at) if trimmed(&table.records[people[at].0]) == trimmed(record) => {}
            Some(at) => {
                let (id, first) = (shown(&worker.key), table.records[people[at].0].line);
                let why = format!("the id {id} stood in line {first} already, with other facts: the column is no id");
                return Err(Fault::line(record.line, why).column(columns.name("id")));
            }
        }
    }
    if rows == 0 {
        return Err(Fault::file(
            "it has a header and nobody in it: an export that failed looks like this",
        ));
    }
    let mut workers: Vec<Worker> = people.into_iter().map(|(_, w)| w).collect();
    shared(&mut workers, "login", |w| w.login.as_deref());
    shared(&mut workers, "e-mail", |w| w.email.as_deref());
    Ok((workers, rows))
}

fn trimmed(record: &Record) -> Vec<&str> {
    record.cells.iter().map(|c| c.trim()).collect()
}

impl<'a> Columns<'a> {
    fn of(table: &'a Table, fields: &Fields) -> Result<Self, Fault> {
        let folded: Vec<String> = table.header.iter().map(|h| h.trim().to_lowercase()).collect();
        for (i, name) in folded.iter().enumerate() {
            if !name.is_empty() && folded[..i].contains(name) {
                return Err(Fault::file("two columns have this name").column(table.header[i].trim()));
            }
        }
        let wanted = [
            ("id", &fields.id),
            ("universal_id", &fields.universal_id),
            ("login", &fields.login),
            ("email", &fields.email),
            ("first_name", &fields.first_name),
            ("last_name", &fields.last_name),
            ("full_name", &fields.full_name_last_first),
            ("department", &fields.department),
            ("title", &fields.title),
            ("location", &fields.location),
            ("manager", &fields.manager),
            ("worker_type", &fields.worker_type),
            ("status", &fields.status),
            ("hire_date", &fields.hire_date),
            ("termination_date", &fields.termination_date),
            ("last_day_of_work", &fields.last_day_of_work),
        ];
        let mut at = BTreeMap::new();
        for (key, column) in wanted {
            let Some(column) = column else { continue };
            let Some(i) = folded.iter().position(|h| *h == column.trim().to_lowercase()) else {
                return Err(Fault::file("there is no such column; that it is missing says nothing of anybody")
                    .column(column)
                    .hint("if titles stand above the header, set header_line in the system's table; if HR renamed the column, [roster.columns]"));
            };
            at.insert(key, i);
        }
        Ok(Columns {
            header: &table.header,
            at,
        })
    }
    fn get<'r>(&self, record: &'r Record, key: &str) -> Option<&'r str> {
        let cell = record.cells.get(*self.at.get(key)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }
    /// As the file writes it.
    fn name(&self, key: &'static str) -> &str {
        self.at
            .get(key)
            .and_then(|i| self.header.get(*i))
            .map_or(key, |h| h.trim())
    }
}

struct Reader<'a> {
    name: &'a str,
    columns: &'a Columns<'a>,
    words: &'a Roster,
    now: DateTime<Utc>,
}

impl Reader<'_> {
    /// A line that sums up, and is nobody.
    fn is_footer(&self, record: &Record, more: &[String]) -> bool {
        let Some(id) = self.columns.get(record, "id").map(str::to_lowercase) else {
            return false;
        };
        let word = FOOTER.contains(&id.as_str()) || more.iter().any(|m| m.to_lowercase() == id);
        word && !self.columns.get(record, "email").is_some_and(|e| e.contains('@'))
    }
    fn count(&self, record: &Record, rows: usize) -> Result<(), Fault> {
        let last = record.cells.iter().map(|c| c.trim()).rfind(|c| !c.is_empty());
        match last.and_then(|c| c.parse::<usize>().ok()) {
            Some(said) if said != rows => {
                let why = format!("the footer says {said} records, and the file holds {rows}: it was cut on the way");
                Err(Fault::line(record.line, why))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn person(&self, record: &Record) -> Result<Worker, Fault> {
        let text = |key| self.columns.get(record, key).map(str::to_owned);
        let mut faults = Vec::new();
        let key = match self.columns.get(record, "id") {
            Some(id) if scientific(id) => {
                let why = format!("{} is an id that a spreadsheet turned into a number", shown(id));
                return Err(Fault::line(record.line, why).column(self.columns.name("id")));
            }
            Some(id) => id.to_owned(),
            None => {
                faults.push("it has no id".to_owned());
                format!("line {}", record.line)
            }
        };
        for column in ["email", "universal_id"] {
            let Some(cell) = self.columns.get(record, column) else {
                continue;
            };
            let why = match column {
                "email" if !cell.contains('@') || cell.contains(char::is_whitespace) => {
                    format!("{} is no e-mail address: columns may have moved", shown(cell))
                }
                "universal_id" if scientific(cell) => {
                    format!("{} is an id that a spreadsheet turned into a number", shown(cell))
                }
                _ => continue,
            };
            return Err(Fault::line(record.line, why).column(self.columns.name(column)));
        }
        let hired = self.date(record, "hire_date", &mut faults)?;
        let terminated = self.date(record, "termination_date", &mut faults)?;
        let last_day = self.date(record, "last_day_of_work", &mut faults)?;
        let employment = self.employment(record, &mut faults);
        if faults.is_empty() {
            faults.extend(self.contradiction(employment, hired, terminated));
        }
        let full = self
            .columns
            .get(record, "full_name")
            .map(|n| n.split_once(',').unwrap_or((n, "")));
        let part = |s: &str| (!s.trim().is_empty()).then(|| s.trim().to_owned());
        Ok(Worker {
            key,
            universal: text("universal_id"),
            login: text("login"),
            email: text("email"),
            first_name: text("first_name").or_else(|| full.and_then(|(_, first)| part(first))),
            last_name: text("last_name").or_else(|| full.and_then(|(last, _)| part(last))),
            department: text("department"),
            title: text("title"),
            location: text("location"),
            zone: None,
            worker_type: text("worker_type").map(|w| self.words.values.worker_type(&w)),
            manager: text("manager"),
            employment,
            hired: hired.map(When::Day),
            terminated: terminated.map(When::Day),
            last_day: last_day.map(When::Day),
            // A file has no mark for a rehire.
            rehired: false,
            // A snapshot doesn't say since when it says so.
            recorded: None,
            changed: None,
            day_is_end: self.words.end_is.map(|e| e == EndIs::LastDay),
            place: Some(format!("{} line {}", self.name, record.line)),
            fault: faults.into_iter().next(),
        })
    }

    fn date(&self, record: &Record, key: &'static str, faults: &mut Vec<String>) -> Result<Option<NaiveDate>, Fault> {
        let Some(cell) = self.columns.get(record, key) else {
            return Ok(None);
        };
        let column = self.columns.name(key);
        match date::read(cell, &self.words.date_format, &self.words.empty_dates, self.now.year()) {
            Cell::None => Ok(None),
            Cell::Day(day) => Ok(Some(day)),
            Cell::Bad(why) => {
                faults.push(format!("{column} {} {why}", shown(cell)));
                Ok(None)
            }
            Cell::Other => {
                let why = format!(
                    "the date {} is not in the declared form {}",
                    shown(cell),
                    self.words.date_format
                );
                Err(Fault::line(record.line, why)
                    .column(column)
                    .hint("declare the form that HR exports as date_format in [roster]; two forms in one file can't be told apart"))
            }
        }
    }

    fn employment(&self, record: &Record, faults: &mut Vec<String>) -> Employment {
        let column = self.columns.name("status");
        let word = self.columns.get(record, "status");
        match word.map(|w| (w, self.words.values.employment(w))) {
            Some((_, Some(employment))) => employment,
            Some((w, None)) => {
                faults.push(format!(
                    "{column} {} is a word that [roster.values.status] doesn't explain",
                    shown(w)
                ));
                Employment::Active
            }
            None => {
                faults.push(format!("{column} is empty"));
                Employment::Active
            }
        }
    }

    /// Two facts of one row that can't both be true. A file has no mark for a rehire.
    fn contradiction(
        &self,
        employment: Employment,
        hired: Option<NaiveDate>,
        end: Option<NaiveDate>,
    ) -> Option<String> {
        let (hire_column, end_column) = (self.columns.name("hire_date"), self.columns.name("termination_date"));
        if let (Some(hired), Some(end)) = (hired, end)
            && end < hired
        {
            return Some(format!("{end_column} {end} is before {hire_column} {hired}"));
        }
        match (employment, end) {
            (Employment::Terminated, None) => Some(format!("HR says terminated, and {end_column} is empty")),
            (e, Some(end)) if e.employed() && self.long_past(end) => {
                Some(format!("HR says active, and {end_column} {end} is past"))
            }
            _ => None,
        }
    }

    /// Beyond doubt, wherever the worker is: the planner, who knows the zone, judges the rest.
    fn long_past(&self, end: NaiveDate) -> bool {
        let grace = TimeDelta::from_std(self.words.grace).unwrap_or_default();
        let anywhere = TimeDelta::hours(14);
        let over = end
            .checked_add_days(Days::new(1))
            .map(|d| d.and_time(NaiveTime::MIN).and_utc());
        over.is_some_and(|t| t + anywhere + grace < self.now)
    }
}

/// `1.0003E+04`: Excel has been here.
fn scientific(id: &str) -> bool {
    let Some((mantissa, exponent)) = id.split_once(['E', 'e']) else {
        return false;
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let number = mantissa
        .split_once(['.', ','])
        .is_some_and(|(a, b)| digits(a) && digits(b));
    let signed = exponent.strip_prefix(['+', '-']);
    // 12E5 may be an id; 1.2E5 and 12E+5 are none.
    digits(signed.unwrap_or(exponent)) && (number || (signed.is_some() && digits(mantissa)))
}

/// One row a position: the person is gone when every one of them is.
fn fold(into: &mut Worker, row: Worker) {
    if into.fault.is_none() {
        let same = |a: &Option<String>, b: &Option<String>| {
            a.as_deref().map(str::to_lowercase) == b.as_deref().map(str::to_lowercase)
        };
        into.fault = if !(same(&into.email, &row.email) && same(&into.login, &row.login)) {
            Some("two rows of this id have different addresses".into())
        } else if !(same(&into.first_name, &row.first_name) && same(&into.last_name, &row.last_name)) {
            Some("two rows of this id have different names".into())
        } else {
            row.fault.clone()
        };
    }
    let gone = |w: &Worker| matches!(w.employment, Employment::Terminated | Employment::Cancelled);
    let hired = into.hired.into_iter().chain(row.hired).min();
    match (gone(into), gone(&row)) {
        // The first position that lives on speaks for the person.
        (true, false) => {
            let (key, place, fault) = (into.key.clone(), into.place.take(), into.fault.take());
            *into = Worker {
                key,
                place,
                fault,
                ..row
            };
        }
        (true, true) => {
            into.terminated = into.terminated.max(row.terminated);
            into.last_day = into.last_day.max(row.last_day);
        }
        (false, _) => {}
    }
    into.hired = hired;
}

/// One address for two ids: nobody knows whose it is, so both are set aside; unless HR's own number says that they are one human.
fn shared(workers: &mut [Worker], what: &str, of: fn(&Worker) -> Option<&str>) {
    let mut by: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, w) in workers.iter().enumerate() {
        if let Some(address) = of(w) {
            by.entry(address.to_lowercase()).or_default().push(i);
        }
    }
    for (address, holders) in by.into_iter().filter(|(_, h)| h.len() > 1) {
        let universal: BTreeSet<_> = holders.iter().map(|i| workers[*i].universal.clone()).collect();
        if universal.len() == 1 && !universal.contains(&None) {
            continue;
        }
        let keys: Vec<String> = holders.iter().map(|i| workers[*i].key.clone()).collect();
        for i in holders {
            let others: Vec<&str> = keys
                .iter()
                .filter(|k| **k != workers[i].key)
                .map(String::as_str)
                .collect();
            let fault = format!("the {what} {} is also that of {}", shown(&address), others.join(", "));
            workers[i].fault.get_or_insert(fault);
        }
    }
}
