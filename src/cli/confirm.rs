//! Questions: asked only where a person sits, after the plan was shown and before any lease is held. Elsewhere the refusal names the flag.

use std::{collections::BTreeSet, io};

use super::{
    context::Context,
    error::{self, Candidate, CliError},
    signal::Stage,
    text,
};
use crate::{
    model::{Flow, Plan},
    planner::consent::Consent,
};

/// What a person gets wrong more often than this is no slip.
const TRIES: usize = 3;

/// A leaver's login, typed: at the prompt, or beforehand by `--confirm`, which names one person and no other.
pub async fn leavers(cx: &Context, plans: &[Plan], confirm: &[String]) -> Result<Consent, CliError> {
    let wanted: Vec<&str> = plans.iter().map(|p| p.login.as_str()).collect();
    let due: Vec<&str> = plans
        .iter()
        .filter(|p| p.flow == Flow::Leaver && !p.is_empty())
        .map(|p| p.login.as_str())
        .collect();
    let mut typed = confirmed(&wanted, confirm)?;
    let missing: Vec<&str> = due.into_iter().filter(|l| !typed.contains(*l)).collect();
    if missing.is_empty() {
        return Ok(Consent::Typed(typed));
    }
    if !cx.can_ask() {
        return Err(unconfirmed(cx, &missing));
    }
    for login in missing {
        cx.out
            .say("To take away this access, type the login (Enter alone stops):");
        let mut tries = 0;
        loop {
            let line = ask(cx, ">").await?;
            if line.is_empty() {
                return Err(CliError::declined());
            }
            if line.eq_ignore_ascii_case(login) {
                break;
            }
            tries += 1;
            if tries == TRIES {
                return Err(CliError::declined());
            }
            cx.out.say(&format!("That is not {}", text::safe(login, cx.env.utf8)));
        }
        typed.insert(login.to_owned());
    }
    Ok(Consent::Typed(typed))
}

/// The plans' own logins that `--confirm` names. One of somebody else is a mistake: perhaps the whole command is.
pub fn confirmed(wanted: &[&str], confirm: &[String]) -> Result<BTreeSet<String>, CliError> {
    let mut typed = BTreeSet::new();
    for c in confirm {
        match wanted.iter().find(|w| w.eq_ignore_ascii_case(c)) {
            Some(login) => {
                typed.insert((*login).to_owned());
            }
            None => {
                return Err(CliError::usage(format!(
                    "--confirm {c} is not whom this is about: {}; nothing was done",
                    text::list(wanted)
                )));
            }
        }
    }
    Ok(typed)
}

pub fn unconfirmed(cx: &Context, missing: &[&str]) -> CliError {
    let flags: Vec<String> = missing
        .iter()
        .map(|l| format!("--confirm {}", text::shell(l)))
        .collect();
    let users: Vec<_> = missing.iter().map(|l| text::shell(l)).collect();
    CliError::usage(format!(
        "nobody can be asked here, and a leaver needs {}; nothing was done",
        text::list(&flags)
    ))
    .run(
        "Look first, then",
        cx.command(&format!("leaver {} {}", users.join(" "), flags.join(" "))),
    )
}

/// y or N. `command` is how the same is said beforehand.
pub async fn yes(cx: &Context, already: bool, question: &str, command: &str) -> Result<Consent, CliError> {
    if already {
        return Ok(Consent::Yes);
    }
    if !cx.can_ask() {
        return Err(
            CliError::usage("nobody can be asked here, and this needs --yes; nothing was done")
                .run("Look first, then", format!("{command} --yes")),
        );
    }
    let line = ask(cx, &format!("{question} [y/N]")).await?;
    if matches!(line.to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(Consent::Yes)
    } else {
        Err(CliError::declined())
    }
}

/// Which of several people is meant: a number on a terminal, else the list and how to say it.
pub async fn which(cx: &Context, typed: &str, mut all: Vec<Candidate>, command: &str) -> Result<Candidate, CliError> {
    all.sort_by(|a, b| a.login.cmp(&b.login));
    if !cx.can_ask() {
        let e = CliError::ambiguous(typed, all.clone());
        return Err(match all.first() {
            Some(first) => e.run(
                "Say which by login",
                cx.command(&format!("{command} {}", text::shell(&first.login))),
            ),
            None => e,
        });
    }
    cx.out.say(&format!(
        "\"{}\" fits {}:\n{}",
        text::safe(typed, cx.env.utf8),
        text::count(all.len(), "person"),
        error::candidates(&all, cx.env.utf8)
    ));
    for _ in 0..TRIES {
        let line = ask(cx, "Which number (Enter alone stops)?").await?;
        if line.is_empty() {
            break;
        }
        if let Some(n) = line.parse::<usize>().ok().filter(|n| (1..=all.len()).contains(n)) {
            return Ok(all.swap_remove(n - 1));
        }
        cx.out.say(&format!("A number from 1 to {} is wanted.", all.len()));
    }
    Err(CliError::declined())
}

