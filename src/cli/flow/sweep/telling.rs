//! What a sweep tells, as it comes together.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{
    cli::{
        context::Context,
        document,
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::{fresh::Stale, preview::Subject, say},
        text, view,
    },
    ledger::{Guard, Pause, PersonState, entry::Former, fold::State},
    model::{Failure, Flow, Kind, PersonId, PersonResult},
    planner::{
        refusal::Class,
        sweep::{Lanes, Shown},
    },
};

/// What a sweep tells, as it comes together.
#[derive(Default)]
pub(super) struct Telling {
    pub(super) run: Option<String>,
    pub(super) former: Option<Former>,
    /// The sweep's own lease: what it remembers is written under it.
    pub(super) guard: Guard,
    pub(super) started: DateTime<Utc>,
    pub(super) begun: Option<tokio::time::Instant>,
    pub(super) read: document::Read,
    pub(super) brake: Option<document::Brake>,
    pub(super) set_aside: Vec<document::SetAside>,
    pub(super) future: Vec<document::Future>,
    pub(super) orphans: Vec<document::Drift>,
    pub(super) lines: Vec<String>,
    pub(super) people: Vec<document::Person>,
    pub(super) notes: Vec<String>,
    pub(super) held: usize,
    /// Done with, but for what people do by hand.
    pub(super) by_hand: usize,
    pub(super) touched: BTreeSet<String>,
    pub(super) exit: Exit,
}

