//! Completions and man pages from the tree of commands, for the files that a test compares.

use std::{fmt::Write, fs, io, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{args::Cli, context::VARIABLES, exit::Exit};

pub const SHELLS: [Shell; 4] = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell];

pub fn completions(folder: &Path) -> io::Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut Cli::command(), "jml", folder)?;
    }
    Ok(())
}

/// One page a command: `jml.1`, `jml-leaver.1`, `jml-groups-list.1`. The first also has the exit codes, the variables and the files.
pub fn man(folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(Cli::command(), folder)?;
    let path = folder.join("jml.1");
    let page = fs::read_to_string(&path)?;
    fs::write(path, page + &tail())
}

const FILES: &[(&str, &str)] = &[
    (
        "/etc/jml/jml.toml",
        "the configuration; else $XDG_CONFIG_HOME/jml/jml.toml",
    ),
    ("$XDG_STATE_HOME/jml/", "ledger and sandbox; else ~/.local/state/jml/"),
];

fn tail() -> String {
    let codes = Exit::table().into_iter().map(|(c, m)| (c.to_string(), m));
    let mut out = String::new();
    section(&mut out, "EXIT STATUS", codes);
    section(
        &mut out,
        "ENVIRONMENT",
        VARIABLES.iter().map(|(n, m)| ((*n).to_owned(), *m)),
    );
    section(&mut out, "FILES", FILES.iter().map(|(n, m)| ((*n).to_owned(), *m)));
    out
}

fn section<'a>(out: &mut String, title: &str, rows: impl Iterator<Item = (String, &'a str)>) {
    // A String takes all that is written.
    let _ = writeln!(out, ".SH \"{title}\"");
    for (name, meaning) in rows {
        let _ = writeln!(out, ".TP\n\\fB{}\\fR\n{}", roff(&name), roff(meaning));
    }
}

/// Nothing in it is a request or an escape.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_ours_is_no_request_of_roffs() {
        assert_eq!(roff(".so x"), "\\&.so x");
        assert_eq!(roff(r"\u{e5}"), r"\eu{e5}");
        assert!(tail().contains(".TP\n\\fB13\\fR\nledger verification failed\n"));
    }
}
