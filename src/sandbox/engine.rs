//! One lock around the pretend firm, and what happens to each request: clock, faults, the twin, the change log, the journal, the wait.
//!
//! Needs no socket: `handle` is the whole of it, under virtual time too. It holds the lock while it computes, never while it waits.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Error,
    clock::Clock,
    credentials,
    exchange::Open,
    faults::Faults,
    files, given,
    journal::Journal,
    member,
    named::Named,
    persist::{Change, Log},
    provisioning, roster,
    twin::Reply,
    world::World,
    written::Written,
};

/// The wall clock of whoever runs the sandbox; under virtual time, one derived from the runtime's clock.
pub type Host = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
/// Takes a line for standard output (`hit NAME`).
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// What a sandbox is made of.
pub struct Setup {
    /// A checked world, or the firm's own document.
    pub given: Value,
    pub host: Host,
    pub say: Say,
    pub journal: Journal,
    /// Where changes are kept; `None`: in memory only.
    pub log: Option<Log>,
    pub faults: Vec<Named>,
    /// Outranks the world's own.
    pub latency: Option<TimeDelta>,
    /// Requests a minute, by system.
    pub rates: BTreeMap<String, u32>,
}

/// A request as it came: the target is path and query, header names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Engine {
    pub(super) host: Host,
    pub(super) say: Say,
    /// Of this start: who asks for the clock must see it again.
    pub nonce: String,
    pub(super) inner: Mutex<Inner>,
    pub(super) release: watch::Sender<u64>,
}

pub(super) struct Inner {
    pub world: World,
    pub clock: Clock,
    pub faults: Faults,
    pub journal: Journal,
    /// Further places for the same lines.
    pub more: Vec<Journal>,
    pub log: Option<Log>,
    pub latency: Duration,
    /// Requests that have no answer yet, by system.
    pub open: BTreeMap<String, u32>,
    pub origins: BTreeMap<String, String>,
    /// The configuration files that stand for this world.
    pub written: Written,
}

impl Engine {
    /// A world in memory that behaves: for tests, and under virtual time.
    pub fn in_memory(given: Value, host: Host) -> Result<Arc<Engine>, Error> {
        let (journal, say): (_, Say) = (Journal::memory(), Arc::new(|_| {}));
        let (faults, rates) = (Vec::new(), BTreeMap::new());
        Engine::new(Setup {
            given,
            host,
            say,
            journal,
            log: None,
            faults,
            latency: None,
            rates,
        })
    }

    pub fn new(setup: Setup) -> Result<Arc<Engine>, Error> {
        let given = setup.given;
        let now = given["now"]
            .as_str()
            .and_then(given::instant)
            .ok_or_else(|| Error::World("now: missing".into()))?;
        let clock = Clock::new(now, (setup.host)(), given::span(&given["clock_skew"]));
        let mut faults = Faults::arm(&given["faults"]).map_err(Error::World)?;
        setup.faults.into_iter().for_each(|f| faults.add(f));
        let latency = setup.latency.unwrap_or_else(|| given::span(&given["latency"]));
        let mut world = World {
            now,
            set_at: now,
            credentials: credentials::made(&given)?,
            given,
            rates: setup.rates,
            ..World::default()
        };
        for member in member::named(&world.given) {
            let place = if member.name == "okta" {
                "/okta".into()
            } else {
                format!("/apps/{}", member.name)
            };
            let part = world.given.pointer(&place).cloned().unwrap_or_default();
            let loaded = member.load(&mut world, &part);
            loaded.map_err(|e| Error::World(format!("{}: {e}", &place[1..])))?;
        }
        if let Some(log) = &setup.log {
            restore(&mut world, log)?;
        }
        world.dirty.clear();
        // a port for each; in memory the addresses are only names
        let open = member::all(&mut world).into_iter().enumerate();
        let origins = open
            .map(|(i, m)| (m.name, format!("{}://127.0.0.1:{}", m.twin.scheme, 1 + i)))
            .collect();
        world.manners = faults.manners();
        let inner = Inner {
            world,
            clock,
            faults,
            journal: setup.journal,
            more: Vec::new(),
            log: setup.log,
            latency: latency.to_std().unwrap_or_default(),
            open: BTreeMap::new(),
            origins,
            written: Written::default(),
        };
        let nonce = files::secret(32).map_err(Error::Io)?;
        let (host, say) = (setup.host, setup.say);
        Ok(Arc::new(Engine {
            host,
            say,
            nonce,
            inner: Mutex::new(inner),
            release: watch::Sender::new(0),
        }))
    }

    /// The systems of this world, in the table's order.
    pub fn systems(&self) -> Vec<String> {
        let mut inner = self.lock();
        member::all(&mut inner.world).into_iter().map(|m| m.name).collect()
    }

