//! `/oauth2/v1/token`: access for service apps, by an assertion signed with their key; proofs of possession (DPoP).
//!
//! Its refusals have OAuth's shape, not Okta's. Time is the request's: the JWT library's own clock is never asked.

use aws_lc_rs::rand;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Header, crypto, decode_header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::{Refusal, refuse};
use super::model::{Access, Client, Role, Time};
use super::{Okta, letters, mix, page};
use crate::sandbox::twin::{Call, Reply};
use crate::sandbox::world::World;

pub const SERVICE: &str = "0oa00000000000000JML";
pub const SERVICE_DPOP: &str = "0oa0000000000000DPOP";
const KEY_ID: &str = "jml-1";

/// What a service app of the firm is granted: what the lifecycle needs, and no more.
const GRANTED: &[&str] = &[
    "okta.users.read",
    "okta.users.manage",
    "okta.groups.read",
    "okta.groups.manage",
    "okta.apps.read",
    "okta.apps.manage",
    "okta.logs.read",
    "okta.roles.read",
    "okta.schemas.read",
    "okta.userTypes.read",
    "okta.profileMappings.read",
    "okta.apiTokens.read",
    "okta.apiTokens.manage",
    "okta.orgs.read",
    "okta.linkedObjects.read",
];

/// (status, error, description): what is wrong with a request to the token endpoint.
struct Wrong(u16, &'static str, String);

fn client_wrong(text: &str) -> Wrong {
    Wrong(401, "invalid_client", text.into())
}

impl Wrong {
    fn reply(self) -> Reply {
        Reply::json(self.0, &json!({"error": self.1, "error_description": self.2}))
    }
}

/// The service apps' one key: the private half for the endpoints file, the public half as a JWK.
#[derive(Default)]
pub struct Key {
    private: String,
    public: Value,
}

/// Two service apps with one key: one by Bearer, one that demands DPoP.
pub fn make_clients(okta: &mut Okta) {
    for (id, name, dpop) in [
        (SERVICE, "Lifecycle", false),
        (SERVICE_DPOP, "Lifecycle with DPoP", true),
    ] {
        let client = Client {
            id: id.into(),
            name: name.into(),
            scopes: GRANTED.iter().map(|s| (*s).to_owned()).collect(),
            dpop,
            role: Role::Custom,
        };
        okta.clients.insert(id.into(), client);
    }
}

/// Made when somebody first asks: the library's source of randomness takes a tenth of a second to warm up.
fn key(okta: &Okta) -> &Key {
    okta.client_key.get_or_init(|| made().unwrap_or_default())
}

fn made() -> Option<Key> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
    let private = pem(pair.to_pkcs8v1().ok()?.as_ref());
    let point = pair.public_key().as_ref();
    let public = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY_ID,
        "x": URL_SAFE_NO_PAD.encode(point.get(1..33)?), "y": URL_SAFE_NO_PAD.encode(point.get(33..)?)});
    Some(Key { private, public })
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|c| std::str::from_utf8(c).ok())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

/// Further keys of the endpoints file.
pub fn endpoints(w: &World, _origin: &str) -> Value {
    json!({"org": w.okta.org_id, "client_id": SERVICE, "dpop_client_id": SERVICE_DPOP, "key_id": KEY_ID, "private_key": key(&w.okta).private})
}

fn form(call: &Call) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&call.body).into_owned().collect()
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
}

pub fn mint(w: &mut World, call: &Call) -> Reply {
    granted(&mut w.okta, call).unwrap_or_else(|e| e)
}

