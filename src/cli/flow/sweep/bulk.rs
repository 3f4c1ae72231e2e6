//! Everybody page by page, and the members of each managed group page by page: never a call a person.
//!
//! A page that failed is not an empty tail, and a group that was not read whole is unknown.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use crate::{
    cli::{error::CliError, firm::Firm, flow::errors},
    ledger::PersonState,
    model::{Failure, Person, PersonId},
    planner::{
        guards::Memory,
        sweep::{self, Facts},
    },
    run::observe::Tenant,
};

/// Groups whose members are read side by side.
const WIDTH: usize = 4;

/// What bulk reads gave.
pub struct Read {
    pub facts: Facts,
    pub pages: usize,
    /// Who is done with, but for what people do by hand.
    pub by_hand: Vec<PersonState>,
}

/// Everybody page by page, and the members of each managed group page by page: never a call a person.
pub async fn read(firm: &Firm, tenant: &Tenant) -> Result<Read, CliError> {
    let (mut people, mut pages, mut from): (Vec<Person>, usize, _) = (vec![], 0, None);
    loop {
        let page = firm.look.directory.people(from).await.map_err(|f| errors::source(&f))?;
        pages += 1;
        people.extend(page.items);
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    // A page that was given twice counts once; the later one is the fresher.
    let people: BTreeMap<PersonId, Person> = people.into_iter().map(|p| (p.id.clone(), p)).collect();
    let people = firm.employ(people.into_values().collect()).await?;
    pages += firm.roster_pages();
    let everyone = firm.ledger.everyone().await?;
    let given: BTreeMap<PersonId, _> = everyone
        .given
        .iter()
        .map(|(s, g)| (PersonId(s.clone()), g.clone()))
        .collect();
    let grants: BTreeMap<PersonId, _> = everyone
        .grants
        .iter()
        .map(|(s, g)| (PersonId(s.clone()), g.clone()))
        .collect();
    let groups = sweep::managed_groups(&firm.config.policy, &tenant.catalogue, &given, &grants);
    let members: Vec<(String, Result<Vec<PersonId>, Failure>, usize)> = stream::iter(groups)
        .map(|g| async move {
            let (read, pages) = members(firm, &g).await;
            (g, read, pages)
        })
        .buffer_unordered(WIDTH)
        .collect()
        .await;
    let mut held: BTreeMap<PersonId, BTreeSet<String>> = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for (group, read, n) in members {
        pages += n;
        match read {
            Ok(ids) => ids.into_iter().for_each(|id| {
                held.entry(id).or_default().insert(group.clone());
            }),
            Err(f) => {
                unread.insert(group, f);
            }
        }
    }
    let last = firm.ledger.last_good_sweep().await?;
    let facts = Facts {
        people,
        held,
        unread,
        given,
        grants,
        open: everyone
            .open
            .iter()
            .map(|(s, flow)| (PersonId(s.clone()), *flow))
            .collect(),
        finished: everyone
            .finished
            .iter()
            .map(|(s, at)| (PersonId(s.clone()), *at))
            .collect(),
        approved: everyone.approved.iter().cloned().map(PersonId).collect(),
        overridden: everyone.overridden.iter().cloned().map(PersonId).collect(),
        missing: last
            .as_ref()
            .map(|(_, s)| s.missing.iter().map(|(id, at)| (PersonId(id.clone()), *at)).collect())
            .unwrap_or_default(),
        last: last.map(|(at, s)| {
            (
                at,
                Memory {
                    people: s.people,
                    fill: s.fill,
                    policy: s.policy,
                    canaries: s.canaries,
                },
            )
        }),
    };
    Ok(Read {
        facts,
        pages,
        by_hand: everyone.by_hand,
    })
}

pub(super) async fn members(firm: &Firm, group: &str) -> (Result<Vec<PersonId>, Failure>, usize) {
    let (mut ids, mut pages, mut from) = (vec![], 0, None);
    loop {
        match firm.look.directory.members(group, from).await {
            Ok(page) => {
                pages += 1;
                ids.extend(page.items.into_iter().map(|p| p.id));
                match page.next {
                    Some(next) => from = Some(next),
                    None => return (Ok(ids), pages),
                }
            }
            // A page that failed is not an empty tail: the whole group is unknown.
            Err(f) => return (Err(f), pages + 1),
        }
    }
}

pub(super) fn unread(read: &Read) -> Vec<String> {
    if read.facts.unread.is_empty() {
        vec![]
    } else {
        vec!["okta".to_owned()]
    }
}
