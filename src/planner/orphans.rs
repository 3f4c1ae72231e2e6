//! Whose account is it? Every account of an app against HR, the directory, and those whom the ledger saw leave.
//!
//! It accuses only where every account was read and somebody in the list is known: a list in which we know nobody is not theirs but
//! ours to explain. It plans nothing: taking an account away is a leaver's business.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    dates,
    employment::{Word, judge},
};
use crate::model::{Account, Failure, Held, Holding, Person, PersonId, Policy, State, Status, System, Verb, Verbs};

/// What is known of people beside the directory.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// By system and account's id: whose it was said or seen to be.
    pub accounts: BTreeMap<(System, String), PersonId>,
    /// Whom an operator said it isn't.
    pub not: BTreeSet<(PersonId, System, String)>,
    /// Logins (lower case) of people whom a run took leave of, and when.
    pub former: BTreeMap<String, DateTime<Utc>>,
}

/// Why an account should not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accused {
    /// Theirs is over.
    Survivor { who: String, since: Option<DateTime<Utc>> },
    /// Nobody in HR or in the directory.
    Orphan,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub system: System,
    pub account: Account,
    pub accused: Accused,
}

/// A licence that a former person's account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub system: System,
    pub login: String,
    pub who: String,
    pub since: Option<DateTime<Utc>>,
    pub seat: Held,
}

/// People by every name that a system may know them under.
pub struct Whose<'a> {
    names: BTreeMap<String, BTreeSet<&'a PersonId>>,
    people: BTreeMap<&'a PersonId, (&'a Person, Standing)>,
    memory: &'a Remembered,
    spared: BTreeSet<String>,
}

/// How somebody stands with the firm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Here,
    /// Left, and the time in which a leaver may still be under way is over.
    Gone(Option<DateTime<Utc>>),
}

impl<'a> Whose<'a> {
    /// `spared`: logins that protection names: service accounts belong to nobody.
    pub fn new(
        people: &'a [Person],
        memory: &'a Remembered,
        spared: impl IntoIterator<Item = &'a str>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let mut names: BTreeMap<String, BTreeSet<&PersonId>> = BTreeMap::new();
        for p in people {
            let profile = ["secondEmail", "employeeNumber", "githubLogin"];
            let more = profile.iter().filter_map(|k| p.profile.get(*k));
            for name in [&p.login, &p.email].into_iter().chain(more).filter(|n| !n.is_empty()) {
                names.entry(name.to_lowercase()).or_default().insert(&p.id);
            }
        }
        let people = people.iter().map(|p| (&p.id, (p, standing(p, policy, now)))).collect();
        Whose {
            names,
            people,
            memory,
            spared: spared.into_iter().map(str::to_lowercase).collect(),
        }
    }

    /// The one person whose it is; two are nobody.
    fn owner(&self, system: &System, account: &Account) -> Option<(&'a Person, Standing)> {
        let key = (system.clone(), account.id.clone());
        if let Some(id) = self.memory.accounts.get(&key)
            && let Some(found) = self.people.get(id)
        {
            return Some(*found);
        }
        let mut found: BTreeSet<&PersonId> = BTreeSet::new();
        for name in called(account) {
            found.extend(self.names.get(&name).into_iter().flatten().copied());
        }
        found.retain(|id| {
            !self
                .memory
                .not
                .contains(&((*id).clone(), system.clone(), account.id.clone()))
        });
        // Somebody who is here outweighs a namesake who left: an address that was given again.
        let here: Vec<_> = found
            .iter()
            .filter_map(|id| self.people.get(*id))
            .filter(|(_, s)| *s == Standing::Here)
            .collect();
        match (here.as_slice(), found.len()) {
            ([one, ..], _) => Some(**one),
            ([], 1) => found.first().and_then(|id| self.people.get(*id)).copied(),
            ([], _) => None,
        }
    }

