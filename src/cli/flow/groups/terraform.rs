//! Groups and rules as Terraform: a resource and an import block each, so that a first plan changes nothing.
//!
//! Names come from the tenant and may hold anything: they stand in quoted strings only, and what names a resource is made of safe letters.
//! Groups of apps and built-in ones are left out: Terraform can't make them.

use std::collections::{BTreeMap, BTreeSet};

use hcl::{
    Attribute, Block, Body, Expression, Identifier,
    expr::{Traversal, TraversalOperator, Variable},
    format::{Format, Formatter},
};

use super::read;
use crate::{
    cli::text,
    model::{Catalogue, GroupKind, Rule, RuleStatus},
};

/// Okta's own provider and its namespace.
const SOURCE: &str = "okta/okta";
const VERSION: &str = "~> 5.0";

pub fn configuration(host: &str, catalogue: &Catalogue) -> Result<String, hcl::Error> {
    let groups: Vec<_> = read::sorted(catalogue)
        .into_iter()
        .filter(|g| g.kind == GroupKind::OktaGroup)
        .collect();
    let mut rules: Vec<&Rule> = catalogue.rules.present().into_iter().flatten().collect();
    rules.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let (rules, invalid): (Vec<&Rule>, Vec<&Rule>) = rules.into_iter().partition(|r| r.status != RuleStatus::Invalid);

    let mut names = Names::default();
    let named: BTreeMap<&str, String> = groups.iter().map(|g| (g.id.as_str(), names.of(&g.name))).collect();
    let mut body = Body::builder().add_block(requirement()).add_block(provider(host));
    for g in &groups {
        let name = &named[g.id.as_str()];
        let mut block = Block::builder("resource")
            .add_label("okta_group")
            .add_label(name.as_str())
            .add_attribute(("name", g.name.as_str()));
        if let Some(d) = &g.description {
            block = block.add_attribute(("description", d.as_str()));
        }
        body = body
            .add_block(block.build())
            .add_block(import("okta_group", name, &g.id)?);
    }
    let mut names = Names::default();
    for r in rules {
        let name = names.of(&r.name);
        body = body
            .add_block(rule(r, &name, &named)?)
            .add_block(import("okta_group_rule", &name, &r.id)?);
    }
    let mut formatter = Formatter::builder()
        .compact_arrays(true)
        .prefer_ident_keys(true)
        .build_vec();
    body.build().format(&mut formatter)?;
    let written = String::from_utf8_lossy(&formatter.into_inner()).into_owned();
    let mut out = String::new();
    for r in invalid {
        out += &format!(
            "# left out, for it is INVALID in Okta: rule {}\n",
            text::safe(&r.name, false)
        );
    }
    Ok(out + &aligned(&written))
}

fn requirement() -> Block {
    let okta = Expression::from_iter([("source", SOURCE), ("version", VERSION)]);
    Block::builder("terraform")
        .add_block(
            Block::builder("required_providers")
                .add_attribute(("okta", okta))
                .build(),
        )
        .build()
}

/// `acme.okta.com` is organisation `acme` at `okta.com`; the token comes from the provider's own environment.
fn provider(host: &str) -> Block {
    let block = Block::builder("provider").add_label("okta");
    match host.split_once('.') {
        Some((org, base)) if host.parse::<std::net::IpAddr>().is_err() => block
            .add_attribute(("org_name", org))
            .add_attribute(("base_url", base))
            .build(),
        Some(_) | None => block.add_attribute(("org_name", host)).build(),
    }
}

fn rule(r: &Rule, name: &str, groups: &BTreeMap<&str, String>) -> Result<Block, hcl::Error> {
    let assignments = r
        .groups
        .iter()
        .map(|id| match groups.get(id.as_str()) {
            Some(group) => reference("okta_group", group, Some("id")),
            None => Ok(Expression::from(id.as_str())),
        })
        .collect::<Result<Vec<Expression>, _>>()?;
    let status = match r.status {
        RuleStatus::Active => "ACTIVE",
        RuleStatus::Inactive | RuleStatus::Invalid => "INACTIVE",
    };
    let mut block = Block::builder("resource")
        .add_label("okta_group_rule")
        .add_label(name)
        .add_attribute(("name", r.name.as_str()))
        .add_attribute(("status", status))
        .add_attribute(Attribute::new("group_assignments", assignments))
        .add_attribute(("expression_type", "urn:okta:expression:1.0"))
        .add_attribute(("expression_value", r.expression.as_str()));
    if !r.excluded.is_empty() {
        let people: Vec<Expression> = r.excluded.iter().map(|p| Expression::from(p.0.as_str())).collect();
        block = block.add_attribute(Attribute::new("users_excluded", people));
    }
    Ok(block.build())
}

fn import(kind: &str, name: &str, id: &str) -> Result<Block, hcl::Error> {
    Ok(Block::builder("import")
        .add_attribute(Attribute::new("to", reference(kind, name, None)?))
        .add_attribute(("id", id))
        .build())
}

fn reference(kind: &str, name: &str, attribute: Option<&str>) -> Result<Expression, hcl::Error> {
    let steps = std::iter::once(name)
        .chain(attribute)
        .map(|s| Identifier::new(s).map(TraversalOperator::GetAttr))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Traversal::new(Variable::new(kind)?, steps).into())
}

