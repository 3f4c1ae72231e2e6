//! Hand-made plans and runs for the tests of the views.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ledger::{
        entry::{Body, Entry, Envelope, Opened},
        fold::{State, replay},
    },
    model::{
        Account, Action, Effect, Expect, Failure, Flow, Held, Holding, Manifest, Mark, Note, OnFailure, Outcome,
        PersonId, PersonResult, Phase, Plan, Receipt, Record, Severity, Step, StepNo, System, What, system::OKTA,
    },
};

pub fn t(s: &str) -> DateTime<Utc> {
    s.parse().unwrap()
}

/// Alice's plan was made then.
pub fn now() -> DateTime<Utc> {
    t("2026-03-02T09:04:45Z")
}

fn held(kind: Holding, name: &str) -> Held {
    Held::new(kind, format!("id-{name}"), name)
}

pub fn step(phase: Phase, system: &str, action: Action, why: &str, after: &[StepNo]) -> Step {
    Step {
        phase,
        effect: Effect {
            system: System::named(system.to_owned()),
            account: if system == "okta" {
                "00u1alice".into()
            } else {
                "U02ALICE".into()
            },
            action,
        },
        after: after.to_vec(),
        on_failure: OnFailure::Owe,
        why: why.into(),
        waits: None,
    }
}

pub fn group(name: &str) -> Held {
    held(Holding::Group, name)
}

pub fn plan(flow: Flow, login: &str, name: &str, steps: Vec<Step>) -> Plan {
    Plan {
        held: None,
        tenant: "00o1acme".into(),
        flow,
        person: Some(PersonId("00u1alice".into())),
        login: login.into(),
        name: name.into(),
        steps,
        expects: vec![],
        notes: vec![],
        effective: Some(t("2026-03-02T09:00:00Z")),
        clock: Some(t("2026-03-02T09:03:52Z")),
        due: Some(t("2026-03-02T09:18:52Z")),
        reason: "HR: left 2026-03-02 09:00:00Z, by terminationDate (record changed 2026-03-02 09:03:52Z)".into(),
        apps: Default::default(),
    }
}

/// A leaver in Okta and Slack, one group filled by a rule.
pub fn alice() -> Plan {
    let mut p = plan(
        Flow::Leaver,
        "alice@acme.example",
        "Alice Andersson",
        vec![
            step(Phase::Contain, "okta", Action::Suspend, "left", &[]),
            step(Phase::Contain, "okta", Action::ClearSessions, "live sessions", &[0]),
            step(
                Phase::Contain,
                "okta",
                Action::RevokeGrants,
                "apps act on these grants",
                &[0],
            ),
            step(
                Phase::Contain,
                "slack",
                Action::ClearSessions,
                "live sessions outlast Okta's",
                &[],
            ),
            step(
                Phase::Remove,
                "okta",
                Action::RemoveMember {
                    group: group("ROLE-ENG"),
                },
                "loses GitHub, Jira, AWS SSO",
                &[0, 1],
            ),
            step(
                Phase::Remove,
                "okta",
                Action::RemoveMember {
                    group: group("ENG-ONCALL"),
                },
                "every membership goes",
                &[0, 1],
            ),
            step(Phase::Remove, "slack", Action::Deactivate, "the account alice", &[3]),
            step(Phase::Close, "okta", Action::Deactivate, "left", &[4, 5]),
        ],
    );
    p.notes = vec![Note {
        mark: Mark::Attention,
        severity: Severity::Warn,
        system: Some(OKTA),
        text: "Rule \"on-call by title\" may fill ENG-ONCALL. Removing them by hand adds them to the rule's exclusion list; a \
               rehire must be taken off it."
            .into(),
        step: Some(5),
    }];
    p.expects = vec![Expect {
        app: held(Holding::App, "Jira"),
        assigned: false,
        manual: false,
        by: vec![4],
    }];
    p
}

/// A run, entry by entry.
pub struct Run {
    entries: Vec<Entry>,
    time: DateTime<Utc>,
}

