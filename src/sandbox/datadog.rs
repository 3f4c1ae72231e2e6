//! The twin of Datadog.

#[derive(Default)]
pub struct Datadog {}
