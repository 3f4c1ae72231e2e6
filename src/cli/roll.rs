//! Who is employed, by a roster: read whole once a command, and people of the directory found in it by what strings it gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::OnceCell;

use super::{error::CliError, flow::errors};
use crate::{
    model::{Age, Failure, Person, System, Worker},
    providers::Roster,
};

/// A system that says who is employed, and what it said.
pub struct Hr {
    pub system: System,
    roster: Arc<dyn Roster>,
    roll: OnceCell<Roll>,
}

/// Whom the leavers' lane believes.
pub enum Leavers {
    /// The source of all lanes.
    Same,
    /// The directory's profiles, beside another source.
    Directory,
    Hr(Box<Hr>),
}

impl Hr {
    pub fn new(system: System, roster: Arc<dyn Roster>) -> Hr {
        Hr {
            system,
            roster,
            roll: OnceCell::new(),
        }
    }
    /// Everyone whom it knows.
    pub async fn roll(&self) -> Result<&Roll, CliError> {
        let read = self.roll.get_or_try_init(|| async {
            let (mut workers, mut pages, mut from) = (vec![], 0, None);
            loop {
                let page = self.roster.page(from).await?;
                pages += 1;
                workers.extend(page.items);
                match page.next {
                    Some(next) => from = Some(next),
                    None => return Ok::<_, Failure>(Roll::of(workers, pages)),
                }
            }
        });
        read.await.map_err(|f| errors::source(&f))
    }
    /// The same, if it was read.
    pub fn read(&self) -> Option<&Roll> {
        self.roll.get()
    }
    /// Others in its place; before the first look at it, or not at all.
    pub fn set(&self, workers: Vec<Worker>) {
        let _ = self.roll.set(Roll::of(workers, 1));
    }
    pub async fn age(&self) -> Result<Age, Failure> {
        self.roster.age().await
    }
}

/// Everyone whom the roster knows, read whole once a command, and found by what strings it gives.
#[derive(Debug, Default)]
pub struct Roll {
    pub workers: Vec<Worker>,
    pub pages: usize,
    by_login: BTreeMap<String, Vec<usize>>,
    by_email: BTreeMap<String, Vec<usize>>,
    by_key: BTreeMap<String, Vec<usize>>,
    by_universal: BTreeMap<String, Vec<usize>>,
}

impl Roll {
    fn of(workers: Vec<Worker>, pages: usize) -> Roll {
        let mut roll = Roll {
            pages,
            ..Roll::default()
        };
        for (i, w) in workers.iter().enumerate() {
            let put = |index: &mut BTreeMap<String, Vec<usize>>, key: &Option<String>| {
                if let Some(key) = key.as_deref().map(fold).filter(|k| !k.is_empty()) {
                    index.entry(key).or_default().push(i);
                }
            };
            put(&mut roll.by_login, &w.login);
            // An address finds only whom no login names.
            put(&mut roll.by_email, &w.email.clone().filter(|_| w.login.is_none()));
            put(&mut roll.by_key, &Some(w.key.clone()));
            put(&mut roll.by_universal, &w.universal);
        }
        roll.workers = workers;
        roll
    }
    /// By login, else by address, else by number; then what HR's own number ties to those. Strings only find, `employment::settle`
    /// decides.
    pub fn records(&self, p: &Person) -> Vec<Worker> {
        let number = p.profile.get("employeeNumber").map_or("", String::as_str);
        let mut found: BTreeSet<usize> = [
            (&self.by_login, p.login.as_str()),
            (&self.by_email, &p.email),
            (&self.by_key, number),
        ]
        .into_iter()
        .filter(|(_, key)| !key.is_empty())
        .find_map(|(index, key)| index.get(&fold(key)))
        .into_iter()
        .flatten()
        .copied()
        .collect();
        let tied: Vec<usize> = found
            .iter()
            .filter_map(|i| self.workers[*i].universal.as_deref())
            .filter_map(|u| self.by_universal.get(&fold(u)))
            .flatten()
            .copied()
            .collect();
        found.extend(tied);
        found.into_iter().map(|i| self.workers[i].clone()).collect()
    }
}

/// For finding only: case and composition of letters don't tell two people apart.
pub fn fold(s: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    s.trim().nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_two_forms_are_one() {
        assert_eq!(fold("Zoe\u{301}@ACME.example "), fold("zo\u{e9}@acme.example"));
    }
}
