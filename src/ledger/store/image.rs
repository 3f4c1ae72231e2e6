//! A digest of the file as the last writer left it, beside the ledger and gone while anybody writes.
//!
//! Half of a small database is room between rows: no hash of an entry covers it. This tells bytes that rotted there. It is no evidence:
//! whoever edits the file can make it anew.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub(super) struct Image {
    file: PathBuf,
    sum: PathBuf,
    /// Locked shared by everyone who has the ledger open; alone by the one who writes the digest.
    open: File,
    written: bool,
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Image {
    pub fn open(file: &Path) -> io::Result<Image> {
        let open = private(&file.with_extension("open"))?;
        open.lock_shared()?;
        Ok(Image {
            file: file.to_owned(),
            sum: file.with_extension("sum"),
            open,
            written: false,
        })
    }

    /// Before the first write: an old digest must not outlive it, not even through a power loss.
    pub fn writes(&mut self) -> io::Result<()> {
        if self.written {
            return Ok(());
        }
        match fs::remove_file(&self.sum) {
            Ok(()) => {
                let folder = self.sum.parent().filter(|p| !p.as_os_str().is_empty());
                File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        self.written = true;
        Ok(())
    }

    /// At the end, if nobody else has it open and `settled` says that all of it lies in the one file.
    pub fn ends(&mut self, settled: impl FnOnce() -> bool) -> io::Result<()> {
        if !self.written || self.open.try_lock().is_err() || !settled() {
            return Ok(());
        }
        let digest = digest(&self.file)?;
        let draft = self.sum.with_extension("sum.new");
        let mut file = private(&draft)?;
        file.set_len(0)?;
        writeln!(file, "{digest}")?;
        file.sync_all()?;
        fs::rename(draft, &self.sum)
    }

    /// `false`: not as it was left. Nothing can be said where somebody writes, or ended without saying goodbye.
    pub fn holds(&self) -> io::Result<bool> {
        match fs::read_to_string(&self.sum) {
            Ok(sum) => Ok(sum.trim_end() == digest(&self.file)?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(e) => Err(e),
        }
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&block[..n]),
        }
    }
}
