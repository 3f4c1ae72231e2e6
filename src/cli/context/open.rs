//! From flags to a firm's parts: which file, which clock, which client. The one place beside `jml sandbox` that may start the sandbox.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Clock, Context, Opened, beside, door::Door};
use crate::{
    cli::{error::CliError, firm, firm::Made, operator::Operator},
    config::{self, Config},
    http::{self, Client, Observer},
    ledger::Ledger,
    model::System,
    providers::secrets::Secrets,
    sandbox::{self, start},
};

/// What a sandbox answers to `GET /clock`.
#[derive(Deserialize)]
struct Shown {
    host_now: DateTime<Utc>,
    nonce: String,
}

/// Where a system is, whatever else its settings are.
#[derive(Deserialize)]
struct At {
    url: config::BaseUrl,
}

impl At {
    fn host(&self) -> String {
        self.url.as_url().host_str().unwrap_or_default().to_owned()
    }
}

/// What a command needs that speaks to no system.
pub struct Remembered {
    pub config: Config,
    pub clock: Clock,
    pub operator: Operator,
}

impl Context {
    /// `$XDG_STATE_HOME/jml/sandbox`
    pub fn sandbox_folder(&self) -> Result<PathBuf, CliError> {
        Ok(self.env.state()?.join("sandbox"))
    }

    /// The one configuration in effect, and what it is made to speak with.
    pub async fn wire(&self) -> Result<Made, CliError> {
        let mut keep: Option<Arc<dyn std::any::Any + Send + Sync>> = None;
        let path = if self.global.sandbox {
            let started = self.start_sandbox()?;
            let path = started.config.clone();
            keep = Some(Arc::new(std::sync::Mutex::new(started)));
            path
        } else {
            self.locate()?.path
        };
        let config = self.configuration(&path)?;
        self.env.refuse_foreign_trust(config.loopback_only())?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let clock = match &config.sandbox {
            Some(sandbox) => self.shown_by(sandbox).await?,
            None => self.clock,
        };
        let client = firm::client(&config, &folder, clock.reader(), self.observer(), random())?;
        let place = Context::place(&config);
        let secrets = Secrets::configured(&config, &folder, self.variables(&config), clock.reader())?;
        self.to_close(secrets.clone(), keep.clone());
        Ok(Made {
            operator: self.admitted(&config, &secrets).await?,
            secrets,
            sandbox: config.sandbox.is_some(),
            clock: clock.reader(),
            client,
            place,
            config,
            keep: keep.map(|k| Box::new(k) as Box<dyn std::any::Any + Send>),
        })
    }

    /// Who is at the keyboard, once it is clear that they may. The system-wide file rules whatever other one is in effect: who may write
    /// another must not make themselves an engineer by it.
    async fn admitted(&self, config: &Config, secrets: &Secrets) -> Result<Operator, CliError> {
        match self.system_wide()? {
            Some(rules) if Path::new(config.path()) != Path::new(super::SYSTEM_WIDE) => self.under(&rules).await,
            Some(_) | None => {
                let operator = Operator::of(Door::of(self.env.sudo.as_ref()), secrets.clone());
                operator.admitted(self.need, config.roles.as_ref()).await
            }
        }
    }

    async fn under(&self, rules: &Config) -> Result<Operator, CliError> {
        let secrets = Secrets::configured(rules, &rules.folder(), self.variables(rules), self.clock.reader())?;
        let operator = Operator::of(Door::of(self.env.sudo.as_ref()), secrets);
        operator.admitted(self.need, rules.roles.as_ref()).await
    }

    /// For a command that works without a configuration: where the system-wide one is, its roles count.
    pub async fn admit(&self) -> Result<(), CliError> {
        match self.system_wide()? {
            Some(rules) => self.under(&rules).await.map(drop),
            None => Ok(()),
        }
    }

    fn system_wide(&self) -> Result<Option<Config>, CliError> {
        let path = Path::new(super::SYSTEM_WIDE);
        Ok(path.exists().then(|| Config::load(path)).transpose()?)
    }

    /// Before a secret is asked of it: whatever ends the command, this is closed.
    fn to_close(&self, secrets: Secrets, keep: Option<Arc<dyn std::any::Any + Send + Sync>>) {
        if secrets.vault().is_some() {
            let opened = Opened { secrets, _keep: keep };
            self.closing
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(opened);
        }
    }

    /// Reads and checks the file. Beside a system-wide one, another that was named narrows.
    pub fn configuration(&self, path: &Path) -> Result<Config, CliError> {
        let located = super::locate(Some(path), &self.env, Path::exists)?;
        // The sandbox's own folder is of its own making.
        if !located.loopback_only || self.global.config.is_none() {
            return Ok(Config::load(path)?);
        }
        let other = Config::load(path).map_err(|e| beside::unshown(&e))?;
        if let Some(system) = self.system_wide()? {
            beside::narrow(&other, &system)?;
        }
        Ok(other)
    }

