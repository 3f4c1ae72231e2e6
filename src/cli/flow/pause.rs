//! `jml pause` and `unpause`, and what a pause keeps other commands from.
//!
//! The ledger is written first, and no system is asked before that: the switch works while the directory is down. The check that counts
//! is the store's own, in the transaction of each intent; what is refused here is refused early, so that nothing is begun.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;

use super::{errors, resume, tick};
use crate::{
    cli::{
        args::Output, command::pause::Args, context::Context, document::Pausing, error::CliError, exit::Exit,
        firm::Firm, memory::Memory, text, view::list::List,
    },
    ledger::{
        Guard, Ledger, Pause,
        entry::{Body, Draft, Opened},
        fold::{PersonState, StepRecord},
        pause::LONGEST,
    },
    model::{Flow, Phase, Plan, Record, What},
    providers::{Act, Look, registry},
    run::{AllRecorders, outbox},
};

pub async fn pause(cx: &Context, args: Args) -> Result<Exit, CliError> {
    let reason = tick::sentence("--reason", &args.reason, "why nothing may begin")?;
    let length = TimeDelta::from_std(args.length).unwrap_or(TimeDelta::MAX);
    if length < TimeDelta::seconds(1) || length > LONGEST {
        return Err(CliError::usage(
            "--for is at least 1s and at most 4h: a pause ends by itself, and may be given again; nothing was done",
        ));
    }
    let desk = Desk::open(cx).await?;
    let until = (desk.memory.clock)() + length;
    let body = Body::Paused {
        until,
        reason: reason.clone(),
        all: args.all,
    };
    let title = format!("jml paused by {} until {}", desk.operator, text::instant(until));
    let entry = desk.write(cx, "pause", body, title, &reason).await?;
    let holds = desk.memory.ledger()?.paused().await?;
    let holds = holds.ok_or_else(|| CliError::internal("a pause was written and does not hold"))?;
    let runs = if holds.all {
        "Nothing begins on any host, not even containment."
    } else {
        "On every host only containment begins."
    };
    let longer = if holds.seq == entry {
        String::new()
    } else {
        format!(" The one by {} lasts longer, and stands.", holds.by)
    };
    let said = format!(
        "Paused until {}: ledger entry {entry}. {runs}{longer}",
        text::instant(holds.until)
    );
    desk.show(cx, "pause", &said, Pausing::of(Some(entry), Some(&holds)))
}

pub async fn unpause(cx: &Context) -> Result<Exit, CliError> {
    let desk = Desk::open(cx).await?;
    let Some(pause) = desk.memory.ledger()?.paused().await? else {
        return desk.show(cx, "unpause", "Nothing is paused.", Pausing::of(None, None));
    };
    if pause.by == desk.operator {
        return Err(CliError::refused(format!(
            "{}; whoever paused can't lift it, nothing was done",
            pause.sentence()
        ))
        .hint("Another operator can; otherwise it ends by itself."));
    }
    let title = format!("jml unpaused by {}", desk.operator);
    let entry = desk
        .write(cx, "unpause", Body::Unpaused, title, &pause.sentence())
        .await?;
    let said = format!(
        "The pause by {} is lifted: ledger entry {entry}. What waits goes on with the next sweep, or by {}.",
        pause.by,
        cx.command("run resume")
    );
    desk.show(cx, "unpause", &said, Pausing::of(Some(entry), None))
}

/// The ledger, who writes in it, and who is told of it.
struct Desk {
    memory: Memory,
    operator: String,
    recorders: AllRecorders,
    _keep: Option<Box<dyn std::any::Any + Send>>,
}

impl Desk {
    async fn open(cx: &Context) -> Result<Desk, CliError> {
        let made = cx.wire().await?;
        let operator = made.operator.name().await?;
        let memory = Memory::of(cx, made.config, made.clock, made.operator)?;
        let look = Look::new(Arc::new(made.client), made.secrets);
        let act = Act::after(look, &resume::nothing(&memory.config.limits)?);
        let mut recorders = BTreeMap::new();
        for section in memory.config.systems.values() {
            if let Some(r) = registry::recorder(section, &act)? {
                recorders.insert(section.system.clone(), Arc::from(r));
            }
        }
        Ok(Desk {
            memory,
            operator,
            recorders,
            _keep: made.keep,
        })
    }

