//! What a command answers when it can't do its work: the exit, and three lines for a person: what failed, why, what now.
//!
//! A library error never knows about exit codes; here each constructor is named after one. Under `-o json` the same is a document.

use std::fmt;

use super::{exit::Exit, text};
use crate::model::{Failure, Hint, Kind};

/// Someone who may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub login: String,
    pub name: String,
    pub department: String,
    /// What HR says where it matters (`terminated today`), else the directory's status.
    pub status: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    pub exit: Exit,
    /// What failed, with its subject. A sentence without its full stop.
    pub message: String,
    /// The vendor's code, summary, request id; or the rule that refused.
    pub why: Vec<String>,
    pub hints: Vec<Hint>,
    pub candidates: Vec<Candidate>,
    pub place: Option<Place>,
    /// A screen that stands for the three lines: the brake, a fault shown at its line.
    pub screen: Option<String>,
}

impl CliError {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        CliError {
            exit,
            message: message.into(),
            why: vec![],
            hints: vec![],
            candidates: vec![],
            place: None,
            screen: None,
        }
    }
    /// A defect of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, message)
    }
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    /// Configuration, or the wrong tenant.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    pub fn brake(message: impl Into<String>) -> Self {
        Self::new(Exit::Brake, message)
    }
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(Exit::Stale, message)
    }
    pub fn leased(message: impl Into<String>) -> Self {
        Self::new(Exit::Leased, message)
    }
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, message)
    }
    pub fn ledger(message: impl Into<String>) -> Self {
        Self::new(Exit::Ledger, message)
    }
    pub fn declined() -> Self {
        Self::new(Exit::Declined, "declined; nothing was done")
    }
    pub fn nobody(typed: &str) -> Self {
        Self::new(Exit::Who, format!("\"{typed}\" fits nobody; nothing was done"))
            .hint("Looked for: login, address, Okta id, whole name; deactivated people too.")
    }
    pub fn ambiguous(typed: &str, mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by(|a, b| a.login.cmp(&b.login));
        let mut e = Self::new(
            Exit::Who,
            format!(
                "\"{typed}\" fits {}; nothing was done",
                text::count(candidates.len(), "person")
            ),
        );
        e.candidates = candidates;
        e
    }
    /// A read that failed before there was a run.
    pub fn unread(failure: &Failure) -> Self {
        let exit = match failure.kind {
            Kind::Auth => Exit::Auth,
            Kind::Transient | Kind::Throttled | Kind::Doubt => Exit::Unavailable,
            Kind::Contradiction => Exit::Brake,
            Kind::Permanent | Kind::Cannot => Exit::Unexpected,
        };
        Self::new(exit, failure.what.clone()).because(failure)
    }
    pub fn why(mut self, line: impl Into<String>) -> Self {
        self.why.push(line.into());
        self
    }
    pub fn because(mut self, failure: &Failure) -> Self {
        self.why.push(match &failure.code {
            Some(code) => format!("{code} {}", failure.summary),
            None => failure.summary.clone(),
        });
        if let Some(id) = &failure.request {
            self.why.push(format!("request {id}"));
        }
        self.hints.extend(failure.hint.clone());
        self
    }
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(Hint {
            text: text.into(),
            command: None,
        });
        self
    }
    /// What to do, and the command that does it, alone on its line.
    pub fn run(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.hints.push(Hint {
            text: text.into(),
            command: Some(command.into()),
        });
        self
    }
    pub fn at(mut self, file: impl Into<String>, line: Option<usize>, column: Option<usize>) -> Self {
        self.place = Some(Place {
            file: file.into(),
            line,
            column,
        });
        self
    }
    pub fn screen(mut self, screen: impl Into<String>) -> Self {
        self.screen = Some(screen.into());
        self
    }

    /// As a person reads it on standard error.
    pub fn human(&self, utf8: bool) -> String {
        let safe = |s: &str| text::safe(s, utf8).to_string();
        let mut out = match &self.screen {
            Some(screen) => screen.trim_end().to_owned() + "\n",
            None => {
                let at = self.place.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
                format!("error: {}{}.\n", safe(&at), safe(self.message.trim_end_matches('.')))
            }
        };
        if self.screen.is_none() {
            for line in &self.why {
                out += &format!("  {}\n", safe(line));
            }
        }
        out += &candidates(&self.candidates, utf8);
        let told = |t: &str| self.screen.as_ref().is_some_and(|s| s.contains(t));
        for h in self.hints.iter().filter(|h| !told(&h.text)) {
            let mut text = safe(&h.text);
            if h.command.is_some() {
                text = text.trim_end_matches(['.', ':']).to_owned() + ":";
            }
            out += &text;
            out.push('\n');
            if let Some(c) = &h.command {
                out += &format!("  {}\n", safe(c));
            }
        }
        if self.exit == Exit::Unexpected {
            out += concat!(
                "This is a defect of jml ",
                env!("CARGO_PKG_VERSION"),
                ". Please report it with the lines above.\n"
            );
        }
        out
    }
}

