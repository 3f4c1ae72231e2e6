mod docs;
#[allow(dead_code, reason = "each command's tests use what they need of it")]
mod env;
mod generated;
mod house;
mod lock;
mod readme;
