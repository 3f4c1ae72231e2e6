//! `jml run list`, `show` and `apply`: what was done, and what was held. Only `apply` speaks to a system.

use std::collections::BTreeSet;

use super::{
    act::{self, Cause, Passed, Spend},
    approve, errors,
    preview::{self, Ask, Subject},
    resume, say,
};
use crate::{
    cli::{
        args::Output,
        command::run::{ApplyArgs, ShowArgs},
        context::Context,
        document::{self, Rows},
        error::CliError,
        exit::Exit,
        firm::Firm,
        memory::Memory,
        text,
        view::{self, list::List},
    },
    ledger::{Lease, Ledger, PersonState, State},
    model::{Flow, Limit, Limits, Observed, Person, Plan},
    planner::{
        brake::{self, Facts, PlanSet},
        consent::{self, Consent},
        leaver as leaving,
    },
};

pub async fn list(cx: &Context) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let rows = view::runs::rows(&memory.ledger()?.runs().await?);
    let list = List {
        kind: "run-list",
        tenant: &memory.tenant,
        exit: Exit::Done,
        columns: view::runs::RUNS,
        // Theirs is the command; the line's own kind would hide it.
        own_kind: true,
    };
    list.show(&cx.out, &rows, "", || Rows { rows: rows.clone() })?;
    Ok(Exit::Done)
}

/// A run, and of whom in it the question is: everybody, or whose plan was named.
pub(super) struct Meant {
    pub state: State,
    pub subject: Option<String>,
}

impl Meant {
    fn held(&self) -> Vec<&PersonState> {
        self.whoever(|p| p.held.is_some())
    }
    /// Held as a whole, or contained and waiting for an approver.
    fn waiting(&self) -> Vec<&PersonState> {
        self.whoever(|p| p.held.is_some() || p.waits_for_approver())
    }
    fn whoever(&self, wanted: impl Fn(&PersonState) -> bool) -> Vec<&PersonState> {
        let meant = |p: &&PersonState| self.subject.as_ref().is_none_or(|s| *s == p.subject);
        self.state.people.values().filter(|p| wanted(p)).filter(meant).collect()
    }
}

/// By the run's name, or by a plan's id: the newest run that held or applied it.
pub(super) async fn meant(ledger: &Ledger, typed: &str) -> Result<Meant, CliError> {
    let found = ledger.run_by_prefix(typed).await?;
    let (run, subject) = match found.as_slice() {
        [one] => (one.clone(), None),
        [] => match ledger.plans(typed).await?.pop() {
            Some(stored) => (stored.run, Some(stored.subject)),
            None => {
                return Err(CliError::new(
                    Exit::Who,
                    format!("the ledger has no run and no plan \"{}\"", text::middle_cut(typed, 64)),
                )
                .hint("A plan is named by its id as previews show it, all three groups."));
            }
        },
        several => return Err(errors::many_runs(typed, several)),
    };
    let state = ledger.run(&run).await?.ok_or_else(|| errors::no_run(typed))?;
    Ok(Meant { state, subject })
}

/// The closing report again, the same text; of what is held, the plan.
pub async fn show(cx: &Context, args: ShowArgs) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let meant = meant(memory.ledger()?, &args.run).await?;
    let (tenant, flags, screen) = (&memory.tenant, cx.flags(), &cx.out.screen);
    let state = &meant.state;
    match cx.global.output {
        Output::Human => {
            let held = meant.held();
            let only_held = !held.is_empty() && (meant.subject.is_some() || held.len() == state.people.len());
            let shown = if only_held {
                view::runs::held(tenant, state, &held, (memory.clock)(), &flags, screen)
            } else if state.people.is_empty() {
                view::runs::nobody(tenant, state, &flags, screen)
            } else {
                view::report::report(tenant, state, &flags, screen)
            };
            cx.out.data(&shown);
        }
        Output::Csv => {
            return Err(CliError::usage("a report is no table").run(
                "Its entries are",
                cx.command(&format!("audit show {} -o csv", text::shell(&state.run))),
            ));
        }
        Output::Json | Output::Ndjson => {
            let people = state.people.values().map(|p| view::json::person(state, p, &flags));
            emit(cx, tenant, "run-show", Exit::Done, state, people.collect());
        }
    }
    Ok(Exit::Done)
}

