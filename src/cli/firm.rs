//! The systems of the configuration, wired: what a command works with once it talks to the firm.
//!
//! Eyes are made here, hands only from an `Agreed`. Nothing is believed before the tenant has said who it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::{
    context::Context,
    error::CliError,
    flow::{errors, pause, spooled},
    memory,
    operator::Operator,
    roll::{Hr, Leavers, Roll, fold},
};
use crate::{
    config::{self, Config},
    http::{Client, Observer, Trust},
    ledger::{Ledger, LedgerError, Spool, Spooling, entry::Former},
    model::{Age, Failure, Hr as Word, Observed, Person, PersonId, Protected, System, Worker, system::OKTA},
    planner::{
        consent::Agreed,
        employment::{self, Says},
    },
    providers::{Act, Eyes, Look, Unasked, Witness, okta::Directory, registry, secrets::Secrets},
    run::{
        AllHands, AllRecorders, Clock,
        observe::{self, Looking, Need, Tenant},
    },
};

/// How long a verification goes on reading: Okta's deactivation is asynchronous and may take a minute.
const PATIENCE: Duration = Duration::from_secs(60);
const APART: usize = 12;

pub struct Firm {
    pub config: Config,
    pub look: Looking,
    pub ledger: Ledger,
    /// Where this host writes while the ledger can't be reached, if that is on a server.
    pub spool: Option<Spool>,
    /// It can't be reached now: `ledger` is the spool of one run, and knows nothing of what was.
    pub away: Option<Away>,
    pub clock: Clock,
    pub operator: Operator,
    /// The organisation id: the tenant.
    pub organisation: String,
    /// The host that screens name, or `sandbox`.
    pub place: String,
    pub sandbox: bool,
    pub patience: Duration,
    /// Who is asked what they saw; none that isn't configured.
    pub witnesses: BTreeMap<System, Arc<dyn Witness>>,
    /// None: the directory is the roster.
    source: Option<Hr>,
    leavers: Leavers,
    parts: Look,
    _keep: Option<Box<dyn std::any::Any + Send>>,
}

/// What a firm is made from; the tests hand in a wire that ends in the twins, and a ledger in memory.
pub struct Made {
    pub config: Config,
    pub client: Client,
    pub secrets: Secrets,
    pub clock: Clock,
    pub operator: Operator,
    pub place: String,
    pub sandbox: bool,
    /// What must live as long as the firm is spoken to: an in-process sandbox.
    pub keep: Option<Box<dyn std::any::Any + Send>>,
}

/// What a firm remembers by.
pub struct Kept {
    pub ledger: Ledger,
    pub spool: Option<Spool>,
    pub away: Option<Away>,
}

impl From<Ledger> for Kept {
    fn from(ledger: Ledger) -> Self {
        Kept {
            ledger,
            spool: None,
            away: None,
        }
    }
}

/// A firm whose ledger could not be opened.
pub struct Away {
    /// The one run that is written to the spool.
    pub run: String,
    pub why: String,
    /// Tries the ledger again.
    pub back: Box<dyn Fn() -> Result<Ledger, LedgerError> + Send + Sync>,
    pub(super) ours: Mutex<Option<Spooling>>,
}

impl Kept {
    /// Without the ledger: containment by hand, which nobody who stops a database may stop.
    pub async fn apart(
        spool: Spool,
        e: LedgerError,
        back: Box<dyn Fn() -> Result<Ledger, LedgerError> + Send + Sync>,
    ) -> Result<Kept, LedgerError> {
        if !e.lost() {
            return Err(e);
        }
        let run = super::context::open::run_id(APART);
        let ours = spool.open(&run).await?;
        Ok(Kept {
            ledger: ours.ledger.clone(),
            spool: Some(spool),
            away: Some(Away {
                run,
                why: e.to_string(),
                back,
                ours: Mutex::new(Some(ours)),
            }),
        })
    }
}

impl Firm {
    pub async fn open(cx: &Context) -> Result<Firm, CliError> {
        Self::opened(cx, false).await
    }

