//! The systems of the configuration, wired: what a command works with once it talks to the firm.
//!
//! Eyes are made here, hands only from an `Agreed`. Nothing is believed before the tenant has said who it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use tokio::sync::OnceCell;

use super::{context::Context, error::CliError, flow::errors, memory};
use crate::{
    config::Config,
    http::{Client, Observer, Trust},
    ledger::Ledger,
    model::{Failure, Observed, Person, PersonId, Protected, System, Worker, system::OKTA},
    planner::{consent::Agreed, employment},
    providers::{Act, Eyes, Look, Roster, Witness, okta::Directory, registry, secrets::Secrets},
    run::{
        AllHands, AllRecorders, Clock,
        observe::{self, Looking, Need, Tenant},
    },
};

/// How long a verification goes on reading: Okta's deactivation is asynchronous and may take a minute.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Firm {
    pub config: Config,
    pub look: Looking,
    pub ledger: Ledger,
    pub clock: Clock,
    pub operator: String,
    /// The organisation id: the tenant.
    pub organisation: String,
    /// The host that screens name, or `sandbox`.
    pub place: String,
    pub sandbox: bool,
    pub patience: Duration,
    /// Who is asked what they saw; none that isn't configured.
    pub witnesses: BTreeMap<System, Arc<dyn Witness>>,
    roster: Option<(System, Arc<dyn Roster>)>,
    workers: OnceCell<Roll>,
    parts: Look,
    _keep: Option<Box<dyn std::any::Any + Send>>,
}

/// Everyone whom the roster knows, read whole once a command, and found by what strings it gives.
#[derive(Debug, Default)]
pub struct Roll {
    pub workers: Vec<Worker>,
    pub pages: usize,
    by_login: BTreeMap<String, Vec<usize>>,
    by_email: BTreeMap<String, Vec<usize>>,
    by_key: BTreeMap<String, Vec<usize>>,
    by_universal: BTreeMap<String, Vec<usize>>,
}

impl Roll {
    fn of(workers: Vec<Worker>, pages: usize) -> Roll {
        let mut roll = Roll {
            pages,
            ..Roll::default()
        };
        for (i, w) in workers.iter().enumerate() {
            let put = |index: &mut BTreeMap<String, Vec<usize>>, key: &Option<String>| {
                if let Some(key) = key.as_deref().map(fold).filter(|k| !k.is_empty()) {
                    index.entry(key).or_default().push(i);
                }
            };
            put(&mut roll.by_login, &w.login);
            // An address finds only whom no login names.
            put(&mut roll.by_email, &w.email.clone().filter(|_| w.login.is_none()));
            put(&mut roll.by_key, &Some(w.key.clone()));
            put(&mut roll.by_universal, &w.universal);
        }
        roll.workers = workers;
        roll
    }
    /// By login, else by address, else by number; then what HR's own number ties to those. Strings only find, `employment::settle`
    /// decides.
    pub fn records(&self, p: &Person) -> Vec<Worker> {
        let number = p.profile.get("employeeNumber").map_or("", String::as_str);
        let mut found: BTreeSet<usize> = [
            (&self.by_login, p.login.as_str()),
            (&self.by_email, &p.email),
            (&self.by_key, number),
        ]
        .into_iter()
        .filter(|(_, key)| !key.is_empty())
        .find_map(|(index, key)| index.get(&fold(key)))
        .into_iter()
        .flatten()
        .copied()
        .collect();
        let tied: Vec<usize> = found
            .iter()
            .filter_map(|i| self.workers[*i].universal.as_deref())
            .filter_map(|u| self.by_universal.get(&fold(u)))
            .flatten()
            .copied()
            .collect();
        found.extend(tied);
        found.into_iter().map(|i| self.workers[i].clone()).collect()
    }
}

/// What a firm is made from; the tests hand in a wire that ends in the twins, and a ledger in memory.
pub struct Made {
    pub config: Config,
    pub client: Client,
    pub secrets: Secrets,
    pub clock: Clock,
    pub operator: String,
    pub place: String,
    pub sandbox: bool,
    /// What must live as long as the firm is spoken to: an in-process sandbox.
    pub keep: Option<Box<dyn std::any::Any + Send>>,
}

impl Firm {
    pub async fn open(cx: &Context) -> Result<Firm, CliError> {
        let made = cx.wire().await?;
        let place = memory::Place::of(cx, &made.config, made.clock.clone())?;
        let firm = Firm::assemble(made, move |organisation| place.open(organisation)).await?;
        // The first to say it is the one that counts; a command opens one firm.
        let _ = cx.tenant.set((firm.organisation.clone(), firm.sandbox));
        Ok(firm)
    }

