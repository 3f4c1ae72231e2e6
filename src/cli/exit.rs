//! Exit codes: the one table. `jml help exit-codes`, the man page and docs/OUTPUT.md are made from it.
//!
//! A code says what to do next, not what went wrong: a pager, a ticket and a retry are told apart by it.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    #[default]
    Done,
    Unexpected,
    Usage,
    Changes,
    Partial,
    Brake,
    Refused,
    Stale,
    Leased,
    Auth,
    Unavailable,
    Who,
    Late,
    Ledger,
    Paused,
    Declined,
    Interrupted,
    Terminated,
}

struct Row {
    exit: Exit,
    code: u8,
    meaning: &'static str,
}

const fn row(exit: Exit, code: u8, meaning: &'static str) -> Row {
    Row { exit, code, meaning }
}

/// The worst first: over many people the first of these that occurred is the code.
const WORST_FIRST: &[Row] = &[
    row(Exit::Ledger, 13, "ledger verification failed"),
    row(Exit::Unexpected, 1, "unexpected error: please report it"),
    row(Exit::Interrupted, 130, "interrupted; the ledger holds the rest"),
    row(Exit::Terminated, 143, "terminated; the ledger holds the rest"),
    row(
        Exit::Usage,
        2,
        "usage, configuration, or another tenant than the one pinned",
    ),
    row(
        Exit::Brake,
        5,
        "brake: too much at once, or a source that can't be believed",
    ),
    row(Exit::Paused, 14, "paused"),
    row(
        Exit::Refused,
        6,
        "refused: protected, policy, or an approval is missing",
    ),
    row(Exit::Auth, 9, "authentication or authorisation"),
    row(Exit::Leased, 8, "another run holds the lease: try again later"),
    row(
        Exit::Unavailable,
        10,
        "a system was unavailable and nothing was begun: try again later",
    ),
    row(Exit::Stale, 7, "stale: the world moved since the plan"),
    row(Exit::Who, 11, "person not found, or more than one"),
    row(
        Exit::Partial,
        4,
        "partial: a step failed or is overdue, a person was set aside, or a row rejected; the ledger holds the rest",
    ),
    row(Exit::Late, 12, "done, but later than promised"),
    row(Exit::Declined, 15, "declined at the prompt; nothing was done"),
    row(Exit::Changes, 3, "changes pending (--exit-code, groups diff)"),
    row(Exit::Done, 0, "done, or nothing to do"),
];

impl Exit {
    fn rank(self) -> usize {
        WORST_FIRST.iter().position(|r| r.exit == self).unwrap_or(0)
    }
    pub fn code(self) -> u8 {
        WORST_FIRST[self.rank()].code
    }
    pub fn meaning(self) -> &'static str {
        WORST_FIRST[self.rank()].meaning
    }
    #[must_use]
    pub fn worse(self, other: Exit) -> Exit {
        if other.rank() < self.rank() { other } else { self }
    }
    /// Of many people: the worst, or done where there was nobody.
    pub fn worst(all: impl IntoIterator<Item = Exit>) -> Exit {
        all.into_iter().fold(Exit::Done, Exit::worse)
    }
    /// By number, for help and manual.
    pub fn table() -> Vec<(u8, &'static str)> {
        let mut rows: Vec<_> = WORST_FIRST.iter().map(|r| (r.code, r.meaning)).collect();
        rows.sort_by_key(|r| r.0);
        rows
    }
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> ExitCode {
        ExitCode::from(e.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_many_wins_in_the_published_order() {
        let published = [13, 1, 5, 14, 6, 9, 8, 10, 7, 11, 4, 12, 3, 0];
        let ours: Vec<u8> = WORST_FIRST
            .iter()
            .map(|r| r.code)
            .filter(|c| published.contains(c))
            .collect();
        assert_eq!(ours, published);
        assert_eq!(Exit::worst([Exit::Done, Exit::Late, Exit::Partial]), Exit::Partial);
        assert_eq!(Exit::worst([Exit::Partial, Exit::Brake, Exit::Auth]), Exit::Brake);
        assert_eq!(Exit::worst([]), Exit::Done);
    }

    #[test]
    fn of_several_findings_configuration_outranks_rights_and_rights_outrank_an_outage() {
        assert_eq!(Exit::worst([Exit::Unavailable, Exit::Auth, Exit::Usage]), Exit::Usage);
        assert_eq!(Exit::worst([Exit::Unavailable, Exit::Auth]), Exit::Auth);
    }

    #[test]
    fn no_code_stands_for_two_things() {
        let codes = Exit::table();
        assert!(codes.windows(2).all(|w| w[0].0 < w[1].0), "{codes:?}");
    }
}
