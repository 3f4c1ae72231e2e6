//! `groups export` and `diff`: every group as it is now, to keep, to hand to Terraform, or to hold against later.
//!
//! A snapshot is whole or not written: a part that could not be read would come out as a loss at the next comparison.

use std::{collections::BTreeSet, io::Read};

use super::{filling, read, terraform, whole};
use crate::{
    cli::{
        args::Output,
        command::groups::{DiffArgs, ExportArgs, Format},
        context::Context,
        document::{self, Change, Changes, Document, JML},
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::say,
        view::{changes, list::List},
    },
    model::{Catalogue, GroupEntry, Observed, Snapshot},
    planner::{
        entitle::Managed,
        groups::{Difference, Sign, diff as differences},
    },
};

pub async fn export(cx: &Context, args: ExportArgs) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let catalogue = whole(&firm).await?;
    match args.format {
        Format::Json => {
            let snapshot = snapshot(&firm, &catalogue).await?;
            cx.out
                .document(&document(&firm, "groups-export", Exit::Done, body(snapshot)));
        }
        Format::Terraform => {
            let text = terraform::configuration(&firm.place, &catalogue)
                .map_err(|e| CliError::internal("the groups can't be written for Terraform").why(e.to_string()))?;
            cx.out.data(&text);
        }
    }
    Ok(Exit::Done)
}

pub async fn diff(cx: &Context, args: DiffArgs) -> Result<Exit, CliError> {
    let kept = kept(cx, &args.snapshot)?;
    let firm = Firm::open(cx).await?;
    if kept.tenant != firm.organisation {
        return Err(CliError::config(format!(
            "{} was taken of the tenant {}, and this is {}",
            args.snapshot.display(),
            kept.tenant,
            firm.organisation
        )));
    }
    let catalogue = whole(&firm).await?;
    let now = snapshot(&firm, &catalogue).await?;
    let all: Vec<Change> = differences(&kept.snapshot, &now).into_iter().map(change).collect();
    let exit = if all.is_empty() { Exit::Done } else { Exit::Changes };
    let taken = kept.snapshot.taken;
    if cx.global.output == Output::Human {
        cx.out
            .data(&changes::groups(&say::tenant(&firm), &all, Some(taken), &cx.out.screen));
        return Ok(exit);
    }
    let list = List {
        kind: "groups-diff",
        tenant: &say::tenant(&firm),
        exit,
        columns: super::apply::COLUMNS,
        own_kind: false,
    };
    list.show(&cx.out, &all, "", || Changes {
        taken: Some(taken),
        changes: all.clone(),
        notes: vec![],
    })?;
    Ok(exit)
}

async fn snapshot(firm: &Firm, catalogue: &Catalogue) -> Result<Snapshot, CliError> {
    let groups = read::sorted(catalogue);
    let mut members = read::members(firm, groups.iter().map(|g| g.id.clone()).collect()).await;
    let none = BTreeSet::new();
    let managed = Managed::new(&firm.config.policy, &none);
    let mut entries = vec![];
    for g in groups {
        let people = match members.remove(&g.id) {
            Some(Observed::Present(people)) => people,
            Some(Observed::Unknown(f)) => return Err(CliError::unread(&f)),
            Some(Observed::Absent) | None => vec![],
        };
        let mut logins: Vec<String> = people.into_iter().map(|p| p.login).collect();
        logins.sort();
        entries.push(GroupEntry {
            id: g.id.clone(),
            name: g.name.clone(),
            kind: g.kind,
            description: g.description.clone(),
            managed: managed.group(g),
            members: logins,
            rules: filling(catalogue, g),
            apps: read::labels(catalogue, &g.id),
        });
    }
    Ok(Snapshot {
        taken: firm.now(),
        groups: entries,
    })
}

fn document<B>(firm: &Firm, kind: &str, exit: Exit, body: B) -> Document<B> {
    Document {
        jml: JML,
        kind: kind.to_owned(),
        tenant: Some(firm.organisation.clone()),
        sandbox: firm.sandbox,
        exit: exit.code(),
        body,
    }
}

fn body(s: Snapshot) -> document::Snapshot {
    let groups = s.groups.into_iter().map(|g| document::SnapshotGroup {
        id: g.id,
        name: g.name,
        kind: kind(g.kind).to_owned(),
        description: g.description,
        managed: g.managed,
        members: g.members,
        rules: g.rules,
        apps: g.apps,
    });
    document::Snapshot {
        taken: s.taken,
        groups: groups.collect(),
    }
}

