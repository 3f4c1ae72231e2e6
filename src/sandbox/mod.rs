//! A pretend world on loopback: a firm, a twin of every system it uses, faults by name, a journal of what was asked.
//!
//! Imports nothing of ours: its wire types are its own, so that one misreading can't agree with itself. It reads no clock and no
//! environment: whoever starts it hands both in.
//!
//! A reader's way: `firm` and `cast` (who works there), `twin` (what a system is), `engine` (what happens to a request), then a twin.
//! `start` is the door of `--sandbox`, `serve` that of `jml sandbox serve`; tests call `engine` in memory, under virtual time.

pub mod akamai;
pub mod cast;
mod clock;
pub mod config;
pub mod control;
mod credentials;
pub mod crowdstrike;
pub mod datadog;
pub mod engine;
mod exchange;
pub mod faults;
pub mod files;
pub mod firm;
pub mod github;
pub mod given;
pub mod google;
mod graphql;
pub mod hibob;
pub mod journal;
mod keys;
pub mod ldap;
pub mod member;
pub mod merge;
pub mod named;
pub mod net;
pub mod okta;
pub mod persist;
pub mod provisioning;
pub mod quiet;
pub mod roster;
pub mod salesforce;
pub mod scim;
pub mod serve;
pub mod servicenow;
pub mod shape;
pub mod slack;
pub mod staff;
pub mod start;
pub mod successfactors;
pub mod tokens;
pub mod twin;
pub mod vault;
pub mod wiz;
pub mod workday;
pub mod world;
pub mod written;
pub mod zoom;

use twin::Twin;

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for is wrong (exit 2): where, and what.
    #[error("{0}")]
    World(String),
    #[error("{0}")]
    State(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// An error of a file, with its name.
    fn at(path: &std::path::Path, e: impl std::fmt::Display) -> Error {
        Error::Io(std::io::Error::other(format!("{}: {e}", path.display())))
    }
}

/// Every system of the firm, in the order in which a fresh world loads them (apps look people up in Okta, so Okta comes first).
pub const TWINS: &[Twin] = &[
    okta::TWIN,
    slack::TWIN,
    scim::TWIN,
    google::TWIN,
    servicenow::TWIN,
    datadog::TWIN,
    vault::TWIN,
    workday::TWIN,
    successfactors::TWIN,
    hibob::TWIN,
    salesforce::TWIN,
    zoom::TWIN,
    github::TWIN,
    crowdstrike::TWIN,
    wiz::TWIN,
    akamai::TWIN,
    ldap::TWIN,
];
