//! What lets a person in without a password: grants, the clients that hold tokens, API tokens of their own. Sessions themselves can't be
//! listed; the System Log's trace is all there is of them.

use std::collections::BTreeSet;

use super::{
    Directory,
    pages::{self, LIMIT},
    wire,
};
use crate::{
    http::path,
    model::{Failure, Held, Holding, PersonId},
};

/// An API token's name and owner; the token itself is never shown by anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: String,
    pub name: String,
    pub owner: PersonId,
}

/// Those of one person, out of the whole list.
pub fn tokens_of(all: &[ApiToken], id: &PersonId) -> BTreeSet<Held> {
    all.iter()
        .filter(|t| t.owner == *id)
        .map(|t| Held::new(Holding::Token, &t.id, &t.name))
        .collect()
}

fn grant(read: wire::Grant) -> Option<Held> {
    if read.status.as_deref() == Some("REVOKED") {
        return None;
    }
    let name = format!("{} {}", read.client_id, read.scope_id);
    Some(Held::new(Holding::Grant, read.id, name.trim()))
}

fn client(read: wire::Client) -> Held {
    let name = read
        .client_name
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| read.client_id.clone());
    Held::new(Holding::Client, read.client_id, name)
}

impl Directory {
    pub(super) async fn grants_of(&self, id: &PersonId) -> Result<BTreeSet<Held>, Failure> {
        let ask = path!["api/v1/users", id, "grants"].query("limit", LIMIT);
        let read: Vec<wire::Grant> = pages::all(&self.api, ask, "read the grants of a person").await?;
        Ok(read.into_iter().filter_map(grant).collect())
    }

    pub(super) async fn clients_of(&self, id: &PersonId) -> Result<BTreeSet<Held>, Failure> {
        let ask = path!["api/v1/users", id, "clients"];
        let read: Vec<wire::Client> = pages::all(&self.api, ask, "read the OAuth clients of a person").await?;
        Ok(read.into_iter().map(client).collect())
    }

    /// Everybody's, once a run; `tokens_of` picks.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, Failure> {
        let read: Vec<wire::Token> =
            pages::all(&self.api, path!["api/v1/api-tokens"], "read the API tokens of Okta").await?;
        Ok(read
            .into_iter()
            .map(|t| ApiToken {
                id: t.id,
                name: t.name,
                owner: PersonId(t.user_id),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_revoked() {
        let read: Vec<wire::Grant> = serde_json::from_str(
            r#"[{"id":"oag1","status":"ACTIVE","clientId":"0oa1","scopeId":"okta.users.read","issuer":"https://x","userId":"00u1"},
                {"id":"oag2","status":"REVOKED","clientId":"0oa1","scopeId":"okta.logs.read"}]"#,
        )
        .unwrap();
        let held: Vec<Held> = read.into_iter().filter_map(grant).collect();
        assert_eq!(held, [Held::new(Holding::Grant, "oag1", "0oa1 okta.users.read")]);
        let read: wire::Client =
            serde_json::from_str(r#"{"client_id":"0oa2","client_name":null,"_links":{}}"#).unwrap();
        assert_eq!(client(read), Held::new(Holding::Client, "0oa2", "0oa2"));
    }

    #[test]
    fn tokens_are_picked_by_owner() {
        let token = |id: &str, owner: &str| ApiToken {
            id: id.into(),
            name: "nightly-export".into(),
            owner: PersonId(owner.into()),
        };
        let all = [token("00T1", "00u1"), token("00T2", "00u2")];
        let theirs = tokens_of(&all, &PersonId("00u1".into()));
        assert_eq!(theirs.into_iter().map(|h| h.id).collect::<Vec<_>>(), ["00T1"]);
    }
}
