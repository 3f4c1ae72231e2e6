//! Eyes, in two waves: the directory, then every app at once with what it and the ledger know of the person.
//!
//! A failure becomes Unknown, in its own part; nothing here decides what that means.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::{join_all, join3, join5};

use super::AllEyes;
use crate::{
    ledger::History,
    model::{
        Account, Brief, Catalogue, Failure, Held, Holding, Observation, Observed, Person, PersonId, Seen, System,
        system::OKTA,
    },
    providers::{
        Handles, Known,
        okta::{ApiToken, Directory, bare},
    },
};

/// What looks, and nothing that acts.
#[derive(Clone)]
pub struct Looking {
    pub directory: Arc<Directory>,
    /// Every target, the directory among them.
    pub eyes: AllEyes,
    /// How the directory may call an app of each system, lower case.
    pub apps: BTreeMap<System, BTreeSet<String>>,
}

/// What a run needs to know of the tenant; each part is one or a few calls, once.
#[derive(Clone, Debug, Default)]
pub struct Need {
    pub groups: bool,
    pub rules: bool,
    pub apps: bool,
    pub admins: bool,
    pub tokens: bool,
    pub offers: bool,
}

/// Read once a run. API tokens come beside it, by owner: they are the person's holdings.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub catalogue: Catalogue,
    pub tokens: Observed<Vec<ApiToken>>,
    /// Types of the admin roles that people hold.
    pub roles: Observed<BTreeMap<PersonId, BTreeSet<String>>>,
}

pub async fn tenant(look: &Looking, organisation: String, need: Need) -> Tenant {
    let d = &look.directory;
    // Who is an admin also hangs on which groups carry a role: groups first, then admins; the rest beside them.
    let people = async {
        let groups = if need.groups {
            known(d.groups().await)
        } else {
            Observed::Absent
        };
        let admins = match (&groups, need.admins) {
            (_, false) => Ok(None),
            (Observed::Present(all), true) => d.admins(all).await.map(Some),
            (Observed::Unknown(f), true) => Err(f.clone()),
            (Observed::Absent, true) => d.admins(&BTreeMap::new()).await.map(Some),
        };
        (groups, admins)
    };
    let rules = async {
        if need.rules {
            known(d.rules().await)
        } else {
            Observed::Absent
        }
    };
    let apps = async {
        if need.apps {
            known(d.apps().await)
        } else {
            Observed::Absent
        }
    };
    let tokens = async {
        if need.tokens {
            known(d.api_tokens().await)
        } else {
            Observed::Absent
        }
    };
    let offers = async {
        if need.offers {
            offers(look).await
        } else {
            BTreeMap::new()
        }
    };
    let ((groups, admins), rules, apps, tokens, offers) = join5(people, rules, apps, tokens, offers).await;
    let roles = match &admins {
        Ok(Some(all)) => Observed::Present(all.0.clone()),
        Ok(None) => Observed::Absent,
        Err(f) => Observed::Unknown(f.clone()),
    };
    let (protected, protection_unknown) = match admins {
        Ok(all) => {
            let supers = all
                .as_ref()
                .map(|a| a.supers().cloned().collect::<Vec<_>>())
                .unwrap_or_default();
            (
                supers
                    .into_iter()
                    .map(|id| (id, "super administrator of Okta".to_owned()))
                    .collect(),
                None,
            )
        }
        Err(f) => (BTreeMap::new(), Some(f)),
    };
    Tenant {
        catalogue: Catalogue {
            tenant: organisation,
            groups,
            rules,
            apps,
            apps_of_group: BTreeMap::new(),
            offers,
            protected,
            protection_unknown,
            managers: BTreeMap::new(),
            leaving: BTreeSet::new(),
        },
        tokens,
        roles,
    }
}

/// What policy may give in each system beside Okta's groups.
pub async fn offers(look: &Looking) -> BTreeMap<System, Observed<BTreeMap<String, Held>>> {
    let read = look
        .eyes
        .iter()
        .map(|(system, eyes)| async move { (system.clone(), known(eyes.offers().await)) });
    join_all(read).await.into_iter().collect()
}

/// Which apps each of these groups gives: only a mover's and joiner's preview asks.
pub async fn apps_of(look: &Looking, catalogue: &mut Catalogue, groups: BTreeSet<String>) {
    let missing: Vec<String> = groups
        .into_iter()
        .filter(|g| !catalogue.apps_of_group.contains_key(g))
        .collect();
    let read = join_all(missing.into_iter().map(|g| async {
        let apps = look.directory.apps_of_group(&g).await;
        (g, known(apps))
    }))
    .await;
    catalogue.apps_of_group.extend(read);
}

/// How far up a chain of managers is looked for one who stays.
const CHAIN: usize = 8;

/// Managers, and theirs, as long as nobody is found who could be given files.
pub async fn chain(look: &Looking, catalogue: &mut Catalogue, mut names: BTreeSet<String>) {
    for _ in 0..CHAIN {
        managers(look, catalogue, names.clone()).await;
        let above = |name: &String| match catalogue.managers.get(&name.to_lowercase()) {
            Some(Observed::Present(b)) if !b.live || catalogue.leaving.contains(&b.id) => b.manager.clone(),
            Some(_) | None => None,
        };
        names = names.iter().filter_map(above).collect();
        if names.is_empty() {
            return;
        }
    }
}

