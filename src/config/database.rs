//! Where a ledger on PostgreSQL is: `postgres://USER@HOST[:PORT]/DATABASE`, and nothing in it that could be a secret or loosen TLS.

use std::{borrow::Cow, fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use super::address;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatabaseUrl {
    pub host: DatabaseHost,
    pub port: u16,
    pub user: String,
    pub database: String,
    /// Verified always: there is no other kind. Without it the host is loopback, or a socket.
    pub tls: bool,
    loopback: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseHost {
    Name(String),
    Socket(PathBuf),
}

const FORM: &str =
    "write it postgres://USER@HOST/DATABASE, or postgres:///DATABASE?host=/run/postgresql&user=USER for a socket";

impl DatabaseUrl {
    /// Nobody else's machine is on the way.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    // The text itself is never repeated: it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("not a URL: {e}; {FORM}"))?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(format!("a ledger's server is PostgreSQL; {FORM}"));
        }
        let mut user = text_of(url.username())?;
        let mut socket = None;
        let mut mode = None;
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "host" if value.starts_with('/') => socket = Some(PathBuf::from(value.as_ref())),
                "host" => return Err(format!("host= is for the folder of a socket; {FORM}")),
                "user" => user = value.into_owned(),
                "sslmode" => mode = Some(value.into_owned()),
                "password" | "passfile" => return Err(NO_PASSWORD.into()),
                _ => return Err("of a URL's options jml knows host, user and sslmode".into()),
            }
        }
        if url.password().is_some() {
            return Err(NO_PASSWORD.into());
        }
        if url.fragment().is_some() {
            return Err(format!("a # has no meaning here; {FORM}"));
        }
        let database = text_of(url.path().strip_prefix('/').unwrap_or_default())?;
        if user.is_empty() || database.is_empty() || database.contains('/') {
            return Err(format!("it names a user and a database; {FORM}"));
        }
        let loopback = socket.is_some() || address::loopback(&url);
        let host = match (socket, url.host_str().filter(|h| !h.is_empty())) {
            (Some(path), None) => DatabaseHost::Socket(path),
            (Some(_), Some(_)) => return Err(format!("a host or a socket, not both; {FORM}")),
            (None, Some(name)) => DatabaseHost::Name(name.trim_matches(['[', ']']).to_owned()),
            (None, None) => return Err(format!("it names no host; {FORM}")),
        };
        let tls = match mode.as_deref() {
            None => !loopback,
            Some("verify-full") if matches!(host, DatabaseHost::Socket(_)) => {
                return Err("a socket has no TLS: leave sslmode out".into());
            }
            Some("verify-full") => true,
            Some("disable") if loopback => false,
            Some("disable") => {
                return Err("without TLS only for loopback or a socket: the ledger would travel in clear".into());
            }
            Some("prefer" | "allow") => {
                return Err("sslmode=prefer falls back to plain text where somebody on the way says no: leave it out, the server's certificate is verified".into());
            }
            Some(_) => return Err("sslmode is verify-full, which is what holds without it".into()),
        };
        Ok(DatabaseUrl {
            host,
            port: url.port().unwrap_or(5432),
            user,
            database,
            tls,
            loopback,
        })
    }
}

const NO_PASSWORD: &str = "a password doesn't belong in a URL: [ledger] password = \"file:PATH\" names its place";

fn text_of(encoded: &str) -> Result<String, String> {
    percent_decode_str(encoded)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| "it is not UTF-8".to_owned())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            DatabaseHost::Name(name) => write!(f, "{} at {name}:{}", self.database, self.port),
            DatabaseHost::Socket(path) => write!(f, "{} at {}", self.database, path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for DatabaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "description": "postgres://USER@HOST[:PORT]/DATABASE, without a password" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DatabaseUrl, String> {
        text.parse()
    }

    #[test]
    fn a_server_elsewhere_is_verified_and_one_here_needs_no_tls() {
        let there = read("postgres://jml@db.acme.example/ledger").unwrap();
        assert_eq!((there.tls, there.is_loopback(), there.port), (true, false, 5432));
        assert_eq!(
            read("postgresql://jml@db.acme.example:6432/ledger?sslmode=verify-full")
                .unwrap()
                .port,
            6432
        );
        for here in ["localhost", "127.0.0.1", "[::1]"] {
            let here = read(&format!("postgres://jml@{here}/ledger")).unwrap();
            assert_eq!((here.tls, here.is_loopback()), (false, true));
        }
        assert_eq!(
            read("postgres://jml@[::1]/l").unwrap().host,
            DatabaseHost::Name("::1".into())
        );
        assert!(read("postgres://jml@localhost/l?sslmode=verify-full").unwrap().tls);
        let socket = read("postgres:///ledger?host=/run/postgresql&user=jml").unwrap();
        assert_eq!(socket.host, DatabaseHost::Socket("/run/postgresql".into()));
        assert_eq!(
            (socket.user.as_str(), socket.tls, socket.is_loopback()),
            ("jml", false, true)
        );
    }

    #[test]
    fn what_could_travel_in_clear_or_be_a_secret_is_refused() {
        for (text, why) in [
            ("postgres://jml@db/l?sslmode=prefer", "falls back to plain text"),
            ("postgres://jml@db/l?sslmode=allow", "falls back to plain text"),
            ("postgres://jml@localhost/l?sslmode=prefer", "falls back to plain text"),
            ("postgres://jml@db/l?sslmode=disable", "in clear"),
            ("postgres://jml@db/l?sslmode=require", "verify-full"),
            ("postgres://jml@localhost.example/l?sslmode=disable", "in clear"),
            ("postgres://jml@db/l?sslmode=verify-full&sslmode=prefer", "falls back"),
            ("postgres://jml:hunter2@db/l", "doesn't belong in a URL"),
            ("postgres://jml@db/l?password=hunter2", "doesn't belong in a URL"),
            ("postgres://jml@db/l?options=-c%20x", "knows host, user and sslmode"),
            ("postgres://jml@db/l?host=elsewhere", "folder of a socket"),
            ("postgres://jml@db/l?host=/run", "not both"),
            ("postgres://db/l", "names a user"),
            ("postgres://jml@db", "names a user and a database"),
            ("postgres:///l?user=jml", "names no host"),
            ("https://jml@db/l", "is PostgreSQL"),
            ("jml", "not a URL"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
