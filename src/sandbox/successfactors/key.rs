//! The OAuth2 client's key pair: made once in a process, when somebody first asks.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::{self, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

#[derive(Default)]
struct Key {
    private: String,
    public: Vec<u8>,
}

fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| made().unwrap_or_default())
}

fn made() -> Option<Key> {
    let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
    let body = BASE64_STANDARD.encode(der.as_ref());
    let lines = body.as_bytes().chunks(64).filter_map(|c| std::str::from_utf8(c).ok());
    let lines = lines.collect::<Vec<_>>().join("\n");
    Some(Key {
        private: format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"),
        public: public.as_ref().to_vec(),
    })
}

/// PKCS #8, PEM.
pub fn private() -> &'static str {
    &key().private
}

/// Did this key sign it (RSA, SHA-256)?
pub(super) fn verified(message: &[u8], signature: &[u8]) -> bool {
    let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &key().public);
    public.verify(message, signature).is_ok()
}
