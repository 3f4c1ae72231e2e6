//! Akamai's EdgeGrid: each request is signed anew, with the time and a nonce of its own.
//!
//! Signs what is asked without a body: this release only reads there. It signs what goes on the wire, after all encoding.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use url::Url;

use crate::{
    http::{Authorize, BoxFuture, Clock, Credential, Outgoing, Reader},
    model::Failure,
    providers::minting::Record,
};

pub(super) struct EdgeGrid {
    record: Credential,
    clock: Clock,
}

impl fmt::Debug for EdgeGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeGrid").finish_non_exhaustive()
    }
}

impl EdgeGrid {
    pub(super) fn new(record: Credential, clock: Clock) -> Arc<Self> {
        Arc::new(EdgeGrid { record, clock })
    }
}

impl Authorize for EdgeGrid {
    fn headers<'a>(&'a self, call: Outgoing<'a>, _: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let record = Record::of(&self.record).await?;
            let who = Signer {
                client_token: record.get("client_token")?,
                client_secret: record.get("client_secret")?,
                access_token: record.get("access_token")?,
            };
            let text = who.sign(call.method.as_str(), call.url, (self.clock)(), &nonce()?);
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Failure::permanent(
                    "sign a call to Akamai",
                    "the record holds characters that no header can carry",
                )
            })?;
            value.set_sensitive(true);
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }
}

/// Never the same twice: a UUID of random digits.
fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)
        .map_err(|_| Failure::transient("sign a call to Akamai", "this host gives no random numbers"))?;
    let h = hex::encode(bytes);
    Ok(format!(
        "{}-{}-4{}-a{}-{}",
        &h[..8],
        &h[8..12],
        &h[13..16],
        &h[17..20],
        &h[20..]
    ))
}

struct Signer<'a> {
    client_token: &'a str,
    client_secret: &'a str,
    access_token: &'a str,
}

impl Signer<'_> {
    /// techdocs.akamai.com/developer/docs/authenticate-with-edgegrid ; no headers to sign, no body.
    fn sign(&self, method: &str, url: &Url, now: DateTime<Utc>, nonce: &str) -> String {
        let at = now.format("%Y%m%dT%H:%M:%S+0000").to_string();
        let auth = format!(
            "EG1-HMAC-SHA256 client_token={};access_token={};timestamp={at};nonce={nonce};",
            self.client_token, self.access_token
        );
        // `port` is none where it is the scheme's own.
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        let data = format!("{method}\t{}\t{host}\t{}{query}\t\t\t{auth}", url.scheme(), url.path());
        // The key of the second is the first as text.
        let key = mac(self.client_secret.as_bytes(), &at);
        format!("{auth}signature={}", mac(key.as_bytes(), &data))
    }
}

fn mac(key: &[u8], text: &str) -> String {
    BASE64_STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of the vectors that Akamai's own clients are tested by.
    #[test]
    fn it_signs_as_the_vendors_clients_do() {
        let who = Signer {
            client_token: "akab-client-token-xxx-xxxxxxxxxxxxxxxx",
            client_secret: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=",
            access_token: "akab-access-token-xxx-xxxxxxxxxxxxxxxx",
        };
        let host = "https://akaa-baseurl-xxxxxxxxxxx-xxxxxxxxxxxxx.luna.akamaiapis.net";
        let now = "2014-03-21T19:34:21Z".parse().unwrap();
        for (path, signature) in [
            ("/", "tL+y4hxyHxgWVD30X3pWnGKHcPzmrIF+LThiAOhMxYU="),
            (
                "/testapi/v1/t1?p1=1&p2=2",
                "hKDH1UlnQySSHjvIcZpDMbQHihTQ0XyVAKZaApabdeA=",
            ),
        ] {
            let url = Url::parse(&format!("{host}{path}")).unwrap();
            let signed = who.sign("GET", &url, now, "nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
            assert!(signed.ends_with(&format!(";signature={signature}")), "{path}: {signed}");
        }
    }

    #[test]
    fn a_nonce_is_a_uuid_and_another_each_time() {
        let (a, b) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!((a.len(), a.matches('-').count(), a == b), (36, 4, false));
    }
}
