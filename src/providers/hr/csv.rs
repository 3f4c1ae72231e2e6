//! A roster in a file. It is a snapshot of everyone, believed whole or not at all: a broken structure refuses it, a bad value in one row
//! sets that person aside. Nobody leaves by not being in it.
//!
//! Facts: api/csv.md. It never changes what it reads, and never guesses an encoding, a delimiter or the form of a date.

mod date;
mod fault;
mod people;
mod table;
#[cfg(test)]
mod tests;

use std::{
    fs::OpenOptions,
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use self::{
    fault::Fault,
    table::{Form, Table},
};
use crate::{
    config::Roster,
    http::Clock,
    model::{Age, Failure, System, Worker},
    providers::{Cursor, Employ, Look, Page, Row, Settings as Check, Source},
};

pub const ROW: Row = Row::new("csv")
    .roster::<Csv>()
    .page("https://www.rfc-editor.org/rfc/rfc4180");

/// How the bytes are read; `[roster]` says what the words mean.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A relative path starts at the configuration's folder.
    pub path: PathBuf,
    /// Where neither a byte order mark nor UTF-8 says it: `windows-1252`.
    pub encoding: Option<String>,
    /// Default: a comma; a tab in UTF-16.
    pub delimiter: Option<char>,
    /// The header's line, from 1; what stands above is passed over.
    #[serde(default = "first")]
    pub header_line: usize,
    /// Words in the id's column that make a line a footer, beside the usual ones.
    #[serde(default)]
    pub footer: Vec<String>,
    /// The export never ends its last line; then a copy cut short can't be told by it.
    #[serde(default)]
    pub last_line_may_be_open: bool,
}

fn first() -> usize {
    1
}

impl Settings {
    /// A plain file, as `joiner --from` gets it.
    pub fn plain(path: impl Into<PathBuf>) -> Self {
        Settings {
            path: path.into(),
            encoding: None,
            delimiter: None,
            header_line: 1,
            footer: Vec::new(),
            last_line_may_be_open: false,
        }
    }
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        if let Some(name) = &self.encoding
            && encoding_rs::Encoding::for_label(name.as_bytes()).is_none()
        {
            return Err(format!("there is no encoding {name:?}; for example windows-1252"));
        }
        if self.header_line == 0 {
            return Err("header_line counts from 1".into());
        }
        Ok(())
    }
}

/// What a file says.
#[derive(Clone, Debug)]
pub struct Reading {
    /// One a person. Whoever is set aside has a `fault`.
    pub workers: Vec<Worker>,
    /// Records that are people, before folding.
    pub rows: usize,
    /// When the file was last changed.
    pub taken: Option<DateTime<Utc>>,
    /// SHA-256 of the bytes.
    pub digest: String,
}

/// Bytes from anywhere (`--from -`); `name` is what messages call them.
pub fn read(
    name: &str,
    bytes: &[u8],
    settings: &Settings,
    words: &Roster,
    now: DateTime<Utc>,
) -> Result<Reading, Failure> {
    understand(name, bytes, settings, words, now).map_err(|fault| fault.failure(name))
}

fn understand(
    name: &str,
    bytes: &[u8],
    settings: &Settings,
    words: &Roster,
    now: DateTime<Utc>,
) -> Result<Reading, Fault> {
    let form = Form {
        encoding: settings.encoding.as_deref(),
        delimiter: settings.delimiter,
        header_line: settings.header_line,
        open_end: settings.last_line_may_be_open,
    };
    let table: Table = table::read(bytes, &form)?;
    let (workers, rows) = people::read(name, &table, &settings.footer, words, now)?;
    Ok(Reading {
        workers,
        rows,
        taken: None,
        digest: hex::encode(Sha256::digest(bytes)),
    })
}

