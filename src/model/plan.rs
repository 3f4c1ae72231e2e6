//! A plan: steps in a graph, each with its reason. A phase is a heading, not a barrier: a step waits only for the steps it names.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::{Effect, Failure, Held, PersonId, System};

/// Position in `Plan::steps`.
pub type StepNo = usize;

/// A label for people. Nothing below `cli` matches on it, else one flow's rules leak into the executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    Joiner,
    Mover,
    Leaver,
    /// Parental or long leave: suspended, nothing taken.
    Leave,
    Groups,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Flow::Joiner => "joiner",
            Flow::Mover => "mover",
            Flow::Leaver => "leaver",
            Flow::Leave => "leave",
            Flow::Groups => "groups",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Contain,
    Preserve,
    /// A joiner's.
    Activate,
    Remove,
    Add,
    Tell,
    Close,
    Verify,
    Record,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Contain => "contain",
            Phase::Preserve => "preserve",
            Phase::Activate => "activate",
            Phase::Remove => "remove",
            Phase::Add => "add",
            Phase::Tell => "tell",
            Phase::Close => "close",
            Phase::Verify => "verify",
            Phase::Record => "record",
        })
    }
}

/// What a failed step does to those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The rest goes on; "Still open" names it.
    Continue,
    /// What comes after it is not tried.
    Halt,
    /// It stays owed; sweep tries again.
    Owe,
    /// It stays owed, and what comes after it waits with it.
    Hold,
}

/// A step that can't be started: what it waits for, and until when that is in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    pub failure: Failure,
    /// Past it (or where there is none) the owed step raises the exit code.
    pub until: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub phase: Phase,
    pub effect: Effect,
    /// Starts when all of these have ended.
    pub after: Vec<StepNo>,
    pub on_failure: OnFailure,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
}

impl Step {
    /// What it is about, for JSON and screens: the object, else the account's login, else its id.
    pub fn target(&self) -> &str {
        self.effect.action.object().unwrap_or(&self.effect.account)
    }
}

/// An app whose assignment should end (or begin) by what the steps do, with no call of its own. A group that rules fill from another
/// group is expected in the same way: then `app` is of kind Group.
/// Its account is not read by anyone: gone from Okta it is `unassigned`, never more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    pub app: Held,
    pub assigned: bool,
    /// It will not take the account away downstream: a person has to.
    pub manual: bool,
    /// The steps that bring it about.
    pub by: Vec<StepNo>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Info,
    Warn,
    /// The plan may not be applied: exit 6.
    Fatal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    Attention,
    Unknown,
    Keep,
}

/// What was not done and why, and what an operator should know: the planner's own report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub mark: Mark,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    pub text: String,
    /// The step it belongs to, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepNo>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub tenant: String,
    pub flow: Flow,
    /// `None` for the tenant's groups.
    pub person: Option<PersonId>,
    pub login: String,
    pub name: String,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub expects: Vec<Expect>,
    #[serde(default)]
    pub notes: Vec<Note>,
    /// The leaving (or starting) instant.
    pub effective: Option<DateTime<Utc>>,
    /// When the clock of the promise starts: recorded, or the leaving instant if later. `None`: HR's time of record can't be read.
    pub clock: Option<DateTime<Utc>>,
    pub due: Option<DateTime<Utc>>,
    /// The plan is only the part that may be done now: what the rest waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Why at all: `Workday: terminated 2026-03-02 …`.
    pub reason: String,
    /// Apps by what the plan does to them, for the preview of a mover.
    #[serde(default)]
    pub apps: AppChanges,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppChanges {
    pub lost: Vec<String>,
    pub gained: Vec<String>,
    pub lost_then_back: Vec<String>,
    pub kept: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanId(pub String);

impl PlanId {
    /// For eyes and `--expect`: 12 hex digits in three groups.
    pub fn short(&self) -> String {
        let s: String = self.0.chars().take(12).collect();
        s.as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("-")
    }
    /// Takes the short form, with or without dashes, or the whole.
    pub fn is(&self, typed: &str) -> bool {
        let typed: String = typed
            .chars()
            .filter(|c| *c != '-')
            .flat_map(char::to_lowercase)
            .collect();
        typed.len() >= 12 && self.0.starts_with(&typed)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl Plan {
    /// Changes with any step, never with the clock or the wording.
    pub fn id(&self) -> PlanId {
        #[derive(Serialize)]
        struct Key<'a> {
            tenant: &'a str,
            flow: Flow,
            person: Option<&'a PersonId>,
            steps: Vec<(Phase, &'a Effect, OnFailure, &'a [StepNo], bool)>,
        }
        let key = Key {
            tenant: &self.tenant,
            flow: self.flow,
            person: self.person.as_ref(),
            steps: self
                .steps
                .iter()
                .map(|s| (s.phase, &s.effect, s.on_failure, &s.after[..], s.waits.is_some()))
                .collect(),
        };
        // Only strings, numbers below 2^53 and lists: always representable.
        let bytes = serde_json_canonicalizer::to_vec(&key).unwrap_or_default();
        PlanId(
            sha2::Sha256::digest(&bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
        )
    }
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
    pub fn fatal(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|n| n.severity == Severity::Fatal)
    }
    /// Aligned text for tests and reviewers: one line a step, then the notes.
    pub fn brief(&self) -> String {
        let mut out = String::new();
        for (i, s) in self.steps.iter().enumerate() {
            let after = s.after.iter().map(|n| n.to_string()).collect::<Vec<_>>().join(",");
            let owed = if s.waits.is_some() { " owed" } else { "" };
            let on = match s.on_failure {
                OnFailure::Continue => "continue",
                OnFailure::Halt => "halt",
                OnFailure::Owe => "owe",
                OnFailure::Hold => "hold",
            };
            let what = match s.effect.action.object() {
                Some(o) => format!("{} {o}", s.effect.action.name()),
                None => s.effect.action.name().to_owned(),
            };
            out += format!(
                "{i:>2} {:<9} {:<10} {what:<36} {on:<8} after {after}{owed}",
                s.phase, s.effect.system
            )
            .trim_end();
            out.push('\n');
        }
        for e in &self.expects {
            let word = if e.assigned { "gains" } else { "loses" };
            out += &format!(
                "expect    {word} {}{}\n",
                e.app.name,
                if e.manual { " (manual)" } else { "" }
            );
        }
        for n in &self.notes {
            let mark = match (n.severity, n.mark) {
                (Severity::Fatal, _) => "fatal",
                (_, Mark::Attention) => "!",
                (_, Mark::Unknown) => "?",
                (_, Mark::Keep) => "=",
            };
            out += &format!("note {mark} {}\n", n.text);
        }
        out
    }
}
