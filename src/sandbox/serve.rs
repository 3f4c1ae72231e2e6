//! `jml sandbox serve`: the firm of the folder, or a world from a file (in memory), alone and in the foreground.
//!
//! Says `ready` when it serves, `hit NAME` when a held operation is reached, and nothing else.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    Error,
    engine::{Engine, Host, Say, Setup},
    files, given,
    journal::Journal,
    member,
    named::Named,
    net,
    start::{self, Firm, Started},
};

/// What the command line says, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the firm lives between commands; a world from a file never touches it.
    pub folder: PathBuf,
    pub people: Option<usize>,
    pub seed: Option<u64>,
    pub world: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub endpoints: Option<PathBuf>,
    pub journal: Option<PathBuf>,
    /// `named::HELP`
    pub faults: Vec<String>,
    /// `60ms`
    pub latency: Option<String>,
    /// `okta:600/min`
    pub rates: Vec<String>,
}

/// Serves until a signal comes, or until standard input closes where that is a pipe.
pub async fn serve(options: Options, host: Host, say: Say) -> Result<(), Error> {
    let mut ends = Ends::new()?;
    let mut started = open(&options, host, say.clone())?;
    say("ready");
    ends.any().await;
    started.stop();
    Ok(())
}

/// Everything up to `ready`.
pub fn open(options: &Options, host: Host, say: Say) -> Result<Started, Error> {
    let firm = behaviour(options)?;
    let started = match &options.world {
        Some(path) => world(path, options, firm, host, say)?,
        None => start::start(&options.folder, firm, host, say)?,
    };
    let Some(engine) = &started.engine else {
        return Err(Error::State(format!(
            "{}: another process already serves this sandbox",
            options.folder.display()
        )));
    };
    if let (Some(path), None) = (&options.journal, &options.world) {
        engine.also_journal(path).map_err(|e| Error::at(path, e))?;
    }
    if let Some(path) = &options.endpoints {
        files::replace(path, &engine.endpoints(&started.control).to_string()).map_err(|e| Error::at(path, e))?;
    }
    if let Some(path) = &options.config {
        // the firm has one ledger, a world in memory has one beside its configuration
        let ledger = match options.world {
            Some(_) => std::path::absolute(path)
                .map_err(|e| Error::at(path, e))?
                .with_file_name("ledger.db"),
            None => started.config.with_file_name("ledger.db"),
        };
        engine
            .write_config(path, &ledger, &started.control)
            .map_err(|e| Error::at(path, e))?;
    }
    Ok(started)
}

fn world(path: &Path, options: &Options, firm: Firm, host: Host, say: Say) -> Result<Started, Error> {
    if options.people.is_some() || options.seed.is_some() {
        return Err(Error::World(
            "--people and --seed make a firm; --world already is one".into(),
        ));
    }
    let text = fs::read_to_string(path).map_err(|e| Error::World(format!("{}: {e}", path.display())))?;
    let wrong = |e: String| Error::World(format!("{}: {e}", path.display()));
    let given: Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    given::world(&given).map_err(wrong)?;
    let journal = match &options.journal {
        Some(path) => Journal::file(path).map_err(|e| Error::at(path, e))?,
        None => Journal::memory(),
    };
    let Firm {
        faults, latency, rates, ..
    } = firm;
    let engine = Engine::new(Setup {
        given,
        host,
        say,
        journal,
        log: None,
        faults,
        latency,
        rates,
    })?;
    let served = net::start(&engine)?;
    let (control, nonce) = (served.control.clone(), engine.nonce.clone());
    let config = options.config.clone().unwrap_or_default();
    Ok(Started {
        config,
        control,
        nonce,
        served: Some(served),
        engine: Some(engine),
    })
}

fn behaviour(options: &Options) -> Result<Firm, Error> {
    let faults = options
        .faults
        .iter()
        .map(|f| Named::parse(f))
        .collect::<Result<_, _>>()
        .map_err(Error::World)?;
    let latency = match options.latency.as_deref().map(|t| (t, given::duration(t))) {
        Some((text, None)) => {
            return Err(Error::World(format!(
                "latency {text:?}: a duration such as 60ms is wanted"
            )));
        }
        Some((_, some)) => some,
        None => None,
    };
    let rates = options
        .rates
        .iter()
        .map(|r| rate(r))
        .collect::<Result<BTreeMap<_, _>, _>>()
        .map_err(Error::World)?;
    Ok(Firm {
        people: options.people,
        seed: options.seed,
        faults,
        latency,
        rates,
    })
}

