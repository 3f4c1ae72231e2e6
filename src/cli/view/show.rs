//! One person on one screen: HR, Okta and every app side by side, and where they differ.

use super::{Screen, Tenant, plan::across};
use crate::cli::{
    document::{Show, ShowSystem},
    text::{self, instant, pad, width},
};

pub fn show(tenant: &Tenant, s: &Show, flags: &str, screen: &Screen) -> String {
    let name = screen.fit(&s.person.name, 40);
    let login = screen.safe(&s.person.login);
    let login = if text::mixed_script(&s.person.login) {
        login + " ! mixed script"
    } else {
        login
    };
    let who = if text::right_to_left(&name) {
        format!("{login}   {name}")
    } else {
        format!("{name}   {login}")
    };
    let mut out = tenant.line(screen) + "\n";
    out += &across(&who, &format!("read {}", instant(s.person.read)), screen);

    let hr_status = match s.hr.effective {
        Some(t) => format!("{} {}", s.hr.status, instant(t)),
        None => match &s.hr.since {
            Some(day) => format!("{} since {}", s.hr.status, screen.safe(day)),
            None => s.hr.status.clone(),
        },
    };
    let or_dash = |v: &Option<String>| v.clone().unwrap_or_else(|| "-".into());
    let facts = [
        ("", format!("HR ({})", s.hr.source), "Okta".to_owned()),
        ("status", hr_status, s.person.status.clone()),
        ("department", or_dash(&s.hr.department), or_dash(&s.person.department)),
        ("title", or_dash(&s.hr.title), or_dash(&s.person.title)),
        (
            "groups",
            format!("policy gives {}", s.hr.groups.len()),
            format!("has {}", s.person.groups.len()),
        ),
    ];
    let facts = facts.map(|(k, hr, okta)| (k, screen.fit(&hr, 36), screen.fit(&okta, 36)));
    let wide = facts.iter().map(|f| width(&f.1)).max().unwrap_or(0) + 3;
    for (key, hr, okta) in &facts {
        out += format!("{}{}{okta}", pad(key, 12), pad(hr, wide)).trim_end();
        out.push('\n');
    }
    let lacks: Vec<&String> = s.hr.groups.iter().filter(|g| !s.person.groups.contains(g)).collect();
    for g in &lacks {
        out += &format!("            + {}   policy gives it\n", screen.fit(g, 40));
    }
    if !s.systems.is_empty() {
        out += &systems(&s.systems, screen);
    }
    for w in &s.witnesses {
        let mark = match w.mark.as_str() {
            "finding" => "! ",
            "unknown" => "? ",
            _ => "  ",
        };
        let at = w.at.map(|t| format!(", {}", instant(t))).unwrap_or_default();
        let said = format!("{}: {}{at}", w.system, w.what);
        out += &format!("{mark}{}\n", screen.fit(&said, 110));
    }
    let count = |mark: &str| s.systems.iter().filter(|x| x.mark == mark).count();
    let (drift, unknown) = (count("drift"), count("unknown"));
    let mut parts = vec![];
    if drift > 0 {
        parts.push(format!("{drift} drift"));
    }
    if unknown > 0 {
        parts.push(format!("{unknown} unknown"));
    }
    if parts.is_empty() {
        parts.push("No drift".into());
    }
    out += &format!("{}.", parts.join(", "));
    if drift > 0 {
        let flow = if s.hr.status == "terminated" { "leaver" } else { "mover" };
        out += &format!(
            "   Plan the repair:  jml {flow} {} --dry-run{flags}",
            text::shell(&s.person.login)
        );
    }
    out + "\n"
}

