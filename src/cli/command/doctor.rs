//! `jml doctor`: can this configuration do its work?

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Check scopes, rights, attribute mapping, groups, clocks and the ledger; changes nothing
///
/// With --write-monitor it does one thing instead: the alarm on what each sweep sends is written where the figures go.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this system, as the configuration names it
    pub system: Option<String>,
    /// Write the monitor on the 15 minutes, where figures are sent: made once, mended, read back
    #[arg(long)]
    pub write_monitor: bool,
    /// With --write-monitor: show the monitor as it would be sent, and send nothing
    #[arg(short = 'n', long, requires = "write_monitor")]
    pub dry_run: bool,
    /// With --write-monitor: don't ask
    #[arg(short, long, requires = "write_monitor")]
    pub yes: bool,
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::doctor(cx, args).await
}
