//! An effect is one mutating call with a pure postcondition.
//!
//! `holds` is verification, resume, drift, "already so" and "the replan is empty", all at once. What needs two calls is two effects;
//! otherwise in-doubt, fault names, crash points and receipts mean nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Account, Catalogue, Failure, Held, Holding, Kind, Observation, Observed, Seen, State, System};

/// What is done, with all that the call needs. Names (`Verb::name`) are published in docs/OUTPUT.md: JSON, faults and audit log use them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    Suspend,
    Deactivate,
    ClearSessions,
    RevokeGrants,
    /// One API token of the person's own.
    RevokeToken {
        token: Held,
    },
    /// The tokens that one OAuth client holds for the person.
    RevokeClientTokens {
        client: Held,
    },
    RemoveMember {
        group: Held,
    },
    AddMember {
        group: Held,
    },
    UnassignApp {
        app: Held,
    },
    Activate,
    CreatePerson {
        profile: BTreeMap<String, String>,
    },
    JoinChannel {
        channel: Held,
    },
    LeaveChannel {
        channel: Held,
    },
    /// A direct message. It goes to someone else: the effect's account is the recipient's address, which the provider looks up.
    SendMessage {
        text: String,
    },
    CreateGroup {
        name: String,
        description: String,
    },
    DeleteGroup {
        group: Held,
    },
}

/// What an action is, without its object: capabilities, the rows' tables and the names of faults are made of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Suspend,
    Deactivate,
    ClearSessions,
    RevokeGrants,
    RevokeToken,
    RevokeClientTokens,
    RemoveMember,
    AddMember,
    UnassignApp,
    Activate,
    CreatePerson,
    JoinChannel,
    LeaveChannel,
    SendMessage,
    CreateGroup,
    DeleteGroup,
}

pub type Verbs = BTreeSet<Verb>;

/// May the call be sent again without looking?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Safe,
    /// It would happen twice (a message), or the vendor calls it non-idempotent (lifecycle).
    LookFirst,
}

impl Verb {
    pub const ALL: [Verb; 16] = [
        Verb::Suspend,
        Verb::Deactivate,
        Verb::ClearSessions,
        Verb::RevokeGrants,
        Verb::RevokeToken,
        Verb::RevokeClientTokens,
        Verb::RemoveMember,
        Verb::AddMember,
        Verb::UnassignApp,
        Verb::Activate,
        Verb::CreatePerson,
        Verb::JoinChannel,
        Verb::LeaveChannel,
        Verb::SendMessage,
        Verb::CreateGroup,
        Verb::DeleteGroup,
    ];
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Suspend => "suspend",
            Verb::Deactivate => "deactivate",
            Verb::ClearSessions => "clear-sessions",
            Verb::RevokeGrants => "revoke-grants",
            Verb::RevokeToken => "revoke-token",
            Verb::RevokeClientTokens => "revoke-client-tokens",
            Verb::RemoveMember => "remove-member",
            Verb::AddMember => "add-member",
            Verb::UnassignApp => "unassign-app",
            Verb::Activate => "activate",
            Verb::CreatePerson => "create-person",
            Verb::JoinChannel => "join-channel",
            Verb::LeaveChannel => "leave-channel",
            Verb::SendMessage => "send-message",
            Verb::CreateGroup => "create-group",
            Verb::DeleteGroup => "delete-group",
        }
    }
}

