//! One operator at one desk: `jml ... --sandbox` on a fresh firm, and every document held against its schema.

use std::{fs, path::PathBuf};

use regex::Regex;
use serde_json::Value;

use crate::env::{Env, Out};

pub struct Desk(Env);

impl Desk {
    pub fn new() -> Desk {
        Desk(Env::new())
    }

    #[track_caller]
    pub fn ran(&self, exit: i32, args: &[&str]) -> Out {
        self.0.jml(&[args, &["--sandbox"]].concat()).exits(exit)
    }

    #[track_caller]
    pub fn document(&self, exit: i32, args: &[&str]) -> Value {
        let doc = self.ran(exit, &[args, &["-o", "json"]].concat()).json();
        let kind = doc["kind"].as_str().unwrap();
        let schema = &jml::cli::document::schemas()[kind];
        if let Err(e) = jsonschema::validate(schema, &doc) {
            panic!("{kind}: {e}\n{doc:#}");
        }
        assert_eq!((&doc["jml"], &doc["exit"]), (&1.into(), &exit.into()), "{doc:#}");
        doc
    }

    pub fn ledger(&self) -> PathBuf {
        self.0.path("state/jml/sandbox/ledger.db")
    }

    /// A file of the operator's own.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// The first that looks like the name of a run.
pub fn run_of(text: &str) -> String {
    let run = Regex::new(r"r-[0-9a-hjkmnp-tv-z]{6}").unwrap();
    let found = run.find(text).unwrap_or_else(|| panic!("no run: {text}"));
    found.as_str().to_owned()
}
