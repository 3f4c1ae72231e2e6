//! From what was typed to exactly one person, with HR's word on them. Strings only find candidates; nobody is chosen by likelihood.

use std::io::BufRead;

use crate::{
    cli::{
        confirm,
        context::Context,
        error::{Candidate, CliError},
        firm::Firm,
        text,
    },
    model::Person,
};

/// Longer input than any login, name or id is a mistake.
const LONGEST: usize = 300;

/// What was given, with `-` read from standard input: one a line, empty lines and comments left out.
pub fn given(users: &[String]) -> Result<Vec<String>, CliError> {
    let mut all = vec![];
    for user in users {
        if user != "-" {
            all.push(user.clone());
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| CliError::usage(format!("standard input can't be read: {e}")))?;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                all.push(line.to_owned());
            }
        }
    }
    if let Some(long) = all.iter().find(|u| u.len() > LONGEST) {
        return Err(CliError::usage(format!(
            "\"{}...\" is no login, id or name",
            text::middle_cut(long, 40)
        )));
    }
    if all.is_empty() {
        return Err(CliError::usage("no user was given"));
    }
    all.dedup();
    Ok(all)
}

/// One person each. On a terminal an ambiguous name offers a list; elsewhere it is exit 11, with the candidates.
pub async fn find(cx: &Context, firm: &Firm, users: &[String], kind: &str) -> Result<Vec<Person>, CliError> {
    let mut people: Vec<Person> = vec![];
    for who in users {
        let found = firm.look.directory.find(who).await.map_err(|f| CliError::unread(&f))?;
        let person = one(cx, firm, who, found, kind).await?;
        if !people.iter().any(|p| p.id == person.id) {
            people.push(person);
        }
    }
    firm.employ(people).await
}

async fn one(cx: &Context, firm: &Firm, who: &str, mut found: Vec<Person>, kind: &str) -> Result<Person, CliError> {
    // By login, not by likelihood.
    found.sort_by(|a, b| a.login.cmp(&b.login));
    match found.len() {
        0 => Err(CliError::nobody(who)),
        1 => Ok(found.remove(0)),
        _ => {
            let people = firm.employ(found).await?;
            let candidates: Vec<Candidate> = people.iter().map(candidate).collect();
            let chosen = confirm::which(cx, who, candidates, kind).await?;
            people
                .into_iter()
                .find(|p| p.login == chosen.login)
                .ok_or_else(|| CliError::internal("a choice outside the list"))
        }
    }
}

fn candidate(p: &Person) -> Candidate {
    let worker = p.worker();
    Candidate {
        login: p.login.clone(),
        name: p.name(),
        department: worker.and_then(|w| w.department.clone()).unwrap_or_default(),
        status: p.status.to_string(),
    }
}
