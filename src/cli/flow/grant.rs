//! `jml grant`: an exception to policy, written into the ledger and nowhere else. Who is given what is the planner's to say, from then on.

use super::{errors, note, people, say};
use crate::{
    cli::{
        command::grant::Args,
        context::Context,
        error::CliError,
        exit::Exit,
        firm::Firm,
        text::{self, instant},
        view::list,
    },
    ledger::entry::Body,
    model::{Grant, Person},
    planner::exceptions::{self, Ask},
    run::observe::Need,
};

pub async fn grant(cx: &Context, args: Args) -> Result<Exit, CliError> {
    let users = people::given(std::slice::from_ref(&args.user))?;
    let firm = Firm::open(cx).await?;
    let found = people::find(cx, &firm, &users, "grant").await?;
    let [person] = found.as_slice() else {
        return Err(CliError::usage("an exception is one person's; nothing was done"));
    };
    let by = firm.operator.name().await?;
    let grant = match args.until {
        None => ended(&firm, person, &args, by).await?,
        Some(until) => {
            let ask = Ask {
                group: &args.group,
                until,
                ticket: &args.ticket,
                by: &by,
            };
            let need = Need {
                groups: true,
                rules: true,
                admins: true,
                ..Need::default()
            };
            let tenant = firm.tenant(need).await?;
            let (policy, now) = (&firm.config.policy, firm.now());
            let (grant, warning) =
                exceptions::grant(person, ask, policy, &tenant.catalogue, now).map_err(|r| errors::refusal(&r))?;
            if let Some(warning) = warning {
                cx.out.warn(&format!("! {}", text::safe(&warning, cx.env.utf8)));
            }
            grant
        }
    };
    let granted = Body::Granted {
        subject: person.id.0.clone(),
        grant: grant.clone(),
    };
    let entry = note::write(&firm, "grant", Some(grant.ticket.clone()), granted).await?;
    let safe = |s: &str| text::safe(s, cx.env.utf8).to_string();
    let (login, group) = (safe(&person.login), safe(&grant.name));
    let said = if args.end {
        format!("{login}'s exception for {group} has ended")
    } else {
        format!("{login} is given {group} until {}", instant(grant.until))
    };
    let exit = list::noted(&cx.out, &say::tenant(&firm), "grant", &said, entry)?;
    let now = cx.command(&format!("mover {}", text::shell(&person.login)));
    cx.out.talk(&format!("The next sweep does it. At once:  {now}"));
    Ok(exit)
}

/// One that runs, ended now.
async fn ended(firm: &Firm, person: &Person, args: &Args, by: String) -> Result<Grant, CliError> {
    let now = firm.now();
    let grants = firm.ledger.history(&person.id.0).await?.grants;
    let running = grants.into_iter().find(|g| g.name == args.group && g.runs(now));
    let grant = running.ok_or_else(|| {
        CliError::refused(format!(
            "no exception for \"{}\" runs; nothing was done",
            text::middle_cut(&args.group, 64)
        ))
    })?;
    Ok(Grant {
        until: now,
        ticket: args.ticket.clone(),
        by,
        ..grant
    })
}