/// One run's document. It speaks of the time when the run ended: a year later it says the same.
fn emit(cx: &Context, tenant: &view::Tenant, kind: &str, exit: Exit, state: &State, people: Vec<document::Person>) {
    let finished = state.last.map_or(chrono::DateTime::UNIX_EPOCH, |(_, t)| t);
    let body = document::Run {
        run: Some(state.run.clone()),
        dry_run: false,
        policy_changed: view::json::change(state),
        role: state.opened.as_ref().and_then(|(_, o)| o.role.clone()),
        started: state.opened.as_ref().map_or(finished, |(t, _)| *t),
        finished,
        sweep: None,
        paused: None,
        totals: view::json::totals(&people, finished),
        people: Some(people),
    };
    say::emit(cx, tenant, kind, exit, body);
}

/// Plans everyone of it again. Whose plan is still the one that was held is handled; whose is not, is told.
pub async fn apply(cx: &Context, args: ApplyArgs) -> Result<Exit, CliError> {
    if !args.yes {
        return Err(
            CliError::usage("run apply asks nothing and needs --yes; nothing was done").run(
                "See what is held",
                cx.command(&format!("run show {}", text::shell(&args.plan))),
            ),
        );
    }
    let firm = Firm::open(cx).await?;
    go_on(cx, &firm, &args.plan).await
}

/// What was held, as far as it is still true and somebody let it pass.
pub async fn go_on(cx: &Context, firm: &Firm, plan: &str) -> Result<Exit, CliError> {
    if let Some(pause) = firm.ledger.paused().await? {
        return Err(errors::paused(&pause));
    }
    let meant = meant(&firm.ledger, plan).await?;
    let run = meant.state.run.clone();
    let mut held: Vec<PersonState> = meant.waiting().into_iter().cloned().collect();
    if held.is_empty() {
        return Err(
            CliError::stale(format!("nothing is held in run {run} any more; nothing was done"))
                .run("See what became of it", cx.command(&format!("run show {run}"))),
        );
    }
    let mut aside = Aside::default();
    let allowed = allowed(cx, firm, plan, &run, &mut held, &mut aside).await?;
    let people = again(firm, &meant.state, &held, allowed.lease.is_some(), &mut aside).await?;
    let need = people.iter().map(|(_, a)| a.need()).reduce(resume::merge);
    let mut tenant = firm.tenant(need.unwrap_or_default()).await?;
    let subjects = preview::look(firm, &mut tenant, people).await?;
    let (due, idle) = still_true(&held, subjects, &mut aside);
    let mut states = vec![];
    if !due.is_empty() {
        let plans: Vec<Plan> = due.iter().filter_map(|s| s.plan.clone().ok()).collect();
        let logins: BTreeSet<String> = plans.iter().map(|p| p.login.clone()).collect();
        let population = firm.population().await;
        // The brake did its work: somebody looked, and named exactly these plans. What is unlawful stays so.
        let cleared = brake::clear(
            PlanSet { plans, population },
            &lifted(&firm.config.limits),
            &Facts::default(),
        )
        .map_err(|t| errors::trip(&t))?;
        let agreed = consent::agree(cleared, Consent::Typed(logins)).map_err(|r| errors::refusal(&r))?;
        let cause = Cause {
            kind: "run-apply",
            consent: allowed.word.clone(),
            reason: None,
            ticket: None,
            population,
            under: allowed.lease.as_ref().map(Lease::guard).unwrap_or_default(),
            spends: allowed.spends.clone(),
        };
        let mut parties = act::parties(&run, due);
        for p in parties.iter_mut().filter(|p| p.run == run) {
            p.before = Some(meant.state.clone());
        }
        let mut passed: Passed = vec![];
        states = act::act(cx, firm, &mut tenant, parties, agreed, &cause, Some(&mut passed)).await?;
        for (s, e) in &passed {
            aside.say(s.login(), &e.to_string(), e.exit);
        }
    }
    Ok(report(cx, firm, &meant.state, &states, &idle, aside))
}