fn granted(okta: &mut Okta, call: &Call) -> Result<Reply, Reply> {
    let form = form(call);
    if value(&form, "grant_type") != "client_credentials" {
        return Err(Wrong(
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported.".into(),
        )
        .reply());
    }
    if !value(&form, "client_secret").is_empty() || call.header("authorization").is_some() {
        let text = "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.";
        return Err(client_wrong(text).reply());
    }
    let client = assertion(okta, call, value(&form, "client_assertion")).map_err(Wrong::reply)?;
    let asked: Vec<&str> = value(&form, "scope").split_whitespace().collect();
    if asked.is_empty() {
        return Err(Wrong(400, "invalid_scope", "No scopes were requested.".into()).reply());
    }
    let scopes: std::collections::BTreeSet<String> = asked
        .iter()
        .filter(|s| client.scopes.contains(**s))
        .map(|s| (*s).to_owned())
        .collect();
    if scopes.is_empty() {
        let text = "One or more scopes are not configured for the authorization server resource.";
        return Err(Wrong(400, "invalid_scope", text.into()).reply());
    }
    let key = possession(okta, call, &client)?;
    let mut random = [0_u8; 48];
    if rand::fill(&mut random).is_err() {
        return Err(Reply::empty(500));
    }
    let token = format!("eyJ{}", URL_SAFE_NO_PAD.encode(random));
    let kind = if key.is_some() { "DPoP" } else { "Bearer" };
    let said: Vec<&str> = asked.into_iter().filter(|s| scopes.contains(*s)).collect();
    let body = json!({"token_type": kind, "expires_in": 3600, "access_token": token, "scope": said.join(" ")});
    let access = Access {
        client: client.id,
        scopes,
        expires: call.now + TimeDelta::seconds(3600),
        key,
    };
    okta.access.retain(|_, a| a.expires > call.now);
    okta.access.insert(token, access);
    Ok(Reply::json(200, &body).with("cache-control", "no-store"))
}

/// Which app signed it. Its `jti` is spent whatever comes after.
fn assertion(okta: &mut Okta, call: &Call, jwt: &str) -> Result<Client, Wrong> {
    let invalid = || client_wrong("The client_assertion token is invalid.");
    if jwt.is_empty() {
        return Err(client_wrong(
            "A client_assertion must be provided in order to use this token_endpoint_auth_method.",
        ));
    }
    let header = decode_header(jwt).map_err(|_| invalid())?;
    let claims = claims(jwt).ok_or_else(invalid)?;
    let client = claims["sub"]
        .as_str()
        .filter(|sub| claims["iss"] == *sub)
        .and_then(|sub| okta.clients.get(sub))
        .cloned();
    let client = client.ok_or_else(|| client_wrong("Invalid value for 'client_id' parameter."))?;
    let key = &key(okta).public;
    if key["kid"].as_str() != header.kid.as_deref() {
        return Err(client_wrong("The JWT kid is invalid."));
    }
    let key: Jwk = serde_json::from_value(key.clone()).map_err(|_| invalid())?;
    if !signed(jwt, &key, header.alg) {
        return Err(client_wrong("The client_assertion signature is invalid."));
    }
    let endpoint = format!("{}{}", call.origin, call.path);
    let audience = match &claims["aud"] {
        Value::Array(all) => all.iter().any(|a| *a == endpoint.as_str()),
        one => *one == endpoint.as_str(),
    };
    if !audience {
        return Err(client_wrong(
            "The audience claim for client_assertion must be the endpoint invoked for the request.",
        ));
    }
    let now = call.now.timestamp();
    let exp = claims["exp"].as_i64().ok_or_else(invalid)?;
    if exp <= now {
        return Err(client_wrong("The client_assertion token is expired."));
    }
    if exp > now + 3600 {
        return Err(client_wrong(
            "The client_assertion token has an expiration too far into the future.",
        ));
    }
    if claims["iat"].as_i64().is_some_and(|iat| iat > now) {
        return Err(client_wrong(
            "The client_assertion token must be issued before the current time.",
        ));
    }
    if let Some(jti) = claims["jti"].as_str() {
        let until = Time::from_timestamp(exp, 0).unwrap_or(call.now);
        if okta
            .spent
            .insert(format!("assertion {} {jti}", client.id), until)
            .is_some()
        {
            return Err(client_wrong("The client_assertion token has already been used."));
        }
    }
    Ok(client)
}

fn claims(jwt: &str) -> Option<Value> {
    let body = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&body).ok().filter(Value::is_object)
}

