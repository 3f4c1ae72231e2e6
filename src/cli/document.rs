//! Documents of `-o json`: each begins with `"jml": 1` and its kind. Fields are never renamed silently; docs/OUTPUT.md describes them.
//!
//! A run's document is made from plans (a dry run) or from the ledger's fold, never from what was shown on the way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CliError;

/// The version of every document.
pub const JML: u32 = 1;

/// What every document has beside its own keys.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Document<B> {
    pub jml: u32,
    /// The command's words joined by `-`.
    pub kind: String,
    /// Organisation id; null where none is known yet.
    pub tenant: Option<String>,
    pub sandbox: bool,
    pub exit: u8,
    #[serde(flatten)]
    pub body: B,
}

/// What a command says before there is a run.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Error {
    pub message: String,
    pub hint: Option<String>,
    /// Who may have been meant (exit 11).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Candidate {
    pub login: String,
    pub name: String,
    pub department: String,
    pub status: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Place {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}

pub fn error(e: &CliError, tenant: Option<String>, sandbox: bool) -> Document<Error> {
    let hint: Vec<String> = e
        .hints
        .iter()
        .map(|h| match &h.command {
            Some(c) => format!("{}: {c}", h.text.trim_end_matches([':', '.'])),
            None => h.text.clone(),
        })
        .collect();
    let mut message = e.message.clone();
    for why in &e.why {
        message += "; ";
        message += why;
    }
    Document {
        jml: JML,
        kind: "error".into(),
        tenant,
        sandbox,
        exit: e.exit.code(),
        body: Error {
            message,
            hint: (!hint.is_empty()).then(|| hint.join(" ")),
            candidates: e
                .candidates
                .iter()
                .map(|c| Candidate {
                    login: c.login.clone(),
                    name: c.name.clone(),
                    department: c.department.clone(),
                    status: c.status.clone(),
                })
                .collect(),
            place: e.place.as_ref().map(|p| Place {
                file: p.file.clone(),
                line: p.line,
                column: p.column,
            }),
        },
    }
}

/// A run, or a dry run.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Run {
    /// Null in a dry run.
    pub run: Option<String>,
    pub dry_run: bool,
    pub started: DateTime<Utc>,
    pub finished: DateTime<Utc>,
    #[serde(flatten)]
    pub sweep: Option<Sweep>,
    pub totals: Totals,
    /// Left out of the last line of ndjson, where each person had a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<Person>>,
}

/// What a sweep tells beside its people.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Sweep {
    pub read: Read,
    pub brake: Option<Brake>,
    pub set_aside: Vec<SetAside>,
    pub future: Vec<Future>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, Default)]
