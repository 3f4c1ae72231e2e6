//! What of each entry leaves this host for a SIEM: its number and hash, its run and step, how that ended. No names, no values.
//!
//! Whoever holds a mirror can show that the tail was cut or the past rewritten. A mirror that fails stops no work: how far it got is
//! remembered, and everything since goes with the next entry. So a line may come twice, and none is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::{
        fs::{DirBuilderExt, OpenOptionsExt},
        net::UnixDatagram,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::{Body, Entry, Keeper, Ledger, LedgerError, Seq, store::Query};

/// A day that nobody listened is told in pieces: each append waits for one at the most.
const PIECE: usize = 1000;
/// Nobody waits longer for a socket that is full.
const WAIT: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    File(PathBuf),
    /// RFC 5424, to this socket.
    Syslog(PathBuf),
    /// The journal's own protocol, to this socket.
    Journald(PathBuf),
}

/// Where it goes, and where it is remembered how far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    pub target: Target,
    pub state: PathBuf,
}

/// How far it got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub seq: Seq,
    pub hash: String,
    /// How often in a row it failed since, and why the last time.
    pub failed: u32,
    pub why: Option<String>,
}

/// How a mirror stands to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub reached: Reached,
    pub behind: u64,
}

/// Hashes that a mirror holds, by number. More than one for a number is a contradiction, which one of them shows.
pub type Held = BTreeMap<Seq, BTreeSet<String>>;

#[derive(Serialize, Deserialize)]
struct Line {
    jml: String,
    tenant: String,
    seq: Seq,
    hash: String,
    time: DateTime<Utc>,
    run: String,
    step: Option<usize>,
    kind: String,
    outcome: Option<String>,
    host: String,
}

const ENTRY: &str = "entry";

impl Line {
    fn of(e: &Entry) -> Line {
        let outcome = match &e.body {
            Some(Body::Finished { outcome, .. } | Body::Expected { outcome, .. }) => Some(outcome.name().to_owned()),
            Some(Body::Closed { result, .. }) => Some(result.name().to_owned()),
            _ => None,
        };
        Line {
            jml: ENTRY.into(),
            tenant: e.envelope.tenant.clone(),
            seq: e.envelope.seq,
            hash: e.hash.clone(),
            time: e.envelope.time,
            run: e.envelope.run.clone(),
            step: e.envelope.step,
            kind: e.envelope.kind.clone(),
            outcome,
            host: e.envelope.host.clone(),
        }
    }
    fn json(&self) -> io::Result<String> {
        serde_json::to_string(self).map_err(io::Error::other)
    }
}

/// What a mirror's text holds of this organisation's ledger. What stands before the object (a syslog's header) and lines of others are
/// passed over.
pub fn read(text: &str, tenant: &str) -> Held {
    let mut held = Held::new();
    for line in text.lines() {
        let Some(line) = line
            .find('{')
            .and_then(|at| serde_json::from_str::<Line>(&line[at..]).ok())
        else {
            continue;
        };
        if line.jml == ENTRY && line.tenant == tenant {
            held.entry(line.seq).or_default().insert(line.hash);
        }
    }
    held
}

impl Target {
    fn send(&self, lines: &[Line]) -> io::Result<()> {
        match self {
            Target::File(path) => append(path, lines),
            Target::Syslog(path) => {
                let socket = socket(path)?;
                for line in lines {
                    let time = line.time.to_rfc3339_opts(SecondsFormat::Millis, true);
                    // Facility 13, log audit; severity 6, informational.
                    let host = header(&line.host);
                    let text = format!(
                        "<110>1 {time} {host} jml {} entry - {}",
                        std::process::id(),
                        line.json()?
                    );
                    socket.send(text.as_bytes())?;
                }
                Ok(())
            }
            Target::Journald(path) => {
                let socket = socket(path)?;
                for line in lines {
                    let text = format!(
                        "MESSAGE={}\nPRIORITY=6\nSYSLOG_FACILITY=13\nSYSLOG_IDENTIFIER=jml\nJML_SEQ={}\nJML_HASH={}\n",
                        line.json()?,
                        line.seq,
                        line.hash
                    );
                    socket.send(text.as_bytes())?;
                }
                Ok(())
            }
        }
    }
}

/// A word of a header: printable ASCII, and something.
fn header(word: &str) -> String {
    let word: String = word.chars().filter(char::is_ascii_graphic).take(255).collect();
    if word.is_empty() { "-".into() } else { word }
}

fn socket(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(WAIT))?;
    socket.connect(path)?;
    Ok(socket)
}

