//! `jml policy`: what policy gives, and what another policy would.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::cli::{context::Context, error::CliError, exit::Exit, flow};

/// What policy gives to whom, and what a new one would change
#[derive(Subcommand, Debug)]
pub enum Policy {
    Diff(DiffArgs),
    Explain(ExplainArgs),
}

/// Show who would gain or lose what under another configuration's policy
#[derive(clap::Args, Debug)]
pub struct DiffArgs {
    /// The configuration that may come
    #[arg(value_name = "NEW.toml", value_hint = ValueHint::FilePath)]
    pub new: PathBuf,
}

/// Show which rule gives a person which group
#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// Login, email, Okta id or name
    #[arg(value_name = "USER")]
    pub user: String,
}

impl Policy {
    pub fn kind(&self) -> &'static str {
        match self {
            Policy::Diff(_) => "policy-diff",
            Policy::Explain(_) => "policy-explain",
        }
    }
}

pub async fn run(cx: &Context, policy: Policy) -> Result<Exit, CliError> {
    match policy {
        Policy::Diff(a) => flow::policy_diff(cx, a).await,
        Policy::Explain(a) => flow::policy_explain(cx, a).await,
    }
}
