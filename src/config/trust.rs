//! Whose file is it? A configuration decides who may be acted on, so whoever can write it, or any folder above it, rules.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use super::ConfigError;

/// Owned by root or the effective user, not writable by group or others, nor any folder above it, along every link. A folder of root's
/// with the sticky bit (the system's temp folder) is safe: nobody can take another's file out of it.
pub fn trusted(path: &Path) -> Result<(), ConfigError> {
    check(path, rustix::process::geteuid().as_raw()).map_err(|why| ConfigError::whole(path.display().to_string(), why))
}

/// More links than this are a loop.
const LINKS: usize = 40;

fn check(path: &Path, me: u32) -> Result<(), String> {
    // Lexically, but "..": that is met while walking, as the kernel would.
    let whole = std::path::absolute(path).map_err(|e| e.to_string())?;
    let mut left: Vec<OsString> = parts(&whole);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    folder(&at, me)?;
    while let Some(name) = left.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let meta = fs::symlink_metadata(&next).map_err(|e| format!("{}: {e}", next.display()))?;
        if meta.is_symlink() {
            owner(&next, meta.uid(), me)?;
            links += 1;
            if links > LINKS {
                return Err("too many links".into());
            }
            let target = fs::read_link(&next).map_err(|e| format!("{}: {e}", next.display()))?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            left.extend(parts(&target));
        } else if meta.is_dir() {
            folder(&next, me)?;
            at = next;
        } else if !left.is_empty() {
            return Err(format!("{} is no folder", next.display()));
        } else {
            if !meta.is_file() {
                return Err(format!("{} is not a regular file", next.display()));
            }
            owner(&next, meta.uid(), me)?;
            return unwritable(&next, meta.mode());
        }
    }
    Err(format!("{} is a folder", at.display()))
}

/// The last first, to be popped.
fn parts(path: &Path) -> Vec<OsString> {
    let named = path.components().rev().filter_map(|c| match c {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    named.collect()
}

fn folder(path: &Path, me: u32) -> Result<(), String> {
    const STICKY: u32 = 0o1000;
    let meta = fs::symlink_metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
    owner(path, meta.uid(), me)?;
    if meta.uid() == 0 && meta.mode() & STICKY != 0 {
        return Ok(());
    }
    unwritable(path, meta.mode())
}

fn owner(path: &Path, uid: u32, me: u32) -> Result<(), String> {
    if uid == 0 || uid == me {
        return Ok(());
    }
    Err(format!(
        "{} belongs to user {uid}; it must be root's or that of the user who runs this",
        path.display()
    ))
}

fn unwritable(path: &Path, mode: u32) -> Result<(), String> {
    if mode & 0o022 == 0 {
        return Ok(());
    }
    Err(format!(
        "others may write to {} (mode {:04o}): chmod go-w",
        path.display(),
        mode & 0o7777
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }
    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("jml.toml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        assert_eq!(check(&file, me()), Ok(()));
        for bad in [0o664, 0o646] {
            mode(&file, bad);
            assert!(check(&file, me()).unwrap_err().contains("chmod"));
        }
    }

    #[test]
    fn so_is_one_in_a_folder_that_others_may_write() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("open/inner");
        fs::create_dir_all(&inner).unwrap();
        let file = inner.join("jml.toml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o600);
        assert_eq!(check(&file, me()), Ok(()));
        mode(&dir.path().join("open"), 0o777);
        let why = check(&file, me()).unwrap_err();
        assert!(why.contains("open "), "{why}");
        // A link from a safe place doesn't make it safe.
        let link = dir.path().join("link.toml");
        symlink(&file, &link).unwrap();
        assert!(check(&link, me()).is_err());
    }

    #[test]
    fn another_users_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("jml.toml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o600);
        // The same file seen by somebody else: unless we are root, whose files everybody may trust.
        if me() != 0 {
            assert!(check(&file, me() + 1).unwrap_err().contains("belongs to user"));
        }
        assert!(check(dir.path(), me()).is_err());
    }
}
