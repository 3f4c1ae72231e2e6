//! Systems of record: told after the fact.

pub mod datadog;
pub mod servicenow;
