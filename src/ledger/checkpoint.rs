//! A signed statement of how many entries there are and what they are: C2SP tlog-checkpoint in a signed note, byte for byte,
//! so that a stranger's verifier reads ours. Whoever keeps one elsewhere can show that the tail was cut or the past rewritten.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::{LedgerError, seal::Hash};

/// Where the signing key is.
#[derive(Clone)]
pub enum KeyPlace {
    /// PEM, PKCS#8, 0600; made where it doesn't exist.
    File(PathBuf),
    /// PKCS#8, for a ledger that lives in memory.
    Memory(Arc<Vec<u8>>),
}

impl KeyPlace {
    pub fn memory() -> Self {
        // Without random bytes there is no key, and the first checkpoint says so.
        KeyPlace::Memory(Arc::new(make().unwrap_or_default()))
    }
}

fn make() -> Option<Vec<u8>> {
    let made = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).ok()?;
    Some(made.as_ref().to_vec())
}

/// Signs for one tenant's ledger.
pub struct Signer {
    origin: String,
    key: Ed25519KeyPair,
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

impl Signer {
    pub fn load(place: &KeyPlace, tenant: &str) -> Result<Signer, LedgerError> {
        let (bytes, name) = match place {
            KeyPlace::Memory(bytes) => (bytes.to_vec(), "the signing key".to_owned()),
            KeyPlace::File(path) => {
                let unusable = |e: io::Error| LedgerError::Store(format!("signing key {}: {e}", path.display()));
                let pem = match fs::read_to_string(path) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => write_new(path).map_err(unusable)?,
                    other => other.map_err(unusable)?,
                };
                (unpem(&pem).unwrap_or_default(), path.display().to_string())
            }
        };
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes)
            .map_err(|_| LedgerError::Store(format!("{name} is no Ed25519 key in PKCS#8")))?;
        Ok(Signer {
            origin: format!("jml/{tenant}"),
            key,
        })
    }

    /// What a stranger's verifier is given: `name+id+key`.
    pub fn verifier(&self) -> String {
        let mut typed = vec![1];
        typed.extend(self.key.public_key().as_ref());
        format!(
            "{}+{}+{}",
            self.origin,
            hex::encode(self.id()),
            BASE64_STANDARD.encode(typed)
        )
    }

    /// First four bytes of what names a key in a note: name, newline, algorithm, key.
    fn id(&self) -> [u8; 4] {
        let all: Hash = Sha256::new()
            .chain_update(&self.origin)
            .chain_update([b'\n', 1])
            .chain_update(self.key.public_key().as_ref())
            .finalize()
            .into();
        [all[0], all[1], all[2], all[3]]
    }

    pub fn sign(&self, size: u64, root: &Hash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, BASE64_STANDARD.encode(root));
        let mut signature = self.id().to_vec();
        signature.extend(self.key.sign(text.as_bytes()).as_ref());
        format!(
            "{text}\n\u{2014} {} {}\n",
            self.origin,
            BASE64_STANDARD.encode(signature)
        )
    }

    /// Reads a checkpoint and believes it only if this key signed it. Others' signatures beside ours don't matter.
    pub fn open(&self, note: &str) -> Result<(u64, Hash), &'static str> {
        let note = note.replace("\r\n", "\n");
        let (text, signatures) = note.split_once("\n\n").ok_or("it is no checkpoint")?;
        let text = format!("{text}\n");
        let mut lines = text.lines();
        let origin = lines.next().unwrap_or_default();
        let size = lines.next().and_then(|n| n.parse().ok()).ok_or("it has no size")?;
        let root = lines
            .next()
            .and_then(|r| BASE64_STANDARD.decode(r).ok())
            .and_then(|r| Hash::try_from(r).ok())
            .ok_or("it has no root")?;
        if origin != self.origin {
            return Err("it is another ledger's");
        }
        let public = UnparsedPublicKey::new(&ED25519, self.key.public_key().as_ref());
        let ours = signatures
            .lines()
            .filter_map(|l| l.strip_prefix("\u{2014} ")?.split_once(' '))
            .filter(|(name, _)| *name == self.origin)
            .filter_map(|(_, s)| BASE64_STANDARD.decode(s.trim()).ok())
            .filter_map(|s| s.strip_prefix(&self.id()).map(<[u8]>::to_vec))
            .collect::<Vec<_>>();
        if ours.is_empty() {
            return Err("it is signed by another key");
        }
        if ours.iter().any(|s| public.verify(text.as_bytes(), s).is_ok()) {
            Ok((size, root))
        } else {
            Err("its signature does not fit it")
        }
    }
}

fn unpem(pem: &str) -> Option<Vec<u8>> {
    let inner = pem.split_once(BEGIN)?.1.split_once(END)?.0;
    let packed: String = inner.split_whitespace().collect();
    BASE64_STANDARD.decode(packed).ok()
}

/// Written whole beside its place and linked there: two processes that start at once agree on the first one's.
fn write_new(path: &Path) -> io::Result<String> {
    let made = make().ok_or_else(|| io::Error::other("the system gives no random bytes"))?;
    let pem = format!("{BEGIN}\n{}\n{END}\n", BASE64_STANDARD.encode(made));
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(pem),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(path),
        Err(e) => Err(e),
    }
}
