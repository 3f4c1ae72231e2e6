//! Decisions: pure functions of the model. No I/O, no clock; `now` is an argument.

pub mod brake;
pub mod consent;
pub mod dates;
pub mod draft;
pub mod employment;
pub mod leaver;
pub mod refusal;
#[cfg(test)]
mod stories;

pub use leaver::{Ask, Override, leaver};
pub use refusal::{Class, Refusal};
