//! The preview: everything that will be done, nothing that won't, and whom it is done to, so that the wrong Alice is seen.
//!
//! Made from the plan and what was observed for it. One line a change; the count is of steps.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Screen, Tenant, words};
use crate::{
    cli::text::{self, between, clock, count, pad, span, width},
    model::{Flow, Mark, Note, Observation, Observed, Phase, Plan, Severity, State, Step, StepNo, Verb},
};

pub struct Preview<'a> {
    pub plan: &'a Plan,
    /// What the plan was made from; a held plan is shown without.
    pub seen: Option<&'a Observation>,
    /// Who will be told, in words: `ServiceNow change request`.
    pub records: &'a [String],
    pub now: DateTime<Utc>,
    pub dry_run: bool,
    /// The command that applies exactly this.
    pub apply: Option<String>,
}

/// All plans of a command, under one line that names the tenant.
pub fn previews(tenant: &Tenant, all: &[Preview<'_>], screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    for (n, p) in all.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        out += &preview(p, screen);
    }
    out
}

pub fn preview(p: &Preview<'_>, screen: &Screen) -> String {
    let mut out = header(p, screen);
    if p.plan.is_empty() {
        out += &notes(p.plan, screen);
        out += &format!("{}\n", nothing(p));
        return out;
    }
    out.push('\n');
    out += &steps(p, screen);
    let apps = apps(p.plan, screen);
    if !apps.is_empty() {
        out += &apps;
    }
    let notes = notes(p.plan, screen);
    if !notes.is_empty() {
        out.push('\n');
        out += &notes;
    }
    out.push('\n');
    out += &counts(p, screen);
    if let Some(command) = &p.apply {
        out += &format!("Apply exactly this:  {command}\n");
    }
    out
}

/// `left` at the margin, `right` at the end of the line.
pub fn across(left: &str, right: &str, screen: &Screen) -> String {
    let gap = screen.line().saturating_sub(width(left) + width(right)).max(3);
    format!("{left}{}{right}\n", " ".repeat(gap))
}

fn header(p: &Preview<'_>, screen: &Screen) -> String {
    let name = screen.fit(&p.plan.name, 40);
    let login = screen.safe(&p.plan.login);
    // Letters from the right would carry the login with them.
    let login = if text::mixed_script(&p.plan.login) {
        login + " ! mixed script"
    } else {
        login
    };
    let mut line = match (name.is_empty(), text::right_to_left(&name)) {
        (true, _) => login,
        (false, true) => format!("{login}   {name}"),
        (false, false) => format!("{name}   {login}"),
    };
    if let Some(seen) = p.seen {
        line += &format!("   {}", seen.person.status);
        let profile = &seen.person.profile;
        if let Some(d) = profile.get("department") {
            line += &format!("   {}", screen.fit(d, 24));
        }
        let manager = seen
            .person
            .worker()
            .and_then(|w| w.manager.as_deref())
            .or(profile.get("managerId").map(String::as_str));
        if let Some(m) = manager {
            line += &format!("   manager {}", screen.fit(m.split('@').next().unwrap_or(m), 24));
        }
    }
    let id = format!("plan {}", p.plan.id());
    let mut out = match (p.plan.due, p.plan.is_empty()) {
        (None, false) => across(&line, &id, screen),
        _ => line + "\n",
    };
    for line in p.plan.reason.lines() {
        for line in text::wrap(&screen.safe(line), screen.line()) {
            out += &format!("{line}\n");
        }
    }
    let due = match p.plan.due {
        _ if p.plan.is_empty() => return out,
        None => return out,
        Some(due) if due >= p.now => format!("Due {}, {} from now.", clock(due, p.now), span(between(p.now, due))),
        Some(due) => format!("Was due {}, {} ago.", clock(due, p.now), span(between(due, p.now))),
    };
    out + &across(&due, &id, screen)
}

fn heading(flow: Flow, phase: Phase, nth: usize) -> String {
    match (flow, phase) {
        (Flow::Mover, Phase::Remove) => "remove first".into(),
        (Flow::Mover, Phase::Add) => "then add".into(),
        (Flow::Mover, Phase::Tell) => "then tell".into(),
        // A leaver's phases keep their numbers, whatever is in the plan.
        (Flow::Leaver, Phase::Contain) => "1 contain".into(),
        (Flow::Leaver, Phase::Preserve) => "2 preserve".into(),
        (Flow::Leaver, Phase::Remove) => "3 remove".into(),
        (Flow::Leaver, Phase::Close) => "4 close".into(),
        (Flow::Leaver, Phase::Verify) => "5 verify".into(),
        (Flow::Leaver, Phase::Record) => "6 record".into(),
        (_, phase) => format!("{nth} {phase}"),
    }
}

