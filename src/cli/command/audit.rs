//! `jml audit`: what the ledger holds, whether anybody touched it, and what it says beside the world.

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
    Drift(DriftArgs),
    Orphans(OrphansArgs),
    Seats(SeatsArgs),
    Posture(PostureArgs),
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
    /// Hold it against what a mirror ([ledger] mirror) was told: its file, or an export of the syslog or journal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mirror: Option<PathBuf>,
}

/// How long leavers took, from HR's record to the last access gone
#[derive(clap::Args, Debug)]
pub struct SlaArgs {
    /// From this day or instant on; the last 30 days by default
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<DateTime<Utc>>,
}

/// People whose Okta account differs from HR and policy
///
/// Reads everybody and the members of each managed group page by page. Lists groups that policy gives and somebody lacks (with the
/// rule whose exclusion list keeps them out), groups that it does not give, access of people who left or whose account is shut,
/// accounts that HR does not know, and admin roles of people whom [protect] does not name. Changes nothing. Exit 3 where something
/// drifted, 4 where somebody could not be judged, 5 where the read can't be believed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml audit drift
  jml audit drift -o csv")]
pub struct DriftArgs {}

/// Accounts of people who left, and accounts of nobody
///
/// Reads every account of every app page by page, and holds it against HR, the directory and the ledger's former people. A system
/// that could not be read whole accuses nobody (exit 4). Exit 3 where something was found. Changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml audit orphans
  jml audit orphans --system salesforce -o csv")]
pub struct OrphansArgs {
    /// This system only, as the configuration names it
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
}

/// Licences that people who left go on holding
///
/// Exit 3 where there is one, 4 where a system could not be read whole. Changes nothing.
#[derive(clap::Args, Debug)]
pub struct SeatsArgs {}

/// What the witnesses say of a person: risk, sign-ins after the end, privileges
///
/// Asks the witnesses that are configured (CrowdStrike, Wiz) and changes nothing; what they say is not written down. Exit 3 where
/// something should not be so: of who has left an account that is enabled, a sign-in after the leaving instant, an identity that is
/// still there; of anybody a high risk, privileges that are too wide. Exit 4 where a witness could not be asked.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml audit posture alice@acme.example
  jml audit posture alice@acme.example -o json")]
pub struct PostureArgs {
    /// Login, Okta id or name
    #[arg(value_name = "USER")]
    pub user: String,
}

impl Audit {
    pub fn kind(&self) -> &'static str {
        match self {
            Audit::Log(_) => "audit-log",
            Audit::Show(_) => "audit-show",
            Audit::Verify(_) => "audit-verify",
            Audit::Sla(_) => "audit-sla",
            Audit::Drift(_) => "audit-drift",
            Audit::Orphans(_) => "audit-orphans",
            Audit::Seats(_) => "audit-seats",
            Audit::Posture(_) => "audit-posture",
        }
    }
}

pub async fn run(cx: &Context, audit: Audit) -> Result<Exit, CliError> {
    match audit {
        Audit::Log(a) => flow::audit_log(cx, a).await,
        Audit::Show(a) => flow::audit_show(cx, a).await,
        Audit::Verify(a) => flow::audit_verify(cx, a).await,
        Audit::Sla(a) => flow::audit_sla(cx, a).await,
        Audit::Drift(_) => flow::audit_drift(cx).await,
        Audit::Orphans(a) => flow::audit_orphans(cx, a).await,
        Audit::Seats(_) => flow::audit_seats(cx).await,
        Audit::Posture(a) => flow::audit_posture(cx, a).await,
    }
}
