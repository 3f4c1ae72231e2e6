//! The twin of Okta.

#[derive(Default)]
pub struct Okta {}
