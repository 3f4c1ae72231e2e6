//! `jml run restore`: a run's leavers are let in again, with what policy gives today. A compensating plan, never a rollback: what a run took
//! away and policy no longer gives stays away.

use super::{
    by_hand::{How, Typed, by_hand, needs_yes},
    preview::Ask,
    resume,
};
use crate::{
    cli::{command::run::RestoreArgs, context::Context, error::CliError, exit::Exit, firm::Firm, text},
    ledger::{PersonState, State},
    model::{Flow, Observed},
    planner::joiner::Welcome,
};

pub async fn restore(cx: &Context, args: RestoreArgs) -> Result<Exit, CliError> {
    needs_yes(cx, &args.gate)?;
    let firm = Firm::open(cx).await?;
    let state = resume::named(&firm, &args.run).await?;
    let mut found = vec![];
    for p in shut(cx, &state)? {
        match firm.look.directory.person(&p.subject).await {
            Ok(Observed::Present(person)) => found.push(person),
            Ok(Observed::Absent) => return Err(CliError::nobody(&p.login)),
            Ok(Observed::Unknown(f)) | Err(f) => return Err(CliError::unread(&f)),
        }
    }
    let ask = Ask::Joiner(Welcome {
        activate: true,
        rehire: false,
        restore: true,
    });
    let typed = Typed {
        kind: "restore",
        words: Some(format!("run restore {}", text::shell(&state.run))),
    };
    let people = firm.employ(found).await?;
    by_hand(cx, &firm, people, ask, &args.gate, How::YesNo, &typed).await
}

/// Whom the run shut, as far as it is over and nothing outranks HR.
fn shut<'a>(cx: &Context, state: &'a State) -> Result<Vec<&'a PersonState>, CliError> {
    let run = &state.run;
    let of = |p: &&PersonState| matches!(p.flow, Flow::Leaver | Flow::Leave) && !p.steps.is_empty();
    let people: Vec<&PersonState> = state.people.values().filter(of).collect();
    if people.is_empty() {
        return Err(CliError::refused(format!(
            "run {run} shut nobody: there is nothing to restore; nothing was done"
        ))
        .hint("What a mover lost and policy gives, jml mover gives."));
    }
    if people.iter().any(|p| !p.finished()) {
        return Err(
            CliError::refused(format!("run {run} is not finished; nothing was done"))
                .run("Finish it", cx.command(&format!("run resume {}", text::shell(run)))),
        );
    }
    let overruled = state.opened.as_ref().is_some_and(|(_, o)| o.reason.is_some());
    if overruled && people.iter().any(|p| !p.lifted) {
        return Err(CliError::refused(format!(
            "run {run} is an override, which outranks HR until it is lifted; nothing was done"
        ))
        .run(
            "Lift it",
            cx.command(&format!("run lift {} --reason TEXT", text::shell(run))),
        ));
    }
    Ok(people)
}
