//! Decisions: pure functions of the model. No I/O, no clock; `now` is an argument.

pub mod brake;
pub mod consent;