impl Action {
    pub const fn verb(&self) -> Verb {
        match self {
            Action::Suspend => Verb::Suspend,
            Action::Deactivate => Verb::Deactivate,
            Action::ClearSessions => Verb::ClearSessions,
            Action::RevokeGrants => Verb::RevokeGrants,
            Action::RevokeToken { .. } => Verb::RevokeToken,
            Action::RevokeClientTokens { .. } => Verb::RevokeClientTokens,
            Action::RemoveMember { .. } => Verb::RemoveMember,
            Action::AddMember { .. } => Verb::AddMember,
            Action::UnassignApp { .. } => Verb::UnassignApp,
            Action::Activate => Verb::Activate,
            Action::CreatePerson { .. } => Verb::CreatePerson,
            Action::JoinChannel { .. } => Verb::JoinChannel,
            Action::LeaveChannel { .. } => Verb::LeaveChannel,
            Action::SendMessage { .. } => Verb::SendMessage,
            Action::CreateGroup { .. } => Verb::CreateGroup,
            Action::DeleteGroup { .. } => Verb::DeleteGroup,
        }
    }
    pub const fn name(&self) -> &'static str {
        self.verb().name()
    }
    /// What it is done to, beside the account: a group, an app, a channel.
    pub fn object(&self) -> Option<&str> {
        match self {
            Action::RevokeToken { token: held }
            | Action::RevokeClientTokens { client: held }
            | Action::RemoveMember { group: held }
            | Action::AddMember { group: held }
            | Action::UnassignApp { app: held }
            | Action::JoinChannel { channel: held }
            | Action::LeaveChannel { channel: held }
            | Action::DeleteGroup { group: held } => Some(&held.name),
            Action::CreateGroup { name, .. } => Some(name),
            Action::Suspend
            | Action::Deactivate
            | Action::ClearSessions
            | Action::RevokeGrants
            | Action::Activate
            | Action::CreatePerson { .. }
            | Action::SendMessage { .. } => None,
        }
    }
    /// Which part of the account shows whether it holds, beside the account itself.
    pub const fn part(&self) -> Option<Holding> {
        match self {
            Action::RemoveMember { group: held }
            | Action::AddMember { group: held }
            | Action::UnassignApp { app: held }
            | Action::JoinChannel { channel: held }
            | Action::LeaveChannel { channel: held }
            | Action::RevokeToken { token: held }
            | Action::RevokeClientTokens { client: held } => Some(held.kind),
            Action::RevokeGrants => Some(Holding::Grant),
            Action::Suspend
            | Action::Deactivate
            | Action::ClearSessions
            | Action::Activate
            | Action::CreatePerson { .. }
            | Action::SendMessage { .. }
            | Action::CreateGroup { .. }
            | Action::DeleteGroup { .. } => None,
        }
    }
    pub const fn repeat(&self) -> Repeat {
        match self {
            Action::ClearSessions
            | Action::RevokeGrants
            | Action::RevokeToken { .. }
            | Action::RevokeClientTokens { .. }
            | Action::RemoveMember { .. }
            | Action::AddMember { .. }
            | Action::UnassignApp { .. }
            | Action::JoinChannel { .. }
            | Action::LeaveChannel { .. }
            | Action::DeleteGroup { .. } => Repeat::Safe,
            Action::Suspend
            | Action::Deactivate
            | Action::Activate
            | Action::CreatePerson { .. }
            | Action::SendMessage { .. }
            | Action::CreateGroup { .. } => Repeat::LookFirst,
        }
    }
    /// Gives something (+) or takes it away (-): for marks, and for "remove before add".
    pub const fn gives(&self) -> bool {
        match self {
            Action::AddMember { .. }
            | Action::Activate
            | Action::CreatePerson { .. }
            | Action::JoinChannel { .. }
            | Action::SendMessage { .. }
            | Action::CreateGroup { .. } => true,
            Action::Suspend
            | Action::Deactivate
            | Action::ClearSessions
            | Action::RevokeGrants
            | Action::RevokeToken { .. }
            | Action::RevokeClientTokens { .. }
            | Action::RemoveMember { .. }
            | Action::UnassignApp { .. }
            | Action::LeaveChannel { .. }
            | Action::DeleteGroup { .. } => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub system: System,
    /// The account's id in that system; empty where it is not known yet (then the step waits).
    pub account: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Lacks,
    Unknown(Failure),
    /// No read can show it (sessions, messages).
    Unobservable,
}

impl Effect {
    pub fn holds(&self, systems: &BTreeMap<System, Seen>, tenant: &Catalogue) -> Verdict {
        let when = |b: bool| if b { Verdict::Holds } else { Verdict::Lacks };
        // Groups are the tenant's, not an account's.
        if let Action::CreateGroup { name, .. } = &self.action {
            return match &tenant.groups {
                Observed::Present(all) => when(all.values().any(|g| g.name == *name)),
                Observed::Absent => Verdict::Lacks,
                Observed::Unknown(f) => Verdict::Unknown(f.clone()),
            };
        }
        if let Action::DeleteGroup { group } = &self.action {
            return match &tenant.groups {
                Observed::Present(all) => when(!all.contains_key(&group.id)),
                Observed::Absent => Verdict::Holds,
                Observed::Unknown(f) => Verdict::Unknown(f.clone()),
            };
        }
        let account = match systems.get(&self.system).map(|s| &s.account) {
            None => return Verdict::Unknown(self.unread()),
            Some(Observed::Unknown(f)) => return Verdict::Unknown(f.clone()),
            Some(Observed::Absent) => return when(!self.action.gives()),
            Some(Observed::Present(a)) => a,
        };
        match &self.action {
            Action::Suspend => when(account.state >= State::Suspended),
            Action::Deactivate => when(account.state == State::Closed),
            Action::Activate => when(account.state == State::Active),
            Action::CreatePerson { .. } => Verdict::Holds,
            Action::ClearSessions | Action::SendMessage { .. } => Verdict::Unobservable,
            // Not asked for where the manifest found none: revoked blind, and it stays "done".
            Action::RevokeGrants => match account.holds.get(&Holding::Grant) {
                None => Verdict::Unobservable,
                Some(Observed::Unknown(f)) => Verdict::Unknown(f.clone()),
                Some(Observed::Absent) => Verdict::Holds,
                Some(Observed::Present(set)) => when(set.is_empty()),
            },
            Action::RevokeToken { token } => match account.holds.get(&Holding::Token) {
                None => Verdict::Unobservable,
                Some(_) => when_held(self, account, token, false),
            },
            Action::RevokeClientTokens { client } => match account.holds.get(&Holding::Client) {
                None => Verdict::Unobservable,
                Some(_) => when_held(self, account, client, false),
            },
            Action::RemoveMember { group: held }
            | Action::UnassignApp { app: held }
            | Action::LeaveChannel { channel: held } => when_held(self, account, held, false),
            Action::AddMember { group: held } | Action::JoinChannel { channel: held } => {
                when_held(self, account, held, true)
            }
            Action::CreateGroup { .. } | Action::DeleteGroup { .. } => Verdict::Unobservable,
        }
    }

    fn unread(&self) -> Failure {
        Failure::new(Kind::Transient, self.system.to_string(), "was not read")
    }
}

fn when_held(effect: &Effect, account: &Account, held: &Held, wanted: bool) -> Verdict {
    let there = match account.holds.get(&held.kind) {
        None => return Verdict::Unknown(effect.unread()),
        Some(Observed::Unknown(f)) => return Verdict::Unknown(f.clone()),
        Some(Observed::Absent) => false,
        Some(Observed::Present(set)) => set.iter().any(|h| h.id == held.id),
    };
    if there == wanted {
        Verdict::Holds
    } else {
        Verdict::Lacks
    }
}

impl Observation {
    pub fn holds(&self, effect: &Effect) -> Verdict {
        effect.holds(&self.systems, &self.tenant)
    }
}
