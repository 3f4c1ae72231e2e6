//! What holds where `/etc/jml/jml.toml` is: this account is the firm's, and whoever is let in to it narrows, never widens.
//!
//! An operator may name files, and has none of the account's rights to them: the account reads for nobody what they can't read themselves.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use super::{Context, SYSTEM_WIDE, door::Door};
use crate::{
    cli::error::CliError,
    config::{Config, ConfigError},
    model::system::OKTA,
};

impl Context {
    /// Where the ledger lies that no path is given for. Under the system-wide configuration no variable moves it: the account's own home says.
    pub fn state(&self, config: &Config) -> Result<PathBuf, CliError> {
        if Path::new(config.path()) != Path::new(SYSTEM_WIDE) {
            return self.env.state();
        }
        let home = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
        home.map(|u| u.dir.join(".local/state/jml")).ok_or_else(|| {
            CliError::config("the account that runs this has no home on this machine, and [ledger] names no path")
        })
    }

    /// For a command that writes files where it is told: what the firm's account can write over is the record, and what it can make, others
    /// believe.
    pub fn not_for_visitors(&self, what: &str) -> Result<(), CliError> {
        match Door::of(self.env.sudo.as_ref()) {
            Door::Sudo(_) | Door::Contradiction(_) if Path::new(SYSTEM_WIDE).exists() => Err(CliError::refused(
                format!("{what} writes files, and this account's files are the firm's; nothing was done"),
            )
            .hint("Run it as yourself, without sudo.")),
            Door::Account(_) | Door::Sudo(_) | Door::Contradiction(_) => Ok(()),
        }
    }

    /// A file that somebody named on the command line. Whom sudo let in may name what is theirs or everybody's: its text, or a fault in it, is
    /// printed, and the account can read every credential.
    pub fn named(&self, path: &Path) -> Result<impl Read + use<>, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let door = Door::of(self.env.sudo.as_ref());
        let theirs = self.env.sudo.as_ref().and_then(|s| s.uid);
        // Of the opened file, not of the path: it can't be exchanged in between.
        let meta = file.metadata().map_err(|e| e.to_string())?;
        readable_by(&door, theirs, meta.uid(), meta.mode())?;
        Ok(file)
    }
}

fn readable_by(door: &Door, theirs: Option<u32>, owner: u32, mode: u32) -> Result<(), String> {
    const EVERYBODY: u32 = 0o004;
    match door {
        Door::Account(_) => Ok(()),
        Door::Sudo(_) | Door::Contradiction(_) if Some(owner) == theirs || mode & EVERYBODY != 0 => Ok(()),
        Door::Sudo(_) | Door::Contradiction(_) => {
            Err("it is neither yours nor everybody's to read, so it is not read for you".into())
        }
    }
}

/// A fault in a file that was named beside the system-wide one: its place, and none of its text, which may be a credential's.
pub(super) fn unshown(e: &ConfigError) -> CliError {
    let at = e.place().map(|(line, _)| format!(" (line {line})")).unwrap_or_default();
    let mut out = CliError::config(format!("{} is no configuration{at}", e.file()))
        .hint("Its text is not shown beside the system-wide file. As yourself: jml config check FILE");
    if let Some((line, column)) = e.place() {
        out = out.at(e.file(), Some(line), Some(column));
    }
    out
}

/// Another configuration beside the system-wide one: it speaks to this machine alone, runs nothing, names no file outside its own folder, and
/// is of another organisation, so that neither a credential nor the record can be reached by it.
pub(super) fn narrow(other: &Config, system: &Config) -> Result<(), CliError> {
    let refused = |why: String| {
        CliError::config(format!(
            "{SYSTEM_WIDE} exists: another configuration may only speak to this machine"
        ))
        .why(why)
        .hint("As yourself, without sudo, any configuration of your own will do.")
    };
    if !other.loopback_only() {
        return Err(refused(format!("{} names another address", other.path())));
    }
    let folder = other.folder();
    let meta = folder
        .metadata()
        .map_err(|e| refused(format!("{}: {e}", folder.display())))?;
    // A sticky folder keeps files from being taken, not links from being laid.
    if meta.mode() & 0o022 != 0 {
        return Err(refused(format!("others may write to {}", folder.display())));
    }
    if other.runs_programs() {
        return Err(refused("it runs a program".into()));
    }
    let firms: BTreeSet<PathBuf> = system.files().iter().map(|f| real(f)).collect();
    let own = real(&folder);
    for file in other.files() {
        let at = real(&file);
        let up = file.components().any(|c| c == Component::ParentDir);
        if up || !at.starts_with(&own) || firms.contains(&at) {
            return Err(refused(format!("it names {}, which is not beside it", file.display())));
        }
    }
    match (pin(other), pin(system)) {
        (Some(theirs), Some(ours)) if theirs == ours => Err(refused(format!("it is pinned to {ours} too"))),
        _ => Ok(()),
    }
}

