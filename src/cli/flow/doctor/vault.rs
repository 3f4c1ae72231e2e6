//! Where the secrets are kept: does it answer, may the reading role read what it must, and only that? No value is fetched for it, and
//! the writing role doesn't log in.

use std::collections::BTreeMap;

use super::{At, Block, Finding};
use crate::{
    cli::{error::CliError, exit::Exit, firm::Firm, text},
    config::Section,
    providers::secrets::vault::{Report, Rights},
};

pub(super) async fn block(firm: &Firm, section: &Section) -> Result<Block, CliError> {
    let at: At = section.parse()?;
    let mut block = Block {
        system: section.system.to_string(),
        url: at.url.clone(),
        ..Block::default()
    };
    let kept = firm.config.kept_in_vault();
    // A path that eyes read somewhere is one that they must read, though hands use it as well.
    let mut wanted: BTreeMap<&str, bool> = BTreeMap::new();
    for k in &kept {
        let eyes = wanted.entry(&k.path).or_default();
        *eyes |= !k.writes;
    }
    let Some(vault) = firm.parts().vault() else {
        return Ok(block);
    };
    let paths: Vec<String> = wanted.keys().map(|p| (*p).to_owned()).collect();
    let Report { health, token, paths } = vault.inspect(&paths).await;
    block.findings.push(match &health {
        Ok(said) => Finding::ok("health", said),
        Err(f) => Finding::of("health", f).costs("no credential can be read, so nothing can be done"),
    });
    let lost = "what it opens can't be read: the systems behind it are unknown to every command";
    match &token {
        Ok((life, policies)) => {
            let long = text::count(usize::try_from(*life).unwrap_or(usize::MAX), "second");
            block.findings.push(Finding::ok(
                "login",
                format!("the reading role, a token for {long}, policies {}", policies.join(", ")),
            ));
        }
        Err(f) => block.findings.push(Finding::of("login", f).costs(lost)),
    }
    match paths {
        Ok(all) => {
            let now = firm.now();
            for p in &all {
                block
                    .findings
                    .push(right(p, wanted.get(p.path.as_str()) == Some(&true)));
                if let Some((version, written)) = p.version {
                    let age = written.map_or(String::new(), |w| {
                        format!(
                            ", {} old",
                            text::count((now - w).num_days().max(0).unsigned_abs() as usize, "day")
                        )
                    });
                    block
                        .findings
                        .push(Finding::ok("version", format!("{}: version {version}{age}", p.path)));
                }
            }
        }
        // Told already.
        Err(_) if token.is_err() => {}
        Err(f) => block.findings.push(Finding::of("rights", &f).costs(lost)),
    }
    block.findings.push(Finding::unknown(
        "writing role",
        "doesn't log in before somebody agrees to a plan",
    ));
    Ok(block)
}

fn right(path: &Rights, eyes: bool) -> Finding {
    let reads = path.capabilities.iter().any(|c| c == "read" || c == "root");
    let has = |c: &&str| path.capabilities.iter().any(|h| h == c);
    let changes: Vec<&str> = ["root", "create", "update", "patch", "delete", "sudo"]
        .into_iter()
        .filter(has)
        .collect();
    if !changes.is_empty() {
        return Finding::look(
            "rights",
            format!("{}: the reading role may {} there", path.path, changes.join(", ")),
        )
        .costs("whoever holds the reading role could put another secret in its place")
        .repair("Give its policy read alone");
    }
    match (eyes, reads) {
        (true, true) => Finding::ok("rights", format!("{}: read", path.path)),
        (true, false) => Finding::failed(
            "rights",
            format!("{}: the reading role may not read it", path.path),
            Exit::Auth,
        )
        .needed_by("every command that looks at that system")
        .costs("the system is unknown to every command")
        .repair("Add read on that path to the reading role's policy"),
        (false, true) => Finding::look(
            "rights",
            format!("{}: the reading role can read a writing secret", path.path),
        )
        .costs("a preview could fetch what changes things")
        .repair("Keep writing secrets under a prefix of their own, outside the reading role's policy"),
        (false, false) => Finding::ok("rights", format!("{}: kept from the reading role", path.path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(capabilities: &[&str], eyes: bool) -> Finding {
        let path = Rights {
            path: "jml/prod/x".into(),
            capabilities: capabilities.iter().map(|c| (*c).to_owned()).collect(),
            version: None,
        };
        right(&path, eyes)
    }

    #[test]
    fn the_reading_role_reads_what_it_must_and_nothing_that_writes() {
        for (capabilities, eyes, result) in [
            (vec!["read"], true, "ok"),
            (vec!["deny"], true, "failed"),
            (vec!["read"], false, "look"),
            (vec!["deny"], false, "ok"),
            (vec!["read", "update"], true, "look"),
            (vec!["root"], true, "look"),
        ] {
            assert_eq!(of(&capabilities, eyes).check.result, result, "{capabilities:?} {eyes}");
        }
        assert_eq!(of(&["deny"], true).exit, Exit::Auth);
    }
}
