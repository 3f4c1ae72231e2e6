//! The one reader of environment, clock, terminal and host. Everything below is handed what it needs as a value.
//!
//! Opens no configuration and no connection by itself.

mod beside;
pub mod door;
pub mod open;

use std::{
    ffi::OsString,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use self::door::Said;
use super::{
    args::{Color, Global, Output},
    error::CliError,
    role::Need,
    signal::Signals,
    view::Out,
};
use crate::{ledger::Pause, providers::secrets::Secrets};

/// What is read from the environment, for `jml help environment`; nothing else is.
pub const VARIABLES: &[(&str, &str)] = &[
    (
        "XDG_CONFIG_HOME",
        "where jml/jml.toml is looked for; else $HOME/.config",
    ),
    (
        "XDG_STATE_HOME",
        "where jml/ keeps ledger and sandbox; else $HOME/.local/state",
    ),
    ("NO_COLOR", "not empty: no colour"),
    ("FORCE_COLOR", "not empty and not 0: colour even off a terminal"),
    ("CLICOLOR_FORCE", "the same"),
    ("TERM", "dumb or unset: one line a step, no bars"),
    ("COLUMNS", "width of the terminal, where it can't be asked"),
    ("CI", "set: never asks, no bars"),
    ("ACCESSIBLE", "1: static lines and numbered choices, for screen readers"),
    ("LC_ALL, LC_CTYPE, LANG", "not UTF-8: letters beyond ASCII as \\u{e5}"),
    (
        "SUDO_USER, SUDO_UID",
        "the operator in the record, where sudo set them and nothing contradicts it",
    ),
    (
        "HTTPS_PROXY, SSL_CERT_FILE",
        "refused: proxies and trust come from the configuration",
    ),
];

#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub home: Option<PathBuf>,
    pub config_home: Option<PathBuf>,
    pub state_home: Option<PathBuf>,
    pub no_color: bool,
    pub force_color: bool,
    pub ci: bool,
    pub dumb: bool,
    pub accessible: bool,
    pub utf8: bool,
    pub columns: Option<usize>,
    /// What sudo says of whom it let in; what that is worth, `door` finds out.
    pub sudo: Option<Said>,
    /// Set, and refused beside any address that isn't loopback.
    pub foreign: Vec<&'static str>,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    fn here() -> Self {
        Self::of(|name| std::env::var_os(name).filter(|v| !v.is_empty()))
    }
    /// `get` gives a variable that is set and not empty.
    fn of(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| get(name).and_then(|v| v.into_string().ok());
        let on = |name: &str| text(name).is_some_and(|v| v != "0" && v != "false");
        // The specification: a relative path is to be ignored.
        let folder = |name: &str| get(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let home = folder("HOME");
        let below = |name: &str, else_: &str| folder(name).or_else(|| home.as_ref().map(|h| h.join(else_)));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| text(n));
        Environment {
            config_home: below("XDG_CONFIG_HOME", ".config"),
            state_home: below("XDG_STATE_HOME", ".local/state"),
            no_color: get("NO_COLOR").is_some(),
            force_color: on("FORCE_COLOR") || on("CLICOLOR_FORCE"),
            ci: on("CI"),
            dumb: text("TERM").is_none_or(|t| t == "dumb"),
            accessible: on("ACCESSIBLE"),
            utf8: locale.is_some_and(|l| {
                let l = l.to_lowercase();
                l.contains("utf-8") || l.contains("utf8")
            }),
            columns: text("COLUMNS").and_then(|c| c.parse().ok()).filter(|c| *c > 0),
            sudo: text("SUDO_USER").map(|login| Said {
                login,
                uid: text("SUDO_UID").and_then(|n| n.parse().ok()),
            }),
            foreign: [
                "HTTPS_PROXY",
                "https_proxy",
                "ALL_PROXY",
                "all_proxy",
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
            ]
            .into_iter()
            .filter(|n| get(n).is_some())
            .collect(),
            home,
        }
    }

    /// Proxies and trust are the configuration's: a variable must not lead a credential elsewhere.
    pub fn refuse_foreign_trust(&self, all_loopback: bool) -> Result<(), CliError> {
        if all_loopback || self.foreign.is_empty() {
            return Ok(());
        }
        Err(
            CliError::config(format!("{} would decide whom jml trusts", self.foreign.join(" and ")))
                .hint("Unset it, and set [http] proxy or ca in the configuration."),
        )
    }

    /// `$XDG_STATE_HOME/jml`
    pub fn state(&self) -> Result<PathBuf, CliError> {
        self.state_home
            .as_ref()
            .map(|s| s.join("jml"))
            .ok_or_else(|| CliError::usage("neither XDG_STATE_HOME nor HOME names a folder"))
    }
}

/// Where the system-wide file lies. It outranks a person's own.
pub const SYSTEM_WIDE: &str = "/etc/jml/jml.toml";

