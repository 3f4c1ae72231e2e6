//! Rosters: who is employed, from whoever knows.

mod cells;
pub mod csv;
pub mod hibob;
#[cfg(test)]
mod samples;
pub mod scim;
pub mod successfactors;
mod token;
pub mod workday;