fn signed(jwt: &str, key: &Jwk, alg: Algorithm) -> bool {
    let asymmetric = !matches!(alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    let (Some((message, signature)), Ok(key)) = (jwt.rsplit_once('.'), DecodingKey::from_jwk(key)) else {
        return false;
    };
    asymmetric && crypto::verify(signature, message.as_bytes(), &key, alg).unwrap_or(false)
}

/// What a proof shows: whose key it is, and the nonce it carries.
pub struct Proof {
    pub key: String,
    nonce: Option<String>,
}

/// At the token endpoint: with a nonce of ours. An app that needn't prove anything may, and is then bound to its key.
fn possession(okta: &mut Okta, call: &Call, client: &Client) -> Result<Option<String>, Reply> {
    if call.header("dpop").is_none() {
        if client.dpop {
            return Err(Wrong(
                400,
                "invalid_dpop_proof",
                "The DPoP proof JWT header is missing.".into(),
            )
            .reply());
        }
        return Ok(None);
    }
    let proof = checked(okta, call, None).map_err(|text| Wrong(400, "invalid_dpop_proof", text).reply())?;
    let nonce = nonce(okta, call.now);
    if proof.nonce.as_deref() != Some(nonce.as_str()) {
        let text = "Authorization server requires nonce in DPoP proof.";
        return Err(Wrong(400, "use_dpop_nonce", text.into())
            .reply()
            .with("dpop-nonce", nonce));
    }
    Ok(Some(proof.key))
}

/// Ours for a day.
fn nonce(okta: &Okta, now: Time) -> String {
    let day = (now.timestamp() / 86_400) as u64;
    letters("", 22, mix(page::text_hash(&key(okta).private) ^ day))
}

/// On an API call: bound to the token by its hash.
pub fn proof(okta: &mut Okta, call: &Call, token: Option<&str>) -> Result<Proof, Refusal> {
    checked(okta, call, token).map_err(|text| {
        let header = format!("DPoP error=\"invalid_dpop_proof\", error_description=\"{text}\"");
        Refusal {
            status: 400,
            bare: true,
            ..refuse("E0000011")
        }
        .with("www-authenticate", header)
    })
}

fn checked(okta: &mut Okta, call: &Call, token: Option<&str>) -> Result<Proof, String> {
    let jwt = call.header("dpop").ok_or("The DPoP proof JWT header is missing.")?;
    let header: Header = decode_header(jwt).map_err(|_| "The DPoP proof JWT is malformed.")?;
    if header.typ.as_deref() != Some("dpop+jwt") {
        return Err("The DPoP proof JWT must have the type dpop+jwt.".into());
    }
    let key = header.jwk.ok_or("The DPoP proof JWT must carry a public key.")?;
    if !signed(jwt, &key, header.alg) {
        return Err("The DPoP proof JWT signature is invalid.".into());
    }
    let claims = claims(jwt).ok_or("The DPoP proof JWT is malformed.")?;
    if claims["htm"] != call.method.as_str() {
        return Err("The htm claim must be the request's method.".into());
    }
    if claims["htu"] != format!("{}{}", call.origin, call.path).as_str() {
        return Err("The htu claim must be the request's URL without query.".into());
    }
    let now = call.now.timestamp();
    if claims["iat"]
        .as_i64()
        .is_none_or(|iat| iat < now - 300 || iat > now + 5)
    {
        return Err("The DPoP proof JWT is too old or not yet valid.".into());
    }
    let jti = claims["jti"].as_str().ok_or("The DPoP proof JWT must have a jti.")?;
    if okta
        .spent
        .insert(format!("proof {jti}"), call.now + TimeDelta::seconds(600))
        .is_some()
    {
        return Err("The DPoP proof JWT has already been used.".into());
    }
    if let Some(token) = token {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
        if claims["ath"] != hash.as_str() {
            return Err("The ath claim must be the hash of the access token.".into());
        }
    }
    let key = key
        .thumbprint(ThumbprintHash::SHA256)
        .map_err(|_| "The DPoP proof JWT's key can't be used.")?;
    Ok(Proof {
        key,
        nonce: claims["nonce"].as_str().map(str::to_owned),
    })
}

pub fn revoke(w: &mut World, call: &Call) -> Reply {
    let form = form(call);
    w.okta.access.remove(value(&form, "token"));
    Reply::empty(200)
}