/// The one file in effect, before it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub path: PathBuf,
    /// Another file than the system-wide one, which exists: allowed only if every base URL in it is loopback.
    pub loopback_only: bool,
}

/// `--config`, else the system-wide file, else the person's own. Nothing is read from the working directory.
pub fn locate(named: Option<&Path>, env: &Environment, exists: impl Fn(&Path) -> bool) -> Result<Located, CliError> {
    let system = Path::new(SYSTEM_WIDE);
    if let Some(path) = named {
        return Ok(Located {
            path: path.to_owned(),
            loopback_only: path != system && exists(system),
        });
    }
    let own = env.config_home.as_ref().map(|c| c.join("jml/jml.toml"));
    std::iter::once(system.to_owned())
        .chain(own)
        .find(|p| exists(p))
        .map(|path| Located {
            path,
            loopback_only: false,
        })
        .ok_or_else(|| {
            CliError::config("there is no configuration")
                .why(format!("looked for {SYSTEM_WIDE} and $XDG_CONFIG_HOME/jml/jml.toml"))
                .run("Write one", "jml config init")
                .run("Or look around in a pretend firm", "jml sandbox tour")
                .hint("Any command takes --sandbox.")
        })
}

/// Wall clock of a run. Only a sandbox that answers on loopback may shift it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    /// A clock that shows `now` at this moment and runs on.
    pub fn showing(now: DateTime<Utc>) -> Self {
        Clock {
            ahead: now - Clock::default().now(),
        }
    }
    #[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
    pub fn now(self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }
    /// As the layers below take it.
    pub fn reader(self) -> Arc<dyn Fn() -> DateTime<Utc> + Send + Sync> {
        Arc::new(move || self.now())
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub columns: usize,
}

impl Terminal {
    fn here(env: &Environment) -> Self {
        let columns = dialoguer::console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| usize::from(columns))
            .filter(|c| *c > 0);
        Terminal {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            columns: columns.or(env.columns).unwrap_or(80),
        }
    }
}

/// Flag, then NO_COLOR, then FORCE_COLOR, then the terminal.
fn color(global: &Global, env: &Environment, terminal: bool) -> bool {
    match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !global.no_color && !env.no_color && (env.force_color || (terminal && !env.dumb)),
    }
}

/// What every command is given.
pub struct Context {
    pub global: Global,
    /// What the command asks of whoever runs it.
    pub need: Need,
    pub env: Environment,
    pub terminal: Terminal,
    pub out: Arc<Out>,
    pub clock: Clock,
    pub signals: Signals,
    /// The command changes nothing.
    pub reads: bool,
    /// Organisation id and whether it is a sandbox, once it has said so: for what is told when the rest fails.
    pub tenant: std::sync::OnceLock<(String, bool)>,
    /// The run whose effects are under way: for who leaves at once.
    pub run: std::sync::OnceLock<String>,
    /// The kill switch, where somebody has pulled it.
    pub pause: Met,
    /// What has to be closed at the end, however it comes.
    pub closing: Closing,
}

/// The pause that a command met on its way, and whether it kept the command from anything.
#[derive(Default)]
pub struct Met(Mutex<Option<(Pause, bool)>>);

impl Met {
    fn inner(&self) -> MutexGuard<'_, Option<(Pause, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn saw(&self, pause: Pause) {
        self.inner().get_or_insert((pause, false));
    }
    pub fn stopped(&self, pause: Pause) {
        *self.inner() = Some((pause, true));
    }
    pub fn known(&self) -> Option<(Pause, bool)> {
        self.inner().clone()
    }
    pub fn stop(&self) -> Option<Pause> {
        self.known().filter(|(_, stopped)| *stopped).map(|(pause, _)| pause)
    }
    /// Before another sweep of the same process.
    pub fn forget(&self) {
        *self.inner() = None;
    }
}

#[derive(Default)]
pub struct Closing(Mutex<Vec<Opened>>);

/// Secrets that may hold a token of Vault's, and what must live until it is revoked: an in-process sandbox.
struct Opened {
    secrets: Secrets,
    _keep: Option<Arc<dyn std::any::Any + Send + Sync>>,
}

/// Nobody waits longer for the end.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(2);

