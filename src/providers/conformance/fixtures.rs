//! One fixture a row: what the twin's firm holds, which credentials the settings name, and an effect for each verb that is not so yet.
//!
//! It says nothing of what must come out: that is the same for every row, and stands in `mod`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    model::{Account, Action, Effect, Held, Holding, Manifest, Record, System, Verb, What},
    sandbox::engine::Engine,
};

pub struct Fixture {
    pub kind: &'static str,
    /// What stands in the section beside `url`.
    pub settings: &'static str,
    /// `[roster]`, where it can't be left out.
    pub roster: &'static str,
    /// By the names that the settings use.
    pub secrets: fn(&Engine) -> BTreeMap<&'static str, String>,
    /// The firm.
    pub given: fn() -> Value,
    /// Somebody who has an account, and an id of nobody's.
    pub account: &'static str,
    pub nobody: &'static str,
    pub parts: &'static [Holding],
    /// What is not so yet for that account, of that verb.
    pub effect: fn(Verb, &Account) -> Action,
    /// Each record that the row takes, and where the twin keeps it.
    pub records: &'static [(&'static str, &'static str)],
    /// Verbs that the vendor makes safe to send again, where the model is more careful.
    pub safe: &'static [Verb],
    /// What another step has to do first, for a read to show this one.
    pub first: fn(Verb) -> Option<Action>,
    /// Files that the settings name.
    pub files: &'static [(&'static str, &'static str)],
}

impl Fixture {
    pub fn act(&self, verb: Verb, account: &Account) -> Effect {
        let made = [Verb::CreatePerson, Verb::CreateGroup, Verb::DeleteGroup].contains(&verb);
        let id = match (verb, self.kind) {
            (Verb::Activate, "okta") => STAGED,
            _ if made => "",
            _ => &account.id,
        };
        Effect {
            system: System::named(self.kind),
            account: id.to_owned(),
            action: (self.effect)(verb, account),
        }
    }

    pub fn record(&self, name: &str) -> Record {
        Record {
            key: "r-1/00u1/record".into(),
            run: "r-1".into(),
            login: Some("amy.lee@acme.example".into()),
            at: "2026-07-15T05:04:00Z".parse().unwrap(),
            what: what(name),
        }
    }
}

pub const FIXTURES: &[Fixture] = &[OKTA, SLACK, SERVICENOW, DATADOG, CSV];

/// Any action of that verb, for those who have no way to do it.
pub fn sample(verb: Verb) -> Action {
    let held = |kind| Held::new(kind, "x1", "X");
    let (group, channel) = (held(Holding::Group), held(Holding::Channel));
    match verb {
        Verb::Suspend => Action::Suspend,
        Verb::Deactivate => Action::Deactivate,
        Verb::ClearSessions => Action::ClearSessions,
        Verb::RevokeGrants => Action::RevokeGrants,
        Verb::RevokeToken => Action::RevokeToken {
            token: held(Holding::Token),
        },
        Verb::RevokeClientTokens => Action::RevokeClientTokens {
            client: held(Holding::Client),
        },
        Verb::RemoveMember => Action::RemoveMember { group },
        Verb::AddMember => Action::AddMember { group },
        Verb::UnassignApp => Action::UnassignApp {
            app: held(Holding::App),
        },
        Verb::Activate => Action::Activate,
        Verb::CreatePerson => Action::CreatePerson {
            profile: [
                ("login", "new.one"),
                ("email", "new.one"),
                ("firstName", "New"),
                ("lastName", "One"),
            ]
            .map(|(k, v)| (k.to_owned(), v.replace("new.one", "new.one@acme.example")))
            .into(),
        },
        Verb::JoinChannel => Action::JoinChannel { channel },
        Verb::LeaveChannel => Action::LeaveChannel { channel },
        Verb::SendMessage => Action::SendMessage {
            text: "Amy has left.".into(),
        },
        Verb::CreateGroup => Action::CreateGroup {
            name: "ROLE-NEW".into(),
            description: "made by a rule".into(),
        },
        Verb::DeleteGroup => Action::DeleteGroup { group },
    }
}

