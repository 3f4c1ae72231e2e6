//! Which organisation answers. Asked without a credential, so that a wrong tenant is refused before any credential is fetched.

use super::{Directory, wire};
use crate::{
    http::path,
    model::{Failure, Kind},
};

impl Directory {
    /// The organisation's id, as its own address tells it.
    pub async fn organisation(&self) -> Result<String, Failure> {
        let ask = path![".well-known/okta-organization"].what("read the organisation's id");
        let told: wire::Organisation = self.open.get(ask).await?.json()?;
        if told.id.is_empty() {
            return Err(Failure::contradiction(
                "read the organisation's id",
                "the answer holds none",
            ));
        }
        Ok(told.id)
    }

    /// Is it the one that the configuration names?
    pub async fn is_pinned(&self) -> Result<(), Failure> {
        let Some(pin) = &self.org else {
            return Err(
                Failure::permanent("compare the Okta organisation", "the configuration names none")
                    .run("write the pin into [systems.okta]", "jml config init"),
            );
        };
        let found = self.organisation().await?;
        if found == *pin {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Contradiction,
            "compare the Okta organisation",
            format!("the configuration names {pin}, the server says {found}"),
        )
        .code("wrong-tenant")
        .hint("is the url in [systems.okta] that of another organisation? jml config init writes the pin"))
    }
}
