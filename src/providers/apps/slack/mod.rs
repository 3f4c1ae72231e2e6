//! Slack: ends a leaver's sessions and account, moves people between channels, tells a manager.
//!
//! Does not delete anybody (Slack can't), makes no account (the directory's provisioning does), changes no guest's kind (that would wake
//! a deactivated account) and writes to nobody but one person at a time. Two bases, two tokens: the Web API speaks with a bot's, SCIM and
//! `admin.*` with an owner's. Facts: docs.slack.dev, methods and admins/scim-api.

mod eyes;
mod hands;
#[cfg(test)]
mod tests;
mod wire;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Fixed, Reader, Scheme, path},
    model::{Failure, System, Verb, Verbs},
    providers::{Act, Look, Need, Row, Target, field},
};

pub use eyes::Eyes;
pub use hands::Hands;
pub use wire::explain;

pub const ROW: Row = Row::new("slack")
    .page("https://docs.slack.dev")
    .pin("team")
    .needs(NEEDS)
    .target::<Slack>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::ClearSessions,
    Verb::Deactivate,
    Verb::JoinChannel,
    Verb::LeaveChannel,
    Verb::SendMessage,
];

pub const NEEDS: &[Need] = &[
    Need::read("users:read", "see accounts, deactivated ones too"),
    Need::read(
        "users:read.email",
        "find an account by address; without it addresses are silently left out",
    ),
    Need::read("channels:read", "see channels and who is in them"),
    Need::read("groups:read", "the same for private channels that the app is in"),
    Need::write("channels:write.invites", "bring people into channels"),
    Need::write("groups:write.invites", "the same for private channels"),
    Need::write("channels:manage", "take people out of channels"),
    Need::write("groups:write", "the same for private channels"),
    Need::write("im:write", "open a direct message"),
    Need::write("chat:write", "tell a manager what changed"),
    Need::write(
        "im:history",
        "see whether a message went out before it is sent again; without it such a one stays in doubt",
    ),
    Need::write(
        "admin",
        "deactivate accounts (an owner's user token; Business+ and Enterprise)",
    ),
    Need::write("admin.users:write", "end sessions (an owner's user token; Enterprise)"),
];

/// `[systems.slack]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the Web API, without `/api`: https://slack.com, or https://slack-gov.com.
    url: BaseUrl,
    /// Of SCIM, without `/scim`; by default api.slack.com (api.slack-gov.com), or the same as `url` elsewhere.
    scim_url: Option<BaseUrl>,
    /// The id of the workspace, or of the Enterprise organisation. Another answer is refused.
    team: Option<String>,
    #[serde(default)]
    plan: Plan,
    /// A bot token that only reads.
    read: Option<SecretRef<Read>>,
    /// A record of `bot_token` (invites, messages) and `admin_token` (an owner's).
    write: SecretRef<Write>,
}

impl crate::providers::Settings for Settings {}

impl Settings {
    fn scim(&self) -> BaseUrl {
        let vendors = match self.url.as_url().host_str() {
            Some("slack.com") => "https://api.slack.com".parse().ok(),
            Some("slack-gov.com") => "https://api.slack-gov.com".parse().ok(),
            Some(_) | None => None,
        };
        self.scim_url.clone().or(vendors).unwrap_or_else(|| self.url.clone())
    }
}

pub struct Slack;

impl Target for Slack {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let token = field(look.either(s.read.as_ref(), &s.write), "bot_token");
        Eyes::new(
            look.reader(&system, &s.url, Fixed::one(Scheme::Bearer, token), explain),
            s.plan,
            s.team,
        )
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let token = |name| Fixed::one(Scheme::Bearer, field(act.secret(&s.write), name));
        Hands::new(
            act.writer(&system, &s.url, token("bot_token"), explain),
            act.writer(&system, &s.url, token("admin_token"), explain),
            act.writer(&system, &s.scim(), token("admin_token"), explain),
        )
    }
}

/// What the workspace has bought decides what can be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// No way to deactivate by API.
    Pro,
    /// SCIM deactivates, and that ends the sessions.
    #[default]
    Business,
    /// Sessions end by themselves too.
    Enterprise,
}

impl Plan {
    fn verbs(self) -> Verbs {
        let not_sold: &[Verb] = match self {
            Plan::Pro => &[Verb::ClearSessions, Verb::Deactivate],
            Plan::Business => &[Verb::ClearSessions],
            Plan::Enterprise => &[],
        };
        VERBS.iter().copied().filter(|v| !not_sold.contains(v)).collect()
    }
}

/// An id begins with U or W. Anything else in its place is a name.
fn is_id(text: &str) -> bool {
    text.len() >= 9
        && text.starts_with(['U', 'W'])
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// docs.slack.dev/reference/methods/users.lookupByEmail . Deactivated accounts are not found.
async fn by_address(web: &Reader, address: &str) -> Result<Option<wire::Member>, Failure> {
    let what = format!("find {address} in Slack");
    let answer = web
        .get(path!["api/users.lookupByEmail"].query("email", address).what(&what))
        .await?;
    wire::one(&answer, &what, "users_not_found")
}
