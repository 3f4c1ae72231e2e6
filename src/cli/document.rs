//! Documents of `-o json`: each begins with `"jml": 1` and its kind. Fields are never renamed silently; docs/OUTPUT.md describes them.
//!
//! A run's document is made from plans (a dry run) or from the ledger's fold, never from what was shown on the way.

mod doctor;
mod drift;
mod pause;
mod schemas;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CliError;

pub use doctor::{Check, Doctor, DoctorSystem, Monitor};
pub use drift::Drift;
pub use pause::{Paused, Pausing};
pub use schemas::schemas;

/// The version of every document.
pub const JML: u32 = 1;

/// What every document has beside its own keys.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Document<B> {
    /// Version of the form.
    pub jml: u32,
    /// The command's words joined by `-`.
    pub kind: String,
    /// Organisation id; null where none is known yet.
    pub tenant: Option<String>,
    /// The pretend firm, or a real one.
    pub sandbox: bool,
    /// The exit code.
    pub exit: u8,
    #[serde(flatten)]
    pub body: B,
}

/// What a command says before there is a run.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Error {
    /// What failed, with its subject, and why.
    pub message: String,
    /// What to do, and the command that does it.
    pub hint: Option<String>,
    /// Who may have been meant (exit 11).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Where in a file.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Candidate {
    /// Login.
    pub login: String,
    /// Display name.
    pub name: String,
    /// As the directory has it.
    pub department: String,
    /// What HR says where it matters, else the directory's status.
    pub status: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Place {
    /// Path.
    pub file: String,
    /// From 1.
    pub line: Option<usize>,
    /// From 1, in characters.
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
    /// Nothing was changed.
    pub dry_run: bool,
    /// The role by which it was allowed; null where the configuration has no roles, and everything is.
    pub role: Option<String>,
    /// Where this run is the first under its policy; else null.
    pub policy_changed: Option<PolicyChanged>,
    /// When the command began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    #[serde(flatten)]
    pub sweep: Option<Sweep>,
    /// Left out where nothing was paused while the command worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// People, by how it ended.
    pub totals: Totals,
    /// Left out of the last line of ndjson, where each person had a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<Person>>,
}

/// Another policy than the run before had. What it changes shows `jml policy diff` beforehand.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyChanged {
    /// The last run under the former one.
    pub since: String,
    /// Its digest.
    pub from: String,
    /// This run's.
    pub to: String,
}

/// What a sweep tells beside its people.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Sweep {
    /// What was read.
    pub read: Read,
    /// The brake that tripped, or null.
    pub brake: Option<Brake>,
    /// People who were shown and not changed.
    pub set_aside: Vec<SetAside>,
    /// Leavings that are still to come.
    pub future: Vec<Future>,
    /// Accounts that should not be there, where that lane was chosen.
    pub orphans: Vec<Drift>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, Default)]
