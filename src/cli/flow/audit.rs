//! `jml audit`: what the ledger holds, for people and for programs. Speaks to no system, and writes nothing.

use std::{collections::BTreeSet, io::Read, path::Path};

use chrono::TimeDelta;

use crate::{
    cli::{
        args::Output,
        command::audit::{LogArgs, ShowArgs, SlaArgs, VerifyArgs},
        context::Context,
        document::{Bad, Entries, Entry as Row, Rows, Verified},
        error::CliError,
        exit::Exit,
        memory::Memory,
        text,
        view::{self, list::List},
    },
    ledger::{self, Entry, Filter, Held, Ledger, LedgerError, Seq, Verdict},
};

/// A checkpoint is three short lines and a few signatures.
const LONGEST: u64 = 64 << 10;
/// What `audit sla` tells of when nobody says since when.
const DAYS: i64 = 30;
const VERIFIED: &[&str] = &["entries", "head", "checkpoint", "bad"];

pub async fn log(cx: &Context, args: LogArgs) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let run = match &args.run {
        Some(run) => Some(memory.run(run).await?.run),
        None => None,
    };
    let rows = rows(memory.ledger()?, &args, run).await?;
    if let (true, Some(who)) = (rows.is_empty() && cx.global.output == Output::Human, &args.person) {
        cx.out.warn(&format!(
            "The ledger has nothing about {}; it knows people by login or Okta id.",
            text::safe(who, cx.env.utf8)
        ));
    }
    let list = List {
        kind: "audit-log",
        tenant: &memory.tenant,
        exit: Exit::Done,
        columns: view::audit::LOG,
        own_kind: true,
    };
    list.show(&cx.out, &rows, "", || Entries {
        run: args.run.as_ref().and(rows.first().map(|r| r.run.clone())),
        entries: rows.clone(),
    })?;
    Ok(Exit::Done)
}

/// The entries that were asked for. What a step's entry is about stands in the plan before it: their runs are read whole.
async fn rows(ledger: &Ledger, args: &LogArgs, run: Option<String>) -> Result<Vec<Row>, CliError> {
    let people = match &args.person {
        Some(who) => {
            let mut people = ledger.subjects_of(who).await?;
            people.insert(who.clone());
            Some(people)
        }
        None => None,
    };
    if people.is_none() && run.is_none() && args.since.is_none() {
        return Ok(view::audit::rows(&ledger.entries(Filter::default()).await?));
    }
    let mut runs: BTreeSet<String> = BTreeSet::new();
    let each = people.iter().flatten().cloned().map(Some);
    let none = people.is_none().then_some(None);
    for subject in each.chain(none) {
        let filter = Filter {
            run: run.clone(),
            since: args.since,
            subject,
            ..Filter::default()
        };
        runs.extend(ledger.entries(filter).await?.into_iter().map(|e| e.envelope.run));
    }
    let mut entries: Vec<Entry> = vec![];
    for run in runs {
        entries.extend(of_run(ledger, &run).await?);
    }
    entries.sort_by_key(|e| e.envelope.seq);
    let about = |e: &Entry, row: &Row| match &people {
        None => true,
        Some(people) => {
            let subject = e.body.as_ref().and_then(|b| b.subject());
            let login = |l: &String| args.person.as_ref().is_some_and(|who| who.eq_ignore_ascii_case(l));
            subject.is_some_and(|s| people.contains(s)) || row.login.as_ref().is_some_and(login)
        }
    };
    let rows = view::audit::rows(&entries);
    Ok(entries
        .iter()
        .zip(rows)
        .filter(|(e, row)| args.since.is_none_or(|t| row.time >= t) && about(e, row))
        .map(|(_, row)| row)
        .collect())
}

async fn of_run(ledger: &Ledger, run: &str) -> Result<Vec<Entry>, LedgerError> {
    let filter = Filter {
        run: Some(run.to_owned()),
        ..Filter::default()
    };
    ledger.entries(filter).await
}

pub async fn show(cx: &Context, args: ShowArgs) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let state = memory.run(&args.run).await?;
    let entries = of_run(memory.ledger()?, &state.run).await?;
    if cx.global.output == Output::Human {
        cx.out
            .data(&view::audit::show(&memory.tenant, &state, &entries, &cx.out.screen));
        return Ok(Exit::Done);
    }
    let rows = view::audit::rows(&entries);
    let list = List {
        kind: "audit-show",
        tenant: &memory.tenant,
        exit: Exit::Done,
        columns: view::audit::LOG,
        own_kind: true,
    };
    list.show(&cx.out, &rows, "", || Entries {
        run: Some(state.run.clone()),
        entries: rows.clone(),
    })?;
    Ok(Exit::Done)
}

