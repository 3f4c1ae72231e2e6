//! `joiner --from FILE.csv`: whoever HR's file has and Okta lacks is made first, with nothing; the ordinary joiner gives what policy says.
//!
//! Only where a file is the roster: made from one source and judged by another, a person would contradict themselves from their first day.
//! The file stands for the roster's own in this command. Identifiers are text, compared as text.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use unicode_normalization::UnicodeNormalization;

use super::{
    act::{self, Cause, Job, Work},
    by_hand, errors, people, say,
};
use crate::{
    cli::{
        args::{Gate, Output},
        confirm,
        context::Context,
        error::{Candidate, CliError},
        exit::Exit,
        firm::Firm,
        text, view,
    },
    ledger::Guard,
    model::{Flow, Manifest, Observed, Person, PersonResult, Plan, Seen, Verbs, Worker, system::OKTA},
    planner::{
        brake::{self, Facts, PlanSet},
        consent, entitle, joiner,
    },
    providers::hr::csv,
    run::observe::{Need, Target},
};

/// No roster in a file is longer.
const MOST: u64 = 256 << 20;

pub enum Hired {
    /// Everybody is in Okta now; was anyone made for it?
    All(Vec<Person>, bool),
    /// A dry run in which somebody would be made, or one that could not be: said already.
    Shown(Exit),
}

pub async fn hire(cx: &Context, firm: &Firm, users: &[String], file: &Path, gate: &Gate) -> Result<Hired, CliError> {
    let workers = read(cx, firm, file)?;
    firm.instead_of_roster(workers.clone());
    let (mut there, mut missing): (Vec<String>, Vec<Worker>) = (vec![], vec![]);
    for typed in users {
        match whom(firm, &workers, typed).await? {
            Whom::There(id) => there.push(id),
            Whom::Missing(w) => missing.push(*w),
        }
    }
    if missing.is_empty() {
        return Ok(Hired::All(people::find(cx, firm, &there, "joiner").await?, false));
    }
    let tenant = firm
        .tenant(Need {
            groups: true,
            ..Need::default()
        })
        .await?;
    let mut plans = vec![];
    for w in &missing {
        let plan = joiner::create(w, &firm.config.policy, &tenant.catalogue, firm.now());
        plans.push(plan.map_err(|r| errors::refusal(&r))?);
    }
    if let Some(path) = &gate.save_plan {
        say::save(path, &plans.iter().collect::<Vec<_>>())?;
    }
    let command = again(file, users);
    if cx.global.output == Output::Human {
        cx.out.data(&preview(cx, firm, &missing, &plans, &tenant.catalogue));
    }
    if gate.dry_run {
        if !there.is_empty() {
            cx.out.warn(&format!(
                "! {} in Okta already: see what they are given without --from.",
                text::count(there.len(), "person")
            ));
        }
        return Ok(Hired::Shown(dry(cx, firm, &plans, gate, &command)));
    }
    if let Some(expected) = &gate.expect {
        match plans.as_slice() {
            [one] if one.id().is(expected) => {}
            several => {
                let now = several.iter().map(|p| p.id().short()).collect::<Vec<_>>().join(", ");
                return Err(errors::moved(&now, expected));
            }
        }
    }
    let states = create(cx, firm, plans, tenant.catalogue, gate, &command).await?;
    let failed = states
        .iter()
        .any(|s| s.people.values().any(|p| p.result() != PersonResult::Complete));
    if failed {
        return Ok(Hired::Shown(say::closing(
            cx,
            firm,
            by_hand::kind(Flow::Joiner),
            &states,
            &[],
        )));
    }
    for state in &states {
        for p in state.people.values() {
            cx.out.talk(&format!(
                "Created {} (run {}).",
                cx.out.screen.safe(&p.login),
                state.run
            ));
            there.push(p.login.clone());
        }
    }
    Ok(Hired::All(people::find(cx, firm, &there, "joiner").await?, true))
}

