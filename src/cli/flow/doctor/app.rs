//! A system beside the directory: is it there, is it the pinned tenant, does the credential read?

use super::{At, Block, Finding};
use crate::{
    cli::{error::CliError, exit::Exit, firm::Firm, flow::posture},
    config::BaseUrl,
    config::{Read, Reference, SecretRef, Section, Write},
    http::path,
    model::{Failure, Kind},
    providers::{Row, registry},
};

/// It has been compared: here it is said with what.
fn tenant(section: &Section, row: &Row) -> Result<Finding, CliError> {
    Ok(match (row.pin, section.text(row.pin)?) {
        // No key of it could: what there is to compare was compared.
        ("", _) => Finding::ok("tenant", "as configured"),
        (key, Some(pin)) => Finding::ok("tenant", format!("{pin}, as {key} pins it")),
        (key, None) => Finding::look("tenant", "not pinned")
            .costs("a credential of another tenant would be taken for this one's")
            .repair(format!("Write {key} = \"...\" into [systems.{}]", section.system)),
    })
}

/// The usual pair; a system may have keys of its own beside it.
#[derive(serde::Deserialize)]
struct Keys {
    read: Option<SecretRef<Read>>,
    write: Option<SecretRef<Write>>,
}

pub(super) async fn block(firm: &Firm, section: &Section) -> Result<Block, CliError> {
    let row = registry::row(section)?;
    let at: At = section.parse()?;
    let mut block = Block {
        system: section.system.to_string(),
        url: at.url.clone(),
        ..Block::default()
    };
    match firm.look.eyes.get(&section.system) {
        Some(eyes) => {
            let read = async { futures::join!(eyes.pinned(), eyes.accounts(None), eyes.offers()) };
            let (pinned, accounts, offers) = read.await;
            let first = |f: &Failure| {
                Finding::of("read", f)
                    .costs(format!(
                        "{} is unknown to every command: a leaver stays open there",
                        section.system
                    ))
                    .repair(format!("See {}", row.page))
            };
            match (&pinned, &accounts) {
                (Ok(()), Ok(page)) => {
                    block.findings.push(tenant(section, row)?);
                    let more = if page.next.is_some() { "at least " } else { "" };
                    block
                        .findings
                        .push(Finding::ok("read", format!("sees {more}{} accounts", page.items.len())));
                }
                (Ok(()), Err(f)) | (Err(f), _) => block.findings.push(first(f)),
            }
            if let (Ok(()), Ok(_), Err(f)) = (&pinned, &accounts, &offers) {
                block
                    .findings
                    .push(Finding::of("offers", f).costs("what policy gives here can't be given by name"));
            }
        }
        None if row.is_witness() => block.findings.extend(witness(firm, section).await),
        None if row.is_recorder() => {
            block.findings.push(reachable(firm, section, &at).await);
            if let Some(tried) = registry::tried(section, firm.parts())? {
                block.findings.push(match tried.await {
                    Ok(()) => Finding::ok("credential", "the reading one is taken"),
                    Err(f) => Finding::of("credential", &f).repair(format!("See {}", row.page)),
                });
            }
        }
        None if row.is_roster() => block.findings.push(roster(firm, section).await),
        None => {}
    }
    block.findings.extend(needs(row));
    let keys: Keys = section.parse()?;
    block
        .findings
        .extend(credentials(firm, keys.read.as_ref(), keys.write.as_ref()));
    Ok(block)
}

/// Nothing needs a witness, so one that can't be asked is no failure of the configuration.
async fn witness(firm: &Firm, section: &Section) -> Vec<Finding> {
    let Some(witness) = firm.witnesses.get(&section.system) else {
        return Vec::new();
    };
    match posture::place(&**witness).await {
        Ok(sights) => sights
            .into_iter()
            .map(|s| match s.finding {
                true => Finding::look("witness", s.what),
                false => Finding::ok("witness", s.what),
            })
            .collect(),
        Err(f) => {
            let unasked = Finding::unknown("witness", format!("not asked: {f}"))
                .costs("what it could say is missing from jml show and jml audit posture; nothing else changes");
            let hint = f.hint.map(|h| h.text);
            vec![match hint {
                Some(hint) => unasked.repair(hint),
                None => unasked,
            }]
        }
    }
}