pub async fn verify(cx: &Context, args: VerifyArgs) -> Result<Exit, CliError> {
    let kept = args.checkpoint.as_deref().map(|p| checkpoint(cx, p)).transpose()?;
    let memory = Memory::open(cx).await?;
    let held = match &args.mirror {
        Some(path) => mirror(path, &memory.tenant.org)?,
        None => Held::new(),
    };
    let told_of = args.mirror.as_ref().map(|_| held.len());
    let verdict = match &memory.ledger {
        Ok(ledger) => ledger.verify_with(kept.as_deref(), held).await,
        Err(e) => Err(e.clone()),
    };
    let verified = match verdict {
        Ok(verdict) => told(verdict, told_of),
        // What can't even be opened, or read to its end, is as bad as what doesn't hold.
        Err(LedgerError::Corrupt { seq, why }) => damaged(seq, why),
        Err(e) => return Err(e.into()),
    };
    let exit = if verified.bad.is_some() {
        Exit::Ledger
    } else {
        Exit::Done
    };
    let list = List {
        kind: "audit-verify",
        tenant: &memory.tenant,
        exit,
        columns: VERIFIED,
        own_kind: false,
    };
    match cx.global.output {
        Output::Human => cx
            .out
            .data(&view::audit::verified(&memory.tenant, &verified, &cx.out.screen)),
        Output::Json | Output::Ndjson => cx.out.document(&list.document(verified)),
        Output::Csv => list.show(&cx.out, std::slice::from_ref(&verified), "", || verified.clone())?,
    }
    Ok(exit)
}

fn checkpoint(cx: &Context, path: &Path) -> Result<String, CliError> {
    let unread = |why: String| CliError::usage(format!("--checkpoint {}: {why}", path.display()));
    let mut text = String::new();
    cx.named(path)
        .map_err(unread)?
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|e| unread(e.to_string()))?;
    // The whole of what `audit verify` printed may have been kept: the note begins with its origin.
    let lines: Vec<&str> = text.lines().skip_while(|l| !l.starts_with("jml/")).collect();
    if lines.is_empty() {
        return Err(unread("there is no checkpoint of jml in it".into()));
    }
    Ok(lines.join("\n") + "\n")
}

/// One without a line of this ledger shows nothing, and must not seem to.
fn mirror(path: &Path, organisation: &str) -> Result<Held, CliError> {
    let unread = |why: String| CliError::usage(format!("--mirror {}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|e| unread(e.to_string()))?;
    let held = ledger::mirror::read(&String::from_utf8_lossy(&text), organisation);
    if held.is_empty() {
        return Err(unread(format!(
            "there is no entry of organisation {organisation} in it"
        )));
    }
    Ok(held)
}

fn told(v: Verdict, mirror: Option<usize>) -> Verified {
    Verified {
        mirror,
        entries: v.entries,
        head: v.head,
        checkpoint: v.checkpoint,
        bad: v.bad.map(|b| Bad { seq: b.seq, why: b.why }),
    }
}

fn damaged(seq: Option<Seq>, why: String) -> Verified {
    Verified {
        mirror: None,
        entries: 0,
        head: None,
        checkpoint: None,
        bad: Some(Bad {
            why: match seq {
                Some(_) => why,
                None => format!("the ledger file is damaged: {why}"),
            },
            seq,
        }),
    }
}

/// Figures from a ledger that doesn't hold are no figures.
pub async fn sla(cx: &Context, args: SlaArgs) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let ledger = memory.ledger()?;
    let to = (memory.clock)();
    let from = args.since.unwrap_or(to - TimeDelta::days(DAYS));
    let verdict = ledger.verify(None).await?;
    if let Some(bad) = verdict.bad {
        return Err(CliError::from(LedgerError::Corrupt {
            seq: bad.seq,
            why: bad.why,
        }));
    }
    let all = ledger.sla(from).await?;
    if cx.global.output == Output::Human {
        let shown = view::audit::Sla {
            all: &all,
            from,
            to,
            promise: memory.config.policy.promise,
            checked: verdict.entries,
        };
        cx.out.data(&shown.human(&memory.tenant, &cx.flags(), &cx.out.screen));
        return Ok(Exit::Done);
    }
    let rows = view::audit::sla_rows(&all);
    let list = List {
        kind: "audit-sla",
        tenant: &memory.tenant,
        exit: Exit::Done,
        columns: view::audit::SLA,
        own_kind: false,
    };
    list.show(&cx.out, &rows, "", || Rows { rows: rows.clone() })?;
    Ok(Exit::Done)
}
