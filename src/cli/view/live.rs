//! What happens, while it happens: bars on a terminal, a line a step elsewhere, an object a line under ndjson.
//!
//! Receives events and decides nothing. Where it can't write, it goes quiet and the run goes on.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, interval},
};

use super::{Out, Screen, words};
use crate::{
    cli::{
        args::Output,
        document::{JML, StepLine},
        text::{self, instant, pad, span},
    },
    model::{Call, Event, Outcome, Phase, System},
};

/// Nothing is drawn for what is over so soon.
const SOON: Duration = Duration::from_millis(250);
/// How often a log hears that work goes on.
const STILL: Duration = Duration::from_secs(30);
/// Live lines at most; the rest is a number.
const MOST: usize = 8;

/// Follows a run until its sender is gone.
pub async fn follow(out: Arc<Out>, mut events: UnboundedReceiver<Event>) {
    let mut view = View::new(out);
    let mut tick = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(e) => view.take(&e, Instant::now()),
                None => break,
            },
            _ = tick.tick() => view.tick(Instant::now()),
        }
    }
    view.end();
}

struct Running {
    since: Instant,
    phase: Phase,
    system: System,
    what: String,
    waits: Option<String>,
}

struct View {
    out: Arc<Out>,
    running: BTreeMap<(String, usize), Running>,
    done: usize,
    of: BTreeMap<String, usize>,
    reading: Option<(String, usize, Option<usize>)>,
    since: Instant,
    /// When something was last printed.
    spoke: Instant,
    bars: Vec<ProgressBar>,
    /// More than one person: each line begins with the login.
    many: bool,
}

