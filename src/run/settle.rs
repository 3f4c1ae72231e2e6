//! Verify, resume and in-doubt are one question: look again, does the postcondition hold, write down what is now known.

use crate::{
    ledger::{
        entry::Body,
        fold::{ExpectRecord, PersonState, Progress},
    },
    model::{Account, Catalogue, Expect, Failure, Holding, Observed, Outcome, Seen, StepNo, System, Verdict},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a fresh look says of each step of those systems. A verified step is not asked again.
pub fn settle(
    person: &PersonState,
    systems: &BTreeMap<System, Seen>,
    tenant: &Catalogue,
    of: Option<&System>,
) -> Vec<(StepNo, Verdict)> {
    person
        .steps
        .iter()
        .enumerate()
        .filter(|(_, r)| of.is_none_or(|s| r.step.effect.system == *s) && r.verified.is_none())
        .filter(|(_, r)| !matches!(r.progress, Progress::Waiting | Progress::Superseded))
        .map(|(i, r)| (i, r.step.effect.holds(systems, tenant)))
        .collect()
}

/// Which parts of the account must be read to judge the person's steps in that system.
pub fn parts(person: &PersonState, system: &System) -> BTreeSet<Holding> {
    // Grants are asked for only where the manifest found a client: else they are revoked blind, and stay "done".
    let found = |kind| {
        let account = person.manifest.accounts.get(system);
        account.is_some_and(|a| a.held(kind).next().is_some())
    };
    let granted = found(Holding::Client) || found(Holding::Grant);
    let mut parts: BTreeSet<Holding> = person
        .steps
        .iter()
        .filter(|r| r.step.effect.system == *system && !r.superseded())
        .filter_map(|r| r.step.effect.action.part())
        .filter(|part| *part != Holding::Grant || granted)
        .collect();
    if *system == crate::model::system::OKTA {
        // What ends with a membership needs no reading of its own; what should begin does, and what rules do with groups.
        let asked = |e: &&ExpectRecord| e.expect.assigned || e.expect.app.kind == Holding::Group;
        parts.extend(person.expects.iter().filter(asked).map(|e| e.expect.app.kind));
    }
    parts
}

/// What became of the apps (and of groups that rules fill from others) that should have been lost or gained by the steps, judged by the
/// directory's fresh account.
pub fn expectations(person: &PersonState, directory: Option<&Seen>) -> Vec<(usize, Outcome)> {
    let account = directory.and_then(|s| s.account.present());
    person
        .expects
        .iter()
        .enumerate()
        .filter(|(_, r)| r.outcome.as_ref().is_none_or(|o| !o.settled()))
        .filter_map(|(i, r)| Some((i, expectation(person, &r.expect, account)?)))
        .collect()
}

fn expectation(person: &PersonState, e: &Expect, account: Option<&Account>) -> Option<Outcome> {
    let brought = || {
        e.by.iter()
            .all(|s| person.steps.get(*s).is_some_and(|r| r.verified.is_some()))
    };
    // An app that was lost in Okta may live on by itself: that was not read. A membership was.
    let lost = match e.app.kind {
        Holding::App => Outcome::Unassigned,
        _ => Outcome::Verified,
    };
    let there = match account.and_then(|a| a.holds.get(&e.app.kind)) {
        Some(Observed::Present(set)) => set.iter().any(|h| h.id == e.app.id),
        Some(Observed::Absent) => false,
        // Not asked: an assignment by group ends with the membership, and that was read.
        Some(Observed::Unknown(_)) | None if !e.assigned && brought() => return Some(lost),
        Some(Observed::Unknown(_)) | None => return None,
    };
    Some(match (there, e.assigned) {
        (true, true) => Outcome::Verified,
        (false, false) => lost,
        (true, false) if e.app.kind == Holding::App => owed(e, "still assigned in Okta"),
        (false, true) if e.app.kind == Holding::App => owed(e, "not assigned in Okta yet"),
        (true, false) => owed(e, "still a member in Okta"),
        (false, true) => owed(e, "not a member in Okta yet"),
    })
}

fn owed(e: &Expect, why: &str) -> Outcome {
    Outcome::Owed {
        failure: Failure::contradiction(e.app.name.clone(), why),
        until: None,
    }
}

/// Entries for what a look found after a crash: a step that was open and holds is verified; one whose effect was accepted and isn't
/// there is refuted. What lacks is left to the new plan.
pub fn entries(person: &PersonState, verdicts: &[(StepNo, Verdict)]) -> Vec<Body> {
    verdicts
        .iter()
        .filter_map(|(step, verdict)| match (verdict, &person.steps[*step].progress) {
            (Verdict::Holds, _) => Some(Body::Verified {
                subject: person.subject.clone(),
                step: *step,
            }),
            (
                Verdict::Lacks,
                Progress::Ended {
                    outcome: Outcome::Done | Outcome::Already | Outcome::InDoubt { .. },
                    ..
                },
            ) => Some(Body::Refuted {
                subject: person.subject.clone(),
                step: *step,
                failure: not_there(person, *step),
            }),
            (Verdict::Lacks | Verdict::Unknown(_) | Verdict::Unobservable, _) => None,
        })
        .collect()
}

pub fn not_there(person: &PersonState, step: StepNo) -> Failure {
    let s = &person.steps[step].step;
    Failure::contradiction(
        format!("{} {}", s.effect.action.name(), s.target()),
        format!("{} accepted it, and a fresh read does not show it", s.effect.system),
    )
}
