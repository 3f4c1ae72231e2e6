//! joiner, mover and leaver by hand: find, look, show, ask, act, report.

use super::{
    act::{self, Cause, Party},
    errors, fresh,
    hire::Hired,
    pause, people,
    preview::{self, Ask, Subject},
    say, ticket,
};
use crate::{
    cli::{
        args::Gate,
        command::{joiner, leaver, mover},
        confirm,
        context::Context,
        error::CliError,
        exit::Exit,
        firm::Firm,
        operator::same_person,
        text,
    },
    ledger::Guard,
    model::{Flow, Person, Plan},
    planner::{
        brake::{self, Facts, PlanSet, Recent},
        consent, leaver as leaving,
    },
};

/// `open` is awaited once the arguments are known to be sound.
pub async fn leaver(
    cx: &Context,
    open: impl Future<Output = Result<Firm, CliError>>,
    args: leaver::Args,
) -> Result<Exit, CliError> {
    let overrule = match (args.reason, args.ticket) {
        (Some(reason), Some(ticket)) => Some(leaving::Override { reason, ticket }),
        (None, None) => None,
        (Some(_), None) => return Err(CliError::usage("--reason wants --ticket ID beside it")),
        (None, Some(_)) => return Err(CliError::usage("--ticket wants --reason TEXT beside it")),
    };
    let ask = Ask::Leaver(leaving::Ask {
        overrule,
        transfer_to: args.transfer_to,
        ..leaving::Ask::default()
    });
    let users = people::given(&args.users)?;
    let firm = open.await?;
    if let Some(away) = &firm.away {
        cx.out.warn(&cx.out.screen.safe(&format!(
            "! {}. What it knows is unknown now. Containment is done and written down on this host; the rest waits for the ledger.",
            away.why
        )));
    }
    if let (
        Ask::Leaver(leaving::Ask {
            transfer_to: Some(to), ..
        }),
        false,
    ) = (&ask, args.gate.dry_run)
    {
        not_to_oneself(&firm, to).await?;
    }
    let found = people::find(cx, &firm, &users, "leaver").await?;
    // Before anybody is looked at closely: a login of somebody else is perhaps the whole command's mistake.
    let logins: Vec<&str> = found.iter().map(|p| p.login.as_str()).collect();
    let typed = confirm::confirmed(&logins, &args.confirm)?;
    let missing: Vec<&str> = logins.into_iter().filter(|l| !typed.contains(*l)).collect();
    if !args.gate.dry_run && !cx.can_ask() && !missing.is_empty() {
        return Err(confirm::unconfirmed(cx, &missing));
    }
    by_hand(
        cx,
        &firm,
        found,
        ask,
        &args.gate,
        How::Login(args.confirm),
        &Typed::of(Flow::Leaver),
    )
    .await
}

/// Whoever takes somebody's accounts away does not help themselves to the files.
async fn not_to_oneself(firm: &Firm, to: &str) -> Result<(), CliError> {
    let operator = firm.operator.name().await?;
    if !same_person(to, &operator) {
        return Ok(());
    }
    Err(CliError::refused(format!(
        "--transfer-to {to} is the operator's own login; nothing was done"
    ))
    .hint("Somebody else runs this, or the files go to another person."))
}

pub async fn mover(
    cx: &Context,
    open: impl Future<Output = Result<Firm, CliError>>,
    args: mover::Args,
) -> Result<Exit, CliError> {
    let users = people::given(&args.users)?;
    needs_yes(cx, &args.gate)?;
    let firm = open.await?;
    let found = people::find(cx, &firm, &users, "mover").await?;
    by_hand(
        cx,
        &firm,
        found,
        Ask::Mover,
        &args.gate,
        How::YesNo,
        &Typed::of(Flow::Mover),
    )
    .await
}

pub async fn joiner(
    cx: &Context,
    open: impl Future<Output = Result<Firm, CliError>>,
    args: joiner::Args,
) -> Result<Exit, CliError> {
    let users = people::given(&args.users)?;
    needs_yes(cx, &args.gate)?;
    let firm = open.await?;
    let ask = crate::planner::joiner::Welcome {
        activate: args.activate,
        rehire: args.rehire,
        restore: false,
    };
    let mut gate = args.gate;
    let found = match &args.from {
        None => people::find(cx, &firm, &users, "joiner").await?,
        Some(file) => {
            if !gate.dry_run {
                pause::gate(&firm, Flow::Joiner).await?;
            }
            match super::hire::hire(cx, &firm, &users, file, &gate).await? {
                Hired::All(found, made) => {
                    if made {
                        // They were for the plan that made people, and are spent.
                        (gate.expect, gate.save_plan) = (None, None);
                    }
                    found
                }
                Hired::Shown(exit) => return Ok(exit),
            }
        }
    };
    by_hand(
        cx,
        &firm,
        found,
        Ask::Joiner(ask),
        &gate,
        How::YesNo,
        &Typed::of(Flow::Joiner),
    )
    .await
}

pub(super) fn needs_yes(cx: &Context, gate: &Gate) -> Result<(), CliError> {
    if gate.dry_run || gate.yes || cx.can_ask() {
        return Ok(());
    }
    Err(
        CliError::usage("nobody can be asked here, and this needs --yes; nothing was done")
            .hint("Look first with --dry-run."),
    )
}