    /// What is wrong with a system's accounts. `Err`: the list can't be believed.
    pub fn orphans(&self, system: &System, can: &Verbs, accounts: &[Account]) -> Result<Vec<Found>, Failure> {
        self.believed(system, accounts)?;
        let mut out = Vec::new();
        for account in accounts.iter().filter(|a| lives(a, can)) {
            if called(account).iter().any(|n| self.spared.contains(n)) {
                continue;
            }
            let former = || called(account).iter().find_map(|n| self.memory.former.get(n).copied());
            let accused = match self.owner(system, account) {
                Some((_, Standing::Here)) => continue,
                Some((p, Standing::Gone(since))) => Accused::Survivor {
                    who: p.login.clone(),
                    since,
                },
                None => match former() {
                    Some(since) => Accused::Survivor {
                        who: account.login.clone(),
                        since: Some(since),
                    },
                    None => Accused::Orphan,
                },
            };
            out.push(Found {
                system: system.clone(),
                account: account.clone(),
                accused,
            });
        }
        Ok(out)
    }

    /// Licences that former people's accounts go on holding, whatever state the accounts are in.
    pub fn seats(&self, system: &System, accounts: &[Account]) -> Result<Vec<Seat>, Failure> {
        self.believed(system, accounts)?;
        let mut out = Vec::new();
        for account in accounts {
            let Some((p, Standing::Gone(since))) = self.owner(system, account) else {
                continue;
            };
            out.extend(account.held(Holding::Seat).map(|seat| Seat {
                system: system.clone(),
                login: account.login.clone(),
                who: p.login.clone(),
                since,
                seat: seat.clone(),
            }));
        }
        Ok(out)
    }

    fn believed(&self, system: &System, accounts: &[Account]) -> Result<(), Failure> {
        let what = format!("accounts of {system}");
        if accounts.is_empty() {
            return Err(Failure::contradiction(what, "0 accounts, which is not believed"));
        }
        if !accounts.iter().any(|a| self.owner(system, a).is_some()) {
            let n = accounts.len();
            let why = format!("none of {n} accounts is anybody's whom HR or the directory knows");
            return Err(Failure::contradiction(what, why));
        }
        Ok(())
    }
}

/// Every name that the account goes by, lower case.
fn called(account: &Account) -> BTreeSet<String> {
    let names = account.known_as.iter().chain([&account.login]);
    names.filter(|n| !n.is_empty()).map(|n| n.to_lowercase()).collect()
}

/// Can anybody use it? Where suspending is all that can be done, suspended is shut.
fn lives(account: &Account, can: &Verbs) -> bool {
    let shut_by_door = !can.contains(&Verb::Deactivate) && account.state == State::Suspended;
    account.state != State::Closed && !shut_by_door
}

