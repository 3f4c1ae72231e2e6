//! How old what a roster says is.

use chrono::{DateTime, Utc};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Age {
    /// Of the moment at which it is read.
    Live,
    /// Made at that instant, and whole.
    Made(DateTime<Utc>),
    /// What HR feeds is half written, or not written any more.
    Unsettled {
        what: String,
        since: DateTime<Utc>,
        why: Unsettled,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    Running,
    Blocked,
    Failed,
}