/// The command: the kind of its run and documents, and the words that give it again.
pub struct Typed {
    pub kind: &'static str,
    /// Where it names no people.
    pub words: Option<String>,
}

impl Typed {
    fn of(flow: Flow) -> Typed {
        Typed {
            kind: kind(flow),
            words: None,
        }
    }
    pub fn again(&self, people: &str) -> String {
        match &self.words {
            Some(words) => words.clone(),
            None => format!("{} {people}", self.kind),
        }
    }
}

/// How consent is given.
pub enum How {
    /// The login typed, or given by these `--confirm`.
    Login(Vec<String>),
    YesNo,
}

pub async fn by_hand(
    cx: &Context,
    firm: &Firm,
    found: Vec<Person>,
    ask: Ask,
    gate: &Gate,
    how: How,
    typed: &Typed,
) -> Result<Exit, CliError> {
    let paused = match gate.dry_run {
        true => None,
        false => pause::gate(firm, ask.flow()).await?,
    };
    let many = found.len() > 1;
    let mut tenant = firm.tenant(ask.need()).await?;
    let asked = found.into_iter().map(|p| (p, ask.clone())).collect();
    let subjects = preview::look(firm, &mut tenant, asked).await?;
    fresh::clock(firm)?;
    if let Some(overrule) = reason(&ask) {
        ticket::read_back(cx, firm, &subjects, &overrule.ticket).await?;
    }
    // One person: a refusal is the command's answer. Several: it is theirs, and the others go on.
    if let (false, Some(Err(refusal))) = (many, subjects.first().map(|s| &s.plan)) {
        return Err(errors::refusal(refusal));
    }
    say::preview(cx, firm, &subjects, gate, Some(typed))?;
    if gate.dry_run {
        return Ok(say::planned(cx, firm, typed, &subjects, gate));
    }
    if let Some(expected) = &gate.expect {
        expect(&subjects, expected)?;
    }
    let (idle, due): (Vec<Subject>, Vec<Subject>) = subjects.into_iter().partition(|s| !worth(s));
    if due.is_empty() {
        return Ok(say::nothing(cx, firm, typed.kind, &idle));
    }
    let plans: Vec<_> = due.iter().filter_map(|s| s.plan.clone().ok()).collect();
    let population = firm.population().await;
    let facts = Facts {
        by_hand: true,
        recent: Recent {
            leavers_24h: firm.leavers_24h().await?,
        },
        members: Default::default(),
        rules: vec![],
        causes: vec![],
    };
    let cleared =
        brake::clear(PlanSet { plans, population }, &firm.config.limits, &facts).map_err(|trip| errors::trip(&trip))?;
    let asked: Vec<Plan> = due.iter().filter_map(|s| s.plan.clone().ok()).collect();
    if let Some(pause) = paused.filter(|_| !asked.iter().any(pause::contains)) {
        return Err(errors::paused(&pause));
    }
    let (consent, word) = match &how {
        How::Login(confirm) => {
            let word = if confirm.is_empty() {
                "typed the login"
            } else {
                "--confirm"
            };
            (confirm::leavers(cx, &asked, confirm).await?, word)
        }
        How::YesNo => {
            let word = if gate.yes { "--yes" } else { "answered y" };
            let command = cx.command(&typed.again(&logins(&due)));
            (confirm::yes(cx, gate.yes, "Apply this?", &command).await?, word)
        }
    };
    let agreed = consent::agree(cleared, consent).map_err(|r| errors::refusal(&r))?;
    let cause = Cause {
        kind: typed.kind,
        consent: word.to_owned(),
        reason: reason(&ask).map(|o| o.reason.clone()),
        ticket: reason(&ask).map(|o| o.ticket.clone()),
        population,
        under: Guard::default(),
        spends: vec![],
    };
    let run = firm.new_run().await?;
    let parties: Vec<Party> = act::parties(&run, due);
    let states = act::act(cx, firm, &mut tenant, parties, agreed, &cause, None).await?;
    Ok(say::closing(cx, firm, typed.kind, &states, &idle))
}

/// Is there anything to do for this person: a step, or an unfinished run to be settled?
fn worth(s: &Subject) -> bool {
    match &s.plan {
        Ok(plan) => !plan.is_empty() || s.open.is_some(),
        Err(_) => false,
    }
}

fn expect(subjects: &[Subject], expected: &str) -> Result<(), CliError> {
    let ids: Vec<_> = subjects
        .iter()
        .filter_map(|s| s.plan.as_ref().ok())
        .map(|p| p.id())
        .collect();
    if ids.len() == 1 && ids.iter().all(|id| id.is(expected)) {
        return Ok(());
    }
    let now = ids.iter().map(|i| i.short()).collect::<Vec<_>>().join(", ");
    Err(errors::moved(&now, expected))
}

fn logins(due: &[Subject]) -> String {
    due.iter().map(|s| text::shell(s.login())).collect::<Vec<_>>().join(" ")
}

fn reason(ask: &Ask) -> Option<&leaving::Override> {
    match ask {
        Ask::Leaver(a) => a.overrule.as_ref(),
        Ask::Mover | Ask::Joiner(_) | Ask::Leave => None,
    }
}

pub fn kind(flow: Flow) -> &'static str {
    match flow {
        Flow::Joiner => "joiner",
        Flow::Mover => "mover",
        Flow::Leaver | Flow::Leave => "leaver",
        Flow::Groups => "groups-apply",
    }
}
