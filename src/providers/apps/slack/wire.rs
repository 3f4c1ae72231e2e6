//! What Slack answers, read strictly where it matters and leniently where it varies; and each of its words with what to do about it.

use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Held, Holding, Kind},
};

#[derive(Deserialize)]
pub(super) struct Envelope {
    pub(super) ok: bool,
    pub(super) error: Option<String>,
    pub(super) needed: Option<String>,
    pub(super) provided: Option<String>,
}
#[derive(Deserialize)]
pub(super) struct Nothing {}
#[derive(Deserialize)]
pub(super) struct Me {
    pub(super) team: String,
    pub(super) team_id: String,
    pub(super) enterprise_id: Option<String>,
}
#[derive(Deserialize)]
pub(super) struct One {
    pub(super) user: Member,
}
#[derive(Deserialize)]
pub(super) struct Members {
    pub(super) members: Vec<Member>,
    pub(super) response_metadata: Option<Meta>,
}
#[derive(Deserialize)]
pub(super) struct Channels {
    pub(super) channels: Vec<Channel>,
    pub(super) response_metadata: Option<Meta>,
}
#[derive(Deserialize)]
pub(super) struct Meta {
    pub(super) next_cursor: Option<String>,
}
#[derive(Deserialize)]
pub(super) struct Said {
    pub(super) messages: Vec<Message>,
    pub(super) response_metadata: Option<Meta>,
}
#[derive(Deserialize)]
pub(super) struct Message {
    metadata: Option<Mark>,
}
#[derive(Deserialize)]
struct Mark {
    event_type: String,
    #[serde(default)]
    event_payload: serde_json::Value,
}

impl Message {
    /// Does an app's metadata of that kind bear this mark?
    pub(super) fn is(&self, kind: &str, mark: &str) -> bool {
        let of = |m: &Mark| m.event_type == kind && m.event_payload["mark"] == mark;
        self.metadata.as_ref().is_some_and(of)
    }
}

#[derive(Deserialize)]
pub(super) struct Opened {
    pub(super) channel: Direct,
}
#[derive(Deserialize)]
pub(super) struct Direct {
    pub(super) id: String,
}
#[derive(Deserialize)]
pub(super) struct Resource {
    pub(super) active: bool,
}
#[derive(Deserialize)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
}
#[derive(Default, Deserialize)]
pub(super) struct Profile {
    pub(super) email: Option<String>,
}
/// Flags may be missing from deactivated members: absent is false.
#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) is_bot: bool,
    #[serde(default)]
    pub(super) is_stranger: bool,
    #[serde(default)]
    pub(super) is_invited_user: bool,
    #[serde(default)]
    pub(super) is_owner: bool,
    #[serde(default)]
    pub(super) is_primary_owner: bool,
    #[serde(default)]
    pub(super) is_restricted: bool,
    #[serde(default)]
    pub(super) is_ultra_restricted: bool,
    #[serde(default)]
    pub(super) profile: Profile,
}

impl Member {
    pub(super) fn person(&self) -> bool {
        !self.is_bot && !self.is_stranger && self.id != "USLACKBOT"
    }
    pub(super) fn owned(&self) -> BTreeSet<Held> {
        let what = match (self.is_primary_owner, self.is_owner) {
            (true, _) => "primary owner of the Slack workspace",
            (false, true) => "owner of the Slack workspace",
            (false, false) => return BTreeSet::new(),
        };
        BTreeSet::from([Held::new(Holding::Owned, "workspace", what)])
    }
}

impl Channel {
    pub(super) fn held(self) -> Held {
        Held::new(Holding::Channel, self.id, format!("#{}", self.name))
    }
}

/// The one word of Slack's that means "no such account"; any other refusal is a failure.
pub(super) fn one(answer: &Answer, what: &str, absent: &str) -> Result<Option<Member>, Failure> {
    match heard::<One>(answer, what) {
        Ok(found) => Ok(Some(found.user)),
        Err(f) if f.code.as_deref() == Some(absent) => Ok(None),
        Err(f) => Err(f),
    }
}

