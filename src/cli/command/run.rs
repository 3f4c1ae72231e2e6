//! `jml run`: runs of the past, the unfinished and the held.

use clap::Subcommand;

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// Runs: list, show, finish, apply what was held, tick what a person did
#[derive(Subcommand, Debug)]
pub enum Run {
    List(ListArgs),
    Show(ShowArgs),
    Resume(ResumeArgs),
    Apply(ApplyArgs),
    Tick(TickArgs),
}

/// List runs, the newest last
#[derive(clap::Args, Debug)]
pub struct ListArgs {}

/// Print a run's closing report again; of a held plan, the plan
#[derive(clap::Args, Debug)]
pub struct ShowArgs {
    /// The run, as in r-5k2m9q, or a held plan's id
    pub run: String,
}

/// Finish what a run left undone; asks nothing, for it was agreed
///
/// Looks first: a step that was in doubt is read again before it is decided.
#[derive(clap::Args, Debug)]
pub struct ResumeArgs {
    /// The run; all unfinished ones by default
    pub run: Option<String>,
}

/// Apply a held plan, as far as it is still true
#[derive(clap::Args, Debug)]
pub struct ApplyArgs {
    /// The held plan's id
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Say that a task for people is done, and by what it can be seen
///
/// A task is named as the report names it. The run alone is enough where only one of its tasks is open.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  jml run tick r-5k2m9q/alice@acme.example/7 --evidence \"badge 4711 is in the drawer\"")]
pub struct TickArgs {
    /// The task, as in r-5k2m9q/alice@acme.example/7
    #[arg(value_name = "TASK")]
    pub task: String,
    /// A sentence for the auditor: by what it can be seen
    #[arg(long, value_name = "TEXT")]
    pub evidence: String,
}

impl Run {
    pub fn kind(&self) -> &'static str {
        match self {
            Run::List(_) => "run-list",
            Run::Show(_) => "run-show",
            Run::Resume(_) => "resume",
            Run::Apply(_) => "run-apply",
            Run::Tick(_) => "run-tick",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Run::List(_) | Run::Show(_) => true,
            Run::Resume(_) | Run::Apply(_) | Run::Tick(_) => false,
        }
    }
}

pub async fn run(cx: &Context, run: Run) -> Result<Exit, CliError> {
    match run {
        Run::List(_) => flow::run_list(cx).await,
        Run::Show(a) => flow::run_show(cx, a).await,
        Run::Resume(a) => flow::run_resume(cx, a).await,
        Run::Apply(a) => flow::run_apply(cx, a).await,
        Run::Tick(a) => flow::run_tick(cx, a).await,
    }
}
