//! `jml unpause`: a second pair of eyes on the kill switch.

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Lift a pause before it ends, as another operator than whoever paused
#[derive(clap::Args, Debug)]
pub struct Args {}

pub async fn run(cx: &Context, _: Args) -> Result<Exit, CliError> {
    flow::unpause(cx).await
}