/// HTTP 200 says nothing: `ok` does.
pub(super) fn heard<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<T, Failure> {
    let envelope: Envelope = answer.json()?;
    if envelope.ok {
        return answer.json();
    }
    let word = envelope.error.as_deref().unwrap_or("unknown_error");
    let mut failure = refusal(word, what).request(answer.request_id());
    if let (Some(needed), Some(provided)) = (&envelope.needed, &envelope.provided) {
        failure = failure.hint(format!(
            "add the scope {} to the token; it has {}",
            sentence(needed),
            sentence(provided)
        ));
    }
    Err(failure)
}

/// For what isn't HTTP 200: rate limits, outages, and all of SCIM.
pub fn explain(answer: &Answer, what: &str) -> Failure {
    match scim_word(answer) {
        Some(word) => refusal(&word, what).request(answer.request_id()),
        None => plain(answer, what),
    }
}

/// `detail` in SCIM 2.0, `Errors.description` in 1.1.
pub(super) fn scim_word(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Two {
        detail: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct One {
        errors: Described,
    }
    #[derive(Deserialize)]
    struct Described {
        description: String,
    }
    answer
        .maybe::<Two>()
        .map(|b| b.detail)
        .or_else(|| answer.maybe::<One>().map(|b| b.errors.description))
}

pub(super) fn unreadable_addresses() -> Failure {
    Failure::new(
        Kind::Auth,
        "read the addresses of Slack accounts",
        "no member shows one",
    )
    .hint("add the scope users:read.email to the token")
}

/// Slack's word, what it means, and what now.
pub(super) fn refusal(word: &str, what: &str) -> Failure {
    let (kind, summary, hint) = match word {
        "invalid_auth" | "invalid_authentication" => (
            Kind::Auth,
            "refuses the token",
            "the token is wrong, or this egress address isn't on its list",
        ),
        "not_authed" | "missing_authentication" => (Kind::Auth, "got no token", "put the token in place"),
        "token_revoked" | "token_expired" | "account_inactive" => (
            Kind::Auth,
            "knows the token no more",
            "it dies with the account that installed it: install jml's app with a service identity",
        ),
        "missing_scope" => (
            Kind::Auth,
            "misses a scope",
            "add the scope to jml's app and install it again",
        ),
        "not_allowed_token_type" => (
            Kind::Auth,
            "wants another kind of token",
            "admin_token must be an owner's user token (xoxp-)",
        ),
        "permission_denied" | "cannot_modify_owner" | "not_an_admin" | "admin_unauthorized" => (
            Kind::Auth,
            "refuses: the token's maker ranks no higher than this account",
            "let an owner of the workspace make the token",
        ),
        "no_permission" | "restricted_action" | "access_denied" | "org_login_required" => (
            Kind::Auth,
            "refuses: not permitted by the workspace's settings",
            "let an owner allow it under Slack admin > Settings and permissions, or make the token themselves",
        ),
        "feature_not_enabled" | "plus_teams_only" | "non_org_teams_only" | "plan_upgrade_required" => (
            Kind::Cannot,
            "doesn't sell this with the workspace's plan",
            "set plan in [systems.slack] to what the workspace has",
        ),
        "cannot_disable_primary_owner" | "primary_owner_check_failure" | "cannot_reset_primary_owner" => (
            Kind::Permanent,
            "refuses: this is the primary owner",
            "transfer the ownership of the workspace first",
        ),
        "not_in_channel" => (
            Kind::Permanent,
            "refuses: jml's app isn't in the channel",
            "invite jml's app to the channel",
        ),
        "channel_not_found" => (
            Kind::Permanent,
            "knows no such channel",
            "a private channel is seen only once jml's app is in it",
        ),
        "is_archived" => (Kind::Permanent, "refuses: the channel is archived", ""),
        "user_disabled" => (Kind::Permanent, "refuses: the account is deactivated", ""),
        "cannot_disable_bot_user_with_scim" | "cannot_reset_bot" => (Kind::Permanent, "refuses: this is a bot", ""),
        "ratelimited" | "rate_limited" | "too_many_requests" => (Kind::Throttled, "asks for fewer calls", ""),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "resource_locked" => {
            (Kind::Transient, "has a fault of its own", "")
        }
        _ => (Kind::Permanent, "refuses the call", ""),
    };
    let failure = Failure::new(kind, what, summary).code(sentence(word));
    if hint.is_empty() { failure } else { failure.hint(hint) }
}
