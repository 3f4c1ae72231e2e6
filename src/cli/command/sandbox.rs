//! `jml sandbox`: the pretend firm: played, served, made anew, looked into.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Parser, Subcommand, ValueHint};
use serde_json::Value;

use crate::{
    cli::{
        args::{Cli, Output},
        context::{Context, open::refused},
        document::{Rows, Written},
        error::CliError,
        exit::Exit,
        signal::Stage,
        view::{Tenant, list::List},
    },
    sandbox::{TWINS, cast, engine::Host, serve, start},
};

/// A pretend firm of 2,200 people on this machine, with a twin of every system
#[derive(Subcommand, Debug)]
pub enum Sandbox {
    Tour(TourArgs),
    Serve(ServeArgs),
    Reset(ResetArgs),
    People(PeopleArgs),
    Journal(JournalArgs),
}

/// Play joiner, mover, leaver, a missed leaver and the audit, narrated, in under a minute
#[derive(clap::Args, Debug)]
pub struct TourArgs {}

/// Serve the firm in the foreground, for another jml or another program
///
/// Prints one line, `ready`, when it serves. Ends at a signal, or when its standard input closes, where that is a pipe.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  jml sandbox serve --config c.toml --endpoints e.json --journal j.ndjson
  jml --config c.toml sweep --yes                                            in another terminal")]
pub struct ServeArgs {
    /// How many people the firm has
    #[arg(long, value_name = "N", conflicts_with = "world")]
    pub people: Option<usize>,
    /// What the pretend people are made from
    #[arg(long, value_name = "N", conflicts_with = "world")]
    pub seed: Option<u64>,
    /// Load a firm from a file; it lives in memory alone
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub world: Option<PathBuf>,
    /// Write a configuration that points at what is served
    #[arg(id = "config", long = "config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Write each system's address and token, for other clients
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub endpoints: Option<PathBuf>,
    /// Append one line of JSON a request
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub journal: Option<PathBuf>,
    /// Break something by name, as in okta:remove-member:ROLE-ENG@1:after=503 (repeat for more)
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// Answer so much later
    #[arg(long, value_name = "DURATION")]
    pub latency: Option<String>,
    /// Grant so many requests, as in okta:600/min (repeat for more)
    #[arg(long, value_name = "SYSTEM:N/min")]
    pub rate: Vec<String>,
}

/// Make the firm anew; what was done to it is forgotten, its ledger too
#[derive(clap::Args, Debug)]
pub struct ResetArgs {}

/// List the cast: people made for a story
#[derive(clap::Args, Debug)]
pub struct PeopleArgs {}

/// Print what the systems were asked, one request a line
#[derive(clap::Args, Debug)]
pub struct JournalArgs {}

impl Sandbox {
    pub fn kind(&self) -> &'static str {
        match self {
            Sandbox::Tour(_) => "sandbox-tour",
            Sandbox::Serve(_) => "sandbox-serve",
            Sandbox::Reset(_) => "sandbox-reset",
            Sandbox::People(_) => "sandbox-people",
            Sandbox::Journal(_) => "sandbox-journal",
        }
    }
    pub fn reads(&self) -> bool {
        match self {
            Sandbox::People(_) | Sandbox::Journal(_) | Sandbox::Tour(_) => true,
            Sandbox::Serve(_) | Sandbox::Reset(_) => false,
        }
    }
}

pub async fn run(cx: &Context, sandbox: Sandbox) -> Result<Exit, CliError> {
    cx.admit().await?;
    match sandbox {
        Sandbox::Tour(_) => tour(cx).await,
        Sandbox::Serve(a) => served(cx, a).await,
        Sandbox::Reset(_) => reset(cx),
        Sandbox::People(_) => people(cx),
        Sandbox::Journal(_) => journal(cx),
    }
}

/// The organisation of the firm in the folder.
fn firm() -> Tenant {
    Tenant {
        host: "sandbox".into(),
        org: "00o0000000000000ACME".into(),
        sandbox: true,
    }
}

fn list<'a>(kind: &'a str, tenant: &'a Tenant, columns: &'a [&'a str]) -> List<'a> {
    List {
        kind,
        tenant,
        exit: Exit::Done,
        columns,
        own_kind: false,
    }
}

async fn served(cx: &Context, a: ServeArgs) -> Result<Exit, CliError> {
    cx.not_for_visitors("jml sandbox serve")?;
    let options = serve::Options {
        folder: cx.sandbox_folder()?,
        people: a.people,
        seed: a.seed,
        world: a.world,
        config: a.config,
        endpoints: a.endpoints,
        journal: a.journal,
        faults: a.fault,
        latency: a.latency,
        rates: a.rate,
    };
    let clock = cx.clock;
    let host: Host = Arc::new(move || clock.now());
    let out = cx.out.clone();
    // Its own signals end it, in order; ours would leave in the middle of an answer.
    cx.signals.enter(Stage::Applying);
    serve::serve(options, host, Arc::new(move |line| out.data(&format!("{line}\n"))))
        .await
        .map_err(refused)?;
    Ok(Exit::Done)
}

fn reset(cx: &Context) -> Result<Exit, CliError> {
    let folder = cx.sandbox_folder()?;
    start::reset(&folder).map_err(refused)?;
    let path = folder.display().to_string();
    if cx.global.output.json() {
        let tenant = firm();
        cx.out
            .document(&list("sandbox-reset", &tenant, &[]).document(Written { path, pins: None }));
    } else {
        cx.out
            .data(&format!("The next command makes the firm anew, in {path}\n"));
    }
    Ok(Exit::Done)
}

fn people(cx: &Context) -> Result<Exit, CliError> {
    let rows = cast::cast();
    list("sandbox-people", &firm(), &["login", "name", "stories"])
        .show(&cx.out, &rows, "", || Rows { rows: rows.clone() })?;
    Ok(Exit::Done)
}

fn journal(cx: &Context) -> Result<Exit, CliError> {
    let path = cx.sandbox_folder()?.join("journal.ndjson");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(CliError::usage(format!("{} can't be read", path.display())).why(e.to_string())),
    };
    // A line that is still being written is none yet.
    let rows: Vec<Value> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    let columns = ["system", "method", "path", "status", "query"];
    list("sandbox-journal", &firm(), &columns).show(&cx.out, &rows, "", || Rows { rows: rows.clone() })?;
    Ok(Exit::Done)
}