/// Resolves what profiles call managers. Nobody, or more than one, is nobody.
pub async fn managers(look: &Looking, catalogue: &mut Catalogue, names: BTreeSet<String>) {
    let missing: Vec<String> = names
        .into_iter()
        .filter(|n| !catalogue.managers.contains_key(&n.to_lowercase()))
        .collect();
    let read = join_all(missing.into_iter().map(|name| async move {
        let found = match look.directory.find(&name).await {
            Ok(people) => match people.as_slice() {
                [one] => Observed::Present(Brief {
                    id: one.id.clone(),
                    login: one.login.clone(),
                    name: one.name(),
                    live: one.status.live(),
                    manager: one
                        .worker()
                        .and_then(|w| w.manager.clone())
                        .or_else(|| one.profile.get("managerId").cloned()),
                }),
                _ => Observed::Absent,
            },
            Err(f) => Observed::Unknown(f),
        };
        (name.to_lowercase(), found)
    }))
    .await;
    catalogue.managers.extend(read);
}

/// What is asked of the directory's account before a plan is made.
pub fn directory_parts() -> BTreeSet<Holding> {
    BTreeSet::from([Holding::Group, Holding::App, Holding::Client])
}

/// What is asked of the apps: what policy may give and take, and of a leaver everything.
pub fn app_parts(gives: bool) -> BTreeSet<Holding> {
    let mut parts = BTreeSet::from([
        Holding::Channel,
        Holding::Team,
        Holding::Group,
        Holding::Org,
        Holding::Invitation,
        Holding::Seat,
    ]);
    if !gives {
        parts.extend([
            Holding::Session,
            Holding::Client,
            Holding::Token,
            Holding::Grant,
            Holding::Role,
            Holding::Owned,
            Holding::Transfer,
            Holding::Task,
        ]);
    }
    parts
}

/// One person everywhere. `parts` narrows what the directory is asked.
pub async fn person(
    look: &Looking,
    tenant: &Arc<Catalogue>,
    tokens: &Observed<Vec<ApiToken>>,
    person: Person,
    history: &History,
    parts: &BTreeSet<Holding>,
    app_parts: &BTreeSet<Holding>,
) -> (Observation, BTreeMap<System, Handles>) {
    let mut parts = parts.clone();
    if !matches!(tokens, Observed::Absent) {
        parts.insert(Holding::Token);
    }
    let account = look.directory.account(&person, &parts, Some(tokens)).await;
    let mut handles = handles(look, tenant, &person, &account, history);
    let mut systems = apps(look, &person, &handles, history, app_parts).await;
    // What was found is looked at again by its id: once shut, an address may not lead to it any more.
    for (system, seen) in &systems {
        if let (Some(known), Some(found)) = (handles.get_mut(system), seen.account.present()) {
            known.account.get_or_insert_with(|| found.id.clone());
        }
    }
    systems.insert(OKTA, directory(look, account));
    let observation = Observation {
        person,
        tenant: tenant.clone(),
        systems,
        done: history.done.clone(),
        given: history.given.clone(),
        grants: history.grants.clone(),
        owed: vec![],
    };
    (observation, handles)
}

fn directory(look: &Looking, account: Account) -> Seen {
    let can = look.eyes.get(&OKTA).map(|e| e.can()).unwrap_or_default();
    Seen::new(can, Observed::Present(account))
}

/// Every target but the directory, side by side.
async fn apps(
    look: &Looking,
    person: &Person,
    handles: &BTreeMap<System, Handles>,
    history: &History,
    parts: &BTreeSet<Holding>,
) -> BTreeMap<System, Seen> {
    let nothing = Handles::default();
    let reads = look
        .eyes
        .iter()
        .filter(|(system, _)| **system != OKTA)
        .map(|(system, eyes)| {
            let handles = handles.get(system).unwrap_or(&nothing);
            async move {
                let known = Known { person, handles, parts };
                let mut account = eyes.observe(known).await.unwrap_or_else(Observed::Unknown);
                // An operator said whose it isn't: whatever leads there, it is left alone.
                let not = |a: &Account| history.not.contains(&(system.clone(), a.id.clone()));
                if account.present().is_some_and(not) {
                    account = Observed::Absent;
                }
                let app = handles.app.clone();
                (
                    system.clone(),
                    Seen {
                        app,
                        ..Seen::new(eyes.can(), account)
                    },
                )
            }
        });
    join_all(reads).await.into_iter().collect()
}

