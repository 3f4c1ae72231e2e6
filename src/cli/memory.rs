//! The ledger alone: for commands that read what was done. Opens the configuration and the ledger, and speaks to no system.
//!
//! Whose ledger it is says the configuration's pin: what nobody has asked a tenant is not guessed.

use std::path::PathBuf;

use serde::Deserialize;

use super::{context::Context, error::CliError, flow::errors, view};
use crate::{
    config::{Config, Reference},
    ledger::{Ledger, LedgerError, Meta, State},
    model::system::OKTA,
    run::Clock,
};

/// Where the ledger of an organisation lies.
pub struct Place {
    path: Option<PathBuf>,
    key: Option<PathBuf>,
    state: PathBuf,
    host: String,
    clock: Clock,
}

impl Place {
    pub fn of(cx: &Context, config: &Config, clock: Clock) -> Result<Place, CliError> {
        let key = match config.ledger.key.as_ref().map(|k| k.reference()) {
            None => None,
            Some(Reference::File(path)) => Some(config.folder().join(path)),
            Some(_) => {
                return Err(CliError::config("[ledger] key signs checkpoints and has to be a file")
                    .hint("Write it as key = \"file:PATH\", mode 0600."));
            }
        };
        Ok(Place {
            key,
            path: config.ledger.path.clone(),
            state: cx.env.state()?,
            host: cx.host(),
            clock,
        })
    }
    pub fn open(self, organisation: &str) -> Result<Ledger, LedgerError> {
        let path = self
            .path
            .unwrap_or_else(|| self.state.join(format!("{organisation}.db")));
        let meta = Meta {
            tenant: organisation.to_owned(),
            host: self.host,
        };
        match &self.key {
            Some(key) => Ledger::open_with_key(&path, key, meta, self.clock),
            None => Ledger::open(&path, meta, self.clock),
        }
    }
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
    /// A damaged one can't be opened: `audit verify` says so, all others end there.
    pub ledger: Result<Ledger, LedgerError>,
}

impl Memory {
    pub async fn open(cx: &Context) -> Result<Memory, CliError> {
        let (config, clock) = cx.remembered().await?;
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
        let clock = clock.reader();
        let ledger = Place::of(cx, &config, clock.clone())?.open(&tenant.org);
        Ok(Memory {
            config,
            tenant,
            clock,
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
