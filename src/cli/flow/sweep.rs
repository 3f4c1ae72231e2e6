//! `jml sweep`: everyone who is due, found in bulk, handled one by one, by the code that a command by hand uses.
//!
//! All ids are collected before the first effect. A read that can't be believed plans nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};

use super::{
    act::{self, Cause, Passed},
    errors,
    preview::{self, Ask, Subject},
    resume, say,
};
use crate::{
    cli::{
        args::Most,
        command::sweep::{Args, Lane},
        confirm,
        context::Context,
        document,
        error::CliError,
        exit::Exit,
        firm::Firm,
        view,
    },
    ledger::{
        Guard,
        entry::{Body, Draft, Opened, Swept},
        fold::State,
    },
    model::{Failure, Flow, Kind, Limit, Limits, Observed, Person, PersonId, PersonResult, Record, What},
    planner::{
        brake::{self, Facts as BrakeFacts, PlanSet, Recent, Trip},
        consent::{self, Consent},
        guards::{self, Distrust, Memory},
        leaver as leaving,
        refusal::Class,
        sweep::{self, Due, Facts, Lanes, Shown, Why},
    },
    run::observe::{self, Need, Tenant},
};

/// Groups whose members are read side by side.
const WIDTH: usize = 4;
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
        return once(cx, &args).await;
    };
    let mut worst = Exit::Done;
    loop {
        let begun = tokio::time::Instant::now();
        match once(cx, &args).await {
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

/// What bulk reads gave.
struct Read {
    facts: Facts,
    pages: usize,
}

async fn once(cx: &Context, args: &Args) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let started = firm.now();
    let begun = tokio::time::Instant::now();
    let looks = args.gate.dry_run || args.forecast.is_some();
    let run = firm.new_run().await?;
    let lease = match looks {
        true => None,
        false => Some(firm.ledger.lease(&[SUBJECT.to_owned()], &run).await?),
    };
    let mut tenant = firm.bare_tenant(need()).await?;
    let read = read(&firm, &tenant).await?;
    firm.protect(&mut tenant, &read.facts.people);
    let limits = limits(&firm.config.limits, args.max_leavers, read.facts.people.len());
    let mut tell = Telling {
        run: (!looks).then(|| run.clone()),
        started,
        begun: Some(begun),
        read: document::Read {
            people: read.facts.people.len(),
            pages: read.pages,
            complete: true,
            unknown: unread(&read),
        },
        ..Telling::default()
    };
    let sorted = sweep::sort(&read.facts, &firm.config.policy, &tenant.catalogue, &limits, started);
    let lanes = match sorted {
        Ok(lanes) => lanes,
        Err(distrust) => {
            if !looks {
                let memory = Swept {
                    good: false,
                    people: read.facts.people.len(),
                    pages: read.pages,
                    ..Swept::default()
                };
                remember(&firm, &run, memory, alarm(&firm, &run, &distrust.to_string())?).await?;
                resume::pay(&firm, &resume::empty(&firm)?).await?;
            }
            return Err(unbelieved(&distrust));
        }
    };
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
        return Ok(forecast(cx, &firm, tell, within));
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
    tell.aside(&without_converged(&firm, &read.facts.finished, &lanes.set_aside).await);
    tell.held(&lanes.protected);
    tell.unread(&lanes.unread);
    let due = due(args, &lanes);
    if due.iter().any(|(_, ask)| ask.gives()) {
        tenant.catalogue.offers = observe::offers(&firm.look).await;
    }
    let people = fetch(&firm, due, &mut tell).await?;
    let subjects = preview::look(&firm, &mut tenant, people).await?;
    let (able, refused): (Vec<Subject>, Vec<Subject>) = subjects.into_iter().partition(|s| s.plan.is_ok());
    for s in &refused {
        tell.refused(s);
    }
    let (work, idle): (Vec<Subject>, Vec<Subject>) = able.into_iter().partition(worth);
    tell.idle = idle.len();
    let set = PlanSet {
        plans: work.iter().filter_map(|s| s.plan.clone().ok()).collect(),
        population: read.facts.people.len(),
    };
    let facts = brake_facts(&firm, &read, &tenant, &lanes).await?;
    let cleared = match brake::clear(set, &limits, &facts) {
        Ok(cleared) => cleared,
        Err(trip) => return braked(cx, &firm, tell, &read, &work, &trip, looks, &run).await,
    };
    if args.gate.dry_run {
        return Ok(planned(cx, &firm, tell, &work, args.gate.exit_code));
    }
    if work.is_empty() {
        tell.log(&idle, &[]);
        return settle_up(cx, &firm, tell, &read, &lanes, vec![]).await;
    }
    let word = if args.gate.yes { "--yes" } else { "answered y" };
    if !args.gate.yes {
        say::preview(cx, &firm, &work, &args.gate)?;
        confirm::yes(cx, false, "Apply this?", &cx.command("sweep")).await?;
    }
    let agreed = consent::agree(cleared, Consent::Standing).map_err(|r| errors::refusal(&r))?;
    let cause = Cause {
        kind: "sweep",
        consent: word.to_owned(),
        reason: None,
        ticket: None,
    };
    let parties = act::parties(&run, work);
    let mut passed: Passed = vec![];
    let population = read.facts.people.len();
    let states = act::act(
        cx,
        &firm,
        &mut tenant,
        parties,
        agreed,
        population,
        &cause,
        Some(&mut passed),
    )
    .await?;
    for (s, e) in &passed {
        tell.passed(s, e);
    }
    tell.log(&idle, &states);
    let exit = settle_up(cx, &firm, tell, &read, &lanes, states).await;
    drop(lease);
    exit
}

fn need() -> Need {
    Need {
        groups: true,
        rules: true,
        apps: true,
        admins: true,
        tokens: true,
        offers: false,
    }
}

/// Everybody page by page, and the members of each managed group page by page: never a call a person.
async fn read(firm: &Firm, tenant: &Tenant) -> Result<Read, CliError> {
    let (mut people, mut pages, mut from): (Vec<Person>, usize, _) = (vec![], 0, None);
    loop {
        let page = firm.look.directory.people(from).await.map_err(|f| errors::source(&f))?;
        pages += 1;
        people.extend(page.items);
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    // A page that was given twice counts once; the later one is the fresher.
    let people: BTreeMap<PersonId, Person> = people.into_iter().map(|p| (p.id.clone(), p)).collect();
    let people = firm.employ(people.into_values().collect()).await?;
    if let Some(roll) = firm.roll().await? {
        pages += roll.pages;
    }
    let everyone = firm.ledger.everyone().await?;
    let given: BTreeMap<PersonId, _> = everyone
        .given
        .iter()
        .map(|(s, g)| (PersonId(s.clone()), g.clone()))
        .collect();
    let groups = sweep::managed_groups(&firm.config.policy, &tenant.catalogue, &given);
    let members: Vec<(String, Result<Vec<PersonId>, Failure>, usize)> = stream::iter(groups)
        .map(|g| async move {
            let (read, pages) = members(firm, &g).await;
            (g, read, pages)
        })
        .buffer_unordered(WIDTH)
        .collect()
        .await;
    let mut held: BTreeMap<PersonId, BTreeSet<String>> = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for (group, read, n) in members {
        pages += n;
        match read {
            Ok(ids) => ids.into_iter().for_each(|id| {
                held.entry(id).or_default().insert(group.clone());
            }),
            Err(f) => {
                unread.insert(group, f);
            }
        }
    }
    let last = firm.ledger.last_good_sweep().await?;
    let facts = Facts {
        people,
        held,
        unread,
        given,
        open: everyone
            .open
            .iter()
            .map(|(_, s, flow)| (PersonId(s.clone()), *flow))
            .collect(),
        finished: everyone
            .finished
            .iter()
            .map(|(s, at)| (PersonId(s.clone()), *at))
            .collect(),
        overridden: everyone.overridden.iter().cloned().map(PersonId).collect(),
        missing: last
            .as_ref()
            .map(|(_, s)| s.missing.iter().map(|(id, at)| (PersonId(id.clone()), *at)).collect())
            .unwrap_or_default(),
        last: last.map(|(at, s)| {
            (
                at,
                Memory {
                    people: s.people,
                    fill: s.fill,
                    policy: s.policy,
                    canaries: s.canaries,
                },
            )
        }),
    };
    Ok(Read { facts, pages })
}

async fn members(firm: &Firm, group: &str) -> (Result<Vec<PersonId>, Failure>, usize) {
    let (mut ids, mut pages, mut from) = (vec![], 0, None);
    loop {
        match firm.look.directory.members(group, from).await {
            Ok(page) => {
                pages += 1;
                ids.extend(page.items.into_iter().map(|p| p.id));
                match page.next {
                    Some(next) => from = Some(next),
                    None => return (Ok(ids), pages),
                }
            }
            // A page that failed is not an empty tail: the whole group is unknown.
            Err(f) => return (Err(f), pages + 1),
        }
    }
}

fn unread(read: &Read) -> Vec<String> {
    if read.facts.unread.is_empty() {
        vec![]
    } else {
        vec!["okta".to_owned()]
    }
}

/// A flag may only lower a limit.
fn limits(configured: &Limits, most: Option<Most>, people: usize) -> Limits {
    let mut limits = configured.clone();
    let lower = match most {
        None => return limits,
        Some(Most::Count(n)) => Limit {
            count: Some(n),
            percent: None,
        },
        Some(Most::Percent(p)) => Limit {
            count: None,
            percent: Some(p),
        },
    };
    if lower.of(people) < limits.leavers.of(people) {
        limits.leavers = lower;
    }
    limits
}

/// Whom the chosen lanes name, leavers first, each person once.
fn due<'a>(args: &Args, lanes: &'a Lanes) -> Vec<(&'a Due, Ask)> {
    let mut all: Vec<(&Due, Ask)> = vec![];
    for lane in args.lanes() {
        let (found, ask): (Vec<&Due>, fn() -> Ask) = match lane {
            Lane::Leavers => (lanes.leavers.iter().collect(), || Ask::Leaver(leaving::Ask::default())),
            Lane::Movers => (lanes.movers.iter().collect(), || Ask::Mover),
            Lane::Joiners => (lanes.joiners.iter().collect(), || Ask::Joiner(Default::default())),
        };
        all.extend(found.into_iter().map(|d| (d, ask())));
        if lane == Lane::Leavers {
            all.extend(lanes.leave.iter().map(|d| (d, Ask::Leave)));
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|(d, _)| seen.insert(d.id.clone()));
    all
}

/// Each of them by id: lists and search lag, and nobody is acted on from a list.
async fn fetch(firm: &Firm, due: Vec<(&Due, Ask)>, tell: &mut Telling) -> Result<Vec<(Person, Ask)>, CliError> {
    let read: Vec<_> = stream::iter(due)
        .map(|(d, ask)| async move { (d, ask, firm.look.directory.person(&d.id.0).await) })
        .buffered(16)
        .collect()
        .await;
    let mut found = vec![];
    for (d, ask, person) in read {
        match person {
            Ok(Observed::Present(p)) => {
                let ask = match ask {
                    Ask::Leaver(_) if matches!(d.why, Why::Reversed | Why::Open) => overruled(firm, &d.id).await?,
                    ask => ask,
                };
                found.push((p, ask));
            }
            Ok(Observed::Absent) => tell.note(&d.login, "is no longer in Okta"),
            Ok(Observed::Unknown(f)) | Err(f) => tell.failed(&d.login, &f),
        }
    }
    let (people, asks): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(firm.employ(people).await?.into_iter().zip(asks).collect())
}

/// An operator's word against HR's holds until HR agrees: what it began, or what somebody undid of it, is finished as what it was.
async fn overruled(firm: &Firm, id: &PersonId) -> Result<Ask, CliError> {
    let history = firm.ledger.history(&id.0).await?;
    let last = history.plans.iter().rev().find(|p| p.flow == Flow::Leaver);
    let overrule = match last {
        Some(p) => firm.ledger.run(&p.run).await?.as_ref().and_then(resume::overrule),
        None => None,
    };
    Ok(Ask::Leaver(leaving::Ask {
        overrule,
        ..leaving::Ask::default()
    }))
}

/// Leavers whom a run has finished and whom lists still show, or HR still calls active: read by id, and no more is said of those who
/// are shut.
async fn without_converged(firm: &Firm, finished: &BTreeMap<PersonId, DateTime<Utc>>, shown: &[Shown]) -> Vec<Shown> {
    let mut left = vec![];
    for s in shown {
        let shut = finished.contains_key(&s.id)
            && matches!(
                firm.look.directory.person(&s.id.0).await,
                Ok(Observed::Present(p)) if !p.status.live()
            );
        if !shut {
            left.push(s.clone());
        }
    }
    left
}

fn worth(s: &Subject) -> bool {
    s.open.is_some() || s.plan.as_ref().is_ok_and(|p| !p.is_empty())
}

async fn brake_facts(firm: &Firm, read: &Read, tenant: &Tenant, lanes: &Lanes) -> Result<BrakeFacts, CliError> {
    let mut members: BTreeMap<String, usize> = BTreeMap::new();
    for group in read.facts.held.values().flatten() {
        *members.entry(group.clone()).or_default() += 1;
    }
    let rules = tenant
        .catalogue
        .rules
        .present()
        .into_iter()
        .flatten()
        .map(|r| (r.name.clone(), r.groups.clone(), r.excluded.len()))
        .collect();
    Ok(BrakeFacts {
        by_hand: false,
        recent: Recent {
            leavers_24h: firm.leavers_24h().await?,
        },
        members,
        rules,
        causes: sweep::causes(&read.facts, lanes, &firm.config.policy_digest()),
    })
}

fn unbelieved(distrust: &Distrust) -> CliError {
    CliError::brake(distrust.to_string())
        .hint("Nothing was done: no change is planned from a read that can't be believed.")
        .run("See what the directory and HR answer", "jml doctor")
}

/// The plans are held, nothing destructive is done, somebody is told.
#[expect(clippy::too_many_arguments, reason = "all that a held sweep is told with")]
async fn braked(
    cx: &Context,
    firm: &Firm,
    mut tell: Telling,
    read: &Read,
    work: &[Subject],
    trip: &Trip,
    looks: bool,
    run: &str,
) -> Result<Exit, CliError> {
    if trip.fatal() {
        return Err(errors::trip(trip));
    }
    if !looks {
        let mut bodies: Vec<Body> = work
            .iter()
            .filter_map(|s| {
                let plan = s.plan.clone().ok()?;
                Some(Body::Held {
                    subject: s.id().0.clone(),
                    plan,
                    why: trip.to_string(),
                })
            })
            .collect();
        bodies.extend(alarm(firm, run, &format!("brake: {trip}"))?);
        let memory = Swept {
            people: read.facts.people.len(),
            pages: read.pages,
            good: false,
            ..Swept::default()
        };
        remember(firm, run, memory, bodies).await?;
        resume::pay(firm, &resume::empty(firm)?).await?;
    }
    let held = (!looks).then(|| run.to_owned());
    tell.brake = Some(document::Brake {
        rule: trip.rule.to_owned(),
        found: trip.found,
        limit: trip.limit,
        held: held.clone(),
        causes: trip.causes.clone(),
    });
    let shown = view::sweep::Brake {
        rule: trip.rule,
        subject: trip.subject.as_deref(),
        found: trip.found,
        limit: trip.limit,
        share: None,
        read: Some(&tell.read),
        last_good: read.facts.last.as_ref().map(|(_, m)| m.people),
        causes: &trip.causes,
        held: held.as_deref(),
    };
    let screen = view::sweep::brake(&shown, &cx.flags(), &cx.out.screen);
    let people = work
        .iter()
        .filter_map(|s| {
            Some(view::json::planned(
                s.plan.as_ref().ok()?,
                PersonResult::Held,
                None,
                vec![],
            ))
        })
        .collect();
    tell.people = people;
    if cx.global.output.json() {
        tell.write(cx, firm, Exit::Brake);
        return Ok(Exit::Brake);
    }
    Err(CliError::brake(trip.to_string()).screen(screen))
}

/// An event and a metric for whoever watches.
fn alarm(firm: &Firm, run: &str, text: &str) -> Result<Vec<Body>, CliError> {
    let at = firm.now();
    let told = [
        (
            "event",
            What::Event {
                title: "jml sweep held".into(),
                text: text.to_owned(),
                tags: firm.tags("sweep"),
                alert: true,
            },
        ),
        (
            "brake",
            What::Metric {
                name: "jml.brake.tripped".into(),
                value: 1.0,
                tags: firm.tags("sweep"),
            },
        ),
    ];
    let mut bodies = vec![];
    for (key, what) in told {
        bodies.extend(owe(firm, run, &format!("jml-{run}-{key}"), what, at)?);
    }
    Ok(bodies)
}

fn owe(firm: &Firm, run: &str, key: &str, what: What, at: DateTime<Utc>) -> Result<Vec<Body>, CliError> {
    let (_, recorders) = firm.hands(&resume::empty(firm)?)?;
    let record = Record {
        key: key.to_owned(),
        run: run.to_owned(),
        login: None,
        at,
        what,
    };
    Ok(recorders
        .into_iter()
        .filter(|(_, r)| r.takes(&record.what))
        .map(|(system, _)| Body::Owed {
            record: record.clone(),
            system,
        })
        .collect())
}

async fn remember(firm: &Firm, run: &str, swept: Swept, mut bodies: Vec<Body>) -> Result<(), CliError> {
    let known = firm.ledger.run(run).await?.is_some_and(|s| s.opened.is_some());
    let mut all = vec![];
    if !known {
        all.push(Body::Opened(Opened {
            kind: "sweep".into(),
            operator: firm.operator.clone(),
            consent: "--yes".into(),
            config: firm.config.digest(),
            policy: firm.config.policy_digest(),
            version: env!("CARGO_PKG_VERSION").into(),
            reason: None,
            ticket: None,
        }));
    }
    all.push(Body::Swept(swept));
    all.append(&mut bodies);
    let drafts = all
        .into_iter()
        .map(|body| Draft {
            run: run.to_owned(),
            operator: firm.operator.clone(),
            body,
        })
        .collect();
    firm.ledger.append(&Guard::default(), drafts).await?;
    Ok(())
}

/// What the sweep learned, the watchers' figures, and every record that is owed from before.
async fn settle_up(
    cx: &Context,
    firm: &Firm,
    mut tell: Telling,
    read: &Read,
    lanes: &Lanes,
    states: Vec<State>,
) -> Result<Exit, CliError> {
    let run = tell.run.clone().unwrap_or_default();
    let now = firm.now();
    let workers = read.facts.people.iter().filter_map(Person::worker);
    let swept = Swept {
        people: read.facts.people.len(),
        pages: read.pages,
        good: read.facts.unread.is_empty(),
        fill: guards::fill(workers, &firm.config.policy),
        policy: firm.config.policy_digest(),
        cursor: None,
        canaries: guards::canaries(&read.facts.people),
        missing: lanes.missing.iter().map(|(id, at)| (id.0.clone(), *at)).collect(),
    };
    let mut bodies = vec![];
    if swept.good {
        let open = still_open(firm).await?;
        let oldest = open
            .iter()
            .map(|at| (now - *at).num_milliseconds() as f64 / 1000.0)
            .fold(0.0, f64::max);
        let figures = [
            ("jml.sweep.heartbeat", 1.0),
            ("jml.leavers.open", open.len() as f64),
            ("jml.leavers.oldest_open_seconds", oldest),
            ("jml.outbox.owed", firm.ledger.outbox().await?.len() as f64),
        ];
        for (name, value) in figures {
            let what = What::Metric {
                name: name.into(),
                value,
                tags: firm.tags("sweep"),
            };
            bodies.extend(owe(firm, &run, &format!("jml-{run}-{name}"), what, now)?);
        }
    }
    remember(firm, &run, swept, bodies).await?;
    let owed = resume::pay(firm, &resume::empty(firm)?).await?;
    let mut fresh = vec![];
    for s in states {
        fresh.push(firm.ledger.run(&s.run).await?.unwrap_or(s));
    }
    let mut exit = tell.exit;
    for state in &fresh {
        exit = exit.worse(say::exit_of(firm, state));
        for p in state.people.values().filter(|p| tell.touched.contains(&p.subject)) {
            tell.lines.push(view::report::line(state, p, &cx.out.screen));
            tell.people.push(view::json::person(state, p, &cx.flags()));
        }
    }
    if owed > 0 && overdue(firm, now).await? {
        exit = exit.worse(Exit::Partial);
    }
    exit = exit.worse(say::interrupted(cx));
    tell.write(cx, firm, exit);
    Ok(exit)
}

/// Since when the clock of each leaver runs who is not complete.
async fn still_open(firm: &Firm) -> Result<Vec<DateTime<Utc>>, CliError> {
    let mut open = vec![];
    for o in firm
        .ledger
        .open_subjects()
        .await?
        .into_iter()
        .filter(|o| o.flow == Flow::Leaver)
    {
        if let Some(p) = firm
            .ledger
            .run(&o.run)
            .await?
            .and_then(|s| s.people.get(&o.subject).cloned())
        {
            open.push(p.plan.clock.unwrap_or(p.planned));
        }
    }
    Ok(open)
}

/// A record past its own deadline.
async fn overdue(firm: &Firm, now: DateTime<Utc>) -> Result<bool, CliError> {
    let deadline = TimeDelta::from_std(firm.config.policy.deadlines.record).unwrap_or_default();
    Ok(firm
        .ledger
        .outbox()
        .await?
        .iter()
        .any(|i| matches!(i.record.what, What::Change { .. }) && i.since + deadline < now))
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

/// What a sweep tells, as it comes together.
#[derive(Default)]
struct Telling {
    run: Option<String>,
    started: DateTime<Utc>,
    begun: Option<tokio::time::Instant>,
    read: document::Read,
    brake: Option<document::Brake>,
    set_aside: Vec<document::SetAside>,
    future: Vec<document::Future>,
    lines: Vec<String>,
    people: Vec<document::Person>,
    notes: Vec<String>,
    held: usize,
    idle: usize,
    touched: BTreeSet<String>,
    exit: Exit,
}

impl Telling {
    fn aside(&mut self, shown: &[Shown]) {
        for s in shown {
            self.set_aside.push(document::SetAside {
                login: s.login.clone(),
                why: without(&s.login, &s.text),
                place: s.place.clone(),
            });
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    fn held(&mut self, shown: &[Shown]) {
        for s in shown {
            self.lines.push(format!("! {} leaver HELD {}", s.login, s.text));
            self.people
                .push(bare(&s.login, Some(&s.id), "leaver", PersonResult::Held, &s.text));
            self.held += 1;
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    fn unread(&mut self, shown: &[Shown]) {
        for s in shown {
            self.set_aside.push(document::SetAside {
                login: s.login.clone(),
                why: without(&s.login, &s.text),
                place: s.place.clone(),
            });
            // Nothing else was begun: try again later; else it is partial.
            self.exit = self.exit.worse(Exit::Unavailable);
        }
    }
    fn refused(&mut self, s: &Subject) {
        let Err(r) = &s.plan else { return };
        let (login, text) = (s.login().to_owned(), r.to_string());
        match r.class() {
            Class::Future => self.note(&login, &text),
            Class::Refused | Class::SetAside | Class::Unread | Class::Unbelievable => {
                self.set_aside.push(document::SetAside {
                    why: without(&login, &text),
                    login,
                    place: None,
                });
                self.exit = self.exit.worse(Exit::Partial);
            }
        }
    }
    fn passed(&mut self, s: &Subject, e: &CliError) {
        self.lines
            .push(format!("! {} {} HELD {}", s.login(), s.ask.flow(), e.message));
        self.people.push(bare(
            s.login(),
            Some(s.id()),
            &s.ask.flow().to_string(),
            PersonResult::Held,
            &e.message,
        ));
        // Somebody else works on them: nothing is lost, the next sweep looks again.
        if e.exit != Exit::Leased {
            self.exit = self.exit.worse(Exit::Partial);
        }
    }
    fn failed(&mut self, login: &str, f: &Failure) {
        self.set_aside.push(document::SetAside {
            login: login.to_owned(),
            why: f.to_string(),
            place: None,
        });
        let exit = if f.kind == Kind::Auth {
            Exit::Auth
        } else {
            Exit::Partial
        };
        self.exit = self.exit.worse(exit);
    }
    fn note(&mut self, login: &str, text: &str) {
        self.notes.push(format!("{login} {text}"));
    }
    fn log(&mut self, idle: &[Subject], states: &[State]) {
        for s in idle {
            self.lines.push(format!("{} {} NOTHING TO DO", s.login(), s.ask.flow()));
            if let Ok(plan) = &s.plan {
                self.people
                    .push(view::json::planned(plan, PersonResult::Nothing, None, vec![]));
            }
        }
        self.touched
            .extend(states.iter().flat_map(|s| s.people.keys().cloned()));
    }
    fn write(self, cx: &Context, firm: &Firm, exit: Exit) {
        let mut totals = view::json::totals(&self.people, firm.now());
        totals.set_aside = self.set_aside.len();
        totals.future = self.future.len();
        if cx.global.output == crate::cli::args::Output::Human {
            let mut lines = self.lines;
            lines.extend(self.notes.iter().map(|n| cx.out.screen.safe(n)));
            let shown = view::sweep::Swept {
                run: self.run.as_deref(),
                at: self.started,
                read: &self.read,
                lines: &lines,
                set_aside: &self.set_aside,
                future: &self.future,
                totals,
                took: self.begun.map(|b| b.elapsed()).unwrap_or_default(),
            };
            cx.out
                .data(&view::sweep::report(&say::tenant(firm), &shown, &cx.out.screen));
            return;
        }
        let body = document::Run {
            run: self.run.clone(),
            dry_run: self.run.is_none(),
            started: self.started,
            finished: firm.now(),
            sweep: Some(document::Sweep {
                read: self.read,
                brake: self.brake,
                set_aside: self.set_aside,
                future: self.future,
            }),
            totals,
            people: Some(self.people),
        };
        say::write(cx, firm, "sweep", exit, body);
    }
}

/// A refusal's sentence names the person; a line that begins with them needs it once.
fn without(login: &str, text: &str) -> String {
    let rest = text.strip_prefix(login).unwrap_or(text);
    rest.trim_start_matches([':', ' ']).to_owned()
}

fn bare(login: &str, id: Option<&PersonId>, flow: &str, result: PersonResult, why: &str) -> document::Person {
    document::Person {
        login: login.to_owned(),
        id: id.map(|i| i.0.clone()),
        flow: flow.to_owned(),
        result: result.name().into(),
        plan: None,
        effective: None,
        due: None,
        contained: None,
        completed: None,
        open: vec![],
        steps: vec![],
        notes: vec![document::Note {
            mark: "attention".into(),
            system: None,
            text: why.to_owned(),
        }],
        next: vec![],
    }
}
