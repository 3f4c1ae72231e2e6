//! The ledger for eyes: its entries, one run entry by entry, the promise's clock, and whether the chain holds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Screen, Tenant, plan::across, report::record_word};
use crate::{
    cli::{
        document::{Bad, Entry as Row, Sla as SlaDoc, Spooled, Verified},
        text::{self, instant, pad, span, width},
    },
    ledger::{
        entry::{Body, Entry},
        fold::State,
        query::SlaRow,
    },
    model::{Effect, Phase, Plan, System, system::OKTA},
};

/// What an entry is about, as lists show it. Steps are known from the plans before them: hand in whole runs.
pub fn rows(entries: &[Entry]) -> Vec<Row> {
    let mut plans: Plans = BTreeMap::new();
    let mut records: Records = BTreeMap::new();
    entries.iter().map(|e| row(e, &mut plans, &mut records)).collect()
}

/// The steps so far of each subject of each run; a later plan's are counted on.
type Plans = BTreeMap<(String, String), Known>;

/// Whose a record is, and what: its delivery names the key alone.
type Records = BTreeMap<(String, String), (Option<String>, &'static str)>;

#[derive(Default)]
struct Known {
    login: String,
    steps: Vec<(Phase, Effect)>,
    apps: Vec<String>,
}

fn plan_of(plans: &mut Plans, run: &str, subject: &str, plan: &Plan) {
    let known = plans.entry((run.to_owned(), subject.to_owned())).or_default();
    known.login.clone_from(&plan.login);
    known
        .steps
        .extend(plan.steps.iter().map(|s| (s.phase, s.effect.clone())));
    known.apps.extend(plan.expects.iter().map(|e| e.app.name.clone()));
}

fn row(e: &Entry, plans: &mut Plans, records: &mut Records) -> Row {
    let mut out = Row {
        seq: e.envelope.seq,
        time: e.envelope.time,
        kind: e.envelope.kind.clone(),
        run: e.envelope.run.clone(),
        step: e.envelope.step,
        login: None,
        phase: None,
        system: None,
        action: None,
        target: None,
        outcome: None,
        operator: e.envelope.operator.clone(),
        host: e.envelope.host.clone(),
        hash: e.hash.clone(),
        spooled: e.envelope.spooled.as_ref().map(|o| Spooled {
            seq: o.seq,
            hash: o.hash.clone(),
            merged: o.merged,
            moot: o.moot,
        }),
    };
    let Some(body) = &e.body else {
        out.outcome = Some("erased".into());
        return out;
    };
    if let Body::Planned { subject, plan, .. } = body
        && !e.envelope.moot()
    {
        plan_of(plans, &e.envelope.run, subject, plan);
    }
    if let Some(subject) = body.subject() {
        let known = plans.get(&(e.envelope.run.clone(), subject.to_owned()));
        let login = known.map(|k| &k.login).or_else(|| {
            let elsewhere = plans.iter().find(|((_, s), _)| s == subject);
            elsewhere.map(|(_, k)| &k.login)
        });
        out.login = Some(login.map_or_else(|| subject.to_owned(), Clone::clone));
        if let Some((phase, effect)) = body.step().and_then(|n| known.and_then(|k| k.steps.get(n))) {
            out.phase = Some(phase.to_string());
            out.system = Some(effect.system.as_str().into());
            out.action = Some(effect.action.name().into());
            out.target = Some(effect.action.object().unwrap_or(&effect.account).into());
        }
    }
    let system = |s: &System| Some(s.as_str().to_owned());
    match body {
        Body::Opened(o) => {
            out.action = Some(o.kind.clone());
            out.outcome = Some(o.consent.clone());
        }
        Body::Planned { plan, .. } => {
            out.action = Some("plan".into());
            out.target = Some(plan.id().short());
            out.outcome = Some(text::count(plan.steps.len(), "step"));
        }
        Body::Held { plan, why, .. } => {
            out.login = Some(plan.login.clone());
            out.action = Some("plan".into());
            out.target = Some(plan.id().short());
            out.outcome = Some(format!("held: {why}"));
        }
        Body::Started { .. } => out.outcome = Some("started".into()),
        Body::Finished { outcome, receipt, .. } => {
            let status = receipt
                .as_ref()
                .filter(|r| r.status > 0)
                .map(|r| format!(" {}", r.status));
            let code = outcome.failure().and_then(|f| f.code.as_ref()).map(|c| format!(" {c}"));
            out.outcome = Some(outcome.name().to_owned() + &code.or(status).unwrap_or_default());
        }
        Body::Verified { .. } => out.outcome = Some("verified".into()),
        Body::Refuted { failure, .. } => out.outcome = Some(format!("refuted: {}", failure.summary)),
        Body::Expected {
            subject,
            expect,
            outcome,
        } => {
            let known = plans.get(&(e.envelope.run.clone(), subject.clone()));
            out.phase = Some(Phase::Verify.to_string());
            out.target = known.and_then(|k| k.apps.get(*expect)).cloned();
            out.outcome = Some(outcome.name().into());
        }
        Body::Owed { record, system: s } => {
            records.insert(
                (e.envelope.run.clone(), record.key.clone()),
                (record.login.clone(), record_word(&record.what)),
            );
            out.login.clone_from(&record.login);
            out.phase = Some(Phase::Record.to_string());
            out.system = system(s);
            out.action = Some(record.what.name().into());
            out.target = Some(record_word(&record.what).into());
            out.outcome = Some("owed".into());
        }
        Body::Undelivered {
            key,
            system: s,
            failure,
        } => {
            (out.login, out.target) = delivery(records, &e.envelope.run, key);
            out.phase = Some(Phase::Record.to_string());
            out.system = system(s);
            out.outcome = Some(format!(
                "undelivered: {}",
                failure.code.as_ref().unwrap_or(&failure.summary)
            ));
        }
        Body::Delivered {
            key,
            system: s,
            receipt,
        } => {
            (out.login, out.target) = delivery(records, &e.envelope.run, key);
            out.phase = Some(Phase::Record.to_string());
            out.system = system(s);
            // What the vendor calls it, beside what it is.
            if let (Some(what), Some(made)) = (&mut out.target, &receipt.made) {
                *what += &format!(" {made}");
            }
            out.outcome = Some("delivered".into());
        }
        Body::Ticked { evidence, .. } => out.outcome = Some(format!("done by hand: {evidence}")),
        Body::Approved(a) => {
            out.target = Some(text::count(a.approval.people.len(), "plan"));
            out.outcome = Some(format!("by {} until {}", a.signer, instant(a.approval.expires)));
        }
        Body::Spent { approval } => {
            out.target = Some(format!("approval {approval}"));
            out.outcome = Some("used".into());
        }
        Body::Lifted { reason, .. } => out.outcome = Some(format!("override lifted: {reason}")),
        Body::Resumed { operator } => out.outcome = Some(format!("taken up by {operator}")),
        Body::Closed { result, .. } => out.outcome = Some(result.name().into()),
        Body::Linked {
            system: s, account, is, ..
        } => {
            out.system = system(s);
            out.target = Some(account.clone());
            out.outcome = Some(if *is { "theirs" } else { "not theirs" }.into());
        }
        Body::Granted { grant, .. } => {
            out.system = system(&OKTA);
            out.target = Some(grant.name.clone());
            out.outcome = Some(format!("until {} ({})", instant(grant.until), grant.ticket));
        }
        Body::Swept(s) => {
            let good = if s.good { "" } else { ", not believed" };
            out.outcome = Some(format!("{}{good}", text::count(s.people, "person")));
        }
        Body::Paused { until, reason, all } => {
            let what = if *all { "everything" } else { "all but containment" };
            out.outcome = Some(format!("{what} until {}: {reason}", text::instant(*until)));
        }
        Body::Unpaused => out.outcome = Some("lifted".into()),
        Body::Checkpoint { .. } => out.action = Some("checkpoint".into()),
        Body::Spooled { why, .. } => out.outcome = Some(why.clone()),
        Body::Opaque => out.outcome = Some("of a newer release".into()),
    }
    if e.envelope.moot() {
        let said = out.outcome.take().unwrap_or_else(|| e.envelope.kind.clone());
        out.outcome = Some(format!("{said} (changes nothing: too late)"));
    }
    out
}

fn delivery(records: &Records, run: &str, key: &str) -> (Option<String>, Option<String>) {
    match records.get(&(run.to_owned(), key.to_owned())) {
        Some((login, what)) => (login.clone(), Some((*what).to_owned())),
        None => (None, Some(key.to_owned())),
    }
}

/// Of `audit log`, in the order of their worth.
pub const LOG: &[&str] = &[
    "seq", "time", "kind", "run", "login", "phase", "system", "action", "target", "outcome", "operator",
];

/// More than these are shown with -v alone.
const SHOWN: usize = 40;

/// One run, entry by entry.
pub fn show(tenant: &Tenant, state: &State, entries: &[Entry], screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    let people: Vec<_> = state.people.values().collect();
    let who = match people[..] {
        [p] => format!("{} {}   {}", p.flow, screen.safe(&p.login), p.result().word()),
        [] => state
            .opened
            .as_ref()
            .map_or_else(String::new, |(_, o)| screen.safe(&o.kind)),
        _ => {
            let kind = state.opened.as_ref().map_or("", |(_, o)| o.kind.as_str());
            format!("{} {}", screen.safe(kind), text::count(people.len(), "person"))
        }
    };
    let left = format!("run {}   {who}", screen.safe(&state.run));
    out += &match people[..] {
        [p] => across(&left, &format!("plan {}", p.plan.id()), screen),
        _ => left + "\n",
    };
    if let Some((from, opened)) = &state.opened {
        let host = entries.first().map(|e| e.envelope.host.as_str()).unwrap_or_default();
        let by = format!(
            "by {} on {} ({})",
            screen.safe(&opened.operator),
            screen.safe(host),
            screen.safe(&opened.consent)
        );
        let to = state.last.map_or(*from, |l| l.1);
        out += &across(
            &by,
            &format!("{} to {}", instant(*from), text::clock(to, *from)),
            screen,
        );
    }
    let rows = rows(entries);
    let hidden = if screen.verbose > 0 {
        0
    } else {
        rows.len().saturating_sub(SHOWN)
    };
    // The beginning and the end say most.
    let (head, tail) = (
        rows.len().min(SHOWN / 2),
        rows.len() - rows.len().min(SHOWN / 2) - hidden,
    );
    let shown: Vec<&Row> = rows
        .iter()
        .take(head)
        .chain(rows.iter().skip(rows.len() - tail))
        .collect();
    let what = |r: &Row| {
        let words = [r.action.as_deref(), r.target.as_deref()];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        if words.is_empty() {
            r.kind.clone()
        } else {
            screen.fit(&words.join(" "), 36)
        }
    };
    let many = people.len() != 1;
    let wide = shown.iter().map(|r| width(&what(r))).max().unwrap_or(0).max(25);
    let system = shown
        .iter()
        .map(|r| width(&screen.safe(r.system.as_deref().unwrap_or("-"))))
        .max()
        .unwrap_or(0)
        .max(10);
    out += &format!(
        "entry  time       phase     {} {} outcome\n",
        pad("system", system),
        pad("what", wide)
    );
    for r in shown {
        let who = match (&r.login, many) {
            (Some(l), true) => format!("   {}", screen.safe(l)),
            _ => String::new(),
        };
        let line = format!(
            "{:<6} {}  {} {} {} {}{who}",
            r.seq,
            r.time.format("%H:%M:%SZ"),
            pad(r.phase.as_deref().unwrap_or("-"), 9),
            pad(&screen.safe(r.system.as_deref().unwrap_or("-")), system),
            pad(&what(r), wide),
            screen.safe(r.outcome.as_deref().unwrap_or_default()),
        );
        out += line.trim_end();
        out.push('\n');
    }
    if hidden > 0 {
        out += &format!("({hidden} more; -v shows all)\n");
    }
    out
}

pub fn sla_rows(all: &[SlaRow]) -> Vec<SlaDoc> {
    let ms = |from: DateTime<Utc>, to: DateTime<Utc>| Some((to - from).num_milliseconds().max(0));
    all.iter()
        .map(|r| SlaDoc {
            login: r.login.clone(),
            run: r.run.clone(),
            due: r.due,
            hr_lag_ms: r.effective.zip(r.clock).and_then(|(e, c)| ms(e, c)),
            found_ms: r.clock.and_then(|c| ms(c, r.found)),
            contained_ms: r.contained.and_then(|t| ms(r.found, t)),
            complete_ms: r.completed.and_then(|t| ms(r.found, t)),
            late: r.due.and_then(|due| r.completed.map(|t| t > due)),
            result: r.result.name().into(),
        })
        .collect()
}

pub const SLA: &[&str] = &[
    "login",
    "run",
    "result",
    "late",
    "due",
    "hr_lag_ms",
    "found_ms",
    "contained_ms",
    "complete_ms",
];

/// How long leavers took.
pub struct Sla<'a> {
    pub all: &'a [SlaRow],
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub promise: std::time::Duration,
    /// Entries whose chain was found to hold.
    pub checked: u64,
}

