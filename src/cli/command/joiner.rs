//! `jml joiner`: groups and channels of a person who starts.

use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::{args::Gate, context::Context, error::CliError, exit::Exit, flow};

/// Give a person who starts what policy says, and prove it
///
/// Adds the birthright groups of the worker type and the groups of the role, and what Okta can't provision itself. Before the
/// start date there is nothing to do. What waits for an account that isn't made yet is owed, and the sweep pays it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml joiner nora@acme.example --dry-run
  jml joiner nora@acme.example --activate --yes
  jml joiner --from people.csv nora@acme.example --yes")]
pub struct Args {
    /// Login, email, Okta id or name; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<String>,
    /// Create those who are missing in Okta from this HR file first
    #[arg(long, value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
    /// Activate an account that is staged or provisioned
    #[arg(long)]
    pub activate: bool,
    /// Someone who was here before: take them off the rules' exclusion lists, and role groups of the former job first
    #[arg(long)]
    pub rehire: bool,
    #[command(flatten)]
    pub gate: Gate,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::joiner(cx, args).await
}
