//! `jml groups`: the tenant's groups as policy wants them, as they are, and as they were.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum, ValueHint};

use crate::cli::{args::Gate, context::Context, error::CliError, exit::Exit, flow};

/// The groups that policy names: list, make, export, compare
#[derive(Subcommand, Debug)]
pub enum Groups {
    List(ListArgs),
    Plan(PlanArgs),
    Apply(ApplyArgs),
    Who(WhoArgs),
    Rules(RulesArgs),
    Export(ExportArgs),
    Diff(DiffArgs),
}

/// List every group: managed or not, members, rules that fill it, apps that hang on it
#[derive(clap::Args, Debug)]
pub struct ListArgs {}

/// Show which groups policy needs and the tenant lacks
#[derive(clap::Args, Debug)]
pub struct PlanArgs {
    /// Exit 3 where there is something to do
    #[arg(long)]
    pub exit_code: bool,
}

/// Make the groups that policy needs
///
/// Never deletes a managed group that holds people.
#[derive(clap::Args, Debug)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub gate: Gate,
}

/// List who is in a group, and what put them there
#[derive(clap::Args, Debug)]
pub struct WhoArgs {
    /// The group's exact name
    pub group: String,
}

/// List group rules, the groups they fill and the apps behind those
#[derive(clap::Args, Debug)]
pub struct RulesArgs {}

/// Write every group, its members, rules and apps: a snapshot, or Terraform
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  jml groups export --format json > groups.json
  jml groups export --format terraform > groups.tf")]
pub struct ExportArgs {
    /// Form of the export
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The snapshot that `groups diff` reads
    Json,
    /// Resources with import blocks
    Terraform,
}

/// Compare the groups with a snapshot; exit 3 where they differ
#[derive(clap::Args, Debug)]
pub struct DiffArgs {
    /// A file that `groups export --format json` wrote
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub snapshot: PathBuf,
}

impl Groups {
    pub fn kind(&self) -> &'static str {
        match self {
            Groups::List(_) => "groups-list",
            Groups::Plan(_) => "groups-plan",
            Groups::Apply(_) => "groups-apply",
            Groups::Who(_) => "groups-who",
            Groups::Rules(_) => "groups-rules",
            Groups::Export(_) => "groups-export",
            Groups::Diff(_) => "groups-diff",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Groups::Apply(a) => a.gate.dry_run,
            Groups::List(_)
            | Groups::Plan(_)
            | Groups::Who(_)
            | Groups::Rules(_)
            | Groups::Export(_)
            | Groups::Diff(_) => true,
        }
    }
}

pub async fn run(cx: &Context, groups: Groups) -> Result<Exit, CliError> {
    match groups {
        Groups::List(_) => flow::groups_list(cx).await,
        Groups::Plan(a) => flow::groups_plan(cx, a).await,
        Groups::Apply(a) => flow::groups_apply(cx, a).await,
        Groups::Who(a) => flow::groups_who(cx, a).await,
        Groups::Rules(_) => flow::groups_rules(cx).await,
        Groups::Export(a) => flow::groups_export(cx, a).await,
        Groups::Diff(a) => flow::groups_diff(cx, a).await,
    }
}
