//! Whole commands in virtual time: the product's own code over the sandbox's twins in memory, one thread, a paused clock.
//!
//! A process is a `Firm` over the world's store; a crash is its future dropped at a named point. Latency is exact.

mod away;
mod bodies;
mod crash;
#[path = "../../../../fuzz/mutate.rs"]
mod dice;
mod estate;
mod failing;
mod line;
mod mass;
mod path;
mod pause;
mod roster;
mod schedules;
mod twice;
mod wire;
mod world;
