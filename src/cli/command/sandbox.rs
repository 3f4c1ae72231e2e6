//! `jml sandbox`: the pretend firm: played, served, made anew, looked into.

use std::{path::PathBuf, time::Duration};

use clap::{Subcommand, ValueHint};

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// A pretend firm of 2,200 people on this machine, with a twin of every system
#[derive(Subcommand, Debug)]
pub enum Sandbox {
    Tour(TourArgs),
    Serve(ServeArgs),
    Reset(ResetArgs),
    People(PeopleArgs),
    Journal(JournalArgs),
}

/// Play joiner, mover, leaver, a missed leaver and the audit, narrated, in under a minute
#[derive(clap::Args, Debug)]
pub struct TourArgs {}

/// Serve the firm in the foreground, for another jml or another program
///
/// Prints one line, `ready`, when it serves. Ends at a signal, or when its standard input closes, where that is a pipe.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  jml sandbox serve --config c.toml --endpoints e.json --journal j.ndjson
  jml --config c.toml sweep --yes                                            in another terminal")]
pub struct ServeArgs {
    /// How many people the firm has
    #[arg(long, value_name = "N", conflicts_with = "world")]
    pub people: Option<usize>,
    /// What the pretend people are made from
    #[arg(long, value_name = "N", conflicts_with = "world")]
    pub seed: Option<u64>,
    /// Load a firm from a file; it lives in memory alone
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub world: Option<PathBuf>,
    /// Write a configuration that points at what is served
    #[arg(id = "config", long = "config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Write each system's address and token, for other clients
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub endpoints: Option<PathBuf>,
    /// Append one line of JSON a request
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub journal: Option<PathBuf>,
    /// Break something by name, as in okta:remove-member:ROLE-ENG@1:after=503 (repeat for more)
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// Answer so much later
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub latency: Option<Duration>,
    /// Grant so many requests, as in okta:600/min (repeat for more)
    #[arg(long, value_name = "SYSTEM:N/min")]
    pub rate: Vec<String>,
}

/// Make the firm anew; what was done to it is forgotten, its ledger too
#[derive(clap::Args, Debug)]
pub struct ResetArgs {}

/// List the cast: people made for a story
#[derive(clap::Args, Debug)]
pub struct PeopleArgs {}

/// Print what the systems were asked, one request a line
#[derive(clap::Args, Debug)]
pub struct JournalArgs {}

impl Sandbox {
    pub fn kind(&self) -> &'static str {
        match self {
            Sandbox::Tour(_) => "sandbox-tour",
            Sandbox::Serve(_) => "sandbox-serve",
            Sandbox::Reset(_) => "sandbox-reset",
            Sandbox::People(_) => "sandbox-people",
            Sandbox::Journal(_) => "sandbox-journal",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Sandbox::People(_) | Sandbox::Journal(_) | Sandbox::Tour(_) => true,
            Sandbox::Serve(_) | Sandbox::Reset(_) => false,
        }
    }
}

pub async fn run(cx: &Context, sandbox: Sandbox) -> Result<Exit, CliError> {
    match sandbox {
        Sandbox::Tour(_) => flow::sandbox_tour(cx).await,
        Sandbox::Serve(a) => flow::sandbox_serve(cx, a).await,
        Sandbox::Reset(_) => flow::sandbox_reset(cx).await,
        Sandbox::People(_) => flow::sandbox_people(cx).await,
        Sandbox::Journal(_) => flow::sandbox_journal(cx).await,
    }
}
