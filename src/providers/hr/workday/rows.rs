//! From rows of a report to workers. Every value is text; absent, null and "" are the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::cells::{self, doubtful, folded, shown},
    ContractEnd, WHAT,
};
use crate::{
    config::{EndIs, Roster},
    model::{Employment, Failure, When, Worker},
};

#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(rename = "Report_Entry")]
    rows: Vec<Entry>,
}

type Entry = BTreeMap<String, Value>;

/// The report's alias of each column: the contract's, unless `[roster.columns]` says otherwise.
struct Columns<'a> {
    id: &'a str,
    login: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    department: &'a str,
    title: &'a str,
    manager: &'a str,
    worker_type: &'a str,
    status: &'a str,
    hired: &'a str,
    terminated: &'a str,
    last_day: &'a str,
    rescinded: &'a str,
    universal: Option<&'a str>,
    location: Option<&'a str>,
}

const CONTINGENT_ID: &str = "Contingent_Worker_ID";
const WID: &str = "Worker_WID";
const ACTIVE: &str = "Active_Status";
const CONTRACT_END: &str = "Contract_End_Date";
const ENTERED: &str = "Termination_Entered";
const REHIRE: &str = "Rehire";
const ZONE: &str = "Location_Time_Zone";

impl<'a> Columns<'a> {
    fn of(words: &'a Roster) -> Self {
        let f = &words.attributes;
        let or = |name: &'a Option<String>, usual: &'a str| name.as_deref().unwrap_or(usual);
        Columns {
            id: or(&f.id, "Employee_ID"),
            login: or(&f.login, "User_Name"),
            email: or(&f.email, "Work_Email"),
            first_name: or(&f.first_name, "First_Name"),
            last_name: or(&f.last_name, "Last_Name"),
            department: or(&f.department, "Department"),
            title: or(&f.title, "Business_Title"),
            manager: or(&f.manager, "Manager_Employee_ID"),
            worker_type: or(&f.worker_type, "Worker_Type"),
            status: or(&f.status, "Worker_Status"),
            hired: or(&f.hire_date, "Hire_Date"),
            terminated: or(&f.termination_date, "Termination_Date"),
            last_day: or(&f.last_day_of_work, "Last_Day_of_Work"),
            rescinded: or(&f.rescinded, "Hire_Rescinded"),
            universal: f.universal_id.as_deref(),
            location: f.location.as_deref(),
        }
    }

    /// Without one of these in any row nothing can be decided: a lost domain, or a report that lacks the column. That nobody leaves
    /// within the report's 400 days is no firm's state.
    fn required(&self) -> [Vec<&str>; 7] {
        [
            vec![self.login, self.email],
            vec![self.last_name],
            vec![self.worker_type],
            vec![self.status],
            vec![ACTIVE],
            vec![self.hired],
            vec![self.terminated, CONTRACT_END],
        ]
    }
}

pub(super) fn read(
    body: Body,
    contract_end: ContractEnd,
    words: &Roster,
    now: DateTime<Utc>,
) -> Result<Vec<Worker>, Failure> {
    if body.rows.is_empty() {
        return Err(doubtful(
            WHAT,
            "the report is empty: a lost permission or a broken filter, never an empty firm",
        )
        .hint("run the report as the integration system user; its security group must not be constrained"));
    }
    let columns = Columns::of(words);
    let filled: BTreeSet<&str> = body
        .rows
        .iter()
        .flatten()
        .filter(|(_, v)| v.as_str().map_or(!v.is_null(), |s| !s.trim().is_empty()))
        .map(|(k, _)| k.as_str())
        .collect();
    let blank: Vec<String> = columns
        .required()
        .into_iter()
        .filter(|any| !any.iter().any(|c| filled.contains(c)))
        .map(|any| any.join(" or "))
        .collect();
    if !blank.is_empty() {
        let why = format!("the report has no value in any row of {}", blank.join(", "));
        return Err(doubtful(WHAT, why)
            .hint("a domain that the integration system user lost blanks a column for everyone: check the security group and the report's columns"));
    }
    let reader = Reader {
        columns: &columns,
        contract_end,
        words,
        now,
    };
    let mut wids = BTreeSet::new();
    let mut workers = Vec::with_capacity(body.rows.len());
    for row in &body.rows {
        let worker = reader.worker(row)?;
        // One worker id may be of two workers, an employee and the contractor whom they were: then these differ.
        let wid = text(row, WID).unwrap_or(&worker.key);
        if !wids.insert(wid.to_owned()) {
            return Err(doubtful(WHAT, format!("two rows are of worker {}", shown(&worker.key))));
        }
        workers.push(worker);
    }
    twins(&mut workers)?;
    cells::tie(&mut workers);
    cells::shared_addresses(&mut workers);
    Ok(workers)
}

/// One id of two records is one human's.
fn twins(workers: &mut [Worker]) -> Result<(), Failure> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, w) in workers.iter().enumerate() {
        by_key.entry(w.key.clone()).or_default().push(i);
    }
    for (key, records) in by_key.into_iter().filter(|(_, r)| r.len() > 1) {
        let live = records.iter().filter(|i| workers[**i].employment.employed()).count();
        if live > 1 {
            return Err(doubtful(
                WHAT,
                format!("two rows are of worker {}, and both live", shown(&key)),
            ));
        }
        for i in records {
            workers[i].universal.get_or_insert_with(|| key.clone());
        }
    }
    Ok(())
}

/// No value: absent, null, "".
fn text<'a>(row: &'a Entry, column: &str) -> Option<&'a str> {
    let value = row.get(column)?.as_str()?.trim();
    (!value.is_empty()).then_some(value)
}

struct Reader<'a> {
    columns: &'a Columns<'a>,
    contract_end: ContractEnd,
    words: &'a Roster,
    now: DateTime<Utc>,
}

