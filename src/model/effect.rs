//! An effect is one mutating call with a pure postcondition.
//!
//! `holds` is verification, resume, drift, "already so" and "the replan is empty", all at once. What needs two calls is two effects;
//! otherwise in-doubt, fault names, crash points and receipts mean nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Account, Catalogue, Failure, Held, Holding, Kind, Observation, Observed, Seen, State, System, Transfer};

/// What is done, with all that the call needs. Names (`Verb::name`) are published in docs/OUTPUT.md: JSON, faults and audit log use them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    Suspend,
    /// No new sign-in; what is signed in already goes on.
    Freeze,
    Deactivate,
    ClearSessions,
    RevokeGrants,
    /// One credential of the person's own: an API token, an app password, an authorized key.
    RevokeToken {
        token: Held,
    },
    /// The tokens that one OAuth client holds for the person.
    RevokeClientTokens {
        client: Held,
    },
    /// A password that nobody knows. `changed_from` is when it was last set, where that can be read: a later instant proves the change.
    ResetPassword {
        changed_from: Option<String>,
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
    /// A permission set, an administrator's role.
    RevokeRole {
        role: Held,
    },
    /// A licence that doesn't go with the account.
    ReleaseSeat {
        seat: Held,
    },
    Activate,
    /// Lets in again whom a suspension shut out.
    Unsuspend,
    CreatePerson {
        profile: BTreeMap<String, String>,
    },
    JoinChannel {
        channel: Held,
    },
    LeaveChannel {
        channel: Held,
    },
    JoinTeam {
        team: Held,
    },
    LeaveTeam {
        team: Held,
    },
    /// Asks the person in. Until they accept, the account is pending.
    Invite {
        address: String,
    },
    CancelInvitation {
        invitation: Held,
    },
    LeaveOrg {
        org: Held,
    },
    /// Files go to somebody else: the recipient's address, which the provider looks up.
    StartTransfer {
        to: String,
    },
    /// Nothing is called: it waits until what was started is over.
    FinishTransfer {
        transfer: Held,
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
    /// A person does it and says so: `jml run tick`.
    ByHand {
        task: Held,
    },
}

/// What an action is, without its object: capabilities, the rows' tables and the names of faults are made of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Suspend,
    Freeze,
    Deactivate,
    ClearSessions,
    RevokeGrants,
    RevokeToken,
    RevokeClientTokens,
    ResetPassword,
    RemoveMember,
    AddMember,
    UnassignApp,
    RevokeRole,
    ReleaseSeat,
    Activate,
    Unsuspend,
    CreatePerson,
    JoinChannel,
    LeaveChannel,
    JoinTeam,
    LeaveTeam,
    Invite,
    CancelInvitation,
    LeaveOrg,
    StartTransfer,
    FinishTransfer,
    SendMessage,
    CreateGroup,
    DeleteGroup,
    ByHand,
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
    pub const ALL: [Verb; 29] = [
        Verb::Suspend,
        Verb::Freeze,
        Verb::Deactivate,
        Verb::ClearSessions,
        Verb::RevokeGrants,
        Verb::RevokeToken,
        Verb::RevokeClientTokens,
        Verb::ResetPassword,
        Verb::RemoveMember,
        Verb::AddMember,
        Verb::UnassignApp,
        Verb::RevokeRole,
        Verb::ReleaseSeat,
        Verb::Activate,
        Verb::Unsuspend,
        Verb::CreatePerson,
        Verb::JoinChannel,
        Verb::LeaveChannel,
        Verb::JoinTeam,
        Verb::LeaveTeam,
        Verb::Invite,
        Verb::CancelInvitation,
        Verb::LeaveOrg,
        Verb::StartTransfer,
        Verb::FinishTransfer,
        Verb::SendMessage,
        Verb::CreateGroup,
        Verb::DeleteGroup,
        Verb::ByHand,
    ];
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Suspend => "suspend",
            Verb::Freeze => "freeze",
            Verb::Deactivate => "deactivate",
            Verb::ClearSessions => "clear-sessions",
            Verb::RevokeGrants => "revoke-grants",
            Verb::RevokeToken => "revoke-token",
            Verb::RevokeClientTokens => "revoke-client-tokens",
            Verb::ResetPassword => "reset-password",
            Verb::RemoveMember => "remove-member",
            Verb::AddMember => "add-member",
            Verb::UnassignApp => "unassign-app",
            Verb::RevokeRole => "revoke-role",
            Verb::ReleaseSeat => "release-seat",
            Verb::Activate => "activate",
            Verb::Unsuspend => "unsuspend",
            Verb::CreatePerson => "create-person",
            Verb::JoinChannel => "join-channel",
            Verb::LeaveChannel => "leave-channel",
            Verb::JoinTeam => "join-team",
            Verb::LeaveTeam => "leave-team",
            Verb::Invite => "invite",
            Verb::CancelInvitation => "cancel-invitation",
            Verb::LeaveOrg => "leave-org",
            Verb::StartTransfer => "start-transfer",
            Verb::FinishTransfer => "finish-transfer",
            Verb::SendMessage => "send-message",
            Verb::CreateGroup => "create-group",
            Verb::DeleteGroup => "delete-group",
            Verb::ByHand => "by-hand",
        }
    }
    /// Gives something (+) or takes it away (-): for marks, and for "remove before add".
    pub const fn gives(self) -> bool {
        match self {
            Verb::AddMember
            | Verb::Activate
            | Verb::Unsuspend
            | Verb::CreatePerson
            | Verb::JoinChannel
            | Verb::JoinTeam
            | Verb::Invite
            | Verb::StartTransfer
            | Verb::FinishTransfer
            | Verb::SendMessage
            | Verb::CreateGroup => true,
            Verb::Suspend
            | Verb::Freeze
            | Verb::Deactivate
            | Verb::ClearSessions
            | Verb::RevokeGrants
            | Verb::RevokeToken
            | Verb::RevokeClientTokens
            | Verb::ResetPassword
            | Verb::RemoveMember
            | Verb::UnassignApp
            | Verb::RevokeRole
            | Verb::ReleaseSeat
            | Verb::LeaveChannel
            | Verb::LeaveTeam
            | Verb::CancelInvitation
            | Verb::LeaveOrg
            | Verb::DeleteGroup
            | Verb::ByHand => false,
        }
    }
    pub const fn repeat(self) -> Repeat {
        match self {
            Verb::ClearSessions
            | Verb::RevokeGrants
            | Verb::RevokeToken
            | Verb::RevokeClientTokens
            | Verb::ResetPassword
            | Verb::RemoveMember
            | Verb::AddMember
            | Verb::UnassignApp
            | Verb::RevokeRole
            | Verb::ReleaseSeat
            | Verb::JoinChannel
            | Verb::LeaveChannel
            | Verb::JoinTeam
            | Verb::LeaveTeam
            | Verb::CancelInvitation
            | Verb::LeaveOrg
            | Verb::DeleteGroup => Repeat::Safe,
            Verb::Suspend
            | Verb::Freeze
            | Verb::Deactivate
            | Verb::Activate
            | Verb::Unsuspend
            | Verb::CreatePerson
            | Verb::Invite
            | Verb::StartTransfer
            | Verb::FinishTransfer
            | Verb::SendMessage
            | Verb::CreateGroup
            | Verb::ByHand => Repeat::LookFirst,
        }
    }
    /// Can no read ever show it, in any system? Then "done" is all there is.
    pub const fn unseen(self) -> bool {
        matches!(self, Verb::SendMessage | Verb::ByHand)
    }
}

