//! May what was read be acted on now? By this host's clock, and by the age of what HR says.

use chrono::TimeDelta;

use crate::{
    cli::{error::CliError, exit::Exit, firm::Firm, text},
    model::Kind,
    planner::fresh::fresh,
};

/// Vendors' instants and ours may differ by this much.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Nobody is due by a clock that is wrong: people would leave too early or too late, and the record would tell wrong times.
pub fn clock(firm: &Firm) -> Result<(), CliError> {
    match firm.parts().ahead().and_then(off) {
        None => Ok(()),
        Some(off) => Err(CliError::unavailable(format!(
            "this host's clock is {off} the clocks of the systems that answered"
        ))
        .why("leaving dates and deadlines would be judged by the wrong instant")
        .hint("Nothing was done. Set this host's clock (chrony, systemd-timesyncd), then give the same command again.")
        .run("Look at it again", "jml doctor")),
    }
}

/// Why movers and joiners wait, and what the sweep exits with for it.
pub struct Stale {
    pub why: String,
    pub exit: Exit,
}

/// How old what HR says is, against `[roster] max_age`. An age that can't be read is no young one.
pub async fn stale(firm: &Firm) -> Option<Stale> {
    match firm.age().await {
        Ok(age) => fresh(age, firm.config.roster.max_age, firm.now()).err().map(|s| Stale {
            why: s.to_string(),
            exit: Exit::Unavailable,
        }),
        Err(f) => Some(Stale {
            exit: if f.kind == Kind::Auth {
                Exit::Auth
            } else {
                Exit::Unavailable
            },
            why: format!("how old what HR says is can't be read: {f}"),
        }),
    }
}

/// `5m00s behind`, where that is too much. `ahead`: how far the others are before us.
pub fn off(ahead: TimeDelta) -> Option<String> {
    (ahead.abs() > SKEW).then(|| {
        let side = if ahead > TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        format!("{} {side}", text::span(ahead.abs().to_std().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_borne_and_more_says_which_way() {
        assert_eq!(off(TimeDelta::seconds(60)), None);
        assert_eq!(off(TimeDelta::seconds(-60)), None);
        assert_eq!(off(TimeDelta::minutes(5)).unwrap(), "5m00s behind");
        assert_eq!(off(TimeDelta::minutes(-5)).unwrap(), "5m00s ahead of");
    }
}
