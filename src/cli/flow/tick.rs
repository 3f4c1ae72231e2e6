//! `jml run tick`: somebody did by hand what no program can, and says by what it can be seen. Written into the ledger, and nowhere else.

use crate::{
    cli::{
        command::run::TickArgs,
        context::Context,
        error::CliError,
        exit::Exit,
        memory::Memory,
        text,
        view::{
            list,
            report::tasks::{Open, open},
        },
    },
    ledger::{
        Guard,
        entry::{Body, Draft},
        fold,
    },
};

/// A sentence, not a file.
const LONGEST: usize = 1000;

pub async fn tick(cx: &Context, args: TickArgs) -> Result<Exit, CliError> {
    let evidence = sentence("--evidence", &args.evidence, "by what it can be seen")?;
    let memory = Memory::open(cx).await?;
    let ledger = memory.ledger()?;
    let (run, rest) = args
        .task
        .split_once('/')
        .map_or((args.task.as_str(), None), |(r, t)| (r, Some(t)));
    let state = memory.run(run).await?;
    let tasks: Vec<Open> = state.people.values().flat_map(|p| open(&state, p)).collect();
    let meant: Vec<&Open> = match rest {
        Some(_) => tasks.iter().filter(|t| named(t, &args.task, &state.run)).collect(),
        None => tasks.iter().collect(),
    };
    let [task] = meant.as_slice() else {
        return Err(which(&args.task, &tasks));
    };
    let operator = memory.operator.name().await?;
    let draft = |body| Draft {
        run: state.run.clone(),
        operator: operator.clone(),
        body,
    };
    let ticked = Body::Ticked {
        subject: task.subject.clone(),
        step: task.step,
        evidence,
    };
    let mut bodies = vec![draft(ticked.clone())];
    // Where it was the last thing left, the run is over.
    let mut after = state.clone();
    if fold::apply(&mut after, &ticked, (memory.clock)()).is_ok()
        && let Some(p) = after.people.get(&task.subject)
        && p.live().all(fold::StepRecord::settled)
    {
        bodies.push(draft(Body::Closed {
            subject: task.subject.clone(),
            result: p.result(),
        }));
    }
    let written = ledger.append(&Guard::default(), bodies).await?;
    let entry = written
        .first()
        .copied()
        .ok_or_else(|| CliError::internal("an entry was written and has no number"))?;
    let safe = |s: &str| text::safe(s, cx.env.utf8).to_string();
    let said = format!("\"{}\" is done, by {}", safe(&task.what), safe(&operator));
    list::noted(&cx.out, &memory.tenant, "run-tick", &said, entry)
}

/// The run may be typed by the beginning of its name.
fn named(task: &Open, typed: &str, run: &str) -> bool {
    let rest = |name: &str| name.split_once('/').map(|(_, rest)| rest.to_owned());
    task.name.starts_with(run) && rest(&task.name) == rest(typed)
}

fn which(typed: &str, open: &[Open]) -> CliError {
    let why = format!(
        "\"{}\" names no open task; nothing was done",
        text::middle_cut(typed, 80)
    );
    let error = CliError::new(Exit::Who, why);
    if open.is_empty() {
        return error.hint("Nothing in that run waits for a person.");
    }
    let names: Vec<String> = open.iter().map(|t| format!("{} ({})", t.name, t.what)).collect();
    error.hint(format!("Open: {}.", text::list(&names)))
}

/// For the ledger, and whoever reads it.
pub fn sentence(flag: &str, text: &str, says: &str) -> Result<String, CliError> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(CliError::usage(format!(
            "{flag} is a sentence of at most {LONGEST} bytes that says {says}; nothing was done"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_one_sentence() {
        assert_eq!(
            sentence("--evidence", " badge 4711 in the drawer ", "by what").unwrap(),
            "badge 4711 in the drawer"
        );
        for odd in ["", "  ", "a\nb", &"x".repeat(1001)] {
            assert_eq!(
                sentence("--evidence", odd, "by what").unwrap_err().exit,
                Exit::Usage,
                "{odd:?}"
            );
        }
    }
}
