//! The sandbox of `--sandbox`: the firm in its folder, started inside this process, or the one that another process already runs.
//!
//! The folder is the caller's to choose; nothing outside it is read or written.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    Error,
    engine::{self, Engine, Host, Say, Setup},
    files, firm,
    journal::Journal,
    named::Named,
    net::{self, Served},
    persist::{Header, Log, OpenError},
};

/// A journal that has grown larger than this is begun anew at the next start.
const LONGEST: u64 = 64 << 20;

/// The firm, and how it behaves this time.
#[derive(Default)]
pub struct Firm {
    /// Counting everyone; `None`: as it was made, or 2,200.
    pub people: Option<usize>,
    pub seed: Option<u64>,
    pub faults: Vec<Named>,
    pub latency: Option<TimeDelta>,
    /// Requests a minute, by system.
    pub rates: BTreeMap<String, u32>,
}

/// A sandbox that runs. Dropped, its own servers end; another process's go on.
pub struct Started {
    pub config: PathBuf,
    /// `http://127.0.0.1:PORT`
    pub control: String,
    pub nonce: String,
    pub(super) served: Option<Served>,
    /// `None`: it runs in another process.
    pub engine: Option<Arc<Engine>>,
}

impl Started {
    pub fn stop(&mut self) {
        if let Some(served) = &mut self.served {
            served.stop();
        }
    }
}