impl Action {
    /// The action that gives this, by what kind of thing it is.
    pub fn giving(held: Held) -> Action {
        match held.kind {
            Holding::Team => Action::JoinTeam { team: held },
            Holding::Channel => Action::JoinChannel { channel: held },
            _ => Action::AddMember { group: held },
        }
    }
    /// The action that takes it away.
    pub fn taking(held: Held) -> Action {
        match held.kind {
            Holding::Team => Action::LeaveTeam { team: held },
            Holding::Channel => Action::LeaveChannel { channel: held },
            Holding::Org => Action::LeaveOrg { org: held },
            Holding::Invitation => Action::CancelInvitation { invitation: held },
            Holding::Role => Action::RevokeRole { role: held },
            Holding::Seat => Action::ReleaseSeat { seat: held },
            Holding::Token => Action::RevokeToken { token: held },
            Holding::Client => Action::RevokeClientTokens { client: held },
            Holding::App => Action::UnassignApp { app: held },
            Holding::Group | Holding::Session | Holding::Grant | Holding::Owned | Holding::Transfer | Holding::Task => {
                Action::RemoveMember { group: held }
            }
        }
    }
    pub const fn verb(&self) -> Verb {
        match self {
            Action::Suspend => Verb::Suspend,
            Action::Freeze => Verb::Freeze,
            Action::Deactivate => Verb::Deactivate,
            Action::ClearSessions => Verb::ClearSessions,
            Action::RevokeGrants => Verb::RevokeGrants,
            Action::RevokeToken { .. } => Verb::RevokeToken,
            Action::RevokeClientTokens { .. } => Verb::RevokeClientTokens,
            Action::ResetPassword { .. } => Verb::ResetPassword,
            Action::RemoveMember { .. } => Verb::RemoveMember,
            Action::AddMember { .. } => Verb::AddMember,
            Action::UnassignApp { .. } => Verb::UnassignApp,
            Action::RevokeRole { .. } => Verb::RevokeRole,
            Action::ReleaseSeat { .. } => Verb::ReleaseSeat,
            Action::Activate => Verb::Activate,
            Action::Unsuspend => Verb::Unsuspend,
            Action::CreatePerson { .. } => Verb::CreatePerson,
            Action::JoinChannel { .. } => Verb::JoinChannel,
            Action::LeaveChannel { .. } => Verb::LeaveChannel,
            Action::JoinTeam { .. } => Verb::JoinTeam,
            Action::LeaveTeam { .. } => Verb::LeaveTeam,
            Action::Invite { .. } => Verb::Invite,
            Action::CancelInvitation { .. } => Verb::CancelInvitation,
            Action::LeaveOrg { .. } => Verb::LeaveOrg,
            Action::StartTransfer { .. } => Verb::StartTransfer,
            Action::FinishTransfer { .. } => Verb::FinishTransfer,
            Action::SendMessage { .. } => Verb::SendMessage,
            Action::CreateGroup { .. } => Verb::CreateGroup,
            Action::DeleteGroup { .. } => Verb::DeleteGroup,
            Action::ByHand { .. } => Verb::ByHand,
        }
    }
    pub const fn name(&self) -> &'static str {
        self.verb().name()
    }
    /// What of the account's holdings it is about.
    pub const fn held(&self) -> Option<&Held> {
        match self {
            Action::RevokeToken { token: held }
            | Action::RevokeClientTokens { client: held }
            | Action::RemoveMember { group: held }
            | Action::AddMember { group: held }
            | Action::UnassignApp { app: held }
            | Action::RevokeRole { role: held }
            | Action::ReleaseSeat { seat: held }
            | Action::JoinChannel { channel: held }
            | Action::LeaveChannel { channel: held }
            | Action::JoinTeam { team: held }
            | Action::LeaveTeam { team: held }
            | Action::CancelInvitation { invitation: held }
            | Action::LeaveOrg { org: held }
            | Action::FinishTransfer { transfer: held }
            | Action::DeleteGroup { group: held }
            | Action::ByHand { task: held } => Some(held),
            Action::Suspend
            | Action::Freeze
            | Action::Deactivate
            | Action::ClearSessions
            | Action::RevokeGrants
            | Action::ResetPassword { .. }
            | Action::Activate
            | Action::Unsuspend
            | Action::CreatePerson { .. }
            | Action::Invite { .. }
            | Action::StartTransfer { .. }
            | Action::SendMessage { .. }
            | Action::CreateGroup { .. } => None,
        }
    }
    /// What it is done to, beside the account: a group, an app, a channel.
    pub fn object(&self) -> Option<&str> {
        match self {
            Action::CreateGroup { name, .. } => Some(name),
            Action::StartTransfer { to } => Some(to),
            Action::Invite { address } => Some(address),
            other => other.held().map(|h| h.name.as_str()),
        }
    }
    /// Which part of the account shows whether it holds, beside the account itself.
    pub const fn part(&self) -> Option<Holding> {
        match self {
            Action::RevokeGrants => Some(Holding::Grant),
            Action::ClearSessions => Some(Holding::Session),
            Action::StartTransfer { .. } => Some(Holding::Transfer),
            Action::Invite { .. } => Some(Holding::Invitation),
            Action::DeleteGroup { .. } | Action::ByHand { .. } => None,
            other => match other.held() {
                Some(held) => Some(held.kind),
                None => None,
            },
        }
    }
    pub const fn repeat(&self) -> Repeat {
        self.verb().repeat()
    }
    pub const fn gives(&self) -> bool {
        self.verb().gives()
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
            Action::Suspend | Action::Freeze => when(account.state >= State::Suspended),
            Action::Deactivate => when(account.state == State::Closed),
            Action::Activate | Action::Unsuspend => when(account.state == State::Active),
            Action::CreatePerson { .. } | Action::Invite { .. } => Verdict::Holds,
            Action::SendMessage { .. }
            | Action::ByHand { .. }
            | Action::CreateGroup { .. }
            | Action::DeleteGroup { .. } => Verdict::Unobservable,
            // Not asked for where the manifest found none: revoked blind, and it stays "done".
            Action::RevokeGrants => emptied(account, Holding::Grant),
            // Where the API lists sessions they are read back; elsewhere nothing shows it.
            Action::ClearSessions => emptied(account, Holding::Session),
            // The first reset is shown by a later instant; a second one leaves nothing to tell it from the first.
            Action::ResetPassword { changed_from } => match (changed_from, &account.password_set) {
                (Some(before), Some(now)) => when(before != now),
                (None, _) | (_, None) => Verdict::Unobservable,
            },
            Action::StartTransfer { to } => match account.holds.get(&Holding::Transfer) {
                None => Verdict::Unknown(self.unread()),
                Some(Observed::Unknown(f)) => Verdict::Unknown(f.clone()),
                Some(Observed::Absent) => Verdict::Lacks,
                Some(Observed::Present(all)) => {
                    when(all.iter().any(|t| t.transfer() != Transfer::Failed && t.goes_to(to)))
                }
            },
            Action::FinishTransfer { transfer } => match account.holds.get(&Holding::Transfer) {
                None => Verdict::Unknown(self.unread()),
                Some(Observed::Unknown(f)) => Verdict::Unknown(f.clone()),
                Some(Observed::Absent) => Verdict::Lacks,
                Some(Observed::Present(all)) => when(
                    all.iter()
                        .any(|t| t.id == transfer.id && t.transfer() == Transfer::Completed),
                ),
            },
            Action::RevokeToken { token: held } | Action::RevokeClientTokens { client: held } => {
                match account.holds.get(&held.kind) {
                    None => Verdict::Unobservable,
                    Some(_) => when_held(self, account, held, false),
                }
            }
            Action::RemoveMember { group: held }
            | Action::UnassignApp { app: held }
            | Action::RevokeRole { role: held }
            | Action::ReleaseSeat { seat: held }
            | Action::LeaveChannel { channel: held }
            | Action::LeaveTeam { team: held }
            | Action::CancelInvitation { invitation: held }
            | Action::LeaveOrg { org: held } => when_held(self, account, held, false),
            Action::AddMember { group: held }
            | Action::JoinChannel { channel: held }
            | Action::JoinTeam { team: held } => when_held(self, account, held, true),
        }
    }

    fn unread(&self) -> Failure {
        Failure::new(Kind::Transient, self.system.to_string(), "was not read")
    }
}

/// A part that was asked for because there was something in it.
fn emptied(account: &Account, part: Holding) -> Verdict {
    match account.holds.get(&part) {
        None => Verdict::Unobservable,
        Some(Observed::Unknown(f)) => Verdict::Unknown(f.clone()),
        Some(Observed::Absent) => Verdict::Holds,
        Some(Observed::Present(set)) if set.is_empty() => Verdict::Holds,
        Some(Observed::Present(_)) => Verdict::Lacks,
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
