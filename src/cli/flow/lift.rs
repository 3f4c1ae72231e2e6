//! `jml run lift`: an override ends, and HR's word counts again. Written into the ledger, and nowhere else: nobody gets anything back by it.

use crate::{
    cli::{
        args::Output, command::run::LiftArgs, context::Context, error::CliError, exit::Exit, memory::Memory, text,
        view::list,
    },
    ledger::{
        Guard, PersonState,
        entry::{Body, Draft},
    },
    model::Flow,
};

/// A sentence, not a file.
const LONGEST: usize = 1000;

pub async fn lift(cx: &Context, args: LiftArgs) -> Result<Exit, CliError> {
    let reason = args.reason.trim().to_owned();
    if reason.is_empty() || reason.len() > LONGEST || reason.chars().any(char::is_control) {
        return Err(CliError::usage(format!(
            "--reason is a sentence of at most {LONGEST} bytes; nothing was done"
        )));
    }
    let memory = Memory::open(cx).await?;
    let ledger = memory.ledger()?;
    let state = memory.run(&args.run).await?;
    if state.opened.as_ref().is_none_or(|(_, o)| o.reason.is_none()) {
        return Err(CliError::refused(format!(
            "run {} overrules nobody's word: HR confirmed it; nothing was done",
            state.run
        )));
    }
    let stands = |p: &&PersonState| p.flow == Flow::Leaver && p.closed.is_some() && !p.lifted;
    let people: Vec<&PersonState> = state.people.values().filter(stands).collect();
    if people.is_empty() {
        return Err(CliError::stale(format!(
            "no override of run {} stands any more, or it is under way; nothing was done",
            state.run
        )));
    }
    let operator = memory.operator.name().await?;
    let drafts = people.iter().map(|p| Draft {
        run: state.run.clone(),
        operator: operator.clone(),
        body: Body::Lifted {
            subject: p.subject.clone(),
            reason: reason.clone(),
        },
    });
    let written = ledger.append(&Guard::default(), drafts.collect()).await?;
    let entry = written
        .last()
        .copied()
        .ok_or_else(|| CliError::internal("an entry was written and has no number"))?;
    let logins: Vec<String> = people
        .iter()
        .map(|p| text::safe(&p.login, cx.env.utf8).to_string())
        .collect();
    let said = format!(
        "The override of {} is lifted, and HR's word counts again",
        text::list(&logins)
    );
    let exit = list::noted(&cx.out, &memory.tenant, "run-lift", &said, entry)?;
    if cx.global.output == Output::Human {
        cx.out
            .talk("Nobody got anything back by it: the next sweep names who is shut while HR calls them active.");
    }
    Ok(exit)
}
