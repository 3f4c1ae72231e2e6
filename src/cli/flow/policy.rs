//! `policy diff` and `explain`: what policy gives, and what another would. Nothing is planned and nothing could be written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{errors, people, read, say};
use crate::{
    cli::{
        args::Output,
        command::policy::{DiffArgs, ExplainArgs},
        context::Context,
        document::{Explained, ExplainedGroup, PolicyDiff, PolicyPerson, PolicyRefused},
        error::CliError,
        exit::Exit,
        firm::Firm,
        text,
        view::{changes, list::List},
    },
    model::{Catalogue, Grant, Person, Policy, system::OKTA},
    planner::{
        employment::{Word, judge},
        entitle::{Desired, entitle},
        refusal::Refusal,
    },
    run::observe::Need,
};

pub async fn explain(cx: &Context, args: ExplainArgs) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let found = people::find(cx, &firm, &[args.user], "policy explain").await?;
    let person = found
        .first()
        .ok_or_else(|| CliError::internal("nobody was found, and nothing said so"))?;
    let catalogue = read::catalogue(&firm, Need::default()).await?;
    let grants = firm.ledger.history(&person.id.0).await?.grants;
    let now = firm.now();
    let desired = wanted(person, &grants, &firm.config.policy, &catalogue, now).map_err(|r| errors::refusal(&r))?;
    let rows: Vec<ExplainedGroup> = match &desired {
        Some(d) => d.explain().into_iter().map(row).collect(),
        None => vec![],
    };
    let explained = Explained {
        login: person.login.clone(),
        groups: rows.clone(),
    };
    if cx.global.output == Output::Human {
        let tenant = say::tenant(&firm);
        cx.out.data(&if desired.is_some() {
            changes::explained(&tenant, &explained, &cx.out.screen)
        } else {
            format!(
                "{}\n{}\nPolicy gives nothing: HR says that they have left.\n",
                tenant.line(&cx.out.screen),
                cx.out.screen.safe(&explained.login)
            )
        });
        return Ok(Exit::Done);
    }
    let list = List {
        kind: "policy-explain",
        tenant: &say::tenant(&firm),
        exit: Exit::Done,
        columns: &["group", "rule"],
        own_kind: false,
    };
    list.show(&cx.out, &rows, "", || explained)?;
    Ok(Exit::Done)
}

fn row(r: crate::planner::entitle::Row) -> ExplainedGroup {
    ExplainedGroup {
        group: if r.system == OKTA {
            r.name
        } else {
            format!("{} {}", r.system, r.name)
        },
        rule: r.rule,
    }
}

pub async fn diff(cx: &Context, args: DiffArgs) -> Result<Exit, CliError> {
    let new = cx.proposed(&args.new)?;
    let firm = Firm::open(cx).await?;
    let catalogue = read::catalogue(&firm, Need::default()).await?;
    let everyone = read::everyone(&firm).await?;
    let grants = firm.ledger.everyone().await?.grants;
    let with = |p: Person| {
        let grants = grants.get(&p.id.0).cloned().unwrap_or_default();
        (p, grants)
    };
    let everyone: Vec<(Person, Vec<Grant>)> = everyone.into_iter().map(with).collect();
    let diff = compare(&everyone, &firm.config.policy, &new.policy, &catalogue, firm.now());
    if cx.global.output == Output::Human {
        let mut out = changes::policy(&say::tenant(&firm), &diff.people, &cx.out.screen);
        for (why, n) in reasons(&diff.refused) {
            out += &format!(
                "! {} would be refused: {}\n",
                text::count(n, "person"),
                cx.out.screen.safe(&why)
            );
        }
        out += &format!("{} read. Nothing was changed.\n", text::count(everyone.len(), "person"));
        cx.out.data(&out);
        return Ok(Exit::Done);
    }
    let list = List {
        kind: "policy-diff",
        tenant: &say::tenant(&firm),
        exit: Exit::Done,
        columns: &["login", "gains", "loses"],
        own_kind: false,
    };
    let rows = diff.people.clone();
    list.show(&cx.out, &rows, "", || diff)?;
    Ok(Exit::Done)
}

/// What policy gives, exceptions beside it; `None` where HR says that they have left.
fn wanted(
    person: &Person,
    grants: &[Grant],
    policy: &Policy,
    tenant: &Catalogue,
    now: DateTime<Utc>,
) -> Result<Option<Desired>, Refusal> {
    match judge(person, policy, now) {
        Word::Left { .. } => Ok(None),
        Word::SetAside(refusal) => Err(refusal),
        Word::Missing => Err(Refusal::NotInRoster {
            login: person.login.clone(),
        }),
        Word::Employed { .. } => {
            let worker = person.worker().ok_or_else(|| Refusal::NotInRoster {
                login: person.login.clone(),
            })?;
            let desired = entitle(&person.login, worker, policy, tenant)?;
            Ok(Some(desired.beside(grants, tenant, now)))
        }
    }
}

/// Only of those whom the old policy has in order: whoever it refuses already is no news.
fn compare(
    everyone: &[(Person, Vec<Grant>)],
    old: &Policy,
    new: &Policy,
    tenant: &Catalogue,
    now: DateTime<Utc>,
) -> PolicyDiff {
    let names = |d: Option<Desired>| -> BTreeSet<String> {
        let rows = d.map(|d| d.explain()).unwrap_or_default();
        rows.into_iter().map(|r| row(r).group).collect()
    };
    let (mut people, mut refused) = (vec![], vec![]);
    for (p, grants) in everyone.iter().filter(|(p, _)| p.status.live()) {
        let Ok(before) = wanted(p, grants, old, tenant, now) else {
            continue;
        };
        match wanted(p, grants, new, tenant, now) {
            Ok(after) => {
                let (before, after) = (names(before), names(after));
                if before != after {
                    people.push(PolicyPerson {
                        login: p.login.clone(),
                        gains: after.difference(&before).cloned().collect(),
                        loses: before.difference(&after).cloned().collect(),
                    });
                }
            }
            Err(r) => refused.push(PolicyRefused {
                login: p.login.clone(),
                why: r.to_string().replace(&p.login, "they"),
            }),
        }
    }
    people.sort_by(|a, b| a.login.cmp(&b.login));
    refused.sort_by(|a, b| a.login.cmp(&b.login));
    PolicyDiff { people, refused }
}

/// One line a reason, the most frequent first.
fn reasons(refused: &[PolicyRefused]) -> Vec<(String, usize)> {
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for r in refused {
        *all.entry(&r.why).or_default() += 1;
    }
    let mut all: Vec<(String, usize)> = all.into_iter().map(|(why, n)| (why.to_owned(), n)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}
