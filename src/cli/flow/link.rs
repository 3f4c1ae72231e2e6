//! `jml link`: an operator's word on whose an account is. Written into the ledger, and nowhere else.

use super::{note, people, say};
use crate::{
    cli::{command::link::Args, context::Context, error::CliError, exit::Exit, firm::Firm, text, view::list},
    ledger::entry::Body,
    model::{System, system::OKTA},
};

/// Longer than any vendor's account id.
const LONGEST: usize = 256;

pub async fn link(cx: &Context, args: Args) -> Result<Exit, CliError> {
    account(&args.account)?;
    let users = people::given(std::slice::from_ref(&args.user))?;
    let firm = Firm::open(cx).await?;
    let system = target(&firm, &args.system)?;
    let found = people::find(cx, &firm, &users, "link").await?;
    let [person] = found.as_slice() else {
        return Err(CliError::usage("an account is one person's; nothing was done"));
    };
    let linked = Body::Linked {
        subject: person.id.0.clone(),
        system: system.clone(),
        account: args.account.clone(),
        is: !args.not,
    };
    let entry = note::write(&firm, "link", None, linked).await?;
    let safe = |s: &str| text::safe(s, cx.env.utf8).to_string();
    let said = format!(
        "Account {} in {} is {}{}'s from now on",
        safe(&args.account),
        safe(system.as_str()),
        if args.not { "not " } else { "" },
        safe(&person.login)
    );
    list::noted(&cx.out, &say::tenant(&firm), "link", &said, entry)
}

/// An id of a vendor's: one word, of which nothing is lost when it is shown.
fn account(id: &str) -> Result<(), CliError> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if id.is_empty() || id.len() > LONGEST || id.chars().any(odd) {
        return Err(CliError::usage(format!(
            "\"{}\" is no account's id; nothing was done",
            text::middle_cut(id, 40)
        )));
    }
    Ok(())
}

/// A system that holds accounts, as the configuration names it.
fn target(firm: &Firm, typed: &str) -> Result<System, CliError> {
    if typed == OKTA.as_str() {
        return Err(CliError::usage(
            "in Okta everybody is their own account; nothing was done",
        ));
    }
    let apps: Vec<&System> = firm.look.eyes.keys().filter(|s| **s != OKTA).collect();
    match apps.iter().find(|s| s.as_str() == typed) {
        Some(system) => Ok((*system).clone()),
        None => {
            let known: Vec<&str> = apps.iter().map(|s| s.as_str()).collect();
            Err(CliError::usage(format!(
                "the configuration has no system \"{}\" with accounts; nothing was done",
                text::middle_cut(typed, 40)
            ))
            .hint(format!("It has {}.", text::list(&known))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word() {
        assert!(account("U02ALICE").is_ok());
        for odd in ["", "a b", "a\u{1b}[2J", "a\nb", &"x".repeat(257)] {
            assert_eq!(account(odd).unwrap_err().exit, Exit::Usage, "{odd:?}");
        }
    }
}
