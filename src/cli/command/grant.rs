//! `jml grant`: a group beside policy, for a while.

use crate::{
    cli::{context::Context, error::CliError, exit::Exit, flow},
    model::When,
};

/// Record an exception to policy: a group that somebody is given until a day, and loses then
///
/// Changes the ledger alone, and asks nothing: the next sweep (or jml mover USER) adds them, and a sweep after the end takes them out.
/// Until then jml audit drift calls it explained. Leaving ends it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml grant bob@acme.example APP-LEGAL --until 2026-12-31 --ticket CHG0031337
  jml grant bob@acme.example APP-LEGAL --end --ticket CHG0031338")]
pub struct Args {
    /// Login, email, Okta id or name
    #[arg(value_name = "USER")]
    pub user: String,
    /// The group's name in Okta
    pub group: String,
    /// Its last day, where the person works, or an instant as in 2026-12-31T17:00:00Z; within a year
    #[arg(long, value_name = "DATE", value_parser = until, required_unless_present = "end")]
    pub until: Option<When>,
    /// End the exception now
    #[arg(long, conflicts_with = "until")]
    pub end: bool,
    /// The ticket that asks for it
    #[arg(long, value_name = "ID", value_parser = ticket)]
    pub ticket: String,
}

fn until(s: &str) -> Result<When, String> {
    if let Ok(at) = s.replacen(' ', "T", 1).parse() {
        return Ok(When::Instant(at));
    }
    s.parse()
        .map(When::Day)
        .map_err(|_| "a day as in 2026-12-31, or an instant as in 2026-12-31T17:00:00Z".into())
}

/// One word, of which nothing is lost when it is shown.
fn ticket(s: &str) -> Result<String, String> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if s.is_empty() || s.len() > 64 || s.chars().any(odd) {
        return Err("a ticket's number, as in CHG0031337".into());
    }
    Ok(s.to_owned())
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::grant(cx, args).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_an_instant_and_a_number_are_read_or_refused() {
        assert_eq!(until("2026-12-31"), Ok(When::Day("2026-12-31".parse().unwrap())));
        let at = When::Instant("2026-12-31T17:00:00Z".parse().unwrap());
        assert_eq!(
            (until("2026-12-31 17:00:00Z"), until("2026-12-31T17:00:00Z")),
            (Ok(at), Ok(at))
        );
        assert!(until("tomorrow").is_err() && until("2026-02-30").is_err());
        assert!(ticket("CHG0031337").is_ok());
        for odd in ["", "a b", "a\u{1b}[2J", &"9".repeat(65)] {
            assert!(ticket(odd).is_err(), "{odd:?}");
        }
    }
}
