//! From a command to its work: what each one reads, decides, asks and does, in order.

mod act;
mod by_hand;
pub mod errors;
mod people;
mod preview;
mod resume;
mod say;
mod stage;
mod sweep;

use super::{
    command::{audit, doctor, groups, joiner, leaver, link, mover, policy, run, show},
    context::Context,
    error::CliError,
    exit::Exit,
};

fn unbuilt(what: &str) -> CliError {
    CliError::internal(format!("{what} is not built yet"))
}

pub async fn joiner(cx: &Context, args: joiner::Args) -> Result<Exit, CliError> {
    by_hand::joiner(cx, args).await
}

pub async fn mover(cx: &Context, args: mover::Args) -> Result<Exit, CliError> {
    by_hand::mover(cx, args).await
}

pub async fn leaver(cx: &Context, args: leaver::Args) -> Result<Exit, CliError> {
    by_hand::leaver(cx, args).await
}

pub async fn sweep(cx: &Context, args: super::command::sweep::Args) -> Result<Exit, CliError> {
    sweep::sweep(cx, args).await
}

pub async fn groups_list(_cx: &Context) -> Result<Exit, CliError> {
    Err(unbuilt("groups list"))
}

pub async fn groups_plan(_cx: &Context, _args: groups::PlanArgs) -> Result<Exit, CliError> {
    Err(unbuilt("groups plan"))
}

pub async fn groups_apply(_cx: &Context, _args: groups::ApplyArgs) -> Result<Exit, CliError> {
    Err(unbuilt("groups apply"))
}

pub async fn groups_who(_cx: &Context, _args: groups::WhoArgs) -> Result<Exit, CliError> {
    Err(unbuilt("groups who"))
}

pub async fn groups_rules(_cx: &Context) -> Result<Exit, CliError> {
    Err(unbuilt("groups rules"))
}

pub async fn groups_export(_cx: &Context, _args: groups::ExportArgs) -> Result<Exit, CliError> {
    Err(unbuilt("groups export"))
}

pub async fn groups_diff(_cx: &Context, _args: groups::DiffArgs) -> Result<Exit, CliError> {
    Err(unbuilt("groups diff"))
}

pub async fn audit_log(_cx: &Context, _args: audit::LogArgs) -> Result<Exit, CliError> {
    Err(unbuilt("audit log"))
}

pub async fn audit_show(_cx: &Context, _args: audit::ShowArgs) -> Result<Exit, CliError> {
    Err(unbuilt("audit show"))
}

pub async fn audit_verify(_cx: &Context, _args: audit::VerifyArgs) -> Result<Exit, CliError> {
    Err(unbuilt("audit verify"))
}

pub async fn audit_sla(_cx: &Context, _args: audit::SlaArgs) -> Result<Exit, CliError> {
    Err(unbuilt("audit sla"))
}

pub async fn run_list(_cx: &Context) -> Result<Exit, CliError> {
    Err(unbuilt("run list"))
}

pub async fn run_show(_cx: &Context, _args: run::ShowArgs) -> Result<Exit, CliError> {
    Err(unbuilt("run show"))
}

pub async fn run_resume(cx: &Context, args: run::ResumeArgs) -> Result<Exit, CliError> {
    resume::resume(cx, args).await
}

pub async fn run_apply(_cx: &Context, _args: run::ApplyArgs) -> Result<Exit, CliError> {
    Err(unbuilt("run apply"))
}

pub async fn show(_cx: &Context, _args: show::Args) -> Result<Exit, CliError> {
    Err(unbuilt("show"))
}

pub async fn doctor(_cx: &Context, _args: doctor::Args) -> Result<Exit, CliError> {
    Err(unbuilt("doctor"))
}

pub async fn policy_diff(_cx: &Context, _args: policy::DiffArgs) -> Result<Exit, CliError> {
    Err(unbuilt("policy diff"))
}

pub async fn policy_explain(_cx: &Context, _args: policy::ExplainArgs) -> Result<Exit, CliError> {
    Err(unbuilt("policy explain"))
}

pub async fn link(_cx: &Context, _args: link::Args) -> Result<Exit, CliError> {
    Err(unbuilt("link"))
}
