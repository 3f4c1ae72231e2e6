//! The key pair of a start, for those who sign what they ask with one: made once in a process, when somebody first asks.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::{self, KeyPair as _, UnparsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

struct Key {
    private: String,
    public: Vec<u8>,
}

fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| {
        made().unwrap_or(Key {
            private: String::new(),
            public: Vec::new(),
        })
    })
}

fn made() -> Option<Key> {
    let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
    let body = STANDARD.encode(der.as_ref());
    let lines = body.as_bytes().chunks(64).filter_map(|c| std::str::from_utf8(c).ok());
    let private = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.collect::<Vec<_>>().join("\n")
    );
    let public = public.as_ref().to_vec();
    Some(Key { private, public })
}

/// PKCS #8, PEM.
pub fn private() -> &'static str {
    &key().private
}

/// Header and claims of a JWT (RS256) that this key signed.
pub fn signed(jwt: &str) -> Option<(Value, Value)> {
    let (message, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let header = json(header)?;
    if header["alg"] != "RS256" {
        return None;
    }
    let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &key().public);
    public
        .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    Some((header, json(claims).filter(Value::is_object)?))
}
