//! `/oauth2/v1/token`: assertions, scopes, and proofs of possession.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::sandbox::okta::token::{SERVICE, SERVICE_DPOP};

const URL: &str = "http://127.0.0.1:9/oauth2/v1/token";

fn key(o: &Org) -> EcdsaKeyPair {
    let pem = &(TWIN.endpoints)(&o.w, ORIGIN)["private_key"];
    let body: String = pem.as_str().unwrap().lines().filter(|l| !l.starts_with("--")).collect();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &STANDARD.decode(body).unwrap()).unwrap()
}

fn jwt(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let b64 = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
    let message = format!("{}.{}", b64(header), b64(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn claims(o: &Org, client: &str, jti: &str) -> Value {
    let now = o.w.now.timestamp();
    json!({"iss": client, "sub": client, "aud": URL, "iat": now, "exp": now + 300, "jti": jti})
}

fn ask(o: &mut Org, assertion: &str, scope: &str) -> Got {
    o.auth.clear();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", scope)
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion)
        .finish();
    o.raw("POST", "/oauth2/v1/token", body.as_bytes())
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "jml-1"})
}

#[test]
fn an_assertion_buys_the_scopes_that_are_granted_and_no_others() {
    let mut o = Org::new();
    let k = key(&o);
    let c = claims(&o, SERVICE, "1");
    let got = ask(&mut o, &jwt(&k, &header(), &c), "okta.users.read okta.factors.manage");
    assert_eq!(
        (got.status, &got.body["token_type"], &got.body["expires_in"]),
        (200, &json!("Bearer"), &json!(3600))
    );
    assert_eq!(got.body["scope"], "okta.users.read", "the rest is dropped in silence");
    o.auth = format!("Bearer {}", got.body["access_token"].as_str().unwrap());
    assert_eq!(o.get(&format!("/users/{ANA}")).status, 200);
    assert_eq!(o.post(&format!("/users/{ANA}/lifecycle/suspend")).status, 403);
    let c = claims(&o, SERVICE, "2");
    let none = ask(&mut o, &jwt(&k, &header(), &c), "okta.factors.manage");
    assert_eq!((none.status, &none.body["error"]), (400, &json!("invalid_scope")));
}

#[test]
fn a_wrong_assertion_is_told_what_is_wrong() {
    let mut o = Org::new();
    let k = key(&o);
    let now = o.w.now.timestamp();
    let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let rows = [
        (
            "aud",
            json!("http://127.0.0.1:9/oauth2/default/v1/token"),
            "audience claim",
        ),
        ("exp", json!(now), "is expired"),
        ("exp", json!(now + 3601), "too far into the future"),
        ("iat", json!(now + 60), "issued before the current time"),
        ("sub", json!("0oazzzzzzzzzzzzzzzzz"), "client_id"),
    ];
    for (claim, value, want) in rows {
        let mut c = claims(&o, SERVICE, claim);
        c[claim] = value;
        let got = ask(&mut o, &jwt(&k, &header(), &c), "okta.users.read");
        assert_eq!(
            (got.status, &got.body["error"]),
            (401, &json!("invalid_client")),
            "{claim}"
        );
        assert!(
            got.body["error_description"].as_str().unwrap().contains(want),
            "{claim}: {}",
            got.body
        );
        assert_eq!(got.body.get("errorCode"), None);
    }
    let c = claims(&o, SERVICE, "a");
    let forged = ask(&mut o, &jwt(&other, &header(), &c), "okta.users.read");
    assert!(
        forged.body["error_description"]
            .as_str()
            .unwrap()
            .contains("signature is invalid")
    );
    let unknown = ask(
        &mut o,
        &jwt(&k, &json!({"alg": "ES256", "kid": "x"}), &c),
        "okta.users.read",
    );
    assert!(
        unknown.body["error_description"]
            .as_str()
            .unwrap()
            .contains("kid is invalid")
    );
    let token = jwt(&k, &header(), &c);
    assert_eq!(ask(&mut o, &token, "okta.users.read").status, 200);
    let again = ask(&mut o, &token, "okta.users.read");
    assert!(
        again.body["error_description"]
            .as_str()
            .unwrap()
            .contains("already been used")
    );
}

#[test]
fn dpop_wants_a_proof_then_a_nonce_then_a_fresh_proof_a_call() {
    let mut o = Org::new();
    let k = key(&o);
    let own = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = own.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])});
    let proof = |claims: Value| jwt(&own, &json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}), &claims);
    let now = o.w.now.timestamp();
    let mint = |o: &mut Org, jti: &str, proof: Option<String>| {
        o.headers = proof.map(|p| ("dpop".to_owned(), p)).into_iter().collect();
        let c = claims(o, SERVICE_DPOP, jti);
        ask(o, &jwt(&k, &header(), &c), "okta.users.read")
    };
    let bare = mint(&mut o, "1", None);
    assert_eq!((bare.status, &bare.body["error"]), (400, &json!("invalid_dpop_proof")));
    let first = mint(
        &mut o,
        "2",
        Some(proof(json!({"htm": "POST", "htu": URL, "iat": now, "jti": "p1"}))),
    );
    assert_eq!((first.status, &first.body["error"]), (400, &json!("use_dpop_nonce")));
    let nonce = first.all("dpop-nonce")[0].to_owned();
    let got = mint(
        &mut o,
        "3",
        Some(proof(
            json!({"htm": "POST", "htu": URL, "iat": now, "jti": "p2", "nonce": nonce}),
        )),
    );
    assert_eq!((got.status, &got.body["token_type"]), (200, &json!("DPoP")));
    let token = got.body["access_token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{ANA}");
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let api = |jti: &str, ath: &str| {
        proof(json!({"htm": "GET", "htu": format!("{ORIGIN}{path}"), "iat": now, "jti": jti, "ath": ath}))
    };
    for (auth, p, want) in [
        (format!("DPoP {token}"), api("a1", &ath), 200),
        (format!("DPoP {token}"), api("a1", &ath), 400),
        (format!("DPoP {token}"), api("a2", "wrong"), 400),
        (format!("Bearer {token}"), api("a3", &ath), 401),
    ] {
        o.auth = auth;
        o.headers = vec![("dpop".into(), p)];
        let got = o.call("GET", &path);
        assert_eq!(got.status, want);
        assert_eq!(got.all("www-authenticate").len(), usize::from(want != 200));
    }
}
