//! `jml audit`: what the ledger holds, and whether anybody touched it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueHint};

use crate::cli::{args::since, context::Context, error::CliError, exit::Exit, flow};

/// What was done, when, by whom: entry by entry, and whether the ledger is whole
#[derive(Subcommand, Debug)]
pub enum Audit {
    Log(LogArgs),
    Show(ShowArgs),
    Verify(VerifyArgs),
    Sla(SlaArgs),
}

/// List ledger entries, the newest last
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml audit log --since 2026-02-01 -o csv
  jml audit log --person alice@acme.example")]
pub struct LogArgs {
    /// From this day or instant on
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<DateTime<Utc>>,
    /// Of this run only
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// About this person only: login or Okta id
    #[arg(long, value_name = "LOGIN")]
    pub person: Option<String>,
}

/// Show one run entry by entry
#[derive(clap::Args, Debug)]
pub struct ShowArgs {
    /// The run, as in r-5k2m9q
    pub run: String,
}

/// Check the whole chain; exit 13 where it doesn't hold, naming the entry
///
/// Prints the newest checkpoint. Keep it somewhere else: whoever holds one can show that entries were cut off or rewritten.
#[derive(clap::Args, Debug)]
pub struct VerifyArgs {
    /// Hold the ledger against a checkpoint that was kept outside
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub checkpoint: Option<PathBuf>,
}

/// How long leavers took, from HR's record to the last access gone
#[derive(clap::Args, Debug)]
pub struct SlaArgs {
    /// From this day or instant on; the last 30 days by default
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<DateTime<Utc>>,
}

impl Audit {
    pub fn kind(&self) -> &'static str {
        match self {
            Audit::Log(_) => "audit-log",
            Audit::Show(_) => "audit-show",
            Audit::Verify(_) => "audit-verify",
            Audit::Sla(_) => "audit-sla",
        }
    }
}

pub async fn run(cx: &Context, audit: Audit) -> Result<Exit, CliError> {
    match audit {
        Audit::Log(a) => flow::audit_log(cx, a).await,
        Audit::Show(a) => flow::audit_show(cx, a).await,
        Audit::Verify(a) => flow::audit_verify(cx, a).await,
        Audit::Sla(a) => flow::audit_sla(cx, a).await,
    }
}
