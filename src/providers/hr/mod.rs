//! Rosters: who is employed, from whoever knows.

mod cells;
pub mod csv;
pub mod hibob;
mod token;
pub mod workday;
pub mod scim;
