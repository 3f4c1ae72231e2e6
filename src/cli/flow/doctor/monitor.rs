//! `jml doctor --write-monitor`: an alarm on what each sweep sends, kept where the figures go. The one thing that doctor changes.

use super::super::{errors, say};
use crate::{
    cli::{
        args::Output,
        command::doctor::Args,
        confirm,
        context::Context,
        document::{Document, JML, Monitor},
        error::CliError,
        exit::Exit,
        firm::Firm,
        view,
    },
    config::Section,
    model::{Alarm, Kind},
    planner::{
        brake::{self, Facts, PlanSet},
        consent,
    },
    providers::{Act, Kept, registry},
};

pub(super) async fn write(cx: &Context, firm: &Firm, args: &Args) -> Result<Exit, CliError> {
    let (section, alarm, monitor) = wanted(firm, args.system.as_deref())?;
    let command = cx.command(&format!("doctor {} --write-monitor", section.system));
    let mut body = Monitor {
        system: section.system.to_string(),
        result: "planned".into(),
        id: None,
        changed: vec![],
        monitor,
    };
    if args.dry_run {
        show(cx, firm, &body, &command);
        return Ok(Exit::Done);
    }
    // Nobody agrees to what was not shown; a document comes once, at the end.
    if !args.yes && cx.global.output == Output::Human {
        show(cx, firm, &body, &command);
    }
    // No plan is in it: nobody's access changes.
    let cleared =
        brake::clear(PlanSet::default(), &firm.config.limits, &Facts::default()).map_err(|t| errors::trip(&t))?;
    let consent = confirm::yes(cx, args.yes, "Write this monitor?", &command).await?;
    let agreed = consent::agree(cleared, consent).map_err(|r| errors::refusal(&r))?;
    let keeper = registry::alarms(section, &Act::after(firm.parts().clone(), &agreed))?;
    let kept = keeper.keep(&alarm).await.map_err(|f| match f.kind {
        Kind::Contradiction => CliError::refused(f.what.clone()).because(&f),
        Kind::Transient | Kind::Permanent | Kind::Auth | Kind::Throttled | Kind::Doubt | Kind::Cannot => {
            CliError::unread(&f)
        }
    })?;
    body.id = Some(kept.id);
    (body.result, body.changed) = match kept.how {
        Kept::Made => ("made".into(), vec![]),
        Kept::Mended(what) => ("changed".into(), what),
        Kept::Same => ("unchanged".into(), vec![]),
    };
    show(cx, firm, &body, &command);
    Ok(Exit::Done)
}

/// The system that keeps it: the one named, else the only one that can.
fn wanted<'f>(firm: &'f Firm, named: Option<&str>) -> Result<(&'f Section, Alarm, serde_json::Value), CliError> {
    let alarm = Alarm {
        name: "jml: a leaver is past 15 minutes".into(),
        metric: "jml.leavers.oldest_open_seconds".into(),
        scope: firm.place_tag(),
        above_seconds: 900,
        silent_minutes: 20,
    };
    let mut can = vec![];
    for section in firm.config.systems.values() {
        if named.is_none_or(|n| n == section.system.as_str())
            && let Some(monitor) = registry::alarm(section, &alarm)?
        {
            can.push((section, monitor));
        }
    }
    match (can.pop(), can.is_empty(), named) {
        (Some((section, monitor)), true, _) => Ok((section, alarm, monitor)),
        (Some(_), false, _) => Err(CliError::usage("several systems can keep the monitor: name one")),
        (None, _, Some(named)) => Err(CliError::usage(format!("{named} keeps no monitors"))),
        (None, _, None) => Err(CliError::usage("no system of the configuration keeps monitors")
            .hint("[systems.datadog] does (docs/DEPLOYMENT.md).")),
    }
}

fn show(cx: &Context, firm: &Firm, body: &Monitor, command: &str) {
    match cx.global.output {
        Output::Json | Output::Ndjson => cx.out.document(&Document {
            jml: JML,
            kind: "doctor-monitor".into(),
            tenant: Some(firm.organisation.clone()),
            sandbox: firm.sandbox,
            exit: Exit::Done.code(),
            body: body.clone(),
        }),
        Output::Human | Output::Csv => {
            let tenant = say::tenant(firm);
            cx.out
                .data(&view::doctor::monitor(&tenant, body, command, &cx.out.screen));
        }
    }
}
