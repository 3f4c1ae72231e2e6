//! A pretend world on loopback: a firm, a twin of every system it uses, faults by name, a journal of what was asked.
//!
//! Imports nothing of ours: its wire types are its own, so that one misreading can't agree with itself.

pub mod datadog;
pub mod faults;
pub mod files;
pub mod given;
pub mod journal;
pub mod named;
pub mod okta;
pub mod quiet;
pub mod servicenow;
pub mod shape;
pub mod slack;
pub mod twin;
pub mod world;

use twin::{Twin, unbuilt};

/// Every system of the firm, in the order in which a fresh world loads them (apps look people up in Okta, so Okta comes first).
pub const TWINS: &[Twin] = &[
    unbuilt("okta"),
    unbuilt("slack"),
    unbuilt("servicenow"),
    unbuilt("datadog"),
];
