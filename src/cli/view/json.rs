//! A run's document: from plans (a dry run), or from the ledger's fold. The same facts as the report, in the words of docs/OUTPUT.md.

use chrono::{DateTime, Utc};

use super::report::{Flags, next};
use crate::{
    cli::document::{JML, Note, Open, Person, PersonLine, PolicyChanged, Step, Totals},
    ledger::{
        entry::Former,
        fold::{PersonState, Progress, State},
    },
    model::{Account, Expect, Failure, Manifest, Mark, Outcome, PersonResult, Plan, Step as PlanStep, system::OKTA},
};

/// Whether this run was the first under its policy.
pub fn change(state: &State) -> Option<PolicyChanged> {
    let (_, opened) = state.opened.as_ref()?;
    opened.former.as_ref().map(|f| changed(f, &opened.policy))
}

pub fn changed(former: &Former, policy: &str) -> PolicyChanged {
    PolicyChanged {
        since: former.run.clone(),
        from: former.policy.clone(),
        to: policy.to_owned(),
    }
}

/// A plan that is not applied: a dry run's, a held one's, or of somebody with nothing to do.
pub fn planned(plan: &Plan, result: PersonResult, accounts: Option<&Manifest>, next: Vec<String>) -> Person {
    let steps = plan.steps.iter().map(|s| {
        let failure = s.waits.as_ref().map(|w| &w.failure);
        step(s, "planned", failure, accounts)
    });
    let expects = plan.expects.iter().map(|e| expect(e, "planned", None));
    Person {
        login: plan.login.clone(),
        id: plan.person.as_ref().map(|p| p.0.clone()),
        flow: plan.flow.to_string(),
        result: result.name().into(),
        plan: (!plan.is_empty()).then(|| plan.id().0),
        effective: plan.effective,
        due: plan.due,
        contained: None,
        completed: None,
        open: vec![],
        steps: steps.chain(expects).collect(),
        notes: notes(plan),
        next,
    }
}

/// Somebody of whom nothing is known but the login.
pub fn unplanned(login: &str) -> Person {
    Person {
        login: login.to_owned(),
        id: None,
        flow: String::new(),
        result: PersonResult::Nothing.name().into(),
        plan: None,
        effective: None,
        due: None,
        contained: None,
        completed: None,
        open: vec![],
        steps: vec![],
        notes: vec![],
        next: vec![],
    }
}

pub fn person(state: &State, p: &PersonState, flags: Flags<'_>) -> Person {
    if p.held.is_some() && p.steps.is_empty() {
        let apply = format!("jml run apply {} --yes{flags}", p.plan.id().short());
        return planned(&p.plan, PersonResult::Held, Some(&p.manifest), vec![apply]);
    }
    let steps = p.steps.iter().filter(|s| !s.superseded()).map(|s| {
        let (outcome, failure) = match &s.progress {
            Progress::Ended { outcome, .. } => (outcome.name(), outcome.failure()),
            Progress::Open { .. } => ("in-doubt", None),
            Progress::Waiting | Progress::Superseded => ("not-tried", None),
        };
        step(&s.step, outcome, failure, Some(&p.manifest))
    });
    let expects = p.expects.iter().map(|e| {
        let outcome = e.outcome.as_ref();
        expect(
            &e.expect,
            outcome.map_or("not-tried", Outcome::name),
            outcome.and_then(Outcome::failure),
        )
    });
    Person {
        login: p.login.clone(),
        id: p.plan.person.as_ref().map(|p| p.0.clone()),
        flow: p.flow.to_string(),
        result: p.result().name().into(),
        plan: (!p.plan.is_empty()).then(|| p.plan.id().0),
        effective: p.plan.effective,
        due: p.plan.due,
        contained: p.contained,
        completed: p.completed,
        open: p
            .still_open()
            .into_iter()
            .map(|o| Open {
                system: o.system.as_str().into(),
                account: o.login.unwrap_or(o.account),
            })
            .collect(),
        steps: steps.chain(expects).collect(),
        notes: notes(&p.plan),
        next: next(state, p, flags).into_iter().filter_map(|n| n.command).collect(),
    }
}

fn step(s: &PlanStep, outcome: &str, failure: Option<&Failure>, accounts: Option<&Manifest>) -> Step {
    let login = || {
        let known: Option<&Account> = accounts.and_then(|m| m.accounts.get(&s.effect.system));
        known.filter(|a| a.id == s.effect.account).map(|a| a.login.as_str())
    };
    let target = match s.effect.action.object() {
        Some(object) => object,
        None => login().unwrap_or(&s.effect.account),
    };
    Step {
        phase: s.phase.to_string(),
        system: s.effect.system.as_str().into(),
        action: s.effect.action.name().into(),
        target: target.into(),
        why: s.why.clone(),
        outcome: outcome.into(),
        code: failure.and_then(|f| f.code.clone()),
        request: failure.and_then(|f| f.request.clone()),
        hint: failure.map(hint),
    }
}

/// What a person can do; where nobody said, the vendor's own sentence.
fn hint(f: &Failure) -> String {
    f.hint.as_ref().map_or_else(|| f.summary.clone(), |h| h.text.clone())
}

