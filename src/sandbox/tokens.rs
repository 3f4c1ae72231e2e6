//! Access tokens of an OAuth endpoint: whose they are and until when. In memory alone: a restart ends them, and callers get new ones.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};

use super::{twin::Call, world::World};

#[derive(Default)]
pub struct Tokens {
    made: u64,
    live: BTreeMap<String, (String, DateTime<Utc>)>,
}

/// The client id of a credential: 32 letters, as vendors' are.
pub fn client_id(system: &str, right: &str) -> String {
    hex::encode(&Sha256::digest(format!("{system} {right}"))[..16])
}

/// The credential that this pair is.
pub fn known(world: &World, system: &str, id: &str, secret: &str) -> Option<String> {
    let credential = world.credential(system, secret)?;
    let right = credential.name.rsplit('.').next()?;
    (client_id(system, right) == id).then(|| credential.name.clone())
}

impl Tokens {
    pub fn mint(&mut self, credential: &str, secret: &str, now: DateTime<Utc>, life: Duration) -> String {
        self.made += 1;
        self.live.retain(|_, (_, until)| *until > now);
        let token = format!(
            "eyJ{}",
            hex::encode(Sha256::digest(format!("{secret} {} {now}", self.made)))
        );
        self.live.insert(token.clone(), (credential.to_owned(), now + life));
        token
    }
    pub fn revoke(&mut self, token: &str) {
        self.live.remove(token);
    }
    /// Whose bearer it is.
    pub fn bearer(&self, call: &Call) -> Option<&str> {
        let token = call.header("authorization")?.strip_prefix("Bearer ")?.trim();
        let (credential, until) = self.live.get(token)?;
        (*until > call.now).then_some(credential.as_str())
    }
}
