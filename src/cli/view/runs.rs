//! Runs for eyes: which there were, what was held, and those in which nobody was handled.

use chrono::{DateTime, Utc};

use super::{
    Screen, Tenant,
    plan::{Preview, previews},
};
use crate::{
    cli::{
        document::RunRow,
        exit::Exit,
        text::{count, instant, shell, wrap},
    },
    ledger::{PersonState, RunHead, State},
};

pub const RUNS: &[&str] = &["run", "kind", "people", "exit", "started"];

pub fn rows(heads: &[RunHead]) -> Vec<RunRow> {
    heads
        .iter()
        .map(|h| RunRow {
            run: h.run.clone(),
            kind: h.kind.clone(),
            people: h.people.len(),
            exit: if h.open { Exit::Partial } else { Exit::Done }.code(),
            started: h.started,
        })
        .collect()
}

/// Plans that are held, as they were shown, and how each goes on.
pub fn held(
    tenant: &Tenant,
    state: &State,
    people: &[&PersonState],
    now: DateTime<Utc>,
    flags: &str,
    screen: &Screen,
) -> String {
    let shown: Vec<Preview<'_>> = people
        .iter()
        .map(|p| Preview {
            plan: &p.plan,
            seen: None,
            records: &[],
            now,
            dry_run: false,
            apply: None,
        })
        .collect();
    previews(tenant, &shown, screen) + &go_on(state, people, flags, screen)
}

/// Why they are held, and how it goes on.
pub fn go_on(state: &State, held: &[&PersonState], flags: &str, screen: &Screen) -> String {
    let mut out = String::new();
    let mut said: Vec<&str> = vec![];
    for p in held {
        let Some(why) = p.held.as_deref().filter(|w| !said.contains(w)) else {
            continue;
        };
        said.push(why);
        let why = format!("HELD {}: {}", instant(p.planned), screen.safe(why));
        for line in wrap(&why, screen.line()) {
            out += &format!("{line}\n");
        }
    }
    for a in state.approvals.values().filter(|a| a.spent.is_none()) {
        let (signer, of) = (screen.safe(&a.approved.signer), &a.approved.approval);
        let plans = count(of.people.len(), "plan");
        out += &format!(
            "APPROVED {}: {plans} by {signer}, until {}\n",
            instant(a.at),
            instant(of.expires)
        );
    }
    let name = match held {
        [one] => one.plan.id().short(),
        _ => shell(&state.run).into_owned(),
    };
    out += &format!("Where [approvals] ask for a second person:  jml run approve {name}{flags}\n");
    out + &format!("Apply what is still true of it:             jml run apply {name} --yes{flags}\n")
}

/// A run in which nobody was handled: a sweep that found nothing to do, a link.
pub fn nobody(tenant: &Tenant, state: &State, flags: &str, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    let run = screen.safe(&state.run);
    out += &match &state.opened {
        Some((at, o)) => format!(
            "run {run}   {} by {}, {}\n",
            screen.safe(&o.kind),
            screen.safe(&o.operator),
            instant(*at)
        ),
        None => format!("run {run}\n"),
    };
    out += &match &state.swept {
        Some(s) => format!(
            "{} were read{}; nobody was handled.\n",
            count(s.people, "person"),
            if s.good { "" } else { ", which was not believed" }
        ),
        None => "Nobody was handled.\n".to_owned(),
    };
    out + &format!("Entry by entry:  jml audit show {}{flags}\n", shell(&state.run))
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::{
        cli::view::samples,
        ledger::entry::{Body, Swept},
    };

    fn tenant() -> Tenant {
        Tenant {
            host: "acme.okta.com".into(),
            org: "00o1acme".into(),
            sandbox: false,
        }
    }

    #[test]
    fn a_held_plan_is_shown_as_it_was() {
        let mut plan = samples::alice();
        plan.steps.truncate(2);
        plan.notes.clear();
        let run = samples::with(Body::Held {
            subject: "00u1alice".into(),
            plan,
            why: "leavers: 40 found; the limit is 10".into(),
        });
        let state = run.state();
        let people: Vec<_> = state.people.values().collect();
        assert_data_eq!(
            held(&tenant(), &state, &people, samples::now(), " --sandbox", &Screen::PLAIN),
            str![[r#"
acme.okta.com 00o1acme
Alice Andersson   alice@acme.example
HR: left 2026-03-02 09:00:00Z, by terminationDate (record changed 2026-03-02
09:03:52Z)
Due 09:18:52Z, 14m07s from now.                              plan [..]

1 contain  - okta        suspend
           - okta        clear sessions and OAuth tokens
5 verify   read okta again until gone

2 steps on 1 system.
HELD 2026-03-02 09:05:11Z: leavers: 40 found; the limit is 10
Where [approvals] ask for a second person:  jml run approve [..] --sandbox
Apply what is still true of it:             jml run apply [..] --yes --sandbox

"#]]
        );
    }

    #[test]
    fn a_sweep_without_work_says_what_it_read() {
        let run = samples::with(Body::Swept(Swept {
            people: 2200,
            good: true,
            ..Swept::default()
        }));
        assert_data_eq!(
            nobody(&tenant(), &run.state(), "", &Screen::PLAIN),
            str![[r#"
acme.okta.com 00o1acme
run r-5k2m9q   leaver by dana, 2026-03-02 09:05:11Z
2200 people were read; nobody was handled.
Entry by entry:  jml audit show r-5k2m9q

"#]]
        );
    }
}