/// Names of resources: unique, and of safe letters alone.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(&mut self, name: &str) -> String {
        let mut safe = String::new();
        for c in name.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() {
                safe.push(c);
            } else if !safe.ends_with('_') && !safe.is_empty() {
                safe.push('_');
            }
        }
        let mut safe = safe.trim_end_matches('_').to_owned();
        if !safe.starts_with(|c: char| c.is_ascii_alphabetic()) {
            safe = if safe.is_empty() {
                "group".into()
            } else {
                format!("g_{safe}")
            };
        }
        let mut unique = safe.clone();
        let mut n = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{safe}_{n}");
            n += 1;
        }
        unique
    }
}

/// As `terraform fmt` writes it: the equals signs of neighbouring lines stand below each other.
fn aligned(written: &str) -> String {
    let lines: Vec<&str> = written.lines().collect();
    let cut = |line: &str| -> Option<(usize, usize)> {
        let indent = line.len() - line.trim_start().len();
        let (key, value) = line.split_once(" = ")?;
        let plain = key.trim_start().chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (plain && !value.ends_with(['{', '['])).then_some((indent, key.len()))
    };
    let mut out = String::new();
    let mut i = 0;
    while i < lines.len() {
        let Some((indent, _)) = cut(lines[i]) else {
            out += lines[i];
            out.push('\n');
            i += 1;
            continue;
        };
        let run: Vec<(&str, usize)> = lines[i..]
            .iter()
            .map_while(|l| cut(l).filter(|c| c.0 == indent).map(|c| (*l, c.1)))
            .collect();
        let wide = run.iter().map(|(_, key)| *key).max().unwrap_or(0);
        for (line, key) in &run {
            out += &format!("{:wide$}{}\n", &line[..*key], &line[*key..]);
        }
        i += run.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};

    use super::*;
    use crate::model::{Group, Observed, PersonId};

    fn group(id: &str, name: &str, kind: GroupKind, description: Option<&str>) -> (String, Group) {
        let group = Group {
            id: id.into(),
            name: name.into(),
            description: description.map(Into::into),
            kind,
            admin: false,
        };
        (id.into(), group)
    }

    fn catalogue() -> Catalogue {
        let rule = |name: &str, status, groups: &[&str], excluded: &[&str]| Rule {
            id: format!("0pr{name}"),
            name: name.into(),
            status,
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
            excluded: excluded.iter().map(|p| PersonId((*p).to_owned())).collect(),
            expression: "user.department==\"Eng\"".into(),
        };
        Catalogue {
            tenant: "00o1".into(),
            groups: Observed::Present(
                [
                    group(
                        "00g1",
                        "ROLE-ENG",
                        GroupKind::OktaGroup,
                        Some("jml: department Engineering"),
                    ),
                    group("00g2", "role eng", GroupKind::OktaGroup, None),
                    group("00g3", "\"${file(\"/etc/passwd\")}\"\n%{ x", GroupKind::OktaGroup, None),
                    group("00g4", "Everyone", GroupKind::BuiltIn, None),
                    group("00g5", "\u{1f600}", GroupKind::OktaGroup, None),
                ]
                .into(),
            ),
            rules: Observed::Present(vec![
                rule("eng", RuleStatus::Active, &["00g1", "00gGONE"], &["00u1"]),
                rule("old", RuleStatus::Invalid, &["00gGONE"], &[]),
            ]),
            apps: Observed::Absent,
            apps_of_group: BTreeMap::new(),
            offers: BTreeMap::new(),
            protected: BTreeMap::new(),
            protection_unknown: None,
            managers: BTreeMap::new(),
            leaving: BTreeSet::new(),
        }
    }

    #[test]
    fn hostile_names_stay_text_and_resources_are_unique() {
        let text = configuration("acme.okta.com", &catalogue()).unwrap();
        assert_data_eq!(
            text,
            str![[r##"
# left out, for it is INVALID in Okta: rule old
terraform {
  required_providers {
    okta = {
      source  = "okta/okta"
      version = "~> 5.0"
    }
  }
}

provider "okta" {
  org_name = "acme"
  base_url = "okta.com"
}

resource "okta_group" "file_etc_passwd_x" {
  name = "\"$${file(\"/etc/passwd\")}\"\n%%{ x"
}

import {
  to = okta_group.file_etc_passwd_x
  id = "00g3"
}

resource "okta_group" "role_eng" {
  name        = "ROLE-ENG"
  description = "jml: department Engineering"
}

import {
  to = okta_group.role_eng
  id = "00g1"
}

resource "okta_group" "role_eng_2" {
  name = "role eng"
}

import {
  to = okta_group.role_eng_2
  id = "00g2"
}

resource "okta_group" "group" {
  name = "😀"
}

import {
  to = okta_group.group
  id = "00g5"
}

resource "okta_group_rule" "eng" {
  name              = "eng"
  status            = "ACTIVE"
  group_assignments = [okta_group.role_eng.id, "00gGONE"]
  expression_type   = "urn:okta:expression:1.0"
  expression_value  = "user.department==\"Eng\""
  users_excluded    = ["00u1"]
}

import {
  to = okta_group_rule.eng
  id = "0preng"
}

"##]]
            .raw()
        );
    }

    /// What Terraform would read out of it is what stands in Okta.
    #[test]
    fn read_back_it_says_the_same() {
        let text = configuration("acme.okta.com", &catalogue()).unwrap();
        let body: Body = hcl::from_str(&text).unwrap();
        let names: Vec<String> = body
            .blocks()
            .filter(|b| b.identifier() == "resource")
            .filter_map(|b| b.body().attributes().find(|a| a.key() == "name"))
            .map(|a| match a.expr() {
                Expression::String(s) => s.clone(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names.contains(&"ROLE-ENG".to_owned()), "{names:?}");
    }
}
