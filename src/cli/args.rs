//! The root of the command tree and the flags that many commands share. What a single command takes stands in its own file.
//!
//! Doc comments are the help text, the man pages and the completions; nothing is written twice.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum, ValueHint};

use super::command::Command;

/// The identity lifecycle on the command line: joiners, movers and leavers
///
/// jml reads who works here and who can reach what, plans the change, shows it, applies it in a safe order, reads again
/// what is now so, and keeps the record. Every command may be repeated.
#[derive(Parser, Debug)]
#[command(
    name = "jml",
    version,
    about,
    propagate_version = true,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Look before anything is connected:  jml sandbox tour\nExit codes:  jml help exit-codes    environment:  jml help environment"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// `global = true` lets a flag stand before or after the subcommand.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Work on a pretend firm on this machine instead of any configured tenant
    #[arg(long, global = true, conflicts_with = "config")]
    pub sandbox: bool,
    /// Form of what is written to standard output
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Human)]
    pub output: Output,
    /// Only what needs a person, and the result; twice: nothing but the exit code
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// One line a call on standard error: system, method, route, status, time, request id
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Colour, which only repeats what the words say
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// The same as --color never
    #[arg(long, global = true, conflicts_with = "color")]
    pub no_color: bool,
    /// Never ask; what needs an answer is refused, naming the flag
    #[arg(long, global = true)]
    pub no_input: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Text for people
    #[default]
    Human,
    /// One document at the end
    Json,
    /// One object a line, as things happen
    Ndjson,
    /// Lists for a spreadsheet
    Csv,
}

impl Output {
    /// Errors and reports go to standard output as documents.
    pub const fn json(self) -> bool {
        matches!(self, Output::Json | Output::Ndjson)
    }
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What every mutating command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Before anything changes")]
pub struct Gate {
    /// Show the plan and change nothing; no write credential is read
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Don't ask (a leaver still needs --confirm LOGIN)
    #[arg(short, long)]
    pub yes: bool,
    /// With --dry-run: exit 3 where there is something to do
    #[arg(long)]
    pub exit_code: bool,
    /// Write the plan to a new file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save_plan: Option<PathBuf>,
    /// Apply only if the plan is still this one, else exit 7
    #[arg(long, value_name = "PLAN-ID", value_parser = plan_id)]
    pub expect: Option<String>,
}

/// The short form with or without its dashes, or all 64 digits.
fn plan_id(s: &str) -> Result<String, String> {
    let digits: String = s.chars().filter(|c| *c != '-').collect();
    if (12..=64).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(digits.to_lowercase())
    } else {
        Err("a plan id has 12 hex digits, as in 7f3a-91c2-d04e".into())
    }
}

/// At most so many, as a number or a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Most {
    Count(u32),
    Percent(f64),
}

pub fn most(s: &str) -> Result<Most, String> {
    match s.strip_suffix('%') {
        Some(p) => p
            .trim()
            .parse()
            .ok()
            .filter(|p| (0.0..=100.0).contains(p))
            .map(Most::Percent)
            .ok_or_else(|| "0% to 100%".into()),
        None => s
            .parse()
            .map(Most::Count)
            .map_err(|_| "a number, or a percentage as in 2%".into()),
    }
}

/// An instant, or a day, which begins at midnight UTC.
pub fn since(s: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    if let Ok(t) = s.replacen(' ', "T", 1).parse() {
        return Ok(t);
    }
    s.parse::<chrono::NaiveDate>()
        .map(|d| d.and_time(chrono::NaiveTime::MIN).and_utc())
        .map_err(|_| "a day as in 2026-02-01, or an instant as in 2026-02-01T09:00:00Z".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(argv: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("jml").chain(argv.iter().copied()))
    }

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_on_either_side() {
        for argv in [["-o", "json", "run", "list"], ["run", "list", "-o", "json"]] {
            assert_eq!(parse(&argv).unwrap().global.output, Output::Json);
        }
        assert!(parse(&["run", "list", "--sandbox", "--config", "x"]).is_err());
        assert!(parse(&["run", "list", "-q", "-v"]).is_err());
        assert_eq!(parse(&["run", "list", "-qq"]).unwrap().global.quiet, 2);
    }

    #[test]
    fn help_and_version_are_no_error_and_a_wrong_word_is_usage() {
        assert_eq!(parse(&["--version"]).unwrap_err().exit_code(), 0);
        assert_eq!(parse(&["leaver", "--help"]).unwrap_err().exit_code(), 0);
        assert_eq!(parse(&["leavr", "alice"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["leaver"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn what_later_work_brings_is_not_offered() {
        for argv in [&["pause"][..], &["sweep", "--baseline"]] {
            assert_eq!(parse(argv).unwrap_err().exit_code(), 2, "{argv:?}");
        }
    }

    #[test]
    fn values_are_read_or_refused() {
        assert_eq!(most("5%"), Ok(Most::Percent(5.0)));
        assert_eq!(most("25"), Ok(Most::Count(25)));
        assert!(most("101%").is_err() && most("some").is_err());
        assert_eq!(plan_id("7F3A-91c2-d04e"), Ok("7f3a91c2d04e".into()));
        assert!(plan_id("7f3a").is_err());
        assert_eq!(since("2026-02-01"), since("2026-02-01T00:00:00Z"));
        assert!(since("yesterday").is_err());
    }
}
