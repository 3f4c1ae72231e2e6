//! Witnesses: what another system saw. They read and say; nothing waits for them, and what they can't tell changes nothing.
//!
//! None is asked unless it is configured. What they say is shown and never written down: attack paths are nobody's record.

pub mod akamai;
pub mod crowdstrike;
mod edgegrid;
mod graphql;
pub mod wiz;

use std::collections::BTreeSet;

use super::Known;

/// Every address and login by which the person is known, lower case.
fn names(who: Known<'_>) -> BTreeSet<String> {
    let own = [&who.person.login, &who.person.email];
    let mut all: BTreeSet<String> = own
        .into_iter()
        .chain(&who.handles.addresses)
        .map(|a| a.to_lowercase())
        .collect();
    all.retain(|a| a.contains('@'));
    all
}
