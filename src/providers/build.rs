//! What a provider is made from. Before anyone agreed there is `Look`, which makes Readers; `Act` makes Writers, and nothing but an
//! `Agreed` makes an `Act`.

use std::{path::Path, sync::Arc};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    Deliver, Employ, Observe, Perform, Testify,
    secrets::{Secrets, vault::Vault},
};
use crate::{
    config::{BaseUrl, Read, Roster, SecretRef, Write},
    http::{Authorize, Client, Clock, Credential, Explain, Reader, Writer},
    model::System,
    planner::consent::Agreed,
};

/// Eyes are made from this.
#[derive(Clone)]
pub struct Look {
    client: Arc<Client>,
    secrets: Secrets,
}

impl Look {
    pub fn new(client: Arc<Client>, secrets: Secrets) -> Self {
        Look { client, secrets }
    }
    pub fn clock(&self) -> Clock {
        self.client.clock()
    }
    /// The addresses that this host is seen at, as the configuration says.
    pub fn egress(&self) -> Vec<String> {
        self.client.egress().to_vec()
    }
    /// How far the systems that have answered are ahead of this host.
    pub fn ahead(&self) -> Option<chrono::TimeDelta> {
        self.client.ahead()
    }
    /// The configuration's folder, where relative paths start.
    pub fn folder(&self) -> &Path {
        self.secrets.folder()
    }
    /// Where the configuration keeps secrets, beside this machine.
    pub fn vault(&self) -> Option<&Vault> {
        self.secrets.vault()
    }
    /// A read credential; fetched when the first call needs it.
    pub fn secret(&self, secret: &SecretRef<Read>) -> Credential {
        self.secrets.lazily(secret)
    }
    /// The usual pair of keys: `read`, or where it is left out, `write`.
    pub fn either(&self, read: Option<&SecretRef<Read>>, write: &SecretRef<Write>) -> Credential {
        match read {
            Some(read) => self.secret(read),
            None => self.secret(&write.serves_reads()),
        }
    }
    pub fn reader(&self, system: &System, url: &BaseUrl, authorize: Arc<dyn Authorize>, explain: Explain) -> Reader {
        self.client.reader(system, url.as_url(), authorize, explain)
    }
    /// Without a credential: for what is public.
    pub fn anonymous(&self, system: &System, url: &BaseUrl, explain: Explain) -> Reader {
        self.client.anonymous(system, url.as_url(), explain)
    }
}

/// Hands are made from this.
#[derive(Clone)]
pub struct Act(Look);

impl Act {
    pub fn after(look: Look, _: &Agreed) -> Self {
        Act(look)
    }
    pub fn look(&self) -> &Look {
        &self.0
    }
    pub fn clock(&self) -> Clock {
        self.0.clock()
    }
    pub fn secret(&self, secret: &SecretRef<Write>) -> Credential {
        self.0.secrets.lazily(secret)
    }
    pub fn writer(&self, system: &System, url: &BaseUrl, authorize: Arc<dyn Authorize>, explain: Explain) -> Writer {
        self.0.client.writer(system, url.as_url(), authorize, explain)
    }
}

/// The settings of one system: what stands under `[systems.NAME]` beside `kind`. `deny_unknown_fields`, please.
pub trait Settings: DeserializeOwned + JsonSchema {
    /// What serde can't say: keys that exclude each other, one of two that must be there. The error names the section.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A system in which a person has an account.
pub trait Target: 'static {
    type Settings: Settings;
    type Eyes: Observe;
    type Hands: Perform;
    fn eyes(system: System, settings: Self::Settings, look: &Look) -> Self::Eyes;
    fn hands(system: System, settings: Self::Settings, act: &Act) -> Self::Hands;
}

/// A system that is told, after the fact.
pub trait Records: 'static {
    type Settings: Settings;
    type Recorder: Deliver;
    fn recorder(system: System, settings: Self::Settings, act: &Act) -> Self::Recorder;
}

/// A system that says who is employed. `words` is `[roster]`: names of attributes, forms of dates.
pub trait Source: 'static {
    type Settings: Settings;
    type Roster: Employ;
    /// What this source needs `[roster]` to say.
    fn accepts(words: &Roster) -> Result<(), String> {
        let _ = words;
        Ok(())
    }
    fn roster(system: System, settings: Self::Settings, words: &Roster, look: &Look) -> Self::Roster;
}

/// A system that saw something, and is never acted upon.
pub trait Watches: 'static {
    type Settings: Settings;
    type Witness: Testify;
    fn witness(system: System, settings: Self::Settings, look: &Look) -> Self::Witness;
}
