//! The ticket that asks to overrule HR, read back where there is a desk to ask: it is there, it is open, it names the person.
//!
//! A desk that doesn't answer stops nobody from being contained: whoever stops it must not stop that.

use std::time::Duration;

use crate::{
    cli::{context::Context, error::CliError, firm::Firm, flow::preview::Subject, text},
    model::{Failure, Observed, Person},
    planner::leaver::overrules,
    providers::{Ticket, registry},
};

/// A desk is slow, and somebody may be at their keyboard. Retries end here too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of those whom HR does not confirm. The first ticket that is none ends the command: nothing was done yet.
pub async fn read_back(cx: &Context, firm: &Firm, subjects: &[Subject], number: &str) -> Result<(), CliError> {
    let against = subjects
        .iter()
        .filter(|s| s.plan.is_ok() && overrules(&s.seen.person, &firm.config.policy, firm.now()));
    let people: Vec<&Person> = against.map(|s| &s.seen.person).collect();
    if people.is_empty() {
        return Ok(());
    }
    for section in firm.config.systems.values() {
        let Some(desk) = registry::tickets(section, firm.parts())? else {
            continue;
        };
        let asked = tokio::time::timeout(PATIENCE, desk.ticket(number)).await;
        let read = asked.unwrap_or_else(|_| {
            let what = format!("read the ticket {number} in {}", section.system);
            let late = format!("no answer within {} s", PATIENCE.as_secs());
            Err(Failure::transient(what, late))
        });
        let named = format!("ticket {} in {}", text::middle_cut(number, 40), section.system);
        match read {
            Ok(Observed::Present(ticket)) => {
                for person in &people {
                    judge(&ticket, person).map_err(|why| {
                        CliError::refused(format!("{named} {why}; nothing was done")).hint(
                            "HR is overruled by an open ticket that names the person: login, address or whole name.",
                        )
                    })?;
                }
            }
            Ok(Observed::Absent) => {
                return Err(CliError::refused(format!("there is no {named}; nothing was done")));
            }
            Ok(Observed::Unknown(f)) | Err(f) => cx.out.warn(&cx.out.screen.safe(&format!(
                "! The {named} was not read ({}); containing does not wait for it.",
                f.summary
            ))),
        }
    }
    Ok(())
}

fn judge(ticket: &Ticket, person: &Person) -> Result<(), String> {
    if !ticket.open {
        return Err("is closed".to_owned());
    }
    let fold = |s: &str| s.to_lowercase();
    let said = fold(&ticket.text);
    let name = person.name();
    // One word of a name is many people's.
    let whole = Some(name).filter(|n| n.contains(' '));
    let names = [Some(person.login.clone()), Some(person.email.clone()), whole];
    if names
        .into_iter()
        .flatten()
        .any(|n| !n.is_empty() && word(&said, &fold(&n)))
    {
        return Ok(());
    }
    Err(format!("does not name {}", person.login))
}

/// Whole: `ann@acme.example` is not in `joann@acme.example`.
fn word(text: &str, wanted: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '@' | '-' | '_' | '+');
    text.match_indices(wanted).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let dotted = before == Some('.');
        !before.is_some_and(part) && !dotted && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole() {
        for text in [
            "leaver: ann@acme.example.",
            "ann@acme.example",
            "(ann@acme.example, today)",
        ] {
            assert!(word(text, "ann@acme.example"), "{text}");
        }
        for text in ["joann@acme.example", "jo.ann@acme.example", "ann@acme.examples", "ann"] {
            assert!(!word(text, "ann@acme.example"), "{text}");
        }
    }
}
