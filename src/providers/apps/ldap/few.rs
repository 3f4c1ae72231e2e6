//! One entry or none, and what two names share.

use super::value::{Entry, leaf};
use crate::{http::sentence, model::Failure};

/// The part of two DNs that is the same, from the end.
pub(super) fn shared(a: &str, b: &str) -> String {
    let parts = |t: &str| t.split(',').map(|p| p.trim().to_owned()).rev().collect::<Vec<_>>();
    let same = parts(a)
        .into_iter()
        .zip(parts(b))
        .take_while(|(x, y)| x.eq_ignore_ascii_case(y));
    let mut same: Vec<String> = same.map(|(x, _)| x).collect();
    same.reverse();
    if same.is_empty() { a.to_owned() } else { same.join(",") }
}

pub(super) fn only(mut found: Vec<Entry>, what: &str) -> Result<Option<Entry>, Failure> {
    if found.len() > 1 {
        let names = found
            .iter()
            .take(5)
            .map(|e| leaf(e.dn()))
            .collect::<Vec<_>>()
            .join(" and ");
        let summary = format!("{} accounts answer to it: {}", found.len(), sentence(&names));
        return Err(
            Failure::contradiction(what, summary).hint("say which one is theirs: jml link LOGIN SYSTEM ACCOUNT")
        );
    }
    Ok(found.pop())
}
