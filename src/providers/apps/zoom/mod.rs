//! Zoom: ends a leaver's SSO session and account, frees the licence, withdraws an invitation.
//!
//! Deletes nobody: a delete without a transfer destroys recordings, and a deactivated account keeps them. Touches no owner and no admin,
//! whose status Zoom lets nobody change by API, and never asks for `me`, which is the token's owner. Facts: developers.zoom.us, API
//! reference "Users", rate limits, internal-apps/s2s-oauth.

mod eyes;
mod hands;
#[cfg(test)]
mod tests;
mod wire;

use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

use crate::{
    config::{BaseUrl, Read, SecretRef, Write},
    http::{Answer, Clock, Credential, Reader, path},
    model::{Failure, System, Verb},
    providers::{
        Act, Look, Need, Row, Target,
        minting::{Grant, Granted, Minting, Record},
    },
};

pub use eyes::Eyes;
pub use hands::Hands;
pub use wire::explain;

pub const ROW: Row = Row::new("zoom")
    .page("https://developers.zoom.us/docs/api/users/")
    .okta(&["zoomus"])
    .pin("account")
    .needs(NEEDS)
    .target::<Zoom>(VERBS);

pub const VERBS: &[Verb] = &[
    Verb::ClearSessions,
    Verb::Deactivate,
    Verb::Activate,
    Verb::ReleaseSeat,
    Verb::CancelInvitation,
];

pub const NEEDS: &[Need] = &[
    Need::read("user:read:user:admin", "find an account by id or address"),
    Need::read(
        "user:read:list_users:admin",
        "list accounts: active, inactive and invited ones",
    ),
    Need::write("user:delete:token:admin", "end a person's SSO session"),
    Need::write("user:update:status:admin", "deactivate and activate"),
    Need::write("user:update:user:admin", "free a licence"),
    Need::write(
        "user:delete:user:admin",
        "withdraw the invitation of somebody who never came; nobody else is deleted",
    ),
];

/// `[systems.zoom]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Without `/v2`: https://api.zoom.us, or https://api.zoomgov.com.
    url: BaseUrl,
    /// The id of the account. Another account's people are refused.
    account: Option<String>,
    /// A record of `account_id`, `client_id` and `client_secret`: a server-to-server OAuth app that only reads.
    read: Option<SecretRef<Read>>,
    /// The same of an app that may change accounts.
    write: SecretRef<Write>,
}

impl crate::providers::Settings for Settings {}

pub struct Zoom;

impl Target for Zoom {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(system: System, s: Settings, look: &Look) -> Eyes {
        let record = look.either(s.read.as_ref(), &s.write);
        Eyes::new(
            look.reader(&system, &s.url, minting(record, look.clock()), explain),
            s.account,
        )
    }

    fn hands(system: System, s: Settings, act: &Act) -> Hands {
        let authorize = minting(act.secret(&s.write), act.clock());
        Hands::new(act.writer(&system, &s.url, authorize, explain))
    }
}

/// developers.zoom.us/docs/internal-apps/s2s-oauth . The form, not the query, which would put the account's id into proxies' logs.
fn minting(record: Credential, clock: Clock) -> Arc<Minting> {
    let grant = Grant {
        what: "sign in to Zoom",
        ask: |record: &Record| {
            let form = [
                ("grant_type", "account_credentials"),
                ("account_id", record.get("account_id")?),
            ];
            Ok(path!["oauth/token"]
                .basic(record.get("client_id")?, record.get("client_secret")?)
                .form(&form))
        },
        check: here,
    };
    Minting::new(grant, record, clock, None)
}

/// A regional account lives at another address, which would send us on, and a redirect takes no credential along.
fn here(_: &Answer, granted: &Granted, http: &Reader) -> Result<(), Failure> {
    let Some(theirs) = granted.api_url.as_deref().and_then(|u| url::Url::parse(u).ok()) else {
        return Ok(());
    };
    if theirs.origin() == http.url().origin() {
        return Ok(());
    }
    let at = theirs.origin().ascii_serialization();
    Err(
        Failure::contradiction("sign in to Zoom", format!("this account's API is at {at}"))
            .hint(format!("set url = \"{at}\" in [systems.{}]", http.system())),
    )
}
