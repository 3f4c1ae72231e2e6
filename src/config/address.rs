//! The base address of a system: https, or http to loopback, and nothing else in it.

use std::{borrow::Cow, fmt, net::Ipv4Addr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};

#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    pub fn as_url(&self) -> &Url {
        &self.0
    }
    pub fn is_loopback(&self) -> bool {
        loopback(&self.0)
    }
}

pub(super) fn loopback(url: &Url) -> bool {
    match url.host() {
        // Of a scheme that the standard doesn't know, an address is a name too.
        Some(Host::Domain(name)) => name == "localhost" || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback()),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("not a URL: {e}"))?;
        match url.scheme() {
            "https" => {}
            "http" if loopback(&url) => {}
            "http" => return Err("plain http is for loopback only: a credential would travel in clear".into()),
            _ => return Err("a base URL starts with https://".into()),
        }
        if url.host().is_none() {
            return Err("a base URL names a host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials don't belong in a URL: name a reference in their own key".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a base URL has neither a query nor a fragment".into());
        }
        Ok(BaseUrl(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for BaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "BaseUrl".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "description": "https://HOST[/PATH], or http:// to loopback" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_loopback() {
        let ok = |s: &str| s.parse::<BaseUrl>().is_ok();
        assert!(
            ok("https://acme.okta.com")
                && ok("http://127.0.0.1:8080/scim/v2")
                && ok("http://[::1]:1")
                && ok("http://localhost")
        );
        for bad in [
            "http://acme.okta.com",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "ftp://acme",
            "https://user:pass@acme",
            "https://acme/?x=1",
            "https://acme/#x",
            "acme.okta.com",
        ] {
            assert!(!ok(bad), "{bad}");
        }
    }
}
