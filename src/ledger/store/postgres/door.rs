//! The way in: one connection, verified before the password leaves, and settings that no server's default may loosen.

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{
    Client, Config, NoTls,
    config::SslMode,
    error::{Error, SqlState},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ledger::LedgerError;

/// A whole call, waiting in line included: longer than the server's own limits, so that its words are heard where it has any.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// A stopped process must not keep a transaction, and with it every other host, waiting. Nothing is written that a crash of the server
/// could take back. Every name below is written in full.
const SETTINGS: &str = "
SET statement_timeout = '10s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';
SET search_path = pg_catalog;
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');
";

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Name(String),
    /// The folder of its socket.
    Socket(PathBuf),
}

/// What is needed to get in.
#[derive(Clone)]
pub struct Server {
    pub host: Host,
    pub port: u16,
    pub user: String,
    pub database: String,
    pub password: Option<SecretString>,
    /// Verifies chain and name. `None` for loopback and sockets alone: whoever makes this has seen to it.
    pub tls: Option<Arc<ClientConfig>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server {
            host,
            port,
            user,
            database,
            ..
        } = self;
        match host {
            Host::Name(name) => write!(f, "{database} at {name}:{port} as {user}"),
            Host::Socket(path) => write!(f, "{database} at {}:{port} as {user}", path.display()),
        }
    }
}

impl Server {
    pub(super) async fn enter(&self) -> Result<Client, LedgerError> {
        let mut config = Config::new();
        match &self.host {
            Host::Name(name) => config.host(name),
            Host::Socket(path) => config.host_path(path),
        };
        config
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .application_name("jml")
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(30));
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        let client = match &self.tls {
            // Never `prefer`: it falls back to plain text where the server, or whoever answers for it, says no.
            Some(tls) => {
                let tls = MakeRustlsConnect::new(ClientConfig::clone(tls));
                let (client, line) = config
                    .ssl_mode(SslMode::Require)
                    .connect(tls)
                    .await
                    .map_err(|e| self.shut(&e))?;
                tokio::spawn(line);
                client
            }
            None => {
                let (client, line) = config
                    .ssl_mode(SslMode::Disable)
                    .connect(NoTls)
                    .await
                    .map_err(|e| self.shut(&e))?;
                tokio::spawn(line);
                client
            }
        };
        client.batch_execute(SETTINGS).await.map_err(|e| failed(&e))?;
        let encoding = client
            .query_typed_one("SHOW server_encoding", &[])
            .await
            .map_err(|e| failed(&e))?;
        let encoding: String = encoding.try_get(0).map_err(|e| failed(&e))?;
        if encoding != "UTF8" {
            return Err(LedgerError::NotMade(format!(
                "the database {} is encoded in {encoding}; a ledger needs UTF8",
                self.database
            )));
        }
        Ok(client)
    }

    /// Why nobody came in: which server it was is part of it.
    fn shut(&self, e: &Error) -> LedgerError {
        match failed(e) {
            LedgerError::Unreachable(why) => LedgerError::Unreachable(format!("{self}: {why}")),
            LedgerError::Denied(why) => LedgerError::Denied(format!("{self}: {why}")),
            LedgerError::NotMade(why) => LedgerError::NotMade(format!("{self}: {why}")),
            other => LedgerError::Unreachable(format!("{self}: {other}")),
        }
    }
}

/// The server's own words, or the network's.
pub(super) fn failed(e: &Error) -> LedgerError {
    let Some(said) = e.as_db_error() else {
        return LedgerError::Unreachable(chain(e));
    };
    let why = said.message().to_owned();
    match said.code() {
        &SqlState::INVALID_PASSWORD
        | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION
        | &SqlState::INSUFFICIENT_PRIVILEGE => LedgerError::Denied(why),
        &SqlState::UNDEFINED_TABLE | &SqlState::INVALID_SCHEMA_NAME | &SqlState::INVALID_CATALOG_NAME => {
            LedgerError::NotMade(why)
        }
        &SqlState::LOCK_NOT_AVAILABLE | &SqlState::QUERY_CANCELED => {
            LedgerError::Store("another process has kept it locked for 10 s".into())
        }
        // Shut down, starting, out of connections, cut off: it may come back.
        code if ["08", "53", "57"].iter().any(|class| code.code().starts_with(class)) || code.code() == "25P03" => {
            LedgerError::Unreachable(why)
        }
        _ => LedgerError::Store(why),
    }
}

/// An error of the network says little by itself: what is below it says why.
fn chain(e: &Error) -> String {
    let mut out = vec![e.to_string()];
    let mut below = std::error::Error::source(e);
    while let Some(why) = below {
        let text = match why.downcast_ref::<io::Error>() {
            // Without "(os error 111)".
            Some(io) => io.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
            None => why.to_string(),
        };
        if out.last().is_none_or(|last| !last.contains(&text)) {
            out.push(text);
        }
        below = why.source();
    }
    out.join(": ")
}