const fn kind(k: crate::model::GroupKind) -> &'static str {
    match k {
        crate::model::GroupKind::OktaGroup => "OKTA_GROUP",
        crate::model::GroupKind::AppGroup => "APP_GROUP",
        crate::model::GroupKind::BuiltIn => "BUILT_IN",
    }
}

/// What `export` wrote.
#[derive(serde::Deserialize)]
struct Kept {
    kind: String,
    tenant: String,
    #[serde(flatten)]
    snapshot: Snapshot,
}

/// No snapshot is longer.
const MOST: u64 = 256 << 20;

fn kept(cx: &Context, path: &std::path::Path) -> Result<Kept, CliError> {
    let fail = |why: String| CliError::usage(format!("{}: {why}", path.display()));
    let file = cx.named(path).map_err(fail)?;
    let mut text = String::new();
    file.take(MOST)
        .read_to_string(&mut text)
        .map_err(|e| fail(e.to_string()))?;
    parse(&text).map_err(|why| fail(why).run("A snapshot is made by", "jml groups export > groups.json"))
}

fn parse(text: &str) -> Result<Kept, String> {
    let kept: Kept = serde_json::from_str(text).map_err(|e| format!("it is no snapshot of groups ({e})"))?;
    if kept.kind == "groups-export" {
        Ok(kept)
    } else {
        Err(format!(
            "it holds a document of kind {:?}, not groups-export",
            kept.kind
        ))
    }
}

fn change(d: Difference) -> Change {
    let field = d.what == "group" && d.mark == Sign::Changed;
    Change {
        mark: d.mark.mark().into(),
        subject: d.subject.unwrap_or_else(|| d.group.clone()),
        // A changed name or description is the group's own.
        what: if field { "field" } else { d.what }.into(),
        group: d.group,
        before: d.before,
        after: d.after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::document::schemas, model::GroupKind};

    fn sample() -> Snapshot {
        Snapshot {
            taken: "2026-03-02T09:04:31Z".parse().unwrap(),
            groups: vec![GroupEntry {
                id: "00g1".into(),
                name: "ROLE-ENG".into(),
                kind: GroupKind::OktaGroup,
                description: None,
                managed: true,
                members: vec!["alice@acme.example".into()],
                rules: vec![],
                apps: vec!["GitHub".into()],
            }],
        }
    }

    #[test]
    fn what_export_writes_fits_its_schema_and_diff_reads_it_back() {
        let doc = Document {
            jml: JML,
            kind: "groups-export".into(),
            tenant: Some("00o1".into()),
            sandbox: false,
            exit: 0,
            body: body(sample()),
        };
        let value = serde_json::to_value(&doc).unwrap();
        let schema = &schemas()["groups-export"];
        assert!(jsonschema::validator_for(schema).unwrap().is_valid(&value), "{value}");
        let kept = parse(&value.to_string()).unwrap();
        assert_eq!((kept.tenant.as_str(), &kept.snapshot), ("00o1", &sample()));
        assert_eq!(differences(&kept.snapshot, &sample()), vec![]);
        assert!(parse(&value.to_string().replace("groups-export", "show")).is_err());
        assert!(parse("{}").is_err());
    }

    #[test]
    fn a_member_who_came_and_a_group_that_was_renamed() {
        let mut now = sample();
        now.groups[0].name = "ROLE-ENGINEERING".into();
        now.groups[0].members.push("bob@acme.example".into());
        let all: Vec<Change> = differences(&sample(), &now).into_iter().map(change).collect();
        let said: Vec<_> = all
            .iter()
            .map(|c| (c.what.as_str(), c.subject.as_str(), c.after.as_deref()))
            .collect();
        assert_eq!(
            said,
            [
                ("field", "name", Some("ROLE-ENGINEERING")),
                ("member", "bob@acme.example", Some("bob@acme.example"))
            ]
        );
        let shown = changes::groups(&Default::default(), &all, None, &crate::cli::view::Screen::PLAIN);
        assert!(
            shown.contains("~ ROLE-ENGINEERING name: ROLE-ENG -> ROLE-ENGINEERING\n"),
            "{shown}"
        );
    }
}
