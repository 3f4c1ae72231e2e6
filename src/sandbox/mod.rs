//! A pretend world on loopback: a firm, a twin of every system it uses, faults by name, a journal of what was asked.
//!
//! Imports nothing of ours: its wire types are its own, so that one misreading can't agree with itself.

pub mod datadog;
pub mod okta;
pub mod servicenow;
pub mod slack;
pub mod twin;
pub mod world;