/// The file that the settings name, beside `folder` if its path is relative.
pub fn read_file(folder: &Path, settings: &Settings, words: &Roster, now: DateTime<Utc>) -> Result<Reading, Failure> {
    let path = folder.join(&settings.path);
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let (bytes, taken) = bytes(&path, now).map_err(|fault| fault.failure(&name))?;
    let mut reading = read(&name, &bytes, settings, words, now)?;
    reading.taken = Some(taken);
    companion(&path, reading.rows).map_err(|fault| fault.failure(&name))?;
    Ok(reading)
}

/// Larger exports aren't rosters.
const MOST: u64 = 256 << 20;
/// A younger file may still be written.
const YOUNG: TimeDelta = TimeDelta::seconds(10);

fn bytes(path: &Path, now: DateTime<Utc>) -> Result<(Vec<u8>, DateTime<Utc>), Fault> {
    let failed = |e: std::io::Error| Fault::file(format!("it can't be read: {e}"));
    // Without O_NONBLOCK, a FIFO in its place would hang the run.
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    if !before.is_file() {
        return Err(Fault::file("it is not a regular file"));
    }
    let taken = DateTime::from_timestamp(before.mtime(), 0).unwrap_or(DateTime::UNIX_EPOCH);
    if now - taken < YOUNG {
        return Err(Fault::file(format!(
            "it was changed less than {} s ago and may still be written",
            YOUNG.num_seconds()
        ))
        .hint("try again in a moment; whoever writes it should write beside it, then rename"));
    }
    if before.len() > MOST {
        return Err(Fault::file(format!("it is over {MOST} bytes")));
    }
    let mut bytes = Vec::new();
    Read::by_ref(&mut file)
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let after = file.metadata().map_err(failed)?;
    let stamp = |m: &std::fs::Metadata| (m.len(), m.mtime(), m.mtime_nsec());
    if stamp(&before) != stamp(&after) || bytes.len() as u64 != before.len() {
        return Err(Fault::file("it changed while it was read"));
    }
    Ok((bytes, taken))
}

/// `workers.csv.count` holds the number of records, where HR writes one: a file cut at a line's end shows by nothing else.
fn companion(path: &Path, rows: usize) -> Result<(), Fault> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".count");
    let text = match std::fs::read_to_string(&beside) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Fault::file(format!("its .count can't be read: {e}"))),
    };
    match text.trim().parse::<usize>() {
        Ok(said) if said == rows => Ok(()),
        Ok(said) => Err(Fault::file(format!(
            "its .count says {said} records, and it holds {rows}"
        ))),
        Err(_) => Err(Fault::file("its .count is no number")),
    }
}

pub struct Csv;

impl Source for Csv {
    type Settings = Settings;
    type Roster = File;
    fn accepts(words: &Roster) -> Result<(), String> {
        people::mapped(words)
    }
    fn roster(_: System, settings: Settings, words: &Roster, look: &Look) -> File {
        File {
            folder: look.folder().to_owned(),
            settings,
            words: words.clone(),
            clock: look.clock(),
            once: OnceCell::new(),
        }
    }
}

/// Read once a run: two looks at one file could differ.
pub struct File {
    folder: PathBuf,
    settings: Settings,
    words: Roster,
    clock: Clock,
    once: OnceCell<Result<Reading, Failure>>,
}

impl File {
    async fn reading(&self) -> Result<&Reading, Failure> {
        let read = || async {
            let (folder, settings, words, now) = (
                self.folder.clone(),
                self.settings.clone(),
                self.words.clone(),
                (self.clock)(),
            );
            tokio::task::spawn_blocking(move || read_file(&folder, &settings, &words, now))
                .await
                .unwrap_or_else(|_| Err(Failure::transient("read the roster", "reading it was cut short")))
        };
        self.once.get_or_init(read).await.as_ref().map_err(Clone::clone)
    }
}

impl Employ for File {
    async fn page(&self, _: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let workers = self.reading().await?.workers.clone();
        Ok(Page {
            total: Some(workers.len() as u64),
            items: workers,
            next: None,
        })
    }
    /// As old as the file.
    async fn age(&self) -> Result<Age, Failure> {
        Ok(self.reading().await?.taken.map_or(Age::Live, Age::Made))
    }
}
