//! `jml help`: of a command, or a topic that belongs to none.

use clap::CommandFactory;

use crate::cli::{args::Cli, context::Context, context::VARIABLES, error::CliError, exit::Exit, text};

/// Help on a command, or on a topic: exit-codes, environment
#[derive(clap::Args, Debug)]
pub struct Args {
    /// exit-codes, environment, or a command's words
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
}

pub const TOPICS: &[&str] = &["exit-codes", "environment"];

pub fn run(cx: &Context, args: &Args) -> Result<Exit, CliError> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let told = match words[..] {
        ["exit-codes"] => exit_codes(),
        ["environment"] => environment(),
        ref words => of_command(words)?,
    };
    cx.out.data(&told);
    Ok(Exit::Done)
}

/// These are read in a terminal or copied into a ticket: 80 columns.
const WIDE: usize = 80;

/// A name, and behind it what it means, in lines that stand below one another.
fn row(name: &str, column: usize, meaning: &str) -> String {
    let mut out = String::new();
    let mut before = text::pad(name, column);
    for line in text::wrap(meaning, WIDE - column - 2) {
        out += &format!("{before}  {line}\n");
        before = " ".repeat(column);
    }
    out
}

pub fn exit_codes() -> String {
    let mut out = String::from("Each code says what to do next. Any other code is to be treated as a failure.\n\n");
    for (code, meaning) in Exit::table() {
        out += &row(&format!("{code:>5}"), 5, meaning);
    }
    out + "
Over many people the worst wins: 13, 1, 5, 14, 6, 9, 8, 10, 7, 11, 4, 12, 3, 0.
What is owed within its own deadline never raises the code.
Page on 1, 5, 9, 12, 13, and on 10 or 8 three times running.
Open a ticket for 2, 4, 6, 14.
"
}

pub fn environment() -> String {
    let mut out = String::from(
        "The environment may narrow what jml does. It never widens it, points elsewhere
or carries a secret (but for references env:NAME where all is loopback).

",
    );
    let column = VARIABLES.iter().map(|v| text::width(v.0)).max().unwrap_or(0);
    for (name, what) in VARIABLES {
        out += &row(name, column, what);
    }
    out
}

fn of_command(words: &[&str]) -> Result<String, CliError> {
    let mut tree = Cli::command();
    tree.build();
    let mut at = &mut tree;
    for word in words {
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            CliError::usage(format!("there is no command or topic \"{}\"", words.join(" "))).run(
                format!("Topics are {}; commands are listed by", TOPICS.join(" and ")),
                "jml help",
            )
        })?;
    }
    Ok(at.render_long_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_and_a_wrong_word_is_usage() {
        assert!(of_command(&["groups", "export"]).unwrap().contains("jml groups export"));
        assert_eq!(of_command(&["leavr"]).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn topics_fit_a_terminal() {
        for topic in [exit_codes(), environment()] {
            assert!(topic.lines().all(|l| text::width(l) <= WIDE), "{topic}");
        }
    }

    #[test]
    fn the_folder_of_commands_is_the_list_of_commands() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/command");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|f| f != "mod")
            .collect();
        let mut commands: Vec<String> = Cli::command()
            .get_subcommands()
            .map(|c| c.get_name().to_owned())
            .collect();
        files.sort();
        commands.sort();
        assert_eq!(files, commands);
    }
}
