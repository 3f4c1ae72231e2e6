//! Memory: append-only, hash-chained, durable. A call may leave only after `append` has returned.

pub mod entry;
pub mod fold;
mod person;
