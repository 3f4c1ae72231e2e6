//! The world on disk: one NDJSON file, a header and then a line a change, one write before the answer leaves.
//!
//! A kill keeps what was answered; a torn last line was never answered, so it never happened. No fsync: a power loss rewinds a toy.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files;

/// So many lines, and the file is written anew with the last of each entry.
const COMPACT: usize = 10_000;

const VERSION: u32 = 1;

/// Which firm it is: made again from these at each start, then the changes laid over it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub sandbox: u32,
    pub seed: u64,
    pub people: usize,
}

impl Header {
    pub fn new(seed: u64, people: usize) -> Header {
        Header {
            sandbox: VERSION,
            seed,
            people,
        }
    }
}

/// An entry as it is now; `None`: it is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub system: String,
    pub list: String,
    pub id: String,
    pub entry: Option<Value>,
}

pub struct Log {
    path: PathBuf,
    file: File,
    header: Header,
    lines: usize,
    last: BTreeMap<(String, String, String), Change>,
    /// Held for the life of the process; the kernel lets go of it when the process dies.
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process has it open")]
    Busy,
    #[error("it was made by another version (jml sandbox reset makes it anew)")]
    Version,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Log {
    /// Takes the lock, makes the file where there is none, cuts a torn last line.
    pub fn open(folder: &Path, fresh: Header) -> Result<Log, OpenError> {
        let lock = files::append(&folder.join("world.lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Busy),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        let path = folder.join("world.ndjson");
        let mut file = files::append(&path)?;
        let bytes = fs::read(&path)?;
        let mut lines = bytes
            .split_inclusive(|b| *b == b'\n')
            .take_while(|l| l.ends_with(b"\n"));
        let log = |header, file| Log {
            path: path.clone(),
            file,
            header,
            lines: 0,
            last: BTreeMap::new(),
            _lock: lock,
        };
        let Some(first) = lines.next() else {
            file.set_len(0)?;
            file.write_all(&line(&fresh)?)?;
            return Ok(log(fresh, file));
        };
        let header = serde_json::from_slice::<Header>(first)
            .ok()
            .filter(|h| h.sandbox == VERSION);
        let mut log = log(header.ok_or(OpenError::Version)?, file);
        let mut whole = first.len();
        for bytes in lines {
            let Ok(change) = serde_json::from_slice(bytes) else {
                break;
            };
            whole += bytes.len();
            log.keep(change);
        }
        log.file.set_len(whole as u64)?;
        Ok(log)
    }

    pub fn header(&self) -> Header {
        self.header
    }

    /// What to lay over the firm, an entry once, in the order of system, list and id.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.last.values()
    }

    /// Returns when the kernel has them: in one write, whole lines.
    pub fn write(&mut self, changes: Vec<Change>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for change in &changes {
            bytes.extend(line(change)?);
        }
        self.file.write_all(&bytes)?;
        changes.into_iter().for_each(|c| self.keep(c));
        if self.lines > COMPACT && self.lines > 2 * self.last.len() {
            self.compact()
        } else {
            Ok(())
        }
    }

    fn keep(&mut self, change: Change) {
        self.lines += 1;
        self.last
            .insert((change.system.clone(), change.list.clone(), change.id.clone()), change);
    }

    fn compact(&mut self) -> io::Result<()> {
        let mut text = line(&self.header)?;
        for change in self.last.values() {
            text.extend(line(change)?);
        }
        files::replace(&self.path, &String::from_utf8_lossy(&text))?;
        self.file = files::append(&self.path)?;
        self.lines = self.last.len();
        Ok(())
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(id: &str, n: usize) -> Change {
        Change {
            system: "okta".into(),
            list: "users".into(),
            id: id.into(),
            entry: Some(json!({ "n": n })),
        }
    }

    fn open(dir: &Path) -> Result<Log, OpenError> {
        Log::open(dir, Header::new(1, 60))
    }

    fn shown(log: &Log) -> Vec<String> {
        log.changes()
            .map(|c| format!("{} {}", c.id, c.entry.clone().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn the_last_of_each_entry_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path()).unwrap();
        log.write(vec![change("b", 1), change("a", 2)]).unwrap();
        log.write(vec![
            Change {
                entry: None,
                ..change("b", 0)
            },
            change("a", 3),
        ])
        .unwrap();
        drop(log);
        let log = Log::open(dir.path(), Header::new(9, 9)).unwrap();
        assert_eq!(shown(&log), ["a {\"n\":3}", "b null"]);
        assert_eq!(log.header(), Header::new(1, 60), "the firm is the stored one");
    }

    #[test]
    fn a_torn_last_line_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).unwrap().write(vec![change("a", 1)]).unwrap();
        files::append(&dir.path().join("world.ndjson"))
            .unwrap()
            .write_all(b"{\"system\":\"okta\",\"li")
            .unwrap();
        let mut log = open(dir.path()).unwrap();
        log.write(vec![change("b", 2)]).unwrap();
        drop(log);
        assert_eq!(shown(&open(dir.path()).unwrap()), ["a {\"n\":1}", "b {\"n\":2}"]);
    }

    #[test]
    fn a_second_opener_finds_it_busy() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path()).unwrap();
        assert!(matches!(open(dir.path()), Err(OpenError::Busy)));
        drop(first);
        assert!(open(dir.path()).is_ok());
    }

    #[test]
    fn a_long_file_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path()).unwrap();
        for n in 0..101 {
            log.write((0..100).map(|i| change(&i.to_string(), n)).collect())
                .unwrap();
        }
        log.write(vec![change("0", 7)]).unwrap();
        drop(log);
        let lines = fs::read_to_string(dir.path().join("world.ndjson"))
            .unwrap()
            .lines()
            .count();
        assert!(lines < 200, "{lines}");
        let log = open(dir.path()).unwrap();
        assert_eq!((log.changes().count(), shown(&log)[0].as_str()), (100, "0 {\"n\":7}"));
    }

    #[test]
    fn another_version_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("world.ndjson"),
            "{\"sandbox\":99,\"seed\":1,\"people\":2}\n",
        )
        .unwrap();
        assert!(matches!(open(dir.path()), Err(OpenError::Version)));
    }
}
