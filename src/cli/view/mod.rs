//! What is written where: data to standard output, talk to standard error, each until nobody reads it any more.
//!
//! Nothing else in the tree writes to either. Renderers below give text; only `Out` puts it on a stream.

pub mod audit;
pub mod changes;
pub mod doctor;
pub mod json;
pub mod list;
pub mod live;
pub mod paint;
pub mod plan;
pub mod report;
pub mod runs;
#[cfg(test)]
pub(in crate::cli) mod samples;
pub mod show;
pub mod sweep;
pub mod words;

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::{args::Output, document, text};

/// In a report, where everything was allowed because nothing says who may do what.
pub const UNRULED: &str = "No roles are configured: whoever runs jml may do everything.\n";

/// Another policy than the last run had: a person should know, so it is marked, and shown under -q too.
pub fn changed(c: &document::PolicyChanged, screen: &Screen) -> String {
    let short = |digest: &str| screen.safe(digest.get(..12).unwrap_or(digest));
    format!(
        "! The policy changed since run {}: {} -> {}.\n",
        screen.safe(&c.since),
        short(&c.from),
        short(&c.to)
    )
}

/// What the streams are like, and what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub format: Output,
    pub quiet: u8,
    pub verbose: u8,
    pub utf8: bool,
    /// Columns of standard output; `None`: no terminal, nothing is wrapped or cut.
    pub width: Option<usize>,
    pub paint_out: bool,
    pub paint_err: bool,
    /// Bars on standard error.
    pub live: bool,
}

impl Screen {
    /// A terminal of 80 columns, for tests.
    pub const PLAIN: Screen = Screen {
        format: Output::Human,
        quiet: 0,
        verbose: 0,
        utf8: true,
        width: Some(80),
        paint_out: false,
        paint_err: false,
        live: false,
    };
    /// Remote text, fit for this terminal.
    pub fn safe(&self, s: &str) -> String {
        text::safe(s, self.utf8).to_string()
    }
    /// Remote text of which only so much may be shown here. Off a terminal nothing is cut.
    pub fn fit(&self, s: &str, to: usize) -> String {
        let s = self.safe(s);
        if self.width.is_some() {
            text::middle_cut(&s, to).into_owned()
        } else {
            s
        }
    }
    /// Where lines break: the terminal's width, or 80 for running text that goes to a file.
    pub fn line(&self) -> usize {
        self.width.unwrap_or(80).max(40)
    }
}

/// The two streams. A stream that can't be written to any more is dropped; what goes on, goes on without it.
pub struct Out {
    pub screen: Screen,
    bars: MultiProgress,
    data_closed: AtomicBool,
    talk_closed: AtomicBool,
}

impl Out {
    pub fn new(screen: Screen) -> Self {
        let target = if screen.live {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Out {
            screen,
            bars: MultiProgress::with_draw_target(target),
            data_closed: AtomicBool::new(false),
            talk_closed: AtomicBool::new(false),
        }
    }
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }
    /// What was asked for. Silent with -qq.
    pub fn data(&self, text: &str) {
        if self.screen.quiet > 1 || self.data_closed() {
            return;
        }
        let painted = match self.screen.format {
            Output::Json | Output::Ndjson => super::text::in_json(text),
            _ if self.screen.paint_out => paint::paint(text),
            Output::Human | Output::Csv => text.to_owned(),
        };
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            if out.write_all(painted.as_bytes()).and_then(|()| out.flush()).is_err() {
                self.data_closed.store(true, Ordering::Relaxed);
            }
        });
    }
    /// One document, or under ndjson one line.
    pub fn document<T: Serialize>(&self, document: &T) {
        let text = match self.screen.format {
            Output::Ndjson => serde_json::to_string(document),
            Output::Human | Output::Json | Output::Csv => serde_json::to_string_pretty(document),
        };
        match text {
            Ok(text) => self.data(&(text + "\n")),
            Err(e) => self.warn(&format!("a document could not be written: {e}")),
        }
    }
    /// Progress and status: gone with -q.
    pub fn talk(&self, line: &str) {
        if self.screen.quiet == 0 {
            self.say(line);
        }
    }
    /// What needs a person: stays with -q, gone with -qq.
    pub fn warn(&self, line: &str) {
        if self.screen.quiet < 2 {
            self.say(line);
        }
    }
    /// Questions and answers to them: what stands on the terminal when somebody is asked.
    pub fn say(&self, line: &str) {
        if self.talk_closed.load(Ordering::Relaxed) {
            return;
        }
        let painted = if self.screen.paint_err {
            paint::paint(line)
        } else {
            line.to_owned()
        };
        self.bars.suspend(|| {
            let mut err = io::stderr().lock();
            let end = if painted.ends_with('\n') { "" } else { "\n" };
            if write!(err, "{painted}{end}").and_then(|()| err.flush()).is_err() {
                self.talk_closed.store(true, Ordering::Relaxed);
            }
        });
    }
    /// The terminal is gone.
    pub fn hang_up(&self) {
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
        self.data_closed.store(true, Ordering::Relaxed);
        self.talk_closed.store(true, Ordering::Relaxed);
    }
    pub fn data_closed(&self) -> bool {
        self.data_closed.load(Ordering::Relaxed)
    }
}

/// Which tenant a screen speaks of: its first line.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    pub host: String,
    /// The organisation's id.
    pub org: String,
    pub sandbox: bool,
}

impl Tenant {
    pub fn line(&self, screen: &Screen) -> String {
        let host = if self.sandbox { "sandbox" } else { &self.host };
        format!("{} {}", screen.safe(host), screen.safe(&self.org))
    }
}