/// A regular file: a pipe that nobody reads would hold everything up.
fn append(path: &Path, lines: &[Line]) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    for line in lines {
        text += &line.json()?;
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    // Before it is remembered as told.
    file.sync_data()
}

impl Mirror {
    /// A state that can't be read is none: all is told again.
    fn reached(&self) -> Reached {
        let text = fs::read(&self.state).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn remember(&self, reached: &Reached) -> io::Result<()> {
        if let Some(folder) = self.state.parent().filter(|p| !p.exists()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let draft = self.state.with_extension(format!("{}.new", std::process::id()));
        fs::write(&draft, serde_json::to_vec(reached).map_err(io::Error::other)?)?;
        fs::rename(draft, &self.state)
    }
}

impl Ledger {
    /// Each entry from now on, and what was not told yet.
    pub fn mirrored(self, mirror: Mirror) -> Ledger {
        self.tell(move |k| k.mirror = Some(mirror));
        self
    }

    /// `None`: it has no mirror.
    pub async fn mirror(&self) -> Result<Option<Standing>, LedgerError> {
        self.ask(Keeper::standing).await
    }
}

impl Keeper {
    /// After each append. Whatever fails here is remembered, and fails nothing else.
    pub(super) fn reflect(&mut self) {
        let Some(mirror) = self.mirror.clone() else { return };
        let mut reached = mirror.reached();
        match self.tell_on(&mirror, &mut reached) {
            Ok(()) => (reached.failed, reached.why) = (0, None),
            Err(why) => (reached.failed, reached.why) = (reached.failed.saturating_add(1), Some(why)),
        }
        // What can't be remembered is told again.
        drop(mirror.remember(&reached));
    }

    fn tell_on(&mut self, mirror: &Mirror, reached: &mut Reached) -> Result<(), String> {
        let mut lines = self.since(reached).map_err(|e| e.to_string())?;
        if reached.seq > 0
            && lines
                .first()
                .is_none_or(|l| l.seq != reached.seq || l.hash != reached.hash)
        {
            // Another past than the one that was told, such as a restored backup: whoever holds both can show it.
            *reached = Reached {
                failed: reached.failed,
                ..Reached::default()
            };
            lines = self.since(reached).map_err(|e| e.to_string())?;
        } else if reached.seq > 0 {
            lines.remove(0);
        }
        let Some(last) = lines.last() else { return Ok(()) };
        mirror.target.send(&lines).map_err(|e| e.to_string())?;
        (reached.seq, reached.hash) = (last.seq, last.hash.clone());
        Ok(())
    }

    /// The last one that was told, to see whether it is the same still, and a piece of what came after it.
    fn since(&mut self, reached: &Reached) -> Result<Vec<Line>, LedgerError> {
        let query = Query {
            after: (reached.seq - 1).max(0),
            ..Query::default()
        };
        let mut lines = vec![];
        self.every(&query, |e| {
            lines.push(Line::of(&e));
            Ok(lines.len() <= PIECE)
        })?;
        Ok(lines)
    }

    fn standing(&mut self) -> Result<Option<Standing>, LedgerError> {
        let Some(mirror) = &self.mirror else { return Ok(None) };
        let reached = mirror.reached();
        let query = Query {
            after: reached.seq,
            bare: true,
            ..Query::default()
        };
        let mut behind = 0;
        self.every(&query, |_| {
            behind += 1;
            Ok(true)
        })?;
        Ok(Some(Standing { reached, behind }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::{Guard, store::Memory, tests::*},
        model::Outcome,
    };

    async fn write(ledger: &Ledger, run: &str) {
        let bodies = [
            opened("leaver"),
            planned(leaver()),
            started(0),
            finished(0, Outcome::Done),
        ];
        ledger.append(&Guard::default(), drafts(run, bodies)).await.unwrap();
        // Told after the answer: whoever asks next has waited for it.
        ledger.mirror().await.unwrap();
    }
    fn mirror(folder: &Path, target: Target) -> Mirror {
        Mirror {
            target,
            state: folder.join("mirror/00o1"),
        }
    }
    fn ledger(store: &Memory, mirror: Mirror) -> Ledger {
        Ledger::local(store.clone(), meta(), clock()).unwrap().mirrored(mirror)
    }
    fn seqs(held: &Held) -> Vec<Seq> {
        held.keys().copied().collect()
    }

    #[tokio::test]
    async fn each_entry_is_told_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jml.ndjson");
        let ledger = ledger(&Memory::new(), mirror(folder.path(), Target::File(file.clone())));
        write(&ledger, "r-1").await;
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<Line> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[3].step, lines[3].outcome.as_deref()), (Some(0), Some("done")));
        for name in ["alice", "dana", "00u1", "Andersson"] {
            assert!(!text.contains(name), "{name}: {text}");
        }
        write(&ledger, "r-2").await;
        let held = read(&fs::read_to_string(&file).unwrap(), "00o1");
        assert_eq!(seqs(&held), (1..=8).collect::<Vec<_>>());
        assert_eq!(read(&fs::read_to_string(&file).unwrap(), "00o2"), Held::new());
        assert_eq!(ledger.verify_with(None, held).await.unwrap().bad, None);
    }

    #[tokio::test]
    async fn a_mirror_that_fails_stops_nothing_and_catches_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("away/jml.ndjson");
        let store = Memory::new();
        let first = ledger(&store, mirror(folder.path(), Target::File(file.clone())));
        write(&first, "r-1").await;
        write(&first, "r-2").await;
        let standing = first.mirror().await.unwrap().unwrap();
        assert_eq!((standing.behind, standing.reached.failed), (8, 2));
        assert!(standing.reached.why.unwrap().contains("No such file"));
        drop(first);
        // Another process, later.
        fs::create_dir(file.parent().unwrap()).unwrap();
        let again = ledger(&store, mirror(folder.path(), Target::File(file.clone())));
        write(&again, "r-3").await;
        let held = read(&fs::read_to_string(&file).unwrap(), "00o1");
        assert_eq!(seqs(&held), (1..=12).collect::<Vec<_>>());
        let standing = again.mirror().await.unwrap().unwrap();
        assert_eq!(
            (standing.behind, standing.reached.failed, standing.reached.why),
            (0, 0, None)
        );
    }

