//! Who answers for what is done. Never free text, and asked for only where something is about to be written down: a preview needs nobody.

use tokio::sync::OnceCell;

use super::error::CliError;
use crate::providers::secrets::Secrets;

pub struct Operator {
    name: OnceCell<String>,
    account: String,
    secrets: Option<Secrets>,
}

impl Operator {
    /// Whom the machine let in: sudo's word on a person outranks any token that lies in the account they share.
    pub fn known(name: String) -> Operator {
        Operator {
            name: OnceCell::new_with(Some(name)),
            account: String::new(),
            secrets: None,
        }
    }
    /// Who logged in to Vault, where somebody did; else the account that the process runs as.
    pub fn of(account: String, secrets: Secrets) -> Operator {
        Operator {
            name: OnceCell::new(),
            account,
            secrets: Some(secrets),
        }
    }
    pub async fn name(&self) -> Result<String, CliError> {
        let asked = self.name.get_or_try_init(|| async {
            let logged_in = match &self.secrets {
                Some(secrets) => secrets.operator().await?,
                None => None,
            };
            Ok(logged_in.unwrap_or_else(|| self.account.clone()))
        });
        asked.await.cloned().map_err(|f| CliError::unread(&f))
    }
}

/// Is a principal of the approvers' list the operator of the record? Decided by the login: what stands before an `@`, letters of either
/// case alike. Vault puts its mount before the name and the entity behind it. Where two people share a login, they count as one: too
/// strict is safe here.
pub fn same_person(principal: &str, operator: &str) -> bool {
    let login = |s: &str| {
        let s = s.split(" (Vault entity ").next().unwrap_or(s).trim();
        s.split('@').next().unwrap_or(s).to_lowercase()
    };
    let (principal, operator) = (login(principal), login(operator));
    principal == operator || operator.ends_with(&format!("-{principal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_known_by_the_login() {
        for operator in [
            "dana",
            "Dana",
            "dana@acme.example",
            "dana@corp.acme.example",
            "oidc-dana@acme.example (Vault entity 7d2e)",
            "userpass-dana (Vault entity 7d2e)",
        ] {
            assert!(same_person("dana@acme.example", operator), "{operator}");
            assert!(same_person("dana", operator), "{operator}");
        }
        for operator in ["erin", "danae", "jordana", "root", "oidc-erin (Vault entity dana)"] {
            assert!(!same_person("dana@acme.example", operator), "{operator}");
        }
    }
}