fn expect(e: &Expect, outcome: &str, failure: Option<&Failure>) -> Step {
    Step {
        phase: "verify".into(),
        system: OKTA.as_str().into(),
        action: if e.assigned { "assign-app" } else { "unassign-app" }.into(),
        target: e.app.name.clone(),
        why: if e.assigned {
            "a group that is added gives it"
        } else {
            "a group or assignment that goes gave it"
        }
        .into(),
        outcome: outcome.into(),
        code: failure.and_then(|f| f.code.clone()),
        request: failure.and_then(|f| f.request.clone()),
        hint: match failure {
            Some(f) => Some(hint(f)),
            None => e
                .manual
                .then(|| "Okta will not take the account away there: a person has to".into()),
        },
    }
}

fn notes(plan: &Plan) -> Vec<Note> {
    plan.notes
        .iter()
        .map(|n| Note {
            mark: match n.mark {
                Mark::Attention => "attention",
                Mark::Unknown => "unknown",
                Mark::Keep => "keep",
            }
            .into(),
            system: n.system.as_ref().map(|s| s.as_str().into()),
            text: n.text.clone(),
        })
        .collect()
}

/// By the people of the document; who was set aside, or leaves later, the sweep adds.
pub fn totals(people: &[Person], now: DateTime<Utc>) -> Totals {
    let mut t = Totals::default();
    for p in people {
        match p.result.as_str() {
            "planned" => t.planned += 1,
            "complete" => t.complete += 1,
            "partial" => t.partial += 1,
            "held" => t.held += 1,
            "refused" => t.refused += 1,
            _ => t.nothing += 1,
        }
        if p.steps.iter().any(|s| s.outcome == "owed") {
            t.owed += 1;
        }
        let late = |due: DateTime<Utc>| p.completed.unwrap_or(now) > due;
        if p.flow == "leaver" && matches!(p.result.as_str(), "complete" | "partial") && p.due.is_some_and(late) {
            t.late += 1;
        }
    }
    t
}

pub fn person_line(person: Person) -> PersonLine {
    PersonLine {
        jml: JML,
        kind: "person",
        person,
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::cli::{
        document::{self, Document, Run},
        exit::Exit,
        view::samples,
    };

    fn run(people: Vec<Person>, sweep: Option<document::Sweep>, dry_run: bool) -> Document<Run> {
        Document {
            jml: JML,
            kind: if sweep.is_some() { "sweep" } else { "leaver" }.into(),
            tenant: Some("00o1acme".into()),
            sandbox: true,
            exit: Exit::Done.code(),
            body: Run {
                role: None,
                policy_changed: None,
                paused: None,
                run: (!dry_run).then(|| "r-5k2m9q".into()),
                dry_run,
                started: samples::now(),
                finished: samples::now(),
                sweep,
                totals: totals(&people, samples::now()),
                people: Some(people),
            },
        }
    }

    fn fits(kind: &str, doc: &impl Serialize) -> serde_json::Value {
        let schema = document::schemas()[kind].clone();
        let doc = serde_json::to_value(doc).unwrap();
        let v = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> = v.iter_errors(&doc).map(|e| e.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{doc:#}");
        doc
    }

    #[test]
    fn a_run_fits_its_schema_and_tells_each_step() {
        let state = samples::partial().state();
        let p = person(&state, state.people.values().next().unwrap(), " --sandbox");
        let doc = fits("leaver", &run(vec![p], None, false));
        assert_eq!(doc["people"][0]["result"], "partial");
        assert_eq!(doc["people"][0]["open"][0]["system"], "slack");
        assert_eq!(
            doc["people"][0]["next"],
            serde_json::json!(["jml doctor slack", "jml run resume r-5k2m9q --sandbox"])
        );
        let steps = doc["people"][0]["steps"].as_array().unwrap();
        assert_eq!(steps[0]["outcome"], "verified");
        assert_eq!(steps[6]["code"], "403");
        assert_eq!(
            (&steps[8]["target"], &steps[8]["outcome"]),
            (&"Jira".into(), &"unassigned".into())
        );
        assert!(doc.get("brake").is_none());
    }

    #[test]
    fn a_dry_run_has_the_same_steps_and_no_run() {
        let plan = samples::alice();
        let p = planned(&plan, PersonResult::Planned, None, vec![]);
        let doc = fits("leaver", &run(vec![p], None, true));
        assert!(doc["run"].is_null());
        let dry: Vec<_> = doc["people"][0]["steps"].as_array().unwrap().clone();
        assert!(dry.iter().all(|s| s["outcome"] == "planned"));
        let state = samples::complete().state();
        let wet = person(&state, state.people.values().next().unwrap(), "");
        let same = |a: &serde_json::Value, b: &Step| a["action"] == b.action && a["phase"] == b.phase;
        assert!(dry.len() == wet.steps.len() && dry.iter().zip(&wet.steps).all(|(a, b)| same(a, b)));
        assert_eq!(doc["people"][0]["plan"].as_str().unwrap().len(), 64);
    }

    #[test]
    fn a_sweep_says_that_no_brake_tripped() {
        let sweep = document::Sweep {
            orphans: vec![],
            read: document::Read::default(),
            brake: None,
            set_aside: vec![],
            future: vec![document::Future {
                login: "vera@acme.example".into(),
                effective: samples::now(),
            }],
        };
        let doc = fits("sweep", &run(vec![], Some(sweep), false));
        assert!(doc["brake"].is_null() && doc.get("brake").is_some());
        assert_eq!(doc["totals"]["set_aside"], 0);
    }

    #[test]
    fn a_late_leaver_is_counted() {
        let state = samples::complete().state();
        let mut p = person(&state, state.people.values().next().unwrap(), "");
        assert_eq!(totals(&[p.clone()], samples::now()).late, 0);
        p.due = Some(samples::now());
        assert_eq!(totals(&[p], samples::now()).late, 1);
    }
}
