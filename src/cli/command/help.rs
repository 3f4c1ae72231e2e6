//! `jml help`: of a command, or a topic that belongs to none.

use clap::CommandFactory;

use crate::cli::{args::Cli, context::Context, context::VARIABLES, error::CliError, exit::Exit};

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
    let text = match words[..] {
        ["exit-codes"] => exit_codes(),
        ["environment"] => environment(),
        ref words => of_command(words)?,
    };
    cx.out.data(&text);
    Ok(Exit::Done)
}

pub fn exit_codes() -> String {
    let mut out =
        String::from("Exit codes: each says what to do next. Any other code is to be treated as a failure.\n\n");
    for (code, meaning) in Exit::table() {
        out += &format!("{code:>5}  {meaning}\n");
    }
    out += "\nOver many people the worst wins: 13, 1, 5, 14, 6, 9, 8, 10, 7, 11, 4, 12, 3, 0.\n";
    out += "What is owed within its own deadline never raises the code.\n";
    out += "Page on 1, 5, 9, 12, 13, and on 10 or 8 three times running; a ticket for 2, 4, 6, 14.\n";
    out
}

pub fn environment() -> String {
    let mut out = String::from(
        "Environment: it may narrow what jml does, never widen it, point elsewhere or carry a secret\n(but for references `env:NAME` where every address is loopback).\n\n",
    );
    for (name, what) in VARIABLES {
        out += &format!("{name:<18} {what}\n");
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
