//! One field of a credential that is a record (`{"bot_token": "...", "admin_token": "..."}`).

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    http::Credential,
    model::{Failure, Kind},
};

/// A credential that is no record is the field itself: a system that has one token needs no record.
pub fn field(record: Credential, name: &'static str) -> Credential {
    std::sync::Arc::new(move || {
        let record = record.clone();
        Box::pin(async move {
            let record = record().await?;
            let text = record.expose_secret().trim();
            if !text.starts_with('{') {
                return Ok(text.to_owned().into());
            }
            let fields: Option<BTreeMap<String, SecretString>> = serde_json::from_str(text).ok();
            fields.and_then(|mut f| f.remove(name)).ok_or_else(|| {
                Failure::new(
                    Kind::Auth,
                    "read the credential",
                    format!("the record has no field {name}"),
                )
                .hint(format!("write it as a JSON object with the field {name}"))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(text: &'static str) -> Result<String, Failure> {
        let record: Credential = std::sync::Arc::new(move || Box::pin(async move { Ok(text.to_owned().into()) }));
        let secret = field(record, "bot_token")().await?;
        Ok(secret.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn a_record_gives_its_field_and_a_plain_secret_itself() {
        assert_eq!(
            of("{\"bot_token\": \"xoxb-1\", \"admin_token\": \"xoxp-2\"}")
                .await
                .as_deref(),
            Ok("xoxb-1")
        );
        assert_eq!(of("xoxb-1\n").await.as_deref(), Ok("xoxb-1"));
    }

    #[tokio::test]
    async fn a_missing_field_is_named_and_no_secret_is() {
        let f = of("{\"admin_token\": \"hunter2\"}").await.unwrap_err();
        assert!(f.summary.contains("bot_token") && !format!("{f:?}").contains("hunter2"));
    }
}
