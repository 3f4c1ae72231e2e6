//! `jml sweep`: everyone who is due, found in bulk, handled one by one, by the code that a command by hand uses.
//!
//! All ids are collected before the first effect. A read that can't be believed plans nothing.

mod bulk;
mod contained;
mod ends;
mod held;
mod orphaned;
mod pick;
mod protected;
mod telling;

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;

use super::{
    act::{self, Cause, Passed},
    errors, fresh, pause,
    preview::{self, Subject},
    resume, say,
};
use crate::{
    cli::{
        command::sweep::{Args, Lane},
        confirm,
        context::Context,
        document,
        error::CliError,
        exit::Exit,
        firm::Firm,
        view,
    },
    ledger::{Lease, entry::Swept},
    model::{Effect, Flow, PersonResult, Plan, Verb},
    planner::{
        brake::{self, PlanSet},
        consent::{self, Consent},
        sweep::{self},
    },
    run::observe::{self, Need},
};

use self::{
    bulk::unread,
    ends::settle_up,
    held::{Braked, alarm, brake_facts, braked, remember},
    pick::{due, fetch, limits, without_converged},
    telling::Telling,
};

pub use self::{bulk::read, held::unbelieved, telling::without};

/// The whole sweep's lease: one at a time.
const SUBJECT: &str = "sweep";

pub async fn sweep(cx: &Context, args: Args) -> Result<Exit, CliError> {
    let looks = args.gate.dry_run || args.forecast.is_some();
    if !looks && !args.gate.yes && !cx.can_ask() {
        return Err(
            CliError::usage("nobody can be asked here, and this needs --yes; nothing was done")
                .hint("Look first with --dry-run."),
        );
    }
    let Some(every) = args.every else {
        return once(cx, &Firm::open(cx).await?, &args).await;
    };
    let mut worst = Exit::Done;
    loop {
        let begun = tokio::time::Instant::now();
        cx.pause.forget();
        let made = async { once(cx, &Firm::open(cx).await?, &args).await };
        match made.await {
            Ok(exit) => worst = worst.worse(exit),
            // One sweep that can't be made is told, and the next one is made all the same.
            Err(e) => {
                cx.out.warn(&e.human(cx.env.utf8));
                worst = worst.worse(e.exit);
            }
        }
        let mut stop = cx.signals.stop();
        tokio::select! {
            () = tokio::time::sleep_until(begun + every) => {}
            _ = stop.wait_for(Option::is_some) => return Ok(worst.worse(say::interrupted(cx))),
        }
    }
}

