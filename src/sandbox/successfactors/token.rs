//! `POST /oauth/token`: a token for a SAML assertion that the client's key signed.
//!
//! No XML is parsed: an assertion that isn't in canonical form as sent is refused like one with a wrong signature.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{CLIENT, COMPANY, USER, key};
use crate::sandbox::{
    staff,
    twin::{Call, Reply},
    world::World,
};

const LASTS: i64 = 86_399;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";

fn refused(text: &str) -> Reply {
    Reply::json(
        401,
        &json!({"errorHttpCode": "401", "errorMessage": text, "requestId": "5f9c0a1e-0000-4000-8000-000000000001"}),
    )
}

pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let value = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if value("grant_type") != GRANT {
        return refused("Unsupported grant_type");
    }
    if value("company_id") != COMPANY {
        return refused("Unable to find the company");
    }
    let recipient = format!("{}/oauth/token", call.origin);
    if value("client_id") != CLIENT || !believed(value("assertion"), &recipient, call.now) {
        return refused(
            "Unable to verify the signature of the SAML assertion. Please ensure that the assertion has a signature and the key pairs match the client ID",
        );
    }
    let own = &mut world.successfactors;
    own.given += 1;
    let seed = format!("{} {} {}", call.now, own.given, value("assertion"));
    let token: String = (0..4)
        .map(|i| format!("{:016x}", staff::hash(&format!("{seed} {i}"))))
        .collect();
    own.tokens.push((token.clone(), call.now + TimeDelta::seconds(LASTS)));
    Reply::json(
        200,
        &json!({"access_token": token, "token_type": "Bearer", "expires_in": LASTS}),
    )
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let start = text.find(from)? + from.len();
    let end = text[start..].find(to)? + start;
    Some(&text[start..end])
}

fn believed(assertion: &str, recipient: &str, now: DateTime<Utc>) -> bool {
    checked(assertion, recipient, now).is_some()
}

fn checked(assertion: &str, recipient: &str, now: DateTime<Utc>) -> Option<()> {
    let xml = String::from_utf8(BASE64_STANDARD.decode(assertion).ok()?).ok()?;
    let (open, close) = (xml.find("<ds:Signature ")?, "</ds:Signature>");
    let end = xml.find(close)? + close.len();
    let bare = format!("{}{}", &xml[..open], xml.get(end..)?);
    let signature = xml.get(open..end)?;
    let info_open = signature.find("<ds:SignedInfo ")?;
    let info_close = "</ds:SignedInfo>";
    let info = &signature[info_open..signature.find(info_close)? + info_close.len()];
    let said = between(info, "<ds:DigestValue>", "</ds:DigestValue>")?;
    let is = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, bare.as_bytes()));
    let signed = BASE64_STANDARD
        .decode(between(signature, "<ds:SignatureValue>", "</ds:SignatureValue>")?)
        .ok()?;
    let id = between(&bare, " ID=\"", "\"")?;
    let until: DateTime<Utc> = between(&bare, " NotOnOrAfter=\"", "\"")?.parse().ok()?;
    let from: DateTime<Utc> = between(&bare, " NotBefore=\"", "\"")?.parse().ok()?;
    let element = |name: &str| between(&bare, &format!("<saml2:{name}>"), &format!("</saml2:{name}>"));
    let fits = said == is
        && key::verified(info.as_bytes(), &signed)
        && between(info, "URI=\"#", "\"") == Some(id)
        && element("Audience") == Some("www.successfactors.com")
        && element("AttributeValue") == Some(CLIENT)
        && between(&bare, "nameid-format:unspecified\">", "<") == Some(USER)
        && between(&bare, " Recipient=\"", "\"") == Some(recipient)
        && from <= now
        && now < until;
    fits.then_some(())
}
