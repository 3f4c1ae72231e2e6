//! `jml audit posture USER`: what the witnesses say of one person. It asks them alone, and writes nothing down.
//!
//! A witness that can't be asked says why and changes nothing else; nothing here is ever a reason to plan or to hold.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::join_all;

use super::{people, say};
use crate::{
    cli::{
        command::audit::PostureArgs,
        context::Context,
        document::{Rows, Sighting},
        error::CliError,
        exit::Exit,
        firm::Firm,
        text,
        view::list::List,
    },
    model::{Failure, Person, System},
    planner::employment::{Word, judge},
    providers::{BoxFuture, Handles, Known, Sight, Witness},
};

/// Nobody waits longer for a witness.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn posture(cx: &Context, args: PostureArgs) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    if firm.witnesses.is_empty() {
        return Err(CliError::usage("no witness is configured")
            .hint("A section [systems.crowdstrike] or [systems.wiz] in jml.toml makes one (docs/DEPLOYMENT.md)."));
    }
    let found = people::find(cx, &firm, &[args.user], "audit-posture").await?;
    let person = found
        .into_iter()
        .next()
        .ok_or_else(|| CliError::internal("nobody was found, and nothing said so"))?;
    let word = judge(&person, &firm.config.policy, firm.now());
    let rows = sightings(&firm, &person, &word).await;
    let count = |mark: &str| rows.iter().filter(|r| r.mark == mark).count();
    let (findings, unasked) = (count("finding"), count("unknown"));
    let mut exit = if findings > 0 { Exit::Changes } else { Exit::Done };
    if unasked > 0 {
        exit = exit.worse(Exit::Partial);
    }
    let mut after = text::count(findings, "finding");
    if unasked > 0 {
        after += &format!(", {unasked} not asked");
    }
    let tenant = say::tenant(&firm);
    let list = List {
        kind: "audit-posture",
        tenant: &tenant,
        exit,
        columns: &["login", "system", "what", "at", "mark"],
        own_kind: false,
    };
    list.show(&cx.out, &rows, &format!("{after}.\n"), || Rows { rows: rows.clone() })?;
    Ok(exit)
}

/// What each witness says of them; of one that can't be asked, why.
pub async fn sightings(firm: &Firm, person: &Person, word: &Word) -> Vec<Sighting> {
    let since = since(person, word, firm.now());
    let handles = Handles {
        addresses: [&person.login, &person.email]
            .into_iter()
            .map(|a| a.to_lowercase())
            .collect(),
        ..Handles::default()
    };
    let parts = BTreeSet::new();
    let who = Known {
        person,
        handles: &handles,
        parts: &parts,
    };
    let asked = firm
        .witnesses
        .iter()
        .map(|(system, witness)| async move { (system, patiently(witness.about(who, since)).await) });
    let mut rows = Vec::new();
    for (system, answer) in join_all(asked).await {
        rows.extend(said(&person.login, system, answer));
    }
    rows
}

/// Of the person who has left: since when.
fn since(person: &Person, word: &Word, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match word {
        Word::Left { leaving } => {
            let at = leaving.as_ref().map(|l| l.at);
            Some(at.or(person.status_changed).unwrap_or(now))
        }
        Word::Employed { .. } | Word::Missing | Word::SetAside(_) => None,
    }
}

async fn patiently(asked: BoxFuture<'_, Result<Vec<Sight>, Failure>>) -> Result<Vec<Sight>, Failure> {
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        Err(Failure::transient(
            "ask",
            format!("no answer within {} s", PATIENCE.as_secs()),
        ))
    })
}

/// Of this host's own place; for `doctor`.
pub async fn place(witness: &dyn Witness) -> Result<Vec<Sight>, Failure> {
    patiently(witness.place()).await
}

fn said(login: &str, system: &System, answer: Result<Vec<Sight>, Failure>) -> Vec<Sighting> {
    let row = |what: String, at: Option<DateTime<Utc>>, mark: &str| Sighting {
        login: login.to_owned(),
        system: system.to_string(),
        what,
        at,
        mark: mark.to_owned(),
    };
    match answer {
        Ok(sights) => sights
            .into_iter()
            .map(|s| row(s.what, s.at, if s.finding { "finding" } else { "ok" }))
            .collect(),
        Err(f) => vec![row(format!("not asked: {f}"), None, "unknown")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_witness_that_never_answers_is_not_waited_for() {
        let silent: BoxFuture<'_, _> = Box::pin(std::future::pending());
        let rows = said("amy@acme.example", &System::of("wiz"), patiently(silent).await);
        assert_eq!((rows.len(), rows[0].mark.as_str()), (1, "unknown"));
        assert!(rows[0].what.starts_with("not asked: "), "{}", rows[0].what);
    }

    #[test]
    fn a_finding_is_told_from_a_fact() {
        let both = vec![Sight::fact("risk 0.10 NORMAL"), Sight::finding("signed in")];
        let rows = said("amy@acme.example", &System::of("crowdstrike"), Ok(both));
        assert_eq!(
            rows.iter().map(|r| r.mark.as_str()).collect::<Vec<_>>(),
            ["ok", "finding"]
        );
    }
}
