mod audit;
mod desk;
mod docs;
#[allow(dead_code, reason = "each command's tests use what they need of it")]
mod env;
mod generated;
mod house;
mod link;
mod lock;
mod readme;
mod runs;
