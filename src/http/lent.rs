//! A client of ours for a vendor's own crate: the same trust as everywhere, our timeouts, and a redirect followed only to an address
//! that the configuration lists. The crate's own would follow any, with the token and the body.

use std::{error::Error, fmt, time::Duration};

use reqwest::redirect::{Attempt, Policy};
use rustify::clients::reqwest::Client;
use url::Url;

use super::{Trust, net};

const CONNECT: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(10);
/// A standby names the active node once. More is a circle.
const HOPS: usize = 2;

/// One address's client: made once, for it reads the trust store and keeps connections.
pub struct Lent {
    http: reqwest::Client,
    base: String,
}

impl Lent {
    /// For `base`; `listed` are the addresses to which an answer may lead.
    pub fn new(trust: &Trust, base: &Url, listed: &[Url]) -> Result<Lent, String> {
        let builder = net::for_url(trust, base).map_err(|e| net::chain(&e))?;
        let http = builder
            .redirect(only_to(listed.iter().chain([base]).cloned().collect()))
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .build()
            .map_err(|e| net::chain(&e))?;
        // The crate puts its paths behind a slash of its own.
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Lent { http, base })
    }
    /// As the vendor's crate takes it.
    pub fn client(&self) -> Client {
        Client::new(&self.base, self.http.clone())
    }
}

fn only_to(allowed: Vec<Url>) -> Policy {
    Policy::custom(move |attempt: Attempt<'_>| {
        let to = attempt.url();
        let known = allowed.iter().any(|a| a.origin() == to.origin());
        let before = attempt.previous();
        let same_call = before.first().is_some_and(|first| first.path() == to.path());
        if known && same_call && before.len() <= HOPS {
            return attempt.follow();
        }
        let elsewhere = Elsewhere {
            at: origin(before.last().unwrap_or(to)),
            wanted: origin(to),
        };
        attempt.error(elsewhere)
    })
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An answer led to an address that nobody listed.
#[derive(Debug)]
struct Elsewhere {
    at: String,
    wanted: String,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads to {}", self.at, self.wanted)
    }
}

impl Error for Elsewhere {}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Surely never sent.
    NeverSent(String),
    TimedOut,
    Cut(String),
    /// It led to an address that isn't listed, and was not followed.
    Elsewhere {
        at: String,
        wanted: String,
    },
}

impl Lost {
    pub fn of(e: &(dyn Error + 'static)) -> Lost {
        let mut next = Some(e);
        let mut sort = None;
        while let Some(cause) = next {
            if let Some(Elsewhere { at, wanted }) = cause.downcast_ref() {
                return Lost::Elsewhere {
                    at: at.clone(),
                    wanted: wanted.clone(),
                };
            }
            if let Some(e) = cause.downcast_ref::<reqwest::Error>() {
                sort.get_or_insert((e.is_connect() || e.is_builder(), e.is_timeout()));
            }
            next = cause.source();
        }
        match sort {
            Some((true, _)) => Lost::NeverSent(net::chain(e)),
            Some((_, true)) => Lost::TimedOut,
            Some((false, false)) | None => Lost::Cut(net::chain(e)),
        }
    }
}