impl Sla<'_> {
    pub fn human(&self, tenant: &Tenant, flags: &str, screen: &Screen) -> String {
        sla(tenant, self, flags, screen)
    }
}

fn sla(tenant: &Tenant, told: &Sla<'_>, flags: &str, screen: &Screen) -> String {
    let all = told.all;
    let rows = sla_rows(all);
    let late = rows.iter().filter(|r| r.late == Some(true)).count();
    let open = all.iter().filter(|r| r.completed.is_none()).count();
    let mut out = tenant.line(screen) + "\n";
    out += &format!(
        "Leavers {} to {}   {}   deadline {}   {late} late, {open} open\n",
        told.from.date_naive(),
        told.to.date_naive(),
        text::count(all.len(), "person"),
        span(told.promise)
    );
    if all.is_empty() {
        return out;
    }
    out += "               p50      p95      max\n";
    type Of = fn(&SlaDoc) -> Option<i64>;
    let lines: [(&str, Of, &str); 4] = [
        ("HR lag", |r| r.hr_lag_ms, "   HR's own, outside the promise"),
        ("found", |r| r.found_ms, ""),
        ("contained", |r| r.contained_ms, ""),
        ("complete", |r| r.complete_ms, ""),
    ];
    for (what, of, beside) in lines {
        let mut known: Vec<i64> = rows.iter().filter_map(of).collect();
        known.sort_unstable();
        let at = |share: usize| {
            // Nearest rank: a figure that somebody really had.
            let rank = (known.len() * share).div_ceil(100).max(1);
            known.get(rank - 1).map_or("-".into(), |ms| {
                span(std::time::Duration::from_millis(ms.unsigned_abs()))
            })
        };
        let line = format!("{}{:>8} {:>8} {:>8}{beside}", pad(what, 10), at(50), at(95), at(100));
        out += line.trim_end();
        out.push('\n');
    }
    for (r, s) in all.iter().zip(&rows).filter(|(_, s)| s.late == Some(true)) {
        let took = s
            .complete_ms
            .map(|ms| span(std::time::Duration::from_millis(ms.unsigned_abs())));
        let why = r
            .why
            .as_deref()
            .map(|w| format!("   {}", screen.fit(w, 40)))
            .unwrap_or_default();
        out += &format!(
            "late  {}   {}{why}   run {}\n",
            screen.safe(&r.login),
            took.unwrap_or_default(),
            screen.safe(&r.run)
        );
    }
    let (first, last) = all
        .iter()
        .fold((i64::MAX, 0), |(a, b), r| (a.min(r.entries.0), b.max(r.entries.1)));
    out += &format!(
        "From ledger entries {first}-{last}, checkpoint {} (verified).\n",
        told.checked
    );
    // The slowest explains most.
    let slow = all.iter().zip(&rows).max_by_key(|(_, s)| (s.late, s.complete_ms));
    if let Some((r, _)) = slow {
        out += &format!("Trace one:  jml audit show {}{flags}\n", text::shell(&r.run));
    }
    out
}

