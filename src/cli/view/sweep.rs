//! The sweep under cron: a line a person, what was set aside, what comes; and the brake.

use chrono::{DateTime, Utc};

use super::{Screen, Tenant};
use crate::cli::{
    document::{self, Totals},
    text::{self, count, instant, pad, span},
};

pub struct Swept<'a> {
    /// `None`: a dry run.
    pub run: Option<&'a str>,
    pub at: DateTime<Utc>,
    /// Are there any?
    pub roles: bool,
    /// Since another run had another policy.
    pub changed: Option<&'a document::PolicyChanged>,
    pub read: &'a document::Read,
    /// `report::line` of each person, or a dry run's own.
    pub lines: &'a [String],
    pub set_aside: &'a [document::SetAside],
    pub future: &'a [document::Future],
    pub totals: Totals,
    pub took: std::time::Duration,
}

/// What needs a person begins with `!`. With -q only that and the last line; nothing at all where all is well.
pub fn report(tenant: &Tenant, s: &Swept<'_>, screen: &Screen) -> String {
    let name = match s.run {
        Some(run) => format!("sweep {}", screen.safe(run)),
        None => "sweep (dry run)".into(),
    };
    let mut asides: Vec<String> = s
        .set_aside
        .iter()
        .map(|a| {
            let at = a
                .place
                .as_deref()
                .map(|p| format!(" ({})", screen.safe(p)))
                .unwrap_or_default();
            format!("! {} set aside: {}{at}", screen.safe(&a.login), screen.safe(&a.why))
        })
        .collect();
    if !s.read.complete {
        asides.push("! the roster was not read whole".into());
    }
    asides.extend(
        s.read
            .unknown
            .iter()
            .map(|u| format!("! {} was not read", screen.safe(u))),
    );

    let bad = |l: &&String| l.starts_with('!');
    if screen.quiet > 0 {
        let changed = s.changed.map(|c| super::changed(c, screen).trim_end().to_owned());
        let lines: Vec<&String> = changed
            .iter()
            .chain(s.lines.iter().filter(bad))
            .chain(&asides)
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        let mut out = String::new();
        for l in lines {
            out += &format!("{l}\n");
        }
        return out + &closing(&name, s);
    }
    let mut out = tenant.line(screen) + "\n";
    if !s.roles {
        out += super::UNRULED;
    }
    if let Some(c) = s.changed {
        out += &super::changed(c, screen);
    }
    out += &format!(
        "{} {name}: {} in {}, {} to do\n",
        instant(s.at),
        count(s.read.people, "person"),
        count(s.read.pages, "page"),
        s.lines.len() - s.totals.nothing.min(s.lines.len())
    );
    for l in s.lines.iter().chain(&asides) {
        out += &format!("{l}\n");
    }
    for f in s.future {
        out += &format!("{} leaves {}\n", screen.safe(&f.login), instant(f.effective));
    }
    out + &closing(&name, s)
}

fn closing(name: &str, s: &Swept<'_>) -> String {
    let t = &s.totals;
    let mut parts = vec![];
    if t.planned > 0 {
        parts.push(format!("{} planned", t.planned));
    }
    parts.push(format!("{} complete", t.complete));
    let owed = if t.owed > 0 {
        format!(" ({} owed)", t.owed)
    } else {
        String::new()
    };
    parts.push(format!("{} partial{owed}", t.partial));
    parts.push(format!("{} held", t.held));
    if t.refused > 0 {
        parts.push(format!("{} refused", t.refused));
    }
    if t.set_aside > 0 {
        parts.push(format!("{} set aside", t.set_aside));
    }
    parts.push(format!("{} nothing to do", t.nothing));
    parts.push(format!("{} late", t.late));
    format!("{name}: {}, {}\n", parts.join(", "), span(s.took))
}

/// Who will leave, and when.
pub fn forecast(tenant: &Tenant, all: &[document::Future], within: &str, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    let wide = all
        .iter()
        .map(|f| text::width(&screen.safe(&f.login)))
        .max()
        .unwrap_or(0);
    for f in all {
        out += &format!(
            "{}   leaves {}\n",
            pad(&screen.safe(&f.login), wide),
            instant(f.effective)
        );
    }
    out + &format!("{} within {within}. Nothing was changed.\n", count(all.len(), "leaver"))
}

/// A brake that tripped: before any effect, on the whole set.
pub struct Brake<'a> {
    /// The limit's name in `[limits]`.
    pub rule: &'a str,
    /// What was counted, where it is not people: a group, a rule.
    pub subject: Option<&'a str>,
    pub found: usize,
    pub limit: usize,
    /// How the limit reads in the configuration, and of how many: `2 %`, 2200.
    pub share: Option<(&'a str, usize)>,
    pub read: Option<&'a document::Read>,
    pub last_good: Option<usize>,
    pub causes: &'a [String],
    /// How many leavers were contained first; in a dry run: would be.
    pub contained: usize,
    pub would: bool,
    /// A line for each of them.
    pub lines: &'a [String],
    /// Short id of what is held.
    pub held: Option<&'a str>,
    /// `[approvals]` ask for a second person.
    pub approvals: bool,
}