/// Ordered by login, not by likelihood; the number is what a prompt takes. Logins are never cut.
pub fn candidates(all: &[Candidate], utf8: bool) -> String {
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|c| [&c.login, &c.name, &c.department, &c.status].map(|s| text::safe(s, utf8).to_string()))
        .collect();
    let wide = |i: usize| rows.iter().map(|r| text::width(&r[i])).max().unwrap_or(0);
    let mut out = String::new();
    for (n, (r, c)) in rows.iter().zip(all).enumerate() {
        let line = format!(
            "{:>3}  {}   {}   {}   {}{}",
            n + 1,
            text::pad(&r[0], wide(0)),
            text::pad(&r[1], wide(1)),
            text::pad(&r[2], wide(2)),
            r[3],
            if text::mixed_script(&c.login) {
                "   ! mixed script"
            } else {
                ""
            }
        );
        out += line.trim_end();
        out.push('\n');
    }
    out
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(l) = self.line {
            write!(f, ":{l}")?;
            if let Some(c) = self.column {
                write!(f, ":{c}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn what_why_what_now() {
        let e = CliError::unread(
            &Failure::new(Kind::Auth, "read Okta's groups", "The token lacks a scope")
                .code("403")
                .request(Some("9F3C:2A10".into()))
                .run("Grant okta.groups.read", "jml doctor okta"),
        );
        assert_eq!(e.exit, Exit::Auth);
        assert_data_eq!(
            e.human(true),
            str![[r#"
error: read Okta's groups.
  403 The token lacks a scope
  request 9F3C:2A10
Grant okta.groups.read:
  jml doctor okta

"#]]
        );
    }

    #[test]
    fn candidates_are_in_the_order_of_logins() {
        let who = |login: &str, name: &str, department: &str, status: &str| Candidate {
            login: login.into(),
            name: name.into(),
            department: department.into(),
            status: status.into(),
        };
        let e = CliError::ambiguous(
            "alice",
            vec![
                who("c-alice@acme.example", "Alice Andersson", "contractor", "SUSPENDED"),
                who("alice@acme.example", "Alice Andersson", "Engineering", "ACTIVE"),
                who("alice.ahmed@acme.example", "Alice Ahmed", "Sales", "terminated today"),
            ],
        )
        .run("Say which by login", "jml leaver alice.ahmed@acme.example");
        assert_data_eq!(
            e.human(true),
            str![[r#"
error: "alice" fits 3 people; nothing was done.
  1  alice.ahmed@acme.example   Alice Ahmed       Sales         terminated today
  2  alice@acme.example         Alice Andersson   Engineering   ACTIVE
  3  c-alice@acme.example       Alice Andersson   contractor    SUSPENDED
Say which by login:
  jml leaver alice.ahmed@acme.example

"#]]
        );
    }

    #[test]
    fn a_hostile_name_in_an_error_is_shown_not_obeyed() {
        let e = CliError::nobody("\u{1b}[2Jalice\u{202e}").human(true);
        assert!(e.starts_with("error: \"\\x1b[2Jalice\" fits nobody"), "{e}");
    }
}
