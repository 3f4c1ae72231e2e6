//! Rosters: who is employed, from whoever knows.

mod cells;
pub mod csv;
pub mod hibob;
pub mod scim;
mod token;
pub mod workday;
