//! A secret in a file that nobody else can read: a regular file of ours or root's, mode 0600 or less.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use secrecy::SecretString;

const MOST: u64 = 64 << 10;

pub(super) async fn read(path: &Path) -> Result<SecretString, String> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || private(&path))
        .await
        .map_err(|_| "reading it was cut short".to_owned())?
}

/// For who waits already.
pub fn private(path: &Path) -> Result<SecretString, String> {
    // Without O_NONBLOCK, a FIFO in its place would hang the run.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(|e| e.to_string())?;
    // Of the opened file, not of the path: it can't be exchanged in between.
    ours_alone(&file)?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MOST {
        return Err(format!("it is over {MOST} bytes"));
    }
    super::trimmed(bytes)
}

fn ours_alone(file: &File) -> Result<(), String> {
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a regular file".into());
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me && meta.uid() != 0 {
        return Err(format!(
            "it belongs to user {}, not to the one running this",
            meta.uid()
        ));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(format!(
            "others can open it (mode {:04o}): chmod 600",
            meta.mode() & 0o7777
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn only_a_private_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "hunter2\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let why = read(&path).await.unwrap_err();
        assert!(why.contains("0640") && !why.contains("hunter2"), "{why}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&path).await.unwrap().expose_secret(), "hunter2");
        assert!(read(dir.path()).await.unwrap_err().contains("regular"));
    }
}