    /// In one append: that it holds, and that somebody is to be told. Then they are; what can't be delivered now is owed.
    async fn write(&self, cx: &Context, kind: &str, body: Body, title: String, why: &str) -> Result<i64, CliError> {
        let ledger = self.memory.ledger()?;
        let config = &self.memory.config;
        let run = crate::cli::context::open::new_run(ledger).await?;
        let opened = Opened {
            kind: kind.to_owned(),
            operator: self.operator.clone(),
            consent: "asks nothing".to_owned(),
            config: config.digest(),
            policy: config.policy_digest(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reason: None,
            ticket: None,
            role: self.memory.operator.role().map(|r| r.name().to_owned()),
            former: None,
        };
        let place = if config.sandbox.is_some() { "sandbox" } else { "prod" };
        let record = Record {
            key: format!("jml-{run}-event"),
            run: run.clone(),
            login: None,
            at: (self.memory.clock)(),
            what: What::Event {
                title,
                text: why.to_owned(),
                tags: vec![format!("env:{place}"), format!("trigger:{kind}")],
                alert: true,
            },
        };
        let takes = self.recorders.iter().filter(|(_, r)| r.takes(&record.what));
        let owed = takes.map(|(system, _)| Body::Owed {
            record: record.clone(),
            system: system.clone(),
        });
        let drafts = [Body::Opened(opened), body]
            .into_iter()
            .chain(owed)
            .map(|body| Draft {
                run: run.clone(),
                operator: self.operator.clone(),
                body,
            })
            .collect();
        let written = ledger.append(&Guard::default(), drafts).await?;
        let entry = written
            .get(1)
            .copied()
            .ok_or_else(|| CliError::internal("an entry was written and has no number"))?;
        let items: Vec<_> = ledger
            .run(&run)
            .await?
            .iter()
            .flat_map(|s| s.undelivered().cloned().collect::<Vec<_>>())
            .collect();
        outbox::deliver(&self.recorders, ledger, &Guard::default(), &self.operator, items).await?;
        for left in ledger.run(&run).await?.iter().flat_map(|s| s.undelivered()) {
            let why = left.failure.as_ref().map(ToString::to_string).unwrap_or_default();
            cx.out.warn(&format!(
                "! {} has not been told yet, the next sweep tries again: {}",
                cx.out.screen.safe(left.system.as_str()),
                cx.out.screen.safe(&why)
            ));
        }
        Ok(entry)
    }

    fn show(&self, cx: &Context, kind: &'static str, said: &str, document: Pausing) -> Result<Exit, CliError> {
        let list = List {
            kind,
            tenant: &self.memory.tenant,
            exit: Exit::Done,
            columns: &["entry", "by", "until", "all", "reason"],
            own_kind: false,
        };
        match cx.global.output {
            Output::Human => cx.out.data(&format!("{}\n", cx.out.screen.safe(said))),
            Output::Json | Output::Ndjson => cx.out.document(&list.document(document)),
            Output::Csv => list.show(&cx.out, std::slice::from_ref(&document), "", || document.clone())?,
        }
        Ok(Exit::Done)
    }
}

/// Said once by whatever command opens the ledger. One that can't be read is told by whoever needs it.
pub async fn notice(cx: &Context, ledger: &Ledger) {
    if let Ok(Some(pause)) = ledger.paused().await {
        cx.out.warn(&format!(
            "! {}.",
            cx.out.screen.safe(pause.sentence().trim_end_matches('.'))
        ));
        cx.pause.saw(pause);
    }
}

/// Before anything is begun: of these only leavers go on, to be contained, and in a pause of everything nobody.
pub async fn gate(firm: &Firm, flow: Flow) -> Result<Option<Pause>, CliError> {
    match firm.ledger.paused().await? {
        Some(pause) if pause.all || flow != Flow::Leaver => Err(errors::paused(&pause)),
        pause => Ok(pause),
    }
}

/// Shut by this run already, with nothing left to do for it.
pub fn contained(person: &PersonState) -> bool {
    let mut steps = person.live().filter(|r| r.step.phase == Phase::Contain);
    person.contained.is_some() && steps.all(StepRecord::settled)
}

/// Does it shut anybody?
pub fn contains(plan: &Plan) -> bool {
    plan.steps
        .iter()
        .any(|s| s.phase == Phase::Contain && s.waits.is_none())
}
