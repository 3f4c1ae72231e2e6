//! The commands, one a file; `ls` of this folder is `jml help`. A command reads its arguments, calls what it needs and says how it ended.

pub mod audit;
pub mod config;
pub mod doctor;
pub mod grant;
pub mod groups;
pub mod help;
pub mod joiner;
pub mod leaver;
pub mod link;
pub mod mover;
pub mod pause;
pub mod policy;
pub mod run;
pub mod sandbox;
pub mod show;
pub mod sweep;
pub mod unpause;

use super::{context::Context, error::CliError, exit::Exit};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    Joiner(joiner::Args),
    Mover(mover::Args),
    Leaver(leaver::Args),
    Sweep(sweep::Args),
    #[command(subcommand)]
    Groups(groups::Groups),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Run(run::Run),
    Show(show::Args),
    Doctor(doctor::Args),
    #[command(subcommand)]
    Policy(policy::Policy),
    Link(link::Args),
    Grant(grant::Args),
    Pause(pause::Args),
    Unpause(unpause::Args),
    #[command(subcommand)]
    Config(config::Config),
    #[command(subcommand)]
    Sandbox(sandbox::Sandbox),
    Help(help::Args),
}

impl Command {
    /// The command's words joined by `-`: the `kind` of its document.
    pub fn kind(&self) -> &'static str {
        match self {
            Command::Joiner(_) => "joiner",
            Command::Mover(_) => "mover",
            Command::Leaver(_) => "leaver",
            Command::Sweep(_) => "sweep",
            Command::Groups(g) => g.kind(),
            Command::Audit(a) => a.kind(),
            Command::Run(r) => r.kind(),
            Command::Show(_) => "show",
            Command::Doctor(a) if a.write_monitor => "doctor-monitor",
            Command::Doctor(_) => "doctor",
            Command::Policy(p) => p.kind(),
            Command::Link(_) => "link",
            Command::Grant(_) => "grant",
            Command::Pause(_) => "pause",
            Command::Unpause(_) => "unpause",
            Command::Config(c) => c.kind(),
            Command::Sandbox(s) => s.kind(),
            Command::Help(_) => "help",
        }
    }
    /// Changes nothing: where nobody reads what it writes, it ends without a word.
    pub fn reads(&self) -> bool {
        match self {
            Command::Joiner(a) => a.gate.dry_run,
            Command::Mover(a) => a.gate.dry_run,
            Command::Leaver(a) => a.gate.dry_run,
            Command::Sweep(a) => a.gate.dry_run || a.forecast.is_some(),
            Command::Groups(g) => g.reads(),
            Command::Run(r) => r.reads(),
            Command::Doctor(a) => !a.write_monitor || a.dry_run,
            Command::Audit(_) | Command::Show(_) | Command::Policy(_) | Command::Help(_) => true,
            Command::Link(_) | Command::Grant(_) | Command::Pause(_) | Command::Unpause(_) => false,
            Command::Config(c) => c.reads(),
            Command::Sandbox(s) => s.reads(),
        }
    }
}

pub async fn run(cx: &Context, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Joiner(a) => joiner::run(cx, a).await,
        Command::Mover(a) => mover::run(cx, a).await,
        Command::Leaver(a) => leaver::run(cx, a).await,
        Command::Sweep(a) => sweep::run(cx, a).await,
        Command::Groups(a) => groups::run(cx, a).await,
        Command::Audit(a) => audit::run(cx, a).await,
        Command::Run(a) => run::run(cx, a).await,
        Command::Show(a) => show::run(cx, a).await,
        Command::Doctor(a) => doctor::run(cx, a).await,
        Command::Policy(a) => policy::run(cx, a).await,
        Command::Link(a) => link::run(cx, a).await,
        Command::Grant(a) => grant::run(cx, a).await,
        Command::Pause(a) => pause::run(cx, a).await,
        Command::Unpause(a) => unpause::run(cx, a).await,
        Command::Config(a) => config::run(cx, a).await,
        Command::Sandbox(a) => sandbox::run(cx, a).await,
        Command::Help(a) => help::run(cx, &a),
    }
}
