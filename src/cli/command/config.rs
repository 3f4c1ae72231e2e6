//! `jml config`: the one configuration file: written, checked, described.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::cli::{context::Context, document, error::CliError, exit::Exit, flow};

/// The configuration file: write one, check it, print its schema
#[derive(Subcommand, Debug)]
pub enum Config {
    Init(InitArgs),
    Check(CheckArgs),
    Schema(SchemaArgs),
}

/// Write a new configuration, pinned to one Okta organisation
///
/// Asks for what isn't given; off a terminal all five are needed. Reads the organisation's id without a credential and writes it
/// down as the pin. Never writes over a file.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  jml config init --okta-url https://acme.okta.com --client-id 0oa1 --key file:/etc/jml/okta.pem --roster okta --zone America/Chicago")]
pub struct InitArgs {
    /// The organisation's URL
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub okta_url: Option<String>,
    /// Client id of the service app that jml is in Okta
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Reference to its private key: file:PATH, vault:PATH#FIELD or command:[...]; never the key itself
    #[arg(long, value_name = "REFERENCE")]
    pub key: Option<String>,
    /// Where employment comes from: okta, csv, or another configured system
    #[arg(long, value_name = "SOURCE")]
    pub roster: Option<String>,
    /// Time zone in which a bare date ends, as in Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
}

/// Check the configuration; the first fault is shown at its line
///
/// Reads the file alone: no system is asked, no secret fetched. `jml doctor` does that.
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// Check this file instead of the one in effect
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// Print the JSON Schema of the configuration
#[derive(clap::Args, Debug)]
pub struct SchemaArgs {
    /// Of the documents that -o json writes instead
    #[arg(long)]
    pub output_schemas: bool,
}

impl Config {
    pub fn kind(&self) -> &'static str {
        match self {
            Config::Init(_) => "config-init",
            Config::Check(_) => "config-check",
            Config::Schema(_) => "config-schema",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Config::Init(_) => false,
            Config::Check(_) | Config::Schema(_) => true,
        }
    }
}

pub async fn run(cx: &Context, config: Config) -> Result<Exit, CliError> {
    match config {
        Config::Init(a) => flow::config_init(cx, a).await,
        Config::Check(a) => flow::config_check(cx, a).await,
        Config::Schema(a) if a.output_schemas => {
            cx.out.data(&format!("{:#}\n", document::schemas()));
            Ok(Exit::Done)
        }
        Config::Schema(_) => flow::config_schema(cx).await,
    }
}
