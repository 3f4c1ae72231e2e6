//! `jml audit orphans` and `audit seats`: every account of every app, page by page, against HR, the directory and the ledger.
//!
//! Requests grow with pages, not with people. A system that was not read whole accuses nobody, and says so.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::{read, say};
use crate::{
    cli::{
        context::Context,
        document::{Drift, Rows},
        error::CliError,
        exit::Exit,
        firm::Firm,
        text,
        view::list::List,
    },
    model::{Account, Failure, Person, PersonId, System, Verb, system::OKTA},
    planner::orphans::{Accused, Found, Remembered, Seat, Whose},
    providers::{Cursor, Eyes},
};

const COLUMNS: &[&str] = &["login", "system", "what", "since", "mark"];
/// More pages than any app of a firm has: a list that never ends is no list.
const PAGES: usize = 10_000;

/// What every app says of everybody.
pub struct Everywhere {
    people: Vec<Person>,
    memory: Remembered,
    spared: Vec<String>,
    systems: Vec<(System, Result<Vec<Account>, Failure>)>,
}

pub async fn look(firm: &Firm, only: Option<&System>) -> Result<Everywhere, CliError> {
    let known = firm.ledger.everyone().await?;
    let memory = Remembered {
        accounts: known.accounts.into_iter().map(|(k, s)| (k, PersonId(s))).collect(),
        not: known.not.into_iter().map(|(s, y, a)| (PersonId(s), y, a)).collect(),
        former: known.former,
    };
    // What only people can do holds no accounts.
    let holds = |eyes: &dyn Eyes| !eyes.can().contains(&Verb::ByHand);
    let wanted = |s: &&System| **s != OKTA && only.is_none_or(|o| *s == o);
    let systems = firm.look.eyes.iter().filter(|(_, e)| holds(e.as_ref())).map(|(s, _)| s);
    let reads = systems
        .filter(wanted)
        .map(|system| async move { (system.clone(), accounts(firm, system).await) });
    let (people, systems) = futures::join!(read::everyone(firm), join_all(reads));
    Ok(Everywhere {
        people: people?,
        memory,
        spared: firm.config.protected.iter().map(|p| p.login.clone()).collect(),
        systems,
    })
}

/// The whole list, or why there is none.
async fn accounts(firm: &Firm, system: &System) -> Result<Vec<Account>, Failure> {
    let what = format!("accounts of {system}");
    let Some(eyes) = firm.look.eyes.get(system) else {
        return Err(Failure::permanent(what, "is not configured"));
    };
    let (mut all, mut ids): (Vec<Account>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    let mut total = None;
    let mut from: Option<Cursor> = None;
    for _ in 0..PAGES {
        let page = eyes.accounts(from).await?;
        total = page.total.or(total);
        for account in page.items {
            if ids.insert(account.id.clone()) {
                all.push(account);
            }
        }
        let Some(next) = page.next else {
            return match total.and_then(|t| usize::try_from(t).ok()) {
                Some(t) if t > all.len() => Err(Failure::contradiction(
                    what,
                    format!("{} of {t} accounts came: the list is not whole", all.len()),
                )),
                Some(_) | None => Ok(all),
            };
        };
        from = Some(next);
    }
    Err(Failure::contradiction(what, "the list has no end"))
}

impl Everywhere {
    fn whose(&self, firm: &Firm) -> Whose<'_> {
        let spared = self.spared.iter().map(String::as_str);
        Whose::new(&self.people, &self.memory, spared, &firm.config.policy, firm.now())
    }
    /// Who should not be there, and the systems that can't tell.
    pub fn orphans(&self, firm: &Firm) -> (Vec<Found>, Vec<(System, Failure)>) {
        let whose = self.whose(firm);
        let can = |s: &System| firm.look.eyes.get(s).map(|e| e.can()).unwrap_or_default();
        self.each(|system, accounts| whose.orphans(system, &can(system), accounts))
    }
    pub fn seats(&self, firm: &Firm) -> (Vec<Seat>, Vec<(System, Failure)>) {
        let whose = self.whose(firm);
        self.each(|system, accounts| whose.seats(system, accounts))
    }
    fn each<T>(
        &self,
        judge: impl Fn(&System, &[Account]) -> Result<Vec<T>, Failure>,
    ) -> (Vec<T>, Vec<(System, Failure)>) {
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for (system, read) in &self.systems {
            match read.as_ref().map_err(Clone::clone).and_then(|all| judge(system, all)) {
                Ok(mut more) => found.append(&mut more),
                Err(f) => unread.push((system.clone(), f)),
            }
        }
        (found, unread)
    }
}

