#[allow(dead_code, reason = "each command's tests use what they need of it")]
mod env;
mod house;
mod leaver;
mod lock;
