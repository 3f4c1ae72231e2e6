//! Stories: a firm, a person, a command, and the plan as a reviewer reads it.

mod brakes;
mod firm;
mod joiners;
mod leavers;
mod movers;
