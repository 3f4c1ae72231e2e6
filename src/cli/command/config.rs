//! `jml config`: the one configuration file: written, checked, described.

use std::{
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueHint};
use url::Url;

use crate::{
    cli::{
        confirm,
        context::{Context, open::random},
        document::{self, Document, JML, Written},
        error::CliError,
        exit::Exit,
        text,
    },
    config::Config as Settings,
    http::{self, Client},
    model::system::OKTA,
    providers::registry,
};

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
    /// Reference to its private key: file:PATH or command:[...]; never the key itself
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
    cx.admit().await?;
    match config {
        Config::Init(a) => init(cx, a).await,
        Config::Check(a) => check(cx, &a),
        Config::Schema(a) => {
            let schema = if a.output_schemas {
                document::schemas()
            } else {
                registry::schema()
            };
            cx.out.data(&format!("{schema:#}\n"));
            Ok(Exit::Done)
        }
    }
}

fn written(kind: &str, tenant: Option<String>, sandbox: bool, body: Written) -> Document<Written> {
    Document {
        jml: JML,
        kind: kind.into(),
        tenant,
        sandbox,
        exit: Exit::Done.code(),
        body,
    }
}

fn check(cx: &Context, args: &CheckArgs) -> Result<Exit, CliError> {
    let (path, settings) = match &args.file {
        Some(file) => (file.clone(), cx.proposed(file)?),
        None => {
            let path = cx.locate()?.path;
            let settings = cx.configuration(&path)?;
            (path, settings)
        }
    };
    for section in settings.systems.values() {
        registry::row(section)?;
    }
    let shown = path.display().to_string();
    if cx.global.output.json() {
        let body = Written {
            path: shown,
            pins: None,
        };
        cx.out
            .document(&written("config-check", None, settings.sandbox.is_some(), body));
    } else {
        cx.out.data(&format!(
            "{} holds: {}.\nNo system was asked; that is for  jml doctor\n",
            cx.out.screen.safe(&shown),
            text::count(settings.systems.len(), "system")
        ));
    }
    Ok(Exit::Done)
}

/// What the five answers are.
struct Answers {
    url: String,
    client_id: String,
    key: String,
    roster: String,
    zone: String,
}

async fn answers(cx: &Context, a: InitArgs) -> Result<Answers, CliError> {
    let asked = [
        ("--okta-url", a.okta_url, "URL of the Okta organisation", None),
        ("--client-id", a.client_id, "Client id of the service app", None),
        ("--key", a.key, "Reference to its private key (file:PATH)", None),
        ("--roster", a.roster, "Where employment comes from", Some("okta")),
        ("--zone", a.zone, "Time zone in which a bare date ends", None),
    ];
    let missing: Vec<&str> = asked.iter().filter(|x| x.1.is_none()).map(|x| x.0).collect();
    if !missing.is_empty() && !cx.can_ask() {
        return Err(CliError::usage(format!(
            "nobody can be asked here, and this needs {}; nothing was written",
            text::list(&missing)
        ))
        .run("What each is", "jml config init --help"));
    }
    let mut given = vec![];
    for (_, value, prompt, default) in asked {
        given.push(match value {
            Some(v) => v,
            None => confirm::value(cx, prompt, default).await?,
        });
    }
    let mut given = given.into_iter();
    let mut next = || given.next().unwrap_or_default();
    Ok(Answers {
        url: next(),
        client_id: next(),
        key: next(),
        roster: next(),
        zone: next(),
    })
}

/// As TOML writes a string; JSON's escapes are among its own.
fn quoted(s: &str) -> String {
    serde_json::Value::from(s).to_string()
}

fn document(a: &Answers, org: &str) -> String {
    let mut out = format!(
        "# Written by jml config init. Every key: jml config schema\n\
         [systems.okta]\nurl = {}\norg = {}        # the pin: another organisation is refused\nclient_id = {}\nkey = {}\n",
        quoted(&a.url),
        quoted(org),
        quoted(&a.client_id),
        quoted(&a.key)
    );
    if a.roster != "okta" {
        out += &format!("\n[systems.{}]\n", a.roster);
        if a.roster == "csv" {
            out += "path = \"roster.csv\"\n";
        }
    }
    out += &format!("\n[roster]\nsource = {}\n", quoted(&a.roster));
    out += &format!("\n[policy]\nzone = {}\n", quoted(&a.zone));
    out
}