struct Line {
    mark: &'static str,
    system: String,
    what: String,
    beside: String,
}

fn steps(p: &Preview<'_>, screen: &Screen) -> String {
    let mut phases: Vec<Phase> = vec![];
    for s in &p.plan.steps {
        if !phases.contains(&s.phase) {
            phases.push(s.phase);
        }
    }
    // A joiner's order is the plan's own: a former job's groups go before the account comes alive.
    if p.plan.flow != Flow::Joiner {
        phases.sort();
    }
    let mut blocks: Vec<(String, Vec<Line>)> = vec![];
    for (n, phase) in phases.iter().enumerate() {
        let lines = lines(p.plan, *phase, screen);
        blocks.push((heading(p.plan.flow, *phase, n + 1), lines));
    }
    let read: BTreeSet<&str> = p
        .plan
        .steps
        .iter()
        .filter(|s| s.effect.action.verb() != Verb::SendMessage)
        .map(|s| s.effect.system.as_str())
        .collect();
    let read: Vec<String> = read.into_iter().map(|s| screen.safe(s)).collect();
    let until = if p.plan.flow == Flow::Leaver {
        "gone"
    } else {
        "it is so"
    };
    let verify = format!("read {} again until {until}", read.join(", "));
    let mut tail = vec![(heading(p.plan.flow, Phase::Verify, phases.len() + 1), verify)];
    if !p.records.is_empty() {
        tail.push((
            heading(p.plan.flow, Phase::Record, phases.len() + 2),
            p.records.join(", "),
        ));
    }

    let head = blocks
        .iter()
        .map(|b| width(&b.0))
        .chain(tail.iter().map(|t| width(&t.0)))
        .max()
        .unwrap_or(0)
        + 2;
    let system = blocks
        .iter()
        .flat_map(|b| &b.1)
        .map(|l| width(&l.system))
        .max()
        .unwrap_or(0)
        .max(10)
        + 2;
    let what = blocks
        .iter()
        .flat_map(|b| &b.1)
        .filter(|l| !l.beside.is_empty())
        .map(|l| width(&l.what))
        .max()
        .unwrap_or(0)
        .min(36)
        + 3;
    let mut out = String::new();
    for (title, lines) in &blocks {
        let mut title = title.as_str();
        for l in lines {
            let left = format!("{}{} {}", pad(title, head), l.mark, pad(&l.system, system));
            out += &beside(&left, &l.what, what, &l.beside, screen);
            title = "";
        }
    }
    for (title, words) in tail {
        out += &beside(&pad(&title, head), &words, 0, "", screen);
    }
    out
}

/// One line, the words beside it wrapped in their own column.
fn beside(left: &str, what: &str, column: usize, words: &str, screen: &Screen) -> String {
    let indent = width(left);
    let mut out = String::new();
    let whats = match screen.width {
        Some(w) if words.is_empty() && w > indent + 20 => text::wrap(what, w - indent),
        _ => vec![what.to_owned()],
    };
    for (n, w) in whats.iter().enumerate() {
        let lead = if n == 0 { left.to_owned() } else { " ".repeat(indent) };
        out += &format!("{lead}{w}\n");
    }
    if words.is_empty() {
        return out;
    }
    let at = indent + column.max(width(what) + 3);
    let room = screen.width.map_or(usize::MAX, |w| w.saturating_sub(at));
    // Too narrow a column is none: then the words go below, where the change begins.
    let (at, room, below) = if room >= 18 {
        (at, room, false)
    } else {
        (indent, screen.line() - indent.min(20), true)
    };
    let wrapped = text::wrap(words, room);
    let mut lines = wrapped.iter();
    if !below {
        out.pop();
        let first = lines.next().map(String::as_str).unwrap_or_default();
        out += &format!("{}{first}\n", " ".repeat(at - indent - width(what)));
    }
    for l in lines {
        out += &format!("{}{l}\n", " ".repeat(at));
    }
    out
}

