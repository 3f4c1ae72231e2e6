//! GitHub: an organisation's members, teams, invitations, outside collaborators, and the credentials that members authorized for it.
//!
//! Changes nobody's role (a membership that is sent again would demote an owner), touches no repository, and unlinks no SAML identity:
//! the vendor has no call for that. People are kept by number, since logins are renamed. Facts: docs.github.com/rest, /graphql.

mod auth;
mod eyes;
mod find;
mod hands;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::Authorize,
    model::{System, Verb},
    providers::{Act, Look, Need, Row, Target},
};

pub use eyes::Eyes;
pub use hands::Hands;
pub use wire::explain;

pub const ROW: Row = Row::new("github")
    .page("https://docs.github.com/rest")
    .okta(&["githubcloud", "github_enterprise_cloud", "githubenterprise"])
    .pin("id")
    .needs(NEEDS)
    .target::<Github>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::RevokeToken,
    Verb::JoinTeam,
    Verb::LeaveTeam,
    Verb::Invite,
    Verb::CancelInvitation,
    Verb::LeaveOrg,
];

pub const NEEDS: &[Need] = &[
    Need::read(
        "members:read",
        "see members, teams, invitations, outside collaborators and SAML identities",
    ),
    Need::read("organization_administration:read", "see credentials authorized for SSO"),
    Need::read(
        "organization_personal_access_tokens:read",
        "see fine-grained tokens (Apps alone)",
    ),
    Need::write("members:write", "invite, take out, change teams, cancel invitations"),
    Need::write(
        "organization_administration:write",
        "revoke credentials authorized for SSO",
    ),
    Need::write(
        "organization_personal_access_tokens:write",
        "revoke fine-grained tokens (Apps alone)",
    ),
];

/// `[systems.github]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// https://api.github.com, or https://HOST/api/v3.
    url: BaseUrl,
    /// Of GraphQL, without `/graphql`, where it is not `url` (https://HOST/api).
    graphql_url: Option<BaseUrl>,
    /// The organisation's login.
    org: String,
    /// The organisation's number. Another answer is refused.
    id: Option<String>,
    /// A token that only reads, or an App's record of `app_id` and `private_key`: read permissions are asked for.
    read: Option<SecretRef<Read>>,
    /// A token, or an App's record of `app_id` and `private_key`.
    write: SecretRef<Write>,
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.org.is_empty() || !self.org.chars().all(word) {
            return Err(format!("org: {:?} is no login of an organisation", self.org));
        }
        Ok(())
    }
}

pub struct Github;

impl Target for Github {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let credential = look.either(s.read.as_ref(), &s.write);
        let app = Arc::new(auth::App::new(
            credential,
            s.org.clone(),
            auth::Level::Read,
            look.clock(),
        ));
        let authorize: Arc<dyn Authorize> = app.clone();
        let rest = look.reader(&system, &s.url, authorize.clone(), explain);
        let graph = look.reader(&system, s.graphql_url.as_ref().unwrap_or(&s.url), authorize, explain);
        Eyes::new(rest, graph, s.org, s.id, app)
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let app = auth::App::new(act.secret(&s.write), s.org.clone(), auth::Level::Write, act.clock());
        Hands::new(act.writer(&system, &s.url, Arc::new(app), explain), s.org)
    }
}
