//! The network below the `Wire`. The only place that names reqwest.

use std::{error::Error, sync::OnceLock, time::Duration};

use bytes::Bytes;
use url::{Host, Url};

use super::{Answer, BoxFuture, Request, Trust, Wire, WireError};

/// Decoded bytes of one answer: a gzip bomb stops here.
const MOST: usize = 32 << 20;

/// Two clients, each made when first needed: reading the platform's roots costs tens of milliseconds, and fails where there are none,
/// which must not keep a sandbox on loopback from starting.
pub(super) struct Net {
    trust: Trust,
    plain: OnceLock<Result<reqwest::Client, String>>,
    tls: OnceLock<Result<reqwest::Client, String>>,
}

impl Net {
    pub(super) fn new(trust: Trust) -> Self {
        Net {
            trust,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }
    }
    fn client(&self, url: &Url) -> Result<&reqwest::Client, WireError> {
        let client = match url.scheme() {
            "https" => self.tls.get_or_init(|| tls(&self.trust).map_err(|e| chain(&e))),
            _ if loopback(url) => self.plain.get_or_init(|| plain().map_err(|e| chain(&e))),
            _ => return Err(WireError::NeverSent("plain http is spoken to loopback only".into())),
        };
        client.as_ref().map_err(|e| WireError::NeverSent(e.clone()))
    }
}

fn builder() -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "the one lawful place")]
    let builder = reqwest::Client::builder();
    builder
        .user_agent(concat!("jml/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Retries are ours to count: the default resends on some HTTP/2 errors.
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(35))
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(16)
}

fn plain() -> reqwest::Result<reqwest::Client> {
    unencrypted().build()
}

fn unencrypted() -> reqwest::ClientBuilder {
    builder().tls_certs_only([]).no_proxy()
}

fn tls(trust: &Trust) -> reqwest::Result<reqwest::Client> {
    encrypted(trust)?.build()
}

/// For who changes something of it before it is built. A base URL in plain http is loopback: the configuration took no other.
pub(super) fn for_url(trust: &Trust, url: &Url) -> reqwest::Result<reqwest::ClientBuilder> {
    match url.scheme() {
        "http" if loopback(url) => Ok(unencrypted()),
        _ => encrypted(trust),
    }
}

fn encrypted(trust: &Trust) -> reqwest::Result<reqwest::ClientBuilder> {
    let mut b = builder()
        .https_only(true)
        .tls_version_min(reqwest::tls::Version::TLS_1_2);
    if let Some(pem) = &trust.ca {
        b = b.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    b = match &trust.proxy {
        Some(proxy) => {
            let direct = reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1");
            b.proxy(reqwest::Proxy::all(proxy.as_str())?.no_proxy(direct))
        }
        None => b.no_proxy(),
    };
    Ok(b)
}

pub(super) fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Wire for Net {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        Box::pin(async move {
            let client = self.client(&request.url)?;
            let mut out = reqwest::Request::new(request.method, request.url);
            *out.headers_mut() = request.headers;
            *out.timeout_mut() = Some(request.timeout);
            *out.body_mut() = (!request.body.is_empty()).then(|| request.body.into());
            let mut response = client.execute(out).await.map_err(failed)?;
            let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
            let body = read_capped(response).await?;
            Ok(Answer::new(status, headers, body))
        })
    }
}

async fn read_capped(mut response: reqwest::Response) -> Result<Bytes, WireError> {
    let mut out = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if out.len() + chunk.len() > MOST {
            return Err(WireError::TooLarge(MOST));
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out.into())
}

/// `is_timeout` is true of a connect timeout too, and `is_connect` only while connecting: asked first, it means "surely never sent".
fn failed(e: reqwest::Error) -> WireError {
    // A URL may hold a secret in its query.
    let e = e.without_url();
    if e.is_connect() || e.is_builder() {
        WireError::NeverSent(chain(&e))
    } else if e.is_timeout() {
        WireError::TimedOut
    } else {
        WireError::Cut(chain(&e))
    }
}

/// Display hides the cause.
pub(super) fn chain(e: &dyn Error) -> String {
    let mut out = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        out = format!("{out}: {cause}");
        next = cause.source();
    }
    out
}