impl Context {
    pub fn new(global: Global, need: Need) -> Self {
        let env = Environment::here();
        let terminal = Terminal::here(&env);
        let out = Out::new(super::view::Screen {
            format: global.output,
            quiet: global.quiet,
            verbose: global.verbose,
            utf8: env.utf8,
            width: terminal.stdout.then_some(terminal.columns),
            paint_out: global.output == Output::Human && color(&global, &env, terminal.stdout),
            paint_err: color(&global, &env, terminal.stderr),
            // Lines of -v would tear bars; a screen reader and a log want static lines.
            live: terminal.stderr
                && !env.dumb
                && !env.ci
                && !env.accessible
                && global.verbose == 0
                && global.quiet == 0,
        });
        Context {
            global,
            need,
            terminal,
            out: Arc::new(out),
            clock: Clock::default(),
            signals: Signals::default(),
            reads: false,
            tenant: std::sync::OnceLock::new(),
            run: std::sync::OnceLock::new(),
            pause: Met::default(),
            closing: Closing::default(),
            env,
        }
    }
    /// Gives back what was opened on the way. A token that could not be revoked ends by itself: that is told, and changes no exit code.
    pub async fn close(&self) {
        let opened = std::mem::take(&mut *self.closing.0.lock().unwrap_or_else(PoisonError::into_inner));
        for o in opened {
            match tokio::time::timeout(CLOSING, o.secrets.close()).await {
                Ok(left) => left.iter().for_each(|f| self.out.warn(&self.left(f))),
                Err(_) => self
                    .out
                    .warn("Vault's token could not be revoked in time; it ends by itself."),
            }
        }
    }
    fn left(&self, f: &crate::model::Failure) -> String {
        let hint = f.hint.as_ref().map_or(String::new(), |h| format!(" {}", h.text));
        self.out.screen.safe(&format!("{f}.{hint}"))
    }
    /// May a question be asked at all?
    pub fn can_ask(&self) -> bool {
        self.terminal.stdin && self.terminal.stderr && !self.env.ci && !self.global.no_input
    }
    pub fn locate(&self) -> Result<Located, CliError> {
        locate(self.global.config.as_deref(), &self.env, Path::exists)
    }
    /// A command that can be copied: with the flags that lead to the same tenant.
    pub fn command(&self, words: &str) -> String {
        format!("jml {words}{}", self.flags())
    }
    pub fn flags(&self) -> String {
        match &self.global.config {
            _ if self.global.sandbox => " --sandbox".into(),
            Some(path) => format!(" --config {}", super::text::shell(&path.display().to_string())),
            None => String::new(),
        }
    }
    pub fn host(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Environment {
        Environment::of(|n| vars.iter().find(|v| v.0 == n).map(|v| v.1.into()))
    }

    #[test]
    fn the_system_wide_file_outranks_a_persons_own() {
        let e = env(&[("HOME", "/home/dana")]);
        let own = "/home/dana/.config/jml/jml.toml";
        let at = |all: &'static [&'static str]| move |p: &Path| all.contains(&p.to_str().unwrap());
        assert_eq!(
            locate(None, &e, at(&[SYSTEM_WIDE, "/home/dana/.config/jml/jml.toml"]))
                .unwrap()
                .path,
            Path::new(SYSTEM_WIDE)
        );
        assert_eq!(
            locate(None, &e, at(&["/home/dana/.config/jml/jml.toml"])).unwrap(),
            Located {
                path: own.into(),
                loopback_only: false
            }
        );
        assert!(
            locate(Some(Path::new("/tmp/x")), &e, at(&[SYSTEM_WIDE]))
                .unwrap()
                .loopback_only
        );
        let none = locate(None, &e, |_| false).unwrap_err();
        assert_eq!(none.exit, super::super::exit::Exit::Usage);
        assert!(
            none.hints
                .iter()
                .any(|h| h.command.as_deref() == Some("jml config init"))
        );
    }

    #[test]
    fn a_relative_xdg_folder_is_ignored() {
        let e = env(&[("HOME", "/h"), ("XDG_STATE_HOME", "state")]);
        assert_eq!(e.state().unwrap(), Path::new("/h/.local/state/jml"));
    }

    #[test]
    fn flag_then_no_color_then_force_then_terminal() {
        let g = |c| Global {
            color: c,
            ..Global::default()
        };
        let no = env(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("TERM", "xterm")]);
        assert!(color(&g(Color::Always), &no, false));
        assert!(!color(&g(Color::Auto), &no, true));
        let force = env(&[("FORCE_COLOR", "1")]);
        assert!(color(&g(Color::Auto), &force, false));
        assert!(!color(
            &g(Color::Auto),
            &env(&[("FORCE_COLOR", "0"), ("TERM", "xterm")]),
            false
        ));
        assert!(!color(&g(Color::Auto), &env(&[("TERM", "dumb")]), true));
    }

    #[test]
    fn a_proxy_variable_is_refused_unless_all_is_loopback() {
        let e = env(&[("HTTPS_PROXY", "http://x"), ("SSL_CERT_FILE", "/x")]);
        let refused = e.refuse_foreign_trust(false).unwrap_err();
        assert!(refused.message.contains("HTTPS_PROXY") && refused.message.contains("SSL_CERT_FILE"));
        assert!(e.refuse_foreign_trust(true).is_ok());
        assert!(env(&[]).refuse_foreign_trust(false).is_ok());
    }
}
