//! Which organisation answers, and how it is set up for us: the schema of its people, whose token we hold.
//!
//! The organisation is asked without a credential, so that a wrong tenant is refused before any credential is fetched.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Directory,
    explain::{absent, explain},
    wire,
};
use crate::{http::path, model::Failure};

/// One attribute of people's profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// `string`, `boolean`, …: a date in a string compares as text on the server.
    pub kind: Option<String>,
    pub format: Option<String>,
    pub master: Option<String>,
}

/// Of one rate-limit bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    pub limit: u32,
    pub left: u32,
}

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

    /// The attributes of people and who masters each: `PROFILE_MASTER` is HR's, `OKTA` Okta's own. For doctor: is what policy reads there?
    pub async fn attributes(&self) -> Result<BTreeMap<String, Attribute>, Failure> {
        let ask = path!["api/v1/meta/schemas/user/default"].what("read the schema of people in Okta");
        let schema: wire::Schema = self.api.get(ask).await?.json()?;
        let both = [schema.definitions.base, schema.definitions.custom];
        Ok(both
            .into_iter()
            .flat_map(|part| part.properties)
            .map(|(name, p)| {
                let attribute = Attribute {
                    kind: p.kind,
                    format: p.format,
                    master: p.master.and_then(|m| m.kind),
                };
                (name, attribute)
            })
            .collect())
    }

    /// Whose API token reads: it dies with that person. `None`: a service app's, or nobody's.
    pub async fn token_owner(&self) -> Result<Option<String>, Failure> {
        let what = "read whose API token this is";
        let answer = self.api.get(path!["api/v1/users/me"].accept(404).what(what)).await?;
        match answer.status {
            404 if absent(&answer) => Ok(None),
            404 => Err(explain(&answer, what)),
            _ => Ok(answer.json::<wire::User>()?.text("login")),
        }
    }

    /// How far Okta's clock is ahead of this host's, by the header of an answer that needs no credential; to the second.
    pub async fn ahead(&self) -> Result<Option<TimeDelta>, Failure> {
        let ask = path![".well-known/okta-organization"].what("read the clock of Okta");
        let answer = self.open.get(ask).await?;
        let now = (self.open.clock())();
        let said = answer.header("date").and_then(|d| DateTime::parse_from_rfc2822(d).ok());
        Ok(said.map(|d| d.with_timezone(&Utc) - now))
    }

    /// How many calls a minute Okta grants for reading people, and how many are left.
    pub async fn headroom(&self) -> Result<Option<Headroom>, Failure> {
        let ask = path!["api/v1/users"].query("limit", 1).what("read people in Okta");
        let answer = self.api.get(ask).await?;
        let number = |name: &str| answer.header(name).and_then(|v| v.parse().ok());
        Ok(number("x-rate-limit-limit")
            .zip(number("x-rate-limit-remaining"))
            .map(|(limit, left)| Headroom { limit, left }))
    }

    /// The organisation, if it is the one that the configuration names.
    pub async fn is_pinned(&self) -> Result<String, Failure> {
        let Some(pin) = &self.org else {
            return Err(
                Failure::permanent("compare the Okta organisation", "the configuration names none")
                    .run("write the pin into [systems.okta]", "jml config init"),
            );
        };
        let found = self.organisation().await?;
        if found == *pin {
            return Ok(found);
        }
        Err(Failure::wrong_tenant("compare the Okta organisation", pin, &found)
            .hint("is the url in [systems.okta] that of another organisation? jml config init writes the pin"))
    }
}
