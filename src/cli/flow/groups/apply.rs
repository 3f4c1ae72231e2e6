//! `groups plan` and `apply`: the scaffold that policy stands on.
//!
//! Moves nobody, and deletes no group that holds people or that jml did not make.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::read;
use crate::{
    cli::{
        args::{Gate, Output},
        command::groups::{ApplyArgs, PlanArgs},
        confirm,
        context::Context,
        document::{self, Change, Changes},
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::{
            act::{self, Cause, Job, Work},
            by_hand, errors, pause, say,
        },
        view::{self, changes, list::List},
    },
    ledger::{Filter, Guard, entry::Body, fold::State},
    model::{Action, Catalogue, Flow, GroupKind, Manifest, Observed, PersonResult, Plan, Seen, Verbs, system::OKTA},
    planner::{
        brake::{self, Facts, PlanSet},
        consent,
        entitle::{ROLE, policy_groups},
        groups::{self, Known},
    },
    run::observe::{Need, Target},
};

/// The lease that keeps two of these apart: there is one scaffold a tenant.
const SUBJECT: &str = "groups";

pub async fn plan(cx: &Context, args: PlanArgs) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let (_, plan) = look(&firm).await?;
    let exit = if args.exit_code && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    };
    if cx.global.output == Output::Human {
        cx.out.data(&shown(cx, &firm, &plan, !plan.is_empty()));
        return Ok(exit);
    }
    let all = changes_of(&plan);
    let list = List {
        kind: "groups-plan",
        tenant: &say::tenant(&firm),
        exit,
        columns: COLUMNS,
        own_kind: false,
    };
    list.show(&cx.out, &all, "", || Changes {
        taken: None,
        changes: all.clone(),
        notes: view::json::planned(&plan, PersonResult::Planned, None, vec![]).notes,
    })?;
    Ok(exit)
}

pub(super) const COLUMNS: &[&str] = &["mark", "group", "what", "subject", "before", "after"];

/// `open` is awaited once the arguments are known to be sound.
pub async fn apply(
    cx: &Context,
    open: impl Future<Output = Result<Firm, CliError>>,
    args: ApplyArgs,
) -> Result<Exit, CliError> {
    let gate = &args.gate;
    by_hand::needs_yes(cx, gate)?;
    let firm = open.await?;
    if !gate.dry_run {
        pause::gate(&firm, Flow::Groups).await?;
    }
    let (tenant, plan) = look(&firm).await?;
    if let Some(path) = &gate.save_plan {
        say::save(path, &[&plan])?;
    }
    if cx.global.output == Output::Human {
        cx.out.data(&shown(cx, &firm, &plan, gate.dry_run && !plan.is_empty()));
    }
    if gate.dry_run {
        return Ok(dry(cx, &firm, &plan, gate));
    }
    groups::may_apply(&firm.config.policy).map_err(|r| errors::refusal(&r))?;
    if let Some(expected) = &gate.expect
        && !plan.id().is(expected)
    {
        return Err(errors::moved(&plan.id().short(), expected));
    }
    let before = unfinished(&firm).await?;
    if plan.is_empty() && before.is_none() {
        return Ok(dry(cx, &firm, &plan, &Gate::default()));
    }
    let facts = Facts {
        by_hand: true,
        ..Facts::default()
    };
    let set = |plan: &Plan| PlanSet {
        plans: vec![plan.clone()],
        population: 0,
    };
    let cleared = brake::clear(set(&plan), &firm.config.limits, &facts).map_err(|t| errors::trip(&t))?;
    let consent = confirm::yes(cx, gate.yes, "Apply this?", &cx.command("groups apply")).await?;
    let agreed = consent::agree(cleared, consent).map_err(|r| errors::refusal(&r))?;

    let run = match &before {
        Some(state) => state.run.clone(),
        None => firm.new_run().await?,
    };
    let lease = firm.ledger.lease(&[SUBJECT.to_owned()], &run).await?;
    drop(tenant);
    let (tenant, fresh) = look(&firm).await?;
    let agreed = agreed.renew(set(&fresh)).map_err(|s| errors::stale(&s))?;
    let cause = Cause {
        kind: by_hand::kind(Flow::Groups),
        consent: if gate.yes { "--yes" } else { "answered y" }.to_owned(),
        reason: None,
        ticket: None,
        population: 0,
        under: Guard::default(),
        spends: vec![],
    };
    let nobody = Seen::new(Verbs::new(), Observed::Absent);
    let work = Work {
        subject: SUBJECT.to_owned(),
        plan: fresh,
        manifest: Manifest::default(),
        systems: BTreeMap::from([(OKTA, nobody)]),
        target: Target::Tenant {
            directory: firm.look.directory.clone(),
            tenant: Arc::new(tenant),
        },
    };
    let job = Job {
        run,
        before,
        work: vec![work],
    };
    let states = act::carry_out(cx, &firm, vec![(job, vec![lease])], &agreed, &cause).await?;
    Ok(say::closing(cx, &firm, &Flow::Groups.to_string(), &states, &[]))
}