pub async fn once(cx: &Context, firm: &Firm, args: &Args) -> Result<Exit, CliError> {
    let started = firm.now();
    let begun = tokio::time::Instant::now();
    let looks = args.gate.dry_run || args.forecast.is_some();
    let run = firm.new_run().await?;
    let lease = match looks {
        true => None,
        false => Some(firm.ledger.lease(&[SUBJECT.to_owned()], &run).await?),
    };
    let mut tenant = firm.bare_tenant(need()).await?;
    let read = read(firm, &tenant).await?;
    fresh::clock(firm)?;
    firm.protect(&mut tenant, &read.facts.people);
    let limits = limits(&firm.config.limits, args.max_leavers, read.facts.people.len());
    let mut tell = Telling {
        run: (!looks).then(|| run.clone()),
        guard: lease.as_ref().map(Lease::guard).unwrap_or_default(),
        started,
        begun: Some(begun),
        // Before this run writes down its own.
        former: firm.former().await?,
        read: document::Read {
            people: read.facts.people.len(),
            pages: read.pages,
            complete: true,
            unknown: unread(&read),
            stale: None,
        },
        ..Telling::default()
    };
    let sorted = sweep::sort(&read.facts, &firm.config.policy, &tenant.catalogue, &limits, started);
    let mut lanes = match sorted {
        Ok(lanes) => lanes,
        Err(distrust) => {
            if !looks {
                let memory = Swept {
                    good: false,
                    people: read.facts.people.len(),
                    pages: read.pages,
                    ..Swept::default()
                };
                remember(
                    firm,
                    &run,
                    &tell.guard,
                    memory,
                    alarm(firm, &run, &distrust.to_string())?,
                )
                .await?;
                resume::pay(firm, &resume::empty(firm)?).await?;
            }
            return Err(unbelieved(&distrust));
        }
    };
    if let Some(stale) = fresh::stale(firm).await {
        tell.stale(stale, lanes.hold_movers_and_joiners());
    }
    let paused = match looks {
        true => None,
        false => firm.ledger.paused().await?,
    };
    if let Some(pause) = &paused {
        tell.paused(cx, pause, &mut lanes);
    }
    tell.future = lanes
        .future
        .iter()
        .filter(|f| f.flow == Flow::Leaver)
        .map(|f| document::Future {
            login: f.login.clone(),
            effective: f.at,
        })
        .collect();
    if let Some(within) = args.forecast {
        return Ok(forecast(cx, firm, tell, within));
    }
    for f in lanes.future.iter().filter(|f| f.zoneless.is_some()) {
        tell.notes.push(f.text());
    }
    tell.notes.extend(
        lanes
            .named
            .iter()
            .chain(&lanes.settling)
            .map(|s| format!("{} {}", s.login, without(&s.login, &s.text))),
    );
    tell.aside(&without_converged(firm, &read.facts.finished, &lanes.set_aside).await);
    protected::hold(cx, firm, &mut tenant, &lanes, &mut tell, !args.gate.dry_run).await?;
    tell.unread(&lanes.unread);
    let due = due(args, &lanes);
    if due.iter().any(|(_, ask)| ask.gives()) {
        tenant.catalogue.offers = observe::offers(&firm.look).await;
    }
    let people = fetch(firm, due, &mut tell).await?;
    let subjects = preview::look(firm, &mut tenant, people).await?;
    let (able, refused): (Vec<Subject>, Vec<Subject>) = subjects.into_iter().partition(|s| s.plan.is_ok());
    for s in &refused {
        tell.refused(s);
    }
    let (mut work, idle): (Vec<Subject>, Vec<Subject>) = able.into_iter().partition(worth);
    if let Some(p) = &paused {
        // What can't be read back would be done again at each sweep: whoever is contained waits.
        let contains =
            |s: &Subject| s.plan.as_ref().is_ok_and(pause::contains) && !s.state().is_some_and(pause::contained);
        let wait;
        (work, wait) = work.into_iter().partition(contains);
        for s in &wait {
            tell.passed(s, &errors::paused(p));
        }
    }
    tell.waiting(&read.by_hand, &idle);
    let set = PlanSet {
        plans: work.iter().filter_map(|s| s.plan.clone().ok()).collect(),
        population: read.facts.people.len(),
    };
    let facts = brake_facts(firm, &read, &tenant, &lanes).await?;
    let cleared = match brake::clear(set, &limits, &facts) {
        Ok(cleared) => cleared,
        Err(trip) => {
            let all = Braked {
                read: &read,
                trip: &trip,
                run: &run,
                looks,
            };
            let held = contained::first(cx, firm, &mut tenant, work, &limits, &facts.recent, &all, &tell.guard).await?;
            return braked(cx, firm, tell, &all, held).await;
        }
    };
    if args.lanes().contains(&Lane::Orphans) {
        orphaned::look(firm, &mut tell, !looks).await?;
    }
    if args.gate.dry_run {
        return Ok(planned(cx, firm, tell, &work, args.gate.exit_code));
    }
    if work.is_empty() {
        tell.log(&idle, &[], &cx.flags());
        return settle_up(cx, firm, tell, &read, &lanes, vec![]).await;
    }
    let word = if args.gate.yes { "--yes" } else { "answered y" };
    if !args.gate.yes {
        say::preview(cx, firm, &work, &args.gate, None)?;
        confirm::yes(cx, false, "Apply this?", &cx.command("sweep")).await?;
    }
    let agreed = consent::agree(cleared, Consent::Standing).map_err(|r| errors::refusal(&r))?;
    let cause = Cause {
        kind: "sweep",
        consent: word.to_owned(),
        reason: None,
        ticket: None,
        population: read.facts.people.len(),
        under: tell.guard.clone(),
        spends: vec![],
    };
    let ours: BTreeSet<String> = work.iter().map(|s| s.id().0.clone()).collect();
    let mut parties = act::parties(&run, work);
    // Its first entries may be there already: whom it holds, and what it says of apps.
    for p in parties.iter_mut().filter(|p| p.run == run) {
        p.before = firm.ledger.run(&run).await?;
    }
    let mut passed: Passed = vec![];
    let states = act::act(cx, firm, &mut tenant, parties, agreed, &cause, Some(&mut passed)).await?;
    for (s, e) in &passed {
        tell.passed(s, e);
    }
    tell.log(&idle, &states, &cx.flags());
    // A run that was taken up may have people whom an earlier sweep finished.
    tell.touched.retain(|s| ours.contains(s));
    let exit = settle_up(cx, firm, tell, &read, &lanes, states)
        .await
        .map_err(errors::begun);
    drop(lease);
    exit
}