/// "N entries, chain and checkpoint hold", then the newest checkpoint to keep outside; or which entry is bad.
pub fn verified(tenant: &Tenant, v: &Verified, screen: &Screen) -> String {
    let mut out = tenant.line(screen) + "\n";
    match &v.bad {
        Some(Bad { seq, why }) => {
            let at = seq.map(|s| format!("entry {s}: ")).unwrap_or_default();
            out += &format!("FAILED: {at}{}\n", screen.safe(why));
        }
        None => {
            out += &format!(
                "{}, chain and checkpoint hold.\n",
                text::count(usize::try_from(v.entries).unwrap_or(usize::MAX), "entry")
            );
        }
    }
    if let (Some(n), None) = (v.mirror, &v.bad) {
        out += &format!("The mirror holds {}, and none differs.\n", text::count(n, "entry"));
    }
    if let Some(c) = &v.checkpoint {
        out += "The newest checkpoint, to keep outside:\n\n";
        // As it was signed, to the byte, whatever the terminal: a note with another dash is another note.
        out += c;
    }
    out
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::{cli::view::samples, model::PersonResult};

    fn tenant() -> Tenant {
        Tenant {
            host: "acme.okta.com".into(),
            org: "00o1acme".into(),
            sandbox: true,
        }
    }

    #[test]
    fn a_run_is_shown_entry_by_entry() {
        let run = samples::complete();
        let shown = show(&tenant(), &run.state(), run.entries(), &Screen::PLAIN);
        assert_data_eq!(
            shown,
            str![[r#"
sandbox 00o1acme
run r-5k2m9q   leaver alice@acme.example   COMPLETE          plan 72f7-9499-efe8
by dana on ops-1 (typed the login)             2026-03-02 09:05:11Z to 09:05:15Z
entry  time       phase     system     what                         outcome
18184  09:05:11Z  -         -          leaver                       typed the login
18185  09:05:11Z  -         -          plan 72f7-9499-efe8          8 steps
18186  09:05:11Z  contain   okta       suspend 00u1alice            started
18187  09:05:11Z  contain   okta       suspend 00u1alice            done 200
18188  09:05:11Z  contain   okta       clear-sessions 00u1alice     started
18189  09:05:11Z  contain   okta       clear-sessions 00u1alice     done 200
18190  09:05:11Z  contain   okta       revoke-grants 00u1alice      started
18191  09:05:11Z  contain   okta       revoke-grants 00u1alice      done 200
18192  09:05:11Z  contain   slack      clear-sessions U02ALICE      started
18193  09:05:11Z  contain   slack      clear-sessions U02ALICE      done 200
18194  09:05:11Z  remove    okta       remove-member ROLE-ENG       started
18195  09:05:12Z  remove    okta       remove-member ROLE-ENG       done 200
18196  09:05:12Z  remove    okta       remove-member ENG-ONCALL     started
18197  09:05:12Z  remove    okta       remove-member ENG-ONCALL     done 200
18198  09:05:12Z  remove    slack      deactivate U02ALICE          started
18199  09:05:12Z  remove    slack      deactivate U02ALICE          done 200
18200  09:05:12Z  close     okta       deactivate 00u1alice         started
18201  09:05:12Z  close     okta       deactivate 00u1alice         done 200
18202  09:05:15Z  contain   okta       suspend 00u1alice            verified
18203  09:05:15Z  remove    okta       remove-member ROLE-ENG       verified
18204  09:05:15Z  remove    okta       remove-member ENG-ONCALL     verified
18205  09:05:15Z  remove    slack      deactivate U02ALICE          verified
18206  09:05:15Z  close     okta       deactivate 00u1alice         verified
18207  09:05:15Z  verify    -          Jira                         unassigned
18208  09:05:15Z  record    servicenow create-record change request owed
18209  09:05:15Z  record    servicenow change request CHG0031337    delivered
18210  09:05:15Z  -         -          checkpoint
18211  09:05:15Z  -         -          closed                       complete

"#]]
        );
    }

    #[test]
    fn an_erased_body_is_named_as_such() {
        let mut entries = samples::complete().entries().to_vec();
        entries[3].body = None;
        let rows = rows(&entries);
        assert_eq!(rows[3].outcome.as_deref(), Some("erased"));
        assert_eq!(rows[4].system.as_deref(), Some("okta"));
    }

    #[test]
    fn the_promise_is_told_in_figures_that_somebody_had() {
        let t = samples::t;
        let row = |n: i64, completed: &str| SlaRow {
            run: format!("r-{n}"),
            subject: String::new(),
            login: format!("p{n}@acme.example"),
            effective: Some(t("2026-03-02T09:00:00Z")),
            clock: Some(t("2026-03-02T09:02:10Z")),
            due: Some(t("2026-03-02T09:17:10Z")),
            found: t("2026-03-02T09:03:00Z"),
            contained: Some(t("2026-03-02T09:03:01Z")),
            completed: Some(t(completed)),
            result: PersonResult::Complete,
            why: Some("github 403".into()),
            entries: (n, n + 10),
        };
        let all = [row(1, "2026-03-02T09:03:07Z"), row(2, "2026-03-02T09:25:18Z")];
        let told = Sla {
            all: &all,
            from: t("2026-02-01T00:00:00Z"),
            to: t("2026-03-02T10:00:00Z"),
            promise: std::time::Duration::from_secs(900),
            checked: 12,
        };
        let shown = told.human(&tenant(), "", &Screen::PLAIN);
        assert_data_eq!(
            shown,
            str![[r#"
sandbox 00o1acme
Leavers 2026-02-01 to 2026-03-02   2 people   deadline 15m00s   1 late, 0 open
               p50      p95      max
HR lag       2m10s    2m10s    2m10s   HR's own, outside the promise
found         50 s     50 s     50 s
contained    1.0 s    1.0 s    1.0 s
complete     7.0 s   22m18s   22m18s
late  p2@acme.example   22m18s   github 403   run r-2
From ledger entries 1-12, checkpoint 12 (verified).
Trace one:  jml audit show r-2

"#]]
        );
    }
}
