//! The closing report of a run, from the ledger's fold alone: `jml run show` prints the same text later.
//!
//! "Still open" is what a help desk reads aloud: never left out, never more than was read.

mod rows;
pub mod tasks;

use chrono::{DateTime, Utc};

use super::{Screen, Tenant, plan::across, words};
use crate::{
    cli::text::{self, between, clock, instant, pad, span, width},
    ledger::fold::{PersonState, State, StepRecord},
    model::{Flow, Outcome, PersonResult, Verb, What},
};

/// How the commands in it lead back to the same tenant: ` --sandbox`, ` --config FILE`, or nothing.
pub type Flags<'a> = &'a str;

/// Everyone in the run, under one line that names the tenant.
pub fn report(tenant: &Tenant, state: &State, flags: Flags<'_>, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    if state.opened.as_ref().is_some_and(|(_, o)| o.role.is_none()) {
        out += super::UNRULED;
    }
    if let Some(c) = super::json::change(state) {
        out += &super::changed(&c, screen);
    }
    let (held, handled): (Vec<_>, Vec<_>) = state.people.values().partition(|p| p.held.is_some());
    for (n, person) in handled.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        out += &self::person(state, person, flags, screen);
    }
    if !held.is_empty() {
        if !handled.is_empty() {
            out.push('\n');
        }
        // Nothing was done for them: a line each says so.
        for p in &held {
            out += &across(
                &format!("{}   {}   {}", screen.safe(&p.login), p.flow, p.result().word()),
                &format!("plan {}", p.plan.id()),
                screen,
            );
        }
        out += &super::runs::go_on(state, &held, flags, screen);
    }
    out
}

pub fn person(state: &State, person: &PersonState, flags: Flags<'_>, screen: &Screen) -> String {
    let p = Report {
        state,
        person,
        flags,
        screen,
    };
    let mut out = p.headline();
    out += &p.table();
    let clock = p.clock();
    if !clock.is_empty() {
        out.push('\n');
        out += &clock;
    }
    out += &p.record();
    out += &p.away();
    let open = p.still_open();
    let next = p.next();
    if !open.is_empty() || next.len() > 1 {
        out.push('\n');
        out += &open;
    }
    out += &p.what_next(&next);
    out
}

/// A thing to do, and the command that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub text: String,
    pub command: Option<String>,
}

/// What to do about what is left, the finishing of the run last.
pub fn next(state: &State, person: &PersonState, flags: Flags<'_>) -> Vec<Next> {
    let steps = person.steps.iter().filter_map(StepRecord::outcome);
    let expects = person.expects.iter().filter_map(|e| e.outcome.as_ref());
    let mut out: Vec<Next> = vec![];
    for hint in steps
        .chain(expects)
        .filter_map(Outcome::failure)
        .filter_map(|f| f.hint.as_ref())
    {
        let n = Next {
            text: hint.text.clone(),
            command: hint.command.clone(),
        };
        if !out.contains(&n) {
            out.push(n);
        }
    }
    for task in tasks::open(state, person) {
        let name = text::shell(&task.name);
        out.push(Next {
            text: format!("When done: {}.", task.what),
            command: Some(format!("jml run tick {name} --evidence TEXT{flags}")),
        });
    }
    if unfinished(person) {
        out.push(Next {
            text: "Finish this run.".into(),
            command: Some(format!("jml run resume {}{flags}", text::shell(&state.run))),
        });
    }
    out
}

/// Something is left that a later run can take up: what a person has to do, or a vendor in its own time, is not.
fn unfinished(person: &PersonState) -> bool {
    if person.result() == PersonResult::Complete {
        return false;
    }
    let ours = |s: &&StepRecord| s.step.effect.action.verb() != Verb::ByHand;
    person
        .steps
        .iter()
        .filter(ours)
        .any(|s| !s.superseded() && !s.settled())
}

struct Report<'a> {
    state: &'a State,
    person: &'a PersonState,
    flags: Flags<'a>,
    screen: &'a Screen,
}

