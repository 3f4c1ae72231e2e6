//! Rosters: who is employed, from whoever knows.

pub mod csv;
