//! The table of a report: a row a system, or an app, with what became of it and what stands below.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Report, record_word};
use crate::{
    cli::text::{self, instant, pad, width},
    cli::view::words,
    ledger::fold::{OutboxItem, Progress, StepRecord},
    model::{Action, Failure, Outcome, System, Verb},
};

/// Which outcome a row is of, the best first; rows are told apart by it and never merged across it.
fn order(outcome: &str) -> usize {
    [
        "verified",
        "done",
        "already",
        "unassigned",
        "failed",
        "in doubt",
        "owed",
        "not tried",
    ]
    .iter()
    .position(|o| *o == outcome)
    .unwrap_or(8)
}

#[derive(Clone, PartialEq)]
pub(super) struct Row {
    outcome: &'static str,
    text: String,
    /// The vendor's words, each on its own line below.
    below: Vec<String>,
}

fn said(below: &[String]) -> Option<&String> {
    below.first()
}

fn ended(s: &StepRecord) -> Option<DateTime<Utc>> {
    match &s.progress {
        Progress::Ended { at, .. } => Some(*at),
        Progress::Waiting | Progress::Open { .. } | Progress::Superseded => None,
    }
}

/// In which order a row tells what was done: the account's own state first, then what it held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Account,
    Sign,
    Held,
    Told,
}

impl Topic {
    const fn of(verb: Verb) -> Self {
        match verb {
            Verb::Deactivate
            | Verb::Suspend
            | Verb::Freeze
            | Verb::Activate
            | Verb::Unsuspend
            | Verb::CreatePerson
            | Verb::Invite
            | Verb::LeaveOrg => Topic::Account,
            Verb::ClearSessions
            | Verb::RevokeGrants
            | Verb::RevokeToken
            | Verb::RevokeClientTokens
            | Verb::ResetPassword => Topic::Sign,
            Verb::RemoveMember
            | Verb::AddMember
            | Verb::UnassignApp
            | Verb::JoinChannel
            | Verb::LeaveChannel
            | Verb::JoinTeam
            | Verb::LeaveTeam
            | Verb::RevokeRole
            | Verb::ReleaseSeat
            | Verb::CancelInvitation
            | Verb::StartTransfer
            | Verb::FinishTransfer
            | Verb::ByHand
            | Verb::CreateGroup
            | Verb::DeleteGroup => Topic::Held,
            Verb::SendMessage => Topic::Told,
        }
    }
}