/// Opens the folder, or makes it; where another process holds it, joins that one.
pub fn start(folder: &Path, firm: Firm, host: Host, say: Say) -> Result<Started, Error> {
    files::folder(folder).map_err(|e| Error::at(folder, e))?;
    let fresh = Header::new(firm.seed.unwrap_or(firm::SEED), firm.people.unwrap_or(firm::PEOPLE));
    let (_never, pause) = mpsc::channel::<()>();
    for _ in 0..40 {
        match Log::open(folder, fresh) {
            Ok(log) => return run(folder, log, firm, host, say),
            Err(OpenError::Busy) => {}
            Err(OpenError::Version) => {
                return Err(Error::State(format!("{}: {}", folder.display(), OpenError::Version)));
            }
            Err(OpenError::Io(e)) => return Err(Error::at(folder, e)),
        }
        if let Some(running) = join(folder) {
            return Ok(running);
        }
        // it is still starting, or ending; the wait always times out
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
    Err(Error::State(format!(
        "{}: another process holds this sandbox and doesn't answer",
        folder.display()
    )))
}

/// Takes everything out of the folder: the next start makes a new firm.
pub fn reset(folder: &Path) -> Result<(), Error> {
    files::folder(folder).map_err(|e| Error::at(folder, e))?;
    let lock = files::append(&folder.join("world.lock")).map_err(|e| Error::at(folder, e))?;
    if lock.try_lock().is_err() {
        return Err(Error::State(format!(
            "{}: another process runs this sandbox; stop it first",
            folder.display()
        )));
    }
    for entry in fs::read_dir(folder).map_err(|e| Error::at(folder, e))? {
        let path = entry.map_err(|e| Error::at(folder, e))?.path();
        if path.file_name().is_some_and(|n| n != "world.lock") {
            let gone = if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            gone.map_err(|e| Error::at(&path, e))?;
        }
    }
    Ok(())
}

fn run(folder: &Path, log: Log, firm: Firm, host: Host, say: Say) -> Result<Started, Error> {
    let header = log.header();
    let other = |what: &str, asked: String, is: String| {
        Err(Error::World(format!(
            "the sandbox has {what} {is}, not {asked}: jml sandbox reset makes it anew"
        )))
    };
    match (firm.people, firm.seed) {
        (Some(p), _) if p != header.people => return other("people:", p.to_string(), header.people.to_string()),
        (_, Some(s)) if s != header.seed => return other("seed", s.to_string(), header.seed.to_string()),
        _ => {}
    }
    // stale since another process ended: nobody is to join by it
    let (config, endpoints, journal) = (
        folder.join("jml.toml"),
        folder.join("endpoints.json"),
        folder.join("journal.ndjson"),
    );
    let _ = fs::remove_file(&config);
    if fs::metadata(&journal).is_ok_and(|m| m.len() > LONGEST) {
        fs::remove_file(&journal).map_err(|e| Error::at(&journal, e))?;
    }
    let engine = Engine::new(Setup {
        given: firm::document(header.people, header.seed, host() + engine::ahead(&log)),
        host,
        say,
        journal: Journal::file(&journal).map_err(|e| Error::at(&journal, e))?,
        log: Some(log),
        faults: firm.faults,
        latency: firm.latency,
        rates: firm.rates,
    })?;
    let served = net::start(&engine)?;
    let text = engine.endpoints(&served.control).to_string();
    files::replace(&endpoints, &text).map_err(|e| Error::at(&endpoints, e))?;
    engine
        .write_config(&config, &folder.join("ledger.db"), &served.control)
        .map_err(|e| Error::at(&config, e))?;
    Ok(Started {
        config,
        control: served.control.clone(),
        nonce: engine.nonce.clone(),
        served: Some(served),
        engine: Some(engine),
    })
}

/// The sandbox of the process that holds the folder. It writes its configuration last.
fn join(folder: &Path) -> Option<Started> {
    let config = folder.join("jml.toml");
    let doc: Value = toml::from_str(&fs::read_to_string(&config).ok()?).ok()?;
    let text = |key: &str| Some(doc["sandbox"][key].as_str()?.to_owned());
    let (control, nonce) = (text("control")?, text("nonce")?);
    answers(&control, &nonce).then_some(Started {
        config,
        control,
        nonce,
        served: None,
        engine: None,
    })
}

/// Is it the sandbox that wrote the nonce?
fn answers(control: &str, nonce: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let address: SocketAddr = control
            .trim_start_matches("http://")
            .parse()
            .map_err(|_| std::io::ErrorKind::InvalidInput)?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /clock HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.take(64 << 10).read_to_string(&mut text)?;
        Ok(text)
    };
    ask().is_ok_and(|text| text.contains(&format!("\"nonce\":\"{nonce}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::Request;
    use std::os::unix::fs::PermissionsExt;

    fn begin(folder: &Path, firm: Firm) -> Result<Started, Error> {
        let host: Host = Arc::new(|| "2026-11-25T12:00:00Z".parse().unwrap());
        start(folder, firm, host, Arc::new(|_| {}))
    }

    fn small() -> Firm {
        Firm {
            people: Some(60),
            ..Firm::default()
        }
    }

    #[test]
    fn a_second_start_joins_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = begin(dir.path(), small()).unwrap();
        let second = begin(dir.path(), Firm::default()).unwrap();
        assert_eq!((&second.control, &second.nonce), (&first.control, &first.nonce));
        assert!(second.engine.is_none() && first.engine.is_some());
        assert!(matches!(reset(dir.path()), Err(Error::State(_))));
        first.stop();
        drop(first);
        let third = begin(dir.path(), Firm::default()).unwrap();
        assert_ne!(third.nonce, second.nonce);
        drop(third);
        reset(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the lock file alone");
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = begin(dir.path(), small()).unwrap();
        let engine = first.engine.clone().unwrap();
        let token = engine.credential("slack.admin").unwrap();
        let request = Request {
            method: "DELETE".into(),
            target: "/scim/v2/Users/U0P0000003".into(),
            headers: vec![("authorization".into(), format!("Bearer {token}"))],
            body: vec![],
        };
        let reply = engine.handle("slack", request).await.unwrap();
        assert_eq!(reply.status, 204, "{}", String::from_utf8_lossy(&reply.body));
        assert_eq!(
            engine
                .control("PUT", "/clock", br#"{"now": "2027-01-01T00:00:00Z"}"#)
                .status,
            200
        );
        let active = |engine: &Engine| -> Value {
            let state: Value = serde_json::from_slice(&engine.control("GET", "/state", b"").body).unwrap();
            state["slack"]["users"]["U0P0000003"]["active"].clone()
        };
        assert_eq!(active(&engine), false);
        drop((first, engine));
        let again = begin(dir.path(), Firm::default()).unwrap();
        let engine = again.engine.as_ref().unwrap();
        assert_eq!(
            (active(engine), engine.now().to_rfc3339().as_str()),
            (Value::Bool(false), "2027-01-01T00:00:00+00:00")
        );
        let journal = fs::read_to_string(dir.path().join("journal.ndjson")).unwrap();
        assert!(
            journal.contains("<slack.admin>") && !journal.contains(&token),
            "{journal}"
        );
    }

    #[test]
    fn another_size_is_refused_and_the_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("jml/sandbox");
        drop(begin(&folder, small()).unwrap());
        let wrong = begin(
            &folder,
            Firm {
                people: Some(61),
                ..Firm::default()
            },
        );
        assert!(matches!(wrong, Err(Error::World(text)) if text.contains("people: 60, not 61")));
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600,
                "{}",
                path.display()
            );
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let text = fs::read_to_string(folder.join("jml.toml")).unwrap();
        assert!(text.contains("[systems.okta]") && text.contains("okta.read"), "{text}");
    }
}
