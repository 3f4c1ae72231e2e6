//! `jml sweep`: everyone who is due, found and handled.

use std::time::Duration;

use clap::ValueEnum;

use crate::cli::{
    args::{Gate, Most, most},
    context::Context,
    error::CliError,
    exit::Exit,
    flow,
};

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Leavers,
    Movers,
    Joiners,
    /// Accounts of people who left, in every app: reported, and nothing is changed
    Orphans,
}

/// Find everyone who is due to leave, move or start, and do it
///
/// Reads the whole roster and believes it only if it is whole, filled and fresh; bad data stops at the brake (exit 5) and never
/// becomes a mass removal. Takes up what earlier runs left unfinished. Leavers come first.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml sweep --dry-run
  jml sweep --yes --quiet                  from a timer, every 5 minutes
  jml sweep --forecast 7d                  who will leave, and when")]
pub struct Args {
    /// Only this lane (repeat for more); by default all but orphans, which reads every app and is meant for the night
    #[arg(long, value_enum)]
    pub lane: Vec<Lane>,
    /// Keep running, and sweep again so long after the last one began
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub every: Option<Duration>,
    /// A lower limit of leavers than the configuration's
    #[arg(long, value_name = "N|P%", value_parser = most)]
    pub max_leavers: Option<Most>,
    /// List who will leave within this time, and change nothing
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "every")]
    pub forecast: Option<Duration>,
    #[command(flatten)]
    pub gate: Gate,
}

impl Args {
    pub fn lanes(&self) -> Vec<Lane> {
        let mut lanes = if self.lane.is_empty() {
            vec![Lane::Leavers, Lane::Movers, Lane::Joiners]
        } else {
            self.lane.clone()
        };
        lanes.sort();
        lanes.dedup();
        lanes
    }
}

pub async fn run(cx: &Context, args: Args) -> Result<Exit, CliError> {
    flow::sweep(cx, args).await
}
