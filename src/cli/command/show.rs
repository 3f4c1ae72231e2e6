//! `jml show`: HR, Okta and every app side by side.

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Show one person: HR, Okta and every app side by side, drift flagged
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Login, email, Okta id or name
    #[arg(value_name = "USER")]
    pub user: String,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::show(cx, args).await
}
