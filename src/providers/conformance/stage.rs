//! One fresh firm for one case: the row's own eyes, hands and recorder, made as production makes them, over a wire that ends in the twin.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fixtures::Fixture;
use crate::{
    config::{Config, Section},
    http::{Answer, BoxFuture, Client, Clock, Request, Wire, WireError},
    model::{Account, Catalogue, Effect, Failure, Observed, Person, PersonId, Receipt, Record, Seen, System, Verdict},
    planner::{
        brake::{self, Facts, PlanSet},
        consent::{self, Consent},
    },
    providers::{
        Act, Eyes, Handles, Hands, Known, Look, Recorder, Roster, Task, Witness, okta::Directory, registry, script,
        secrets::Secrets,
    },
    sandbox::{
        engine::{self, Engine},
        member,
        net::{self, Served},
    },
};

struct Mem(Arc<Engine>);

impl Wire for Mem {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        Box::pin(async move {
            let origin = request.url.origin().ascii_serialization();
            let Some(system) = self.0.system_at(&origin) else {
                return Err(WireError::NeverSent("nobody is there".into()));
            };
            let query = request.url.query().map(|q| format!("?{q}")).unwrap_or_default();
            let text = |(k, v): (&HeaderName, &HeaderValue)| (k.to_string(), v.to_str().unwrap().to_owned());
            let asked = engine::Request {
                method: request.method.to_string(),
                target: format!("{}{query}", request.url.path()),
                headers: agent(request.headers.iter().map(text).collect()),
                body: request.body.to_vec(),
            };
            let Some(reply) = self.0.handle(&system, asked).await else {
                return Err(WireError::Cut("closed without an answer".into()));
            };
            let mut headers = HeaderMap::new();
            for (k, v) in reply.headers {
                headers.append(HeaderName::try_from(k).unwrap(), HeaderValue::try_from(v).unwrap());
            }
            Ok(Answer::new(reply.status, headers, reply.body))
        })
    }
}

/// As the wire of production says it.
fn agent(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.push(("user-agent".into(), "jml".into()));
    headers
}

pub struct Stage {
    pub fixture: &'static Fixture,
    pub engine: Arc<Engine>,
    pub system: System,
    section: Section,
    config: Config,
    look: Look,
    _folder: tempfile::TempDir,
    _served: Option<Served>,
}

impl Stage {
    /// With every credential that the settings name.
    pub fn of(fixture: &'static Fixture) -> Stage {
        Self::knowing(fixture, |_| true)
    }

    /// Pinned to a tenant that is not there, by an id of the same form.
    pub fn elsewhere(fixture: &'static Fixture) -> Stage {
        let other: String = fixture.pin.chars().rev().collect();
        assert_ne!(other, fixture.pin);
        Self::made(fixture, |_| true, |text| text.replace(fixture.pin, &other), None)
    }

    /// With those credentials whose name passes.
    pub fn knowing(fixture: &'static Fixture, known: fn(&str) -> bool) -> Stage {
        Self::made(fixture, known, |text| text, None)
    }

    /// With every program of the fixture replaced by this one.
    pub fn with_program(fixture: &'static Fixture, program: &'static str) -> Stage {
        Self::made(fixture, |_| true, |text| text, Some(program))
    }