/// Where it leads along every link, as far as it exists.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(above), Some(name)) => real(above).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}

fn pin(config: &Config) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Pin {
        org: Option<String>,
    }
    config.systems.get(&OKTA)?.parse::<Pin>().ok()?.org
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_somebody_names_is_theirs_or_everybodys() {
        let dana = Door::Sudo("dana".into());
        let read = |owner, mode| readable_by(&dana, Some(1001), owner, mode).is_ok();
        assert!(read(1001, 0o600) && read(0, 0o644) && read(990, 0o604));
        assert!(!read(990, 0o600) && !read(0, 0o640) && !read(990, 0o660));
        let forged = Door::Contradiction(String::new());
        assert!(readable_by(&forged, None, 990, 0o600).is_err());
        assert!(readable_by(&Door::Account("jml".into()), None, 990, 0o600).is_ok());
    }

    #[test]
    fn another_file_beside_the_system_wide_one_reaches_nothing_of_the_firms() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("own");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let outside = dir.path().join("secret");
        std::fs::write(&outside, "s").unwrap();
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        std::fs::write(folder.join("firms"), "s").unwrap();
        let firms = folder.join("firms").display().to_string();
        let parse = |path: &Path, org: &str, more: &str, ledger: &str| {
            let text = format!(
                "[systems.okta]\nurl = \"http://127.0.0.1:1\"\norg = \"{org}\"\n{more}\n[ledger]\npath = \"{ledger}\"\n[policy]\nzone = \"UTC\"\n"
            );
            Config::parse(&path.display().to_string(), text).unwrap()
        };
        let system = parse(
            Path::new(SYSTEM_WIDE),
            "00oFIRM",
            &format!("read = \"file:{firms}\""),
            "/var/lib/jml/a.db",
        );
        let at = folder.join("x.toml");
        let why = |org: &str, more: &str, ledger: &str| {
            narrow(&parse(&at, org, more, ledger), &system)
                .err()
                .map(|e| e.why.join(" "))
        };
        let own = folder.join("a.db").display().to_string();
        assert_eq!(why("00oOTHER", "read = \"file:token\"", &own), None);
        assert!(
            why("00oFIRM", "read = \"file:token\"", &own)
                .unwrap()
                .contains("pinned")
        );
        assert!(
            why("00oOTHER", "read = \"command:[\\\"/bin/cat\\\"]\"", &own)
                .unwrap()
                .contains("program")
        );
        for elsewhere in [
            format!("file:{}", outside.display()),
            "file:../secret".into(),
            "file:link".into(),
            format!("file:{firms}"),
        ] {
            let told = why("00oOTHER", &format!("read = \"{elsewhere}\""), &own).unwrap();
            assert!(told.contains("not beside it"), "{elsewhere}: {told}");
        }
        assert!(
            why("00oOTHER", "read = \"file:token\"", "/var/lib/jml/a.db")
                .unwrap()
                .contains("not beside it")
        );
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(
            why("00oOTHER", "read = \"file:token\"", &own)
                .unwrap()
                .contains("others may write")
        );
    }

    #[test]
    fn a_credential_that_is_named_as_a_configuration_is_not_shown() {
        let e = Config::parse("/etc/jml/slack", "xoxb-very-secret\n".into()).unwrap_err();
        assert!(
            CliError::from(e.clone()).human(true).contains("xoxb"),
            "else there is nothing to hide"
        );
        let shown = unshown(&e).human(true);
        assert!(!shown.contains("xoxb") && shown.contains("line 1"), "{shown}");
    }
}
