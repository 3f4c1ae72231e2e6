//! Where the ledger is, and who could rewrite it.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use super::{Block, Finding};
use crate::{
    cli::{
        context::{Context, door::Door},
        error::CliError,
        exit::Exit,
        firm::Firm,
    },
    ledger::{Rights, Standing},
};

pub(super) async fn block(cx: &Context, firm: &Firm) -> Result<Block, CliError> {
    let mut block = kept(cx, firm).await?;
    block.findings.extend(firm.ledger.mirror().await?.map(mirrored));
    Ok(block)
}

/// A mirror that lags is told all of it by the next entry; one that fails, as soon as it can be.
fn mirrored(standing: Standing) -> Finding {
    let behind = match standing.behind {
        0 => "has every entry".to_owned(),
        n => format!("lacks the newest {n}"),
    };
    match standing.reached.why {
        None => Finding::ok("mirror", format!("it {behind}")),
        Some(why) => Finding::look(
            "mirror",
            format!("it {behind}: it failed {} times, last {why}", standing.reached.failed),
        )
        .costs("nobody outside could show what happened to those entries")
        .repair("Let jml reach what [ledger] mirror names; the next entry brings the rest along"),
    }
}

async fn kept(cx: &Context, firm: &Firm) -> Result<Block, CliError> {
    if let Some(rights) = firm.ledger.rights().await? {
        let mut findings = server(&rights);
        if let Some(spool) = &firm.spool {
            findings.extend(spooled(&spool.runs()?));
        }
        return Ok(Block {
            system: "ledger".into(),
            findings,
            ..Block::default()
        });
    }
    let path = match &firm.config.ledger.path {
        Some(p) => p.clone(),
        None => cx.state(&firm.config)?.join(format!("{}.db", firm.organisation)),
    };
    let mut findings = vec![Finding::ok("place", path.display().to_string())];
    findings.extend(rights(&path));
    let apart = matches!(Door::of(cx.env.sudo.as_ref()), Door::Sudo(_));
    findings.push(if firm.config.loopback_only() {
        Finding::ok("keeper", "loopback only: nobody is accused by it")
    } else if apart {
        Finding::ok("keeper", "the account that jml runs as, which operators enter by sudo")
    } else {
        Finding::look("keeper", "the ledger can be written by the person it accuses")
            .costs("whoever runs jml could rewrite what it recorded, as far as no checkpoint is kept elsewhere")
            .repair("Run jml as an account of its own, by sudo (docs/DEPLOYMENT.md)")
    });
    Ok(Block {
        system: "ledger".into(),
        findings,
        ..Block::default()
    })
}

/// jml's role may add and read; whoever owns the tables is somebody else.
fn server(rights: &Rights) -> Vec<Finding> {
    let Rights {
        server,
        owner,
        excess,
        durable,
        encrypted,
    } = rights;
    let way = if *encrypted {
        "TLS, verified"
    } else {
        "no TLS: this machine"
    };
    let mut out = vec![Finding::ok("place", format!("{server}; {way}"))];
    out.push(match excess.first() {
        None => Finding::ok(
            "keeper",
            format!("{owner} owns the tables; jml's role may add and read"),
        ),
        Some(why) => Finding::look("keeper", format!("jml's role could rewrite the ledger: {why}"))
            .costs("whoever runs jml could rewrite what it recorded, as far as no checkpoint is kept elsewhere")
            .repair("Work as a role with no more than docs/DEPLOYMENT.md grants it"),
    });
    if !durable {
        out.push(
            Finding::look("durable", "the server's fsync or full_page_writes is off")
                .costs("after its crash entries may be gone whose effects are not")
                .repair("Switch them on in postgresql.conf"),
        );
    }
    out
}