impl Reader<'_> {
    fn worker(&self, row: &Entry) -> Result<Worker, Failure> {
        let c = self.columns;
        let Some(key) = text(row, c.id).or_else(|| text(row, CONTINGENT_ID)) else {
            return Err(doubtful(
                WHAT,
                format!("a row has neither {} nor {CONTINGENT_ID}", c.id),
            ));
        };
        let owned = |column: &str| text(row, column).map(str::to_owned);
        let mut faults = Vec::new();
        // A report prints text: anything else comes from another report than this contract's.
        if let Some((column, _)) = row.iter().find(|(_, v)| !v.is_string() && !v.is_null()) {
            faults.push(format!("{} holds something other than text", shown(column)));
        }
        let mut day = |column: &str| self.day(row, column, &mut faults);
        let hired = day(c.hired);
        let own_end = day(c.terminated);
        let contract = day(CONTRACT_END);
        let last_day = day(c.last_day);
        // The most recent one, and it survives a rehire: from before this employment it is the earlier one's.
        let before = |d: NaiveDate| hired.is_some_and(|h| d < h);
        let stale = own_end.is_some_and(before);
        let terminated = own_end.filter(|d| !before(*d)).or(contract);
        let last_day = last_day.filter(|d| !before(*d));
        let active = match text(row, ACTIVE) {
            Some("1") => Some(true),
            Some("0") => Some(false),
            other => {
                faults.push(format!("{ACTIVE} is {}", shown(other.unwrap_or_default())));
                None
            }
        };
        let (zone, zoneless) = match text(row, ZONE) {
            None => (None, None),
            Some(name) => match name.parse::<Tz>() {
                Ok(tz) => (Some(tz), None),
                Err(_) => (None, Some(name.to_owned())),
            },
        };
        let today = self.today(zone);
        let starts = hired.is_some_and(|h| h > today);
        let employment = self.employment(row, active, starts, terminated, &mut faults);
        if self.contract_end == ContractEnd::Report
            && own_end.is_none()
            && employment.employed()
            && contract.is_some_and(|d| d < today)
        {
            faults.push(format!("{CONTRACT_END} has passed, and Workday says active"));
        }
        let mut worker = Worker {
            key: key.to_owned(),
            universal: c.universal.and_then(owned),
            login: owned(c.login),
            email: owned(c.email),
            first_name: owned(c.first_name),
            last_name: owned(c.last_name),
            department: owned(c.department),
            title: owned(c.title),
            location: c.location.and_then(owned).or(zoneless),
            zone,
            worker_type: text(row, c.worker_type).map(|w| cells::worker_type(w, self.words)),
            manager: owned(c.manager),
            employment,
            hired: hired.map(When::Day),
            terminated: terminated.map(When::Day),
            last_day: last_day.map(When::Day),
            rehired: stale || text(row, REHIRE) == Some("1"),
            recorded: terminated.and(text(row, ENTERED)).and_then(instant),
            changed: None,
            day_is_end: Some(self.words.end_is.is_none_or(|e| e == EndIs::LastDay)),
            place: Some(format!("Workday's report, worker {}", shown(key))),
            fault: None,
        };
        faults.extend(cells::contradiction(&worker));
        worker.fault = (!faults.is_empty()).then(|| faults.join("; "));
        Ok(worker)
    }

    fn day(&self, row: &Entry, column: &str, faults: &mut Vec<String>) -> Option<NaiveDate> {
        match cells::day(text(row, column)?, self.words) {
            Ok(day) => day,
            Err(why) => {
                faults.push(format!("{column}: {why}"));
                None
            }
        }
    }

    fn today(&self, zone: Option<Tz>) -> NaiveDate {
        match zone.or(self.words.time_zone) {
            Some(tz) => self.now.with_timezone(&tz).date_naive(),
            None => self.now.date_naive(),
        }
    }

    fn employment(
        &self,
        row: &Entry,
        active: Option<bool>,
        starts: bool,
        terminated: Option<NaiveDate>,
        faults: &mut Vec<String>,
    ) -> Employment {
        let column = self.columns.status;
        let word = text(row, column).unwrap_or_default();
        let said = self.words.values.employment(word).or_else(|| usual(word));
        let rescinded = text(row, self.columns.rescinded) == Some("1");
        // The flag is set for a corrected start, too: beside an active worker it says nothing, unless a leaving was taken back.
        if rescinded && active == Some(false) {
            return Employment::Cancelled;
        }
        if rescinded && terminated.is_some() {
            faults.push(format!("{} is set beside a leaving date", self.columns.rescinded));
        }
        match (said, active) {
            (None, _) => {
                faults.push(format!("{column} {} is a word that nobody explains", shown(word)));
                Employment::Active
            }
            (Some(Employment::Terminated), Some(true)) => {
                faults.push(format!("{column} says terminated, and {ACTIVE} is 1"));
                Employment::Active
            }
            // Until their first day they are inactive.
            (Some(e), Some(false)) if e.employed() && starts => e,
            // Workday's own day is Pacific: status and date may flip at different midnights, and the date decides.
            (Some(e), Some(false)) if e.employed() && terminated.is_some() => Employment::Terminated,
            (Some(e), Some(false)) if e.employed() => {
                faults.push(format!("{column} is {}, and {ACTIVE} is 0", shown(word)));
                e
            }
            (Some(e), _) => e,
        }
    }
}

fn usual(word: &str) -> Option<Employment> {
    match folded(word).as_str() {
        "active" => Some(Employment::Active),
        "onleave" | "leave" => Some(Employment::OnLeave),
        "terminated" => Some(Employment::Terminated),
        _ => None,
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.to_utc())
}