impl View {
    fn new(out: Arc<Out>) -> Self {
        let now = Instant::now();
        View {
            out,
            running: BTreeMap::new(),
            done: 0,
            of: BTreeMap::new(),
            reading: None,
            since: now,
            spoke: now,
            bars: vec![],
            many: false,
        }
    }

    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Reading { what, done, total } => {
                if self.reading.is_none() && self.running.is_empty() {
                    self.since = now;
                }
                self.reading = Some((what.clone(), *done, *total));
            }
            Event::Started {
                login,
                step,
                of,
                phase,
                effect,
            } => {
                self.reading = None;
                if self.of.is_empty() {
                    self.since = now;
                }
                self.of.insert(login.clone(), *of);
                self.many |= self.of.len() > 1;
                let running = Running {
                    since: now,
                    phase: *phase,
                    system: effect.system.clone(),
                    what: super::words::plan(effect, self.screen()),
                    waits: None,
                };
                self.running.insert((login.clone(), *step), running);
            }
            Event::Waiting { login, step, why, .. } => {
                if let Some(r) = self.running.get_mut(&(login.clone(), *step)) {
                    r.waits = Some(why.clone());
                }
            }
            Event::Ended {
                login,
                step,
                phase,
                effect,
                outcome,
                took,
            } => {
                let (system, what) = (&effect.system, super::words::plan(effect, self.screen()));
                self.running.remove(&(login.clone(), *step));
                self.done += 1;
                if self.screen().format == Output::Ndjson {
                    self.out
                        .document(&step_line(login, *phase, system, &what, outcome, *took));
                } else {
                    let who = self.many.then_some(login.as_str());
                    let line = ended(who, *phase, system, &what, outcome, *took, self.screen());
                    // A step that went wrong needs a person, however quiet.
                    if outcome.settled() {
                        self.out.talk(&line)
                    } else {
                        self.out.warn(&line)
                    }
                }
                self.spoke = now;
            }
            Event::Contained { login, at, took } => {
                let who = if self.many {
                    format!("{} contained", self.screen().safe(login))
                } else {
                    "Contained".into()
                };
                self.out
                    .talk(&format!("{who} {}, {} after the start.", instant(*at), span(*took)));
                self.spoke = now;
            }
            Event::Verifying { login, system } => {
                self.reading = Some((format!("{login}: {system} again"), 0, None));
            }
            Event::Person { line, .. } => {
                if self.screen().format != Output::Ndjson {
                    self.out.talk(line);
                }
                self.spoke = now;
            }
            Event::Lost { why } => {
                let why = self.screen().safe(why);
                self.out.warn(&format!(
                    "! {why}. Containment goes on and is written down on this host; the rest stops."
                ));
                self.spoke = now;
            }
            Event::Paused(why) => {
                self.out.warn(&format!(
                    "! {}. What is under way ends; the rest waits.",
                    self.screen().safe(why.trim_end_matches('.'))
                ));
                self.spoke = now;
            }
            Event::Stopping { waits_for } => {
                let names: Vec<&str> = waits_for.iter().map(System::as_str).collect();
                let what = if names.is_empty() {
                    "what is under way".into()
                } else {
                    names.join(", ")
                };
                self.out.warn(&format!(
                    "Stopping: waiting for {what} (10 s at most). Ctrl-C again leaves at once."
                ));
                self.spoke = now;
            }
            Event::Call(call) => {
                if self.screen().verbose > 0 {
                    self.out.say(&self::call(call, self.screen()));
                }
            }
        }
    }

    fn screen(&self) -> &Screen {
        &self.out.screen
    }

    fn tick(&mut self, now: Instant) {
        let busy = self.reading.is_some() || !self.running.is_empty();
        if !self.screen().live {
            if busy && now.duration_since(self.spoke) >= STILL {
                let line = self.still();
                self.out.talk(&line);
                self.spoke = now;
            }
            return;
        }
        if !busy {
            self.clear();
        } else if now.duration_since(self.since) >= SOON {
            let width = usize::from(dialoguer::console::Term::stderr().size().1).saturating_sub(1);
            let lines = self.lines(now);
            self.draw(lines.iter().map(|l| text::cut(l, width)).collect());
        }
    }

    fn still(&self) -> String {
        let what = match (&self.reading, self.running.values().next()) {
            (_, Some(r)) => format!(
                "{} {}",
                self.screen().safe(r.system.as_str()),
                self.screen().safe(&r.what)
            ),
            (Some((what, done, _)), None) if *done > 0 => format!("{} ({done})", self.screen().safe(what)),
            (Some((what, ..)), None) => self.screen().safe(what),
            (None, None) => String::new(),
        };
        format!("still working: {what}")
    }

    fn lines(&self, now: Instant) -> Vec<String> {
        let screen = self.screen();
        let room = MOST - 1;
        let mut out: Vec<String> = self
            .running
            .iter()
            .take(if self.running.len() > room { room - 1 } else { room })
            .map(|((login, _), r)| {
                let who = self.many.then_some(login.as_str());
                let state = match &r.waits {
                    Some(why) => format!("waiting: {}", screen.safe(why)),
                    None => pad("working", 11) + &format!("{:>7}", span(now.duration_since(r.since))),
                };
                row(who, r.phase, &r.system, &r.what, &state, screen)
            })
            .collect();
        if self.running.len() > out.len() {
            out.push(format!("and {} more", self.running.len() - out.len()));
        }
        let spent = span(now.duration_since(self.since));
        match &self.reading {
            Some((what, done, total)) if self.running.is_empty() => {
                let count = match (done, total) {
                    (0, None) => String::new(),
                    (n, None) => format!("  {n}"),
                    (n, Some(of)) => format!("  {n} of {of}"),
                };
                out.push(format!("reading {}{count}  {spent}", screen.safe(what)));
            }
            Some(_) | None => {
                let of: usize = self.of.values().sum();
                out.push(format!("[ {} of {of} ]  {spent}", self.done));
            }
        }
        out
    }

    fn draw(&mut self, lines: Vec<String>) {
        while self.bars.len() > lines.len() {
            if let Some(bar) = self.bars.pop() {
                bar.finish_and_clear();
                self.out.bars().remove(&bar);
            }
        }
        while self.bars.len() < lines.len() {
            let bar = ProgressBar::no_length();
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            self.bars.push(self.out.bars().add(bar));
        }
        for (bar, line) in self.bars.iter().zip(lines) {
            bar.set_message(line);
            bar.tick();
        }
    }

    fn clear(&mut self) {
        self.draw(vec![]);
    }
    fn end(&mut self) {
        self.clear();
    }
}

/// `contain   okta       suspend                             done         0.2 s`
fn row(who: Option<&str>, phase: Phase, system: &System, what: &str, state: &str, screen: &Screen) -> String {
    let who = who.map(|w| format!("{} ", screen.safe(w))).unwrap_or_default();
    format!(
        "{who}{} {} {} {state}",
        pad(&phase.to_string(), 9),
        pad(&screen.fit(system.as_str(), 16), 10),
        pad(&screen.fit(what, 48), 35)
    )
}

