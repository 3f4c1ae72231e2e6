//! Parental or long leave: can't sign in, keeps everything. Nothing is taken, so that coming back gives nothing back.

use chrono::{DateTime, Utc};

use super::{
    draft::{DIRECTORY, Draft, Place},
    employment::works_here,
    grounds::unprotected,
    refusal::Refusal,
    unseen::lasts,
};
use crate::model::{Action, Employment, Flow, Observation, OnFailure, Phase, Plan, Policy, Status, StepNo, Verb};

pub fn leave(seen: &Observation, policy: &Policy, now: DateTime<Utc>) -> Result<Plan, Refusal> {
    unprotected(&seen.person, &seen.tenant)?;
    let worker = works_here(&seen.person, policy, now)?;
    let person = &seen.person;
    let word = match worker.employment {
        Employment::OnLeave => Some("on leave"),
        Employment::GardenLeave => Some("on garden leave"),
        Employment::Active | Employment::Terminated | Employment::Cancelled => None,
    };
    let Some(word) = word else {
        return Err(Refusal::Employed {
            login: person.login.clone(),
            since: None,
        });
    };
    let mut draft = Draft::default();
    let place = Place {
        phase: Phase::Contain,
        system: &DIRECTORY,
        account: &person.id.0,
        on_failure: OnFailure::Continue,
    };
    let suspended = person.status == Status::Suspended;
    let first: Vec<StepNo> = if person.offers.contains("suspend") && !suspended {
        vec![draft.put(place, Action::Suspend, &[], format!("{word}, and policy suspends"))]
    } else {
        Vec::new()
    };
    if first.is_empty() && !suspended && person.status.live() {
        draft.warn(
            None,
            None,
            format!("Okta does not suspend a person who is {}.", person.status),
        );
    } else if person.status.live() && lasts(seen, &DIRECTORY, Verb::ClearSessions) {
        draft.put(
            place,
            Action::ClearSessions,
            &first,
            "live sessions outlast a suspension",
        );
    }
    Ok(draft.plan(seen, Flow::Leave, format!("HR: {word}")))
}