/// What lets the plans be applied, and what of it is used up by that.
struct Allowed {
    /// An approval is one process's at a time.
    lease: Option<Lease>,
    spends: Vec<Spend>,
    word: String,
}

/// With `[approvals]` only what somebody else signed for is left in `held`. Without, whoever may run jml may apply it, and is told so.
async fn allowed(
    cx: &Context,
    firm: &Firm,
    plan: &str,
    run: &str,
    held: &mut Vec<PersonState>,
    aside: &mut Aside,
) -> Result<Allowed, CliError> {
    let word = "run apply --yes".to_owned();
    if firm.config.approvals.is_none() {
        held.retain(|p| {
            let waits = p.waits_for_approver();
            if waits {
                aside.say(
                    &p.login,
                    "waits for an approver, and no [approvals] are configured",
                    Exit::Refused,
                );
            }
            !waits
        });
        cx.out
            .talk("No [approvals] are configured: this is applied on one person's word.");
        return Ok(Allowed {
            lease: None,
            spends: vec![],
            word,
        });
    }
    let lease = firm.ledger.lease(&[format!("approval/{run}")], run).await?;
    // Under the lease: what was spent a moment ago is seen.
    let state = firm.ledger.run(run).await?.ok_or_else(|| errors::no_run(run))?;
    let holds = firm.ledger.holds(run).await?;
    let operator = firm.operator.name().await?;
    let granted =
        approve::granted(&firm.config, &firm.organisation, &operator, &state, &holds, firm.now()).map_err(|e| {
            e.run(
                "Somebody else signs for it",
                cx.command(&format!("run approve {}", text::shell(plan))),
            )
        })?;
    held.retain(|p| {
        let covered = granted.people.contains(&p.subject);
        if !covered {
            aside.say(
                &p.login,
                "is not in the approval and needs one of its own",
                Exit::Refused,
            );
        }
        covered
    });
    Ok(Allowed {
        lease: Some(lease),
        spends: granted
            .spends
            .into_iter()
            .map(|approval| Spend {
                run: run.to_owned(),
                approval,
            })
            .collect(),
        word: format!("{word}, approved by {}", text::list(&granted.by)),
    })
}

/// Whoever of a held plan is not handled, with why.
#[derive(Default)]
struct Aside {
    lines: Vec<(String, String)>,
    exit: Exit,
}

impl Aside {
    fn say(&mut self, login: &str, why: &str, exit: Exit) {
        self.lines.push((login.to_owned(), why.to_owned()));
        self.exit = self.exit.worse(exit);
    }
}

/// Each person read by id, with the planner that made the held plan.
async fn again(
    firm: &Firm,
    state: &State,
    held: &[PersonState],
    approved: bool,
    aside: &mut Aside,
) -> Result<Vec<(Person, Ask)>, CliError> {
    let (mut people, mut asks) = (vec![], vec![]);
    for p in held {
        let ask = match p.flow {
            Flow::Leaver => Ask::Leaver(leaving::Ask {
                overrule: resume::overrule(state),
                approved,
                ..leaving::Ask::default()
            }),
            Flow::Mover => Ask::Mover,
            Flow::Joiner => Ask::Joiner(Default::default()),
            Flow::Leave => Ask::Leave,
            Flow::Groups => {
                aside.say(&p.login, "is applied by jml groups apply", Exit::Refused);
                continue;
            }
        };
        match firm.look.directory.person(&p.subject).await {
            Ok(Observed::Present(person)) => {
                people.push(person);
                asks.push(ask);
            }
            Ok(Observed::Absent) => aside.say(&p.login, "is no longer in Okta", Exit::Stale),
            Ok(Observed::Unknown(f)) | Err(f) => {
                aside.say(&p.login, &f.to_string(), CliError::unread(&f).exit);
            }
        }
    }
    Ok(firm.employ(people).await?.into_iter().zip(asks).collect())
}

