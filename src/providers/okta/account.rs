//! One person's account: its state and the parts that were asked for, read together. A part that fails is unknown by itself.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::{
    Directory,
    sessions::{ApiToken, tokens_of},
};
use crate::model::{Account, Failure, Held, Holding, Observed, Person, State, Status};

/// What an account of Okta can hold.
pub const PARTS: [Holding; 6] = [
    Holding::Group,
    Holding::App,
    Holding::Grant,
    Holding::Client,
    Holding::Token,
    Holding::Role,
];

/// Closed only once it is: a change of status that still runs is not its end.
pub fn state(person: &Person) -> State {
    match person.status {
        Status::Staged => State::Pending,
        Status::Provisioned | Status::Active | Status::Recovery | Status::PasswordExpired | Status::LockedOut => {
            State::Active
        }
        Status::Suspended => State::Suspended,
        Status::Deprovisioned if person.transitioning => State::Active,
        Status::Deprovisioned => State::Closed,
    }
}

/// The account without any part.
pub fn bare(person: &Person) -> Account {
    Account {
        id: person.id.0.clone(),
        login: person.login.clone(),
        state: state(person),
        word: person.status.as_str().to_owned(),
        holds: BTreeMap::new(),
        blocked: None,
        known_as: BTreeSet::new(),
        password_set: None,
    }
}

impl Directory {
    /// `tokens`: everybody's API tokens, where they were read already; else they are read here when asked for.
    pub async fn account(
        &self,
        person: &Person,
        parts: &BTreeSet<Holding>,
        tokens: Option<&Observed<Vec<ApiToken>>>,
    ) -> Account {
        let mut account = bare(person);
        account.holds = self.holds(person, parts, tokens).await;
        account
    }

    pub(super) async fn holds(
        &self,
        person: &Person,
        parts: &BTreeSet<Holding>,
        tokens: Option<&Observed<Vec<ApiToken>>>,
    ) -> BTreeMap<Holding, Observed<BTreeSet<Held>>> {
        let asked = parts.iter().filter(|part| PARTS.contains(part));
        let reads = asked.map(async |part| {
            let read = match self.part(person, *part, tokens).await {
                Ok(held) => Observed::Present(held),
                Err(failure) => Observed::Unknown(failure),
            };
            (*part, read)
        });
        join_all(reads).await.into_iter().collect()
    }

    async fn part(
        &self,
        person: &Person,
        part: Holding,
        tokens: Option<&Observed<Vec<ApiToken>>>,
    ) -> Result<BTreeSet<Held>, Failure> {
        let id = &person.id;
        match part {
            Holding::Group => self.groups_of(id).await,
            Holding::App => self.apps_of(id).await,
            Holding::Grant => self.grants_of(id).await,
            Holding::Client => self.clients_of(id).await,
            Holding::Role => self.roles_of(id).await,
            Holding::Token => match tokens {
                None => Ok(tokens_of(&self.api_tokens().await?, id)),
                Some(Observed::Present(all)) => Ok(tokens_of(all, id)),
                Some(Observed::Absent) => Ok(BTreeSet::new()),
                Some(Observed::Unknown(failure)) => Err(failure.clone()),
            },
            Holding::Team
            | Holding::Channel
            | Holding::Org
            | Holding::Invitation
            | Holding::Seat
            | Holding::Owned
            | Holding::Session
            | Holding::Transfer
            | Holding::Task => Ok(BTreeSet::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::okta::users;

    fn with(status: &str, to: &str) -> Account {
        let body = format!(
            r#"{{"id":"00u1","status":"{status}","transitioningToStatus":{to},"profile":{{"login":"amy.lee@acme.example"}}}}"#
        );
        bare(&users::person(serde_json::from_str(&body).unwrap(), None).unwrap())
    }

    #[test]
    fn states_and_their_words() {
        for (status, state_is) in [
            ("STAGED", State::Pending),
            ("PROVISIONED", State::Active),
            ("ACTIVE", State::Active),
            ("RECOVERY", State::Active),
            ("PASSWORD_EXPIRED", State::Active),
            ("LOCKED_OUT", State::Active),
            ("SUSPENDED", State::Suspended),
            ("DEPROVISIONED", State::Closed),
        ] {
            let account = with(status, "null");
            assert_eq!((account.state, account.word.as_str()), (state_is, status));
        }
    }

    #[test]
    fn a_change_that_still_runs_is_not_closed() {
        assert_eq!(with("ACTIVE", "\"DEPROVISIONED\"").state, State::Active);
        assert_eq!(with("DEPROVISIONED", "\"ACTIVE\"").state, State::Active);
    }
}