fn read(cx: &Context, firm: &Firm, file: &Path) -> Result<Vec<Worker>, CliError> {
    let source = &firm.config.roster.source;
    let section = firm.config.systems.get(source).filter(|s| s.kind == csv::ROW.kind);
    let Some(section) = section else {
        return Err(CliError::refused(format!(
            "--from makes people where a file is the roster, and here HR's word comes from {source}; nothing was done"
        ))
        .hint(format!("Whom HR feeds to {source} needs no file: jml joiner USER")));
    };
    let fail = |why: String| CliError::usage(format!("--from {}: {why}", file.display()));
    let mut bytes = vec![];
    cx.named(file)
        .map_err(fail)?
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|e| fail(e.to_string()))?;
    let settings = csv::Settings {
        path: PathBuf::from(file),
        ..section.parse()?
    };
    let name = file
        .file_name()
        .map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let reading =
        csv::read(&name, &bytes, &settings, &firm.config.roster, firm.now()).map_err(|f| errors::source(&f))?;
    Ok(reading.workers)
}

enum Whom {
    /// By the directory's id.
    There(String),
    Missing(Box<Worker>),
}

/// The directory first; then the file's logins, addresses, numbers and whole names.
async fn whom(firm: &Firm, workers: &[Worker], typed: &str) -> Result<Whom, CliError> {
    let found = firm
        .look
        .directory
        .find(typed)
        .await
        .map_err(|f| CliError::unread(&f))?;
    match found.as_slice() {
        [one] => return Ok(Whom::There(one.id.0.clone())),
        [] => {}
        // Told apart, with a list, where everybody is found.
        _ => return Ok(Whom::There(typed.to_owned())),
    }
    let mut named: Vec<&Worker> = workers.iter().filter(|w| is(w, typed)).collect();
    named.dedup_by(|a, b| a.key == b.key);
    let worker = match named.as_slice() {
        [] => return Err(CliError::nobody(typed).hint("Neither Okta nor the file has them.")),
        [one] => *one,
        several => {
            return Err(CliError::ambiguous(
                typed,
                several.iter().map(|w| candidate(w)).collect(),
            ));
        }
    };
    let Some(login) = worker.login.as_ref().or(worker.email.as_ref()) else {
        return Ok(Whom::Missing(Box::new(worker.clone())));
    };
    match firm.look.directory.person(login).await {
        Ok(Observed::Present(p)) => Ok(Whom::There(p.id.0)),
        Ok(Observed::Absent) => Ok(Whom::Missing(Box::new(worker.clone()))),
        Ok(Observed::Unknown(f)) | Err(f) => Err(CliError::unread(&f)),
    }
}

/// Numbers as text, letter by letter: 00042 is not 42.
fn is(w: &Worker, typed: &str) -> bool {
    let fold = |s: &str| -> String { s.trim().nfc().flat_map(char::to_lowercase).collect() };
    let name = format!(
        "{} {}",
        w.first_name.as_deref().unwrap_or_default(),
        w.last_name.as_deref().unwrap_or_default()
    );
    let same = |v: &Option<String>| v.as_deref().is_some_and(|v| fold(v) == fold(typed));
    w.key == typed.trim()
        || same(&w.login)
        || same(&w.email)
        || (typed.trim().contains(' ') && fold(&name) == fold(typed))
}

fn candidate(w: &Worker) -> Candidate {
    let word = |v: &Option<String>| v.clone().unwrap_or_default();
    Candidate {
        login: w
            .login
            .clone()
            .or_else(|| w.email.clone())
            .unwrap_or_else(|| w.key.clone()),
        name: format!("{} {}", word(&w.first_name), word(&w.last_name))
            .trim()
            .to_owned(),
        department: word(&w.department),
        status: "not in Okta".into(),
    }
}

fn preview(
    cx: &Context,
    firm: &Firm,
    missing: &[Worker],
    plans: &[Plan],
    catalogue: &crate::model::Catalogue,
) -> String {
    let records = firm.told();
    let shown: Vec<view::plan::Preview<'_>> = plans
        .iter()
        .map(|plan| view::plan::Preview {
            plan,
            seen: None,
            records: &records,
            now: firm.now(),
            dry_run: false,
            apply: None,
        })
        .collect();
    let mut out = view::plan::previews(&say::tenant(firm), &shown, &cx.out.screen);
    for (w, plan) in missing.iter().zip(plans) {
        if let Ok(desired) = entitle::entitle(&plan.login, w, &firm.config.policy, catalogue) {
            let names: Vec<String> = desired.explain().into_iter().map(|r| r.name).collect();
            out += &format!(
                "Then policy gives {}: {}.\n",
                cx.out.screen.safe(&plan.login),
                cx.out.screen.safe(&names.join(", "))
            );
        }
    }
    out
}

