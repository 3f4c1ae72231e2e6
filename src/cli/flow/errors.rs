//! What the layers below refuse, as answers of a command. The numbers are `cli::exit`'s; which one a refusal gets is decided here.

use crate::{
    cli::{error::CliError, exit::Exit, text},
    config::ConfigError,
    ledger::{LedgerError, Pause},
    model::{Failure, Kind},
    planner::{
        brake::Trip,
        consent::Stale,
        refusal::{Class, Refusal},
    },
};

impl From<LedgerError> for CliError {
    fn from(e: LedgerError) -> Self {
        match &e {
            LedgerError::LeaseHeld { ends, .. } => CliError::leased(e.to_string()).hint(match ends {
                None => "It ends with that run; then give the same command again.".to_owned(),
                Some(ends) => format!(
                    "It ends with that run, or {} s from now if that process is gone; then give the same command again.",
                    ends.as_secs()
                ),
            }),
            LedgerError::LeaseLost { .. } => CliError::leased(e.to_string()),
            LedgerError::Paused(pause) => paused(pause),
            LedgerError::WrongTenant { .. } => CliError::config(e.to_string()),
            LedgerError::Store(_) => CliError::internal(e.to_string()),
            LedgerError::Unreachable(_) => CliError::unavailable(e.to_string()),
            LedgerError::Denied(_) => CliError::new(Exit::Auth, e.to_string()),
            LedgerError::NotMade(_) => {
                CliError::config(e.to_string()).hint("Its owner makes it once: docs/DEPLOYMENT.md, Several hosts.")
            }
            LedgerError::Corrupt { .. } => CliError::ledger(e.to_string()).run("See where", "jml audit verify"),
        }
    }
}

/// Before anything was begun.
pub fn paused(pause: &Pause) -> CliError {
    CliError::new(Exit::Paused, pause.sentence())
        .hint("Nothing was done. It ends by itself then, or as soon as another operator lifts it.")
        .run("Lift it, as somebody else than who paused", "jml unpause")
}

/// The same, after something was done: that nothing was begun would be a lie.
pub fn begun(mut e: CliError) -> CliError {
    if e.exit == Exit::Unavailable {
        e.exit = Exit::Partial;
        e = e
            .hint("What was being done is in doubt; the ledger holds the rest.")
            .run("Finish it", "jml run resume");
    }
    e
}

pub fn no_run(typed: &str) -> CliError {
    CliError::new(
        Exit::Who,
        format!("the ledger has no run {}", text::middle_cut(typed, 64)),
    )
}

pub fn many_runs(typed: &str, found: &[String]) -> CliError {
    let few: Vec<&str> = found.iter().take(8).map(String::as_str).collect();
    let more = if found.len() > few.len() { ", ..." } else { "" };
    CliError::new(
        Exit::Who,
        format!(
            "\"{typed}\" fits {}: {}{more}",
            text::count(found.len(), "run"),
            few.join(", ")
        ),
    )
}

/// A person can't be handled by hand.
pub fn refusal(r: &Refusal) -> CliError {
    let exit = match r.class() {
        Class::Refused | Class::SetAside | Class::Future => Exit::Refused,
        Class::Unbelievable => Exit::Brake,
        Class::Unread => match r.failure() {
            Some(f) => CliError::unread(f).exit,
            None => Exit::Unavailable,
        },
    };
    let mut e = CliError::new(exit, r.to_string());
    if let Some(hint) = r.hint() {
        e = match hint.strip_prefix("jml ") {
            Some(_) => e.run("What helps", hint),
            None => e.hint(hint),
        };
    }
    e
}

pub fn trip(t: &Trip) -> CliError {
    if t.fatal() {
        return CliError::refused(t.to_string());
    }
    let mut e = CliError::brake(t.to_string());
    for cause in &t.causes {
        e = e.why(cause.clone());
    }
    e.hint("Nothing was done.")
}

pub fn stale(s: &Stale) -> CliError {
    CliError::stale(s.to_string()).hint("Nothing was done; give the command again to see the new plan.")
}

/// Another tenant than the one that the configuration pins, or one that can't say who it is.
pub fn pin(f: &Failure) -> CliError {
    match f.kind {
        Kind::Contradiction | Kind::Permanent => CliError::config(f.what.clone()).because(f),
        Kind::Transient | Kind::Auth | Kind::Throttled | Kind::Doubt | Kind::Cannot => CliError::unread(f),
    }
}

/// A roster that can't be believed is a brake; one that can't be reached is not there yet.
pub fn source(f: &Failure) -> CliError {
    let e = CliError::unread(f);
    match f.kind {
        Kind::Contradiction => e.hint("Nothing was done: no change is planned from a source that contradicts itself."),
        Kind::Transient | Kind::Permanent | Kind::Auth | Kind::Throttled | Kind::Doubt | Kind::Cannot => e,
    }
}

impl From<ConfigError> for CliError {
    fn from(e: ConfigError) -> Self {
        let mut out = CliError::config(e.message().to_owned()).screen(e.render(false));
        if let Some((line, column)) = e.place() {
            out = out.at(e.file(), Some(line), Some(column));
        }
        match e.hint() {
            Some(hint) => out.hint(hint),
            None => out,
        }
    }
}

/// A plan whose id isn't the expected one.
pub fn moved(is: &str, expected: &str) -> CliError {
    CliError::stale(format!("the plan is {is} now, not {}", text::middle_cut(expected, 64)))
        .hint("The world moved since it was shown: look at the new plan first.")
}
