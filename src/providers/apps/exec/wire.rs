//! What the two programs answer. An unknown key is a fault: a word that is passed over is a promise broken.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    http::sentence,
    model::{Account, Failure, Held, Holding, Kind, Observed, State, Verb, Verbs},
};

/// Exactly one of its keys, beside `v`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    v: u32,
    pub account: Option<Shown>,
    #[serde(default)]
    pub absent: bool,
    pub accounts: Option<Vec<Shown>>,
    pub next: Option<String>,
    pub tenant: Option<String>,
    pub offers: Option<Vec<Thing>>,
    pub done: Option<Done>,
    error: Option<Wrong>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    id: String,
    login: String,
    state: State,
    #[serde(default)]
    word: String,
    #[serde(default)]
    holds: BTreeMap<Holding, Vec<Thing>>,
    blocked: Option<String>,
    #[serde(default)]
    known_as: BTreeSet<String>,
    password_set: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    id: String,
    name: String,
    via: Option<String>,
    stays: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    #[serde(default)]
    pub already: bool,
    /// Its own number of the request, for whoever looks into its log.
    pub request: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    kind: Fault,
    code: Option<String>,
    message: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    Transient,
    Permanent,
    Auth,
    Throttled,
    Doubt,
    Contradiction,
}

impl Thing {
    pub fn held(self, kind: Holding) -> Held {
        let held = Held {
            via: self.via.map(|v| sentence(&v)),
            ..Held::new(kind, sentence(&self.id), sentence(&self.name))
        };
        match self.stays {
            Some(why) => held.with("stays", sentence(&why)),
            None => held,
        }
    }
}

impl Shown {
    /// With those parts that were asked for. One that hands would act on and that the program says nothing of was not read.
    pub fn account(self, parts: &BTreeSet<Holding>, can: &Verbs, what: &str) -> Account {
        let mut said = self.holds;
        let holds = parts.iter().filter_map(|kind| {
            let part = match said.remove(kind) {
                Some(all) => Observed::Present(all.into_iter().map(|t| t.held(*kind)).collect()),
                None if needed(*kind, can) => {
                    Observed::Unknown(Failure::contradiction(what, "the program says nothing of this part"))
                }
                None => return None,
            };
            Some((*kind, part))
        });
        Account {
            holds: holds.collect(),
            blocked: self.blocked.map(|b| sentence(&b)),
            known_as: self.known_as.iter().map(|k| sentence(k)).collect(),
            password_set: self.password_set.map(|p| sentence(&p)),
            ..Account::new(
                sentence(&self.id),
                sentence(&self.login),
                self.state,
                sentence(&self.word),
            )
        }
    }
    pub fn is(&self, id: &str) -> bool {
        self.id == id
    }
}

fn needed(part: Holding, can: &Verbs) -> bool {
    let verbs: &[Verb] = match part {
        Holding::Group => &[Verb::RemoveMember, Verb::AddMember],
        Holding::Token => &[Verb::RevokeToken],
        Holding::Role => &[Verb::RevokeRole],
        Holding::Seat => &[Verb::ReleaseSeat],
        _ => &[],
    };
    verbs.iter().any(|v| can.contains(v))
}

/// The program's own "no", as a failure.
pub fn refusal(answer: Answer, what: &str) -> Result<Answer, Failure> {
    if answer.v != 1 {
        return Err(Failure::contradiction(
            what,
            format!(
                "the program speaks version {} of the protocol, and this release 1",
                answer.v
            ),
        ));
    }
    let Some(wrong) = answer.error else {
        return Ok(answer);
    };
    let kind = match wrong.kind {
        Fault::Transient => Kind::Transient,
        Fault::Permanent => Kind::Permanent,
        Fault::Auth => Kind::Auth,
        Fault::Throttled => Kind::Throttled,
        Fault::Doubt => Kind::Doubt,
        Fault::Contradiction => Kind::Contradiction,
    };
    let failure = Failure {
        code: wrong.code.map(|c| sentence(&c)),
        ..Failure::new(kind, what, sentence(&wrong.message))
    };
    Err(match kind {
        Kind::Auth => failure.hint("check the credential that the configuration hands to this program"),
        _ => failure,
    })
}

/// An answer without the key that was asked for.
pub fn lacks(what: &str, key: &str) -> Failure {
    Failure::contradiction(what, format!("the program's answer has no {key}"))
}
