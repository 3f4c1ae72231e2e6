//! `jml mover`: from the groups of the old job to those of the new one.

use crate::cli::{args::Gate, context::Context, error::CliError, exit::Exit, flow};

/// Move a person to what policy says of the present job: remove first, then add
///
/// Compares what is held with what policy gives, over everything that policy manages; what piled up in earlier jobs goes too.
/// If a removal fails, nothing is added. A new manager is told what changed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml mover bob@acme.example --dry-run
  jml mover bob@acme.example --expect 2c81-0e77-b3f0")]
pub struct Args {
    /// Login, email, Okta id or name; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<String>,
    #[command(flatten)]
    pub gate: Gate,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::mover(cx, args).await
}
