//! Is what HR says young enough to move and join people by? Leavers don't ask: who has left stays gone, however old the news.

use std::{fmt, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::dates::text;
use crate::model::{Age, age::Unsettled};

/// Why movers and joiners wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stale {
    Old {
        made: DateTime<Utc>,
        max_age: Duration,
    },
    Unsettled {
        what: String,
        since: DateTime<Utc>,
        why: Unsettled,
    },
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stale::Old { made, max_age } => write!(
                f,
                "what HR says is of {}, older than max_age ({})",
                text(*made),
                humantime::format_duration(*max_age)
            ),
            Stale::Unsettled { what, since, why } => {
                let how = match why {
                    Unsettled::Running => "runs since",
                    Unsettled::Blocked => "is blocked by Okta's import safeguard since",
                    Unsettled::Failed => "failed at",
                };
                write!(f, "{what} {how} {}", text(*since))
            }
        }
    }
}

pub fn fresh(age: Age, max_age: Duration, now: DateTime<Utc>) -> Result<(), Stale> {
    match age {
        Age::Live => Ok(()),
        Age::Made(made) if now - made < TimeDelta::from_std(max_age).unwrap_or(TimeDelta::MAX) => Ok(()),
        Age::Made(made) => Err(Stale::Old { made, max_age }),
        Age::Unsettled { what, since, why } => Err(Stale::Unsettled { what, since, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn younger_than_max_age_is_fresh_and_a_running_import_is_not() {
        let now: DateTime<Utc> = "2026-07-15T05:05:00Z".parse().unwrap();
        let max_age = Duration::from_secs(26 * 3600);
        let ago = |hours| Age::Made(now - TimeDelta::hours(hours));
        let said = |age| fresh(age, max_age, now).map_err(|s| s.to_string());
        assert_eq!(said(Age::Live), Ok(()));
        assert_eq!(said(ago(25)), Ok(()));
        assert_eq!(
            said(ago(26)).unwrap_err(),
            "what HR says is of 2026-07-14 03:05:00Z, older than max_age (1day 2h)"
        );
        let runs = Age::Unsettled {
            what: "the import of Workday".into(),
            since: now,
            why: Unsettled::Running,
        };
        assert_eq!(
            said(runs).unwrap_err(),
            "the import of Workday runs since 2026-07-15 05:05:00Z"
        );
    }
}
