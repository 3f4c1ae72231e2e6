//! Completions and man pages from the tree of commands, for the files that a test compares.

use std::{io, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;

pub const SHELLS: [Shell; 4] = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell];

pub fn completions(folder: &Path) -> io::Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut Cli::command(), "jml", folder)?;
    }
    Ok(())
}

/// One page a command: `jml.1`, `jml-leaver.1`, `jml-groups-list.1`.
pub fn man(folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(Cli::command(), folder)
}
