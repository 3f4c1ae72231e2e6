//! Decisions: pure functions of the model. No I/O, no clock; `now` is an argument.

pub mod brake;
pub mod change;
mod channels;
pub mod consent;
pub mod dates;
mod draft;
pub mod employment;
pub mod entitle;
pub mod joiner;
pub mod leaver;
pub mod mover;
pub mod refusal;
#[cfg(test)]
mod stories;

pub use entitle::{Desired, Managed, entitle};
pub use joiner::{Welcome, create, joiner};
pub use leaver::{Ask, Override, leaver};
pub use mover::mover;
pub use refusal::{Class, Refusal};
