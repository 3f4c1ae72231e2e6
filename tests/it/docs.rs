//! What the documents say of the tree is so: paths, links, tests, flags.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use clap::CommandFactory;
use regex::Regex;

use crate::generated::repository;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
    "docs/BREAKGLASS.md",
    "docs/CONTRIBUTING.md",
    "docs/DEPLOYMENT.md",
    "docs/EXEC.md",
    "docs/LIMITS.md",
    "docs/OUTPUT.md",
    "docs/SCIM.md",
    "docs/THREATS.md",
    "src/lib.rs",
];

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn sources(dir: &Path, out: &mut String) {
    for f in fs::read_dir(dir).unwrap().flatten() {
        let path = f.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|x| x == "rs") {
            out.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The functions that a `#[test]` or `#[tokio::test]` stands over, and properties.
static TESTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut text = String::new();
    sources(&repository().join("src"), &mut text);
    sources(&repository().join("tests"), &mut text);
    let test = Regex::new(r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)").unwrap();
    test.captures_iter(&text).map(|c| c[1].to_owned()).collect()
});

/// Names in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`\n]+)`").unwrap());
    QUOTED.captures_iter(text).map(|c| c.get(1).unwrap().as_str())
}

#[test]
fn every_threat_names_a_test_that_exists() {
    let text = read("docs/THREATS.md");
    let mut rows = 0;
    for row in text.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| what")) {
        let held = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let tests: Vec<&str> = quoted(held).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for t in tests {
            assert!(TESTS.contains(t), "there is no test {t}: {row}");
        }
        rows += 1;
    }
    assert!(rows > 30, "{rows} rows");
}

/// `src/…`, `tests/…`, `docs/…`: a part in capitals stands for a name that the reader chooses.
#[test]
fn every_path_that_a_document_names_exists() {
    let path = Regex::new(r"^(src|tests|docs|examples|man|completions|\.ci)/[\w./-]+$").unwrap();
    for document in DOCUMENTS {
        for name in quoted(&read(document)).filter(|n| path.is_match(n) && !n.contains("NAME")) {
            assert!(repository().join(name).exists(), "{document} names {name}");
        }
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#]+)(?:#[^)]*)?\)").unwrap();
    for document in DOCUMENTS.iter().filter(|d| d.ends_with(".md")) {
        let here = repository().join(document);
        for c in link.captures_iter(&read(document)) {
            if !c[1].starts_with("https://") {
                assert!(
                    here.parent().unwrap().join(&c[1]).exists(),
                    "{document} links to {}",
                    &c[1]
                );
            }
        }
    }
}

/// Each step of CONTRIBUTING names a file, and each way of growing has steps.
#[test]
fn contributing_has_steps_with_files() {
    let text = read("docs/CONTRIBUTING.md");
    for title in ["target", "command", "effect", "exit code"] {
        let head = format!("## Adding a{} {title}", if title.starts_with('e') { "n" } else { "" });
        let section = text.split(&head).nth(1).unwrap_or_else(|| panic!("no section {head}"));
        let section = section.split("\n## ").next().unwrap();
        let steps: Vec<&str> = section
            .lines()
            .filter(|l| l.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        assert!(steps.len() >= 3, "{head}: {steps:?}");
        for step in steps {
            assert!(quoted(step).any(|q| q.contains('/')), "{head}: no file in: {step}");
        }
    }
}

/// `jml leaver --dry-run` in running text: the words and the flags are the program's.
#[test]
fn every_command_that_a_document_names_exists() {
    let mut named = 0;
    for document in DOCUMENTS {
        for line in quoted(&read(document)).filter(|q| q.starts_with("jml ")) {
            let mut at = &jml::cli::args::Cli::command();
            let mut tree;
            for word in line.split_whitespace().skip(1).map(|w| w.trim_end_matches([',', '.'])) {
                if let Some(flag) = word.strip_prefix("--") {
                    let flag = flag.split('=').next().unwrap();
                    let global = jml::cli::args::Cli::command();
                    let has = |c: &clap::Command| c.get_arguments().any(|a| a.get_long() == Some(flag));
                    assert!(
                        has(at) || has(&global) || matches!(flag, "help" | "version"),
                        "{document}: `{line}` has no --{flag}"
                    );
                } else if let Some(sub) = at.find_subcommand(word) {
                    tree = sub.clone();
                    at = Box::leak(Box::new(tree));
                } else {
                    assert!(!at.has_subcommands(), "{document}: `{line}` is no command");
                }
            }
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}

#[test]
fn the_architectures_table_of_imports_is_the_one_that_is_held() {
    let text = read("docs/ARCHITECTURE.md");
    for (module, may) in crate::house::ALLOWED {
        let row = text
            .lines()
            .find(|l| l.starts_with(&format!("| {module} |")))
            .unwrap_or_else(|| panic!("no row {module}"));
        let words: BTreeSet<&str> = row
            .split(|c: char| !(c.is_alphanumeric() || c == ':'))
            .filter(|w| !w.is_empty())
            .collect();
        if *module == "cli" {
            continue; // told as "all but sandbox"
        }
        for m in *may {
            assert!(words.contains(m), "{row} lacks {m}");
        }
    }
}
