//! An approval: what one person signed, so that another may act. SSHSIG over a text that names every plan by its whole id.
//!
//! Says whose key made a signature, never whether that key may: who is listed is the configuration's to say.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::Subject;
use crate::model::PlanId;

/// A signature for anything else (a commit, a file) is none for this.
pub const NAMESPACE: &str = "jml-approve@v1";
/// No signature is good for longer.
pub const LONGEST: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// One person in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The whole id, whatever screens show.
    pub plan: PlanId,
    /// Hash of the entry that held it: the chain up to there is signed with it.
    pub entry: String,
    /// For the eyes of whoever signs.
    pub login: String,
    /// The plan was the part that could be done without asking: what comes after it is approved.
    pub rest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub tenant: String,
    pub run: String,
    pub people: BTreeMap<Subject, Of>,
    pub expires: DateTime<Utc>,
}

/// As the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub approval: Approval,
    /// Whose key it was when it was written down: the first name that the configuration has for it.
    pub signer: String,
    /// `SHA256:…`
    pub key: String,
    /// SSHSIG, armored.
    pub signature: String,
}

const EXPIRES: &str = "expires\t";

impl Approval {
    /// What is signed, byte for byte. Fields stand between tabs and what could hold one is escaped, so that two approvals never
    /// have one text.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{NAMESPACE}\ntenant\t{}\nrun\t{}\n{EXPIRES}{}\n",
            self.tenant.escape_default(),
            self.run.escape_default(),
            self.expires.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        for (subject, of) in &self.people {
            let what = if of.rest { "what comes after plan" } else { "plan" };
            out += &format!(
                "{what} {}\theld by {}\t{}\t{}\n",
                of.plan.0.escape_default(),
                of.entry.escape_default(),
                subject.escape_default(),
                of.login.escape_default()
            );
        }
        out
    }

    /// When a text of this form ends: the one thing in it that whoever signed could choose.
    pub fn ends(text: &str) -> Option<DateTime<Utc>> {
        let mut lines = text.lines().filter_map(|l| l.strip_prefix(EXPIRES));
        lines.next()?.parse().ok()
    }
}

/// Whose key signed a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub fingerprint: String,
}

/// With a key of a file's own. One of a security key, of an agent or behind a passphrase signs by `ssh-keygen -Y sign`.
pub fn sign(key: &PrivateKey, text: &str) -> Result<String, String> {
    let signature = key
        .sign(NAMESPACE, HashAlg::Sha512, text.as_bytes())
        .map_err(|e| e.to_string())?;
    signature.to_pem(LineEnding::LF).map_err(|e| e.to_string())
}

/// The key that made this signature over this text in our namespace, and nothing if none did.
pub fn signed(text: &str, signature: &str) -> Result<Key, String> {
    let signature = SshSig::from_pem(signature.trim()).map_err(|_| "it is no SSH signature".to_owned())?;
    if signature.namespace() != NAMESPACE {
        return Err(format!(
            "it was made for \"{}\", not for {NAMESPACE}",
            signature.namespace().escape_default()
        ));
    }
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(NAMESPACE, text.as_bytes(), &signature)
        .map_err(|_| "it was not made over this text".to_owned())?;
    // A security key says in its signature whether somebody touched it.
    let hardware = key.key_data().is_sk_ed25519() || key.key_data().is_sk_ecdsa_p256();
    if hardware && !touched(signature.signature_bytes()) {
        return Err("nobody touched the security key that made it".to_owned());
    }
    Ok(Key {
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    })
}

/// It ends in a byte of flags and a counter of four.
fn touched(signature: &[u8]) -> bool {
    signature
        .len()
        .checked_sub(5)
        .and_then(|at| signature.get(at))
        .is_some_and(|flags| flags & 1 == 1)
}

#[cfg(test)]
mod tests {
    use ssh_key::private::Ed25519Keypair;

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
    }

    fn approval() -> Approval {
        let of = Of {
            plan: PlanId("ab".repeat(32)),
            entry: "cd".repeat(32),
            login: "alice@acme.example".into(),
            rest: false,
        };
        Approval {
            tenant: "00o1".into(),
            run: "r-5k2m9q".into(),
            people: BTreeMap::from([("00u1".to_owned(), of)]),
            expires: "2026-03-03T09:05:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_is_signed_names_every_plan_and_ends() {
        let text = approval().text();
        assert_eq!(
            text,
            format!(
                "jml-approve@v1\ntenant\t00o1\nrun\tr-5k2m9q\nexpires\t2026-03-03T09:05:00Z\nplan {}\theld by {}\t00u1\talice@acme.example\n",
                "ab".repeat(32),
                "cd".repeat(32)
            )
        );
        assert_eq!(Approval::ends(&text), Some(approval().expires));
        let mut rest = approval();
        rest.people.get_mut("00u1").unwrap().rest = true;
        assert!(rest.text().contains("\nwhat comes after plan abab"));
        // A name can't add a line or a field.
        let mut hostile = approval();
        hostile.people.get_mut("00u1").unwrap().login = "a\nplan x\t\u{202e}".into();
        let text = hostile.text();
        assert_eq!(text.lines().count(), 5);
        assert!(text.ends_with("\ta\\nplan x\\t\\u{202e}\n"), "{text}");
    }

    #[test]
    fn a_signature_is_for_one_text_in_one_namespace() {
        let key = key();
        let text = approval().text();
        let signature = sign(&key, &text).unwrap();
        let whose = signed(&text, &signature).unwrap();
        assert_eq!(whose.fingerprint, key.fingerprint(HashAlg::Sha256).to_string());
        let mut later = approval();
        later.expires += chrono::TimeDelta::seconds(1);
        assert!(signed(&later.text(), &signature).unwrap_err().contains("this text"));
        let commit = key.sign("git", HashAlg::Sha512, text.as_bytes()).unwrap();
        let commit = commit.to_pem(LineEnding::LF).unwrap();
        assert!(signed(&text, &commit).unwrap_err().contains("made for \"git\""));
        assert!(signed(&text, "-----BEGIN").is_err());
    }

    #[test]
    fn a_security_key_says_whether_it_was_touched() {
        assert!(touched(&[9, 9, 0x01, 0, 0, 0, 7]));
        assert!(!touched(&[9, 9, 0x04, 0, 0, 0, 7]));
        assert!(!touched(&[1, 0, 0]));
    }
}
