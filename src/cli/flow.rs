//! From a command to its work: what each one reads, decides, asks and does, in order.

mod act;
mod approve;
mod audit;
mod by_hand;
mod doctor;
mod drift;
pub mod errors;
mod fresh;
mod grant;
mod groups;
mod hire;
mod lift;
mod link;
mod note;
mod orphans;
pub mod pause;
mod people;
mod policy;
mod posture;
mod preview;
mod read;
mod restore;
mod resume;
mod runs;
mod say;
mod show;
pub mod spooled;
mod stage;
mod sweep;
#[cfg(test)]
mod tests;
mod tick;
mod ticket;

use super::{
    command::{self, joiner, leaver, mover, run},
    context::Context,
    error::CliError,
    exit::Exit,
    firm::Firm,
};

pub async fn joiner(cx: &Context, args: joiner::Args) -> Result<Exit, CliError> {
    by_hand::joiner(cx, Firm::open(cx), args).await
}

pub async fn mover(cx: &Context, args: mover::Args) -> Result<Exit, CliError> {
    by_hand::mover(cx, Firm::open(cx), args).await
}

pub async fn leaver(cx: &Context, args: leaver::Args) -> Result<Exit, CliError> {
    let contains = !args.gate.dry_run;
    let open = async move {
        match contains {
            true => Firm::open_to_contain(cx).await,
            false => Firm::open(cx).await,
        }
    };
    by_hand::leaver(cx, open, args).await
}

pub async fn sweep(cx: &Context, args: super::command::sweep::Args) -> Result<Exit, CliError> {
    sweep::sweep(cx, args).await
}

pub async fn groups_list(cx: &Context) -> Result<Exit, CliError> {
    groups::list(cx).await
}

pub async fn groups_plan(cx: &Context, args: command::groups::PlanArgs) -> Result<Exit, CliError> {
    groups::apply::plan(cx, args).await
}

pub async fn groups_apply(cx: &Context, args: command::groups::ApplyArgs) -> Result<Exit, CliError> {
    groups::apply::apply(cx, Firm::open(cx), args).await
}

pub async fn groups_who(cx: &Context, args: command::groups::WhoArgs) -> Result<Exit, CliError> {
    groups::who(cx, args).await
}

pub async fn groups_rules(cx: &Context) -> Result<Exit, CliError> {
    groups::rules(cx).await
}

pub async fn groups_export(cx: &Context, args: command::groups::ExportArgs) -> Result<Exit, CliError> {
    groups::export::export(cx, args).await
}

pub async fn groups_diff(cx: &Context, args: command::groups::DiffArgs) -> Result<Exit, CliError> {
    groups::export::diff(cx, args).await
}

pub async fn audit_log(cx: &Context, args: command::audit::LogArgs) -> Result<Exit, CliError> {
    audit::log(cx, args).await
}

pub async fn audit_show(cx: &Context, args: command::audit::ShowArgs) -> Result<Exit, CliError> {
    audit::show(cx, args).await
}

pub async fn audit_verify(cx: &Context, args: command::audit::VerifyArgs) -> Result<Exit, CliError> {
    audit::verify(cx, args).await
}

pub async fn audit_sla(cx: &Context, args: command::audit::SlaArgs) -> Result<Exit, CliError> {
    audit::sla(cx, args).await
}

pub async fn audit_drift(cx: &Context) -> Result<Exit, CliError> {
    drift::drift(cx).await
}

pub async fn audit_orphans(cx: &Context, args: command::audit::OrphansArgs) -> Result<Exit, CliError> {
    orphans::orphans(cx, args.system).await
}

pub async fn audit_seats(cx: &Context) -> Result<Exit, CliError> {
    orphans::seats(cx).await
}

pub async fn audit_posture(cx: &Context, args: command::audit::PostureArgs) -> Result<Exit, CliError> {
    posture::posture(cx, args).await
}

pub async fn run_list(cx: &Context) -> Result<Exit, CliError> {
    runs::list(cx).await
}

pub async fn run_show(cx: &Context, args: run::ShowArgs) -> Result<Exit, CliError> {
    runs::show(cx, args).await
}

pub async fn run_resume(cx: &Context, args: run::ResumeArgs) -> Result<Exit, CliError> {
    resume::resume(cx, &Firm::open(cx).await?, args).await
}

pub async fn run_tick(cx: &Context, args: run::TickArgs) -> Result<Exit, CliError> {
    tick::tick(cx, args).await
}

pub async fn run_approve(cx: &Context, args: run::ApproveArgs) -> Result<Exit, CliError> {
    approve::approve(cx, args).await
}

pub async fn run_restore(cx: &Context, args: run::RestoreArgs) -> Result<Exit, CliError> {
    restore::restore(cx, args).await
}

pub async fn run_lift(cx: &Context, args: run::LiftArgs) -> Result<Exit, CliError> {
    lift::lift(cx, args).await
}

pub async fn run_apply(cx: &Context, args: run::ApplyArgs) -> Result<Exit, CliError> {
    runs::apply(cx, args).await
}

pub async fn show(cx: &Context, args: command::show::Args) -> Result<Exit, CliError> {
    show::show(cx, args).await
}

pub async fn doctor(cx: &Context, args: command::doctor::Args) -> Result<Exit, CliError> {
    doctor::doctor(cx, args).await
}

pub async fn policy_diff(cx: &Context, args: command::policy::DiffArgs) -> Result<Exit, CliError> {
    policy::diff(cx, args).await
}

pub async fn policy_explain(cx: &Context, args: command::policy::ExplainArgs) -> Result<Exit, CliError> {
    policy::explain(cx, args).await
}

pub async fn link(cx: &Context, args: command::link::Args) -> Result<Exit, CliError> {
    link::link(cx, args).await
}

pub async fn grant(cx: &Context, args: command::grant::Args) -> Result<Exit, CliError> {
    grant::grant(cx, args).await
}

pub async fn pause(cx: &Context, args: command::pause::Args) -> Result<Exit, CliError> {
    pause::pause(cx, args).await
}

pub async fn unpause(cx: &Context) -> Result<Exit, CliError> {
    pause::unpause(cx).await
}
