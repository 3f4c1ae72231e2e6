//! A private key in PEM form that signs JWTs: what a service app or a service account is known by.
//!
//! Refuses a key that it can't use before anything is sent, and says how to turn it into one that it can.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::model::{Failure, Kind};

/// A private key, with the algorithm that fits it.
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    id: Option<String>,
}

fn unusable(summary: &str) -> Failure {
    Failure::new(Kind::Auth, "read the private key", summary)
}

impl SigningKey {
    pub fn read(pem: &SecretString, id: Option<&str>) -> Result<Self, Failure> {
        let text = pem.expose_secret();
        if text.trim_start().starts_with('{') {
            return Err(unusable("it is a JWK; PEM is wanted").hint("copy the key as PEM from the app's page in Okta"));
        }
        if text.contains("BEGIN EC PRIVATE KEY") {
            return Err(unusable("it is an EC key in SEC1 form; PKCS#8 is wanted").run(
                "turn it into PKCS#8",
                "openssl pkcs8 -topk8 -nocrypt -in key.pem -out key8.pem",
            ));
        }
        if text.contains("ENCRYPTED") {
            return Err(unusable("it is encrypted with a passphrase").run(
                "store it without one where only jml can read it",
                "openssl pkcs8 -topk8 -nocrypt -in key.pem -out key8.pem",
            ));
        }
        let bytes = text.as_bytes();
        // The curve is known only by trying: signing with the wrong one is refused.
        let tries = [
            (Algorithm::RS256, EncodingKey::from_rsa_pem(bytes)),
            (Algorithm::ES256, EncodingKey::from_ec_pem(bytes)),
            (Algorithm::ES384, EncodingKey::from_ec_pem(bytes)),
        ];
        for (algorithm, key) in tries {
            let Ok(key) = key else { continue };
            if encode(&Header::new(algorithm), &(), &key).is_ok() {
                return Ok(SigningKey {
                    key,
                    algorithm,
                    id: id.map(str::to_owned),
                });
            }
        }
        Err(unusable("it is no RSA or EC private key in PEM form (PKCS#8)").run(
            "turn it into PKCS#8",
            "openssl pkcs8 -topk8 -nocrypt -in key.pem -out key8.pem",
        ))
    }

    /// A JWT of these claims.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Failure> {
        let mut header = Header::new(self.algorithm);
        header.kid.clone_from(&self.id);
        encode(&header, claims, &self.key).map_err(|_| unusable("signing with it failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_another_form_is_named_with_its_cure() {
        for (text, says) in [
            (
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
                "SEC1",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
                "passphrase",
            ),
            ("{\"kty\":\"RSA\"}", "JWK"),
            ("hunter2", "no RSA or EC"),
        ] {
            let refused = SigningKey::read(&text.to_owned().into(), None).err().unwrap();
            assert!(refused.summary.contains(says), "{refused}");
            assert!(refused.hint.is_some() && !refused.to_string().contains("hunter2"));
        }
    }
}
