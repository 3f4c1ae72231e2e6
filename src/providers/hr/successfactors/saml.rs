//! The assertion: a SAML 2.0 bearer assertion, signed enveloped with exclusive canonicalisation and RSA-SHA256.
//!
//! It is written in canonical form to begin with (attributes in order, no empty-element tags, one namespace a name), so that what is
//! hashed is what is sent and no XML has to be parsed. It reads no XML at all.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::model::{Failure, Kind};

const ISSUER: &str = "jml";
const AUDIENCE: &str = "www.successfactors.com";
/// A clock five seconds ahead is refused.
const BACK: TimeDelta = TimeDelta::seconds(5);
const LASTS: TimeDelta = TimeDelta::minutes(5);

fn unusable(summary: &str) -> Failure {
    Failure::new(Kind::Auth, "read the OAuth2 client's private key", summary)
        .hint("read must be the RSA key, as PEM, of the certificate in Manage OAuth2 Client Applications")
}

pub(super) fn assertion(
    user: &str,
    client: &str,
    recipient: &str,
    now: DateTime<Utc>,
    key: &SecretString,
) -> Result<String, Failure> {
    let key = EncodingKey::from_rsa_pem(key.expose_secret().as_bytes())
        .map_err(|_| unusable("it is no RSA private key in PEM"))?;
    let mut random = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| unusable("this machine has no randomness"))?;
    let id = format!("_{}", hex::encode(random));
    let (head, rest) = parts(&id, user, client, recipient, now);
    let digest = BASE64_STANDARD.encode(Sha256::digest(format!("{head}{rest}")));
    let info = signed_info(&id, &digest);
    let signature = crypto::sign(info.as_bytes(), &key, Algorithm::RS256)
        .ok()
        .and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or_else(|| unusable("it can't sign"))?;
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue>{}</ds:SignatureValue></ds:Signature>",
        BASE64_STANDARD.encode(signature)
    );
    Ok(BASE64_STANDARD.encode(format!("{head}{signature}{rest}")))
}

/// Before and after the signature's place.
fn parts(id: &str, user: &str, client: &str, recipient: &str, now: DateTime<Utc>) -> (String, String) {
    let stamp = |t: DateTime<Utc>| t.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (from, to) = (stamp(now - BACK), stamp(now + LASTS));
    let (user, client, recipient) = (escaped(user), escaped(client), escaped(recipient));
    let head = format!(
        "<saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" IssueInstant=\"{from}\" Version=\"2.0\">\
         <saml2:Issuer>{ISSUER}</saml2:Issuer>"
    );
    let rest = format!(
        "<saml2:Subject><saml2:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">{user}</saml2:NameID>\
         <saml2:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml2:SubjectConfirmationData NotOnOrAfter=\"{to}\" Recipient=\"{recipient}\"></saml2:SubjectConfirmationData>\
         </saml2:SubjectConfirmation></saml2:Subject>\
         <saml2:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{to}\"><saml2:AudienceRestriction>\
         <saml2:Audience>{AUDIENCE}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
         <saml2:AuthnStatement AuthnInstant=\"{from}\" SessionIndex=\"{id}\"><saml2:AuthnContext><saml2:AuthnContextClassRef>\
         urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml2:AuthnContextClassRef></saml2:AuthnContext>\
         </saml2:AuthnStatement><saml2:AttributeStatement><saml2:Attribute Name=\"api_key\">\
         <saml2:AttributeValue>{client}</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>"
    );
    (head, rest)
}

fn signed_info(id: &str, digest: &str) -> String {
    const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    format!(
        "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
         <ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{C14N}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

/// As canonical XML writes it; what XML can't hold at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_is_what_is_sent_without_its_signature() {
        let now = "2026-07-15T05:00:00Z".parse().unwrap();
        let (head, rest) = parts("_1", "a&b", "key", "https://api/oauth/token", now);
        assert!(rest.contains(">a&amp;b</saml2:NameID>"));
        assert!(
            head.contains("IssueInstant=\"2026-07-15T04:59:55Z\"")
                && rest.contains("NotOnOrAfter=\"2026-07-15T05:05:00Z\"")
        );
        assert!(
            !format!("{head}{rest}").contains("/>"),
            "canonical form has no empty-element tags"
        );
    }

    #[test]
    fn another_key_is_refused_before_anything_is_sent() {
        let now = "2026-07-15T05:00:00Z".parse().unwrap();
        let failure = assertion("u", "c", "r", now, &"secret-but-no-key".to_owned().into()).unwrap_err();
        assert_eq!(failure.kind, Kind::Auth);
        assert!(!format!("{failure:?}").contains("secret-but-no-key"));
    }
}
