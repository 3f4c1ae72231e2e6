//! `jml link`: which account in a system is whose, where no attribute says so.

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Record that an account is this person's, or is not
///
/// Changes the ledger alone, and asks nothing.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Login, email, Okta id or name
    #[arg(value_name = "USER")]
    pub user: String,
    /// The system, as the configuration names it
    pub system: String,
    /// The account's id in that system
    pub account: String,
    /// The account is not theirs
    #[arg(long = "not")]
    pub not: bool,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::link(cx, args).await
}