    /// The same without its ledger, if that can't be had: for who contains by hand.
    pub async fn open_to_contain(cx: &Context) -> Result<Firm, CliError> {
        Self::opened(cx, true).await
    }

    async fn opened(cx: &Context, contains: bool) -> Result<Firm, CliError> {
        let made = cx.wire().await?;
        let place = memory::Place::of(cx, &made.config, made.clock.clone())?;
        let kept = async move |organisation: &str| {
            let organisation = organisation.to_owned();
            let spool = place.spool(&organisation);
            let back = move || place.clone().open(&organisation);
            match (back(), spool) {
                (Ok(ledger), spool) => Ok(Kept {
                    ledger,
                    spool,
                    away: None,
                }),
                (Err(e), Some(spool)) if contains => Kept::apart(spool, e, Box::new(back)).await,
                (Err(e), _) => Err(e),
            }
        };
        let firm = Firm::assemble(made, kept).await?;
        // The first to say it is the one that counts; a command opens one firm.
        let _ = cx.tenant.set((firm.organisation.clone(), firm.sandbox));
        spooled::catch_up(cx, &firm, contains).await?;
        pause::notice(cx, &firm.ledger).await;
        Ok(firm)
    }

    /// Asks the tenant who it is before anything else is believed, and before any write credential is fetched.
    pub async fn assemble(
        made: Made,
        kept: impl AsyncFnOnce(&str) -> Result<Kept, LedgerError>,
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
        let from = &config.roster;
        // What `[roster]` maps is the source's; whom the leavers' lane reads beside it is read by the usual names.
        let usual = config::Roster::default();
        let words = match (&from.source, &from.leavers) {
            (s, _) if *s == OKTA => Some(from),
            (_, Some(l)) if *l == OKTA => Some(&usual),
            (_, Some(_) | None) => None,
        };
        let directory = Arc::new(Directory::of(okta, words, &parts)?);
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
        let organisation = pinned(&directory, &mut eyes).await?;
        let hr = |system: &System, words: &config::Roster| -> Result<Hr, CliError> {
            // The configuration was refused if there were none.
            let section = config
                .systems
                .get(system)
                .ok_or_else(|| CliError::config(format!("[systems.{system}] is missing")))?;
            Ok(Hr::new(
                system.clone(),
                Arc::from(registry::roster(section, words, &parts)?),
            ))
        };
        let source = match &from.source {
            s if *s == OKTA => None,
            s => Some(hr(s, from)?),
        };
        let leavers = match &from.leavers {
            Some(l) if *l == from.source => Leavers::Same,
            None => Leavers::Same,
            Some(l) if *l == OKTA => Leavers::Directory,
            Some(l) => Leavers::Hr(Box::new(hr(l, &usual)?)),
        };
        let Kept { ledger, spool, away } = kept(&organisation).await?;
        Ok(Firm {
            look: Looking { directory, eyes, apps },
            ledger,
            spool,
            away,
            clock,
            operator,
            organisation,
            place,
            sandbox,
            patience: PATIENCE,
            witnesses,
            source,
            leavers,
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
        tenant.catalogue.protected.extend(self.listed(people));
    }

    /// Whom `[protect]` names, and why.
    pub fn listed(&self, people: &[Person]) -> BTreeMap<PersonId, String> {
        let named = |p: &Person| self.config.protected.iter().find(|q| fold(&q.login) == fold(&p.login));
        people
            .iter()
            .filter_map(|p| named(p).map(|listed| (p.id.clone(), reason(listed))))
            .collect()
    }

    /// Everyone whom the roster knows; `None` where the directory is the roster.
    pub async fn roll(&self) -> Result<Option<&Roll>, CliError> {
        match &self.source {
            Some(hr) => Ok(Some(hr.roll().await?)),
            None => Ok(None),
        }
    }

    /// Everyone whom this system knows, where `[roster]` names it.
    pub async fn roll_of(&self, system: &System) -> Result<Option<&Roll>, CliError> {
        match self.rosters().find(|hr| hr.system == *system) {
            Some(hr) => Ok(Some(hr.roll().await?)),
            None => Ok(None),
        }
    }

    /// How many pages of rosters were read.
    pub fn roster_pages(&self) -> usize {
        self.rosters().filter_map(Hr::read).map(|roll| roll.pages).sum()
    }

    fn rosters(&self) -> impl Iterator<Item = &Hr> {
        let leavers = match &self.leavers {
            Leavers::Hr(hr) => Some(hr.as_ref()),
            Leavers::Same | Leavers::Directory => None,
        };
        self.source.iter().chain(leavers)
    }

    /// How old what the roster says is.
    pub async fn age(&self) -> Result<Age, Failure> {
        match &self.source {
            Some(hr) => hr.age().await,
            None => self.look.directory.imported().await,
        }
    }

    /// A file in place of the roster's own, for this command: `joiner --from`.
    pub fn instead_of_roster(&self, workers: Vec<Worker>) {
        if let Some(hr) = &self.source {
            hr.set(workers);
        }
    }

    /// Puts HR's word beside the directory's facts.
    pub async fn employ(&self, mut people: Vec<Person>) -> Result<Vec<Person>, CliError> {
        for hr in self.rosters() {
            hr.roll().await?;
        }
        for p in &mut people {
            p.hr = self.word(p);
        }
        Ok(people)
    }

    /// HR's word on somebody of the directory, by the rosters that were read.
    fn word(&self, p: &Person) -> Word {
        let by = |hr: &Hr| employment::settle(hr.read().map(|roll| roll.records(p)).unwrap_or_default());
        let source = Says {
            system: self.roster_name(),
            hr: self.source.as_ref().map_or_else(|| p.hr.clone(), by),
        };
        let leavers = match &self.leavers {
            Leavers::Same => return source.hr,
            Leavers::Directory => Says {
                system: "okta",
                hr: p.hr.clone(),
            },
            Leavers::Hr(hr) => Says {
                system: hr.system.as_str(),
                hr: by(hr),
            },
        };
        employment::both(p, source, leavers, &self.config.policy, self.now())
    }

    /// A person read again, with HR's word as it was read a moment ago; what the directory itself says is fresh.
    pub fn with_same_hr(&self, mut fresh: Person, before: &Person) -> Person {
        fresh.hr = match (&self.source, &self.leavers) {
            (Some(_), Leavers::Same | Leavers::Hr(_)) => before.hr.clone(),
            (None, _) | (Some(_), Leavers::Directory) => self.word(&fresh),
        };
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
        self.source.as_ref().map_or("okta", |hr| hr.system.as_str())
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

    /// The last run under another policy, where the next one is the first under this.
    pub async fn former(&self) -> Result<Option<Former>, CliError> {
        let last = self.ledger.last_policy().await?;
        Ok(last.filter(|l| l.policy != self.config.policy_digest()))
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
        match &self.away {
            Some(away) => Ok(away.run.clone()),
            None => super::context::open::new_run(&self.ledger).await,
        }
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
    tenant.catalogue.protected.insert(id, reason(listed));
}

fn reason(listed: &Protected) -> String {
    listed.reason.clone().unwrap_or_else(|| "[protect] people".to_owned())
}

/// Every system says which tenant it is; one that answers another is exit 2, one that can't be asked is exit 10 for the directory,
/// and an app is unread from then on, whatever else it would answer.
async fn pinned(directory: &Directory, eyes: &mut BTreeMap<System, Arc<dyn Eyes>>) -> Result<String, CliError> {
    let apps = eyes.iter().filter(|(s, _)| **s != OKTA);
    let asked = join_all(apps.map(|(system, e)| async move { (system.clone(), e.pinned().await) }));
    let (directory, apps) = futures::join!(directory.is_pinned(), asked);
    let organisation = directory.map_err(|f| errors::pin(&f))?;
    for (system, answer) in apps {
        match answer {
            Err(f) if f.is_wrong_tenant() => return Err(errors::pin(&f)),
            Err(f) => {
                if let Some(shut) = eyes.get_mut(&system) {
                    *shut = Arc::new(Unasked::new(shut.can(), f));
                }
            }
            Ok(()) => {}
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
