//! Stories: a firm, a person, a command, and the plan as a reviewer reads it.

mod accounts;
mod brakes;
mod checks;
mod drifts;
mod exceptions;
pub(super) mod firm;
mod grounds;
mod joiners;
mod leavers;
mod movers;
mod properties;
mod scaffold;
mod sweeps;
mod world;
