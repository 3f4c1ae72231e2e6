//! `jml doctor`: can this configuration do its work? What can be tried by reading is tried; what would change something is not.
//!
//! Write credentials are never fetched: they exist only after somebody agreed to something (`monitor`, the one exception, asks). Their
//! files are looked at from outside.

mod app;
mod directory;
mod monitor;
mod operators;
mod place;
mod vault;

use super::say;
use crate::{
    cli::{
        args::Output,
        command::doctor::Args,
        context::Context,
        document::{Check, Doctor, DoctorSystem, Document, JML},
        error::CliError,
        exit::Exit,
        firm::Firm,
        view::{self, list::List},
    },
    model::{Failure, Kind, System, system::OKTA},
    providers::registry,
};

/// A check, and what it makes of the exit code.
struct Finding {
    check: Check,
    exit: Exit,
}

impl Finding {
    fn new(check: &str, result: &str, subject: impl Into<String>, exit: Exit) -> Self {
        Finding {
            check: Check {
                check: check.to_owned(),
                result: result.to_owned(),
                subject: subject.into(),
                needed_by: None,
                consequence: None,
                repair: None,
            },
            exit,
        }
    }
    fn ok(check: &str, subject: impl Into<String>) -> Self {
        Self::new(check, "ok", subject, Exit::Done)
    }
    /// Worth a look; the work gets done.
    fn look(check: &str, subject: impl Into<String>) -> Self {
        Self::new(check, "look", subject, Exit::Done)
    }
    fn unknown(check: &str, subject: impl Into<String>) -> Self {
        Self::new(check, "unknown", subject, Exit::Done)
    }
    fn failed(check: &str, subject: impl Into<String>, exit: Exit) -> Self {
        Self::new(check, "failed", subject, exit)
    }
    /// A read that failed: a refused credential is 9, a system that isn't there 10.
    fn of(check: &str, f: &Failure) -> Self {
        let exit = match f.kind {
            Kind::Auth => Exit::Auth,
            Kind::Contradiction => Exit::Usage,
            Kind::Permanent | Kind::Cannot | Kind::Transient | Kind::Throttled | Kind::Doubt => Exit::Unavailable,
        };
        let request = f.request.as_ref().map(|r| format!(", request {r}")).unwrap_or_default();
        let mut finding = Self::failed(check, format!("{f}{request}"), exit);
        if let Some(h) = &f.hint {
            let command = h.command.as_ref().map(|c| format!(": {c}")).unwrap_or_default();
            finding.check.repair = Some(format!("{}{command}", h.text.trim_end_matches(['.', ':'])));
        }
        finding
    }
    fn needed_by(mut self, text: impl Into<String>) -> Self {
        self.check.needed_by = Some(text.into());
        self
    }
    fn costs(mut self, text: impl Into<String>) -> Self {
        self.check.consequence = Some(text.into());
        self
    }
    fn repair(mut self, text: impl Into<String>) -> Self {
        self.check.repair.get_or_insert(text.into());
        self
    }
}

/// A block of the screen.
#[derive(Default)]
struct Block {
    system: String,
    url: Option<String>,
    clock_ms: Option<i64>,
    findings: Vec<Finding>,
}

pub async fn doctor(cx: &Context, args: Args) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let wanted = args.system.as_deref();
    if let Some(name) = wanted
        && !firm.config.systems.keys().any(|s| s.as_str() == name)
    {
        let all: Vec<&str> = firm.config.systems.keys().map(System::as_str).collect();
        return Err(CliError::usage(format!("the configuration has no system {name}"))
            .hint(format!("It has {}.", all.join(", "))));
    }
    if args.write_monitor {
        return monitor::write(cx, &firm, &args).await;
    }
    let mut blocks = vec![];
    // The directory first: everything else stands behind it.
    let mut sections: Vec<_> = firm.config.systems.values().collect();
    sections.sort_by_key(|s| s.system != OKTA);
    for section in sections {
        if wanted.is_some_and(|w| w != section.system.as_str()) {
            continue;
        }
        cx.out.talk(&format!("Reading {} ...", section.system));
        blocks.push(if section.system == OKTA {
            directory::block(&firm, section).await?
        } else if registry::row(section)?.keeps_secrets() {
            vault::block(&firm, section).await?
        } else {
            app::block(&firm, section).await?
        });
    }
    if wanted.is_none() {
        blocks.push(place::block(cx, &firm).await?);
        blocks.push(operators::block(cx, &firm));
    }
    report(cx, &firm, blocks, wanted)
}

