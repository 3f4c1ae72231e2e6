//! A firm of 60 in memory, the ledger beside it, and one process after another that works on both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    line::Line,
    wire::{Mem, Point, Sent, When},
};
use crate::{
    cli::{
        args::{Gate, Global, Output},
        command::{groups, joiner, leaver, mover, run::ResumeArgs, sweep::Args as SweepArgs},
        context::{Clock as HostClock, Context, Environment, Terminal},
        error::CliError,
        exit::Exit,
        firm::{Firm, Kept, Made},
        flow::{by_hand, groups::apply, resume, spooled, sweep},
        operator::Operator,
        signal::Signals,
        view::{self, Out, Screen, report},
    },
    config::Config,
    http::Client,
    ledger::{
        Body, Draft, Entry, Filter, Guard, Ledger, LedgerError, Meta, Spool, Verdict,
        fold::{Progress, State},
        store::Memory,
    },
    model::{Action, Effect, Outcome, Phase},
    providers::secrets::Secrets,
    run::Clock,
    sandbox::{
        config,
        engine::{Engine, Setup},
        firm,
        journal::Journal,
        member, world,
    },
};

const ORGANISATION: &str = "00o0000000000000ACME";
const START: &str = "2026-11-25T17:00:00Z";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Leaver(&'static str),
    Mover(&'static str),
    Joiner(&'static str),
    /// Back again, with whatever the account is.
    Rehire(&'static str),
    /// Made from HR's file first, by their number in it.
    From(&'static str),
    Groups,
    Sweep,
    Resume,
}

/// How a process ended.
#[derive(Debug)]
pub enum End {
    Killed,
    Exit(Exit),
    Refused(CliError),
}

impl End {
    pub fn exit(&self) -> Option<Exit> {
        match self {
            End::Killed => None,
            End::Exit(exit) => Some(*exit),
            End::Refused(e) => Some(e.exit),
        }
    }
}

pub struct World {
    pub engine: Arc<Engine>,
    pub wire: Arc<Mem>,
    store: Memory,
    /// Of a world whose ledger is on a server: how that is lost, and where this host writes then.
    server: Option<(Line, Spool)>,
    clock: Clock,
    config: String,
    secrets: BTreeMap<String, SecretString>,
    seed: u64,
    begun: Instant,
    /// Ids of who was there from the beginning.
    there: BTreeSet<String>,
    /// HR's file lies there.
    folder: tempfile::TempDir,
}

/// What the executor is tried on: one app and the records. The others are tried in `estate`.
const SMALL: [&str; 3] = ["slack", "servicenow", "datadog"];
/// Of the world's state: what `state` shows by itself, and what is nobody's access.
const APART: [&str; 11] = [
    "now",
    "clock_skew",
    "config",
    "roster",
    "okta",
    "slack",
    "servicenow",
    "datadog",
    "workday",
    "successfactors",
    "hibob",
];
/// Nobody can see whether sessions were ended, nor for sure whether a client holds tokens while grants stand.
const BLIND: [&str; 2] = ["clear-sessions ", "revoke-client-tokens "];
/// What wants a socket of its own is no part of a world in memory.
const SOCKETS: [&str; 2] = ["vault", "ldap"];

/// The firm, with that many people and the whole cast.
pub fn given(people: usize) -> Value {
    let mut given = estate(people);
    given["apps"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| SMALL.contains(&name.as_str()));
    given["config"]["systems"].as_object_mut().unwrap().remove("badge");
    given
}

/// The same with every system that speaks HTTP, and the tasks for people.
pub fn estate(people: usize) -> Value {
    let mut given = firm::document(people, 1, START.parse().unwrap());
    given["limits"] = json!({"leavers": "100"});
    given["apps"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !SOCKETS.contains(&name.as_str()));
    given
}

/// The firm with only those of its cast, and who the rest of the document speaks of.
pub fn few(cast: &[&str]) -> Value {
    only(given(60), cast)
}

pub fn only(mut given: Value, cast: &[&str]) -> Value {
    let kept: Vec<&str> = [
        "alice@acme.example",
        "rita.hall@acme.example",
        "erin.moss@acme.example",
        "paula.root@acme.example",
        "breakglass@acme.example",
    ]
    .into_iter()
    .chain(cast.iter().copied())
    .collect();
    let stays = |login: &str| kept.contains(&login);
    let users = given["okta"]["users"].as_array_mut().unwrap();
    users.retain(|u| stays(u["profile"]["login"].as_str().unwrap()));
    let slack = &mut given["apps"]["slack"];
    let users = slack["users"].as_array_mut().unwrap();
    let gone: Vec<Value> = users
        .iter()
        .filter(|u| u["email"].as_str().is_some_and(|e| !stays(e)))
        .map(|u| u["id"].clone())
        .collect();
    users.retain(|u| !gone.contains(&u["id"]) || u["id"].is_null());
    for channel in slack["channels"].as_array_mut().unwrap() {
        channel["members"].as_array_mut().unwrap().retain(|m| !gone.contains(m));
    }
    given
}

impl World {
    pub fn new(given: Value, seed: u64) -> World {
        Self::limited(given, seed, &[])
    }

    /// As `new`; a system grants so many requests a minute.
    pub fn limited(given: Value, seed: u64, rates: &[(&str, u32)]) -> World {
        let (begun, start): (_, DateTime<Utc>) = (Instant::now(), START.parse().unwrap());
        let server: Clock = Arc::new(move || start + begun.elapsed());
        let mut given = given;
        // Vault is asked over a client of its vendor's crate, which needs a socket; the wire here has none.
        if let Some(apps) = given["apps"].as_object_mut() {
            apps.remove("vault");
        }
        let engine = Engine::new(Setup {
            given: given.clone(),
            host: server,
            say: Arc::new(|_| {}),
            journal: Journal::memory(),
            log: None,
            faults: vec![],
            latency: None,
            rates: rates.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(),
        })
        .unwrap();
        let origins = engine
            .systems()
            .into_iter()
            .map(|s| (s.clone(), engine.origin(&s).unwrap()))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let places = config::Places {
            folder: folder.path(),
            ledger: &folder.path().join("ledger.db"),
            origins: &origins,
            control: "http://127.0.0.1:9",
            nonce: "n",
        };
        let mut of = loaded(&engine, given);
        let mut document = config::document(&mut of, &places);
        let mut secrets = BTreeMap::new();
        for (system, table) in document["systems"].as_object_mut().unwrap() {
            for right in ["read", "write"] {
                if table.get(right).is_none() {
                    continue;
                }
                let name = format!("{system}_{right}");
                table[right] = format!("env:{name}").into();
                secrets.insert(name, secret(&mut of, system, right).into());
            }
        }
        let wire = Mem::new(engine.clone());
        let host = wire.clone();
        let ahead = move || TimeDelta::milliseconds(host.ahead.load(Ordering::Relaxed));
        let clock: Clock = Arc::new(move || start + begun.elapsed() + ahead());
        let state: Value = serde_json::from_slice(&engine.control("GET", "/state", b"").body).unwrap();
        let there = state["okta"]["users"].as_object().unwrap().keys().cloned().collect();
        let w = World {
            there,
            config: config::toml(&document).unwrap(),
            wire,
            engine,
            store: Memory::new(),
            server: None,
            clock,
            secrets,
            seed,
            begun,
            folder,
        };
        if let Some(csv) = w.everything()["roster"]["csv"].as_str() {
            w.roster(csv.as_bytes());
        }
        w
    }

    /// HR's file is this from now on.
    pub fn roster(&self, csv: &[u8]) {
        let path = self.folder.path().join("roster.csv");
        std::fs::write(&path, csv).unwrap();
        // As old as the world, whenever the test runs.
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(START.parse::<DateTime<Utc>>().unwrap().into())
            .unwrap();
    }

    /// All that the twins know.
    pub fn everything(&self) -> Value {
        let reply = self.engine.control("GET", "/state", b"");
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The same with its ledger behind a line that can be cut.
    pub fn on_a_server(mut self) -> World {
        let spool = Spool::memory(meta(ORGANISATION), self.clock.clone());
        self.server = Some((Line::default(), spool));
        self
    }

    pub fn line(&self) -> &Line {
        &self.server.as_ref().unwrap().0
    }

    /// Runs whose entries are not in the ledger yet.
    pub fn spooled(&self) -> Vec<String> {
        self.server.as_ref().unwrap().1.runs().unwrap()
    }

    /// What every command does first.
    async fn begin(&self, cx: &Context, contains: bool) -> Result<Firm, CliError> {
        let firm = self.firm(contains).await?;
        spooled::catch_up(cx, &firm, contains).await?;
        Ok(firm)
    }

    async fn firm(&self, contains: bool) -> Result<Firm, CliError> {
        let client = Client::over(self.wire.clone(), self.clock.clone(), Arc::new(|_| {}), self.seed);
        let made = Made {
            config: Config::parse("jml.toml", self.config.clone())?,
            client,
            secrets: Secrets::new("/", self.secrets.clone()),
            clock: self.clock.clone(),
            operator: Operator::known("dana".into()),
            place: "sandbox".into(),
            sandbox: true,
            keep: None,
        };
        Firm::assemble(made, async |organisation: &str| {
            let (store, server) = (self.store.clone(), self.server.clone());
            let (meta, clock) = (meta(organisation), self.clock.clone());
            let back = move || over(&store, server.as_ref().map(|s| &s.0), meta.clone(), clock.clone());
            let spool = self.server.as_ref().map(|s| s.1.clone());
            match (back(), spool) {
                (Err(e), Some(spool)) if contains => Kept::apart(spool, e, Box::new(back)).await,
                (ledger, spool) => Ok(Kept {
                    spool,
                    ..Kept::from(ledger?)
                }),
            }
        })
        .await
    }

    fn ledger(&self, organisation: &str) -> Result<Ledger, LedgerError> {
        let line = self.server.as_ref().map(|s| &s.0);
        over(&self.store, line, meta(organisation), self.clock.clone())
    }

    pub async fn verified(&self) -> Verdict {
        self.ledger(ORGANISATION).unwrap().verify(None).await.unwrap()
    }

    pub async fn entries(&self) -> Vec<Entry> {
        let ledger = self.ledger(ORGANISATION).unwrap();
        ledger.entries(Filter::default()).await.unwrap()
    }

    /// One process, from its start to its end.
    pub async fn run(&self, command: Command) -> End {
        self.wire.process();
        let cx = context();
        let end = {
            let work = self.command(&cx, command);
            tokio::select! {
                biased;
                () = self.wire.hit.notified() => End::Killed,
                done = work => match done {
                    Ok(exit) => End::Exit(exit),
                    Err(e) => End::Refused(e),
                },
            }
        };
        drop(cx);
        // Its tasks end with it: the ledger's writer, the view.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        end
    }

    async fn command(&self, cx: &Context, command: Command) -> Result<Exit, CliError> {
        let gate = Gate {
            yes: true,
            ..Gate::default()
        };
        match command {
            Command::Leaver(who) => {
                let args = leaver::Args {
                    transfer_to: None,
                    users: vec![who.into()],
                    confirm: vec![who.into()],
                    reason: None,
                    ticket: None,
                    gate: Gate::default(),
                };
                by_hand::leaver(cx, self.begin(cx, true), args).await
            }
            Command::Mover(who) => {
                let args = mover::Args {
                    users: vec![who.into()],
                    gate,
                };
                by_hand::mover(cx, self.begin(cx, false), args).await
            }
            Command::Joiner(who) | Command::Rehire(who) | Command::From(who) => {
                let back = matches!(command, Command::Rehire(_));
                let file = matches!(command, Command::From(_));
                let args = joiner::Args {
                    users: vec![who.into()],
                    from: file.then(|| self.folder.path().join("roster.csv")),
                    activate: back || file,
                    rehire: back,
                    gate,
                };
                by_hand::joiner(cx, self.begin(cx, false), args).await
            }
            Command::Groups => apply::apply(cx, self.begin(cx, false), groups::ApplyArgs { gate }).await,
            Command::Sweep => {
                let args = SweepArgs {
                    lane: vec![],
                    every: None,
                    max_leavers: None,
                    forecast: None,
                    gate,
                };
                sweep::once(cx, &self.begin(cx, false).await?, &args).await
            }
            Command::Resume => resume::resume(cx, &self.begin(cx, false).await?, ResumeArgs { run: None }).await,
        }
    }

    /// Until what the vendors do by themselves has happened.
    pub async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }

    /// As faults and the journal call it: `scim:wiki`.
    pub fn twin(&self, system: &str) -> String {
        let named = |name: &String| member::named_so(name).is_some_and(|m| m.configured() == system);
        self.engine.systems().into_iter().find(named).unwrap()
    }

    pub fn faults(&self, faults: &Value) {
        let reply = self.engine.control("POST", "/faults", faults.to_string().as_bytes());
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    /// How often each fault fired.
    pub fn fired(&self) -> Vec<u64> {
        let shown = self.engine.faults();
        let all = shown.as_array().into_iter().flatten();
        all.map(|f| f["fired"].as_u64().unwrap()).collect()
    }

    pub fn changes(&self) -> Vec<Sent> {
        self.wire.sent().into_iter().filter(Sent::changes).collect()
    }

    /// The world as people would find it: who can reach what, and who was told. Without instants, names of runs and a twin's own ids.
    pub fn state(&self) -> Value {
        let state = self.everything();
        let mut others = state.clone();
        let systems = others.as_object_mut().unwrap();
        systems.retain(|name, _| !APART.contains(&name.as_str()));
        // A transfer is named by its twin when it is asked for.
        if let Some(transfers) = others.pointer_mut("/google/transfers") {
            let mut all: Vec<Value> = entries(transfers).cloned().collect();
            all.iter_mut()
                .for_each(|t| drop(t.as_object_mut().unwrap().remove("id")));
            *transfers = all.into();
        }
        let changes: Vec<Value> = entries(&state["servicenow"]["change_request"])
            .filter(|c| !c["correlation_id"].is_null())
            .map(|c| json!({"title": c["short_description"], "state": c["state"]}))
            .collect();
        let messages: Vec<&Value> = entries(&state["slack"]["messages"]).map(|m| &m["text"]).collect();
        let events: BTreeSet<&str> = state["datadog"]["events"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|e| e["title"].as_str())
            .collect();
        let mut told = json!({
            "users": state["okta"]["users"],
            "apps": state["okta"]["apps"],
            "groups": entries(&state["okta"]["groups"]).map(|g| &g["name"]).collect::<Vec<_>>(),
            "others": others,
            "slack": {"users": state["slack"]["users"], "channels": state["slack"]["channels"]},
            "messages": messages,
            "changes": changes,
            "attached": entries(&state["servicenow"]["sys_attachment"]).count(),
            "incidents": entries(&state["servicenow"]["incident"]).count(),
            "events": events,
        });
        plain(&mut told);
        serde_json::from_str(&self.by_login(told.to_string())).unwrap()
    }

    /// Whom a run makes has another id each time that it has to ask again.
    fn by_login(&self, text: String) -> String {
        let state = self.everything();
        let users = state["okta"]["users"].as_object().unwrap().iter();
        let made = users.filter(|(id, _)| !self.there.contains(*id));
        made.fold(text, |text, (id, u)| {
            text.replace(id.as_str(), u["profile"]["login"].as_str().unwrap())
        })
    }

    /// The run of the one person that a command was for.
    pub async fn run_of(&self, kind: &str) -> State {
        let runs = self.runs().await;
        let mut found = runs
            .into_iter()
            .filter(|r| r.opened.as_ref().is_some_and(|(_, o)| o.kind == kind));
        let one = found.next().expect("the command began a run");
        assert!(found.next().is_none(), "a person's change is one run");
        one
    }

    /// When each step of the one person of that run was started and ended.
    pub async fn times(&self, kind: &str) -> BTreeMap<usize, (Instant, Instant)> {
        let filter = Filter {
            run: Some(self.run_of(kind).await.run),
            ..Filter::default()
        };
        let start: DateTime<Utc> = START.parse().unwrap();
        let at = |e: &Entry| self.begun + (e.envelope.time - start).to_std().unwrap();
        let mut times = BTreeMap::new();
        for e in self.ledger(ORGANISATION).unwrap().entries(filter).await.unwrap() {
            match &e.body {
                Some(Body::Started { step, .. }) => {
                    times.insert(*step, (at(&e), at(&e)));
                }
                Some(Body::Finished { step, .. }) if times.contains_key(step) => {
                    times.get_mut(step).unwrap().1 = at(&e)
                }
                _ => {}
            }
        }
        times
    }

    /// As another operator's process does it, on another host.
    pub async fn pause(&self, length: TimeDelta, all: bool) {
        let paused = Body::Paused {
            until: (self.clock)() + length,
            reason: "unsure".into(),
            all,
        };
        let draft = Draft {
            run: "r-pause0".into(),
            operator: "kim".into(),
            body: paused,
        };
        let ledger = self.ledger(ORGANISATION).unwrap();
        ledger.append(&Guard::default(), vec![draft]).await.unwrap();
    }

    /// What was begun after the first pause, by phase.
    pub async fn begun_in_pause(&self) -> BTreeSet<Phase> {
        let ledger = self.ledger(ORGANISATION).unwrap();
        let runs: BTreeMap<String, State> = self.runs().await.into_iter().map(|s| (s.run.clone(), s)).collect();
        let entries = ledger.entries(Filter::default()).await.unwrap();
        let after = entries.iter().skip_while(|e| e.envelope.kind != "paused");
        after
            .filter_map(|e| match &e.body {
                Some(Body::Started { subject, step }) => {
                    Some(runs[&e.envelope.run].people[subject].steps[*step].step.phase)
                }
                _ => None,
            })
            .collect()
    }

    /// Every run of the ledger.
    pub async fn runs(&self) -> Vec<State> {
        let ledger = self.ledger(ORGANISATION).unwrap();
        let mut out = vec![];
        for head in ledger.runs().await.unwrap() {
            out.extend(ledger.run(&head.run).await.unwrap());
        }
        out
    }

    /// What ended well, by system, action and target, with how often it did.
    pub async fn effects(&self) -> BTreeMap<(String, String), usize> {
        let mut all = BTreeMap::new();
        for state in self.runs().await {
            for r in state.people.values().flat_map(|p| &p.steps) {
                if let Progress::Ended {
                    outcome: Outcome::Verified | Outcome::Done | Outcome::Already | Outcome::Unassigned,
                    ..
                } = r.progress
                {
                    let e = &r.step.effect;
                    // By id where there is one: names are what a source says today.
                    let object = e.action.held().map_or_else(|| r.step.target(), |held| &held.id);
                    let name = self.by_login(format!("{} {} {object}", e.action.name(), e.account));
                    *all.entry((e.system.to_string(), name)).or_default() += 1;
                }
            }
        }
        all
    }

    /// Every change of access that left without an entry before it that says so.
    pub async fn unannounced(&self) -> Vec<String> {
        let mut started: BTreeMap<String, Vec<(DateTime<Utc>, Effect)>> = BTreeMap::new();
        let ledger = self.ledger(ORGANISATION).unwrap();
        for state in self.runs().await {
            let filter = Filter {
                run: Some(state.run.clone()),
                ..Filter::default()
            };
            for e in ledger.entries(filter).await.unwrap() {
                if let Some(Body::Started { subject, step }) = &e.body {
                    let effect = state.people[subject].steps[*step].step.effect.clone();
                    let of = started.entry(effect.system.to_string()).or_default();
                    of.push((e.envelope.time, effect));
                }
            }
        }
        let begun = self.begun;
        self.changes()
            .iter()
            .filter(|c| !["servicenow", "datadog"].contains(&c.system.as_str()))
            .filter(|c| {
                let ahead = TimeDelta::milliseconds(c.ahead);
                let at = START.parse::<DateTime<Utc>>().unwrap() + c.at.duration_since(begun) + ahead;
                let said = format!("{} {}", c.path, c.body);
                let system = member::named_so(&c.system).map_or(c.system.clone(), |m| m.configured().to_owned());
                let of = started.get(&system).map(Vec::as_slice).unwrap_or_default();
                // What the others' calls look like is their own affair: that something of theirs was begun is not.
                let known = ["okta", "slack"].contains(&c.system.as_str());
                !of.iter()
                    .any(|(when, e)| *when <= at && (!known || speaks_of(&said, e)))
            })
            .map(Sent::name)
            .collect()
    }

    /// What must hold in every ledger, whatever happened: it verifies, each run of it can be shown, nothing left unannounced, and no
    /// effect is recorded twice but those that nobody can look at. Those are done again where they are in doubt.
    pub async fn broken(&self) -> Vec<String> {
        let mut wrong = self.unannounced().await;
        wrong.iter_mut().for_each(|c| c.push_str(" left unannounced"));
        let verdict = self.ledger(ORGANISATION).unwrap().verify(None).await;
        match verdict {
            Ok(v) => wrong.extend(v.bad.map(|b| format!("the ledger is wrong at {:?}: {}", b.seq, b.why))),
            Err(e) => wrong.push(format!("the ledger can't be verified: {e}")),
        }
        let firm = view::Tenant {
            host: "sandbox".into(),
            org: ORGANISATION.into(),
            sandbox: true,
        };
        for state in self.runs().await {
            let shown = report::report(&firm, &state, "", &Screen::PLAIN);
            if state.opaque
                || !state
                    .people
                    .values()
                    .all(|p| shown.contains(p.login.split('@').next().unwrap()))
            {
                wrong.push(format!("run {} can't be shown: {shown}", state.run));
            }
        }
        let twice = |effect: &str| !BLIND.iter().any(|b| effect.starts_with(b));
        let all = self.effects().await.into_iter();
        wrong.extend(
            all.filter(|((_, e), n)| *n > 1 && twice(e))
                .map(|(e, n)| format!("{e:?} is recorded {n} times")),
        );
        wrong
    }

    pub fn kill_at(&self, point: &Point, when: When) {
        self.wire.kill_at(point, when);
    }
}

fn meta(organisation: &str) -> Meta {
    Meta {
        tenant: organisation.to_owned(),
        host: "rig".into(),
    }
}

fn over(store: &Memory, line: Option<&Line>, meta: Meta, clock: Clock) -> Result<Ledger, LedgerError> {
    match line {
        None => Ledger::local(store.clone(), meta, clock),
        Some(line) => Ledger::local(line.to(store.clone()), meta, clock),
    }
}

/// Is this the request of that effect? By whom and what it names.
fn speaks_of(said: &str, e: &Effect) -> bool {
    let word = match &e.action {
        Action::Suspend => "lifecycle/suspend",
        Action::Deactivate if e.system.as_str() == "okta" => "lifecycle/deactivate",
        Action::Deactivate => "false",
        Action::ClearSessions => "session",
        Action::Activate => "lifecycle/activate",
        Action::Unsuspend => "lifecycle/unsuspend",
        Action::RevokeGrants => "/grants",
        Action::RevokeClientTokens { client } => &client.id,
        Action::RemoveMember { group: held } | Action::AddMember { group: held } => &held.id,
        Action::UnassignApp { app: held } => &held.id,
        // Opening the conversation, and speaking in it.
        Action::SendMessage { .. } => return said.contains("conversations.open") || said.contains("chat.postMessage"),
        // Whom and what they make has no id yet.
        Action::CreatePerson { .. } => return said.starts_with("/api/v1/users "),
        Action::CreateGroup { name, .. } => return said.starts_with("/api/v1/groups ") && said.contains(name),
        Action::DeleteGroup { group } => return said.contains(&group.id),
        other => return other.held().is_some_and(|held| said.contains(&held.id)),
    };
    said.contains(word) && said.contains(&e.account)
}

/// The same firm once more, for what its rows say of configuration and credentials.
fn loaded(engine: &Engine, given: Value) -> world::World {
    let mut of = world::World {
        now: engine.now(),
        ..world::World::default()
    };
    for m in member::named(&given) {
        for right in ["read", "write", "all"].iter().chain(m.twin.more) {
            let name = format!("{}.{right}", m.name);
            if let Some(secret) = engine.credential(&name) {
                let write = *right != "read";
                let system = m.twin.name;
                of.credentials.push(world::Credential {
                    system,
                    name,
                    secret,
                    write,
                });
            }
        }
    }
    of.given = given;
    for m in member::named(&of.given) {
        let part = of
            .given
            .pointer(&format!("/apps/{}", m.name.replace('/', "~1")))
            .cloned();
        let part = if m.name == "okta" {
            of.given["okta"].clone()
        } else {
            part.unwrap_or_default()
        };
        m.load(&mut of, &part).unwrap();
    }
    of
}

fn secret(of: &mut world::World, system: &str, right: &str) -> String {
    let mut all = member::all(of).into_iter();
    let m = all.find(|m| m.configured() == system).unwrap();
    let record = m.record(of, right);
    record.unwrap_or_else(|| of.secret(&format!("{}.{right}", m.name)).unwrap().to_owned())
}

/// Nobody watches, and nobody can be asked.
fn context() -> Context {
    Context {
        need: crate::cli::role::Need::Nobody,
        global: Global {
            quiet: 2,
            no_input: true,
            output: Output::Human,
            ..Global::default()
        },
        env: Environment::default(),
        terminal: Terminal {
            stdin: false,
            stdout: false,
            stderr: false,
            columns: 80,
        },
        out: Arc::new(Out::new(Screen {
            quiet: 2,
            width: None,
            ..Screen::PLAIN
        })),
        clock: HostClock::default(),
        signals: Signals::default(),
        reads: false,
        tenant: Default::default(),
        run: Default::default(),
        pause: Default::default(),
        closing: Default::default(),
    }
}

fn entries(table: &Value) -> impl Iterator<Item = &Value> {
    table.as_object().into_iter().flatten().map(|(_, v)| v)
}

/// Without instants; sets that a twin lists in the order of its changes, sorted.
fn plain(v: &mut Value) {
    match v {
        Value::Object(map) => {
            map.retain(|_, v| !v.as_str().is_some_and(instant));
            map.values_mut().for_each(plain);
        }
        Value::Array(all) => {
            all.iter_mut().for_each(plain);
            all.sort_by_key(Value::to_string);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn instant(s: &str) -> bool {
    s.parse::<DateTime<Utc>>().is_ok()
}
