//! `groups list`, `who` and `rules`: what is there. Nothing here could write.

pub mod apply;
pub mod export;
mod terraform;

use std::collections::BTreeSet;

use super::{read, say};
use crate::{
    cli::{
        command::groups::WhoArgs,
        context::Context,
        document::{GroupRow, MemberRow, Rows, RuleRow},
        error::CliError,
        exit::Exit,
        firm::Firm,
        text,
        view::list::List,
    },
    model::{Catalogue, Group, Observed, RuleStatus},
    planner::entitle::Managed,
    run::observe::{self, Need},
};

const ALL: Need = Need {
    groups: true,
    rules: true,
    apps: true,
    admins: false,
    tokens: false,
    offers: false,
};

pub async fn list(cx: &Context) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let catalogue = whole(&firm).await?;
    let groups = read::sorted(&catalogue);
    let members = read::members(&firm, groups.iter().map(|g| g.id.clone()).collect()).await;
    let none = BTreeSet::new();
    let managed = Managed::new(&firm.config.policy, &none);
    let mut rows = vec![];
    for g in groups {
        let count = match members.get(&g.id) {
            Some(Observed::Present(all)) => Some(all.len()),
            Some(Observed::Unknown(f)) => {
                cx.out.warn(&format!("? {}: {f}", cx.out.screen.safe(&g.name)));
                None
            }
            Some(Observed::Absent) | None => None,
        };
        rows.push(GroupRow {
            name: g.name.clone(),
            managed: managed.group(g),
            members: count,
            rules: filling(&catalogue, g),
            apps: read::labels(&catalogue, &g.id),
        });
    }
    let after = format!("{}.\n", text::count(rows.len(), "group"));
    listed(
        cx,
        &firm,
        "groups-list",
        &["name", "managed", "members", "rules", "apps"],
        rows,
        &after,
    )
}

pub async fn who(cx: &Context, args: WhoArgs) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let catalogue = read::catalogue(
        &firm,
        Need {
            rules: true,
            ..Need::default()
        },
    )
    .await?;
    let group = one(&catalogue, &args.group, &cx.flags())?;
    let people = firm
        .look
        .directory
        .all_members(&group.id)
        .await
        .map_err(|f| CliError::unread(&f))?;
    let unread = match &catalogue.rules {
        Observed::Unknown(f) => {
            cx.out.warn(&format!("? {f}"));
            true
        }
        Observed::Present(_) | Observed::Absent => false,
    };
    let mut rows: Vec<MemberRow> = people
        .iter()
        .map(|p| {
            let rules: Vec<&str> = catalogue
                .rules_filling(&group.id, &p.id)
                .map(|r| r.name.as_str())
                .collect();
            MemberRow {
                login: p.login.clone(),
                name: p.name(),
                by: match (unread, rules.is_empty()) {
                    (true, _) => "unknown".into(),
                    (false, true) => "hand".into(),
                    (false, false) => format!("rule (may): {}", rules.join(", ")),
                },
            }
        })
        .collect();
    rows.sort_by(|a, b| a.login.cmp(&b.login));
    let mut after = format!("{}.", text::count(rows.len(), "person"));
    if rows.iter().any(|r| r.by.starts_with("rule")) {
        after += " Okta doesn't tell who put them there: an active rule fills this group, and may have.";
    }
    listed(cx, &firm, "groups-who", &["login", "name", "by"], rows, &(after + "\n"))
}

pub async fn rules(cx: &Context) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let catalogue = whole(&firm).await?;
    let mut all = match &catalogue.rules {
        Observed::Present(all) => all.clone(),
        Observed::Absent => vec![],
        Observed::Unknown(f) => return Err(CliError::unread(f)),
    };
    all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let rows: Vec<RuleRow> = all
        .iter()
        .map(|r| {
            let mut groups: Vec<String> = r
                .groups
                .iter()
                .map(|id| catalogue.group(id).map_or_else(|| id.clone(), |g| g.name.clone()))
                .collect();
            groups.sort();
            let apps: BTreeSet<String> = r.groups.iter().flat_map(|g| read::labels(&catalogue, g)).collect();
            RuleRow {
                rule: r.name.clone(),
                status: status(r.status).into(),
                groups,
                apps: apps.into_iter().collect(),
            }
        })
        .collect();
    let after = format!("{}.\n", text::count(rows.len(), "rule"));
    listed(
        cx,
        &firm,
        "groups-rules",
        &["rule", "status", "groups", "apps"],
        rows,
        &after,
    )
}

fn listed<T: serde::Serialize + Clone>(
    cx: &Context,
    firm: &Firm,
    kind: &str,
    columns: &[&str],
    rows: Vec<T>,
    after: &str,
) -> Result<Exit, CliError> {
    let list = List {
        kind,
        tenant: &say::tenant(firm),
        exit: Exit::Done,
        columns,
        own_kind: false,
    };
    list.show(&cx.out, &rows, after, || Rows { rows: rows.clone() })?;
    Ok(Exit::Done)
}

/// Groups, rules, apps, and which group grants which app.
async fn whole(firm: &Firm) -> Result<Catalogue, CliError> {
    let mut catalogue = read::catalogue(firm, ALL).await?;
    if let Some(f) = catalogue.rules.unknown().or(catalogue.apps.unknown()) {
        return Err(CliError::unread(f));
    }
    let ids = read::sorted(&catalogue).iter().map(|g| g.id.clone()).collect();
    observe::apps_of(&firm.look, &mut catalogue, ids).await;
    if let Some(f) = catalogue.apps_of_group.values().find_map(Observed::unknown) {
        return Err(CliError::unread(f));
    }
    Ok(catalogue)
}

/// Names of the active rules that fill the group, sorted.
fn filling(catalogue: &Catalogue, group: &Group) -> Vec<String> {
    let rules = catalogue.rules.present().into_iter().flatten();
    let mut names: Vec<String> = rules
        .filter(|r| r.status == RuleStatus::Active && r.groups.contains(&group.id))
        .map(|r| r.name.clone())
        .collect();
    names.sort();
    names
}

const fn status(s: RuleStatus) -> &'static str {
    match s {
        RuleStatus::Active => "ACTIVE",
        RuleStatus::Inactive => "INACTIVE",
        RuleStatus::Invalid => "INVALID",
    }
}

/// The group of exactly that name, or that id. Two of one name are told apart by id.
fn one<'a>(catalogue: &'a Catalogue, typed: &str, flags: &str) -> Result<&'a Group, CliError> {
    if let Some(g) = catalogue.group(typed) {
        return Ok(g);
    }
    let all = read::sorted(catalogue);
    let named: Vec<&Group> = all.iter().copied().filter(|g| g.name == typed).collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => {
            let folded = typed.trim().to_lowercase();
            let near = all.iter().find(|g| g.name.trim().to_lowercase() == folded);
            let e = CliError::new(Exit::Who, format!("there is no group \"{typed}\""));
            Err(match near {
                Some(g) => e.run(
                    "Names are compared letter by letter; is this the one",
                    format!("jml groups who {}{flags}", text::shell(&g.name)),
                ),
                None => e.run("See them all", format!("jml groups list{flags}")),
            })
        }
        several => {
            let mut e = CliError::new(Exit::Who, format!("{} groups are named \"{typed}\"", several.len()));
            for g in several {
                e = e.run("By id", format!("jml groups who {}{flags}", text::shell(&g.id)));
            }
            Err(e)
        }
    }
}