impl Run {
    pub fn new(kind: &str) -> Self {
        let mut r = Run {
            entries: vec![],
            time: t("2026-03-02T09:05:11Z"),
        };
        r.put(Body::Opened(Opened {
            kind: kind.into(),
            operator: "dana".into(),
            consent: "typed the login".into(),
            config: "c".into(),
            policy: "p".into(),
            version: "0.1.0".into(),
            reason: None,
            ticket: None,
            role: Some("engineer".into()),
            former: None,
        }));
        r
    }
    pub fn after(&mut self, ms: i64) -> &mut Self {
        self.time += TimeDelta::milliseconds(ms);
        self
    }
    pub fn put(&mut self, body: Body) -> &mut Self {
        let seq = 18184 + self.entries.len() as i64;
        self.entries.push(Entry {
            envelope: Envelope {
                v: 1,
                seq,
                time: self.time,
                run: "r-5k2m9q".into(),
                step: body.step(),
                kind: body.kind().into(),
                operator: "dana".into(),
                host: "ops-1".into(),
                tenant: "00o1acme".into(),
                fence: None,
                body: String::new(),
                spooled: None,
                prev: String::new(),
            },
            hash: format!("{seq:064x}"),
            body: Some(body),
        });
        self
    }
    pub fn plan(&mut self, plan: &Plan) -> &mut Self {
        let account = |id: &str, word: &str| Account {
            id: id.into(),
            login: plan.login.clone(),
            state: crate::model::State::Active,
            word: word.into(),
            holds: BTreeMap::new(),
            blocked: None,
            known_as: Default::default(),
            password_set: None,
        };
        let manifest = Manifest {
            accounts: [
                (OKTA, account("00u1alice", "ACTIVE")),
                (System::of("slack"), account("U02ALICE", "active")),
            ]
            .into(),
            ..Manifest::default()
        };
        let subject = plan.login.clone();
        self.put(Body::Planned {
            subject,
            plan: plan.clone(),
            manifest,
        })
    }
    pub fn step(&mut self, who: &str, step: StepNo, ms: i64, outcome: Outcome) -> &mut Self {
        self.put(Body::Started {
            subject: who.into(),
            step,
        });
        self.after(ms).put(Body::Finished {
            subject: who.into(),
            step,
            outcome,
            receipt: Some(Receipt {
                status: 200,
                ..Receipt::default()
            }),
        })
    }
    pub fn verify(&mut self, who: &str, steps: &[StepNo]) -> &mut Self {
        for step in steps {
            self.put(Body::Verified {
                subject: who.into(),
                step: *step,
            });
        }
        self
    }
    pub fn expect(&mut self, who: &str, expect: usize, outcome: Outcome) -> &mut Self {
        self.put(Body::Expected {
            subject: who.into(),
            expect,
            outcome,
        })
    }
    pub fn owe(&mut self, who: &str) -> &mut Self {
        let record = Record {
            key: "r-5k2m9q/00u1alice".into(),
            run: "r-5k2m9q".into(),
            login: Some(who.into()),
            at: self.time,
            what: What::Change {
                flow: "leaver".into(),
                result: "complete".into(),
                title: "Leaver".into(),
                report: String::new(),
                manifest: Manifest::default(),
                checkpoint: String::new(),
                started: self.time,
                finished: self.time,
            },
        };
        self.put(Body::Owed {
            record,
            system: System::of("servicenow"),
        })
    }
    pub fn delivered(&mut self) -> &mut Self {
        self.put(Body::Delivered {
            key: "r-5k2m9q/00u1alice".into(),
            system: System::of("servicenow"),
            receipt: Receipt {
                status: 201,
                made: Some("CHG0031337".into()),
                ..Receipt::default()
            },
        })
    }
    pub fn undelivered(&mut self) -> &mut Self {
        self.put(Body::Undelivered {
            key: "r-5k2m9q/00u1alice".into(),
            system: System::of("servicenow"),
            failure: Failure::transient("deliver", "Service Unavailable").code("503"),
        })
    }
    pub fn close(&mut self, who: &str, result: PersonResult) -> &mut Self {
        self.put(Body::Closed {
            subject: who.into(),
            result,
        })
    }
    pub fn state(&self) -> State {
        replay(&self.entries).unwrap()
    }
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A run of this one entry.
pub fn with(body: Body) -> Run {
    let mut r = Run::new("leaver");
    r.put(body);
    r
}

/// Everything went well.
pub fn complete() -> Run {
    let who = "alice@acme.example";
    let mut r = Run::new("leaver");
    r.plan(&alice());
    for n in 0..8 {
        r.step(who, n, 200, Outcome::Done);
    }
    r.after(3000)
        .verify(who, &[0, 4, 5, 6, 7])
        .expect(who, 0, Outcome::Unassigned)
        .owe(who)
        .delivered()
        .put(Body::Checkpoint {
            text: "jml/00o1acme\n18204\nroot\n".into(),
        })
        .close(who, PersonResult::Complete);
    r
}

/// Slack refuses; ServiceNow is away.
pub fn partial() -> Run {
    let who = "alice@acme.example";
    let refused = Failure::permanent("deactivate alice in slack", "not_allowed_token_type")
        .code("403")
        .request(Some("9F3C:2A10".into()))
        .run("Grant admin.users:write to jml's Slack app.", "jml doctor slack");
    let mut r = Run::new("leaver");
    r.plan(&alice());
    for n in 0..8 {
        let outcome = match n {
            6 => Outcome::Failed {
                failure: refused.clone(),
            },
            _ => Outcome::Done,
        };
        r.step(who, n, 200, outcome);
    }
    r.after(3000)
        .verify(who, &[0, 4, 5, 7])
        .expect(who, 0, Outcome::Unassigned)
        .owe(who)
        .undelivered()
        .undelivered()
        .undelivered()
        .close(who, PersonResult::Partial);
    r
}

pub fn bob() -> Plan {
    let mut p = plan(
        Flow::Mover,
        "bob@acme.example",
        "Bob Berg",
        vec![
            step(
                Phase::Remove,
                "okta",
                Action::RemoveMember {
                    group: group("ROLE-ENG"),
                },
                "policy no longer gives it",
                &[],
            ),
            step(
                Phase::Remove,
                "slack",
                Action::LeaveChannel {
                    channel: held(Holding::Channel, "eng"),
                },
                "policy no longer gives it",
                &[],
            ),
            step(
                Phase::Remove,
                "slack",
                Action::LeaveChannel {
                    channel: held(Holding::Channel, "oncall"),
                },
                "policy no longer gives it",
                &[],
            ),
            step(
                Phase::Add,
                "okta",
                Action::AddMember {
                    group: group("ROLE-SALES"),
                },
                "department Sales",
                &[0, 1, 2],
            ),
            step(
                Phase::Tell,
                "slack",
                Action::SendMessage {
                    text: "Bob moved".into(),
                },
                "a new manager",
                &[3],
            ),
        ],
    );
    p.due = None;
    p.clock = None;
    p.reason = "department: Engineering -> Sales\nmanager: dana@acme.example -> erin@acme.example".into();
    p.apps.lost = vec!["GitHub".into(), "AWS SSO".into()];
    p.apps.gained = vec!["Salesforce".into()];
    p.apps.lost_then_back = vec!["Jira".into()];
    p.apps.kept = vec!["Slack".into(), "Zoom".into()];
    p
}