/// The same, to be given again.
fn again(file: &Path, users: &[String]) -> String {
    let users: Vec<String> = users.iter().map(|u| text::shell(u).into_owned()).collect();
    format!(
        "joiner {} --from {}",
        users.join(" "),
        text::shell(&file.display().to_string())
    )
}

fn dry(cx: &Context, firm: &Firm, plans: &[Plan], gate: &Gate, command: &str) -> Exit {
    let exit = if gate.exit_code { Exit::Changes } else { Exit::Done };
    let people: Vec<_> = plans
        .iter()
        .map(|p| {
            let next = cx.command(&format!("{command} --yes"));
            view::json::planned(p, PersonResult::Planned, None, vec![next])
        })
        .collect();
    let body = crate::cli::document::Run {
        run: None,
        dry_run: true,
        role: say::role(firm),
        policy_changed: None,
        started: firm.now(),
        finished: firm.now(),
        sweep: None,
        paused: None,
        totals: view::json::totals(&people, firm.now()),
        people: Some(people),
    };
    say::write(cx, firm, by_hand::kind(Flow::Joiner), exit, body);
    exit
}

async fn create(
    cx: &Context,
    firm: &Firm,
    plans: Vec<Plan>,
    catalogue: crate::model::Catalogue,
    gate: &Gate,
    command: &str,
) -> Result<Vec<crate::ledger::fold::State>, CliError> {
    let set = || PlanSet {
        plans: plans.clone(),
        population: 0,
    };
    let facts = Facts {
        by_hand: true,
        ..Facts::default()
    };
    let cleared = brake::clear(set(), &firm.config.limits, &facts).map_err(|t| errors::trip(&t))?;
    let question = format!("Create {} in Okta?", text::count(plans.len(), "person"));
    let consent = confirm::yes(cx, gate.yes, &question, &cx.command(command)).await?;
    let agreed = consent::agree(cleared, consent).map_err(|r| errors::refusal(&r))?;
    let run = firm.new_run().await?;
    let subjects: Vec<String> = plans.iter().map(|p| p.login.clone()).collect();
    let lease = firm.ledger.lease(&subjects, &run).await?;
    // Under the lease once more: whoever came meanwhile is not made a second time.
    for login in &subjects {
        match firm.look.directory.person(login).await {
            Ok(Observed::Absent) => {}
            Ok(Observed::Present(_)) => {
                return Err(CliError::stale(format!("{login} is in Okta now"))
                    .hint("Nothing was done; give the command again."));
            }
            Ok(Observed::Unknown(f)) | Err(f) => return Err(CliError::unread(&f)),
        }
    }
    let agreed = agreed.renew(set()).map_err(|s| errors::stale(&s))?;
    let tenant = Arc::new(catalogue);
    let nobody = || Seen::new(Verbs::new(), Observed::Absent);
    let work = plans.iter().map(|plan| Work {
        subject: plan.login.clone(),
        plan: plan.clone(),
        manifest: Manifest::default(),
        systems: BTreeMap::from([(OKTA, nobody())]),
        target: Target::Newcomer {
            login: plan.login.clone(),
            directory: firm.look.directory.clone(),
            tenant: tenant.clone(),
        },
    });
    let job = Job {
        run,
        before: None,
        work: work.collect(),
    };
    let cause = Cause {
        kind: by_hand::kind(Flow::Joiner),
        consent: if gate.yes { "--yes" } else { "answered y" }.to_owned(),
        reason: None,
        ticket: None,
        population: 0,
        under: Guard::default(),
        spends: vec![],
    };
    act::carry_out(cx, firm, vec![(job, vec![lease])], &agreed, &cause).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_text() {
        let mut w: Worker = serde_json::from_value(serde_json::json!({
            "key": "00042", "universal": null, "login": "Jan.Orr@acme.example", "email": null,
            "first_name": "Jan", "last_name": "Orr", "department": null, "title": null, "location": null,
            "worker_type": null, "manager": null, "employment": "active", "hired": null, "terminated": null,
            "last_day": null, "recorded": null, "changed": null, "day_is_end": null, "place": null, "fault": null
        }))
        .unwrap();
        assert!(is(&w, "00042") && is(&w, "jan.orr@acme.example") && is(&w, "jan  orr") == is(&w, "x y"));
        assert!(is(&w, "Jan Orr"));
        assert!(!is(&w, "42") && !is(&w, "Jan"));
        w.login = None;
        assert!(!is(&w, "jan.orr@acme.example"));
    }
}