    /// What may come, to be looked at and not to be in effect.
    pub fn proposed(&self, path: &Path) -> Result<Config, CliError> {
        let system = Path::new(super::SYSTEM_WIDE);
        match path != system && system.exists() {
            true => Config::load(path).map_err(|e| beside::unshown(&e)),
            false => Ok(Config::load(path)?),
        }
    }

    fn start_sandbox(&self) -> Result<start::Started, CliError> {
        let host = Clock::default();
        start::start(
            &self.sandbox_folder()?,
            start::Firm::default(),
            Arc::new(move || host.now()),
            Arc::new(|_| {}),
        )
        .map_err(refused)
    }

    /// The configuration alone, for who reads no system. A sandbox's own file is there from its first start on; its clock is asked only
    /// where it runs.
    pub async fn remembered(&self) -> Result<Remembered, CliError> {
        let path = match self.global.sandbox {
            false => self.locate()?.path,
            true => {
                let written = self.sandbox_folder()?.join("jml.toml");
                if !written.exists() {
                    // Its first start writes the file.
                    drop(self.start_sandbox()?);
                }
                written
            }
        };
        let config = self.configuration(&path)?;
        let clock = match &config.sandbox {
            Some(sandbox) => self.shown_by(sandbox).await.unwrap_or(self.clock),
            None => self.clock,
        };
        let secrets = Secrets::configured(&config, &config.folder(), self.variables(&config), clock.reader())?;
        Ok(Remembered {
            operator: self.admitted(&config, &secrets).await?,
            config,
            clock,
        })
    }

    /// The host that screens name.
    pub fn place(config: &Config) -> String {
        config
            .systems
            .get(&crate::model::system::OKTA)
            .and_then(|s| s.parse::<At>().ok())
            .map_or_else(String::new, |at| at.host())
    }

    /// The sandbox's clock, from the very one that wrote this file: another that answers there is refused.
    async fn shown_by(&self, sandbox: &config::Sandbox) -> Result<Clock, CliError> {
        let client = Client::net(http::Trust::default(), self.clock.reader(), Arc::new(|_| {}), random());
        let reader = client.anonymous(&System::of("sandbox"), sandbox.control.as_url(), http::plain);
        let gone = |why: String| {
            CliError::config(format!(
                "the sandbox of this configuration does not answer at {}: {why}",
                sandbox.control
            ))
            .hint("Start it again: jml sandbox serve --config FILE")
        };
        let answer = reader
            .get(crate::path!["clock"].what("read the sandbox's clock"))
            .await
            .map_err(|f| gone(f.summary))?;
        let shown: Shown = answer.json().map_err(|f| gone(f.summary))?;
        if shown.nonce != sandbox.nonce {
            return Err(gone("another one answers there".to_owned()));
        }
        Ok(Clock::showing(shown.host_now))
    }

    /// One line a call, with `-v`.
    fn observer(&self) -> Observer {
        if self.global.verbose == 0 {
            return Arc::new(|_| {});
        }
        let out = self.out.clone();
        Arc::new(move |call| {
            let status = call.status.map_or_else(|| "-".to_owned(), |s| s.to_string());
            let request = call
                .request
                .map(|r| format!("  {}", out.screen.safe(&r)))
                .unwrap_or_default();
            out.talk(&format!(
                "{:<10} {:<6} {}  {status}  {} ms{request}",
                call.system.as_str(),
                call.method,
                out.screen.safe(&call.route),
                call.took.as_millis()
            ));
        })
    }

    /// For `env:NAME`, which a file may use where every base URL is loopback.
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    fn variables(&self, config: &Config) -> BTreeMap<String, SecretString> {
        if !config.loopback_only() {
            return BTreeMap::new();
        }
        std::env::vars().map(|(k, v)| (k, SecretString::from(v))).collect()
    }
}

/// What the sandbox refuses, as an answer of a command.
pub fn refused(e: sandbox::Error) -> CliError {
    match e {
        sandbox::Error::World(_) | sandbox::Error::State(_) => CliError::usage(e.to_string()),
        sandbox::Error::Io(_) => CliError::internal(e.to_string()),
    }
}

/// Dice of the operating system.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without it, jitter and run names would only be less random; neither is a secret.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Enough to tell runs apart and to be typed.
const LETTERS: usize = 6;

/// `r-5k2m9q`: some of Crockford's letters, which nobody misreads.
pub fn run_id(letters: usize) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut n = random();
    let mut id = String::from("r-");
    for _ in 0..letters {
        id.push(char::from(LETTERS[(n % 32) as usize]));
        n /= 32;
    }
    id
}

/// A name that no run of this ledger has.
pub async fn new_run(ledger: &Ledger) -> Result<String, CliError> {
    for _ in 0..8 {
        let run = run_id(LETTERS);
        if ledger.run(&run).await?.is_none() {
            return Ok(run);
        }
    }
    Err(CliError::internal("no free name for a run"))
}
