//! The README's transcripts are run again, in order, on a firm of their own, and compared; so is the example configuration.

use std::{fs, os::unix::fs::PermissionsExt, sync::LazyLock};

use regex::Regex;

use crate::{
    env::{Env, code},
    generated::repository,
};

/// One command, both streams in one file, in the order in which they were written.
fn run(env: &Env, line: &str) -> (String, i32) {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let path = env.path("out");
    let out = fs::File::create(&path).unwrap();
    let status = env
        .command(&words)
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .status()
        .unwrap();
    (fs::read_to_string(path).unwrap(), code(status))
}

/// What differs from run to run is not compared: instants, durations, numbers of records, ids of runs.
fn usual(text: &str) -> Vec<String> {
    static WORDS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"r-[0-9a-z]{6}\b", "RUN"),
            (r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", "PLAN"),
            (r"\b[0-9a-f]{64}\b", "HASH"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z", "INSTANT"),
            (r"\d{4}-\d\d-\d\d", "DAY"),
            (r"\d\d:\d\d:\d\dZ", "TIME"),
            (r"\b(\d+d\d\dh|\d+h\d\dm|\d+m\d\ds|\d+\.\d s)", "LONG"),
            (r"CHG\d+", "CHG"),
            (r"checkpoint \d+", "checkpoint N"),
            (r"\b\d+ entries", "N entries"),
            (r"\b(done|already)(\s+LONG)$", "ended $2"),
            (r" +", " "),
        ]
        .map(|(r, to)| (Regex::new(r).unwrap(), to))
        .into()
    });
    text.lines()
        .map(|l| {
            let line = WORDS
                .iter()
                .fold(l.to_owned(), |l, (r, to)| r.replace_all(&l, *to).into_owned());
            line.trim_end().to_owned()
        })
        .collect()
}

/// Steps that wait for nothing end in any order: they are compared as a set.
fn is_step(line: &str) -> bool {
    ["contain ", "Contained ", "remove ", "close ", "add ", "tell "]
        .iter()
        .any(|p| line.starts_with(p))
}

/// The first line that is told and isn't so.
fn untrue(told: &str, real: &str) -> Option<String> {
    let split = |text: &str| {
        usual(text.trim_end())
            .into_iter()
            .partition::<Vec<_>, _>(|l| is_step(l))
    };
    let ((told_steps, told), (steps, real)) = (split(told), split(real));
    if let Some(s) = told_steps.into_iter().find(|s| !steps.contains(s)) {
        return Some(s);
    }
    if fits(&told, &real) {
        return None;
    }
    let begins = |n: &usize| {
        let mut start = told[..*n].to_vec();
        start.push("...".into());
        fits(&start, &real)
    };
    let true_so_far = (0..=told.len()).rev().find(begins).unwrap_or(0);
    Some(
        told.get(true_so_far)
            .cloned()
            .unwrap_or_else(|| "(there is more)".into()),
    )
}

fn same(told: &str, real: &str) -> bool {
    untrue(told, real).is_none()
}

/// A line `...` stands for any lines, ` ...` at a line's end for the rest of it.
fn fits(told: &[String], real: &[String]) -> bool {
    match told.split_first() {
        None => real.is_empty(),
        Some((l, rest)) if l == "..." => (0..=real.len()).any(|n| fits(rest, &real[n..])),
        Some((l, rest)) => real.split_first().is_some_and(|(r, others)| {
            let one = match l.strip_suffix(" ...") {
                Some(start) => r.starts_with(start),
                None => l == r,
            };
            one && fits(rest, others)
        }),
    }
}

#[test]
fn the_readmes_transcripts_are_what_happens() {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let env = Env::new();
    let mut ran = 0;
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for part in block.split("$ ").skip(1) {
            let (line, told) = part.split_once('\n').unwrap();
            assert!(line.starts_with("jml "), "{line}");
            let (real, exit) = run(&env, line);
            assert_eq!(exit, 0, "$ {line}\n{real}");
            assert!(
                same(told, &real),
                "$ {line}\nthe README says\n{told}\nand it is\n{real}"
            );
            ran += 1;
        }
    }
    assert!(ran >= 4, "{ran} commands");
}

#[test]
fn a_transcript_that_is_not_so_is_noticed() {
    assert!(same("a\n...\nd r-5k2m9q", "a\nb\nc\nd r-000000"));
    assert!(same("a, ...", "a, b, c"));
    assert!(same(
        "add x  done  0.1 s\nb",
        "add y  done  0.2 s\nadd x  already  3.0 s\nb"
    ));
    assert!(!same("a\nb", "a\nc"));
    assert!(!same("a", "a\nb"));
    assert!(!same("add z\nb", "add y\nb"));
}

/// CI reads it from there: one command line, which stands alone.
#[test]
fn the_readme_has_one_test_command() {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let all: Vec<&str> = text.lines().filter(|l| l.starts_with("cargo test")).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(text.contains(&format!("```sh\n{}\n```", all[0])));
}

/// As a person would: in a place of one's own, nobody else may write to it.
#[test]
fn the_example_configuration_passes_config_check() {
    let env = Env::new();
    let to = env.path("jml.toml");
    fs::copy(repository().join("examples/jml.toml"), &to).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    let (said, exit) = run(&env, &format!("jml config check {}", to.display()));
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("holds: "), "{said}");
}