/// Recorders are only written to, so nothing of theirs can be read: does anything answer there?
async fn reachable(firm: &Firm, section: &Section, at: &At) -> Finding {
    let Some(url) = at.url.as_ref().and_then(|u| u.parse::<BaseUrl>().ok()) else {
        return Finding::unknown("reach", "the configuration names no address that could be asked");
    };
    let reader = firm.parts().anonymous(&section.system, &url, crate::http::plain);
    let what = format!("ask {} without a credential", section.system);
    match reader.get(path![].what(what)).await {
        Ok(_) => Finding::ok("reach", "something answers there"),
        Err(f) if answered(&f) => Finding::ok("reach", "something answers there"),
        Err(f) => Finding::of("reach", &f)
            .costs("records wait in the ledger, and are late after their deadline")
            .repair(format!(
                "Is [systems.{}] url right, and may this host reach it?",
                section.system
            )),
    }
}

/// Whoever refuses is there; a gateway that finds nobody behind it isn't the system.
fn answered(f: &Failure) -> bool {
    let gateway = matches!(f.code.as_deref(), Some("502" | "503" | "504"));
    f.kind != Kind::Contradiction && f.code.is_some() && !gateway
}

/// The roster's own file or service, read whole as every command does.
async fn roster(firm: &Firm, section: &Section) -> Finding {
    match firm.roll_of(&section.system).await {
        Ok(Some(roll)) => Finding::ok("read", format!("{} records", roll.workers.len())),
        Ok(None) => Finding::look("roster", "is neither [roster] source nor leavers, so nothing reads it"),
        Err(e) => {
            let why = e.why.iter().map(|w| format!("; {w}")).collect::<String>();
            let repair = e
                .hints
                .first()
                .map_or_else(|| "mend the source; nothing is guessed".to_owned(), |h| h.text.clone());
            let exit = match e.exit {
                Exit::Auth | Exit::Unavailable | Exit::Brake => e.exit,
                _ => Exit::Usage,
            };
            Finding::failed("read", format!("{}{why}", e.message), exit)
                .needed_by("joiner, mover, leaver, sweep")
                .costs("nobody's employment is known, so nothing is planned")
                .repair(repair)
        }
    }
}

/// What the hands of this kind of system need. No vendor tells it of a token that was only read with.
pub(super) fn needs(row: &Row) -> Option<Finding> {
    let writes: Vec<&str> = row.needs.iter().filter(|n| n.writes).map(|n| n.scope).collect();
    (!writes.is_empty()).then(|| {
        Finding::unknown(
            "write rights",
            format!("not tried, for doctor changes nothing; needed: {}", writes.join(", ")),
        )
    })
}

/// Two credentials where there could be one; and whether files of secrets are there, by a look from outside.
pub(super) fn credentials(
    firm: &Firm,
    read: Option<&SecretRef<Read>>,
    write: Option<&SecretRef<Write>>,
) -> Vec<Finding> {
    let mut out = vec![];
    match (read, write) {
        (Some(r), Some(w)) if r.reference() == w.reference() => out.push(one("read and write are the same credential")),
        (Some(_), Some(_)) => out.push(Finding::ok("credentials", "one that reads, another that writes")),
        (None, Some(_)) => out.push(one("write serves both")),
        (Some(_), None) | (None, None) => {}
    }
    if let Some(w) = write {
        out.extend(file(firm, w.reference()));
    }
    out
}

fn one(what: &str) -> Finding {
    Finding::look("credentials", format!("{what}: looking holds the right to change"))
        .repair("Give [systems.NAME] a read credential of its own, without write rights")
}

fn file(firm: &Firm, reference: &Reference) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let Reference::File(path) = reference else {
        return Some(Finding::unknown(
            "write secret",
            format!("{reference} is not fetched before somebody agrees to a plan"),
        ));
    };
    let costs = "nothing can be changed here: every step would fail";
    match std::fs::metadata(firm.parts().folder().join(path)) {
        Err(e) => Some(
            Finding::failed("write secret", format!("{reference}: {e}"), Exit::Auth)
                .needed_by("every command that changes something")
                .costs(costs)
                .repair("Put the secret there, mode 0600, owned by whom jml runs as"),
        ),
        Ok(m) if m.permissions().mode() & 0o077 != 0 => Some(
            Finding::failed("write secret", format!("{reference} can be read by others"), Exit::Auth)
                .needed_by("every command that changes something")
                .costs(costs)
                .repair(format!("chmod 600 {}", path.display())),
        ),
        Ok(_) => None,
    }
}
