//! `jml run`: runs of the past, the unfinished and the held.

use std::{path::PathBuf, time::Duration};

use clap::{Subcommand, ValueHint};

use crate::cli::{args::Gate, context::Context, error::CliError, exit::Exit, flow};

/// Runs: list, show, finish, restore, approve and apply what was held, lift an override, tick what a person did
#[derive(Subcommand, Debug)]
pub enum Run {
    List(ListArgs),
    Show(ShowArgs),
    Resume(ResumeArgs),
    Restore(RestoreArgs),
    Approve(ApproveArgs),
    Apply(ApplyArgs),
    Lift(LiftArgs),
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

/// Give back to a run's leavers what policy gives them today
///
/// A new plan, shown and agreed to, in a run of its own: nothing is rolled back. Refused while HR says that the person has left, and while an
/// override stands. What an app closed by itself comes back as Okta provisions it, or not at all.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml run restore r-5k2m9q --dry-run
  jml run restore r-5k2m9q")]
pub struct RestoreArgs {
    /// The run whose leavers are let in again, as in r-5k2m9q
    pub run: String,
    #[command(flatten)]
    pub gate: Gate,
}

/// Sign for a held plan, so that somebody else may apply it
///
/// The signature is an SSH key's, of somebody whom [approvals] signers lists and who did not run what is held. It covers each
/// person's plan as it is held now, for 24 hours at most, and is used once. A key in an agent, on a security key or behind a passphrase signs what
/// --print writes: the second example.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml run approve 9b2e-41d7-0c6a --key ~/.ssh/id_ed25519
  jml run approve r-5k2m9q --print > approve.txt
    ssh-keygen -Y sign -n jml-approve@v1 -f ~/.ssh/id_ed25519 approve.txt
    jml run approve r-5k2m9q --signature approve.txt.sig")]
pub struct ApproveArgs {
    /// The held plan's id, or the run that holds plans of many people
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// The private key to sign with, Ed25519 or ECDSA, without a passphrase; by default ~/.ssh/id_ed25519 or id_ecdsa
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "how")]
    pub key: Option<PathBuf>,
    /// A signature by ssh-keygen over what --print wrote; that text lies beside it, under the same name without .sig
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "how")]
    pub signature: Option<PathBuf>,
    /// Write what is to be signed, and do nothing
    #[arg(long, group = "how")]
    pub print: bool,
    /// How long it may be used; 24h at most
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "signature")]
    pub within: Option<Duration>,
}

/// Apply a held plan, as far as it is still true
///
/// Where the configuration has [approvals], somebody else must have signed for it: jml run approve.
#[derive(clap::Args, Debug)]
pub struct ApplyArgs {
    /// The held plan's id
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// End an override: HR's word on its people counts again
///
/// Nobody gets anything back by it. An override also ends by itself once HR says that the person has left.
#[derive(clap::Args, Debug)]
pub struct LiftArgs {
    /// The run that contained somebody against HR's word, as in r-5k2m9q
    pub run: String,
    /// A sentence for the auditor: why it ends
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
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
            Run::Restore(_) => "restore",
            Run::Approve(_) => "run-approve",
            Run::Apply(_) => "run-apply",
            Run::Lift(_) => "run-lift",
            Run::Tick(_) => "run-tick",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Run::List(_) | Run::Show(_) => true,
            Run::Restore(a) => a.gate.dry_run,
            Run::Approve(a) => a.print,
            Run::Resume(_) | Run::Apply(_) | Run::Lift(_) | Run::Tick(_) => false,
        }
    }
}

pub async fn run(cx: &Context, run: Run) -> Result<Exit, CliError> {
    match run {
        Run::List(_) => flow::run_list(cx).await,
        Run::Show(a) => flow::run_show(cx, a).await,
        Run::Resume(a) => flow::run_resume(cx, a).await,
        Run::Restore(a) => flow::run_restore(cx, a).await,
        Run::Approve(a) => flow::run_approve(cx, a).await,
        Run::Apply(a) => flow::run_apply(cx, a).await,
        Run::Lift(a) => flow::run_lift(cx, a).await,
        Run::Tick(a) => flow::run_tick(cx, a).await,
    }
}