    /// Asks the tenant who it is before anything else is believed, and before any write credential is fetched.
    pub async fn assemble(
        made: Made,
        ledger: impl FnOnce(&str) -> Result<Ledger, crate::ledger::LedgerError>,
    ) -> Result<Firm, CliError> {
        let Made {
            config,
            client,
            secrets,
            clock,
            operator,
            place,
            sandbox,
            keep,
        } = made;
        let parts = Look::new(Arc::new(client), secrets);
        let okta = config
            .systems
            .get(&OKTA)
            .ok_or_else(|| CliError::config("[systems.okta] is missing: the directory").hint("jml config init"))?;
        let is_roster = config.roster.source == OKTA;
        let directory = Arc::new(Directory::of(okta, is_roster.then_some(&config.roster), &parts)?);
        let mut eyes: BTreeMap<System, Arc<dyn Eyes>> = BTreeMap::new();
        let mut apps: BTreeMap<System, BTreeSet<String>> = BTreeMap::new();
        let mut witnesses: BTreeMap<System, Arc<dyn Witness>> = BTreeMap::new();
        for section in config.systems.values() {
            let row = registry::row(section)?;
            let names = [section.kind.as_str(), section.system.as_str()]
                .into_iter()
                .chain(row.okta.iter().copied());
            if row.is_target() || row.is_recorder() {
                apps.insert(section.system.clone(), names.map(str::to_lowercase).collect());
            }
            if let Some(w) = registry::witness(section, &parts)? {
                witnesses.insert(section.system.clone(), Arc::from(w));
            }
            if let Some(e) = registry::eyes(section, &parts)? {
                eyes.insert(section.system.clone(), Arc::from(e));
            }
        }
        let organisation = pinned(&directory, &eyes).await?;
        let roster = match &config.roster.source {
            s if *s == OKTA => None,
            s => {
                // The configuration was refused if there were none.
                let section = config
                    .systems
                    .get(s)
                    .ok_or_else(|| CliError::config(format!("[systems.{s}] is missing")))?;
                let roster: Arc<dyn Roster> = Arc::from(registry::roster(section, &config.roster, &parts)?);
                Some((s.clone(), roster))
            }
        };
        let ledger = ledger(&organisation)?;
        Ok(Firm {
            look: Looking { directory, eyes, apps },
            ledger,
            clock,
            operator,
            organisation,
            place,
            sandbox,
            patience: PATIENCE,
            witnesses,
            roster,
            workers: OnceCell::new(),
            parts,
            config,
            _keep: keep,
        })
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// The tenant's catalogue, with the people whom policy protects.
    pub async fn tenant(&self, need: Need) -> Result<Tenant, CliError> {
        let mut tenant = self.bare_tenant(need).await?;
        for p in &self.config.protected {
            match self.look.directory.person(&p.login).await {
                Ok(Observed::Present(person)) => protect(&mut tenant, person.id, p),
                Ok(Observed::Absent) => {}
                Ok(Observed::Unknown(f)) | Err(f) => tenant.catalogue.protection_unknown = Some(f),
            }
        }
        Ok(tenant)
    }

    /// Without them: a sweep, which reads everybody, finds them in that.
    pub async fn bare_tenant(&self, need: Need) -> Result<Tenant, CliError> {
        let tenant = observe::tenant(&self.look, self.organisation.clone(), need).await;
        match &tenant.catalogue.groups {
            Observed::Unknown(f) => Err(CliError::unread(f)),
            Observed::Present(_) | Observed::Absent => Ok(tenant),
        }
    }

    pub fn protect(&self, tenant: &mut Tenant, people: &[Person]) {
        for p in &self.config.protected {
            for person in people.iter().filter(|q| fold(&q.login) == fold(&p.login)) {
                protect(tenant, person.id.clone(), p);
            }
        }
    }

    /// Everyone whom the roster knows; `None` where the directory is the roster.
    pub async fn roll(&self) -> Result<Option<&Roll>, CliError> {
        let Some((_, roster)) = &self.roster else {
            return Ok(None);
        };
        let roll = self
            .workers
            .get_or_try_init(|| async {
                let (mut workers, mut pages, mut from) = (vec![], 0, None);
                loop {
                    let page = roster.page(from).await?;
                    pages += 1;
                    workers.extend(page.items);
                    match page.next {
                        Some(next) => from = Some(next),
                        None => return Ok::<_, Failure>(Roll::of(workers, pages)),
                    }
                }
            })
            .await
            .map_err(|f| errors::source(&f))?;
        Ok(Some(roll))
    }

    /// A file in place of the roster's own, for this command: `joiner --from`.
    pub fn instead_of_roster(&self, workers: Vec<Worker>) {
        // Set before the first look at the roster, or not at all.
        let _ = self.workers.set(Roll::of(workers, 1));
    }

    /// Puts HR's word beside the directory's facts.
    pub async fn employ(&self, mut people: Vec<Person>) -> Result<Vec<Person>, CliError> {
        if let Some(roll) = self.roll().await? {
            for p in &mut people {
                p.hr = employment::settle(roll.records(p));
            }
        }
        Ok(people)
    }

    /// A person read again, with HR's word as it was read a moment ago, unless the directory itself is the roster.
    pub fn with_same_hr(&self, mut fresh: Person, before: &Person) -> Person {
        if self.roster.is_some() {
            fresh.hr = before.hr.clone();
        }
        fresh
    }

    /// Who is told what, in words, in the registry's order.
    pub fn told(&self) -> Vec<String> {
        let configured = |kind: &str| self.config.systems.values().any(|s| s.kind == kind);
        let told = |r: &&registry::Row| r.is_recorder() && configured(r.kind);
        registry::REGISTRY
            .iter()
            .filter(told)
            .map(|r| r.told.to_owned())
            .collect()
    }

    pub fn roster_name(&self) -> &str {
        self.roster.as_ref().map_or("okta", |(s, _)| s.as_str())
    }

    /// Hands and recorders: the one place where write credentials come in.
    pub fn hands(&self, agreed: &Agreed) -> Result<(AllHands, AllRecorders), CliError> {
        let act = Act::after(self.parts.clone(), agreed);
        let (mut hands, mut recorders) = (AllHands::new(), AllRecorders::new());
        for section in self.config.systems.values() {
            if let Some(h) = registry::hands(section, &act)? {
                hands.insert(section.system.clone(), Arc::from(h));
            }
            if let Some(r) = registry::recorder(section, &act)? {
                recorders.insert(section.system.clone(), Arc::from(r));
            }
        }
        Ok((hands, recorders))
    }

    /// What eyes are made from: for looks that no provider offers.
    pub fn parts(&self) -> &Look {
        &self.parts
    }

    /// People of the last sweep's read: what percentages are of. By hand nobody counts the firm anew.
    pub async fn population(&self) -> usize {
        self.ledger
            .last_good_sweep()
            .await
            .ok()
            .flatten()
            .map_or(0, |(_, s)| s.people)
    }

    pub async fn leavers_24h(&self) -> Result<BTreeSet<PersonId>, CliError> {
        let since = self.now() - TimeDelta::hours(24);
        Ok(self
            .ledger
            .leavers_since(since)
            .await?
            .into_iter()
            .map(PersonId)
            .collect())
    }

    /// A name that no run of this ledger has.
    pub async fn new_run(&self) -> Result<String, CliError> {
        for _ in 0..8 {
            let run = super::context::open::run_id();
            if self.ledger.run(&run).await?.is_none() {
                return Ok(run);
            }
        }
        Err(CliError::internal("no free name for a run"))
    }

    pub fn tags(&self, trigger: &str) -> Vec<String> {
        vec![self.place_tag(), format!("trigger:{trigger}")]
    }

    /// By which its figures are told from the sandbox's.
    pub fn place_tag(&self) -> String {
        format!("env:{}", if self.sandbox { "sandbox" } else { "prod" })
    }
}

fn protect(tenant: &mut Tenant, id: PersonId, listed: &Protected) {
    let why = listed.reason.clone().unwrap_or_else(|| "[protect] people".to_owned());
    tenant.catalogue.protected.insert(id, why);
}

/// For finding only: case and composition of letters don't tell two people apart.
fn fold(s: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    s.trim().nfc().flat_map(char::to_lowercase).collect()
}

/// Every system says which tenant it is; one that answers another is exit 2, one that can't be asked is exit 10 for the directory
/// and Unknown later for an app.
async fn pinned(directory: &Directory, eyes: &BTreeMap<System, Arc<dyn Eyes>>) -> Result<String, CliError> {
    let asked = join_all(eyes.iter().filter(|(s, _)| **s != OKTA).map(|(_, e)| e.pinned()));
    let (directory, apps) = futures::join!(directory.is_pinned(), asked);
    let organisation = directory.map_err(|f| errors::pin(&f))?;
    for answer in apps {
        if let Err(f) = answer
            && f.is_wrong_tenant()
        {
            return Err(errors::pin(&f));
        }
    }
    Ok(organisation)
}

/// The client of a configuration: trust and proxy come from it, never from the environment.
pub fn client(config: &Config, folder: &Path, clock: Clock, observer: Observer, seed: u64) -> Result<Client, CliError> {
    let trust = Trust {
        ca: config.http.authorities(folder)?,
        proxy: config.http.proxy.as_ref().map(|p| p.as_url().clone()),
        egress: config.http.egress.clone(),
    };
    Ok(Client::net(trust, clock, observer, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_two_forms_are_one() {
        assert_eq!(fold("Zoe\u{301}@ACME.example "), fold("zo\u{e9}@acme.example"));
    }
}