/// The fresh look under the lease, in one round trip: what was found is read by the ids it was found under, all at once. What isn't
/// asked again is taken over from the first look. `Absent`: nobody has that id any more.
pub async fn person_again(
    look: &Looking,
    tokens: &Observed<Vec<ApiToken>>,
    before: &Observation,
    handles: &BTreeMap<System, Handles>,
    history: &History,
    parts: &BTreeSet<Holding>,
    app_parts: &BTreeSet<Holding>,
) -> Result<Observed<Observation>, Failure> {
    let mut parts = parts.clone();
    if !matches!(tokens, Observed::Absent) {
        parts.insert(Holding::Token);
    }
    let (person, held, systems) = join3(
        look.directory.person(&before.person.id.0),
        look.directory.account(&before.person, &parts, Some(tokens)),
        apps(look, &before.person, handles, history, app_parts),
    )
    .await;
    let person = match person? {
        Observed::Present(p) => p,
        Observed::Absent => return Ok(Observed::Absent),
        Observed::Unknown(f) => return Ok(Observed::Unknown(f)),
    };
    let mut systems = systems;
    let account = Account {
        holds: held.holds,
        ..bare(&person)
    };
    systems.insert(OKTA, directory(look, account));
    for (system, seen) in &mut systems {
        if let (Observed::Present(account), Some(old)) = (&mut seen.account, before.account(system)) {
            for (part, held) in old.holds.iter().filter(|_| old.id == account.id) {
                account.holds.entry(*part).or_insert_with(|| held.clone());
            }
        }
    }
    Ok(Observed::Present(Observation {
        person,
        tenant: before.tenant.clone(),
        systems,
        done: history.done.clone(),
        given: history.given.clone(),
        grants: history.grants.clone(),
        owed: vec![],
    }))
}

/// Under which ids and names the person may be known in each system.
fn handles(
    look: &Looking,
    tenant: &Catalogue,
    person: &Person,
    account: &Account,
    history: &History,
) -> BTreeMap<System, Handles> {
    look.eyes
        .keys()
        .map(|system| {
            let known = look.apps.get(system);
            let called = |name: &str| known.is_some_and(|all| all.contains(&name.to_lowercase()));
            let assigned = account.held(Holding::App).find(|held| {
                let app = tenant.apps.present().and_then(|apps| apps.get(&held.id));
                app.map_or_else(|| called(&held.name), |a| called(&a.name) || called(&a.label))
            });
            let addresses = [&person.login, &person.email]
                .into_iter()
                .chain(person.profile.get("secondEmail"))
                .filter(|a| a.contains('@'))
                .cloned()
                .collect();
            let handles = Handles {
                account: history.accounts.get(system).cloned(),
                external_id: assigned.and_then(|h| h.facts.get("external_id").cloned()),
                user_name: assigned.and_then(|h| h.facts.get("user_name").cloned()),
                assigned: assigned.is_some(),
                app: assigned.map(|h| h.id.clone()),
                addresses,
            };
            (system.clone(), handles)
        })
        .collect()
}

/// Whom a run acts on, and how to look at them again.
pub enum Target {
    Person {
        person: Box<Person>,
        handles: BTreeMap<System, Handles>,
        tenant: Arc<Catalogue>,
    },
    /// Somebody who is being made: found by login, for there is no id yet.
    Newcomer {
        login: String,
        directory: Arc<Directory>,
        tenant: Arc<Catalogue>,
    },
    /// The tenant's groups.
    Tenant {
        directory: Arc<Directory>,
        tenant: Arc<Catalogue>,
    },
}

impl Target {
    pub fn tenant(&self) -> &Arc<Catalogue> {
        match self {
            Target::Person { tenant, .. } | Target::Newcomer { tenant, .. } | Target::Tenant { tenant, .. } => tenant,
        }
    }
}

/// A fresh look at one system, after the fact.
pub async fn again(
    eyes: &AllEyes,
    target: &Target,
    system: &System,
    parts: &BTreeSet<Holding>,
) -> (Seen, Option<Arc<Catalogue>>) {
    match target {
        Target::Person { person, handles, .. } => {
            let none = Handles::default();
            let Some(e) = eyes.get(system) else {
                let f = Failure::permanent(system.to_string(), "is not configured");
                return (Seen::new(BTreeSet::new(), Observed::Unknown(f)), None);
            };
            let known = Known {
                person,
                handles: handles.get(system).unwrap_or(&none),
                parts,
            };
            let account = e.observe(known).await.unwrap_or_else(Observed::Unknown);
            (Seen::new(e.can(), account), None)
        }
        Target::Newcomer { login, directory, .. } => {
            let account = match directory.person(login).await.unwrap_or_else(Observed::Unknown) {
                Observed::Present(p) => Observed::Present(bare(&p)),
                Observed::Absent => Observed::Absent,
                Observed::Unknown(f) => Observed::Unknown(f),
            };
            let can = eyes.get(system).map(|e| e.can()).unwrap_or_default();
            (Seen::new(can, account), None)
        }
        Target::Tenant { directory, tenant } => {
            let groups = known(directory.groups().await);
            let account = match &groups {
                Observed::Unknown(f) => Observed::Unknown(f.clone()),
                Observed::Present(_) | Observed::Absent => Observed::Absent,
            };
            let fresh = Catalogue {
                groups,
                ..Catalogue::clone(tenant)
            };
            (Seen::new(BTreeSet::new(), account), Some(Arc::new(fresh)))
        }
    }
}

fn known<T>(read: Result<T, Failure>) -> Observed<T> {
    read.map_or_else(Observed::Unknown, Observed::Present)
}