pub struct Read {
    pub people: usize,
    pub pages: usize,
    pub complete: bool,
    /// Systems that were not read.
    pub unknown: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Brake {
    pub rule: String,
    pub found: usize,
    pub limit: usize,
    /// Id of the plan that is held.
    pub held: Option<String>,
    pub causes: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct SetAside {
    pub login: String,
    pub why: String,
    #[serde(rename = "where")]
    pub place: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Future {
    pub login: String,
    pub effective: DateTime<Utc>,
}

/// People, by how it ended.
#[derive(Serialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    #[serde(skip_serializing_if = "zero")]
    pub planned: usize,
    pub complete: usize,
    pub partial: usize,
    pub held: usize,
    pub refused: usize,
    pub nothing: usize,
    pub set_aside: usize,
    pub future: usize,
    /// Of whom something is owed within its own deadline.
    pub owed: usize,
    /// Leavers later than promised.
    pub late: usize,
}

const fn zero(n: &usize) -> bool {
    *n == 0
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Person {
    pub login: String,
    pub id: Option<String>,
    pub flow: String,
    /// planned, complete, partial, held, refused or nothing
    pub result: String,
    /// sha256 of the plan; null where there is none.
    pub plan: Option<String>,
    /// The leaving (or starting) instant.
    pub effective: Option<DateTime<Utc>>,
    pub due: Option<DateTime<Utc>>,
    pub contained: Option<DateTime<Utc>>,
    pub completed: Option<DateTime<Utc>>,
    /// Access that is not known to be gone.
    pub open: Vec<Open>,
    pub steps: Vec<Step>,
    /// What an operator should know; the preview's notes.
    pub notes: Vec<Note>,
    /// Commands that may follow.
    pub next: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Open {
    pub system: String,
    /// As people know the account; empty where the system was not read.
    pub account: String,
}

/// A step, or an app whose assignment ends (or begins) by the steps: those have the phase `verify`.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Step {
    pub phase: String,
    pub system: String,
    pub action: String,
    pub target: String,
    pub why: String,
    /// planned, verified, done, already, unassigned, failed, in-doubt, owed or not-tried
    pub outcome: String,
    pub code: Option<String>,
    pub request: Option<String>,
    pub hint: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Note {
    /// attention, unknown or keep
    pub mark: String,
    pub system: Option<String>,
    pub text: String,
}

/// A list: the columns of its table are the keys of its rows.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Rows<T> {
    pub rows: Vec<T>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Entries<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    pub entries: Vec<T>,
}

/// A ledger entry as lists show it.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Entry {
    pub seq: i64,
    pub time: DateTime<Utc>,
    pub kind: String,
    pub run: String,
    pub step: Option<usize>,
    pub login: Option<String>,
    pub phase: Option<String>,
    pub system: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub outcome: Option<String>,
    pub operator: String,
    pub host: String,
    pub hash: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Verified {
    pub entries: u64,
    /// Hash of the last entry.
    pub head: Option<String>,
    /// The newest checkpoint, as C2SP text.
    pub checkpoint: Option<String>,
    pub bad: Option<Bad>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Bad {
    pub seq: Option<i64>,
    pub why: String,
}

/// A leaver's clock. Times are in milliseconds.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Sla {
    pub login: String,
    pub run: String,
    pub due: Option<DateTime<Utc>>,
    /// From the leaving instant to HR's record; null where HR's time of record can't be read.
    pub hr_lag_ms: Option<i64>,
    pub found_ms: Option<i64>,
    pub contained_ms: Option<i64>,
    pub complete_ms: Option<i64>,
    /// Later than due; null where nothing can be said.
    pub late: Option<bool>,
    pub result: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct RunRow {
    pub run: String,
    pub kind: String,
    pub people: usize,
    /// What is left: null where the run is finished.
    pub exit: Option<u8>,
    pub started: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct GroupRow {
    pub name: String,
    pub managed: bool,
    /// Null where the members were not read.
    pub members: Option<usize>,
    pub rules: Vec<String>,
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct MemberRow {
    pub login: String,
    pub name: String,
    /// `hand`, or the rules that may have put them there.
    pub by: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct RuleRow {
    pub rule: String,
    pub status: String,
    pub groups: Vec<String>,
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct CastRow {
    pub login: String,
    pub name: String,
    pub stories: Vec<String>,
}

/// What `groups export --format json` writes and `groups diff` reads: sorted by name.
#[derive(Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub taken: DateTime<Utc>,
    pub groups: Vec<SnapshotGroup>,
}

#[derive(Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct SnapshotGroup {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub description: Option<String>,
    pub managed: bool,
    /// Logins.
    pub members: Vec<String>,
    pub rules: Vec<String>,
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Changes {
    /// Of `groups diff`: when the snapshot was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<DateTime<Utc>>,
    pub changes: Vec<Change>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `+`, `-` or `~`
    pub mark: String,
    pub group: String,
    /// group, member, rule or app
    pub what: String,
    pub subject: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// One person: HR, Okta and every app side by side.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Show {
    pub person: ShowPerson,
    pub hr: ShowHr,
    pub systems: Vec<ShowSystem>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowPerson {
    pub login: String,
    pub name: String,
    pub id: String,
    pub status: String,
    pub department: Option<String>,
    pub title: Option<String>,
    pub groups: Vec<String>,
    pub read: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowHr {
    pub source: String,
    /// active, on-leave, terminated, cancelled; missing or contradiction where HR gives none.
    pub status: String,
    pub department: Option<String>,
    pub title: Option<String>,
    pub effective: Option<DateTime<Utc>>,
    /// What policy gives.
    pub groups: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowSystem {
    pub system: String,
    pub account: Option<String>,
    pub state: String,
    pub policy: String,
    /// ok, drift or unknown
    pub mark: String,
    /// What else is worth a look.
    pub detail: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Doctor {
    pub systems: Vec<DoctorSystem>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct DoctorSystem {
    pub system: String,
    pub url: Option<String>,
    /// How far the system's clock is from this host's.
    pub clock_ms: Option<i64>,
    pub checks: Vec<Check>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub check: String,
    /// ok, look, failed or unknown
    pub result: String,
    pub subject: String,
    pub needed_by: Option<String>,
    pub consequence: Option<String>,
    pub repair: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyDiff {
    pub people: Vec<PolicyPerson>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyPerson {
    pub login: String,
    pub gains: Vec<String>,
    pub loses: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Explained {
    pub login: String,
    pub groups: Vec<ExplainedGroup>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ExplainedGroup {
    pub group: String,
    pub rule: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Written {
    pub path: String,
    /// By system: the identity that the configuration pins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pins: Option<BTreeMap<String, String>>,
}

/// One entry of the ledger was written.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Noted {
    pub entry: i64,
}

/// First line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Version {
    pub jml: u32,
    pub kind: &'static str,
    pub program: String,
    pub tenant: Option<String>,
    pub run: Option<String>,
}

/// A step that ended, as a line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct StepLine {
    pub jml: u32,
    pub kind: &'static str,
    pub login: String,
    pub phase: String,
    pub system: String,
    pub what: String,
    pub outcome: String,
    pub code: Option<String>,
    pub request: Option<String>,
    pub hint: Option<String>,
    pub took_ms: u64,
}

/// A person whose work ended, as a line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PersonLine {
    pub jml: u32,
    pub kind: &'static str,
    #[serde(flatten)]
    pub person: Person,
}

/// As it is written: what may be left out is not required.
fn of<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Of every document, by kind; each is a JSON Schema of its own.
pub fn schemas() -> serde_json::Value {
    macro_rules! all {
        ($($kind:literal: $t:ty),* $(,)?) => {
            [$(($kind, of::<$t>())),*]
        };
    }
    let run = [
        "joiner",
        "mover",
        "leaver",
        "sweep",
        "resume",
        "run-apply",
        "run-show",
        "groups-apply",
        "summary",
    ];
    let run = run.map(|kind| (kind, of::<Document<Run>>()));
    let others = all! {
        "error": Document<Error>,
        "version": Version,
        "step": StepLine,
        "person": PersonLine,
        "audit-log": Document<Entries<Entry>>,
        "audit-show": Document<Entries<Entry>>,
        "audit-verify": Document<Verified>,
        "audit-sla": Document<Rows<Sla>>,
        "run-list": Document<Rows<RunRow>>,
        "groups-list": Document<Rows<GroupRow>>,
        "groups-who": Document<Rows<MemberRow>>,
        "groups-rules": Document<Rows<RuleRow>>,
        "groups-plan": Document<Changes>,
        "groups-diff": Document<Changes>,
        "groups-export": Document<Snapshot>,
        "show": Document<Show>,
        "doctor": Document<Doctor>,
        "policy-diff": Document<PolicyDiff>,
        "policy-explain": Document<Explained>,
        "config-init": Document<Written>,
        "config-check": Document<Written>,
        "link": Document<Noted>,
        "sandbox-reset": Document<Written>,
        "sandbox-journal": Document<Rows<serde_json::Value>>,
        "sandbox-people": Document<Rows<CastRow>>,
    };
    run.into_iter()
        .chain(others)
        .map(|(k, v)| (k.to_owned(), v))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