impl Report<'_> {
    fn headline(&self) -> String {
        let p = self.person;
        let mut left = format!("{}   {}   {}", self.screen.safe(&p.login), p.flow, p.result().word());
        if p.flow == Flow::Leaver && unfinished(p) {
            left += if p.contained.is_some() {
                ", contained"
            } else {
                ", not contained"
            };
        }
        if text::mixed_script(&p.login) {
            left += "   ! mixed script";
        }
        let mut line = across(
            &left,
            &format!("run {}", self.screen.safe(&self.state.run)),
            self.screen,
        );
        if let Some(why) = &p.plan.held {
            line += &format!("{}.\n", self.screen.safe(why));
            if p.waits_for_approver() {
                let run = text::shell(&self.state.run);
                line += &format!("  a second person:  jml run approve {run}{}\n", self.flags);
                line += &format!("  then:             jml run apply {run} --yes{}\n", self.flags);
            }
        }
        line
    }

    /// When the report speaks: at the end of what was done, so that it says the same a year later.
    fn spoken(&self) -> DateTime<Utc> {
        self.person
            .closed
            .or(self.state.last.map(|l| l.1))
            .unwrap_or(self.person.planned)
    }

    fn clock(&self) -> String {
        let p = self.person;
        if p.flow != Flow::Leaver || p.steps.is_empty() {
            return String::new();
        }
        let mut parts = vec![];
        match (p.plan.effective, p.plan.clock) {
            (Some(e), Some(c)) => parts.push(format!("HR to record {}", span(between(e, c)))),
            (_, None) => parts.push("HR's time of record can't be read".into()),
            (None, Some(_)) => {}
        }
        if let Some(c) = p.plan.clock {
            parts.push(format!("found {}", span(between(c, p.planned))));
        }
        if let Some(t) = p.contained {
            parts.push(format!("contained {}", span(between(p.planned, t))));
        }
        if let Some(t) = p.completed {
            parts.push(format!("complete {}", span(between(p.planned, t))));
        }
        let mut out = format!("Clock   {}\n", parts.join("   "));
        if let Some(due) = p.plan.due {
            let beside = self.spoken();
            // Without HR's time of record nothing can be said to be met.
            let said = match p.completed {
                Some(done) if done <= due => format!(", met with {} to spare", span(between(done, due))),
                Some(done) => format!(", missed by {}", span(between(due, done))),
                None if beside <= due => format!(", in {}", span(between(beside, due))),
                None => format!(", passed {} ago", span(between(due, beside))),
            };
            out += &format!("        due {}{said}\n", clock(due, beside));
        }
        out
    }

    fn record(&self) -> String {
        // What somebody opens a year later: the number of an event names nothing that can be looked up.
        let mut parts: Vec<String> = vec![];
        let mut checkpoint = self.state.checkpoint.as_deref();
        for i in self.records() {
            match &i.record.what {
                What::Change {
                    checkpoint: written, ..
                } => checkpoint = checkpoint.or(Some(written)),
                What::Incident { .. } => {}
                What::Close { .. } | What::Event { .. } | What::Metric { .. } => continue,
            }
            if let Some((_, receipt)) = &i.delivered {
                let made = receipt.made.as_deref().unwrap_or(i.system.as_str());
                parts.push(self.screen.safe(made));
            }
        }
        if let Some(size) = checkpoint.and_then(size) {
            parts.push(format!("ledger checkpoint {}", self.screen.safe(size)));
        } else if let Some((seq, _)) = self.state.last
            && self.state.away.as_ref().is_none_or(|a| a.merged.is_some())
        {
            parts.push(format!("ledger entry {seq}"));
        }
        if parts.is_empty() {
            return String::new();
        }
        format!("Record  {}\n", parts.join("   "))
    }

    /// A while without the ledger is part of the record.
    fn away(&self) -> String {
        let Some(away) = &self.state.away else {
            return String::new();
        };
        let host = self.screen.safe(&away.host);
        let since = instant(away.since);
        let said = match away.merged {
            Some((at, n)) => format!(
                "out of reach from {since}; {} written on {host} meanwhile came into it {}",
                text::count(n, "entry"),
                clock(at, away.since)
            ),
            None => format!(
                "out of reach from {since}; what was done since is written on {host} and comes into it with the next command"
            ),
        };
        let lines = text::wrap(&said, self.screen.line().saturating_sub(8));
        let begun = std::iter::once("Ledger  ").chain(std::iter::repeat("        "));
        begun
            .zip(lines)
            .map(|(margin, line)| format!("{margin}{line}\n"))
            .collect()
    }

    fn still_open(&self) -> String {
        let mut out = String::new();
        if self.person.flow != Flow::Leaver {
            return out;
        }
        let open = self.person.still_open();
        let mut parts = vec![];
        for o in &open {
            let system = self.screen.safe(o.system.as_str());
            if o.unread.is_some() && o.account.is_empty() {
                parts.push(format!("{system}, which was not read"));
                continue;
            }
            // Never cut: it is read aloud.
            let who = o.login.as_deref().unwrap_or(&o.account);
            let mut part = if who.is_empty() {
                system
            } else {
                format!("{system} login {}", self.screen.safe(who))
            };
            let steps = o.steps.iter().filter_map(|n| self.person.steps.get(*n));
            let objects: Vec<String> = steps
                .filter_map(|s| s.step.effect.action.object())
                .chain(o.apps.iter().map(String::as_str))
                .map(|o| self.screen.safe(o))
                .collect();
            if !objects.is_empty() {
                part += &format!(", in {}", text::list(&objects));
            }
            parts.push(part);
        }
        if !parts.is_empty() {
            for line in text::wrap(&format!("Still open: {}.", parts.join("; ")), self.screen.line()) {
                out += &format!("{line}\n");
            }
        }
        out
    }

    fn next(&self) -> Vec<Next> {
        next(self.state, self.person, self.flags)
    }

    fn what_next(&self, next: &[Next]) -> String {
        let run = text::shell(&self.state.run);
        if next.is_empty() {
            let again = format!("Again:  jml run show {run}{}", self.flags);
            let entries = format!("entry by entry:  jml audit show {run}{}", self.flags);
            // A command to copy stays on one line, whatever stands before it.
            let between = if width(&again) + width(&entries) + 4 > self.screen.line() {
                "\n"
            } else {
                "    "
            };
            return format!("{again}{between}{entries}\n");
        }
        let texts: Vec<String> = next.iter().map(|n| self.screen.safe(&n.text)).collect();
        let column = texts
            .iter()
            .zip(next)
            .filter(|(_, n)| n.command.is_some())
            .map(|(t, _)| width(t))
            .max()
            .unwrap_or(0)
            .min(45);
        let mut out = String::new();
        for (i, (t, n)) in texts.iter().zip(next).enumerate() {
            let line = match &n.command {
                Some(c) => format!("{}. {}   {}", i + 1, pad(t, column), self.screen.safe(c)),
                None => format!("{}. {t}", i + 1),
            };
            out += line.trim_end();
            out.push('\n');
        }
        if !unfinished(self.person) {
            return out;
        }
        let retries = match next.len() {
            1 => "The sweep tries again until then.",
            _ => "The sweep tries all of it again until then.",
        };
        out + retries + "\n"
    }
}

