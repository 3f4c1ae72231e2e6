//! The seam: below it a network or, in tests, the sandbox's twins in memory.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use ::http::{HeaderMap, Method};
use bytes::Bytes;
use url::Url;

use super::{Answer, redact};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One attempt, whole.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    /// Credentials are marked sensitive.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The whole exchange ends here.
    pub timeout: Duration,
}

impl fmt::Debug for Request {
    /// Neither query, header values nor body: each may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, redact::route(&self.url))
    }
}

/// Why there is no answer, and what that says of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// No connection came about: the request surely never left.
    NeverSent(String),
    TimedOut,
    /// The connection broke after the request may have left.
    Cut(String),
    /// The answer is larger than we read.
    TooLarge(usize),
}

/// Sends one request once. No retry, no redirect, no credential of its own.
pub trait Wire: Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>>;
}
