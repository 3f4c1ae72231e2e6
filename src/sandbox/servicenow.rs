//! The twin of Servicenow.

#[derive(Default)]
pub struct Servicenow {}
