//! Who sits at the keyboard, by a login of their own: the token that `vault login` left, asked about itself.
//!
//! Refuses a token that is nobody's: an AppRole's, root's, one without an entity. It is theirs: neither kept nor revoked.

use serde_json::Value;

use super::{Answer, Call, Plain, Vault, explain};
use crate::{
    config::Reference,
    http::sentence,
    model::{Failure, Kind},
    providers::secrets::LoggedIn,
};

impl Vault {
    /// `None`: the configuration names no place for such a token, or none is there.
    pub(in crate::providers::secrets) async fn operator(&self) -> Result<Option<LoggedIn>, Failure> {
        let Some(reference) = self.operator.as_ref().filter(|r| self.there(r)) else {
            return Ok(None);
        };
        let again = |f: Failure| f.hint("vault login, or take operator out of [systems.vault]");
        let token = self.local.fetch(reference).await.map_err(again)?;
        let what = "ask Vault who is logged in".to_owned();
        let call = Call::Other(Plain::get("auth/token/lookup-self"));
        match self.nodes.ask(Some(&token), &call).await {
            Ok(Answer::Data(data)) => self.named(what, &data).map(Some),
            Ok(Answer::Auth(_) | Answer::Nothing) => Err(Failure::transient(what, "the answer is not one of Vault's")),
            Err(t) if t.dead_token() => Err(again(Failure::new(
                Kind::Auth,
                what,
                "the token has expired or was revoked",
            ))),
            Err(t) => Err(explain::session(what, t)),
        }
    }

    fn there(&self, reference: &Reference) -> bool {
        match reference {
            Reference::File(path) => self.local.folder.join(path).exists(),
            Reference::Env(name) => self.local.env.contains_key(name),
            Reference::Command(_) | Reference::Vault { .. } => true,
        }
    }

    /// The body holds the token itself: four fields are taken out, the rest is dropped unseen.
    fn named(&self, what: String, data: &Value) -> Result<LoggedIn, Failure> {
        let text = |key: &str| data[key].as_str().map(sentence).filter(|t| !t.is_empty());
        let nobody = |why: &str| {
            let why = format!("{why}, which is nobody: it can't answer for what is done");
            Err(Failure::new(Kind::Auth, what.clone(), why).hint("log in as yourself: vault login -method=oidc"))
        };
        let role = data["meta"]["role_name"].is_string();
        match (text("display_name"), text("entity_id")) {
            _ if role || text("path").is_some_and(|p| p.starts_with(&format!("auth/{}/", self.auth))) => {
                nobody("the token is an AppRole's")
            }
            (Some(name), Some(entity)) => Ok(LoggedIn { name, entity }),
            _ => nobody("the token has no entity"),
        }
    }
}