pub struct Read {
    /// How many people.
    pub people: usize,
    /// In how many pages.
    pub pages: usize,
    /// The whole roster was read, and believed.
    pub complete: bool,
    /// Systems that were not read.
    pub unknown: Vec<String>,
    /// Why what HR says is too old, or half written: movers and joiners waited.
    pub stale: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Brake {
    /// Which limit.
    pub rule: String,
    /// How many were found.
    pub found: usize,
    /// How many were allowed.
    pub limit: usize,
    /// Id of the plan that is held.
    pub held: Option<String>,
    /// How many leavers were shut out all the same (in a dry run: would be), because `on_brake` is `contain`. The rest of theirs is held.
    pub contained: usize,
    /// What may be the reason.
    pub causes: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct SetAside {
    /// Login, or the row's own name for the person.
    pub login: String,
    /// What contradicts.
    pub why: String,
    /// Where it stands in the source.
    #[serde(rename = "where")]
    pub place: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Future {
    /// Login.
    pub login: String,
    /// The leaving instant.
    pub effective: DateTime<Utc>,
}

/// People, by how it ended.
#[derive(Serialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Dry run: something is to do.
    #[serde(skip_serializing_if = "zero")]
    pub planned: usize,
    /// All of it was done.
    pub complete: usize,
    /// Something failed, or is owed.
    pub partial: usize,
    /// Held by a brake.
    pub held: usize,
    /// Refused by a guard.
    pub refused: usize,
    /// Nothing to do.
    pub nothing: usize,
    /// Shown and not changed.
    pub set_aside: usize,
    /// Leavings that are still to come.
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
    /// Login.
    pub login: String,
    /// Okta id.
    pub id: Option<String>,
    /// leaver, mover or joiner
    pub flow: String,
    /// planned, complete, partial, held, refused or nothing
    pub result: String,
    /// sha256 of the plan; null where there is none.
    pub plan: Option<String>,
    /// The leaving (or starting) instant.
    pub effective: Option<DateTime<Utc>>,
    /// When a leaver has to be complete.
    pub due: Option<DateTime<Utc>>,
    /// When nobody could sign in any more.
    pub contained: Option<DateTime<Utc>>,
    /// When the last step was settled.
    pub completed: Option<DateTime<Utc>>,
    /// Access that is not known to be gone.
    pub open: Vec<Open>,
    /// In the order of the plan.
    pub steps: Vec<Step>,
    /// What an operator should know; the preview's notes.
    pub notes: Vec<Note>,
    /// Commands that may follow.
    pub next: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Open {
    /// Name of the system in the configuration.
    pub system: String,
    /// As people know the account; empty where the system was not read.
    pub account: String,
}

/// A step, or an app whose assignment ends (or begins) by the steps: those have the phase `verify`.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Step {
    /// contain, preserve, remove, close, verify, record; of a joiner activate, add; of a mover remove, add, tell
    pub phase: String,
    /// Name of the system in the configuration, or of the app in Okta.
    pub system: String,
    /// One of the actions above.
    pub action: String,
    /// The group, app, channel or token; empty where it is the account.
    pub target: String,
    /// Which rule or record asks for it.
    pub why: String,
    /// planned, verified, done, already, unassigned, failed, in-doubt, owed or not-tried
    pub outcome: String,
    /// The vendor's code, else the HTTP status.
    pub code: Option<String>,
    /// The vendor's id of the request.
    pub request: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Note {
    /// attention, unknown or keep
    pub mark: String,
    /// Which system it is about.
    pub system: Option<String>,
    /// One sentence or two.
    pub text: String,
}

/// A list: the columns of its table are the keys of its rows.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Rows<T> {
    /// One a line of the table.
    pub rows: Vec<T>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Entries<T> {
    /// The run that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The oldest first.
    pub entries: Vec<T>,
}

/// A ledger entry as lists show it.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Entry {
    /// Number in the ledger, from 1.
    pub seq: i64,
    /// When it was written.
    pub time: DateTime<Utc>,
    /// What is recorded.
    pub kind: String,
    /// The run it belongs to.
    pub run: String,
    /// Number of the step in the plan, from 0.
    pub step: Option<usize>,
    /// Whom it is about.
    pub login: Option<String>,
    /// Of the step.
    pub phase: Option<String>,
    /// Of the step.
    pub system: Option<String>,
    /// Of the step, or of what a recorder is told.
    pub action: Option<String>,
    /// Of the step.
    pub target: Option<String>,
    /// How the step ended.
    pub outcome: Option<String>,
    /// Who ran it.
    pub operator: String,
    /// On which machine.
    pub host: String,
    /// SHA-256, which the next entry carries on.
    pub hash: String,
    /// Only of an entry that was first written on a host that could not reach the ledger: where it stood there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spooled: Option<Spooled>,
}

/// Of an entry that came from a host's spool.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Spooled {
    /// Its number in the spool, from 1.
    pub seq: i64,
    /// Its SHA-256 there.
    pub hash: String,
    /// When it came into the ledger; `time` is when it was written on the host.
    pub merged: DateTime<Utc>,
    /// It stood in the ledger already, or somebody else had gone on: it changes nothing any more.
    pub moot: bool,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Verified {
    /// How many there are.
    pub entries: u64,
    /// Hash of the last entry.
    pub head: Option<String>,
    /// The newest checkpoint, as C2SP text.
    pub checkpoint: Option<String>,
    /// What does not hold, or null.
    pub bad: Option<Bad>,
    /// Only beside --mirror: how many entries it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<usize>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Bad {
    /// The first entry that does not hold, where one can be named.
    pub seq: Option<i64>,
    /// What is wrong with it.
    pub why: String,
}

/// A leaver's clock. Times are in milliseconds.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Sla {
    /// Login.
    pub login: String,
    /// The run.
    pub run: String,
    /// When it had to be complete.
    pub due: Option<DateTime<Utc>>,
    /// From the leaving instant to HR's record; null where HR's time of record can't be read.
    pub hr_lag_ms: Option<i64>,
    /// From the start of the clock until the run began.
    pub found_ms: Option<i64>,
    /// From the run's start until nobody could sign in any more.
    pub contained_ms: Option<i64>,
    /// From the run's start until the last step was settled.
    pub complete_ms: Option<i64>,
    /// Later than due; null where nothing can be said.
    pub late: Option<bool>,
    /// As of a person.
    pub result: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct RunRow {
    /// The run.
    pub run: String,
    /// The command.
    pub kind: String,
    /// How many people.
    pub people: usize,
    /// 4 while something is left of it (a step, a held plan, a record that was not delivered), else 0.
    pub exit: u8,
    /// When it began.
    pub started: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct GroupRow {
    /// Name.
    pub name: String,
    /// Policy names it.
    pub managed: bool,
    /// Null where the members were not read.
    pub members: Option<usize>,
    /// Rules that fill it.
    pub rules: Vec<String>,
    /// Apps that hang on it.
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct MemberRow {
    /// Login.
    pub login: String,
    /// Display name.
    pub name: String,
    /// `hand`, or the rules that may have put them there.
    pub by: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct RuleRow {
    /// Name.
    pub rule: String,
    /// As Okta has it.
    pub status: String,
    /// That it fills.
    pub groups: Vec<String>,
    /// That hang on those.
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct CastRow {
    /// Login.
    pub login: String,
    /// Display name.
    pub name: String,
    /// What the person is there for.
    pub stories: Vec<String>,
}

/// What `groups export --format json` writes and `groups diff` reads: sorted by name.
#[derive(Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When the groups were read.
    pub taken: DateTime<Utc>,
    /// Sorted by name.
    pub groups: Vec<SnapshotGroup>,
}

#[derive(Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct SnapshotGroup {
    /// Okta id.
    pub id: String,
    /// Name.
    pub name: String,
    /// As Okta has it.
    #[serde(rename = "type")]
    pub kind: String,
    /// As Okta has it.
    pub description: Option<String>,
    /// Policy names it.
    pub managed: bool,
    /// Logins.
    pub members: Vec<String>,
    /// Rules that fill it.
    pub rules: Vec<String>,
    /// Apps that hang on it.
    pub apps: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Changes {
    /// Of `groups diff`: when the snapshot was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<DateTime<Utc>>,
    /// One a line.
    pub changes: Vec<Change>,
    /// What an operator should know beside the changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `+`, `-` or `~`
    pub mark: String,
    /// Name of the group.
    pub group: String,
    /// group, member, rule or app; field: the group's own name, description or type
    pub what: String,
    /// The group, login, rule or app.
    pub subject: String,
    /// In the snapshot.
    pub before: Option<String>,
    /// Now.
    pub after: Option<String>,
}

/// One person: HR, Okta and every app side by side.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Show {
    /// As the directory has them.
    pub person: ShowPerson,
    /// As the roster has them.
    pub hr: ShowHr,
    /// One an account, or a system that was looked at.
    pub systems: Vec<ShowSystem>,
    /// What the configured witnesses say; left out where none is configured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Sighting>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowPerson {
    /// Login.
    pub login: String,
    /// Display name.
    pub name: String,
    /// Okta id.
    pub id: String,
    /// As Okta has it.
    pub status: String,
    /// As Okta has it.
    pub department: Option<String>,
    /// As Okta has it.
    pub title: Option<String>,
    /// Names.
    pub groups: Vec<String>,
    /// When.
    pub read: DateTime<Utc>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowHr {
    /// Which roster.
    pub source: String,
    /// active, on-leave, terminated, cancelled; missing or contradiction where HR gives none.
    pub status: String,
    /// As HR has it.
    pub department: Option<String>,
    /// As HR has it.
    pub title: Option<String>,
    /// The first day of a leave, as HR writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The leaving or starting instant.
    pub effective: Option<DateTime<Utc>>,
    /// What policy gives.
    pub groups: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ShowSystem {
    /// Name of the system, or of the app.
    pub system: String,
    /// As people know it.
    pub account: Option<String>,
    /// Of the account.
    pub state: String,
    /// What policy gives there.
    pub policy: String,
    /// ok, drift or unknown
    pub mark: String,
    /// Licences that the account holds, whatever state it is in.
    pub licences: Vec<String>,
    /// What else is worth a look.
    pub detail: Option<String>,
}

/// What a witness says.
#[derive(Serialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The person's login.
    pub login: String,
    /// The witness's name.
    pub system: String,
    /// What it saw; of one that could not be asked, why.
    pub what: String,
    /// When that happened, if it happened at an instant.
    pub at: Option<DateTime<Utc>>,
    /// ok, finding or unknown
    pub mark: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyDiff {
    /// Those whose groups would change.
    pub people: Vec<PolicyPerson>,
    /// Whom the new policy could give nothing, and why; under the old one they are in order.
    pub refused: Vec<PolicyRefused>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyRefused {
    /// Login.
    pub login: String,
    /// The reason.
    pub why: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PolicyPerson {
    /// Login.
    pub login: String,
    /// Groups.
    pub gains: Vec<String>,
    /// Groups.
    pub loses: Vec<String>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Explained {
    /// Login.
    pub login: String,
    /// What policy gives.
    pub groups: Vec<ExplainedGroup>,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct ExplainedGroup {
    /// Name.
    pub group: String,
    /// What gives it.
    pub rule: String,
}

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Written {
    /// The file or folder.
    pub path: String,
    /// By system: the identity that the configuration pins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pins: Option<BTreeMap<String, String>>,
}

/// One entry of the ledger was written.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Noted {
    /// Its number in the ledger.
    pub entry: i64,
}

/// First line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Version {
    /// Version of the form.
    pub jml: u32,
    /// `version`
    pub kind: &'static str,
    /// Version of the program.
    pub program: String,
    /// Organisation id.
    pub tenant: Option<String>,
    /// The run; null in a dry run.
    pub run: Option<String>,
}

/// A step that ended, as a line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct StepLine {
    /// Version of the form.
    pub jml: u32,
    /// `step`
    pub kind: &'static str,
    /// Whom it is about.
    pub login: String,
    /// As of a step.
    pub phase: String,
    /// As of a step.
    pub system: String,
    /// The step in words.
    pub what: String,
    /// As of a step.
    pub outcome: String,
    /// As of a step.
    pub code: Option<String>,
    /// As of a step.
    pub request: Option<String>,
    /// As of a step.
    pub hint: Option<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// A person whose work ended, as a line of ndjson.
#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct PersonLine {
    /// Version of the form.
    pub jml: u32,
    /// `person`
    pub kind: &'static str,
    #[serde(flatten)]
    pub person: Person,
}