    /// The twin's address, `http://127.0.0.1:PORT`; in memory the engine makes one up.
    pub fn origin(&self, system: &str) -> Option<String> {
        self.lock().origins.get(system).cloned()
    }

    /// Whose address it is.
    pub fn system_at(&self, origin: &str) -> Option<String> {
        self.lock()
            .origins
            .iter()
            .find(|(_, o)| *o == origin)
            .map(|(name, _)| name.clone())
    }

    pub(super) fn set_origin(&self, system: &str, origin: String) {
        self.lock().origins.insert(system.to_owned(), origin);
    }

    /// `okta.read`, `okta.write`, `okta.all`, …
    pub fn credential(&self, name: &str) -> Option<String> {
        self.lock()
            .world
            .credentials
            .iter()
            .find(|c| c.name == name)
            .map(|c| c.secret.clone())
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.lock().clock.now((self.host)())
    }

    /// What the host's clock shows, as the world sees it.
    pub fn host_now(&self) -> DateTime<Utc> {
        let inner = self.lock();
        inner.clock.now((self.host)()) + inner.clock.skew
    }

    /// From now on each line goes into that file too.
    pub fn also_journal(&self, path: &std::path::Path) -> io::Result<()> {
        let more = Journal::file(path)?;
        self.lock().more.push(more);
        Ok(())
    }

    /// The faults with how often each was met and fired.
    pub fn faults(&self) -> Value {
        self.lock().faults.shown()
    }

    /// `None`: the connection ends without an answer. Dropped before that, the request is journalled as unanswered.
    pub async fn handle(&self, system: &str, request: Request) -> Option<Reply> {
        let member = member::find(&mut self.lock().world, system);
        let Some(member) = member else {
            return Some(Reply::empty(501));
        };
        let mut open = Open::new(self, member, request);
        let fate = open.fate();
        if fate.delay > TimeDelta::zero() {
            tokio::time::sleep(fate.delay.to_std().unwrap_or_default()).await;
        }
        if let Some((name, true)) = &fate.hold {
            self.held(name).await;
        }
        let (reply, silent, latency) = open.answer(&fate);
        if let Some((name, false)) = &fate.hold {
            self.held(name).await;
        }
        if silent {
            std::future::pending::<()>().await;
        }
        if reply.is_some() && !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        reply
    }

    /// Waits until somebody lets go of what is held at this moment.
    async fn held(&self, name: &str) {
        let mut released = self.release.subscribe();
        (self.say)(&format!("hit {name}"));
        let _ = released.changed().await; // an error: the engine is gone, and so is the wait
    }

    /// A twin that panicked leaves a lock that still works.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The servers' clock is now; what fell due meanwhile has happened.
    pub fn tick(&mut self, host: DateTime<Utc>) {
        let now = self.clock.now(host);
        self.world.now = now;
        for member in member::named(&self.world.given) {
            member.tick(&mut self.world, now);
        }
        provisioning::deliver(&mut self.world);
    }

    /// These faults, and no others.
    pub fn arm(&mut self, faults: Faults) {
        self.world.manners = faults.manners();
        self.faults = faults;
    }

    /// Writes down what changed.
    pub fn save(&mut self) -> io::Result<()> {
        let dirty = std::mem::take(&mut self.world.dirty);
        let Some(log) = &mut self.log else { return Ok(()) };
        let mut changes = Vec::with_capacity(dirty.len());
        for (system, list, id) in dirty {
            if let Some(member) = member::named_so(&system) {
                let entry = member.entry(&mut self.world, &list, &id);
                changes.push(Change {
                    system,
                    list,
                    id,
                    entry,
                });
            }
        }
        if changes.is_empty() { Ok(()) } else { log.write(changes) }
    }

    /// The engine's own entry in the change log: `clock` or `given`.
    pub fn save_own(&mut self, list: &str, entry: Value) -> io::Result<()> {
        let change = Change {
            system: OWN.into(),
            list: list.into(),
            id: String::new(),
            entry: Some(entry),
        };
        self.log.as_mut().map_or(Ok(()), |log| log.write(vec![change]))
    }

    /// The text of HR's file, where HR is a file.
    pub fn roster(&self) -> Option<String> {
        roster::text(&self.world.given)
    }
}

const OWN: &str = "sandbox";

/// How far the stored world's clock runs ahead of the host's: it never runs back.
pub(super) fn ahead(log: &Log) -> TimeDelta {
    let clock = log.changes().find(|c| c.system == OWN && c.list == "clock");
    TimeDelta::milliseconds(clock.and_then(|c| c.entry.as_ref()?.as_i64()).unwrap_or(0))
}

