//! `jml pause`: the kill switch, for every host that shares this ledger.

use std::time::Duration;

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Let nothing begin on any host for a while, but containment
///
/// Honoured before every effect: a run that is under way ends what is in flight, contains whom it has to contain, and leaves the
/// rest for jml run resume. Ends by itself; before that only another operator can lift it (jml unpause). Whoever watches is told.
/// Asks nothing, and speaks to no system before it holds.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  jml pause --for 1h --reason \"HR reports people who are here as gone\"")]
pub struct Args {
    /// How long, 4 h at most; given again it lengthens, and never shortens
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub length: Duration,
    /// A sentence for whoever is stopped by it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Containment too
    #[arg(long)]
    pub all: bool,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::pause(cx, args).await
}