/// A checkpoint is text: origin, size, root.
fn size(checkpoint: &str) -> Option<&str> {
    checkpoint
        .lines()
        .nth(1)
        .filter(|l| l.bytes().all(|b| b.is_ascii_digit()))
}

pub fn record_word(what: &What) -> &'static str {
    match what {
        What::Change { .. } => "change request",
        What::Close { .. } => "closing the change request",
        What::Incident { .. } => "incident",
        What::Event { .. } => "event",
        What::Metric { .. } => "metric",
    }
}

/// One person on one line, as the sweep prints them. A line that needs a person begins with `!`.
pub fn line(state: &State, p: &PersonState, screen: &Screen) -> String {
    let mut out = String::new();
    let bad: Vec<&StepRecord> = p.steps.iter().filter(|s| !s.superseded() && !s.settled()).collect();
    if p.overdue(state.last.map_or(p.planned, |l| l.1)) || p.held.is_some() {
        out += "! ";
    }
    out += &format!("{} {} {}", screen.safe(&p.login), p.flow, p.result().word());
    if let Some(why) = &p.held {
        return out + &format!(" {}", screen.safe(why));
    }
    if bad.is_empty() {
        if p.flow == Flow::Leaver {
            for (word, at) in [("contained", p.contained), ("complete", p.completed)] {
                if let Some(t) = at {
                    out += &format!(" {word} {}", span(between(p.planned, t)));
                }
            }
            if p.completed.zip(p.plan.due).is_some_and(|(done, due)| done > due) {
                out += ", late";
            }
            // Which of HR's dates decided; when the record changed is in the report.
            let why = p.plan.reason.split(" (record changed").next().unwrap_or_default();
            out += &format!("; {}", screen.safe(why));
        } else {
            for s in p.steps.iter().filter(|s| !s.superseded()) {
                out += &format!(" {}", words::short(&s.step.effect, screen));
            }
        }
        return out;
    }
    let mut told: Vec<String> = vec![];
    for s in bad {
        let system = screen.safe(s.step.effect.system.as_str());
        let said = match s.outcome() {
            Some(Outcome::Owed { failure, until }) => {
                let until = until.map(|t| format!(" until {}", instant(t))).unwrap_or_default();
                format!("{system} owed{until}: {}", screen.safe(&failure.summary))
            }
            Some(o) => {
                let code = o.failure().map(|f| f.code.as_deref().unwrap_or(&f.summary));
                let code = code.map(|c| format!(": {}", screen.safe(c))).unwrap_or_default();
                format!("{system} {}{code}", words::outcome(o))
            }
            None => format!("{system} not tried"),
        };
        if !told.contains(&said) {
            told.push(said);
        }
    }
    out += &format!(" {}", told.join("; "));
    if p.flow == Flow::Leaver {
        let open: Vec<String> = p.still_open().iter().map(|o| screen.safe(o.system.as_str())).collect();
        if !open.is_empty() {
            out += &format!("; still open: {}", text::list(&open));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::cli::view::samples;

    fn shown(state: &State) -> String {
        let tenant = Tenant {
            host: "acme.okta.com".into(),
            org: "00o1acme".into(),
            sandbox: false,
        };
        report(&tenant, state, "", &Screen::PLAIN)
    }

    #[test]
    fn a_complete_leaver() {
        assert_data_eq!(
            shown(&samples::complete().state()),
            str![[r#"
acme.okta.com 00o1acme
alice@acme.example   leaver   COMPLETE                              run r-5k2m9q
okta         verified   DEPROVISIONED, out of ROLE-ENG, ENG-ONCALL
             done       sessions cleared 09:05:11Z (can't be read back), grants
                        revoked
slack        verified   deactivated
             done       sessions cleared 09:05:11Z (can't be read back)
Jira         unassigned in Okta; its account was not read

Clock   HR to record 3m52s   found 1m19s   contained 0.4 s   complete 4.6 s
        due 09:18:52Z, met with 13m36s to spare
Record  CHG0031337   ledger checkpoint 18204
Again:  jml run show r-5k2m9q    entry by entry:  jml audit show r-5k2m9q

"#]]
        );
    }

    #[test]
    fn a_partial_leaver_names_what_is_still_open() {
        assert_data_eq!(
            shown(&samples::partial().state()),
            str![[r#"
acme.okta.com 00o1acme
alice@acme.example   leaver   PARTIAL, contained                    run r-5k2m9q
okta         verified   DEPROVISIONED, out of ROLE-ENG, ENG-ONCALL
             done       sessions cleared 09:05:11Z (can't be read back), grants
                        revoked
slack        done       sessions cleared 09:05:11Z (can't be read back)
             failed     deactivate
                        403 not_allowed_token_type
                        request 9F3C:2A10; Grant admin.users:write to jml's
                        Slack app.
Jira         unassigned in Okta; its account was not read
servicenow   owed       change request; 503 Service Unavailable (3 times)

Clock   HR to record 3m52s   found 1m19s   contained 0.4 s
        due 09:18:52Z, in 13m36s
Record  ledger entry 18211

Still open: slack login alice@acme.example.
1. Grant admin.users:write to jml's Slack app.   jml doctor slack
2. Finish this run.                              jml run resume r-5k2m9q
The sweep tries all of it again until then.

"#]]
        );
    }

    #[test]
    fn a_sweep_prints_a_line_a_person() {
        for (run, expected) in [
            (
                samples::complete(),
                "alice@acme.example leaver COMPLETE contained 0.4 s complete 4.6 s; HR: left 2026-03-02 09:00:00Z, by terminationDate",
            ),
            (
                samples::partial(),
                "! alice@acme.example leaver PARTIAL slack failed: 403; still open: slack",
            ),
        ] {
            let state = run.state();
            let person = state.people.values().next().unwrap();
            assert_eq!(line(&state, person, &Screen::PLAIN), expected);
        }
    }
}
