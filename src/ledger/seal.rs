//! One way to turn a draft into an entry, for every store, under the store's lock.
//!
//! The bytes that are hashed are the bytes that are kept: nothing is ever hashed from a value that was parsed and written again.

use aws_lc_rs::rand;
use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};

use super::{
    LedgerError,
    entry::{Body, Draft, Entry, Envelope, Origin, Seq},
};

/// The newest form of an envelope that this release writes.
pub const VERSION: u32 = 1;

pub type Hash = [u8; 32];

/// Whose ledger it is, and which host writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub tenant: String,
    pub host: String,
}

/// The last entry, read under the store's lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub seq: Seq,
    pub hash: Hash,
    /// Whose ledger it is; `None` while it is empty.
    pub tenant: Option<String>,
}

/// What a store keeps of an entry. `salt`, `body`, `subject` and `login` lie apart from the rest and can be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub seq: Seq,
    /// Canonical JSON (RFC 8785).
    pub envelope: Vec<u8>,
    pub hash: Vec<u8>,
    pub text: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub salt: Vec<u8>,
    pub body: Vec<u8>,
    pub subject: Option<String>,
    pub login: Option<String>,
}

pub fn digest(salt: &[u8], body: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

pub fn chain(prev: &Hash, envelope: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(prev)
        .chain_update(envelope)
        .finalize()
        .into()
}

/// What is to be sealed, and where it was written first, if that was elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    pub draft: Draft,
    pub first: Option<First>,
}

/// When and where that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub time: DateTime<Utc>,
    pub host: String,
    pub origin: Origin,
}

impl From<Draft> for Pending {
    fn from(draft: Draft) -> Self {
        Pending { draft, first: None }
    }
}

/// `fence` is the token of the lease under which it is written.
pub fn seal(
    head: &Head,
    meta: &Meta,
    time: DateTime<Utc>,
    fence: Option<i64>,
    pending: impl Into<Pending>,
) -> Result<(Row, Entry), LedgerError> {
    let Pending { draft, first } = pending.into();
    if let Some(ledger) = head.tenant.as_ref().filter(|t| **t != meta.tenant) {
        return Err(LedgerError::WrongTenant {
            ledger: ledger.clone(),
            asked: meta.tenant.clone(),
        });
    }
    let unfit = |e: serde_json::Error| LedgerError::Store(format!("an entry can't be written as JSON: {e}"));
    let mut salt = vec![0; 16];
    rand::fill(&mut salt).map_err(|_| LedgerError::Store("the system gives no random bytes".into()))?;
    let body = serde_json_canonicalizer::to_vec(&draft.body).map_err(unfit)?;
    let (time, host, spooled) = match first {
        Some(first) => (first.time, first.host, Some(first.origin)),
        None => (time, meta.host.clone(), None),
    };
    let envelope = Envelope {
        v: VERSION,
        seq: head.seq + 1,
        // Milliseconds: the same instant in every store.
        time: time.trunc_subsecs(3),
        run: draft.run,
        step: draft.body.step(),
        kind: draft.body.kind().to_owned(),
        operator: draft.operator,
        host,
        tenant: meta.tenant.clone(),
        fence,
        body: hex::encode(digest(&salt, &body)),
        prev: hex::encode(head.hash),
        spooled,
    };
    let bytes = serde_json_canonicalizer::to_vec(&envelope).map_err(unfit)?;
    let hash = chain(&head.hash, &bytes);
    let row = Row {
        seq: envelope.seq,
        envelope: bytes,
        hash: hash.to_vec(),
        text: Some(Text {
            salt,
            body,
            subject: draft.body.subject().map(str::to_owned),
            login: draft.body.login().map(str::to_owned),
        }),
    };
    let entry = Entry {
        envelope,
        hash: hex::encode(hash),
        body: Some(draft.body),
    };
    Ok((row, entry))
}

impl Row {
    pub fn head(&self) -> Result<Head, LedgerError> {
        Ok(Head {
            seq: self.seq,
            hash: self.hash()?,
            tenant: Some(self.envelope()?.tenant),
        })
    }
    pub fn hash(&self) -> Result<Hash, LedgerError> {
        self.hash
            .as_slice()
            .try_into()
            .map_err(|_| LedgerError::corrupt(self.seq, "the hash is not 32 bytes long"))
    }
    pub fn envelope(&self) -> Result<Envelope, LedgerError> {
        serde_json::from_slice(&self.envelope)
            .map_err(|e| LedgerError::corrupt(self.seq, format!("the envelope can't be read: {e}")))
    }
    /// Reads it; proves nothing (`proof` does).
    pub fn entry(&self) -> Result<Entry, LedgerError> {
        let envelope = self.envelope()?;
        let body = match &self.text {
            None => None,
            Some(text) => Some(match serde_json::from_slice(&text.body) {
                Ok(body) => body,
                // A newer release may have given a known kind other fields.
                Err(_) if envelope.v > VERSION => Body::Opaque,
                Err(e) => return Err(LedgerError::corrupt(self.seq, format!("the body can't be read: {e}"))),
            }),
        };
        Ok(Entry {
            envelope,
            hash: hex::encode(&self.hash),
            body,
        })
    }
}
