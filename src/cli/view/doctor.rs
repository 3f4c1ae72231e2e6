//! What `jml doctor` found: a block a system, and under each fault what repairs it.

use super::{Screen, Tenant};
use crate::cli::{
    document::{Check, Doctor, Monitor},
    text::{pad, width},
};

pub fn doctor(tenant: &Tenant, d: &Doctor, again: &str, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    for s in &d.systems {
        let name = screen.safe(&s.system);
        let mut head = pad(&name, width(&name).saturating_add(1).max(9));
        if let Some(url) = &s.url {
            head += &screen.safe(url);
        }
        if let Some(ms) = s.clock_ms {
            head += &format!(
                "   clock {}{}.{} s",
                if ms < 0 { '-' } else { '+' },
                ms.abs() / 1000,
                ms.abs() % 1000 / 100
            );
        }
        out += head.trim_end();
        out.push('\n');
        for c in &s.checks {
            out += &check(c, screen);
        }
    }
    let of = |result: &str| {
        d.systems
            .iter()
            .flat_map(|s| &s.checks)
            .filter(|c| c.result == result)
            .count()
    };
    let mut parts = vec![];
    for (n, words) in [
        (of("failed"), "failed"),
        (of("look"), "to look at"),
        (of("unknown"), "unknown"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    if parts.is_empty() {
        return out + "All is well.\n";
    }
    if of("failed") + of("look") == 0 {
        return out + &format!("Nothing failed; {}.\n", parts.join(", "));
    }
    out + &format!("{}.   After the change:  {again}\n", parts.join(", "))
}

pub fn monitor(tenant: &Tenant, m: &Monitor, command: &str, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    let name = screen.safe(m.monitor["name"].as_str().unwrap_or_default());
    let system = screen.safe(&m.system);
    if m.result == "planned" {
        let sent = serde_json::to_string_pretty(&m.monitor).unwrap_or_default();
        for line in sent.lines() {
            out += &screen.safe(line);
            out.push('\n');
        }
        if !m.monitor["message"].as_str().is_some_and(|t| t.contains('@')) {
            out += &format!("It tells nobody: [systems.{system}] notify names whom.\n");
        }
        return out + &format!("Nothing was sent.   To write it:  {command}\n");
    }
    let id = m.id.as_deref().map_or(String::new(), |id| screen.safe(id));
    let how = match m.result.as_str() {
        "made" => "made, and read back".to_owned(),
        "changed" => format!("changed ({}), and read back", screen.safe(&m.changed.join(", "))),
        _ => "as it should be; nothing was changed".to_owned(),
    };
    out + &format!("{system}  monitor {id} \"{name}\": {how}\n")
}

fn check(c: &Check, screen: &Screen) -> String {
    let mark = match c.result.as_str() {
        "failed" => "FAILED",
        "look" => "!",
        "unknown" => "?",
        _ => "ok",
    };
    let mut out = format!(
        "  {}{}{}\n",
        pad(mark, 8),
        pad(&screen.safe(&c.check), 13),
        screen.safe(&c.subject)
    );
    for (key, value) in [
        ("needed by", &c.needed_by),
        ("consequence", &c.consequence),
        ("repair", &c.repair),
    ] {
        if let Some(v) = value {
            out += &format!("          {}{}\n", pad(key, 13), screen.safe(v));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::cli::document::DoctorSystem;

    #[test]
    fn under_a_fault_stands_what_repairs_it() {
        let check = |check: &str, result: &str, subject: &str| Check {
            check: check.into(),
            result: result.into(),
            subject: subject.into(),
            needed_by: None,
            consequence: None,
            repair: None,
        };
        let d = Doctor {
            systems: vec![DoctorSystem {
                system: "okta".into(),
                url: Some("https://acme.okta.com".into()),
                clock_ms: Some(-412),
                checks: vec![
                    check("token", "ok", "3 of 4 scopes"),
                    Check {
                        needed_by: Some("leaver, contain: suspend, clear sessions".into()),
                        consequence: Some("no leaver can be contained".into()),
                        repair: Some("Okta admin > Applications > jml-prod > Okta API Scopes".into()),
                        ..check("scope", "failed", "okta.users.manage is not granted")
                    },
                    check(
                        "attribute",
                        "look",
                        "lastDayOfWork is empty for all 2200; policy doesn't use it",
                    ),
                ],
            }],
        };
        assert_data_eq!(
            doctor(&Tenant::default(), &d, "jml doctor okta", &Screen::PLAIN),
            str![[r#"
 
okta     https://acme.okta.com   clock -0.4 s
  ok      token        3 of 4 scopes
  FAILED  scope        okta.users.manage is not granted
          needed by    leaver, contain: suspend, clear sessions
          consequence  no leaver can be contained
          repair       Okta admin > Applications > jml-prod > Okta API Scopes
  !       attribute    lastDayOfWork is empty for all 2200; policy doesn't use it
1 failed, 1 to look at.   After the change:  jml doctor okta

"#]]
        );
    }
}