fn report(cx: &Context, firm: &Firm, blocks: Vec<Block>, wanted: Option<&str>) -> Result<Exit, CliError> {
    let exit = worst(blocks.iter().flat_map(|b| &b.findings).map(|f| f.exit));
    let body = Doctor {
        systems: blocks
            .into_iter()
            .map(|b| DoctorSystem {
                system: b.system,
                url: b.url,
                clock_ms: b.clock_ms,
                checks: b.findings.into_iter().map(|f| f.check).collect(),
            })
            .collect(),
    };
    let tenant = say::tenant(firm);
    match cx.global.output {
        Output::Human => {
            let again = cx.command(&wanted.map_or_else(|| "doctor".into(), |w| format!("doctor {w}")));
            cx.out
                .data(&view::doctor::doctor(&tenant, &body, &again, &cx.out.screen));
        }
        Output::Json | Output::Ndjson => cx.out.document(&Document {
            jml: JML,
            kind: "doctor".into(),
            tenant: Some(firm.organisation.clone()),
            sandbox: firm.sandbox,
            exit: exit.code(),
            body,
        }),
        Output::Csv => {
            let list = List {
                kind: "doctor",
                tenant: &tenant,
                exit,
                columns: &[
                    "system",
                    "check",
                    "result",
                    "subject",
                    "needed_by",
                    "consequence",
                    "repair",
                ],
                own_kind: false,
            };
            let rows: Vec<Row> = body.systems.iter().flat_map(rows).collect();
            list.show(&cx.out, &rows, "", || ())?;
        }
    }
    Ok(exit)
}

#[derive(serde::Serialize)]
struct Row {
    system: String,
    #[serde(flatten)]
    check: Check,
}

fn rows(s: &DoctorSystem) -> Vec<Row> {
    let row = |c: &Check| Row {
        system: s.system.clone(),
        check: c.clone(),
    };
    s.checks.iter().map(row).collect()
}

/// Of several findings a wrong configuration outranks a refused credential, and that an absent system. A source that can't be believed
/// outranks them, as it does everywhere.
fn worst(all: impl Iterator<Item = Exit>) -> Exit {
    const RANK: [Exit; 5] = [Exit::Done, Exit::Unavailable, Exit::Auth, Exit::Usage, Exit::Brake];
    let rank = |e: &Exit| RANK.iter().position(|r| r == e).unwrap_or(0);
    all.max_by_key(rank).unwrap_or(Exit::Done)
}

/// Where a system is.
#[derive(serde::Deserialize)]
struct At {
    /// Whatever it begins with: a directory's is no web address.
    url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_outranks_nine_outranks_ten() {
        let all = [Exit::Done, Exit::Unavailable, Exit::Auth, Exit::Usage, Exit::Brake];
        for (n, e) in all.iter().enumerate() {
            assert_eq!(worst(all[..=n].iter().rev().copied()), *e);
        }
        assert_eq!(worst(std::iter::empty()), Exit::Done);
    }

    #[test]
    fn a_refused_credential_is_nine_and_its_hint_is_the_repair() {
        let f = Failure::new(Kind::Auth, "read people", "token expired")
            .code("401")
            .request(Some("r1".into()))
            .run("Renew the token", "jml doctor okta");
        let found = Finding::of("read", &f).repair("not this one");
        assert_eq!(found.exit, Exit::Auth);
        assert_eq!(found.check.subject, "read people: 401 token expired, request r1");
        assert_eq!(found.check.repair.as_deref(), Some("Renew the token: jml doctor okta"));
    }

    #[test]
    fn the_document_fits_its_schema() {
        let doc = Document {
            jml: JML,
            kind: "doctor".into(),
            tenant: Some("00o1".into()),
            sandbox: true,
            exit: 9,
            body: Doctor {
                systems: vec![DoctorSystem {
                    system: "okta".into(),
                    url: None,
                    clock_ms: Some(-3),
                    checks: vec![Finding::failed("scope", "x", Exit::Auth).costs("y").check],
                }],
            },
        };
        let schema = &crate::cli::document::schemas()["doctor"];
        let value = serde_json::to_value(&doc).unwrap();
        assert!(jsonschema::validator_for(schema).unwrap().is_valid(&value), "{value}");
    }
}