fn what(name: &str) -> What {
    let at = "2026-07-15T05:00:00Z".parse().unwrap();
    match name {
        "create-record" => What::Change {
            flow: "leaver".into(),
            result: "partial".into(),
            title: "Leaver: amy.lee@acme.example".into(),
            report: "okta verified".into(),
            manifest: Manifest::default(),
            checkpoint: "jml.acme\n48213\nn5w=".into(),
            started: at,
            finished: at,
        },
        "create-incident" => What::Incident {
            title: "A leaver is overdue".into(),
            text: "slack: failed".into(),
        },
        "send-event" => What::Event {
            title: "jml leaver completed".into(),
            text: "done".into(),
            tags: vec!["flow:leaver".into()],
            alert: false,
        },
        "send-metric" => What::Metric {
            name: "jml.offboarding.seconds".into(),
            value: 42.0,
            tags: vec!["flow:leaver".into()],
        },
        other => panic!("no record is called {other}"),
    }
}

fn none(_: Verb, _: &Account) -> Action {
    panic!("a row without verbs has no effects")
}

fn held(account: &Account, kind: Holding) -> Held {
    account
        .held(kind)
        .find(|h| h.name != "Everyone")
        .unwrap_or_else(|| panic!("the fixture's account holds no {kind:?}"))
        .clone()
}

fn keys<const N: usize>(engine: &Engine, names: [(&'static str, &str); N]) -> BTreeMap<&'static str, String> {
    names.map(|(name, of)| (name, engine.credential(of).unwrap())).into()
}

const STAGED: &str = "00u00000000000000104";

const OKTA: Fixture = Fixture {
    kind: "okta",
    settings: "org = \"00o0000000000000ACME\"\nread = \"env:READ\"\nwrite = \"env:WRITE\"",
    roster: "",
    secrets: |e| keys(e, [("READ", "okta.read"), ("WRITE", "okta.write")]),
    given: || {
        let vic = "00u00000000000000102";
        json!({
            "now": "2026-07-15T05:05:00Z",
            "population": {"people": 5},
            "okta": {
                "users": [
                    {"id": vic, "profile": {"login": "vic.oz@acme.example"}, "groups": ["ROLE-ENG"], "grants": 1},
                    {"id": STAGED, "status": "STAGED", "profile": {"login": "new.hire@acme.example"}}
                ],
                "groups": [
                    {"id": "00g000000000000000EN", "name": "ROLE-ENG"},
                    {"id": "00g000000000000000OP", "name": "ROLE-EMPTY"}
                ],
                "apps": [{"id": "0oa000000000000000BI", "label": "BI", "assigned": [{"user": vic, "scope": "USER"}]}],
                "api_tokens": [{"id": "00T00000000000000001", "name": "nightly-export", "user": vic}]
            }
        })
    },
    account: "00u00000000000000102",
    nobody: "00u00000000000009999",
    parts: &[
        Holding::Group,
        Holding::App,
        Holding::Grant,
        Holding::Client,
        Holding::Token,
    ],
    effect: |verb, account| match verb {
        Verb::RevokeToken => Action::RevokeToken {
            token: held(account, Holding::Token),
        },
        Verb::RevokeClientTokens => Action::RevokeClientTokens {
            client: held(account, Holding::Client),
        },
        Verb::RemoveMember => Action::RemoveMember {
            group: held(account, Holding::Group),
        },
        Verb::AddMember => Action::AddMember {
            group: Held::new(Holding::Group, "00g000000000000000OP", "ROLE-EMPTY"),
        },
        Verb::DeleteGroup => Action::DeleteGroup {
            group: Held::new(Holding::Group, "00g000000000000000OP", "ROLE-EMPTY"),
        },
        Verb::UnassignApp => Action::UnassignApp {
            app: held(account, Holding::App),
        },
        other => sample(other),
    },
    records: &[],
    safe: &[],
    // A client is listed for its grants as well as for its tokens.
    first: |verb| (verb == Verb::RevokeClientTokens).then_some(Action::RevokeGrants),
    files: &[],
};

const SLACK: Fixture = Fixture {
    kind: "slack",
    settings: "team = \"T0ACME001\"\nplan = \"enterprise\"\nread = \"env:READ\"\nwrite = \"env:WRITE\"",
    roster: "",
    secrets: |e| {
        let secret = |name| e.credential(name).unwrap();
        let write = json!({"bot_token": secret("slack.write"), "admin_token": secret("slack.admin")});
        BTreeMap::from([
            ("READ", json!({ "bot_token": secret("slack.read") }).to_string()),
            ("WRITE", write.to_string()),
        ])
    },
    given: || {
        json!({
            "now": "2026-07-15T05:05:00Z",
            "population": {"people": 5},
            "apps": {"slack": {
                "team": "T0ACME001", "plan": "enterprise",
                "users": [{"generated": 5}, {"id": "U0VICOZ001", "email": "vic.oz@acme.example"}],
                "channels": [
                    {"id": "C0ENG00001", "name": "eng", "members": ["U0VICOZ001"]},
                    {"id": "C0OPS00001", "name": "ops", "members": []}
                ]
            }}
        })
    },
    account: "U0VICOZ001",
    nobody: "U0NOBODY01",
    parts: &[Holding::Channel],
    effect: |verb, _| match verb {
        Verb::JoinChannel => Action::JoinChannel {
            channel: Held::new(Holding::Channel, "C0OPS00001", "#ops"),
        },
        Verb::LeaveChannel => Action::LeaveChannel {
            channel: Held::new(Holding::Channel, "C0ENG00001", "#eng"),
        },
        other => sample(other),
    },
    records: &[],
    // A value that is set: SCIM's PATCH.
    safe: &[Verb::Deactivate],
    first: |_| None,
    files: &[],
};

fn apps(name: &str) -> Value {
    json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 5}, "apps": {name: {}}})
}