fn ended(
    who: Option<&str>,
    phase: Phase,
    system: &System,
    what: &str,
    outcome: &Outcome,
    took: Duration,
    screen: &Screen,
) -> String {
    let state = format!("{} {:>7}", pad(words::outcome(outcome), 10), span(took));
    let mut line = row(who, phase, system, what, &state, screen);
    if let Some(f) = outcome.failure() {
        let code = f.code.as_deref().map(|c| format!("{c} ")).unwrap_or_default();
        line += &format!("  {}", screen.safe(&format!("{code}{}", f.summary)));
    }
    line
}

/// `okta  GET  /api/v1/users/{id}  200  61 ms  request 9F3C:2A10`: no body, no secret.
fn call(c: &Call, screen: &Screen) -> String {
    let status = c.status.map_or("no answer".into(), |s| s.to_string());
    let request = c
        .request
        .as_deref()
        .map(|r| format!("  request {r}"))
        .unwrap_or_default();
    screen.safe(&format!(
        "{}  {}  {}  {status}  {} ms{request}",
        c.system,
        c.method,
        c.route,
        c.took.as_millis()
    ))
}

fn step_line(login: &str, phase: Phase, system: &System, what: &str, outcome: &Outcome, took: Duration) -> StepLine {
    let f = outcome.failure();
    StepLine {
        jml: JML,
        kind: "step",
        login: login.into(),
        phase: phase.to_string(),
        system: system.as_str().into(),
        what: what.into(),
        outcome: outcome.name().into(),
        code: f.and_then(|f| f.code.clone()),
        request: f.and_then(|f| f.request.clone()),
        hint: f.and_then(|f| f.hint.as_ref()).map(|h| h.text.clone()),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, Effect, Failure};

    fn started(login: &str, step: usize) -> Event {
        Event::Started {
            login: login.into(),
            step,
            of: 18,
            phase: Phase::Contain,
            effect: Effect {
                system: System::of("okta"),
                account: "00u1".into(),
                action: Action::Suspend,
            },
        }
    }

    #[test]
    fn a_line_that_ended_is_a_row_with_its_outcome() {
        let row = |o| {
            ended(
                None,
                Phase::Contain,
                &System::of("okta"),
                "suspend",
                &o,
                Duration::from_millis(200),
                &Screen::PLAIN,
            )
        };
        assert_eq!(
            row(Outcome::Done),
            "contain   okta       suspend                             done         0.2 s"
        );
        let failure = Failure::permanent("suspend", "no \u{1b}right").code("403");
        assert!(row(Outcome::Failed { failure }).ends_with("failed       0.2 s  403 no \\x1bright"));
    }

    #[test]
    fn of_hundreds_eight_lines_are_shown() {
        let mut v = View::new(Arc::new(Out::new(Screen::PLAIN)));
        let now = Instant::now();
        for n in 0..500 {
            v.take(&started(&format!("p{n:03}@acme.example"), n), now);
        }
        let lines = v.lines(now + Duration::from_secs(2));
        assert_eq!(lines.len(), MOST);
        assert!(lines[0].starts_with("p000@acme.example contain"), "{}", lines[0]);
        assert_eq!(lines[MOST - 2], "and 494 more");
        assert_eq!(lines[MOST - 1], "[ 0 of 9000 ]  2.0 s");
    }

    #[test]
    fn what_is_read_is_said_only_when_slow() {
        let mut v = View::new(Arc::new(Out::new(Screen::PLAIN)));
        let now = Instant::now();
        v.take(
            &Event::Reading {
                what: "Okta's people".into(),
                done: 400,
                total: Some(2200),
            },
            now,
        );
        assert_eq!(v.lines(now), ["reading Okta's people  400 of 2200  0.0 s"]);
        assert_eq!(v.still(), "still working: Okta's people (400)");
    }

    #[test]
    fn a_call_shows_no_more_than_its_route() {
        let c = Call {
            system: System::of("okta"),
            method: "GET".into(),
            route: "/api/v1/users".into(),
            status: Some(200),
            took: Duration::from_millis(61),
            request: Some("req\n1".into()),
        };
        assert_eq!(
            call(&c, &Screen::PLAIN),
            "okta  GET  /api/v1/users  200  61 ms  request req\\x0a1"
        );
    }
}