/// What was done while the ledger was out of reach, and is not in it yet.
fn spooled(runs: &[String]) -> Option<Finding> {
    let of = match runs {
        [] => return None,
        [one] => format!("run {one}"),
        more => format!("runs {}", more.join(", ")),
    };
    Some(
        Finding::look("spool", format!("{of}: written on this host and not in the ledger yet"))
            .costs("other hosts know nothing of it, and nobody finishes it")
            .repair("Any command that changes something brings it in, such as jml run resume"),
    )
}

/// The file is 0600 in a folder that nobody else can enter.
fn rights(path: &Path) -> Vec<Finding> {
    let mut out = vec![];
    let me = rustix::process::geteuid().as_raw();
    let mut look = |path: &Path, what: &str, mode: u32| match std::fs::metadata(path) {
        Err(e) => out.push(Finding::failed(
            "rights",
            format!("{}: {e}", path.display()),
            Exit::Usage,
        )),
        Ok(m) => {
            let found = m.permissions().mode() & 0o777;
            if m.uid() != me {
                out.push(
                    Finding::failed("rights", format!("the {what} belongs to uid {}", m.uid()), Exit::Usage)
                        .costs("its owner can rewrite the record")
                        .repair(format!("chown {} {}", me, path.display())),
                );
            } else if found & 0o077 != 0 {
                out.push(
                    Finding::look("rights", format!("the {what} has mode {found:o}"))
                        .costs("others on this machine can read names, or put another file in its place")
                        .repair(format!("chmod {mode:o} {}", path.display())),
                );
            } else {
                out.push(Finding::ok("rights", format!("{what} {found:o}")));
            }
        }
    };
    look(path, "file", 0o600);
    if let Some(folder) = path.parent() {
        look(folder, "folder", 0o700);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_jml_itself_could_rewrite_is_worth_a_look() {
        let good = Rights {
            server: "jml at db.acme.example:5432 as jml".into(),
            owner: "jml_owner".into(),
            excess: vec![],
            durable: true,
            encrypted: true,
        };
        let results = |r: &Rights| server(r).iter().map(|f| f.check.result.clone()).collect::<Vec<_>>();
        assert_eq!(results(&good), ["ok", "ok"]);
        let owns = Rights {
            excess: vec!["it owns the tables".into()],
            ..good.clone()
        };
        assert_eq!(results(&owns), ["ok", "look"]);
        let forgets = Rights { durable: false, ..good };
        assert_eq!(results(&forgets), ["ok", "ok", "look"]);
    }

    #[test]
    fn a_mirror_that_fails_is_worth_a_look() {
        let good = Standing {
            reached: Default::default(),
            behind: 0,
        };
        assert_eq!(mirrored(good.clone()).check.result, "ok");
        let mut bad = good;
        (bad.behind, bad.reached.failed, bad.reached.why) = (3, 2, Some("No such file".into()));
        let found = mirrored(bad).check;
        assert_eq!(
            (found.result.as_str(), found.subject.as_str()),
            ("look", "it lacks the newest 3: it failed 2 times, last No such file")
        );
    }

    #[test]
    fn what_lies_in_the_spool_is_named() {
        assert!(spooled(&[]).is_none());
        let found = spooled(&["r-1".into(), "r-2".into()]).unwrap();
        assert_eq!(found.check.result, "look");
        assert!(
            found.check.subject.starts_with("runs r-1, r-2: "),
            "{}",
            found.check.subject
        );
    }

    #[test]
    fn a_ledger_that_others_can_read_is_worth_a_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        std::fs::write(&path, "").unwrap();
        let set = |p: &Path, mode| std::fs::set_permissions(p, std::fs::Permissions::from_mode(mode)).unwrap();
        set(folder.path(), 0o700);
        set(&path, 0o640);
        let found = rights(&path);
        assert_eq!(found[0].check.result, "look");
        assert_eq!(found[0].check.repair, Some(format!("chmod 600 {}", path.display())));
        assert_eq!(found[1].check.result, "ok");
        set(&path, 0o600);
        assert!(rights(&path).iter().all(|f| f.check.result == "ok"));
        assert_eq!(rights(&folder.path().join("none"))[0].check.result, "failed");
    }
}