pub(super) fn standing(person: &Person, policy: &Policy, now: DateTime<Utc>) -> Standing {
    let word = judge(person, policy, now);
    let left = match &word {
        Word::Left { leaving } => leaving.as_ref().map(|l| l.at),
        Word::Employed { .. } => return Standing::Here,
        // HR says two things: who is shut, with the leaving date past, is gone all the same.
        Word::SetAside(_) => {
            let leaving = person.worker().and_then(|w| dates::leaving(w, policy)).map(|l| l.at);
            match leaving {
                Some(at) if at < now && person.status == Status::Deprovisioned => Some(at),
                Some(_) | None => return Standing::Here,
            }
        }
        Word::Missing => None,
    };
    if person.status == Status::Deprovisioned {
        return Standing::Gone(left.or(person.status_changed));
    }
    // Due, and perhaps under way: that is the leavers' lane until the promise is broken.
    let recorded = person.worker().and_then(|w| w.recorded);
    let clock = recorded.into_iter().chain(left).max();
    let promise = TimeDelta::from_std(policy.promise).unwrap_or_default();
    match word {
        Word::Left { .. } if clock.is_none_or(|c| c + promise < now) => Standing::Gone(left),
        _ => Standing::Here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::*,
        planner::stories::firm::{Firm, Someone, at, firm},
    };

    fn account(login: &str, state: State) -> Account {
        Account::new(format!("id-{login}"), login, state, "active")
    }
    fn gone(firm: &Firm, name: &str) -> Someone {
        let person = firm.person(name).terminated("2026-02-01T09:00Z");
        person.status(Status::Deprovisioned, &[])
    }
    fn people(all: &[Someone]) -> Vec<Person> {
        all.iter().map(|s| s.seen.person.clone()).collect()
    }
    fn judged(firm: &Firm, all: &[Someone], memory: &Remembered, accounts: &[Account]) -> Result<Vec<String>, Failure> {
        let people = people(all);
        let whose = Whose::new(&people, memory, ["robot@acme.example"], &firm.policy, firm.now);
        let can = Verbs::from([Verb::Deactivate]);
        let found = whose.orphans(&System::of("crm"), &can, accounts)?;
        Ok(found
            .iter()
            .map(|f| match &f.accused {
                Accused::Survivor { who, .. } => format!("{} left", who.split('@').next().unwrap()),
                Accused::Orphan => format!("{} nobody", f.account.login.split('@').next().unwrap()),
            })
            .collect())
    }

    #[test]
    fn who_left_and_who_is_nobody_are_told_apart_and_those_who_work_here_are_left_alone() {
        let firm = firm();
        let all = [firm.person("ann"), gone(&firm, "dot")];
        let accounts = [
            account("ANN@acme.example", State::Active),
            account("dot@acme.example", State::Suspended),
            account("eve@acme.example", State::Active),
            account("old@acme.example", State::Closed),
            account("robot@acme.example", State::Active),
        ];
        let found = judged(&firm, &all, &Remembered::default(), &accounts).unwrap();
        assert_eq!(found, ["dot left", "eve nobody"]);
    }

    #[test]
    fn a_list_in_which_we_know_nobody_accuses_nobody() {
        let firm = firm();
        let all = [firm.person("ann")];
        for accounts in [vec![], vec![account("x1", State::Active), account("x2", State::Active)]] {
            assert!(judged(&firm, &all, &Remembered::default(), &accounts).is_err());
        }
    }

    #[test]
    fn a_leaver_who_is_due_is_no_survivor_before_the_promise_is_broken() {
        let firm = firm();
        let due = firm.person("due").terminated("2026-03-02T09:00Z");
        let late = firm
            .person("late")
            .terminated("2026-03-01T09:00Z")
            .worker(|w| w.recorded = Some(at("2026-03-01T09:00Z")));
        let all = [firm.person("ann"), due, late];
        let accounts = ["ann", "due", "late"].map(|n| account(&format!("{n}@acme.example"), State::Active));
        let found = judged(&firm, &all, &Remembered::default(), &accounts).unwrap();
        assert_eq!(found, ["late left"]);
    }

    #[test]
    fn the_ledger_knows_whose_an_account_is_and_who_was_here_once() {
        let firm = firm();
        let all = [firm.person("ann"), gone(&firm, "dot")];
        let mut memory = Remembered::default();
        let crm = System::of("crm");
        memory
            .accounts
            .insert((crm.clone(), "id-sales7".into()), PersonId("00u-dot".into()));
        memory.former.insert("zed@acme.example".into(), at("2025-12-01T09:00Z"));
        let accounts = ["ann@acme.example", "sales7", "zed@acme.example"].map(|n| account(n, State::Active));
        assert_eq!(
            judged(&firm, &all, &memory, &accounts).unwrap(),
            ["dot left", "zed left"]
        );
        memory
            .not
            .insert((PersonId("00u-ann".into()), crm, "id-ann@acme.example".into()));
        assert!(
            judged(&firm, &all, &memory, &accounts[..1]).is_err(),
            "said to be nobody's"
        );
    }

    #[test]
    fn an_address_that_was_given_again_is_the_present_persons() {
        let firm = firm();
        let mut old = gone(&firm, "old");
        old.seen.person.email = "ann@acme.example".into();
        let found = judged(
            &firm,
            &[firm.person("ann"), old],
            &Remembered::default(),
            &[account("ann@acme.example", State::Active)],
        );
        assert_eq!(found.unwrap(), Vec::<String>::new());
    }

    #[test]
    fn licences_of_former_people_are_told_whatever_the_account_s_state() {
        let firm = firm();
        let people = people(&[firm.person("ann"), gone(&firm, "dot")]);
        let mut dot = account("dot@acme.example", State::Closed);
        let seat = Held::new(Holding::Seat, "2", "licensed");
        dot.holds.insert(Holding::Seat, Observed::Present([seat].into()));
        let memory = Remembered::default();
        let whose = Whose::new(&people, &memory, [], &firm.policy, firm.now);
        let seats = whose
            .seats(&System::of("zoom"), &[account("ann@acme.example", State::Active), dot])
            .unwrap();
        assert_eq!(
            seats.iter().map(|s| s.who.as_str()).collect::<Vec<_>>(),
            ["dot@acme.example"]
        );
    }
}
