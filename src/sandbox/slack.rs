//! The twin of Slack.

#[derive(Default)]
pub struct Slack {}
