//! `jml leaver`: take everything away, and prove it.

use crate::cli::{args::Gate, context::Context, error::CliError, exit::Exit, flow};

/// Take away everything a person can reach, in a safe order, and prove it
///
/// Shows the plan first. On a terminal the login must be typed; elsewhere --confirm LOGIN is needed, and --yes does not stand in
/// for it. One system being down never keeps another open: what failed is named, and the sweep tries again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml leaver alice@acme.example --dry-run
  jml leaver alice@acme.example --expect 7f3a-91c2-d04e
  jml leaver alice@acme.example --confirm alice@acme.example -o json")]
pub struct Args {
    /// Login, email, Okta id or name; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<String>,
    /// Types the login for you, for that person only (repeat for more)
    #[arg(long, value_name = "LOGIN")]
    pub confirm: Vec<String>,
    /// Why, where HR does not say that the person has left
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The ticket that asks for it, where HR does not say that the person has left
    #[arg(long, value_name = "ID")]
    pub ticket: Option<String>,
    /// Who gets the person's files, against the manager chain
    #[arg(long, value_name = "LOGIN")]
    pub transfer_to: Option<String>,
    #[command(flatten)]
    pub gate: Gate,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::leaver(cx, args).await
}
