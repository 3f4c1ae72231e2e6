//! What a service app signs: the assertion that it is who it says (RFC 7523) and, where the app demands it, proofs that it holds the key
//! to which its token is bound (RFC 9449, DPoP).
//!
//! The key itself is `providers::signing`'s; that of a proof never leaves this process.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    model::{Failure, Kind},
    providers::signing::SigningKey,
};

/// How long an assertion may be used; Okta refuses more than an hour.
const ASSERTION_SECONDS: i64 = 300;

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Serialize)]
struct Proof<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

impl SigningKey {
    /// `audience` is exactly the token endpoint.
    pub fn assertion(&self, client: &str, audience: &str, now: DateTime<Utc>) -> Result<String, Failure> {
        self.sign(&Assertion {
            iss: client,
            sub: client,
            aud: audience,
            iat: now.timestamp(),
            exp: now.timestamp() + ASSERTION_SECONDS,
            jti: fresh_id()?,
        })
    }
}

/// A key pair of this process alone: it never leaves memory, and the token is worth nothing without it.
pub struct ProofKey {
    key: EncodingKey,
    header: Header,
}

impl ProofKey {
    pub fn generate() -> Result<Self, Failure> {
        let failed = || Failure::new(Kind::Auth, "make a DPoP key", "the random source failed");
        let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &aws_lc_rs::rand::SystemRandom::new(),
        )
        .map_err(|_| failed())?;
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| failed())?;
        // The key alone: what it is for is said by `typ`.
        public.common = Default::default();
        header.jwk = Some(public);
        Ok(ProofKey { key, header })
    }

    /// `url` without query or fragment. `token`: the access token that goes with it (none at the token endpoint).
    pub fn proof(
        &self,
        method: &str,
        url: &str,
        nonce: Option<&str>,
        token: Option<&SecretString>,
        now: DateTime<Utc>,
    ) -> Result<String, Failure> {
        let claims = Proof {
            htm: method,
            htu: url.split(['?', '#']).next().unwrap_or(url),
            iat: now.timestamp(),
            jti: fresh_id()?,
            nonce,
            ath: token.map(|t| BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(t.expose_secret()))),
        };
        encode(&self.header, &claims, &self.key)
            .map_err(|_| Failure::new(Kind::Auth, "sign a DPoP proof", "signing failed"))
    }
}

/// A spent `jti` is refused for good: it comes from the system's random source, never from a seed.
fn fresh_id() -> Result<String, Failure> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Failure::new(Kind::Auth, "make an assertion", "the random source failed"))?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    /// A P-256 key made for this test, in PKCS#8.
    fn pem() -> SecretString {
        let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &aws_lc_rs::rand::SystemRandom::new(),
        )
        .unwrap();
        let body = base64::prelude::BASE64_STANDARD.encode(pkcs8.as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into()
    }

    fn claims(token: &str) -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_says_who_to_whom_and_until_when() {
        let now = "2026-07-15T05:00:00Z".parse().unwrap();
        let pem = pem();
        let key = SigningKey::read(&pem, Some("k1")).unwrap();
        let audience = "https://acme.okta.com/oauth2/v1/token";
        let signed = key.assertion("0oa1", audience, now).unwrap();
        let header = decode_header(&signed).unwrap();
        assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::ES256, Some("k1")));
        let said = claims(&signed);
        assert_eq!(
            (&said["iss"], &said["sub"], &said["aud"]),
            (&"0oa1".into(), &"0oa1".into(), &audience.into())
        );
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 300);
        let again = claims(&key.assertion("0oa1", audience, now).unwrap());
        assert_ne!(said["jti"], again["jti"]);
    }

    #[test]
    fn a_proof_is_bound_to_the_call_and_to_the_token() {
        let now = "2026-07-15T05:00:00Z".parse().unwrap();
        let key = ProofKey::generate().unwrap();
        let token = SecretString::from("abc");
        let signed = key
            .proof(
                "GET",
                "https://acme.okta.com/api/v1/users?limit=200",
                None,
                Some(&token),
                now,
            )
            .unwrap();
        let header = decode_header(&signed).unwrap();
        assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
        let jwk = header.jwk.unwrap();
        let said = claims(&signed);
        assert_eq!(
            (&said["htm"], &said["htu"]),
            (&"GET".into(), &"https://acme.okta.com/api/v1/users".into())
        );
        // base64url(sha256("abc"))
        assert_eq!(said["ath"], "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert!(said.get("nonce").is_none());
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        decode::<Value>(&signed, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        let first = key
            .proof("POST", "https://acme.okta.com/oauth2/v1/token", Some("n1"), None, now)
            .unwrap();
        assert_eq!(claims(&first)["nonce"], "n1");
        assert!(claims(&first).get("ath").is_none());
    }
}