fn systems(all: &[ShowSystem], screen: &Screen) -> String {
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|s| {
            let mark = match s.mark.as_str() {
                "drift" => "! drift",
                "unknown" => "? unknown",
                _ => "ok",
            };
            [
                screen.fit(&s.system, 20),
                s.account.as_deref().map_or("?".into(), |a| screen.fit(a, 32)),
                screen.fit(&s.state, 28),
                screen.fit(&s.policy, 20),
                mark.into(),
            ]
        })
        .collect();
    let head = ["system", "account", "state", "policy"];
    let wide: Vec<usize> = (0..4)
        .map(|i| rows.iter().map(|r| width(&r[i])).max().unwrap_or(0).max(head[i].len()) + 2)
        .collect();
    let line = |cells: &[&str]| {
        let mut out = String::new();
        for (i, c) in cells.iter().enumerate() {
            out += &match wide.get(i) {
                Some(w) => pad(c, *w),
                None => (*c).to_owned(),
            };
        }
        out.trim_end().to_owned() + "\n"
    };
    let mut out = line(&head);
    for (r, s) in rows.iter().zip(all) {
        out += &line(&r.each_ref().map(String::as_str));
        let indent = " ".repeat(wide[0]);
        if !s.licences.is_empty() {
            let names: Vec<String> = s.licences.iter().map(|n| screen.fit(n, 40)).collect();
            let word = if names.len() == 1 { "licence" } else { "licences" };
            out += &format!("{indent}holds the {word} {}\n", names.join(", "));
        }
        if let Some(d) = &s.detail {
            out += &format!("{indent}{}\n", screen.fit(d, 60));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::cli::{
        document::{ShowHr, ShowPerson, Sighting},
        view::samples::t,
    };

    #[test]
    fn drift_stands_out_beside_what_policy_says() {
        let system = |system: &str, account: Option<&str>, state: &str, mark: &str, detail: Option<&str>| ShowSystem {
            system: system.into(),
            account: account.map(Into::into),
            state: state.into(),
            policy: "none".into(),
            mark: mark.into(),
            licences: if system == "salesforce" {
                vec!["Salesforce".into(), "Sales Cloud\u{202e} Einstein".into()]
            } else {
                vec![]
            },
            detail: detail.map(Into::into),
        };
        let s = Show {
            person: ShowPerson {
                login: "alice@acme.example".into(),
                name: "Alice Andersson".into(),
                id: "00u1alice".into(),
                status: "DEPROVISIONED".into(),
                department: Some("Engineering".into()),
                title: None,
                groups: vec![],
                read: t("2026-03-13T08:00:00Z"),
            },
            hr: ShowHr {
                source: "Workday".into(),
                status: "terminated".into(),
                since: None,
                department: Some("Engineering".into()),
                title: Some("Engineer".into()),
                effective: Some(t("2026-03-02T09:00:00Z")),
                groups: vec![],
            },
            systems: vec![
                system("slack", Some("U02ALICE"), "deactivated", "ok", None),
                system(
                    "salesforce",
                    Some("alice@acme.example"),
                    "ACTIVE",
                    "drift",
                    Some("last login 2026-03-11 17:20Z"),
                ),
                system("github", None, "not read: 503", "unknown", None),
            ],
            witnesses: [
                ("risk 0.20 NORMAL", "ok"),
                ("signed in by SSO_LOGIN", "finding"),
                ("not asked: 403", "unknown"),
            ]
            .map(|(what, mark)| Sighting {
                login: "alice@acme.example".into(),
                system: "crowdstrike".into(),
                what: what.into(),
                at: (mark == "finding").then(|| t("2026-03-12T08:00:00Z")),
                mark: mark.into(),
            })
            .to_vec(),
        };
        assert_data_eq!(
            show(&Tenant::default(), &s, "", &Screen::PLAIN),
            str![[r#"
 
Alice Andersson   alice@acme.example                   read 2026-03-13 08:00:00Z
            HR (Workday)                      Okta
status      terminated 2026-03-02 09:00:00Z   DEPROVISIONED
department  Engineering                       Engineering
title       Engineer                          -
groups      policy gives 0                    has 0
system      account             state          policy
slack       U02ALICE            deactivated    none    ok
salesforce  alice@acme.example  ACTIVE         none    ! drift
            holds the licences Salesforce, Sales Cloud Einstein
            last login 2026-03-11 17:20Z
github      ?                   not read: 503  none    ? unknown
  crowdstrike: risk 0.20 NORMAL
! crowdstrike: signed in by SSO_LOGIN, 2026-03-12 08:00:00Z
? crowdstrike: not asked: 403
1 drift, 1 unknown.   Plan the repair:  jml leaver alice@acme.example --dry-run

"#]]
        );
    }
}