fn lines(plan: &Plan, phase: Phase, screen: &Screen) -> Vec<Line> {
    let mut out = vec![];
    let steps: Vec<(StepNo, &Step)> = plan
        .steps
        .iter()
        .enumerate()
        .filter(|(_, s)| s.phase == phase)
        .collect();
    let mut i = 0;
    while i < steps.len() {
        let (_, step) = steps[i];
        let verb = step.effect.action.verb();
        let alike = |s: &Step| {
            one_line(verb)
                && s.effect.system == step.effect.system
                && s.effect.action.verb() == verb
                && s.waits.is_none()
        };
        let run = 1 + steps[i + 1..].iter().take_while(|(_, s)| alike(s)).count();
        let run = if step.waits.is_some() { 1 } else { run };
        let group = &steps[i..i + run];
        i += run;
        let actions: Vec<_> = group.iter().map(|(_, s)| &s.effect.action).collect();
        let note = |no: StepNo| plan.notes.iter().position(|n| n.step == Some(no));
        let mut beside: Vec<String> = vec![];
        if run == 1 && step.waits.is_none() {
            beside.extend(reason(plan, group, phase, screen));
        }
        if let Some(w) = &step.waits {
            let until = w
                .until
                .map(|t| format!(" until {}", text::instant(t)))
                .unwrap_or_default();
            beside.push(format!("owed{until}: {}", screen.safe(&w.failure.summary)));
        }
        for n in group.iter().filter_map(|(no, _)| note(*no)) {
            beside.push(format!("! note {}", n + 1));
        }
        out.push(Line {
            mark: match (&step.waits, step.effect.action.gives()) {
                (Some(_), _) => "?",
                (None, true) => "+",
                (None, false) => "-",
            },
            system: screen.fit(step.effect.system.as_str(), 16),
            what: words::many(verb, &step.effect.system, &actions, screen),
            beside: beside.join(" "),
        });
    }
    out
}

/// Of a leaver what goes with it, for all goes anyway; of others why just this.
fn reason(plan: &Plan, group: &[(StepNo, &Step)], phase: Phase, screen: &Screen) -> Option<String> {
    let (no, step) = group.first()?;
    if !matches!(phase, Phase::Remove | Phase::Add | Phase::Activate) || step.why == plan.reason {
        return None;
    }
    match step.effect.action.verb() {
        Verb::RemoveMember if plan.flow == Flow::Leaver => {
            let apps: Vec<String> = plan
                .expects
                .iter()
                .filter(|e| !e.assigned && e.by.contains(no))
                .map(|e| screen.fit(&e.app.name, 40))
                .collect();
            (!apps.is_empty()).then(|| format!("loses {}", apps.join(", ")))
        }
        Verb::UnassignApp if plan.flow == Flow::Leaver => None,
        _ => Some(screen.safe(&step.why)),
    }
}

/// Several of these in a row are one line.
const fn one_line(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::RevokeToken | Verb::RevokeClientTokens | Verb::ResetPassword | Verb::JoinChannel | Verb::LeaveChannel
    )
}

fn apps(plan: &Plan, screen: &Screen) -> String {
    let c = &plan.apps;
    let rows = [
        ("lost", &c.lost),
        ("gained", &c.gained),
        ("lost, then back", &c.lost_then_back),
        ("kept", &c.kept),
    ];
    let mut out = String::new();
    for (what, apps) in rows.iter().filter(|r| !r.1.is_empty()) {
        let head = if out.is_empty() { "Apps" } else { "" };
        let names: Vec<String> = apps.iter().map(|a| screen.fit(a, 40)).collect();
        let left = format!("{}{}", pad(head, 7), pad(what, 17));
        out += &beside(&left, &names.join(", "), 0, "", screen);
    }
    out
}

fn notes(plan: &Plan, screen: &Screen) -> String {
    let mut out = String::new();
    for (n, note) in plan.notes.iter().enumerate() {
        out += &self::note(n + 1, note, screen);
    }
    out
}

fn note(n: usize, note: &Note, screen: &Screen) -> String {
    let mark = match note.mark {
        Mark::Attention => '!',
        Mark::Unknown => '?',
        Mark::Keep => '=',
    };
    let fatal = if note.severity == Severity::Fatal {
        "Refused: "
    } else {
        ""
    };
    let lead = format!("{mark} {n} ");
    let words = format!("{fatal}{}", screen.safe(&note.text));
    let mut out = String::new();
    for (i, line) in text::wrap(&words, screen.line() - lead.len()).iter().enumerate() {
        let lead = if i == 0 { lead.clone() } else { " ".repeat(lead.len()) };
        out += &format!("{lead}{line}\n");
    }
    out
}

