//! `jml show USER`: HR, Okta and every app side by side. It decides as the flows do, from the same plans, and does nothing.

use super::{
    people, posture,
    preview::{self, Ask, Subject},
    say,
};
use crate::{
    cli::{
        args::Output,
        command::show::Args,
        context::Context,
        document::{Document, JML, Show, ShowHr, ShowPerson, ShowSystem},
        error::CliError,
        exit::Exit,
        firm::Firm,
        text,
        view::{self, list::List},
    },
    ledger::{Filter, entry::Body},
    model::{Employment, Holding, Hr, Observed, Person, Seen, Status, System, Verb, system::OKTA},
    planner::{
        employment::{Word, judge},
        entitle::entitle,
        exceptions, leaver as leaving,
    },
};

pub async fn show(cx: &Context, args: Args) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let found = people::find(cx, &firm, &[args.user], "show").await?;
    let person = found
        .into_iter()
        .next()
        .ok_or_else(|| CliError::internal("nobody was found, and nothing said so"))?;
    let word = judge(&person, &firm.config.policy, firm.now());
    let ask = match word {
        Word::Left { .. } => Ask::Leaver(leaving::Ask::default()),
        Word::Employed { .. } | Word::Missing | Word::SetAside(_) => Ask::Mover,
    };
    let mut tenant = firm.tenant(ask.need()).await?;
    let subjects = preview::look(&firm, &mut tenant, vec![(person, ask)]).await?;
    let subject = subjects
        .first()
        .ok_or_else(|| CliError::internal("nobody was looked at"))?;
    let shown = shown(&firm, subject, &word).await?;
    let tenant = say::tenant(&firm);
    match cx.global.output {
        Output::Human => {
            cx.out
                .data(&view::show::show(&tenant, &shown, &cx.flags(), &cx.out.screen));
        }
        Output::Json | Output::Ndjson => cx.out.document(&Document {
            jml: JML,
            kind: "show".into(),
            tenant: Some(firm.organisation.clone()),
            sandbox: firm.sandbox,
            exit: Exit::Done.code(),
            body: shown,
        }),
        Output::Csv => {
            let list = List {
                kind: "show",
                tenant: &tenant,
                exit: Exit::Done,
                columns: &["system", "account", "state", "policy", "mark", "licences", "detail"],
                own_kind: false,
            };
            list.show(&cx.out, &shown.systems, "", || ())?;
        }
    }
    Ok(Exit::Done)
}

async fn shown(firm: &Firm, s: &Subject, word: &Word) -> Result<Show, CliError> {
    let p = &s.seen.person;
    let gives = match (p.worker(), word) {
        (Some(w), Word::Employed { .. }) => entitle(&p.login, w, &firm.config.policy, &s.seen.tenant)
            .ok()
            .map(|d| d.beside(&s.seen.grants, &s.seen.tenant, firm.now())),
        _ => None,
    };
    let wanted: Vec<String> = gives.iter().flat_map(|d| d.groups.keys().cloned()).collect();
    let mut systems = vec![];
    for (system, seen) in &s.seen.systems {
        let there = |d: &crate::planner::entitle::Desired| d.gives.get(system).map_or(0, |g| g.len());
        let policy = match (word, &gives) {
            (Word::Left { .. }, _) => "none".to_owned(),
            (_, Some(_)) if *system == OKTA => text::count(wanted.len(), "group"),
            (_, Some(d)) if there(d) > 0 => text::count(there(d), "membership"),
            (_, Some(_)) => "-".to_owned(),
            (Word::Missing, None) => "not in HR".to_owned(),
            (_, None) => "unclear".to_owned(),
        };
        systems.push(row(system, seen, s, policy, word));
    }
    // The directory first: everything else stands behind it.
    systems.sort_by_key(|r| r.system != OKTA.as_str());
    let running = s.seen.grants.iter().filter(|g| g.runs(firm.now()));
    let mut notes: Vec<String> = running
        .map(|g| format!("{} by {}", g.name, exceptions::why(g)))
        .collect();
    notes.extend(history(firm, p).await?);
    if let Some(first) = systems.first_mut() {
        let refusal = s.plan.as_ref().err().map(ToString::to_string);
        let said: Vec<String> = first.detail.take().into_iter().chain(refusal).chain(notes).collect();
        first.detail = (!said.is_empty()).then(|| said.join("; "));
    }
    Ok(Show {
        person: ShowPerson {
            login: p.login.clone(),
            name: p.name(),
            id: p.id.0.clone(),
            status: p.status.to_string(),
            department: p.profile.get("department").cloned(),
            title: p.profile.get("title").cloned(),
            groups: s
                .seen
                .account(&OKTA)
                .into_iter()
                .flat_map(|a| a.held(Holding::Group))
                .map(|g| g.name.clone())
                .collect(),
            read: firm.now(),
        },
        hr: hr(firm, p, word, wanted),
        systems,
        witnesses: posture::sightings(firm, p, word).await,
    })
}

