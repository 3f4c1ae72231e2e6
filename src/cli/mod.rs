//! What the operator types and sees: parse, run, exit.
//!
//! `command/` is one file a command, `view/` is every screen, `document` every JSON document, `exit` every code. Only here are the
//! clock, the environment and the terminal read (`context`).

pub mod args;
pub mod command;
pub mod confirm;
pub mod context;
pub mod document;
pub mod error;
pub mod exit;
pub mod firm;
pub mod flow;
pub mod generate;
pub mod memory;
mod operator;
mod role;
mod roll;
pub mod signal;
pub mod text;
pub mod view;

use std::{
    ffi::OsString,
    io::Write,
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use clap::Parser;

use self::{args::Cli, command::Command, context::Context, error::CliError, exit::Exit};

pub fn main() -> ExitCode {
    harden();
    quiet_panics();
    let argv: Vec<OsString> = std::env::args_os().collect();
    match Cli::try_parse_from(&argv) {
        Ok(cli) => run(cli).into(),
        Err(e) => usage(&e, &argv).into(),
    }
}

fn run(cli: Cli) -> Exit {
    let reads = cli.command.reads();
    let mut cx = Context::new(cli.global, cli.command.need());
    cx.reads = reads;
    let ended = match cli.command {
        // Help needs no threads.
        Command::Help(a) => command::help::run(&cx, &a),
        command => work(&cx, command),
    };
    match ended {
        // Nobody reads what a reading command writes: that is no failure.
        Ok(_) if reads && cx.out.data_closed() => Exit::Done,
        Ok(exit) => exit,
        Err(e) => {
            fail(&cx, &e);
            e.exit
        }
    }
}

fn work(cx: &Context, command: Command) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| CliError::internal("the runtime could not be started").why(e.to_string()))?;
    let ended = runtime.block_on(async {
        cx.signals
            .watch(cx.out.clone())
            .map_err(|e| CliError::internal("signals can't be watched").why(e.to_string()))?;
        let work = std::panic::AssertUnwindSafe(command::run(cx, command));
        let ended = tokio::select! {
            biased;
            // At a question a signal is "no": the line that it stands on is ended, and the answer said.
            Exit::Declined = cx.signals.leave() => {
                cx.out.say("");
                Err(CliError::declined())
            }
            exit = cx.signals.leave() => {
                if let Some(run) = cx.run.get() {
                    cx.out.say(&cx.command(&format!("run resume {run}")));
                }
                Ok(exit)
            }
            ended = futures::FutureExt::catch_unwind(work) => {
                ended.unwrap_or_else(|_| Err(CliError::internal("a part of jml panicked").hint(
                    "What was done is in the ledger; jml run resume looks at it again.",
                )))
            }
        };
        cx.close().await;
        ended
    });
    // A prompt may still hold a thread that reads the terminal: nobody waits for it.
    runtime.shutdown_timeout(Duration::from_millis(50));
    ended
}

fn fail(cx: &Context, e: &CliError) {
    if cx.global.output.json() {
        let known = cx.tenant.get();
        let sandbox = known.map_or(cx.global.sandbox, |(_, s)| *s);
        cx.out
            .document(&document::error(e, known.map(|(org, _)| org.clone()), sandbox));
    } else {
        cx.out.warn(&e.human(cx.env.utf8));
    }
}

/// Help and version come back from the parser as errors with code 0.
fn usage(e: &clap::Error, argv: &[OsString]) -> Exit {
    if e.exit_code() == 0 {
        // Nobody reads it: then nobody misses it.
        let _ = write!(std::io::stdout(), "{}", e.render());
        return Exit::Done;
    }
    if wants_json(argv) {
        let text = e.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let e = CliError::usage(first.trim_start_matches("error: ")).hint("jml --help");
        let doc = document::error(&e, None, argv.iter().any(|a| a == "--sandbox"));
        if let Ok(doc) = serde_json::to_string(&doc) {
            let _ = writeln!(std::io::stdout(), "{doc}");
        }
    } else {
        let _ = write!(anstream::stderr(), "{}", e.render().ansi());
    }
    Exit::Usage
}

/// What could not be parsed may still say how the answer is to be written.
fn wants_json(argv: &[OsString]) -> bool {
    let argv: Vec<_> = argv.iter().map(|a| a.to_string_lossy()).collect();
    let is = |s: &str| matches!(s, "json" | "ndjson");
    argv.windows(2)
        .any(|w| matches!(&*w[0], "-o" | "--output") && is(&w[1]))
        || argv.iter().any(|a| {
            a.strip_prefix("--output=")
                .or_else(|| a.strip_prefix("-o"))
                .is_some_and(|v| is(v.trim_start_matches('=')))
        })
}

/// Secrets pass through this process: no core file, no debugger of another process of the account, and files for nobody else.
fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit, umask};
    // Each is a second wall: where the system refuses one, the others still stand.
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// A payload may hold what a person's record holds: the place alone is printed, once.
fn quiet_panics() {
    static SAID: AtomicBool = AtomicBool::new(false);
    std::panic::set_hook(Box::new(|p| {
        if SAID.swap(true, Ordering::SeqCst) {
            return;
        }
        let place = p
            .location()
            .map(|l| {
                let file = Path::new(l.file()).file_name().unwrap_or_default();
                format!(" at {}:{}", file.to_string_lossy(), l.line())
            })
            .unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "jml {} stopped on a defect of its own{place}. Please report it.",
            env!("CARGO_PKG_VERSION")
        );
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_is_a_document_where_json_was_asked_for() {
        let argv = |s: &str| s.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(wants_json(&argv("jml leavr -o json")));
        assert!(wants_json(&argv("jml --output=ndjson leavr")));
        assert!(wants_json(&argv("jml -ojson leavr")));
        assert!(!wants_json(&argv("jml leavr -o csv")));
    }
}
