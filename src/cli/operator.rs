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
