//! The form of every document, made of the types that write it.

use schemars::JsonSchema;

use super::*;

/// As it is written: what may be left out is not required.
fn of<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Of every document, by kind; each is a JSON Schema of its own.
pub fn schemas() -> serde_json::Value {
    macro_rules! all {
        ($($kind:literal: $t:ty),* $(,)?) => {
            [$(($kind, of::<$t>())),*]
        };
    }
    let run = [
        "joiner",
        "mover",
        "leaver",
        "sweep",
        "resume",
        "restore",
        "run-apply",
        "run-show",
        "groups-apply",
        "summary",
    ];
    let run = run.map(|kind| (kind, of::<Document<Run>>()));
    let others = all! {
        "error": Document<Error>,
        "version": Version,
        "step": StepLine,
        "person": PersonLine,
        "audit-log": Document<Entries<Entry>>,
        "audit-show": Document<Entries<Entry>>,
        "audit-verify": Document<Verified>,
        "audit-sla": Document<Rows<Sla>>,
        "run-list": Document<Rows<RunRow>>,
        "groups-list": Document<Rows<GroupRow>>,
        "groups-who": Document<Rows<MemberRow>>,
        "groups-rules": Document<Rows<RuleRow>>,
        "groups-plan": Document<Changes>,
        "groups-diff": Document<Changes>,
        "groups-export": Document<Snapshot>,
        "show": Document<Show>,
        "doctor": Document<Doctor>,
        "doctor-monitor": Document<Monitor>,
        "policy-diff": Document<PolicyDiff>,
        "policy-explain": Document<Explained>,
        "config-init": Document<Written>,
        "config-check": Document<Written>,
        "audit-drift": Document<Rows<Drift>>,
        "audit-orphans": Document<Rows<Drift>>,
        "audit-seats": Document<Rows<Drift>>,
        "audit-posture": Document<Rows<Sighting>>,
        "link": Document<Noted>,
        "grant": Document<Noted>,
        "run-approve": Document<Noted>,
        "pause": Document<Pausing>,
        "unpause": Document<Pausing>,
        "run-lift": Document<Noted>,
        "run-tick": Document<Noted>,
        "sandbox-reset": Document<Written>,
        "sandbox-journal": Document<Rows<serde_json::Value>>,
        "sandbox-people": Document<Rows<CastRow>>,
    };
    run.into_iter()
        .chain(others)
        .map(|(k, v)| (k.to_owned(), v))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
