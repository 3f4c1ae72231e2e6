//! `jml doctor`: can this configuration do its work?

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Check scopes, rights, attribute mapping, groups, clocks and the ledger; changes nothing
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this system, as the configuration names it
    pub system: Option<String>,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::doctor(cx, args).await
}