async fn init(cx: &Context, args: InitArgs) -> Result<Exit, CliError> {
    cx.not_for_visitors("jml config init")?;
    let path = match (&cx.global.config, &cx.env.config_home) {
        (Some(path), _) => path.clone(),
        (None, Some(home)) => home.join("jml/jml.toml"),
        (None, None) => return Err(CliError::usage("neither XDG_CONFIG_HOME nor HOME names a folder")),
    };
    if path.symlink_metadata().is_ok() {
        return Err(CliError::usage(format!(
            "{} exists, and is never written over",
            path.display()
        )));
    }
    let mut a = answers(cx, args).await?;
    a.url = a.url.trim_end_matches('/').to_owned();
    let bad = |why: String| CliError::usage(format!("--okta-url {}: {why}", a.url));
    let url = Url::parse(&a.url).map_err(|e| bad(e.to_string()))?;
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if a.roster.is_empty() || !a.roster.chars().all(name) {
        return Err(CliError::usage(format!(
            "--roster {}: the name of a system, as in okta or csv",
            a.roster
        )));
    }
    // Held against the rules before anything is asked: an http address that isn't loopback, a key that is no reference, a zone that is none.
    let shown = path.display().to_string();
    let parsed = Settings::parse(&shown, document(&a, "00o"))?;
    for section in parsed.systems.values() {
        registry::row(section)?;
    }
    cx.env.refuse_foreign_trust(parsed.loopback_only())?;
    let org = organisation(cx, &url).await?;
    write(&path, &document(&a, &org))
        .map_err(|e| CliError::usage(format!("{shown} could not be written")).why(e.to_string()))?;

    if cx.global.output.json() {
        let body = Written {
            path: shown,
            pins: Some([(OKTA.as_str().to_owned(), org.clone())].into()),
        };
        cx.out.document(&written("config-init", Some(org), false, body));
    } else {
        let screen = &cx.out.screen;
        cx.out.data(&format!(
            "{} {}\nPinned: another organisation than this one will be refused.\nWritten: {}\nNext:  {}\n",
            screen.safe(url.host_str().unwrap_or_default()),
            screen.safe(&org),
            screen.safe(&shown),
            cx.command("doctor")
        ));
    }
    Ok(Exit::Done)
}

/// Public, so no credential is needed for it.
async fn organisation(cx: &Context, url: &Url) -> Result<String, CliError> {
    #[derive(serde::Deserialize)]
    struct Org {
        id: String,
    }
    let client = Client::net(
        http::Trust::default(),
        cx.clock.reader(),
        std::sync::Arc::new(|_| {}),
        random(),
    );
    let reader = client.anonymous(&OKTA, url, http::plain);
    let ask = crate::path![".well-known/okta-organization"].what("read the organisation's id");
    let answer = reader.get(ask).await.map_err(|f| CliError::unread(&f))?;
    let org: Org = answer.json().map_err(|f| CliError::unread(&f))?;
    let id = |c: char| c.is_ascii_alphanumeric();
    if org.id.is_empty() || !org.id.chars().all(id) {
        return Err(CliError::config("the address answers, but not as an Okta organisation"));
    }
    Ok(org.id)
}

/// A new file for its owner alone, on disk when this returns.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_can_be_read() {
        let a = Answers {
            url: "https://acme.okta.com".into(),
            client_id: "0oa\"1".into(),
            key: "file:/etc/jml/okta.pem".into(),
            roster: "okta".into(),
            zone: "America/Chicago".into(),
        };
        let c = Settings::parse("jml.toml", document(&a, "00o1acme")).unwrap();
        for section in c.systems.values() {
            registry::row(section).unwrap();
        }
        assert_eq!(c.roster.source, OKTA);
    }

    #[test]
    fn a_file_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/jml.toml");
        write(&path, "a").unwrap();
        assert_eq!(write(&path, "b").unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    }
}