const SERVICENOW: Fixture = Fixture {
    kind: "servicenow",
    settings: "write = \"env:WRITE\"",
    roster: "",
    secrets: |e| keys(e, [("WRITE", "servicenow.write")]),
    given: || apps("servicenow"),
    account: "",
    nobody: "",
    parts: &[],
    effect: none,
    records: &[
        ("create-record", "/servicenow/change_request"),
        ("create-incident", "/servicenow/incident"),
    ],
    safe: &[],
    first: |_| None,
    files: &[],
};

const DATADOG: Fixture = Fixture {
    kind: "datadog",
    settings: "write = \"env:WRITE\"",
    roster: "",
    secrets: |e| keys(e, [("WRITE", "datadog.write")]),
    given: || apps("datadog"),
    account: "",
    nobody: "",
    parts: &[],
    effect: none,
    records: &[("send-event", "/datadog/events"), ("send-metric", "/datadog/metrics")],
    safe: &[],
    first: |_| None,
    files: &[],
};

const CSV: Fixture = Fixture {
    kind: "csv",
    settings: "path = \"people.csv\"",
    roster: "[roster]\nsource = \"csv\"\ndate_format = \"%Y-%m-%d\"\n[roster.columns]\nid = \"ID\"\nlogin = \"Login\"\nstatus = \"Status\"\ntermination_date = \"Last day\"\n[roster.values.status]\nA = \"active\"\nT = \"terminated\"",
    secrets: |_| BTreeMap::new(),
    given: || json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 5}}),
    account: "",
    nobody: "",
    parts: &[],
    effect: none,
    records: &[],
    safe: &[],
    first: |_| None,
    files: &[(
        "people.csv",
        "ID,Login,Status,Last day\n1,amy.lee@acme.example,T,2026-07-14\n2,vic.oz@acme.example,A,\n",
    )],
};