impl Report<'_> {
    pub(super) fn table(&self) -> String {
        let mut systems: Vec<(String, Vec<Row>)> = vec![];
        for (system, rows) in self.rows() {
            // Systems of which the same is to be said share a line.
            let same = |r: &[Row]| r == &rows[..] && rows.iter().all(|r| r.below.is_empty());
            match systems.iter_mut().find(|(_, r)| same(r)) {
                Some((names, _)) => {
                    names.push(' ');
                    names.push_str(&system);
                }
                None => systems.push((system, rows)),
            }
        }
        for e in &self.person.expects {
            let Some(outcome) = &e.outcome else { continue };
            let text = match (outcome, e.expect.assigned, e.expect.manual) {
                (Outcome::Unassigned, _, true) => "in Okta; a person has to take its account away".into(),
                (Outcome::Unassigned, _, false) => "in Okta; its account was not read".into(),
                (o, true, _) if o.settled() => "assigned".into(),
                (o, false, _) if o.settled() => "no longer assigned".into(),
                (_, true, _) => "assignment".into(),
                (_, false, _) => "assignment still there".into(),
            };
            let row = Row {
                outcome: words::outcome(outcome),
                text,
                below: self.below(outcome),
            };
            systems.push((self.screen.fit(&e.expect.app.name, 24), vec![row]));
        }
        systems.extend(self.outbox());
        if let Some(why) = &self.person.held {
            let row = Row {
                outcome: "held",
                text: self.screen.safe(why),
                below: vec![],
            };
            systems.push(("plan".into(), vec![row]));
        }

        let head = systems.iter().map(|s| width(&s.0)).max().unwrap_or(0).clamp(11, 24) + 2;
        let mut out = String::new();
        for (name, rows) in &systems {
            let mut name = name.as_str();
            for r in rows {
                let lead = format!("{}{} ", pad(name, head), pad(r.outcome, 10));
                let indent = " ".repeat(width(&lead));
                let room = self
                    .screen
                    .width
                    .map_or(usize::MAX, |w| w.saturating_sub(indent.len()).max(20));
                for (i, line) in text::wrap(&r.text, room).iter().enumerate() {
                    out += &format!("{}{line}\n", if i == 0 { &lead } else { &indent });
                }
                for b in &r.below {
                    for line in text::wrap(b, room) {
                        out += &format!("{indent}{line}\n");
                    }
                }
                name = "";
            }
        }
        out
    }

    /// By system, in the order of the plan.
    pub(super) fn rows(&self) -> Vec<(String, Vec<Row>)> {
        let mut systems: Vec<&System> = vec![];
        for s in self.person.steps.iter().filter(|s| !s.superseded()) {
            if !systems.contains(&&s.step.effect.system) {
                systems.push(&s.step.effect.system);
            }
        }
        systems
            .into_iter()
            .map(|system| (self.screen.fit(system.as_str(), 24), self.rows_of(system)))
            .collect()
    }

    pub(super) fn rows_of(&self, system: &System) -> Vec<Row> {
        let mut settled: BTreeMap<(usize, Topic, Verb), Vec<&StepRecord>> = BTreeMap::new();
        let mut rest = vec![];
        for s in self
            .person
            .steps
            .iter()
            .filter(|s| !s.superseded() && s.step.effect.system == *system)
        {
            match s.outcome() {
                Some(o) if o.settled() => {
                    let verb = s.step.effect.action.verb();
                    settled
                        .entry((order(words::outcome(o)), Topic::of(verb), verb))
                        .or_default()
                        .push(s);
                }
                _ => rest.push(s),
            }
        }
        // Who is deactivated is not also suspended.
        let over = |v: Verb| settled.keys().any(|k| k.2 == v);
        if over(Verb::Deactivate) {
            settled.retain(|k, _| !matches!(k.2, Verb::Suspend | Verb::Freeze));
        }
        // One row an outcome: `verified   DEPROVISIONED, out of ROLE-ENG`.
        let mut rows: Vec<Row> = vec![];
        for ((_, _, verb), steps) in &settled {
            let Some(outcome) = steps.first().and_then(|s| s.outcome()) else {
                continue;
            };
            let actions: Vec<&Action> = steps.iter().map(|s| &s.step.effect.action).collect();
            let at = steps.iter().filter_map(|s| ended(s)).max();
            let words = words::report(
                *verb,
                system,
                &actions,
                outcome,
                at.map(|t| (t, self.spoken())),
                self.screen,
            );
            match rows.iter_mut().find(|r| r.outcome == words::outcome(outcome)) {
                Some(r) => r.text += &format!(", {words}"),
                None => rows.push(Row {
                    outcome: words::outcome(outcome),
                    text: words,
                    below: vec![],
                }),
            }
        }
        // The same refusal of many steps is told once.
        let mut open: Vec<(Row, Vec<&StepRecord>)> = vec![];
        for s in rest {
            let (outcome, below) = match &s.progress {
                Progress::Ended { outcome, .. } => (words::outcome(outcome), self.below(outcome)),
                Progress::Open { .. } => ("in doubt", vec!["it left and no answer came".into()]),
                Progress::Waiting | Progress::Superseded => ("not tried", vec![]),
            };
            let verb = s.step.effect.action.verb();
            let alike = |(r, steps): &&mut (Row, Vec<&StepRecord>)| {
                r.outcome == outcome
                    && said(&r.below) == said(&below)
                    && steps.iter().all(|o| o.step.effect.action.verb() == verb)
            };
            match open.iter_mut().find(alike) {
                Some((_, steps)) => steps.push(s),
                None => open.push((
                    Row {
                        outcome,
                        text: String::new(),
                        below,
                    },
                    vec![s],
                )),
            }
        }
        open.sort_by_key(|(r, _)| order(r.outcome));
        for (mut row, steps) in open {
            if let Some(first) = steps.first() {
                let actions: Vec<&Action> = steps.iter().map(|s| &s.step.effect.action).collect();
                row.text = words::many(first.step.effect.action.verb(), system, &actions, self.screen);
            }
            rows.push(row);
        }
        rows
    }

    /// Code and summary, then request id and hint.
    pub(super) fn below(&self, outcome: &Outcome) -> Vec<String> {
        let mut out = vec![];
        match outcome {
            Outcome::NotTried { why } => out.push(self.screen.safe(why)),
            Outcome::Owed { failure, until } => {
                out.extend(self.failure(failure));
                if let Some(t) = until {
                    out.push(format!("owed until {}", instant(*t)));
                }
            }
            Outcome::Failed { failure } | Outcome::InDoubt { failure } => out.extend(self.failure(failure)),
            Outcome::Verified | Outcome::Done | Outcome::Already | Outcome::Unassigned => {}
        }
        out
    }

    pub(super) fn failure(&self, f: &Failure) -> Vec<String> {
        let code = f.code.as_deref().map(|c| format!("{c} ")).unwrap_or_default();
        let mut out = vec![self.screen.safe(&format!("{code}{}", f.summary))];
        let request = f.request.as_deref().map(|r| format!("request {r}"));
        let hint = f.hint.as_ref().map(|h| h.text.clone());
        let more: Vec<String> = request.into_iter().chain(hint).collect();
        if !more.is_empty() {
            out.push(self.screen.safe(&more.join("; ")));
        }
        out
    }

    /// Records about this person, by recorder.
    pub(super) fn records(&self) -> impl Iterator<Item = &OutboxItem> {
        let login = self.person.login.as_str();
        self.state
            .outbox
            .values()
            .filter(move |i| i.record.login.as_deref() == Some(login))
    }

    pub(super) fn outbox(&self) -> Vec<(String, Vec<Row>)> {
        let mut by: BTreeMap<&System, Vec<&OutboxItem>> = BTreeMap::new();
        for item in self.records().filter(|i| i.delivered.is_none()) {
            by.entry(&item.system).or_default().push(item);
        }
        by.into_iter()
            .map(|(system, items)| {
                let what: Vec<&str> = items.iter().map(|i| record_word(&i.record.what)).collect();
                let tries = items.iter().map(|i| i.attempts).max().unwrap_or(0);
                let why = match items.iter().find_map(|i| i.failure.as_ref()) {
                    Some(f) => {
                        let code = f.code.as_deref().map(|c| format!("{c} ")).unwrap_or_default();
                        let tries = if tries == 1 {
                            "once".into()
                        } else {
                            format!("{tries} times")
                        };
                        format!("; {} ({tries})", self.screen.safe(&format!("{code}{}", f.summary)))
                    }
                    None => "; not yet delivered".into(),
                };
                let row = Row {
                    outcome: "owed",
                    text: format!("{}{why}", text::list(&what)),
                    below: vec![],
                };
                (self.screen.fit(system.as_str(), 24), vec![row])
            })
            .collect()
    }
}