pub fn brake(b: &Brake<'_>, flags: &str, screen: &Screen) -> String {
    let of = b.subject.map(|s| screen.safe(s)).unwrap_or_default();
    let found = match b.rule {
        "leavers_24h" => format!("{} leavers within 24 hours", b.found),
        "removals_per_group" => format!("{} removals from {of}", b.found),
        "adds_per_group" => format!("{} additions to {of}", b.found),
        "exclusions_per_rule" => format!("{} people on the exclusion list of rule \"{of}\"", b.found),
        "rejected" => format!("{} rows rejected", b.found),
        rule => format!("{} {} found", b.found, screen.safe(rule)),
    };
    let share = b
        .share
        .map(|(share, all)| format!(", and {} (of {all})", screen.safe(share)))
        .unwrap_or_default();
    let mut out = format!("BRAKE: {found}; the limit is {}{share}.\n", b.limit);
    out += "Nothing was removed.";
    if let Some(r) = b.read {
        let whole = if r.complete { "All" } else { "Not all" };
        out += &format!(
            " {whole} {} were read, {}",
            count(r.pages, "page"),
            count(r.people, "person")
        );
        if let Some(n) = b.last_good {
            out += &format!(", last good run {n}");
        }
        out.push('.');
    }
    out.push('\n');
    for cause in b.causes {
        out += &format!("  ! {}\n", screen.safe(cause));
    }
    if b.contained > 0 {
        let were = if b.would { "would be" } else { "were" };
        let who = count(b.contained, "leaver");
        out += &format!("\n{who} {were} contained all the same, by on_brake = \"contain\".\n");
    }
    for line in b.lines {
        out += &format!("  {line}\n");
    }
    let Some(held) = b.held else { return out };
    let held = screen.safe(held);
    out += &format!("\nThe plan is held as {held}\n");
    out += &format!("  see it          jml run show {held}{flags}\n");
    out += "  it is an error  correct it in HR; the next sweep starts afresh\n";
    let mut real = "it is real      ";
    if b.approvals {
        out += &format!("  it is real      a second person:  jml run approve {held}{flags}\n");
        real = "                then:             ";
    }
    out + &format!("  {real}jml run apply {held} --yes{flags}\n")
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::cli::view::samples::now;

    fn shown(lines: &[&str], quiet: u8) -> String {
        let read = document::Read {
            people: 2200,
            pages: 11,
            complete: true,
            unknown: vec![],
            stale: None,
        };
        let lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        let s = Swept {
            roles: true,
            changed: None,
            run: Some("r-8h1t0c"),
            at: now(),
            read: &read,
            lines: &lines,
            set_aside: &[],
            future: &[document::Future {
                login: "vera@acme.example".into(),
                effective: now(),
            }],
            totals: Totals {
                complete: 1,
                partial: 1,
                owed: 1,
                future: 1,
                ..Totals::default()
            },
            took: std::time::Duration::from_millis(9800),
        };
        let screen = Screen { quiet, ..Screen::PLAIN };
        report(&Tenant::default(), &s, &screen)
    }

    #[test]
    fn cron_reads_a_line_a_person() {
        let lines = [
            "alice@acme.example leaver COMPLETE contained 0.6 s complete 6.4 s",
            "! carl@acme.example leaver PARTIAL github failed: 403; still open: github",
        ];
        assert_data_eq!(
            shown(&lines, 0),
            str![[r#"
 
2026-03-02 09:04:45Z sweep r-8h1t0c: 2200 people in 11 pages, 2 to do
alice@acme.example leaver COMPLETE contained 0.6 s complete 6.4 s
! carl@acme.example leaver PARTIAL github failed: 403; still open: github
vera@acme.example leaves 2026-03-02 09:04:45Z
sweep r-8h1t0c: 1 complete, 1 partial (1 owed), 0 held, 0 nothing to do, 0 late, 9.8 s

"#]]
        );
        assert_data_eq!(
            shown(&lines, 1),
            str![[r#"
! carl@acme.example leaver PARTIAL github failed: 403; still open: github
sweep r-8h1t0c: 1 complete, 1 partial (1 owed), 0 held, 0 nothing to do, 0 late, 9.8 s

"#]]
        );
    }

    #[test]
    fn quiet_says_nothing_where_all_is_well() {
        assert_eq!(shown(&["alice@acme.example leaver COMPLETE"], 1), "");
    }

    #[test]
    fn a_brake_names_number_limit_and_cause() {
        let read = document::Read {
            people: 2200,
            pages: 11,
            complete: true,
            unknown: vec![],
            stale: None,
        };
        let b = Brake {
            rule: "leavers",
            subject: None,
            found: 214,
            limit: 25,
            share: Some(("2 %", 2200)),
            read: Some(&read),
            last_good: Some(2198),
            causes: &["214 people got terminationDate 2026-03-01 in the same minute (08:59Z)".into()],
            contained: 0,
            would: false,
            lines: &[],
            held: Some("9b2e-41d7-0c6a"),
            approvals: false,
        };
        assert_data_eq!(
            brake(&b, " --sandbox", &Screen::PLAIN),
            str![[r#"
BRAKE: 214 leavers found; the limit is 25, and 2 % (of 2200).
Nothing was removed. All 11 pages were read, 2200 people, last good run 2198.
  ! 214 people got terminationDate 2026-03-01 in the same minute (08:59Z)

The plan is held as 9b2e-41d7-0c6a
  see it          jml run show 9b2e-41d7-0c6a --sandbox
  it is an error  correct it in HR; the next sweep starts afresh
  it is real      jml run apply 9b2e-41d7-0c6a --yes --sandbox

"#]]
        );
        let asked = brake(&Brake { approvals: true, ..b }, "", &Screen::PLAIN);
        let end: Vec<&str> = asked.lines().rev().take(2).collect();
        assert_eq!(
            end,
            [
                "                  then:             jml run apply 9b2e-41d7-0c6a --yes",
                "  it is real      a second person:  jml run approve 9b2e-41d7-0c6a",
            ]
        );
    }
}