/// One command after the other.
struct Scene {
    told: String,
    commands: Vec<Vec<String>>,
}

fn scenes() -> Vec<Scene> {
    let cast = cast::cast();
    let with = |story: &str| {
        cast.iter()
            .find(|c| c.stories.contains(&story))
            .map(|c| (c.name.clone(), c.login.clone()))
            .unwrap_or_default()
    };
    let scene = |told: String, commands: &[&[&str]]| Scene {
        told,
        commands: commands
            .iter()
            .map(|argv| argv.iter().map(|a| (*a).to_owned()).collect())
            .collect(),
    };
    let (joiner, joins) = with("joiner-due");
    let (mover, moves) = with("mover-due");
    let (leaver, leaves) = with("leaver-due");
    let (missed, _) = with("leaver-missed");
    vec![
        scene(
            format!("{joiner} starts: the groups of the job, and the channels."),
            &[&["joiner", &joins, "-y"]],
        ),
        scene(
            format!("{mover} changes jobs: what the old one gave goes first."),
            &[&["mover", &moves, "-y"]],
        ),
        scene(
            format!("{leaver} has left: contained first, then the rest, then read again."),
            &[&["leaver", &leaves, "--confirm", &leaves]],
        ),
        scene(
            format!("{missed} left a while ago, and nobody acted. Whose accounts are left over? Then the sweep."),
            &[&["audit", "orphans"], &["sweep", "--lane", "leavers", "-y"]],
        ),
        scene(
            "The auditor asks how long it took, and whether anybody touched the record.".into(),
            &[&["audit", "sla"], &["audit", "verify"]],
        ),
    ]
}

/// Each scene is the command itself, on a firm that is made for the tour and thrown away.
async fn tour(cx: &Context) -> Result<Exit, CliError> {
    if cx.global.output != Output::Human {
        return Err(CliError::usage(
            "the tour is for people: it has no other form than text",
        ));
    }
    let folder = tempfile::tempdir()
        .map_err(|e| CliError::internal("a folder for the tour could not be made").why(e.to_string()))?;
    let scenes = scenes();
    cx.out.data(&format!(
        "A pretend firm for this tour: acme.example, 2200 people, {} systems, all on this machine.\n\
         Five scenes. Any key goes on, q ends; off a terminal it runs through.\n",
        TWINS.len()
    ));
    let mut exit = Exit::Done;
    'tour: for (n, scene) in scenes.iter().enumerate() {
        cx.out
            .data(&format!("\n{} of {}  {}\n", n + 1, scenes.len(), scene.told));
        for argv in &scene.commands {
            cx.out.data(&format!("$ jml {}\n", argv.join(" ")));
            if cx.can_ask() && !go_on().await {
                break 'tour;
            }
            // What a scene is about may well be an exit of its own: a sweep that found somebody to hold.
            if let Err(e) = play(cx, folder.path(), argv).await {
                exit = e.exit;
                cx.out.warn(&e.human(cx.env.utf8));
                break 'tour;
            }
        }
    }
    cx.out
        .data("\nThat firm is gone again. A lasting one, who is in it:  jml sandbox people\nTry it yourself:  jml leaver --help\n");
    Ok(exit)
}

/// The command itself, on the tour's own firm.
async fn play(cx: &Context, folder: &Path, argv: &[String]) -> Result<Exit, CliError> {
    let argv = ["jml", "--sandbox"].into_iter().chain(argv.iter().map(String::as_str));
    let cli = Cli::try_parse_from(argv)
        .map_err(|e| CliError::internal("a scene of the tour is no command").why(e.to_string()))?;
    let global = crate::cli::args::Global {
        color: cx.global.color,
        no_color: cx.global.no_color,
        ..cli.global
    };
    let mut inner = Context::new(global, cli.command.need());
    inner.env.state_home = Some(folder.to_owned());
    Box::pin(super::run(&inner, cli.command)).await
}

/// Waits for a key; q is no.
async fn go_on() -> bool {
    let key = tokio::task::spawn_blocking(|| dialoguer::console::Term::stderr().read_key()).await;
    !matches!(
        key,
        Ok(Ok(
            dialoguer::console::Key::Char('q' | 'Q') | dialoguer::console::Key::Escape
        ))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_is_a_command_about_somebody() {
        for argv in scenes().iter().flat_map(|s| &s.commands) {
            let typed = std::iter::once("jml").chain(argv.iter().map(String::as_str));
            assert!(Cli::try_parse_from(typed).is_ok(), "{argv:?}");
            assert!(argv.iter().all(|a| !a.is_empty()), "{argv:?}");
        }
    }
}
