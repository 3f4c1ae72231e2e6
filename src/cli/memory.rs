//! The ledger alone: for commands that read what was done. Opens the configuration and the ledger, and speaks to no system.
//!
//! Whose ledger it is says the configuration's pin: what nobody has asked a tenant is not guessed.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    context::{Context, open::Remembered},
    error::CliError,
    flow::{errors, pause},
    operator::Operator,
    view,
};
use crate::{
    config::{Config, DatabaseHost, DatabaseUrl, Mirror, Reference, SecretRef, Write},
    http::Trust,
    ledger::{
        self, Ledger, LedgerError, Meta, Spool, State, Target,
        postgres::{Host, Server},
    },
    model::system::OKTA,
    providers::secrets::file::private,
    run::Clock,
};

/// Where the ledger of an organisation lies.
#[derive(Clone)]
pub struct Place {
    kept: Kept,
    mirror: Option<Target>,
    state: PathBuf,
    host: String,
    clock: Clock,
}

#[derive(Clone)]
enum Kept {
    /// Without a path it is named after the organisation.
    File {
        path: Option<PathBuf>,
        key: Option<PathBuf>,
    },
    Server {
        url: DatabaseUrl,
        password: Option<PathBuf>,
        /// Of all hosts the same.
        key: PathBuf,
        /// The authorities of `[http] ca`.
        ca: Option<Vec<u8>>,
    },
}

impl Place {
    pub fn of(cx: &Context, config: &Config, clock: Clock) -> Result<Place, CliError> {
        let named = &config.ledger;
        let key = file(config, "key", named.key.as_ref())?;
        let kept = match (&named.url, key) {
            (None, key) => Kept::File {
                path: named.path.clone(),
                key,
            },
            // The configuration is refused before this.
            (Some(_), None) => return Err(CliError::config("[ledger] url needs key")),
            (Some(url), Some(key)) => Kept::Server {
                key,
                url: url.clone(),
                password: file(config, "password", named.password.as_ref())?,
                ca: config.http.authorities(&config.folder())?,
            },
        };
        let mirror = named.mirror.as_ref().map(|m| match m {
            Mirror::File(path) => Target::File(config.folder().join(path)),
            Mirror::Syslog => Target::Syslog(PathBuf::from("/dev/log")),
            Mirror::Journald => Target::Journald(PathBuf::from("/run/systemd/journal/socket")),
        });
        Ok(Place {
            kept,
            mirror,
            state: cx.state(config)?,
            host: cx.host(),
            clock,
        })
    }
    fn meta(&self, organisation: &str) -> Meta {
        Meta {
            tenant: organisation.to_owned(),
            host: self.host.clone(),
        }
    }

    /// Where this host writes while a server can't be reached. A file on this host is never left for another one.
    pub fn spool(&self, organisation: &str) -> Option<Spool> {
        match self.kept {
            Kept::File { .. } => None,
            Kept::Server { .. } => {
                let folder = self.state.join("spool").join(organisation);
                Some(Spool::folder(folder, self.meta(organisation), self.clock.clone()))
            }
        }
    }

    pub fn open(self, organisation: &str) -> Result<Ledger, LedgerError> {
        let meta = self.meta(organisation);
        let ledger = match self.kept {
            Kept::File { path, key } => {
                let path = path.unwrap_or_else(|| self.state.join(format!("{organisation}.db")));
                Ledger::open(&path, key.as_deref(), meta, self.clock)
            }
            Kept::Server { url, password, key, ca } => {
                Ledger::shared(server(url, password, ca)?, key, meta, self.clock)
            }
        }?;
        Ok(match self.mirror {
            None => ledger,
            Some(target) => ledger.mirrored(ledger::Mirror {
                target,
                state: self.state.join("mirror").join(organisation),
            }),
        })
    }
}

/// What the ledger needs before anybody can be asked for secrets lies on this machine.
fn file(config: &Config, name: &str, named: Option<&SecretRef<Write>>) -> Result<Option<PathBuf>, CliError> {
    match named.map(SecretRef::reference) {
        None => Ok(None),
        Some(Reference::File(path)) => Ok(Some(config.folder().join(path))),
        Some(_) => Err(CliError::config(format!("[ledger] {name} has to be a file"))
            .hint(format!("Write it as {name} = \"file:PATH\", mode 0600."))),
    }
}

fn server(url: DatabaseUrl, password: Option<PathBuf>, ca: Option<Vec<u8>>) -> Result<Server, LedgerError> {
    let password = match password {
        None => None,
        Some(path) => {
            Some(private(&path).map_err(|why| LedgerError::Denied(format!("its password {}: {why}", path.display())))?)
        }
    };
    let trust = Trust { ca, ..Trust::default() };
    let tls = match url.tls {
        false => None,
        true => Some(trust.tls().map_err(LedgerError::Store)?),
    };
    Ok(Server {
        host: match url.host {
            DatabaseHost::Name(name) => Host::Name(name),
            DatabaseHost::Socket(folder) => Host::Socket(folder),
        },
        port: url.port,
        user: url.user,
        database: url.database,
        password,
        tls,
    })
}

/// The organisation that the configuration pins, whatever else its settings are.
#[derive(Deserialize)]
struct Pin {
    org: Option<String>,
}

pub struct Memory {
    pub config: Config,
    pub tenant: view::Tenant,
    pub clock: Clock,
    pub operator: Operator,
    /// A damaged one can't be opened: `audit verify` says so, all others end there.
    pub ledger: Result<Ledger, LedgerError>,
}

impl Memory {
    pub async fn open(cx: &Context) -> Result<Memory, CliError> {
        let Remembered {
            config,
            clock,
            operator,
        } = cx.remembered().await?;
        let memory = Memory::of(cx, config, clock.reader(), operator)?;
        if let Ok(ledger) = &memory.ledger {
            pause::notice(cx, ledger).await;
        }
        Ok(memory)
    }

    /// By the configuration alone.
    pub fn of(cx: &Context, config: Config, clock: Clock, operator: Operator) -> Result<Memory, CliError> {
        let pin = config.systems.get(&OKTA).map(|s| s.parse::<Pin>()).transpose()?;
        let org = pin.and_then(|p| p.org).ok_or_else(|| {
            CliError::config("[systems.okta] org is not set: it says whose ledger this is")
                .run("Ask the organisation for its id", "jml config init")
        })?;
        let tenant = view::Tenant {
            host: Context::place(&config),
            org,
            sandbox: config.sandbox.is_some(),
        };
        let _ = cx.tenant.set((tenant.org.clone(), tenant.sandbox));
        let ledger = Place::of(cx, &config, clock.clone())?.open(&tenant.org);
        Ok(Memory {
            config,
            tenant,
            clock,
            operator,
            ledger,
        })
    }

    pub fn ledger(&self) -> Result<&Ledger, CliError> {
        self.ledger.as_ref().map_err(|e| e.clone().into())
    }

    /// The one run whose name begins so.
    pub async fn run(&self, name: &str) -> Result<State, CliError> {
        let ledger = self.ledger()?;
        let found = ledger.run_by_prefix(name).await?;
        match found.as_slice() {
            [one] => ledger.run(one).await?.ok_or_else(|| errors::no_run(name)),
            [] => Err(errors::no_run(name)),
            several => Err(errors::many_runs(name, several)),
        }
    }
}
