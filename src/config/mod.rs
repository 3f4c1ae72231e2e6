//! jml.toml: one file, read whole and refused whole. Errors point at the line.
//!
//! It never reads the environment or the working folder, never holds a secret (only references to secrets), and never passes over a key
//! that this release doesn't know: a setting that is silently ignored is a promise broken.

mod address;
mod database;
mod error;
mod file;
mod limits;
mod mirror;
mod places;
mod policy;
mod reference;
mod roles;
mod roster;
mod schema;
mod section;
mod signers;
mod text;
mod trust;

pub use address::BaseUrl;
pub use database::{DatabaseHost, DatabaseUrl};
pub use error::ConfigError;
pub use file::{Config, Kept};
pub use limits::parse_limit;
pub use mirror::Mirror;
pub use places::{Http, Ledger, Sandbox};
pub use reference::{Read, Reference, Right, SecretRef, Write};
pub use roles::{Member, Role, Roles};
pub use roster::{EndIs, Fields, GroupBy, Roster, Scope, Values, Word};
pub use schema::{Kind, schema};
pub use section::{Section, Source};
pub use signers::{Approvals, Signer, Signers, Unlisted};
pub use text::{duration, duration_opt};
pub use trust::trusted;