/// A value that a command lacks (`config init`). Empty: the default, where there is one.
pub async fn value(cx: &Context, prompt: &str, default: Option<&str>) -> Result<String, CliError> {
    let prompt = match default {
        Some(d) => format!("{prompt} [{d}]:"),
        None => format!("{prompt}:"),
    };
    let line = ask(cx, &prompt).await?;
    match (line.is_empty(), default) {
        (false, _) => Ok(line),
        (true, Some(d)) => Ok(d.to_owned()),
        (true, None) => Err(CliError::declined()),
    }
}

/// One line from the terminal, trimmed. End of input and Ctrl-C are "no".
async fn ask(cx: &Context, prompt: &str) -> Result<String, CliError> {
    cx.signals.enter(Stage::Asking);
    let (prompt, accessible) = (prompt.to_owned(), cx.env.accessible || cx.env.dumb);
    if accessible {
        cx.out.say(&prompt);
    }
    let answer = tokio::task::spawn_blocking(move || {
        if accessible {
            let mut line = String::new();
            return io::stdin().read_line(&mut line).map(|n| (n > 0).then_some(line));
        }
        dialoguer::Input::<String>::with_theme(&Bare)
            .with_prompt(prompt)
            .allow_empty(true)
            .report(true)
            .interact_text()
            .map(Some)
            .map_err(|dialoguer::Error::IO(e)| e)
    })
    .await;
    cx.signals.enter(Stage::Reading);
    match answer {
        Ok(Ok(Some(line))) => Ok(line.trim().to_owned()),
        Ok(Ok(None)) => Err(CliError::declined()),
        Ok(Err(e)) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) => {
            // The question's line is still open.
            cx.out.say("");
            Err(CliError::declined())
        }
        Ok(Err(e)) => Err(CliError::usage("the terminal can't be read; nothing was done").why(e.to_string())),
        Err(_) => Err(CliError::internal("the question failed; nothing was done")),
    }
}

/// The prompt as it stands, and the answer behind it.
struct Bare;

impl dialoguer::theme::Theme for Bare {
    fn format_input_prompt(&self, f: &mut dyn std::fmt::Write, prompt: &str, _: Option<&str>) -> std::fmt::Result {
        write!(f, "{prompt} ")
    }
    fn format_input_prompt_selection(&self, f: &mut dyn std::fmt::Write, prompt: &str, sel: &str) -> std::fmt::Result {
        write!(f, "{prompt} {sel}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{args::Global, exit::Exit, role::Need, view::samples};

    fn cx() -> Context {
        Context::new(
            Global {
                no_input: true,
                ..Global::default()
            },
            Need::Nobody,
        )
    }

    #[tokio::test]
    async fn confirm_names_one_person_and_no_other() {
        let plans = [samples::alice()];
        let ok = leavers(&cx(), &plans, &["Alice@acme.example".into()]).await.unwrap();
        assert_eq!(ok, Consent::Typed(["alice@acme.example".to_owned()].into()));
        let other = leavers(&cx(), &plans, &["alice2@acme.example".into()])
            .await
            .unwrap_err();
        assert_eq!(other.exit, Exit::Usage);
        assert!(other.message.contains("alice@acme.example"));
    }

    #[tokio::test]
    async fn where_nobody_can_be_asked_the_flag_is_named() {
        let e = leavers(&cx(), &[samples::alice()], &[]).await.unwrap_err();
        assert_eq!(e.exit, Exit::Usage);
        assert!(e.message.contains("--confirm alice@acme.example"), "{e}");
        let e = yes(&cx(), false, "Apply?", "jml mover bob").await.unwrap_err();
        assert_eq!(
            (e.exit, e.hints[0].command.as_deref()),
            (Exit::Usage, Some("jml mover bob --yes"))
        );
        assert_eq!(yes(&cx(), true, "Apply?", "").await, Ok(Consent::Yes));
    }

    #[tokio::test]
    async fn nothing_to_do_needs_no_login() {
        let mut plan = samples::alice();
        plan.steps.clear();
        assert_eq!(leavers(&cx(), &[plan], &[]).await, Ok(Consent::Typed(BTreeSet::new())));
    }

    #[tokio::test]
    async fn of_several_people_nobody_is_taken() {
        let who = |login: &str| Candidate {
            login: login.into(),
            name: "Alex Kim".into(),
            department: "Finance".into(),
            status: "ACTIVE".into(),
        };
        let e = which(
            &cx(),
            "Alex Kim",
            vec![who("b@acme.example"), who("a@acme.example")],
            "leaver",
        )
        .await
        .unwrap_err();
        assert_eq!((e.exit, e.candidates[0].login.as_str()), (Exit::Who, "a@acme.example"));
        assert_eq!(e.hints[0].command.as_deref(), Some("jml leaver a@acme.example"));
    }
}
