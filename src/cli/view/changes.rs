//! Differences of groups and of policies: a line a change, then counts.

use chrono::{DateTime, Utc};

use super::{Screen, Tenant};
use crate::cli::{
    document::{Change, Explained, PolicyPerson},
    text::{count, instant},
};

/// Of `groups plan`, `apply` and `diff`. `since`: the snapshot's instant.
pub fn groups(tenant: &Tenant, changes: &[Change], since: Option<DateTime<Utc>>, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    if changes.is_empty() {
        return out
            + &match since {
                Some(t) => format!("no change since {}\n", instant(t)),
                None => "NOTHING TO DO (every birthright and role group is there)\n".into(),
            };
    }
    for c in changes {
        let group = screen.safe(&c.group);
        let subject = screen.safe(&c.subject);
        // A member, rule or app came where there was none before.
        let sign = if c.before.is_none() { "+" } else { "-" };
        out += &match c.what.as_str() {
            "group" => format!("{} group {group}\n", c.mark),
            "field" => {
                let word = |v: &Option<String>| v.as_ref().map_or_else(|| "none".into(), |v| screen.safe(v));
                format!("~ {group} {subject}: {} -> {}\n", word(&c.before), word(&c.after))
            }
            "member" => format!("~ {group} {sign} {subject}\n"),
            what => format!("~ {group} {what} {sign} {subject}\n"),
        };
    }
    let of = |mark: &str| changes.iter().filter(|c| c.mark == mark).count();
    out + &format!("{} to add, {} to remove, {} to change.\n", of("+"), of("-"), of("~"))
}

/// Who would gain or lose what.
pub fn policy(tenant: &Tenant, people: &[PolicyPerson], screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    for p in people {
        out += &format!("~ {}", screen.safe(&p.login));
        for (sign, groups) in [('-', &p.loses), ('+', &p.gains)] {
            for g in groups {
                out += &format!(" {sign}{}", screen.safe(g));
            }
        }
        out.push('\n');
    }
    out + &format!("{} would change.\n", count(people.len(), "person"))
}

/// Which rule gives what.
pub fn explained(tenant: &Tenant, e: &Explained, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    out += &format!("{}\n", screen.safe(&e.login));
    let rows: Vec<Vec<String>> = e.groups.iter().map(|g| vec![g.group.clone(), g.rule.clone()]).collect();
    out + &super::list::table(&["group", "rule"], &rows, screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_change_then_counts() {
        let change = |mark: &str, what: &str, subject: &str, before: Option<&str>| Change {
            mark: mark.into(),
            group: "ROLE-ENG".into(),
            what: what.into(),
            subject: subject.into(),
            before: before.map(Into::into),
            after: None,
        };
        let all = [
            change("+", "group", "ROLE-ENG", None),
            change("~", "member", "a@acme.example", Some("a@acme.example")),
            change("~", "rule", "by title", None),
        ];
        let shown = groups(&Tenant::default(), &all, None, &Screen::PLAIN);
        assert_eq!(
            shown.lines().skip(1).collect::<Vec<_>>(),
            [
                "+ group ROLE-ENG",
                "~ ROLE-ENG - a@acme.example",
                "~ ROLE-ENG rule + by title",
                "1 to add, 0 to remove, 2 to change."
            ]
        );
        let since = groups(
            &Tenant::default(),
            &[],
            Some("2026-03-02T09:04:31Z".parse().unwrap()),
            &Screen::PLAIN,
        );
        assert!(since.ends_with("no change since 2026-03-02 09:04:31Z\n"));
    }
}