fn rate(text: &str) -> Result<(String, u32), String> {
    let parsed = text.rsplit_once(':').and_then(|(system, rest)| {
        let n = rest.strip_suffix("/min")?.parse::<u32>().ok().filter(|n| *n > 0)?;
        member::row(system).is_some().then(|| (system.to_owned(), n))
    });
    parsed.ok_or_else(|| format!("rate {text:?}: SYSTEM:N/min is wanted, e.g. okta:600/min"))
}

/// What ends the service.
struct Ends {
    signals: [tokio::signal::unix::Signal; 3],
    closed: CancellationToken,
}

impl Ends {
    fn new() -> Result<Ends, Error> {
        let on = |kind| signal(kind);
        let signals = [
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ];
        let closed = CancellationToken::new();
        let piped =
            rustix::fs::fstat(io::stdin()).is_ok_and(|s| rustix::fs::FileType::from_raw_mode(s.st_mode).is_fifo());
        if piped {
            let closed = closed.clone();
            std::thread::Builder::new().name("stdin".into()).spawn(move || {
                let mut sink = [0; 512];
                while matches!(io::stdin().read(&mut sink), Ok(n) if n > 0) {}
                closed.cancel();
            })?;
        }
        Ok(Ends { signals, closed })
    }

    async fn any(&mut self) {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
            () = self.closed.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn begin(options: &Options) -> Result<Started, Error> {
        let host: Host = Arc::new(|| "2026-11-25T12:00:00Z".parse().unwrap());
        open(options, host, Arc::new(|_| {}))
    }

    #[test]
    fn a_world_is_served_from_memory_with_its_files_beside_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let csv = "employee_id,login,status,termination_date\n1,a@acme.example,active,\n";
        let given =
            json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 1}, "roster": {"kind": "csv", "csv": csv}});
        fs::write(at("w.json"), given.to_string()).unwrap();
        let options = Options {
            folder: at("state"),
            world: Some(at("w.json")),
            config: Some(at("c.toml")),
            endpoints: Some(at("e.json")),
            ..Options::default()
        };
        let started = begin(&options).unwrap();
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        let config: Value = toml::from_str(&read("c.toml")).unwrap();
        assert_eq!(config["sandbox"]["control"], started.control);
        assert_eq!(
            config["systems"]["csv"]["path"],
            at("roster.csv").to_string_lossy().as_ref()
        );
        assert_eq!(read("roster.csv"), format!("{csv}P00001,p00001@acme.example,active,\n"));
        let modified = fs::metadata(at("roster.csv")).unwrap().modified().unwrap();
        assert_eq!(
            chrono::DateTime::<chrono::Utc>::from(modified).to_rfc3339(),
            "2026-07-15T04:05:00+00:00"
        );
        let ends: Value = serde_json::from_str(&read("e.json")).unwrap();
        assert_eq!(ends["control"]["base_url"], started.control);
        assert!(!at("state").exists() && !read("c.toml").contains(&read("okta.read")));
        assert_ne!(ends["okta"]["token"], read("okta.write"));

        let engine = started.engine.as_ref().unwrap();
        let patch =
            json!({"config": {"policy": {"departments": {"Sales": "SALE"}}}, "roster": {"csv": "employee_id\n"}});
        assert_eq!(
            engine.control("PATCH", "/state", patch.to_string().as_bytes()).status,
            200
        );
        let config: Value = toml::from_str(&read("c.toml")).unwrap();
        assert_eq!(
            (&config["policy"]["departments"]["Sales"], read("roster.csv").as_str()),
            (&json!("SALE"), "employee_id\n")
        );
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w.json");
        fs::write(&path, r#"{"now": "2026-07-15T05:05:00Z", "okta": {"usres": []}}"#).unwrap();
        let said = |o: Options| match begin(&o) {
            Err(Error::World(text)) => text,
            _ => String::new(),
        };
        let base = || Options {
            folder: dir.path().join("s"),
            ..Options::default()
        };
        assert!(
            said(Options {
                world: Some(path.clone()),
                ..base()
            })
            .ends_with("okta.usres: unknown key")
        );
        assert!(
            said(Options {
                world: Some(path),
                people: Some(3),
                ..base()
            })
            .contains("--world")
        );
        assert!(
            said(Options {
                rates: vec!["okta:600".into()],
                ..base()
            })
            .contains("SYSTEM:N/min")
        );
        assert!(
            said(Options {
                latency: Some("60".into()),
                ..base()
            })
            .contains("60ms")
        );
        assert!(
            said(Options {
                faults: vec!["okta:suspend".into()],
                ..base()
            })
            .contains("KIND")
        );
        assert!(!dir.path().join("s").exists());
        assert_eq!(rate("okta:600/min"), Ok(("okta".into(), 600)));
    }
}