/// A run over groups that was cut short is taken up, not begun anew.
async fn unfinished(firm: &Firm) -> Result<Option<State>, CliError> {
    let history = firm.ledger.history(SUBJECT).await?;
    match history.open_runs.last() {
        Some(run) => Ok(firm.ledger.run(run).await?.filter(|s| !s.opaque)),
        None => Ok(None),
    }
}

async fn look(firm: &Firm) -> Result<(Catalogue, Plan), CliError> {
    let policy = &firm.config.policy;
    let catalogue = read::catalogue(firm, Need::default()).await?;
    let named = policy_groups(policy);
    let concerned: BTreeSet<String> = read::sorted(&catalogue)
        .into_iter()
        .filter(|g| g.kind == GroupKind::OktaGroup)
        .filter(|g| named.contains(&g.name) || g.name.starts_with(ROLE) || g.name.starts_with("BR-"))
        .map(|g| g.id.clone())
        .collect();
    let members = read::members(firm, concerned).await;
    let known = Known {
        members: members
            .into_iter()
            .filter_map(|(id, read)| Some((id, read.present()?.len())))
            .collect(),
        made: made(firm).await?,
    };
    let plan = groups::groups(policy, &catalogue, &known).map_err(|r| errors::refusal(&r))?;
    Ok((catalogue, plan))
}

/// Ids of the groups that jml made, by the ledger's receipts.
async fn made(firm: &Firm) -> Result<BTreeSet<String>, CliError> {
    let filter = Filter {
        subject: Some(SUBJECT.to_owned()),
        ..Filter::default()
    };
    let entries = firm.ledger.entries(filter).await?;
    Ok(entries
        .into_iter()
        .filter_map(|e| match e.body? {
            Body::Finished {
                receipt: Some(receipt), ..
            } if !receipt.already => receipt.made,
            _ => None,
        })
        .collect())
}

fn changes_of(plan: &Plan) -> Vec<Change> {
    plan.steps
        .iter()
        .filter_map(|s| {
            let name = s.effect.action.object()?.to_owned();
            let gives = matches!(s.effect.action, Action::CreateGroup { .. });
            Some(Change {
                mark: if gives { "+" } else { "-" }.into(),
                group: name.clone(),
                what: "group".into(),
                subject: name.clone(),
                before: (!gives).then(|| name.clone()),
                after: gives.then_some(name),
            })
        })
        .collect()
}

fn shown(cx: &Context, firm: &Firm, plan: &Plan, apply: bool) -> String {
    let screen = &cx.out.screen;
    let mut out = changes::groups(&say::tenant(firm), &changes_of(plan), None, screen);
    for note in &plan.notes {
        let mark = match note.mark {
            crate::model::Mark::Attention => '!',
            crate::model::Mark::Unknown => '?',
            crate::model::Mark::Keep => '=',
        };
        out += &format!("{mark} {}\n", screen.safe(&note.text));
    }
    if apply && groups::may_apply(&firm.config.policy).is_ok() {
        let command = cx.command(&format!("groups apply --expect {}", plan.id().short()));
        out += &format!("Apply exactly this:  {command}\n");
    }
    out
}

/// Nothing was done: a dry run, or nothing is to be done.
fn dry(cx: &Context, firm: &Firm, plan: &Plan, gate: &Gate) -> Exit {
    let (result, next) = if plan.is_empty() {
        (PersonResult::Nothing, vec![])
    } else {
        let next = cx.command(&format!("groups apply --expect {}", plan.id().short()));
        (PersonResult::Planned, vec![next])
    };
    let exit = if gate.exit_code && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    };
    let people = vec![view::json::planned(plan, result, None, next)];
    let body = document::Run {
        run: None,
        dry_run: gate.dry_run,
        role: say::role(firm),
        policy_changed: None,
        started: firm.now(),
        finished: firm.now(),
        sweep: None,
        paused: None,
        totals: view::json::totals(&people, firm.now()),
        people: Some(people),
    };
    say::write(cx, firm, by_hand::kind(Flow::Groups), exit, body);
    exit
}