impl Telling {
    pub(super) fn stale(&mut self, stale: Stale, waiting: usize) {
        let who = match waiting {
            0 => String::new(),
            n => format!(" ({})", text::count(n, "person")),
        };
        self.lines
            .push(format!("! movers and joiners HELD{who}: {}", stale.why));
        self.read.stale = Some(stale.why);
        self.exit = self.exit.worse(stale.exit);
    }
    /// Movers and joiners wait; in a pause of everything leavers too. Who falls due meanwhile is named: somebody has to know.
    pub(super) fn paused(&mut self, cx: &Context, pause: &Pause, lanes: &mut Lanes) {
        let why = cx.out.screen.safe(pause.sentence().trim_end_matches('.'));
        let waiting = lanes.hold_movers_and_joiners();
        self.lines.push(format!(
            "! movers and joiners HELD ({}): {why}",
            text::count(waiting, "person")
        ));
        let mut shut = vec![];
        if pause.all {
            shut.append(&mut lanes.leavers);
            shut.append(&mut lanes.leave);
        }
        for d in shut {
            let login = cx.out.screen.safe(&d.login);
            self.lines.push(format!("! {login} leaver HELD, not contained: {why}"));
            let why = pause.sentence();
            self.people
                .push(bare(&d.login, Some(&d.id), "leaver", PersonResult::Held, &why));
        }
        let meanwhile = lanes.future.iter();
        for f in meanwhile.filter(|f| f.flow == Flow::Leaver && f.at <= pause.until) {
            let (login, at) = (cx.out.screen.safe(&f.login), text::instant(f.at));
            self.lines
                .push(format!("! {login} leaves {at}, before the pause ends by itself"));
        }
        cx.pause.stopped(pause.clone());
    }
    pub(super) fn aside(&mut self, shown: &[Shown]) {
        for s in shown {
            self.set_aside.push(document::SetAside {
                login: s.login.clone(),
                why: without(&s.login, &s.text),
                place: s.place.clone(),
            });
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    pub(super) fn held(&mut self, shown: &[Shown]) {
        for s in shown {
            self.lines.push(format!("! {} leaver HELD {}", s.login, s.text));
            self.people
                .push(bare(&s.login, Some(&s.id), "leaver", PersonResult::Held, &s.text));
            self.held += 1;
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    pub(super) fn unread(&mut self, shown: &[Shown]) {
        for s in shown {
            self.set_aside.push(document::SetAside {
                login: s.login.clone(),
                why: without(&s.login, &s.text),
                place: s.place.clone(),
            });
            // Nothing else was begun: try again later; else it is partial.
            self.exit = self.exit.worse(Exit::Unavailable);
        }
    }
    pub(super) fn refused(&mut self, s: &Subject) {
        let Err(r) = &s.plan else { return };
        let (login, text) = (s.login().to_owned(), r.to_string());
        match r.class() {
            Class::Future => self.note(&login, &text),
            Class::Refused | Class::SetAside | Class::Unread | Class::Unbelievable => {
                self.set_aside.push(document::SetAside {
                    why: without(&login, &text),
                    login,
                    place: None,
                });
                self.exit = self.exit.worse(Exit::Partial);
            }
        }
    }
    pub(super) fn passed(&mut self, s: &Subject, e: &CliError) {
        self.lines
            .push(format!("! {} {} HELD {}", s.login(), s.ask.flow(), e.message));
        self.people.push(bare(
            s.login(),
            Some(s.id()),
            &s.ask.flow().to_string(),
            PersonResult::Held,
            &e.message,
        ));
        // Somebody else works on them: nothing is lost, the next sweep looks again.
        if e.exit != Exit::Leased {
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    pub(super) fn failed(&mut self, login: &str, f: &Failure) {
        self.set_aside.push(document::SetAside {
            login: login.to_owned(),
            why: f.to_string(),
            place: None,
        });
        let exit = if f.kind == Kind::Auth {
            Exit::Auth
        } else {
            Exit::Partial
        };
        self.exit = self.exit.worse(exit);
    }
    /// Accounts that should not be there; a system that can't tell accuses nobody.
    pub(super) fn orphans(&mut self, rows: Vec<document::Drift>) {
        for row in rows {
            let unread = row.mark == "unknown";
            self.exit = self.exit.worse(if unread { Exit::Partial } else { Exit::Changes });
            let mark = if unread { '?' } else { '!' };
            let who = [row.login.as_str(), row.system.as_str()].join(" ");
            self.lines.push(format!("{mark} {} ORPHAN {}", who.trim(), row.what));
            self.orphans.push(row);
        }
    }
    pub(super) fn note(&mut self, login: &str, text: &str) {
        self.notes.push(format!("{login} {text}"));
    }
    /// Who waits for people, or for a vendor: counted, and told where it is past its time.
    pub(super) fn waiting(&mut self, by_hand: &[PersonState], idle: &[Subject]) {
        self.by_hand = by_hand.len();
        for p in by_hand.iter().chain(idle.iter().filter_map(Subject::state)) {
            if p.overdue(self.started) {
                self.exit = self.exit.worse(Exit::Partial);
                self.note(&p.login, "what is owed is past its time");
            }
        }
    }
    pub(super) fn log(&mut self, idle: &[Subject], states: &[State], flags: view::report::Flags<'_>) {
        for s in idle {
            self.lines.push(format!("{} {} NOTHING TO DO", s.login(), s.ask.flow()));
            let told = match (&s.open, s.state(), &s.plan) {
                (Some(run), Some(p), _) => view::json::person(run, p, flags),
                (_, _, Ok(plan)) => view::json::planned(plan, PersonResult::Nothing, None, vec![]),
                (_, _, Err(_)) => continue,
            };
            self.people.push(document::Person {
                result: PersonResult::Nothing.name().into(),
                ..told
            });
        }
        self.touched
            .extend(states.iter().flat_map(|s| s.people.keys().cloned()));
    }
    pub(super) fn write(self, cx: &Context, firm: &Firm, exit: Exit) {
        let mut totals = view::json::totals(&self.people, firm.now());
        totals.owed += self.by_hand;
        totals.set_aside = self.set_aside.len();
        totals.future = self.future.len();
        let policy = firm.config.policy_digest();
        let changed = self.former.as_ref().map(|f| view::json::changed(f, &policy));
        if cx.global.output == crate::cli::args::Output::Human {
            let mut lines = self.lines;
            lines.extend(self.notes.iter().map(|n| cx.out.screen.safe(n)));
            let shown = view::sweep::Swept {
                run: self.run.as_deref(),
                at: self.started,
                roles: firm.operator.role().is_some(),
                changed: changed.as_ref(),
                read: &self.read,
                lines: &lines,
                set_aside: &self.set_aside,
                future: &self.future,
                totals,
                took: self.begun.map(|b| b.elapsed()).unwrap_or_default(),
            };
            cx.out
                .data(&view::sweep::report(&say::tenant(firm), &shown, &cx.out.screen));
            return;
        }
        let body = document::Run {
            run: self.run.clone(),
            dry_run: self.run.is_none(),
            role: say::role(firm),
            policy_changed: changed,
            started: self.started,
            finished: firm.now(),
            sweep: Some(document::Sweep {
                read: self.read,
                brake: self.brake,
                set_aside: self.set_aside,
                future: self.future,
                orphans: self.orphans,
            }),
            paused: None,
            totals,
            people: Some(self.people),
        };
        say::write(cx, firm, "sweep", exit, body);
    }
}

/// A refusal's sentence names the person; a line that begins with them needs it once.
pub fn without(login: &str, text: &str) -> String {
    let rest = text.strip_prefix(login).unwrap_or(text);
    rest.trim_start_matches([':', ' ']).to_owned()
}

pub(super) fn bare(
    login: &str,
    id: Option<&PersonId>,
    flow: &str,
    result: PersonResult,
    why: &str,
) -> document::Person {
    document::Person {
        login: login.to_owned(),
        id: id.map(|i| i.0.clone()),
        flow: flow.to_owned(),
        result: result.name().into(),
        plan: None,
        effective: None,
        due: None,
        contained: None,
        completed: None,
        open: vec![],
        steps: vec![],
        notes: vec![document::Note {
            mark: "attention".into(),
            system: None,
            text: why.to_owned(),
        }],
        next: vec![],
    }
}
