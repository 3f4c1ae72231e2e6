//! Decisions: pure functions of the model. No I/O, no clock; `now` is an argument.

mod accounts;
pub mod brake;
pub mod change;
mod channels;
pub mod check;
pub mod consent;
pub mod dates;
mod draft;
pub mod drift;
pub mod employment;
pub mod entitle;
pub mod exceptions;
pub mod fresh;
mod grounds;
pub mod groups;
pub mod guards;
pub mod joiner;
pub mod lanes;
pub mod leave;
pub mod leaver;
pub mod mover;
pub mod orphans;
mod preserve;
pub mod refusal;
#[cfg(test)]
mod stories;
pub mod sweep;
mod unseen;

pub use check::check;
pub use entitle::{Desired, Managed, entitle};
pub use joiner::{Welcome, create, joiner};
pub use leave::leave;
pub use leaver::{Ask, Override, leaver};
pub use mover::mover;
pub use refusal::{Class, Refusal};