fn hr(firm: &Firm, p: &Person, word: &Word, groups: Vec<String>) -> ShowHr {
    let worker = p.worker();
    let status = match (&p.hr, word) {
        (Hr::Missing, _) => "missing",
        (Hr::Contradiction(_), _) | (_, Word::SetAside(_)) => "contradiction",
        (_, Word::Left { .. }) => "terminated",
        (Hr::Known(w) | Hr::Converted { worker: w, .. }, _) => match w.employment {
            Employment::Active => "active",
            Employment::OnLeave => "on-leave",
            Employment::GardenLeave => "garden-leave",
            Employment::Terminated => "terminated",
            Employment::Cancelled => "cancelled",
        },
    };
    let effective = match word {
        Word::Left { leaving } | Word::Employed { leaves: leaving } => leaving.as_ref().map(|l| l.at),
        Word::Missing | Word::SetAside(_) => None,
    };
    ShowHr {
        source: firm.roster_name().to_owned(),
        status: status.to_owned(),
        since: (status == "on-leave")
            .then(|| p.profile.get("leaveStart").cloned())
            .flatten(),
        department: worker.and_then(|w| w.department.clone()),
        title: worker.and_then(|w| w.title.clone()),
        effective,
        groups,
    }
}

fn row(system: &System, seen: &Seen, s: &Subject, policy: String, word: &Word) -> ShowSystem {
    let planned: Vec<_> = s
        .plan
        .iter()
        .flat_map(|p| &p.steps)
        .filter(|step| step.effect.system == *system)
        .collect();
    // What lies in the past can't drift: sessions are ended, messages sent, where something else is to be done.
    let drifts = planned
        .iter()
        .any(|step| !matches!(step.effect.action.verb(), Verb::SendMessage));
    let steps = || {
        let mut words: Vec<String> = planned
            .iter()
            .map(|step| {
                let object = step.effect.action.object();
                let name = step.effect.action.name();
                object.map_or_else(|| name.to_owned(), |o| format!("{name} {o}"))
            })
            .collect();
        let more = words.len().saturating_sub(4);
        words.truncate(4);
        if more > 0 {
            words.push(format!("and {more} more"));
        }
        format!("to do: {}", words.join(", "))
    };
    let base = ShowSystem {
        system: system.to_string(),
        account: None,
        state: String::new(),
        policy,
        mark: "ok".into(),
        licences: vec![],
        detail: None,
    };
    match &seen.account {
        Observed::Unknown(f) => ShowSystem {
            state: f
                .code
                .as_ref()
                .map_or_else(|| "not read".into(), |code| format!("not read: {code}")),
            mark: "unknown".into(),
            detail: Some(f.to_string()),
            ..base
        },
        Observed::Absent => ShowSystem {
            account: Some("-".into()),
            state: "no account".into(),
            mark: if drifts { "drift" } else { "ok" }.into(),
            detail: drifts.then(steps),
            ..base
        },
        Observed::Present(a) => {
            let partly = a.holds.values().find_map(Observed::unknown);
            let undecided = *system == OKTA && (s.plan.is_err() || matches!(word, Word::Missing));
            let mark = match (drifts, partly.is_some() || undecided) {
                (true, _) => "drift",
                (false, true) => "unknown",
                (false, false) => "ok",
            };
            ShowSystem {
                account: Some(if a.login.is_empty() {
                    a.id.clone()
                } else {
                    a.login.clone()
                }),
                state: a.word.clone(),
                mark: mark.into(),
                licences: a.held(Holding::Seat).map(|seat| seat.name.clone()).collect(),
                detail: if drifts {
                    Some(steps())
                } else {
                    a.blocked.clone().or_else(|| partly.map(ToString::to_string))
                },
                ..base
            }
        }
    }
}

/// What jml itself did to the account last, where it is not plainly active: by which run.
async fn history(firm: &Firm, p: &Person) -> Result<Vec<String>, CliError> {
    let verb = match p.status {
        Status::Suspended => Verb::Suspend,
        Status::Deprovisioned => Verb::Deactivate,
        _ => return Ok(vec![]),
    };
    let filter = Filter {
        subject: Some(p.id.0.clone()),
        ..Filter::default()
    };
    let mut found = None;
    let mut planned: Vec<crate::model::Step> = vec![];
    for e in firm.ledger.entries(filter).await? {
        match e.body {
            Some(Body::Planned { plan, .. }) => planned = plan.steps,
            Some(Body::Started { step, .. })
                if planned
                    .get(step)
                    .is_some_and(|s| s.effect.system == OKTA && s.effect.action.verb() == verb) =>
            {
                found = Some((e.envelope.run, e.envelope.time));
            }
            _ => {}
        }
    }
    let word = if verb == Verb::Suspend {
        "suspended"
    } else {
        "deactivated"
    };
    Ok(found
        .map(|(run, at)| format!("{word} by run {run}, {}", text::instant(at)))
        .into_iter()
        .collect())
}
