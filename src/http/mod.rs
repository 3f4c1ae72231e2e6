//! The one HTTP client, as a `Reader` (GET and named read-POSTs: all that eyes hold) and a `Writer` (what hands hold).
//!
//! It refuses redirects, retries of anybody but its own, bodies without a limit, a path segment that could leave its place, plain HTTP
//! to anything but loopback, and to print a secret. Above the `Wire` nobody knows whether a network is there.

mod answer;
mod auth;
mod base;
mod client;
mod edge;
mod governor;
mod lent;
mod net;
mod redact;
mod retry;
mod route;
mod tls;
mod wire;

pub use answer::{Answer, plain};
pub use auth::{Authorize, Credential, Fixed, Outgoing, Scheme};
pub use base::{Explain, Reader, Writer};
pub use client::{Client, Clock, Observer, Trust};
pub use governor::Governor;
pub use lent::{Lent, Lost};
pub use redact::sentence;
pub use route::Ask;
pub use wire::{BoxFuture, Request, Wire, WireError};

/// `path!["api/v1/users", id, "groups"]`: literals are the shape of the call, all else is a segment, encoded. An empty segment, `.` and
/// `..` are refused when the call is made.
#[macro_export]
macro_rules! path {
    (@ $ask:expr ;) => { $ask };
    (@ $ask:expr ; $fixed:literal $(, $($rest:tt)*)?) => { $crate::path!(@ $ask.fixed($fixed) ; $($($rest)*)?) };
    (@ $ask:expr ; $part:expr $(, $($rest:tt)*)?) => { $crate::path!(@ $ask.part(&$part) ; $($($rest)*)?) };
    ($($all:tt)*) => { $crate::path!(@ $crate::http::Ask::new() ; $($all)*) };
}
pub use crate::path;