    fn made(
        fixture: &'static Fixture,
        known: fn(&str) -> bool,
        change: impl Fn(String) -> String,
        program: Option<&'static str>,
    ) -> Stage {
        let (began, start) = (tokio::time::Instant::now(), "2026-07-15T05:05:00Z");
        let start: DateTime<Utc> = start.parse().unwrap();
        let host: engine::Host = Arc::new(move || start + TimeDelta::from_std(began.elapsed()).unwrap());
        let engine = Engine::in_memory((fixture.given)(), host).unwrap();
        let served = fixture.port.then(|| net::start(&engine).unwrap());
        let ours = engine.clone();
        let clock: Clock = Arc::new(move || ours.now());
        let client = Client::over(Arc::new(Mem(engine.clone())), clock, Arc::new(|_| {}), 7);
        let folder = tempfile::tempdir().unwrap();
        let instead = |t: &'static str| program.filter(|_| t.starts_with("#!")).unwrap_or(t);
        let files = fixture.files.iter().filter(|(name, _)| known(name));
        let files: Vec<(&str, &str)> = files.map(|(n, t)| (*n, instead(t))).collect();
        let text = change(config(fixture, &engine, folder.path(), &files));
        let config = Config::parse("jml.toml", text).unwrap_or_else(|e| panic!("{}: {e}", fixture.kind));
        let system = System::named(fixture.kind);
        let section = config.systems[&system].clone();
        let env: BTreeMap<String, _> = (fixture.secrets)(&engine)
            .into_iter()
            .filter(|(name, _)| known(name))
            .map(|(name, secret)| (name.to_owned(), secret.into()))
            .collect();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified((start - TimeDelta::hours(1)).into()).unwrap();
        }
        let look = Look::new(Arc::new(client), Secrets::new(folder.path(), env));
        Stage {
            fixture,
            engine,
            system,
            section,
            config,
            look,
            _folder: folder,
            _served: served,
        }
    }

    pub fn faults(&self, faults: &Value) {
        let reply = self.engine.control("POST", "/faults", faults.to_string().as_bytes());
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    /// Every fault that was armed was met.
    pub fn fired(&self) -> bool {
        let shown = self.engine.faults();
        shown.as_array().unwrap().iter().all(|f| f["fired"].as_u64() > Some(0))
    }

    /// `DELETE /api/v1/…` for each request to the system, in order.
    pub fn asked(&self) -> Vec<String> {
        self.journal().into_iter().map(|(name, _)| name).collect()
    }

    /// With each, whether it would change something.
    fn journal(&self) -> Vec<(String, bool)> {
        let reply = self.engine.control("GET", "/journal", b"");
        let text = String::from_utf8(reply.body).unwrap();
        let lines: Vec<Value> = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Array(all)) => all,
            Ok(one) => vec![one],
            Err(_) => text.lines().map(|l| serde_json::from_str(l).unwrap()).collect(),
        };
        let twin = member::row(self.fixture.kind);
        let text = |l: &Value, key: &str| l[key].as_str().unwrap_or_default().to_owned();
        lines
            .iter()
            .map(|l| {
                let (method, path, body) = (text(l, "method"), text(l, "path"), text(l, "request_body"));
                let asks = method == "GET" || twin.is_some_and(|t| (t.asks)(&method, &path, &body));
                (format!("{method} {path}"), !asks)
            })
            .collect()
    }

    /// What would change something.
    pub fn writes(&self) -> Vec<String> {
        let journal = self.journal().into_iter();
        journal.filter(|(_, writes)| *writes).map(|(name, _)| name).collect()
    }

    /// Nobody but the twins' credentials: what must never be told.
    pub fn secrets(&self) -> Vec<String> {
        let values = (self.fixture.secrets)(&self.engine).into_values();
        let parts = values.flat_map(|v| match serde_json::from_str::<BTreeMap<String, String>>(&v) {
            Ok(record) => record.into_values().collect(),
            Err(_) => vec![v],
        });
        parts.collect()
    }

    pub fn eyes(&self) -> Box<dyn Eyes> {
        registry::eyes(&self.section, &self.look).unwrap().unwrap()
    }
    pub fn hands(&self) -> Box<dyn Hands> {
        registry::hands(&self.section, &self.act()).unwrap().unwrap()
    }
    pub fn witness(&self) -> Box<dyn Witness> {
        registry::witness(&self.section, &self.look).unwrap().unwrap()
    }
    pub fn recorder(&self) -> Box<dyn Recorder> {
        registry::recorder(&self.section, &self.act()).unwrap().unwrap()
    }
    pub fn roster(&self) -> Box<dyn Roster> {
        registry::roster(&self.section, &self.config.roster, &self.look).unwrap()
    }

    /// Consent to nothing is consent all the same: the suite asks for each call by itself.
    fn act(&self) -> Act {
        let cleared = brake::clear(PlanSet::default(), &self.config.limits, &Facts::default()).unwrap();
        Act::after(self.look.clone(), &consent::agree(cleared, Consent::Standing).unwrap())
    }

    /// The account of that id, or whoever the fixture is about.
    pub async fn observe(&self, eyes: &dyn Eyes, id: &str) -> Result<Observed<Account>, Failure> {
        let person = Person {
            id: PersonId(id.to_owned()),
            ..script::person()
        };
        let handles = Handles {
            account: Some(id.to_owned()),
            addresses: [format!("{}@acme.example", id.to_lowercase())].into(),
            ..Handles::default()
        };
        let parts = self.fixture.parts.iter().copied().collect();
        let who = Known {
            person: &person,
            handles: &handles,
            parts: &parts,
        };
        eyes.observe(who).await
    }

    pub async fn account(&self) -> Account {
        let seen = self.observe(&*self.eyes(), self.fixture.account).await;
        match seen {
            Ok(Observed::Present(account)) => account,
            other => panic!("{}: the fixture's account is {other:?}", self.fixture.kind),
        }
    }

    pub async fn perform(&self, effect: &Effect) -> Result<Receipt, Failure> {
        let task = Task {
            effect,
            key: "r-1/00u/1",
            deadline: self.engine.now() + TimeDelta::minutes(10),
            again: false,
        };
        self.hands().perform(task).await
    }

    /// Does the postcondition hold, by a read of its own with new eyes? `made` is the id of what was made.
    pub async fn holds(&self, effect: &Effect, made: Option<&str>) -> Verdict {
        let eyes = self.eyes();
        let id = made.filter(|_| effect.account.is_empty()).unwrap_or(&effect.account);
        let account = if id.is_empty() {
            Observed::Absent
        } else {
            self.observe(&*eyes, id).await.unwrap_or_else(Observed::Unknown)
        };
        let seen = Seen::new(eyes.can(), account);
        let tenant = Catalogue {
            groups: self.groups().await,
            ..empty()
        };
        effect.holds(&[(self.system.clone(), seen)].into(), &tenant)
    }

    /// What an app does later is waited for where the clock is virtual; who is asked in real time does it at once.
    pub async fn comes_to_hold(&self, effect: &Effect, made: Option<&str>) -> Verdict {
        if !self.fixture.wire {
            return self.holds(effect, made).await;
        }
        for _ in 0..8 {
            let verdict = self.holds(effect, made).await;
            if verdict != Verdict::Lacks {
                return verdict;
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        Verdict::Lacks
    }

    /// Groups are the directory's alone.
    async fn groups(&self) -> Observed<BTreeMap<String, crate::model::Group>> {
        if self.fixture.kind != "okta" {
            return Observed::Absent;
        }
        let directory = Directory::of(&self.section, None, &self.look).unwrap();
        directory
            .groups()
            .await
            .map_or_else(Observed::Unknown, Observed::Present)
    }

    pub async fn deliver(&self, record: &Record) -> Result<Receipt, Failure> {
        self.recorder().deliver(record).await
    }

    /// How many of such records the twin holds.
    pub fn kept(&self, place: &str) -> usize {
        let reply = self.engine.control("GET", "/state", b"");
        let state: Value = serde_json::from_slice(&reply.body).unwrap();
        match state.pointer(place) {
            Some(Value::Array(all)) => all.len(),
            Some(Value::Object(all)) => all.len(),
            _ => 0,
        }
    }
}

fn config(fixture: &Fixture, engine: &Engine, folder: &Path, files: &[(&str, &str)]) -> String {
    let url = engine.origin(fixture.kind).map(|o| format!("url = \"{o}\"\n"));
    let okta = engine.origin("okta").unwrap();
    let okta = if fixture.kind == "okta" {
        String::new()
    } else {
        format!("[systems.okta]\nurl = \"{okta}\"\nwrite = \"file:OTHER\"\n")
    };
    let mut settings = fixture.settings.replace("{folder}", &folder.display().to_string());
    for (name, text) in files {
        let digest = hex::encode(Sha256::digest(text));
        settings = settings.replace(&format!("{{sha256 {name}}}"), &digest);
    }
    format!(
        "[policy]\nzone = \"UTC\"\n{okta}[systems.{}]\n{}{settings}\n{}",
        fixture.kind,
        url.unwrap_or_default(),
        fixture.roster
    )
}

fn empty() -> Catalogue {
    Catalogue {
        tenant: String::new(),
        groups: Observed::Absent,
        rules: Observed::Absent,
        apps: Observed::Absent,
        apps_of_group: BTreeMap::new(),
        offers: BTreeMap::new(),
        protected: BTreeMap::new(),
        protection_unknown: None,
        managers: BTreeMap::new(),
        leaving: Default::default(),
    }
}