fn restore(world: &mut World, log: &Log) -> Result<(), Error> {
    let wrong = |e| {
        Error::State(format!(
            "the state doesn't fit this version ({e}); jml sandbox reset makes it anew"
        ))
    };
    for c in log.changes() {
        match (c.system.as_str(), c.list.as_str(), &c.entry) {
            (OWN, "clock", _) => {} // the document was made for that instant
            (OWN, "given", Some(part)) => {
                for (k, v) in part.as_object().into_iter().flatten() {
                    world.given[k] = v.clone();
                }
            }
            (system, list, entry) => {
                if let Some(member) = member::find(world, system) {
                    member.restore(world, list, &c.id, entry.as_ref()).map_err(wrong)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An engine under the runtime's virtual clock, and what it said.
    fn engine(given: Value) -> (Arc<Engine>, Arc<Mutex<Vec<String>>>) {
        let (start, epoch) = (
            tokio::time::Instant::now(),
            DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
        );
        let host: Host = Arc::new(move || epoch + start.elapsed());
        let said = Arc::new(Mutex::new(Vec::new()));
        let ear = said.clone();
        let say: Say = Arc::new(move |line| ear.lock().unwrap().push(line.into()));
        let mut whole = json!({"now": "2026-07-15T05:05:00Z", "population": {"people": 3}});
        super::super::config::merge(&mut whole, &given);
        let setup = Setup {
            given: whole,
            host,
            say,
            journal: Journal::memory(),
            log: None,
            faults: vec![],
            latency: None,
            rates: BTreeMap::new(),
        };
        (Engine::new(setup).unwrap(), said)
    }

    fn get(target: &str) -> Request {
        Request {
            method: "GET".into(),
            target: target.into(),
            ..Request::default()
        }
    }

    fn journal(engine: &Engine) -> Vec<(String, u64)> {
        let text = engine.lock().journal.text().unwrap();
        let line = |l: &str| {
            let v: Value = serde_json::from_str(l).unwrap();
            (v["path"].as_str().unwrap().to_owned(), v["status"].as_u64().unwrap())
        };
        text.lines().map(line).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_answer_waits_and_its_line_does_not() {
        let (engine, _) = engine(json!({"latency": "60ms"}));
        let began = tokio::time::Instant::now();
        let call = engine.handle("okta", get("/nowhere?a=b"));
        tokio::pin!(call);
        assert!(futures::poll!(call.as_mut()).is_pending());
        assert_eq!(journal(&engine), [("/nowhere".into(), 501)]);
        let reply = call.await.unwrap();
        assert_eq!((reply.status, began.elapsed()), (501, Duration::from_millis(60)));
        assert!(
            reply
                .headers
                .contains(&("date".into(), "Wed, 15 Jul 2026 05:05:00 GMT".into()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn faults_are_carried_out() {
        let (engine, _) = engine(json!({"faults": [
            {"on": "okta GET /lost", "lose_answer": true},
            {"on": "okta GET /late", "delay": "2s", "answer": {"status": 418}},
            {"on": "okta GET /swapped", "answer": {"status": 404, "body": {}}, "effect": true}]}));
        assert!(engine.handle("okta", get("/lost")).await.is_none());
        let began = tokio::time::Instant::now();
        assert_eq!(engine.handle("okta", get("/late")).await.unwrap().status, 418);
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        assert_eq!(engine.handle("okta", get("/swapped")).await.unwrap().body, b"{}");
        assert_eq!(
            journal(&engine),
            [("/lost".into(), 0), ("/late".into(), 418), ("/swapped".into(), 404)]
        );
        assert_eq!(engine.handle("zoom", get("/")).await.unwrap().status, 501);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_while_it_waits_is_journalled_as_unanswered() {
        let (engine, _) = engine(json!({"faults": [{"on": "okta GET /late", "delay": "9s", "times": "all"}]}));
        let call = engine.handle("okta", get("/late"));
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
        assert_eq!(journal(&engine), [("/late".into(), 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_named_and_let_go() {
        let (engine, said) = engine(json!({}));
        let held = async {
            engine.held("okta:suspend@1:after").await;
            tokio::time::Instant::now()
        };
        tokio::pin!(held);
        assert!(futures::poll!(held.as_mut()).is_pending());
        assert_eq!(*said.lock().unwrap(), ["hit okta:suspend@1:after"]);
        assert_eq!(engine.control("POST", "/release", b"").status, 200);
        held.await;
    }

    /// Person 3 is taken out of ROLE-OPS with that fault in the way: the status, whether they are a member then, and the faults.
    async fn removal(fault: &str) -> (Option<u16>, bool, Value) {
        let (engine, _) = engine(json!({"okta": {"groups": [{"id": "00g000000000000000OP", "name": "ROLE-OPS"}]}}));
        assert_eq!(
            engine
                .control("POST", "/faults", json!([fault]).to_string().as_bytes())
                .status,
            200
        );
        let token = format!("SSWS {}", engine.credential("okta.write").unwrap());
        let request = Request {
            method: "DELETE".into(),
            target: "/api/v1/groups/00g000000000000000OP/users/00uP0000000000000003".into(),
            headers: vec![("authorization".into(), token)],
            body: vec![],
        };
        let call = tokio::time::timeout(Duration::from_secs(30), engine.handle("okta", request)).await;
        let state: Value = serde_json::from_slice(&engine.control("GET", "/state", b"").body).unwrap();
        let groups = state["okta"]["users"]["00uP0000000000000003"]["groups"]
            .as_array()
            .unwrap();
        (
            call.ok().flatten().map(|r| r.status),
            groups.contains(&json!("ROLE-OPS")),
            engine.faults(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_by_name_hits_before_or_after_the_effect() {
        for (fault, status, member) in [
            ("okta:remove-member:ROLE-OPS@1:before=503", Some(503), true),
            ("okta:remove-member:ROLE-OPS@1:after=503", Some(503), false),
            ("okta:remove-member:ROLE-OPS@1:before=reset", None, true),
            ("okta:remove-member:ROLE-OPS@1:after=lost-answer", None, false),
            ("okta:remove-member:ROLE-OPS@1:before=timeout", None, true),
            ("okta:remove-member:ROLE-OPS@1:after=timeout", None, false),
            ("okta:remove-member:ROLE-OPS@1:before=hold", None, true),
            ("okta:remove-member:ROLE-OPS@1:after=hold", None, false),
            ("okta:remove-member:ROLE-OPS@1:answer=empty", Some(204), false),
        ] {
            let (got, is_member, faults) = removal(fault).await;
            assert_eq!(
                (got, is_member, &faults[0]["fired"]),
                (status, member, &json!(1)),
                "{fault}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_organisation_answers_seventy_five_at_a_time() {
        let (engine, _) = engine(json!({"latency": "60ms"}));
        let ask = || {
            let token = format!("SSWS {}", engine.credential("okta.read").unwrap());
            engine.handle(
                "okta",
                Request {
                    headers: vec![("authorization".into(), token)],
                    ..get("/api/v1/users/p00001@acme.example")
                },
            )
        };
        let statuses = async |n: usize| -> BTreeMap<u16, usize> {
            let replies = futures::future::join_all((0..n).map(|_| ask())).await;
            replies.into_iter().flatten().fold(BTreeMap::new(), |mut m, r| {
                *m.entry(r.status).or_default() += 1;
                m
            })
        };
        assert_eq!(statuses(75).await, BTreeMap::from([(200, 75)]));
        assert_eq!(statuses(80).await, BTreeMap::from([(200, 75), (429, 5)]));
        assert_eq!(statuses(1).await, BTreeMap::from([(200, 1)]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_runs_on_from_where_it_was_set() {
        let (engine, _) = engine(json!({"clock_skew": "90s"}));
        tokio::time::advance(Duration::from_secs(5)).await;
        let read = |method: &str, body: &[u8]| -> Value {
            serde_json::from_slice(&engine.control(method, "/clock", body).body).unwrap()
        };
        let clock = read("GET", b"");
        assert_eq!(
            (&clock["now"], &clock["host_now"]),
            (&json!("2026-07-15T05:05:05.000Z"), &json!("2026-07-15T05:06:35.000Z"))
        );
        assert_eq!(clock["nonce"], engine.nonce);
        assert_eq!(
            read("PUT", br#"{"now": "2026-01-01T00:00:00Z"}"#)["now"],
            "2026-01-01T00:00:00.000Z"
        );
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(read("GET", b"")["now"], "2026-01-01T00:00:01.500Z");
        assert_eq!(engine.control("PUT", "/clock", br#"{"now": "soon"}"#).status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn control_refuses_what_it_does_not_know() {
        let (engine, _) = engine(json!({}));
        assert_eq!(engine.control("PATCH", "/state", br#"{"zoom": {}}"#).status, 400);
        assert_eq!(
            engine
                .control("POST", "/faults", br#"[{"on": "okta GET /x", "dealy": "1s"}]"#)
                .status,
            400
        );
        assert_eq!(
            engine
                .control("POST", "/faults", br#"[{"on": "okta GET /x", "delay": "1s"}]"#)
                .status,
            200
        );
        assert_eq!(engine.faults()[0]["fired"], 0);
        assert_eq!(engine.control("GET", "/nope", b"").status, 501);
    }
}