/// As a list has it.
pub fn row(found: &Found) -> Drift {
    let account = &found.account;
    let (login, what, since) = match &found.accused {
        Accused::Survivor { who, since } => (
            who.clone(),
            format!("has left; account {} is {}", account.id, account.word),
            *since,
        ),
        Accused::Orphan => {
            let login = if account.login.is_empty() {
                &account.id
            } else {
                &account.login
            };
            (
                login.clone(),
                format!("nobody's; account {} is {}", account.id, account.word),
                None,
            )
        }
    };
    Drift {
        login,
        system: found.system.to_string(),
        what,
        since,
        mark: "drift".to_owned(),
    }
}

pub fn unread(system: &System, failure: &Failure) -> Drift {
    Drift {
        login: String::new(),
        system: system.to_string(),
        what: format!("not read whole, so nobody is accused: {failure}"),
        since: None,
        mark: "unknown".to_owned(),
    }
}

pub async fn orphans(cx: &Context, system: Option<String>) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let only = system.map(|s| named(&firm, &s)).transpose()?;
    let all = look(&firm, only.as_ref()).await?;
    let (found, blind) = all.orphans(&firm);
    let rows: Vec<Drift> = found
        .iter()
        .map(row)
        .chain(blind.iter().map(|(s, f)| unread(s, f)))
        .collect();
    let survivors = found
        .iter()
        .filter(|f| matches!(f.accused, Accused::Survivor { .. }))
        .count();
    let mut after = format!(
        "{} of people who left, {} of nobody; {}.\n",
        survivors,
        found.len() - survivors,
        systems(&all.systems, &blind),
    );
    if survivors > 0 {
        after += &format!("Take them away:  jml leaver LOGIN{}\n", cx.flags());
    }
    show(
        cx,
        &firm,
        "audit-orphans",
        rows,
        !blind.is_empty(),
        found.is_empty(),
        &after,
    )
}

pub async fn seats(cx: &Context) -> Result<Exit, CliError> {
    let firm = Firm::open(cx).await?;
    let all = look(&firm, None).await?;
    let (found, blind) = all.seats(&firm);
    let seat = |s: &Seat| Drift {
        login: s.who.clone(),
        system: s.system.to_string(),
        what: format!("holds the licence {}", s.seat.name),
        since: s.since,
        mark: "drift".to_owned(),
    };
    let rows: Vec<Drift> = found
        .iter()
        .map(seat)
        .chain(blind.iter().map(|(s, f)| unread(s, f)))
        .collect();
    let after = format!(
        "{} held by people who left; {}.\n",
        text::count(found.len(), "licence"),
        systems(&all.systems, &blind)
    );
    show(
        cx,
        &firm,
        "audit-seats",
        rows,
        !blind.is_empty(),
        found.is_empty(),
        &after,
    )
}

fn systems(all: &[(System, Result<Vec<Account>, Failure>)], blind: &[(System, Failure)]) -> String {
    let read = all.len() - blind.len();
    let accounts: usize = all.iter().filter_map(|(_, r)| r.as_ref().ok()).map(Vec::len).sum();
    let mut out = format!(
        "{} read, {}",
        text::count(read, "system"),
        text::count(accounts, "account")
    );
    if !blind.is_empty() {
        out += &format!("; {} not read", blind.len());
    }
    out
}

pub fn show(
    cx: &Context,
    firm: &Firm,
    kind: &str,
    rows: Vec<Drift>,
    blind: bool,
    clean: bool,
    after: &str,
) -> Result<Exit, CliError> {
    let mut exit = if clean { Exit::Done } else { Exit::Changes };
    if blind {
        exit = exit.worse(Exit::Partial);
    }
    let tenant = say::tenant(firm);
    let list = List {
        kind,
        tenant: &tenant,
        exit,
        columns: COLUMNS,
        own_kind: false,
    };
    list.show(&cx.out, &rows, after, || Rows { rows: rows.clone() })?;
    Ok(exit)
}

fn named(firm: &Firm, typed: &str) -> Result<System, CliError> {
    let mut known = firm.look.eyes.keys().filter(|s| **s != OKTA);
    known.clone().find(|s| s.as_str() == typed).cloned().ok_or_else(|| {
        let all: Vec<&str> = known.by_ref().map(System::as_str).collect();
        CliError::usage(format!(
            "no system \"{}\" with accounts is configured",
            text::middle_cut(typed, 40)
        ))
        .hint(format!("It has {}.", text::list(&all)))
    })
}
