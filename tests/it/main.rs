mod audit;
mod crash;
mod desk;
mod docs;
mod doctor;
#[allow(dead_code, reason = "each command's tests use what they need of it")]
mod env;
mod generated;
mod groups;
mod hire;
mod house;
mod leaver;
mod link;
mod lock;
mod policy;
mod readme;
mod runs;
mod show;