    #[tokio::test]
    async fn whoever_holds_a_mirror_can_show_a_cut_tail_and_another_past() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jml.ndjson");
        let target = || mirror(folder.path(), Target::File(file.clone()));
        let whole = ledger(&Memory::new(), target());
        write(&whole, "r-1").await;
        write(&whole, "r-2").await;
        let held = || read(&fs::read_to_string(&file).unwrap(), "00o1");
        assert_eq!(whole.verify_with(None, held()).await.unwrap().bad, None);
        let cut = Ledger::local(Memory::new(), meta(), clock()).unwrap();
        cut.append(&Guard::default(), drafts("r-1", [opened("leaver")]))
            .await
            .unwrap();
        let bad = cut.verify_with(None, held()).await.unwrap().bad.unwrap();
        assert_eq!(
            (bad.seq, bad.why.as_str()),
            (Some(1), "it is not the entry that the mirror holds")
        );
        let empty = Ledger::local(Memory::new(), meta(), clock()).unwrap();
        let bad = empty.verify_with(None, held()).await.unwrap().bad.unwrap();
        assert_eq!(
            (bad.seq, bad.why.as_str()),
            (
                Some(1),
                "it is missing: the mirror holds entry 8, and there are 0 entries"
            )
        );
        // Another past under the same mirror is told whole, beside the first.
        let other = ledger(&Memory::new(), target());
        write(&other, "r-9").await;
        assert!(held().values().take(4).all(|hashes| hashes.len() == 2), "{:?}", held());
        assert_eq!(other.verify_with(None, held()).await.unwrap().bad.unwrap().seq, Some(1));
    }

    #[tokio::test]
    async fn syslog_and_the_journal_are_told_by_their_sockets() {
        let folder = tempfile::tempdir().unwrap();
        for target in [Target::Syslog, Target::Journald] {
            let path = folder.path().join("socket");
            let socket = UnixDatagram::bind(&path).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mirror = mirror(folder.path(), target(path.clone()));
            let ledger = ledger(&Memory::new(), mirror.clone());
            write(&ledger, "r-1").await;
            let mut said = String::new();
            for _ in 0..4 {
                let mut text = [0; 4096];
                let n = socket.recv(&mut text).unwrap();
                said += &String::from_utf8_lossy(&text[..n]).replace("MESSAGE=", "");
                said.push('\n');
            }
            assert_eq!(seqs(&read(&said, "00o1")), [1, 2, 3, 4], "{said}");
            match mirror.target {
                Target::Syslog(_) => assert!(said.starts_with("<110>1 2026-"), "{said}"),
                _ => assert!(said.contains("\nJML_SEQ=4\n"), "{said}"),
            }
            fs::remove_file(path).unwrap();
            fs::remove_file(&mirror.state).unwrap();
        }
    }
}