pub fn need() -> Need {
    Need {
        groups: true,
        rules: true,
        apps: true,
        admins: true,
        tokens: true,
        offers: false,
    }
}

fn worth(s: &Subject) -> bool {
    let Ok(plan) = &s.plan else { return false };
    if plan.is_empty() {
        return s.open.is_some();
    }
    !waits(s, plan)
}

/// All that is left waits for somebody else, and the open run says so already: to write it down again at each sweep tells nobody
/// anything.
fn waits(s: &Subject, plan: &Plan) -> bool {
    let Some(person) = s.state() else {
        return false;
    };
    // A transfer gets its name only when it runs.
    let name = |e: &Effect| {
        let verb = e.action.verb();
        let object = e
            .action
            .object()
            .filter(|_| verb != Verb::FinishTransfer)
            .map(str::to_owned);
        (e.system.clone(), verb, object)
    };
    let owed: BTreeSet<_> = person
        .live()
        .filter(|r| !r.settled())
        .map(|r| name(&r.step.effect))
        .collect();
    let planned: BTreeSet<_> = plan.steps.iter().map(|step| name(&step.effect)).collect();
    plan.steps.iter().all(|step| step.waits.is_some()) && owed == planned
}

fn forecast(cx: &Context, firm: &Firm, mut tell: Telling, within: Duration) -> Exit {
    let until = firm.now() + TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
    tell.future.retain(|f| f.effective <= until);
    tell.future
        .sort_by(|a, b| (a.effective, &a.login).cmp(&(b.effective, &b.login)));
    if cx.global.output == crate::cli::args::Output::Human {
        let within = humantime::format_duration(within).to_string();
        cx.out.data(&view::sweep::forecast(
            &say::tenant(firm),
            &tell.future,
            &within,
            &cx.out.screen,
        ));
        return Exit::Done;
    }
    tell.write(cx, firm, Exit::Done);
    Exit::Done
}

fn planned(cx: &Context, firm: &Firm, mut tell: Telling, work: &[Subject], exit_code: bool) -> Exit {
    for s in work {
        let Ok(plan) = &s.plan else { continue };
        let next = cx.command(&format!("{} {} --dry-run", plan.flow, plan.login));
        tell.lines.push(format!(
            "{} {} {} steps, plan {}",
            plan.login,
            plan.flow,
            plan.steps.len(),
            plan.id().short()
        ));
        tell.people
            .push(view::json::planned(plan, PersonResult::Planned, None, vec![next]));
    }
    let mut exit = tell.exit;
    if exit_code && !work.is_empty() {
        exit = exit.worse(Exit::Changes);
    }
    tell.write(cx, firm, exit);
    exit
}
