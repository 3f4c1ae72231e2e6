//! Files of the sandbox: 0600 from their first moment, replaced in one step, folders 0700.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Opens for appending and reading. A link at that place is not followed.
pub fn append(path: &Path) -> io::Result<File> {
    refuse_link(path)?;
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The file holds this text afterwards, or what it held before: never half of it.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("no file name"))?
        .to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let _ = fs::remove_file(&new); // a leftover of a process that was killed here
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(&new, path)
}

pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Bytes that nobody can guess, as text: letters and digits.
pub fn secret(length: usize) -> io::Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = vec![0; length * 2];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes
        .chunks_exact(2)
        .map(|b| LETTERS[usize::from(u16::from_le_bytes([b[0], b[1]])) % 62] as char)
        .collect())
}

fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(io::Error::other("is a symbolic link")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        append(&path).unwrap().write_all(b"!").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two!");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        assert!(append(&dir.path().join("link")).is_err());
    }

    #[test]
    fn secrets_differ() {
        let (a, b) = (secret(40).unwrap(), secret(40).unwrap());
        assert!(a.len() == 40 && a != b && a.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