/// Who is due, and who has nothing left to do.
fn still_true(held: &[PersonState], subjects: Vec<Subject>, aside: &mut Aside) -> (Vec<Subject>, Vec<Subject>) {
    let (mut due, mut idle) = (vec![], vec![]);
    for s in subjects {
        let was = held.iter().find(|p| p.subject == s.id().0).map(|p| &p.plan);
        match (&s.plan, was) {
            (Err(refusal), _) => aside.say(s.login(), &refusal.to_string(), errors::refusal(refusal).exit),
            (Ok(plan), _) if plan.is_empty() => idle.push(s),
            // What comes after containment was never planned: that the person is the one who was signed for is what must hold.
            (Ok(plan), Some(was)) if was.held.is_some() || was.id() == plan.id() => due.push(s),
            (Ok(plan), Some(was)) => {
                let moved = consent::moved(was, plan).join(", ");
                let why = format!("has another plan now, {}: {moved}", plan.id());
                aside.say(s.login(), &why, Exit::Stale);
            }
            (Ok(plan), None) => {
                aside.say(s.login(), &format!("has another plan now, {}", plan.id()), Exit::Stale);
            }
        }
    }
    (due, idle)
}

fn lifted(limits: &Limits) -> Limits {
    let none = Limit {
        count: None,
        percent: None,
    };
    Limits {
        leavers: none,
        leavers_24h: none,
        movers: none,
        joiners: none,
        removals_per_group: none,
        adds_per_group: none,
        exclusions_per_rule: none,
        ..limits.clone()
    }
}

fn report(cx: &Context, firm: &Firm, held: &State, states: &[State], idle: &[Subject], aside: Aside) -> Exit {
    let tenant = say::tenant(firm);
    let mut exit = aside.exit.worse(say::interrupted(cx));
    let mut people = vec![];
    for state in states {
        let whom = |p: &&PersonState| p.held.is_none();
        let now = firm.now();
        exit = state
            .people
            .values()
            .filter(whom)
            .map(|p| say::exit_of_person(p, now))
            .fold(exit, Exit::worse);
        people.extend(
            state
                .people
                .values()
                .filter(whom)
                .map(|p| view::json::person(state, p, &cx.flags())),
        );
        if cx.global.output == Output::Human {
            cx.out
                .data(&view::report::report(&tenant, state, &cx.flags(), &cx.out.screen));
        }
    }
    say::stopped(cx);
    for s in idle {
        people.extend(
            s.plan
                .as_ref()
                .ok()
                .map(|plan| view::json::planned(plan, crate::model::PersonResult::Nothing, None, vec![])),
        );
        cx.out.talk(&format!(
            "{} has nothing left to do",
            text::safe(s.login(), cx.env.utf8)
        ));
    }
    for (login, why) in &aside.lines {
        cx.out.warn(&format!(
            "! {} {}",
            text::safe(login, cx.env.utf8),
            text::safe(why, cx.env.utf8)
        ));
        people.push(document::Person {
            result: crate::model::PersonResult::Refused.name().into(),
            notes: vec![document::Note {
                mark: "attention".into(),
                system: None,
                text: why.clone(),
            }],
            ..view::json::unplanned(login)
        });
    }
    emit(cx, &tenant, "run-apply", exit, states.first().unwrap_or(held), people);
    exit
}
