//! jml runs the identity lifecycle: joiners, movers, leavers.

pub mod cli;
pub mod config;
pub mod http;
pub mod ledger;
pub mod model;
pub mod planner;
pub mod providers;
pub mod run;
pub mod sandbox;