fn counts(p: &Preview<'_>, screen: &Screen) -> String {
    let steps = &p.plan.steps;
    let systems: BTreeSet<_> = steps
        .iter()
        .filter(|s| s.waits.is_none())
        .map(|s| &s.effect.system)
        .collect();
    let unknown = p
        .seen
        .map(|s| s.systems.values().filter(|s| s.account.unknown().is_some()).count())
        .unwrap_or(0);
    let owed = steps.iter().filter(|s| s.waits.is_some()).count();
    let mut out = if p.plan.flow == Flow::Mover {
        let of = |phase| steps.iter().filter(|s| s.phase == phase).count();
        let mut parts = vec![
            format!("{} to remove", of(Phase::Remove)),
            format!("{} to add", of(Phase::Add)),
        ];
        if of(Phase::Tell) > 0 {
            parts.push(count(of(Phase::Tell), "message"));
        }
        format!("{}. If a removal fails, nothing is added.", parts.join(", "))
    } else {
        let mut parts = vec![format!(
            "{} on {}",
            count(steps.len(), "step"),
            count(systems.len(), "system")
        )];
        if owed > 0 {
            parts.push(format!("{owed} of them owed"));
        }
        if unknown > 0 {
            parts.push(format!("{} unknown", count(unknown, "system")));
        }
        format!("{}.", parts.join(", "))
    };
    if p.dry_run {
        out += " Nothing was changed.";
    }
    text::wrap(&out, screen.line()).join("\n") + "\n"
}

/// What was compared, where there is nothing to do.
fn nothing(p: &Preview<'_>) -> String {
    let Some(seen) = p.seen else {
        return "NOTHING TO DO".into();
    };
    let read = seen.systems.values().filter(|s| s.account.unknown().is_none()).count();
    let read = count(read, "system");
    if p.plan.flow == Flow::Leaver {
        let left = seen
            .systems
            .values()
            .filter(|s| matches!(&s.account, Observed::Present(a) if a.state != State::Closed))
            .count();
        format!("NOTHING TO DO ({read} read, {} left)", count(left, "account"))
    } else {
        format!("NOTHING TO DO ({read} read, all as policy says)")
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::cli::view::samples;

    fn shown(plan: &Plan) -> String {
        let p = Preview {
            plan,
            seen: None,
            records: &[
                "ServiceNow change request".into(),
                "Datadog event and SLA metric".into(),
            ],
            now: samples::now(),
            dry_run: true,
            apply: Some(format!("jml {} {} --expect {}", plan.flow, plan.login, plan.id())),
        };
        preview(&p, &Screen::PLAIN)
    }

    #[test]
    fn a_leaver_is_shown_step_by_step() {
        assert_data_eq!(
            shown(&samples::alice()),
            str![[r#"
Alice Andersson   alice@acme.example
HR: left 2026-03-02 09:00:00Z, by terminationDate (record changed 2026-03-02
09:03:52Z)
Due 09:18:52Z, 14m07s from now.                              plan 72f7-9499-efe8

1 contain  - okta        suspend
           - okta        clear sessions and OAuth tokens
           - okta        revoke grants
           - slack       sign out everywhere
3 remove   - okta        group ROLE-ENG     loses Jira
           - okta        group ENG-ONCALL   ! note 1
           - slack       deactivate         the account alice
4 close    - okta        deactivate
5 verify   read okta, slack again until gone
6 record   ServiceNow change request, Datadog event and SLA metric

! 1 Rule "on-call by title" may fill ENG-ONCALL. Removing them by hand adds them
    to the rule's exclusion list; a rehire must be taken off it.

8 steps on 2 systems. Nothing was changed.
Apply exactly this:  jml leaver alice@acme.example --expect 72f7-9499-efe8

"#]]
        );
    }

    #[test]
    fn a_mover_is_shown_remove_first() {
        assert_data_eq!(
            shown(&samples::bob()),
            str![[r#"
Bob Berg   bob@acme.example                                  plan 080b-7377-6b5b
department: Engineering -> Sales
manager: dana@acme.example -> erin@acme.example

remove first  - okta        group ROLE-ENG     policy no longer gives it
              - slack       #eng, #oncall
then add      + okta        group ROLE-SALES   department Sales
then tell     + slack       message to the manager
4 verify      read okta, slack again until it is so
5 record      ServiceNow change request, Datadog event and SLA metric
Apps   lost             GitHub, AWS SSO
       gained           Salesforce
       lost, then back  Jira
       kept             Slack, Zoom

3 to remove, 1 to add, 1 message. If a removal fails, nothing is added. Nothing
was changed.
Apply exactly this:  jml mover bob@acme.example --expect 080b-7377-6b5b

"#]]
        );
    }

    #[test]
    fn a_name_from_the_right_stands_after_the_login() {
        let mut p = samples::bob();
        p.name = "\u{202e}דנה\u{1b}[2J".into();
        p.login = "d\u{430}na@acme.example".into();
        let text = shown(&p);
        let first = text.lines().next().unwrap();
        let rest = first.strip_prefix("d\u{430}na@acme.example ! mixed script   דנה\\x1b[2J   ");
        assert!(rest.is_some_and(|r| r.trim_start().starts_with("plan ")), "{first}");
    }
}
